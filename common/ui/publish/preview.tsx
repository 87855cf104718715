// The kiosk, in a frame of its own: its styles, its language and its sizes are not those of this page.
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../src/i18n';
import { useCollection } from './collection';
import type { Content } from './shape';

export function Preview({ content }: { content: Content | undefined }) {
	const { member } = useCollection();
	const frame = useRef<HTMLIFrameElement>(null);
	const newest = useRef(content);
	newest.current = content;
	const show = () => frame.current?.contentWindow?.postMessage({ [member]: newest.current }, location.origin);
	useEffect(show, [content]);
	useEffect(() => {
		let before: Element | null = null;
		const hear = (event: MessageEvent) => {
			if (event.source !== frame.current?.contentWindow || event.origin !== location.origin) return;
			if (event.data === 'ready') {
				before = document.activeElement;
				show();
			} else if (document.activeElement === frame.current && before instanceof HTMLElement) {
				before.focus(); // a kiosk's screen takes the focus when it appears: not from this page
			}
		};
		addEventListener('message', hear);
		return () => removeEventListener('message', hear);
	}, []);
	return (
		<section class="publication">
			<h2>{t('desk.preview.title')}</h2>
			<p class="desk-minor">{t('desk.preview.lead')}</p>
			<div class="preview">
				<iframe ref={frame} src="preview.html" title={t('desk.preview.title')} />
			</div>
		</section>
	);
}
