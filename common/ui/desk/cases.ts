// The list of requests, a page of the API at a time, kept fresh while somebody reads it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../src/api';
import type { CaseRow, CasesView } from '../src/types';
import { useDesk } from './session';

const PAGE_ROWS = 50;
const GATHER_MS = 400; // events of one busy moment lead to one reading

export const VIEWS = ['open', 'overdue', 'closed', 'all'] as const;
export type View = (typeof VIEWS)[number];

export interface CaseList {
	rows: CaseRow[];
	open: string; // open cases of this tier, also those not listed
	hasMore: boolean;
	isRead: boolean;
	fault: string;
	readMore: () => Promise<void>;
	reload: () => Promise<void>;
}

interface Pages {
	view: View | null;
	rows: CaseRow[];
	next: string;
	open: string;
	count: number; // pages read
}

const NOTHING: Pages = { view: null, rows: [], next: '', open: '0', count: 0 };

async function readPages(view: View, count: number, from: Pages = NOTHING): Promise<Pages> {
	const rows = new Map(from.rows.map((row) => [row.request_id, row]));
	let { next, open } = from;
	let read = from.count;
	do {
		const query = new URLSearchParams({ view, limit: String(PAGE_ROWS), ...(next && { after: next }) });
		const page = await get<CasesView>(`/api/v1/cases?${query}`);
		// A case that changed between two pages can stand on both: the newer reading counts, once.
		for (const row of page.cases) rows.set(row.request_id, row);
		next = page.next;
		open = page.open;
		read++;
	} while (next && read < count);
	return { view, rows: [...rows.values()], next, open, count: read };
}

export function useCases(view: View): CaseList {
	const desk = useDesk();
	const [pages, setPages] = useState<Pages>(NOTHING);
	const [fault, setFault] = useState('');
	const latest = useRef(0);
	const shown = useRef(pages);
	shown.current = pages.view === view ? pages : NOTHING;

	const read = useCallback(
		async (count: number, from?: Pages) => {
			const turn = ++latest.current;
			try {
				const fresh = await readPages(view, count, from);
				if (turn !== latest.current) return;
				setPages(fresh);
				setFault('');
			} catch (error) {
				const text = desk.failed(error);
				if (turn === latest.current) setFault(text);
			}
		},
		[view, desk.failed],
	);
	const newest = useRef(read);
	newest.current = read;
	const reload = useCallback(() => newest.current(Math.max(1, shown.current.count)), []);

	useEffect(() => {
		if (!desk.isExpired) void reload();
		return () => void latest.current++;
	}, [view, desk.isExpired, desk.session.user]);

	useEffect(() => {
		let timer = 0;
		const stop = desk.hear((name) => {
			if (timer || (name !== 'cases' && name !== 'again')) return;
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

	const { rows, next, open, count } = shown.current;
	return {
		rows,
		open,
		hasMore: next !== '',
		isRead: count > 0,
		fault,
		readMore: () => read(count + 1, shown.current),
		reload,
	};
}
