/*
 * Inside the room: what a suite id stands for, and the OpenSSL objects that a thread keeps for it.
 *
 * Making a context costs more than hashing a short text, so every thread makes its own once, at first use, and
 * gives them back when it ends. Nothing in here is shared between threads; no lock is taken on the hot path.
 */
#ifndef CRYPTO_PARTS_H
#define CRYPTO_PARTS_H

#include <openssl/evp.h>

#include "crypto/crypto.h"

#define HASH_BLOCK_BYTES 64        /* SHA-256 and SM3 */
#define PAIR_BYTES (2 * KEY_BYTES) /* of libsodium: the seed, then the public key */
#define SIGNERS_KEPT 2             /* a node signs with its own key; the hub also with the district's authority */

struct suite {
	uint8_t id;
	const char *name;
	const char *hash_name, *aead_name; /* as OpenSSL calls them; signatures are Ed25519, agreement is X25519 */
};

struct signer {
	uint8_t pair[PAIR_BYTES];
	bool is_used;
};

struct parts {
	const struct suite *suite;
	EVP_MD *hash;
	EVP_MD_CTX *hash_context;
	EVP_CIPHER *aead;
	EVP_CIPHER_CTX *seal_context, *open_context;
	struct signer signer[SIGNERS_KEPT]; /* the most recent first */
};

/* This thread's parts of a suite. ERR_VERSION for an unknown suite, ERR_CRYPTO. */
int parts_get(uint8_t suite, struct parts **out, struct error *e);

/* ERR_CRYPTO with OpenSSL's reason; empties its error queue. */
int openssl_refuse(struct error *e, const char *what);

/* The secret that two X25519 keys share. ERR_INVALID for a public key of small order. */
int agree_secret(uint8_t suite, const uint8_t secret_key[KEY_BYTES], const uint8_t public_key[KEY_BYTES],
                 uint8_t shared[KEY_BYTES], struct error *e);
/* The public half of a secret key. */
int agree_public(uint8_t suite, const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES], struct error *e);
int sign_public(uint8_t suite, const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES], struct error *e);

/* Drives the last key out of this thread's context for sealing, which keeps it until the next use (0.7 µs, as much
 * as sealing itself). For keys that nobody else in the process holds any more. */
int aead_forget(uint8_t suite, struct error *e);

/* For keys that are used once, see aead.c. */
extern const uint8_t nonce_zero[NONCE_BYTES];

#endif
