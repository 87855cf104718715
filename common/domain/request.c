/*
 * At the terminal: its own requests, the locks of its receipts, and what the town says for them. A lock cannot be
 * tied to a request without the code, and a status cannot be read without it.
 */
#include <string.h>

#include "inside.h"

#define ANSWERS_A_RECEIPT 3 /* taken over, asked back, decided */

void request_trace(struct id request, char text[TRACE_TEXT_BYTES])
{
	struct bytes parts[] = { bytes_from_text("lm trace v1"), BYTES(request.byte, ID_BYTES) };
	struct hash hash = { { 0 } };
	crypto_hash(SUITE_INTERNATIONAL, parts, 2, &hash, NULL); /* if it fails, zeros: a log is no reason to stop */
	hex_encode(BYTES(hash.byte, (TRACE_TEXT_BYTES - 1) / 2), text);
}

int request_get(struct store_txn *txn, struct id request, struct arena *arena, Lm__RequestRecord **out)
{
	return row_get(txn, &domain_table_request, key_id(&request), &lm__request_record__descriptor, arena, out);
}

static int request_put(struct apply *a, struct id request, const Lm__RequestRecord *record)
{
	int result = row_put(a, &domain_table_request, key_id(&request), &record->base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_REQUEST, .request = request });
}

int apply_request_here(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id request = header_request(h);
	if (id_is_zero(request))
		return error_set(a->e, ERR_INVALID, "a request without an id");
	if (store_has(a->txn, &domain_table_request, key_id(&request)))
		return error_set(a->e, ERR_EXISTS, "this request is saved already");
	Lm__RequestRecord record = LM__REQUEST_RECORD__INIT;
	record.ordinal = a->item->ordinal;
	record.service = h->service;
	record.revision = h->revision;
	record.created_ms = h->time_ms;
	return request_put(a, request, &record);
}

int apply_ask_here(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id request = header_request(h);
	Lm__RequestRecord *record;
	int result = request_get(a->txn, request, a->arena, &record);
	if (result == ERR_NOT_FOUND)
		return OK; /* asked here for a request that was made elsewhere */
	if (result)
		return result;
	if (h->version == UINT32_MAX)
		return error_set(a->e, ERR_INVALID, "there is no version %u of a status", h->version);
	if (h->version + 1 <= record->asked_version)
		return error_set(a->e, ERR_DUPLICATE, "this was sent already; please wait for the answer");
	record->asked_version = h->version + 1;
	record->ask_ordinal = a->item->ordinal;
	return request_put(a, request, record);
}

