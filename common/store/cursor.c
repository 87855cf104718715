/*
 * Cursors. LMDB keeps a cursor in place while the same transaction writes; the key of the row it stands on is kept here
 * too, so that a delete can tell whether that row is still the one meant.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

int store_cursor_open(struct store_txn *t, const struct store_table *table, struct store_cursor **out)
{
	MDB_dbi dbi;
	int rc = txn_table(t, table, false, &dbi);
	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	struct store_cursor *c = calloc(1, sizeof(*c));
	int failed = c ? 0 : ENOMEM;
	if (c && rc == OK)
		failed = mdb_cursor_open(t->mdb, dbi, &c->mdb);
	if (failed) {
		free(c);
		return txn_fail_lmdb(t, table, failed, "open a cursor");
	}
	c->txn = t;
	c->table = table;
	*out = c;
	return OK;
}

void store_cursor_close(struct store_cursor *c)
{
	if (!c)
		return;
	if (c->mdb)
		mdb_cursor_close(c->mdb);
	free(c);
}

/* Flipped bits in the tree can lead a cursor round in circles, over rows that are whole each. */
static bool is_in_order(const struct store_cursor *c, MDB_cursor_op op, struct bytes found)
{
	MDB_val at = row_name_key(&c->at);
	if (!c->at.size || (op != MDB_NEXT && op != MDB_PREV))
		return true;
	int order = bytes_compare(found, BYTES(at.mv_data, at.mv_size));
	return op == MDB_NEXT ? order > 0 : order < 0;
}

static int move(struct store_cursor *c, MDB_cursor_op op, MDB_val k, struct arena *arena, struct bytes *key,
                struct bytes *value)
{
	struct store_txn *t = c->txn;
	MDB_val v;
	if (t->failure.code != OK)
		return t->failure.code;
	c->is_on_row = false;
	c->is_behind_row = false;
	int rc = c->mdb && !c->is_lost ? mdb_cursor_get(c->mdb, &k, &v, op) : MDB_NOTFOUND;
	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	if (rc != 0)
		return txn_fail_lmdb(t, c->table, rc, "move a cursor");
	struct bytes found = BYTES(k.mv_data, k.mv_size);
	if (!is_in_order(c, op, found)) {
		c->is_lost = true;
		return store_fail(t, ERR_DAMAGED, "table %s: its rows are not in their order", c->table->name);
	}
	if (!row_name_make(c->table, found, &c->at))
		return store_fail(t, ERR_DAMAGED, "table %s: a row has a key of %zu bytes", c->table->name, found.size);
	if (value) {
		rc = value_open(t, c->table, &c->at, v, arena, value);
		if (rc != OK)
			return rc;
	}
	c->is_on_row = true;
	if (key)
		*key = found;
	return OK;
}

int store_cursor_seek(struct store_cursor *c, struct bytes at_least, struct arena *arena, struct bytes *key,
                      struct bytes *value)
{
	if (at_least.size == 0)
		return store_cursor_first(c, arena, key, value);
	MDB_val k = { at_least.size, (void *)at_least.data };
	return move(c, MDB_SET_RANGE, k, arena, key, value);
}

int store_cursor_first(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value)
{
	return move(c, MDB_FIRST, (MDB_val){ 0, NULL }, arena, key, value);
}

int store_cursor_last(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value)
{
	return move(c, MDB_LAST, (MDB_val){ 0, NULL }, arena, key, value);
}

int store_cursor_next(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value)
{
	if (c->is_behind_row)
		return move(c, MDB_SET_RANGE, row_name_key(&c->at), arena, key, value);
	return move(c, MDB_NEXT, (MDB_val){ 0, NULL }, arena, key, value);
}

int store_cursor_prev(struct store_cursor *c, struct arena *arena, struct bytes *key, struct bytes *value)
{
	return move(c, MDB_PREV, (MDB_val){ 0, NULL }, arena, key, value);
}

int store_cursor_delete(struct store_cursor *c)
{
	struct store_txn *t = c->txn;
	MDB_dbi dbi;
	int rc = txn_table(t, c->table, true, &dbi);
	if (rc != OK)
		return rc;
	if (!c->is_on_row)
		return store_fail(t, ERR_INTERNAL, "table %s: a cursor that stands on no row cannot delete",
		                  c->table->name);
	c->is_on_row = false;
	/* When the row was deleted by its key, LMDB's cursor stands on the row behind it; asking where it stands makes
	 * LMDB forget that it has not been shown yet. */
	MDB_val k, v, meant = row_name_key(&c->at);
	rc = mdb_cursor_get(c->mdb, &k, &v, MDB_GET_CURRENT);
	c->is_behind_row =
	        rc == MDB_NOTFOUND || rc == EINVAL ||
	        (rc == 0 && (k.mv_size != meant.mv_size || memcmp(k.mv_data, meant.mv_data, k.mv_size) != 0));
	if (c->is_behind_row)
		return OK;
	if (rc == 0)
		rc = mdb_cursor_del(c->mdb, 0);
	return rc == 0 ? OK : txn_fail_lmdb(t, c->table, rc, "delete at a cursor");
}
