// Journeys from the start to the answer by people who have only what is said of them: somebody who acts for another, who sits
// in a wheelchair, who cannot hear, who wants easy words. Who cannot see: keypad.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, reachPx } from './lib.mjs';
import { Clerk, Fingers, Resident, startDistrict } from './people.mjs';

const CARER = { name: '示例女儿', relation: '女儿', phone: '00012345678', scope: 'CARER_SCOPE_ONCE' };
const NAME = '示例老人';

const SEATED_REACH_MM = 1100;

let browser, district;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

const arrive = (options) => Resident.arrive(browser, district.terminals[0].url, options);

/** The banner of every screen, as it stands there. */
const bannerOf = (resident) => resident.page.locator('.acting').innerText();

test('somebody acts for another: said on every screen, both names on the receipt, and the person can say no', async () => {
	const one = await arrive();
	await one.look('acting-0-start');
	await one.press('kiosk.start.acting');
	await one.look('acting-1-what-it-means');
	await one.press('kiosk.acting.begin');
	one.isActing = true;
	assert.equal(await bannerOf(one), one.t('kiosk.acting.banner'));
	await one.look('acting-2-start');
	await one.openService('my-data'); // for oneself alone: it says why, and there is no way on
	assert.equal(await one.button('kiosk.service.start').count(), 0);
	await one.look('acting-3-only-self');
	await one.press('kiosk.home');

	const banners = [];
	const answer = one.answer.bind(one);
	one.answer = async (...args) => {
		banners.push(await bannerOf(one));
		return answer(...args);
	};
	const service = await one.openService('device-repair');
	await one.press('kiosk.service.start');
	await one.press('kiosk.consent.agree');
	await one.sayWhoActs(CARER);
	await one.look('acting-4-question');
	for (const field of service.fields) {
		await one.agreeBefore(service, field);
		await one.answer(field, field.meaning === 'FIELD_MEANING_APPLICANT_NAME' ? NAME : field.is_required ? easiest(field) : null);
	}
	await one.agreeToSharing(service);
	await one.seesText('kiosk.check.title');
	const both = one.t('kiosk.acting.both', { name: NAME, by_name: CARER.name });
	assert.equal(await bannerOf(one), both);
	assert.deepEqual([...new Set(banners)], [one.t('kiosk.acting.banner'), both]);
	await one.look('acting-5-check');
	const { request_id, code } = await one.handIn();
	assert.equal(await bannerOf(one), both);
	await one.seesText('kiosk.receipt.both', { name: NAME, by_name: CARER.name });
	await one.seesText('kiosk.receipt.give');
	await one.look('acting-6-receipt');
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');
	assert.equal(await one.page.locator('.acting').count(), 0, 'who comes next acts for nobody');

	const clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.town);
	await clerk.page.locator(`a[data-request="${request_id}"]`).waitFor();
	await clerk.seesText('desk.flag.carer-open');
	await clerk.openCase(request_id);
	await clerk.sees([CARER.name, CARER.relation, CARER.phone].join(' · '));
	await clerk.seesText('desk.carer.AUTHORITY_NOT_CONFIRMED');
	await clerk.look('acting-7-case');
	await clerk.page.keyboard.press('a');
	await clerk.confirm();

	// The person, with the code: reads both names, and did not want it.
	await one.lookUp(code);
	await one.waitForNews(one.t('kiosk.status.accepted'));
	await one.seesText('kiosk.receipt.both', { name: NAME, by_name: CARER.name });
	await one.press('kiosk.records.withdraw');
	await one.look('acting-8-withdraw');
	await one.press('kiosk.withdraw.unwanted');
	await one.waitForNews(one.t('kiosk.status.withdrawn'));
	await clerk.seesText('desk.carer.AUTHORITY_UNWANTED');
	await clerk.seesText('desk.ask.unwanted');
	await clerk.visit('cases/closed');
	await clerk.seesText('desk.flag.unwanted');
	await clerk.look('acting-9-closed');
	one.assertNoFaults();
	clerk.assertNoFaults();
	await Promise.all([one.close(), clerk.close()]);
});

