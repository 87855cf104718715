/*
 * Sealing to several recipients: one period key for many entries, a key of its own for each payload.
 *
 *   ephemeral × recipient ──"lm period wrap v1"──▶ key that wraps chain[0] to this recipient
 *   chain[i] ──"lm period step v1"──▶ step[i] (wraps payload key i) and chain[i + 1]
 *   payload key i: random, seals payload i
 *
 * The sender forgets chain[i] and step[i] as soon as they are used. Whoever holds the first chain key can walk
 * forward, so a recipient opens any entry of the period, in any order. The wrapped payload key is the envelope:
 * destroying it erases the one payload and no other, even for those who keep the period key.
 */
#include <stdlib.h>
#include <string.h>

#include "parts.h"

#define WRAP_CONTEXT_BYTES (1 + PERIOD_ID_BYTES + 8 + KEY_BYTES + KEY_BYTES)

struct period {
	uint8_t suite;
	uint8_t period_id[PERIOD_ID_BYTES];
	int64_t begun_ms;
	uint32_t next_index;
	uint8_t next_key[KEY_BYTES];
};

/* The key that wraps the period key for one recipient. Everything that the wrap says is in it, so none can be changed.
 */
static int wrap_key_derive(const struct period_notice *notice, const struct period_wrap *wrap,
                           const uint8_t shared[KEY_BYTES], uint8_t key[KEY_BYTES], struct error *e)
{
	uint8_t context[WRAP_CONTEXT_BYTES];
	struct writer w = writer_over(context, sizeof context);
	write_u8(&w, notice->suite);
	write_bytes(&w, BYTES(notice->period_id, PERIOD_ID_BYTES));
	write_u64(&w, wrap->recipient);
	write_bytes(&w, BYTES(wrap->opening_key, KEY_BYTES));
	write_bytes(&w, BYTES(wrap->ephemeral, KEY_BYTES));
	return crypto_derive(notice->suite, BYTES(shared, KEY_BYTES), BYTES(context, w.size), "lm period wrap v1", key,
	                     KEY_BYTES, e);
}

static int wrap_make(const struct period_notice *notice, const struct period_recipient *recipient,
                     const uint8_t period_key[KEY_BYTES], struct period_wrap *wrap, struct error *e)
{
	uint8_t ephemeral_secret[KEY_BYTES], shared[KEY_BYTES], key[KEY_BYTES];
	wrap->recipient = recipient->id;
	memcpy(wrap->opening_key, recipient->opening_key, KEY_BYTES);
	int code = agree_keypair(notice->suite, wrap->ephemeral, ephemeral_secret, e);
	if (!code)
		code = agree_secret(notice->suite, ephemeral_secret, wrap->opening_key, shared, e);
	if (!code)
		code = wrap_key_derive(notice, wrap, shared, key, e);
	if (!code)
		code = aead_seal(notice->suite, key, nonce_zero, (struct bytes){ 0 }, BYTES(period_key, KEY_BYTES),
		                 wrap->sealed, e);
	crypto_wipe(ephemeral_secret, sizeof ephemeral_secret);
	crypto_wipe(shared, sizeof shared);
	crypto_wipe(key, sizeof key);
	return code ? error_wrap(e, code, "recipient %016llx", (unsigned long long)recipient->id) : OK;
}

int period_begin(uint8_t suite, const struct period_recipient *recipients, size_t count, int64_t now_ms,
                 struct period **out, struct period_notice *notice, struct error *e)
{
	if (count == 0 || count > PERIOD_RECIPIENTS_MOST)
		return error_set(e, ERR_INVALID, "a period has 1 to %d recipients, not %zu", PERIOD_RECIPIENTS_MOST,
		                 count);
	struct period *p = calloc(1, sizeof *p);
	if (!p)
		return error_set(e, ERR_MEMORY, "no memory for a key period");
	p->suite = suite;
	p->begun_ms = now_ms;
	struct period_notice draft = { .suite = suite, .wrap_count = count };
	int code = crypto_random(p->period_id, sizeof p->period_id, e);
	if (!code)
		code = crypto_random(p->next_key, sizeof p->next_key, e);
	memcpy(draft.period_id, p->period_id, PERIOD_ID_BYTES);
	for (size_t i = 0; !code && i < count; i++)
		code = wrap_make(&draft, &recipients[i], p->next_key, &draft.wrap[i], e);
	if (code) {
		period_end(p);
		return code;
	}
	*notice = draft;
	*out = p;
	return OK;
}

