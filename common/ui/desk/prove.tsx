// What cannot be taken back asks for a code of the second factor, if the last one is older than a few minutes.
import { useState } from 'preact/hooks';
import { post } from '../src/api';
import { t } from '../src/i18n';
import { Button, Dialog, Notice } from '../src/parts';
import { CodeLine, digitsOf, isWrong } from './login';
import { errorText, useDesk } from './session';

export function Prove() {
	const { proved } = useDesk();
	const [code, setCode] = useState('');
	const [isTried, setIsTried] = useState(false);
	const [isBusy, setIsBusy] = useState(false);
	const [refusal, setRefusal] = useState('');
	const isShort = digitsOf(code).length !== 6;
	const send = async () => {
		setIsTried(true);
		setRefusal('');
		if (isShort) return document.getElementById('prove-code')?.focus();
		setIsBusy(true);
		try {
			await post('/api/v1/login/code', { code: digitsOf(code) });
			return proved(true);
		} catch (error) {
			setRefusal(isWrong(error) ? t('desk.login.wrong-code') : errorText(error));
		}
		setCode('');
		setIsTried(false);
		setIsBusy(false);
		document.getElementById('prove-code')?.focus();
	};
	return (
		<Dialog
			title={t('desk.prove.title')}
			onClose={() => proved(false)}
			actions={
				<>
					<Button kind="primary" isBusy={isBusy} onPress={() => void send()}>
						{t('desk.prove.send')}
					</Button>
					<Button onPress={() => proved(false)}>{t('desk.cancel')}</Button>
				</>
			}
		>
			<p>{t('desk.prove.lead')}</p>
			<div role="alert">{refusal && <Notice kind="danger">{refusal}</Notice>}</div>
			<CodeLine id="prove-code" value={code} error={isTried && isShort ? t('desk.login.need-code') : undefined} onType={setCode} />
		</Dialog>
	);
}
