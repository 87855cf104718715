/*
 * A restored node is first given back what its backup lacks. Its neighbours hold what they took from it and what went
 * through it: after a greeting that asks for it (wants_return) they send those lines back over the same link, beside
 * what flows as ever. Meanwhile nothing new is written but to `own`, so that what is written afterwards cites what came
 * back as its parent, and nobody sees a rollback.
 *
 *   restored ── Hello: wants_return, `have` of its own lines, too ──▶ neighbour
 *            ◀── entries of those lines ── beat: has_returned when nothing waits any more ──
 *
 * What a terminal began anew waits until the district has given back what came before it, and is taken then.
 *
 * It is over when every neighbour of the directory has answered, or an operator has left it out by name. What would
 * have been answered or passed on meanwhile is done then, unless what came back shows that it was done before.
 */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/clock.h"
#include "base/log.h"
#include "domain/backup.h"
#include "domain/person.h"
#include "node/backup.h"
#include "node/control.h"
#include "rotation.h"

#define LOOK_EVERY_US 1000000
#define REASON_BYTES_MOST 600

int return_open(struct node *n, struct error *e)
{
	struct store_txn *txn;
	struct arena arena;
	Lm__RestoreRecord *record;
	Lm__RestorePayload *begun;
	int result = store_begin_read(n->store, &txn, e);
	if (result)
		return result;
	arena_init(&arena, 1024 * 1024);
	result = restore_get(txn, &arena, &record);
	bool is_known = !result;
	n->is_returning = is_known && !record->is_over;
	result = result == ERR_NOT_FOUND ? OK : result;
	if (result)
		store_failure(txn, e);
	else
		result = restored_read(n->config.data, &arena, &begun, e);
	if (!result && (!is_known || !bytes_equal(codec_bytes(record->backup), codec_bytes(begun->backup))))
		n->is_returning = true; /* birth writes it down */
	n->was_returning = n->is_returning;
	atomic_store(&n->shows_returning, n->is_returning);
	if (n->is_returning)
		log_write(LOG_WARN, "returning",
		          "restored from a backup: no new business until the neighbours have given "
		          "back what it lacks");
	store_abort(txn);
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int step_append(struct turn *t, Lm__RestorePayload *payload, struct error *e)
{
	struct bytes packed;
	struct placed placed;
	Lm__Header h = LM__HEADER__INIT;
	h.kind = LM__KIND__KIND_RESTORE;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h };
	int result = CODEC_PACK(payload, t->arena, &packed, e);
	draft.payload = packed;
	return result ? result : turn_append(t, &draft, &placed, e);
}

int return_begin(struct turn *t, struct error *e)
{
	Lm__RestorePayload *begun;
	Lm__RestoreRecord *record;
	int result = restored_read(t->node->config.data, t->arena, &begun, e);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	result = restore_get(t->txn, t->arena, &record);
	if (!result && bytes_equal(codec_bytes(record->backup), codec_bytes(begun->backup)))
		return OK;
	/* The backup was made during a return: what waited for the end of that one waits for this one. */
	if (!result && !record->is_over && record->position < begun->position)
		begun->position = record->position;
	return result && result != ERR_NOT_FOUND ? result : step_append(t, begun, e);
}

/* ---- whom it waits for ---- */

struct neighbour {
	struct directory_row row;
	struct peer *peer; /* NULL: it has not been here since the start */
	bool is_left_out;
};

static bool is_neighbour(const struct node *n, const struct directory_row *row)
{
	if (row->is_revoked || row->device == n->domain.device)
		return false;
	if ((int)row->role == (int)n->domain.tier - 1)
		return place_contains(n->domain.place, row->place);
	return (int)row->role == (int)n->domain.tier + 1 && place_contains(row->place, n->domain.place);
}

static struct peer *peer_of_row(struct node *n, const struct directory_row *row)
{
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers; i++)
		if (n->peer[i]->is_upstream ? n->peer[i]->role == row->role : n->peer[i]->device == row->device)
			return n->peer[i];
	return NULL;
}

