// A keyboard on the screen, with Chinese by pinyin, for people who have none or cannot use it. It is part of the answer
// that it types into; a real keyboard goes on working, and letters of it make Chinese, too, while this one is set to that.
import type { ComponentChildren, JSX } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { language, t, type TextKey } from './i18n';
import { announce, Button, Notice } from './parts';
import { cellsOf, Finder, useComposing, type Composing } from './pinyin';

const LETTER_ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
const DIGIT_ROW = '1234567890';
const MARK_ROWS = { chinese: [DIGIT_ROW, '-/：；（）“”、', '·？！#&+.'], latin: [DIGIT_ROW, '-/:;()@"\'', '·?!#&+_'] };
const POINTS = { chinese: ['，', '。'], latin: [',', '.'] } as const;

interface TypedProps {
	id: string; // of the input
	value: string;
	maxLength?: number;
	onType: (value: string) => void;
	children: ComponentChildren; // the input
}

/** An input with a keyboard below it, which opens with the input's focus. On pages that find no candidates: the input. */
export function Typed(props: TypedProps): JSX.Element {
	const hasKeyboard = useContext(Finder) !== null;
	const [isOpen, setOpen] = useState(false);
	if (!hasKeyboard) return <>{props.children}</>;
	return (
		<>
			<div class="typed" onFocusIn={() => setOpen(true)}>
				{props.children}
			</div>
			{isOpen ? (
				<Keyboard {...props} onClose={() => setOpen(false)} />
			) : (
				<Button icon="edit" onPress={() => setOpen(true)}>
					{t('common.keyboard.open')}
				</Button>
			)}
		</>
	);
}

/** What stands in an input, changed where its caret is. */
function useText({ id, value, maxLength = Infinity, onType }: TypedProps) {
	const caret = useRef<number | null>(null);
	const input = () => document.getElementById(id) as HTMLInputElement | HTMLTextAreaElement | null;
	useLayoutEffect(() => {
		if (caret.current !== null) input()?.setSelectionRange(caret.current, caret.current);
		caret.current = null;
	}, [value]);
	const replace = (start: number, end: number, text: string) => {
		const changed = value.slice(0, start) + text + value.slice(end);
		if (changed.length > maxLength) return;
		caret.current = start + text.length;
		onType(changed);
	};
	const selection = () => [input()?.selectionStart ?? value.length, input()?.selectionEnd ?? value.length] as const;
	return {
		input,
		insert: (text: string) => replace(...selection(), text),
		erase: () => {
			const [start, end] = selection();
			const before = [...value.slice(0, start)];
			replace(start === end ? before.slice(0, -1).join('').length : start, end, '');
		},
		clear: () => replace(0, value.length, ''),
	};
}

/** Above what stands fixed at the foot of the page. */
function bringIntoSight(keyboard: HTMLElement): void {
	const foot = keyboard.closest('form')?.querySelector('footer');
	const over_px = keyboard.getBoundingClientRect().bottom - (foot?.getBoundingClientRect().top ?? window.innerHeight);
	if (over_px > 0) window.scrollBy(0, Math.ceil(over_px));
}

