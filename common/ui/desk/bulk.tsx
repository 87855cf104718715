// Many cases at once: what will happen is shown before, who is refused is named, and what can be undone is.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { announce, Button, Dialog, Field, Line, LongLine, Notice, Select } from '../src/parts';
import { saidText } from '../src/said';
import type { BulkAct, BulkCommand, BulkItem, BulkResult, BulkView, CaseRow, WorkView } from '../src/types';
import { requestIdFrom, TEXT_CHARACTERS_MOST } from './model';
import { useDesk } from './session';

export const BULK_MOST = 100; // of one command, as the daemon takes them

const ACTS: BulkAct[] = ['BULK_ACT_ASSIGN', 'BULK_ACT_ACCEPT', 'BULK_ACT_ASK', 'BULK_ACT_DUPLICATE'];

export const itemsOf = (rows: CaseRow[]): BulkItem[] => rows.map(({ request_id, version }) => ({ request_id, version }));

export function bulk(command: BulkCommand): Promise<BulkView> {
	return post<BulkView>('/api/v1/cases/bulk', command);
}

/** What takes an assignment back: each case to whom it had before. */
export function undoOf(view: BulkView): BulkCommand | null {
	const items = view.results
		.filter(({ is_done }) => is_done)
		.map(({ request_id, version, staff_before }) => ({ request_id, version, staff: staff_before }));
	return items.length > 0 ? { act: 'BULK_ACT_ASSIGN', items, is_undo: true } : null;
}

interface BulkProps {
	rows: CaseRow[];
	work: WorkView | null;
	onDone: (undo: BulkCommand | null, count: number) => void;
	onClose: () => void;
}

