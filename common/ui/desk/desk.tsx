// The staff pages of a tier: login, frame, and the pages that town and district have in common.
import { render, type ComponentChildren } from 'preact';
import { t, useLanguage } from '../src/i18n';
import { Announcer } from '../src/parts';
import { Accounts } from './accounts';
import { Audit } from './audit';
import { Assessments } from './assessments';
import { CasePage } from './case';
import { Certificates } from './certificates';
import { Contacts } from './contacts';
import { startDisplay } from './display';
import { Erasures } from './erase';
import { startLanguage } from './language';
import { Links } from './links';
import { LoginPage } from './login';
import { Me } from './me';
import { hasDrafts } from './model';
import { People } from './people';
import { NewPerson } from './person-form';
import { PersonPage } from './person';
import { Quarantine } from './quarantine';
import { Verification } from './verification';
import { Queue } from './queue';
import { DeskProvider, useDesk } from './session';
import { PageHeading, Shell, type NavItem } from './shell';
import { useRoute, type Route } from './route';
import { Work } from './work';

export interface DeskPages {
	title: () => string; // asked at each drawing: it depends on the language
	nav: (may: string[]) => NavItem[]; // what this account may; the first is the first page
	page?: (route: Route) => ComponentChildren; // pages of this tier alone; anything empty: the common ones
}

export function startDesk(pages: DeskPages): void {
	startLanguage();
	startDisplay();
	addEventListener('beforeunload', (event) => {
		if (hasDrafts()) event.preventDefault(); // asks before what was typed is lost
	});
	render(<Root pages={pages} />, document.getElementById('app')!);
}

function Root({ pages }: { pages: DeskPages }) {
	useLanguage();
	const title = pages.title();
	return (
		<DeskProvider
			login={(logIn) => (
				<>
					<Announcer />
					<LoginPage logIn={logIn} title={title} />
				</>
			)}
		>
			<Pages pages={pages} title={title} />
		</DeskProvider>
	);
}

const ONE_OF_MANY = ['case', 'person', 'people'];

function Pages({ pages, title }: { pages: DeskPages; title: string }) {
	const { may } = useDesk().session;
	const nav = [
		...pages.nav(may),
		...(may.includes('assess') ? [{ page: 'assessments', words: t('desk.nav.assessments') }] : []),
		...(may.includes('resets') ? [{ page: 'accounts', words: t('desk.nav.accounts') }] : []),
		...(may.includes('audit') ? [{ page: 'audit', words: t('desk.nav.audit') }] : []),
	];
	const route = useRoute(may.includes('accounts') ? 'accounts' : (nav[0]?.page ?? 'me'));
	return (
		<Shell title={title} route={route} nav={nav}>
			<Page key={`${route.page} ${ONE_OF_MANY.includes(route.page) ? route.part : ''}`} pages={pages} route={route} />
		</Shell>
	);
}

function Page({ pages, route }: { pages: DeskPages; route: Route }) {
	const own = pages.page?.(route);
	if (own) return <>{own}</>;
	switch (route.page) {
		case 'cases':
			return <Queue route={route} />;
		case 'case':
			return <CasePage requestId={route.part} />;
		case 'work':
			return <Work />;
		case 'contacts':
			return <Contacts />;
		case 'people':
			return route.part === 'new' ? <NewPerson /> : <People />;
		case 'person':
			return <PersonPage person={route.part} />;
		case 'certificates':
			return <Certificates />;
		case 'verification':
			return <Verification key={route.part} route={route} />;
		case 'assessments':
			return <Assessments />;
		case 'erasures':
			return <Erasures />;
		case 'me':
			return <Me />;
		case 'accounts':
			return <Accounts />;
		case 'audit':
			return <Audit route={route} />;
		case 'links':
			return <Links route={route} />;
		case 'quarantine':
			return <Quarantine key={`${route.part} ${route.query}`} route={route} />;
		default:
			return <PageHeading title={t('desk.no-page')} />;
	}
}
