// How far a request has come: saved here, at the town, at the district. Each step says so by icon, word and colour.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Icon } from 'ui/parts';
import type { Marks3 } from 'ui/types';

export function Marks({ marks }: { marks: Marks3 }): JSX.Element {
	const steps = [
		{ name: t('kiosk.mark.saved'), isDone: marks.saved },
		{ name: t('kiosk.mark.town'), isDone: marks.town },
		{ name: t('kiosk.mark.district'), isDone: marks.district },
	];
	return (
		<ol class="marks">
			{steps.map(({ name, isDone }) => (
				<li key={name} class={isDone ? 'mark done' : 'mark'}>
					<Icon name={isDone ? 'success' : 'waiting'} />
					<span>
						{name}
						{!isDone && <span class="mark-word">{t('kiosk.mark.not-yet')}</span>}
					</span>
				</li>
			))}
		</ol>
	);
}

/** The newest step in words, to be announced. */
export function marksText(marks: Marks3): string {
	if (marks.district) return t('kiosk.mark.district');
	if (marks.town) return t('kiosk.mark.town');
	return marks.saved ? t('kiosk.mark.saved') : t('kiosk.mark.not-yet');
}
