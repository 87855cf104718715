// A dialog in which staff give a reason and act: sends once, says what was refused, asks for what is missing.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../src/i18n';
import { Button, Dialog, Field, LongLine, Notice } from '../src/parts';
import { useDesk } from './session';

export interface ReasonTexts {
	label: string;
	hint: string;
	missing: string;
	most: number; // characters
}

interface ReasonDialogProps {
	id: string;
	title: string;
	verb: string;
	isDanger?: boolean;
	reason?: ReasonTexts; // without: none is asked for
	/** Acts; what it throws is shown, in its own words or in those of `refused`. */
	onSend: (reason: string) => Promise<void>;
	refused?: (error: unknown) => string | undefined;
	closeText?: string;
	onClose: () => void;
	said?: ComponentChildren; // what came of it, if the dialog stays
	children?: ComponentChildren;
}

export function ReasonDialog({ id, reason: texts, onSend, refused, said, ...props }: ReasonDialogProps) {
	const desk = useDesk();
	const [reason, setReason] = useState('');
	const [isMissing, setIsMissing] = useState(false);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');
	const send = async () => {
		if (texts && !reason.trim()) {
			setIsMissing(true);
			document.getElementById(id)?.focus();
			return;
		}
		setIsBusy(true);
		setRefusal('');
		try {
			await onSend(reason.trim());
		} catch (error) {
			setRefusal(refused?.(error) ?? desk.failed(error));
		}
		setIsBusy(false);
	};
	return (
		<Dialog
			title={props.title}
			onClose={props.onClose}
			actions={
				<>
					<Button kind={props.isDanger ? 'danger' : 'primary'} isBusy={isBusy} onPress={() => void send()}>
						{props.verb}
					</Button>
					<Button onPress={props.onClose}>{props.closeText ?? t('desk.cancel')}</Button>
				</>
			}
		>
			{props.children}
			<div role="alert">
				{refusal && <Notice kind="danger">{refusal}</Notice>}
				{said}
			</div>
			{texts && (
				<Field
					id={id}
					label={texts.label}
					hint={texts.hint}
					error={isMissing && !reason.trim() ? texts.missing : undefined}
					isRequired
				>
					{(wiring) => (
						<LongLine wiring={wiring} rows={2} maxLength={texts.most} value={reason} onType={setReason} />
					)}
				</Field>
			)}
		</Dialog>
	);
}
