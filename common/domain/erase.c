/*
 * Erasing what a person told. One act is about one person: the requests and the records that staff name, and with a
 * record all its requests here. Two people do it, at the tier that owns the cases; what comes of it is one word to
 * every other tier, and at each an entry of its own that says what was destroyed there.
 *
 *   own (town, district)   ERASE_ACT   proposed, dropped, confirmed by another
 *   up, down               ERASE       the owner's word
 *   own (every tier)       ERASURE     carried out here: what apply changes is changed by this entry
 *
 * Headers stay, and with them states, counts and who decided what when. A replay meets the payloads absent and comes to
 * the same rows: what they had told the rows is cleared here, or lies beside the item on the tape (ErasedFacts).
 */
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define NAME_BYTES_MOST 64

int erased_get(struct store_txn *txn, struct bytes subject, struct arena *arena, Lm__ErasedRecord **out)
{
	return subject.size == ID_BYTES
	               ? row_get(txn, &domain_table_erased, subject, &lm__erased_record__descriptor, arena, out)
	               : ERR_NOT_FOUND;
}

bool subject_is_erased(struct store_txn *txn, struct bytes subject)
{
	struct arena arena;
	Lm__ErasedRecord *record;
	arena_init(&arena, 4096);
	bool is_erased = !erased_get(txn, subject, &arena, &record) && record->is_erased;
	arena_release(&arena);
	return is_erased;
}

int erasure_get(struct store_txn *txn, struct bytes act, struct arena *arena, Lm__ErasureRecord **out)
{
	return act.size == ACT_BYTES
	               ? row_get(txn, &domain_table_erasure, act, &lm__erasure_record__descriptor, arena, out)
	               : ERR_NOT_FOUND;
}

