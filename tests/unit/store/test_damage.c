/*
 * Does the store ever serve wrong data? Single bits are flipped in a closed data file; each time a child process opens
 * it and reads everything, because LMDB itself may crash on a page that is not what it was.
 */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/prng.h"

#define ROWS 300u
#define PAGE 4096
#define VALUE_FLIPS 600
#define ANY_FLIPS 600

enum outcome { NOTICED = 20, UNAFFECTED, WRONG, MISSED, REFUSED, CRASHED, OUTCOMES };
static const char *const outcome_name[OUTCOMES] = {
	[NOTICED] = "noticed",         [UNAFFECTED] = "unaffected",      [WRONG] = "WRONG DATA",
	[MISSED] = "MISSED BY VERIFY", [REFUSED] = "refused at opening", [CRASHED] = "crashed",
};

/* Row n: its table, and a value that only it has, of a size that puts some on pages of their own. */
static const struct store_table *table_of(uint32_t n)
{
	return all_tables[n % 3];
}

static struct bytes value_of(uint32_t n, uint8_t value[6000])
{
	struct prng p;
	prng_seed(&p, n);
	size_t size = n % 10 == 9 ? 6000 : 1 + prng_below(&p, 1500);
	prng_fill(&p, value, size);
	return BYTES(value, size);
}

/* A compact copy: no page in it is dead. Rows of three openings. */
static void build_compact(struct fixture *f)
{
	struct fixture source;
	fixture_begin(&source);
	struct store *s = NULL;
	for (uint32_t n = 0; n < ROWS; n++) {
		if (n % 100 == 0) {
			store_close(s);
			s = open_store(&source);
		}
		struct store_txn *t = NULL;
		uint8_t key[4], value[6000];
		assert_ok(f, store_begin_write(s, &t, &f->e));
		store_put(t, table_of(n), number_key(n, key), value_of(n, value));
		assert_ok(f, store_commit(t, &f->e));
	}
	char path[PATH_BYTES];
	path_in(f->folder, "data.mdb", path);
	assert_ok(f, store_copy(s, path, &f->e));
	store_close(s);
	fixture_end(&source);
}

static void build(struct fixture *f)
{
	build_compact(f);
	store_close(open_store(f));
}

#define VERIFY_ALONE (-2) /* for a suspect: nothing is read before */

/* In the child: reads every row, then verifies. */
static enum outcome look(struct fixture *f, long suspect)
{
	struct store *s = NULL;
	struct store_txn *t = NULL;
	struct arena arena;
	arena_init(&arena, 0);
	f->options.is_read_only = true;
	if (store_open(&f->options, &s, &f->e) != OK)
		return REFUSED;
	bool is_all_there = true, suspect_is_damaged = false;
	for (uint32_t n = 0; n < ROWS && suspect != VERIFY_ALONE; n++) {
		uint8_t key[4], expected[6000];
		struct bytes found;
		if (store_begin_read(s, &t, NULL) != OK)
			return REFUSED;
		int rc = store_get(t, table_of(n), number_key(n, key), &arena, &found);
		if (rc == OK && !bytes_equal(found, value_of(n, expected)))
			return WRONG;
		is_all_there = is_all_there && rc == OK;
		if (n == suspect)
			suspect_is_damaged = rc == ERR_DAMAGED;
		else if (suspect >= 0 && rc != OK)
			return WRONG; /* a flip in one value must not hurt another */
		store_abort(t);
		arena_reset(&arena);
	}
	int verified = store_verify(s, NULL, NULL, &f->e);
	store_close(s);
	arena_release(&arena);
	if (suspect >= 0)
		return suspect_is_damaged && verified == ERR_DAMAGED ? NOTICED : MISSED;
	if (verified == OK)
		return is_all_there ? UNAFFECTED : MISSED;
	return NOTICED;
}

static enum outcome look_in_child(struct fixture *f, long suspect)
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int quiet = open("/dev/null", O_WRONLY); /* LMDB's assertions speak */
		dup2(quiet, 2);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		alarm(20); /* damage can also make a circle */
		_exit((int)look(f, suspect));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) >= NOTICED && WEXITSTATUS(status) < CRASHED)
		return (enum outcome)WEXITSTATUS(status);
	return CRASHED;
}

