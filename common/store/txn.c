/*
 * Transactions: the first failure sticks, and nothing is written after it.
 *
 * Ended read transactions are kept (mdb_txn_reset) and renewed: a renewed one takes no memory and keeps its place in
 * LMDB's table of readers.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store_private.h"

static int code_of(int rc)
{
	switch (rc) {
	case MDB_MAP_FULL:
	case ENOSPC:
		return ERR_FULL;
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_NOTFOUND: /* where a row must be */
		return ERR_DAMAGED;
	case MDB_READERS_FULL:
		return ERR_TOO_MANY;
	case MDB_TXN_FULL:
		return ERR_TOO_BIG;
	case MDB_PANIC:
		return ERR_IO;
	case ENOMEM:
		return ERR_MEMORY;
	default:
		return rc > 0 ? ERR_IO : ERR_INTERNAL;
	}
}

int lmdb_error(const struct store *s, int rc, struct error *e, const char *doing)
{
	if (rc == MDB_MAP_FULL)
		return error_set(e, ERR_FULL, "cannot %s: the map of %s is full (%llu bytes)", doing, s->folder,
		                 (unsigned long long)s->map_bytes);
	return error_set(e, code_of(rc), "cannot %s in %s: %s", doing, s->folder, mdb_strerror(rc));
}

int txn_fail_lmdb(struct store_txn *t, const struct store_table *table, int rc, const char *doing)
{
	lmdb_error(t->store, rc, &t->failure, doing);
	return error_wrap(&t->failure, t->failure.code, "table %s", table->name);
}

int txn_table(struct store_txn *t, const struct store_table *table, bool is_for_write, MDB_dbi *out)
{
	if (t->failure.code != OK)
		return t->failure.code;
	if (table->number == 0 || table->number >= TABLE_NUMBERS || !t->store->table[table->number])
		return store_fail(t, ERR_INTERNAL, "table %s was not named when the store was opened", table->name);
	if (is_for_write && !t->is_write)
		return store_fail(t, ERR_INTERNAL, "table %s: a read transaction cannot write", table->name);
	if (!t->store->is_present[table->number])
		return ERR_NOT_FOUND;
	*out = t->store->dbi[table->number];
	return OK;
}

/* ---- begin ---- */

int store_begin_write(struct store *s, struct store_txn **out, struct error *e)
{
	if (s->is_read_only)
		return error_set(e, ERR_INTERNAL, "%s is open for reading only", s->folder);
	if (s->is_broken)
		return error_set(e, ERR_IO, "a commit to %s has failed: end this program and verify the directory",
		                 s->folder);
	/* LMDB would wait for itself for ever. */
	if (atomic_exchange(&s->has_writer, true))
		return error_set(e, ERR_BUSY, "a write transaction on %s is open already", s->folder);
	struct store_txn *t = calloc(1, sizeof(*t));
	int rc = t ? mdb_txn_begin(s->env, NULL, 0, &t->mdb) : ENOMEM;
	if (rc != 0) {
		free(t);
		s->has_writer = false;
		return lmdb_error(s, rc, e, "begin to write");
	}
	t->store = s;
	t->is_write = true;
	*out = t;
	return OK;
}

/* Before the snapshot is taken: whoever may see a row under the old key of the key table is counted as one of those. */
static uint32_t reader_enter(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	uint32_t epoch = s->epoch;
	s->reader[epoch & 1]++;
	pthread_mutex_unlock(&s->lock);
	return epoch;
}

static void reader_leave(struct store *s, uint32_t epoch)
{
	pthread_mutex_lock(&s->lock);
	s->reader[epoch & 1]--;
	pthread_mutex_unlock(&s->lock);
}

static struct store_txn *take_idle(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	struct store_txn *t = s->idle;
	if (t) {
		s->idle = t->next_idle;
		s->idle_count--;
	}
	pthread_mutex_unlock(&s->lock);
	return t;
}

static bool give_idle(struct store *s, struct store_txn *t)
{
	pthread_mutex_lock(&s->lock);
	bool is_kept = s->idle_count < IDLE_READERS_MOST;
	if (is_kept) {
		t->next_idle = s->idle;
		s->idle = t;
		s->idle_count++;
	}
	pthread_mutex_unlock(&s->lock);
	return is_kept;
}

void txn_free_idle(struct store *s)
{
	for (struct store_txn *t; (t = take_idle(s));) {
		mdb_txn_abort(t->mdb);
		free(t);
	}
}

int store_begin_read(struct store *s, struct store_txn **out, struct error *e)
{
	uint32_t epoch = reader_enter(s);
	struct store_txn *t = take_idle(s);
	int rc;
	if (t) {
		rc = mdb_txn_renew(t->mdb);
	} else {
		t = calloc(1, sizeof(*t));
		rc = t ? mdb_txn_begin(s->env, NULL, MDB_RDONLY, &t->mdb) : ENOMEM;
	}
	if (rc != 0) {
		if (t)
			mdb_txn_abort(t->mdb);
		free(t);
		reader_leave(s, epoch);
		return lmdb_error(s, rc, e, "begin to read");
	}
	t->store = s;
	t->epoch = epoch;
	t->failure.code = OK;
	*out = t;
	return OK;
}

/* ---- end ---- */

void store_abort(struct store_txn *t)
{
	if (!t)
		return;
	struct store *s = t->store;
	if (t->is_write) {
		mdb_txn_abort(t->mdb);
		free(t);
		s->has_writer = false;
		return;
	}
	mdb_txn_reset(t->mdb);
	reader_leave(s, t->epoch);
	if (give_idle(s, t))
		return;
	mdb_txn_abort(t->mdb);
	free(t);
}

/* LMDB has ended the transaction. After an I/O error nobody knows what the disk holds: only a fresh start may look. */
static int commit_failed(struct store *s, int rc, struct error *e)
{
	if (rc == MDB_PANIC || (rc > 0 && rc != ENOMEM)) {
		s->is_broken = true;
		return error_set(e, ERR_IO, "the commit to %s failed (%s): end this program and verify the directory",
		                 s->folder, mdb_strerror(rc));
	}
	return lmdb_error(s, rc, e, "commit");
}

int store_commit(struct store_txn *t, struct error *e)
{
	int rc = store_failure(t, e);
	if (rc != OK || !t->is_write) {
		store_abort(t);
		return rc;
	}
	struct store *s = t->store;
	int failed = mdb_txn_commit(t->mdb);
	free(t);
	rc = failed ? commit_failed(s, failed, e) : OK;
	s->has_writer = false;
	return rc;
}

bool store_is_broken(const struct store *s)
{
	return s->is_broken;
}

int store_failure(const struct store_txn *t, struct error *e)
{
	if (t->failure.code == OK)
		return OK;
	return error_set(e, t->failure.code, "%s", t->failure.text);
}

bool store_pass_over(struct store_txn *t, struct error *e)
{
	if (t->is_write || t->failure.code != ERR_DAMAGED)
		return false;
	if (e)
		*e = t->failure;
	t->failure = (struct error){ .code = OK };
	return true;
}

int store_fail(struct store_txn *t, int code, const char *format, ...)
{
	if (t->failure.code != OK)
		return t->failure.code;
	char text[ERROR_TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return error_set(&t->failure, code, "%s", text);
}
