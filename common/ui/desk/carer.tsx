// Who handed the request in for the resident, and whether the resident's record says that they may; if not, what is missing.
import { t } from '../src/i18n';
import { Chip, Notice, type NoticeKind } from '../src/parts';
import type { CaseRow } from '../src/types';
import { isOpen, type KnownCase } from './model';

function kindOf({ authority }: CaseRow): NoticeKind {
	if (authority === 'AUTHORITY_COVERS') return 'success';
	if (authority === 'AUTHORITY_CHILD') return 'info';
	return authority === 'AUTHORITY_UNWANTED' ? 'danger' : 'warning';
}

export function CarerPart({ view }: { view: KnownCase }) {
	const { carer, row } = view;
	if (!carer || row.authority === 'AUTHORITY_NONE') return null;
	return (
		<section>
			<h2>{t('desk.carer.title')}</h2>
			<p class="desk-said">{[carer.name, carer.relation, carer.phone].join(' · ')}</p>
			<p>{t(`desk.carer.${carer.scope}`)}</p>
			<Notice kind={kindOf(row)} title={t(`desk.carer.${row.authority}`)}>
				{t(`desk.carer.${row.authority}.next`)}
			</Notice>
		</section>
	);
}

/** In a list: that somebody acts, and whether staff have to look. Of what is closed only what the resident did not want. */
export function CarerMark({ row }: { row: CaseRow }) {
	const kind = kindOf(row);
	const isUnwanted = kind === 'danger';
	if (row.authority === 'AUTHORITY_NONE' || !(isOpen(row) || isUnwanted)) return null;
	const key = isUnwanted ? 'desk.flag.unwanted' : kind === 'warning' ? 'desk.flag.carer-open' : 'desk.flag.carer';
	return (
		<Chip icon="person" kind={kind}>
			{t(key)}
		</Chip>
	);
}
