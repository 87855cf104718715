// Bad days, as people see them: what is held up at a desk, and what a kiosk says when something is wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const READY = '0x18', NO_PAPER = '0x38'; // the status lines of a printer
const TEN_YEARS_AGO = String(-10 * 365 * 86_400);

let browser, district, resident;

const machine = (part, says) => district.tell({ do: 'machine', node: district.terminals[0].name, part, says });
const gone = (one, key) =>
	one.page.locator('.notices li', { hasText: one.t(key) }).waitFor({ state: 'detached', timeout: PATIENCE_MS });

/** A stop as others see it: largest letters, another language and colour, a narrow screen. */
async function lookAround(url, name, key) {
	const ways = [
		{ screen: 'kiosk32', size: 4, theme: 1, language: 'en' },
		{ screen: 'kiosk21', size: 4, theme: 2 },
		{ screen: 'narrow', size: 3, theme: 3, language: 'en' },
	];
	await Promise.all(
		ways.map(async (way) => {
			const one = await Resident.arrive(browser, url, { ...way, isStopped: true });
			await one.seesText(key);
			await one.look(`${name}-${way.screen}`);
			one.assertNoFaults();
			await one.close();
		}),
	);
}

/** By keys alone: the heading has the focus, Tab goes through everything, and what staff need opens. */
async function reachesByKeys(one, key) {
	assert.equal(await one.page.evaluate(() => document.activeElement?.tagName), 'H1');
	assert.equal(await one.page.locator('h1').innerText(), one.t(key));
	for (let i = 0; i < 8; i++) {
		await one.page.keyboard.press('Tab');
		if (await one.page.evaluate(() => document.activeElement?.tagName === 'SUMMARY')) {
			await one.steady();
			return one.page.keyboard.press('Enter');
		}
	}
	return assert.fail('the details for staff cannot be reached by keys');
}

async function seesWhomToCall(one) {
	await one.sees('000 5910 0106');
	await one.sees(one.t('common.sample'));
}

/** Without a link: the nearest first, a few at a time, and what is there for people who need it. */
async function findsServicePoints() {
	const { points } = await resident.page.evaluate(() => fetch('/api/v1/points').then((r) => r.json()));
	const far = points.map(({ distance_m }) => distance_m);
	assert.equal(points.length, 12);
	assert.ok(far[0] < 1000 && far[11] > 3000, 'of the own community, and of other towns');
	assert.deepEqual(far, far.toSorted((a, b) => a - b));
	const shown = () => resident.page.locator('.point strong').allInnerTexts();
	const named = (from, to) => points.slice(from, to).map(({ point }) => point.name.zh);
	await resident.press('kiosk.points.title');
	await resident.seesText('kiosk.points.text');
	assert.deepEqual(await shown(), named(0, 3));
	const first = resident.page.locator('.point').first();
	assert.match(await first.innerText(), /约 \d00 米|就在附近/);
	assert.equal(await first.locator('.features li').count(), points[0].point.features.length);
	assert.equal(await resident.page.locator('.point .sample-mark').count(), 3);
	await resident.look('points-1');
	await resident.press('kiosk.points.farther');
	await resident.seesText('kiosk.services.page', { number: 2, total: 4 });
	assert.deepEqual(await shown(), named(3, 6));
	await resident.sees(/约 \d+\.\d 公里/);
	await resident.press('kiosk.back');
	await resident.press('kiosk.back');
	await resident.seesText('kiosk.start.title');
	await resident.press('kiosk.bar.staff');
	assert.deepEqual(await shown(), named(0, 1));
	await resident.press('kiosk.close');
}

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict('--troubled')]);
});

after(async () => {
	await resident?.close();
	await browser?.close();
	await district?.end();
});

test('a terminal without a catalogue says so, and begins by itself when it comes', async () => {
	const { url } = district.terminals[0];
	resident = await Resident.arrive(browser, url, { isStopped: true });
	await resident.seesText('kiosk.stop.no-catalogue');
	await seesWhomToCall(resident);
	await reachesByKeys(resident, 'kiosk.stop.no-catalogue');
	await resident.sees('事项目录还没有来');
	await resident.look('stop-1-no-catalogue');
	await lookAround(url, 'stop-1-no-catalogue', 'kiosk.stop.no-catalogue');
	await district.tell({ do: 'publish-all', node: district.hub.name });
	await resident.seesText('kiosk.start.title');
	await resident.page.locator('.tile').first().waitFor();
	resident.assertNoFaults();
});

