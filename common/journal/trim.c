/*
 * Trimming with a checkpoint: the projections as they are now become the base from which rebuild starts, then the
 * entries that nobody needs any more go. What the district has not signed for stays, however full the map is.
 */
#include <string.h>

#include "inside.h"

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
			result = store_put(j->txn, &journal_table_base, BYTES(memory, w.size), value);
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
static uint64_t trim_limit(const struct journal *j, const struct slot *s)
{
	const struct line *l = &s->now.line;
	bool is_ours = l->key.origin == j->device;
	uint64_t limit = l->trimmed;
	if (is_ours && l->key.stream == LM__STREAM__STREAM_UP)
		limit = l->signed_final;
	else if ((is_ours && l->key.stream == LM__STREAM__STREAM_OWN) ||
	         (!is_ours && l->key.stream == LM__STREAM__STREAM_DOWN && l->key.receiver == j->device))
		limit = l->ordinal;
	return limit < s->committed.line.ordinal ? limit : s->committed.line.ordinal;
}

/* An item that waited goes together with the one that applied it. */
static int entry_remove(struct journal *j, uint64_t position, const Lm__TapeItem *item, struct arena *arena,
                        struct hash *hash)
{
	Lm__Header *h;
	uint8_t key[ENVELOPE_KEY_BYTES];
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), arena, &h, NULL);
	if (!result && item->retry_of)
		result = store_delete(j->txn, &journal_table_tape, tape_key(item->retry_of, key));
	if (!result)
		result = entry_hash(codec_bytes(item->header), hash, NULL);
	if (result)
		return result;
	if (h->envelope_hash.len)
		store_delete(j->txn, &journal_table_envelope, envelope_key(codec_bytes(h->request_id), position, key));
	return store_delete(j->txn, &journal_table_tape, tape_key(position, key));
}

/* The runs that lie wholly in the trimmed part. One that reaches past it stays: its head is simply never asked for. */
static int runs_remove(struct journal *j, uint32_t line, uint64_t limit, struct arena *arena)
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
		result = CODEC_UNPACK(lm__run, value, arena, &run, NULL);
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

static int line_trim(struct journal *j, struct slot *s, struct arena *arena, uint64_t *removed, struct error *e)
{
	struct line *l = &s->now.line;
	uint64_t limit = trim_limit(j, s), before = l->trimmed;
	if (limit <= before)
		return OK;
	int result = slot_touch(j, s);
	if (result)
		return error_set(e, result, "no memory to trim line %u", l->number);
	run_write(j, s);
	while (!result && l->trimmed < limit) {
		uint64_t position;
		Lm__TapeItem *item;
		result = journal_read_line(j->txn, l->number, l->trimmed + 1, arena, &position, &item, e);
		if (!result && is_kept_for_operator(j, item, arena))
			break;
		if (!result)
			result = entry_remove(j, position, item, arena, &l->trimmed_hash);
		if (!result)
			l->trimmed++;
		arena_reset(arena);
	}
	if (result)
		return result;
	*removed += l->trimmed - before;
	if (s->now.run.count && s->now.run.ordinal + s->now.run.count - 1 <= l->trimmed)
		s->now.run.count = 0; /* its row goes, too: the next entry begins another */
	return runs_remove(j, l->number, l->trimmed, arena);
}

int journal_trim(struct journal *j, const struct store_table *const *projections, size_t count, int64_t now_ms,
                 uint64_t *removed, struct error *e)
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
	for (uint32_t i = 0; i < j->line_count && !result; i++)
		result = line_trim(j, &j->slot[i], &arena, &gone, e);
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
