// Messages of proto/work.proto and desk.proto as JSON: the day's work at a desk.

import type { CaseRow } from './case';
import type { CaseAction, Int64, Outcome, Words } from './common';
import type { AccessNeed } from './person';

export type CaseLeft =
	| 'CASE_LEFT_NONE'
	| 'CASE_LEFT_OVERDUE'
	| 'CASE_LEFT_DAY'
	| 'CASE_LEFT_THREE_DAYS'
	| 'CASE_LEFT_PAUSED';

/** What of the queue is wanted; empty parts ask for nothing. */
export interface CaseFilter {
	view: string;
	service: string;
	place: string;
	state: string;
	staff: string; // an account, with those whose deputy it is today; "-": nobody's
	access: AccessNeed | 'ACCESS_NEED_NONE';
	left: CaseLeft;
}

export interface CasesFoundView {
	cases: CaseRow[];
	next: string;
	matches: Int64;
	is_ready: boolean;
	open: Int64;
}

export type BulkAct = 'BULK_ACT_ASSIGN' | 'BULK_ACT_ACCEPT' | 'BULK_ACT_ASK' | 'BULK_ACT_DUPLICATE';

export interface BulkItem {
	request_id: string;
	version: number;
	staff?: string;
}

export interface BulkCommand {
	act: BulkAct;
	staff?: string;
	text?: string;
	duplicate_of?: string;
	items: BulkItem[];
	is_preview?: boolean;
	is_undo?: boolean;
}

export interface BulkResult {
	request_id: string;
	is_done: boolean;
	code: string;
	text: string;
	staff_before: string;
	version: number;
}

export interface BulkView {
	results: BulkResult[];
	done: number;
}

export interface Leave {
	staff: string;
	from: string;
	until: string;
	deputy: string;
}

export interface SavedView {
	id: string;
	name: string;
	filter?: CaseFilter;
}

export interface Template {
	id: string;
	service: string;
	action: CaseAction;
	outcome: Outcome;
	name?: Words;
	plain?: Words;
	easy?: Words;
	revision: number; // that the district published; 0: a desk's own
}

export interface WordingsView {
	own: Template[];
	published: Template[];
}

export interface NoteRecord {
	note: Int64;
	by: string;
	time_ms: Int64;
	text: string;
	ticks: { by: string; time_ms: Int64 }[];
}

export interface WorkRow {
	staff: string; // "": nobody's
	role: string;
	open: Int64;
	overdue: Int64;
	day: Int64;
	asked: Int64;
	leave?: Leave;
	is_away: boolean;
}

export interface WorkView {
	rows: WorkRow[];
	views: SavedView[];
	notes: NoteRecord[];
	templates: Template[];
	is_ready: boolean;
	user: string;
	may_lead: boolean;
}

export interface DeskCommand {
	act: string;
	view?: Partial<SavedView>;
	leave?: Partial<Leave>;
	text?: string;
	note?: Int64;
	wording?: Partial<Template>;
}
