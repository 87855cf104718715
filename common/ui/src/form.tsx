// The one form generator: questions from a service's fields, for every field type of the catalogue.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { dateText, language, t, textOr, words } from './i18n';
import { Keypad } from './keypad';
import { FieldNotes, Notice } from './parts';
import { canonical } from './rules';
import type { Filling, Step } from './steps';
import type { Field, FieldFault, Words } from './types';

/** The community in which this page stands, offered as the answer to "which community". */
export interface Here {
	code: string; // 12 digits, or empty
	name: Words | undefined;
}

export interface QuestionProps {
	field: Field;
	values: readonly string[];
	fault: FieldFault | null;
	here: Here;
	number: number; // from 1
	total: number;
	onChange: (values: string[]) => void;
}

const TITLE = 'question';
const ANSWER = 'answer';

/** One question a screen: what is read above, what is touched below. The heading is the input's label. */
export function Question(props: QuestionProps): JSX.Element {
	const { field, fault, number, total } = props;
	const hint = words(field.hint);
	return (
		<>
			<div class="shown">
				<p class="progress">{t('common.form.progress', { number, total })}</p>
				<h1 id={TITLE} tabIndex={-1}>
					{words(field.label)}
				</h1>
				<FieldNotes id={ANSWER} hint={hint} error={fault ? faultText(field, fault) : undefined} />
			</div>
			<div class={fault ? 'touched wrong' : 'touched'}>
				<FieldInput key={field.id} {...props} />
			</div>
		</>
	);
}

/** Puts the focus on what must be corrected. */
export function focusAnswer(): void {
	const place = document.getElementById(ANSWER);
	const input = place?.matches('input, textarea')
		? place
		: place?.querySelector<HTMLElement>('input:checked, input, textarea');
	input?.focus();
}

function FieldInput(props: QuestionProps): JSX.Element {
	switch (props.field.type) {
		case 'FIELD_TYPE_CHOICE':
		case 'FIELD_TYPE_YES_NO':
			return <Choices {...props} options={optionsOf(props.field)} />;
		case 'FIELD_TYPE_SEVERAL':
			return <Choices {...props} options={optionsOf(props.field)} areSeveral />;
		case 'FIELD_TYPE_DATE':
			return <DateParts {...props} />;
		case 'FIELD_TYPE_PLACE':
			return <Community {...props} />;
		case 'FIELD_TYPE_LONG_TEXT':
			return <LongText {...props} />;
		case 'FIELD_TYPE_FILE':
			return <Notice kind="info" title={t('common.file.counter')} />; // a kiosk has neither camera nor files
		default:
			return <Line {...props} />;
	}
}

/** What ties an input or a group to the question's heading, hint and error. */
function wiring({ field, fault }: QuestionProps) {
	const described = [words(field.hint) && `${ANSWER}-hint`, fault && `${ANSWER}-error`].filter(Boolean).join(' ');
	return {
		'aria-labelledby': TITLE,
		'aria-describedby': described || undefined,
		'aria-invalid': fault ? (true as const) : undefined,
	};
}

interface Option {
	id: string;
	name: string;
}

function optionsOf(field: Field): Option[] {
	if (field.type === 'FIELD_TYPE_YES_NO')
		return [
			{ id: 'yes', name: t('common.yes') },
			{ id: 'no', name: t('common.no') },
			{ id: 'unknown', name: t('common.unknown') },
		];
	return field.choices.map((choice) => ({ id: choice.id, name: words(choice.name) }));
}

function Choices(props: QuestionProps & { options: Option[]; areSeveral?: boolean }): JSX.Element {
	const { field, values, options, areSeveral = false, onChange } = props;
	const { 'aria-invalid': _, ...group } = wiring(props); // a group cannot be invalid; its error is in the description
	const choose = (id: string, isOn: boolean) => {
		if (!areSeveral) onChange([id]);
		else onChange(options.map((o) => o.id).filter((other) => (other === id ? isOn : values.includes(other))));
	};
	return (
		<fieldset class="group choices" id={ANSWER} {...group}>
			{options.map(({ id, name }) => (
				<label class="choice" key={id}>
					<input
						type={areSeveral ? 'checkbox' : 'radio'}
						name={field.id}
						checked={values.includes(id)}
						onChange={(e) => choose(id, e.currentTarget.checked)}
					/>
					<span>{name}</span>
				</label>
			))}
		</fieldset>
	);
}

