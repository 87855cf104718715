// What all screens share: the heading that takes the focus, the actions, and the fixed bottom row.
import { createContext, type ComponentChildren, type ComponentType, type JSX } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { language, setLanguage, t } from 'ui/i18n';
import { announce, Button, DemoBanner, nextTheme, SIZES, type Display } from 'ui/parts';
import type { TerminalState } from 'ui/types';
import { screenAppeared } from './guard';
import { Notices } from './notices';

/** What every screen is given. */
export interface ScreenProps {
	state: TerminalState | null;
	display: Display;
	onDisplay: (display: Display) => void;
	onHome: () => void;
}

/** What "find a person" opens. */
export type StaffDialog = ComponentType<{ state: TerminalState | null; onClose: () => void }>;
export const Staff = createContext<StaffDialog>(() => null);

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
	const StaffDialog = useContext(Staff);

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
				<DemoBanner isDemo={state?.is_demo ?? false} isPractice={state?.is_practice ?? false} />
				{state?.can_take_requests && <Notices state={state} />}
			</header>
			<main>{children}</main>
			<footer class="foot">
				{actions && <div class="actions">{actions}</div>}
				<BottomRow {...props} onStaff={() => showStaff(true)} />
			</footer>
			{isStaffShown && <StaffDialog state={state} onClose={() => showStaff(false)} />}
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

/** Why this terminal takes no requests now, in a sentence. */
export function whyText(code: string): string {
	switch (code) {
		case 'full':
			return t('kiosk.why.full');
		case 'not-ready':
		case 'no-catalogue':
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
