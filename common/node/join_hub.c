/*
 * The hub decides: a token, its device, its place, its time. In one turn the token is used and the device is in the
 * directory; a refusal is a value and stores nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/clock.h"
#include "base/log.h"
#include "join.h"

#define UNKNOWN_LOG_US 1000000

struct join_job {
	struct command command;
	struct arena arena;
	Lm__JoinRequest *request;
	struct hash fingerprint;
	Lm__DeviceRecord record;
	struct peer *town; /* that asked; NULL: our own endpoint */
	uint64_t number;
	struct net_route route;
	Lm__JoinReply reply;
	struct error refusal;
};

static int reply_refuse(struct join_job *j, int code, const char *text)
{
	error_set(&j->refusal, code, "%s", text);
	j->reply.code = (char *)(uintptr_t)error_name(code);
	j->reply.text = j->refusal.text;
	return OK;
}

/* Who it was, for the operator. Unknown tokens can be anybody's invention: told at most once a second. */
static void refusal_log(struct node *n, const struct join_job *j, bool is_known)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	uint64_t now = clock_monotonic_us();
	if (!is_known && n->join_logged_us && now - n->join_logged_us < UNKNOWN_LOG_US)
		return;
	n->join_logged_us = now;
	fingerprint_to_text(&j->fingerprint, fingerprint);
	log_write(LOG_WARN, "join-refused", "the device with fingerprint %s, for %.20s, by way of %s: %s", fingerprint,
	          j->record.place, j->town ? j->town->place : n->domain.place, j->refusal.text);
}

static int admit_now(struct turn *t, struct join_job *j, const struct hash *hash, const Lm__TokenPayload *token,
                     struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	Lm__TokenPayload used = LM__TOKEN_PAYLOAD__INIT;
	struct bytes packed;
	struct placed placed;
	j->record.since_ms = t->now_ms;
	j->record.by = arena_text(&j->arena, token->by);
	used.hash = codec_data(BYTES_OF(*hash));
	used.state = LM__TOKEN_STATE__TOKEN_STATE_USED;
	int result = j->record.by ? CODEC_PACK(&used, t->arena, &packed, e) : error_set(e, ERR_MEMORY, "no memory");
	h.kind = LM__KIND__KIND_TOKEN;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	if (!result)
		result = turn_append(t, &draft, &placed, e);
	return result ? result : all_append(t, LM__KIND__KIND_DEVICE, &j->record.base, e);
}

/* The token was used by this very device, which did not hear the answer: it gets the same one. */
static int admitted_before(struct turn *t, struct join_job *j, struct error *e)
{
	Lm__DeviceRecord *known;
	char text[ERROR_TEXT_BYTES], when[CLOCK_TEXT_BYTES];
	int result = device_get(t->txn, j->record.device, &j->arena, &known);
	if (result)
		return error_set(e, result, "the directory cannot be read");
	if (known->status == LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED) {
		j->record = *known;
		return OK;
	}
	clock_format_shanghai(known->since_ms, when);
	snprintf(text, sizeof text, "this device was revoked on %.10s by %.40s: %.120s", when, known->by,
	         known->reason);
	return reply_refuse(j, ERR_REVOKED, text);
}

static int token_try(struct turn *t, struct join_job *j, struct error *e)
{
	struct hash hash;
	Lm__TokenPayload *token;
	struct error why = { 0 };
	int result = token_hash(j->request->secret, &hash, e);
	if (result)
		return result;
	result = token_get(t->txn, &hash, t->arena, &token);
	if (result == ERR_NOT_FOUND) {
		reply_refuse(j, ERR_DENIED, "the district has issued no such token: compare it, group by group");
		refusal_log(t->node, j, false);
		return OK;
	}
	if (result)
		return error_set(e, result, "the token cannot be read");
	result = token_check(token, &j->fingerprint, &j->record, t->now_ms, &why);
	if (result == ERR_EXISTS) {
		result = admitted_before(t, j, e);
	} else {
		if (!result)
			result = admit_check(t, &j->record, &why);
		result = result ? reply_refuse(j, result, why.text) : admit_now(t, j, &hash, token, e);
	}
	if (!result && j->reply.code[0])
		refusal_log(t->node, j, true);
	return result;
}

