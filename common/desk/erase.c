/*
 * Erasing over HTTP: one person proposes, a second confirms or either drops it. The rules are apply's (domain/erase.c);
 * here they are put into words and pages.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/person.h"
#include "inside.h"

#define SHOWN_MOST 200

struct deed { /* one request under way */
	struct command command;
	struct http_request *request;
	struct arena arena;
	Lm__EraseCommand *input;
	ProtobufCMessage *output;
	struct id act;
	ProtobufCBinaryData requests[ERASE_REQUESTS_MOST], persons[ERASE_PERSONS_MOST];
	size_t request_count, person_count;
	struct id named[ERASE_PERSONS_MOST];
	size_t named_count;
	char user[33];
	int result;
	struct error error;
};

static struct deed *deed_new(struct http_request *r)
{
	struct deed *d = calloc(1, sizeof *d);
	if (!d) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	d->request = r;
	strncpy(d->user, http_user(r), sizeof d->user - 1);
	arena_init(&d->arena, 8u * 1024 * 1024);
	return d;
}

static void deed_free(struct deed *d)
{
	arena_release(&d->arena);
	free(d);
}

static void deed_answer(struct deed *d, int result, const struct error *e)
{
	if (result)
		node_answer_error(d->request, result, e);
	else
		node_answer(d->request, d->output);
	deed_free(d);
}

/* ---- shown ---- */

static char *text_copy(struct arena *arena, const char *text)
{
	return arena_text(arena, text);
}

static char *id_copy(struct arena *arena, ProtobufCBinaryData id)
{
	char *text = arena_alloc(arena, 2 * id.len + 1);
	if (text)
		hex_encode(codec_bytes(id), text);
	return text;
}

/* Everything in `arena`: what it is read from ends with the turn. NULL: no memory. */
static Lm__ErasureView *erasure_view(struct node *n, const Lm__ErasureRecord *record, const char *user,
                                     struct arena *arena)
{
	const Lm__ErasePayload *p = record->content;
	Lm__ErasureView *v = arena_alloc(arena, sizeof *v);
	if (!v)
		return NULL;
	lm__erasure_view__init(v);
	v->act = id_copy(arena, p->act);
	v->requests = arena_alloc(arena, (p->n_requests + 1) * sizeof *v->requests);
	bool is_short = !v->requests;
	for (size_t i = 0; i < p->n_requests && !is_short; i++) {
		v->requests[v->n_requests++] = id_copy(arena, p->requests[i]->request_id);
		is_short = !v->requests[i];
	}
	v->persons = arena_alloc(arena, (p->n_person_id + 1) * sizeof *v->persons);
	is_short |= !v->persons;
	for (size_t i = 0; i < p->n_person_id && !is_short; i++) {
		v->persons[v->n_persons++] = id_copy(arena, p->person_id[i]);
		is_short = !v->persons[i];
	}
	v->is_done = record->is_done;
	v->reason = text_copy(arena, p->reason);
	v->ground = text_copy(arena, p->ground);
	v->proposed_by = text_copy(arena, p->proposed_by);
	v->proposed_ms = p->proposed_ms;
	v->confirmed_by = text_copy(arena, p->confirmed_by);
	v->decided_ms = p->decided_ms;
	v->tier = p->tier;
	v->place = text_copy(arena, p->place);
	v->place_name = node_place_words(n, p->place, arena);
	v->can_confirm = !record->is_done && strcmp(user, p->proposed_by) != 0;
	v->erased_ms = record->erased_ms;
	is_short |= !v->act || !v->reason || !v->ground || !v->proposed_by || !v->confirmed_by || !v->place;
	return is_short ? NULL : v;
}

int erasure_of(struct node *n, struct store_txn *txn, struct id subject, const char *user, struct arena *arena,
               Lm__ErasureView **out)
{
	Lm__ErasedRecord *erased;
	Lm__ErasureRecord *erasure;
	*out = NULL;
	int result = erased_get(txn, BYTES_OF(subject.byte), arena, &erased);
	if (!result)
		result = erasure_get(txn, codec_bytes(erased->act), arena, &erasure);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	*out = erasure_view(n, erasure, user, arena);
	return *out ? OK : ERR_MEMORY;
}

int erasure_fill(struct node *n, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                 const char *user, struct arena *arena, Lm__CaseView *view)
{
	struct error e = { 0 };
	bool is_ours = case_is_ours(node_domain(n), record) && case_state_is_closed(record->state);
	int result = erasure_of(n, txn, request, user, arena, &view->erasure);
	if (result || view->erasure || !is_ours)
		return result;
	int64_t now_ms = clock_wall_ms(), until_ms = erase_kept_until(txn, record, arena, &view->kept_why);
	view->kept_until_ms = until_ms > now_ms ? until_ms : 0;
	view->kept_why = view->kept_until_ms ? view->kept_why : NULL;
	view->can_erase = !erase_check(node_domain(n), txn, request, now_ms, arena, &e);
	return OK;
}

