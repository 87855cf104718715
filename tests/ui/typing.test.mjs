// Chinese without a keyboard: names, words and mixed answers typed by touch and by keys alone, in the smallest and the
// largest letters, on both screens, as far as the receipt; and what is left when nobody finds characters.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib.mjs';
import { Fingers, startDistrict } from './people.mjs';

const KEY_MM = 14;
const GAP_MM = 2.54;
const TABS_MOST = 80;
const ANSWERS = { phone: '000 5954 0000', number: '99011419700101001144', need: 'move', height_cm: null, in_use: 'no', where: 'home' };

class Typist extends Fingers {
	/** From the service's page to its first question. */
	async begin(service) {
		const found = await this.openService(service);
		await this.press('kiosk.service.start');
		await this.press('kiosk.consent.agree');
		await this.sayNoChild(found);
		return found;
	}

	/** Millimetres of keys and gaps, and whether what is typed is in sight with the whole keyboard. */
	measured() {
		return this.page.evaluate(
			({ mm, least_mm, gap_mm }) => {
				const boxes = [...document.querySelectorAll('.keyboard button')].map((e) => [e.innerText, e.getBoundingClientRect()]);
				const findings = [];
				for (const [name, { width, height }] of boxes)
					if (Math.min(width, height) < least_mm * mm - 0.6) findings.push(`key ${name}: ${width} x ${height} px`);
				for (const [i, [name, a]] of boxes.entries())
					for (const [other, b] of boxes.slice(i + 1)) {
						const gap = Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
						if (gap < gap_mm * mm - 0.6) findings.push(`gap ${gap} px: ${name} and ${other}`);
					}
				const foot = document.querySelector('.foot').getBoundingClientRect();
				const typed = document.querySelector('#answer').getBoundingClientRect();
				const keyboard = document.querySelector('.keyboard').getBoundingClientRect();
				if (typed.top < -0.6 || typed.bottom > keyboard.top) findings.push(`what is typed is hidden: ${typed.top}`);
				if (keyboard.bottom > foot.top + 0.6) findings.push(`keys are hidden by ${keyboard.bottom - foot.top} px`);
				return { count: boxes.length, findings };
			},
			{ mm: this.mm, least_mm: KEY_MM, gap_mm: GAP_MM },
		);
	}

	/** By keys alone: forward or back to the button whose words begin so, and pressed. */
	async tabTo(name) {
		for (let i = 0; i < TABS_MOST; i++) {
			const at = await this.page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText.trim());
			if (name instanceof RegExp ? name.test(at) : at === name) break;
			await this.page.keyboard.press('Tab');
		}
		await this.steady();
		await this.page.keyboard.press('Enter');
	}
}

let browser, district, resident, service;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
	resident = await Typist.arrive(browser, district.terminals[0].url);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

test('a name by touch: whole, and character by character', async () => {
	service = await resident.begin('device-fitting');
	assert.equal(await resident.keyboard().count(), 0, 'it opens when it is needed');
	await resident.steady();
	await resident.page.locator('#answer').click();
	await resident.keys('wangkun');
	assert.equal(await resident.value(), '', 'letters are no answer');
	await resident.pick('王堃');
	assert.equal(await resident.value(), '王堃');
	await resident.word('erase');
	await resident.word('erase');
	await resident.keys('wangkun');
	await resident.pick('王');
	assert.equal(await resident.page.locator('.keyboard-letters').innerText(), 'kun', 'the rest stays');
	const kun = await resident.findCandidate('堃');
	assert.match(await kun.getAttribute('aria-label'), /^\d 堃，方方土$/);
	await resident.look('typing-01-name');
	await resident.pick('堃');
	assert.equal(await resident.value(), '王堃');
	resident.assertNoFaults();
});

test('half a syllable goes nowhere', async () => {
	await resident.keys('we');
	await resident.press('kiosk.form.next');
	await resident.page.getByRole('alert').filter({ hasText: resident.t('common.keyboard.choose-first') }).waitFor();
	assert.equal(await resident.value(), '王堃');
	await resident.page.getByRole('heading', { level: 1, name: service.fields[0].label.zh }).waitFor();
	await resident.word('clear');
	assert.equal(await resident.value(), '王堃', 'the letters are gone, the answer is not');
});