bool period_is_spent(const struct period *p, int64_t now_ms)
{
	/* begun_ms is not above now_ms when the difference is taken, so it can only overflow upwards. */
	int64_t age_ms;
	return p->next_index >= PERIOD_ENTRIES_MOST || now_ms < p->begun_ms ||
	       __builtin_sub_overflow(now_ms, p->begun_ms, &age_ms) || age_ms >= PERIOD_AGE_MOST_MS;
}

void period_end(struct period *p)
{
	if (p)
		crypto_wipe(p, sizeof *p);
	free(p);
}

/*
 * One step of the ratchet: out of chain[i] come step[i] and chain[i + 1]. `next` may be `chain`. A step key belongs
 * to one period and one index by how it is made, so what it wraps needs no associated data to be bound to them.
 */
static int chain_step(uint8_t suite, const uint8_t period_id[PERIOD_ID_BYTES], const uint8_t chain[KEY_BYTES],
                      uint8_t step[KEY_BYTES], uint8_t next[KEY_BYTES], struct error *e)
{
	uint8_t both[2 * KEY_BYTES];
	int code = crypto_derive(suite, BYTES(chain, KEY_BYTES), BYTES(period_id, PERIOD_ID_BYTES), "lm period step v1",
	                         both, sizeof both, e);
	if (!code) {
		memcpy(step, both, KEY_BYTES);
		memcpy(next, both + KEY_BYTES, KEY_BYTES);
	}
	crypto_wipe(both, sizeof both);
	return code;
}

int period_seal(struct period *p, struct bytes associated, struct bytes plain, uint8_t *sealed,
                struct envelope *envelope, struct error *e)
{
	if (p->next_index >= PERIOD_ENTRIES_MOST)
		return error_set(e, ERR_CLOSED, "the key period is spent after %d entries; begin a new one",
		                 PERIOD_ENTRIES_MOST);
	uint8_t step[KEY_BYTES], payload_key[KEY_BYTES];
	struct envelope draft = { .suite = p->suite, .index = p->next_index };
	memcpy(draft.period_id, p->period_id, PERIOD_ID_BYTES);
	int code = chain_step(p->suite, p->period_id, p->next_key, step, p->next_key, e);
	if (code)
		return code;
	/* From here the index is used up, whatever fails: a step key must not wrap a second payload key. */
	p->next_index++;
	code = crypto_random(payload_key, sizeof payload_key, e);
	if (!code)
		code = aead_seal(p->suite, step, nonce_zero, (struct bytes){ 0 },
		                 BYTES(payload_key, sizeof payload_key), draft.wrapped_key, e);
	if (!code)
		code = aead_seal(p->suite, payload_key, nonce_zero, associated, plain, sealed, e);
	int forgotten = aead_forget(p->suite, code ? NULL : e);
	code = code ? code : forgotten;
	if (!code)
		*envelope = draft;
	crypto_wipe(step, sizeof step);
	crypto_wipe(payload_key, sizeof payload_key);
	return code;
}

static int wrap_open(const struct period_notice *notice, const struct period_wrap *wrap,
                     const uint8_t secret_key[KEY_BYTES], uint8_t period_key[KEY_BYTES], struct error *e)
{
	uint8_t shared[KEY_BYTES], key[KEY_BYTES];
	int code = agree_secret(notice->suite, secret_key, wrap->ephemeral, shared, e);
	if (code == ERR_INVALID) /* an ephemeral key that nobody's key period makes */
		code = error_set(e, ERR_DAMAGED, "the wrap of the period key is damaged");
	if (!code)
		code = wrap_key_derive(notice, wrap, shared, key, e);
	if (!code)
		code = aead_open(notice->suite, key, nonce_zero, (struct bytes){ 0 }, BYTES_OF(wrap->sealed),
		                 period_key, e);
	crypto_wipe(shared, sizeof shared);
	crypto_wipe(key, sizeof key);
	return code;
}

