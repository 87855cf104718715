// Residents: found by part of a name, initials in pinyin, or the last four of a number. What is searched for is in no address.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../src/api';
import { dateText, t, words } from '../src/i18n';
import { announce, Button, Chip, Empty, Field, Line, Notice, Tab, Table, type Column } from '../src/parts';
import type { PersonRow, PersonsView } from '../src/types';
import { keepSearch, keptSearch } from './people-kept';
import { valueText } from './person-facts';
import { hrefOf } from './route';
import { useDesk } from './session';
import { PageHeading } from './shell';

const ROWS_MOST = 50;
const QUERY_MOST = 40;

/** Enough to tell two people of one name apart. */
export function personText(row: PersonRow): string {
	return [
		row.name || t('desk.no-name'),
		dateText(row.birth),
		row.id_tail && t('desk.people.tail', { tail: row.id_tail }),
		words(row.community_name) || row.community,
	]
		.filter(Boolean)
		.join(' · ');
}

export function PersonMarks({ row }: { row: PersonRow }) {
	return (
		<>
			{row.is_dead && (
				<Chip kind="warning" icon="info">
					{t('desk.person.is.dead')}
				</Chip>
			)}
			{row.is_merged && (
				<Chip kind="info" icon="copies">
					{t('desk.person.is.merged')}
				</Chip>
			)}
			{row.is_away && (
				<Chip kind="info" icon="next">
					{t('desk.person.is.away', { town: words(row.town_name) || row.town })}
				</Chip>
			)}
		</>
	);
}

export interface PersonSearch {
	query: string;
	found: PersonsView | null;
	fault: string;
	isBusy: boolean;
	type: (query: string) => void;
	search: () => Promise<void>;
}

/** `isKept`: the page of residents shows again what it showed last. */
export function usePersonSearch(isKept: boolean): PersonSearch {
	const desk = useDesk();
	const [{ query, found }, setSearch] = useState(isKept ? keptSearch() : { query: '', found: null });
	const [fault, setFault] = useState('');
	const [isBusy, setBusy] = useState(false);
	useEffect(() => {
		if (isKept) keepSearch({ query, found });
	}, [query, found]);
	const search = async () => {
		if (!query.trim()) return setFault(t('desk.people.missing'));
		setBusy(true);
		setFault('');
		try {
			const view = await post<PersonsView>('/api/v1/persons/search', { query: query.trim(), limit: ROWS_MOST });
			setSearch({ query, found: view });
			announce(countText(view));
		} catch (error) {
			setFault(desk.failed(error));
		}
		setBusy(false);
	};
	return { query, found, fault, isBusy, search, type: (text) => setSearch({ query: text, found }) };
}

export function countText({ persons, is_more }: PersonsView): string {
	if (persons.length === 0) return t('desk.people.none');
	return t(is_more ? 'desk.people.more' : 'desk.people.count', { n: persons.length });
}

export function SearchForm({ id, search }: { id: string; search: PersonSearch }) {
	return (
		<form
			class="desk-search"
			noValidate
			autoComplete="off"
			onSubmit={(event) => {
				event.preventDefault();
				void search.search();
			}}
		>
			<Field id={id} label={t('desk.people.query')} hint={t('desk.people.hint')} error={search.fault || undefined}>
				{(wiring) => (
					<Line
						wiring={wiring}
						inputMode="search"
						maxLength={QUERY_MOST}
						value={search.query}
						onType={search.type}
					/>
				)}
			</Field>
			<Button kind="primary" icon="search" isBusy={search.isBusy}>
				{t('desk.people.search')}
			</Button>
		</form>
	);
}

export function People() {
	const search = usePersonSearch(true);
	const { found } = search;
	return (
		<>
			<PageHeading title={t('desk.people.title')}>
				<p class="desk-lead">{t('desk.people.lead')}</p>
			</PageHeading>
			<div class="desk-bar">
				<SearchForm id="people-query" search={search} />
				<Tab href={hrefOf('people', 'new')}>{t('desk.person.new')}</Tab>
			</div>
			{found && !found.is_ready && <Notice kind="warning">{t('desk.people.not-ready')}</Notice>}
			{found && (found.persons.length > 0 ? <Found view={found} /> : <Empty>{t('desk.people.none')}</Empty>)}
		</>
	);
}

function Found({ view }: { view: PersonsView }) {
	const columns: Column<PersonRow>[] = [
		{
			id: 'name',
			head: t('desk.person.field.name'),
			isHead: true,
			cell: (row) => (
				<a class="desk-row-link" href={hrefOf('person', row.person_id)}>
					{row.name || t('desk.no-name')}
				</a>
			),
		},
		{ id: 'sex', head: t('desk.person.field.sex'), cell: (row) => row.sex !== 'SEX_NONE' && valueText(row.sex) },
		{ id: 'birth', head: t('desk.person.field.birth'), cell: (row) => dateText(row.birth) },
		{ id: 'tail', head: t('desk.people.col.tail'), cell: (row) => row.id_tail },
		{
			id: 'community',
			head: t('desk.person.field.community'),
			cell: (row) => words(row.community_name) || row.community,
		},
		{
			id: 'is',
			head: t('desk.people.col.is'),
			cell: (row) => (row.is_dead || row.is_merged || row.is_away) && <PersonMarks row={row} />,
		},
	];
	return (
		<section>
			<Table
				caption={t('desk.people.found')}
				isCaptionHidden
				columns={columns}
				rows={view.persons}
				keyOf={(row) => row.person_id}
			/>
			<p class="desk-minor">{countText(view)}</p>
		</section>
	);
}
