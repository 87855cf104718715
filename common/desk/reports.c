/*
 * Reports to the city: counted anew for whoever looks, over a period that is over; sent, they stay as they were; only
 * what was sent leaves as a file, and who took it is an event of this node before it does.
 */
#include "reports.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "errand.h"
#include "letters.h"

#define PERIODS_SHOWN 12
#define SENT_SHOWN_MOST 20

static size_t check(const void *file, struct service_fault *faults, size_t most)
{
	return reports_check(file, faults, most);
}

int reports_open(struct reports *r, const char *path, struct error *e)
{
	return texts_read(path, &lm__reports_file__descriptor, &r->arena, &r->file, check, e);
}

void reports_release(struct reports *r)
{
	arena_release(&r->arena);
}

static int file_get(struct node *n, const Lm__ReportsFile **out, struct error *e)
{
	*out = reports_in(n)->file;
	return *out ? OK
	            : error_set(e, ERR_NOT_READY,
	                        "nothing says here what is reported: an administrator sets `reports`");
}

/* Which report of which period the address names. */
static int report_begin(struct node *n, struct errand *x, struct http_request *r)
{
	struct report *w = arena_alloc(&x->arena, sizeof *w);
	const char *id = http_parameter(r, "id"), *period = http_parameter(r, "period");
	if (!w)
		return report_no_memory(&x->error);
	memset(w, 0, sizeof *w);
	x->context = w;
	lm__report_payload__init(&w->payload);
	lm__report_sending__init(&w->sending);
	lm__report_taking__init(&w->taking);
	int result = file_get(n, &w->file, &x->error);
	if (result)
		return result;
	w->definition = report_find(w->file, id ? id : "");
	if (!w->definition)
		return error_set(&x->error, ERR_NOT_FOUND, "there is no such report");
	if (!period || !report_period_read(w->definition->period, period, &w->start_ms, &w->end_ms))
		return error_set(&x->error, ERR_INVALID, "period: as 2026-10, 2026-Q4 or 2026, as the report has it");
	if (w->end_ms > clock_wall_ms())
		return error_set(&x->error, ERR_CONFLICT, "this period is not over yet");
	snprintf(w->period, sizeof w->period, "%s", period); /* it fits: it was read */
	return OK;
}

/* ---- shown ---- */

static Lm__ReportSent *sent_view(const Lm__ReportRecord *record, struct arena *arena)
{
	Lm__ReportSent *sent = arena_alloc(arena, sizeof *sent);
	if (!sent)
		return NULL;
	lm__report_sent__init(sent);
	sent->version = record->sending->version;
	sent->by = record->by;
	sent->time_ms = record->time_ms;
	sent->reason = record->sending->reason;
	return sent;
}

static Lm__ReportLine *line_make(const struct report *w, Lm__ReportRow *row, struct arena *arena)
{
	Lm__ReportLine *line = arena_alloc(arena, sizeof *line);
	uint64_t *none = arena_alloc(arena, REPORT_MEASURES_MOST * sizeof *none);
	if (!line || !none)
		return NULL;
	lm__report_line__init(line);
	memset(none, 0, REPORT_MEASURES_MOST * sizeof *none);
	line->row = row;
	if (!w->last || !report_is_alike(w->last->sending->content, w->content))
		return line;
	const Lm__ReportRow *before = report_row_find(w->last->sending->content, row->key);
	line->before = before ? before->counts : none;
	line->n_before = row->n_counts;
	return line;
}

static int sent_fill(struct store_txn *txn, struct report *w, struct errand *x, Lm__ReportView *view)
{
	Lm__ReportRecord *record = w->last;
	view->sent = arena_alloc(&x->arena, SENT_SHOWN_MOST * sizeof *view->sent);
	if (!view->sent)
		return report_no_memory(&x->error);
	for (uint32_t version = record ? record->sending->version : 0; version && view->n_sent < SENT_SHOWN_MOST;
	     version--) {
		if (report_get(txn, w->definition->id, w->period, version, &x->arena, &record))
			return store_failure(txn, &x->error);
		if (!(view->sent[view->n_sent++] = sent_view(record, &x->arena)))
			return report_no_memory(&x->error);
	}
	return OK;
}

