// What a receipt code shows: how far the request has come, what was decided and why, and what can be done about it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { shownText } from 'ui/form';
import { t, timeText, words, type TextKey } from 'ui/i18n';
import { Button, Dialog, Notice, type NoticeKind } from 'ui/parts';
import type { Outcome, ReceiptView, StatusView, TerminalState } from 'ui/types';
import type { Found } from '../app';
import { BackAndHome, Failure, useTask } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { ownTimeText } from 'kiosk/notices';
import { Marks } from '../marks';
import { Rate, RatingGiven, type Rated } from '../rating';

export interface RecordsProps extends ScreenProps {
	found: Found;
	onFind: (code: string) => Promise<void>;
	onAsked: (receipt: ReceiptView) => void;
	onObject: (receipt: ReceiptView) => void;
	onWithdraw: (receipt: ReceiptView, isUnwanted: boolean) => Promise<void>;
	onRate: (receipt: ReceiptView, rating: Rated) => Promise<void>;
}

export function Records({ found, onFind, onAsked, onObject, onRate, onWithdraw, ...common }: RecordsProps): JSX.Element {
	const task = useTask();
	const [leaving, setLeaving] = useState<ReceiptView | null>(null);
	const { receipts, see_staff, replaced_ms } = found.view;
	return (
		<Frame
			{...common}
			name="records"
			sign="kiosk.records.title"
			onBack={common.onHome}
			onNext={() => void task.run(() => onFind(found.code))}
			actions={
				<BackAndHome onHome={common.onHome}>
					{receipts.length > 0 && (
						<Button kind="primary" icon="refresh" isBusy={task.isRunning}>
							{t('kiosk.records.refresh')}
						</Button>
					)}
				</BackAndHome>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{t('kiosk.records.title')}</h1>
				<Failure code={task.failure} />
				{found.hasNews && (
					<Notice kind="info" title={t('kiosk.status.other')}>
						<p>{t('kiosk.records.news')}</p>
					</Notice>
				)}
				{replaced_ms !== '0' && (
					<Notice kind="warning" title={t('kiosk.records.replaced')}>
						<p>{t('kiosk.records.replaced-text', { time: timeText(replaced_ms) })}</p>
					</Notice>
				)}
				{see_staff && (
					<Notice kind="warning" title={t('kiosk.records.see-staff')}>
						<p>{t('kiosk.records.see-staff-text')}</p>
					</Notice>
				)}
			</div>
			{receipts.map((receipt) => (
				<Record
					key={receipt.request_id}
					state={common.state}
					receipt={receipt}
					onAsked={() => onAsked(receipt)}
					onObject={() => onObject(receipt)}
					isBusy={task.isRunning}
					onRate={(rating) => void task.run(() => onRate(receipt, rating))}
					onLeave={() => setLeaving(receipt)}
				/>
			))}
			{leaving && (
				<Withdraw
					isBusy={task.isRunning}
					onStay={() => setLeaving(null)}
					onWithdraw={(isUnwanted) => {
						setLeaving(null);
						void task.run(() => onWithdraw(leaving, isUnwanted));
					}}
				/>
			)}
		</Frame>
	);
}

function Record({
	state,
	receipt,
	onAsked,
	onObject,
	isBusy,
	onRate,
	onLeave,
}: {
	state: TerminalState | null;
	receipt: ReceiptView;
	onAsked: () => void;
	onObject: () => void;
	isBusy: boolean;
	onRate: (rating: Rated) => void;
	onLeave: () => void;
}): JSX.Element {
	const newestFirst = receipt.statuses.filter(({ action }) => action !== 'CASE_ACTION_RATE').reverse();
	const acted = receipt.statuses.find(({ carer }) => carer);
	const canObject = receipt.object_until_ms !== '0'; // whether it is in time is decided by whoever decided
	return (
		<article class="record">
			<h2>{words(receipt.service_name)}</h2>
			<p>{t('kiosk.records.made', { time: ownTimeText(state, receipt.created_ms) })}</p>
			{acted && <p class="said">{t('kiosk.receipt.both', { name: acted.name, by_name: acted.carer })}</p>}
			{receipt.is_from_town && <p>{t('kiosk.records.from-town')}</p>}
			{receipt.erased_ms !== '0' && (
				<Notice kind="info" title={t('kiosk.records.erased', { time: timeText(receipt.erased_ms) })}>
					<p>{t('kiosk.records.erased-text')}</p>
				</Notice>
			)}
			{receipt.marks && !receipt.is_from_town && <Marks marks={receipt.marks} />}
			<RatingGiven receipt={receipt} />
			{receipt.has_pending_ask && <Notice kind="info" title={t('kiosk.records.pending')} />}
			{newestFirst.length === 0 && receipt.erased_ms === '0' && <Notice kind="info" title={t('kiosk.records.none')} />}
			{canObject && <p>{t('kiosk.records.object-until', { time: ownTimeText(state, String(Number(receipt.object_until_ms) - 60_000)) })}</p>}
			{newestFirst.map((status) => (
				<Status key={status.version} status={status} />
			))}
			<Rate {...{ receipt, isBusy, onRate }} />
			<div class="actions">
				{receipt.can_answer && (
					<Button kind="primary" icon="edit" onPress={onAsked}>
						{t('kiosk.records.answer')}
					</Button>
				)}
				{canObject && (
					<Button icon="edit" onPress={onObject}>
						{t('kiosk.records.object')}
					</Button>
				)}
				{receipt.can_withdraw && (
					<Button kind="danger" icon="close" onPress={onLeave}>
						{t('kiosk.records.withdraw')}
					</Button>
				)}
			</div>
		</article>
	);
}

const OUTCOMES: Record<Outcome, { key: TextKey; kind: NoticeKind }> = {
	OUTCOME_NONE: { key: 'kiosk.status.decided', kind: 'info' },
	OUTCOME_GRANTED: { key: 'kiosk.status.granted', kind: 'success' },
	OUTCOME_PARTLY_GRANTED: { key: 'kiosk.status.partly-granted', kind: 'success' },
	OUTCOME_REFUSED: { key: 'kiosk.status.refused', kind: 'danger' },
};

function titleOf({ action, outcome, owner }: StatusView): { key: TextKey; kind: NoticeKind } {
	switch (action) {
		case 'CASE_ACTION_ACCEPT':
			return { key: 'kiosk.status.accepted', kind: 'info' };
		case 'CASE_ACTION_ASK':
			return { key: 'kiosk.status.asked', kind: 'warning' };
		case 'CASE_ACTION_DECIDE':
			return OUTCOMES[outcome];
		case 'CASE_ACTION_WITHDRAWN':
			return { key: 'kiosk.status.withdrawn', kind: 'info' };
		case 'CASE_ACTION_DUPLICATE':
			return { key: 'kiosk.status.duplicate', kind: 'info' };
		case 'CASE_ACTION_HAND_OVER':
			return {
				key: owner === 'TIER_TOWN' ? 'kiosk.status.with-town' : 'kiosk.status.with-district',
				kind: 'info',
			};
		case 'CASE_ACTION_REFER':
			return { key: 'kiosk.status.referred', kind: 'info' };
		case 'CASE_ACTION_ANSWER_TAKEN':
			return { key: 'kiosk.status.answer-taken', kind: 'info' };
		case 'CASE_ACTION_TOO_LATE':
			return { key: 'kiosk.status.too-late', kind: 'warning' };
		case 'CASE_ACTION_STEP':
			return { key: 'kiosk.status.step', kind: 'info' };
		case 'CASE_ACTION_OBJECT':
			return { key: 'kiosk.status.objected', kind: 'info' };
		case 'CASE_ACTION_REOPEN':
			return { key: 'kiosk.status.reopened', kind: 'info' };
		default:
			return { key: 'kiosk.status.other', kind: 'info' };
	}
}

function Status({ status }: { status: StatusView }): JSX.Element {
	const { key, kind } = titleOf(status);
	return (
		<Notice kind={kind} title={t(key)}>
			{status.town_name && <p>{t('kiosk.status.referred-to', { town: words(status.town_name) })}</p>}
			<p>
				{t('kiosk.status.by', { office: words(status.office_name) || status.office, time: timeText(status.time_ms) })}
			</p>
			{status.objected !== 'OBJECTED_NONE' && (
				<p>{t(status.objected === 'OBJECTED_CHANGED' ? 'kiosk.status.changed' : 'kiosk.status.upheld')}</p>
			)}
			{status.fields.map((field) => (
				<p key={field.id} class="said">
					{words(field.label)} {shownText(field)}
				</p>
			))}
			{status.text && <p class="said">{status.text}</p>}
			{status.ground && <p class="said">{t('kiosk.status.ground', { text: status.ground })}</p>}
			{status.remedy && <p class="said">{t('kiosk.status.remedy', { text: status.remedy })}</p>}
		</Notice>
	);
}

function Withdraw({
	isBusy,
	onStay,
	onWithdraw,
}: {
	isBusy: boolean;
	onStay: () => void;
	onWithdraw: (isUnwanted: boolean) => void;
}): JSX.Element {
	return (
		<Dialog
			title={t('kiosk.withdraw.title')}
			onClose={onStay}
			actions={
				<>
					<Button kind="primary" onPress={onStay}>
						{t('kiosk.withdraw.stay')}
					</Button>
					<Button kind="danger" isBusy={isBusy} onPress={() => onWithdraw(false)}>
						{t('kiosk.withdraw.withdraw')}
					</Button>
					<Button kind="danger" isBusy={isBusy} onPress={() => onWithdraw(true)}>
						{t('kiosk.withdraw.unwanted')}
					</Button>
				</>
			}
		>
			<p>{t('kiosk.withdraw.text')}</p>
			<p>{t('kiosk.withdraw.unwanted-text')}</p>
		</Dialog>
	);
}
