// Accounts on the pages: a first login with a second factor, an account opened and reset by two people, one's own logins,
// the audit, and a page that locks itself.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Clerk, startDistrict } from './people.mjs';

const STEP_MS = 30_000;
const OWN = '四个自己想的词语一起用';

let browser, district, boss, lead, drawnAnew;

function codeOf(secret, step) {
	const bits = [...secret.replace(/ /g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(step));
	const digest = createHmac('sha1', key).update(counter).digest();
	return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Somebody with an authenticator. */
class Person extends Clerk {
	/** A code that was not used yet, and whose time is not over before it has been typed. */
	async code() {
		let step;
		for (;;) {
			step = Math.max((this.used ?? 0) + 1, Math.floor((Date.now() + STEP_MS / 2) / STEP_MS) - 1);
			if (step <= Math.floor(Date.now() / STEP_MS) + 1) break;
			await new Promise((resolve) => setTimeout(resolve, 500));
		}
		this.used = step;
		return codeOf(this.secret, step);
	}

	async type(id, words) {
		await this.page.locator(`#${id}`).fill(words);
		await this.page.keyboard.press('Enter');
	}

	async choose(password) {
		await this.page.locator('#new-password').fill(password);
		await this.type('new-password-again', password);
		this.password = password;
	}

	async enrol() {
		this.secret = await this.page.locator('.desk-secret code').innerText();
		await this.type('login-code', await this.code());
	}

	/** From the login page to the desk, for the first time. */
	async begin({ user, password }) {
		await this.logIn({ user, password });
		await this.page.locator('#new-password').waitFor();
		await this.choose(OWN);
		await this.page.locator('.desk-secret code').waitFor();
		await this.enrol();
		await this.page.locator('.desk-user').waitFor();
	}

	act(name, verb) {
		return this.page.locator('tbody tr', { hasText: name }).getByRole('button', { name: this.t(`desk.accounts.act.ACCOUNT_ACT_${verb}`) });
	}
}

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	await district.tell({ do: 'configure', node: district.town.name, settings: { second_factor: 'required' } });
});

after(async () => {
	await boss?.close();
	await lead?.close();
	await browser?.close();
	await district?.end();
});

test('a first login: a password of one\'s own, then a second factor', async () => {
	const login = await district.tell({ do: 'account', node: district.town.name, name: 'operator1', role: 'administrator' });
	boss = await Person.arrive(browser, district.town.url);
	await boss.logIn(login);
	await boss.seesText('desk.login.password-lead');
	await boss.choose('1234567890');
	await boss.seesText('desk.login.common');
	await boss.look('town-roles-01-password-common');
	await boss.choose('short');
	await boss.seesText('desk.login.short', { n: 10 });
	await boss.choose(OWN);
	await boss.page.locator('.desk-secret code').waitFor();
	await boss.look('town-roles-02-enrol');
	await boss.type('login-code', '12');
	await boss.seesText('desk.login.need-code');
	boss.secret = await boss.page.locator('.desk-secret code').innerText();
	const right = codeOf(boss.secret, Math.floor(Date.now() / STEP_MS));
	await boss.type('login-code', right === '000000' ? '000001' : '000000');
	await boss.seesText('desk.login.wrong-code');
	await boss.look('town-roles-03-code-wrong');
	await boss.enrol();
	await boss.page.locator('.desk-user').waitFor();
	await boss.visit('accounts');
	await boss.page.locator('tbody tr', { hasText: 'operator1' }).waitFor();
	assert.equal(await boss.page.getByRole('link', { name: boss.t('desk.nav.cases'), exact: true }).count(), 0, 'an administrator sees no case');
	boss.assertNoFaults();
});

test('an account is opened, and reset by two people', async () => {
	const { page } = boss;
	await boss.visit('accounts');
	await boss.press('desk.accounts.open');
	await page.locator('#account-name').fill('Nobody Here');
	await page.locator('dialog .primary').click();
	await boss.seesText('desk.accounts.name-wrong');
	await boss.look('town-roles-04-open');
	await page.locator('#account-name').fill('publisher1');
	await page.locator('#account-role').selectOption('supervisor');
	await page.locator('dialog .primary').click();
	const drawn = await page.locator('.desk-token code').innerText();
	assert.match(drawn, /^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$/);
	await boss.look('town-roles-05-opened');
	await boss.press('desk.accounts.told-close');
	await district.tell({ do: 'account', node: district.town.name, name: 'editor1', role: 'clerk' });

	lead = await Person.arrive(browser, district.town.url, 'narrow');
	await lead.page.getByRole('button', { name: 'English' }).click();
	lead.language = 'en';
	await lead.look('town-roles-06-narrow-login');
	await lead.logIn({ user: 'publisher1', password: drawn });
	await lead.page.locator('#new-password').waitFor();
	await lead.look('town-roles-07-narrow-password');
	await lead.choose(OWN);
	await lead.page.locator('.desk-secret code').waitFor();
	await lead.look('town-roles-08-narrow-enrol');
	await lead.enrol();
	await lead.page.locator('.desk-user').waitFor();
	await lead.visit('accounts');
	await lead.act('editor1', 'PROPOSE_RESET').click();
	await lead.look('town-roles-09-narrow-propose');
	await lead.page.locator('dialog .primary').click();
	await lead.page.locator('dialog').waitFor({ state: 'detached' });
	assert.equal(await lead.act('editor1', 'RESET').count(), 0, 'who proposed it does not confirm it');

	await boss.visit('links');
	await boss.visit('accounts');
	// The last code is taken for an old one: another is asked for, and what was meant goes on.
	let isFirst = true;
	await page.route('**/api/v1/accounts', (route) => {
		if (route.request().method() !== 'POST' || !isFirst) return route.continue();
		isFirst = false;
		return route.fulfill({ status: 403, json: { error: { code: 'proof', text: '' } } });
	});
	await boss.act('editor1', 'RESET').click();
	await page.locator('dialog .danger.button').click();
	await page.locator('#prove-code').waitFor();
	await boss.look('town-roles-10-prove');
	await page.locator('#prove-code').fill(await boss.code());
	await boss.press('desk.prove.send');
	drawnAnew = await page.locator('.desk-token code').innerText();
	await page.unroute('**/api/v1/accounts');
	await boss.seesText('desk.accounts.is.new');
	boss.assertNoFaults();
});

