// A paper by the scanner beside a kiosk: its file is offered by the terminal while this question is on the screen, and once.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get } from './api';
import { bytesOf } from './file';
import { t } from './i18n';
import { announce, Button, Notice } from './parts';
import { fileFrom, type Taken } from './picture';
import type { FileView } from './types';

const LOOK_MS = 1_200; // the terminal wants to see a file twice, a second apart

/** The browser of a kiosk with a scanner is started with /?scanner=yes. */
export function hasScanner(): boolean {
	return new URLSearchParams(location.search).get('scanner') === 'yes';
}

export interface ScannerProps {
	most: number; // bytes of the file
	file: string; // base64; empty: none yet
	onFile: (file: string) => void;
}

/** The file, or the rule that it breaks; null: none has come. */
async function look(most: number): Promise<Taken | null> {
	try {
		const { type, content } = await get<FileView>('/api/v1/scan');
		return await fileFrom(new Blob([bytesOf(content) as BlobPart], { type }), most);
	} catch (e) {
		const code = e instanceof ApiError ? e.code : '';
		if (code === 'too-big') return { file: '', rule: 'file-too-big' };
		return code === 'invalid' ? { file: '', rule: 'not-a-file' } : null;
	}
}

export function Scanner({ most, file, onFile }: ScannerProps): JSX.Element {
	const [wrong, setWrong] = useState('');
	useEffect(() => {
		if (file) return;
		let isGone = false;
		let timer = 0;
		const again = async () => {
			const taken = await look(most);
			if (isGone) return;
			if (taken?.file) {
				announce(t('common.file.given'));
				onFile(taken.file);
				return;
			}
			if (taken?.rule) {
				const text = t(`common.rule.${taken.rule}`);
				setWrong(text);
				announce(text, true);
			}
			timer = window.setTimeout(() => void again(), LOOK_MS);
		};
		void again();
		return () => {
			isGone = true;
			clearTimeout(timer);
		};
	}, [file]);
	if (file)
		return (
			<div class="camera">
				<Notice kind="success" title={t('common.file.given')} />
				<Button onPress={() => onFile('')}>{t('common.file.remove')}</Button>
			</div>
		);
	return (
		<div class="camera">
			<Notice kind="info" title={t('common.scanner.how')} />
			{wrong && <Notice kind="warning" title={wrong} />}
		</div>
	);
}
