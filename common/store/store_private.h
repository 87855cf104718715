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
#define META_TABLE_NAME "store"
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

/* The key table's key is being replaced, or was. Openings before `from` are under the old key. */
struct rekey {
	char *file, *next_file;      /* of the key and, until all is done, the next one; NULL: this store's key stays */
	uint8_t old_key[KEY_BYTES];  /* kept until nobody reads any more what it sealed */
	uint8_t next_key[KEY_BYTES]; /* of the second file, while the store is opened */
	bool has_key, has_next;      /* what the two files hold can be read, while the store is opened */
	uint32_t from;               /* 0: there has been one key only */
	enum { REKEY_NONE, REKEY_RUNNING, REKEY_FILES, REKEY_READERS } stage;
	bool may_be_due;
	size_t table; /* where the walk over the rows goes on: number in the order of the options, behind this row */
	struct row_name at;
};

struct store {
	char *folder;
	int lock_fd;
	bool is_read_only;
	uint64_t *key_table_lost; /* during the opening: counts the rows that are removed */
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
	uint8_t root_key[2][KEY_BYTES];       /* [0] the master key, [1] the key table's key, the newest */
	struct subkey current;                /* of this opening */
	struct subkey key_table_subkey[2];    /* of this opening, and of the one that began with the newest key */
	_Atomic(struct subkey *) key_current; /* which of the two seals now */
	uint64_t nonces_used;                 /* in this opening; the writer's */
	struct rekey rekey;                   /* the writer's; its keys and `from` under `lock` */

	atomic_bool has_writer, is_broken;

	pthread_mutex_t lock; /* guards what follows */
	struct subkey earlier[2][SUBKEY_SLOTS];
	uint32_t epoch;     /* goes up when no row is left under the old key of the key table */
	uint64_t reader[2]; /* read transactions by the lowest bit of their epoch */
	struct store_txn *idle;
	size_t idle_count;
	uint64_t used_bytes_last;
};

struct store_txn {
	struct store *store;
	MDB_txn *mdb;
	bool is_write;
	uint32_t epoch;       /* of a read transaction */
	struct error failure; /* the first one; code OK while there is none */
	struct store_txn *next_idle;
};

struct store_cursor {
	struct store_txn *txn;
	const struct store_table *table;
	MDB_cursor *mdb; /* NULL for a table that is not there */
	bool is_on_row;
	bool is_behind_row; /* that row was deleted by its key: next must seek */
	bool is_lost;       /* rows came out of their order: there is no going on */
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
#define META_BODY_BYTES_MOST 36
/* A row under its MAC. `body` of at most META_BODY_BYTES_MOST. */
int meta_row_put(struct store *s, MDB_txn *txn, const char *key, struct bytes body, struct error *e);
/* ERR_NOT_FOUND without an error; ERR_DAMAGED. */
int meta_row_get(struct store *s, MDB_txn *txn, const char *key, uint8_t *body, size_t size, struct error *e);
int meta_row_remove(struct store *s, MDB_txn *txn, const char *key, struct error *e); /* a missing one is fine */
/* By what the meta table knows a key of the key table. */
int key_check_make(const uint8_t key[KEY_BYTES], struct hash *out, struct error *e);
int key_check_write(struct store *s, MDB_txn *txn, const uint8_t key[KEY_BYTES], struct error *e);
int key_check_read(struct store *s, MDB_txn *txn, struct hash *out, struct error *e);
/* Notes another opening of this store, with a salt of its own; `key` receives its subkey for the key table under
 * `root`.
 */
int meta_opening_add(struct store *s, MDB_txn *txn, const uint8_t root[KEY_BYTES], struct subkey *key, struct error *e);
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

static inline const struct subkey *subkey_now(const struct store *s, bool is_key_table)
{
	return is_key_table ? atomic_load(&s->key_current) : &s->current;
}

/* ---- rekey.c ---- */
#define KEY_NEXT_ROW "key-table-next" /* while rows are sealed anew: first opening (4) ‖ check of the next key (32) */
#define KEY_DUE_ROW "key-table-due"   /* somebody asked for a new key */
int rekey_files_read(struct store *s, const char *file, struct error *e); /* before the environment is opened */
/* In the transaction that opens the store: which of the keys is whose. */
int rekey_resolve(struct store *s, MDB_txn *txn, struct error *e);
int rekey_files_mend(struct store *s, struct error *e); /* behind it: what a crash left of the files */

/* ---- care.c ---- */
int usage_begin(struct store *s, MDB_txn *txn, struct error *e); /* finds other_pages, once */
struct page_set;
/* How many pages are free, each added to `seen`. LMDB takes what its free list says and writes there: ERR_DAMAGED if
 * that is no page of the file, or one that `seen` has already. */
int pages_free(const struct store *s, MDB_txn *txn, struct page_set *seen, uint64_t *out, struct error *e);

/* ---- pages.c: what LMDB steers by ---- */
#define LMDB_META_PAGES 2
struct page_set {
	uint8_t *bit; /* last / 8 + 1 bytes */
	uint64_t last;
};
bool page_set_add(struct page_set *set,
                  uint64_t page); /* false: it is there already, or no page behind the first two */
/* Every page of a snapshot: its header and bounds, that one place leads to it, and what each table counts. Without
 * `is_deep` those of the free list, the list of tables and the meta table, which are few. */
int pages_verify(struct store *s, bool is_deep, struct error *e);

#endif
