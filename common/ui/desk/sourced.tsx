// A fact about the world has a source and a date, or says that it is a sample nobody has checked.
import { language, t, words } from '../src/i18n';
import { SampleMark } from '../src/parts';
import type { Basis } from '../src/types';

export function Sourced({ facts }: { facts: Basis[] }) {
	if (facts.length === 0) return <p>{t('desk.none')}</p>;
	return (
		<ul>
			{facts.map((fact, at) => (
				<li key={at}>
					{words(fact.text)} <SampleMark isSample={fact.is_sample} />
					{fact.source && (
						<p class="desk-minor">
							{t('kiosk.service.source')}{' '}
							<span lang={language() === 'en' ? 'zh-CN' : undefined}>{fact.source}</span> {fact.date}
						</p>
					)}
				</li>
			))}
		</ul>
	);
}