static int neighbours_list(struct node *n, struct store_txn *txn, struct arena *arena, struct neighbour **out,
                           size_t *count)
{
	Lm__RestoreRecord *record;
	*count = 0;
	int result = restore_get(txn, arena, &record);
	if (result)
		return result;
	pthread_mutex_lock(&n->directory_lock);
	struct neighbour *list = arena_alloc(arena, (n->directory_count + 1) * sizeof *list);
	for (size_t i = 0; list && i < n->directory_count; i++)
		if (is_neighbour(n, &n->directory[i]))
			list[(*count)++].row = n->directory[i];
	pthread_mutex_unlock(&n->directory_lock);
	if (!list)
		return ERR_MEMORY;
	for (size_t i = 0; i < *count; i++) {
		list[i].peer = peer_of_row(n, &list[i].row);
		for (size_t k = 0; k < record->n_left_out; k++)
			list[i].is_left_out |= record->left_out[k] == list[i].row.device;
	}
	*out = list;
	return OK;
}

/* The directory itself is among what comes back: with each answer there may be more to wait for. */
static bool all_answered(struct node *n, struct store_txn *txn, struct arena *arena)
{
	struct neighbour *list;
	size_t count;
	bool is_all = !n->must_refresh_directory && !neighbours_list(n, txn, arena, &list, &count);
	for (size_t i = 0; is_all && i < count; i++)
		is_all = list[i].is_left_out || (list[i].peer && list[i].peer->has_returned);
	return is_all;
}

/* A line has one order, and that of the first receiver holds. What a device below began anew since our image would come
 * before what had gone through here, and that would then continue nothing. */
