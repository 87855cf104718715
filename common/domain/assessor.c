/*
 * Who assesses, and which certificates are looked at again: drawn by rules that anybody can follow with the same list.
 * What is smallest by a hash over the draw and each candidate does not depend on the order of the list, nor on who else
 * is in it.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define PLACE_SEPARATOR "/"

static struct bytes tag(const char *text)
{
	return bytes_from_text(text);
}

int assessor_id(const char *place, const char *account, struct id *out, struct error *e)
{
	struct hash hash;
	struct bytes parts[] = { tag("lm assessor v1"), tag(place), tag(PLACE_SEPARATOR), tag(account) };
	int result = crypto_hash(SUITE_INTERNATIONAL, parts, sizeof parts / sizeof *parts, &hash, e);
	if (!result)
		memcpy(out->byte, hash.byte, ID_BYTES);
	return result;
}

int assessor_get(struct store_txn *txn, struct id assessor, struct arena *arena, Lm__AssessorDeclaration **out)
{
	return row_get(txn, &domain_table_assessor, key_id(&assessor), &lm__assessor_declaration__descriptor, arena,
	               out);
}

int assessor_each(struct store_txn *txn, struct arena *arena,
                  bool (*visit)(void *context, struct id assessor, const Lm__AssessorDeclaration *row), void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_assessor, &c);
	if (result)
		return result;
	for (result = store_cursor_first(c, arena, &key, &value); !result;
	     result = store_cursor_next(c, arena, &key, &value)) {
		Lm__AssessorDeclaration *row;
		struct id id = { { 0 } };
		memcpy(id.byte, key.data, key.size < ID_BYTES ? key.size : ID_BYTES);
		result = row_unpack(txn, &domain_table_assessor, &lm__assessor_declaration__descriptor, value, arena,
		                    &row);
		if (result || !visit(context, id, row))
			break;
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* ---- declared ---- */

static int declaration_check(const Lm__AssessorDeclaration *d, struct error *e)
{
	if (!d->account[0] || strlen(d->account) > 32 || !d->by[0] || strlen(d->by) > 32)
		return error_set(e, ERR_INVALID, "account: whose declaration it is");
	if (!d->is_over && !citizen_id_is_valid(d->own_number))
		return error_set(e, ERR_INVALID, "own_number: the assessor's own ID number");
	if (d->n_relations > ASSESSOR_RELATIONS_MOST)
		return error_set(e, ERR_TOO_MANY, "relations: at most %d", ASSESSOR_RELATIONS_MOST);
	for (size_t i = 0; i < d->n_relations; i++)
		if (!citizen_id_is_valid(d->relations[i]))
			return error_set(e, ERR_INVALID, "relations[%zu]: this is no ID number", i);
	return OK;
}

int assessor_declare(struct apply *a, Lm__AssessorDeclaration *d, const char *place)
{
	struct id id, named = id_at(&a->item->header->person_id, 0);
	int result = declaration_check(d, a->e);
	d->place = (char *)(uintptr_t)place;
	if (!result)
		result = assessor_id(place, d->account, &id, a->e);
	if (!result && !id_equal(id, named))
		result = error_set(a->e, ERR_INVALID, "a declaration is filed under its assessor");
	return result ? result : row_put(a, &domain_table_assessor, key_id(&id), &d->base);
}

/* ---- drawn ---- */

struct candidates {
	const struct draw_order *order;
	struct id id[ASSESSORS_MOST];
	const Lm__AssessorDeclaration *row[ASSESSORS_MOST];
	size_t count;
};

static bool is_close(const Lm__AssessorDeclaration *row, const char *id_number)
{
	for (size_t i = 0; i < row->n_relations; i++)
		if (strcmp(row->relations[i], id_number) == 0)
			return true;
	return strcmp(row->own_number, id_number) == 0;
}

static bool is_passed(const struct draw_order *o, struct id id)
{
	for (size_t i = 0; i < o->passed_count; i++)
		if (bytes_equal(codec_bytes(o->passed[i]), key_id(&id)))
			return true;
	return false;
}

