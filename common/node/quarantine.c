/*
 * What is held up, and what an operator may do with it. A retry applies the item at a new position of the tape, as
 * when what it waited for comes; a drop says that it never will be. Both are entries of our own stream, by name and
 * with a reason. Lists show headers only: nothing personal.
 *
 *   in quarantine, held      retry, drop
 *   from a revoked device    drop: what came after the revocation is never applied
 *   from a frozen line       neither: whose history is the true one is decided about the line, not entry by entry; then
 *                            drop, for what fits nowhere
 */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "node/control.h"

#define PAGE_MOST 100
#define PAGE_USUAL 50
#define SCRATCH_BYTES (4u * 1024 * 1024)

struct list {
	struct node *node;
	struct store_txn *txn;
	struct arena *arena;  /* of the answer */
	struct arena scratch; /* of one item: with its payload */
	struct error *e;
};

static bool can_retry(const struct waiting *w)
{
	return w->is_waiting && (w->disposition == LM__DISPOSITION__DISPOSITION_QUARANTINED ||
	                         w->disposition == LM__DISPOSITION__DISPOSITION_HELD);
}

static bool can_drop(struct store_txn *txn, const struct waiting *w)
{
	return w->is_waiting &&
	       (w->disposition != LM__DISPOSITION__DISPOSITION_FROZEN || !journal_line_is_frozen(txn, w->item->line));
}

static void origin_show(struct list *l, const Lm__Header *h, Lm__QuarantineItem *v)
{
	Lm__DeviceRecord *device;
	v->origin = arena_format(l->arena, "%016llx", (unsigned long long)h->origin);
	if (device_get(l->txn, h->origin, &l->scratch, &device))
		return;
	v->origin_place = arena_text(l->arena, device->place);
	v->origin_name = node_place_words(l->node, v->origin_place, l->arena);
}

static void service_show(struct list *l, const Lm__Header *h, Lm__QuarantineItem *v)
{
	Lm__Service *service;
	v->service = arena_text(l->arena, h->service);
	v->revision = h->revision;
	if (h->service[0] && !service_get(l->txn, h->service, 0, l->arena, &service))
		v->service_name = service->name;
}

static int item_show(struct list *l, const struct waiting *w, Lm__QuarantineItem *v)
{
	Lm__Header *h;
	struct domain_waiters waiters;
	char name[WAITING_TEXT_BYTES];
	int result = CODEC_UNPACK(lm__header, codec_bytes(w->item->header), &l->scratch, &h, l->e);
	if (result)
		return result;
	waiting_name_to_text(&w->name, name);
	v->item = arena_text(l->arena, name);
	v->reason = arena_text(l->arena, w->reason);
	v->disposition = w->disposition == LM__DISPOSITION__DISPOSITION_RETRIED ? LM__DISPOSITION__DISPOSITION_APPLIED
	                                                                        : w->disposition;
	v->kind = h->kind;
	v->origin_place = arena_text(l->arena, "");
	origin_show(l, h, v);
	service_show(l, h, v);
	v->request_id =
	        codec_data(BYTES(arena_copy(l->arena, h->request_id.data, h->request_id.len), h->request_id.len));
	v->time_ms = h->time_ms;
	v->since_ms = w->item->taken_ms;
	v->tried_ms = w->tried_ms;
	if (domain_waiters(h, codec_bytes(w->item->payload), &l->scratch, &waiters))
		v->waiting = journal_held_because(l->txn, BYTES(waiters.cause, waiters.size), waiters.shared);
	v->can_retry = can_retry(w);
	v->can_drop = can_drop(l->txn, w);
	bool is_short = !v->item || !v->reason || !v->origin || !v->origin_place || !v->service ||
	                (h->request_id.len && !v->request_id.data);
	return is_short ? error_set(l->e, ERR_MEMORY, "no memory for the list") : store_failure(l->txn, l->e);
}

static Lm__QuarantineItem *item_new(struct list *l)
{
	Lm__QuarantineItem *v = arena_alloc(l->arena, sizeof *v);
	if (v)
		lm__quarantine_item__init(v);
	else
		error_set(l->e, ERR_MEMORY, "no memory for the list");
	return v;
}

/* ---- lists ---- */

