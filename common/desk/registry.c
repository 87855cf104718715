/*
 * What can be found of residents' records: names, their initials in pinyin, and numbers, in memory only. It is made
 * from the table when the daemon starts, a slice at a time, and follows what turns change. Jobs come one after another,
 * so that what is read later is also put later. A search looks at every record: 100,000 are a few milliseconds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry_parts.h"

#define SLICE_MOST 500 /* records a snapshot */

/* ---- the table in memory (locked) ---- */

static size_t slot_of(const struct registry *r, struct id person)
{
	uint64_t hash;
	memcpy(&hash, person.byte + ID_BYTES - sizeof hash, sizeof hash); /* random bits */
	size_t i = (size_t)hash & (r->slots - 1);
	while (r->slot[i] && !id_equal(r->entry[r->slot[i] - 1].person, person))
		i = (i + 1) & (r->slots - 1);
	return i;
}

static bool slots_make(struct registry *r, size_t slots)
{
	uint32_t *fresh = calloc(slots, sizeof *fresh);
	if (!fresh)
		return false;
	free(r->slot);
	r->slot = fresh;
	r->slots = slots;
	for (size_t i = 0; i < r->count; i++)
		r->slot[slot_of(r, r->entry[i].person)] = (uint32_t)i + 1;
	return true;
}

static bool room_make(struct registry *r)
{
	if (r->count < r->capacity)
		return true;
	size_t capacity = r->capacity ? 2 * r->capacity : 256;
	struct entry *grown = realloc(r->entry, capacity * sizeof *grown);
	if (!grown)
		return false;
	r->entry = grown;
	if (!slots_make(r, 2 * capacity))
		return false;
	r->capacity = capacity;
	return true;
}

/* The last entry takes the place of the one that goes; all slots are made anew only when there are many. */
static void entry_remove(struct registry *r, struct id person)
{
	size_t at = r->slots ? slot_of(r, person) : 0;
	if (!r->slots || !r->slot[at])
		return;
	size_t gone = r->slot[at] - 1;
	free(r->entry[gone].text);
	r->slot[at] = 0;
	for (size_t i = (at + 1) & (r->slots - 1); r->slot[i]; i = (i + 1) & (r->slots - 1)) { /* close the gap */
		uint32_t moved = r->slot[i];
		r->slot[i] = 0;
		r->slot[slot_of(r, r->entry[moved - 1].person)] = moved;
	}
	if (gone != --r->count) {
		size_t last = slot_of(r, r->entry[r->count].person);
		r->entry[gone] = r->entry[r->count];
		r->slot[last] = (uint32_t)gone + 1;
	}
}

static bool entry_put(struct registry *r, struct id person, char *text)
{
	if (!room_make(r))
		return false;
	size_t at = slot_of(r, person);
	if (r->slot[at]) {
		free(r->entry[r->slot[at] - 1].text);
	} else {
		r->entry[r->count].person = person;
		r->slot[at] = (uint32_t)++r->count;
	}
	r->entry[r->slot[at] - 1].text = text;
	return true;
}

/* ---- an entry ---- */

static void piece(struct buffer *b, const char *text, bool *is_short)
{
	*is_short |= buffer_append(b, BYTES(text, strlen(text) + 1)) != OK;
}

char *entry_text(struct pinyin *p, const Lm__PersonFacts *f)
{
	struct buffer b = { 0 };
	char initials[PINYIN_INITIALS_BYTES];
	bool is_short = false;
	pinyin_initials(p, f->name, initials);
	piece(&b, f->name, &is_short);
	piece(&b, initials, &is_short);
	piece(&b, f->id_number, &is_short);
	piece(&b, f->birth, &is_short);
	if (f->certificate[0])
		piece(&b, f->certificate, &is_short);
	for (size_t i = 0; i < f->n_contacts; i++) {
		char digits[32];
		size_t size = 0;
		for (const char *p = f->contacts[i]->phone; *p && size + 1 < sizeof digits; p++)
			if (*p >= '0' && *p <= '9')
				digits[size++] = *p;
		digits[size] = '\0';
		if (size)
			piece(&b, digits, &is_short);
	}
	piece(&b, "", &is_short);
	if (is_short)
		buffer_release(&b);
	return (char *)b.data;
}

/* ---- jobs: one after another ---- */

static bool record_take(struct registry *r, struct id person, const Lm__PersonRecord *record)
{
	char *text = record && record->facts ? entry_text(r->pinyin, record->facts) : NULL;
	bool is_good = !record || !record->facts || text;
	pthread_mutex_lock(&r->lock);
	if (!text)
		entry_remove(r, person);
	else
		is_good = entry_put(r, person, text);
	pthread_mutex_unlock(&r->lock);
	if (!is_good)
		free(text);
	return is_good;
}

struct slice {
	struct registry *registry;
	size_t count;
	bool is_short;
};

