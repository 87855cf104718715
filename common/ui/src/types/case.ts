// Messages of proto/*.proto as JSON: casework and erasing.

import type { CaseAction, Int64, Kind, Outcome, Rating, Tier, Words } from './common';
import type { Basis, FieldType, Service } from './service';
import type { AccessNeed, PersonRow } from './person';
import type { Carer, Consent, FieldValue, RequestChannel } from './request';

export type CaseState =
	| 'CASE_STATE_NONE'
	| 'CASE_STATE_RECEIVED'
	| 'CASE_STATE_ACCEPTED'
	| 'CASE_STATE_ASKED'
	| 'CASE_STATE_DECIDED'
	| 'CASE_STATE_WITHDRAWN'
	| 'CASE_STATE_DUPLICATE'
	| 'CASE_STATE_PROPOSED'
	| 'CASE_STATE_OBJECTED';

export type CaseTerm = 'CASE_TERM_NONE' | 'CASE_TERM_RUNS' | 'CASE_TERM_PAUSED' | 'CASE_TERM_UNKNOWN';

// A case that was handed over waits for the new owner to accept it.
export type HandedOver = 'HANDED_OVER_NO' | 'HANDED_OVER_WAITS' | 'HANDED_OVER_CAME_BACK';

/** Whether who handed the request in for the resident may. */
export type Authority =
	| 'AUTHORITY_NONE' // nobody did
	| 'AUTHORITY_COVERS'
	| 'AUTHORITY_CHILD'
	| 'AUTHORITY_NOT_CONFIRMED'
	| 'AUTHORITY_NOT_HERE'
	| 'AUTHORITY_NOT_ON_FILE'
	| 'AUTHORITY_OTHER_PHONE'
	| 'AUTHORITY_NOT_NOW'
	| 'AUTHORITY_NOT_THIS'
	| 'AUTHORITY_UNWANTED';

export interface CaseRow {
	request_id: string;
	service: string;
	service_name?: Words;
	revision: number;
	place: string;
	place_name?: Words;
	state: CaseState;
	outcome: Outcome;
	owner: Tier;
	is_ours: boolean; // this tier may act
	epoch: number;
	version: number;
	masked_name: string; // 张*
	received_ms: Int64; // accepted at this tier
	changed_ms: Int64;
	pending_asks: number;
	is_absent: boolean; // the payload was erased or cannot be opened
	step: number; // of the service's steps, the one that is under way, from 1; 0: all are done, or it is closed
	steps: number;
	step_text?: Words;
	due_ms: Int64; // the promised end of the step
	term: CaseTerm;
	unknown_year: number;
	is_due_sample: boolean; // the days of the step are an example
	is_overdue: boolean;
	proposed: Outcome; // CASE_STATE_PROPOSED
	staff: string; // who of the staff has it
	access: AccessNeed[]; // how the resident is reached and served, by the record
	handed: HandedOver;
	take_by_ms: Int64; // it waits here: then it goes back by itself; 0: working days unknown, or it waits elsewhere
	is_on_its_way: boolean; // handed over by this town, and the district has not got it yet
	referred_to: string; // the town that decides, if the case was referred
	referred_name?: Words; // of the other of the two towns
	referred_ms: Int64; // since when
	can_refer: boolean;
	authority: Authority; // of the carer who handed it in, today; of a closed case on the day on which it was closed
	person_died: boolean; // while it is open: what becomes of it is a question to staff
}

export interface CasesView {
	cases: CaseRow[];
	next: string; // give as `after` for the next page; empty at the end
	open: Int64; // open cases that this tier owns
}

export interface FieldView {
	id: string;
	label?: Words;
	type: FieldType;
	values: string[];
	choice_names: Words[]; // for choices, one a value
	file_types: string[]; // one a file
	parts: number; // of a file that travels in parts; 0: it lies in the request
	parts_come: number; // how many of them are here
}

export interface FileView {
	type: string;
	content: string; // base64
}

export interface EventView {
	version: number;
	action: CaseAction;
	outcome: Outcome;
	owner: Tier; // after it
	by_tier: Tier;
	staff: string;
	note: string;
	text: string;
	ground: string;
	remedy: string;
	duplicate_of: string;
	time_ms: Int64;
	is_absent: boolean;
	seen: number[]; // EVIDENCE: sentences of the service's evidence, from 1
	not_seen: number[];
	proposed_by: string;
	fields: FieldView[]; // what staff filled in at a step
	place_name?: Words; // of the office that wrote it
	town_name?: Words; // REFER: to which
	rating: Rating; // RATE; NONE: it did not count
}

