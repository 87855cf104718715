/*
 * Whole reads and writes at the worker's socket.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "speech/voice.h"

#define LOOK_EVERY_MS 20 /* whether it is still wanted */

int voice_write(int descriptor, struct bytes data)
{
	while (data.size) {
		ssize_t sent = send(descriptor, data.data, data.size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_UNREACHABLE;
		data = BYTES(data.data + sent, data.size - (size_t)sent);
	}
	return OK;
}

static int64_t now_ms(void)
{
	return (int64_t)(clock_monotonic_us() / 1000);
}

/* Until there is something to read. */
static int readable_wait(int descriptor, int64_t until_ms, const atomic_bool *is_unwanted)
{
	struct pollfd p = { .fd = descriptor, .events = POLLIN };
	for (;;) {
		int64_t left_ms = until_ms ? until_ms - now_ms() : INT32_MAX;
		if (left_ms <= 0)
			return ERR_TIMEOUT;
		if (is_unwanted && atomic_load(is_unwanted))
			return ERR_CLOSED;
		int ready = poll(&p, 1, !until_ms ? -1 : left_ms < LOOK_EVERY_MS ? (int)left_ms : LOOK_EVERY_MS);
		if (ready < 0 && errno != EINTR)
			return ERR_UNREACHABLE;
		if (ready > 0)
			return OK;
	}
}

int voice_read(int descriptor, void *to, size_t size, int64_t until_ms, const atomic_bool *is_unwanted)
{
	uint8_t *at = to;
	while (size) {
		int result = readable_wait(descriptor, until_ms, is_unwanted);
		if (result)
			return result;
		ssize_t got = recv(descriptor, at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_UNREACHABLE;
		at += got;
		size -= (size_t)got;
	}
	return OK;
}
