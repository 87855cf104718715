// What belongs to who is logged in: where else he is, his password, his second factor.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t } from '../src/i18n';
import { Button, Chip, Dialog, Failed, Loading, Notice, Table, toast, type Column } from '../src/parts';
import type { SessionRow, SessionsView, SessionView } from '../src/types';
import { roleName } from './accounts';
import { EnrolStep, isWrong, PasswordLine, refusedPassword, useNewPassword } from './login';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';
import { momentText } from './time';

export function Me() {
	const desk = useDesk();
	const { session } = desk;
	const [doing, setDoing] = useState<'password' | 'second' | null>(null);
	const taken = (text: string) => (fresh: SessionView) => {
		desk.logIn(fresh);
		setDoing(null);
		toast(text);
	};
	return (
		<>
			<PageHeading title={t('desk.me.title')}>
				<p class="desk-lead">{t('desk.me.lead', { role: roleName(session.role) })}</p>
			</PageHeading>
			{session.is_second_optional && <Notice kind="warning">{t('desk.accounts.optional')}</Notice>}
			<div class="desk-bar">
				<Button onPress={() => setDoing('password')}>{t('desk.me.password')}</Button>
				<Button onPress={() => setDoing('second')}>{t(session.has_second ? 'desk.me.second-anew' : 'desk.me.second')}</Button>
			</div>
			<Sessions />
			{doing === 'password' && <Password onDone={taken(t('desk.me.password-set'))} onClose={() => setDoing(null)} />}
			{doing === 'second' && (
				<Dialog
					title={t('desk.me.second')}
					onClose={() => setDoing(null)}
					actions={<Button onPress={() => setDoing(null)}>{t('desk.cancel')}</Button>}
				>
					<EnrolStep next={taken(t('desk.me.second-set'))} />
				</Dialog>
			)}
		</>
	);
}

function Password({ onDone, onClose }: { onDone: (session: SessionView) => void; onClose: () => void }) {
	const desk = useDesk();
	const { password, fields, missing, clear } = useNewPassword();
	const [old, setOld] = useState('');
	const [isTried, setIsTried] = useState(false);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');
	const send = async () => {
		setIsTried(true);
		setRefusal('');
		const field = !old ? 'old-password' : missing();
		if (field) return document.getElementById(field)?.focus();
		setIsBusy(true);
		try {
			return onDone(await post<SessionView>('/api/v1/login/password', { old, password }));
		} catch (error) {
			setRefusal(isWrong(error) ? t('desk.lock.wrong') : (refusedPassword(error) ?? desk.failed(error)));
			if (!isWrong(error)) clear();
		}
		setOld('');
		setIsTried(false);
		setIsBusy(false);
	};
	return (
		<Dialog
			title={t('desk.me.password')}
			onClose={onClose}
			actions={
				<>
					<Button kind="primary" isBusy={isBusy} onPress={() => void send()}>
						{t('desk.login.set-password')}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<PasswordLine
				id="old-password"
				label={t('desk.me.old')}
				error={isTried && !old ? t('desk.login.need-password') : undefined}
				autoComplete="current-password"
				value={old}
				onType={setOld}
			/>
			{fields}
		</Dialog>
	);
}

function Sessions() {
	const desk = useDesk();
	const { data, fault, reload } = useLoaded<SessionsView>('/api/v1/sessions', () => false);
	const [refusal, setRefusal] = useState('');
	const end = async (row: SessionRow) => {
		setRefusal('');
		try {
			await post('/api/v1/sessions/end', { session: row.session });
			toast(t('desk.me.ended'));
		} catch (error) {
			setRefusal(desk.failed(error));
		}
		void reload();
	};
	const columns: Column<SessionRow>[] = [
		{ id: 'begun', head: t('desk.me.col.begun'), isHead: true, cell: (row) => momentText(row.begun_ms) },
		{ id: 'used', head: t('desk.me.col.used'), cell: (row) => momentText(row.used_ms) },
		{
			id: 'is',
			head: t('desk.accounts.col.is'),
			cell: (row) =>
				row.is_this ? (
					<Chip kind="success">{t('desk.me.this')}</Chip>
				) : (
					<Chip kind="info" icon={row.is_locked ? 'locked' : 'info'}>
						{t(row.is_locked ? 'desk.me.locked' : 'desk.me.other')}
					</Chip>
				),
		},
		{
			id: 'do',
			head: t('desk.accounts.col.do'),
			cell: (row) =>
				row.is_this ? (
					<span class="desk-minor">{t('desk.none')}</span>
				) : (
					<Button label={t('desk.me.end-of', { time: momentText(row.begun_ms) })} onPress={() => void end(row)}>
						{t('desk.me.end')}
					</Button>
				),
		},
	];
	return (
		<>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && <Table caption={t('desk.me.sessions')} columns={columns} rows={data.sessions} keyOf={(row) => row.session} />}
		</>
	);
}
