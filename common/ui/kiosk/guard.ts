// Hands that tremble press twice. Within half a second a second press of the same control, or any press on a screen
// that has only just appeared, is ignored; for hands that tremble much it can be longer. Controls act on release, as the
// browser's click does.
import { access } from './access';

const IGNORED_MS = 500;
const SLOWLY_IGNORED_MS = 1500;
let pressed: Element | null = null;
let pressed_ms = -SLOWLY_IGNORED_MS;
let appeared_ms = -SLOWLY_IGNORED_MS;

function controlOf(target: EventTarget | null): Element | null {
	if (!(target instanceof Element)) return null;
	return target.matches('input, textarea') ? target : target.closest('button, label, summary');
}

function isRepeat(control: Element, now_ms: number): boolean {
	if (control.matches('input[type=text], textarea')) return false; // only moves the caret
	const ignored_ms = access().isSlow ? SLOWLY_IGNORED_MS : IGNORED_MS;
	if (now_ms - appeared_ms < ignored_ms) return true;
	const isOther = control !== pressed; // a hand that has moved on presses again sooner
	return isOther ? access().isSlow && now_ms - pressed_ms < IGNORED_MS : now_ms - pressed_ms < ignored_ms;
}

export function ignoreRepeats(): void {
	document.addEventListener(
		'click',
		(e) => {
			const control = controlOf(e.target);
			if (!control) return;
			const now_ms = performance.now();
			if (isRepeat(control, now_ms)) {
				e.preventDefault();
				e.stopImmediatePropagation();
				return;
			}
			pressed = control;
			pressed_ms = now_ms;
		},
		true,
	);
}

/** Told to whoever reads the screen aloud, too: `kiosk-screen`. */
export function screenAppeared(): void {
	document.dispatchEvent(new Event('kiosk-screen'));
	appeared_ms = performance.now();
	pressed = null; // it would keep the screen before in memory, and what was typed there
}