export type ProofSource = 'PROOF_SOURCE_NONE' | 'PROOF_SOURCE_REQUEST' | 'PROOF_SOURCE_RECORD' | 'PROOF_SOURCE_PAPER';

/** One piece of the evidence that the service needs. */
export interface ProofView {
	evidence: number;
	text?: Words;
	before_step: number; // 0: before anything is granted
	source: ProofSource; // NONE: missing
	field: string;
	by: string; // PAPER: who saw it
	time_ms: Int64;
	can_be_paper: boolean;
}

export interface AskView {
	kind: Kind; // KIND_ANSWER, KIND_WITHDRAW, KIND_OBJECT, KIND_RATE
	rating: Rating;
	text: string;
	time_ms: Int64;
	version: number;
	is_answered: boolean;
	is_absent: boolean;
	is_unwanted: boolean; // the resident did not want what a carer handed in
}

export interface CaseView {
	row?: CaseRow;
	service?: Service;
	fields: FieldView[];
	events: EventView[];
	asks: AskView[];
	language: string;
	consents: Consent[];
	is_for_child: boolean;
	carer?: Carer; // who handed it in for the resident
	taken_by: string;
	channel: RequestChannel;
	identity?: { source: string; card: string; person_id: string; time_ms: Int64 }; // terminal: how it was shown who asks
	erasure?: ErasureView; // proposed or done
	can_erase: boolean; // may be proposed now
	kept_until_ms: Int64; // it may not, before then
	kept_why?: Basis;
	person?: PersonRow; // whose case it is
	proofs: ProofView[];
	why_not_decide: string; // why the one who looks may not decide now what others may
	object_until_ms: Int64; // 0: cannot be objected to
	rating: Rating; // the resident's
	new_codes: NewCodeEvent[]; // how often the receipt was lost, oldest first
	can_give_code: boolean;
	letters: { letter: Letter; time_ms: Int64 }[]; // that were printed here, the newest first
}

export type IdentityCheck =
	| 'IDENTITY_CHECK_ID_CARD'
	| 'IDENTITY_CHECK_CERTIFICATE'
	| 'IDENTITY_CHECK_OTHER_PAPER'
	| 'IDENTITY_CHECK_REPRESENTATIVE';

export interface NewCodeEvent {
	checked: IdentityCheck | 'IDENTITY_CHECK_NONE';
	note: string;
	staff: string;
	time_ms: Int64;
	is_absent: boolean;
}

export type LetterKind = 'LETTER_KIND_ACCEPTED' | 'LETTER_KIND_MISSING' | 'LETTER_KIND_DECIDED';

export interface Letter {
	kind: LetterKind;
	language: string;
	version: number; // of the event that it tells of
	by: string;
}

export type EraseAction = 'ERASE_ACTION_NONE' | 'ERASE_ACTION_PROPOSE' | 'ERASE_ACTION_DROP' | 'ERASE_ACTION_CONFIRM';

export interface ErasureView {
	act: string;
	requests: string[];
	persons: string[];
	is_done: boolean;
	reason: string;
	ground: string;
	proposed_by: string;
	proposed_ms: Int64;
	confirmed_by: string;
	decided_ms: Int64;
	tier: Tier; // that decided
	place: string;
	place_name?: Words;
	can_confirm: boolean; // by who looks: not by the one who proposed it
	erased_ms: Int64; // here
}

export interface ErasuresView {
	erasures: ErasureView[]; // the newest first
	is_more: boolean; // there are more than are shown
}

export interface CaseCommand {
	action: CaseAction; // ACCEPT, ASK, DECIDE, WITHDRAWN, DUPLICATE, HAND_OVER, CONFIRM_PERSON
	version: number; // that the staff member saw
	outcome: Outcome;
	note: string;
	text: string;
	ground: string;
	remedy: string;
	duplicate_of: string;
	town?: string; // REFER: to which
	seen?: number[]; // EVIDENCE
	not_seen?: number[];
	approves?: boolean; // DECIDE: what was proposed
	values?: FieldValue[]; // STEP, DECIDE, PROPOSE: what the step asks
}
