/*
 * Working days: what a year's notice says is published like a service, one wrong word is refused with its place, and a
 * term ends where somebody with the notice in hand would let it end.
 */
#include "fixture.h"

#include "base/clock.h"
#include "domain/publication.h"
#include "proto/json.h"

#define FAULTS_SEEN 8
#define TEXT_MOST 4096

/* The notice of 2026 (国办发明电〔2025〕7号, 2025-11-04), as deploy/calendar has it. */
static const char year_2026[] =
        "{ \"year\": \"2026\", \"off\": [\n"
        "{ \"name\": { \"zh\": \"元旦\", \"en\": \"New Year\" }, \"from\": \"2026-01-01\", \"to\": \"2026-01-03\" },\n"
        "{ \"name\": { \"zh\": \"春节\", \"en\": \"Spring Festival\" }, \"from\": \"2026-02-15\", \"to\": "
        "\"2026-02-23\" },\n"
        "{ \"name\": { \"zh\": \"国庆节\", \"en\": \"National Day\" }, \"from\": \"2026-10-01\", \"to\": "
        "\"2026-10-07\" } ],\n"
        "\"make_up\": [ \"2026-01-04\", \"2026-02-14\", \"2026-02-28\", \"2026-09-20\", \"2026-10-10\" ],\n"
        "\"basis\": { \"text\": { \"zh\": \"放假通知\", \"en\": \"The notice\" }, \"source\": "
        "\"国办发明电〔2025〕7号\",\n"
        "  \"date\": \"2025-11-04\" } }\n";

static Lm__Calendar *calendar_read(struct node *n, const char *text)
{
	Lm__Calendar *c;
	assert_ok(n, JSON_DECODE(lm__calendar, bytes_from_text(text), &n->arena, &c, &n->e));
	return c;
}

static int calendar_publish(struct node *n, Lm__Calendar *c, uint32_t revision)
{
	Lm__Header h = entry_make(HUB, ALL, KIND(CALENDAR));
	static char by[] = "publisher1";
	c->revision = revision;
	c->published_by = by;
	return node_apply_message(n, &h, &c->base);
}

/* ---- what is refused ---- */

static const struct {
	const char *part, *change, *fault;
} wrong[] = {
	{ "\"year\": \"2026\"", "\"year\": \"26\"", "year: four digits" },
	{ "\"zh\": \"元旦\", ", "", "off[0].name: " },
	{ "\"from\": \"2026-01-01\"", "\"from\": \"2026-02-30\"", "off[0].from: " },
	{ "\"from\": \"2026-01-01\"", "\"from\": \"2025-06-01\"", "off[0].from: " },
	{ "\"to\": \"2026-01-03\"", "\"to\": \"2025-12-31\"", "off[0].to: " },
	{ "\"from\": \"2026-10-01\"", "\"from\": \"2026-09-21\"", "off[2].to: the last day, at most 16" },
	{ "\"from\": \"2026-02-15\"", "\"from\": \"2026-02-13\"", "make_up[1]: 2026-02-14 is off" },
	{ "\"from\": \"2026-10-01\", \"to\": \"2026-10-07\"", "\"from\": \"2026-02-20\", \"to\": \"2026-02-24\"",
	  "off[2]: meets off[1]" },
	{ "\"2026-01-04\"", "\"2026-01-05\"", "make_up[0]: 2026-01-05 is neither" },
	{ "\"2026-01-04\"", "\"soon\"", "make_up[0]: a day like" },
	{ "\"2026-01-04\"", "\"2026-02-14\"", "make_up[1]: 2026-02-14 is there twice" },
	{ "\"source\": \"国办发明电〔2025〕7号\"", "\"source\": \"\"", "basis.source: " },
	{ "\"date\": \"2025-11-04\"", "\"date\": \"2025-11\"", "basis.date: " },
	{ "\"en\": \"The notice\"", "\"en\": \"\"", "basis.text.en: " },
};

static void test_one_change_one_fault(void **state)
{
	(void)state;
	struct node n;
	struct service_fault faults[FAULTS_SEEN];
	node_open(&n, &devices[HUB]);
	assert_int_equal(collection_calendar.check(&calendar_read(&n, year_2026)->base, faults, FAULTS_SEEN), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[TEXT_MOST];
		const char *at = strstr(year_2026, wrong[i].part);
		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - year_2026), year_2026, wrong[i].change,
		         at + strlen(wrong[i].part));
		size_t count = collection_calendar.check(&calendar_read(&n, text)->base, faults, FAULTS_SEEN);
		if (count != 1 || strncmp(faults[0].text, wrong[i].fault, strlen(wrong[i].fault)) != 0)
			fail_msg("%s: %zu faults, \"%s\"", wrong[i].change, count, count ? faults[0].text : "");
		assert_int_equal(collection_calendar.check(&calendar_read(&n, text)->base, NULL, 0), 1);
	}
	Lm__Calendar *bare = calendar_read(&n, "{ \"year\": \"2026\" }");
	assert_int_equal(collection_calendar.check(&bare->base, faults, FAULTS_SEEN), 2); /* basis, off */
	node_close(&n);
}

