// What the resident agreed to, and who agreed for them.
import { consentText } from '../src/form';
import { t, words } from '../src/i18n';
import { More } from '../src/parts';
import { PrivacyFacts } from '../src/privacy';
import type { CaseView, Consent, Service } from '../src/types';
import { momentText } from './time';

export function Consents({ view }: { view: CaseView }) {
	const { consents, service } = view;
	const isEmpty = consents.length === 0 && !view.taken_by;
	return (
		<>
			{!isEmpty && (
				<dl class="desk-answers">
					{consents.map((consent) => (
						<div key={consent.kind + consent.sharing}>
							<dt>{nameOf(consent, service)}</dt>
							<dd>
								{consentText(consent.is_given)}{' '}
								<span class="desk-minor">
									{momentText(consent.time_ms)}
									{consent.is_by_carer && ` · ${t('desk.consent.by-carer')}`}
								</span>
							</dd>
						</div>
					))}
					{view.taken_by && (
						<div>
							<dt>{t('desk.consent.taken-by')}</dt>
							<dd>{view.taken_by}</dd>
						</div>
					)}
				</dl>
			)}
			{consents.length === 0 && <p>{t('desk.consent.none')}</p>}
			{service?.privacy && (
				<More name={t('desk.consent.text')}>
					<PrivacyFacts service={service} />
					<p>{words(service.privacy.health_why)}</p>
				</More>
			)}
		</>
	);
}

function nameOf({ kind, sharing }: Consent, service: Service | undefined): string {
	if (kind === 'CONSENT_KIND_HEALTH') return t('common.consent.health');
	if (kind === 'CONSENT_KIND_PRIVACY') return t('desk.consent.privacy');
	const found = service?.sharing.find(({ id }) => id === sharing);
	return `${t('common.sharing.with-whom')}: ${words(found?.with_whom) || sharing}`;
}
