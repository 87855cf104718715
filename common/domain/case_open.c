/*
 * A request becomes a case: who may send it, whether its service is known here, and whether its answers fit.
 */
#include <string.h>

#include "inside.h"

static int payload_read(struct apply *a, const Lm__Service *service, Lm__CaseRecord *record)
{
	Lm__RequestPayload *payload;
	struct form_fault fault;
	record->is_absent = a->item->is_absent;
	if (a->item->is_absent)
		return OK;
	int result = CODEC_UNPACK(lm__request_payload, a->item->plain, a->arena, &payload, a->e);
	if (result)
		return result;
	if (payload->receipt_key.len != RECEIPT_KEY_BYTES || payload->lookup.len != RECEIPT_LOOKUP_BYTES)
		return error_set(a->e, ERR_INVALID, "the request carries no valid receipt key");
	if (request_check(service, payload, a->item->header->time_ms, &fault, 1))
		return error_set(a->e, ERR_INVALID, "field %.64s: %s", fault.field, fault.rule);
	record->lookup = payload->lookup;
	Lm__NodeSecretPayload *secret;
	struct hash hash;
	if (a->d->tier != LM__TIER__TIER_TOWN || memo_secret(a, &secret))
		return OK;
	struct error e = { 0 };
	result = case_code_hash(secret->code_hash_key.data, payload->code, &hash, &e);
	void *copy = result ? NULL : arena_copy(a->arena, hash.byte, HASH_BYTES);
	if (!copy)
		return store_fail(a->txn, result ? result : ERR_MEMORY, "the receipt code cannot be filed: %s", e.text);
	record->code_hash = codec_data(BYTES(copy, HASH_BYTES));
	return OK;
}

static int town_of(struct apply *a, char town[PLACE_TEXT_BYTES])
{
	const Lm__Header *h = a->item->header;
	Lm__DeviceRecord *device;
	if (memo_device(a, h->origin, &device))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)h->origin);
	enum place_level level = place_level_of(h->place);
	bool is_near =
	        level >= PLACE_COMMUNITY && strlen(device->place) >= 12 && strncmp(device->place, h->place, 12) == 0;
	if (!is_near)
		return error_set(a->e, ERR_INVALID, "a device of %.20s cannot write for %.20s", device->place,
		                 h->place);
	memcpy(town, h->place, 9);
	town[9] = '\0';
	if (a->d->tier == LM__TIER__TIER_TOWN && strcmp(town, a->d->place) != 0)
		return error_set(a->e, ERR_DENIED, "a request of town %s cannot come to town %.20s", town, a->d->place);
	return OK;
}

int apply_case_open(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id request = header_request(h);
	Lm__CaseRecord *known;
	Lm__Service *service;
	char town[PLACE_TEXT_BYTES];
	if (id_is_zero(request))
		return error_set(a->e, ERR_INVALID, "a request without an id");
	int result = case_get(a->txn, request, a->arena, &known);
	if (!result && known->terminal == h->origin)
		return OK; /* the same request again: one case */
	if (!result)
		return error_set(a->e, ERR_EXISTS, "another device has sent a request with this id before");
	if (result != ERR_NOT_FOUND)
		return result;
	result = town_of(a, town);
	if (result)
		return result;
	if (!service_id_is_good(h->service) || !h->revision) /* such a one will never be published: no use to wait */
		return error_set(a->e, ERR_INVALID, "the request names no service, or no revision of it");
	result = memo_service(a, h->service, h->revision, &service);
	if (result == ERR_NOT_FOUND)
		return held_on_service(a);
	Lm__CaseRecord record = LM__CASE_RECORD__INIT;
	/* Who decides checks the answers; the town also files the code, wherever the case goes. */
	if (!result && (service->owner == a->d->tier || a->d->tier == LM__TIER__TIER_TOWN))
		result = payload_read(a, service, &record);
	if (result)
		return result;
	record.service = h->service;
	record.revision = h->revision;
	record.place = h->place;
	record.town = town;
	record.terminal = h->origin;
	record.position = a->item->position;
	record.state = LM__CASE_STATE__CASE_STATE_RECEIVED;
	record.owner = service->owner;
	record.epoch = 1;
	record.created_ms = h->time_ms;
	record.received_ms = record.changed_ms = a->item->taken_ms;
	result = lists_move(a, request, &record);
	if (!result)
		result = case_put(a, request, &record);
	if (!result)
		result = count_move(a, NULL, &record);
	if (!result)
		result = release_request(a, request);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}
