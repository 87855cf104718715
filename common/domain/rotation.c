/*
 * A device's next keys. It asks in its own stream, so that the order of the chain tells which keys signed what:
 *
 *   asks (keys, signed by them; the entry by those it has) ─▶ the hub tells all ─▶ the device begins an incarnation
 * with them and says so ─▶ the hub tells all that those before are over
 */
#include <string.h>

#include "inside.h"

static int ask_digest(uint64_t device, const Lm__KeysPayload *ask, struct hash *out, struct error *e)
{
	uint8_t memory[12];
	struct writer w = writer_over(memory, sizeof memory);
	write_u64(&w, device);
	write_u32(&w, ask->generation);
	struct bytes parts[] = { bytes_from_text("lm keys v1"), BYTES(memory, w.size), codec_bytes(ask->curve_key),
		                 codec_bytes(ask->signing_key), codec_bytes(ask->opening_key) };
	return crypto_hash(SUITE_INTERNATIONAL, parts, sizeof parts / sizeof *parts, out, e);
}

int keys_ask_sign(const struct device_keys *next, Lm__KeysPayload *ask, uint8_t signature[SIGNATURE_BYTES],
                  struct error *e)
{
	struct hash digest;
	lm__keys_payload__init(ask);
	ask->generation = next->generation;
	ask->curve_key = codec_data(BYTES_OF(next->curve_public));
	ask->signing_key = codec_data(BYTES_OF(next->signing_public));
	ask->opening_key = codec_data(BYTES_OF(next->opening_public));
	int result = ask_digest(device_id_of(&next->first), ask, &digest, e);
	if (!result)
		result = sign_make(next->suite, next->signing_secret, BYTES_OF(digest), signature, e);
	ask->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
	return result;
}

int keys_record(const Lm__DeviceRecord *known, const Lm__KeysPayload *ask, int64_t now_ms, struct arena *arena,
                Lm__DeviceRecord *out, struct error *e)
{
	size_t count = known->n_former + 1;
	Lm__FormerKeys **former = arena_alloc(arena, count * sizeof *former);
	Lm__FormerKeys *last = arena_alloc(arena, sizeof *last);
	if (known->generation >= KEY_CHANGES_MOST)
		return error_set(e, ERR_FULL, "the keys of this device were changed %d times: let it join as a new one",
		                 KEY_CHANGES_MOST);
	if (!former || !last)
		return error_set(e, ERR_MEMORY, "no memory for a record");
	lm__former_keys__init(last);
	last->curve_key = known->curve_key;
	last->signing_key = known->signing_key;
	last->opening_key = known->opening_key;
	last->until_ms = now_ms;
	for (size_t i = 0; i < known->n_former; i++)
		former[i] = known->former[i];
	former[known->n_former] = last;
	*out = *known;
	out->former = former;
	out->n_former = count;
	out->generation = known->generation + 1;
	out->is_passing = true;
	out->curve_key = ask->curve_key;
	out->signing_key = ask->signing_key;
	out->opening_key = ask->opening_key;
	return OK;
}

static int keys_tell(struct apply *a, const Lm__DeviceRecord *record)
{
	struct bytes packed;
	int result = CODEC_PACK(record, a->arena, &packed, a->e);
	return result ? result
	              : effect_add(a, (struct domain_effect){
	                                      .type = DOMAIN_KEYS, .device = record->device, .message = packed });
}

static int ask_check(const Lm__DeviceRecord *known, const Lm__KeysPayload *ask, struct error *e)
{
	struct hash digest;
	if (ask->signing_key.len != KEY_BYTES || ask->curve_key.len != KEY_BYTES || ask->opening_key.len != KEY_BYTES ||
	    ask->signature.len != SIGNATURE_BYTES)
		return error_set(e, ERR_INVALID, "a device has three public keys of %d bytes, and signs with them",
		                 KEY_BYTES);
	int result = ask_digest(known->device, ask, &digest, e);
	if (!result)
		result = sign_check(SUITE_INTERNATIONAL, ask->signing_key.data, BYTES_OF(digest), ask->signature.data,
		                    e);
	if (result)
		return result;
	if (known->role != LM__TIER__TIER_TERMINAL &&
	    !bytes_equal(codec_bytes(ask->curve_key), codec_bytes(known->curve_key)))
		return error_set(e, ERR_DENIED,
		                 "the CURVE key of %.20s stands in the configuration of the devices below it, "
		                 "and stays",
		                 known->place);
	return OK;
}

static int asked(struct apply *a, const Lm__DeviceRecord *known, const Lm__KeysPayload *ask)
{
	Lm__DeviceRecord next, *other;
	if (ask->generation <= known->generation) /* it asked twice, and the answer is on its way */
		return OK;
	if (ask->generation != known->generation + 1)
		return error_set(a->e, ERR_INVALID, "generation %u of keys does not follow generation %u",
		                 ask->generation, known->generation);
	int result = ask_check(known, ask, a->e);
	if (result)
		return result;
	result = device_find_key(a->txn, ask->curve_key.data, a->arena, &other);
	if (!result && other->device != known->device)
		return error_set(a->e, ERR_EXISTS, "device %016llx has this CURVE key",
		                 (unsigned long long)other->device);
	if (result && result != ERR_NOT_FOUND)
		return result;
	result = keys_record(known, ask, a->item->taken_ms, a->arena, &next, a->e);
	return result ? result : keys_tell(a, &next);
}

int apply_keys(struct apply *a)
{
	Lm__KeysPayload *keys;
	Lm__DeviceRecord *known;
	if (a->item->is_absent)
		return error_set(a->e, ERR_ABSENT, "the keys are missing");
	int result = CODEC_UNPACK(lm__keys_payload, a->item->plain, a->arena, &keys, a->e);
	if (result || a->d->tier != LM__TIER__TIER_DISTRICT)
		return result; /* the hub decides, and tells all */
	result = device_get(a->txn, a->item->header->origin, a->arena, &known);
	if (result)
		return result == ERR_NOT_FOUND ? error_set(a->e, ERR_DENIED, "the device is not in the directory")
		                               : result;
	if (known->status == LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED)
		return error_set(a->e, ERR_REVOKED, "the device was revoked: its keys are not changed any more");
	if (keys->signing_key.len)
		return asked(a, known, keys);
	if (!known->is_passing || keys->generation != known->generation)
		return OK;
	known->is_passing = false;
	return keys_tell(a, known);
}
