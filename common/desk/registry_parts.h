/* The index of residents' records in memory: what its files share. */
#ifndef DESK_REGISTRY_PARTS_H
#define DESK_REGISTRY_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "errand.h"
#include "pinyin.h"

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

void registry_init(struct registry *r); /* of zeros */
int registry_open(struct registry *r, struct node *n, struct error *e);
void registry_release(struct registry *r);

/* NULL: no memory; the caller frees it. Numbers are kept whole and without what people put between digits. */
char *entry_text(struct pinyin *p, const Lm__PersonFacts *f);

static inline const char *next_piece(const char *text)
{
	return text + strlen(text) + 1;
}

#endif
