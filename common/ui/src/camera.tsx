// A picture by the camera of a kiosk. It is on only while somebody looks at what it sees; the picture is in the page's memory
// until the request is saved or its person leaves.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from './i18n';
import { announce, Button, Notice } from './parts';
import { pictureFrom } from './picture';

export interface CameraProps {
	most: number; // bytes of the picture
	file: string; // base64; empty: none yet
	onFile: (file: string) => void;
}

/** Of a camera that somebody has unplugged, nothing may ever come. */
const START_MS = 10_000;

function later<T>(work: Promise<T>, ms: number): Promise<T> {
	return Promise.race([work, new Promise<T>((_, fail) => setTimeout(() => fail(new Error('no camera in time')), ms))]);
}

function stop(stream: MediaStream | null): void {
	stream?.getTracks().forEach((track) => track.stop());
}

export function Camera({ most, file, onFile }: CameraProps): JSX.Element {
	const screen = useRef<HTMLVideoElement>(null);
	const isGone = useRef(false);
	const [stream, setStream] = useState<MediaStream | null>(null);
	const [isBusy, setBusy] = useState(false);
	const [wrong, setWrong] = useState('');

	useEffect(() => () => void (isGone.current = true), []);
	useEffect(() => {
		if (screen.current) screen.current.srcObject = stream;
		return () => stop(stream);
	}, [stream]);

	const tell = (text: string) => {
		setWrong(text);
		if (text) announce(text, true);
	};
	/** One thing at a time. */
	const run = async (work: () => Promise<void>) => {
		if (isBusy) return;
		setBusy(true);
		tell('');
		await work();
		setBusy(false);
	};
	const open = async () => {
		let asked: Promise<MediaStream> | null = null;
		try {
			asked = navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1600 } } });
			const seen = await later(asked, START_MS);
			if (isGone.current) stop(seen);
			else setStream(seen);
		} catch (e) {
			console.warn('camera:', e);
			asked?.then(stop, () => {}); // it came too late
			tell(t('common.camera.none'));
		}
	};
	const take = async () => {
		const taken = await pictureFrom(screen.current!, most);
		if (isGone.current) return;
		setStream(null);
		if (taken.rule) tell(t(`common.rule.${taken.rule}`));
		else onFile(taken.file);
	};

	return (
		<div class="camera">
			{stream && <video ref={screen} class="camera-picture" autoPlay muted playsInline aria-label={t('common.camera.sees')} />}
			{file && <img class="camera-picture" src={`data:image/jpeg;base64,${file}`} alt={t('common.file.given')} />}
			{wrong && <Notice kind="warning" title={wrong} />}
			{file ? (
				<Button onPress={() => onFile('')}>{t('common.file.remove')}</Button>
			) : (
				<Button isBusy={isBusy} onPress={() => void run(stream ? take : open)}>
					{t(stream ? 'common.camera.take' : 'common.camera.open')}
				</Button>
			)}
		</div>
	);
}