test('a terminal that nobody has admitted waits for the district', async () => {
	const stranger = await district.tell({ do: 'stranger', node: district.hub.name });
	const one = await Resident.arrive(browser, stranger.url, { isStopped: true });
	await one.seesText('kiosk.stop.waiting');
	await seesWhomToCall(one);
	await reachesByKeys(one, 'kiosk.stop.waiting');
	await one.sees(/不认识本机的密钥/);
	await one.look('stop-2-waiting');
	await district.tell({ do: 'admit', node: stranger.name });
	await one.page.locator('.tile').first().waitFor({ timeout: PATIENCE_MS });
	one.assertNoFaults();
	await one.close();
});

test('without paper, printer, clock or link everything goes on, and a line says so', async () => {
	await machine('printer', NO_PAPER);
	await resident.seesText('kiosk.notice.no-paper');
	await resident.look('notice-1-no-paper');
	await machine('printer', null);
	await machine('clock', TEN_YEARS_AGO);
	await district.tell({ do: 'stop', node: district.town.name });
	for (const what of ['no-printer', 'no-clock', 'no-link']) await resident.seesText(`kiosk.notice.${what}`);
	await resident.look('notice-2-all');
	await findsServicePoints();
	const { code } = await district.tell({ do: 'submit', node: district.terminals[0].name, service: 'device-fitting' });
	await resident.lookUp(code);
	await resident.seesText('kiosk.records.made', { time: resident.t('kiosk.time.unknown') });
	assert.equal(await resident.marks(), 1, 'saved here');
	await resident.look('notice-3-records');
	await resident.press('kiosk.bar.staff');
	await seesWhomToCall(resident);
	await resident.steady();
	await resident.page.locator('summary').click();
	await resident.look('notice-5-staff');
	await resident.press('kiosk.close');

	await machine('printer', READY);
	await machine('clock', null);
	await district.tell({ do: 'start', node: district.town.name });
	for (const what of ['no-printer', 'no-clock', 'no-link']) await gone(resident, `kiosk.notice.${what}`);
	await resident.waitForMarks(3);
	await resident.press('kiosk.home');
	resident.assertNoFaults();
});

test('a receipt is printed, or the screen says why not', async () => {
	await resident.fill('legal-advice', { name: '张示例', topic: 'unknown', notice: 'no', way: 'unknown' });
	await resident.handIn();
	await machine('printer', NO_PAPER);
	await resident.press('kiosk.receipt.print');
	await resident.page.locator('main .notice', { hasText: resident.t('kiosk.notice.no-paper') }).waitFor();
	await resident.look('slip-1-no-paper');
	await machine('printer', READY);
	await resident.press('kiosk.receipt.print');
	await resident.seesText('kiosk.receipt.printed');
	await resident.look('slip-2-printed');
	await resident.press('kiosk.receipt.done');
	resident.assertNoFaults();
});

test('what was typed waits while the storage is full, and goes on where it was', async () => {
	const { page } = resident;
	await resident.openService('legal-advice');
	await resident.press('kiosk.service.start');
	await resident.press('kiosk.consent.agree');
	await page.locator('#answer').fill('王示例');
	await district.tell({ do: 'stop', node: district.town.name });
	await district.tell({ do: 'fill', node: district.terminals[0].name });
	await resident.seesText('kiosk.stop.full');
	await resident.seesText('kiosk.stop.kept');
	await seesWhomToCall(resident);
	await reachesByKeys(resident, 'kiosk.stop.full');
	await resident.look('stop-3-full');
	await district.tell({ do: 'start', node: district.town.name });
	await page.locator('#answer').waitFor({ timeout: PATIENCE_MS });
	assert.equal(await page.locator('#answer').inputValue(), '王示例');
	assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'reading goes on at the question');
	await resident.press('kiosk.form.next');
	await resident.press('kiosk.home');
	await resident.press('kiosk.leave.leave');
	resident.assertNoFaults();
});

