/*
 * Telling a resident, or calling back: what is to be done until when, each try, and what came of it. What is said is
 * opened from the tape when somebody looks; the rows hold nothing of it.
 */
#include <string.h>

#include "base/clock.h"
#include "domain/work.h"
#include "errand.h"
#include "proto/desk.pb-c.h"

#define LIST_MOST 100
#define PAYLOAD_ARENA_BYTES (8u * 1024 * 1024)

/* ---- what is shown ---- */

char *contact_phone(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                    bool *is_english)
{
	Lm__RequestPayload *payload;
	Lm__Service *service;
	struct arena whole;
	const char *phone = NULL;
	*is_english = false;
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	if (!service_get(txn, record->service, record->revision, &whole, &service) &&
	    !request_payload_open(n, txn, record, &whole, &payload, NULL)) {
		phone = form_value(service, payload->values, payload->n_values,
		                   LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_PHONE);
		*is_english = strcmp(payload->language, "en") == 0;
	}
	char *copy = arena_text(arena, phone ? phone : "");
	arena_release(&whole);
	return copy;
}

int contact_read(struct node *n, struct store_txn *txn, const Lm__ContactRecord *row, struct arena *arena,
                 Lm__ContactPayload **out)
{
	Lm__TapeItem *item;
	Lm__Header *h;
	struct bytes plain;
	bool is_absent;
	int result = item_at(n, txn, row->position, arena, &item, &h, &plain, &is_absent);
	if (!result && is_absent)
		result = ERR_ABSENT;
	return result ? result : CODEC_UNPACK(lm__contact_payload, plain, arena, out, NULL);
}

static int view_add(struct node *n, struct store_txn *txn, const Lm__ContactRecord *row,
                    const struct working_days *days, struct arena *arena, Lm__ContactsView *list)
{
	struct id request;
	Lm__CaseRecord *record;
	Lm__ContactView *v = arena_alloc(arena, sizeof *v);
	memcpy(request.byte, row->request_id.data, ID_BYTES);
	if (case_get(txn, request, arena, &record) || case_is_hidden(node_domain(n), record))
		return store_failure(txn, NULL);
	if (!v)
		return ERR_MEMORY;
	lm__contact_view__init(v);
	int result = contact_read(n, txn, row, arena, &v->contact);
	if (error_is_of_machine(result))
		return result;
	v->is_absent = result != OK;
	v->contact = result ? NULL : v->contact;
	v->is_done = row->is_done;
	v->row = case_row(n, txn, request, record, days, arena);
	bool is_english;
	v->phone = contact_phone(n, txn, record, arena, &is_english);
	if (!v->row || !v->phone)
		return ERR_MEMORY;
	list->contacts[list->n_contacts++] = v;
	return OK;
}

/* Of one case, or (`request` NULL) all that are to be made, the first day first. */
static int list_fill(struct node *n, struct store_txn *txn, const struct id *request, struct arena *arena,
                     Lm__ContactsView *list)
{
	ProtobufCMessage **rows;
	struct working_days days;
	size_t count = 0;
	struct bytes head = request ? BYTES(request->byte, ID_BYTES) : (struct bytes){ 0 };
	int result =
	        work_list(txn, request ? WORK_CONTACT : WORK_OPEN, head, false, LIST_MOST + 1, arena, &rows, &count);
	if (!result)
		result = working_days_load(txn, arena, &days);
	list->is_more = count > LIST_MOST;
	list->contacts = arena_alloc(arena, (LIST_MOST + 1) * sizeof *list->contacts);
	if (!list->contacts)
		return ERR_MEMORY;
	for (size_t i = 0; i < count && i < LIST_MOST && !result; i++)
		result = view_add(n, txn, (Lm__ContactRecord *)rows[i], &days, arena, list);
	return result;
}

