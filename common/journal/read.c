/*
 * Reading the tape and translating between ordinals and (incarnation, seq). Any thread, any transaction.
 */
#include <string.h>

#include "inside.h"

static int item_unpack(struct bytes value, struct arena *arena, Lm__TapeItem **item, struct error *e)
{
	return CODEC_UNPACK(lm__tape_item, value, arena, item, e);
}

int journal_read(struct store_txn *txn, uint64_t position, struct arena *arena, Lm__TapeItem **item, struct error *e)
{
	uint8_t key[TAPE_KEY_BYTES];
	struct bytes value;
	int result = store_get(txn, &journal_table_tape, tape_key(position, key), arena, &value);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "the tape has nothing at position %llu", (unsigned long long)position);
	return result ? store_failure(txn, e) : item_unpack(value, arena, item, e);
}

int journal_read_next(struct store_txn *txn, uint64_t *position, struct arena *arena, Lm__TapeItem **item, struct error *e)
{
	uint8_t memory[TAPE_KEY_BYTES];
	struct bytes key, value;
	struct store_cursor *c;
	int result = store_cursor_open(txn, &journal_table_tape, &c);
	if (result)
		return store_failure(txn, e);
	result = store_cursor_seek(c, tape_key(*position, memory), arena, &key, &value);
	if (!result) {
		struct reader r = reader_over(key);
		*position = read_u64(&r);
		result = item_unpack(value, arena, item, e);
	} else if (result == ERR_NOT_FOUND) {
		error_set(e, result, "the tape ends before position %llu", (unsigned long long)*position);
	} else {
		store_failure(txn, e);
	}
	store_cursor_close(c);
	return result;
}

/* The row of `table` at or before (line, ordinal), which must belong to the line. */
static int row_before(struct store_txn *txn, const struct store_table *table, uint32_t line, uint64_t ordinal, struct arena *arena, uint64_t *row_ordinal, struct bytes *value)
{
	uint8_t memory[ORDINAL_KEY_BYTES];
	struct bytes key;
	struct store_cursor *c;
	int result = store_cursor_open(txn, table, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, ordinal_key(line, ordinal, memory), arena, &key, value);
	if (result == ERR_NOT_FOUND)
		result = store_cursor_last(c, arena, &key, value);
	else if (!result && bytes_compare(key, BYTES(memory, sizeof memory)) > 0)
		result = store_cursor_prev(c, arena, &key, value);
	if (!result) {
		struct reader r = reader_over(key);
		if (read_u32(&r) != line)
			result = ERR_NOT_FOUND;
		*row_ordinal = read_u64(&r);
	}
	store_cursor_close(c);
	return result;
}

static int position_of(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, uint64_t *position, uint32_t *left)
{
	uint64_t first;
	struct bytes value;
	Lm__Run *run;
	int result = row_before(txn, &journal_table_run, line, ordinal, arena, &first, &value);
	if (!result)
		result = CODEC_UNPACK(lm__run, value, arena, &run, NULL);
	if (!result && ordinal - first >= run->count)
		result = ERR_NOT_FOUND;
	if (result)
		return result;
	*position = run->position + (ordinal - first);
	*left = (uint32_t)(run->count - (ordinal - first));
	return OK;
}

int journal_read_line(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, uint64_t *position, Lm__TapeItem **item, struct error *e)
{
	uint32_t left;
	int result = position_of(txn, line, ordinal, arena, position, &left);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "line %u has no entry %llu here", line, (unsigned long long)ordinal);
	return result ? store_failure(txn, e) : journal_read(txn, *position, arena, item, e);
}

int journal_envelope(struct store_txn *txn, const Lm__Header *h, uint64_t position, struct arena *arena, struct bytes *packed)
{
	*packed = (struct bytes){ 0 };
	if (!h->envelope_hash.len)
		return OK;
	uint8_t key[ENVELOPE_KEY_BYTES];
	int result = store_get(txn, &journal_table_envelope, envelope_key(codec_bytes(h->request_id), position, key),
			       arena, packed);
	return result == ERR_NOT_FOUND ? OK : result;
}

int journal_period(struct store_txn *txn, uint64_t origin, struct bytes period_id, struct arena *arena, struct bytes *notice_packed)
{
	uint8_t key[PERIOD_KEY_BYTES];
	if (period_id.size != PERIOD_ID_BYTES)
		return ERR_INVALID;
	return store_get(txn, &journal_table_period, period_key(origin, period_id, key), arena, notice_packed);
}

