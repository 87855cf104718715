// The one form generator: questions from a service's fields, for every field type of the catalogue.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Camera } from './camera';
import { hasScanner, Scanner } from './scanner';
import { dateText, language, t, textOr, words } from './i18n';
import { Typed } from './keyboard';
import { Keypad } from './keypad';
import {
	announce,
	Button,
	Choice,
	Choices,
	FieldNotes,
	FilePick,
	Line,
	LongLine,
	notesOf,
	Notice,
	Progress,
	type Option,
} from './parts';
import { fileFrom } from './picture';
import { canonical } from './rules';
import type { Filling, Step } from './steps';
import type { Field, FieldFault, FieldType, FieldView, Words } from './types';

/** The community in which this page stands, offered as the answer to "which community". */
export interface Here {
	code: string; // 12 digits, or empty
	name: Words | undefined;
}

export interface AnswerProps {
	field: Field;
	values: readonly string[];
	fault: FieldFault | null;
	here: Here;
	onChange: (values: string[]) => void;
	id?: string; // of the input or group, where several stand on one page
	isCounter?: boolean; // a keyboard is at hand, and papers can be taken
	file?: string; // base64
	onFile?: (file: string) => void;
}

export interface QuestionProps extends AnswerProps {
	number: number; // from 1
	total: number;
}

const ANSWER = 'answer';
const titleOf = (id: string) => `${id}-title`;

