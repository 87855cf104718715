// What is on file is asked after now and then: how far each community is, whose record is left, and that somebody asked.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { Button, Empty, Failed, Field, Loading, Select, Table, toast, type Column } from '../src/parts';
import type { PersonStepView, PersonView, VerificationRow, VerificationView, VerifiedHow } from '../src/types';
import { personText } from './people';
import { valueText } from './person-facts';
import { ReasonDialog } from './reason';
import { hrefOf, type Route } from './route';
import { useLoaded } from './session';
import { PageHeading } from './shell';

function rateText({ verified, total }: VerificationRow): string {
	return t('desk.verify.rate', { percent: total ? Math.floor((100 * verified) / total) : 0 });
}

export function Verification({ route }: { route: Route }) {
	const place = route.part;
	const { data, fault, reload } = useLoaded<VerificationView>(`/api/v1/verification?place=${place}`, () => false);
	return (
		<>
			<PageHeading title={t('desk.verify.title')}>
				<p class="desk-lead">{t('desk.verify.lead', { days: data?.days ?? 0 })}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data?.days === 0 && <Empty>{t('desk.verify.no-rule')}</Empty>}
			{data && place && <Left view={data} place={place} />}
			{data && data.towns.length > 0 && <Rates caption={t('desk.verify.towns')} rows={data.towns} />}
			{data && data.communities.length > 0 && <Rates caption={t('desk.verify.communities')} rows={data.communities} canOpen />}
		</>
	);
}

function Rates({ caption, rows, canOpen }: { caption: string; rows: VerificationRow[]; canOpen?: boolean }) {
	const columns: Column<VerificationRow>[] = [
		{
			id: 'place',
			head: t('desk.verify.place'),
			isHead: true,
			cell: (row) =>
				canOpen ? (
					<a class="desk-row-link" href={hrefOf('verification', row.place)}>
						{words(row.name) || row.place}
					</a>
				) : (
					words(row.name) || row.place
				),
		},
		{ id: 'total', head: t('desk.verify.total'), isNumber: true, cell: (row) => row.total, sortBy: (row) => row.total },
		{ id: 'verified', head: t('desk.verify.done'), isNumber: true, cell: (row) => row.verified, sortBy: (row) => row.verified },
		{
			id: 'rate',
			head: t('desk.verify.share'),
			isNumber: true,
			cell: rateText,
			sortBy: (row) => (row.total ? row.verified / row.total : 0),
		},
	];
	return <Table caption={caption} columns={columns} rows={rows} keyOf={(row) => row.place} />;
}

function Left({ view, place }: { view: VerificationView; place: string }) {
	const row = view.communities.find((one) => one.place === place);
	return (
		<section>
			<h2>{t('desk.verify.left', { place: words(row?.name) || place })}</h2>
			{view.left.length === 0 && <Empty>{t('desk.verify.none-left')}</Empty>}
			<ul class="desk-lines">
				{view.left.map((person) => (
					<li key={person.person_id} class="desk-said">
						<a class="desk-row-link" href={hrefOf('person', person.person_id)}>
							{personText(person)}
						</a>
					</li>
				))}
			</ul>
			{view.is_more && <p class="desk-minor">{t('desk.verify.more')}</p>}
		</section>
	);
}

const WAYS: VerifiedHow[] = ['VERIFIED_HOW_NONE', 'VERIFIED_HOW_VISIT', 'VERIFIED_HOW_PHONE', 'VERIFIED_HOW_COUNTER'];

/** On the record's page: it was asked after, and is true. */
export function Verify({ view, reload }: { view: PersonView; reload: () => Promise<void> }) {
	const [isOpen, setOpen] = useState(false);
	const [how, setHow] = useState<VerifiedHow>('VERIFIED_HOW_NONE');
	const [isTried, setTried] = useState(false);
	const send = async () => {
		setTried(true);
		if (how === 'VERIFIED_HOW_NONE') return document.getElementById('verify-how')?.focus();
		const command = { action: 'PERSON_ACTION_VERIFY', version: view.version, how };
		await post<PersonStepView>(`/api/v1/persons/${view.row!.person_id}`, command);
		setOpen(false);
		toast(t('desk.verify.saved'));
		void reload();
	};
	return (
		<>
			<Button icon="success" onPress={() => setOpen(true)}>
				{t('desk.verify.act')}
			</Button>
			{isOpen && (
				<ReasonDialog
					id="verify"
					title={t('desk.verify.act')}
					verb={t('desk.verify.save')}
					onSend={send}
					onClose={() => setOpen(false)}
				>
					<p>{t('desk.verify.means')}</p>
					<Field
						id="verify-how"
						label={t('desk.verify.how')}
						error={isTried && how === 'VERIFIED_HOW_NONE' ? t('common.rule.required') : undefined}
						isRequired
					>
						{(wiring) => (
							<Select
								wiring={wiring}
								value={how}
								options={WAYS.map((id) => ({ id, name: id === 'VERIFIED_HOW_NONE' ? t('desk.person.choose') : valueText(id) }))}
								onChoose={(id) => setHow(id as VerifiedHow)}
							/>
						)}
					</Field>
				</ReasonDialog>
			)}
		</>
	);
}
