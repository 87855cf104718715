/*
 * One content: what is in force, its history, where it has not arrived, its draft; and one revision beside the newest.
 */
#include <string.h>

#include "base/clock.h"
#include "publishing.h"

struct revisions {
	struct publishing *work;
	Lm__PublicationView *view;
	uint64_t newest_ordinal;
	size_t capacity;
	bool is_short;
};

static bool history_visit(void *context, const char *key, uint32_t revision, const Lm__PublicationRecord *record)
{
	struct revisions *h = context;
	Lm__PublicationView *view = h->view;
	if (view->n_revisions == h->capacity) {
		Lm__RevisionRow **grown = list_new(h->work, h->capacity = 2 * h->capacity + 16);
		if (grown && view->n_revisions)
			memcpy(grown, view->revisions, view->n_revisions * sizeof *grown);
		view->revisions = grown;
	}
	Lm__RevisionRow *row = view->revisions ? revision_row(h->work, key, revision, record) : NULL;
	h->is_short |= !row;
	if (row)
		view->revisions[view->n_revisions++] = row;
	h->newest_ordinal = record->ordinal;
	return row != NULL;
}

static void revisions_turn(Lm__PublicationView *view)
{
	for (size_t i = 0, k = view->n_revisions; i + 1 < k; i++) {
		Lm__RevisionRow *row = view->revisions[i];
		view->revisions[i] = view->revisions[--k];
		view->revisions[k] = row;
	}
}

static int missing_fill(struct publishing *w, const ProtobufCMessage *content, uint64_t ordinal,
                        Lm__PublicationView *view)
{
	view->missing = list_new(w, w->site_count);
	for (size_t i = 0; i < w->site_count && view->missing; i++) {
		const struct site *s = &w->sites[i];
		if (!site_is_reached(w, s, content) || (s->is_heard && s->ordinal >= ordinal))
			continue;
		Lm__MissingSite *v = arena_alloc(&w->arena, sizeof *v);
		if (!v)
			return publishing_no_memory(w);
		lm__missing_site__init(v);
		v->place = (char *)(uintptr_t)s->place;
		v->place_name = node_place_words(w->node, s->place, &w->arena);
		v->is_heard = s->is_heard;
		v->is_up = s->is_up;
		v->since_ms = s->since_ms;
		view->missing[view->n_missing++] = v;
	}
	return view->missing ? OK : publishing_no_memory(w);
}

static int key_draft(struct publishing *w, Lm__PublicationView *view, const ProtobufCMessage *newest)
{
	Lm__DraftRecord *record;
	ProtobufCMessage *content;
	int result = draft_get(w->txn, w->collection, w->key, &w->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	result = codec_unpack(w->collection->type, codec_bytes(record->content), &w->arena, &content, &w->error);
	if (result)
		return result;
	member_put(&view->base, w->collection->draft_member, content);
	view->row->draft = draft_row(w, record, content, newest ? content_revision(w->collection, newest) : 0);
	row_name(w, view->row, content);
	result = content_faults_fill(w, content, &view->faults, &view->n_faults);
	return result ? result : content_changes_fill(w, newest, content, &view->changes, &view->n_changes);
}

static int key_build(struct publishing *w, Lm__PublicationView *view)
{
	struct revisions h = { .work = w, .view = view };
	ProtobufCMessage *newest = NULL;
	int result = publication_each(w->txn, w->collection, w->key, &w->arena, history_visit, &h);
	if (!result)
		result = h.is_short ? publishing_no_memory(w) : content_in_force(w, w->txn, 0, &newest);
	if (result)
		return result;
	revisions_turn(view);
	if (view->n_revisions)
		view->row->newest = view->revisions[0];
	if (newest) {
		member_put(&view->base, w->collection->member, newest);
		row_name(w, view->row, newest);
		result = missing_fill(w, newest, h.newest_ordinal, view);
	}
	if (!result)
		result = key_draft(w, view, newest);
	if (!result && !newest && !view->row->draft)
		return error_set(&w->error, ERR_NOT_FOUND, "there is no %s '%.32s', and no draft of it",
		                 w->collection->name, w->key);
	return result;
}

static void key_view(struct node *n, void *context)
{
	struct publishing *w = context;
	(void)n;
	Lm__PublicationView *view = arena_alloc(&w->arena, sizeof *view);
	Lm__PublicationRow *row = arena_alloc(&w->arena, sizeof *row);
	w->result = view && row ? publishing_begin(w) : ERR_MEMORY;
	if (w->result)
		return;
	lm__publication_view__init(view);
	lm__publication_row__init(row);
	row->key = w->key;
	view->row = row;
	view->time_ms = clock_wall_ms();
	w->result = publishing_end(w, key_build(w, view));
	w->output = &view->base;
}

/* ---- one revision ---- */

static int revision_build(struct publishing *w, Lm__RevisionView *view)
{
	Lm__PublicationRecord *record;
	ProtobufCMessage *content = NULL, *newest = NULL;
	int result = content_in_force(w, w->txn, w->revision, &content);
	if (!result)
		result = content_in_force(w, w->txn, 0, &newest);
	if (result)
		return result;
	if (!content)
		return error_set(&w->error, ERR_NOT_FOUND, "%.32s has no revision %u", w->key, w->revision);
	member_put(&view->base, w->collection->member, content);
	result = publication_get(w->txn, w->collection, w->key, w->revision, &w->arena, NULL, &record);
	if (!result && !(view->row = revision_row(w, w->key, w->revision, record)))
		result = publishing_no_memory(w);
	if (result && result != ERR_NOT_FOUND)
		return result;
	return content_changes_fill(w, content, newest, &view->changes, &view->n_changes);
}

static void revision_view(struct node *n, void *context)
{
	struct publishing *w = context;
	(void)n;
	Lm__RevisionView *view = arena_alloc(&w->arena, sizeof *view);
	w->result = view ? publishing_begin(w) : ERR_MEMORY;
	if (w->result)
		return;
	lm__revision_view__init(view);
	w->result = publishing_end(w, revision_build(w, view));
	w->output = &view->base;
}

void publication_get_one(void *context, struct http_request *r)
{
	publishing_read(context, r, key_view);
}

void publication_get_revision(void *context, struct http_request *r)
{
	publishing_read(context, r, revision_view);
}
