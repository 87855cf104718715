/*
 * What was published: every revision of every key of a collection, in a table of its own. Keys of rows: key, 0,
 * revision u32; so the revisions of a key lie side by side, the newest last.
 */
#include <string.h>

#include "inside.h"

static struct bytes content_key(const char *key, uint32_t revision, uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_bytes(&w, bytes_from_text(key));
	write_u8(&w, 0);
	write_u32(&w, revision);
	return BYTES(memory, w.failed ? 0 : w.size);
}

static int newest_of(struct store_txn *txn, const struct collection *c, const char *key, struct arena *arena,
                     struct bytes *value)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes row, past = content_key(key, UINT32_MAX, memory);
	struct store_cursor *cursor;
	if (!past.size)
		return ERR_NOT_FOUND;
	int result = store_cursor_open(txn, c->table, &cursor);
	if (result)
		return result;
	result = store_cursor_seek(cursor, past, arena, &row, value);
	if (result == ERR_NOT_FOUND)
		result = store_cursor_last(cursor, arena, &row, value);
	else if (!result && !bytes_equal(row, past))
		result = store_cursor_prev(cursor, arena, &row, value);
	size_t length = strlen(key) + 1;
	if (!result && (row.size != length + 4 || memcmp(row.data, key, length) != 0))
		result = ERR_NOT_FOUND;
	store_cursor_close(cursor);
	return result;
}

int content_get(struct store_txn *txn, const struct collection *c, const char *key, uint32_t revision,
                struct arena *arena, ProtobufCMessage **out)
{
	struct bytes value;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes row = content_key(key, revision, memory);
	if (!row.size)
		return ERR_NOT_FOUND;
	int result = revision ? store_get(txn, c->table, row, arena, &value) : newest_of(txn, c, key, arena, &value);
	return result ? result : row_unpack(txn, c->table, c->type, value, arena, out);
}

int content_each(struct store_txn *txn, const struct collection *c, struct arena *arena,
                 bool (*visit)(void *context, ProtobufCMessage *newest), void *context)
{
	struct store_cursor *cursor;
	struct bytes row, value;
	ProtobufCMessage *newest = NULL, *content;
	int result = store_cursor_open(txn, c->table, &cursor);
	if (result)
		return result;
	bool wants_more = true;
	result = store_cursor_first(cursor, arena, &row, &value);
	while (!result && wants_more) {
		result = row_unpack(txn, c->table, c->type, value, arena, &content);
		if (result)
			break;
		if (newest && strcmp(c->key(newest), c->key(content)) != 0)
			wants_more = visit(context, newest);
		newest = content;
		result = store_cursor_next(cursor, arena, &row, &value);
	}
	store_cursor_close(cursor);
	if (result == ERR_NOT_FOUND) {
		result = OK;
		if (newest && wants_more)
			visit(context, newest);
	}
	return result;
}

uint32_t content_revision(const struct collection *c, const ProtobufCMessage *content)
{
	return c->stamp_of(content).revision;
}

static int content_check(struct apply *a, const struct collection *c, const ProtobufCMessage *content,
                         const struct publication_stamp *stamp)
{
	struct service_fault fault;
	const char *key = c->key(content);
	if (!stamp->revision)
		return error_set(a->e, ERR_INVALID, "%s %.40s: no revision", c->name, key);
	if (c->shape(content, &fault, 1))
		return error_set(a->e, ERR_INVALID, "%s %.40s: %s", c->name, key, fault.text);
	if (name_is_among(stamp->published_by, stamp->drafted_by, stamp->drafted_by_count))
		return error_set(a->e, ERR_DENIED, "%s %.40s: %.32s wrote it and cannot publish it, too", c->name, key,
		                 stamp->published_by);
	return OK;
}

int rows_numbered_remove(struct apply *a, const struct store_table *table, struct bytes first)
{
	struct store_cursor *c;
	struct bytes key;
	int result = store_cursor_open(a->txn, table, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, first, NULL, &key, NULL);
	while (!result && key.size == first.size && memcmp(key.data, first.data, first.size - sizeof(uint32_t)) == 0) {
		result = store_cursor_delete(c);
		if (!result)
			result = store_cursor_next(c, NULL, &key, NULL);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

int content_forget(struct apply *a, const struct collection *c, const char *key)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	const uint32_t before_all = 0;
	int result = rows_numbered_remove(a, c->table, content_key(key, before_all, memory));
	if (!result)
		result = rows_numbered_remove(a, &domain_table_publication,
		                              publication_key(c, key, &before_all, memory));
	return result;
}

/* A terminal keeps the newest word of its town alone: whatever number that has, it is what the town says now. */
static int content_put(struct apply *a, const struct collection *c, const char *key, uint32_t revision)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes row = content_key(key, revision, memory);
	if (c->owner == LM__TIER__TIER_TOWN && a->d->tier == LM__TIER__TIER_TERMINAL) {
		int result =
		        rows_numbered_remove(a, c->table, content_key(key, 0, (uint8_t[STORE_KEY_BYTES_MOST]){ 0 }));
		if (result)
			return result;
	} else if (store_has(a->txn, c->table, row))
		return error_set(a->e, ERR_EXISTS, "revision %u of %s %.40s was published before", revision, c->name,
		                 key);
	return store_put(a->txn, c->table, row, a->item->plain);
}

int apply_content(struct apply *a)
{
	const struct collection *c = collection_of_kind(a->item->header->kind);
	ProtobufCMessage *content;
	if (a->item->is_absent)
		return error_set(a->e, ERR_ABSENT, "what was published has no content");
	int result = codec_unpack(c->type, a->item->plain, a->arena, &content, a->e);
	if (result)
		return result;
	struct publication_stamp stamp = c->stamp_of(content);
	result = content_check(a, c, content, &stamp);
	if (result)
		return result;
	result = content_put(a, c, c->key(content), stamp.revision);
	if (!result && a->d->tier == c->owner)
		result = publication_note(a, c, c->key(content), &stamp);
	if (!result && c->taken)
		result = c->taken(a, content);
	return result ? result : effect_add(a, (struct domain_effect){ .type = c->news });
}
