// What contents are made of, in the order in which people write them. Editor and differences read this and nothing else:
// another collection is another shape.
import { language, t, textOr } from '../src/i18n';
import type { Words } from '../src/types';

export type Content = Record<string, unknown>;

export type Kind =
	| { is: 'line' }
	| { is: 'date' }
	| { is: 'number' } // 32 bits: a JSON number
	| { is: 'integer' } // 64 bits: text in JSON
	| { is: 'flag' }
	| { is: 'words'; isLong?: boolean; isOptional?: boolean }
	| { is: 'one'; of: readonly string[] }
	| { is: 'service' } // one of the catalogue, or any
	| { is: 'communities' } // of this town
	| { is: 'list'; of: Kind }
	| { is: 'message'; parts: readonly Part[]; isOptional?: boolean };

export interface Part {
	name: string;
	kind: Kind;
	when?: (owner: Content) => boolean; // else it means nothing, and is not asked
	as?: string; // its name in the form, where another part has the same one
}

const LINE: Kind = { is: 'line' };
const FLAG: Kind = { is: 'flag' };
const WORDS: Kind = { is: 'words' };
const LONG: Kind = { is: 'words', isLong: true };

export const MODULES = [
	'MODULE_POLICY',
	'MODULE_DEVICES',
	'MODULE_LIFE',
	'MODULE_REHABILITATION',
	'MODULE_JOBS',
	'MODULE_RIGHTS',
	'MODULE_ADVICE',
	'MODULE_CULTURE',
] as const;
const TIERS = ['TIER_TOWN', 'TIER_DISTRICT'] as const;
const TYPES = [
	'FIELD_TYPE_TEXT',
	'FIELD_TYPE_LONG_TEXT',
	'FIELD_TYPE_NUMBER',
	'FIELD_TYPE_MONEY',
	'FIELD_TYPE_DATE',
	'FIELD_TYPE_CHOICE',
	'FIELD_TYPE_SEVERAL',
	'FIELD_TYPE_YES_NO',
	'FIELD_TYPE_PERSON',
	'FIELD_TYPE_CERTIFICATE',
	'FIELD_TYPE_ID_NUMBER',
	'FIELD_TYPE_PHONE',
	'FIELD_TYPE_ADDRESS',
	'FIELD_TYPE_PLACE',
	'FIELD_TYPE_FILE',
] as const;
const MEANINGS = [
	'FIELD_MEANING_NONE',
	'FIELD_MEANING_APPLICANT_NAME',
	'FIELD_MEANING_APPLICANT_PHONE',
	'FIELD_MEANING_APPLICANT_NUMBER',
] as const;

const isOf = (...types: string[]) => (field: Content) => types.includes(String(field.type));
const hasLimits = isOf(
	'FIELD_TYPE_TEXT',
	'FIELD_TYPE_LONG_TEXT',
	'FIELD_TYPE_NUMBER',
	'FIELD_TYPE_MONEY',
	'FIELD_TYPE_SEVERAL',
	'FIELD_TYPE_PERSON',
	'FIELD_TYPE_ADDRESS',
	'FIELD_TYPE_FILE',
);

