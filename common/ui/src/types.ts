// The messages of proto/*.proto as the JSON mapping (proto/json.h) writes them. 64-bit integers are strings; bytes are text.

/** A 64-bit integer as decimal text. */
export type Int64 = string;

export type Kind =
	| 'KIND_NONE'
	| 'KIND_PERIOD'
	| 'KIND_REQUEST'
	| 'KIND_ANSWER'
	| 'KIND_WITHDRAW'
	| 'KIND_CASE'
	| 'KIND_STATUS'
	| 'KIND_CASE_COPY'
	| 'KIND_LOCK_RELEASE'
	| 'KIND_AUTHORITY'
	| 'KIND_DEVICE'
	| 'KIND_QUARANTINE_ACT'
	| 'KIND_SERVICE'
	| 'KIND_RECEIPT_LOCK'
	| 'KIND_ACCOUNT'
	| 'KIND_NODE_SECRET'
	| 'KIND_TOKEN';

export type CaseAction =
	| 'CASE_ACTION_NONE'
	| 'CASE_ACTION_ACCEPT'
	| 'CASE_ACTION_ASK'
	| 'CASE_ACTION_DECIDE'
	| 'CASE_ACTION_WITHDRAWN'
	| 'CASE_ACTION_DUPLICATE'
	| 'CASE_ACTION_HAND_OVER'
	| 'CASE_ACTION_ANSWER_TAKEN'
	| 'CASE_ACTION_TOO_LATE';

export type Outcome = 'OUTCOME_NONE' | 'OUTCOME_GRANTED' | 'OUTCOME_PARTLY_GRANTED' | 'OUTCOME_REFUSED';

export type Tier = 'TIER_NONE' | 'TIER_TERMINAL' | 'TIER_TOWN' | 'TIER_DISTRICT';

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
	is_by_guardian: boolean;
}

/** Who agrees for a child under 14. */
export interface Guardian {
	name: string;
	relation: string;
	phone: string;
}

export type Module =
	| 'MODULE_NONE'
	| 'MODULE_LIFE'
	| 'MODULE_ADVICE'
	| 'MODULE_JOBS'
	| 'MODULE_DEVICES'
	| 'MODULE_REHABILITATION'
	| 'MODULE_POLICY'
	| 'MODULE_RIGHTS'
	| 'MODULE_CULTURE';

export interface Words {
	zh: string;
	en: string;
}

export interface Basis {
	text?: Words;
	source: string; // a document or page, so that a reader can find it
	date: string; // 2021-12-31: of the source, or of when it was read
	is_sample: boolean;
}

export type FieldType =
	| 'FIELD_TYPE_NONE'
	| 'FIELD_TYPE_TEXT'
	| 'FIELD_TYPE_LONG_TEXT'
	| 'FIELD_TYPE_NUMBER'
	| 'FIELD_TYPE_MONEY'
	| 'FIELD_TYPE_DATE'
	| 'FIELD_TYPE_CHOICE'
	| 'FIELD_TYPE_SEVERAL'
	| 'FIELD_TYPE_YES_NO'
	| 'FIELD_TYPE_PERSON'
	| 'FIELD_TYPE_CERTIFICATE'
	| 'FIELD_TYPE_ID_NUMBER'
	| 'FIELD_TYPE_PHONE'
	| 'FIELD_TYPE_ADDRESS'
	| 'FIELD_TYPE_PLACE'
	| 'FIELD_TYPE_FILE';

export type FieldMeaning =
	| 'FIELD_MEANING_NONE'
	| 'FIELD_MEANING_APPLICANT_NAME'
	| 'FIELD_MEANING_APPLICANT_PHONE'
	| 'FIELD_MEANING_APPLICANT_NUMBER';

export interface FieldChoice {
	id: string;
	name?: Words;
}

export interface Field {
	id: string;
	type: FieldType;
	label?: Words; // the question
	hint?: Words;
	is_required: boolean;
	least: Int64;
	most: Int64;
	choices: FieldChoice[];
	meaning: FieldMeaning;
	is_personal: boolean;
	is_health: boolean;
	is_birth_date: boolean;
}

export interface Hold {
	keep_months: number;
	keep_from: KeepFrom;
	basis: Basis[];
}

export type KeepFrom = 'KEEP_FROM_NONE' | 'KEEP_FROM_CLOSED' | 'KEEP_FROM_RECEIVED';

/** What is told before the first personal question. */
export interface Privacy {
	who_asks?: Words;
	purpose?: Words;
	who_sees?: Words;
	keep_months: number;
	keep_from: KeepFrom;
	health_why?: Words;
}