static void flip(int fd, uint64_t bit)
{
	uint8_t byte;
	assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
	byte ^= (uint8_t)(1u << bit % 8);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
}

struct span {
	uint64_t at, size;
};

/* Where in the file the sealed value of each row lies. Slack of pages may hold remains of others, so only a row that
 * occurs once shows where the file begins in memory; the rest follows from the addresses. */
static void find_values(struct fixture *f, int fd, struct span spans[ROWS])
{
	uint8_t *file = malloc(FIXTURE_MAP_BYTES);
	assert_non_null(file);
	assert_int_equal(pread(fd, file, FIXTURE_MAP_BYTES, 0), FIXTURE_MAP_BYTES);
	struct beneath b = beneath_open(f->folder, all_tables[0]->name);
	MDB_val found[ROWS];
	const uint8_t *map = NULL;
	for (uint32_t n = 0; n < ROWS; n++) {
		uint8_t key[4];
		assert_int_equal(mdb_dbi_open(b.txn, table_of(n)->name, 0, &b.dbi), 0);
		found[n] = beneath_get(&b, number_key(n, key));
		uint8_t *first = memmem(file, FIXTURE_MAP_BYTES, found[n].mv_data, found[n].mv_size);
		assert_non_null(first);
		size_t behind = (size_t)(first - file) + 1;
		if (!memmem(first + 1, FIXTURE_MAP_BYTES - behind, found[n].mv_data, found[n].mv_size))
			map = (uint8_t *)found[n].mv_data - (behind - 1);
	}
	assert_non_null(map);
	for (uint32_t n = 0; n < ROWS; n++) {
		spans[n] = (struct span){ .at = (size_t)((uint8_t *)found[n].mv_data - map), .size = found[n].mv_size };
		assert_memory_equal(file + spans[n].at, found[n].mv_data, spans[n].size);
	}
	mdb_txn_abort(b.txn);
	mdb_env_close(b.env);
	free(file);
}

