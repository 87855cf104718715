/* Rows, transactions and cursors: what is put is got, the first error sticks, and order is the order of keys. */
#include "fixture.h"

static void a_row_is_got_as_it_was_put(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "first");
	put_one(&f, s, &envelopes, "k", "another table");
	put_one(&f, s, &cases, "empty", "");
	assert_row(&f, s, &cases, "k", "first");
	assert_row(&f, s, &envelopes, "k", "another table");
	assert_row(&f, s, &cases, "empty", "");
	put_one(&f, s, &cases, "k", "a longer second value");
	assert_row(&f, s, &cases, "k", "a longer second value");
	char out[64];
	assert_int_equal(get_one(&f, s, &people, "k", out, sizeof(out)), ERR_NOT_FOUND);
	store_close(s);
	fixture_end(&f);
}

static void values_of_all_sizes_come_back(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 63, 64, 65, 900, 1990, 2010, 2040, 4080, 5000, 70000 };
	enum { COUNT = sizeof(sizes) / sizeof(*sizes) };
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	struct store_txn *t = NULL;
	uint8_t *plain = malloc(70000 + COUNT), key[4];
	assert_non_null(plain);
	for (size_t i = 0; i < 70000 + COUNT; i++)
		plain[i] = (uint8_t)(i * 7 + i / 251);
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	for (uint32_t i = 0; i < COUNT; i++)
		store_put(t, &people, number_key(i, key), BYTES(plain + i, sizes[i]));
	assert_ok(&f, store_commit(t, &f.e));
	struct arena arena;
	arena_init(&arena, 0);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_int_equal(store_count(t, &people), COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct bytes value;
		assert_int_equal(store_get(t, &people, number_key(i, key), &arena, &value), OK);
		assert_true(bytes_equal(value, BYTES(plain + i, sizes[i])));
	}
	store_abort(t);
	arena_release(&arena);
	free(plain);
	store_close(s);
	fixture_end(&f);
}

static void the_first_error_sticks_and_nothing_is_written(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	struct store_txn *t = NULL;
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_put(t, &cases, text("a"), text("1")), OK);
	assert_int_equal(store_failure(t, &f.e), OK);
	assert_int_equal(store_fail(t, ERR_CONFLICT, "case %d was taken", 7), ERR_CONFLICT);
	assert_int_equal(store_fail(t, ERR_IO, "later"), ERR_CONFLICT);
	assert_int_equal(store_put(t, &cases, text("b"), text("2")), ERR_CONFLICT);
	assert_int_equal(store_append(t, &cases, text("z"), text("2")), ERR_CONFLICT);
	assert_int_equal(store_delete(t, &cases, text("a")), ERR_CONFLICT);
	assert_int_equal(store_clear(t, &cases), ERR_CONFLICT);
	assert_int_equal(store_count(t, &cases), 0);
	assert_false(store_has(t, &cases, text("a")));
	struct store_cursor *c = NULL;
	assert_int_equal(store_cursor_open(t, &cases, &c), ERR_CONFLICT);
	assert_null(c);
	assert_int_equal(store_commit(t, &f.e), ERR_CONFLICT);
	assert_string_equal(f.e.text, "case 7 was taken");
	char out[8];
	assert_int_equal(get_one(&f, s, &cases, "a", out, sizeof(out)), ERR_NOT_FOUND);
	put_one(&f, s, &cases, "c", "3"); /* the next transaction starts clean */
	assert_row(&f, s, &cases, "c", "3");
	assert_false(store_is_broken(s));
	store_close(s);
	fixture_end(&f);
}

static void appending_out_of_order_fails(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	struct store_txn *t = NULL;
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_append(t, &cases, text("b"), text("1")), OK);
	assert_int_equal(store_append(t, &cases, text("c"), text("2")), OK);
	assert_int_equal(store_append(t, &cases, text("c"), text("3")), ERR_INTERNAL);
	assert_int_equal(store_commit(t, &f.e), ERR_INTERNAL);
	assert_says(&f, "not greater");
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_append(t, &cases, text("b"), text("1")), OK);
	assert_int_equal(store_append(t, &cases, text("a"), text("2")), ERR_INTERNAL);
	store_abort(t);
	store_close(s);
	fixture_end(&f);
}

