// The button in the row, the caption of what is said, and what can be set about it.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Button, Dialog, Switch } from 'ui/parts';
import { welcome } from './hands';
import { wherePieces } from './reading';
import {
	onSpeech,
	openHelp,
	RATE_LEAST,
	RATE_MOST,
	say,
	sayWhatWasBeforeHelp,
	setSpeech,
	speech,
	togglePause,
	turnOff,
	VOLUME_MOST,
	type Speech,
} from './speech';

/** How it is now; draws again when that changes. */
export function useSpeech(): Speech {
	const [now, show] = useState(speech());
	useEffect(() => onSpeech(() => show(speech())), []);
	return now;
}

/** Begins to speak; while it speaks, opens what can be set. */
export function SpeechButton(): JSX.Element {
	const { isOn, canSpeak, isMissing } = useSpeech();
	const isGone = !canSpeak || (isOn && isMissing);
	return (
		<Button
			icon="speech"
			isPressed={isOn}
			onPress={() => (isOn ? openHelp() : welcome())}
		>
			{t('kiosk.bar.speech')}
			{isGone && <span class="speech-gone">{t('kiosk.bar.speech-missing')}</span>}
		</Button>
	);
}

/** Above everything, also dialogs: whoever cannot hear reads along. Readers of their own have the words already. */
export function Captions(): JSX.Element {
	const { isOn, caption } = useSpeech();
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const element = box.current!;
		element.setAttribute('popover', 'manual');
		if (element.matches(':popover-open')) element.hidePopover();
		if (isOn && caption) element.showPopover(); // the newest is in front
	}, [isOn, caption]);
	return (
		<div class="caption" ref={box} aria-hidden="true">
			{caption}
		</div>
	);
}

/** Put one at the root of the page. */
export function SpeechHelp(): JSX.Element | null {
	const now = useSpeech();
	const [where] = useState(() => ({ at: null as Element | null }));
	if (!now.isHelpOpen) {
		where.at = document.activeElement;
		return null;
	}
	return <HelpDialog now={now} at={where.at} />;
}

function HelpDialog({ now, at }: { now: Speech; at: Element | null }): JSX.Element {
	const [here] = useState(() => wherePieces(at).filter((piece) => !piece.isPersonal).map((piece) => piece.text).join(''));
	const close = () => setSpeech({ isHelpOpen: false });
	const setRate = (rate: number) => {
		setSpeech({ rate });
		say([{ text: t('kiosk.speech.rate-now', { number: rate, total: RATE_MOST }) }]);
	};
	const setVolume = (volume: number) => {
		setSpeech({ volume });
		say([{ text: t('kiosk.speech.volume-now', { number: volume, total: VOLUME_MOST }) }]);
	};
	const closeAnd = (act: () => void) => () => {
		close();
		window.setTimeout(act, 0); // the focus has gone back by then
	};
	return (
		<Dialog
			title={t('kiosk.speech.help')}
			onClose={close}
			actions={
				<Button kind="primary" icon="close" onPress={close}>
					{t('kiosk.close')}
				</Button>
			}
		>
			<p>{here}</p>
			<p>{t('kiosk.speech.help-text')}</p>
			<div class="speech-keys">
				<Button icon="refresh" onPress={closeAnd(sayWhatWasBeforeHelp)}>
					{t('kiosk.speech.again')}
				</Button>
				<Button icon="waiting" onPress={togglePause}>
					{t('kiosk.speech.pause')}
				</Button>
				<Button icon="down" onPress={() => setRate(Math.max(RATE_LEAST, now.rate - 1))}>
					{t('kiosk.speech.slower')}
				</Button>
				<Button icon="up" onPress={() => setRate(Math.min(RATE_MOST, now.rate + 1))}>
					{t('kiosk.speech.faster')}
				</Button>
				<Button icon="down" onPress={() => setVolume(Math.max(1, now.volume - 1))}>
					{t('kiosk.speech.quieter')}
				</Button>
				<Button icon="up" onPress={() => setVolume(Math.min(VOLUME_MOST, now.volume + 1))}>
					{t('kiosk.speech.louder')}
				</Button>
			</div>
			{!now.hasHeadset && (
				<Switch isOn={now.isPersonalAloud} onSwitch={(isPersonalAloud) => setSpeech({ isPersonalAloud })}>
					{t('kiosk.speech.personal')}
				</Switch>
			)}
			<Button icon="close" onPress={turnOff}>
				{t('kiosk.speech.off')}
			</Button>
		</Dialog>
	);
}