test('a revoked terminal says so, and still shows what a receipt says', async () => {
	const { name, url } = district.terminals[2];
	const { code } = await district.tell({ do: 'submit', node: name, service: 'device-fitting' });
	const one = await Resident.arrive(browser, url);
	await district.tell({ do: 'revoke', node: name });
	await one.seesText('kiosk.stop.revoked');
	await seesWhomToCall(one);
	await reachesByKeys(one, 'kiosk.stop.revoked');
	await one.sees(/20\d\d-\d\d-\d\d 由 operator1 吊销：示例：设备失窃/);
	await one.look('stop-4-revoked');
	await one.lookUp(code);
	await one.seesText('kiosk.records.title');
	one.assertNoFaults();
	await one.close();
});

test('staff see what is held up, try it again, and drop it with a reason', async () => {
	const clerk = await Clerk.arrive(browser, district.town.url);
	const { page } = clerk;
	await clerk.logIn(district.town);
	await page.getByRole('link', { name: clerk.t('desk.nav.quarantine'), exact: true }).click();
	await clerk.seesText('desk.held.none');
	await clerk.look('town-held-1-none');

	const [first, evil] = district.terminals;
	const { request_id } = await district.tell({ do: 'submit', node: first.name, service: 'device-fitting' });
	await district.tell({ do: 'poison', node: evil.name, about: request_id });
	await page.getByRole('link', { name: clerk.t('desk.nav.with-count', { page: clerk.t('desk.nav.quarantine'), n: 2 }) }).waitFor();
	await clerk.sees('申请没有写明是哪个事项、哪一版');
	await clerk.look('town-held-2-list');

	const poison = page.locator('tbody tr', { hasText: '没有写明是哪个事项' });
	await poison.getByRole('button', { name: clerk.t('desk.held.retry') }).click();
	await clerk.look('town-held-3-retry');
	await page.locator('dialog .primary').click();
	await clerk.seesText('desk.held.failed-again');
	await clerk.look('town-held-4-again');
	await clerk.press('desk.close');

	await poison.getByRole('button', { name: clerk.t('desk.held.drop') }).press('Enter');
	await clerk.seesText('desk.held.drop-waiting', { n: 1 });
	await page.locator('dialog .danger.button').click();
	await clerk.seesText('desk.held.reason-missing');
	await clerk.look('town-held-5-no-reason');
	await page.locator('#held-reason').fill('示例：坏了的设备发来的。');
	await page.locator('dialog .danger.button').click();
	await clerk.seesText('desk.held.dropped');
	await page.getByRole('link', { name: clerk.t('desk.nav.with-count', { page: clerk.t('desk.nav.quarantine'), n: 1 }) }).waitFor();
	await page.getByRole('link', { name: clerk.t('desk.held.done'), exact: true }).click();
	await clerk.sees('示例：坏了的设备发来的。');
	await clerk.look('town-held-6-done');
	clerk.assertNoFaults();
	await clerk.close();

	const officer = await Clerk.arrive(browser, district.hub.url, 'narrow');
	await officer.page.getByRole('button', { name: 'English' }).click();
	officer.language = 'en';
	await officer.logIn(district.hub);
	await officer.visit('quarantine');
	await officer.sees('the request names no service, or no revision of it');
	await officer.look('hub-held-7-narrow');
	officer.assertNoFaults();
	await officer.close();
});

test('a terminal of which there are two is stopped until somebody has looked', async () => {
	const { name, url } = district.terminals[1];
	await district.tell({ do: 'start', node: name });
	const one = await Resident.arrive(browser, url);
	const { request_id } = await district.tell({ do: 'submit', node: name, service: 'device-fitting' });
	await district.tell({ do: 'poison', node: name, about: request_id, beside: true }); // somebody else with its keys
	await district.tell({ do: 'submit', node: name, service: 'device-fitting', nth: 1 });
	await one.seesText('kiosk.stop.frozen');
	await seesWhomToCall(one);
	await reachesByKeys(one, 'kiosk.stop.frozen');
	await one.sees(/有两份记录/);
	await one.look('stop-5-frozen');
	one.assertNoFaults();
	await one.close();
});
