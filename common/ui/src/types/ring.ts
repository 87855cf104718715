// Calls from kiosks for a person (proto/desk.proto).

import type { Int64, Words } from './common';

export interface RingRow {
	ring: string;
	place: string;
	place_name?: Words;
	since_ms: Int64;
	taken_by: string;
}

export interface RingsView {
	rings: RingRow[];
}

export interface RingsWaitingView {
	waiting: number;
}

export interface RingView {
	state: 'RING_STATE_NONE' | 'RING_STATE_UNREACHABLE' | 'RING_STATE_RINGS' | 'RING_STATE_TAKEN';
}
