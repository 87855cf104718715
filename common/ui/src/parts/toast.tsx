// Short messages that wait: one at a time, in the order in which they came, each until somebody has closed it.
// Nothing vanishes by itself: who reads slowly, listens, or looks away for a minute misses none.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { announce } from './announce';
import { Button } from './button';
import { Notice, type NoticeKind } from './states';

export interface Toast {
	kind: NoticeKind;
	text: string;
}

const WAITING_MOST = 50; // what repeats without end would hide what comes once: then the oldest calm ones go

let waiting: readonly Toast[] = [];
const followers = new Set<(toasts: readonly Toast[]) => void>();

function setWaiting(next: readonly Toast[]): void {
	waiting = next;
	for (const follow of followers) follow(next);
}

/** Shows and speaks a message. It waits its turn, and then until it is closed. */
export function toast(text: string, kind: NoticeKind = 'success'): void {
	const calm = waiting.findIndex((other) => other.kind !== 'danger');
	const kept = waiting.length < WAITING_MOST ? waiting : waiting.filter((_, at) => at !== Math.max(calm, 0));
	announce(text, kind === 'danger');
	setWaiting([...kept, { kind, text }]);
}

/** Forgets every message: the next person at this screen must not read them. */
export function dropToasts(): void {
	setWaiting([]);
}

/** Put one of these into each page, before its content. */
export function Toasts(): JSX.Element | null {
	const [toasts, show] = useState(waiting);
	const box = useRef<HTMLElement>(null);
	const before = useRef<HTMLElement | null>(null); // what had the focus before it came here
	useEffect(() => {
		followers.add(show);
		return () => void followers.delete(show);
	}, []);
	const [first, ...rest] = toasts;
	if (!first) return null;
	const goOn = (left: readonly Toast[]) => {
		setWaiting(left);
		if (left[0]) announce(left[0].text);
		else if (before.current?.isConnected) before.current.focus();
		else document.querySelector<HTMLElement>('main h1')?.focus();
	};
	return (
		<section
			ref={box}
			class="toasts"
			aria-label={t('common.toasts')}
			onFocusIn={(e) => {
				const from = e.relatedTarget as HTMLElement | null;
				if (from && !box.current?.contains(from)) before.current = from;
			}}
			onKeyDown={(e) => {
				if (e.key !== 'Escape') return;
				e.stopPropagation();
				goOn(rest);
			}}
		>
			<Notice kind={first.kind} title={first.text}>
				{rest.length > 0 ? t('common.toasts.more', { count: rest.length }) : undefined}
			</Notice>
			<div class="actions">
				<Button icon="close" onPress={() => goOn(rest)}>
					{t('common.toasts.close')}
				</Button>
				{rest.length > 0 && <Button onPress={() => goOn([])}>{t('common.toasts.close-all')}</Button>}
			</div>
		</section>
	);
}
