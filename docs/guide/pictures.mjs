// The pictures of the guide, in Chinese and in English: `node pictures.mjs DEMO-FOLDER [STEP]...`, called by docs/guide/make. A step that does not find what it
// looks for fails, so pictures and pages cannot part unnoticed.
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from '../../tests/ui/lib.mjs';
import { Clerk } from '../../tests/ui/people.mjs';

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

const browser = await launch();
try {
	for (edition of EDITIONS) {
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
