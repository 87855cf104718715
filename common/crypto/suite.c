/* The table of suites, each thread's parts of them, and the few functions that need no suite. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sodium/core.h>

#include "parts.h"

/* A second suite is a second line, and its signatures. Ids are in stored records: they are never given to another
 * suite. */
static const struct suite suites[] = {
	{ SUITE_INTERNATIONAL, "Ed25519, X25519, HKDF-SHA-256, AES-256-GCM", "SHA256", "AES-256-GCM" },
};
#define SUITE_COUNT (sizeof suites / sizeof *suites)

static _Thread_local struct parts *thread_parts; /* SUITE_COUNT of them; made at first use */
static pthread_key_t thread_end_key;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;
static int thread_end_failure;

static void parts_close(struct parts *p)
{
	EVP_MD_CTX_free(p->hash_context);
	EVP_MD_free(p->hash);
	EVP_CIPHER_CTX_free(p->seal_context);
	EVP_CIPHER_CTX_free(p->open_context);
	EVP_CIPHER_free(p->aead);
	crypto_wipe(p, sizeof *p);
}

static void thread_end(void *all)
{
	for (size_t i = 0; i < SUITE_COUNT; i++)
		parts_close((struct parts *)all + i);
	free(all);
	thread_parts = NULL; /* another destructor of this thread may still hash: it then makes new ones */
}

static void thread_end_prepare(void)
{
	thread_end_failure = pthread_key_create(&thread_end_key, thread_end);
}

static int thread_parts_make(struct error *e)
{
	pthread_once(&thread_end_once, thread_end_prepare);
	if (thread_end_failure)
		return error_set_errno(e, thread_end_failure, "cannot keep cryptographic contexts for threads");
	struct parts *all = calloc(SUITE_COUNT, sizeof *all);
	if (!all || pthread_setspecific(thread_end_key, all) != 0) {
		free(all);
		return error_set(e, ERR_MEMORY, "no memory for cryptographic contexts");
	}
	thread_parts = all;
	return OK;
}

static int parts_open(struct parts *p, const struct suite *suite, struct error *e)
{
	struct parts draft = { .suite = suite };
	draft.hash = EVP_MD_fetch(NULL, suite->hash_name, NULL);
	draft.hash_context = EVP_MD_CTX_new();
	draft.aead = EVP_CIPHER_fetch(NULL, suite->aead_name, NULL);
	draft.seal_context = EVP_CIPHER_CTX_new();
	draft.open_context = EVP_CIPHER_CTX_new();
	if (!draft.hash || !draft.hash_context || !draft.aead || !draft.seal_context || !draft.open_context ||
	    EVP_DigestInit_ex2(draft.hash_context, draft.hash, NULL) != 1 ||
	    EVP_EncryptInit_ex2(draft.seal_context, draft.aead, NULL, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(draft.open_context, draft.aead, NULL, NULL, NULL) != 1) {
		parts_close(&draft);
		return openssl_refuse(e, "hash and encryption are not available");
	}
	*p = draft;
	return OK;
}

int parts_get(uint8_t suite, struct parts **out, struct error *e)
{
	for (size_t i = 0; i < SUITE_COUNT; i++) {
		if (suites[i].id != suite)
			continue;
		int code = thread_parts ? OK : thread_parts_make(e);
		if (!code && !thread_parts[i].suite)
			code = parts_open(&thread_parts[i], &suites[i], e);
		if (!code)
			*out = &thread_parts[i];
		return code;
	}
	return error_set(e, ERR_VERSION, "suite %u is not known to this version", suite);
}

int openssl_refuse(struct error *e, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return error_set(e, ERR_CRYPTO, "%s: %s", what, reason ? reason : "OpenSSL gives no reason");
}

int crypto_init(struct error *e)
{
	if (sodium_init() < 0)
		return error_set(e, ERR_CRYPTO, "libsodium does not start on this machine");
	for (size_t i = 0; i < SUITE_COUNT; i++) {
		struct parts *p;
		int code = parts_get(suites[i].id, &p, e);
		if (code)
			return code;
	}
	return OK;
}

const char *suite_name(uint8_t suite)
{
	for (size_t i = 0; i < SUITE_COUNT; i++)
		if (suites[i].id == suite)
			return suites[i].name;
	return NULL;
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

void crypto_wipe(void *secret, size_t size)
{
	OPENSSL_cleanse(secret, size);
}
