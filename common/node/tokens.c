/*
 * Tokens: issued, listed and withdrawn at the hub; typed in at the device that they are for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "join.h"
#include "node/control.h"

#define TOKENS_SHOWN_MOST 200
#define TOKEN_NAME_BYTES 8 /* of its hash */
#define BY_BYTES_MOST 64

static int token_append(struct turn *t, const Lm__TokenPayload *token, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = CODEC_PACK(token, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_TOKEN;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

/* ---- issue ---- */

static int seat_check(struct turn *t, const struct hash *fingerprint, const Lm__TokenCommand *in, struct error *e)
{
	Lm__DeviceRecord seat = LM__DEVICE_RECORD__INIT, *known;
	enum place_level level = in->role == LM__TIER__TIER_TERMINAL ? PLACE_DEVICE : PLACE_TOWN;
	seat.device = device_id_of(fingerprint);
	seat.role = in->role;
	seat.place = in->place;
	if (place_level_of(in->place) != level)
		return error_set(e, ERR_INVALID,
		                 "place: '%.20s' is not a place for this role: a terminal's is like 310114106001-T1, a "
		                 "town's like 310114106",
		                 in->place);
	int result = admit_check(t, &seat, e);
	if (!result && !device_get(t->txn, seat.device, t->arena, &known))
		result = error_set(e, ERR_REVOKED, "this device's keys were revoked; it must make new ones");
	return result;
}

/* What a device needs to know beside the secret. */
static int above_fill(struct turn *t, struct arena *arena, Lm__TokenView *v, struct error *e)
{
	struct node *n = t->node;
	Lm__DeviceRecord *town;
	char key[2 * KEY_BYTES + 1], authority[2 * HASH_BYTES + 1], address[96] = "";
	hex_encode(BYTES_OF(n->keys.curve_public), key);
	hex_encode(BYTES_OF(n->authority_hash), authority);
	snprintf(address, sizeof address, "%s", join_endpoint_address(n));
	if (v->role == LM__TIER__TIER_TERMINAL) {
		uint64_t device = device_town_of(t->txn, v->place, t->arena);
		if (!device || device_get(t->txn, device, t->arena, &town) ||
		    town->status != LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED)
			return error_set(e, ERR_NOT_FOUND, "town %.9s is not admitted: its terminals join through it",
			                 v->place);
		hex_encode(codec_bytes(town->curve_key), key);
		address[0] = '\0';
		size_t peers = atomic_load(&n->peer_visible);
		for (size_t i = 0; i < peers; i++)
			if (n->peer[i]->device == device)
				snprintf(address, sizeof address, "%s", n->peer[i]->join_address);
	}
	if (strstr(address, "//0.0.0.0:") || strstr(address, "//[::]:"))
		address[0] = '\0'; /* listens everywhere: which of its addresses a device reaches is not known here */
	v->curve_key = arena_text(arena, key);
	v->authority = arena_text(arena, authority);
	v->join_address = arena_text(arena, address);
	return v->curve_key && v->authority && v->join_address ? OK : error_set(e, ERR_MEMORY, "no memory");
}

static int secret_draw(struct act *a, Lm__TokenView *v, struct hash *hash, struct error *e)
{
	uint8_t random[TOKEN_SECRET_CHARACTERS - 1];
	char secret[TOKEN_SECRET_BYTES], text[TOKEN_TEXT_BYTES];
	int result = crypto_random(random, sizeof random, e);
	if (result)
		return result;
	token_secret_make(random, secret);
	token_secret_to_text(secret, text);
	result = token_hash(secret, hash, e);
	v->secret = arena_text(&a->arena, text);
	crypto_wipe(random, sizeof random);
	crypto_wipe(secret, sizeof secret);
	crypto_wipe(text, sizeof text);
	return result || v->secret ? result : error_set(e, ERR_MEMORY, "no memory");
}

static int issue(struct turn *t, struct act *a, const Lm__TokenCommand *in, Lm__TokenView *v, struct error *e)
{
	struct hash fingerprint, hash;
	char text[FINGERPRINT_TEXT_BYTES];
	Lm__TokenPayload token = LM__TOKEN_PAYLOAD__INIT;
	int result = fingerprint_from_text(in->fingerprint, &fingerprint, e);
	if (!result && (uint64_t)in->valid_s * 1000 > TOKEN_VALID_MOST_MS)
		result = error_set(e, ERR_INVALID, "valid_s: a token is valid for at most %d seconds",
		                   TOKEN_VALID_MOST_MS / 1000);
	if (!result && strlen(in->by) > BY_BYTES_MOST)
		result = error_set(e, ERR_INVALID, "by: at most %d bytes", BY_BYTES_MOST);
	if (!result)
		result = seat_check(t, &fingerprint, in, e);
	v->role = in->role;
	v->place = in->place;
	if (!result)
		result = above_fill(t, &a->arena, v, e);
	if (!result)
		result = secret_draw(a, v, &hash, e);
	if (result)
		return result;
	fingerprint_to_text(&fingerprint, text);
	v->fingerprint = arena_text(&a->arena, text);
	v->expires_ms = t->now_ms + (in->valid_s ? (int64_t)in->valid_s * 1000 : TOKEN_VALID_MOST_MS);
	token.hash = codec_data(BYTES_OF(hash));
	token.state = LM__TOKEN_STATE__TOKEN_STATE_ISSUED;
	token.fingerprint = codec_data(BYTES_OF(fingerprint));
	token.role = in->role;
	token.place = in->place;
	token.issued_ms = t->now_ms;
	token.expires_ms = v->expires_ms;
	token.by = in->by;
	return v->fingerprint ? token_append(t, &token, e) : error_set(e, ERR_MEMORY, "no memory");
}

static int token_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	Lm__TokenView *v = arena_alloc(&a->arena, sizeof *v);
	int result = v ? only_at_hub(t->node, e) : error_set(e, ERR_MEMORY, "no memory");
	if (result)
		return result;
	lm__token_view__init(v);
	a->output = &v->base;
	return issue(t, a, (const Lm__TokenCommand *)a->input, v, e);
}

void control_token(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__token_command__descriptor);
	if (!a)
		return;
	act_by(a, &((Lm__TokenCommand *)a->input)->by);
	act_command(context, a, token_run);
}