static int open_list(struct list *l, const char *after, size_t most, Lm__QuarantineView *out)
{
	struct waiting w = { 0 };
	int result = after[0] ? waiting_name_from_text(after, &w.name, l->e) : OK;
	while (!result && out->n_items < most) {
		struct waiting_name last = w.name;
		arena_reset(&l->scratch);
		result = journal_waiting_next(l->txn, &last, &l->scratch, &w, l->e);
		Lm__QuarantineItem *v = result ? NULL : item_new(l);
		if (!result)
			result = v ? item_show(l, &w, v) : ERR_MEMORY;
		if (!result)
			out->items[out->n_items++] = v;
	}
	if (!result)
		out->next = out->items[out->n_items - 1]->item; /* there may be more */
	return result == ERR_NOT_FOUND ? OK : result;
}

static int act_show(struct list *l, const Lm__QuarantineRecord *record, Lm__QuarantineItem *v)
{
	struct waiting w;
	const Lm__QuarantineActPayload *act = record->act;
	int result = waiting_name_from_text(act->item, &w.name, l->e);
	if (!result)
		result = journal_waiting_get(l->txn, &w.name, &l->scratch, &w, l->e);
	if (!result)
		result = item_show(l, &w, v);
	if (result == ERR_NOT_FOUND) { /* trimmed since, as one that is settled may be */
		v->item = arena_text(l->arena, act->item);
		result = OK;
	}
	v->act = act->act;
	v->by = arena_text(l->arena, act->by);
	v->act_reason = arena_text(l->arena, act->reason);
	v->act_ms = record->time_ms;
	return !result && (!v->by || !v->act_reason || !v->item) ? error_set(l->e, ERR_MEMORY, "no memory for the list")
	                                                         : result;
}

/* The newest first. */
static int done_list(struct list *l, const char *after, size_t most, Lm__QuarantineView *out)
{
	uint64_t position = after[0] ? strtoull(after, NULL, 10) : UINT64_MAX;
	Lm__QuarantineRecord *record;
	int result = OK;
	while (!result && out->n_items < most) {
		arena_reset(&l->scratch);
		result = act_before(l->txn, position, &l->scratch, &position, &record, l->e);
		Lm__QuarantineItem *v = result ? NULL : item_new(l);
		if (!result)
			result = v ? act_show(l, record, v) : ERR_MEMORY;
		if (!result)
			out->items[out->n_items++] = v;
	}
	if (!result)
		out->next = arena_format(l->arena, "%llu", (unsigned long long)position);
	return result == ERR_NOT_FOUND ? OK : result;
}

static void list_pool(struct node *n, void *context)
{
	struct act *a = context;
	struct list l = { .node = n, .arena = &a->arena, .e = &a->error };
	Lm__QuarantineView *out = arena_alloc(&a->arena, sizeof *out);
	Lm__QuarantineItem **items = arena_alloc(&a->arena, a->count * sizeof *items);
	a->result = out && items ? store_begin_read(n->store, &l.txn, &a->error) : ERR_MEMORY;
	if (a->result)
		return;
	lm__quarantine_view__init(out);
	out->items = items;
	out->open = journal_waiting_count(l.txn);
	out->waiting = journal_held_count(l.txn);
	arena_init(&l.scratch, SCRATCH_BYTES);
	a->result = (a->is_done ? done_list : open_list)(&l, a->after, a->count, out);
	arena_release(&l.scratch);
	store_abort(l.txn);
	if (!a->result && !out->next)
		a->result = error_set(&a->error, ERR_MEMORY, "no memory for the list");
	a->output = &out->base;
}

void control_quarantine(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (!a)
		return;
	const char *view = http_query(r, "view"), *after = http_query(r, "after"), *limit = http_query(r, "limit");
	long wanted = limit ? strtol(limit, NULL, 10) : PAGE_USUAL;
	a->count = wanted < 1 ? 1 : wanted > PAGE_MOST ? PAGE_MOST : (size_t)wanted;
	a->is_done = view && strcmp(view, "done") == 0;
	a->after = arena_text(&a->arena, after ? after : "");
	if (view && !a->is_done && strcmp(view, "open") != 0)
		act_answer(a, error_set(&a->error, ERR_INVALID, "view is open or done"), &a->error);
	else if (!a->after)
		act_answer(a, ERR_MEMORY, NULL);
	else
		act_pool(context, a, list_pool);
}

