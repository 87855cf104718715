// What staff may do with a case, as plain values. The daemon decides again; this keeps impossible choices off the page.
import type { TextKey } from '../src/i18n';
import { canonical, check } from '../src/rules';
import type { Filling } from '../src/steps';
import type { AskView, CaseCommand, CaseRow, CaseView, DraftView, Field, FieldFault, FieldValue, ProofView, RequestChannel, Service, Tier } from '../src/types';
import { dropPeople, hasPersonDrafts } from './people-kept';

export type Decision =
	| 'accept'
	| 'ask'
	| 'step_done'
	| 'grant'
	| 'grant_partly'
	| 'refuse'
	| 'close_withdrawn'
	| 'close_duplicate'
	| 'hand_over'
	| 'refer'
	| 'approve'
	| 'send_back'
	| 'object'
	| 'reopen';

// What is typed for a decision. Every part is kept while the dialog changes pages, so that nothing is typed twice.
export interface Draft {
	text: string;
	ground: string;
	remedy: string;
	note: string;
	duplicate_of: string;
	town: string; // its code
	form: StepForm;
}

/** What the step that is under way asks of staff, as typed. */
export interface StepForm {
	answers: Readonly<Record<string, readonly string[]>>; // by field id
	files: Readonly<Record<string, string>>; // base64
}

export type Part = Exclude<keyof Draft, 'form'>;

interface Rule {
	key: string; // the single-key shortcut
	action: CaseCommand['action'];
	outcome: CaseCommand['outcome'];
	required: Part[];
	optional: Part[];
}

export const TEXT_CHARACTERS_MOST = 1000;

export const RULES: Record<Decision, Rule> = {
	accept: { key: 'a', action: 'CASE_ACTION_ACCEPT', outcome: 'OUTCOME_NONE', required: [], optional: ['note'] },
	ask: { key: 'q', action: 'CASE_ACTION_ASK', outcome: 'OUTCOME_NONE', required: ['text'], optional: ['note'] },
	step_done: {
		key: 's',
		action: 'CASE_ACTION_STEP',
		outcome: 'OUTCOME_NONE',
		required: [],
		optional: ['text', 'note'],
	},
	grant: {
		key: 'g',
		action: 'CASE_ACTION_DECIDE',
		outcome: 'OUTCOME_GRANTED',
		required: [],
		optional: ['text', 'note'],
	},
	grant_partly: {
		key: 'p',
		action: 'CASE_ACTION_DECIDE',
		outcome: 'OUTCOME_PARTLY_GRANTED',
		required: ['text'],
		optional: ['note'],
	},
	// A refusal says why, on which rule it rests and how to object: without one of them the resident cannot answer it.
	refuse: {
		key: 'r',
		action: 'CASE_ACTION_DECIDE',
		outcome: 'OUTCOME_REFUSED',
		required: ['text', 'ground', 'remedy'],
		optional: ['note'],
	},
	close_withdrawn: {
		key: 'w',
		action: 'CASE_ACTION_WITHDRAWN',
		outcome: 'OUTCOME_NONE',
		required: [],
		optional: ['text', 'note'],
	},
	close_duplicate: {
		key: 'd',
		action: 'CASE_ACTION_DUPLICATE',
		outcome: 'OUTCOME_NONE',
		required: ['duplicate_of'],
		optional: ['text', 'note'],
	},
	hand_over: {
		key: 'h',
		action: 'CASE_ACTION_HAND_OVER',
		outcome: 'OUTCOME_NONE',
		required: ['note'],
		optional: ['text'],
	},
	refer: {
		key: 't',
		action: 'CASE_ACTION_REFER',
		outcome: 'OUTCOME_NONE',
		required: ['town', 'note'],
		optional: ['text'],
	},
	// The words are those of the proposal: who approves adds none to them.
	approve: { key: 'y', action: 'CASE_ACTION_DECIDE', outcome: 'OUTCOME_NONE', required: [], optional: ['note'] },
	send_back: { key: 'n', action: 'CASE_ACTION_RETURN', outcome: 'OUTCOME_NONE', required: ['note'], optional: [] },
	object: { key: 'o', action: 'CASE_ACTION_OBJECT', outcome: 'OUTCOME_NONE', required: ['text'], optional: ['note'] },
	reopen: { key: 'e', action: 'CASE_ACTION_REOPEN', outcome: 'OUTCOME_NONE', required: ['note'], optional: ['text'] },
};

