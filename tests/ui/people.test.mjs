// The town's registry of residents, by keys alone: found, opened for a purpose and never without, as the record says.
import assert from 'node:assert/strict';
import { after, before, test as nodeTest } from 'node:test';
import { launch } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const NAME = '单示例甲';
const HEAD = '99011419580301001'; // region 990114 is nobody's
const FACTS = {
	name: NAME,
	sex: 'SEX_MALE',
	birth: '1958-03-01',
	community: '310114106001',
	address: '示例路一号',
	contacts: [{ phone: '00012345678' }],
	access: ['ACCESS_NEED_LARGE_TEXT'],
	representatives: [
		{ name: '示例女儿', relation: '女儿', phone: '00087654321', scope: 'SCOPE_REQUESTS', from: '2020-01-01' },
		{ name: '示例儿子', relation: '儿子', scope: 'SCOPE_MONEY', from: '2020-01-01', until: '2021-01-01' },
	],
	benefits: [{ benefit: 'nursing-subsidy', from: '2026-01-01' }],
	devices: ['hearing-aid'],
	consents: [{ topic: 'TOPIC_RECORD', is_given: true, day: '2026-01-01' }],
};

let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

let browser, district, first, second, person, owner, request;

/** As a page asks; for what another clerk does meanwhile. */
function ask(clerk, path, command) {
	return clerk.page.evaluate(
		async ([path, command]) => {
			const { csrf } = await (await fetch('/api/v1/me')).json();
			const headers = { 'Content-Type': 'application/json', 'X-Lm-Csrf': csrf };
			return (await fetch(path, command && { method: 'POST', headers, body: JSON.stringify(command) })).json();
		},
		[path, command],
	);
}

/** Another clerk's step on a record. */
async function act(id, action, command) {
	const path = `/api/v1/persons/${id}`;
	const { version } = await ask(second, `${path}/look`, { purpose: 'LOOK_PURPOSE_UPKEEP' });
	const step = await ask(second, path, { action, version, ...command });
	assert.ok(step.is_saved, JSON.stringify(step));
}

const looksAt = async (id) => (await ask(second, `/api/v1/persons/${id}/looks`)).looks.map(({ purpose, by }) => `${purpose} ${by}`);

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict('--two-towns')]);
	first = await Clerk.arrive(browser, district.town.url);
	second = await Clerk.arrive(browser, district.town.url);
	await first.logIn(district.clerk1);
	await second.logIn(district.clerk2);
	await Promise.all([first.seesText('desk.queue.title'), second.seesText('desk.queue.title')]);
	const step = await ask(second, '/api/v1/persons', { action: 'PERSON_ACTION_CREATE', facts: { ...FACTS, id_number: numbered() } });
	assert.ok(step.is_saved, JSON.stringify(step));
	person = step.person_id;
	request = (await district.tell({ do: 'submit', node: district.terminals[0].name, service: 'device-fitting' })).request_id;
	Clerk.secrets.add(NAME);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

/** With its check character (GB 11643). */
function numbered(head = HEAD) {
	const sum = [...head].reduce((all, digit, at) => all + Number(digit) * 2 ** (17 - at), 0);
	return head + '10X98765432'[sum % 11];
}

async function find(clerk, query) {
	const { page } = clerk;
	await clerk.visit('people');
	await page.locator('#people-query').waitFor();
	await page.locator('#people-query').fill(query);
	await page.keyboard.press('Enter');
}

