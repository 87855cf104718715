// Do the checks find anything at all? Each of them must on bad.html.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeFindings, contrasts, KIOSK_GOALS, launch, measure, motion, reachPx, SCREENS, staffFindings } from './lib.mjs';

test('the checks find what is wrong with a bad page', async () => {
	const browser = await launch();
	try {
		const page = await browser.newPage({ viewport: SCREENS.kiosk32 });
		await page.goto(new URL('bad.html', import.meta.url).href);
		const axe = await axeFindings(page);
		const ruler = await measure(page, SCREENS.kiosk32.mm, { ...KIOSK_GOALS, reach_px: reachPx(SCREENS.kiosk32.mm, 1220) });
		for (const rule of ['target-size', 'color-contrast', 'color-contrast-enhanced'])
			assert.ok(
				axe.some((line) => line.startsWith(rule)),
				rule,
			);
		for (const finding of ['target', 'key 35', 'gap', 'cap height', 'a line of 4', 'out of reach', 'scrolls sideways', 'beyond the edge', 'clipped', 'cut off'])
			assert.ok(
				ruler.some((line) => line.startsWith(finding)),
				finding,
			);
		const low = await measure(page, SCREENS.kiosk32.mm, { ...KIOSK_GOALS, target_mm: 0, target_px: 0, gap_mm: -9, cap_mm: 0, touch_px: 836 });
		assert.ok(low.some((line) => line.startsWith('can be touched at y')));
		assert.deepEqual(await staffFindings(page, new Map(), 'a'), []);
		assert.match((await staffFindings(page, new Map([['a', '900 1800 100 100']]), 'a'))[0], /^"find a person" is at .* elsewhere at 900 1800/);
		await page.locator('.find-staff').evaluate((e) => e.remove());
		assert.deepEqual(await staffFindings(page, new Map(), 'a'), ['nobody to find']);
		const colours = await contrasts(page);
		for (const finding of ['text', 'edge', 'icon without words'])
			assert.ok(
				colours.some((line) => line.startsWith(finding)),
				finding,
			);
		assert.ok((await motion(page, 200)).length > 0, 'moves');
	} finally {
		await browser.close();
	}
});
