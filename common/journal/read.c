/*
 * Reading the tape and translating between ordinals and (incarnation, seq). Any thread, any transaction.
 */
#include <string.h>

#include "inside.h"

int item_unpack(struct bytes value, struct arena *arena, Lm__TapeItem **item, struct error *e)
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
	if (result) {
		store_failure(txn, e);
		return result;
	}
	return item_unpack(value, arena, item, e);
}

int journal_read_next(struct store_txn *txn, uint64_t *position, struct arena *arena, Lm__TapeItem **item,
                      struct error *e)
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

int journal_read_before(struct store_txn *txn, uint64_t *position, struct arena *arena, Lm__TapeItem **item,
                        struct error *e)
{
	uint8_t memory[TAPE_KEY_BYTES];
	struct bytes key, value;
	struct store_cursor *c;
	int result = store_cursor_open(txn, &journal_table_tape, &c);
	if (result)
		return store_failure(txn, e);
	result = store_cursor_seek(c, tape_key(*position, memory), NULL, &key, NULL);
	if (!result)
		result = store_cursor_prev(c, arena, &key, &value);
	else if (result == ERR_NOT_FOUND)
		result = store_cursor_last(c, arena, &key, &value);
	if (!result) {
		struct reader r = reader_over(key);
		*position = read_u64(&r);
		result = item_unpack(value, arena, item, e);
	} else if (result == ERR_NOT_FOUND) {
		error_set(e, result, "the tape begins here");
	} else {
		store_failure(txn, e);
	}
	store_cursor_close(c);
	return result;
}

static int row_of_line(struct bytes key, uint32_t line, uint64_t *row_ordinal)
{
	struct reader r = reader_over(key);
	if (read_u32(&r) != line)
		return ERR_NOT_FOUND;
	*row_ordinal = read_u64(&r);
	return r.failed ? ERR_NOT_FOUND : OK;
}

/* The row at or before (line, ordinal), which must belong to the line. */
static int row_before(struct store_cursor *c, uint32_t line, uint64_t ordinal, struct arena *arena,
                      uint64_t *row_ordinal, struct bytes *value)
{
	uint8_t memory[ORDINAL_KEY_BYTES];
	struct bytes key, want = ordinal_key(line, ordinal, memory);
	int result = store_cursor_seek(c, want, NULL, &key, NULL);
	if (!result && bytes_equal(key, want))
		result = store_cursor_seek(c, want, arena, &key, value);
	else if (!result)
		result = store_cursor_prev(c, arena, &key, value);
	else if (result == ERR_NOT_FOUND)
		result = store_cursor_last(c, arena, &key, value);
	return result ? result : row_of_line(key, line, row_ordinal);
}

static int row_step_back(struct store_cursor *c, uint32_t line, struct arena *arena, uint64_t *row_ordinal,
                         struct bytes *value)
{
	struct bytes key;
	int result = store_cursor_prev(c, arena, &key, value);
	return result ? result : row_of_line(key, line, row_ordinal);
}

static int run_before(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, uint64_t *first,
                      Lm__Run **run)
{
	struct bytes value;
	struct store_cursor *c;
	int result = store_cursor_open(txn, &journal_table_run, &c);
	if (result)
		return result;
	result = row_before(c, line, ordinal, arena, first, &value);
	if (!result) {
		struct error e = { 0 };
		result = CODEC_UNPACK(lm__run, value, arena, run, &e);
		if (result) /* nobody may take it for an entry that is there */
			result = store_fail(txn, result == ERR_MEMORY ? result : ERR_DAMAGED, "table run: %s", e.text);
	}
	store_cursor_close(c);
	return result;
}

int spot_of(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, struct spot *out)
{
	uint64_t first;
	Lm__Run *run;
	int result = run_before(txn, line, ordinal, arena, &first, &run);
	if (!result && ordinal - first >= run->count)
		result = ERR_NOT_FOUND;
	if (result)
		return result;
	uint32_t step = run->step ? run->step : 1;
	*out = (struct spot){ run->position + (ordinal - first) * step, (uint32_t)(run->count - (ordinal - first)),
		              step };
	return OK;
}

int journal_read_line(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, uint64_t *position,
                      Lm__TapeItem **item, struct error *e)
{
	struct spot spot;
	int result = spot_of(txn, line, ordinal, arena, &spot);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "line %u has no entry %llu here", line, (unsigned long long)ordinal);
	if (result)
		return store_failure(txn, e);
	*position = spot.position;
	return journal_read(txn, spot.position, arena, item, e);
}

int journal_envelope(struct store_txn *txn, const Lm__Header *h, uint64_t position, struct arena *arena,
                     struct bytes *packed)
{
	*packed = (struct bytes){ 0 };
	if (!h->envelope_hash.len)
		return OK;
	uint8_t key[ENVELOPE_KEY_BYTES];
	int result =
	        store_get(txn, &journal_table_envelope, envelope_key(header_subject(h), position, key), arena, packed);
	return result == ERR_NOT_FOUND ? OK : result;
}

