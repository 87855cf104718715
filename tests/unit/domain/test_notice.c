/*
 * Notices of a town: what may be written, who takes them, which of them a community is shown, and how many are kept.
 */
#include "fixture.h"

#include "base/clock.h"
#include "domain/publication.h"
#include "proto/json.h"

#define FAULTS_SEEN 8
#define TEXT_MOST 4096
#define SHOWN_MOST 8

static const char good[] = "{ \"id\": \"paper-cutting\", \"about\": \"NOTICE_ABOUT_ACTIVITY\",\n"
                           "\"name\": { \"zh\": \"周六剪纸活动\", \"en\": \"Paper cutting on Saturday\" },\n"
                           "\"text\": [ { \"zh\": \"11月28日上午9点，在活动室。\", \"en\": \"On 28 November at 9.\" }, "
                           "{ \"zh\": \"材料免费。\" } ],\n"
                           "\"easy\": [ { \"zh\": \"周六来剪纸。\" } ],\n"
                           "\"places\": [ \"310114106001\" ], \"until\": \"2026-11-28\" }\n";

static Lm__TownNotice *notice_read(struct node *n, const char *text)
{
	Lm__TownNotice *notice;
	assert_ok(n, JSON_DECODE(lm__town_notice, bytes_from_text(text), &n->arena, &notice, &n->e));
	return notice;
}

static const struct {
	const char *part, *change, *fault;
} wrong[] = {
	{ "\"paper-cutting\"", "\"Paper cutting\"", "id: " },
	{ "NOTICE_ABOUT_ACTIVITY", "NOTICE_ABOUT_NONE", "about: " },
	{ "周六剪纸活动", "", "name.zh: a Chinese text is missing" },
	{ "周六剪纸活动", "一二三四五六七八九十一二三四五六", "name.zh: a sentence of 16 characters; at most 15" },
	{ "材料免费。", "", "text[1].zh: a Chinese text is missing" },
	{ "材料免费。", "材料\\u202e免费。", "text[1].zh: a character that cannot be displayed (U+202E)" },
	{ "材料免费。", "材料\\u2067免费。", "text[1].zh: a character that cannot be displayed (U+2067)" },
	{ "材料免费。", "材料\\u0007免费。", "text[1].zh: a control character (U+0007)" },
	{ "材料免费。", "Free.", "text[1].zh: no Chinese character in it" },
	{ "On 28 November at 9.", "On 28 November 九.", "text[0].en: a Chinese character in an English text" },
	{ "\"310114106001\"", "", "places: 1 to 100 communities" },
	{ "\"310114106001\"", "\"310114106\"", "places[0]: the 12 digits of a community" },
	{ "\"310114106001\"", "\"310114106001\", \"310114106001\"", "places[1]: 310114106001 is there twice" },
	{ "2026-11-28", "2026-11-31", "until: a day like 2026-12-31" },
};

static void test_one_change_one_fault(void **state)
{
	(void)state;
	struct node n;
	struct service_fault faults[FAULTS_SEEN];
	node_open(&n, &devices[TOWN_A]);
	assert_int_equal(collection_notice.check(&notice_read(&n, good)->base, faults, FAULTS_SEEN), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[TEXT_MOST];
		const char *at = strstr(good, wrong[i].part);
		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, wrong[i].change,
		         at + strlen(wrong[i].part));
		size_t count = collection_notice.check(&notice_read(&n, text)->base, faults, FAULTS_SEEN);
		if (count != 1 || strncmp(faults[0].text, wrong[i].fault, strlen(wrong[i].fault)) != 0)
			fail_msg("%s: %zu faults, \"%s\"", wrong[i].change, count, count ? faults[0].text : "");
	}
	Lm__TownNotice *long_one = notice_read(&n, good);
	Lm__Words *many[100];
	for (size_t i = 0; i < 100; i++)
		many[i] = long_one->text[0];
	long_one->text = many;
	long_one->n_text = 100;
	assert_true(collection_notice.shape(&long_one->base, faults, FAULTS_SEEN) > 0);
	assert_string_equal(faults[0].text, "text: at most 8");
	node_close(&n);
}

/* ---- who takes it ---- */

static int take(struct node *n, size_t origin, Lm__TownNotice *notice, uint32_t revision, const char *author)
{
	static char by[] = "li";
	char *authors[] = { (char *)(uintptr_t)author };
	Lm__Header h = entry_make(origin, ALL, KIND(NOTICE));
	notice->revision = revision;
	notice->published_by = by;
	notice->drafted_by = authors;
	notice->n_drafted_by = author != NULL;
	return node_apply_message(n, &h, &notice->base);
}

static void test_a_town_tells_its_own_terminals_and_nobody_else(void **state)
{
	(void)state;
	static const struct {
		size_t at, from;
		int result;
	} tries[] = {
		{ TOWN_A, TOWN_A, OK },       { T1, TOWN_A, OK },         { T2, TOWN_A, OK },
		{ T3, TOWN_A, ERR_DENIED },   { T1, TOWN_B, ERR_DENIED }, { TOWN_A, TOWN_B, ERR_DENIED },
		{ TOWN_A, HUB, ERR_DENIED },  { T1, HUB, ERR_DENIED },    { T1, T2, ERR_DENIED },
		{ HUB, TOWN_A, ERR_INVALID },
	};
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		struct node n;
		node_open(&n, &devices[tries[i].at]);
		node_directory(&n);
		assert_refused(&n, tries[i].result, take(&n, tries[i].from, notice_read(&n, good), 1, "zhao"));
		node_close(&n);
	}
}

