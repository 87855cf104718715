/*
 * A request that staff of the town type: for somebody who comes and cannot or will not use a terminal, or who brings
 * papers, or who phones. The town is its origin; the resident gets a receipt code as from a terminal, and reads the
 * answer with it at any terminal of the town, which asks the town for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"
#include "proto/codec.h"

#define INTAKE_BYTES_MOST (24u * 1024 * 1024) /* answers, files as they came, and their parts */

struct intake {
	struct command command;
	struct http_request *request;
	struct arena arena;
	Lm__SubmitCommand *input;
	struct id id;
	char code[RECEIPT_CODE_DIGITS + 1], user[33];
	Lm__Tier owner; /* TIER_NONE: the service says it */
	struct bytes payload;
	struct parts parts;
	bool was_saved_before;
	int64_t saved_ms;
};

static void intake_free(struct intake *i)
{
	arena_release(&i->arena);
	crypto_wipe(i, sizeof *i);
	free(i);
}

static void intake_fail(struct intake *i, int result, const struct error *e)
{
	node_answer_error(i->request, result, e);
	intake_free(i);
}

static bool can_take(struct node *n, struct http_request *r)
{
	if (node_is_full(n))
		http_answer_error(r, ERR_FULL, "this town's storage is full; nothing new is taken until it is freed");
	else if (!node_can_seal(n))
		http_answer_error(r, ERR_NOT_READY, "this town waits for the district: its keys have not come yet");
	else
		return true;
	return false;
}

void intake_draft_post(void *context, struct http_request *r)
{
	uint8_t random[16];
	char code[RECEIPT_CODE_DIGITS + 1];
	struct error e;
	Lm__DraftView view = LM__DRAFT_VIEW__INIT;
	if (!can_take(context, r))
		return;
	int result = crypto_random(random, sizeof random, &e);
	struct id id = id_make(clock_wall_ms(), random);
	if (!result)
		result = crypto_random(random, sizeof random, &e);
	if (result) {
		node_answer_error(r, result, &e);
		return;
	}
	receipt_code_make(random, code);
	view.request_id = codec_data(BYTES(id.byte, ID_BYTES));
	view.code = code;
	node_answer(r, &view.base);
}

static int intake_run(struct turn *t, struct command *c, struct error *e)
{
	struct intake *i = c->context;
	Lm__CaseRecord *known;
	Lm__Header h = LM__HEADER__INIT;
	struct placed placed;
	const struct domain *d = node_domain(t->node);
	int result = case_get(t->txn, i->id, t->arena, &known);
	i->was_saved_before = result == OK;
	if (i->was_saved_before) {
		i->saved_ms = known->created_ms;
		return known->terminal == d->device ? OK : error_set(e, ERR_EXISTS, "request_id: not of this counter");
	}
	if (result != ERR_NOT_FOUND)
		return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
	i->saved_ms = t->now_ms;
	h.kind = LM__KIND__KIND_REQUEST;
	h.request_id = codec_data(BYTES(i->id.byte, ID_BYTES));
	h.place = (char *)(uintptr_t)d->place;
	h.service = i->input->service;
	h.revision = i->input->revision;
	h.owner = i->owner;
	struct draft draft = {
		.stream = LM__STREAM__STREAM_UP, .header = &h, .payload = i->payload, .is_sealed = true
	};
	int failure = turn_append(t, &draft, &placed, e);
	return failure ? failure : parts_append(t, &i->parts, e);
}

static void intake_done(struct node *n, struct command *c)
{
	struct intake *i = c->context;
	Lm__SubmitView view = LM__SUBMIT_VIEW__INIT;
	Lm__Marks3 marks = LM__MARKS3__INIT;
	(void)n;
	if (c->result) {
		intake_fail(i, c->result, &c->error);
		return;
	}
	marks.saved = marks.town = true;
	view.request_id = codec_data(BYTES(i->id.byte, ID_BYTES));
	view.code = i->code;
	view.is_saved = true;
	view.was_saved_before = i->was_saved_before;
	view.saved_ms = i->saved_ms;
	view.marks = &marks;
	node_answer(i->request, &view.base);
	intake_free(i);
}

static bool is_by_phone(const struct intake *i)
{
	return i->input->channel == LM__REQUEST_CHANNEL__REQUEST_CHANNEL_PHONE;
}

static int payload_pack(struct intake *i, struct error *e)
{
	uint8_t key[RECEIPT_KEY_BYTES];
	int result = crypto_random(key, sizeof key, e);
	Lm__RequestPayload payload = node_request_payload(i->input);
	payload.code = i->code;
	payload.receipt_key = codec_data(BYTES_OF(key));
	payload.taken_by = i->user;
	payload.channel = is_by_phone(i) ? LM__REQUEST_CHANNEL__REQUEST_CHANNEL_PHONE
	                                 : LM__REQUEST_CHANNEL__REQUEST_CHANNEL_COUNTER;
	if (!result)
		result = parts_make(i->id, i->input->values, i->input->n_values, &i->arena, &i->parts, e);
	if (!result)
		result = CODEC_PACK(&payload, &i->arena, &i->payload, e);
	crypto_wipe(key, sizeof key);
	return result;
}

static int input_check(struct intake *i, struct error *e)
{
	Lm__RequestChannel channel = i->input->channel;
	if (channel && channel != LM__REQUEST_CHANNEL__REQUEST_CHANNEL_COUNTER && !is_by_phone(i))
		return error_set(e, ERR_INVALID, "channel: at the counter, or by phone");
	if (i->input->request_id.len != ID_BYTES)
		return error_set(e, ERR_INVALID, "request_id: 32 hexadecimal digits, from a draft");
	memcpy(i->id.byte, i->input->request_id.data, ID_BYTES);
	if (id_is_zero(i->id))
		return error_set(e, ERR_INVALID, "request_id: from a draft");
	return receipt_code_parse(i->input->code, i->code, e);
}

void intake_post(void *context, struct http_request *r)
{
	struct node *n = context;
	struct error e = { 0 };
	Lm__Service *service;
	if (!can_take(n, r))
		return;
	struct intake *i = calloc(1, sizeof *i);
	if (!i) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return;
	}
	i->request = r;
	arena_init(&i->arena, INTAKE_BYTES_MOST);
	if (node_body(r, &lm__submit_command__descriptor, &i->arena, &i->input)) {
		intake_free(i);
		return;
	}
	strncpy(i->user, http_user(r), sizeof i->user - 1);
	int result = input_check(i, &e);
	if (!result && !node_form_is_good(n, r, i->input, &i->arena, &service, &result, &e) && !result) {
		intake_free(i); /* answered with the faults */
		return;
	}
	if (!result && service->n_owner_rules)
		i->owner = request_owner(service, i->input->values, i->input->n_values);
	if (!result)
		result = payload_pack(i, &e);
	i->command = (struct command){ .run = intake_run, .done = intake_done, .is_business = true, .context = i };
	if (!result)
		result = node_command(n, &i->command);
	if (result)
		intake_fail(i, result, &e);
}
