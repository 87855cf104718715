// Every part in every state (common/ui/parts-page): in each colour and size on both kiosk screens and at the desk, by
// axe-core, by the ruler, by keyboard and by ear. One browser and one page: what changes is two attributes and the window.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { axeFindings, COLOUR_GOALS, contrasts, KIOSK_GOALS, launch, measure, motion, SCREENS, shoot } from './lib.mjs';

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
