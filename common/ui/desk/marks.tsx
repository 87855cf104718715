// States as icon, word and colour: the word says it, icon and colour only help to find it.
import type { ComponentChildren } from 'preact';
import { t } from '../src/i18n';
import { Icon, type IconName } from '../src/parts';
import type { CaseRow, CaseState, LinkView, Outcome } from '../src/types';

type Tone = 'calm' | 'good' | 'warn' | 'bad';

export function Mark({ icon, tone, children }: { icon: IconName; tone: Tone; children: ComponentChildren }) {
	return (
		<span class={`desk-mark desk-mark-${tone}`}>
			<Icon name={icon} />
			<span>{children}</span>
		</span>
	);
}

const STATES: Record<CaseState, [IconName, Tone]> = {
	CASE_STATE_NONE: ['info', 'warn'],
	CASE_STATE_RECEIVED: ['inbox', 'warn'],
	CASE_STATE_ACCEPTED: ['edit', 'calm'],
	CASE_STATE_ASKED: ['advice', 'calm'],
	CASE_STATE_DECIDED: ['success', 'good'],
	CASE_STATE_WITHDRAWN: ['back', 'calm'],
	CASE_STATE_DUPLICATE: ['copies', 'calm'],
};

const OUTCOMES: Record<Outcome, [IconName, Tone]> = {
	OUTCOME_NONE: ['success', 'good'],
	OUTCOME_GRANTED: ['success', 'good'],
	OUTCOME_PARTLY_GRANTED: ['info', 'warn'],
	OUTCOME_REFUSED: ['danger', 'bad'],
};

export type StateOfCase = Pick<CaseRow, 'state' | 'outcome'>;

// A decided case says what was decided; the word "decided" alone would hide it.
export function stateText({ state, outcome }: StateOfCase): string {
	if (state !== 'CASE_STATE_DECIDED' || outcome === 'OUTCOME_NONE') return t(`desk.state.${state}`);
	return t('desk.state.decided', { what: t(`desk.outcome.${outcome}`) });
}

export function StateMark({ row }: { row: StateOfCase }) {
	const [icon, tone] = row.state === 'CASE_STATE_DECIDED' ? OUTCOMES[row.outcome] : STATES[row.state];
	return (
		<Mark icon={icon} tone={tone}>
			{stateText(row)}
		</Mark>
	);
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

const LINKS: Record<LinkState, [IconName, Tone]> = {
	up: ['link', 'good'],
	unknown: ['waiting', 'warn'],
	down: ['unlinked', 'warn'],
	frozen: ['frozen', 'bad'],
	revoked: ['locked', 'bad'],
};

export function LinkMark({ state }: { state: LinkState }) {
	const [icon, tone] = LINKS[state];
	return (
		<Mark icon={icon} tone={tone}>
			{t(`desk.link.${state}`)}
		</Mark>
	);
}
