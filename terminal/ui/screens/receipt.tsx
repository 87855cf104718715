// The receipt: the code, and how far the request has come, as it happens; on paper, too, if there is a printer.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from 'ui/api';
import { t, type TextKey } from 'ui/i18n';
import { announce, Button, Notice } from 'ui/parts';
import type { Names, PrintState, SubmitView } from 'ui/types';
import { useAccess } from 'kiosk/access';
import { Failure, useTask } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { ownTimeText } from 'kiosk/notices';
import { Marks } from '../marks';
import * as server from '../server';

/** With the names of both where somebody acted for another: the terminal itself can read the request no more. */
export interface Saved extends SubmitView, Names {}

const PRINTED: Record<PrintState, TextKey> = {
	PRINT_STATE_NONE: 'kiosk.notice.no-printer',
	PRINT_STATE_PRINTED: 'kiosk.receipt.printed',
	PRINT_STATE_NO_PAPER: 'kiosk.notice.no-paper',
	PRINT_STATE_NO_ANSWER: 'kiosk.notice.no-printer',
	PRINT_STATE_BUSY: 'kiosk.receipt.printing',
};

/** The slip's state. A daemon that has not answered in time waits for the printer. */
async function printSlip({ request_id, code, name, by_name }: Saved): Promise<PrintState> {
	try {
		return (await server.print({ request_id, code, name, by_name })).state;
	} catch (e) {
		if (e instanceof ApiError && e.code === 'network') return 'PRINT_STATE_NO_ANSWER';
		throw e;
	}
}

export interface ReceiptProps extends ScreenProps {
	view: Saved;
	onDone: () => void; // the end of somebody's use
}

export function Receipt({ view, onDone, ...common }: ReceiptProps): JSX.Element {
	const task = useTask();
	const { isEasy } = useAccess();
	const [slip, setSlip] = useState<PrintState | null>(null);
	const print = () =>
		void task.run(async () => {
			setSlip(null);
			const state = await printSlip(view);
			setSlip(state);
			announce(t(PRINTED[state]));
		});
	return (
		<Frame
			{...common}
			name="receipt"
			sign="kiosk.receipt.title"
			onNext={onDone}
			actions={
				<>
					{common.state?.has_printer && (
						<Button icon="print" isBusy={task.isRunning} onPress={print}>
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
				{view.by_name && (
					<>
						<p class="said">{t('kiosk.receipt.both', { name: view.name, by_name: view.by_name })}</p>
						<p>{t('kiosk.receipt.give')}</p>
					</>
				)}
				{!isEasy && <p>{t('kiosk.receipt.time', { time: ownTimeText(common.state, view.saved_ms) })}</p>}
				{view.was_saved_before && <p>{t('kiosk.receipt.before')}</p>}
				{view.marks && <Marks marks={view.marks} />}
				<p>{t('kiosk.receipt.next')}</p>
				{slip && <Notice kind={slip === 'PRINT_STATE_PRINTED' ? 'success' : 'info'} title={t(PRINTED[slip])} />}
				<Failure code={task.failure} />
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
