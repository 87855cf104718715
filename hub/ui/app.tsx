// The district's console: totals of all towns, the requests that the district decides, and every link.
import '../../common/ui/style/tokens.css';
import '../../common/ui/style/parts.css';
import '../../common/ui/desk/desk.css';
import { startDesk } from '../../common/ui/desk/desk';
import { t } from '../../common/ui/src/i18n';
import { DistrictQueue, Totals } from './totals';

startDesk({
	title: () => t('desk.title.district'),
	nav: () => [
		{ page: 'totals', words: t('desk.nav.totals') },
		{ page: 'cases', words: t('desk.nav.cases') },
		{ page: 'links', words: t('desk.nav.links') },
		{ page: 'quarantine', words: t('desk.nav.quarantine') },
	],
	page: (route) => {
		if (route.page === 'totals') return <Totals route={route} />;
		return route.page === 'cases' && <DistrictQueue route={route} />;
	},
});
