/* What reports say: their file checked, periods, and the counting. */
#include "domain/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service_check.h"

#define REPORTS_MOST 40
#define OVERDUE_DAYS_MOST 3660
#define TEXT_BYTES_MOST 400
#define DAY_MS (INT64_C(86400) * 1000)
#define SCAN_MOST 20000 /* cases a call: about 30 ms */
#define MEASURE(name) LM__REPORT_MEASURE__REPORT_MEASURE_##name

/* ---- the file, checked ---- */

static void words_check(struct check *c, const char *path, const Lm__Words *w)
{
	if (!w || !w->zh[0] || !w->en[0])
		fault_add(c, "%s: both languages are needed", path);
	else if (strlen(w->zh) > TEXT_BYTES_MOST || strlen(w->en) > TEXT_BYTES_MOST)
		fault_add(c, "%s: at most %d bytes", path, TEXT_BYTES_MOST);
}

static bool measure_is_known(Lm__ReportMeasure m)
{
	return m > MEASURE(NONE) && m <= MEASURE(OVERDUE);
}

static void measures_check(struct check *c, const char *path, const Lm__ReportDefinition *d)
{
	unsigned seen = 0;
	const unsigned parts = 1u << MEASURE(GRANTED) | 1u << MEASURE(PARTLY_GRANTED) | 1u << MEASURE(REFUSED);
	const unsigned waiting = 1u << MEASURE(OPEN) | 1u << MEASURE(OVERDUE);
	if (!d->n_measures || d->n_measures > REPORT_MEASURES_MOST)
		fault_add(c, "%s.measures: 1 to %d", path, REPORT_MEASURES_MOST);
	for (size_t i = 0; i < d->n_measures && i < REPORT_MEASURES_MOST; i++) {
		if (!measure_is_known(d->measures[i]) || seen & 1u << d->measures[i])
			fault_add(c, "%s.measures[%zu]: it is not known, or there already", path, i);
		else
			seen |= 1u << d->measures[i];
	}
	if (seen & 1u << MEASURE(DECIDED) && seen & parts && (seen & parts) != parts)
		fault_add(c,
		          "%s.measures: with what was decided stand all three outcomes or none, else the rest follows "
		          "from them",
		          path);
	if (seen & waiting && (!d->overdue_days || d->overdue_days > OVERDUE_DAYS_MOST))
		fault_add(c, "%s.overdue_days: 1 to %d, with what is open or overdue", path, OVERDUE_DAYS_MOST);
}

static void definition_check(struct check *c, const Lm__ReportsFile *file, size_t i)
{
	const Lm__ReportDefinition *d = file->reports[i];
	char path[40], name[60];
	snprintf(path, sizeof path, "reports[%zu]", i);
	snprintf(name, sizeof name, "%s.name", path);
	if (!service_id_is_good(d->id))
		fault_add(c, "%s.id: letters, digits, - and _", path);
	else if (report_find(file, d->id) != d)
		fault_add(c, "%s.id: '%.40s' is there already", path, d->id);
	words_check(c, name, d->name);
	if (d->period < LM__REPORT_PERIOD__REPORT_PERIOD_MONTH || d->period > LM__REPORT_PERIOD__REPORT_PERIOD_YEAR)
		fault_add(c, "%s.period: month, quarter or year", path);
	if (d->split < LM__REPORT_SPLIT__REPORT_SPLIT_TOWN || d->split > LM__REPORT_SPLIT__REPORT_SPLIT_MODULE)
		fault_add(c, "%s.split: town, service or module", path);
	measures_check(c, path, d);
	if (!d->source[0] == !d->is_sample || strlen(d->source) > TEXT_BYTES_MOST)
		fault_add(c, "%s.source: the document that asks for it, or is_sample, and not both", path);
}

