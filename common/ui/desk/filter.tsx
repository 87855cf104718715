// What of the queue is shown: one box to search in, filters, and the views that somebody has saved.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { Button, Dialog, Field, Line, More, Select, Tab } from '../src/parts';
import type { CaseFilter, CatalogueView, SavedView, WorkView } from '../src/types';
import { VIEWS, type View, type Wish } from './cases';
import { ACCESS_NEEDS, valueText, usePlaces } from './person-facts';
import { hrefOf, type Route } from './route';
import { useDesk, useLoaded } from './session';

const PARTS = ['service', 'place', 'state', 'staff', 'access', 'left'] as const;
const STATES = ['CASE_STATE_RECEIVED', 'CASE_STATE_ACCEPTED', 'CASE_STATE_ASKED'] as const;
const LEFTS = ['CASE_LEFT_OVERDUE', 'CASE_LEFT_DAY', 'CASE_LEFT_THREE_DAYS', 'CASE_LEFT_PAUSED'] as const;
const TYPED_MS = 300;
const QUERY_MOST = 60;
export const SEARCH_ID = 'queue-search';

export type Parts = Record<(typeof PARTS)[number], string>;

/** The filter that an address names: nothing of a person. */
export function partsOf(route: Route): Parts {
	return Object.fromEntries(PARTS.map((part) => [part, route.query.get(part) ?? ''])) as Parts;
}

export const isFiltered = (parts: Wish): boolean => Object.values(parts).some((part) => part !== '');

export function useWork() {
	return useLoaded<WorkView>('/api/v1/work', (name) => name === 'work' || name === 'cases');
}

/** What was typed a moment ago: a search for each key would be one too many. */
export function useTyped(query: string): string {
	const [typed, setTyped] = useState(query);
	useEffect(() => {
		const timer = setTimeout(() => setTyped(query), TYPED_MS);
		return () => clearTimeout(timer);
	}, [query]);
	return query === '' ? '' : typed;
}

interface FilterProps {
	view: View;
	town: string;
	hasTowns: boolean; // then the towns are chosen from, and not the communities
	parts: Parts;
	query: string;
	work: WorkView | null;
	onQuery: (query: string) => void;
}

export function Filter({ view, town, hasTowns, parts, query, work, onQuery }: FilterProps) {
	const { data } = useLoaded<CatalogueView>('/api/v1/catalogue', (name) => name === 'catalogue');
	const { places } = usePlaces();
	const [isSaving, setIsSaving] = useState(false);
	const [isOpen, setIsOpen] = useState(isFiltered(parts));
	const choose = (part: keyof Parts) => (value: string) => {
		location.hash = hrefOf('cases', view, { town, ...parts, [part]: value });
	};
	const any = { id: '', name: t('desk.filter.any') };
	const options: Record<keyof Parts, { id: string; name: string }[]> = {
		service: (data?.services ?? []).map(({ id, name }) => ({ id, name: words(name) || id })),
		place: places.filter(({ code }) => code.length > 9).map(({ code, name }) => ({ id: code, name: words(name) || code })),
		state: STATES.map((id) => ({ id, name: t(`desk.filter.${id}`) })),
		staff: [
			{ id: work?.user ?? '', name: t('desk.filter.mine') },
			{ id: '-', name: t('desk.filter.nobody') },
			...(work?.rows ?? [])
				.filter(({ staff }) => staff !== '' && staff !== work?.user)
				.map(({ staff }) => ({ id: staff, name: staff })),
		],
		access: ACCESS_NEEDS.map((id) => ({ id, name: valueText(id) })),
		left: LEFTS.map((id) => ({ id, name: t(`desk.filter.${id}`) })),
	};
	const shown = PARTS.filter((part) => part !== 'place' || !hasTowns);
	return (
		<div class="desk-filter">
			<Field id={SEARCH_ID} label={t('desk.filter.search')} hint={t('desk.filter.search-hint')}>
				{(wiring) => (
					<Line wiring={wiring} inputMode="search" maxLength={QUERY_MOST} value={query} onType={onQuery} />
				)}
			</Field>
			<More name={t('desk.filter.title')} isOpen={isOpen} onToggle={setIsOpen}>
				<div class="desk-filter-parts">
					{(isOpen ? shown : []).map((part) => (
						<Field key={part} id={`filter-${part}`} label={t(`desk.filter.${part}`)}>
							{(wiring) => (
								<Select wiring={wiring} value={parts[part]} options={[any, ...options[part]]} onChoose={choose(part)} />
							)}
						</Field>
					))}
				</div>
				<div class="actions">
					{isOpen && isFiltered(parts) && <Button onPress={() => setIsSaving(true)}>{t('desk.filter.save')}</Button>}
					{isOpen && isFiltered(parts) && (
						<Button onPress={() => (location.hash = hrefOf('cases', view, { town }))}>{t('desk.filter.clear')}</Button>
					)}
				</div>
			</More>
			<SavedViews views={work?.views ?? []} view={view} parts={parts} town={town} />
			{isSaving && <Save view={view} parts={parts} onClose={() => setIsSaving(false)} />}
		</div>
	);
}