test('one\'s own logins, and the audit', async () => {
	await boss.visit('me');
	await boss.page.locator('tbody tr').waitFor();
	await boss.look('town-roles-11-me');
	await boss.press('desk.me.password');
	await boss.look('town-roles-12-change-password');
	await boss.press('desk.cancel');
	await lead.visit('audit');
	await lead.seesText('desk.audit.what.account-reset');
	await lead.look('town-roles-13-narrow-audit');
});

test('a page that nobody uses locks itself, and hides what is on it', async () => {
	const clerk = await Person.arrive(browser, district.town.url);
	await clerk.begin({ user: 'editor1', password: drawnAnew });
	const { page } = clerk;
	await clerk.visit('new');
	await page.locator('main h1').waitFor();
	const title = await page.locator('main h1').innerText();
	await page.evaluate(() => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + 16 * 60_000;
	});
	await clerk.seesText('desk.lock.title');
	assert.equal(await page.locator('main').isVisible(), false, 'nothing of the page is seen');
	await clerk.look('town-roles-14-locked');
	await clerk.type('login-password', 'not the password');
	await clerk.seesText('desk.lock.wrong');
	assert.equal(await page.getByText(title).filter({ visible: true }).count(), 0);
	await clerk.type('login-password', clerk.password);
	await page.locator('dialog').waitFor({ state: 'detached' });
	assert.equal(await page.locator('main h1').innerText(), title);
	clerk.assertNoFaults();
	await clerk.close();
});

test('who takes over a locked page finds nothing of the one before', async () => {
	const NOTE = '示例：只给自己看的草稿';
	const first = await district.tell({ do: 'account', node: district.town.name, name: 'editor2', role: 'clerk' });
	const second = await district.tell({ do: 'account', node: district.town.name, name: 'publisher2', role: 'clerk' });
	const clerk = await Person.arrive(browser, district.town.url);
	await clerk.begin(first);
	const { page } = clerk;
	await clerk.visit('work');
	await page.locator('#shift-note').fill(NOTE);
	await page.route('**/api/v1/lock', (route) => route.abort(), { times: 1 }); // the daemon is told again
	await page.evaluate(() => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + 16 * 60_000;
	});
	await clerk.seesText('desk.lock.title');
	const said = () => page.evaluate(() => fetch('/api/v1/me').then((r) => r.json()).then(({ error }) => error?.code));
	for (const end = Date.now() + PATIENCE_MS; (await said()) !== 'locked' && Date.now() < end; ) await page.waitForTimeout(500);
	await clerk.type('login-password', OWN + '？');
	await clerk.seesText('desk.lock.wrong');
	await clerk.press('desk.logout');
	await clerk.seesText('desk.login.lead');
	await clerk.begin(second);
	await clerk.visit('work');
	await page.locator('#shift-note').waitFor();
	assert.equal(await page.locator('#shift-note').inputValue(), '');
	assert.ok(!(await page.content()).includes(NOTE));
	clerk.assertNoFaults();
	await clerk.close();
});

test('practice says so before anybody has logged in, and while a page is locked', async () => {
	const login = await district.tell({ do: 'account', node: district.town.name, name: 'operator2', role: 'clerk' });
	await district.tell({ do: 'configure', node: district.town.name, settings: { practice: 'yes' } });
	const clerk = await Person.arrive(browser, district.town.url);
	await clerk.seesText('common.practice');
	await clerk.look('town-roles-15-practice');
	await clerk.begin(login);
	await clerk.page.evaluate(() => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + 16 * 60_000;
	});
	await clerk.seesText('desk.lock.title');
	await clerk.seesText('common.practice');
	await clerk.look('town-roles-16-practice-locked');
	clerk.assertNoFaults();
	await clerk.close();
});
