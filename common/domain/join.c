/*
 * What a device asks with, and what it gets: bytes and signatures only, so that device, town and hub check the same.
 *
 * The authority (its hash stands in the device's configuration) vouches for the hub, the hub for the device.
 */
#include <string.h>

#include "inside.h"

static int request_digest(const Lm__JoinRequest *r, const struct hash *fingerprint, struct hash *out, struct error *e)
{
	uint8_t role[4];
	struct writer w = writer_over(role, sizeof role);
	write_u32(&w, (uint32_t)r->role);
	struct bytes parts[] = { bytes_from_text("lm join v1"), BYTES_OF(*fingerprint), BYTES_OF(role),
		                 bytes_from_text(r->secret), bytes_from_text(r->place) };
	return crypto_hash(SUITE_INTERNATIONAL, parts, sizeof parts / sizeof *parts, out, e);
}

static int request_fingerprint(const Lm__JoinRequest *r, struct hash *out, struct error *e)
{
	if (r->curve_key.len != KEY_BYTES || r->signing_key.len != KEY_BYTES || r->opening_key.len != KEY_BYTES)
		return error_set(e, ERR_INVALID, "a device has three public keys of %d bytes", KEY_BYTES);
	return device_fingerprint(SUITE_INTERNATIONAL, r->curve_key.data, r->signing_key.data, r->opening_key.data, out,
	                          e);
}

int join_request_sign(Lm__JoinRequest *r, const uint8_t signing_secret[KEY_BYTES], uint8_t signature[SIGNATURE_BYTES],
                      struct error *e)
{
	struct hash fingerprint, digest;
	int result = request_fingerprint(r, &fingerprint, e);
	if (!result)
		result = request_digest(r, &fingerprint, &digest, e);
	if (!result)
		result = sign_make(SUITE_INTERNATIONAL, signing_secret, BYTES_OF(digest), signature, e);
	if (!result)
		r->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
	return result;
}

static int request_shape(const Lm__JoinRequest *r, const uint8_t connection_key[KEY_BYTES], struct error *e)
{
	char secret[TOKEN_SECRET_BYTES];
	if (r->version != JOIN_VERSION)
		return error_set(e, ERR_VERSION, "version %u of joining is not known here", r->version);
	if (r->curve_key.len != KEY_BYTES || !crypto_equal(r->curve_key.data, connection_key, KEY_BYTES))
		return error_set(e, ERR_DENIED, "a device joins over a connection with its own key");
	if (r->signature.len != SIGNATURE_BYTES)
		return error_set(e, ERR_INVALID, "the request is not signed");
	if (strlen(r->secret) != TOKEN_SECRET_CHARACTERS || token_secret_from_text(r->secret, secret, e) ||
	    strcmp(r->secret, secret) != 0)
		return error_set(e, ERR_INVALID, "the token is not of the form of a token");
	return OK;
}

int join_request_check(const Lm__JoinRequest *r, const uint8_t connection_key[KEY_BYTES], Lm__DeviceRecord *record,
                       struct hash *fingerprint, struct error *e)
{
	struct hash digest;
	int result = request_shape(r, connection_key, e);
	if (!result)
		result = request_fingerprint(r, fingerprint, e);
	if (result)
		return result;
	lm__device_record__init(record);
	record->device = device_id_of(fingerprint);
	record->suite = r->suite;
	record->role = r->role;
	record->place = r->place;
	record->curve_key = r->curve_key;
	record->signing_key = r->signing_key;
	record->opening_key = r->opening_key;
	record->status = LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED;
	result = device_record_check(record, e);
	if (!result)
		result = request_digest(r, fingerprint, &digest, e);
	if (!result)
		result = sign_check(SUITE_INTERNATIONAL, r->signing_key.data, BYTES_OF(digest), r->signature.data, e);
	return result;
}

static int certificate_digest(struct bytes record, struct hash *out, struct error *e)
{
	struct bytes parts[] = { bytes_from_text("lm certificate v1"), record };
	return crypto_hash(SUITE_INTERNATIONAL, parts, 2, out, e);
}

int join_certificate_make(struct store_txn *txn, const Lm__DeviceRecord *record,
                          const uint8_t signing_secret[KEY_BYTES], struct arena *arena, Lm__JoinCertificate **out,
                          struct error *e)
{
	struct bytes authority, packed;
	struct hash digest;
	Lm__JoinCertificate *c = arena_alloc(arena, sizeof *c);
	uint8_t *signature = arena_alloc(arena, SIGNATURE_BYTES);
	if (!c || !signature)
		return error_set(e, ERR_MEMORY, "no memory for a certificate");
	int result = store_get(txn, &domain_table_authority, bytes_from_text("authority"), arena, &authority);
	if (result)
		return error_set(e, result, "the district's authority cannot be read");
	result = CODEC_PACK(record, arena, &packed, e);
	if (!result)
		result = certificate_digest(packed, &digest, e);
	if (!result)
		result = sign_make(SUITE_INTERNATIONAL, signing_secret, BYTES_OF(digest), signature, e);
	if (result)
		return result;
	lm__join_certificate__init(c);
	c->authority = codec_data(authority);
	c->record = codec_data(packed);
	c->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
	*out = c;
	return OK;
}

int join_certificate_check(const Lm__JoinCertificate *c, const struct hash *authority_hash, struct arena *arena,
                           Lm__DeviceRecord **record, struct error *e)
{
	Lm__DeviceRecord *hub, *device;
	struct hash digest;
	if (c->signature.len != SIGNATURE_BYTES)
		return error_set(e, ERR_INVALID, "the certificate is not signed");
	int result = authority_check(codec_bytes(c->authority), authority_hash, arena, &hub, e);
	if (!result)
		result = certificate_digest(codec_bytes(c->record), &digest, e);
	if (!result)
		result = sign_check(SUITE_INTERNATIONAL, hub->signing_key.data, BYTES_OF(digest), c->signature.data, e);
	if (!result)
		result = CODEC_UNPACK(lm__device_record, codec_bytes(c->record), arena, &device, e);
	if (!result)
		result = device_record_check(device, e);
	if (!result)
		*record = device;
	return result;
}
