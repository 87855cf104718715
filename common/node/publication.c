/*
 * Drafts and publication within a turn: what is appended, in which order.
 */
#include "node/publication.h"

#include <string.h>

#include "act.h"

static int step_append(struct turn *t, const Lm__DraftPayload *step, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = CODEC_PACK(step, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_DRAFT;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int unreadable(struct turn *t, const char *key, struct error *e)
{
	int failure = store_failure(t->txn, e);
	return failure ? failure : error_set(e, ERR_INTERNAL, "%.40s cannot be read", key);
}

/* The newest revision, 0 if there is none. */
static int newest_read(struct turn *t, const struct collection *c, const char *key, ProtobufCMessage **newest,
                       uint32_t *revision, struct error *e)
{
	*newest = NULL;
	*revision = 0;
	int result = content_get(t->txn, c, key, 0, t->arena, newest);
	if (result == ERR_NOT_FOUND)
		return OK;
	if (result)
		return unreadable(t, key, e);
	*revision = content_revision(c, *newest);
	return OK;
}

static bool step_changes_nothing(const Lm__DraftPayload *step, const Lm__DraftRecord *record)
{
	return step->action == LM__DRAFT_ACTION__DRAFT_ACTION_SAVE && step->version == record->version + 1 &&
	       step->based_on == record->based_on && step->goes_back_to == record->goes_back_to &&
	       bytes_equal(codec_bytes(step->content), codec_bytes(record->content));
}

int publication_step(struct turn *t, const Lm__DraftPayload *step, uint32_t *version, struct error *e)
{
	const struct collection *c = collection_of(step->collection);
	Lm__DraftRecord *record = NULL;
	bool is_save = step->action == LM__DRAFT_ACTION__DRAFT_ACTION_SAVE;
	int result = c ? draft_get(t->txn, c, step->key, t->arena, &record)
	               : error_set(e, ERR_INVALID, "there is no such collection");
	if (result && result != ERR_NOT_FOUND)
		return c ? unreadable(t, step->key, e) : result;
	if (record && step_changes_nothing(step, record)) {
		*version = record->version;
		return OK;
	}
	*version = is_save ? step->version : 0;
	return step_append(t, step, e);
}

int publication_of_draft(struct turn *t, const struct collection *c, const char *key, uint32_t version, const char *by,
                         uint32_t *revision, struct error *e)
{
	Lm__DraftPayload step = LM__DRAFT_PAYLOAD__INIT;
	Lm__DraftRecord *record;
	ProtobufCMessage *content, *newest;
	int result = draft_get(t->txn, c, key, t->arena, &record);
	if (result == ERR_NOT_FOUND)
		return error_set(e, ERR_CONFLICT, "the draft of %.40s is gone: it was published or dropped", key);
	if (result)
		return unreadable(t, key, e);
	step.action = LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH;
	step.collection = c->id;
	step.key = (char *)(uintptr_t)key;
	step.version = version;
	step.by = (char *)(uintptr_t)by;
	result = step_append(t, &step, e);
	if (!result)
		result = newest_read(t, c, key, &newest, revision, e);
	if (!result)
		result = codec_unpack(c->type, codec_bytes(record->content), t->arena, &content, e);
	if (result)
		return result;
	struct publication_stamp stamp = { ++*revision,     record->goes_back_to, by,
		                           record->authors, record->n_authors,    t->now_ms };
	c->stamp(content, &stamp);
	return all_append(t, c->kind, content, e);
}

int publication_of_content(struct turn *t, const struct collection *c, ProtobufCMessage *content,
                           const char *drafted_by, const char *published_by, struct arena *arena, struct error *e)
{
	ProtobufCMessage *newest;
	uint32_t revision;
	char **authors = arena_alloc(arena, sizeof *authors);
	if (!authors)
		return error_set(e, ERR_MEMORY, "no memory to publish");
	authors[0] = (char *)(uintptr_t)drafted_by;
	int result = newest_read(t, c, c->key(content), &newest, &revision, e);
	if (!result)
		result = publication_check(c, content, newest, authors, 1, published_by, t->arena, e);
	if (result)
		return result;
	struct publication_stamp stamp = { revision + 1, 0, published_by, authors, 1, t->now_ms };
	c->stamp(content, &stamp);
	return all_append(t, c->kind, content, e);
}

int publication_withdraw(struct turn *t, const struct collection *c, const char *key, uint32_t seen, const char *by,
                         uint32_t *revision, struct error *e)
{
	ProtobufCMessage *content, *newest;
	int result = newest_read(t, c, key, &newest, revision, e);
	if (result)
		return result;
	if (!newest || !c->withdraw)
		return error_set(e, ERR_NOT_FOUND, "nothing of %.40s is in force that one person could take back", key);
	if (*revision != seen)
		return error_set(e, ERR_CONFLICT, "revision %u of %.40s was published meanwhile", *revision, key);
	content = content_bare(c, newest, t->arena);
	if (!content)
		return error_set(e, ERR_MEMORY, "no memory to take it back");
	c->withdraw(content);
	if (content_is_same(c, content, newest, t->arena))
		return error_set(e, ERR_EXISTS, "%.40s: it was taken back already", key);
	c->stamp(content,
	         &(struct publication_stamp){ .revision = ++*revision, .published_by = by, .published_ms = t->now_ms });
	return all_append(t, c->kind, content, e);
}
