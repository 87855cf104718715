// A sentence on its way from the person who writes it to the people who read it: draft, fault, second person, kiosk,
// arrival, and back again. Each test goes on where the one before it stopped.
import assert from 'node:assert/strict';
import { after, before, test as nodeTest } from 'node:test';
import { launch, PATIENCE_MS } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const SERVICE = 'legal-advice';
const EASY = '示例：法律上的事，我们帮您问。';
const EASY_NAME = 'Ask about laws';
const ENGLISH = 'Sample: we ask a lawyer for you.';

let hasFailed = false;
function test(name, run) {
	nodeTest(name, async (context) => {
		if (hasFailed) return context.skip('an earlier step failed');
		hasFailed = true;
		await run();
		hasFailed = false;
	});
}

let browser, district, editor, publisher, resident;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	editor = await Clerk.arrive(browser, district.hub.url);
	publisher = await Clerk.arrive(browser, district.hub.url);
	resident = await Resident.arrive(browser, district.terminals[0].url);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

const part = (page, path) => page.locator(`[id="part-${path}"]`);
const saved = (page) => page.locator('.edit-saved', { hasText: /^已保存/ });

async function services() {
	return resident.page.evaluate(() => fetch('/api/v1/catalogue').then((r) => r.json()).then((view) => view.services));
}

test('the editor sees the catalogue, and no requests', async () => {
	await editor.logIn(district.editor1);
	await editor.seesText('desk.catalogue.title');
	await editor.sees('法律咨询预约');
	await editor.page.getByText(editor.t('desk.arrival.count', { sites: 2, arrived: 2 })).first().waitFor({ timeout: PATIENCE_MS });
	assert.equal(await editor.page.getByRole('link', { name: editor.t('desk.nav.cases') }).count(), 0);
	const status = await editor.page.evaluate(() => fetch('/api/v1/cases').then((r) => r.status));
	assert.equal(status, 403, 'requests are personal');
	await editor.look('catalogue-01-list');
});

test('a draft is saved by itself, with its faults at their places', async () => {
	const { page } = editor;
	await editor.visit(`catalogue/${SERVICE}?at=draft`);
	await part(page, 'easy.zh').fill('');
	await saved(page).waitFor({ timeout: PATIENCE_MS });
	await editor.seesText('desk.draft.faults', { n: 1 });
	await page.locator('[id="part-easy.zh-error"]', { hasText: editor.t('desk.fault.zh') }).waitFor();
	await editor.look('catalogue-02-fault');
	await page.getByRole('button', { name: `${editor.t('desk.part.easy')} · ${editor.t('desk.part.zh')}` }).click();
	await page.waitForFunction(() => document.activeElement.id === 'part-easy.zh'); // the fault leads to its place
	await page.keyboard.type(EASY);
	await part(page, 'easy.en').fill(ENGLISH);
	await part(page, 'easy_name.en').fill(EASY_NAME);
	await editor.seesText('desk.draft.good');
	// It saves while we type: the first sentence may be there before the second.
	const view = () => page.evaluate((s) => fetch(`/api/v1/publications/catalogue/${s}`).then((r) => r.json()), SERVICE);
	for (let end = Date.now() + PATIENCE_MS; (await view()).changes.length < 3 && Date.now() < end; ) await page.waitForTimeout(200);
	const { row, changes } = await view();
	assert.deepEqual(row.draft.authors, ['editor1']);
	assert.deepEqual(changes.map(({ path, after }) => [path, after]).sort(), [['easy.en', ENGLISH], ['easy.zh', EASY], ['easy_name.en', EASY_NAME]]);
});

test('what is typed outlives the end of the session', async () => {
	const { page } = editor;
	await page.locator('details[data-path="conditions[0]"] summary').click();
	const csrf = await page.evaluate(() => fetch('/api/v1/me').then((r) => r.json()).then((view) => view.csrf));
	await part(page, 'conditions[0].zh').fill('示例：所有残疾人。');
	await page.evaluate((token) => {
		const headers = { 'Content-Type': 'application/json', 'X-Lm-Csrf': token };
		return fetch('/api/v1/logout', { method: 'POST', headers, body: '{}' });
	}, csrf);
	await page.locator('dialog[open]').waitFor({ timeout: PATIENCE_MS });
	await page.locator('dialog #login-password').fill(district.editor1.password);
	await page.keyboard.press('Enter');
	await page.locator('dialog[open]').waitFor({ state: 'detached' });
	await saved(page).waitFor({ timeout: PATIENCE_MS });
	assert.equal(await part(page, 'conditions[0].zh').inputValue(), '示例：所有残疾人。');
	await editor.press('desk.edit.undo');
	await page.waitForFunction(() => !document.getElementById('part-conditions[0].zh').value.startsWith('示例'));
	await page.waitForFunction(async (s) => {
		const view = await fetch(`/api/v1/publications/catalogue/${s}`).then((r) => r.json());
		return view.changes.length === 2;
	}, SERVICE, { timeout: PATIENCE_MS, polling: 300 });
});