bool return_must_wait(struct turn *t, const struct work *w)
{
	struct neighbour *list;
	struct line_key key;
	size_t count;
	uint64_t ordinal;
	bool is_exact, is_open = false;
	if (!t->node->is_returning || w->peer->is_upstream || !w->entry_count)
		return false;
	const Lm__Header *h = w->entries[0].header;
	key = (struct line_key){ h->origin, h->stream, h->receiver };
	const struct line *l = journal_line_find(t->journal, &key);
	bool is_begun = l && (l->incarnation == h->incarnation ||
	                      journal_locate(t->txn, l->number, h->incarnation, h->seq, &ordinal, &is_exact) == OK);
	if (!stream_is_up(h->stream) || is_begun || neighbours_list(t->node, t->txn, t->arena, &list, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		is_open |= (int)list[i].row.role > (int)t->node->domain.tier && !list[i].is_left_out &&
		           !(list[i].peer && list[i].peer->has_returned);
	return is_open;
}

/* ---- the end ---- */

struct relayed { /* entries whose message went on to a terminal */
	struct hash *list;
	size_t count, capacity;
};

static int relayed_add(struct relayed *r, ProtobufCBinaryData source)
{
	if (source.len != HASH_BYTES)
		return OK;
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? 2 * r->capacity : 256;
		struct hash *grown = realloc(r->list, capacity * sizeof *grown);
		if (!grown)
			return ERR_MEMORY;
		r->list = grown;
		r->capacity = capacity;
	}
	memcpy(r->list[r->count++].byte, source.data, HASH_BYTES);
	return OK;
}

static int hash_compare(const void *a, const void *b)
{
	return memcmp(a, b, HASH_BYTES);
}

/* A device asked for other keys: the hub's word for it came back, or it is said now. Apply itself changes no row. */
static int keys_again(struct turn *t, struct domain_item *again, const Lm__Header *h, const Lm__TapeItem *item,
                      struct error *e)
{
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t cause_size;
	struct error why;
	if (t->node->domain.tier != LM__TIER__TIER_DISTRICT ||
	    item->disposition != LM__DISPOSITION__DISPOSITION_APPLIED)
		return OK;
	again->header = h;
	again->plain = codec_bytes(item->payload);
	domain_apply(&t->node->domain, t->txn, t->arena, again, &t->node->effects, cause, &cause_size, &why);
	return store_failure(t->txn, e);
}

/* What became of an entry, and whether somebody was told, stands in another one of ours that cites it. */
static bool is_told(const struct relayed *r, const struct hash *hash)
{
	return r->count && bsearch(hash, r->list, r->count, HASH_BYTES, hash_compare);
}

static int passed_on(struct turn *t, struct domain_item *again, const Lm__Header *h, const Lm__TapeItem *item,
                     struct error *e)
{
	struct node *n = t->node;
	again->header = h;
	if (h->kind == LM__KIND__KIND_CASE && n->domain.tier == LM__TIER__TIER_DISTRICT)
		return case_pass_again(&n->domain, t->txn, t->arena, again, &n->effects, e);
	if (h->kind == LM__KIND__KIND_PERSON)
		return person_copy_effect(&n->domain, t->txn, t->arena, again, &n->effects, e);
	again->is_absent =
	        journal_item_open(t->journal, t->txn, again->position, item, t->arena, &again->plain, NULL) != OK;
	if (h->kind == LM__KIND__KIND_ERASURE)
		return again->is_absent ? OK : erase_tell_again(t, again, e);
	if (h->kind == LM__KIND__KIND_CASE || h->kind == LM__KIND__KIND_NEW_CODE)
		return n->tier.tell_again(t, again, e);
	return case_copy_effect(&n->domain, t->txn, t->arena, again, &n->effects, e);
}

/* At once, or when what it waited for had come. */
static int was_applied(struct turn *t, const Lm__TapeItem *item, bool *was, struct error *e)
{
	Lm__TapeItem *again = NULL;
	int result = item->retry_of ? journal_read(t->txn, item->retry_of, t->arena, &again, e) : OK;
	*was = item->disposition == LM__DISPOSITION__DISPOSITION_APPLIED ||
	       (again && again->disposition == LM__DISPOSITION__DISPOSITION_RETRIED);
	return result;
}

/* One walk over what the tape took up since the backup: first to learn what was passed on, then to pass on the rest. */
static int relay_step(struct turn *t, uint64_t position, const Lm__TapeItem *item, struct relayed *r, bool is_second,
                      struct error *e)
{
	Lm__Header *h;
	struct domain_item again = { .position = position, .ordinal = item->ordinal, .taken_ms = item->taken_ms };
	if (!item->header.len)
		return OK;
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), t->arena, &h, e);
	if (result)
		return result;
	bool is_ours = h->origin == t->node->domain.device;
	bool is_passed_on = h->kind == LM__KIND__KIND_STATUS || h->kind == LM__KIND__KIND_PERSON_COPY ||
	                    h->kind == LM__KIND__KIND_CASE_COPY;
	bool is_applied;
	result = was_applied(t, item, &is_applied, e);
	if (result)
		return result;
	if (!is_second)
		return is_ours && is_passed_on ? relayed_add(r, h->source) : OK;
	if (h->kind == LM__KIND__KIND_KEYS)
		return is_ours ? OK : keys_again(t, &again, h, item, e);
	if (h->kind == LM__KIND__KIND_ERASE && h->stream == LM__STREAM__STREAM_UP)
		return is_ours ? OK : erase_tell_towns(t, codec_bytes(item->payload), e);
	/* Of a record its version says whether it was applied, at once or later, and of a case its list of events. */
	bool is_of_others = (h->kind == LM__KIND__KIND_PERSON || h->kind == LM__KIND__KIND_CASE) &&
	                    t->node->domain.tier == LM__TIER__TIER_DISTRICT;
	bool is_copy = h->kind == LM__KIND__KIND_CASE_COPY && is_applied;
	bool is_word = h->kind == LM__KIND__KIND_CASE || h->kind == LM__KIND__KIND_NEW_CODE;
	bool is_event = is_word && h->stream == LM__STREAM__STREAM_UP && is_applied && t->node->tier.tell_again;
	bool is_erasure = h->kind == LM__KIND__KIND_ERASURE && t->node->domain.tier == LM__TIER__TIER_TOWN;
	if (is_ours ? !is_event && !is_erasure : !is_copy && !is_of_others)
		return OK;
	result = entry_hash(codec_bytes(item->header), &again.hash, e);
	return result || is_told(r, &again.hash) ? result : passed_on(t, &again, h, item, e);
}

