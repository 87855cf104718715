// Quality: certificates drawn at random from those that are issued, and what was found of each. The draw can be followed.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t } from '../src/i18n';
import { Button, Empty, Failed, Field, Line, Loading, Notice, Select, Table, toast, type Column } from '../src/parts';
import type { QualityOutcome, SampledRow, SamplesView, SampleView } from '../src/types';
import { ReasonDialog } from './reason';
import { TEXT_CHARACTERS_MOST } from './certificate';
import { hrefOf } from './route';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';
import { momentText } from './time';

const PATH = '/api/v1/samples';

export function Samples() {
	const desk = useDesk();
	const { data, fault, reload } = useLoaded<SamplesView>(PATH, () => false);
	const [count, setCount] = useState('10');
	const [refusal, setRefusal] = useState('');
	const draw = async () => {
		setRefusal('');
		try {
			await post(PATH, { count: Number(count) || 0 });
			toast(t('desk.samples.drawn'));
			void reload();
		} catch (error) {
			setRefusal(desk.failed(error));
		}
	};
	return (
		<>
			<PageHeading title={t('desk.samples.title')}>
				<p class="desk-lead">{t('desk.samples.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			<form
				class="desk-search"
				noValidate
				onSubmit={(event) => {
					event.preventDefault();
					void draw();
				}}
			>
				<Field id="sample-count" label={t('desk.samples.count')} error={refusal || undefined}>
					{(wiring) => <Line wiring={wiring} inputMode="numeric" maxLength={3} value={count} onType={setCount} />}
				</Field>
				<Button kind="primary">{t('desk.samples.draw')}</Button>
			</form>
			{data?.samples.length === 0 && <Empty>{t('desk.samples.none')}</Empty>}
			{data?.samples.map((one) => <Sample key={one.sample_id} view={one} reload={reload} />)}
		</>
	);
}

function Sample({ view, reload }: { view: SampleView; reload: () => Promise<void> }) {
	const [open, setOpen] = useState('');
	const done = view.rows.filter(({ outcome }) => outcome !== 'QUALITY_OUTCOME_NONE').length;
	const columns: Column<SampledRow>[] = [
		{
			id: 'name',
			head: t('desk.person.field.name'),
			isHead: true,
			cell: ({ person, person_id }) =>
				person ? (
					<a class="desk-row-link" href={hrefOf('person', person_id)}>
						{person.name || t('desk.no-name')}
					</a>
				) : (
					t('desk.samples.erased')
				),
		},
		{
			id: 'outcome',
			head: t('desk.samples.outcome'),
			cell: ({ outcome, by, time_ms }) => (
				<>
					{t(`desk.samples.outcome.${outcome}`)}{' '}
					{by && (
						<span class="desk-minor">
							{momentText(time_ms)} <code>{by}</code>
						</span>
					)}
				</>
			),
		},
		{
			id: 'do',
			head: t('desk.samples.write'),
			cell: ({ person, person_id }) => person && <Button onPress={() => setOpen(person_id)}>{t('desk.samples.write')}</Button>,
		},
	];
	return (
		<section>
			<h2>{t('desk.samples.one', { time: momentText(view.time_ms), done, of: view.rows.length })}</h2>
			<p class="desk-minor">
				{t('desk.samples.how', { frame: view.sample?.frame ?? 0 })} <code>{view.sample?.seed}</code> · <code>{view.sample?.frame_hash}</code>
			</p>
			<Table caption={t('desk.samples.title')} isCaptionHidden columns={columns} rows={view.rows} keyOf={(row) => row.person_id} />
			{open && <Result sample={view.sample_id} person={open} onClose={() => setOpen('')} reload={reload} />}
		</section>
	);
}

const OUTCOMES: QualityOutcome[] = ['QUALITY_OUTCOME_NONE', 'QUALITY_OUTCOME_GOOD', 'QUALITY_OUTCOME_PAPERS', 'QUALITY_OUTCOME_GRADE'];

interface ResultProps {
	sample: string;
	person: string;
	onClose: () => void;
	reload: () => Promise<void>;
}

function Result({ sample, person, onClose, reload }: ResultProps) {
	const [outcome, setOutcome] = useState<QualityOutcome>('QUALITY_OUTCOME_NONE');
	const [isTried, setTried] = useState(false);
	const send = async (note: string) => {
		setTried(true);
		if (outcome === 'QUALITY_OUTCOME_NONE') return document.getElementById('result-outcome')?.focus();
		await post(`${PATH}/${sample}`, { person_id: person, outcome, note });
		onClose();
		toast(t('desk.samples.written'));
		void reload();
	};
	return (
		<ReasonDialog
			id="result-note"
			title={t('desk.samples.write')}
			verb={t('desk.samples.save')}
			reason={{
				label: t('desk.samples.note'),
				hint: t('desk.samples.note-hint'),
				missing: t('common.rule.required'),
				most: TEXT_CHARACTERS_MOST,
			}}
			onSend={send}
			onClose={onClose}
		>
			<Notice kind="info">{t('desk.samples.stays')}</Notice>
			<Field
				id="result-outcome"
				label={t('desk.samples.outcome')}
				error={isTried && outcome === 'QUALITY_OUTCOME_NONE' ? t('common.rule.required') : undefined}
				isRequired
			>
				{(wiring) => (
					<Select
						wiring={wiring}
						value={outcome}
						options={OUTCOMES.map((id) => ({ id, name: t(`desk.samples.outcome.${id}`) }))}
						onChoose={(id) => setOutcome(id as QualityOutcome)}
					/>
				)}
			</Field>
		</ReasonDialog>
	);
}
