/*
 * A crowd at a join endpoint: devices that nobody knows, each with keys of its own and a token that nobody issued.
 *
 *   knockers ADDRESS SERVER_KEY COUNT
 *
 * At most 100 at a time. A knocker that is not answered within two seconds goes away. At the end it prints
 * "heard: " and the codes of the answers, most frequent first; it fails when there was none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/ids.h"
#include "domain/domain.h"
#include "proto/codec.h"

#define AT_ONCE 100
#define PATIENCE_US 2000000
#define CODES_MOST 8

struct knocker {
	void *socket;
	uint64_t since_us;
};

static struct {
	char code[24];
	unsigned times;
} heard[CODES_MOST];

static void note(const char *code)
{
	for (size_t i = 0; i < CODES_MOST; i++) {
		if (heard[i].times && strcmp(heard[i].code, code) != 0)
			continue;
		snprintf(heard[i].code, sizeof heard[i].code, "%s", code);
		heard[i].times++;
		return;
	}
}

static void knock(struct knocker *k, void *context, const char *address, const uint8_t server_key[KEY_BYTES])
{
	static const uint8_t random[TOKEN_SECRET_CHARACTERS - 1] = { 3, 1, 4, 1, 5, 9, 2, 6 };
	struct device_keys keys = { .suite = SUITE_INTERNATIONAL };
	char secret[TOKEN_SECRET_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
	struct arena arena;
	struct bytes packed;
	int none = 0, never = -1;
	Lm__JoinRequest r = LM__JOIN_REQUEST__INIT;
	arena_init(&arena, 0);
	token_secret_make(random, secret);
	if (agree_keypair(keys.suite, keys.curve_public, keys.curve_secret, NULL) ||
	    sign_keypair(keys.suite, keys.signing_public, keys.signing_secret, NULL))
		abort();
	r.version = JOIN_VERSION;
	r.suite = keys.suite;
	r.curve_key = r.opening_key = codec_data(BYTES_OF(keys.curve_public));
	r.signing_key = codec_data(BYTES_OF(keys.signing_public));
	r.role = LM__TIER__TIER_TERMINAL;
	r.place = "310114106002-T1";
	r.secret = secret;
	if (join_request_sign(&r, keys.signing_secret, signature, NULL) || CODEC_PACK(&r, &arena, &packed, NULL))
		abort();
	k->socket = zmq_socket(context, ZMQ_DEALER);
	k->since_us = clock_monotonic_us();
	zmq_setsockopt(k->socket, ZMQ_LINGER, &none, sizeof none);
	zmq_setsockopt(k->socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
	zmq_setsockopt(k->socket, ZMQ_CURVE_SERVERKEY, server_key, KEY_BYTES);
	zmq_setsockopt(k->socket, ZMQ_CURVE_PUBLICKEY, keys.curve_public, KEY_BYTES);
	zmq_setsockopt(k->socket, ZMQ_CURVE_SECRETKEY, keys.curve_secret, KEY_BYTES);
	if (zmq_connect(k->socket, address) || zmq_send(k->socket, packed.data, packed.size, ZMQ_DONTWAIT) < 0)
		abort();
	arena_release(&arena);
}

/* Whether this one is done: answered, or out of patience. */
static bool look(struct knocker *k)
{
	uint8_t answer[4096];
	struct arena arena;
	Lm__JoinReply *reply;
	int size = zmq_recv(k->socket, answer, sizeof answer, ZMQ_DONTWAIT);
	if (size < 0 && clock_monotonic_us() - k->since_us < PATIENCE_US)
		return false;
	arena_init(&arena, 0);
	if (size > 0 && (size_t)size <= sizeof answer &&
	    !CODEC_UNPACK(lm__join_reply, BYTES(answer, (size_t)size), &arena, &reply, NULL))
		note(reply->code);
	arena_release(&arena);
	zmq_close(k->socket);
	k->socket = NULL;
	return true;
}

static int tell(void)
{
	bool is_any = false;
	printf("heard:");
	for (size_t i = 0; i < CODES_MOST; i++) {
		if (heard[i].times)
			printf(" %s %u", heard[i].code, heard[i].times);
		is_any |= heard[i].times > 0;
	}
	printf("\n");
	return is_any ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct knocker crowd[AT_ONCE];
	uint8_t server_key[KEY_BYTES];
	if (argc != 4 || hex_decode(argv[2], server_key, KEY_BYTES) || crypto_init(NULL)) {
		fprintf(stderr, "usage: knockers ADDRESS SERVER_KEY COUNT\n");
		return 64;
	}
	void *context = zmq_ctx_new();
	long left = strtol(argv[3], NULL, 10);
	for (bool is_busy = true; is_busy;) {
		is_busy = false;
		for (size_t i = 0; i < AT_ONCE; i++) {
			if (!crowd[i].socket && left-- > 0)
				knock(&crowd[i], context, argv[1], server_key);
			if (crowd[i].socket && !look(&crowd[i]))
				is_busy = true;
		}
		is_busy |= left > 0;
		zmq_poll(NULL, 0, 2);
	}
	zmq_ctx_term(context);
	return tell();
}
