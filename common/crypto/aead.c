/*
 * Authenticated encryption over the contexts that the thread keeps.
 *
 * The nonce. A pair of key and nonce must never seal two texts. Where a key is drawn or derived for a single
 * text (a period's wrap, an entry's wrap, a payload, a receipt's message) the key alone makes the pair unique,
 * and the nonce is `nonce_zero`: a random one would add bytes to every record and no safety. Keys that seal
 * more than once (a receipt's lock, the store) bring a nonce of their own.
 */
#include <limits.h>
#include <string.h>

#include "parts.h"

const uint8_t nonce_zero[NONCE_BYTES] = { 0 };

static int size_check(struct bytes associated, size_t size, struct error *e)
{
	/* OpenSSL counts in int; nothing that the product seals comes near. */
	if (associated.size > INT_MAX || size > INT_MAX - TAG_BYTES)
		return error_set(e, ERR_TOO_BIG, "%zu bytes are too many to encrypt at once", size);
	return OK;
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
	EVP_CIPHER_CTX *context = p->open_context;
	size_t size = sealed.size - TAG_BYTES;
	uint8_t tag[TAG_BYTES], rest[TAG_BYTES];
	int length;
	memcpy(tag, sealed.data + size, TAG_BYTES);
	bool is_ready = EVP_DecryptInit_ex2(context, NULL, key, nonce, NULL) == 1 &&
	                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1;
	if (is_ready && associated.size)
		is_ready = EVP_DecryptUpdate(context, NULL, &length, associated.data, (int)associated.size) == 1;
	if (is_ready && size)
		is_ready = EVP_DecryptUpdate(context, out, &length, sealed.data, (int)size) == 1;
	bool is_genuine = is_ready && EVP_DecryptFinal_ex(context, rest, &length) == 1;
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
	if (code)
		return code;
	if (EVP_EncryptInit_ex2(p->seal_context, NULL, key_zero, nonce_zero, NULL) != 1)
		return openssl_refuse(e, "cannot forget a key");
	return OK;
}
