// Modal dialogs: the focus stays inside, goes back to what opened them, and readers begin with the title.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Announcer } from './announce';

export interface DialogProps {
	title: string;
	children?: ComponentChildren;
	actions: ComponentChildren; // buttons
	onClose: () => void; // Escape
	isAlert?: boolean; // interrupts: its words are spoken with its title
}

export function Dialog({ title, children, actions, onClose, isAlert }: DialogProps): JSX.Element {
	const id = useId();
	const dialog = useRef<HTMLDialogElement>(null);
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => {
		const opener = document.activeElement as HTMLElement | null;
		const box = dialog.current!;
		box.showModal();
		heading.current!.focus();
		return () => {
			box.close();
			giveBack(opener);
		};
	}, []);
	return (
		<dialog
			ref={dialog}
			class="dialog"
			role={isAlert ? 'alertdialog' : undefined}
			aria-labelledby={`${id}-title`}
			aria-describedby={isAlert ? `${id}-body` : undefined}
			onCancel={(e) => {
				e.preventDefault(); // the owner unmounts it
				onClose();
			}}
			onKeyDown={(e) => keepFocus(e, dialog.current!)}
		>
			<Announcer />
			<h2 id={`${id}-title`} tabIndex={-1} ref={heading}>
				{title}
			</h2>
			<div class="dialog-body" id={`${id}-body`}>
				{children}
			</div>
			<div class="actions">{actions}</div>
		</dialog>
	);
}

// What opened the dialog may be gone by now, or a key press opened it: then reading goes on at the page's heading.
function giveBack(opener: HTMLElement | null): void {
	if (opener?.isConnected && opener !== document.body) opener.focus();
	else if (!document.querySelector('dialog[open]')) document.querySelector<HTMLElement>('main h1')?.focus();
}

const STOPS = 'button, input, textarea, select, a[href], summary, [tabindex="0"]';

// showModal makes the rest of the page inert, but Tab could still leave for the browser's own controls.
function keepFocus(e: JSX.TargetedKeyboardEvent<HTMLDialogElement>, box: HTMLDialogElement): void {
	if (e.key !== 'Tab') return;
	const stops = [...box.querySelectorAll<HTMLElement>(STOPS)].filter((stop) => stop.getClientRects().length > 0);
	const edge = e.shiftKey ? stops[0] : stops[stops.length - 1];
	const atStart = e.shiftKey && !stops.includes(document.activeElement as HTMLElement);
	if (document.activeElement !== edge && !atStart) return;
	e.preventDefault();
	(e.shiftKey ? stops[stops.length - 1] : stops[0])?.focus();
}
