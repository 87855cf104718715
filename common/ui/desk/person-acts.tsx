// What becomes of a resident's record: a death and its correction, a move to another town, two records of one person. Each
// with a reason, in the one dialog.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, words } from '../src/i18n';
import { Button, Field, Line, Select, toast } from '../src/parts';
import type { PersonCommand, PersonStepView } from '../src/types';
import type { KnownPerson } from './person';
import { dayFrom } from './person-fields';
import { personText } from './people';
import { PersonPicker } from './person-picker';
import { usePlaces } from './person-facts';
import { REASON_CHARACTERS_MOST } from './person-form';
import { ReasonDialog } from './reason';
import { useDesk } from './session';

type Act = 'DEATH' | 'DEATH_MISTAKEN' | 'HAND_OVER' | 'MERGE' | 'SPLIT';

/** The daemon decides again; this keeps impossible acts off the page. */
function actsOf({ row, facts }: KnownPerson): Act[] {
	if (!facts) return [];
	if (row.is_merged) return ['SPLIT'];
	return row.is_dead ? ['DEATH_MISTAKEN', 'MERGE', 'HAND_OVER'] : ['DEATH', 'MERGE', 'HAND_OVER'];
}

interface ActsProps {
	view: KnownPerson;
	reload: () => Promise<void>;
}

export function Acts({ view, reload }: ActsProps) {
	const [act, setAct] = useState<Act | null>(null);
	return (
		<>
			{actsOf(view).map((one) => (
				<Button key={one} onPress={() => setAct(one)}>
					{t(`desk.person.act.${one}`)}
				</Button>
			))}
			{act && <ActDialog key={act} act={act} view={view} reload={reload} onClose={() => setAct(null)} />}
		</>
	);
}

type Typed = Required<Pick<PersonCommand, 'died_on' | 'town' | 'merged_into'>>;
const NEEDED: Partial<Record<Act, [keyof Typed, string]>> = {
	DEATH: ['died_on', 'act-died_on'],
	HAND_OVER: ['town', 'act-town'],
	MERGE: ['merged_into', 'act-person-query'],
};

interface DialogProps extends ActsProps {
	act: Act;
	onClose: () => void;
}

function ActDialog({ act, view, reload, onClose }: DialogProps) {
	const { row, version } = view;
	const [typed, setTyped] = useState<Typed>({ died_on: '', town: '', merged_into: '' });
	const [isTried, setTried] = useState(false);
	const [part, place] = NEEDED[act] ?? [];
	const isMissing = isTried && part !== undefined && !typed[part].trim();
	const set = (some: Partial<Typed>) => setTyped({ ...typed, ...some });
	const send = async (reason: string) => {
		setTried(true);
		if (part && !typed[part].trim()) return document.getElementById(place!)?.focus();
		const command: PersonCommand = { action: `PERSON_ACTION_${act}`, version, reason };
		if (part) command[part] = part === 'died_on' ? dayFrom(typed.died_on) : typed[part];
		await post<PersonStepView>(`/api/v1/persons/${row.person_id}`, command);
		onClose();
		toast(t('desk.person.saved'));
		void reload();
	};
	return (
		<ReasonDialog
			id="act-reason"
			title={t(`desk.person.act.${act}`)}
			verb={t(`desk.person.act.${act}`)}
			isDanger={act === 'DEATH'}
			reason={{
				label: t('desk.person.act.reason'),
				hint: t('desk.person.act.reason-hint'),
				missing: t('desk.person.act.reason-missing'),
				most: REASON_CHARACTERS_MOST,
			}}
			onSend={send}
			onClose={onClose}
		>
			<p class="desk-subject">{personText(row)}</p>
			<p>{t(`desk.person.act.means.${act}`)}</p>
			{act === 'DEATH' && (
				<Field
					id="act-died_on"
					label={t('desk.person.field.died_on')}
					hint={t('desk.person.day-hint')}
					error={isMissing ? t('common.rule.required') : undefined}
					isRequired
				>
					{(wiring) => <Line wiring={wiring} value={typed.died_on} onType={(text) => set({ died_on: text })} />}
				</Field>
			)}
			{act === 'HAND_OVER' && (
				<Towns
					id="act-town"
					town={typed.town}
					error={isMissing ? t('common.rule.required') : undefined}
					onChoose={(town) => set({ town })}
				/>
			)}
			{act === 'MERGE' && (
				<PersonPicker
					id="act-person"
					legend={t('desk.person.act.into')}
					chosen={typed.merged_into}
					except={row.person_id}
					isMissing={isMissing}
					onChoose={(person) => set({ merged_into: person })}
				/>
			)}
		</ReasonDialog>
	);
}

const TOWN_DIGITS = 9;

interface TownsProps {
	id: string;
	town: string;
	error?: string;
	onChoose: (town: string) => void;
}

/** Another town than this one. */
export function Towns({ id, town, error, onChoose }: TownsProps) {
	const { session } = useDesk();
	const { places } = usePlaces();
	const others = places.filter(({ code }) => code.length === TOWN_DIGITS && code !== session.place);
	return (
		<Field
			id={id}
			label={t('desk.person.act.town')}
			error={error}
			isRequired
		>
			{(wiring) => (
				<Select
					wiring={wiring}
					value={town}
					options={[
						{ id: '', name: t('desk.person.choose') },
						...others.map(({ code, name }) => ({ id: code, name: words(name) || code })),
					]}
					onChoose={onChoose}
				/>
			)}
		</Field>
	);
}