int erasure_each(struct store_txn *txn, struct arena *arena,
                 bool (*visit)(void *context, const Lm__ErasureRecord *record), void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	Lm__ErasureRecord *record;
	int result = store_cursor_open(txn, &domain_table_erasure, &c);
	if (result)
		return result;
	result = store_cursor_last(c, arena, &key, &value);
	while (!result) {
		result = row_unpack(txn, &domain_table_erasure, &lm__erasure_record__descriptor, value, arena, &record);
		if (result || !visit(context, record))
			break;
		result = store_cursor_prev(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* ---- may it be erased? ---- */

int64_t erase_kept_until(struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena, Lm__Basis **why)
{
	Lm__Service *service;
	if (service_get(txn, record->service, 0, arena, &service) || !service->hold)
		return 0;
	bool is_from_received = service->hold->keep_from == LM__KEEP_FROM__KEEP_FROM_RECEIVED;
	int64_t closed_ms = record->closed_ms ? record->closed_ms : record->changed_ms;
	if (why && service->hold->n_basis)
		*why = service->hold->basis[0];
	return clock_months_later(is_from_received ? record->received_ms : closed_ms, service->hold->keep_months);
}

int erase_check(const struct domain *d, struct store_txn *txn, struct id request, int64_t now_ms, struct arena *arena,
                struct error *e)
{
	Lm__CaseRecord *record;
	Lm__ErasedRecord *erased;
	char day[CLOCK_TEXT_BYTES];
	int result = case_get(txn, request, arena, &record);
	if (!result && case_is_hidden(d, record))
		result = ERR_NOT_FOUND;
	if (result)
		return result == ERR_NOT_FOUND ? error_set(e, result, "requests: there is no such case here") : result;
	if (record->owner != d->tier)
		return error_set(e, ERR_DENIED, "requests: the other tier has this case, and erases what is in it");
	if (!case_is_ours(d, record))
		return error_set(e, ERR_DENIED, "requests: town %.20s has this case, and erases what is in it",
		                 case_decider(record));
	if (!case_state_is_closed(record->state))
		return error_set(e, ERR_CONFLICT, "requests: this case is open; it is erased when it is closed");
	if (!erased_get(txn, key_id(&request), arena, &erased))
		return error_set(e, ERR_EXISTS,
		                 erased->is_erased ? "requests: this request was erased before"
		                                   : "requests: erasing this one is proposed already");
	int64_t until_ms = erase_kept_until(txn, record, arena, NULL);
	clock_format_shanghai(until_ms, day);
	return until_ms > now_ms
	               ? error_set(e, ERR_CONFLICT, "requests: what was told for service %.64s is kept until %.10s",
	                           record->service, day)
	               : OK;
}

struct id id_at(const ProtobufCBinaryData *list, size_t i)
{
	struct id id = { { 0 } };
	if (list[i].len == ID_BYTES)
		memcpy(id.byte, list[i].data, ID_BYTES);
	return id;
}

static bool is_among(struct id id, const ProtobufCBinaryData *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(key_id(&id), codec_bytes(list[i])))
			return true;
	return false;
}

/* What is open, or kept by a rule, holds up the request and with it the whole act. */
static int cases_check(struct store_txn *txn, struct id person, const struct erase_list *named, struct arena *arena,
                       struct error *e)
{
	struct id *list;
	size_t count = 0;
	bool is_more;
	int result = person_cases(txn, person, arena, SIZE_MAX, &list, &count, &is_more);
	for (size_t i = 0; i < count && !result; i++)
		if (!subject_is_erased(txn, key_id(&list[i])) &&
		    !is_among(list[i], named->requests, named->request_count))
			result = error_set(e, ERR_CONFLICT,
			                   "persons: a request of this person is not among those that are named");
	return result;
}

static int certificate_hold_check(struct store_txn *txn, struct id person, int64_t now_ms, struct arena *arena,
                                  struct error *e)
{
	char day[CLOCK_TEXT_BYTES];
	int64_t until_ms = certificate_kept_until(txn, person, arena);
	clock_format_shanghai(until_ms, day);
	return until_ms > now_ms
	               ? error_set(e, ERR_CONFLICT, "persons: the certificate's record is kept until %.10s", day)
	               : OK;
}

int erase_person_check(const struct domain *d, struct store_txn *txn, struct id person, const struct erase_list *named,
                       int64_t now_ms, struct arena *arena, struct error *e)
{
	Lm__PersonRecord *record;
	struct id family[PERSON_FAMILY_MOST];
	size_t count = 0;
	int result = person_get(txn, person, arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? error_set(e, result, "persons: there is no such record here") : result;
	if (d->tier != LM__TIER__TIER_TOWN || strcmp(record->town, d->place) != 0)
		return error_set(e, ERR_DENIED, "persons: town %.20s has this record, and erases it", record->town);
	result = person_family(txn, person, family, &count);
	if (result == ERR_TOO_MANY)
		return error_set(e, result, "persons: too many records were merged into this one");
	for (size_t i = 0; i < count && !result; i++) {
		if (!is_among(family[i], named->persons, named->person_count))
			result = error_set(e, ERR_CONFLICT, "persons: what was merged into it is not named");
		if (!result)
			result = cases_check(txn, family[i], named, arena, e);
		if (!result)
			result = certificate_hold_check(txn, family[i], now_ms, arena, e);
	}
	return result;
}

/* ---- proposed, dropped, confirmed ---- */

static bool text_is_good(const char *text)
{
	return text[strspn(text, " \t\r\n")] && strlen(text) <= ERASE_TEXT_BYTES_MOST;
}

static int ids_check(const char *name, const ProtobufCBinaryData *list, size_t count, struct error *e)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].len != ID_BYTES)
			return error_set(e, ERR_INVALID, "%s[%zu]: 32 hexadecimal digits", name, i);
		if (is_among(id_at(list, i), list, i))
			return error_set(e, ERR_INVALID, "%s[%zu]: named twice", name, i);
	}
	return OK;
}

