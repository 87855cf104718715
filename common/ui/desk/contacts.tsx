// Residents who are to be told or called back: until when, by which way, each try, and what came of it.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { dateText, t, words } from '../src/i18n';
import { Button, Chip, Choice, Dialog, Empty, Failed, Field, Line, Loading, LongLine, Notice, Select } from '../src/parts';
import { Said } from '../src/said';
import type { ContactOutcome, ContactsView, ContactView, ContactWay } from '../src/types';
import { keepText, keptText } from './model';
import { hrefOf } from './route';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';
import { Moment, momentText, useNow } from './time';

const WAYS: ContactWay[] = ['CONTACT_WAY_CALL', 'CONTACT_WAY_LETTER', 'CONTACT_WAY_VISIT', 'CONTACT_WAY_SMS'];
const OUTCOMES: ContactOutcome[] = [
	'CONTACT_OUTCOME_REACHED',
	'CONTACT_OUTCOME_NOT_REACHED',
	'CONTACT_OUTCOME_WRONG_ADDRESS',
	'CONTACT_OUTCOME_DROPPED',
];
const TEXT_MOST = 1000;
const DAY_MS = 86_400_000;

const isNews = (name: string) => name === 'cases';
const pathOf = (requestId: string) => `/api/v1/cases/${requestId}/contacts`;

/** 2026-11-24, of Shanghai's clock. */
function dayText(time_ms: number): string {
	return new Date(time_ms + 8 * 3_600_000).toISOString().slice(0, 10);
}

