/*
 * Rows: put, append, get, has, delete, clear, count.
 *
 * A put asks LMDB for room in the page and seals straight into it: no memory is taken and no byte is copied twice.
 */
#include <string.h>

#include "store_private.h"

static int put(struct store_txn *t, const struct store_table *table, struct bytes key, struct bytes value,
               unsigned flags)
{
	MDB_dbi dbi;
	int rc = txn_table(t, table, true, &dbi);
	if (rc != OK)
		return rc;
	struct row_name name;
	if (!row_name_make(table, key, &name))
		return store_fail(t, ERR_INTERNAL, "table %s: a key has %zu bytes", table->name, key.size);
	if (value.size > t->store->map_bytes)
		return store_fail(t, ERR_TOO_BIG, "table %s: a value of %zu bytes", table->name, value.size);
	/* A short value may be a cursor's key: it must be out of its page before LMDB moves that. */
	uint8_t small[STORE_KEY_BYTES_MOST];
	if (value.size > 0 && value.size <= sizeof(small))
		value.data = memcpy(small, value.data, value.size);

	MDB_val k = row_name_key(&name), v = { value.size + SEAL_OVERHEAD_BYTES, NULL };
	rc = mdb_put(t->mdb, dbi, &k, &v, flags | MDB_RESERVE);
	if (rc == MDB_KEYEXIST)
		return store_fail(t, ERR_INTERNAL,
		                  "table %s: a key was appended that is not greater than all before it", table->name);
	if (rc != 0)
		return txn_fail_lmdb(t, table, rc, "put");
	return value_seal(t, table, &name, value, v.mv_data);
}

int store_put(struct store_txn *t, const struct store_table *table, struct bytes key, struct bytes value)
{
	return put(t, table, key, value, 0);
}

int store_append(struct store_txn *t, const struct store_table *table, struct bytes key, struct bytes value)
{
	return put(t, table, key, value, MDB_APPEND);
}

/* OK and the sealed value, ERR_NOT_FOUND, or the sticky error. */
static int find(struct store_txn *t, const struct store_table *table, struct bytes key, struct row_name *name,
                MDB_val *v)
{
	MDB_dbi dbi;
	int rc = txn_table(t, table, false, &dbi);
	if (rc != OK)
		return rc;
	if (!row_name_make(table, key, name)) /* may come from outside: no row has it */
		return ERR_NOT_FOUND;
	MDB_val k = row_name_key(name);
	rc = mdb_get(t->mdb, dbi, &k, v);
	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	return rc == 0 ? OK : txn_fail_lmdb(t, table, rc, "get");
}

int store_get(struct store_txn *t, const struct store_table *table, struct bytes key, struct arena *arena,
              struct bytes *value)
{
	struct row_name name;
	MDB_val v;
	int rc = find(t, table, key, &name, &v);
	return rc == OK ? value_open(t, table, &name, v, arena, value) : rc;
}

bool store_has(struct store_txn *t, const struct store_table *table, struct bytes key)
{
	struct row_name name;
	MDB_val v;
	return find(t, table, key, &name, &v) == OK;
}

int store_delete(struct store_txn *t, const struct store_table *table, struct bytes key)
{
	MDB_dbi dbi;
	int rc = txn_table(t, table, true, &dbi);
	if (rc != OK)
		return rc;
	struct row_name name;
	if (!row_name_make(table, key, &name))
		return OK;
	MDB_val k = row_name_key(&name);
	rc = mdb_del(t->mdb, dbi, &k, NULL);
	return rc == 0 || rc == MDB_NOTFOUND ? OK : txn_fail_lmdb(t, table, rc, "delete");
}

int store_clear(struct store_txn *t, const struct store_table *table)
{
	MDB_dbi dbi;
	int rc = txn_table(t, table, true, &dbi);
	if (rc != OK)
		return rc;
	rc = mdb_drop(t->mdb, dbi, 0);
	return rc == 0 ? OK : txn_fail_lmdb(t, table, rc, "clear");
}

uint64_t store_count(struct store_txn *t, const struct store_table *table)
{
	MDB_dbi dbi;
	MDB_stat stat;
	if (txn_table(t, table, false, &dbi) != OK)
		return 0;
	int rc = mdb_stat(t->mdb, dbi, &stat);
	if (rc != 0) {
		txn_fail_lmdb(t, table, rc, "count");
		return 0;
	}
	return stat.ms_entries;
}
