// How far a request has come: saved here, at the town, at the district. Each step says so by icon, word and colour.
import type { JSX } from 'preact';
import { t } from 'ui/i18n';
import { Steps } from 'ui/parts';
import type { Marks3 } from 'ui/types';

export function Marks({ marks }: { marks: Marks3 }): JSX.Element {
	return (
		<Steps
			steps={[
				{ name: t('kiosk.mark.saved'), isDone: marks.saved },
				{ name: t('kiosk.mark.town'), isDone: marks.town },
				{ name: t('kiosk.mark.district'), isDone: marks.district },
			]}
		/>
	);
}

/** The newest step in words, to be announced. */
export function marksText(marks: Marks3): string {
	if (marks.district) return t('kiosk.mark.district');
	if (marks.town) return t('kiosk.mark.town');
	return marks.saved ? t('kiosk.mark.saved') : t('common.step.not-yet');
}
