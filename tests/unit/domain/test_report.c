/* Reports: what is delivered is right and each mistake is named; which period a case counts in; what is withheld from a
 * file, tried by working out from it what can be; what was sent stays. */
#include "fixture.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/prng.h"
#include "domain/report.h"
#include "proto/json.h"

#define MEASURE(name) LM__REPORT_MEASURE__REPORT_MEASURE_##name
#define MONTH LM__REPORT_PERIOD__REPORT_PERIOD_MONTH
#define QUARTER LM__REPORT_PERIOD__REPORT_PERIOD_QUARTER
#define YEAR LM__REPORT_PERIOD__REPORT_PERIOD_YEAR
#define TEXT(t) ((char *)(uintptr_t)(t))

static Lm__ReportsFile *delivered(struct arena *arena)
{
	struct buffer text = { 0 };
	Lm__ReportsFile *file;
	struct error e = { 0 };
	assert_int_equal(file_read(TOP "/deploy/reports.json", 256 * 1024, &text, &e), OK);
	if (JSON_DECODE(lm__reports_file, buffer_bytes(&text), arena, &file, &e))
		fail_msg("%s", e.text);
	buffer_release(&text);
	return file;
}

static void expect(const Lm__ReportsFile *file, const char *word)
{
	struct service_fault faults[4];
	size_t count = reports_check(file, faults, 4);
	if (count != (word ? 1 : 0))
		fail_msg("%zu faults instead of %s: %s", count, word ? word : "none", count ? faults[0].text : "");
	if (word && strncmp(faults[0].text, word, strlen(word)) != 0)
		fail_msg("'%s' instead of '%s'", faults[0].text, word);
}

static void test_each_mistake_is_named_where_it_is(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 0);
	Lm__ReportsFile *f = delivered(&arena);
	expect(f, NULL);
	f->reports[1]->n_measures--;
	expect(f, NULL);
	f->reports[1]->n_measures--;
	expect(f, "reports[1].measures: with what was decided stand all three");
	f = delivered(&arena);
	f->reports[0]->overdue_days = 0;
	expect(f, "reports[0].overdue_days");
	f = delivered(&arena);
	f->reports[2]->id = f->reports[0]->id;
	expect(f, "reports[2].id: 'month-towns' is there already");
	f = delivered(&arena);
	f->reports[0]->measures[1] = MEASURE(RECEIVED);
	expect(f, "reports[0].measures[1]: it is not known, or there already");
	f = delivered(&arena);
	f->reports[0]->source = TEXT("a letter");
	expect(f, "reports[0].source");
	f = delivered(&arena);
	f->reports[0]->split = 9;
	expect(f, "reports[0].split");
	f = delivered(&arena);
	f->n_modules--;
	expect(f, "modules: each needs a name");
	f = delivered(&arena);
	f->withheld->en = TEXT("");
	expect(f, "withheld: both languages");
	arena_release(&arena);
}

/* ---- periods ---- */

static int64_t at(const char *date)
{
	int64_t day;
	assert_true(clock_date_read(date, &day));
	return clock_shanghai_day_end_ms(day - 1);
}

static void expect_period(Lm__ReportPeriod kind, const char *text, const char *start, const char *end)
{
	int64_t start_ms, end_ms;
	assert_true(report_period_read(kind, text, &start_ms, &end_ms));
	assert_int_equal(start_ms, at(start));
	assert_int_equal(end_ms, at(end));
}

static void expect_closed(Lm__ReportPeriod kind, int64_t now_ms, unsigned n, const char *expected)
{
	char text[REPORT_PERIOD_BYTES];
	report_period_closed(kind, now_ms, n, text);
	assert_string_equal(text, expected);
}

static void test_periods(void **state)
{
	static const char *const wrong[] = { "",        "2026",    "2026-Q4",  "2026-13",
		                             "2026-00", "2026-1",  "2026-010", "1026-10",
		                             "2026-1x", "-026-10", "2026-10 ", "99999999999999999999" };
	int64_t start, end;
	(void)state;
	expect_period(MONTH, "2026-12", "2026-12-01", "2027-01-01");
	expect_period(MONTH, "2024-02", "2024-02-01", "2024-03-01");
	expect_period(QUARTER, "2026-Q4", "2026-10-01", "2027-01-01");
	expect_period(YEAR, "2026", "2026-01-01", "2027-01-01");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(report_period_read(MONTH, wrong[i], &start, &end));
	assert_false(report_period_read(QUARTER, "2026-Q5", &start, &end));
	assert_false(report_period_read(YEAR, "2026-01", &start, &end));
	expect_closed(MONTH, at("2026-11-01") - 1, 0, "2026-09"); /* October is not over for another millisecond */
	expect_closed(MONTH, at("2026-11-01"), 0, "2026-10");
	expect_closed(MONTH, at("2026-11-01"), 10, "2025-12");
	expect_closed(QUARTER, at("2026-11-22"), 0, "2026-Q3");
	expect_closed(QUARTER, at("2026-01-05"), 0, "2025-Q4");
	expect_closed(YEAR, at("2026-11-22"), 1, "2024");
}

