// The whole way of requests through the house, as people see it: terminal, town and district with their real daemons, in
// a real browser. Each test goes on where the one before it stopped.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test as nodeTest } from 'node:test';
import { launch, PATIENCE_MS, printed } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const IS_FULL = process.env.LM_UI_FULL === 'yes';
const CERTIFICATE = '99011419700101001144'; // no region begins with 99

const DEVICE = {
	name: '张示例',
	phone: '000 5954 0000',
	number: CERTIFICATE,
	need: 'move',
	device: '轮椅',
	height_cm: '170',
	in_use: 'no',
	where: 'home',
	address: '示例路 1 号 202 室',
};
const HOME = {
	name: 'Li Sample',
	community: 'here',
	address: '示例路 2 号 101 室',
	rooms: ['bathroom', 'kitchen'],
	dwelling: 'own',
	wheelchair: 'yes',
	note: '门口有两级台阶。',
};

// One step needs the one before it: after a failure the others would only wait in vain.
let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

let browser, district, resident, clerk, officer;
const made = {}; // requests by what they are for
const expected = {}; // totals by service

function count(service, ...columns) {
	const row = (expected[service] ??= { received: 0, open: 0 });
	for (const column of columns) row[column] = (row[column] ?? 0) + 1;
}

/** Arms `page`: its next request to `path` costs the daemon `node` its life, before or after it was saved; and if `shown` says
 * what the page reads again then, after that, too. Resolves when it is dead. */
async function diesOn(page, path, node, isSaved, shown) {
	let isDead;
	const death = new Promise((resolve, reject) => (isDead = { resolve, reject }));
	await page.route(path, async (route) => {
		const heard = isSaved && shown && page.waitForResponse((response) => response.url().endsWith(shown));
		const answer = isSaved && (await route.fetch());
		if (answer && !answer.ok()) isDead.reject(new Error(`it was not saved: ${answer.status()} ${await answer.text()}`));
		await heard;
		await district.tell({ do: 'kill', node }).then(isDead.resolve, isDead.reject);
		await route.abort();
	}, { times: 1 });
	return { death };
}

async function submit(name, service, nth) {
	const node = district.terminals[0].name;
	made[name] = await district.tell({ do: 'submit', node, service, nth });
	count(service, 'received');
}

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	resident = await Resident.arrive(browser, district.terminals[0].url);
	clerk = await Clerk.arrive(browser, district.town.url);
	officer = await Clerk.arrive(browser, district.hub.url);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

test('a resident looks around', async () => {
	await resident.look('kiosk-01-start');
	await resident.press('kiosk.bar.staff');
	await resident.steady();
	await resident.page.locator('summary').click();
	await resident.look('kiosk-02-staff');
	await resident.press('kiosk.close');
	await resident.steady();
	await resident.press('kiosk.bar.size');
	await resident.press('kiosk.modes.way');
	await resident.steady();
	const slow = resident.page.getByRole('switch', { name: resident.t('kiosk.modes.slow') });
	await slow.evaluate((button) => { // a hand that trembles, however slow this machine is
		for (let i = 0; i < 4; i++) button.click();
	});
	assert.equal(await slow.getAttribute('aria-checked'), 'true', 'it counts once');
	await resident.pressSwitch('kiosk.modes.slow');
	assert.equal(await slow.getAttribute('aria-checked'), 'true', 'for who wants it slow half a second is too early');
	await resident.page.evaluate(() => window.letTimePass(1000));
	await resident.pressSwitch('kiosk.modes.slow');
	assert.equal(await slow.getAttribute('aria-checked'), 'false');
	await resident.look('kiosk-02-ways');
	await resident.press('kiosk.modes.size');
	await resident.look('kiosk-02-sizes');
	await resident.press('kiosk.modes.colour');
	await resident.look('kiosk-02-colours');
	await resident.press('kiosk.modes.done');
	await resident.press('kiosk.bar.sign');
	await resident.look('kiosk-02-sign');
	await resident.press('kiosk.modes.done');
});

