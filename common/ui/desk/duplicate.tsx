// Picks the request that another one duplicates, from the list of requests: those for the same service come first.
import { t, words } from '../src/i18n';
import { Button, Notice } from '../src/parts';
import type { CaseRow } from '../src/types';
import { useCases } from './cases';
import { stateText } from './marks';
import { requestIdFrom } from './model';
import { momentText } from './time';

interface PickerProps {
	row: CaseRow;
	chosen: string;
	onChoose: (requestId: string) => void;
}

export function DuplicatePicker({ row, chosen, onChoose }: PickerProps) {
	const list = useCases('all');
	const others = list.rows.filter((other) => other.request_id !== row.request_id);
	const rows = [
		...others.filter((other) => other.service === row.service),
		...others.filter((other) => other.service !== row.service),
	];
	const id = requestIdFrom(chosen);
	return (
		<fieldset class="group desk-picker">
			<legend>{t('desk.duplicate.pick')}</legend>
			{list.fault && <Notice kind="danger">{t('desk.failed', { text: list.fault })}</Notice>}
			{!list.isRead && !list.fault && <p>{t('desk.loading')}</p>}
			{list.isRead && <p class="desk-minor">{t(rows.length > 0 ? 'desk.duplicate.same' : 'desk.duplicate.none')}</p>}
			<div class="choices">
				{rows.map((other) => (
					<label key={other.request_id} class="choice">
						<input
							type="radio"
							name="duplicate"
							checked={other.request_id === id}
							onChange={() => onChoose(other.request_id)}
						/>
						<span>{choiceText(other)}</span>
					</label>
				))}
			</div>
			{list.hasMore && <Button onPress={() => void list.readMore()}>{t('desk.queue.more')}</Button>}
		</fieldset>
	);
}

function choiceText(row: CaseRow): string {
	return [
		row.masked_name || t('desk.no-name'),
		words(row.service_name) || row.service,
		words(row.place_name) || row.place,
		momentText(row.received_ms),
		stateText(row),
	].join(' · ');
}
