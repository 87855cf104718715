// The checks that the pages make before the daemon makes the same ones again.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const { buildSync } = createRequire(new URL('../../common/ui/package.json', import.meta.url))('esbuild');
const source = new URL('../../common/ui/src/rules.ts', import.meta.url).pathname;
const built = buildSync({ entryPoints: [source], bundle: true, format: 'esm', write: false }).outputFiles[0].text;
const { canonical, check, isCertificateNumber, isIdNumber, isReceiptCode } = await import(
	`data:text/javascript,${encodeURIComponent(built)}`
);

const field = (type, more = {}) => ({
	id: 'f',
	type: `FIELD_TYPE_${type}`,
	is_required: false,
	least: '0',
	most: '0',
	choices: [],
	...more,
});
const rule = (f, ...values) => check(f, canonical(f, values))?.rule ?? 'good';

// form.c is held against the same vectors by tests/unit/domain/test_form.c: what the page takes, the daemon takes.
test('every vector of the form rules', () => {
	const path = new URL('../unit/domain/form-vectors.json', import.meta.url);
	const vectors = JSON.parse(readFileSync(path, 'utf8'));
	assert.ok(vectors.length >= 250);
	const choices = [{ id: 'a' }, { id: 'b' }];
	vectors.forEach((vector, i) => {
		const [least, most] = [vector.least ?? 0, vector.most ?? 0];
		const f = field(vector.type, {
			is_required: vector.required ?? false,
			least: String(least),
			most: String(most),
			choices: ['CHOICE', 'SEVERAL'].includes(vector.type) ? choices : [],
		});
		const values = (vector.values ?? []).map((value) => value.repeat(vector.repeat ?? 1));
		const fault = check(f, values, vector.files);
		const name = `vector ${i}: ${JSON.stringify(vector).slice(0, 120)}`;
		assert.equal(fault?.rule ?? 'good', vector.rule, name);
		if (fault) assert.deepEqual([fault.least, fault.most], (vector.limits ?? [least, most]).map(String), name);
	});
});

test('numbers with check characters', () => {
	assert.ok(isIdNumber('11010519491231002X')); // the example of GB 11643-1999
	assert.ok(!isIdNumber('110105194912310021'));
	assert.ok(!isIdNumber('11010519490231002X'), 'there is no 31 February');
	assert.ok(isCertificateNumber('11010519491231002X43'));
	assert.ok(isCertificateNumber('11010519491231002X43B1'));
	assert.ok(!isCertificateNumber('11010519491231002X83'), 'there is no category 8');
	assert.ok(isReceiptCode('123456789014'));
	assert.ok(!isReceiptCode('123456789015'));
	assert.ok(!isReceiptCode('213456789014'), 'two digits changed places');
});

test('each type by its own rule', () => {
	const choices = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
	assert.equal(rule(field('PERSON', { is_required: true }), '  '), 'required');
	assert.equal(rule(field('PERSON'), '张'.repeat(51)), 'too-long');
	assert.equal(rule(field('TEXT', { least: '2', most: '4' }), '𠮷'), 'too-short');
	assert.equal(rule(field('TEXT', { least: '2', most: '2' }), '𠮷𠮷'), 'good', 'characters, not UTF-16 units');
	assert.equal(rule(field('NUMBER', { least: '40', most: '250' }), '0039'), 'too-small');
	assert.equal(rule(field('NUMBER', { least: '40', most: '250' }), '251'), 'too-big');
	assert.equal(rule(field('NUMBER'), '12a'), 'not-a-number');
	assert.equal(rule(field('MONEY', { most: '1250' }), '12.5'), 'good', 'limits are in fen');
	assert.equal(rule(field('MONEY', { most: '1250' }), '12.51'), 'too-big');
	assert.equal(rule(field('MONEY'), '1.234'), 'not-money');
	assert.deepEqual(canonical(field('DATE'), ['2028-2-29']), ['2028-02-29']);
	assert.equal(rule(field('DATE'), '2027-2-29'), 'not-a-date');
	assert.equal(rule(field('DATE'), '2027--'), 'not-a-date');
	assert.equal(rule(field('DATE', { is_required: true }), '--'), 'required');
	assert.equal(rule(field('CHOICE', { choices }), 'd'), 'not-a-choice');
	assert.equal(rule(field('SEVERAL', { choices, least: '2', most: '2' }), 'a'), 'too-few');
	assert.equal(rule(field('SEVERAL', { choices, least: '1', most: '2' }), 'a', 'b', 'c'), 'too-many');
	assert.equal(rule(field('SEVERAL', { choices }), 'a', 'a'), 'not-a-choice');
	assert.equal(rule(field('YES_NO'), 'unknown'), 'good');
	assert.equal(rule(field('PHONE'), '+86 138-0013-8000'), 'good');
	assert.equal(rule(field('PHONE'), '12345'), 'not-a-phone');
	assert.equal(rule(field('CERTIFICATE'), '11010519491231002x 43'), 'good', 'capitals and spaces are mended');
	assert.equal(rule(field('ID_NUMBER'), '11010519491231002'), 'not-an-id-number');
	assert.equal(rule(field('PLACE'), '310114106001-T1'), 'not-a-place');
});
