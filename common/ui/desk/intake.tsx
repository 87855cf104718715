// A request that staff type, of somebody at the counter or on the phone: the same questions, consents and rules as at a kiosk, on one
// page, with papers.
// What is typed lives in this page's memory: it outlasts other pages of the console, an ended session and the same
// person's next login; it is gone with a logout, another person's login, and the window. It holds personal data, so no
// storage of the browser keeps it: that would lie on the disk in clear.
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../src/api';
import { FieldQuestion, focusAnswer, type Here } from '../src/form';
import { language, t, words } from '../src/i18n';
import { announce, Button, Choices, Failed, Loading, Notice } from '../src/parts';
import { PrivacyFacts, SharingFacts } from '../src/privacy';
import { commandOf, emptyFilling, PRIVACY, stepFault, stepsOf, type Filling, type Step } from '../src/steps';
import type { CatalogueView, DraftView, FieldFault, Service, SubmitView } from '../src/types';
import { CHANNELS, keepIntake, keptIntake, type Channel, type Intake } from './model';
import { hrefOf } from './route';
import { useDesk } from './session';
import { PageHeading } from './shell';

export function IntakePage() {
	const desk = useDesk();
	const [services, setServices] = useState<Service[] | null>(null);
	const [intake, setIntake] = useState<Intake | null>(keptIntake);
	const [saved, setSaved] = useState<{ view: SubmitView; channel: Channel } | null>(null);
	const [fault, setFault] = useState('');
	const keep = (next: Intake | null) => {
		keepIntake(next);
		setIntake(next);
	};
	const attempt = async (work: () => Promise<void>) => {
		setFault('');
		try {
			await work();
		} catch (error) {
			const text = desk.failed(error);
			setFault(text);
			announce(text, true);
		}
	};
	const load = () => attempt(async () => setServices((await get<CatalogueView>('/api/v1/catalogue')).services));
	useEffect(() => void load(), []);
	const begin = (service: Service, channel: Channel) =>
		attempt(async () => {
			const draft = await post<DraftView>('/api/v1/intake/drafts');
			setSaved(null);
			keep({ ...draft, channel, filling: emptyFilling(service) });
		});
	if (saved) return <Receipt {...saved} onAgain={() => setSaved(null)} />;
	return (
		<>
			<PageHeading title={t('desk.intake.title')} />
			{fault && <Failed text={fault} onRetry={() => void (services ? setFault('') : load())} />}
			{!services && !fault && <Loading />}
			{intake ? (
				<Form
					key={intake.request_id}
					intake={intake}
					onChange={(filling) => keep({ ...intake, filling })}
					onDrop={() => keep(null)}
					onSend={(send) => attempt(send)}
					onSaved={(view) => {
						keep(null);
						setSaved({ view, channel: intake.channel });
					}}
				/>
			) : (
				services && <Choose services={services} onChoose={(service, channel) => void begin(service, channel)} />
			)}
		</>
	);
}

interface ChooseProps {
	services: Service[];
	onChoose: (service: Service, channel: Channel) => void;
}

function Choose({ services, onChoose }: ChooseProps) {
	const [channel, setChannel] = useState<Channel>('REQUEST_CHANNEL_COUNTER');
	return (
		<>
			<Choices
				id="intake-channel"
				legend={t('desk.intake.channel')}
				options={CHANNELS.map((id) => ({ id, name: t(`desk.channel.${id}`) }))}
				chosen={[channel]}
				onChange={([chosen]) => setChannel(chosen as Channel)}
			/>
			<p>{t('desk.intake.choose')}</p>
			<ul class="desk-services">
				{services.map((service) => (
					<li key={service.id}>
						<Button onPress={() => onChoose(service, channel)}>{words(service.name)}</Button>
					</li>
				))}
			</ul>
		</>
	);
}

interface FormProps {
	intake: Intake;
	onChange: (filling: Filling) => void;
	onDrop: () => void;
	onSend: (send: () => Promise<void>) => Promise<void>;
	onSaved: (view: SubmitView) => void;
}

const idOf = (key: string) => `intake-${key.replace(/\./g, '-')}`;

