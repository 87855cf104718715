// The fields of a resident's record by sections, each with what the daemon said of it.
import type { ComponentChildren } from 'preact';
import { t, textOr } from '../src/i18n';
import { Button, Choices, Field, Line, Select, type Option } from '../src/parts';
import type { FieldFault, PersonConsent, PersonFacts, Representative, Topic } from '../src/types';
import { ACCESS_NEEDS, MODULES, THINGS, thingText, valueText } from './person-facts';

const CONTACTS_MOST = 4, REPRESENTATIVES_MOST = 4, THINGS_MOST = 16; // as the daemon's
const SEXES = ['SEX_NONE', 'SEX_MALE', 'SEX_FEMALE'] as const;
const SCOPES = ['SCOPE_NONE', 'SCOPE_ALL', 'SCOPE_REQUESTS', 'SCOPE_INFORMATION', 'SCOPE_MONEY'] as const;
const INCOMES = ['INCOME_BAND_NONE', 'INCOME_BAND_ALLOWANCE', 'INCOME_BAND_MARGIN', 'INCOME_BAND_OTHER'] as const;
const EMPLOYMENTS = [
	'EMPLOYMENT_NONE',
	'EMPLOYMENT_EMPLOYED',
	'EMPLOYMENT_SELF',
	'EMPLOYMENT_SEEKING',
	'EMPLOYMENT_UNABLE',
	'EMPLOYMENT_RETIRED',
	'EMPLOYMENT_LEARNING',
] as const;
const TOPICS: readonly Topic[] = ['TOPIC_RECORD', 'TOPIC_CALLS', 'TOPIC_VISITS', 'TOPIC_SHARING'];

/** Where the focus goes for a path of the facts: contacts[1].phone. */
export const idOf = (path: string) => `person-${path.replace(/[^a-z0-9_]+/g, '-')}`;

