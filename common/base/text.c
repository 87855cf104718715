/* Bytes as text: hexadecimal, and whether bytes are UTF-8 at all. */
#include "base/bytes.h"

#include <string.h>

void hex_encode(struct bytes in, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < in.size; i++) {
		*out++ = digits[in.data[i] >> 4];
		*out++ = digits[in.data[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, uint8_t *out, size_t size)
{
	/* The text is read only as far as it is hexadecimal, so a short one is never overrun. */
	for (size_t i = 0; i < size; i++)
		if (hex_value(text[2 * i]) < 0 || hex_value(text[2 * i + 1]) < 0)
			return ERR_INVALID;
	if (text[2 * size] != '\0')
		return ERR_INVALID;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return OK;
}

bool hex_decode_u64(const char *text, uint64_t *out)
{
	uint64_t v = 0;
	size_t length = strnlen(text, 17);
	if (length == 0 || length > 16)
		return false;
	for (size_t i = 0; i < length; i++) {
		int digit = hex_value(text[i]);
		if (digit < 0)
			return false;
		v = v << 4 | (uint64_t)digit;
	}
	*out = v;
	return true;
}

/* Size of the character at the front of the range, 0 if it is not one (RFC 3629, table of well-formed sequences). */
static size_t utf8_character_size(const uint8_t *at, size_t left)
{
	uint8_t lead = at[0], second_least = 0x80, second_most = 0xBF;
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4) /* C0 and C1 could only begin overlong forms */
		return 0;
	size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (size > left)
		return 0;
	if (lead == 0xE0) /* overlong below */
		second_least = 0xA0;
	else if (lead == 0xED) /* surrogates above */
		second_most = 0x9F;
	else if (lead == 0xF0) /* overlong below */
		second_least = 0x90;
	else if (lead == 0xF4) /* above U+10FFFF */
		second_most = 0x8F;
	if (at[1] < second_least || at[1] > second_most)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	return size;
}

long utf8_length(struct bytes text)
{
	long characters = 0;
	for (size_t at = 0; at < text.size; characters++) {
		size_t size = utf8_character_size(text.data + at, text.size - at);
		if (size == 0)
			return -1;
		at += size;
	}
	return characters;
}
