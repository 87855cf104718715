// The frame of every staff page: where am I, where can I go, who is logged in, does the page still hear the daemon.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t, useLanguage, words } from '../src/i18n';
import { Announcer, Button, DemoBanner, SkipLink, Tab, Toasts } from '../src/parts';
import { DisplayButton } from './display';
import { goToMenu, goToPart, useFocusKept } from './focus';
import { LanguageSwitch } from './language';
import { LoginAgain } from './login';
import { Prove } from './prove';
import { Rings } from './rings';
import { LostNotice, useDesk } from './session';
import { useHeldUp } from './held';
import { hrefOf, type Route } from './route';
import { useShortcuts } from './shortcuts';

export interface NavItem {
	page: string;
	words: string;
}

interface ShellProps {
	title: string;
	route: Route;
	nav: NavItem[];
	children: ComponentChildren;
}

const LISTS: Record<string, string> = { case: 'cases', person: 'people' }; // where a page is one of many

export function Shell({ title, route, nav, children }: ShellProps) {
	useLanguage();
	const { session, isExpired, absence, isProving, logIn, logOut, lock } = useDesk();
	useFocusKept();
	useShortcuts({ m: goToMenu, j: () => goToPart(1), k: () => goToPart(-1), l: lock });
	const here = LISTS[route.page] ?? route.page;
	return (
		<>
			<Announcer />
			{!isExpired && <SkipLink />}
			<header>
				<DemoBanner isDemo={session.is_demo} isPractice={session.is_practice} />
				<div class="desk-header" hidden={isExpired}>
					<p class="desk-product">
						<strong>{t('desk.product')}</strong> {title}
						<span class="desk-place">{words(session.place_name) || session.place}</span>
					</p>
					<nav aria-label={t('desk.nav')}>
						{nav.map((item) => (
							<Tab key={item.page} href={hrefOf(item.page)} isHere={item.page === here}>
								{item.page === 'quarantine' ? <WithCount page={item.words} /> : item.words}
							</Tab>
						))}
					</nav>
					<div class="desk-tools">
						<DisplayButton />
						<LanguageSwitch />
						<Tab href={hrefOf('me')} isHere={here === 'me'}>
							<span class="desk-user">{t('desk.logged-in-as', { name: session.user })}</span>
						</Tab>
						<Button icon="locked" onPress={lock}>
							{t('desk.lock')}
						</Button>
						<Button onPress={logOut}>{t('desk.logout')}</Button>
					</div>
				</div>
			</header>
			<div hidden={isExpired}>
				<Toasts />
			</div>
			<main class="desk-main" id="main" hidden={isExpired}>
				<LostNotice />
				{!isExpired && <Rings />}
				{children}
			</main>
			{isProving && !isExpired && <Prove />}
			{isExpired && <LoginAgain key={absence} user={session.user} why={absence} logIn={logIn} leave={logOut} />}
		</>
	);
}

function WithCount({ page }: { page: string }) {
	const n = useHeldUp();
	return <>{n > 0 ? t('desk.nav.with-count', { page, n }) : page}</>;
}

interface HeadingProps {
	title: string;
	tab?: string; // the browser's title, which windows and histories show: without names of people
	keepFocus?: boolean; // the page puts it somewhere better
	children?: ComponentChildren;
}

// A page's heading takes the focus when the page is new, so that readers start there.
export function PageHeading({ title, tab = title, keepFocus, children }: HeadingProps) {
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => {
		if (!keepFocus) heading.current?.focus();
	}, []);
	useEffect(() => {
		document.title = `${tab} – ${t('desk.product')}`;
	}, [tab]);
	return (
		<div class="desk-heading">
			<h1 ref={heading} tabIndex={-1}>
				{title}
			</h1>
			{children}
		</div>
	);
}
