// What all screens share: the heading that takes the focus, the actions, and the fixed bottom row.
import { createContext, type ComponentChildren, type ComponentType, type JSX } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Button, DemoBanner, Icon, SIZES } from 'ui/parts';
import type { Names, TerminalState } from 'ui/types';
import { useAccess } from './access';
import { screenAppeared } from './guard';
import { ModesDialog } from './modes';
import { Notices } from './notices';
import { SignDialog } from './sign';

/** What every screen is given. */
export interface ScreenProps {
	state: TerminalState | null;
	onHome: () => void;
}

/** What "find a person" opens. */
export type StaffDialog = ComponentType<{ state: TerminalState | null; onClose: () => void }>;
export const Staff = createContext<StaffDialog>(() => null);

/** The button 朗读 of the bottom row; nothing where nothing can speak. */
export const ReadAloud = createContext<ComponentType | null>(null);

/** Whoever acts for another person: whose matter it is stands on every screen. */
export const Acting = createContext<Names | null>(null);

type Opened = 'modes' | 'sign' | 'staff' | null;
/** Opens what the bottom row opens, from within a screen. */
export const Open = createContext<(what: Opened) => void>(() => {});

export interface FrameProps {
	name: string; // of the screen; when it changes the new heading takes the focus
	sign?: string; // what a clip in sign language of this screen is of: docs/CLIPS.md
	state: TerminalState | null;
	actions?: ComponentChildren;
	onBack?: () => void; // also on Escape
	onNext?: () => void; // Enter, and the submit button among the actions
	children: ComponentChildren;
}

export function Frame(props: FrameProps): JSX.Element {
	const { name, sign, state, actions, onBack, onNext, children } = props;
	const [opened, open] = useState<Opened>(null);
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
			else if (e.key === 'F1') open('staff');
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
				<ActingBanner />
				{state?.can_take_requests && <Notices state={state} />}
			</header>
			<Open.Provider value={open}>
				<main>{children}</main>
				<footer class="foot">
					{actions && <div class="actions">{actions}</div>}
					<BottomRow />
				</footer>
			</Open.Provider>
			{opened === 'modes' && <ModesDialog onClose={() => open(null)} />}
			{opened === 'sign' && <SignDialog of={sign} onClose={() => open(null)} onStaff={() => open('staff')} />}
			{opened === 'staff' && <StaffDialog state={state} onClose={() => open(null)} />}
		</form>
	);
}

function ActingBanner(): JSX.Element | null {
	const names = useContext(Acting);
	if (!names) return null;
	const isKnown = names.name && names.by_name;
	return (
		<p class="acting">
			<Icon name="person" />
			<span class={isKnown ? 'said' : undefined}>{isKnown ? t('kiosk.acting.both', { ...names }) : t('kiosk.acting.banner')}</span>
		</p>
	);
}

/** The same on every screen, and at the same place. */
function BottomRow(): JSX.Element {
	const { size } = useAccess();
	const open = useContext(Open);
	const Speech = useContext(ReadAloud);
	return (
		<nav class="bar" aria-label={t('kiosk.bar')}>
			<Button
				icon="size"
				label={t('kiosk.bar.size-label', { number: size + 1, total: SIZES })}
				onPress={() => open('modes')}
			>
				{t('kiosk.bar.size')}
			</Button>
			<Button icon="hand" onPress={() => open('sign')}>
				{t('kiosk.bar.sign')}
			</Button>
			{Speech && <Speech />}
			<Button class="find-staff" icon="person" onPress={() => open('staff')}>
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
