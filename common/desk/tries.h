/*
 * Wrong tries, name by name: a few are free, then each makes the next one wait longer. In memory, and of a fixed size:
 * a name has its place by a hash under a random key, so whether there is such an account makes no difference, and
 * nobody can choose names that push others out.
 */
#ifndef DESK_TRIES_H
#define DESK_TRIES_H

#include "crypto/crypto.h"

#define TRIES_FREE 5
#define TRIES_WAIT_MOST_MINUTES 60
#define TRIES_FORGET_US (UINT64_C(24) * 3600 * 1000000) /* after the last one */
#define TRIES_PLACES 4096

struct tries {
	uint8_t key[KEY_BYTES]; /* random; drawn by tries_open */
	struct tries_place {
		uint32_t count; /* since the last one that was right */
		uint64_t last_us, until_us;
	} place[TRIES_PLACES];
};

/* Times are of the monotonic clock. */
int tries_open(struct tries *t, struct error *e);
uint64_t tries_until_us(const struct tries *t, const char *name, uint64_t now_us); /* 0: it may be tried */
/* Counts one that may be tried, before it is known whether it is right: many at once are not more than many in turn. */
void tries_take(struct tries *t, const char *name, uint64_t now_us);
/* It was right, or somebody else unlocks the name. */
void tries_forgive(struct tries *t, const char *name);
/* Neither right nor wrong: the machine was at fault. */
void tries_give_back(struct tries *t, const char *name);

#endif
