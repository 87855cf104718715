/* Passwords of staff: Argon2id in libsodium's text form, which carries its own salt and costs. */
#include <stdio.h>
#include <string.h>

#include <sodium/crypto_pwhash_argon2id.h> /* not sodium.h, which has a crypto_hash of its own */
#include <sodium/utils.h>

#include "parts.h"

#define PASSWORD_MOST_BYTES 256
#define TAG_OF_PASSWORD_BYTES 32 /* as libsodium makes it */
#define PASSWORD_PASSES 3
#define PASSWORD_MEMORY_BYTES (64u * 1024 * 1024)

_Static_assert(PASSWORD_HASH_BYTES >= crypto_pwhash_argon2id_STRBYTES, "room for the text form");

int password_hash(const char *password, char hash[PASSWORD_HASH_BYTES], struct error *e)
{
	struct bytes text = BYTES(password, strnlen(password, PASSWORD_MOST_BYTES + 1));
	if (text.size > PASSWORD_MOST_BYTES)
		return error_set(e, ERR_INVALID, "the password is longer than %d bytes", PASSWORD_MOST_BYTES);
	long characters = utf8_length(text);
	if (characters < 0)
		return error_set(e, ERR_INVALID, "the password is not valid UTF-8");
	if (characters < PASSWORD_LEAST_CHARACTERS)
		return error_set(e, ERR_INVALID, "the password has %ld characters; it needs at least %d", characters,
		                 PASSWORD_LEAST_CHARACTERS);
	char draft[PASSWORD_HASH_BYTES] = "";
	if (crypto_pwhash_argon2id_str(draft, password, text.size, PASSWORD_PASSES, PASSWORD_MEMORY_BYTES) != 0)
		return error_set(e, ERR_MEMORY, "no memory to hash a password (%u MiB are needed)",
		                 PASSWORD_MEMORY_BYTES / 1024 / 1024);
	memcpy(hash, draft, sizeof draft);
	return OK;
}

struct kept { /* what a hash's text form says */
	unsigned long memory_kib, passes;
	uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
	uint8_t tag[TAG_OF_PASSWORD_BYTES];
};

/* Takes base64 of exactly `size` bytes off the front of *text. */
static bool kept_bytes(const char **text, uint8_t *out, size_t size)
{
	size_t length = 0;
	return **text == '$' &&
	       sodium_base642bin(out, size, *text + 1, strcspn(*text + 1, "$"), NULL, &length, NULL,
	                         sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	       length == size && (*text += 1 + strcspn(*text + 1, "$"), true);
}

/* $argon2id$v=19$m=65536,t=3,p=1$SALT$TAG */
static bool kept_read(const char *hash, struct kept *out)
{
	int end = 0;
	/* NOLINTNEXTLINE(cert-err34-c): no number of so few digits is too large */
	if (sscanf(hash, "$argon2id$v=19$m=%7lu,t=%3lu,p=1%n", &out->memory_kib, &out->passes, &end) != 2 || !end)
		return false;
	const char *rest = hash + end;
	return kept_bytes(&rest, out->salt, sizeof out->salt) && kept_bytes(&rest, out->tag, sizeof out->tag) && !*rest;
}

/* Not by crypto_pwhash_str_verify, for which "no memory" is a wrong password: that would count against the person. */
int password_check(const char *password, const char *hash, struct error *e)
{
	struct kept kept;
	uint8_t tag[TAG_OF_PASSWORD_BYTES];
	size_t size = strnlen(password, PASSWORD_MOST_BYTES + 1);
	if (size > PASSWORD_MOST_BYTES || strnlen(hash, PASSWORD_HASH_BYTES) == PASSWORD_HASH_BYTES ||
	    !kept_read(hash, &kept))
		return error_set(e, ERR_LOGIN, "the name or the password is wrong");
	if (crypto_pwhash_argon2id(tag, sizeof tag, password, size, kept.salt, kept.passes,
	                           (size_t)kept.memory_kib * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return error_set(e, ERR_MEMORY, "no memory to check a password; try again");
	bool is_right = crypto_equal(tag, kept.tag, sizeof tag);
	crypto_wipe(tag, sizeof tag);
	return is_right ? OK : error_set(e, ERR_LOGIN, "the name or the password is wrong");
}
