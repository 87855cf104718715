/* The source of every key, nonce and id. A simulator puts its own in place of this file. */
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/rand.h>

#include "parts.h"

/* A call of RAND_bytes takes 1.7 µs however few bytes it gives, and a request needs six keys and nonces: each thread
 * draws ahead, and forgets what it has given out. */
#define RANDOM_AHEAD_BYTES 512
#define RANDOM_SHORT_BYTES 64

static _Thread_local struct {
	uint8_t byte[RANDOM_AHEAD_BYTES];
	size_t left; /* at the end of them */
} random_ahead;

/* What a child was forked with must not be given out twice. */
static void random_forget(void)
{
	random_ahead.left = 0;
}

static pthread_once_t random_once = PTHREAD_ONCE_INIT;
static int random_failure;

static void random_prepare(void)
{
	random_failure = pthread_atfork(NULL, NULL, random_forget);
}

static int random_draw(void *out, size_t size, struct error *e)
{
	return RAND_bytes(out, (int)size) == 1 ? OK : openssl_refuse(e, "no random bytes");
}

int crypto_random(void *out, size_t size, struct error *e)
{
	if (size > INT_MAX)
		return error_set(e, ERR_TOO_BIG, "%zu random bytes are more than one call gives", size);
	pthread_once(&random_once, random_prepare);
	if (size > RANDOM_SHORT_BYTES || random_failure)
		return random_draw(out, size, e);
	if (random_ahead.left < size) {
		int code = random_draw(random_ahead.byte, RANDOM_AHEAD_BYTES, e);
		if (code)
			return code;
		random_ahead.left = RANDOM_AHEAD_BYTES;
	}
	uint8_t *from = random_ahead.byte + RANDOM_AHEAD_BYTES - random_ahead.left;
	memcpy(out, from, size);
	crypto_wipe(from, size);
	random_ahead.left -= size;
	return OK;
}
