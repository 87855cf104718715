/*
 * Another key for the key tables. LMDB leaves what was deleted in pages that are free: only a key that is gone makes
 * sure that nobody opens it. Rows name the opening that sealed them, so two keys can stand side by side while the rows
 * move:
 *
 *   step      the meta table says                keytable.key   keytable.key.next
 *   –         check of the old key, due          old            –
 *   begin     check of the old, next from N      old            new          a new opening, N, is the first under the
 * new rows      the same                           old            new          rows of openings before N are sealed
 * anew end       check of the new                   old            new          no row is left under the old key files
 * the same                           new            –            old overwritten where it stood readers   the same new
 * –            the old key leaves the memory, too
 *
 * Each line is one commit, or one write and sync of a file, and a store opens at each: a key file belongs to whose
 * check the meta table holds. A crash before `begin` leaves a second file that nothing was sealed under: it is
 * destroyed.
 */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "store_private.h"

#define STEP_ROWS_MOST 4096
#define STEP_BYTES_MOST (1024u * 1024)

/* ---- opening ---- */

static int key_read(const char *path, uint8_t key[KEY_BYTES], bool *has, struct error *e)
{
	int rc = secret_file_read(path, key, e);
	*has = rc == OK;
	return rc == ERR_NOT_FOUND || rc == ERR_DAMAGED ? OK : rc; /* torn: the other one is whole */
}

int rekey_files_read(struct store *s, const char *file, struct error *e)
{
	struct rekey *k = &s->rekey;
	struct error missing = { 0 };
	bool was_made;
	if (!file)
		return OK;
	k->file = strdup(file);
	if (!k->file || asprintf(&k->next_file, "%s.next", file) < 0) {
		k->next_file = NULL;
		return error_set(e, ERR_MEMORY, "no memory to open %s", file);
	}
	int rc = key_read(k->next_file, k->next_key, &k->has_next, e);
	if (rc != OK)
		return rc;
	rc = key_read(k->file, s->root_key[1], &k->has_key, &missing);
	if (rc != OK)
		return error_set(e, rc, "%s", missing.text);
	if (k->has_key || k->has_next)
		return OK;
	/* Without a second file a damaged one is what it says, and a missing one is made. */
	if (s->is_read_only)
		return error_set(e, missing.code, "%s", missing.text);
	rc = file_find(file, e);
	if (rc != ERR_NOT_FOUND)
		return rc == OK ? error_set(e, missing.code, "%s", missing.text) : rc;
	rc = secret_file_open(file, s->root_key[1], &was_made, e);
	k->has_key = rc == OK;
	return rc;
}

static int key_fits(const uint8_t key[KEY_BYTES], const uint8_t check[HASH_BYTES], bool *fits, struct error *e)
{
	struct hash wanted;
	int rc = key_check_make(key, &wanted, e);
	*fits = rc == OK && crypto_equal(check, wanted.byte, HASH_BYTES);
	return rc;
}

static int unfit(const struct store *s, struct error *e)
{
	return error_set(e, ERR_DAMAGED,
	                 "the key table in %s is not sealed under this key: its key file does not belong to this "
	                 "directory (or the check row is damaged)",
	                 s->folder);
}

/* Rows are being sealed anew: both keys are needed. */
static int running_resolve(struct store *s, const uint8_t body[META_BODY_BYTES_MOST], struct error *e)
{
	struct rekey *k = &s->rekey;
	struct reader r = reader_over(BYTES(body, 4));
	bool fits = false;
	int rc = k->has_next ? key_fits(k->next_key, body + 4, &fits, e) : OK;
	if (rc != OK || !fits)
		return rc != OK ? rc : unfit(s, e);
	k->from = read_u32(&r);
	memcpy(k->old_key, s->root_key[1], KEY_BYTES);
	memcpy(s->root_key[1], k->next_key, KEY_BYTES);
	k->stage = REKEY_RUNNING;
	return OK;
}

int rekey_resolve(struct store *s, MDB_txn *txn, struct error *e)
{
	struct rekey *k = &s->rekey;
	struct hash check;
	uint8_t body[META_BODY_BYTES_MOST];
	int rc = key_check_read(s, txn, &check, e);
	if (rc != OK)
		return rc;
	k->may_be_due = true; /* the first step looks */
	bool fits = false;
	if (k->has_next)
		rc = key_fits(k->next_key, check.byte, &fits, e);
	if (rc == OK && fits) {
		memcpy(s->root_key[1], k->next_key, KEY_BYTES);
		k->stage = REKEY_FILES;
		return OK;
	}
	bool has_key = !k->file || k->has_key;
	if (rc == OK && has_key)
		rc = key_fits(s->root_key[1], check.byte, &fits, e);
	if (rc != OK || !has_key || !fits)
		return rc != OK ? rc : unfit(s, e);
	rc = meta_row_get(s, txn, KEY_NEXT_ROW, body, sizeof(body), e);
	if (rc == ERR_NOT_FOUND)
		return OK;
	return rc == OK ? running_resolve(s, body, e) : rc;
}

