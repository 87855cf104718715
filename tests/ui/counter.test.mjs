// Staff type a request for a resident at the town's counter: with papers, with every consent, and without losing a word.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const NAME = '示例计';
const PLACE_OF_PICTURE = 'GPS-SECRET-PLACE';
const CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']; // one that anybody may use
let browser, district, clerk;

before(async () => {
	[browser, district] = await Promise.all([launch(CAMERA), startDistrict()]);
	clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.town);
	await clerk.seesText('desk.queue.title');
});

after(async () => {
	await browser?.close();
	await district?.end();
});

/** A photograph of 3000 x 2000 points with EXIF that tells where it was taken: larger than any field takes. */
async function photograph() {
	const base64 = await clerk.page.evaluate(() => {
		const canvas = document.createElement('canvas');
		[canvas.width, canvas.height] = [3000, 2000];
		const pen = canvas.getContext('2d');
		for (let i = 0; i < 6000; i++) {
			pen.fillStyle = `rgb(${(i * 37) % 256},${(i * 91) % 256},${(i * 53) % 256})`;
			pen.fillRect((i * 997) % 3000, (i * 613) % 2000, 60, 40);
		}
		return canvas.toDataURL('image/jpeg', 0.95).split(',')[1];
	});
	const plain = Buffer.from(base64, 'base64');
	const exif = Buffer.from(`Exif\0\0${PLACE_OF_PICTURE}`);
	const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
	return Buffer.concat([plain.subarray(0, 2), head, exif, plain.subarray(2)]);
}

const question = (key) => clerk.page.locator(`#intake-${key}`);

async function choose(key, words) {
	await question(key).locator('label.choice', { hasText: words }).first().click();
}

async function agree(legend) {
	await clerk.page.locator(`fieldset[aria-labelledby="${legend}"] label.choice`).first().click();
}

test('a request with a picture, typed while the resident is on the phone', async () => {
	const { page } = clerk;
	await clerk.visit('new');
	await clerk.seesText('desk.intake.choose');
	await clerk.look('town-30-new');
	await page.locator('#intake-channel label.choice', { hasText: clerk.t('desk.channel.REQUEST_CHANNEL_PHONE') }).click();
	await page.getByRole('button', { name: '聋信套餐补贴申请' }).click();
	await clerk.seesText('desk.intake.read-aloud');
	assert.equal(await page.locator('#intake-name').count(), 0, 'nothing is asked before the resident has agreed');
	await clerk.look('town-31-privacy');
	await agree('intake-privacy');
	await clerk.press('desk.intake.send');
	await page.locator('.field-error').first().waitFor();
	assert.equal(await page.evaluate(() => document.activeElement?.id), 'intake-name', 'the first slip has the focus');
	await question('name').fill(NAME);
	await clerk.look('town-32-slips');

	const photo = await photograph();
	assert.ok(photo.length > 200_000 && photo.includes(PLACE_OF_PICTURE));
	await page.locator('#intake-bill').setInputFiles({ name: `${NAME}.html`, mimeType: 'text/html', buffer: Buffer.from('<script>') });
	await clerk.seesText('common.rule.not-a-file');
	await page.locator('#intake-bill').setInputFiles({ name: `${NAME}.jpg`, mimeType: 'image/jpeg', buffer: photo });
	await clerk.seesText('common.file.given');

	await agree('intake-consents-health-title');
	await choose('category', '听力');
	await choose('is_own_number', clerk.t('common.yes'));
	Clerk.secrets.add(NAME);
	await clerk.look('town-33-form');
});

