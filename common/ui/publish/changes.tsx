// A difference, in the words of the form. The daemon's own path stands below, small, for whoever looks it up.
import { t } from '../src/i18n';
import { Chip, Empty, type IconName, type NoticeKind } from '../src/parts';
import type { Change, ChangeKind } from '../src/types';
import { useCollection } from './collection';
import { pathText, valueText, type Content } from './shape';

const KINDS: Record<ChangeKind, { kind: NoticeKind; icon: IconName }> = {
	CHANGE_KIND_NONE: { kind: 'info', icon: 'edit' },
	CHANGE_KIND_CHANGED: { kind: 'info', icon: 'edit' },
	CHANGE_KIND_ADDED: { kind: 'success', icon: 'success' },
	CHANGE_KIND_REMOVED: { kind: 'danger', icon: 'erase' },
	CHANGE_KIND_MOVED: { kind: 'info', icon: 'sort' },
};

interface ChangesProps {
	changes: Change[];
	before: Content | undefined;
	after: Content | undefined;
}

export function Changes({ changes, before, after }: ChangesProps) {
	if (changes.length === 0) return <Empty>{t('desk.changes.none')}</Empty>;
	return (
		<ul class="changes">
			{changes.map((change) => (
				<li key={`${change.path} ${change.kind}`}>
					<p class="change-where">
						<Chip {...KINDS[change.kind]}>{t(`desk.change.${change.kind}`)}</Chip>{' '}
						<strong>{pathText(change.path, [after, before])}</strong>
					</p>
					<Values change={change} />
					<code class="desk-minor" lang="en">
						{change.path}
					</code>
				</li>
			))}
		</ul>
	);
}

function Values({ change: { path, kind, before, after } }: { change: Change }) {
	const lang = path.endsWith('.en') ? 'en' : path.endsWith('.zh') ? 'zh-CN' : undefined;
	const { shape } = useCollection();
	const text = (value: string) => valueText(shape, path, value) || t('desk.changes.nothing');
	return (
		<dl class="change-values">
			{kind !== 'CHANGE_KIND_ADDED' && (
				<>
					<dt>{t('desk.changes.before')}</dt>
					<dd lang={before ? lang : undefined}>
						<del>{text(before)}</del>
					</dd>
				</>
			)}
			{kind !== 'CHANGE_KIND_REMOVED' && (
				<>
					<dt>{t('desk.changes.after')}</dt>
					<dd lang={after ? lang : undefined}>
						<ins>{text(after)}</ins>
					</dd>
				</>
			)}
		</dl>
	);
}