static int act_shape(const Lm__EraseActPayload *act, struct error *e)
{
	if (act->act.len != ACT_BYTES)
		return error_set(e, ERR_INVALID, "act: %d bytes", ACT_BYTES);
	if (!act->by[0] || strlen(act->by) > NAME_BYTES_MOST)
		return error_set(e, ERR_INVALID, "by: say who does it, in at most %d bytes", NAME_BYTES_MOST);
	if (act->action != LM__ERASE_ACTION__ERASE_ACTION_PROPOSE)
		return OK;
	if (!text_is_good(act->reason))
		return error_set(e, ERR_INVALID, "reason: say why, in at most %d bytes", ERASE_TEXT_BYTES_MOST);
	if (!text_is_good(act->ground))
		return error_set(e, ERR_INVALID, "ground: name the rule it rests on, in at most %d bytes",
		                 ERASE_TEXT_BYTES_MOST);
	if (act->n_person_id > ERASE_PERSONS_MOST || act->n_requests > ERASE_REQUESTS_MOST ||
	    (!act->n_requests && !act->n_person_id))
		return error_set(e, ERR_INVALID, "requests: 1 to %d of them", ERASE_REQUESTS_MOST);
	int result = ids_check("requests", act->requests, act->n_requests, e);
	return result ? result : ids_check("persons", act->person_id, act->n_person_id, e);
}

int subject_note(struct apply *a, ProtobufCBinaryData subject, ProtobufCBinaryData act, bool is_erased,
                 enum domain_effect_type type)
{
	Lm__ErasedRecord row = LM__ERASED_RECORD__INIT;
	row.act = act;
	row.is_erased = is_erased;
	int result = row_put(a, &domain_table_erased, codec_bytes(subject), &row.base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = type, .request = id_at(&subject, 0) });
}

static int subjects_check(struct apply *a, const Lm__EraseActPayload *act)
{
	const struct erase_list named = { act->requests, act->n_requests, act->person_id, act->n_person_id };
	Lm__ErasedRecord *erased;
	int result = OK;
	for (size_t i = 0; i < act->n_requests && !result; i++)
		result = erase_check(a->d, a->txn, id_at(act->requests, i), a->item->taken_ms, a->arena, a->e);
	for (size_t i = 0; i < act->n_person_id && !result; i++) {
		result = erase_person_check(a->d, a->txn, id_at(act->person_id, i), &named, a->item->taken_ms, a->arena,
		                            a->e);
		if (!result && !erased_get(a->txn, codec_bytes(act->person_id[i]), a->arena, &erased))
			result = error_set(a->e, ERR_EXISTS, "persons: erasing this record is proposed already");
	}
	return result;
}

static int act_propose(struct apply *a, const Lm__EraseActPayload *act)
{
	Lm__ErasureRecord row = LM__ERASURE_RECORD__INIT;
	Lm__ErasePayload content = LM__ERASE_PAYLOAD__INIT;
	Lm__ErasedRequest request[ERASE_REQUESTS_MOST], *requests[ERASE_REQUESTS_MOST];
	if (store_has(a->txn, &domain_table_erasure, codec_bytes(act->act)))
		return error_set(a->e, ERR_EXISTS, "act: this one is proposed already");
	int result = subjects_check(a, act);
	for (size_t i = 0; i < act->n_requests && !result; i++) {
		lm__erased_request__init(&request[i]);
		request[i].request_id = act->requests[i];
		requests[i] = &request[i];
		result = subject_note(a, act->requests[i], act->act, false, DOMAIN_CASE);
	}
	for (size_t i = 0; i < act->n_person_id && !result; i++)
		result = subject_note(a, act->person_id[i], act->act, false, DOMAIN_PERSON);
	if (result)
		return result;
	content.act = act->act;
	content.requests = requests;
	content.n_requests = act->n_requests;
	content.person_id = act->person_id;
	content.n_person_id = act->n_person_id;
	content.tier = a->d->tier;
	content.place = (char *)(uintptr_t)a->d->place;
	content.reason = act->reason;
	content.ground = act->ground;
	content.proposed_by = act->by;
	content.proposed_ms = a->item->header->time_ms;
	row.content = &content;
	return row_put(a, &domain_table_erasure, codec_bytes(act->act), &row.base);
}

