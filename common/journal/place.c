/*
 * Placing entries: what is the same for all of them, then our own (chained, sealed, later signed).
 */
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
	row.step = s->now.run.step;
	uint8_t key[ORDINAL_KEY_BYTES];
	return row_write(j, &journal_table_run, ordinal_key(s->now.line.number, s->now.run.ordinal, key), &row.base,
	                 false);
}

/* The second entry of a run sets its step. */
static bool run_continues(const struct run *r, uint64_t ordinal, uint64_t position)
{
	if (!r->count || r->ordinal + r->count != ordinal || r->count == UINT32_MAX)
		return false;
	if (r->count == 1)
		return position - r->position <= RUN_STEP_MOST;
	return r->position + (uint64_t)r->count * r->step == position;
}

static int run_extend(struct journal *j, struct slot *s, uint64_t ordinal, uint64_t position)
{
	struct run *r = &s->now.run;
	if (run_continues(r, ordinal, position)) {
		if (r->count == 1)
			r->step = (uint32_t)(position - r->position);
		r->count++;
		s->is_run_unwritten = true;
		return OK;
	}
	int result = run_write(j, s);
	*r = (struct run){ ordinal, position, 1, 1 };
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

uint64_t entry_bytes(size_t header, size_t payload, size_t envelope)
{
	return (uint64_t)header + payload + envelope + ENTRY_BESIDE_BYTES;
}

/* Everything that is the same for an entry of ours and a neighbour's: rows, then the line's head. */
int entry_place(struct journal *j, struct slot *s, const Lm__Header *h, Lm__TapeItem *item, struct bytes envelope,
                const struct hash *hash, struct placed *out, struct error *e)
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
		store_put(j->txn, &journal_table_envelope, envelope_key(header_subject(h), position, key), envelope);
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
	l->bytes += entry_bytes(item->header.len, item->payload.len, envelope.size);
	j->position = position;
	*out = (struct placed){ l->number, ordinal, position, *hash };
	recent_add(j, out, h, item, envelope);
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
                     bool is_forgotten, struct placed *out, struct error *e)
{
	int result = hash_into(j, payload, &h->payload_hash, e);
	if (!result && envelope.size)
		result = hash_into(j, envelope, &h->envelope_hash, e);
	if (is_forgotten)
		envelope = (struct bytes){ 0 };
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
	bool is_alone = h->stream == LM__STREAM__STREAM_PARTS; /* each is a message of its own */
	if (is_alone || s->unsigned_count >= SIGN_ENTRIES_MOST || s->unsigned_bytes >= SIGN_BYTES_MOST)
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
		result = own_place(j, s, &h, payload, (struct bytes){ 0 }, false, &placed, e);
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
	if ((h->request_id.len && h->request_id.len != ID_BYTES) || (h->person_id.len && h->person_id.len != ID_BYTES))
		return error_set(e, ERR_INVALID, "an id of %zu bytes", header_subject(h).size);
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
	bool is_for_others = draft->is_sealed && draft->stream != LM__STREAM__STREAM_OWN;
	if (!result && is_for_others && (!s || !s->now.recipient_count))
		return error_set(e, ERR_NOT_READY, "the keys of the town and the district are not known here yet");
	if (!result && !s)
		result = slot_make(j, &key, &s, e);
	if (result)
		return result;
	if (is_for_others)
		result = period_ensure(j, s, e);
	Lm__Header *h = draft->header;
	h->time_ms = j->now_ms;
	if (!result)
		result = header_finish(j, s, h, e);
	struct bytes payload = draft->payload, envelope = { 0 };
	if (!result && draft->is_sealed)
		result = is_for_others ? payload_seal(j, s, h, draft->payload, &payload, &envelope, e)
		                       : own_seal(j, h, draft->payload, &payload, &envelope, e);
	return result ? result : own_place(j, s, h, payload, envelope, draft->is_forgotten, out, e);
}
