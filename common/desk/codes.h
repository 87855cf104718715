/*
 * Which cases have a receipt code: an index in memory, from a part of its keyed hash to the requests. A random key
 * costs a table a random write for each request, and codes are looked up rarely, so nothing of it is stored. All
 * cases are read after the start, a step at a time; a search reads what is left of them, and those that changed since.
 * 48 to 96 bytes a case.
 */
#ifndef DESK_CODES_H
#define DESK_CODES_H

#include <pthread.h>

#include "domain/domain.h"

struct code_slot {
	uint64_t mark;     /* the first bytes of the keyed hash */
	struct id request; /* 0: empty */
};

struct codes {
	pthread_mutex_t lock;   /* of a search, the first of which reads all cases */
	struct code_slot *slot; /* open addressing; at most half of them are taken */
	size_t slots, count;
	bool is_begun, is_whole;
	struct id from;            /* begun: where the next step reads on */
	struct error damage;       /* of a row that could not be read when the index was made */
	pthread_mutex_t news_lock; /* of what follows; never held for long: the loop waits for it */
	struct id *news;           /* cases that changed since the last search */
	size_t news_count, news_capacity;
	bool is_following; /* a search has begun, and `news` has had room since */
};

void codes_init(struct codes *c);
void codes_release(struct codes *c);
/* Reads the next step's cases, ahead of the first search. False: there is nothing left to read, or it failed, which the
 * next search says. Any thread. */
bool codes_read_on(struct codes *c, struct store *store);
/* A case is new or has changed. On the loop. */
void codes_news(struct codes *c, struct id request);
/* The cases whose code has, or had, this keyed hash; at most `most` are written, *count says how many there are. A
 * damaged row is passed over, and `e` names one although OK is returned. ERR_MEMORY, errors of the store. Any thread.
 */
int codes_find(struct codes *c, struct store *store, const struct hash *code_hash, struct id *found, size_t most,
               size_t *count, struct error *e);

struct node;
struct codes *codes_of(struct node *n); /* memory.c */

#endif