const GRANTS: Decision[] = ['grant', 'grant_partly'];
const DECIDES: Decision[] = [...GRANTS, 'refuse'];

/** Another person approves it, as the service says. */
export function isProposal(decision: Decision, service: Service | undefined): boolean {
	return DECIDES.includes(decision) && !!service?.needs_second.includes(RULES[decision].outcome);
}

/** What is missing for this decision. */
export function missingFor(decision: Decision, { proofs, row }: KnownCase): ProofView[] {
	const missing = proofs.filter(({ source }) => source === 'PROOF_SOURCE_NONE');
	if (decision === 'step_done') return missing.filter(({ before_step }) => before_step > 0 && before_step <= row.step);
	return GRANTS.includes(decision) ? missing : [];
}

// A case as the pages use it: the JSON mapping may leave a message out, a case without its row cannot be shown.
export type KnownCase = CaseView & { row: CaseRow };

export function isKnown(view: CaseView | null): view is KnownCase {
	return view?.row !== undefined;
}

export function isOpen(row: CaseRow): boolean {
	return (
		row.state === 'CASE_STATE_RECEIVED' ||
		row.state === 'CASE_STATE_ACCEPTED' ||
		row.state === 'CASE_STATE_ASKED' ||
		row.state === 'CASE_STATE_PROPOSED' ||
		row.state === 'CASE_STATE_OBJECTED'
	);
}

// The withdrawal that its owner has not answered yet. Staff may also close a case as withdrawn without one: the resident phoned.
export function openWithdrawal(asks: AskView[]): AskView | undefined {
	return asks.find((ask) => ask.kind === 'KIND_WITHDRAW' && !ask.is_answered);
}

/** What this account may do now; `may`: names of its rights. */
export function decisionsOf(view: KnownCase, may: string[] = []): Decision[] {
	const able = possibleFor(view, may.includes('supervise'));
	const can = able.flatMap((name) => (name === 'hand_over' && view.row.can_refer ? (['hand_over', 'refer'] as const) : [name]));
	return view.why_not_decide ? can.filter((name) => name !== 'approve' && !DECIDES.includes(name)) : can;
}

function possibleFor({ row, why_not_decide, object_until_ms }: KnownCase, canSupervise: boolean): Decision[] {
	if (!row.is_ours) return [];
	switch (row.state) {
		case 'CASE_STATE_RECEIVED':
			return ['accept', 'hand_over', 'close_withdrawn', 'close_duplicate'];
		case 'CASE_STATE_ACCEPTED':
			return [
				'ask',
				...(row.step > 0 && row.step < row.steps ? (['step_done'] as const) : []),
				'grant',
				'grant_partly',
				'refuse',
				'hand_over',
				'close_withdrawn',
				'close_duplicate',
			];
		case 'CASE_STATE_ASKED':
			return ['grant', 'grant_partly', 'refuse', 'hand_over', 'close_withdrawn', 'close_duplicate'];
		case 'CASE_STATE_OBJECTED':
			return ['ask', 'grant', 'grant_partly', 'refuse', 'hand_over', 'close_withdrawn'];
		case 'CASE_STATE_PROPOSED':
			return [
				...(canSupervise ? (['approve'] as const) : []),
				...(canSupervise || why_not_decide ? (['send_back'] as const) : []),
				'close_withdrawn',
			];
		case 'CASE_STATE_NONE':
			return [];
		default:
			return [
				...(object_until_ms !== '0' ? (['object'] as const) : []),
				...(canSupervise ? (['reopen'] as const) : []),
			];
	}
}

export function otherTier(tier: Tier): Tier {
	return tier === 'TIER_TOWN' ? 'TIER_DISTRICT' : 'TIER_TOWN';
}

export function emptyDraft(): Draft {
	return { text: '', ground: '', remedy: '', note: '', duplicate_of: '', town: '', form: { answers: {}, files: {} } };
}

export function isBlank({ form, ...parts }: Draft): boolean {
	const answers = [...Object.values(form.answers).flat(), ...Object.values(form.files)];
	return [...Object.values(parts), ...answers].every((text) => text.trim() === '');
}

/** What is asked with this decision; who refuses may leave out what is needed to go on. */
export function fieldsFor(decision: Decision, { row, service }: KnownCase): Field[] {
	if (decision !== 'step_done' && !DECIDES.includes(decision)) return [];
	const fields = (row.step > 0 && service?.steps[row.step - 1]?.fields) || [];
	return decision === 'refuse' ? fields.map((field) => ({ ...field, is_required: false })) : fields;
}

