/*
 * What can be found of residents' records: names, their initials in pinyin, and numbers. A search looks at every
 * record: 100,000 are a few milliseconds.
 */
#include <stdlib.h>

#include "registry_parts.h"

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

static bool record_take(struct index *x, struct id person, const Lm__PersonRecord *record)
{
	char *text = record && record->facts ? entry_text(x->pinyin, record->facts) : NULL;
	return record && record->facts && !text ? false : index_take(x, person, text);
}

struct slice {
	struct index *index;
	size_t count, most;
	bool is_short;
};

static bool slice_visit(void *context, struct id person, const Lm__PersonRecord *record)
{
	struct slice *s = context;
	s->is_short |= !record_take(s->index, person, record);
	return ++s->count < s->most && !s->is_short;
}

static int registry_slice(struct index *x, struct store_txn *txn, struct index_place *at, size_t most,
                          struct arena *arena, size_t *count, struct error *e)
{
	struct slice s = { .index = x, .most = most };
	int result = person_each(txn, &at->id, arena, slice_visit, &s, e);
	*count = s.count;
	return result ? result : s.is_short ? error_set(e, ERR_MEMORY, "no memory for what can be found") : OK;
}

static int registry_follow(struct index *x, struct store_txn *txn, struct id person, struct arena *arena)
{
	Lm__PersonRecord *record;
	int result = person_get(txn, person, arena, &record);
	if (result && result != ERR_NOT_FOUND)
		return result;
	return record_take(x, person, result ? NULL : record) ? OK : ERR_MEMORY;
}

static void registry_drop(struct index *x, void *data)
{
	(void)x;
	free(data);
}

const struct index_kind registry_kind = { "residents' records", registry_slice, registry_follow, registry_drop };

uint64_t registry_count(struct index *x)
{
	pthread_mutex_lock(&x->lock);
	uint64_t count = x->count;
	pthread_mutex_unlock(&x->lock);
	return count;
}
