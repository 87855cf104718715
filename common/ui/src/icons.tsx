// Line icons on a 24 by 24 grid. They always stand beside words, so readers skip them.
import type { JSX } from 'preact';

const paths = {
	info: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M12 11v6M12 7v.5',
	success: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M7.5 12.5l3 3 6-7',
	warning: 'M12 3 1.8 21h20.4zM12 10v5M12 18v.5',
	danger: 'M8 2h8l6 6v8l-6 6H8l-6-6V8zM12 7v6M12 16.5v.5',
	waiting: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M12 6v6l4 2',
	back: 'M20 12H4M10 6l-6 6 6 6',
	next: 'M4 12h16M14 6l6 6-6 6',
	home: 'M3 11l9-8 9 8M5 10v11h14V10M10 21v-6h4v6',
	person: 'M12 3a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M3 21c1-5 4.5-7 9-7s8 2 9 7',
	hand: 'M7 13V6a1.5 1.5 0 0 1 3 0v5M10 11V4a1.5 1.5 0 0 1 3 0v7M13 11V5a1.5 1.5 0 0 1 3 0v7M16 12V8a1.5 1.5 0 0 1 3 0v7c0 4-3 7-6.5 7-3 0-5-1.5-6.5-4.500l-2.500-3.500a1.500 1.500 0 0 1 2.500-1.500L7 14',
	speech: 'M3 9v6h4l6 5V4L7 9zM16.5 8.500a5 5 0 0 1 0 7M19.500 5.500a9 9 0 0 1 0 13',
	size: 'M2 19l5-13 5 13M3.5 15h7M14 19l3.5-9 3.5 9M15 16h5',
	colour: 'M12 2a10 10 0 1 0 0 20zM12 2a10 10 0 0 1 0 20',
	language: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M2 12h20M12 2c-6 6-6 14 0 20M12 2c6 6 6 14 0 20',
	search: 'M10.5 3a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M16 16l6 6',
	edit: 'M4 20l1-5L16 4l4 4L9 19zM14 6l4 4',
	erase: 'M21 5H9l-7 7 7 7h12zM12 9l6 6M18 9l-6 6',
	close: 'M5 5l14 14M19 5L5 19',
	refresh: 'M20 12a8 8 0 1 1-2.5-5.800M20 3v5h-5',
	life: 'M12 21C5 16 2 12.5 2 8.5 2 5 4.5 3 7 3c2 0 4 1.2 5 3 1-1.8 3-3 5-3 2.5 0 5 2 5 5.5 0 4-3 7.5-10 12.5',
	advice: 'M3 4h18v13H11l-5 4v-4H3zM8 9h8M8 13h5',
	jobs: 'M3 8h18v12H3zM8 8V4h8v4M3 13h18M12 12v3',
	devices: 'M8 4v8h7l3 7h3M8 8h6M8 10.500a5.5 5.5 0 1 0 5.5 7.500M8 2.500v.5',
	rehabilitation: 'M3 12h4l3-8 4 16 3-8h4',
	policy: 'M5 2h10l4 4v16H5zM9 10h6M9 14h6M9 18h4',
	rights: 'M12 2v20M7 22h10M4 6h16M4 6l-3 8h6zM20 6l-3 8h6z',
	culture: 'M9 18V5l11-2v13M9 18a3 3 0 1 1-6 0 3 3 0 0 1 6 0M20 16a3 3 0 1 1-6 0 3 3 0 0 1 6 0',
	inbox: 'M3 12l3-8h12l3 8v7H3zM3 12h5l2 3h4l2-3h5',
	copies: 'M8 8V4h12v12h-4M4 8h12v12H4z',
	locked: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
	link: 'M9 15l6-6M11 6l2-2a4 4 0 0 1 6 6l-2 2M13 18l-2 2a4 4 0 0 1-6-6l2-2',
	unlinked: 'M11 6l2-2a4 4 0 0 1 6 6l-2 2M13 18l-2 2a4 4 0 0 1-6-6l2-2M3 3l18 18',
	frozen: 'M12 3v18M4 7.500l16 9M20 7.500l-16 9',
	print: 'M6 9V3h12v6M6 17H3V9h18v8h-3M6 14h12v7H6z',
	up: 'M12 20V4M6 10l6-6 6 6',
	down: 'M12 4v16M6 14l6 6 6-6',
	sort: 'M8 5v14M4 9l4-4 4 4M16 19V5M12 15l4 4 4-4',
	'face-very-good': 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M8.500 9v.5M15.500 9v.5M7 13h10a5 5 0 0 1-10 0z',
	'face-good': 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M8.500 9v.5M15.500 9v.5M7.500 14.500a5.500 5.500 0 0 0 9 0',
	'face-fair': 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M8.500 9v.5M15.500 9v.5M8 15.500h8',
	'face-bad': 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M8.500 9v.5M15.500 9v.5M7.500 17a5.500 5.500 0 0 1 9 0',
	'face-very-bad': 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20M8.500 10.500v.5M15.500 10.500v.5M6.500 7l3.500 2M17.500 7l-3.500 2M7 18a5 5 0 0 1 10 0z',
	pin: 'M12 22c-5-6-7-9-7-12a7 7 0 0 1 14 0c0 3-2 6-7 12M12 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6',
	ramp: 'M2 20h20V9zM6 14l9-6M15 12V8h-4',
	lift: 'M4 2h16v20H4zM8 10l4-4 4 4M8 14l4 4 4-4',
	toilet: 'M7 2v9h11a6 6 0 0 1-6 6H9zM9 17v5h7v-5M7 2h4v9',
	ear: 'M6 10a6 6 0 0 1 12 0c0 5-5 5-5 9a3.500 3.500 0 0 1-6 1.500M10 10a2 2 0 0 1 4 0c0 2-2 2-2 4',
} as const;

export type IconName = keyof typeof paths;

export const ICONS = Object.keys(paths) as IconName[];

export function Icon({ name }: { name: IconName }): JSX.Element {
	return (
		<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
			<path d={paths[name]} />
		</svg>
	);
}
