/*
 * The directory: who is admitted, with which keys, where; and the district's authority, which vouches for the hub.
 */
#include <string.h>

#include "inside.h"

int device_get(struct store_txn *txn, uint64_t device, struct arena *arena, Lm__DeviceRecord **out)
{
	uint8_t key[8];
	return row_get(txn, &domain_table_device, key_u64(device, key), &lm__device_record__descriptor, arena, out);
}

int device_each(struct store_txn *txn, struct arena *arena,
                bool (*visit)(void *context, const Lm__DeviceRecord *record), void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_device, &c);
	if (result)
		return result;
	result = store_cursor_first(c, arena, &key, &value);
	while (!result) {
		Lm__DeviceRecord *record;
		result = row_unpack(txn, &domain_table_device, &lm__device_record__descriptor, value, arena, &record);
		if (result || !visit(context, record))
			break;
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

struct device_search {
	const uint8_t *curve_key;
	const char *place;
	const Lm__DeviceRecord *found;
};

static bool search_visit(void *context, const Lm__DeviceRecord *record)
{
	struct device_search *s = context;
	bool fits = s->curve_key ? record->curve_key.len == KEY_BYTES &&
	                                   memcmp(record->curve_key.data, s->curve_key, KEY_BYTES) == 0
	                         : strcmp(record->place, s->place) == 0;
	if (!fits)
		return true;
	bool is_admitted = record->status == LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED;
	bool was_admitted = s->found && s->found->status == LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED;
	if (!s->found || is_admitted > was_admitted ||
	    (is_admitted == was_admitted && s->found->since_ms < record->since_ms))
		s->found = record;
	return true;
}

static int device_search(struct store_txn *txn, struct arena *arena, struct device_search *s, Lm__DeviceRecord **out)
{
	int result = device_each(txn, arena, search_visit, s);
	if (result || !s->found)
		return result ? result : ERR_NOT_FOUND;
	*out = (Lm__DeviceRecord *)(uintptr_t)s->found;
	return OK;
}

int device_find_key(struct store_txn *txn, const uint8_t curve_key[KEY_BYTES], struct arena *arena,
                    Lm__DeviceRecord **out)
{
	return device_search(txn, arena, &(struct device_search){ .curve_key = curve_key }, out);
}

int device_find_place(struct store_txn *txn, const char *place, struct arena *arena, Lm__DeviceRecord **out)
{
	return device_search(txn, arena, &(struct device_search){ .place = place }, out);
}

uint64_t device_town_of(struct store_txn *txn, const char *place, struct arena *arena)
{
	char town[10];
	Lm__DeviceRecord *record;
	if (strlen(place) < 9)
		return 0;
	memcpy(town, place, 9);
	town[9] = '\0';
	return device_find_place(txn, town, arena, &record) ? 0 : record->device;
}

static bool is_key(ProtobufCBinaryData d)
{
	return d.len == KEY_BYTES;
}

/* The first keys give the id. */
static int record_id_check(const Lm__DeviceRecord *r, struct error *e)
{
	struct hash fingerprint;
	const Lm__FormerKeys *first = r->n_former ? r->former[0] : NULL;
	int result = device_fingerprint((uint8_t)r->suite, first ? first->curve_key.data : r->curve_key.data,
	                                first ? first->signing_key.data : r->signing_key.data,
	                                first ? first->opening_key.data : r->opening_key.data, &fingerprint, e);
	if (!result && device_id_of(&fingerprint) != r->device)
		return error_set(e, ERR_INVALID, "the device's id does not belong to its keys");
	return result;
}

static int record_keys_check(const Lm__DeviceRecord *r, struct error *e)
{
	bool are_keys = is_key(r->curve_key) && is_key(r->signing_key) && is_key(r->opening_key);
	if (r->n_former != r->generation || r->generation > KEY_CHANGES_MOST)
		return error_set(e, ERR_INVALID, "the record does not tell its former keys");
	for (size_t i = 0; i < r->n_former; i++)
		are_keys = are_keys && is_key(r->former[i]->curve_key) && is_key(r->former[i]->signing_key) &&
		           is_key(r->former[i]->opening_key);
	return are_keys ? OK : error_set(e, ERR_INVALID, "a device has three public keys of %d bytes", KEY_BYTES);
}

int device_record_check(const Lm__DeviceRecord *r, struct error *e)
{
	static const enum place_level level_of[] = { [LM__TIER__TIER_TERMINAL] = PLACE_DEVICE,
		                                     [LM__TIER__TIER_TOWN] = PLACE_TOWN,
		                                     [LM__TIER__TIER_DISTRICT] = PLACE_DISTRICT };
	if (r->suite != SUITE_INTERNATIONAL)
		return error_set(e, ERR_VERSION, "suite %u is not known to this version", r->suite);
	int result = record_keys_check(r, e);
	if (result)
		return result;
	if (r->role < LM__TIER__TIER_TERMINAL || r->role > LM__TIER__TIER_DISTRICT)
		return error_set(e, ERR_INVALID, "a device is a terminal, a town or the district");
	if (place_level_of(r->place) != level_of[r->role])
		return error_set(e, ERR_INVALID,
		                 "'%.20s' is not a place for this role: a terminal's is like 310114106001-T1, a town's "
		                 "like 310114106, the district's like 310114",
		                 r->place);
	return record_id_check(r, e);
}

int device_signing_key(const Lm__DeviceRecord *r, uint32_t generation, uint8_t key[KEY_BYTES])
{
	if (generation > r->generation || r->n_former != r->generation)
		return ERR_NOT_READY;
	const ProtobufCBinaryData *found =
	        generation == r->generation ? &r->signing_key : &r->former[generation]->signing_key;
	if (!is_key(*found))
		return ERR_INVALID;
	memcpy(key, found->data, KEY_BYTES);
	return OK;
}

static bool same_keys(const Lm__DeviceRecord *known, const Lm__DeviceRecord *next)
{
	const Lm__FormerKeys *former = next->generation > known->generation ? next->former[known->generation] : NULL;
	return bytes_equal(codec_bytes(former ? former->curve_key : next->curve_key), codec_bytes(known->curve_key)) &&
	       bytes_equal(codec_bytes(former ? former->signing_key : next->signing_key),
	                   codec_bytes(known->signing_key)) &&
	       bytes_equal(codec_bytes(former ? former->opening_key : next->opening_key),
	                   codec_bytes(known->opening_key));
}

/* Keys follow keys: what is known stays known, and nothing goes back. */
static int record_follows(const Lm__DeviceRecord *known, const Lm__DeviceRecord *next, struct error *e)
{
	unsigned long long device = next->device;
	if (known->status == LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED &&
	    next->status != LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED)
		return error_set(e, ERR_REVOKED, "device %016llx was revoked; a revoked key stays revoked", device);
	if (next->generation < known->generation || !same_keys(known, next))
		return error_set(e, ERR_DENIED, "device %016llx has other keys than this record says", device);
	return OK;
}

static int device_store(struct apply *a, const Lm__DeviceRecord *record)
{
	Lm__DeviceRecord *known;
	uint8_t key[8];
	int result = device_get(a->txn, record->device, a->arena, &known);
	if (!result)
		result = record_follows(known, record, a->e);
	if (result && result != ERR_NOT_FOUND)
		return result;
	result = row_put(a, &domain_table_device, key_u64(record->device, key), &record->base);
	return result ? result
	              : effect_add(a, (struct domain_effect){ .type = DOMAIN_DIRECTORY, .device = record->device });
}

int apply_device(struct apply *a)
{
	Lm__DeviceRecord *record;
	if (a->item->is_absent)
		return error_set(a->e, ERR_ABSENT, "the directory entry is missing");
	int result = CODEC_UNPACK(lm__device_record, a->item->plain, a->arena, &record, a->e);
	if (!result)
		result = device_record_check(record, a->e);
	if (result)
		return result;
	if (record->status != LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED &&
	    record->status != LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED)
		return error_set(a->e, ERR_INVALID, "a device is admitted or revoked");
	if (record->role == LM__TIER__TIER_DISTRICT && record->device != a->item->header->origin)
		return error_set(a->e, ERR_DENIED, "only the district's authority vouches for a hub");
	return device_store(a, record);
}

/* ---- the authority ---- */

int authority_key_hash(const uint8_t authority_key[KEY_BYTES], struct hash *out, struct error *e)
{
	struct bytes parts[] = { bytes_from_text("lm authority v1"), BYTES(authority_key, KEY_BYTES) };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 2, out, e);
}