const CHOICE: Part[] = [
	{ name: 'id', kind: LINE },
	{ name: 'name', kind: WORDS },
];
const FIELD: Part[] = [
	{ name: 'label', kind: WORDS },
	{ name: 'easy', kind: { is: 'words', isOptional: true } },
	{ name: 'hint', kind: { is: 'words', isOptional: true } },
	{ name: 'id', kind: LINE },
	{ name: 'type', kind: { is: 'one', of: TYPES } },
	{ name: 'is_required', kind: FLAG },
	{ name: 'least', kind: { is: 'integer' }, when: hasLimits },
	{ name: 'most', kind: { is: 'integer' }, when: hasLimits },
	{
		name: 'choices',
		kind: { is: 'list', of: { is: 'message', parts: CHOICE } },
		when: isOf('FIELD_TYPE_CHOICE', 'FIELD_TYPE_SEVERAL'),
	},
	{ name: 'meaning', kind: { is: 'one', of: MEANINGS } },
	{ name: 'is_personal', kind: FLAG },
	{ name: 'is_health', kind: FLAG },
	{ name: 'is_birth_date', kind: FLAG, when: isOf('FIELD_TYPE_DATE') },
];
const OF_APPLICANTS = ['easy', 'meaning', 'is_personal', 'is_health', 'is_birth_date']; // asked of nobody else
const STEP_FIELD: Part[] = [
	...FIELD.filter(({ name }) => !OF_APPLICANTS.includes(name)),
	{ name: 'is_told', kind: FLAG },
];
const STEP: Part[] = [
	{ name: 'text', kind: LONG },
	{ name: 'working_days', kind: { is: 'number' } },
	{ name: 'is_sample', kind: FLAG, when: (step) => Number(step.working_days) > 0 || step.is_sample === true },
	{ name: 'in_person', kind: FLAG },
	{ name: 'fields', kind: { is: 'list', of: { is: 'message', parts: STEP_FIELD } } },
];
const BASIS: Part[] = [
	{ name: 'text', kind: LONG },
	{ name: 'source', kind: LINE },
	{ name: 'date', kind: { is: 'date' } },
	{ name: 'is_sample', kind: FLAG },
];
const PRIVACY: Part[] = [
	{ name: 'who_asks', kind: LONG },
	{ name: 'purpose', kind: LONG },
	{ name: 'who_sees', kind: LONG },
	{ name: 'keep_months', kind: { is: 'number' } },
	{ name: 'keep_from', kind: { is: 'one', of: ['KEEP_FROM_NONE', 'KEEP_FROM_CLOSED', 'KEEP_FROM_RECEIVED'] } },
	{ name: 'health_why', kind: { is: 'words', isLong: true, isOptional: true } },
];
const SHARING: Part[] = [
	{ name: 'id', kind: LINE },
	{ name: 'with_whom', kind: WORDS },
	{ name: 'purpose', kind: LONG },
	{ name: 'is_needed', kind: FLAG },
];
const OWNER_RULE: Part[] = [
	{ name: 'field', kind: LINE },
	{ name: 'choice', kind: LINE },
	{ name: 'owner', kind: { is: 'one', of: TIERS } },
	{ name: 'hidden_from', kind: { is: 'one', of: ['TIER_NONE', ...TIERS] } },
];

const HOLD: Part[] = [
	{ name: 'keep_months', kind: { is: 'number' } },
	{ name: 'keep_from', kind: { is: 'one', of: ['KEEP_FROM_NONE', 'KEEP_FROM_CLOSED', 'KEEP_FROM_RECEIVED'] } },
	{ name: 'basis', kind: { is: 'list', of: { is: 'message', parts: BASIS } } },
];

const OUTCOMES = ['OUTCOME_GRANTED', 'OUTCOME_PARTLY_GRANTED', 'OUTCOME_REFUSED'] as const;
const RECORD_FACTS = ['RECORD_FACT_ID_NUMBER', 'RECORD_FACT_CERTIFICATE', 'RECORD_FACT_HOUSEHOLD'] as const;
const PROOF: Part[] = [
	{ name: 'evidence', as: 'evidence_nth', kind: { is: 'number' } },
	{ name: 'before_step', kind: { is: 'number' } },
	{ name: 'fields', as: 'proof_fields', kind: { is: 'list', of: LINE } },
	{ name: 'facts', as: 'proof_facts', kind: { is: 'list', of: { is: 'one', of: RECORD_FACTS } } },
	{ name: 'is_paper', kind: FLAG },
];
const OBJECTION: Part[] = [
	{ name: 'days', kind: { is: 'number' } },
	{ name: 'basis', kind: { is: 'list', of: { is: 'message', parts: BASIS } } },
];
const CERTIFICATE: Part[] = [
	{ name: 'pledge', kind: LONG },
	{ name: 'valid_years', kind: { is: 'number' } },
	{ name: 'verify_days', kind: { is: 'number' } },
	{ name: 'basis', kind: { is: 'list', of: { is: 'message', parts: BASIS } } },
];

