// The town's console: its queue of requests, each request, its notices to residents, and the links to its terminals and to the district.
import '../../common/ui/style/tokens.css';
import '../../common/ui/style/parts.css';
import '../../common/ui/desk/desk.css';
import '../../common/ui/publish/publish.css';
import { startDesk } from '../../common/ui/desk/desk';
import { IntakePage } from '../../common/ui/desk/intake';
import { NOTICES } from '../../common/ui/publish/collection';
import { Publications } from '../../common/ui/publish/list';
import { t } from '../../common/ui/src/i18n';

startDesk({
	title: () => t('desk.title.town'),
	nav: (may) => [
		...(may.includes('cases')
			? [
					{ page: 'cases', words: t('desk.nav.cases') },
					{ page: 'contacts', words: t('desk.nav.contacts') },
					{ page: 'work', words: t('desk.nav.work') },
					{ page: 'new', words: t('desk.nav.new') },
					{ page: 'notices', words: t('desk.notices.title') },
					{ page: 'people', words: t('desk.nav.people') },
					{ page: 'certificates', words: t('desk.nav.certificates') },
					{ page: 'verification', words: t('desk.nav.verification') },
				]
			: []),
		...(may.includes('state') ? [{ page: 'links', words: t('desk.nav.links') }] : []),
		...(may.includes('cases')
			? [
					{ page: 'quarantine', words: t('desk.nav.quarantine') },
					{ page: 'erasures', words: t('desk.nav.erasures') },
				]
			: []),
	],
	page: (route) =>
		route.page === NOTICES.page ? <Publications of={NOTICES} route={route} /> : route.page === 'new' && <IntakePage />,
});
