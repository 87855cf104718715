// A certificate's way over the pages: applied for at the town, an assessor drawn by the district, pledged and assessed by
// nobody else, checked, issued; whose data is verified; a quality sample.
import assert from 'node:assert/strict';
import { after, before, test as nodeTest } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Clerk, startDistrict } from './people.mjs';

const NAME = '单示例甲';
const HEAD = '99011419580301001'; // region 990114 is nobody's

let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

/** With its check character (GB 11643). */
function numbered(head) {
	const sum = [...head].reduce((all, digit, at) => all + Number(digit) * 2 ** (17 - at), 0);
	return head + '10X98765432'[sum % 11];
}

let browser, district, clerk, operator, assessor, person;

function ask(who, path, command) {
	return who.page.evaluate(
		async ([path, command]) => {
			const { csrf } = await (await fetch('/api/v1/me')).json();
			const headers = { 'Content-Type': 'application/json', 'X-Lm-Csrf': csrf };
			return (await fetch(path, command && { method: 'POST', headers, body: JSON.stringify(command) })).json();
		},
		[path, command],
	);
}

async function arrive(url, login, isNew) {
	const who = await Clerk.arrive(browser, url);
	await who.logIn(login);
	if (isNew) {
		await who.page.locator('#new-password').fill('四个自己想的词语一起用');
		await who.page.locator('#new-password-again').fill('四个自己想的词语一起用');
		await who.page.keyboard.press('Enter');
	}
	await who.page.locator('.desk-user').waitFor();
	return who;
}

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	const login = await district.tell({ do: 'account', node: district.town.name, name: 'assessor1', role: 'assessor' });
	[clerk, operator, assessor] = await Promise.all([
		arrive(district.town.url, district.clerk1),
		arrive(district.hub.url, district.operator1),
		arrive(district.town.url, login, true),
	]);
	const facts = { name: NAME, birth: '1958-03-01', community: '310114106001', id_number: numbered(HEAD) };
	const step = await ask(clerk, '/api/v1/persons', { action: 'PERSON_ACTION_CREATE', facts });
	assert.ok(step.is_saved, JSON.stringify(step));
	person = step.person_id;
	Clerk.secrets.add(NAME).add(numbered(HEAD));
});

after(async () => {
	await browser?.close();
	await district?.end();
});

async function open(who) {
	const { page } = who;
	await page.evaluate((person) => (location.hash = `#/person/${person}`), person);
	await page.reload();
	await page.locator('#look-purpose input').first().focus();
	await page.keyboard.press('Space');
	await page.keyboard.press('Enter');
	await page.locator('#certificate').waitFor();
}

/** Without what was said of the last act, which stays in its language. */
async function look(who, name) {
	const close = who.page.getByRole('button', { name: who.t('common.toasts.close') });
	while ((await close.count()) > 0) await close.first().click();
	await who.lookEverywhere(name);
}

/** Until the record says so: the district's answer comes by itself, the page shows it when it is read again. */
async function until(who, state) {
	for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
		const { certificate } = await ask(who, `/api/v1/persons/${person}/look`, { purpose: 'LOOK_PURPOSE_UPKEEP' });
		if (certificate?.facts?.state === `CERTIFICATE_STATE_${state}`) return;
		await who.page.waitForTimeout(250);
	}
	assert.fail(`the certificate is not ${state}`);
}

/** By keys alone: the button, and in its dialog the reason, if it asks for one. */
async function act(who, name, reason) {
	const { page } = who;
	const verb = `desk.certificate.act.CERTIFICATE_ACT_${name}`;
	await who.button(verb).focus();
	await page.keyboard.press('Enter');
	await page.locator('dialog[open]').waitFor();
	if (reason) await page.locator('#act-reason').fill(reason);
	await who.button(verb).focus();
	await page.keyboard.press('Enter');
	await page.locator('dialog[open]').waitFor({ state: 'detached' });
}

test('an assessor says whom he is close to, and sees nothing but what is drawn for him', async () => {
	const { page } = assessor;
	await assessor.seesText('desk.assess.lead');
	assert.deepEqual(await page.locator('nav a').allInnerTexts(), [assessor.t('desk.nav.assessments')]);
	await page.locator('#declare-own').fill('1');
	await page.keyboard.press('Enter');
	await page.locator('[role=alert] .notice, [role=alert] *').first().waitFor();
	await page.locator('#declare-own').fill(numbered('99011419580301002'));
	await page.keyboard.press('Enter');
	await assessor.seesText('desk.assess.is-declared', { n: 0 });
	await look(assessor, 'certificates-1-declared');
});