struct list {
	struct deed *deed;
	struct node *node;
	Lm__ErasuresView *view;
	bool is_short;
};

static bool list_visit(void *context, const Lm__ErasureRecord *record)
{
	struct list *l = context;
	if (l->view->n_erasures == SHOWN_MOST) {
		l->view->is_more = true;
		return false;
	}
	Lm__ErasureView *v = erasure_view(l->node, record, l->deed->user, &l->deed->arena);
	l->is_short |= !v;
	if (v)
		l->view->erasures[l->view->n_erasures++] = v;
	return v != NULL;
}

static void list_run(struct node *n, void *context)
{
	struct deed *d = context;
	struct store_txn *txn;
	struct list l = { .deed = d, .node = n, .view = arena_alloc(&d->arena, sizeof *l.view) };
	Lm__ErasureView **rows = arena_alloc(&d->arena, SHOWN_MOST * sizeof *rows);
	d->result = l.view && rows ? store_begin_read(node_store(n), &txn, &d->error) : ERR_MEMORY;
	if (d->result)
		return;
	lm__erasures_view__init(l.view);
	l.view->erasures = rows;
	d->result = erasure_each(txn, &d->arena, list_visit, &l);
	if (d->result)
		store_failure(txn, &d->error);
	else if (l.is_short)
		d->result = error_set(&d->error, ERR_MEMORY, "no memory for the list");
	store_abort(txn);
	d->output = &l.view->base;
}

static void list_done(struct node *n, void *context)
{
	struct deed *d = context;
	(void)n;
	deed_answer(d, d->result, &d->error);
}

void erasures_get(void *context, struct http_request *r)
{
	struct deed *d = deed_new(r);
	int result = d ? node_pool(context, list_run, list_done, d) : OK;
	if (result)
		deed_answer(d, result, NULL);
}

/* ---- done ---- */

static int step_append(struct turn *t, struct deed *d, struct error *e)
{
	const Lm__EraseCommand *in = d->input;
	Lm__EraseActPayload act = LM__ERASE_ACT_PAYLOAD__INIT;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	act.action = in->action;
	act.act = codec_data(BYTES_OF(d->act.byte));
	act.requests = d->requests;
	act.n_requests = d->request_count;
	act.person_id = d->persons;
	act.n_person_id = d->person_count;
	act.reason = in->reason;
	act.ground = in->ground;
	act.by = d->user;
	h.kind = LM__KIND__KIND_ERASE_ACT;
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	int result = CODEC_PACK(&act, t->arena, &packed, e);
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static bool is_listed(const ProtobufCBinaryData *list, size_t count, const struct id *id)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(codec_bytes(list[i]), BYTES(id->byte, ID_BYTES)))
			return true;
	return false;
}

static int id_list(ProtobufCBinaryData *list, size_t *count, size_t most, const struct id *id, struct arena *arena,
                   struct error *e)
{
	if (is_listed(list, *count, id))
		return OK;
	if (*count == most)
		return error_set(e, ERR_TOO_MANY,
		                 "persons: too much is on file to go in one act: erase some of the requests first");
	void *copy = arena_copy(arena, id->byte, ID_BYTES);
	list[(*count)++] = codec_data(BYTES(copy, ID_BYTES));
	return copy ? OK : error_set(e, ERR_MEMORY, "no memory to erase");
}

/* With a record go those that were merged into it, and the requests of all of them. */
static int person_list(struct turn *t, struct deed *d, struct id person, struct error *e)
{
	struct id family[PERSON_FAMILY_MOST];
	size_t members;
	int result = person_family(t->txn, person, family, &members);
	if (result == ERR_TOO_MANY)
		return error_set(e, result, "persons: too many records were merged into this one");
	for (size_t i = 0; i < members && !result; i++) {
		struct id *cases;
		size_t count = 0;
		bool is_more;
		result = id_list(d->persons, &d->person_count, ERASE_PERSONS_MOST, &family[i], t->arena, e);
		if (!result)
			result = person_cases(t->txn, family[i], t->arena, SIZE_MAX, &cases, &count, &is_more);
		for (size_t k = 0; k < count && !result; k++)
			if (!subject_is_erased(t->txn, BYTES_OF(cases[k].byte)))
				result = id_list(d->requests, &d->request_count, ERASE_REQUESTS_MOST, &cases[k],
				                 t->arena, e);
	}
	return result;
}

