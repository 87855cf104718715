// An assessor's page: what was drawn for him, and nothing else. He says first whom he is close to; opens one, which is
// written down; signs the pledge; writes down what he found, or declines and says why.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { dateText, language, t } from '../src/i18n';
import { Button, Empty, Failed, Field, Line, Loading, LongLine, Notice, Select, Table, toast, type Column } from '../src/parts';
import type { AssessmentRow, AssessmentsView, AssessmentView, CertificateCommand, CertificateFinding } from '../src/types';
import { ActDialog, kindText } from './certificate';
import { personText } from './people';
import { dayFrom } from './person-fields';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';
import { Sourced } from './sourced';
import { momentText } from './time';

const PATH = '/api/v1/assessments';
const FINDINGS_CHARACTERS_MOST = 2000;

export function Assessments() {
	const { data, fault, reload } = useLoaded<AssessmentsView>(PATH, () => false);
	const [open, setOpen] = useState('');
	return (
		<>
			<PageHeading title={t('desk.assess.title')}>
				<p class="desk-lead">{t('desk.assess.lead')}</p>
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			{data && <Declaration view={data} reload={reload} />}
			{data && (
				<section>
					<h2>{t('desk.assess.mine')}</h2>
					<div class="actions">
						<Button icon="refresh" onPress={() => void reload()}>
							{t('desk.assess.refresh')}
						</Button>
					</div>
					{data.rows.length === 0 ? <Empty>{t('desk.assess.none')}</Empty> : <Mine rows={data.rows} onOpen={setOpen} />}
				</section>
			)}
			{data && open && data.rows.some((row) => row.person_id === open) && (
				<Assessment key={open} person={open} rules={data} reload={reload} />
			)}
		</>
	);
}

function Mine({ rows, onOpen }: { rows: AssessmentRow[]; onOpen: (person: string) => void }) {
	const columns: Column<AssessmentRow>[] = [
		{ id: 'since', head: t('desk.certificate.since'), isHead: true, cell: (row) => momentText(row.since_ms) },
		{ id: 'state', head: t('desk.certificate.field.state'), cell: (row) => t(`desk.certificate.state.${row.state}`) },
		{ id: 'waits', head: t('desk.assess.waits'), cell: (row) => row.waiting > 0 && t('desk.certificate.waiting') },
		{
			id: 'open',
			head: t('desk.assess.open'),
			cell: (row) => <Button onPress={() => onOpen(row.person_id)}>{t('desk.assess.open')}</Button>,
		},
	];
	return <Table caption={t('desk.assess.mine')} isCaptionHidden columns={columns} rows={rows} keyOf={(row) => row.person_id} />;
}

/** Numbers of relatives, one a line. */
function Declaration({ view, reload }: { view: AssessmentsView; reload: () => Promise<void> }) {
	const desk = useDesk();
	const [isOpen, setOpen] = useState(!view.is_declared);
	const [own, setOwn] = useState('');
	const [relations, setRelations] = useState('');
	const [refusal, setRefusal] = useState('');
	const send = async (isOver: boolean) => {
		setRefusal('');
		try {
			await post(`${PATH}/declaration`, {
				own_number: own.trim().toUpperCase(),
				relations: relations.toUpperCase().split(/\s+/).filter(Boolean),
				is_over: isOver,
			});
			toast(t('desk.assess.declared'));
			setOpen(false);
			void reload();
		} catch (error) {
			setRefusal(desk.failed(error));
		}
	};
	return (
		<section>
			<h2>{t('desk.assess.declaration')}</h2>
			<p>{t('desk.assess.declaration-why')}</p>
			{view.is_declared && (
				<Notice kind={view.is_over ? 'warning' : 'success'}>
					{t(view.is_over ? 'desk.assess.over' : 'desk.assess.is-declared', { n: view.relations })}
				</Notice>
			)}
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			{isOpen ? (
				<form
					class="desk-form"
					noValidate
					autoComplete="off"
					onSubmit={(event) => {
						event.preventDefault();
						void send(false);
					}}
				>
					<Field id="declare-own" label={t('desk.assess.own-number')} isRequired>
						{(wiring) => <Line wiring={wiring} maxLength={18} value={own} onType={setOwn} />}
					</Field>
					<Field id="declare-relations" label={t('desk.assess.relations')} hint={t('desk.assess.relations-hint')}>
						{(wiring) => <LongLine wiring={wiring} rows={3} maxLength={700} value={relations} onType={setRelations} />}
					</Field>
					<div class="actions">
						<Button kind="primary">{t('desk.assess.declare')}</Button>
						{view.is_declared && !view.is_over && (
							<Button onPress={() => void send(true)}>{t('desk.assess.stop')}</Button>
						)}
					</div>
				</form>
			) : (
				<div class="actions">
					<Button icon="edit" onPress={() => setOpen(true)}>
						{t('desk.assess.declare-again')}
					</Button>
				</div>
			)}
		</section>
	);
}

