// What people do: residents at a terminal, staff at a desk, and whoever pulls plugs. All of it on the real pages of real
// daemons (tests/ui/district).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { axeFindings, COLOUR_GOALS, contrasts, KIOSK_GOALS, measure, openPage, PATIENCE_MS, reachPx, SCREENS, shoot, staffFindings } from './lib.mjs';

const TREMOR_MS = 520; // the kiosk ignores presses within half a second
const THEMES = ['paper', 'white', 'black', 'low-glare'];
const DESK_GOALS = { ...KIOSK_GOALS, target_mm: 0, target_px: 40, gap_mm: 0, cap_mm: 0 };
const USUAL_REACH_MM = 1220;
const LOW_REACH_MM = 1100;
const SEEN = ['color-contrast', 'color-contrast-enhanced', 'target-size']; // the rules that colour and size can break
// Each colour in each size on each screen; neighbours differ in all of them, so a few in a row meet every pair soon.
const WAYS = Array.from({ length: 32 }, (_, at) => ({
	theme: THEMES[at % 4],
	size: String(((at + (at >> 2)) % 4) + 1),
	screen: (at + (at >> 4)) % 2 ? 'kiosk21' : 'kiosk32',
	reach: at % 3 === 2 ? 'low' : 'usual',
}));
const places = new Map(); // of "find a person", by screen, size and language
let looks = 0;
const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const texts = Object.fromEntries(
	['zh-CN', 'en'].map((name) => [name, JSON.parse(readFileSync(file(`../../common/ui/texts/${name}.json`), 'utf8'))]),
);

/** A text of the pages. */
export function text(language, key, params = {}) {
	assert.ok(key in texts[language], `there is no text ${key}`);
	return texts[language][key].replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
}

const own = (key) => ({ zh: text('zh-CN', key), en: text('en', key) });

