// One content: what is in force and where, what is being written, what was before, and the way back.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { Button, Chip, Dialog, Empty, Failed, Loading, Notice, Tab, Table, toast, type Column } from '../src/parts';
import type { DraftStepView, PublicationView, RevisionRow, RevisionView } from '../src/types';
import { hrefOf } from '../desk/route';
import { useDesk, useLoaded } from '../desk/session';
import { PageHeading } from '../desk/shell';
import { momentText, useNow } from '../desk/time';
import { ArrivalChip, Missing } from './arrival';
import { Changes } from './changes';
import { contentOf, draftOf, useCollection } from './collection';
import { ToldTo } from './told';

export function usePublication(id: string) {
	const { list } = useCollection();
	return useLoaded<PublicationView>(`${list}/${id}`, (name) => name === 'catalogue');
}

export function BackToList() {
	const { page, texts } = useCollection();
	return (
		<p class="desk-back">
			<Tab href={hrefOf(page)}>{t(texts.back)}</Tab>
		</p>
	);
}

export function ContentPage({ id, revision }: { id: string; revision: number }) {
	const { data, fault, reload } = usePublication(id);
	return (
		<>
			<BackToList />
			<PageHeading title={words(data?.row?.name) || id} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && (
				<>
					<InForce view={data} id={id} reload={reload} />
					<Draft view={data} id={id} reload={reload} />
					<History view={data} id={id} shown={revision} />
					{revision > 0 && <Difference key={revision} id={id} revision={revision} view={data} />}
				</>
			)}
		</>
	);
}

export function Names({ names }: { names: string[] }) {
	return <span class="desk-user">{names.join(', ')}</span>;
}

function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
	return (
		<dl class="desk-facts">
			{facts.map(([label, value]) => (
				<div key={label}>
					<dt>{label}</dt>
					<dd>{value}</dd>
				</div>
			))}
		</dl>
	);
}

interface ActProps {
	view: PublicationView;
	id: string;
	reload: () => Promise<void>;
}

function InForce({ view, id, reload }: ActProps) {
	const { session } = useDesk();
	const { isTakenBack } = useCollection();
	const [isTaking, setTaking] = useState(false);
	const now_ms = useNow();
	const newest = view.row?.newest;
	return (
		<section class="publication">
			<h2>{t('desk.service.in-force')}</h2>
			{!newest && <Empty>{t('desk.service.nothing')}</Empty>}
			{newest && (
				<>
					<Facts
						facts={[
							[t('desk.catalogue.revision'), newest.revision],
							[t('desk.catalogue.since'), momentText(newest.published_ms)],
							[t('desk.service.drafted'), <Names names={newest.drafted_by} />],
							[t('desk.catalogue.by'), <Names names={[newest.published_by]} />],
							[t('desk.catalogue.arrival'), <ArrivalChip arrival={newest.arrival} />],
						]}
					/>
					{view.notice && <ToldTo notice={view.notice} />}
					{view.notice?.is_withdrawn && <Notice kind="info">{t('desk.notices.taken-back')}</Notice>}
					<Missing sites={view.missing} now_ms={now_ms} />
					{isTakenBack && !view.notice?.is_withdrawn && session.may.includes('publish') && (
						<div class="actions">
							<Button kind="danger" icon="erase" onPress={() => setTaking(true)}>
								{t('desk.notices.take-back')}
							</Button>
						</div>
					)}
					{isTaking && (
						<Ask
							what={t('desk.notices.take-back')}
							about={t('desk.notices.take-back-ask')}
							done={t('desk.notices.taken-back')}
							command={{ action: 'DRAFT_ACTION_WITHDRAW', version: newest.revision }}
							{...{ id, reload }}
							onClose={() => setTaking(false)}
						/>
					)}
				</>
			)}
		</section>
	);
}

function Draft({ view, id, reload }: ActProps) {
	const { session } = useDesk();
	const collection = useCollection();
	const [isDropping, setDropping] = useState(false);
	const draft = view.row?.draft;
	const mayDraft = session.may.includes('draft');
	const open = () => (location.hash = hrefOf(collection.page, id, { at: 'draft' }));
	return (
		<section class="publication">
			<h2>{t('desk.catalogue.draft')}</h2>
			{!draft && <Empty>{t('desk.draft.none')}</Empty>}
			{draft && (
				<>
					<Facts
						facts={[
							[t('desk.draft.authors'), <Names names={draft.authors} />],
							[t('desk.draft.changed'), momentText(draft.changed_ms)],
						]}
					/>
					{draft.faults > 0 && <Notice kind="warning">{t('desk.draft.faults', { n: draft.faults })}</Notice>}
					{draft.is_stale && <Notice kind="warning">{t('desk.draft.stale')}</Notice>}
					<h3>{t('desk.draft.changes')}</h3>
					<Changes changes={view.changes} before={contentOf(collection, view)} after={draftOf(collection, view)} />
				</>
			)}
			<div class="actions">
				{mayDraft && (
					<Button kind={draft ? 'plain' : 'primary'} icon="edit" onPress={open}>
						{t(draft ? 'desk.draft.go-on' : 'desk.draft.begin')}
					</Button>
				)}
				{draft && session.may.includes('publish') && (
					<Button
						kind="primary"
						icon="next"
						whyNot={whyNotPublish(view, session.user)}
						onPress={() => (location.hash = hrefOf(collection.page, id, { at: 'publish' }))}
					>
						{t('desk.publish.look')}
					</Button>
				)}
				{draft && mayDraft && (
					<Button kind="danger" icon="erase" onPress={() => setDropping(true)}>
						{t('desk.draft.drop')}
					</Button>
				)}
			</div>
			{isDropping && draft && (
				<Ask
					what={t('desk.draft.drop')}
					about={t('desk.draft.drop-ask')}
					done={t('desk.draft.dropped')}
					command={{ action: 'DRAFT_ACTION_DROP', version: draft.version }}
					{...{ id, reload }}
					onClose={() => setDropping(false)}
				/>
			)}
		</section>
	);
}

