// The directory: every device, with its state; a token for a new one; an end for a stolen one.
import { useState } from 'preact/hooks';
import { post } from '../../common/ui/src/api';
import { t, textOr, words } from '../../common/ui/src/i18n';
import {
	Button,
	Chip,
	Empty,
	Failed,
	Loading,
	Table,
	toast,
	type Column,
} from '../../common/ui/src/parts';
import type { DeviceRecord, DevicesView, DeviceView } from '../../common/ui/src/types';
import { ReasonDialog } from '../../common/ui/desk/reason';
import { useLoaded } from '../../common/ui/desk/session';
import { PageHeading } from '../../common/ui/desk/shell';
import { Moment, momentText, useNow } from '../../common/ui/desk/time';
import { Histories, reasonTexts } from './histories';
import { Tokens } from './tokens';

/** A device that was admitted or revoked changes the links, too. */
export const isDeviceNews = (name: string): boolean => name === 'links';

type Device = DeviceView & { record: DeviceRecord };

export function Devices() {
	const { data, fault, reload } = useLoaded<DevicesView>('/api/v1/devices', isDeviceNews);
	const [revoking, setRevoking] = useState<Device | null>(null);
	const devices = (data?.devices ?? [])
		.filter((device): device is Device => device.record !== undefined)
		.sort((a, b) => a.record.place.localeCompare(b.record.place) || Number(b.record.since_ms) - Number(a.record.since_ms));
	return (
		<>
			<PageHeading title={t('desk.devices.title')}>
				<p class="desk-lead">{t('desk.devices.lead')}</p>
			</PageHeading>
			<Histories />
			<Tokens onIssued={() => void reload()} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && devices.length === 0 && <Empty>{t('desk.devices.none')}</Empty>}
			{devices.length > 0 && <Directory devices={devices} onRevoke={setRevoking} />}
			{revoking && <Revoke device={revoking} reload={reload} onClose={() => setRevoking(null)} />}
		</>
	);
}

function nameOf(device: Device): string {
	return words(device.place_name) || device.record.place;
}

function Directory({ devices, onRevoke }: { devices: Device[]; onRevoke: (device: Device) => void }) {
	const now_ms = useNow();
	const columns: Column<Device>[] = [
		{
			id: 'device',
			head: t('desk.devices.col.device'),
			isHead: true,
			cell: (device) => (
				<>
					{nameOf(device)}
					<span class="desk-minor desk-block">
						{t(`desk.tier.${device.record.role}`)} {device.record.place}
					</span>
				</>
			),
		},
		{ id: 'is', head: t('desk.devices.col.is'), cell: (device) => <Status record={device.record} /> },
		{
			id: 'since',
			head: t('desk.devices.col.since'),
			cell: (device) => <Moment time_ms={device.record.since_ms} now_ms={now_ms} />,
		},
		{
			id: 'by',
			head: t('desk.devices.col.by'),
			cell: ({ record }) =>
				record.role === 'TIER_DISTRICT' ? t('desk.devices.by-authority') : <code>{record.by}</code>,
		},
		{
			id: 'why',
			head: t('desk.col.why'),
			cell: ({ record }) => record.reason && <span class="desk-said">{record.reason}</span>,
		},
		{
			id: 'do',
			head: t('desk.devices.col.do'),
			cell: (device) =>
				device.record.status === 'DEVICE_STATUS_ADMITTED' &&
				device.record.role !== 'TIER_DISTRICT' && (
					<Button label={t('desk.devices.revoke-of', { place: nameOf(device) })} onPress={() => onRevoke(device)}>
						{t('desk.devices.revoke')}
					</Button>
				),
		},
	];
	return <Table caption={t('desk.devices.table')} columns={columns} rows={devices} keyOf={(device) => device.device} />;
}

function Status({ record }: { record: DeviceRecord }) {
	const isRevoked = record.status === 'DEVICE_STATUS_REVOKED';
	const changed_ms = record.former[record.former.length - 1]?.until_ms ?? '0';
	return (
		<>
			<Chip icon={isRevoked ? 'locked' : 'success'} kind={isRevoked ? 'danger' : 'success'}>
				{textOr(`desk.devices.is.${record.status}`, 'desk.devices.is.other')}
			</Chip>
			{record.generation > 0 && (
				<span class="desk-minor desk-block">
					{t(record.is_passing ? 'desk.devices.keys-passing' : 'desk.devices.keys-changed', {
						n: record.generation,
						time: momentText(changed_ms),
					})}
				</span>
			)}
		</>
	);
}

interface RevokeProps {
	device: Device;
	reload: () => Promise<void>;
	onClose: () => void;
}

function Revoke({ device, reload, onClose }: RevokeProps) {
	const send = async (reason: string) => {
		try {
			await post('/api/v1/devices/revoke', { device: device.device, reason });
			onClose();
			toast(t('desk.devices.revoked'));
		} finally {
			void reload();
		}
	};
	return (
		<ReasonDialog
			id="revoke-reason"
			title={t('desk.devices.revoke-of', { place: nameOf(device) })}
			verb={t('desk.devices.revoke')}
			isDanger
			reason={reasonTexts(t('desk.devices.reason'))}
			onSend={send}
			onClose={onClose}
		>
			<p class="desk-subject desk-block">
				{t(`desk.tier.${device.record.role}`)} {device.record.place}
			</p>
			<p>{t('desk.devices.revoke-means')}</p>
		</ReasonDialog>
	);
}