static void names_check(struct check *c, const Lm__ReportsFile *file)
{
	char path[60];
	unsigned measures = 0, modules = 0;
	for (size_t i = 0; i < file->n_measures; i++) {
		Lm__ReportMeasure m = file->measures[i]->measure;
		snprintf(path, sizeof path, "measures[%zu]", i);
		if (!measure_is_known(m) || measures & 1u << m)
			fault_add(c, "%s: it is not known, or there already", path);
		else
			measures |= 1u << m;
		words_check(c, path, file->measures[i]->name);
	}
	for (size_t i = 0; i < file->n_modules; i++) {
		Lm__Module m = file->modules[i]->module;
		snprintf(path, sizeof path, "modules[%zu]", i);
		if ((unsigned)m > LM__MODULE__MODULE_CULTURE || modules & 1u << m)
			fault_add(c, "%s: it is not known, or there already", path);
		else
			modules |= 1u << m;
		words_check(c, path, file->modules[i]->name);
	}
	if (measures != (1u << (MEASURE(OVERDUE) + 1)) - 2)
		fault_add(c, "measures: each needs a name");
	if (modules != (1u << (LM__MODULE__MODULE_CULTURE + 1)) - 1)
		fault_add(c, "modules: each needs a name, and so does none");
}

size_t reports_check(const Lm__ReportsFile *file, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, 0 };
	const struct {
		const char *path;
		const Lm__Words *words;
	} texts[] = {
		{ "foot", file->foot },       { "total", file->total },     { "withheld", file->withheld },
		{ "period", file->period },   { "version", file->version }, { "reason", file->reason },
		{ "sent", file->sent },       { "taken", file->taken },     { "source", file->source },
		{ "changes", file->changes }, { "sample", file->sample },
	};
	if (!file->n_reports || file->n_reports > REPORTS_MOST)
		fault_add(&c, "reports: 1 to %d", REPORTS_MOST);
	for (size_t i = 0; i < file->n_reports && i < REPORTS_MOST; i++)
		definition_check(&c, file, i);
	names_check(&c, file);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		words_check(&c, texts[i].path, texts[i].words);
	return c.count;
}

const Lm__ReportDefinition *report_find(const Lm__ReportsFile *file, const char *id)
{
	for (size_t i = 0; i < file->n_reports; i++)
		if (strcmp(file->reports[i]->id, id) == 0)
			return file->reports[i];
	return NULL;
}

/* ---- periods ---- */

/* 0:00 in Shanghai of the first of a month; months count from January of the year 0. */
static bool month_start(int month, int64_t *ms)
{
	char text[24];
	int64_t day;
	snprintf(text, sizeof text, "%04d-%02d-01", month / 12, month % 12 + 1);
	if (!clock_date_read(text, &day))
		return false;
	*ms = clock_shanghai_day_end_ms(day - 1);
	return true;
}

static int months_of(Lm__ReportPeriod kind)
{
	return kind == LM__REPORT_PERIOD__REPORT_PERIOD_MONTH     ? 1
	       : kind == LM__REPORT_PERIOD__REPORT_PERIOD_QUARTER ? 3
	                                                          : 12;
}

static void period_write(Lm__ReportPeriod kind, int month, char text[REPORT_PERIOD_BYTES])
{
	unsigned year = (unsigned)month / 12 % 10000, of_year = (unsigned)month % 12;
	if (kind == LM__REPORT_PERIOD__REPORT_PERIOD_MONTH)
		snprintf(text, REPORT_PERIOD_BYTES, "%04u-%02u", year, of_year + 1);
	else if (kind == LM__REPORT_PERIOD__REPORT_PERIOD_QUARTER)
		snprintf(text, REPORT_PERIOD_BYTES, "%04u-Q%u", year, of_year / 3 + 1);
	else
		snprintf(text, REPORT_PERIOD_BYTES, "%04u", year);
}