static int view_fill(struct store_txn *txn, struct report *w, struct errand *x)
{
	size_t measures = w->definition->n_measures;
	Lm__ReportView *view = arena_alloc(&x->arena, sizeof *view);
	Lm__ReportMeasureName **names = arena_alloc(&x->arena, measures * sizeof *names);
	Lm__ReportLine **lines = arena_alloc(&x->arena, (w->content->n_rows + 1) * sizeof *lines);
	if (!view || !names || !lines)
		return report_no_memory(&x->error);
	lm__report_view__init(view);
	view->definition = w->content->definition;
	view->period = w->period;
	view->measures = names;
	view->lines = lines;
	view->hash = codec_data(BYTES_OF(w->hash));
	view->is_changed = w->is_changed;
	for (; view->n_measures < measures; view->n_measures++)
		for (size_t i = 0; i < w->file->n_measures; i++)
			if (w->file->measures[i]->measure == w->definition->measures[view->n_measures])
				names[view->n_measures] = w->file->measures[i];
	for (; view->n_lines < w->content->n_rows; view->n_lines++)
		if (!(lines[view->n_lines] = line_make(w, w->content->rows[view->n_lines], &x->arena)))
			return report_no_memory(&x->error);
	x->output = &view->base;
	return sent_fill(txn, w, x, view);
}

static void report_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct store_txn *txn;
	x->result = report_count(n, x, &txn);
	if (x->result)
		return;
	x->result = view_fill(txn, x->context, x);
	store_abort(txn);
}

static void report_get_one(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (!x)
		return;
	int result = report_begin(context, x, r);
	if (result)
		errand_answer(x, result, &x->error);
	else
		errand_pool(context, x, report_pool);
}

static int list_row(struct store_txn *txn, Lm__ReportDefinition *d, int64_t now_ms, struct arena *arena,
                    Lm__ReportListRow **out)
{
	Lm__ReportListRow *row = arena_alloc(arena, sizeof *row);
	Lm__ReportPeriodRow **periods = arena_alloc(arena, PERIODS_SHOWN * sizeof *periods);
	if (!row || !periods)
		return ERR_MEMORY;
	lm__report_list_row__init(row);
	row->definition = d;
	row->periods = periods;
	for (unsigned i = 0; i < PERIODS_SHOWN; i++) {
		Lm__ReportPeriodRow *p = periods[i] = arena_alloc(arena, sizeof *p);
		char *text = arena_alloc(arena, REPORT_PERIOD_BYTES);
		Lm__ReportRecord *record;
		if (!p || !text)
			return ERR_MEMORY;
		lm__report_period_row__init(p);
		report_period_closed(d->period, now_ms, i, text);
		p->period = text;
		int result = report_get(txn, d->id, text, 0, arena, &record);
		if (result && result != ERR_NOT_FOUND)
			return result;
		if (!result && !(p->sent = sent_view(record, arena)))
			return ERR_MEMORY;
		row->n_periods++;
	}
	*out = row;
	return OK;
}

static void list_pool(struct node *n, void *context)
{
	struct errand *x = context;
	const Lm__ReportsFile *file;
	struct store_txn *txn;
	Lm__ReportsView *view = arena_alloc(&x->arena, sizeof *view);
	x->result = view ? file_get(n, &file, &x->error) : report_no_memory(&x->error);
	if (x->result)
		return;
	lm__reports_view__init(view);
	view->reports = arena_alloc(&x->arena, file->n_reports * sizeof *view->reports);
	x->result = view->reports ? store_begin_read(node_store(n), &txn, &x->error) : report_no_memory(&x->error);
	if (x->result)
		return;
	int64_t now_ms = clock_wall_ms();
	for (; view->n_reports < file->n_reports && !x->result; view->n_reports++)
		x->result = list_row(txn, file->reports[view->n_reports], now_ms, &x->arena,
		                     &view->reports[view->n_reports]);
	if (x->result)
		x->result = x->result == ERR_MEMORY ? report_no_memory(&x->error) : store_failure(txn, &x->error);
	store_abort(txn);
	x->output = &view->base;
}

static void reports_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (x)
		errand_pool(context, x, list_pool);
}

/* ---- sent ---- */

static int report_note(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	struct report *w = x->context;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	h.kind = LM__KIND__KIND_REPORT;
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	w->payload.by = x->user;
	int result = CODEC_PACK(&w->payload, t->arena, &packed, e);
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static void note_or_answer(struct node *n, void *context)
{
	struct errand *x = context;
	if (x->result)
		errand_answer(x, x->result, &x->error);
	else
		errand_command(n, x, report_note, errand_done);
}

static int sending_fill(struct report *w, const Lm__ReportSendCommand *in, struct error *e)
{
	if (!bytes_equal(codec_bytes(in->hash), BYTES_OF(w->hash)))
		return error_set(e, ERR_CONFLICT, "the numbers have changed since you looked: look at them again");
	if (w->last && !w->is_changed)
		return error_set(e, ERR_CONFLICT, "this was sent already, and nothing has changed since");
	if (w->last && !in->reason[0])
		return error_set(e, ERR_INVALID, "reason: a correction says why");
	if (strlen(in->reason) > REPORT_REASON_BYTES_MOST)
		return error_set(e, ERR_INVALID, "reason: at most %d bytes", REPORT_REASON_BYTES_MOST);
	w->sending.content = w->content;
	w->sending.hash = codec_data(BYTES_OF(w->hash));
	w->sending.version = w->last ? w->last->sending->version + 1 : 1;
	w->sending.reason = in->reason;
	w->payload.sending = &w->sending;
	return OK;
}

static void send_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct report *w = x->context;
	static Lm__Empty sent = LM__EMPTY__INIT;
	struct store_txn *txn;
	x->result = report_count(n, x, &txn);
	if (x->result)
		return;
	store_abort(txn);
	x->result = sending_fill(w, (Lm__ReportSendCommand *)x->input, &x->error);
	x->output = &sent.base;
}