static int subjects_list(struct turn *t, struct deed *d, struct error *e)
{
	int result = OK;
	d->person_count = 0;
	d->request_count = d->input->n_requests; /* a turn may run twice */
	for (size_t i = 0; i < d->named_count && !result; i++)
		result = person_list(t, d, d->named[i], e);
	return result;
}

static int step_run(struct turn *t, struct command *c, struct error *e)
{
	struct deed *d = c->context;
	Lm__ErasureRecord *record;
	struct bytes act = BYTES_OF(d->act.byte);
	bool is_drop = d->input->action == LM__ERASE_ACTION__ERASE_ACTION_DROP;
	int result = is_drop ? erasure_get(t->txn, act, t->arena, &record) : OK;
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "act: nothing of this name is proposed");
	if (!result)
		result = subjects_list(t, d, e);
	if (!result)
		result = step_append(t, d, e);
	if (!result && !is_drop)
		result = erasure_get(t->txn, act, t->arena, &record);
	if (result)
		return result;
	if (d->input->action == LM__ERASE_ACTION__ERASE_ACTION_CONFIRM) { /* what this turn makes of it */
		record->is_done = true;
		record->content->confirmed_by = d->user;
		record->content->decided_ms = record->erased_ms = t->now_ms;
	}
	Lm__ErasureView *v = erasure_view(t->node, record, d->user, &d->arena);
	d->output = v ? &v->base : NULL;
	return v ? OK : error_set(e, ERR_MEMORY, "no memory to erase");
}

static void step_done(struct node *n, struct command *c)
{
	(void)n;
	deed_answer(c->context, c->result, &c->error);
}

static void step_send(struct node *n, struct deed *d, int result)
{
	d->command = (struct command){ .run = step_run, .done = step_done, .context = d };
	if (!result)
		result = node_command(n, &d->command);
	if (result)
		deed_answer(d, result, &d->error);
}

static struct deed *deed_with_body(struct http_request *r)
{
	struct deed *d = deed_new(r);
	if (d && node_body(r, &lm__erase_command__descriptor, &d->arena, &d->input)) {
		deed_free(d);
		return NULL;
	}
	return d;
}

static int requests_parse(struct deed *d)
{
	const Lm__EraseCommand *in = d->input;
	if (in->n_requests > ERASE_REQUESTS_MOST)
		return error_set(&d->error, ERR_INVALID, "requests: at most %d", ERASE_REQUESTS_MOST);
	for (size_t i = 0; i < in->n_requests; i++) {
		struct id *id = arena_alloc(&d->arena, sizeof *id);
		if (!id)
			return error_set(&d->error, ERR_MEMORY, "no memory for this request");
		if (id_from_text(in->requests[i], id))
			return error_set(&d->error, ERR_INVALID, "requests[%zu]: 32 hexadecimal digits", i);
		d->requests[i] = codec_data(BYTES_OF(id->byte));
	}
	if (in->n_persons > ERASE_PERSONS_MOST)
		return error_set(&d->error, ERR_INVALID, "persons: at most %d", ERASE_PERSONS_MOST);
	for (; d->named_count < in->n_persons; d->named_count++)
		if (id_from_text(in->persons[d->named_count], &d->named[d->named_count]))
			return error_set(&d->error, ERR_INVALID, "persons[%zu]: 32 hexadecimal digits", d->named_count);
	return OK;
}

void erasures_post(void *context, struct http_request *r)
{
	struct deed *d = deed_with_body(r);
	uint8_t random[10];
	if (!d)
		return;
	int result = d->input->action == LM__ERASE_ACTION__ERASE_ACTION_PROPOSE
	                     ? crypto_random(random, sizeof random, &d->error)
	                     : error_set(&d->error, ERR_INVALID, "action: here it is proposed");
	if (!result)
		result = requests_parse(d);
	if (!result)
		d->act = id_make(clock_wall_ms(), random);
	step_send(context, d, result);
}

void erasure_post(void *context, struct http_request *r)
{
	struct deed *d = deed_with_body(r);
	if (!d)
		return;
	const char *act = http_parameter(r, "act");
	bool is_last = d->input->action == LM__ERASE_ACTION__ERASE_ACTION_CONFIRM; /* it cannot be taken back */
	int result = is_last ? desk_fresh_check(r, &d->error) : OK;
	if (result)
		; /* said */
	else if (!act || id_from_text(act, &d->act))
		result = error_set(&d->error, ERR_INVALID, "the act's id is not 32 hexadecimal digits");
	else if (d->input->action == LM__ERASE_ACTION__ERASE_ACTION_PROPOSE)
		result = error_set(&d->error, ERR_INVALID, "action: this one is proposed already");
	d->input->n_requests = 0;
	step_send(context, d, result);
}