uint64_t journal_quarantine_count(struct store_txn *txn)
{
	return store_count(txn, &journal_table_quarantine);
}

uint64_t journal_held_count(struct store_txn *txn)
{
	return store_count(txn, &journal_table_held);
}

/* ---- segments ---- */

struct segment {
	uint64_t first, last; /* ordinals */
	uint64_t incarnation, first_seq;
};

/* Walks the segments of a line from the newest back, until `visit` returns true. */
static int segments_walk(struct store_txn *txn, uint32_t line, bool (*visit)(void *context, const struct segment *s), void *context)
{
	struct arena arena;
	arena_init(&arena, 64 * 1024);
	uint64_t before = UINT64_MAX, end = UINT64_MAX;
	int result = OK;
	for (;;) {
		uint64_t first;
		struct bytes value;
		Lm__Segment *row;
		arena_reset(&arena);
		result = row_before(txn, &journal_table_segment, line, before, &arena, &first, &value);
		if (!result)
			result = CODEC_UNPACK(lm__segment, value, &arena, &row, NULL);
		if (result)
			break;
		struct segment s = { first, end, row->incarnation, row->first_seq };
		if (visit(context, &s) || first <= 1)
			break;
		end = first - 1;
		before = first - 1;
	}
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* The newest ordinal of the line: from its row, as of this transaction. */
static uint64_t line_end(struct store_txn *txn, uint32_t line)
{
	struct arena arena;
	arena_init(&arena, 64 * 1024);
	uint8_t key[LINE_KEY_BYTES];
	struct bytes value;
	Lm__LineState *row;
	uint64_t end = 0;
	if (!store_get(txn, &journal_table_line, line_key_bytes(line, key), &arena, &value) &&
	    !CODEC_UNPACK(lm__line_state, value, &arena, &row, NULL))
		end = row->ordinal;
	/* Runs written earlier in this very turn may be ahead of the row. */
	uint64_t first;
	Lm__Run *run;
	if (!row_before(txn, &journal_table_run, line, UINT64_MAX, &arena, &first, &value) &&
	    !CODEC_UNPACK(lm__run, value, &arena, &run, NULL) && first + run->count - 1 > end)
		end = first + run->count - 1;
	arena_release(&arena);
	return end;
}

struct locate {
	uint64_t incarnation, seq, end;
	uint64_t ordinal;
	bool is_found, is_exact;
};

static bool locate_visit(void *context, const struct segment *s)
{
	struct locate *want = context;
	if (s->incarnation != want->incarnation)
		return false;
	uint64_t last = s->last < want->end ? s->last : want->end;
	want->is_found = true;
	want->is_exact = want->seq >= s->first_seq && want->seq - s->first_seq <= last - s->first;
	if (want->is_exact)
		want->ordinal = s->first + (want->seq - s->first_seq);
	else
		want->ordinal = want->seq < s->first_seq ? s->first - 1 : last;
	return true;
}

int journal_locate(struct store_txn *txn, uint32_t line, uint64_t incarnation, uint64_t seq, uint64_t *ordinal, bool *is_exact)
{
	struct locate want = { .incarnation = incarnation, .seq = seq, .end = line_end(txn, line) };
	int result = segments_walk(txn, line, locate_visit, &want);
	if (result)
		return result;
	if (!want.is_found)
		return ERR_NOT_FOUND;
	*ordinal = want.ordinal;
	*is_exact = want.is_exact;
	return OK;
}

struct coordinates {
	uint64_t ordinal, incarnation, seq;
	bool is_found;
};

static bool coordinates_visit(void *context, const struct segment *s)
{
	struct coordinates *want = context;
	if (want->ordinal < s->first)
		return false;
	want->incarnation = s->incarnation;
	want->seq = s->first_seq + (want->ordinal - s->first);
	want->is_found = true;
	return true;
}

int journal_coordinates(struct store_txn *txn, uint32_t line, uint64_t ordinal, uint64_t *incarnation, uint64_t *seq)
{
	struct coordinates want = { .ordinal = ordinal };
	int result = segments_walk(txn, line, coordinates_visit, &want);
	if (result || !want.is_found)
		return result ? result : ERR_NOT_FOUND;
	*incarnation = want.incarnation;
	*seq = want.seq;
	return OK;
}

struct ends {
	size_t most, count;
	uint64_t *incarnations, *seqs, end;
};

static bool ends_visit(void *context, const struct segment *s)
{
	struct ends *out = context;
	uint64_t last = s->last < out->end ? s->last : out->end;
	out->incarnations[out->count] = s->incarnation;
	out->seqs[out->count] = s->first_seq + (last - s->first);
	return ++out->count == out->most;
}

size_t journal_ends(struct store_txn *txn, uint32_t line, size_t most, uint64_t *incarnations, uint64_t *seqs)
{
	struct ends out = { .most = most, .incarnations = incarnations, .seqs = seqs, .end = line_end(txn, line) };
	if (!most || !out.end || segments_walk(txn, line, ends_visit, &out))
		return 0;
	return out.count;
}

/* ---- loading a message ---- */

struct load {
	struct store_txn *txn;
	struct arena *arena;
	Lm__Batch *batch;
	Lm__Entry **entries;
	size_t count, signed_count; /* signed_count: entries up to the newest signed head */
	uint32_t bytes, signed_bytes;
	Lm__SignedHeads *heads;
};

#define LOAD_ENTRIES_HARD_MOST 1024
#define LOAD_BYTES_HARD_MOST (900u * 1024)

static int load_item(struct load *l, uint64_t position, const Lm__TapeItem *item, struct error *e)
{
	Lm__Entry *entry = arena_alloc(l->arena, sizeof *entry);
	Lm__Header *h;
	struct bytes envelope;
	if (!entry)
		return error_set(e, ERR_MEMORY, "no memory to load entries");
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), l->arena, &h, e);
	if (!result)
		result = journal_envelope(l->txn, h, position, l->arena, &envelope);
	if (result)
		return result;
	lm__entry__init(entry);
	entry->header = item->header;
	entry->payload = item->payload;
	entry->envelope = codec_data(envelope);
	l->entries[l->count++] = entry;
	l->bytes += (uint32_t)(item->header.len + item->payload.len + envelope.size + 16);
	if (item->heads) {
		l->heads = item->heads;
		l->signed_count = l->count;
		l->signed_bytes = l->bytes;
	}
	return OK;
}

