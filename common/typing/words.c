#include "words.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "parts.h"

#define KEY_BYTES 16 /* a character and a syllable */

struct word {
	char text[9]; /* two characters of up to four bytes */
	unsigned frequency;
};

struct words {
	GHashTable *best; /* "重" and "重chong" -> struct word */
};

/* Bytes of the character that `text` begins with. */
static size_t width_of(const char *text)
{
	size_t n = 1;
	while ((text[n] & 0xC0) == 0x80)
		n++;
	return n;
}

static void note(struct words *w, const char *character, size_t size, const char *syllable, size_t syllable_size,
                 const struct word *word)
{
	if (size + syllable_size >= KEY_BYTES)
		return;
	char key[KEY_BYTES] = "";
	memcpy(key, character, size);
	memcpy(key + size, syllable, syllable_size);
	struct word *best = g_hash_table_lookup(w->best, key);
	if (!best)
		g_hash_table_insert(w->best, g_strdup(key), g_memdup2(word, sizeof *word));
	else if (best->frequency < word->frequency)
		*best = *word;
}

void words_note(struct words *w, const char *phrase, const char *pinyin, unsigned frequency)
{
	size_t first = phrase[0] ? width_of(phrase) : 0;
	size_t second = first && phrase[first] ? width_of(phrase + first) : 0;
	const char *apart = strchr(pinyin, '\'');
	struct word word = { .frequency = frequency };
	if (!second || phrase[first + second] || !apart || first + second >= sizeof word.text ||
	    strncmp(phrase, phrase + first, first) == 0)
		return;
	memcpy(word.text, phrase, first + second);
	note(w, phrase, first, "", 0, &word);
	note(w, phrase, first, pinyin, (size_t)(apart - pinyin), &word);
	note(w, phrase + first, second, "", 0, &word);
	note(w, phrase + first, second, apart + 1, strlen(apart + 1), &word);
}

struct words *words_new(void)
{
	struct words *w = calloc(1, sizeof *w);
	if (w)
		w->best = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return w;
}

void words_free(struct words *w)
{
	if (!w)
		return;
	g_hash_table_destroy(w->best);
	free(w);
}

const char *words_tell(const struct words *w, const char *character, const char *syllable, struct arena *arena)
{
	const char *parts = parts_of(character);
	if (parts)
		return parts;
	char key[KEY_BYTES] = "";
	size_t size = strlen(character), more = strlen(syllable);
	if (size + more >= sizeof key)
		return "";
	memcpy(key, character, size);
	memcpy(key + size, syllable, more);
	const struct word *best = g_hash_table_lookup(w->best, key);
	if (!best)
		best = g_hash_table_lookup(w->best, character);
	return best ? arena_format(arena, "%s的%s", best->text, character) : "";
}