/** Somebody outside who would be told; asks for a consent of its own. */
export interface Sharing {
	id: string;
	with_whom?: Words;
	purpose?: Words;
	is_needed: boolean;
}

export interface OwnerRule {
	field: string;
	choice: string;
	owner: Tier;
	hidden_from: Tier;
}

export interface Step {
	text?: Words;
	working_days: number; // 0: no promise
}

export interface Service {
	id: string; // lower case, digits, hyphens
	revision: number; // given at publication
	module: Module;
	name?: Words;
	easy?: Words; // one easy sentence
	owner: Tier; // who decides: TIER_TOWN or TIER_DISTRICT
	fields: Field[];
	steps: Step[];
	evidence: Words[];
	basis: Basis[];
	facts: Basis[]; // amounts, deadlines, addresses that the texts mention
	published_by: string;
	published_ms: Int64;
	conditions: Words[]; // who can have it
	drafted_by: string[];
	goes_back_to: number; // the earlier revision that this one repeats; 0: none
	privacy?: Privacy;
	sharing: Sharing[];
	may_concern_children: boolean;
	owner_rules: OwnerRule[];
	hold?: Hold;
}

export interface LoginCommand {
	name: string;
	password: string;
}

export interface SessionView {
	user: string;
	role: string;
	csrf: string;
	tier: Tier;
	place: string;
	place_name?: Words;
	is_demo: boolean; // pages carry 演示数据
	may: string[]; // "cases", "draft", "publish", "devices"
}

export interface Marks3 {
	saved: boolean; // saved here
	town: boolean;
	district: boolean;
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
	receipts_ready: number;
	contact?: Contact; // whom to call
	notices: string[]; // requests are taken, but: "no-link", "no-clock", "no-paper", "no-printer"
}

export interface Contact {
	name?: Words;
	phone: string;
	is_sample: boolean;
}

export interface CatalogueView {
	services: Service[]; // newest revision of each
}

export interface DraftView {
	request_id: string;
	code: string;
}

export interface SubmitCommand {
	request_id: string;
	code: string;
	service: string;
	revision: number;
	values: FieldValue[];
	language: string;
	consents: Consent[];
	is_for_child: boolean;
	guardian?: Guardian;
}

export interface FieldFault {
	field: string;
	rule: string; // required, too-short, too-long, too-small, too-big, not-a-number, not-money, not-a-date, not-a-choice, too-many, too-few, not-a-phone, not-a-certificate, not-an-id-number, not-a-place, not-text, not-a-file, file-too-big, consent-missing, guardian-missing, unknown-field
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

/** Event of a terminal. */
export interface RequestEvent {
	request_id: string;
	marks?: Marks3;
	has_news: boolean;
}

export interface LookupCommand {
	code: string;
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
}

export interface ReceiptsView {
	receipts: ReceiptView[];
	see_staff: boolean; // more than one match elsewhere: nothing is shown
}

export interface AskCommand {
	code: string;
	request_id: string;
	version: number; // of the newest status that the resident saw; 0 if none
	text: string;
}

export type CaseState =
	| 'CASE_STATE_NONE'
	| 'CASE_STATE_RECEIVED'
	| 'CASE_STATE_ACCEPTED'
	| 'CASE_STATE_ASKED'
	| 'CASE_STATE_DECIDED'
	| 'CASE_STATE_WITHDRAWN'
	| 'CASE_STATE_DUPLICATE';

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
}

export interface AskView {
	kind: Kind; // KIND_ANSWER, KIND_WITHDRAW
	text: string;
	time_ms: Int64;
	version: number;
	is_answered: boolean;
	is_absent: boolean;
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
	guardian?: Guardian;
	taken_by: string;
	erasure?: ErasureView; // proposed or done
	can_erase: boolean; // may be proposed now
	kept_until_ms: Int64; // it may not, before then
	kept_why?: Basis;
}

export type EraseAction = 'ERASE_ACTION_NONE' | 'ERASE_ACTION_PROPOSE' | 'ERASE_ACTION_DROP' | 'ERASE_ACTION_CONFIRM';

export interface ErasureView {
	act: string;
	requests: string[];
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
	action: CaseAction; // ACCEPT, ASK, DECIDE, WITHDRAWN, DUPLICATE, HAND_OVER
	version: number; // that the staff member saw
	outcome: Outcome;
	note: string;
	text: string;
	ground: string;
	remedy: string;
	duplicate_of: string;
}

export type DeviceStatus = 'DEVICE_STATUS_NONE' | 'DEVICE_STATUS_ADMITTED' | 'DEVICE_STATUS_REVOKED';