/* ---- counting ---- */

#define ALL_OF_THEM 9
static Lm__ReportDefinition *definition_of(Lm__ReportDefinition *d, Lm__ReportMeasure *measures, size_t count)
{
	lm__report_definition__init(d);
	d->id = TEXT("one");
	d->period = MONTH;
	d->split = LM__REPORT_SPLIT__REPORT_SPLIT_TOWN;
	d->overdue_days = 10;
	d->measures = measures;
	d->n_measures = count;
	return d;
}

static Lm__ReportMeasure every[ALL_OF_THEM] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

/* "110000000": received and decided; in the order of the measures. */
static void expect_counted(int64_t received, int64_t closed, Lm__CaseState s, Lm__Outcome outcome, const char *expected)
{
	Lm__ReportDefinition d;
	struct report_tally t = { .definition = definition_of(&d, every, ALL_OF_THEM),
		                  .start_ms = at("2026-10-01"),
		                  .end_ms = at("2026-11-01") };
	struct report_tallied row = { .key = "" };
	Lm__CaseRecord r = LM__CASE_RECORD__INIT;
	char got[ALL_OF_THEM + 1] = "";
	r.received_ms = received;
	r.closed_ms = closed;
	r.state = s;
	r.outcome = outcome;
	report_tally_case(&t, &r, &row);
	for (size_t i = 0; i < ALL_OF_THEM; i++)
		got[i] = (char)('0' + row.counts[i]);
	assert_string_equal(got, expected);
}

static void test_which_period_a_case_counts_in(void **state)
{
	(void)state;
	int64_t first = at("2026-10-01"), next = at("2026-11-01");
	expect_counted(first, 0, STATE(RECEIVED), 0, "100000001");
	expect_counted(first - 1, 0, STATE(RECEIVED), 0, "000000001");
	expect_counted(next - 1, 0, STATE(RECEIVED), 0, "100000010");
	expect_counted(at("2026-10-22"), 0, STATE(RECEIVED), 0, "100000010"); /* ten days: not longer */
	expect_counted(at("2026-10-22") - 1, 0, STATE(RECEIVED), 0, "100000001");
	expect_counted(next, 0, STATE(RECEIVED), 0, "000000000");
	expect_counted(first, first, STATE(DECIDED), OUTCOME(GRANTED), "111000000");
	expect_counted(first, next - 1, STATE(DECIDED), OUTCOME(PARTLY_GRANTED), "110100000");
	expect_counted(first, next - 1, STATE(DECIDED), OUTCOME(REFUSED), "110010000");
	expect_counted(first, next, STATE(DECIDED), OUTCOME(REFUSED), "100000001"); /* closed later: open then */
	expect_counted(first - 1, first - 1, STATE(DECIDED), OUTCOME(REFUSED), "000000000");
	expect_counted(first - 1, first, STATE(WITHDRAWN), 0, "000001000");
	expect_counted(first, first, STATE(DUPLICATE), 0, "100000100");
	expect_counted(first, 0, STATE(ACCEPTED), OUTCOME(REFUSED), "100000001"); /* opened again */
}

/* ---- what is withheld ---- */

#define ROWS 4
struct table {
	Lm__ReportDefinition definition;
	Lm__ReportContent content;
	Lm__ReportRow row[ROWS], *rows[ROWS];
	uint64_t counts[ROWS][REPORT_MEASURES_MOST];
	report_line cells[ROWS + 1];
};

static void table_make(struct table *t, Lm__ReportMeasure *measures, size_t columns)
{
	memset(t, 0, sizeof *t);
	lm__report_content__init(&t->content);
	t->content.definition = definition_of(&t->definition, measures, columns);
	t->content.rows = t->rows;
	t->content.n_rows = ROWS;
	for (size_t i = 0; i < ROWS; i++) {
		lm__report_row__init(&t->row[i]);
		t->rows[i] = &t->row[i];
		t->row[i].counts = t->counts[i];
		t->row[i].n_counts = columns;
	}
}