static void test_a_tier_takes_what_was_published_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct node n;
		ProtobufCMessage *found;
		node_open(&n, &devices[(int[]){ HUB, TOWN_A, T1 }[i]]);
		node_directory(&n);
		assert_refused(&n, ERR_INVALID, calendar_publish(&n, calendar_read(&n, year_2026), 0));
		assert_refused(&n, ERR_INVALID, calendar_publish(&n, calendar_read(&n, "{ \"year\": \"2026\" }"), 1));
		assert_ok(&n, calendar_publish(&n, calendar_read(&n, year_2026), 1));
		assert_refused(&n, ERR_EXISTS, calendar_publish(&n, calendar_read(&n, year_2026), 1));
		assert_ok(&n, calendar_publish(&n, calendar_read(&n, year_2026), 2));
		assert_ok(&n, content_get(n.txn, &collection_calendar, "2026", 0, &n.arena, &found));
		assert_int_equal(content_revision(&collection_calendar, found), 2);
		assert_int_equal(content_get(n.txn, &collection_calendar, "2027", 0, &n.arena, &found), ERR_NOT_FOUND);
		Lm__Header h = entry_make(TOWN_B, ALL, KIND(CALENDAR));
		assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &calendar_read(&n, year_2026)->base));
		node_close(&n);
	}
}

/* ---- terms ---- */

static int64_t shanghai(const char *date, int hour)
{
	int64_t day;
	assert_true(clock_date_read(date, &day));
	return clock_shanghai_day_end_ms(day - 1) + hour * INT64_C(3600000);
}

static const struct {
	const char *from;
	int hour;
	uint32_t days;
	const char *last; /* the term ends at 24:00 of it; NULL: no date can be promised */
} terms[] = {
	{ "2026-11-16", 10, 1, "2026-11-17" }, /* Monday: the day itself does not count */
	{ "2026-11-16", 0, 1, "2026-11-17" },  /* nor at its first moment */
	{ "2026-11-16", 23, 1, "2026-11-17" },  { "2026-11-20", 16, 1, "2026-11-23" }, /* Friday */
	{ "2026-11-21", 16, 1, "2026-11-23" },                                         /* Saturday */
	{ "2026-11-16", 10, 5, "2026-11-23" },  { "2026-01-03", 10, 1, "2026-01-04" }, /* a Sunday that is worked */
	{ "2026-02-13", 10, 1, "2026-02-14" }, /* the last day before the festival is a Saturday */
	{ "2026-02-13", 10, 2, "2026-02-24" },  { "2026-02-13", 10, 6, "2026-02-28" },
	{ "2026-09-18", 10, 9, "2026-09-30" },                                 /* Sunday 20 is worked */
	{ "2026-09-18", 10, 10, "2026-10-08" },                                /* Thursday after the holiday */
	{ "2026-12-30", 10, 1, "2026-12-31" },  { "2026-12-31", 10, 1, NULL }, /* 2027 has no notice yet */
	{ "2026-12-01", 10, 30, NULL },         { "2025-11-03", 10, 1, NULL },
	{ "2026-11-16", 10, 0, "2026-11-16" },
};

static void test_terms_end_at_midnight_of_a_worked_day(void **state)
{
	(void)state;
	struct node n;
	struct working_days days;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	assert_ok(&n, calendar_publish(&n, calendar_read(&n, year_2026), 1));
	assert_ok(&n, working_days_load(n.txn, &n.arena, &days));
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
		int64_t end = 0, last;
		int year = 0;
		int result = term_end(&days, shanghai(terms[i].from, terms[i].hour), terms[i].days, &end, &year);
		assert_int_equal(result, terms[i].last ? OK : ERR_NOT_FOUND);
		if (!terms[i].last) {
			assert_int_equal(year, terms[i].from[3] == '5' ? 2025 : 2027);
			continue;
		}
		assert_true(clock_date_read(terms[i].last, &last));
		if (end != clock_shanghai_day_end_ms(last))
			fail_msg("%s + %u ends on day %lld, not %s", terms[i].from, terms[i].days,
			         (long long)clock_shanghai_date(end - 1), terms[i].last);
		assert_int_equal(term_days(&days, shanghai(terms[i].from, terms[i].hour), end - 1), terms[i].days);
	}
	node_close(&n);
}

static void test_new_year_may_begin_in_december(void **state)
{
	(void)state;
	struct node n;
	struct working_days days;
	int64_t end;
	int year;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	Lm__Calendar *next = calendar_read(&n, year_2026);
	Lm__DaysOff off = LM__DAYS_OFF__INIT, *list[] = { &off };
	off.name = next->off[0]->name;
	off.from = (char[]){ "2026-12-31" };
	off.to = (char[]){ "2027-01-03" };
	assert_ok(&n, calendar_publish(&n, next, 1));
	next->year = (char[]){ "2027" };
	next->off = list;
	next->n_off = 1;
	next->n_make_up = 0;
	assert_ok(&n, calendar_publish(&n, next, 1));
	assert_ok(&n, working_days_load(n.txn, &n.arena, &days));
	assert_int_equal(term_end(&days, shanghai("2026-12-30", 10), 1, &end, &year), OK);
	assert_int_equal(clock_shanghai_date(end - 1), 20270104);
	node_close(&n);
}

static int setup(void **state)
{
	(void)state;
	devices_make();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_change_one_fault),
		cmocka_unit_test(test_a_tier_takes_what_was_published_and_nothing_else),
		cmocka_unit_test(test_terms_end_at_midnight_of_a_worked_day),
		cmocka_unit_test(test_new_year_may_begin_in_december),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
