/*
 * What people write for others, over HTTP: lists and differences are read on the pool, steps of a draft are commands of
 * the writer. The same routes serve every collection, at the tier that publishes it.
 */
#include "publishing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/diff.h"

#define ROWS_MOST 512
#define FAULTS_MOST 64

void publishing_answer(struct publishing *w, int result, const struct error *e)
{
	if (result)
		node_answer_error(w->request, result, e);
	else
		node_answer(w->request, w->output);
	arena_release(&w->arena);
	free(w);
}

static int refuse_path(struct publishing *w, const char *text)
{
	error_set(&w->error, ERR_NOT_FOUND, "%s", text);
	publishing_answer(w, ERR_NOT_FOUND, &w->error);
	return ERR_NOT_FOUND;
}

struct publishing *publishing_new(struct node *n, struct http_request *r)
{
	struct publishing *w = calloc(1, sizeof *w);
	const char *name = http_parameter(r, "collection"), *key = http_parameter(r, "key"),
	           *revision = http_parameter(r, "revision");
	if (!w) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	w->request = r;
	w->node = n;
	arena_init(&w->arena, 32u * 1024 * 1024);
	w->collection = name ? collection_named(name) : NULL;
	if (!w->collection || w->collection->owner != node_domain(n)->tier)
		return refuse_path(w, "there is no such collection") ? NULL : w;
	if (key && strlen(key) >= sizeof w->key)
		return refuse_path(w, "no key is that long") ? NULL : w;
	snprintf(w->key, sizeof w->key, "%s", key ? key : "");
	char *end = NULL;
	unsigned long number = revision ? strtoul(revision, &end, 10) : 0;
	if (revision && (*end || !number || number > UINT32_MAX))
		return refuse_path(w, "a revision is a number from 1 on") ? NULL : w;
	w->revision = (uint32_t)number;
	strncpy(w->user, http_user(r), sizeof w->user - 1);
	return w;
}

static void pool_done(struct node *n, void *context)
{
	struct publishing *w = context;
	(void)n;
	publishing_answer(w, w->result, &w->error);
}

int publishing_begin(struct publishing *w)
{
	int result = node_sites(w->node, &w->arena, &w->sites, &w->site_count);
	return result ? result : store_begin_read(node_store(w->node), &w->txn, &w->error);
}

int publishing_end(struct publishing *w, int result)
{
	int failure = store_failure(w->txn, &w->error);
	store_abort(w->txn);
	return failure ? failure : result;
}

int publishing_no_memory(struct publishing *w)
{
	return error_set(&w->error, ERR_MEMORY, "no memory for this view");
}

void publishing_read(struct node *n, struct http_request *r, void (*build)(struct node *n, void *context))
{
	struct publishing *w = publishing_new(n, r);
	int result = w ? node_pool(n, build, pool_done, w) : OK;
	if (result)
		publishing_answer(w, result, NULL);
}

/* ---- contents: what is in force, drafts, faults, differences ---- */

static ProtobufCMessage **member_at(const ProtobufCMessage *message, const char *member)
{
	const ProtobufCFieldDescriptor *f =
	        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, member);
	return (ProtobufCMessage **)((uintptr_t)message + f->offset);
}

void member_put(ProtobufCMessage *message, const char *member, ProtobufCMessage *content)
{
	*member_at(message, member) = content;
}

ProtobufCMessage *member_of(const ProtobufCMessage *message, const char *member)
{
	return *member_at(message, member);
}

void *list_new(struct publishing *w, size_t count)
{
	return arena_alloc(&w->arena, (count ? count : 1) * sizeof(void *));
}

/* "path: what is wrong" becomes its two halves. */
static Lm__ContentFault *fault_view(struct publishing *w, const char *text)
{
	Lm__ContentFault *v = arena_alloc(&w->arena, sizeof *v);
	const char *colon = strstr(text, ": ");
	if (!v)
		return NULL;
	lm__content_fault__init(v);
	v->path = arena_format(&w->arena, "%.*s", colon ? (int)(colon - text) : 0, text);
	v->text = arena_text(&w->arena, colon ? colon + 2 : text);
	return v->path && v->text ? v : NULL;
}