test('the preview is the kiosk itself, with its sizes, colours and languages', async () => {
	await editor.press('desk.preview.title');
	const frame = editor.page.frameLocator('.preview iframe');
	await frame.getByRole('heading', { name: '法律咨询预约' }).waitFor();
	await frame.getByText(EASY).waitFor();
	await editor.page.waitForFunction(() => document.activeElement.getAttribute('aria-pressed') === 'true'); // the focus is where it was
	await frame.getByRole('button', { name: new RegExp(`^${editor.t('kiosk.bar.size')}`) }).click();
	await frame.getByRole('button', { name: editor.t('kiosk.modes.way') }).click();
	await frame.getByRole('switch', { name: editor.t('kiosk.modes.easy') }).click();
	await frame.getByRole('button', { name: 'English' }).click();
	await frame.getByRole('button', { name: /^Done/ }).click();
	await frame.getByText(ENGLISH).waitFor();
	await frame.getByRole('heading', { name: EASY_NAME }).waitFor();
	await frame.getByRole('button', { name: /Start|begin/i }).first().click();
	await frame.getByRole('button', { name: /^I agree/ }).click();
	await frame.locator('#answer').waitFor();
	const root = () => frame.locator('html').evaluate((e) => ({ ...e.dataset }));
	const first = await root();
	await frame.getByRole('button', { name: /^Text size/ }).click();
	await frame.locator('dialog .choice').last().click();
	assert.notEqual((await root()).size, first.size);
	assert.equal(await editor.page.locator('html').getAttribute('lang'), 'zh-CN', 'the desk keeps its language');
	await editor.look('catalogue-03-preview');
});

test('the editor cannot publish; a second person looks and publishes', async () => {
	await editor.visit(`catalogue/${SERVICE}`);
	await editor.seesText('desk.draft.changes');
	await editor.look('catalogue-04-draft');
	assert.equal(await editor.button('desk.publish.look').count(), 0);
	await publisher.logIn(district.publisher1);
	await publisher.visit(`catalogue/${SERVICE}`);
	await publisher.press('desk.publish.look');
	await publisher.sees(EASY);
	await publisher.page.frameLocator('.preview iframe').getByText(EASY).waitFor();
	await publisher.page.waitForFunction(() => document.activeElement.tagName === 'H1');
	await publisher.look('catalogue-05-publish');
	await publisher.press('desk.publish.do');
	await publisher.seesText('desk.publish.done', { n: 2 });
	await publisher.press('common.toast.close').catch(() => {});
	await publisher.page.getByText(publisher.t('desk.arrival.count', { sites: 2, arrived: 2 })).first().waitFor({ timeout: PATIENCE_MS });
	await publisher.look('catalogue-06-in-force');
	publisher.assertNoFaults();
});

test('the kiosk shows the new sentence', async () => {
	const { page } = resident;
	for (const end = Date.now() + PATIENCE_MS; (await services()).find(({ id }) => id === SERVICE).revision < 2 && Date.now() < end; )
		await page.waitForTimeout(200);
	await page.reload();
	await page.locator('.tile').first().waitFor();
	await resident.openService(SERVICE);
	await resident.sees(EASY);
	await resident.press('kiosk.home');
});

test('going back is a draft, and needs a second person, too', async () => {
	await editor.visit(`catalogue/${SERVICE}?revision=1`);
	await editor.sees(EASY);
	await editor.look('catalogue-07-difference');
	await editor.press('desk.back.do', { n: 1 });
	await editor.seesText('desk.back.made', { n: 1 });
	await publisher.visit(`catalogue/${SERVICE}?at=publish`);
	await publisher.press('desk.publish.do');
	await publisher.seesText('desk.publish.done', { n: 3 });
	await publisher.sees(publisher.t('desk.service.goes-back', { n: 1 }));
	const view = await publisher.page.evaluate((s) => fetch(`/api/v1/publications/catalogue/${s}`).then((r) => r.json()), SERVICE);
	assert.deepEqual(view.revisions.map(({ revision, goes_back_to }) => [revision, goes_back_to]), [[3, 1], [2, 0], [1, 0]]);
	for (const one of [editor, publisher, resident]) one.assertNoFaults();
});

