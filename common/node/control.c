/*
 * lmctl's routes over the Unix socket: status, journal, verify, catalogue, users. Those of the directory: devices.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "node/control.h"
#include "node/publication.h"
#include "proto/json.h"

#define TAIL_MOST 500

/* ---- journal ---- */

static Lm__TapeView *tape_view(struct arena *arena, uint64_t position, const Lm__TapeItem *item, struct error *e)
{
	Lm__TapeView *v = arena_alloc(arena, sizeof *v);
	struct hash *hash = arena_alloc(arena, sizeof *hash);
	if (!v || !hash)
		return NULL;
	lm__tape_view__init(v);
	v->position = position;
	v->disposition = item->disposition;
	v->reason = item->reason;
	v->retry_of = item->retry_of;
	v->ordinal = item->ordinal;
	v->payload_bytes = (uint32_t)item->payload.len;
	v->is_signed = item->heads != NULL;
	if (!item->header.len)
		return v;
	if (CODEC_UNPACK(lm__header, codec_bytes(item->header), arena, &v->header, e) ||
	    entry_hash(codec_bytes(item->header), hash, e))
		return NULL;
	v->hash = codec_data(BYTES(hash->byte, HASH_BYTES));
	return v;
}

static int journal_view(struct act *a, struct store_txn *txn)
{
	Lm__TapesView *out = arena_alloc(&a->arena, sizeof *out);
	Lm__TapeView **list = arena_alloc(&a->arena, a->count * sizeof *list);
	if (!out || !list)
		return error_set(&a->error, ERR_MEMORY, "no memory for the list");
	lm__tapes_view__init(out);
	uint64_t position = a->from;
	int result = OK;
	while (out->n_items < a->count && !result) {
		Lm__TapeItem *item;
		result = journal_read_next(txn, &position, &a->arena, &item, &a->error);
		if (result)
			break;
		list[out->n_items] = tape_view(&a->arena, position, item, &a->error);
		if (!list[out->n_items++])
			return a->error.code ? a->error.code : ERR_MEMORY;
		position++;
	}
	out->items = list;
	out->next = position;
	a->output = &out->base;
	return result == ERR_NOT_FOUND ? OK : result;
}

static void journal_read_pool(struct node *n, void *context)
{
	struct act *a = context;
	struct store_txn *txn;
	a->result = store_begin_read(n->store, &txn, &a->error);
	if (a->result)
		return;
	a->result = journal_view(a, txn);
	store_abort(txn);
}

static uint64_t number_of(const char *text, uint64_t otherwise)
{
	char *end;
	uint64_t v = text ? strtoull(text, &end, 10) : 0;
	return text && *text && !*end ? v : otherwise;
}

static int tail_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	uint64_t end = journal_position(t->journal);
	a->from = end > a->count ? end - a->count + 1 : 1;
	a->result = journal_view(a, t->txn);
	if (a->result)
		*e = a->error;
	return a->result;
}

static void journal_get(void *context, struct http_request *r)
{
	struct node *n = context;
	struct act *a = act_new(r);
	if (!a)
		return;
	uint64_t count = number_of(http_query(r, "count"), 20);
	a->count = count > TAIL_MOST ? TAIL_MOST : count ? (size_t)count : 1;
	const char *from = http_query(r, "from");
	a->from = number_of(from, 1);
	if (from)
		act_pool(n, a, journal_read_pool);
	else
		act_command(n, a, tail_run);
}

/* ---- verify ---- */

static void verify_pool(struct node *n, void *context)
{
	struct act *a = context;
	Lm__VerifyView *view = arena_alloc(&a->arena, sizeof *view);
	if (!view) {
		a->result = ERR_MEMORY;
		return;
	}
	lm__verify_view__init(view);
	a->result = node_verify(n->store, &n->keys, n->domain.device, &a->arena, view, &a->error);
	a->output = &view->base;
}

static void verify_get(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_pool(context, a, verify_pool);
}

/* ---- catalogue ---- */

struct publishing { /* contents of one collection, in one turn */
	struct turn *turn;
	const Lm__PublishCommand *in;
	uint32_t *unchanged;
	struct arena *arena;
	struct error *e;
};

/* Those that were published stand at the front of `contents` afterwards, and *count says how many. */
static int contents_publish(const struct publishing *p, const struct collection *c, ProtobufCMessage **contents,
                            size_t *count)
{
	size_t published = 0, given = *count;
	int result = OK;
	for (size_t i = 0; i < given && !result; i++) {
		result = publication_of_content(p->turn, c, contents[i], p->in->by, p->in->second, p->arena, p->e);
		if (!result)
			contents[published++] = contents[i];
		if (result == ERR_EXISTS) {
			++*p->unchanged;
			result = OK;
		}
	}
	*count = published;
	return result;
}