/** What can be answered without knowing anything. */
function easiest(field) {
	switch (field.type) {
		case 'FIELD_TYPE_CHOICE':
			return field.choices.find(({ id }) => id === 'unknown')?.id ?? field.choices[0].id;
		case 'FIELD_TYPE_YES_NO':
			return 'unknown';
		case 'FIELD_TYPE_PLACE':
			return 'here';
		case 'FIELD_TYPE_SEVERAL':
			return field.choices[0].id;
		default:
			return '示例：说不清楚';
	}
}

/** A clerk of the town takes the request up and asks this. */
async function askBack(request_id, question) {
	const clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.town);
	await clerk.openCase(request_id);
	await clerk.page.keyboard.press('a');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ACCEPTED'));
	await clerk.decide('q', { text: question });
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ASKED'));
	return clerk;
}

/** Touches what is at most 1,100 mm above the floor, from the first press on: a press above it does nothing, and is told. */
class Seated extends Fingers {
	static async arrive(...args) {
		const one = await super.arrive(...args);
		await one.page.evaluate((limit) => {
			window.tooHigh = [];
			for (const name of ['pointerdown', 'click'])
				document.addEventListener(name, (e) => {
					if (e.clientY >= limit || (name === 'click' && e.detail === 0)) return;
					e.preventDefault();
					e.stopImmediatePropagation();
					window.tooHigh.push(`${name} at ${e.clientY} px: ${e.target.closest('button, label, summary')?.innerText}`);
				}, true);
		}, reachPx(one.mm, SEATED_REACH_MM));
		return one;
	}

	async press(...args) {
		await super.press(...args);
		await this.assertReached();
	}

	async assertReached() {
		assert.deepEqual(await this.page.evaluate(() => window.tooHigh), []);
	}

	/** Digits by the keypad of the screen. */
	async digits(digits) {
		for (const digit of digits) {
			await this.steady();
			await this.page.locator('.keypad').getByRole('button', { name: digit, exact: true }).click();
		}
		await this.assertReached();
	}
}

test('who sits reaches everything, from the first press to the answer', async () => {
	const one = await Seated.arrive(browser, district.terminals[0].url);
	await one.page.mouse.click(200, 300);
	assert.equal((await one.page.evaluate(() => window.tooHigh.splice(0))).length, 2, 'a press above it is told');
	await one.choose({ size: 4, ways: ['low'] });
	const service = await one.openService('rate-case');
	await one.press('kiosk.service.start');
	await one.press('kiosk.consent.agree');
	for (const field of service.fields) {
		await one.agreeBefore(service, field);
		if (field.id === 'name') {
			await one.page.getByRole('heading', { level: 1, name: field.label.zh }).waitFor();
			await one.press('common.keyboard.open');
			await one.keys('li');
			await one.pick('李');
			await one.look('seated-1-keyboard');
			await one.press('kiosk.form.next');
		} else if (field.id === 'phone') {
			await one.page.getByRole('heading', { level: 1, name: field.label.zh }).waitFor();
			await one.digits('00059540000');
			await one.press('kiosk.form.next');
		} else await one.answer(field, field.choices[0]?.id ?? null);
		await one.assertReached();
	}
	await one.agreeToSharing(service);
	await one.seesText('kiosk.check.title');
	await one.steady();
	await one.page.locator('.answer button').first().click(); // also the first answer can be changed
	await one.press('kiosk.form.next');
	const { request_id, code } = await one.handIn();
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');

	const officer = await Clerk.arrive(browser, district.hub.url);
	await officer.logIn(district.hub);
	await officer.openCase(request_id);
	await officer.page.keyboard.press('a');
	await officer.confirm();
	await officer.decide('q', { text: '示例：是哪一天的事？' });
	await officer.confirm();
	await one.press('kiosk.start.lookup');
	await one.digits(code);
	await one.press('kiosk.lookup.find');
	await one.waitForNews('示例：是哪一天的事？');
	await one.look('seated-2-question');
	await one.press('kiosk.records.answer');
	await one.press('common.keyboard.open');
	await one.keys('zuotian');
	await one.pick('昨天');
	await one.press('kiosk.asked.send');
	await one.seesText('kiosk.records.title');
	await one.press('kiosk.home');
	await one.seesText('kiosk.start.title');
	await one.assertReached();
	one.assertNoFaults();
	await Promise.all([one.close(), officer.close()]);
});

