// A request in the making: its questions, one a screen, the check of all answers, and the saving.
import type { JSX } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { Question, type QuestionProps } from 'ui/form';
import { t, words } from 'ui/i18n';
import { Button, Dialog, Notice } from 'ui/parts';
import type { Service } from 'ui/types';
import { asAsked, nameOf, needsOf, useAccess } from './access';
import { BackAndHome, Failure, useTask } from './common';
import { Frame, Open, type ScreenProps } from './frame';
import { NeedsDialog } from './modes';

export interface QuestionScreenProps extends ScreenProps, QuestionProps {
	sign?: string; // as Frame has it
	onBack: () => void;
	onNext: (isSkipped: boolean) => void;
}

export function QuestionScreen(props: QuestionScreenProps): JSX.Element {
	const { state, sign, onHome, onBack, onNext, ...question } = props;
	const { field } = question;
	const access = useAccess();
	const { isEasy } = access;
	const [isLeaving, setLeaving] = useState(false);
	return (
		<Frame
			state={state}
			name={`question-${question.number}`}
			sign={sign}
			onBack={onBack}
			onNext={() => onNext(false)}
			actions={
				<BackAndHome onBack={onBack} onHome={() => setLeaving(true)}>
					{!field.is_required && !['FIELD_TYPE_YES_NO', 'FIELD_TYPE_FILE'].includes(field.type) && (
						<Button icon="advice" onPress={() => onNext(true)}>
							{t('kiosk.form.skip')}
						</Button>
					)}
					{isEasy && field.is_required && field.type !== 'FIELD_TYPE_YES_NO' && <Unknown />}
					<Button kind="primary" icon="next">
						{t('kiosk.form.next')}
					</Button>
				</BackAndHome>
			}
		>
			<Question {...question} field={asAsked(field, access)} />
			{isLeaving && <Leave onStay={() => setLeaving(false)} onLeave={onHome} />}
		</Frame>
	);
}

/** What has to be answered and somebody does not know, staff help with; what is typed stays. */
function Unknown(): JSX.Element {
	const open = useContext(Open);
	return (
		<Button icon="advice" onPress={() => open('staff')}>
			{t('kiosk.form.unknown')}
		</Button>
	);
}

export function Leave({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }): JSX.Element {
	return (
		<Dialog
			title={t('kiosk.leave.title')}
			onClose={onStay}
			actions={
				<>
					<Button kind="primary" onPress={onStay}>
						{t('kiosk.leave.stay')}
					</Button>
					<Button kind="danger" onPress={onLeave}>
						{t('kiosk.leave.leave')}
					</Button>
				</>
			}
		>
			<p>{t('kiosk.leave.text')}</p>
		</Dialog>
	);
}

export interface CheckProps extends ScreenProps {
	service: Service;
	answers: { key: string; question: string; text: string }[];
	card?: boolean; // whether one has proved itself; undefined: there is no reader
	onCard?: () => void;
	onChangeOf: (key: string) => void;
	onBack: () => void;
	onNext: () => void;
}

export function CheckAnswers({
	service,
	answers,
	card,
	onCard,
	onChangeOf,
	onBack,
	onNext,
	...common
}: CheckProps): JSX.Element {
	const access = useAccess();
	const [isLeaving, setLeaving] = useState(false);
	return (
		<Frame
			{...common}
			name="check"
			sign="kiosk.check.title"
			onBack={onBack}
			onNext={onNext}
			actions={
				<BackAndHome onBack={onBack} onHome={() => setLeaving(true)}>
					<Button kind="primary" icon="success">
						{t('kiosk.check.submit')}
					</Button>
				</BackAndHome>
			}
		>
			<div class="shown">
				<h1 tabIndex={-1}>{t('kiosk.check.title')}</h1>
				<p class="lead">{words(nameOf(service, access))}</p>
				<p class="lead">{t('kiosk.check.text')}</p>
			</div>
			<div class="touched">
				<dl class="answers">
					{answers.map(({ key, question, text }) => (
						<div class="answer" key={key}>
							<dt>{question}</dt>
							<dd>{text}</dd>
							<dd>
								<Button
									icon="edit"
									label={t('kiosk.check.change-of', { question })}
									onPress={() => onChangeOf(key)}
								>
									{t('kiosk.check.change')}
								</Button>
							</dd>
						</div>
					))}
					{card !== undefined && onCard && <CardShown isShown={card} onCard={onCard} />}
					<Needs />
				</dl>
			</div>
			{isLeaving && <Leave onStay={() => setLeaving(false)} onLeave={common.onHome} />}
		</Frame>
	);
}

function CardShown({ isShown, onCard }: { isShown: boolean; onCard: () => void }): JSX.Element {
	const question = t('kiosk.card.row');
	return (
		<div class="answer">
			<dt>{question}</dt>
			<dd>{isShown ? t('kiosk.card.row.yes') : t('kiosk.card.row.no')}</dd>
			<dd>
				<Button icon="edit" label={t('kiosk.check.change-of', { question })} onPress={onCard}>
					{t('kiosk.check.change')}
				</Button>
			</dd>
		</div>
	);
}

/** What staff will be told about how to serve this person. */
function Needs(): JSX.Element {
	const needs = needsOf(useAccess());
	const [isOpen, open] = useState(false);
	const question = t('kiosk.needs.title');
	return (
		<div class="answer">
			<dt>{question}</dt>
			<dd>{needs.map((need) => t(`kiosk.need.${need}`)).join(t('kiosk.needs.comma')) || t('kiosk.needs.none')}</dd>
			<dd>
				<Button icon="edit" label={t('kiosk.check.change-of', { question })} onPress={() => open(true)}>
					{t('kiosk.check.change')}
				</Button>
				{isOpen && <NeedsDialog onClose={() => open(false)} />}
			</dd>
		</div>
	);
}

export interface SavingProps extends ScreenProps {
	send: () => Promise<void>;
	onBack: () => void;
}

/** Says "saving" until the terminal has said "saved", and never more than that. */
export function Saving({ send, onBack, ...common }: SavingProps): JSX.Element {
	const task = useTask();
	useEffect(() => void task.run(send), []);
	const isOver = !task.isRunning && task.failure !== null;
	return (
		<Frame
			{...common}
			name={isOver ? 'not-saved' : 'saving'}
			sign={isOver ? 'kiosk.saving.failed' : 'kiosk.saving.title'}
			onNext={isOver ? () => void task.run(send) : undefined}
			actions={
				isOver && (
					<BackAndHome onBack={onBack}>
						<Button kind="primary" icon="refresh">
							{t('kiosk.saving.again')}
						</Button>
					</BackAndHome>
				)
			}
		>
			<div class="read">
				<h1 tabIndex={-1}>{isOver ? t('kiosk.saving.failed') : t('kiosk.saving.title')}</h1>
				{isOver ? (
					<>
						<Failure code={task.failure} />
						<p class="lead">{t('kiosk.saving.failed-text')}</p>
					</>
				) : (
					<Notice kind="info" title={t('kiosk.saving.text')} />
				)}
			</div>
		</Frame>
	);
}