interface AssessmentProps {
	person: string;
	rules: AssessmentsView;
	reload: () => Promise<void>;
}

function Assessment({ person, rules, reload }: AssessmentProps) {
	const desk = useDesk();
	const [view, setView] = useState<AssessmentView | null>(null);
	const [fault, setFault] = useState('');
	const [isDeclining, setDeclining] = useState(false);
	const look = async () => {
		setFault('');
		try {
			setView(await post<AssessmentView>(`${PATH}/${person}/look`, {}));
		} catch (error) {
			setFault(desk.failed(error));
		}
	};
	const send = async (command: CertificateCommand) => {
		await post(`${PATH}/${person}`, command);
		toast(t('desk.certificate.done'));
		await reload();
		await look();
	};
	if (!view)
		return (
			<section>
				<p>{t('desk.assess.look')}</p>
				{fault && <Failed text={fault} onRetry={() => void look()} />}
				<div class="actions">
					<Button kind="primary" onPress={() => void look()}>
						{t('desk.assess.look-yes')}
					</Button>
				</div>
			</section>
		);
	const { facts, expected, person: row } = view;
	return (
		<section>
			<h2>{t('desk.assess.one')}</h2>
			{row && <p class="desk-subject">{personText(row)}</p>}
			{facts?.note && <p class="desk-said">{facts.note}</p>}
			{facts?.number && <p class="desk-said">{`${facts.number} · ${kindText(facts.category, facts.grade)}`}</p>}
			{view.waiting > 0 && <Notice kind="info">{t('desk.certificate.waiting')}</Notice>}
			{expected === 'CERTIFICATE_STATE_DRAWN' && <Pledge rules={rules} onSign={() => send({ act: 'CERTIFICATE_ACT_PLEDGE' })} />}
			{expected === 'CERTIFICATE_STATE_PLEDGED' && (
				<Finding onSend={(finding) => send({ act: 'CERTIFICATE_ACT_ASSESS', finding })} />
			)}
			{(expected === 'CERTIFICATE_STATE_DRAWN' || expected === 'CERTIFICATE_STATE_PLEDGED') && (
				<div class="actions">
					<Button onPress={() => setDeclining(true)}>{t('desk.certificate.act.CERTIFICATE_ACT_DECLINE')}</Button>
				</div>
			)}
			{expected === 'CERTIFICATE_STATE_ASSESSED' && <p>{t('desk.certificate.state.CERTIFICATE_STATE_ASSESSED')}</p>}
			{isDeclining && (
				<ActDialog
					act="CERTIFICATE_ACT_DECLINE"
					isRecheck={false}
					onClose={() => setDeclining(false)}
					onSend={async (command) => {
						await send(command);
						setDeclining(false);
					}}
				/>
			)}
		</section>
	);
}