static int publish_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	Lm__PublishCommand *in = (Lm__PublishCommand *)a->input;
	Lm__PublishView *out = arena_alloc(&a->arena, sizeof *out);
	int result = only_at_hub(t->node, e);
	if (!result && (!in->by[0] || !in->second[0]))
		result = error_set(e, ERR_INVALID, "by, second: say who drafted it and who else publishes it");
	if (result)
		return result;
	if (!out)
		return error_set(e, ERR_MEMORY, "no memory");
	lm__publish_view__init(out);
	/* Copies: if the turn has to run again, the command must be as it came. */
	out->n_published = in->n_services;
	out->n_calendars = in->n_calendars;
	out->n_wordings = in->n_wordings;
	out->published = arena_copy(&a->arena, in->services, in->n_services * sizeof *out->published);
	out->calendars = arena_copy(&a->arena, in->calendars, in->n_calendars * sizeof *out->calendars);
	out->wordings = arena_copy(&a->arena, in->wordings, in->n_wordings * sizeof *out->wordings);
	if (!out->published || !out->calendars || !out->wordings)
		return error_set(e, ERR_MEMORY, "no memory");
	struct publishing p = { t, in, &out->unchanged, &a->arena, e };
	result = contents_publish(&p, &collection_catalogue, (ProtobufCMessage **)out->published, &out->n_published);
	if (!result)
		result = contents_publish(&p, &collection_calendar, (ProtobufCMessage **)out->calendars,
		                          &out->n_calendars);
	if (!result)
		result =
		        contents_publish(&p, &collection_wording, (ProtobufCMessage **)out->wordings, &out->n_wordings);
	a->output = &out->base;
	return result;
}

static void catalogue_post(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__publish_command__descriptor);
	if (a)
		act_command(context, a, publish_run);
}

#define SERVICES_MOST 256

struct catalogue_build {
	Lm__CatalogueView *view;
	Lm__Service *list[SERVICES_MOST];
	Lm__Arrival arrival[SERVICES_MOST], *arrivals[SERVICES_MOST];
};

static bool catalogue_visit(void *context, ProtobufCMessage *newest)
{
	struct catalogue_build *b = context;
	b->list[b->view->n_services++] = (Lm__Service *)newest;
	return b->view->n_services < SERVICES_MOST;
}

/* At the hub: how many sites have the newest revision of each. */
static int arrivals_fill(struct node *n, struct act *a, struct store_txn *txn, struct catalogue_build *b)
{
	struct site *sites;
	size_t count;
	if (n->domain.tier != LM__TIER__TIER_DISTRICT)
		return OK;
	int result = node_sites(n, &a->arena, &sites, &count);
	for (size_t i = 0; i < b->view->n_services && !result; i++) {
		Lm__PublicationRecord *record;
		result = publication_get(txn, &collection_catalogue, b->list[i]->id, b->list[i]->revision, &a->arena,
		                         NULL, &record);
		uint64_t ordinal = result ? 0 : record->ordinal;
		result = result == ERR_NOT_FOUND ? OK : result;
		arrival_count(sites, count, ordinal, &b->arrival[i]);
		b->arrivals[i] = &b->arrival[i];
	}
	b->view->arrivals = b->arrivals;
	b->view->n_arrivals = result ? 0 : b->view->n_services;
	return result;
}

static void catalogue_pool(struct node *n, void *context)
{
	struct act *a = context;
	struct store_txn *txn;
	Lm__CatalogueView *view = arena_alloc(&a->arena, sizeof *view);
	struct catalogue_build *b = arena_alloc(&a->arena, sizeof *b);
	a->result = view && b ? store_begin_read(n->store, &txn, &a->error) : ERR_MEMORY;
	if (a->result)
		return;
	lm__catalogue_view__init(view);
	b->view = view;
	view->services = b->list;
	a->result = content_each(txn, &collection_catalogue, &a->arena, catalogue_visit, b);
	if (!a->result)
		a->result = arrivals_fill(n, a, txn, b);
	store_abort(txn);
	a->output = &view->base;
}

static void catalogue_get(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_pool(context, a, catalogue_pool);
}

#define CALENDARS_MOST 64

static bool calendars_visit(void *context, ProtobufCMessage *newest)
{
	Lm__CalendarsView *view = context;
	view->calendars[view->n_calendars++] = (Lm__Calendar *)newest;
	return view->n_calendars < CALENDARS_MOST;
}

static void calendars_pool(struct node *n, void *context)
{
	struct act *a = context;
	struct store_txn *txn;
	Lm__CalendarsView *view = arena_alloc(&a->arena, sizeof *view);
	Lm__Calendar **list = arena_alloc(&a->arena, CALENDARS_MOST * sizeof *list);
	a->result = view && list ? store_begin_read(n->store, &txn, &a->error) : ERR_MEMORY;
	if (a->result)
		return;
	lm__calendars_view__init(view);
	view->calendars = list;
	a->result = content_each(txn, &collection_calendar, &a->arena, calendars_visit, view);
	store_abort(txn);
	a->output = &view->base;
}

