// Messages of proto/*.proto as JSON: a service as it is published.

import type { Int64, Outcome, Tier, Words } from './common';

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
	easy?: Words; // the question for who wants few words; none: the label is easy enough
	hint?: Words;
	is_required: boolean;
	least: Int64;
	most: Int64;
	choices: FieldChoice[];
	meaning: FieldMeaning;
	is_personal: boolean;
	is_health: boolean;
	is_birth_date: boolean;
	is_told: boolean; // of a step: the resident reads it
}

export type KeepFrom = 'KEEP_FROM_NONE' | 'KEEP_FROM_CLOSED' | 'KEEP_FROM_RECEIVED';

export interface Hold {
	keep_months: number;
	keep_from: KeepFrom;
	basis: Basis[];
}

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
	is_sample: boolean; // the days are an example
	in_person: boolean; // somebody comes, or is visited
	fields: Field[]; // what staff fill in at its end
}

export type RecordFact = 'RECORD_FACT_NONE' | 'RECORD_FACT_ID_NUMBER' | 'RECORD_FACT_CERTIFICATE' | 'RECORD_FACT_HOUSEHOLD';

/** How one sentence of the service's evidence is met. */
export interface Proof {
	evidence: number; // which sentence, from 1
	before_step: number; // 0: before anything is granted
	fields: string[];
	facts: RecordFact[];
	is_paper: boolean;
}

export interface Objection {
	days: number;
	basis: Basis[];
}

export interface Service {
	id: string; // lower case, digits, hyphens
	revision: number; // given at publication
	module: Module;
	name?: Words;
	easy_name?: Words; // for who wants few words; none: the name is easy enough
	easy?: Words; // one easy sentence
	only_self?: Words; // why nobody may ask for it in another's name but a child's guardian; none: a carer may
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
	proofs: Proof[];
	needs_second: Outcome[]; // decided by two
	objection?: Objection;
}

export interface CatalogueView {
	services: Service[]; // newest revision of each
}
