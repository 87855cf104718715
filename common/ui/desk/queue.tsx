// The queue: who waits for what, how they are served, who has it, and until when. Arrows move, Enter opens, A accepts, C takes
// a request for oneself, X chooses several.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t, words } from '../src/i18n';
import {
	announce,
	Button,
	Chip,
	Empty,
	Failed,
	Field,
	Loading,
	Select,
	Tab,
	Table,
	type Column,
} from '../src/parts';
import type { BulkCommand, CaseRow, CaseView } from '../src/types';
import { Bulk, bulk, BULK_MOST, Done, itemsOf, undoOf } from './bulk';
import { CarerMark } from './carer';
import { useCases, VIEWS, type View, type Wish } from './cases';
import { Decide } from './decide';
import { Filter, isFiltered, partsOf, SEARCH_ID, useTyped, useWork } from './filter';
import { isKnown, isOpen } from './model';
import { HandedMark, StateMark } from './marks';
import { stepText, TermMark } from './term';
import { valueText } from './person-facts';
import { hrefOf, type Route } from './route';
import { PageHeading } from './shell';
import { useDesk, useLoaded } from './session';
import { useShortcuts, useShortcutSwitch } from './shortcuts';
import { Moment, useNow } from './time';

export interface Town {
	place: string;
	name: string;
}

interface QueueProps {
	route: Route;
	towns?: Town[]; // where cases of several towns come together
}

const ROW_LINK = 'a[data-request]';
let opened = ''; // coming back from a case, the focus returns to its row
let keptQuery = { user: '', query: '' }; // and what was searched for stays, in this page's memory alone

export function Queue({ route, towns = [] }: QueueProps) {
	const desk = useDesk();
	const views = VIEWS.filter((name) => name !== 'supervisor' || desk.session.may.includes('supervise'));
	const view: View = views.find((known) => known === route.part) ?? 'open';
	const town = route.query.get('town') ?? '';
	const parts = partsOf(route);
	const [query, setQuery] = useState(keptQuery.user === desk.session.user ? keptQuery.query : '');
	keptQuery = { user: desk.session.user, query };
	const typed = useTyped(query);
	const wish: Wish = view === 'supervisor' ? {} : { ...parts, query: typed }; // a supervisor's list is looked through whole
	const list = useCases(view, wish);
	const { data: work } = useWork();
	const [chosen, setChosen] = useState<string[]>([]);
	const [isBulk, setIsBulk] = useState(false);
	const [done, setDone] = useState<{ undo: BulkCommand; count: number } | null>(null);
	const rows = town ? list.rows.filter((row) => row.place.startsWith(town)) : list.rows;
	const [accepting, setAccepting] = useState('');
	const [comesBack] = useState(opened);
	const box = useRef<HTMLDivElement>(null);
	useRowFocus(box, rows, comesBack, list.isRead);

	const go = (next: View) => () => {
		location.hash = hrefOf('cases', next, { town, ...parts });
	};
	const chosenRows = rows.filter((row) => chosen.includes(row.request_id)).slice(0, BULK_MOST);
	const pick = (row: CaseRow) =>
		setChosen((old) =>
			old.includes(row.request_id) ? old.filter((id) => id !== row.request_id) : [...old, row.request_id],
		);
	const claim = async (row: CaseRow) => {
		try {
			const view = await bulk({ act: 'BULK_ACT_ASSIGN', staff: desk.session.user, items: itemsOf([row]) });
			const undo = undoOf(view);
			if (undo) {
				announce(t('desk.queue.claimed'));
				setDone({ undo, count: view.done });
			} else announce(t('desk.queue.cannot-claim'), true);
			await list.reload();
		} catch (error) {
			announce(desk.failed(error), true);
		}
	};
	useShortcuts({
		a: () => {
			const row = currentRow(box.current, rows);
			if (row?.is_ours && row.state === 'CASE_STATE_RECEIVED') setAccepting(row.request_id);
			else announce(t('desk.queue.cannot-accept'));
		},
		c: () => {
			const row = currentRow(box.current, rows);
			if (row?.is_ours && isOpen(row)) void claim(row);
			else announce(t('desk.queue.cannot-claim'));
		},
		x: () => {
			const row = currentRow(box.current, rows);
			if (row) pick(row);
		},
		y: () => setChosen(chosen.length > 0 ? [] : rows.slice(0, BULK_MOST).map((row) => row.request_id)),
		b: () => {
			if (chosenRows.length > 0) setIsBulk(true);
			else announce(t('desk.bulk.none'));
		},
		f: () => document.getElementById(SEARCH_ID)?.focus(),
		1: go('open'),
		2: go('overdue'),
		3: go('closed'),
		4: go('all'),
	});

	return (
		<>
			<PageHeading title={t('desk.queue.title')} keepFocus={comesBack !== ''}>
				<p class="desk-lead">{t('desk.queue.ours', { n: list.open })}</p>
			</PageHeading>
			<div class="desk-bar">
				<nav aria-label={t('desk.queue.views')}>
					{views.map((name) => (
						<Tab key={name} href={hrefOf('cases', name, { town, ...parts })} isHere={name === view}>
							{t(`desk.queue.${name}`)}
						</Tab>
					))}
				</nav>
				{towns.length > 0 && (
					<TownFilter
						towns={towns}
						town={town}
						onChoose={(next) => (location.hash = hrefOf('cases', view, { town: next, ...parts }))}
					/>
				)}
				<KeyHints />
			</div>
			{view !== 'supervisor' && (
				<Filter {...{ view, town, parts, query, work }} hasTowns={towns.length > 0} onQuery={setQuery} />
			)}
			{done && <Done {...done} onUndone={() => setDone(null)} />}
			{list.isRead && !list.isReady && <p class="desk-minor">{t('desk.filter.not-ready')}</p>}
			{list.fault && <Failed text={list.fault} onRetry={() => void list.reload()} />}
			{!list.isRead && !list.fault && <Loading />}
			{list.isRead && (
				<div ref={box} onKeyDown={moveFocus}>
					{chosenRows.length > 0 && (
						<div class="desk-bar desk-chosen">
							<p>{t('desk.bulk.chosen', { n: chosenRows.length })}</p>
							<Button onPress={() => setIsBulk(true)}>{t('desk.bulk.together')}</Button>
						</div>
					)}
					{rows.length > 0 ? <Rows {...{ rows, chosen, pick }} /> : <Empty>{t('desk.queue.empty')}</Empty>}
					<p class="desk-minor">
						{isFiltered(wish)
							? t('desk.filter.matches', { n: list.matches })
							: countText(list.rows.length, rows.length, list.hasMore, town !== '')}
					</p>
					{list.hasMore && <Button onPress={() => void list.readMore()}>{t('desk.queue.more')}</Button>}
				</div>
			)}
			{isBulk && (
				<Bulk
					rows={chosenRows}
					work={work}
					onDone={(undo, count) => {
						setChosen([]);
						setDone(undo && { undo, count });
						if (!undo) announce(t('desk.bulk.done', { n: count }));
						void list.reload();
					}}
					onClose={() => setIsBulk(false)}
				/>
			)}
			{accepting && <Accept requestId={accepting} onClose={() => setAccepting('')} />}
		</>
	);
}

