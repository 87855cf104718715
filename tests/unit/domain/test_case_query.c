/* Reading cases: pages that stay right while cases come and go, finding a case by its code in steps, totals. */
#include "fixture.h"

static void town_open(struct node *n)
{
	node_open(n, &devices[TOWN_A]);
	node_directory(n);
	node_secret(n, TOWN_A);
	assert_ok(n, node_publish(n, "town", 1, TOWN));
}

static void request_number(struct node *n, uint64_t number)
{
	struct id id = id_of(number);
	assert_ok(n, node_request(n, T1, &id, "town", 1));
}

static void close_number(struct node *n, uint64_t number)
{
	struct id id = id_of(number);
	assert_ok(n, node_act(n, &id, ACTION(WITHDRAWN)));
}

/* ---- pages ---- */

struct page {
	char text[256];
	size_t stop_after;
};

static bool page_visit(void *context, struct id request, const Lm__CaseRecord *record)
{
	struct page *p = context;
	size_t length = strlen(p->text);
	assert_string_equal(record->service, "town");
	snprintf(p->text + length, sizeof p->text - length, "%lld ", (long long)(id_time_ms(request) - 1700000000000));
	return --p->stop_after > 0;
}

/* The numbers of a page; `cursor` goes in and comes out. */
static const char *page(struct node *n, enum case_view view, size_t most, char cursor[40])
{
	static struct page p;
	p = (struct page){ "", 1000 };
	assert_ok(n, case_page(n->txn, view, cursor, most, &n->arena, page_visit, &p, cursor, &n->e));
	return p.text;
}

static void test_pages(void **state)
{
	(void)state;
	struct node n;
	char cursor[40] = "";
	town_open(&n);
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 3, cursor), ""); /* of nothing */
	assert_string_equal(page(&n, CASE_VIEW_ALL, 3, cursor), "");
	assert_string_equal(cursor, "");
	for (uint64_t i = 1; i <= 6; i++)
		request_number(&n, i);
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 4, cursor), "1 2 3 4 ");
	assert_string_not_equal(cursor, "");
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 4, cursor), "5 6 ");
	assert_string_equal(cursor, "");
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 6, cursor), "1 2 3 4 5 6 ");
	assert_string_equal(cursor, ""); /* exactly full: there is no empty page behind it */
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 0, cursor), "");
	assert_string_equal(page(&n, CASE_VIEW_ALL, 4, cursor), "6 5 4 3 ");
	assert_string_equal(page(&n, CASE_VIEW_ALL, 4, cursor), "2 1 ");
	assert_string_equal(cursor, "");
	close_number(&n, 3);
	close_number(&n, 1);
	close_number(&n, 2);
	assert_string_equal(page(&n, CASE_VIEW_CLOSED, 2, cursor), "2 1 ");
	assert_string_equal(page(&n, CASE_VIEW_CLOSED, 2, cursor), "3 ");
	assert_string_equal(cursor, "");
	assert_int_equal(case_open_count(n.txn), 3);
	node_close(&n);
}

static void test_pages_while_cases_come_and_go(void **state)
{
	(void)state;
	struct node n;
	char open[40] = "", closed[40] = "", all[40] = "";
	town_open(&n);
	for (uint64_t i = 1; i <= 8; i++)
		request_number(&n, i);
	for (uint64_t i = 1; i <= 3; i++)
		close_number(&n, i);
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 2, open), "4 5 ");
	assert_string_equal(page(&n, CASE_VIEW_CLOSED, 1, closed), "3 ");
	assert_string_equal(page(&n, CASE_VIEW_ALL, 2, all), "8 7 ");
	close_number(&n, 5); /* the row at the cursor goes, and so does the next */
	close_number(&n, 6);
	request_number(&n, 9);
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 9, open), "7 8 9 ");
	assert_string_equal(page(&n, CASE_VIEW_CLOSED, 9, closed), "2 1 ");
	assert_string_equal(page(&n, CASE_VIEW_ALL, 9, all), "6 5 4 3 2 1 ");
	/* All that lay before and behind a cursor are gone. */
	open[0] = '\0';
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 1, open), "4 ");
	for (uint64_t i = 7; i <= 9; i++)
		close_number(&n, i);
	close_number(&n, 4);
	assert_string_equal(page(&n, CASE_VIEW_OPEN, 1, open), "");
	assert_string_equal(open, "");
	/* A cursor beyond the end of a list that is read backward begins at the end. */
	strcpy(closed, "ffffffffffffffff");
	assert_string_equal(page(&n, CASE_VIEW_CLOSED, 1, closed), "4 ");
	node_close(&n);
}

