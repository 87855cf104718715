// How a page shows itself: text size and colours. tokens.css does the rest by two attributes of the root element.

export const SIZES = 4;
export const THEMES = ['paper', 'white', 'black', 'low-glare'] as const;
export type Theme = (typeof THEMES)[number];

export interface Display {
	size: number; // from 0
	theme: Theme;
}

export function showDisplay({ size, theme }: Display): void {
	const { dataset } = document.documentElement;
	dataset.size = String(size + 1);
	dataset.theme = theme;
}
