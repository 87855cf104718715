// A resident's certificate of disability, on the record's page: as the district told it last, what waits for its answer, what
// can be done now, and what happened. Which acts are possible the daemon says.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { dateText, t } from '../src/i18n';
import { Button, Chip, Field, LongLine, Notice, Select, toast } from '../src/parts';
import { Said } from '../src/said';
import type { CancelGround, CertificateAct, CertificateCommand, CertificateEventView, CertificateStepView, CertificateView } from '../src/types';
import { ReasonDialog } from './reason';
import { momentText } from './time';

export const TEXT_CHARACTERS_MOST = 500;

interface CertificateProps {
	person: string;
	view: CertificateView;
	reload: () => Promise<void>;
}

export function Certificate({ person, view, reload }: CertificateProps) {
	const [act, setAct] = useState<CertificateAct | null>(null);
	return (
		<section id="certificate">
			<h2>{t('desk.certificate.title')}</h2>
			{view.is_absent && <Notice kind="warning">{t('desk.certificate.absent')}</Notice>}
			{view.is_recheck_due && <Notice kind="warning">{t('desk.certificate.recheck-due')}</Notice>}
			{view.waiting.length > 0 && (
				<Notice kind="info" title={t('desk.certificate.waiting')}>
					<Events events={view.waiting} />
				</Notice>
			)}
			<Facts view={view} />
			<div class="actions">
				{view.may.map((one) => (
					<Button key={one} onPress={() => setAct(one)}>
						{t(`desk.certificate.act.${one}`)}
					</Button>
				))}
			</div>
			{view.events.length > 0 && (
				<>
					<h3>{t('desk.certificate.history')}</h3>
					<Events events={view.events} />
				</>
			)}
			{act && (
				<ActDialog
					key={act}
					act={act}
					isRecheck={view.facts?.is_recheck ?? false}
					onClose={() => setAct(null)}
					onSend={async (command) => {
						const path = `/api/v1/persons/${person}/certificate`;
						const step = await post<CertificateStepView>(path, { ...command, version: view.version });
						setAct(null);
						toast(t(step.is_waiting ? 'desk.certificate.asked' : 'desk.certificate.done'));
						void reload();
					}}
				/>
			)}
		</section>
	);
}

export function kindText(category: number, grade: number): string {
	const known = category >= 1 && category <= 7 ? (category as 1 | 2 | 3 | 4 | 5 | 6 | 7) : 7;
	return t('desk.certificate.kind', { category: t(`desk.certificate.category.${known}`), grade });
}

function Facts({ view: { facts } }: { view: CertificateView }) {
	if (!facts) return <p>{t('desk.certificate.state.CERTIFICATE_STATE_NONE')}</p>;
	const pairs: [string, string][] = [
		[t('desk.certificate.field.state'), t(`desk.certificate.state.${facts.state}`)],
		[t('desk.certificate.field.number'), facts.number],
		[t('desk.certificate.field.kind'), facts.number && kindText(facts.category, facts.grade)],
		[t('desk.certificate.field.valid_until'), dateText(facts.valid_until)],
		[t('desk.certificate.field.recheck_on'), dateText(facts.recheck_on)],
		[t('desk.certificate.field.note'), facts.note],
		[t('desk.certificate.field.assessor'), facts.draw ? facts.draw.account : ''],
		[t('desk.certificate.field.draw'), facts.draw ? t('desk.certificate.draw', { n: facts.draw.sequence, of: facts.draw.candidates }) : ''],
		[t('desk.certificate.field.finding'), facts.finding ? `${kindText(facts.finding.category, facts.finding.grade)} · ${facts.finding.findings}` : ''],
		[t('desk.certificate.field.checked_by'), facts.checked_by],
		[t('desk.certificate.field.ground'), facts.ground],
		[t('desk.certificate.field.remedy'), facts.remedy],
	];
	return (
		<>
			{facts.is_recheck && (
				<Chip kind="info" icon="refresh">
					{t('desk.certificate.is-recheck')}
				</Chip>
			)}
			<dl class="desk-answers">
				{pairs
					.filter(([, value]) => value)
					.map(([label, value]) => (
						<div key={label}>
							<dt>{label}</dt>
							<dd class="desk-said">{value}</dd>
						</div>
					))}
			</dl>
		</>
	);
}

