// Messages of proto/*.proto as JSON: what people write for others: drafts, publication, arrival.

import type { Int64, Words } from './common';
import type { TownNotice } from './notice';
import type { Module, Service } from './service';
import type { Template } from './work';

export interface Arrival {
	arrived: number; // sites that have it
	heard: number; // sites of which is known since the hub started how far they are
	sites: number;
}

export type ChangeKind =
	| 'CHANGE_KIND_NONE'
	| 'CHANGE_KIND_CHANGED'
	| 'CHANGE_KIND_ADDED'
	| 'CHANGE_KIND_REMOVED'
	| 'CHANGE_KIND_MOVED';

export interface Change {
	path: string; // fields[phone].hint.zh: elements by their id, else by their place from 0
	kind: ChangeKind;
	before: string;
	after: string;
}

export interface ContentFault {
	path: string; // fields[2].label.zh: elements by their place from 0
	text: string;
}

export interface DraftRow {
	version: number;
	based_on: number;
	goes_back_to: number;
	authors: string[];
	changed_by: string;
	changed_ms: Int64;
	faults: number;
	is_stale: boolean; // something newer than its base is in force: it must be looked at again
}

export interface RevisionRow {
	revision: number;
	drafted_by: string[];
	published_by: string;
	published_ms: Int64;
	goes_back_to: number;
	arrival?: Arrival;
}

export interface PublicationRow {
	key: string;
	name?: Words;
	module: Module;
	newest?: RevisionRow;
	draft?: DraftRow;
}

export interface PublicationsView {
	rows: PublicationRow[];
	time_ms: Int64;
}

export interface MissingSite {
	place: string;
	place_name?: Words;
	is_heard: boolean; // since the hub started
	is_up: boolean;
	since_ms: Int64;
}

export interface PublicationView {
	row?: PublicationRow;
	service?: Service; // in force
	revisions: RevisionRow[]; // newest first
	missing: MissingSite[]; // that do not have the newest
	draft?: Service;
	faults: ContentFault[]; // of the draft
	changes: Change[]; // from what is in force to the draft
	time_ms: Int64;
	wording?: Template; // in force, in the place of a service
	wording_draft?: Template;
	notice?: TownNotice;
	notice_draft?: TownNotice;
}

export interface RevisionView {
	row?: RevisionRow;
	service?: Service;
	changes: Change[]; // from it to what is in force
	wording?: Template;
	notice?: TownNotice;
}

export interface DraftStepView {
	version: number; // of the draft; 0: there is none any more
	revision: number; // that was published
	faults: ContentFault[];
	changes: Change[];
}
