// "Find a person", at the same place on every screen.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { StaffDialog } from 'kiosk/frame';
import { noticeTexts, ownTimeText } from 'kiosk/notices';
import { t, words } from 'ui/i18n';
import { Button, Dialog, Icon, More, SampleMark } from 'ui/parts';
import { Said } from 'ui/said';
import type { PointView, TerminalState } from 'ui/types';
import { Ring } from './ring';
import { Point } from './screens/points';
import { readPoints, readState } from './server';

/** Works without any link: words only. What staff need to know about this terminal stands below. */
export const Staff: StaffDialog = ({ state: known, onClose }) => {
	const [state, setState] = useState(known);
	useEffect(() => setState(known), [known]);
	useEffect(() => void readState().then(setState, () => {}), []); // what waits changes without an event
	const place = words(state?.place_name) || t('kiosk.staff.this-place');
	return (
		<Dialog
			title={t('kiosk.bar.staff')}
			onClose={onClose}
			actions={
				<Button kind="primary" icon="close" onPress={onClose}>
					{t('kiosk.close')}
				</Button>
			}
		>
			<p>{t('kiosk.staff.where', { place })}</p>
			<p>{t('kiosk.staff.how')}</p>
			<WhomToCall state={state} />
			{state && !state.is_connected && <NearestPoint />}
			{state && (
				<More name={t('kiosk.staff.details')}>
					<StaffDetails state={state} />
				</More>
			)}
			<Ring state={state} />
		</Dialog>
	);
};

/** The number to call, on every page of a bad day and behind "Find a person". */
export function WhomToCall({ state }: { state: TerminalState | null }): JSX.Element | null {
	const contact = state?.contact;
	if (!contact) return null;
	return (
		<p class="whom">
			<Icon name="person" />
			<span>
				{t('kiosk.call', { name: words(contact.name) })} <strong class="phone">{contact.phone}</strong>{' '}
				<SampleMark isSample={contact.is_sample} />
			</span>
		</p>
	);
}

/** Where there are people, if nobody can be called from here. */
export function NearestPoint(): JSX.Element | null {
	const [nearest, setNearest] = useState<PointView>();
	useEffect(() => void readPoints().then(({ points }) => setNearest(points[0]), () => {}), []); // without: the number above
	if (!nearest) return null;
	return (
		<section>
			<h3>{t('kiosk.points.nearest')}</h3>
			<Point view={nearest} />
		</section>
	);
}

export function StaffDetails({ state }: { state: TerminalState }): JSX.Element {
	const time = ownTimeText(state, state.connected_since_ms);
	return (
		<ul>
			<li>{t('kiosk.staff.place', { place: state.place })}</li>
			<li>{state.is_connected ? t('kiosk.staff.connected', { time }) : t('kiosk.staff.not-connected')}</li>
			{!state.is_connected && state.connected_since_ms !== '0' && <li>{t('kiosk.staff.since', { time })}</li>}
			{[...new Set([state.link_text, state.why_text])].filter(Boolean).map((text) => (
				<li key={text}>
					<Said text={text} />
				</li>
			))}
			{noticeTexts(state).map((text) => (
				<li key={text}>{text}</li>
			))}
			<li>{t('kiosk.staff.waiting', { count: state.waiting })}</li>
			<li>{t('kiosk.staff.storage', { percent: state.storage_percent })}</li>
			<li>{t('kiosk.staff.fingerprint', { fingerprint: state.fingerprint })}</li>
		</ul>
	);
}
