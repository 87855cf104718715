// What is asked for one request, in order: whether it is for a child, who acts for the child or for somebody else, the
// service's questions, and the consents that stand before them. Made from the service's data and what is known so far, for a kiosk (one step a
// screen) as for a counter (all on one page). The daemon demands the same (common/domain/consent.c).
import { t } from './i18n';
import { canonical, check } from './rules';
import type { Consent, Field, FieldFault, FieldType, FieldValue, Names, Service, Sharing, SubmitCommand } from './types';

/** Answers by field id, as typed; canonical() of rules.ts makes them what is sent. */
export type Answers = Readonly<Record<string, readonly string[]>>;

export interface Agreement {
	is_given: boolean;
	time_ms: number;
}

/** A request in the making. */
export interface Filling {
	service: Service;
	answers: Answers;
	files: Readonly<Record<string, string>>; // base64, by field id
	agreed: Readonly<Record<string, Agreement>>; // by the path of the consent
	isActing: boolean; // somebody asks for another person
}

/** The key is the path by which the daemon names what is wrong. */
export type Step =
	| { key: string; at: 'question'; field: Field }
	| { key: string; at: 'health' }
	| { key: string; at: 'sharing'; sharing: Sharing };

export const CHILD = '.child'; // no field's id begins with a dot
export const PRIVACY = 'consents.privacy';
export const HEALTH = 'consents.health';
export const sharingKey = (sharing: Sharing) => `consents.sharing.${sharing.id}`;
const CHILD_YEARS = 14;

export function emptyFilling(service: Service): Filling {
	return { service, answers: {}, files: {}, agreed: {}, isActing: false };
}

/** A certificate's number says which disability, and how severe. */
export function isHealth(field: Field): boolean {
	return field.is_health || field.type === 'FIELD_TYPE_CERTIFICATE';
}

/** Whether the service can be asked for without a word about health. */
export function needsHealth(service: Service): boolean {
	return service.fields.some((field) => isHealth(field) && field.is_required);
}

function ownQuestion(id: string, type: FieldType, label: string, hint: string, more: Partial<Field> = {}): Field {
	const words = (text: string) => ({ zh: text, en: text }); // t() has chosen the language
	return {
		id,
		type,
		label: words(label),
		hint: words(hint),
		is_required: true,
		least: '0',
		most: '0',
		choices: [],
		meaning: 'FIELD_MEANING_NONE',
		is_personal: true,
		is_health: false,
		is_birth_date: false,
		is_told: false,
		...more,
	};
}

function childSteps(): Step[] {
	const field = ownQuestion(CHILD, 'FIELD_TYPE_YES_NO', t('common.child.question'), t('common.child.hint'));
	return [{ key: CHILD, at: 'question', field }];
}

const RELATION = { most: '20' }; // characters

function guardianSteps(): Step[] {
	return asSteps([
		ownQuestion('carer.name', 'FIELD_TYPE_PERSON', t('common.guardian.name'), t('common.guardian.why')),
		ownQuestion('carer.relation', 'FIELD_TYPE_TEXT', t('common.guardian.relation'), t('common.guardian.example'), RELATION),
		ownQuestion('carer.phone', 'FIELD_TYPE_PHONE', t('common.guardian.phone'), t('common.guardian.why-phone')),
	]);
}

const SCOPES = ['CARER_SCOPE_ONCE', 'CARER_SCOPE_MODULE', 'CARER_SCOPE_ALL'] as const;

function carerSteps(): Step[] {
	const choices = SCOPES.map((id) => ({ id, name: { zh: t(`common.carer.${id}`), en: t(`common.carer.${id}`) } }));
	return asSteps([
		ownQuestion('carer.name', 'FIELD_TYPE_PERSON', t('common.carer.name'), t('common.carer.why')),
		ownQuestion('carer.relation', 'FIELD_TYPE_TEXT', t('common.carer.relation'), t('common.carer.example'), RELATION),
		ownQuestion('carer.phone', 'FIELD_TYPE_PHONE', t('common.carer.phone'), t('common.guardian.why-phone')),
		ownQuestion('carer.scope', 'FIELD_TYPE_CHOICE', t('common.carer.scope'), t('common.carer.scope-why'), { choices }),
	]);
}

const asSteps = (fields: Field[]): Step[] => fields.map((field) => ({ key: field.id, at: 'question', field }));

/** Asked of whoever acts, a question about the person says whose answer it wants. */
function asTheirs(field: Field): Field {
	const isWho = field.meaning !== 'FIELD_MEANING_NONE' || field.is_birth_date;
	return isWho ? { ...field, hint: { zh: t('common.carer.theirs'), en: t('common.carer.theirs') } } : field;
}

/** Born on 20150229, as a number; 0 if the answer tells no date of birth. */
function bornOf(field: Field, answers: Answers): number {
	const [text = ''] = canonical(field, answers[field.id] ?? []);
	if (check(field, [text])) return 0;
	if (field.is_birth_date) return Number(text.replace(/-/g, ''));
	return field.meaning === 'FIELD_MEANING_APPLICANT_NUMBER' ? Number(text.slice(6, 14)) : 0;
}

