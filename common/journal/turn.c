/*
 * A turn from begin to end: signing once, writing the lines that moved, putting memory back if the commit fails.
 * Also what moves items between dispositions.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define TURN_ARENA_BYTES_MOST (64u * 1024 * 1024)

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
	j->slot = calloc(LINES_MOST, sizeof *j->slot);
	j->recent = calloc(RECENT_MOST, sizeof *j->recent);
	int result = j->slot && j->recent ? openers_make(j) : ERR_MEMORY;
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
	for (uint32_t i = 0; j->slot && i < j->line_count; i++)
		period_end(j->slot[i].period);
	openers_free(j);
	pthread_mutex_destroy(&j->opener_lock);
	arena_release(&j->arena);
	free(j->slot);
	free(j->recent);
	free(j->touched);
	free(j);
}

uint64_t journal_incarnation(const struct journal *j)
{
	return j->incarnation;
}

int journal_turn_begin(struct journal *j, struct store_txn *txn, int64_t now_ms)
{
	j->txn = txn;
	j->now_ms = now_ms;
	j->touched_count = 0;
	j->has_erased = false;
	journal_recent_end(j);
	arena_reset(&j->arena);
	return OK;
}

int entry_hash(struct bytes header_packed, struct hash *out, struct error *e)
{
	struct bytes parts[] = { bytes_from_text("lm entry v1"), header_packed };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 2, out, e);
}

static int head_hash_of(const struct line_key *key, uint64_t incarnation, uint64_t seq, const struct hash *entry,
                        struct hash *out, struct error *e)
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

static int heads_make(struct journal *j, struct slot *const *slots, size_t count, Lm__SignedHeads **out,
                      struct error *e)
{
	Lm__SignedHeads *heads = arena_alloc(&j->arena, sizeof *heads);
	struct hash *hashes = arena_alloc(&j->arena, count * sizeof *hashes);
	uint8_t *signature = arena_alloc(&j->arena, SIGNATURE_BYTES);
	if (!heads || !hashes || !signature)
		return error_set(e, ERR_MEMORY, "no memory to sign %zu heads", count);
	lm__signed_heads__init(heads);
	int result = OK;
	for (size_t i = 0; i < count && !result; i++) {
		const struct line *l = &slots[i]->now.line;
		result = head_hash_of(&l->key, l->incarnation, l->seq, &l->hash, &hashes[i], e);
	}
	heads->suite = SUITE_INTERNATIONAL;
	heads->origin = j->device;
	heads->generation = j->keys->generation;
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
	recent_sign(j, s->last_position, heads);
	return item_write(j, s->last_position, item, false, e);
}

int lines_sign(struct journal *j, struct slot *const *slots, size_t count, struct error *e)
{
	Lm__SignedHeads *heads = NULL;
	int result = heads_make(j, slots, count, &heads, e);
	for (size_t i = 0; i < count && !result; i++) {
		result = heads_attach(j, slots[i], heads, e);
		slots[i]->unsigned_count = slots[i]->unsigned_bytes = 0;
	}
	return result;
}

/* The list of heads that this commit moved is signed once. */
static int turn_sign(struct journal *j, struct error *e)
{
	struct slot **slots = arena_alloc(&j->arena, j->touched_count * sizeof *slots);
	size_t count = 0;
	if (!slots)
		return error_set(e, ERR_MEMORY, "no memory to sign %zu heads", j->touched_count);
	for (size_t i = 0; i < j->touched_count; i++) {
		struct slot *s = &j->slot[j->touched[i] - 1];
		if (s->unsigned_count)
			slots[count++] = s;
	}
	return count ? lines_sign(j, slots, count, e) : OK;
}

static int lines_write(struct journal *j, struct error *e)
{
	for (uint32_t i = j->has_unwritten_marks ? 0 : j->stored_line_count; i < j->line_count; i++)
		if ((i >= j->stored_line_count || j->slot[i].is_mark_unwritten) && slot_touch(j, &j->slot[i]))
			return error_set(e, ERR_MEMORY, "no memory to write %u lines", j->line_count);
	for (size_t i = 0; i < j->touched_count; i++) {
		struct slot *s = &j->slot[j->touched[i] - 1];
		run_write(j, s);
		line_store(j, &s->now.line);
		s->is_mark_in_turn |= s->is_mark_unwritten;
		s->is_mark_unwritten = false;
	}
	j->has_unwritten_marks = false;
	return store_failure(j->txn, e);
}

int journal_turn_seal(struct journal *j, struct error *e)
{
	int result = turn_sign(j, e);
	return result ? result : lines_write(j, e);
}

static void slot_settle(struct journal *j, struct slot *s, bool was_committed)
{
	if (was_committed) {
		s->committed = s->now;
	} else {
		s->now = s->committed;
		if (s->is_period_new) { /* its notice was rolled back with the rest */
			period_end(s->period);
			s->period = NULL;
		}
		if (s->is_mark_in_turn)
			s->is_mark_unwritten = j->has_unwritten_marks = true;
	}
	s->is_touched = s->is_period_new = s->is_run_unwritten = s->is_mark_in_turn = false;
	s->unsigned_count = s->unsigned_bytes = 0;
}

