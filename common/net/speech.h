/*
 * How far a server has come with whoever is at the other end, by what it says before anything is encrypted (ZMTP 3.1,
 * ZeroMQ RFC 37, and CURVE, RFC 26): a greeting, then commands, whose names are in clear.
 *
 *   greeting (64 bytes) | WELCOME | READY …      ZAP has admitted the key
 *   greeting (64 bytes) | WELCOME | ERROR        it has not
 *
 * Only what our own server says is read, never what a stranger does.
 */
#ifndef NET_SPEECH_H
#define NET_SPEECH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEECH_HEAD_BYTES 15 /* flags, a length of 8 bytes, a name of 6 */

struct speech {
	uint64_t skip; /* bytes that tell nothing */
	uint8_t head[SPEECH_HEAD_BYTES];
	uint8_t filled;
	bool is_ready;
};

void speech_begin(struct speech *s);
void speech_hear(struct speech *s, const void *data, size_t size);

#endif
