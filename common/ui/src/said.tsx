// What a daemon says in English, in the language chosen. texts/said.json has its sentences with their Chinese; {1} is whatever
// stands there, and may be a sentence, too. said-check.mjs tells when a daemon says something that is not in it.
import type { JSX } from 'preact';
import sentences from '../texts/said.json';
import { language } from './i18n';

const FIELD = /^[a-z_]+(\[\d+\])?: /; // "reason: say why": the page shows which one is meant
const PATTERNS = Object.entries(sentences)
	.sort(([a], [b]) => b.length - a.length) // the most exact first
	.map(([english, chinese]) => ({
		pattern: new RegExp(`^${english.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\d\}/g, '(.*?)')}$`, 's'),
		chinese,
	}));

function inChinese(sentence: string): string | undefined {
	for (const { pattern, chinese } of PATTERNS) {
		const found = pattern.exec(sentence);
		if (found) return chinese.replace(/\{(\d)\}/g, (_, n: string) => inChinese(found[Number(n)]!) ?? found[Number(n)]!);
	}
	return undefined;
}

/** In the language chosen; undefined for a sentence that nobody has put into Chinese, whatever the language. */
export function saidText(sentence: string): string | undefined {
	const chinese = inChinese(sentence);
	if (!chinese || language() === 'zh-CN') return chinese && `${chinese}。`;
	const words = sentence.replace(FIELD, '');
	return `${words[0]!.toUpperCase()}${words.slice(1)}.`;
}

/** A sentence of a daemon; in English, and marked as English, if this page does not know it. */
export function Said({ text }: { text: string }): JSX.Element {
	const known = saidText(text);
	return (
		<span class="desk-block" lang={known ? undefined : 'en'}>
			{known ?? text}
		</span>
	);
}
