/* Opening: keys, format, lock, files, copies. Some tests pin the bytes of the meta table by making its rows themselves.
 */
#include "fixture.h"
#include <limits.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/files.h"

static void rows_outlive_many_openings(void **state)
{
	(void)state;
	enum { OPENINGS = 300 }; /* more than the store remembers subkeys for */
	struct fixture f;
	fixture_begin(&f);
	char key[16];
	for (int i = 0; i < OPENINGS; i++) {
		struct store *s = open_store(&f);
		snprintf(key, sizeof(key), "k%d", i);
		put_one(&f, s, i % 2 ? &cases : &envelopes, key, key);
		store_close(s);
	}
	struct store *s = open_store(&f);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < OPENINGS; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			assert_row(&f, s, i % 2 ? &cases : &envelopes, key, key);
		}
	}
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
	store_close(s);
	fixture_end(&f);
}

static void a_second_opening_is_refused_while_the_first_lives(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f), *second = NULL;
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(store_open(&f.options, &second, &f.e), ERR_BUSY);
	assert_says(&f, pid);
	f.options.is_read_only = true;
	assert_int_equal(store_open(&f.options, &second, &f.e), ERR_BUSY);
	assert_null(second);
	put_one(&f, s, &cases, "k", "still works");
	store_close(s);
	s = open_store(&f);
	assert_row(&f, s, &cases, "k", "still works");
	store_close(s);
	fixture_end(&f);
}

static void a_wrong_key_opens_nothing(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	store_close(s);
	s = NULL;
	f.options.master_key[31] ^= 1;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
	assert_says(&f, "the key file does not belong to this directory");
	f.options.master_key[31] ^= 1;
	f.options.key_table_key[0] ^= 1;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
	assert_says(&f, "key table");
	assert_null(s);
	f.options.key_table_key[0] ^= 1;
	s = open_store(&f);
	assert_row(&f, s, &cases, "k", "v");
	store_close(s);
	fixture_end(&f);
}

/* HMAC over key and body under the key that only the master key gives. */
static void meta_row(struct fixture *f, struct bytes key, struct bytes body, uint8_t value[64])
{
	uint8_t meta_key[KEY_BYTES], joined[64];
	struct hash mac;
	assert_ok(f, crypto_derive(SUITE_INTERNATIONAL, BYTES(f->options.master_key, KEY_BYTES), BYTES("", 0),
	                           "last-mile store meta", meta_key, KEY_BYTES, &f->e));
	memcpy(joined, key.data, key.size);
	memcpy(joined + key.size, body.data, body.size);
	assert_ok(f, crypto_hmac(SUITE_INTERNATIONAL, meta_key, BYTES(joined, key.size + body.size), &mac, &f->e));
	memcpy(value, body.data, body.size);
	memcpy(value + body.size, mac.byte, HASH_BYTES);
}

