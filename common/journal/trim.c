/*
 * Trimming with a checkpoint: the projections as they are now become the base from which rebuild starts, then the
 * entries that nobody needs any more go. What the district has not signed for stays, however full the map is.
 */
#include <string.h>

#include "inside.h"

#define BEHIND_MOST 64 /* entries */

static int base_copy(struct journal *j, const struct store_table *table)
{
	struct store_cursor *c;
	struct arena arena;
	struct bytes key, value;
	arena_init(&arena, 1024 * 1024);
	int result = store_cursor_open(j->txn, table, &c);
	if (result)
		return result;
	result = store_cursor_first(c, &arena, &key, &value);
	while (!result) {
		uint8_t memory[STORE_KEY_BYTES_MOST];
		struct writer w = writer_over(memory, sizeof memory);
		write_u8(&w, table->number);
		write_bytes(&w, key);
		if (w.failed)
			result = store_fail(j->txn, ERR_TOO_BIG, "a key of table %s is too long for a checkpoint",
			                    table->name);
		else
			result = store_append(j->txn, &journal_table_base, BYTES(memory, w.size), value);
		arena_reset(&arena);
		if (!result)
			result = store_cursor_next(c, &arena, &key, &value);
	}
	store_cursor_close(c);
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int state_hash(struct journal *j, const struct store_table *const *tables, size_t count, struct hash *out,
                      struct error *e)
{
	struct bytes parts[STORE_TABLES_MOST];
	struct store_table_digest digest[STORE_TABLES_MOST];
	int result = count <= STORE_TABLES_MOST ? OK : error_set(e, ERR_INTERNAL, "%zu tables of projections", count);
	for (size_t i = 0; i < count && !result; i++) {
		result = store_digest(j->txn, tables[i], &digest[i], e);
		parts[i] = BYTES_OF(digest[i].hash);
	}
	return result ? result : crypto_hash(SUITE_INTERNATIONAL, parts, count, out, e);
}

static int checkpoint_write(struct journal *j, const struct store_table *const *tables, size_t count, int64_t now_ms,
                            struct error *e)
{
	struct hash state;
	int result = state_hash(j, tables, count, &state, e);
	Lm__CheckpointHead *head = arena_alloc(&j->arena, j->line_count * sizeof *head);
	Lm__CheckpointHead **heads = arena_alloc(&j->arena, j->line_count * sizeof *heads);
	if (!result && (!head || !heads))
		result = error_set(e, ERR_MEMORY, "no memory for a checkpoint of %u lines", j->line_count);
	if (result)
		return result;
	for (uint32_t i = 0; i < j->line_count; i++) {
		const struct line *l = &j->slot[i].now.line;
		lm__checkpoint_head__init(&head[i]);
		head[i].line = l->number;
		head[i].origin = l->key.origin;
		head[i].stream = l->key.stream;
		head[i].receiver = l->key.receiver;
		head[i].incarnation = l->incarnation;
		head[i].seq = l->seq;
		head[i].hash = codec_data(BYTES(l->hash.byte, l->ordinal ? HASH_BYTES : 0));
		heads[i] = &head[i];
	}
	Lm__Checkpoint row = LM__CHECKPOINT__INIT;
	row.position = j->position;
	row.state_hash = codec_data(BYTES_OF(state));
	row.heads = heads;
	row.n_heads = j->line_count;
	row.time_ms = now_ms;
	return row_write(j, &journal_table_checkpoint, bytes_from_text("checkpoint"), &row.base, false);
}

/*
 * How far a line may be trimmed: what we sent up once the district signed for it; what never leaves us or came down to
 * us as soon as the checkpoint holds its effect. What we tell others below stays for those who join or come back, and
 * other origins' entries are not ours to drop. Entries of the turn under way are not signed yet: they stay, too.
 */
static uint64_t up_limit(const struct line *l, enum journal_mark up_to)
{
	return up_to == JOURNAL_SAFE && l->safe < l->signed_final ? l->safe : l->signed_final;
}

static uint64_t trim_limit(const struct journal *j, const struct slot *s, enum journal_mark up_to)
{
	const struct line *l = &s->now.line;
	bool is_ours = l->key.origin == j->device;
	uint64_t limit = l->trimmed;
	if (is_ours && stream_is_up(l->key.stream))
		limit = up_limit(l, up_to);
	else if ((is_ours && l->key.stream == LM__STREAM__STREAM_OWN) ||
	         (!is_ours && l->key.stream == LM__STREAM__STREAM_DOWN && l->key.receiver == j->device))
		limit = l->ordinal;
	return limit < s->committed.line.ordinal ? limit : s->committed.line.ordinal;
}

/* An item that waited goes together with the one that applied it. */
static int entry_remove(struct journal *j, uint64_t position, const Lm__TapeItem *item, struct arena *arena,
                        struct hash *hash, struct error *e)
{
	Lm__Header *h;
	uint8_t key[ENVELOPE_KEY_BYTES];
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), arena, &h, e);
	if (!result && item->retry_of)
		result = store_delete(j->txn, &journal_table_tape, tape_key(item->retry_of, key));
	if (!result)
		result = entry_hash(codec_bytes(item->header), hash, e);
	if (result)
		return result;
	if (h->envelope_hash.len)
		store_delete(j->txn, &journal_table_envelope, envelope_key(header_subject(h), position, key));
	return store_delete(j->txn, &journal_table_tape, tape_key(position, key));
}

