// What is held up: what could not be applied, why, and what staff do about it. Headers only, nothing personal.
import { useState } from 'preact/hooks';
import { ApiError, post } from '../src/api';
import { t, textOr, words } from '../src/i18n';
import {
	Button,
	Chip,
	Empty,
	Failed,
	Loading,
	Notice,
	Tab,
	Table,
	toast,
	type Column,
	type IconName,
	type NoticeKind,
} from '../src/parts';
import { Said } from '../src/said';
import type { Disposition, QuarantineAct, QuarantineItem, QuarantineView } from '../src/types';
import { HELD_PATH, isHeldNews } from './held';
import { hrefOf, type Route } from './route';
import { ReasonDialog, type ReasonTexts } from './reason';
import { useLoaded } from './session';
import { PageHeading } from './shell';
import { Moment, useNow } from './time';

const REASON_CHARACTERS_MOST = 200; // 600 bytes, whatever the script

const MARKS: Partial<Record<Disposition, [IconName, NoticeKind]>> = {
	DISPOSITION_HELD: ['waiting', 'info'],
	DISPOSITION_FROZEN: ['frozen', 'danger'],
	DISPOSITION_REVOKED: ['locked', 'danger'],
	DISPOSITION_APPLIED: ['success', 'success'],
	DISPOSITION_DROPPED: ['close', 'info'],
};

type Doing = { item: QuarantineItem; act: QuarantineAct };

export function Quarantine({ route }: { route: Route }) {
	const isDone = route.part === 'done';
	const after = route.query.get('after') ?? '';
	const { data, fault, reload } = useLoaded<QuarantineView>(
		`${HELD_PATH}?view=${isDone ? 'done' : 'open'}&after=${encodeURIComponent(after)}`,
		isHeldNews,
	);
	const [doing, setDoing] = useState<Doing | null>(null);
	return (
		<>
			<PageHeading title={t('desk.held.title')}>
				<p class="desk-lead">{t('desk.held.lead')}</p>
			</PageHeading>
			<nav aria-label={t('desk.held.views')} class="desk-bar">
				<Tab href={hrefOf('quarantine')} isHere={!isDone}>
					{t('desk.held.open')}
				</Tab>
				<Tab href={hrefOf('quarantine', 'done')} isHere={isDone}>
					{t('desk.held.done')}
				</Tab>
			</nav>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && !isDone && (
				<p>{t('desk.held.count', { all: data.open, waiting: data.waiting })}</p>
			)}
			{data?.items.length === 0 && <Empty>{t(isDone ? 'desk.held.none-done' : 'desk.held.none')}</Empty>}
			{data && data.items.length > 0 && (isDone ? <Done items={data.items} /> : <Open items={data.items} onDo={setDoing} />)}
			{data?.next && (
				<p>
					<Tab href={hrefOf('quarantine', route.part, { after: data.next })}>{t('desk.held.more')}</Tab>
				</p>
			)}
			{doing && <Act key={doing.item.item} {...doing} reload={reload} onClose={() => setDoing(null)} />}
		</>
	);
}

function DispositionMark({ disposition }: { disposition: Disposition }) {
	const [icon, kind] = MARKS[disposition] ?? ['warning', 'warning'];
	return (
		<Chip icon={icon} kind={kind}>
			{textOr(`desk.held.is.${disposition}`, 'desk.held.is.other')}
		</Chip>
	);
}

function What({ item }: { item: QuarantineItem }) {
	const service = words(item.service_name) || item.service;
	return (
		<>
			{textOr(`desk.held.kind.${item.kind}`, 'desk.held.kind.other')}
			{service && <span class="desk-block">{service}</span>}
			<span class="desk-minor desk-block">
				<code>{item.item.slice(0, 18)}</code>
			</span>
		</>
	);
}

function fromColumn(): Column<QuarantineItem> {
	return {
		id: 'from',
		head: t('desk.held.col.from'),
		cell: (item) => (
			<>
				{words(item.origin_name) || t('desk.held.unknown-device')}
				<span class="desk-minor desk-block">{item.origin_place || item.origin}</span>
			</>
		),
	};
}

function Open({ items, onDo }: { items: QuarantineItem[]; onDo: (doing: Doing) => void }) {
	const now_ms = useNow();
	const columns: Column<QuarantineItem>[] = [
		{ id: 'what', head: t('desk.held.col.what'), isHead: true, cell: (item) => <What item={item} /> },
		{ id: 'is', head: t('desk.held.col.is'), cell: (item) => <DispositionMark disposition={item.disposition} /> },
		fromColumn(),
		{
			id: 'since',
			head: t('desk.col.since'),
			cell: (item) => (
				<>
					<Moment time_ms={item.since_ms} now_ms={now_ms} />
					{item.tried_ms !== '0' && (
						<span class="desk-minor desk-block">
							{t('desk.held.tried')} <Moment time_ms={item.tried_ms} now_ms={now_ms} />
						</span>
					)}
				</>
			),
		},
		{ id: 'waiting', head: t('desk.held.col.waiting'), isNumber: true, cell: (item) => item.waiting },
		{ id: 'why', head: t('desk.col.why'), cell: (item) => <Said text={item.reason} /> },
		{ id: 'do', head: t('desk.held.col.do'), cell: (item) => <Doings item={item} onDo={onDo} /> },
	];
	return <Table caption={t('desk.held.open')} columns={columns} rows={items} keyOf={(item) => item.item} />;
}

