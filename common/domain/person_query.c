/*
 * What lies beside a record: its events, its cases, who was merged into it, who looked at it. One table, whose keys
 * begin with the person.
 */
#include <string.h>

#include "inside.h"

struct bytes about_key(struct id person, enum about about, struct bytes rest, uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_bytes(&w, key_id(&person));
	write_u8(&w, (uint8_t)about);
	write_bytes(&w, rest);
	return BYTES(memory, w.size);
}

static bool is_of(struct bytes key, struct bytes head)
{
	return key.size > head.size && memcmp(key.data, head.data, head.size) == 0;
}

struct about_row {
	struct bytes rest, value; /* what follows the head of the key */
};

/* Rows of one kind, the last first; *is_more: there are more than `most`. */
static int about_list(struct store_txn *txn, struct id person, enum about about, struct arena *arena, size_t most,
                      struct about_row **out, size_t *count, bool *is_more)
{
	uint8_t head_memory[STORE_KEY_BYTES_MOST], end_memory[STORE_KEY_BYTES_MOST];
	struct bytes head = about_key(person, about, (struct bytes){ 0 }, head_memory), key, value;
	struct bytes end = about_key(person, (enum about)((int)about + 1), (struct bytes){ 0 }, end_memory);
	struct store_cursor *c;
	size_t capacity = 0;
	*out = NULL;
	*count = 0;
	*is_more = false;
	int result = store_cursor_open(txn, &domain_table_about, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, end, arena, &key, &value);
	result = result == ERR_NOT_FOUND ? store_cursor_last(c, arena, &key, &value)
	         : result                ? result
	                                 : store_cursor_prev(c, arena, &key, &value);
	for (; !result && is_of(key, head); result = store_cursor_prev(c, arena, &key, &value)) {
		*is_more = *count == most;
		if (*is_more)
			break;
		if (*count == capacity) {
			struct about_row *grown = arena_alloc(arena, (2 * capacity + 16) * sizeof *grown);
			if (!grown) {
				store_cursor_close(c);
				return ERR_MEMORY;
			}
			if (*count)
				memcpy(grown, *out, *count * sizeof *grown);
			capacity = 2 * capacity + 16;
			*out = grown;
		}
		(*out)[*count].rest = (struct bytes){ key.data + head.size, key.size - head.size };
		(*out)[(*count)++].value = value;
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

int person_events(struct store_txn *txn, struct id person, struct arena *arena, struct person_event **out,
                  size_t *count)
{
	struct about_row *rows;
	bool is_more;
	int result = about_list(txn, person, ABOUT_EVENT, arena, PERSON_EVENTS_SHOWN, &rows, count, &is_more);
	*out = result ? NULL : arena_alloc(arena, (*count + 1) * sizeof **out);
	if (!*out)
		return result ? result : ERR_MEMORY;
	for (size_t i = 0; i < *count; i++) {
		struct reader version = reader_over(rows[i].rest), position = reader_over(rows[i].value);
		(*out)[i] = (struct person_event){ read_u32(&version), read_u64(&position) };
	}
	return OK;
}

/* Ids that stand in the keys. */
static int ids_list(struct store_txn *txn, struct id person, enum about about, struct arena *arena, size_t most,
                    struct id **out, size_t *count, bool *is_more)
{
	struct about_row *rows;
	int result = about_list(txn, person, about, arena, most, &rows, count, is_more);
	*out = result ? NULL : arena_alloc(arena, (*count + 1) * sizeof **out);
	if (!*out)
		return result ? result : ERR_MEMORY;
	for (size_t i = 0; i < *count; i++) {
		if (rows[i].rest.size != ID_BYTES)
			return store_fail(txn, ERR_DAMAGED, "table about: a row of %zu bytes names nobody",
			                  rows[i].rest.size);
		memcpy((*out)[i].byte, rows[i].rest.data, ID_BYTES);
	}
	return OK;
}

int person_cases(struct store_txn *txn, struct id person, struct arena *arena, size_t most, struct id **out,
                 size_t *count, bool *is_more)
{
	return ids_list(txn, person, ABOUT_CASE, arena, most, out, count, is_more);
}

int person_looks(struct store_txn *txn, struct id person, struct arena *arena, size_t most, Lm__LookRecord ***out,
                 size_t *count, bool *is_more)
{
	struct about_row *rows;
	int result = about_list(txn, person, ABOUT_LOOK, arena, most, &rows, count, is_more);
	*out = result ? NULL : arena_alloc(arena, (*count + 1) * sizeof **out);
	if (!*out)
		return result ? result : ERR_MEMORY;
	for (size_t i = 0; i < *count && !result; i++)
		result = row_unpack(txn, &domain_table_about, &lm__look_record__descriptor, rows[i].value, arena,
		                    &(*out)[i]);
	return result;
}

int person_family(struct store_txn *txn, struct id person, struct id family[PERSON_FAMILY_MOST], size_t *count)
{
	struct arena arena;
	int result = OK;
	arena_init(&arena, 1024 * 1024);
	family[0] = person;
	*count = 1;
	for (size_t i = 0; i < *count && !result; i++) { /* grows while it is walked: merges make no ring */
		struct id *merged;
		size_t more = 0;
		bool is_more;
		result = ids_list(txn, family[i], ABOUT_MERGED, &arena, PERSON_FAMILY_MOST - *count, &merged, &more,
		                  &is_more);
		if (!result && is_more)
			result = ERR_TOO_MANY;
		for (size_t k = 0; k < more && !result; k++)
			family[(*count)++] = merged[k];
	}
	arena_release(&arena);
	return result;
}

static int rows_begin(struct store_cursor *c, struct id from, struct arena *arena, struct bytes *key,
                      struct bytes *value)
{
	if (id_is_zero(from))
		return store_cursor_first(c, arena, key, value);
	int result = store_cursor_seek(c, key_id(&from), arena, key, value);
	return !result && bytes_equal(*key, key_id(&from)) ? store_cursor_next(c, arena, key, value) : result;
}

int person_rows_each(struct store_txn *txn, const struct store_table *table, const ProtobufCMessageDescriptor *type,
                     struct id *from, struct arena *arena,
                     bool (*visit)(void *context, struct id person, const ProtobufCMessage *row), void *context,
                     struct error *e)
{
	struct store_cursor *c;
	struct bytes key, value;
	bool wants_more = true;
	int result = store_cursor_open(txn, table, &c);
	if (result)
		return result;
	for (result = rows_begin(c, *from, arena, &key, &value); wants_more;
	     result = store_cursor_next(c, arena, &key, &value)) {
		ProtobufCMessage *row;
		if (!result)
			result = row_unpack(txn, table, type, value, arena, &row);
		if (result && !store_pass_over(txn, e))
			break;
		if (!result) {
			memcpy(from->byte, key.data, key.size < ID_BYTES ? key.size : ID_BYTES);
			wants_more = visit(context, *from, row);
		}
		arena_reset(arena);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

struct person_visit {
	bool (*visit)(void *context, struct id person, const Lm__PersonRecord *record);
	void *context;
};

static bool person_row_visit(void *context, struct id person, const ProtobufCMessage *row)
{
	const struct person_visit *v = context;
	return v->visit(v->context, person, (const Lm__PersonRecord *)row);
}

int person_each(struct store_txn *txn, struct id *from, struct arena *arena,
                bool (*visit)(void *context, struct id person, const Lm__PersonRecord *record), void *context,
                struct error *e)
{
	struct person_visit v = { visit, context };
	return person_rows_each(txn, &domain_table_person, &lm__person_record__descriptor, from, arena,
	                        person_row_visit, &v, e);
}

/* ---- whose case it is ---- */

int case_person_set(struct apply *a, struct id request, Lm__CaseRecord *record, ProtobufCBinaryData person_id)
{
	uint8_t key[STORE_KEY_BYTES_MOST];
	struct id person;
	if (record->person_id.len == ID_BYTES) {
		memcpy(person.byte, record->person_id.data, ID_BYTES);
		store_delete(a->txn, &domain_table_about, about_key(person, ABOUT_CASE, key_id(&request), key));
	}
	record->person_id = (ProtobufCBinaryData){ 0 };
	if (person_id.len != ID_BYTES || subject_is_erased(a->txn, codec_bytes(person_id)))
		return store_failure(a->txn, NULL);
	memcpy(person.byte, person_id.data, ID_BYTES);
	record->person_id = person_id;
	return store_put(a->txn, &domain_table_about, about_key(person, ABOUT_CASE, key_id(&request), key),
	                 bytes_from_text("case"));
}

/* ---- erased ---- */

static int cases_free(struct apply *a, struct id person)
{
	struct id *list;
	size_t count = 0;
	bool is_more;
	int result = person_cases(a->txn, person, a->arena, SIZE_MAX, &list, &count, &is_more);
	for (size_t i = 0; i < count && !result; i++) {
		Lm__CaseRecord *record;
		result = case_get(a->txn, list[i], a->arena, &record);
		if (!result)
			result = case_person_set(a, list[i], record, (ProtobufCBinaryData){ 0 });
		if (!result)
			result = case_put(a, list[i], record);
		if (!result)
			result = effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = list[i] });
	}
	return result;
}

/* Who looked stays: it says nothing about the person, and much about who looked. */
static int about_remove(struct apply *a, struct id person)
{
	static const enum about gone[] = { ABOUT_EVENT, ABOUT_MERGED };
	int result = OK;
	for (size_t i = 0; i < sizeof gone / sizeof *gone && !result; i++) {
		struct about_row *rows;
		size_t count = 0;
		bool is_more;
		result = about_list(a->txn, person, gone[i], a->arena, SIZE_MAX, &rows, &count, &is_more);
		for (size_t k = 0; k < count && !result; k++) {
			uint8_t key[STORE_KEY_BYTES_MOST];
			result = store_delete(a->txn, &domain_table_about,
			                      about_key(person, gone[i], rows[k].rest, key));
		}
	}
	return result;
}

int person_remove(struct apply *a, struct id person)
{
	Lm__PersonRecord *record;
	int result = person_get(a->txn, person, a->arena, &record);
	if (!result)
		result = merge_note(a, person, record->facts, false);
	if (!result)
		result = store_delete(a->txn, &domain_table_person, key_id(&person));
	if (result == ERR_NOT_FOUND)
		result = OK;
	if (!result)
		result = cases_free(a, person);
	if (!result)
		result = about_remove(a, person);
	if (!result)
		result = certificate_remove(a, person);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_PERSON, .request = person });
}