int journal_period(struct store_txn *txn, uint64_t origin, struct bytes period_id, struct arena *arena,
                   struct bytes *notice_packed)
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
static int segments_walk(struct store_txn *txn, uint32_t line, uint64_t end,
                         bool (*visit)(void *context, const struct segment *s), void *context)
{
	struct arena arena;
	struct store_cursor *c;
	uint64_t first, last = end;
	struct bytes value;
	Lm__Segment *row;
	int result = store_cursor_open(txn, &journal_table_segment, &c);
	if (result)
		return result;
	arena_init(&arena, 64 * 1024);
	result = row_before(c, line, UINT64_MAX, &arena, &first, &value);
	while (!result) {
		result = CODEC_UNPACK(lm__segment, value, &arena, &row, NULL);
		if (result)
			break;
		struct segment s = { first, last, row->incarnation, row->first_seq };
		if (last >= first) {
			if (visit(context, &s) || first <= 1)
				break;
			last = first - 1;
		}
		arena_reset(&arena);
		result = row_step_back(c, line, &arena, &first, &value);
	}
	store_cursor_close(c);
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int line_row(struct store_txn *txn, uint32_t line, struct arena *arena, Lm__LineState **row)
{
	uint8_t key[LINE_KEY_BYTES];
	struct bytes value;
	int result = store_get(txn, &journal_table_line, line_key_bytes(line, key), arena, &value);
	return result ? result : CODEC_UNPACK(lm__line_state, value, arena, row, NULL);
}

bool journal_line_is_frozen(struct store_txn *txn, uint32_t line)
{
	struct arena arena;
	Lm__LineState *row;
	arena_init(&arena, 64 * 1024);
	bool is_frozen = !line_row(txn, line, &arena, &row) && row->is_frozen;
	arena_release(&arena);
	return is_frozen;
}

bool journal_is_final(struct store_txn *txn, uint64_t position)
{
	struct arena arena;
	Lm__TapeItem *item;
	Lm__LineState *row;
	arena_init(&arena, 2u * 1024 * 1024);
	bool is_final = !journal_read(txn, position, &arena, &item, NULL) && !line_row(txn, item->line, &arena, &row) &&
	                row->final >= item->ordinal;
	arena_release(&arena);
	return is_final;
}

/* The newest ordinal of the line, as of this transaction; 0: none. Within a turn its runs may be ahead of its row. */
static int line_end(struct store_txn *txn, uint32_t line, uint64_t *end)
{
	struct arena arena;
	Lm__LineState *row;
	Lm__Run *run;
	uint64_t first;
	*end = 0;
	arena_init(&arena, 64 * 1024);
	int result = line_row(txn, line, &arena, &row);
	if (!result)
		*end = row->ordinal;
	if (!result || result == ERR_NOT_FOUND)
		result = run_before(txn, line, UINT64_MAX, &arena, &first, &run);
	if (!result && first + run->count - 1 > *end)
		*end = first + run->count - 1;
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

struct locate {
	uint64_t incarnation, seq;
	uint64_t ordinal;
	bool is_found, is_exact;
};

static bool locate_visit(void *context, const struct segment *s)
{
	struct locate *want = context;
	if (s->incarnation != want->incarnation)
		return false;
	want->is_exact = want->seq >= s->first_seq && want->seq - s->first_seq <= s->last - s->first;
	if (want->is_exact)
		want->ordinal = s->first + (want->seq - s->first_seq);
	else if (!want->is_found)
		want->ordinal = want->seq < s->first_seq ? s->first - 1 : s->last;
	want->is_found = true;
	/* An incarnation that was let go on has several segments, the newest first: an earlier one may hold it. */
	return want->is_exact || want->seq >= s->first_seq || s->first_seq == 1;
}

int line_locate(struct store_txn *txn, uint32_t line, uint64_t end, uint64_t incarnation, uint64_t seq,
                uint64_t *ordinal, bool *is_exact)
{
	struct locate want = { .incarnation = incarnation, .seq = seq };
	int result = segments_walk(txn, line, end, locate_visit, &want);
	if (result)
		return result;
	if (!want.is_found)
		return ERR_NOT_FOUND;
	*ordinal = want.ordinal;
	*is_exact = want.is_exact;
	return OK;
}

int journal_locate(struct store_txn *txn, uint32_t line, uint64_t incarnation, uint64_t seq, uint64_t *ordinal,
                   bool *is_exact)
{
	uint64_t end;
	int result = line_end(txn, line, &end);
	return result ? result : line_locate(txn, line, end, incarnation, seq, ordinal, is_exact);
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
	int result = segments_walk(txn, line, UINT64_MAX, coordinates_visit, &want);
	if (result || !want.is_found)
		return result ? result : ERR_NOT_FOUND;
	*incarnation = want.incarnation;
	*seq = want.seq;
	return OK;
}

struct ends {
	size_t most, count;
	uint64_t *incarnations, *seqs;
};

static bool ends_visit(void *context, const struct segment *s)
{
	struct ends *out = context;
	out->incarnations[out->count] = s->incarnation;
	out->seqs[out->count] = s->first_seq + (s->last - s->first);
	return ++out->count == out->most;
}

int journal_ends(struct store_txn *txn, uint32_t line, size_t most, uint64_t *incarnations, uint64_t *seqs,
                 size_t *count)
{
	struct ends out = { .most = most, .incarnations = incarnations, .seqs = seqs };
	uint64_t end;
	int result = line_end(txn, line, &end);
	if (!result)
		result = segments_walk(txn, line, end, ends_visit, &out);
	if (!result)
		*count = out.count;
	return result;
}