test('a resident makes a request, with slips on the way', async () => {
	const { page } = resident;
	const service = await resident.openService('device-fitting');
	await resident.look('kiosk-04-service');
	await resident.press('kiosk.back');
	await resident.look('kiosk-03-services');
	await resident.pressName(/^辅具适配/);
	await resident.press('kiosk.service.start');
	await resident.look('kiosk-05-privacy');
	await resident.press('kiosk.consent.agree');
	await resident.sayNoChild(service);
	await resident.press('kiosk.form.next');
	await resident.seesText('common.rule.required');
	await resident.look('kiosk-06-question-empty');
	const [name, phone, number, ...rest] = service.fields;
	await resident.answer(name, DEVICE.name);
	await resident.answer(phone, '12345');
	await resident.seesText('common.rule.not-a-phone');
	assert.equal(await page.locator('#answer').inputValue(), '12345', 'what was typed is still there');
	await resident.look('kiosk-07-question-phone');
	await resident.answer(phone, DEVICE.phone);
	await resident.seesText('common.consent.health');
	await resident.look('kiosk-08-health');
	await resident.press('kiosk.consent.refuse'); // not without it: this service has to ask
	await resident.seesText('kiosk.consent.refused');
	await resident.look('kiosk-08-refused');
	await resident.press('kiosk.back');
	await resident.agreeBefore(service, number);
	await resident.answer(number, CERTIFICATE.replace('44', '45'));
	await resident.seesText('common.rule.not-a-certificate');
	assert.equal(await page.locator('#answer').inputValue(), CERTIFICATE.replace('44', '45'));
	await resident.press('kiosk.back');
	await resident.seesText('common.consent.health');
	await resident.press('kiosk.back');
	assert.equal(await page.locator('#answer').inputValue(), '00059540000', 'the answer before is there, in its stored form');
	await resident.press('kiosk.form.next');
	await resident.agreeBefore(service, number);
	await resident.look('kiosk-08-question-certificate');
	await resident.answer(number, DEVICE.number);
	await resident.look('kiosk-09-question-choice');
	for (const field of rest) await resident.answer(field, DEVICE[field.id]);
	await resident.seesText('kiosk.check.title');
	await resident.look('kiosk-10-check');
	await resident.press('kiosk.check.change-of', { question: '怎么打电话找到您？' });
	await resident.answer(phone, '00012345678');
	await resident.sees('00012345678');
	await resident.press('kiosk.home');
	await resident.look('kiosk-11-leave');
	await resident.press('kiosk.leave.stay');
	await resident.seesText('kiosk.needs.none');
	await resident.press('kiosk.bar.sign'); // what is told to staff is seen before, and can be taken back
	await resident.pressSwitch('kiosk.need.ACCESS_NEED_SIGN_LANGUAGE');
	await resident.pressSwitch('kiosk.need.ACCESS_NEED_TEXT_ONLY');
	await resident.press('kiosk.modes.done');
	await resident.press('kiosk.check.change-of', { question: resident.t('kiosk.needs.title') });
	await resident.look('kiosk-11-needs');
	await resident.pressChoice('kiosk.need.ACCESS_NEED_SIGN_LANGUAGE');
	await resident.press('kiosk.modes.done');
	await resident.sees(/^发短信，不打电话$/);
	made.first = await resident.handIn();
	count('device-fitting', 'received');
	await resident.waitForMarks(3);
	await resident.look('kiosk-12-receipt');
	assert.equal(await page.getByRole('button', { name: resident.t('kiosk.receipt.print') }).count(), 0, 'there is no printer');
	await resident.press('kiosk.receipt.done');
	await resident.press('kiosk.bar.sign');
	assert.equal(await resident.page.locator('[role=switch][aria-checked=true]').count(), 0, 'the next one is told nothing of it');
	await resident.press('kiosk.modes.done');
	resident.assertNoFaults();
});

