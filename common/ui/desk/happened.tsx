// What happened to a case: events of the offices and words of the resident.
import { shownText } from '../src/form';
import { t, words } from '../src/i18n';
import { Chip } from '../src/parts';
import type { AskView, EventView, Rating } from '../src/types';
import { FileAnswer } from './files';
import { hrefOf } from './route';
import { momentText } from './time';

interface HappenedProps {
	requestId: string;
	events: EventView[];
}

export function Happened({ requestId, events, asks }: HappenedProps & { asks: AskView[] }) {
	return (
		<>
			{events.length > 0 && <Timeline {...{ requestId, events }} />}
			{asks.length > 0 && <Asks asks={asks} />}
		</>
	);
}

export function Timeline({ requestId, events }: HappenedProps) {
	const isReferred = events.some(({ action }) => action === 'CASE_ACTION_REFER');
	return (
		<ol class="desk-timeline">
			{events.map((event) => (
				<li key={event.version}>
					<p>
						<strong>{eventText(event)}</strong>{' '}
						<span class="desk-minor">
							{momentText(event.time_ms)} · {[isReferred ? words(event.place_name) : t(`desk.tier.${event.by_tier}`), event.staff].filter(Boolean).join(' ')}
						</span>
					</p>
					{isByItself(event) && <p>{t('desk.event.not-taken')}</p>}
					{event.is_absent ? <p>{t('desk.event.absent')}</p> : <EventWords {...{ requestId, event }} />}
				</li>
			))}
		</ol>
	);
}

/** Nobody accepted it in time. */
function isByItself(event: EventView): boolean {
	return event.action === 'CASE_ACTION_HAND_OVER' && !event.staff && !event.is_absent;
}

function eventText(event: EventView): string {
	const action = t(`desk.event.${event.action}`);
	if (event.outcome !== 'OUTCOME_NONE')
		return t('desk.event.with', { action, what: t(`desk.outcome.${event.outcome}`) });
	if (event.action === 'CASE_ACTION_HAND_OVER')
		return t('desk.event.with', { action, what: t(`desk.tier.${event.owner}`) });
	if (event.action === 'CASE_ACTION_RATE') return t('desk.event.with', { action, what: ratingText(event.rating) });
	if (event.action === 'CASE_ACTION_REFER') return t('desk.event.with', { action, what: words(event.town_name) });
	return action;
}

/** What a resident said of how it went; without: it came when that was open again. */
export function ratingText(rating: Rating): string {
	return rating === 'RATING_NONE' ? t('desk.rating.not-counted') : t(`desk.rating.${rating}`);
}

function EventWords({ requestId, event }: { requestId: string; event: EventView }) {
	const parts = (['text', 'ground', 'remedy', 'note'] as const).filter((part) => event[part]);
	if (parts.length === 0 && event.fields.length === 0 && !event.duplicate_of && !event.proposed_by) return null;
	return (
		<dl class="desk-words">
			{parts.map((part) => (
				<div key={part} class={part === 'note' ? 'desk-note' : undefined}>
					<dt>{t(`desk.label.${part}`)}</dt>
					<dd class="desk-said">{event[part]}</dd>
				</div>
			))}
			{event.fields.map((field) => (
				<div key={field.id}>
					<dt>{words(field.label)}</dt>
					<dd class="desk-said">
						{field.file_types.length > 0 ? (
							<FileAnswer requestId={requestId} version={event.version} field={field.id} label={words(field.label)} />
						) : (
							shownText(field)
						)}
					</dd>
				</div>
			))}
			{event.proposed_by && (
				<div>
					<dt>{t('desk.event.proposed-by')}</dt>
					<dd>{event.proposed_by}</dd>
				</div>
			)}
			{event.duplicate_of && (
				<div>
					<dt>{t('desk.event.duplicate-of')}</dt>
					<dd>
						<a href={hrefOf('case', event.duplicate_of)}>
							<code>{event.duplicate_of}</code>
						</a>
					</dd>
				</div>
			)}
		</dl>
	);
}

export function Asks({ asks }: { asks: AskView[] }) {
	return (
		<ol class="desk-timeline">
			{asks.map((ask, at) => (
				<li key={at}>
					<p>
						<strong>{askTitle(ask)}</strong>{' '}
						<span class="desk-minor">{momentText(ask.time_ms)}</span>{' '}
						<Chip icon={ask.is_answered ? 'success' : 'waiting'} kind={ask.is_answered ? 'success' : 'warning'}>
							{t(ask.is_answered ? 'desk.ask.answered' : 'desk.ask.waiting')}
						</Chip>
					</p>
					<p class="desk-said">{askText(ask)}</p>
				</li>
			))}
		</ol>
	);
}

function askTitle({ kind }: AskView): string {
	if (kind === 'KIND_OBJECT' || kind === 'KIND_RATE') return t(`desk.ask.${kind}`);
	return t(kind === 'KIND_WITHDRAW' ? 'desk.ask.KIND_WITHDRAW' : 'desk.ask.KIND_ANSWER');
}

function askText(ask: AskView): string {
	if (ask.is_absent) return t('desk.ask.absent');
	if (ask.is_unwanted) return t('desk.ask.unwanted');
	if (ask.kind === 'KIND_RATE') return ratingText(ask.rating);
	return ask.text || t('desk.ask.no-text');
}
