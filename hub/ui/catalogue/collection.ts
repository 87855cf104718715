// What is written for others here: one mechanism and one editor, whatever a collection is made of.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { TextKey } from '../../../common/ui/src/i18n';
import type { PublicationView, RevisionView } from '../../../common/ui/src/types';
import { SERVICE, WORDING, type Content, type Part } from './shape';

export interface Collection {
	page: string; // of this console
	list: string; // address at the daemon
	member: 'service' | 'wording'; // of views and commands
	shape: readonly Part[];
	isPreviewed: boolean; // its reader stands at a kiosk
	texts: Record<'title' | 'table' | 'back' | 'new' | 'head', TextKey>;
	lead: TextKey;
}

export const CATALOGUE: Collection = {
	page: 'catalogue',
	list: '/api/v1/publications/catalogue',
	member: 'service',
	shape: SERVICE,
	isPreviewed: true,
	texts: {
		title: 'desk.catalogue.title',
		table: 'desk.catalogue.table',
		back: 'desk.catalogue.back',
		new: 'desk.catalogue.new',
		head: 'desk.col.service',
	},
	lead: 'desk.catalogue.lead',
};

export const WORDINGS: Collection = {
	page: 'wordings',
	list: '/api/v1/publications/wording',
	member: 'wording',
	shape: WORDING,
	isPreviewed: false,
	texts: {
		title: 'desk.wording.title',
		table: 'desk.wordings.table',
		back: 'desk.wordings.back',
		new: 'desk.wordings.new',
		head: 'desk.wordings.head',
	},
	lead: 'desk.wordings.lead',
};

export const InCollection = createContext<Collection>(CATALOGUE);
export const useCollection = () => useContext(InCollection);

/** What is in force, or what a revision says. */
export function contentOf({ member }: Collection, view: PublicationView | RevisionView | null): Content | undefined {
	return view?.[member] as Content | undefined;
}

export function draftOf({ member }: Collection, view: PublicationView | null): Content | undefined {
	return (member === 'service' ? view?.draft : view?.wording_draft) as Content | undefined;
}