function Doings({ item, onDo }: { item: QuarantineItem; onDo: (doing: Doing) => void }) {
	if (!item.can_retry && !item.can_drop) return <span class="desk-minor">{t('desk.held.neither')}</span>;
	const name = (verb: string) => t('desk.held.do-with', { verb, item: item.item.slice(0, 18) });
	return (
		<span class="desk-doings">
			{item.can_retry && (
				<Button label={name(t('desk.held.retry'))} onPress={() => onDo({ item, act: 'QUARANTINE_ACT_RETRY' })}>
					{t('desk.held.retry')}
				</Button>
			)}
			{item.can_drop && (
				<Button label={name(t('desk.held.drop'))} onPress={() => onDo({ item, act: 'QUARANTINE_ACT_DROP' })}>
					{t('desk.held.drop')}
				</Button>
			)}
		</span>
	);
}

function Done({ items }: { items: QuarantineItem[] }) {
	const now_ms = useNow();
	const columns: Column<QuarantineItem>[] = [
		{ id: 'what', head: t('desk.held.col.what'), isHead: true, cell: (item) => <What item={item} /> },
		{ id: 'act', head: t('desk.held.col.act'), cell: (item) => textOr(`desk.held.act.${item.act}`, 'desk.none') },
		{ id: 'by', head: t('desk.held.col.by'), cell: (item) => <code>{item.by}</code> },
		{ id: 'when', head: t('desk.held.col.when'), cell: (item) => <Moment time_ms={item.act_ms} now_ms={now_ms} /> },
		{ id: 'reason', head: t('desk.held.col.reason'), cell: (item) => item.act_reason && <span class="desk-said">{item.act_reason}</span> },
		{ id: 'is', head: t('desk.held.col.now'), cell: (item) => <DispositionMark disposition={item.disposition} /> },
		fromColumn(),
	];
	return <Table caption={t('desk.held.done')} columns={columns} rows={items} keyOf={(item) => `${item.item} ${item.act_ms}`} />;
}

interface ActProps extends Doing {
	reload: () => Promise<void>;
	onClose: () => void;
}

// One item is retried or dropped. A retry that fails again is no error: the dialog says why it stays.
function Act({ item, act, reload, onClose }: ActProps) {
	const isDrop = act === 'QUARANTINE_ACT_DROP';
	const [again, setAgain] = useState<QuarantineItem | null>(null);
	const verb = t(isDrop ? 'desk.held.drop' : 'desk.held.retry');
	const send = async (reason: string) => {
		try {
			const now = await post<QuarantineItem>(HELD_PATH, { item: item.item, act, reason });
			if (now.can_retry) {
				setAgain(now);
			} else {
				onClose();
				toast(t(isDrop ? 'desk.held.dropped' : 'desk.held.applied'));
			}
		} finally {
			void reload();
		}
	};
	const refused = (error: unknown) =>
		error instanceof ApiError && error.code === 'closed' ? t('desk.held.settled') : undefined;
	const reason: ReasonTexts = {
		label: t('desk.held.reason'),
		hint: t('desk.held.reason-hint'),
		missing: t('desk.held.reason-missing'),
		most: REASON_CHARACTERS_MOST,
	};
	return (
		<ReasonDialog
			id="held-reason"
			title={verb}
			verb={again ? t('desk.held.once-more') : verb}
			isDanger={isDrop}
			reason={isDrop ? reason : undefined}
			onSend={send}
			refused={refused}
			closeText={again ? t('desk.close') : undefined}
			onClose={onClose}
			said={
				again && (
					<Notice kind="warning" title={t('desk.held.failed-again')}>
						<Said text={again.reason} />
					</Notice>
				)
			}
		>
			<p class="desk-subject">
				{[textOr(`desk.held.kind.${item.kind}`, 'desk.held.kind.other'), words(item.service_name), words(item.origin_name)]
					.filter(Boolean)
					.join(' · ')}
			</p>
			<p>{t(isDrop ? 'desk.held.drop-means' : 'desk.held.retry-means')}</p>
			{isDrop && item.waiting !== '0' && (
				<Notice kind="warning">{t('desk.held.drop-waiting', { n: item.waiting })}</Notice>
			)}
		</ReasonDialog>
	);
}