/** A day as people type it: 19580301, 1958/3/1, 1958年3月1日. What is none stays, for the daemon to name. */
export function dayFrom(typed: string): string {
	const found = /^(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?$/.exec(typed.trim());
	return found ? `${found[1]}-${found[2]!.padStart(2, '0')}-${found[3]!.padStart(2, '0')}` : typed.trim();
}

const trimmed = <T extends object>(one: T): T =>
	Object.fromEntries(Object.entries(one).map(([key, value]) => [key, typeof value === 'string' ? value.trim() : value])) as T;

export function tidied(facts: PersonFacts): PersonFacts {
	const span = <T extends { from: string; until: string }>(one: T): T => ({
		...trimmed(one),
		from: dayFrom(one.from),
		until: dayFrom(one.until),
	});
	return {
		...trimmed(facts),
		birth: dayFrom(facts.birth),
		id_number: facts.id_number.trim().toUpperCase(),
		certificate: facts.certificate.trim().toUpperCase(),
		contacts: facts.contacts.map(trimmed),
		representatives: facts.representatives.map(span),
		benefits: facts.benefits.map(span),
		devices: facts.devices.map((device) => device.trim()),
		consents: facts.consents.map((one) => ({ ...one, day: dayFrom(one.day) })),
	};
}

export function faultText({ rule, least, most }: FieldFault): string {
	return textOr(`common.rule.${rule}`, 'common.rule.unknown-field', { least, most });
}

interface SectionsProps {
	facts: PersonFacts;
	faults: FieldFault[];
	communities: Option[];
	onChange: (facts: PersonFacts) => void;
}

export function Sections({ facts, faults, communities, onChange }: SectionsProps) {
	const set = (some: Partial<PersonFacts>) => onChange({ ...facts, ...some });
	const at = { faults };
	const lists = { facts, faults, set };
	return (
		<>
			<section>
				<h2>{t('desk.person.section.facts')}</h2>
				<Text {...at} path="name" value={facts.name} isRequired onType={(name) => set({ name })} />
				<OneOf {...at} path="sex" value={facts.sex} values={SEXES} onChoose={(sex) => set({ sex })} />
				<Text {...at} path="birth" value={facts.birth} hint={DAY} isRequired onType={(birth) => set({ birth })} />
				<Text {...at} path="id_number" value={facts.id_number} onType={(text) => set({ id_number: text })} />
				<Text {...at} path="certificate" value={facts.certificate} onType={(certificate) => set({ certificate })} />
				<At {...at} path="community" isRequired>
					{(wiring) => (
						<Select
							wiring={wiring}
							value={facts.community}
							options={[{ id: '', name: t('desk.person.choose') }, ...communities]}
							onChoose={(community) => set({ community })}
						/>
					)}
				</At>
				<Text {...at} path="address" value={facts.address} onType={(address) => set({ address })} />
				<OneOf {...at} path="income" value={facts.income} values={INCOMES} onChoose={(income) => set({ income })} />
				<OneOf
					{...at}
					path="employment"
					value={facts.employment}
					values={EMPLOYMENTS}
					onChoose={(employment) => set({ employment })}
				/>
			</section>
			<Contacts {...lists} />
			<section>
				<Choices
					id={idOf('access')}
					legend={t('desk.person.field.access')}
					options={ACCESS_NEEDS.map((id) => ({ id, name: valueText(id) }))}
					chosen={facts.access}
					areSeveral
					class="desk-pair"
					onChange={(access) => set({ access: access as PersonFacts['access'] })}
				/>
			</section>
			<Representatives {...lists} />
			<section>
				<h2>{t('desk.person.section.household')}</h2>
				<Text {...at} path="household" value={facts.household} onType={(household) => set({ household })} />
				<Text
					{...at}
					path="household_relation"
					value={facts.household_relation}
					onType={(text) => set({ household_relation: text })}
				/>
			</section>
			<Benefits {...lists} />
			<Devices {...lists} />
			<Consents {...lists} />
		</>
	);
}

const DAY = 'desk.person.day-hint' as const;

interface AtProps {
	faults: FieldFault[];
	path: string;
	isRequired?: boolean;
	hint?: typeof DAY;
}

/** contacts[1].phone is a phone. */
function labelOf(path: string): string {
	const name = /(\w+?)(?:\[\d+\])?$/.exec(path)![1]!;
	return t(`desk.person.field.${name}` as 'desk.person.field.name');
}

function At({ faults, path, isRequired, hint, children }: AtProps & { children: Parameters<typeof Field>[0]['children'] }) {
	const fault = faults.find(({ field }) => field === path);
	return (
		<Field
			id={idOf(path)}
			label={labelOf(path)}
			hint={hint && t(hint)}
			error={fault && faultText(fault)}
			isRequired={isRequired ?? false}
		>
			{children}
		</Field>
	);
}

function Text({ value, onType, ...at }: AtProps & { value: string; onType: (text: string) => void }) {
	return <At {...at}>{(wiring) => <Line wiring={wiring} value={value} onType={onType} />}</At>;
}

interface OneOfProps<T extends string> extends AtProps {
	value: T;
	values: readonly T[];
	onChoose: (value: T) => void;
}

function OneOf<T extends string>({ value, values, onChoose, ...at }: OneOfProps<T>) {
	return (
		<At {...at}>
			{(wiring) => (
				<Select
					wiring={wiring}
					value={value}
					options={values.map((id) => ({ id, name: valueText(id) }))}
					onChoose={(id) => onChoose(id as T)}
				/>
			)}
		</At>
	);
}

interface ListsProps {
	facts: PersonFacts;
	faults: FieldFault[];
	set: (some: Partial<PersonFacts>) => void;
}

interface SeveralProps<T> {
	name: 'contacts' | 'representatives' | 'benefits' | 'devices';
	rows: T[];
	most: number;
	empty: T;
	faults: FieldFault[];
	onChange: (rows: T[]) => void;
	children: (row: T, path: string, set: (row: T) => void) => ComponentChildren;
}

/** A list that grows and shrinks. The focus goes to the first field of what is added, and to the list when one goes. */
function Several<T>({ name, rows, most, empty, faults, onChange, children }: SeveralProps<T>) {
	const fault = faults.find(({ field }) => field === name);
	const heading = `${idOf(name)}-list`;
	const add = () => {
		onChange([...rows, empty]);
		requestAnimationFrame(() =>
			document.getElementById(heading)?.querySelector<HTMLElement>('fieldset:last-of-type :is(input, select)')?.focus(),
		);
	};
	const remove = (at: number) => {
		onChange(rows.filter((_, i) => i !== at));
		requestAnimationFrame(() => document.getElementById(`${heading}-title`)?.focus());
	};
	return (
		<section id={heading}>
			<h2 id={`${heading}-title`} tabIndex={-1}>
				{t(`desk.person.field.${name}`)}
			</h2>
			{fault && <p class="field-error">{faultText(fault)}</p>}
			{rows.map((row, at) => (
				<fieldset key={at} class="group desk-several">
					<legend class="field-label">{t('desk.person.nth', { what: t(`desk.person.field.${name}`), n: at + 1 })}</legend>
					{children(row, `${name}[${at}]`, (next) => onChange(rows.map((other, i) => (i === at ? next : other))))}
					<Button label={`${t('desk.person.remove')} ${at + 1}`} onPress={() => remove(at)}>
						{t('desk.person.remove')}
					</Button>
				</fieldset>
			))}
			{rows.length < most && (
				<Button label={`${t('desk.person.add')} ${t(`desk.person.field.${name}`)}`} onPress={add}>
					{t('desk.person.add')}
				</Button>
			)}
		</section>
	);
}

function Contacts({ facts, faults, set }: ListsProps) {
	return (
		<Several
			name="contacts"
			rows={facts.contacts}
			most={CONTACTS_MOST}
			empty={{ name: '', relation: '', phone: '' }}
			faults={faults}
			onChange={(contacts) => set({ contacts })}
		>
			{(row, path, change) =>
				(['phone', 'name', 'relation'] as const).map((part) => (
					<Text
						key={part}
						faults={faults}
						path={`${path}.${part}`}
						value={row[part]}
						onType={(text) => change({ ...row, [part]: text })}
					/>
				))
			}
		</Several>
	);
}

const NOBODY: Representative = { name: '', phone: '', relation: '', scope: 'SCOPE_NONE', from: '', until: '', modules: [] };

function Representatives({ facts, faults, set }: ListsProps) {
	return (
		<Several
			name="representatives"
			rows={facts.representatives}
			most={REPRESENTATIVES_MOST}
			empty={NOBODY}
			faults={faults}
			onChange={(representatives) => set({ representatives })}
		>
			{(row, path, change) => (
				<>
					{(['name', 'relation', 'phone'] as const).map((part) => (
						<Text
							key={part}
							faults={faults}
							path={`${path}.${part}`}
							value={row[part]}
							onType={(text) => change({ ...row, [part]: text })}
						/>
					))}
					<OneOf
						faults={faults}
						path={`${path}.scope`}
						value={row.scope}
						values={SCOPES}
						onChoose={(scope) => change({ ...row, scope })}
					/>
					<Choices
						id={idOf(`${path}.modules`)}
						legend={t('desk.person.field.modules')}
						options={MODULES.map((id) => ({ id, name: valueText(id) }))}
						chosen={row.modules}
						areSeveral
						class="desk-pair"
						onChange={(modules) => change({ ...row, modules: modules as Representative['modules'] })}
					/>
					<Span faults={faults} path={path} row={row} onChange={change} />
				</>
			)}
		</Several>
	);
}

interface SpanProps<T> {
	faults: FieldFault[];
	path: string;
	row: T;
	onChange: (row: T) => void;
}

function Span<T extends { from: string; until: string }>({ faults, path, row, onChange }: SpanProps<T>) {
	return (
		<>
			{(['from', 'until'] as const).map((part) => (
				<Text
					key={part}
					faults={faults}
					path={`${path}.${part}`}
					hint={DAY}
					value={row[part]}
					onType={(text) => onChange({ ...row, [part]: text })}
				/>
			))}
		</>
	);
}

interface ThingProps extends AtProps {
	of: keyof typeof THINGS;
	value: string;
	onChoose: (id: string) => void;
}

/** One of the list; what is on file and not in it any more can stay. */
function Thing({ of, value, onChoose, ...at }: ThingProps) {
	const ids = THINGS[of].map(({ id }) => id);
	const all = ids.includes(value) || !value ? ids : [value, ...ids];
	return (
		<At {...at}>
			{(wiring) => (
				<Select
					wiring={wiring}
					value={value}
					options={[{ id: '', name: t('desk.person.choose') }, ...all.map((id) => ({ id, name: thingText(of, id) }))]}
					onChoose={onChoose}
				/>
			)}
		</At>
	);
}

function Benefits({ facts, faults, set }: ListsProps) {
	return (
		<Several
			name="benefits"
			rows={facts.benefits}
			most={THINGS_MOST}
			empty={{ benefit: '', from: '', until: '' }}
			faults={faults}
			onChange={(benefits) => set({ benefits })}
		>
			{(row, path, change) => (
				<>
					<Thing
						of="benefits"
						faults={faults}
						path={`${path}.benefit`}
						value={row.benefit}
						onChoose={(benefit) => change({ ...row, benefit })}
					/>
					<Span faults={faults} path={path} row={row} onChange={change} />
				</>
			)}
		</Several>
	);
}

function Devices({ facts, faults, set }: ListsProps) {
	return (
		<Several
			name="devices"
			rows={facts.devices}
			most={THINGS_MOST}
			empty=""
			faults={faults}
			onChange={(devices) => set({ devices })}
		>
			{(row, path, change) => (
				<Thing of="devices" faults={faults} path={path} value={row} onChoose={change} />
			)}
		</Several>
	);
}

const today = () => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(Date.now());

/** Asked or not, and what the answer was; the day is that of the answer. */
function Consents({ facts, set }: ListsProps) {
	const answerOf = (topic: Topic) => facts.consents.find((one) => one.topic === topic);
	const answer = (topic: Topic, said: string) => {
		const rest = facts.consents.filter((one) => one.topic !== topic);
		const given: PersonConsent[] = said === 'none' ? [] : [{ topic, is_given: said === 'yes', day: today() }];
		set({ consents: [...rest, ...given].sort((a, b) => TOPICS.indexOf(a.topic) - TOPICS.indexOf(b.topic)) });
	};
	return (
		<section>
			<h2>{t('desk.person.field.consents')}</h2>
			{TOPICS.map((topic) => {
				const said = answerOf(topic);
				return (
					<Field key={topic} id={idOf(`consents-${topic.toLowerCase()}`)} label={valueText(topic)}>
						{(wiring) => (
							<Select
								wiring={wiring}
								value={said === undefined ? 'none' : said.is_given ? 'yes' : 'no'}
								options={[
									{ id: 'none', name: t('desk.person.not-asked') },
									{ id: 'yes', name: t('common.consent.given') },
									{ id: 'no', name: t('common.consent.refused') },
								]}
								onChoose={(chosen) => answer(topic, chosen)}
							/>
						)}
					</Field>
				);
			})}
		</section>
	);
}