/* The key that is in use into the first file, over whatever stood there; then the second goes. */
static int files_end(struct store *s, struct error *e)
{
	int rc = secret_file_overwrite(s->rekey.file, s->root_key[1], e);
	return rc == OK ? file_destroy(s->rekey.next_file, e) : rc;
}

int rekey_files_mend(struct store *s, struct error *e)
{
	struct rekey *k = &s->rekey;
	crypto_wipe(k->next_key, sizeof(k->next_key));
	if (!k->file || s->is_read_only || k->stage == REKEY_RUNNING)
		return OK;
	int rc = k->stage == REKEY_FILES ? files_end(s, e) : file_destroy(k->next_file, e);
	if (rc == OK)
		k->stage = REKEY_NONE;
	return rc;
}

/* ---- steps ---- */

int store_rekey_request(struct store_txn *t)
{
	if (t->failure.code != OK)
		return t->failure.code;
	if (!t->is_write)
		return store_fail(t, ERR_INTERNAL, "a read transaction cannot ask for another key");
	t->store->rekey.may_be_due = true;
	return meta_row_put(t->store, t->mdb, KEY_DUE_ROW, BYTES("", 0), &t->failure);
}

static int begin_write(struct store_txn *t, const uint8_t next[KEY_BYTES], struct subkey *subkey)
{
	struct store *s = t->store;
	uint8_t body[META_BODY_BYTES_MOST];
	struct writer w = writer_over(body, sizeof(body));
	struct hash check;
	struct error *e = &t->failure;
	int rc = meta_opening_add(s, t->mdb, next, subkey, e);
	if (rc == OK)
		rc = key_check_make(next, &check, e);
	write_u32(&w, subkey->opening);
	write_bytes(&w, BYTES_OF(check.byte));
	if (rc == OK)
		rc = meta_row_put(s, t->mdb, KEY_NEXT_ROW, BYTES_OF(body), e);
	if (rc == OK)
		rc = meta_row_remove(s, t->mdb, KEY_DUE_ROW, e);
	return rc;
}

/* The second file first: nothing may be sealed under a key that a power cut can take away. */
static int begin_with(struct store_txn *t, uint8_t next[KEY_BYTES], struct error *e)
{
	struct store *s = t->store;
	struct rekey *k = &s->rekey;
	struct subkey *spare = &s->key_table_subkey[subkey_now(s, true) == s->key_table_subkey];
	int rc = crypto_random(next, KEY_BYTES, e);
	if (rc == OK)
		rc = secret_file_overwrite(k->next_file, next, e);
	if (rc != OK) {
		store_abort(t);
		return rc;
	}
	begin_write(t, next, spare);
	rc = store_commit(t, e);
	if (rc != OK)
		return rc;
	pthread_mutex_lock(&s->lock);
	memcpy(k->old_key, s->root_key[1], KEY_BYTES);
	memcpy(s->root_key[1], next, KEY_BYTES);
	k->from = spare->opening;
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->key_current, spare);
	k->stage = REKEY_RUNNING;
	k->may_be_due = false;
	k->table = 0;
	k->at.size = 0;
	return OK;
}

static int begin(struct store *s, bool *is_done, struct error *e)
{
	struct store_txn *t;
	uint8_t next[KEY_BYTES];
	if (!s->rekey.may_be_due) {
		*is_done = true;
		return OK;
	}
	int rc = store_begin_write(s, &t, e);
	if (rc != OK)
		return rc;
	rc = meta_row_get(s, t->mdb, KEY_DUE_ROW, NULL, 0, e);
	if (rc != OK) {
		store_abort(t);
		s->rekey.may_be_due = rc != ERR_NOT_FOUND;
		*is_done = rc == ERR_NOT_FOUND;
		return *is_done ? OK : rc;
	}
	if (!s->rekey.file) {
		store_abort(t);
		return error_set(e, ERR_INTERNAL, "the key of the key table in %s lies in no file", s->folder);
	}
	rc = begin_with(t, next, e);
	crypto_wipe(next, sizeof(next));
	return rc;
}

struct walk {
	struct store_txn *txn;
	struct arena arena;
	size_t rows, bytes, table;
	struct row_name at;
};

/* A row that does not verify stays as it is: it is found damaged whenever it is read, and stands in no other's way. */
static int row_reseal(struct walk *w, MDB_cursor *c, const struct store_table *table, MDB_val v)
{
	struct store_txn *t = w->txn;
	struct reader r = reader_over(BYTES(v.mv_data, v.mv_size));
	struct bytes plain;
	arena_reset(&w->arena);
	if (v.mv_size >= SEAL_OVERHEAD_BYTES && read_u32(&r) >= t->store->rekey.from)
		return OK;
	int rc = value_open(t, table, &w->at, v, &w->arena, &plain);
	if (rc == ERR_DAMAGED) {
		t->failure = (struct error){ .code = OK };
		return OK;
	}
	uint8_t *sealed = rc == OK ? arena_alloc(&w->arena, v.mv_size) : NULL;
	if (rc == OK && !sealed)
		return store_fail(t, ERR_MEMORY, "no memory to seal a row of %zu bytes anew", v.mv_size);
	if (rc == OK)
		rc = value_seal(t, table, &w->at, plain, sealed);
	if (rc != OK)
		return rc;
	MDB_val key = row_name_key(&w->at), value = { v.mv_size, sealed };
	w->bytes += v.mv_size;
	int failed = mdb_cursor_put(c, &key, &value, MDB_CURRENT);
	return failed ? txn_fail_lmdb(t, table, failed, "seal a row anew") : OK;
}

