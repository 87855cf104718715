#include "codes.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024
#define NEWS_MOST 100000 /* then it is as cheap to read all cases again */
#define ROW_ARENA_BYTES ((size_t)1024 * 1024)

static uint64_t mark_of(const struct hash *hash)
{
	uint64_t mark;
	memcpy(&mark, hash->byte, sizeof mark);
	return mark;
}

/* ---- the table (locked) ---- */

static void slots_forget(struct codes *c)
{
	free(c->slot);
	c->slot = NULL;
	c->slots = c->count = 0;
	c->is_whole = c->is_begun = false;
	c->from = (struct id){ { 0 } };
}

/* Where this pair is, or may be put. */
static struct code_slot *slot_of(struct code_slot *slot, size_t slots, uint64_t mark, struct id request)
{
	size_t i = (size_t)mark & (slots - 1);
	while (!id_is_zero(slot[i].request) && (slot[i].mark != mark || !id_equal(slot[i].request, request)))
		i = (i + 1) & (slots - 1);
	return &slot[i];
}

static bool room_make(struct codes *c)
{
	if (2 * (c->count + 1) <= c->slots)
		return true;
	size_t slots = c->slots ? 2 * c->slots : SLOTS_FIRST;
	struct code_slot *grown = calloc(slots, sizeof *grown);
	if (!grown)
		return false;
	for (size_t i = 0; i < c->slots; i++)
		if (!id_is_zero(c->slot[i].request))
			*slot_of(grown, slots, c->slot[i].mark, c->slot[i].request) = c->slot[i];
	free(c->slot);
	c->slot = grown;
	c->slots = slots;
	return true;
}

static bool slot_put(void *context, struct id request, const struct hash *hash)
{
	struct codes *c = context;
	if (!room_make(c))
		return false;
	struct code_slot *slot = slot_of(c->slot, c->slots, mark_of(hash), request);
	c->count += id_is_zero(slot->request);
	*slot = (struct code_slot){ mark_of(hash), request };
	return true;
}

/* ---- what a search reads first (locked) ---- */

struct filling {
	struct codes *codes;
	bool is_short;
};

static bool fill_visit(void *context, struct id request, const struct hash *hash)
{
	struct filling *f = context;
	f->is_short = !slot_put(f->codes, request, hash);
	return !f->is_short;
}

/* A snapshot for each step: none is held for long. What is committed meanwhile is news for the next search. */
static int step_read(struct codes *c, struct store *store, struct arena *arena, struct error *e)
{
	struct filling f = { .codes = c };
	struct store_txn *txn;
	int result = store_begin_read(store, &txn, e);
	if (result)
		return result;
	result = case_codes_each(txn, &c->from, arena, fill_visit, &f, &c->damage);
	if (result && e)
		*e = c->damage;
	store_abort(txn);
	if (!result && f.is_short)
		result = error_set(e, ERR_MEMORY, "no memory for the index of receipt codes");
	c->is_whole = !result && id_is_zero(c->from);
	return result;
}

/* The case; ERR_NOT_FOUND: it is not there, or cannot be read, which `e` says although the transaction goes on. */
static int row_read(struct store_txn *txn, struct id request, struct arena *arena, Lm__CaseRecord **out,
                    struct error *e)
{
	int result = case_get(txn, request, arena, out);
	if (result == ERR_DAMAGED && store_pass_over(txn, e))
		return ERR_NOT_FOUND;
	return result && result != ERR_NOT_FOUND ? store_failure(txn, e) : result;
}

/* Those that it had before are looked up, too. */
static bool codes_put(struct codes *c, struct id request, const Lm__CaseRecord *record)
{
	struct hash hash;
	for (size_t i = 0; case_code_at(record, i, &hash); i++)
		if (!slot_put(c, request, &hash))
			return false;
	return true;
}

static int news_read(struct codes *c, struct store_txn *txn, const struct id *news, size_t count, struct arena *arena,
                     struct error *e)
{
	for (size_t i = 0; i < count; i++) {
		Lm__CaseRecord *record;
		int result = row_read(txn, news[i], arena, &record, &c->damage);
		bool is_short = !result && !codes_put(c, news[i], record);
		arena_reset(arena);
		if (result == ERR_NOT_FOUND)
			continue;
		if (result && e)
			*e = c->damage;
		if (result)
			return result;
		if (is_short)
			return error_set(e, ERR_MEMORY, "no memory for the index of receipt codes");
	}
	return OK;
}