test('a clerk of the town logs in, accepts and asks back', async () => {
	await clerk.look('town-01-login');
	await clerk.press('desk.login.submit');
	await clerk.seesText('desk.login.need-name');
	await clerk.logIn({ ...district.town, password: 'not-this-one' });
	await clerk.seesText('desk.login.wrong');
	await clerk.look('town-02-login-wrong');
	await clerk.logIn(district.town);
	await clerk.seesText('desk.queue.shown', { n: 1 });
	await clerk.chooseDisplay('desk.display.size.3', 'kiosk.theme.low-glare');
	await clerk.look('town-03-display');
	await clerk.press('desk.close');
	await clerk.page.reload();
	await clerk.seesText('desk.queue.shown', { n: 1 });
	const { theme, size } = await clerk.page.evaluate(() => ({ ...document.documentElement.dataset }));
	assert.deepEqual([theme, size], ['low-glare', '4'], 'this browser keeps it');
	await clerk.look('town-03-queue-largest');
	await clerk.chooseDisplay('desk.display.size.0', 'kiosk.theme.paper');
	await clerk.press('desk.close');
	await clerk.page.locator('h1').focus();
	await clerk.sees('张**');
	assert.equal(await clerk.page.getByText('张示例').count(), 0, 'the queue masks names');
	await clerk.sees(clerk.t('desk.person.value.ACCESS_NEED_TEXT_ONLY'));
	assert.equal(await clerk.page.locator('tbody').getByText(clerk.t('desk.person.value.ACCESS_NEED_SIGN_LANGUAGE')).count(), 0, 'what was taken back is not told');
	await clerk.look('town-03-queue');
	await clerk.page.keyboard.press('ArrowDown');
	await clerk.page.keyboard.press('a');
	await clerk.page.locator('#decide-reads').waitFor();
	await clerk.look('town-04-accept');
	await clerk.page.keyboard.press('Enter');
	await clerk.seesText('desk.state.CASE_STATE_ACCEPTED');
	await clerk.sees('张**');
	await clerk.look('town-05-queue-accepted');
	await clerk.page.keyboard.press('Enter');
	await clerk.sees('张示例');
	await clerk.sees('走路和移动');
	await clerk.look('town-06-case');
	const paper = await printed(clerk.page);
	assert.deepEqual([paper.width_pt, paper.height_pt], [595, 842], 'A4');
	assert.ok(paper.least_pt >= 10 && paper.text.includes('张示例') && paper.text.includes(`${district.town.user} 于`));
	for (const key of ['desk.nav.links', 'desk.do.ask', 'desk.case.print'])
		assert.ok(!paper.text.split('\n').includes(clerk.t(key)), `${key} is of no use on paper`);
	await clerk.decide('q', { text: '楼里有电梯吗？门有多宽？' });
	await clerk.look('town-07-ask-review');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ASKED'));
	await clerk.look('town-08-case-asked');
	clerk.assertNoFaults();
});

test('the resident reads the question and answers it', async () => {
	const { page } = resident;
	await resident.press('kiosk.start.lookup');
	await resident.look('kiosk-13-lookup');
	await page.locator('#code').fill('123');
	await resident.press('kiosk.lookup.find');
	await resident.seesText('kiosk.lookup.wrong');
	await page.locator('#code').fill('123456789014');
	await resident.press('kiosk.lookup.find');
	await resident.seesText('kiosk.failure.not-found');
	await resident.look('kiosk-14-lookup-not-found');
	await page.locator('#code').fill(made.first.code);
	await resident.press('kiosk.lookup.find');
	await resident.seesText('kiosk.records.title');
	await resident.waitForNews('楼里有电梯吗？门有多宽？');
	await resident.look('kiosk-15-asked');
	await resident.press('kiosk.records.answer');
	await resident.press('kiosk.asked.send');
	await resident.seesText('common.rule.required');
	await page.locator('#reply').fill('有电梯，门宽 80 厘米。');
	await resident.look('kiosk-16-answer');
	await resident.press('kiosk.asked.send');
	await resident.seesText('kiosk.records.title');
	await resident.waitForNews(resident.t('kiosk.status.answer-taken'));
	await resident.look('kiosk-17-answer-taken');
	resident.assertNoFaults();
});

