/*
 * One act on many cases: who would be refused is said before, and nothing is done to the others for it. Each case gets
 * an event of its own, as if it had been done one by one.
 */
#include <string.h>

#include "domain/work.h"
#include "errand.h"
#include "proto/desk.pb-c.h"

#define ITEMS_MOST 100 /* two entries each: a turn takes 256 of a stream */
#define TEXT_BYTES_MOST 4000

static Lm__CaseAction action_of(Lm__BulkAct act)
{
	switch (act) {
	case LM__BULK_ACT__BULK_ACT_ACCEPT:
		return LM__CASE_ACTION__CASE_ACTION_ACCEPT;
	case LM__BULK_ACT__BULK_ACT_ASK:
		return LM__CASE_ACTION__CASE_ACTION_ASK;
	case LM__BULK_ACT__BULK_ACT_DUPLICATE:
		return LM__CASE_ACTION__CASE_ACTION_DUPLICATE;
	default:
		return LM__CASE_ACTION__CASE_ACTION_NONE;
	}
}

static int staff_check(struct turn *t, const char *name, struct error *e)
{
	Lm__AccountPayload *account;
	if (!name[0])
		return OK;
	int result = account_get(t->txn, name, t->arena, &account);
	if (result && result != ERR_NOT_FOUND)
		return result;
	return !result && account->password_hash[0] && role_may(account->role, RIGHT_CASES)
	               ? OK
	               : error_set(e, ERR_INVALID, "staff: there is no such account that works on cases");
}