const listOf = (parts: readonly Part[]): Kind => ({ is: 'list', of: { is: 'message', parts } });

export const SERVICE: readonly Part[] = [
	{ name: 'name', kind: WORDS },
	{ name: 'easy_name', kind: { is: 'words', isOptional: true } },
	{ name: 'easy', kind: LONG },
	{ name: 'module', kind: { is: 'one', of: MODULES } },
	{ name: 'owner', kind: { is: 'one', of: TIERS } },
	{ name: 'conditions', kind: { is: 'list', of: LONG } },
	{ name: 'fields', kind: listOf(FIELD) },
	{ name: 'steps', kind: listOf(STEP) },
	{ name: 'evidence', kind: { is: 'list', of: LONG } },
	{ name: 'proofs', kind: listOf(PROOF) },
	{ name: 'needs_second', kind: { is: 'list', of: { is: 'one', of: OUTCOMES } } },
	{ name: 'objection', kind: { is: 'message', parts: OBJECTION, isOptional: true } },
	{ name: 'basis', kind: listOf(BASIS) },
	{ name: 'facts', kind: listOf(BASIS) },
	{ name: 'privacy', kind: { is: 'message', parts: PRIVACY, isOptional: true } },
	{ name: 'sharing', kind: listOf(SHARING) },
	{ name: 'may_concern_children', kind: FLAG },
	{ name: 'owner_rules', kind: listOf(OWNER_RULE) },
	{ name: 'hold', kind: { is: 'message', parts: HOLD, isOptional: true } },
	{ name: 'certificate', kind: { is: 'message', parts: CERTIFICATE, isOptional: true } },
];

const ACTIONS = ['CASE_ACTION_ASK', 'CASE_ACTION_STEP', 'CASE_ACTION_DECIDE', 'CASE_ACTION_WITHDRAWN'] as const;

export const WORDING: readonly Part[] = [
	{ name: 'name', kind: WORDS },
	{ name: 'service', kind: { is: 'service' } },
	{ name: 'action', kind: { is: 'one', of: ACTIONS } },
	{ name: 'outcome', kind: { is: 'one', of: ['OUTCOME_NONE', ...OUTCOMES] } },
	{ name: 'plain', kind: LONG },
	{ name: 'easy', kind: LONG },
	{ name: 'is_withdrawn', kind: FLAG },
];

const ABOUTS = ['NOTICE_ABOUT_ACTIVITY', 'NOTICE_ABOUT_SERVICE', 'NOTICE_ABOUT_CLOSING'] as const;

export const NOTICE: readonly Part[] = [
	{ name: 'about', kind: { is: 'one', of: ABOUTS } },
	{ name: 'name', as: 'headline', kind: WORDS },
	{ name: 'text', as: 'paragraphs', kind: { is: 'list', of: LONG } },
	{ name: 'easy', as: 'easy_sentences', kind: { is: 'list', of: WORDS } },
	{ name: 'places', kind: { is: 'communities' } },
	{ name: 'until', kind: { is: 'date' } },
];

/** What a new element begins as: nothing is left out that the daemon would miss. */
export function blank(kind: Kind): unknown {
	switch (kind.is) {
		case 'line':
		case 'date':
		case 'service':
			return '';
		case 'number':
			return 0;
		case 'integer':
			return '0';
		case 'flag':
			return false;
		case 'words':
			return kind.isOptional ? undefined : { zh: '', en: '' };
		case 'one':
			return kind.of[0];
		case 'list':
		case 'communities':
			return [];
		case 'message':
			return kind.isOptional ? undefined : blankOf(kind.parts);
	}
}

