// The pictures of the guide: `node pictures.mjs DEMO-FOLDER [STEP]...`, called by docs/guide/make. A step that does not find what it
// looks for fails, so pictures and pages cannot part unnoticed.
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from '../../tests/ui/lib.mjs';
import { Clerk } from '../../tests/ui/people.mjs';

const [folder, ...wanted] = process.argv.slice(2);
const pictures = fileURLToPath(new URL('pictures/', import.meta.url));
const { passwords } = JSON.parse(readFileSync(`${folder}/district.json`, 'utf8'));
const addressOf = (node) => /^http_address *[=:] *"?([\d.:]+)/m.exec(readFileSync(`${folder}/${node}/daemon.conf`, 'utf8'))[1];
const TOWN = `http://${addressOf('town-310114106')}`;

const steps = {
	async login(clerk) {
		await clerk.page.goto(TOWN);
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
		await clerk.page.locator('#decide-text').fill('请补一张身份证照片。');
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
mkdirSync(pictures, { recursive: true });
try {
	const clerk = await Clerk.arrive(browser, TOWN);
	for (const [name, step] of Object.entries(steps)) {
		await step(clerk);
		await clerk.page.waitForTimeout(300); // fades
		if (wanted.length === 0 || wanted.some((word) => name.startsWith(word))) await clerk.page.screenshot({ path: `${pictures}${name}.png` });
		console.log(name);
	}
} finally {
	await browser.close();
}
