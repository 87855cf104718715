// Talks to the daemon that served this page: JSON over the same origin, and its server-sent events.

const ANSWER_TIMEOUT_MS = 20_000;
const REOPEN_FIRST_MS = 1_000;
const REOPEN_MOST_MS = 15_000;

/** Why a call failed. `code` is the daemon's word for it; "network" if no answer came. `text` is for people. */
export class ApiError extends Error {
	constructor(
		readonly code: string,
		readonly text: string,
		readonly status: number,
	) {
		super(`${code}: ${text}`);
	}
}

let csrf = '';

function rememberCsrf(answer: unknown): void {
	const token = (answer as { csrf?: unknown } | null)?.csrf;
	if (typeof token === 'string' && token) csrf = token;
}

async function errorOf(response: Response): Promise<ApiError> {
	try {
		const { error } = (await response.json()) as { error: { code: string; text: string } };
		return new ApiError(error.code, error.text, response.status);
	} catch {
		return new ApiError('http', `${response.status} ${response.statusText}`, response.status);
	}
}

async function call<T>(path: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> {
	let answer: T;
	try {
		const response = await fetch(path, {
			...init,
			cache: 'no-store',
			credentials: 'same-origin',
			signal: init.signal ?? AbortSignal.timeout(ANSWER_TIMEOUT_MS),
		});
		if (!response.ok) throw await errorOf(response);
		answer = await read(response);
	} catch (e) {
		if (e instanceof ApiError) throw e;
		throw new ApiError('network', e instanceof Error ? e.message : String(e), 0);
	}
	rememberCsrf(answer);
	return answer;
}

const json = (response: Response) => response.json();

export function get<T>(path: string): Promise<T> {
	return call<T>(path, { method: 'GET' }, json);
}

let prove: (() => Promise<boolean>) | null = null;

/** Who asks the person for a code of the second factor when the daemon wants one for what is done. */
export function onProof(ask: typeof prove): void {
	prove = ask;
}

function posted(body: object): RequestInit {
	const headers: Record<string, string> = { 'Content-Type': 'application/json' };
	if (csrf) headers['X-Lm-Csrf'] = csrf;
	return { method: 'POST', headers, body: JSON.stringify(body) };
}

/** For answers that are not JSON. Until `signal`. */
export function postForBytes(path: string, body: object, signal: AbortSignal): Promise<ArrayBuffer> {
	return call(path, { ...posted(body), signal }, (response) => response.arrayBuffer());
}

/** The token that login, begin and session answers carry is sent with every later post. */
export async function post<T>(path: string, body: object = {}): Promise<T> {
	const send = () => call<T>(path, posted(body), json);
	try {
		return await send();
	} catch (error) {
		const isAsked = error instanceof ApiError && error.code === 'proof' && prove !== null && (await prove());
		if (!isAsked) throw error;
		return send();
	}
}

export interface EventsOptions {
	path?: string;
	names?: readonly string[]; // the events to listen for
	onLink?: (isUp: boolean) => void; // up: also after a gap in which events were missed, so read again
	onRefused?: () => void; // the daemon answers, but not with events: it was started again and knows no session
}

/** Listens until the returned function is called. Opens again after every kind of end, also after a refusal. */
export function events(onEvent: (name: string, data: unknown) => void, options: EventsOptions = {}): () => void {
	const { path = '/api/v1/events', names = ['state', 'request'], onLink, onRefused } = options;
	let source: EventSource | null = null;
	let timer = 0;
	let wait_ms = REOPEN_FIRST_MS;

	function open(): void {
		source = new EventSource(path);
		source.onopen = () => {
			wait_ms = REOPEN_FIRST_MS;
			onLink?.(true);
		};
		source.onerror = () => {
			onLink?.(false);
			if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
			onRefused?.();
			timer = window.setTimeout(open, wait_ms);
			wait_ms = Math.min(wait_ms * 2, REOPEN_MOST_MS);
		};
		for (const name of names)
			source.addEventListener(name, (e) => {
				try {
					onEvent(name, JSON.parse((e as MessageEvent<string>).data));
				} catch (fault) {
					console.error(`event ${name}:`, fault);
				}
			});
	}

	open();
	return () => {
		window.clearTimeout(timer);
		source?.close();
	};
}
