/*
 * Hash, HMAC (RFC 2104) and HKDF (RFC 5869) over one kept hash context.
 *
 * OpenSSL's own HMAC and HKDF allocate and look names up on each call, several times the cost of the two or
 * three blocks that are hashed here; a ratchet step is one call of crypto_derive, so this is the hot path.
 */
#include <string.h>

#include <sodium/crypto_shorthash.h>

#include "parts.h"

#define DERIVE_MOST_BYTES (2 * HASH_BYTES)
#define HMAC_PARTS_MOST 3

static int parts_hash(struct parts *p, const struct bytes *range, size_t count, uint8_t out[HASH_BYTES],
                      struct error *e)
{
	/* No algorithm is named: the context keeps the one it was opened with. */
	bool is_good = EVP_DigestInit_ex2(p->hash_context, NULL, NULL) == 1;
	for (size_t i = 0; is_good && i < count; i++)
		if (range[i].size)
			is_good = EVP_DigestUpdate(p->hash_context, range[i].data, range[i].size) == 1;
	uint8_t digest[HASH_BYTES];
	if (!is_good || EVP_DigestFinal_ex(p->hash_context, digest, NULL) != 1)
		return openssl_refuse(e, "hashing failed");
	memcpy(out, digest, HASH_BYTES);
	crypto_wipe(digest, sizeof digest);
	return OK;
}

int crypto_hash(uint8_t suite, const struct bytes *range, size_t count, struct hash *out, struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	return code ? code : parts_hash(p, range, count, out->byte, e);
}

/* `range` holds at most HMAC_PARTS_MOST; `out` may be one of them. */
static int parts_hmac(struct parts *p, struct bytes key, const struct bytes *range, size_t count,
                      uint8_t out[HASH_BYTES], struct error *e)
{
	uint8_t block[HASH_BLOCK_BYTES] = { 0 }, inner[HASH_BYTES];
	struct bytes list[1 + HMAC_PARTS_MOST] = { BYTES(block, sizeof block) };
	int code = OK;
	if (key.size > sizeof block)
		code = parts_hash(p, &key, 1, block, e);
	else if (key.size)
		memcpy(block, key.data, key.size);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] ^= 0x36;
	for (size_t i = 0; i < count; i++)
		list[1 + i] = range[i];
	if (!code)
		code = parts_hash(p, list, 1 + count, inner, e);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] ^= 0x36 ^ 0x5C;
	list[1] = BYTES(inner, sizeof inner);
	if (!code)
		code = parts_hash(p, list, 2, out, e);
	crypto_wipe(block, sizeof block);
	crypto_wipe(inner, sizeof inner);
	return code;
}

int crypto_hmac(uint8_t suite, const uint8_t key[KEY_BYTES], struct bytes data, struct hash *out, struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	return code ? code : parts_hmac(p, BYTES(key, KEY_BYTES), &data, 1, out->byte, e);
}

int crypto_derive(uint8_t suite, struct bytes secret, struct bytes salt, const char *info, uint8_t *out,
                  size_t out_size, struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (code)
		return code;
	if (out_size > DERIVE_MOST_BYTES)
		return error_set(e, ERR_TOO_BIG, "a derivation gives at most %d bytes, not %zu", DERIVE_MOST_BYTES,
		                 out_size);
	uint8_t extracted[HASH_BYTES], expanded[DERIVE_MOST_BYTES];
	code = parts_hmac(p, salt, &secret, 1, extracted, e);
	for (size_t done = 0; !code && done < out_size; done += HASH_BYTES) {
		uint8_t counter = (uint8_t)(done / HASH_BYTES + 1);
		struct bytes before = BYTES(expanded, 0);
		if (done)
			before = BYTES(expanded + done - HASH_BYTES, HASH_BYTES);
		struct bytes range[] = { before, bytes_from_text(info), BYTES(&counter, 1) };
		code = parts_hmac(p, BYTES(extracted, sizeof extracted), range, 3, expanded + done, e);
	}
	if (!code && out_size)
		memcpy(out, expanded, out_size);
	crypto_wipe(extracted, sizeof extracted);
	crypto_wipe(expanded, sizeof expanded);
	return code;
}

uint64_t crypto_short_hash(const uint8_t key[16], struct bytes data)
{
	uint64_t out;
	_Static_assert(crypto_shorthash_BYTES == sizeof out && crypto_shorthash_KEYBYTES == 16, "SipHash-2-4");
	crypto_shorthash((unsigned char *)&out, data.data, data.size, key);
	return out;
}