/* The form on disk, taken apart by hand: it can never change without a new format number. */
static void a_value_lies_on_disk_as_documented(void **state)
{
	(void)state;
	static const uint8_t opening_1[11] = { 'o', 'p', 'e', 'n', 'i', 'n', 'g', 0, 0, 0, 1 };
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "key", "a case");
	put_one(&f, s, &envelopes, "key", "an envelope");
	store_close(s);
	for (int is_key_table = 0; is_key_table < 2; is_key_table++) {
		const struct store_table *table = is_key_table ? &envelopes : &cases;
		const char *plain = is_key_table ? "an envelope" : "a case";
		uint8_t value[64], key[KEY_BYTES], opened[64];
		struct beneath b = beneath_open(f.folder, "store");
		MDB_val v = beneath_get(&b, BYTES(opening_1, 11));
		assert_int_equal(v.mv_size, 16 + HASH_BYTES);
		meta_row(&f, BYTES(opening_1, 11), BYTES(v.mv_data, 16), value);
		assert_memory_equal(v.mv_data, value, 16 + HASH_BYTES);
		assert_ok(&f,
		          crypto_derive(SUITE_INTERNATIONAL,
		                        BYTES(is_key_table ? f.options.key_table_key : f.options.master_key, KEY_BYTES),
		                        BYTES(value, 16),
		                        is_key_table ? "last-mile store keys" : "last-mile store values", key,
		                        KEY_BYTES, &f.e));
		beneath_close(&b);
		b = beneath_open(f.folder, table->name);
		v = beneath_get(&b, text("key"));
		assert_int_equal(v.mv_size, NONCE_BYTES + strlen(plain) + TAG_BYTES);
		const uint8_t nonce[NONCE_BYTES] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)is_key_table };
		assert_memory_equal(v.mv_data, nonce, NONCE_BYTES);
		const uint8_t associated[4] = { table->number, 'k', 'e', 'y' };
		assert_ok(&f,
		          aead_open(SUITE_INTERNATIONAL, key, nonce, BYTES(associated, 4),
		                    BYTES((uint8_t *)v.mv_data + NONCE_BYTES, v.mv_size - NONCE_BYTES), opened, &f.e));
		assert_memory_equal(opened, plain, strlen(plain));
		beneath_close(&b);
	}
	fixture_end(&f);
}

static void a_newer_format_is_refused(void **state)
{
	(void)state;
	static const uint8_t versions[2][4] = { { 0, 0, 0, STORE_FORMAT }, { 0, 0, 0, STORE_FORMAT + 1 } };
	struct fixture f;
	fixture_begin(&f);
	store_close(open_store(&f));
	for (int i = 0; i < 2; i++) {
		uint8_t value[64];
		meta_row(&f, text("format"), BYTES(versions[i], 4), value);
		struct beneath b = beneath_open(f.folder, "store");
		beneath_put(&b, text("format"), value, 4 + HASH_BYTES);
		beneath_close(&b);
		struct store *s = NULL;
		assert_int_equal(store_open(&f.options, &s, &f.e), i == 0 ? OK : ERR_VERSION);
		store_close(s);
	}
	assert_says(&f, "newer program");
	fixture_end(&f);
}

static void a_flipped_bit_in_the_meta_table_is_noticed(void **state)
{
	(void)state;
	static const uint8_t opening_1[11] = { 'o', 'p', 'e', 'n', 'i', 'n', 'g', 0, 0, 0, 1 };
	const struct bytes rows[] = { text("format"), text("key-table"), BYTES(opening_1, 11) };
	struct fixture f;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	store_close(s);
	store_close(open_store(&f)); /* so that opening 1 is not the last */
	for (int row = 0; row < 3; row++) {
		for (size_t at = 0; at < 32; at += 3) {
			struct beneath b = beneath_open(f.folder, "store");
			MDB_val v = beneath_get(&b, rows[row]);
			uint8_t value[64];
			size_t size = v.mv_size;
			memcpy(value, v.mv_data, size);
			value[at] ^= 0x10;
			beneath_put(&b, rows[row], value, size);
			beneath_close(&b);
			s = NULL;
			if (row < 2) {
				assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
			} else {
				char out[16];
				s = open_store(&f);
				assert_int_equal(get_one(&f, s, &cases, "k", out, sizeof(out)), ERR_DAMAGED);
				assert_int_equal(store_verify(s, NULL, NULL, &f.e), ERR_DAMAGED);
				store_close(s);
			}
			b = beneath_open(f.folder, "store");
			value[at] ^= 0x10;
			beneath_put(&b, rows[row], value, size);
			beneath_close(&b);
		}
	}
	s = open_store(&f);
	assert_row(&f, s, &cases, "k", "v");
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
	store_close(s);
	fixture_end(&f);
}

