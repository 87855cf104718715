// The kiosk as people use it who need it otherwise, what is left of them when they have gone, and hostile words.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, reachPx } from './lib.mjs';
import { Clerk, Resident, startDistrict } from './people.mjs';

const IS_FULL = process.env.LM_UI_FULL === 'yes';
const CANARY = '金丝雀李示例';
const CANARY_PHONE = '00077665544';
const RECEIPT_MS = 1000;

let browser, district, service;

before(async () => {
	[browser, district] = await Promise.all([launch(), startDistrict()]);
});

after(async () => {
	await browser?.close();
	await district?.end();
});

const arrive = (options) => Resident.arrive(browser, district.terminals[0].url, options);

/** Answers that fit any service: the canary where words are asked, else the first choice. */
function answersOf({ fields }) {
	const of = (field) => {
		switch (field.type) {
			case 'FIELD_TYPE_PERSON':
				return CANARY;
			case 'FIELD_TYPE_PHONE':
				return CANARY_PHONE;
			case 'FIELD_TYPE_CHOICE':
			case 'FIELD_TYPE_SEVERAL':
				return field.choices[0].id;
			case 'FIELD_TYPE_YES_NO':
				return 'no';
			case 'FIELD_TYPE_PLACE':
				return 'here';
			case 'FIELD_TYPE_DATE':
				return '2026-12-01';
			case 'FIELD_TYPE_NUMBER':
				return String(Math.max(1, Number(field.least)));
			default:
				return field.is_required ? `${CANARY}要问一件事` : null;
		}
	};
	return Object.fromEntries(fields.map((field) => [field.id, of(field)]));
}

async function readService(resident, id) {
	const { services } = await resident.page.evaluate(() => fetch('/api/v1/catalogue').then((r) => r.json()));
	return services.find((one) => one.id === id);
}

/** Everything that the page's memory holds as text, the names of elements that have left the page among it. */
async function heapOf(page) {
	const session = await page.context().newCDPSession(page);
	const chunks = [];
	session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
	await session.send('HeapProfiler.collectGarbage');
	await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
	await session.detach();
	return JSON.parse(chunks.join('')).strings;
}

async function leftBehind(page) {
	const kept = await page.evaluate(async () => ({
		stored: localStorage.length + sessionStorage.length,
		bases: (await indexedDB.databases()).length,
		caches: (await caches.keys()).length,
		cookies: document.cookie,
		windowName: window.name,
		state: JSON.stringify(history.state),
		inputs: [...document.querySelectorAll('input, textarea')].map(({ value }) => value).join(''),
		display: { ...document.documentElement.dataset },
		lang: document.documentElement.lang,
	}));
	await page.locator('h1').click(); // the test's own driver keeps the element that it pressed last
	const heap = await heapOf(page);
	const strings = heap.filter((text) => [CANARY, CANARY_PHONE].some((canary) => text.includes(canary)));
	return { ...kept, strings, detached: heap.filter((text) => text.startsWith('Detached')) };
}

const NOTHING = {
	stored: 0,
	bases: 0,
	caches: 0,
	cookies: '',
	windowName: '',
	state: 'null',
	inputs: '',
	display: { look: 'kiosk', size: '2', theme: 'paper', reach: 'usual' },
	lang: 'zh-CN',
	strings: [],
	detached: [],
};

test('sitting, with few words and the largest letters: nothing has to be touched above 1,100 mm', async () => {
	for (const screen of IS_FULL ? ['kiosk32', 'kiosk21'] : ['kiosk32']) {
		const one = await arrive({ screen, size: 4, ways: ['low', 'easy'] });
		const choices = () => one.page.locator('.touched .tile').count();
		assert.ok((await choices()) <= 6, 'few choices');
		await one.look(`low-${screen}-1-start`);
		await one.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
		await one.look(`low-${screen}-1-start-scrolled`);
		const stands = await one.page.locator('.bar .button').evaluateAll((all) => Math.min(...all.map((e) => e.getBoundingClientRect().top)));
		assert.ok(stands >= reachPx(one.mm, 1100));
		await one.pressName(one.t('kiosk.services.more'));
		await one.look(`low-${screen}-2-more`);
		await one.pressName(one.t('kiosk.services.more'));
		service = await one.openService('legal-advice');
		await one.look(`low-${screen}-3-service`);
		assert.equal(await one.page.locator('h1').innerText(), service.easy_name.zh);
		assert.equal(await one.page.getByText(one.t('kiosk.service.steps')).filter({ visible: true }).count(), 0);
		await one.steady();
		await one.page.locator('summary').click();
		await one.seesText('kiosk.service.steps');
		await one.press('kiosk.service.start');
		await one.look(`low-${screen}-4-privacy`);
		await one.press('kiosk.consent.agree');
		await one.look(`low-${screen}-5-question`);
		await one.press('kiosk.form.unknown'); // a question that must be answered can be left to staff
		await one.look(`low-${screen}-6-staff`);
		await one.press('kiosk.close');
		one.assertNoFaults();
		await one.close();
	}
});

