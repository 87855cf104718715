/*
 * Opening and closing. In this order: the folder, its lock, the files' disk space (disk.c), the environment, and in one
 * transaction the tables, the checks of format and keys, and the new opening (meta.c).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "store_private.h"

#define MAP_BYTES_LEAST (256 * 1024)

static int tables_take(struct store *s, const struct store_options *o, struct error *e)
{
	if (o->table_count > STORE_TABLES_MOST)
		return error_set(e, ERR_INVALID, "a store has at most %d tables, not %zu", STORE_TABLES_MOST,
		                 o->table_count);
	for (size_t i = 0; i < o->table_count; i++) {
		const struct store_table *table = o->tables[i];
		size_t length = strlen(table->name);
		if (length == 0 || length > TABLE_NAME_BYTES_MOST || strcmp(table->name, META_TABLE_NAME) == 0)
			return error_set(e, ERR_INVALID, "\"%.64s\" cannot be a table's name", table->name);
		if (table->number == 0 || table->number >= TABLE_NUMBERS)
			return error_set(e, ERR_INVALID, "table %s cannot have the number %u", table->name,
			                 table->number);
		for (size_t other = 0; other < i; other++) {
			if (o->tables[other]->number == table->number ||
			    strcmp(o->tables[other]->name, table->name) == 0)
				return error_set(e, ERR_INVALID, "tables %s and %s have the same number or name",
				                 o->tables[other]->name, table->name);
		}
		s->table[table->number] = table;
		s->order[i] = table->number;
	}
	s->table_count = o->table_count;
	return OK;
}

/* A read-only opening makes no file: where there is no lock file, no program has ever had the directory open. */
static int folder_take(struct store *s, struct error *e)
{
	char path[PATH_MAX];
	int rc = disk_path(s->folder, "lock", path, sizeof(path), e);
	if (rc == OK && s->is_read_only) {
		rc = file_find(path, e);
		return rc == OK ? file_lock(path, &s->lock_fd, e) : rc == ERR_NOT_FOUND ? OK : rc;
	}
	if (rc == OK)
		rc = folder_make(s->folder, 0700, e);
	if (rc == OK)
		rc = file_lock(path, &s->lock_fd, e);
	return rc;
}

static int environment_open(struct store *s, struct error *e)
{
	/* Never NOSYNC, NOMETASYNC or WRITEMAP: each of them loses what was acknowledged, or dies on a full disk. */
	unsigned flags = MDB_NOTLS | (s->is_read_only ? MDB_RDONLY | MDB_NOLOCK : 0);
	MDB_stat stat;
	int rc = mdb_env_create(&s->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, (size_t)s->map_bytes);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, STORE_TABLES_MOST + 1);
	if (rc == 0)
		rc = mdb_env_open(s->env, s->folder, flags, 0600);
	if (rc == 0)
		rc = mdb_env_stat(s->env, &stat);
	if (rc != 0)
		return lmdb_error(s, rc, e, "open the environment");
	s->page_bytes = stat.ms_psize;
	return OK;
}

static int table_open(struct store *s, MDB_txn *txn, size_t number, const char *name, bool is_made, struct error *e)
{
	int rc = mdb_dbi_open(txn, name, is_made ? MDB_CREATE : 0, &s->dbi[number]);
	s->is_present[number] = rc == 0;
	if (rc == 0 || (rc == MDB_NOTFOUND && s->is_read_only && number != 0))
		return OK;
	lmdb_error(s, rc, e, "open a table");
	return error_wrap(e, ERR_INTERNAL, "table %s", name);
}

static int key_table_empty(struct store *s, MDB_txn *txn, uint8_t number, struct error *e)
{
	MDB_stat stat;
	int rc = mdb_stat(txn, s->dbi[number], &stat);
	if (rc == 0)
		rc = mdb_drop(txn, s->dbi[number], 0);
	if (rc != 0)
		return lmdb_error(s, rc, e, "empty a key table");
	*s->key_table_lost += stat.ms_entries;
	return OK;
}

