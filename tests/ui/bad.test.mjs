// Do the checks find anything at all? Each of them must on bad.html.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeFindings, contrasts, KIOSK_GOALS, launch, measure, motion, SCREENS } from './lib.mjs';

test('the checks find what is wrong with a bad page', async () => {
	const browser = await launch();
	try {
		const page = await browser.newPage({ viewport: SCREENS.kiosk32 });
		await page.goto(new URL('bad.html', import.meta.url).href);
		const axe = await axeFindings(page);
		const ruler = await measure(page, SCREENS.kiosk32.mm, { ...KIOSK_GOALS, reach_px: 511 });
		for (const rule of ['target-size', 'color-contrast', 'color-contrast-enhanced'])
			assert.ok(
				axe.some((line) => line.startsWith(rule)),
				rule,
			);
		for (const finding of ['target', 'gap', 'cap height', 'out of reach', 'scrolls sideways', 'beyond the edge', 'clipped'])
			assert.ok(
				ruler.some((line) => line.startsWith(finding)),
				finding,
			);
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
