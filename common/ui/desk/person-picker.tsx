// Picks a resident inside a dialog: search, then choose one of what was found.
import { t } from '../src/i18n';
import { Choices, Notice } from '../src/parts';
import { countText, personText, SearchForm, usePersonSearch } from './people';

interface PickerProps {
	id: string;
	legend: string;
	chosen: string;
	except?: string; // not offered
	isMissing: boolean; // nobody was chosen, and it was tried
	onChoose: (person: string) => void;
}

export function PersonPicker({ id, legend, chosen, except, isMissing, onChoose }: PickerProps) {
	const search = usePersonSearch(false);
	const { found } = search;
	const rows = (found?.persons ?? []).filter((row) => row.person_id !== except && !row.is_merged && !row.is_away);
	const isWrong = isMissing && !rows.some((row) => row.person_id === chosen);
	return (
		<div class="group desk-picker">
			<SearchForm id={`${id}-query`} search={search} />
			{found && !found.is_ready && <Notice kind="warning">{t('desk.people.not-ready')}</Notice>}
			{found && <p class="desk-minor">{countText({ ...found, persons: rows })}</p>}
			{isWrong && <p class="field-error">{t('desk.person.pick-missing')}</p>}
			{rows.length > 0 && (
				<Choices
					id={id}
					legend={legend}
					options={rows.map((row) => ({
						id: row.person_id,
						name: personText(row),
						...(row.is_dead && { about: t('desk.person.is.dead') }),
					}))}
					chosen={[chosen]}
					onChange={([person]) => person && onChoose(person)}
				/>
			)}
		</div>
	);
}