function Keyboard(props: TypedProps & { onClose: () => void }): JSX.Element {
	const [isChinese, setChinese] = useState(language() === 'zh-CN');
	const [areMarks, setMarks] = useState(false);
	const [isUpper, setUpper] = useState(false);
	const text = useText(props);
	const composing = useComposing();
	const isPinyin = isChinese && !areMarks;
	const whole = useRef<HTMLDivElement>(null);

	const choose = (nth: number) => {
		const candidate = composing.candidates[nth];
		if (candidate && composing.take(candidate)) text.insert(candidate.text);
	};
	const type = (key: string) => {
		if (isPinyin && /^[a-z']$/.test(key)) return composing.add(key);
		if (composing.isHalf()) return refuse();
		text.insert(isUpper ? key.toUpperCase() : key);
		setUpper(false);
	};
	const space = () => (composing.isHalf() ? choose(0) : text.insert(' '));
	const erase = () => (composing.isHalf() ? composing.erase() : text.erase());
	const clear = () => (composing.isHalf() ? composing.clear() : text.clear());
	const refuse = () => announce(t('common.keyboard.choose-first'), true);
	const whenDone = (act: () => void) => () => (composing.isHalf() ? refuse() : act());

	useRealKeys(text.input, isPinyin, composing, choose);
	useWholeSyllables(whole, composing, refuse);
	useEffect(() => void (whole.current && bringIntoSight(whole.current)), [composing.candidates.length, composing.isAway]);

	const rows = areMarks ? MARK_ROWS[isChinese ? 'chinese' : 'latin'] : LETTER_ROWS;
	const shown = (key: string) => (isUpper && !areMarks ? key.toUpperCase() : key);
	const keys = (row: string) => [...row].map((key) => <Key key={key} name={shown(key)} onPress={() => type(key)} />);
	const point = (key: string) => <Key key={key} name={key} onPress={whenDone(() => text.insert(key))} />;
	const [comma, stop] = POINTS[isChinese ? 'chinese' : 'latin'];
	return (
		<div class="keyboard" ref={whole} role="group" aria-label={t('common.keyboard')} onMouseDown={(e) => e.preventDefault()}>
			{isChinese && <Candidates composing={composing} onChoose={choose} />}
			<div class="keyboard-keys">
				{keys(rows[0]!)}
				<div class="keyboard-row">{keys(rows[1]!)}</div>
				{isPinyin ? (
					<Key wide name="'" label={t('common.keyboard.apart')} onPress={() => composing.add("'")} />
				) : (
					<WordKey of="common.keyboard.upper" isPressed={isUpper} onPress={() => setUpper(!isUpper)} />
				)}
				{keys(rows[2]!)}
				<WordKey of="common.keyboard.erase" onPress={erase} />
				<WordKey
					of={areMarks ? 'common.keyboard.letters' : 'common.keyboard.digits'}
					onPress={whenDone(() => setMarks(!areMarks))}
				/>
				<WordKey
					of={isChinese ? 'common.keyboard.latin' : 'common.keyboard.chinese'}
					onPress={whenDone(() => setChinese(!isChinese))}
				/>
				{point(comma)}
				<Button class="key space" onPress={space}>
					{t('common.keyboard.space')}
				</Button>
				{point(stop)}
				<WordKey of="common.keyboard.clear" onPress={clear} />
				<WordKey of="common.keyboard.close" onPress={whenDone(props.onClose)} />
			</div>
		</div>
	);
}

/** Keys of a real keyboard: letters typed into the input while it is Chinese, digits and others while letters wait. */
function useRealKeys(input: () => HTMLElement | null, isPinyin: boolean, composing: Composing, choose: (nth: number) => void) {
	const press = (e: KeyboardEvent): boolean => {
		const isInput = e.target === input();
		if (isInput && isPinyin && /^[a-z]$/.test(e.key)) composing.add(e.key);
		else if (!composing.isHalf()) return false;
		else if (/^[1-9]$/.test(e.key)) choose(Number(e.key) - 1);
		else if (e.key === ' ' && isInput) choose(0);
		else if (e.key === "'") composing.add("'");
		else if (e.key === 'Backspace') composing.erase();
		else if (e.key === 'Escape') composing.clear();
		else if (e.key === 'PageDown' && composing.hasNext) composing.turn(1);
		else if (e.key === 'PageUp' && composing.hasPrevious) composing.turn(-1);
		else return false;
		return true;
	};
	useEffect(() => {
		const listener = (e: KeyboardEvent) => {
			if (e.isComposing || e.ctrlKey || e.altKey || e.metaKey || document.querySelector('dialog[open]')) return;
			if (!press(e)) return;
			e.preventDefault();
			e.stopPropagation();
		};
		document.addEventListener('keydown', listener, true);
		return () => document.removeEventListener('keydown', listener, true);
	});
}

/** What is half a syllable goes nowhere: its form stays until a character is chosen, or the letters are erased. */
function useWholeSyllables(inside: { current: HTMLElement | null }, { isHalf }: Composing, refuse: () => void): void {
	useEffect(() => {
		const form = inside.current?.closest('form');
		const listener = (e: Event) => {
			if (!isHalf()) return;
			e.preventDefault();
			e.stopImmediatePropagation();
			refuse();
		};
		form?.addEventListener('submit', listener, true);
		return () => form?.removeEventListener('submit', listener, true);
	}, []);
}

function Candidates({ composing, onChoose }: { composing: Composing; onChoose: (nth: number) => void }): JSX.Element {
	const { letters, candidates, isPatient, isAway } = composing;
	if (isAway)
		return (
			<Notice kind="warning">
				<p>{t('common.keyboard.away')}</p>
			</Notice>
		);
	if (!letters) return <p class="keyboard-hint">{t('common.keyboard.hint')}</p>;
	return (
		<>
			<p class="keyboard-letters said" lang="zh-Latn">
				{letters}
			</p>
			{candidates.length === 0 && !isPatient && <p class="keyboard-hint">{t('common.keyboard.none')}</p>}
			<div class="candidates said" role="group" aria-label={t('common.keyboard.candidates')}>
				{candidates.map((one, i) => (
					<Button
						key={`${i}`}
						class={`candidate cells-${cellsOf(one)}`}
						lang="zh-CN"
						label={`${i + 1} ${one.text}${one.told && `，${one.told}`}`}
						onPress={() => onChoose(i)}
					>
						<span class="candidate-number">{i + 1}</span> {one.text}
					</Button>
				))}
				{composing.hasPrevious && (
					<Button class="candidate" label={`← ${t('common.keyboard.previous')}`} onPress={() => composing.turn(-1)}>
						←
					</Button>
				)}
				{composing.hasNext && (
					<Button class="candidate" label={`→ ${t('common.keyboard.next')}`} onPress={() => composing.turn(1)}>
						→
					</Button>
				)}
			</div>
		</>
	);
}

function Key({ name, label, wide, onPress }: { name: string; label?: string; wide?: boolean; onPress: () => void }) {
	return (
		<Button class={wide ? 'key word' : 'key'} label={label && `${name} ${label}`} onPress={onPress}>
			{name}
		</Button>
	);
}

function WordKey({ of, ...rest }: { of: TextKey; isPressed?: boolean; onPress: () => void }): JSX.Element {
	return (
		<Button class="key word" {...rest}>
			{t(of)}
		</Button>
	);
}