static void list_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct store_txn *txn;
	Lm__ContactsView *list = arena_alloc(&x->arena, sizeof *list);
	x->result = list ? store_begin_read(node_store(n), &txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	lm__contacts_view__init(list);
	x->result = list_fill(n, txn, id_is_zero(x->person) ? NULL : &x->person, &x->arena, list);
	if (store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
	x->output = &list->base;
}

void contacts_get(void *context, struct http_request *r)
{
	struct errand *x = http_parameter(r, "id") ? errand_about(r, NULL) : errand_new(r);
	if (x)
		errand_pool(context, x, list_pool);
}

/* ---- what is written ---- */

static int contact_write(struct turn *t, struct id request, Lm__ContactPayload *p, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = contact_check(p, e);
	if (!result)
		result = CODEC_PACK(p, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_CONTACT;
	h.request_id = codec_data(BYTES_OF(request.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed, .is_sealed = true };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int room_check(struct turn *t, struct id request, struct error *e)
{
	ProtobufCMessage **rows;
	size_t count;
	int result =
	        work_list(t->txn, WORK_CONTACT, BYTES_OF(request.byte), false, CONTACTS_MOST, t->arena, &rows, &count);
	return result ? result
	       : count == CONTACTS_MOST
	               ? error_set(e, ERR_TOO_MANY, "this case has %d of these, as many as it may", CONTACTS_MOST)
	               : OK;
}

static int contact_add(struct turn *t, const struct errand *x, struct error *e)
{
	const Lm__ContactCommand *in = (Lm__ContactCommand *)x->input;
	Lm__ContactPayload p = *in->contact;
	uint8_t random[16];
	int result = room_check(t, x->person, e);
	if (!result)
		result = crypto_random(random, sizeof random, e);
	struct id contact = id_make(t->now_ms, random);
	p.contact = codec_data(BYTES_OF(contact.byte));
	p.n_tries = 0;
	p.by = (char *)(uintptr_t)x->user;
	p.created_ms = t->now_ms;
	return result ? result : contact_write(t, x->person, &p, e);
}

int contact_try_write(struct turn *t, struct id request, Lm__ContactPayload *p, Lm__ContactTry *one, struct error *e)
{
	Lm__ContactTry **tries = arena_alloc(t->arena, (p->n_tries + 1) * sizeof *tries);
	if (!tries)
		return error_set(e, ERR_MEMORY, "no memory");
	if (p->n_tries)
		memcpy(tries, p->tries, p->n_tries * sizeof *tries);
	one->time_ms = t->now_ms;
	tries[p->n_tries++] = one;
	p->tries = tries;
	return contact_write(t, request, p, e);
}

static int contact_try(struct turn *t, const struct errand *x, struct error *e)
{
	const Lm__ContactCommand *in = (Lm__ContactCommand *)x->input;
	Lm__ContactRecord *row;
	Lm__ContactPayload *p;
	Lm__ContactTry one = LM__CONTACT_TRY__INIT;
	struct id contact = { { 0 } };
	if (in->contact->contact.len == ID_BYTES)
		memcpy(contact.byte, in->contact->contact.data, ID_BYTES);
	int result = contact_get(t->txn, x->person, contact, t->arena, &row);
	if (!result && row->is_done)
		return error_set(e, ERR_CLOSED, "this was done already");
	if (!result)
		result = contact_read(t->node, t->txn, row, t->arena, &p);
	if (result)
		return result == ERR_NOT_FOUND ? error_set(e, result, "contact: there is no such one at this case")
		                               : result;
	one.outcome = in->outcome;
	one.note = in->note;
	one.by = (char *)(uintptr_t)x->user;
	return contact_try_write(t, x->person, p, &one, e);
}

static int contact_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	const Lm__ContactCommand *in = (Lm__ContactCommand *)x->input;
	Lm__CaseRecord *record;
	int result = case_get(t->txn, x->person, t->arena, &record);
	if (result == ERR_NOT_FOUND || (!result && case_is_hidden(node_domain(t->node), record)))
		return error_set(e, ERR_NOT_FOUND, "there is no such case here");
	if (!result && subject_is_erased(t->txn, BYTES_OF(x->person.byte)))
		return error_set(e, ERR_CLOSED, "what was told here was erased: nobody is to be told any more");
	if (result)
		return result;
	return in->act == LM__CONTACT_ACT__CONTACT_ACT_ADD ? contact_add(t, x, e) : contact_try(t, x, e);
}

static void contact_done(struct node *n, struct command *c)
{
	struct errand *x = c->context;
	if (c->result)
		errand_answer(x, c->result, &c->error);
	else
		errand_pool(n, x, list_pool);
}

void contacts_post(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, &lm__contact_command__descriptor);
	if (!x)
		return;
	const Lm__ContactCommand *in = (Lm__ContactCommand *)x->input;
	bool is_known = in->act == LM__CONTACT_ACT__CONTACT_ACT_ADD || in->act == LM__CONTACT_ACT__CONTACT_ACT_TRY;
	is_known = is_known &&
	           in->outcome <= LM__CONTACT_OUTCOME__CONTACT_OUTCOME_DROPPED; /* the others are no person's */
	if (!is_known || !in->contact) {
		error_set(&x->error, ERR_INVALID, "act: add one, or record a try of one");
		errand_answer(x, ERR_INVALID, &x->error);
		return;
	}
	errand_command(context, x, contact_run, contact_done);
}
