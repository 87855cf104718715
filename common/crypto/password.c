/* Passwords of staff: Argon2id in libsodium's text form, which carries its own salt and costs. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium/crypto_pwhash_argon2id.h> /* not sodium.h, which has a crypto_hash of its own */
#include <sodium/utils.h>

#include "parts.h"

#define PASSWORD_MOST_BYTES 256
#define NAME_TOLD_CHARACTERS 5   /* a name as short as this is in many words */
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

/* What lists of stolen passwords have most often, of 10 characters and more, here and elsewhere. Letters are compared
 * without their case. */
static const char *const commonest[] = {
	"0123456789",   "0987654321",   "1111111111",    "11111111111",   "111222333444",   "1122334455",
	"1212121212",   "123123123123", "1231231234",    "1234512345",    "1234554321",     "1234567890",
	"12345678900",  "12345678901",  "12345678910",   "123456789123",  "123456789a",     "123456789abc",
	"123456789q",   "1234567890a",  "1234567890q",   "1234567891",    "12344321123",    "1357924680",
	"147258369a",   "147258369147", "1472583690",    "1q2w3e4r5t",    "1q2w3e4r5t6y",   "1qaz2wsx3edc",
	"1qaz1qaz1qaz", "3.1415926535", "3141592653",    "5201314520",    "52013145201314", "741852963a",
	"7758521521",   "789456123a",   "9876543210",    "a123456789",    "a1234567890",    "aa12345678",
	"aa123456789",  "aaaaaaaaaa",   "abc1234567",    "abc123456789",  "abcd123456",     "abcd1234567",
	"abcd12345678", "abcdefghij",   "admin12345",    "admin123456",   "admin123456789", "administrator",
	"asd123456789", "asdf123456",   "asdfasdfasdf",  "asdfghjkl1",    "asdfghjkl123",   "changeme123",
	"computer123",  "football123",  "iloveyou123",   "iloveyou1314",  "letmein1234",    "lastmile123",
	"nihao123456",  "p@ssw0rd123",  "passw0rd123",   "password00",    "password01",     "password11",
	"password12",   "password123",  "password1234",  "password12345", "password123456", "q123456789",
	"q1w2e3r4t5",   "q1w2e3r4t5y6", "qazwsx123456",  "qazwsxedc1",    "qazwsxedc123",   "qq123456789",
	"qq1234567890", "qwer123456",   "qwer1234567",   "qwer12345678",  "qwerty1234",     "qwerty12345",
	"qwerty123456", "qwertyuiop",   "qwertyuiop1",   "qwertyuiop123", "shanghai123",    "sunshine123",
	"superman123",  "welcome123",   "welcome1234",   "woaini1314",    "woaini520",      "woaini5201314",
	"woaini521521", "woaiwojia123", "wang123456",    "z123456789",    "zhang123456",    "zhongguo123",
	"zxc1234567",   "zxcvbnm123",   "zxcvbnm123456", "zxcvbnm1234",
};

int password_choice_check(const char *password, const char *name, struct error *e)
{
	size_t size = strnlen(password, PASSWORD_MOST_BYTES + 1);
	if (size > PASSWORD_MOST_BYTES || utf8_length(BYTES(password, size)) < PASSWORD_LEAST_CHARACTERS)
		return error_set(e, ERR_INVALID,
		                 "password: %d characters or more, at most %d bytes; a few words are good",
		                 PASSWORD_LEAST_CHARACTERS, PASSWORD_MOST_BYTES);
	bool is_common = strspn(password, (char[]){ password[0], '\0' }) == size ||
	                 (strlen(name) >= NAME_TOLD_CHARACTERS && strcasestr(password, name));
	for (size_t i = 0; i < sizeof commonest / sizeof *commonest; i++)
		is_common |= strcasecmp(password, commonest[i]) == 0;
	return is_common ? error_set(e, ERR_INVALID,
	                             "password: this one is among the first that are tried; take a few words that only "
	                             "you would put together")
	                 : OK;
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