test('evidence, second persons, objections and visits are written with the service', async () => {
	const { page } = editor;
	const key = 'motor-wheelchair';
	const add = (what) => editor.press('desk.edit.add', { what: editor.t(`desk.part.${what}`) });
	const view = () => page.evaluate((s) => fetch(`/api/v1/publications/catalogue/${s}`).then((r) => r.json()), key);
	const before = (await view()).service;
	assert.ok(before.proofs.length === 2 && before.needs_second.length === 3 && before.objection, 'the service says all of it');
	await editor.visit(`catalogue/${key}?at=draft`);
	await page.locator('details[data-path="proofs[0]"]').waitFor();
	assert.equal(await part(page, 'proofs[0].evidence').inputValue(), '1');
	assert.equal(await part(page, 'needs_second[2]').inputValue(), 'OUTCOME_REFUSED');
	await add('proofs');
	await part(page, 'proofs[2].evidence').fill('99');
	await page.locator('[id="part-proofs[2].evidence-error"]', { hasText: editor.t('desk.fault.sentence-nth', { most: before.evidence.length }) }).waitFor({ timeout: PATIENCE_MS });
	await editor.look('catalogue-10-proofs');
	await editor.press('desk.edit.undo');
	await editor.press('desk.edit.undo'); // the empty one is gone, too
	await part(page, 'proofs[1].before_step').fill('1');
	await page.locator('li:has(> details[data-path="needs_second[2]"])').getByRole('button', { name: editor.t('desk.edit.take-of', { what: editor.t('desk.edit.item', { what: editor.t('desk.part.needs_second'), n: 3 }) }) }).click();
	await part(page, 'objection.days').fill('31');
	await page.locator('details[data-path="steps[0]"] summary').click();
	await page.locator('[id="part-steps[0].in_person"] label').click();
	await saved(page).waitFor({ timeout: PATIENCE_MS });
	for (let end = Date.now() + PATIENCE_MS; (await view()).changes.length < 4 && Date.now() < end; ) await page.waitForTimeout(200);
	const { draft, faults } = await view();
	assert.deepEqual(faults, []);
	assert.deepEqual(draft.proofs.map((proof) => proof.before_step ?? 0), [0, 1]);
	assert.deepEqual(draft.needs_second, before.needs_second.slice(0, 2));
	assert.equal(draft.objection.days, 31);
	assert.ok(draft.steps[0].in_person && !before.steps[0].in_person);
	assert.deepEqual(draft.objection.basis, before.objection.basis);
	await editor.visit(`catalogue/${key}`);
	await editor.seesText('desk.part.objection');
	await editor.look('catalogue-11-deciding');
	editor.assertNoFaults();
});

test('a text of answers is written, published, and offered to who answers a case', async () => {
	await editor.visit('wordings');
	await editor.press('desk.wordings.new');
	await editor.page.locator('#new-service').fill('please-wait');
	await editor.press('desk.catalogue.begin');
	const { page } = editor;
	for (const [path, words] of [['name.zh', '请等'], ['name.en', 'Please wait'], ['plain.zh', '「{service}」请等。'], ['plain.en', '“{servic}”: please wait.'], ['easy.zh', '请等。'], ['easy.en', 'Please wait.']])
		await part(page, path).fill(words);
	await page.locator('[id="part-plain.en-error"]', { hasText: '{servic}' }).waitFor({ timeout: PATIENCE_MS });
	await part(page, 'plain.en').fill('“{service}”: please wait.');
	await editor.seesText('desk.draft.good');
	await editor.look('catalogue-08-text');
	await publisher.visit('wordings/please-wait?at=publish');
	await publisher.press('desk.publish.do');
	await publisher.seesText('desk.publish.done', { n: 1 });
	const clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.clerk1 ?? district.town);
	const done = await district.tell({ do: 'submit', node: district.terminals[0].name, service: SERVICE, nth: 0 });
	await clerk.openCase(done.request_id);
	await clerk.page.keyboard.press('a');
	await clerk.confirm();
	await clerk.page.keyboard.press('q');
	await clerk.seesText('desk.wording.of-district', { n: 1 });
	await clerk.tabTo('desk.wording.plain');
	await clerk.page.keyboard.press('Enter');
	assert.equal(await clerk.page.locator('#decide-text').inputValue(), '「法律咨询预约」请等。');
	await clerk.look('catalogue-09-offered');
	for (const one of [editor, publisher, clerk]) one.assertNoFaults();
});
