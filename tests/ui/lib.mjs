// What the page tests share: a real browser, axe-core with the two rules that matter most turned on, and a ruler that
// measures in millimetres of the kiosk's screen.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const SCREENS = {
	kiosk32: { width: 1080, height: 1920, mm: 2.71 },
	kiosk21: { width: 1080, height: 1920, mm: 4.034 },
	narrow: { width: 320, height: 640, mm: 1.5 },
	doubled: { width: 540, height: 960, mm: 2.71 }, // the 32-inch kiosk at 200 %
	desk: { width: 1366, height: 768, mm: 3.78 },
	wall: { width: 1920, height: 1080, mm: 3.78 },
};

/** A browser that talks to nobody but the pages under test. */
export function launch(more = []) {
	return chromium.launch({
		executablePath: process.env.LM_CHROMIUM ?? '/usr/bin/chromium',
		headless: true,
		timeout: PATIENCE_MS,
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
			...more,
		],
	});
}

/** For what must happen at some time: a machine may be slow, and its disk. */
export const PATIENCE_MS = 90_000;

/** A page of one of SCREENS. `faults` collects errors of scripts, refusals by the CSP and requests to other hosts. */
export async function openPage(browser, screen, url) {
	const { width, height, mm } = SCREENS[screen];
	const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
	// The kiosk ignores presses that follow too quickly: letTimePass moves its clock on instead of waiting.
	await context.addInitScript(() => {
		const now = performance.now.bind(performance);
		let ahead_ms = 0;
		performance.now = () => now() + ahead_ms;
		window.letTimePass = (ms) => (ahead_ms += ms);
	});
	const page = await context.newPage();
	page.setDefaultTimeout(PATIENCE_MS);
	const faults = [];
	const host = new URL(url).host;
	page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
	page.on('console', (message) => {
		if (message.type() === 'error') faults.push(`console: ${message.text()}`);
	});
	page.on('request', (request) => {
		const to = new URL(request.url());
		if (to.protocol.startsWith('http') && to.host !== host) faults.push(`asked another host: ${to.host}`);
	});
	await page.goto(mm === SCREENS.kiosk21.mm ? `${url}?mm=${mm}` : url);
	return { page, faults, mm, close: () => context.close() };
}