void journal_turn_end(struct journal *j, bool was_committed)
{
	for (size_t i = 0; i < j->touched_count; i++)
		slot_settle(j, &j->slot[j->touched[i] - 1], was_committed);
	j->is_recent_committed = was_committed;
	if (was_committed) {
		j->committed_position = j->position;
		if (j->touched_count)
			j->stored_line_count = j->line_count;
		j->committed_line_count = j->line_count;
	} else {
		slots_drop(j, j->committed_line_count);
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

int journal_set_recipients(struct journal *j, const struct line_key *key, const struct period_recipient *recipients,
                           size_t count, struct error *e)
{
	if (count > PERIOD_RECIPIENTS_MOST)
		return error_set(e, ERR_TOO_MANY, "a stream is sealed to at most %d recipients, not %zu",
		                 PERIOD_RECIPIENTS_MOST, count);
	struct slot *s = slot_find(j, key);
	int result = s ? OK : slot_make(j, key, &s, e);
	if (!result && j->txn)
		result = slot_touch(j, s);
	if (result)
		return result;
	if (!j->txn)
		j->committed_line_count = j->line_count; /* made outside a turn: it stays */
	if (count == s->now.recipient_count &&
	    (!count || !memcmp(recipients, s->now.recipient, count * sizeof *recipients)))
		return OK;
	if (count)
		memcpy(s->now.recipient, recipients, count * sizeof *recipients);
	s->now.recipient_count = count;
	if (!j->txn) {
		memcpy(s->committed.recipient, s->now.recipient, sizeof s->now.recipient);
		s->committed.recipient_count = count;
	}
	period_end(s->period);
	s->period = NULL;
	return OK;
}

int journal_set_disposition(struct journal *j, uint64_t position, Lm__Disposition disposition, const char *why)
{
	Lm__TapeItem *item;
	struct error e;
	int result = journal_read(j->txn, position, &j->arena, &item, &e);
	if (result)
		return result;
	item->disposition = disposition;
	item->reason = (char *)(uintptr_t)(why ? why : "");
	if (disposition == LM__DISPOSITION__DISPOSITION_QUARANTINED)
		waiting_put(j, item->header.len ? position : item->retry_of, (struct bytes){ 0 });
	return item_write(j, position, item, false, NULL);
}

/* The item itself keeps its disposition, for replay passes it over, and tells where it was applied after all. */
int journal_retry(struct journal *j, uint64_t position, uint64_t *retry_position)
{
	Lm__TapeItem item = LM__TAPE_ITEM__INIT, *first;
	int result = journal_read(j->txn, position, &j->arena, &first, NULL);
	if (!result && !first->header.len) /* a retry that was held again */
		position = first->retry_of;
	if (!result && !first->header.len)
		result = journal_read(j->txn, position, &j->arena, &first, NULL);
	if (!result)
		result = waiting_remove(j, position);
	if (result)
		return result;
	first->retry_of = j->position + 1;
	result = item_write(j, position, first, false, NULL);
	if (result)
		return result;
	item.disposition = LM__DISPOSITION__DISPOSITION_RETRIED;
	item.retry_of = position;
	item.taken_ms = j->now_ms;
	result = item_write(j, j->position + 1, &item, true, NULL);
	if (!result)
		*retry_position = ++j->position;
	return result;
}

struct bytes held_key(struct bytes cause, uint64_t position, uint8_t memory[HELD_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, HELD_KEY_BYTES_MOST);
	write_u8(&w, (uint8_t)cause.size);
	write_bytes(&w, cause);
	write_u64(&w, position);
	return BYTES(memory, w.failed ? 0 : w.size);
}

int journal_hold(struct journal *j, struct bytes cause, uint64_t position)
{
	uint8_t memory[HELD_KEY_BYTES_MOST];
	struct bytes key = held_key(cause, position, memory);
	if (!key.size)
		return ERR_TOO_BIG;
	store_put(j->txn, &journal_table_held, key, bytes_from_text("held"));
	return waiting_put(j, position, cause);
}

int journal_held_take(struct journal *j, struct bytes cause, uint64_t *position)
{
	uint8_t memory[HELD_KEY_BYTES_MOST];
	struct bytes first = held_key(cause, 0, memory), key;
	struct store_cursor *c;
	if (!first.size)
		return ERR_NOT_FOUND;
	int result = store_cursor_open(j->txn, &journal_table_held, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, first, NULL, &key, NULL);
	if (!result && (key.size != first.size || memcmp(key.data, first.data, first.size - 8) != 0))
		result = ERR_NOT_FOUND;
	uint64_t found = 0;
	if (!result) {
		struct reader r = reader_over(BYTES(key.data + first.size - 8, 8));
		found = read_u64(&r);
		result = store_cursor_delete(c);
	}
	store_cursor_close(c);
	if (!result)
		result = waiting_remove(j, found);
	if (!result)
		*position = found;
	return result;
}