export interface DeviceRecord {
	device: Int64;
	role: Tier;
	place: string;
	suite: number;
	curve_key: string;
	signing_key: string;
	opening_key: string;
	status: DeviceStatus;
	since_ms: Int64;
	by: string;
	reason: string;
}

export interface DeviceView {
	device: string; // hexadecimal
	record?: DeviceRecord;
	place_name?: Words;
}

export interface DevicesView {
	devices: DeviceView[];
}

export type TokenState = 'TOKEN_STATE_NONE' | 'TOKEN_STATE_ISSUED' | 'TOKEN_STATE_USED' | 'TOKEN_STATE_WITHDRAWN';

export interface TokenCommand {
	fingerprint: string;
	role: Tier;
	place: string;
}

/** A token as it is issued: the one time that its secret is told. */
export interface TokenView {
	secret: string; // in groups
	fingerprint: string;
	role: Tier;
	place: string;
	expires_ms: Int64;
	join_address: string;
	curve_key: string;
	authority: string;
}

export interface TokenRow {
	token: string; // names it, and opens nothing
	state: TokenState;
	fingerprint: string;
	role: Tier;
	place: string;
	issued_ms: Int64;
	expires_ms: Int64;
	by: string;
	is_open: boolean;
}

export interface TokensView {
	tokens: TokenRow[]; // newest first
}

export interface PlaceRow {
	code: string;
	name?: Words;
}

export interface PlacesView {
	places: PlaceRow[];
}

export interface LinkView {
	device: string; // hexadecimal
	place: string;
	place_name?: Words;
	tier: Tier;
	is_up: boolean;
	is_direct: boolean; // this node's own link; otherwise reported by the town
	since_ms: Int64;
	heard_ms: Int64;
	waiting_down: Int64; // entries to send to it
	waiting_up: Int64; // entries that it said it still has to send
	received: Int64; // entries of its own that are stored here
	is_frozen: boolean;
	is_revoked: boolean;
	text: string;
	histories: string[]; // frozen: names of the history that is stored and of the other
	clock_ahead_ms: Int64; // its wall clock compared with this node's, or its town's; only shown
}

export interface LinksView {
	upstream?: LinkView;
	links: LinkView[];
	time_ms: Int64;
}

export interface TotalRow {
	town: string;
	town_name?: Words;
	service: string;
	service_name?: Words;
	received: Int64;
	open: Int64;
	granted: Int64;
	partly_granted: Int64;
	refused: Int64;
	withdrawn: Int64;
	duplicate: Int64;
}

export interface TotalsView {
	totals: TotalRow[];
	time_ms: Int64;
	sites_total: number; // terminals in the directory
	sites_heard: number; // of which some entry has arrived
	sites_connected: number;
}

// ---- what is held up ----

export type Disposition =
	| 'DISPOSITION_NONE'
	| 'DISPOSITION_APPLIED'
	| 'DISPOSITION_QUARANTINED'
	| 'DISPOSITION_HELD'
	| 'DISPOSITION_RETRIED'
	| 'DISPOSITION_FROZEN'
	| 'DISPOSITION_ERASED'
	| 'DISPOSITION_REVOKED'
	| 'DISPOSITION_DROPPED';

export type QuarantineAct = 'QUARANTINE_ACT_NONE' | 'QUARANTINE_ACT_RETRY' | 'QUARANTINE_ACT_DROP';

export interface QuarantineItem {
	item: string; // its name here
	disposition: Disposition;
	kind: Kind;
	origin: string; // device, hexadecimal
	origin_place: string;
	origin_name?: Words;
	service: string;
	service_name?: Words;
	revision: number;
	request_id: string;
	time_ms: Int64;
	since_ms: Int64;
	tried_ms: Int64; // the last retry; 0: none
	reason: string; // why it is not applied
	waiting: Int64; // items that are held because of it
	can_retry: boolean;
	can_drop: boolean;
	act: QuarantineAct; // view=done
	by: string;
	act_reason: string;
	act_ms: Int64;
}

export interface QuarantineView {
	items: QuarantineItem[];
	next: string;
	open: Int64;
	waiting: Int64;
}

// ---- what people write for others: drafts, publication, arrival; at the hub ----

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
}

export interface RevisionView {
	row?: RevisionRow;
	service?: Service;
	changes: Change[]; // from it to what is in force
}

export type DraftAction = 'DRAFT_ACTION_SAVE' | 'DRAFT_ACTION_DROP' | 'DRAFT_ACTION_PUBLISH';

export interface DraftStepView {
	version: number; // of the draft; 0: there is none any more
	revision: number; // that was published
	faults: ContentFault[];
	changes: Change[];
}
