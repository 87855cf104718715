// Who may log in here, as what; and help for who cannot: an end of waiting, a reset by two people.
import { useState } from 'preact/hooks';
import { ApiError, post } from '../src/api';
import { t, textOr, timeText } from '../src/i18n';
import { Button, Chip, Dialog, Empty, Failed, Field, Line, Loading, Notice, Select, Table, toast, type Column } from '../src/parts';
import type { AccountAct, AccountRow, AccountsView, AccountStepView } from '../src/types';
import { ReasonDialog } from './reason';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';

const PATH = '/api/v1/accounts';

interface Drawn {
	name: string;
	password: string;
}

type Doing = { row: AccountRow; act: AccountAct };

export const roleName = (role: string): string => textOr(`desk.role.${role}`, 'desk.role.other');

export function Accounts() {
	const { session } = useDesk();
	const { data, fault, reload } = useLoaded<AccountsView>(PATH, () => false);
	const [isOpening, setIsOpening] = useState(false);
	const [doing, setDoing] = useState<Doing | null>(null);
	const [drawn, setDrawn] = useState<Drawn | null>(null);
	const mayOpen = session.may.includes('accounts');
	const done = (step: AccountStepView) => {
		setIsOpening(false);
		setDoing(null);
		if (step.password) setDrawn({ name: step.account.name, password: step.password });
		else toast(t('desk.accounts.done'));
		void reload();
	};
	return (
		<>
			<PageHeading title={t('desk.accounts.title')}>
				<p class="desk-lead">{t('desk.accounts.lead')}</p>
			</PageHeading>
			{data?.is_second_optional && <Notice kind="warning">{t('desk.accounts.optional')}</Notice>}
			{drawn && <Told drawn={drawn} onClose={() => setDrawn(null)} />}
			{mayOpen && (
				<div class="desk-bar">
					<Button kind="primary" onPress={() => setIsOpening(true)}>
						{t('desk.accounts.open')}
					</Button>
				</div>
			)}
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data?.accounts.length === 0 && <Empty>{t('desk.accounts.none')}</Empty>}
			{data && data.accounts.length > 0 && <List rows={data.accounts} mayOpen={mayOpen} onDo={setDoing} />}
			{isOpening && data && <Open roles={data.roles} onDone={done} onClose={() => setIsOpening(false)} />}
			{doing && data && <Act {...doing} roles={data.roles} onDone={done} onClose={() => setDoing(null)} />}
		</>
	);
}

function Told({ drawn, onClose }: { drawn: Drawn; onClose: () => void }) {
	return (
		<Notice kind="success" title={t('desk.accounts.told', { name: drawn.name })}>
			<p class="desk-token">
				<code>{drawn.password}</code>
			</p>
			<p>{t('desk.accounts.told-text')}</p>
			<Button onPress={onClose}>{t('desk.accounts.told-close')}</Button>
		</Notice>
	);
}

function State({ row }: { row: AccountRow }) {
	if (row.is_closed) return <Chip kind="info" icon="close">{t('desk.accounts.is.closed')}</Chip>;
	if (row.locked_until_ms !== '0')
		return (
			<Chip kind="danger" icon="locked">
				{t('desk.accounts.is.locked', { time: timeText(row.locked_until_ms) })}
			</Chip>
		);
	if (row.reset_by) return <Chip kind="warning">{t('desk.accounts.is.reset', { name: row.reset_by })}</Chip>;
	if (row.must_change) return <Chip kind="info" icon="waiting">{t('desk.accounts.is.new')}</Chip>;
	return <Chip kind="success">{t('desk.accounts.is.open')}</Chip>;
}

/** What may be done with an account, by whom. The daemon has the last word. */
function actsOf(row: AccountRow, mayOpen: boolean, user: string): AccountAct[] {
	if (row.is_closed || row.is_mine) return [];
	const acts: AccountAct[] = [];
	if (row.locked_until_ms !== '0') acts.push('ACCOUNT_ACT_UNLOCK');
	if (!row.reset_by) acts.push('ACCOUNT_ACT_PROPOSE_RESET');
	else acts.push(...(row.reset_by === user ? [] : (['ACCOUNT_ACT_RESET'] as const)), 'ACCOUNT_ACT_DROP_RESET');
	if (mayOpen) acts.push('ACCOUNT_ACT_ROLE', 'ACCOUNT_ACT_CLOSE');
	return acts;
}

const verbOf = (act: AccountAct): string => textOr(`desk.accounts.act.${act}`, 'desk.none');

