// The inputs of a shape, whatever is written with it. Faults of the daemon's check stand at what they are about.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t, words } from '../src/i18n';
import {
	Button,
	Choice,
	Choices,
	Field,
	FieldNotes,
	type FieldWiring,
	Line,
	LongLine,
	More,
	notesOf,
	Select,
} from '../src/parts';
import type { CatalogueView, Words } from '../src/types';
import { useLoaded } from '../desk/session';
import { useCommunities } from './told';
import { blank, blankOf, elementName, partName, valueName, type Content, type Kind, type Part, type Step } from './shape';

export interface Writing {
	faults: ReadonlyMap<string, string>; // by path
	put: (path: Step[], value: unknown) => void;
}

interface PartProps {
	writing: Writing;
	kind: Kind;
	path: Step[];
	label: string;
	value: unknown;
}

export function pathOf(steps: readonly Step[]): string {
	return steps.map((step, i) => (typeof step === 'number' ? `[${step}]` : i > 0 ? `.${step}` : step)).join('');
}

export function idOf(path: string): string {
	return `part-${path}`;
}

export function Parts({ parts, value, path, writing }: { parts: readonly Part[]; value: Content; path: Step[]; writing: Writing }) {
	return (
		<>
			{parts
				.filter((part) => !part.when || part.when(value))
				.map(({ name, as, kind }) => (
					<Input
						key={name}
						writing={writing}
						kind={kind}
						path={[...path, name]}
						label={partName(as ?? name)}
						value={value[name]}
					/>
				))}
		</>
	);
}

function Input(props: PartProps) {
	const { kind, value, path, writing, label } = props;
	const put = (next: unknown) => writing.put(path, next);
	switch (kind.is) {
		case 'line':
		case 'date':
			return (
				<Typed {...props}>
					{(wiring) => <Line wiring={wiring} value={String(value ?? '')} maxLength={500} onType={put} />}
				</Typed>
			);
		case 'number':
		case 'integer':
			return <Digits {...props} />;
		case 'flag':
			return (
				<div class="edit-flag" id={idOf(pathOf(path))} tabIndex={-1}>
					<Choice
						type="checkbox"
						name={pathOf(path)}
						option={{ id: 'yes', name: label }}
						isChosen={value === true}
						onChange={put}
					/>
				</div>
			);
		case 'one':
			return (
				<Typed {...props}>
					{(wiring) => (
						<Select
							wiring={wiring}
							value={String(value ?? kind.of[0])}
							options={kind.of.map((id) => ({ id, name: valueName(id) }))}
							onChoose={put}
						/>
					)}
				</Typed>
			);
		case 'service':
			return <OneService {...props} />;
		case 'communities':
			return <Communities {...props} />;
		case 'words':
			return <BothLanguages {...props} kind={kind} />;
		case 'list':
			return <List {...props} kind={kind} />;
		case 'message':
			return <Message {...props} kind={kind} />;
	}
}

function Typed({ path, label, writing, children }: PartProps & { children: (wiring: FieldWiring) => ComponentChildren }) {
	const at = pathOf(path);
	return (
		<Field id={idOf(at)} label={label} error={writing.faults.get(at)}>
			{children}
		</Field>
	);
}

function OneService(props: PartProps) {
	const { value, path, writing } = props;
	const { data } = useLoaded<CatalogueView>('/api/v1/catalogue', (name) => name === 'catalogue');
	const known = (data?.services ?? []).map(({ id, name }) => ({ id, name: words(name) || id }));
	const now = String(value ?? '');
	const other = now && !known.some(({ id }) => id === now) ? [{ id: now, name: now }] : [];
	return (
		<Typed {...props}>
			{(wiring) => (
				<Select
					wiring={wiring}
					value={now}
					options={[{ id: '', name: t('desk.filter.any') }, ...known, ...other]}
					onChoose={(id) => writing.put(path, id)}
				/>
			)}
		</Typed>
	);
}

/** Only what is a number reaches the content: anything else the daemon could not even read. */
function Digits(props: PartProps) {
	const { kind, value, path, writing } = props;
	const type = (text: string) => {
		const digits = text.replace(/[^\d-]/g, '').replace(/(?!^)-/g, '').slice(0, kind.is === 'number' ? 6 : 15);
		if (kind.is === 'number') writing.put(path, Math.abs(Number(digits)) || 0);
		else writing.put(path, /\d/.test(digits) ? String(BigInt(digits)) : '0');
	};
	return (
		<Typed {...props}>
			{(wiring) => <Line wiring={wiring} inputMode="numeric" value={String(value ?? 0)} onType={type} />}
		</Typed>
	);
}

/** Those of this town, each to be chosen, or all at once. */
function Communities({ path, label, value, writing }: PartProps) {
	const at = pathOf(path);
	const communities = useCommunities();
	const put = (next: string[]) => writing.put(path, next);
	return (
		<>
			<Choices
				id={idOf(at)}
				legend={label}
				error={writing.faults.get(at)}
				options={communities}
				chosen={(value as string[] | undefined) ?? []}
				areSeveral
				class="edit-places"
				onChange={put}
			/>
			<div class="actions">
				<Button onPress={() => put(communities.map(({ id }) => id))}>{t('desk.notices.all-places')}</Button>
				<Button onPress={() => put([])}>{t('desk.notices.no-places')}</Button>
			</div>
		</>
	);
}

const LANGUAGES = [
	{ id: 'zh', lang: 'zh-CN' },
	{ id: 'en', lang: 'en' },
] as const;

