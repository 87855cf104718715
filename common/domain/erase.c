/*
 * Erasing what a person told. One act is about one person: today the requests that staff name, later what a registry
 * knows. Two people do it, at the tier that owns the cases; what comes of it is one word to every other tier, and at
 * each an entry of its own that says what was destroyed there.
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

#define ACT_BYTES ID_BYTES
#define NAME_BYTES_MOST 64

int erased_get(struct store_txn *txn, struct bytes request_id, struct arena *arena, Lm__ErasedRecord **out)
{
	return request_id.size == ID_BYTES
	               ? row_get(txn, &domain_table_erased, request_id, &lm__erased_record__descriptor, arena, out)
	               : ERR_NOT_FOUND;
}

bool request_is_erased(struct store_txn *txn, struct bytes request_id)
{
	struct arena arena;
	Lm__ErasedRecord *record;
	arena_init(&arena, 4096);
	bool is_erased = !erased_get(txn, request_id, &arena, &record) && record->is_erased;
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

/* ---- proposed, dropped, confirmed ---- */

static bool text_is_good(const char *text)
{
	return text[strspn(text, " \t\r\n")] && strlen(text) <= ERASE_TEXT_BYTES_MOST;
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
	if (!act->n_requests || act->n_requests > ERASE_REQUESTS_MOST)
		return error_set(e, ERR_INVALID, "requests: 1 to %d of them", ERASE_REQUESTS_MOST);
	for (size_t i = 0; i < act->n_requests; i++) {
		if (act->requests[i].len != ID_BYTES)
			return error_set(e, ERR_INVALID, "requests[%zu]: 32 hexadecimal digits", i);
		for (size_t k = 0; k < i; k++)
			if (bytes_equal(codec_bytes(act->requests[i]), codec_bytes(act->requests[k])))
				return error_set(e, ERR_INVALID, "requests[%zu]: named twice", i);
	}
	return OK;
}

static int request_note(struct apply *a, ProtobufCBinaryData request, ProtobufCBinaryData act, bool is_erased)
{
	Lm__ErasedRecord row = LM__ERASED_RECORD__INIT;
	struct id id;
	memcpy(id.byte, request.data, ID_BYTES);
	row.act = act;
	row.is_erased = is_erased;
	int result = row_put(a, &domain_table_erased, codec_bytes(request), &row.base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = id });
}

static int requests_check(struct apply *a, const ProtobufCBinaryData *requests, size_t count)
{
	int result = OK;
	for (size_t i = 0; i < count && !result; i++) {
		struct id id;
		memcpy(id.byte, requests[i].data, ID_BYTES);
		result = erase_check(a->d, a->txn, id, a->item->taken_ms, a->arena, a->e);
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
	int result = requests_check(a, act->requests, act->n_requests);
	for (size_t i = 0; i < act->n_requests && !result; i++) {
		lm__erased_request__init(&request[i]);
		request[i].request_id = act->requests[i];
		requests[i] = &request[i];
		result = request_note(a, act->requests[i], act->act, false);
	}
	if (result)
		return result;
	content.act = act->act;
	content.requests = requests;
	content.n_requests = act->n_requests;
	content.tier = a->d->tier;
	content.place = (char *)(uintptr_t)a->d->place;
	content.reason = act->reason;
	content.ground = act->ground;
	content.proposed_by = act->by;
	content.proposed_ms = a->item->header->time_ms;
	row.content = &content;
	return row_put(a, &domain_table_erasure, codec_bytes(act->act), &row.base);
}

/* The requests are free again: for the confirmation, which checks them once more, or for good. */
static int requests_free(struct apply *a, const Lm__ErasePayload *content)
{
	int result = OK;
	for (size_t i = 0; i < content->n_requests && !result; i++) {
		struct id id;
		memcpy(id.byte, content->requests[i]->request_id.data, ID_BYTES);
		result = store_delete(a->txn, &domain_table_erased, key_id(&id));
		if (!result)
			result = effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = id });
	}
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
	content->confirmed_by = act->by;
	content->decided_ms = a->item->header->time_ms;
	int result = CODEC_PACK(content, a->arena, &packed, a->e);
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
		result = requests_free(a, row->content);
		return result ? result : store_delete(a->txn, &domain_table_erasure, codec_bytes(act->act));
	default:
		return error_set(a->e, ERR_INVALID, "action: propose, confirm or drop");
	}
}

/* ---- the owner's word at other tiers ---- */

static int erase_shape(const Lm__ErasePayload *p, struct error *e)
{
	bool is_good = p->act.len == ACT_BYTES && p->n_requests && p->n_requests <= ERASE_REQUESTS_MOST;
	for (size_t i = 0; i < p->n_requests && is_good; i++)
		is_good = p->requests[i]->request_id.len == ID_BYTES;
	return is_good ? OK : error_set(e, ERR_INVALID, "an erasing that names no act, or no request");
}

