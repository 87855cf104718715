// What is typed goes to the daemon by itself, at most five seconds later. While it cannot (no network, the session has
// ended, somebody else saved) it stays here, and the page says so.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get, post } from '../src/api';
import type { Change, ContentFault, DraftStepView, PublicationView } from '../src/types';
import { useDesk } from '../desk/session';
import { useCollection } from './collection';
import { put, type Content, type Step } from './shape';

const CALM_MS = 1_000; // after the last key
const PATIENCE_MS = 4_000; // after the first key that is not saved
const RETRY_MS = 5_000;
const UNDO_MOST = 100;

export interface Draft {
	content: Content;
	version: number; // that is saved; 0: none yet
	basedOn: number;
	faults: ContentFault[];
	changes: Change[];
	isSaved: boolean;
	saved_ms: number;
	trouble: string; // why it is not saved
	isConflict: boolean; // somebody else saved
	canUndo: boolean;
	put: (path: Step[], value: unknown) => void;
	undo: () => void;
	rebase: (revision: number) => void; // it has been looked at again
	overwrite: () => Promise<void>; // over what somebody else saved
}

interface Undo {
	content: Content;
	path: string;
}

export function useDraft(id: string, begin: Content, view: PublicationView): Draft {
	const desk = useDesk();
	const { list, member } = useCollection();
	const address = `${list}/${id}`;
	const [content, setContent] = useState(begin);
	const [basedOn, setBasedOn] = useState(view.row?.draft?.based_on ?? view.row?.newest?.revision ?? 0);
	const [saved, setSaved] = useState({ content: begin, basedOn, version: view.row?.draft?.version ?? 0, at_ms: 0 });
	const [checked, setChecked] = useState({ faults: view.faults, changes: view.changes });
	const [trouble, setTrouble] = useState('');
	const [isConflict, setConflict] = useState(false);
	const [past, setPast] = useState<Undo[]>([]);
	const [retry, setRetry] = useState(0);
	const isBusy = useRef(false);
	const dirty_ms = useRef(0);

	const isSaved = saved.content === content && saved.basedOn === basedOn;

	const save = useCallback(
		async (version: number) => {
			if (isBusy.current) return;
			isBusy.current = true;
			try {
				const command = { action: 'DRAFT_ACTION_SAVE', version, based_on: basedOn, [member]: content };
				const done = await post<DraftStepView>(address, command);
				setChecked({ faults: done.faults, changes: done.changes });
				setSaved({ content, basedOn, version: done.version, at_ms: Date.now() });
				setTrouble('');
				setConflict(false);
			} catch (error) {
				setConflict(error instanceof ApiError && error.code === 'conflict');
				setTrouble(desk.failed(error));
				setTimeout(() => setRetry((n) => n + 1), RETRY_MS);
			} finally {
				isBusy.current = false;
				dirty_ms.current = 0;
			}
		},
		[content, basedOn, address, member, desk.failed],
	);

	useEffect(() => {
		if (isSaved || isConflict || desk.isExpired) return;
		const now_ms = performance.now();
		dirty_ms.current ||= now_ms;
		const wait_ms = Math.min(CALM_MS, Math.max(0, dirty_ms.current + PATIENCE_MS - now_ms));
		const timer = setTimeout(() => void save(saved.version), wait_ms);
		return () => clearTimeout(timer);
	}, [content, basedOn, saved, isConflict, desk.isExpired, retry]);

	useEffect(() => {
		if (isSaved) return;
		const ask = (event: BeforeUnloadEvent) => event.preventDefault();
		addEventListener('beforeunload', ask);
		return () => removeEventListener('beforeunload', ask);
	}, [isSaved]);

	const newest = useRef({ content, past });
	newest.current = { content, past };
	return {
		content,
		version: saved.version,
		basedOn,
		...checked,
		isSaved,
		saved_ms: saved.at_ms,
		trouble,
		isConflict,
		canUndo: past.length > 0,
		put: (path, value) => {
			const { content: before, past: steps } = newest.current;
			const at = path.join('.');
			// Keys of one input are one step back.
			if (steps[steps.length - 1]?.path !== at || Array.isArray(value))
				setPast([...steps, { content: before, path: at }].slice(-UNDO_MOST));
			setContent(put(before, path, value) as Content);
		},
		undo: () => {
			const last = past[past.length - 1];
			if (!last) return;
			setPast(past.slice(0, -1));
			setContent(last.content);
		},
		rebase: setBasedOn,
		overwrite: async () => {
			try {
				const now = await get<PublicationView>(address);
				await save(now.row?.draft?.version ?? 0);
			} catch (error) {
				setTrouble(desk.failed(error));
			}
		},
	};
}
