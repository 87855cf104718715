// Who is logged in, what the daemon tells by itself, and what happens when the session ends while somebody types.
import { createContext, type ComponentChildren } from 'preact';
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError, events, get, onProof, post } from '../src/api';
import { textOr, timeText, t } from '../src/i18n';
import { announce, dropToasts, Failed, Loading, OutOfDate } from '../src/parts';
import { saidText } from '../src/said';
import type { SessionView } from '../src/types';
import { useIdle } from './idle';
import { dropAllDrafts } from './model';

const NAMES = ['cases', 'persons', 'work', 'rings', 'links', 'totals', 'quarantine', 'catalogue'] as const;

const LOCK_AGAIN_MS = 5_000; // a daemon that did not hear it would take the page for one at which somebody is

/** Why nothing can be done: the session waits for its user's password, or there is none any more. */
export type Absence = 'locked' | 'ended';

type Hear = (name: string, data: unknown) => void;

export interface Desk {
	session: SessionView;
	isExpired: boolean; // a login dialog stands in front, and nothing else is seen; what is typed stays
	absence: Absence;
	isProving: boolean; // a code of the second factor is asked for
	proved: (isProved: boolean) => void;
	lost_ms: number; // since when nothing is heard from the daemon; 0 while it speaks
	hear: (listener: Hear) => () => void; // name "again": events may have been missed, read again
	failed: (error: unknown) => string; // a sentence for people; a missing login opens the login dialog
	logIn: (session: SessionView) => void;
	logOut: () => void;
	lock: () => void; // until its user's password
}

const Context = createContext<Desk | null>(null);

export function useDesk(): Desk {
	const desk = useContext(Context);
	if (!desk) throw new Error('useDesk outside of a DeskProvider');
	return desk;
}

export function isLoginError(error: unknown): boolean {
	return error instanceof ApiError && (error.code === 'login' || error.code === 'locked');
}

function absenceOf(error: unknown): Absence {
	return error instanceof ApiError && error.code === 'locked' ? 'locked' : 'ended';
}

export function errorText(error: unknown): string {
	if (!(error instanceof ApiError)) throw error; // a fault of the page itself: not to be dressed up as the daemon's
	if (error.code === 'network') return t('desk.unreachable');
	console.warn(error.message); // the daemon's own sentence, in English
	return saidText(error.text) ?? textOr(`desk.error.${error.code}`, 'desk.error.other');
}

/** Somebody else must not find what the one before was writing, nor what they were told. */
function forget(): void {
	dropAllDrafts();
	dropToasts();
}

interface ProviderProps {
	login: (logIn: (session: SessionView) => void) => ComponentChildren; // the page of somebody not logged in
	children: ComponentChildren;
}

