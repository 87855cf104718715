// Fails the build if a text is missing or empty in one language, has other {params} there, stands twice, or is used by
// no page; and if a page uses a text that there is not.
//   node texts-check.mjs [REPOSITORY]
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
	join(shared, 'publish'),
	join(shared, 'preview'),
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

if (faults.length > 0) {
	console.error(faults.map((fault) => `texts: ${fault}`).join('\n'));
	process.exit(1);
}
