// What is filled in: a label, a hint and an error around one input, and the inputs of every kind.
import type { ComponentChildren, JSX } from 'preact';
import { t } from '../i18n';
import { Icon } from '../icons';

/** What an input inside a Field must carry; one inside a label of its own needs no id. */
export interface FieldWiring {
	id?: string;
	'aria-describedby'?: string | undefined;
	'aria-labelledby'?: string | undefined;
	'aria-invalid'?: true | undefined;
	'aria-required'?: true | undefined;
}

export interface FieldProps {
	id: string;
	label: string;
	hint?: string;
	error?: string;
	isRequired?: boolean;
	isLabelHidden?: boolean; // seen as the page's heading already
	children: (wiring: FieldWiring) => ComponentChildren;
}

/** Label, hint and error of one input, tied to it by id. */
export function Field({ id, label, hint, error, isRequired, isLabelHidden, children }: FieldProps): JSX.Element {
	return (
		<div class={error ? 'field wrong' : 'field'}>
			<label for={id} class={isLabelHidden ? 'unseen' : 'field-label'}>
				{label}
			</label>
			<FieldNotes id={id} hint={hint} error={error} />
			{children({
				id,
				'aria-describedby': notesOf(id, hint, error),
				'aria-invalid': error ? true : undefined,
				'aria-required': isRequired || undefined,
			})}
		</div>
	);
}

/** The ids that FieldNotes gives to hint and error, for aria-describedby. */
export function notesOf(id: string, hint?: string, error?: string): string | undefined {
	return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
}

/** Hint and error, with the ids that a group or an input names in aria-describedby. */
export function FieldNotes({ id, hint, error }: { id: string; hint?: string; error?: string }): JSX.Element {
	return (
		<>
			{hint && (
				<p class="field-hint" id={`${id}-hint`}>
					{hint}
				</p>
			)}
			{error && (
				<p class="field-error" id={`${id}-error`}>
					<Icon name="danger" />
					<span>
						<strong>{t('common.error')}</strong> {error}
					</span>
				</p>
			)}
		</>
	);
}

interface TypedProps {
	wiring: FieldWiring;
	value: string;
	onType: (value: string) => void;
	maxLength?: number;
	autoComplete?: string; // what the browser may offer; nothing, because screens are shared
	class?: string;
}

export interface LineProps extends TypedProps {
	type?: 'text' | 'password';
	inputMode?: 'text' | 'numeric' | 'decimal' | 'tel' | 'search';
	onFocus?: () => void;
}

/** One line of typing. */
export function Line({ wiring, onType, type = 'text', autoComplete = 'off', class: more = '', ...rest }: LineProps) {
	return (
		<input
			{...wiring}
			{...rest}
			class={`line ${more}`}
			type={type}
			autoComplete={autoComplete}
			autoCorrect="off"
			autoCapitalize="none"
			spellcheck={false}
			onInput={(e) => onType(e.currentTarget.value)}
		/>
	);
}

export interface FilePickProps {
	wiring: FieldWiring;
	accept: string;
	onPick: (file: Blob) => void;
}

/** One file of the person's own. Its name stays here: what it is, its bytes say. */
export function FilePick({ wiring, accept, onPick }: FilePickProps): JSX.Element {
	const take = (input: HTMLInputElement) => {
		const chosen = input.files?.[0];
		input.value = '';
		if (chosen) onPick(chosen);
	};
	return <input {...wiring} class="line" type="file" accept={accept} onChange={(e) => take(e.currentTarget)} />;
}

/** Several lines of typing. */
export function LongLine({
	wiring,
	onType,
	rows = 4,
	autoComplete = 'off',
	class: more = '',
	...rest
}: TypedProps & { rows?: number }): JSX.Element {
	return (
		<textarea
			{...wiring}
			{...rest}
			class={`line ${more}`}
			rows={rows}
			autoComplete={autoComplete}
			spellcheck={false}
			onInput={(e) => onType(e.currentTarget.value)}
		/>
	);
}

export interface Option {
	id: string;
	name: string;
	about?: string; // a second, smaller line
}

/** One of a list that opens: for staff pages, where the list is long and known. */
export function Select({
	wiring,
	value,
	options,
	onChoose,
}: {
	wiring: FieldWiring;
	value: string;
	options: readonly Option[];
	onChoose: (id: string) => void;
}): JSX.Element {
	return (
		<select {...wiring} class="line" value={value} onChange={(e) => onChoose(e.currentTarget.value)}>
			{options.map(({ id, name }) => (
				<option key={id} value={id}>
					{name}
				</option>
			))}
		</select>
	);
}

export interface ChoicesProps {
	id: string;
	legend?: string; // or aria-labelledby, where a heading says it already
	hint?: string;
	error?: string;
	name?: string; // of the group, if not its id
	options: readonly Option[];
	chosen: readonly string[];
	areSeveral?: boolean;
	onChange: (chosen: string[]) => void;
	class?: string;
	'aria-labelledby'?: string;
	'aria-describedby'?: string;
}

/** All choices in sight: one of them, or several. */
export function Choices(props: ChoicesProps): JSX.Element {
	const { id, legend, hint, error, name = id, options, chosen, areSeveral = false, onChange } = props;
	const choose = (one: string, isOn: boolean) => {
		if (!areSeveral) onChange([one]);
		else onChange(options.map((o) => o.id).filter((other) => (other === one ? isOn : chosen.includes(other))));
	};
	return (
		<fieldset
			class={`group choices ${error ? 'wrong' : ''} ${props.class ?? ''}`}
			id={id}
			aria-labelledby={props['aria-labelledby']}
			aria-describedby={props['aria-describedby'] ?? notesOf(id, hint, error)}
		>
			{legend && <legend class="field-label">{legend}</legend>}
			<FieldNotes id={id} hint={hint} error={error} />
			{options.map((option) => (
				<Choice
					key={option.id}
					type={areSeveral ? 'checkbox' : 'radio'}
					name={name}
					option={option}
					isChosen={chosen.includes(option.id)}
					onChange={(isOn) => choose(option.id, isOn)}
				/>
			))}
		</fieldset>
	);
}

export interface ChoiceProps {
	type: 'radio' | 'checkbox';
	name: string;
	option: Option;
	isChosen: boolean;
	onChange: (isOn: boolean) => void;
}

/** One choice of a group, or one box to tick by itself. */
export function Choice({ type, name, option, isChosen, onChange }: ChoiceProps): JSX.Element {
	return (
		<label class="choice">
			<input type={type} name={name} checked={isChosen} onChange={(e) => onChange(e.currentTarget.checked)} />
			<span class="choice-words">
				{option.name}
				{option.about && <span class="choice-about">{option.about}</span>}
			</span>
		</label>
	);
}
