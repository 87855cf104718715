// Ears and hands: keys of a keypad walk through everything that is on the screen, and whatever gets the focus, opens,
// changes or is typed is said. Keys: keys.json. One press each, nothing to hold, nothing to press together.
import { t } from 'ui/i18n';
import KEYS from './keys.json';
import { describe, front, isLine, screenPieces, stops } from './reading';
import { canSayPersonal, hush, openHelp, say, setSpeech, speech, togglePause, turnOn, VOLUME_MOST } from './speech';

let isWalking = false; // the focus moves because somebody walks: then it is said as a stop, not as something that opens
let hasOpened = false; // a screen: said as soon as it is whole

/** Everything in front is a stop; the walk goes round, so that it has no end to be caught at. */
function walk(step: 1 | -1): void {
	const list = stops();
	if (list.length === 0) return;
	const at = list.indexOf(document.activeElement as HTMLElement);
	const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : (at + step + list.length) % list.length]!;
	if (next.tabIndex < 0 && !next.hasAttribute('tabindex')) next.tabIndex = -1;
	isWalking = true;
	next.focus();
	isWalking = false;
	next.scrollIntoView({ block: 'center' });
	say(describe(next));
}

function select(): void {
	const at = document.activeElement;
	if (!(at instanceof HTMLElement) || at === document.body) return walk(1);
	if (isLine(at)) return say([{ text: t('kiosk.speech.type-here') }]);
	if (!at.matches('button, input, summary, a[href]')) return say(describe(at));
	at.click();
}

/** As Escape does it. */
function back(): void {
	const box = front();
	if (box.matches('dialog')) box.dispatchEvent(new Event('cancel', { cancelable: true }));
	else document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', cancelable: true }));
}

function louder(by: 1 | -1): void {
	const volume = Math.min(VOLUME_MOST, Math.max(1, speech().volume + by));
	setSpeech({ volume });
	say([{ text: t('kiosk.speech.volume-now', { number: volume, total: VOLUME_MOST }) }]);
}

function act(action: string): void {
	switch (action) {
		case 'previous':
			return walk(-1);
		case 'next':
			return walk(1);
		case 'select':
			return select();
		case 'back':
			return back();
		case 'help':
			return speech().isHelpOpen ? setSpeech({ isHelpOpen: false }) : openHelp();
		case 'louder':
			return louder(1);
		case 'quieter':
			return louder(-1);
	}
}

function headset(isIn: boolean): void {
	hush();
	setSpeech({ hasHeadset: isIn, isPersonalAloud: false });
	if (isIn && !speech().isOn) welcome();
	else say([{ text: t(isIn ? 'kiosk.speech.headset-in' : 'kiosk.speech.headset-out') }]);
}

/** The first press only begins to speak: who cannot see must know where they are before anything happens. */
export function welcome(): void {
	turnOn();
	say([{ text: t('kiosk.speech.welcome') }, ...screenPieces()]);
}

/** Digits find their line, wherever the focus is. */
function digit(): void {
	if (isLine(document.activeElement)) return;
	front().querySelector<HTMLElement>('.touched input[type=text], .touched input:not([type]), .touched textarea')?.focus();
}

function press(e: KeyboardEvent): void {
	const action = (KEYS as Record<string, string>)[e.code];
	if (!action) {
		if (!e.isTrusted) return;
		hush();
		if (speech().isOn && /^[0-9]$/.test(e.key)) digit();
		return;
	}
	e.preventDefault();
	e.stopImmediatePropagation();
	if (e.repeat) return;
	if (action === 'headset-in' || action === 'headset-out') return headset(action === 'headset-in');
	if (!speech().isOn) return welcome();
	if (action === 'pause') return togglePause();
	hush();
	act(action);
}

// ---- what is said without a key of the keypad ----

function focused(e: FocusEvent): void {
	const at = e.target;
	if (isWalking || hasOpened || !(at instanceof HTMLElement)) return;
	if (at.matches('dialog h2')) say(screenPieces());
	else if (!at.matches('h1')) say(describe(at));
}

function opened(): void {
	if (hasOpened) return;
	hasOpened = true;
	requestAnimationFrame(() => {
		hasOpened = false;
		say(screenPieces());
	});
}

const held = new WeakMap<Element, string>(); // what stood in a line when it was last said

/** What was typed since, character by character. Somebody who types is heard by nobody else. */
function typed(): void {
	for (const line of front().querySelectorAll<HTMLInputElement>('input, textarea')) {
		if (!isLine(line)) continue;
		const before = (held.get(line) ?? '').replace(/\s/g, '');
		const after = line.value.replace(/\s/g, '');
		held.set(line, line.value);
		if (before === after) continue;
		const isMore = after.startsWith(before);
		const isLess = before.startsWith(after);
		const change = isMore ? after.slice(before.length) : isLess ? before.slice(after.length) : after;
		const unheard = isLess ? 'kiosk.speech.erased-unheard' : 'kiosk.speech.typed-unheard';
		if (!canSayPersonal()) say([{ text: t(unheard, { count: [...after].length }) }]);
		else say([{ text: isLess ? t('kiosk.speech.erased', { text: [...change].join(' ') }) : [...change].join(' '), isPersonal: true }]);
	}
}

/** Announcements, in whichever region they stand. */
function told(records: MutationRecord[]): void {
	for (const { target } of records) {
		const region = (target instanceof Element ? target : target.parentElement)?.closest('[role="status"], [role="alert"]');
		const text = region?.textContent?.trim();
		if (region && text) say([{ text }], { isAfter: region.matches('[role="status"]'), isAlert: region.matches('[role="alert"]') });
	}
}

/** Once a page. */
export function listen(): void {
	document.addEventListener('keydown', press, true);
	document.addEventListener('pointerdown', hush, true);
	document.addEventListener('focusin', focused);
	document.addEventListener('kiosk-screen', opened);
	document.addEventListener('input', typed);
	document.addEventListener('click', () => requestAnimationFrame(typed));
	document.addEventListener('change', ({ target }) => {
		if (target instanceof HTMLInputElement && !isLine(target)) say(describe(target));
	});
	new MutationObserver(told).observe(document.body, { subtree: true, childList: true, characterData: true });
}
