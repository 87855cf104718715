/* Entries as a target's input has them: short names stand for what no mutation finds by chance. */
#ifndef TESTS_FUZZ_ENTRIES_H
#define TESTS_FUZZ_ENTRIES_H

#include "base/ids.h"
#include "change.h"
#include "crypto/crypto.h"
#include "journal/journal.h"

#define ENTRIES_MOST 24 /* of one input */

static inline ProtobufCBinaryData data_copy(struct arena *a, const void *data, size_t size)
{
	void *copy = arena_copy(a, data, size);
	must(copy);
	return codec_data(BYTES(copy, size));
}

/* A request id of one byte is the request of that number. */
static inline void request_id_fix(ProtobufCBinaryData *id, struct arena *a)
{
	uint8_t random[10] = { 0 };
	if (id->len != 1)
		return;
	random[1] = id->data[0];
	struct id whole = id_make((int64_t)(1700000000000 + id->data[0]), random);
	*id = data_copy(a, &whole, sizeof whole);
}

static inline ProtobufCBinaryData hash_of(struct arena *a, struct bytes content)
{
	struct hash hash;
	must(!crypto_hash(SUITE_INTERNATIONAL, &content, 1, &hash, NULL));
	return data_copy(a, &hash, sizeof hash);
}

/* Who signs, and where its line stands. */
struct signer {
	uint64_t device;
	const uint8_t *signing_secret;
	uint64_t incarnation, seq;
	struct hash head; /* of the newest entry */
};

/*
 * Below hash and signature: what an entry leaves out is filled in, as an origin would that is hostile and holds its own
 * keys. An empty payload hash or envelope hash is computed; a previous hash of one byte, or a parent's, is that of the
 * entry before, or of the line's head; incarnations below 8 count from the newest one that is known.
 */
static inline void entry_finish(Lm__Entry *entry, const Lm__StreamKey *key, const struct signer *s, struct hash *before,
                                struct arena *a)
{
	Lm__Header *h;
	struct bytes packed;
	if (CODEC_UNPACK(lm__header, codec_bytes(entry->header), a, &h, NULL))
		return;
	if (!h->suite)
		h->suite = SUITE_INTERNATIONAL;
	if (!h->origin)
		h->origin = key->origin;
	if (!h->stream)
		h->stream = key->stream;
	if (!h->receiver)
		h->receiver = key->receiver;
	if (h->incarnation < 8)
		h->incarnation += s->incarnation;
	if (h->parent && h->parent->incarnation < 8)
		h->parent->incarnation += s->incarnation;
	if (h->parent && h->parent->hash.len == 1)
		h->parent->hash = data_copy(a, before, sizeof *before);
	if (h->previous_hash.len == 1)
		h->previous_hash = data_copy(a, before, sizeof *before);
	if (!h->payload_hash.len)
		h->payload_hash = hash_of(a, codec_bytes(entry->payload));
	if (!h->envelope_hash.len && entry->envelope.len)
		h->envelope_hash = hash_of(a, codec_bytes(entry->envelope));
	request_id_fix(&h->request_id, a);
	request_id_fix(&h->person_id, a);
	if (CODEC_PACK(h, a, &packed, NULL))
		return;
	entry->header = codec_data(packed);
	must(!entry_hash(packed, before, NULL));
}

static inline void heads_make(Lm__Batch *batch, const struct signer *s, const struct hash *last, struct arena *a)
{
	Lm__SignedHeads *heads = arena_alloc(a, sizeof *heads);
	Lm__Header *h;
	struct hash head, digest;
	uint8_t signature[SIGNATURE_BYTES];
	must(heads);
	if (CODEC_UNPACK(lm__header, codec_bytes(batch->entries[batch->n_entries - 1]->header), a, &h, NULL) ||
	    head_hash(h, last, &head, NULL))
		return;
	lm__signed_heads__init(heads);
	heads->suite = SUITE_INTERNATIONAL;
	heads->origin = h->origin;
	heads->hashes = data_copy(a, &head, sizeof head);
	must(!heads_digest(heads, &digest, NULL));
	must(!sign_make(SUITE_INTERNATIONAL, s->signing_secret, BYTES_OF(digest), signature, NULL));
	heads->signature = data_copy(a, signature, sizeof signature);
	batch->heads = heads;
}

/* Positions from 64 to 127 count from the line's head, which is 64. */
static inline void seqs_fix(Lm__Batch *batch, const struct signer *s, struct arena *a)
{
	for (size_t i = 0; i < batch->n_entries && i < ENTRIES_MOST; i++) {
		Lm__Header *h;
		struct bytes packed;
		if (CODEC_UNPACK(lm__header, codec_bytes(batch->entries[i]->header), a, &h, NULL))
			continue;
		if (h->seq >= 64 && h->seq < 128)
			h->seq += s->seq - 64;
		if (h->parent && h->parent->seq >= 64 && h->parent->seq < 128)
			h->parent->seq += s->seq - 64;
		if (!CODEC_PACK(h, a, &packed, NULL))
			batch->entries[i]->header = codec_data(packed);
	}
}

/* A message that carries its own heads keeps them. */
static inline void batch_finish(Lm__Batch *batch, const struct signer *s, struct arena *a)
{
	struct hash before = s->head;
	if (!batch->key || !batch->n_entries)
		return;
	if (!batch->key->origin)
		batch->key->origin = s->device;
	if (batch->n_entries > ENTRIES_MOST)
		batch->n_entries = ENTRIES_MOST;
	for (size_t i = 0; i < batch->n_entries; i++)
		entry_finish(batch->entries[i], batch->key, s, &before, a);
	if (!batch->heads)
		heads_make(batch, s, &before, a);
}

#endif
