// Chinese in the making: the letters that are not characters yet, and the candidates for them.
import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { PinyinCandidate, PinyinCommand, PinyinView } from './types';

/** Asks for candidates. A page that gives none has no keyboard on its screen. */
export type FindCandidates = (command: PinyinCommand) => Promise<PinyinView>;
export const Finder = createContext<FindCandidates | null>(null);

const LETTERS_MOST = 60; // of one question
const ASK_AGAIN_MS = 1_000; // after which a process that died is started again
const CELLS = 8; // of a page of candidates: ten in two rows, less two to turn pages
const CELL_CHARACTERS = 2;
const CELLS_MOST = 5; // a row

/** How many cells a candidate takes: what is long takes more. */
export function cellsOf({ text }: PinyinCandidate): number {
	return Math.min(CELLS_MOST, Math.ceil([...text].length / CELL_CHARACTERS));
}

function fitting(candidates: readonly PinyinCandidate[]): PinyinCandidate[] {
	let cells = 0;
	return candidates.filter((one, i) => (cells += cellsOf(one)) <= CELLS || i === 0);
}

interface Found {
	letters: string; // for which these are
	candidates: PinyinCandidate[];
	total: number;
}

const NOTHING: Found = { letters: '', candidates: [], total: 0 };

export interface Composing {
	letters: string;
	candidates: readonly PinyinCandidate[];
	isPatient: boolean; // an answer is on its way
	isAway: boolean; // nobody answers
	hasPrevious: boolean;
	hasNext: boolean;
	isHalf: () => boolean; // there are letters that are no characters yet
	add: (letter: string) => void;
	erase: () => void;
	clear: () => void;
	turn: (step: 1 | -1) => void;
	take: (candidate: PinyinCandidate) => boolean; // false: it is of letters that have changed since
}

/** The letters that somebody types, and what they may mean. */
export function useComposing(): Composing {
	const find = useContext(Finder);
	const now = useRef({ letters: '', starts: [0] }); // keys can be faster than what is drawn
	const [{ letters, starts }, draw] = useState(now.current);
	const [found, setFound] = useState(NOTHING);
	const [isAway, setAway] = useState(false);
	const [tries, tryAgain] = useState(0);
	const from = starts[starts.length - 1]!;

	useEffect(() => {
		find?.({ letters: '', from: 0, most: 1 }).catch(() => {}); // so that it is there when the first letter is
	}, []);

	useEffect(() => {
		if (!letters || !find) return setFound(NOTHING);
		let isOld = false;
		let timer = 0;
		find({ letters, from, most: CELLS }).then(
			({ candidates, total }) => {
				if (isOld) return;
				setFound({ letters, candidates: fitting(candidates), total });
				setAway(false);
			},
			(e: unknown) => {
				console.warn(String(e)); // for staff; the keyboard says it in plain words
				if (isOld) return;
				setFound({ ...NOTHING, letters });
				setAway(true);
				timer = window.setTimeout(() => tryAgain((n) => n + 1), ASK_AGAIN_MS);
			},
		);
		return () => {
			isOld = true;
			window.clearTimeout(timer);
		};
	}, [letters, from, tries]);

	const next = from + found.candidates.length;
	const set = (changed: typeof now.current) => draw((now.current = changed));
	const type = (changed: string) => set({ letters: changed.replace(/^'+/, '').slice(0, LETTERS_MOST), starts: [0] });
	return {
		letters,
		candidates: found.candidates,
		isPatient: found.letters !== letters,
		isAway: isAway && letters !== '',
		hasPrevious: starts.length > 1,
		hasNext: next < found.total,
		isHalf: () => now.current.letters !== '',
		add: (letter) => type(now.current.letters + letter),
		erase: () => type(now.current.letters.slice(0, -1)),
		clear: () => type(''),
		turn: (step) => set({ letters, starts: step > 0 ? [...starts, next] : starts.slice(0, -1) }),
		take: (candidate) => {
			if (found.letters !== now.current.letters || !found.candidates.includes(candidate)) return false;
			type(found.letters.slice(candidate.letters));
			return true;
		},
	};
}