export function whyNotPublish(view: PublicationView, user: string): string | undefined {
	const draft = view.row?.draft;
	if (!draft) return t('desk.draft.none');
	if (draft.authors.includes(user)) return t('desk.publish.second');
	if (draft.faults > 0) return t('desk.draft.faults', { n: draft.faults });
	if (draft.is_stale) return t('desk.draft.stale');
	return view.changes.length === 0 ? t('desk.publish.unchanged') : undefined;
}

interface AskProps {
	what: string;
	about: string;
	done: string;
	command: { action: string; version: number };
	id: string;
	reload: () => Promise<void>;
	onClose: () => void;
}

/** A step that takes something away: asked once more. */
function Ask({ what, about, done, command, id, reload, onClose }: AskProps) {
	const desk = useDesk();
	const { list } = useCollection();
	const go = async () => {
		try {
			await post<DraftStepView>(`${list}/${id}`, command);
			toast(done);
		} catch (error) {
			toast(desk.failed(error), 'danger');
		}
		onClose();
		await reload();
	};
	return (
		<Dialog
			title={what}
			onClose={onClose}
			actions={
				<>
					<Button kind="danger" onPress={() => void go()}>
						{what}
					</Button>
					<Button kind="primary" onPress={onClose}>
						{t('desk.cancel')}
					</Button>
				</>
			}
		>
			<p>{about}</p>
		</Dialog>
	);
}

function History({ view, id, shown }: { view: PublicationView; id: string; shown: number }) {
	const { page } = useCollection();
	const newest = view.row?.newest?.revision ?? 0;
	if (view.revisions.length === 0) return null;
	const columns: Column<RevisionRow>[] = [
		{ id: 'revision', head: t('desk.catalogue.revision'), isHead: true, cell: (row) => row.revision },
		{ id: 'drafted', head: t('desk.service.drafted'), cell: (row) => <Names names={row.drafted_by} /> },
		{ id: 'by', head: t('desk.catalogue.by'), cell: (row) => <Names names={[row.published_by]} /> },
		{ id: 'since', head: t('desk.catalogue.since'), cell: (row) => momentText(row.published_ms) },
		{
			id: 'about',
			head: t('desk.service.about'),
			cell: (row) => (
				<>
					{row.revision === newest && <Chip kind="success">{t('desk.service.in-force')}</Chip>}{' '}
					{row.goes_back_to > 0 && t('desk.service.goes-back', { n: row.goes_back_to })}
				</>
			),
		},
		{
			id: 'see',
			head: t('desk.service.difference'),
			cell: (row) =>
				row.revision !== newest && (
					<a
						class="tab"
						href={hrefOf(page, id, { revision: String(row.revision) })}
						aria-current={row.revision === shown ? 'true' : undefined}
					>
						{t('desk.service.compare', { n: row.revision })}
					</a>
				),
		},
	];
	return (
		<section class="publication">
			<h2>{t('desk.service.history')}</h2>
			<Table
				caption={t('desk.service.history')}
				isCaptionHidden
				columns={columns}
				rows={view.revisions}
				keyOf={(row) => String(row.revision)}
			/>
		</section>
	);
}

/** From an earlier revision to what is in force, and the way back to it. */
function Difference({ id, revision, view }: { id: string; revision: number; view: PublicationView }) {
	const desk = useDesk();
	const collection = useCollection();
	const address = `${collection.list}/${id}`;
	const { data, fault, reload } = useLoaded<RevisionView>(`${address}/${revision}`, (name) => name === 'catalogue');
	const newest = view.row?.newest?.revision ?? 0;
	const goBack = async () => {
		const command = { action: 'DRAFT_ACTION_SAVE', version: 0, based_on: newest, goes_back_to: revision };
		try {
			await post<DraftStepView>(address, command);
			toast(t('desk.back.made', { n: revision }));
			location.hash = hrefOf(collection.page, id);
		} catch (error) {
			toast(desk.failed(error), 'danger');
		}
	};
	return (
		<section class="publication">
			<h2>{t('desk.service.from-to', { from: revision, to: newest })}</h2>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && <Changes changes={data.changes} before={contentOf(collection, data)} after={contentOf(collection, view)} />}
			{data && desk.session.may.includes('draft') && (
				<div class="actions">
					<Button
						icon="back"
						whyNot={
							view.row?.draft
								? t('desk.back.draft')
								: data.changes.length === 0
									? t('desk.publish.unchanged')
									: undefined
						}
						onPress={() => void goBack()}
					>
						{t('desk.back.do', { n: revision })}
					</Button>
				</div>
			)}
		</section>
	);
}