test('a clerk applies on the record, which shows it', async () => {
	await open(clerk);
	await clerk.seesText('desk.certificate.state.CERTIFICATE_STATE_NONE');
	await clerk.button('desk.certificate.act.CERTIFICATE_ACT_APPLY').focus();
	await clerk.page.keyboard.press('Enter');
	await clerk.page.locator('#act-reason').waitFor();
	await clerk.lookEverywhere('certificates-2-apply', { hasDialog: true });
	await clerk.page.keyboard.press('Escape');
	await act(clerk, 'APPLY', '示例：本人申请');
	await until(operator, 'APPLIED');
	await until(clerk, 'APPLIED');
	await open(clerk);
	await clerk.seesText('desk.certificate.state.CERTIFICATE_STATE_APPLIED');
	await look(clerk, 'certificates-3-applied');
	clerk.assertNoFaults();
});

test('the district finds it in the list, and draws', async () => {
	const { page } = operator;
	await page.getByRole('link', { name: operator.t('desk.nav.certificates'), exact: true }).focus();
	await page.keyboard.press('Enter');
	await page.getByRole('link', { name: NAME, exact: true }).waitFor();
	await look(operator, 'certificates-4-list');
	await open(operator);
	await act(operator, 'DRAW');
	await until(operator, 'DRAWN');
	await until(clerk, 'DRAWN');
	await open(operator);
	await operator.sees('assessor1');
	operator.assertNoFaults();
});

test('the assessor opens it, signs the pledge, and writes down the finding', async () => {
	const { page } = assessor;
	await assessor.press('desk.assess.refresh');
	await page.locator('table').getByRole('button').first().click();
	assert.doesNotMatch(await page.locator('main').innerText(), new RegExp(NAME), 'no name before it is opened');
	await assessor.press('desk.assess.look-yes');
	await assessor.sees(new RegExp(NAME));
	await look(assessor, 'certificates-5-pledge');
	await assessor.press('desk.assess.sign');
	await page.locator('#finding-category').waitFor();
	await assessor.press('desk.assess.send');
	await assessor.seesText('common.rule.required');
	await look(assessor, 'certificates-6-finding');
	await page.locator('#finding-category').selectOption('4');
	await page.locator('#finding-grade').selectOption('2');
	await page.locator('#finding-findings').fill('示例：右侧肢体活动受限');
	await assessor.press('desk.assess.send');
	await until(operator, 'ASSESSED');
	assessor.assertNoFaults();
});

test('a second person agrees; it is issued, and the town sees the number', async () => {
	await open(operator);
	await act(operator, 'CHECK');
	await until(operator, 'CHECKED');
	await open(operator);
	await act(operator, 'ISSUE');
	await until(clerk, 'ISSUED');
	await open(clerk);
	await clerk.sees(`${numbered(HEAD)}42`);
	await look(clerk, 'certificates-7-issued');
});

test('what is on file is verified, and the rate says so', async () => {
	const { page } = clerk;
	await clerk.button('desk.verify.act').focus();
	await page.keyboard.press('Enter');
	await page.locator('#verify-how').selectOption('VERIFIED_HOW_PHONE');
	await clerk.press('desk.verify.save');
	await page.locator('dialog[open]').waitFor({ state: 'detached' });
	await page.getByRole('link', { name: clerk.t('desk.nav.verification'), exact: true }).click();
	await clerk.sees('100%');
	await look(clerk, 'certificates-8-verification');
	clerk.assertNoFaults();
});

test('a quality sample is drawn, and its result written down', async () => {
	const { page } = operator;
	await page.getByRole('link', { name: operator.t('desk.nav.samples'), exact: true }).click();
	await page.locator('#sample-count').fill('1');
	await page.keyboard.press('Enter');
	await page.getByRole('link', { name: NAME, exact: true }).waitFor();
	await operator.button('desk.samples.write').click();
	await page.locator('#result-outcome').selectOption('QUALITY_OUTCOME_PAPERS');
	await page.locator('#result-note').fill('示例：缺少近照');
	await operator.press('desk.samples.save');
	await page.locator('dialog[open]').waitFor({ state: 'detached' });
	await page.locator('table').getByText(operator.t('desk.samples.outcome.QUALITY_OUTCOME_PAPERS')).waitFor();
	await look(operator, 'certificates-9-sample');
	operator.assertNoFaults();
});