function countText(all: number, n: number, hasMore: boolean, isFiltered: boolean): string {
	if (isFiltered) return t(hasMore ? 'desk.queue.filtered-more' : 'desk.queue.filtered', { all, n });
	return t(hasMore ? 'desk.queue.more-exist' : 'desk.queue.shown', { n });
}

interface RowsProps {
	rows: CaseRow[];
	chosen: string[];
	pick: (row: CaseRow) => void;
}

function Rows({ rows, chosen, pick }: RowsProps) {
	const now_ms = useNow();
	const columns: Column<CaseRow>[] = [
		{
			id: 'pick',
			head: t('desk.col.pick'),
			cell: (row) => (
				<Button
					class="desk-pick"
					isPressed={chosen.includes(row.request_id)}
					label={t('desk.bulk.pick', { name: row.masked_name || t('desk.no-name') })}
					onPress={() => pick(row)}
				>
					{chosen.includes(row.request_id) ? '☑' : '☐'}
				</Button>
			),
		},
		{
			id: 'who',
			head: t('desk.col.who'),
			isHead: true,
			cell: (row) => (
				<a
					class="desk-row-link"
					data-request={row.request_id}
					href={hrefOf('case', row.request_id)}
					onClick={() => (opened = row.request_id)}
				>
					{row.masked_name || t('desk.no-name')}
				</a>
			),
		},
		{ id: 'service', head: t('desk.col.service'), cell: (row) => words(row.service_name) || row.service },
		{ id: 'place', head: t('desk.col.place'), cell: (row) => words(row.place_name) || row.place },
		{
			id: 'state',
			head: t('desk.col.state-next'),
			cell: (row) => (
				<span class="desk-moment">
					<StateMark row={row} />
					<HandedMark row={row} />
					<span class="desk-minor desk-next">{nextText(row)}</span>
				</span>
			),
		},
		{
			id: 'access',
			head: t('desk.col.access'),
			cell: (row) => row.access.map((need) => valueText(need)).join(t('desk.list-comma')),
		},
		{ id: 'owner', head: t('desk.col.owner'), cell: ownerText },
		{
			id: 'due',
			head: t('desk.col.due'),
			cell: (row) =>
				row.term === 'CASE_TERM_NONE' ? (
					<Moment time_ms={row.received_ms} now_ms={now_ms} />
				) : (
					<TermMark row={row} now_ms={now_ms} />
				),
		},
		{ id: 'flags', head: t('desk.col.flags'), cell: (row) => <Flags row={row} /> },
	];
	return (
		<Table
			caption={t('desk.queue.title')}
			isCaptionHidden
			columns={columns}
			rows={rows}
			keyOf={(row) => row.request_id}
		/>
	);
}

