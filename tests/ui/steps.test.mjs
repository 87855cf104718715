// What is asked for a request, in order, and what is sent of it: with children, health, and others who would be told.
// tests/unit/domain/test_consent.c holds the daemon to the same.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const { buildSync } = createRequire(new URL('../../common/ui/package.json', import.meta.url))('esbuild');
const source = new URL('../../common/ui/src/steps.ts', import.meta.url).pathname;
const built = buildSync({ entryPoints: [source], bundle: true, format: 'esm', write: false }).outputFiles[0].text;
const { commandOf, emptyFilling, HEALTH, isUnder14, namesOf, PRIVACY, stepFault, stepsOf } = await import(
	`data:text/javascript,${encodeURIComponent(built)}`
);

const NOW_MS = 1795302821847; // 22 November 2026 in Shanghai
const field = (id, type, more = {}) => ({
	id, type: `FIELD_TYPE_${type}`, is_required: false, least: '0', most: '0', choices: [], meaning: 'FIELD_MEANING_NONE',
	is_personal: false, is_health: false, is_birth_date: false, is_told: false, ...more,
});
const SERVICE = {
	id: 'course',
	revision: 3,
	fields: [
		field('name', 'PERSON', { is_required: true }),
		field('number', 'ID_NUMBER', { meaning: 'FIELD_MEANING_APPLICANT_NUMBER' }),
		field('ill', 'YES_NO', { is_health: true }),
		field('note', 'LONG_TEXT', { most: '20' }),
	],
	privacy: { keep_months: 36, keep_from: 'KEEP_FROM_CLOSED' },
	sharing: [{ id: 'school', is_needed: false }, { id: 'clinic', is_needed: true }],
	may_concern_children: false,
	owner_rules: [],
};
const given = { is_given: true, time_ms: 1 };
const refused = { is_given: false, time_ms: 2 };
const keys = (filling) => stepsOf(filling, NOW_MS).map(({ key }) => key);
const filled = (more = {}) => ({
	...emptyFilling(SERVICE),
	answers: { name: [' 张三 '], ill: ['yes'] },
	agreed: { [PRIVACY]: given, [HEALTH]: given, 'consents.sharing.school': refused, 'consents.sharing.clinic': given },
	...more,
});

test('consents stand before what they are for', () => {
	const sharing = ['consents.sharing.school', 'consents.sharing.clinic'];
	assert.deepEqual(keys(filled()), ['name', 'number', HEALTH, 'ill', 'note', ...sharing]);
	assert.deepEqual(keys(filled({ service: { ...SERVICE, may_concern_children: true } })).slice(0, 2), ['.child', 'name']);
	assert.deepEqual(keys({ ...emptyFilling({ ...SERVICE, privacy: undefined, sharing: [] }) }), ['name', 'number', 'ill', 'note']);
});

test('who refuses a consent about health is not asked, and what was typed before is not sent', () => {
	const filling = filled({ agreed: { ...filled().agreed, [HEALTH]: refused } });
	assert.ok(!keys(filling).includes('ill'));
	const { values, consents } = commandOf(filling, 'zh-CN', NOW_MS);
	assert.deepEqual(values, [{ field: 'name', values: ['张三'], files: [] }]);
	assert.deepEqual(consents.map(({ kind, sharing, is_given }) => [kind.slice(13), sharing, is_given]), [
		['PRIVACY', '', true], ['HEALTH', '', false], ['SHARING', 'school', false], ['SHARING', 'clinic', true],
	]);
});

test('what may be refused and what may not', () => {
	const fault = (key, agreed) => stepFault(stepsOf(filled(), NOW_MS).find((step) => step.key === key), filled({ agreed }))?.rule;
	assert.equal(fault('consents.sharing.school', {}), 'consent-missing', 'it has to be asked');
	assert.equal(fault('consents.sharing.school', { 'consents.sharing.school': refused }), undefined);
	assert.equal(fault('consents.sharing.clinic', { 'consents.sharing.clinic': refused }), 'consent-missing');
	assert.equal(fault(HEALTH, { [HEALTH]: refused }), undefined, 'no question about health needs an answer');
	const needed = { ...SERVICE, fields: SERVICE.fields.map((f) => (f.id === 'ill' ? { ...f, is_required: true } : f)) };
	assert.equal(stepFault({ key: HEALTH, at: 'health' }, filled({ service: needed, agreed: { [HEALTH]: refused } })).rule, 'consent-missing');
});

