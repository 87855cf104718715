// Small things that several screens use.
import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ApiError } from 'ui/api';
import { t } from 'ui/i18n';
import { announce, Button, Notice } from 'ui/parts';
import { whyText } from './frame';

/** The actions below a screen, always in this order: back, home, onward. */
export function BackAndHome({
	onBack,
	onHome,
	children,
}: {
	onBack?: () => void;
	onHome?: () => void;
	children?: ComponentChildren;
}): JSX.Element {
	return (
		<>
			{onBack && (
				<Button icon="back" onPress={onBack}>
					{t('kiosk.back')}
				</Button>
			)}
			{onHome && (
				<Button icon="home" onPress={onHome}>
					{t('kiosk.home')}
				</Button>
			)}
			{children}
		</>
	);
}

/** Runs one call at a time and keeps the code of its failure, which it also announces. */
export function useTask() {
	const [isRunning, setRunning] = useState(false);
	const [failure, setFailure] = useState<string | null>(null);
	const isBusy = useRef(false);
	const run = async (work: () => Promise<void>) => {
		if (isBusy.current) return;
		isBusy.current = true;
		setRunning(true);
		setFailure(null);
		try {
			await work();
		} catch (e) {
			const code = e instanceof ApiError ? e.code : 'page';
			if (code === 'page') console.error(e);
			else console.warn(String(e)); // for staff; the screen says it in plain words
			setFailure(code);
			announce(failureText(code), true);
		} finally {
			isBusy.current = false;
			setRunning(false);
		}
	};
	return { run, isRunning, failure };
}

function failureText(code: string): string {
	switch (code) {
		case 'network':
			return t('kiosk.failure.network');
		case 'not-found':
			return t('kiosk.failure.not-found');
		case 'unreachable':
			return t('kiosk.failure.unreachable');
		case 'busy':
		case 'again':
		case 'timeout':
			return t('kiosk.failure.busy');
		case 'duplicate':
			return t('kiosk.failure.duplicate');
		case 'too-many':
			return t('kiosk.failure.too-many');
		case 'conflict':
		case 'closed':
			return t('kiosk.failure.conflict');
		case 'full':
		case 'not-ready':
		case 'revoked':
		case 'unknown-key':
		case 'frozen':
			return whyText(code);
		default:
			return t('kiosk.failure.other');
	}
}

export function Failure({ code }: { code: string | null }): JSX.Element | null {
	if (code === null) return null;
	return (
		<Notice kind="danger">
			<p>{failureText(code)}</p>
		</Notice>
	);
}
