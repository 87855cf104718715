// Messages of proto/*.proto as JSON: what a town tells its residents.

import type { Int64, Words } from './common';

export type NoticeAbout = 'NOTICE_ABOUT_NONE' | 'NOTICE_ABOUT_ACTIVITY' | 'NOTICE_ABOUT_SERVICE' | 'NOTICE_ABOUT_CLOSING';

export interface TownNotice {
	id: string;
	about: NoticeAbout;
	name?: Words; // of all texts the English one may be missing
	text: Words[]; // paragraphs
	easy: Words[]; // in easy words; may be none
	places: string[]; // communities
	until: string; // the last day on which it is shown
	revision: number;
	published_by: string;
	published_ms: Int64;
	drafted_by: string[];
	goes_back_to: number;
	is_withdrawn: boolean;
}

export interface TownNoticesView {
	notices: TownNotice[]; // of this community, the newest first
}
