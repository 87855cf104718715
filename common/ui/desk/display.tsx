// Text size, colours and single-key shortcuts of the staff pages: a matter of taste and of eyes, kept by the browser.
import { useState } from 'preact/hooks';
import { t } from '../src/i18n';
import { Button, Choices, Dialog, showDisplay, SIZES, Switch, THEMES, type Display } from '../src/parts';
import { keep, kept } from './kept';
import { switchShortcuts, useShortcutSwitch } from './shortcuts';

function stored(): Display {
	const size = Number(kept('size') ?? 0);
	return {
		size: Number.isInteger(size) && size >= 0 && size < SIZES ? size : 0,
		theme: THEMES.find((known) => known === kept('theme')) ?? 'paper',
	};
}

let current = stored();

export function startDisplay(): void {
	showDisplay(current);
}

export function DisplayButton() {
	const [isOpen, open] = useState(false);
	return (
		<>
			<Button icon="size" onPress={() => open(true)}>
				{t('desk.display')}
			</Button>
			{isOpen && <DisplayDialog onClose={() => open(false)} />}
		</>
	);
}

function DisplayDialog({ onClose }: { onClose: () => void }) {
	const [display, setDisplay] = useState(current);
	const isOn = useShortcutSwitch();
	const show = (next: Display) => {
		current = next;
		setDisplay(next);
		showDisplay(next);
		keep('size', String(next.size));
		keep('theme', next.theme);
	};
	return (
		<Dialog
			title={t('desk.display')}
			onClose={onClose}
			actions={
				<Button kind="primary" onPress={onClose}>
					{t('desk.close')}
				</Button>
			}
		>
			<Choices
				id="display-size"
				class="desk-pair"
				legend={t('desk.display.size')}
				options={Array.from({ length: SIZES }, (_, at) => ({ id: String(at), name: t(`desk.display.size.${at as 0 | 1 | 2 | 3}`) }))}
				chosen={[String(display.size)]}
				onChange={([size]) => show({ ...display, size: Number(size) })}
			/>
			<Choices
				id="display-theme"
				class="desk-pair"
				legend={t('desk.display.theme')}
				options={THEMES.map((theme) => ({ id: theme, name: t(`kiosk.theme.${theme}`) }))}
				chosen={[display.theme]}
				onChange={([id]) => show({ ...display, theme: THEMES.find((theme) => theme === id) ?? 'paper' })}
			/>
			<div>
				<Switch isOn={isOn} onSwitch={switchShortcuts}>
					{t('desk.shortcuts')}
				</Switch>
				<p class="desk-minor">{t('desk.shortcuts.everywhere')}</p>
			</div>
		</Dialog>
	);
}
