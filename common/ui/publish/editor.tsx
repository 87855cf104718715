// Writing a draft: everything that a content is made of, saved by itself, checked by the daemon at each save.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, get } from '../src/api';
import { language, t, timeText, words } from '../src/i18n';
import { Button, Failed, Loading, More, Notice, Tab } from '../src/parts';
import type { ContentFault, PublicationView, Words } from '../src/types';
import { hrefOf } from '../desk/route';
import { useDesk } from '../desk/session';
import { PageHeading } from '../desk/shell';
import { useDraft, type Draft } from './autosave';
import { Changes } from './changes';
import { faultSaid } from './faults';
import { contentOf, draftOf, useCollection } from './collection';
import { idOf, Parts } from './part';
import { Preview } from './preview';
import { blankOf, pathText, type Content } from './shape';

const OPENING_MS = 100; // an element that opens is drawn first
const GIVEN = ['revision', 'published_by', 'published_ms', 'drafted_by', 'goes_back_to'];
// What was taken back is told again by whoever writes it anew.
const TAKEN_BACK = 'is_withdrawn';

/** The content without what publication adds. */
function bare(content: Content): Content {
	return Object.fromEntries(Object.entries(content).filter(([name]) => !GIVEN.includes(name)));
}

const NOTHING: PublicationView = { revisions: [], missing: [], faults: [], changes: [], time_ms: '0' };

/** Reads once: what is typed is not replaced by what others do; the daemon says when they did. */
export function EditorPage({ id }: { id: string }) {
	const desk = useDesk();
	const { list, page } = useCollection();
	const [view, setView] = useState<PublicationView | null>(null);
	const [reading, setReading] = useState(0);
	const [fault, setFault] = useState('');
	const readAgain = () => {
		setView(null);
		setFault('');
		setReading((n) => n + 1);
	};
	useEffect(() => {
		if (view || desk.isExpired) return;
		get<PublicationView>(`${list}/${id}`).then(setView, (error: unknown) => {
			const isNew = error instanceof ApiError && error.code === 'not-found';
			if (isNew) setView(NOTHING);
			else setFault(desk.failed(error));
		});
	}, [id, reading, desk.isExpired]);
	return (
		<>
			<p class="desk-back">
				<Tab href={hrefOf(page, view?.row ? id : '')}>{t('desk.draft.back')}</Tab>
			</p>
			{!view && <PageHeading title={id} />}
			{!view && (fault ? <Failed text={fault} onRetry={readAgain} /> : <Loading />)}
			{view && <Editor key={reading} id={id} view={view} onReadAgain={readAgain} />}
		</>
	);
}

interface EditorProps {
	id: string;
	view: PublicationView;
	onReadAgain: () => void;
}

function Editor({ id, view, onReadAgain }: EditorProps) {
	const collection = useCollection();
	const inForce = contentOf(collection, view);
	const begin = useMemo(() => {
		const from = draftOf(collection, view) ?? inForce;
		if (!from) return { id, ...blankOf(collection.shape) };
		return collection.isTakenBack ? { ...bare(from), [TAKEN_BACK]: false } : bare(from);
	}, [view]);
	const draft = useDraft(id, begin, view);
	const faults = useMemo(() => new Map(draft.faults.map(({ path, text }) => [path, faultSaid(text).text])), [draft.faults, language()]);
	const [isPreviewed, setPreviewed] = useState(false);
	const { content } = draft;
	const newest = view.row?.newest;
	return (
		<>
			<PageHeading title={words(content.name as Words | undefined) || id}>
				<Saved draft={draft} />
			</PageHeading>
			{draft.isConflict && (
				<Notice kind="danger" title={t('desk.edit.conflict')}>
					<p>{t('desk.edit.conflict-text')}</p>
					<div class="actions">
						<Button icon="refresh" onPress={onReadAgain}>
							{t('desk.edit.theirs')}
						</Button>
						<Button kind="danger" onPress={() => void draft.overwrite()}>
							{t('desk.edit.mine')}
						</Button>
					</div>
				</Notice>
			)}
			{newest && draft.basedOn !== newest.revision && (
				<Notice kind="warning" title={t('desk.draft.stale')}>
					<p>{t('desk.edit.stale-text', { n: newest.revision })}</p>
					<Button onPress={() => draft.rebase(newest.revision)}>{t('desk.edit.looked')}</Button>
				</Notice>
			)}
			{draft.version > 0 && <Faults faults={draft.faults} content={content} />}
			<div class="actions">
				<Button icon="back" onPress={draft.undo} whyNot={draft.canUndo ? undefined : t('desk.edit.nothing-to-undo')}>
					{t('desk.edit.undo')}
				</Button>
				{collection.isPreviewed && (
					<Button icon="search" isPressed={isPreviewed} onPress={() => setPreviewed(!isPreviewed)}>
						{t('desk.preview.title')}
					</Button>
				)}
			</div>
			{isPreviewed && <Preview content={content} />}
			<div class="edit">
				<Parts parts={collection.shape} value={content} path={[]} writing={{ faults, put: draft.put }} />
			</div>
			<More name={t('desk.draft.changes')}>
				<Changes changes={draft.changes} before={inForce} after={content} />
			</More>
		</>
	);
}

function Saved({ draft }: { draft: Draft }) {
	const text = draft.trouble
		? t('desk.edit.not-saved', { text: draft.trouble })
		: !draft.isSaved
			? t('desk.edit.saving')
			: draft.saved_ms
				? t('desk.edit.saved', { time: timeText(draft.saved_ms) })
				: t('desk.edit.unchanged');
	return (
		<p role="status" class={draft.trouble ? 'edit-saved edit-trouble' : 'edit-saved'}>
			{text}
		</p>
	);
}

/** All faults at once; each leads to its place. */
function Faults({ faults, content }: { faults: ContentFault[]; content: Content }) {
	if (faults.length === 0) return <Notice kind="success" title={t('desk.draft.good')} />;
	return (
		<Notice kind="warning" title={t('desk.draft.faults', { n: faults.length })}>
			<ul class="edit-faults">
				{faults.map(({ path, text }) => {
					const said = faultSaid(text);
					return (
						<li key={`${path} ${text}`}>
							<Button kind="link" onPress={() => goTo(path)}>
								{pathText(path, [content]) || t('desk.part.whole')}
							</Button>{' '}
							<span lang={said.lang}>{said.text}</span>
						</li>
					);
				})}
			</ul>
		</Notice>
	);
}

/** Opens what a path lies in, and then goes to its input, or to the nearest part above it that has one. */
function goTo(path: string): void {
	for (const box of document.querySelectorAll<HTMLDetailsElement>('details[data-path]'))
		if (`${path}.`.startsWith(`${box.dataset.path}.`)) box.open = true;
	setTimeout(() => {
		for (let at = path; at; at = at.replace(/(\.[^.[\]]+|\[\d+\])$|^[^.[\]]+$/, '')) {
			const input = document.getElementById(idOf(at));
			if (!input) continue;
			input.focus();
			input.scrollIntoView({ block: 'center' });
			return;
		}
	}, OPENING_MS);
}
