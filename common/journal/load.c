/*
 * Messages for a link put together: from the tape, or from memory while what the last turn placed is still there.
 * Nearly everything leaves right after the commit that stored it; reading it back, opening it and unpacking it would
 * cost a sixth of the writer's time.
 */
#include <string.h>

#include "inside.h"

struct load {
	struct store_txn *txn;
	struct store_cursor *tape;
	struct arena *arena;
	Lm__Entry **entries;
	size_t count, signed_count; /* signed_count: entries up to the newest signed head */
	uint32_t bytes, signed_bytes;
	uint64_t incarnation, position; /* of the newest entry */
	uint64_t first_incarnation;
	Lm__SignedHeads *heads;
	bool is_ended; /* the next entry begins an incarnation */
};

/* Entries of a line mostly lie side by side: the cursor then steps on. */
static int load_read(struct load *l, uint64_t position, Lm__TapeItem **item, struct error *e)
{
	uint8_t memory[TAPE_KEY_BYTES];
	struct bytes key, value, want = tape_key(position, memory);
	int result = l->position + 1 == position ? store_cursor_next(l->tape, l->arena, &key, &value)
	                                         : store_cursor_seek(l->tape, want, l->arena, &key, &value);
	if (!result && !bytes_equal(key, want))
		result = ERR_NOT_FOUND;
	l->position = position;
	return result ? result : item_unpack(value, l->arena, item, e);
}

static int load_add(struct load *l, ProtobufCBinaryData header, ProtobufCBinaryData payload, struct bytes envelope,
                    const Lm__SignedHeads *heads, struct error *e)
{
	Lm__Entry *entry = arena_alloc(l->arena, sizeof *entry);
	if (!entry)
		return error_set(e, ERR_MEMORY, "no memory to load entries");
	lm__entry__init(entry);
	entry->header = header;
	entry->payload = payload;
	entry->envelope = codec_data(envelope);
	l->entries[l->count++] = entry;
	l->bytes += (uint32_t)(header.len + payload.len + envelope.size + 16);
	if (heads) {
		l->heads = (Lm__SignedHeads *)(uintptr_t)heads;
		l->signed_count = l->count;
		l->signed_bytes = l->bytes;
	}
	return OK;
}

/* After a rollback an earlier incarnation's tail is no part of what the later one's signed head vouches for. */
static bool load_ends_before(struct load *l, uint64_t incarnation)
{
	l->is_ended = l->count && l->signed_count == l->count && incarnation != l->incarnation;
	l->incarnation = incarnation;
	return l->is_ended;
}

static int load_item(struct load *l, uint64_t position, const Lm__TapeItem *item, struct error *e)
{
	Lm__Header *h;
	struct bytes envelope;
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), l->arena, &h, e);
	if (!result && load_ends_before(l, h->incarnation))
		return OK;
	if (!result && !l->count)
		l->first_incarnation = h->incarnation;
	if (!result)
		result = journal_envelope(l->txn, h, position, l->arena, &envelope);
	return result ? result : load_add(l, item->header, item->payload, envelope, item->heads, e);
}

static bool load_is_full(const struct load *l, uint32_t entries_most, uint32_t bytes_most)
{
	if (l->is_ended || l->count >= MESSAGE_ENTRIES_MOST || l->bytes >= CODEC_MESSAGE_BYTES_MOST)
		return true;
	return l->signed_count && (l->count >= entries_most || l->bytes >= bytes_most);
}

static int load_entries(struct load *l, const struct line *line, uint64_t from, uint32_t entries_most,
                        uint32_t bytes_most, struct error *e)
{
	struct spot spot = { 0 };
	int result = OK;
	for (uint64_t ordinal = from; ordinal <= line->ordinal && !load_is_full(l, entries_most, bytes_most);
	     ordinal++) {
		Lm__TapeItem *item;
		if (!spot.left)
			result = spot_of(l->txn, line->number, ordinal, l->arena, &spot);
		if (!result)
			result = load_read(l, spot.position, &item, e);
		if (!result)
			result = load_item(l, spot.position, item, e);
		if (result == ERR_NOT_FOUND)
			return error_set(e, ERR_DAMAGED, "line %u lacks entry %llu, though its head is %llu",
			                 line->number, (unsigned long long)ordinal, (unsigned long long)line->ordinal);
		if (result)
			return result;
		spot.position += spot.step;
		spot.left--;
	}
	return OK;
}

static int load_begin(struct load *l, struct error *e)
{
	l->entries = arena_alloc(l->arena, MESSAGE_ENTRIES_MOST * sizeof *l->entries);
	return l->entries ? OK : error_set(e, ERR_MEMORY, "no memory to load entries");
}

