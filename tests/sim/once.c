/*
 * What takes a machine long and gives the same each time is done once: the rules of pinyin, which each desk reads as it
 * starts, and the check of a signature that was found good before, of the same bytes by the same key. What is stored
 * in one seed is checked by every tier and again at each start, verify and replay.
 */
#include <dlfcn.h>
#include <sodium/crypto_sign_ed25519.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utrans.h>

#include "pinyin.h" /* of the room desk */
#include "sim.h"

#define SIGNED_BYTES_MOST 64
#define GOOD_MOST 8192

#define NAME_OF(function) #function
#define NAME(function) NAME_OF(function) /* ICU's carry their version */

static void *original(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		fail("there is no %s behind the simulator's", name);
	return found;
}

/* ---- pinyin ---- */

static UTransliterator *pinyin; /* shared by all desks: there is one thread */

UTransliterator *utrans_openU(const UChar *id, int32_t id_size, UTransDirection direction, const UChar *rules,
                              int32_t rules_size, UParseError *fault, UErrorCode *status)
{
	static UTransliterator *(*open)(const UChar *, int32_t, UTransDirection, const UChar *, int32_t, UParseError *,
	                                UErrorCode *);
	if (pinyin)
		return pinyin;
	if (!open)
		*(void **)&open = original(NAME(utrans_openU));
	return pinyin = open(id, id_size, direction, rules, rules_size, fault, status);
}

void utrans_close(UTransliterator *of_all)
{
	(void)of_all;
}

bool once_prepare(void)
{
	struct pinyin *p;
	if (pinyin_open(&p, NULL))
		return false;
	pinyin_close(p);
	return true;
}

/* ---- signatures ---- */

struct checked {
	uint8_t signature[crypto_sign_ed25519_BYTES], key[crypto_sign_ed25519_PUBLICKEYBYTES];
	uint8_t message[SIGNED_BYTES_MOST];
	size_t size; /* 0: none */
};

static struct checked good[GOOD_MOST]; /* by their signature's first bytes */

int crypto_sign_ed25519_verify_detached(const unsigned char *signature, const unsigned char *message,
                                        unsigned long long size, const unsigned char *key)
{
	static int (*verify)(const unsigned char *, const unsigned char *, unsigned long long, const unsigned char *);
	uint32_t at;
	memcpy(&at, signature, sizeof at);
	struct checked *c = &good[at % GOOD_MOST];
	if (size && c->size == size && memcmp(c->signature, signature, sizeof c->signature) == 0 &&
	    memcmp(c->key, key, sizeof c->key) == 0 && memcmp(c->message, message, size) == 0)
		return 0;
	if (!verify)
		*(void **)&verify = original("crypto_sign_ed25519_verify_detached");
	if (verify(signature, message, size, key))
		return -1;
	if (size <= SIGNED_BYTES_MOST) {
		memcpy(c->signature, signature, sizeof c->signature);
		memcpy(c->key, key, sizeof c->key);
		memcpy(c->message, message, size);
		c->size = size;
	}
	return 0;
}