static void test_a_second_person_but_to_take_it_back(void **state)
{
	(void)state;
	struct node n;
	node_open(&n, &devices[T1]);
	node_directory(&n);
	assert_refused(&n, ERR_INVALID, take(&n, TOWN_A, notice_read(&n, good), 0, "zhao"));
	assert_refused(&n, ERR_DENIED, take(&n, TOWN_A, notice_read(&n, good), 1, "li"));
	assert_refused(&n, ERR_INVALID, take(&n, TOWN_A, notice_read(&n, good), 1, NULL));
	assert_says(&n, "somebody else");
	Lm__TownNotice *back = notice_read(&n, good);
	back->is_withdrawn = true;
	assert_ok(&n, take(&n, TOWN_A, back, 1, NULL));
	node_close(&n);
}

static void test_a_town_names_communities_of_its_own(void **state)
{
	(void)state;
	struct node n;
	static char foreign[] = "310114107001";
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	Lm__TownNotice *notice = notice_read(&n, good);
	notice->places[0] = foreign;
	assert_refused(&n, ERR_INVALID, take(&n, TOWN_A, notice, 1, "zhao"));
	assert_says(&n, "no community of this town");
	node_close(&n);
}

/* ---- what is shown ---- */

struct seen {
	size_t count;
	uint32_t revision;
};

static bool seen_visit(void *context, Lm__TownNotice *notice)
{
	struct seen *s = context;
	s->count++;
	s->revision = notice->revision;
	return true;
}

static struct seen shown(struct node *n, const char *place, const char *date)
{
	struct seen s = { 0 };
	int64_t day;
	assert_true(clock_date_read(date, &day));
	assert_ok(n, notices_shown(n->txn, place, day, &n->arena, seen_visit, &s));
	return s;
}

static void test_shown_where_and_as_long_as_it_says(void **state)
{
	(void)state;
	struct node n;
	node_open(&n, &devices[T1]);
	node_directory(&n);
	assert_ok(&n, take(&n, TOWN_A, notice_read(&n, good), 1, "zhao"));
	assert_non_null(effect_find(&n, DOMAIN_NOTICE));
	assert_int_equal(shown(&n, devices[T1].place, "2026-11-28").count, 1);
	assert_int_equal(shown(&n, devices[T1].place, "2026-11-29").count, 0);
	assert_int_equal(shown(&n, devices[T2].place, "2026-11-22").count, 0);
	Lm__TownNotice *back = notice_read(&n, good);
	back->is_withdrawn = true;
	assert_ok(&n, take(&n, TOWN_A, back, 2, NULL));
	assert_int_equal(shown(&n, devices[T1].place, "2026-11-22").count, 0);
	node_close(&n);
}

/* The town's disk was put back and its people went on: its numbers come again, and its last word counts. */
static void test_the_towns_last_word_counts(void **state)
{
	(void)state;
	struct node n;
	node_open(&n, &devices[T1]);
	node_directory(&n);
	for (uint32_t revision = 1; revision <= 3; revision++)
		assert_ok(&n, take(&n, TOWN_A, notice_read(&n, good), revision, "zhao"));
	assert_ok(&n, take(&n, TOWN_A, notice_read(&n, good), 2, "zhao"));
	struct seen s = shown(&n, devices[T1].place, "2026-11-22");
	assert_int_equal(s.count, 1);
	assert_int_equal(s.revision, 2);
	assert_int_equal(store_count(n.txn, &domain_table_notice), 1);
	node_close(&n);

	node_open(&n, &devices[TOWN_A]); /* at the town itself a number comes once */
	node_directory(&n);
	assert_ok(&n, take(&n, TOWN_A, notice_read(&n, good), 1, "zhao"));
	assert_refused(&n, ERR_EXISTS, take(&n, TOWN_A, notice_read(&n, good), 1, "zhao"));
	node_close(&n);
}

static void test_the_one_that_ends_first_is_forgotten(void **state)
{
	(void)state;
	static const size_t at[] = { TOWN_A, T1 };
	for (size_t k = 0; k < 2; k++) {
		struct node n;
		ProtobufCMessage *found;
		node_open(&n, &devices[at[k]]);
		node_directory(&n);
		for (int i = 0; i <= NOTICES_KEPT; i++) {
			char id[16], until[16];
			Lm__TownNotice *notice = notice_read(&n, good);
			snprintf(id, sizeof id, "n%03d", i);
			snprintf(until, sizeof until, "20%02d-01-01", 30 + (i + 60) % 65); /* n005 ends first */
			notice->id = id;
			notice->until = until;
			assert_ok(&n, take(&n, TOWN_A, notice, 1, "zhao"));
		}
		assert_int_equal(store_count(n.txn, &domain_table_notice), NOTICES_KEPT);
		assert_int_equal(store_count(n.txn, &domain_table_publication), at[k] == TOWN_A ? NOTICES_KEPT : 0);
		assert_int_equal(content_get(n.txn, &collection_notice, "n005", 0, &n.arena, &found), ERR_NOT_FOUND);
		assert_ok(&n, content_get(n.txn, &collection_notice, "n006", 0, &n.arena, &found));
		node_close(&n);
	}
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
		cmocka_unit_test(test_a_town_tells_its_own_terminals_and_nobody_else),
		cmocka_unit_test(test_a_second_person_but_to_take_it_back),
		cmocka_unit_test(test_a_town_names_communities_of_its_own),
		cmocka_unit_test(test_shown_where_and_as_long_as_it_says),
		cmocka_unit_test(test_the_towns_last_word_counts),
		cmocka_unit_test(test_the_one_that_ends_first_is_forgotten),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
