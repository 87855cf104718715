/*
 * Drafts: saved, dropped, published.
 *
 *        save            save (version + 1)
 *   none ────► open v1 ────────────────────► open v2 …
 *     ▲            │ drop, publish
 *     └────────────┘
 */
#include <string.h>

#include "base/clock.h"
#include "domain/publication.h"
#include "inside.h"

#define NAME_BYTES_MOST 64 /* of who acts; account names are shorter, lmctl's --by is free text */

int draft_get(struct store_txn *txn, const struct collection *c, const char *key, struct arena *arena,
              Lm__DraftRecord **out)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes row = publication_key(c, key, NULL, memory);
	if (!key[0] || !row.size)
		return ERR_NOT_FOUND;
	return row_get(txn, &domain_table_draft, row, &lm__draft_record__descriptor, arena, out);
}

int draft_each(struct store_txn *txn, const struct collection *c, struct arena *arena,
               bool (*visit)(void *context, const char *key, const Lm__DraftRecord *record), void *context)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct store_cursor *cursor;
	struct bytes row, value;
	int result = store_cursor_open(txn, &domain_table_draft, &cursor);
	if (result)
		return result;
	result = store_cursor_seek(cursor, publication_key(c, "", NULL, memory), arena, &row, &value);
	while (!result && row.size > 1 && row.data[0] == c->id) {
		Lm__DraftRecord *record = NULL;
		const char *key = arena_format(arena, "%.*s", (int)(row.size - 1), (const char *)row.data + 1);
		result =
		        key ? row_unpack(txn, &domain_table_draft, &lm__draft_record__descriptor, value, arena, &record)
		            : store_fail(txn, ERR_MEMORY, "no memory for a draft");
		if (result || !visit(context, key, record))
			break;
		result = store_cursor_next(cursor, arena, &row, &value);
	}
	store_cursor_close(cursor);
	return result == ERR_NOT_FOUND ? OK : result;
}

struct step { /* one draft step under way */
	struct apply *a;
	const Lm__DraftPayload *in;
	const struct collection *collection;
	Lm__DraftRecord *record;      /* NULL: there is no draft */
	ProtobufCMessage *newest;     /* NULL: nothing is in force */
	Lm__PublicationRecord *stamp; /* how it came into force */
	uint32_t revision;            /* 0: nothing is in force */
};

/* ERR_NOT_FOUND is no error here: *out stays NULL. */
static int found(int result)
{
	return result == ERR_NOT_FOUND ? OK : result;
}

static int step_read(struct step *s)
{
	struct apply *a = s->a;
	const Lm__DraftPayload *in = s->in;
	s->collection = collection_of(in->collection);
	if (!s->collection)
		return error_set(a->e, ERR_INVALID, "there is no collection %d", (int)in->collection);
	if (s->collection->owner != a->d->tier)
		return error_set(a->e, ERR_DENIED, "another tier writes and publishes the collection %s",
		                 s->collection->name);
	if (!service_id_is_good(in->key))
		return error_set(a->e, ERR_INVALID,
		                 "the name of a draft has lower case letters, digits, - and _, at most 32");
	if (!in->by[0] || strlen(in->by) > NAME_BYTES_MOST)
		return error_set(a->e, ERR_INVALID, "by: a name of 1 to %d bytes", NAME_BYTES_MOST);
	int result = found(draft_get(a->txn, s->collection, in->key, a->arena, &s->record));
	if (!result)
		result = found(content_get(a->txn, s->collection, in->key, 0, a->arena, &s->newest));
	s->revision = !result && s->newest ? content_revision(s->collection, s->newest) : 0;
	if (!result)
		result = found(publication_get(a->txn, s->collection, in->key, s->revision, a->arena, NULL, &s->stamp));
	return result;
}

static int somebody_was_faster(const struct step *s)
{
	char when[CLOCK_TEXT_BYTES];
	if (!s->record)
		return error_set(s->a->e, ERR_CONFLICT, "the draft of %.40s is gone: it was published or dropped",
		                 s->in->key);
	clock_format_shanghai(s->record->changed_ms, when);
	return error_set(s->a->e, ERR_CONFLICT,
	                 "somebody was faster: %.32s saved version %u of the draft of %.40s on %s",
	                 s->record->changed_by, s->record->version, s->in->key, when);
}

static int is_not_the_newest(const struct step *s)
{
	char when[CLOCK_TEXT_BYTES] = "?";
	if (s->stamp)
		clock_format_shanghai(s->stamp->published_ms, when);
	return error_set(s->a->e, ERR_CONFLICT,
	                 "%.32s published revision %u of %.40s on %s: look at what it changed, then save again on it",
	                 s->stamp ? s->stamp->published_by : "somebody", s->revision, s->in->key, when);
}

static int content_read(const struct step *s, struct bytes packed, ProtobufCMessage **out)
{
	int result = codec_unpack(s->collection->type, packed, s->a->arena, out, s->a->e);
	if (!result && strcmp(s->collection->key(*out), s->in->key) != 0)
		return error_set(s->a->e, ERR_INVALID, "id: this draft is of %.40s and stays so", s->in->key);
	return result;
}

