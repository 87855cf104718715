// What readers are told without moving: one polite region and one assertive one, in the page or in the dialog in front.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useLanguage } from '../i18n';

type Say = (text: string, isUrgent: boolean) => void;

// A dialog makes the rest of the page inert, and inert regions are silent: so each dialog brings its own, and the
// newest one speaks.
const speakers: Say[] = [];

/** Speaks to screen readers. Whoever calls shows the same to the eyes. */
export function announce(text: string, isUrgent = false): void {
	speakers[speakers.length - 1]?.(text, isUrgent);
}

/** Put one of these at the root of each page. */
export function Announcer(): JSX.Element {
	const [calm, setCalm] = useState('');
	const [urgent, setUrgent] = useState('');
	useEffect(() => {
		// The same sentence twice is silent unless the text changes: a trailing no-break space makes it new.
		const say: Say = (text, isUrgent) => (isUrgent ? setUrgent : setCalm)((old) => (old === text ? `${text}\u00a0` : text));
		speakers.push(say);
		return () => void speakers.splice(speakers.indexOf(say), 1);
	}, []);
	const spoken = useLanguage();
	useEffect(() => {
		setCalm('');
		setUrgent(''); // what was said in the other language
	}, [spoken]);
	return (
		<div class="unseen">
			<div role="status">{calm}</div>
			<div role="alert">{urgent}</div>
		</div>
	);
}
