/*
 * What people write for others, over HTTP: lists and differences are read on the pool, steps of a draft are commands of
 * the writer. The same routes serve every collection.
 */
#include "node/publication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"
#include "proto/diff.h"

#define ROWS_MOST 512
#define FAULTS_MOST 64

struct work { /* one request under way */
	struct command command;
	struct http_request *request;
	struct node *node;
	struct store_txn *txn; /* of the pool job */
	struct arena arena;
	const struct collection *collection;
	char key[33], user[65];
	uint32_t revision;
	Lm__DraftCommand *input;
	ProtobufCMessage *output;
	struct site *sites;
	size_t site_count;
	int result;
	struct error error;
};

static void work_answer(struct work *w, int result, const struct error *e)
{
	if (result)
		node_answer_error(w->request, result, e);
	else
		node_answer(w->request, w->output);
	arena_release(&w->arena);
	free(w);
}

static int refuse_path(struct work *w, const char *text)
{
	error_set(&w->error, ERR_NOT_FOUND, "%s", text);
	work_answer(w, ERR_NOT_FOUND, &w->error);
	return ERR_NOT_FOUND;
}

/* Reads the path; NULL when it has been answered already. */
static struct work *work_new(struct node *n, struct http_request *r)
{
	struct work *w = calloc(1, sizeof *w);
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
	if (!w->collection)
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
	struct work *w = context;
	(void)n;
	work_answer(w, w->result, &w->error);
}

/* On the pool: a snapshot, and how far the sites are. */
static int snapshot_begin(struct work *w)
{
	int result = node_sites(w->node, &w->arena, &w->sites, &w->site_count);
	return result ? result : store_begin_read(node_store(w->node), &w->txn, &w->error);
}

static int snapshot_end(struct work *w, int result)
{
	int failure = store_failure(w->txn, &w->error);
	store_abort(w->txn);
	return failure ? failure : result;
}

static int no_memory(struct work *w)
{
	return error_set(&w->error, ERR_MEMORY, "no memory for this view");
}

/* ---- contents: what is in force, drafts, faults, differences ---- */

/* A view or a command has one member for each collection; the others stay empty. */
static Lm__Service *as_service(const struct work *w, ProtobufCMessage *content)
{
	return w->collection == &collection_catalogue ? (Lm__Service *)content : NULL;
}

static Lm__Calendar *as_calendar(const struct work *w, ProtobufCMessage *content)
{
	return w->collection == &collection_calendar ? (Lm__Calendar *)content : NULL;
}

static Lm__Template *as_wording(const struct work *w, ProtobufCMessage *content)
{
	return w->collection == &collection_wording ? (Lm__Template *)content : NULL;
}

static ProtobufCMessage *command_content(const struct work *w)
{
	if (w->collection == &collection_wording)
		return w->input->wording ? &w->input->wording->base : NULL;
	if (w->collection == &collection_calendar)
		return w->input->calendar ? &w->input->calendar->base : NULL;
	return w->input->service ? &w->input->service->base : NULL;
}

static void *list_new(struct work *w, size_t count)
{
	return arena_alloc(&w->arena, (count ? count : 1) * sizeof(void *));
}

/* "path: what is wrong" becomes its two halves. */
static Lm__ContentFault *fault_view(struct work *w, const char *text)
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

static int faults_fill(struct work *w, const ProtobufCMessage *content, Lm__ContentFault ***out, size_t *count)
{
	struct service_fault *faults = arena_alloc(&w->arena, FAULTS_MOST * sizeof *faults);
	size_t found = faults ? w->collection->check(content, faults, FAULTS_MOST) : 0;
	found = found > FAULTS_MOST ? FAULTS_MOST : found;
	*out = list_new(w, found);
	if (!faults || !*out)
		return no_memory(w);
	for (*count = 0; *count < found; ++*count)
		if (!((*out)[*count] = fault_view(w, faults[*count].text)))
			return no_memory(w);
	return OK;
}

static int changes_fill(struct work *w, const ProtobufCMessage *before, const ProtobufCMessage *after,
                        Lm__Change ***out, size_t *count)
{
	ProtobufCMessage *a = before ? content_bare(w->collection, before, &w->arena) : NULL;
	ProtobufCMessage *b = after ? content_bare(w->collection, after, &w->arena) : NULL;
	if ((before && !a) || (after && !b))
		return no_memory(w);
	return message_diff(a, b, &w->arena, out, count, &w->error);
}

