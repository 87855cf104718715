// The kiosk page: one screen at a time, and what a person has typed so far, in memory only.
import { render, type JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { access, asAsked, isAccessUsual, needsOf, resetAccess, useAccess } from 'kiosk/access';
import { hasCamera, readScreenScale } from 'kiosk/display';
import { CheckAnswers, QuestionScreen, Saving } from 'kiosk/form';
import { Acting, ReadAloud, Staff as StaffContext, type ScreenProps } from 'kiosk/frame';
import { ignoreRepeats } from 'kiosk/guard';
import { HealthConsent, Privacy, SharingConsent } from 'kiosk/consent';
import { noticeTexts } from 'kiosk/notices';
import { listen } from 'kiosk/hands';
import { pageOf, ServiceScreen, Services } from 'kiosk/services';
import { Signs } from 'kiosk/sign';
import { NoticeScreen, Told } from 'kiosk/told';
import { resetSpeech, setSpeech, speakBy } from 'kiosk/speech';
import { Captions, SpeechButton, SpeechHelp, useSpeech } from 'kiosk/speech-parts';
import { ApiError, events } from 'ui/api';
import { canonical } from 'ui/rules';
import { commandOf, emptyFilling, namesOf, PRIVACY, stepFault, stepsOf, type Filling, type Step } from 'ui/steps';
import { focusAnswer, faultText, stepText, type Here } from 'ui/form';
import { language, t, useLanguage } from 'ui/i18n';
import { Finder } from 'ui/pinyin';
import { announce, Announcer } from 'ui/parts';
import { hasScanner } from 'ui/scanner';
import type {
	DraftView,
	FieldFault,
	Marks3,
	Module,
	PointView,
	ReceiptsView,
	ReceiptView,
	RequestEvent,
	Service,
	TerminalState,
	TownNotice,
} from 'ui/types';
import { IdleWatch } from './idle';
import { marksText } from './marks';
import type { Rated } from './rating';
import * as server from './server';
import { ActingStart } from './screens/acting';
import { Card } from './screens/card';
import { AskedBack } from './screens/asked';
import { Join } from './screens/join';
import { Lookup } from './screens/lookup';
import { Points } from './screens/points';
import { Receipt, type Saved } from './screens/receipt';
import { Records } from './screens/records';
import { Start } from './screens/start';
import { Stopped } from './screens/stopped';
import { Staff } from './staff';
import '../../common/ui/kiosk/kiosk.css';

const STATE_EVERY_MS = 30_000;
const CARD_EVERY_MS = 2_000;

type Screen =
	| { at: 'start' }
	| { at: 'services'; module: Module; page: number }
	| { at: 'points' | 'told'; page: number }
	| { at: 'notice'; id: string; page: number }
	| { at: 'service' | 'privacy'; service: Service }
	| { at: 'step'; key: string; isChange: boolean }
	| { at: 'card'; then: Screen; back: Screen }
	| { at: 'acting' | 'check' | 'saving' | 'receipt' | 'lookup' | 'records' }
	| { at: 'asked' | 'object'; receipt: ReceiptView };

const STOPPED: Screen['at'][] = ['start', 'acting', 'services', 'service', 'privacy', 'card', 'step', 'check'];

/** A request in the making. */
export interface Draft extends DraftView, Filling {
	faults: FieldFault[];
}

/** What a receipt code brought up. The code is kept to read again and to sign answers. */
export interface Found {
	code: string;
	view: ReceiptsView;
	hasNews: boolean; // something came since it was read
}

function hereOf(state: TerminalState | null): Here {
	const code = /^\d{12}/.exec(state?.place ?? '')?.[0] ?? '';
	return { code, name: state?.place_name };
}

function Kiosk(): JSX.Element {
	const shownLanguage = useLanguage();
	useAccess();
	const { isOn: isSpeaking } = useSpeech();
	const [state, setState] = useState<TerminalState | null>(null);
	const [services, setServices] = useState<Service[]>([]);
	const [points, setPoints] = useState<PointView[]>([]);
	const [told, setTold] = useState<TownNotice[]>([]);
	const [screen, go] = useState<Screen>({ at: 'start' });
	const [draft, setDraft] = useState<Draft | null>(null);
	const [saved, setSaved] = useState<Saved | null>(null);
	const [isActing, setActing] = useState(false); // until the end of somebody's use, or until they say otherwise
	const [found, setFound] = useState<Found | null>(null);
	const [hasCard, setCard] = useState(false); // it has proved itself for the draft, and lies there
	const visit = useRef(0); // answers that arrive after their person has left are dropped

	const home = useCallback(() => {
		visit.current++;
		if (hasScanner()) void server.wipeScans().catch(() => {}); // the terminal does it again before the next request
		setDraft(null);
		setSaved(null);
		setFound(null);
		go({ at: 'start' });
	}, []);

	const reset = useCallback((isHere: boolean) => {
		home();
		setActing(false);
		resetAccess();
		resetSpeech(isHere);
	}, []);

	const refresh = useCallback(async () => {
		try {
			setState(await server.readState());
			setPoints((await server.readPoints()).points);
			setServices((await server.readCatalogue()).services);
			setTold((await server.readNotices()).notices);
		} catch (e) {
			console.warn('state:', e); // no fault: the next tick tries again, and the screen keeps what it knows
		}
	}, []);

	const marksArrived = useCallback((id: string, marks: Marks3, hasNews: boolean) => {
		setSaved((old) => {
			if (old?.request_id !== id) return old;
			if (!old.marks || marksText(marks) !== marksText(old.marks)) announce(marksText(marks));
			return { ...old, marks };
		});
		setFound((old) => {
			if (!old?.view.receipts.some((r) => r.request_id === id)) return old;
			if (hasNews) announce(t('kiosk.status.other'));
			const receipts = old.view.receipts.map((r) => (r.request_id === id ? { ...r, marks } : r));
			return { ...old, hasNews: old.hasNews || hasNews, view: { ...old.view, receipts } };
		});
	}, []);

	useEffect(() => {
		let close = () => {};
		const begin = async () => {
			await server.begin().catch((e: unknown) => console.error('begin:', e)); // whoever needs it tries again
		};
		const start = async () => {
			await begin();
			await refresh();
			close = events(
				(name, data) => {
					if (name === 'state') return setState(data as TerminalState);
					const { request_id, marks, has_news } = data as RequestEvent;
					if (marks) marksArrived(request_id, marks, has_news);
				},
				{ onLink: (isUp) => isUp && void refresh(), onRefused: begin },
			);
		};
		void start();
		const timer = window.setInterval(() => void refresh(), STATE_EVERY_MS);
		return () => {
			close();
			window.clearInterval(timer);
		};
	}, []);

	// An event can overtake the answer that brings the receipt, or fall into a gap of the stream: so the marks are also read.
	const savedId = saved?.request_id;
	useEffect(() => {
		if (!savedId) return;
		const read = () =>
			void server.readMarks(savedId).then(
				(marks) => marksArrived(savedId, marks, false),
				() => {},
			);
		read();
		const timer = window.setInterval(read, STATE_EVERY_MS);
		return () => window.clearInterval(timer);
	}, [savedId]);

	const canSpeak = state?.can_speak ?? true;
	useEffect(() => setSpeech({ canSpeak }), [canSpeak]);

	const known = state?.services; // more have been published
	useEffect(() => {
		if (known !== undefined) void server.readCatalogue().then((view) => setServices(view.services), () => {});
	}, [known]);

	const tellable = state?.town_notices; // there are more, or fewer
	useEffect(() => {
		if (tellable !== undefined) void server.readNotices().then((view) => setTold(view.notices), () => {});
	}, [tellable]);

	const spoken = useRef<string[]>([]); // what is new is spoken, once
	useEffect(() => {
		const texts = noticeTexts(state);
		const fresh = texts.filter((text) => !spoken.current.includes(text));
		if (fresh.length > 0) announce(fresh.join(' '));
		spoken.current = texts;
	}, [state?.notices.join(' ')]);

	const endCard = () => {
		setCard(false);
		void server.endCard().catch(() => {}); // the daemon ends it by itself, later
	};
	useEffect(() => {
		if (!draft && hasCard) endCard(); // the next person proves nothing with it
	}, [draft]);

	// Taken away, it counts no more: the person puts it back, or goes on without.
	const cardOf = hasCard && ['step', 'check'].includes(screen.at) ? draft?.request_id : undefined;
	useEffect(() => {
		if (!cardOf) return;
		const look = async () => {
			const view = await server.showCard(cardOf, '').catch(() => null);
			if (!view || view.state === 'CARD_STATE_PROVED') return;
			setCard(false);
			announce(t('kiosk.card.taken'), true);
			go((old) => (old.at === 'step' || old.at === 'check' ? { at: 'card', then: old, back: old } : old));
		};
		const timer = window.setInterval(() => void look(), CARD_EVERY_MS);
		return () => window.clearInterval(timer);
	}, [cardOf]);

	const here = hereOf(state);
	const common: ScreenProps = { state, onHome: home };

	const startForm = async (service: Service) => {
		let d = draft; // back to what was typed
		if (d?.service.id !== service.id || d.service.revision !== service.revision) {
			const mine = visit.current;
			const made = await server.makeDraft();
			if (mine !== visit.current) return;
			d = { ...made, ...emptyFilling(service), faults: [] };
		}
		d = { ...d, isActing, agreed: { ...d.agreed, [PRIVACY]: { is_given: true, time_ms: Date.now() } } };
		setDraft(d);
		const first: Screen = { at: 'step', key: stepsOf(d, Date.now())[0]!.key, isChange: false };
		const mine = visit.current;
		const hasReader = state?.has_cards && !hasCard && (await isReaderThere(d.request_id));
		if (mine !== visit.current) return;
		go(hasReader ? { at: 'card', then: first, back: { at: 'privacy', service } } : first);
	};

	/** On from a step, once nothing is wrong with it. */
	const leaveStep = (d: Draft, step: Step, isChange: boolean) => {
		const fault = stepFault(step, d);
		const faults = d.faults.filter((other) => other.field !== step.key);
		setDraft({ ...d, faults: fault ? [...faults, fault] : faults });
		if (fault) {
			if (step.at === 'question') announce(faultText(step.field, fault), true);
			requestAnimationFrame(() => focusAnswer());
			return;
		}
		const steps = stepsOf(d, Date.now());
		const rest = steps.slice(steps.findIndex(({ key }) => key === step.key) + 1);
		const next = isChange ? rest.find((one) => stepFault(one, d)) : rest[0];
		go(next ? { at: 'step', key: next.key, isChange } : { at: 'check' });
	};

	const leaveQuestion = (d: Draft, step: Step, isChange: boolean, isSkipped: boolean) => {
		const typed = isSkipped || step.at !== 'question' ? [] : canonical(step.field, d.answers[step.key] ?? []);
		leaveStep({ ...d, answers: { ...d.answers, [step.key]: typed } }, step, isChange);
	};

	const answerConsent = (d: Draft, step: Step, isChange: boolean, isGiven: boolean) => {
		const agreement = { is_given: isGiven, time_ms: Date.now() };
		leaveStep({ ...d, agreed: { ...d.agreed, [step.key]: agreement } }, step, isChange);
	};

	const send = async (d: Draft) => {
		const mine = visit.current;
		go({ at: 'saving' });
		const { request_id, code } = d;
		const command = { request_id, code, ...commandOf(d, language(), Date.now()), access: needsOf(access()) };
		const view = await server.submit(command);
		if (mine !== visit.current) return;
		const wrong = stepsOf(d, Date.now()).find(({ key }) => view.faults.some((fault) => fault.field === key));
		if (view.is_saved) {
			setSaved({ ...view, ...(namesOf(d, Date.now()) ?? NOBODY) });
			setDraft(null);
			go({ at: 'receipt' });
		} else if (wrong) {
			setDraft({ ...d, faults: view.faults });
			go({ at: 'step', key: wrong.key, isChange: true });
		} else throw new ApiError(view.faults[0]?.rule ?? 'internal', '', 200);
	};

	const find = async (code: string) => {
		const mine = visit.current;
		const view = await server.lookup(code);
		if (mine !== visit.current) return;
		if (view.receipts.length === 0 && !view.see_staff && view.replaced_ms === '0') throw new ApiError('not-found', '', 200);
		setFound({ code, view, hasNews: false });
		go({ at: 'records' });
	};

	const stepNow = (d: Draft, key: string, isChange: boolean) => {
		const steps = stepsOf(d, Date.now());
		const index = steps.findIndex((step) => step.key === key);
		const step = steps[index];
		if (!step) return null;
		const back = () => {
			if (isChange) go({ at: 'check' });
			else if (index > 0) go({ at: 'step', key: steps[index - 1]!.key, isChange: false });
			else go({ at: 'privacy', service: d.service });
		};
		const consent = {
			...common,
			service: d.service,
			hasDraft: true,
			onBack: back,
			onAnswer: (isGiven: boolean) => answerConsent(d, step, isChange, isGiven),
		};
		if (step.at === 'health') return <HealthConsent {...consent} />;
		if (step.at === 'sharing') return <SharingConsent key={key} {...consent} sharing={step.sharing} />;
		return (
			<QuestionScreen
				{...common}
				sign={`${d.service.id}.${step.field.id}`}
				field={step.field}
				values={d.answers[key] ?? []}
				fault={d.faults.find((fault) => fault.field === key) ?? null}
				here={here}
				number={index + 1}
				total={steps.length}
				onChange={(values) => setDraft({ ...d, answers: { ...d.answers, [key]: values } })}
				file={d.files[key]}
				onFile={hasCamera() || hasScanner() ? (file) => setDraft({ ...d, files: { ...d.files, [key]: file } }) : undefined}
				onBack={back}
				onNext={(isSkipped) => leaveQuestion(d, step, isChange, isSkipped)}
			/>
		);
	};

	const servicesOf = (module: Module) => services.filter((service) => service.module === module);

	const screenNow = () => {
		if (state?.why_code === 'joining') return <Join {...common} state={state} />;
		// What leads to a request stops; what was typed stays, and goes on from here when the stop is over.
		if (state && !state.can_take_requests && STOPPED.includes(screen.at)) {
			const look = () => go({ at: 'lookup' });
			return <Stopped {...common} state={state} hasTyped={draft !== null} onLookup={look} />;
		}
		switch (screen.at) {
			case 'start':
				return (
					<Start
						{...common}
						services={services}
						onModule={(module) => go({ at: 'services', module, page: 0 })}
						onLookup={() => go({ at: 'lookup' })}
						notices={told.length}
						onNotices={() => go({ at: 'told', page: 0 })}
						onPoints={points.length > 0 ? () => go({ at: 'points', page: 0 }) : undefined}
						onActing={() => (isActing ? setActing(false) : go({ at: 'acting' }))}
					/>
				);
			case 'acting': {
				const begin = () => {
					setActing(true);
					go({ at: 'start' });
				};
				return <ActingStart {...common} onNext={begin} />;
			}
			case 'services': {
				const { module, page } = screen;
				return (
					<Services
						{...common}
						module={module}
						services={servicesOf(module)}
						page={page}
						onPage={(to) => go({ at: 'services', module, page: to })}
						onService={(service) => go({ at: 'service', service })}
					/>
				);
			}
			case 'points':
				return <Points {...common} points={points} page={screen.page} onPage={(page) => go({ at: 'points', page })} />;
			case 'told':
			case 'notice': {
				const { page } = screen;
				const list = (to: number) => go({ at: 'told', page: to });
				const notice = screen.at === 'notice' && told.find(({ id }) => id === screen.id); // it may be taken back
				if (notice) return <NoticeScreen {...common} notice={notice} onBack={() => list(page)} />;
				const read = ({ id }: TownNotice) => go({ at: 'notice', id, page });
				return <Told {...common} notices={told} page={page} onPage={list} onNotice={read} />;
			}
			case 'service': {
				const { service } = screen;
				const { module } = service;
				const back = () => go({ at: 'services', module, page: pageOf(servicesOf(module), service) });
				const next = () => go({ at: 'privacy', service });
				return <ServiceScreen {...common} service={service} onBack={back} onNext={next} />;
			}
			case 'privacy': {
				const { service } = screen;
				const back = () => go({ at: 'service', service });
				return <Privacy {...common} service={service} onBack={back} onNext={() => startForm(service)} />;
			}
			case 'card': {
				if (!draft) return null;
				const { then, back } = screen;
				const done = (isProved: boolean) => {
					if (isProved) setCard(true);
					else endCard();
					go(then);
				};
				const leave = () => {
					if (!hasCard) endCard();
					go(back);
				};
				return <Card {...common} request={draft.request_id} onBack={leave} onDone={done} />;
			}
			case 'step':
				return draft && stepNow(draft, screen.key, screen.isChange);
			case 'check': {
				if (!draft) return null;
				const steps = stepsOf(draft, Date.now());
				const last = steps[steps.length - 1]!.key;
				return (
					<CheckAnswers
						{...common}
						service={draft.service}
						answers={steps.map((step) => stepText(asAskedNow(step), draft, here))}
						onChangeOf={(key) => go({ at: 'step', key, isChange: true })}
						onBack={() => go({ at: 'step', key: last, isChange: false })}
						card={state?.has_cards ? hasCard : undefined}
						onCard={() => go({ at: 'card', then: screen, back: screen })}
						onNext={() => go({ at: 'saving' })}
					/>
				);
			}
			case 'saving':
				return draft && <Saving {...common} send={() => send(draft)} onBack={() => go({ at: 'check' })} />;
			case 'receipt':
				return saved && <Receipt {...common} view={saved} onDone={() => reset(true)} />;
			case 'lookup':
				return <Lookup {...common} onFind={find} />;
			case 'records': {
				if (!found) return null;
				const withdraw = async (receipt: ReceiptView, is_unwanted: boolean) => {
					await server.withdraw({ ...askOf(found.code, receipt, ''), is_unwanted });
					await find(found.code);
				};
				const answer = (receipt: ReceiptView) => go({ at: 'asked', receipt });
				const object = (receipt: ReceiptView) => go({ at: 'object', receipt });
				const rate = async (receipt: ReceiptView, rating: Rated) => {
					await server.rate({ ...askOf(found.code, receipt, ''), rating });
					announce(t('kiosk.rate.thanks'));
					await find(found.code);
				};
				return (
					<Records
						{...common}
						found={found}
						onFind={find}
						onAsked={answer}
						onObject={object}
						onRate={rate}
						onWithdraw={withdraw}
					/>
				);
			}
			case 'asked':
			case 'object': {
				if (!found) return null;
				const { receipt } = screen;
				const isObjection = screen.at === 'object';
				const send = async (text: string) => {
					await (isObjection ? server.object : server.answer)(askOf(found.code, receipt, text));
					await find(found.code);
				};
				return <AskedBack {...common} isObjection={isObjection} receipt={receipt} onBack={() => go({ at: 'records' })} onSend={send} />;
			}
		}
	};

	const isDefault = isAccessUsual() && shownLanguage === 'zh-CN' && !isSpeaking && !isActing;
	const ofSaved = saved?.by_name ? saved : null;
	const acting = ofSaved ?? (draft ? namesOf(draft, Date.now()) : null) ?? (isActing ? NOBODY : null);
	return (
		<StaffContext.Provider value={Staff}>
			<Finder.Provider value={server.pinyin}>
				<Signs.Provider value={readSigns}>
					<Acting.Provider value={acting}>
						<ReadAloud.Provider value={SpeechButton}>{screenNow()}</ReadAloud.Provider>
					</Acting.Provider>
				</Signs.Provider>
			</Finder.Provider>
			<Announcer />
			<Captions />
			<SpeechHelp />
			<IdleWatch isFresh={screen.at === 'start'} onReset={() => (screen.at !== 'start' || !isDefault) && reset(false)} />
		</StaffContext.Provider>
	);
}

const NOBODY = { name: '', by_name: '' };

/** Nothing is asked for that nobody can do here. */
async function isReaderThere(request: string): Promise<boolean> {
	const view = await server.showCard(request, '').catch(() => null);
	return view !== null && view.state !== 'CARD_STATE_NONE';
}

const readSigns = async () => (await server.readSigns()).clips;

function asAskedNow(step: Step): Step {
	return step.at === 'question' ? { ...step, field: asAsked(step.field, access()) } : step;
}

function askOf(code: string, receipt: ReceiptView, text: string) {
	const newest = receipt.statuses[receipt.statuses.length - 1];
	return { code, request_id: receipt.request_id, version: newest?.version ?? 0, text };
}

readScreenScale();
ignoreRepeats();
resetAccess();
listen();
speakBy((text, rate, isPersonal, signal) => server.speak({ text, language: language(), rate, is_personal: isPersonal }, signal));
document.title = t('kiosk.title');
render(<Kiosk />, document.getElementById('app')!);
