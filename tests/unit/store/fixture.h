/* What the store's tests share: a folder of their own, three tables, options, short names for rows, and LMDB beneath.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

#define FIXTURE_MAP_BYTES (4u * 1024 * 1024)
#define PATH_BYTES 256

static const struct store_table cases = { .name = "cases", .number = 1 };
static const struct store_table people = { .name = "people", .number = 2, .is_projection = true };
static const struct store_table envelopes = { .name = "envelopes", .number = 3, .is_key_table = true };
static const struct store_table *const all_tables[] = { &cases, &people, &envelopes };

struct fixture {
	char folder[64];
	struct store_options options;
	struct error e;
};

#define assert_ok(f, call)                                                                  \
	do {                                                                                \
		(f)->e.text[0] = 0;                                                         \
		int fixture_rc = (call);                                                    \
		if (fixture_rc != OK)                                                       \
			fail_msg("%s: %s: %s", #call, error_name(fixture_rc), (f)->e.text); \
	} while (0)

#define assert_says(f, words)                                                         \
	do {                                                                          \
		if (!strstr((f)->e.text, (words)))                                    \
			fail_msg("\"%s\" does not say \"%s\"", (f)->e.text, (words)); \
	} while (0)

static inline void fixture_begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->folder, "/tmp/store-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_ok(f, crypto_init(&f->e));
	f->options = (struct store_options){
		.folder = f->folder, .map_bytes = FIXTURE_MAP_BYTES, .tables = all_tables, .table_count = 3
	};
	memset(f->options.master_key, 0x11, KEY_BYTES);
	memset(f->options.key_table_key, 0x22, KEY_BYTES);
}

static inline void path_in(const char *folder, const char *name, char path[PATH_BYTES])
{
	assert_true(snprintf(path, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES);
}

static inline void folder_remove(const char *folder)
{
	static const char *const names[] = { "data.mdb", "data.mdb.new", "lock.mdb", "lock", "copy" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[PATH_BYTES];
		path_in(folder, names[i], path);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

static inline void fixture_end(struct fixture *f)
{
	folder_remove(f->folder);
}

static inline struct store *open_store(struct fixture *f)
{
	struct store *s = NULL;
	assert_ok(f, store_open(&f->options, &s, &f->e));
	return s;
}

static inline struct bytes text(const char *t)
{
	return bytes_from_text(t);
}

/* Big-endian, so that keys sort as numbers. */
static inline struct bytes number_key(uint32_t n, uint8_t key[4])
{
	key[0] = (uint8_t)(n >> 24);
	key[1] = (uint8_t)(n >> 16);
	key[2] = (uint8_t)(n >> 8);
	key[3] = (uint8_t)n;
	return BYTES(key, 4);
}

static inline void put_one(struct fixture *f, struct store *s, const struct store_table *table, const char *key,
                           const char *value)
{
	struct store_txn *t = NULL;
	assert_ok(f, store_begin_write(s, &t, &f->e));
	store_put(t, table, text(key), text(value));
	assert_ok(f, store_commit(t, &f->e));
}

/* The value as text in `out`, or the error. */
static inline int get_one(struct fixture *f, struct store *s, const struct store_table *table, const char *key,
                          char *out, size_t size)
{
	struct store_txn *t = NULL;
	struct arena arena;
	struct bytes value;
	assert_ok(f, store_begin_read(s, &t, &f->e));
	arena_init(&arena, 0);
	int rc = store_get(t, table, text(key), &arena, &value);
	if (rc == OK) {
		assert_true(value.size < size);
		memcpy(out, value.data, value.size);
		out[value.size] = 0;
	}
	store_failure(t, &f->e);
	arena_release(&arena);
	store_abort(t);
	return rc;
}

static inline void assert_row(struct fixture *f, struct store *s, const struct store_table *table, const char *key,
                              const char *value)
{
	char found[256];
	assert_ok(f, get_one(f, s, table, key, found, sizeof(found)));
	assert_string_equal(found, value);
}

/* Plain LMDB on a closed directory: what an attacker or a bad disk would do to it. */
struct beneath {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
};

static inline struct beneath beneath_open(const char *folder, const char *table)
{
	struct beneath b;
	assert_int_equal(mdb_env_create(&b.env), 0);
	assert_int_equal(mdb_env_set_maxdbs(b.env, 8), 0);
	assert_int_equal(mdb_env_open(b.env, folder, MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(b.env, NULL, 0, &b.txn), 0);
	assert_int_equal(mdb_dbi_open(b.txn, table, 0, &b.dbi), 0);
	return b;
}

static inline MDB_val beneath_get(struct beneath *b, struct bytes key)
{
	MDB_val k = { key.size, (void *)key.data }, v;
	assert_int_equal(mdb_get(b->txn, b->dbi, &k, &v), 0);
	return v;
}

static inline void beneath_put(struct beneath *b, struct bytes key, const void *data, size_t size)
{
	MDB_val k = { key.size, (void *)key.data }, v = { size, (void *)data };
	assert_int_equal(mdb_put(b->txn, b->dbi, &k, &v, 0), 0);
}

static inline void beneath_close(struct beneath *b)
{
	assert_int_equal(mdb_txn_commit(b->txn), 0);
	mdb_env_close(b->env);
}

#endif
