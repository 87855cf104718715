#include "shared.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

#define ROOM_FIRST 256

int shared_open(struct shared *s, struct error *e)
{
	*s = (struct shared){ 0 };
	return crypto_random(s->hash_key, sizeof s->hash_key, e);
}

void shared_close(struct shared *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->text[i].text);
	free(s->text);
	free(s->mark);
	free(s->slot);
	*s = (struct shared){ 0 };
}

/* Where this key is, or may be put. */
static size_t slot_of(const struct shared *s, struct bytes key)
{
	size_t i = (size_t)crypto_short_hash(s->hash_key, key) & (s->slots - 1);
	for (; s->slot[i]; i = (i + 1) & (s->slots - 1)) {
		const struct shared_text *t = &s->text[s->slot[i] - 1];
		if (t->key_size == key.size && memcmp(t->text, key.data, key.size) == 0)
			break;
	}
	return i;
}

static struct bytes key_of(const struct shared *s, uint32_t number)
{
	return BYTES(s->text[number].text, s->text[number].key_size);
}

static bool room_make(struct shared *s)
{
	if (s->used < s->capacity)
		return true;
	size_t capacity = s->capacity ? 2 * s->capacity : ROOM_FIRST;
	if (capacity >= SHARED_NONE / 2)
		return false;
	uint32_t *slot = calloc(2 * capacity, sizeof *slot);
	struct shared_text *text = realloc(s->text, capacity * sizeof *text);
	s->text = text ? text : s->text;
	uint8_t *mark = realloc(s->mark, capacity);
	s->mark = mark ? mark : s->mark;
	if (!slot || !text || !mark) {
		free(slot);
		return false;
	}
	free(s->slot);
	s->slot = slot;
	s->slots = 2 * capacity;
	s->capacity = capacity;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->text[i].text)
			s->slot[slot_of(s, key_of(s, i))] = i + 1;
	return true;
}

uint32_t shared_find(const struct shared *s, struct bytes key)
{
	size_t at = s->slots ? slot_of(s, key) : 0;
	return s->slots && s->slot[at] ? s->slot[at] - 1 : SHARED_NONE;
}

uint32_t shared_take(struct shared *s, struct bytes key, struct bytes rest)
{
	uint32_t number = shared_find(s, key);
	if (number != SHARED_NONE) {
		s->text[number].users++;
		return number;
	}
	char *text = key.size < UINT32_MAX - rest.size ? malloc(key.size + rest.size + 1) : NULL;
	if (!text || !room_make(s)) {
		free(text);
		return SHARED_NONE;
	}
	memcpy(text, key.data, key.size);
	if (rest.size)
		memcpy(text + key.size, rest.data, rest.size);
	text[key.size + rest.size] = '\0';
	number = (uint32_t)(s->free_first ? s->free_first - 1 : s->count++);
	if (s->free_first)
		s->free_first = s->text[number].users;
	s->slot[slot_of(s, key)] = number + 1;
	s->text[number] = (struct shared_text){ text, 1, (uint32_t)key.size };
	s->used++;
	return number;
}

void shared_keep(struct shared *s, uint32_t number)
{
	s->text[number].users++;
}

void shared_drop(struct shared *s, uint32_t number)
{
	if (number == SHARED_NONE || --s->text[number].users)
		return;
	size_t at = slot_of(s, key_of(s, number));
	s->slot[at] = 0;
	for (size_t i = (at + 1) & (s->slots - 1); s->slot[i]; i = (i + 1) & (s->slots - 1)) { /* close the gap */
		uint32_t moved = s->slot[i];
		s->slot[i] = 0;
		s->slot[slot_of(s, key_of(s, moved - 1))] = moved;
	}
	free(s->text[number].text);
	s->text[number] = (struct shared_text){ .users = (uint32_t)s->free_first };
	s->free_first = (size_t)number + 1;
	s->used--;
}