static int content_open(struct store *s, MDB_txn *txn, struct error *e)
{
	MDB_dbi names;
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, NULL, 0, &names);
	if (rc == 0)
		rc = mdb_stat(txn, names, &stat);
	if (rc != 0)
		return lmdb_error(s, rc, e, "read the list of tables");
	/* Nothing in it: it was made, and its first opening was cut off before the commit. */
	bool is_new = stat.ms_entries == 0 && !s->is_read_only;
	rc = table_open(s, txn, 0, META_TABLE_NAME, is_new, e);
	if (rc == OK)
		rc = meta_open(s, txn, is_new, e);
	for (size_t i = 0; i < s->table_count && rc == OK; i++) {
		uint8_t number = s->order[i];
		rc = table_open(s, txn, number, s->table[number]->name, !s->is_read_only, e);
		if (rc == OK && s->key_table_lost && s->table[number]->is_key_table)
			rc = key_table_empty(s, txn, number, e);
	}
	return rc;
}

static int tables_open(struct store *s, struct error *e)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, s->is_read_only ? MDB_RDONLY : 0, &txn);
	if (rc != 0)
		return lmdb_error(s, rc, e, "begin the first transaction");
	rc = content_open(s, txn, e);
	if (rc != OK) {
		mdb_txn_abort(txn);
		return rc;
	}
	rc = mdb_txn_commit(txn); /* a read transaction too: that is what keeps the handles */
	return rc == 0 ? OK : lmdb_error(s, rc, e, "commit the new opening");
}

static int usage_open(struct store *s, struct error *e)
{
	struct store_txn *t;
	int rc = store_begin_read(s, &t, e);
	if (rc != OK)
		return rc;
	rc = usage_begin(s, t->mdb, e);
	store_abort(t);
	return rc;
}

static int open_steps(struct store *s, const struct store_options *o, struct error *e)
{
	int rc = tables_take(s, o, e);
	if (rc == OK && o->map_bytes < MAP_BYTES_LEAST && !o->is_read_only)
		rc = error_set(e, ERR_INVALID, "a map has at least %d bytes", MAP_BYTES_LEAST);
	if (rc == OK)
		rc = folder_take(s, e);
	if (rc == OK)
		rc = rekey_files_read(s, o->key_file, e);
	if (rc == OK)
		rc = disk_prepare(s->folder, s->is_read_only, &s->map_bytes, e);
	if (rc == OK)
		rc = environment_open(s, e);
	if (rc == OK)
		rc = pages_verify(s, false, e);
	if (rc == OK)
		rc = tables_open(s, e);
	if (rc == OK)
		rc = rekey_files_mend(s, e);
	if (rc == OK)
		rc = usage_open(s, e);
	return rc;
}

int store_open(const struct store_options *options, struct store **out, struct error *e)
{
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(e, ERR_MEMORY, "no memory to open %s", options->folder);
	s->lock_fd = -1;
	s->is_read_only = options->is_read_only;
	s->key_table_lost = options->is_read_only ? NULL : options->key_table_lost;
	s->map_bytes = options->map_bytes;
	memcpy(s->root_key[0], options->master_key, KEY_BYTES);
	memcpy(s->root_key[1], options->key_table_key, KEY_BYTES);
	s->key_current = &s->key_table_subkey[0];
	pthread_mutex_init(&s->lock, NULL);
	s->folder = strdup(options->folder);
	if (s->key_table_lost)
		*s->key_table_lost = 0;
	int rc = s->folder ? open_steps(s, options, e)
	                   : error_set(e, ERR_MEMORY, "no memory to open %s", options->folder);
	if (rc != OK) {
		store_close(s);
		return rc;
	}
	s->key_table_lost = NULL; /* the caller's */
	*out = s;
	return OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	txn_free_idle(s);
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_mutex_destroy(&s->lock);
	free(s->folder);
	free(s->rekey.file);
	free(s->rekey.next_file);
	crypto_wipe(s, sizeof(*s));
	free(s);
}