static void a_full_disk_is_told_before_anything_is_made(void **state)
{
	(void)state;
	struct fixture f;
	struct statvfs disk;
	struct store *s = NULL;
	fixture_begin(&f);
	assert_int_equal(statvfs(f.folder, &disk), 0);
	f.options.map_bytes = (uint64_t)disk.f_blocks * disk.f_frsize * 2;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_FULL);
	assert_says(&f, "bytes more");
	assert_says(&f, "are free");
	assert_null(s);
	char path[PATH_BYTES];
	path_in(f.folder, "data.mdb", path);
	assert_int_not_equal(access(path, F_OK), 0);
	path_in(f.folder, "data.mdb.new", path);
	assert_int_not_equal(access(path, F_OK), 0);
	/* An existing store keeps its size and content when it cannot be given more. */
	f.options.map_bytes = FIXTURE_MAP_BYTES;
	s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	store_close(s);
	f.options.map_bytes = (uint64_t)disk.f_blocks * disk.f_frsize * 2;
	s = NULL;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_FULL);
	f.options.map_bytes = FIXTURE_MAP_BYTES;
	s = open_store(&f);
	assert_row(&f, s, &cases, "k", "v");
	store_close(s);
	fixture_end(&f);
}

static void assert_allocated(struct fixture *f, const char *name, uint64_t size)
{
	char path[PATH_BYTES];
	struct stat file;
	path_in(f->folder, name, path);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal((uint64_t)file.st_size, size);
	assert_true((uint64_t)file.st_blocks * 512 >= size);
	assert_int_equal(file.st_mode & 0777, 0600);
}

static void files_have_their_disk_space_from_the_start(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	assert_int_equal(rmdir(f.folder), 0); /* the store makes the folder */
	struct store *s = open_store(&f);
	struct stat folder;
	assert_int_equal(stat(f.folder, &folder), 0);
	assert_int_equal(folder.st_mode & 0777, 0700);
	assert_allocated(&f, "data.mdb", FIXTURE_MAP_BYTES);
	assert_allocated(&f, "lock.mdb", 16384);
	store_close(s);
	f.options.map_bytes *= 2; /* grows between runs */
	store_close(open_store(&f));
	assert_allocated(&f, "data.mdb", 2 * FIXTURE_MAP_BYTES);
	f.options.map_bytes /= 2; /* and never shrinks */
	s = open_store(&f);
	struct store_usage usage;
	store_usage_read(s, &usage);
	assert_int_equal(usage.map_bytes, 2 * FIXTURE_MAP_BYTES);
	store_close(s);
	fixture_end(&f);
}

static void a_start_that_was_cut_off_is_taken_up(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	char path[PATH_BYTES];
	path_in(f.folder, "data.mdb.new", path);
	FILE *left = fopen(path, "w");
	assert_non_null(left);
	fputs("half of something", left);
	fclose(left);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	store_close(s);
	assert_int_not_equal(access(path, F_OK), 0);
	fixture_end(&f);
}

static void a_file_that_is_no_environment_is_damaged(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	char path[PATH_BYTES];
	path_in(f.folder, "data.mdb", path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 20000; i++)
		fputc('x', file);
	fclose(file);
	struct store *s = NULL;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
	assert_null(s);
	fixture_end(&f);
}

/* Zeros must not stand where rows were: the file is not made longer again. */
static void a_file_that_was_cut_short_is_damaged(void **state)
{
	(void)state;
	static const long sizes[] = { 0, 100, 4096, 8192, 40960, 20 * 4096 };
	struct fixture f;
	char path[PATH_BYTES], key[16], value[1000];
	fixture_begin(&f);
	struct store *s = open_store(&f);
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof key, "k%d", i);
		put_one(&f, s, &cases, key, value);
	}
	store_close(s);
	path_in(f.folder, "data.mdb", path);
	for (size_t i = sizeof sizes / sizeof *sizes; i-- > 0;) {
		struct stat file;
		assert_int_equal(truncate(path, sizes[i]), 0);
		for (int is_read_only = 0; is_read_only < 2; is_read_only++) {
			f.options.is_read_only = is_read_only;
			assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
		}
		assert_int_equal(stat(path, &file), 0);
		assert_int_equal(file.st_size, sizes[i]);
	}
	fixture_end(&f);
}

