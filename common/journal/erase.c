/*
 * Erasing: the envelopes go, what they were for stays. A payload without its envelope is random bytes to everybody; its
 * header and hash stand, so chains verify, and whoever looks finds the payload absent.
 */
#include <string.h>

#include "inside.h"

/* What waits for an operator, or waited, keeps its disposition. */
static int item_mark(struct journal *j, uint64_t position, const Lm__ErasedFacts *facts, struct error *e)
{
	Lm__TapeItem *item;
	int result = journal_read(j->txn, position, &j->arena, &item, e);
	if (result == ERR_NOT_FOUND)
		return OK;
	if (result)
		return result;
	if (item->disposition == LM__DISPOSITION__DISPOSITION_APPLIED)
		item->disposition = LM__DISPOSITION__DISPOSITION_ERASED;
	item->facts = (Lm__ErasedFacts *)(uintptr_t)facts;
	return item_write(j, position, item, false, e);
}

/* What was placed in this turn must not leave from memory with what is destroyed in it. */
static int destroyed_note(struct journal *j, struct error *e)
{
	j->recent_count = 0;
	j->has_erased = true;
	store_rekey_request(j->txn);
	return store_failure(j->txn, e);
}

static int envelope_destroy(struct journal *j, struct bytes key, uint64_t position, const Lm__ErasedFacts *facts,
                            struct error *e)
{
	store_delete(j->txn, &journal_table_envelope, key);
	return position & QUARANTINE_ENVELOPE ? OK : item_mark(j, position, facts, e);
}

/* The first envelope of the subject at or after *position. */
static int envelope_next(struct store_txn *txn, struct bytes subject, uint64_t *position)
{
	uint8_t memory[ENVELOPE_KEY_BYTES];
	struct store_cursor *c;
	struct bytes key, first = envelope_key(subject, *position, memory);
	int result = store_cursor_open(txn, &journal_table_envelope, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, first, NULL, &key, NULL);
	if (!result && (key.size != first.size || memcmp(key.data, first.data, first.size - 8) != 0))
		result = ERR_NOT_FOUND;
	if (!result) {
		struct reader r = reader_over(BYTES(key.data + first.size - 8, 8));
		*position = read_u64(&r);
	}
	store_cursor_close(c);
	return result;
}

int journal_erase(struct journal *j, struct bytes subject, const Lm__ErasedFacts *facts, uint64_t *count,
                  struct error *e)
{
	uint64_t position = 0;
	*count = 0;
	if (subject.size != ENVELOPE_KEY_BYTES - 8)
		return error_set(e, ERR_INVALID, "an id of %zu bytes", subject.size);
	int result;
	while ((result = envelope_next(j->txn, subject, &position)) == OK) {
		uint8_t memory[ENVELOPE_KEY_BYTES];
		result = envelope_destroy(j, envelope_key(subject, position, memory), position, facts, e);
		if (result)
			return result;
		++*count;
	}
	return result == ERR_NOT_FOUND ? destroyed_note(j, e) : store_failure(j->txn, e);
}

int journal_erase_entry(struct journal *j, uint64_t position, struct error *e)
{
	Lm__TapeItem *item;
	Lm__Header *h;
	uint8_t memory[ENVELOPE_KEY_BYTES];
	int result = journal_read(j->txn, position, &j->arena, &item, e);
	if (!result)
		result = CODEC_UNPACK(lm__header, codec_bytes(item->header), &j->arena, &h, e);
	if (!result)
		result = envelope_destroy(j, envelope_key(header_subject(h), position, memory), position, NULL, e);
	return result ? result : destroyed_note(j, e);
}

int journal_unnamed_next(struct store_txn *txn, uint64_t *position, struct error *e)
{
	int result = envelope_next(txn, (struct bytes){ 0 }, position);
	if (!result && (*position & QUARANTINE_ENVELOPE))
		result = ERR_NOT_FOUND;
	return result == ERR_NOT_FOUND ? error_set(e, result, "there is no such entry")
	       : result                ? store_failure(txn, e)
	                               : OK;
}
