/*
 * What is read of certificates: rows, what lies beside them, and what goes with a resident's record.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

int certificate_get(struct store_txn *txn, struct id person, struct arena *arena, Lm__CertificateRecord **out)
{
	return row_get(txn, &domain_table_certificate, key_id(&person), &lm__certificate_record__descriptor, arena,
	               out);
}

struct certificate_visit {
	bool (*visit)(void *context, struct id person, const Lm__CertificateRecord *record);
	void *context;
};

static bool certificate_row_visit(void *context, struct id person, const ProtobufCMessage *row)
{
	const struct certificate_visit *v = context;
	return v->visit(v->context, person, (const Lm__CertificateRecord *)row);
}

int certificate_each(struct store_txn *txn, struct id *from, struct arena *arena,
                     bool (*visit)(void *context, struct id person, const Lm__CertificateRecord *record), void *context,
                     struct error *e)
{
	struct certificate_visit v = { visit, context };
	return person_rows_each(txn, &domain_table_certificate, &lm__certificate_record__descriptor, from, arena,
	                        certificate_row_visit, &v, e);
}

/* ---- beside it ---- */

struct bytes certificate_key(struct id person, enum certificate_beside what, struct bytes rest,
                             uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_bytes(&w, key_id(&person));
	write_u8(&w, (uint8_t)what);
	write_bytes(&w, rest);
	return BYTES(memory, w.size);
}

struct beside {
	struct bytes rest, value;
};