/* LMDB's record of a table lies behind its name: five numbers behind eight bytes, the second counts leaves. Believed,
 * it would make an empty store look full. */
static void a_table_that_counts_more_pages_than_there_are_is_damaged(void **state)
{
	(void)state;
	struct fixture f;
	char path[PATH_BYTES];
	struct buffer content = { 0 };
	size_t changed = 0, name = strlen(cases.name);
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "key", "value");
	store_close(s);
	path_in(f.folder, "data.mdb", path);
	assert_ok(&f, file_read(path, 64u * 1024 * 1024, &content, &f.e));
	for (size_t i = 0; i + name + 24 < content.size; i++)
		if (memcmp(content.data + i, cases.name, name) == 0 && ++changed)
			content.data[i + name + 16 + 2] ^= 0x10;
	assert_true(changed);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
	fclose(file);
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
	buffer_release(&content);
	fixture_end(&f);
}

static int entries_in(const char *folder)
{
	int count = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void reading_only_makes_and_changes_nothing(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = NULL;
	f.options.is_read_only = true;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_NOT_FOUND);
	assert_int_equal(entries_in(f.folder), 2);
	f.options.is_read_only = false;
	f.options.table_count = 2; /* an older program, without the third table */
	s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	store_close(s);
	f.options.table_count = 3;
	f.options.is_read_only = true;
	char path[PATH_BYTES];
	path_in(f.folder, "lock.mdb", path);
	unlink(path);
	path_in(f.folder, "data.mdb", path);
	struct stat before, after;
	assert_int_equal(stat(path, &before), 0);
	s = open_store(&f);
	assert_row(&f, s, &cases, "k", "v");
	char out[16];
	assert_int_equal(get_one(&f, s, &envelopes, "k", out, sizeof(out)), ERR_NOT_FOUND);
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
	struct store_txn *t = NULL;
	assert_int_equal(store_begin_write(s, &t, &f.e), ERR_INTERNAL);
	store_close(s);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(entries_in(f.folder), 4); /* ".", "..", data.mdb, lock */
	fixture_end(&f);
}

static void keep_digest(void *context, const struct store_table_digest *digest)
{
	struct store_table_digest *kept = context;
	kept[digest->table->number] = *digest;
}

static void a_copy_opens_elsewhere_with_the_same_digests(void **state)
{
	(void)state;
	struct fixture f, other;
	fixture_begin(&f);
	fixture_begin(&other);
	store_close(open_store(&f));
	struct store *s = open_store(&f);
	struct store_txn *t = NULL;
	uint8_t key[4], value[900] = { 0 };
	for (uint32_t i = 0; i < 600; i++) {
		if (i % 100 == 0)
			assert_ok(&f, store_begin_write(s, &t, &f.e));
		store_put(t, all_tables[i % 3], number_key(i, key), BYTES(value, i));
		if (i % 100 == 99)
			assert_ok(&f, store_commit(t, &f.e));
	}
	struct store_table_digest here[4] = { 0 }, there[4] = { 0 };
	assert_ok(&f, store_verify(s, keep_digest, here, &f.e));
	assert_ok(&f, store_begin_write(s, &t, &f.e)); /* while a write is under way, which the copy does not see */
	store_put(t, &cases, text("late"), text("v"));
	char path[PATH_BYTES];
	path_in(other.folder, "data.mdb", path);
	assert_ok(&f, store_copy(s, path, &f.e));
	assert_int_equal(store_copy(s, path, &f.e), ERR_EXISTS);
	assert_ok(&f, store_commit(t, &f.e));
	store_close(s);
	struct stat file;
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_true(file.st_size < FIXTURE_MAP_BYTES / 2);
	s = open_store(&other);
	assert_ok(&f, store_verify(s, keep_digest, there, &f.e));
	for (int number = 1; number <= 3; number++) {
		assert_int_equal(here[number].rows, 200);
		assert_int_equal(there[number].rows, 200);
		assert_memory_equal(&here[number].hash, &there[number].hash, sizeof(struct hash));
	}
	put_one(&other, s, &cases, "k", "it goes on");
	store_close(s);
	assert_int_equal(store_copy(s = open_store(&f), "/nonexistent/copy", &f.e), ERR_IO);
	store_close(s);
	fixture_end(&f);
	fixture_end(&other);
}