static void expect_marks(uint64_t a, uint64_t b, uint64_t c, uint64_t d, const char *expected)
{
	static Lm__ReportMeasure received[] = { MEASURE(RECEIVED) };
	struct table t;
	char got[ROWS + 2] = "";
	table_make(&t, received, 1);
	t.counts[0][0] = a, t.counts[1][0] = b, t.counts[2][0] = c, t.counts[3][0] = d;
	report_marks(&t.content, t.cells);
	for (size_t i = 0; i <= ROWS; i++)
		got[i] = "=<*"[t.cells[i][0].mark];
	assert_string_equal(got, expected);
}

static void test_small_numbers_are_not_shown(void **state)
{
	(void)state;
	expect_marks(5, 6, 7, 8, "=====");
	expect_marks(0, 0, 0, 0, "<<<<<");
	expect_marks(1, 1, 1, 1, "<<<<<");
	expect_marks(9, 2, 30, 40, "*<===");
	expect_marks(5, 0, 30, 40, "*<*==");
	expect_marks(5, 0, 0, 0, "*<<<*"); /* nothing is left to go with them: nor is the total shown */
	expect_marks(4, 4, 4, 4, "<<<<*");
}

/* Numbers that `cell` of a column may have by what is shown: tried through, with what is withheld up to `most`. */
static size_t possible(const struct table *t, size_t column, size_t row, uint64_t sum, uint64_t found[8])
{
	size_t count = 0, withheld = 0, small = 0;
	uint64_t hidden = sum;
	for (size_t i = 0; i < ROWS; i++) {
		const struct report_cell *c = &t->cells[i][column];
		if (c->mark == REPORT_SHOWN)
			hidden -= c->count;
		else if (i != row)
			*(c->mark == REPORT_IS_SMALL ? &small : &withheld) += 1;
	}
	for (uint64_t v = 0; v < REPORT_SMALL; v++)
		if (v <= hidden && hidden - v >= 5 * withheld && (withheld || hidden - v <= 4 * small))
			found[count++] = v;
	return count;
}

static void test_nothing_small_follows_from_what_is_shown(void **state)
{
	static Lm__ReportMeasure measures[] = { MEASURE(RECEIVED), MEASURE(DECIDED), MEASURE(GRANTED),
		                                MEASURE(PARTLY_GRANTED), MEASURE(REFUSED) };
	struct prng p;
	size_t hidden = 0;
	uint64_t found[8];
	(void)state;
	prng_seed(&p, 7);
	for (unsigned round = 0; round < 20000; round++) {
		struct table t;
		table_make(&t, measures, 5);
		for (size_t i = 0; i < ROWS; i++) {
			for (size_t k = 0; k < 5; k++)
				t.counts[i][k] = prng_below(&p, 4) ? prng_below(&p, 30) : prng_below(&p, 8);
			t.counts[i][1] = t.counts[i][2] + t.counts[i][3] + t.counts[i][4];
		}
		report_marks(&t.content, t.cells);
		for (size_t k = 0; k < 5; k++) {
			const struct report_cell *total = &t.cells[ROWS][k];
			assert_true(total->mark != REPORT_SHOWN || total->count >= REPORT_SMALL);
			for (size_t i = 0; i < ROWS; i++) {
				assert_true(t.cells[i][k].mark != REPORT_SHOWN || t.cells[i][k].count >= REPORT_SMALL);
				if (k == 1 || t.cells[i][k].mark != REPORT_IS_SMALL || total->mark != REPORT_SHOWN)
					continue;
				hidden++;
				assert_int_equal(possible(&t, k, i, total->count, found), REPORT_SMALL);
			}
		}
		for (size_t i = 0; i <= ROWS; i++) { /* no part follows from the sum and the other two */
			size_t shown = 0;
			for (size_t k = 2; k < 5; k++)
				shown += t.cells[i][k].mark == REPORT_SHOWN;
			assert_true(t.cells[i][1].mark != REPORT_SHOWN || shown == 3);
		}
	}
	assert_true(hidden > 1000);
}

/* ---- sent ---- */

static int send(struct node *n, struct table *t, uint32_t version, const char *reason, bool is_forged)
{
	Lm__Header h = entry_make(HUB, OWN, KIND(REPORT));
	Lm__ReportPayload p = LM__REPORT_PAYLOAD__INIT;
	Lm__ReportSending s = LM__REPORT_SENDING__INIT;
	struct hash hash;
	assert_ok(n, report_hash(&t->content, &n->arena, &hash, &n->e));
	t->counts[0][0] += is_forged;
	s.content = &t->content;
	s.hash = codec_data(BYTES_OF(hash));
	s.version = version;
	s.reason = TEXT(reason);
	p.by = TEXT("operator1");
	p.sending = &s;
	int result = node_apply_message(n, &h, &p.base);
	t->counts[0][0] -= is_forged;
	return result;
}

