// Whether anybody is there. Tabs of one browser tell each other: who types in one of them is there in all.
import { useEffect } from 'preact/hooks';
import { get } from '../src/api';

const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const;
const LOOK_MS = 2_000;
const TELL_MS = 5_000; // tabs, at most so often
const STAY_MS = 60_000; // the daemon counts requests: somebody who only types makes none

/** Calls `onIdle` when nobody has done anything for so long. 0: does not look. */
export function useIdle(idle_s: number, onIdle: () => void): void {
	useEffect(() => {
		if (!idle_s) return;
		const tabs = new BroadcastChannel('desk-signs');
		let seen_ms = Date.now(); // of the wall clock: a machine that slept was idle, too
		let told_ms = 0;
		let stayed_ms = Date.now();
		const sign = () => {
			seen_ms = Date.now();
			if (seen_ms - told_ms < TELL_MS) return;
			told_ms = seen_ms;
			tabs.postMessage('');
		};
		tabs.onmessage = () => (seen_ms = Date.now());
		for (const name of SIGNS) addEventListener(name, sign, { passive: true, capture: true });
		const timer = setInterval(() => {
			const now_ms = Date.now();
			if (now_ms - seen_ms >= idle_s * 1000) return onIdle();
			if (seen_ms <= stayed_ms || now_ms - stayed_ms < STAY_MS) return;
			stayed_ms = now_ms;
			get('/api/v1/me').catch(() => {}); // a fault shows where something is asked for
		}, LOOK_MS);
		return () => {
			clearInterval(timer);
			tabs.close();
			for (const name of SIGNS) removeEventListener(name, sign, { capture: true });
		};
	}, [idle_s, onIdle]);
}
