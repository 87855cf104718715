// How things stand, always by icon, word and colour: notices, chips, steps; nothing yet, nothing at all, failed, old.
import type { ComponentChildren, JSX } from 'preact';
import { t, timeText } from '../i18n';
import { Icon, type IconName } from '../icons';
import { Button } from './button';

export type NoticeKind = 'info' | 'success' | 'warning' | 'danger';

/** A message in the page, with its own title. */
export function Notice({
	kind,
	title,
	children,
}: {
	kind: NoticeKind;
	title?: string;
	children?: ComponentChildren;
}): JSX.Element {
	return (
		<div class={`notice ${kind}`}>
			<Icon name={kind} />
			<div class="notice-words">
				<strong>{title ?? t(`common.notice.${kind}`)}</strong>
				{children && <div>{children}</div>}
			</div>
		</div>
	);
}

/** The state of one thing, in a row or beside a heading. */
export function Chip({ kind, icon = kind, children }: { kind: NoticeKind; icon?: IconName; children: ComponentChildren }) {
	return (
		<span class={`chip ${kind}`}>
			<Icon name={icon} />
			<span>{children}</span>
		</span>
	);
}

export interface Step {
	name: string;
	isDone: boolean;
	about?: string;
}

/** How far something has come. What is still to come says so. */
export function Steps({ steps }: { steps: readonly Step[] }): JSX.Element {
	return (
		<ol class="marks">
			{steps.map(({ name, isDone, about }) => (
				<li key={name} class={isDone ? 'mark done' : 'mark'}>
					<Icon name={isDone ? 'success' : 'waiting'} />
					<span>
						{name}
						{!isDone && <span class="mark-word">{t('common.step.not-yet')}</span>}
						{about && <span class="mark-about">{about}</span>}
					</span>
				</li>
			))}
		</ol>
	);
}

/** "3 of 7", with a bar for the eyes. */
export function Progress({ number, total, children }: { number: number; total: number; children: ComponentChildren }) {
	return (
		<div class="progress">
			<p>{children}</p>
			<svg class="progress-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
				<path d="M0 2H100" />
				<path class="progress-done" d={`M0 2H${total > 0 ? Math.min(100, (100 * number) / total) : 0}`} />
			</svg>
		</div>
	);
}

export function Loading(): JSX.Element {
	return (
		<p class="state">
			<Icon name="waiting" />
			<span>{t('common.loading')}</span>
		</p>
	);
}

/** There is nothing: said, not left blank, so that nobody waits for it. */
export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
	return (
		<p class="state empty">
			<Icon name="inbox" />
			<span>{children}</span>
		</p>
	);
}

/** Something could not be read: why, and once more. */
export function Failed({ text, onRetry }: { text: string; onRetry: () => void }): JSX.Element {
	return (
		<Notice kind="danger" title={t('common.failed')}>
			<p>{text}</p>
			<Button icon="refresh" onPress={onRetry}>
				{t('common.retry')}
			</Button>
		</Notice>
	);
}

/** Shows what it holds hatched, and says since when nothing newer has come: old must never look like new. */
export function OutOfDate({ since_ms, children }: { since_ms: string | number; children?: ComponentChildren }) {
	return (
		<div class="out-of-date">
			<Chip kind="warning" icon="waiting">
				{t('common.out-of-date', { time: timeText(since_ms) })}
			</Chip>
			{children}
		</div>
	);
}

export function DemoBanner({ isDemo, isPractice = false }: { isDemo: boolean; isPractice?: boolean }): JSX.Element | null {
	if (!isDemo && !isPractice) return null;
	return (
		<p class="demo-banner">
			<Icon name="warning" />
			<span>{t(isPractice ? 'common.practice' : 'common.demo')}</span>
		</p>
	);
}

/** Marks a fact that nobody has checked yet. */
export function SampleMark({ isSample }: { isSample: boolean }): JSX.Element | null {
	if (!isSample) return null;
	return (
		<span class="sample-mark">
			<Icon name="warning" />
			{t('common.sample')}
		</span>
	);
}