test('what is typed outlasts another page and an ended session', async () => {
	const { page } = clerk;
	await clerk.visit('links');
	await page.locator('tbody tr').first().waitFor();
	await page.evaluate(() => (location.hash = '#/new'));
	assert.equal(await question('name').inputValue(), NAME);
	await clerk.seesText('common.file.given');
	await page.context().clearCookies(); // as after an idle hour
	await clerk.press('desk.intake.send');
	await page.locator('dialog input[type=password]').fill(district.town.password);
	await page.keyboard.press('Enter');
	await page.locator('dialog').waitFor({ state: 'detached' });
	assert.equal(await question('name').inputValue(), NAME);
	const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
	assert.ok(!kept.includes(NAME), 'no storage of the browser holds it');
	clerk.faults.length = 0; // the refused post
});

test('it becomes a case with its picture, and its code opens the answer at a terminal', async () => {
	const { page } = clerk;
	const sent = page.waitForRequest('**/api/v1/intake');
	const answered = page.waitForResponse('**/api/v1/intake');
	await clerk.press('desk.intake.send');
	const command = (await sent).postDataJSON();
	const { request_id, code, is_saved } = await (await answered).json();
	assert.ok(is_saved);
	const { files } = command.values.find(({ field }) => field === 'bill');
	const picture = Buffer.from(files[0], 'base64');
	assert.ok(picture.length <= 1_000_000, 'made small enough');
	assert.ok(!picture.includes(PLACE_OF_PICTURE) && !picture.includes('Exif'), 'it says nothing but what it shows');
	assert.ok(!JSON.stringify(command).includes('.jpg'), 'its name stays here');
	await clerk.seesText('desk.intake.saved');
	await clerk.seesText('desk.intake.read-out');
	assert.equal(command.channel, 'REQUEST_CHANNEL_PHONE');
	Clerk.secrets.add(code);
	await clerk.look('town-34-receipt');
	await page.getByRole('link', { name: clerk.t('desk.intake.open') }).click();
	await page.locator('.desk-facts', { hasText: request_id }).waitFor();
	await clerk.press('desk.file.show');
	await page.locator('.desk-facts', { hasText: clerk.t('desk.channel.REQUEST_CHANNEL_PHONE') }).waitFor();
	await page.waitForFunction(() => document.querySelector('.desk-picture')?.naturalWidth > 600);
	await clerk.sees(district.town.user);
	await clerk.look('town-35-case-with-picture');
	clerk.assertNoFaults();
	await page.keyboard.press('a');
	await clerk.confirm();
	await clerk.decide('g', { text: '同意补贴。' });
	await clerk.confirm();
	const letter = clerk.t('desk.letter.make', { what: clerk.t('desk.letter.LETTER_KIND_DECIDED'), language: clerk.t('desk.language.zh-CN') });
	await page.getByRole('button', { name: letter }).press('Enter');
	const saved = page.getByRole('link', { name: clerk.t('desk.letter.open', { what: clerk.t('desk.letter.LETTER_KIND_DECIDED') }) });
	await saved.waitFor();
	const [download] = await Promise.all([page.waitForEvent('download'), saved.click()]);
	assert.equal(readFileSync(await download.path()).subarray(0, 5).toString(), '%PDF-');
	await page.getByText(new RegExp(`${clerk.t('desk.letter.LETTER_KIND_DECIDED')}.*${district.town.user}`)).waitFor();
	await clerk.look('town-36-case-with-letter');

	await clerk.press('desk.code.give');
	await clerk.press('desk.code.send');
	await clerk.seesText('desk.code.note-missing');
	await page.locator('#new-code-note').fill('示例：证件和本人相符');
	await clerk.look('town-37-new-code');
	const replaced = page.waitForResponse('**/code');
	await clerk.press('desk.code.send');
	const { code: other } = await (await replaced).json();
	assert.notEqual(other, code);
	Clerk.secrets.add(other);
	await clerk.seesText('desk.code.once');
	await clerk.look('town-38-code-replaced');

	const resident = await Resident.arrive(browser, district.terminals[0].url);
	await resident.lookUp(other);
	await resident.waitForNews('同意补贴。');
	resident.assertNoFaults();
	await resident.close();
	const late = await Resident.arrive(browser, district.terminals[0].url);
	await late.lookUp(code);
	await late.page.getByText(late.t('kiosk.records.replaced')).waitFor();
	late.assertNoFaults();
	await late.close();
});