test('a resident is found by name, pinyin and last four, and no address tells who was looked for', async () => {
	const { page } = first;
	await page.getByRole('link', { name: first.t('desk.nav.people'), exact: true }).focus();
	await page.keyboard.press('Enter');
	await first.seesText('desk.people.lead');
	await first.look('people-1-empty');
	for (const query of [NAME.slice(1, 3), 'sslj', numbered().slice(-4)]) {
		await find(first, query);
		await page.getByRole('link', { name: NAME, exact: true }).waitFor();
	}
	assert.doesNotMatch(await page.locator('main').innerText(), new RegExp(`${numbered()}|示例路|00012345678`), 'a row tells people apart, and no more');
	await first.lookEverywhere('people-2-found');
	await find(first, '没有这个人');
	await first.seesText('desk.people.none');
	await page.locator('#people-query').fill('');
	await page.keyboard.press('Enter');
	await first.seesText('desk.people.missing');
	await first.look('people-3-missing');
	await find(first, NAME);
	first.assertNoFaults();
});

test('by keys alone it is opened: the purpose first, which is written down, then the record', async () => {
	const { page } = first;
	await page.getByRole('link', { name: NAME, exact: true }).focus();
	await page.keyboard.press('Enter');
	await first.seesText('desk.person.purpose');
	assert.doesNotMatch(await page.locator('main').innerText(), /示例路/, 'nothing is shown before');
	assert.deepEqual(await looksAt(person), [], 'and nobody has looked');
	await first.tabTo('desk.person.open');
	await page.keyboard.press('Enter');
	await first.seesText('desk.person.purpose-missing');
	await first.lookEverywhere('people-4-purpose');
	await page.locator('#look-purpose input').first().focus();
	await page.keyboard.press('ArrowDown');
	await first.tabTo('desk.person.open');
	await page.keyboard.press('Enter');
	await first.sees('示例路一号');
	assert.deepEqual(await looksAt(person), ['LOOK_PURPOSE_CALL clerk1']);
	await first.sees('重度残疾人护理补贴'); // of deploy/things.json: on file is its id
	const authorities = await page.locator('section', { hasText: first.t('desk.person.field.representatives') }).first().locator('li').allInnerTexts();
	assert.match(authorities[0], new RegExp(`示例女儿[^]*2020年1月1日[^]*${first.t('desk.person.in-force')}`));
	assert.match(authorities[1], new RegExp(`示例儿子[^]*2021年1月1日[^]*${first.t('desk.person.not-in-force')}`));
	await first.sees(/本人或可以代办的人来电、来访[^]*clerk1/); // who looked, and why
	await first.lookEverywhere('people-5-record');
	await page.reload();
	await first.seesText('desk.person.purpose'); // asked anew: nothing of it was kept
	first.assertNoFaults();
});

/** With the Tab key alone to an input, and what is typed there instead of what stood there. */
async function fill(clerk, id, words) {
	const { page } = clerk;
	await page.locator(`#${id}`).waitFor();
	for (let i = 0; (await page.evaluate(() => document.activeElement.id)) !== id; i++) {
		assert.ok(i < 100, `${id} cannot be reached with Tab`);
		await page.keyboard.press('Tab');
	}
	await page.keyboard.press('Control+A');
	await page.keyboard.type(words);
}

/** In the dialog in front, if there is one: the button that opened it reads alike, and stands before it. */
async function press(clerk, key) {
	await clerk.tabTo(key, (await clerk.page.locator('dialog[open]').count()) ? -1 : 0);
	await clerk.page.keyboard.press('Enter');
}

const focus = (clerk) => clerk.page.evaluate(() => document.activeElement.id);

