// Login: as the first page, and in front of the page when a session is locked or has ended while somebody works.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { ApiError, get, post } from '../src/api';
import { t } from '../src/i18n';
import { Button, DemoBanner, Dialog, Field, Line, Notice } from '../src/parts';
import type { EnrolView, FrontView, SessionView } from '../src/types';
import { DisplayButton } from './display';
import { LanguageSwitch } from './language';
import { Modules } from './modules';
import { LockedRings } from './rings';
import { errorText, type Absence } from './session';

export const PASSWORD_LEAST = 10;

interface LoginProps {
	logIn: (session: SessionView) => void;
	user?: string; // who worked here before
}

interface StepFormProps {
	verb: string;
	onSend: () => Promise<void>; // throws what was refused
	refused?: (error: unknown) => string | undefined;
	missing: () => string | null; // id of the field that is to be filled in first
	children: ComponentChildren;
}

/** One step of a login: some fields, and one button. */
function StepForm({ verb, onSend, refused, missing, children }: StepFormProps) {
	const [fault, setFault] = useState('');
	const [isBusy, setIsBusy] = useState(false);
	const send = async () => {
		setFault('');
		const field = missing();
		if (field) {
			document.getElementById(field)?.focus();
			return;
		}
		setIsBusy(true);
		try {
			await onSend();
		} catch (error) {
			setFault(refused?.(error) ?? errorText(error));
			setIsBusy(false);
		}
	};
	return (
		<form
			id="login"
			class="desk-form"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				if (!isBusy) void send();
			}}
		>
			<div role="alert">{fault && <Notice kind="danger">{fault}</Notice>}</div>
			{children}
			<Button kind="primary" isBusy={isBusy}>
				{verb}
			</Button>
		</form>
	);
}

interface PasswordLineProps {
	id: string;
	label: string;
	hint?: string;
	error?: string;
	autoComplete: string;
	value: string;
	onType: (value: string) => void;
}

export function PasswordLine({ id, label, hint, error, autoComplete, value, onType }: PasswordLineProps) {
	return (
		<Field id={id} label={label} hint={hint} isRequired error={error}>
			{(wiring) => <Line wiring={wiring} type="password" autoComplete={autoComplete} value={value} onType={onType} />}
		</Field>
	);
}

export function CodeLine({ id, value, error, onType }: { id: string; value: string; error?: string; onType: (value: string) => void }) {
	return (
		<Field id={id} label={t('desk.login.code')} hint={t('desk.login.code-hint')} isRequired error={error}>
			{(wiring) => (
				<Line wiring={wiring} inputMode="numeric" autoComplete="one-time-code" maxLength={7} value={value} onType={onType} />
			)}
		</Field>
	);
}

/** What was typed of a code, without the gap that authenticators show. */
export const digitsOf = (code: string): string => code.replace(/\D/g, '');

export function isWrong(error: unknown): boolean {
	return error instanceof ApiError && error.code === 'login';
}

// ---- the steps ----

type Next = (session: SessionView) => void;

function NameStep({ next, user = '' }: { next: Next; user?: string }) {
	const [name, setName] = useState(user);
	const [password, setPassword] = useState('');
	const [isTried, setIsTried] = useState(false);
	const send = async () => {
		try {
			next(await post<SessionView>('/api/v1/login', { name: name.trim(), password }));
		} catch (error) {
			setPassword('');
			setIsTried(false);
			document.getElementById('login-password')?.focus();
			throw error;
		}
	};
	const missing = () => {
		setIsTried(true);
		return !name.trim() ? 'login-name' : !password ? 'login-password' : null;
	};
	return (
		<StepForm
			verb={t('desk.login.submit')}
			onSend={send}
			refused={(error) => (isWrong(error) ? t('desk.login.wrong') : undefined)}
			missing={missing}
		>
			<Field
				id="login-name"
				label={t('desk.login.name')}
				isRequired
				error={isTried && !name.trim() ? t('desk.login.need-name') : undefined}
			>
				{(wiring) => <Line wiring={wiring} autoComplete="username" value={name} onType={setName} />}
			</Field>
			<PasswordLine
				id="login-password"
				label={t('desk.login.password')}
				error={isTried && !password ? t('desk.login.need-password') : undefined}
				autoComplete="current-password"
				value={password}
				onType={setPassword}
			/>
		</StepForm>
	);
}

