// Hands that tremble press twice. Within half a second a second press of the same control, or any press on a screen
// that has only just appeared, is ignored. Controls act on release, as the browser's click does.

const IGNORED_MS = 500;
let pressed: Element | null = null;
let pressed_ms = -IGNORED_MS;
let appeared_ms = -IGNORED_MS;

function controlOf(target: EventTarget | null): Element | null {
	if (!(target instanceof Element)) return null;
	return target.matches('input, textarea') ? target : target.closest('button, label, summary');
}

function isRepeat(control: Element, now_ms: number): boolean {
	if (control.matches('input[type=text], textarea')) return false; // only moves the caret
	if (now_ms - appeared_ms < IGNORED_MS) return true;
	return control === pressed && now_ms - pressed_ms < IGNORED_MS;
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

export function screenAppeared(): void {
	appeared_ms = performance.now();
}
