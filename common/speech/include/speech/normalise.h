/*
 * Texts as a voice reads them well: numbers, dates, money in words, codes digit by digit, and words that a voice gets
 * wrong in another spelling. Pure: no clock, no I/O. What comes in may be anything; what goes out is bounded.
 */
#ifndef SPEECH_NORMALISE_H
#define SPEECH_NORMALISE_H

#include "base/bytes.h"
#include "base/errors.h"

#define SPEECH_POINTS_MOST 2000            /* code points that are read of a text; the rest is left out */
#define SPEECH_OUT_BYTES_MOST (256 * 1024) /* no normalised text is longer */
#define LEXICON_BYTES_MOST (256 * 1024)
#define LEXICON_WORD_POINTS_MOST 12

enum speech_language { SPEECH_CHINESE, SPEECH_ENGLISH };

struct lexicon;

/* Lines of `word <tab> how it is written for the voice`, `#` begins a comment; `name` stands for the file in messages.
 * Only Chinese texts use it. ERR_INVALID names the line; ERR_TOO_BIG, ERR_MEMORY. */
int lexicon_parse(const char *name, struct bytes text, struct lexicon **out, struct error *e);
void lexicon_free(struct lexicon *l); /* NULL is fine */

/* Appends to `out`, which is valid UTF-8 without control characters then. `l` may be NULL. ERR_INVALID (not UTF-8),
 * ERR_MEMORY. */
int speech_normalise(const struct lexicon *l, enum speech_language language, struct bytes text, struct buffer *out,
                     struct error *e);

#endif
