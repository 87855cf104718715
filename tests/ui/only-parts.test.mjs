// Pages are made of the shared parts: no element of their own where there is a part, no colour of their own.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PARTS = 'common/ui/src/parts/'; // where the elements are
const PAGES = ['common/ui/src', 'common/ui/desk', 'common/ui/kiosk', 'common/ui/publish', 'common/ui/preview', 'common/ui/parts-page', 'terminal/ui', 'subcenter/ui', 'hub/ui'];

const RULES = [
	{ ending: /\.tsx$/, found: /<(button|dialog|table|input|textarea|select|details)(?=[\s/>])/g, why: 'is a part of common/ui/src' },
	{ ending: /\.tsx$/, found: /<(div|span|p|li|td)\s[^>]*\bonClick\b/g, why: 'cannot be pressed by key: use Button' },
	{ ending: /\.(tsx|html)$/, found: /\sstyle=["{]/g, why: 'belongs into a style sheet' },
	{ ending: /\.tsx$/, found: /['"`]#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})['"`]/gi, why: 'is a colour: tokens.css names it' },
	{ ending: /\.css$/, found: /#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b|\b(?:rgb|hsl)a?\(/gi, why: 'is a colour: tokens.css names it' },
];

function findings(name, text) {
	const bare = text.replace(/\/\*[^]*?\*\//g, '').replace(/(^|[^:])\/\/.*$/gm, '$1'); // what comments say is no element
	return RULES.filter(({ ending }) => ending.test(name)).flatMap(({ found, why }) =>
		[...bare.matchAll(found)].map(([what]) => `${name}: ${what} ${why}`),
	);
}

function filesIn(folder) {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
		entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)],
	);
}

test('the check finds what pages must not have', () => {
	for (const [name, text] of [
		['a.tsx', '<button type="button">'],
		['a.tsx', '\t<dialog\n\topen>'],
		['a.tsx', '<table>'],
		['a.tsx', '<input/>'],
		['a.tsx', '<textarea rows={4} />'],
		['a.tsx', '<details>'],
		['a.tsx', '<div class="b" onClick={go}>'],
		['a.tsx', '<p style={{ margin: 0 }}>'],
		['a.html', '<p style="margin: 0">'],
		['a.tsx', "const red = '#B00020';"],
		['a.css', 'a { color: #abc; }'],
		['a.css', 'a { color: #aabbccdd; }'],
		['a.css', 'a { background: rgba(0, 0, 0, 0.1); }'],
	])
		assert.equal(findings(name, text).length, 1, text);
	assert.deepEqual(findings('a.tsx', "// a <button> of our own\n<Button>#1</Button>; <Table<Row> />; href('#/cases')"), []);
	assert.deepEqual(findings('a.css', '/* #fff */\n#app { color: var(--ink); }'), []);
});

test('pages use the shared parts and colours only', () => {
	const files = PAGES.flatMap(filesIn).filter((name) => !name.startsWith(PARTS));
	assert.ok(files.length > 40, 'it looks at the pages');
	assert.deepEqual(
		files.flatMap((name) => findings(name, readFileSync(join(root, name), 'utf8'))),
		[],
	);
});