/** Findings of axe-core, one line each; none is the goal. `only` some rules, where the others cannot have changed. */
export async function axeFindings(page, only) {
	if (!(await page.evaluate('typeof window.axe'))?.startsWith('object')) {
		await page.evaluate(readFileSync(axePath, 'utf8')); // not by a script element: the CSP forbids it
	}
	const { violations } = await page.evaluate(
		(only) =>
			window.axe.run(document, {
				...(only && { runOnly: only }),
				rules: { 'target-size': { enabled: true }, 'color-contrast-enhanced': { enabled: true } },
			}),
		only,
	);
	return violations.flatMap(({ id, nodes }) =>
		nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary?.split('\n')[1]?.trim()}`),
	);
}

export const KIOSK_GOALS = {
	target_mm: 20,
	target_px: 60,
	gap_mm: 2.54,
	key_mm: 14, // keys of a keyboard on the screen
	cap_mm: 7.6,
	line_han: 40, // the most that stand in a line
	reach_px: null, // nothing that is touched begins above this, before any scrolling
	touch_px: null, // nothing can be touched above this, wherever the page is scrolled to
};

const FLOOR_TO_SCREEN_MM = 700;

/** The pixel below which a hand reaches that reaches `reach_mm` above the floor. */
export function reachPx(mm, reach_mm, height = 1920) {
	return Math.max(0, Math.round(height - (reach_mm - FLOOR_TO_SCREEN_MM) * mm));
}

/**
 * Measures what can be seen of a page against `goals`: targets, gaps, cap heights, reach, and whether anything is
 * clipped or scrolls sideways. One line a finding.
 */
export async function measure(page, mm, goals = KIOSK_GOALS) {
	return page.evaluate(
		({ mm, goals }) => {
			const CAP_EM = 0.733; // of Noto Sans
			const SLACK_PX = 0.6; // layout rounds to pixels
			const findings = [];
			const nameOf = (e) =>
				`${e.tagName.toLowerCase()}.${e.className || ''} "${(e.innerText || e.value || '').slice(0, 20)}"`.replace(
					/\n/g,
					' ',
				);
			const top = document.querySelector('dialog[open]') ?? document.body;
			const isClipped = (e) => e.closest('thead') && getComputedStyle(e.closest('thead')).position === 'absolute';
			const isSeen = (e) => {
				const box = e.getBoundingClientRect();
				return (
					box.width > 1 && box.height > 1 && getComputedStyle(e).visibility === 'visible' && !e.closest('.unseen') && !isClipped(e)
				);
			};
			const all = (selector) => [...top.querySelectorAll(selector)].filter(isSeen);

			const controls = all('button, a[href], summary, textarea, select, input, label').filter((e) =>
				e.matches('label')
					? e.querySelector('input[type=radio], input[type=checkbox]')
					: !e.closest('label')?.querySelector('input[type=radio], input[type=checkbox]'),
			);
			const boxes = controls.map((e) => e.getBoundingClientRect());
			const least = Math.max(goals.target_mm * mm, goals.target_px) - SLACK_PX;
			const leastKey = goals.key_mm * mm - SLACK_PX;
			controls.forEach((e, i) => {
				const { width, height, y } = boxes[i];
				const isKey = e.classList.contains('key');
				if (Math.min(width, height) < (isKey && goals.target_mm > 0 ? leastKey : least))
					findings.push(`${isKey ? 'key' : 'target'} ${width.toFixed(0)} x ${height.toFixed(0)} px: ${nameOf(e)}`);
				if (goals.reach_px !== null && y + scrollY < goals.reach_px)
					findings.push(`out of reach at y ${y.toFixed(0)}: ${nameOf(e)}`);
			});
			boxes.forEach((a, i) => {
				for (let j = i + 1; j < boxes.length; j++) {
					const b = boxes[j];
					const isPinned = (k) => Boolean(controls[k].closest('.foot')); // what scrolls passes beneath it
					if (isPinned(i) !== isPinned(j)) continue;
					const dx = Math.max(a.left - b.right, b.left - a.right);
					const dy = Math.max(a.top - b.bottom, b.top - a.bottom);
					const gap = Math.max(dx, dy);
					if (gap < goals.gap_mm * mm - SLACK_PX)
						findings.push(`gap ${gap.toFixed(1)} px: ${nameOf(controls[i])} and ${nameOf(controls[j])}`);
				}
			});

			for (let y = 5; goals.touch_px !== null && y < goals.touch_px; y += 20)
				for (let x = 5; x < innerWidth; x += 40) {
					const e = document.elementFromPoint(x, y)?.closest('button, a[href], summary, textarea, select, input, label');
					if (!e || findings.some((line) => line.endsWith(nameOf(e)))) continue;
					findings.push(`can be touched at y ${y}: ${nameOf(e)}`);
				}

			const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
			const small = new Set();
			const words = document.createRange();
			while (walker.nextNode()) {
				const e = walker.currentNode.parentElement;
				if (!walker.currentNode.data.trim() || !isSeen(e) || small.has(e)) continue;
				const letter_px = parseFloat(getComputedStyle(e).fontSize);
				const cap_mm = (letter_px * CAP_EM) / mm;
				words.selectNodeContents(walker.currentNode);
				const line_px = Math.max(...[...words.getClientRects()].map(({ width }) => width));
				if (/\p{Script=Han}/u.test(walker.currentNode.data) && line_px > (goals.line_han + 0.5) * letter_px)
					findings.push(`a line of ${Math.round(line_px / letter_px)} Han: ${nameOf(e)}`);
				if (cap_mm < goals.cap_mm - 0.05) {
					small.add(e);
					findings.push(`cap height ${cap_mm.toFixed(1)} mm: ${nameOf(e)}`);
				}
			}

			const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
			if (wide > 0) findings.push(`scrolls sideways by ${wide} px`);
			for (const e of all('*')) {
				if (e.closest('svg') || e.matches('input, textarea')) continue;
				const box = e.getBoundingClientRect();
				if (box.right > innerWidth + SLACK_PX || box.left < -SLACK_PX) findings.push(`beyond the edge: ${nameOf(e)}`);
				if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline')
					findings.push(`clipped: ${nameOf(e)}`);
				if (e.scrollHeight > e.clientHeight + 1 && e.clientHeight > 0 && getComputedStyle(e).overflowY === 'hidden')
					findings.push(`cut off: ${nameOf(e)}`);
			}
			return findings;
		},
		{ mm, goals },
	);
}

/** Where "find a person" is: on the same screen, in the same size, it is at the same place on every page. */
export async function staffFindings(page, places, look) {
	if (await page.locator('dialog[open]').count()) return [];
	const staff = page.locator('.find-staff').filter({ visible: true }).first();
	if (!(await staff.count())) return ['nobody to find'];
	const box = await staff.boundingBox();
	const place = [box.x, box.y, box.width, box.height].map(Math.round).join(' ');
	const usual = places.get(look) ?? place;
	places.set(look, usual);
	const at = usual.split(' ');
	const isThere = place.split(' ').every((px, i) => Math.abs(px - at[i]) <= 1); // a page that ends within a pixel is rounded
	return isThere ? [] : [`"find a person" is at ${place}, elsewhere at ${usual}`];
}

/** What would come out of a printer: how many pages of which size, and the smallest letters of what is seen, in points. */
export async function printed(page) {
	await page.emulateMedia({ media: 'print' });
	const words = await page.evaluate(() => {
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		const sizes = [];
		while (walker.nextNode()) {
			const { data, parentElement: e } = walker.currentNode;
			if (data.trim() && e.checkVisibility() && !e.closest('.unseen')) sizes.push((parseFloat(getComputedStyle(e).fontSize) * 3) / 4);
		}
		return { least_pt: Math.min(...sizes), text: document.body.innerText };
	});
	const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
	const box = /\/MediaBox\s*\[\s*[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)/.exec(pdf);
	await page.emulateMedia({ media: 'screen' });
	return { ...words, width_pt: Math.round(box[1]), height_pt: Math.round(box[2]), pages: pdf.match(/\/Type\s*\/Page\b/g).length };
}

export const COLOUR_GOALS = { text: 10, edge: 3 };

/** Contrast of words with the ground they stand on, and of the edges of controls with the ground around them. */
export async function contrasts(page, goals = COLOUR_GOALS) {
	return page.evaluate((goals) => {
		const findings = new Set();
		const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
		const light = (colour) => {
			const [r, g, b] = channels(colour).map((v) => (v / 255 <= 0.04045 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
			return 0.2126 * r + 0.7152 * g + 0.0722 * b;
		};
		const ratio = (a, b) => {
			const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
			return (bright + 0.05) / (dark + 0.05);
		};
		const isClear = (colour) => channels(colour)[3] === 0;
		const groundOf = (e) => {
			for (; e; e = e.parentElement) {
				const { backgroundColor } = getComputedStyle(e);
				if (!isClear(backgroundColor)) return backgroundColor;
			}
			return 'rgb(255, 255, 255)';
		};
		const top = document.querySelector('dialog[open]') ?? document.body;
		const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const { data, parentElement: e } = walker.currentNode;
			if (!data.trim() || !e.checkVisibility() || e.closest('.unseen, option')) continue;
			const found = ratio(getComputedStyle(e).color, groundOf(e));
			if (found < goals.text) findings.add(`text ${found.toFixed(1)}:1: "${data.trim().slice(0, 20)}"`);
		}
		for (const e of top.querySelectorAll('button, input, textarea, select, summary, label.choice')) {
			const style = getComputedStyle(e);
			const hasEdge = style.borderTopStyle !== 'none' && parseFloat(style.borderTopWidth) > 0 && !isClear(style.borderTopColor);
			if (!e.checkVisibility() || (!hasEdge && isClear(style.backgroundColor))) continue;
			const around = groundOf(e.parentElement);
			const found = Math.max(ratio(groundOf(e), around), hasEdge ? ratio(style.borderTopColor, around) : 1);
			if (found < goals.edge) findings.add(`edge ${found.toFixed(1)}:1: ${e.tagName.toLowerCase()} "${(e.innerText || '').slice(0, 20)}"`);
		}
		for (const icon of top.querySelectorAll('svg.icon'))
			if (!icon.parentElement.textContent.trim()) findings.add(`icon without words: ${icon.parentElement.className}`);
		return [...findings];
	}, goals);
}

/** What moves: transitions and animations longer than `most_ms`. */
export async function motion(page, most_ms = 0) {
	return page.evaluate((most_ms) => {
		const ms = (list) => Math.max(...list.split(',').map((one) => parseFloat(one) * (one.trim().endsWith('ms') ? 1 : 1000)));
		return [...document.querySelectorAll('*')]
			.flatMap((e) => ['', '::before', '::after'].map((part) => [e, getComputedStyle(e, part || null)]))
			.filter(([, style]) => Math.max(ms(style.transitionDuration), style.animationName === 'none' ? 0 : ms(style.animationDuration)) > most_ms)
			.map(([e]) => `moves: ${e.tagName.toLowerCase()}.${e.className}`);
	}, most_ms);
}

/** Writes tests/ui/shots/NAME.png of the whole page. */
export async function shoot(page, name, isFull = false) {
	mkdirSync(join(here, 'shots'), { recursive: true });
	await page.screenshot({ path: join(here, 'shots', `${name}.png`), fullPage: isFull });
}
