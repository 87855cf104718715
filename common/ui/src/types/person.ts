// Messages of proto/*.proto as JSON: residents' records.

import type { CaseRow, ErasureView } from './case';
import type { CertificateView } from './certificate';
import type { Int64, Words } from './common';
import type { Change } from './publication';
import type { Module } from './service';
import type { FieldFault } from './request';

export type Sex = 'SEX_NONE' | 'SEX_MALE' | 'SEX_FEMALE';

export type AccessNeed =
	| 'ACCESS_NEED_LARGE_TEXT'
	| 'ACCESS_NEED_SPEECH'
	| 'ACCESS_NEED_SIGN_LANGUAGE'
	| 'ACCESS_NEED_TEXT_ONLY'
	| 'ACCESS_NEED_EASY_LANGUAGE'
	| 'ACCESS_NEED_WHEELCHAIR'
	| 'ACCESS_NEED_COMPANION'
	| 'ACCESS_NEED_HOME_VISIT'
	| 'ACCESS_NEED_BRAILLE';

export type Scope = 'SCOPE_NONE' | 'SCOPE_ALL' | 'SCOPE_REQUESTS' | 'SCOPE_INFORMATION' | 'SCOPE_MONEY';

export type IncomeBand = 'INCOME_BAND_NONE' | 'INCOME_BAND_ALLOWANCE' | 'INCOME_BAND_MARGIN' | 'INCOME_BAND_OTHER';

export type Employment =
	| 'EMPLOYMENT_NONE'
	| 'EMPLOYMENT_EMPLOYED'
	| 'EMPLOYMENT_SELF'
	| 'EMPLOYMENT_SEEKING'
	| 'EMPLOYMENT_UNABLE'
	| 'EMPLOYMENT_RETIRED'
	| 'EMPLOYMENT_LEARNING';

export type Topic = 'TOPIC_RECORD' | 'TOPIC_CALLS' | 'TOPIC_VISITS' | 'TOPIC_SHARING';

export interface PersonContact {
	name: string; // empty: the person
	relation: string;
	phone: string;
}

export interface Representative {
	name: string;
	phone: string;
	relation: string;
	scope: Scope;
	from: string; // 2026-11-22
	until: string; // the last day; empty: until it is taken away
	modules: Module[]; // of these services only; none: of all
}

export interface Benefit {
	benefit: string; // id
	from: string;
	until: string; // empty: still
}

export interface PersonConsent {
	topic: Topic;
	is_given: boolean; // false: asked and refused, or taken back
	day: string;
}

/** The whole that is on file: each change carries all of it. */
export interface PersonFacts {
	name: string;
	sex: Sex;
	birth: string;
	id_number: string;
	certificate: string;
	address: string;
	community: string;
	contacts: PersonContact[];
	access: AccessNeed[];
	representatives: Representative[];
	household: string;
	household_relation: string;
	income: IncomeBand;
	employment: Employment;
	benefits: Benefit[];
	devices: string[];
	consents: PersonConsent[];
	died_on: string;
	merged_into: string;
	verified?: Verification; // absent: never
}

export type VerifiedHow = 'VERIFIED_HOW_NONE' | 'VERIFIED_HOW_VISIT' | 'VERIFIED_HOW_PHONE' | 'VERIFIED_HOW_COUNTER';

/** Somebody asked whether what is on file is still true. */
export interface Verification {
	time_ms: Int64;
	how: VerifiedHow;
	by: string;
}

export type PersonAction =
	| 'PERSON_ACTION_NONE'
	| 'PERSON_ACTION_CREATE'
	| 'PERSON_ACTION_CHANGE'
	| 'PERSON_ACTION_MERGE'
	| 'PERSON_ACTION_SPLIT'
	| 'PERSON_ACTION_DEATH'
	| 'PERSON_ACTION_DEATH_MISTAKEN'
	| 'PERSON_ACTION_HAND_OVER'
	| 'PERSON_ACTION_VERIFY';

export type LookPurpose =
	| 'LOOK_PURPOSE_NONE'
	| 'LOOK_PURPOSE_CASE'
	| 'LOOK_PURPOSE_CALL'
	| 'LOOK_PURPOSE_VISIT'
	| 'LOOK_PURPOSE_UPKEEP'
	| 'LOOK_PURPOSE_CHECK'
	| 'LOOK_PURPOSE_EXPORT';

export interface PersonRow {
	person_id: string;
	name: string;
	sex: Sex;
	birth: string;
	id_tail: string; // last four of the id number
	community: string;
	community_name?: Words;
	town: string;
	town_name?: Words;
	is_dead: boolean;
	is_merged: boolean;
	is_away: boolean; // another town has it; no facts are here
}

export interface PersonsView {
	persons: PersonRow[];
	is_more: boolean;
	total: Int64;
	is_ready: boolean; // false: the index is still being made, some may be missing
}

export interface PersonCandidate {
	row?: PersonRow;
	has_id_number: boolean; // what agrees
	has_name_and_birth: boolean;
	has_name_and_phone: boolean;
}

export interface OtherPerson {
	person_id: string;
	reason: string;
}

export interface PersonCommand {
	action: PersonAction;
	version: number; // that was seen
	facts?: PersonFacts;
	reason?: string;
	others?: OtherPerson[];
	died_on?: string;
	merged_into?: string;
	town?: string;
	how?: VerifiedHow; // verify
}

/** What became of it: saved, or what stands in the way. */
export interface PersonStepView {
	person_id: string;
	is_saved: boolean;
	version: number;
	faults: FieldFault[];
	candidates: PersonCandidate[];
}

export interface PersonEventView {
	version: number;
	action: PersonAction; // NONE: it was taken over from another town
	staff: string;
	reason: string;
	others: OtherPerson[];
	town: string;
	town_name?: Words;
	time_ms: Int64;
	changes: Change[];
	is_absent: boolean;
}

export interface PersonView {
	row?: PersonRow;
	facts?: PersonFacts; // absent: another town has it, or it cannot be opened
	epoch: number;
	version: number;
	is_ours: boolean; // this tier may change it
	created_ms: Int64;
	changed_ms: Int64;
	cases: CaseRow[];
	has_more_cases: boolean;
	events: PersonEventView[];
	merged: PersonRow[];
	goes_on?: PersonRow;
	is_on_its_way: boolean;
	in_force: number[]; // places in the list of representatives
	erasure?: ErasureView;
	can_erase: boolean;
	certificate?: CertificateView;
}

export interface LookView {
	purpose: LookPurpose;
	by: string;
	time_ms: Int64;
}

export interface LooksView {
	looks: LookView[];
	is_more: boolean;
}
