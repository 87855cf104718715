/*
 * What can be found of residents' records: names, their initials in pinyin, and numbers, in memory only. It is made
 * from the table when the daemon starts, a slice at a time, and follows what turns change. Jobs come one after another,
 * so that what is read later is also put later. A search looks at every record: 100,000 are a few milliseconds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "errand.h"
#include "pinyin.h"

#define SLICE_MOST 500 /* records a snapshot */
#define WORDS_BYTES_MOST 200
#define TAIL 4

struct entry {
	struct id person;
	char *text; /* name, initials, id number, birth, then further numbers: each ends with a NUL, an empty one the
	             * last
	             */
};

struct registry {
	struct node *node;
	struct pinyin *pinyin; /* of the job under way */
	/* loop */
	bool is_busy, must_fill;
	struct id *pending, *taken; /* records that changed; those of the job under way */
	size_t pending_count, pending_capacity, taken_count;
	/* any thread */
	atomic_bool is_ready;
	pthread_mutex_t lock;
	struct entry *entry;
	size_t count, capacity;
	uint32_t *slot; /* open addressing: number of the entry + 1; twice as many as entries, at least */
	size_t slots;
};

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

/* NULL: no memory. Numbers are kept whole and without what people put between digits. */
static char *text_make(struct registry *r, const Lm__PersonFacts *f)
{
	struct buffer b = { 0 };
	char initials[PINYIN_INITIALS_BYTES];
	bool is_short = false;
	pinyin_initials(r->pinyin, f->name, initials);
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

static const char *next_piece(const char *text)
{
	return text + strlen(text) + 1;
}

/* ---- jobs: one after another ---- */

static bool record_take(struct registry *r, struct id person, const Lm__PersonRecord *record)
{
	char *text = record && record->facts ? text_make(r, record->facts) : NULL;
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

struct registry *registry_of(struct node *n)
{
	return node_context(n);
}

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

void *desk_new(void)
{
	struct registry *r = calloc(1, sizeof *r);
	if (r)
		pthread_mutex_init(&r->lock, NULL);
	return r;
}

int desk_start(struct node *n, struct error *e)
{
	struct registry *r = registry_of(n);
	if (!r)
		return error_set(e, ERR_MEMORY, "no memory for the index of residents' records");
	int result = pinyin_open(&r->pinyin, e);
	if (result)
		return result;
	r->node = n;
	r->must_fill = true;
	job_next(r);
	return OK;
}

void desk_free(void *context)
{
	struct registry *r = context;
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->entry[i].text);
	pinyin_close(r->pinyin);
	pthread_mutex_destroy(&r->lock);
	free(r->entry);
	free(r->slot);
	free(r->pending);
	free(r->taken);
	free(r);
}

/* ---- found ---- */

struct words {
	char text[WORDS_BYTES_MOST + 1];
	bool is_number, is_latin;
};

static bool words_read(const char *text, struct words *w)
{
	size_t size = 0, digits = 0, letters = 0;
	for (const char *p = text; *p && size < WORDS_BYTES_MOST; p++) {
		char c = *p >= 'A' && *p <= 'Z' && *p != 'X' ? (char)(*p - 'A' + 'a') : *p;
		if (c == ' ' || c == '\t' || c == '-')
			continue;
		digits += (c >= '0' && c <= '9') || c == 'X';
		letters += (c >= 'a' && c <= 'z') || c == 'X';
		w->text[size++] = c;
	}
	w->text[size] = '\0';
	w->is_number = size && digits == size;
	w->is_latin = size && letters == size;
	for (size_t i = 0; i < size && w->is_latin; i++)
		w->text[i] = w->text[i] == 'X' ? 'x' : w->text[i];
	return size > 0;
}

static bool number_fits(const char *number, const struct words *w)
{
	size_t size = strlen(number), wanted = strlen(w->text);
	return wanted == TAIL ? size >= TAIL && strcmp(number + size - TAIL, w->text) == 0
	                      : strcmp(number, w->text) == 0;
}

static bool entry_fits(const char *text, const struct words *w)
{
	const char *initials = next_piece(text), *number = next_piece(initials);
	if (strstr(text, w->text) || (w->is_latin && strstr(initials, w->text)))
		return true;
	if (!w->is_number)
		return false;
	if (number_fits(number, w))
		return true;
	for (number = next_piece(next_piece(number)); *number; number = next_piece(number))
		if (number_fits(number, w))
			return true;
	return false;
}

size_t registry_search(struct registry *r, const char *text, struct id *found, size_t most, bool *is_more)
{
	struct words w;
	size_t count = 0;
	*is_more = false;
	if (!words_read(text, &w))
		return 0;
	pthread_mutex_lock(&r->lock);
	for (size_t i = r->count; i > 0 && !*is_more; i--) { /* the newest first, as far as nobody was erased */
		if (!entry_fits(r->entry[i - 1].text, &w))
			continue;
		*is_more = count == most;
		if (!*is_more)
			found[count++] = r->entry[i - 1].person;
	}
	pthread_mutex_unlock(&r->lock);
	return count;
}

static bool has_number(const char *numbers, const char *wanted)
{
	for (; *numbers; numbers = next_piece(numbers))
		if (strcmp(numbers, wanted) == 0)
			return true;
	return false;
}

/* `mine`: the same of the facts that are asked about. */
static struct agreement agreement_of(const struct entry *e, const char *mine)
{
	const char *number = next_piece(next_piece(e->text)), *birth = next_piece(number);
	const char *my_number = next_piece(next_piece(mine)), *my_birth = next_piece(my_number);
	bool has_name = strcmp(e->text, mine) == 0;
	struct agreement a = { .person = e->person,
		               .has_id_number = number[0] && strcmp(number, my_number) == 0,
		               .has_name_and_birth = has_name && birth[0] && strcmp(birth, my_birth) == 0 };
	for (const char *p = next_piece(my_birth); *p && has_name; p = next_piece(p))
		a.has_name_and_phone |= has_number(next_piece(birth), p);
	return a;
}

size_t registry_agreeing(struct registry *r, const Lm__PersonFacts *facts, struct id except, struct agreement *found,
                         size_t most)
{
	struct registry plain = { .pinyin = NULL }; /* initials are not compared */
	char *mine = text_make(&plain, facts);
	size_t count = 0;
	if (!mine)
		return 0;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->count && count < most; i++) {
		struct agreement a = agreement_of(&r->entry[i], mine);
		if ((a.has_id_number || a.has_name_and_birth || a.has_name_and_phone) && !id_equal(a.person, except))
			found[count++] = a;
	}
	pthread_mutex_unlock(&r->lock);
	free(mine);
	return count;
}

