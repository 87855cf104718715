/* What a device keeps secret, and the fingerprint by which people and machines know it. */
#include <string.h>

#include "keyfile.h"
#include "parts.h"

#define FINGERPRINT_GROUPS 16

static struct keyfile device_file(struct device_keys *k)
{
	return (struct keyfile){
		.title = "last-mile device keys v1, suite 1",
		.line_count = 7,
		.line = {
			{ "curve_public", k->curve_public },
			{ "curve_secret", k->curve_secret },
			{ "signing_public", k->signing_public },
			{ "signing_secret", k->signing_secret },
			{ "opening_public", k->opening_public },
			{ "opening_secret", k->opening_secret },
			{ "store_key", k->store_key },
		},
	};
}

static int device_keys_make(struct device_keys *k, struct error *e)
{
	int code = agree_keypair(k->suite, k->curve_public, k->curve_secret, e);
	if (!code)
		code = sign_keypair(k->suite, k->signing_public, k->signing_secret, e);
	if (!code)
		code = agree_keypair(k->suite, k->opening_public, k->opening_secret, e);
	return code ? code : crypto_random(k->store_key, KEY_BYTES, e);
}

/* Whether the halves belong together: a hand that copied lines between files leaves the check right for none. */
static int device_keys_check(const struct device_keys *k, const char *path, struct error *e)
{
	uint8_t curve[KEY_BYTES], signing[KEY_BYTES], opening[KEY_BYTES];
	int code = agree_public(k->suite, k->curve_secret, curve, e);
	if (!code)
		code = sign_public(k->suite, k->signing_secret, signing, e);
	if (!code)
		code = agree_public(k->suite, k->opening_secret, opening, e);
	if (code)
		return code;
	if (memcmp(curve, k->curve_public, KEY_BYTES) != 0 || memcmp(signing, k->signing_public, KEY_BYTES) != 0 ||
	    memcmp(opening, k->opening_public, KEY_BYTES) != 0)
		return error_set(e, ERR_DAMAGED, "%s holds public keys that do not belong to its secret keys", path);
	return OK;
}

int device_keys_open(const char *path, struct device_keys *out, bool *was_made, struct error *e)
{
	struct device_keys keys = { .suite = SUITE_INTERNATIONAL };
	struct keyfile file = device_file(&keys);
	int code = keyfile_read(path, &file, e);
	bool is_new = code == ERR_NOT_FOUND;
	if (is_new) {
		code = device_keys_make(&keys, e);
		if (!code)
			code = keyfile_create(path, &file, e);
	} else if (!code) {
		code = device_keys_check(&keys, path, e);
	}
	if (!code) {
		*out = keys;
		*was_made = is_new;
	}
	crypto_wipe(&keys, sizeof keys);
	return code;
}

int secret_file_open(const char *path, uint8_t secret[KEY_BYTES], bool *was_made, struct error *e)
{
	uint8_t value[KEY_BYTES];
	struct keyfile file = { .title = "last-mile secret v1", .line_count = 1, .line = { { "secret", value } } };
	int code = keyfile_read(path, &file, e);
	bool is_new = code == ERR_NOT_FOUND;
	if (is_new) {
		code = crypto_random(value, sizeof value, e);
		if (!code)
			code = keyfile_create(path, &file, e);
	}
	if (!code) {
		memcpy(secret, value, KEY_BYTES);
		*was_made = is_new;
	}
	crypto_wipe(value, sizeof value);
	return code;
}

int device_fingerprint(uint8_t suite, const uint8_t curve[KEY_BYTES], const uint8_t signing[KEY_BYTES],
                       const uint8_t opening[KEY_BYTES], struct hash *out, struct error *e)
{
	struct bytes keys[] = { BYTES(curve, KEY_BYTES), BYTES(signing, KEY_BYTES), BYTES(opening, KEY_BYTES) };
	return crypto_hash(suite, keys, 3, out, e);
}

uint64_t device_id_of(const struct hash *fingerprint)
{
	struct reader r = reader_over(BYTES(fingerprint->byte, HASH_BYTES));
	return read_u64(&r);
}

void fingerprint_to_text(const struct hash *fingerprint, char text[FINGERPRINT_TEXT_BYTES])
{
	char digits[2 * HASH_BYTES + 1];
	hex_encode(BYTES(fingerprint->byte, HASH_BYTES), digits);
	for (size_t i = 0; i < FINGERPRINT_GROUPS; i++) {
		memcpy(text + 5 * i, digits + 4 * i, 4);
		text[5 * i + 4] = '-';
	}
	text[5 * FINGERPRINT_GROUPS - 1] = '\0';
}

int fingerprint_from_text(const char *text, struct hash *out, struct error *e)
{
	char digits[2 * HASH_BYTES + 1] = "";
	size_t count = 0;
	for (const char *at = text; *at; at++) {
		if (*at == '-' || *at == ' ')
			continue;
		if (count == 2 * HASH_BYTES)
			return error_set(e, ERR_INVALID, "the fingerprint has more than %d hexadecimal digits",
			                 2 * HASH_BYTES);
		digits[count++] = *at;
	}
	if (count < 2 * HASH_BYTES)
		return error_set(e, ERR_INVALID, "the fingerprint has %zu characters; it needs %d hexadecimal digits",
		                 count, 2 * HASH_BYTES);
	if (hex_decode(digits, out->byte, HASH_BYTES) != OK)
		return error_set(e, ERR_INVALID, "the fingerprint has a character that is not a hexadecimal digit");
	return OK;
}
