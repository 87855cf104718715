/*
 * Lines in memory and their rows. The store has the truth; memory is put back to it when a turn fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

const struct store_table journal_table_tape = { .name = "tape", .number = 1 };
const struct store_table journal_table_line = { .name = "line", .number = 2 };
const struct store_table journal_table_segment = { .name = "segment", .number = 3 };
const struct store_table journal_table_run = { .name = "run", .number = 4 };
const struct store_table journal_table_envelope = { .name = "envelope", .number = 5, .is_key_table = true };
const struct store_table journal_table_period = { .name = "period", .number = 6 };
const struct store_table journal_table_quarantine = { .name = "quarantine", .number = 7 };
const struct store_table journal_table_held = { .name = "held", .number = 8 };
const struct store_table journal_table_checkpoint = { .name = "checkpoint", .number = 9 };
const struct store_table journal_table_base = { .name = "base", .number = 10, .is_key_table = true };
const struct store_table journal_table_waiting = { .name = "waiting", .number = 11 };
const struct store_table journal_table_history = { .name = "history", .number = 12 };

const struct store_table *const journal_tables[] = {
	&journal_table_tape,       &journal_table_line,   &journal_table_segment,    &journal_table_run,
	&journal_table_envelope,   &journal_table_period, &journal_table_quarantine, &journal_table_held,
	&journal_table_checkpoint, &journal_table_base,   &journal_table_waiting,    &journal_table_history,
};
const size_t journal_table_count = sizeof journal_tables / sizeof *journal_tables;

struct bytes tape_key(uint64_t position, uint8_t memory[TAPE_KEY_BYTES])
{
	struct writer w = writer_over(memory, TAPE_KEY_BYTES);
	write_u64(&w, position);
	return BYTES(memory, w.size);
}

struct bytes line_key_bytes(uint32_t line, uint8_t memory[LINE_KEY_BYTES])
{
	struct writer w = writer_over(memory, LINE_KEY_BYTES);
	write_u32(&w, line);
	return BYTES(memory, w.size);
}

struct bytes ordinal_key(uint32_t line, uint64_t ordinal, uint8_t memory[ORDINAL_KEY_BYTES])
{
	struct writer w = writer_over(memory, ORDINAL_KEY_BYTES);
	write_u32(&w, line);
	write_u64(&w, ordinal);
	return BYTES(memory, w.size);
}

/* Keys that begin with the subject's id lie in the order in which requests and records were made. */
struct bytes envelope_key(struct bytes subject, uint64_t position, uint8_t memory[ENVELOPE_KEY_BYTES])
{
	struct writer w = writer_over(memory, ENVELOPE_KEY_BYTES);
	static const uint8_t none[16];
	write_bytes(&w, subject.size == 16 ? subject : BYTES(none, sizeof none));
	write_u64(&w, position);
	return BYTES(memory, w.size);
}

struct bytes period_key(uint64_t origin, struct bytes period_id, uint8_t memory[PERIOD_KEY_BYTES])
{
	struct writer w = writer_over(memory, PERIOD_KEY_BYTES);
	write_u64(&w, origin);
	write_bytes(&w, period_id);
	return BYTES(memory, w.size);
}

static struct slot *slot_of(struct journal *j, uint32_t line)
{
	return line >= 1 && line <= j->line_count ? &j->slot[line - 1] : NULL;
}

static size_t key_slot(const struct line_key *key)
{
	uint64_t mix = (key->origin ^ ((uint64_t)key->stream << 56)) * 0x9e3779b97f4a7c15u;
	mix = (mix ^ (mix >> 32) ^ key->receiver) * 0xd6e8feb86659fd93u;
	return (size_t)(mix >> 32) & (LINE_INDEX_SLOTS - 1);
}

static bool key_equal(const struct line_key *a, const struct line_key *b)
{
	return a->origin == b->origin && a->stream == b->stream && a->receiver == b->receiver;
}

struct slot *slot_find(const struct journal *j, const struct line_key *key)
{
	for (size_t at = key_slot(key); j->index[at]; at = (at + 1) & (LINE_INDEX_SLOTS - 1)) {
		struct slot *s = &j->slot[j->index[at] - 1];
		if (key_equal(&s->now.line.key, key))
			return s;
	}
	return NULL;
}

static void index_add(struct journal *j, const struct slot *s)
{
	size_t at = key_slot(&s->now.line.key);
	while (j->index[at])
		at = (at + 1) & (LINE_INDEX_SLOTS - 1);
	j->index[at] = (uint16_t)s->now.line.number;
}

int slot_make(struct journal *j, const struct line_key *key, struct slot **out, struct error *e)
{
	if (j->line_count >= LINES_MOST)
		return error_set(e, ERR_TOO_MANY, "this journal has %u lines, as many as it may", j->line_count);
	struct slot *s = &j->slot[j->line_count++];
	memset(s, 0, sizeof *s);
	s->now.line.number = j->line_count;
	s->now.line.key = *key;
	s->committed = s->now;
	index_add(j, s);
	*out = s;
	return OK;
}

