// Texts that answers begin with, in plain and in easy language: the desk's own, and what the district publishes. What is
// inserted is changed before it is sent.
import { useState } from 'preact/hooks';
import { t, words } from '../src/i18n';
import { Button, Chip, Empty, Field, Line, LongLine, Select } from '../src/parts';
import type { CatalogueView, DeskCommand, Template, WordingsView, WorkView } from '../src/types';
import { keepText, keptText, RULES, type Decision, type KnownCase } from './model';
import { useLoaded } from './session';

const DECISIONS = ['ask', 'grant', 'grant_partly', 'refuse', 'close_withdrawn'] as const;
const TEXT_MOST = 1000;
const NAME_MOST = 30;

interface PickProps {
	view: KnownCase;
	decision: Decision;
	onInsert: (text: string) => void;
}

/** Those that fit the case and what is done with it, in the resident's language. */
export function PickWording({ view, decision, onInsert }: PickProps) {
	const { data } = useLoaded<WordingsView>(`/api/v1/cases/${view.row.request_id}/wordings`, (name) => name === 'work' || name === 'catalogue');
	const { action, outcome } = RULES[decision];
	const fitting = [...(data?.published ?? []), ...(data?.own ?? [])].filter((one) => one.action === action && one.outcome === outcome);
	if (fitting.length === 0) return null;
	const inTheirs = (text: Template['plain']) => (view.language === 'en' ? text?.en : text?.zh) ?? '';
	return (
		<section aria-label={t('desk.wording.pick')}>
			<p class="field-label">{t('desk.wording.pick')}</p>
			{fitting.map((one) => (
				<div key={`${one.id} ${one.revision}`} class="desk-bar">
					<span class="desk-said">{words(one.name)}</span>
					{one.revision > 0 && <Chip kind="info">{t('desk.wording.of-district', { n: one.revision })}</Chip>}
					<Button onPress={() => onInsert(inTheirs(one.plain))}>{t('desk.wording.plain')}</Button>
					<Button onPress={() => onInsert(inTheirs(one.easy))}>{t('desk.wording.easy')}</Button>
				</div>
			))}
		</section>
	);
}

const PARTS = ['name-zh', 'name-en', 'plain-zh', 'plain-en', 'easy-zh', 'easy-en'] as const;
type Part = (typeof PARTS)[number];
const keyOf = (part: Part) => `wording ${part}`;

interface WordingsProps {
	work: WorkView;
	write: (command: DeskCommand) => Promise<boolean>;
}

/** What there is, and a new one. */
export function Wordings({ work, write }: WordingsProps) {
	const { data } = useLoaded<CatalogueView>('/api/v1/catalogue', (name) => name === 'catalogue');
	const [decision, setDecision] = useState<(typeof DECISIONS)[number]>('ask');
	const [service, setService] = useState('');
	const [typed, setTyped] = useState(() => Object.fromEntries(PARTS.map((part) => [part, keptText(keyOf(part))])) as Record<Part, string>);
	const type = (part: Part) => (text: string) => {
		setTyped((old) => ({ ...old, [part]: text }));
		keepText(keyOf(part), text);
	};
	const pair = (name: 'name' | 'plain' | 'easy') => ({ zh: typed[`${name}-zh`].trim(), en: typed[`${name}-en`].trim() });
	const send = async () => {
		const { action, outcome } = RULES[decision];
		const id = Math.random().toString(36).slice(2, 10);
		const wording = { id, service, action, outcome, name: pair('name'), plain: pair('plain'), easy: pair('easy') };
		if (await write({ act: 'DESK_ACT_KEEP_TEMPLATE', wording })) for (const part of PARTS) type(part)('');
	};
	return (
		<section>
			<h2>{t('desk.wording.title')}</h2>
			<p>{t('desk.wording.lead')}</p>
			{work.templates.length === 0 && <Empty>{t('desk.wording.none')}</Empty>}
			<ul class="desk-notes">
				{work.templates.map((one) => (
					<li key={one.id} class="desk-block">
						<p class="desk-said">
							<strong>{words(one.name)}</strong>
						</p>
						<p class="desk-said">{words(one.plain)}</p>
						<p class="desk-said">{words(one.easy)}</p>
						<Button onPress={() => void write({ act: 'DESK_ACT_DROP_TEMPLATE', wording: { id: one.id } })}>
							{t('desk.wording.drop')}
						</Button>
					</li>
				))}
			</ul>
			<div class="desk-filter-parts">
				<Field id="wording-for" label={t('desk.wording.for')}>
					{(wiring) => (
						<Select
							wiring={wiring}
							value={decision}
							options={DECISIONS.map((id) => ({ id, name: t(`desk.wording.for.${id}`) }))}
							onChoose={(id) => setDecision(id as typeof decision)}
						/>
					)}
				</Field>
				<Field id="wording-service" label={t('desk.filter.service')}>
					{(wiring) => (
						<Select
							wiring={wiring}
							value={service}
							options={[
								{ id: '', name: t('desk.filter.any') },
								...(data?.services ?? []).map(({ id, name }) => ({ id, name: words(name) || id })),
							]}
							onChoose={setService}
						/>
					)}
				</Field>
				{PARTS.map((part) => (
					<Field key={part} id={`wording-${part}`} label={t(`desk.wording.${part}`)}>
						{(wiring) =>
							part.startsWith('name') ? (
								<Line wiring={wiring} maxLength={NAME_MOST} value={typed[part]} onType={type(part)} />
							) : (
								<LongLine wiring={wiring} rows={3} maxLength={TEXT_MOST} value={typed[part]} onType={type(part)} />
							)
						}
					</Field>
				))}
			</div>
			<div class="actions">
				<Button onPress={() => void send()}>{t('desk.wording.save')}</Button>
			</div>
		</section>
	);
}
