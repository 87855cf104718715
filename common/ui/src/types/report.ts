// Messages of proto/report.proto as JSON: reports to the city.

import type { Int64, Words } from './common';

export type ReportPeriod = 'REPORT_PERIOD_MONTH' | 'REPORT_PERIOD_QUARTER' | 'REPORT_PERIOD_YEAR';
export type ReportFormat = 'REPORT_FORMAT_CSV' | 'REPORT_FORMAT_PDF';

export interface ReportDefinition {
	id: string;
	name: Words;
	period: ReportPeriod;
	source: string;
	is_sample: boolean;
}

export interface ReportSent {
	version: number;
	by: string;
	time_ms: Int64;
	reason: string;
}

export interface ReportPeriodRow {
	period: string;
	sent?: ReportSent; // the newest
}

export interface ReportListRow {
	definition: ReportDefinition;
	periods: ReportPeriodRow[];
}

export interface ReportsView {
	reports: ReportListRow[];
}

export interface ReportLine {
	row: { key: string; name: Words; counts: Int64[] };
	before: Int64[]; // as they were sent last; empty: nothing was
}

export interface ReportView {
	definition: ReportDefinition;
	period: string;
	measures: { measure: string; name: Words }[];
	lines: ReportLine[];
	hash: string;
	is_changed: boolean;
	sent: ReportSent[]; // the newest first
}
