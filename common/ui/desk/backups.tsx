// Whether this machine's own disk may be lost: its newest backup that somebody has verified; and after a restore, whom it
// waits for.
import { useEffect } from 'preact/hooks';
import { t, words } from '../src/i18n';
import { Chip, Failed, Notice } from '../src/parts';
import type { BackupsView, LinkView, ReturnRow, ReturnView } from '../src/types';
import { useLoaded } from './session';
import { agoText, momentText, useNow } from './time';

/** Tells nothing by itself: it is read again with the clock. */
function usePolled<T extends object>(path: string) {
	const now_ms = useNow();
	const loaded = useLoaded<T>(path, () => false);
	useEffect(() => void loaded.reload(), [now_ms]);
	return { ...loaded, now_ms };
}

export function Backups() {
	const { data, fault, reload, now_ms } = usePolled<BackupsView>('/api/v1/backups');
	return (
		<section>
			<h2>{t('desk.backups.title')}</h2>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{data && (
				<p class="desk-bar">
					<BackupMark view={data} />
					<span>
						{data.verified_ms === '0'
							? t('desk.backups.never')
							: t('desk.backups.last', { ago: agoText(data.verified_ms, now_ms), time: momentText(data.verified_ms) })}{' '}
						{data.is_stale && t('desk.backups.stale-means', { days: data.alarm_days })}{' '}
						{data.waiting.length > 0 && t('desk.backups.waiting', { n: data.waiting.length })}
					</span>
				</p>
			)}
		</section>
	);
}

function BackupMark({ view }: { view: BackupsView }) {
	if (view.is_stale) return <Chip kind="warning">{t('desk.backups.stale')}</Chip>;
	if (view.verified_ms === '0') return <Chip kind="info">{t('desk.backups.none')}</Chip>;
	return <Chip kind="success">{t('desk.backups.good')}</Chip>;
}

/** Nothing, but after a restore. */
export function Returning({ links }: { links: LinkView[] }) {
	const { data } = usePolled<ReturnView>('/api/v1/return');
	if (!data?.is_returning) return null;
	const nameOf = ({ place }: ReturnRow) => words(links.find((link) => link.place === place)?.place_name) || place;
	return (
		<Notice kind="warning" title={t('desk.returning.title', { time: momentText(data.backup_ms) })}>
			<p>{t('desk.returning.lead')}</p>
			<ul>
				{data.rows.map((row) => (
					<li key={row.device}>{t('desk.returning.row', { name: nameOf(row), state: rowText(row) })}</li>
				))}
			</ul>
		</Notice>
	);
}

function rowText(row: ReturnRow): string {
	if (row.is_left_out) return t('desk.returning.left-out');
	if (row.has_answered) return t('desk.returning.answered');
	return row.is_up ? t('desk.returning.to-come', { n: row.to_come }) : t('desk.returning.down');
}
