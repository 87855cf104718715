// Reports to the city: what they say of a period that is over, sending one, and taking what was sent as a file.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../../common/ui/src/api';
import { bytesOf } from '../../common/ui/src/file';
import { language, t, words } from '../../common/ui/src/i18n';
import { Button, Empty, Failed, Loading, Notice, SampleMark, Tab, Table, toast, type Column } from '../../common/ui/src/parts';
import type {
	FileView,
	ReportDefinition,
	ReportFormat,
	ReportLine,
	ReportListRow,
	ReportPeriodRow,
	ReportSent,
	ReportsView,
	ReportView,
} from '../../common/ui/src/types';
import { ReasonDialog } from '../../common/ui/desk/reason';
import { hrefOf, type Route } from '../../common/ui/desk/route';
import { useDesk, useLoaded } from '../../common/ui/desk/session';
import { PageHeading } from '../../common/ui/desk/shell';
import { momentText } from '../../common/ui/desk/time';

const PATH = '/api/v1/reports';
const REASON_CHARACTERS_MOST = 200;

export function Reports({ route }: { route: Route }) {
	const period = route.query.get('period');
	return route.part && period ? <OneReport key={`${route.part} ${period}`} id={route.part} period={period} /> : <List />;
}

function sentText(sent: ReportSent): string {
	return t('desk.reports.sent-by', { n: sent.version, name: sent.by, time: momentText(sent.time_ms) });
}