static void a_wrong_use_is_an_error_not_a_crash(void **state)
{
	(void)state;
	static const struct store_table stranger = { .name = "stranger", .number = 9 };
	uint8_t long_key[STORE_KEY_BYTES_MOST + 1] = { 0 };
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	struct store_txn *t = NULL, *second = NULL;
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_begin_write(s, &second, &f.e), ERR_BUSY);
	assert_null(second);
	assert_int_equal(store_delete(t, &cases, BYTES(long_key, sizeof(long_key))), OK);
	assert_false(store_has(t, &cases, BYTES(long_key, sizeof(long_key))));
	assert_int_equal(store_put(t, &cases, BYTES(long_key, STORE_KEY_BYTES_MOST), text("v")), OK);
	assert_int_equal(store_put(t, &cases, BYTES(long_key, sizeof(long_key)), text("v")), ERR_INTERNAL);
	store_abort(t);
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_put(t, &cases, BYTES(NULL, 0), text("v")), ERR_INTERNAL);
	store_abort(t);
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_put(t, &stranger, text("k"), text("v")), ERR_INTERNAL);
	store_abort(t);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_int_equal(store_put(t, &cases, text("k"), text("v")), ERR_INTERNAL);
	assert_int_equal(store_commit(t, &f.e), ERR_INTERNAL);
	store_abort(NULL);
	store_close(s);
	store_close(NULL);
	fixture_end(&f);
}

/* Each in a transaction of its own: the first sticks. */
static void what_cannot_be_done_is_refused_by_name(void **state)
{
	(void)state;
	static const struct store_table nothing = { .name = "nothing", .number = 0 },
	                                beyond = { .name = "beyond", .number = 200 };
	static const struct store_table *const strange[] = { &nothing, &beyond };
	static const uint8_t content[1];
	struct fixture f;
	struct store_txn *t = NULL;
	struct store_cursor *c;
	struct bytes key;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	for (size_t i = 0; i < 2; i++) {
		assert_ok(&f, store_begin_write(s, &t, &f.e));
		assert_int_equal(store_put(t, strange[i], text("k"), text("v")), ERR_INTERNAL);
		store_failure(t, &f.e);
		assert_says(&f, strange[i]->name);
		store_abort(t);
	}
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_put(t, &cases, text("k"), BYTES(content, FIXTURE_MAP_BYTES + 1)), ERR_TOO_BIG);
	assert_int_equal(store_rekey_request(t), ERR_TOO_BIG); /* as everything from now on */
	assert_int_equal(store_cursor_open(t, &cases, &c), ERR_TOO_BIG);
	store_abort(t);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_ok(&f, store_cursor_open(t, &cases, &c));
	assert_int_equal(store_cursor_first(c, NULL, NULL, NULL), OK); /* only whether there is a row */
	assert_int_equal(store_rekey_request(t), ERR_INTERNAL);
	assert_int_equal(store_cursor_first(c, NULL, &key, NULL), ERR_INTERNAL);
	store_cursor_close(c);
	store_cursor_close(NULL);
	assert_false(store_pass_over(t, NULL));
	store_abort(t);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_ok(&f, store_commit(t, &f.e)); /* of a reader: it ends */
	store_close(s);
	fixture_end(&f);
}

static void a_value_over_the_arena_is_refused(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "more than sixteen bytes, which is the ceiling of this arena");
	struct store_txn *t = NULL;
	struct arena arena;
	struct bytes value = { NULL, 77 };
	arena_init(&arena, 16);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_int_equal(store_get(t, &cases, text("k"), &arena, &value), ERR_MEMORY);
	assert_int_equal(value.size, 77); /* untouched */
	store_abort(t);
	arena_release(&arena);
	store_close(s);
	fixture_end(&f);
}

static void a_reader_keeps_its_snapshot(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "old");
	struct store_txn *reader[20];
	for (int i = 0; i < 20; i++)
		assert_ok(&f, store_begin_read(s, &reader[i], &f.e));
	put_one(&f, s, &cases, "k", "new");
	struct arena arena;
	arena_init(&arena, 0);
	struct bytes value;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(store_get(reader[i], &cases, text("k"), &arena, &value), OK);
		assert_true(bytes_equal(value, text("old")));
		store_abort(reader[i]);
	}
	for (int i = 0; i < 300; i++) /* more than LMDB has readers: they are given back */
		assert_row(&f, s, &cases, "k", "new");
	arena_release(&arena);
	store_close(s);
	fixture_end(&f);
}