test('the clerk reads the answer and refuses with reason, ground and remedy', async () => {
	await clerk.sees('有电梯，门宽 80 厘米。');
	await clerk.state(clerk.t('desk.state.CASE_STATE_ACCEPTED'));
	await clerk.look('town-09-case-answered');
	await clerk.page.keyboard.press('r');
	await clerk.press('desk.review');
	await clerk.seesText('desk.missing.ground');
	await clerk.look('town-10-refuse-missing');
	await clerk.page.locator('#decide-text').fill('您去年已经领过轮椅。');
	await clerk.page.locator('#decide-ground').fill('辅具适配办法（示例）第八条');
	await clerk.page.locator('#decide-remedy').fill('60 天内向区残联提出复核。');
	await clerk.page.locator('#decide-note').fill('已电话核对。');
	await clerk.press('desk.review');
	await clerk.look('town-11-refuse-review');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.outcome.OUTCOME_REFUSED'));
	await clerk.look('town-12-case-refused');
	count('device-fitting', 'refused');
	clerk.assertNoFaults();
});

test('the resident reads the decision', async () => {
	await resident.waitForNews('您去年已经领过轮椅。');
	await resident.sees('辅具适配办法（示例）第八条');
	await resident.sees('60 天内向区残联提出复核。');
	assert.equal(await resident.page.getByText('已电话核对').count(), 0, 'notes stay among staff');
	await resident.look('kiosk-18-refused');
	await resident.press('kiosk.rate.RATING_BAD');
	await resident.waitForNews(resident.t('kiosk.rate.given', { rating: resident.t('kiosk.rate.RATING_BAD') }));
	await resident.waitForNews(resident.t('kiosk.rate.change'));
	assert.equal(await resident.button('kiosk.rate.RATING_BAD').count(), 0, 'what stands is no choice');
	await resident.look('kiosk-18-rated');
	await clerk.seesText('desk.event.with', { action: clerk.t('desk.event.CASE_ACTION_RATE'), what: clerk.t('desk.rating.RATING_BAD') });
	await clerk.look('town-12-case-rated');
	await resident.press('kiosk.home');
	resident.assertNoFaults();
});

test('in English and in the largest letters, a request that the town hands over to the district', async () => {
	const other = await Resident.arrive(browser, district.terminals[1].url, { language: 'en', size: 4 });
	await other.look('kiosk-en-01-start');
	await other.fill('home-adaptation', HOME);
	await other.look('kiosk-en-02-check');
	made.handed = await other.handIn();
	count('home-adaptation', 'received');
	await other.waitForMarks(3);
	await other.look('kiosk-en-03-receipt');
	await other.press('kiosk.receipt.done');
	other.language = 'zh-CN'; // for the next one everything is as usual
	await other.seesText('kiosk.start.title');
	assert.deepEqual(await other.page.evaluate(() => ({ ...document.documentElement.dataset })), { look: 'kiosk', size: '2', theme: 'paper', reach: 'usual' });
	await other.choose({ size: 4, language: 'en' });
	await other.lookUp(made.handed.code);
	await other.seesText('kiosk.records.none');

	await clerk.openCase(made.handed.request_id);
	await clerk.decide('h', { note: '要用区里的资金。', text: '请区里决定。' });
	await clerk.look('town-13-handover-review');
	await clerk.confirm();
	await clerk.seesText('desk.case.not-ours', { owner: clerk.t('desk.tier.TIER_DISTRICT') });
	await clerk.look('town-14-case-handed-over');

	await officer.logIn(district.hub);
	await officer.visit('cases');
	await officer.sees('L**');
	await officer.look('hub-01-queue');
	await officer.openCase(made.handed.request_id);
	await officer.sees('要用区里的资金。');
	await officer.look('hub-02-case');
	await officer.page.keyboard.press('a');
	await officer.confirm();
	await officer.state(officer.t('desk.state.CASE_STATE_ACCEPTED'));
	await officer.decide('g');
	await officer.look('hub-03-grant-review');
	await officer.confirm();
	await officer.state(officer.t('desk.outcome.OUTCOME_GRANTED'));
	count('home-adaptation', 'granted');

	await other.waitForNews(other.t('kiosk.status.granted'));
	await other.look('kiosk-en-04-granted');
	await other.press('kiosk.home');
	await clerk.seesText('desk.case.closed');
	await clerk.look('town-15-case-granted-by-district');
	await clerk.page.locator('.toasts').waitFor();
	await clerk.press('desk.logout');
	await clerk.seesText('desk.login.lead');
	await clerk.logIn(district.town);
	await clerk.seesText('desk.logged-in-as', { name: district.town.user });
	assert.equal(await clerk.page.locator('.toasts').count(), 0, 'what the one before was told names a resident');
	for (const one of [other, clerk, officer]) one.assertNoFaults();
	await other.close();
});

