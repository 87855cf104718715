// What is on file of a person, as people read it: labels, values, days and what changed.
import { dateText, t, textOr, words } from '../src/i18n';
import type { PersonFacts, PlacesView, Representative } from '../src/types';
import { useLoaded } from './session';
import things from '../../../deploy/things.json';

/** Names of places by their codes; the code itself until they are read. */
export type PlaceName = (code: string) => string;

export function usePlaces(): { places: PlacesView['places']; nameOf: PlaceName } {
	const { data } = useLoaded<PlacesView>('/api/v1/places', () => false);
	const places = data?.places ?? [];
	return { places, nameOf: (code) => words(places.find((place) => place.code === code)?.name) || code };
}

/** Benefits and assistive devices by their ids, as the district names them. */
export const THINGS = { benefits: things.benefits, devices: things.devices };

/** The name; of what the list does not have any more, the id. */
export function thingText(of: keyof typeof THINGS, id: string): string {
	return words(THINGS[of].find((one) => one.id === id)?.name) || id;
}

/** A word of the daemon in the language chosen; what people typed stays. */
export function valueText(value: string): string {
	return /^[A-Z]+(_[A-Z]+)+$/.test(value) ? textOr(`desk.person.value.${value}`, 'desk.person.value.other') : value;
}

/** contacts[1].phone: which contact, and what of it. */
export function pathText(path: string): string {
	return path
		.split('.')
		.map((part) => {
			const [, name = '', at] = /^(\w+)(?:\[(\d+)\])?$/.exec(part) ?? [];
			const label = textOr(`desk.person.field.${name}`, 'desk.person.field.other');
			return at === undefined ? label : `${label} ${Number(at) + 1}`;
		})
		.join(' · ');
}

/** One value of a change, by its path. */
export function changeText(path: string, value: string, nameOf: PlaceName): string {
	if (!value) return t('desk.person.nothing');
	if (path === 'community') return nameOf(value);
	if (path.endsWith('.is_given')) return t('common.consent.given');
	if (path.endsWith('.benefit')) return thingText('benefits', value);
	if (path.startsWith('devices')) return thingText('devices', value);
	return valueText(dateText(value));
}

export function untilText(from: string, until: string): string {
	if (!from && !until) return '';
	if (!until) return t('desk.person.since', { from: dateText(from) });
	return t('desk.person.from-until', { from: from ? dateText(from) : t('desk.person.nothing'), until: dateText(until) });
}

const joined = (parts: string[]) => parts.filter(Boolean).join(t('desk.list-comma'));

export function representativeText({ name, relation, phone, scope, modules }: Representative): string {
	return [name, relation, phone, valueText(scope), joined(modules.map(valueText))].filter(Boolean).join(' · ');
}

/** One entry of the facts in one line, for comparing. */
export function factText(facts: PersonFacts, key: keyof PersonFacts, nameOf: PlaceName): string {
	switch (key) {
		case 'contacts':
			return joined(facts.contacts.map(({ name, relation, phone }) => [name, relation, phone].filter(Boolean).join(' ')));
		case 'representatives':
			return joined(facts.representatives.map((one) => `${representativeText(one)} ${untilText(one.from, one.until)}`));
		case 'benefits':
			return joined(facts.benefits.map(({ benefit, from, until }) => `${thingText('benefits', benefit)} ${untilText(from, until)}`));
		case 'consents':
			return joined(
				facts.consents.map(({ topic, is_given }) =>
					t('desk.person.consent', {
						topic: valueText(topic),
						answer: t(is_given ? 'common.consent.given' : 'common.consent.refused'),
					}),
				),
			);
		case 'access':
			return joined(facts.access.map(valueText));
		case 'devices':
			return joined(facts.devices.map((id) => thingText('devices', id)));
		case 'verified':
			return facts.verified ? valueText(facts.verified.how) : '';
		default:
			return facts[key] ? changeText(key, facts[key], nameOf) : '';
	}
}

export const MODULES = [
	'MODULE_LIFE',
	'MODULE_ADVICE',
	'MODULE_JOBS',
	'MODULE_DEVICES',
	'MODULE_REHABILITATION',
	'MODULE_POLICY',
	'MODULE_RIGHTS',
	'MODULE_CULTURE',
] as const;

export const ACCESS_NEEDS = [
	'ACCESS_NEED_LARGE_TEXT',
	'ACCESS_NEED_SPEECH',
	'ACCESS_NEED_SIGN_LANGUAGE',
	'ACCESS_NEED_TEXT_ONLY',
	'ACCESS_NEED_EASY_LANGUAGE',
	'ACCESS_NEED_WHEELCHAIR',
	'ACCESS_NEED_COMPANION',
	'ACCESS_NEED_HOME_VISIT',
	'ACCESS_NEED_BRAILLE',
] as const;
