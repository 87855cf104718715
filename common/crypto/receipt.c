/*
 * Receipts: what a code opens on the device that made it, and the messages that only a receipt's holder can read.
 *
 *   lock     nonce (12) ‖ AEAD(lock key, receipt key (32) ‖ request id (16)) + tag (16)
 *   message  salt (16) ‖ AEAD(HKDF(receipt key, salt), text ‖ 0x80 ‖ zeros to a multiple of 512) + tag (16)
 *
 * All of it is SUITE_INTERNATIONAL: the forms have no room for a suite id, and a code lives for weeks.
 */
#include <errno.h>
#include <string.h>

#include <sodium/crypto_pwhash_argon2id.h> /* not sodium.h, which has a crypto_hash of its own */

#include "base/ids.h"
#include "parts.h"

#define LOCK_PLAIN_BYTES (RECEIPT_KEY_BYTES + 16)
#define MESSAGE_SALT_BYTES 16
#define PAD_MARK 0x80 /* ISO/IEC 7816-4 */

static const char lock_label[] = "lm receipt lock v1";

_Static_assert(DEVICE_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "the device salt is Argon2id's salt");
_Static_assert(RECEIPT_LOCK_BYTES == NONCE_BYTES + LOCK_PLAIN_BYTES + TAG_BYTES, "the lock's form");