test('a receipt of one terminal can be looked up at another', async () => {
	await resident.lookUp(made.handed.code);
	await resident.seesText('kiosk.records.from-town');
	await resident.seesText('kiosk.status.granted');
	assert.equal(await resident.button('kiosk.records.withdraw').count(), 0, 'what is decided cannot be withdrawn');
	await resident.look('kiosk-19-from-town');
	await resident.press('kiosk.home');
});

test('a resident withdraws; staff close a duplicate and one whose resident phoned', async () => {
	await submit('withdrawn', 'legal-advice', 1);
	await submit('duplicate', 'legal-advice', 2);
	await submit('phoned', 'legal-advice', 3);
	await resident.lookUp(made.withdrawn.code);
	await resident.seesText('kiosk.records.none');
	await resident.press('kiosk.records.withdraw');
	await resident.look('kiosk-20-withdraw');
	await resident.press('kiosk.withdraw.withdraw');
	await resident.waitForNews(resident.t('kiosk.status.withdrawn'));
	await resident.look('kiosk-21-withdrawn');
	await resident.press('kiosk.home');
	count('legal-advice', 'withdrawn');

	await clerk.openCase(made.withdrawn.request_id);
	await clerk.state(clerk.t('desk.state.CASE_STATE_WITHDRAWN'));
	await clerk.look('town-16-case-withdrawn');

	await clerk.openCase(made.duplicate.request_id);
	await clerk.page.keyboard.press('a');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ACCEPTED'));
	await clerk.page.keyboard.press('d');
	await clerk.page.locator('.desk-picker .choice').first().waitFor();
	await clerk.look('town-17-duplicate');
	await clerk.page.locator('#decide-duplicate_of').fill(made.phoned.request_id);
	await clerk.press('desk.review');
	await clerk.look('town-18-duplicate-review');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_DUPLICATE'));
	count('legal-advice', 'duplicate');

	await clerk.openCase(made.phoned.request_id);
	await clerk.decide('w', { note: '居民来电说不办了。' });
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_WITHDRAWN'));
	count('legal-advice', 'withdrawn');
	clerk.assertNoFaults();
});

test('what the district decides itself goes straight to its queue', async () => {
	await submit('health', 'health-check', 4);
	await officer.openCase(made.health.request_id);
	await officer.page.keyboard.press('a');
	await officer.confirm();
	await officer.state(officer.t('desk.state.CASE_STATE_ACCEPTED'));
	await officer.decide('p', { text: '体检可以安排，接送不能安排。' });
	await officer.confirm();
	await officer.state(officer.t('desk.outcome.OUTCOME_PARTLY_GRANTED'));
	await officer.look('hub-04-case-partly');
	count('health-check', 'partly_granted');
	await resident.lookUp(made.health.code);
	await resident.waitForNews('体检可以安排，接送不能安排。');
	await resident.look('kiosk-22-partly');
	await resident.press('kiosk.home');
});

async function assertTotals() {
	const columns = ['received', 'open', 'granted', 'partly_granted', 'refused', 'withdrawn', 'duplicate'];
	const totals = async () => {
		const view = await officer.page.evaluate(() => fetch('/api/v1/totals').then((r) => r.json()));
		return view.totals.map((row) => [row.town, row.service, ...columns.map((column) => Number(row[column]))]).sort();
	};
	const wanted = Object.entries(expected).map(([service, row]) => [
		district.town.place,
		service,
		...columns.map((column) => row[column] ?? 0),
	]);
	for (const end = Date.now() + PATIENCE_MS; JSON.stringify(await totals()) !== JSON.stringify(wanted.sort()) && Date.now() < end; )
		await officer.page.waitForTimeout(200);
	assert.deepEqual(await totals(), wanted.sort());
	const all = wanted.reduce((sum, row) => sum + row[2], 0);
	const open = wanted.reduce((sum, row) => sum + row[3], 0);
	await officer.seesText('desk.totals.sentence', { received: all, open, decided: wanted.reduce((sum, row) => sum + row[4] + row[5] + row[6], 0) });
}

