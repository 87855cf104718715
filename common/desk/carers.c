/*
 * Who handed a request in for somebody else, and whether the resident's record says that they may. It is asked anew
 * each time that staff look: what the resident takes back counts at once.
 */
#include <string.h>

#include "base/clock.h"
#include "domain/person.h"
#include "inside.h"

#define OTHERS_MOST 50 /* of the resident's requests, the newest */
#define PAYLOAD_ARENA_BYTES (8u * 1024 * 1024)
#define DAY_BYTES 10

/* The resident withdrew it with the receipt's code, and said that it was never wanted. */
static int unwanted_find(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                         bool *is_unwanted)
{
	int result = OK;
	for (size_t i = 0; i < record->n_asks && !result; i++) {
		const Lm__PendingAsk *ask = record->asks[i];
		Lm__TapeItem *item;
		Lm__Header *h;
		Lm__WithdrawPayload *withdraw;
		struct bytes plain;
		bool is_absent = false;
		if (ask->kind != LM__KIND__KIND_WITHDRAW || !ask->position)
			continue;
		result = item_at(n, txn, ask->position, arena, &item, &h, &plain, &is_absent);
		if (!result && !is_absent && !CODEC_UNPACK(lm__withdraw_payload, plain, arena, &withdraw, NULL))
			*is_unwanted |= withdraw->is_unwanted;
	}
	return error_is_of_machine(result) ? result : OK;
}

/* One of the resident's other requests: this carer handed it in, and it was not wanted. */
static int other_find(struct node *n, struct store_txn *txn, struct id request, const Lm__Carer *carer,
                      struct arena *arena, bool *is_unwanted)
{
	Lm__CaseRecord *record;
	Lm__RequestPayload *payload;
	struct arena whole; /* with its pictures */
	bool is_its = false;
	int result = case_get(txn, request, arena, &record);
	if (result || record->state != LM__CASE_STATE__CASE_STATE_WITHDRAWN)
		return error_is_of_machine(result) ? result : OK;
	result = unwanted_find(n, txn, record, arena, &is_its);
	if (result || !is_its)
		return result;
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	result = request_payload_open(n, txn, record, &whole, &payload, NULL);
	if (!result && payload->carer && strcmp(payload->carer->name, carer->name) == 0)
		*is_unwanted = true;
	arena_release(&whole);
	return error_is_of_machine(result) ? result : OK;
}

static int others_find(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, const Lm__Carer *carer,
                       struct arena *arena, bool *is_unwanted)
{
	struct id person, *list;
	size_t count = 0;
	bool is_more;
	memcpy(person.byte, record->person_id.data, ID_BYTES);
	int result = person_cases(txn, person, arena, OTHERS_MOST, &list, &count, &is_more);
	for (size_t i = 0; i < count && !result && !*is_unwanted; i++)
		result = other_find(n, txn, list[i], carer, arena, is_unwanted);
	return result;
}

static Lm__Authority by_record(const Lm__CaseRecord *record, const Lm__Service *service, const Lm__Carer *carer,
                               const Lm__PersonFacts *facts)
{
	char day[CLOCK_TEXT_BYTES];
	if (!facts)
		return LM__AUTHORITY__AUTHORITY_NOT_HERE;
	clock_format_shanghai(case_state_is_closed(record->state) ? record->closed_ms : clock_wall_ms(), day);
	day[DAY_BYTES] = '\0';
	return authority_of(facts, carer, service ? service->module : LM__MODULE__MODULE_NONE, day);
}

int carer_authority(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, const Lm__Service *service,
                    const Lm__RequestPayload *payload, const Lm__PersonFacts *facts, struct arena *arena,
                    Lm__Authority *out)
{
	bool is_unwanted = false, has_person = record->person_id.len == ID_BYTES;
	*out = LM__AUTHORITY__AUTHORITY_NONE;
	if (!payload->carer)
		return OK;
	int result = unwanted_find(n, txn, record, arena, &is_unwanted);
	if (!result && !is_unwanted && has_person && !case_state_is_closed(record->state))
		result = others_find(n, txn, record, payload->carer, arena, &is_unwanted);
	if (is_unwanted)
		*out = LM__AUTHORITY__AUTHORITY_UNWANTED;
	else if (service && request_is_for_child(service, payload, record->created_ms))
		*out = LM__AUTHORITY__AUTHORITY_CHILD;
	else if (!has_person)
		*out = LM__AUTHORITY__AUTHORITY_NOT_CONFIRMED;
	else
		*out = by_record(record, service, payload->carer, facts);
	return result;
}