/* A backup has no key for its key tables: they are emptied, everything else stays. */
static void a_lost_key_table_is_emptied(void **state)
{
	(void)state;
	struct fixture f;
	struct arena arena;
	struct bytes value;
	struct store_txn *t;
	uint64_t lost = 77;
	fixture_begin(&f);
	struct store *s = open_store(&f);
	put_one(&f, s, &cases, "k", "stays");
	put_one(&f, s, &envelopes, "a", "goes");
	put_one(&f, s, &envelopes, "b", "goes, too");
	store_close(s);
	memset(f.options.key_table_key, 0x33, KEY_BYTES);
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_DAMAGED);
	f.options.key_table_lost = &lost;
	s = open_store(&f);
	assert_int_equal(lost, 2);
	put_one(&f, s, &envelopes, "b", "again");
	store_close(s);
	f.options.key_table_lost = NULL;
	s = open_store(&f); /* the key is the table's own from now on */
	arena_init(&arena, 0);
	assert_ok(&f, store_begin_read(s, &t, &f.e));
	assert_int_equal(store_count(t, &envelopes), 1);
	assert_ok(&f, store_get(t, &envelopes, text("b"), &arena, &value));
	assert_true(bytes_equal(value, text("again")));
	assert_ok(&f, store_get(t, &cases, text("k"), &arena, &value));
	store_abort(t);
	assert_ok(&f, store_verify(s, NULL, NULL, &f.e));
	store_close(s);
	arena_release(&arena);
	fixture_end(&f);
}

static void options_are_checked(void **state)
{
	(void)state;
	static const struct store_table zero = { .name = "zero", .number = 0 }, high = { .name = "high", .number = 64 },
	                                same_number = { .name = "other", .number = 1 },
	                                same_name = { .name = "cases", .number = 7 },
	                                meta = { .name = "store", .number = 8 },
	                                long_name = { .name = "a name of more than thirty-two characters",
		                                      .number = 9 };
	static const struct store_table no_name = { .name = "", .number = 10 };
	const struct store_table *const wrong[] = {
		&zero, &high, &same_number, &same_name, &meta, &long_name, &no_name
	};
	struct fixture f;
	fixture_begin(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const struct store_table *const pair[] = { &cases, wrong[i] };
		struct store *s = NULL;
		f.options.tables = pair;
		f.options.table_count = 2;
		assert_int_equal(store_open(&f.options, &s, &f.e), ERR_INVALID);
		assert_null(s);
	}
	f.options.tables = all_tables;
	struct store *s = NULL;
	f.options.table_count = STORE_TABLES_MOST + 1;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_INVALID);
	assert_says(&f, "tables");
	f.options.table_count = 3;
	f.options.map_bytes = 1;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_INVALID);
	assert_says(&f, "a map has at least");
	f.options.map_bytes = FIXTURE_MAP_BYTES;
	assert_int_equal(entries_in(f.folder), 2);
	fixture_end(&f);
}

