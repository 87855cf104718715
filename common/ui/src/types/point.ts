// Where people of the service can be met (proto/place.proto, PointsView of proto/api.proto).

import type { Words } from './common';

export type PlaceFeature =
	| 'PLACE_FEATURE_RAMP'
	| 'PLACE_FEATURE_LIFT'
	| 'PLACE_FEATURE_TOILET'
	| 'PLACE_FEATURE_SIGN'
	| 'PLACE_FEATURE_HEARING_LOOP';

export interface ServicePoint {
	place: string;
	name: Words;
	address: Words;
	hours: Words;
	phone: string;
	features: PlaceFeature[];
	is_sample: boolean;
}

export interface PointView {
	point: ServicePoint;
	has_distance: boolean;
	distance_m: number; // in a straight line
}

export interface PointsView {
	points: PointView[]; // the nearest first
}
