/*
 * A turn from begin to end: signing once, writing the lines that moved, putting memory back if the commit fails.
 * Also what moves items between dispositions.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define TURN_ARENA_BYTES_MOST (64u * 1024 * 1024)
#define HELD_CAUSE_BYTES_MOST 48

int journal_open(const struct journal_options *options, struct journal **out, struct error *e)
{
	struct journal *j = calloc(1, sizeof *j);
	if (!j)
		return error_set(e, ERR_MEMORY, "no memory for the journal");
	j->store = options->store;
	j->keys = options->keys;
	j->device = options->device;
	arena_init(&j->arena, TURN_ARENA_BYTES_MOST);
	pthread_mutex_init(&j->opener_lock, NULL);
	int result = openers_make(j);
	if (result)
		result = error_set(e, result, "no memory for the journal");
	if (!result && !options->is_reader)
		result = crypto_random(&j->incarnation, sizeof j->incarnation, e);
	if (!result)
		result = lines_load(j, e);
	if (result) {
		journal_close(j);
		return result;
	}
	*out = j;
	return OK;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	for (uint32_t i = 0; i < j->line_count; i++)
		period_end(j->slot[i].period);
	openers_free(j);
	pthread_mutex_destroy(&j->opener_lock);
	arena_release(&j->arena);
	free(j->slot);
	free(j->touched);
	free(j);
}

uint64_t journal_incarnation(const struct journal *j)
{
	return j->incarnation;
}

uint64_t journal_device(const struct journal *j)
{
	return j->device;
}

int journal_turn_begin(struct journal *j, struct store_txn *txn, int64_t now_ms)
{
	j->txn = txn;
	j->now_ms = now_ms;
	j->touched_count = 0;
	arena_reset(&j->arena);
	if (!j->has_unwritten_marks)
		return OK;
	for (uint32_t i = 0; i < j->line_count; i++)
		if (j->slot[i].is_mark_unwritten && slot_touch(j, &j->slot[i]))
			return ERR_MEMORY;
	return OK;
}

int entry_hash(struct bytes header_packed, struct hash *out, struct error *e)
{
	struct bytes parts[] = { bytes_from_text("lm entry v1"), header_packed };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 2, out, e);
}

static int head_hash_of(const struct line_key *key, uint64_t incarnation, uint64_t seq, const struct hash *entry, struct hash *out, struct error *e)
{
	uint8_t memory[40];
	struct writer w = writer_over(memory, sizeof memory);
	write_u64(&w, key->origin);
	write_u32(&w, (uint32_t)key->stream);
	write_u64(&w, key->receiver);
	write_u64(&w, incarnation);
	write_u64(&w, seq);
	struct bytes parts[] = { bytes_from_text("lm head v1"), BYTES(memory, w.size), BYTES(entry->byte, HASH_BYTES) };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 3, out, e);
}

int head_hash(const Lm__Header *h, const struct hash *entry, struct hash *out, struct error *e)
{
	struct line_key key = { h->origin, h->stream, h->receiver };
	return head_hash_of(&key, h->incarnation, h->seq, entry, out, e);
}

int heads_digest(const Lm__SignedHeads *heads, struct hash *out, struct error *e)
{
	uint8_t memory[8];
	struct writer w = writer_over(memory, sizeof memory);
	write_u64(&w, heads->origin);
	struct bytes parts[] = { bytes_from_text("lm heads v1"), BYTES(memory, w.size), codec_bytes(heads->hashes) };
	return crypto_hash((uint8_t)heads->suite, parts, 3, out, e);
}

/* The list of heads that this commit moved, signed once. NULL if it moved none of ours. */
static int heads_sign(struct journal *j, Lm__SignedHeads **out, struct error *e)
{
	size_t count = 0;
	for (size_t i = 0; i < j->touched_count; i++)
		count += j->slot[j->touched[i] - 1].has_new_entry;
	*out = NULL;
	if (!count)
		return OK;
	Lm__SignedHeads *heads = arena_alloc(&j->arena, sizeof *heads);
	struct hash *hashes = arena_alloc(&j->arena, count * sizeof *hashes);
	uint8_t *signature = arena_alloc(&j->arena, SIGNATURE_BYTES);
	if (!heads || !hashes || !signature)
		return error_set(e, ERR_MEMORY, "no memory to sign %zu heads", count);
	lm__signed_heads__init(heads);
	int result = OK;
	size_t at = 0;
	for (size_t i = 0; i < j->touched_count && !result; i++) {
		const struct slot *s = &j->slot[j->touched[i] - 1];
		const struct line *l = &s->now.line;
		if (s->has_new_entry)
			result = head_hash_of(&l->key, l->incarnation, l->seq, &l->hash, &hashes[at++], e);
	}
	heads->suite = SUITE_INTERNATIONAL;
	heads->origin = j->device;
	heads->hashes = codec_data(BYTES(hashes, count * sizeof *hashes));
	struct hash digest;
	if (!result)
		result = heads_digest(heads, &digest, e);
	if (!result)
		result = sign_make(SUITE_INTERNATIONAL, j->keys->signing_secret, BYTES_OF(digest), signature, e);
	heads->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
	*out = heads;
	return result;
}

/* The last entry of each of our lines carries the signed heads, so that no row of its own is needed for them. */
static int heads_attach(struct journal *j, const struct slot *s, Lm__SignedHeads *heads, struct error *e)
{
	Lm__TapeItem *item;
	int result = journal_read(j->txn, s->last_position, &j->arena, &item, e);
	if (result)
		return result;
	item->heads = heads;
	return item_write(j, s->last_position, item, false, e);
}

