// Bad days, as people see them: what is held up at a desk, and what a kiosk says when something is wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib.mjs';
import { Clerk, startDistrict } from './people.mjs';

let browser, district;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
});

after(async () => {
	await browser?.close();
	await district?.end();
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
	await clerk.sees('the request names no service, or no revision of it');
	await clerk.look('town-held-2-list');

	const poison = page.locator('tbody tr', { hasText: 'names no service' });
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
