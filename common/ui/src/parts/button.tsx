// What is pressed: buttons, switches, and the links that lead to another page.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../i18n';
import { Icon, type IconName } from '../icons';
import { announce } from './announce';

export interface ButtonProps {
	children: ComponentChildren;
	onPress?: () => void; // without it: a submit button of its form
	kind?: 'plain' | 'primary' | 'danger' | 'link'; // a link among words, which acts on this page
	icon?: IconName;
	isBusy?: boolean; // stays focusable, does nothing, says so
	whyNot?: string; // why it cannot be pressed now: stays focusable, and the reason stands beside it
	class?: string;
	label?: string; // accessible name, if it must say more than the visible words (and begin with them)
	lang?: string;
	isPressed?: boolean; // for toggles
	describedBy?: string;
}

export function Button(props: ButtonProps): JSX.Element {
	const { kind = 'plain', isBusy = false, whyNot, describedBy } = props;
	const reason = useId();
	const isOff = isBusy || whyNot !== undefined;
	const icon = isBusy ? 'waiting' : props.icon;
	const button = (
		<button
			type={props.onPress ? 'button' : 'submit'}
			class={`button ${kind} ${props.class ?? ''}`}
			aria-label={props.label}
			aria-disabled={isOff || undefined}
			aria-pressed={props.isPressed}
			aria-describedby={[whyNot !== undefined && reason, describedBy].filter(Boolean).join(' ') || undefined}
			lang={props.lang}
			onClick={(e) => {
				if (isOff) e.preventDefault();
				else props.onPress?.();
				if (whyNot !== undefined) announce(whyNot, true);
			}}
		>
			{icon && <Icon name={icon} />}
			<span class="button-words">{props.children}</span>
		</button>
	);
	return (
		<>
			{button}
			{whyNot !== undefined && (
				<span class="button-why" id={reason}>
					<Icon name="locked" />
					<span>{whyNot}</span>
				</span>
			)}
		</>
	);
}

/** Something that is on or off, and says which in a word. */
export function Switch({
	isOn,
	onSwitch,
	children,
}: {
	isOn: boolean;
	onSwitch: (isOn: boolean) => void;
	children: ComponentChildren;
}): JSX.Element {
	return (
		<button type="button" role="switch" class="button plain switch" aria-checked={isOn} onClick={() => onSwitch(!isOn)}>
			<span class="button-words">{children}</span>
			<span class="switch-track" aria-hidden="true" />
			<span class="switch-word" aria-hidden="true">
				{t(isOn ? 'common.on' : 'common.off')}
			</span>
		</button>
	);
}

/** A link that looks like one of several pages or views to choose from. */
export function Tab({ href, isHere, children }: { href: string; isHere?: boolean; children: ComponentChildren }) {
	return (
		<a class="tab" href={href} aria-current={isHere ? 'page' : undefined}>
			{children}
		</a>
	);
}

/** The first thing that Tab reaches on a page with a header: over it, to the heading. */
export function SkipLink(): JSX.Element {
	return (
		<button
			type="button"
			class="skip"
			onClick={() => document.querySelector<HTMLElement>('main h1')?.focus()}
		>
			{t('common.skip')}
		</button>
	);
}

export interface MoreProps {
	name: ComponentChildren;
	children: ComponentChildren;
	isOpen?: boolean; // with onToggle: the page says whether it is open
	onToggle?: (isOpen: boolean) => void;
	path?: string; // what it holds, for whoever looks for the place of a fault
}

/** What only few want to read, behind its own name. */
export function More({ name, children, isOpen, onToggle, path }: MoreProps): JSX.Element {
	return (
		<details class="more" open={isOpen} data-path={path} onToggle={(e) => onToggle?.(e.currentTarget.open)}>
			<summary>{name}</summary>
			<div class="more-body">{children}</div>
		</details>
	);
}
