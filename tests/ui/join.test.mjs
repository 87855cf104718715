// A new device: the terminal shows its fingerprint, the district issues a token for it, and the token is typed in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, PATIENCE_MS } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

let browser, district;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

class Installer extends Resident {
	static async come(browser, url) {
		const installer = new Installer(await openPage(browser, 'kiosk32', url), 'zh-CN');
		installer.screen = 'kiosk32';
		await installer.seesText('kiosk.join.title');
		return installer;
	}

	async typeByHand(secret) {
		for (const key of secret.replaceAll('-', '')) {
			await this.steady();
			await this.page.locator('.keypad').getByRole('button', { name: key, exact: true }).click();
		}
	}
}

test('a terminal joins, is seen among the devices, and is revoked', async () => {
	const terminal = await district.tell({ do: 'add' });
	const installer = await Installer.come(browser, terminal.url);
	const shown = (await installer.page.locator('.fingerprint code').allInnerTexts()).join('-');
	assert.equal(shown, terminal.fingerprint);
	await installer.look('kiosk-join-1-waiting');
	await installer.typeByHand('00000-00000-00000-00000');
	await installer.press('kiosk.join.send');
	await installer.seesText('kiosk.join.wrong');
	await installer.look('kiosk-join-2-wrong');
	for (let i = 0; i < 20; i++) await installer.press('common.keypad.erase');

	const officer = await Clerk.arrive(browser, district.hub.url);
	const { page } = officer;
	await officer.logIn(district.hub);
	await page.getByRole('link', { name: officer.t('desk.nav.devices'), exact: true }).click();
	await page.locator('tbody tr', { hasText: district.terminals[0].place }).waitFor();
	await officer.look('hub-devices-1-list');
	await officer.press('desk.tokens.issue');
	await page.locator('#token-key').fill(shown.slice(0, 39).replace(/-/g, ' ').replace(/....$/, 'x9z0'));
	await officer.seesText('desk.tokens.wrong-group', { n: 8, group: 'x9z0' });
	await officer.look('hub-devices-2-wrong');
	await page.locator('#token-key').fill(shown.slice(0, 39));
	await officer.press('desk.tokens.issue');
	await officer.seesText('desk.tokens.short');
	await page.locator('#token-key').fill(shown.toUpperCase());
	await page.locator('#token-town').selectOption(terminal.place.slice(0, 9));
	await page.locator('#token-community').selectOption(terminal.place.slice(0, 12));
	await officer.press('desk.tokens.issue');
	const secret = await page.locator('.desk-token code').innerText();
	assert.match(secret, /^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$/);
	await officer.look('hub-devices-3-token');

	await installer.typeByHand(secret);
	await installer.press('kiosk.join.send');
	await installer.page.locator('.tile').first().waitFor({ timeout: PATIENCE_MS });
	await installer.close();

	await officer.visit('totals');
	await officer.visit('devices');
	const row = page.locator('tbody tr', { hasText: terminal.place });
	await row.getByRole('button', { name: officer.t('desk.devices.revoke') }).click();
	await page.locator('dialog .danger.button').click();
	await officer.seesText('desk.devices.reason-missing');
	await officer.look('hub-devices-4-revoke');
	await page.locator('#revoke-reason').fill('示例：设备失窃');
	await page.locator('dialog .danger.button').click();
	await officer.seesText('desk.devices.is.DEVICE_STATUS_REVOKED');
	await officer.sees('示例：设备失窃');
	officer.assertNoFaults();
	await officer.visit('cases');
	await officer.visit('devices');
	await officer.sees('示例：设备失窃');
	await officer.close();

	const narrow = await Clerk.arrive(browser, district.hub.url, 'narrow');
	await narrow.page.getByRole('button', { name: 'English' }).click();
	narrow.language = 'en';
	await narrow.logIn(district.hub);
	await narrow.visit('devices');
	await narrow.sees(narrow.t('desk.tokens.is.TOKEN_STATE_USED'));
	await narrow.look('hub-devices-5-narrow');
	await narrow.press('desk.tokens.issue');
	await narrow.page.locator('#token-community').waitFor();
	await narrow.look('hub-devices-6-narrow-issue');
	await narrow.close();
});