/* ---- list ---- */

struct tokens_build {
	struct arena *arena;
	Lm__TokenRow **list;
	size_t count, most;
	int64_t now_ms;
};

static Lm__TokenRow *token_row(struct arena *arena, const Lm__TokenPayload *token, int64_t now_ms)
{
	Lm__TokenRow *row = arena_alloc(arena, sizeof *row);
	char name[2 * TOKEN_NAME_BYTES + 1], text[FINGERPRINT_TEXT_BYTES];
	struct hash fingerprint;
	if (!row)
		return NULL;
	memcpy(fingerprint.byte, token->fingerprint.data, HASH_BYTES);
	fingerprint_to_text(&fingerprint, text);
	hex_encode(BYTES(token->hash.data, TOKEN_NAME_BYTES), name);
	lm__token_row__init(row);
	row->token = arena_text(arena, name);
	row->state = token->state;
	row->fingerprint = arena_text(arena, text);
	row->role = token->role;
	row->place = token->place;
	row->issued_ms = token->issued_ms;
	row->expires_ms = token->expires_ms;
	row->by = token->by;
	row->is_open = token->state == LM__TOKEN_STATE__TOKEN_STATE_ISSUED && now_ms <= token->expires_ms;
	return row->token && row->fingerprint ? row : NULL;
}

static bool token_visit(void *context, const Lm__TokenPayload *token)
{
	struct tokens_build *b = context;
	Lm__TokenRow *row = b->count < b->most ? token_row(b->arena, token, b->now_ms) : NULL;
	if (row)
		b->list[b->count++] = row;
	return row != NULL;
}

static int row_compare(const void *a, const void *b)
{
	int64_t one = (*(Lm__TokenRow *const *)a)->issued_ms, other = (*(Lm__TokenRow *const *)b)->issued_ms;
	return (other > one) - (other < one);
}

