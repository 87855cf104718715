// Every part in every state (common/ui/parts-page): in each colour and size on both kiosk screens and at the desk, by
// axe-core, by the ruler, by keyboard and by ear. One browser and one page: what changes is two attributes and the window.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { axeFindings, COLOUR_GOALS, contrasts, KIOSK_GOALS, launch, measure, motion, PATIENCE_MS, SCREENS, shoot } from './lib.mjs';

const IS_FULL = process.env.LM_UI_FULL === 'yes';
const THEMES = ['paper', 'white', 'black', 'low-glare'];
const SIZES = [1, 2, 3, 4];
const DESK_GOALS = { ...KIOSK_GOALS, target_mm: 0, target_px: 40, gap_mm: 0, cap_mm: 0 };
const NARROW_GOALS = { ...KIOSK_GOALS, target_mm: 0, cap_mm: 0 };
const SEEN = ['color-contrast', 'color-contrast-enhanced', 'target-size']; // the rules that colour and size can break

let browser, page, folder, url;

before(async () => {
	folder = mkdtempSync(join(tmpdir(), 'lm-parts-'));
	const build = fileURLToPath(new URL('../../common/ui/build', import.meta.url));
	execFileSync(build, ['--parts', '--out', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
	url = pathToFileURL(join(folder, 'parts/index.html')).href;
	browser = await launch();
	const context = await browser.newContext({ reducedMotion: 'reduce' });
	page = await context.newPage();
	page.on('pageerror', (error) => assert.fail(error));
	await page.goto(url);
	await page.locator('h1').waitFor();
});

after(async () => {
	await browser?.close();
	rmSync(folder, { recursive: true, force: true });
});

async function show(screen, { look = 'kiosk', theme = 'paper', size = 2 } = {}) {
	const { width, height, mm } = SCREENS[screen];
	await page.setViewportSize({ width, height });
	await page.evaluate(
		({ look, theme, size, mm }) => {
			const root = document.documentElement;
			Object.assign(root.dataset, { look, theme, size });
			if (mm) root.style.setProperty('--mm', `${mm}px`);
			else root.style.removeProperty('--mm');
			scrollTo(0, 0);
		},
		{ look, theme, size, mm: look === 'kiosk' && screen !== 'narrow' ? mm : null },
	);
	return mm;
}

async function assertGood(name, findings) {
	if (findings.length > 0 || process.env.LM_UI_SHOTS === 'yes') await shoot(page, `parts-${name}`, true);
	assert.deepEqual(findings, [], name);
}

const coloursOf = (theme) => (theme === 'paper' ? COLOUR_GOALS : { ...COLOUR_GOALS, text: 7 });

// The ruler looks at every combination. axe-core takes 32 seconds for all of them: unless --full is asked for, it sees
// each colour and each size once a screen, and all its rules only where colour and size change nothing of them.
for (const [nth, screen] of ['kiosk32', 'kiosk21'].entries())
	test(`parts on ${screen}, in each colour and size`, async () => {
		for (const [at, theme] of THEMES.entries())
			for (const size of SIZES) {
				const mm = await show(screen, { theme, size });
				const isSeen = IS_FULL || size === SIZES[(at + 2 * nth) % SIZES.length];
				const findings = [
					...(await measure(page, mm, KIOSK_GOALS)),
					...(await contrasts(page, coloursOf(theme))),
					...(isSeen ? await axeFindings(page, IS_FULL || (at === 0 && nth === 0) ? undefined : SEEN) : []),
				];
				await assertGood(`${screen}-${theme}-${size}`, findings);
			}
	});

test('parts at the desk, in each colour and size, at 200 % and at 320 px', async () => {
	for (const [at, theme] of THEMES.entries()) {
		const size = SIZES[at];
		const mm = await show('desk', { look: 'desk', theme, size });
		const findings = [
			...(await measure(page, mm, DESK_GOALS)),
			...(await axeFindings(page, IS_FULL || at === 0 ? undefined : SEEN)),
			...(await contrasts(page, coloursOf(theme))),
		];
		await assertGood(`desk-${theme}-${size}`, findings);
	}
	for (const [look, screen, goals] of [
		['desk', 'doubled', DESK_GOALS],
		['desk', 'narrow', DESK_GOALS],
		['kiosk', 'doubled', NARROW_GOALS],
		['kiosk', 'narrow', NARROW_GOALS],
	])
		for (const size of [1, 4]) {
			const mm = await show(screen, { look, size });
			await assertGood(`${look}-${screen}-${size}`, [
				...(await measure(page, mm, goals)),
				...(IS_FULL ? await axeFindings(page) : []),
			]);
		}
});

const focused = () => page.evaluate(() => document.activeElement.className || document.activeElement.tagName.toLowerCase());

/** Waits until a reader is told `words`, politely ("status") or at once ("alert"), where it can hear them. */
const hears = (role, words) =>
	page.waitForFunction(
		([role, words]) => {
			const heard = document.querySelector('dialog[open]') ?? document; // behind a dialog everything is silent
			return [...heard.querySelectorAll(`[role=${role}]`)].some((e) => e.textContent.includes(words));
		},
		[role, words],
		{ timeout: PATIENCE_MS },
	);

test('a dialog keeps the focus, speaks, and gives the focus back to what opened it', async () => {
	await show('desk', { look: 'desk' });
	const { keyboard } = page;
	await page.locator('.opens').focus();
	await keyboard.press('Enter');
	await page.locator('dialog[open]').waitFor();
	assert.equal(await focused(), 'h2', 'reading begins at the title');
	assert.equal(await page.getByRole('dialog', { name: '不办了吗？' }).count(), 1);
	await assertGood('dialog', [...(await axeFindings(page)), ...(await contrasts(page))]);
	const stops = [];
	for (let i = 0; i < 5; i++) {
		await keyboard.press('Tab');
		stops.push(await page.evaluate(() => (document.activeElement.closest('dialog') ? document.activeElement.innerText.trim() : 'outside')));
	}
	assert.deepEqual(stops, ['接着办', '清除', '接着办', '清除', '接着办']);
	await keyboard.press('Shift+Tab');
	assert.match(await focused(), /announces/, 'also backwards');
	await keyboard.press('Enter');
	await hears('alert', '还没有保存');
	await keyboard.press('Escape');
	await page.locator('dialog').waitFor({ state: 'detached' });
	assert.match(await focused(), /opens/);
	await page.evaluate(() => {
		document.activeElement.blur();
		document.querySelector('.opens-alert').click();
	});
	await page.getByRole('alertdialog', { name: '不办了吗？', description: '填写的内容会清除' }).waitFor();
	await keyboard.press('Escape');
	await page.locator('dialog').waitFor({ state: 'detached' });
	assert.equal(await focused(), 'h1', 'nothing had the focus: reading goes on at the heading');
});

test('messages wait until they are closed, one after the other', async () => {
	const { keyboard } = page;
	const message = page.getByRole('region', { name: '消息', exact: true });
	await page.clock.install();
	await page.reload();
	await page.locator('h1').waitFor();
	await show('desk', { look: 'desk' });
	for (const kind of ['success', 'info', 'danger']) {
		await page.locator(`.toasts-${kind}`).focus();
		await keyboard.press('Enter');
		await hears(kind === 'danger' ? 'alert' : 'status', `消息：${kind}`);
	}
	await page.clock.fastForward('02:00:00');
	assert.match(await message.innerText(), /消息：success[^]*后面还有 2 条/, 'two hours later nothing is gone');
	await assertGood('toast', [...(await axeFindings(page)), ...(await contrasts(page)), ...(await measure(page, 3.78, DESK_GOALS))]);
	const before = await focused();
	await message.getByRole('button', { name: '知道了' }).focus();
	await keyboard.press('Enter');
	await hears('status', '消息：info');
	assert.match(await message.innerText(), /消息：info[^]*后面还有 1 条/);
	await keyboard.press('Escape');
	assert.match(await message.innerText(), /消息：danger/);
	await keyboard.press('Escape');
	await message.waitFor({ state: 'detached' });
	assert.equal(await focused(), before, 'the focus is where it was before the messages');
	for (let i = 0; i < 3; i++) await page.locator('.toasts-info').press('Enter');
	await message.getByRole('button', { name: '全部关闭' }).press('Enter');
	await message.waitFor({ state: 'detached' });
	for (const [screen, size] of [['kiosk32', 4], ['kiosk21', 4]]) {
		const mm = await show(screen, { size });
		await page.locator('.toasts-warning').press('Enter');
		await assertGood(`toast-${screen}`, await measure(page, mm, KIOSK_GOALS));
		await message.getByRole('button', { name: '知道了' }).press('Enter');
	}
});

test('what is busy or cannot be pressed says so and does nothing', async () => {
	const pressed = page.locator('.counts');
	const count = async () => Number((await pressed.innerText()).replace(/\D/g, ''));
	const was = await count();
	await pressed.press('Enter');
	assert.equal(await count(), was + 1);
	for (const name of ['.busy', '.off']) {
		await page.locator(name).press('Enter');
		assert.equal(await page.locator(name).getAttribute('aria-disabled'), 'true');
		assert.match(await focused(), new RegExp(name.slice(1)), 'it keeps the focus');
	}
	assert.equal(await count(), was + 1);
	await hears('alert', '先填写名称。');
	await page.getByRole('button', { name: '提交', description: '先填写名称。' }).waitFor();
	const ring = await pressed.evaluate((e) => {
		e.focus();
		const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(e);
		return `${outlineStyle} ${outlineWidth} ${boxShadow}`;
	});
	assert.match(ring, /^solid 6px rgb\(255, 210, 63\) 0px 0px 0px 14px$/, 'a ring and a halo');
});

test('a table can be sorted by its heads, numbers as numbers, and still has its own order first', async () => {
	const counts = () => page.locator('.sortable tbody td.number .cell').allInnerTexts();
	const head = page.locator('.sortable .sort').nth(1);
	await show('desk', { look: 'desk' });
	assert.deepEqual(await counts(), ['12', '100', '9']);
	await head.press('Enter');
	assert.deepEqual(await counts(), ['9', '12', '100']);
	assert.equal(await page.locator('th[aria-sort=ascending]').count(), 1);
	await head.press('Enter');
	assert.deepEqual(await counts(), ['100', '12', '9']);
	assert.equal(await page.locator('th[aria-sort=descending]').count(), 1);
});

test('nothing moves for who wants no motion, and nothing for long', async () => {
	await page.locator('.toasts-info').press('Enter');
	await page.locator('.opens').press('Enter');
	await page.locator('dialog[open]').waitFor();
	assert.deepEqual(await motion(page), []);
	await page.emulateMedia({ reducedMotion: 'no-preference' });
	assert.deepEqual(await motion(page, 200), []);
	assert.ok((await motion(page)).length > 0, 'otherwise some things fade');
	await page.emulateMedia({ reducedMotion: 'reduce' });
	await page.keyboard.press('Escape');
	await page.locator('.toasts').getByRole('button').first().press('Enter');
});