int period_opener_init(struct period_opener *o, const struct period_notice *notice, uint64_t recipient,
                       const uint8_t public_key[KEY_BYTES], const uint8_t secret_key[KEY_BYTES], struct error *e)
{
	if (notice->wrap_count > PERIOD_RECIPIENTS_MOST)
		return error_set(e, ERR_INVALID, "a period has at most %d recipients, not %zu", PERIOD_RECIPIENTS_MOST,
		                 notice->wrap_count);
	const struct period_wrap *wrap = notice->wrap, *end = notice->wrap + notice->wrap_count;
	while (wrap < end && (wrap->recipient != recipient || memcmp(wrap->opening_key, public_key, KEY_BYTES) != 0))
		wrap++;
	if (wrap == end)
		return error_set(e, ERR_ABSENT, "the key period was not sealed to this device and key");
	uint8_t period_key[KEY_BYTES];
	int code = wrap_open(notice, wrap, secret_key, period_key, e);
	if (code)
		return code;
	*o = (struct period_opener){ .suite = notice->suite };
	memcpy(o->period_id, notice->period_id, PERIOD_ID_BYTES);
	memcpy(o->next_key, period_key, KEY_BYTES);
	crypto_wipe(period_key, sizeof period_key);
	return OK;
}

/* Walks the chain to `index`, and leaves marks on the way; back to an earlier one than the opener stands at it goes
 * from the last mark before it. */
static int step_find(struct period_opener *o, uint32_t index, uint8_t step[KEY_BYTES], uint8_t next[KEY_BYTES],
                     struct error *e)
{
	bool is_behind = index < o->next_index;
	uint32_t at = is_behind ? index - index % PERIOD_MARK_EVERY : o->next_index;
	int code = OK;
	memcpy(next, is_behind ? o->mark[at / PERIOD_MARK_EVERY] : o->next_key, KEY_BYTES);
	for (; !code && at <= index; at++) {
		if (at % PERIOD_MARK_EVERY == 0)
			memcpy(o->mark[at / PERIOD_MARK_EVERY], next, KEY_BYTES);
		code = chain_step(o->suite, o->period_id, next, step, next, e);
	}
	return code;
}

int period_open(struct period_opener *o, const struct envelope *envelope, struct bytes associated, struct bytes sealed,
                uint8_t *out, struct error *e)
{
	if (envelope->index >= PERIOD_ENTRIES_MOST)
		return error_set(e, ERR_INVALID, "a key period has no entry %u; the last is %d", envelope->index,
		                 PERIOD_ENTRIES_MOST - 1);
	if (envelope->suite != o->suite || memcmp(envelope->period_id, o->period_id, PERIOD_ID_BYTES) != 0)
		return error_set(e, ERR_INVALID, "the envelope belongs to another key period");
	uint8_t step[KEY_BYTES], next[KEY_BYTES], payload_key[KEY_BYTES];
	int code = step_find(o, envelope->index, step, next, e);
	if (!code)
		code = aead_open(o->suite, step, nonce_zero, (struct bytes){ 0 }, BYTES_OF(envelope->wrapped_key),
		                 payload_key, e);
	if (!code)
		code = aead_open(o->suite, payload_key, nonce_zero, associated, sealed, out, e);
	/* Only forward, and only by what opened: a forged index must not send the next honest one back to the start. */
	if (!code && envelope->index >= o->next_index) {
		o->next_index = envelope->index + 1;
		memcpy(o->next_key, next, KEY_BYTES);
	}
	crypto_wipe(step, sizeof step);
	crypto_wipe(next, sizeof next);
	crypto_wipe(payload_key, sizeof payload_key);
	return code;
}
