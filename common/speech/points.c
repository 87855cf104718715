/*
 * From bytes to what can be read aloud.
 */
#include <string.h>

#include "points.h"

/* `at` is a place in valid UTF-8. */
static uint32_t point_decode(const uint8_t *at, size_t *size)
{
	if (at[0] < 0x80)
		return *size = 1, at[0];
	if (at[0] < 0xe0)
		return *size = 2, (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
	if (at[0] < 0xf0)
		return *size = 3, (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
	return *size = 4, (uint32_t)(at[0] & 0x07) << 18 | (uint32_t)(at[1] & 0x3f) << 12 |
	                          (uint32_t)(at[2] & 0x3f) << 6 | (at[3] & 0x3f);
}

/* What turns the direction of writing, joins, or marks an order of bytes would be read out as its number. */
static bool is_silent(uint32_t p)
{
	return (p >= 0x7f && p <= 0x9f) || p == 0xad || (p >= 0x200b && p <= 0x200f) || (p >= 0x202a && p <= 0x202e) ||
	       (p >= 0x2060 && p <= 0x206f) || (p >= 0xfe00 && p <= 0xfe0f) || p == 0xfeff ||
	       (p >= 0xfff0 && p <= 0xffff) || (p >= 0xe000 && p <= 0xf8ff) || (p >= 0x1f000 && p <= 0x1ffff) ||
	       p >= 0xe0000;
}

/* Signs that a voice calls by their names. */
static bool is_sign(uint32_t p)
{
	return p < 0x80 && p > ' ' && strchr("#*_<>[]{}|\\`^~@=\"", (int)p);
}

static uint32_t point_simple(uint32_t p)
{
	if (p == 0x3000 || p == 0xa0 || p == 0x2007 || p == 0x202f)
		return ' ';
	if (p == '\n' || p == '\r' || p == 0x2028 || p == 0x2029)
		return 0x3002; /* a line ends as a sentence does */
	if (p < ' ')
		return ' ';
	if (p == 0xffe5)
		return 0xa5;
	if ((p >= 0xff10 && p <= 0xff19) || (p >= 0xff21 && p <= 0xff3a) || (p >= 0xff41 && p <= 0xff5a) ||
	    p == 0xff05 || p == 0xff0d || p == 0xff0e || p == 0xff0f)
		return p - 0xff00 + 0x20;
	return p;
}

int points_read(struct bytes text, struct points *out, struct error *e)
{
	if (utf8_length(text) < 0)
		return error_set(e, ERR_INVALID, "the text is not UTF-8");
	out->count = 0;
	for (size_t i = 0, size; i < text.size && out->count < SPEECH_POINTS_MOST; i += size) {
		uint32_t p = point_simple(point_decode(text.data + i, &size));
		if (p == '~' && out->count && point_is_digit(out->at[out->count - 1]))
			out->at[out->count++] = p; /* between numbers it means "to" */
		else if (!is_silent(p))
			out->at[out->count++] = is_sign(p) ? ' ' : p;
	}
	out->at[out->count] = 0;
	return OK;
}

/* ---- what comes out ---- */

void say_bytes(struct spoken *s, struct bytes text)
{
	if (s->result || text.size > s->most_bytes || s->out->size > s->most_bytes - text.size)
		return;
	s->result = buffer_append(s->out, text);
}

void say_text(struct spoken *s, const char *text)
{
	say_bytes(s, bytes_from_text(text));
}

void say_point(struct spoken *s, uint32_t p)
{
	uint8_t b[4];
	size_t size;
	if (p < 0x80)
		b[0] = (uint8_t)p, size = 1;
	else if (p < 0x800)
		b[0] = (uint8_t)(0xc0 | p >> 6), b[1] = (uint8_t)(0x80 | (p & 0x3f)), size = 2;
	else if (p < 0x10000)
		b[0] = (uint8_t)(0xe0 | p >> 12), b[1] = (uint8_t)(0x80 | (p >> 6 & 0x3f)),
		b[2] = (uint8_t)(0x80 | (p & 0x3f)), size = 3;
	else
		b[0] = (uint8_t)(0xf0 | p >> 18), b[1] = (uint8_t)(0x80 | (p >> 12 & 0x3f)),
		b[2] = (uint8_t)(0x80 | (p >> 6 & 0x3f)), b[3] = (uint8_t)(0x80 | (p & 0x3f)), size = 4;
	say_bytes(s, BYTES(b, size));
}
