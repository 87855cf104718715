// How long a kiosk's page lets its person wait, in Chromium on a processor that is slowed down. bench/kiosk.py starts it.
//   node kiosk.mjs ADDRESS SLOWER: one JSON line
import { launch } from '../tests/ui/lib.mjs';
import { Resident } from '../tests/ui/people.mjs';

const [url, slower] = process.argv.slice(2);
const ANSWERS = {
	name: '张示例',
	phone: '00059540000',
	number: '99011419700101001144',
	need: 'move',
	device: '轮椅',
	height_cm: '170',
	in_use: 'no',
	where: 'home',
	address: '示例路 1 号 202 室',
};

/** In the page: until the frame after a press shows it, and until the frame that shows the next heading. */
function watch() {
	window.took = { press: [], screen: [] };
	new PerformanceObserver((list) => {
		for (const { name, duration } of list.getEntries()) if (name === 'pointerdown') window.took.press.push(duration);
	}).observe({ type: 'event', durationThreshold: 16 });
	let pressed = 0; // by the clock of events and frames, which no test moves on
	let heading = '';
	document.addEventListener('click', (e) => {
		if (!e.target.closest('button')) return;
		pressed = e.timeStamp;
		heading = document.querySelector('h1')?.textContent;
	}, true);
	const look = () => {
		const shown = document.querySelector('h1')?.textContent;
		if (pressed && shown !== heading) {
			const from = pressed;
			requestAnimationFrame((painted) => window.took.screen.push(painted - from)); // by then the frame is out
			pressed = 0;
		}
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
}

const browser = await launch();
try {
	const one = await Resident.arrive(browser, url);
	const session = await one.page.context().newCDPSession(one.page);
	await session.send('Emulation.setCPUThrottlingRate', { rate: Number(slower) });
	await one.page.evaluate(watch);
	await one.fill('device-fitting', ANSWERS);
	await one.handIn();
	await one.page.waitForTimeout(1000);
	console.log(JSON.stringify(await one.page.evaluate(() => window.took)));
} finally {
	await browser.close();
}