static void test_cursors_that_are_none(void **state)
{
	(void)state;
	struct node n;
	static const char *const wrong[] = { "x",   "0", "zz", "000", "../..", "00112233445566778899aabbccddeeff00",
		                             "一二" };
	char next[40] = "kept";
	struct page p = { "", 10 };
	town_open(&n);
	request_number(&n, 1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_refused(&n, ERR_INVALID,
		               case_page(n.txn, CASE_VIEW_OPEN, wrong[i], 5, &n.arena, page_visit, &p, next, &n.e));
		assert_says(&n, "after");
	}
	assert_string_equal(p.text, "");
	assert_string_equal(next, "kept");
	node_close(&n);
}

static void test_a_visitor_that_stops(void **state)
{
	(void)state;
	struct node n;
	struct page p = { "", 2 };
	char next[40];
	town_open(&n);
	for (uint64_t i = 1; i <= 4; i++)
		request_number(&n, i);
	assert_ok(&n, case_page(n.txn, CASE_VIEW_OPEN, "", 9, &n.arena, page_visit, &p, next, &n.e));
	assert_string_equal(p.text, "1 2 ");
	node_close(&n);
}

static void test_a_list_that_lies(void **state)
{
	(void)state;
	struct node n;
	struct page p = { "", 10 };
	char next[40];
	uint8_t key[8] = { 0 };
	struct id nobody = { { 1 } };
	town_open(&n);
	assert_ok(&n, store_put(n.txn, &domain_table_open, BYTES_OF(key), BYTES_OF(nobody)));
	assert_refused(&n, ERR_DAMAGED, case_page(n.txn, CASE_VIEW_OPEN, "", 9, &n.arena, page_visit, &p, next, &n.e));
	node_close(&n);
}

/* ---- by code ---- */

#define STEP_ROWS 20000 /* that one call looks at */

static void code_hash(struct node *n, const char *code, struct hash *out)
{
	Lm__NodeSecretPayload *secret;
	assert_ok(n, secret_get(n->txn, &n->arena, &secret));
	assert_ok(n, case_code_hash(secret->code_hash_key.data, code, out, &n->e));
}

struct codes_seen {
	size_t count, matches, stop_at;
	struct hash wanted;
	struct id found[4];
};

static bool code_visit(void *context, struct id request, const struct hash *code)
{
	struct codes_seen *s = context;
	if (crypto_equal(code->byte, s->wanted.byte, HASH_BYTES) && s->matches < 4)
		s->found[s->matches++] = request;
	return ++s->count != s->stop_at;
}

static void test_codes_of_cases(void **state)
{
	(void)state;
	struct node n;
	struct codes_seen s = { 0 };
	struct id from = { { 0 } }, ids[] = { id_of(1), id_of(2), id_of(3) };
	struct arena scratch;
	arena_init(&scratch, 0);
	town_open(&n);
	Lm__Header h;
	static const char *const codes[] = { "000000000001", "000000000002", "000000000001" };
	for (size_t i = 0; i < 3; i++) {
		h = request_entry(T1, &ids[i], "town", 1);
		assert_ok(&n, node_apply(&n, &h, request_plain(&n, codes[i], "张三")));
	}
	code_hash(&n, codes[0], &s.wanted);
	assert_ok(&n, case_codes_each(n.txn, &from, &scratch, code_visit, &s, &n.e));
	assert_true(id_is_zero(from));
	assert_int_equal(s.count, 3);
	assert_int_equal(s.matches, 2); /* two people drew the same */
	assert_true(id_equal(s.found[0], ids[0]) && id_equal(s.found[1], ids[2]));
	s = (struct codes_seen){ .stop_at = 2 };
	assert_ok(&n, case_codes_each(n.txn, &from, &scratch, code_visit, &s, &n.e));
	assert_int_equal(s.count, 2);
	arena_release(&scratch);
	node_close(&n);
}

