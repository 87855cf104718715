// How long the step that is under way may still take: as word, icon and time.
import { t, timeText, words } from '../src/i18n';
import { Chip } from '../src/parts';
import type { CaseRow } from '../src/types';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What is left, or how long it is over, in days or hours; the end is a midnight that people call by the day before. */
function leftText(left_ms: number): string {
	const away_ms = Math.abs(left_ms);
	const isDays = away_ms >= DAY_MS;
	const n = Math.max(1, Math.floor(away_ms / (isDays ? DAY_MS : HOUR_MS)));
	if (left_ms < 0) return t(isDays ? 'desk.term.over-days' : 'desk.term.over-hours', { n });
	return t(isDays ? 'desk.term.days' : 'desk.term.hours', { n });
}

export function TermMark({ row, now_ms }: { row: CaseRow; now_ms: number }) {
	if (row.term === 'CASE_TERM_PAUSED')
		return (
			<Chip icon="waiting" kind="info">
				{t('desk.term.paused')}
			</Chip>
		);
	if (row.term === 'CASE_TERM_UNKNOWN')
		return (
			<Chip icon="warning" kind="warning">
				{t('desk.term.unknown', { year: row.unknown_year })}
			</Chip>
		);
	if (row.term !== 'CASE_TERM_RUNS') return null;
	const left_ms = Number(row.due_ms) - now_ms;
	return (
		<span class="desk-moment">
			<Chip icon={left_ms < 0 ? 'danger' : 'waiting'} kind={left_ms < 0 ? 'danger' : left_ms < DAY_MS ? 'warning' : 'info'}>
				{leftText(left_ms)}
			</Chip>
			<span class="desk-minor">
				{timeText(Number(row.due_ms) - 60_000)}
				{row.is_due_sample && ` ${t('common.sample')}`}
			</span>
		</span>
	);
}

/** Which step is under way, in the catalogue's own words. */
export function stepText(row: CaseRow): string {
	return row.step > 0 ? t('desk.term.step', { step: row.step, steps: row.steps, text: words(row.step_text) }) : '';
}
