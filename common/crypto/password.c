/* Passwords of staff: Argon2id in libsodium's text form, which carries its own salt and costs. */
#include <errno.h>
#include <string.h>

#include <sodium/crypto_pwhash_argon2id.h> /* not sodium.h, which has a crypto_hash of its own */

#include "parts.h"

#define PASSWORD_MOST_BYTES 256
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

int password_check(const char *password, const char *hash, struct error *e)
{
	size_t size = strnlen(password, PASSWORD_MOST_BYTES + 1);
	if (size > PASSWORD_MOST_BYTES || strnlen(hash, PASSWORD_HASH_BYTES) == PASSWORD_HASH_BYTES)
		return error_set(e, ERR_LOGIN, "the name or the password is wrong");
	errno = 0;
	if (crypto_pwhash_argon2id_str_verify(hash, password, size) == 0)
		return OK;
	/* "No memory" must not read as "wrong password": that would count against the person. */
	if (errno == ENOMEM)
		return error_set(e, ERR_MEMORY, "no memory to check a password; try again");
	return error_set(e, ERR_LOGIN, "the name or the password is wrong");
}
