// The evidence that a service needs: one complete list of what is there, who has it, and what is missing.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t, textFor, words } from '../src/i18n';
import { Button, Chip, Notice, toast } from '../src/parts';
import type { CaseRow, FieldView, ProofView } from '../src/types';
import { draftOf, isOpen, keepDraft, type KnownCase } from './model';
import { useDesk } from './session';
import { momentText } from './time';

interface ProofsProps {
	view: KnownCase;
	canAsk: boolean;
	onAsk: () => void;
	reload: () => Promise<void>;
}

export function Proofs({ view, canAsk, onAsk, reload }: ProofsProps) {
	const { row, proofs } = view;
	const desk = useDesk();
	const [refusal, setRefusal] = useState('');
	const [isBusy, setIsBusy] = useState(false);
	if (proofs.length === 0) return null;
	const missing = proofs.filter(isMissing);
	const canSay = row.is_ours && isOpen(row) && row.state !== 'CASE_STATE_PROPOSED';
	const say = async (proof: ProofView, isSeen: boolean) => {
		const list = isSeen ? { seen: [proof.evidence] } : { not_seen: [proof.evidence] };
		setIsBusy(true);
		setRefusal('');
		try {
			await post<CaseRow>(`/api/v1/cases/${row.request_id}/actions`, {
				action: 'CASE_ACTION_EVIDENCE',
				version: row.version,
				...list,
			});
			toast(t(isSeen ? 'desk.proof.toast-seen' : 'desk.proof.toast-not'));
		} catch (error) {
			setRefusal(desk.failed(error));
		}
		await reload(); // also when somebody was faster
		setIsBusy(false);
	};
	const ask = () => {
		const draft = draftOf(row.request_id, 'ask');
		if (!draft.text.trim()) keepDraft(row.request_id, 'ask', { ...draft, text: askText(missing, view.language) });
		onAsk();
	};
	return (
		<section>
			<h2>{t('desk.proof.title')}</h2>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<ul class="desk-proofs">
				{proofs.map((proof) => (
					<li key={proof.evidence}>
						<Chip icon={isMissing(proof) ? 'warning' : 'success'} kind={isMissing(proof) ? 'warning' : 'success'}>
							{t(isMissing(proof) ? 'desk.proof.missing' : 'desk.proof.there')}
						</Chip>{' '}
						{words(proof.text)} <span class="desk-minor">{whereText(proof, view.fields)}</span>
						{canSay && proof.can_be_paper && isMissing(proof) && (
							<Button isBusy={isBusy} label={t('desk.proof.seen-of', { what: words(proof.text) })} onPress={() => void say(proof, true)}>
								{t('desk.proof.seen')}
							</Button>
						)}
						{canSay && proof.source === 'PROOF_SOURCE_PAPER' && (
							<Button isBusy={isBusy} label={t('desk.proof.not-seen-of', { what: words(proof.text) })} onPress={() => void say(proof, false)}>
								{t('desk.proof.not-seen')}
							</Button>
						)}
					</li>
				))}
			</ul>
			{missing.length > 0 && canAsk && (
				<Button icon="advice" onPress={ask}>
					{t('desk.proof.ask')}
				</Button>
			)}
		</section>
	);
}

const isMissing = ({ source }: ProofView): boolean => source === 'PROOF_SOURCE_NONE';

/** One list in plain words, in the resident's language. */
function askText(missing: ProofView[], language: string): string {
	const list = missing.map(({ text }, at) => `${at + 1}. ${(language === 'en' ? text?.en : text?.zh) ?? ''}`);
	return [textFor(language, 'desk.proof.ask-text'), ...list].join('\n');
}

function whereText(proof: ProofView, fields: FieldView[]): string {
	switch (proof.source) {
		case 'PROOF_SOURCE_REQUEST':
			return t('desk.proof.by-request', { field: words(fields.find(({ id }) => id === proof.field)?.label) || proof.field });
		case 'PROOF_SOURCE_RECORD':
			return t('desk.proof.by-record');
		case 'PROOF_SOURCE_PAPER':
			return t('desk.proof.by-paper', { name: proof.by, time: momentText(proof.time_ms) });
		default:
			return proof.before_step > 0 ? t('desk.proof.before-step', { step: proof.before_step }) : t('desk.proof.before-grant');
	}
}

/** What stands in the way of a decision. */
export function Missing({ proofs }: { proofs: ProofView[] }) {
	if (proofs.length === 0) return null;
	return (
		<Notice kind="danger" title={t('desk.proof.in-the-way')}>
			<ul>
				{proofs.map((proof) => (
					<li key={proof.evidence}>{words(proof.text)}</li>
				))}
			</ul>
		</Notice>
	);
}
