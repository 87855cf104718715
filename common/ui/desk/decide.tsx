// One decision on one case: type it, see what the resident will read, confirm. Whatever happens meanwhile at another
// desk or at the terminal, what was typed stays, and nothing is sent before the person here has seen the new state.
import { Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, post } from '../src/api';
import { focusAnswer, shownText } from '../src/form';
import { t, words, type TextKey } from '../src/i18n';
import { Button, Dialog, Field, Line, LongLine, Notice, toast } from '../src/parts';
import type { CaseRow, FieldFault, Outcome, Service } from '../src/types';
import { DuplicatePicker } from './duplicate';
import { Missing } from './proofs';
import { Happened } from './happened';
import { ownerText, StateMark } from './marks';
import { Towns } from './person-acts';
import { usePlaces } from './person-facts';
import {
	commandOf,
	decisionsOf,
	draftOf,
	dropDraft,
	faultsOf,
	fieldsFor,
	formFaultsOf,
	isProposal,
	keepDraft,
	missingFor,
	openWithdrawal,
	otherTier,
	RULES,
	TEXT_CHARACTERS_MOST,
	type Decision,
	type Draft,
	type KnownCase,
	type Part,
} from './model';
import { useDesk } from './session';
import { formId, StepAnswers, StepQuestions } from './step-form';
import { PickWording } from './wordings';

export function decisionText(decision: Decision, row: CaseRow, service?: Service): string {
	if (decision !== 'hand_over') {
		const what = t(`desk.do.${decision}`);
		return isProposal(decision, service) ? t('desk.do.propose', { what }) : what;
	}
	if (row.handed === 'HANDED_OVER_WAITS' || row.referred_to) return t('desk.do.hand_over.back');
	return t(otherTier(row.owner) === 'TIER_TOWN' ? 'desk.do.hand_over.TIER_TOWN' : 'desk.do.hand_over.TIER_DISTRICT');
}

// The very words of the terminal's page, so that what is confirmed here is what is read there.
const OUTCOMES: Record<Outcome, TextKey> = {
	OUTCOME_NONE: 'kiosk.status.decided',
	OUTCOME_GRANTED: 'kiosk.status.granted',
	OUTCOME_PARTLY_GRANTED: 'kiosk.status.partly-granted',
	OUTCOME_REFUSED: 'kiosk.status.refused',
};

const READS: Record<Exclude<Decision, 'approve' | 'send_back' | 'hand_over'>, TextKey> = {
	accept: 'kiosk.status.accepted',
	ask: 'kiosk.status.asked',
	step_done: 'kiosk.status.step',
	grant: 'kiosk.status.granted',
	grant_partly: 'kiosk.status.partly-granted',
	refuse: 'kiosk.status.refused',
	close_withdrawn: 'kiosk.status.withdrawn',
	close_duplicate: 'kiosk.status.duplicate',
	refer: 'kiosk.status.referred',
	object: 'kiosk.status.objected',
	reopen: 'kiosk.status.reopened',
};

function readsOf(decision: Exclude<Decision, 'send_back'>, row: CaseRow): TextKey {
	if (decision === 'approve') return OUTCOMES[row.proposed];
	if (decision !== 'hand_over') return READS[decision];
	return row.referred_to || otherTier(row.owner) === 'TIER_TOWN' ? 'kiosk.status.with-town' : 'kiosk.status.with-district';
}

// The same part is a question in one decision and a reason in another.
function partLabel(part: Part, decision: Decision): string {
	if (part === 'town') return t('desk.person.act.town');
	if (part === 'text' && decision !== 'accept' && decision !== 'approve' && decision !== 'send_back')
		return t(`desk.type.text.${decision}`);
	if (part === 'note' && (decision === 'hand_over' || decision === 'refer' || decision === 'send_back' || decision === 'reopen'))
		return t(`desk.type.note.${decision}`);
	return t(part === 'text' ? 'desk.label.text' : `desk.type.${part}`);
}

const HINTS: Record<Exclude<Part, 'town'>, TextKey> = {
	text: 'desk.hint.plain',
	ground: 'desk.hint.ground',
	remedy: 'desk.hint.remedy',
	note: 'desk.hint.note',
	duplicate_of: 'desk.hint.duplicate_of',
};

interface DecideProps {
	view: KnownCase; // kept fresh by whoever opened the dialog
	decision: Decision;
	reload: () => Promise<void>;
	onClose: () => void;
}

// What of the case the person here has seen: a newer version or one more word of the resident is news.
export interface Seen {
	version: number;
	asks: number;
}

export const seenOf = (view: KnownCase): Seen => ({ version: view.row.version, asks: view.asks.length });