bool report_period_read(Lm__ReportPeriod kind, const char *text, int64_t *start_ms, int64_t *end_ms)
{
	char again[REPORT_PERIOD_BYTES];
	long year = strtol(text, NULL, 10);
	long part = strlen(text) > 5 ? strtol(text + (text[5] == 'Q' ? 6 : 5), NULL, 10) : 1;
	if (strlen(text) >= REPORT_PERIOD_BYTES || year < 1900 || year > 2200 || part < 1 || part > 12)
		return false;
	int month = (int)year * 12 + (int)(part - 1) * (kind == LM__REPORT_PERIOD__REPORT_PERIOD_QUARTER ? 3 : 1);
	period_write(kind, month, again); /* there is one way to write it */
	return strcmp(text, again) == 0 && month_start(month, start_ms) && month_start(month + months_of(kind), end_ms);
}

void report_period_closed(Lm__ReportPeriod kind, int64_t now_ms, unsigned n, char text[REPORT_PERIOD_BYTES])
{
	int date = clock_shanghai_date(now_ms), length = months_of(kind);
	int month = date / 10000 * 12 + date / 100 % 100 - 1;
	month -= month % length;
	period_write(kind, month - (int)(n + 1) * length, text);
}

/* ---- counting ---- */

static bool case_has(const struct report_tally *t, const Lm__CaseRecord *r, Lm__ReportMeasure measure)
{
	bool is_closed = case_state_is_closed(r->state) && r->closed_ms < t->end_ms;
	bool is_decided =
	        r->state != LM__CASE_STATE__CASE_STATE_WITHDRAWN && r->state != LM__CASE_STATE__CASE_STATE_DUPLICATE;
	bool is_late = r->received_ms < t->end_ms - (int64_t)t->definition->overdue_days * DAY_MS;
	if (measure == MEASURE(RECEIVED))
		return r->received_ms >= t->start_ms && r->received_ms < t->end_ms;
	if (measure == MEASURE(OPEN) || measure == MEASURE(OVERDUE))
		return !is_closed && r->received_ms < t->end_ms && is_late == (measure == MEASURE(OVERDUE));
	if (!is_closed || r->closed_ms < t->start_ms)
		return false;
	switch (measure) {
	case MEASURE(WITHDRAWN):
		return r->state == LM__CASE_STATE__CASE_STATE_WITHDRAWN;
	case MEASURE(DUPLICATE):
		return r->state == LM__CASE_STATE__CASE_STATE_DUPLICATE;
	case MEASURE(DECIDED):
		return is_decided;
	case MEASURE(GRANTED):
		return is_decided && r->outcome == LM__OUTCOME__OUTCOME_GRANTED;
	case MEASURE(PARTLY_GRANTED):
		return is_decided && r->outcome == LM__OUTCOME__OUTCOME_PARTLY_GRANTED;
	default: /* as in the totals: count.c */
		return is_decided && r->outcome != LM__OUTCOME__OUTCOME_GRANTED &&
		       r->outcome != LM__OUTCOME__OUTCOME_PARTLY_GRANTED;
	}
}

void report_tally_case(struct report_tally *t, const Lm__CaseRecord *record, struct report_tallied *row)
{
	for (size_t i = 0; i < t->definition->n_measures; i++)
		row->counts[i] += case_has(t, record, t->definition->measures[i]);
}

static struct report_tallied *row_of(struct report_tally *t, const char *key)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].key, key) == 0)
			return &t->rows[i];
	if (t->count == REPORT_ROWS_MOST || strlen(key) >= sizeof t->rows->key)
		return NULL;
	struct report_tallied *row = &t->rows[t->count++];
	memset(row, 0, sizeof *row);
	memcpy(row->key, key, strlen(key) + 1);
	return row;
}

static int tally_row(struct report_tally *t, struct store_txn *txn, struct bytes value, struct arena *arena,
                     struct error *e)
{
	Lm__CaseRecord *record;
	int result = row_unpack(txn, &domain_table_case, &lm__case_record__descriptor, value, arena, &record);
	if (result)
		return store_failure(txn, e);
	bool is_by_town = t->definition->split == LM__REPORT_SPLIT__REPORT_SPLIT_TOWN;
	struct report_tallied *row = row_of(t, is_by_town ? record->town : record->service);
	if (!row)
		return error_set(e, ERR_TOO_BIG, "a report has at most %d rows", REPORT_ROWS_MOST);
	report_tally_case(t, record, row);
	return OK;
}