const NUMERIC = [
	'FIELD_TYPE_NUMBER',
	'FIELD_TYPE_MONEY',
	'FIELD_TYPE_PHONE',
	'FIELD_TYPE_CERTIFICATE',
	'FIELD_TYPE_ID_NUMBER',
];

function inputModeOf(field: Field): 'text' | 'numeric' | 'decimal' | 'tel' {
	switch (field.type) {
		case 'FIELD_TYPE_NUMBER':
			return Number(field.least) < 0 ? 'text' : 'numeric';
		case 'FIELD_TYPE_MONEY':
			return 'decimal';
		case 'FIELD_TYPE_PHONE':
			return 'tel';
		default:
			return 'text'; // certificates and id numbers may end in X or B
	}
}

function extrasOf(field: Field): string[] {
	switch (field.type) {
		case 'FIELD_TYPE_NUMBER':
			return Number(field.least) < 0 ? ['-'] : [];
		case 'FIELD_TYPE_MONEY':
			return ['.'];
		case 'FIELD_TYPE_CERTIFICATE':
			return ['X', 'B'];
		case 'FIELD_TYPE_ID_NUMBER':
			return ['X'];
		default:
			return [];
	}
}

/** A shared screen must not offer what somebody else typed. */
const PRIVATE = { autoComplete: 'off', autoCorrect: 'off', autoCapitalize: 'off', spellcheck: false } as const;

function Line(props: QuestionProps): JSX.Element {
	const { field, values, onChange } = props;
	const value = values[0] ?? '';
	const input = (
		<input
			class="line"
			id={ANSWER}
			type="text"
			inputMode={inputModeOf(field)}
			value={value}
			onInput={(e) => onChange([e.currentTarget.value])}
			{...wiring(props)}
			{...PRIVATE}
		/>
	);
	if (!NUMERIC.includes(field.type)) return input;
	return (
		<>
			{input}
			<Keypad
				extras={extrasOf(field)}
				onKey={(key) => onChange([value + key])}
				onErase={() => onChange([value.slice(0, -1)])}
			/>
		</>
	);
}

function LongText(props: QuestionProps): JSX.Element {
	return (
		<textarea
			class="line"
			id={ANSWER}
			rows={4}
			value={props.values[0] ?? ''}
			onInput={(e) => props.onChange([e.currentTarget.value])}
			{...wiring(props)}
			{...PRIVATE}
		/>
	);
}

const DATE_PARTS = [
	{ key: 'common.date.year', digits: 4 },
	{ key: 'common.date.month', digits: 2 },
	{ key: 'common.date.day', digits: 2 },
] as const;

function DateParts(props: QuestionProps): JSX.Element {
	const parts = (props.values[0] ?? '--').split('-');
	const [active, setActive] = useState(0);
	const set = (i: number, text: string) => {
		const digits = text.replace(/\D/g, '').slice(0, DATE_PARTS[i]!.digits);
		props.onChange([DATE_PARTS.map((_, j) => (j === i ? digits : (parts[j] ?? ''))).join('-')]);
	};
	const type = (key: string) => {
		const isFull = (parts[active] ?? '').length >= DATE_PARTS[active]!.digits;
		const i = isFull && active < 2 ? active + 1 : active;
		setActive(i);
		set(i, (parts[i] ?? '') + key);
	};
	const erase = () => {
		const i = !parts[active] && active > 0 ? active - 1 : active;
		setActive(i);
		set(i, (parts[i] ?? '').slice(0, -1));
	};
	const { 'aria-invalid': isInvalid, ...group } = wiring(props);
	return (
		<>
			<fieldset class="group" id={ANSWER} {...group}>
				<div class="date-parts">
					{DATE_PARTS.map(({ key }, i) => (
						<label class="date-part" key={key}>
							<span>{t(key)}</span>
							<input
								class={i === active ? 'line active' : 'line'}
								type="text"
								inputMode="numeric"
								value={parts[i] ?? ''}
								aria-invalid={isInvalid}
								onFocus={() => setActive(i)}
								onInput={(e) => set(i, e.currentTarget.value)}
								{...PRIVATE}
							/>
						</label>
					))}
				</div>
			</fieldset>
			<Keypad onKey={type} onErase={erase} />
		</>
	);
}