void slots_drop(struct journal *j, uint32_t count)
{
	if (count == j->line_count)
		return;
	for (uint32_t i = count; i < j->line_count; i++)
		period_end(j->slot[i].period);
	j->line_count = count;
	memset(j->index, 0, sizeof j->index);
	for (uint32_t i = 0; i < count; i++)
		index_add(j, &j->slot[i]);
}

int slot_touch(struct journal *j, struct slot *s)
{
	if (s->is_touched)
		return OK;
	if (j->touched_count == j->touched_capacity) {
		size_t capacity = j->touched_capacity ? j->touched_capacity * 2 : 64;
		uint32_t *grown = realloc(j->touched, capacity * sizeof *grown);
		if (!grown)
			return ERR_MEMORY;
		j->touched = grown;
		j->touched_capacity = capacity;
	}
	j->touched[j->touched_count++] = s->now.line.number;
	s->is_touched = true;
	return OK;
}

static void hash_from(struct hash *out, ProtobufCBinaryData data)
{
	memset(out, 0, sizeof *out);
	if (data.len == HASH_BYTES)
		memcpy(out->byte, data.data, HASH_BYTES);
}

static void line_from_row(struct line *l, const Lm__LineState *row)
{
	l->key = (struct line_key){ row->origin, row->stream, row->receiver };
	l->ordinal = row->ordinal;
	l->incarnation = row->incarnation;
	l->seq = row->seq;
	hash_from(&l->hash, row->hash);
	l->custody = row->custody;
	l->final = row->final;
	l->safe = row->safe;
	l->signed_final = row->signed_final;
	l->trimmed = row->trimmed;
	hash_from(&l->trimmed_hash, row->trimmed_hash);
	l->is_frozen = row->is_frozen;
	snprintf(l->frozen_why, sizeof l->frozen_why, "%s", row->frozen_why);
	l->rollbacks = row->rollbacks;
	l->closed_incarnation = row->closed_incarnation;
	l->closed_seq = row->closed_seq;
	l->generation = row->generation;
	if (row->fork)
		l->fork = (struct history){ row->fork->incarnation, row->fork->seq };
	if (row->released)
		l->released = (struct history){ row->released->incarnation, row->released->seq };
	l->is_closed = row->is_closed;
	l->is_told = row->is_told;
	l->bytes = row->bytes;
}

int line_store(struct journal *j, const struct line *l)
{
	Lm__LineState row = LM__LINE_STATE__INIT;
	row.origin = l->key.origin;
	row.stream = l->key.stream;
	row.receiver = l->key.receiver;
	row.ordinal = l->ordinal;
	row.incarnation = l->incarnation;
	row.seq = l->seq;
	row.hash = codec_data(BYTES(l->hash.byte, l->ordinal ? HASH_BYTES : 0));
	row.custody = l->custody;
	row.final = l->final;
	row.safe = l->safe;
	row.signed_final = l->signed_final;
	row.trimmed = l->trimmed;
	row.trimmed_hash = codec_data(BYTES(l->trimmed_hash.byte, l->trimmed ? HASH_BYTES : 0));
	row.is_frozen = l->is_frozen;
	row.frozen_why = (char *)(uintptr_t)l->frozen_why;
	row.rollbacks = l->rollbacks;
	row.closed_incarnation = l->closed_incarnation;
	row.closed_seq = l->closed_seq;
	row.generation = l->generation;
	Lm__History fork = LM__HISTORY__INIT;
	fork.incarnation = l->fork.incarnation;
	fork.seq = l->fork.seq;
	row.fork = l->fork.seq ? &fork : NULL;
	Lm__History released = LM__HISTORY__INIT;
	released.incarnation = l->released.incarnation;
	released.seq = l->released.seq;
	row.released = l->released.seq ? &released : NULL;
	row.is_closed = l->is_closed;
	row.is_told = l->is_told;
	row.bytes = l->bytes;
	uint8_t key[LINE_KEY_BYTES];
	return row_write(j, &journal_table_line, line_key_bytes(l->number, key), &row.base, false);
}

static int lines_read(struct journal *j, struct store_txn *txn, struct error *e)
{
	struct store_cursor *c;
	int result = store_cursor_open(txn, &journal_table_line, &c);
	if (result)
		return store_failure(txn, e);
	struct bytes key, value;
	result = store_cursor_first(c, &j->arena, &key, &value);
	while (!result) {
		Lm__LineState *row;
		struct slot *s;
		struct reader r = reader_over(key);
		if (read_u32(&r) != j->line_count + 1)
			result = error_set(e, ERR_DAMAGED, "the row of line %u is missing", j->line_count + 1);
		if (!result)
			result = CODEC_UNPACK(lm__line_state, value, &j->arena, &row, e);
		if (!result)
			result = slot_make(j, &(struct line_key){ row->origin, row->stream, row->receiver }, &s, e);
		if (!result) {
			line_from_row(&s->now.line, row);
			s->committed = s->now;
			arena_reset(&j->arena);
			result = store_cursor_next(c, &j->arena, &key, &value);
		}
	}
	store_cursor_close(c);
	if (result == ERR_NOT_FOUND)
		return OK;
	int failure = store_failure(txn, e);
	return failure ? failure : result;
}

