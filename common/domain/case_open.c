/*
 * A request becomes a case: who may send it, whether its service is known here, and whether its answers fit.
 */
#include <string.h>

#include "inside.h"

static const Lm__OwnerRule *owner_rule(const Lm__Service *s, Lm__FieldValue *const *values, size_t count)
{
	for (size_t i = 0; i < s->n_owner_rules; i++) {
		const Lm__OwnerRule *r = s->owner_rules[i];
		const char *choice = form_text(values, count, r->field);
		if (choice && strcmp(choice, r->choice) == 0)
			return r;
	}
	return NULL;
}

Lm__Tier request_owner(const Lm__Service *s, Lm__FieldValue *const *values, size_t count)
{
	const Lm__OwnerRule *r = owner_rule(s, values, count);
	return r ? r->owner : s->owner;
}

bool case_is_hidden(const struct domain *d, const Lm__CaseRecord *record)
{
	return record->hidden_from && record->hidden_from == d->tier;
}

/* Both tiers come to the same owner, also when one of them cannot open the payload any more: then the header tells it.
 */
static int owner_find(struct apply *a, const Lm__Service *s, const Lm__RequestPayload *payload, Lm__CaseRecord *record)
{
	Lm__Tier told = a->item->header->owner;
	bool can_be = told == LM__TIER__TIER_NONE || told == s->owner ||
	              (s->n_owner_rules && (told == LM__TIER__TIER_TOWN || told == LM__TIER__TIER_DISTRICT));
	if (!can_be)
		return error_set(a->e, ERR_INVALID, "this service is not decided by the tier that the request names");
	record->owner = told ? told : s->owner;
	if (!payload) {
		for (size_t i = 0; i < s->n_owner_rules; i++) /* better hidden without need than shown to its subject */
			if (s->owner_rules[i]->owner == record->owner && s->owner_rules[i]->hidden_from)
				record->hidden_from = s->owner_rules[i]->hidden_from;
		return OK;
	}
	const Lm__OwnerRule *r = owner_rule(s, payload->values, payload->n_values);
	record->owner = r ? r->owner : s->owner;
	record->hidden_from = r ? r->hidden_from : LM__TIER__TIER_NONE;
	if (told && told != record->owner)
		return error_set(a->e, ERR_INVALID, "the request's header names another owner than its answers");
	return OK;
}

/* Of another town, which referred it to this one: the district passes it on. */
static bool is_passed_on(const Lm__Header *h)
{
	return h->stream == LM__STREAM__STREAM_DOWN;
}

static int payload_read(struct apply *a, const Lm__Service *service, bool is_of_counter, Lm__CaseRecord *record)
{
	Lm__RequestPayload *payload;
	struct form_fault fault;
	bool is_empty = is_passed_on(a->item->header) && !a->item->plain.size; /* the district cannot open it either */
	record->is_absent = a->item->is_absent || is_empty;
	if (a->item->is_absent && a->item->facts && a->item->facts->owner) {
		record->owner = a->item->facts->owner;
		record->hidden_from = a->item->facts->hidden_from;
		record->code_hash = a->item->facts->code_hash;
		return OK;
	}
	if (record->is_absent)
		return owner_find(a, service, NULL, record);
	int result = CODEC_UNPACK(lm__request_payload, a->item->plain, a->arena, &payload, a->e);
	if (!result)
		result = owner_find(a, service, payload, record);
	if (result)
		return result;
	/* A town's counter keeps no lock: the resident's code is found by its hash, here and at each of its terminals.
	 */
	bool has_lock = payload->lookup.len == RECEIPT_LOOKUP_BYTES;
	if (payload->receipt_key.len != RECEIPT_KEY_BYTES || (!has_lock && (payload->lookup.len || !is_of_counter)))
		return error_set(a->e, ERR_INVALID, "the request carries no valid receipt key");
	if (request_check(service, payload, event_ms(a->item->header), &fault, 1))
		return error_set(a->e, ERR_INVALID, "field %.64s: %s", fault.field, fault.rule);
	if (is_passed_on(a->item->header)) /* its code is looked up in the resident's town */
		return OK;
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

static int town_of(struct apply *a, char town[PLACE_TEXT_BYTES], bool *is_of_counter)
{
	const Lm__Header *h = a->item->header;
	Lm__DeviceRecord *device;
	if (is_passed_on(h)) {
		if (place_level_of(h->place) < PLACE_TOWN || strncmp(h->place, a->d->place, 9) == 0)
			return error_set(a->e, ERR_INVALID, "a request of %.20s is not referred to this town",
			                 h->place);
		memcpy(town, h->place, 9);
		town[9] = '\0';
		*is_of_counter = true; /* as with one, no lock comes along */
		return OK;
	}
	if (memo_device(a, h->origin, &device))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)h->origin);
	enum place_level level = place_level_of(h->place);
	bool is_near =
	        level >= PLACE_COMMUNITY && strlen(device->place) >= 12 && strncmp(device->place, h->place, 12) == 0;
	*is_of_counter =
	        device->role == LM__TIER__TIER_TOWN && strcmp(device->place, h->place) == 0 && level == PLACE_TOWN;
	if (!is_near && !*is_of_counter)
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
	bool is_of_counter = false;
	if (id_is_zero(request))
		return error_set(a->e, ERR_INVALID, "a request without an id");
	int result = case_get(a->txn, request, a->arena, &known);
	if (!result && known->terminal == (is_passed_on(h) ? 0 : h->origin))
		return OK; /* the same request again: one case */
	if (!result)
		return error_set(a->e, ERR_EXISTS, "another device has sent a request with this id before");
	if (result != ERR_NOT_FOUND)
		return result;
	result = town_of(a, town, &is_of_counter);
	if (result)
		return result;
	if (!service_id_is_good(h->service) || !h->revision) /* such a one will never be published: no use to wait */
		return error_set(a->e, ERR_INVALID, "the request names no service, or no revision of it");
	result = memo_service(a, h->service, h->revision, &service);
	if (result == ERR_NOT_FOUND)
		return held_on_service(a);
	Lm__CaseRecord record = LM__CASE_RECORD__INIT;
	if (result)
		return result;
	record.owner = service->owner;
	/* Who decides checks the answers; the town also files the code, wherever the case goes. */
	if (service->owner == a->d->tier || service->n_owner_rules || a->d->tier == LM__TIER__TIER_TOWN)
		result = payload_read(a, service, is_of_counter, &record);
	if (result)
		return result;
	record.first_owner = record.owner;
	record.service = h->service;
	record.revision = h->revision;
	record.place = h->place;
	record.town = town;
	record.terminal = is_passed_on(h) ? 0 : h->origin;
	record.position = a->item->position;
	record.state = LM__CASE_STATE__CASE_STATE_RECEIVED;
	record.epoch = 1;
	record.created_ms = event_ms(h);
	record.received_ms = record.changed_ms = is_passed_on(h) ? h->passed_ms : a->item->taken_ms;
	result = lists_move(a, request, &record);
	if (!result)
		result = case_put(a, request, &record);
	if (!result)
		result = count_move(a, NULL, &record);
	if (!result)
		result = release_request(a, request);
	if (!result && !is_passed_on(h))
		result = erase_tell(a, request);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}