const fileOf = ({ form }: Draft, { id }: Field) => (form.files[id] ? [form.files[id]] : []);

export function valueOf({ form }: Draft, field: Field): string[] {
	return canonical(field, form.answers[field.id] ?? []);
}

export function formFaultsOf(decision: Decision, draft: Draft, view: KnownCase): FieldFault[] {
	return fieldsFor(decision, view).flatMap((field) => check(field, valueOf(draft, field), fileOf(draft, field)) ?? []);
}

function valuesOf(decision: Decision, draft: Draft, view: KnownCase): FieldValue[] {
	return fieldsFor(decision, view)
		.map((field) => ({ field: field.id, values: valueOf(draft, field), files: fileOf(draft, field) }))
		.filter(({ values, files }) => values.length > 0 || files.length > 0);
}

// A request id as people type it: with spaces or hyphens, in capitals.
export function requestIdFrom(typed: string): string {
	return typed.replace(/[\s-]/g, '').toLowerCase();
}

// For each part that keeps the decision from being sent, the key of the sentence that says so.
export function faultsOf(decision: Decision, draft: Draft, requestId: string): Partial<Record<Part, TextKey>> {
	const faults: Partial<Record<Part, TextKey>> = {};
	for (const part of RULES[decision].required)
		if (draft[part].trim() === '') faults[part] = `desk.missing.${part}`;
	if (decision === 'close_duplicate' && !faults.duplicate_of) {
		const id = requestIdFrom(draft.duplicate_of);
		if (!/^[0-9a-f]{32}$/.test(id)) faults.duplicate_of = 'desk.fault.not-a-request';
		else if (id === requestId) faults.duplicate_of = 'desk.fault.same-request';
	}
	return faults;
}

// Only the parts that belong to the decision leave the page: what was typed for another one stays here.
export function commandOf(decision: Decision, draft: Draft, version: number, view: KnownCase): CaseCommand {
	const rule = RULES[decision];
	const of = (part: Part) =>
		rule.required.includes(part) || rule.optional.includes(part) ? draft[part].trim() : '';
	return {
		action: isProposal(decision, view.service) ? 'CASE_ACTION_PROPOSE' : rule.action,
		version,
		outcome: decision === 'approve' ? view.row.proposed : rule.outcome,
		...(decision === 'approve' && { approves: true }),
		note: of('note'),
		text: of('text'),
		ground: of('ground'),
		remedy: of('remedy'),
		duplicate_of: requestIdFrom(of('duplicate_of')),
		town: of('town'),
		values: valuesOf(decision, draft, view),
	};
}

// Drafts live as long as the page does and no longer: they hold personal data, so they never touch localStorage.
const drafts = new Map<string, Draft>();

export function draftOf(requestId: string, decision: Decision): Draft {
	return drafts.get(`${requestId} ${decision}`) ?? emptyDraft();
}

export function keepDraft(requestId: string, decision: Decision, draft: Draft): void {
	if (isBlank(draft)) drafts.delete(`${requestId} ${decision}`);
	else drafts.set(`${requestId} ${decision}`, draft);
}

export function dropDraft(requestId: string, decision: Decision): void {
	drafts.delete(`${requestId} ${decision}`);
}

/** What is typed outside of a case, under a name of its own. */
const typed = new Map<string, string>();

export const keptText = (name: string): string => typed.get(name) ?? '';

export function keepText(name: string, text: string): void {
	if (text.trim()) typed.set(name, text);
	else typed.delete(name);
}

/** How a request comes that staff type. */
export const CHANNELS = ['REQUEST_CHANNEL_COUNTER', 'REQUEST_CHANNEL_PHONE'] as const satisfies readonly RequestChannel[];
export type Channel = (typeof CHANNELS)[number];

/** A request that is being typed. */
export interface Intake extends DraftView {
	channel: Channel;
	filling: Filling;
}

let intake: Intake | null = null;

export const keptIntake = () => intake;

export function keepIntake(next: Intake | null): void {
	intake = next;
}

export function dropAllDrafts(): void {
	intake = null;
	drafts.clear();
	typed.clear();
	dropPeople();
}

export function hasDrafts(): boolean {
	return drafts.size > 0 || typed.size > 0 || intake !== null || hasPersonDrafts();
}