const viewOf = ({ filter }: SavedView): View => VIEWS.find((known) => known === filter?.view) ?? 'open';

const wordOf = (value = ''): string => (value.endsWith('_NONE') ? '' : value);

function partsOfView({ filter }: SavedView): Parts {
	return Object.fromEntries(PARTS.map((part) => [part, wordOf(filter?.[part])])) as Parts;
}

interface SavedViewsProps {
	views: SavedView[];
	view: View;
	parts: Parts;
	town: string;
}

function SavedViews({ views, view, parts, town }: SavedViewsProps) {
	const desk = useDesk();
	if (views.length === 0) return null;
	const isHere = (one: SavedView) =>
		viewOf(one) === view && PARTS.every((part) => partsOfView(one)[part] === parts[part]);
	const here = views.find(isHere);
	const drop = ({ id }: SavedView) =>
		post('/api/v1/work', { act: 'DESK_ACT_DROP_VIEW', view: { id } }).catch((error) => desk.failed(error));
	return (
		<nav class="desk-views" aria-label={t('desk.filter.views')}>
			{views.map((one) => (
				<Tab key={one.id} href={hrefOf('cases', viewOf(one), { town, ...partsOfView(one) })} isHere={one === here}>
					<span class="desk-said">{one.name}</span>
				</Tab>
			))}
			{here && <Button onPress={() => void drop(here)}>{t('desk.filter.drop')}</Button>}
		</nav>
	);
}

function Save({ view, parts, onClose }: { view: View; parts: Parts; onClose: () => void }) {
	const desk = useDesk();
	const [name, setName] = useState('');
	const [fault, setFault] = useState('');
	const send = async () => {
		if (!name.trim()) return setFault(t('desk.filter.name-missing'));
		const filter: Partial<CaseFilter> = { view };
		for (const part of PARTS) if (parts[part]) Object.assign(filter, { [part]: parts[part] });
		const id = Math.random().toString(36).slice(2, 10);
		try {
			await post('/api/v1/work', { act: 'DESK_ACT_KEEP_VIEW', view: { id, name: name.trim(), filter } });
			onClose();
		} catch (error) {
			setFault(desk.failed(error));
		}
	};
	return (
		<Dialog
			title={t('desk.filter.save')}
			onClose={onClose}
			actions={
				<>
					<Button kind="primary" onPress={() => void send()}>
						{t('desk.filter.save')}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<Field id="view-name" label={t('desk.filter.name')} error={fault} isRequired>
				{(wiring) => <Line wiring={wiring} maxLength={24} value={name} onType={setName} />}
			</Field>
		</Dialog>
	);
}
