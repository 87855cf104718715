// A new terminal that waits for the district: it shows its fingerprint, and staff type in the token they are given.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { t, type TextKey } from 'ui/i18n';
import { announce, Button, FieldNotes, Line, notesOf, Notice } from 'ui/parts';
import { Failure, useTask } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { Said } from 'ui/said';
import type { TerminalState } from 'ui/types';
import { join } from '../server';
import { WhomToCall } from '../staff';

const KEYS = [...'0123456789ABCDEFGHJKMNPQRSTVWXYZ']; // no I, L, O, U: they look like others
const CHARACTERS = 20;

const STEPS: Record<string, TextKey> = {
	token: 'kiosk.join.at.token',
	asking: 'kiosk.join.at.asking',
	unanswered: 'kiosk.join.at.unanswered',
	refused: 'kiosk.join.at.refused',
};

/** As common/base/token.c: the last character tells whether one of the others is wrong. */
function isToken(token: string): boolean {
	let state = KEYS.length;
	for (const character of token.slice(0, -1)) {
		const sum = (state + KEYS.indexOf(character)) % KEYS.length || KEYS.length;
		state = (2 * sum) % (KEYS.length + 1);
	}
	const check = KEYS[(KEYS.length + 1 - state) % KEYS.length];
	return token.length === CHARACTERS && token.at(-1) === check;
}

function plain(text: string): string {
	const alike = text.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
	return [...alike].filter((character) => KEYS.includes(character)).slice(0, CHARACTERS).join('');
}

export function Join({ state, ...common }: ScreenProps & { state: TerminalState }): JSX.Element {
	const task = useTask();
	const [token, setToken] = useState('');
	const [isWrong, setWrong] = useState(false);
	const set = (text: string) => {
		setWrong(false);
		setToken(plain(text));
	};
	const send = () => {
		if (isToken(token))
			return void task.run(async () => {
				await join(token);
				setToken('');
			});
		setWrong(true);
		announce(t('kiosk.join.wrong'), true);
		document.getElementById('token')?.focus();
	};
	const error = isWrong ? t('kiosk.join.wrong') : undefined;
	return (
		<Frame
			{...common}
			state={state}
			name="join"
			sign="kiosk.join.title"
			onNext={send}
			actions={
				<Button kind="primary" isBusy={task.isRunning}>
					{task.isRunning ? t('kiosk.join.sending') : t('kiosk.join.send')}
				</Button>
			}
		>
			<div class="shown">
				<h1 tabIndex={-1}>{t('kiosk.join.title')}</h1>
				<p class="lead">{t('kiosk.join.text')}</p>
				<h2>{t('kiosk.join.fingerprint')}</h2>
				<p class="fingerprint">
					{state.fingerprint.split('-').map((group, i) => (
						<code key={i}>{group}</code>
					))}
				</p>
				<Notice kind="info" title={t('kiosk.join.said')}>
					<p role="status">{t(STEPS[state.join_step] ?? 'kiosk.join.at.unanswered')}</p>
					{state.join_step !== 'token' && state.join_step !== 'asking' && (
						<p>
							<Said text={state.link_text} />
						</p>
					)}
				</Notice>
				<WhomToCall state={state} />
			</div>
			<div class={error ? 'touched wrong' : 'touched'}>
				<h2 id="token-title">{t('kiosk.join.token')}</h2>
				<FieldNotes id="token" hint={t('kiosk.join.hint')} error={error} />
				<Failure code={task.failure} />
				<Line
					class="digits"
					wiring={{
						id: 'token',
						'aria-labelledby': 'token-title',
						'aria-describedby': notesOf('token', t('kiosk.join.hint'), error),
						'aria-invalid': error ? true : undefined,
					}}
					value={token.replace(/(.{5})(?=.)/g, '$1 ')}
					onType={set}
				/>
				<div class="keypad letters" role="group" aria-label={t('kiosk.join.keys')}>
					{KEYS.map((key) => (
						<Button key={key} class="key" onPress={() => set(token + key)}>
							{key}
						</Button>
					))}
					<Button class="key erase" icon="erase" onPress={() => set(token.slice(0, -1))}>
						{t('common.keypad.erase')}
					</Button>
				</div>
			</div>
		</Frame>
	);
}
