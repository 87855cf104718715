// The catalogue, texts of answers, or a town's notices: what is in force, where it has arrived, and what is being written.
import { useState } from 'preact/hooks';
import { t, words } from '../src/i18n';
import { Button, Chip, Dialog, Failed, Field, Line, Loading, Table, type Column } from '../src/parts';
import type { PublicationRow, PublicationsView } from '../src/types';
import { hrefOf, type Route } from '../desk/route';
import { useDesk, useLoaded, type Loaded } from '../desk/session';
import { PageHeading } from '../desk/shell';
import { momentText } from '../desk/time';
import { ArrivalChip } from './arrival';
import { InCollection, useCollection, type Collection } from './collection';
import { EditorPage } from './editor';
import { PublishPage } from './publish';
import { ContentPage } from './content';
import { valueName } from './shape';

export function Publications({ of, route }: { of: Collection; route: Route }) {
	return (
		<InCollection.Provider value={of}>
			<Page key={of.page} route={route} />
		</InCollection.Provider>
	);
}

function Page({ route }: { route: Route }) {
	const { session } = useDesk();
	const key = route.part;
	const at = route.query.get('at');
	if (!key) return <List />;
	// What one person was typing is not for the next one.
	if (at === 'draft') return <EditorPage key={`${key} ${session.user}`} id={key} />;
	if (at === 'publish') return <PublishPage key={key} id={key} />;
	return <ContentPage key={key} id={key} revision={Number(route.query.get('revision') ?? 0)} />;
}

// As letter.c names them; what an event says of itself is not known before there is an answer.
const PLACES = '{name} {service} {number} {received} {day} {due} {office} {contact}';

function List() {
	const { page, list: address, texts, lead, isNamed } = useCollection();
	const list: Loaded<PublicationsView> = useLoaded<PublicationsView>(address, (name) => name === 'catalogue');
	const { session } = useDesk();
	const [isAsking, setAsking] = useState(false);
	const { data, fault, reload } = list;
	const begin = () => (location.hash = hrefOf(page, madeUpName(), { at: 'draft' }));
	return (
		<>
			<PageHeading title={t(texts.title)}>
				{session.may.includes('draft') && (
					<Button icon="edit" onPress={() => (isNamed ? setAsking(true) : begin())}>
						{t(texts.new)}
					</Button>
				)}
			</PageHeading>
			<p class="desk-lead">{t(lead)} {page === 'wordings' && <code>{PLACES}</code>}</p>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && <Rows rows={data.rows} />}
			{isAsking && <NewContent rows={data?.rows ?? []} onClose={() => setAsking(false)} />}
		</>
	);
}

function Rows({ rows }: { rows: PublicationRow[] }) {
	const { page, member, texts } = useCollection();
	const name = (row: PublicationRow) => words(row.name) || row.key;
	const columns: Column<PublicationRow>[] = [
		{
			id: 'name',
			head: t(texts.head),
			isHead: true,
			cell: (row) => (
				<a class="desk-row-link" href={hrefOf(page, row.key)}>
					{name(row)}
				</a>
			),
			sortBy: name,
		},
		{
			id: 'module',
			head: t('desk.part.module'),
			cell: (row) => (row.module === 'MODULE_NONE' ? '' : valueName(row.module)),
			sortBy: (row) => valueName(row.module),
		},
		{
			id: 'revision',
			head: t('desk.catalogue.revision'),
			isNumber: true,
			cell: (row) => row.newest?.revision ?? t('desk.catalogue.none'),
			sortBy: (row) => row.newest?.revision ?? 0,
		},
		{
			id: 'since',
			head: t('desk.catalogue.since'),
			cell: (row) => (row.newest ? momentText(row.newest.published_ms) : ''),
			sortBy: (row) => Number(row.newest?.published_ms ?? 0),
		},
		{
			id: 'by',
			head: t('desk.catalogue.by'),
			cell: (row) => <span class="desk-user">{row.newest?.published_by}</span>,
		},
		{
			id: 'arrival',
			head: t('desk.catalogue.arrival'),
			cell: (row) => row.newest && <ArrivalChip arrival={row.newest.arrival} />,
			sortBy: (row) => row.newest?.arrival?.arrived ?? 0,
		},
		{
			id: 'draft',
			head: t('desk.catalogue.draft'),
			cell: (row) =>
				row.draft && (
					<Chip kind={row.draft.faults || row.draft.is_stale ? 'warning' : 'info'} icon="edit">
						{t('desk.catalogue.draft-of')} <span class="desk-user">{row.draft.authors.join(', ')}</span>
					</Chip>
				),
			sortBy: (row) => (row.draft ? 0 : 1),
		},
	];
	const shown = columns.filter(({ id }) => id !== 'module' || member === 'service');
	return <Table caption={t(texts.table, { n: rows.length })} columns={shown} rows={rows} keyOf={(row) => row.key} />;
}

/** Nobody reads it: the day, and what no other has. */
function madeUpName(): string {
	const random = crypto.getRandomValues(new Uint32Array(1))[0]!;
	return `n${new Date().toISOString().slice(0, 10)}-${random.toString(36)}`;
}

/** Its name in the system: it never changes, so it is asked first. */
function NewContent({ rows, onClose }: { rows: PublicationRow[]; onClose: () => void }) {
	const { page, texts } = useCollection();
	const [id, setId] = useState('');
	const [isTried, setTried] = useState(false);
	const isKnown = rows.some((row) => row.key === id);
	const isGood = /^[a-z0-9_-]{1,32}$/.test(id) && !isKnown;
	const go = () => {
		setTried(true);
		if (isGood) location.hash = hrefOf(page, id, { at: 'draft' });
	};
	return (
		<Dialog
			title={t(texts.new)}
			onClose={onClose}
			actions={
				<>
					<Button kind="primary" onPress={go}>
						{t('desk.catalogue.begin')}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<Field
				id="new-service"
				label={t('desk.catalogue.new-id')}
				hint={t('desk.catalogue.new-hint')}
				error={isTried && !isGood ? t(isKnown ? 'desk.catalogue.new-known' : 'desk.fault.id', { most: 32 }) : undefined}
			>
				{(wiring) => <Line wiring={wiring} value={id} maxLength={32} onType={setId} />}
			</Field>
		</Dialog>
	);
}
