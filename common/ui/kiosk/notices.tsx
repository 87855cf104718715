// What residents should know although everything works: a calm line each, on every screen.
import type { JSX } from 'preact';
import { t, timeText, type TextKey } from 'ui/i18n';
import { Icon, type IconName } from 'ui/parts';
import type { TerminalState } from 'ui/types';

const NOTICES: Record<string, [IconName, TextKey]> = {
	'no-link': ['unlinked', 'kiosk.notice.no-link'],
	'no-clock': ['waiting', 'kiosk.notice.no-clock'],
	'no-paper': ['print', 'kiosk.notice.no-paper'],
	'no-printer': ['print', 'kiosk.notice.no-printer'],
};

// No terminal is older: what its clock says before that it made up.
const EARLIEST_MS = Date.UTC(2025, 0);

/** What it is, and what it means: one sentence for each. */
export function noticeTexts(state: TerminalState | null): string[] {
	return (state?.notices ?? []).flatMap((code) => (NOTICES[code] ? [t(NOTICES[code][1])] : []));
}

export function Notices({ state }: { state: TerminalState | null }): JSX.Element | null {
	const known = (state?.notices ?? []).filter((code) => NOTICES[code]);
	if (known.length === 0) return null;
	return (
		<ul class="notices" aria-label={t('kiosk.notices')}>
			{known.map((code) => (
				<li key={code}>
					<Icon name={NOTICES[code]![0]} />
					<span>{t(NOTICES[code]![1])}</span>
				</li>
			))}
		</ul>
	);
}

/** A time by this terminal's own clock; it says so if that cannot be believed. */
export function ownTimeText(state: TerminalState | null, time_ms: string | number): string {
	const isBelieved = !state?.notices.includes('no-clock') && Number(time_ms) >= EARLIEST_MS;
	return isBelieved ? timeText(time_ms) : t('kiosk.time.unknown');
}
