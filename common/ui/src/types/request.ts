// Messages of proto/*.proto as JSON: a request and its receipt: what a kiosk and a town's counter hand in and look up.

import type { FieldView } from './case';
import type { AccessNeed } from './person';
import type { CaseAction, Int64, Outcome, Rating, Tier, Words } from './common';

export interface FieldValue {
	field: string; // id in the service's fields
	values: string[]; // canonical text by the field's type; more than one only for "several"
	files: string[]; // base64; of a file field, at most one
}

export type ConsentKind =
	'CONSENT_KIND_NONE' | 'CONSENT_KIND_PRIVACY' | 'CONSENT_KIND_HEALTH' | 'CONSENT_KIND_SHARING';

export interface Consent {
	kind: ConsentKind;
	sharing: string; // id of the sharing; otherwise empty
	is_given: boolean; // false: asked and refused
	time_ms: Int64;
	is_by_carer: boolean;
}

/** What the person has allowed, as both say. */
export type CarerScope = 'CARER_SCOPE_NONE' | 'CARER_SCOPE_ONCE' | 'CARER_SCOPE_MODULE' | 'CARER_SCOPE_ALL';

/** Who acts for the person: the guardian of a child under 14, or who was asked to. */
export interface Carer {
	name: string;
	relation: string;
	phone: string;
	scope: CarerScope;
}

export interface Marks3 {
	saved: boolean; // saved here
	town: boolean;
	district: boolean;
}

export interface DraftView {
	request_id: string;
	code: string;
}

export type RequestChannel =
	| 'REQUEST_CHANNEL_NONE'
	| 'REQUEST_CHANNEL_KIOSK'
	| 'REQUEST_CHANNEL_COUNTER'
	| 'REQUEST_CHANNEL_PHONE';

export interface SubmitCommand {
	request_id: string;
	code: string;
	service: string;
	revision: number;
	values: FieldValue[];
	language: string;
	consents: Consent[];
	is_for_child: boolean;
	carer?: Carer; // none: the person asks
	channel?: RequestChannel; // of what staff type
	access?: readonly AccessNeed[]; // how the resident wants to be served
}

export interface FieldFault {
	field: string;
	rule: string; // required, too-short, too-long, too-small, too-big, not-a-number, not-money, not-a-date, not-a-choice, too-many, too-few, not-a-phone, not-a-certificate, not-an-id-number, not-a-place, not-text, not-a-file, file-too-big, consent-missing, guardian-missing, only-self, unknown-field
	least: Int64;
	most: Int64;
}

export interface SubmitView {
	request_id: string;
	code: string;
	is_saved: boolean;
	was_saved_before: boolean; // the same request came again: one receipt
	saved_ms: Int64;
	marks?: Marks3;
	faults: FieldFault[]; // then nothing was saved
}

/** Who acts for whom: both or neither. */
export interface Names {
	name: string;
	by_name: string;
}

export interface PrintCommand extends Names {
	request_id: string;
	code: string;
}

export type PrintState = 'PRINT_STATE_NONE' | 'PRINT_STATE_PRINTED' | 'PRINT_STATE_NO_PAPER' | 'PRINT_STATE_NO_ANSWER' | 'PRINT_STATE_BUSY';

export interface PrintView {
	state: PrintState;
}

export type CardState =
	| 'CARD_STATE_NONE'
	| 'CARD_STATE_EMPTY'
	| 'CARD_STATE_STRANGE'
	| 'CARD_STATE_PRESENT'
	| 'CARD_STATE_PIN_WRONG'
	| 'CARD_STATE_PIN_BLOCKED'
	| 'CARD_STATE_REVOKED'
	| 'CARD_STATE_EXPIRED'
	| 'CARD_STATE_PROVED';

export interface CardView {
	state: CardState;
	tries: number; // of the PIN that are left; 255: not known
	number: string;
}

/** Event of a terminal. */
export interface RequestEvent {
	request_id: string;
	marks?: Marks3;
	has_news: boolean;
}

export interface StatusView {
	version: number;
	action: CaseAction;
	outcome: Outcome;
	office: string;
	office_name?: Words;
	time_ms: Int64;
	text: string;
	ground: string;
	remedy: string;
	is_closing: boolean;
	objected: 'OBJECTED_NONE' | 'OBJECTED_UPHELD' | 'OBJECTED_CHANGED';
	object_until_ms: Int64;
	owner: Tier; // who has it from then on
	fields: FieldView[]; // what staff filled in and tell
	town_name?: Words; // REFER: the town that has it from then on
	name: string; // whose request it is, and
	carer: string; // who handed it in for them; both empty where nobody did
	rating: Rating; // RATE: that counts from then on
}

export interface ReceiptView {
	request_id: string;
	service: string;
	revision: number;
	service_name?: Words;
	created_ms: Int64;
	marks?: Marks3;
	statuses: StatusView[]; // oldest first
	can_answer: boolean; // a question is open
	can_withdraw: boolean;
	is_from_town: boolean; // made at another terminal; looked up at the town just now
	has_pending_ask: boolean; // an answer or withdrawal of this terminal is under way
	erased_ms: Int64; // what was told was erased then; there is nothing to read or do
	object_until_ms: Int64; // the decision can be objected to until then; 0: it cannot
	can_rate: boolean;
	rating: Rating; // that counts, or is under way
	is_rating_sent: boolean; // it is under way
}

export interface ReceiptsView {
	receipts: ReceiptView[];
	see_staff: boolean; // more than one match elsewhere: nothing is shown
	replaced_ms: Int64; // this code was replaced by another one then
}

export interface AskCommand {
	code: string;
	request_id: string;
	version: number; // of the newest status that the resident saw; 0 if none
	text: string;
	is_unwanted?: boolean; // withdrawal: the person did not want what a carer handed in
	rating?: Rating; // of a rating, which has no text
}

export interface Contact {
	name?: Words;
	phone: string;
	is_sample: boolean;
}

export interface TerminalState {
	place: string;
	place_name?: Words;
	can_take_requests: boolean;
	why_code: string; // what stops it: "revoked", "frozen", "closed", "joining", "not-ready", "no-catalogue", "full" …; empty if nothing does
	why_text: string;
	is_connected: boolean;
	connected_since_ms: Int64;
	link_text: string; // what the link says, for staff: "town 310114106 refuses this key: revoked on …"
	storage_percent: number;
	services: number;
	waiting: Int64; // entries not yet at the town
	join_step: string; // while it joins: "token", "asking", "unanswered", "refused"
	fingerprint: string;
	is_demo: boolean;
	is_practice: boolean;
	receipts_ready: number;
	has_printer: boolean; // one is configured: receipts can be printed
	town_notices: number; // of this community, that are shown today
	has_cards: boolean; // a program at a card reader is configured
	contact?: Contact; // whom to call
	can_speak: boolean; // there is a voice to read screens aloud
	notices: string[]; // requests are taken, but: "no-link", "no-clock", "no-paper", "no-printer"
}

/** A clip in sign language that the terminal can show. */
export interface SignClip {
	of: string; // key of a title, id of a service, or "service.field"
	file: string;
	source: string;
	date: string; // 2026-11-22
	licence: string;
	language: string; // of signs
}

export interface SignPack {
	clips: SignClip[];
}

export interface SpeechCommand {
	text: string;
	language: string;
	rate: number; // 1 to 7
	is_personal: boolean;
}