test('a guardian is asked for when somebody says so, or the number does', () => {
	const guardian = ['carer.name', 'carer.relation', 'carer.phone'];
	const children = { ...SERVICE, may_concern_children: true };
	const said = filled({ service: children, answers: { ...filled().answers, '.child': ['yes'] } });
	assert.deepEqual(keys(said).slice(0, 5), ['.child', ...guardian, 'name']);
	const told = filled({ answers: { name: ['张三'], number: ['990114201602290011'] } });
	assert.deepEqual(keys(told).slice(0, 5), ['name', 'number', ...guardian]);
	told.answers = { ...told.answers, 'carer.name': ['李四'], 'carer.relation': ['母亲'], 'carer.phone': ['000 0000 0000'] };
	const command = commandOf(told, 'zh-CN', NOW_MS);
	assert.deepEqual(command.carer, { name: '李四', relation: '母亲', phone: '00000000000', scope: 'CARER_SCOPE_ALL' });
	assert.ok(command.consents.every((consent) => consent.is_by_carer));
	assert.equal(command.is_for_child, false);
	assert.ok(!command.values.some((value) => value.field.startsWith('carer')));
	assert.equal(commandOf(filled(), 'zh-CN', NOW_MS).carer, undefined);
});

test('who acts for somebody says who they are and what they may do; a service can be for oneself alone', () => {
	const carer = ['carer.name', 'carer.relation', 'carer.phone', 'carer.scope'];
	const acting = filled({ isActing: true });
	acting.service = { ...SERVICE, fields: SERVICE.fields.map((f) => (f.id === 'name' ? { ...f, meaning: 'FIELD_MEANING_APPLICANT_NAME' } : f)) };
	assert.deepEqual(keys(acting).slice(0, 6), [...carer, 'name', 'number']);
	const hints = stepsOf(acting, NOW_MS).filter(({ at }) => at === 'question').map(({ field }) => [field.id, field.hint?.zh]);
	assert.deepEqual(hints.filter(([, hint]) => hint === '写本人的，不是代办人的。').map(([id]) => id), ['name', 'number']);
	assert.equal(stepFault(stepsOf(acting, NOW_MS)[3], acting).rule, 'required', 'what they may do has to be said');
	assert.deepEqual(namesOf(acting, NOW_MS), { name: '张三', by_name: '' });
	const said = { 'carer.name': ['李四'], 'carer.relation': ['邻居'], 'carer.phone': ['000 0000 0000'], 'carer.scope': ['CARER_SCOPE_MODULE'] };
	acting.answers = { ...acting.answers, ...said };
	const command = commandOf(acting, 'zh-CN', NOW_MS);
	assert.deepEqual(command.carer, { name: '李四', relation: '邻居', phone: '00000000000', scope: 'CARER_SCOPE_MODULE' });
	assert.deepEqual(command.values.map(({ field }) => field), ['name', 'ill'], 'and what was asked of the person is sent');
	assert.ok(command.consents.every((consent) => consent.is_by_carer));
	assert.deepEqual(namesOf(acting, NOW_MS), { name: '张三', by_name: '李四' });
	assert.equal(namesOf(filled(), NOW_MS), null);
	const alone = filled({ isActing: true, service: { ...SERVICE, only_self: { zh: '要本人办。', en: 'Only you.' } } });
	assert.equal(keys(alone)[0], 'name');
	assert.equal(commandOf(alone, 'zh-CN', NOW_MS).carer, undefined);
	const child = filled({ isActing: true, service: { ...SERVICE, may_concern_children: true }, answers: { '.child': ['yes'] } });
	assert.deepEqual(keys(child).slice(0, 5), ['.child', ...carer.slice(0, 3), 'name'], 'a guardian needs no leave');
});

test('14 on the day, in Shanghai', () => {
	for (const [born, isChild] of [[20121122, false], [20121123, true], [20121201, true], [20130101, true], [19491231, false], [0, false]])
		assert.equal(isUnder14(born, NOW_MS), isChild, String(born));
	assert.ok(isUnder14(20120229, 1772280000000) && !isUnder14(20120229, 1772294400000));
});