/* Only who has the case. One that has not come yet is erased as it comes: its id is nothing that anybody guesses. */
static int owner_check(struct apply *a, const Lm__ErasedRequest *request)
{
	Lm__CaseRecord *record;
	struct id id;
	bool is_from_town = a->d->tier == LM__TIER__TIER_DISTRICT;
	memcpy(id.byte, request->request_id.data, ID_BYTES);
	int result = a->d->tier == LM__TIER__TIER_TERMINAL ? ERR_NOT_FOUND : case_get(a->txn, id, a->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	if (record->owner != (is_from_town ? LM__TIER__TIER_TOWN : LM__TIER__TIER_DISTRICT))
		return error_set(a->e, ERR_DENIED, "another tier has the case that is to be erased");
	return is_from_town ? case_town_check(a, record) : OK;
}

int apply_erase(struct apply *a)
{
	Lm__ErasePayload *p;
	int result = CODEC_UNPACK(lm__erase_payload, a->item->plain, a->arena, &p, a->e);
	if (!result)
		result = erase_shape(p, a->e);
	for (size_t i = 0; !result && i < p->n_requests; i++)
		result = owner_check(a, p->requests[i]);
	return result ? result
	              : effect_add(a, (struct domain_effect){ .type = DOMAIN_ERASE, .message = a->item->plain });
}

/* What we told a neighbour: done here by the entries beside it. After a restore those are lost with `own`, and the word
 * that comes back stands for them. */
int apply_erase_told(struct apply *a)
{
	Lm__ErasePayload *p;
	bool is_done = true;
	int result = CODEC_UNPACK(lm__erase_payload, a->item->plain, a->arena, &p, a->e);
	if (!result)
		result = erase_shape(p, a->e);
	for (size_t i = 0; !result && i < p->n_requests; i++)
		is_done &= request_is_erased(a->txn, codec_bytes(p->requests[i]->request_id));
	if (result || is_done)
		return result;
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_ERASE, .message = a->item->plain });
}

int erase_tell(struct apply *a, struct id request)
{
	uint64_t origin = a->item->header->origin;
	if (a->d->tier != LM__TIER__TIER_TOWN || origin == a->d->device || !request_is_erased(a->txn, key_id(&request)))
		return OK;
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_ERASE_TELL, .request = request, .device = origin });
}

/* ---- carried out here ---- */

static int case_erase(struct apply *a, struct id request)
{
	Lm__CaseRecord *record;
	uint8_t key[8];
	int result = case_get(a->txn, request, a->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	record->is_absent = true;
	record->lookup = (ProtobufCBinaryData){ 0 };
	store_delete(a->txn, &domain_table_lock, key_u64(record->closed_key, key));
	return case_put(a, request, record);
}

static int request_erase(struct apply *a, const Lm__ErasedRequest *r, ProtobufCBinaryData act)
{
	struct id id;
	memcpy(id.byte, r->request_id.data, ID_BYTES);
	int result = request_note(a, r->request_id, act, true);
	if (!result && a->d->tier != LM__TIER__TIER_TERMINAL)
		return case_erase(a, id);
	if (!result)
		result = statuses_remove(a, id);
	return result ? result : locks_remove(a, codec_bytes(r->lookup));
}

/* Parts of one act may come one after another. */
static int requests_join(struct apply *a, const Lm__ErasureRecord *known, Lm__ErasePayload *p)
{
	if (!known->is_done || !known->content)
		return OK;
	size_t count = known->content->n_requests + p->n_requests;
	Lm__ErasedRequest **all = arena_alloc(a->arena, count * sizeof *all);
	if (!all)
		return store_fail(a->txn, ERR_MEMORY, "no memory to erase %zu requests", count);
	memcpy(all, known->content->requests, known->content->n_requests * sizeof *all);
	memcpy(all + known->content->n_requests, p->requests, p->n_requests * sizeof *all);
	p->requests = all;
	p->n_requests = count;
	return OK;
}

int apply_erasure(struct apply *a)
{
	Lm__ErasureRecord row = LM__ERASURE_RECORD__INIT, *known;
	Lm__ErasePayload *p;
	int result = CODEC_UNPACK(lm__erase_payload, a->item->plain, a->arena, &p, a->e);
	if (!result)
		result = erase_shape(p, a->e);
	for (size_t i = 0; !result && i < p->n_requests; i++)
		result = request_erase(a, p->requests[i], p->act);
	if (result)
		return result;
	result = erasure_get(a->txn, codec_bytes(p->act), a->arena, &known);
	if (!result)
		result = requests_join(a, known, p);
	else if (result == ERR_NOT_FOUND)
		result = OK;
	for (size_t i = 0; i < p->n_requests; i++) /* it opened a lock that is gone: no use to keep it */
		p->requests[i]->lookup = (ProtobufCBinaryData){ 0 };
	row.content = p;
	row.is_done = true;
	row.erased_ms = a->item->taken_ms;
	return result ? result : row_put(a, &domain_table_erasure, codec_bytes(p->act), &row.base);
}
