/*
 * A neighbour's entries, checked against the head of their line: next, known, gap, rollback, clone.
 *
 *   what the entry says                                      what it is
 *   incarnation = head's, seq = head's + 1, cites the head   next: placed
 *   incarnation = head's, seq ≤ head's                       known: duplicate, or clone if the hash differs
 *   incarnation = head's, seq > head's + 1                   gap
 *   seq 1 of an unknown incarnation, parent = head           next: placed, a new segment begins
 *   seq 1 of an unknown incarnation, parent behind the head  rollback: placed, told, the old incarnation is closed
 *   seq 1 of an unknown incarnation, parent beyond the head  gap
 *   an earlier incarnation, position known                   duplicate, or clone if the hash differs
 *   an earlier incarnation, beyond where it ended            clone: the line freezes
 *   seq 1 that cites as parent a place beyond such an end    clone, too
 */
#include <stdio.h>
#include <string.h>

#include "inside.h"

/* The hash that stands at (incarnation, seq) here. ERR_NOT_FOUND: the incarnation is unknown; ERR_CLOSED: it ended
 * before; ERR_ABSENT: trimmed; or a store fault. */
static int known_hash(struct journal *j, struct slot *s, uint64_t incarnation, uint64_t seq, struct hash *out,
                      uint64_t *ordinal)
{
	const struct line *l = &s->now.line;
	if (l->ordinal && incarnation == l->incarnation && seq == l->seq) {
		*out = l->hash;
		*ordinal = l->ordinal;
		return OK;
	}
	bool is_exact;
	run_write(j, s); /* an entry of this very turn may come again within it */
	int result = line_locate(j->txn, l->number, l->ordinal, incarnation, seq, ordinal, &is_exact);
	if (result)
		return result;
	if (!is_exact)
		return ERR_CLOSED;
	if (*ordinal == l->trimmed) {
		*out = l->trimmed_hash;
		return OK;
	}
	if (*ordinal < l->trimmed)
		return ERR_ABSENT;
	uint64_t position;
	Lm__TapeItem *item;
	result = journal_read_line(j->txn, l->number, *ordinal, &j->arena, &position, &item, NULL);
	if (result == ERR_NOT_FOUND)
		return store_fail(j->txn, ERR_DAMAGED, "line %u lacks entry %llu", l->number,
		                  (unsigned long long)*ordinal);
	return result ? result : entry_hash(codec_bytes(item->header), out, NULL);
}

static bool hash_is(ProtobufCBinaryData data, const struct hash *hash)
{
	return data.len == HASH_BYTES && memcmp(data.data, hash->byte, HASH_BYTES) == 0;
}

enum fit { FIT_NEXT, FIT_ROLLBACK, FIT_DUPLICATE, FIT_GAP, FIT_CLONE };

/* Not knowing for want of memory or of a readable row is no verdict on the sender. */
static int fit_fault(struct journal *j, const struct line *l, int code, struct error *e)
{
	int failure = store_failure(j->txn, e);
	return failure ? failure : error_set(e, code, "cannot look up what line %u holds", l->number);
}

/* The position is one that this line has passed, or it claims to. */
static int fit_known(struct journal *j, struct slot *s, const struct checked_entry *entry, enum fit *fit,
                     struct error *e)
{
	struct hash hash;
	uint64_t ordinal;
	int result = known_hash(j, s, entry->header->incarnation, entry->header->seq, &hash, &ordinal);
	if (result == ERR_ABSENT)
		*fit = FIT_DUPLICATE; /* trimmed: only what the district has is trimmed */
	else if (result == ERR_CLOSED)
		*fit = FIT_CLONE;
	else if (result)
		return fit_fault(j, &s->now.line, result, e);
	else
		*fit = memcmp(hash.byte, entry->hash.byte, HASH_BYTES) ? FIT_CLONE : FIT_DUPLICATE;
	return OK;
}

