// How the kiosk shows itself: text size, colours, and how large a millimetre is on its screen.

export const SIZES = 4;
export const DEFAULT_SIZE = 1; // cap height 9.7 mm
export const THEMES = ['paper', 'white', 'black', 'low-glare'] as const;
export type Theme = (typeof THEMES)[number];

export interface Display {
	size: number;
	theme: Theme;
}

export const DEFAULT_DISPLAY: Display = { size: DEFAULT_SIZE, theme: 'paper' };

export function showDisplay({ size, theme }: Display): void {
	const { dataset } = document.documentElement;
	dataset.size = String(size + 1);
	dataset.theme = theme;
}

export function nextTheme(theme: Theme): Theme {
	return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
}

/** The browser of a kiosk is started with /?mm=4.034 when its screen is not the usual one. */
export function readScreenScale(): void {
	const mm = Number(new URLSearchParams(location.search).get('mm'));
	if (mm >= 1 && mm <= 20) document.documentElement.style.setProperty('--mm', `${mm}px`);
}
