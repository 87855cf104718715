/*
 * Tokens, at the hub: each lets one device join at one place, once, within a quarter of an hour by the hub's clock.
 *
 *   issued ──▶ used        by the device whose fingerprint it names; the same turn admits that device
 *          └─▶ withdrawn   by an operator
 *
 * A row is found by the hash of the token's secret; the secret itself is nowhere.
 */
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define ISSUED LM__TOKEN_STATE__TOKEN_STATE_ISSUED
#define USED LM__TOKEN_STATE__TOKEN_STATE_USED
#define WITHDRAWN LM__TOKEN_STATE__TOKEN_STATE_WITHDRAWN

int token_hash(const char *secret, struct hash *out, struct error *e)
{
	struct bytes parts[] = { bytes_from_text("lm token v1"), bytes_from_text(secret) };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 2, out, e);
}

int token_get(struct store_txn *txn, const struct hash *hash, struct arena *arena, Lm__TokenPayload **out)
{
	return row_get(txn, &domain_table_token, BYTES_OF(*hash), &lm__token_payload__descriptor, arena, out);
}

int token_each(struct store_txn *txn, struct arena *arena, bool (*visit)(void *context, const Lm__TokenPayload *token),
               void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_token, &c);
	if (result)
		return result;
	result = store_cursor_first(c, arena, &key, &value);
	while (!result) {
		Lm__TokenPayload *token;
		result = row_unpack(txn, &domain_table_token, &lm__token_payload__descriptor, value, arena, &token);
		if (result || !visit(context, token))
			break;
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

static bool is_for(const Lm__TokenPayload *token, const struct hash *fingerprint)
{
	return token->fingerprint.len == HASH_BYTES &&
	       crypto_equal(token->fingerprint.data, fingerprint->byte, HASH_BYTES);
}

int token_check(const Lm__TokenPayload *token, const struct hash *fingerprint, const Lm__DeviceRecord *record,
                int64_t now_ms, struct error *e)
{
	char until[CLOCK_TEXT_BYTES];
	if (!is_for(token, fingerprint))
		return error_set(e, ERR_DENIED,
		                 "this token is for another device: compare the fingerprint on this device's screen "
		                 "with the one it was issued for");
	if (token->role != record->role || strcmp(token->place, record->place) != 0)
		return error_set(e, ERR_DENIED,
		                 "this token is for place %.20s, and this device is set up for %.20s: one of them is "
		                 "wrong",
		                 token->place, record->place);
	if (token->state == USED)
		return error_set(e, ERR_EXISTS, "this device has used this token before");
	if (token->state != ISSUED)
		return error_set(e, ERR_DENIED, "this token was withdrawn by %.40s: ask for a new one", token->by);
	clock_format_shanghai(token->expires_ms, until);
	if (now_ms > token->expires_ms)
		return error_set(e, ERR_DENIED, "this token was valid until %s: ask for a new one", until);
	return OK;
}

/* ---- the events ---- */

static int issue(struct apply *a, struct bytes key, const Lm__TokenPayload *t)
{
	static const enum place_level level_of[] = {
		[LM__TIER__TIER_TERMINAL] = PLACE_DEVICE, [LM__TIER__TIER_TOWN] = PLACE_TOWN
	};
	if (store_has(a->txn, &domain_table_token, key))
		return error_set(a->e, ERR_EXISTS, "this token was issued before");
	if (t->fingerprint.len != HASH_BYTES)
		return error_set(a->e, ERR_INVALID, "a token names the device that it is for");
	if (t->role != LM__TIER__TIER_TERMINAL && t->role != LM__TIER__TIER_TOWN)
		return error_set(a->e, ERR_INVALID, "a token is for a terminal or a town");
	if (place_level_of(t->place) != level_of[t->role] || !place_contains(a->d->place, t->place))
		return error_set(a->e, ERR_INVALID, "'%.20s' is not a place for this role in district %s", t->place,
		                 a->d->place);
	if (t->issued_ms < 0 || t->expires_ms <= t->issued_ms || t->expires_ms - t->issued_ms > TOKEN_VALID_MOST_MS)
		return error_set(a->e, ERR_INVALID, "a token is valid for at most %d minutes",
		                 TOKEN_VALID_MOST_MS / 60000);
	return row_put(a, &domain_table_token, key, &t->base);
}

static int end(struct apply *a, struct bytes key, const Lm__TokenPayload *t)
{
	Lm__TokenPayload *known;
	int result = row_get(a->txn, &domain_table_token, key, &lm__token_payload__descriptor, a->arena, &known);
	if (result == ERR_NOT_FOUND)
		return error_set(a->e, ERR_NOT_FOUND, "no such token was issued");
	if (result)
		return result;
	if (known->state != ISSUED)
		return error_set(a->e, ERR_CONFLICT, "this token was %s before",
		                 known->state == USED ? "used" : "withdrawn");
	if (t->state == USED && a->item->taken_ms > known->expires_ms)
		return error_set(a->e, ERR_DENIED, "this token is not valid any more");
	known->state = t->state;
	if (t->state == WITHDRAWN)
		known->by = t->by;
	return row_put(a, &domain_table_token, key, &known->base);
}

int apply_token(struct apply *a)
{
	Lm__TokenPayload *token;
	int result = CODEC_UNPACK(lm__token_payload, a->item->plain, a->arena, &token, a->e);
	if (result)
		return result;
	if (token->hash.len != HASH_BYTES)
		return error_set(a->e, ERR_INVALID, "a token is named by a hash of %d bytes", HASH_BYTES);
	switch (token->state) {
	case ISSUED:
		return issue(a, codec_bytes(token->hash), token);
	case USED:
	case WITHDRAWN:
		return end(a, codec_bytes(token->hash), token);
	default:
		return error_set(a->e, ERR_INVALID, "a token is issued, used or withdrawn");
	}
}