test('the district sees totals a town and service, and every link', async () => {
	await officer.visit('totals');
	await assertTotals();
	await officer.look('hub-05-totals');
	await officer.visit('links');
	await officer.page.locator('tbody .chip.success').nth(2).waitFor(); // a town and two terminals are up
	assert.equal(await officer.page.locator('tbody .chip.success').count(), 3);
	await officer.look('hub-06-links');
	await clerk.visit('links');
	await clerk.page.locator('tbody .chip.success').nth(2).waitFor(); // the district and two terminals are up
	assert.equal(await clerk.page.locator('tbody .chip.success').count(), 3);
	await clerk.look('town-19-links');
	await clerk.visit('cases/all');
	await clerk.page.locator('tbody tr').nth(5).waitFor();
	await clerk.look('town-20-queue-all');
	officer.assertNoFaults();
});

test('without its town a terminal still takes requests, and everybody sees where they are', async () => {
	await district.tell({ do: 'stop', node: district.town.name });
	await resident.fill('device-fitting', { ...DEVICE, name: '王示例' });
	made.alone = await resident.handIn();
	count('device-fitting', 'received');
	assert.equal(await resident.marks(), 1, 'saved here only');
	await resident.look('kiosk-23-receipt-saved-here');
	await resident.press('kiosk.bar.staff');
	await resident.steady();
	await resident.page.locator('summary').click();
	await resident.seesText('kiosk.staff.not-connected');
	await resident.look('kiosk-24-staff-not-connected');
	await resident.press('kiosk.close');
	await officer.seesText('desk.link.not-reported');
	await officer.look('hub-07-links-down');
	await clerk.page.locator('.desk-lost').waitFor({ timeout: PATIENCE_MS });
	await clerk.look('town-21-out-of-reach');
	await district.tell({ do: 'start', node: district.town.name });
	await resident.waitForMarks(3);
	await resident.press('kiosk.receipt.done');
	await clerk.seesText('desk.login.again');
	await clerk.look('town-22-login-again');
	await clerk.page.locator('#login-password').fill(district.town.password);
	await clerk.page.keyboard.press('Enter');
	await clerk.sees('王**');
	resident.assertNoFaults();
});

test('a town that dies while a decision is on its way loses nothing', async () => {
	const { page } = clerk;
	const dies = async (isSaved) => {
		const { death } = await diesOn(page, '**/actions', district.town.name, isSaved, `/api/v1/cases/${made.alone.request_id}`);
		await page.locator('dialog .desk-confirm').click();
		await death;
		await clerk.sees(/还不知道是否已经保存/);
		await district.tell({ do: 'start', node: district.town.name });
		await clerk.seesText('desk.login.again');
		await page.locator('#login-password').fill(district.town.password);
		await page.keyboard.press('Enter');
		await page.locator('dialog h2', { hasNotText: clerk.t('desk.login.again') }).waitFor();
	};
	await clerk.openCase(made.alone.request_id);
	await page.keyboard.press('a');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ACCEPTED'));
	await clerk.decide('g', { text: '同意，三天内送到。' });
	await dies(false);
	assert.equal(await page.locator('#decide-text').inputValue(), '同意，三天内送到。', 'what was typed is still there');
	await clerk.look('town-23-not-saved');
	await clerk.press('desk.review');
	await dies(true);
	await clerk.seesText('desk.news.title');
	await clerk.look('town-24-was-saved');
	await clerk.press('desk.close');
	await clerk.state(clerk.t('desk.outcome.OUTCOME_GRANTED'));
	assert.equal(await page.locator('.desk-timeline li', { hasText: '同意，三天内送到。' }).count(), 1, 'decided once');
	count('device-fitting', 'granted');
	await resident.lookUp(made.alone.code);
	await resident.waitForNews('同意，三天内送到。');
	await resident.press('kiosk.home');
});

