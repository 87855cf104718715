/*
 * Placing entries: our own (chained, sealed, later signed) and those that came over a link (checked against the
 * line's head: next, known, gap, rollback, clone).
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

#include "base/ids.h"
#include "inside.h"

int row_write(struct journal *j, const struct store_table *table, struct bytes key, const ProtobufCMessage *row,
              bool is_append)
{
	struct bytes packed;
	struct error e;
	int result = codec_pack(row, &j->arena, &packed, &e);
	if (result)
		return store_fail(j->txn, result, "%s", e.text);
	return is_append ? store_append(j->txn, table, key, packed) : store_put(j->txn, table, key, packed);
}

int item_write(struct journal *j, uint64_t position, const Lm__TapeItem *item, bool is_new, struct error *e)
{
	uint8_t key[TAPE_KEY_BYTES];
	int result = row_write(j, &journal_table_tape, tape_key(position, key), &item->base, is_new);
	return result ? store_failure(j->txn, e) : OK;
}

int run_write(struct journal *j, struct slot *s)
{
	if (!s->is_run_unwritten)
		return OK;
	s->is_run_unwritten = false;
	Lm__Run row = LM__RUN__INIT;
	row.position = s->now.run.position;
	row.count = s->now.run.count;
	uint8_t key[ORDINAL_KEY_BYTES];
	return row_write(j, &journal_table_run, ordinal_key(s->now.line.number, s->now.run.ordinal, key), &row.base,
	                 false);
}

int run_extend(struct journal *j, struct slot *s, uint64_t ordinal, uint64_t position)
{
	struct run *r = &s->now.run;
	if (r->count && r->ordinal + r->count == ordinal && r->position + r->count == position) {
		r->count++;
		s->is_run_unwritten = true;
		return OK;
	}
	int result = run_write(j, s);
	*r = (struct run){ ordinal, position, 1 };
	s->is_run_unwritten = true;
	return result;
}

static int segment_begin(struct journal *j, const struct slot *s, uint64_t ordinal, const Lm__Header *h)
{
	Lm__Segment row = LM__SEGMENT__INIT;
	row.incarnation = h->incarnation;
	row.first_seq = h->seq;
	uint8_t key[ORDINAL_KEY_BYTES];
	return row_write(j, &journal_table_segment, ordinal_key(s->now.line.number, ordinal, key), &row.base, false);
}

/* The notice in a table of its own: an old payload finds its period without a walk along the line. */
static void period_write(struct journal *j, const Lm__Header *h, struct bytes payload)
{
	Lm__PeriodNotice *notice;
	struct error e = { 0 };
	int result = CODEC_UNPACK(lm__period_notice, payload, &j->arena, &notice, &e);
	if (result == ERR_MEMORY)
		store_fail(j->txn, result, "%s", e.text);
	if (result || notice->period_id.len != PERIOD_ID_BYTES)
		return; /* what it was to open is absent */
	uint8_t key[PERIOD_KEY_BYTES];
	store_put(j->txn, &journal_table_period, period_key(h->origin, codec_bytes(notice->period_id), key), payload);
}

/* Everything that is the same for an entry of ours and a neighbour's: rows, then the line's head. */
static int entry_place(struct journal *j, struct slot *s, const Lm__Header *h, Lm__TapeItem *item,
                       struct bytes envelope, const struct hash *hash, struct placed *out, struct error *e)
{
	struct line *l = &s->now.line;
	uint64_t ordinal = l->ordinal + 1, position = j->position + 1;
	item->line = l->number;
	item->ordinal = ordinal;
	item->taken_ms = j->now_ms;
	if (slot_touch(j, s)) /* first: what is not touched is not put back when the turn fails */
		return error_set(e, ERR_MEMORY, "no memory for an entry");
	item_write(j, position, item, true, NULL);
	if (envelope.size) {
		uint8_t key[ENVELOPE_KEY_BYTES];
		store_put(j->txn, &journal_table_envelope, envelope_key(codec_bytes(h->request_id), position, key),
		          envelope);
	}
	if (h->kind == LM__KIND__KIND_PERIOD)
		period_write(j, h, codec_bytes(item->payload));
	if (l->ordinal == 0 || h->incarnation != l->incarnation)
		segment_begin(j, s, ordinal, h);
	run_extend(j, s, ordinal, position);
	int result = store_failure(j->txn, e);
	if (result)
		return result;
	l->ordinal = ordinal;
	l->incarnation = h->incarnation;
	l->seq = h->seq;
	l->hash = *hash;
	j->position = position;
	*out = (struct placed){ l->number, ordinal, position, *hash };
	return OK;
}