/* Rows of one kind in the order of their keys, the last first; at most `most`. */
static int beside_list(struct store_txn *txn, struct id person, enum certificate_beside what, struct arena *arena,
                       size_t most, struct beside **out, size_t *count)
{
	uint8_t head_memory[STORE_KEY_BYTES_MOST], end_memory[STORE_KEY_BYTES_MOST];
	struct bytes head = certificate_key(person, what, (struct bytes){ 0 }, head_memory), key, value;
	struct bytes end =
	        certificate_key(person, (enum certificate_beside)((int)what + 1), (struct bytes){ 0 }, end_memory);
	struct store_cursor *c;
	*count = 0;
	*out = arena_alloc(arena, (most + 1) * sizeof **out);
	int result = *out ? store_cursor_open(txn, &domain_table_certificate_about, &c) : ERR_MEMORY;
	if (result)
		return result;
	result = store_cursor_seek(c, end, arena, &key, &value);
	result = result == ERR_NOT_FOUND ? store_cursor_last(c, arena, &key, &value)
	         : result                ? result
	                                 : store_cursor_prev(c, arena, &key, &value);
	for (; !result && *count < most && key.size > head.size && memcmp(key.data, head.data, head.size) == 0;
	     result = store_cursor_prev(c, arena, &key, &value))
		(*out)[(*count)++] = (struct beside){ BYTES(key.data + head.size, key.size - head.size), value };
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

int certificate_events(struct store_txn *txn, struct id person, struct arena *arena, struct certificate_event **out,
                       size_t *count)
{
	struct beside *rows;
	int result = beside_list(txn, person, CERTIFICATE_EVENT, arena, CERTIFICATE_EVENTS_SHOWN, &rows, count);
	*out = result ? NULL : arena_alloc(arena, (*count + 1) * sizeof **out);
	if (!*out)
		return result ? result : ERR_MEMORY;
	for (size_t i = 0; i < *count && !result; i++) {
		Lm__CertificateEvent *row;
		struct reader version = reader_over(rows[i].rest);
		result = row_unpack(txn, &domain_table_certificate_about, &lm__certificate_event__descriptor,
		                    rows[i].value, arena, &row);
		if (!result)
			(*out)[i] = (struct certificate_event){ read_u32(&version), row->position, row->refusal };
	}
	return result;
}

#define WAITING_MOST 64 /* a clerk asks for a few things at a time */

static int by_position(const void *a, const void *b)
{
	uint64_t x = (*(Lm__CertificateWaiting *const *)a)->position;
	uint64_t y = (*(Lm__CertificateWaiting *const *)b)->position;
	return (x > y) - (x < y);
}

int certificate_waiting(struct store_txn *txn, struct id person, struct arena *arena, Lm__CertificateWaiting ***out,
                        size_t *count)
{
	struct beside *rows;
	int result = beside_list(txn, person, CERTIFICATE_WAITING, arena, WAITING_MOST, &rows, count);
	*out = result ? NULL : arena_alloc(arena, (*count + 1) * sizeof **out);
	if (!*out)
		return result ? result : ERR_MEMORY;
	for (size_t i = 0; i < *count && !result; i++)
		result = row_unpack(txn, &domain_table_certificate_about, &lm__certificate_waiting__descriptor,
		                    rows[i].value, arena, &(*out)[i]);
	if (!result && *count)
		qsort(*out, *count, sizeof **out, by_position);
	return result;
}

int certificate_expected(struct store_txn *txn, struct id person, const struct certificate_actor *town,
                         struct arena *arena, Lm__CertificateFacts **out)
{
	Lm__CertificateRecord *record;
	Lm__CertificateWaiting **waiting;
	struct error e;
	size_t count = 0;
	int result = certificate_get(txn, person, arena, &record);
	*out = result ? NULL : record->facts;
	if (!result || result == ERR_NOT_FOUND)
		result = certificate_waiting(txn, person, arena, &waiting, &count);
	for (size_t i = 0; i < count && !result; i++) {
		Lm__CertificateFacts *after = arena_alloc(arena, sizeof *after);
		if (!after)
			return ERR_MEMORY;
		if (!waiting[i]->step)
			continue;
		int step = certificate_step(txn, person, town, *out, waiting[i]->step, arena, after, &e);
		if (error_is_of_machine(step))
			return step;
		if (!step)
			*out = after;
	}
	return result;
}

void certificate_event_header(const struct id *person, const Lm__CertificateRecord *record, const char *town,
                              Lm__Header *h)
{
	h->kind = LM__KIND__KIND_CERTIFICATE;
	h->person_id = codec_data(BYTES(person->byte, ID_BYTES));
	h->place = (char *)(uintptr_t)town;
	h->owner = LM__TIER__TIER_DISTRICT;
	h->version = record ? record->version + 1 : 1;
}

/* ---- samples ---- */

static const struct id nobody = { { 0 } };

int sample_get(struct store_txn *txn, struct id sample, struct arena *arena, Lm__SampleRecord **out)
{
	uint8_t key[STORE_KEY_BYTES_MOST];
	return row_get(txn, &domain_table_certificate_about,
	               certificate_key(nobody, CERTIFICATE_SAMPLE, key_id(&sample), key),
	               &lm__sample_record__descriptor, arena, out);
}

#define SAMPLES_SHOWN 50

int sample_each(struct store_txn *txn, struct arena *arena,
                bool (*visit)(void *context, struct id sample, const Lm__SampleRecord *record), void *context)
{
	struct beside *rows;
	size_t count;
	int result = beside_list(txn, nobody, CERTIFICATE_SAMPLE, arena, SAMPLES_SHOWN, &rows, &count);
	for (size_t i = 0; !result && i < count; i++) {
		Lm__SampleRecord *record;
		struct id id = { { 0 } };
		memcpy(id.byte, rows[i].rest.data, rows[i].rest.size < ID_BYTES ? rows[i].rest.size : ID_BYTES);
		result = row_unpack(txn, &domain_table_certificate_about, &lm__sample_record__descriptor, rows[i].value,
		                    arena, &record);
		if (!result && !visit(context, id, record))
			break;
	}
	return result;
}

int sample_result_get(struct store_txn *txn, struct id sample, struct id person, struct arena *arena,
                      Lm__QualityRow **out)
{
	uint8_t key[STORE_KEY_BYTES_MOST];
	return row_get(txn, &domain_table_certificate_about,
	               certificate_key(person, CERTIFICATE_RESULT, key_id(&sample), key), &lm__quality_row__descriptor,
	               arena, out);
}

/* ---- erased with the resident's record ---- */

int64_t certificate_kept_until(struct store_txn *txn, struct id person, struct arena *arena)
{
	Lm__CertificateRecord *record;
	Lm__Service *service;
	if (certificate_get(txn, person, arena, &record) || service_get(txn, CERTIFICATE_SERVICE, 0, arena, &service) ||
	    !service->hold)
		return 0;
	bool is_from_received = service->hold->keep_from == LM__KEEP_FROM__KEEP_FROM_RECEIVED;
	return clock_months_later(is_from_received ? record->applied_ms : record->changed_ms,
	                          service->hold->keep_months);
}

int certificate_remove(struct apply *a, struct id person)
{
	static const enum certificate_beside gone[] = { CERTIFICATE_EVENT, CERTIFICATE_RESULT, CERTIFICATE_TAKEN,
		                                        CERTIFICATE_WAITING };
	int result = store_delete(a->txn, &domain_table_certificate, key_id(&person));
	result = result == ERR_NOT_FOUND ? OK : result;
	for (size_t i = 0; i < sizeof gone / sizeof *gone && !result; i++) {
		struct beside *rows;
		size_t count;
		do {
			result =
			        beside_list(a->txn, person, gone[i], a->arena, CERTIFICATE_EVENTS_SHOWN, &rows, &count);
			for (size_t k = 0; k < count && !result; k++) {
				uint8_t key[STORE_KEY_BYTES_MOST];
				result = store_delete(a->txn, &domain_table_certificate_about,
				                      certificate_key(person, gone[i], rows[k].rest, key));
			}
		} while (!result && count == CERTIFICATE_EVENTS_SHOWN);
	}
	return result;
}
