/*
 * The walk over a text: words of the lexicon, numbers, and the rest as it is.
 */
#include <stdlib.h>

#include "points.h"

/* A word that begins or ends with a digit must not cut a number in two. */
static bool cuts_number(const struct points *p, size_t i, size_t count)
{
	return (i && point_is_digit(p->at[i]) && (point_is_digit(p->at[i - 1]) || p->at[i - 1] == '.')) ||
	       (point_is_digit(p->at[i + count - 1]) && point_is_digit(p->at[i + count]));
}

static void points_say(struct spoken *s, const struct lexicon *l, enum speech_language language, const struct points *p)
{
	for (size_t i = 0, used; i < p->count && !s->result; i += used) {
		struct bytes reading;
		used = language == SPEECH_CHINESE ? lexicon_find(l, p->at + i, p->count - i, &reading) : 0;
		if (used && !cuts_number(p, i, used)) {
			say_bytes(s, reading);
			continue;
		}
		used = number_say(s, language, p, i);
		if (used)
			continue;
		used = 1;
		say_point(s, p->at[i]);
	}
}

int speech_normalise(const struct lexicon *l, enum speech_language language, struct bytes text, struct buffer *out,
                     struct error *e)
{
	struct points *points = malloc(sizeof *points);
	struct spoken s = { out, out->size + SPEECH_OUT_BYTES_MOST, OK };
	if (!points)
		return error_set(e, ERR_MEMORY, "no memory to read a text aloud");
	int result = points_read(text, points, e);
	if (!result) {
		points_say(&s, l, language, points);
		if (s.result)
			result = error_set(e, s.result, "no memory to read a text aloud");
	}
	free(points);
	return result;
}