static int open_data(struct fixture *f)
{
	char path[PATH_BYTES];
	path_in(f->folder, "data.mdb", path);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void report(const unsigned counts[OUTCOMES])
{
	for (int i = NOTICED; i < OUTCOMES; i++) {
		if (counts[i])
			print_message("           %-20s %u\n", outcome_name[i], counts[i]);
	}
}

static void every_flipped_bit_in_a_live_value_is_noticed(void **state)
{
	(void)state;
	struct fixture f;
	struct span spans[ROWS];
	unsigned counts[OUTCOMES] = { 0 };
	struct prng p;
	fixture_begin(&f);
	build(&f);
	int fd = open_data(&f);
	find_values(&f, fd, spans);
	assert_int_equal(look_in_child(&f, -1), UNAFFECTED);
	prng_seed(&p, 20261121);
	for (int i = 0; i < VALUE_FLIPS; i++) {
		uint32_t row = (uint32_t)prng_below(&p, ROWS);
		uint64_t bit = spans[row].at * 8 + prng_below(&p, spans[row].size * 8);
		flip(fd, bit);
		counts[look_in_child(&f, row)]++;
		flip(fd, bit);
	}
	report(counts);
	assert_int_equal(counts[NOTICED], VALUE_FLIPS);
	assert_int_equal(look_in_child(&f, -1), UNAFFECTED);
	close(fd);
	fixture_end(&f);
}

/* A bit among those that LMDB steers by is hit more often than chance would: page headers, and signposts in branch
 * pages. */
static uint64_t choose_bit(struct prng *p, int fd, uint64_t pages)
{
	enum { HEADER = 16, FLAGS_AT = 10, BRANCH = 1, SIGNPOSTS = 512 };
	uint8_t flags[2] = { 0 };
	uint64_t page = prng_below(p, pages);
	switch (prng_below(p, 4)) {
	case 0:
		return page * PAGE * 8 + prng_below(p, PAGE * 8);
	case 1:
		return page * PAGE * 8 + prng_below(p, 4 * HEADER * 8);
	case 2:
		return page * PAGE * 8 + prng_below(p, HEADER * 8);
	default:
		for (uint64_t i = 0; i < pages && !(flags[0] & BRANCH); i++) {
			page = (page + 1) % pages;
			assert_int_equal(pread(fd, flags, 2, (off_t)(page * PAGE + FLAGS_AT)), 2);
		}
		return (page * PAGE + PAGE - SIGNPOSTS) * 8 + prng_below(p, SIGNPOSTS * 8);
	}
}

static void no_flipped_bit_anywhere_yields_wrong_data(void **state)
{
	(void)state;
	struct fixture f;
	unsigned counts[OUTCOMES] = { 0 };
	struct prng p;
	fixture_begin(&f);
	build(&f);
	struct store *s = open_store(&f);
	struct store_usage usage;
	store_usage_read(s, &usage);
	store_close(s);
	int fd = open_data(&f);
	prng_seed(&p, 7);
	for (int i = 0; i < ANY_FLIPS; i++) {
		uint64_t bit = choose_bit(&p, fd, usage.used_bytes / 4096);
		flip(fd, bit);
		counts[look_in_child(&f, -1)]++;
		flip(fd, bit);
	}
	report(counts);
	assert_int_equal(counts[WRONG], 0);
	assert_int_equal(counts[MISSED], 0);
	close(fd);
	fixture_end(&f);
}

#define OVERFLOW_PAGE 0x04 /* among LMDB's flags of a page */

struct page_head {
	uint64_t number;
	uint16_t pad, flags, lower, upper;
};

/* All that LMDB steers by in one page: its number, its flags, its bounds. */
static void head_flips(struct fixture *f, int fd, uint64_t page, unsigned counts[OUTCOMES])
{
	for (unsigned bit = 0; bit < sizeof(struct page_head) * 8; bit++) {
		if (bit / 16 >= 1 && bit / 16 <= 4) /* what there are too few pages for, and the pad */
			continue;
		flip(fd, page * PAGE * 8 + bit);
		counts[look_in_child(f, VERIFY_ALONE)]++;
		flip(fd, page * PAGE * 8 + bit);
	}
}

static void a_flipped_bit_in_the_head_of_a_page_is_named(void **state)
{
	(void)state;
	enum { PAGES_OF_A_KIND = 2 };
	struct fixture f;
	struct page_head head;
	struct store *s;
	unsigned counts[OUTCOMES] = { 0 }, pages[OVERFLOW_PAGE + 1] = { 0 };
	fixture_begin(&f);
	build_compact(&f);
	int fd = open_data(&f);
	for (uint64_t page = 2; pread(fd, &head, sizeof head, (off_t)(page * PAGE)) == sizeof head;
	     page += head.flags == OVERFLOW_PAGE ? head.lower : 1) {
		assert_int_equal(head.number, page);
		assert_in_range(head.flags, 1, OVERFLOW_PAGE);
		if (pages[head.flags]++ < PAGES_OF_A_KIND)
			head_flips(&f, fd, page, counts);
	}
	report(counts);
	assert_true(pages[1] && pages[2] > PAGES_OF_A_KIND && pages[OVERFLOW_PAGE] > PAGES_OF_A_KIND);
	assert_int_equal(counts[UNAFFECTED] + counts[MISSED] + counts[WRONG] + counts[CRASHED], 0);

	/* LMDB would write in place to a leaf that calls itself dirty. */
	flip(fd, 2 * PAGE * 8 + offsetof(struct page_head, flags) * 8 + 4);
	close(fd);
	f.options.is_read_only = true;
	int result = store_open(&f.options, &s, &f.e);
	if (!result) {
		result = store_verify(s, NULL, NULL, &f.e);
		store_close(s);
	}
	assert_int_equal(result, ERR_DAMAGED);
	assert_says(&f, "page 2 of the store in");
	fixture_end(&f);
}

static void a_value_moved_to_another_row_is_noticed(void **state)
{
	(void)state;
	struct fixture f;
	char out[16];
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "a", "first");
	put_one(&f, s, &cases, "b", "other");
	put_one(&f, s, &people, "a", "third");
	store_close(s);
	uint8_t sealed[64];
	struct beneath b = beneath_open(f.folder, "cases");
	MDB_val v = beneath_get(&b, text("a"));
	size_t size = v.mv_size;
	assert_true(size <= sizeof(sealed));
	memcpy(sealed, v.mv_data, size);
	beneath_put(&b, text("b"), sealed, size); /* to another key */
	beneath_close(&b);
	b = beneath_open(f.folder, "people");
	beneath_put(&b, text("a"), sealed, size); /* to another table */
	beneath_close(&b);
	s = open_store(&f);
	assert_row(&f, s, &cases, "a", "first");
	assert_int_equal(get_one(&f, s, &cases, "b", out, sizeof(out)), ERR_DAMAGED);
	assert_says(&f, "table cases, key 62");
	assert_int_equal(get_one(&f, s, &people, "a", out, sizeof(out)), ERR_DAMAGED);
	store_close(s);
	fixture_end(&f);
}