export function Bulk({ rows, work, onDone, onClose }: BulkProps) {
	const desk = useDesk();
	const [act, setAct] = useState<BulkAct>('BULK_ACT_ASSIGN');
	const [staff, setStaff] = useState(desk.session.user);
	const [text, setText] = useState('');
	const [original, setOriginal] = useState('');
	const [preview, setPreview] = useState<BulkView | null>(null);
	const [refusal, setRefusal] = useState('');
	const [isBusy, setIsBusy] = useState(false);
	const command: BulkCommand = {
		act,
		items: itemsOf(rows),
		...(act === 'BULK_ACT_ASSIGN' && { staff }),
		...(act === 'BULK_ACT_ASK' && { text: text.trim() }),
		...(act === 'BULK_ACT_DUPLICATE' && { duplicate_of: requestIdFrom(original) }),
	};
	const run = async (isPreview: boolean) => {
		setIsBusy(true);
		setRefusal('');
		try {
			const view = await bulk({ ...command, is_preview: isPreview });
			if (isPreview) setPreview(view);
			else {
				onDone(act === 'BULK_ACT_ASSIGN' ? undoOf(view) : null, view.done);
				onClose();
			}
		} catch (error) {
			setRefusal(desk.failed(error));
		}
		setIsBusy(false);
	};
	useEffect(() => {
		if (preview) document.querySelector<HTMLElement>('dialog .desk-preview h3')?.focus();
	}, [preview]);
	return (
		<Dialog
			title={t('desk.bulk.title', { n: rows.length })}
			onClose={onClose}
			actions={
				<>
					{!preview && (
						<Button kind="primary" isBusy={isBusy} onPress={() => void run(true)}>
							{t('desk.bulk.preview')}
						</Button>
					)}
					{preview && preview.done > 0 && (
						<Button kind="primary" isBusy={isBusy} onPress={() => void run(false)}>
							{t('desk.bulk.do', { what: t(`desk.bulk.${act}`), n: preview.done })}
						</Button>
					)}
					{preview && <Button onPress={() => setPreview(null)}>{t('desk.review.edit')}</Button>}
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			{preview ? (
				<Preview view={preview} rows={rows} act={act} />
			) : (
				<div class="desk-form">
					<Field id="bulk-act" label={t('desk.bulk.act')}>
						{(wiring) => (
							<Select
								wiring={wiring}
								value={act}
								options={ACTS.map((id) => ({ id, name: t(`desk.bulk.${id}`) }))}
								onChoose={(id) => setAct(id as BulkAct)}
							/>
						)}
					</Field>
					{act === 'BULK_ACT_ASSIGN' && <StaffSelect id="bulk-staff" work={work} value={staff} onChoose={setStaff} hasNobody />}
					{act === 'BULK_ACT_ASK' && (
						<Field id="bulk-text" label={t('desk.bulk.text')} isRequired>
							{(wiring) => (
								<LongLine wiring={wiring} rows={3} maxLength={TEXT_CHARACTERS_MOST} value={text} onType={setText} />
							)}
						</Field>
					)}
					{act === 'BULK_ACT_DUPLICATE' && (
						<Field id="bulk-original" label={t('desk.bulk.original')} isRequired>
							{(wiring) => <Line wiring={wiring} maxLength={64} value={original} onType={setOriginal} />}
						</Field>
					)}
				</div>
			)}
		</Dialog>
	);
}

interface StaffSelectProps {
	id: string;
	work: WorkView | null;
	value: string;
	hasNobody?: boolean;
	label?: string;
	onChoose: (staff: string) => void;
}

export function StaffSelect({ id, work, value, hasNobody, label = t('desk.bulk.staff'), onChoose }: StaffSelectProps) {
	const staff = (work?.rows ?? []).filter((row) => row.staff !== '');
	return (
		<Field id={id} label={label}>
			{(wiring) => (
				<Select
					wiring={wiring}
					value={value}
					options={[
						...(hasNobody ? [{ id: '', name: t('desk.filter.nobody') }] : []),
						...staff.map((row) => ({
							id: row.staff,
							name: t(row.is_away ? 'desk.bulk.staff-away' : 'desk.bulk.staff-open', { name: row.staff, n: row.open }),
						})),
					]}
					onChoose={onChoose}
				/>
			)}
		</Field>
	);
}

function Preview({ view, rows, act }: { view: BulkView; rows: CaseRow[]; act: BulkAct }) {
	const refused = view.results.filter(({ is_done }) => !is_done);
	const of = ({ request_id }: BulkResult) => rows.find((row) => row.request_id === request_id);
	return (
		<section class="desk-preview">
			<h3 tabIndex={-1}>{t('desk.bulk.will', { what: t(`desk.bulk.${act}`), n: view.done })}</h3>
			<p>{t(act === 'BULK_ACT_ASSIGN' ? 'desk.bulk.can-undo' : 'desk.bulk.cannot-undo')}</p>
			{refused.length > 0 && (
				<>
					<h3>{t('desk.bulk.refused', { n: refused.length })}</h3>
					<ul>
						{refused.map((result) => (
							<li key={result.request_id} class="desk-said">
								{of(result)?.masked_name || t('desk.no-name')} · {words(of(result)?.service_name)}: {saidText(result.text) ?? result.text}
							</li>
						))}
					</ul>
				</>
			)}
		</section>
	);
}

/** What was done, for as long as it can be taken back. */
export function Done({ undo, count, onUndone }: { undo: BulkCommand; count: number; onUndone: () => void }) {
	const desk = useDesk();
	const [fault, setFault] = useState('');
	const takeBack = async () => {
		try {
			const view = await bulk(undo);
			announce(t('desk.bulk.undone', { n: view.done }));
			onUndone();
		} catch (error) {
			setFault(desk.failed(error));
		}
	};
	return (
		<div role="status" class="desk-bar desk-done">
			<Notice kind={fault ? 'danger' : 'success'}>{fault || t('desk.bulk.done', { n: count })}</Notice>
			<Button onPress={() => void takeBack()}>{t('desk.bulk.undo')}</Button>
		</div>
	);
}
