// The second person: what changes, how its reader will see it, and then the one step that puts it into force.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { Button, Failed, Loading, Notice, Tab, toast } from '../src/parts';
import type { DraftStepView } from '../src/types';
import { hrefOf } from '../desk/route';
import { useDesk } from '../desk/session';
import { PageHeading } from '../desk/shell';
import { Changes } from './changes';
import { contentOf, draftOf, useCollection } from './collection';
import { Preview } from './preview';
import { ToldTo } from './told';
import { Names, usePublication, whyNotPublish } from './content';

export function PublishPage({ id }: { id: string }) {
	const desk = useDesk();
	const collection = useCollection();
	const { data, fault, reload } = usePublication(id);
	const [isBusy, setBusy] = useState(false);
	const draft = data?.row?.draft;
	const publish = async () => {
		if (!draft) return;
		setBusy(true);
		try {
			const done = await post<DraftStepView>(`${collection.list}/${id}`, {
				action: 'DRAFT_ACTION_PUBLISH',
				version: draft.version,
			});
			toast(t('desk.publish.done', { n: done.revision }));
			location.hash = hrefOf(collection.page, id);
		} catch (error) {
			toast(desk.failed(error), 'danger');
			setBusy(false);
			await reload();
		}
	};
	return (
		<>
			<p class="desk-back">
				<Tab href={hrefOf(collection.page, id)}>{t('desk.draft.back')}</Tab>
			</p>
			<PageHeading title={t('desk.publish.title', { name: words(data?.row?.name) || id })} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && !draft && <Notice kind="info">{t('desk.draft.none')}</Notice>}
			{data && draft && (
				<>
					<p class="desk-lead">
						{t('desk.draft.authors')} <Names names={draft.authors} />
					</p>
					{data.notice_draft && <ToldTo notice={data.notice_draft} />}
					<div class="desk-columns">
						<section class="publication">
							<h2>{t('desk.draft.changes')}</h2>
							<Changes changes={data.changes} before={contentOf(collection, data)} after={draftOf(collection, data)} />
						</section>
						{collection.isPreviewed && <Preview content={draftOf(collection, data)} />}
					</div>
					<div class="actions">
						<Button
							kind="primary"
							icon="success"
							isBusy={isBusy}
							whyNot={whyNotPublish(data, desk.session.user)}
							onPress={() => void publish()}
						>
							{t('desk.publish.do')}
						</Button>
					</div>
				</>
			)}
		</>
	);
}
