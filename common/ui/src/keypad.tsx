// Digits on the screen, for people who cannot use a keyboard or have none.
import type { JSX } from 'preact';
import { t } from './i18n';
import { Button } from './parts';

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

export interface KeypadProps {
	extras?: readonly string[]; // at most two more keys, beside the 0: "X", "."
	onKey: (key: string) => void;
	onErase: () => void;
}

export function Keypad({ extras = [], onKey, onErase }: KeypadProps): JSX.Element {
	const key = (name: string) => (
		<Button key={name} class={name === '0' ? 'key zero' : 'key'} onPress={() => onKey(name)}>
			{name}
		</Button>
	);
	return (
		<div class="keypad" role="group" aria-label={t('common.keypad')}>
			{DIGITS.map(key)}
			{extras[0] && key(extras[0])}
			{key('0')}
			{extras[1] && key(extras[1])}
			<Button class="key erase" icon="erase" onPress={onErase}>
				{t('common.keypad.erase')}
			</Button>
		</div>
	);
}
