// What the daemon's check says, in the reader's language. It decides; this only says it in other words. A sentence that
// is not known here is shown as the daemon says it.
import { language, t, type TextKey } from '../src/i18n';

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
	[/^(?<n>\d+) sentences; at most (?<most>\d+)$/, 'desk.fault.sentences'],
	[/^a sentence of (?<n>\d+) .*; at most (?<most>\d+)$/, 'desk.fault.sentence'],
	[/^there is no place '(?<what>.*)'; places are/, 'desk.fault.place'],
	[/^at most (?<most>\d+) bytes$/, 'desk.fault.bytes'],
	[/^of a decision, and of nothing else$/, 'desk.fault.outcome'],
	[/^which sentence of evidence, from 1 to (?<most>\d+)$/, 'desk.fault.sentence-nth'],
	[/^a step from 1 to (?<most>\d+), or 0$/, 'desk.fault.step-nth'],
	[/^fields, facts or is_paper: /, 'desk.fault.way'],
	[/^no field has the id '(?<what>.*)'$/, 'desk.fault.no-field'],
	[/^there twice$/, 'desk.fault.twice'],
	[/^the rule that gives these days, or a sample$/, 'desk.fault.basis'],
	[/^it is about working_days, and there are none$/, 'desk.fault.no-days'],
	[/full-width/, 'desk.fault.full-width'],
	[/^a Chinese character in an English text/, 'desk.fault.han'],
	[/^(a character that cannot be displayed|a control character)/, 'desk.fault.character'],
	[/^a made-up number begins with 000/, 'desk.fault.made-up'],
	[/^a number that can be called stands in facts/, 'desk.fault.number'],
	[/^(a space at the beginning or at the end|two spaces in a row)$/, 'desk.fault.space'],
	[/^no (Chinese character|English word) in it$/, 'desk.fault.language'],
	[/^what has a source is not a sample$/, 'desk.fault.not-sample'],
	[/^at most (?<most>\d+)$/, 'desk.fault.most'],
	[/which say who can have it$/, 'desk.fault.conditions'],
	[/^the same question as/, 'desk.fault.same'],
	[/^who does not know it must be able to go on/, 'desk.fault.must-not'],
	[/^does not go with the field's type$/, 'desk.fault.type'],
	[/^a service that asks something personal says/, 'desk.fault.privacy'],
	[/^from 1 to (?<most>\d+)$/, 'desk.fault.from-1'],
	[/^at least one step$/, 'desk.fault.steps'],
	[/^the legal basis is missing$/, 'desk.fault.basis'],
	[/^a day like/, 'desk.fault.day'],
	[/^1 to (?<most>\d+) communities$/, 'desk.fault.communities'],
	[/^at least one paragraph$/, 'desk.fault.paragraph'],
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
