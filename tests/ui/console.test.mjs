// A day at a town's console with the keyboard alone: finding, filtering, taking, doing many at once and taking it back, who is
// away, and the note for the next shift.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const MANY = 6;
let browser, district, clerk, codes;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.clerk1 ?? district.town);
	await clerk.seesText('desk.queue.title');
	codes = [];
	for (let nth = 0; nth < MANY; nth++)
		codes.push(await district.tell({ do: 'submit', node: district.terminals[nth % 2].name, service: nth === 0 ? 'legal-advice' : 'device-fitting', nth }));
	await clerk.page.locator('tbody tr').nth(MANY - 1).waitFor();
});

after(async () => {
	await browser?.close();
	await district?.end();
});

/** In window.tones. */
const countTones = (page) =>
	page.evaluate(() => {
		window.tones = 0;
		const start = OscillatorNode.prototype.start;
		OscillatorNode.prototype.start = function (...words) {
			window.tones++;
			return start.apply(this, words);
		};
	});

const rows = () => clerk.page.locator('tbody tr').count();
const rowsAre = (n) => clerk.page.waitForFunction((n) => document.querySelectorAll('tbody tr').length === n, n);

test('the queue in every language and size, and a request taken with one key', async () => {
	const { page } = clerk;
	await clerk.lookEverywhere('console-1-queue');
	await page.setViewportSize({ width: 320, height: 640 });
	await clerk.look('console-1-queue-320');
	await page.setViewportSize({ width: 1366, height: 768 });
	await page.locator('h1').focus();
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('c');
	await page.locator('.desk-done').waitFor();
	await page.locator('tbody tr', { hasText: 'clerk1' }).waitFor();
	await clerk.look('console-2-taken');
	await clerk.tabTo('desk.bulk.undo');
	await page.keyboard.press('Enter');
	await page.locator('.desk-done').waitFor({ state: 'detached' });
	await page.locator('tbody tr', { hasText: 'clerk1' }).waitFor({ state: 'detached' });
	clerk.assertNoFaults();
});

test('one box finds by receipt code, and no address tells what was looked for', async () => {
	const { page } = clerk;
	await page.locator('h1').focus();
	await page.keyboard.press('f');
	await page.keyboard.type(codes[2].code);
	Clerk.secrets.add(codes[2].code);
	await rowsAre(1);
	await clerk.assertKeepsToItself();
	assert.equal(await page.locator('[data-request]').first().getAttribute('data-request'), codes[2].request_id);
	await page.locator('#queue-search').fill('没有这个人');
	await clerk.seesText('desk.queue.empty');
	await page.locator('#queue-search').fill('');
	await rowsAre(MANY);
	clerk.assertNoFaults();
});

test('filters, and a view that is kept for whoever saved it', async () => {
	const { page } = clerk;
	await page.locator('.desk-filter summary').focus();
	await page.keyboard.press('Enter');
	await page.locator('#filter-service').selectOption('legal-advice');
	await rowsAre(1);
	await clerk.tabTo('desk.filter.save');
	await clerk.enterDialog();
	await page.locator('#view-name').fill('法律');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.locator('.desk-views', { hasText: '法律' }).waitFor();
	await clerk.lookEverywhere('console-3-filtered');
	await clerk.tabTo('desk.filter.clear');
	await page.keyboard.press('Enter');
	await rowsAre(MANY);
	await page.reload();
	await page.locator('.desk-views a', { hasText: '法律' }).focus();
	await page.keyboard.press('Enter');
	await rowsAre(1);
	await clerk.visit('cases');
	await rowsAre(MANY);
	clerk.assertNoFaults();
});

test('many at once: who would be refused is said before, and it can be taken back', async () => {
	const { page } = clerk;
	await page.locator('h1').focus();
	await page.keyboard.press('y');
	await page.keyboard.press('b');
	await page.locator('dialog[open]').waitFor();
	await clerk.look('console-4-bulk');
	await page.locator('#bulk-act').selectOption('BULK_ACT_ACCEPT');
	await clerk.tabTo('desk.bulk.preview');
	await page.keyboard.press('Enter');
	await page.locator('.desk-preview').waitFor();
	await clerk.seesText('desk.bulk.cannot-undo');
	await clerk.look('console-5-preview');
	await page.keyboard.press('Escape');
	await page.locator('dialog').waitFor({ state: 'detached' });
	await page.keyboard.press('b');
	await clerk.tabTo('desk.bulk.preview');
	await page.keyboard.press('Enter');
	await clerk.seesText('desk.bulk.can-undo');
	await page.waitForFunction(() => document.activeElement?.matches('.desk-preview h3')); // reading begins there
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.waitForFunction((n) => [...document.querySelectorAll('tbody tr')].filter((row) => row.innerText.includes('clerk1')).length === n, MANY);
	await clerk.tabTo('desk.bulk.undo');
	await page.keyboard.press('Enter');
	await page.waitForFunction(() => ![...document.querySelectorAll('tbody tr')].some((row) => row.innerText.includes('clerk1')));
	assert.equal(await rows(), MANY);
	clerk.assertNoFaults();
});