/* What it named is free again. */
static int subjects_free(struct apply *a, const Lm__ErasePayload *content)
{
	int result = OK;
	for (size_t i = 0; i < content->n_requests && !result; i++) {
		struct id id;
		memcpy(id.byte, content->requests[i]->request_id.data, ID_BYTES);
		result = store_delete(a->txn, &domain_table_erased, key_id(&id));
		if (!result)
			result = effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = id });
	}
	for (size_t i = 0; i < content->n_person_id && !result; i++) {
		result = store_delete(a->txn, &domain_table_erased, codec_bytes(content->person_id[i]));
		if (!result)
			result = effect_add(a, (struct domain_effect){ .type = DOMAIN_PERSON,
			                                               .request = id_at(content->person_id, i) });
	}
	return result;
}

/* Nor may a request have become this person's since. */
static int persons_still(struct apply *a, const Lm__ErasePayload *content)
{
	ProtobufCBinaryData requests[ERASE_REQUESTS_MOST];
	struct erase_list named = { requests, content->n_requests, content->person_id, content->n_person_id };
	int result = OK;
	for (size_t i = 0; i < content->n_requests; i++)
		requests[i] = content->requests[i]->request_id;
	for (size_t i = 0; i < content->n_person_id && !result; i++)
		result = erase_person_check(a->d, a->txn, id_at(content->person_id, i), &named, a->item->taken_ms,
		                            a->arena, a->e);
	return result;
}

/* What held nobody up when it was proposed may do so now: a service may have got a hold since. */
static int act_confirm(struct apply *a, const Lm__EraseActPayload *act, Lm__ErasureRecord *row)
{
	Lm__ErasePayload *content = row->content;
	struct bytes packed;
	if (strcmp(act->by, content->proposed_by) == 0)
		return error_set(a->e, ERR_DENIED, "%.64s proposed this: a second person confirms it", act->by);
	for (size_t i = 0; i < content->n_requests; i++) {
		Lm__CaseRecord *record;
		struct id id;
		memcpy(id.byte, content->requests[i]->request_id.data, ID_BYTES);
		int result = case_get(a->txn, id, a->arena, &record);
		if (result)
			return result;
		if (erase_kept_until(a->txn, record, a->arena, NULL) > a->item->taken_ms)
			return error_set(a->e, ERR_CONFLICT,
			                 "service %.64s has got a time for which it is kept since this was proposed",
			                 record->service);
	}
	int result = persons_still(a, content);
	if (result)
		return result;
	content->confirmed_by = act->by;
	content->decided_ms = a->item->header->time_ms;
	result = CODEC_PACK(content, a->arena, &packed, a->e);
	return result ? store_fail(a->txn, result, "no memory to erase")
	              : effect_add(a, (struct domain_effect){ .type = DOMAIN_ERASE, .message = packed });
}

int apply_erase_act(struct apply *a)
{
	Lm__EraseActPayload *act;
	Lm__ErasureRecord *row;
	int result = CODEC_UNPACK(lm__erase_act_payload, a->item->plain, a->arena, &act, a->e);
	if (!result)
		result = act_shape(act, a->e);
	if (result)
		return result;
	if (act->action == LM__ERASE_ACTION__ERASE_ACTION_PROPOSE)
		return act_propose(a, act);
	result = erasure_get(a->txn, codec_bytes(act->act), a->arena, &row);
	if (result == ERR_NOT_FOUND)
		return error_set(a->e, result, "act: nothing of this name is proposed");
	if (result)
		return result;
	if (row->is_done)
		return error_set(a->e, ERR_CLOSED, "act: this was done before");
	switch (act->action) {
	case LM__ERASE_ACTION__ERASE_ACTION_CONFIRM:
		return act_confirm(a, act, row);
	case LM__ERASE_ACTION__ERASE_ACTION_DROP:
		result = subjects_free(a, row->content);
		return result ? result : store_delete(a->txn, &domain_table_erasure, codec_bytes(act->act));
	default:
		return error_set(a->e, ERR_INVALID, "action: propose, confirm or drop");
	}
}