/* The first entry of an incarnation that is new here. */
static int fit_first(struct journal *j, struct slot *s, const Lm__Header *h, enum fit *fit, struct error *e)
{
	const struct line *l = &s->now.line;
	struct hash hash;
	uint64_t ordinal;
	if (!h->parent) {
		*fit = l->ordinal ? FIT_CLONE : FIT_NEXT;
		return OK;
	}
	*fit = FIT_GAP;
	if (!l->ordinal || (h->parent->incarnation == l->incarnation && h->parent->seq > l->seq))
		return OK;
	int result = known_hash(j, s, h->parent->incarnation, h->parent->seq, &hash, &ordinal);
	if (result == ERR_NOT_FOUND)
		return OK;
	if (result == ERR_ABSENT)
		*fit = FIT_ROLLBACK;
	else if (result == ERR_CLOSED)
		*fit = FIT_CLONE;
	else if (result)
		return fit_fault(j, l, result, e);
	else if (!hash_is(h->parent->hash, &hash) || !hash_is(h->previous_hash, &hash))
		*fit = FIT_CLONE;
	else
		*fit = ordinal == l->ordinal ? FIT_NEXT : FIT_ROLLBACK;
	return OK;
}

static int entry_fit(struct journal *j, struct slot *s, const struct checked_entry *entry, enum fit *fit,
                     struct error *e)
{
	const Lm__Header *h = entry->header;
	const struct line *l = &s->now.line;
	if (l->ordinal && h->incarnation == l->incarnation) {
		if (h->seq <= l->seq)
			return fit_known(j, s, entry, fit, e);
		*fit = h->seq > l->seq + 1 ? FIT_GAP : hash_is(h->previous_hash, &l->hash) ? FIT_NEXT : FIT_CLONE;
		return OK;
	}
	uint64_t ordinal;
	bool is_exact;
	int result = l->ordinal
	                     ? line_locate(j->txn, l->number, l->ordinal, h->incarnation, h->seq, &ordinal, &is_exact)
	                     : ERR_NOT_FOUND;
	if (!result)
		return fit_known(j, s, entry, fit, e);
	if (result != ERR_NOT_FOUND)
		return fit_fault(j, l, result, e);
	*fit = FIT_GAP;
	return h->seq == 1 ? fit_first(j, s, h, fit, e) : OK;
}

#define QUARANTINE_MOST 4096 /* a clone that keeps talking must not fill the map */
#define QUARANTINE_PERCENT_MOST 75
#define QUARANTINE_KEY_BYTES (LINE_KEY_BYTES + HASH_BYTES)
#define QUARANTINE_ENVELOPE \
	(UINT64_C(1) << 63) /* stands for a position: the envelope of what has no place on the tape */

/* Kept, sealed as it came, for an operator; nothing of it is applied. The same entry sent again is kept once. */
static int quarantine_put(struct journal *j, uint32_t line, const struct checked_entry *entry,
                          Lm__Disposition disposition, const char *why, struct error *e)
{
	uint8_t memory[QUARANTINE_KEY_BYTES], envelope_memory[ENVELOPE_KEY_BYTES];
	struct writer w = writer_over(memory, sizeof memory);
	write_u32(&w, line);
	write_bytes(&w, BYTES_OF(entry->hash));
	struct bytes key = BYTES(memory, w.size);
	struct store_usage usage;
	store_usage_read(j->store, &usage);
	if (usage.percent >= QUARANTINE_PERCENT_MOST || journal_quarantine_count(j->txn) >= QUARANTINE_MOST ||
	    store_has(j->txn, &journal_table_quarantine, key))
		return store_failure(j->txn, e);
	Lm__TapeItem item = LM__TAPE_ITEM__INIT;
	item.disposition = disposition;
	item.line = line;
	item.header = codec_data(entry->header_packed);
	item.payload = codec_data(entry->payload);
	item.reason = (char *)(uintptr_t)(why ? why : "");
	item.taken_ms = j->now_ms;
	row_write(j, &journal_table_quarantine, key, &item.base, false);
	waiting_put_aside(j, key);
	if (entry->envelope_packed.size) {
		struct reader r = reader_over(BYTES_OF(entry->hash));
		uint64_t place = read_u64(&r) | QUARANTINE_ENVELOPE;
		store_put(j->txn, &journal_table_envelope,
		          envelope_key(codec_bytes(entry->header->request_id), place, envelope_memory),
		          entry->envelope_packed);
	}
	return store_failure(j->txn, e);
}