static void report_post(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__report_send_command__descriptor);
	if (!x)
		return;
	int result = report_begin(context, x, r);
	if (!result)
		result = node_pool(context, send_pool, note_or_answer, x);
	if (result) /* otherwise it is the pool's */
		errand_answer(x, result, &x->error);
}

/* ---- taken as a file ---- */

static int records_get(struct store_txn *txn, struct report *w, uint32_t version, struct errand *x,
                       struct report_taking *t)
{
	Lm__ReportRecord *record, *before;
	int result = report_get(txn, w->definition->id, w->period, version, &x->arena, &record);
	if (result == ERR_NOT_FOUND)
		return error_set(&x->error, ERR_NOT_FOUND, "this was not sent: what was sent leaves as a file");
	if (!result && record->sending->version > 1) {
		result =
		        report_get(txn, w->definition->id, w->period, record->sending->version - 1, &x->arena, &before);
		t->before = before;
	}
	t->record = record;
	return result ? store_failure(txn, &x->error) : OK;
}

static void file_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct report *w = x->context;
	const Lm__ReportFileCommand *in = (Lm__ReportFileCommand *)x->input;
	struct report_taking t = { .file = w->file,
		                   .by = x->user,
		                   .time_ms = clock_wall_ms(),
		                   .format = in->format,
		                   .is_english = strcmp(in->language, "en") == 0 };
	Lm__FileView *view = arena_alloc(&x->arena, sizeof *view);
	struct store_txn *txn;
	x->result = view ? store_begin_read(node_store(n), &txn, &x->error) : report_no_memory(&x->error);
	if (x->result)
		return;
	x->result = records_get(txn, w, in->version, x, &t);
	store_abort(txn);
	if (!x->result)
		x->result = report_file_make(&t, &x->arena, &w->made, &x->error);
	if (x->result)
		return;
	lm__file_view__init(view);
	view->type = (char *)(uintptr_t)(in->format == LM__REPORT_FORMAT__REPORT_FORMAT_CSV ? "text/csv"
	                                                                                    : "application/pdf");
	view->content = codec_data(w->made);
	x->output = &view->base;
	w->taking.id = w->definition->id;
	w->taking.period = w->period;
	w->taking.version = t.record->sending->version;
	w->taking.format = in->format;
	w->payload.taking = &w->taking;
}

static void file_post(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__report_file_command__descriptor);
	if (!x)
		return;
	const Lm__ReportFileCommand *in = (Lm__ReportFileCommand *)x->input;
	int result = desk_fresh_check(r, &x->error);
	if (!result && in->format != LM__REPORT_FORMAT__REPORT_FORMAT_CSV &&
	    in->format != LM__REPORT_FORMAT__REPORT_FORMAT_PDF)
		result = error_set(&x->error, ERR_INVALID, "format: CSV or PDF?");
	if (!result)
		result = report_begin(context, x, r);
	if (!result)
		result = node_pool(context, file_pool, note_or_answer, x);
	if (result) /* otherwise it is the pool's */
		errand_answer(x, result, &x->error);
}

const struct http_route report_routes[] = {
	{ HTTP_GET, "/api/v1/reports", HTTP_SESSION_OF(RIGHT_CASES | RIGHT_AUDIT), reports_get },
	{ HTTP_GET, "/api/v1/reports/:id/:period", HTTP_SESSION_OF(RIGHT_CASES | RIGHT_AUDIT), report_get_one },
	{ HTTP_POST, "/api/v1/reports/:id/:period", HTTP_SESSION_OF(RIGHT_CASES), report_post },
	{ HTTP_POST, "/api/v1/reports/:id/:period/file", HTTP_SESSION_OF(RIGHT_CASES), file_post },
};
const size_t report_route_count = sizeof report_routes / sizeof *report_routes;