static int lines_write(struct journal *j)
{
	for (uint32_t number = j->stored_line_count + 1; number <= j->line_count; number++)
		if (slot_touch(j, &j->slot[number - 1]))
			return ERR_MEMORY;
	for (size_t i = 0; i < j->touched_count; i++) {
		const struct slot *s = &j->slot[j->touched[i] - 1];
		run_write(j, s);
		line_store(j, &s->now.line);
	}
	return OK;
}

int journal_turn_seal(struct journal *j, struct error *e)
{
	Lm__SignedHeads *heads;
	int result = heads_sign(j, &heads, e);
	for (size_t i = 0; i < j->touched_count && !result; i++) {
		const struct slot *s = &j->slot[j->touched[i] - 1];
		if (s->has_new_entry)
			result = heads_attach(j, s, heads, e);
	}
	if (!result)
		result = lines_write(j);
	return result ? result : store_failure(j->txn, e);
}

static void slot_settle(struct slot *s, bool was_committed)
{
	if (was_committed) {
		s->committed = s->now;
		s->is_mark_unwritten = false;
	} else {
		s->now = s->committed;
		if (s->is_period_new) { /* its notice was rolled back with the rest */
			period_end(s->period);
			s->period = NULL;
		}
	}
	s->is_touched = s->has_new_entry = s->is_period_new = false;
}

void journal_turn_end(struct journal *j, bool was_committed)
{
	for (size_t i = 0; i < j->touched_count; i++)
		slot_settle(&j->slot[j->touched[i] - 1], was_committed);
	if (was_committed) {
		j->committed_position = j->position;
		if (j->touched_count)
			j->stored_line_count = j->line_count;
		j->committed_line_count = j->line_count;
		j->has_unwritten_marks = false;
	} else {
		for (uint32_t i = j->committed_line_count; i < j->line_count; i++)
			period_end(j->slot[i].period);
		j->line_count = j->committed_line_count;
		j->position = j->committed_position;
		j->touched_count = 0;
	}
	j->txn = NULL;
}

size_t journal_turn_lines(const struct journal *j, const uint32_t **numbers)
{
	*numbers = j->touched;
	return j->touched_count;
}

int journal_set_recipients(struct journal *j, const struct line_key *key, const struct period_recipient *recipients, size_t count, struct error *e)
{
	struct slot *s = slot_find(j, key);
	int result = s ? OK : slot_make(j, key, &s, e);
	if (result)
		return result;
	if (!j->txn)
		j->committed_line_count = j->line_count; /* made outside a turn: it stays */
	if (count == s->recipient_count && memcmp(recipients, s->recipient, count * sizeof *recipients) == 0)
		return OK;
	memcpy(s->recipient, recipients, count * sizeof *recipients);
	s->recipient_count = count;
	period_end(s->period);
	s->period = NULL;
	return OK;
}

bool journal_has_recipients(const struct journal *j, const struct line_key *key)
{
	const struct slot *s = slot_find(j, key);
	return s && s->recipient_count;
}

int journal_set_disposition(struct journal *j, uint64_t position, Lm__Disposition disposition, const char *why)
{
	Lm__TapeItem *item;
	struct error e;
	int result = journal_read(j->txn, position, &j->arena, &item, &e);
	if (result)
		return result;
	item->disposition = disposition;
	item->reason = (char *)(uintptr_t)why;
	return item_write(j, position, item, false, NULL);
}

int journal_retry(struct journal *j, uint64_t position, uint64_t *retry_position)
{
	Lm__TapeItem item = LM__TAPE_ITEM__INIT;
	item.disposition = LM__DISPOSITION__DISPOSITION_RETRIED;
	item.retry_of = position;
	item.taken_ms = j->now_ms;
	*retry_position = j->position + 1;
	int result = item_write(j, j->position + 1, &item, true, NULL);
	if (!result)
		j->position++;
	return result;
}

static struct bytes held_key(struct bytes cause, uint64_t position, uint8_t memory[HELD_CAUSE_BYTES_MOST + 8])
{
	struct writer w = writer_over(memory, HELD_CAUSE_BYTES_MOST + 8);
	write_bytes(&w, cause);
	write_u64(&w, position);
	return BYTES(memory, w.failed ? 0 : w.size);
}

int journal_hold(struct journal *j, struct bytes cause, uint64_t position)
{
	uint8_t memory[HELD_CAUSE_BYTES_MOST + 8];
	struct bytes key = held_key(cause, position, memory);
	if (!key.size)
		return ERR_TOO_BIG;
	return store_put(j->txn, &journal_table_held, key, bytes_from_text("held"));
}

int journal_held_take(struct journal *j, struct bytes cause, uint64_t *position)
{
	uint8_t memory[HELD_CAUSE_BYTES_MOST + 8];
	struct bytes first = held_key(cause, 0, memory), key;
	struct store_cursor *c;
	int result = store_cursor_open(j->txn, &journal_table_held, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, first, NULL, &key, NULL);
	if (!result && (key.size != first.size || memcmp(key.data, cause.data, cause.size) != 0))
		result = ERR_NOT_FOUND;
	if (!result) {
		struct reader r = reader_over(BYTES(key.data + cause.size, 8));
		*position = read_u64(&r);
		result = store_cursor_delete(c);
	}
	store_cursor_close(c);
	return result;
}
