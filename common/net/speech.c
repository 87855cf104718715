/* What a server says at the start of a connection; speech.h tells what it may be. */
#include "speech.h"

#include <string.h>

#include "base/bytes.h"

#define GREETING_BYTES 64
#define FLAG_LONG 2
#define LEAD_SHORT 2 /* flags and length */
#define LEAD_LONG 9
#define NAME_BYTES 6

void speech_begin(struct speech *s)
{
	*s = (struct speech){ .skip = GREETING_BYTES };
}

/* The head is whole: what is it, and how much of it is still to come? */
static void head_read(struct speech *s, size_t lead)
{
	struct reader r = reader_over(BYTES(s->head + 1, lead - 1));
	uint64_t length = lead == LEAD_LONG ? read_u64(&r) : read_u8(&r);

	s->is_ready = memcmp(s->head + lead, "\5READY", NAME_BYTES) == 0;
	s->skip = length > NAME_BYTES ? length - NAME_BYTES : 0;
	s->filled = 0;
}

void speech_hear(struct speech *s, const void *data, size_t size)
{
	const uint8_t *at = data, *end = at + size;

	while (at < end && !s->is_ready) {
		if (s->skip > 0) {
			size_t left = (size_t)(end - at), step = s->skip < left ? (size_t)s->skip : left;
			s->skip -= step;
			at += step;
			continue;
		}
		s->head[s->filled++] = *at++;
		size_t lead = s->head[0] & FLAG_LONG ? LEAD_LONG : LEAD_SHORT;
		if (s->filled == lead + NAME_BYTES)
			head_read(s, lead);
	}
}
