/*
 * A neighbour's entries, checked against the head of their line: next, known, gap, rollback, clone.
 *
 *   what the entry says                                      what it is
 *   incarnation = head's, seq = head's + 1, cites the head   next: placed
 *   incarnation = head's, seq ≤ head's                       known: duplicate, or clone if the hash differs
 *   incarnation = head's, seq > head's + 1                   gap
 *   seq 1 of an unknown incarnation, parent = head           next: placed, a new segment begins
 *   seq 1 of an unknown incarnation, parent behind the head  rollback: placed, told, the old incarnation is closed
 *   seq 1 of an unknown incarnation, no parent               rollback to before the first entry
 *   seq 1 of an unknown incarnation, parent beyond the head  gap
 *   the same, and what the sender has before it is unknown   gap
 *   an earlier incarnation, position known                   duplicate, or clone if the hash differs
 *   an earlier incarnation, beyond where it ended            clone: the line freezes
 *   seq 1 that cites as parent a place beyond such an end    clone, too
 *
 * After a release (history.c) an earlier incarnation that was let go on, or closed, may be continued beyond its end:
 * then this is next, and what lies further on a gap. What fits nowhere in a closed history freezes nothing any more.
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

/* Where an incarnation ends here: its newest entry. */
static int left_end(struct journal *j, struct slot *s, uint64_t incarnation, uint64_t *ordinal, uint64_t *seq)
{
	const struct line *l = &s->now.line;
	bool is_exact;
	uint64_t same;
	int result = line_locate(j->txn, l->number, l->ordinal, incarnation, UINT64_MAX, ordinal, &is_exact);
	return result ? result : journal_coordinates(j->txn, l->number, *ordinal, &same, seq);
}

/* Beyond the end of an incarnation after which others came. */
static int fit_left(struct journal *j, struct slot *s, const Lm__Header *h, enum fit *fit, struct error *e)
{
	struct hash hash;
	uint64_t ordinal, seq;
	*fit = FIT_CLONE;
	if (!history_is_settled(j, &s->now.line, h->incarnation))
		return OK;
	int result = left_end(j, s, h->incarnation, &ordinal, &seq);
	if (result)
		return fit_fault(j, &s->now.line, result, e);
	result = known_hash(j, s, h->incarnation, seq, &hash, &ordinal);
	if (result && result != ERR_ABSENT)
		return fit_fault(j, &s->now.line, result, e);
	if (h->seq > seq + 1)
		*fit = FIT_GAP;
	else if (result == ERR_ABSENT || hash_is(h->previous_hash, &hash))
		*fit = FIT_NEXT;
	return OK;
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
		return fit_left(j, s, entry->header, fit, e);
	else if (result)
		return fit_fault(j, &s->now.line, result, e);
	else
		*fit = memcmp(hash.byte, entry->hash.byte, HASH_BYTES) ? FIT_CLONE : FIT_DUPLICATE;
	return OK;
}

/* Whether the parent at `ordinal` is where its history goes on. */
static int parent_ends(struct journal *j, struct slot *s, const Lm__Parent *parent, uint64_t ordinal, bool *out)
{
	uint64_t end, seq;
	*out = ordinal == s->now.line.ordinal;
	if (*out || !history_is_settled(j, &s->now.line, parent->incarnation))
		return OK;
	int result = left_end(j, s, parent->incarnation, &end, &seq);
	*out = !result && end == ordinal;
	return result;
}

