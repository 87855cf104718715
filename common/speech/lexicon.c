/*
 * Words that the voice gets wrong, and how to write them for it. In memory: the file, and its words in their order.
 */
#include <stdlib.h>
#include <string.h>

#include "points.h"

struct word {
	uint32_t at[LEXICON_WORD_POINTS_MOST];
	size_t count;
	struct bytes reading; /* within the text */
};

struct lexicon {
	struct buffer text;
	struct word *words;
	size_t count, longest;
};

static int word_compare(const void *left, const void *right)
{
	const struct word *a = left, *b = right;
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		if (a->at[i] != b->at[i])
			return a->at[i] < b->at[i] ? -1 : 1;
	}
	return a->count == b->count ? 0 : a->count < b->count ? -1 : 1;
}

/* What is read goes to the voice as it is. */
static bool has_control(struct bytes reading)
{
	for (size_t i = 0; i < reading.size; i++) {
		if (reading.data[i] < ' ' || reading.data[i] == 0x7f)
			return true;
	}
	return false;
}

static int word_parse(const char *name, size_t line, struct bytes text, struct word *out, struct error *e)
{
	struct points points;
	const uint8_t *tab = memchr(text.data, '\t', text.size);
	size_t size = tab ? (size_t)(tab - text.data) : 0;
	if (!size || size + 1 == text.size)
		return error_set(e, ERR_INVALID, "%s: line %zu is not a word, a tab, and how it is written", name,
		                 line);
	if (points_read(BYTES(text.data, size), &points, e) || points_read(text, &(struct points){ 0 }, e))
		return error_wrap(e, ERR_INVALID, "%s: line %zu", name, line);
	if (has_control(BYTES(tab + 1, text.size - size - 1)))
		return error_set(e, ERR_INVALID, "%s: line %zu has a control character behind the tab", name, line);
	if (!points.count || points.count > LEXICON_WORD_POINTS_MOST)
		return error_set(e, ERR_INVALID, "%s: the word in line %zu has not 1 to %d characters", name, line,
		                 LEXICON_WORD_POINTS_MOST);
	memcpy(out->at, points.at, points.count * sizeof *points.at);
	out->count = points.count;
	out->reading = BYTES(tab + 1, text.size - size - 1);
	return OK;
}

static int words_parse(struct lexicon *l, const char *name, struct error *e)
{
	const uint8_t *at = l->text.data, *end = at ? at + l->text.size : NULL;
	for (size_t line = 1; at < end; line++) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
		struct bytes text = BYTES(at, (size_t)((stop ? stop : end) - at));
		at = stop ? stop + 1 : end;
		if (!text.size || text.data[0] == '#')
			continue;
		int result = word_parse(name, line, text, &l->words[l->count], e);
		if (result)
			return result;
		if (l->words[l->count].count > l->longest)
			l->longest = l->words[l->count].count;
		l->count++;
	}
	qsort(l->words, l->count, sizeof *l->words, word_compare);
	return OK;
}

int lexicon_parse(const char *name, struct bytes text, struct lexicon **out, struct error *e)
{
	size_t lines = 1;
	if (text.size > LEXICON_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%s has more than %d bytes", name, LEXICON_BYTES_MOST);
	for (size_t i = 0; i < text.size; i++)
		lines += text.data[i] == '\n';
	struct lexicon *l = calloc(1, sizeof *l);
	if (l)
		l->words = calloc(lines, sizeof *l->words);
	int result = !l || !l->words || buffer_append(&l->text, text)
	                     ? error_set(e, ERR_MEMORY, "no memory for the lexicon")
	                     : words_parse(l, name, e);
	if (result)
		lexicon_free(l);
	else
		*out = l;
	return result;
}

void lexicon_free(struct lexicon *l)
{
	if (!l)
		return;
	buffer_release(&l->text);
	free(l->words);
	free(l);
}

size_t lexicon_find(const struct lexicon *l, const uint32_t *at, size_t left, struct bytes *reading)
{
	struct word sought = { 0 };
	if (!l)
		return 0;
	for (size_t count = left < l->longest ? left : l->longest; count; count--) {
		memcpy(sought.at, at, count * sizeof *at);
		sought.count = count;
		const struct word *found = bsearch(&sought, l->words, l->count, sizeof *l->words, word_compare);
		if (!found)
			continue;
		*reading = found->reading;
		return count;
	}
	return 0;
}
