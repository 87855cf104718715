/* The index of receipt codes: what was there before the first search, what came since, what changed, what is damaged.
 */
#include "../domain/fixture.h"

#include "../../../common/desk/codes.h"

#define CASES 50000 /* more than one step reads */
#define NEWS_TOO_MANY 150000

struct house {
	struct node n;
	struct codes codes;
	struct arena scratch;
};

static struct house house;

static struct hash hash_of(uint64_t number)
{
	struct hash h = { { 0 } };
	memcpy(h.byte, &number, sizeof number);
	h.byte[HASH_BYTES - 1] = 1;
	return h;
}

static void writing(void)
{
	assert_ok(&house.n, store_begin_write(house.n.store, &house.n.txn, &house.n.e));
}

static void written(void)
{
	assert_ok(&house.n, store_commit(house.n.txn, &house.n.e));
	house.n.txn = NULL;
}

static void case_put(uint64_t number, const struct hash *code)
{
	Lm__CaseRecord r = LM__CASE_RECORD__INIT;
	struct id id = id_of(number);
	struct bytes packed;
	r.code_hash = codec_data(BYTES_OF(code->byte));
	assert_ok(&house.n, CODEC_PACK(&r, &house.scratch, &packed, &house.n.e));
	assert_ok(&house.n, store_put(house.n.txn, &domain_table_case, BYTES_OF(id), packed));
	arena_reset(&house.scratch);
}

static int begin(void **state)
{
	(void)state;
	node_open(&house.n, &devices[TOWN_A]);
	arena_init(&house.scratch, 0);
	codes_init(&house.codes);
	for (uint64_t i = 1; i <= CASES; i++) {
		struct hash code = hash_of(i);
		case_put(i, &code);
	}
	written();
	return 0;
}

static int end(void **state)
{
	(void)state;
	codes_release(&house.codes);
	arena_release(&house.scratch);
	node_close(&house.n);
	return 0;
}

static size_t found(const struct hash *code, struct id *first)
{
	struct id ids[2] = { { { 0 } } };
	size_t count = 99;
	struct error e = { 0 };
	assert_ok(&house.n, codes_find(&house.codes, house.n.store, code, ids, 2, &count, &e));
	assert_string_equal(e.text, "");
	*first = ids[0];
	return count;
}

static void assert_finds(uint64_t code, uint64_t number)
{
	struct hash hash = hash_of(code);
	struct id id;
	assert_int_equal(found(&hash, &id), 1);
	assert_true(id_equal(id, id_of(number)));
}

static void assert_finds_nothing(const struct hash *code)
{
	struct id id;
	assert_int_equal(found(code, &id), 0);
}

static void changed(uint64_t number, uint64_t code)
{
	struct hash hash = hash_of(code);
	writing();
	case_put(number, &hash);
	written();
	codes_news(&house.codes, id_of(number));
}

static void every_case_is_found(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= CASES; i += 999)
		assert_finds(i, i);
	assert_finds(CASES, CASES);
	struct hash other = hash_of(CASES + 1), near = hash_of(7);
	near.byte[HASH_BYTES - 2] = 1; /* the same mark */
	assert_finds_nothing(&other);
	assert_finds_nothing(&near);
}

static void what_came_since_is_found(void **state)
{
	(void)state;
	struct hash hash = hash_of(7);
	assert_finds(7, 7);
	changed(CASES + 1, CASES + 1);
	assert_finds(CASES + 1, CASES + 1);
	changed(CASES + 2, 7); /* two people drew the same */
	struct id id;
	assert_int_equal(found(&hash, &id), 2);
	changed(CASES + 2, 8000000);
	assert_finds(8000000, CASES + 2);
	assert_finds(7, 7);
	changed(7, 9000000); /* given another code: the one before finds nothing */
	assert_finds_nothing(&hash);
	assert_finds(9000000, 7);
}

static void news_before_the_first_search_are_no_concern(void **state)
{
	(void)state;
	changed(CASES + 1, CASES + 1);
	assert_finds(CASES + 1, CASES + 1);
}

static void too_many_news_are_read_from_the_table(void **state)
{
	(void)state;
	assert_finds(1, 1);
	changed(CASES + 1, CASES + 1);
	for (uint64_t i = 0; i < NEWS_TOO_MANY; i++)
		codes_news(&house.codes, id_of(1));
	changed(CASES + 2, CASES + 2);
	assert_finds(CASES + 1, CASES + 1);
	assert_finds(CASES + 2, CASES + 2);
	changed(CASES + 3, CASES + 3);
	assert_finds(CASES + 3, CASES + 3);
}

static void a_damaged_row_is_told_when_nothing_is_found(void **state)
{
	(void)state;
	struct id id = id_of(20), ids[2];
	struct hash gone = hash_of(20), there = hash_of(21);
	struct error e = { 0 };
	size_t count;
	writing();
	static const uint8_t nonsense[] = { 0xff, 0xff, 0xff };
	assert_ok(&house.n, store_put(house.n.txn, &domain_table_case, BYTES_OF(id), BYTES_OF(nonsense)));
	written();
	assert_ok(&house.n, codes_find(&house.codes, house.n.store, &there, ids, 2, &count, &e));
	assert_int_equal(count, 1);
	assert_ok(&house.n, codes_find(&house.codes, house.n.store, &gone, ids, 2, &count, &e));
	assert_int_equal(count, 0);
	assert_int_equal(e.code, ERR_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_case_is_found, begin, end),
		cmocka_unit_test_setup_teardown(what_came_since_is_found, begin, end),
		cmocka_unit_test_setup_teardown(news_before_the_first_search_are_no_concern, begin, end),
		cmocka_unit_test_setup_teardown(too_many_news_are_read_from_the_table, begin, end),
		cmocka_unit_test_setup_teardown(a_damaged_row_is_told_when_nothing_is_found, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
