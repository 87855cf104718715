// What the kiosk's browser was started with: how large a millimetre is on its screen, whether it has a camera, and how long it
// waits for somebody.

/** The browser of a kiosk with a camera for papers is started with /?camera=yes, and so that it does not ask. */
export function hasCamera(): boolean {
	return new URLSearchParams(location.search).get('camera') === 'yes';
}

const IDLE_S = { least: 180, usual: 240, most: 300 };

/** /?idle=180 to 300: after so many seconds without a touch it asks whether somebody is there. */
export function idleMs(): number {
	const idle_s = Number(new URLSearchParams(location.search).get('idle')) || IDLE_S.usual;
	return Math.min(Math.max(idle_s, IDLE_S.least), IDLE_S.most) * 1000;
}

/** The browser of a kiosk is started with /?mm=4.034 when its screen is not the usual one. */
export function readScreenScale(): void {
	const mm = Number(new URLSearchParams(location.search).get('mm'));
	if (mm >= 1 && mm <= 20) document.documentElement.style.setProperty('--mm', `${mm}px`);
}
