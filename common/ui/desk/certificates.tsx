// Certificates that wait for somebody: for a draw, a check, a decision, a card, or a check that is due. Opened with the record.
import { t, words } from '../src/i18n';
import { Chip, Empty, Failed, Loading, Table, type Column } from '../src/parts';
import type { CertificateRow, CertificatesView } from '../src/types';
import { hrefOf } from './route';
import { useLoaded } from './session';
import { PageHeading } from './shell';
import { momentText } from './time';

export function Certificates() {
	const { data, fault, reload } = useLoaded<CertificatesView>('/api/v1/certificates', (name) => name === 'persons');
	const columns: Column<CertificateRow>[] = [
		{
			id: 'name',
			head: t('desk.person.field.name'),
			isHead: true,
			cell: ({ person }) =>
				person && (
					<a class="desk-row-link" href={hrefOf('person', person.person_id)}>
						{person.name || t('desk.no-name')}
					</a>
				),
		},
		{
			id: 'state',
			head: t('desk.certificate.field.state'),
			cell: (row) => (
				<>
					{t(`desk.certificate.state.${row.state}`)}{' '}
					{(row.is_recheck || row.is_recheck_due) && (
						<Chip kind={row.is_recheck_due ? 'warning' : 'info'} icon="refresh">
							{t(row.is_recheck_due ? 'desk.certificate.recheck-due' : 'desk.certificate.is-recheck')}
						</Chip>
					)}
				</>
			),
			sortBy: (row) => row.state,
		},
		{
			id: 'town',
			head: t('desk.certificate.town'),
			cell: ({ person }) => person && (words(person.town_name) || person.town),
		},
		{ id: 'since', head: t('desk.certificate.since'), cell: (row) => momentText(row.since_ms), sortBy: (row) => BigInt(row.since_ms) },
	];
	return (
		<>
			<PageHeading title={t('desk.certificates.title')}>
				<p class="desk-lead">{t('desk.certificates.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data?.rows.length === 0 && <Empty>{t('desk.certificates.none')}</Empty>}
			{data && data.rows.length > 0 && (
				<Table
					caption={t('desk.certificates.title')}
					isCaptionHidden
					columns={columns}
					rows={data.rows}
					keyOf={({ person }) => person?.person_id ?? ''}
				/>
			)}
			{data?.is_more && <p class="desk-minor">{t('desk.certificates.more')}</p>}
		</>
	);
}
