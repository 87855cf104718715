// What staff do that nobody can undo: erasing, which takes two, and saying which of two machines goes on; and a report that is
// sent. By keys where a hand could be wanted. Each test goes on where the one before it stopped.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test as nodeTest } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const REASON = '本人到窗口要求删除。', GROUND = '个人信息保护法第四十七条。';
const PATH = '/api/v1/erasures';

let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

let browser, district, resident, first, second, officer;
const made = {};

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	const [{ name, url }] = district.terminals;
	for (const [which, service] of Object.entries({ held: 'deaf-plan-subsidy', gone: 'device-fitting' })) {
		made[which] = await district.tell({ do: 'submit', node: name, service });
		await district.tell({ do: 'decide', node: district.town.name, request: made[which].request_id });
	}
	resident = await Resident.arrive(browser, url);
	first = await Clerk.arrive(browser, district.town.url);
	await first.logIn(district.clerk1);
	officer = await Clerk.arrive(browser, district.hub.url);
	await officer.logIn(district.operator1);
	await Promise.all([first.seesText('desk.queue.title'), officer.seesText('desk.totals.title')]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

/** What a person who wants to get round the page would be told. */
async function refusal(clerk, path, command) {
	const answer = await clerk.page.evaluate(
		async ([path, command]) => {
			const { csrf } = await (await fetch('/api/v1/me')).json();
			const headers = { 'Content-Type': 'application/json', 'X-Lm-Csrf': csrf };
			return (await fetch(path, { method: 'POST', headers, body: JSON.stringify(command) })).json();
		},
		[path, command],
	);
	return answer.error?.text;
}

test('what the law keeps cannot be erased: the page says which rule and until when', async () => {
	await first.openCase(made.held.request_id);
	await first.seesText('desk.erase.title');
	await first.sees(/20\d\d年\d+月\d+日.* 以前不能删除/);
	const said = await first.page.locator('section', { hasText: first.t('desk.erase.title') }).first().innerText();
	assert.ok(said.includes('补贴的申请材料和审核记录') && said.includes(first.t('common.sample')), said);
	assert.equal(await first.button('desk.erase.propose').count(), 0);
	await first.lookEverywhere('erase-1-held');
	const command = { action: 'ERASE_ACTION_PROPOSE', requests: [made.held.request_id], reason: REASON, ground: GROUND };
	assert.match(await refusal(first, PATH, command), /is kept until 20\d\d-/);
});

test('by keys alone a clerk proposes an erasing, and cannot confirm it', async () => {
	const { page } = first;
	await first.openCase(made.gone.request_id);
	await first.tabTo('desk.erase.propose');
	await first.enterDialog();
	await first.look('erase-2-propose');
	await page.keyboard.press('Escape');
	await page.locator('dialog').waitFor({ state: 'detached' });
	assert.equal(await first.focused(), first.t('desk.erase.propose'), 'the focus goes back');
	await first.enterDialog();
	await page.keyboard.press('Tab');
	await page.keyboard.type(REASON);
	for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
	await page.keyboard.press('Enter'); // without the rule
	await first.seesText('desk.erase.missing');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'erase-ground', 'what is missing has the focus');
	await first.look('erase-3-missing');
	await page.keyboard.type(GROUND);
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await first.seesText('desk.erase.toast-proposed');
	await first.press('common.toasts.close');
	await first.seesText('desk.erase.proposed');
	await first.seesText('desk.erase.second');
	assert.equal(await first.button('desk.erase.confirm').count(), 0, 'the same person cannot');
	await first.lookEverywhere('erase-4-proposed');
	await first.visit('erasures');
	await first.seesText('desk.erase.is.proposed');
	await first.seesText('desk.erase.second');
	assert.equal(await first.button('desk.erase.confirm').count(), 0);
	await first.lookEverywhere('erase-5-list');
	const [{ act }] = await page.evaluate((path) => fetch(path).then((r) => r.json()).then((view) => view.erasures), PATH);
	assert.match(await refusal(first, `${PATH}/${act}`, { action: 'ERASE_ACTION_CONFIRM' }), /clerk1 proposed this: a second person/);
	await first.openCase(made.gone.request_id);
	first.assertNoFaults();
});