static int position_read(struct journal *j, struct store_txn *txn, struct error *e)
{
	struct store_cursor *c;
	int result = store_cursor_open(txn, &journal_table_tape, &c);
	if (result)
		return store_failure(txn, e);
	struct bytes key;
	result = store_cursor_last(c, NULL, &key, NULL);
	if (!result) {
		struct reader r = reader_over(key);
		j->position = read_u64(&r);
	}
	store_cursor_close(c);
	if (result == ERR_NOT_FOUND)
		result = OK;
	if (result)
		return store_failure(txn, e);
	/* After trimming, the tape may end before the checkpoint does. */
	Lm__Checkpoint *checkpoint;
	result = journal_checkpoint(txn, &j->arena, &checkpoint, e);
	if (!result && checkpoint->position > j->position)
		j->position = checkpoint->position;
	return result == ERR_NOT_FOUND ? OK : result;
}

int lines_load(struct journal *j, struct error *e)
{
	struct store_txn *txn;
	int result = store_begin_read(j->store, &txn, e);
	if (result)
		return result;
	result = lines_read(j, txn, e);
	if (!result)
		result = position_read(j, txn, e);
	store_abort(txn);
	arena_reset(&j->arena);
	j->committed_line_count = j->stored_line_count = j->line_count;
	j->committed_position = j->position;
	return result;
}

const struct line *journal_line(const struct journal *j, uint32_t number)
{
	return number >= 1 && number <= j->line_count ? &j->slot[number - 1].now.line : NULL;
}

const struct line *journal_line_find(const struct journal *j, const struct line_key *key)
{
	const struct slot *s = slot_find(j, key);
	return s ? &s->now.line : NULL;
}

uint32_t journal_line_count(const struct journal *j)
{
	return j->line_count;
}

uint64_t journal_position(const struct journal *j)
{
	return j->position;
}

static uint64_t *mark_field(struct line *l, enum journal_mark mark)
{
	switch (mark) {
	case JOURNAL_CUSTODY:
		return &l->custody;
	case JOURNAL_FINAL:
		return &l->final;
	case JOURNAL_SAFE:
		return &l->safe;
	case JOURNAL_SIGNED_FINAL:
		return &l->signed_final;
	}
	return NULL;
}

bool journal_mark_raise(struct journal *j, uint32_t line, enum journal_mark mark, uint64_t ordinal)
{
	struct slot *s = slot_of(j, line);
	if (!s)
		return false;
	if (ordinal > s->now.line.ordinal)
		ordinal = s->now.line.ordinal; /* nobody can hold more than we sent */
	uint64_t *field = mark_field(&s->now.line, mark);
	if (*field >= ordinal)
		return false;
	*field = ordinal;
	/* Marks are facts about the neighbour: a turn that fails does not undo them, unless it takes the entries along.
	 */
	uint64_t committed = s->committed.line.ordinal;
	*mark_field(&s->committed.line, mark) = ordinal < committed ? ordinal : committed;
	s->is_mark_unwritten = true;
	j->has_unwritten_marks = true;
	return true;
}

bool journal_has_unwritten_marks(const struct journal *j)
{
	return j->has_unwritten_marks;
}

void line_freeze(struct line *l, const struct history *fork, const char *why)
{
	l->is_frozen = true;
	l->fork = *fork;
	snprintf(l->frozen_why, sizeof l->frozen_why, "%s", why);
}

void line_unfreeze(struct line *l)
{
	l->is_frozen = l->is_told = false;
	l->fork = (struct history){ 0 };
	l->frozen_why[0] = '\0';
}

/* Between turns the next one writes it, as with a mark. */
static void line_was_set(struct journal *j, struct slot *s)
{
	if (j->txn)
		return;
	s->committed = s->now;
	s->is_mark_unwritten = j->has_unwritten_marks = true;
}

int journal_freeze(struct journal *j, uint32_t line, const struct history *fork, const char *why)
{
	struct slot *s = slot_of(j, line);
	int result = !s ? ERR_NOT_FOUND : j->txn ? slot_touch(j, s) : OK;
	struct line *l = s ? &s->now.line : NULL;
	if (result || (l->is_frozen && (!l->is_told || l->is_closed))) /* what was noticed here stands */
		return result;
	line_freeze(l, fork, why);
	l->is_told = true;
	line_was_set(j, s);
	return OK;
}

int journal_unfreeze(struct journal *j, uint32_t line)
{
	struct slot *s = slot_of(j, line);
	int result = !s ? ERR_NOT_FOUND : j->txn ? slot_touch(j, s) : OK;
	if (result)
		return result;
	line_unfreeze(&s->now.line);
	line_was_set(j, s);
	return OK;
}
