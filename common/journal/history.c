/*
 * Which of two histories goes on. A clone freezes its line; the district names the history that goes on, and the other
 * is closed. From then on a line may come back to an incarnation after others came:
 *
 *   released   (the line's row) one incarnation, and then the one that follows it: what continues it is placed as ever
 *   history    (line, incarnation) → from which seq it is closed: what continues it is placed as quarantined
 *
 * So everything that either machine called saved gets here, in the order of its own chain, and none of it is mixed:
 * what the closed one sent waits for an operator. Whatever continues neither is a clone as before.
 *
 * The first who takes a line decides about its order; those above take over that order, and come to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define HISTORY_KEY_BYTES 12 /* line, incarnation */

static struct bytes history_key(uint32_t line, uint64_t incarnation, uint8_t memory[HISTORY_KEY_BYTES])
{
	struct writer w = writer_over(memory, HISTORY_KEY_BYTES);
	write_u32(&w, line);
	write_u64(&w, incarnation);
	return BYTES(memory, w.size);
}

/* ERR_NOT_FOUND: it was not closed. */
static int closed_get(struct journal *j, uint32_t line, uint64_t incarnation, Lm__ClosedHistory **out)
{
	uint8_t key[HISTORY_KEY_BYTES];
	struct bytes value;
	struct error e;
	int result = store_get(j->txn, &journal_table_history, history_key(line, incarnation, key), &j->arena, &value);
	if (!result && CODEC_UNPACK(lm__closed_history, value, &j->arena, out, &e))
		result = store_fail(j->txn, ERR_DAMAGED, "table history: %s", e.text);
	return result;
}

static int closed_put(struct journal *j, uint32_t line, uint64_t incarnation, uint64_t from, const char *why)
{
	uint8_t key[HISTORY_KEY_BYTES];
	Lm__ClosedHistory row = LM__CLOSED_HISTORY__INIT;
	row.from = from;
	row.why = (char *)(uintptr_t)why;
	return row_write(j, &journal_table_history, history_key(line, incarnation, key), &row.base, false);
}

bool history_is_closed(struct journal *j, uint32_t line, uint64_t incarnation, uint64_t seq, const char **why)
{
	Lm__ClosedHistory *row;
	if (closed_get(j, line, incarnation, &row) || seq < row->from)
		return false;
	if (why)
		*why = row->why;
	return true;
}

static bool is_closed_in_part(struct journal *j, const struct line *l, uint64_t incarnation)
{
	Lm__ClosedHistory *row;
	return !closed_get(j, l->number, incarnation, &row);
}

bool history_is_settled(struct journal *j, const struct line *l, uint64_t incarnation)
{
	/* Parts of files may wait long after the process that wrote them has ended, and each says itself what it is. */
	bool is_any = l->key.stream == LM__STREAM__STREAM_PARTS || incarnation == l->released.incarnation;
	return l->released.seq && (is_any || is_closed_in_part(j, l, incarnation));
}

/* Those above may hear of the release before they have heard what it is about. */
static bool release_is_reached(struct journal *j, const struct line *l)
{
	uint64_t ordinal;
	bool is_exact = false;
	return !line_locate(j->txn, l->number, l->ordinal, l->released.incarnation, l->released.seq, &ordinal,
	                    &is_exact) &&
	       is_exact;
}

int history_inherit(struct journal *j, struct line *l, const Lm__Header *h, bool is_behind)
{
	const char *why;
	if (!l->released.seq || is_closed_in_part(j, l, h->incarnation))
		return store_failure(j->txn, NULL);
	if (h->parent && history_is_closed(j, l->number, h->parent->incarnation, h->parent->seq + 1, &why))
		return closed_put(j, l->number, h->incarnation, 1, why);
	/* The one that follows it, or that an older image of its disk brings, stands in its place: what goes on beside
	 * that is a clone again. */
	if ((h->parent && h->parent->incarnation == l->released.incarnation) || (is_behind && release_is_reached(j, l)))
		l->released = (struct history){ h->incarnation, h->seq };
	return store_failure(j->txn, NULL);
}

