// Behind 手语: what somebody who signs can have here. Where there are no clips it says so and offers what there is.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Button, Dialog, Switch } from 'ui/parts';
import { needsOf, tellNeed, useAccess } from './access';

const OFFERED = ['ACCESS_NEED_SIGN_LANGUAGE', 'ACCESS_NEED_TEXT_ONLY'] as const;

export interface SignProps {
	onClose: () => void;
	onStaff: () => void;
}

export function SignDialog({ onClose, onStaff }: SignProps): JSX.Element {
	const needs = needsOf(useAccess());
	return (
		<Dialog
			title={t('kiosk.sign.title')}
			onClose={onClose}
			actions={
				<>
					<Button icon="person" onPress={onStaff}>
						{t('kiosk.bar.staff')}
					</Button>
					<Button kind="primary" icon="success" onPress={onClose}>
						{t('kiosk.modes.done')}
					</Button>
				</>
			}
		>
			<p>{t('kiosk.sign.none')}</p>
			<div class="ways">
				{OFFERED.map((need) => (
					<Switch key={need} isOn={needs.includes(need)} onSwitch={(isOn) => tellNeed(need, isOn)}>
						{t(`kiosk.need.${need}`)}
					</Switch>
				))}
			</div>
			<p>{t('kiosk.sign.when')}</p>
			<p class="card-to-show">{t('kiosk.sign.show')}</p>
		</Dialog>
	);
}