/* ---- cursors ---- */

static void fill_even(struct fixture *f, struct store *s, uint32_t count)
{
	struct store_txn *t = NULL;
	uint8_t key[4], value[900] = { 0 };
	assert_ok(f, store_begin_write(s, &t, &f->e));
	for (uint32_t i = 0; i < count; i++) {
		memcpy(value, number_key(2 * i, key).data, 4);
		store_append(t, &cases, number_key(2 * i, key), BYTES(value, sizeof(value)));
	}
	assert_ok(f, store_commit(t, &f->e));
}

static uint32_t number_of(struct bytes key)
{
	assert_int_equal(key.size, 4);
	return (uint32_t)key.data[0] << 24 | (uint32_t)key.data[1] << 16 | (uint32_t)key.data[2] << 8 | key.data[3];
}

static void a_cursor_walks_both_ways(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	fill_even(&f, s, 100);
	struct store_txn *t = NULL;
	struct store_cursor *c = NULL;
	struct bytes key, value;
	struct arena arena;
	uint8_t k[4];
	arena_init(&arena, 0);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_int_equal(store_cursor_open(t, &cases, &c), OK);
	assert_int_equal(store_cursor_seek(c, number_key(51, k), &arena, &key, &value), OK);
	assert_int_equal(number_of(key), 52);
	assert_int_equal(value.size, 900);
	assert_memory_equal(value.data, key.data, 4);
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 54);
	assert_int_equal(store_cursor_prev(c, NULL, &key, NULL), OK);
	assert_int_equal(store_cursor_prev(c, NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 50);
	assert_int_equal(store_cursor_first(c, NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 0);
	assert_int_equal(store_cursor_prev(c, NULL, &key, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_cursor_last(c, NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 198);
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_cursor_seek(c, number_key(199, k), NULL, &key, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_cursor_seek(c, BYTES(NULL, 0), NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 0);
	assert_int_equal(store_failure(t, &f.e), OK);
	store_cursor_close(c);
	store_cursor_close(NULL);
	assert_int_equal(store_cursor_open(t, &people, &c), OK);
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_cursor_last(c, NULL, &key, NULL), ERR_NOT_FOUND);
	store_cursor_close(c);
	store_abort(t);
	arena_release(&arena);
	store_close(s);
	fixture_end(&f);
}

static void deleting_at_a_cursor_keeps_the_walk(void **state)
{
	(void)state;
	enum { ROWS = 400 };
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	fill_even(&f, s, ROWS);
	struct store_txn *t = NULL;
	struct store_cursor *c = NULL;
	struct bytes key;
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_cursor_open(t, &cases, &c), OK);
	for (uint32_t i = 0; i < ROWS; i++) { /* all but every 16th: pages merge under the cursor */
		assert_int_equal(store_cursor_next(c, NULL, &key, NULL), OK);
		assert_int_equal(number_of(key), 2 * i);
		if (i % 16 != 0)
			assert_int_equal(store_cursor_delete(c), OK);
	}
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_count(t, &cases), ROWS / 16);
	assert_int_equal(store_cursor_first(c, NULL, &key, NULL), OK);
	for (uint32_t i = 0; i < ROWS / 16; i++) {
		assert_int_equal(number_of(key), 32 * i);
		assert_int_equal(store_cursor_next(c, NULL, &key, NULL), i + 1 < ROWS / 16 ? OK : ERR_NOT_FOUND);
	}
	assert_int_equal(store_cursor_delete(c), ERR_INTERNAL); /* it stands on no row */
	store_cursor_close(c);
	store_abort(t);
	store_close(s);
	fixture_end(&f);
}

static void a_cursor_survives_writes_of_its_transaction(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	fill_even(&f, s, 50);
	struct store_txn *t = NULL;
	struct store_cursor *c = NULL;
	struct bytes key;
	uint8_t k[4], value[900] = { 0 };
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_cursor_open(t, &cases, &c), OK);
	assert_int_equal(store_cursor_seek(c, number_key(40, k), NULL, &key, NULL), OK);
	for (uint32_t i = 0; i < 50; i++) /* splits every page, also the cursor's */
		assert_int_equal(store_put(t, &cases, number_key(2 * i + 1, k), BYTES(value, sizeof(value))), OK);
	for (uint32_t expected = 41; expected < 100; expected++) {
		assert_int_equal(store_cursor_next(c, NULL, &key, NULL), OK);
		assert_int_equal(number_of(key), expected);
	}
	/* Its row is deleted by key: the cursor's delete takes no other row, and next is the following one. */
	assert_int_equal(store_cursor_seek(c, number_key(60, k), NULL, &key, NULL), OK);
	assert_int_equal(store_delete(t, &cases, number_key(60, k)), OK);
	assert_int_equal(store_cursor_delete(c), OK);
	assert_true(store_has(t, &cases, number_key(61, k)));
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 61);
	assert_int_equal(store_delete(t, &cases, number_key(61, k)), OK);
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), OK);
	assert_int_equal(number_of(key), 62);
	assert_int_equal(store_count(t, &cases), 98);
	/* A cursor's key as the value of its neighbour, whose change moves the key within the page. */
	assert_int_equal(store_cursor_seek(c, number_key(97, k), NULL, &key, NULL), OK);
	uint8_t before[4];
	memcpy(before, key.data, 4);
	assert_int_equal(store_put(t, &cases, number_key(98, k), key), OK);
	struct arena arena;
	struct bytes found;
	arena_init(&arena, 0);
	assert_int_equal(store_get(t, &cases, number_key(98, k), &arena, &found), OK);
	assert_true(bytes_equal(found, BYTES(before, 4)));
	assert_int_equal(store_clear(t, &cases), OK);
	assert_int_equal(store_cursor_next(c, NULL, &key, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_count(t, &cases), 0);
	arena_release(&arena);
	store_cursor_close(c);
	assert_ok(&f, store_commit(t, &f.e));
	store_close(s);
	fixture_end(&f);
}

