// A file that a request holds. It comes as bytes in JSON, so no address shows it as a page; a picture is drawn from them by
// an <img>, which runs no scripts, and a PDF is only handed to the person as a download.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get } from '../src/api';
import { bytesOf, fileTypeOf } from '../src/file';
import { t } from '../src/i18n';
import { Button, Chip } from '../src/parts';
import type { FieldView, FileView } from '../src/types';

interface FileProps {
	requestId: string;
	field: string;
	version?: number; // of the event in which staff filled it in
	label: string; // the question
}

export function FileAnswer({ requestId, field, version, label }: FileProps) {
	const [shown, setShown] = useState<{ url: string; type: string } | null>(null);
	const [fault, setFault] = useState('');
	useEffect(() => () => shown?.url && URL.revokeObjectURL(shown.url), [shown]); // nothing of it stays behind
	const show = async () => {
		setFault('');
		try {
			const { content } = await get<FileView>(`/api/v1/cases/${requestId}/${version ? `events/${version}/` : ''}files/${field}`);
			const bytes = bytesOf(content);
			const type = fileTypeOf(bytes); // by the bytes, whatever anybody says
			if (type) setShown({ url: URL.createObjectURL(new Blob([bytes as BlobPart], { type })), type });
			else setFault(t('desk.file.unknown'));
		} catch (e) {
			setFault(t(e instanceof ApiError && e.code === 'damaged' ? 'desk.file.damaged' : 'desk.file.failed'));
		}
	};
	if (!shown)
		return (
			<>
				<Button icon="search" label={`${t('desk.file.show')}: ${label}`} onPress={() => void show()}>
					{t('desk.file.show')}
				</Button>
				{fault && <p role="alert">{fault}</p>}
			</>
		);
	if (shown.type !== 'application/pdf') return <img class="desk-picture" src={shown.url} alt={label} />;
	return (
		<a class="button plain" href={shown.url} download="document.pdf">
			{t('desk.file.download')}
		</a>
	);
}

/** The file of a request, once all of it is here. Who was referred a case has only the request: parts stay where they came. */
export function RequestFile({ requestId, field, label, isReferred }: { requestId: string; field: FieldView; label: string; isReferred: boolean }) {
	if (field.parts_come === field.parts) return <FileAnswer requestId={requestId} field={field.id} label={label} />;
	const isElsewhere = isReferred && field.parts_come === 0;
	return <Chip kind="info">{isElsewhere ? t('desk.file.elsewhere') : t('desk.file.parts', { come: field.parts_come, parts: field.parts })}</Chip>;
}
