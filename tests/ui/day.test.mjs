// A clerk's whole day by keys alone, then a supervisor's list and a report of the district. Once the login page is there nothing
// is clicked, filled in or put into focus by the test: that throws. Each act leaves the focus somewhere, and no way is long.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test as nodeTest } from 'node:test';
import { axeFindings, launch, shoot } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const TABS_MOST = 20; // to what is done most; a page's parts have keys of their own
const SETTLE_MS = 10_000; // until an act has put the focus somewhere
const NEIGHBOUR = '310114102';
const NUMBER = '99011419580301001X'; // region 990114 is nobody's
const PERSON = {
	name: '单示例甲',
	sex: 'SEX_MALE',
	birth: '1958-03-01',
	id_number: numbered(NUMBER.slice(0, 17)),
	community: '310114106001',
	address: '示例路一号',
	contacts: [{ phone: '00012345678' }],
};

/** With its check character (GB 11643). */
function numbered(head) {
	const sum = [...head].reduce((all, digit, at) => all + Number(digit) * 2 ** (17 - at), 0);
	return head + '10X98765432'[sum % 11];
}

let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

let browser, district, clerk, page, late, later, sent;
const ways = []; // how many Tabs each way took

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict('--two-towns', '--texts')]);
	const submit = (service, nth) => district.tell({ do: 'submit', node: district.terminals[0].name, service, nth });
	const aged = { do: 'submit-aged', node: district.terminals[0].name, service: 'motor-wheelchair', count: 2 };
	[late, later] = (await district.tell(aged)).requests;
	sent = [];
	for (const [nth, service] of ['device-fitting', 'policy-question', 'motor-wheelchair', 'legal-advice', 'device-fitting'].entries())
		sent.push(await submit(service, nth + 1));
	district.lead = await district.tell({ do: 'account', node: district.town.name, name: 'lead', role: 'supervisor' });
	clerk = await arrive(district.town.url);
	page = clerk.page;
	forbid(page);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

function refuse(object, names) {
	for (const name of names)
		object[name] = () => {
			throw new Error(`${name} is not a key`);
		};
}

/** From here on a hand that is not on the keyboard is a mistake of this test. */
function forbid(page) {
	const hands = ['click', 'dblclick', 'fill', 'focus', 'check', 'uncheck', 'selectOption', 'tap', 'hover', 'type', 'press', 'pressSequentially', 'dispatchEvent', 'dragTo'];
	refuse(Object.getPrototypeOf(page.locator('body')), hands);
	refuse(Object.getPrototypeOf(page), hands);
	refuse(Object.getPrototypeOf(page.mouse), ['click', 'down', 'move', 'wheel']);
}

async function arrive(url) {
	const clerk = await Clerk.arrive(browser, url);
	refuse(clerk.page, ['goto', 'goBack', 'reload']);
	return clerk;
}

const key = (name, of = page) => of.keyboard.press(name);
const type = (words, of = page) => of.keyboard.type(words);

/** As a page asks; for what others do meanwhile. */
function ask(of, path, command) {
	return of.page.evaluate(
		async ([path, command]) => {
			const { csrf } = await (await fetch('/api/v1/me')).json();
			const headers = { 'Content-Type': 'application/json', 'X-Lm-Csrf': csrf };
			return (await fetch(path, command && { method: 'POST', headers, body: JSON.stringify(command) })).json();
		},
		[path, command],
	);
}

/** Something has the focus, so that who cannot see it hears where the next key works. */
async function assertPlaced(what, of = page) {
	const isPlaced = () => document.activeElement !== document.body && document.activeElement?.getClientRects().length > 0;
	await of.waitForFunction(isPlaced, null, { timeout: SETTLE_MS }).catch(() => assert.fail(`the focus is lost: ${what}`));
}

/** Tab until `target` has the focus; Shift+Tab when `isBack`. */
async function tab(target, { isBack, most = TABS_MOST } = {}) {
	await target.waitFor();
	const of = target.page();
	for (let count = 0; count <= most; count++) {
		if (await target.evaluate((e) => e === document.activeElement)) return void ways.push(count);
		await key(isBack ? 'Shift+Tab' : 'Tab', of);
	}
	assert.fail(`${target} is more than ${most} Tabs away from ${await of.evaluate(() => document.activeElement.outerHTML.slice(0, 120))}`);
}

/** In the dialog in front, if there is one. */
function named(words, role = 'button', of = page) {
	return of.locator('dialog[open], body:not(:has(dialog[open]))').getByRole(role, { name: words });
}

const button = (name, params, of = clerk) => named(of.t(name, params), 'button', of.page).first();

async function press(target, how) {
	await tab(target, how);
	await key('Enter', target.page());
}

async function write(id, words, of = page) {
	await tab(of.locator(`#${id}`));
	await key('Control+A', of);
	await type(words, of);
}

