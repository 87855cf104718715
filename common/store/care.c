/*
 * Care: how full the map is, verifying, digests, copies.
 *
 * Pages in use are the sum of what every table says it has, not the file's end less the free list: the sum costs the
 * same whatever the state of the free list (a few microseconds), so it can be asked for after each commit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_private.h"

#define LMDB_FREE_DBI 0 /* LMDB's own two tables, by number as in its mdb_stat tool */
#define LMDB_MAIN_DBI 1

/* ---- does the disk take writes? ---- */

int store_probe(struct store_txn *t)
{
	struct error e;
	int rc = t->failure.code;
	if (rc == OK)
		rc = meta_probe(t->store, t->mdb, &e);
	return rc == OK || t->failure.code ? rc : store_fail(t, rc, "%s", e.text);
}

/* ---- usage ---- */

static int pages_add(MDB_txn *txn, MDB_dbi dbi, uint64_t *pages)
{
	MDB_stat stat;
	int rc = mdb_stat(txn, dbi, &stat);
	if (rc == 0)
		*pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
	return rc;
}

static int pages_named(struct store *s, MDB_txn *txn, uint64_t *out)
{
	uint64_t pages = LMDB_META_PAGES;
	int rc = pages_add(txn, LMDB_FREE_DBI, &pages);
	if (rc == 0)
		rc = pages_add(txn, LMDB_MAIN_DBI, &pages);
	for (size_t number = 0; number < TABLE_NUMBERS && rc == 0; number++) {
		if (s->is_present[number])
			rc = pages_add(txn, s->dbi[number], &pages);
	}
	if (rc == 0)
		*out = pages;
	return rc;
}

/* Pages of the file, the highest first, none that `seen` knows already; the first of the numbers says how many. */
static bool is_free_row(MDB_val row, struct page_set *seen, size_t *count)
{
	size_t before = SIZE_MAX, page;
	if (row.mv_size < sizeof *count)
		return false;
	memcpy(count, row.mv_data, sizeof *count);
	if (*count > row.mv_size / sizeof *count - 1)
		return false;
	for (size_t i = 1; i <= *count; i++, before = page) {
		memcpy(&page, (const uint8_t *)row.mv_data + i * sizeof page, sizeof page);
		if (page >= before || !page_set_add(seen, page))
			return false;
	}
	return true;
}

int pages_free(const struct store *s, MDB_txn *txn, struct page_set *seen, uint64_t *out, struct error *e)
{
	MDB_cursor *c;
	MDB_val k, v;
	uint64_t pages = 0;
	size_t count;
	int rc = mdb_cursor_open(txn, LMDB_FREE_DBI, &c);
	if (rc != 0)
		return lmdb_error(s, rc, e, "read the free list");
	while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
		if (!is_free_row(v, seen, &count))
			break;
		pages += count;
	}
	mdb_cursor_close(c);
	if (rc == 0)
		return error_set(e, ERR_DAMAGED, "the free list in %s is damaged", s->folder);
	*out = pages;
	return rc == MDB_NOTFOUND ? OK : lmdb_error(s, rc, e, "read the free list");
}

static int free_count(const struct store *s, MDB_txn *txn, uint64_t last_page, uint64_t *out, struct error *e)
{
	struct page_set seen = { .bit = calloc(1, last_page / 8 + 1), .last = last_page };
	if (!seen.bit)
		return error_set(e, ERR_MEMORY, "no memory to look at the free list in %s", s->folder);
	int rc = pages_free(s, txn, &seen, out, e);
	free(seen.bit);
	return rc;
}

int usage_begin(struct store *s, MDB_txn *txn, struct error *e)
{
	MDB_envinfo info;
	uint64_t free_pages = 0, named = 0;
	int rc = mdb_env_info(s->env, &info);
	if (rc == 0)
		rc = pages_named(s, txn, &named);
	if (rc != 0)
		return lmdb_error(s, rc, e, "count the pages in use");
	if (info.me_last_pgno >= s->map_bytes / s->page_bytes)
		return error_set(e, ERR_DAMAGED, "the number of the last page in %s is damaged", s->folder);
	rc = free_count(s, txn, info.me_last_pgno, &free_pages, e);
	if (rc != OK)
		return rc;
	uint64_t all = (uint64_t)info.me_last_pgno + 1;
	if (named > all - free_pages)
		return error_set(e, ERR_DAMAGED, "a table in %s that counts more pages than are in use is damaged",
		                 s->folder);
	s->other_pages = all - free_pages - named;
	s->used_bytes_last = (named + s->other_pages) * s->page_bytes;
	return OK;
}

static void usage_say(const struct store *s, uint64_t used, struct store_usage *out)
{
	uint64_t percent_bytes = s->map_bytes / 100 ? s->map_bytes / 100 : 1;
	*out = (struct store_usage){ .map_bytes = s->map_bytes,
		                     .used_bytes = used,
		                     .percent = (unsigned)((used + percent_bytes - 1) / percent_bytes) };
}