static int number_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(next_piece(next_piece(x->text)), next_piece(next_piece(y->text)));
	return order ? order : memcmp(x->person.byte, y->person.byte, ID_BYTES);
}

static bool same_number(const struct entry *a, const struct entry *b)
{
	return strcmp(next_piece(next_piece(a->text)), next_piece(next_piece(b->text))) == 0;
}

int registry_doubles(struct registry *r, struct id *found, size_t *group, size_t most, size_t *count, bool *is_more)
{
	size_t groups = 0, total = 0;
	*count = 0;
	*is_more = false;
	pthread_mutex_lock(&r->lock);
	struct entry *list = calloc(r->count + 1, sizeof *list);
	for (size_t i = 0; list && i < r->count; i++)
		if (*next_piece(next_piece(r->entry[i].text)))
			list[total++] = r->entry[i];
	if (list && total)
		qsort(list, total, sizeof *list, number_compare);
	for (size_t i = 0, end; list && i < total && !*is_more; i = end) {
		for (end = i + 1; end < total && same_number(&list[i], &list[end]);)
			end++;
		*is_more = end - i > 1 && *count + (end - i) > most;
		for (size_t k = i; end - i > 1 && !*is_more && k < end; k++) {
			found[*count] = list[k].person;
			group[(*count)++] = groups;
		}
		groups += end - i > 1;
	}
	pthread_mutex_unlock(&r->lock);
	free(list);
	return list ? OK : ERR_MEMORY;
}