function Form({ intake, onChange, onDrop, onSend, onSaved }: FormProps) {
	const { session } = useDesk();
	const { filling } = intake;
	const { service } = filling;
	const [faults, setFaults] = useState<FieldFault[]>([]);
	const [isSending, setSending] = useState(false);
	const now_ms = Date.now();
	const steps = stepsOf(filling, now_ms);
	const here: Here = { code: '', name: session.place_name };
	const hasAgreed = !service.privacy || filling.agreed[PRIVACY]?.is_given === true;
	const agree = (key: string, is_given: boolean) => {
		setFaults((old) => old.filter(({ field }) => field !== key));
		onChange({ ...filling, agreed: { ...filling.agreed, [key]: { is_given, time_ms: Date.now() } } });
	};
	const show = (found: FieldFault[]) => {
		setFaults(found);
		announce(t('desk.intake.faults', { count: found.length }), true);
		requestAnimationFrame(() => focusAnswer(idOf(found[0]!.field)));
	};
	const send = async () => {
		const found = steps.map((step) => stepFault(step, filling)).filter((one) => one !== null);
		if (found.length > 0) return show(found);
		setSending(true);
		const { request_id, code, channel } = intake;
		await onSend(async () => {
			const command = { request_id, code, channel, ...commandOf(filling, language(), Date.now()) };
			const view = await post<SubmitView>('/api/v1/intake', command);
			if (view.is_saved) onSaved(view);
			else show(view.faults);
		});
		setSending(false);
	};
	return (
		<form
			class="desk-intake"
			noValidate
			autoComplete="off"
			onSubmit={(e) => {
				e.preventDefault();
				if (hasAgreed && !isSending) void send();
			}}
		>
			<h2>
				{words(service.name)} · {t(`desk.channel.${intake.channel}`)}
			</h2>
			<Who filling={filling} onChange={onChange} />
			<section class="desk-block">
				<h3 id="intake-privacy">{t('desk.consent.privacy')}</h3>
				<PrivacyFacts service={service} />
				<p>{t('desk.intake.read-aloud')}</p>
				<Agreement name={PRIVACY} filling={filling} onAnswer={agree} labelledBy="intake-privacy" />
			</section>
			{hasAgreed &&
				steps.map((step) => (
					<StepOnPage
						key={step.key}
						{...{ step, filling, here, onChange }}
						fault={faults.find(({ field }) => field === step.key) ?? null}
						onAnswer={agree}
						onTouch={() => setFaults((old) => old.filter(({ field }) => field !== step.key))}
					/>
				))}
			<div class="actions">
				{hasAgreed && (
					<Button kind="primary" isBusy={isSending}>
						{t('desk.intake.send')}
					</Button>
				)}
				<Button onPress={onDrop}>{t('desk.intake.drop')}</Button>
			</div>
		</form>
	);
}

/** Whether the resident asks, or somebody for them; where a service says that nobody may, why. */
function Who({ filling, onChange }: Pick<FormProps, 'onChange'> & { filling: Filling }) {
	const { service, isActing } = filling;
	if (service.only_self) return <p>{words(service.only_self)}</p>;
	return (
		<Choices
			id="intake-who"
			legend={t('desk.intake.who')}
			options={[
				{ id: 'self', name: t('desk.intake.self') },
				{ id: 'carer', name: t('desk.intake.carer') },
			]}
			chosen={[isActing ? 'carer' : 'self']}
			onChange={([chosen]) => onChange({ ...filling, isActing: chosen === 'carer' })}
		/>
	);
}

interface StepProps {
	step: Step;
	filling: Filling;
	fault: FieldFault | null;
	here: Here;
	onChange: (filling: Filling) => void;
	onAnswer: (key: string, isGiven: boolean) => void;
	onTouch: () => void;
}

function StepOnPage({ step, filling, fault, here, onChange, onAnswer, onTouch }: StepProps) {
	const { key } = step;
	const id = idOf(key);
	if (step.at === 'question')
		return (
			<FieldQuestion
				{...{ id, fault, here }}
				field={step.field}
				values={filling.answers[key] ?? []}
				isCounter
				onChange={(values) => {
					onTouch();
					onChange({ ...filling, answers: { ...filling.answers, [key]: values } });
				}}
				file={filling.files[key] ?? ''}
				onFile={(file) => {
					onTouch();
					onChange({ ...filling, files: { ...filling.files, [key]: file } });
				}}
			/>
		);
	return (
		<section class="desk-block">
			<h3 id={`${id}-title`}>{t(step.at === 'health' ? 'common.consent.health' : 'common.consent.sharing')}</h3>
			{step.at === 'health' ? (
				<p>{words(filling.service.privacy?.health_why)}</p>
			) : (
				<SharingFacts sharing={step.sharing} />
			)}
			{fault && <p class="field-error">{t('desk.intake.consent-missing')}</p>}
			<Agreement id={id} name={key} filling={filling} onAnswer={onAnswer} labelledBy={`${id}-title`} />
		</section>
	);
}

interface AgreementProps {
	id?: string;
	name: string;
	labelledBy: string;
	filling: Filling;
	onAnswer: (key: string, isGiven: boolean) => void;
}

function Agreement({ id = idOf(PRIVACY), name, labelledBy, filling, onAnswer }: AgreementProps) {
	const given = filling.agreed[name]?.is_given;
	return (
		<Choices
			id={id}
			name={name}
			aria-labelledby={labelledBy}
			options={[
				{ id: 'yes', name: t('common.consent.given') },
				{ id: 'no', name: t('common.consent.refused') },
			]}
			chosen={given === undefined ? [] : [given ? 'yes' : 'no']}
			onChange={([chosen]) => onAnswer(name, chosen === 'yes')}
		/>
	);
}

interface ReceiptProps {
	view: SubmitView;
	channel: Channel;
	onAgain: () => void;
}

function Receipt({ view, channel, onAgain }: ReceiptProps) {
	return (
		<>
			<PageHeading title={t('desk.intake.saved')} />
			<Notice kind="success" title={t('desk.intake.code')}>
				<p class="code-digits">{view.code.replace(/(\d{4})(?=\d)/g, '$1 ')}</p>
				<p>{t(channel === 'REQUEST_CHANNEL_PHONE' ? 'desk.intake.read-out' : 'desk.intake.hand-over')}</p>
			</Notice>
			<div class="actions">
				<a class="button plain" href={hrefOf('case', view.request_id)}>
					{t('desk.intake.open')}
				</a>
				<Button onPress={() => print()} icon="print">
					{t('desk.intake.print')}
				</Button>
				<Button onPress={onAgain}>{t('desk.intake.another')}</Button>
			</div>
		</>
	);
}