static void a_value_of_no_possible_length_is_damaged(void **state)
{
	(void)state;
	static const uint8_t few[11];
	struct fixture f;
	char out[16];
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "a", "first");
	put_one(&f, s, &envelopes, "a", "key");
	store_close(s);
	for (size_t size = 0; size <= sizeof(few); size += sizeof(few)) {
		struct beneath b = beneath_open(f.folder, "cases");
		beneath_put(&b, text("a"), few, size);
		beneath_close(&b);
		s = open_store(&f);
		assert_int_equal(get_one(&f, s, &cases, "a", out, sizeof(out)), ERR_DAMAGED);
		assert_row(&f, s, &envelopes, "a", "key");
		store_close(s);
	}
	/* LMDB keeps keys that no table of ours has. */
	static const uint8_t long_key[STORE_KEY_BYTES_MOST + 1] = { 1 };
	struct beneath b = beneath_open(f.folder, "people");
	beneath_put(&b, BYTES_OF(long_key), few, sizeof(few));
	beneath_close(&b);
	s = open_store(&f);
	struct store_txn *t = NULL;
	struct store_cursor *c;
	struct bytes key;
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_ok(&f, store_cursor_open(t, &people, &c));
	assert_int_equal(store_cursor_first(c, NULL, &key, NULL), ERR_DAMAGED);
	store_cursor_close(c);
	store_abort(t);
	assert_int_equal(store_verify(s, NULL, NULL, &f.e), ERR_DAMAGED);
	store_close(s);
	fixture_end(&f);
}

/* The first row of LMDB's free list as it lies in the file: a count, and the numbers of pages. */
static size_t free_row(struct fixture *f, uint8_t row[6000])
{
	struct beneath b = beneath_open(f->folder, all_tables[0]->name);
	MDB_cursor *c;
	MDB_val k, v;
	mdb_txn_abort(b.txn);
	assert_int_equal(mdb_txn_begin(b.env, NULL, MDB_RDONLY, &b.txn), 0);
	assert_int_equal(mdb_cursor_open(b.txn, 0, &c), 0);
	assert_int_equal(mdb_cursor_get(c, &k, &v, MDB_FIRST), 0);
	size_t size = v.mv_size;
	assert_in_range(size, 2 * sizeof(size_t), 6000);
	memcpy(row, v.mv_data, size);
	mdb_cursor_close(c);
	mdb_txn_abort(b.txn);
	mdb_env_close(b.env);
	return size;
}

/* LMDB would take such a page for the next write: beyond the map, or in the middle of what is live. */
static void a_flipped_bit_in_the_free_list_is_damage(void **state)
{
	(void)state;
	static uint8_t row[6000], file[FIXTURE_MAP_BYTES];
	struct fixture f;
	struct store *s;
	fixture_begin(&f);
	build(&f);
	size_t size = free_row(&f, row);
	int fd = open_data(&f);
	assert_int_equal(pread(fd, file, sizeof file, 0), sizeof file);
	const uint8_t *at = memmem(file, sizeof file, row, size);
	assert_non_null(at);
	for (unsigned bit = 0; bit < 64; bit++) {
		flip(fd, (uint64_t)(at + size - 8 - file) * 8 + bit); /* of the last page in the row */
		int result = store_open(&f.options, &s, &f.e);
		if (bit > 10) /* there are fewer than 2,048 pages */
			assert_int_equal(result, ERR_DAMAGED);
		if (!result)
			store_close(s);
		assert_int_equal(pwrite(fd, file, sizeof file, 0), sizeof file);
	}
	close(fd);
	fixture_end(&f);
}

