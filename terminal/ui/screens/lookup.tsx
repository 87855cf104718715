// Look up a receipt: the code is keyed in with the digits on the screen or a keyboard.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Keypad } from 'ui/keypad';
import { announce, Button, FieldNotes, Line, notesOf } from 'ui/parts';
import { isReceiptCode } from 'ui/rules';
import { BackAndHome, Failure, useTask } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';

const DIGITS = 12;

export function Lookup({
	onFind,
	...common
}: ScreenProps & { onFind: (code: string) => Promise<void> }): JSX.Element {
	const task = useTask();
	const [code, setCode] = useState('');
	const [isWrong, setWrong] = useState(false);
	const set = (text: string) => {
		setWrong(false);
		setCode(text.replace(/\D/g, '').slice(0, DIGITS));
	};
	const find = () => {
		if (isReceiptCode(code)) return void task.run(() => onFind(code));
		setWrong(true);
		announce(t('kiosk.lookup.wrong'), true);
		document.getElementById('code')?.focus();
	};
	const error = isWrong ? t('kiosk.lookup.wrong') : undefined;
	return (
		<Frame
			{...common}
			name="lookup"
			sign="kiosk.lookup.title"
			onBack={common.onHome}
			onNext={find}
			actions={
				<BackAndHome onBack={common.onHome}>
					<Button kind="primary" icon="search" isBusy={task.isRunning}>
						{task.isRunning ? t('kiosk.lookup.searching') : t('kiosk.lookup.find')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="shown">
				<h1 id="lookup-title" tabIndex={-1}>
					{t('kiosk.lookup.title')}
				</h1>
				<FieldNotes id="code" hint={t('kiosk.lookup.hint')} error={error} />
				<Failure code={task.failure} />
			</div>
			<div class={error ? 'touched wrong' : 'touched'}>
				<Line
					class="digits"
					wiring={{
						id: 'code',
						'aria-labelledby': 'lookup-title',
						'aria-describedby': notesOf('code', t('kiosk.lookup.hint'), error),
						'aria-invalid': error ? true : undefined,
					}}
					inputMode="numeric"
					value={code.replace(/(\d{4})(?=\d)/g, '$1 ')}
					onType={set}
				/>
				<Keypad onKey={(key) => set(code + key)} onErase={() => set(code.slice(0, -1))} />
			</div>
		</Frame>
	);
}
