// Nobody's place is lost: a button that goes with what it did leaves the focus where it stood, and one behind a lock gets it back.
import { useEffect } from 'preact/hooks';

const SETTLE_MS = 120; // a page, a dialog or a list that knows a better place has said so by then

function isThere(element: HTMLElement): boolean {
	return element.isConnected && element.getClientRects().length > 0;
}

/** Headings and places take the focus so that reading goes on there; Tab does not stop at them. */
export function focusPlace(place: HTMLElement | null | undefined): void {
	if (!place) return;
	if (!place.hasAttribute('tabindex') && !place.matches('a[href], button, input, select, textarea, summary')) place.tabIndex = -1;
	place.focus();
}

export function useFocusKept(): void {
	useEffect(() => {
		const page = document.getElementById('main')!;
		let chain: HTMLElement[] = []; // what had the focus last, and what it stands in
		let timer = 0;
		const note = ({ target }: FocusEvent) => {
			if (page.hidden) return; // the lock's own
			chain = [];
			for (let at = target as HTMLElement | null; at; at = at.parentElement) chain.push(at);
		};
		const giveBack = () => {
			timer = 0;
			if (document.activeElement !== document.body || chain.length === 0 || page.hidden) return;
			const place = chain.find(isThere);
			const isPlace = place && (place === chain[0] || (page.contains(place) && place !== page));
			focusPlace(isPlace ? place : page.querySelector<HTMLElement>('h1'));
		};
		const changes = new MutationObserver(() => {
			if (!timer && document.activeElement === document.body) timer = window.setTimeout(giveBack, SETTLE_MS);
		});
		// What is pressed upon nothing leaves a place on purpose.
		const leave = () => (chain = []);
		changes.observe(document.getElementById('app')!, { childList: true, subtree: true, attributes: true, attributeFilter: ['hidden'] });
		addEventListener('focusin', note);
		addEventListener('pointerdown', leave);
		return () => {
			changes.disconnect();
			clearTimeout(timer);
			removeEventListener('focusin', note);
			removeEventListener('pointerdown', leave);
		};
	}, []);
}

/** The heading of the part of the page before or after the focus. */
export function goToPart(step: 1 | -1): void {
	const heads = [...document.querySelectorAll<HTMLElement>('main h1, main h2')].filter(isThere);
	const at = document.activeElement ?? document.body;
	const isBefore = (head: HTMLElement) =>
		at !== document.body && head !== at && (head.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
	const before = heads.filter(isBefore);
	const next = heads.filter((head) => head !== at && !isBefore(head));
	focusPlace(step > 0 ? next[0] : before[before.length - 1]);
}

export function goToMenu(): void {
	document.querySelector<HTMLElement>('header nav [aria-current="page"], header nav a')?.focus();
}