export function Decide(props: DecideProps) {
	const [seen, setSeen] = useState<Seen>(() => seenOf(props.view));
	return <DecideAfter {...props} seen={seen} onSeen={setSeen} />;
}

interface DecideAfterProps extends DecideProps {
	seen: Seen;
	onSeen: (seen: Seen) => void;
}

/** As Decide, for who keeps what was seen: the dialog goes while somebody logs in again, and its own act may be the news then. */
export function DecideAfter({ view, decision, reload, onClose, seen, onSeen }: DecideAfterProps) {
	const { row } = view;
	const desk = useDesk();
	const rule = RULES[decision];
	const [draft, setDraft] = useState<Draft>(() => draftOf(row.request_id, decision));
	const [step, setStep] = useState<'type' | 'review'>(decision === 'accept' ? 'review' : 'type');
	const [tries, setTries] = useState(0);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');

	const hasNews = !isBusy && (row.version !== seen.version || view.asks.length !== seen.asks);
	const isPossible = decisionsOf(view, desk.session.may).includes(decision);
	const missing = missingFor(decision, view);
	const faults = faultsOf(decision, draft, row.request_id);

	const formFaults = formFaultsOf(decision, draft, view);

	const change = (next: Draft) => {
		setDraft(next);
		keepDraft(row.request_id, decision, next);
	};
	const type = (part: Part, value: string) => change({ ...draft, [part]: value });
	const firstFault = rule.required.find((part) => faults[part]);
	const review = () => {
		setTries(tries + 1);
		if (!firstFault && formFaults.length === 0) setStep('review');
	};
	useEffect(() => {
		if (tries > 0 && !firstFault && formFaults[0]) focusAnswer(formId(formFaults[0].field));
		if (tries === 0 || !firstFault) return;
		const input = document.getElementById(`decide-${firstFault}`);
		input?.focus();
		input?.closest('.field')?.scrollIntoView({ block: 'nearest' }); // with its label and its fault
	}, [tries]);
	const send = async () => {
		setIsBusy(true);
		setRefusal('');
		try {
			await post<CaseRow>(`/api/v1/cases/${row.request_id}/actions`, commandOf(decision, draft, seen.version, view));
		} catch (error) {
			const text = desk.failed(error);
			const code = error instanceof ApiError ? error.code : '';
			const isConflict = code === 'conflict' || code === 'closed';
			if (isConflict) await reload();
			setIsBusy(false);
			if (isConflict) setRefusal(t('desk.conflict'));
			else setRefusal(t(code === 'network' ? 'desk.no-answer' : 'desk.refused-by-server', { text }));
			return;
		}
		dropDraft(row.request_id, decision);
		await reload();
		onClose();
		toast(t('desk.done', { what, who: subject.filter(Boolean).join(' · ') }));
	};
	const goOn = () => {
		onSeen(seenOf(view));
		setRefusal('');
		setStep(decision === 'accept' ? 'review' : 'type');
	};

	useStepFocus(step, hasNews, isPossible, decision);
	const what = decisionText(decision, row, view.service);
	const subject = [row.masked_name || t('desk.no-name'), words(row.service_name) || row.service, words(row.place_name)];
	const isTyping = step === 'type' && !(hasNews && !isPossible);

	return (
		<Dialog
			title={what}
			onClose={onClose}
			actions={
				<>
					{hasNews && isPossible && (
						<Button kind="primary" class="desk-go-on" onPress={goOn}>
							{t('desk.news.go-on')}
						</Button>
					)}
					{!hasNews && step === 'type' && missing.length === 0 && (
						<Button kind="primary" onPress={review}>
							{t('desk.review')}
						</Button>
					)}
					{!hasNews && step === 'review' && (
						<Button
							kind={decision === 'refuse' ? 'danger' : 'primary'}
							class="desk-confirm"
							isBusy={isBusy}
							describedBy="decide-reads"
							onPress={() => void send()}
						>
							{isBusy ? t('desk.review.sending') : t('desk.review.send', { what })}
						</Button>
					)}
					{!hasNews && step === 'review' && decision !== 'accept' && (
						<Button onPress={() => setStep('type')}>{t('desk.review.edit')}</Button>
					)}
					<Button onPress={onClose}>{t(isPossible ? 'desk.cancel' : 'desk.close')}</Button>
				</>
			}
		>
			<p class="desk-subject">{subject.filter(Boolean).join(' · ')}</p>
			<div role="alert" class="desk-form">
				{refusal && <Notice kind="danger">{refusal}</Notice>}
				{hasNews && <News view={view} seen={seen} what={what} isPossible={isPossible} />}
			</div>
			{isTyping && <Missing proofs={missing} />}
			{isTyping && <Typing {...{ view, decision, draft, type, change }} faults={tries > 0 ? faults : {}} formFaults={tries > 0 ? formFaults : []} />}
			{step === 'review' && (!hasNews || isPossible) && <Review {...{ view, decision, draft, type }} />}
			{hasNews && !isPossible && <Kept decision={decision} draft={draft} />}
		</Dialog>
	);
}

