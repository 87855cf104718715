/*
 * Opening sealed payloads. The ratchet of a period is cached, so that entries in order cost one derivation each;
 * whoever looks at an old case pays for the way from the last mark before it.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define OPENERS_MOST 1024 /* about one a live terminal and stream; the oldest is replaced */

struct opener_entry {
	uint64_t origin;
	struct period_opener opener;
	uint64_t used;
	bool is_set;
};

struct opener_cache {
	struct opener_entry entry[OPENERS_MOST];
	uint64_t clock;
};

int openers_make(struct journal *j)
{
	j->openers = calloc(1, sizeof *j->openers);
	return j->openers ? OK : ERR_MEMORY;
}

void openers_free(struct journal *j)
{
	if (j->openers)
		crypto_wipe(j->openers, sizeof *j->openers);
	free(j->openers);
	j->openers = NULL;
}

bool kind_is_sealed(Lm__Kind kind, Lm__Stream stream)
{
	if (stream == LM__STREAM__STREAM_OWN) /* what can be erased */
		return kind == LM__KIND__KIND_CASE || kind == LM__KIND__KIND_RECEIPT_LOCK ||
		       kind == LM__KIND__KIND_CERTIFICATE || kind == LM__KIND__KIND_CONTACT;
	if (stream != LM__STREAM__STREAM_UP && stream != LM__STREAM__STREAM_DOWN)
		return false;
	switch (kind) {
	case LM__KIND__KIND_REQUEST:
	case LM__KIND__KIND_ANSWER:
	case LM__KIND__KIND_WITHDRAW:
	case LM__KIND__KIND_OBJECT:
	case LM__KIND__KIND_RATE:
	case LM__KIND__KIND_CASE:
	case LM__KIND__KIND_CASE_COPY:
	case LM__KIND__KIND_PERSON:
	case LM__KIND__KIND_PERSON_COPY:
	case LM__KIND__KIND_CERTIFICATE_ASK:
	case LM__KIND__KIND_NEW_CODE:
	case LM__KIND__KIND_CERTIFICATE_COPY:
		return true;
	default:
		return false;
	}
}

struct bytes payload_associated(const Lm__Header *h, uint8_t memory[80])
{
	struct writer w = writer_over(memory, 80);
	write_u64(&w, h->origin);
	write_u64(&w, h->incarnation);
	write_u32(&w, (uint32_t)h->stream);
	write_u64(&w, h->receiver);
	write_u64(&w, h->seq);
	write_u32(&w, (uint32_t)h->kind);
	write_bytes(&w, codec_bytes(h->request_id));
	write_bytes(&w, codec_bytes(h->person_id));
	return BYTES(memory, w.size);
}

/* A slot by hash of the period id, four ways: small, and without pointers. */
static struct opener_entry *cache_find(struct opener_cache *c, uint64_t origin, const uint8_t *period_id,
                                       bool want_free)
{
	uint32_t at;
	memcpy(&at, period_id, sizeof at);
	struct opener_entry *oldest = NULL;
	for (uint32_t way = 0; way < 4; way++) {
		struct opener_entry *entry = &c->entry[(at + way) % OPENERS_MOST];
		if (entry->is_set && entry->origin == origin &&
		    memcmp(entry->opener.period_id, period_id, PERIOD_ID_BYTES) == 0) {
			entry->used = ++c->clock;
			return entry;
		}
		if (!oldest || !entry->is_set || entry->used < oldest->used)
			oldest = entry;
	}
	return want_free ? oldest : NULL;
}

static int notice_from(const Lm__PeriodNotice *row, struct period_notice *n)
{
	memset(n, 0, sizeof *n);
	if (row->period_id.len != PERIOD_ID_BYTES || row->n_wraps > PERIOD_RECIPIENTS_MOST || row->suite > UINT8_MAX)
		return ERR_INVALID;
	n->suite = (uint8_t)row->suite;
	memcpy(n->period_id, row->period_id.data, PERIOD_ID_BYTES);
	n->wrap_count = row->n_wraps;
	for (size_t i = 0; i < row->n_wraps; i++) {
		const Lm__PeriodWrap *w = row->wraps[i];
		if (w->opening_key.len != KEY_BYTES || w->ephemeral.len != KEY_BYTES ||
		    w->sealed.len != sizeof n->wrap[i].sealed)
			return ERR_INVALID;
		n->wrap[i].recipient = w->recipient;
		memcpy(n->wrap[i].opening_key, w->opening_key.data, KEY_BYTES);
		memcpy(n->wrap[i].ephemeral, w->ephemeral.data, KEY_BYTES);
		memcpy(n->wrap[i].sealed, w->sealed.data, w->sealed.len);
	}
	return OK;
}