int journal_set_aside(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition,
                      const char *why)
{
	struct line_key key = { entry->header->origin, entry->header->stream, entry->header->receiver };
	const struct slot *s = slot_find(j, &key);
	return quarantine_put(j, s ? s->now.line.number : 0, entry, disposition, why, NULL);
}

static int entry_freeze(struct journal *j, struct slot *s, const struct checked_entry *entry, int code, struct error *e)
{
	struct line *l = &s->now.line;
	if (slot_touch(j, s))
		return error_set(e, ERR_MEMORY, "no memory to freeze line %u", l->number);
	if (!l->is_frozen) {
		l->is_frozen = true;
		snprintf(l->frozen_why, sizeof l->frozen_why,
		         "two histories: incarnation %016llx seq %llu does not continue what is stored",
		         (unsigned long long)entry->header->incarnation, (unsigned long long)entry->header->seq);
	}
	int result = quarantine_put(j, l->number, entry, LM__DISPOSITION__DISPOSITION_FROZEN, l->frozen_why, e);
	if (result)
		return result;
	return error_set(e, code, "stream %d of device %016llx is frozen: %s", (int)l->key.stream,
	                 (unsigned long long)l->key.origin, l->frozen_why);
}

static int received_place(struct journal *j, struct slot *s, const struct checked_entry *entry,
                          Lm__Disposition disposition, const char *why, struct placed *out, struct error *e)
{
	Lm__TapeItem item = LM__TAPE_ITEM__INIT;
	item.disposition = disposition;
	item.header = codec_data(entry->header_packed);
	item.payload = codec_data(entry->payload);
	item.heads = (Lm__SignedHeads *)(uintptr_t)entry->heads;
	item.reason = (char *)(uintptr_t)(why ? why : "");
	int result = entry_place(j, s, entry->header, &item, entry->envelope_packed, &entry->hash, out, e);
	if (!result && disposition == LM__DISPOSITION__DISPOSITION_QUARANTINED)
		waiting_put(j, out->position, (struct bytes){ 0 });
	return result ? result : store_failure(j->txn, e);
}

static int gap(const Lm__Header *h, struct error *e)
{
	return error_set(e, ERR_GAP, "entries before incarnation %016llx seq %llu are missing",
	                 (unsigned long long)h->incarnation, (unsigned long long)h->seq);
}

int journal_receive(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition, const char *why,
                    struct placed *out, bool *was_rollback, struct error *e)
{
	const Lm__Header *h = entry->header;
	struct line_key key = { h->origin, h->stream, h->receiver };
	struct slot *s = slot_find(j, &key);
	if (!s && (h->seq != 1 || h->parent))
		return gap(h, e); /* nothing of this line is here: no line is made for what cannot be placed */
	int result = s ? OK : slot_make(j, &key, &s, e);
	if (result)
		return result;
	if (s->now.line.is_frozen)
		return entry_freeze(j, s, entry, ERR_FROZEN, e);
	enum fit fit;
	struct line before = s->now.line;
	result = entry_fit(j, s, entry, &fit, e);
	if (result)
		return result;
	if ((fit == FIT_NEXT || fit == FIT_ROLLBACK) && entry->generation < before.generation)
		return error_set(e, ERR_BAD_SIGNATURE,
		                 "device %016llx signed with keys that it replaced before (generation %u, known: %u)",
		                 (unsigned long long)h->origin, entry->generation, before.generation);
	switch (fit) {
	case FIT_ROLLBACK:
	case FIT_NEXT:
		result = received_place(j, s, entry, disposition, why, out, e);
		if (!result)
			s->now.line.generation = entry->generation;
		if (!result && fit == FIT_ROLLBACK) {
			s->now.line.rollbacks++;
			s->now.line.closed_incarnation = before.incarnation;
			s->now.line.closed_seq = before.seq;
		}
		if (!result)
			*was_rollback = fit == FIT_ROLLBACK;
		return result;
	case FIT_DUPLICATE:
		return error_set(e, ERR_DUPLICATE, "this entry is stored already");
	case FIT_GAP:
		return gap(h, e);
	case FIT_CLONE:
		return entry_freeze(j, s, entry, ERR_CLONE, e);
	}
	return ERR_INTERNAL;
}
