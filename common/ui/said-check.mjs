// Fails if a daemon says a sentence on the pages that texts/said.json has not in Chinese, or that file has one that no daemon says.
//   node said-check.mjs [REPOSITORY]
// A test and not the build: a page shows what it does not know in English, and marks it as English.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../..');
const faults = [];

const SPEAKERS = {
	'common/domain':
		'apply assessor case case_move case_open certificate certificate_apply directory draft erase erase_word history join new_code notice person person_check publication refer report_sent request rotation token wording work',
	'common/node':
		'answer decode devices directory greet history join_device join_hub links neighbour_clock peers publication quarantine returning rotation share status take tokens',
	'common/journal': 'check open receive',
	'common/desk': 'act api bulk contacts certificates certificate_views deciding erase event letters new_code person_event person_views persons publications publication_steps publication_views registry report_count reports rings lockout login accounts sessions sms views wordings work',
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

const said = JSON.parse(readFileSync(join(root, 'common/ui/texts/said.json'), 'utf8'));
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
	const parts = (of) => of.match(/\{\d\}/g) ?? [];
	if (!words.trim() || parts(words).some((part) => !parts(text).includes(part)))
		faults.push(`said.json: "${text}" has no Chinese, or parts that it has not`);
}

if (faults.length > 0) {
	console.error(faults.join('\n'));
	process.exit(1);
}