test('by keys alone a record is created: faults stand at their fields, and a possible double is a question', async () => {
	const { page } = first;
	await first.visit('people/new');
	await first.look('people-6-new');
	await fill(first, 'person-name', NAME);
	await fill(first, 'person-birth', '19580302'); // another day than the number says
	await fill(first, 'person-id_number', numbered());
	await press(first, 'desk.person.save');
	await first.seesText('common.rule.not-as-id-number');
	assert.equal(await focus(first), 'person-birth');
	assert.equal(await page.locator('#person-birth').getAttribute('aria-invalid'), 'true');
	assert.equal(await page.locator('#person-community').getAttribute('aria-invalid'), 'true', 'it is needed');
	await first.lookEverywhere('people-7-faults');
	await fill(first, 'person-birth', '1958年3月1日');
	await fill(first, 'person-community', '');
	await page.keyboard.press('ArrowDown');
	await press(first, 'desk.person.save');
	await first.seesText('desk.person.candidates');
	await first.seesText('desk.person.agrees.has_id_number');
	await first.look('people-8-candidates');
	await press(first, 'desk.person.save'); // without a reason it stays a question
	await first.seesText('desk.person.candidates');
	await page.keyboard.press('Shift+Tab');
	await page.locator(`a[href="#/person/${person}"]`).focus();
	await page.keyboard.press('Enter'); // the other is looked at, and what was typed is still there
	await first.seesText('desk.person.purpose');
	await page.goBack();
	await page.locator('#person-name').waitFor();
	assert.equal(await page.locator('#person-name').inputValue(), NAME);
	await press(first, 'desk.person.save');
	await fill(first, `other-${person}`, '示例：另一人，号码登记有误。');
	await press(first, 'desk.person.save');
	await first.press('common.toasts.close');
	await first.sees(/示例：另一人，号码登记有误。/); // at once, as it is on file
	const [{ purpose }] = (await ask(first, `/api/v1/persons/${page.url().split('/').pop()}/looks`)).looks;
	assert.equal(purpose, 'LOOK_PURPOSE_UPKEEP');
	first.assertNoFaults();
});

test('two change one record: who was slower loses nothing that was typed, and sees what the other saved', async () => {
	const { page } = first;
	const path = `/api/v1/persons/${person}`;
	await first.visit(`person/${person}`);
	await page.locator('#look-purpose input').first().focus();
	await page.keyboard.press('Space');
	await press(first, 'desk.person.open');
	await press(first, 'desk.person.change');
	await fill(first, 'person-address', '示例路三号');
	const { facts, version } = await ask(second, `${path}/look`, { purpose: 'LOOK_PURPOSE_UPKEEP' });
	const command = { action: 'PERSON_ACTION_CHANGE', version, facts: { ...facts, address: '示例路二号', household: '示例户一' } };
	const others = (await ask(second, path, command)).candidates.map(({ row }) => ({ person_id: row.person_id, reason: '示例：另一人。' }));
	assert.ok((await ask(second, path, { ...command, others })).is_saved);
	await press(first, 'desk.person.save');
	await first.seesText('desk.person.candidates'); // the one that was created before
	await fill(first, `other-${others[0].person_id}`, '示例：另一人。');
	await press(first, 'desk.person.save');
	await first.seesText('desk.person.faster');
	assert.equal(await focus(first), 'person-standing');
	await first.sees(/示例路二号/);
	await first.lookEverywhere('people-9-faster');
	assert.equal(await page.locator('#person-address').inputValue(), '示例路三号', 'what was typed');
	assert.equal(await page.locator('#person-household').inputValue(), '示例户一', 'what was saved meanwhile');
	await press(first, 'desk.person.save');
	await first.press('common.toasts.close');
	await first.sees(/示例路二号 → 示例路三号/);
	await first.look('people-10-changed');
	const now = (await ask(second, `${path}/look`, { purpose: 'LOOK_PURPOSE_UPKEEP' })).facts;
	assert.deepEqual([now.address, now.household], ['示例路三号', '示例户一']);
	first.assertNoFaults();
});