export function blankOf(parts: readonly Part[]): Content {
	return Object.fromEntries(parts.map(({ name, kind }) => [name, blank(kind)]).filter(([, value]) => value !== undefined));
}

// ---- paths: fields[2].label.zh, as the daemon says them; fields[phone] in differences ----

export type Step = string | number;

export function stepsOf(path: string): Step[] {
	return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, place, name]) => {
		if (name !== undefined) return name;
		return /^\d+$/.test(place!) ? Number(place) : `#${place}`; // an element by its id
	});
}

export function put(content: unknown, path: readonly Step[], value: unknown): unknown {
	const [step, ...rest] = path;
	if (step === undefined) return value;
	if (typeof step === 'number') {
		const list = [...((content as unknown[]) ?? [])];
		list[step] = put(list[step], rest, value);
		return list;
	}
	const owner = { ...(content as Content) };
	const inner = put(owner[step], rest, value);
	if (inner === undefined) delete owner[step];
	else owner[step] = inner;
	return owner;
}

export function partName(name: string): string {
	return textOr(`desk.part.${name}`, 'desk.part.other', { name });
}

export function valueName(value: string): string {
	if (value.startsWith('MODULE_')) return textOr(`kiosk.module.${value.slice(7).toLowerCase()}`, 'desk.part.other', { name: value });
	if (value.startsWith('TIER_')) return textOr(`desk.tier.${value}`, 'desk.part.other', { name: value });
	return textOr(`desk.value.${value}`, 'desk.part.other', { name: value });
}

function kindAt(shape: readonly Part[], steps: readonly Step[]): Kind | undefined {
	let kind: Kind | undefined = { is: 'message', parts: shape };
	for (const step of steps) {
		if (kind?.is === 'message') {
			const { parts }: { parts: readonly Part[] } = kind;
			kind = parts.find(({ name }) => name === step)?.kind;
		} else if (kind?.is === 'list') kind = kind.of;
		else if (kind?.is !== 'words') return undefined; // of a newer daemon
		else kind = { is: 'line' };
	}
	return kind;
}

/** A value of a difference, as the editor would show it. */
export function valueText(shape: readonly Part[], path: string, value: string): string {
	const kind = kindAt(shape, stepsOf(path));
	if (kind?.is === 'flag') return t(value === 'true' ? 'common.yes' : 'common.no');
	if (kind?.is === 'one' && value) return valueName(value);
	return value;
}

/** In the reader's language, if it is written in that. */
export function elementName(element: unknown): string {
	const { label, name, with_whom, text } = (element ?? {}) as Record<string, Words | undefined>;
	const said = label ?? name ?? with_whom ?? text ?? (element as Words | undefined);
	return (language() === 'en' ? said?.en : said?.zh) ?? '';
}

/** Where something stands, in the words of the form: 「您叫什么名字？」 · 提示 · 中文. `contents`: where elements are looked up. */
export function pathText(path: string, contents: readonly (Content | undefined)[]): string {
	let here: unknown[] = [...contents];
	const said: string[] = [];
	for (const step of stepsOf(path)) {
		if (typeof step === 'number') {
			here = here.map((list) => (list as unknown[] | undefined)?.[step]);
			const name = here.map(elementName).find(Boolean);
			said.push(name ? t('desk.part.named', { name }) : t('desk.part.nth', { n: step + 1 }));
		} else if (step.startsWith('#')) {
			here = here.map((list) => (list as { id: string }[] | undefined)?.find(({ id }) => id === step.slice(1)));
			const name = here.map(elementName).find(Boolean);
			said.push(t('desk.part.named', { name: name || step.slice(1) }));
		} else {
			here = here.map((owner) => (owner as Content | undefined)?.[step]);
			said.push(partName(step));
		}
	}
	return said.join(' · ');
}