test('a terminal that dies while it takes a request gives one receipt', async () => {
	const { page } = resident;
	const [terminal] = district.terminals;
	for (const isSaved of [false, true]) {
		await resident.fill('device-fitting', { ...DEVICE, name: isSaved ? '赵示例' : '钱示例' });
		const { death } = await diesOn(page, '**/api/v1/requests', terminal.name, isSaved);
		const receipt = resident.handIn();
		await death; // the page says "not saved yet" before the daemon is gone, too
		await resident.seesText('kiosk.saving.text');
		if (isSaved) await resident.look('kiosk-25-saving');
		await district.tell({ do: 'start', node: terminal.name });
		await receipt;
		count('device-fitting', 'received', 'open');
		await resident.waitForMarks(3);
		if (isSaved) {
			await resident.seesText('kiosk.receipt.before');
			await resident.look('kiosk-26-receipt-once');
		}
		await resident.press('kiosk.receipt.done');
	}
	await officer.visit('totals');
	await assertTotals();
	await clerk.visit('cases');
	await clerk.sees('赵**');
	assert.equal(await clerk.page.getByText('赵**').count(), 1);
	assert.equal(await clerk.page.getByText('钱**').count(), 1);
});

test('a page of another origin can neither read nor submit', async () => {
	const hostile = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<title>hostile</title>'));
	await new Promise((resolve) => hostile.listen(0, '127.0.0.1', resolve));
	try {
		const tab = await clerk.page.context().newPage(); // of a browser in which a clerk is logged in
		await tab.goto(`http://127.0.0.1:${hostile.address().port}/`);
		const tried = await tab.evaluate(
			async ({ town, terminal, id }) => {
				const outcome = (promise) => promise.then((r) => `${r.type} ${r.status}`, () => 'refused');
				const post = (url, mode, type) =>
					outcome(fetch(url, { method: 'POST', mode, credentials: 'include', headers: { 'Content-Type': type }, body: '{"action":"CASE_ACTION_ACCEPT","version":0}' }));
				const framed = document.createElement('iframe');
				framed.src = town;
				const shown = new Promise((resolve) => framed.addEventListener('load', resolve));
				document.body.append(framed);
				await shown;
				return {
					read: await outcome(fetch(`${town}/api/v1/cases`, { credentials: 'include' })),
					state: await outcome(fetch(`${terminal}/api/v1/state`)),
					begin: await outcome(fetch(`${terminal}/api/v1/begin`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })),
					json: await post(`${town}/api/v1/cases/${id}/actions`, 'cors', 'application/json'),
					plain: await post(`${town}/api/v1/cases/${id}/actions`, 'no-cors', 'text/plain'),
					script: await new Promise((resolve) => {
						const script = document.createElement('script');
						script.src = `${town}/api/v1/me`;
						script.onload = () => resolve('loaded');
						script.onerror = () => resolve('refused');
						document.body.append(script);
					}),
					frames: await new Promise((resolve) => {
						try {
							resolve(framed.contentDocument?.body?.innerText ?? 'closed');
						} catch {
							resolve('closed');
						}
					}),
				};
			},
			{ town: district.town.url, terminal: district.terminals[0].url, id: made.first.request_id },
		);
		for (const way of ['read', 'state', 'begin', 'json']) assert.equal(tried[way], 'refused', way);
		assert.equal(tried.script, 'refused');
		assert.equal(tried.frames, 'closed');
		assert.match(tried.plain, /^(opaque 0|refused)$/, 'whatever the browser sent, the page learns nothing');
		assert.equal(tab.frames().length > 1 && (await tab.frames()[1].locator('#app').count()), 0, 'it cannot be framed');
		await tab.close();
		await officer.visit('totals');
		await assertTotals(); // and nothing was done
	} finally {
		hostile.close();
	}
});

// ---- every size, colour and screen ----

const SAMPLE = [
	{ screen: 'kiosk32', theme: 2, size: 4 },
	{ screen: 'kiosk21', theme: 3, size: 1, language: 'en' },
	{ screen: 'doubled', theme: 1, size: 3 },
	{ screen: 'narrow', theme: 0, size: 2, language: 'en' },
];
const EVERY = ['kiosk32', 'kiosk21', 'doubled', 'narrow'].flatMap((screen) =>
	[0, 1, 2, 3].flatMap((theme) =>
		[1, 2, 3, 4].flatMap((size) => ['zh-CN', 'en'].map((language) => ({ screen, theme, size, language }))),
	),
);

