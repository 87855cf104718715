// Before somebody acts for another person: what that means for both.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Button } from 'ui/parts';
import { BackAndHome } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';

export function ActingStart({ onNext, ...common }: ScreenProps & { onNext: () => void }): JSX.Element {
	return (
		<Frame
			{...common}
			name="acting"
			sign="kiosk.acting.title"
			onBack={common.onHome}
			onNext={onNext}
			actions={
				<BackAndHome onBack={common.onHome}>
					<Button kind="primary" icon="next">
						{t('kiosk.acting.begin')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{t('kiosk.acting.title')}</h1>
				<p class="lead">{t('kiosk.acting.who')}</p>
				<p class="lead">{t('kiosk.acting.receipt')}</p>
				<p class="lead">{t('kiosk.acting.staff')}</p>
			</div>
		</Frame>
	);
}
