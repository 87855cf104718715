// When nobody has touched the kiosk for a while it asks, seen and heard, and then forgets everything.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Button, Dialog } from 'ui/parts';
import { idleMs } from 'kiosk/display';

const WARNING_MS = 45_000;
const SPOKEN_EVERY_S = 15;
const INPUTS = ['pointerdown', 'keydown', 'wheel', 'input'] as const;

/** `isFresh`: nothing to lose, so it resets without asking. */
export function IdleWatch({ isFresh, onReset }: { isFresh: boolean; onReset: () => void }): JSX.Element | null {
	const touched_ms = useRef(Date.now());
	const [left_s, setLeft] = useState<number | null>(null);
	const now = useRef({ isFresh, onReset });
	now.current = { isFresh, onReset };

	useEffect(() => {
		const touch = () => {
			touched_ms.current = Date.now();
			setLeft(null);
		};
		const wait_ms = idleMs();
		const look = () => {
			const idle_ms = Date.now() - touched_ms.current;
			if (idle_ms < wait_ms) return;
			if (now.current.isFresh || idle_ms >= wait_ms + WARNING_MS) {
				touch();
				now.current.onReset();
			} else setLeft(Math.ceil((wait_ms + WARNING_MS - idle_ms) / 1000));
		};
		for (const name of INPUTS) document.addEventListener(name, touch, true);
		const timer = window.setInterval(look, 1000);
		return () => {
			window.clearInterval(timer);
			for (const name of INPUTS) document.removeEventListener(name, touch, true);
		};
	}, []);

	const isWarning = left_s !== null;
	useEffect(() => {
		if (isWarning) chime();
	}, [isWarning]);
	if (left_s === null) return null;
	return (
		<Dialog
			isAlert
			title={t('kiosk.idle.title')}
			onClose={() => setLeft(null)}
			actions={
				<Button kind="primary" onPress={() => setLeft(null)}>
					{t('kiosk.idle.stay')}
				</Button>
			}
		>
			<p>{t('kiosk.idle.text')}</p>
			<p class="countdown" aria-hidden="true">
				{t('kiosk.idle.left', { seconds: left_s })}
			</p>
			<p class="unseen" role="status">
				{t('kiosk.idle.left', { seconds: Math.ceil(left_s / SPOKEN_EVERY_S) * SPOKEN_EVERY_S })}
			</p>
		</Dialog>
	);
}

// Two soft notes. The dialog is what says the same to the eyes.
function chime(): void {
	const context = new AudioContext();
	const volume = context.createGain();
	volume.gain.value = 0.15;
	volume.connect(context.destination);
	[660, 520].forEach((frequency_hz, i) => {
		const note = context.createOscillator();
		note.frequency.value = frequency_hz;
		note.connect(volume);
		note.start(context.currentTime + i * 0.3);
		note.stop(context.currentTime + i * 0.3 + 0.25);
	});
	window.setTimeout(() => void context.close(), 1000);
}
