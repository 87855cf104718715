// What is being said, and how: one voice, one queue, off until somebody asks for it. What is said stands in the caption
// at the same time. Personal words are said only where nobody else hears them, or where the person wants it.
import { t } from 'ui/i18n';

export interface Piece {
	text: string;
	isPersonal?: boolean; // what the person typed, or what a receipt shows
}

export interface Speech {
	isOn: boolean;
	isPaused: boolean;
	canSpeak: boolean; // what the terminal says of its voice
	isMissing: boolean; // the last words could not be said
	isHelpOpen: boolean;
	hasHeadset: boolean;
	isPersonalAloud: boolean;
	rate: number; // RATE_LEAST to RATE_MOST
	volume: number; // 1 to VOLUME_MOST
	caption: string;
}

export const RATE_LEAST = 1;
export const RATE_MOST = 7;
export const VOLUME_MOST = 5;
const SENTENCE_MOST = 150; // characters that are asked for at once: the first sound comes sooner
const LINES = new RegExp(`[^]{1,${SENTENCE_MOST}}`, 'g');
const ALERT_MS = 1_000; // the focus moves right after an error is said, and must not cut it off

/** The browser of a kiosk whose headset is always plugged is started with /?headset=yes; a keypad tells it by itself. */
function usual(): Speech {
	const hasHeadset = new URLSearchParams(location.search).get('headset') === 'yes';
	return {
		isOn: false,
		isPaused: false,
		canSpeak: true,
		isMissing: false,
		isHelpOpen: false,
		hasHeadset,
		isPersonalAloud: false,
		rate: 4,
		volume: 3,
		caption: '',
	};
}

type Speak = (text: string, rate: number, isPersonal: boolean, signal: AbortSignal) => Promise<ArrayBuffer>;

let now = usual();
let speak: Speak = () => Promise.reject(new Error('no voice'));
let sound: AudioContext | null = null;
let gain: GainNode | null = null;
let source: AudioBufferSourceNode | null = null;
let asking = new AbortController();
let queue: Piece[] = [];
let said: Piece[] = []; // since the last thing that was said at once, to say it again
let saidBeforeHelp: Piece[] = [];
let isRunning = false;
let alerted_ms = -ALERT_MS;
const listeners = new Set<() => void>();

export const speech = (): Speech => now;

export function onSpeech(listener: () => void): () => void {
	listeners.add(listener);
	return () => void listeners.delete(listener);
}

export function setSpeech(change: Partial<Speech>): void {
	now = { ...now, ...change };
	if (gain) gain.gain.value = now.volume / VOLUME_MOST;
	if (now.isOn) document.documentElement.dataset.speech = 'on';
	else delete document.documentElement.dataset.speech;
	for (const listener of listeners) listener();
}

/** Who turns words into sound. */
export function speakBy(by: Speak): void {
	speak = by;
}

export function turnOn(): void {
	setSpeech({ isOn: true, isMissing: false, isPaused: false });
}

/** As for somebody who has just come; a headset stays plugged in. `isHere`: who has put a receipt away is still there, and
 * would not know where they are if it fell silent. */
export function resetSpeech(isHere: boolean): void {
	hush();
	setSpeech({ ...usual(), isOn: isHere && now.isOn, hasHeadset: now.hasHeadset, canSpeak: now.canSpeak });
	said = saidBeforeHelp = [];
}

export function turnOff(): void {
	hush();
	setSpeech({ isOn: false, isHelpOpen: false });
}

/** Silence at once; what waits is forgotten. */
export function hush(): void {
	asking.abort();
	asking = new AbortController();
	queue = [];
	source?.stop();
	source = null;
	void sound?.resume();
	if (now.caption || now.isPaused) setSpeech({ caption: '', isPaused: false });
}

export const canSayPersonal = () => now.hasHeadset || now.isPersonalAloud;

function withheld(pieces: Piece[]): Piece[] {
	if (canSayPersonal()) return pieces;
	const heard = pieces.filter((piece) => !piece.isPersonal);
	return heard.length === pieces.length ? pieces : [...heard, { text: t('kiosk.speech.withheld') }];
}

function sentences({ text, isPersonal }: Piece): Piece[] {
	const parts = text.split(/(?<=[。！？；!?;]|\.\s)/).flatMap((part) => part.match(LINES) ?? []);
	return parts.filter((part) => /[\p{L}\p{N}]/u.test(part)).map((part) => ({ text: part.trim(), isPersonal }));
}

/** Instead of what is being said; `isAfter`: behind it; `isAlert`: and nothing cuts it off that only moved the focus. */
export function say(pieces: Piece[], { isAfter = false, isAlert = false } = {}): void {
	if (!now.isOn) return;
	const isHeld = isAfter || (!isAlert && performance.now() - alerted_ms < ALERT_MS);
	if (isAlert) alerted_ms = performance.now();
	if (!isHeld) {
		hush();
		said = [];
	}
	said.push(...pieces);
	queue.push(...withheld(pieces).flatMap(sentences));
	void run();
}

export function sayAgain(): void {
	const again = said;
	alerted_ms = -ALERT_MS;
	say(again);
}

export function openHelp(): void {
	saidBeforeHelp = said;
	setSpeech({ isHelpOpen: true });
}

export function sayWhatWasBeforeHelp(): void {
	say(saidBeforeHelp);
}

export function togglePause(): void {
	if (!source) return sayAgain();
	setSpeech({ isPaused: !now.isPaused });
	if (now.isPaused) void sound?.suspend();
	else void sound?.resume();
}

async function soundOf(piece: Piece, signal: AbortSignal): Promise<AudioBuffer> {
	sound ??= new AudioContext();
	if (!gain) {
		gain = sound.createGain();
		gain.gain.value = now.volume / VOLUME_MOST;
		gain.connect(sound.destination);
	}
	return sound.decodeAudioData(await speak(piece.text, now.rate, piece.isPersonal ?? false, signal));
}

function play(buffer: AudioBuffer, piece: Piece): Promise<void> {
	return new Promise((resolve) => {
		const mine = sound!.createBufferSource();
		mine.buffer = buffer;
		mine.connect(gain!);
		mine.onended = () => {
			if (source === mine) source = null;
			resolve();
		};
		source = mine;
		mine.start();
		setSpeech({ caption: piece.text, isMissing: false });
	});
}

async function run(): Promise<void> {
	if (isRunning) return;
	isRunning = true;
	while (queue.length > 0) {
		const piece = queue.shift()!;
		const { signal } = asking;
		try {
			const buffer = await soundOf(piece, signal);
			if (!signal.aborted) await play(buffer, piece);
		} catch (e) {
			if (signal.aborted) continue; // something else is said now
			console.warn('speech:', String(e));
			setSpeech({ caption: piece.text, isMissing: true }); // what cannot be heard can be read
		}
	}
	isRunning = false;
	if (!now.isMissing && now.caption) setSpeech({ caption: '' });
}
