// How the person who is here uses the kiosk: sizes, colours, reach, wording, pace, and what staff should know of it. It
// lasts as long as the journey, and is nowhere but in this page's memory.
import { useEffect, useState } from 'preact/hooks';
import { setLanguage } from 'ui/i18n';
import { showDisplay, type Display } from 'ui/parts';
import type { AccessNeed, Field, Service, Words } from 'ui/types';

/** What a kiosk offers to tell staff, in this order. */
export const NEEDS = [
	'ACCESS_NEED_LARGE_TEXT',
	'ACCESS_NEED_SPEECH',
	'ACCESS_NEED_SIGN_LANGUAGE',
	'ACCESS_NEED_TEXT_ONLY',
	'ACCESS_NEED_EASY_LANGUAGE',
	'ACCESS_NEED_WHEELCHAIR',
] as const satisfies readonly AccessNeed[];
export type Need = (typeof NEEDS)[number];

export interface Access extends Display {
	isLow: boolean; // nothing that is touched lies above 1,100 mm
	isEasy: boolean; // what need not be read stands behind a button of its own
	isSlow: boolean; // hands that tremble: presses that follow soon do not count
	told: readonly Need[] | null; // what staff are told, if the person has said so; null: what the modes suggest
}

const USUAL_SIZE = 1; // cap height 9.7 mm
const USUAL: Access = { size: USUAL_SIZE, theme: 'paper', isLow: false, isEasy: false, isSlow: false, told: null };

let current = USUAL;
const listeners = new Set<() => void>();

export function access(): Access {
	return current;
}

function show(next: Access): void {
	current = next;
	showDisplay(next);
	document.documentElement.dataset.reach = next.isLow ? 'low' : 'usual';
	for (const listener of listeners) listener();
}

export function setAccess(change: Partial<Access>): void {
	show({ ...current, ...change });
}

/** As somebody new finds it. */
export function resetAccess(): void {
	show(USUAL);
	setLanguage('zh-CN');
}

export function isAccessUsual(): boolean {
	return current === USUAL;
}

/** Draws the component again when something of it changes. */
export function useAccess(): Access {
	const [shown, set] = useState(current);
	useEffect(() => {
		const listener = () => set(current);
		listeners.add(listener);
		listener(); // it may have changed since it was drawn
		return () => void listeners.delete(listener);
	}, []);
	return shown;
}

/** A service's name for who is here. */
export function nameOf({ name, easy_name }: Service, { isEasy }: Access): Words | undefined {
	return (isEasy && easy_name) || name;
}

/** A question as it is asked of who is here; what staff read beside the answer stays the label. */
export function asAsked(field: Field, { isEasy }: Access): Field {
	return isEasy && field.easy ? { ...field, label: field.easy } : field;
}

/** What goes with a request: what the person has said, else what the modes say by themselves. */
export function needsOf({ told, size, isEasy }: Access): readonly Need[] {
	if (told) return told;
	const suggested: Need[] = [];
	if (size > USUAL_SIZE) suggested.push('ACCESS_NEED_LARGE_TEXT');
	if (isEasy) suggested.push('ACCESS_NEED_EASY_LANGUAGE');
	return suggested;
}

/** Tells staff one need more, or no more. */
export function tellNeed(need: Need, isTold: boolean): void {
	const known = needsOf(current);
	setAccess({ told: NEEDS.filter((one) => (one === need ? isTold : known.includes(one))) });
}