int report_tally(struct report_tally *t, struct store_txn *txn, struct id *from, struct arena *arena, struct error *e)
{
	struct store_cursor *c;
	struct bytes key, value;
	struct id next = { { 0 } };
	if (store_cursor_open(txn, &domain_table_case, &c))
		return store_failure(txn, e);
	int result = store_cursor_seek(c, key_id(from), arena, &key, &value), refusal = OK;
	for (size_t scanned = 0; !result && !refusal; scanned++) {
		if (scanned == SCAN_MOST) {
			memcpy(next.byte, key.data, key.size == ID_BYTES ? ID_BYTES : 0);
			break;
		}
		refusal = tally_row(t, txn, value, arena, e);
		arena_reset(arena);
		if (!refusal)
			result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	if (result && result != ERR_NOT_FOUND)
		return store_failure(txn, e);
	*from = next;
	return refusal;
}

/* ---- as it is shown and sent ---- */

static int modules_fold(struct report_tally *t, struct store_txn *txn, struct arena *arena, struct error *e)
{
	struct report_tally *by_module = arena_alloc(arena, sizeof *by_module);
	if (!by_module)
		return error_set(e, ERR_MEMORY, "no memory for a report");
	by_module->count = 0;
	for (size_t i = 0; i < t->count; i++) {
		Lm__Service *service;
		char key[12];
		int result = service_get(txn, t->rows[i].key, 0, arena, &service);
		if (error_is_of_machine(result))
			return store_failure(txn, e);
		snprintf(key, sizeof key, "%d", result ? 0 : (int)service->module);
		struct report_tallied *row = row_of(by_module, key);
		for (size_t k = 0; k < REPORT_MEASURES_MOST; k++)
			row->counts[k] += t->rows[i].counts[k];
	}
	memcpy(t->rows, by_module->rows, sizeof t->rows);
	t->count = by_module->count;
	return OK;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct report_tallied *)a)->key, ((const struct report_tallied *)b)->key);
}

static Lm__ReportRow *row_make(const struct report_tally *t, const struct report_tallied *from, struct arena *arena)
{
	size_t n = t->definition->n_measures;
	Lm__ReportRow *row = arena_alloc(arena, sizeof *row);
	uint64_t *counts = arena_alloc(arena, n * sizeof *counts);
	char *key = arena_text(arena, from->key);
	if (!row || !counts || !key)
		return NULL;
	lm__report_row__init(row);
	memcpy(counts, from->counts, n * sizeof *counts);
	row->key = key;
	row->counts = counts;
	row->n_counts = n;
	return row;
}

int report_content(struct report_tally *t, struct store_txn *txn, const char *period, struct arena *arena,
                   Lm__ReportContent **out, struct error *e)
{
	bool is_by_module = t->definition->split == LM__REPORT_SPLIT__REPORT_SPLIT_MODULE;
	int result = is_by_module ? modules_fold(t, txn, arena, e) : OK;
	if (result)
		return result;
	Lm__ReportContent *content = arena_alloc(arena, sizeof *content);
	Lm__ReportRow **rows = arena_alloc(arena, (t->count + 1) * sizeof *rows);
	if (!content || !rows)
		return error_set(e, ERR_MEMORY, "no memory for a report");
	lm__report_content__init(content);
	qsort(t->rows, t->count, sizeof *t->rows, by_key);
	content->definition = (Lm__ReportDefinition *)(uintptr_t)t->definition;
	content->period = (char *)(uintptr_t)period;
	content->rows = rows;
	for (; content->n_rows < t->count; content->n_rows++)
		if (!(rows[content->n_rows] = row_make(t, &t->rows[content->n_rows], arena)))
			return error_set(e, ERR_MEMORY, "no memory for a report");
	*out = content;
	return OK;
}