/* With the keys of now, or with those that the sender knew. */
static int opener_find(struct journal *j, const struct period_notice *notice, struct period_opener *out)
{
	const struct device_keys *k = j->keys;
	int result = period_opener_init(out, notice, j->device, k->opening_public, k->opening_secret, NULL);
	for (uint32_t i = k->generation; result == ERR_ABSENT && i > 0; i--)
		result = period_opener_init(out, notice, j->device, k->former_opening[i - 1].public_key,
		                            k->former_opening[i - 1].secret_key, NULL);
	return result;
}

static int opener_from(struct journal *j, struct bytes notice_packed, struct period_opener *out)
{
	struct arena arena;
	arena_init(&arena, 64 * 1024);
	Lm__PeriodNotice *row;
	struct period_notice notice;
	int result = CODEC_UNPACK(lm__period_notice, notice_packed, &arena, &row, NULL);
	if (!result)
		result = notice_from(row, &notice);
	if (!result && !j->keys)
		result = ERR_ABSENT; /* a reader without the device's keys */
	if (!result)
		result = opener_find(j, &notice, out);
	arena_release(&arena);
	return result;
}

static void cache_put(struct journal *j, uint64_t origin, const struct period_opener *opener)
{
	pthread_mutex_lock(&j->opener_lock);
	struct opener_entry *entry = cache_find(j->openers, origin, opener->period_id, true);
	if (!entry->is_set || entry->origin != origin ||
	    memcmp(entry->opener.period_id, opener->period_id, PERIOD_ID_BYTES) != 0)
		*entry = (struct opener_entry){ origin, *opener, ++j->openers->clock, true };
	pthread_mutex_unlock(&j->opener_lock);
}

int journal_period_learn(struct journal *j, const Lm__Header *h, struct bytes notice_packed, struct error *e)
{
	struct period_opener opener;
	if (h->kind != LM__KIND__KIND_PERIOD)
		return error_set(e, ERR_INVALID, "entry %llu is not a period notice", (unsigned long long)h->seq);
	int result = opener_from(j, notice_packed, &opener);
	if (error_is_of_machine(result))
		return error_set(e, result, "the period of entry %llu cannot be opened now",
		                 (unsigned long long)h->seq);
	if (result)
		return error_set(e, ERR_ABSENT, "the period of entry %llu is not for this node",
		                 (unsigned long long)h->seq);
	cache_put(j, h->origin, &opener);
	crypto_wipe(&opener, sizeof opener);
	return OK;
}

static int cached_open(struct journal *j, const Lm__Header *h, const struct envelope *env, struct bytes payload,
                       uint8_t *out)
{
	uint8_t associated[80];
	struct period_opener opener;
	pthread_mutex_lock(&j->opener_lock);
	struct opener_entry *entry = cache_find(j->openers, h->origin, env->period_id, false);
	if (entry)
		opener = entry->opener;
	pthread_mutex_unlock(&j->opener_lock);
	if (!entry)
		return ERR_NOT_FOUND;
	/* On a copy: the way to an old index takes a millisecond, and nobody else should wait for it. */
	int result = period_open(&opener, env, payload_associated(h, associated), payload, out, NULL);
	pthread_mutex_lock(&j->opener_lock);
	entry = cache_find(j->openers, h->origin, env->period_id, false);
	if (!result && entry && entry->opener.next_index < opener.next_index)
		entry->opener = opener;
	pthread_mutex_unlock(&j->opener_lock);
	crypto_wipe(&opener, sizeof opener);
	return result;
}

static int period_fetch(struct journal *j, struct store_txn *txn, uint64_t origin, const struct envelope *env,
                        struct arena *arena)
{
	struct bytes packed;
	struct period_opener opener;
	int result = txn ? journal_period(txn, origin, BYTES_OF(env->period_id), arena, &packed) : ERR_NOT_FOUND;
	if (!result)
		result = opener_from(j, packed, &opener);
	if (!result) {
		cache_put(j, origin, &opener);
		crypto_wipe(&opener, sizeof opener);
	}
	return result;
}

static int envelope_from(const Lm__Envelope *row, struct envelope *env)
{
	if (row->period_id.len != PERIOD_ID_BYTES || row->wrapped_key.len != sizeof env->wrapped_key ||
	    row->suite > UINT8_MAX)
		return ERR_INVALID;
	env->suite = (uint8_t)row->suite;
	memcpy(env->period_id, row->period_id.data, PERIOD_ID_BYTES);
	env->index = row->index;
	memcpy(env->wrapped_key, row->wrapped_key.data, row->wrapped_key.len);
	return OK;
}