/* The runs that lie wholly in the trimmed part. One that reaches past it stays: its head is simply never asked for. */
static int runs_remove(struct journal *j, uint32_t line, uint64_t limit, struct arena *arena, struct error *e)
{
	uint8_t memory[ORDINAL_KEY_BYTES];
	struct bytes key, value;
	struct store_cursor *c;
	int result = store_cursor_open(j->txn, &journal_table_run, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, ordinal_key(line, 0, memory), arena, &key, &value);
	while (!result) {
		struct reader r = reader_over(key);
		uint32_t owner = read_u32(&r);
		uint64_t first = read_u64(&r);
		Lm__Run *run;
		result = CODEC_UNPACK(lm__run, value, arena, &run, e);
		if (result || owner != line || first + run->count - 1 > limit)
			break;
		result = store_cursor_delete(c);
		if (!result)
			result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* Held or in quarantine, and not applied since by a retry. */
static bool is_kept_for_operator(struct journal *j, const Lm__TapeItem *item, struct arena *arena)
{
	Lm__TapeItem *retry;
	if (item->disposition != LM__DISPOSITION__DISPOSITION_HELD &&
	    item->disposition != LM__DISPOSITION__DISPOSITION_QUARANTINED)
		return false;
	return !item->retry_of || journal_read(j->txn, item->retry_of, arena, &retry, NULL) ||
	       retry->disposition != LM__DISPOSITION__DISPOSITION_RETRIED;
}

/* What may go of one line. Lines are trimmed side by side, in the order of the tape: each of its pages is then emptied
 * at once and used again, where one line after the other would first copy every page, more than a full map has room
 * for. */
struct part {
	struct slot *slot;
	uint64_t limit, before;
	uint64_t position; /* of the next entry to go; 0: none */
};

static int part_next(struct journal *j, struct part *p, struct arena *arena, struct error *e)
{
	const struct line *l = &p->slot->now.line;
	Lm__TapeItem *item;
	p->position = 0;
	if (l->trimmed >= p->limit)
		return OK;
	int result = journal_read_line(j->txn, l->number, l->trimmed + 1, arena, &p->position, &item, e);
	if (!result && is_kept_for_operator(j, item, arena))
		p->position = 0;
	arena_reset(arena);
	return result;
}

static int part_begin(struct journal *j, struct part *p, struct slot *s, enum journal_mark up_to, struct arena *arena,
                      struct error *e)
{
	uint64_t limit = trim_limit(j, s, up_to);
	*p = (struct part){ .slot = s, .limit = limit, .before = s->now.line.trimmed };
	if (limit <= p->before)
		return OK;
	int result = slot_touch(j, s);
	if (result)
		return error_set(e, result, "no memory to trim line %u", s->now.line.number);
	run_write(j, s);
	return part_next(j, p, arena, e);
}

static int part_step(struct journal *j, struct part *p, struct arena *arena, struct error *e)
{
	struct line *l = &p->slot->now.line;
	Lm__TapeItem *item;
	int result = journal_read(j->txn, p->position, arena, &item, e);
	if (!result)
		result = entry_remove(j, p->position, item, arena, &l->trimmed_hash, e);
	arena_reset(arena);
	if (result)
		return result;
	l->trimmed++;
	return part_next(j, p, arena, e);
}

static int part_end(struct journal *j, struct part *p, struct arena *arena, uint64_t *removed, struct error *e)
{
	struct slot *s = p->slot;
	const struct line *l = &s->now.line;
	if (l->trimmed == p->before)
		return OK;
	*removed += l->trimmed - p->before;
	if (s->now.run.count && s->now.run.ordinal + s->now.run.count - 1 <= l->trimmed)
		s->now.run.count = 0; /* its row goes, too: the next entry begins another */
	return runs_remove(j, l->number, l->trimmed, arena, e);
}

/* Position of the first entry of a line of ours that the district has not signed for as `up_to`. */
static int until_of(struct journal *j, Lm__Stream stream, enum journal_mark up_to, struct arena *arena, uint64_t *until,
                    struct error *e)
{
	struct line_key key = { j->device, stream, 0 };
	const struct line *l = journal_line_find(j, &key);
	Lm__TapeItem *item;
	*until = UINT64_MAX;
	if (!l)
		return OK;
	uint64_t limit = up_limit(l, up_to), first = limit > l->trimmed ? limit : l->trimmed;
	if (first >= l->ordinal)
		return OK;
	int result = journal_read_line(j->txn, l->number, first + 1, arena, until, &item, e);
	arena_reset(arena);
	return result;
}

/* The first of all of them. Behind it only few go at a time: that copies the pages on which it and its like lie, and
 * frees none of them. */
static int until_find(struct journal *j, enum journal_mark up_to, struct arena *arena, uint64_t *until, struct error *e)
{
	uint64_t parts;
	int result = until_of(j, LM__STREAM__STREAM_UP, up_to, arena, until, e);
	if (!result)
		result = until_of(j, LM__STREAM__STREAM_PARTS, up_to, arena, &parts, e);
	if (!result && parts < *until)
		*until = parts;
	return result;
}

static struct part *part_first(struct part *part, uint32_t count)
{
	struct part *first = NULL;
	for (uint32_t i = 0; i < count; i++)
		if (part[i].position && (!first || part[i].position < first->position))
			first = &part[i];
	return first;
}

static int lines_trim(struct journal *j, enum journal_mark up_to, struct arena *arena, uint64_t *removed,
                      struct error *e)
{
	struct part *part = arena_alloc(&j->arena, j->line_count * sizeof *part);
	uint64_t until, behind = 0;
	int result = part ? OK : error_set(e, ERR_MEMORY, "no memory to trim %u lines", j->line_count);
	if (!result)
		result = until_find(j, up_to, arena, &until, e);
	for (uint32_t i = 0; i < j->line_count && !result; i++)
		result = part_begin(j, &part[i], &j->slot[i], up_to, arena, e);
	while (!result) {
		struct part *first = part_first(part, j->line_count);
		if (!first || (first->position > until && ++behind > BEHIND_MOST))
			break;
		result = part_step(j, first, arena, e);
	}
	for (uint32_t i = 0; i < j->line_count && !result; i++)
		result = part_end(j, &part[i], arena, removed, e);
	return result;
}

int journal_trim(struct journal *j, const struct store_table *const *projections, size_t count, enum journal_mark up_to,
                 int64_t now_ms, uint64_t *removed, struct error *e)
{
	struct arena arena;
	uint64_t gone = 0;
	arena_init(&arena, 8u * 1024 * 1024);
	store_clear(j->txn, &journal_table_base);
	for (size_t i = 0; i < count; i++)
		base_copy(j, projections[i]);
	int result = store_failure(j->txn, e);
	if (!result)
		result = checkpoint_write(j, projections, count, now_ms, e);
	if (!result)
		result = lines_trim(j, up_to, &arena, &gone, e);
	arena_release(&arena);
	int failure = store_failure(j->txn, e);
	if (failure)
		return failure;
	if (!result)
		*removed = gone;
	return result;
}

int journal_checkpoint(struct store_txn *txn, struct arena *arena, Lm__Checkpoint **out, struct error *e)
{
	struct bytes value;
	int result = store_get(txn, &journal_table_checkpoint, bytes_from_text("checkpoint"), arena, &value);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no checkpoint");
	return result ? store_failure(txn, e) : CODEC_UNPACK(lm__checkpoint, value, arena, out, e);
}