// Accepting is common and can still be handed over, so there Enter is enough; every other review starts at what the
// resident will read. News takes the focus only if what had it is gone: nobody is torn out of a sentence.
function useStepFocus(step: 'type' | 'review', hasNews: boolean, isPossible: boolean, decision: Decision): void {
	const before = useRef<'type' | 'review' | null>(null);
	useEffect(() => {
		const isOpening = before.current === null;
		const isNewStep = before.current !== step;
		before.current = step;
		const focus = (at: string) => document.querySelector<HTMLElement>(`dialog ${at}`)?.focus();
		if (hasNews) {
			if (!document.activeElement?.closest('dialog')) focus('h2');
		} else if (step === 'review') focus(decision === 'accept' ? '.desk-confirm' : '#decide-reads h3');
		else if (isNewStep || !document.activeElement?.closest('dialog')) focus(isOpening ? '.line' : 'h2');
	}, [step, hasNews, isPossible]);
}

interface TypingProps {
	view: KnownCase;
	decision: Decision;
	draft: Draft;
	faults: Partial<Record<Part, TextKey>>;
	formFaults: FieldFault[];
	type: (part: Part, value: string) => void;
	change: (draft: Draft) => void;
}

function Typing({ view, decision, draft, faults, formFaults, type, change }: TypingProps) {
	const { required, optional } = RULES[decision];
	const withdrawal = decision === 'close_withdrawn' && openWithdrawal(view.asks);
	return (
		<div class="desk-form">
			{withdrawal && (
				<Notice kind="info" title={t('desk.ask.KIND_WITHDRAW')}>
					{withdrawal.text || t('desk.ask.no-text')}
				</Notice>
			)}
			<StepQuestions
				fields={fieldsFor(decision, view)}
				draft={draft}
				faults={formFaults}
				onChange={(form) => change({ ...draft, form })}
			/>
			{[...required, ...optional].map((part) => (
				<Fragment key={part}>
					{part === 'text' && (
						<PickWording
							{...{ view, decision }}
							onInsert={(text) => type('text', draft.text.trim() ? `${draft.text.trim()}\n${text}` : text)}
						/>
					)}
					{part === 'town' ? (
						<Towns id="decide-town" town={draft.town} error={faults.town && t(faults.town)} onChoose={(town) => type('town', town)} />
					) : (
						<PartField
							part={part}
							label={partLabel(part, decision)}
							isRequired={required.includes(part)}
							value={draft[part]}
							error={faults[part] && t(faults[part])}
							type={type}
						/>
					)}
					{part === 'duplicate_of' && (
						<DuplicatePicker row={view.row} chosen={draft.duplicate_of} onChoose={(id) => type(part, id)} />
					)}
				</Fragment>
			))}
		</div>
	);
}

interface PartFieldProps {
	part: Exclude<Part, 'town'>;
	label: string;
	isRequired: boolean;
	value: string;
	error?: string;
	type: (part: Part, value: string) => void;
}

function PartField({ part, label, isRequired, value, error, type }: PartFieldProps) {
	const hint = isRequired ? t(HINTS[part]) : t('desk.hint.optional', { hint: t(HINTS[part]) });
	return (
		<Field id={`decide-${part}`} label={label} hint={hint} error={error} isRequired={isRequired}>
			{(wiring) =>
				part === 'duplicate_of' ? (
					<Line wiring={wiring} maxLength={64} value={value} onType={(typed) => type(part, typed)} />
				) : (
					<LongLine
						wiring={wiring}
						rows={3}
						maxLength={TEXT_CHARACTERS_MOST}
						value={value}
						onType={(typed) => type(part, typed)}
					/>
				)
			}
		</Field>
	);
}

interface ReviewProps {
	view: KnownCase;
	decision: Decision;
	draft: Draft;
	type: (part: Part, value: string) => void;
}