function List({ rows, mayOpen, onDo }: { rows: AccountRow[]; mayOpen: boolean; onDo: (doing: Doing) => void }) {
	const { session } = useDesk();
	const columns: Column<AccountRow>[] = [
		{
			id: 'name',
			head: t('desk.accounts.col.name'),
			isHead: true,
			cell: (row) => (
				<>
					<code>{row.name}</code>
					{row.is_mine && <span class="desk-minor desk-block">{t('desk.accounts.mine')}</span>}
				</>
			),
		},
		{ id: 'role', head: t('desk.accounts.col.role'), cell: (row) => roleName(row.role) },
		{ id: 'is', head: t('desk.accounts.col.is'), cell: (row) => <State row={row} /> },
		{
			id: 'second',
			head: t('desk.accounts.col.second'),
			cell: (row) => (row.has_second ? t('common.yes') : <span class="desk-minor">{t('desk.none')}</span>),
		},
		{
			id: 'do',
			head: t('desk.accounts.col.do'),
			cell: (row) => {
				const acts = actsOf(row, mayOpen, session.user);
				if (acts.length === 0) return <span class="desk-minor">{t('desk.none')}</span>;
				return (
					<span class="desk-doings">
						{acts.map((act) => (
							<Button
								key={act}
								label={t('desk.accounts.act-with', { verb: verbOf(act), name: row.name })}
								onPress={() => onDo({ row, act })}
							>
								{verbOf(act)}
							</Button>
						))}
					</span>
				);
			},
		},
	];
	return <Table caption={t('desk.accounts.table')} columns={columns} rows={rows} keyOf={(row) => row.name} />;
}

interface StepProps {
	roles: string[];
	onDone: (step: AccountStepView) => void;
	onClose: () => void;
}

function RoleSelect({ id, roles, value, onChoose }: { id: string; roles: string[]; value: string; onChoose: (role: string) => void }) {
	return (
		<Field id={id} label={t('desk.accounts.col.role')} hint={textOr(`desk.role-means.${value}`, 'desk.role.other')}>
			{(wiring) => (
				<Select wiring={wiring} value={value} options={roles.map((role) => ({ id: role, name: roleName(role) }))} onChoose={onChoose} />
			)}
		</Field>
	);
}

function Open({ roles, onDone, onClose }: StepProps) {
	const desk = useDesk();
	const [name, setName] = useState('');
	const [role, setRole] = useState(roles[0] ?? '');
	const [isTried, setIsTried] = useState(false);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');
	const isGood = /^[a-z0-9_.-]{2,32}$/.test(name);
	const send = async () => {
		setIsTried(true);
		if (!isGood) return document.getElementById('account-name')?.focus();
		setIsBusy(true);
		setRefusal('');
		try {
			return onDone(await post<AccountStepView>(PATH, { name, role, act: 'ACCOUNT_ACT_OPEN' }));
		} catch (error) {
			setRefusal(error instanceof ApiError && error.code === 'exists' ? t('desk.accounts.exists') : desk.failed(error));
		}
		setIsBusy(false);
	};
	return (
		<Dialog
			title={t('desk.accounts.open')}
			onClose={onClose}
			actions={
				<>
					<Button kind="primary" isBusy={isBusy} onPress={() => void send()}>
						{t('desk.accounts.open')}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<p>{t('desk.accounts.open-lead')}</p>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<Field
				id="account-name"
				label={t('desk.accounts.col.name')}
				hint={t('desk.accounts.name-hint')}
				isRequired
				error={isTried && !isGood ? t('desk.accounts.name-wrong') : undefined}
			>
				{(wiring) => <Line wiring={wiring} maxLength={32} value={name} onType={setName} />}
			</Field>
			<RoleSelect id="account-role" roles={roles} value={role} onChoose={setRole} />
		</Dialog>
	);
}

function refusedAct(error: unknown): string | undefined {
	if (!(error instanceof ApiError)) return undefined;
	if (error.code === 'conflict') return t('desk.accounts.conflict');
	return error.code === 'denied' ? t('desk.accounts.denied') : undefined;
}

function Act({ row, act, roles, onDone, onClose }: Doing & StepProps) {
	const [role, setRole] = useState(row.role);
	const send = async () => onDone(await post<AccountStepView>(PATH, { name: row.name, act, role: act === 'ACCOUNT_ACT_ROLE' ? role : '' }));
	return (
		<ReasonDialog
			id="account-act"
			title={t('desk.accounts.act-with', { verb: verbOf(act), name: row.name })}
			verb={verbOf(act)}
			isDanger={act === 'ACCOUNT_ACT_CLOSE' || act === 'ACCOUNT_ACT_RESET'}
			onSend={send}
			refused={refusedAct}
			onClose={onClose}
		>
			<p>{textOr(`desk.accounts.means.${act}`, 'desk.none')}</p>
			{act === 'ACCOUNT_ACT_ROLE' && <RoleSelect id="account-role" roles={roles} value={role} onChoose={setRole} />}
		</ReasonDialog>
	);
}
