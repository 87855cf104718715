// A notice of a town: written with its faults and its preview, looked at and published by a second person, read at the kiosk by
// eye and in easy words, seen to arrive, and taken back. Each test goes on where the one before it stopped.
import assert from 'node:assert/strict';
import { after, before, test as nodeTest } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const HEADLINE = '周六剪纸活动';
const TEXT = '示例：每周六上午9点，在社区活动室。材料免费。';
const EASY = '示例：周六来剪纸。';

let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

let browser, district, clerk, supervisor, resident, neighbour;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	const { town } = district;
	clerk = await Clerk.arrive(browser, town.url);
	supervisor = await Clerk.arrive(browser, town.url);
	resident = await Resident.arrive(browser, district.terminals[0].url);
	neighbour = await Resident.arrive(browser, district.terminals[1].url, { screen: 'kiosk21', size: 4, ways: ['easy'] });
});

after(async () => {
	await browser?.close();
	await district?.end();
});

const part = (page, path) => page.locator(`[id="part-${path}"]`);
const saved = (page) => page.locator('.edit-saved', { hasText: /^已保存/ });
const open = (kiosk, count) => kiosk.button('kiosk.told.open', { count });
let key;

test('a clerk writes it: its faults stand at their places, and the preview is the kiosk', async () => {
	await clerk.logIn(district.clerk1);
	await clerk.visit('notices');
	await clerk.seesText('desk.notices.lead');
	await clerk.look('notices-01-none');
	await clerk.press('desk.notices.new');
	const { page } = clerk;
	await part(page, 'name.zh').fill(`${HEADLINE}\u202e`);
	key = decodeURIComponent(/notices\/([^?]+)/.exec(page.url())[1]);
	await page.locator('[id="part-name.zh-error"]', { hasText: clerk.t('desk.fault.character') }).waitFor({ timeout: PATIENCE_MS });
	for (const [path, fault, params] of [['text', 'paragraph'], ['places', 'communities', { most: 100 }], ['until', 'day']])
		await page.locator(`[id="part-${path}-error"]`, { hasText: clerk.t(`desk.fault.${fault}`, params) }).waitFor({ timeout: PATIENCE_MS });
	await clerk.lookEverywhere('notices-02-faults');
	await part(page, 'name.zh').fill(HEADLINE);
	await clerk.press('desk.edit.add', { what: clerk.t('desk.part.paragraphs') });
	await part(page, 'text[0].zh').fill(TEXT);
	await clerk.press('desk.edit.add', { what: clerk.t('desk.part.easy_sentences') });
	await part(page, 'easy[0].zh').fill(EASY);
	await part(page, 'until').fill('2199-12-31');
	await part(page, 'places').locator('.choice').first().click();
	await clerk.seesText('desk.draft.good');
	await clerk.press('desk.preview.title');
	const preview = page.frameLocator('.preview iframe');
	await preview.getByText(TEXT).waitFor({ timeout: PATIENCE_MS });
	assert.equal(await preview.locator('h1').innerText(), HEADLINE);
	await clerk.look('notices-03-written');
	await saved(page).waitFor({ timeout: PATIENCE_MS });
	assert.equal(await open(resident, 1).count(), 0, 'a draft is shown to nobody');
	await clerk.visit(`notices/${key}`);
	await clerk.seesText('desk.draft.authors');
	assert.equal(await clerk.button('desk.publish.look').count(), 0, 'a clerk does not publish');
});

test('a second person looks at it and publishes it, and both see it arrive', async () => {
	await supervisor.logIn(district.supervisor1);
	await supervisor.visit('notices');
	await supervisor.page.getByRole('link', { name: HEADLINE }).click();
	await supervisor.press('desk.publish.look');
	await supervisor.page.frameLocator('.preview iframe').getByText(TEXT).waitFor({ timeout: PATIENCE_MS });
	await supervisor.page.getByText(/^告知：.+。显示到 2199-12-31。$/).waitFor({ timeout: PATIENCE_MS });
	await supervisor.lookEverywhere('notices-04-publish');
	await supervisor.press('desk.publish.do');
	for (const one of [clerk, supervisor]) await one.seesText('desk.arrival.count', { sites: 1, arrived: 1 });
	await supervisor.look('notices-05-arrived');
});

test('the kiosk of that community shows it, the other does not', async () => {
	await open(resident, 1).click({ timeout: PATIENCE_MS });
	await resident.seesText('kiosk.told.activity');
	await resident.look('notices-06-kiosk-list');
	await resident.pressName(HEADLINE);
	await resident.sees(TEXT);
	assert.equal(await resident.page.evaluate(() => document.activeElement.textContent), HEADLINE, 'it is what is read aloud first');
	await resident.look('notices-07-kiosk-notice');
	assert.equal(await resident.page.getByText(EASY).count(), 0);
	await resident.press('kiosk.home');
	assert.equal(await open(neighbour, 1).count(), 0);
});

test('told to the second community too, it is read there in easy words and the largest letters, and from the town\'s absence on', async () => {
	await clerk.press('desk.draft.begin');
	const { page } = clerk;
	await part(page, 'places').locator('.choice').nth(1).click();
	await saved(page).waitFor({ timeout: PATIENCE_MS });
	await supervisor.press('desk.publish.look');
	await supervisor.press('desk.publish.do');
	await supervisor.seesText('desk.arrival.count', { sites: 2, arrived: 2 });
	await open(neighbour, 1).waitFor({ timeout: PATIENCE_MS });
	await district.tell({ do: 'stop', node: district.town.name });
	await neighbour.look('notices-08-kiosk-start');
	await open(neighbour, 1).click();
	await neighbour.look('notices-09-kiosk-list-easy');
	await neighbour.pressName(HEADLINE);
	await neighbour.sees(EASY);
	assert.equal(await neighbour.page.getByText(TEXT).filter({ visible: true }).count(), 0);
	await neighbour.look('notices-10-kiosk-easy');
	await neighbour.steady();
	await neighbour.page.locator('summary', { hasText: neighbour.t('kiosk.easy.more') }).click();
	await neighbour.sees(TEXT);
	await district.tell({ do: 'start', node: district.town.name });
});

test('one person takes it back, and who reads it just then is told that there is none', async () => {
	await supervisor.page.reload();
	await supervisor.logIn(district.supervisor1);
	await supervisor.visit(`notices/${key}`);
	await supervisor.press('desk.notices.take-back');
	await supervisor.look('notices-11-take-back');
	await supervisor.page.locator('dialog[open]').getByRole('button', { name: supervisor.t('desk.notices.take-back') }).click();
	await neighbour.seesText('kiosk.told.none');
	await neighbour.look('notices-12-kiosk-none');
	await neighbour.press('kiosk.back');
	assert.equal(await open(neighbour, 1).count(), 0);
	await supervisor.seesText('desk.notices.taken-back');
	assert.equal(await supervisor.button('desk.notices.take-back').count(), 0);
	await supervisor.look('notices-13-taken-back');
	for (const one of [clerk, supervisor, resident, neighbour]) one.assertNoFaults();
});