static int authority_open(struct bytes payload, struct arena *arena, Lm__AuthorityPayload **out, Lm__DeviceRecord **hub,
                          struct error *e)
{
	int result = CODEC_UNPACK(lm__authority_payload, payload, arena, out, e);
	if (result)
		return result;
	if (!is_key((*out)->authority_key) || (*out)->signature.len != SIGNATURE_BYTES)
		return error_set(e, ERR_INVALID, "the authority's entry has no valid key or signature");
	result = sign_check(SUITE_INTERNATIONAL, (*out)->authority_key.data, codec_bytes((*out)->hub),
	                    (*out)->signature.data, e);
	if (!result)
		result = CODEC_UNPACK(lm__device_record, codec_bytes((*out)->hub), arena, hub, e);
	if (!result)
		result = device_record_check(*hub, e);
	if (!result && (*hub)->role != LM__TIER__TIER_DISTRICT)
		return error_set(e, ERR_INVALID, "the authority vouches for something that is not a hub");
	return result;
}

int authority_check(struct bytes payload, const struct hash *authority_hash, struct arena *arena,
                    Lm__DeviceRecord **hub, struct error *e)
{
	Lm__AuthorityPayload *authority;
	struct hash hash;
	int result = authority_open(payload, arena, &authority, hub, e);
	if (!result)
		result = authority_key_hash(authority->authority_key.data, &hash, e);
	if (!result && !crypto_equal(&hash, authority_hash, sizeof hash))
		return error_set(e, ERR_DENIED,
		                 "the hub belongs to another district: its authority is not the one in this device's "
		                 "configuration");
	return result;
}