test('numbers have their own keys; words and a mixed address; the receipt', async () => {
	await resident.press('kiosk.form.next');
	for (const field of service.fields.slice(1)) {
		await resident.agreeBefore(service, field);
		if (field.id === 'device') {
			await resident.steady();
			await resident.page.locator('#answer').click();
			await resident.keys('shenfenzheng');
			await resident.pick('身份证');
			await resident.press('kiosk.form.next');
		} else if (field.id === 'address') {
			await resident.steady();
			await resident.page.locator('#answer').click();
			await resident.word('latin');
			await resident.word('upper');
			await resident.key('A');
			await resident.word('chinese');
			await resident.keys('zuo');
			await resident.pick('座');
			await resident.word('digits');
			await resident.look('typing-02-digits');
			await resident.keys('101');
			await resident.word('letters');
			await resident.keys('shi');
			await resident.pick('室');
			assert.equal(await resident.value(), 'A座101室');
			await resident.press('kiosk.form.next');
		} else {
			if (field.type === 'FIELD_TYPE_PHONE') assert.equal(await resident.keyboard().count(), 0);
			await resident.answer(field, ANSWERS[field.id] ?? null);
		}
	}
	await resident.agreeToSharing(service);
	await resident.seesText('kiosk.check.title');
	for (const words of ['王堃', '身份证', 'A座101室']) await resident.sees(words);
	await resident.handIn();
	await resident.waitForMarks(3);
	await resident.press('kiosk.receipt.done');
	resident.assertNoFaults();
});

test('by keys alone, and with letters of a real keyboard', async () => {
	await resident.begin('device-fitting');
	await resident.page.locator('#answer').focus();
	for (const letter of 'wangkun') await resident.tabTo(letter);
	const kun = await (await resident.findCandidate('王堃')).getAttribute('aria-label');
	await resident.tabTo(kun);
	assert.equal(await resident.value(), '王堃');
	await resident.page.locator('#answer').focus();
	await resident.page.keyboard.type('wang');
	const nth = (await (await resident.findCandidate('王')).getAttribute('aria-label'))[0];
	await resident.page.keyboard.press(nth);
	assert.equal(await resident.value(), '王堃王');
	await resident.page.keyboard.type('q');
	await resident.page.keyboard.press('Backspace');
	await resident.page.keyboard.press('Backspace');
	assert.equal(await resident.value(), '王堃', 'first the letters, then what is written');
	await resident.word('close');
	assert.equal(await resident.keyboard().count(), 0);
	await resident.press('kiosk.home');
	await resident.press('kiosk.leave.leave');
	resident.assertNoFaults();
});

const SCREENS_AND_SIZES = [
	['kiosk32', 1],
	['kiosk21', 4],
	['kiosk32', 4],
	['kiosk21', 1],
	['kiosk21', 2],
	['kiosk21', 3], // in English
];
for (const [screen, size] of process.env.LM_UI_FULL === 'yes' ? SCREENS_AND_SIZES : SCREENS_AND_SIZES.slice(0, 2))
	test(`keys can be hit, and what is typed is seen: ${screen}, size ${size}`, async () => {
		const other = await Typist.arrive(browser, district.terminals[0].url, { screen, size, language: size === 3 ? 'en' : 'zh-CN' });
		await other.begin('device-fitting');
		await other.steady();
		await other.page.locator('#answer').click();
		if (other.language === 'en') await other.word('chinese');
		await other.keys('wangkun');
		await other.findCandidate('王堃');
		const { count, findings } = await other.measured();
		assert.ok(count > 35, 'it measures keys');
		await other.look(`typing-${screen}-${size}`);
		assert.deepEqual(findings, []);
		other.assertNoFaults();
		await other.close();
	});

test('without characters there are letters, digits and a person', async () => {
	await district.tell({ do: 'configure', node: district.terminals[0].name, settings: { pinyin: '/nonexistent/lm-pinyin' } });
	const other = await Typist.arrive(browser, district.terminals[0].url);
	await other.begin('device-fitting');
	await other.steady();
	await other.page.locator('#answer').click();
	await other.keys('wang');
	await other.seesText('common.keyboard.away');
	await other.look('typing-03-away');
	await other.word('clear');
	await other.word('latin');
	await other.keys('wang');
	assert.equal(await other.value(), 'wang');
	await other.press('kiosk.form.next');
	await other.close();
});