/** The Chinese words are those that are signed. */
function Pledge({ rules, onSign }: { rules: AssessmentsView; onSign: () => Promise<void> }) {
	const desk = useDesk();
	const [refusal, setRefusal] = useState('');
	return (
		<section>
			<h3>{t('desk.assess.pledge')}</h3>
			<p class="desk-said" lang="zh-CN">
				{rules.pledge?.zh}
			</p>
			{language() === 'en' && <p>{rules.pledge?.en}</p>}
			<p class="desk-minor">{t('desk.assess.revision', { n: rules.revision })}</p>
			<Sourced facts={rules.basis} />
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<div class="actions">
				<Button kind="primary" onPress={() => void onSign().catch((error: unknown) => setRefusal(desk.failed(error)))}>
					{t('desk.assess.sign')}
				</Button>
			</div>
		</section>
	);
}

const CATEGORIES = [1, 2, 3, 4, 5, 6, 7] as const;
const GRADES = [1, 2, 3, 4] as const;

function Finding({ onSend }: { onSend: (finding: CertificateFinding) => Promise<void> }) {
	const desk = useDesk();
	const [typed, setTyped] = useState({ category: '', grade: '', findings: '', recheck_on: '' });
	const [isTried, setTried] = useState(false);
	const [refusal, setRefusal] = useState('');
	const set = (some: Partial<typeof typed>) => setTyped({ ...typed, ...some });
	const missing = (key: 'category' | 'grade' | 'findings') => (isTried && !typed[key].trim() ? t('common.rule.required') : undefined);
	const send = async () => {
		setTried(true);
		setRefusal('');
		const first = (['category', 'grade', 'findings'] as const).find((key) => !typed[key].trim());
		if (first) return document.getElementById(`finding-${first}`)?.focus();
		try {
			await onSend({
				category: Number(typed.category),
				grade: Number(typed.grade),
				findings: typed.findings.trim(),
				recheck_on: dayFrom(typed.recheck_on),
			});
		} catch (error) {
			setRefusal(desk.failed(error));
		}
	};
	const choose = [{ id: '', name: t('desk.person.choose') }];
	return (
		<form
			class="desk-form"
			noValidate
			autoComplete="off"
			onSubmit={(event) => {
				event.preventDefault();
				void send();
			}}
		>
			<h3>{t('desk.certificate.act.CERTIFICATE_ACT_ASSESS')}</h3>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<Field id="finding-category" label={t('desk.assess.category')} error={missing('category')} isRequired>
				{(wiring) => (
					<Select
						wiring={wiring}
						value={typed.category}
						options={[...choose, ...CATEGORIES.map((n) => ({ id: `${n}`, name: t(`desk.certificate.category.${n}`) }))]}
						onChoose={(category) => set({ category })}
					/>
				)}
			</Field>
			<Field id="finding-grade" label={t('desk.assess.grade')} error={missing('grade')} isRequired>
				{(wiring) => (
					<Select
						wiring={wiring}
						value={typed.grade}
						options={[...choose, ...GRADES.map((n) => ({ id: `${n}`, name: t('desk.certificate.grade', { n }) }))]}
						onChoose={(grade) => set({ grade })}
					/>
				)}
			</Field>
			<Field id="finding-findings" label={t('desk.certificate.field.finding')} error={missing('findings')} isRequired>
				{(wiring) => (
					<LongLine
						wiring={wiring}
						rows={4}
						maxLength={FINDINGS_CHARACTERS_MOST}
						value={typed.findings}
						onType={(findings) => set({ findings })}
					/>
				)}
			</Field>
			<Field
				id="finding-recheck_on"
				label={t('desk.certificate.field.recheck_on')}
				hint={t('desk.assess.recheck-hint', { day: dateText('2028-11-22') })}
			>
				{(wiring) => <Line wiring={wiring} value={typed.recheck_on} onType={(recheck_on) => set({ recheck_on })} />}
			</Field>
			<div class="actions">
				<Button kind="primary">{t('desk.assess.send')}</Button>
			</div>
		</form>
	);
}
