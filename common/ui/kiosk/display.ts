// How the kiosk shows itself to somebody new, and how large a millimetre is on its screen.
import type { Display } from 'ui/parts';

const DEFAULT_SIZE = 1; // cap height 9.7 mm

export const DEFAULT_DISPLAY: Display = { size: DEFAULT_SIZE, theme: 'paper' };

/** The browser of a kiosk with a printer is started with /?printer=yes, and so that it prints without asking. */
export function hasPrinter(): boolean {
	return new URLSearchParams(location.search).get('printer') === 'yes';
}

/** The browser of a kiosk is started with /?mm=4.034 when its screen is not the usual one. */
export function readScreenScale(): void {
	const mm = Number(new URLSearchParams(location.search).get('mm'));
	if (mm >= 1 && mm <= 20) document.documentElement.style.setProperty('--mm', `${mm}px`);
}