function List() {
	const { data, fault, reload } = useLoaded<ReportsView>(PATH, () => false);
	return (
		<>
			<PageHeading title={t('desk.reports.title')}>
				<p class="desk-lead">{t('desk.reports.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data?.reports.map((row) => <Periods key={row.definition.id} report={row} />)}
		</>
	);
}

function Periods({ report: { definition, periods } }: { report: ReportListRow }) {
	const columns: Column<ReportPeriodRow>[] = [
		{
			id: 'period',
			head: t('desk.reports.period'),
			isHead: true,
			cell: ({ period }) => (
				<a class="desk-row-link" href={hrefOf('reports', definition.id, { period })}>
					{period}
				</a>
			),
		},
		{ id: 'sent', head: t('desk.reports.sent'), cell: ({ sent }) => (sent ? sentText(sent) : t('desk.reports.not-sent')) },
	];
	return (
		<section>
			<h2>{words(definition.name)}</h2>
			<Source definition={definition} />
			<Table caption={words(definition.name)} isCaptionHidden columns={columns} rows={periods} keyOf={({ period }) => period} />
		</section>
	);
}

function Source({ definition }: { definition: ReportDefinition }) {
	return <p class="desk-minor">{definition.is_sample ? <SampleMark isSample /> : t('desk.reports.source', { source: definition.source })}</p>;
}

function OneReport({ id, period }: { id: string; period: string }) {
	const { may } = useDesk().session;
	const path = `${PATH}/${id}/${period}`;
	const { data, fault, reload } = useLoaded<ReportView>(path, () => false);
	const [isSending, setSending] = useState(false);
	const canSend = may.includes('cases') && data !== null && (data.sent.length === 0 || data.is_changed);
	return (
		<>
			<PageHeading title={data ? `${words(data.definition.name)} ${period}` : t('desk.reports.title')}>
				<Tab href={hrefOf('reports')}>{t('desk.reports.all')}</Tab>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && (
				<>
					<Source definition={data.definition} />
					{data.is_changed && <Notice kind="warning">{t('desk.reports.changed')}</Notice>}
					{data.lines.length > 0 ? <Numbers view={data} /> : <Empty>{t('desk.reports.none')}</Empty>}
					{canSend && (
						<Button kind="primary" onPress={() => setSending(true)}>
							{t(data.is_changed ? 'desk.reports.correct' : 'desk.reports.send')}
						</Button>
					)}
					{isSending && <Send path={path} view={data} reload={reload} onClose={() => setSending(false)} />}
					<Sent path={path} view={data} />
				</>
			)}
		</>
	);
}

/** Counters are 64-bit: a double would round them. */
function sumOf(counts: string[]): string {
	return String(counts.reduce((sum, count) => sum + BigInt(count), 0n));
}

function Numbers({ view }: { view: ReportView }) {
	const columns: Column<ReportLine>[] = [
		{ id: 'row', head: t('desk.reports.row'), isHead: true, cell: ({ row }) => words(row.name) || row.key },
		...view.measures.map(
			({ measure, name }, at): Column<ReportLine> => ({
				id: measure,
				head: words(name),
				isNumber: true,
				cell: ({ row, before }) => (
					<>
						{row.counts[at]}
						{before.length > 0 && before[at] !== row.counts[at] && (
							<span class="desk-minor"> {t('desk.reports.before', { n: before[at] ?? '' })}</span>
						)}
					</>
				),
			}),
		),
	];
	const totals = (of: (line: ReportLine) => string[]) => view.measures.map((_, at) => sumOf(view.lines.map((line) => of(line)[at] ?? '0')));
	const total: ReportLine = {
		row: { key: t('desk.totals.sum'), name: { zh: '', en: '' }, counts: totals(({ row }) => row.counts) },
		before: view.lines[0]?.before.length ? totals(({ before }) => before) : [],
	};
	return <Table caption={t('desk.reports.table')} columns={columns} rows={view.lines} keyOf={({ row }) => row.key} last={total} />;
}

interface SendProps {
	path: string;
	view: ReportView;
	reload: () => Promise<void>;
	onClose: () => void;
}

function Send({ path, view, reload, onClose }: SendProps) {
	const send = async (reason: string) => {
		await post(path, { hash: view.hash, reason });
		onClose();
		toast(t('desk.reports.sent-now'));
		void reload();
	};
	return (
		<ReasonDialog
			id="report-reason"
			title={t(view.is_changed ? 'desk.reports.correct' : 'desk.reports.send')}
			verb={t('desk.reports.send')}
			reason={
				view.sent.length > 0
					? {
							label: t('desk.reports.reason'),
							hint: t('desk.reports.reason-hint'),
							missing: t('common.rule.required'),
							most: REASON_CHARACTERS_MOST,
						}
					: undefined
			}
			onSend={send}
			onClose={onClose}
		>
			<Notice kind="info">{t('desk.reports.stays')}</Notice>
		</ReasonDialog>
	);
}

const FORMATS: [ReportFormat, string, string][] = [
	['REPORT_FORMAT_CSV', 'csv', 'text/csv'],
	['REPORT_FORMAT_PDF', 'pdf', 'application/pdf'],
];

/** What was sent, and files of it: small numbers stand in none, and who takes one is kept. */
function Sent({ path, view }: { path: string; view: ReportView }) {
	const desk = useDesk();
	const [made, setMade] = useState<{ url: string; name: string; what: string } | null>(null);
	const [busy, setBusy] = useState('');
	const [fault, setFault] = useState('');
	useEffect(() => () => made?.url && URL.revokeObjectURL(made.url), [made]); // nothing of it stays behind
	const take = async (version: number, [format, ending, type]: (typeof FORMATS)[number]) => {
		setBusy(format + version);
		setFault('');
		try {
			const { content } = await post<FileView>(`${path}/file`, { version, format, language: language() });
			const url = URL.createObjectURL(new Blob([bytesOf(content) as BlobPart], { type }));
			setMade({ url, name: `${view.definition.id} ${view.period} ${version}.${ending}`, what: t(`desk.reports.as.${format}`) });
		} catch (error) {
			setFault(desk.failed(error));
		}
		setBusy('');
	};
	if (view.sent.length === 0) return <p>{t('desk.reports.not-sent')}</p>;
	return (
		<section>
			<h2>{t('desk.reports.sent')}</h2>
			<p class="desk-minor">{t('desk.reports.small')}</p>
			{view.sent.map((sent) => (
				<div key={sent.version}>
					<p>
						{sentText(sent)} {sent.reason && <span class="desk-said">{sent.reason}</span>}
					</p>
					{desk.session.may.includes('cases') && (
						<div class="actions">
							{FORMATS.map((format) => (
								<Button key={format[0]} isBusy={busy === format[0] + sent.version} onPress={() => void take(sent.version, format)}>
									{t('desk.reports.take', { format: t(`desk.reports.as.${format[0]}`), n: sent.version })}
								</Button>
							))}
						</div>
					)}
				</div>
			))}
			<div role="alert">{fault && <Notice kind="danger">{fault}</Notice>}</div>
			<div role="status">
				{made && (
					<a class="button plain" href={made.url} download={made.name}>
						{t('desk.reports.save', { what: made.what })}
					</a>
				)}
			</div>
		</section>
	);
}
