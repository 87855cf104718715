/*
 * Erasing, as it goes on: the owner's word at other tiers, and what apply changes when it is carried out.
 */
#include <string.h>

#include "inside.h"

/* ---- the owner's word at other tiers ---- */

static int erase_shape(const Lm__ErasePayload *p, struct error *e)
{
	bool is_good = p->act.len == ACT_BYTES && (p->n_requests || p->n_person_id) &&
	               p->n_requests <= ERASE_REQUESTS_MOST && p->n_person_id <= ERASE_PERSONS_MOST;
	for (size_t i = 0; i < p->n_requests && is_good; i++)
		is_good = p->requests[i]->request_id.len == ID_BYTES;
	for (size_t i = 0; i < p->n_person_id && is_good; i++)
		is_good = p->person_id[i].len == ID_BYTES;
	return is_good ? OK : error_set(e, ERR_INVALID, "an erasing that names no act, or nothing to erase");
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
	const char *author;
	if (is_from_town)
		result = case_author(a, &author);
	if (is_from_town && !result)
		return case_author_check(a, record, author);
	if (!result && case_is_ours(a->d, record)) /* the district's word, or what it heard from who has it */
		return error_set(a->e, ERR_DENIED, "this town has the case that is to be erased");
	return result;
}

/* The town that has the record says so to the district, and the district to the towns that had it before. */
static int person_owner_check(struct apply *a, struct id person)
{
	Lm__PersonRecord *record;
	Lm__DeviceRecord *town;
	if (a->d->tier == LM__TIER__TIER_TERMINAL)
		return error_set(a->e, ERR_DENIED, "a terminal knows of no records");
	int result = person_get(a->txn, person, a->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	bool is_from_town = a->d->tier == LM__TIER__TIER_DISTRICT;
	if (is_from_town && memo_device(a, a->item->header->origin, &town))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)a->item->header->origin);
	bool may = is_from_town ? strcmp(town->place, record->town) == 0 : strcmp(a->d->place, record->town) != 0;
	return may ? OK : error_set(a->e, ERR_DENIED, "town %.20s has the record that is to be erased", record->town);
}

/* Not during a return: nobody could be told, and who has what is to be erased may not have been given back yet. */
int apply_erase(struct apply *a)
{
	Lm__ErasePayload *p;
	if (restore_is_returning(a->txn, a->arena))
		return held_on_return(a);
	int result = CODEC_UNPACK(lm__erase_payload, a->item->plain, a->arena, &p, a->e);
	if (!result)
		result = erase_shape(p, a->e);
	for (size_t i = 0; !result && i < p->n_requests; i++)
		result = owner_check(a, p->requests[i]);
	for (size_t i = 0; !result && i < p->n_person_id; i++)
		result = person_owner_check(a, id_at(p->person_id, i));
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
		is_done &= subject_is_erased(a->txn, codec_bytes(p->requests[i]->request_id));
	for (size_t i = 0; !result && i < p->n_person_id; i++)
		is_done &= subject_is_erased(a->txn, codec_bytes(p->person_id[i]));
	if (result || is_done)
		return result;
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_ERASE, .message = a->item->plain });
}

int erase_tell(struct apply *a, struct id request)
{
	uint64_t origin = a->item->header->origin;
	if (a->d->tier != LM__TIER__TIER_TOWN || origin == a->d->device || !subject_is_erased(a->txn, key_id(&request)))
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
	record->n_former_codes = 0;
	store_delete(a->txn, &domain_table_lock, key_u64(record->closed_key, key));
	result = contacts_remove(a, request);
	return result ? result : case_put(a, request, record);
}

static int request_erase(struct apply *a, const Lm__ErasedRequest *r, ProtobufCBinaryData act)
{
	struct id id;
	memcpy(id.byte, r->request_id.data, ID_BYTES);
	int result = subject_note(a, r->request_id, act, true, DOMAIN_CASE);
	if (!result)
		result = parts_remove(a, id);
	if (!result && a->d->tier != LM__TIER__TIER_TERMINAL)
		return case_erase(a, id);
	if (!result)
		result = statuses_remove(a, id);
	return result ? result : locks_remove(a, codec_bytes(r->lookup));
}

static int person_erase(struct apply *a, ProtobufCBinaryData person, ProtobufCBinaryData act)
{
	int result = person_remove(a, id_at(&person, 0));
	return result ? result : subject_note(a, person, act, true, DOMAIN_PERSON);
}

/* Parts of one act may come one after another. */
static int subjects_join(struct apply *a, const Lm__ErasureRecord *known, Lm__ErasePayload *p)
{
	if (!known->is_done || !known->content)
		return OK;
	size_t count = known->content->n_requests + p->n_requests;
	Lm__ErasedRequest **all = arena_alloc(a->arena, (count + 1) * sizeof *all);
	if (!all)
		return store_fail(a->txn, ERR_MEMORY, "no memory to erase %zu requests", count);
	if (known->content->n_requests)
		memcpy(all, known->content->requests, known->content->n_requests * sizeof *all);
	if (p->n_requests)
		memcpy(all + known->content->n_requests, p->requests, p->n_requests * sizeof *all);
	p->requests = all;
	p->n_requests = count;
	size_t persons = known->content->n_person_id + p->n_person_id;
	ProtobufCBinaryData *person = arena_alloc(a->arena, (persons + 1) * sizeof *person);
	if (!person)
		return store_fail(a->txn, ERR_MEMORY, "no memory to erase %zu records", persons);
	if (known->content->n_person_id)
		memcpy(person, known->content->person_id, known->content->n_person_id * sizeof *person);
	if (p->n_person_id)
		memcpy(person + known->content->n_person_id, p->person_id, p->n_person_id * sizeof *person);
	p->person_id = person;
	p->n_person_id = persons;
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
	for (size_t i = 0; !result && i < p->n_person_id; i++)
		result = person_erase(a, p->person_id[i], p->act);
	if (result)
		return result;
	result = erasure_get(a->txn, codec_bytes(p->act), a->arena, &known);
	if (!result)
		result = subjects_join(a, known, p);
	else if (result == ERR_NOT_FOUND)
		result = OK;
	for (size_t i = 0; i < p->n_requests; i++) /* it opened a lock that is gone: no use to keep it */
		p->requests[i]->lookup = (ProtobufCBinaryData){ 0 };
	row.content = p;
	row.is_done = true;
	row.erased_ms = a->item->taken_ms;
	return result ? result : row_put(a, &domain_table_erasure, codec_bytes(p->act), &row.base);
}
