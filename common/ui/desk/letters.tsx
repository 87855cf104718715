// Letters to the resident: what the case says, on paper. Each is made when it is asked for, and who asked is kept.
import { useEffect, useState } from 'preact/hooks';
import { post } from '../src/api';
import { bytesOf } from '../src/file';
import { t } from '../src/i18n';
import { Button, Notice } from '../src/parts';
import type { CaseAction, CaseView, FileView, LetterKind } from '../src/types';
import { useDesk } from './session';
import { momentText } from './time';

const TELLS: [LetterKind, CaseAction][] = [
	['LETTER_KIND_ACCEPTED', 'CASE_ACTION_ACCEPT'],
	['LETTER_KIND_MISSING', 'CASE_ACTION_ASK'],
	['LETTER_KIND_DECIDED', 'CASE_ACTION_DECIDE'],
];

interface LettersProps {
	requestId: string;
	view: CaseView;
	reload: () => Promise<void>;
}

export function Letters({ requestId, view, reload }: LettersProps) {
	const desk = useDesk();
	const [made, setMade] = useState<{ url: string; name: string } | null>(null);
	const [busy, setBusy] = useState('');
	const [fault, setFault] = useState('');
	useEffect(() => () => made?.url && URL.revokeObjectURL(made.url), [made]); // nothing of it stays behind
	const can = TELLS.filter(([, action]) => view.events.some((event) => event.action === action && !event.is_absent));
	const make = async (kind: LetterKind, language: string) => {
		setBusy(kind + language);
		setFault('');
		try {
			const { content } = await post<FileView>(`/api/v1/cases/${requestId}/letters`, { kind, language });
			const file = new Blob([bytesOf(content) as BlobPart], { type: 'application/pdf' });
			setMade({ url: URL.createObjectURL(file), name: t(`desk.letter.${kind}`) });
			await reload();
		} catch (error) {
			setFault(desk.failed(error));
		}
		setBusy('');
	};
	return (
		<section>
			<h2>{t('desk.letter.title')}</h2>
			{can.length === 0 && <p>{t('desk.letter.none')}</p>}
			<div class="actions">
				{can.flatMap(([kind]) =>
					(['zh-CN', 'en'] as const).map((language) => (
						<Button key={kind + language} icon="print" isBusy={busy === kind + language} onPress={() => void make(kind, language)}>
							{t('desk.letter.make', { what: t(`desk.letter.${kind}`), language: t(`desk.language.${language}`) })}
						</Button>
					)),
				)}
			</div>
			<div role="alert">{fault && <Notice kind="danger">{fault}</Notice>}</div>
			<div role="status">
				{made && (
					<a class="button plain" href={made.url} download={`${made.name}.pdf`}>
						{t('desk.letter.open', { what: made.name })}
					</a>
				)}
			</div>
			{view.letters.length > 0 && (
				<ul class="desk-minor">
					{view.letters.map(({ letter, time_ms }, at) => (
						<li key={at}>
							{t('desk.letter.printed', {
								what: t(`desk.letter.${letter.kind}`),
								language: t(letter.language === 'en' ? 'desk.language.en' : 'desk.language.zh-CN'),
								name: letter.by,
								time: momentText(time_ms),
							})}
						</li>
					))}
				</ul>
			)}
		</section>
	);
}