static bool walk_is_long(const struct walk *w)
{
	return w->rows >= STEP_ROWS_MOST || w->bytes >= STEP_BYTES_MOST;
}

/* Rows of one table behind the place that was reached. ERR_NOT_FOUND at its end. */
static int table_walk(struct walk *w, const struct store_table *table)
{
	MDB_cursor *c;
	MDB_dbi dbi;
	MDB_val k = row_name_key(&w->at), v;
	int rc = txn_table(w->txn, table, true, &dbi);
	if (rc != OK)
		return rc;
	int failed = mdb_cursor_open(w->txn->mdb, dbi, &c);
	if (failed)
		return txn_fail_lmdb(w->txn, table, failed, "read");
	bool has_place = w->at.size != 0;
	failed = mdb_cursor_get(c, &k, &v, has_place ? MDB_SET_RANGE : MDB_FIRST);
	if (!failed && has_place && bytes_equal(BYTES(k.mv_data, k.mv_size), BYTES(w->at.byte + 1, w->at.size - 1)))
		failed = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	while (rc == OK && !failed && !walk_is_long(w)) {
		if (!row_name_make(table, BYTES(k.mv_data, k.mv_size), &w->at))
			rc = store_fail(w->txn, ERR_DAMAGED, "table %s: a key of %zu bytes", table->name, k.mv_size);
		else
			rc = row_reseal(w, c, table, v);
		w->rows++;
		if (rc == OK)
			failed = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(c);
	if (rc == OK && failed)
		rc = failed == MDB_NOTFOUND ? ERR_NOT_FOUND : txn_fail_lmdb(w->txn, table, failed, "read");
	return rc;
}

/* True: every row of every key table has been passed. */
static bool tables_walk(struct walk *w)
{
	struct store *s = w->txn->store;
	for (; w->table < s->table_count; w->table++, w->at.size = 0) {
		const struct store_table *table = s->table[s->order[w->table]];
		int rc = table->is_key_table ? table_walk(w, table) : ERR_NOT_FOUND;
		if (rc != ERR_NOT_FOUND)
			return false;
	}
	return true;
}

static int rows_step(struct store *s, struct error *e)
{
	struct rekey *k = &s->rekey;
	struct walk w = { .table = k->table, .at = k->at };
	int rc = store_begin_write(s, &w.txn, e);
	if (rc != OK)
		return rc;
	arena_init(&w.arena, 0);
	bool is_end = tables_walk(&w);
	arena_release(&w.arena);
	if (is_end && key_check_write(s, w.txn->mdb, s->root_key[1], &w.txn->failure) == OK)
		meta_row_remove(s, w.txn->mdb, KEY_NEXT_ROW, &w.txn->failure);
	rc = store_commit(w.txn, e);
	if (rc != OK)
		return rc;
	k->table = w.table;
	k->at = w.at;
	if (!is_end)
		return OK;
	k->stage = REKEY_FILES;
	pthread_mutex_lock(&s->lock);
	s->epoch++;
	pthread_mutex_unlock(&s->lock);
	return OK;
}

static void old_key_forget(struct store *s)
{
	struct rekey *k = &s->rekey;
	pthread_mutex_lock(&s->lock);
	if (s->reader[(s->epoch - 1) & 1] == 0) {
		crypto_wipe(k->old_key, sizeof(k->old_key));
		for (size_t i = 0; i < SUBKEY_SLOTS; i++)
			if (s->earlier[1][i].opening < k->from)
				crypto_wipe(&s->earlier[1][i], sizeof(struct subkey));
		crypto_wipe(&s->key_table_subkey[subkey_now(s, true) == s->key_table_subkey], sizeof(struct subkey));
		k->stage = REKEY_NONE;
	}
	pthread_mutex_unlock(&s->lock);
}

int store_rekey_step(struct store *s, bool *is_done, struct error *e)
{
	int rc = OK;
	*is_done = false;
	switch (s->rekey.stage) {
	case REKEY_NONE:
		return begin(s, is_done, e);
	case REKEY_RUNNING:
		return rows_step(s, e);
	case REKEY_FILES:
		rc = files_end(s, e);
		if (rc == OK)
			s->rekey.stage = REKEY_READERS;
		return rc;
	case REKEY_READERS:
		old_key_forget(s);
		return OK;
	}
	return rc;
}
