/*
 * Checking what is stored: every line's chain from its start or from where it was trimmed, every payload against its
 * header, every signed head.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

struct audit {
	struct store_txn *txn;
	int (*signing_key)(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES]);
	void *context;
	struct journal_audit *out;
	struct arena arena;
};

static int damaged(struct error *e, const struct line *l, uint64_t ordinal, uint64_t position, const char *what)
{
	return error_set(e, ERR_DAMAGED, "line %u (stream %d of device %016llx), entry %llu at tape position %llu: %s",
	                 l->number, (int)l->key.stream, (unsigned long long)l->key.origin, (unsigned long long)ordinal,
	                 (unsigned long long)position, what);
}

static bool hash_stands(ProtobufCBinaryData field, const struct hash *hash)
{
	return field.len == HASH_BYTES && memcmp(field.data, hash->byte, HASH_BYTES) == 0;
}

/* After a rollback the chain goes on from an earlier entry than the one before: from the parent that the header names.
 * Where two histories were let go on it also goes on from an earlier entry of its own incarnation. */
static int parent_verify(struct audit *a, const struct line *l, uint64_t ordinal, const Lm__Header *h)
{
	uint64_t at, position;
	bool is_exact;
	Lm__TapeItem *item;
	struct hash hash = l->trimmed_hash;
	bool is_first = h->seq == 1;
	if (is_first && !h->parent && l->rollbacks && !h->previous_hash.len)
		return OK; /* rolled back to before the first entry */
	if ((is_first && (!h->parent || (!l->rollbacks && !l->released.seq))) || (!is_first && !l->released.seq))
		return ERR_DAMAGED;
	int result = line_locate(a->txn, l->number, l->ordinal, is_first ? h->parent->incarnation : h->incarnation,
	                         is_first ? h->parent->seq : h->seq - 1, &at, &is_exact);
	if (!result && (!is_exact || at >= ordinal))
		result = ERR_DAMAGED;
	if (result || at < l->trimmed)
		return result;
	if (at > l->trimmed) {
		result = journal_read_line(a->txn, l->number, at, &a->arena, &position, &item, NULL);
		if (!result)
			result = entry_hash(codec_bytes(item->header), &hash, NULL);
	}
	return result || hash_stands(h->previous_hash, &hash) ? result : ERR_DAMAGED;
}

/* OK, and in *fault what is wrong with the signed head; or a fault of the machine. */
static int heads_verify(struct audit *a, const struct line *l, const Lm__Header *h, const struct hash *entry,
                        const Lm__SignedHeads *heads, const char **fault, struct error *e)
{
	uint8_t key[KEY_BYTES];
	struct hash head, digest;
	*fault = NULL;
	int result = heads ? a->signing_key(a->context, l->key.origin, heads->generation, key) : ERR_NOT_FOUND;
	if (result)
		return result == ERR_NOT_FOUND ? OK
		                               : error_set(e, result, "a key cannot be read: %s", error_name(result));
	a->out->signatures++;
	if (heads->origin != l->key.origin || heads->suite != SUITE_INTERNATIONAL ||
	    heads->signature.len != SIGNATURE_BYTES || heads->hashes.len % HASH_BYTES) {
		*fault = "its signed head cannot be read";
		return OK;
	}
	result = head_hash(h, entry, &head, e);
	if (!result)
		result = heads_digest(heads, &digest, e);
	if (result)
		return result;
	size_t at = 0;
	while (at < heads->hashes.len && memcmp(heads->hashes.data + at, head.byte, HASH_BYTES) != 0)
		at += HASH_BYTES;
	result = at == heads->hashes.len
	                 ? ERR_BAD_SIGNATURE
	                 : sign_check(SUITE_INTERNATIONAL, key, BYTES_OF(digest), heads->signature.data, e);
	if (result == ERR_BAD_SIGNATURE)
		*fault = "its signed head does not verify";
	return *fault ? OK : result;
}

static int item_verify(struct audit *a, const struct line *l, uint64_t ordinal, uint64_t position,
                       const Lm__TapeItem *item, struct hash *previous, struct error *e)
{
	Lm__Header *h;
	struct hash payload, envelope_hash, entry;
	struct bytes content = codec_bytes(item->payload), envelope;
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), &a->arena, &h, e);
	if (error_is_of_machine(result))
		return result;
	if (result)
		return damaged(e, l, ordinal, position, "its header cannot be read");
	if (item->line != l->number || item->ordinal != ordinal)
		return damaged(e, l, ordinal, position, "it stands in another place than it says");
	if (h->origin != l->key.origin || h->stream != l->key.stream || h->receiver != l->key.receiver)
		return damaged(e, l, ordinal, position, "it belongs to another stream");
	result = crypto_hash(SUITE_INTERNATIONAL, &content, 1, &payload, e);
	if (!result)
		result = entry_hash(codec_bytes(item->header), &entry, e);
	if (!result)
		result = journal_envelope(a->txn, h, position, &a->arena, &envelope);
	if (!result && envelope.size)
		result = crypto_hash(SUITE_INTERNATIONAL, &envelope, 1, &envelope_hash, e);
	if (result)
		return result;
	if (!hash_stands(h->payload_hash, &payload))
		return damaged(e, l, ordinal, position, "its payload is not the one its header names");
	if (envelope.size && !hash_stands(h->envelope_hash, &envelope_hash))
		return damaged(e, l, ordinal, position, "its key envelope is not the one its header names");
	if (ordinal > 1 && !hash_stands(h->previous_hash, previous))
		result = parent_verify(a, l, ordinal, h);
	if (error_is_of_machine(result))
		return error_set(e, result, "the chain cannot be followed: %s", error_name(result));
	if (result)
		return damaged(e, l, ordinal, position, "it does not continue the entry before it");
	*previous = entry;
	const char *fault;
	result = heads_verify(a, l, h, &entry, item->heads, &fault, e);
	return fault ? damaged(e, l, ordinal, position, fault) : result;
}

static int line_verify(struct audit *a, const struct line *l, struct error *e)
{
	struct hash previous = l->trimmed_hash;
	int result = OK;
	for (uint64_t ordinal = l->trimmed + 1; ordinal <= l->ordinal && !result; ordinal++) {
		uint64_t position = 0;
		Lm__TapeItem *item;
		arena_reset(&a->arena);
		result = journal_read_line(a->txn, l->number, ordinal, &a->arena, &position, &item, e);
		if (result == ERR_NOT_FOUND)
			return damaged(e, l, ordinal, position, "it is missing");
		if (result == ERR_INVALID)
			return damaged(e, l, ordinal, position, "it cannot be read");
		if (!result)
			result = item_verify(a, l, ordinal, position, item, &previous, e);
		int failure = store_failure(a->txn, e);
		result = failure ? failure : result;
		a->out->items++;
	}
	if (!result && l->ordinal && memcmp(previous.byte, l->hash.byte, HASH_BYTES) != 0)
		return damaged(e, l, l->ordinal, 0, "the line's head is another one");
	a->out->lines++;
	return result;
}

int journal_verify(struct journal *j, struct store_txn *txn,
                   int (*signing_key)(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES]),
                   void *context, struct journal_audit *out, struct error *e)
{
	struct audit a = { .txn = txn, .signing_key = signing_key, .context = context, .out = out };
	memset(out, 0, sizeof *out);
	arena_init(&a.arena, 16 * 1024 * 1024);
	int result = OK;
	for (uint32_t i = 0; i < j->committed_line_count && !result; i++)
		result = line_verify(&a, &j->slot[i].committed.line, e);
	arena_release(&a.arena);
	return result;
}
