// The receipt: the code, and how far the request has come, as it happens.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Button } from 'ui/parts';
import type { SubmitView } from 'ui/types';
import { hasPrinter } from 'kiosk/display';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { ownTimeText } from 'kiosk/notices';
import { Marks } from '../marks';

export interface ReceiptProps extends ScreenProps {
	view: SubmitView;
	onDone: () => void; // the end of somebody's use
}

export function Receipt({ view, onDone, ...common }: ReceiptProps): JSX.Element {
	return (
		<Frame
			{...common}
			name="receipt"
			onNext={onDone}
			actions={
				<>
					{hasPrinter() && (
						<Button icon="print" onPress={() => window.print()}>
							{t('kiosk.receipt.print')}
						</Button>
					)}
					<Button kind="primary" icon="home">
						{t('kiosk.receipt.done')}
					</Button>
				</>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{t('kiosk.receipt.title')}</h1>
				<p class="lead">{t('kiosk.receipt.keep')}</p>
				<Code code={view.code} />
				<p>{t('kiosk.receipt.time', { time: ownTimeText(common.state, view.saved_ms) })}</p>
				{view.was_saved_before && <p>{t('kiosk.receipt.before')}</p>}
				{view.marks && <Marks marks={view.marks} />}
				<p>{t('kiosk.receipt.next')}</p>
			</div>
		</Frame>
	);
}

/** Groups of four, each a unit that a reader speaks digit by digit. */
function Code({ code }: { code: string }): JSX.Element {
	const groups = code.match(/\d{1,4}/g) ?? [];
	return (
		<p class="code">
			<span class="unseen">{t('kiosk.receipt.code', { code: [...code].join(' ') })}</span>
			<span class="code-digits" aria-hidden="true">
				{groups.map((group, i) => (
					<span key={i}>{group}</span>
				))}
			</span>
		</p>
	);
}