static int load_finish(const struct load *l, const struct line *line, uint64_t from, Lm__Batch **out, uint64_t *through,
                       uint32_t *bytes, struct error *e)
{
	Lm__Batch *batch = arena_alloc(l->arena, sizeof *batch);
	Lm__StreamKey *key = arena_alloc(l->arena, sizeof *key);
	if (!batch || !key)
		return error_set(e, ERR_MEMORY, "no memory to load entries");
	lm__batch__init(batch);
	lm__stream_key__init(key);
	key->origin = line->key.origin;
	key->stream = line->key.stream;
	key->receiver = line->key.receiver;
	batch->key = key;
	batch->entries = l->entries;
	batch->n_entries = l->signed_count;
	batch->heads = l->heads;
	*out = batch;
	*through = from + l->signed_count - 1;
	*bytes = l->signed_bytes;
	return OK;
}

/* An incarnation that begins behind a rollback cites an entry further back, and one that was released goes on behind
 * others: who lacks what came between must be able to tell. Not of what is trimmed: that everybody has. */
static int load_follows(const struct load *l, const struct line *line, uint64_t from, Lm__Batch *batch, struct error *e)
{
	uint64_t incarnation, seq;
	if (from <= line->trimmed + 1)
		return OK;
	int result = journal_coordinates(l->txn, line->number, from - 1, &incarnation, &seq);
	if (result)
		return error_set(e, result, "what line %u continues cannot be looked up", line->number);
	if (incarnation == l->first_incarnation)
		return OK;
	batch->follows_incarnation = incarnation;
	batch->follows_seq = seq;
	return OK;
}

int journal_load(struct store_txn *txn, const struct line *line, uint64_t from, uint32_t entries_most,
                 uint32_t bytes_most, struct arena *arena, Lm__Batch **out, uint64_t *through, uint32_t *bytes,
                 struct error *e)
{
	if (from <= line->trimmed)
		return error_set(e, ERR_NOT_FOUND, "entries of line %u up to %llu are trimmed; %llu was asked for",
		                 line->number, (unsigned long long)line->trimmed, (unsigned long long)from);
	struct load l = { .txn = txn, .arena = arena };
	int result = load_begin(&l, e);
	if (result)
		return result;
	result = store_cursor_open(txn, &journal_table_tape, &l.tape);
	if (!result)
		result = load_entries(&l, line, from, entries_most, bytes_most, e);
	store_cursor_close(l.tape);
	if (!result)
		result = load_finish(&l, line, from, out, through, bytes, e);
	if (!result)
		result = load_follows(&l, line, from, *out, e);
	return result && store_failure(txn, e) ? store_failure(txn, NULL) : result;
}

/* ---- what the last turn placed ---- */

void recent_add(struct journal *j, const struct placed *placed, const Lm__Header *h, const Lm__TapeItem *item,
                struct bytes envelope)
{
	if (h->stream == LM__STREAM__STREAM_OWN || j->recent_count == RECENT_MOST || j->has_erased)
		return;
	j->recent[j->recent_count++] = (struct recent){ .line = placed->line,
		                                        .ordinal = placed->ordinal,
		                                        .position = placed->position,
		                                        .incarnation = h->incarnation,
		                                        .seq = h->seq,
		                                        .header = item->header,
		                                        .payload = item->payload,
		                                        .envelope = envelope,
		                                        .heads = item->heads };
}

void recent_sign(struct journal *j, uint64_t position, const Lm__SignedHeads *heads)
{
	for (size_t i = j->recent_count; i > 0 && j->recent[i - 1].position >= position; i--)
		if (j->recent[i - 1].position == position)
			j->recent[i - 1].heads = heads;
}

void journal_recent_end(struct journal *j)
{
	j->recent_count = 0;
	j->is_recent_committed = false;
}

int journal_load_recent(const struct journal *j, const struct line *line, uint64_t from, uint32_t entries_most,
                        uint32_t bytes_most, struct arena *arena, Lm__Batch **out, uint64_t *through, uint32_t *bytes,
                        struct error *e)
{
	struct load l = { .arena = arena };
	size_t count = j->is_recent_committed ? j->recent_count : 0, at = 0;
	while (at < count && (j->recent[at].line != line->number || j->recent[at].ordinal != from))
		at++;
	/* What begins an incarnation, or goes on behind another one, says what it follows: that is stored. */
	bool is_here = at < count && (from == 1 || (j->recent[at].seq > 1 && !line->released.seq));
	int result = is_here ? load_begin(&l, e) : ERR_NOT_FOUND;
	for (; at < count && !result && !load_is_full(&l, entries_most, bytes_most); at++) {
		const struct recent *r = &j->recent[at];
		if (r->line == line->number && !load_ends_before(&l, r->incarnation))
			result = load_add(&l, r->header, r->payload, r->envelope, r->heads, e);
	}
	if (!result && !l.signed_count) /* its signed head was placed by no one, or after what is kept here */
		result = ERR_NOT_FOUND;
	return result ? result : load_finish(&l, line, from, out, through, bytes, e);
}
