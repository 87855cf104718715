// What this page remembers of residents while it is open, and no longer: what was searched for, and what is being typed. No
// storage of the browser keeps it, and a logout drops it.
import type { LookPurpose, OtherPerson, PersonFacts, PersonRow, PersonsView } from '../src/types';

/** A record that is being written. */
export interface PersonDraft {
	person: string; // id; empty: a new one
	version: number; // that was seen
	seen: PersonFacts;
	facts: PersonFacts;
	reason: string;
	others: OtherPerson[];
}

export interface Search {
	query: string;
	found: PersonsView | null;
}

const NOTHING: Search = { query: '', found: null };
const drafts = new Map<string, PersonDraft>();
let search = NOTHING;
let announced: { person: string; purpose: LookPurpose } | null = null;

export const keptSearch = () => search;

export function keepSearch(next: Search): void {
	search = next;
}

/** What tells the person apart, if the search has just shown it. */
export function rowOf(person: string): PersonRow | undefined {
	return search.found?.persons.find((row) => row.person_id === person);
}

/** Whoever has said already why a record will be seen is not asked again, once. */
export function announcePurpose(person: string, purpose: LookPurpose): void {
	announced = { person, purpose };
}

export function takePurpose(person: string): LookPurpose {
	const purpose = announced?.person === person ? announced.purpose : 'LOOK_PURPOSE_NONE';
	announced = null;
	return purpose;
}

export const keptDraft = (person: string) => drafts.get(person);

export function keepPersonDraft(draft: PersonDraft): void {
	drafts.set(draft.person, draft);
}

export function dropPersonDraft(person: string): void {
	drafts.delete(person);
}

export const hasPersonDrafts = () => drafts.size > 0;

export function dropPeople(): void {
	drafts.clear();
	search = NOTHING;
	announced = null;
}
