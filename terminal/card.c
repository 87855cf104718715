/*
 * Who asks shows a card of the district and gives its PIN: the card signs what was drawn here for this once, with the
 * key for which the district signed. What that proves counts for one request, while the card lies there. A PIN is kept
 * nowhere, and only the card knows it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/card.h"
#include "inside.h"

#define PATIENCE_MS 10000 /* a card may think for seconds over a signature */
#define ARENA_BYTES (1024 * 1024)
#define PROOF_US (UINT64_C(30) * 60 * 1000000)

struct showing {
	struct http_request *request;
	struct worker *adapter;
	struct arena arena;
	Lm__CardCommand *input;
	uint8_t challenge[CARD_CHALLENGE_BYTES];
	struct card_answer answer;
	struct buffer said; /* `answer` points into it */
	struct card_certificate certificate;
	Lm__CardState state;
	int result;
	struct error error;
};

int card_start(struct terminal *t, struct error *e)
{
	const char *program = node_configuration(t->node)->card_adapter;
	if (!program)
		return OK;
	t->card = worker_new(&(struct worker_plan){
	        .program = program, .patience_ms = PATIENCE_MS, .answer_bytes_most = CARD_ANSWER_BYTES_MOST });
	return t->card ? OK : error_set(e, ERR_MEMORY, "no memory for %s", program);
}

void card_forget(struct terminal *t)
{
	crypto_wipe(&t->proof, sizeof t->proof);
}

bool card_shown(struct terminal *t, struct id request, struct card_proof *out)
{
	const struct card_proof *p = &t->proof;
	if (!p->number || id_is_zero(request) || !id_equal(p->request, request) ||
	    clock_monotonic_us() - p->since_us > PROOF_US)
		return false;
	*out = *p;
	return true;
}

/* ---- on the pool ---- */

static int adapter_ask(struct showing *s)
{
	struct card_question q = { .verb = CARD_LOOK };
	struct buffer packed = { 0 };
	int result = OK;
	if (s->input->pin[0]) {
		q.verb = CARD_PROVE;
		q.pin = bytes_from_text(s->input->pin);
		q.challenge = BYTES_OF(s->challenge);
		result = crypto_random(s->challenge, sizeof s->challenge, &s->error);
	}
	if (!result)
		result = card_question_pack(&q, &packed, &s->error);
	if (!result)
		result = worker_ask(s->adapter, buffer_bytes(&packed), NULL, &s->said, &s->error);
	if (!result)
		result = card_answer_unpack(buffer_bytes(&s->said), &s->answer, &s->error);
	crypto_wipe(packed.data, packed.size);
	buffer_release(&packed);
	return result;
}

/* What the certificate and the signature are worth here, now. ERR_BAD_SIGNATURE, ERR_INVALID: nothing. */
static int proof_look(struct node *n, struct showing *s)
{
	struct store_txn *txn;
	Lm__AuthorityPayload *authority;
	Lm__DeviceRecord *hub;
	Lm__CardRecord *revoked;
	int result = store_begin_read(node_store(n), &txn, &s->error);
	if (result)
		return result;
	result = authority_get(txn, &s->arena, &authority, &hub);
	if (!result)
		result = card_certificate_check(s->answer.certificate, authority->authority_key.data, &s->certificate,
		                                &s->error);
	if (!result)
		result = card_proof_check(&s->certificate, s->challenge, s->answer.signature, &s->error);
	if (!result) {
		int known = card_get(txn, s->certificate.number, &s->arena, &revoked);
		result = known == ERR_NOT_FOUND ? OK : known;
		s->state = known == OK                                    ? LM__CARD_STATE__CARD_STATE_REVOKED
		           : s->certificate.expires_ms <= clock_wall_ms() ? LM__CARD_STATE__CARD_STATE_EXPIRED
		                                                          : LM__CARD_STATE__CARD_STATE_PROVED;
	}
	store_failure(txn, &s->error);
	store_abort(txn);
	return result;
}

static void showing_pool(struct node *n, void *context)
{
	static const Lm__CardState states[] = {
		[CARD_NO_READER] = LM__CARD_STATE__CARD_STATE_NONE,
		[CARD_EMPTY] = LM__CARD_STATE__CARD_STATE_EMPTY,
		[CARD_STRANGE] = LM__CARD_STATE__CARD_STATE_STRANGE,
		[CARD_PRESENT] = LM__CARD_STATE__CARD_STATE_PRESENT,
		[CARD_PIN_WRONG] = LM__CARD_STATE__CARD_STATE_PIN_WRONG,
		[CARD_PIN_BLOCKED] = LM__CARD_STATE__CARD_STATE_PIN_BLOCKED,
		[CARD_ANSWERED] = LM__CARD_STATE__CARD_STATE_STRANGE, /* until it is believed */
	};
	struct showing *s = context;
	s->result = adapter_ask(s);
	crypto_wipe(s->input->pin, strlen(s->input->pin));
	if (s->result)
		return;
	s->state = states[s->answer.state];
	if (s->answer.state != CARD_ANSWERED)
		return;
	s->result = proof_look(n, s);
	if (s->result == ERR_BAD_SIGNATURE || s->result == ERR_INVALID)
		s->result = OK; /* strange, then */
}