/** A text in both languages, side by side: whoever changes one sees the other. */
function BothLanguages({ kind, value, path, writing, label }: PartProps & { kind: Extract<Kind, { is: 'words' }> }) {
	const now = { zh: '', en: '', ...(value as Words | undefined) };
	const at = pathOf(path);
	const type = (language: 'zh' | 'en', text: string) => {
		const next = { ...now, [language]: text };
		writing.put(path, kind.isOptional && !next.zh && !next.en ? undefined : next);
	};
	return (
		<fieldset class="edit-words" id={idOf(at)} tabIndex={-1}>
			<legend class="field-label">{label}</legend>
			<FieldNotes id={idOf(at)} error={writing.faults.get(at)} />
			{LANGUAGES.map(({ id, lang }) => (
				<Field
					key={id}
					id={idOf(`${at}.${id}`)}
					label={partName(id)}
					error={writing.faults.get(`${at}.${id}`)}
				>
					{(wiring) => {
						const typed = { wiring, value: now[id], onType: (text: string) => type(id, text) };
						return (
							<div lang={lang}>
								{kind.isLong ? <LongLine {...typed} rows={2} maxLength={1000} /> : <Line {...typed} maxLength={200} />}
							</div>
						);
					}}
				</Field>
			))}
		</fieldset>
	);
}

function Message({ kind, value, path, writing, label }: PartProps & { kind: Extract<Kind, { is: 'message' }> }) {
	const at = pathOf(path);
	return (
		<fieldset class="edit-group" id={idOf(at)} tabIndex={-1}>
			<legend class="edit-legend">{label}</legend>
			<FieldNotes id={idOf(at)} error={writing.faults.get(at)} />
			{value !== undefined && <Parts parts={kind.parts} value={value as Content} path={path} writing={writing} />}
			{kind.isOptional && (
				<div class="actions">
					{value === undefined ? (
						<Button icon="edit" onPress={() => writing.put(path, blankOf(kind.parts))}>
							{t('desk.edit.add', { what: label })}
						</Button>
					) : (
						<Button kind="danger" icon="erase" onPress={() => writing.put(path, undefined)}>
							{t('desk.edit.remove', { what: label })}
						</Button>
					)}
				</div>
			)}
		</fieldset>
	);
}

// ---- lists: add, take out, move ----

function List({ kind, value, path, writing, label }: PartProps & { kind: Extract<Kind, { is: 'list' }> }) {
	const list = (value as unknown[] | undefined) ?? [];
	const at = pathOf(path);
	const put = (next: unknown[]) => writing.put(path, next);
	return (
		<fieldset class="edit-group" id={idOf(at)} tabIndex={-1} aria-describedby={notesOf(idOf(at), undefined, writing.faults.get(at))}>
			<legend class="edit-legend">{label}</legend>
			<FieldNotes id={idOf(at)} error={writing.faults.get(at)} />
			<ol class="edit-list">
				{list.map((element, i) => (
					<Element
						key={i}
						{...{ writing, element, label }}
						kind={kind.of}
						path={[...path, i]}
						count={list.length}
						onMove={(by) => put(moved(list, i, by))}
						onRemove={() => put(list.filter((_, k) => k !== i))}
					/>
				))}
			</ol>
			<div class="actions">
				<Button icon="edit" onPress={() => put([...list, blank(kind.of) ?? {}])}>
					{t('desk.edit.add', { what: label })}
				</Button>
			</div>
		</fieldset>
	);
}

function moved<T>(list: T[], from: number, by: number): T[] {
	const next = [...list];
	const [one] = next.splice(from, 1);
	next.splice(from + by, 0, one!);
	return next;
}

interface ElementProps {
	writing: Writing;
	kind: Kind;
	path: Step[];
	label: string;
	element: unknown;
	count: number;
	onMove: (by: number) => void;
	onRemove: () => void;
}

function nameOf(element: unknown): string {
	return elementName(element) || (element as { field?: string }).field || '';
}

function Element({ writing, kind, path, label, element, count, onMove, onRemove }: ElementProps) {
	const at = pathOf(path);
	const i = path[path.length - 1] as number;
	const faults = [...writing.faults.keys()].filter((fault) => fault.startsWith(`${at}.`) || fault === at).length;
	const name = t('desk.edit.item', { what: label, n: i + 1 });
	const [isOpen, setOpen] = useState(!nameOf(element));
	const body =
		kind.is === 'message' ? (
			<Parts parts={kind.parts} value={element as Content} path={path} writing={writing} />
		) : (
			<Input writing={writing} kind={kind} path={path} label={name} value={element} />
		);
	return (
		<li class={faults ? 'edit-item wrong' : 'edit-item'}>
			<More
				path={at}
				isOpen={isOpen}
				onToggle={setOpen}
				name={
					<>
						<span class="edit-item-name">
							{name} <strong>{nameOf(element)}</strong>
						</span>
						{faults > 0 && <span class="edit-item-faults">{t('desk.draft.faults', { n: faults })}</span>}
					</>
				}
			>
				{isOpen && <div class="edit-item-body">{body}</div>}
			</More>
			<div class="actions">
				{i > 0 && (
					<Button icon="up" label={t('desk.edit.up-of', { what: name })} onPress={() => onMove(-1)}>
						{t('desk.edit.up')}
					</Button>
				)}
				{i + 1 < count && (
					<Button icon="down" label={t('desk.edit.down-of', { what: name })} onPress={() => onMove(1)}>
						{t('desk.edit.down')}
					</Button>
				)}
				<Button icon="erase" label={t('desk.edit.take-of', { what: name })} onPress={onRemove}>
					{t('desk.edit.take')}
				</Button>
			</div>
		</li>
	);
}
