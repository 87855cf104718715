// The list of requests, a page of the API at a time, kept fresh while somebody reads it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, post } from '../src/api';
import type { CaseFilter, CaseRow, CasesFoundView, CasesView } from '../src/types';
import { useDesk } from './session';

const PAGE_ROWS = 50;
const GATHER_MS = 400; // events of one busy moment lead to one reading

export const VIEWS = ['open', 'overdue', 'handed', 'supervisor', 'closed', 'all'] as const;
export type View = (typeof VIEWS)[number];

/** What is looked for beside the view: parts of a filter, and the words of the box, which no address shows. */
export type Wish = Partial<Record<keyof CaseFilter | 'query', string>>;

const isPlain = (wish: Wish): boolean => Object.values(wish).every((part) => !part);

export interface CaseList {
	rows: CaseRow[];
	matches: string; // of a filter, also those not listed
	isReady: boolean; // of a filter: what it looks in is whole
	open: string; // open cases of this tier, also those not listed
	hasMore: boolean;
	isRead: boolean;
	fault: string;
	readMore: () => Promise<void>;
	reload: () => Promise<void>;
}

interface Pages {
	key: string; // of what was asked for
	rows: CaseRow[];
	matches: string;
	isReady: boolean;
	next: string;
	open: string;
	count: number; // pages read
}

const NOTHING: Pages = { key: '', rows: [], matches: '0', isReady: true, next: '', open: '0', count: 0 };

const keyOf = (view: View, wish: Wish): string => JSON.stringify([view, wish]);

async function readPage(view: View, wish: Wish, after: string): Promise<CasesFoundView> {
	if (isPlain(wish) && view !== 'handed') {
		const query = new URLSearchParams({ view, limit: String(PAGE_ROWS), ...(after && { after }) });
		return { matches: '0', is_ready: true, ...(await get<CasesView>(`/api/v1/cases?${query}`)) };
	}
	const { query = '', ...all } = wish;
	const parts = Object.fromEntries(Object.entries(all).filter(([, part]) => part));
	const filter = view === 'overdue' ? { ...parts, view: 'open', left: 'CASE_LEFT_OVERDUE' } : { ...parts, view };
	return post<CasesFoundView>('/api/v1/cases/search', { filter, query, after, limit: PAGE_ROWS });
}

async function readPages(view: View, wish: Wish, count: number, from: Pages = NOTHING): Promise<Pages> {
	const rows = new Map(from.rows.map((row) => [row.request_id, row]));
	let { next, open, matches, isReady } = from;
	let read = from.count;
	do {
		const page = await readPage(view, wish, next);
		// A case that changed between two pages can stand on both: the newer reading counts, once.
		for (const row of page.cases) rows.set(row.request_id, row);
		next = page.next;
		({ open, matches } = page);
		isReady = page.is_ready;
		read++;
	} while (next && read < count);
	return { key: keyOf(view, wish), rows: [...rows.values()], matches, isReady, next, open, count: read };
}

export function useCases(view: View, wish: Wish = {}): CaseList {
	const key = keyOf(view, wish);
	const desk = useDesk();
	const [pages, setPages] = useState<Pages>(NOTHING);
	const [fault, setFault] = useState('');
	const latest = useRef(0);
	const shown = useRef(pages);
	shown.current = pages.key === key ? pages : NOTHING;

	const read = useCallback(
		async (count: number, from?: Pages) => {
			const turn = ++latest.current;
			try {
				const fresh = await readPages(view, wish, count, from);
				if (turn !== latest.current) return;
				setPages(fresh);
				setFault('');
			} catch (error) {
				const text = desk.failed(error);
				if (turn === latest.current) setFault(text);
			}
		},
		[key, desk.failed],
	);
	const newest = useRef(read);
	newest.current = read;
	const reload = useCallback(() => newest.current(Math.max(1, shown.current.count)), []);

	useEffect(() => {
		if (!desk.isExpired) void reload();
		return () => void latest.current++;
	}, [key, desk.isExpired, desk.session.user]);

	useEffect(() => {
		let timer = 0;
		const stop = desk.hear((name) => {
			if (timer || !['cases', 'persons', 'again'].includes(name)) return;
			timer = window.setTimeout(() => {
				timer = 0;
				void reload();
			}, GATHER_MS);
		});
		return () => {
			clearTimeout(timer);
			stop();
		};
	}, [desk.hear]);

	const { rows, matches, isReady, next, open, count } = shown.current;
	return {
		rows,
		matches,
		isReady,
		open,
		hasMore: next !== '',
		isRead: count > 0,
		fault,
		readMore: () => read(count + 1, shown.current),
		reload,
	};
}
