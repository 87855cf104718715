/* Public keys: Ed25519 signatures and X25519 agreement, over raw keys of 32 bytes. */
#include <string.h>

#include <openssl/err.h>

#include "parts.h"

/* A fresh pair of the named algorithm. */
static int keypair_make(const char *name, uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES], struct error *e)
{
	uint8_t public_draft[KEY_BYTES], secret_draft[KEY_BYTES];
	size_t public_size = KEY_BYTES, secret_size = KEY_BYTES;
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, name);
	bool is_good = pair && EVP_PKEY_get_raw_public_key(pair, public_draft, &public_size) == 1 &&
	               EVP_PKEY_get_raw_private_key(pair, secret_draft, &secret_size) == 1 &&
	               public_size == KEY_BYTES && secret_size == KEY_BYTES;
	if (is_good) {
		memcpy(public_key, public_draft, KEY_BYTES);
		memcpy(secret_key, secret_draft, KEY_BYTES);
	}
	EVP_PKEY_free(pair);
	crypto_wipe(secret_draft, sizeof secret_draft);
	return is_good ? OK : openssl_refuse(e, "cannot make a key pair");
}

static int public_of(const char *name, const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES],
                     struct error *e)
{
	uint8_t draft[KEY_BYTES];
	size_t size = KEY_BYTES;
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, secret_key, KEY_BYTES);
	bool is_good = pair && EVP_PKEY_get_raw_public_key(pair, draft, &size) == 1 && size == KEY_BYTES;
	if (is_good)
		memcpy(public_key, draft, KEY_BYTES);
	EVP_PKEY_free(pair);
	return is_good ? OK : openssl_refuse(e, "cannot compute a public key");
}

int sign_keypair(uint8_t suite, uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	return code ? code : keypair_make(p->suite->signature_name, public_key, secret_key, e);
}

int sign_public(uint8_t suite, const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	return code ? code : public_of(p->suite->signature_name, secret_key, public_key, e);
}

int agree_keypair(uint8_t suite, uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	return code ? code : keypair_make(p->suite->agreement_name, public_key, secret_key, e);
}

int agree_public(uint8_t suite, const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	return code ? code : public_of(p->suite->agreement_name, secret_key, public_key, e);
}

/*
 * Reading an Ed25519 seed computes its public key, as costly as a signature. So the thread keeps the keys it
 * signed with last, the most recent in front. The returned key belongs to `p`; NULL when OpenSSL refuses.
 */
static EVP_PKEY *signer_get(struct parts *p, const uint8_t secret_key[KEY_BYTES])
{
	size_t at = 0;
	while (at < SIGNERS_KEPT &&
	       !(p->signer[at].key && crypto_equal(p->signer[at].secret_key, secret_key, KEY_BYTES)))
		at++;
	if (at == 0)
		return p->signer[0].key;
	struct signer found;
	if (at < SIGNERS_KEPT) {
		found = p->signer[at];
	} else {
		found.key =
		        EVP_PKEY_new_raw_private_key_ex(NULL, p->suite->signature_name, NULL, secret_key, KEY_BYTES);
		if (!found.key)
			return NULL;
		memcpy(found.secret_key, secret_key, KEY_BYTES);
		at = SIGNERS_KEPT - 1;
		EVP_PKEY_free(p->signer[at].key);
	}
	memmove(&p->signer[1], &p->signer[0], at * sizeof found);
	p->signer[0] = found;
	crypto_wipe(&found, sizeof found);
	return p->signer[0].key;
}

int sign_make(uint8_t suite, const uint8_t secret_key[KEY_BYTES], struct bytes message,
              uint8_t signature[SIGNATURE_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (code)
		return code;
	EVP_PKEY *key = signer_get(p, secret_key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t draft[SIGNATURE_BYTES];
	size_t size = sizeof draft;
	/* Ed25519 hashes the message twice, so it is one-shot and names no digest. */
	bool is_good = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
	               EVP_DigestSign(context, draft, &size, message.data, message.size) == 1 && size == sizeof draft;
	EVP_MD_CTX_free(context);
	if (!is_good)
		return openssl_refuse(e, "signing failed");
	memcpy(signature, draft, sizeof draft);
	return OK;
}

int sign_check(uint8_t suite, const uint8_t public_key[KEY_BYTES], struct bytes message,
               const uint8_t signature[SIGNATURE_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (code)
		return code;
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, p->suite->signature_name, NULL, public_key, KEY_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_ready = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1;
	/* Only 1 means genuine: 0 is a wrong signature, and what is below zero is no answer at all. */
	bool is_genuine =
	        is_ready && EVP_DigestVerify(context, signature, SIGNATURE_BYTES, message.data, message.size) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	if (!is_ready)
		return openssl_refuse(e, "cannot check a signature");
	if (is_genuine)
		return OK;
	ERR_clear_error();
	return error_set(e, ERR_BAD_SIGNATURE, "the signature does not belong to this message and key");
}

int agree_secret(uint8_t suite, const uint8_t secret_key[KEY_BYTES], const uint8_t public_key[KEY_BYTES],
                 uint8_t shared[KEY_BYTES], struct error *e)
{
	struct parts *p;
	int code = parts_get(suite, &p, e);
	if (code)
		return code;
	const char *name = p->suite->agreement_name;
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, secret_key, KEY_BYTES);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, public_key, KEY_BYTES);
	EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
	uint8_t draft[KEY_BYTES];
	size_t size = sizeof draft;
	/* X25519 fails on an all-zero result (RFC 7748, 6.1), so a key of small order cannot force the secret. */
	bool is_good = peer && context && EVP_PKEY_derive_init(context) == 1 &&
	               EVP_PKEY_derive_set_peer(context, peer) == 1 && EVP_PKEY_derive(context, draft, &size) == 1 &&
	               size == sizeof draft;
	if (is_good)
		memcpy(shared, draft, sizeof draft);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	crypto_wipe(draft, sizeof draft);
	return is_good ? OK : openssl_refuse(e, "key agreement failed; the public key may be wrong");
}
