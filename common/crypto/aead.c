/*
 * Authenticated encryption: with libsodium where the processor has AES instructions, else over the OpenSSL contexts
 * that the thread keeps. Most of what is sealed is short, and OpenSSL takes three times as long to set a key as
 * libsodium takes to seal 100 bytes (940 ns to 320 ns). The bytes are the same.
 *
 * The nonce. A pair of key and nonce must never seal two texts. Where a key is drawn or derived for a single
 * text (a period's wrap, an entry's wrap, a payload, a receipt's message) the key alone makes the pair unique,
 * and the nonce is `nonce_zero`: a random one would add bytes to every record and no safety. Keys that seal
 * more than once (a receipt's lock, the store) bring a nonce of their own.
 */
#include <limits.h>
#include <string.h>

#include <sodium/crypto_aead_aes256gcm.h>

#include "parts.h"

const uint8_t nonce_zero[NONCE_BYTES] = { 0 };

static int size_check(struct bytes associated, size_t size, struct error *e)
{
	/* OpenSSL counts in int; nothing that the product seals comes near. */
	if (associated.size > INT_MAX || size > INT_MAX - TAG_BYTES)
		return error_set(e, ERR_TOO_BIG, "%zu bytes are too many to encrypt at once", size);
	return OK;
}

static bool is_by_sodium(const struct parts *p)
{
	return p->suite->id == SUITE_INTERNATIONAL && crypto_aead_aes256gcm_is_available();
}

static void sodium_seal(const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct bytes associated,
                        struct bytes plain, uint8_t *out)
{
	crypto_aead_aes256gcm_state state;
	uint8_t tag[TAG_BYTES];
	crypto_aead_aes256gcm_beforenm(&state, key);
	crypto_aead_aes256gcm_encrypt_detached_afternm(out, tag, NULL, plain.data, plain.size, associated.data,
	                                               associated.size, NULL, nonce, &state);
	memcpy(out + plain.size, tag, TAG_BYTES);
	crypto_wipe(&state, sizeof state);
}

static bool sodium_open(const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct bytes associated,
                        struct bytes sealed, uint8_t *out)
{
	crypto_aead_aes256gcm_state state;
	uint8_t tag[TAG_BYTES];
	size_t size = sealed.size - TAG_BYTES;
	memcpy(tag, sealed.data + size, TAG_BYTES);
	crypto_aead_aes256gcm_beforenm(&state, key);
	bool is_genuine =
	        crypto_aead_aes256gcm_decrypt_detached_afternm(out, NULL, sealed.data, size, tag, associated.data,
	                                                       associated.size, nonce, &state) == 0;
	crypto_wipe(&state, sizeof state);
	return is_genuine;
}

int aead_seal(uint8_t suite, const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct bytes associated,
              struct bytes plain, uint8_t *out, struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (!code)
		code = size_check(associated, plain.size, e);
	if (code)
		return code;
	if (is_by_sodium(p)) {
		sodium_seal(key, nonce, associated, plain, out);
		return OK;
	}
	EVP_CIPHER_CTX *context = p->seal_context;
	int length;
	bool is_good = EVP_EncryptInit_ex2(context, NULL, key, nonce, NULL) == 1;
	if (is_good && associated.size)
		is_good = EVP_EncryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1;
	if (is_good && plain.size)
		is_good = EVP_EncryptUpdate(context, out, &length, plain.data, (int)plain.size) == 1;
	uint8_t tag[TAG_BYTES];
	is_good = is_good && EVP_EncryptFinal_ex(context, tag, &length) == 1 &&
	          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;
	if (!is_good)
		return openssl_refuse(e, "encryption failed");
	memcpy(out + plain.size, tag, TAG_BYTES);
	return OK;
}

/* *is_ready becomes false if the fault is not the data's. */
static bool openssl_open(EVP_CIPHER_CTX *context, const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES],
                         struct bytes associated, struct bytes sealed, uint8_t *out, bool *is_ready)
{
	size_t size = sealed.size - TAG_BYTES;
	uint8_t tag[TAG_BYTES], rest[TAG_BYTES];
	int length;
	memcpy(tag, sealed.data + size, TAG_BYTES);
	*is_ready = EVP_DecryptInit_ex2(context, NULL, key, nonce, NULL) == 1 &&
	            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1;
	if (*is_ready && associated.size)
		*is_ready = EVP_DecryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1;
	if (*is_ready && size)
		*is_ready = EVP_DecryptUpdate(context, out, &length, sealed.data, (int)size) == 1;
	return *is_ready && EVP_DecryptFinal_ex(context, rest, &length) == 1;
}

int aead_open(uint8_t suite, const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct bytes associated,
              struct bytes sealed, uint8_t *out, struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (!code)
		code = size_check(associated, sealed.size, e);
	if (code)
		return code;
	if (sealed.size < TAG_BYTES)
		return error_set(e, ERR_DAMAGED, "%zu bytes are too few for sealed data", sealed.size);
	size_t size = sealed.size - TAG_BYTES;
	bool is_ready = true, is_genuine;
	if (is_by_sodium(p))
		is_genuine = sodium_open(key, nonce, associated, sealed, out);
	else
		is_genuine = openssl_open(p->open_context, key, nonce, associated, sealed, out, &is_ready);
	if (is_genuine)
		return OK;
	crypto_wipe(out, size);
	if (!is_ready)
		return openssl_refuse(e, "decryption failed");
	return error_set(e, ERR_DAMAGED, "sealed data does not verify: it was changed, or sealed for something else");
}

int aead_forget(uint8_t suite, struct error *e)
{
	static const uint8_t key_zero[KEY_BYTES] = { 0 };
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (code || is_by_sodium(p)) /* which keeps none */
		return code;
	if (EVP_EncryptInit_ex2(p->seal_context, NULL, key_zero, nonce_zero, NULL) != 1)
		return openssl_refuse(e, "cannot forget a key");
	return OK;
}
