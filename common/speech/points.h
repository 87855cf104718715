/* A text as code points that can be read aloud, and what the files of this room do with them. */
#ifndef SPEECH_POINTS_H
#define SPEECH_POINTS_H

#include "speech/normalise.h"

struct points {
	uint32_t at[SPEECH_POINTS_MOST + 1]; /* a 0 behind the last */
	size_t count;
};

/* Without what cannot be heard (controls, directions, joiners); full-width letters and digits as ASCII. ERR_INVALID if
 * it is not UTF-8. What is beyond SPEECH_POINTS_MOST is left out. */
int points_read(struct bytes text, struct points *out, struct error *e);

/* A buffer with a sticky error. */
struct spoken {
	struct buffer *out;
	size_t most_bytes;
	int result;
};
void say_text(struct spoken *s, const char *text);
void say_bytes(struct spoken *s, struct bytes text);
void say_point(struct spoken *s, uint32_t point);

/* How a word that stands at `at` is written for the voice: the longest that is known. Returns its code points, 0: none.
 */
size_t lexicon_find(const struct lexicon *l, const uint32_t *at, size_t left, struct bytes *reading);

static inline bool point_is_digit(uint32_t p)
{
	return p >= '0' && p <= '9';
}

/* numbers.c: reads what begins with the digit at `i`, which follows no digit, or with a currency sign or minus there.
 * Returns how many code points that were; 0: nothing of the kind. */
size_t number_say(struct spoken *s, enum speech_language language, const struct points *p, size_t i);

#endif
