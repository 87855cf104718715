// What is written for others here: one mechanism and one editor, whatever a collection is made of.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { TextKey } from '../src/i18n';
import type { PublicationView, RevisionView } from '../src/types';
import { NOTICE, SERVICE, WORDING, type Content, type Part } from './shape';

export interface Collection {
	page: string; // of this console
	list: string; // address at the daemon
	member: 'service' | 'wording' | 'notice'; // of views and commands
	draftMember: 'draft' | 'wording_draft' | 'notice_draft';
	shape: readonly Part[];
	isPreviewed: boolean; // its reader stands at a kiosk
	isNamed: boolean; // by who begins one; otherwise the page makes up its name in the system
	isTakenBack: boolean; // by one person alone
	texts: Record<'title' | 'table' | 'back' | 'new' | 'head', TextKey>;
	lead: TextKey;
}

export const CATALOGUE: Collection = {
	page: 'catalogue',
	list: '/api/v1/publications/catalogue',
	member: 'service',
	draftMember: 'draft',
	shape: SERVICE,
	isPreviewed: true,
	isNamed: true,
	isTakenBack: false,
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
	draftMember: 'wording_draft',
	shape: WORDING,
	isPreviewed: false,
	isNamed: true,
	isTakenBack: false,
	texts: {
		title: 'desk.wording.title',
		table: 'desk.wordings.table',
		back: 'desk.wordings.back',
		new: 'desk.wordings.new',
		head: 'desk.wordings.head',
	},
	lead: 'desk.wordings.lead',
};

export const NOTICES: Collection = {
	page: 'notices',
	list: '/api/v1/publications/notice',
	member: 'notice',
	draftMember: 'notice_draft',
	shape: NOTICE,
	isPreviewed: true,
	isNamed: false,
	isTakenBack: true,
	texts: {
		title: 'desk.notices.title',
		table: 'desk.notices.table',
		back: 'desk.notices.back',
		new: 'desk.notices.new',
		head: 'desk.notices.head',
	},
	lead: 'desk.notices.lead',
};

export const InCollection = createContext<Collection>(CATALOGUE);
export const useCollection = () => useContext(InCollection);

/** What is in force, or what a revision says. */
export function contentOf({ member }: Collection, view: PublicationView | RevisionView | null): Content | undefined {
	return view?.[member] as Content | undefined;
}

export function draftOf({ draftMember }: Collection, view: PublicationView | null): Content | undefined {
	return view?.[draftMember] as Content | undefined;
}
