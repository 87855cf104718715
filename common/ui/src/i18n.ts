// Texts of the pages in the language chosen. Keys and both languages are checked by the build (texts-check.mjs).
import { useEffect, useState } from 'preact/hooks';
import zh from '../texts/zh-CN.json';
import en from '../texts/en.json';
import type { Words } from './types';

export type Language = 'zh-CN' | 'en';
export type TextKey = keyof typeof zh;
export type TextParams = Record<string, string | number>;

const texts: Record<Language, Record<string, string>> = { 'zh-CN': zh, en };
const listeners = new Set<() => void>();
let current: Language = 'zh-CN';

export function language(): Language {
	return current;
}

export function setLanguage(next: Language): void {
	current = next;
	document.documentElement.lang = next;
	for (const listener of listeners) listener();
}

/** Draws the component again when the language changes; use it at the root of a page. */
export function useLanguage(): Language {
	const [shown, show] = useState(current);
	useEffect(() => {
		const listener = () => show(current);
		listeners.add(listener);
		return () => void listeners.delete(listener);
	}, []);
	return shown;
}

/** The text of a key, with {name} replaced by params.name. */
export function t(key: TextKey, params: TextParams = {}): string {
	return texts[current][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

/** The text in a resident's language, whatever the page's is. */
export function textFor(of: string, key: TextKey): string {
	return texts[of === 'en' ? 'en' : 'zh-CN'][key];
}

/** For keys made from a daemon's word, as in textOr(`common.rule.${rule}`, …): the daemon may be newer than the page. */
export function textOr(key: string, otherwise: TextKey, params: TextParams = {}): string {
	return t((key in zh ? key : otherwise) as TextKey, params);
}

/** The words of the catalogue in the language chosen, else in the other one. */
export function words(w: Words | undefined): string {
	if (!w) return '';
	return current === 'en' ? w.en || w.zh : w.zh || w.en;
}

/** A moment, in Shanghai's time, which is the district's. */
export function timeText(time_ms: string | number): string {
	const options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Shanghai' };
	return new Intl.DateTimeFormat(current, options).format(Number(time_ms));
}

/** A day of the calendar, written YYYY-MM-DD; what is not one stays as it is. */
export function dateText(day: string): string {
	const time_ms = Date.parse(`${day}T00:00:00Z`);
	if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(time_ms)) return day;
	return new Intl.DateTimeFormat(current, { dateStyle: 'long', timeZone: 'UTC' }).format(time_ms);
}
