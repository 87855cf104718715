/*
 * What can be checked of a message without a store: shapes, hashes, the chain from entry to entry, the signature
 * over the last head. Runs on the thread pool; nothing here touches the journal.
 */
#include <string.h>

#include "base/ids.h"
#include "inside.h"

static int entry_unpack(const Lm__Entry *in, struct arena *arena, struct checked_entry *out, struct error *e)
{
	Lm__Header *h;
	int result = CODEC_UNPACK(lm__header, codec_bytes(in->header), arena, &h, e);
	if (result)
		return result;
	out->header = h;
	out->header_packed = codec_bytes(in->header);
	out->payload = codec_bytes(in->payload);
	out->envelope_packed = codec_bytes(in->envelope);
	return entry_hash(out->header_packed, &out->hash, e);
}

/* ERR_INVALID if it is another one; `what` it is of, for people. */
static int hash_check(ProtobufCBinaryData want, struct bytes content, unsigned long long seq, const char *what,
                      struct error *e)
{
	struct hash hash;
	int result = crypto_hash(SUITE_INTERNATIONAL, &content, 1, &hash, e);
	if (result || (want.len == HASH_BYTES && memcmp(want.data, hash.byte, HASH_BYTES) == 0))
		return result;
	return error_set(e, ERR_INVALID, "entry %llu: its %s is not the one its header names", seq, what);
}

static int entry_check(const struct checked_entry *c, const Lm__StreamKey *key, struct error *e)
{
	const Lm__Header *h = c->header;
	unsigned long long seq = h->seq;
	if (h->suite != SUITE_INTERNATIONAL)
		return error_set(e, ERR_VERSION, "entry %llu uses suite %u, which this version does not know", seq,
		                 h->suite);
	if (h->origin != key->origin || h->stream != key->stream || h->receiver != key->receiver)
		return error_set(e, ERR_INVALID, "entry %llu belongs to another stream than its message", seq);
	if (!stream_is_up(h->stream) && h->stream != LM__STREAM__STREAM_ALL && h->stream != LM__STREAM__STREAM_DOWN)
		return error_set(e, ERR_INVALID, "entry %llu is of stream %d, which crosses no link", seq,
		                 (int)h->stream);
	bool has_good_ids = (!h->request_id.len || h->request_id.len == ID_BYTES) &&
	                    (!h->person_id.len || h->person_id.len == ID_BYTES);
	if (!h->seq || !h->incarnation || !has_good_ids)
		return error_set(e, ERR_INVALID, "entry %llu has no valid position or id", seq);
	if (h->previous_hash.len && h->previous_hash.len != HASH_BYTES)
		return error_set(e, ERR_INVALID, "entry %llu has a previous hash of %zu bytes", seq,
		                 h->previous_hash.len);
	int result = hash_check(h->payload_hash, c->payload, seq, "payload", e);
	/* A destroyed envelope travels as none; another one than the header names is refused. */
	if (!result && c->envelope_packed.size)
		result = hash_check(h->envelope_hash, c->envelope_packed, seq, "key envelope", e);
	return result;
}

static int chain_check(const struct checked_entry *before, const struct checked_entry *c, struct error *e)
{
	const Lm__Header *h = c->header;
	bool follows = h->incarnation == before->header->incarnation ? h->seq == before->header->seq + 1 : h->seq == 1;
	if (!follows || h->previous_hash.len != HASH_BYTES ||
	    memcmp(h->previous_hash.data, before->hash.byte, HASH_BYTES) != 0)
		return error_set(e, ERR_INVALID, "entry %llu does not continue the one before it",
		                 (unsigned long long)h->seq);
	return OK;
}

static int signature_check(const struct checked_entry *last, const Lm__SignedHeads *heads, const uint8_t key[KEY_BYTES],
                           struct error *e)
{
	if (!heads || heads->origin != last->header->origin || heads->signature.len != SIGNATURE_BYTES ||
	    heads->hashes.len % HASH_BYTES || heads->suite > UINT8_MAX)
		return error_set(e, ERR_BAD_SIGNATURE, "the message does not end at a signed head");
	struct hash head, digest;
	int result = head_hash(last->header, &last->hash, &head, e);
	if (result)
		return result;
	size_t at = 0;
	while (at < heads->hashes.len && memcmp(heads->hashes.data + at, head.byte, HASH_BYTES) != 0)
		at += HASH_BYTES;
	if (at == heads->hashes.len)
		return error_set(e, ERR_BAD_SIGNATURE, "the signed list does not name the message's last entry");
	result = heads_digest(heads, &digest, e);
	return result ? result : sign_check((uint8_t)heads->suite, key, BYTES_OF(digest), heads->signature.data, e);
}

int entries_check(const Lm__Batch *batch, const uint8_t signing_key[KEY_BYTES], struct arena *arena,
                  struct checked_entry **out, size_t *count, struct error *e)
{
	if (!batch->key || !batch->n_entries)
		return error_set(e, ERR_INVALID, "a message without entries");
	if (batch->n_entries > MESSAGE_ENTRIES_MOST)
		return error_set(e, ERR_INVALID, "a message of %zu entries, which nobody could pass on",
		                 batch->n_entries);
	struct checked_entry *checked = arena_alloc(arena, batch->n_entries * sizeof *checked);
	if (!checked)
		return error_set(e, ERR_MEMORY, "no memory to check %zu entries", batch->n_entries);
	int result = OK;
	for (size_t i = 0; i < batch->n_entries && !result; i++) {
		result = entry_unpack(batch->entries[i], arena, &checked[i], e);
		if (!result)
			result = entry_check(&checked[i], batch->key, e);
		if (!result && i)
			result = chain_check(&checked[i - 1], &checked[i], e);
	}
	if (!result)
		result = signature_check(&checked[batch->n_entries - 1], batch->heads, signing_key, e);
	if (result)
		return result;
	for (size_t i = 0; i < batch->n_entries; i++)
		checked[i].generation = batch->heads->generation;
	checked[batch->n_entries - 1].heads = batch->heads;
	checked[0].follows = (struct history){ batch->follows_incarnation, batch->follows_seq };
	*out = checked;
	*count = batch->n_entries;
	return OK;
}
