/*
 * Base64 in JSON. Each three bytes are four letters of six bits; the last group is filled up with '='.
 * The reading is strict, so that a byte string has exactly one text.
 */
#include "base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_append(struct bytes in, struct buffer *out)
{
	size_t size;
	if (__builtin_mul_overflow(in.size / 3 + (in.size % 3 != 0), (size_t)4, &size) || buffer_reserve(out, size))
		return ERR_MEMORY;
	uint8_t *text = out->data + out->size;
	for (size_t i = 0; i < in.size; i += 3, text += 4) {
		size_t left = in.size - i;
		uint32_t group = (uint32_t)in.data[i] << 16;
		if (left > 1)
			group |= (uint32_t)in.data[i + 1] << 8;
		if (left > 2)
			group |= in.data[i + 2];
		text[0] = (uint8_t)letters[group >> 18];
		text[1] = (uint8_t)letters[group >> 12 & 63];
		text[2] = left > 1 ? (uint8_t)letters[group >> 6 & 63] : '=';
		text[3] = left > 2 ? (uint8_t)letters[group & 63] : '=';
	}
	out->size += size;
	return OK;
}

static int letter_value(uint8_t letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9')
		return letter - '0' + 52;
	return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* How many '=' end the text: 0 to 2. */
static size_t padding_of(struct bytes text)
{
	if (text.size < 4 || text.data[text.size - 1] != '=')
		return 0;
	return text.data[text.size - 2] == '=' ? 2 : 1;
}

size_t base64_decoded_size(struct bytes text)
{
	return text.size < 4 ? 0 : text.size / 4 * 3 - padding_of(text);
}

bool base64_decode(struct bytes text, uint8_t *out)
{
	if (text.size % 4)
		return false;
	size_t letter_count = text.size - padding_of(text);
	uint32_t bits = 0;
	unsigned bit_count = 0;
	for (size_t i = 0; i < letter_count; i++) {
		int value = letter_value(text.data[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		*out++ = (uint8_t)(bits >> bit_count);
		bits &= (1U << bit_count) - 1;
	}
	return bits == 0;
}
