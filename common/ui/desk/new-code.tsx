// The resident lost the receipt: staff say how they know who it is, and read out a new code, which is shown once.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t } from '../src/i18n';
import { Button, Field, Notice, Select } from '../src/parts';
import type { CaseView, IdentityCheck } from '../src/types';
import { ReasonDialog } from './reason';
import { momentText } from './time';

const NOTE_CHARACTERS_MOST = 150;
const CHECKS: IdentityCheck[] = [
	'IDENTITY_CHECK_ID_CARD',
	'IDENTITY_CHECK_CERTIFICATE',
	'IDENTITY_CHECK_OTHER_PAPER',
	'IDENTITY_CHECK_REPRESENTATIVE',
];

interface NewCodeProps {
	requestId: string;
	view: CaseView;
	reload: () => Promise<void>;
}

export function NewCode({ requestId, view, reload }: NewCodeProps) {
	const [isOpen, setIsOpen] = useState(false);
	const [code, setCode] = useState('');
	const { new_codes } = view;
	if (!view.can_give_code && new_codes.length === 0) return null;
	return (
		<section>
			<h2>{t('desk.code.title')}</h2>
			{code && (
				<Notice kind="success" title={t('desk.intake.code')}>
					<p class="code-digits">{code.replace(/(\d{4})(?=\d)/g, '$1 ')}</p>
					<p>{t('desk.code.once')}</p>
				</Notice>
			)}
			{new_codes.length > 0 && (
				<ul>
					{new_codes.map((event, at) => (
						<li key={at}>
							{t('desk.code.replaced', { time: momentText(event.time_ms), name: event.staff })}
							{event.checked !== 'IDENTITY_CHECK_NONE' && ` · ${t(`desk.code.${event.checked}`)}`}
							{event.note && ` · ${event.note}`}
						</li>
					))}
				</ul>
			)}
			{view.can_give_code && (
				<Button onPress={() => setIsOpen(true)}>{t('desk.code.give')}</Button>
			)}
			{isOpen && (
				<Giving
					requestId={requestId}
					onClose={() => setIsOpen(false)}
					onGiven={async (given) => {
						setCode(given);
						setIsOpen(false);
						await reload();
					}}
				/>
			)}
		</section>
	);
}

interface GivingProps {
	requestId: string;
	onClose: () => void;
	onGiven: (code: string) => Promise<void>;
}

function Giving({ requestId, onClose, onGiven }: GivingProps) {
	const [checked, setChecked] = useState<string>(CHECKS[0]!);
	return (
		<ReasonDialog
			id="new-code-note"
			title={t('desk.code.give')}
			verb={t('desk.code.send')}
			reason={{
				label: t('desk.code.note'),
				hint: t('desk.code.note-hint'),
				missing: t('desk.code.note-missing'),
				most: NOTE_CHARACTERS_MOST,
			}}
			onSend={async (note) => {
				const { code } = await post<{ code: string }>(`/api/v1/cases/${requestId}/code`, { checked, note });
				await onGiven(code);
			}}
			onClose={onClose}
		>
			<p>{t('desk.code.lead')}</p>
			<Field id="new-code-checked" label={t('desk.code.checked')} isRequired>
				{(wiring) => (
					<Select
						wiring={wiring}
						value={checked}
						options={CHECKS.map((id) => ({ id, name: t(`desk.code.${id}`) }))}
						onChoose={setChecked}
					/>
				)}
			</Field>
		</ReasonDialog>
	);
}
