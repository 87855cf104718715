// One case: what the resident filled in, what the catalogue says, what has happened, and what can be done now.
import { useState } from 'preact/hooks';
import { shownText } from '../src/form';
import { t, timeText, words } from '../src/i18n';
import { Button, Failed, Loading, Notice, Tab } from '../src/parts';
import type { CaseView, FieldView, Service, Words } from '../src/types';
import { CarerPart } from './carer';
import { Consents } from './consents';
import { CaseContacts } from './contacts';
import { DecideAfter, decisionText, seenOf, type Seen } from './decide';
import { Erasing } from './erase';
import { RequestFile } from './files';
import { Asks, ratingText, Timeline } from './happened';
import { Letters } from './letters';
import { HandedMark, ownerText, StateMark } from './marks';
import { Proofs } from './proofs';
import { decisionsOf, isKnown, isOpen, openWithdrawal, RULES, type Decision, type KnownCase } from './model';
import { NewCode } from './new-code';
import { valueText } from './person-facts';
import { hrefOf } from './route';
import { useDesk, useLoaded } from './session';
import { PageHeading } from './shell';
import { useShortcuts, useShortcutSwitch } from './shortcuts';
import { Sourced } from './sourced';
import { Said } from '../src/said';
import { stepText, TermMark } from './term';
import { momentText, useNow } from './time';
import { Whose } from './whose';

export function CasePage({ requestId }: { requestId: string }) {
	const { data, fault, reload } = useLoaded<CaseView>(
		`/api/v1/cases/${requestId}`,
		(name, event) => name === 'persons' || (name === 'cases' && (event as { request_id: string }).request_id === requestId),
	);
	if (isKnown(data)) return <Case view={data} fault={fault} reload={reload} />;
	return (
		<>
			<BackLink />
			<PageHeading title={t('desk.case.title')} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{!fault && (data ? <p>{t('desk.not-found')}</p> : <Loading />)}
		</>
	);
}

interface CaseProps {
	view: KnownCase;
	fault: string;
	reload: () => Promise<void>;
}

function Case({ view, fault, reload }: CaseProps) {
	const { row, service } = view;
	const { isExpired, session } = useDesk();
	const [decision, setDecision] = useState<Decision | null>(null);
	const [seen, setSeen] = useState<Seen>(() => seenOf(view));
	const choose = (name: Decision) => {
		setSeen(seenOf(view));
		setDecision(name);
	};
	const can = decisionsOf(view, session.may);
	const now_ms = useNow();
	useShortcuts({
		...Object.fromEntries(can.map((name) => [RULES[name].key, () => choose(name)])),
		b: () => {
			location.hash = hrefOf('cases');
		},
	});
	const name = words(row.service_name) || row.service;
	const isKept = view.kept_until_ms !== '0';
	const erasing = (
		<Erasing
			about={{ requests: [row.request_id] }}
			erasure={view.erasure}
			canErase={view.can_erase}
			{...(isKept && { kept: { until_ms: view.kept_until_ms, why: view.kept_why } })}
			reload={reload}
		/>
	);
	return (
		<>
			<BackLink />
			<PageHeading title={`${row.masked_name || t('desk.no-name')} · ${name}`} tab={name}>
				<StateMark row={row} />
				<HandedMark row={row} />
				<TermMark row={row} now_ms={now_ms} />
				<Button icon="print" onPress={() => window.print()}>
					{t('desk.case.print')}
				</Button>
			</PageHeading>
			<Printed />
			<Facts view={view} />
			{fault && <Failed text={fault} onRetry={() => void reload()} />}
			{row.is_absent && !view.erasure?.is_done && <Notice kind="warning">{t('desk.case.absent')}</Notice>}
			{isOpen(row) && openWithdrawal(view.asks) && <Notice kind="warning">{t('desk.case.withdrawal')}</Notice>}
			<Whose view={view} reload={reload} />
			<CarerPart view={view} />
			<Doing view={view} can={can} onChoose={choose} />
			<Proofs view={view} canAsk={can.includes('ask')} onAsk={() => choose('ask')} reload={reload} />
			{view.erasure && erasing}
			<div class="desk-columns">
				<div>
					<section>
						<h2>{t('desk.case.answers')}</h2>
						<Answers requestId={row.request_id} fields={view.fields} isReferred={row.referred_to !== ''} />
					</section>
					<section>
						<h2>{t('desk.consent.title')}</h2>
						<Consents view={view} />
					</section>
					<section>
						<h2>{t('desk.case.asks')}</h2>
						{view.asks.length > 0 ? <Asks asks={view.asks} /> : <p>{t('desk.case.asks-none')}</p>}
					</section>
					<CaseContacts requestId={row.request_id} />
					<section>
						<h2>{t('desk.case.events')}</h2>
						{view.events.length > 0 ? <Timeline requestId={row.request_id} events={view.events} /> : <p>{t('desk.case.events-none')}</p>}
					</section>
					<NewCode requestId={row.request_id} view={view} reload={reload} />
					<Letters requestId={row.request_id} view={view} reload={reload} />
				</div>
				<div>{service ? <Catalogue service={service} step={row.step} /> : <p>{t('desk.case.no-service')}</p>}</div>
			</div>
			{!view.erasure && erasing}
			{decision && !isExpired && (
				<DecideAfter
					key={decision}
					view={view}
					decision={decision}
					seen={seen}
					onSeen={setSeen}
					reload={reload}
					onClose={() => setDecision(null)}
				/>
			)}
		</>
	);
}

/** Paper leaves the room: it says who printed it, and when. */
function Printed() {
	const { session } = useDesk();
	const time = timeText(useNow());
	return <p class="on-paper">{t('desk.case.printed', { name: session.user, time })}</p>;
}