async function lookAround({ screen, theme, size, language = 'zh-CN' }) {
	const one = await Resident.arrive(browser, district.terminals[0].url, { screen, theme, size, language });
	const look = (page) => one.look(`look-${screen}-${theme + 1}-${size}-${language}-${page}`);
	await look('1-start');
	await one.fill('device-fitting', DEVICE);
	await look('2-check');
	await one.press('kiosk.check.change-of', {
		question: language === 'en' ? 'What is your certificate number?' : '您的残疾人证号是什么？',
	});
	await one.page.locator('#answer').fill('1');
	await one.press('kiosk.form.next');
	await look('3-question');
	await one.press('kiosk.home');
	await one.press('kiosk.leave.leave');
	await one.lookUp(made.first.code);
	await one.seesText('kiosk.records.title');
	await look('4-records');
	one.assertNoFaults();
	await one.close();
}

async function lookAtDesk({ screen }) {
	const one = await Clerk.arrive(browser, district.town.url, screen);
	await one.page.getByRole('button', { name: 'English' }).click();
	one.language = 'en';
	await one.look(`desk-${screen}-1-login`);
	await one.logIn(district.town);
	await one.page.locator('tbody tr').first().waitFor();
	await one.look(`desk-${screen}-2-queue`);
	await one.openCase(made.first.request_id);
	await one.look(`desk-${screen}-3-case`);
	await one.visit('links');
	await one.page.locator('tbody tr').first().waitFor();
	await one.look(`desk-${screen}-4-links`);
	one.assertNoFaults();
	await one.close();
}

const ways = [
	...(IS_FULL ? EVERY : SAMPLE).map((way) => ({ ...way, run: lookAround })),
	...['narrow', 'doubled', 'wall'].map((screen) => ({ screen, run: lookAtDesk })),
];
const SIDE_BY_SIDE = 3;
let looks; // started together by the first of the tests below, each of which waits for its own

function startLooks() {
	const waiting = ways.map((way) => () => way.run(way));
	const results = ways.map(() => ({}));
	results.forEach((result) => (result.done = new Promise((resolve) => (result.end = resolve))));
	const work = async () => {
		while (waiting.length > 0) {
			const at = ways.length - waiting.length;
			await waiting.shift()().then(results[at].end, results[at].end);
		}
	};
	for (let i = 0; i < SIDE_BY_SIDE; i++) void work();
	return results;
}

ways.forEach((way, at) => {
	const { run, ...of } = way;
	test(`${run === lookAtDesk ? 'the desk' : 'the kiosk'} looks right: ${JSON.stringify(of)}`, async () => {
		looks ??= startLooks();
		const fault = await looks[at].done;
		if (fault) throw fault;
	});
});

test('a module with many services shows six choices at most on a screen', async () => {
	const [terminal] = district.terminals;
	await district.tell({ do: 'publish', node: terminal.name, service: 'cloud-culture', copies: 9 }); // twelve in all
	const one = await Resident.arrive(browser, terminal.url, { size: 4 });
	const choices = () => one.page.locator('.touched .tile').allInnerTexts();
	const names = async () => (await choices()).map((words) => words.split('\n')[0]).filter((words) => words !== one.t('kiosk.services.more'));
	const seen = [];
	await one.press('kiosk.module.culture');
	for (const [number, count] of [6, 6, 2].entries()) {
		if (number > 0) await one.press('kiosk.services.more');
		await one.seesText('kiosk.services.page', { number: number + 1, total: 3 });
		assert.equal((await choices()).length, count);
		assert.equal(await one.page.evaluate(() => document.activeElement.tagName), 'H1', 'the new screen has the focus');
		seen.push(...(await names()));
		await one.look(`kiosk-many-${number + 1}`);
	}
	assert.equal(new Set(seen).size, 12, 'each service stands on one screen');
	await one.pressName(seen[11]);
	await one.press('kiosk.back'); // to where it was
	assert.deepEqual(await names(), seen.slice(10));
	await one.press('kiosk.back');
	assert.deepEqual(await names(), seen.slice(5, 10));
	await one.press('kiosk.home');
	await one.press('kiosk.module.culture');
	assert.deepEqual(await names(), seen.slice(0, 5));
	one.assertNoFaults();
	await one.close();
});
