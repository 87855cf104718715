/* The store: made, opened, written, read, verified, copied; its key tables get another key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/faults.h"
#include "store/store.h"
#include "sweep.h"

#define MAP_BYTES (512 * 1024)
#define ROWS 40
#define LONG_BYTES 6000 /* takes pages of its own */

static const struct store_table cases = { .name = "cases", .number = 1 };
static const struct store_table people = { .name = "people", .number = 2, .is_projection = true };
static const struct store_table envelopes = { .name = "envelopes", .number = 3, .is_key_table = true };
static const struct store_table *const tables[] = { &cases, &people, &envelopes };

struct tested {
	struct store *store;
	bool has_key_file;
};

static int open_at(const struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	char key_file[256];
	struct store_options options = {
		.folder = s->folder, .map_bytes = MAP_BYTES, .tables = tables, .table_count = 3
	};
	path_in(s, "keytable.key", key_file);
	options.key_file = own->has_key_file ? key_file : NULL;
	memset(options.master_key, 0x11, KEY_BYTES);
	memset(options.key_table_key, 0x22, KEY_BYTES);
	return store_open(&options, &own->store, e);
}

static struct bytes row_key(uint32_t n, uint8_t key[4])
{
	struct writer w = writer_over(key, 4);
	write_u32(&w, n);
	return BYTES(key, 4);
}

static void rows_put(struct store_txn *t, uint32_t from, uint32_t count)
{
	static const uint8_t large[LONG_BYTES] = { 7 };
	uint8_t key[4];
	for (uint32_t n = from; n < from + count; n++) {
		store_append(t, &cases, row_key(n, key), bytes_from_text("a case"));
		store_put(t, &people, row_key(n, key),
		          n % 10 ? bytes_from_text("somebody") : BYTES(large, sizeof large));
		store_put(t, &envelopes, row_key(n, key), bytes_from_text("a key"));
	}
}

static uint64_t rows_found(struct store *s, struct error *e)
{
	struct store_txn *t;
	uint64_t count;
	if (store_begin_read(s, &t, e))
		return UINT64_MAX;
	count = store_count(t, &cases);
	if (store_count(t, &people) != count || store_count(t, &envelopes) != count)
		count = UINT64_MAX; /* a part of a transaction */
	store_abort(t);
	return count;
}

static void *own_make(void)
{
	struct tested *own = calloc(1, sizeof *own);
	struct error e;
	if (!own || crypto_init(&e))
		broken("no memory");
	return own;
}

static void with_nothing(struct scene *s)
{
	s->own = own_make();
}

static void rows_make(struct scene *s, bool has_key_file)
{
	struct tested *own = s->own = own_make();
	struct store_txn *t;
	struct error e;
	own->has_key_file = has_key_file;
	if (open_at(s, &e) || store_begin_write(own->store, &t, &e))
		broken("%s", e.text);
	rows_put(t, 0, ROWS);
	if (store_commit(t, &e))
		broken("%s", e.text);
}

static void with_rows(struct scene *s)
{
	rows_make(s, false);
}

static void with_rows_closed(struct scene *s)
{
	struct tested *own;
	with_rows(s);
	own = s->own;
	store_close(own->store);
	own->store = NULL;
}

static void clean(struct scene *s)
{
	struct tested *own = s->own;
	store_close(own->store);
	free(own);
}

/* Opened anew by somebody who has no trouble. */
static const char *rows_are(const struct scene *s, uint64_t least, uint64_t most)
{
	struct tested *own = s->own;
	struct error e;
	store_close(own->store);
	own->store = NULL;
	if (open_at(s, &e))
		return "afterwards it cannot be opened";
	uint64_t count = rows_found(own->store, &e);
	if (count < least || count > most)
		return "afterwards it holds other rows";
	return store_verify(own->store, NULL, NULL, &e) ? "afterwards it does not verify" : NULL;
}

static int opened(struct scene *s, struct error *e)
{
	return open_at(s, e);
}

static const char *holds_none(const struct scene *s, int result)
{
	(void)result;
	return rows_are(s, 0, 0);
}

static const char *holds_all(const struct scene *s, int result)
{
	(void)result;
	return rows_are(s, ROWS, ROWS);
}

static int written(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct store_txn *t;
	struct store_cursor *c;
	struct store_usage usage;
	struct bytes key;
	uint8_t first[4];
	int result = store_begin_write(own->store, &t, e);
	if (result)
		return result;
	rows_put(t, ROWS, ROWS);
	store_delete(t, &people, row_key(1, first));
	store_put(t, &people, row_key(1, first), bytes_from_text("somebody else"));
	if (!store_cursor_open(t, &envelopes, &c)) {
		if (!store_cursor_seek(c, row_key(5, first), NULL, &key, NULL))
			store_cursor_delete(c);
		store_cursor_close(c);
		store_put(t, &envelopes, row_key(5, first), bytes_from_text("another key"));
	}
	store_probe(t);
	store_usage_within(t, tables, 3, &usage);
	result = store_commit(t, e);
	store_usage_read(own->store, &usage);
	return result;
}