/* ---- our own ---- */

static int header_finish(struct journal *j, const struct slot *s, Lm__Header *h, struct error *e)
{
	const struct line *l = &s->now.line;
	h->suite = SUITE_INTERNATIONAL;
	h->origin = j->device;
	h->incarnation = j->incarnation;
	h->stream = l->key.stream;
	h->receiver = l->key.receiver;
	bool continues = l->ordinal && l->incarnation == j->incarnation;
	h->seq = continues ? l->seq + 1 : 1;
	h->parent = NULL;
	h->previous_hash = h->payload_hash = h->envelope_hash = (ProtobufCBinaryData){ 0 };
	if (!l->ordinal)
		return OK;
	/* Copies: the caller's header is read after the line has moved on. */
	struct hash *previous = arena_copy(&j->arena, &l->hash, sizeof l->hash);
	Lm__Parent *parent = continues ? NULL : arena_alloc(&j->arena, sizeof *parent);
	if (!previous || (!continues && !parent))
		return error_set(e, ERR_MEMORY, "no memory for an entry");
	h->previous_hash = codec_data(BYTES(previous->byte, HASH_BYTES));
	if (!parent)
		return OK;
	lm__parent__init(parent);
	parent->incarnation = l->incarnation;
	parent->seq = l->seq;
	parent->hash = h->previous_hash;
	h->parent = parent;
	return OK;
}

static int hash_into(struct journal *j, struct bytes content, ProtobufCBinaryData *field, struct error *e)
{
	struct hash *hash = arena_alloc(&j->arena, sizeof *hash);
	if (!hash)
		return error_set(e, ERR_MEMORY, "no memory for an entry");
	int result = crypto_hash(SUITE_INTERNATIONAL, &content, 1, hash, e);
	*field = codec_data(BYTES(hash->byte, HASH_BYTES));
	return result;
}

/* Header complete but for its hashes; packs, hashes, places. */
static int own_place(struct journal *j, struct slot *s, Lm__Header *h, struct bytes payload, struct bytes envelope,
                     struct placed *out, struct error *e)
{
	int result = hash_into(j, payload, &h->payload_hash, e);
	if (!result && envelope.size)
		result = hash_into(j, envelope, &h->envelope_hash, e);
	struct bytes packed;
	struct hash hash;
	if (!result)
		result = CODEC_PACK(h, &j->arena, &packed, e);
	if (!result)
		result = entry_hash(packed, &hash, e);
	if (result)
		return result;
	Lm__TapeItem item = LM__TAPE_ITEM__INIT;
	item.disposition = LM__DISPOSITION__DISPOSITION_APPLIED;
	item.header = codec_data(packed);
	item.payload = codec_data(payload);
	struct placed placed;
	result = entry_place(j, s, h, &item, envelope, &hash, &placed, e);
	if (result)
		return result;
	s->last_position = placed.position;
	s->unsigned_count++;
	s->unsigned_bytes += (uint32_t)(packed.size + payload.size + envelope.size);
	if (s->unsigned_count >= SIGN_ENTRIES_MOST || s->unsigned_bytes >= SIGN_BYTES_MOST)
		result = lines_sign(j, &s, 1, e);
	if (!result)
		*out = placed;
	return result;
}

static int notice_pack(struct journal *j, const struct period_notice *n, struct bytes *out, struct error *e)
{
	Lm__PeriodNotice row = LM__PERIOD_NOTICE__INIT;
	Lm__PeriodWrap wrap[PERIOD_RECIPIENTS_MOST], *wraps[PERIOD_RECIPIENTS_MOST];
	row.suite = n->suite;
	row.period_id = codec_data(BYTES_OF(n->period_id));
	for (size_t i = 0; i < n->wrap_count; i++) {
		lm__period_wrap__init(&wrap[i]);
		wrap[i].recipient = n->wrap[i].recipient;
		wrap[i].opening_key = codec_data(BYTES_OF(n->wrap[i].opening_key));
		wrap[i].ephemeral = codec_data(BYTES_OF(n->wrap[i].ephemeral));
		wrap[i].sealed = codec_data(BYTES_OF(n->wrap[i].sealed));
		wraps[i] = &wrap[i];
	}
	row.wraps = wraps;
	row.n_wraps = n->wrap_count;
	return CODEC_PACK(&row, &j->arena, out, e);
}

