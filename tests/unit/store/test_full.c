/* A map that fills up, how full it is said to be, and a commit that the disk refuses. */
#include "fixture.h"

#include <signal.h>
#include <sys/resource.h>

#define SMALL_MAP_BYTES (1024u * 1024)

static int put_rows(struct fixture *f, struct store *s, uint32_t from, uint32_t count)
{
	struct store_txn *t = NULL;
	uint8_t key[4], value[900] = { 0 };
	assert_ok(f, store_begin_write(s, &t, &f->e));
	for (uint32_t i = from; i < from + count; i++)
		store_put(t, &cases, number_key(i, key), BYTES(value, sizeof(value)));
	return store_commit(t, &f->e);
}

static unsigned percent_of(struct store *s)
{
	struct store_usage usage;
	store_usage_read(s, &usage);
	return usage.percent;
}

static void a_full_map_is_an_error_and_deletes_go_on(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	f.options.map_bytes = SMALL_MAP_BYTES;
	struct store *s = open_store(&f);
	uint32_t rows = 0;
	while (percent_of(s) < 90) { /* the caller keeps the last tenth */
		assert_ok(&f, put_rows(&f, s, rows, 8));
		rows += 8;
	}
	unsigned before = percent_of(s);
	assert_int_equal(put_rows(&f, s, rows, 4000), ERR_FULL);
	assert_says(&f, "full");
	assert_false(store_is_broken(s));
	assert_int_equal(percent_of(s), before); /* nothing was written */
	for (uint32_t i = 0; i < rows; i += 4) {
		struct store_txn *t = NULL;
		uint8_t key[4];
		assert_ok(&f, store_begin_write(s, &t, &f.e));
		for (uint32_t n = i; n < i + 4; n++)
			store_delete(t, &cases, number_key(n, key));
		assert_ok(&f, store_commit(t, &f.e));
	}
	print_message("           %u rows of 900 bytes filled %u %%; after their deletion %u %%\n", rows, before,
	              percent_of(s));
	assert_in_range(percent_of(s), 1, 10);
	assert_ok(&f, put_rows(&f, s, 0, rows / 2)); /* the space is used again */
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
	store_close(s);
	fixture_end(&f);
}

/* LMDB's own account: the end of the file less what its free list holds. */
static uint64_t used_beneath(const char *folder)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_envinfo info;
	MDB_stat stat;
	MDB_val k, v;
	uint64_t free_pages = 0;
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, folder, MDB_RDONLY | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_env_info(env, &info), 0);
	assert_int_equal(mdb_env_stat(env, &stat), 0);
	assert_int_equal(mdb_cursor_open(txn, 0, &c), 0);
	while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0) {
		size_t count;
		memcpy(&count, v.mv_data, sizeof(count));
		free_pages += count;
	}
	mdb_cursor_close(c);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return (info.me_last_pgno + 1 - free_pages) * stat.ms_psize;
}

static void usage_is_what_lmdb_counts(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	uint8_t key[4], large[30000] = { 0 };
	for (uint32_t round = 0; round < 12; round++) {
		f.options.table_count =
		        round < 6 ? 3 : 1; /* later the other tables have no name: their pages still count */
		struct store *s = open_store(&f);
		struct store_usage usage;
		for (uint32_t commit = 0; commit < 10; commit++) {
			struct store_txn *t = NULL;
			assert_ok(&f, store_begin_write(s, &t, &f.e));
			for (uint32_t i = 0; i < 20; i++) {
				uint32_t n = (round * 200 + commit * 20 + i) * 7919 % 1000;
				store_put(t, all_tables[i % f.options.table_count], number_key(n, key),
				          BYTES(large, n));
				store_delete(t, &cases, number_key(n * 31 % 1000, key));
			}
			store_put(t, &cases, number_key(5000 + round, key), BYTES(large, sizeof(large)));
			assert_ok(&f, store_commit(t, &f.e));
			store_usage_read(s, &usage);
		}
		store_close(s);
		assert_int_equal(usage.used_bytes, used_beneath(f.folder));
		assert_int_equal(usage.map_bytes, FIXTURE_MAP_BYTES);
		uint64_t least = usage.used_bytes * 100 / usage.map_bytes;
		assert_in_range(usage.percent, least, least + 1);
	}
	fixture_end(&f);
}

static void a_commit_that_the_disk_refuses_breaks_the_store(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "saved");
	struct rlimit before, none;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 4096; /* the kernel now refuses every write behind the first page */
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	struct store_txn *t = NULL;
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	assert_int_equal(store_put(t, &cases, text("k"), text("lost")), OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	int rc = store_commit(t, &f.e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, handler);
	assert_int_equal(rc, ERR_IO);
	assert_true(store_is_broken(s));
	t = NULL;
	assert_int_equal(store_begin_write(s, &t, &f.e), ERR_IO);
	assert_null(t);
	store_close(s);
	s = open_store(&f);
	assert_false(store_is_broken(s));
	assert_row(&f, s, &cases, "k", "saved");
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
	store_close(s);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_map_is_an_error_and_deletes_go_on),
		cmocka_unit_test(usage_is_what_lmdb_counts),
		cmocka_unit_test(a_commit_that_the_disk_refuses_breaks_the_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
