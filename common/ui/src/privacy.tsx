// What a service says about the data that it asks for.
import type { JSX } from 'preact';
import { t, words } from './i18n';
import type { Service, Sharing } from './types';

export function keepText({ privacy }: Service): string {
	if (!privacy) return '';
	const key = privacy.keep_from === 'KEEP_FROM_RECEIVED' ? 'common.privacy.keep-received' : 'common.privacy.keep-closed';
	return t(key, { months: privacy.keep_months });
}

export function PrivacyFacts({ service }: { service: Service }): JSX.Element {
	const { privacy } = service;
	if (!privacy) return <p class="lead">{t('common.privacy.who-usual')}</p>; // a revision from before this was asked
	const facts: [string, string][] = [
		[t('common.privacy.who-asks'), words(privacy.who_asks)],
		[t('common.privacy.purpose'), words(privacy.purpose)],
		[t('common.privacy.who-sees'), words(privacy.who_sees)],
		[t('common.privacy.keep'), keepText(service)],
	];
	return <Facts facts={facts} />;
}

export function SharingFacts({ sharing }: { sharing: Sharing }): JSX.Element {
	return (
		<>
			<Facts
				facts={[
					[t('common.sharing.with-whom'), words(sharing.with_whom)],
					[t('common.sharing.purpose'), words(sharing.purpose)],
				]}
			/>
			<p class="lead">{sharing.is_needed ? t('common.sharing.needed') : t('common.sharing.free')}</p>
		</>
	);
}

function Facts({ facts }: { facts: [string, string][] }): JSX.Element {
	return (
		<dl class="facts">
			{facts.map(([name, text]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{text}</dd>
				</div>
			))}
		</dl>
	);
}