function BackLink() {
	return (
		<p class="desk-back">
			<Tab href={hrefOf('cases')}>{t('desk.back-to-queue')}</Tab>
		</p>
	);
}

function identityText({ identity }: KnownCase): string {
	if (identity?.source !== 'IDENTITY_SOURCE_CARD') return t('desk.case.identity.none');
	return t('desk.case.identity.card', { number: identity.card });
}

function Facts({ view }: { view: KnownCase }) {
	const { row } = view;
	const facts: [string, string][] = [
		[t('desk.col.place'), words(row.place_name) || row.place],
		...(view.channel !== 'REQUEST_CHANNEL_NONE'
			? ([[t('desk.case.channel'), t(`desk.channel.${view.channel}`)]] as [string, string][])
			: []),
		...(view.channel === 'REQUEST_CHANNEL_KIOSK' ? ([[t('desk.case.identity'), identityText(view)]] as [string, string][]) : []),
		[t('desk.col.owner'), t(`desk.tier.${row.owner}`)],
		[t('desk.col.received'), momentText(row.received_ms)],
		[t('desk.case.changed'), momentText(row.changed_ms)],
		...(row.step > 0 ? ([[t('desk.case.step'), stepText(row)]] as [string, string][]) : []),
		[t('desk.case.language'), t(view.language === 'en' ? 'desk.language.en' : 'desk.language.zh-CN')],
		...(row.access.length > 0
			? ([[t('desk.col.access'), row.access.map(valueText).join(t('desk.list-comma'))]] as [string, string][])
			: []),
		...(view.rating !== 'RATING_NONE' ? ([[t('desk.case.rating'), ratingText(view.rating)]] as [string, string][]) : []),
		[t('desk.case.number'), row.request_id],
	];
	return (
		<dl class="desk-facts">
			{facts.map(([label, value]) => (
				<div key={label}>
					<dt>{label}</dt>
					<dd>{value}</dd>
				</div>
			))}
		</dl>
	);
}

interface DoingProps {
	view: KnownCase;
	can: Decision[];
	onChoose: (decision: Decision) => void;
}

function Doing({ view, can, onChoose }: DoingProps) {
	const { row } = view;
	const isOn = useShortcutSwitch();
	const why = view.why_not_decide && <Notice kind="info"><Said text={view.why_not_decide} /></Notice>;
	if (can.length === 0)
		return (
			<Notice kind="info">
				{isOpen(row) ? t('desk.case.not-ours', { owner: ownerText(row) }) : t('desk.case.closed')}
			</Notice>
		);
	return (
		<section class="desk-doing">
			<h2>{t('desk.case.what-next')}</h2>
			{why}
			{row.state === 'CASE_STATE_PROPOSED' && (
				<Notice kind="warning">{t('desk.case.proposed', { what: t(`desk.outcome.${row.proposed}`) })}</Notice>
			)}
			{row.state === 'CASE_STATE_OBJECTED' && <Notice kind="warning">{t('desk.case.objected')}</Notice>}
			<div class="actions">
				{can.map((decision) => (
					<Button key={decision} kind={decision === 'accept' ? 'primary' : 'plain'} onPress={() => onChoose(decision)}>
						{decisionText(decision, row, view.service)}
						{isOn && (
							<>
								{' '}
								<kbd>{RULES[decision].key.toUpperCase()}</kbd>
							</>
						)}
					</Button>
				))}
			</div>
		</section>
	);
}

function Answers({ requestId, fields, isReferred }: { requestId: string; fields: FieldView[]; isReferred: boolean }) {
	if (fields.length === 0) return <p>{t('desk.none')}</p>;
	return (
		<dl class="desk-answers">
			{fields.map((field) => (
				<div key={field.id}>
					<dt>{words(field.label) || field.id}</dt>
					<dd class="desk-said">
						{field.file_types.length > 0 ? (
							<RequestFile requestId={requestId} field={field} label={words(field.label)} isReferred={isReferred} />
						) : (
							shownText(field)
						)}
					</dd>
				</div>
			))}
		</dl>
	);
}

function Catalogue({ service, step }: { service: Service; step: number }) {
	return (
		<>
			<section>
				<h2>{t('desk.case.conditions')}</h2>
				<Sentences sentences={service.conditions} />
			</section>
			<section>
				<h2>{t('desk.case.steps')}</h2>
				{service.steps.length > 0 ? (
					<ol>
						{service.steps.map(({ text, working_days, is_sample, in_person }, at) => (
							<li key={at} aria-current={at + 1 === step ? 'step' : undefined}>
								{words(text)}
								{working_days > 0 && (
									<span class="desk-minor">
										{' '}
										{t('desk.case.days', { n: working_days })}
										{is_sample && ` ${t('common.sample')}`}
									</span>
								)}
								{in_person && <span class="desk-minor"> {t('desk.case.in-person')}</span>}
							</li>
						))}
					</ol>
				) : (
					<p>{t('desk.none')}</p>
				)}
			</section>
			<section>
				<h2>{t('desk.case.evidence')}</h2>
				<Sentences sentences={service.evidence} />
			</section>
			<section>
				<h2>{t('desk.case.basis')}</h2>
				<Sourced facts={service.basis} />
			</section>
			{service.facts.length > 0 && (
				<section>
					<h2>{t('desk.case.facts')}</h2>
					<Sourced facts={service.facts} />
				</section>
			)}
		</>
	);
}

function Sentences({ sentences }: { sentences: Words[] }) {
	if (sentences.length === 0) return <p>{t('desk.none')}</p>;
	return (
		<ul>
			{sentences.map((sentence, at) => (
				<li key={at}>{words(sentence)}</li>
			))}
		</ul>
	);
}