async function choose(id, value) {
	const list = page.locator(`#${id}`);
	await tab(list);
	for (let at = 0; (await list.inputValue()) !== value; at++) {
		assert.ok(at < 50, `${id} has no ${value}`);
		await key('ArrowDown');
	}
}

/** M, and Tab from there. */
async function menu(name, of = clerk) {
	await key('m', of.page);
	const link = of.page.locator('header nav').getByRole('link', { name: of.t(name), exact: true });
	const isBehind = await link.evaluate((e) => (e.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0);
	await press(link, { isBack: isBehind });
	await of.page.waitForFunction(() => document.activeElement?.matches('main h1'));
}

/** J until the part of that name has the focus. */
async function part(name) {
	const head = page.locator('main h2', { hasText: clerk.t(name) }).first();
	await head.waitFor();
	for (let at = 0; !(await head.evaluate((e) => e === document.activeElement)); at++) {
		assert.ok(at < TABS_MOST, `J does not lead to ${clerk.t(name)}`);
		await key('j');
	}
}

/** K up to the page's heading. */
async function top() {
	for (let at = 0; !(await page.evaluate(() => document.activeElement.matches('main h1'))); at++) {
		assert.ok(at < TABS_MOST, 'K does not lead to the heading');
		await key('k');
	}
}

async function closed() {
	await page.locator('dialog').waitFor({ state: 'detached' });
	await assertPlaced('after a dialog');
}

const rowsAre = (n) => page.waitForFunction((n) => document.querySelectorAll('[data-request]').length === n, n);

const rowOf = ({ request_id }) => page.locator(`a[data-request="${request_id}"]`);

/** Down from the heading, as far as its row. */
async function row(of) {
	await rowOf(of).waitFor();
	await key('ArrowDown');
	for (let at = 0; !(await rowOf(of).evaluate((e) => e === document.activeElement)); at++) {
		assert.ok(at < 20, 'the row cannot be reached');
		await key('ArrowDown');
	}
}

async function open(of) {
	await row(of);
	await key('Enter');
	await page.locator('.desk-facts', { hasText: of.request_id }).waitFor();
	await assertPlaced('a case');
}

async function back() {
	await key('b');
	await page.locator('[data-request]').first().waitFor();
	await assertPlaced('the queue');
	await top();
}

async function review() {
	await press(button('desk.review'));
	await page.locator('#decide-reads').waitFor();
	await assertPlaced('a review');
	await press(page.locator('dialog .desk-confirm'));
	await closed();
}

/** axe with both extra rules, at 100 % and at 200 %. */
async function look(name, of = page) {
	const whole = of.viewportSize();
	for (const share of [1, 2]) {
		await of.setViewportSize({ width: Math.floor(whole.width / share), height: Math.floor(whole.height / share) });
		const findings = await axeFindings(of);
		if (findings.length > 0 || process.env.LM_UI_SHOTS === 'yes') await shoot(of, `day-${name}-${share}00`, true);
		assert.deepEqual(findings, [], `${name} at ${share}00 %`);
	}
	await of.setViewportSize(whole);
}

async function logIn({ user, password }, of) {
	await write('login-name', user, of.page);
	await write('login-password', password, of.page);
	await key('Enter', of.page);
}

test('the morning: log in, read the note of the shift before, and take what is overdue with two keys', async () => {
	const other = await arrive(district.town.url);
	await logIn(district.clerk2, other);
	await other.seesText('desk.queue.title');
	await ask(other, '/api/v1/work', { act: 'DESK_ACT_WRITE_NOTE', text: '示例：二号窗口缺纸。' });
	const step = await ask(other, '/api/v1/persons', { action: 'PERSON_ACTION_CREATE', facts: { ...PERSON, access: [], representatives: [], benefits: [], devices: [], consents: [] } });
	assert.ok(step.is_saved, JSON.stringify(step));
	await logIn(district.clerk1, clerk);
	await clerk.seesText('desk.queue.title');
	await assertPlaced('after the login');
	await menu('desk.nav.work');
	await part('desk.work.notes');
	await press(button('desk.work.tick'));
	await clerk.seesText('desk.work.read-by', { names: 'clerk1' });
	await assertPlaced('a note that is ticked');
	await look('1-work');
	await menu('desk.nav.cases');
	await key('2');
	await rowsAre(2);
	await row(late);
	await key('c');
	await page.locator('tbody tr', { hasText: 'clerk1' }).waitFor();
	await assertPlaced('a case that is taken');
	await look('2-overdue');
	await other.close();
	clerk.assertNoFaults();
});

test('a case: what happened, a piece of evidence, and a question with a text of the district', async () => {
	await key('Enter');
	await page.locator('.desk-facts', { hasText: late.request_id }).waitFor();
	await part('desk.case.answers');
	await press(named(new RegExp(`^${clerk.t('desk.file.show')}`)).first());
	await page.locator('.desk-picture').first().waitFor();
	await assertPlaced('a picture that is shown');
	await part('desk.case.events');
	await look('3-case');
	await key('q');
	await press(button('desk.wording.easy'), { isBack: true });
	await tab(page.locator('#decide-text'));
	await key('Control+End');
	await type('请带身份证。');
	assert.match(await page.locator('#decide-text').inputValue(), /还缺/, 'it begins with the text of the district');
	await review();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ASKED'));
	clerk.assertNoFaults();
});

test('the next one: taken up, granted with a text, and a letter of it saved', async () => {
	await back();
	await key('1');
	await open(sent[0]);
	await key('a');
	await page.waitForFunction(() => document.activeElement?.matches('.desk-confirm'));
	await key('Enter');
	await closed();
	await page.locator('.desk-doing').waitFor();
	await key('g');
	await press(button('desk.wording.plain'), { isBack: true });
	assert.ok((await page.locator('#decide-text').inputValue()).length > 0);
	await review();
	await clerk.state(clerk.t('desk.outcome.OUTCOME_GRANTED'));
	await part('desk.letter.title');
	const letter = clerk.t('desk.letter.LETTER_KIND_DECIDED');
	await press(named(clerk.t('desk.letter.make', { what: letter, language: clerk.t('desk.language.zh-CN') })).first());
	const saved = page.waitForEvent('download');
	await press(page.locator('a[download]'));
	assert.equal(readFileSync(await (await saved).path()).subarray(0, 5).toString(), '%PDF-');
	await look('4-letter');
	clerk.assertNoFaults();
});

test('one is handed over with a reason, and one referred to the other town', async () => {
	await back();
	await open(sent[1]);
	await key('h');
	await write('decide-note', '示例：区里才能办');
	await review();
	await clerk.state('已转出');
	await back();
	await open(sent[2]);
	await key('t');
	await choose('decide-town', NEIGHBOUR);
	await write('decide-note', '示例：人住在那边');
	await review();
	await clerk.state('转给');
	await back();
	clerk.assertNoFaults();
});

test('several at once: seen before, done, and taken back', async () => {
	for (const one of [sent[3], sent[4]]) {
		await row(one);
		await key('x');
	}
	await key('b');
	await press(button('desk.bulk.preview'));
	await page.waitForFunction(() => document.activeElement?.matches('.desk-preview h3'));
	await press(page.locator('dialog .button.primary'));
	await closed();
	const mine = (n) => page.waitForFunction((n) => [...document.querySelectorAll('tbody tr')].filter((row) => row.innerText.includes('clerk1')).length === n, n);
	await mine(3);
	await top();
	await press(button('desk.bulk.undo'));
	await mine(1);
	await assertPlaced('what was done is taken back');
	await look('5-undone');
	clerk.assertNoFaults();
});

test('a call from a terminal: seen and heard, and taken', async () => {
	await page.evaluate(() => {
		window.tones = 0;
		const { start } = OscillatorNode.prototype;
		OscillatorNode.prototype.start = function (...words) {
			window.tones++;
			return start.apply(this, words);
		};
	});
	const resident = await Resident.arrive(browser, district.terminals[0].url);
	for (const name of ['kiosk.bar.staff', 'kiosk.ring.ring']) {
		await resident.steady();
		await press(resident.button(name), { most: 40 });
	}
	await page.locator('.desk-rings').waitFor();
	await page.waitForFunction(() => window.tones > 0);
	await look('6-call');
	await top();
	await press(button('desk.ring.take'), { isBack: true });
	await resident.seesText('kiosk.ring.taken');
	await assertPlaced('a call that is taken');
	resident.assertNoFaults();
	await resident.close();
	clerk.assertNoFaults();
});

test('a request by phone on the form, a call back that is noted and made', async () => {
	await menu('desk.nav.new');
	const phone = page.getByRole('radio', { name: clerk.t('desk.channel.REQUEST_CHANNEL_PHONE') });
	await tab(page.locator('#intake-channel input:checked'));
	for (let at = 0; at < 5 && !(await phone.isChecked()); at++) await key('ArrowDown');
	assert.ok(await phone.isChecked());
	await press(named('政策问答'), { most: 40 });
	await page.locator('#intake-privacy').waitFor();
	await assertPlaced('a service that is chosen');
	await tab(page.locator('#intake-consents-privacy input').first());
	await key('Space');
	await write('intake-name', '示例电话人');
	for (const field of ['consents-health', 'topic', 'way']) {
		await tab(page.locator(`#intake-${field} input`).first());
		await key('Space');
	}
	await look('7-intake');
	await press(button('desk.intake.send'));
	await clerk.seesText('desk.intake.saved');
	await assertPlaced('a receipt');
	const code = (await page.locator('.code-digits').innerText()).replace(/\D/g, '');
	Clerk.secrets.add(code);
	await press(named(clerk.t('desk.intake.open'), 'link'));
	await page.locator('.desk-facts').waitFor();
	await part('desk.contact.title');
	await press(button('desk.contact.add'));
	await write('contact-text', '示例：问什么时候方便。');
	await press(button('desk.contact.save'));
	await closed();
	await menu('desk.nav.contacts');
	await press(button('desk.contact.try'));
	await press(button('desk.contact.save'));
	await closed();
	await clerk.seesText('desk.contact.none');
	await menu('desk.nav.cases');
	for (const [words, most] of [['slr', 9], [code, 1]]) {
		await key('f');
		await key('Control+A');
		await type(words);
		await page.waitForFunction((most) => ((n) => n > 0 && n <= most)(document.querySelectorAll('[data-request]').length), most);
		await clerk.assertKeepsToItself();
		await key('Tab'); // out of the line, where letters are keys again
	}
	clerk.assertNoFaults();
});

test('a resident: found, opened for a purpose, a contact changed, a certificate asked for', async () => {
	await menu('desk.nav.people');
	for (const words of [PERSON.id_number.slice(-4), 'sslj']) {
		await write('people-query', words);
		await key('Enter');
		await named(PERSON.name, 'link').waitFor();
	}
	await press(named(PERSON.name, 'link'));
	await clerk.seesText('desk.person.purpose');
	await tab(page.locator('#look-purpose input').first());
	await key('Space');
	await press(button('desk.person.open'));
	await clerk.sees('示例路一号');
	await assertPlaced('a record');
	await press(button('desk.person.change'));
	await assertPlaced('a record to change');
	await write('person-contacts-0-phone', '00012345679');
	await press(button('desk.person.save'), { most: 60 });
	await clerk.sees('00012345679');
	await assertPlaced('a record that was saved');
	await part('desk.certificate.title');
	await press(named(new RegExp(clerk.t('desk.certificate.act.CERTIFICATE_ACT_APPLY'))).first());
	await write('act-reason', '示例：本人申请。');
	await press(page.locator('dialog .button.primary'));
	await closed();
	await look('8-record');
	clerk.assertNoFaults();
});

test('the evening: the note for the next shift, the screen locked and unlocked, and out', async () => {
	await menu('desk.nav.work');
	await part('desk.work.notes');
	await write('shift-note', '示例：有人等回电。');
	await press(button('desk.work.write'));
	await page.locator('.desk-notes', { hasText: '有人等回电' }).waitFor();
	await assertPlaced('a note that is written');
	await top();
	await key('l');
	await clerk.seesText('desk.lock.title');
	assert.equal(await page.getByText('有人等回电').filter({ visible: true }).count(), 0);
	await look('9-locked');
	await write('login-password', district.clerk1.password);
	await key('Enter');
	await page.locator('.desk-notes', { hasText: '有人等回电' }).waitFor();
	await assertPlaced('after the lock');
	await press(button('desk.logout'), { isBack: true });
	await clerk.seesText('desk.login.lead');
	clerk.assertNoFaults();
});

test('a supervisor\'s list, and a report of the district', async () => {
	const lead = await arrive(district.town.url);
	await logIn(district.lead, lead);
	for (const line of ['new-password', 'new-password-again']) await write(line, '四个自己想的词语一起用', lead.page);
	await key('Enter', lead.page);
	await lead.seesText('desk.queue.title');
	await press(named(lead.t('desk.queue.supervisor'), 'link', lead.page));
	await lead.page.locator(`a[data-request="${later.request_id}"]`).waitFor();
	await assertPlaced('the list', lead.page);
	await look('10-supervisor', lead.page);
	const officer = await arrive(district.hub.url);
	await logIn(district.operator1, officer);
	await officer.seesText('desk.totals.title');
	await menu('desk.nav.reports', officer);
	await press(officer.page.locator('main table a').first());
	await officer.seesText('desk.reports.table');
	await press(button('desk.reports.send', {}, officer));
	await officer.page.waitForFunction(() => document.activeElement?.matches('dialog[open] h2'));
	await press(button('desk.reports.send', {}, officer));
	await officer.page.locator('dialog').waitFor({ state: 'detached' });
	await officer.sees(/第 1 次，.*operator1/);
	await assertPlaced('a report that is sent', officer.page);
	await look('11-report', officer.page);
	for (const one of [lead, officer]) one.assertNoFaults();
	console.log(`# ${ways.length} ways, the longest ${Math.max(...ways)} Tabs, ${(ways.reduce((sum, n) => sum + n, 0) / ways.length).toFixed(1)} on average`);
});
