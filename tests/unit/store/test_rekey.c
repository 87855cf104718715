/*
 * Another key for the key tables: what was deleted is in free pages and opens no more, what was not is there, and a
 * power cut between any two steps leaves a store that opens and goes on.
 */
#include <dirent.h>

#include "base/files.h"
#include "fixture.h"

#define ROWS 9000 /* three steps */
#define STEPS_MOST 200

static struct fixture f;
static char key_path[PATH_BYTES], next_path[PATH_BYTES];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f);
	path_in(f.folder, "keytable.key", key_path);
	path_in(f.folder, "keytable.key.next", next_path);
	f.options.key_file = key_path;
	return 0;
}

static void all_removed(const char *folder)
{
	char path[PATH_BYTES];
	path_in(folder, "keytable.key", path);
	unlink(path);
	path_in(folder, "keytable.key.next", path);
	unlink(path);
	folder_remove(folder);
}

static int end(void **state)
{
	(void)state;
	all_removed(f.folder);
	return 0;
}

static struct bytes row_key(uint32_t n, uint8_t key[8])
{
	struct writer w = writer_over(key, 8);
	write_u64(&w, n);
	return BYTES(key, 8);
}

static void rows_put(struct store *s, uint32_t from, uint32_t count)
{
	struct store_txn *t;
	uint8_t key[8];
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	for (uint32_t i = from; i < from + count; i++) {
		store_put(t, &envelopes, row_key(i, key), BYTES_OF(i));
		if (i % 100 == 0)
			store_put(t, &cases, row_key(i, key), BYTES_OF(i));
	}
	assert_ok(&f, store_commit(t, &f.e));
}

static void rows_are(struct store *s, uint32_t count, uint32_t without)
{
	struct store_txn *t;
	struct arena arena;
	uint8_t key[8];
	arena_init(&arena, 0);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	for (uint32_t i = 0; i < count; i++) {
		struct bytes value;
		int rc = store_get(t, &envelopes, row_key(i, key), &arena, &value);
		assert_int_equal(rc, i == without ? ERR_NOT_FOUND : OK);
		if (!rc)
			assert_memory_equal(value.data, &i, sizeof i);
		arena_reset(&arena);
	}
	store_abort(t);
	arena_release(&arena);
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
}

static void row_forget(struct store *s, uint32_t n)
{
	struct store_txn *t;
	uint8_t key[8];
	assert_ok(&f, store_begin_write(s, &t, &f.e));
	store_delete(t, &envelopes, row_key(n, key));
	store_rekey_request(t);
	assert_ok(&f, store_commit(t, &f.e));
}

static size_t steps_to_end(struct store *s)
{
	bool is_done = false;
	size_t steps = 0;
	for (; !is_done; steps++) {
		assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
		assert_true(steps < STEPS_MOST);
	}
	return steps;
}

static void key_now(uint8_t key[KEY_BYTES])
{
	assert_ok(&f, secret_file_read(key_path, key, &f.e));
}

static bool files_hold(const char *folder, const uint8_t key[KEY_BYTES])
{
	char digits[2 * KEY_BYTES + 1], path[PATH_BYTES];
	bool found = false;
	hex_encode(BYTES(key, KEY_BYTES), digits);
	DIR *d = opendir(folder);
	for (struct dirent *entry; (entry = readdir(d));) {
		struct buffer content = { 0 };
		path_in(folder, entry->d_name, path);
		if (!file_read(path, 64u * 1024 * 1024, &content, NULL))
			found |= memmem(content.data, content.size, digits, 2 * KEY_BYTES) != NULL ||
			         memmem(content.data, content.size, key, KEY_BYTES) != NULL;
		buffer_release(&content);
	}
	closedir(d);
	return found;
}

/* Every place of the file at which a value of this row may lie, live or left over: how many of them this key opens. */
static size_t opens_in_file(uint32_t opening, const uint8_t root[KEY_BYTES], uint32_t n)
{
	static const uint8_t prefix[7] = { 'o', 'p', 'e', 'n', 'i', 'n', 'g' };
	uint8_t name[11], key[8], subkey[KEY_BYTES], associated[9] = { envelopes.number }, plain[64];
	char path[PATH_BYTES];
	struct buffer file = { 0 };
	size_t opened = 0;
	struct writer w = writer_over(name, sizeof name);
	write_bytes(&w, BYTES_OF(prefix));
	write_u32(&w, opening);
	struct beneath b = beneath_open(f.folder, "store");
	MDB_val salt = beneath_get(&b, BYTES_OF(name));
	assert_ok(&f, crypto_derive(SUITE_INTERNATIONAL, BYTES(root, KEY_BYTES), BYTES(salt.mv_data, 16),
	                            "last-mile store keys", subkey, KEY_BYTES, &f.e));
	mdb_txn_abort(b.txn);
	mdb_env_close(b.env);
	path_in(f.folder, "data.mdb", path);
	assert_ok(&f, file_read(path, 64u * 1024 * 1024, &file, &f.e));
	memcpy(associated + 1, row_key(n, key).data, 8);
	size_t size = NONCE_BYTES + sizeof n + TAG_BYTES;
	for (size_t at = 0; at + 8 + size <= file.size; at++) { /* the value lies behind its key */
		const uint8_t *value = file.data + at + 8;
		if (memcmp(file.data + at, key, 8) == 0 &&
		    !aead_open(SUITE_INTERNATIONAL, subkey, value, BYTES_OF(associated),
		               BYTES(value + NONCE_BYTES, size - NONCE_BYTES), plain, NULL))
			opened++;
	}
	buffer_release(&file);
	return opened;
}

