// Devices that two machines claim to be: which of the two histories goes on.
import { useState } from 'preact/hooks';
import { post } from '../../common/ui/src/api';
import { t, words } from '../../common/ui/src/i18n';
import { Button, Notice, Table, toast, type Column } from '../../common/ui/src/parts';
import type { LinksView, LinkView } from '../../common/ui/src/types';
import { ReasonDialog, type ReasonTexts } from '../../common/ui/desk/reason';
import { useLoaded } from '../../common/ui/desk/session';

const REASON_CHARACTERS_MOST = 66; // 200 bytes, whatever the script

/** Why somebody acts on a device: the device shows it. */
export function reasonTexts(label: string): ReasonTexts {
	return {
		label,
		hint: t('desk.devices.reason-hint'),
		missing: t('desk.devices.reason-missing'),
		most: REASON_CHARACTERS_MOST,
	};
}

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
			cell: ({ history, isStored }) => (
				<>
					{t(isStored ? 'desk.histories.stored' : 'desk.histories.other')} <code>{history}</code>
				</>
			),
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
			isCaptionHidden
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
	const { link, history } = choice;
	const send = async (reason: string) => {
		try {
			await post('/api/v1/devices/release', { device: link.device, history, reason });
			onClose();
			toast(t('desk.histories.released'));
		} finally {
			void reload();
		}
	};
	return (
		<ReasonDialog
			id="release-reason"
			title={t('desk.histories.release-of', { history, place: nameOf(choice) })}
			verb={t('desk.histories.release')}
			isDanger
			reason={reasonTexts(t('desk.histories.reason'))}
			onSend={send}
			onClose={onClose}
		>
			<p>{t('desk.histories.means')}</p>
		</ReasonDialog>
	);
}