/* ---- the district's word ---- */

/* The named history of `up` is the same for all; of other streams only those who take them know where it ended. */
static int closed_from(struct journal *j, const struct line *l, const struct release *r, uint64_t *from)
{
	uint64_t ordinal, same;
	bool is_exact;
	*from = r->closed_from;
	if (l->key.stream == LM__STREAM__STREAM_UP)
		return OK;
	int result = line_locate(j->txn, l->number, l->ordinal, r->closed.incarnation, UINT64_MAX, &ordinal, &is_exact);
	if (!result)
		result = journal_coordinates(j->txn, l->number, ordinal, &same, from);
	*from = result ? 1 : *from + 1;
	return result == ERR_NOT_FOUND ? OK : result;
}

static int line_release(struct journal *j, struct slot *s, const struct release *r)
{
	struct line *l = &s->now.line;
	uint64_t from;
	int result = slot_touch(j, s);
	if (!result)
		result = closed_from(j, l, r, &from);
	if (!result)
		result = closed_put(j, l->number, r->closed.incarnation, from, r->why);
	if (result)
		return result;
	line_unfreeze(l);
	l->released = r->goes_on;
	if (l->key.stream != LM__STREAM__STREAM_UP)
		l->released.seq = 1; /* the named one is of `up` */
	return OK;
}

int journal_release(struct journal *j, const struct release *r, struct error *e)
{
	static const Lm__Stream streams[] = { LM__STREAM__STREAM_UP, LM__STREAM__STREAM_PARTS };
	struct slot *made;
	int result = OK;
	for (size_t i = 0; i < 2 && r->is_taken_here && !result; i++) {
		struct line_key key = { r->device, streams[i], 0 };
		if (!slot_find(j, &key))
			result = slot_make(j, &key, &made, e);
	}
	for (uint32_t i = 0; i < j->line_count && !result; i++)
		if (j->slot[i].now.line.key.origin == r->device && j->slot[i].now.line.key.origin != j->device)
			result = line_release(j, &j->slot[i], r);
	if (result == ERR_MEMORY)
		error_set(e, result, "no memory to release device %016llx", (unsigned long long)r->device);
	return result ? result : store_failure(j->txn, e);
}

int journal_history_is_ours(struct journal *j, struct store_txn *txn, const struct history *history)
{
	struct line_key up = { j->device, LM__STREAM__STREAM_UP, 0 };
	const struct slot *s = slot_find(j, &up);
	uint64_t ordinal;
	bool is_exact;
	if (!s)
		return ERR_NOT_FOUND;
	int result = line_locate(txn, s->now.line.number, s->now.line.ordinal, history->incarnation, history->seq,
	                         &ordinal, &is_exact);
	return result ? result : is_exact ? OK : ERR_NOT_FOUND;
}

int journal_own_release(struct journal *j, const char *why)
{
	static const struct history none = { 0 };
	for (uint32_t i = 0; i < j->line_count; i++) {
		struct line *l = &j->slot[i].now.line;
		if (l->key.origin != j->device || l->key.stream != LM__STREAM__STREAM_UP)
			continue;
		if (slot_touch(j, &j->slot[i]))
			return ERR_MEMORY;
		l->is_closed = why != NULL;
		line_unfreeze(l);
		if (why)
			line_freeze(l, &none, why);
		l->is_told = why != NULL;
	}
	return OK;
}

/* ---- what was kept aside meanwhile ---- */

static int aside_compare(const void *a, const void *b)
{
	const struct aside *x = a, *y = b;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->incarnation != y->incarnation)
		return x->incarnation < y->incarnation ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* A message is kept whole, so behind the last that is signed nothing is, unless there was no room for its rest. */
