/*
 * Texts that many entries of an index share, each held once: of a million cases, a hundred thousand applicants and a
 * few dozen services and places. A search looks at each text once and marks it; an entry then has only its text's mark
 * to ask for. Whoever calls holds the lock of the index.
 */
#ifndef DESK_SHARED_H
#define DESK_SHARED_H

#include "base/bytes.h"
#include "base/errors.h"

#define SHARED_NONE UINT32_MAX

struct shared_text {
	char *text; /* NULL: free, and `users` is the next free one + 1 */
	uint32_t users, key_size;
};

struct shared {
	uint8_t hash_key[16]; /* residents write the texts: which ones fall together nobody can know */
	struct shared_text *text;
	uint8_t *mark; /* of each text, until the next search */
	size_t count, capacity;
	size_t free_first; /* number + 1 */
	uint32_t *slot;    /* open addressing: number + 1; twice as many as there is room for texts */
	size_t slots, used;
};

int shared_open(struct shared *s, struct error *e);
void shared_close(struct shared *s);

/* The number of the text that begins with these bytes, or SHARED_NONE. */
uint32_t shared_find(const struct shared *s, struct bytes key);
/* The same, one user more; if there is none, it is made of `key` and of what belongs to it, `rest`. SHARED_NONE: no
 * memory. */
uint32_t shared_take(struct shared *s, struct bytes key, struct bytes rest);
/* One user more of a text that is there. */
void shared_keep(struct shared *s, uint32_t number);
/* One user fewer; the last one takes the text along. SHARED_NONE is nobody's. */
void shared_drop(struct shared *s, uint32_t number);

/* A text by its number below `count`; NULL: none any more. */
static inline const char *shared_text(const struct shared *s, uint32_t number)
{
	return s->text[number].text;
}

#endif