test('a script that gets into the page opens nothing, asks nothing of the browser and stores no file', async () => {
	const one = await arrive();
	let downloads = 0;
	one.page.on('download', () => downloads++);
	one.page.on('dialog', (dialog) => dialog.accept());
	await one.press('kiosk.bar.size'); // after a press a page may do more
	const did = await one.page.evaluate(() => {
		const link = document.createElement('a');
		Object.assign(link, { href: URL.createObjectURL(new Blob(['x'])), download: 'x.txt' });
		link.click();
		return [String(open('/')), String(open('about:blank')), confirm('x')];
	});
	assert.deepEqual(did, ['null', 'null', false]);
	await one.page.waitForTimeout(500);
	assert.deepEqual([downloads, one.page.context().pages().length], [0, 1]);
	await one.close();
});

test('nothing of a person is left at the end of use', async () => {
	const one = await arrive({ size: 3, theme: 2 });
	service = await readService(one, 'legal-advice');
	await one.fill('legal-advice', answersOf(service));
	const before = await leftBehind(one.page);
	assert.ok(before.strings.length > 0, 'the search finds what is there');
	await one.handIn();
	await one.press('kiosk.receipt.done');
	await one.seesText('kiosk.start.title');
	await one.page.waitForTimeout(RECEIPT_MS);
	assert.deepEqual(await leftBehind(one.page), NOTHING);
	await one.page.goBack().catch(() => null);
	assert.equal(await one.page.getByText(CANARY).count(), 0);
	one.assertNoFaults();
	await one.close();
});

/** Lets the clock by which the kiosk waits for somebody go on. */
const wait = (page, seconds) =>
	page.evaluate((ms) => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + ms;
	}, seconds * 1000);

test('who goes away without a word is asked, seen and heard, and then nothing is left', async () => {
	const one = await arrive({ size: 3, theme: 3, ways: ['easy'] });
	await one.page.evaluate(() => {
		window.notes = 0;
		const { start } = OscillatorNode.prototype;
		OscillatorNode.prototype.start = function (...when) {
			window.notes++;
			return start.apply(this, when);
		};
	});
	await one.fill('legal-advice', answersOf(service));
	const asked = await one.page.locator('.answer dt').allInnerTexts();
	assert.ok(service.fields.every(({ label, easy }) => asked.includes((easy ?? label).zh)), asked.join('\n'));
	// By its class: a search for words would itself keep the words of the page in memory.
	const warning = one.page.locator('dialog .countdown');
	await wait(one.page, 230);
	await one.page.waitForTimeout(1500);
	assert.equal(await one.page.locator('dialog').count(), 0);
	await wait(one.page, 12);
	await warning.waitFor();
	assert.equal(await one.page.evaluate(() => window.notes), 2, 'it is heard, too');
	await one.look('idle');
	await one.page.keyboard.press('Shift'); // any key
	await one.page.locator('dialog').waitFor({ state: 'detached' });
	assert.ok((await one.page.locator('.answer').count()) > 0, 'and everything is still there');
	await wait(one.page, 242);
	await warning.waitFor();
	await wait(one.page, 46);
	await one.page.locator('.tile').first().waitFor();
	await one.page.waitForTimeout(RECEIPT_MS);
	assert.deepEqual(await leftBehind(one.page), NOTHING);
	one.assertNoFaults();
	await one.close();
});

const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>\u202Egnitset\u202C {name} &amp; %s';

