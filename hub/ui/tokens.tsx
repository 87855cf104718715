// Tokens: one for each new device, for the fingerprint that it shows and the place where it stands.
import { useState } from 'preact/hooks';
import { post } from '../../common/ui/src/api';
import { t, textOr, words } from '../../common/ui/src/i18n';
import {
	announce,
	Button,
	Chip,
	Choices,
	Dialog,
	Empty,
	Failed,
	Field,
	Line,
	LongLine,
	Notice,
	Select,
	Table,
	toast,
	type Column,
} from '../../common/ui/src/parts';
import type { PlaceRow, PlacesView, Tier, TokenRow, TokensView, TokenView } from '../../common/ui/src/types';
import { useDesk, useLoaded } from '../../common/ui/desk/session';
import { momentText } from '../../common/ui/desk/time';
import { isDeviceNews } from './devices';

const GROUPS = 16;
const ROLES: Tier[] = ['TIER_TERMINAL', 'TIER_TOWN'];

/** What was typed, in groups of four. */
function groupsOf(text: string): string[] {
	return text.toLowerCase().replace(/[\s-]+/g, '').match(/.{1,4}/gu) ?? [];
}

function fingerprintFault(groups: string[], isWhole: boolean): string {
	const wrong = groups.findIndex((group) => /[^0-9a-f]/.test(group));
	if (wrong >= 0) return t('desk.tokens.wrong-group', { n: wrong + 1, group: groups[wrong]! });
	if (groups.length > GROUPS) return t('desk.tokens.long');
	return isWhole && (groups.length < GROUPS || groups[GROUPS - 1]!.length < 4) ? t('desk.tokens.short') : '';
}

export function Tokens({ onIssued }: { onIssued: () => void }) {
	const { data, fault, reload } = useLoaded<TokensView>('/api/v1/tokens', isDeviceNews);
	const [told, setTold] = useState<TokenView | null>(null);
	const [isIssuing, setIssuing] = useState(false);
	const issued = (token: TokenView) => {
		setIssuing(false);
		setTold(token);
		announce(t('desk.tokens.told'));
		void reload();
		onIssued();
	};
	return (
		<>
			<div class="desk-bar">
				<Button kind="primary" onPress={() => setIssuing(true)}>
					{t('desk.tokens.issue')}
				</Button>
			</div>
			{isIssuing && <Issue onIssued={issued} onClose={() => setIssuing(false)} />}
			{told && <Told token={told} />}
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{data?.tokens.length === 0 && <Empty>{t('desk.tokens.none')}</Empty>}
			{data && data.tokens.length > 0 && <Issued tokens={data.tokens} reload={reload} />}
		</>
	);
}

function Told({ token }: { token: TokenView }) {
	return (
		<Notice kind="success" title={t('desk.tokens.told')}>
			<p class="desk-token">
				<code>{token.secret}</code>
			</p>
			<p>{t('desk.tokens.told-text', { time: momentText(token.expires_ms) })}</p>
			<p class="desk-minor desk-block">{token.place}</p>
		</Notice>
	);
}

// ---- the form ----

function optionsOf(places: PlaceRow[]) {
	return places.map(({ code, name }) => ({ id: code, name: `${words(name)} ${code}` }));
}

