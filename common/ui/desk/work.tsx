// Who has how much and until when, who is away and who stands in, and what the next shift must know.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { dateText, t } from '../src/i18n';
import { announce, Button, Chip, Empty, Failed, Field, Line, Loading, LongLine, Notice, Tab, Table, type Column } from '../src/parts';
import type { DeskCommand, NoteRecord, WorkRow, WorkView } from '../src/types';
import { StaffSelect } from './bulk';
import { useWork } from './filter';
import { keepText, keptText } from './model';
import { hrefOf } from './route';
import { useDesk } from './session';
import { PageHeading } from './shell';
import { Moment, useNow } from './time';
import { Wordings } from './wordings';

const NOTE_MOST = 1000;
const NOTE = 'shift-note';

type Write = (command: DeskCommand) => Promise<boolean>;

export function Work() {
	const desk = useDesk();
	const { data, fault, reload } = useWork();
	const [refusal, setRefusal] = useState('');
	const write: Write = async (command) => {
		setRefusal('');
		try {
			await post<WorkView>('/api/v1/work', command);
			await reload();
			announce(t('desk.work.saved'));
			return true;
		} catch (error) {
			setRefusal(desk.failed(error));
			return false;
		}
	};
	return (
		<>
			<PageHeading title={t('desk.work.title')} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			{data && <Load rows={data.rows} />}
			{data && <Away work={data} write={write} />}
			{data && <Notes work={data} write={write} />}
			{data && <Wordings work={data} write={write} />}
		</>
	);
}

function Load({ rows }: { rows: WorkRow[] }) {
	const listed = (row: WorkRow, left = '') => hrefOf('cases', 'open', { staff: row.staff || '-', left });
	const columns: Column<WorkRow>[] = [
		{
			id: 'staff',
			head: t('desk.work.staff'),
			isHead: true,
			cell: (row) => <Tab href={listed(row)}>{row.staff || t('desk.filter.nobody')}</Tab>,
		},
		{ id: 'open', head: t('desk.work.open'), isNumber: true, cell: (row) => row.open, sortBy: (row) => Number(row.open) },
		{
			id: 'overdue',
			head: t('desk.work.overdue'),
			isNumber: true,
			cell: (row) =>
				row.overdue === '0' ? '0' : <Tab href={listed(row, 'CASE_LEFT_OVERDUE')}>{row.overdue}</Tab>,
			sortBy: (row) => Number(row.overdue),
		},
		{ id: 'day', head: t('desk.work.day'), isNumber: true, cell: (row) => row.day, sortBy: (row) => Number(row.day) },
		{ id: 'asked', head: t('desk.work.asked'), isNumber: true, cell: (row) => row.asked },
		{ id: 'away', head: t('desk.work.away'), cell: (row) => row.leave && <LeaveMark row={row} /> },
	];
	return (
		<section>
			<h2>{t('desk.work.load')}</h2>
			<Table caption={t('desk.work.load')} isCaptionHidden columns={columns} rows={rows} keyOf={(row) => row.staff} />
		</section>
	);
}

function LeaveMark({ row }: { row: WorkRow }) {
	const { from = '', until = '', deputy = '' } = row.leave ?? {};
	return (
		<span class="desk-moment">
			{row.is_away && (
				<Chip icon="person" kind="warning">
					{t('desk.work.is-away')}
				</Chip>
			)}
			<span class="desk-minor">
				{t('desk.work.from-until', { from: dateText(from), until: dateText(until), deputy })}
			</span>
		</span>
	);
}

function Away({ work, write }: { work: WorkView; write: Write }) {
	const [staff, setStaff] = useState(work.user);
	const [from, setFrom] = useState('');
	const [until, setUntil] = useState('');
	const [deputy, setDeputy] = useState('');
	const others = { ...work, rows: work.rows.filter((row) => row.staff !== staff) };
	const chosen = deputy || (others.rows.find((row) => row.staff !== '')?.staff ?? '');
	const mine = work.rows.find((row) => row.staff === staff);
	return (
		<section>
			<h2>{t('desk.work.leave')}</h2>
			<p>{t('desk.work.leave-lead')}</p>
			<div class="desk-filter-parts">
				{work.may_lead && (
					<StaffSelect id="leave-staff" label={t('desk.work.who')} work={work} value={staff} onChoose={setStaff} />
				)}
				<Field id="leave-from" label={t('desk.work.first-day')} hint={t('desk.work.day-hint')}>
					{(wiring) => <Line wiring={wiring} inputMode="numeric" maxLength={10} value={from} onType={setFrom} />}
				</Field>
				<Field id="leave-until" label={t('desk.work.last-day')} hint={t('desk.work.day-hint')}>
					{(wiring) => <Line wiring={wiring} inputMode="numeric" maxLength={10} value={until} onType={setUntil} />}
				</Field>
				<StaffSelect id="leave-deputy" label={t('desk.work.deputy')} work={others} value={chosen} onChoose={setDeputy} />
			</div>
			<div class="actions">
				<Button
					onPress={() => void write({ act: 'DESK_ACT_SET_LEAVE', leave: { staff, from: from.trim(), until: until.trim(), deputy: chosen } })}
				>
					{t('desk.work.set-leave')}
				</Button>
				{mine?.leave && (
					<Button onPress={() => void write({ act: 'DESK_ACT_END_LEAVE', leave: { staff } })}>{t('desk.work.end-leave')}</Button>
				)}
			</div>
		</section>
	);
}

function Notes({ work, write }: { work: WorkView; write: Write }) {
	const [text, setText] = useState(() => keptText(NOTE));
	const [isMissing, setIsMissing] = useState(false);
	const now_ms = useNow();
	const type = (typed: string) => {
		setText(typed);
		keepText(NOTE, typed);
	};
	const send = async () => {
		setIsMissing(!text.trim());
		if (text.trim() && (await write({ act: 'DESK_ACT_WRITE_NOTE', text: text.trim() }))) type('');
	};
	return (
		<section>
			<h2>{t('desk.work.notes')}</h2>
			<Field
				id={NOTE}
				label={t('desk.work.note')}
				hint={t('desk.work.note-hint')}
				error={isMissing && !text.trim() ? t('desk.work.note-missing') : undefined}
			>
				{(wiring) => <LongLine wiring={wiring} rows={3} maxLength={NOTE_MOST} value={text} onType={type} />}
			</Field>
			<div class="actions">
				<Button onPress={() => void send()}>{t('desk.work.write')}</Button>
			</div>
			{work.notes.length === 0 && <Empty>{t('desk.work.no-notes')}</Empty>}
			<ul class="desk-notes">
				{work.notes.map((note) => (
					<li key={note.note}>
						<Note {...{ note, work, now_ms, write }} />
					</li>
				))}
			</ul>
		</section>
	);
}

function Note({ note, work, now_ms, write }: { note: NoteRecord; work: WorkView; now_ms: number; write: Write }) {
	const isRead = note.by === work.user || note.ticks.some(({ by }) => by === work.user);
	return (
		<div class="desk-block">
			<p class="desk-said">{note.text}</p>
			<p class="desk-minor">
				<span class="desk-user">{note.by}</span> · <Moment time_ms={note.time_ms} now_ms={now_ms} />
			</p>
			{note.ticks.length > 0 && (
				<p class="desk-minor">{t('desk.work.read-by', { names: note.ticks.map(({ by }) => by).join(t('desk.list-comma')) })}</p>
			)}
			{!isRead && (
				<Button onPress={() => void write({ act: 'DESK_ACT_TICK_NOTE', note: note.note })}>{t('desk.work.tick')}</Button>
			)}
		</div>
	);
}
