// Evidence on a case's page, a decision by two, a closed case that a supervisor opens again, and the form of a step: by keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const LEAD = { user: 'lead' };
let browser, district, first, lead, request;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	request = (await district.tell({ do: 'submit', node: district.terminals[0].name, service: 'motor-wheelchair' })).request_id;
	Object.assign(LEAD, await district.tell({ do: 'account', node: district.town.name, name: 'lead', role: 'supervisor' }));
	first = await Clerk.arrive(browser, district.town.url);
	await first.logIn(district.clerk1);
	lead = await Clerk.arrive(browser, district.town.url);
	await lead.logIn(LEAD);
	for (const line of ['#new-password', '#new-password-again']) await lead.page.locator(line).fill('四个自己想的词语一起用');
	await lead.page.keyboard.press('Enter');
	await Promise.all([first.seesText('desk.queue.title'), lead.seesText('desk.queue.title')]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

test('evidence is one list, and a decision by two is a proposal first', async () => {
	await first.openCase(request);
	await first.page.keyboard.press('a');
	await first.confirm();
	const proofs = first.page.locator('.desk-proofs li');
	assert.equal(await proofs.count(), 2);
	for (const text of await proofs.allInnerTexts()) assert.match(text, new RegExp(first.t('desk.proof.there')));
	await first.page.reload(); // without the words of what was done, which stay in their language
	await proofs.first().waitFor();
	await first.lookEverywhere('evidence');
	await first.decide('g', { text: '示例：同意。' });
	await first.confirm();
	await first.state(first.t('desk.state.CASE_STATE_PROPOSED'));
	assert.equal(await first.button('desk.do.approve').count(), 0, 'who proposed does not approve');
});

test('another one approves it from the list of a supervisor, and may open it again', async () => {
	await lead.visit('cases/supervisor');
	await lead.page.locator('a[data-request]').first().waitFor();
	await lead.openCase(request);
	await lead.decide('y');
	assert.match(await lead.page.locator('#decide-reads').innerText(), /示例：同意。/);
	await lead.confirm();
	await lead.state(lead.t('desk.outcome.OUTCOME_GRANTED'));
	await lead.decide('e', { note: '示例：漏看了一份材料' });
	await lead.confirm();
	await lead.state(lead.t('desk.state.CASE_STATE_ACCEPTED'));
});

test('what is handed over is listed at both, accepted or sent back', async () => {
	const office = await Clerk.arrive(browser, district.hub.url);
	await office.logIn(district.hub);
	await first.openCase(request);
	await first.decide('h', { note: '示例：区里才能办' });
	assert.equal(await first.page.locator('#decide-reads strong').innerText(), first.t('kiosk.status.with-district'));
	await first.confirm();
	await first.state('已转出'); // whether it waits for the network or not
	await first.visit('cases/handed');
	await first.page.locator(`a[data-request="${request}"]`).waitFor();
	await office.visit('cases/handed');
	await office.page.locator(`a[data-request="${request}"]`).waitFor();
	await office.openCase(request);
	await office.state(office.t('desk.handed.to-us'));
	await office.button('desk.do.hand_over.back').waitFor();
	await office.decide('h', { note: '示例：街道也能办' });
	await office.confirm();
	await first.openCase(request);
	await first.state(first.t('desk.handed.came-back'));
	await first.page.keyboard.press('a');
	await first.confirm();
	await first.page.locator('.desk-heading', { hasText: first.t('desk.handed.came-back') }).waitFor({ state: 'detached' });
});

test('the form of a step: by keys, faults where they are, read before it leaves, and told at the kiosk', async () => {
	const { request_id, code } = await district.tell({ do: 'submit', node: district.terminals[0].name, service: 'legal-advice' });
	const { page } = first;
	await first.openCase(request_id);
	await page.keyboard.press('a');
	await first.confirm();
	await page.locator('.desk-doing').waitFor();
	await page.keyboard.press('s');
	const at = (field) => page.locator(`#decide-form-appointment-${field}`);
	await at('time').waitFor();
	await first.press('desk.review');
	assert.equal(await page.locator('dialog .field.wrong').count(), 3, 'each that is needed says so');
	assert.ok(await at('day').evaluate((e) => e.contains(document.activeElement)), 'and the first has the focus');
	await first.lookEverywhere('step-form', { hasDialog: true });
	for (const part of ['2026', '12', '1']) {
		await page.keyboard.type(part);
		await page.keyboard.press('Tab');
	}
	await page.keyboard.type('上午 9:30');
	await page.keyboard.press('Tab');
	await page.keyboard.type('示例服务点');
	await page.keyboard.press('Escape'); // what was typed is kept
	await page.locator('dialog').waitFor({ state: 'detached' });
	await page.keyboard.press('s');
	assert.equal(await at('place').inputValue(), '示例服务点');
	await first.press('desk.review');
	assert.match(await page.locator('#decide-reads').innerText(), /约在几点？ 上午 9:30/);
	await first.confirm();
	await page.reload(); // as above
	await page.locator('.desk-timeline', { hasText: '示例服务点' }).waitFor();
	assert.equal(await page.locator('.desk-timeline dt', { hasText: '约在哪一天？' }).count(), 1);
	await first.lookEverywhere('step-form-kept');
	first.assertNoFaults();

	const resident = await Resident.arrive(browser, district.terminals[0].url);
	await resident.lookUp(code);
	await resident.page.locator('.record .said', { hasText: '示例服务点' }).waitFor();
	assert.match(await resident.page.locator('.record').innerText(), /约在哪一天？ 2026 ?年 ?12 ?月 ?1 ?日/);
	await resident.look('step-form-told');
});