static int tokens_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	struct tokens_build b = { .arena = &a->arena, .most = 8192, .now_ms = t->now_ms };
	Lm__TokensView *view = arena_alloc(&a->arena, sizeof *view);
	int result = only_at_hub(t->node, e);
	b.list = arena_alloc(&a->arena, b.most * sizeof *b.list);
	if (!result && (!view || !b.list))
		result = error_set(e, ERR_MEMORY, "no memory");
	if (!result && token_each(t->txn, &a->arena, token_visit, &b))
		result = error_set(e, ERR_INTERNAL, "the tokens cannot be read");
	if (result)
		return result;
	qsort(b.list, b.count, sizeof *b.list, row_compare);
	lm__tokens_view__init(view);
	view->tokens = b.list;
	view->n_tokens = b.count < TOKENS_SHOWN_MOST ? b.count : TOKENS_SHOWN_MOST;
	a->output = &view->base;
	return OK;
}

void control_tokens(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_command(context, a, tokens_run);
}

/* ---- withdraw ---- */

struct token_search {
	uint8_t name[TOKEN_NAME_BYTES];
	const Lm__TokenPayload *found;
};

static bool search_visit(void *context, const Lm__TokenPayload *token)
{
	struct token_search *s = context;
	if (memcmp(token->hash.data, s->name, TOKEN_NAME_BYTES) == 0)
		s->found = token;
	return !s->found;
}

static int withdraw_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__WithdrawTokenCommand *in = (Lm__WithdrawTokenCommand *)a->input;
	struct token_search s = { .found = NULL };
	Lm__TokenPayload token = LM__TOKEN_PAYLOAD__INIT;
	int result = only_at_hub(t->node, e);
	if (!result && hex_decode(in->token, s.name, TOKEN_NAME_BYTES))
		result = error_set(e, ERR_INVALID, "token: 16 hexadecimal digits, as the list shows them");
	if (!result && strlen(in->by) > BY_BYTES_MOST)
		result = error_set(e, ERR_INVALID, "by: at most %d bytes", BY_BYTES_MOST);
	if (!result && token_each(t->txn, &a->arena, search_visit, &s))
		result = error_set(e, ERR_INTERNAL, "the tokens cannot be read");
	if (!result && !s.found)
		result = error_set(e, ERR_NOT_FOUND, "there is no token %.16s", in->token);
	if (!result && s.found->state != LM__TOKEN_STATE__TOKEN_STATE_ISSUED)
		result = error_set(e, ERR_CONFLICT, "this token was %s before",
		                   s.found->state == LM__TOKEN_STATE__TOKEN_STATE_USED ? "used" : "withdrawn");
	if (result)
		return result;
	token.hash = s.found->hash;
	token.state = LM__TOKEN_STATE__TOKEN_STATE_WITHDRAWN;
	token.by = in->by;
	Lm__TokenPayload after = *s.found;
	after.state = token.state;
	after.by = in->by;
	Lm__TokenRow *row = token_row(&a->arena, &after, t->now_ms);
	a->output = row ? &row->base : NULL;
	return row ? token_append(t, &token, e) : error_set(e, ERR_MEMORY, "no memory");
}

void control_withdraw_token(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__withdraw_token_command__descriptor);
	if (!a)
		return;
	act_by(a, &((Lm__WithdrawTokenCommand *)a->input)->by);
	act_command(context, a, withdraw_run);
}

/* ---- at the device ---- */

void control_join(void *context, struct http_request *r)
{
	static const Lm__Empty empty = LM__EMPTY__INIT;
	struct act *a = act_with_body(r, &lm__join_command__descriptor);
	struct error e = { 0 };
	if (!a)
		return;
	char *secret = ((Lm__JoinCommand *)a->input)->secret;
	int result = node_join(context, secret, &e);
	crypto_wipe(secret, strlen(secret));
	a->output = (ProtobufCMessage *)(uintptr_t)&empty.base;
	act_answer(a, result, &e);
}
