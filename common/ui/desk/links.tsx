// Every link of this node, and what the towns report of theirs: is it up, since when, what waits, why not.
import { t, words } from '../src/i18n';
import { Empty, Failed, Loading, Tab, Table, type Column } from '../src/parts';
import { Said } from '../src/said';
import type { LinksView, LinkView } from '../src/types';
import { Backups, Returning } from './backups';
import { LinkMark, linkState } from './marks';
import { hrefOf, type Route } from './route';
import { useLoaded } from './session';
import { PageHeading } from './shell';
import { Moment, momentText, useNow } from './time';

export function Links({ route }: { route: Route }) {
	const { data, fault, reload } = useLoaded<LinksView>(
		'/api/v1/links',
		(name, event) => name === 'links' && (event as LinksView),
	);
	const isTroubleOnly = route.part === 'trouble';
	const town = route.query.get('town') ?? '';
	const links = (data?.links ?? []).filter(
		(link) => link.place.startsWith(town) && (!isTroubleOnly || linkState(link, data?.links ?? []) !== 'up'),
	);
	return (
		<>
			<PageHeading title={t('desk.links.title')}>
				{data && (
					<p class="desk-lead">
						{countsText(data)} {t('desk.as-of', { time: momentText(data.time_ms) })}
					</p>
				)}
			</PageHeading>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!data && !fault && <Loading />}
			<Returning links={data?.upstream ? [data.upstream, ...data.links] : (data?.links ?? [])} />
			<Backups />
			{data?.upstream && <LinkTable caption={t('desk.links.upstream')} links={[data.upstream]} all={data.links} />}
			{data && (
				<nav aria-label={t('desk.links.filter')}>
					{town && (
						<Tab href={hrefOf('links', route.part)}>{t('desk.town-filter.every')}</Tab>
					)}
					<Tab href={hrefOf('links', '', { town })} isHere={!isTroubleOnly}>
						{t('desk.links.every')}
					</Tab>
					<Tab href={hrefOf('links', 'trouble', { town })} isHere={isTroubleOnly}>
						{t('desk.links.troubled')}
					</Tab>
				</nav>
			)}
			{data && links.length === 0 && <Empty>{t('desk.links.none')}</Empty>}
			{links.length > 0 && <LinkTable caption={allText(data, town)} links={links} all={data?.links ?? []} />}
		</>
	);
}

function allText(data: LinksView | null, town: string): string {
	const named = data?.links.find((link) => link.place === town);
	return town ? t('desk.links.of-town', { town: words(named?.place_name) || town }) : t('desk.links.all');
}

function countsText({ upstream, links }: LinksView): string {
	const count = { up: 0, down: 0, unknown: 0, frozen: 0, revoked: 0 };
	for (const link of upstream ? [upstream, ...links] : links) count[linkState(link, links)]++;
	const { up, down, unknown } = count;
	return t('desk.links.sentence', { up, down, unknown, stopped: count.frozen + count.revoked });
}

function LinkTable({ caption, links, all }: { caption: string; links: LinkView[]; all: LinkView[] }) {
	const now_ms = useNow();
	const isUnknown = (link: LinkView) => linkState(link, all) === 'unknown';
	const moment = (link: LinkView, time_ms: string) =>
		isUnknown(link) ? t('desk.link.unknown') : <Moment time_ms={time_ms} now_ms={now_ms} />;
	const columns: Column<LinkView>[] = [
		{
			id: 'site',
			head: t('desk.col.site'),
			isHead: true,
			cell: (link) => (
				<>
					{words(link.place_name) || link.place || link.device}
					<span class="desk-minor desk-block">
						{[t(`desk.tier.${link.tier}`), link.place].filter(Boolean).join(' ')}
					</span>
				</>
			),
		},
		{
			id: 'state',
			head: t('desk.col.link'),
			cell: (link) => (
				<>
					<LinkMark state={linkState(link, all)} />
					{!link.is_direct && (
						<span class="desk-minor desk-block">
							{t(isUnknown(link) ? 'desk.link.not-reported' : 'desk.link.reported')}
						</span>
					)}
				</>
			),
		},
		{ id: 'since', head: t('desk.col.since'), cell: (link) => moment(link, link.since_ms) },
		{ id: 'heard', head: t('desk.col.heard'), cell: (link) => moment(link, link.heard_ms) },
		{ id: 'up', head: t('desk.col.waiting-up'), isNumber: true, cell: (link) => link.waiting_up },
		{ id: 'down', head: t('desk.col.waiting-down'), isNumber: true, cell: (link) => link.waiting_down },
		{ id: 'received', head: t('desk.col.entries'), isNumber: true, cell: (link) => link.received },
		{
			id: 'why',
			head: t('desk.col.why'),
			cell: (link) => link.text && <Said text={link.text} />,
		},
	];
	return <Table caption={caption} columns={columns} rows={links} keyOf={(link) => `${link.place} ${link.device}`} />;
}
