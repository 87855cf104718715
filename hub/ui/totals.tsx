// Totals a town and service. What has not arrived is said beside what has: "nobody asked" is not "out of reach".
import { t, words } from '../../common/ui/src/i18n';
import { Empty, Failed, Loading, OutOfDate, Tab, Table, type Column } from '../../common/ui/src/parts';
import type { RatingRow, TotalRow, TotalsView } from '../../common/ui/src/types';
import { Queue, TownFilter, type Town } from '../../common/ui/desk/queue';
import { hrefOf, type Route } from '../../common/ui/desk/route';
import { useDesk, useLoaded, type Loaded } from '../../common/ui/desk/session';
import { PageHeading } from '../../common/ui/desk/shell';
import { momentText } from '../../common/ui/desk/time';

const COUNTS = ['received', 'open', 'granted', 'partly_granted', 'refused', 'withdrawn', 'duplicate'] as const;
type Count = (typeof COUNTS)[number];
type Counts = Record<Count, bigint>;

function useTotals(): Loaded<TotalsView> {
	return useLoaded<TotalsView>('/api/v1/totals', (name, data) => name === 'totals' && (data as TotalsView));
}

function townsOf(view: TotalsView | null): Town[] {
	const towns = new Map<string, string>();
	for (const row of view?.totals ?? []) towns.set(row.town, words(row.town_name) || row.town);
	return [...towns].map(([place, name]) => ({ place, name }));
}

/** The common queue, with a choice of town: here the requests of all towns come together. */
export function DistrictQueue({ route }: { route: Route }) {
	return <Queue route={route} towns={townsOf(useTotals().data)} />;
}

// Counters are 64-bit: a double would round them, so they are added as BigInt.
function sumOf(rows: TotalRow[]): Counts {
	const sum = Object.fromEntries(COUNTS.map((count) => [count, 0n])) as Counts;
	for (const row of rows) for (const count of COUNTS) sum[count] += BigInt(row[count]);
	return sum;
}

export function Totals({ route }: { route: Route }) {
	const { data, fault, reload } = useTotals();
	const { lost_ms } = useDesk();
	const town = route.query.get('town') ?? '';
	const rows = (data?.totals ?? []).filter((row) => !town || row.town === town);
	return (
		<>
			<PageHeading title={t('desk.totals.title')} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && (
				<>
					<Sentences view={data} rows={rows} isStale={lost_ms > 0 || fault !== ''} />
					<div class="desk-bar">
						<TownFilter
							towns={townsOf(data)}
							town={town}
							onChoose={(next) => (location.hash = hrefOf('totals', '', { town: next }))}
						/>
						<Tab href={hrefOf('cases', 'all', { town })}>{t('desk.totals.see-cases')}</Tab>
						<Tab href={hrefOf('links', '', { town })}>{t('desk.totals.see-links')}</Tab>
					</div>
					{rows.length > 0 ? <TotalsTable rows={rows} /> : <Empty>{t('desk.totals.none')}</Empty>}
					{!town && data.ratings_by_town.length > 1 && <Ratings view={data} />}
				</>
			)}
		</>
	);
}

function Sentences({ view, rows, isStale }: { view: TotalsView; rows: TotalRow[]; isStale: boolean }) {
	const sum = sumOf(rows);
	const silent = view.sites_total - view.sites_heard;
	const sentences = (
		<div class="desk-lead">
			<p>
				{t('desk.totals.sentence', {
					received: countText(sum.received),
					open: countText(sum.open),
					decided: countText(sum.granted + sum.partly_granted + sum.refused),
				})}{' '}
				{t('desk.as-of', { time: momentText(view.time_ms) })}
			</p>
			<p>
				{t('desk.totals.sites', {
					total: view.sites_total,
					heard: view.sites_heard,
					connected: view.sites_connected,
				})}
			</p>
			{silent > 0 && <p>{t('desk.totals.missing', { n: silent })}</p>}
		</div>
	);
	return isStale ? <OutOfDate since_ms={view.time_ms}>{sentences}</OutOfDate> : sentences;
}

function countText(count: bigint | string): string {
	return BigInt(count).toLocaleString('en');
}

interface Line extends Record<Count, bigint | string> {
	key: string;
	town: string;
	service: string;
}

function TotalsTable({ rows }: { rows: TotalRow[] }) {
	const lines: Line[] = rows.map((row) => ({
		...row,
		key: `${row.town} ${row.service}`,
		town: words(row.town_name) || row.town,
		service: words(row.service_name) || row.service,
	}));
	const columns: Column<Line>[] = [
		{ id: 'town', head: t('desk.col.town'), isHead: true, cell: (line) => line.town },
		{ id: 'service', head: t('desk.col.service'), cell: (line) => line.service },
		...COUNTS.map(
			(count): Column<Line> => ({
				id: count,
				head: t(`desk.count.${count}`),
				isNumber: true,
				cell: (line) => countText(line[count]),
			}),
		),
	];
	return (
		<Table
			caption={t('desk.totals.table')}
			columns={columns}
			rows={lines}
			keyOf={(line) => line.key}
			last={{ ...sumOf(rows), key: '', town: t('desk.totals.sum'), service: t('desk.totals.every-service') }}
		/>
	);
}

const RATINGS = ['very_good', 'good', 'fair', 'bad', 'very_bad'] as const;
const RATING_NAMES = {
	very_good: 'desk.rating.RATING_VERY_GOOD',
	good: 'desk.rating.RATING_GOOD',
	fair: 'desk.rating.RATING_FAIR',
	bad: 'desk.rating.RATING_BAD',
	very_bad: 'desk.rating.RATING_VERY_BAD',
} as const;

/** What residents say of how it went. */
function Ratings({ view }: { view: TotalsView }) {
	return (
		<>
			<p>{t('desk.ratings.small')}</p>
			<RatingsTable caption={t('desk.ratings.by-town')} head={t('desk.col.town')} rows={view.ratings_by_town} />
			<RatingsTable caption={t('desk.ratings.by-service')} head={t('desk.col.service')} rows={view.ratings_by_service} />
		</>
	);
}

function RatingsTable({ caption, head, rows }: { caption: string; head: string; rows: RatingRow[] }) {
	const columns: Column<RatingRow>[] = [
		{ id: 'name', head, isHead: true, cell: (row) => (row.id ? words(row.name) || row.id : t('desk.totals.sum')) },
		{ id: 'rated', head: t('desk.ratings.rated'), isNumber: true, cell: (row) => row.rated },
		...RATINGS.map(
			(rating): Column<RatingRow> => ({
				id: rating,
				head: t(RATING_NAMES[rating]),
				isNumber: true,
				cell: (row) => row[rating],
			}),
		),
	];
	return <Table caption={caption} columns={columns} rows={rows.slice(0, -1)} keyOf={(row) => row.id} last={rows[rows.length - 1]!} />;
}