int content_faults_fill(struct publishing *w, const ProtobufCMessage *content, Lm__ContentFault ***out, size_t *count)
{
	struct service_fault *faults = arena_alloc(&w->arena, FAULTS_MOST * sizeof *faults);
	size_t found = faults ? w->collection->check(content, faults, FAULTS_MOST) : 0;
	found = found > FAULTS_MOST ? FAULTS_MOST : found;
	*out = list_new(w, found);
	if (!faults || !*out)
		return publishing_no_memory(w);
	for (*count = 0; *count < found; ++*count)
		if (!((*out)[*count] = fault_view(w, faults[*count].text)))
			return publishing_no_memory(w);
	return OK;
}

int content_changes_fill(struct publishing *w, const ProtobufCMessage *before, const ProtobufCMessage *after,
                         Lm__Change ***out, size_t *count)
{
	ProtobufCMessage *a = before ? content_bare(w->collection, before, &w->arena) : NULL;
	ProtobufCMessage *b = after ? content_bare(w->collection, after, &w->arena) : NULL;
	if ((before && !a) || (after && !b))
		return publishing_no_memory(w);
	return message_diff(a, b, &w->arena, out, count, &w->error);
}

int content_in_force(struct publishing *w, struct store_txn *txn, uint32_t revision, ProtobufCMessage **out)
{
	*out = NULL;
	int result = content_get(txn, w->collection, w->key, revision, &w->arena, out);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* ---- rows ---- */

bool site_is_reached(const struct publishing *w, const struct site *site, const ProtobufCMessage *content)
{
	return !w->collection->reaches || w->collection->reaches(content, site->place);
}

/* Of the sites that it is for. NULL: no memory. */
static Lm__Arrival *arrival_of(struct publishing *w, const ProtobufCMessage *content, uint64_t ordinal)
{
	Lm__Arrival *arrival = arena_alloc(&w->arena, sizeof *arrival);
	struct site *reached = arena_alloc(&w->arena, (w->site_count + 1) * sizeof *reached);
	size_t count = 0;
	if (!arrival || !reached)
		return NULL;
	for (size_t i = 0; i < w->site_count; i++)
		if (site_is_reached(w, &w->sites[i], content))
			reached[count++] = w->sites[i];
	arrival_count(reached, count, ordinal, arrival);
	return arrival;
}

Lm__RevisionRow *revision_row(struct publishing *w, const char *key, uint32_t revision,
                              const Lm__PublicationRecord *record)
{
	ProtobufCMessage *content = NULL;
	Lm__RevisionRow *row = arena_alloc(&w->arena, sizeof *row);
	if (!row || (w->collection->reaches && content_get(w->txn, w->collection, key, revision, &w->arena, &content)))
		return NULL;
	lm__revision_row__init(row);
	row->revision = revision;
	row->drafted_by = record->drafted_by;
	row->n_drafted_by = record->n_drafted_by;
	row->published_by = record->published_by;
	row->published_ms = record->published_ms;
	row->goes_back_to = record->goes_back_to;
	row->arrival = arrival_of(w, content, record->ordinal);
	return row->arrival ? row : NULL;
}

Lm__DraftRow *draft_row(struct publishing *w, const Lm__DraftRecord *record, const ProtobufCMessage *content,
                        uint32_t newest)
{
	Lm__DraftRow *row = arena_alloc(&w->arena, sizeof *row);
	if (!row)
		return NULL;
	lm__draft_row__init(row);
	row->version = record->version;
	row->based_on = record->based_on;
	row->goes_back_to = record->goes_back_to;
	row->authors = record->authors;
	row->n_authors = record->n_authors;
	row->changed_by = record->changed_by;
	row->changed_ms = record->changed_ms;
	row->faults = (uint32_t)w->collection->check(content, NULL, 0);
	row->is_stale = record->based_on != newest;
	return row;
}

void row_name(const struct publishing *w, Lm__PublicationRow *row, ProtobufCMessage *content)
{
	if (row->name || !w->collection->title)
		return;
	row->name = (Lm__Words *)(uintptr_t)w->collection->title(content);
	if (w->collection == &collection_catalogue)
		row->module = ((const Lm__Service *)content)->module;
}

struct rows { /* the list under way */
	struct publishing *work;
	Lm__PublicationsView *view;
	bool is_short;
};

static Lm__PublicationRow *row_of(struct rows *rows, const char *key)
{
	Lm__PublicationsView *view = rows->view;
	for (size_t i = view->n_rows; i > 0; i--)
		if (strcmp(view->rows[i - 1]->key, key) == 0)
			return view->rows[i - 1];
	Lm__PublicationRow *row = view->n_rows < ROWS_MOST ? arena_alloc(&rows->work->arena, sizeof *row) : NULL;
	rows->is_short |= !row;
	if (!row)
		return NULL;
	lm__publication_row__init(row);
	row->key = (char *)(uintptr_t)key;
	return view->rows[view->n_rows++] = row;
}

static bool rows_publication(void *context, const char *key, uint32_t revision, const Lm__PublicationRecord *record)
{
	struct rows *rows = context;
	Lm__PublicationRow *row = row_of(rows, key);
	if (row)
		row->newest = revision_row(rows->work, key, revision, record); /* the last of a key is the newest */
	rows->is_short |= row && !row->newest;
	return !rows->is_short;
}

static bool rows_draft(void *context, const char *key, const Lm__DraftRecord *record)
{
	struct rows *rows = context;
	struct publishing *w = rows->work;
	ProtobufCMessage *content;
	Lm__PublicationRow *row = row_of(rows, key);
	if (row && !codec_unpack(w->collection->type, codec_bytes(record->content), &w->arena, &content, &w->error)) {
		row->draft = draft_row(w, record, content, row->newest ? row->newest->revision : 0);
		if (!row->newest)
			row_name(w, row, content);
	}
	rows->is_short |= row && !row->draft;
	return !rows->is_short;
}

static int rows_build(struct publishing *w, Lm__PublicationsView *view)
{
	struct rows rows = { .work = w, .view = view };
	int result = publication_each(w->txn, w->collection, NULL, &w->arena, rows_publication, &rows);
	for (size_t i = 0; i < view->n_rows && !result; i++) {
		ProtobufCMessage *content;
		result = content_get(w->txn, w->collection, view->rows[i]->key, 0, &w->arena, &content);
		if (!result)
			row_name(w, view->rows[i], content);
	}
	if (!result)
		result = draft_each(w->txn, w->collection, &w->arena, rows_draft, &rows);
	return !result && rows.is_short ? publishing_no_memory(w) : result;
}

static void list_build(struct node *n, void *context)
{
	struct publishing *w = context;
	(void)n;
	Lm__PublicationsView *view = arena_alloc(&w->arena, sizeof *view);
	w->result = view ? publishing_begin(w) : ERR_MEMORY;
	if (w->result)
		return;
	lm__publications_view__init(view);
	view->rows = list_new(w, ROWS_MOST);
	view->time_ms = clock_wall_ms();
	w->result = publishing_end(w, view->rows ? rows_build(w, view) : publishing_no_memory(w));
	w->output = &view->base;
}

void publications_get(void *context, struct http_request *r)
{
	publishing_read(context, r, list_build);
}

/* ---- news: pages ask for what they show ---- */

void publications_news(struct node *n, const struct domain_effect *news)
{
	publications_in(n)->have_moved |=
	        news->type == DOMAIN_CATALOGUE || news->type == DOMAIN_NOTICE || news->type == DOMAIN_DRAFT;
}

void publications_tick(struct node *n)
{
	struct publications *p = publications_in(n);
	uint64_t sites = node_sites_moved(n);
	Lm__Empty empty = LM__EMPTY__INIT;
	if (p->have_moved || p->sites_seen != sites)
		desk_publish(n, RIGHT_STATE, "catalogue", &empty.base);
	p->have_moved = false;
	p->sites_seen = sites;
}
