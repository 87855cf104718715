/*
 * Drafts and requests. A draft costs nothing and stores nothing: the id is made before anything else, so that a retry
 * can never make a second request; the code is drawn then too, so that the page can show it whatever happens to us.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

/* ---- drafts ---- */

struct drafting {
	struct http_request *request;
	uint8_t salt[DEVICE_SALT_BYTES];
	struct ready_receipt receipt;
	int result;
	struct error error;
};

static int draft_begin(struct terminal *t, const struct ready_receipt *receipt, struct draft_slot **out,
                       struct error *e)
{
	uint8_t random[10];
	int result = crypto_random(random, sizeof random, e);
	if (result)
		return result;
	struct draft_slot *slot = &t->draft[t->draft_next++ % DRAFTS_MOST];
	slot->request = id_make(clock_wall_ms(), random);
	slot->receipt = *receipt;
	slot->is_used = true;
	*out = slot;
	return OK;
}

static void draft_answer(struct node *n, struct http_request *r, const struct ready_receipt *receipt)
{
	struct draft_slot *slot;
	struct error e;
	Lm__DraftView view = LM__DRAFT_VIEW__INIT;
	int result = draft_begin(terminal_of(n), receipt, &slot, &e);
	if (result) {
		node_answer_error(r, result, &e);
		return;
	}
	view.request_id = codec_data(BYTES(slot->request.byte, ID_BYTES));
	view.code = slot->receipt.code;
	node_answer(r, &view.base);
}

static void drafting_run(struct node *n, void *context)
{
	struct drafting *d = context;
	(void)n;
	d->result = ready_receipt_make(d->salt, &d->receipt, &d->error);
}

static void drafting_done(struct node *n, void *context)
{
	struct drafting *d = context;
	if (d->result)
		node_answer_error(d->request, d->result, &d->error);
	else
		draft_answer(n, d->request, &d->receipt);
	crypto_wipe(d, sizeof *d);
	free(d);
}

/* Told before typing starts. */
static bool can_take(struct node *n, struct http_request *r)
{
	struct upstream_state up;
	struct error e;
	node_upstream(n, &up);
	int stopped = terminal_stopped(n, &up, &e);
	if (stopped)
		node_answer_error(r, stopped, &e);
	return !stopped;
}

void draft_post(void *context, struct http_request *r)
{
	struct node *n = context;
	struct terminal *t = terminal_of(n);
	struct ready_receipt receipt;
	if (!can_take(n, r))
		return;
	scans_wipe(t);
	if (receipt_take(t, &receipt)) {
		draft_answer(n, r, &receipt);
		crypto_wipe(&receipt, sizeof receipt);
		return;
	}
	struct drafting *d = calloc(1, sizeof *d);
	if (d) {
		d->request = r;
		memcpy(d->salt, t->salt, sizeof d->salt);
		if (!node_pool(n, drafting_run, drafting_done, d))
			return;
		free(d);
	}
	http_answer_error(r, ERR_BUSY, "too much is waiting; try again");
}

/* ---- into the journal ---- */

/* What a card has shown, in `shown` and `number`; NULL: none has. */
static Lm__IdentityShown *card_tell(const struct card_proof *card, Lm__IdentityShown *shown,
                                    char number[CARD_NUMBER_TEXT_BYTES])
{
	static const uint8_t nobody[CARD_HOLDER_BYTES];
	if (!card->number)
		return NULL;
	bool is_said = memcmp(card->holder, nobody, sizeof nobody) != 0;
	card_number_to_text(card->number, number);
	lm__identity_shown__init(shown);
	shown->source = LM__IDENTITY_SOURCE__IDENTITY_SOURCE_CARD;
	shown->card = number;
	shown->person_id = codec_data(is_said ? BYTES_OF(card->holder) : BYTES(NULL, 0));
	shown->time_ms = card->time_ms;
	return shown;
}

int submission_pack(struct submission *s, const Lm__SubmitCommand *in, struct arena *arena, struct error *e)
{
	Lm__RequestPayload payload = node_request_payload(in);
	payload.channel = LM__REQUEST_CHANNEL__REQUEST_CHANNEL_KIOSK;
	payload.code = s->receipt.code;
	payload.receipt_key = codec_data(BYTES_OF(s->receipt.key));
	payload.lookup = codec_data(BYTES_OF(s->receipt.secret.lookup));
	Lm__IdentityShown shown;
	char number[CARD_NUMBER_TEXT_BYTES];
	payload.identity = card_tell(&s->card, &shown, number);
	s->parts = arena_alloc(arena, sizeof *s->parts);
	if (!s->parts)
		return error_set(e, ERR_MEMORY, "no memory for a request");
	int result = parts_make(s->request, in->values, in->n_values, arena, s->parts, e);
	return result ? result : CODEC_PACK(&payload, arena, &s->payload, e);
}

