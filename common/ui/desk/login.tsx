// Login: as the first page, and in front of the page when a session has ended while somebody works.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, post } from '../src/api';
import { t } from '../src/i18n';
import { Button, Dialog, Field, Line, Notice } from '../src/parts';
import type { LoginCommand, SessionView } from '../src/types';
import { DisplayButton } from './display';
import { LanguageSwitch } from './language';
import { errorText } from './session';

interface LoginProps {
	logIn: (session: SessionView) => void;
	user?: string; // who worked here before
}

function useLogin({ logIn, user = '' }: LoginProps) {
	const [typed, setTyped] = useState<LoginCommand>({ name: user, password: '' });
	const [fault, setFault] = useState('');
	const [isTried, setIsTried] = useState(false);
	const [isBusy, setIsBusy] = useState(false);

	const send = async () => {
		setIsTried(true);
		setFault('');
		const missing = !typed.name.trim() ? 'name' : !typed.password ? 'password' : null;
		if (missing) {
			document.getElementById(`login-${missing}`)?.focus();
			return;
		}
		setIsBusy(true);
		try {
			logIn(await post<SessionView>('/api/v1/login', { name: typed.name.trim(), password: typed.password }));
		} catch (error) {
			const isWrong = error instanceof ApiError && error.code === 'login';
			setFault(isWrong ? t('desk.login.wrong') : errorText(error));
			setIsBusy(false);
			setTyped((old) => ({ ...old, password: '' }));
			setIsTried(false);
			document.getElementById('login-password')?.focus();
		}
	};

	const type = (part: keyof LoginCommand) => (value: string) => setTyped((old) => ({ ...old, [part]: value }));
	const fields = (
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
			<Field
				id="login-name"
				label={t('desk.login.name')}
				isRequired
				error={isTried && !typed.name.trim() ? t('desk.login.need-name') : undefined}
			>
				{(wiring) => (
					<Line wiring={wiring} autoComplete="username" value={typed.name} onType={type('name')} />
				)}
			</Field>
			<Field
				id="login-password"
				label={t('desk.login.password')}
				isRequired
				error={isTried && !typed.password ? t('desk.login.need-password') : undefined}
			>
				{(wiring) => (
					<Line
						wiring={wiring}
						type="password"
						autoComplete="current-password"
						value={typed.password}
						onType={type('password')}
					/>
				)}
			</Field>
			<Button kind="primary" isBusy={isBusy}>
				{t('desk.login.submit')}
			</Button>
		</form>
	);
	return fields;
}

export function LoginPage({ logIn, title }: { logIn: (session: SessionView) => void; title: string }) {
	const form = useLogin({ logIn });
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => {
		document.title = `${t('desk.login.title')} – ${title}`;
		heading.current?.focus();
	}, [title]);
	return (
		<main class="desk-login">
			<p class="desk-product">
				<strong>{t('desk.product')}</strong> {title}
			</p>
			<h1 ref={heading} tabIndex={-1}>
				{t('desk.login.title')}
			</h1>
			<p>{t('desk.login.lead')}</p>
			{form}
			<div class="actions">
				<LanguageSwitch />
				<DisplayButton />
			</div>
		</main>
	);
}

export function LoginAgain({ logIn, user, leave }: LoginProps & { leave: () => void }) {
	const form = useLogin({ logIn, user });
	return (
		<Dialog
			title={t('desk.login.again')}
			isAlert
			onClose={() => {}} // behind it lies personal data: it goes away by logging in or out
			actions={<Button onPress={leave}>{t('desk.logout')}</Button>}
		>
			<p>{t('desk.login.again-lead')}</p>
			{form}
		</Dialog>
	);
}
