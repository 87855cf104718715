// Who asks may show a card of the district: it is put on the reader, and its PIN keyed in. Who has none goes on without.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from 'ui/i18n';
import { Keypad } from 'ui/keypad';
import { announce, Button, FieldNotes, Line, notesOf, Notice } from 'ui/parts';
import type { CardState, CardView } from 'ui/types';
import { BackAndHome, Failure, useTask } from 'kiosk/common';
import { Frame, type ScreenProps } from 'kiosk/frame';
import { showCard } from '../server';

const LOOK_EVERY_MS = 1_000;
const PIN_LEAST = 4;
const PIN_MOST = 8;

export interface CardProps extends ScreenProps {
	request: string; // of the draft
	onBack: () => void;
	onDone: (isProved: boolean) => void;
}

export function Card(props: CardProps): JSX.Element {
	const [view, setView] = useState<CardView | null>(null);
	const state = view?.state ?? 'CARD_STATE_EMPTY';
	const isKeying = state === 'CARD_STATE_PRESENT' || state === 'CARD_STATE_PIN_WRONG';

	// Somebody takes it away, or puts another one there: what was said of the first one is over.
	useEffect(() => {
		let isOver = false;
		const look = async () => {
			const now = await showCard(props.request, '').catch(() => null);
			if (isOver || !now) return;
			setView((old) => (old && now.state === 'CARD_STATE_PRESENT' && isOfCard(old.state) ? old : now));
		};
		void look();
		const timer = window.setInterval(() => void look(), LOOK_EVERY_MS);
		return () => {
			isOver = true;
			window.clearInterval(timer);
		};
	}, [props.request]);

	if (isKeying) return <Pin {...props} tries={state === 'CARD_STATE_PIN_WRONG' ? view!.tries : null} onSaid={setView} />;
	return <Told {...props} card={state} />;
}

/** What a PIN brought up stays on the screen while the card lies there. */
function isOfCard(state: CardState): boolean {
	return ['CARD_STATE_PIN_WRONG', 'CARD_STATE_REVOKED', 'CARD_STATE_EXPIRED'].includes(state);
}

function Told({ card, onBack, onDone, request: _, ...common }: CardProps & { card: CardState }): JSX.Element {
	const isProved = card === 'CARD_STATE_PROVED';
	const fault = faultOf(card);
	const title = isProved ? t('kiosk.card.proved') : t('kiosk.card.title');
	return (
		<Frame
			{...common}
			name={isProved ? 'card-proved' : `card-${fault ?? 'put'}`}
			sign="kiosk.card.title"
			onBack={onBack}
			onNext={() => onDone(isProved)}
			actions={
				<BackAndHome onBack={onBack} onHome={common.onHome}>
					<Button kind="primary" icon="next">
						{isProved ? t('kiosk.form.next') : t('kiosk.card.without')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{title}</h1>
				{fault && <Notice kind="warning" title={fault} />}
				<p class="lead">{isProved ? t('kiosk.card.leave') : t('kiosk.card.text')}</p>
			</div>
		</Frame>
	);
}

function faultOf(state: CardState): string | null {
	switch (state) {
		case 'CARD_STATE_NONE':
			return t('kiosk.card.no-reader');
		case 'CARD_STATE_STRANGE':
			return t('kiosk.card.strange');
		case 'CARD_STATE_PIN_BLOCKED':
			return t('kiosk.card.blocked');
		case 'CARD_STATE_REVOKED':
			return t('kiosk.card.revoked');
		case 'CARD_STATE_EXPIRED':
			return t('kiosk.card.expired');
		default:
			return null;
	}
}

interface PinProps extends CardProps {
	tries: number | null; // that are left after a wrong one
	onSaid: (view: CardView) => void;
}

function Pin({ tries, request, onBack, onDone, onSaid, ...common }: PinProps): JSX.Element {
	const task = useTask();
	const [pin, setPin] = useState('');
	const [isShort, setShort] = useState(false);
	const set = (text: string) => {
		setShort(false);
		setPin(text.replace(/\D/g, '').slice(0, PIN_MOST));
	};
	const prove = () => {
		if (pin.length < PIN_LEAST) {
			setShort(true);
			announce(t('kiosk.card.short'), true);
			document.getElementById('pin')?.focus();
			return;
		}
		void task.run(async () => {
			setPin('');
			const view = await showCard(request, pin);
			onSaid(view);
			if (view.state === 'CARD_STATE_PIN_WRONG') announce(t('kiosk.card.wrong', { count: view.tries }), true);
		});
	};
	const wrong = tries === null ? undefined : t('kiosk.card.wrong', { count: tries });
	const error = isShort ? t('kiosk.card.short') : pin === '' ? wrong : undefined;
	return (
		<Frame
			{...common}
			name="card-pin"
			sign="kiosk.card.pin"
			onBack={onBack}
			onNext={prove}
			actions={
				<BackAndHome onBack={onBack}>
					<Button icon="advice" onPress={() => onDone(false)}>
						{t('kiosk.card.without')}
					</Button>
					<Button kind="primary" icon="next" isBusy={task.isRunning}>
						{t('kiosk.form.next')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="shown">
				<h1 id="pin-title" tabIndex={-1}>
					{t('kiosk.card.pin')}
				</h1>
				<FieldNotes id="pin" hint={t('kiosk.card.hint')} error={error} />
				<Failure code={task.failure} />
			</div>
			<div class={error ? 'touched wrong' : 'touched'}>
				<Line
					class="digits"
					wiring={{
						id: 'pin',
						'aria-labelledby': 'pin-title',
						'aria-describedby': notesOf('pin', t('kiosk.card.hint'), error),
						'aria-invalid': error ? true : undefined,
					}}
					type="password"
					inputMode="numeric"
					value={pin}
					onType={set}
				/>
				<Keypad onKey={(key) => set(pin + key)} onErase={() => set(pin.slice(0, -1))} />
			</div>
		</Frame>
	);
}