/* A folder's name may be as long as it likes, and lie in the folder that a program stands in. */
static void a_folder_has_any_name(void **state)
{
	(void)state;
	static char far_away[PATH_MAX + 16];
	char before[PATH_MAX];
	struct fixture f;
	struct store *s = NULL;
	fixture_begin(&f);
	memset(far_away, 'x', sizeof(far_away) - 1);
	f.options.folder = far_away;
	assert_int_equal(store_open(&f.options, &s, &f.e), ERR_INVALID);
	assert_says(&f, "too long");
	far_away[PATH_MAX - 8] = '\0'; /* its lock fits, data.mdb does not: nothing is made */
	assert_int_not_equal(store_open(&f.options, &s, &f.e), OK);
	assert_null(s);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(f.folder), 0);
	f.options.folder = "here";
	s = open_store(&f);
	put_one(&f, s, &cases, "k", "v");
	store_close(s);
	folder_remove("here");
	assert_int_equal(chdir(before), 0);
	fixture_end(&f);
}

/* ---- threads ---- */

struct reading {
	struct store *store;
	int failures;
};

static void *read_again_and_again(void *context)
{
	struct reading *r = context;
	struct arena arena;
	arena_init(&arena, 0);
	for (int round = 0; round < 300; round++) {
		struct store_txn *t = NULL;
		if (store_begin_read(r->store, &t, NULL) != OK) {
			r->failures++;
			continue;
		}
		for (uint32_t i = 0; i < 20; i++) { /* one commit wrote all rows alike: a snapshot shows no mixture */
			uint8_t key[4];
			struct bytes value, first;
			int rc = store_get(t, &cases, number_key(0, key), &arena, &first);
			if (rc == OK)
				rc = store_get(t, &cases, number_key(i, key), &arena, &value);
			r->failures += rc != OK || !bytes_equal(first, value);
		}
		struct store_usage usage;
		store_usage_read(r->store, &usage);
		r->failures += usage.percent == 0 || usage.percent > 100;
		store_abort(t);
		arena_reset(&arena);
	}
	arena_release(&arena);
	return NULL;
}

static void readers_on_threads_see_whole_commits(void **state)
{
	(void)state;
	struct fixture f;
	fixture_begin(&f);
	struct store *s = NULL;
	struct reading reading[4];
	pthread_t thread[4];
	for (uint32_t commit = 0; commit < 60; commit++) {
		if (commit % 20 == 0) { /* readers of the last round meet rows of earlier openings */
			store_close(s);
			s = open_store(&f);
		}
		struct store_txn *t = NULL;
		uint8_t key[4];
		assert_ok(&f, store_begin_write(s, &t, &f.e));
		for (uint32_t i = 0; i < 20; i++)
			store_put(t, &cases, number_key(i, key), BYTES_OF(commit));
		assert_ok(&f, store_commit(t, &f.e));
		for (int i = 0; i < 4 && commit == 40; i++) {
			reading[i] = (struct reading){ .store = s };
			assert_int_equal(pthread_create(&thread[i], NULL, read_again_and_again, &reading[i]), 0);
		}
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(reading[i].failures, 0);
	}
	store_close(s);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_outlive_many_openings),
		cmocka_unit_test(a_second_opening_is_refused_while_the_first_lives),
		cmocka_unit_test(a_wrong_key_opens_nothing),
		cmocka_unit_test(a_value_lies_on_disk_as_documented),
		cmocka_unit_test(a_newer_format_is_refused),
		cmocka_unit_test(a_flipped_bit_in_the_meta_table_is_noticed),
		cmocka_unit_test(a_full_disk_is_told_before_anything_is_made),
		cmocka_unit_test(files_have_their_disk_space_from_the_start),
		cmocka_unit_test(a_start_that_was_cut_off_is_taken_up),
		cmocka_unit_test(a_file_that_is_no_environment_is_damaged),
		cmocka_unit_test(a_file_that_was_cut_short_is_damaged),
		cmocka_unit_test(a_table_that_counts_more_pages_than_there_are_is_damaged),
		cmocka_unit_test(reading_only_makes_and_changes_nothing),
		cmocka_unit_test(a_copy_opens_elsewhere_with_the_same_digests),
		cmocka_unit_test(a_lost_key_table_is_emptied),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(a_folder_has_any_name),
		cmocka_unit_test(readers_on_threads_see_whole_commits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
