/*
 * Whole questions and answers at the socket. The worker's side waits for ever and uses no poll: it may have given up
 * the right to it.
 */
#include "frames.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define LOOK_EVERY_MS 20 /* whether it is still wanted */

static int bytes_write(int descriptor, struct bytes data, int flags)
{
	while (data.size) {
		ssize_t sent = send(descriptor, data.data, data.size, MSG_NOSIGNAL | flags);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_CLOSED;
		data = BYTES(data.data + sent, data.size - (size_t)sent);
	}
	return OK;
}

/* ---- the worker's side ---- */

static int bytes_hear(int descriptor, void *to, size_t size)
{
	for (uint8_t *at = to; size;) {
		ssize_t got = recv(descriptor, at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_CLOSED;
		at += got;
		size -= (size_t)got;
	}
	return OK;
}

int worker_hear(int descriptor, size_t most, struct buffer *question)
{
	uint8_t head[4];
	uint32_t size = 0;
	if (question->data)
		explicit_bzero(question->data, question->capacity);
	buffer_clear(question);
	while (!size) { /* an empty one: the last was not wanted, but had been answered */
		if (bytes_hear(descriptor, head, sizeof head))
			return ERR_CLOSED;
		struct reader r = reader_over(BYTES_OF(head));
		size = read_u32(&r);
	}
	if (size > most)
		return ERR_CLOSED;
	if (buffer_reserve(question, size))
		return ERR_MEMORY;
	if (bytes_hear(descriptor, question->data, size))
		return ERR_CLOSED;
	question->size = size;
	return OK;
}

int worker_say(int descriptor, int status, struct bytes body)
{
	uint8_t head[5];
	struct writer w = writer_over(head, sizeof head);
	write_u8(&w, (uint8_t)status);
	write_u32(&w, (uint32_t)body.size);
	return bytes_write(descriptor, BYTES_OF(head), 0) || bytes_write(descriptor, body, 0) ? ERR_CLOSED : OK;
}

/* Whatever comes before the answer says so, and so does the end. What it says is heard with the next question. */
bool worker_is_interrupted(int descriptor)
{
	uint8_t byte;
	return recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* ---- the daemon's side ---- */

int question_write(int descriptor, struct bytes question)
{
	uint8_t head[4];
	struct writer w = writer_over(head, sizeof head);
	write_u32(&w, (uint32_t)question.size);
	int result = bytes_write(descriptor, BYTES_OF(head), MSG_DONTWAIT);
	if (!result)
		result = bytes_write(descriptor, question, MSG_DONTWAIT);
	return result ? ERR_NOT_READY : OK;
}

/* Until there is something to read. */
static int readable_wait(int descriptor, int64_t until_ms, const atomic_bool *is_unwanted)
{
	struct pollfd p = { .fd = descriptor, .events = POLLIN };
	for (;;) {
		int64_t left_ms = until_ms - (int64_t)(clock_monotonic_us() / 1000);
		if (left_ms <= 0)
			return ERR_TIMEOUT;
		if (is_unwanted && atomic_load(is_unwanted))
			return ERR_CLOSED;
		int ready = poll(&p, 1, left_ms < LOOK_EVERY_MS ? (int)left_ms : LOOK_EVERY_MS);
		if (ready < 0 && errno != EINTR)
			return ERR_NOT_READY;
		if (ready > 0)
			return OK;
	}
}

static int bytes_read(int descriptor, void *to, size_t size, int64_t until_ms, const atomic_bool *is_unwanted)
{
	for (uint8_t *at = to; size;) {
		int result = readable_wait(descriptor, until_ms, is_unwanted);
		if (result)
			return result;
		ssize_t got = recv(descriptor, at, size, MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return ERR_NOT_READY;
		at += got;
		size -= (size_t)got;
		is_unwanted = NULL; /* what has begun to come is read: the next answer lies behind it */
	}
	return OK;
}

int answer_read(int descriptor, int64_t until_ms, const atomic_bool *is_unwanted, size_t bytes_most, struct buffer *out,
                int *status)
{
	uint8_t head[5];
	int result = bytes_read(descriptor, head, sizeof head, until_ms, is_unwanted);
	if (result)
		return result;
	struct reader r = reader_over(BYTES_OF(head));
	int said = read_u8(&r); /* of two's complement */
	said = said > INT8_MAX ? said - UINT8_MAX - 1 : said;
	size_t size = read_u32(&r);
	if (said > OK || size > (said ? ERROR_TEXT_BYTES : bytes_most))
		return ERR_NOT_READY;
	if (size && buffer_reserve(out, size))
		return ERR_MEMORY;
	result = size ? bytes_read(descriptor, out->data + out->size, size, until_ms, NULL) : OK;
	if (result)
		return result;
	out->size += size;
	*status = said;
	return OK;
}
