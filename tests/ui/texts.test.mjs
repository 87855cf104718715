// Does the build fail on every kind of bad text, and does it write moments and days as the district reads them?
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
let folder;

before(() => {
	folder = mkdtempSync(join(tmpdir(), 'lm-texts-'));
	mkdirSync(join(folder, 'common/ui/texts'), { recursive: true });
	mkdirSync(join(folder, 'hub/ui'), { recursive: true });
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Checks a small repository: its texts as they stand in the files, and one page. */
function check(zh, en, page = "t('desk.a', { n }); t(`desk.kind.${kind}`);") {
	const text = (texts) => (typeof texts === 'string' ? texts : JSON.stringify(texts, null, '\t'));
	writeFileSync(join(folder, 'common/ui/texts/zh-CN.json'), text(zh));
	writeFileSync(join(folder, 'common/ui/texts/en.json'), text(en));
	writeFileSync(join(folder, 'hub/ui/app.tsx'), page);
	const { status, stderr } = spawnSync(process.execPath, [file('../../common/ui/texts-check.mjs'), folder], { encoding: 'utf8' });
	return status === 0 ? 'good' : stderr.trim();
}

const ZH = { 'desk.a': '共 {n} 件', 'desk.kind.x': '甲' };
const EN = { 'desk.a': '{n} requests', 'desk.kind.x': 'X' };

test('bad texts fail the build', () => {
	assert.equal(check(ZH, EN), 'good');
	assert.match(check({ ...ZH, 'desk.kind.y': '乙' }, EN), /en: "desk\.kind\.y" is missing/);
	assert.match(check(ZH, { ...EN, 'desk.kind.y': 'Y' }), /zh-CN: "desk\.kind\.y" is missing/);
	assert.match(check(ZH, { ...EN, 'desk.kind.x': ' ' }), /en: "desk\.kind\.x" is empty/);
	assert.match(check({ ...ZH, 'desk.kind.x': '' }, EN), /zh-CN: "desk\.kind\.x" is empty/);
	assert.match(check(ZH, { ...EN, 'desk.a': 'requests' }), /"desk\.a" has other parameters/);
	assert.match(check(ZH, { ...EN, 'desk.a': '{count} requests' }), /"desk\.a" has other parameters/);
	assert.match(check(ZH, EN, "t(`desk.kind.${kind}`);"), /"desk\.a" is used nowhere/);
	assert.match(check(ZH, EN, "t('desk.a'); t(`desk.kind.${kind}`); t('desk.b');"), /uses "desk\.b", which has no text/);
	assert.match(check('{\n"desk.a": "{n}",\n"desk.a": "{n}"\n}', EN), /zh-CN: "desk\.a" stands twice/);
});

test('every sentence of a daemon for these pages has its Chinese', () => {
	const run = (...repository) => spawnSync(process.execPath, [file('../../common/ui/said-check.mjs'), ...repository], { encoding: 'utf8' }).stderr;
	const says = (source, said) => {
		mkdirSync(join(folder, 'common/domain'), { recursive: true });
		writeFileSync(join(folder, 'common/domain/case.c'), source);
		writeFileSync(join(folder, 'common/ui/texts/said.json'), JSON.stringify(said));
		return run(folder).split('\n').filter((line) => !/there is no .* to look for sentences/.test(line)).join('\n');
	};
	const source = 'error_set(e, ERR_DENIED, "town %.20s may not " /* why */\n\t"write %" PRIu64 " here");';
	assert.equal(says(source, { 'town {1} may not write {2} here': '街镇 {1} 不能写 {2}' }), '');
	assert.match(says(source, {}), /"town \{1\} may not write \{2\} here" .* is missing/);
	assert.match(says('', { 'town {1} is gone': '街镇 {1} 没有了' }), /no daemon says "town \{1\} is gone"/);
	assert.match(says(source, { 'town {1} may not write {2} here': '{3} 不能写' }), /parts that it has not/);
	assert.equal(says('log_write(LOG_INFO, "event", "a sentence for the log");', {}), '');
	assert.equal(run(), '', 'in this repository');
});

test('sentences of daemons are said in the language chosen, those within them, too', async () => {
	const { buildSync } = createRequire(file('../../common/ui/package.json'))('esbuild');
	const code = `export * from ${JSON.stringify(file('../../common/ui/src/i18n.ts'))}; export * from ${JSON.stringify(file('../../common/ui/src/said.tsx'))};`;
	const tsconfig = file('../../common/ui/tsconfig.json');
	const built = buildSync({ stdin: { contents: code, resolveDir: '/' }, bundle: true, format: 'esm', write: false, tsconfig });
	globalThis.document = { documentElement: {} };
	const { saidText, setLanguage } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);
	setLanguage('zh-CN');
	assert.equal(
		saidText('town 310114106 refuses this key: revoked on 2026-11-22 by chen: 示例：失窃 (twice)'),
		'town 310114106 拒绝这个密钥：2026-11-22 由 chen 吊销：示例：失窃 (twice)。',
	);
	assert.equal(saidText('its clock is 75 s ahead'), '它的时钟快了 75 秒。');
	assert.equal(saidText('requests: this case is open; it is erased when it is closed'), '这一件还没有办结，办结以后才能删除。');
	assert.equal(saidText('nobody has ever said this'), undefined);
	setLanguage('en');
	assert.equal(saidText('requests: this case is open; it is erased when it is closed'), 'This case is open; it is erased when it is closed.');
	assert.equal(saidText('nobody has ever said this'), undefined);
});

test('moments are those of Shanghai, days are days', async () => {
	const { buildSync } = createRequire(file('../../common/ui/package.json'))('esbuild');
	const built = buildSync({ entryPoints: [file('../../common/ui/src/i18n.ts')], bundle: true, format: 'esm', write: false });
	globalThis.document = { documentElement: {} };
	const { dateText, setLanguage, timeText } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);
	const late_ms = Date.UTC(2026, 10, 21, 17, 30); // the 22nd by then
	setLanguage('zh-CN');
	assert.equal(timeText(String(late_ms)), '2026年11月22日 01:30');
	assert.equal(dateText('2026-11-22'), '2026年11月22日');
	setLanguage('en');
	assert.equal(timeText(late_ms).replace(/\s/g, ' '), 'Nov 22, 2026, 1:30 AM');
	assert.equal(dateText('2026-11-22'), 'November 22, 2026');
	assert.equal(dateText('2026-13-40'), '2026-13-40', 'what is no day stays as it is');
});