/** Starts the district; `tell` hands it a command and waits for the answer. */
export async function startDistrict(...options) {
	const pages = process.env.LM_PAGES ? ['--pages', process.env.LM_PAGES] : [];
	const child = spawn(file('district'), [...pages, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
	const waiting = [];
	const ended = new Promise((resolve) => child.once('exit', resolve));
	const hear = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
	createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
	void ended.then((code) => {
		for (const { reject } of waiting.splice(0)) reject(new Error(`the district ended with code ${code}`));
	});
	const district = await hear();
	district.tell = async (command) => {
		const answer = hear();
		child.stdin.write(`${JSON.stringify(command)}\n`);
		const { failed, ...rest } = await answer;
		assert.equal(failed, undefined);
		return rest;
	};
	district.end = async () => {
		child.stdin.end();
		assert.equal(await ended, 0, 'every daemon ends cleanly');
	};
	return district;
}

// What no reader should meet: names of the program, codes of places, a language that was not chosen.
function wordFindings(page, language) {
	return page.evaluate((language) => {
		const raw = /(CASE|OUTCOME|TIER|KIND|MODULE|FIELD_TYPE)_[A-Z]+|undefined|NaN|\[object|\{\w+\}|\d{9,12}-T\d/;
		const other = language === 'en' ? /\p{Script=Han}/u : /[A-Za-z]{3,}/;
		const free = 'code, kbd, dd, .desk-user, .desk-row-link, .desk-said, .said, h1, .desk-subject';
		const findings = [];
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const { data, parentElement: e } = walker.currentNode;
			const words = data.replace(/(clerk|supervisor|operator|editor|publisher)[12]|[0-9a-f]{4}(-[0-9a-f]{4})+|[0-9a-f]{16}(-\d+)?|tcp:\/\/[\d.:]+/g, ''); // accounts, fingerprints, histories, addresses
			if (!e.checkVisibility?.() || e.closest('code')) continue;
			const found = raw.exec(words)?.[0];
			if (found && !e.closest('.desk-block, .more')) findings.push(`raw word "${found}" in "${words.trim()}"`);
			const tongue = e.closest('[lang]').lang;
			if (tongue === language && other.test(words) && !e.closest(free)) findings.push(`not ${language}: "${words.trim()}"`);
		}
		return findings;
	}, language);
}

/** One page that somebody looks at. */
class Viewer {
	constructor({ page, faults, mm, close }, language) {
		Object.assign(this, { page, faults, mm, close, language });
	}

	t(key, params) {
		return text(this.language, key, params);
	}

	button(key, params) {
		const name = new RegExp(`^${this.t(key, params).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
		return this.page.locator('dialog[open], body:not(:has(dialog[open]))').getByRole('button', { name }).first();
	}

	async sees(words) {
		await this.page.getByText(words).filter({ visible: true }).first().waitFor({ timeout: PATIENCE_MS });
	}

	seesText(key, params) {
		return this.sees(this.t(key, params));
	}

	/** What people typed or were given: no address and no title tells it. */
	static secrets = new Set();

	async assertKeepsToItself() {
		const shown = `${decodeURIComponent(this.page.url())} ${await this.page.title()}`;
		const told = [...Viewer.secrets].filter((secret) => shown.includes(secret));
		assert.deepEqual(told, [], `the address or the title of the page: ${shown}`);
	}

	/** Looks at the page with every check there is, and keeps a picture if something is wrong or pictures are wanted. */
	async look(name) {
		await this.assertKeepsToItself();
		const goals = this.goals();
		const findings = [
			...(await axeFindings(this.page)),
			...(await measure(this.page, this.mm, goals)),
			...(await wordFindings(this.page, this.language)),
		];
		if (findings.length > 0 || process.env.LM_UI_SHOTS === 'yes') await shoot(this.page, name, true);
		assert.deepEqual(findings, [], name);
	}

	/** Errors of scripts and refusals by the CSP since the last time; a daemon out of reach is none. */
	assertNoFaults() {
		const real = this.faults.splice(0).filter((fault) => !/Failed to load resource|ApiError|net::ERR_|EventSource/.test(fault));
		assert.deepEqual(real, []);
	}
}

export class Resident extends Viewer {
	static async arrive(browser, url, { screen = 'kiosk32', language = 'zh-CN', size = 2, theme = 0, ways = [], isStopped = false } = {}) {
		const resident = new this(await openPage(browser, screen, url), 'zh-CN');
		resident.screen = screen;
		await resident.page.locator(isStopped ? 'h2' : '.tile').first().waitFor();
		await resident.choose({ size, theme, ways, language });
		return resident;
	}

	/** By the dialogs of the bottom row, as people do. */
	async choose({ size, theme = 0, language = 'zh-CN', ways = [] }) {
		if (size !== 2 || theme || ways.length > 0) {
			await this.press('kiosk.bar.size');
			if (size !== 2) await this.pressChoice(`kiosk.size.${size - 1}`);
			if (theme) await this.press('kiosk.modes.colour');
			if (theme) await this.pressChoice(`kiosk.theme.${THEMES[theme]}`);
			if (ways.length > 0) await this.press('kiosk.modes.way');
			for (const way of ways) await this.pressSwitch(`kiosk.modes.${way}`);
			this.isEasy = ways.includes('easy');
			await this.press('kiosk.modes.done');
		}
		if (language === 'en') {
			await this.pressName('English');
			this.language = 'en';
		}
	}

	async pressChoice(key) {
		await this.steady();
		await this.page.locator('dialog .choice', { hasText: new RegExp(`^${this.t(key)}$`) }).click();
	}

	async pressSwitch(key) {
		await this.steady();
		await this.page.getByRole('switch', { name: this.t(key) }).click();
	}

	/** `way`: the colours, size and screen that are looked at now. */
	goals({ reach = 'usual' } = {}, mm = this.mm) {
		if (!this.screen.startsWith('kiosk')) return { ...KIOSK_GOALS, target_mm: 0, cap_mm: 0 };
		return { ...KIOSK_GOALS, reach_px: reachPx(mm, USUAL_REACH_MM), touch_px: reach === 'low' ? reachPx(mm, LOW_REACH_MM) : null };
	}

	async findings(way, mm, rules) {
		const text = way.theme === 'paper' ? COLOUR_GOALS.text : 7;
		return [
			...(await axeFindings(this.page, rules)),
			...(await measure(this.page, mm, this.goals(way, mm))),
			...(await contrasts(this.page, { ...COLOUR_GOALS, text })),
			...(this.screen.startsWith('kiosk') ? await staffFindings(this.page, places, `${mm} ${way.size} ${this.language}`) : []),
		];
	}

	/**
	 * As the person sees it, and then as others would: with --full in each colour and size on both screens, else in the
	 * next one of them, so that all pages together have seen every pair.
	 */
	async look(name) {
		await this.assertKeepsToItself();
		const root = () => this.page.evaluate(() => ({ ...document.documentElement.dataset }));
		const own = await root();
		const found = [...(await this.findings(own, this.mm)), ...(await wordFindings(this.page, this.language))];
		if (found.length > 0 || process.env.LM_UI_SHOTS === 'yes') await shoot(this.page, name, true);
		assert.deepEqual(found, [], name);
		if (!this.screen.startsWith('kiosk')) return;
		const show = (way, mm) =>
			this.page.evaluate(
				([way, mm]) => {
					Object.assign(document.documentElement.dataset, way);
					document.documentElement.style.setProperty('--mm', `${mm}px`);
				},
				[way, mm],
			);
		const ways = process.env.LM_UI_FULL === 'yes' ? WAYS : [WAYS[looks++ % WAYS.length]];
		for (const { screen, ...way } of ways) {
			const { mm } = SCREENS[screen];
			await show(way, mm);
			const others = await this.findings(way, mm, SEEN);
			const whole = `${name}-${screen}-${way.theme}-${way.size}-${way.reach}`;
			if (others.length > 0 || process.env.LM_UI_SHOTS === 'yes') await shoot(this.page, whole, true);
			assert.deepEqual(others, [], whole);
		}
		await show(own, this.mm);
	}

	/** As a hand that waits half a second before it presses. The screen notes when it appeared just after it was painted. */
	steady() {
		return this.page.evaluate(async (ms) => {
			for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
			await new Promise((resolve) => setTimeout(resolve, 20));
			window.letTimePass(ms);
		}, TREMOR_MS);
	}

	async press(key, params) {
		await this.steady();
		await this.button(key, params).click();
	}

	async pressName(name) {
		await this.steady();
		await this.page.getByRole('button', { name }).first().click();
	}

	async openService(service) {
		const { services } = await this.page.evaluate(() => fetch('/api/v1/catalogue').then((r) => r.json()));
		const found = services.find(({ id }) => id === service);
		const words = (w) => (this.language === 'en' ? w.en : w.zh);
		const module = `kiosk.module.${found.module.slice('MODULE_'.length).toLowerCase()}`;
		if ((await this.button(module).count()) === 0) await this.press('kiosk.services.more'); // where few are shown at a time
		await this.press(module);
		const name = new RegExp(`^${words((this.isEasy && found.easy_name) || found.name)}`);
		const own = this.page.getByRole('button', { name });
		while ((await own.count()) === 0) await this.press('kiosk.services.more');
		await this.pressName(name);
		return found;
	}

	/** Answers the question on the screen; null skips it. */
	async answer(field, value) {
		const { page } = this;
		if (['PERSON', 'PHONE', 'CERTIFICATE', 'ID_NUMBER', 'ADDRESS', 'TEXT', 'LONG_TEXT'].includes(field.type.slice(11)) && value)
			Viewer.secrets.add(value).add(value[0] + '**').add(value[0] + '*'); // a masked name is one, too
		const words = (w) => (this.language === 'en' ? w.en : w.zh);
		const choose = async (name) => {
			await this.steady();
			await page.locator('label.choice', { hasText: name }).first().click();
		};
		await page.getByRole('heading', { level: 1, name: words((this.isEasy && field.easy) || field.label) }).waitFor();
		if (value === null) return this.press(field.type === 'FIELD_TYPE_YES_NO' || field.type === 'FIELD_TYPE_FILE' ? 'kiosk.form.next' : 'kiosk.form.skip');
		switch (field.type) {
			case 'FIELD_TYPE_CHOICE':
			case 'FIELD_TYPE_SEVERAL':
				for (const id of [value].flat()) await choose(words(field.choices.find((choice) => choice.id === id).name));
				break;
			case 'FIELD_TYPE_YES_NO':
				await choose(new RegExp(`^${this.t(`common.${value}`)}$`));
				break;
			case 'FIELD_TYPE_PLACE':
				await this.steady();
				await page.locator('label.choice').first().click();
				break;
			case 'FIELD_TYPE_DATE':
				for (const [i, part] of value.split('-').entries()) await page.locator('.date-part input').nth(i).fill(part);
				break;
			default:
				await page.locator('#answer').fill(value);
		}
		return this.press('kiosk.form.next');
	}

	/** "Is it for a child?" */
	async sayNoChild(service) {
		if (!service.may_concern_children) return;
		await this.seesText('common.child.question');
		await this.steady();
		await this.page.locator('label.choice', { hasText: new RegExp(`^${this.t('common.no')}$`) }).click();
		await this.press('kiosk.form.next');
	}

	/** The consent that stands before the first question about health, if this field is it. */
	async agreeBefore(service, field) {
		const isHealth = (f) => f.is_health || f.type === 'FIELD_TYPE_CERTIFICATE';
		if (service.fields.find(isHealth) !== field) return;
		await this.seesText('common.consent.health');
		await this.press('kiosk.consent.agree');
	}

	async agreeToSharing(service) {
		for (const _ of service.sharing) {
			await this.seesText('common.consent.sharing');
			await this.press('kiosk.consent.agree');
		}
	}

	/** From the start screen on: says that somebody else's matter it is. */
	async actForAnother() {
		await this.press('kiosk.start.acting');
		await this.press('kiosk.acting.begin');
		this.isActing = true;
	}

	/** Who acts: "name", "relation", "phone", and the scope by its id. */
	async sayWhoActs({ scope, ...answers }) {
		for (const [part, type] of [['name', 'PERSON'], ['relation', 'TEXT'], ['phone', 'PHONE']])
			await this.answer({ type: `FIELD_TYPE_${type}`, label: own(`common.carer.${part}`) }, answers[part]);
		const choices = [{ id: scope, name: own(`common.carer.${scope}`) }];
		await this.answer({ type: 'FIELD_TYPE_CHOICE', label: own('common.carer.scope'), choices }, scope);
	}

	/** From the start screen to the check of all answers. `answers` by field id; what is missing is skipped. */
	async fill(service, answers, carer) {
		const found = await this.openService(service);
		await this.press('kiosk.service.start');
		await this.press('kiosk.consent.agree');
		await this.sayNoChild(found);
		if (this.isActing) await this.sayWhoActs(carer);
		for (const field of found.fields) {
			await this.agreeBefore(found, field);
			await this.answer(field, answers[field.id] ?? null);
		}
		await this.agreeToSharing(found);
		await this.seesText('kiosk.check.title');
	}

	/** Hands in what is on the check screen; the receipt. */
	async handIn() {
		const saved = this.page.waitForResponse(
			(response) => response.url().endsWith('/api/v1/requests') && response.status() === 200,
			{ timeout: PATIENCE_MS },
		);
		await this.press('kiosk.check.submit');
		const { request_id, code } = await (await saved).json();
		await this.seesText('kiosk.receipt.title');
		assert.equal((await this.page.locator('.code-digits').innerText()).replace(/\D/g, ''), code);
		Viewer.secrets.add(code);
		return { request_id, code };
	}

	marks() {
		return this.page.locator('.mark.done').count();
	}

	async waitForMarks(count) {
		await this.page.waitForFunction((n) => document.querySelectorAll('.mark.done').length === n, count, { timeout: PATIENCE_MS });
	}

	async lookUp(code) {
		await this.press('kiosk.start.lookup');
		await this.page.locator('#code').fill(code);
		await this.press('kiosk.lookup.find');
	}

	/** Presses "refresh" until the words are there: answers come by themselves, but not at once. */
	async waitForNews(words) {
		for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
			if (await this.page.getByText(words).filter({ visible: true }).count()) return;
			await this.press('kiosk.records.refresh');
			await this.page.waitForTimeout(300);
		}
		await this.sees(words);
	}
}

/** A resident who has no keyboard: letters and candidates are touched on the screen. */
export class Fingers extends Resident {
	keyboard() {
		return this.page.locator('.keyboard');
	}

	async key(name) {
		await this.steady();
		await this.keyboard().getByRole('button', { name, exact: true }).click();
	}

	async keys(letters) {
		for (const letter of letters) await this.key(letter);
	}

	word(name) {
		return this.key(this.t(`common.keyboard.${name}`));
	}

	/** The candidate, on whichever page it is. */
	async findCandidate(text) {
		const wanted = this.keyboard().getByRole('button', { name: new RegExp(`^\\d ${text}(，|$)`) });
		for (;;) {
			const letters = await this.page.locator('.keyboard-letters').innerText();
			await this.page.locator('.candidate').first().waitFor();
			if (await wanted.first().waitFor({ timeout: 1_000 }).then(() => true, () => false)) return wanted.first();
			assert.ok(await this.keyboard().getByRole('button', { name: /^→/ }).count(), `${text} is not among the candidates of ${letters}`);
			await this.steady();
			await this.keyboard().getByRole('button', { name: /^→/ }).click();
		}
	}

	async pick(text) {
		const candidate = await this.findCandidate(text);
		await this.steady();
		await candidate.click();
		const isTyped = (text) => [...document.querySelectorAll('.touched :is(input, textarea)')].some(({ value }) => value.endsWith(text));
		await this.page.waitForFunction(isTyped, text);
	}

	value() {
		return this.page.locator('#answer').inputValue();
	}
}

export class Clerk extends Viewer {
	static async arrive(browser, url, screen = 'desk') {
		const clerk = new this(await openPage(browser, screen, url), 'zh-CN');
		clerk.url = url;
		await clerk.seesText('desk.login.lead');
		return clerk;
	}

	goals() {
		return DESK_GOALS;
	}

	async press(key, params) {
		await this.button(key, params).click();
	}

	async logIn({ user, password }) {
		await this.page.locator('#login-name').fill(user);
		await this.page.locator('#login-password').fill(password);
		await this.page.keyboard.press('Enter');
	}

	async switchLanguage() {
		await this.page.getByRole('button', { name: { 'zh-CN': 'English', en: '中文' }[this.language] }).click();
		this.language = { 'zh-CN': 'en', en: 'zh-CN' }[this.language];
	}

	/** At 100 % and at 200 %, and without a dialog, behind which the switch lies, in both languages: each once, or all with --full. */
	async lookEverywhere(name, { hasDialog } = {}) {
		const whole = this.page.viewportSize();
		const own = this.language;
		const other = hasDialog ? own : { 'zh-CN': 'en', en: 'zh-CN' }[own];
		const ways = process.env.LM_UI_FULL === 'yes' && !hasDialog ? [[own, 1], [own, 2], [other, 1], [other, 2]] : [[own, 1], [other, 2]];
		for (const [language, share] of ways) {
			if (language !== this.language) await this.switchLanguage();
			await this.page.setViewportSize(whole);
			await this.assertFits(`${name}-${language}`);
			await this.page.setViewportSize({ width: Math.floor(whole.width / share), height: Math.floor(whole.height / share) });
			await this.look(`${name}-${language}-${share}00`);
		}
		await this.page.setViewportSize(whole);
		if (this.language !== own) await this.switchLanguage();
	}

	/** Nothing runs over the edge with larger letters than the reader's. */
	async assertFits(name) {
		const resize = (to) =>
			this.page.evaluate((to) => {
				const own = document.documentElement.dataset.size;
				document.documentElement.dataset.size = to;
				return own;
			}, to);
		const own = await resize('2');
		for (const size of ['2', '3', '4']) {
			await resize(size);
			const findings = await measure(this.page, this.mm, this.goals());
			if (findings.length > 0 || process.env.LM_UI_SHOTS === 'yes') await shoot(this.page, `${name}-letters-${size}`, true);
			assert.deepEqual(findings, [], `${name}, letters ${size}`);
		}
		await resize(own);
	}

	/** What has the focus, as it reads. */
	focused() {
		return this.page.evaluate(() => document.activeElement.innerText.trim());
	}

	/** With the Tab key alone, from where the focus is. */
	async tabTo(key, nth = 0) {
		const button = this.page.getByRole('button', { name: this.t(key) }).nth(nth);
		await button.waitFor();
		for (let i = 0; i < 100; i++) {
			if (await button.evaluate((e) => e === document.activeElement)) return;
			await this.page.keyboard.press('Tab');
		}
		assert.fail(`${this.t(key)} cannot be reached with Tab`);
	}

	/** Enter on a button that opens a dialog; reading begins at its title. */
	async enterDialog() {
		await this.page.keyboard.press('Enter');
		await this.page.waitForFunction(() => document.activeElement?.matches('dialog[open] h2'));
	}

	async visit(hash) {
		await this.page.goto(`${this.url}/#/${hash}`);
	}

	async openCase(requestId) {
		await this.visit(`case/${requestId}`);
		await this.page.locator('.desk-facts', { hasText: requestId }).waitFor();
	}

	/** Leaves the dialog open. */
	async chooseDisplay(size, theme) {
		await this.press('desk.display');
		for (const key of [size, theme]) await this.page.getByRole('radio', { name: this.t(key), exact: true }).check();
	}

	/** A decision by its key, with what is typed, up to the review. */
	async decide(key, typed = {}) {
		await this.page.locator('.desk-doing').waitFor();
		await this.page.keyboard.press(key);
		for (const [part, words] of Object.entries(typed)) await this.page.locator(`#decide-${part}`).fill(words);
		await this.press('desk.review');
		await this.page.locator('#decide-reads').waitFor();
	}

	async confirm() {
		await this.page.locator('dialog .desk-confirm').click();
		await this.page.locator('dialog').waitFor({ state: 'detached' });
	}

	state(words) {
		return this.page.locator('.desk-heading', { hasText: words }).waitFor({ timeout: PATIENCE_MS });
	}
}