static void what_was_deleted_opens_no_more(void **state)
{
	(void)state;
	uint8_t old[KEY_BYTES], new[KEY_BYTES];
	struct store *s = open_store(&f);
	rows_put(s, 0, ROWS);
	key_now(old);
	row_forget(s, 4711);
	store_close(s);
	assert_true(opens_in_file(1, old, 4711) > 0); /* deleted, and still there for who has the key */
	s = open_store(&f);
	assert_true(steps_to_end(s) > 3);
	rows_are(s, ROWS, 4711);
	store_close(s);
	key_now(new);
	assert_memory_not_equal(old, new, KEY_BYTES);
	assert_int_equal(file_find(next_path, NULL), ERR_NOT_FOUND);
	assert_false(files_hold(f.folder, old));
	assert_true(files_hold(f.folder, new));
	for (uint32_t opening = 1; opening <= 3; opening++) {
		assert_int_equal(opens_in_file(opening, new, 4711), 0);
		assert_int_equal(opens_in_file(opening, new, 4712) > 0, opening == 3); /* its neighbour */
	}
	s = open_store(&f);
	rows_are(s, ROWS, 4711);
	assert_int_equal(steps_to_end(s), 1); /* nothing more to do */
	store_close(s);
}

static void file_copy(const char *from, const char *to)
{
	struct buffer content = { 0 };
	if (file_find(from, NULL))
		return;
	assert_ok(&f, file_read(from, 64u * 1024 * 1024, &content, &f.e));
	assert_ok(&f, file_replace(to, 0600, BYTES(content.data, content.size), &f.e));
	buffer_release(&content);
}

/* The disk as a power cut would leave it, and what opens there: first for reading only, which mends nothing, then to
 * the end. */
static void cut_here(uint32_t rows, uint32_t without, const uint8_t old[KEY_BYTES], bool is_torn)
{
	static const char *const names[] = { "data.mdb", "keytable.key", "keytable.key.next" };
	struct fixture cut = f;
	char from[PATH_BYTES], to[PATH_BYTES], key_file[PATH_BYTES];
	struct store *s = NULL;
	strcpy(cut.folder, "/tmp/store-cut-XXXXXX");
	assert_non_null(mkdtemp(cut.folder));
	for (size_t i = 0; i < 3; i++) {
		path_in(f.folder, names[i], from);
		path_in(cut.folder, names[i], to);
		file_copy(from, to);
	}
	path_in(cut.folder, "keytable.key", key_file);
	if (is_torn)
		assert_int_equal(truncate(key_file, 20), 0);
	cut.options.folder = cut.folder;
	cut.options.key_file = key_file;
	cut.options.is_read_only = true;
	assert_ok(&f, store_open(&cut.options, &s, &f.e));
	rows_are(s, rows, without);
	store_close(s);
	cut.options.is_read_only = false;
	s = open_store(&cut);
	rows_are(s, rows, without);
	steps_to_end(s);
	rows_are(s, rows, without);
	store_close(s);
	assert_false(files_hold(cut.folder, old));
	path_in(cut.folder, "keytable.key.next", to);
	assert_int_equal(file_find(to, NULL), ERR_NOT_FOUND);
	all_removed(cut.folder);
}

static void a_power_cut_between_any_two_steps_is_survived(void **state)
{
	(void)state;
	uint8_t old[KEY_BYTES];
	const uint8_t other[KEY_BYTES] = { 9 };
	bool is_done = false;
	struct store *s = open_store(&f);
	rows_put(s, 0, ROWS);
	key_now(old);
	row_forget(s, 1);
	cut_here(ROWS, 1, old, false);
	assert_ok(&f, secret_file_overwrite(next_path, other, &f.e)); /* the second file, before its commit */
	cut_here(ROWS, 1, old, false);
	while (!is_done) {
		assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
		cut_here(ROWS, 1, old, false);
	}
	store_close(s);
}