static bool load_is_full(const struct load *l, uint32_t entries_most, uint32_t bytes_most)
{
	if (l->count >= LOAD_ENTRIES_HARD_MOST || l->bytes >= LOAD_BYTES_HARD_MOST)
		return true;
	return l->signed_count && (l->count >= entries_most || l->bytes >= bytes_most);
}

int journal_load(struct store_txn *txn, const struct line *line, uint64_t from, uint32_t entries_most, uint32_t bytes_most, struct arena *arena, Lm__Batch **out, uint64_t *through, uint32_t *bytes, struct error *e)
{
	struct load l = { .txn = txn, .arena = arena };
	l.batch = arena_alloc(arena, sizeof *l.batch);
	l.entries = arena_alloc(arena, LOAD_ENTRIES_HARD_MOST * sizeof *l.entries);
	Lm__StreamKey *key = arena_alloc(arena, sizeof *key);
	if (!l.batch || !l.entries || !key)
		return error_set(e, ERR_MEMORY, "no memory to load entries");
	int result = OK;
	uint64_t position = 0;
	uint32_t left = 0;
	for (uint64_t ordinal = from; ordinal <= line->ordinal && !load_is_full(&l, entries_most, bytes_most); ordinal++) {
		Lm__TapeItem *item;
		if (!left)
			result = position_of(txn, line->number, ordinal, arena, &position, &left);
		if (!result)
			result = journal_read(txn, position, arena, &item, e);
		if (!result)
			result = load_item(&l, position, item, e);
		if (result == ERR_NOT_FOUND)
			return error_set(e, ERR_DAMAGED, "line %u lacks entry %llu, though its head is %llu",
					 line->number, (unsigned long long)ordinal, (unsigned long long)line->ordinal);
		if (result)
			return store_failure(txn, e) ? store_failure(txn, e) : result;
		position++;
		left--;
	}
	lm__batch__init(l.batch);
	lm__stream_key__init(key);
	key->origin = line->key.origin;
	key->stream = line->key.stream;
	key->receiver = line->key.receiver;
	l.batch->key = key;
	l.batch->entries = l.entries;
	l.batch->n_entries = l.signed_count;
	l.batch->heads = l.heads;
	*out = l.batch;
	*through = from + l.signed_count - 1;
	*bytes = l.signed_bytes;
	return OK;
}