/* All of the transaction or nothing. After a commit of which nobody knows what the disk took it may be either. */
static const char *holds_both(const struct scene *s, int result)
{
	struct tested *own = s->own;
	if (!result)
		return rows_are(s, 2 * ROWS, 2 * ROWS);
	bool is_of_commit = strncmp(faults->call, "mdb_", 4) != 0 || strncmp(faults->call, "mdb_txn_commit", 14) == 0;
	if (result == ERR_IO && is_of_commit && !store_is_broken(own->store))
		return "it may go on, though nobody knows what the disk took";
	if (!store_is_broken(own->store))
		return rows_are(s, ROWS, ROWS);
	const char *what = rows_are(s, ROWS, 2 * ROWS);
	struct error e;
	uint64_t count = rows_found(own->store, &e);
	return what ? what : count == ROWS || count == 2 * ROWS ? NULL : "a part of a transaction is there";
}

static int rows_read(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct store_txn *t;
	struct store_cursor *c = NULL;
	struct arena arena;
	struct bytes key, value;
	uint8_t first[4];
	int result = store_begin_read(own->store, &t, e);
	if (result)
		return result;
	arena_init(&arena, 0);
	uint64_t count = 0;
	if (!store_get(t, &cases, row_key(3, first), &arena, &value) && !store_cursor_open(t, &people, &c))
		for (result = store_cursor_first(c, &arena, &key, &value); !result;
		     result = store_cursor_next(c, &arena, &key, &value))
			count++;
	store_cursor_close(c);
	result = store_failure(t, e);
	store_abort(t);
	arena_release(&arena);
	if (!result && count != ROWS)
		return error_set(e, ERR_NOT_FOUND, "%llu rows were served", (unsigned long long)count);
	return result;
}

static int verified(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	return store_verify(own->store, NULL, NULL, e);
}

static int copied(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	char path[256];
	path_in(s, "copy", path);
	return store_copy(own->store, path, e);
}

static const char *copy_is_whole_or_gone(const struct scene *s, int result)
{
	char copy[256], data[256];
	path_in(s, "copy", copy);
	if (result)
		return access(copy, F_OK) == 0 ? "half a copy stays" : NULL;
	path_in(s, "data.mdb", data);
	struct tested *own = s->own;
	store_close(own->store);
	own->store = NULL;
	return rename(copy, data) ? "there is no copy" : rows_are(s, ROWS, ROWS);
}

/* ---- another key for the key tables ---- */

static int key_changed(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	bool is_done = false;
	int result = OK;
	while (!result && !is_done)
		result = store_rekey_step(own->store, &is_done, e);
	return result;
}

/* What was begun is brought to its end by who has no trouble, and nothing is lost on the way. */
static const char *has_its_key(const struct scene *s, int result)
{
	struct tested *own = s->own;
	struct error e;
	(void)result;
	const char *what = rows_are(s, ROWS, ROWS);
	if (!what && key_changed((struct scene *)(uintptr_t)s, &e))
		what = "the change cannot go on";
	if (!what)
		what = rows_are(s, ROWS, ROWS);
	return what ? what : store_is_broken(own->store) ? "it is broken" : NULL;
}

static void with_a_key_to_change(struct scene *s)
{
	struct tested *own;
	struct store_txn *t;
	struct error e;
	rows_make(s, true);
	own = s->own;
	if (store_begin_write(own->store, &t, &e))
		broken("%s", e.text);
	store_rekey_request(t);
	if (store_commit(t, &e))
		broken("%s", e.text);
}

/* Closed behind so many steps of the change. */
static void half_changed(struct scene *s, int steps)
{
	struct tested *own;
	struct error e;
	bool is_done;
	with_a_key_to_change(s);
	own = s->own;
	for (; steps; steps--)
		if (store_rekey_step(own->store, &is_done, &e))
			broken("%s", e.text);
	store_close(own->store);
	own->store = NULL;
}

static void with_two_keys(struct scene *s)
{
	half_changed(s, 1);
}

static void with_rows_changed(struct scene *s)
{
	half_changed(s, 2);
}

static const struct operation list[] = {
	{ "store made", with_nothing, opened, holds_none, clean },
	{ "store opened", with_rows_closed, opened, holds_all, clean },
	{ "store written", with_rows, written, holds_both, clean },
	{ "store read", with_rows, rows_read, holds_all, clean },
	{ "store verified", with_rows, verified, holds_all, clean },
	{ "store copied", with_rows, copied, copy_is_whole_or_gone, clean },
	{ "key changed", with_a_key_to_change, key_changed, has_its_key, clean },
	{ "key changing, opened", with_two_keys, opened, has_its_key, clean },
	{ "key changed, opened", with_rows_changed, opened, has_its_key, clean },
};
const struct operations store_operations = { list, sizeof list / sizeof *list };
