// What stands before personal questions: who asks, what for, who sees it, how long it is kept; and the consents that are
// asked for one by one. Refusing is a choice like any other: nothing is kept of it, and it says what happens now.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { t, words } from 'ui/i18n';
import { Button, More, Notice } from 'ui/parts';
import { keepText, PrivacyFacts, SharingFacts } from 'ui/privacy';
import { needsHealth } from 'ui/steps';
import type { Service, Sharing } from 'ui/types';
import { useAccess } from './access';
import { BackAndHome, Failure, useTask } from './common';
import { Leave } from './form';
import { Frame, type ScreenProps } from './frame';

interface ChoiceProps extends ScreenProps {
	name: string;
	sign: string; // as Frame has it
	title: string;
	isLast?: boolean; // refusing ends here
	hasDraft?: boolean; // something is typed already: going home asks first
	onBack: () => void;
	onAnswer: (isGiven: boolean) => void | Promise<void>;
	easy?: string; // says it in short, for who wants few words; the whole is behind a button then
	children: ComponentChildren;
}

/** "I agree" and "I do not agree", of the same size; "find a person" is in the bottom row, as everywhere. */
function Choice(props: ChoiceProps): JSX.Element {
	const { name, sign, title, isLast = false, hasDraft = false, easy, onBack, onAnswer, children, ...common } = props;
	const isShort = useAccess().isEasy && Boolean(easy);
	const task = useTask();
	const [isLeaving, setLeaving] = useState(false);
	const [isRefused, setRefused] = useState(false);
	const agree = () => void task.run(async () => onAnswer(true));
	const refuse = () => (isLast ? setRefused(true) : void onAnswer(false));
	if (isRefused) return <Refused {...common} onBack={() => setRefused(false)} />;
	return (
		<Frame
			{...common}
			name={name}
			sign={sign}
			onBack={onBack}
			onNext={agree}
			actions={
				<BackAndHome onBack={onBack} onHome={hasDraft ? () => setLeaving(true) : common.onHome}>
					<Button icon="close" onPress={refuse}>
						{t('kiosk.consent.refuse')}
					</Button>
					<Button kind="primary" icon="success" isBusy={task.isRunning}>
						{t('kiosk.consent.agree')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{title}</h1>
				{isShort ? <p class="lead">{easy}</p> : children}
				<Failure code={task.failure} />
			</div>
			{isShort && (
				<div class="touched">
					<More name={t('kiosk.easy.more')}>
						<div class="read">{children}</div>
					</More>
				</div>
			)}
			{isLeaving && <Leave onStay={() => setLeaving(false)} onLeave={common.onHome} />}
		</Frame>
	);
}

function Refused({ onBack, ...common }: ScreenProps & { onBack: () => void }): JSX.Element {
	return (
		<Frame
			{...common}
			name="refused"
			sign="kiosk.consent.refused"
			onBack={onBack}
			actions={<BackAndHome onBack={onBack} onHome={common.onHome} />}
		>
			<div class="read">
				<h1 tabIndex={-1}>{t('kiosk.consent.refused')}</h1>
				<Notice kind="info" title={t('kiosk.consent.refused-text')} />
			</div>
		</Frame>
	);
}

export interface PrivacyProps extends ScreenProps {
	service: Service;
	onBack: () => void;
	onNext: () => Promise<void>;
}

/** Agreeing here is what asks the terminal for a receipt; if it has no room left, that is said now. */
export function Privacy({ service, onNext, ...common }: PrivacyProps): JSX.Element {
	return (
		<Choice {...common} name="privacy" sign="kiosk.privacy.title" title={t('kiosk.privacy.title')} easy={words(service.privacy?.who_sees)} isLast onAnswer={onNext}>
			<PrivacyFacts service={service} />
			<p class="lead">{t('kiosk.privacy.sealed')}</p>
			<p class="lead">{t('kiosk.privacy.unconfirmed')}</p>
		</Choice>
	);
}

export interface ConsentProps extends ScreenProps {
	service: Service;
	hasDraft: boolean;
	onBack: () => void;
	onAnswer: (isGiven: boolean) => void;
}

export function HealthConsent({ service, ...rest }: ConsentProps): JSX.Element {
	return (
		<Choice {...rest} name="health" sign="common.consent.health" title={t('common.consent.health')} isLast={needsHealth(service)} easy={words(service.privacy?.health_why)}>
			<p class="lead">{words(service.privacy?.health_why)}</p>
			<p class="lead">{keepText(service)}</p>
		</Choice>
	);
}

export function SharingConsent({ sharing, ...rest }: ConsentProps & { sharing: Sharing }): JSX.Element {
	return (
		<Choice {...rest} name={`sharing-${sharing.id}`} sign="common.consent.sharing" title={t('common.consent.sharing')} isLast={sharing.is_needed}>
			<SharingFacts sharing={sharing} />
		</Choice>
	);
}
