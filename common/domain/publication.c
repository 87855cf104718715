/*
 * Collections, and how their revisions came into force.
 */
#include "domain/publication.h"

#include <string.h>

#include "inside.h"

static const struct collection *const collections[] = { &collection_catalogue, &collection_calendar,
	                                                &collection_wording, &collection_notice };

static const struct collection *collection_at(size_t i)
{
	return i < sizeof collections / sizeof *collections ? collections[i] : NULL;
}

const struct collection *collection_of(Lm__Collection id)
{
	const struct collection *c;
	for (size_t i = 0; (c = collection_at(i)) && c->id != id; i++)
		;
	return c;
}

const struct collection *collection_of_kind(Lm__Kind kind)
{
	const struct collection *c;
	for (size_t i = 0; (c = collection_at(i)) && c->kind != kind; i++)
		;
	return c;
}

const struct collection *collection_named(const char *name)
{
	const struct collection *c;
	for (size_t i = 0; (c = collection_at(i)) && strcmp(c->name, name) != 0; i++)
		;
	return c;
}

/* ---- rows: collection u8, key, and for publications 0 and revision u32 ---- */

struct bytes publication_key(const struct collection *c, const char *key, const uint32_t *revision,
                             uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_u8(&w, (uint8_t)c->id);
	write_bytes(&w, bytes_from_text(key));
	if (revision) {
		write_u8(&w, 0);
		write_u32(&w, *revision);
	}
	return BYTES(memory, w.failed ? 0 : w.size);
}

/* The key and the revision that a row's key names. */
static bool key_read(const struct collection *c, struct bytes row, struct arena *arena, const char **key,
                     uint32_t *revision)
{
	const uint8_t *end = row.size > 6 && row.data[0] == c->id ? memchr(row.data + 1, 0, row.size - 1) : NULL;
	if (!end || row.data + row.size - end != 5)
		return false;
	*key = arena_format(arena, "%.*s", (int)(end - row.data - 1), (const char *)row.data + 1);
	*revision = (uint32_t)end[1] << 24 | (uint32_t)end[2] << 16 | (uint32_t)end[3] << 8 | end[4];
	return *key != NULL;
}

int publication_each(struct store_txn *txn, const struct collection *c, const char *key, struct arena *arena,
                     bool (*visit)(void *context, const char *key, uint32_t revision,
                                   const Lm__PublicationRecord *record),
                     void *context)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct store_cursor *cursor;
	struct bytes row, value;
	uint32_t before_all = 0;
	struct bytes first = publication_key(c, key ? key : "", key ? &before_all : NULL, memory);
	if (!first.size)
		return OK; /* no key is that long */
	int result = store_cursor_open(txn, &domain_table_publication, &cursor);
	if (result)
		return result;
	result = store_cursor_seek(cursor, first, arena, &row, &value);
	while (!result) {
		const char *at;
		uint32_t revision;
		Lm__PublicationRecord *record;
		if (!key_read(c, row, arena, &at, &revision) || (key && strcmp(at, key) != 0))
			break;
		result = row_unpack(txn, &domain_table_publication, &lm__publication_record__descriptor, value, arena,
		                    &record);
		if (result || !visit(context, at, revision, record))
			break;
		result = store_cursor_next(cursor, arena, &row, &value);
	}
	store_cursor_close(cursor);
	return result == ERR_NOT_FOUND ? OK : result;
}

struct newest {
	uint32_t wanted, revision;
	Lm__PublicationRecord *record;
};

static bool newest_visit(void *context, const char *key, uint32_t revision, const Lm__PublicationRecord *record)
{
	struct newest *n = context;
	(void)key;
	if (!n->wanted || n->wanted == revision) {
		n->revision = revision;
		n->record = (Lm__PublicationRecord *)(uintptr_t)record;
	}
	return !n->wanted || revision < n->wanted;
}

int publication_get(struct store_txn *txn, const struct collection *c, const char *key, uint32_t revision,
                    struct arena *arena, uint32_t *which, Lm__PublicationRecord **out)
{
	struct newest n = { .wanted = revision };
	int result = publication_each(txn, c, key, arena, newest_visit, &n);
	if (result || !n.record)
		return result ? result : ERR_NOT_FOUND;
	if (which)
		*which = n.revision;
	*out = n.record;
	return OK;
}

int publication_note(struct apply *a, const struct collection *c, const char *key,
                     const struct publication_stamp *stamp)
{
	Lm__PublicationRecord record = LM__PUBLICATION_RECORD__INIT;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	record.ordinal = a->item->ordinal;
	record.drafted_by = (char **)(uintptr_t)stamp->drafted_by;
	record.n_drafted_by = stamp->drafted_by_count;
	record.published_by = (char *)(uintptr_t)stamp->published_by;
	record.published_ms = stamp->published_ms;
	record.goes_back_to = stamp->goes_back_to;
	return row_put(a, &domain_table_publication, publication_key(c, key, &stamp->revision, memory), &record.base);
}

/* ---- may it be published? ---- */

ProtobufCMessage *content_bare(const struct collection *c, const ProtobufCMessage *content, struct arena *arena)
{
	ProtobufCMessage *copy = arena_copy(arena, content, c->type->sizeof_message);
	if (copy)
		c->stamp(copy, NULL);
	return copy;
}

int content_pack(const struct collection *c, const ProtobufCMessage *content, struct arena *arena, struct bytes *out,
                 struct error *e)
{
	ProtobufCMessage *bare = content_bare(c, content, arena);
	return bare ? codec_pack(bare, arena, out, e) : error_set(e, ERR_MEMORY, "no memory for a draft");
}

bool content_is_same(const struct collection *c, const ProtobufCMessage *a, const ProtobufCMessage *b,
                     struct arena *arena)
{
	struct bytes x = { 0 }, y = { 0 };
	return !content_pack(c, a, arena, &x, NULL) && !content_pack(c, b, arena, &y, NULL) && bytes_equal(x, y);
}

bool name_is_among(const char *name, char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

int publication_check(const struct collection *c, const ProtobufCMessage *content, const ProtobufCMessage *newest,
                      char *const *authors, size_t author_count, const char *by, struct arena *arena, struct error *e)
{
	struct service_fault fault;
	if (!by[0])
		return error_set(e, ERR_INVALID, "%.40s: it is not said who publishes it", c->key(content));
	if (name_is_among(by, authors, author_count))
		return error_set(e, ERR_DENIED, "%.40s: %.32s wrote it; somebody else must look at it and publish it",
		                 c->key(content), by);
	if (c->check(content, &fault, 1))
		return error_set(e, ERR_INVALID, "%.40s: %s", c->key(content), fault.text);
	if (newest && content_is_same(c, content, newest, arena))
		return error_set(e, ERR_EXISTS, "%.40s: unchanged; this is what is in force already", c->key(content));
	return OK;
}