test('hostile words are words: of residents, of staff', async () => {
	const one = await arrive();
	const fields = answersOf(service);
	const long = service.fields.find(({ type }) => type === 'FIELD_TYPE_LONG_TEXT' || type === 'FIELD_TYPE_TEXT');
	fields[long.id] = HOSTILE;
	await one.fill('legal-advice', fields);
	const shown = await one.page.locator('.answer dd').allInnerTexts();
	assert.ok(shown.some((text) => text.includes('<img src=x onerror="window.hit=1"><script>')), shown.join('\n'));
	const made = await one.handIn();
	await one.waitForMarks(3);
	await one.press('kiosk.receipt.done');

	const clerk = await Clerk.arrive(browser, district.town.url);
	await clerk.logIn(district.town);
	await clerk.openCase(made.request_id);
	await clerk.sees('<img src=x onerror="window.hit=1">');
	await clerk.page.keyboard.press('a');
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ACCEPTED'));
	await clerk.decide('q', { text: HOSTILE });
	await clerk.confirm();
	await clerk.state(clerk.t('desk.state.CASE_STATE_ASKED'));
	await one.lookUp(made.code);
	await one.waitForNews('<img src=x onerror="window.hit=1">');
	for (const { page } of [one, clerk]) {
		assert.equal(await page.evaluate(() => window.hit), undefined);
		assert.equal(await page.locator('img[src=x], main script').count(), 0);
	}
	const isolated = await one.page.locator('.said', { hasText: '<img' }).first().evaluate((e) => getComputedStyle(e).unicodeBidi);
	assert.match(isolated, /isolate|plaintext/, 'its direction ends where it ends');
	one.assertNoFaults();
	clerk.assertNoFaults();
	await Promise.all([one.close(), clerk.close()]);
});

/** A film of moving colours, made by this browser: of nobody, and kept nowhere. */
async function filmOf(page) {
	const text = await page.evaluate(async () => {
		const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
		const paint = canvas.getContext('2d');
		const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm;codecs=vp8' });
		const parts = [];
		recorder.ondataavailable = ({ data }) => parts.push(data);
		const ended = new Promise((resolve) => (recorder.onstop = resolve));
		recorder.start();
		for (let i = 0; i < 40; i++) {
			paint.fillStyle = `hsl(${i * 9} 80% 50%)`;
			paint.fillRect(0, 0, 64, 48);
			await new Promise((resolve) => setTimeout(resolve, 40));
		}
		recorder.stop();
		await ended;
		const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
		return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
	});
	return Buffer.from(text, 'base64');
}

test('a screen that has a clip in sign language shows it, above its words; one that has none says so', async () => {
	const pack = mkdtempSync(join(tmpdir(), 'signs-'));
	try {
		const maker = await browser.newPage();
		writeFileSync(join(pack, 'moving.webm'), await filmOf(maker));
		await maker.close();
		writeFileSync(join(pack, 'broken.webm'), Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.alloc(4000, 7)]));
		const clip = (of, file) => ({ of, file, source: '自动测试', date: '2026-11-22', licence: '不公开', language: '没有手语，只有颜色' });
		writeFileSync(join(pack, 'index.json'), JSON.stringify({ clips: [clip('kiosk.start.title', 'moving.webm'), clip('legal-advice', 'broken.webm')] }));
		await district.tell({ do: 'configure', node: district.terminals[0].name, settings: { signs: pack } });
		const one = await arrive();
		await one.press('kiosk.bar.sign');
		const film = one.page.locator('dialog video');
		await film.waitFor();
		const is = (what) => one.page.waitForFunction(what);
		await is(() => document.querySelector('video').currentTime > 0);
		await one.sees(one.t('kiosk.start.text'));
		const { height } = one.page.viewportSize();
		const box = await film.boundingBox();
		assert.ok(box.y + box.height <= height / 2 && box.height > height / 4, `in the upper half: ${box.y} + ${box.height} of ${height}`);
		assert.equal(await one.page.getByText(one.t('kiosk.sign.none')).count(), 0);
		await is(() => document.querySelector('video').ended || document.querySelector('video').currentTime > 1);
		await one.press('kiosk.sign.again');
		await is(() => !document.querySelector('video').paused && document.querySelector('video').currentTime < 1);
		await one.press('kiosk.sign.pause');
		await is(() => document.querySelector('video').paused);
		await one.look('sign-1-clip');
		await one.press('kiosk.sign.slower');
		await is(() => document.querySelector('video').playbackRate === 0.5);
		await one.press('kiosk.sign.go-on');
		await is(() => !document.querySelector('video').paused);
		await one.press('kiosk.modes.done');
		await one.openService('legal-advice');
		await one.press('kiosk.bar.sign'); // its file is no film, past its first bytes
		await film.waitFor({ state: 'detached' });
		await one.seesText('kiosk.sign.none');
		await one.press('kiosk.modes.done');
		await one.press('kiosk.service.start');
		await one.press('kiosk.bar.sign');
		await one.seesText('kiosk.sign.none');
		one.assertNoFaults();
		await one.close();
	} finally {
		rmSync(pack, { recursive: true });
	}
});
