/* Reports to the city: what is reported is read once from the configured file; a file of a report that was sent. */
#ifndef DESK_REPORTS_H
#define DESK_REPORTS_H

#include "domain/report.h"
#include "errand.h"

struct reports {
	struct arena arena;
	Lm__ReportsFile *file; /* NULL: none is configured */
};
int reports_open(struct reports *r, const char *path, struct error *e); /* as letters_open */
void reports_release(struct reports *r);
struct reports *reports_in(struct node *n); /* memory.c */

struct report { /* one under way; lies in the errand's arena */
	const Lm__ReportsFile *file;
	const Lm__ReportDefinition *definition;
	char period[REPORT_PERIOD_BYTES];
	int64_t start_ms, end_ms;
	Lm__ReportContent *content;
	struct hash hash;
	Lm__ReportRecord *last; /* the newest that was sent, or NULL */
	bool is_changed;        /* since then */
	Lm__ReportPayload payload;
	Lm__ReportSending sending;
	Lm__ReportTaking taking;
	struct bytes made;
};

/* report_count.c: on the pool. Counts as the report's definition says, and compares with what was sent last; unless
 * there is an error, *txn is a read transaction that the caller ends. */
int report_count(struct node *n, struct errand *x, struct store_txn **txn);
const Lm__ReportRow *report_row_find(const Lm__ReportContent *c, const char *key); /* NULL: none */
static inline int report_no_memory(struct error *e)
{
	return error_set(e, ERR_MEMORY, "no memory for a report");
}
const Lm__Words *report_measure_words(const Lm__ReportsFile *file, Lm__ReportMeasure measure);
/* Whether their columns are the same: what counts are compared with. */
bool report_is_alike(const Lm__ReportContent *a, const Lm__ReportContent *b);

/* report_file.c: a report as it leaves the house. */
struct report_taking {
	const Lm__ReportsFile *file;
	const Lm__ReportRecord *record, *before; /* `before`: the version that it corrects, or NULL */
	const char *by;
	int64_t time_ms;
	Lm__ReportFormat format;
	bool is_english;
};
/* `out` lies in `arena`. ERR_TOO_BIG, ERR_NOT_READY (no font), ERR_MEMORY. */
int report_file_make(const struct report_taking *t, struct arena *arena, struct bytes *out, struct error *e);

#endif
