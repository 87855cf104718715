// Messages of proto/*.proto as JSON: certificates of disability, assessments, samples, verification.

import type { Int64, Words } from './common';
import type { PersonRow } from './person';
import type { Basis } from './service';

export type CertificateState =
	| 'CERTIFICATE_STATE_NONE'
	| 'CERTIFICATE_STATE_APPLIED'
	| 'CERTIFICATE_STATE_DRAWN'
	| 'CERTIFICATE_STATE_PLEDGED'
	| 'CERTIFICATE_STATE_ASSESSED'
	| 'CERTIFICATE_STATE_CHECKED'
	| 'CERTIFICATE_STATE_ISSUED'
	| 'CERTIFICATE_STATE_REFUSED'
	| 'CERTIFICATE_STATE_LOST'
	| 'CERTIFICATE_STATE_RENEWING'
	| 'CERTIFICATE_STATE_CANCELLED';

export type CertificateAct =
	| 'CERTIFICATE_ACT_APPLY'
	| 'CERTIFICATE_ACT_DRAW'
	| 'CERTIFICATE_ACT_PLEDGE'
	| 'CERTIFICATE_ACT_DECLINE'
	| 'CERTIFICATE_ACT_ASSESS'
	| 'CERTIFICATE_ACT_CHECK'
	| 'CERTIFICATE_ACT_SEND_BACK'
	| 'CERTIFICATE_ACT_ISSUE'
	| 'CERTIFICATE_ACT_REFUSE'
	| 'CERTIFICATE_ACT_LOSS'
	| 'CERTIFICATE_ACT_REISSUE'
	| 'CERTIFICATE_ACT_RENEWAL'
	| 'CERTIFICATE_ACT_RECHECK'
	| 'CERTIFICATE_ACT_CANCEL'
	| 'CERTIFICATE_ACT_TRANSFER';

export type CancelGround = 'CANCEL_GROUND_NONE' | 'CANCEL_GROUND_DEATH' | 'CANCEL_GROUND_OWN_WISH' | 'CANCEL_GROUND_RECHECK';

export interface CertificateFinding {
	category: number; // 1 to 7
	grade: number; // 1 to 4
	findings: string;
	recheck_on: string;
}

export interface AssessorDraw {
	sequence: number;
	candidates: number;
	list_hash: string;
	place: string;
	account: string;
}

export interface CertificateFacts {
	state: CertificateState;
	number: string; // of the newest certificate; empty: none was issued
	category: number;
	grade: number;
	valid_until: string;
	recheck_on: string;
	is_recheck: boolean; // under way: the certificate is in force meanwhile
	note: string;
	draw?: AssessorDraw;
	pledge?: { revision: number; text: string; time_ms: Int64 };
	finding?: CertificateFinding;
	checked_by: string;
	ground: string;
	remedy: string;
	cancel: CancelGround;
	reason: string;
}

export interface CertificateEventView {
	version: number;
	step?: { act: CertificateAct; staff: string; reason: string; ground: string; remedy: string };
	time_ms: Int64;
	refusal: string; // not empty: it was not possible, and why
	is_absent: boolean;
}

export interface CertificateView {
	facts?: CertificateFacts;
	version: number;
	may: CertificateAct[];
	waiting: CertificateEventView[];
	events: CertificateEventView[];
	is_recheck_due: boolean;
	is_absent: boolean;
	expected: CertificateState;
}

export interface CertificateCommand {
	act: CertificateAct;
	version?: number; // that was seen
	reason?: string;
	finding?: CertificateFinding;
	ground?: string;
	remedy?: string;
	cancel?: CancelGround;
}

export interface CertificateStepView {
	version: number;
	is_waiting: boolean; // asked: the district answers
}

export interface CertificateRow {
	person?: PersonRow;
	state: CertificateState;
	since_ms: Int64;
	is_recheck_due: boolean;
	is_recheck: boolean;
	version: number;
}

export interface CertificatesView {
	rows: CertificateRow[];
	is_more: boolean;
}

export interface AssessmentRow {
	person_id: string;
	state: CertificateState;
	since_ms: Int64;
	waiting: number;
}

export interface AssessmentsView {
	is_declared: boolean;
	is_over: boolean;
	relations: number;
	pledge?: Words;
	revision: number;
	basis: Basis[];
	rows: AssessmentRow[];
}

export interface AssessmentView {
	person?: PersonRow;
	facts?: CertificateFacts;
	expected: CertificateState;
	waiting: number;
}

export type QualityOutcome =
	| 'QUALITY_OUTCOME_NONE'
	| 'QUALITY_OUTCOME_GOOD'
	| 'QUALITY_OUTCOME_PAPERS'
	| 'QUALITY_OUTCOME_GRADE';

export interface SampledRow {
	person?: PersonRow;
	person_id: string;
	outcome: QualityOutcome;
	by: string;
	time_ms: Int64;
}

export interface SampleView {
	sample_id: string;
	sample?: { seed: string; frame_hash: string; frame: number; by: string };
	time_ms: Int64;
	rows: SampledRow[];
}

export interface SamplesView {
	samples: SampleView[];
}

export interface VerificationRow {
	place: string;
	name?: Words;
	total: number;
	verified: number;
}

export interface VerificationView {
	days: number; // 0: no rule has been published
	towns: VerificationRow[];
	communities: VerificationRow[];
	left: PersonRow[];
	is_more: boolean;
}
