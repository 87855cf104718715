// Telling the resident, or calling back (proto/work.proto, desk.proto).

import type { CaseRow } from './case';
import type { Int64 } from './common';

export type ContactWay = 'CONTACT_WAY_CALL' | 'CONTACT_WAY_LETTER' | 'CONTACT_WAY_VISIT' | 'CONTACT_WAY_SMS';
export type ContactOutcome =
	| 'CONTACT_OUTCOME_REACHED'
	| 'CONTACT_OUTCOME_NOT_REACHED'
	| 'CONTACT_OUTCOME_WRONG_ADDRESS'
	| 'CONTACT_OUTCOME_DROPPED'
	| 'CONTACT_OUTCOME_GIVEN'
	| 'CONTACT_OUTCOME_SENT'
	| 'CONTACT_OUTCOME_NOT_ALLOWED';

export interface ContactTry {
	outcome: ContactOutcome;
	note: string;
	by: string;
	time_ms: Int64;
}

export interface ContactPayload {
	contact: string;
	way: ContactWay;
	text: string;
	day: string;
	from: string;
	until: string;
	is_call_back: boolean;
	tries: ContactTry[];
	by: string;
	created_ms: Int64;
}

export interface ContactView {
	contact?: ContactPayload;
	row?: CaseRow;
	is_done: boolean;
	is_absent: boolean;
	phone: string;
}

export interface ContactsView {
	contacts: ContactView[];
	is_more: boolean;
}