static bool slice_visit(void *context, struct id person, const Lm__PersonRecord *record)
{
	struct slice *s = context;
	s->is_short |= !record_take(s->registry, person, record);
	return ++s->count < SLICE_MOST && !s->is_short;
}

static int slice_fill(struct registry *r, struct id *from, size_t *count, struct error *e)
{
	struct slice s = { .registry = r };
	struct store_txn *txn;
	struct arena arena;
	int result = store_begin_read(node_store(r->node), &txn, e);
	if (result)
		return result;
	arena_init(&arena, 1024 * 1024);
	result = person_each(txn, from, &arena, slice_visit, &s, e);
	store_abort(txn);
	arena_release(&arena);
	*count = s.count;
	return result ? result : s.is_short ? error_set(e, ERR_MEMORY, "no memory for what can be found") : OK;
}

static void fill_pool(struct node *n, void *context)
{
	struct registry *r = context;
	struct error e = { 0 };
	struct id from = { { 0 } };
	size_t count;
	int result;
	(void)n;
	do
		result = slice_fill(r, &from, &count, &e);
	while (!result && count == SLICE_MOST);
	if (e.code)
		log_write(LOG_ERROR, "registry", "the index of residents' records is not whole: %s", e.text);
	atomic_store(&r->is_ready, !result);
}

static int record_follow(struct registry *r, struct store_txn *txn, struct id person, struct arena *arena)
{
	Lm__PersonRecord *record;
	int result = person_get(txn, person, arena, &record);
	if (result && result != ERR_NOT_FOUND)
		return result;
	return record_take(r, person, result ? NULL : record) ? OK : ERR_MEMORY;
}

static void follow_pool(struct node *n, void *context)
{
	struct registry *r = context;
	struct store_txn *txn = NULL;
	struct error e = { 0 };
	struct arena arena;
	int result = OK;
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < r->taken_count && !result; i++) {
		if (i % SLICE_MOST == 0) {
			store_abort(txn);
			txn = NULL;
			result = store_begin_read(node_store(n), &txn, &e);
		}
		if (!result)
			result = record_follow(r, txn, r->taken[i], &arena);
		arena_reset(&arena);
	}
	store_abort(txn);
	arena_release(&arena);
	if (result)
		log_write(LOG_ERROR, "registry", "the index of residents' records is not whole: %s",
		          e.text[0] ? e.text : error_name(result));
	atomic_store(&r->is_ready, !result);
}

static void job_next(struct registry *r);

static void job_done(struct node *n, void *context)
{
	struct registry *r = context;
	(void)n;
	r->is_busy = false;
	free(r->taken);
	r->taken = NULL;
	r->must_fill |= !atomic_load(&r->is_ready); /* what failed is done over, when something happens again */
	if (r->pending_count)
		job_next(r);
}

static void job_next(struct registry *r)
{
	if (r->is_busy)
		return;
	bool is_fill = r->must_fill;
	r->must_fill = false;
	r->taken = r->pending;
	r->taken_count = is_fill ? 0 : r->pending_count;
	r->pending = NULL;
	r->pending_count = r->pending_capacity = 0;
	r->is_busy = !node_pool(r->node, is_fill ? fill_pool : follow_pool, job_done, r);
	if (!r->is_busy) {
		free(r->taken);
		r->taken = NULL;
		r->must_fill = true;
	}
}

void registry_news(struct node *n, struct id person)
{
	struct registry *r = registry_of(n);
	if (!r)
		return;
	if (r->pending_count == r->pending_capacity) {
		size_t capacity = r->pending_capacity ? 2 * r->pending_capacity : 64;
		struct id *grown = realloc(r->pending, capacity * sizeof *grown);
		if (!grown) {
			r->must_fill = true;
			return;
		}
		r->pending = grown;
		r->pending_capacity = capacity;
	}
	r->pending[r->pending_count++] = person;
	job_next(r);
}

/* ---- life ---- */

bool registry_is_ready(const struct registry *r)
{
	return atomic_load(&r->is_ready);
}

uint64_t registry_count(struct registry *r)
{
	pthread_mutex_lock(&r->lock);
	uint64_t count = r->count;
	pthread_mutex_unlock(&r->lock);
	return count;
}

int registry_open(struct registry *r, struct node *n, struct error *e)
{
	int result = pinyin_open(&r->pinyin, e);
	if (result)
		return result;
	r->node = n;
	r->must_fill = true;
	job_next(r);
	return OK;
}

void registry_init(struct registry *r)
{
	pthread_mutex_init(&r->lock, NULL);
}

void registry_release(struct registry *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->entry[i].text);
	pinyin_close(r->pinyin);
	pthread_mutex_destroy(&r->lock);
	free(r->entry);
	free(r->slot);
	free(r->pending);
	free(r->taken);
}