test('who cannot hear: each sound has something to see, an interpreter and writing are asked for, and all is in writing', async () => {
	const one = await arrive();
	// What was in front of the eyes within a fifth of a second after each sound began.
	await one.page.evaluate(() => {
		window.sounds = [];
		const seen = () => document.querySelector('.caption:popover-open')?.textContent || document.querySelector('dialog[open] h2')?.textContent || '';
		for (const type of [OscillatorNode, AudioBufferSourceNode, HTMLMediaElement]) {
			const name = type === HTMLMediaElement ? 'play' : 'start';
			const begin = type.prototype[name];
			type.prototype[name] = function (...when) {
				const sound = { kind: type.name, seen: '' };
				window.sounds.push(sound);
				for (let ms = 0; ms <= 200; ms += 10) setTimeout(() => (sound.seen ||= seen()), ms);
				return begin.apply(this, when);
			};
		}
	});
	await one.press('kiosk.bar.sign');
	await one.seesText('kiosk.sign.none');
	for (const need of ['ACCESS_NEED_SIGN_LANGUAGE', 'ACCESS_NEED_TEXT_ONLY']) await one.pressSwitch(`kiosk.need.${need}`);
	await one.look('deaf-1-sign');
	await one.press('kiosk.modes.done');
	const service = await one.openService('device-repair');
	await one.press('kiosk.service.start');
	await one.press('kiosk.consent.agree');
	for (const field of service.fields) {
		await one.agreeBefore(service, field);
		await one.answer(field, field.meaning === 'FIELD_MEANING_APPLICANT_NAME' ? NAME : field.is_required ? easiest(field) : null);
	}
	await one.seesText('kiosk.check.title');
	for (const need of ['ACCESS_NEED_SIGN_LANGUAGE', 'ACCESS_NEED_TEXT_ONLY']) await one.seesText(`kiosk.need.${need}`);
	// The one sound that nobody asks for: that the kiosk is about to forget.
	await one.page.evaluate(() => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + 245_000;
	});
	await one.seesText('kiosk.idle.title');
	await one.press('kiosk.idle.stay');
	const { request_id, code } = await one.handIn();
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');
	// And the voice, should somebody switch it on: captions.
	await one.press('kiosk.bar.speech');
	await one.page.waitForFunction(() => window.sounds.some(({ kind }) => kind === 'AudioBufferSourceNode'));
	await one.page.waitForTimeout(500);
	const sounds = await one.page.evaluate(() => window.sounds);
	assert.ok(sounds.some(({ kind }) => kind === 'OscillatorNode'), 'the warning is heard, too');
	assert.deepEqual(sounds.filter(({ seen }) => !seen), []);
	await one.press('kiosk.bar.speech');
	await one.press('kiosk.speech.off');

	const clerk = await askBack(request_id, '示例：请写下哪天方便。');
	for (const need of ['ACCESS_NEED_SIGN_LANGUAGE', 'ACCESS_NEED_TEXT_ONLY']) await clerk.seesText(`desk.person.value.${need}`);
	await one.lookUp(code);
	await one.waitForNews('示例：请写下哪天方便。');
	await one.press('kiosk.records.answer');
	await one.page.locator('.touched textarea').fill('示例：星期三');
	await one.press('kiosk.asked.send');
	await one.seesText('kiosk.records.title');
	await clerk.sees('示例：星期三');
	// Somebody is called without a voice: what becomes of it stands there.
	await one.press('kiosk.bar.staff');
	await one.press('kiosk.ring.ring');
	await one.seesText('kiosk.ring.rings');
	await clerk.press('desk.ring.take');
	await one.seesText('kiosk.ring.taken');
	one.assertNoFaults();
	clerk.assertNoFaults();
	await Promise.all([one.close(), clerk.close()]);
});

