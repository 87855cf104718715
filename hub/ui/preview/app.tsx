// A draft as a resident will see it: the kiosk's own screens, with its row for sizes, colours and languages. Answers
// stay in this frame and go nowhere.
import { render, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { DEFAULT_DISPLAY } from '../../../common/ui/kiosk/display';
import { QuestionScreen } from '../../../common/ui/kiosk/form';
import { ServiceScreen } from '../../../common/ui/kiosk/services';
import type { Answers } from '../../../common/ui/src/form';
import { setLanguage, t, useLanguage } from '../../../common/ui/src/i18n';
import { Announcer, showDisplay, type Display } from '../../../common/ui/src/parts';
import { canonical, check } from '../../../common/ui/src/rules';
import type { FieldFault, Service, TerminalState } from '../../../common/ui/src/types';
import '../../../common/ui/kiosk/kiosk.css';

const STATE: TerminalState = {
	place: '',
	can_take_requests: true,
	why_code: '',
	why_text: '',
	is_connected: true,
	connected_since_ms: '0',
	link_text: '',
	storage_percent: 0,
	services: 1,
	waiting: '0',
	fingerprint: '',
	is_demo: false,
	receipts_ready: 1,
};
const HERE = { code: '', name: undefined };

function Preview(): JSX.Element | null {
	useLanguage();
	const [service, setService] = useState<Service | null>(null);
	const [display, setDisplay] = useState<Display>(DEFAULT_DISPLAY);
	const [question, setQuestion] = useState(-1); // -1: the service's own page
	const [answers, setAnswers] = useState<Answers>({});
	const [fault, setFault] = useState<FieldFault | null>(null);
	useEffect(() => showDisplay(display), [display]);
	useEffect(() => {
		const hear = (event: MessageEvent<{ service?: Service }>) => {
			if (event.source === parent && event.origin === location.origin) setService(event.data.service ?? null);
		};
		addEventListener('message', hear);
		parent.postMessage('ready', location.origin);
		return () => removeEventListener('message', hear);
	}, []);
	useEffect(() => {
		if (service) requestAnimationFrame(() => parent.postMessage('shown', location.origin));
	}, [service !== null]);
	if (!service) return null;

	const go = (next: number) => {
		setFault(null);
		setQuestion(next < service.fields.length ? next : -1);
	};
	const common = { state: STATE, display, onDisplay: setDisplay, onHome: () => go(-1) };
	const field = service.fields[question];
	if (!field) return <ServiceScreen {...common} service={service} onBack={() => {}} onNext={() => go(0)} />;
	const values = answers[field.id] ?? [];
	const next = (isSkipped: boolean) => {
		const broken = isSkipped ? null : check(field, canonical(field, values));
		if (broken) setFault(broken);
		else go(question + 1);
	};
	return (
		<QuestionScreen
			{...common}
			field={field}
			values={values}
			fault={fault}
			here={HERE}
			number={question + 1}
			total={service.fields.length}
			onChange={(typed) => setAnswers({ ...answers, [field.id]: typed })}
			onBack={() => go(question - 1)}
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

setLanguage('zh-CN');
document.title = t('kiosk.title');
render(<Page />, document.getElementById('app')!);