/* Who says that it goes back must give what stood there. */
static int goes_back_check(const struct step *s, const ProtobufCMessage *content)
{
	ProtobufCMessage *earlier;
	uint32_t to = s->in->goes_back_to;
	if (!to)
		return OK;
	if (to >= s->revision || content_get(s->a->txn, s->collection, s->in->key, to, s->a->arena, &earlier))
		return error_set(s->a->e, ERR_NOT_FOUND, "%.40s has no earlier revision %u", s->in->key, to);
	if (!content_is_same(s->collection, content, earlier, s->a->arena))
		return error_set(s->a->e, ERR_INVALID, "goes_back_to: this is not what revision %u says", to);
	return OK;
}

static int save_check(struct step *s, struct bytes *packed)
{
	const Lm__DraftPayload *in = s->in;
	ProtobufCMessage *content;
	if (in->version != (s->record ? s->record->version : 0) + 1)
		return somebody_was_faster(s);
	if (in->based_on != s->revision && !(s->record && in->based_on == s->record->based_on))
		return s->revision ? is_not_the_newest(s)
		                   : error_set(s->a->e, ERR_INVALID, "based_on: nothing of %.40s is in force", in->key);
	if (in->content.len > DRAFT_BYTES_MOST)
		return error_set(s->a->e, ERR_TOO_BIG, "the draft is larger than %d bytes", DRAFT_BYTES_MOST);
	int result = content_read(s, codec_bytes(in->content), &content);
	if (!result)
		result = goes_back_check(s, content);
	return result ? result : content_pack(s->collection, content, s->a->arena, packed, s->a->e);
}

/* Adds who saved it to the authors. */
static int author_add(const struct step *s, Lm__DraftRecord *record)
{
	size_t count = s->record ? s->record->n_authors : 0;
	char **authors = arena_alloc(s->a->arena, (count + 1) * sizeof *authors);
	if (!authors)
		return store_fail(s->a->txn, ERR_MEMORY, "no memory for a draft");
	for (size_t i = 0; i < count; i++)
		authors[i] = s->record->authors[i];
	if (!name_is_among(s->in->by, authors, count)) {
		if (count == DRAFT_AUTHORS_MOST)
			return error_set(s->a->e, ERR_TOO_MANY, "%d people wrote this draft: publish it or drop it",
			                 DRAFT_AUTHORS_MOST);
		authors[count++] = s->in->by;
	}
	record->authors = authors;
	record->n_authors = count;
	return OK;
}

static int save_apply(struct step *s)
{
	struct apply *a = s->a;
	Lm__DraftRecord record = LM__DRAFT_RECORD__INIT;
	struct bytes packed;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	int result = save_check(s, &packed);
	if (!result)
		result = author_add(s, &record);
	if (result)
		return result;
	record.version = s->in->version;
	record.based_on = s->in->based_on;
	record.goes_back_to = s->in->goes_back_to;
	record.content = codec_data(packed);
	record.begun_ms = s->record ? s->record->begun_ms : a->item->header->time_ms;
	record.changed_by = s->in->by;
	record.changed_ms = a->item->header->time_ms;
	return row_put(a, &domain_table_draft, publication_key(s->collection, s->in->key, NULL, memory), &record.base);
}

/* Dropping and publishing end a draft, and mean the version that was seen. */
static int end_apply(struct step *s)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	ProtobufCMessage *content;
	if (!s->record || s->in->version != s->record->version)
		return somebody_was_faster(s);
	if (s->in->action == LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH) {
		int result = content_read(s, codec_bytes(s->record->content), &content);
		if (!result && s->record->based_on != s->revision)
			result = is_not_the_newest(s);
		if (!result)
			result = publication_check(s->collection, content, s->newest, s->record->authors,
			                           s->record->n_authors, s->in->by, s->a->arena, s->a->e);
		if (result)
			return result;
	}
	return store_delete(s->a->txn, &domain_table_draft, publication_key(s->collection, s->in->key, NULL, memory));
}

int apply_draft(struct apply *a)
{
	Lm__DraftPayload *in;
	struct step s = { .a = a };
	if (a->item->is_absent)
		return error_set(a->e, ERR_ABSENT, "the step of a draft has no content");
	int result = CODEC_UNPACK(lm__draft_payload, a->item->plain, a->arena, &in, a->e);
	s.in = in;
	if (!result)
		result = step_read(&s);
	if (result)
		return result;
	switch (in->action) {
	case LM__DRAFT_ACTION__DRAFT_ACTION_SAVE:
		result = save_apply(&s);
		break;
	case LM__DRAFT_ACTION__DRAFT_ACTION_DROP:
	case LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH:
		result = end_apply(&s);
		break;
	default:
		result = error_set(a->e, ERR_INVALID, "action: save, drop or publish");
	}
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_DRAFT });
}
