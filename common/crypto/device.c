/* What a device keeps secret, and the fingerprint by which people and machines know it. */
#include <string.h>

#include "keyfile.h"
#include "parts.h"

#define FINGERPRINT_GROUPS 16

#define TITLE "last-mile device keys v1, suite 1"
#define TITLE_CHANGED "last-mile device keys v2, suite 1"
#define LINES 7

static struct keyfile device_file(struct device_keys *k)
{
	return (struct keyfile){
		.title = TITLE,
		.line_count = LINES,
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

/* With what is left of the keys before: the first ones' fingerprint, and the opening keys; a zero where none was. */
static struct keyfile changed_file(struct device_keys *k)
{
	static const char *const names[KEY_CHANGES_MOST] = {
		"former_opening_0",  "former_opening_1",  "former_opening_2",  "former_opening_3",
		"former_opening_4",  "former_opening_5",  "former_opening_6",  "former_opening_7",
		"former_opening_8",  "former_opening_9",  "former_opening_10", "former_opening_11",
		"former_opening_12", "former_opening_13", "former_opening_14", "former_opening_15",
	};
	struct keyfile f = device_file(k);
	f.title = TITLE_CHANGED;
	f.line[f.line_count++] = (struct keyfile_line){ "first_fingerprint", k->first.byte };
	for (size_t i = 0; i < KEY_CHANGES_MOST; i++)
		f.line[f.line_count++] = (struct keyfile_line){ names[i], k->former_opening[i].secret_key };
	return f;
}

static bool is_zero(const uint8_t key[KEY_BYTES])
{
	static const uint8_t none[KEY_BYTES];
	return crypto_equal(key, none, KEY_BYTES);
}

/* What follows from what stands in the file. */
static int former_fill(struct device_keys *k, const char *path, struct error *e)
{
	k->generation = 0;
	while (k->generation < KEY_CHANGES_MOST && !is_zero(k->former_opening[k->generation].secret_key)) {
		struct opening_pair *pair = &k->former_opening[k->generation++];
		int code = agree_public(k->suite, pair->secret_key, pair->public_key, e);
		if (code)
			return code;
	}
	for (size_t i = k->generation; i < KEY_CHANGES_MOST; i++)
		if (!is_zero(k->former_opening[i].secret_key))
			return error_set(e, ERR_DAMAGED, "%s lacks one of the former keys", path);
	return k->generation ? OK : error_set(e, ERR_DAMAGED, "%s lacks the former keys", path);
}

static int own_fingerprint(const struct device_keys *k, struct hash *out, struct error *e)
{
	return device_fingerprint(k->suite, k->curve_public, k->signing_public, k->opening_public, out, e);
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

static int device_keys_read(const char *path, struct device_keys *k, struct error *e)
{
	bool is_changed = keyfile_is(path, TITLE_CHANGED);
	struct keyfile file = is_changed ? changed_file(k) : device_file(k);
	int code = keyfile_read(path, &file, e);
	if (!code)
		code = device_keys_check(k, path, e);
	if (!code)
		code = is_changed ? former_fill(k, path, e) : own_fingerprint(k, &k->first, e);
	return code;
}

int device_keys_open(const char *path, struct device_keys *out, bool *was_made, struct error *e)
{
	struct device_keys keys = { .suite = SUITE_INTERNATIONAL };
	int code = device_keys_read(path, &keys, e);
	bool is_new = code == ERR_NOT_FOUND;
	if (is_new) {
		struct keyfile file = device_file(&keys);
		code = device_keys_make(&keys, e);
		if (!code)
			code = keyfile_create(path, &file, e);
		if (!code)
			code = own_fingerprint(&keys, &keys.first, e);
	}
	if (!code) {
		*out = keys;
		*was_made = is_new;
	}
	crypto_wipe(&keys, sizeof keys);
	return code;
}

static int next_make(const char *path, const struct device_keys *now, bool keeps_curve, struct device_keys *next,
                     struct error *e)
{
	struct keyfile file = changed_file(next);
	if (now->generation >= KEY_CHANGES_MOST)
		return error_set(e, ERR_FULL, "the keys of this device were changed %d times: let it join as a new one",
		                 KEY_CHANGES_MOST);
	int code = device_keys_make(next, e);
	if (code)
		return code;
	memcpy(next->store_key, now->store_key, KEY_BYTES);
	if (keeps_curve) {
		memcpy(next->curve_public, now->curve_public, KEY_BYTES);
		memcpy(next->curve_secret, now->curve_secret, KEY_BYTES);
	}
	next->first = now->first;
	memcpy(next->former_opening, now->former_opening, sizeof next->former_opening);
	struct opening_pair *pair = &next->former_opening[now->generation];
	memcpy(pair->public_key, now->opening_public, KEY_BYTES);
	memcpy(pair->secret_key, now->opening_secret, KEY_BYTES);
	next->generation = now->generation + 1;
	return keyfile_create(path, &file, e);
}

int device_keys_next(const char *path, const struct device_keys *now, bool keeps_curve, struct device_keys *next,
                     struct error *e)
{
	struct device_keys keys = { .suite = now->suite };
	int code = device_keys_read(path, &keys, e);
	if (code == ERR_NOT_FOUND)
		code = next_make(path, now, keeps_curve, &keys, e);
	if (!code &&
	    (memcmp(&keys.first, &now->first, sizeof keys.first) != 0 || keys.generation != now->generation + 1))
		code = error_set(e, ERR_CONFLICT, "%s does not hold the keys that follow this device's", path);
	if (!code)
		*next = keys;
	crypto_wipe(&keys, sizeof keys);
	return code;
}

static struct keyfile secret_file(uint8_t value[KEY_BYTES])
{
	return (struct keyfile){ .title = "last-mile secret v1", .line_count = 1, .line = { { "secret", value } } };
}

int secret_file_read(const char *path, uint8_t secret[KEY_BYTES], struct error *e)
{
	struct keyfile file = secret_file(secret);
	return keyfile_read(path, &file, e);
}

int secret_file_overwrite(const char *path, const uint8_t secret[KEY_BYTES], struct error *e)
{
	uint8_t value[KEY_BYTES];
	struct keyfile file = secret_file(value);
	memcpy(value, secret, KEY_BYTES);
	int code = keyfile_overwrite(path, &file, e);
	crypto_wipe(value, sizeof value);
	return code;
}

int secret_file_open(const char *path, uint8_t secret[KEY_BYTES], bool *was_made, struct error *e)
{
	uint8_t value[KEY_BYTES];
	struct keyfile file = secret_file(value);
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