/* A period key is announced in the stream before its first use. */
static int period_ensure(struct journal *j, struct slot *s, struct error *e)
{
	if (s->period && !period_is_spent(s->period, j->now_ms))
		return OK;
	period_end(s->period);
	s->period = NULL;
	struct period_notice notice;
	int result = period_begin(SUITE_INTERNATIONAL, s->now.recipient, s->now.recipient_count, j->now_ms, &s->period,
	                          &notice, e);
	if (result)
		return result;
	s->is_period_new = true;
	struct bytes payload;
	struct placed placed;
	Lm__Header h = LM__HEADER__INIT;
	h.kind = LM__KIND__KIND_PERIOD;
	h.time_ms = j->now_ms;
	result = notice_pack(j, &notice, &payload, e);
	if (!result)
		result = header_finish(j, s, &h, e);
	if (!result)
		result = own_place(j, s, &h, payload, (struct bytes){ 0 }, &placed, e);
	if (result) { /* a period that nobody was told of must not be used */
		period_end(s->period);
		s->period = NULL;
	}
	return result;
}

static int envelope_pack(struct journal *j, const struct envelope *env, struct bytes *out, struct error *e)
{
	Lm__Envelope row = LM__ENVELOPE__INIT;
	row.suite = env->suite;
	row.period_id = codec_data(BYTES_OF(env->period_id));
	row.index = env->index;
	row.wrapped_key = codec_data(BYTES_OF(env->wrapped_key));
	return CODEC_PACK(&row, &j->arena, out, e);
}

static int payload_seal(struct journal *j, struct slot *s, const Lm__Header *h, struct bytes plain,
                        struct bytes *sealed, struct bytes *envelope, struct error *e)
{
	uint8_t *memory = arena_alloc(&j->arena, plain.size + TAG_BYTES);
	if (!memory)
		return error_set(e, ERR_MEMORY, "no memory to seal a payload of %zu bytes", plain.size);
	uint8_t associated[80];
	struct envelope env;
	int result = period_seal(s->period, payload_associated(h, associated), plain, memory, &env, e);
	*sealed = BYTES(memory, plain.size + TAG_BYTES);
	return result ? result : envelope_pack(j, &env, envelope, e);
}

/* What every receiver would refuse, and with it all that follows, must not begin its way. */
static int draft_check(const struct draft *draft, struct error *e)
{
	const Lm__Header *h = draft->header;
	if (draft->is_sealed != kind_is_sealed(h->kind, draft->stream))
		return error_set(e, ERR_INTERNAL, "an entry of kind %d in stream %d is %s", (int)h->kind,
		                 (int)draft->stream, draft->is_sealed ? "never sealed" : "always sealed");
	if (h->request_id.len && h->request_id.len != ID_BYTES)
		return error_set(e, ERR_INVALID, "a request id of %zu bytes", h->request_id.len);
	if (draft->payload.size > PAYLOAD_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "an entry holds at most %u bytes, not %zu", PAYLOAD_BYTES_MOST,
		                 draft->payload.size);
	return OK;
}

int journal_append(struct journal *j, const struct draft *draft, struct placed *out, struct error *e)
{
	struct line_key key = { j->device, draft->stream, draft->receiver };
	struct slot *s = slot_find(j, &key);
	int result = draft_check(draft, e);
	if (!result && draft->is_sealed && (!s || !s->now.recipient_count))
		return error_set(e, ERR_NOT_READY, "the keys of the town and the district are not known here yet");
	if (!result && !s)
		result = slot_make(j, &key, &s, e);
	if (result)
		return result;
	if (draft->is_sealed)
		result = period_ensure(j, s, e);
	Lm__Header *h = draft->header;
	h->time_ms = j->now_ms;
	if (!result)
		result = header_finish(j, s, h, e);
	struct bytes payload = draft->payload, envelope = { 0 };
	if (!result && draft->is_sealed)
		result = payload_seal(j, s, h, draft->payload, &payload, &envelope, e);
	return result ? result : own_place(j, s, h, payload, envelope, out, e);
}

/* ---- a neighbour's ---- */

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
	return entry_place(j, s, entry->header, &item, entry->envelope_packed, &entry->hash, out, e);
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
	switch (fit) {
	case FIT_ROLLBACK:
	case FIT_NEXT:
		result = received_place(j, s, entry, disposition, why, out, e);
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
