// "Find a person", at the same place on every screen.
import { useEffect, useState } from 'preact/hooks';
import type { StaffDialog } from 'kiosk/frame';
import { t, timeText, words } from 'ui/i18n';
import { Button, Dialog, More } from 'ui/parts';
import { readState } from './server';

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
			{state && (
				<More name={t('kiosk.staff.details')}>
					<ul>
						<li>{t('kiosk.staff.place', { place: state.place })}</li>
						<li>
							{state.is_connected
								? t('kiosk.staff.connected', { time: timeText(state.connected_since_ms) })
								: t('kiosk.staff.not-connected')}
						</li>
						{state.link_text && <li>{state.link_text}</li>}
						{state.why_text && <li>{state.why_text}</li>}
						<li>{t('kiosk.staff.waiting', { count: state.waiting })}</li>
						<li>{t('kiosk.staff.storage', { percent: state.storage_percent })}</li>
						<li>{t('kiosk.staff.fingerprint', { fingerprint: state.fingerprint })}</li>
					</ul>
				</More>
			)}
		</Dialog>
	);
};