/* NULL and OK: nothing is in force. */
static int in_force(struct work *w, struct store_txn *txn, uint32_t revision, ProtobufCMessage **out)
{
	*out = NULL;
	int result = content_get(txn, w->collection, w->key, revision, &w->arena, out);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* ---- rows ---- */

static Lm__RevisionRow *revision_row(struct work *w, uint32_t revision, const Lm__PublicationRecord *record)
{
	Lm__RevisionRow *row = arena_alloc(&w->arena, sizeof *row);
	Lm__Arrival *arrival = arena_alloc(&w->arena, sizeof *arrival);
	if (!row || !arrival)
		return NULL;
	lm__revision_row__init(row);
	row->revision = revision;
	row->drafted_by = record->drafted_by;
	row->n_drafted_by = record->n_drafted_by;
	row->published_by = record->published_by;
	row->published_ms = record->published_ms;
	row->goes_back_to = record->goes_back_to;
	arrival_count(w->sites, w->site_count, record->ordinal, arrival);
	row->arrival = arrival;
	return row;
}

static Lm__DraftRow *draft_row(struct work *w, const Lm__DraftRecord *record, const ProtobufCMessage *content,
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

static void name_fill(const struct work *w, Lm__PublicationRow *row, ProtobufCMessage *content)
{
	const Lm__Service *service = as_service(w, content);
	const Lm__Template *wording = as_wording(w, content);
	if (service && !row->name) {
		row->name = service->name;
		row->module = service->module;
	}
	if (wording && !row->name)
		row->name = wording->name;
}

struct rows { /* the list under way */
	struct work *work;
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
		row->newest = revision_row(rows->work, revision, record); /* the last of a key is the newest */
	rows->is_short |= row && !row->newest;
	return !rows->is_short;
}

static bool rows_draft(void *context, const char *key, const Lm__DraftRecord *record)
{
	struct rows *rows = context;
	struct work *w = rows->work;
	ProtobufCMessage *content;
	Lm__PublicationRow *row = row_of(rows, key);
	if (row && !codec_unpack(w->collection->type, codec_bytes(record->content), &w->arena, &content, &w->error)) {
		row->draft = draft_row(w, record, content, row->newest ? row->newest->revision : 0);
		if (!row->newest)
			name_fill(w, row, content);
	}
	rows->is_short |= row && !row->draft;
	return !rows->is_short;
}

static int rows_build(struct work *w, Lm__PublicationsView *view)
{
	struct rows rows = { .work = w, .view = view };
	int result = publication_each(w->txn, w->collection, NULL, &w->arena, rows_publication, &rows);
	for (size_t i = 0; i < view->n_rows && !result; i++) {
		ProtobufCMessage *content;
		result = content_get(w->txn, w->collection, view->rows[i]->key, 0, &w->arena, &content);
		if (!result)
			name_fill(w, view->rows[i], content);
	}
	if (!result)
		result = draft_each(w->txn, w->collection, &w->arena, rows_draft, &rows);
	return !result && rows.is_short ? no_memory(w) : result;
}

static void list_pool(struct node *n, void *context)
{
	struct work *w = context;
	(void)n;
	Lm__PublicationsView *view = arena_alloc(&w->arena, sizeof *view);
	w->result = view ? snapshot_begin(w) : ERR_MEMORY;
	if (w->result)
		return;
	lm__publications_view__init(view);
	view->rows = list_new(w, ROWS_MOST);
	view->time_ms = clock_wall_ms();
	w->result = snapshot_end(w, view->rows ? rows_build(w, view) : no_memory(w));
	w->output = &view->base;
}

/* ---- one key ---- */

struct revisions {
	struct work *work;
	Lm__PublicationView *view;
	uint64_t newest_ordinal;
	size_t capacity;
	bool is_short;
};

static bool history_visit(void *context, const char *key, uint32_t revision, const Lm__PublicationRecord *record)
{
	struct revisions *h = context;
	Lm__PublicationView *view = h->view;
	(void)key;
	if (view->n_revisions == h->capacity) {
		Lm__RevisionRow **grown = list_new(h->work, h->capacity = 2 * h->capacity + 16);
		if (grown && view->n_revisions)
			memcpy(grown, view->revisions, view->n_revisions * sizeof *grown);
		view->revisions = grown;
	}
	Lm__RevisionRow *row = view->revisions ? revision_row(h->work, revision, record) : NULL;
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

static int missing_fill(struct work *w, uint64_t ordinal, Lm__PublicationView *view)
{
	view->missing = list_new(w, w->site_count);
	for (size_t i = 0; i < w->site_count && view->missing; i++) {
		const struct site *s = &w->sites[i];
		if (s->is_heard && s->ordinal >= ordinal)
			continue;
		Lm__MissingSite *v = arena_alloc(&w->arena, sizeof *v);
		if (!v)
			return no_memory(w);
		lm__missing_site__init(v);
		v->place = (char *)(uintptr_t)s->place;
		v->place_name = node_place_words(w->node, s->place, &w->arena);
		v->is_heard = s->is_heard;
		v->is_up = s->is_up;
		v->since_ms = s->since_ms;
		view->missing[view->n_missing++] = v;
	}
	return view->missing ? OK : no_memory(w);
}

static int key_draft(struct work *w, Lm__PublicationView *view, const ProtobufCMessage *newest)
{
	Lm__DraftRecord *record;
	ProtobufCMessage *content;
	int result = draft_get(w->txn, w->collection, w->key, &w->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	result = codec_unpack(w->collection->type, codec_bytes(record->content), &w->arena, &content, &w->error);
	if (result)
		return result;
	view->draft = as_service(w, content);
	view->calendar_draft = as_calendar(w, content);
	view->wording_draft = as_wording(w, content);
	view->row->draft = draft_row(w, record, content, newest ? content_revision(w->collection, newest) : 0);
	name_fill(w, view->row, content);
	result = faults_fill(w, content, &view->faults, &view->n_faults);
	return result ? result : changes_fill(w, newest, content, &view->changes, &view->n_changes);
}

static int key_build(struct work *w, Lm__PublicationView *view)
{
	struct revisions h = { .work = w, .view = view };
	ProtobufCMessage *newest = NULL;
	int result = publication_each(w->txn, w->collection, w->key, &w->arena, history_visit, &h);
	if (!result)
		result = h.is_short ? no_memory(w) : in_force(w, w->txn, 0, &newest);
	if (result)
		return result;
	revisions_turn(view);
	if (view->n_revisions)
		view->row->newest = view->revisions[0];
	if (newest) {
		view->service = as_service(w, newest);
		view->calendar = as_calendar(w, newest);
		view->wording = as_wording(w, newest);
		name_fill(w, view->row, newest);
		result = missing_fill(w, h.newest_ordinal, view);
	}
	if (!result)
		result = key_draft(w, view, newest);
	if (!result && !newest && !view->row->draft)
		return error_set(&w->error, ERR_NOT_FOUND, "there is no %s '%.32s', and no draft of it",
		                 w->collection->name, w->key);
	return result;
}

static void key_pool(struct node *n, void *context)
{
	struct work *w = context;
	(void)n;
	Lm__PublicationView *view = arena_alloc(&w->arena, sizeof *view);
	Lm__PublicationRow *row = arena_alloc(&w->arena, sizeof *row);
	w->result = view && row ? snapshot_begin(w) : ERR_MEMORY;
	if (w->result)
		return;
	lm__publication_view__init(view);
	lm__publication_row__init(row);
	row->key = w->key;
	view->row = row;
	view->time_ms = clock_wall_ms();
	w->result = snapshot_end(w, key_build(w, view));
	w->output = &view->base;
}

/* ---- one revision ---- */

static int revision_build(struct work *w, Lm__RevisionView *view)
{
	Lm__PublicationRecord *record;
	ProtobufCMessage *content = NULL, *newest = NULL;
	int result = in_force(w, w->txn, w->revision, &content);
	if (!result)
		result = in_force(w, w->txn, 0, &newest);
	if (result)
		return result;
	if (!content)
		return error_set(&w->error, ERR_NOT_FOUND, "%.32s has no revision %u", w->key, w->revision);
	view->service = as_service(w, content);
	view->calendar = as_calendar(w, content);
	view->wording = as_wording(w, content);
	result = publication_get(w->txn, w->collection, w->key, w->revision, &w->arena, NULL, &record);
	if (!result && !(view->row = revision_row(w, w->revision, record)))
		result = no_memory(w);
	if (result && result != ERR_NOT_FOUND)
		return result;
	return changes_fill(w, content, newest, &view->changes, &view->n_changes);
}

static void revision_pool(struct node *n, void *context)
{
	struct work *w = context;
	(void)n;
	Lm__RevisionView *view = arena_alloc(&w->arena, sizeof *view);
	w->result = view ? snapshot_begin(w) : ERR_MEMORY;
	if (w->result)
		return;
	lm__revision_view__init(view);
	w->result = snapshot_end(w, revision_build(w, view));
	w->output = &view->base;
}

static void begin_reading(struct node *n, struct http_request *r, void (*build)(struct node *n, void *context))
{
	struct work *w = work_new(n, r);
	int result = w ? node_pool(n, build, pool_done, w) : OK;
	if (result)
		work_answer(w, result, NULL);
}

static void list_get(void *context, struct http_request *r)
{
	begin_reading(context, r, list_pool);
}

static void key_get(void *context, struct http_request *r)
{
	begin_reading(context, r, key_pool);
}

static void revision_get(void *context, struct http_request *r)
{
	begin_reading(context, r, revision_pool);
}

/* ---- steps ---- */

static int content_given(struct work *w, struct turn *t, struct bytes *packed)
{
	const Lm__DraftCommand *in = w->input;
	ProtobufCMessage *content = command_content(w);
	if (in->goes_back_to) {
		int result = in_force(w, t->txn, in->goes_back_to, &content);
		if (result)
			return result;
		if (!content)
			return error_set(&w->error, ERR_NOT_FOUND, "%.32s has no revision %u", w->key,
			                 in->goes_back_to);
	}
	if (!content)
		return error_set(&w->error, ERR_INVALID, "%s: what the draft says is missing",
		                 w->collection == &collection_catalogue ? "service" : w->collection->name);
	return content_pack(w->collection, content, &w->arena, packed, &w->error);
}

/* After a save: what is wrong with it, and what it would change. */
static int saved_view(struct work *w, struct turn *t, struct bytes packed, Lm__DraftStepView *view)
{
	ProtobufCMessage *content = NULL, *newest = NULL;
	int result = codec_unpack(w->collection->type, packed, &w->arena, &content, &w->error);
	if (!result)
		result = in_force(w, t->txn, 0, &newest);
	if (!result)
		result = faults_fill(w, content, &view->faults, &view->n_faults);
	return result ? result : changes_fill(w, newest, content, &view->changes, &view->n_changes);
}

static int step_do(struct work *w, struct turn *t, Lm__DraftStepView *view)
{
	const Lm__DraftCommand *in = w->input;
	Lm__DraftPayload step = LM__DRAFT_PAYLOAD__INIT;
	struct bytes packed = { 0 };
	if (in->action == LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH)
		return publication_of_draft(t, w->collection, w->key, in->version, w->user, &view->revision, &w->error);
	bool is_save = in->action == LM__DRAFT_ACTION__DRAFT_ACTION_SAVE;
	int result = is_save ? content_given(w, t, &packed) : OK;
	if (result)
		return result;
	step.action = in->action;
	step.collection = w->collection->id;
	step.key = w->key;
	step.version = in->version + is_save;
	step.based_on = in->based_on;
	step.goes_back_to = in->goes_back_to;
	step.content = codec_data(packed);
	step.by = w->user;
	result = publication_step(t, &step, &view->version, &w->error);
	return !result && is_save ? saved_view(w, t, packed, view) : result;
}

static int step_run(struct turn *t, struct command *c, struct error *e)
{
	struct work *w = c->context;
	Lm__DraftStepView *view = arena_alloc(&w->arena, sizeof *view);
	if (!view)
		return error_set(e, ERR_MEMORY, "no memory for a draft");
	lm__draft_step_view__init(view);
	w->output = &view->base;
	int result = step_do(w, t, view);
	int failure = store_failure(t->txn, e);
	if (result && !failure)
		*e = w->error;
	return failure ? failure : result;
}

static void step_done(struct node *n, struct command *c)
{
	(void)n;
	work_answer(c->context, c->result, &c->error);
}

static int may_step(const struct http_request *r, Lm__DraftAction action, struct error *e)
{
	bool is_publish = action == LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH;
	if (role_may(http_role(r), is_publish ? RIGHT_PUBLISH : RIGHT_DRAFT))
		return OK;
	return error_set(e, ERR_DENIED, is_publish ? "this account may not publish" : "this account may not draft");
}

static void step_post(void *context, struct http_request *r)
{
	struct work *w = work_new(context, r);
	if (!w)
		return;
	if (node_body(r, &lm__draft_command__descriptor, &w->arena, &w->input)) {
		arena_release(&w->arena);
		free(w);
		return;
	}
	bool is_save = w->input->action == LM__DRAFT_ACTION__DRAFT_ACTION_SAVE;
	w->command = (struct command){ .run = step_run, .done = step_done, .is_business = is_save, .context = w };
	int result = may_step(r, w->input->action, &w->error);
	if (!result)
		result = node_command(w->node, &w->command);
	if (result)
		work_answer(w, result, &w->error);
}

/* Drafts are for those who write and publish; what is in force anybody may read at GET /api/v1/catalogue. */
#define WRITERS (RIGHT_DRAFT | RIGHT_PUBLISH)

const struct http_route publication_routes[] = {
	{ HTTP_GET, "/api/v1/publications/:collection", HTTP_SESSION_OF(WRITERS), list_get },
	{ HTTP_GET, "/api/v1/publications/:collection/:key", HTTP_SESSION_OF(WRITERS), key_get },
	{ HTTP_GET, "/api/v1/publications/:collection/:key/:revision", HTTP_SESSION_OF(WRITERS), revision_get },
	{ HTTP_POST, "/api/v1/publications/:collection/:key", HTTP_SESSION_OF(WRITERS), step_post },
};
const size_t publication_route_count = sizeof publication_routes / sizeof *publication_routes;
