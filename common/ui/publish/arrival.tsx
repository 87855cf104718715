// How far a publication has come: to how many of the sites, and which are missing.
import { t, words } from '../src/i18n';
import { Chip, More, Table, type Column } from '../src/parts';
import type { Arrival, MissingSite } from '../src/types';
import { agoText } from '../desk/time';

/** "268 of 282". What is not known is not zero. */
export function ArrivalChip({ arrival }: { arrival: Arrival | undefined }) {
	if (!arrival || arrival.sites === 0) return <span>{t('desk.arrival.no-sites')}</span>;
	if (arrival.heard === 0)
		return (
			<Chip kind="warning" icon="waiting">
				{t('desk.arrival.not-heard')}
			</Chip>
		);
	const { arrived, heard, sites } = arrival;
	const isAll = arrived === sites;
	return (
		<span class="arrival">
			<Chip kind={isAll ? 'success' : 'info'} icon={isAll ? 'success' : 'waiting'}>
				{t('desk.arrival.count', { arrived, sites })}
			</Chip>
			{heard < sites && <span class="desk-minor">{t('desk.arrival.silent', { n: sites - heard })}</span>}
		</span>
	);
}

export function Missing({ sites, now_ms }: { sites: MissingSite[]; now_ms: number }) {
	if (sites.length === 0) return null;
	const columns: Column<MissingSite>[] = [
		{
			id: 'place',
			head: t('desk.col.place'),
			isHead: true,
			cell: (site) => words(site.place_name) || site.place,
			sortBy: (site) => words(site.place_name) || site.place,
		},
		{ id: 'state', head: t('desk.col.state'), cell: (site) => <SiteState site={site} /> },
		{
			id: 'since',
			head: t('desk.arrival.since'),
			cell: (site) => (Number(site.since_ms) > 0 ? agoText(site.since_ms, now_ms) : t('desk.time.never')),
			sortBy: (site) => Number(site.since_ms),
		},
	];
	return (
		<More name={t('desk.arrival.missing', { n: sites.length })}>
			<Table
				caption={t('desk.arrival.missing', { n: sites.length })}
				isCaptionHidden
				columns={columns}
				rows={sites}
				keyOf={(site) => site.place}
			/>
		</More>
	);
}

function SiteState({ site }: { site: MissingSite }) {
	if (site.is_up)
		return (
			<Chip kind="info" icon="link">
				{t('desk.arrival.up')}
			</Chip>
		);
	return (
		<Chip kind="warning" icon="unlinked">
			{t(site.is_heard ? 'desk.arrival.down' : 'desk.arrival.not-heard')}
		</Chip>
	);
}
