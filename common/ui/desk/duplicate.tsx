// Picks the request that another one duplicates, from the list of requests: those for the same service come first.
import { t, words } from '../src/i18n';
import { Button, Choices, Failed, Loading } from '../src/parts';
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
	const label = 'duplicate-label';
	return (
		<div class="group desk-picker">
			<p class="field-label" id={label}>
				{t('desk.duplicate.pick')}
			</p>
			{list.fault && <Failed text={list.fault} onRetry={() => void list.reload()} />}
			{!list.isRead && !list.fault && <Loading />}
			{list.isRead && <p class="desk-minor">{t(rows.length > 0 ? 'desk.duplicate.same' : 'desk.duplicate.none')}</p>}
			<Choices
				id="duplicate"
				aria-labelledby={label}
				options={rows.map((other) => ({ id: other.request_id, name: choiceText(other) }))}
				chosen={[id]}
				onChange={([other]) => other && onChoose(other)}
			/>
			{list.hasMore && <Button onPress={() => void list.readMore()}>{t('desk.queue.more')}</Button>}
		</div>
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