/*
 * Whether the first authority is the one in this device's configuration is the caller's to check (authority_check):
 * apply knows no configuration. From then on only the same authority may speak.
 */
int apply_authority(struct apply *a)
{
	Lm__AuthorityPayload *authority, *known;
	Lm__DeviceRecord *hub;
	struct bytes key = bytes_from_text("authority");
	int result = authority_open(a->item->plain, a->arena, &authority, &hub, a->e);
	if (!result && hub->device != a->item->header->origin)
		return error_set(a->e, ERR_INVALID, "the authority vouches for another hub than the one that says so");
	if (result)
		return result;
	result = row_get(a->txn, &domain_table_authority, key, &lm__authority_payload__descriptor, a->arena, &known);
	if (!result && !bytes_equal(codec_bytes(known->authority_key), codec_bytes(authority->authority_key)))
		return error_set(a->e, ERR_DENIED, "another authority than the one that this district has");
	result = device_store(a, hub);
	return result ? result : store_put(a->txn, &domain_table_authority, key, a->item->plain);
}

int authority_get(struct store_txn *txn, struct arena *arena, Lm__AuthorityPayload **out, Lm__DeviceRecord **hub)
{
	struct bytes payload;
	int result = store_get(txn, &domain_table_authority, bytes_from_text("authority"), arena, &payload);
	return result ? result : authority_open(payload, arena, out, hub, NULL);
}
