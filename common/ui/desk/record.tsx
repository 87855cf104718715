// What a resident's record says: facts, who may act, what is received, its requests, what changed, and who looked at it.
import type { ComponentChildren } from 'preact';
import { dateText, t, words } from '../src/i18n';
import { Button, Chip, Failed, Notice } from '../src/parts';
import type { LookPurpose, LooksView, PersonEventView, PersonFacts } from '../src/types';
import { Certificate } from './certificate';
import { StateMark } from './marks';
import { Erasing } from './erase';
import { PersonMarks, personText } from './people';
import { Acts } from './person-acts';
import type { KnownPerson } from './person';
import { changeText, pathText, representativeText, thingText, untilText, usePlaces, valueText, type PlaceName } from './person-facts';
import { hrefOf } from './route';
import { useLoaded } from './session';
import { PageHeading } from './shell';
import { momentText } from './time';
import { Verify } from './verification';

interface RecordProps {
	view: KnownPerson;
	purpose: LookPurpose;
	news: ComponentChildren;
	onChange: () => void;
	looks: number; // of this page so far: each is in the list of looks
	reload: () => Promise<void>;
}

export function Record({ view, purpose, news, looks, onChange, reload }: RecordProps) {
	const { row, facts, goes_on: goesOn } = view;
	const { nameOf } = usePlaces();
	return (
		<>
			<PageHeading title={row.name || t(row.is_away ? 'desk.person.title' : 'desk.no-name')} tab={t('desk.person.title')}>
				<PersonMarks row={row} />
			</PageHeading>
			<p class="desk-minor">{t('desk.person.looked', { purpose: valueText(purpose) })}</p>
			{news}
			{view.is_ours && <Doing view={view} onChange={onChange} reload={reload} />}
			{goesOn && (
				<Notice kind="info" title={t('desk.person.goes-on')}>
					<PersonLink person={goesOn.person_id}>{personText(goesOn)}</PersonLink>
				</Notice>
			)}
			{row.is_away && (
				<Notice kind="info" title={t('desk.person.away', { town: words(row.town_name) || row.town })}>
					{view.is_on_its_way && <p>{t('desk.person.on-its-way')}</p>}
				</Notice>
			)}
			{!facts && !row.is_away && <Notice kind="warning">{t('desk.person.absent')}</Notice>}
			<Erasing
				about={{ persons: [row.person_id] }}
				erasure={view.erasure}
				canErase={view.can_erase}
				reload={reload}
			/>
			<div class="desk-columns">
				<div>
					{view.certificate && !row.is_away && (
						<Certificate person={row.person_id} view={view.certificate} reload={reload} />
					)}
					{facts && <Facts facts={facts} inForce={view.in_force} nameOf={nameOf} />}
					<Cases view={view} />
				</div>
				<div>
					<Merged view={view} />
					<History events={view.events} nameOf={nameOf} />
					<Looks key={looks} person={row.person_id} />
				</div>
			</div>
		</>
	);
}

function Doing({ view, onChange, reload }: { view: KnownPerson; onChange: () => void; reload: () => Promise<void> }) {
	const canChange = view.facts && !view.row.is_dead && !view.row.is_merged;
	return (
		<section class="desk-doing">
			<h2>{t('desk.case.what-next')}</h2>
			<div class="actions">
				{canChange && (
					<Button kind="primary" icon="edit" onPress={onChange}>
						{t('desk.person.change')}
					</Button>
				)}
				{canChange && <Verify view={view} reload={reload} />}
				<Acts view={view} reload={reload} />
			</div>
		</section>
	);
}

function PersonLink({ person, children }: { person: string; children: ComponentChildren }) {
	return (
		<a class="desk-row-link" href={hrefOf('person', person)}>
			{children}
		</a>
	);
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
	return (
		<section>
			<h2>{title}</h2>
			{children}
		</section>
	);
}

type Pair = [string, ComponentChildren];

function Pairs({ pairs }: { pairs: Pair[] }) {
	return (
		<dl class="desk-answers">
			{pairs.map(([label, value]) => (
				<div key={label}>
					<dt>{label}</dt>
					<dd class="desk-said">{value || t('desk.person.nothing')}</dd>
				</div>
			))}
		</dl>
	);
}

/** One line an element; said, when there is none. */
function Lines({ lines }: { lines: ComponentChildren[] }) {
	if (lines.length === 0) return <p>{t('desk.none')}</p>;
	return (
		<ul class="desk-lines">
			{lines.map((line, at) => (
				<li key={at} class="desk-said">
					{line}
				</li>
			))}
		</ul>
	);
}

function verifiedText({ verified }: PersonFacts): string {
	return verified ? [momentText(verified.time_ms), valueText(verified.how), verified.by].join(' · ') : t('desk.verify.never');
}

const PLAIN = ['sex', 'birth', 'id_number', 'certificate', 'community', 'address', 'income', 'employment'] as const;
const HOUSEHOLD = ['household', 'household_relation'] as const;

