// Whose request a case is: staff say so, and it stands in that resident's record. The resident is told nothing of it.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t } from '../src/i18n';
import { Button, Notice, toast } from '../src/parts';
import type { CaseRow } from '../src/types';
import type { KnownCase } from './model';
import { PersonMarks, personText } from './people';
import { PersonPicker } from './person-picker';
import { ReasonDialog } from './reason';
import { hrefOf } from './route';
import { useDesk } from './session';

type Doing = 'say' | 'nobody';

export function Whose({ view, reload }: { view: KnownCase; reload: () => Promise<void> }) {
	const { session } = useDesk();
	const [doing, setDoing] = useState<Doing | null>(null);
	const { row, person } = view;
	const canSay = session.tier === 'TIER_TOWN' && row.is_ours && !view.erasure?.is_done;
	if (!person && !canSay) return null;
	return (
		<section>
			<h2>{t('desk.whose.title')}</h2>
			{row.person_died && (
				<Notice kind="warning" title={t('desk.whose.died')}>
					{t('desk.whose.died-text')}
				</Notice>
			)}
			{person ? (
				<p>
					<a class="desk-row-link" href={hrefOf('person', person.person_id)}>
						{personText(person)}
					</a>{' '}
					<PersonMarks row={person} />
				</p>
			) : (
				<p>{t('desk.whose.none')}</p>
			)}
			{canSay && (
				<div class="actions">
					<Button icon="person" onPress={() => setDoing('say')}>
						{t(person ? 'desk.whose.other' : 'desk.whose.say')}
					</Button>
					{person && <Button onPress={() => setDoing('nobody')}>{t('desk.whose.nobody')}</Button>}
				</div>
			)}
			{doing && <Say row={row} doing={doing} reload={reload} onClose={() => setDoing(null)} />}
		</section>
	);
}

interface SayProps {
	row: CaseRow;
	doing: Doing;
	reload: () => Promise<void>;
	onClose: () => void;
}

function Say({ row, doing, reload, onClose }: SayProps) {
	const [chosen, setChosen] = useState('');
	const [isMissing, setMissing] = useState(false);
	const isNobody = doing === 'nobody';
	const send = async () => {
		if (!isNobody && !chosen) {
			setMissing(true);
			document.getElementById('whose-person-query')?.focus();
			return;
		}
		const command = { action: 'CASE_ACTION_CONFIRM_PERSON', version: row.version, person_id: chosen };
		try {
			await post<CaseRow>(`/api/v1/cases/${row.request_id}/actions`, command);
			onClose();
			toast(t(isNobody ? 'desk.whose.toast-nobody' : 'desk.whose.toast-said'));
		} finally {
			void reload(); // also when somebody was faster
		}
	};
	return (
		<ReasonDialog
			id="whose"
			title={t(isNobody ? 'desk.whose.nobody' : 'desk.whose.say')}
			verb={t(isNobody ? 'desk.whose.nobody-verb' : 'desk.whose.confirm')}
			onSend={send}
			onClose={onClose}
		>
			<p class="desk-subject">{row.masked_name || t('desk.no-name')}</p>
			<p>{t(isNobody ? 'desk.whose.nobody-means' : 'desk.whose.means')}</p>
			{!isNobody && (
				<PersonPicker
					id="whose-person"
					legend={t('desk.whose.title')}
					chosen={chosen}
					isMissing={isMissing}
					onChoose={setChosen}
				/>
			)}
		</ReasonDialog>
	);
}
