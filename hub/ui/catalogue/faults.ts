// What the daemon's check says, in the reader's language. It decides; this only says it in other words. A sentence that
// is not known here is shown as the daemon says it.
import { language, t, type TextKey } from '../../../common/ui/src/i18n';

const SENTENCES: readonly [RegExp, TextKey][] = [
	[/^a Chinese text is missing$/, 'desk.fault.zh'],
	[/^an English text is missing$/, 'desk.fault.en'],
	[/^longer than (?<most>\d+) characters$/, 'desk.fault.long'],
	[/^lower case letters, digits, - and _, at most (?<most>\d+)$/, 'desk.fault.id'],
	[/is there twice$/, 'desk.fault.twice'],
	[/^a fact has a source, or is_sample is true$/, 'desk.fault.source'],
	[/^a source has a date like/, 'desk.fault.date'],
	[/^(?<least>\d+) to (?<most>\d+) choices are needed$/, 'desk.fault.choices'],
	[/^who must choose may say/, 'desk.fault.unknown'],
	[/^a text has a limit from 1 to (?<most>\d+) characters$/, 'desk.fault.limit'],
	[/^from 0 to (?<most>\d+)$/, 'desk.fault.range'],
	[/^greater than most$/, 'desk.fault.least'],
	[/^one field has the meaning FIELD_MEANING_APPLICANT_NAME$/, 'desk.fault.name'],
	[/^(?<least>\d+) to (?<most>\d+) fields$/, 'desk.fault.fields'],
	[/^at least one step$/, 'desk.fault.steps'],
	[/^the legal basis is missing$/, 'desk.fault.basis'],
];

export interface Said {
	text: string;
	lang: string;
}

export function faultSaid(sentence: string): Said {
	for (const [pattern, key] of SENTENCES) {
		const found = pattern.exec(sentence);
		if (found) return { text: t(key, found.groups ?? {}), lang: language() };
	}
	return { text: sentence, lang: 'en' };
}