function Issue({ onIssued, onClose }: { onIssued: (token: TokenView) => void; onClose: () => void }) {
	const desk = useDesk();
	const { data } = useLoaded<PlacesView>('/api/v1/places', () => false);
	const [typed, setTyped] = useState('');
	const [role, setRole] = useState<Tier>('TIER_TERMINAL');
	const [town, setTown] = useState('');
	const [community, setCommunity] = useState('');
	const [number, setNumber] = useState('1');
	const [isTried, setIsTried] = useState(false);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');

	const places = data?.places ?? [];
	const towns = places.filter(({ code }) => code.length === 9);
	const townNow = town || towns[0]?.code || '';
	const communities = places.filter(({ code }) => code.length === 12 && code.startsWith(townNow));
	const communityNow = community.startsWith(townNow) && community ? community : (communities[0]?.code ?? '');
	const isTerminal = role === 'TIER_TERMINAL';
	const groups = groupsOf(typed);
	const whole = groups.filter((group) => group.length === 4).length;
	const fault = fingerprintFault(groups, isTried);
	const numberFault = isTerminal && !/^[1-9]\d{0,2}$/.test(number) ? t('desk.tokens.number-wrong') : '';

	const send = async () => {
		setIsTried(true);
		if (fingerprintFault(groups, true)) return document.getElementById('token-key')?.focus();
		if (numberFault) return document.getElementById('token-number')?.focus();
		setIsBusy(true);
		setRefusal('');
		try {
			const place = isTerminal ? `${communityNow}-T${number}` : townNow;
			const token = await post<TokenView>('/api/v1/tokens', { fingerprint: groups.join(''), role, place });
			onIssued(token);
		} catch (error) {
			setRefusal(desk.failed(error));
			setIsBusy(false);
		}
	};
	return (
		<Dialog
			title={t('desk.tokens.issue')}
			onClose={onClose}
			actions={
				<>
					<Button kind="primary" isBusy={isBusy} onPress={() => void send()}>
						{t('desk.tokens.issue')}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<p>{t('desk.tokens.issue-lead')}</p>
			<Field
				id="token-key"
				label={t('desk.tokens.fingerprint')}
				hint={t('desk.tokens.fingerprint-hint')}
				error={fault || undefined}
				isRequired
			>
				{(wiring) => (
					<LongLine wiring={wiring} rows={3} maxLength={120} value={typed} onType={(text) => setTyped(text)} class="desk-groups" />
				)}
			</Field>
			<p class="desk-minor" role="status">
				{t('desk.tokens.groups', { n: Math.min(whole, GROUPS) })} <code>{groups.join('-')}</code>
			</p>
			<Choices
				id="token-role"
				legend={t('desk.tokens.role')}
				options={ROLES.map((id) => ({ id, name: t(`desk.tokens.role.${id as 'TIER_TERMINAL' | 'TIER_TOWN'}`) }))}
				chosen={[role]}
				onChange={([chosen]) => setRole(chosen as Tier)}
			/>
			<Field id="token-town" label={t('desk.tokens.town')}>
				{(wiring) => <Select wiring={wiring} value={townNow} options={optionsOf(towns)} onChoose={setTown} />}
			</Field>
			{isTerminal && (
				<>
					<Field id="token-community" label={t('desk.tokens.community')}>
						{(wiring) => (
							<Select wiring={wiring} value={communityNow} options={optionsOf(communities)} onChoose={setCommunity} />
						)}
					</Field>
					<Field id="token-number" label={t('desk.tokens.number')} error={numberFault || undefined}>
						{(wiring) => (
							<Line wiring={wiring} inputMode="numeric" maxLength={3} value={number} onType={(text) => setNumber(text)} />
						)}
					</Field>
				</>
			)}
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
		</Dialog>
	);
}

// ---- what was issued ----

function Issued({ tokens, reload }: { tokens: TokenRow[]; reload: () => Promise<void> }) {
	const desk = useDesk();
	const [refusal, setRefusal] = useState('');
	const withdraw = async (row: TokenRow) => {
		setRefusal('');
		try {
			await post('/api/v1/tokens/withdraw', { token: row.token });
			toast(t('desk.tokens.withdrawn'));
		} catch (error) {
			setRefusal(desk.failed(error));
		}
		void reload();
	};
	const columns: Column<TokenRow>[] = [
		{ id: 'place', head: t('desk.tokens.col.place'), isHead: true, cell: (row) => <span class="desk-block">{row.place}</span> },
		{ id: 'is', head: t('desk.devices.col.is'), cell: (row) => <TokenMark row={row} /> },
		{ id: 'until', head: t('desk.tokens.col.until'), cell: (row) => momentText(row.expires_ms) },
		{ id: 'by', head: t('desk.devices.col.by'), cell: (row) => <code>{row.by}</code> },
		{
			id: 'do',
			head: t('desk.devices.col.do'),
			cell: (row) =>
				row.is_open && (
					<Button label={t('desk.tokens.withdraw-of', { place: row.place })} onPress={() => void withdraw(row)}>
						{t('desk.tokens.withdraw')}
					</Button>
				),
		},
	];
	return (
		<>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<Table caption={t('desk.tokens.table')} columns={columns} rows={tokens} keyOf={(row) => row.token} />
		</>
	);
}

function TokenMark({ row }: { row: TokenRow }) {
	if (row.is_open) return <Chip kind="info" icon="waiting">{t('desk.tokens.is.open')}</Chip>;
	if (row.state === 'TOKEN_STATE_ISSUED') return <Chip kind="warning">{t('desk.tokens.is.over')}</Chip>;
	const isUsed = row.state === 'TOKEN_STATE_USED';
	return (
		<Chip kind={isUsed ? 'success' : 'info'} icon={isUsed ? 'success' : 'close'}>
			{textOr(`desk.tokens.is.${row.state}`, 'desk.tokens.is.other')}
		</Chip>
	);
}
