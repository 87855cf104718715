// The terminal's API as the kiosk page uses it. A session that has ended is begun again once, unseen.
import { ApiError, get, post, postForBytes } from 'ui/api';
import type {
	AskCommand,
	CardView,
	CatalogueView,
	DraftView,
	Marks3,
	PinyinCommand,
	PinyinView,
	PointsView,
	PrintCommand,
	PrintView,
	ReceiptsView,
	SessionView,
	SignPack,
	SpeechCommand,
	SubmitCommand,
	SubmitView,
	TerminalState,
	TownNoticesView,
} from 'ui/types';

const SUBMIT_PATIENCE_MS = 30_000;
const SUBMIT_PAUSE_MS = 1_500;

let beginning: Promise<SessionView> | null = null; // two at once would each spoil the other's token

/** A kiosk's session has no user; it is what the token against foreign posts hangs on. */
export function begin(): Promise<SessionView> {
	beginning ??= post<SessionView>('/api/v1/begin').finally(() => (beginning = null));
	return beginning;
}

async function withSession<T>(call: () => Promise<T>): Promise<T> {
	try {
		return await call();
	} catch (e) {
		// "denied": the session is another one by now, begun by a second window of this browser
		if (!(e instanceof ApiError) || !['login', 'denied'].includes(e.code)) throw e;
		await begin();
		return call();
	}
}

export const readState = () => withSession(() => get<TerminalState>('/api/v1/state'));
export const readPoints = () => get<PointsView>('/api/v1/points');
export const readCatalogue = () => withSession(() => get<CatalogueView>('/api/v1/catalogue'));
export const readNotices = () => withSession(() => get<TownNoticesView>('/api/v1/notices'));
export const readSigns = () => withSession(() => get<SignPack>('/api/v1/signs'));
export const speak = (command: SpeechCommand, signal: AbortSignal) =>
	withSession(() => postForBytes('/api/v1/speech', command, signal));
export const readMarks = (id: string) => withSession(() => get<Marks3>(`/api/v1/requests/${id}/marks`));
export const makeDraft = () => withSession(() => post<DraftView>('/api/v1/drafts'));
export const wipeScans = () => withSession(() => post('/api/v1/scan/wipe'));
export const lookup = (code: string) => withSession(() => post<ReceiptsView>('/api/v1/receipts/lookup', { code }));
export const pinyin = (command: PinyinCommand) => withSession(() => post<PinyinView>('/api/v1/pinyin', command));
export const print = (command: PrintCommand) => withSession(() => post<PrintView>('/api/v1/receipts/print', command));
export const showCard = (request_id: string, pin: string) =>
	withSession(() => post<CardView>('/api/v1/card', { request_id, pin }));
export const endCard = () => withSession(() => post<CardView>('/api/v1/card', { is_over: true }));
export const join = (secret: string) => withSession(() => post('/api/v1/join', { secret }));
export const answer = (ask: AskCommand) => withSession(() => post<Marks3>('/api/v1/receipts/answer', ask));
export const object = (ask: AskCommand) => withSession(() => post<Marks3>('/api/v1/receipts/object', ask));
export const rate = (ask: AskCommand) => withSession(() => post<Marks3>('/api/v1/receipts/rate', ask));
export const withdraw = (ask: AskCommand) => withSession(() => post<Marks3>('/api/v1/receipts/withdraw', ask));

// Nothing came back, or the daemon is busy for a moment: whether it was saved is not known, and the same ids ask again.
function isWorthRetrying(e: unknown): boolean {
	return e instanceof ApiError && ['network', 'busy', 'again', 'timeout'].includes(e.code);
}

/** Sends the same request, with the same id, until the terminal has answered; gives up after half a minute. */
export async function submit(command: SubmitCommand): Promise<SubmitView> {
	const end_ms = performance.now() + SUBMIT_PATIENCE_MS;
	for (;;) {
		try {
			return await withSession(() => post<SubmitView>('/api/v1/requests', command));
		} catch (e) {
			if (!isWorthRetrying(e) || performance.now() + SUBMIT_PAUSE_MS > end_ms) throw e;
			await new Promise((resolve) => setTimeout(resolve, SUBMIT_PAUSE_MS));
		}
	}
}