test('another confirms it, in English, and it is gone at every desk and at the kiosk', async () => {
	second = await Clerk.arrive(browser, district.town.url);
	await second.switchLanguage();
	await second.logIn(district.clerk2);
	await second.seesText('desk.queue.title');
	await second.chooseDisplay('desk.display.size.1', 'kiosk.theme.black');
	await second.press('desk.close');
	await second.page.getByRole('link', { name: second.t('desk.nav.erasures'), exact: true }).click();
	await second.seesText('desk.erase.is.proposed');
	await second.look('erase-6-to-confirm');
	await second.tabTo('desk.erase.confirm');
	await second.enterDialog();
	await second.lookEverywhere('erase-7-confirm', { hasDialog: true });
	await second.page.keyboard.press('Tab');
	await second.page.keyboard.press('Enter');
	await second.press('common.toasts.close');
	await second.seesText('desk.erase.is.done');
	await second.look('erase-8-done');

	await first.seesText('desk.erase.stays'); // it was open all the time
	assert.doesNotMatch(await first.page.locator('main').innerText(), /示例内容|示例人/, 'no answer is left on the page');
	await first.lookEverywhere('erase-9-case');
	await officer.openCase(made.gone.request_id);
	await officer.seesText('desk.erase.stays');
	await officer.look('erase-10-district');
	await resident.lookUp(made.gone.code);
	await resident.seesText('kiosk.records.erased-text');
	assert.equal(await resident.button('kiosk.records.withdraw').count(), 0);
	await resident.look('erase-11-kiosk');
	await resident.press('kiosk.home');
	for (const one of [first, second, officer, resident]) one.assertNoFaults();
});

test('two machines with one key: the district sees both, and lets one go on', async () => {
	const [terminal, { name, url }] = district.terminals;
	assert.ok(terminal);
	const twin = await district.tell({ do: 'split', node: name });
	const one = await Resident.arrive(browser, url, { isStopped: true });
	await one.seesText('kiosk.stop.frozen');
	const { page } = officer;
	await officer.visit('devices');
	await officer.seesText('desk.histories.title');
	const rows = page.locator('table', { hasText: officer.t('desk.histories.title') }).locator('tbody tr');
	assert.equal(await rows.count(), 2, 'both machines');
	const [stored, other] = (await rows.allInnerTexts()).map((row) => /[0-9a-f]{16}-\d+/.exec(row)?.[0]);
	assert.ok(stored && other && stored !== other);
	await officer.lookEverywhere('histories-1-two');
	await officer.visit('links');
	await officer.seesText('desk.link.frozen');
	await officer.sees(new RegExp(`两份记录：已存 ${stored}，${other} 接不上`)); // no English sentence on a Chinese page
	await officer.look('histories-2-links');
	await officer.visit('devices');
	await one.steady();
	await one.page.locator('summary').first().click();
	await one.sees(new RegExp(other)); // this machine says which history is its own

	await officer.tabTo('desk.histories.release', 1);
	await officer.enterDialog();
	for (let i = 0; i < 2; i++) await page.keyboard.press('Tab');
	await page.keyboard.press('Enter'); // without a reason
	await officer.seesText('desk.devices.reason-missing');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'release-reason');
	await officer.look('histories-3-reason');
	await page.keyboard.type('示例：这一台在居委会大厅里。');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await officer.seesText('desk.histories.released');
	await officer.press('common.toasts.close');
	await page.getByText(officer.t('desk.histories.title')).first().waitFor({ state: 'detached', timeout: PATIENCE_MS });
	await officer.look('histories-4-released');
	await one.page.locator('.tile').first().waitFor({ timeout: PATIENCE_MS }); // it goes on
	await district.tell({ do: 'pause', node: name });
	await district.tell({ do: 'resume', node: twin.name });
	const closed = await Resident.arrive(browser, twin.url, { isStopped: true });
	await closed.seesText('kiosk.stop.closed');
	await closed.steady();
	await closed.page.locator('summary').first().click();
	await closed.sees(/示例：这一台在居委会大厅里。/);
	await closed.look('histories-5-closed');
	await district.tell({ do: 'resume', node: name });
	for (const each of [one, closed, officer]) each.assertNoFaults();
});