function ownerText(row: CaseRow): string {
	if (!row.is_ours) return t(`desk.tier.${row.owner}`);
	return row.staff || t('desk.owner.ours');
}

function nextText(row: CaseRow): string {
	if (row.state === 'CASE_STATE_RECEIVED') return t('desk.next.accept');
	if (row.state === 'CASE_STATE_ASKED') return t('desk.next.wait');
	if (row.state !== 'CASE_STATE_ACCEPTED') return '';
	return stepText(row) || t('desk.next.decide');
}

function Flags({ row }: { row: CaseRow }) {
	return (
		<>
			<CarerMark row={row} />
			{row.pending_asks > 0 && (
				<Chip icon="advice" kind="warning">
					{t('desk.flag.pending')}
				</Chip>
			)}
			{row.is_absent && (
				<Chip icon="locked" kind="danger">
					{t('desk.flag.absent')}
				</Chip>
			)}
		</>
	);
}

interface TownFilterProps {
	towns: Town[];
	town: string;
	onChoose: (town: string) => void;
}

export function TownFilter({ towns, town, onChoose }: TownFilterProps) {
	return (
		<Field id="town-filter" label={t('desk.town-filter')}>
			{(wiring) => (
				<Select
					wiring={wiring}
					value={town}
					options={[
						{ id: '', name: t('desk.town-filter.every') },
						...towns.map(({ place, name }) => ({ id: place, name })),
					]}
					onChoose={onChoose}
				/>
			)}
		</Field>
	);
}

function KeyHints() {
	const isOn = useShortcutSwitch();
	return (
		<p class="desk-minor desk-keys">
			{t('desk.queue.keys')} · {t(isOn ? 'desk.queue.keys-letters' : 'desk.queue.keys-off')}
		</p>
	);
}

// Accepting straight from the queue still reads the whole case first: the dialog shows whose it is.
function Accept({ requestId, onClose }: { requestId: string; onClose: () => void }) {
	const { data, fault, reload } = useLoaded<CaseView>(
		`/api/v1/cases/${requestId}`,
		(name, event) => name === 'cases' && (event as { request_id: string }).request_id === requestId,
	);
	useEffect(() => {
		if (!fault) return;
		announce(fault, true);
		onClose();
	}, [fault]);
	if (!isKnown(data)) return null;
	return <Decide view={data} decision="accept" reload={reload} onClose={onClose} />;
}

function rowLinks(box: Element | null): HTMLAnchorElement[] {
	return [...(box?.querySelectorAll<HTMLAnchorElement>(ROW_LINK) ?? [])];
}

function currentRow(box: Element | null, rows: CaseRow[]): CaseRow | undefined {
	const id = (document.activeElement as HTMLElement | null)?.dataset.request ?? rowLinks(box)[0]?.dataset.request;
	return rows.find((row) => row.request_id === id);
}

function moveFocus(event: KeyboardEvent): void {
	const links = rowLinks(event.currentTarget as Element);
	const at = links.indexOf(document.activeElement as HTMLAnchorElement);
	const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
	if (to === undefined || at < 0 || !links[to]) return;
	event.preventDefault();
	links[to].focus();
}

// Down and up also lead into the list from the heading; and a row that leaves the list hands its focus to its neighbour.
function useRowFocus(box: { current: HTMLElement | null }, rows: CaseRow[], comesBack: string, isRead: boolean): void {
	const last = useRef({ id: '', at: 0 });
	useEffect(() => {
		const enter = (event: KeyboardEvent) => {
			const at = document.activeElement;
			if (event.key !== 'ArrowDown' || (at !== document.body && at?.tagName !== 'H1')) return;
			event.preventDefault();
			rowLinks(box.current)[0]?.focus();
		};
		addEventListener('keydown', enter);
		return () => removeEventListener('keydown', enter);
	}, []);
	useEffect(() => {
		const note = () => {
			const id = (document.activeElement as HTMLElement | null)?.dataset.request ?? '';
			if (id) last.current = { id, at: rowLinks(box.current).findIndex((link) => link.dataset.request === id) };
			else if (document.activeElement !== document.body) last.current = { id: '', at: 0 };
		};
		addEventListener('focusin', note);
		return () => removeEventListener('focusin', note);
	}, []);
	useEffect(() => {
		if (!isRead || !comesBack) return;
		opened = '';
		const link = rowLinks(box.current).find(({ dataset }) => dataset.request === comesBack);
		(link ?? document.querySelector<HTMLElement>('main h1'))?.focus();
	}, [isRead]);
	useEffect(() => {
		if (!last.current.id || document.activeElement !== document.body) return;
		const links = rowLinks(box.current);
		links[Math.min(last.current.at, links.length - 1)]?.focus();
	}, [rows]);
}