test('on the page of a case a clerk says whose it is, and a death is a question there', async () => {
	const { page } = first;
	await first.openCase(request);
	await press(first, 'desk.whose.say');
	await page.waitForFunction(() => document.activeElement?.matches('dialog[open] h2'));
	await press(first, 'desk.whose.confirm'); // without anybody
	await first.seesText('desk.person.pick-missing');
	assert.equal(await focus(first), 'whose-person-query');
	await first.look('people-11-missing');
	await page.keyboard.type('sslj');
	await page.keyboard.press('Enter');
	await page.locator('#whose-person input').first().waitFor();
	await page.locator('#whose-person label', { hasText: '马陆镇1号' }).first().locator('input').focus();
	await page.keyboard.press('Space');
	await first.lookEverywhere('people-12-whose', { hasDialog: true });
	await press(first, 'desk.whose.confirm');
	await first.press('common.toasts.close');
	const [link] = await page.locator('a[href^="#/person/"]').all();
	assert.match(await link.innerText(), new RegExp(NAME));
	owner = (await link.getAttribute('href')).split('/').pop();
	const { cases } = await ask(second, `/api/v1/persons/${owner}/look`, { purpose: 'LOOK_PURPOSE_CASE' });
	assert.deepEqual(cases.map((row) => row.request_id), [request]);
	await act(owner, 'PERSON_ACTION_DEATH', { died_on: '2026-11-20', reason: '示例：家属告知。' });
	await page.reload();
	await first.seesText('desk.whose.died');
	await first.lookEverywhere('people-13-died');
	await act(owner, 'PERSON_ACTION_DEATH_MISTAKEN', { reason: '示例：弄错了。' });
	first.assertNoFaults();
});

/** The dialog of an act by keys, with its reason last. */
async function decide(clerk, key, fillIn, reason) {
	await press(clerk, key);
	await clerk.page.waitForFunction(() => document.activeElement?.matches('dialog[open] h2'));
	await fillIn();
	await fill(clerk, 'act-reason', reason);
	await press(clerk, key);
	await clerk.press('common.toasts.close');
}

test('a death and its correction, one person twice and its undo: each with a reason, by keys', async () => {
	const { page } = first;
	await first.visit(`person/${owner}`);
	await page.locator('#look-purpose input').first().focus();
	await page.keyboard.press('Space');
	await press(first, 'desk.person.open');
	await press(first, 'desk.person.act.DEATH');
	await page.waitForFunction(() => document.activeElement?.matches('dialog[open] h2'));
	await press(first, 'desk.person.act.DEATH');
	await first.seesText('desk.person.act.reason-missing');
	await first.look('people-14-death');
	await page.keyboard.press('Escape');
	await decide(first, 'desk.person.act.DEATH', () => fill(first, 'act-died_on', '20261120'), '示例：家属告知。');
	await first.seesText('desk.person.is.dead');
	await decide(first, 'desk.person.act.DEATH_MISTAKEN', () => {}, '示例：弄错了。');
	await page.getByText(first.t('desk.person.is.dead')).waitFor({ state: 'detached' });

	const goesOn = owner === person ? '示例' : NAME;
	const choose = async () => {
		await fill(first, 'act-person-query', goesOn);
		await page.keyboard.press('Enter');
		await page.locator('#act-person input').first().focus();
		await page.keyboard.press('Space');
		await first.lookEverywhere('people-15-merge', { hasDialog: true });
	};
	await decide(first, 'desk.person.act.MERGE', choose, '示例：同一人。');
	await first.seesText('desk.person.goes-on');
	await first.look('people-16-merged');
	await decide(first, 'desk.person.act.SPLIT', () => {}, '示例：不是同一人。');
	await page.getByText(first.t('desk.person.goes-on')).waitFor({ state: 'detached' });
	first.assertNoFaults();
});

test('a record moves to another town, and waits visibly while the district is away', async () => {
	const { page } = first;
	await district.tell({ do: 'stop', node: district.hub.name });
	const town = async () => {
		await page.locator('#act-town').selectOption('310114102');
	};
	await decide(first, 'desk.person.act.HAND_OVER', town, '示例：搬家。');
	await first.seesText('desk.person.on-its-way');
	assert.doesNotMatch(await page.locator('main').innerText(), /示例路/, 'its facts are not here any more');
	await first.lookEverywhere('people-17-on-its-way');
	await district.tell({ do: 'start', node: district.hub.name });
	first.assertNoFaults();
});

