// Devices that two machines claim to be: which of the two histories goes on.
import { useState } from 'preact/hooks';
import { post } from '../../common/ui/src/api';
import { t, words } from '../../common/ui/src/i18n';
import { Button, Dialog, Field, LongLine, Notice, Table, toast, type Column } from '../../common/ui/src/parts';
import type { LinksView, LinkView } from '../../common/ui/src/types';
import { useDesk, useLoaded } from '../../common/ui/desk/session';

const REASON_CHARACTERS_MOST = 66; // 200 bytes, whatever the script

interface Choice {
	link: LinkView;
	history: string;
	isStored: boolean;
}

export function Histories() {
	const { data, reload } = useLoaded<LinksView>('/api/v1/links', (name, event) => name === 'links' && (event as LinksView));
	const [choice, setChoice] = useState<Choice | null>(null);
	const choices = (data?.links ?? []).flatMap((link) =>
		link.histories.map((history, nth): Choice => ({ link, history, isStored: nth === 0 })),
	);
	if (!choices.length && !choice) return null;
	return (
		<>
			<Notice kind="danger" title={t('desk.histories.title')}>
				<p>{t('desk.histories.lead')}</p>
			</Notice>
			<Directory choices={choices} onRelease={setChoice} />
			{choice && <Release choice={choice} reload={reload} onClose={() => setChoice(null)} />}
		</>
	);
}

function nameOf({ link }: Choice): string {
	return words(link.place_name) || link.place;
}

function Directory({ choices, onRelease }: { choices: Choice[]; onRelease: (choice: Choice) => void }) {
	const columns: Column<Choice>[] = [
		{
			id: 'device',
			head: t('desk.devices.col.device'),
			isHead: true,
			cell: (choice) => (
				<>
					{nameOf(choice)}
					<span class="desk-minor desk-block">
						{t(`desk.tier.${choice.link.tier}`)} {choice.link.place}
					</span>
				</>
			),
		},
		{
			id: 'is',
			head: t('desk.devices.col.is'),
			cell: ({ history, isStored }) => t(isStored ? 'desk.histories.stored' : 'desk.histories.other', { history }),
		},
		{
			id: 'do',
			head: t('desk.devices.col.do'),
			cell: (choice) => (
				<Button
					label={t('desk.histories.release-of', { history: choice.history, place: nameOf(choice) })}
					onPress={() => onRelease(choice)}
				>
					{t('desk.histories.release')}
				</Button>
			),
		},
	];
	return (
		<Table
			caption={t('desk.histories.title')}
			columns={columns}
			rows={choices}
			keyOf={({ link, history }) => `${link.device} ${history}`}
		/>
	);
}

interface ReleaseProps {
	choice: Choice;
	reload: () => Promise<void>;
	onClose: () => void;
}

function Release({ choice, reload, onClose }: ReleaseProps) {
	const desk = useDesk();
	const [reason, setReason] = useState('');
	const [isMissing, setIsMissing] = useState(false);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');
	const send = async () => {
		if (!reason.trim()) {
			setIsMissing(true);
			document.getElementById('release-reason')?.focus();
			return;
		}
		setIsBusy(true);
		setRefusal('');
		try {
			const { link, history } = choice;
			await post('/api/v1/devices/release', { device: link.device, history, reason: reason.trim() });
			onClose();
			toast(t('desk.histories.released'));
		} catch (error) {
			setRefusal(desk.failed(error));
		}
		setIsBusy(false);
		void reload();
	};
	return (
		<Dialog
			title={t('desk.histories.release-of', { history: choice.history, place: nameOf(choice) })}
			onClose={onClose}
			actions={
				<>
					<Button kind="danger" isBusy={isBusy} onPress={() => void send()}>
						{t('desk.histories.release')}
					</Button>
					<Button onPress={onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<p>{t('desk.histories.means')}</p>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<Field
				id="release-reason"
				label={t('desk.histories.reason')}
				hint={t('desk.devices.reason-hint')}
				error={isMissing && !reason.trim() ? t('desk.devices.reason-missing') : undefined}
				isRequired
			>
				{(wiring) => (
					<LongLine wiring={wiring} rows={2} maxLength={REASON_CHARACTERS_MOST} value={reason} onType={setReason} />
				)}
			</Field>
		</Dialog>
	);
}