/* ---- on the loop ---- */

static void showing_free(struct showing *s)
{
	buffer_release(&s->said);
	arena_release(&s->arena);
	crypto_wipe(s, sizeof *s);
	free(s);
}

/* A look at what was proved before: it counts while nobody touched that card. */
static void proof_look_again(struct terminal *t, struct showing *s)
{
	struct id request;
	memcpy(request.byte, s->input->request_id.data, ID_BYTES);
	if (t->proof.number && s->state == LM__CARD_STATE__CARD_STATE_PRESENT && id_equal(t->proof.request, request) &&
	    s->answer.presence == t->proof.presence)
		s->state = LM__CARD_STATE__CARD_STATE_PROVED;
	else
		card_forget(t);
}

static void proof_take(struct terminal *t, const struct showing *s)
{
	card_forget(t);
	if (s->state != LM__CARD_STATE__CARD_STATE_PROVED)
		return;
	memcpy(t->proof.request.byte, s->input->request_id.data, ID_BYTES);
	t->proof.number = s->certificate.number;
	memcpy(t->proof.holder, s->certificate.holder, CARD_HOLDER_BYTES);
	t->proof.presence = s->answer.presence;
	t->proof.since_us = clock_monotonic_us();
	t->proof.time_ms = clock_wall_ms();
}

static void showing_done(struct node *n, void *context)
{
	struct showing *s = context;
	struct terminal *t = terminal_of(n);
	char number[CARD_NUMBER_TEXT_BYTES] = "";
	bool is_gone = s->result == ERR_NOT_READY || s->result == ERR_TIMEOUT;
	if (node_is_stopping(n)) {
		http_answer_error(s->request, ERR_CLOSED, "the terminal stops");
		showing_free(s);
		return;
	}
	if (is_gone) { /* as without a reader: the page goes on without it */
		s->state = LM__CARD_STATE__CARD_STATE_NONE;
		s->result = OK;
	}
	if (!s->result && !is_gone && s->answer.state != CARD_PRESENT)
		proof_take(t, s);
	else
		proof_look_again(t, s);
	if (s->result) {
		node_answer_error(s->request, s->result, &s->error);
	} else {
		Lm__CardView view = LM__CARD_VIEW__INIT;
		if (s->state == LM__CARD_STATE__CARD_STATE_PROVED)
			card_number_to_text(t->proof.number, number);
		view.state = s->state;
		view.tries = is_gone ? CARD_TRIES_UNKNOWN : s->answer.tries;
		view.number = number;
		node_answer(s->request, &view.base);
	}
	showing_free(s);
}

/* OK: the pool has it, or it is answered. */
static int showing_send(struct node *n, struct showing *s)
{
	struct terminal *t = terminal_of(n);
	int result = node_body(s->request, &lm__card_command__descriptor, &s->arena, &s->input);
	if (result)
		return result; /* has been answered */
	if (s->input->request_id.len != ID_BYTES && !s->input->is_over)
		result = error_set(&s->error, ERR_INVALID, "request_id: 32 hexadecimal digits, from a draft");
	else if (!t->card && !s->input->is_over)
		result = error_set(&s->error, ERR_NOT_FOUND,
		                   "this terminal reads no cards: `card_adapter` is not configured");
	if (!result && s->input->is_over) {
		static const Lm__CardView none = LM__CARD_VIEW__INIT;
		card_forget(t);
		node_answer(s->request, &none.base);
		showing_free(s);
		return OK;
	}
	s->adapter = t->card;
	if (!result)
		result = node_pool(n, showing_pool, showing_done, s);
	if (result)
		node_answer_error(s->request, result, &s->error);
	return result;
}

void card_post(void *context, struct http_request *r)
{
	struct showing *s = calloc(1, sizeof *s);
	if (!s) {
		http_answer_error(r, ERR_MEMORY, "no memory for a card");
		return;
	}
	s->request = r;
	arena_init(&s->arena, ARENA_BYTES);
	if (showing_send(context, s))
		showing_free(s);
}
