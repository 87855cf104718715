// Behind 大字: how large, in which colours, and how it is used. One question at a time; each answer counts at once.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { language, setLanguage, t, type TextKey } from 'ui/i18n';
import { Button, Choices, Dialog, SIZES, Switch, THEMES, type IconName } from 'ui/parts';
import { NEEDS, needsOf, setAccess, useAccess } from './access';

type Part = 'size' | 'colour' | 'way';

const PARTS: readonly { id: Part; name: TextKey; icon: IconName }[] = [
	{ id: 'size', name: 'kiosk.modes.size', icon: 'size' },
	{ id: 'colour', name: 'kiosk.modes.colour', icon: 'colour' },
	{ id: 'way', name: 'kiosk.modes.way', icon: 'person' },
];

export function ModesDialog({ onClose }: { onClose: () => void }): JSX.Element {
	const [part, show] = useState<Part>('size');
	return (
		<Dialog
			key={part}
			title={t(`kiosk.modes.${part}.title`)}
			onClose={onClose}
			actions={
				<>
					{PARTS.filter(({ id }) => id !== part).map(({ id, name, icon }) => (
						<Button key={id} icon={icon} onPress={() => show(id)}>
							{t(name)}
						</Button>
					))}
					<Button kind="primary" icon="success" onPress={onClose}>
						{t('kiosk.modes.done')}
					</Button>
				</>
			}
		>
			{part === 'size' && <SizeChoices />}
			{part === 'colour' && <ColourChoices />}
			{part === 'way' && <Ways />}
		</Dialog>
	);
}

function SizeChoices(): JSX.Element {
	const { size } = useAccess();
	return (
		<Choices
			id="modes-size"
			options={Array.from({ length: SIZES }, (_, at) => ({ id: String(at), name: t(`kiosk.size.${at as 0 | 1 | 2 | 3}`) }))}
			chosen={[String(size)]}
			onChange={([id]) => setAccess({ size: Number(id) })}
		/>
	);
}

function ColourChoices(): JSX.Element {
	const { theme } = useAccess();
	return (
		<Choices
			id="modes-colour"
			options={THEMES.map((id) => ({ id, name: t(`kiosk.theme.${id}`) }))}
			chosen={[theme]}
			onChange={([id]) => setAccess({ theme: THEMES.find((known) => known === id) ?? 'paper' })}
		/>
	);
}

function Ways(): JSX.Element {
	const { isLow, isEasy, isSlow } = useAccess();
	return (
		<div class="ways">
			<Switch isOn={isLow} onSwitch={(isOn) => setAccess({ isLow: isOn })}>
				{t('kiosk.modes.low')}
			</Switch>
			<Switch isOn={isEasy} onSwitch={(isOn) => setAccess({ isEasy: isOn })}>
				{t('kiosk.modes.easy')}
			</Switch>
			<Switch isOn={isSlow} onSwitch={(isOn) => setAccess({ isSlow: isOn })}>
				{t('kiosk.modes.slow')}
			</Switch>
			<LanguageButton />
		</div>
	);
}

/** In the other language, for who cannot read this one. */
export function LanguageButton(): JSX.Element {
	const isEnglish = language() === 'en';
	const other = isEnglish ? 'zh-CN' : 'en';
	return (
		<Button icon="language" lang={other} onPress={() => setLanguage(other)}>
			{isEnglish ? '中文' : 'English'}
		</Button>
	);
}

/** What staff are told about how to serve this person: seen before the request goes, and changed at will. */
export function NeedsDialog({ onClose }: { onClose: () => void }): JSX.Element {
	const now = useAccess();
	return (
		<Dialog
			title={t('kiosk.needs.title')}
			onClose={onClose}
			actions={
				<Button kind="primary" icon="success" onPress={onClose}>
					{t('kiosk.modes.done')}
				</Button>
			}
		>
			<p>{t('kiosk.needs.text')}</p>
			<Choices
				id="needs"
				areSeveral
				options={NEEDS.map((id) => ({ id, name: t(`kiosk.need.${id}`) }))}
				chosen={needsOf(now)}
				onChange={(chosen) => setAccess({ told: NEEDS.filter((need) => chosen.includes(need)) })}
			/>
		</Dialog>
	);
}