void store_usage_within(struct store_txn *t, const struct store_table *const *reserve, size_t count,
                        struct store_usage *out)
{
	struct store *s = t->store;
	uint64_t pages = 0;
	bool is_known = !t->failure.code && pages_named(s, t->mdb, &pages) == 0;
	pages += s->other_pages;
	for (size_t i = 0; i < count && is_known; i++) {
		MDB_dbi dbi;
		if (txn_table(t, reserve[i], false, &dbi) == OK)
			is_known = pages_add(t->mdb, dbi, &pages) == 0;
	}
	usage_say(s, is_known ? pages * s->page_bytes : s->used_bytes_last, out);
}

void store_usage_read(struct store *s, struct store_usage *out)
{
	struct store_txn *t;
	uint64_t pages = 0;
	bool is_known = false;
	if (store_begin_read(s, &t, NULL) == OK) {
		is_known = pages_named(s, t->mdb, &pages) == 0;
		store_abort(t);
	}
	/* Without a place among the readers the last answer stands: a moment old. */
	pthread_mutex_lock(&s->lock);
	if (is_known)
		s->used_bytes_last = (pages + s->other_pages) * s->page_bytes;
	uint64_t used = s->used_bytes_last;
	pthread_mutex_unlock(&s->lock);
	usage_say(s, used, out);
}

/* ---- digests ---- */

/* digest = SHA-256(digest so far ‖ key length (4) ‖ value length (8) ‖ key ‖ value), row by row, from 32 zeros. */
static int digest_row(struct hash *so_far, struct bytes key, struct bytes value, struct error *e)
{
	uint8_t lengths[12];
	struct writer w = writer_over(lengths, sizeof(lengths));
	write_u32(&w, (uint32_t)key.size);
	write_u64(&w, value.size);
	struct bytes parts[4] = { BYTES(so_far->byte, HASH_BYTES), BYTES(lengths, sizeof(lengths)), key, value };
	return crypto_hash(STORE_SUITE, parts, 4, so_far, e);
}

static int digest_rows(struct store_cursor *c, struct arena *arena, struct store_table_digest *d)
{
	struct store_txn *t = c->txn;
	struct bytes key, value;
	struct row_name before = { .size = 0 };
	int rc;
	while ((rc = store_cursor_next(c, arena, &key, &value)) == OK) {
		/* A page shown twice or out of its place verifies row by row; the order gives it away. */
		if (before.size > 0 && bytes_compare(key, BYTES(before.byte + 1, before.size - 1)) <= 0)
			return store_fail(t, ERR_DAMAGED, "table %s: keys are out of order", c->table->name);
		/* A damaged signpost between pages leaves the walk whole, yet a search goes astray. */
		if (!store_has(t, c->table, key))
			return store_fail(t, ERR_DAMAGED, "table %s: a row is there that a search does not find",
			                  c->table->name);
		before = c->at;
		rc = digest_row(&d->hash, key, value, &t->failure);
		if (rc != OK)
			return rc;
		d->rows++;
		arena_reset(arena);
	}
	if (rc != ERR_NOT_FOUND)
		return rc;
	if (d->rows != store_count(t, c->table))
		return store_fail(t, ERR_DAMAGED, "table %s: %llu rows were found and %llu should be there",
		                  c->table->name, (unsigned long long)d->rows,
		                  (unsigned long long)store_count(t, c->table));
	return OK;
}

int store_digest(struct store_txn *t, const struct store_table *table, struct store_table_digest *out, struct error *e)
{
	struct store_cursor *c = NULL;
	struct store_table_digest d = { .table = table };
	struct arena arena;
	arena_init(&arena, 0);
	if (store_cursor_open(t, table, &c) == OK)
		digest_rows(c, &arena, &d);
	store_cursor_close(c);
	arena_release(&arena);
	int rc = store_failure(t, e);
	if (rc == OK)
		*out = d;
	return rc;
}

int store_verify(struct store *s, void (*on_table)(void *context, const struct store_table_digest *digest),
                 void *context, struct error *e)
{
	struct store_txn *t;
	int rc = pages_verify(s, true, e);
	if (rc == OK)
		rc = store_begin_read(s, &t, e);
	if (rc != OK)
		return rc;
	rc = meta_verify(s, t->mdb, e);
	for (size_t i = 0; i < s->table_count && rc == OK; i++) {
		struct store_table_digest digest;
		rc = store_digest(t, s->table[s->order[i]], &digest, e);
		if (rc == OK && on_table)
			on_table(context, &digest);
	}
	store_abort(t);
	return rc;
}

/* ---- copies ---- */

static int copy_to(struct store *s, int fd, const char *path, struct error *e)
{
	int rc = mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT);
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	if (rc == 0)
		return OK;
	return rc > 0 ? error_set_errno(e, rc, "cannot copy %s to %s", s->folder, path) : lmdb_error(s, rc, e, "copy");
}

int store_copy(struct store *s, const char *path, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return error_set(e, ERR_EXISTS, "%s exists already: a copy never replaces another", path);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot make %s", path);
	int rc = copy_to(s, fd, path, e);
	if (close(fd) != 0 && rc == OK)
		rc = error_set_errno(e, errno, "cannot close %s", path);
	if (rc == OK)
		rc = disk_sync_folder_of(path, e);
	if (rc != OK)
		unlink(path);
	return rc;
}
