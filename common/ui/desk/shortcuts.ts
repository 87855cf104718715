// Single-key shortcuts, and the switch that turns them off (WCAG 2.1.4: speech input types letters by accident).
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { keep, kept } from './kept';

let isOn = kept('shortcuts') !== 'off';
const followers = new Set<(on: boolean) => void>();

export function switchShortcuts(on: boolean): void {
	isOn = on;
	keep('shortcuts', on ? 'on' : 'off');
	for (const follow of followers) follow(on);
}

export function useShortcutSwitch(): boolean {
	const [on, setOn] = useState(isOn);
	useEffect(() => {
		followers.add(setOn);
		return () => void followers.delete(setOn);
	}, []);
	return on;
}

// Where letters are text, or where a dialog is in front, a letter is never a command.
function isForTyping(target: EventTarget | null): boolean {
	if (!(target instanceof Element)) return false;
	return target.closest('input, textarea, select, [contenteditable], dialog, [role="dialog"]') !== null;
}

function hasOpenDialog(): boolean {
	return document.querySelector('dialog[open], [role="dialog"], [role="alertdialog"]') !== null;
}

export type Keys = Record<string, () => void>;

export function useShortcuts(keys: Keys): void {
	const newest = useRef(keys);
	newest.current = keys;
	useLayoutEffect(() => {
		// before the page is painted: who sees it may press a key
		const press = (event: KeyboardEvent) => {
			if (!isOn || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
			if (isForTyping(event.target) || hasOpenDialog()) return;
			const act = newest.current[event.key.toLowerCase()];
			if (!act) return;
			event.preventDefault();
			act();
		};
		addEventListener('keydown', press);
		return () => removeEventListener('keydown', press);
	}, []);
}
