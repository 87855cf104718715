/* Byte ranges, growing buffers, and cursors that cannot leave their range. */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_LEAST_BYTES 64

struct bytes bytes_from_text(const char *text)
{
	return BYTES(text, text ? strlen(text) : 0);
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;
	if (order)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

int buffer_reserve(struct buffer *b, size_t extra)
{
	size_t need;
	if (__builtin_add_overflow(b->size, extra, &need) || need > PTRDIFF_MAX) /* no object is larger in C */
		return ERR_MEMORY;
	if (need <= b->capacity)
		return OK;
	size_t capacity = b->capacity < BUFFER_LEAST_BYTES ? BUFFER_LEAST_BYTES : b->capacity;
	while (capacity < need)
		if (__builtin_mul_overflow(capacity, 2, &capacity))
			capacity = need;
	uint8_t *data = realloc(b->data, capacity);
	if (!data)
		return ERR_MEMORY;
	b->data = data;
	b->capacity = capacity;
	return OK;
}

int buffer_append(struct buffer *b, struct bytes tail)
{
	int code = buffer_reserve(b, tail.size);
	if (code)
		return code;
	if (tail.size)
		memcpy(b->data + b->size, tail.data, tail.size);
	b->size += tail.size;
	return OK;
}

void buffer_clear(struct buffer *b)
{
	b->size = 0;
}

void buffer_release(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}

struct writer writer_over(void *memory, size_t capacity)
{
	return (struct writer){ .data = memory, .capacity = capacity };
}

static void write_integer(struct writer *w, uint64_t v, size_t width)
{
	uint8_t big_endian[8];
	for (size_t i = 0; i < width; i++)
		big_endian[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
	write_bytes(w, BYTES(big_endian, width));
}

void write_u8(struct writer *w, uint8_t v)
{
	write_integer(w, v, 1);
}

void write_u16(struct writer *w, uint16_t v)
{
	write_integer(w, v, 2);
}

void write_u32(struct writer *w, uint32_t v)
{
	write_integer(w, v, 4);
}

void write_u64(struct writer *w, uint64_t v)
{
	write_integer(w, v, 8);
}

void write_bytes(struct writer *w, struct bytes v)
{
	if (w->failed || v.size > w->capacity - w->size) {
		w->failed = true;
		return;
	}
	if (v.size)
		memcpy(w->data + w->size, v.data, v.size);
	w->size += v.size;
}

struct reader reader_over(struct bytes range)
{
	return (struct reader){ .data = range.data, .size = range.size };
}

static uint64_t read_integer(struct reader *r, size_t width)
{
	struct bytes raw = read_bytes(r, width);
	uint64_t v = 0;
	for (size_t i = 0; i < raw.size; i++)
		v = v << 8 | raw.data[i];
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_integer(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_integer(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_integer(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_integer(r, 8);
}

struct bytes read_bytes(struct reader *r, size_t size)
{
	if (r->failed || size > r->size - r->at) {
		r->failed = true;
		return (struct bytes){ 0 };
	}
	if (size == 0)
		return (struct bytes){ 0 };
	struct bytes range = { r->data + r->at, size };
	r->at += size;
	return range;
}
