/*
 * Checking what is stored: every line's chain from its start or from where it was trimmed, every payload against its
 * header, every signed head.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

struct audit {
	struct store_txn *txn;
	int (*signing_key)(void *context, uint64_t origin, uint8_t key[KEY_BYTES]);
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

static int item_verify(struct audit *a, const struct line *l, uint64_t ordinal, uint64_t position, const Lm__TapeItem *item, struct hash *previous, struct error *e)
{
	Lm__Header *h;
	struct hash payload, entry, head, digest;
	struct bytes content = codec_bytes(item->payload);
	if (CODEC_UNPACK(lm__header, codec_bytes(item->header), &a->arena, &h, NULL))
		return damaged(e, l, ordinal, position, "its header cannot be read");
	if (item->line != l->number || item->ordinal != ordinal)
		return damaged(e, l, ordinal, position, "it stands in another place than it says");
	int result = crypto_hash(SUITE_INTERNATIONAL, &content, 1, &payload, e);
	if (!result)
		result = entry_hash(codec_bytes(item->header), &entry, e);
	if (result)
		return result;
	if (h->payload_hash.len != HASH_BYTES || memcmp(h->payload_hash.data, payload.byte, HASH_BYTES) != 0)
		return damaged(e, l, ordinal, position, "its payload is not the one its header names");
	if (ordinal > 1 &&
	    (h->previous_hash.len != HASH_BYTES || memcmp(h->previous_hash.data, previous->byte, HASH_BYTES) != 0) &&
	    !(h->seq == 1 && l->rollbacks))
		return damaged(e, l, ordinal, position, "it does not continue the entry before it");
	*previous = entry;
	uint8_t key[KEY_BYTES];
	if (!item->heads || a->signing_key(a->context, l->key.origin, key))
		return OK;
	a->out->signatures++;
	if (head_hash(h, &entry, &head, NULL) || heads_digest(item->heads, &digest, NULL) ||
	    item->heads->signature.len != SIGNATURE_BYTES ||
	    !memmem(item->heads->hashes.data, item->heads->hashes.len, head.byte, HASH_BYTES) ||
	    sign_check((uint8_t)item->heads->suite, key, BYTES_OF(digest), item->heads->signature.data, NULL))
		return damaged(e, l, ordinal, position, "its signed head does not verify");
	return OK;
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
		if (!result)
			result = item_verify(a, l, ordinal, position, item, &previous, e);
		a->out->items++;
	}
	if (!result && l->ordinal && memcmp(previous.byte, l->hash.byte, HASH_BYTES) != 0)
		return damaged(e, l, l->ordinal, 0, "the line's head is another one");
	a->out->lines++;
	return result;
}

int journal_verify(struct journal *j, struct store_txn *txn, int (*signing_key)(void *context, uint64_t origin, uint8_t key[KEY_BYTES]), void *context, struct journal_audit *out, struct error *e)
{
	struct audit a = { .txn = txn, .signing_key = signing_key, .context = context, .out = out };
	memset(out, 0, sizeof *out);
	arena_init(&a.arena, 8 * 1024 * 1024);
	int result = OK;
	for (uint32_t i = 0; i < j->committed_line_count && !result; i++)
		result = line_verify(&a, &j->slot[i].committed.line, e);
	arena_release(&a.arena);
	return result;
}
