// States as icon, word and colour: the word says it, icon and colour only help to find it.
import { t, timeText, words } from '../src/i18n';
import { Chip, type IconName, type NoticeKind } from '../src/parts';
import type { CaseRow, CaseState, LinkView, Outcome } from '../src/types';

const STATES: Record<CaseState, [IconName, NoticeKind]> = {
	CASE_STATE_NONE: ['info', 'warning'],
	CASE_STATE_RECEIVED: ['inbox', 'warning'],
	CASE_STATE_ACCEPTED: ['edit', 'info'],
	CASE_STATE_ASKED: ['advice', 'info'],
	CASE_STATE_DECIDED: ['success', 'success'],
	CASE_STATE_WITHDRAWN: ['back', 'info'],
	CASE_STATE_DUPLICATE: ['copies', 'info'],
	CASE_STATE_PROPOSED: ['waiting', 'warning'],
	CASE_STATE_OBJECTED: ['warning', 'warning'],
};

const OUTCOMES: Record<Outcome, [IconName, NoticeKind]> = {
	OUTCOME_NONE: ['success', 'success'],
	OUTCOME_GRANTED: ['success', 'success'],
	OUTCOME_PARTLY_GRANTED: ['info', 'warning'],
	OUTCOME_REFUSED: ['danger', 'danger'],
};

export type StateOfCase = Pick<CaseRow, 'state' | 'outcome'>;

// A decided case says what was decided; the word "decided" alone would hide it.
export function stateText({ state, outcome }: StateOfCase): string {
	if (state !== 'CASE_STATE_DECIDED' || outcome === 'OUTCOME_NONE') return t(`desk.state.${state}`);
	return t('desk.state.decided', { what: t(`desk.outcome.${outcome}`) });
}

export function StateMark({ row }: { row: StateOfCase }) {
	const [icon, kind] = row.state === 'CASE_STATE_DECIDED' ? OUTCOMES[row.outcome] : STATES[row.state];
	return (
		<Chip icon={icon} kind={kind}>
			{stateText(row)}
		</Chip>
	);
}

/** Who has it: a tier, or the town that it was referred to. */
export function ownerText(row: CaseRow): string {
	return row.referred_to && !row.is_ours ? words(row.referred_name) : t(`desk.tier.${row.owner}`);
}

/** Whether a case that was handed over or referred is accepted; nothing where nobody waits for that. */
export function HandedMark({ row }: { row: CaseRow }) {
	return (
		<>
			<ReferredMark row={row} />
			<WaitsMark row={row} />
		</>
	);
}

function ReferredMark({ row }: { row: CaseRow }) {
	if (!row.referred_to) return null;
	const told = { town: words(row.referred_name), time: timeText(Number(row.referred_ms)) };
	return (
		<Chip icon="next" kind="info">
			{t(row.is_ours ? 'desk.referred.from' : 'desk.referred.to', told)}
		</Chip>
	);
}

function WaitsMark({ row }: { row: CaseRow }) {
	if (row.handed === 'HANDED_OVER_NO' || (row.handed === 'HANDED_OVER_CAME_BACK' && !row.is_ours)) return null;
	return (
		<Chip icon={row.is_ours ? 'warning' : 'waiting'} kind={row.is_ours ? 'warning' : 'info'}>
			{handedText(row)}
		</Chip>
	);
}

function handedText(row: CaseRow): string {
	if (row.handed === 'HANDED_OVER_CAME_BACK') return t('desk.handed.came-back');
	if (!row.is_ours) return t(row.is_on_its_way ? 'desk.handed.on-its-way' : 'desk.handed.not-taken');
	if (row.take_by_ms === '0') return t('desk.handed.to-us');
	return t('desk.handed.to-us-until', { time: timeText(Number(row.take_by_ms) - 60_000) });
}

export type LinkState = 'revoked' | 'frozen' | 'up' | 'unknown' | 'down';

// What a person has to know first: revoked before frozen, frozen before down. What only a town can tell, and its town is
// out of reach, is not known: that is not the same as down.
export function linkState(link: LinkView, all: readonly LinkView[]): LinkState {
	if (link.is_revoked) return 'revoked';
	if (link.is_frozen) return 'frozen';
	if (link.is_up) return 'up';
	const town = all.find((other) => other.is_direct && other.tier === 'TIER_TOWN' && link.place.startsWith(other.place));
	return !link.is_direct && !town?.is_up ? 'unknown' : 'down';
}

const LINKS: Record<LinkState, [IconName, NoticeKind]> = {
	up: ['link', 'success'],
	unknown: ['waiting', 'warning'],
	down: ['unlinked', 'warning'],
	frozen: ['frozen', 'danger'],
	revoked: ['locked', 'danger'],
};

export function LinkMark({ state }: { state: LinkState }) {
	const [icon, kind] = LINKS[state];
	return (
		<Chip icon={icon} kind={kind}>
			{t(`desk.link.${state}`)}
		</Chip>
	);
}
