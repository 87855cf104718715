// A question that was sent back, and the resident's answer.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Typed } from 'ui/keyboard';
import { announce, Button, FieldNotes, LongLine, notesOf } from 'ui/parts';
import type { ReceiptView } from 'ui/types';
import { BackAndHome, Failure, useTask } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';

const LENGTH_MOST = 1000;

export interface AskedProps extends ScreenProps {
	receipt: ReceiptView;
	onBack: () => void;
	onSend: (text: string) => Promise<void>;
	isObjection?: boolean; // to the decision, instead of an answer to a question
}

export function AskedBack({ receipt, onBack, onSend, isObjection, ...common }: AskedProps): JSX.Element {
	const task = useTask();
	const [text, setText] = useState('');
	const [isEmpty, setEmpty] = useState(false);
	const about = isObjection ? 'CASE_ACTION_DECIDE' : 'CASE_ACTION_ASK';
	const question = [...receipt.statuses].reverse().find((status) => status.action === about);
	const send = () => {
		if (text.trim()) return void task.run(() => onSend(text.trim().normalize('NFC')));
		setEmpty(true);
		announce(t('common.rule.required'), true);
		document.getElementById('reply')?.focus();
	};
	const type = (typed: string) => {
		setEmpty(false);
		setText(typed);
	};
	const hint = t(isObjection ? 'kiosk.object.hint' : 'kiosk.asked.hint');
	const error = isEmpty ? t('common.rule.required') : undefined;
	return (
		<Frame
			{...common}
			name="asked"
			sign={isObjection ? 'kiosk.object.title' : 'kiosk.asked.title'}
			onBack={onBack}
			onNext={send}
			actions={
				<BackAndHome onBack={onBack} onHome={common.onHome}>
					<Button kind="primary" icon="next" isBusy={task.isRunning}>
						{t('kiosk.asked.send')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="shown">
				<h1 id="asked-title" tabIndex={-1}>
					{t(isObjection ? 'kiosk.object.title' : 'kiosk.asked.title')}
				</h1>
				<p class="lead said" id="asked-question">
					{question?.text}
				</p>
				<FieldNotes id="reply" hint={hint} error={error} />
				<Failure code={task.failure} />
			</div>
			<div class={isEmpty ? 'touched wrong' : 'touched'}>
				<Typed id="reply" value={text} maxLength={LENGTH_MOST} onType={type}>
					<LongLine
						wiring={{
							id: 'reply',
							'aria-labelledby': 'asked-title asked-question',
							'aria-describedby': notesOf('reply', hint, error),
							'aria-invalid': isEmpty || undefined,
						}}
						maxLength={LENGTH_MOST}
						value={text}
						onType={type}
					/>
				</Typed>
			</div>
		</Frame>
	);
}
