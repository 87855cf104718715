/*
 * How a character is told from others that sound the same: by its parts, or by the word of two characters that is used
 * most, of those in which it is read so: 重 of chong by 重复 and not by 重要.
 */
#ifndef TYPING_WORDS_H
#define TYPING_WORDS_H

#include "base/arena.h"

struct words;

struct words *words_new(void);    /* NULL: no memory */
void words_free(struct words *w); /* NULL is fine */
/* A phrase of the dictionaries as it is read, "chong'fu", and how often it is used. */
void words_note(struct words *w, const char *phrase, const char *pinyin, unsigned frequency);
/* "身体的身", "方方土", or "" when neither is known. NULL: no memory. `syllable` is how it is read, or "". */
const char *words_tell(const struct words *w, const char *character, const char *syllable, struct arena *arena);

#endif
