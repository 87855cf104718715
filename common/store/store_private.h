/*
 * The store's own view of itself.
 *
 * struct store owns the environment, the lock of the folder, and the keys; all but the parts under `lock` and the nonce
 * counter (the writer's) are fixed once it is open. struct store_txn owns its LMDB transaction; ended read transactions
 * are kept idle in the store and used again. struct store_cursor belongs to its transaction.
 */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "store/store.h"

#define STORE_SUITE SUITE_INTERNATIONAL
#define TABLE_NUMBERS 64 /* 0 is the store's own meta table */
#define TABLE_NAME_BYTES_MOST 32
#define SALT_BYTES 16
#define SEAL_OVERHEAD_BYTES (NONCE_BYTES + TAG_BYTES)
#define SUBKEY_SLOTS 256 /* earlier openings whose subkeys are remembered, for each kind of table */
#define IDLE_READERS_MOST 16
#define LOCK_FILE_BYTES 16384 /* room for 254 readers */

/* What a seal binds a value to: the table's number, then the key. The key is a copy, so it outlives the page it came
 * from. */
struct row_name {
	uint8_t byte[1 + STORE_KEY_BYTES_MOST];
	size_t size;
};

struct subkey {
	uint32_t opening; /* 0: empty */
	uint8_t key[KEY_BYTES];
};

struct store {
	char *folder;
	int lock_fd;
	bool is_read_only;
	MDB_env *env;
	uint64_t map_bytes;
	unsigned page_bytes;
	uint64_t other_pages; /* of tables that this version does not name */

	const struct store_table *table[TABLE_NUMBERS]; /* by number */
	MDB_dbi dbi[TABLE_NUMBERS];
	bool is_present[TABLE_NUMBERS];   /* an old directory, opened read-only, may lack a table */
	uint8_t order[STORE_TABLES_MOST]; /* numbers in the order of the options */
	size_t table_count;

	uint8_t meta_key[KEY_BYTES];
	uint8_t root_key[2][KEY_BYTES]; /* [0] the master key, [1] the key table's key */
	struct subkey current[2];       /* of this opening */
	uint64_t nonces_used;           /* in this opening; the writer's */

	atomic_bool has_writer, is_broken;

	pthread_mutex_t lock; /* guards what follows */
	struct subkey earlier[2][SUBKEY_SLOTS];
	struct store_txn *idle;
	size_t idle_count;
	uint64_t used_bytes_last;
};

struct store_txn {
	struct store *store;
	MDB_txn *mdb;
	bool is_write;
	struct error failure; /* the first one; code OK while there is none */
	struct store_txn *next_idle;
};

struct store_cursor {
	struct store_txn *txn;
	const struct store_table *table;
	MDB_cursor *mdb; /* NULL for a table that is not there */
	bool is_on_row;
	bool is_behind_row; /* that row was deleted by its key: next must seek */
	struct row_name at; /* the row it stands on, or stood on last */
};

/* ---- disk.c: the files ---- */
/* Makes data.mdb if it is missing and gives the data and lock files their disk space. Raises *map_bytes to a larger
 * file's size. */
int disk_prepare(const char *folder, bool is_read_only, uint64_t *map_bytes, struct error *e);
int disk_path(const char *folder, const char *name, char *path, size_t size, struct error *e);
int disk_sync_folder_of(const char *path, struct error *e);

/* ---- meta.c: format version, openings, subkeys ---- */
/* Within `txn`, which may write unless the store is read-only: writes the first rows of a new environment, or checks
 * the format and both keys; then begins an opening. */
int meta_open(struct store *s, MDB_txn *txn, bool is_new, struct error *e);
int meta_probe(struct store *s, MDB_txn *txn, struct error *e);  /* writes the format row again */
int meta_verify(struct store *s, MDB_txn *txn, struct error *e); /* every row */
/* The subkey of an opening, copied to `key`: wipe it. ERR_DAMAGED if the opening is unknown. */
int subkey_find(struct store *s, MDB_txn *txn, uint32_t opening, bool is_key_table, uint8_t key[KEY_BYTES],
                struct error *e);

/* ---- seal.c: values ---- */
bool row_name_make(const struct store_table *table, struct bytes key,
                   struct row_name *out); /* false: no key of a row */
MDB_val row_name_key(const struct row_name *name);
int value_seal(struct store_txn *t, const struct store_table *table, const struct row_name *name, struct bytes plain,
               uint8_t *out); /* plain.size + SEAL_OVERHEAD_BYTES */
int value_open(struct store_txn *t, const struct store_table *table, const struct row_name *name, MDB_val sealed,
               struct arena *arena, struct bytes *plain);

/* ---- txn.c ---- */
int lmdb_error(const struct store *s, int rc, struct error *e, const char *doing); /* from LMDB's code */
int txn_fail_lmdb(struct store_txn *t, const struct store_table *table, int rc, const char *doing);
/* OK and the handle; ERR_NOT_FOUND for a table that is not there; or the sticky error. */
int txn_table(struct store_txn *t, const struct store_table *table, bool is_for_write, MDB_dbi *out);
void txn_free_idle(struct store *s);

/* ---- care.c ---- */
int usage_begin(struct store *s, MDB_txn *txn, struct error *e); /* finds other_pages, once */

#endif
