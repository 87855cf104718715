/*
 * Byte ranges, growing buffers, bounded cursors, hexadecimal.
 *
 * `struct bytes` never owns; `struct buffer` owns and is released with buffer_release.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errors.h"

struct bytes {
	const uint8_t *data;
	size_t size;
};

#define BYTES(pointer, length) ((struct bytes){ (const uint8_t *)(pointer), (length) })
#define BYTES_OF(object) ((struct bytes){ (const uint8_t *)&(object), sizeof(object) })

struct bytes bytes_from_text(const char *text);    /* without the NUL */
bool bytes_equal(struct bytes a, struct bytes b);  /* not constant time; for secrets use crypto_equal */
int bytes_compare(struct bytes a, struct bytes b); /* order of memcmp, a prefix sorts first */

struct buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
};

/* Makes room for `extra` more bytes; ERR_MEMORY, also on overflow of size_t. */
int buffer_reserve(struct buffer *b, size_t extra);
int buffer_append(struct buffer *b, struct bytes tail);
void buffer_clear(struct buffer *b);   /* keeps the memory */
void buffer_release(struct buffer *b); /* frees; b is empty and usable again */
static inline struct bytes buffer_bytes(const struct buffer *b)
{
	return (struct bytes){ b->data, b->size };
}

/* A writer over fixed memory. Once it has failed every further call does nothing; check `failed` once. */
struct writer {
	uint8_t *data;
	size_t capacity;
	size_t size;
	bool failed;
};
struct writer writer_over(void *memory, size_t capacity);
void write_u8(struct writer *w, uint8_t v);
void write_u16(struct writer *w, uint16_t v); /* all integers big-endian */
void write_u32(struct writer *w, uint32_t v);
void write_u64(struct writer *w, uint64_t v);
void write_bytes(struct writer *w, struct bytes v); /* no length in front */

/* A reader over a byte range; the same sticky rule: a failed reader returns zeros. */
struct reader {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};
struct reader reader_over(struct bytes range);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
struct bytes read_bytes(struct reader *r, size_t size);

void hex_encode(struct bytes in, char *out); /* out holds 2 * in.size + 1 chars; lower case */
/* Decodes exactly `size` bytes; ERR_INVALID if the text is of another length or not hexadecimal. */
int hex_decode(const char *text, uint8_t *out, size_t size);
bool hex_decode_u64(const char *text, uint64_t *out); /* 1 to 16 digits */

/* Length of a valid UTF-8 text in code points, or -1 (overlong, surrogate, cut, > U+10FFFF). */
long utf8_length(struct bytes text);

#endif
