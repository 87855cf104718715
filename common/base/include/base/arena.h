/*
 * An arena: memory that is given out in pieces and taken back at once. It has a ceiling, so that hostile
 * input cannot make it grow without bound. Pieces are aligned to 16 bytes and zeroed.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_block *first, *current;
	size_t used_bytes;    /* given out since the last reset */
	size_t ceiling_bytes; /* 0: none */
};

void arena_init(struct arena *a, size_t ceiling_bytes); /* allocates nothing yet */
void *arena_alloc(struct arena *a,
                  size_t size); /* NULL past the ceiling or without memory; size 0 gives a valid pointer */
void *arena_copy(struct arena *a, const void *data, size_t size);
char *arena_text(struct arena *a, const char *text); /* copy with NUL; NULL for NULL */
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a);   /* takes everything back, keeps one block */
void arena_release(struct arena *a); /* frees; usable again */

#endif
