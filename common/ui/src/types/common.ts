// Messages of proto/*.proto as JSON: what every page speaks of.

/** A 64-bit integer as decimal text. */
export type Int64 = string;

export type Kind =
	| 'KIND_NONE'
	| 'KIND_PERIOD'
	| 'KIND_REQUEST'
	| 'KIND_ANSWER'
	| 'KIND_WITHDRAW'
	| 'KIND_OBJECT'
	| 'KIND_RATE'
	| 'KIND_KEYS'
	| 'KIND_CASE'
	| 'KIND_STATUS'
	| 'KIND_CASE_COPY'
	| 'KIND_LOCK_RELEASE'
	| 'KIND_ERASE'
	| 'KIND_AUTHORITY'
	| 'KIND_DEVICE'
	| 'KIND_SERVICE'
	| 'KIND_HISTORY'
	| 'KIND_RECEIPT_LOCK'
	| 'KIND_ACCOUNT'
	| 'KIND_ACCOUNT_MARK'
	| 'KIND_NODE_SECRET'
	| 'KIND_DRAFT'
	| 'KIND_TOKEN'
	| 'KIND_QUARANTINE_ACT'
	| 'KIND_ERASE_ACT'
	| 'KIND_ERASURE'
	| 'KIND_BACKUP'
	| 'KIND_RESTORE';

export type Tier = 'TIER_NONE' | 'TIER_TERMINAL' | 'TIER_TOWN' | 'TIER_DISTRICT';

export type CaseAction =
	| 'CASE_ACTION_NONE'
	| 'CASE_ACTION_ACCEPT'
	| 'CASE_ACTION_ASK'
	| 'CASE_ACTION_DECIDE'
	| 'CASE_ACTION_WITHDRAWN'
	| 'CASE_ACTION_DUPLICATE'
	| 'CASE_ACTION_HAND_OVER'
	| 'CASE_ACTION_ANSWER_TAKEN'
	| 'CASE_ACTION_TOO_LATE'
	| 'CASE_ACTION_STEP'
	| 'CASE_ACTION_CONFIRM_PERSON'
	| 'CASE_ACTION_EVIDENCE'
	| 'CASE_ACTION_PROPOSE'
	| 'CASE_ACTION_RETURN'
	| 'CASE_ACTION_OBJECT'
	| 'CASE_ACTION_REOPEN'
	| 'CASE_ACTION_REFER'
	| 'CASE_ACTION_RATE';

/** How the resident says that it went. */
export type Rating = 'RATING_NONE' | 'RATING_VERY_GOOD' | 'RATING_GOOD' | 'RATING_FAIR' | 'RATING_BAD' | 'RATING_VERY_BAD';

export type Outcome = 'OUTCOME_NONE' | 'OUTCOME_GRANTED' | 'OUTCOME_PARTLY_GRANTED' | 'OUTCOME_REFUSED';

export interface Words {
	zh: string;
	en: string;
}

export interface PlaceRow {
	code: string;
	name?: Words;
}

export interface PlacesView {
	places: PlaceRow[];
}

export interface LoginCommand {
	name: string;
	password: string;
}

export interface FrontView {
	is_demo: boolean; // pages carry 演示数据
	is_practice: boolean; // pages carry 练习
}

export interface SessionView {
	user: string;
	role: string;
	csrf: string;
	tier: Tier;
	place: string;
	place_name?: Words;
	is_demo: boolean; // pages carry 演示数据
	is_practice: boolean; // pages carry 练习
	may: string[]; // rights
	step: string; // of the login, that comes next; empty: it is whole
	idle_s: number;
	is_second_optional: boolean;
	has_second: boolean;
}