/* Apart from the other asks: who has rated can still object. */
int apply_rating_here(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	Lm__RequestRecord *record;
	int result = request_get(a->txn, header_request(h), a->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result; /* rated here, and made elsewhere */
	if (h->version == UINT32_MAX || !h->rating)
		return error_set(a->e, ERR_INVALID, "a rating without its word, or of version %u", h->version);
	if (h->version + 1 <= record->rated_version)
		return error_set(a->e, ERR_DUPLICATE, "this was rated already; please wait for the answer");
	record->rated_version = h->version + 1;
	record->rating = h->rating;
	return request_put(a, header_request(h), record);
}

int apply_receipt_lock(struct apply *a)
{
	Lm__ReceiptLockPayload *lock;
	if (a->item->is_absent) /* erased since */
		return OK;
	int result = CODEC_UNPACK(lm__receipt_lock_payload, a->item->plain, a->arena, &lock, a->e);
	if (!result && (lock->lookup.len != RECEIPT_LOOKUP_BYTES || lock->lock.len != RECEIPT_LOCK_BYTES))
		return error_set(a->e, ERR_INVALID, "the receipt's lock has not the right size");
	uint8_t key[8];
	return result ? result
	              : store_put(a->txn, &domain_table_receipt, key_u64(a->item->ordinal, key), a->item->plain);
}

/*
 * Finding walks from the newest, `visit` returns true to stop. Releasing deletes the oldest that fits: two receipts of
 * the same code have the same lookup, nothing here tells which lock is whose, and the older case mostly ends first.
 */
static int locks_walk(struct store_txn *txn, bool (*visit)(void *context, const Lm__ReceiptLockPayload *lock),
                      void *context, bool must_delete, struct error *e)
{
	struct store_cursor *c = NULL;
	struct arena arena;
	struct bytes key, value;
	arena_init(&arena, 64 * 1024);
	int result = store_cursor_open(txn, &domain_table_receipt, &c);
	if (!result)
		result = must_delete ? store_cursor_first(c, &arena, &key, &value)
		                     : store_cursor_last(c, &arena, &key, &value);
	while (!result || store_pass_over(txn, e)) { /* one damaged lock does not stand before those of others */
		Lm__ReceiptLockPayload *lock;
		if (result) {
			result = store_cursor_prev(c, &arena, &key, &value);
			continue;
		}
		result = row_unpack(txn, &domain_table_receipt, &lm__receipt_lock_payload__descriptor, value, &arena,
		                    &lock);
		if (!result && visit(context, lock)) {
			if (must_delete)
				result = store_cursor_delete(c);
			break;
		}
		arena_reset(&arena);
		if (!result)
			result = must_delete ? store_cursor_next(c, &arena, &key, &value)
			                     : store_cursor_prev(c, &arena, &key, &value);
	}
	store_cursor_close(c);
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

struct lock_search {
	const uint8_t *lookup;
	struct receipt_row *rows;
	size_t most, count;
};

static bool lock_visit(void *context, const Lm__ReceiptLockPayload *lock)
{
	struct lock_search *s = context;
	if (lock->lookup.len != RECEIPT_LOOKUP_BYTES || lock->lock.len != RECEIPT_LOCK_BYTES ||
	    memcmp(lock->lookup.data, s->lookup, RECEIPT_LOOKUP_BYTES) != 0)
		return false;
	if (s->rows)
		memcpy(s->rows[s->count].lock, lock->lock.data, RECEIPT_LOCK_BYTES);
	return ++s->count == s->most;
}

int receipt_find(struct store_txn *txn, const uint8_t lookup[RECEIPT_LOOKUP_BYTES], struct receipt_row *rows,
                 size_t most, size_t *count, struct error *e)
{
	struct lock_search s = { lookup, rows, most, 0 };
	int result = most ? locks_walk(txn, lock_visit, &s, false, e) : OK;
	if (result)
		return store_failure(txn, e);
	*count = s.count;
	return OK;
}

int apply_lock_release(struct apply *a)
{
	Lm__LockReleasePayload *release;
	int result = CODEC_UNPACK(lm__lock_release_payload, a->item->plain, a->arena, &release, a->e);
	if (!result && release->lookup.len != RECEIPT_LOOKUP_BYTES)
		return error_set(a->e, ERR_INVALID, "a release of %zu bytes", release->lookup.len);
	if (result)
		return result;
	struct lock_search s = { release->lookup.data, NULL, 1, 0 };
	result = locks_walk(a->txn, lock_visit, &s, true, NULL);
	/* Without the lock nobody here can read them any more. */
	return result ? result : statuses_remove(a, header_request(a->item->header));
}

/* All of them: another resident's with the same code is found by the town, and theirs is certainly gone. */
int locks_remove(struct apply *a, struct bytes lookup)
{
	if (lookup.size != RECEIPT_LOOKUP_BYTES)
		return OK;
	for (;;) {
		struct lock_search s = { lookup.data, NULL, 1, 0 };
		int result = locks_walk(a->txn, lock_visit, &s, true, NULL);
		if (result || !s.count)
			return result;
	}
}

/* ---- status messages ---- */

static struct bytes status_key(struct id request, uint32_t version, uint8_t memory[20])
{
	struct writer w = writer_over(memory, 20);
	write_bytes(&w, key_id(&request));
	write_u32(&w, version);
	return BYTES(memory, w.size);
}

struct bytes status_associated(struct id request, uint32_t version, uint8_t memory[24])
{
	return status_key(request, version, memory);
}

int apply_status(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id request = header_request(h);
	Lm__RequestRecord *record;
	uint8_t key[20];
	int result = request_get(a->txn, request, a->arena, &record);
	/* This disk was put back to an image from before it: the town shows its receipt. If the page that waited for an
	 * answer hands it in again, the message says that there is more than its new key opens; until the case ends. */
	bool is_forgotten = result == ERR_NOT_FOUND;
	if (is_forgotten && h->is_closing)
		return statuses_remove(a, request);
	if (result && !is_forgotten)
		return result;
	/* What cannot be shown still counts. */
	if (!a->item->is_absent && !subject_is_erased(a->txn, codec_bytes(h->request_id)))
		store_put(a->txn, &domain_table_status, status_key(request, h->version, key), a->item->plain);
	if (is_forgotten)
		return OK;
	if (h->version > record->version)
		record->version = h->version;
	record->is_closed = h->is_closing || (record->is_closed && !h->is_reopening);
	return request_put(a, request, record);
}

int statuses_remove(struct apply *a, struct id request)
{
	uint8_t memory[20];
	return rows_numbered_remove(a, &domain_table_status, status_key(request, 0, memory));
}

uint64_t answers_expected(struct store_txn *txn)
{
	uint64_t expected = store_count(txn, &domain_table_receipt) * ANSWERS_A_RECEIPT;
	uint64_t here = store_count(txn, &domain_table_status);
	return expected > here ? expected - here : 0;
}

int status_each(struct store_txn *txn, struct id request, struct arena *arena,
                bool (*visit)(void *context, uint32_t version, struct bytes sealed), void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	uint8_t memory[20];
	int result = store_cursor_open(txn, &domain_table_status, &c);
	if (result)
		return result;
	/* Values are read by key: a cursor that opened them would read one of the next request, too, and fail if that
	 * is damaged. */
	result = store_cursor_seek(c, status_key(request, 0, memory), arena, &key, NULL);
	while (!result && key.size == 20 && memcmp(key.data, request.byte, ID_BYTES) == 0) {
		struct reader r = reader_over(BYTES(key.data + ID_BYTES, 4));
		result = store_get(txn, &domain_table_status, key, arena, &value);
		if (result || !visit(context, read_u32(&r), value))
			break;
		result = store_cursor_next(c, arena, &key, NULL);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}