static size_t signed_keep(struct aside *list, size_t count)
{
	size_t kept = 0;
	for (size_t i = count; i-- > 0;) {
		bool is_same = i + 1 < count && list[i].line == list[i + 1].line &&
		               list[i].incarnation == list[i + 1].incarnation && list[i].seq + 1 == list[i + 1].seq;
		if (!list[i].is_signed && is_same) {
			list[i].is_signed = list[i + 1].is_signed;
			list[i].generation = list[i + 1].generation;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (list[i].is_signed)
			list[kept++] = list[i];
	return kept;
}

static int aside_read(const struct waiting *w, struct arena *arena, struct aside *out, struct error *e)
{
	Lm__Header *h;
	int result = CODEC_UNPACK(lm__header, codec_bytes(w->item->header), arena, &h, e);
	if (!result)
		*out = (struct aside){ .name = w->name,
			               .line = w->item->line,
			               .incarnation = h->incarnation,
			               .seq = h->seq,
			               .generation = w->item->heads ? w->item->heads->generation : 0,
			               .is_signed = w->item->heads != NULL };
	return result;
}

int journal_asides(const struct journal *j, struct store_txn *txn, struct arena *arena, struct aside **out,
                   size_t *count, struct error *e)
{
	uint64_t most = journal_quarantine_count(txn);
	struct waiting w = { 0 };
	struct arena scratch;
	*count = 0;
	*out = arena_alloc(arena, (most + 1) * sizeof **out);
	if (!*out)
		return error_set(e, ERR_MEMORY, "no memory for %llu entries", (unsigned long long)most);
	w.name = waiting_at(UINT64_MAX); /* what is kept aside comes behind every position */
	arena_init(&scratch, 4u * 1024 * 1024);
	int result = OK;
	while (!result && *count < most) {
		struct waiting_name last = w.name;
		arena_reset(&scratch);
		result = journal_waiting_next(txn, &last, &scratch, &w, e);
		if (result || w.disposition != LM__DISPOSITION__DISPOSITION_FROZEN)
			continue;
		const struct line *l = journal_line(j, w.item->line);
		if (l && l->released.seq && !l->is_frozen)
			result = aside_read(&w, &scratch, &(*out)[*count], e);
		*count += l && l->released.seq && !l->is_frozen && !result;
	}
	arena_release(&scratch);
	if (result && result != ERR_NOT_FOUND)
		return result;
	qsort(*out, *count, sizeof **out, aside_compare);
	*count = signed_keep(*out, *count);
	return OK;
}

static int aside_open(struct journal *j, const struct aside *aside, struct arena *arena, struct checked_entry *out,
                      struct error *e)
{
	struct waiting w;
	Lm__Header *h;
	uint8_t key[ENVELOPE_KEY_BYTES];
	memset(out, 0, sizeof *out);
	int result = journal_waiting_get(j->txn, &aside->name, arena, &w, e);
	if (!result)
		result = CODEC_UNPACK(lm__header, codec_bytes(w.item->header), arena, &h, e);
	if (!result)
		result = entry_hash(codec_bytes(w.item->header), &out->hash, e);
	if (result)
		return result;
	out->header = h;
	out->header_packed = codec_bytes(w.item->header);
	out->payload = codec_bytes(w.item->payload);
	out->heads = w.item->heads;
	out->generation = aside->generation;
	if (!h->envelope_hash.len)
		return OK;
	result = store_get(j->txn, &journal_table_envelope, aside_envelope_key(h, &out->hash, key), arena,
	                   &out->envelope_packed);
	return result == ERR_NOT_FOUND ? OK : result;
}

int journal_aside_receive(struct journal *j, const struct aside *aside, struct arena *arena,
                          struct checked_entry *entry, struct placed *out, enum reception *how, struct error *e)
{
	int result = aside_open(j, aside, arena, entry, e);
	return result ? result : entry_receive(j, entry, LM__DISPOSITION__DISPOSITION_APPLIED, NULL, true, out, how, e);
}
