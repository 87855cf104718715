// What is on the screen, as somebody hears it: everything in its order, and what each thing is.
import { t } from 'ui/i18n';
import type { Piece } from './speech';

const CONTROLS = 'button, a[href], summary, textarea, select, input';
const PERSONAL = '.answers dd, .code, .record, .said';
const SILENT = '[aria-hidden="true"], [role="status"], [role="alert"], svg, script, style, template';

/** The dialog in front, else the page. */
export function front(): Element {
	return [...document.querySelectorAll('dialog[open]')].pop() ?? document.body;
}

const isSeen = (e: Element) => !e.matches(SILENT) && e.checkVisibility();
const isMark = (e: Element): e is HTMLInputElement => e.matches('input[type=radio], input[type=checkbox]');
export const isLine = (e: Element | null): e is HTMLInputElement | HTMLTextAreaElement =>
	e?.matches('textarea, input:not([type=radio], [type=checkbox], [type=file])') ?? false;

/** The words of an element, a comma between what stands apart. */
function textOf(e: Element): string {
	const words: string[] = [];
	const walk = (node: Node) => {
		for (const child of node.childNodes) {
			if (child instanceof Text) words.push(child.data);
			else if (child instanceof Element && isSeen(child) && !child.matches('input')) {
				const isApart = !getComputedStyle(child).display.startsWith('inline');
				if (isApart) words.push('，');
				walk(child);
				if (isApart) words.push('，');
			}
		}
	};
	walk(e);
	return words
		.join('')
		.replace(/\s+/g, ' ')
		.replace(/(\s*，\s*)+/g, '，')
		.replace(/([。！？：；.!?:;])，/g, '$1')
		.replace(/^[，\s]+|[，\s]+$/g, '');
}

const ofIds = (ids: string | null) =>
	(ids ?? '').split(' ').flatMap((id) => (id && document.getElementById(id) ? [textOf(document.getElementById(id)!)] : []));

function nameOf(e: Element): string {
	const labelled = ofIds(e.getAttribute('aria-labelledby'));
	const label = e.closest('label');
	return e.getAttribute('aria-label') ?? (labelled.length > 0 ? labelled.join('，') : textOf(label ?? e));
}

/** All that can be heard, in its order: controls, and texts between them. */
export function stops(root: Element = front()): HTMLElement[] {
	const found: HTMLElement[] = [];
	const walk = (e: Element) => {
		if (!isSeen(e)) return;
		const mark = e.matches('label') ? e.querySelector('input[type=radio], input[type=checkbox]') : null;
		if (mark) return void found.push(mark as HTMLElement);
		if (e.matches(CONTROLS)) return void found.push(e as HTMLElement);
		const hasWords = [...e.childNodes].some((child) => child instanceof Text && child.data.trim());
		const isLabel = e.matches('label') || e.parentElement?.matches('label'); // said with its input
		if (hasWords && !e.querySelector(CONTROLS)) return isLabel ? undefined : void found.push(e as HTMLElement);
		for (const child of e.children) walk(child);
	};
	walk(root);
	return found;
}

const isControl = (e: Element) => e.matches(CONTROLS);

function positionOf(e: HTMLElement): string {
	const list = isMark(e)
		? [...document.querySelectorAll<HTMLElement>(`input[name="${CSS.escape(e.name)}"]`)]
		: stops();
	return t('kiosk.speech.position', { number: list.indexOf(e) + 1, total: list.length });
}

function stateOf(e: Element): string[] {
	const states: string[] = [];
	if (isMark(e)) states.push(t(e.checked ? 'kiosk.speech.chosen' : 'kiosk.speech.not-chosen'));
	if (e.getAttribute('aria-pressed') === 'true' || e.getAttribute('aria-checked') === 'true') states.push(t('common.on'));
	if (e.getAttribute('aria-pressed') === 'false' || e.getAttribute('aria-checked') === 'false') states.push(t('common.off'));
	if (e.getAttribute('aria-disabled') === 'true') states.push(t('kiosk.speech.not-now'));
	if (e.getAttribute('aria-invalid') === 'true') states.push(t('kiosk.speech.wrong'));
	if (e.matches('summary')) states.push(t(e.closest('details')?.open ? 'kiosk.speech.open' : 'kiosk.speech.shut'));
	return states;
}

function roleOf(e: Element): string {
	if (e.matches('[type=radio]')) return t('kiosk.speech.one-of');
	if (e.matches('[type=checkbox]')) return t('kiosk.speech.some-of');
	return t(isLine(e) ? 'kiosk.speech.line' : 'kiosk.speech.button');
}

/** Name, kind, state and place among the others; of a text, the text. */
export function describe(e: HTMLElement): Piece[] {
	const isPersonal = e.closest(PERSONAL) !== null;
	if (!isControl(e)) return [{ text: textOf(e), isPersonal }];
	const name = nameOf(e).replace(/[。！？.!?]+$/, ''); // one sentence with what it is
	const pieces: Piece[] = [{ text: `${[name, roleOf(e), ...stateOf(e)].join('，')}。` }];
	if (isLine(e))
		pieces.push(e.value ? { text: `${t('kiosk.speech.holds')}${spelled(e.value)}。`, isPersonal: true } : { text: t('kiosk.speech.empty') });
	pieces.push(...ofIds(e.getAttribute('aria-describedby')).map((text) => ({ text: `${text}。` })));
	return [...pieces, { text: positionOf(e) }];
}

/** Digits one by one; words as they are. */
const spelled = (value: string) => value.replace(/\d(?=\s?\d)/g, '$& ');

/** The title of what is in front, and its texts; not its controls, which are walked to. */
export function screenPieces(): Piece[] {
	const root = front();
	const place = root.matches('dialog') ? root : (root.querySelector('main') ?? root);
	const banner = root.matches('dialog') ? [] : [...root.querySelectorAll<HTMLElement>('.acting span')];
	return [...banner, ...stops(place)]
		.filter((e) => !isControl(e))
		.flatMap((e) => describe(e).map((piece) => ({ ...piece, text: /[。！？.!?]$/.test(piece.text) ? piece.text : `${piece.text}。` })));
}

/** Where somebody is: the screen, and what has the focus. */
export function wherePieces(at: Element | null): Piece[] {
	const title = front().querySelector('h1, h2');
	const pieces: Piece[] = [{ text: t('kiosk.speech.where', { title: title ? textOf(title) : '' }) }];
	const here = at instanceof HTMLElement && at !== document.body && at !== title ? at : null;
	return here ? [...pieces, ...describe(here), ...(isControl(here) ? [] : [{ text: positionOf(here) }])] : pieces;
}
