// A draft as a resident will see it: the kiosk's own screens, with its row for sizes, colours and languages. Answers
// stay in this frame and go nowhere.
import { render, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { resetAccess } from '../kiosk/access';
import { HealthConsent, Privacy, SharingConsent } from '../kiosk/consent';
import { QuestionScreen } from '../kiosk/form';
import { ServiceScreen } from '../kiosk/services';
import { NoticeScreen } from '../kiosk/told';
import { t, useLanguage } from '../src/i18n';
import { Announcer } from '../src/parts';
import { emptyFilling, stepFault, stepsOf, type Filling } from '../src/steps';
import type { FieldFault, Service, TerminalState, TownNotice } from '../src/types';
import '../kiosk/kiosk.css';

const STATE: TerminalState = {
	place: '',
	can_take_requests: true,
	can_speak: true,
	why_code: '',
	why_text: '',
	is_connected: true,
	connected_since_ms: '0',
	link_text: '',
	join_step: '',
	storage_percent: 0,
	services: 1,
	waiting: '0',
	fingerprint: '',
	is_demo: false,
	is_practice: false,
	receipts_ready: 1,
	has_printer: false,
	has_cards: false,
	notices: [],
	town_notices: 1,
};
const HERE = { code: '', name: undefined };

interface Draft {
	service?: Service;
	notice?: TownNotice;
}

function Preview(): JSX.Element | null {
	useLanguage();
	const [draft, setDraft] = useState<Draft>({});
	useEffect(() => {
		const hear = (event: MessageEvent<Draft>) => {
			if (event.source === parent && event.origin === location.origin) setDraft(event.data);
		};
		addEventListener('message', hear);
		parent.postMessage('ready', location.origin);
		return () => removeEventListener('message', hear);
	}, []);
	const isShown = Boolean(draft.service ?? draft.notice);
	useEffect(() => {
		if (isShown) requestAnimationFrame(() => parent.postMessage('shown', location.origin));
	}, [isShown]);
	if (draft.notice) return <NoticeScreen state={STATE} onHome={() => {}} onBack={() => {}} notice={draft.notice} />;
	return draft.service ? <ServicePreview service={draft.service} /> : null;
}

function ServicePreview({ service }: { service: Service }): JSX.Element | null {
	const [filled, setFilled] = useState<Omit<Filling, 'service'>>({ answers: {}, files: {}, agreed: {}, isActing: false });
	const [at, setAt] = useState<'service' | 'privacy' | number>('service'); // a number: of the step
	const [fault, setFault] = useState<FieldFault | null>(null);

	const filling: Filling = { ...emptyFilling(service), ...filled };
	const steps = stepsOf(filling, Date.now());
	const go = (next: 'service' | 'privacy' | number) => {
		setFault(null);
		setAt(typeof next === 'number' && next >= steps.length ? 'service' : next);
	};
	const common = { state: STATE, onHome: () => go('service') };
	const step = typeof at === 'number' ? steps[at] : undefined;
	if (at === 'privacy')
		return <Privacy {...common} service={service} onBack={() => go('service')} onNext={async () => go(0)} />;
	if (!step || typeof at !== 'number')
		return <ServiceScreen {...common} service={service} onBack={() => {}} onNext={() => go('privacy')} />;

	const back = () => go(at > 0 ? at - 1 : 'privacy');
	const agree = (isGiven: boolean) => {
		setFilled({ ...filled, agreed: { ...filled.agreed, [step.key]: { is_given: isGiven, time_ms: Date.now() } } });
		go(at + 1);
	};
	const consent = { ...common, service, hasDraft: true, onBack: back, onAnswer: agree };
	if (step.at === 'health') return <HealthConsent {...consent} />;
	if (step.at === 'sharing') return <SharingConsent key={step.key} {...consent} sharing={step.sharing} />;
	const next = (isSkipped: boolean) => {
		const wrong = isSkipped ? null : stepFault(step, filling);
		if (wrong) setFault(wrong);
		else go(at + 1);
	};
	return (
		<QuestionScreen
			{...common}
			field={step.field}
			values={filled.answers[step.key] ?? []}
			fault={fault}
			here={HERE}
			number={at + 1}
			total={steps.length}
			onChange={(values) => setFilled({ ...filled, answers: { ...filled.answers, [step.key]: values } })}
			onBack={back}
			onNext={next}
		/>
	);
}

function Page() {
	return (
		<>
			<Preview />
			<Announcer />
		</>
	);
}

resetAccess();
document.title = t('kiosk.title');
render(<Page />, document.getElementById('app')!);