int receipt_derive(const char *code, const uint8_t device_salt[DEVICE_SALT_BYTES], struct receipt_secret *out,
                   struct error *e)
{
	if (strnlen(code, RECEIPT_CODE_DIGITS + 1) != RECEIPT_CODE_DIGITS ||
	    strspn(code, "0123456789") != RECEIPT_CODE_DIGITS)
		return error_set(e, ERR_INVALID, "a receipt code has %d digits and nothing else", RECEIPT_CODE_DIGITS);
	uint8_t stretched[KEY_BYTES];
	struct receipt_secret draft;
	errno = 0;
	if (crypto_pwhash_argon2id(stretched, sizeof stretched, code, RECEIPT_CODE_DIGITS, device_salt,
	                           RECEIPT_ARGON2_PASSES, RECEIPT_ARGON2_MEMORY_BYTES,
	                           crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return error_set(e, ERR_MEMORY, "no memory to stretch a receipt code (%u MiB are needed)",
		                 RECEIPT_ARGON2_MEMORY_BYTES / 1024 / 1024);
	struct bytes secret = BYTES(stretched, sizeof stretched), no_salt = { 0 };
	int failure = crypto_derive(SUITE_INTERNATIONAL, secret, no_salt, "lm receipt lookup v1", draft.lookup,
	                            sizeof draft.lookup, e);
	if (!failure)
		failure = crypto_derive(SUITE_INTERNATIONAL, secret, no_salt, lock_label, draft.lock_key,
		                        sizeof draft.lock_key, e);
	if (!failure)
		*out = draft; // cppcheck-suppress uninitvar ; both derivations filled it
	crypto_wipe(stretched, sizeof stretched);
	crypto_wipe(&draft, sizeof draft);
	return failure;
}

int receipt_lock_make(const struct receipt_secret *s, const uint8_t receipt_key[RECEIPT_KEY_BYTES],
                      const uint8_t request_id[16], uint8_t lock[RECEIPT_LOCK_BYTES], struct error *e)
{
	/* Two receipts may draw the same code and so the same lock key: here the nonce has to be random. */
	uint8_t plain[LOCK_PLAIN_BYTES], draft[RECEIPT_LOCK_BYTES];
	memcpy(plain, receipt_key, RECEIPT_KEY_BYTES);
	memcpy(plain + RECEIPT_KEY_BYTES, request_id, 16);
	int code = crypto_random(draft, NONCE_BYTES, e);
	if (!code)
		code = aead_seal(SUITE_INTERNATIONAL, s->lock_key, draft, bytes_from_text(lock_label), BYTES_OF(plain),
		                 draft + NONCE_BYTES, e);
	if (!code)
		memcpy(lock, draft, sizeof draft);
	crypto_wipe(plain, sizeof plain);
	return code;
}

int receipt_lock_open(const struct receipt_secret *s, const uint8_t lock[RECEIPT_LOCK_BYTES],
                      uint8_t receipt_key[RECEIPT_KEY_BYTES], uint8_t request_id[16], struct error *e)
{
	uint8_t plain[LOCK_PLAIN_BYTES];
	int code = aead_open(SUITE_INTERNATIONAL, s->lock_key, lock, bytes_from_text(lock_label),
	                     BYTES(lock + NONCE_BYTES, RECEIPT_LOCK_BYTES - NONCE_BYTES), plain, e);
	if (!code) {
		memcpy(receipt_key, plain, RECEIPT_KEY_BYTES);
		memcpy(request_id, plain + RECEIPT_KEY_BYTES, 16);
	}
	crypto_wipe(plain, sizeof plain);
	return code;
}

/* The text with its mark, filled up to whole pads; 0 when that is more than memory can hold. */
static size_t padded_bytes(size_t plain_bytes)
{
	size_t padded;
	if (__builtin_add_overflow(plain_bytes, RECEIPT_PAD_BYTES + MESSAGE_SALT_BYTES + TAG_BYTES, &padded))
		return 0;
	return (plain_bytes / RECEIPT_PAD_BYTES + 1) * RECEIPT_PAD_BYTES;
}

size_t receipt_message_sealed_bytes(size_t plain_bytes)
{
	size_t padded = padded_bytes(plain_bytes);
	return padded ? MESSAGE_SALT_BYTES + padded + TAG_BYTES : 0;
}

/* Each message has a salt and so a key of its own: one receipt key covers a case's whole correspondence. */
static int message_key_derive(const uint8_t receipt_key[RECEIPT_KEY_BYTES], const uint8_t salt[MESSAGE_SALT_BYTES],
                              uint8_t key[KEY_BYTES], struct error *e)
{
	return crypto_derive(SUITE_INTERNATIONAL, BYTES(receipt_key, RECEIPT_KEY_BYTES),
	                     BYTES(salt, MESSAGE_SALT_BYTES), "lm receipt message v1", key, KEY_BYTES, e);
}

int receipt_message_seal(const uint8_t receipt_key[RECEIPT_KEY_BYTES], struct bytes associated, struct bytes plain,
                         uint8_t *out, struct error *e)
{
	size_t padded = padded_bytes(plain.size);
	if (!padded)
		return error_set(e, ERR_TOO_BIG, "a message of %zu bytes is too large for a receipt", plain.size);
	uint8_t salt[MESSAGE_SALT_BYTES], key[KEY_BYTES];
	int code = crypto_random(salt, sizeof salt, e);
	if (!code)
		code = message_key_derive(receipt_key, salt, key, e);
	if (code)
		return code;
	uint8_t *text = out + MESSAGE_SALT_BYTES;
	memcpy(out, salt, sizeof salt);
	if (plain.size)
		memcpy(text, plain.data, plain.size);
	memset(text + plain.size, 0, padded - plain.size);
	text[plain.size] = PAD_MARK;
	code = aead_seal(SUITE_INTERNATIONAL, key, nonce_zero, associated, BYTES(text, padded), text, e);
	crypto_wipe(key, sizeof key);
	return code;
}

int receipt_message_open(const uint8_t receipt_key[RECEIPT_KEY_BYTES], struct bytes associated, struct bytes sealed,
                         uint8_t *out, size_t *out_size, struct error *e)
{
	size_t frame = MESSAGE_SALT_BYTES + TAG_BYTES;
	if (sealed.size < frame + RECEIPT_PAD_BYTES || (sealed.size - frame) % RECEIPT_PAD_BYTES != 0)
		return error_set(e, ERR_DAMAGED, "a receipt's message cannot have %zu bytes", sealed.size);
	size_t size = sealed.size - frame;
	uint8_t key[KEY_BYTES];
	int code = message_key_derive(receipt_key, sealed.data, key, e);
	if (!code)
		code = aead_open(SUITE_INTERNATIONAL, key, nonce_zero, associated,
		                 BYTES(sealed.data + MESSAGE_SALT_BYTES, size + TAG_BYTES), out, e);
	crypto_wipe(key, sizeof key);
	if (code)
		return code;
	/* The padding is looked at only after it has verified, so how it fails tells an attacker nothing. */
	size_t end = size;
	while (end && out[end - 1] == 0)
		end--;
	if (end == 0 || out[end - 1] != PAD_MARK || size - end >= RECEIPT_PAD_BYTES) {
		crypto_wipe(out, size);
		return error_set(e, ERR_DAMAGED, "a receipt's message has a wrong padding");
	}
	*out_size = end - 1;
	return OK;
}
