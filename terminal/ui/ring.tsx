// Asks the town for a person, as long as this dialog is open, and says whether somebody hears it.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { post } from 'ui/api';
import { t } from 'ui/i18n';
import { announce, Button, Notice } from 'ui/parts';
import type { RingView, TerminalState } from 'ui/types';

const AGAIN_MS = 2_000;
type Heard = RingView['state'];

export function Ring({ state }: { state: TerminalState | null }): JSX.Element {
	const [isRinging, setIsRinging] = useState(false);
	const [heard, setHeard] = useState<Heard>('RING_STATE_NONE');
	useEffect(() => {
		if (!isRinging) return;
		let timer = 0;
		let isOver = false;
		const ring = async () => {
			let now: Heard = 'RING_STATE_UNREACHABLE';
			try {
				now = (await post<RingView>('/api/v1/ring')).state;
			} catch {
				// nobody hears it: as without a link
			}
			if (isOver) return;
			setHeard(now);
			timer = window.setTimeout(() => void ring(), AGAIN_MS);
		};
		void ring();
		return () => {
			isOver = true;
			clearTimeout(timer);
			post('/api/v1/ring', { is_over: true }).catch(() => {}); // silence ends it, too
		};
	}, [isRinging]);
	const text = isRinging ? textOf(heard) : '';
	useEffect(() => {
		if (text) announce(text, true);
	}, [text]);
	if (!isRinging && !state?.is_connected) return <p>{t('kiosk.ring.cannot')}</p>;
	return (
		<>
			{text && <Notice kind={kindOf(heard)}>{text}</Notice>}
			{!isRinging && (
				<Button icon="person" onPress={() => setIsRinging(true)}>
					{t('kiosk.ring.ring')}
				</Button>
			)}
		</>
	);
}

function textOf(heard: Heard): string {
	switch (heard) {
		case 'RING_STATE_TAKEN':
			return t('kiosk.ring.taken');
		case 'RING_STATE_UNREACHABLE':
			return t('kiosk.ring.unreachable');
		default:
			return t('kiosk.ring.rings');
	}
}

function kindOf(heard: Heard): 'success' | 'warning' | 'info' {
	return heard === 'RING_STATE_TAKEN' ? 'success' : heard === 'RING_STATE_UNREACHABLE' ? 'warning' : 'info';
}
