/* What the product asks the machine for: clocks, random numbers, and the functions that are slow on purpose. */
#include <openssl/rand.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_pwhash_argon2id.h>
#include <sodium/utils.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "sim.h"

#define BEGIN_WALL_MS INT64_C(1795536000000) /* 2026-11-25T00:00:00Z */
#define BEGIN_MONOTONIC_US (100 * SECONDS)

static int64_t drift_us(const struct site *s)
{
	return (int64_t)(world.now_us - s->started_us) / 1000000 * s->drift_ppm;
}

int64_t machine_wall_ms(void)
{
	return BEGIN_WALL_MS + (int64_t)(world.now_us / MS);
}

int64_t clock_wall_ms(void)
{
	const struct site *s = world.here;
	if (!s)
		return machine_wall_ms();
	if (s->wall_frozen_us)
		return BEGIN_WALL_MS + (int64_t)(s->wall_frozen_us / MS) + s->wall_skew_ms;
	return machine_wall_ms() + s->wall_skew_ms + drift_us(s) / 1000;
}

uint64_t machine_monotonic_us(const struct site *s)
{
	return BEGIN_MONOTONIC_US + world.now_us + s->monotonic_skew_us + (uint64_t)drift_us(s);
}

uint64_t clock_monotonic_us(void)
{
	return world.here ? machine_monotonic_us(world.here) : BEGIN_MONOTONIC_US + world.now_us;
}

int crypto_random(void *out, size_t size, struct error *e)
{
	(void)e;
	prng_fill(&world.chance, out, size);
	return OK;
}

/* OpenSSL draws its own for key pairs. */
static int random_bytes(unsigned char *out, int size)
{
	prng_fill(&world.chance, out, (size_t)size);
	return 1;
}

static int random_status(void)
{
	return 1;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* a provider of one's own is a hundred lines for the same \
                                                            */
void machine_random_take(void);
void machine_random_take(void)
{
	static const RAND_METHOD method = { .bytes = random_bytes,
		                            .pseudorand = random_bytes,
		                            .status = random_status };
	RAND_set_rand_method(&method);
}
#pragma GCC diagnostic pop

/* 32 MiB and three passes are for thieves: here a fast hash stands for the slow one. */
int crypto_pwhash_argon2id(unsigned char *const out, unsigned long long out_size, const char *const password,
                           unsigned long long password_size, const unsigned char *const salt, unsigned long long passes,
                           size_t memory_bytes, int algorithm)
{
	(void)passes;
	(void)memory_bytes;
	(void)algorithm;
	return crypto_generichash(out, (size_t)out_size, (const unsigned char *)password, password_size, salt,
	                          crypto_pwhash_argon2id_SALTBYTES);
}

int crypto_pwhash_argon2id_str(char out[crypto_pwhash_argon2id_STRBYTES], const char *const password,
                               unsigned long long password_size, unsigned long long passes, size_t memory_bytes)
{
	static const unsigned char salt[crypto_pwhash_argon2id_SALTBYTES] = "every password's";
	unsigned char tag[32];
	char texts[2][64];
	if (crypto_pwhash_argon2id(tag, sizeof tag, password, password_size, salt, passes, memory_bytes, 0))
		return -1;
	sodium_bin2base64(texts[0], sizeof texts[0], salt, sizeof salt, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(texts[1], sizeof texts[1], tag, sizeof tag, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	memset(out, 0, crypto_pwhash_argon2id_STRBYTES);
	snprintf(out, crypto_pwhash_argon2id_STRBYTES, "$argon2id$v=19$m=%zu,t=%llu,p=1$%.22s$%.43s",
	         memory_bytes / 1024, passes, texts[0], texts[1]);
	return 0;
}

/* ---- the log is part of the story ---- */

void log_open(const char *program, enum log_level least)
{
	(void)program;
	(void)least;
}

int log_level_parse(const char *text, enum log_level *out)
{
	(void)text;
	*out = LOG_INFO;
	return OK;
}

unsigned long log_lines(enum log_level level)
{
	(void)level;
	return 0;
}

static void line_note(enum log_level level, const char *event, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));
static void line_note(enum log_level level, const char *event, const char *format, va_list arguments)
{
	char text[600];
	vsnprintf(text, sizeof text, format, arguments);
	if (world.here && world.here->is_dying)
		return;
	if (world.here && strcmp(event, "storage-full") == 0 && fault_is_about(FAULT_MAP_FULL))
		fault_met(FAULT_MAP_FULL, world.here);
	trace_note(event, text, strlen(text));
	if (level > LOG_DEBUG)
		tell("%-24s %s: %s", world.here ? world.here->name : "", event, text);
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line_note(level, event, format, arguments);
	va_end(arguments);
}

void log_write_trace(enum log_level level, const char *event, const char *trace, const char *format, ...)
{
	va_list arguments;
	(void)trace;
	va_start(arguments, format);
	line_note(level, event, format, arguments);
	va_end(arguments);
}
