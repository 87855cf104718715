// Messages of proto/*.proto as JSON: devices, tokens, links, totals, and what is held up.

import type { Int64, Kind, Tier, Words } from './common';

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
	generation: number; // how often its keys were changed
	former: { until_ms: Int64 }[]; // those before
	is_passing: boolean; // it does not use the newest yet
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

/** Numbers as text: what is under 5 says "<5". */
export interface RatingRow {
	id: string; // of a town or service; empty: all
	name?: Words;
	rated: string;
	very_good: string;
	good: string;
	fair: string;
	bad: string;
	very_bad: string;
}

export interface TotalsView {
	totals: TotalRow[];
	time_ms: Int64;
	sites_total: number; // terminals in the directory
	sites_heard: number; // of which some entry has arrived
	sites_connected: number;
	ratings_by_town: RatingRow[]; // who rated; the last row is all of them
	ratings_by_service: RatingRow[];
}

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

export interface BackupsView {
	verified_ms: Int64; // when the newest verified backup was made; 0: none yet
	waiting: { backup: string }[]; // made, and not verified yet
	is_stale: boolean; // none of the last alarm_days has been verified
	alarm_days: number;
}

/** Whom a restored node waits for. */
export interface ReturnRow {
	device: string;
	place: string;
	is_up: boolean;
	has_answered: boolean;
	is_left_out: boolean;
	to_come: Int64;
}

export interface ReturnView {
	is_returning: boolean;
	backup_ms: Int64;
	rows: ReturnRow[];
}