export function DeskProvider({ login, children }: ProviderProps) {
	const [session, setSession] = useState<SessionView | null>(null);
	const [isAsked, setIsAsked] = useState(false);
	const [isExpired, setIsExpired] = useState(false);
	const [absence, setAbsence] = useState<Absence>('ended');
	const [proving, setProving] = useState<((isProved: boolean) => void) | null>(null);
	const [fault, setFault] = useState('');
	const [lost_ms, setLost] = useState(0);
	const listeners = useRef(new Set<Hear>());
	const logins = useRef(0);
	const tell = useCallback<Hear>((name, data) => listeners.current.forEach((listener) => listener(name, data)), []);

	// An answer may be older than a login that came since: who is logged in is asked again before the dialog opens.
	const expire = useCallback(async () => {
		const turn = logins.current;
		try {
			await get('/api/v1/me');
			tell('again', null);
		} catch (error) {
			if (!isLoginError(error) || turn !== logins.current) return;
			setAbsence(absenceOf(error));
			setIsExpired(true);
		}
	}, []);

	const locking = useRef(0);
	const enter = useCallback((fresh: SessionView) => {
		clearTimeout(locking.current);
		logins.current++;
		setSession(fresh);
		setIsExpired(false);
	}, []);

	// Nobody is there, or its user goes: the page is covered before the daemon has answered, and whatever it answers.
	const lock = useCallback(() => {
		setAbsence('locked');
		setIsExpired(true);
		const turn = logins.current;
		const tell = () => {
			post('/api/v1/lock').catch((error: unknown) => {
				if (!isLoginError(error) && turn === logins.current) locking.current = window.setTimeout(tell, LOCK_AGAIN_MS);
			});
		};
		tell();
	}, []);
	useIdle(session !== null && !isExpired ? session.idle_s : 0, lock);

	useEffect(() => {
		onProof(() => new Promise((resolve) => setProving(() => resolve)));
		return () => onProof(null);
	}, []);

	const ask = useCallback(async () => {
		try {
			setFault('');
			setSession(await get<SessionView>('/api/v1/me'));
		} catch (error) {
			if (!isLoginError(error)) setFault(errorText(error));
			else if (absenceOf(error) === 'locked') await post('/api/v1/logout').catch(() => {}); // this page has nothing to lose
		}
		setIsAsked(true);
	}, []);
	useEffect(() => void ask(), []);

	const isListening = session !== null && !isExpired;
	useEffect(() => {
		if (!isListening) return;
		return events(tell, {
			names: NAMES,
			onLink: (isUp) => {
				setLost((since) => (isUp ? 0 : since || Date.now()));
				if (isUp) tell('again', null);
				// An event stream does not say why it ended; an ended session has to be asked about.
				else void expire();
			},
		});
	}, [isListening]);

	const desk = useMemo<Desk | null>(
		() =>
			session && {
				session,
				isExpired,
				absence,
				isProving: proving !== null,
				proved: (isProved) => {
					proving?.(isProved);
					setProving(null);
				},
				lost_ms,
				hear: (listener) => {
					listeners.current.add(listener);
					return () => void listeners.current.delete(listener);
				},
				failed: (error) => {
					if (isLoginError(error)) void expire();
					return isLoginError(error) ? t('desk.login.again') : errorText(error);
				},
				lock,
				logIn: (fresh) => {
					if (fresh.user !== session.user) forget();
					enter(fresh);
				},
				logOut: () => {
					forget();
					const leave = () => {
						setIsExpired(false);
						setSession(null);
					};
					post('/api/v1/logout').then(leave, (error: unknown) => {
						if (isLoginError(error)) leave();
						else setFault(errorText(error));
					});
				},
			},
		[session, isExpired, absence, proving, lost_ms],
	);

	if (!isAsked)
		return (
			<main class="desk-alone">
				<Loading />
			</main>
		);
	if (fault)
		return (
			<main class="desk-alone">
				<h1>{t('desk.product')}</h1>
				<div role="alert">
					<Failed text={fault} onRetry={() => void ask()} />
				</div>
			</main>
		);
	if (!desk) return <>{login(enter)}</>;
	return (
		<Context.Provider key={desk.session.user} value={desk}>
			{children}
		</Context.Provider>
	);
}

// Says since when the page has not heard from the daemon: old numbers must not look like new ones.
export function LostNotice() {
	const { lost_ms } = useDesk();
	const text = lost_ms ? t('desk.live.lost', { time: timeText(lost_ms) }) : '';
	useEffect(() => {
		if (text) announce(text);
	}, [text]);
	if (!text) return null;
	return (
		<div class="desk-lost">
			<OutOfDate since_ms={lost_ms}>
				<p>{text}</p>
			</OutOfDate>
		</div>
	);
}

export interface Loaded<T> {
	data: T | null;
	fault: string; // why the newest reading failed; data may be older then
	reload: () => Promise<void>;
}

// Reads `path` at once, after a gap in the events, and after a new login. `take` says what an event means for it:
// false: nothing, true: read again, anything else is the new data itself.
export function useLoaded<T extends object>(path: string, take: (name: string, data: unknown) => T | boolean): Loaded<T> {
	const desk = useDesk();
	const [state, setState] = useState<{ path: string; data: T | null; fault: string }>({ path, data: null, fault: '' });
	const latest = useRef(0);
	const taking = useRef(take);
	taking.current = take;

	const reload = useCallback(async () => {
		const turn = ++latest.current; // answers may overtake each other: only the newest question's counts
		try {
			const data = await get<T>(path);
			if (turn === latest.current) setState({ path, data, fault: '' });
		} catch (error) {
			const fault = desk.failed(error);
			if (turn === latest.current)
				setState((old) => ({ path, data: old.path === path ? old.data : null, fault }));
		}
	}, [path, desk.failed]);

	const newest = useRef(reload);
	newest.current = reload;
	useEffect(() => {
		if (!desk.isExpired) void newest.current();
		return () => void latest.current++;
	}, [path, desk.isExpired, desk.session.user]);
	useEffect(
		() =>
			desk.hear((name, data) => {
				const taken = name === 'again' || taking.current(name, data);
				if (taken === true) void newest.current();
				else if (taken) setState({ path, data: taken, fault: '' });
			}),
		[path, desk.hear],
	);
	return { data: state.path === path ? state.data : null, fault: state.path === path ? state.fault : '', reload };
}