static int relays_make_up(struct turn *t, uint64_t from, struct error *e)
{
	struct relayed relayed = { NULL, 0, 0 };
	int result = OK;
	for (int pass = 0; pass < 2 && !result; pass++) {
		Lm__TapeItem *item;
		for (uint64_t position = from + 1;; position++) {
			uint64_t of;
			result = journal_read_next(t->txn, &position, t->arena, &item, e);
			/* What was held before the backup, and could be applied since. */
			of = !result && item->retry_of && item->retry_of <= from ? item->retry_of : position;
			if (!result && of != position)
				result = journal_read(t->txn, of, t->arena, &item, e);
			if (!result)
				result = relay_step(t, of, item, &relayed, pass == 1, e);
			if (result)
				break;
		}
		result = result == ERR_NOT_FOUND ? OK : result;
		if (relayed.count)
			qsort(relayed.list, relayed.count, HASH_BYTES, hash_compare);
	}
	free(relayed.list);
	return result == ERR_MEMORY ? error_set(e, result, "no memory for what waited during the return") : result;
}

static int end_run(struct turn *t, struct command *c, struct error *e)
{
	struct node *n = t->node;
	Lm__RestorePayload ended = LM__RESTORE_PAYLOAD__INIT;
	Lm__RestoreRecord *record;
	(void)c;
	int result = restore_get(t->txn, t->arena, &record);
	if (result || !all_answered(n, t->txn, t->arena))
		return result ? error_set(e, result, "this node was not restored") : OK;
	ended.step = LM__RESTORE_STEP__RESTORE_STEP_ENDED;
	ended.backup = record->backup;
	result = step_append(t, &ended, e);
	n->is_returning = false; /* of this turn; if it is not committed, it stays as it was */
	if (!result)
		result = rotation_tell(t, e);
	if (!result)
		result = case_asks_unanswered(&n->domain, t->txn, t->arena, &n->effects, e);
	if (!result)
		result = relays_make_up(t, record->position, e);
	return result;
}

static void end_done(struct node *n, struct command *c)
{
	(void)n;
	if (c->result)
		log_write(LOG_ERROR, "return", "what was given back cannot be settled: %s", c->error.text);
	free(c);
}

struct command *return_command(struct node *n)
{
	uint64_t now = clock_monotonic_us();
	struct store_txn *txn;
	struct arena arena;
	if (!n->is_returning || now - n->return_looked_us < LOOK_EVERY_US || store_begin_read(n->store, &txn, NULL))
		return NULL;
	n->return_looked_us = now;
	arena_init(&arena, 4u * 1024 * 1024);
	bool is_over = all_answered(n, txn, &arena);
	store_abort(txn);
	arena_release(&arena);
	struct command *c = is_over ? calloc(1, sizeof *c) : NULL;
	if (c)
		*c = (struct command){ .run = end_run, .done = end_done };
	return c;
}

void return_turn_begin(struct node *n)
{
	n->is_returning = n->was_returning;
}

void return_turn_committed(struct node *n)
{
	if (n->was_returning && !n->is_returning)
		log_write(LOG_INFO, "returned",
		          "every neighbour has given back what it had: new business is taken again");
	n->was_returning = n->is_returning;
	atomic_store(&n->shows_returning, n->is_returning);
}

int return_refuse(struct error *e)
{
	return error_set(
	        e, ERR_NOT_READY,
	        "this node was restored from a backup and waits until its neighbours have given back what that "
	        "lacks; lmctl return list says whom it waits for");
}

/* ---- at the neighbour ---- */

bool line_returns_to(const struct node *n, const struct line *l, const struct peer *p)
{
	if (!p->wants_return)
		return false;
	if (p->is_upstream)
		return l->key.origin == p->device && !stream_is_up(l->key.stream);
	return stream_is_up(l->key.stream) && line_comes_from(n, l, p);
}

/* At the restored node. What comes back is checked like every entry: it is signed by us, or by whose it is. */
bool line_may_return(struct node *n, const struct peer *p, const Lm__StreamKey *key)
{
	struct directory_row row;
	if (!atomic_load(&n->shows_returning))
		return false;
	if (!p->is_upstream)
		return key->origin == n->domain.device &&
		       ((key->stream == LM__STREAM__STREAM_ALL && !key->receiver) ||
		        (key->stream == LM__STREAM__STREAM_DOWN && key->receiver == p->device));
	return stream_is_up(key->stream) && !key->receiver &&
	       (key->origin == n->domain.device ||
	        (directory_device(n, key->origin, &row) && row.role == LM__TIER__TIER_TERMINAL &&
	         place_contains(n->domain.place, row.place)));
}