static int claim_write(struct turn *t, struct id request, const char *staff, const char *by, struct error *e)
{
	Lm__ClaimPayload claim = LM__CLAIM_PAYLOAD__INIT;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	claim.staff = (char *)(uintptr_t)staff;
	claim.by = (char *)(uintptr_t)by;
	int result = CODEC_PACK(&claim, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_CLAIM;
	h.request_id = codec_data(BYTES_OF(request.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int assign(struct turn *t, const struct errand *x, struct id request, const Lm__BulkItem *item,
                  Lm__BulkResult *out, struct error *e)
{
	const Lm__BulkCommand *in = (Lm__BulkCommand *)x->input;
	const char *staff = in->is_undo || item->staff[0] ? item->staff : in->staff;
	Lm__CaseCommand none = LM__CASE_COMMAND__INIT;
	Lm__CaseRecord *record;
	Lm__ClaimRecord *claim;
	int result = action_allowed(t, request, item->version, &none, &record, e);
	if (!result && case_state_is_closed(record->state))
		result = error_set(e, ERR_CLOSED, "this case is closed");
	if (!result)
		result = staff_check(t, staff, e);
	if (result)
		return result;
	result = claim_get(t->txn, request, t->arena, &claim);
	if (result && result != ERR_NOT_FOUND)
		return result;
	out->staff_before = arena_text((struct arena *)&x->arena, result ? "" : claim->staff);
	out->version = record->version;
	if (!out->staff_before)
		return ERR_MEMORY;
	return in->is_preview ? OK : claim_write(t, request, staff, x->user, e);
}

static int act(struct turn *t, const struct errand *x, struct id request, const Lm__BulkItem *item, Lm__BulkResult *out,
               struct error *e)
{
	const Lm__BulkCommand *in = (Lm__BulkCommand *)x->input;
	Lm__CaseCommand command = LM__CASE_COMMAND__INIT;
	Lm__CasePayload content = LM__CASE_PAYLOAD__INIT;
	Lm__CaseRecord *record;
	struct case_event event = { .action = action_of(in->act), .content = &content };
	command.action = event.action;
	command.duplicate_of = in->duplicate_of;
	int result = action_allowed(t, request, item->version, &command, &record, e);
	if (!result)
		result = case_action_check(record, event.action, LM__OUTCOME__OUTCOME_NONE, e);
	if (result)
		return result;
	out->version = record->version + !in->is_preview;
	content.staff = (char *)(uintptr_t)x->user;
	content.text = in->act == LM__BULK_ACT__BULK_ACT_ASK ? in->text : content.text;
	content.duplicate_of = in->duplicate_of;
	return in->is_preview ? OK : case_event_write(t, request, record, &event, e);
}

static Lm__BulkResult *result_new(struct arena *arena, const Lm__BulkItem *item)
{
	Lm__BulkResult *out = arena_alloc(arena, sizeof *out);
	if (!out)
		return NULL;
	lm__bulk_result__init(out);
	out->request_id = item->request_id;
	return out;
}

/* Turns may be run again: everything is made anew. A refusal of one case stands beside it; what writes and fails ends
 * the whole command. */
static int bulk_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	const Lm__BulkCommand *in = (Lm__BulkCommand *)x->input;
	Lm__BulkView *view = arena_alloc(&x->arena, sizeof *view);
	Lm__BulkResult **list = arena_alloc(&x->arena, (in->n_items + 1) * sizeof *list);
	if (!view || !list)
		return error_set(e, ERR_MEMORY, "no memory for so many cases");
	lm__bulk_view__init(view);
	view->results = list;
	for (size_t i = 0; i < in->n_items; i++) {
		struct error why = { 0 };
		struct id request;
		Lm__BulkResult *out = result_new(&x->arena, in->items[i]);
		if (!out)
			return error_set(e, ERR_MEMORY, "no memory for so many cases");
		memcpy(request.byte, in->items[i]->request_id.data, ID_BYTES);
		int result = in->act == LM__BULK_ACT__BULK_ACT_ASSIGN ? assign(t, x, request, in->items[i], out, &why)
		                                                      : act(t, x, request, in->items[i], out, &why);
		if (error_is_of_machine(result) || store_failure(t->txn, NULL))
			return error_set(e, result ? result : ERR_INTERNAL, "%s",
			                 why.text[0] ? why.text : error_name(result));
		out->is_done = !result;
		out->code = result ? arena_text(&x->arena, error_name(result)) : out->code;
		out->text = result ? arena_text(&x->arena, why.text) : out->text;
		if (!out->code || !out->text)
			return error_set(e, ERR_MEMORY, "no memory for so many cases");
		view->done += !result;
		view->results[view->n_results++] = out;
	}
	x->output = &view->base;
	return OK;
}

static int bulk_check(const Lm__BulkCommand *in, struct error *e)
{
	bool needs_text = in->act == LM__BULK_ACT__BULK_ACT_ASK;
	if (!in->act || !protobuf_c_enum_descriptor_get_value(&lm__bulk_act__descriptor, (int)in->act))
		return error_set(e, ERR_INVALID, "act: assign, accept, ask or duplicate");
	if (!in->n_items || in->n_items > ITEMS_MOST)
		return error_set(e, ERR_INVALID, "items: 1 to %d cases", ITEMS_MOST);
	for (size_t i = 0; i < in->n_items; i++) {
		if (in->items[i]->request_id.len != ID_BYTES)
			return error_set(e, ERR_INVALID, "items[%zu].request_id: 32 hexadecimal digits", i);
		for (size_t k = 0; k < i; k++)
			if (bytes_equal(codec_bytes(in->items[i]->request_id), codec_bytes(in->items[k]->request_id)))
				return error_set(e, ERR_INVALID, "items[%zu]: named twice", i);
	}
	if (needs_text && (!in->text[strspn(in->text, " \t\r\n")] || strlen(in->text) > TEXT_BYTES_MOST))
		return error_set(e, ERR_INVALID, "text: a question of at most %d bytes", TEXT_BYTES_MOST);
	if (in->act == LM__BULK_ACT__BULK_ACT_DUPLICATE && in->duplicate_of.len != ID_BYTES)
		return error_set(e, ERR_INVALID, "duplicate_of: the request's id of which these are duplicates");
	return OK;
}

void cases_bulk(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__bulk_command__descriptor);
	if (!x)
		return;
	int result = bulk_check((Lm__BulkCommand *)x->input, &x->error);
	if (result)
		errand_answer(x, result, &x->error);
	else
		errand_command(context, x, bulk_run, errand_done);
}