/** All that are to be made, the first day first. */
export function Contacts() {
	const { data, fault, reload } = useLoaded<ContactsView>('/api/v1/contacts', isNews);
	return (
		<>
			<PageHeading title={t('desk.contact.title')}>
				<p class="desk-lead">{t('desk.contact.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data?.contacts.length === 0 && <Empty>{t('desk.contact.none')}</Empty>}
			{data && <List contacts={data.contacts} hasCase reload={reload} />}
			{data?.is_more && <p class="desk-minor">{t('desk.contact.more')}</p>}
		</>
	);
}

/** Those of one case, also what is done, and a new one. */
export function CaseContacts({ requestId }: { requestId: string }) {
	const { data, fault, reload } = useLoaded<ContactsView>(pathOf(requestId), isNews);
	const [isAdding, setIsAdding] = useState(false);
	return (
		<section>
			<h2>{t('desk.contact.title')}</h2>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{data && data.contacts.length > 0 ? (
				<List contacts={data.contacts} reload={reload} />
			) : (
				<p>{t('desk.contact.none')}</p>
			)}
			<div class="actions">
				<Button onPress={() => setIsAdding(true)}>{t('desk.contact.add')}</Button>
			</div>
			{isAdding && <Add requestId={requestId} reload={reload} onClose={() => setIsAdding(false)} />}
		</section>
	);
}

interface ListProps {
	contacts: ContactView[];
	hasCase?: boolean;
	reload: () => Promise<void>;
}

function List({ contacts, hasCase, reload }: ListProps) {
	const [trying, setTrying] = useState<ContactView | null>(null);
	return (
		<>
			<ul class="desk-notes">
				{contacts.map((view, at) => (
					<li key={view.contact?.contact ?? at}>
						<One view={view} hasCase={hasCase ?? false} onTry={() => setTrying(view)} />
					</li>
				))}
			</ul>
			{trying?.contact && <Try view={trying} reload={reload} onClose={() => setTrying(null)} />}
		</>
	);
}

function One({ view, hasCase, onTry }: { view: ContactView; hasCase: boolean; onTry: () => void }) {
	const now_ms = useNow();
	const { contact, row } = view;
	const isLate = contact && !view.is_done && contact.day < dayText(now_ms);
	return (
		<div class="desk-block">
			{hasCase && row && (
				<a class="desk-row-link" href={hrefOf('case', row.request_id)}>
					{row.masked_name || t('desk.no-name')} · {words(row.service_name) || row.service}
				</a>
			)}
			{!contact && <p>{t('desk.contact.absent')}</p>}
			{contact && (
				<>
					<p>
						<Chip
							icon={isLate ? 'danger' : view.is_done ? 'success' : 'waiting'}
							kind={isLate ? 'danger' : view.is_done ? 'success' : 'info'}
						>
							{t(isLate ? 'desk.contact.late' : view.is_done ? 'desk.contact.done' : 'desk.contact.to-do')}
						</Chip>{' '}
						{t(`desk.contact.${contact.way}`)} · {dateText(contact.day)}
						{contact.from && ` · ${contact.from}–${contact.until}`}
						{contact.is_call_back && ` · ${t('desk.contact.call-back')}`}
					</p>
					<p class="desk-said">{contact.text}</p>
					{view.phone && <p class="desk-said">{t('desk.contact.phone', { phone: view.phone })}</p>}
					{contact.tries.length > 0 && (
						<ul>
							{contact.tries.map((one) => (
								<li key={one.time_ms}>
									{t(`desk.contact.${one.outcome}`)} · {one.by ? <span class="desk-user">{one.by}</span> : t('desk.contact.by-itself')} · {momentText(one.time_ms)}
									{one.note && (one.by ? <span class="desk-said"> · {one.note}</span> : <Said text={one.note} />)}
								</li>
							))}
						</ul>
					)}
					<p class="desk-minor">
						<span class="desk-user">{contact.by}</span> · <Moment time_ms={contact.created_ms} now_ms={now_ms} />
					</p>
					{!view.is_done && <Button onPress={onTry}>{t('desk.contact.try')}</Button>}
				</>
			)}
		</div>
	);
}

interface SendProps {
	title: string;
	verb: string;
	missing?: string; // why it cannot be sent yet
	body: () => object;
	requestId: string;
	reload: () => Promise<void>;
	onSent?: () => void;
	onClose: () => void;
	children: ComponentChildren;
}

function Send({ title, verb, missing, body, requestId, reload, onSent, onClose, children }: SendProps) {
	const desk = useDesk();
	const [refusal, setRefusal] = useState('');
	const [isBusy, setIsBusy] = useState(false);
	const send = async () => {
		setRefusal(missing ?? '');
		if (missing) return;
		setIsBusy(true);
		try {
			await post<ContactsView>(pathOf(requestId), body());
			onSent?.();
			await reload();
			return onClose();
		} catch (error) {
			setRefusal(desk.failed(error));
		}
		setIsBusy(false);
	};
	return (
		<Dialog
			title={title}
			onClose={onClose}
			actions={
				<>
					<Button kind="primary" isBusy={isBusy} onPress={() => void send()}>
						{verb}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<div class="desk-form">{children}</div>
		</Dialog>
	);
}

function Add({ requestId, reload, onClose }: { requestId: string; reload: () => Promise<void>; onClose: () => void }) {
	const [way, setWay] = useState<ContactWay>('CONTACT_WAY_CALL');
	const [text, setText] = useState(() => keptText(`contact ${requestId}`));
	const [day, setDay] = useState(dayText(Date.now() + DAY_MS));
	const [from, setFrom] = useState('');
	const [until, setUntil] = useState('');
	const [isCallBack, setIsCallBack] = useState(false);
	const type = (typed: string) => {
		setText(typed);
		keepText(`contact ${requestId}`, typed);
	};
	const line = (id: string, label: string, hint: string, value: string, onType: (typed: string) => void) => (
		<Field id={id} label={label} hint={hint}>
			{(wiring) => <Line wiring={wiring} inputMode="numeric" maxLength={10} value={value} onType={onType} />}
		</Field>
	);
	return (
		<Send
			title={t('desk.contact.add')}
			verb={t('desk.contact.save')}
			{...(!text.trim() && { missing: t('desk.contact.text-missing') })}
			body={() => ({
				act: 'CONTACT_ACT_ADD',
				contact: { way, text: text.trim(), day: day.trim(), from: from.trim(), until: until.trim(), is_call_back: isCallBack },
			})}
			onSent={() => type('')}
			{...{ requestId, reload, onClose }}
		>
			<Field id="contact-way" label={t('desk.contact.way')}>
				{(wiring) => (
					<Select
						wiring={wiring}
						value={way}
						options={WAYS.map((id) => ({ id, name: t(`desk.contact.${id}`) }))}
						onChoose={(id) => setWay(id as ContactWay)}
					/>
				)}
			</Field>
			<Field id="contact-text" label={t('desk.contact.text')} hint={way === 'CONTACT_WAY_SMS' ? t('desk.contact.sms-hint') : ''} isRequired>
				{(wiring) => <LongLine wiring={wiring} rows={3} maxLength={TEXT_MOST} value={text} onType={type} />}
			</Field>
			{line('contact-day', t('desk.contact.day'), t('desk.work.day-hint'), day, setDay)}
			{line('contact-from', t('desk.contact.from'), t('desk.contact.time-hint'), from, setFrom)}
			{line('contact-until', t('desk.contact.until'), t('desk.contact.time-hint'), until, setUntil)}
			<Choice
				type="checkbox"
				name="contact-call-back"
				option={{ id: 'yes', name: t('desk.contact.asked-for') }}
				isChosen={isCallBack}
				onChange={setIsCallBack}
			/>
		</Send>
	);
}

function Try({ view, reload, onClose }: { view: ContactView; reload: () => Promise<void>; onClose: () => void }) {
	const [outcome, setOutcome] = useState<ContactOutcome>('CONTACT_OUTCOME_REACHED');
	const [note, setNote] = useState('');
	return (
		<Send
			title={t('desk.contact.try')}
			verb={t('desk.contact.save')}
			body={() => ({ act: 'CONTACT_ACT_TRY', contact: { contact: view.contact?.contact }, outcome, note: note.trim() })}
			requestId={view.row?.request_id ?? ''}
			{...{ reload, onClose }}
		>
			<Field id="try-outcome" label={t('desk.contact.outcome')}>
				{(wiring) => (
					<Select
						wiring={wiring}
						value={outcome}
						options={OUTCOMES.map((id) => ({ id, name: t(`desk.contact.${id}`) }))}
						onChoose={(id) => setOutcome(id as ContactOutcome)}
					/>
				)}
			</Field>
			<Field id="try-note" label={t('desk.contact.note')}>
				{(wiring) => <LongLine wiring={wiring} rows={2} maxLength={TEXT_MOST} value={note} onType={setNote} />}
			</Field>
		</Send>
	);
}
