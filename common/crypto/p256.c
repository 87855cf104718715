/*
 * Signatures of smart cards: ECDSA over P-256 with SHA-256, as r and s of 32 bytes each.
 */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "parts.h"

#define HALF_BYTES (SIGNATURE_BYTES / 2)
#define DER_BYTES_MOST 80

/* NULL: it is no point of the curve, or there is no memory. */
static EVP_PKEY *key_open(const uint8_t key[P256_KEY_BYTES])
{
	char group[] = "P-256";
	EVP_PKEY *made = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM parts[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)key, P256_KEY_BYTES),
		OSSL_PARAM_construct_end(),
	};
	if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parts) != 1)
		made = NULL;
	EVP_PKEY_CTX_free(context);
	return made;
}

int p256_key_check(const uint8_t key[P256_KEY_BYTES], struct error *e)
{
	EVP_PKEY *pkey = key[0] == 4 ? key_open(key) : NULL;
	EVP_PKEY_CTX *context = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	bool is_good = context && EVP_PKEY_public_check(context) == 1;
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(pkey);
	if (is_good)
		return OK;
	openssl_refuse(NULL, "a key of P-256");
	return error_set(e, ERR_INVALID, "this is no public key of P-256: %d bytes, the first is 4", P256_KEY_BYTES);
}

/* Bytes of the signature as OpenSSL takes it; 0: it cannot be one. */
static int signature_to_der(const uint8_t signature[SIGNATURE_BYTES], uint8_t der[DER_BYTES_MOST])
{
	uint8_t *at = der;
	int size = 0;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, HALF_BYTES, NULL), *s = BN_bin2bn(signature + HALF_BYTES, HALF_BYTES, NULL);
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* the signature has them */
		if (i2d_ECDSA_SIG(sig, NULL) <= DER_BYTES_MOST)
			size = i2d_ECDSA_SIG(sig, &at);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return size;
}

int p256_check(const uint8_t key[P256_KEY_BYTES], struct bytes message, const uint8_t signature[SIGNATURE_BYTES],
               struct error *e)
{
	uint8_t der[DER_BYTES_MOST];
	int size = signature_to_der(signature, der), verified = 0;
	EVP_PKEY *pkey = key_open(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (size > 0 && pkey && context &&
	    EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1)
		verified = EVP_DigestVerify(context, der, (size_t)size, message.data, message.size);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	if (verified == 1)
		return OK;
	openssl_refuse(NULL, "a signature of P-256"); /* a wrong one leaves reasons behind */
	return error_set(e, ERR_BAD_SIGNATURE, "the signature does not belong to this key and text");
}
