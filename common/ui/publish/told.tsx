// Which communities of this town a notice is told to, by their names.
import { t, words } from '../src/i18n';
import type { PlacesView, TownNotice } from '../src/types';
import { useDesk, useLoaded } from '../desk/session';

const COMMUNITY_DIGITS = 12;

export function useCommunities(): { id: string; name: string }[] {
	const { session } = useDesk();
	const { data } = useLoaded<PlacesView>('/api/v1/places', () => false);
	return (data?.places ?? [])
		.filter(({ code }) => code.length === COMMUNITY_DIGITS && code.startsWith(session.place))
		.map(({ code, name }) => ({ id: code, name: words(name) || code }));
}

export function ToldTo({ notice }: { notice: TownNotice }) {
	const communities = useCommunities();
	const names = notice.places.map((place) => communities.find(({ id }) => id === place)?.name ?? place);
	return <p class="desk-lead">{t('desk.notices.told-to', { places: names.join(t('desk.notices.comma')), day: notice.until })}</p>;
}