function Facts({ facts, inForce, nameOf }: { facts: PersonFacts; inForce: number[]; nameOf: PlaceName }) {
	const pairs = (keys: readonly (keyof PersonFacts & string)[]): Pair[] =>
		keys.map((key) => [t(`desk.person.field.${key}`), changeText(key, String(facts[key]), nameOf)]);
	return (
		<>
			<Section title={t('desk.person.section.facts')}>
				<Pairs
					pairs={[
						...(facts.died_on ? pairs(['died_on']) : []),
						[t('desk.person.field.verified'), verifiedText(facts)],
						...pairs(PLAIN),
					]}
				/>
			</Section>
			<Section title={t('desk.person.field.contacts')}>
				<Lines
					lines={facts.contacts.map(({ name, relation, phone }) =>
						[name || t('desk.person.self'), relation, phone].filter(Boolean).join(' · '),
					)}
				/>
			</Section>
			<Section title={t('desk.person.field.access')}>
				<Lines lines={facts.access.map(valueText)} />
			</Section>
			<Section title={t('desk.person.field.representatives')}>
				<Lines
					lines={facts.representatives.map((one, at) => (
						<>
							{representativeText(one)} <span class="desk-minor">{untilText(one.from, one.until)}</span>{' '}
							<Authority isInForce={inForce.includes(at)} />
						</>
					))}
				/>
			</Section>
			<Section title={t('desk.person.section.household')}>
				<Pairs pairs={pairs(HOUSEHOLD)} />
			</Section>
			<Section title={t('desk.person.field.benefits')}>
				<Lines
					lines={facts.benefits.map(({ benefit, from, until }) => (
						<>
							{thingText('benefits', benefit)} <span class="desk-minor">{untilText(from, until)}</span>
						</>
					))}
				/>
			</Section>
			<Section title={t('desk.person.field.devices')}>
				<Lines lines={facts.devices.map((device) => thingText('devices', device))} />
			</Section>
			<Section title={t('desk.person.field.consents')}>
				<Lines
					lines={facts.consents.map(({ topic, is_given, day }) => (
						<>
							{t('desk.person.consent', {
								topic: valueText(topic),
								answer: t(is_given ? 'common.consent.given' : 'common.consent.refused'),
							})}{' '}
							<span class="desk-minor">{dateText(day)}</span>
						</>
					))}
				/>
			</Section>
		</>
	);
}

function Authority({ isInForce }: { isInForce: boolean }) {
	return (
		<Chip kind={isInForce ? 'success' : 'warning'} icon={isInForce ? 'success' : 'close'}>
			{t(isInForce ? 'desk.person.in-force' : 'desk.person.not-in-force')}
		</Chip>
	);
}

function Cases({ view }: { view: KnownPerson }) {
	return (
		<Section title={t('desk.person.section.cases')}>
			<Lines
				lines={view.cases.map((row) => (
					<>
						<a class="desk-row-link" href={hrefOf('case', row.request_id)}>
							{words(row.service_name) || row.service}
						</a>{' '}
						<StateMark row={row} /> <span class="desk-minor">{momentText(row.received_ms)}</span>
					</>
				))}
			/>
			{view.has_more_cases && <p class="desk-minor">{t('desk.person.more-cases')}</p>}
		</Section>
	);
}

function Merged({ view }: { view: KnownPerson }) {
	if (view.merged.length === 0) return null;
	return (
		<Section title={t('desk.person.section.merged')}>
			<Lines lines={view.merged.map((row) => <PersonLink person={row.person_id}>{personText(row)}</PersonLink>)} />
		</Section>
	);
}

function History({ events, nameOf }: { events: PersonEventView[]; nameOf: PlaceName }) {
	return (
		<Section title={t('desk.person.section.history')}>
			<ol class="desk-timeline">
				{events.map((event) => (
					<li key={event.version}>
						<p>
							<strong>{t(`desk.person.event.${event.action}`)}</strong>{' '}
							<span class="desk-minor">
								{[momentText(event.time_ms), words(event.town_name) || event.town].join(' · ')}{' '}
								{event.staff && <code>{event.staff}</code>}
							</span>
						</p>
						{event.is_absent && <p>{t('desk.event.absent')}</p>}
						{event.reason && <p class="desk-said">{event.reason}</p>}
						<Others event={event} />
						<Changes event={event} nameOf={nameOf} />
					</li>
				))}
			</ol>
		</Section>
	);
}

function Others({ event }: { event: PersonEventView }) {
	return (
		<>
			{event.others.map(({ person_id: person, reason }) => (
				<p key={person}>
					<PersonLink person={person}>{t('desk.person.somebody-else')}</PersonLink>{' '}
					<span class="desk-said">{reason}</span>
				</p>
			))}
		</>
	);
}

function Changes({ event, nameOf }: { event: PersonEventView; nameOf: PlaceName }) {
	// What became of whom is said by the action itself, and an id says nothing to people.
	const changes = event.changes.filter(({ path }) => path !== 'merged_into' && !path.startsWith('verified'));
	if (changes.length === 0) return null;
	return (
		<dl class="desk-words">
			{changes.map(({ path, before, after }) => (
				<div key={path}>
					<dt>{pathText(path)}</dt>
					<dd class="desk-said">
						{t('desk.person.changed', {
							before: changeText(path, before, nameOf),
							after: changeText(path, after, nameOf),
						})}
					</dd>
				</div>
			))}
		</dl>
	);
}

function Looks({ person }: { person: string }) {
	const { data, fault, reload } = useLoaded<LooksView>(`/api/v1/persons/${person}/looks`, () => false);
	return (
		<Section title={t('desk.person.section.looks')}>
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			<Lines
				lines={(data?.looks ?? []).map(({ purpose, by, time_ms }) => (
					<>
						{valueText(purpose)}{' '}
						<span class="desk-minor">
							{momentText(time_ms)} · <code>{by}</code>
						</span>
					</>
				))}
			/>
			{data?.is_more && <p class="desk-minor">{t('desk.person.more-looks')}</p>}
		</Section>
	);
}