test('the page of links says whether a backup was verified, and whom a restored machine waits for', async () => {
	const { page } = officer;
	await officer.visit('links');
	await officer.seesText('desk.backups.none');
	await district.tell({ do: 'backup', node: district.hub.name });
	await page.reload();
	await officer.seesText('desk.backups.good');
	await officer.sees(/最近一次核验过的备份是.{1,9}做的（20\d\d年/);
	// Days cannot be waited for, nor is this hub restored: the daemon's own answer, older.
	const change = (path, fields) =>
		page.route(path, async (route) => {
			const response = await route.fetch();
			await route.fulfill({ response, json: { ...(await response.json()), ...fields } });
		});
	const day_ms = 86_400_000, then_ms = String(Date.now() - 9 * day_ms);
	const row = { device: '', is_up: false, has_answered: false, is_left_out: false, to_come: '0' };
	await change('**/api/v1/backups', { is_stale: true, verified_ms: then_ms, waiting: [{ backup: '1' }] });
	await change('**/api/v1/return', { is_returning: true, backup_ms: then_ms, rows: [{ ...row, place: district.town.place }] });
	await page.reload();
	await officer.seesText('desk.backups.stale');
	await officer.seesText('desk.backups.stale-means', { days: 7 });
	await officer.seesText('desk.returning.lead');
	await officer.seesText('desk.returning.row', { name: '马陆镇', state: officer.t('desk.returning.down') });
	await officer.lookEverywhere('backups-1-stale');
	officer.assertNoFaults();
});

test('a device that changed its keys says so in the directory', async () => {
	await district.tell({ do: 'rotate', node: district.terminals[0].name });
	await officer.visit('devices');
	await officer.sees(/密钥换过 1 次，最近一次 20\d\d年/);
	await officer.look('devices-1-keys');
	officer.assertNoFaults();
});

test('by keys alone an operator sends a report, which stays, and takes a file of it', async () => {
	const { page } = officer;
	await officer.visit('reports');
	await officer.seesText('desk.reports.lead');
	await officer.lookEverywhere('reports-1-list');
	const row = page.locator('section', { hasText: '各街镇办件月报' }).locator('tbody tr').first();
	assert.ok((await row.innerText()).includes(officer.t('desk.reports.not-sent')));
	await row.locator('a').focus();
	await page.keyboard.press('Enter');
	await officer.seesText('desk.reports.table');
	assert.equal(await officer.button('desk.reports.take', { n: 1, format: officer.t('desk.reports.as.REPORT_FORMAT_CSV') }).count(), 0, 'nothing leaves that was not sent');
	await officer.lookEverywhere('reports-2-one');
	await officer.tabTo('desk.reports.send');
	await officer.enterDialog();
	await officer.look('reports-3-send');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.locator('dialog').waitFor({ state: 'detached' });
	await officer.sees(/第 1 次，.*operator1/);
	await officer.press('common.toasts.close');
	assert.equal(await officer.button('desk.reports.send').count(), 0, 'once');
	await officer.button('desk.reports.take', { n: 1, format: officer.t('desk.reports.as.REPORT_FORMAT_CSV') }).focus();
	await page.keyboard.press('Enter');
	const link = page.locator('a[download]');
	await link.waitFor();
	await officer.look('reports-4-sent');
	const saved = page.waitForEvent('download');
	await link.focus();
	await page.keyboard.press('Enter');
	const bytes = readFileSync(await (await saved).path());
	assert.equal(bytes.subarray(0, 3).toString('hex'), 'efbbbf');
	assert.match(bytes.toString(), /"合计","<5"/);
	assert.match(bytes.toString(), /"导出人和时间","operator1, 20/);
	officer.assertNoFaults();
});

test('numbers that changed after a report was sent are sent again with a reason', async () => {
	const { page } = officer;
	// Its month is over, and cannot be waited for: the daemon's own answer, as a case opened again changes it.
	await page.route(/reports\/month-towns\/[0-9-]+$/, async (route) => {
		const response = await route.fetch();
		const view = await response.json();
		view.is_changed = true;
		for (const { row, before } of view.lines) if (before.length) row.counts[0] = '7';
		await route.fulfill({ response, json: view });
	});
	await page.reload();
	await officer.seesText('desk.reports.changed');
	await officer.sees(officer.t('desk.reports.before', { n: '0' }).trim());
	await officer.lookEverywhere('reports-5-changed');
	await officer.press('desk.reports.correct');
	await page.locator('dialog').getByRole('button', { name: officer.t('desk.reports.send'), exact: true }).click(); // without a reason
	await officer.seesText('common.rule.required');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'report-reason');
	await officer.look('reports-6-reason');
	await page.keyboard.press('Escape');
	officer.assertNoFaults();
});