function UnlockStep({ next, ended }: { next: Next; ended: () => void }) {
	const [password, setPassword] = useState('');
	const [isTried, setIsTried] = useState(false);
	return (
		<StepForm
			verb={t('desk.lock.unlock')}
			onSend={async () => {
				try {
					next(await post<SessionView>('/api/v1/unlock', { password }));
				} catch (error) {
					if (error instanceof ApiError && error.code === 'closed') return ended();
					throw error;
				} finally {
					setPassword('');
					setIsTried(false);
				}
			}}
			refused={(error) => (isWrong(error) ? t('desk.lock.wrong') : undefined)}
			missing={() => {
				setIsTried(true);
				return password ? null : 'login-password';
			}}
		>
			<PasswordLine
				id="login-password"
				label={t('desk.login.password')}
				error={isTried && !password ? t('desk.login.need-password') : undefined}
				autoComplete="current-password"
				value={password}
				onType={setPassword}
			/>
		</StepForm>
	);
}

/** A new password, typed twice, and what is wrong with it. */
export function useNewPassword() {
	const [first, setFirst] = useState('');
	const [second, setSecond] = useState('');
	const [isTried, setIsTried] = useState(false);
	const isShort = [...first].length < PASSWORD_LEAST;
	const missing = () => {
		setIsTried(true);
		return isShort ? 'new-password' : first !== second ? 'new-password-again' : null;
	};
	const clear = () => {
		setFirst('');
		setSecond('');
		setIsTried(false);
	};
	const fields = (
		<>
			<PasswordLine
				id="new-password"
				label={t('desk.login.new-password')}
				hint={t('desk.login.new-password-hint', { n: PASSWORD_LEAST })}
				error={isTried && isShort ? t('desk.login.short', { n: PASSWORD_LEAST }) : undefined}
				autoComplete="new-password"
				value={first}
				onType={setFirst}
			/>
			<PasswordLine
				id="new-password-again"
				label={t('desk.login.again-password')}
				error={isTried && !isShort && first !== second ? t('desk.login.differs') : undefined}
				autoComplete="new-password"
				value={second}
				onType={setSecond}
			/>
		</>
	);
	return { password: first, fields, missing, clear };
}

export function refusedPassword(error: unknown): string | undefined {
	return error instanceof ApiError && error.code === 'invalid' ? t('desk.login.common') : undefined;
}

function PasswordStep({ next }: { next: Next }) {
	const { password, fields, missing } = useNewPassword();
	return (
		<StepForm
			verb={t('desk.login.set-password')}
			onSend={async () => next(await post<SessionView>('/api/v1/login/password', { password }))}
			refused={refusedPassword}
			missing={missing}
		>
			<p>{t('desk.login.password-lead')}</p>
			{fields}
		</StepForm>
	);
}

function CodeStep({ next, verb, children }: { next: Next; verb: string; children?: ComponentChildren }) {
	const [code, setCode] = useState('');
	const [isTried, setIsTried] = useState(false);
	const isShort = digitsOf(code).length !== 6;
	return (
		<StepForm
			verb={verb}
			onSend={async () => {
				try {
					next(await post<SessionView>('/api/v1/login/code', { code: digitsOf(code) }));
				} catch (error) {
					setCode('');
					setIsTried(false);
					document.getElementById('login-code')?.focus();
					throw error;
				}
			}}
			refused={(error) => (isWrong(error) ? t('desk.login.wrong-code') : undefined)}
			missing={() => {
				setIsTried(true);
				return isShort ? 'login-code' : null;
			}}
		>
			{children}
			<CodeLine id="login-code" value={code} error={isTried && isShort ? t('desk.login.need-code') : undefined} onType={setCode} />
		</StepForm>
	);
}

