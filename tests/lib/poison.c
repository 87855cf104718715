#include "poison.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/journal.h"
#include "proto/codec.h"

#define ENTRIES (2 + POISON_ASKS)

struct maker {
	const struct device_keys *keys;
	uint64_t device, incarnation;
	const char *place;
	struct arena *arena;
	struct hash last; /* of the entry made before */
	Lm__Header header;
};

static void *made(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void good(int result)
{
	if (result)
		abort();
}

static ProtobufCBinaryData kept(struct maker *m, const void *data, size_t size)
{
	return codec_data(BYTES(made(arena_copy(m->arena, data, size)), size));
}

static Lm__Entry *entry_make(struct maker *m, uint64_t seq, Lm__Kind kind, struct id request)
{
	Lm__Entry *entry = made(arena_alloc(m->arena, sizeof *entry));
	struct bytes nothing = { 0 }, packed;
	struct hash payload;
	Lm__Header *h = &m->header;
	lm__entry__init(entry);
	lm__header__init(h);
	good(crypto_hash(SUITE_INTERNATIONAL, &nothing, 1, &payload, NULL));
	h->suite = SUITE_INTERNATIONAL;
	h->origin = m->device;
	h->incarnation = m->incarnation;
	h->stream = LM__STREAM__STREAM_UP;
	h->seq = seq;
	h->kind = kind;
	h->time_ms = clock_wall_ms();
	h->payload_hash = kept(m, payload.byte, HASH_BYTES);
	if (seq > 1)
		h->previous_hash = kept(m, m->last.byte, HASH_BYTES);
	h->request_id = kept(m, request.byte, ID_BYTES);
	h->place = (char *)(uintptr_t)m->place;
	good(CODEC_PACK(h, m->arena, &packed, NULL));
	good(entry_hash(packed, &m->last, NULL));
	entry->header = codec_data(packed);
	return entry;
}

static Lm__SignedHeads *head_sign(struct maker *m)
{
	Lm__SignedHeads *heads = made(arena_alloc(m->arena, sizeof *heads));
	uint8_t signature[SIGNATURE_BYTES];
	struct hash head, digest;
	lm__signed_heads__init(heads);
	good(head_hash(&m->header, &m->last, &head, NULL));
	heads->suite = SUITE_INTERNATIONAL;
	heads->origin = m->device;
	heads->hashes = kept(m, head.byte, HASH_BYTES);
	good(heads_digest(heads, &digest, NULL));
	good(sign_make(SUITE_INTERNATIONAL, m->keys->signing_secret, BYTES_OF(digest), signature, NULL));
	heads->signature = kept(m, signature, SIGNATURE_BYTES);
	return heads;
}

Lm__Batch *poison_make(const struct device_keys *keys, uint64_t device, const char *place, struct id about,
                       struct arena *arena)
{
	struct maker m = { .keys = keys, .device = device, .place = place, .arena = arena, .incarnation = ~device };
	Lm__Batch *batch = made(arena_alloc(arena, sizeof *batch));
	Lm__StreamKey *key = made(arena_alloc(arena, sizeof *key));
	struct id unserved;
	good(crypto_random(unserved.byte, ID_BYTES, NULL));
	lm__batch__init(batch);
	lm__stream_key__init(key);
	key->origin = device;
	key->stream = LM__STREAM__STREAM_UP;
	batch->key = key;
	batch->entries = made(arena_alloc(arena, ENTRIES * sizeof *batch->entries));
	batch->entries[0] = entry_make(&m, 1, LM__KIND__KIND_REQUEST, unserved);
	batch->entries[1] = entry_make(&m, 2, LM__KIND__KIND_ANSWER, unserved);
	for (size_t i = 2; i < ENTRIES; i++)
		batch->entries[i] = entry_make(&m, i + 1, LM__KIND__KIND_ANSWER, about);
	batch->n_entries = ENTRIES;
	batch->heads = head_sign(&m);
	return batch;
}
