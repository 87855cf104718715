/*
 * The resident lost the receipt: staff of the town say how they know who it is, and the request gets another code,
 * which is told once. The terminal that made the request is told to drop its lock, whenever it can be reached.
 */
#include <string.h>

#include "errand.h"
#include "inside.h"

int lock_release(struct turn *t, struct id request, const Lm__CaseRecord *record, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	Lm__LockReleasePayload release = LM__LOCK_RELEASE_PAYLOAD__INIT;
	struct bytes packed;
	struct placed placed;
	if (record->terminal == node_domain(t->node)->device || record->lookup.len != RECEIPT_LOOKUP_BYTES)
		return OK; /* typed at a counter: there is none */
	h.kind = LM__KIND__KIND_LOCK_RELEASE;
	h.request_id = codec_data(BYTES_OF(request.byte));
	release.lookup = record->lookup;
	int result = CODEC_PACK(&release, t->arena, &packed, e);
	struct draft draft = {
		.stream = LM__STREAM__STREAM_DOWN, .receiver = record->terminal, .header = &h, .payload = packed
	};
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int new_code_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	Lm__NewCodePayload *payload = x->context;
	Lm__CaseRecord *record;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = turn_may_write(t, e);
	if (!result)
		result = case_shown(t->node, t->txn, x->person, t->arena, &record, e);
	if (!result && !case_is_of_town(node_domain(t->node), record))
		result = error_set(e, ERR_DENIED, "town %.20s has the receipt of this request", record->town);
	if (!result && (record->is_absent || subject_is_erased(t->txn, BYTES_OF(x->person.byte))))
		result = error_set(e, ERR_CLOSED, "what the resident told was erased: there is nothing to look up");
	if (!result)
		result = CODEC_PACK(payload, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_NEW_CODE;
	h.request_id = codec_data(BYTES_OF(x->person.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	struct draft draft = { .stream = LM__STREAM__STREAM_UP, .header = &h, .payload = packed, .is_sealed = true };
	if (!result)
		result = turn_append(t, &draft, &placed, e);
	return result ? result : lock_release(t, x->person, record, e);
}

static void new_code_done(struct node *n, struct command *c)
{
	struct errand *x = c->context;
	const Lm__NewCodePayload *payload = x->context;
	Lm__NewCodeView view = LM__NEW_CODE_VIEW__INIT;
	(void)n;
	view.code = payload->code;
	x->output = &view.base;
	errand_answer(x, c->result, &c->error);
}

void desk_new_code(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, &lm__new_code_command__descriptor);
	uint8_t random[16];
	if (!x)
		return;
	const Lm__NewCodeCommand *in = (Lm__NewCodeCommand *)x->input;
	Lm__NewCodePayload *payload = arena_alloc(&x->arena, sizeof *payload);
	char *code = arena_alloc(&x->arena, RECEIPT_CODE_DIGITS + 1);
	int result = payload && code ? crypto_random(random, sizeof random, &x->error)
	                             : error_set(&x->error, ERR_MEMORY, "no memory for a receipt's code");
	if (!result) {
		receipt_code_make(random, code);
		lm__new_code_payload__init(payload);
		payload->code = code;
		payload->checked = in->checked;
		payload->note = in->note;
		payload->staff = x->user;
		x->context = payload;
		result = new_code_check(payload, &x->error);
	}
	if (result)
		errand_answer(x, result, &x->error);
	else
		errand_command(context, x, new_code_run, new_code_done);
}

int new_codes_fill(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                   Lm__CaseView *view)
{
	view->new_codes = arena_alloc(arena, (record->n_new_codes + 1) * sizeof *view->new_codes);
	if (!view->new_codes)
		return ERR_MEMORY;
	view->can_give_code =
	        case_is_of_town(node_domain(n), record) && !record->is_absent && record->n_new_codes < NEW_CODES_MOST;
	for (size_t i = 0; i < record->n_new_codes; i++) {
		Lm__NewCodeEvent *v = arena_alloc(arena, sizeof *v);
		Lm__NewCodePayload *payload;
		Lm__TapeItem *item;
		Lm__Header *h;
		struct bytes plain;
		bool is_absent;
		if (!v || item_at(n, txn, record->new_codes[i], arena, &item, &h, &plain, &is_absent))
			return ERR_MEMORY;
		lm__new_code_event__init(v);
		v->time_ms = h->time_ms;
		v->is_absent = is_absent || CODEC_UNPACK(lm__new_code_payload, plain, arena, &payload, NULL);
		if (!v->is_absent) {
			v->checked = payload->checked;
			v->note = payload->note;
			v->staff = payload->staff;
		}
		view->new_codes[view->n_new_codes++] = v;
	}
	return OK;
}