const TITLE_MOST = 15, SENTENCES_MOST = 2, SENTENCE_MOST = 20, CHOICES_MOST = 6;

/** What is too much on this screen for somebody who needs few words; what stands behind "more" is asked for. */
function tooMuch(page) {
	return page.evaluate(
		([title, sentences, sentence, choices]) => {
			const found = [];
			const letters = (text) => text.replace(/[\s\p{P}\d]/gu, '').length;
			const seen = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());
			const titles = seen('main h1');
			if (titles.length !== 1) found.push(`${titles.length} titles`);
			for (const { innerText } of titles) if (letters(innerText) > title) found.push(`a title of ${letters(innerText)}: ${innerText}`);
			const texts = seen('main p:not(.said, .code, .progress *, .notice *)').map((e) => e.innerText.trim());
			const all = texts.flatMap((text) => text.match(/[^。！？]+[。！？]?/g) ?? []);
			if (all.length > sentences) found.push(`${all.length} sentences: ${all.join(' ')}`);
			for (const one of all) if (letters(one) > sentence) found.push(`a sentence of ${letters(one)}: ${one}`);
			const count = Math.max(seen('main .tile').length, seen('main .choice').length);
			if (count > choices) found.push(`${count} choices`);
			if (seen('main .touched').length > 1) found.push('more than one question');
			return found;
		},
		[TITLE_MOST, SENTENCES_MOST, SENTENCE_MOST, CHOICES_MOST],
	);
}

test('who needs few words: one thing a screen, and "I do not know" is always an answer', async () => {
	const one = await arrive({ ways: ['easy'] });
	const found = [];
	const check = async (name) => found.push(...(await tooMuch(one.page)).map((what) => `${name}: ${what}`));
	await check('start');
	const service = await one.openService('device-repair');
	await check('service');
	await one.press('kiosk.service.start');
	await check('privacy');
	await one.press('kiosk.consent.agree');
	for (const field of service.fields) {
		if (await one.page.getByRole('heading', { name: one.t('common.consent.health') }).count()) {
			await check('health');
			await one.press('kiosk.consent.agree');
		}
		await one.page.getByRole('heading', { level: 1, name: (field.easy ?? field.label).zh }).waitFor();
		await check(field.id);
		// What need not be answered is left out; choices have the answer; with the rest staff help, and what is typed stays.
		if (!field.is_required) await one.press('kiosk.form.skip');
		else if (['FIELD_TYPE_CHOICE', 'FIELD_TYPE_YES_NO'].includes(field.type)) await one.answer(field, 'unknown');
		else {
			await one.press('kiosk.form.unknown');
			await one.seesText('kiosk.staff.how');
			await one.press('kiosk.close');
			await one.answer(field, NAME);
		}
	}
	await one.seesText('kiosk.check.title');
	await check('check');
	const { code } = await one.handIn();
	await check('receipt');
	await one.look('easy-receipt');
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');
	await one.choose({ size: 2, ways: ['easy'] }); // the next one finds it as it was
	await one.press('kiosk.start.lookup');
	await check('lookup');
	await one.page.locator('#code').fill(code);
	await one.press('kiosk.lookup.find');
	await one.seesText('kiosk.records.title');
	await check('records');
	assert.deepEqual(found, []);
	one.assertNoFaults();
	await one.close();
});
