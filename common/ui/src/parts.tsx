// The parts that all pages are made of. Each carries its own wiring for keyboards and screen readers.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t, useLanguage } from './i18n';
import { Icon, type IconName } from './icons';

export { Icon, type IconName } from './icons';

export interface ButtonProps {
	children: ComponentChildren;
	onPress?: () => void; // without it: a submit button of its form
	kind?: 'plain' | 'primary' | 'danger';
	icon?: IconName;
	isBusy?: boolean; // stays focusable, does nothing, says so
	class?: string;
	label?: string; // accessible name, if it must say more than the visible words (and begin with them)
	lang?: string;
	isPressed?: boolean; // for toggles
	describedBy?: string;
}

export function Button(props: ButtonProps): JSX.Element {
	const { kind = 'plain', isBusy = false } = props;
	return (
		<button
			type={props.onPress ? 'button' : 'submit'}
			class={`button ${kind} ${props.class ?? ''}`}
			aria-label={props.label}
			aria-disabled={isBusy || undefined}
			aria-pressed={props.isPressed}
			aria-describedby={props.describedBy}
			lang={props.lang}
			onClick={(e) => {
				if (isBusy) e.preventDefault();
				else props.onPress?.();
			}}
		>
			{props.icon && <Icon name={props.icon} />}
			<span class="button-words">{props.children}</span>
		</button>
	);
}

/** What an input inside a Field must carry. */
export interface FieldWiring {
	id: string;
	'aria-describedby': string | undefined;
	'aria-invalid': true | undefined;
	'aria-required': true | undefined;
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
	const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
	return (
		<div class={error ? 'field wrong' : 'field'}>
			<label for={id} class={isLabelHidden ? 'unseen' : 'field-label'}>
				{label}
			</label>
			<FieldNotes id={id} hint={hint} error={error} />
			{children({
				id,
				'aria-describedby': described || undefined,
				'aria-invalid': error ? true : undefined,
				'aria-required': isRequired || undefined,
			})}
		</div>
	);
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

export type NoticeKind = 'info' | 'success' | 'warning' | 'danger';

/** Status by icon, word and colour. */
export function Notice({
	kind,
	title,
	children,
}: {
	kind: NoticeKind;
	title?: string;
	children?: ComponentChildren;
}): JSX.Element {
	return (
		<div class={`notice ${kind}`}>
			<Icon name={kind} />
			<div class="notice-words">
				<strong>{title ?? t(`common.notice.${kind}`)}</strong>
				{children && <div>{children}</div>}
			</div>
		</div>
	);
}

let say: (text: string, isUrgent: boolean) => void = () => {};

/** Speaks through the page's Announcer. */
export function announce(text: string, isUrgent = false): void {
	say(text, isUrgent);
}

/** Put one of these at the root of each page. */
export function Announcer(): JSX.Element {
	const [calm, setCalm] = useState('');
	const [urgent, setUrgent] = useState('');
	useEffect(() => {
		// The same sentence twice is silent unless the text changes: a trailing no-break space makes it new.
		say = (text, isUrgent) => (isUrgent ? setUrgent : setCalm)((old) => (old === text ? `${text}\u00a0` : text));
		return () => {
			say = () => {};
		};
	}, []);
	const spoken = useLanguage();
	useEffect(() => {
		setCalm('');
		setUrgent(''); // what was said in the other language
	}, [spoken]);
	return (
		<div class="unseen">
			<div role="status">{calm}</div>
			<div role="alert">{urgent}</div>
		</div>
	);
}

export interface DialogProps {
	title: string;
	children?: ComponentChildren;
	actions: ComponentChildren; // buttons
	onClose: () => void; // Escape
	isAlert?: boolean;
}

/** Modal: keeps the focus inside, gives it back to what opened it, and begins with its title. */
export function Dialog({ title, children, actions, onClose, isAlert }: DialogProps): JSX.Element {
	const dialog = useRef<HTMLDialogElement>(null);
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => {
		const opener = document.activeElement as HTMLElement | null;
		const box = dialog.current!;
		box.showModal();
		heading.current!.focus();
		return () => {
			box.close();
			if (opener?.isConnected) opener.focus();
		};
	}, []);
	return (
		<dialog
			ref={dialog}
			class="dialog"
			role={isAlert ? 'alertdialog' : undefined}
			aria-labelledby="dialog-title"
			onCancel={(e) => {
				e.preventDefault(); // the owner unmounts it
				onClose();
			}}
			onKeyDown={(e) => keepFocus(e, dialog.current!)}
		>
			<h2 id="dialog-title" tabIndex={-1} ref={heading}>
				{title}
			</h2>
			<div class="dialog-body">{children}</div>
			<div class="actions">{actions}</div>
		</dialog>
	);
}

// showModal makes the rest of the page inert, but Tab could still leave for the browser's own controls.
function keepFocus(e: JSX.TargetedKeyboardEvent<HTMLDialogElement>, box: HTMLDialogElement): void {
	if (e.key !== 'Tab') return;
	const stops = [
		...box.querySelectorAll<HTMLElement>('button, input, textarea, select, a[href], summary, [tabindex="0"]'),
	];
	const edge = e.shiftKey ? stops[0] : stops[stops.length - 1];
	const atStart = e.shiftKey && !stops.includes(document.activeElement as HTMLElement);
	if (document.activeElement !== edge && !atStart) return;
	e.preventDefault();
	(e.shiftKey ? stops[stops.length - 1] : stops[0])?.focus();
}

export function DemoBanner({ isDemo }: { isDemo: boolean }): JSX.Element | null {
	if (!isDemo) return null;
	return (
		<p class="demo-banner">
			<Icon name="warning" />
			<span>{t('common.demo')}</span>
		</p>
	);
}

/** Marks a fact that nobody has checked yet. */
export function SampleMark({ isSample }: { isSample: boolean }): JSX.Element | null {
	if (!isSample) return null;
	return (
		<span class="sample-mark">
			<Icon name="warning" />
			{t('common.sample')}
		</span>
	);
}