/* The first entry of an incarnation that is new here. */
static int fit_first(struct journal *j, struct slot *s, const Lm__Header *h, enum fit *fit, struct error *e)
{
	const struct line *l = &s->now.line;
	struct hash hash;
	uint64_t ordinal;
	if (!h->parent) { /* an image from before the first entry lies behind any head */
		*fit = !l->ordinal ? FIT_NEXT : h->previous_hash.len ? FIT_CLONE : FIT_ROLLBACK;
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
		*fit = history_is_settled(j, l, h->parent->incarnation) ? FIT_GAP : FIT_CLONE;
	else if (result)
		return fit_fault(j, l, result, e);
	else if (!hash_is(h->parent->hash, &hash) || !hash_is(h->previous_hash, &hash))
		*fit = FIT_CLONE;
	else {
		bool is_end;
		result = parent_ends(j, s, h->parent, ordinal, &is_end);
		if (result)
			return fit_fault(j, l, result, e);
		*fit = is_end ? FIT_NEXT : FIT_ROLLBACK;
	}
	return OK;
}

/* A message was lost before this one: in the order of whoever passes it on something lies between. */
static int follows_unknown(struct journal *j, const struct slot *s, const struct checked_entry *entry, enum fit *fit,
                           struct error *e)
{
	const struct line *l = &s->now.line;
	uint64_t ordinal;
	bool is_exact = false;
	if (!entry->follows.seq)
		return OK;
	int result = line_locate(j->txn, l->number, l->ordinal, entry->follows.incarnation, entry->follows.seq,
	                         &ordinal, &is_exact);
	if (result && result != ERR_NOT_FOUND)
		return fit_fault(j, l, result, e);
	if (!is_exact)
		*fit = FIT_GAP;
	return OK;
}

static int chain_fit(struct journal *j, struct slot *s, const struct checked_entry *entry, enum fit *fit,
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

static int entry_fit(struct journal *j, struct slot *s, const struct checked_entry *entry, enum fit *fit,
                     struct error *e)
{
	int result = chain_fit(j, s, entry, fit, e);
	bool is_taken = !result && (*fit == FIT_NEXT || *fit == FIT_ROLLBACK);
	return is_taken ? follows_unknown(j, s, entry, fit, e) : result;
}

#define QUARANTINE_MOST 4096 /* a clone that keeps talking must not fill the map */
#define QUARANTINE_PERCENT_MOST 75

static struct bytes quarantine_key(uint32_t line, const struct hash *hash, uint8_t memory[QUARANTINE_KEY_BYTES])
{
	struct writer w = writer_over(memory, QUARANTINE_KEY_BYTES);
	write_u32(&w, line);
	write_bytes(&w, BYTES_OF(*hash));
	return BYTES(memory, w.size);
}

struct bytes aside_envelope_key(const Lm__Header *h, const struct hash *hash, uint8_t memory[ENVELOPE_KEY_BYTES])
{
	struct reader r = reader_over(BYTES_OF(*hash));
	return envelope_key(header_subject(h), read_u64(&r) | QUARANTINE_ENVELOPE, memory);
}

static uint64_t aside_bytes(const struct checked_entry *entry)
{
	return entry_bytes(entry->header_packed.size, entry->payload.size, entry->envelope_packed.size);
}

/* Kept, sealed as it came, for an operator; nothing of it is applied. The same entry sent again is kept once. */
static int quarantine_put(struct journal *j, struct slot *s, const struct checked_entry *entry,
                          Lm__Disposition disposition, const char *why, struct error *e)
{
	uint8_t memory[QUARANTINE_KEY_BYTES], envelope_memory[ENVELOPE_KEY_BYTES];
	uint32_t line = s ? s->now.line.number : 0; /* 0: nothing of its line is here */
	struct bytes key = quarantine_key(line, &entry->hash, memory);
	struct store_usage usage;
	store_usage_read(j->store, &usage);
	if (usage.percent >= QUARANTINE_PERCENT_MOST || journal_quarantine_count(j->txn) >= QUARANTINE_MOST ||
	    store_has(j->txn, &journal_table_quarantine, key))
		return store_failure(j->txn, e);
	if (s && slot_touch(j, s))
		return error_set(e, ERR_MEMORY, "no memory to keep an entry aside");
	Lm__TapeItem item = LM__TAPE_ITEM__INIT;
	item.disposition = disposition;
	item.line = line;
	item.header = codec_data(entry->header_packed);
	item.payload = codec_data(entry->payload);
	item.heads = (Lm__SignedHeads *)(uintptr_t)entry->heads;
	item.reason = (char *)(uintptr_t)(why ? why : "");
	item.taken_ms = j->now_ms;
	row_write(j, &journal_table_quarantine, key, &item.base, false);
	waiting_put_aside(j, key);
	if (entry->envelope_packed.size)
		store_put(j->txn, &journal_table_envelope,
		          aside_envelope_key(entry->header, &entry->hash, envelope_memory), entry->envelope_packed);
	if (s)
		s->now.line.bytes += aside_bytes(entry);
	return store_failure(j->txn, e);
}

/* It is on the tape now: what was kept aside of it goes. */
static int quarantine_remove(struct journal *j, struct slot *s, const struct checked_entry *entry)
{
	uint8_t memory[QUARANTINE_KEY_BYTES], envelope_memory[ENVELOPE_KEY_BYTES];
	struct line *l = &s->now.line;
	struct bytes key = quarantine_key(l->number, &entry->hash, memory);
	if (!store_has(j->txn, &journal_table_quarantine, key))
		return OK;
	if (slot_touch(j, s))
		return store_fail(j->txn, ERR_MEMORY, "no memory for an entry that was kept aside");
	l->bytes -= l->bytes < aside_bytes(entry) ? l->bytes : aside_bytes(entry); /* an older version did not count */
	store_delete(j->txn, &journal_table_quarantine, key);
	store_delete(j->txn, &journal_table_envelope, aside_envelope_key(entry->header, &entry->hash, envelope_memory));
	return waiting_remove_aside(j, key);
}

int journal_set_aside(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition,
                      const char *why)
{
	struct line_key key = { entry->header->origin, entry->header->stream, entry->header->receiver };
	return quarantine_put(j, slot_find(j, &key), entry, disposition, why, NULL);
}

static int entry_freeze(struct journal *j, struct slot *s, const struct checked_entry *entry, int code, struct error *e)
{
	struct line *l = &s->now.line;
	const Lm__Header *h = entry->header;
	if (slot_touch(j, s))
		return error_set(e, ERR_MEMORY, "no memory to freeze line %u", l->number);
	if (!l->is_frozen) {
		struct history fork = { h->incarnation, h->seq };
		char why[sizeof l->frozen_why];
		snprintf(why, sizeof why, "two histories: %016llx-%llu is stored, %016llx-%llu does not continue it",
		         (unsigned long long)l->incarnation, (unsigned long long)l->seq,
		         (unsigned long long)h->incarnation, (unsigned long long)h->seq);
		line_freeze(l, &fork, why);
	}
	int result = quarantine_put(j, s, entry, LM__DISPOSITION__DISPOSITION_FROZEN, l->frozen_why, e);
	if (result)
		return result;
	return error_set(e, code, "stream %d of device %016llx is frozen: %s", (int)l->key.stream,
	                 (unsigned long long)l->key.origin, l->frozen_why);
}

/* It fits nowhere in the history that was closed: no reason to stop the one that goes on. */
static int entry_keep_aside(struct journal *j, struct slot *s, const struct checked_entry *entry, struct error *e)
{
	static const char why[] = "it fits nowhere in a history that was closed";
	int result = quarantine_put(j, s, entry, LM__DISPOSITION__DISPOSITION_FROZEN, why, e);
	return result ? result
	              : error_set(e, ERR_FROZEN, "stream %d of device %016llx: %s", (int)s->now.line.key.stream,
	                          (unsigned long long)s->now.line.key.origin, why);
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
	if (!result && s->now.line.released.seq)
		quarantine_remove(j, s, entry);
	return result ? result : store_failure(j->txn, e);
}

static int gap(const Lm__Header *h, struct error *e)
{
	return error_set(e, ERR_GAP, "entries before incarnation %016llx seq %llu are missing",
	                 (unsigned long long)h->incarnation, (unsigned long long)h->seq);
}

/* It follows: in order, or behind the head. */
static int entry_follow(struct journal *j, struct slot *s, const struct checked_entry *entry,
                        Lm__Disposition disposition, const char *why, bool is_behind, struct placed *out,
                        enum reception *how, struct error *e)
{
	const Lm__Header *h = entry->header;
	struct line before = s->now.line;
	const char *closed_why;
	if (slot_touch(j, s))
		return error_set(e, ERR_MEMORY, "no memory for an entry");
	int result = h->seq == 1 ? history_inherit(j, &s->now.line, h, is_behind) : OK;
	if (result)
		return store_failure(j->txn, e) ? store_failure(j->txn, NULL) : result;
	bool is_closed = history_is_closed(j, before.number, h->incarnation, h->seq, &closed_why);
	if (is_closed)
		result = received_place(j, s, entry, LM__DISPOSITION__DISPOSITION_QUARANTINED, closed_why, out, e);
	else
		result = received_place(j, s, entry, disposition, why, out, e);
	if (result)
		return result;
	s->now.line.generation = entry->generation;
	if (is_behind) {
		s->now.line.rollbacks++;
		s->now.line.closed_incarnation = before.incarnation;
		s->now.line.closed_seq = before.seq;
	}
	*how = is_closed ? RECEIVED_CLOSED : is_behind ? RECEIVED_BEHIND : RECEIVED;
	return OK;
}

static bool is_of_closed(struct journal *j, uint32_t line, const Lm__Header *h)
{
	return history_is_closed(j, line, h->incarnation, h->seq, NULL) ||
	       (h->parent && history_is_closed(j, line, h->parent->incarnation, h->parent->seq + 1, NULL));
}

/* Nothing more is taken; what is not here yet is kept for an operator. */
static int frozen_receive(struct journal *j, struct slot *s, const struct checked_entry *entry, enum fit fit,
                          struct error *e)
{
	if (fit != FIT_DUPLICATE)
		return entry_freeze(j, s, entry, ERR_FROZEN, e);
	return error_set(e, ERR_FROZEN, "stream %d of device %016llx is frozen: %s", (int)s->now.line.key.stream,
	                 (unsigned long long)s->now.line.key.origin, s->now.line.frozen_why);
}

int entry_receive(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition, const char *why,
                  bool is_aside, struct placed *out, enum reception *how, struct error *e)
{
	const Lm__Header *h = entry->header;
	struct line_key key = { h->origin, h->stream, h->receiver };
	struct slot *s = slot_find(j, &key);
	if (!s && (h->seq != 1 || h->parent || entry->follows.seq))
		return gap(h, e); /* nothing of this line is here: no line is made for what cannot be placed */
	int result = s ? OK : slot_make(j, &key, &s, e);
	enum fit fit;
	if (!result)
		result = entry_fit(j, s, entry, &fit, e);
	if (result)
		return result;
	*how = RECEIVED;
	if (s->now.line.is_frozen)
		return frozen_receive(j, s, entry, fit, e);
	if (is_aside && (fit == FIT_ROLLBACK || fit == FIT_CLONE))
		fit = FIT_GAP;
	if ((fit == FIT_NEXT || fit == FIT_ROLLBACK) && entry->generation < s->now.line.generation)
		return error_set(e, ERR_BAD_SIGNATURE,
		                 "device %016llx signed with keys that it replaced before (generation %u, known: %u)",
		                 (unsigned long long)h->origin, entry->generation, s->now.line.generation);
	switch (fit) {
	case FIT_ROLLBACK:
	case FIT_NEXT:
		return entry_follow(j, s, entry, disposition, why, fit == FIT_ROLLBACK, out, how, e);
	case FIT_DUPLICATE:
		if (s->now.line.released.seq && quarantine_remove(j, s, entry))
			return store_failure(j->txn, e);
		return error_set(e, ERR_DUPLICATE, "this entry is stored already");
	case FIT_GAP:
		return gap(h, e);
	case FIT_CLONE:
		if (is_of_closed(j, s->now.line.number, h))
			return entry_keep_aside(j, s, entry, e);
		return entry_freeze(j, s, entry, ERR_CLONE, e);
	}
	return ERR_INTERNAL;
}

int journal_receive(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition, const char *why,
                    struct placed *out, enum reception *how, struct error *e)
{
	return entry_receive(j, entry, disposition, why, false, out, how, e);
}