static bool candidate_visit(void *context, struct id assessor, const Lm__AssessorDeclaration *row)
{
	struct candidates *c = context;
	bool is_near = place_level_of(row->place) == PLACE_DISTRICT || strcmp(row->place, c->order->town) == 0;
	if (row->is_over || !is_near || is_close(row, c->order->id_number) || is_passed(c->order, assessor))
		return true;
	c->id[c->count] = assessor;
	c->row[c->count++] = row;
	return c->count < ASSESSORS_MOST;
}

static int smallest(const struct candidates *c, size_t *at, struct error *e)
{
	uint8_t number[4];
	struct writer w = writer_over(number, sizeof number);
	struct hash best = { { 0 } };
	write_u32(&w, c->order->sequence);
	for (size_t i = 0; i < c->count; i++) {
		struct hash hash;
		struct bytes parts[] = { tag("lm draw v1"), key_id(&c->order->person), BYTES_OF(number),
			                 key_id(&c->id[i]) };
		int result = crypto_hash(SUITE_INTERNATIONAL, parts, sizeof parts / sizeof *parts, &hash, e);
		if (result)
			return result;
		if (i && memcmp(hash.byte, best.byte, HASH_BYTES) >= 0)
			continue;
		best = hash;
		*at = i;
	}
	return OK;
}

int assessor_draw(struct store_txn *txn, const struct draw_order *order, struct arena *arena, Lm__AssessorDraw *out,
                  struct error *e)
{
	struct candidates *c = arena_alloc(arena, sizeof *c);
	struct hash *hash = arena_alloc(arena, sizeof *hash);
	size_t at = 0;
	if (!c || !hash)
		return ERR_MEMORY;
	c->order = order;
	c->count = 0;
	int result = assessor_each(txn, arena, candidate_visit, c);
	if (!result && !c->count)
		return error_set(e, ERR_NOT_FOUND,
		                 "nobody can be drawn: an assessor of the district or the town must declare first, and "
		                 "be no relative");
	if (!result)
		result = smallest(c, &at, e);
	if (!result)
		result = sample_frame_hash(c->id, c->count, hash, e);
	if (result)
		return result;
	lm__assessor_draw__init(out);
	out->sequence = order->sequence;
	out->list_hash = codec_data(BYTES_OF(hash->byte));
	out->candidates = (uint32_t)c->count;
	out->assessor_id = codec_data(BYTES_OF(c->id[at].byte));
	out->place = c->row[at]->place;
	out->account = c->row[at]->account;
	return OK;
}

/* ---- samples ---- */

int sample_frame_hash(const struct id *ids, size_t count, struct hash *out, struct error *e)
{
	struct bytes parts[] = { tag("lm frame v1"), { ids->byte, count * sizeof *ids } };
	return crypto_hash(SUITE_INTERNATIONAL, parts, sizeof parts / sizeof *parts, out, e);
}

struct ranked {
	struct hash rank;
	struct id id;
};

static int by_rank(const void *a, const void *b)
{
	return memcmp(((const struct ranked *)a)->rank.byte, ((const struct ranked *)b)->rank.byte, HASH_BYTES);
}

int sample_draw(const uint8_t seed[SAMPLE_SEED_BYTES], struct id *ids, size_t all, size_t count, struct error *e)
{
	struct ranked *list = calloc(all ? all : 1, sizeof *list);
	int result = list ? OK : error_set(e, ERR_MEMORY, "no memory for a frame of %zu", all);
	for (size_t i = 0; i < all && !result; i++) {
		struct bytes parts[] = { tag("lm sample v1"), BYTES(seed, SAMPLE_SEED_BYTES), key_id(&ids[i]) };
		list[i].id = ids[i];
		result = crypto_hash(SUITE_INTERNATIONAL, parts, sizeof parts / sizeof *parts, &list[i].rank, e);
	}
	if (!result && all)
		qsort(list, all, sizeof *list, by_rank);
	for (size_t i = 0; i < count && i < all && !result; i++)
		ids[i] = list[i].id;
	free(list);
	return result;
}
