// The town's console: its queue of requests, each request, and the links to its terminals and to the district.
import '../../common/ui/style/tokens.css';
import '../../common/ui/style/parts.css';
import '../../common/ui/desk/desk.css';
import { startDesk } from '../../common/ui/desk/desk';
import { IntakePage } from '../../common/ui/desk/intake';
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
	page: (route) => route.page === 'new' && <IntakePage />,
});
