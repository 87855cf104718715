// How long ago, in words, beside the moment itself.
import { useEffect, useState } from 'preact/hooks';
import { t, timeText } from '../src/i18n';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

// The API writes 0 where something has not happened yet.
export function momentText(time_ms: string | number): string {
	return Number(time_ms) > 0 ? timeText(time_ms) : t('desk.time.never');
}

export function agoText(time_ms: string, now_ms: number): string {
	const then_ms = Number(time_ms);
	if (then_ms <= 0) return t('desk.time.never');
	const age_ms = now_ms - then_ms;
	if (age_ms < MINUTE_MS) return t('desk.time.now');
	if (age_ms < HOUR_MS) return t('desk.time.minutes', { n: Math.floor(age_ms / MINUTE_MS) });
	if (age_ms < DAY_MS) return t('desk.time.hours', { n: Math.floor(age_ms / HOUR_MS) });
	return t('desk.time.days', { n: Math.floor(age_ms / DAY_MS) });
}

export function useNow(): number {
	const [now, setNow] = useState(Date.now);
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), 30_000);
		return () => clearInterval(timer);
	}, []);
	return now;
}

export function Moment({ time_ms, now_ms }: { time_ms: string; now_ms: number }) {
	return (
		<span class="desk-moment">
			<span>{agoText(time_ms, now_ms)}</span>
			{Number(time_ms) > 0 && <span class="desk-minor">{timeText(time_ms)}</span>}
		</span>
	);
}
