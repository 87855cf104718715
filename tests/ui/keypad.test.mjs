// Somebody who cannot see, at a kiosk with a keypad and a headset: keys of the keypad, and what was handed to the voice.
// Nothing here looks at the page, but for what those who cannot hear read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axeFindings, launch, measure, openPage, PATIENCE_MS } from './lib.mjs';
import { startDistrict, text } from './people.mjs';

const KEYS = { previous: 'F18', next: 'F19', select: 'F20', back: 'F21', pause: 'F22', help: 'F17', in: 'F15', out: 'F16' };
const STEPS_MOST = 60; // to walk once round any screen
const t = (key, params) => text('zh-CN', key, params);

let browser, district;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

class Listener {
	static async arrive(url) {
		const listener = new Listener();
		Object.assign(listener, await openPage(browser, 'kiosk32', url), { heard: [], at: 0 });
		listener.page.on('request', (request) => {
			if (request.url().endsWith('/api/v1/speech')) listener.heard.push({ ...JSON.parse(request.postData()), time_ms: Date.now() });
		});
		await listener.page.locator('.tile').first().waitFor();
		return listener;
	}

	/** As a hand that waits half a second. Playwright knows no F13 to F24: the page gets what such a key gives. */
	async press(name) {
		this.at = this.heard.length;
		await this.page.evaluate((code) => {
			window.letTimePass(1100);
			const init = { code, key: code, bubbles: true, cancelable: true };
			(document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', init));
		}, KEYS[name]);
	}

	async digits(digits) {
		for (const digit of digits) {
			await this.page.evaluate(() => window.letTimePass(1100));
			await this.page.keyboard.press(digit);
		}
	}

	/** Since the last key, until it has this. */
	async hears(words, { patience_ms = PATIENCE_MS } = {}) {
		const end_ms = Date.now() + patience_ms;
		for (;;) {
			const said = this.said();
			if (said.includes(words)) return said;
			assert.ok(Date.now() < end_ms, `never heard "${words}", but: ${said}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	said(from = this.at) {
		return this.heard.slice(from).map(({ text }) => text).join('');
	}

	/** The first thing that is said after a key. */
	async first() {
		const end_ms = Date.now() + PATIENCE_MS;
		while (this.heard.length === this.at) {
			assert.ok(Date.now() < end_ms, 'nothing was said');
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
		return this.heard[this.at].text;
	}

	/** Walks until something begins so. */
	async walkTo(words, step = 'next') {
		const met = [];
		for (let i = 0; i < STEPS_MOST; i++) {
			await this.press(step);
			met.push(await this.first());
			if (met[met.length - 1].startsWith(words)) return met[met.length - 1];
		}
		assert.fail(`no "${words}" on this screen, but: ${met.join(' | ')}`);
	}

	async choose(words) {
		await this.walkTo(words);
		await this.press('select');
	}
}

const codeIn = (words) => /(\d ?){12}/.exec(words)?.[0].replace(/ /g, '');

test('the whole way, heard and by keys', async () => {
	const me = await Listener.arrive(district.terminals[0].url);
	assert.equal(me.heard.length, 0, 'nothing is said before somebody asks for it');
	await me.press('in');
	await me.hears(t('kiosk.speech.welcome').slice(0, 6));
	await me.choose(t('kiosk.module.advice'));
	await me.hears(t('kiosk.module.advice'));
	const { services } = await me.page.evaluate(() => fetch('/api/v1/catalogue').then((r) => r.json()));
	const service = services.find(({ id }) => id === 'rate-case');
	await me.choose(service.name.zh);
	await me.hears(service.name.zh);
	await me.choose(t('kiosk.service.start'));
	await me.hears(t('kiosk.privacy.title').slice(0, 4));
	await me.choose(t('kiosk.consent.agree'));
	const answers = {
		rating: service.fields.find(({ id }) => id === 'rating').choices[0].name.zh,
		by: service.fields.find(({ id }) => id === 'by').choices[0].name.zh,
		phone: '00059540000',
	};
	for (const field of service.fields) {
		await me.hears(field.label.zh.slice(0, 5));
		if (field.id === 'phone') {
			me.at = me.heard.length;
			await me.digits(answers.phone);
			await me.hears('4');
			await me.press('previous');
			await me.press('next');
			await me.hears('0 0 0 5 9 5 4 0 0 0 0');
			await me.choose(t('kiosk.form.next'));
		} else if (answers[field.id]) {
			await me.choose(answers[field.id]);
			await me.hears(t('kiosk.speech.chosen'));
			await me.choose(t('kiosk.form.next'));
		} else await me.choose(t('kiosk.form.skip'));
	}
	await me.hears(t('kiosk.check.title').slice(0, 4));
	await me.choose(t('kiosk.check.submit'));
	await me.hears(t('kiosk.receipt.title').slice(0, 4));
	const code = codeIn(await me.walkTo(t('kiosk.receipt.code', { code: '' }).slice(0, 4)));
	assert.match(code, /^\d{12}$/);
	await me.choose(t('kiosk.receipt.done'));
	await me.hears(t('kiosk.start.title').slice(0, 4));

	const question = '您说的是哪一天？';
	await district.tell({ do: 'ask', node: district.hub.name ?? 'hub', text: question });
	await me.choose(t('kiosk.start.lookup'));
	await me.hears(t('kiosk.lookup.title').slice(0, 4));
	await me.digits(code);
	await me.choose(t('kiosk.lookup.find'));
	await me.hears(t('kiosk.records.title').slice(0, 4));
	for (let tries = 0; ; tries++) {
		const met = await me.walkTo(t('kiosk.records.refresh')).then(() => me.said(0));
		if (met.includes(question)) break;
		assert.ok(tries < 20, 'the question has not come');
		await me.press('select');
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
	await me.choose(t('kiosk.records.answer'));
	await me.hears(question);
	await me.digits('1122');
	await me.choose(t('kiosk.asked.send'));
	await me.hears(t('kiosk.records.title').slice(0, 4));
	assert.deepEqual(me.faults.filter((fault) => !/Failed to load resource|net::ERR_/.test(fault)), []);
	for (const { text, is_personal } of me.heard)
		if (text.replace(/ /g, '').includes(code)) assert.ok(is_personal, `kept although it is personal: ${text}`);
	await me.close();
});

test('without a headset nobody beside hears what is personal', async () => {
	const me = await Listener.arrive(district.terminals[1].url);
	await me.press('next');
	await me.hears(t('kiosk.speech.welcome').slice(0, 6));
	await me.choose(t('kiosk.start.lookup'));
	me.at = me.heard.length;
	await me.digits('4711');
	await me.hears(t('kiosk.speech.typed-unheard', { count: 4 }));
	await me.press('previous');
	await me.press('next');
	await me.hears(t('kiosk.speech.withheld').slice(0, 8));
	assert.ok(!me.said(0).replace(/ /g, '').includes('4711'), me.said(0));
	await me.press('help');
	await me.hears(t('kiosk.speech.help'));
	await me.choose(t('kiosk.speech.personal'));
	await me.press('back');
	await me.hears(t('kiosk.speech.personal'), { patience_ms: 1 }).catch(() => {});
	await me.walkTo(t('kiosk.lookup.title').slice(0, 4), 'previous');
	me.at = me.heard.length;
	await me.digits('9');
	await me.hears('9');
	await me.close();
});

test('speech begins soon, ends with the next key, and stands in the caption', async () => {
	const me = await Listener.arrive(district.terminals[1].url);
	await me.press('next');
	const caption = me.page.locator('.caption');
	await caption.filter({ hasText: t('kiosk.speech.welcome').slice(0, 6) }).waitFor();
	const times = await me.page.evaluate(async ([code, patience_ms]) => {
		const box = document.querySelector('.caption');
		const { prototype } = AudioBufferSourceNode;
		const { start, stop } = prototype;
		let newest = null; // what is heard, whatever the page says of it
		prototype.start = function (...when) {
			newest = this;
			start.apply(this, when);
		};
		prototype.stop = function (...when) {
			this.isStopped = true;
			stop.apply(this, when);
		};
		const until = async (is) => {
			const begin_ms = Date.now();
			while (!is())
				if (Date.now() - begin_ms > patience_ms) throw new Error(`never: ${is}`);
				else await new Promise((resolve) => setTimeout(resolve, 5));
			return Date.now() - begin_ms;
		};
		document.body.dispatchEvent(new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true }));
		await until(() => newest);
		const waits = [];
		for (let i = 0; i < 9; i++) {
			const before = box.textContent;
			const sound = newest;
			document.body.dispatchEvent(new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true }));
			const end_ms = await until(() => sound.isStopped && box.textContent !== before);
			const rest_ms = await until(() => newest !== sound && box.textContent !== '' && box.matches(':popover-open'));
			waits.push({ end_ms, begin_ms: end_ms + rest_ms });
		}
		return waits;
	}, [KEYS.next, PATIENCE_MS]);
	const middle = (list) => list.sort((a, b) => a - b)[list.length >> 1];
	const [begin_ms, end_ms] = [middle(times.map((one) => one.begin_ms)), middle(times.map((one) => one.end_ms))];
	console.log(`# speech ended ${end_ms} ms after a key, and began after ${begin_ms} ms: ${JSON.stringify(times)}`);
	assert.ok(end_ms <= 100, `it goes on for ${end_ms} ms after a key`);
	assert.ok(begin_ms <= 500, `it begins ${begin_ms} ms after a key`);
	await me.press('help');
	await me.hears(t('kiosk.speech.help-text').slice(0, 6)); // the whole dialog, not its heading alone
	await me.page.locator('dialog[open]').waitFor();
	assert.deepEqual([...(await axeFindings(me.page)), ...(await measure(me.page, me.mm))], []);
	await me.close();
});

test('who acts for another hears it on each screen', async () => {
	const me = await Listener.arrive(district.terminals[0].url);
	await me.press('in');
	await me.choose(t('kiosk.start.acting'));
	await me.hears(t('kiosk.acting.receipt').slice(0, 6));
	await me.choose(t('kiosk.acting.begin'));
	assert.ok((await me.hears(t('kiosk.start.text').slice(0, 6))).startsWith(t('kiosk.acting.banner')));
	await me.choose(t('kiosk.module.advice'));
	assert.ok((await me.hears(t('kiosk.services.text').slice(0, 4))).startsWith(t('kiosk.acting.banner')));
	await me.walkTo(t('kiosk.acting.banner')); // and it is a stop like any other
	await me.press('back');
	await me.choose(t('kiosk.start.self'));
	assert.equal(await me.page.locator('.acting').count(), 0);
	await me.close();
});

test('a kiosk whose voice is gone works as before, and says so', async () => {
	const { page, close } = await openPage(browser, 'kiosk32', district.terminals[1].url);
	await page.route('**/api/v1/speech', (route) => route.fulfill({ status: 503, json: { error: { code: 'unreachable', text: 'gone' } } }));
	await page.locator('.tile').first().waitFor();
	await page.evaluate(() => window.letTimePass(1100));
	await page.getByRole('button', { name: t('kiosk.bar.speech') }).click();
	await page.getByText(t('kiosk.bar.speech-missing')).waitFor();
	await page.evaluate(() => window.letTimePass(1100));
	await page.getByRole('button', { name: t('kiosk.start.lookup') }).click();
	await page.getByRole('heading', { name: t('kiosk.lookup.title') }).waitFor();
	await close();
});