test('erasing a record takes two: proposed on its page, confirmed by another on the page of erasings', async () => {
	const { page } = first;
	const other = (await ask(second, '/api/v1/persons/search', { query: NAME })).persons.find((row) => row.person_id !== owner);
	await first.visit(`person/${other.person_id}`);
	await page.locator('#look-purpose input').first().focus();
	await page.keyboard.press('Space');
	await press(first, 'desk.person.open');
	await press(first, 'desk.erase.propose');
	await fill(first, 'erase-reason', '示例：本人提出删除。');
	await fill(first, 'erase-ground', '示例：个人信息保护法第四十七条。');
	await first.look('people-18-erase');
	await press(first, 'desk.erase.propose');
	await first.press('common.toasts.close');
	await first.seesText('desk.erase.second');
	await second.visit('erasures');
	await page.locator('main').waitFor();
	await second.page.locator(`a[href="#/person/${other.person_id}"]`).waitFor();
	await second.lookEverywhere('people-19-erasures');
	await press(second, 'desk.erase.confirm');
	await second.page.waitForFunction(() => document.activeElement?.matches('dialog[open] h2'));
	await second.page.locator('dialog .button.danger').focus();
	await second.page.keyboard.press('Enter');
	await second.seesText('desk.erase.is.done');
	const { persons } = await ask(second, '/api/v1/persons/search', { query: NAME });
	assert.deepEqual(persons, [], 'nobody of that name is found any more');
	for (const clerk of [first, second]) clerk.assertNoFaults();
});

test('a case is referred to another town by keys, accepted there, sent back, and its receipt says where it is', async () => {
	const sent = await district.tell({ do: 'submit', node: district.terminals[0].name, service: 'motor-wheelchair' });
	const other = await Clerk.arrive(browser, district.neighbour.url);
	await other.logIn(district.neighbour);
	const { page } = first;
	await first.openCase(sent.request_id);
	await page.locator('.desk-doing').waitFor();
	await page.keyboard.press('t');
	await page.locator('#decide-town').waitFor();
	await first.press('desk.review');
	await first.seesText('desk.missing.town');
	await first.lookEverywhere('refer', { hasDialog: true });
	await page.locator('#decide-town').selectOption('310114102');
	await page.locator('#decide-note').fill('示例：人住在那边');
	await page.keyboard.press('Escape'); // what was chosen is kept
	await page.locator('dialog').waitFor({ state: 'detached' });
	await page.keyboard.press('t');
	await page.waitForFunction(() => document.querySelector('#decide-town')?.value === '310114102'); // the towns are read anew
	await first.press('desk.review');
	assert.equal(await page.locator('#decide-reads strong').innerText(), first.t('kiosk.status.referred'));
	await first.confirm();
	await page.reload(); // without the words of what was done, which stay in their language
	await first.state('转给'); // whom, and since when
	await first.lookEverywhere('referred-away');
	await first.visit('cases/handed');
	await page.locator(`a[data-request="${sent.request_id}"]`).waitFor();
	await other.visit('cases/handed');
	await other.page.locator(`a[data-request="${sent.request_id}"]`).waitFor();
	await other.openCase(sent.request_id);
	await other.state(other.t('desk.handed.to-us'));
	await other.button('desk.do.hand_over.back').waitFor();
	assert.equal(await other.button('desk.do.refer').count(), 0, 'it goes no further');
	await other.page.keyboard.press('a');
	await other.confirm();
	await other.decide('h', { note: '示例：不归我们' });
	await other.confirm();
	await first.openCase(sent.request_id);
	await first.state(first.t('desk.handed.came-back'));
	const resident = await Resident.arrive(browser, district.terminals[0].url);
	await resident.lookUp(sent.code);
	await resident.waitForNews(resident.t('kiosk.status.with-town'));
	await resident.seesText('kiosk.status.referred');
	for (const clerk of [first, other]) clerk.assertNoFaults();
});
