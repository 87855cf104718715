// The pictures of the guide, in Chinese and in English, and those of the kiosk in the README: `node pictures.mjs DEMO-FOLDER [STEP]...`, called by docs/guide/make. A step that does not find what it
// looks for fails, so pictures and pages cannot part unnoticed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from '../../tests/ui/lib.mjs';
import { Clerk, Resident } from '../../tests/ui/people.mjs';

const [folder, ...wanted] = process.argv.slice(2);
const pictures = fileURLToPath(new URL('pictures/', import.meta.url));
const EDITIONS = [
	{ folder: pictures, question: '请补一张身份证照片。' },
	{ folder: `${pictures}en/`, question: 'Please send a picture of the identity card.', isEnglish: true },
];
let edition;
const { passwords } = JSON.parse(readFileSync(`${folder}/district.json`, 'utf8'));
const addressOf = (node) => /^http_address *[=:] *"?([\d.:]+)/m.exec(readFileSync(`${folder}/${node}/daemon.conf`, 'utf8'))[1];
const TOWN = `http://${addressOf('town-310114106')}`;
const KIOSK = `http://${addressOf('terminal-310114106001-T1')}`;
const README_BYTES_MOST = 150_000; // of a picture that everybody who reads the README loads

const steps = {
	async login(clerk) {
		await clerk.page.goto(TOWN);
		if (edition.isEnglish) await clerk.switchLanguage();
		await clerk.page.locator('#login-name').fill('clerk1');
	},
	async queue(clerk) {
		await clerk.logIn({ user: 'clerk1', password: passwords.clerk1 });
		await clerk.page.locator('.desk-row-link').first().waitFor();
	},
	async case(clerk) {
		await clerk.page.locator('.desk-row-link').last().click();
		await clerk.page.locator('.desk-doing').waitFor();
	},
	async ask(clerk) {
		await clerk.page.keyboard.press('q');
		await clerk.page.locator('#decide-text').fill(edition.question);
	},
	async ['ask-review'](clerk) {
		await clerk.press('desk.review');
		await clerk.page.locator('#decide-reads').waitFor();
	},
	async intake(clerk) {
		await clerk.page.keyboard.press('Escape');
		await clerk.visit('new');
		await clerk.page.getByRole('heading', { level: 1 }).first().waitFor();
	},
	async people(clerk) {
		await clerk.visit('people');
		await clerk.page.locator('#people-query').fill('王');
		await clerk.page.keyboard.press('Enter');
		await clerk.page.locator('a', { hasText: /^王/ }).first().waitFor();
	},
	async work(clerk) {
		await clerk.visit('work');
		await clerk.seesText('desk.nav.work');
	},
	async contacts(clerk) {
		await clerk.visit('contacts');
		await clerk.page.getByRole('heading', { level: 1 }).first().waitFor();
	},
	async certificates(clerk) {
		await clerk.visit('certificates');
		await clerk.page.getByRole('heading', { level: 1 }).first().waitFor();
	},
	async verification(clerk) {
		await clerk.visit('verification');
		await clerk.page.getByRole('heading', { level: 1 }).first().waitFor();
	},
	async links(clerk) {
		await clerk.visit('links');
		await clerk.page.getByRole('heading', { level: 1 }).first().waitFor();
	},
};

/** Pictures of the README, by name: what is on the kiosk's screen. */
const kiosks = {
	async start() {
		return Resident.arrive(browser, KIOSK);
	},
	async typing() {
		const one = await Resident.arrive(browser, KIOSK);
		const service = await one.openService('device-fitting');
		await one.press('kiosk.service.start');
		await one.press('kiosk.consent.agree');
		await one.sayNoChild(service);
		await one.page.locator('#answer').click();
		for (const letter of 'wangkun') {
			await one.steady();
			await one.page.locator('.keyboard').getByRole('button', { name: letter, exact: true }).click();
		}
		await one.page.locator('.keyboard button', { hasText: '王堃' }).waitFor();
		return one;
	},
	async receipt() {
		const one = await Resident.arrive(browser, KIOSK);
		await one.fill('legal-advice', {
			name: '张示例',
			phone: '000 5954 0000',
			topic: 'work',
			notice: 'no',
			way: 'phone',
			day: '2026-12-01',
			matter: '家门口的坡道被占用，想问怎么办。',
		});
		await one.handIn();
		return one;
	},
	async largest() {
		return Resident.arrive(browser, KIOSK, { size: 4, theme: 2, language: 'en' });
	},
};

async function picturesOfKiosk() {
	for (const [name, step] of Object.entries(kiosks)) {
		const file = `kiosk-${name}`;
		if (wanted.length > 0 && !wanted.some((word) => file.startsWith(word))) continue;
		const { page, close } = await step();
		await page.waitForTimeout(300);
		await page.evaluate(() => scrollTo(0, 0));
		const browserOf = await page.context().newCDPSession(page);
		const clip = { x: 0, y: 0, ...page.viewportSize(), scale: 0.5 };
		const { data } = await browserOf.send('Page.captureScreenshot', { format: 'webp', quality: 85, clip });
		await close();
		const picture = Buffer.from(data, 'base64');
		if (picture.length > README_BYTES_MOST) throw new Error(`${file} has ${picture.length} bytes, more than ${README_BYTES_MOST}`);
		writeFileSync(`${pictures}${file}.webp`, picture);
		console.log('README', file);
	}
}

const browser = await launch();
try {
	await picturesOfKiosk();
	for (edition of wanted.every((word) => word.startsWith('kiosk')) && wanted.length > 0 ? [] : EDITIONS) {
		mkdirSync(edition.folder, { recursive: true });
		const clerk = await Clerk.arrive(browser, TOWN);
		for (const [name, step] of Object.entries(steps)) {
			await step(clerk);
			await clerk.page.waitForTimeout(300); // fades
			const isWanted = wanted.length === 0 || wanted.some((word) => name.startsWith(word));
			if (isWanted) await clerk.page.screenshot({ path: `${edition.folder}${name}.png` });
			console.log(edition.isEnglish ? 'en' : 'zh-CN', name);
		}
	}
} finally {
	await browser.close();
}