static void calendars_get(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_pool(context, a, calendars_pool);
}

/* ---- users ---- */

static int user_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__UserCommand *in = (Lm__UserCommand *)a->input;
	Lm__AccountPayload account = LM__ACCOUNT_PAYLOAD__INIT, *known;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	bool is_known = !account_get(t->txn, in->name, t->arena, &known);
	if (is_known)
		account = *known;
	account.act = in->password[0] || a->password_hash[0] ? LM__ACCOUNT_ACT__ACCOUNT_ACT_NONE
	                                                     : LM__ACCOUNT_ACT__ACCOUNT_ACT_CLOSE;
	account.must_change = false;
	account.reset_by = account.second = (char *)(uintptr_t) "";
	account.name = in->name;
	account.role = in->role[0] || !is_known ? in->role : known->role;
	account.by = in->by;
	account.password_hash = a->password_hash;
	if (!a->password_hash[0] && !is_known)
		return error_set(e, ERR_NOT_FOUND, "there is no user '%.32s'", in->name);
	int result = account_check(&account, t->node->domain.tier, e);
	if (!result && is_known && !a->password_hash[0])
		result = account_last_check(t->txn, known, t->arena, e);
	if (!result)
		result = CODEC_PACK(&account, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_ACCOUNT;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static void user_done(struct node *n, struct command *c)
{
	struct act *a = c->context;
	if (!c->result && n->http)
		http_sessions_end_user(n->http, ((Lm__UserCommand *)a->input)->name);
	act_answer(a, c->result, &c->error);
}

static void user_hash_pool(struct node *n, void *context)
{
	struct act *a = context;
	const Lm__UserCommand *in = (Lm__UserCommand *)a->input;
	(void)n;
	a->result = in->password[0] ? password_hash(in->password, a->password_hash, &a->error) : OK;
	crypto_wipe(in->password, strlen(in->password));
}

static void user_hashed(struct node *n, void *context)
{
	struct act *a = context;
	Lm__Empty *empty = arena_alloc(&a->arena, sizeof *empty);
	if (a->result || !empty) {
		act_answer(a, empty ? a->result : ERR_MEMORY, &a->error);
		return;
	}
	lm__empty__init(empty);
	a->output = &empty->base;
	a->command = (struct command){ .run = user_run, .done = user_done, .context = a };
	int result = node_command(n, &a->command);
	if (result)
		act_answer(a, result, NULL);
}

static void users_post(void *context, struct http_request *r)
{
	struct node *n = context;
	struct act *a = act_with_body(r, &lm__user_command__descriptor);
	if (!a)
		return;
	if (n->domain.tier == LM__TIER__TIER_TERMINAL) {
		error_set(&a->error, ERR_INVALID, "a terminal has no users");
		act_answer(a, ERR_INVALID, &a->error);
		return;
	}
	int result = node_pool(n, user_hash_pool, user_hashed, a);
	if (result)
		act_answer(a, result, NULL);
}

const struct http_route control_routes[] = {
	{ HTTP_GET, "/ctl/v1/status", HTTP_LOCAL, control_status },
	{ HTTP_GET, "/ctl/v1/journal", HTTP_LOCAL, journal_get },
	{ HTTP_GET, "/ctl/v1/verify", HTTP_LOCAL, verify_get },
	{ HTTP_POST, "/ctl/v1/catalogue", HTTP_LOCAL, catalogue_post },
	{ HTTP_POST, "/ctl/v1/users", HTTP_LOCAL, users_post },
	{ HTTP_GET, "/ctl/v1/quarantine", HTTP_LOCAL, control_quarantine },
	{ HTTP_POST, "/ctl/v1/quarantine", HTTP_LOCAL, control_quarantine_act },
	{ HTTP_GET, "/ctl/v1/backups", HTTP_LOCAL, control_backups },
	{ HTTP_POST, "/ctl/v1/backups", HTTP_LOCAL, control_backup },
	{ HTTP_POST_LARGE, "/ctl/v1/backups/confirm", HTTP_LOCAL, control_backup_confirm },
	{ HTTP_GET, "/ctl/v1/return", HTTP_LOCAL, control_return },
	{ HTTP_POST, "/ctl/v1/return/leave-out", HTTP_LOCAL, control_leave_out },
	{ HTTP_GET, "/api/v1/catalogue", HTTP_OPEN, catalogue_get },
	{ HTTP_GET, "/api/v1/calendars", HTTP_OPEN, calendars_get },
	{ HTTP_GET, "/metrics", HTTP_OPEN, metrics_get },
	{ HTTP_GET, "/healthz", HTTP_OPEN, healthz_get },
	{ HTTP_GET, "/readyz", HTTP_OPEN, readyz_get },
};
const size_t control_route_count = sizeof control_routes / sizeof *control_routes;
