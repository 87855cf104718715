// One resident's record. Nobody sees it without having said why: the purpose is written down before the record is sent.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, post } from '../src/api';
import { t } from '../src/i18n';
import { announce, Button, Choices, Failed, Loading, Notice, Tab } from '../src/parts';
import type { LookPurpose, PersonRow, PersonView } from '../src/types';
import { personText } from './people';
import { keptDraft, rowOf, takePurpose } from './people-kept';
import { ChangePerson } from './person-form';
import { valueText } from './person-facts';
import { Record } from './record';
import { hrefOf } from './route';
import { useDesk } from './session';
import { PageHeading } from './shell';

/** The JSON mapping may leave a message out; a record without its row cannot be shown. */
export type KnownPerson = PersonView & { row: PersonRow };

const PURPOSES = [
	'LOOK_PURPOSE_CASE',
	'LOOK_PURPOSE_CALL',
	'LOOK_PURPOSE_VISIT',
	'LOOK_PURPOSE_UPKEEP',
	'LOOK_PURPOSE_CHECK',
] as const;

interface Looking {
	view: KnownPerson | null;
	purpose: LookPurpose;
	fault: string;
	isStale: boolean; // it has changed since
	looks: number;
	look: (purpose: LookPurpose) => Promise<void>;
}

// Reading again is another look, so news of others only says that there is news.
function useLook(person: string): Looking {
	const desk = useDesk();
	const [view, setView] = useState<KnownPerson | null>(null);
	const [fault, setFault] = useState('');
	const [isStale, setStale] = useState(false);
	const [purpose, setPurpose] = useState<LookPurpose>('LOOK_PURPOSE_NONE');
	const [looks, setLooks] = useState(0);
	const latest = useRef(0);
	const look = useCallback(
		async (why: LookPurpose) => {
			const turn = ++latest.current;
			setFault('');
			setPurpose(why);
			try {
				const next = await post<PersonView>(`/api/v1/persons/${person}/look`, { purpose: why });
				if (turn !== latest.current) return;
				setView(next.row ? { ...next, row: next.row } : null);
				setStale(false);
				setLooks(turn);
			} catch (error) {
				const text = desk.failed(error);
				if (turn !== latest.current) return;
				setFault(text);
				if (error instanceof ApiError && error.code === 'not-found') setView(null); // it was erased meanwhile
			}
		},
		[person, desk.failed],
	);
	useEffect(() => {
		const why = takePurpose(person);
		if (why !== 'LOOK_PURPOSE_NONE') void look(why);
		return () => void latest.current++;
	}, []);
	useEffect(
		() =>
			desk.hear((name, event) => {
				if (name === 'persons' && (event as { person_id: string }).person_id === person) setStale(true);
			}),
		[person, desk.hear],
	);
	return { view, purpose, fault, isStale, looks, look };
}

export function PersonPage({ person }: { person: string }) {
	const { view, purpose, fault, isStale, looks, look } = useLook(person);
	const [isChanging, setChanging] = useState(() => keptDraft(person) !== undefined);
	const again = () => look(purpose);
	const isAsked = purpose !== 'LOOK_PURPOSE_NONE';
	if (view?.facts && view.is_ours && isChanging)
		return (
			<ChangePerson
				{...{ view, person }}
				facts={view.facts}
				onSaved={() => {
					setChanging(false);
					void again();
				}}
				onDrop={() => setChanging(false)}
			/>
		);
	return (
		<>
			<p class="desk-back">
				<Tab href={hrefOf('people')}>{t('desk.person.back')}</Tab>
			</p>
			{fault && <Failed text={fault} onRetry={() => void again()} />}
			{view ? (
				<Record
					key={view.row.person_id}
					view={view}
					purpose={purpose}
					news={isStale && <News onRead={() => void again()} />}
					onChange={() => setChanging(true)}
					looks={looks}
					reload={again}
				/>
			) : (
				<>
					<PageHeading title={t('desk.person.title')} />
					{!isAsked && <Gate person={person} onSay={(why) => void look(why)} />}
					{isAsked && !fault && <Loading />}
				</>
			)}
		</>
	);
}

function News({ onRead }: { onRead: () => void }) {
	return (
		<Notice kind="warning" title={t('desk.person.stale')}>
			<Button icon="refresh" onPress={onRead}>
				{t('desk.person.read-again')}
			</Button>
		</Notice>
	);
}

function Gate({ person, onSay }: { person: string; onSay: (purpose: LookPurpose) => void }) {
	const [purpose, setPurpose] = useState<LookPurpose>('LOOK_PURPOSE_NONE');
	const [isMissing, setMissing] = useState(false);
	const row = rowOf(person);
	const isSaid = purpose !== 'LOOK_PURPOSE_NONE';
	return (
		<form
			class="desk-form desk-gate"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				if (isSaid) return onSay(purpose);
				setMissing(true);
				announce(t('desk.person.purpose-missing'), true);
				document.querySelector<HTMLElement>('#look-purpose input')?.focus();
			}}
		>
			{row && <p class="desk-subject">{personText(row)}</p>}
			<Choices
				id="look-purpose"
				legend={t('desk.person.purpose')}
				hint={t('desk.person.purpose-hint')}
				error={isMissing && !isSaid ? t('desk.person.purpose-missing') : undefined}
				options={PURPOSES.map((id) => ({ id, name: valueText(id) }))}
				chosen={[purpose]}
				onChange={([chosen]) => setPurpose(chosen as LookPurpose)}
			/>
			<div class="actions">
				<Button kind="primary">{t('desk.person.open')}</Button>
			</div>
		</form>
	);
}
