// Erasing what a person told: one proposes, a second confirms, and nothing brings it back. On the case's page, and as a list.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { Button, Chip, Dialog, Empty, Failed, Field, Loading, LongLine, Notice, Table, toast, type Column } from '../src/parts';
import type { Basis, EraseAction, ErasuresView, ErasureView } from '../src/types';
import { hrefOf } from './route';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';
import { Sourced } from './sourced';
import { momentText } from './time';

const PATH = '/api/v1/erasures';
const TEXT_CHARACTERS_MOST = 200; // 600 bytes, whatever the script

type Step = { erasure: ErasureView; action: EraseAction };

/** What an act is about. */
export interface About {
	requests?: string[];
	persons?: string[];
}

interface ErasingProps {
	about: About;
	erasure: ErasureView | undefined;
	canErase: boolean;
	kept?: { until_ms: string; why: Basis | undefined }; // it may not, before then
	reload: () => Promise<void>;
}

/** What the page of a case, or of a resident, says of it. */
export function Erasing({ about, erasure, canErase, kept, reload }: ErasingProps) {
	const [isProposing, setProposing] = useState(false);
	const [step, setStep] = useState<Step | null>(null);
	if (!erasure && !canErase && !kept) return null;
	return (
		<section>
			<h2>{t('desk.erase.title')}</h2>
			{erasure?.is_done && (
				<Notice kind="info" title={t('desk.erase.done', { time: momentText(erasure.erased_ms) })}>
					<Why erasure={erasure} />
					<p>{t('desk.erase.stays')}</p>
				</Notice>
			)}
			{erasure && !erasure.is_done && (
				<>
					<Notice kind="warning" title={t('desk.erase.proposed')}>
						<Why erasure={erasure} />
					</Notice>
					<Steps erasure={erasure} onStep={setStep} />
				</>
			)}
			{kept && (
				<>
					<p>{t('desk.erase.kept', { time: momentText(kept.until_ms) })}</p>
					<Sourced facts={kept.why ? [kept.why] : []} />
				</>
			)}
			{canErase && (
				<Button icon="erase" onPress={() => setProposing(true)}>
					{t('desk.erase.propose')}
				</Button>
			)}
			{isProposing && <Propose about={about} reload={reload} onClose={() => setProposing(false)} />}
			{step && <Confirm {...step} reload={reload} onClose={() => setStep(null)} />}
		</section>
	);
}

function Why({ erasure }: { erasure: ErasureView }) {
	const { proposed_by: first, confirmed_by: second } = erasure;
	const office = words(erasure.place_name) || erasure.place;
	return (
		<>
			<p>
				{second
					? t('desk.erase.by-two', { first, second, office })
					: t('desk.erase.by-one', { first, time: momentText(erasure.proposed_ms) })}
			</p>
			<p class="desk-said">{t('desk.erase.why', { reason: erasure.reason, ground: erasure.ground })}</p>
		</>
	);
}

function Steps({ erasure, onStep }: { erasure: ErasureView; onStep: (step: Step) => void }) {
	return (
		<>
			{!erasure.can_confirm && <p>{t('desk.erase.second')}</p>}
			<div class="actions">
				{erasure.can_confirm && (
					<Button kind="danger" onPress={() => onStep({ erasure, action: 'ERASE_ACTION_CONFIRM' })}>
						{t('desk.erase.confirm')}
					</Button>
				)}
				<Button onPress={() => onStep({ erasure, action: 'ERASE_ACTION_DROP' })}>{t('desk.erase.drop')}</Button>
			</div>
		</>
	);
}

interface Ending {
	reload: () => Promise<void>;
	onClose: () => void;
}

/** Sends one step; what came of it, for the dialog that asked. */
function useSend({ reload, onClose }: Ending) {
	const desk = useDesk();
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');
	const send = async (path: string, body: object, done: string) => {
		setIsBusy(true);
		setRefusal('');
		try {
			await post<ErasureView>(path, body);
			onClose();
			toast(done);
		} catch (error) {
			setRefusal(desk.failed(error));
			setIsBusy(false);
		}
		void reload();
	};
	return { isBusy, refusal, send };
}

function Refusal({ text }: { text: string }) {
	return <div role="alert">{text && <Notice kind="danger">{text}</Notice>}</div>;
}

const PARTS = ['reason', 'ground'] as const;

