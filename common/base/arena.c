/*
 * Arena: a chain of blocks, each twice as large as the one before up to a limit. Only the newest block is
 * filled; a reset keeps the largest, so that a turn that looks like the last one allocates nothing.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_ALIGNMENT 16
#define BLOCK_LEAST_BYTES 2048
#define BLOCK_DOUBLING_STOPS_BYTES (256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t capacity;
	size_t used;
	_Alignas(PIECE_ALIGNMENT) uint8_t memory[];
};

void arena_init(struct arena *a, size_t ceiling_bytes)
{
	*a = (struct arena){ .ceiling_bytes = ceiling_bytes };
}

static struct arena_block *block_add(struct arena *a, size_t need)
{
	size_t capacity = a->current ? a->current->capacity : BLOCK_LEAST_BYTES / 2;
	if (capacity < BLOCK_DOUBLING_STOPS_BYTES)
		capacity *= 2;
	else
		capacity = BLOCK_DOUBLING_STOPS_BYTES;
	if (capacity < need)
		capacity = need;
	size_t total;
	if (__builtin_add_overflow(capacity, sizeof(struct arena_block), &total))
		return NULL;
	struct arena_block *block = malloc(total);
	if (!block)
		return NULL;
	block->next = NULL;
	block->capacity = capacity;
	block->used = 0;
	if (a->current)
		a->current->next = block;
	else
		a->first = block;
	a->current = block;
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = size ? size : 1, used;
	if (__builtin_add_overflow(need, PIECE_ALIGNMENT - 1, &need))
		return NULL;
	need &= ~(size_t)(PIECE_ALIGNMENT - 1);
	if (__builtin_add_overflow(a->used_bytes, need, &used) || (a->ceiling_bytes && used > a->ceiling_bytes))
		return NULL;
	struct arena_block *block = a->current;
	if (!block || need > block->capacity - block->used)
		block = block_add(a, need);
	if (!block)
		return NULL;
	void *piece = block->memory + block->used;
	block->used += need;
	a->used_bytes = used;
	return memset(piece, 0, need);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
	void *piece = arena_alloc(a, size);
	if (piece && size)
		memcpy(piece, data, size);
	return piece;
}

char *arena_text(struct arena *a, const char *text)
{
	return text ? arena_copy(a, text, strlen(text) + 1) : NULL;
}

char *arena_format(struct arena *a, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = length < 0 ? NULL : arena_alloc(a, (size_t)length + 1);
	if (!text)
		return NULL;
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

void arena_reset(struct arena *a)
{
	struct arena_block *largest = NULL;
	for (struct arena_block *block = a->first, *next; block; block = next) {
		next = block->next;
		if (largest && largest->capacity >= block->capacity) {
			free(block);
			continue;
		}
		free(largest);
		largest = block;
	}
	if (largest) {
		largest->next = NULL;
		largest->used = 0;
	}
	a->first = a->current = largest;
	a->used_bytes = 0;
}

void arena_release(struct arena *a)
{
	for (struct arena_block *block = a->first, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	a->first = a->current = NULL;
	a->used_bytes = 0;
}