function Community(props: QuestionProps): JSX.Element {
	const { field, values, here, onChange } = props;
	const value = values[0];
	const [isElsewhere, setElsewhere] = useState(value !== undefined && value !== here.code);
	const { 'aria-invalid': isInvalid, ...group } = wiring(props);
	const code = value ?? '';
	return (
		<>
			<fieldset class="group choices" id={ANSWER} {...group}>
				{here.code && (
					<label class="choice">
						<input
							type="radio"
							name={field.id}
							checked={!isElsewhere && value === here.code}
							onChange={() => {
								setElsewhere(false);
								onChange([here.code]);
							}}
						/>
						<span>{t('common.place.here', { name: words(here.name) })}</span>
					</label>
				)}
				<label class="choice">
					<input
						type="radio"
						name={field.id}
						checked={isElsewhere}
						onChange={() => {
							setElsewhere(true);
							onChange([]);
						}}
					/>
					<span>{t('common.place.elsewhere')}</span>
				</label>
			</fieldset>
			{isElsewhere && (
				<>
					<label class="date-part">
						<span>{t('common.place.code')}</span>
						<input
							class="line"
							type="text"
							inputMode="numeric"
							value={code}
							aria-invalid={isInvalid}
							onInput={(e) => onChange([e.currentTarget.value])}
							{...PRIVATE}
						/>
					</label>
					<Keypad onKey={(key) => onChange([code + key])} onErase={() => onChange([code.slice(0, -1)])} />
				</>
			)}
		</>
	);
}

/** What is wrong with an answer, in the reader's language. */
export function faultText(field: Field, fault: FieldFault): string {
	const unit = field.type === 'FIELD_TYPE_MONEY' ? 100 : 1; // limits of money are in fen
	const limits = { least: Number(fault.least) / unit, most: Number(fault.most) / unit };
	return textOr(`common.rule.${fault.rule}`, 'common.rule.unknown-field', limits);
}

/** A step with its answer, as it stands on the page where all answers are checked. */
export function stepText(step: Step, filling: Filling, here: Here): { key: string; question: string; text: string } {
	const { key } = step;
	if (step.at === 'question') {
		const text = filling.files[key]
			? t('common.file.given')
			: answerText(step.field, canonical(step.field, filling.answers[key] ?? []), here);
		return { key, question: words(step.field.label), text };
	}
	const isGiven = filling.agreed[key]?.is_given;
	const text = isGiven === undefined ? t('common.form.no-answer') : consentText(isGiven);
	if (step.at === 'health') return { key, question: t('common.consent.health'), text };
	return { key, question: `${t('common.sharing.with-whom')}: ${words(step.sharing.with_whom)}`, text };
}

export function consentText(isGiven: boolean): string {
	return isGiven ? t('common.consent.given') : t('common.consent.refused');
}

/** An answer in canonical form, as people read it. */
export function answerText(field: Field, values: readonly string[], here: Here): string {
	if (values.length === 0) return t('common.form.no-answer');
	const separator = language() === 'en' ? ', ' : '、';
	return values.map((value) => valueText(field, value, here)).join(separator);
}

function valueText(field: Field, value: string, here: Here): string {
	switch (field.type) {
		case 'FIELD_TYPE_CHOICE':
		case 'FIELD_TYPE_SEVERAL':
		case 'FIELD_TYPE_YES_NO':
			return optionsOf(field).find((option) => option.id === value)?.name ?? value;
		case 'FIELD_TYPE_MONEY':
			return t('common.money', { yuan: value });
		case 'FIELD_TYPE_DATE':
			return dateText(value);
		case 'FIELD_TYPE_PLACE':
			return value === here.code ? words(here.name) : value;
		default:
			return value;
	}
}
