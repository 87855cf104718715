/* Wrong tries. */
#include "tries.h"

#include <string.h>

#define MINUTE_US UINT64_C(60000000)

int tries_open(struct tries *t, struct error *e)
{
	memset(t, 0, sizeof *t);
	return crypto_random(t->key, sizeof t->key, e);
}

static size_t place_of(const struct tries *t, const char *name)
{
	struct bytes parts[2] = { BYTES_OF(t->key), bytes_from_text(name) };
	struct hash hash = { 0 };
	if (crypto_hash(SUITE_INTERNATIONAL, parts, 2, &hash, NULL))
		return 0; /* for want of memory all names share a place: stricter, not laxer */
	return (hash.byte[0] * 256u + hash.byte[1]) % TRIES_PLACES;
}

static uint64_t wait_us(uint32_t count)
{
	if (count < TRIES_FREE)
		return 0;
	uint32_t doublings = count - TRIES_FREE;
	uint64_t minutes = doublings < 6 ? UINT64_C(1) << doublings : TRIES_WAIT_MOST_MINUTES;
	return (minutes < TRIES_WAIT_MOST_MINUTES ? minutes : TRIES_WAIT_MOST_MINUTES) * MINUTE_US;
}

void tries_take(struct tries *t, const char *name, uint64_t now_us)
{
	struct tries_place *p = &t->place[place_of(t, name)];
	if (now_us - p->last_us > TRIES_FORGET_US)
		p->count = 0;
	p->count += p->count < UINT32_MAX;
	p->last_us = now_us;
	p->until_us = wait_us(p->count) ? now_us + wait_us(p->count) : 0;
}

void tries_forgive(struct tries *t, const char *name)
{
	t->place[place_of(t, name)] = (struct tries_place){ 0 };
}

void tries_give_back(struct tries *t, const char *name)
{
	struct tries_place *p = &t->place[place_of(t, name)];
	p->count -= p->count > 0;
	p->until_us = 0;
}

uint64_t tries_until_us(const struct tries *t, const char *name, uint64_t now_us)
{
	uint64_t until_us = t->place[place_of(t, name)].until_us;
	return now_us < until_us ? until_us : 0;
}