/** Draws a second factor, shows it once, and asks for its first code. */
export function EnrolStep({ next }: { next: Next }) {
	const [drawn, setDrawn] = useState<EnrolView | null>(null);
	const [fault, setFault] = useState('');
	useEffect(() => {
		post<EnrolView>('/api/v1/login/second').then(setDrawn, (error: unknown) => setFault(errorText(error)));
	}, []);
	if (fault) return <Notice kind="danger">{fault}</Notice>;
	return (
		<CodeStep next={next} verb={t('desk.login.enrol')}>
			<ol class="desk-steps">
				<li>{t('desk.login.enrol-1')}</li>
				<li>
					{t('desk.login.enrol-2')}
					{drawn && <Modules modules={drawn.modules} />}
					<p class="desk-secret">
						<code>{drawn?.secret}</code>
					</p>
				</li>
				<li>{t('desk.login.enrol-3')}</li>
			</ol>
		</CodeStep>
	);
}

// ---- together ----

const TITLES = { '': 'desk.login.title', password: 'desk.login.password-title', second: 'desk.login.second-title', code: 'desk.login.code-title' } as const;
type Step = keyof typeof TITLES;

function useSteps({ logIn, user }: LoginProps, first?: ComponentChildren) {
	const [step, setStep] = useState<Step>('');
	const next: Next = (session) => {
		if (session.step in TITLES && session.step) setStep(session.step as Step);
		else logIn(session);
	};
	const form = {
		'': first ?? <NameStep next={next} user={user} />,
		password: <PasswordStep next={next} />,
		second: <EnrolStep next={next} />,
		code: <CodeStep next={next} verb={t('desk.login.submit')} />,
	}[step];
	return { step, title: t(TITLES[step]), form, restart: () => setStep('') };
}

export function LoginPage({ logIn, title }: { logIn: (session: SessionView) => void; title: string }) {
	const { step, title: heading, form, restart } = useSteps({ logIn });
	const head = useRef<HTMLHeadingElement>(null);
	const [front, setFront] = useState<FrontView | null>(null);
	useEffect(() => {
		get<FrontView>('/api/v1/front').then(setFront, () => {}); // a daemon that cannot be reached says so at the login
	}, []);
	useEffect(() => {
		document.title = `${heading} – ${title}`;
		head.current?.focus();
	}, [title, heading]);
	return (
		<main class="desk-login">
			<DemoBanner isDemo={front?.is_demo ?? false} isPractice={front?.is_practice ?? false} />
			<p class="desk-product">
				<strong>{t('desk.product')}</strong> {title}
			</p>
			<h1 ref={head} tabIndex={-1}>
				{heading}
			</h1>
			{step === '' && <p>{t('desk.login.lead')}</p>}
			{form}
			<div class="actions">
				{step !== '' && <Button onPress={restart}>{t('desk.login.restart')}</Button>}
				<LanguageSwitch />
				<DisplayButton />
			</div>
		</main>
	);
}

/** In front of everything, which is hidden: it goes away by its user's password, or by leaving. */
export function LoginAgain({ logIn, user, why, leave }: LoginProps & { why: Absence; leave: () => void }) {
	const [hasEnded, setHasEnded] = useState(why === 'ended'); // while it was locked
	const isLocked = !hasEnded;
	const unlock = <UnlockStep next={logIn} ended={() => setHasEnded(true)} />;
	const { form, step, title } = useSteps({ logIn, user }, isLocked ? unlock : undefined);
	return (
		<Dialog
			key={`${step} ${hasEnded}`}
			title={step ? title : t(isLocked ? 'desk.lock.title' : 'desk.login.again')}
			isAlert
			onClose={() => {}} // behind it lies personal data
			actions={<Button onPress={leave}>{t('desk.logout')}</Button>}
		>
			{isLocked && <LockedRings />}
			{!step && <p>{isLocked ? t('desk.lock.lead', { name: user ?? '' }) : t('desk.login.again-lead')}</p>}
			{form}
		</Dialog>
	);
}
