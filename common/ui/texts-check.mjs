// Fails the build if a text is missing or empty in one language, has other {params} there, stands twice, or is used by
// no page; and if a page uses a text that there is not.
//   node texts-check.mjs [REPOSITORY]
// And if a daemon says a sentence on these pages that texts/said.json has not in Chinese, or that file one that no daemon says.
// A key counts as used if it stands in the source as a string, or if a template such as `common.rule.${rule}` begins like it.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../..');
const shared = join(root, 'common/ui');
const folders = [
	join(shared, 'src'),
	join(shared, 'desk'),
	join(shared, 'kiosk'),
	join(root, 'terminal/ui'),
	join(root, 'subcenter/ui'),
	join(root, 'hub/ui'),
];

function sourcesIn(folder) {
	if (!existsSync(folder)) return [];
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(path);
		return /\.tsx?$/.test(entry.name) ? [path] : [];
	});
}

function textsOf(language) {
	const seen = new Set();
	const faults = [];
	const text = readFileSync(join(shared, 'texts', `${language}.json`), 'utf8');
	for (const [, key] of text.matchAll(/^\s*"([^"]+)":/gm)) {
		if (seen.has(key)) faults.push(`${language}: "${key}" stands twice`);
		seen.add(key);
	}
	const texts = JSON.parse(text);
	for (const [key, words] of Object.entries(texts))
		if (typeof words !== 'string' || words.trim() === '') faults.push(`${language}: "${key}" is empty`);
	return { texts, faults };
}

const paramsOf = (text) =>
	[...new Set([...String(text).matchAll(/\{(\w+)\}/g)].map((m) => m[1]))].sort().join(',');

const zh = textsOf('zh-CN');
const en = textsOf('en');
const faults = [...zh.faults, ...en.faults];
for (const key of new Set([...Object.keys(zh.texts), ...Object.keys(en.texts)])) {
	if (!(key in zh.texts)) faults.push(`zh-CN: "${key}" is missing`);
	else if (!(key in en.texts)) faults.push(`en: "${key}" is missing`);
	else if (paramsOf(zh.texts[key]) !== paramsOf(en.texts[key]))
		faults.push(`"${key}" has other parameters in the other language`);
}

const source = folders
	.flatMap(sourcesIn)
	.map((path) => readFileSync(path, 'utf8'))
	.join('\n');
const literals = new Set([...source.matchAll(/['"]((?:common|kiosk|desk)\.[\w.-]+)['"]/g)].map((m) => m[1]));
const prefixes = [...source.matchAll(/`((?:common|kiosk|desk)\.[\w.-]+)\$\{/g)].map((m) => m[1]);
for (const key of Object.keys(zh.texts))
	if (!literals.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)))
		faults.push(`"${key}" is used nowhere`);
for (const key of literals) if (!(key in zh.texts)) faults.push(`the source uses "${key}", which has no text`);

// ---- sentences of the daemons (src/said.tsx) ----

const SPEAKERS = {
	'common/domain': 'apply case case_open directory draft erase history join publication request rotation token',
	'common/node':
		'answer decode devices directory greet history join_device join_hub links neighbour_clock peers quarantine returning rotation status take tokens',
	'common/journal': 'check open receive',
	'common/desk': 'api erase event session views',
	hub: 'publication',
	subcenter: 'intake',
	terminal: 'condition',
};
// Of the machine, or of a program that calls an address by hand: a page has words of its own for these.
const NOT_FOR_PEOPLE = /no memory|cannot be (read|shown|listed)|cannot look|^view is |^this cannot be done now|^; this device/;

function literalsOf(path) {
	if (!existsSync(path)) faults.push(`said.json: there is no ${path} to look for sentences`);
	if (!existsSync(path)) return [];
	const code = readFileSync(path, 'utf8')
		.replace(/\/\*[\s\S]*?\*\/|^#.*$|\blog_write\([^;]*;/gm, '')
		.replace(/"\s*PRI\w+\s*"/g, 'd')
		.replace(/"\s*"/g, '');
	return [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text]) => {
		let n = 0;
		return text.replace(/%(%|[-+ #0-9.*]*(?:hh|h|ll|l|z|j)?[a-zA-Z])/g, (_, what) => (what === '%' ? '%' : `{${++n}}`));
	});
}

const saidFile = join(shared, 'texts/said.json');
if (existsSync(saidFile)) {
	const said = JSON.parse(readFileSync(saidFile, 'utf8'));
	const spoken = new Set();
	for (const [room, names] of Object.entries(SPEAKERS))
		for (const name of names.split(' '))
			for (const text of literalsOf(join(root, room, `${name}.c`))) {
				spoken.add(text);
				const isSentence = /[a-z'] [a-z{]/i.test(text) && text.split(' ').length > 2 && !text.startsWith('lm ');
				if (isSentence && !NOT_FOR_PEOPLE.test(text) && !(text in said))
					faults.push(`said.json: "${text}" (${room}/${name}.c) is missing`);
			}
	for (const [text, words] of Object.entries(said)) {
		if (!spoken.has(text)) faults.push(`said.json: no daemon says "${text}"`);
		const parts = (of) => JSON.stringify([...new Set(of.match(/\{\d\}/g))].sort());
		if (!words.trim() || /[{]/.test(words.replace(/\{\d\}/g, ''))) faults.push(`said.json: "${text}" has no good Chinese`);
		if ([...(words.match(/\{\d\}/g) ?? [])].some((part) => !parts(text).includes(part)))
			faults.push(`said.json: "${text}" has not the parts of its Chinese`);
	}
}

if (faults.length > 0) {
	console.error(faults.map((fault) => `texts: ${fault}`).join('\n'));
	process.exit(1);
}
