// Kiosks at which somebody asks for a person: above every page, by sound and sight, until somebody takes the call.
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../src/api';
import { t, words } from '../src/i18n';
import { announce, Button, Chip, Notice, Switch } from '../src/parts';
import type { RingRow, RingsView, RingsWaitingView } from '../src/types';
import { keep, kept } from './kept';
import { useDesk, useLoaded } from './session';
import { Moment, useNow } from './time';

const TONE = 'ring-tone';
const TONE_EVERY_MS = 4_000;
const TONE_S = 0.4;
const TONE_HZ = 880;
const LOCKED_LOOK_MS = 1_000; // a call shows within two seconds

/** One short tone. Without sound on this machine the banner is what is left. */
function sound(): void {
	try {
		const context = new AudioContext();
		const tone = context.createOscillator();
		const volume = context.createGain();
		tone.frequency.value = TONE_HZ;
		volume.gain.value = 0.2;
		tone.connect(volume).connect(context.destination);
		tone.onended = () => void context.close();
		tone.start();
		tone.stop(context.currentTime + TONE_S);
	} catch {
		// as above
	}
}

function useIsHere(): boolean {
	const { session } = useDesk();
	return session.tier === 'TIER_TOWN' && session.may.includes('cases');
}

/** Says that somebody waits, and says it again by sound. */
function useTone(waiting: number, hasTone: boolean): void {
	useEffect(() => {
		if (waiting === 0) return;
		announce(t('desk.ring.waits', { n: waiting }), true);
		if (!hasTone) return;
		sound();
		const timer = setInterval(sound, TONE_EVERY_MS);
		return () => clearInterval(timer);
	}, [waiting, hasTone]);
}

export function Rings() {
	return useIsHere() ? <Calls /> : null;
}

/** In front of a locked page: how many wait, and no more. */
export function LockedRings() {
	return useIsHere() ? <LockedCalls /> : null;
}

function LockedCalls() {
	const [waiting, setWaiting] = useState(0);
	useEffect(() => {
		const look = () =>
			get<RingsWaitingView>('/api/v1/rings/waiting').then(
				(view) => setWaiting(view.waiting),
				() => setWaiting(0), // nothing is known
			);
		void look();
		const timer = setInterval(() => void look(), LOCKED_LOOK_MS);
		return () => clearInterval(timer);
	}, []);
	useTone(waiting, kept(TONE) !== 'off');
	return <div role="alert">{waiting > 0 && <Notice kind="warning">{t('desk.ring.waits', { n: waiting })}</Notice>}</div>;
}

function Calls() {
	const desk = useDesk();
	const { data, reload } = useLoaded<RingsView>('/api/v1/rings', (name) => name === 'rings');
	const [hasTone, setHasTone] = useState(kept(TONE) !== 'off');
	const [fault, setFault] = useState('');
	const rings = data?.rings ?? [];
	const waiting = rings.filter(({ taken_by }) => taken_by === '').length;
	useTone(waiting, hasTone);
	if (rings.length === 0) return null;
	const take = async ({ ring }: RingRow) => {
		setFault('');
		try {
			await post(`/api/v1/rings/${ring}`);
		} catch (error) {
			setFault(desk.failed(error));
		}
		await reload();
	};
	return (
		<section class="desk-rings" aria-label={t('desk.ring.title')}>
			{fault && <Notice kind="danger">{fault}</Notice>}
			{rings.map((row) => (
				<Call key={row.ring} row={row} onTake={() => void take(row)} />
			))}
			<Switch
				isOn={hasTone}
				onSwitch={(isOn) => {
					keep(TONE, isOn ? 'on' : 'off');
					setHasTone(isOn);
				}}
			>
				{t('desk.ring.tone')}
			</Switch>
		</section>
	);
}

function Call({ row, onTake }: { row: RingRow; onTake: () => void }) {
	const now_ms = useNow();
	return (
		<div class="desk-bar">
			<Chip icon="person" kind={row.taken_by ? 'info' : 'warning'}>
				{t('desk.ring.from', { place: words(row.place_name) || row.place })}
			</Chip>
			<Moment time_ms={row.since_ms} now_ms={now_ms} />
			{row.taken_by ? (
				<span>
					{t('desk.ring.taken')} <span class="desk-user">{row.taken_by}</span>
				</span>
			) : (
				<Button kind="primary" onPress={onTake}>
					{t('desk.ring.take')}
				</Button>
			)}
		</div>
	);
}
