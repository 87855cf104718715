// Nothing new can be taken: what happened, what the resident can do, whom to call; and for staff what they need to know.
import type { JSX } from 'preact';
import { t, type TextKey } from 'ui/i18n';
import { Button, More, Notice } from 'ui/parts';
import type { TerminalState } from 'ui/types';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { LanguageButton } from 'kiosk/modes';
import { NearestPoint, StaffDetails, WhomToCall } from '../staff';

type Kind = 'revoked' | 'frozen' | 'closed' | 'full' | 'no-catalogue' | 'waiting' | 'set-up';

const KINDS: Record<string, Kind> = {
	revoked: 'revoked',
	frozen: 'frozen',
	closed: 'closed',
	full: 'full',
	'no-catalogue': 'no-catalogue',
	'not-ready': 'waiting',
	'unknown-key': 'waiting',
};

const TEXTS: Record<Kind, [title: TextKey, what: TextKey, todo: TextKey]> = {
	revoked: ['kiosk.stop.revoked', 'kiosk.stop.revoked.what', 'kiosk.stop.elsewhere'],
	frozen: ['kiosk.stop.frozen', 'kiosk.stop.frozen.what', 'kiosk.stop.elsewhere'],
	closed: ['kiosk.stop.closed', 'kiosk.stop.closed.what', 'kiosk.stop.elsewhere'],
	full: ['kiosk.stop.full', 'kiosk.stop.full.what', 'kiosk.stop.later'],
	'no-catalogue': ['kiosk.stop.no-catalogue', 'kiosk.stop.no-catalogue.what', 'kiosk.stop.later'],
	waiting: ['kiosk.stop.waiting', 'kiosk.stop.waiting.what', 'kiosk.stop.later'],
	'set-up': ['kiosk.stop.set-up', 'kiosk.stop.set-up.what', 'kiosk.stop.elsewhere'],
};

const HAS_RECEIPTS: Kind[] = ['revoked', 'frozen', 'closed', 'full'];

export interface StoppedProps extends ScreenProps {
	state: TerminalState;
	hasTyped: boolean; // it is kept until the resident leaves, or the stop is over
	onLookup: () => void;
}

export function Stopped({ hasTyped, onLookup, ...common }: StoppedProps): JSX.Element {
	const { state } = common;
	const kind = KINDS[state.why_code] ?? 'set-up';
	const [title, what, todo] = TEXTS[kind];
	return (
		<Frame
			{...common}
			name={`stopped ${kind}`}
			sign={title}
			actions={
				hasTyped ? (
					<Button icon="erase" onPress={common.onHome}>
						{t('kiosk.stop.leave')}
					</Button>
				) : (
					HAS_RECEIPTS.includes(kind) && (
						<Button icon="search" onPress={onLookup}>
							{t('kiosk.start.lookup')}
						</Button>
					)
				)
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{t(title)}</h1>
				<p class="lead">{t(what)}</p>
				{hasTyped && (
					<Notice kind="info" title={t('kiosk.stop.kept')}>
						<p>{t('kiosk.stop.kept-text')}</p>
					</Notice>
				)}
				<section>
					<h2>{t('kiosk.stop.todo')}</h2>
					<p>{t(todo)}</p>
				</section>
				<WhomToCall state={state} />
				<NearestPoint />
			</div>
			<div class="touched">
				<LanguageButton />
				<More name={t('kiosk.staff.details')}>
					<StaffDetails state={state} />
				</More>
			</div>
		</Frame>
	);
}