static void test_codes_in_steps(void **state)
{
	(void)state;
	struct node n;
	struct hash other = { { 6 } };
	struct codes_seen s = { .wanted = { { 5 } } };
	struct id from = { { 0 } };
	struct arena scratch;
	struct bytes packed;
	size_t calls = 0;
	arena_init(&scratch, 256 * 1024); /* however many rows there are */
	town_open(&n);
	Lm__CaseRecord r = LM__CASE_RECORD__INIT;
	/* Matches at both ends of each step: none may be lost, none seen twice. */
	for (uint64_t i = 1; i <= 2 * STEP_ROWS + 1; i++) {
		struct id id = id_of(i);
		bool is_match = i == 1 || i == STEP_ROWS || i == STEP_ROWS + 1 || i == 2 * STEP_ROWS + 1;
		r.code_hash = codec_data(is_match ? BYTES_OF(s.wanted) : BYTES_OF(other));
		assert_ok(&n, CODEC_PACK(&r, &scratch, &packed, &n.e));
		assert_ok(&n, store_put(n.txn, &domain_table_case, BYTES_OF(id), packed));
		arena_reset(&scratch);
	}
	do {
		assert_ok(&n, case_codes_each(n.txn, &from, &scratch, code_visit, &s, &n.e));
		calls++;
	} while (!id_is_zero(from));
	assert_int_equal(calls, 3);
	assert_int_equal(s.count, 2 * STEP_ROWS + 1);
	assert_int_equal(s.matches, 4);
	static const uint64_t numbers[] = { 1, STEP_ROWS, STEP_ROWS + 1, 2 * STEP_ROWS + 1 };
	for (size_t i = 0; i < 4; i++)
		assert_true(id_equal(s.found[i], id_of(numbers[i])));
	arena_release(&scratch);
	node_close(&n);
}

/* ---- totals ---- */

struct total {
	char text[256];
	size_t most;
};

static bool total_visit(void *context, const char *town, const char *service, const Lm__CountRecord *r)
{
	struct total *t = context;
	size_t length = strlen(t->text);
	snprintf(t->text + length, sizeof t->text - length, "%s/%s %u:%u ", town, service, (unsigned)r->received,
	         (unsigned)r->open);
	return --t->most > 0;
}

static void test_totals_by_town_and_service(void **state)
{
	(void)state;
	struct node n;
	struct total t = { "", 9 };
	struct id ids[] = { id_of(1), id_of(2), id_of(3), id_of(4) };
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	assert_ok(&n, node_publish(&n, "a", 1, DISTRICT));
	assert_ok(&n, node_publish(&n, "a-b", 1, DISTRICT));
	assert_ok(&n, node_request(&n, T3, &ids[0], "a", 1));
	assert_ok(&n, node_request(&n, T1, &ids[1], "a-b", 1));
	assert_ok(&n, node_request(&n, T2, &ids[2], "a", 1));
	assert_ok(&n, node_request(&n, T1, &ids[3], "a", 1));
	assert_non_null(effect_find(&n, DOMAIN_TOTALS));
	assert_ok(&n, node_act(&n, &ids[3], ACTION(DUPLICATE)));
	assert_ok(&n, count_each(n.txn, &n.arena, total_visit, &t));
	assert_string_equal(t.text, "310114106/a 2:1 310114106/a-b 1:1 310114107/a 1:1 ");
	t = (struct total){ "", 1 };
	assert_ok(&n, count_each(n.txn, &n.arena, total_visit, &t));
	assert_string_equal(t.text, "310114106/a 2:1 ");
	node_close(&n);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_pages_while_cases_come_and_go),
		cmocka_unit_test(test_cursors_that_are_none),
		cmocka_unit_test(test_a_visitor_that_stops),
		cmocka_unit_test(test_a_list_that_lies),
		cmocka_unit_test(test_codes_of_cases),
		cmocka_unit_test(test_codes_in_steps),
		cmocka_unit_test(test_totals_by_town_and_service),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