static int job_run(struct turn *t, struct command *c, struct error *e)
{
	struct join_job *j = c->context;
	lm__join_reply__init(&j->reply);
	if (atomic_load(&t->node->is_changing_keys)) /* a certificate would be signed with the keys before */
		return reply_refuse(j, ERR_NOT_READY, "the district is changing its keys");
	int result = join_request_check(j->request, j->request->curve_key.data, &j->record, &j->fingerprint, e);
	if (!result)
		result = token_try(t, j, e);
	if (result || j->reply.code[0])
		return result;
	return join_certificate_make(t->txn, &j->record, t->node->keys.signing_secret, &j->arena, &j->reply.certificate,
	                             e);
}

static void job_answer(struct node *n, struct join_job *j)
{
	if (!j->town) {
		join_reply_to(n, &j->route, &j->reply);
		return;
	}
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__JoinAnswer answer = LM__JOIN_ANSWER__INIT;
	answer.number = j->number;
	answer.reply = &j->reply;
	frame.session = atomic_load(&j->town->session);
	frame.body_case = LM__FRAME__BODY_JOIN_ANSWER;
	frame.join_answer = &answer;
	if (frame.session)
		frame_send(n, j->town, &frame);
}

static void job_done(struct node *n, struct command *c)
{
	struct join_job *j = c->context;
	if (c->result) {
		log_write(LOG_ERROR, "join", "%s", c->error.text);
		lm__join_reply__init(&j->reply);
		reply_refuse(j, ERR_BUSY, "the district could not store it just now");
	}
	job_answer(n, j);
	arena_release(&j->arena);
	free(j);
}

static void job_free(struct join_job *j)
{
	arena_release(&j->arena);
	free(j);
}

/* The request is copied: what it came in is gone when the writer looks at it. */
static struct join_job *job_make(const Lm__JoinRequest *request)
{
	struct bytes packed;
	struct join_job *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	arena_init(&j->arena, 256 * 1024);
	if (!CODEC_PACK(request, &j->arena, &packed, NULL) &&
	    !CODEC_UNPACK(lm__join_request, packed, &j->arena, &j->request, NULL)) {
		j->command = (struct command){ .run = job_run, .done = job_done, .context = j };
		return j;
	}
	job_free(j);
	return NULL;
}

void join_at_hub(struct node *n, const struct net_route *route, const Lm__JoinRequest *request)
{
	struct join_job *j = job_make(request);
	if (!j)
		return; /* as if the network had lost it */
	j->route = *route;
	if (node_command(n, &j->command))
		job_free(j);
}

static bool town_may_ask(struct peer *p)
{
	uint64_t minute = clock_monotonic_us() / 60000000;
	if (atomic_exchange(&p->join_minute, minute) != minute)
		atomic_store(&p->join_count, 0);
	return atomic_fetch_add(&p->join_count, 1) < JOIN_ASKS_A_MINUTE;
}

static int ask_check(struct node *n, struct peer *p, const Lm__JoinAsk *ask, struct error *e)
{
	Lm__DeviceRecord record;
	struct hash fingerprint;
	if (n->domain.tier != LM__TIER__TIER_DISTRICT || p->is_upstream)
		return error_set(e, ERR_DENIED, "only a town asks, and only its hub");
	if (!town_may_ask(p))
		return error_set(e, ERR_TOO_MANY, "many devices are joining at once");
	if (!ask->request || ask->key.len != KEY_BYTES)
		return error_set(e, ERR_INVALID, "the question is incomplete");
	int result = join_request_check(ask->request, ask->key.data, &record, &fingerprint, e);
	if (!result && (record.role != LM__TIER__TIER_TERMINAL || !place_contains(p->place, record.place)))
		result = error_set(e, ERR_DENIED, "%.20s admits no device for %.20s", p->place, record.place);
	return result;
}

void join_ask_came(struct node *n, struct peer *p, const Lm__Frame *frame)
{
	struct error e = { 0 };
	int result = ask_check(n, p, frame->join_ask, &e);
	struct join_job *j = NULL;
	if (!result) {
		j = job_make(frame->join_ask->request);
		if (!j)
			return;
		j->town = p;
		j->number = frame->join_ask->number;
		if (node_command(n, &j->command))
			job_free(j);
		return;
	}
	struct join_job refusal = { .town = p, .number = frame->join_ask->number };
	lm__join_reply__init(&refusal.reply);
	reply_refuse(&refusal, result, e.text);
	job_answer(n, &refusal);
}
