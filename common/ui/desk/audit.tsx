// Who did what: every act of staff, as the journal has it, the newest first.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../src/api';
import { t, textOr } from '../src/i18n';
import { Empty, Failed, Loading, Tab, Table, type Column } from '../src/parts';
import type { AuditRow, AuditView } from '../src/types';
import { hrefOf, type Route } from './route';
import { useDesk } from './session';
import { PageHeading } from './shell';
import { momentText } from './time';

const LIMIT = 50;

/** One page. The daemon looks for a moment at a time: until there is something, or the beginning, it is asked again. */
function usePage(before: string) {
	const desk = useDesk();
	const [view, setView] = useState<AuditView | null>(null);
	const [fault, setFault] = useState('');
	const [turn, setTurn] = useState(0);
	useEffect(() => {
		let isWanted = !desk.isExpired;
		const read = async () => {
			let from = before;
			let page: AuditView;
			do {
				page = await get<AuditView>(`/api/v1/audit?limit=${LIMIT}${from ? `&before=${from}` : ''}`);
				from = page.next;
			} while (isWanted && page.rows.length === 0 && from !== '0');
			if (isWanted) setView(page);
		};
		setFault('');
		if (isWanted) read().catch((error: unknown) => isWanted && setFault(desk.failed(error)));
		return () => {
			isWanted = false;
		};
	}, [before, turn, desk.isExpired]);
	return { view, fault, reload: () => setTurn((n) => n + 1) };
}

export function Audit({ route }: { route: Route }) {
	const before = route.query.get('before') ?? '';
	const { view, fault, reload } = usePage(/^\d+$/.test(before) ? before : '');
	const columns: Column<AuditRow>[] = [
		{ id: 'when', head: t('desk.audit.col.when'), isHead: true, cell: (row) => momentText(row.time_ms) },
		{ id: 'what', head: t('desk.audit.col.what'), cell: (row) => textOr(`desk.audit.what.${row.what}`, 'desk.audit.what.other') },
		{
			id: 'by',
			head: t('desk.audit.col.by'),
			cell: (row) => (
				<>
					{row.by ? <code>{row.by}</code> : <span class="desk-minor">{t('desk.none')}</span>}
					{row.second && (
						<span class="desk-block">
							{t('desk.audit.with')} <code>{row.second}</code>
						</span>
					)}
				</>
			),
		},
		{ id: 'about', head: t('desk.audit.col.about'), cell: (row) => <code>{row.about.slice(0, 40)}</code> },
		{ id: 'why', head: t('desk.audit.col.reason'), cell: (row) => <span class="desk-said">{row.reason || t('desk.none')}</span> },
	];
	return (
		<>
			<PageHeading title={t('desk.audit.title')}>
				<p class="desk-lead">{t('desk.audit.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={reload} />}
			{!view && !fault && <Loading />}
			{view?.rows.length === 0 && <Empty>{t('desk.audit.none')}</Empty>}
			{view && view.rows.length > 0 && (
				<Table caption={t('desk.audit.title')} isCaptionHidden columns={columns} rows={view.rows} keyOf={(row) => row.position} />
			)}
			<p class="desk-bar">
				{before && <Tab href={hrefOf('audit')}>{t('desk.audit.newest')}</Tab>}
				{view && view.next !== '0' && <Tab href={hrefOf('audit', '', { before: view.next })}>{t('desk.audit.older')}</Tab>}
			</p>
		</>
	);
}
