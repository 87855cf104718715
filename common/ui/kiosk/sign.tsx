// Behind 手语: the clip of the screen that is open, above its words; where there is none it says so and offers what there is.
import { createContext, type JSX } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Button, Dialog, Switch } from 'ui/parts';
import type { SignClip } from 'ui/types';
import { needsOf, tellNeed, useAccess } from './access';

const OFFERED = ['ACCESS_NEED_SIGN_LANGUAGE', 'ACCESS_NEED_TEXT_ONLY'] as const;

const SLOW = 0.5;

/** What the terminal has clips of. */
export const Signs = createContext<() => Promise<readonly SignClip[]>>(() => Promise.resolve([]));

export interface SignProps {
	of: string | undefined; // the screen: key of its title, a service, or "service.field"
	onClose: () => void;
	onStaff: () => void;
}

export function SignDialog({ of, onClose, onStaff }: SignProps): JSX.Element {
	const needs = needsOf(useAccess());
	const read = useContext(Signs);
	const [clip, setClip] = useState<SignClip | null>(null);
	useEffect(() => {
		let isOpen = true;
		void read().then(
			(clips) => isOpen && setClip(clips.find((one) => one.of === of) ?? null),
			(e: unknown) => console.warn('signs:', e), // as if there were none
		);
		return () => void (isOpen = false);
	}, []);
	return (
		<Dialog
			title={t('kiosk.sign.title')}
			onClose={onClose}
			actions={
				<>
					<Button icon="person" onPress={onStaff}>
						{t('kiosk.bar.staff')}
					</Button>
					<Button kind="primary" icon="success" onPress={onClose}>
						{t('kiosk.modes.done')}
					</Button>
				</>
			}
		>
			{clip && <Film clip={clip} onBroken={() => setClip(null)} />}
			<p>{t(clip ? 'kiosk.sign.also' : 'kiosk.sign.none')}</p>
			<div class="ways">
				{OFFERED.map((need) => (
					<Switch key={need} isOn={needs.includes(need)} onSwitch={(isOn) => tellNeed(need, isOn)}>
						{t(`kiosk.need.${need}`)}
					</Switch>
				))}
			</div>
			<p>{t('kiosk.sign.when')}</p>
			<p class="card-to-show">{t('kiosk.sign.show')}</p>
		</Dialog>
	);
}

/** What the screen behind the dialog says. */
function wordsOfScreen(): string {
	return [...document.querySelectorAll('main h1, main .lead')].map((e) => e.textContent).join(' ');
}

function Film({ clip, onBroken }: { clip: SignClip; onBroken: () => void }): JSX.Element {
	const film = useRef<HTMLVideoElement>(null);
	const [isPaused, setPaused] = useState(false);
	const [isSlow, setSlow] = useState(false);
	const [caption] = useState(wordsOfScreen);
	const play = () => void film.current!.play().catch(() => {}); // it is closed meanwhile, or onError says so
	useEffect(() => {
		film.current!.playbackRate = isSlow ? SLOW : 1;
	}, [isSlow]);
	const again = () => {
		film.current!.currentTime = 0;
		play();
	};
	return (
		<>
			<video
				class="sign-film"
				ref={film}
				src={`/api/v1/signs/${encodeURIComponent(clip.of)}`}
				aria-label={t('kiosk.sign.title')}
				autoPlay
				muted
				playsInline
				disablePictureInPicture
				onPlay={() => setPaused(false)}
				onPause={() => setPaused(true)}
				onError={onBroken}
			/>
			<p class="sign-caption">{caption}</p>
			<div class="ways">
				<Button icon="waiting" onPress={() => (isPaused ? play() : film.current!.pause())}>
					{t(isPaused ? 'kiosk.sign.go-on' : 'kiosk.sign.pause')}
				</Button>
				<Button icon="refresh" onPress={again}>
					{t('kiosk.sign.again')}
				</Button>
				<Button icon={isSlow ? 'up' : 'down'} onPress={() => setSlow(!isSlow)}>
					{t(isSlow ? 'kiosk.sign.usual' : 'kiosk.sign.slower')}
				</Button>
			</div>
			<p class="said">
				{clip.language} · {clip.source} · {clip.licence} · {clip.date}
			</p>
		</>
	);
}