test('who has how much, who is away, and what the next shift must know', async () => {
	const { page } = clerk;
	await page.getByRole('link', { name: clerk.t('desk.nav.work'), exact: true }).focus();
	await page.keyboard.press('Enter');
	await page.locator('tbody tr', { hasText: clerk.t('desk.filter.nobody') }).waitFor();
	await page.locator('#leave-from').fill('2020-01-01');
	await page.locator('#leave-until').fill('2090-01-01');
	await clerk.tabTo('desk.work.set-leave');
	await page.keyboard.press('Enter');
	await clerk.seesText('desk.work.is-away');
	await clerk.tabTo('desk.work.write');
	await page.keyboard.press('Enter');
	await clerk.seesText('desk.work.note-missing');
	await page.locator('#shift-note').fill('二号窗口的打印机缺纸。');
	await clerk.lookEverywhere('console-6-work');
	await clerk.tabTo('desk.work.write');
	await page.keyboard.press('Enter');
	await page.locator('.desk-notes', { hasText: '缺纸' }).waitFor();
	await page.waitForFunction(() => document.querySelector('#shift-note').value === '');
	const other = await Clerk.arrive(browser, district.town.url);
	await other.logIn(district.clerk2);
	await other.seesText('desk.queue.title');
	await other.visit('work');
	await other.tabTo('desk.work.tick');
	await other.page.keyboard.press('Enter');
	await other.seesText('desk.work.read-by', { names: 'clerk2' });
	await page.locator('.desk-notes', { hasText: 'clerk2' }).waitFor(); // heard without a key
	clerk.assertNoFaults();
	other.assertNoFaults();
});

test('a resident rings at a terminal: the console shows and sounds it, and the terminal tells that it was seen', async () => {
	const { page } = clerk;
	await countTones(page);
	const resident = await Resident.arrive(browser, district.terminals[0].url);
	await resident.press('kiosk.bar.staff');
	await resident.press('kiosk.ring.ring');
	await resident.seesText('kiosk.ring.rings');
	await page.locator('.desk-rings').waitFor();
	await page.waitForFunction(() => window.tones > 0);
	await resident.look('console-7-kiosk-rings');
	await clerk.lookEverywhere('console-8-call');
	await clerk.tabTo('desk.ring.take');
	await page.keyboard.press('Enter');
	await resident.seesText('kiosk.ring.taken');
	await resident.press('kiosk.close');
	await page.locator('.desk-rings').waitFor({ state: 'detached' });
	resident.assertNoFaults();
	clerk.assertNoFaults();
});

test('a locked console rings, too, and tells no more than that', async () => {
	const locked = await Clerk.arrive(browser, district.town.url);
	await locked.logIn(district.clerk2);
	await locked.seesText('desk.queue.title');
	await countTones(locked.page);
	await locked.page.evaluate(() => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + 16 * 60_000;
	});
	await locked.seesText('desk.lock.title');
	const resident = await Resident.arrive(browser, district.terminals[0].url);
	await resident.press('kiosk.bar.staff');
	await resident.press('kiosk.ring.ring');
	await locked.seesText('desk.ring.waits', { n: 1 });
	await locked.page.waitForFunction(() => window.tones > 0);
	assert.equal(await locked.page.locator('.desk-rings').count(), 0);
	await locked.look('console-9-locked-rings');
	await locked.page.locator('#login-password').fill(district.clerk2.password);
	await locked.page.keyboard.press('Enter');
	await locked.page.locator('.desk-rings').waitFor();
	await resident.press('kiosk.close');
	await locked.page.locator('.desk-rings').waitFor({ state: 'detached' });
	resident.assertNoFaults();
	locked.assertNoFaults();
	await locked.close();
});

test('a resident is to be called back: planned at the case, tried, and done', async () => {
	const { page } = clerk;
	await clerk.openCase(codes[1].request_id);
	await clerk.tabTo('desk.contact.add');
	await clerk.enterDialog();
	await clerk.tabTo('desk.contact.save');
	await page.keyboard.press('Enter');
	await page.locator('dialog .notice.danger').waitFor(); // what to say is missing
	await page.locator('#contact-text').fill('示例：问什么时候方便上门。');
	await clerk.look('console-9-plan');
	await clerk.tabTo('desk.contact.save');
	await page.keyboard.press('Enter');
	await page.locator('.desk-notes', { hasText: '方便上门' }).waitFor();
	await clerk.visit('contacts');
	await clerk.seesText('desk.contact.to-do');
	await clerk.lookEverywhere('console-10-contacts');
	await clerk.tabTo('desk.contact.try');
	await clerk.enterDialog();
	await clerk.tabTo('desk.contact.save');
	await page.keyboard.press('Enter');
	await clerk.seesText('desk.contact.none');
	await clerk.openCase(codes[1].request_id);
	await clerk.seesText('desk.contact.done');
	clerk.assertNoFaults();
});

test('a text of the desk\'s own, in plain and easy language, is where an answer begins', async () => {
	const { page } = clerk;
	await clerk.visit('work');
	for (const part of ['name-zh', 'name-en', 'plain-zh', 'plain-en', 'easy-zh', 'easy-en'])
		await page.locator(`#wording-${part}`).fill(part.endsWith('zh') ? `示例${part === 'easy-zh' ? '好懂' : '用语'}` : 'An example');
	await clerk.tabTo('desk.wording.save');
	await page.keyboard.press('Enter');
	await clerk.seesText('desk.wording.drop');
	await page.waitForFunction(() => document.querySelector('#wording-plain-zh').value === ''); // what was saved is not asked for again
	await clerk.lookEverywhere('console-11-wordings');
	await clerk.openCase(codes[1].request_id);
	await page.keyboard.press('a');
	await clerk.confirm();
	await page.keyboard.press('q');
	await clerk.tabTo('desk.wording.easy');
	await page.keyboard.press('Enter');
	assert.equal(await page.locator('#decide-text').inputValue(), '示例好懂');
	await clerk.look('console-12-begun');
	clerk.assertNoFaults();
});
