// What the town tells residents: a list, and one notice, in easy words for who wants few.
import type { JSX } from 'preact';
import { dateText, language, t, words } from 'ui/i18n';
import { Button, More } from 'ui/parts';
import type { TownNotice, Words } from 'ui/types';
import { useAccess } from './access';
import { BackAndHome } from './common';
import { Frame, type ScreenProps } from './frame';
import { pagesOf } from './services';

export interface ToldProps extends ScreenProps {
	notices: TownNotice[];
	page: number;
	onPage: (page: number) => void;
	onNotice: (notice: TownNotice) => void;
}

/** The town may have written it in Chinese only. */
const langOf = (w: Words | undefined) => (language() === 'en' && !w?.en ? 'zh-CN' : undefined);

export function Told({ notices, page, onPage, onNotice, ...common }: ToldProps): JSX.Element {
	const pages = pagesOf(notices);
	const now = Math.min(page, pages.length - 1); // one may have been taken back
	const left = pages.slice(now + 1).flat().length;
	const back = () => (now > 0 ? onPage(now - 1) : common.onHome());
	return (
		<Frame
			{...common}
			name={`told-${now}`}
			sign="kiosk.told.title"
			onBack={back}
			actions={<BackAndHome onBack={back} onHome={now > 0 ? common.onHome : undefined} />}
		>
			<div class="shown">
				<h1 tabIndex={-1}>{t('kiosk.told.title')}</h1>
				{pages.length > 1 && <p class="progress">{t('kiosk.services.page', { number: now + 1, total: pages.length })}</p>}
				<p class="lead">{t(notices.length > 0 ? 'kiosk.services.text' : 'kiosk.told.none')}</p>
			</div>
			<div class="touched">
				{pages[now]!.map((notice) => (
					<Button class="tile wide" key={notice.id} onPress={() => onNotice(notice)}>
						<strong lang={langOf(notice.name)}>{words(notice.name)}</strong>
						<span class="about">{aboutText(notice)}</span>
					</Button>
				))}
				{left > 0 && (
					<Button class="tile wide" onPress={() => onPage(now + 1)}>
						<strong>{t('kiosk.services.more')}</strong>
						<span class="about">{t('kiosk.services.left', { count: left })}</span>
					</Button>
				)}
			</div>
		</Frame>
	);
}

function aboutText({ about }: TownNotice): string {
	if (about === 'NOTICE_ABOUT_ACTIVITY') return t('kiosk.told.activity');
	return t(about === 'NOTICE_ABOUT_CLOSING' ? 'kiosk.told.closing' : 'kiosk.told.service');
}

export interface NoticeProps extends ScreenProps {
	notice: TownNotice;
	onBack: () => void;
}

export function NoticeScreen({ notice, onBack, ...common }: NoticeProps): JSX.Element {
	const { isEasy } = useAccess();
	const hasEasy = isEasy && notice.easy.length > 0;
	return (
		<Frame
			{...common}
			name={`notice-${notice.id}`}
			onBack={onBack}
			actions={<BackAndHome onBack={onBack} onHome={common.onHome} />}
		>
			<div class="read">
				<h1 tabIndex={-1} lang={langOf(notice.name)}>
					{words(notice.name)}
				</h1>
				<p class="lead">{aboutText(notice)}</p>
				<Paragraphs of={hasEasy ? notice.easy : notice.text} />
				<p class="source">{t('kiosk.told.until', { day: dateText(notice.until) })}</p>
			</div>
			{hasEasy && (
				<div class="touched">
					<More name={t('kiosk.easy.more')}>
						<div class="read">
							<Paragraphs of={notice.text} />
						</div>
					</More>
				</div>
			)}
		</Frame>
	);
}

function Paragraphs({ of }: { of: Words[] }): JSX.Element {
	return (
		<>
			{of.map((paragraph, i) => (
				<p key={i} lang={langOf(paragraph)}>
					{words(paragraph)}
				</p>
			))}
		</>
	);
}