static void test_what_was_sent_stays(void **state)
{
	static Lm__ReportMeasure received[] = { MEASURE(RECEIVED) };
	struct node n;
	struct table t;
	Lm__Words name;
	Lm__ReportRecord *r;
	(void)state;
	node_open(&n, &devices[HUB]);
	table_make(&t, received, 1);
	words_make(&name, "名", "Name");
	t.definition.name = &name;
	t.content.period = TEXT("2026-10");
	for (size_t i = 0; i < ROWS; i++)
		t.row[i].name = &name;
	t.counts[0][0] = 7;
	assert_refused(&n, ERR_INVALID, send(&n, &t, 1, "", true));
	assert_refused(&n, ERR_CONFLICT, send(&n, &t, 2, "late", false));
	assert_ok(&n, send(&n, &t, 1, "", false));
	assert_refused(&n, ERR_CONFLICT, send(&n, &t, 1, "", false));
	t.counts[0][0] = 8;
	assert_refused(&n, ERR_INVALID, send(&n, &t, 2, "", false));
	assert_says(&n, "a correction says why");
	assert_ok(&n, send(&n, &t, 2, "one came late", false));
	assert_ok(&n, report_get(n.txn, "one", "2026-10", 1, &n.arena, &r));
	assert_int_equal(r->sending->content->rows[0]->counts[0], 7);
	assert_ok(&n, report_get(n.txn, "one", "2026-10", 0, &n.arena, &r));
	assert_int_equal(r->sending->version, 2);
	assert_string_equal(r->by, "operator1");
	assert_int_equal(report_get(n.txn, "one", "2026-09", 0, &n.arena, &r), ERR_NOT_FOUND);
	t.content.period = TEXT("2026-Q4");
	assert_refused(&n, ERR_INVALID, send(&n, &t, 1, "", false));
	node_close(&n);
}

static void test_cases_of_a_store_are_counted(void **state)
{
	static Lm__ReportMeasure some[] = { MEASURE(RECEIVED), MEASURE(OPEN) };
	struct node n;
	struct id from = { { 0 } };
	struct arena scratch;
	Lm__ReportDefinition d;
	Lm__ReportContent *content;
	(void)state;
	node_open(&n, &devices[HUB]);
	arena_init(&scratch, 0);
	node_directory(&n);
	node_secret(&n, HUB);
	assert_ok(&n, node_publish(&n, "town", 1, TOWN));
	for (uint64_t i = 1; i <= 5; i++) {
		struct id id = id_of(i);
		assert_ok(&n, node_request(&n, i < 4 ? T1 : T3, &id, "town", 1));
	}
	struct report_tally t = { .definition = definition_of(&d, some, 2), .end_ms = INT64_MAX };
	assert_ok(&n, report_tally(&t, n.txn, &from, &scratch, &n.e));
	assert_true(id_is_zero(from));
	assert_ok(&n, report_content(&t, n.txn, "2026-10", &n.arena, &content, &n.e));
	assert_int_equal(content->n_rows, 2);
	assert_string_equal(content->rows[0]->key, devices[TOWN_A].place);
	assert_int_equal(content->rows[0]->counts[0], 3);
	assert_int_equal(content->rows[1]->counts[0], 2);
	d.split = LM__REPORT_SPLIT__REPORT_SPLIT_MODULE;
	t.count = 0;
	assert_ok(&n, report_tally(&t, n.txn, &from, &scratch, &n.e));
	assert_ok(&n, report_content(&t, n.txn, "2026-10", &n.arena, &content, &n.e));
	assert_int_equal(content->n_rows, 1);
	assert_string_equal(content->rows[0]->key, "1"); /* daily life */
	assert_int_equal(content->rows[0]->counts[0], 5);
	arena_release(&scratch);
	node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake_is_named_where_it_is),
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_which_period_a_case_counts_in),
		cmocka_unit_test(test_small_numbers_are_not_shown),
		cmocka_unit_test(test_nothing_small_follows_from_what_is_shown),
		cmocka_unit_test(test_what_was_sent_stays),
		cmocka_unit_test(test_cases_of_a_store_are_counted),
	};
	devices_make();
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