// Word for word what leaves for the terminal, apart from what stays among staff.
function Review({ view, decision, draft, type }: ReviewProps) {
	const { row } = view;
	const proposal = decision === 'approve' ? [...view.events].reverse().find(({ action }) => action === 'CASE_ACTION_PROPOSE') : undefined;
	const parts = [...RULES[decision].required, ...RULES[decision].optional];
	const typed = (part: Part) =>
		part !== 'note' && part !== 'duplicate_of' && part !== 'town' && proposal
			? proposal[part]
			: parts.includes(part)
				? draft[part].trim()
				: '';
	const said = [
		typed('text'),
		typed('ground') && t('kiosk.status.ground', { text: typed('ground') }),
		typed('remedy') && t('kiosk.status.remedy', { text: typed('remedy') }),
	].filter(Boolean);
	const fields = fieldsFor(decision, view);
	const ofStaff = fields.filter(({ is_told }) => !is_told);
	const told = view.service?.steps.flatMap((step) => step.fields.filter(({ is_told }) => is_told).map(({ id }) => id)) ?? [];
	const hasStaffAnswers = ofStaff.some(({ id }) => draft.form.files[id] || draft.form.answers[id]?.some(Boolean));
	return (
		<>
			<section id="decide-reads" class="desk-reads">
				<h3 tabIndex={-1}>{t(decision === 'send_back' ? 'desk.review.nothing-read' : 'desk.review.title')}</h3>
				{decision !== 'send_back' && (
					<p>
						<strong>{t(readsOf(decision, row))}</strong>
					</p>
				)}
				{said.map((sentence) => (
					<p key={sentence} class="desk-said">
						{sentence}
					</p>
				))}
				<StepAnswers fields={fields.filter(({ is_told }) => is_told)} draft={draft} />
				{proposal?.fields
					.filter(({ id }) => told.includes(id))
					.map((field) => (
						<p key={field.id} class="desk-said">
							{words(field.label)} {shownText(field)}
						</p>
					))}
			</section>
			{isProposal(decision, view.service) && <Notice kind="info">{t('desk.review.proposal')}</Notice>}
			{decision === 'accept' ? (
				<PartField
					part="note"
					label={partLabel('note', decision)}
					isRequired={false}
					value={draft.note}
					type={type}
				/>
			) : (
				(draft.note.trim() || hasStaffAnswers) && (
					<section>
						<h3>{t('desk.review.staff')}</h3>
						<StepAnswers fields={ofStaff} draft={draft} />
						{draft.note.trim() && <p class="desk-said">{draft.note.trim()}</p>}
					</section>
				)
			)}
			{decision === 'close_duplicate' && (
				<p>
					{t('desk.event.duplicate-of')} <code>{draft.duplicate_of}</code>
				</p>
			)}
			{!isProposal(decision, view.service) && <Consequence {...{ decision, row, draft }} />}
		</>
	);
}

const FINAL: Decision[] = ['grant', 'grant_partly', 'refuse', 'approve', 'close_withdrawn', 'close_duplicate', 'hand_over', 'refer'];

function Consequence({ decision, row, draft }: { decision: Decision; row: CaseRow; draft: Draft }) {
	const { nameOf } = usePlaces();
	if (!FINAL.includes(decision)) return null;
	return (
		<p>
			{decision === 'refer'
				? t('desk.review.refers', { town: nameOf(draft.town) })
				: decision === 'hand_over' && row.referred_to
					? t('desk.review.refers', { town: words(row.referred_name) })
					: decision === 'hand_over'
						? t('desk.review.moves', { tier: t(`desk.tier.${otherTier(row.owner)}`) })
						: t('desk.review.final')}
		</p>
	);
}

interface NewsProps {
	view: KnownCase;
	seen: Seen;
	what: string;
	isPossible: boolean;
}

function News({ view, seen, what, isPossible }: NewsProps) {
	const events = view.events.filter((event) => event.version > seen.version);
	const asks = view.asks.slice(seen.asks);
	return (
		<Notice kind="warning" title={t('desk.news.title')}>
			<Happened requestId={view.row.request_id} events={events} asks={asks} />
			<p>
				{t('desk.news.now')} <StateMark row={view.row} />
			</p>
			{!view.row.is_ours && <p>{t('desk.case.not-ours', { owner: ownerText(view.row) })}</p>}
			<p>{isPossible ? t('desk.news.kept') : t('desk.news.impossible', { what })}</p>
		</Notice>
	);
}

// A decision that came too late: its words can still be read and copied.
function Kept({ decision, draft }: { decision: Decision; draft: Draft }) {
	const { nameOf } = usePlaces();
	const typed = [...RULES[decision].required, ...RULES[decision].optional].filter((part) => draft[part].trim());
	if (typed.length === 0) return null;
	return (
		<dl class="desk-answers">
			{typed.map((part) => (
				<div key={part}>
					<dt>{partLabel(part, decision)}</dt>
					<dd class="desk-said">{part === 'town' ? nameOf(draft.town) : draft[part]}</dd>
				</div>
			))}
		</dl>
	);
}