function Propose({ about, ...ending }: Ending & { about: About }) {
	const { isBusy, refusal, send } = useSend(ending);
	const [typed, setTyped] = useState({ reason: '', ground: '' });
	const [isTried, setTried] = useState(false);
	const propose = () => {
		const missing = PARTS.find((part) => !typed[part].trim());
		setTried(true);
		if (missing) document.getElementById(`erase-${missing}`)?.focus();
		else
			void send(
				PATH,
				{ action: 'ERASE_ACTION_PROPOSE', ...about, reason: typed.reason.trim(), ground: typed.ground.trim() },
				t('desk.erase.toast-proposed'),
			);
	};
	return (
		<Dialog
			title={t('desk.erase.propose')}
			onClose={ending.onClose}
			actions={
				<>
					<Button kind="primary" isBusy={isBusy} onPress={propose}>
						{t('desk.erase.propose')}
					</Button>
					<Button onPress={ending.onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<p>{t(about.persons ? 'desk.erase.means-person' : 'desk.erase.means')}</p>
			<Refusal text={refusal} />
			{PARTS.map((part) => (
				<Field
					key={part}
					id={`erase-${part}`}
					label={t(`desk.erase.${part}`)}
					hint={t(`desk.erase.hint.${part}`)}
					error={isTried && !typed[part].trim() ? t('desk.erase.missing') : undefined}
					isRequired
				>
					{(wiring) => (
						<LongLine
							wiring={wiring}
							rows={2}
							maxLength={TEXT_CHARACTERS_MOST}
							value={typed[part]}
							onType={(text) => setTyped({ ...typed, [part]: text })}
						/>
					)}
				</Field>
			))}
		</Dialog>
	);
}

function Confirm({ erasure, action, ...ending }: Ending & Step) {
	const { isBusy, refusal, send } = useSend(ending);
	const isDrop = action === 'ERASE_ACTION_DROP';
	const verb = t(isDrop ? 'desk.erase.drop' : 'desk.erase.confirm');
	return (
		<Dialog
			title={verb}
			onClose={ending.onClose}
			actions={
				<>
					<Button
						kind={isDrop ? 'primary' : 'danger'}
						isBusy={isBusy}
						onPress={() =>
							void send(
								`${PATH}/${erasure.act}`,
								{ action },
								t(isDrop ? 'desk.erase.toast-dropped' : 'desk.erase.toast-erased'),
							)
						}
					>
						{verb}
					</Button>
					<Button onPress={ending.onClose}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<Why erasure={erasure} />
			<p>{t(isDrop ? 'desk.erase.drop-means' : erasure.persons.length > 0 ? 'desk.erase.confirm-means-person' : 'desk.erase.confirm-means', {
					n: erasure.requests.length,
				})}</p>
			<Refusal text={refusal} />
		</Dialog>
	);
}

/** What is proposed waits for somebody to look: so it has a page. */
export function Erasures() {
	const { data, fault, reload } = useLoaded<ErasuresView>(PATH, (name) => name === 'cases' || name === 'persons');
	const [step, setStep] = useState<Step | null>(null);
	const columns: Column<ErasureView>[] = [
		{
			id: 'is',
			head: t('desk.erase.col.is'),
			isHead: true,
			cell: (row) => (
				<Chip icon={row.is_done ? 'success' : 'waiting'} kind={row.is_done ? 'success' : 'warning'}>
					{t(row.is_done ? 'desk.erase.is.done' : 'desk.erase.is.proposed')}
				</Chip>
			),
		},
		{ id: 'why', head: t('desk.col.why'), cell: (row) => <Why erasure={row} /> },
		{ id: 'when', head: t('desk.col.since'), cell: (row) => momentText(row.is_done ? row.erased_ms : row.proposed_ms) },
		{ id: 'cases', head: t('desk.erase.col.cases'), cell: (row) => <Cases act={row} /> },
		{
			id: 'do',
			head: t('desk.erase.col.do'),
			cell: (row) => !row.is_done && <Steps erasure={row} onStep={setStep} />,
		},
	];
	return (
		<>
			<PageHeading title={t('desk.erase.title')}>
				<p class="desk-lead">{t('desk.erase.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data?.erasures.length === 0 && <Empty>{t('desk.erase.none')}</Empty>}
			{data && data.erasures.length > 0 && (
				<Table caption={t('desk.erase.title')} isCaptionHidden columns={columns} rows={data.erasures} keyOf={(row) => row.act} />
			)}
			{data?.is_more && <p>{t('desk.erase.more')}</p>}
			{step && <Confirm key={step.erasure.act} {...step} reload={reload} onClose={() => setStep(null)} />}
		</>
	);
}

function Cases({ act: { persons, requests } }: { act: ErasureView }) {
	return (
		<>
			{persons.map((person) => (
				<a key={person} class="desk-row-link" href={hrefOf('person', person)}>
					{t('desk.person.title')} <code>{person.slice(0, 12)}</code>
				</a>
			))}
			{requests.map((request) => (
				<a key={request} class="desk-row-link" href={hrefOf('case', request)}>
					<code>{request.slice(0, 12)}</code>
				</a>
			))}
		</>
	);
}
