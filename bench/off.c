/*
 * Linked before the rooms into daemons of the bench: one of the protections is left out, to see what it costs. The
 * linker puts these functions in the place of the real ones (--wrap); the product's sources know nothing of it, and
 * nothing installs what is built so. Such a program starts only with LM_BENCH_OFF=yes in its environment; it says on
 * stderr what it is, and at its end how often it left something out.
 *
 *   OFF_CURVE        links use PLAIN: the client's public key is its user name; the same admission, no encryption
 *   OFF_SEALS        payloads, wraps and stored values are copied with a tag of zeros, their keys are not ratcheted
 *   OFF_SIGNATURES   signatures are zeros and hold for anything
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/bytes.h"
#include "crypto/crypto.h"

#define PLAIN_NAME "PLAIN"
#define CURVE_NAME "CURVE"
#define CURVE_KEY_BYTES 32

static _Atomic uint64_t left_out;

__attribute__((constructor)) static void begin(void)
{
	const char *is_meant = getenv("LM_BENCH_OFF");
	fprintf(stderr, "BENCH BUILD, it does not protect what it stores or sends: " OFF_NAME " left out\n");
	if (!is_meant || strcmp(is_meant, "yes") != 0)
		_exit(64);
}

__attribute__((destructor)) static void end(void)
{
	fprintf(stderr, OFF_NAME " left out %" PRIu64 " times\n", left_out);
}

#ifdef OFF_SEALS
int __wrap_aead_seal(uint8_t suite, const uint8_t *key, const uint8_t *nonce, struct bytes associated,
                     struct bytes plain, uint8_t *out, struct error *e);
int __wrap_aead_seal(uint8_t suite, const uint8_t *key, const uint8_t *nonce, struct bytes associated,
                     struct bytes plain, uint8_t *out, struct error *e)
{
	(void)suite, (void)key, (void)nonce, (void)associated, (void)e;
	if (plain.size)
		memmove(out, plain.data, plain.size);
	memset(out + plain.size, 0, TAG_BYTES);
	left_out++;
	return OK;
}

int __wrap_aead_open(uint8_t suite, const uint8_t *key, const uint8_t *nonce, struct bytes associated,
                     struct bytes sealed, uint8_t *out, struct error *e);
int __wrap_aead_open(uint8_t suite, const uint8_t *key, const uint8_t *nonce, struct bytes associated,
                     struct bytes sealed, uint8_t *out, struct error *e)
{
	(void)suite, (void)key, (void)nonce, (void)associated;
	if (sealed.size < TAG_BYTES)
		return error_set(e, ERR_DAMAGED, "sealed data is too short");
	if (sealed.size > TAG_BYTES)
		memmove(out, sealed.data, sealed.size - TAG_BYTES);
	left_out++;
	return OK;
}

int __real_crypto_derive(uint8_t suite, struct bytes secret, struct bytes salt, const char *info, uint8_t *out,
                         size_t out_size, struct error *e);
int __wrap_crypto_derive(uint8_t suite, struct bytes secret, struct bytes salt, const char *info, uint8_t *out,
                         size_t out_size, struct error *e);
int __wrap_crypto_derive(uint8_t suite, struct bytes secret, struct bytes salt, const char *info, uint8_t *out,
                         size_t out_size, struct error *e)
{
	if (strcmp(info, "lm period step v1") != 0) /* the ratchet's; others are rare */
		return __real_crypto_derive(suite, secret, salt, info, out, out_size, e);
	memset(out, 0, out_size);
	left_out++;
	return OK;
}
#endif

#ifdef OFF_SIGNATURES
int __wrap_sign_make(uint8_t suite, const uint8_t *secret_key, struct bytes message, uint8_t *signature,
                     struct error *e);
int __wrap_sign_make(uint8_t suite, const uint8_t *secret_key, struct bytes message, uint8_t *signature,
                     struct error *e)
{
	(void)suite, (void)secret_key, (void)message, (void)e;
	memset(signature, 0, SIGNATURE_BYTES);
	left_out++;
	return OK;
}

int __wrap_sign_check(uint8_t suite, const uint8_t *public_key, struct bytes message, const uint8_t *signature,
                      struct error *e);
int __wrap_sign_check(uint8_t suite, const uint8_t *public_key, struct bytes message, const uint8_t *signature,
                      struct error *e)
{
	(void)suite, (void)public_key, (void)message, (void)signature, (void)e;
	left_out++;
	return OK;
}
#endif

#ifdef OFF_CURVE
int __real_zmq_setsockopt(void *socket, int option, const void *value, size_t size);
int __wrap_zmq_setsockopt(void *socket, int option, const void *value, size_t size);
int __wrap_zmq_setsockopt(void *socket, int option, const void *value, size_t size)
{
	char name[2 * CURVE_KEY_BYTES + 1];
	switch (option) {
	case ZMQ_CURVE_SERVER:
		return __real_zmq_setsockopt(socket, ZMQ_PLAIN_SERVER, value, size);
	case ZMQ_CURVE_PUBLICKEY:
		hex_encode(BYTES(value, size), name);
		left_out++;
		if (__real_zmq_setsockopt(socket, ZMQ_PLAIN_USERNAME, name, 2 * CURVE_KEY_BYTES))
			return -1;
		return __real_zmq_setsockopt(socket, ZMQ_PLAIN_PASSWORD, "-", 1);
	case ZMQ_CURVE_SECRETKEY:
	case ZMQ_CURVE_SERVERKEY:
		return 0;
	default:
		return __real_zmq_setsockopt(socket, option, value, size);
	}
}

int __real_zmq_msg_recv(zmq_msg_t *part, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *part, void *socket, int flags);

/* What ZAP asks about PLAIN (…, "PLAIN", name, password) becomes what it asks about CURVE (…, "CURVE", key). */
int __wrap_zmq_msg_recv(zmq_msg_t *part, void *socket, int flags)
{
	static _Thread_local bool is_name_next;
	uint8_t key[CURVE_KEY_BYTES];
	zmq_msg_t password;
	int type = 0, size = __real_zmq_msg_recv(part, socket, flags);
	size_t type_size = sizeof type;
	if (size < 0 || zmq_getsockopt(socket, ZMQ_TYPE, &type, &type_size) || type != ZMQ_REP)
		return size;
	if (!is_name_next) {
		is_name_next =
		        size == sizeof PLAIN_NAME - 1 && memcmp(zmq_msg_data(part), PLAIN_NAME, (size_t)size) == 0;
		if (is_name_next)
			memcpy(zmq_msg_data(part), CURVE_NAME, (size_t)size);
		return size;
	}
	is_name_next = false;
	char name[2 * CURVE_KEY_BYTES + 1] = "";
	if (size == sizeof name - 1)
		memcpy(name, zmq_msg_data(part), sizeof name - 1);
	zmq_msg_init(&password);
	__real_zmq_msg_recv(&password, socket, flags);
	zmq_msg_close(&password);
	if (hex_decode(name, key, sizeof key) != OK)
		return size;
	zmq_msg_close(part);
	if (zmq_msg_init_size(part, sizeof key))
		return -1;
	memcpy(zmq_msg_data(part), key, sizeof key);
	return (int)sizeof key;
}
#endif
