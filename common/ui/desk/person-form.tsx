// A resident's record is written: a new one, or what is to change. What is typed stays until it is saved or dropped, also when
// somebody else was faster. It lives in this page's memory, as the intake's does.
import { useState } from 'preact/hooks';
import { ApiError, post } from '../src/api';
import { t, words } from '../src/i18n';
import { announce, Button, Empty, Field, LongLine, Notice, Tab, toast } from '../src/parts';
import type { FieldFault, OtherPerson, PersonCandidate, PersonFacts, PersonStepView, PersonView } from '../src/types';
import { announcePurpose, dropPersonDraft, keepPersonDraft, keptDraft, type PersonDraft } from './people-kept';
import { personText } from './people';
import { factText, pathText, usePlaces } from './person-facts';
import { faultText, idOf, Sections, tidied } from './person-fields';
import { hrefOf } from './route';
import { useDesk } from './session';
import { PageHeading } from './shell';

export const REASON_CHARACTERS_MOST = 200;
const PATH = '/api/v1/persons';

const EMPTY: PersonFacts = {
	name: '',
	sex: 'SEX_NONE',
	birth: '',
	id_number: '',
	certificate: '',
	address: '',
	community: '',
	contacts: [],
	access: [],
	representatives: [],
	household: '',
	household_relation: '',
	income: 'INCOME_BAND_NONE',
	employment: 'EMPLOYMENT_NONE',
	benefits: [],
	devices: [],
	consents: [],
	died_on: '',
	merged_into: '',
};

const begun = (person: string, version: number, facts: PersonFacts): PersonDraft => ({
	person,
	version,
	seen: facts,
	facts,
	reason: '',
	others: [],
});

export function NewPerson() {
	return (
		<>
			<p class="desk-back">
				<Tab href={hrefOf('people')}>{t('desk.person.back')}</Tab>
			</p>
			<PersonForm
				start={keptDraft('') ?? begun('', 0, EMPTY)}
				onSaved={(person) => {
					announcePurpose(person, 'LOOK_PURPOSE_UPKEEP');
					location.hash = hrefOf('person', person);
				}}
				onDrop={() => (location.hash = hrefOf('people'))}
			/>
		</>
	);
}

interface ChangeProps {
	view: PersonView;
	facts: PersonFacts;
	person: string;
	onSaved: () => void;
	onDrop: () => void;
}

export function ChangePerson({ view, facts, person, onSaved, onDrop }: ChangeProps) {
	return <PersonForm start={keptDraft(person) ?? begun(person, view.version, facts)} onSaved={onSaved} onDrop={onDrop} />;
}

const KEYS = Object.keys(EMPTY) as (keyof PersonFacts)[];

function differing(a: PersonFacts, b: PersonFacts): (keyof PersonFacts)[] {
	return KEYS.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}

/** What was saved meanwhile is taken over, but for what was typed here. */
export function overtaken(draft: PersonDraft, version: number, newest: PersonFacts): PersonDraft {
	const mine = differing(draft.seen, draft.facts);
	const kept = Object.fromEntries(mine.map((key) => [key, draft.facts[key]]));
	return { ...draft, version, seen: newest, facts: { ...newest, ...kept } };
}

interface FormProps {
	start: PersonDraft;
	onSaved: (person: string) => void;
	onDrop: () => void;
}

interface Standing {
	faults: FieldFault[];
	candidates: PersonCandidate[];
	theirs: { keys: (keyof PersonFacts)[]; mine: (keyof PersonFacts)[]; facts: PersonFacts } | null;
	refusal: string;
}

const NOTHING: Standing = { faults: [], candidates: [], theirs: null, refusal: '' };

function usePersonForm({ start, onSaved }: FormProps) {
	const desk = useDesk();
	const [draft, setDraft] = useState(start);
	const [standing, setStanding] = useState(NOTHING);
	const [isBusy, setBusy] = useState(false);
	const change = (next: PersonDraft) => {
		if (differing(next.seen, next.facts).length > 0 || next.reason) keepPersonDraft(next);
		else dropPersonDraft(next.person);
		setDraft(next);
	};
	const show = (found: Partial<Standing>, said: string, place: string) => {
		setStanding({ ...NOTHING, ...found });
		announce(said, true);
		requestAnimationFrame(() => (document.getElementById(place) ?? document.getElementById('person-standing'))?.focus());
	};
	const faster = async () => {
		const newest = await post<PersonView>(`${PATH}/${draft.person}/look`, { purpose: 'LOOK_PURPOSE_UPKEEP' });
		if (!newest.facts) throw new ApiError('closed', 'this record was erased', 409);
		const keys = differing(draft.seen, newest.facts);
		const mine = differing(draft.seen, draft.facts);
		change(overtaken(draft, newest.version, newest.facts));
		show({ theirs: { keys, mine, facts: newest.facts } }, t('desk.person.faster'), 'person-standing');
	};
	const send = async () => {
		const facts = tidied(draft.facts);
		const { person, version, reason, others } = draft;
		const action = person ? 'PERSON_ACTION_CHANGE' : 'PERSON_ACTION_CREATE';
		const path = person ? `${PATH}/${person}` : PATH;
		const named = others.filter((other) => other.reason.trim());
		const step = await post<PersonStepView>(path, { action, version, facts, reason, others: named });
		if (step.is_saved) {
			dropPersonDraft(person);
			toast(t('desk.person.saved'));
			onSaved(step.person_id);
		} else if (step.faults.length > 0) {
			const said = t('desk.intake.faults', { count: step.faults.length });
			show({ faults: step.faults }, said, idOf(step.faults[0]!.field));
		} else show({ candidates: step.candidates }, t('desk.person.candidates'), 'person-standing');
	};
	const save = async () => {
		setBusy(true);
		try {
			await send();
		} catch (error) {
			const isFaster = error instanceof ApiError && error.code === 'conflict' && draft.person;
			try {
				if (!isFaster) throw error;
				await faster();
			} catch (last) {
				const refusal = desk.failed(last);
				show({ refusal }, refusal, 'person-standing');
			}
		}
		setBusy(false);
	};
	return { draft, change, standing, isBusy, save };
}

