/* What can be found in memory of rows of the store, and how it keeps up with them. */
#include "index.h"

#include <stdlib.h>

#include "base/log.h"

#define SLICE_MOST 500 /* rows a snapshot */

/* ---- the table in memory (locked) ---- */

static size_t slot_of(const struct index *x, struct id id)
{
	uint64_t hash;
	memcpy(&hash, id.byte + ID_BYTES - sizeof hash, sizeof hash); /* random bits */
	size_t i = (size_t)hash & (x->slots - 1);
	while (x->slot[i] && !id_equal(x->entry[x->slot[i] - 1].id, id))
		i = (i + 1) & (x->slots - 1);
	return i;
}

static bool slots_make(struct index *x, size_t slots)
{
	uint32_t *fresh = calloc(slots, sizeof *fresh);
	if (!fresh)
		return false;
	free(x->slot);
	x->slot = fresh;
	x->slots = slots;
	for (size_t i = 0; i < x->count; i++)
		x->slot[slot_of(x, x->entry[i].id)] = (uint32_t)i + 1;
	return true;
}

static bool room_make(struct index *x)
{
	if (x->count < x->capacity)
		return true;
	size_t capacity = x->capacity ? 2 * x->capacity : 256;
	struct entry *grown = realloc(x->entry, capacity * sizeof *grown);
	if (!grown)
		return false;
	x->entry = grown;
	if (!slots_make(x, 2 * capacity))
		return false;
	x->capacity = capacity;
	return true;
}

/* The last entry takes the place of the one that goes; all slots are made anew only when there are many. */
static void entry_remove(struct index *x, struct id id)
{
	size_t at = x->slots ? slot_of(x, id) : 0;
	if (!x->slots || !x->slot[at])
		return;
	size_t gone = x->slot[at] - 1;
	x->kind->drop(x, x->entry[gone].data);
	x->slot[at] = 0;
	for (size_t i = (at + 1) & (x->slots - 1); x->slot[i]; i = (i + 1) & (x->slots - 1)) { /* close the gap */
		uint32_t moved = x->slot[i];
		x->slot[i] = 0;
		x->slot[slot_of(x, x->entry[moved - 1].id)] = moved;
	}
	if (gone != --x->count) {
		size_t last = slot_of(x, x->entry[x->count].id);
		x->entry[gone] = x->entry[x->count];
		x->slot[last] = (uint32_t)gone + 1;
	}
}

static bool entry_put(struct index *x, struct id id, void *data)
{
	if (!room_make(x))
		return false;
	size_t at = slot_of(x, id);
	if (x->slot[at]) {
		x->kind->drop(x, x->entry[x->slot[at] - 1].data);
	} else {
		x->entry[x->count].id = id;
		x->slot[at] = (uint32_t)++x->count;
	}
	x->entry[x->slot[at] - 1].data = data;
	return true;
}

bool index_take(struct index *x, struct id id, void *data)
{
	bool is_good = true;
	pthread_mutex_lock(&x->lock);
	if (!data)
		entry_remove(x, id);
	else
		is_good = entry_put(x, id, data);
	if (!is_good)
		x->kind->drop(x, data);
	pthread_mutex_unlock(&x->lock);
	return is_good;
}

/* ---- jobs: one after another ---- */

static int slice_fill(struct index *x, struct index_place *at, size_t *count, struct error *e)
{
	struct store_txn *txn;
	struct arena arena;
	int result = store_begin_read(node_store(x->node), &txn, e);
	if (result)
		return result;
	arena_init(&arena, 16u * 1024 * 1024);
	result = x->kind->slice(x, txn, at, SLICE_MOST, &arena, count, e);
	store_abort(txn);
	arena_release(&arena);
	return result;
}

static void trouble_log(const struct index *x, int result, const struct error *e)
{
	log_write(LOG_ERROR, "registry", "the index of %s is not whole: %s", x->kind->what,
	          e->text[0] ? e->text : error_name(result));
}