/** By the calendar of Shanghai, as the daemon counts. */
export function isUnder14(born: number, now_ms: number): boolean {
	if (!born) return false;
	const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai', dateStyle: 'short' }).format(now_ms);
	return Number(today.replace(/-/g, '')) < born + CHILD_YEARS * 10000;
}

export function stepsOf(f: Filling, now_ms: number): Step[] {
	const { service, answers, agreed } = f;
	const steps: Step[] = service.may_concern_children ? childSteps() : [];
	const isForChild = steps.length > 0 && answers[CHILD]?.[0] === 'yes';
	const isActing = f.isActing && !service.only_self && !isForChild;
	let hasCarer = isForChild || isActing;
	let isHealthAsked = !service.privacy; // a revision from before there were consents
	if (hasCarer) steps.push(...(isActing ? carerSteps() : guardianSteps()));
	for (const field of service.fields) {
		if (isHealth(field) && !isHealthAsked) {
			steps.push({ key: HEALTH, at: 'health' });
			isHealthAsked = true;
		}
		if (isHealth(field) && agreed[HEALTH]?.is_given === false) continue;
		steps.push({ key: field.id, at: 'question', field: hasCarer ? asTheirs(field) : field });
		if (!service.privacy || hasCarer || !isUnder14(bornOf(field, answers), now_ms)) continue;
		steps.push(...guardianSteps());
		hasCarer = true;
	}
	for (const sharing of service.sharing) steps.push({ key: sharingKey(sharing), at: 'sharing', sharing });
	return steps;
}

/** Both names as far as they are typed: for the banner, the receipt, the slip. Nothing where nobody acts. */
export function namesOf(f: Filling, now_ms: number): Names | null {
	const steps = stepsOf(f, now_ms);
	const typed = (key: string | undefined) => (key ? (f.answers[key]?.[0] ?? '').trim() : '');
	if (!f.isActing && !steps.some(({ key }) => key === 'carer.name')) return null;
	const field = f.service.fields.find(({ meaning }) => meaning === 'FIELD_MEANING_APPLICANT_NAME');
	return { name: typed(field?.id), by_name: typed('carer.name') };
}

/** What is wrong with a step as it stands, or null. */
export function stepFault(step: Step, f: Filling): FieldFault | null {
	if (step.at === 'question') {
		const file = f.files[step.key];
		return check(step.field, canonical(step.field, f.answers[step.key] ?? []), file ? [file] : []);
	}
	const agreement = f.agreed[step.key];
	const mustBeGiven = step.at === 'health' ? needsHealth(f.service) : step.sharing.is_needed;
	if (agreement && (agreement.is_given || !mustBeGiven)) return null;
	return { field: step.key, rule: 'consent-missing', least: '0', most: '0' };
}

function valuesOf(steps: readonly Step[], f: Filling): FieldValue[] {
	return steps
		.flatMap((step) => (step.at === 'question' && f.service.fields.some(({ id }) => id === step.key) ? [step.field] : []))
		.map((field) => ({
			field: field.id,
			values: canonical(field, f.answers[field.id] ?? []),
			files: f.files[field.id] ? [f.files[field.id]!] : [],
		}))
		.filter(({ values, files }) => values.length > 0 || files.length > 0);
}

function consentsOf(steps: readonly Step[], f: Filling, isByCarer: boolean): Consent[] {
	const keys = [...(f.service.privacy ? [PRIVACY] : []), ...steps.map(({ key }) => key)];
	return keys.flatMap((key) => {
		const agreement = f.agreed[key];
		if (!agreement) return [];
		const sharing = f.service.sharing.find((one) => sharingKey(one) === key);
		const kind = sharing ? 'SHARING' : key === HEALTH ? 'HEALTH' : 'PRIVACY';
		return [
			{
				kind: `CONSENT_KIND_${kind}` as const,
				sharing: sharing?.id ?? '',
				is_given: agreement.is_given,
				time_ms: String(agreement.time_ms),
				is_by_carer: isByCarer,
			},
		];
	});
}

/** What is sent, without the ids of the draft. Answers to questions that are not asked any more stay behind. */
export function commandOf(f: Filling, language: string, now_ms: number): Omit<SubmitCommand, 'request_id' | 'code'> {
	const steps = stepsOf(f, now_ms);
	const of = (key: string) => {
		const step = steps.find((one) => one.key === key);
		return step?.at === 'question' ? (canonical(step.field, f.answers[key] ?? [])[0] ?? '') : '';
	};
	const hasCarer = steps.some(({ key }) => key === 'carer.name');
	const scope = SCOPES.find((one) => one === of('carer.scope')) ?? 'CARER_SCOPE_ALL'; // a guardian is not asked
	const carer = { name: of('carer.name'), relation: of('carer.relation'), phone: of('carer.phone'), scope };
	return {
		service: f.service.id,
		revision: f.service.revision,
		values: valuesOf(steps, f),
		language,
		consents: consentsOf(steps, f, hasCarer),
		is_for_child: of(CHILD) === 'yes',
		...(hasCarer ? { carer } : {}),
	};
}