export function PersonForm(props: FormProps) {
	const { draft, change, standing, isBusy, save } = usePersonForm(props);
	const { places } = usePlaces();
	const { session } = useDesk();
	const title = t(draft.person ? 'desk.person.change' : 'desk.person.new');
	const here = places.filter(({ code }) => code.length === 12 && code.startsWith(session.place));
	return (
		<>
			<PageHeading title={title} />
			<form
				class="desk-intake"
				noValidate
				autoComplete="off"
				onSubmit={(event) => {
					event.preventDefault();
					if (!isBusy) void save();
				}}
			>
				<InTheWay standing={standing} draft={draft} onChange={change} />
				<Sections
					facts={draft.facts}
					faults={standing.faults}
					communities={here.map(({ code, name }) => ({ id: code, name: words(name) || code }))}
					onChange={(facts) => change({ ...draft, facts })}
				/>
				{draft.person && (
					<Field id="person-reason" label={t('desk.person.reason')} hint={t('desk.person.reason-hint')}>
						{(wiring) => (
							<LongLine
								wiring={wiring}
								rows={2}
								maxLength={REASON_CHARACTERS_MOST}
								value={draft.reason}
								onType={(reason) => change({ ...draft, reason })}
							/>
						)}
					</Field>
				)}
				<div class="actions">
					<Button kind="primary" isBusy={isBusy}>
						{t('desk.person.save')}
					</Button>
					<Button
						onPress={() => {
							dropPersonDraft(draft.person);
							props.onDrop();
						}}
					>
						{t('desk.person.drop')}
					</Button>
				</div>
			</form>
		</>
	);
}

interface InTheWayProps {
	standing: Standing;
	draft: PersonDraft;
	onChange: (draft: PersonDraft) => void;
}

/** Why it was not saved. It takes the focus, so that reading goes on here. */
function InTheWay({ standing, draft, onChange }: InTheWayProps) {
	const { faults, candidates, theirs, refusal } = standing;
	return (
		<div id="person-standing" class="desk-standing" tabIndex={-1}>
			{refusal && <Notice kind="danger">{refusal}</Notice>}
			{faults.length > 0 && (
				<Notice kind="danger" title={t('desk.intake.faults', { count: faults.length })}>
					<ul>
						{faults.map((fault) => (
							<li key={fault.field}>
								{pathText(fault.field)}: {faultText(fault)}
							</li>
						))}
					</ul>
				</Notice>
			)}
			{theirs && <Theirs theirs={theirs} />}
			{candidates.length > 0 && (
				<Notice kind="warning" title={t('desk.person.candidates')}>
					<p>{t('desk.person.candidates-text')}</p>
					{candidates.map((candidate) => (
						<Candidate
							key={candidate.row?.person_id}
							candidate={candidate}
							others={draft.others}
							onChange={(others) => onChange({ ...draft, others })}
						/>
					))}
				</Notice>
			)}
		</div>
	);
}

function Theirs({ theirs }: { theirs: NonNullable<Standing['theirs']> }) {
	const { nameOf } = usePlaces();
	const { keys, mine, facts } = theirs;
	return (
		<Notice kind="warning" title={t('desk.person.faster')}>
			<p>{t('desk.person.faster-text')}</p>
			{keys.length === 0 && <Empty>{t('desk.person.faster-nothing')}</Empty>}
			<dl class="desk-words">
				{keys.map((key) => (
					<div key={key}>
						<dt>{t(`desk.person.field.${key}`)}</dt>
						<dd class="desk-said">
							{factText(facts, key, nameOf) || t('desk.person.nothing')}{' '}
							{mine.includes(key) && <strong>{t('desk.person.faster-mine')}</strong>}
						</dd>
					</div>
				))}
			</dl>
		</Notice>
	);
}

interface CandidateProps {
	candidate: PersonCandidate;
	others: OtherPerson[];
	onChange: (others: OtherPerson[]) => void;
}

function Candidate({ candidate, others, onChange }: CandidateProps) {
	const { row } = candidate;
	if (!row) return null;
	const { person_id: person } = row;
	const agrees = (['has_id_number', 'has_name_and_birth', 'has_name_and_phone'] as const).filter((what) => candidate[what]);
	const reason = others.find((other) => other.person_id === person)?.reason ?? '';
	const say = (text: string) =>
		onChange([...others.filter((other) => other.person_id !== person), { person_id: person, reason: text }]);
	return (
		<section>
			<p class="desk-subject">{personText(row)}</p>
			<p>{t('desk.person.agrees', { what: agrees.map((what) => t(`desk.person.agrees.${what}`)).join(t('desk.list-comma')) })}</p>
			<p>
				<a class="desk-row-link" href={hrefOf('person', person)}>
					{t('desk.person.same')}
				</a>
			</p>
			<Field id={`other-${person}`} label={t('desk.person.other-reason')} hint={t('desk.person.other-hint')}>
				{(wiring) => (
					<LongLine wiring={wiring} rows={2} maxLength={REASON_CHARACTERS_MOST} value={reason} onType={say} />
				)}
			</Field>
		</section>
	);
}