static void fill_pool(struct node *n, void *context)
{
	struct index *x = context;
	struct error e = { 0 };
	size_t count = 0;
	(void)n;
	int result = slice_fill(x, &x->place, &count, &e);
	if (result || e.code)
		trouble_log(x, result, &e);
	x->is_unfinished = !result && count == SLICE_MOST;
	if (!x->is_unfinished)
		atomic_store(&x->is_ready, !result);
}

static void follow_pool(struct node *n, void *context)
{
	struct index *x = context;
	struct store_txn *txn = NULL;
	struct error e = { 0 };
	struct arena arena;
	size_t left = x->taken_count - x->taken_at, end = x->taken_at + (left < SLICE_MOST ? left : SLICE_MOST);
	int result = store_begin_read(node_store(n), &txn, &e);
	arena_init(&arena, 16u * 1024 * 1024);
	for (; x->taken_at < end && !result; x->taken_at++) {
		result = x->kind->follow(x, txn, x->taken[x->taken_at], &arena);
		arena_reset(&arena);
	}
	store_abort(txn);
	arena_release(&arena);
	if (result)
		trouble_log(x, result, &e);
	x->is_unfinished = !result && x->taken_at < x->taken_count;
	if (!x->is_unfinished)
		atomic_store(&x->is_ready, !result);
}

static void job_next(struct index *x);
static void job_done(struct node *n, void *context);

static void job_give_up(struct index *x)
{
	free(x->taken);
	x->taken = NULL;
	x->must_fill = true; /* when something happens again */
}

static void slice_next(struct index *x)
{
	x->is_busy = !node_pool(x->node, x->is_filling ? fill_pool : follow_pool, job_done, x);
	if (!x->is_busy)
		job_give_up(x);
}

static void job_done(struct node *n, void *context)
{
	struct index *x = context;
	x->is_busy = false;
	if (node_is_stopping(n)) {
		job_give_up(x);
		return;
	}
	if (x->is_unfinished) {
		slice_next(x);
		return;
	}
	free(x->taken);
	x->taken = NULL;
	x->must_fill |= !atomic_load(&x->is_ready); /* what failed is done over, when something happens again */
	if (x->pending_count || x->wants_renewal)
		job_next(x);
}

static void job_next(struct index *x)
{
	if (x->is_busy)
		return;
	x->is_filling = x->must_fill || x->wants_renewal;
	x->must_fill = x->wants_renewal = false;
	x->place = (struct index_place){ 0 };
	x->taken = x->pending;
	x->taken_count = x->is_filling ? 0 : x->pending_count;
	x->taken_at = 0;
	x->pending = NULL;
	x->pending_count = x->pending_capacity = 0;
	slice_next(x);
}

void index_news(struct index *x, struct id id)
{
	if (x->pending_count == x->pending_capacity) {
		size_t capacity = x->pending_capacity ? 2 * x->pending_capacity : 64;
		struct id *grown = realloc(x->pending, capacity * sizeof *grown);
		if (!grown) {
			x->must_fill = true;
			return;
		}
		x->pending = grown;
		x->pending_capacity = capacity;
	}
	x->pending[x->pending_count++] = id;
	job_next(x);
}

void index_renew(struct index *x)
{
	x->wants_renewal = true;
	job_next(x);
}

bool index_is_ready(struct index *x)
{
	return atomic_load(&x->is_ready);
}

/* ---- life ---- */

void index_init(struct index *x, const struct index_kind *kind)
{
	x->kind = kind;
	pthread_mutex_init(&x->lock, NULL);
}

int index_start(struct index *x, struct node *n, struct error *e)
{
	int result = pinyin_open(&x->pinyin, e);
	if (result)
		return result;
	x->node = n;
	index_renew(x);
	return OK;
}

void index_close(struct index *x)
{
	for (size_t i = 0; i < x->count; i++)
		x->kind->drop(x, x->entry[i].data);
	pinyin_close(x->pinyin);
	pthread_mutex_destroy(&x->lock);
	free(x->entry);
	free(x->slot);
	free(x->pending);
	free(x->taken);
}