/* ---- digests ---- */

static void digest_of(struct fixture *f, struct store *s, const struct store_table *table,
                      struct store_table_digest *out)
{
	struct store_txn *t = NULL;
	assert_ok(f, store_begin_read(s, &t, &f->e));
	assert_ok(f, store_digest(t, table, out, &f->e));
	store_abort(t);
}

static void a_digest_depends_on_rows_only(void **state)
{
	(void)state;
	enum { ROWS = 500 };
	struct store_table_digest digest[3];
	for (uint32_t round = 0; round < 3; round++) {
		struct fixture f;
		fixture_begin(&f);
		f.options.master_key[0] = (uint8_t)round; /* not on keys or nonces */
		struct store *s = open_store(&f);
		struct store_txn *t = NULL;
		uint8_t key[4];
		assert_ok(&f, store_begin_write(s, &t, &f.e));
		for (uint32_t i = 0; i < ROWS; i++) {
			uint32_t n = round == 0 ? i : i * 211 % ROWS; /* 211 is prime to 500: another order */
			store_put(t, &people, number_key(n, key), BYTES(key, n % 5));
		}
		if (round == 2)
			store_put(t, &people, number_key(123, key), text("changed"));
		assert_ok(&f, store_commit(t, &f.e));
		digest_of(&f, s, &people, &digest[round]);
		assert_ptr_equal(digest[round].table, &people);
		assert_int_equal(digest[round].rows, ROWS);
		store_close(s);
		fixture_end(&f);
	}
	assert_memory_equal(&digest[0].hash, &digest[1].hash, sizeof(struct hash));
	assert_memory_not_equal(&digest[0].hash, &digest[2].hash, sizeof(struct hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_got_as_it_was_put),
		cmocka_unit_test(values_of_all_sizes_come_back),
		cmocka_unit_test(the_first_error_sticks_and_nothing_is_written),
		cmocka_unit_test(appending_out_of_order_fails),
		cmocka_unit_test(a_wrong_use_is_an_error_not_a_crash),
		cmocka_unit_test(what_cannot_be_done_is_refused_by_name),
		cmocka_unit_test(a_value_over_the_arena_is_refused),
		cmocka_unit_test(a_reader_keeps_its_snapshot),
		cmocka_unit_test(a_cursor_walks_both_ways),
		cmocka_unit_test(deleting_at_a_cursor_keeps_the_walk),
		cmocka_unit_test(a_cursor_survives_writes_of_its_transaction),
		cmocka_unit_test(a_digest_depends_on_rows_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