static int lock_append(struct turn *t, const struct submission *s, struct error *e)
{
	uint8_t lock[RECEIPT_LOCK_BYTES];
	Lm__Header h = LM__HEADER__INIT; /* names no request: without the code nobody ties the two together */
	Lm__ReceiptLockPayload payload = LM__RECEIPT_LOCK_PAYLOAD__INIT;
	struct bytes packed = { 0 };
	struct placed placed;
	int result = receipt_lock_make(&s->receipt.secret, s->receipt.key, s->request.byte, lock, e);
	payload.lookup = codec_data(BYTES_OF(s->receipt.secret.lookup));
	payload.lock = codec_data(BYTES_OF(lock));
	if (!result)
		result = CODEC_PACK(&payload, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_RECEIPT_LOCK;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed, .is_sealed = true };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int submission_run(struct turn *t, struct command *c, struct error *e)
{
	struct submission *s = c->context;
	Lm__RequestRecord *known;
	struct placed placed = { 0 };
	int result = request_get(t->txn, s->request, t->arena, &known);
	s->was_saved_before = result == OK;
	if (s->was_saved_before) {
		s->saved_ms = known->created_ms;
		s->ordinal = known->ordinal;
		return OK;
	}
	if (result != ERR_NOT_FOUND)
		return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
	Lm__Header h = LM__HEADER__INIT;
	h.kind = LM__KIND__KIND_REQUEST;
	h.request_id = codec_data(BYTES_OF(s->request.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	h.service = (char *)(uintptr_t)s->service;
	h.revision = s->revision;
	h.owner = s->owner;
	struct draft draft = {
		.stream = LM__STREAM__STREAM_UP, .header = &h, .payload = s->payload, .is_sealed = true
	};
	result = turn_append(t, &draft, &placed, e);
	s->saved_ms = t->now_ms;
	s->ordinal = placed.ordinal;
	if (!result && s->parts)
		result = parts_append(t, s->parts, e);
	return result ? result : lock_append(t, s, e);
}

int submission_send(struct node *n, struct submission *s)
{
	s->command.run = submission_run;
	s->command.context = s;
	s->command.is_business = true;
	return node_command(n, &s->command);
}

/* ---- over HTTP ---- */

#define FILING_BYTES_MOST (24u * 1024 * 1024) /* answers, files as they came, and their parts */

struct filing {
	struct submission submission; /* first: done() finds us by it */
	struct http_request *request;
	struct arena arena;
	Lm__SubmitCommand *input;
	uint8_t salt[DEVICE_SALT_BYTES];
	int result;
	struct error error;
};

static void filing_free(struct filing *f)
{
	arena_release(&f->arena);
	crypto_wipe(f, sizeof *f);
	free(f);
}

static void filing_fail(struct filing *f, int result, const struct error *e)
{
	node_answer_error(f->request, result, e);
	filing_free(f);
}

void marks_of(struct node *n, uint64_t ordinal, Lm__Marks3 *out)
{
	uint64_t custody, final;
	node_up_marks(n, &custody, &final);
	lm__marks3__init(out);
	out->saved = true;
	out->town = custody >= ordinal;
	out->district = final >= ordinal;
}

/* Saved: what could open it leaves this process's memory. A retry finds the request in the table. */
static void draft_wipe(struct terminal *t, struct id request)
{
	for (size_t i = 0; i < DRAFTS_MOST; i++)
		if (t->draft[i].is_used && id_equal(t->draft[i].request, request))
			crypto_wipe(&t->draft[i], sizeof t->draft[i]);
}

static void recent_note(struct terminal *t, const struct submission *s)
{
	struct recent *r = &t->recent[t->recent_next++ % RECENT_MOST];
	*r = (struct recent){ .request = s->request, .ordinal = s->ordinal };
}

static void filing_done(struct node *n, struct command *c)
{
	struct filing *f = c->context;
	struct submission *s = &f->submission;
	if (c->result) {
		filing_fail(f, c->result, &c->error);
		return;
	}
	Lm__SubmitView view = LM__SUBMIT_VIEW__INIT;
	Lm__Marks3 marks;
	view.request_id = codec_data(BYTES_OF(s->request.byte));
	view.code = s->receipt.code;
	view.is_saved = true;
	view.was_saved_before = s->was_saved_before;
	view.saved_ms = s->saved_ms;
	marks_of(n, s->ordinal, &marks);
	view.marks = &marks;
	recent_note(terminal_of(n), s);
	draft_wipe(terminal_of(n), s->request);
	scans_wipe(terminal_of(n));
	card_forget(terminal_of(n));
	node_answer(f->request, &view.base);
	filing_free(f);
}

static void filing_send(struct node *n, struct filing *f)
{
	struct submission *s = &f->submission;
	s->service = f->input->service;
	s->revision = f->input->revision;
	card_shown(terminal_of(n), s->request, &s->card);
	int result = submission_pack(s, f->input, &f->arena, &f->error);
	s->command.done = filing_done;
	if (!result)
		result = submission_send(n, s);
	if (result)
		filing_fail(f, result, &f->error);
}

/* The daemon was started anew since the draft: the page still has the code, so its lock is made for that code. */
static void relock_run(struct node *n, void *context)
{
	struct filing *f = context;
	struct ready_receipt *r = &f->submission.receipt;
	(void)n;
	f->result = crypto_random(r->key, sizeof r->key, &f->error);
	if (!f->result)
		f->result = receipt_derive(r->code, f->salt, &r->secret, &f->error);
}

static void relock_done(struct node *n, void *context)
{
	struct filing *f = context;
	if (f->result)
		filing_fail(f, f->result, &f->error);
	else
		filing_send(n, f);
}

static void filing_receipt(struct node *n, struct filing *f)
{
	struct terminal *t = terminal_of(n);
	struct submission *s = &f->submission;
	for (size_t i = 0; i < DRAFTS_MOST; i++) {
		struct draft_slot *slot = &t->draft[i];
		if (slot->is_used && id_equal(slot->request, s->request) &&
		    strcmp(slot->receipt.code, s->receipt.code) == 0) {
			s->receipt = slot->receipt;
			filing_send(n, f);
			return;
		}
	}
	memcpy(f->salt, t->salt, sizeof f->salt);
	int result = node_pool(n, relock_run, relock_done, f);
	if (result)
		filing_fail(f, result, NULL);
}

static bool form_is_good(struct node *n, struct filing *f, int *result)
{
	Lm__Service *service;
	if (!node_form_is_good(n, f->request, f->input, &f->arena, &service, result, &f->error))
		return false;
	if (service->n_owner_rules)
		f->submission.owner = request_owner(service, f->input->values, f->input->n_values);
	return true;
}

static int filing_check(struct filing *f)
{
	struct submission *s = &f->submission;
	if (f->input->request_id.len != ID_BYTES)
		return error_set(&f->error, ERR_INVALID, "request_id: 32 hexadecimal digits, from a draft");
	memcpy(s->request.byte, f->input->request_id.data, ID_BYTES);
	if (id_is_zero(s->request))
		return error_set(&f->error, ERR_INVALID, "request_id: from a draft");
	return receipt_code_parse(f->input->code, s->receipt.code, &f->error);
}

void request_post(void *context, struct http_request *r)
{
	struct node *n = context;
	if (!can_take(n, r))
		return;
	struct filing *f = calloc(1, sizeof *f);
	if (!f) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return;
	}
	f->request = r;
	arena_init(&f->arena, FILING_BYTES_MOST);
	if (node_body(r, &lm__submit_command__descriptor, &f->arena, &f->input)) {
		filing_free(f);
		return;
	}
	int result = filing_check(f);
	if (!result && !form_is_good(n, f, &result)) {
		if (result)
			filing_fail(f, result, &f->error);
		else
			filing_free(f); /* answered with the faults */
		return;
	}
	if (result)
		filing_fail(f, result, &f->error);
	else
		filing_receipt(n, f);
}

/* ---- marks ---- */

void marks_get(void *context, struct http_request *r)
{
	struct node *n = context;
	struct store_txn *txn;
	struct arena arena;
	struct id request;
	struct error e = { 0 };
	Lm__RequestRecord *record;
	Lm__Marks3 marks;
	if (id_from_text(http_parameter(r, "id"), &request)) {
		http_answer_error(r, ERR_INVALID, "the request's id is not 32 hexadecimal digits");
		return;
	}
	arena_init(&arena, 64 * 1024);
	int result = store_begin_read(node_store(n), &txn, &e);
	if (!result) {
		result = request_get(txn, request, &arena, &record);
		store_failure(txn, &e);
		store_abort(txn);
	}
	if (result) {
		node_answer_error(r, result, result == ERR_NOT_FOUND ? NULL : &e);
	} else {
		marks_of(n, record->ordinal, &marks);
		node_answer(r, &marks.base);
	}
	arena_release(&arena);
}

void marks_moved(struct terminal *t)
{
	for (size_t i = 0; i < RECENT_MOST; i++) {
		struct recent *r = &t->recent[i];
		Lm__Marks3 marks;
		Lm__RequestEvent event = LM__REQUEST_EVENT__INIT;
		if (id_is_zero(r->request) || r->district)
			continue;
		marks_of(t->node, r->ordinal, &marks);
		if (marks.town == r->town && marks.district == r->district)
			continue;
		r->town = marks.town;
		r->district = marks.district;
		event.request_id = codec_data(BYTES_OF(r->request.byte));
		event.marks = &marks;
		node_publish(t->node, KIOSK_CHANNEL, "request", &event.base);
	}
}
