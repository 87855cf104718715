// What all screens share: the heading that takes the focus, the actions, and the fixed bottom row.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { language, setLanguage, t, timeText, words } from 'ui/i18n';
import { announce, Button, Dialog, DemoBanner, Notice } from 'ui/parts';
import type { TerminalState } from 'ui/types';
import { nextTheme, SIZES, type Display } from './display';
import { screenAppeared } from './guard';
import { readState } from './server';

export interface FrameProps {
	name: string; // of the screen; when it changes the new heading takes the focus
	state: TerminalState | null;
	display: Display;
	onDisplay: (display: Display) => void;
	actions?: ComponentChildren;
	onBack?: () => void; // also on Escape
	onNext?: () => void; // Enter, and the submit button among the actions
	children: ComponentChildren;
}

export function Frame(props: FrameProps): JSX.Element {
	const { name, state, actions, onBack, onNext, children } = props;
	const [isStaffShown, showStaff] = useState(false);

	useEffect(() => {
		const heading = document.querySelector('h1');
		screenAppeared();
		window.scrollTo(0, 0);
		heading?.focus({ preventScroll: true });
		document.title = heading?.textContent || t('kiosk.title');
	}, [name]);

	useEffect(() => {
		const press = (e: KeyboardEvent) => {
			if (e.isComposing || e.repeat || document.querySelector('dialog[open]')) return;
			if (e.key === 'Escape') onBack?.();
			else if (e.key === 'F1') showStaff(true);
			else return;
			e.preventDefault();
		};
		document.addEventListener('keydown', press);
		return () => document.removeEventListener('keydown', press);
	}, [onBack]);

	return (
		<form
			class="page"
			noValidate
			autoComplete="off"
			onSubmit={(e) => {
				e.preventDefault();
				onNext?.();
			}}
		>
			<header class="top">
				<DemoBanner isDemo={state?.is_demo ?? false} />
			</header>
			<main>{children}</main>
			<footer class="foot">
				{actions && <div class="actions">{actions}</div>}
				<BottomRow {...props} onStaff={() => showStaff(true)} />
			</footer>
			{isStaffShown && <Staff state={state} onClose={() => showStaff(false)} />}
		</form>
	);
}

function BottomRow({ display, onDisplay, onStaff }: FrameProps & { onStaff: () => void }): JSX.Element {
	const isEnglish = language() === 'en';
	const grow = () => {
		const size = (display.size + 1) % SIZES;
		onDisplay({ ...display, size });
		announce(t('kiosk.bar.size-now', { number: size + 1, total: SIZES }));
	};
	const recolour = () => {
		const theme = nextTheme(display.theme);
		onDisplay({ ...display, theme });
		announce(t(`kiosk.theme.${theme}`));
	};
	return (
		<nav class="bar" aria-label={t('kiosk.bar')}>
			<Button
				icon="size"
				label={t('kiosk.bar.size-label', { number: display.size + 1, total: SIZES })}
				onPress={grow}
			>
				{t('kiosk.bar.size')}
			</Button>
			<Button icon="colour" onPress={recolour}>
				{t('kiosk.bar.colour')}
			</Button>
			<Button
				icon="language"
				lang={isEnglish ? 'zh-CN' : 'en'}
				onPress={() => setLanguage(isEnglish ? 'zh-CN' : 'en')}
			>
				{isEnglish ? '中文' : 'English'}
			</Button>
			<Button icon="person" onPress={onStaff}>
				{t('kiosk.bar.staff')}
			</Button>
		</nav>
	);
}

/** Works without any link: words only. What staff need to know about this terminal stands below. */
function Staff({ state: known, onClose }: { state: TerminalState | null; onClose: () => void }): JSX.Element {
	const [state, setState] = useState(known);
	useEffect(() => setState(known), [known]);
	useEffect(() => void readState().then(setState, () => {}), []); // what waits changes without an event
	const place = words(state?.place_name) || t('kiosk.staff.this-place');
	return (
		<Dialog
			title={t('kiosk.bar.staff')}
			onClose={onClose}
			actions={
				<Button kind="primary" icon="close" onPress={onClose}>
					{t('kiosk.close')}
				</Button>
			}
		>
			<p>{t('kiosk.staff.where', { place })}</p>
			<p>{t('kiosk.staff.how')}</p>
			{state && (
				<details class="for-staff">
					<summary>{t('kiosk.staff.details')}</summary>
					<ul>
						<li>{t('kiosk.staff.place', { place: state.place })}</li>
						<li>
							{state.is_connected
								? t('kiosk.staff.connected', { time: timeText(state.connected_since_ms) })
								: t('kiosk.staff.not-connected')}
						</li>
						{state.link_text && <li>{state.link_text}</li>}
						{state.why_text && <li>{state.why_text}</li>}
						<li>{t('kiosk.staff.waiting', { count: state.waiting })}</li>
						<li>{t('kiosk.staff.storage', { percent: state.storage_percent })}</li>
						<li>{t('kiosk.staff.fingerprint', { fingerprint: state.fingerprint })}</li>
					</ul>
				</details>
			)}
		</Dialog>
	);
}

/** Why this terminal takes no requests now, told before anybody types. */
export function CannotTake({ state }: { state: TerminalState }): JSX.Element | null {
	if (state.can_take_requests) return null;
	return (
		<Notice kind="warning" title={t('kiosk.cannot')}>
			<p>{whyText(state.why_code)}</p>
			<p>{t('kiosk.cannot.do')}</p>
		</Notice>
	);
}

export function whyText(code: string): string {
	switch (code) {
		case 'full':
			return t('kiosk.why.full');
		case 'not-ready':
			return t('kiosk.why.not-ready');
		case 'revoked':
		case 'unknown-key':
			return t('kiosk.why.refused');
		case 'frozen':
			return t('kiosk.why.frozen');
		default:
			return t('kiosk.why.other');
	}
}