static int period_payload_open(struct journal *j, struct store_txn *txn, const Lm__Header *h, const Lm__Envelope *row,
                               struct bytes payload, uint8_t *out, struct arena *arena)
{
	struct envelope env;
	int result = envelope_from(row, &env);
	if (!result)
		result = cached_open(j, h, &env, payload, out);
	if (result != ERR_NOT_FOUND)
		return result;
	result = period_fetch(j, txn, h->origin, &env, arena);
	return result ? result : cached_open(j, h, &env, payload, out);
}

/* A key is used once: the nonce can be what it likes. */
static const uint8_t own_nonce[NONCE_BYTES];

static int own_open(const Lm__Header *h, const Lm__Envelope *row, struct bytes payload, uint8_t *out)
{
	uint8_t associated[80];
	if (row->wrapped_key.len != KEY_BYTES || row->suite > UINT8_MAX)
		return ERR_INVALID;
	return aead_open((uint8_t)row->suite, row->wrapped_key.data, own_nonce, payload_associated(h, associated),
	                 payload, out, NULL);
}

int own_seal(struct journal *j, const Lm__Header *h, struct bytes plain, struct bytes *sealed, struct bytes *envelope,
             struct error *e)
{
	uint8_t key[KEY_BYTES], associated[80], *memory = arena_alloc(&j->arena, plain.size + TAG_BYTES);
	Lm__Envelope row = LM__ENVELOPE__INIT;
	if (!memory)
		return error_set(e, ERR_MEMORY, "no memory to seal a payload of %zu bytes", plain.size);
	int result = crypto_random(key, sizeof key, e);
	if (!result)
		result = aead_seal(SUITE_INTERNATIONAL, key, own_nonce, payload_associated(h, associated), plain,
		                   memory, e);
	row.suite = SUITE_INTERNATIONAL;
	row.wrapped_key = codec_data(BYTES_OF(key));
	if (!result)
		result = CODEC_PACK(&row, &j->arena, envelope, e);
	crypto_wipe(key, sizeof key);
	*sealed = BYTES(memory, plain.size + TAG_BYTES);
	return result;
}

int journal_payload_open(struct journal *j, struct store_txn *txn, const Lm__Header *h, struct bytes payload,
                         struct bytes envelope_packed, struct arena *arena, struct bytes *plain, struct error *e)
{
	bool is_own =
	        h->stream == LM__STREAM__STREAM_OWN; /* what was written before these were sealed says so itself */
	if (!kind_is_sealed(h->kind, h->stream) || (is_own && !h->envelope_hash.len)) {
		*plain = payload;
		return OK;
	}
	Lm__Envelope *row;
	int result = envelope_packed.size && payload.size >= TAG_BYTES ? OK : ERR_ABSENT;
	if (!result)
		result = CODEC_UNPACK(lm__envelope, envelope_packed, arena, &row, NULL);
	uint8_t *out = result ? NULL : arena_alloc(arena, payload.size);
	if (!result && !out)
		return error_set(e, ERR_MEMORY, "no memory to open a payload of %zu bytes", payload.size);
	if (!result)
		result = is_own ? own_open(h, row, payload, out)
		                : period_payload_open(j, txn, h, row, payload, out, arena);
	int failure = result && txn ? store_failure(txn, e) : OK;
	if (failure || error_is_of_machine(result)) /* not knowing is not the same as absent */
		return failure ? failure
		               : error_set(e, result, "the payload of entry %llu cannot be opened now",
		                           (unsigned long long)h->seq);
	if (result)
		return error_set(e, ERR_ABSENT, "the payload of entry %llu cannot be opened here",
		                 (unsigned long long)h->seq);
	*plain = BYTES(out, payload.size - TAG_BYTES);
	return OK;
}

int journal_item_open(struct journal *j, struct store_txn *txn, uint64_t position, const Lm__TapeItem *item,
                      struct arena *arena, struct bytes *plain, struct error *e)
{
	Lm__Header *h;
	struct bytes envelope;
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), arena, &h, e);
	if (result)
		return result;
	if (journal_envelope(txn, h, position, arena, &envelope))
		return store_failure(txn, e);
	return journal_payload_open(j, txn, h, codec_bytes(item->payload), envelope, arena, plain, e);
}