/* Keys of the rows that a walk shows; how many damaged ones it passed over goes to `passed`. */
static void walk(struct store_txn *t, char *keys, size_t *passed)
{
	struct store_cursor *c = NULL;
	struct arena arena;
	struct bytes key, value;
	struct error e = { 0 };
	arena_init(&arena, 0);
	assert_int_equal(store_cursor_open(t, &cases, &c), OK);
	int rc;
	for (rc = store_cursor_first(c, &arena, &key, &value); rc == OK || store_pass_over(t, &e);
	     rc = store_cursor_next(c, &arena, &key, &value)) {
		if (rc == OK)
			*keys++ = (char)key.data[0];
		else
			(*passed)++;
	}
	*keys = '\0';
	store_cursor_close(c);
	arena_release(&arena);
}

static void a_reader_passes_over_what_is_damaged_and_a_writer_does_not(void **state)
{
	(void)state;
	struct fixture f;
	char keys[8];
	size_t passed = 0;
	struct store_txn *t;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "a", "first");
	put_one(&f, s, &cases, "b", "second");
	put_one(&f, s, &cases, "c", "third");
	store_close(s);
	struct beneath b = beneath_open(f.folder, "cases");
	MDB_val v = beneath_get(&b, text("b"));
	uint8_t sealed[64];
	size_t size = v.mv_size;
	assert_true(size <= sizeof(sealed));
	memcpy(sealed, v.mv_data, size);
	sealed[size / 2] ^= 1;
	beneath_put(&b, text("b"), sealed, size);
	beneath_close(&b);

	s = open_store(&f);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_false(store_pass_over(t, &f.e)); /* nothing has failed */
	walk(t, keys, &passed);
	assert_string_equal(keys, "ac");
	assert_int_equal(passed, 1);
	assert_int_equal(store_fail(t, ERR_INTERNAL, "something else"), ERR_INTERNAL);
	assert_false(store_pass_over(t, &f.e));
	store_abort(t);

	passed = 0;
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	walk(t, keys, &passed);
	assert_string_equal(keys, "a");
	assert_int_equal(passed, 0);
	assert_int_equal(store_commit(t, &f.e), ERR_DAMAGED);
	assert_says(&f, "table cases, key 62");
	store_close(s);
	fixture_end(&f);
}

static void usage_counts_a_reserve_twice(void **state)
{
	(void)state;
	struct fixture f;
	struct store_usage plain, reserved, before;
	struct store_txn *t;
	const struct store_table *const reserve[] = { &people };
	uint8_t value[1000] = { 0 }, key[4];
	fixture_begin(&f);
	struct store *s = open_store(&f);
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	store_usage_within(t, NULL, 0, &before);
	for (uint32_t i = 0; i < 300; i++)
		store_append(t, &people, number_key(i, key), BYTES_OF(value));
	store_usage_within(t, NULL, 0, &plain); /* before the commit */
	store_usage_within(t, reserve, 1, &reserved);
	assert_true(plain.used_bytes - before.used_bytes >= 300 * sizeof(value));
	assert_true(plain.used_bytes - before.used_bytes < 600 * sizeof(value));
	assert_int_equal(reserved.used_bytes - plain.used_bytes, plain.used_bytes - before.used_bytes);
	assert_ok(&f, store_commit(t, &f.e));
	store_close(s);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_passes_over_what_is_damaged_and_a_writer_does_not),
		cmocka_unit_test(usage_counts_a_reserve_twice),
		cmocka_unit_test(every_flipped_bit_in_a_live_value_is_noticed),
		cmocka_unit_test(no_flipped_bit_anywhere_yields_wrong_data),
		cmocka_unit_test(a_flipped_bit_in_the_head_of_a_page_is_named),
		cmocka_unit_test(a_value_moved_to_another_row_is_noticed),
		cmocka_unit_test(a_value_of_no_possible_length_is_damaged),
		cmocka_unit_test(a_flipped_bit_in_the_free_list_is_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