/* ---- lmctl ---- */

static int view_make(struct turn *t, struct arena *arena, Lm__ReturnView **out, struct error *e)
{
	struct neighbour *list = NULL;
	size_t count = 0;
	Lm__RestoreRecord *record;
	Lm__ReturnView *view = arena_alloc(arena, sizeof *view);
	if (!view)
		return error_set(e, ERR_MEMORY, "no memory for the list");
	lm__return_view__init(view);
	*out = view;
	int result = restore_get(t->txn, arena, &record);
	if (result == ERR_NOT_FOUND)
		return OK;
	view->is_returning = t->node->is_returning;
	view->backup_ms = result ? 0 : record->made_ms;
	if (!result)
		result = neighbours_list(t->node, t->txn, arena, &list, &count);
	Lm__ReturnRow *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
	view->rows = arena_alloc(arena, (count + 1) * sizeof *view->rows);
	if (result || !rows || !view->rows)
		return error_set(e, result ? result : ERR_MEMORY, "the neighbours cannot be listed");
	for (size_t i = 0; i < count; i++) {
		Lm__ReturnRow *row = &rows[view->n_rows];
		const struct peer *p = list[i].peer;
		lm__return_row__init(row);
		row->device = arena_format(arena, "%016llx", (unsigned long long)list[i].row.device);
		row->place = arena_text(arena, list[i].row.place);
		row->is_up = p && p->link.state == LINK_OPEN;
		row->has_answered = p && p->has_returned;
		row->is_left_out = list[i].is_left_out;
		row->to_come = p ? p->link.peer_waiting : 0;
		if (!row->device || !row->place)
			return error_set(e, ERR_MEMORY, "no memory for the list");
		view->rows[view->n_rows++] = row;
	}
	return OK;
}

static int view_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	Lm__ReturnView *view;
	int result = view_make(t, &a->arena, &view, e);
	if (!result)
		a->output = &view->base;
	return result;
}

void control_return(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_command(context, a, view_run);
}

static int neighbour_find(struct turn *t, const char *name, struct directory_row *out, struct error *e)
{
	struct neighbour *list;
	size_t count;
	char device[24];
	int result = neighbours_list(t->node, t->txn, t->arena, &list, &count);
	for (size_t i = 0; !result && i < count; i++) {
		snprintf(device, sizeof device, "%016llx", (unsigned long long)list[i].row.device);
		if (strcmp(name, device) != 0 && strcmp(name, list[i].row.place) != 0)
			continue;
		if (list[i].is_left_out)
			return error_set(e, ERR_EXISTS, "%.40s has been left out before", name);
		*out = list[i].row;
		return OK;
	}
	return error_set(e, ERR_NOT_FOUND, "this node waits for nobody called '%.40s': lmctl return lists them", name);
}

static int leave_out_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__LeaveOutCommand *in = (Lm__LeaveOutCommand *)a->input;
	Lm__RestorePayload step = LM__RESTORE_PAYLOAD__INIT;
	struct directory_row row;
	if (!t->node->is_returning)
		return error_set(e, ERR_CONFLICT, "nothing is being given back to this node");
	if (!in->by[0] || !in->reason[0] || strlen(in->reason) > REASON_BYTES_MOST)
		return error_set(e, ERR_INVALID, "by, reason: say who leaves it out and why; the journal keeps it");
	int result = neighbour_find(t, in->device, &row, e);
	if (result)
		return result;
	step.step = LM__RESTORE_STEP__RESTORE_STEP_LEFT_OUT;
	step.device = row.device;
	step.by = in->by;
	step.reason = in->reason;
	result = step_append(t, &step, e);
	if (result)
		return result;
	log_write(LOG_WARN, "left-out", "%s is not waited for: what only it holds is lost here", row.place);
	Lm__ReturnView *view;
	result = view_make(t, &a->arena, &view, e);
	if (!result)
		a->output = &view->base;
	return result;
}

void control_leave_out(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__leave_out_command__descriptor);
	if (a)
		act_command(context, a, leave_out_run);
}