/** One question a screen: what is read above, what is touched below. The heading is the input's label. */
export function Question(props: QuestionProps): JSX.Element {
	const { field, fault, number, total } = props;
	const hint = words(field.hint);
	return (
		<>
			<div class="shown">
				<Progress number={number} total={total}>
					{t('common.form.progress', { number, total })}
				</Progress>
				<h1 id={titleOf(ANSWER)} tabIndex={-1}>
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

/** One of several questions on a page. */
export function FieldQuestion(props: AnswerProps & { id: string }): JSX.Element {
	const { field, fault, id } = props;
	return (
		<div class={fault ? 'field wrong' : 'field'}>
			<h3 id={titleOf(id)}>
				{words(field.label)}
				{field.is_required && <span class="needed"> {t('common.form.needed')}</span>}
			</h3>
			<FieldNotes id={id} hint={words(field.hint)} error={fault ? faultText(field, fault) : undefined} />
			<FieldInput key={field.id} {...props} />
		</div>
	);
}

/** Puts the focus on what must be corrected. */
export function focusAnswer(id = ANSWER): void {
	const place = document.getElementById(id);
	const input = place?.matches('input, textarea')
		? place
		: place?.querySelector<HTMLElement>('input:checked, input, textarea');
	input?.focus();
}

function FieldInput(props: AnswerProps): JSX.Element {
	switch (props.field.type) {
		case 'FIELD_TYPE_CHOICE':
		case 'FIELD_TYPE_YES_NO':
		case 'FIELD_TYPE_SEVERAL':
			return <ChoiceOf {...props} />;
		case 'FIELD_TYPE_DATE':
			return <DateParts {...props} />;
		case 'FIELD_TYPE_PLACE':
			return <Community {...props} />;
		case 'FIELD_TYPE_LONG_TEXT':
			return <LongText {...props} />;
		case 'FIELD_TYPE_FILE':
			return fileInput(props);
		default:
			return <LineOf {...props} />;
	}
}

/** What ties an input or a group to the question's heading, hint and error. */
function wiring({ field, fault, id = ANSWER }: AnswerProps) {
	return {
		id,
		'aria-labelledby': titleOf(id),
		'aria-describedby': notesOf(id, words(field.hint), fault ? 'fault' : undefined),
		'aria-invalid': fault ? (true as const) : undefined,
	};
}

/** The same for a group, which cannot be invalid itself: its error is in the description. */
function groupWiring(props: AnswerProps) {
	const { 'aria-invalid': _, ...group } = wiring(props);
	return group;
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

function ChoiceOf(props: AnswerProps): JSX.Element {
	const { field, values, onChange } = props;
	return (
		<Choices
			{...groupWiring(props)}
			name={field.id}
			options={optionsOf(field)}
			chosen={values}
			areSeveral={field.type === 'FIELD_TYPE_SEVERAL'}
			onChange={onChange}
		/>
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

function LineOf(props: AnswerProps): JSX.Element {
	const { field, values, onChange } = props;
	const value = values[0] ?? '';
	const type = (text: string) => onChange([text]);
	const input = <Line wiring={wiring(props)} inputMode={inputModeOf(field)} value={value} onType={type} />;
	if (props.isCounter) return input;
	if (!NUMERIC.includes(field.type))
		return (
			<Typed id={props.id ?? ANSWER} value={value} onType={type}>
				{input}
			</Typed>
		);
	return (
		<>
			{input}
			<Keypad extras={extrasOf(field)} onKey={(key) => type(value + key)} onErase={() => type(value.slice(0, -1))} />
		</>
	);
}

function LongText(props: AnswerProps): JSX.Element {
	const value = props.values[0] ?? '';
	const type = (text: string) => props.onChange([text]);
	return (
		<Typed id={props.id ?? ANSWER} value={value} onType={type}>
			<LongLine wiring={wiring(props)} value={value} onType={type} />
		</Typed>
	);
}

const DATE_PARTS = [
	{ key: 'common.date.year', digits: 4 },
	{ key: 'common.date.month', digits: 2 },
	{ key: 'common.date.day', digits: 2 },
] as const;

function DateParts(props: AnswerProps): JSX.Element {
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
	const { 'aria-invalid': isInvalid } = wiring(props);
	return (
		<>
			<fieldset class="group" {...groupWiring(props)}>
				<div class="date-parts">
					{DATE_PARTS.map(({ key }, i) => (
						<label class="date-part" key={key}>
							<span>{t(key)}</span>
							<Line
								class={i === active ? 'active' : ''}
								wiring={{ 'aria-invalid': isInvalid }}
								inputMode="numeric"
								value={parts[i] ?? ''}
								onFocus={() => setActive(i)}
								onType={(text) => set(i, text)}
							/>
						</label>
					))}
				</div>
			</fieldset>
			{!props.isCounter && <Keypad onKey={type} onErase={erase} />}
		</>
	);
}

function Community(props: AnswerProps): JSX.Element {
	const { field, values, here, onChange } = props;
	const value = values[0];
	const [isElsewhere, setElsewhere] = useState(value !== undefined && value !== here.code);
	const { 'aria-invalid': isInvalid } = wiring(props);
	const code = value ?? '';
	const type = (text: string) => onChange([text]);
	return (
		<>
			<fieldset class="group choices" {...groupWiring(props)}>
				{here.code && (
					<Choice
						type="radio"
						name={field.id}
						option={{ id: 'here', name: t('common.place.here', { name: words(here.name) }) }}
						isChosen={!isElsewhere && value === here.code}
						onChange={() => {
							setElsewhere(false);
							onChange([here.code]);
						}}
					/>
				)}
				<Choice
					type="radio"
					name={field.id}
					option={{ id: 'elsewhere', name: t('common.place.elsewhere') }}
					isChosen={isElsewhere}
					onChange={() => {
						setElsewhere(true);
						onChange([]);
					}}
				/>
			</fieldset>
			{isElsewhere && (
				<>
					<label class="date-part">
						<span>{t('common.place.code')}</span>
						<Line wiring={{ 'aria-invalid': isInvalid }} inputMode="numeric" value={code} onType={type} />
					</label>
					{!props.isCounter && (
						<Keypad onKey={(key) => type(code + key)} onErase={() => type(code.slice(0, -1))} />
					)}
				</>
			)}
		</>
	);
}

/** A kiosk has no files; a scanner, or a camera, or neither. */
function fileInput(props: AnswerProps): JSX.Element {
	const { field, file = '', onFile, isCounter } = props;
	if (!onFile) return <BringIt />;
	if (isCounter) return <FileOf {...props} onFile={onFile} />;
	const Taker = hasScanner() ? Scanner : Camera;
	return <Taker most={Number(field.most)} file={file} onFile={onFile} />;
}

function BringIt(): JSX.Element {
	return <Notice kind="info" title={t('common.file.counter')} />;
}

const FILE_TYPES = 'image/jpeg,image/png,image/webp,application/pdf';

/** Pictures are drawn anew and made small before they go anywhere (picture.ts). */
function FileOf(props: AnswerProps & { onFile: (file: string) => void }): JSX.Element {
	const { field, file, onFile } = props;
	const [wrong, setWrong] = useState('');
	const take = async (chosen: Blob) => {
		const taken = await fileFrom(chosen, Number(field.most));
		const text = taken.rule ? t(`common.rule.${taken.rule}`) : '';
		setWrong(text);
		if (text) announce(text, true);
		else onFile(taken.file);
	};
	if (file)
		return (
			<p class="file-given">
				{t('common.file.given')} <Button onPress={() => onFile('')}>{t('common.file.remove')}</Button>
			</p>
		);
	return (
		<>
			<FilePick wiring={wiring(props)} accept={FILE_TYPES} onPick={(chosen) => void take(chosen)} />
			{wrong && <p class="field-error">{wrong}</p>}
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

/** An answer as a daemon shows it, as people read it. */
export function shownText({ type, values, choice_names }: FieldView): string {
	if (values.length === 0) return t('common.form.no-answer');
	const separator = language() === 'en' ? ', ' : '、';
	return values.map((value, at) => words(choice_names[at]) || shownValue(type, value)).join(separator);
}

function shownValue(type: FieldType, value: string): string {
	if (type === 'FIELD_TYPE_YES_NO' && (value === 'yes' || value === 'no' || value === 'unknown')) return t(`common.${value}`);
	if (type === 'FIELD_TYPE_DATE') return dateText(value);
	return type === 'FIELD_TYPE_MONEY' ? t('common.money', { yuan: value }) : value;
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