/* Each candidate is looked at: a mark is a part of a hash, and a case may have been given another code. */
static int slots_look(struct codes *c, struct store_txn *txn, const struct hash *wanted, struct arena *arena,
                      struct id *found, size_t most, size_t *count, struct error *e)
{
	uint64_t mark = mark_of(wanted);
	*count = 0;
	for (size_t i = (size_t)mark & (c->slots - 1); c->slots && !id_is_zero(c->slot[i].request);
	     i = (i + 1) & (c->slots - 1)) {
		Lm__CaseRecord *record;
		int64_t until_ms;
		if (c->slot[i].mark != mark)
			continue;
		int result = row_read(txn, c->slot[i].request, arena, &record, e);
		bool is_wanted = !result && case_has_code(record, wanted, &until_ms);
		arena_reset(arena);
		if (result && result != ERR_NOT_FOUND)
			return result;
		if (!is_wanted)
			continue;
		if (*count < most)
			found[*count] = c->slot[i].request;
		(*count)++;
	}
	return OK;
}

/* False: not all that changed is in it. */
static bool news_take(struct codes *c, struct id **news, size_t *count)
{
	pthread_mutex_lock(&c->news_lock);
	bool is_all = c->is_following;
	c->is_following = true;
	*news = c->news;
	*count = c->news_count;
	c->news = NULL;
	c->news_count = c->news_capacity = 0;
	pthread_mutex_unlock(&c->news_lock);
	return is_all;
}

static void reading_begin(struct codes *c)
{
	slots_forget(c);
	c->damage = (struct error){ 0 };
	c->is_begun = true;
}

static int search(struct codes *c, struct store *store, const struct hash *wanted, struct arena *arena,
                  struct id *found, size_t most, size_t *count, struct error *e)
{
	struct store_txn *txn;
	struct id *news;
	size_t news_count;
	int result = OK;
	if (!news_take(c, &news, &news_count) || !c->is_begun) {
		news_count = 0; /* what happened before now is read from the table */
		reading_begin(c);
	}
	while (!c->is_whole && !result)
		result = step_read(c, store, arena, e);
	if (!result)
		result = store_begin_read(store, &txn, e);
	if (!result) {
		result = news_read(c, txn, news, news_count, arena, e);
		if (!result)
			result = slots_look(c, txn, wanted, arena, found, most, count, e);
		store_abort(txn);
	}
	free(news);
	if (result)
		slots_forget(c);
	else if (!*count && c->damage.code && e)
		*e = c->damage; /* perhaps it is the one that cannot be read */
	return result;
}

int codes_find(struct codes *c, struct store *store, const struct hash *code_hash, struct id *found, size_t most,
               size_t *count, struct error *e)
{
	struct arena arena;
	arena_init(&arena, ROW_ARENA_BYTES);
	pthread_mutex_lock(&c->lock);
	int result = search(c, store, code_hash, &arena, found, most, count, e);
	pthread_mutex_unlock(&c->lock);
	arena_release(&arena);
	return result;
}

bool codes_read_on(struct codes *c, struct store *store)
{
	struct arena arena;
	arena_init(&arena, ROW_ARENA_BYTES);
	pthread_mutex_lock(&c->lock);
	if (!c->is_begun) {
		pthread_mutex_lock(&c->news_lock);
		c->is_following = true;
		pthread_mutex_unlock(&c->news_lock);
		reading_begin(c);
	}
	if (!c->is_whole && step_read(c, store, &arena, NULL))
		slots_forget(c); /* a search says why */
	bool is_more = c->is_begun && !c->is_whole;
	pthread_mutex_unlock(&c->lock);
	arena_release(&arena);
	return is_more;
}

/* ---- news ---- */

static bool news_grow(struct codes *c)
{
	size_t capacity = c->news_capacity ? 2 * c->news_capacity : 64;
	struct id *grown = capacity > NEWS_MOST ? NULL : realloc(c->news, capacity * sizeof *grown);
	if (!grown)
		return false;
	c->news = grown;
	c->news_capacity = capacity;
	return true;
}

void codes_news(struct codes *c, struct id request)
{
	pthread_mutex_lock(&c->news_lock);
	if (c->is_following && c->news_count == c->news_capacity)
		c->is_following = news_grow(c);
	if (c->is_following)
		c->news[c->news_count++] = request;
	pthread_mutex_unlock(&c->news_lock);
}

void codes_init(struct codes *c)
{
	*c = (struct codes){ 0 };
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->news_lock, NULL);
}

void codes_release(struct codes *c)
{
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->news_lock);
	free(c->slot);
	free(c->news);
}