/* The last commit is there, the file half written: the second file has the key. */
static void a_torn_key_file_is_written_again(void **state)
{
	(void)state;
	uint8_t old[KEY_BYTES];
	struct store *s = open_store(&f);
	rows_put(s, 0, 100);
	key_now(old);
	row_forget(s, 1);
	for (int step = 0; step < 2; step++) { /* begin, rows */
		bool is_done;
		assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
	}
	cut_here(100, 1, old, true);
	steps_to_end(s);
	store_close(s);
	assert_int_equal(truncate(key_path, 20), 0); /* and with no second file it is damaged, not made anew */
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
}

static void rows_of_the_meantime_and_a_second_wish_are_served(void **state)
{
	(void)state;
	uint8_t first[KEY_BYTES], second[KEY_BYTES];
	bool is_done;
	struct store *s = open_store(&f);
	rows_put(s, 0, ROWS);
	row_forget(s, 5);
	assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
	assert_ok(&f, secret_file_read(next_path, first, &f.e));
	rows_put(s, ROWS, 100); /* under the next key */
	rows_are(s, ROWS + 100, 5);
	assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
	rows_put(s, 5, 1); /* it comes back, and goes again */
	row_forget(s, 5);
	store_close(s);
	s = open_store(&f);
	steps_to_end(s);
	rows_are(s, ROWS + 100, 5);
	key_now(second);
	assert_memory_not_equal(first, second, KEY_BYTES);
	store_close(s);
}

static void who_reads_meanwhile_reads_on(void **state)
{
	(void)state;
	struct store_txn *t;
	struct arena arena;
	struct bytes value;
	uint8_t key[8];
	bool is_done;
	struct store *s = open_store(&f);
	rows_put(s, 0, 100);
	arena_init(&arena, 0);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	row_forget(s, 5);
	for (int i = 0; i < 10; i++) {
		assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
		assert_false(is_done); /* the old key waits for the reader */
	}
	assert_int_equal(store_get(t, &envelopes, row_key(5, key), &arena, &value), OK);
	store_abort(t);
	steps_to_end(s);
	rows_are(s, 100, 5);
	store_close(s);
	arena_release(&arena);
}

static void a_damaged_row_stands_in_no_others_way(void **state)
{
	(void)state;
	uint8_t key[8], value[NONCE_BYTES + 4 + TAG_BYTES];
	struct store *s = open_store(&f);
	rows_put(s, 0, 100);
	store_close(s);
	struct beneath b = beneath_open(f.folder, "envelopes");
	MDB_val v = beneath_get(&b, row_key(50, key));
	memcpy(value, v.mv_data, sizeof value);
	value[20] ^= 1;
	beneath_put(&b, row_key(50, key), value, sizeof value);
	beneath_close(&b);
	s = open_store(&f);
	row_forget(s, 5);
	steps_to_end(s);
	struct store_txn *t;
	struct arena arena;
	struct bytes plain;
	arena_init(&arena, 0);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_int_equal(store_get(t, &envelopes, row_key(51, key), &arena, &plain), OK);
	assert_int_equal(store_get(t, &envelopes, row_key(50, key), &arena, &plain), ERR_DAMAGED);
	store_abort(t);
	arena_release(&arena);
	store_close(s);
}

static void a_key_that_lies_in_no_file_stays(void **state)
{
	(void)state;
	bool is_done = false;
	f.options.key_file = NULL;
	struct store *s = open_store(&f);
	rows_put(s, 0, 10);
	assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
	assert_true(is_done); /* nobody asked */
	row_forget(s, 1);
	assert_int_equal(store_rekey_step(s, &is_done, &f.e), ERR_INTERNAL);
	assert_says(&f, "lies in no file");
	rows_are(s, 10, 1);
	store_close(s);
}

static void the_next_key_belongs_to_its_store(void **state)
{
	(void)state;
	uint8_t other[KEY_BYTES] = { 7 };
	bool is_done;
	struct store *s = open_store(&f);
	rows_put(s, 0, 10);
	row_forget(s, 1);
	assert_ok(&f, store_rekey_step(s, &is_done, &f.e));
	store_close(s);
	s = NULL;
	assert_ok(&f, secret_file_overwrite(next_path, other, &f.e));
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
	assert_says(&f, "key file does not belong");
	unlink(next_path);
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
}

int main(void)
{
#define story(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		story(what_was_deleted_opens_no_more),   story(a_power_cut_between_any_two_steps_is_survived),
		story(a_torn_key_file_is_written_again), story(rows_of_the_meantime_and_a_second_wish_are_served),
		story(who_reads_meanwhile_reads_on),     story(a_damaged_row_stands_in_no_others_way),
		story(a_key_that_lies_in_no_file_stays), story(the_next_key_belongs_to_its_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