test('who does not agree is asked nothing, and what is dropped is gone', async () => {
	const { page } = clerk;
	await clerk.visit('new');
	await page.getByRole('button', { name: '聋信套餐补贴申请' }).click();
	await page.locator('fieldset[aria-labelledby="intake-privacy"] label.choice').last().click();
	assert.equal(await page.locator('#intake-name').count(), 0);
	assert.equal(await clerk.button('desk.intake.send').count(), 0);
	await agree('intake-privacy');
	await question('name').fill(NAME);
	await clerk.press('desk.intake.drop');
	await clerk.seesText('desk.intake.choose');
	await page.getByRole('button', { name: '聋信套餐补贴申请' }).click();
	await agree('intake-privacy');
	assert.equal(await question('name').inputValue(), '');
	await clerk.press('desk.intake.drop');
	clerk.assertNoFaults();
});

test('a picture by the camera of a kiosk comes to the desk with its request, and leaves nothing behind', async () => {
	const one = await Resident.arrive(browser, `${district.terminals[0].url}/?camera=yes`);
	const { page } = one;
	const found = await one.openService('barrier-report');
	await one.press('kiosk.service.start');
	await one.press('kiosk.consent.agree');
	for (const field of found.fields) {
		await one.agreeBefore(found, field);
		if (field.id !== 'picture') {
			const answers = { name: '示例影', kind: 'ramp', danger: 'no', where: '示例路口', community: 'here' };
			await one.answer(field, answers[field.id] ?? null);
			continue;
		}
		await page.evaluate(() => {
			const { mediaDevices } = navigator;
			mediaDevices.getUserMedia = () => Promise.reject(new DOMException('unplugged', 'NotFoundError'));
		});
		await one.press('common.camera.open');
		await one.seesText('common.camera.none');
		await one.look('kiosk-39-no-camera');
		await page.evaluate(() => {
			const { mediaDevices } = navigator;
			delete mediaDevices.getUserMedia; // the browser's own is behind it
			const ask = mediaDevices.getUserMedia.bind(mediaDevices);
			window.tracks = [];
			mediaDevices.getUserMedia = async (what) => {
				const stream = await ask(what);
				window.tracks.push(...stream.getTracks());
				return stream;
			};
		});
		await one.press('common.camera.open');
		await page.waitForFunction(() => document.querySelector('video')?.videoWidth > 0);
		await one.look('kiosk-40-camera');
		await one.press('common.camera.take');
		await page.waitForFunction(() => document.querySelector('img.camera-picture')?.naturalWidth > 300);
		const states = () => page.evaluate(() => window.tracks.map(({ readyState }) => readyState));
		assert.deepEqual(await states(), ['ended'], 'the camera is off');
		await one.press('common.file.remove');
		await one.press('common.camera.open');
		await page.waitForFunction(() => document.querySelector('video')?.videoWidth > 0);
		await one.press('common.camera.take');
		await one.page.locator('img.camera-picture').waitFor();
		assert.deepEqual(await states(), ['ended', 'ended']);
		await one.look('kiosk-41-picture');
		await one.press('kiosk.form.next');
	}
	await one.agreeToSharing(found);
	const sent = page.waitForRequest('**/api/v1/requests');
	const made = await one.handIn();
	const { files } = (await sent).postDataJSON().values.find(({ field }) => field === 'picture');
	assert.ok(Buffer.from(files[0], 'base64').length <= 1_000_000, 'made small enough');
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');
	assert.equal(await page.locator('video, img.camera-picture').count(), 0);
	one.assertNoFaults();
	await one.close();

	await clerk.openCase(made.request_id);
	await clerk.press('desk.file.show');
	await clerk.page.waitForFunction(() => document.querySelector('.desk-picture')?.naturalWidth > 300);
	clerk.assertNoFaults();
});
