// What staff fill in when they end a step: the questions, rules and words of a request's form, in the dialog of a decision.
import { answerText, FieldQuestion, type Here } from '../src/form';
import { t, words } from '../src/i18n';
import type { Field, FieldFault } from '../src/types';
import { valueOf, type Draft, type StepForm } from './model';

const HERE: Here = { code: '', name: undefined }; // staff sit in no community
export const formId = (field: string) => `decide-form-${field}`;

interface StepFormProps {
	fields: Field[];
	draft: Draft;
	faults: FieldFault[];
	onChange: (form: StepForm) => void;
}

export function StepQuestions({ fields, draft, faults, onChange }: StepFormProps) {
	const { answers, files } = draft.form;
	return (
		<>
			{fields.map((field) => (
				<FieldQuestion
					key={field.id}
					id={formId(field.id)}
					field={field}
					fault={faults.find((fault) => fault.field === field.id) ?? null}
					here={HERE}
					isCounter
					values={answers[field.id] ?? []}
					onChange={(values) => onChange({ files, answers: { ...answers, [field.id]: values } })}
					file={files[field.id] ?? ''}
					onFile={(file) => onChange({ answers, files: { ...files, [field.id]: file } })}
				/>
			))}
		</>
	);
}

/** What was filled in, before it leaves. */
export function StepAnswers({ fields, draft }: { fields: Field[]; draft: Draft }) {
	const given = fields
		.map((field) => ({ field, text: draft.form.files[field.id] ? t('common.file.given') : answerText(field, valueOf(draft, field), HERE) }))
		.filter(({ field }) => draft.form.files[field.id] || valueOf(draft, field).length > 0);
	return (
		<>
			{given.map(({ field, text }) => (
				<p key={field.id} class="desk-said">
					{words(field.label)} {text}
				</p>
			))}
		</>
	);
}
