/* Reports to the city: what is counted is data, of closed periods and the district's own cases; what was sent stays as
 * it was (KIND_REPORT in `own` of the hub). What may leave the house of it: report_marks. */
#ifndef DOMAIN_REPORT_H
#define DOMAIN_REPORT_H

#include "domain/domain.h"
#include "proto/report.pb-c.h"

extern const struct store_table domain_table_report;

#define REPORT_ROWS_MOST 200   /* towns or services */
#define REPORT_MEASURES_MOST 9 /* one of each */
#define REPORT_REASON_BYTES_MOST 600
#define REPORT_SMALL 5        /* what is less tells of persons */
#define REPORT_PERIOD_BYTES 8 /* "2026-10", "2026-Q4", "2026" */

/* Every fault of the file as "path: what is wrong", at most `most`; returns how many there are. */
size_t reports_check(const Lm__ReportsFile *file, struct service_fault *faults, size_t most);
const Lm__ReportDefinition *report_find(const Lm__ReportsFile *file, const char *id); /* NULL: none */

/* Days of Shanghai. False: the text is no period of this kind. */
bool report_period_read(Lm__ReportPeriod kind, const char *text, int64_t *start_ms, int64_t *end_ms);
/* The n-th period (0: the newest) that is over at `now_ms`. */
void report_period_closed(Lm__ReportPeriod kind, int64_t now_ms, unsigned n, char text[REPORT_PERIOD_BYTES]);

/* Counting, in steps of bounded time, each of one snapshot: call it again while *from is not zero. A case that cannot
 * be read ends it (ERR_DAMAGED): a number without it would be wrong. ERR_TOO_BIG: more than REPORT_ROWS_MOST. */
struct report_tally {
	const Lm__ReportDefinition *definition;
	int64_t start_ms, end_ms;
	size_t count;
	struct report_tallied {
		char key[72]; /* town or service */
		uint64_t counts[REPORT_MEASURES_MOST];
	} rows[REPORT_ROWS_MOST];
};
void report_tally_case(struct report_tally *t, const Lm__CaseRecord *record, struct report_tallied *row);
int report_tally(struct report_tally *t, struct store_txn *txn, struct id *from, struct arena *arena, struct error *e);
/* Rows by key, without names; services become their modules if the definition says so. */
int report_content(struct report_tally *t, struct store_txn *txn, const char *period, struct arena *arena,
                   Lm__ReportContent **out, struct error *e);
int report_hash(const Lm__ReportContent *content, struct arena *arena, struct hash *out, struct error *e);

/* What stands in a file: rows, and the total as last row, a mark a measure. No number under REPORT_SMALL is shown, nor
 * follows from those that are: other numbers of its column go with it, and what it is a part of. */
enum report_mark { REPORT_SHOWN, REPORT_IS_SMALL, REPORT_IS_WITHHELD };
struct report_cell {
	uint64_t count;
	enum report_mark mark;
};
typedef struct report_cell report_line[REPORT_MEASURES_MOST];
/* `cells` has n_rows + 1 lines. */
void report_marks(const Lm__ReportContent *content, report_line *cells);

/* The newest version of a period (`version` 0), or that one. ERR_NOT_FOUND. */
int report_get(struct store_txn *txn, const char *id, const char *period, uint32_t version, struct arena *arena,
               Lm__ReportRecord **out);

#endif
