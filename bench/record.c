/*
 * Preloaded into a daemon: stands before LMDB and writes down what is put and committed, while the file named by
 * LM_BENCH_RECORD.on exists. The daemon itself is the one that is installed.
 */
#include <dlfcn.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

static int (*real_begin)(MDB_env *, MDB_txn *, unsigned, MDB_txn **);
static int (*real_put)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned);
static int (*real_delete)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);
static int (*real_commit)(MDB_txn *);
static int (*real_cursor_delete)(MDB_cursor *, unsigned);
static const char *path;
static FILE *out;         /* of the writer thread, the only one that writes */
static MDB_txn *recorded; /* the write transaction under way, if it is recorded */

__attribute__((constructor)) static void begin(void)
{
	real_begin = (int (*)(MDB_env *, MDB_txn *, unsigned, MDB_txn **))dlsym(RTLD_NEXT, "mdb_txn_begin");
	real_put = (int (*)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned))dlsym(RTLD_NEXT, "mdb_put");
	real_delete = (int (*)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *))dlsym(RTLD_NEXT, "mdb_del");
	real_commit = (int (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_commit");
	real_cursor_delete = (int (*)(MDB_cursor *, unsigned))dlsym(RTLD_NEXT, "mdb_cursor_del");
	path = getenv("LM_BENCH_RECORD");
}

static bool is_wanted(void)
{
	char on[4096];
	return path && snprintf(on, sizeof on, "%s.on", path) < (int)sizeof on && access(on, F_OK) == 0;
}

static void record_write(enum record_op op, MDB_dbi table, const MDB_val *key, size_t value_size)
{
	struct record r = { .op = (uint8_t)op,
		            .table = (uint8_t)table,
		            .key_size = key ? (uint8_t)key->mv_size : 0,
		            .value_size = (uint32_t)value_size };
	fwrite(&r, sizeof r, 1, out);
	if (key)
		fwrite(key->mv_data, 1, key->mv_size, out);
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
	int rc = real_begin(env, parent, flags, txn);
	if (rc || (flags & MDB_RDONLY))
		return rc;
	bool must_record = is_wanted();
	if (must_record && !out)
		out = fopen(path, "wb");
	if (!must_record && out) {
		fclose(out);
		out = NULL;
	}
	recorded = out ? *txn : NULL;
	return rc;
}

int mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags)
{
	if (txn == recorded && out)
		record_write(flags & MDB_APPEND ? RECORD_APPEND : RECORD_PUT, dbi, key, data->mv_size);
	return real_put(txn, dbi, key, data, flags);
}

int mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
	if (txn == recorded && out)
		record_write(RECORD_DELETE, dbi, key, 0);
	return real_delete(txn, dbi, key, data);
}

int mdb_cursor_del(MDB_cursor *cursor, unsigned flags)
{
	MDB_val key, data;
	if (mdb_cursor_txn(cursor) == recorded && out && !mdb_cursor_get(cursor, &key, &data, MDB_GET_CURRENT))
		record_write(RECORD_DELETE, mdb_cursor_dbi(cursor), &key, 0);
	return real_cursor_delete(cursor, flags);
}

int mdb_txn_commit(MDB_txn *txn)
{
	if (txn == recorded && out)
		record_write(RECORD_COMMIT, 0, NULL, 0);
	if (txn == recorded)
		recorded = NULL;
	return real_commit(txn);
}
