// The district's console: totals of all towns, the requests that the district decides, the catalogue and texts of answers, and every link.
import '../../common/ui/style/tokens.css';
import '../../common/ui/style/parts.css';
import '../../common/ui/desk/desk.css';
import '../../common/ui/publish/publish.css';
import { startDesk } from '../../common/ui/desk/desk';
import { Samples } from '../../common/ui/desk/samples';
import { t } from '../../common/ui/src/i18n';
import { CATALOGUE, WORDINGS } from '../../common/ui/publish/collection';
import { Publications } from '../../common/ui/publish/list';
import { Devices } from './devices';
import { Reports } from './reports';
import { DistrictQueue, Totals } from './totals';

startDesk({
	title: () => t('desk.title.district'),
	nav: (may) => [
		...(may.includes('cases')
			? [
					{ page: 'totals', words: t('desk.nav.totals') },
					{ page: 'cases', words: t('desk.nav.cases') },
					{ page: 'contacts', words: t('desk.nav.contacts') },
					{ page: 'work', words: t('desk.nav.work') },
					{ page: 'people', words: t('desk.nav.people') },
					{ page: 'certificates', words: t('desk.nav.certificates') },
					{ page: 'verification', words: t('desk.nav.verification') },
					{ page: 'samples', words: t('desk.nav.samples') },
				]
			: []),
		...(may.includes('cases') || may.includes('audit') ? [{ page: 'reports', words: t('desk.nav.reports') }] : []),
		...(may.includes('draft') || may.includes('publish')
			? [
					{ page: 'catalogue', words: t('desk.nav.catalogue') },
					{ page: 'wordings', words: t('desk.wording.title') },
				]
			: []),
		...(may.includes('state') ? [{ page: 'links', words: t('desk.nav.links') }] : []),
		...(may.includes('devices') ? [{ page: 'devices', words: t('desk.nav.devices') }] : []),
		...(may.includes('cases')
			? [
					{ page: 'quarantine', words: t('desk.nav.quarantine') },
					{ page: 'erasures', words: t('desk.nav.erasures') },
				]
			: []),
	],
	page: (route) => {
		if (route.page === 'totals') return <Totals route={route} />;
		if (route.page === 'reports') return <Reports route={route} />;
		if (route.page === 'devices') return <Devices />;
		if (route.page === 'samples') return <Samples />;
		for (const of of [CATALOGUE, WORDINGS]) if (route.page === of.page) return <Publications of={of} route={route} />;
		return route.page === 'cases' && <DistrictQueue route={route} />;
	},
});