function Events({ events }: { events: CertificateEventView[] }) {
	return (
		<ol class="desk-timeline">
			{events.map(({ version, step, time_ms, refusal, is_absent }) => (
				<li key={`${version} ${time_ms}`}>
					<p>
						<strong>{step ? t(`desk.certificate.act.${step.act}`) : t('desk.event.absent')}</strong>{' '}
						<span class="desk-minor">
							{momentText(time_ms)} {step?.staff && <code>{step.staff}</code>}
						</span>
					</p>
					{refusal && (
						<Notice kind="warning" title={t('desk.certificate.not-possible')}>
							<Said text={refusal} />
						</Notice>
					)}
					{!is_absent && step?.reason && <p class="desk-said">{step.reason}</p>}
				</li>
			))}
		</ol>
	);
}

const WITH_REASON: CertificateAct[] = [
	'CERTIFICATE_ACT_APPLY',
	'CERTIFICATE_ACT_SEND_BACK',
	'CERTIFICATE_ACT_LOSS',
	'CERTIFICATE_ACT_RECHECK',
	'CERTIFICATE_ACT_CANCEL',
	'CERTIFICATE_ACT_DECLINE',
	'CERTIFICATE_ACT_REFUSE', // it is the ground
];
const GROUNDS: CancelGround[] = ['CANCEL_GROUND_NONE', 'CANCEL_GROUND_DEATH', 'CANCEL_GROUND_OWN_WISH', 'CANCEL_GROUND_RECHECK'];

interface DialogProps {
	act: CertificateAct;
	isRecheck: boolean;
	onSend: (command: CertificateCommand) => Promise<void>;
	onClose: () => void;
}

export function ActDialog({ act, isRecheck, onSend, onClose }: DialogProps) {
	const [remedy, setRemedy] = useState('');
	const [cancel, setCancel] = useState<CancelGround>('CANCEL_GROUND_NONE');
	const [isTried, setTried] = useState(false);
	const isRefusal = act === 'CERTIFICATE_ACT_REFUSE';
	const isCancel = act === 'CERTIFICATE_ACT_CANCEL';
	const send = async (reason: string) => {
		setTried(true);
		if (isRefusal && !remedy.trim()) return document.getElementById('act-remedy')?.focus();
		if (isCancel && cancel === 'CANCEL_GROUND_NONE') return document.getElementById('act-cancel')?.focus();
		await onSend(isRefusal ? { act, ground: reason, remedy: remedy.trim() } : isCancel ? { act, cancel, reason } : { act, reason });
	};
	return (
		<ReasonDialog
			id="act-reason"
			title={t(`desk.certificate.act.${act}`)}
			verb={t(`desk.certificate.act.${act}`)}
			isDanger={isRefusal || isCancel}
			reason={
				WITH_REASON.includes(act)
					? {
							label: t(isRefusal ? 'desk.certificate.field.ground' : 'desk.certificate.reason'),
							hint: t(isRefusal ? 'desk.certificate.ground-hint' : 'desk.certificate.reason-hint'),
							missing: t('common.rule.required'),
							most: TEXT_CHARACTERS_MOST,
						}
					: undefined
			}
			onSend={send}
			onClose={onClose}
		>
			<p>{t(`desk.certificate.means.${act}`)}</p>
			{isCancel && (
				<Field
					id="act-cancel"
					label={t('desk.certificate.cancel')}
					error={isTried && cancel === 'CANCEL_GROUND_NONE' ? t('common.rule.required') : undefined}
					isRequired
				>
					{(wiring) => (
						<Select
							wiring={wiring}
							value={cancel}
							options={GROUNDS.filter((one) => one !== 'CANCEL_GROUND_RECHECK' || isRecheck).map((id) => ({
								id,
								name: t(`desk.certificate.ground.${id}`),
							}))}
							onChoose={(id) => setCancel(id as CancelGround)}
						/>
					)}
				</Field>
			)}
			{isRefusal && (
				<Field
					id="act-remedy"
					label={t('desk.certificate.field.remedy')}
					hint={t('desk.certificate.remedy-hint')}
					error={isTried && !remedy.trim() ? t('common.rule.required') : undefined}
					isRequired
				>
					{(wiring) => <LongLine wiring={wiring} rows={2} maxLength={TEXT_CHARACTERS_MOST} value={remedy} onType={setRemedy} />}
				</Field>
			)}
		</ReasonDialog>
	);
}