/* ---- acts ---- */

static int act_refusal(struct store_txn *txn, const struct waiting *w, bool is_drop, struct error *e)
{
	if (w->disposition == LM__DISPOSITION__DISPOSITION_DROPPED)
		return error_set(e, ERR_CLOSED,
		                 "this item was dropped before: `lmctl quarantine list --done` says by whom and why");
	if (!w->is_waiting)
		return error_set(e, ERR_CLOSED, "this item is not held up: it was applied");
	if (w->disposition == LM__DISPOSITION__DISPOSITION_FROZEN && !(is_drop && can_drop(txn, w)))
		return error_set(e, ERR_FROZEN,
		                 "this entry is of a device with two histories: it is kept as evidence, and neither "
		                 "retried nor dropped");
	if (!is_drop && !can_retry(w))
		return error_set(e, ERR_REVOKED,
		                 "what a revoked device sent after its revocation is never applied; it can only be "
		                 "dropped");
	return OK;
}

static int entry_append(struct turn *t, const struct waiting *w, Lm__QuarantineCommand *in, struct error *e)
{
	Lm__QuarantineActPayload act = LM__QUARANTINE_ACT_PAYLOAD__INIT;
	Lm__Header h = LM__HEADER__INIT, *of;
	struct hash hash;
	struct bytes packed;
	struct placed placed;
	act.act = in->act;
	act.position = waiting_position(&w->name);
	act.item = in->item;
	act.reason = in->reason;
	act.by = in->by;
	int result = CODEC_UNPACK(lm__header, codec_bytes(w->item->header), t->arena, &of, e);
	if (!result)
		result = entry_hash(codec_bytes(w->item->header), &hash, e);
	act.entry = codec_data(BYTES_OF(hash));
	if (!result)
		result = act_check(&act, e);
	if (!result)
		result = CODEC_PACK(&act, t->arena, &packed, e);
	if (result)
		return result;
	h.kind = LM__KIND__KIND_QUARANTINE_ACT;
	h.request_id = of->request_id;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return turn_append(t, &draft, &placed, e);
}

static int item_drop(struct turn *t, const struct waiting *w, const Lm__QuarantineCommand *in, struct error *e)
{
	const char *why = arena_format(t->arena, "dropped by %s: %s; before that: %s", in->by, in->reason, w->reason);
	return why ? journal_drop(t->journal, &w->name, why, e) : error_set(e, ERR_MEMORY, "no memory to drop an item");
}

static int act_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	Lm__QuarantineCommand *in = (Lm__QuarantineCommand *)a->input;
	bool is_drop = in->act == LM__QUARANTINE_ACT__QUARANTINE_ACT_DROP;
	struct list l = { .node = t->node, .txn = t->txn, .arena = &a->arena, .e = e };
	struct waiting w;
	int result = waiting_name_from_text(in->item, &w.name, e);
	if (!result)
		result = journal_waiting_get(t->txn, &w.name, t->arena, &w, e);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no item '%.80s' here", in->item);
	if (!result)
		result = act_refusal(t->txn, &w, is_drop, e);
	if (!result)
		result = entry_append(t, &w, in, e);
	if (!result)
		result = is_drop ? item_drop(t, &w, in, e) : item_retry(t, waiting_position(&w.name), e);
	if (!result)
		result = journal_waiting_get(t->txn, &w.name, t->arena, &w, e);
	if (result)
		return result;
	Lm__QuarantineItem *v = item_new(&l);
	arena_init(&l.scratch, SCRATCH_BYTES);
	result = v ? item_show(&l, &w, v) : ERR_MEMORY;
	arena_release(&l.scratch);
	a->output = v ? &v->base : NULL;
	return result;
}

void control_quarantine_act(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__quarantine_command__descriptor);
	if (!a)
		return;
	if (!http_is_local(r))
		((Lm__QuarantineCommand *)a->input)->by = arena_text(&a->arena, http_user(r));
	if (((Lm__QuarantineCommand *)a->input)->by)
		act_command(context, a, act_run);
	else
		act_answer(a, ERR_MEMORY, NULL);
}
