/*
 * The store: one LMDB environment, tables of sealed and authenticated values, transactions with a sticky error.
 *
 * A transaction remembers its first failure: every later call on it does nothing and returns the same code, so
 * code reads straight down and checks once, at store_commit. Values are sealed with AES-256-GCM under a subkey
 * that is derived anew at each opening (HKDF over the master key and a fresh 128-bit salt); nonces count; table
 * and key are associated data. So a flipped bit, a value moved to another key, or a value from another device
 * is noticed (ERR_DAMAGED names table and key) and never served. Keys stay in clear: put nothing personal in a key.
 *
 * Threads: one write transaction at a time (the writer thread); any number of read transactions, each used by
 * one thread at a time (MDB_NOTLS), kept short (≤ 50 ms): a long reader keeps old pages from being reused.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/errors.h"
#include "crypto/crypto.h"

struct store;
struct store_txn;
struct store_cursor;

/* A table of the environment, declared statically by the room that owns it. */
struct store_table {
	const char *name;   /* ≤ 32 characters, the name in LMDB */
	uint8_t number;     /* unique in the environment, 1…63; bound into every seal; never reused */
	bool is_projection; /* derived by replay: rebuild may drop and remake it */
	bool is_key_table;  /* sealed under the key table's own key */
};

#define STORE_TABLES_MOST 60
#define STORE_KEY_BYTES_MOST 64
#define STORE_FORMAT 1 /* version N reads N - 1; a newer directory is refused with ERR_VERSION */

struct store_options {
	const char *folder; /* made with mode 0700 if missing */
	uint64_t map_bytes; /* preallocated with posix_fallocate; a larger existing file keeps its size */
	const struct store_table *const *tables; /* all tables of this environment */
	size_t table_count;
	uint8_t master_key[KEY_BYTES];
	uint8_t key_table_key[KEY_BYTES];
	/* Where the key table's key lies, made if it is missing; then it can be replaced. NULL: key_table_key, for
	 * good. */
	const char *key_file;
	bool is_read_only; /* for verify on a closed directory: creates and writes nothing */
	/* For a backup, which holds no key of its key tables: they are emptied, and sealed under key_table_key from now
	 * on. Set to the number of rows that were in them. */
	uint64_t *key_table_lost;
};

/* Opens or creates. Takes folder/lock for the life of the store. Errors: ERR_BUSY (already open, names the pid),
 * ERR_VERSION (newer directory), ERR_DAMAGED (not an environment, or not sealed under this master key), ERR_FULL (no
 * room to preallocate), ERR_IO. */
int store_open(const struct store_options *options, struct store **out, struct error *e);
void store_close(struct store *s); /* NULL is fine; ends no transaction: end them first */

/* ---- transactions ---- */
/* ERR_BUSY if one is open already (it does not wait), ERR_IO once the store is broken. */
int store_begin_write(struct store *s, struct store_txn **out, struct error *e);
int store_begin_read(struct store *s, struct store_txn **out, struct error *e);
/* Commits and frees; returns the sticky error if there was one (then nothing was written). An I/O error of the commit
 * itself sets store_is_broken: the process must exit and verify. ERR_FULL when the map is full. */
int store_commit(struct store_txn *t, struct error *e);
void store_abort(struct store_txn *t); /* also ends a read transaction; NULL is fine */
bool store_is_broken(const struct store *s);
int store_failure(const struct store_txn *t, struct error *e); /* the sticky error, or OK */
/* A read transaction goes on behind a row that is damaged: it serves the others. False: it has not failed, or by
 * something else, or it writes. `e` receives the failure; NULL: it was reported before. */
bool store_pass_over(struct store_txn *t, struct error *e);
int store_fail(struct store_txn *t, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4))); /* makes it fail */

/* ---- values ---- */
int store_put(struct store_txn *t, const struct store_table *table, struct bytes key, struct bytes value);
/* For keys greater than every key in the table: fills pages to the end. ERR_INTERNAL (sticky) if the order is wrong. */
int store_append(struct store_txn *t, const struct store_table *table, struct bytes key, struct bytes value);
/* OK, or ERR_NOT_FOUND (not sticky), or a sticky error. The value is opened into `arena`. */
int store_get(struct store_txn *t, const struct store_table *table, struct bytes key, struct arena *arena,
              struct bytes *value);
bool store_has(struct store_txn *t, const struct store_table *table, struct bytes key);   /* does not open the value */
int store_delete(struct store_txn *t, const struct store_table *table, struct bytes key); /* a missing key is fine */
int store_clear(struct store_txn *t, const struct store_table *table);                    /* removes every row */
uint64_t store_count(struct store_txn *t, const struct store_table *table);

/* ---- cursors: rows in the order of memcmp over keys ---- */
int store_cursor_open(struct store_txn *t, const struct store_table *table, struct store_cursor **out);
void store_cursor_close(struct store_cursor *c); /* before the transaction ends; NULL is fine */
/* Each returns OK, ERR_NOT_FOUND at the end (not sticky), or a sticky error. `key` points into the map: valid until the
 * next write or the end of the transaction. `value` may be NULL to skip opening it; otherwise it is opened into
 * `arena`. */
int store_cursor_seek(struct store_cursor *c, struct bytes at_least, struct arena *arena, struct bytes *key,
                      struct bytes *value);
int store_cursor_first(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value);
int store_cursor_last(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value);
int store_cursor_next(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value);
int store_cursor_prev(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value);
int store_cursor_delete(
        struct store_cursor *c); /* removes the row it stands on; next then moves to the following row */

/* ---- another key for the key tables (rekey.c) ---- */
/* What was deleted from them is still in the file, in pages that are free: nothing opens it once the key is gone. In a
 * transaction: asks that their rows be sealed anew under a new key and the old one be overwritten. */
int store_rekey_request(struct store_txn *t);
/* The next step of that, a few thousand rows at most, in a transaction of its own: the writer thread calls it between
 * its transactions until *is_done. What a crash or a failure interrupts goes on with the next call or the next opening,
 * and the store opens at every point. ERR_INTERNAL without a key file. */
int store_rekey_step(struct store *s, bool *is_done, struct error *e);

/* ---- care ---- */
/* Writes a row again that every store has, unchanged: the commit that follows tells whether the disk takes writes. */
int store_probe(struct store_txn *t);
struct store_usage {
	uint64_t map_bytes, used_bytes; /* used: pages in use, free pages taken off */
	unsigned percent;               /* of the map, rounded up */
};
void store_usage_read(struct store *s,
                      struct store_usage *out); /* cheap whatever the free list: call it after every commit */
/* The same within a transaction, as it is now; `reserve` names tables that are counted twice: room to copy them. */
void store_usage_within(struct store_txn *t, const struct store_table *const *reserve, size_t count,
                        struct store_usage *out);
/* Reads every row of every table: counts and a hash over plaintext rows in key order, per table. On the first row that
 * does not verify: ERR_DAMAGED with table and key in `e`; `on_table` has then been called for the tables before it. */
struct store_table_digest {
	const struct store_table *table;
	uint64_t rows;
	struct hash hash;
};
int store_verify(struct store *s, void (*on_table)(void *context, const struct store_table_digest *digest),
                 void *context, struct error *e);
/* The same for one table within a transaction. */
int store_digest(struct store_txn *t, const struct store_table *table, struct store_table_digest *out, struct error *e);
/* Copies the environment while it is in use (mdb_env_copyfd2, compact) into the new file `path`, mode 0600, synced;
 * ERR_EXISTS if there is one. It opens as FOLDER/data.mdb under the same keys. */
int store_copy(struct store *s, const char *path, struct error *e);

#endif
