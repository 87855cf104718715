/*
 * The parts of a path, each by itself.
 *
 *   bench_parts limit FOLDER MAP_BYTES RECORDING...    recorded write sets, all at once
 *   bench_parts serial FOLDER MAP_BYTES RECORDING...   one commit of each, in turn
 *   bench_parts ping ROUNDS UP_BYTES DOWN_BYTES        two CURVE links there and back
 *   bench_parts sign ROUNDS                            one signature, one verification
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "parts.h"

#define SIGN_WARM_UP 100

static int sign_run(int rounds)
{
	struct error e;
	uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES], signature[SIGNATURE_BYTES];
	struct hash digest = { { 1 } };
	int result = crypto_init(&e);
	if (!result)
		result = sign_keypair(SUITE_INTERNATIONAL, public_key, secret_key, &e);
	double us[2] = { 0 };
	for (int what = 0; what < 2; what++) {
		uint64_t from = 0;
		for (int i = -SIGN_WARM_UP; i < rounds && !result; i++) {
			if (!i)
				from = clock_monotonic_us();
			result = what ? sign_check(SUITE_INTERNATIONAL, public_key, BYTES_OF(digest), signature, &e)
			              : sign_make(SUITE_INTERNATIONAL, secret_key, BYTES_OF(digest), signature, &e);
		}
		us[what] = (double)(clock_monotonic_us() - from) / rounds;
	}
	if (result) {
		fprintf(stderr, "bench_parts: %s\n", e.text);
		return 1;
	}
	printf("{\"sign_ms\":%.4f,\"check_ms\":%.4f}\n", us[0] / 1000, us[1] / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (argc > 4 && (strcmp(what, "limit") == 0 || strcmp(what, "serial") == 0))
		return limit_run(argv[2], strtoull(argv[3], NULL, 10), argv + 4, argc - 4, strcmp(what, "serial") == 0);
	if (argc == 5 && strcmp(what, "ping") == 0)
		return ping_run(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	if (argc == 3 && strcmp(what, "sign") == 0 && atoi(argv[2]) > 0)
		return sign_run(atoi(argv[2]));
	fprintf(stderr, "usage: bench_parts limit|serial|ping|sign …; the head of parts.c says how\n");
	return 64;
}
