#include "typing/typing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pinyin.h> /* defines constants: only one file can include it */

#include "words.h"

#define LIBRARY_FIRST 1 /* GB, GBK, OpenGram, merged: the system's dictionaries in libpinyin's table.conf */
#define LIBRARY_LAST 4

struct typing {
	pinyin_context_t *context;
	struct words *words;
};

/* What the language model says; a word without a number there is rarer than any with one. */
static guint frequency_of(pinyin_instance_t *instance, const char *phrase)
{
	guint most = 0, frequency = 0;
	GArray *tokens = g_array_new(FALSE, FALSE, sizeof(phrase_token_t));
	pinyin_lookup_tokens(instance, phrase, tokens);
	for (guint i = 0; i < tokens->len; i++)
		if (pinyin_token_get_unigram_frequency(instance, g_array_index(tokens, phrase_token_t, i),
		                                       &frequency) &&
		    frequency > most)
			most = frequency;
	g_array_free(tokens, TRUE);
	return most;
}

static void library_read(struct typing *t, pinyin_instance_t *instance, guint library)
{
	gchar *phrase, *pinyin;
	gint count;
	export_iterator_t *i = pinyin_begin_get_phrases(t->context, library);
	while (i && pinyin_iterator_has_next_phrase(i) &&
	       pinyin_iterator_get_next_phrase(i, &phrase, &pinyin, &count)) {
		if (g_utf8_strlen(phrase, -1) == 2)
			words_note(t->words, phrase, pinyin, frequency_of(instance, phrase));
		g_free(phrase);
		g_free(pinyin);
	}
	if (i)
		pinyin_end_get_phrases(i);
}

static int words_read(struct typing *t)
{
	t->words = words_new();
	pinyin_instance_t *instance = t->words ? pinyin_alloc_instance(t->context) : NULL;
	if (!instance)
		return ERR_MEMORY;
	for (guint library = LIBRARY_FIRST; library <= LIBRARY_LAST; library++)
		library_read(t, instance, library);
	pinyin_free_instance(instance);
	return OK;
}

int typing_open(const char *folder, struct typing **out, struct error *e)
{
	struct typing *t = calloc(1, sizeof *t);
	if (!t)
		return error_set(e, ERR_MEMORY, "no memory for the dictionaries");
	/* Without a folder of the user's there is nowhere to learn. */
	t->context = pinyin_init(folder, NULL);
	if (!t->context) {
		typing_close(t);
		return error_set(e, ERR_CONFIG, "there are no dictionaries of libpinyin in %s; install libpinyin-data",
		                 folder);
	}
	/* Not DYNAMIC_ADJUST, which prefers what was typed before. */
	pinyin_set_options(t->context, PINYIN_INCOMPLETE | USE_RESPLIT_TABLE | USE_DIVIDED_TABLE);
	if (words_read(t)) {
		typing_close(t);
		return error_set(e, ERR_MEMORY, "no memory for the words that tell characters apart");
	}
	*out = t;
	return OK;
}

void typing_close(struct typing *t)
{
	if (!t)
		return;
	words_free(t->words);
	if (t->context)
		pinyin_fini(t->context);
	free(t);
}

static int letters_check(const char *letters, struct error *e)
{
	size_t size = strlen(letters);
	if (size > TYPING_LETTERS_MOST)
		return error_set(e, ERR_INVALID, "letters: more than %d at a time; choose what is there first",
		                 TYPING_LETTERS_MOST);
	if (strspn(letters, "abcdefghijklmnopqrstuvwxyz'") != size)
		return error_set(e, ERR_INVALID, "letters: only a to z and ' are read as pinyin");
	return OK;
}

static bool is_one_character(const char *text)
{
	size_t characters = 0;
	for (; *text && characters < 2; text++)
		characters += (*text & 0xC0) != 0x80;
	return characters == 1;
}

/* How many letters a candidate stands for. Choosing tells, and is taken back at once. */
static size_t letters_of(pinyin_instance_t *p, lookup_candidate_t *candidate)
{
	int end = pinyin_choose_candidate(p, 0, candidate);
	pinyin_clear_constraint(p, 0);
	return end > 0 ? (size_t)end : 0;
}

/* NULL: no memory, or what libpinyin does not give. */
static Lm__PinyinCandidate *candidate_view(struct typing *t, pinyin_instance_t *p, guint number, const char *letters,
                                           struct arena *arena)
{
	lookup_candidate_t *candidate;
	const gchar *text;
	Lm__PinyinCandidate *view = arena_alloc(arena, sizeof *view);
	if (!view || !pinyin_get_candidate(p, number, &candidate) || !pinyin_get_candidate_string(p, candidate, &text))
		return NULL;
	lm__pinyin_candidate__init(view);
	view->text = arena_text(arena, text); /* before choosing, which may move it */
	size_t taken = letters_of(p, candidate), all = strlen(letters);
	char syllable[TYPING_LETTERS_MOST + 1] = "";
	view->letters = (uint32_t)(taken && taken < all ? taken : all);
	memcpy(syllable, letters, view->letters);
	syllable[strcspn(syllable, "'")] = '\0';
	if (view->text && is_one_character(view->text))
		view->told = (char *)(uintptr_t)words_tell(t->words, view->text, syllable, arena);
	return view->text && view->told ? view : NULL;
}

static int candidates_view(struct typing *t, pinyin_instance_t *p, const Lm__PinyinCommand *in, struct arena *arena,
                           Lm__PinyinView *out)
{
	guint total = 0;
	pinyin_guess_sentence(p);
	if (!pinyin_guess_candidates(p, 0, SORT_BY_PHRASE_LENGTH_AND_PINYIN_LENGTH_AND_FREQUENCY) ||
	    !pinyin_get_n_candidate(p, &total) || in->from >= total)
		return OK;
	size_t most = total - in->from, wanted = in->most ? in->most : TYPING_PAGE_MOST;
	most = wanted < most ? wanted : most;
	most = most < TYPING_PAGE_MOST ? most : TYPING_PAGE_MOST;
	out->candidates = arena_alloc(arena, most * sizeof *out->candidates);
	if (!out->candidates)
		return ERR_MEMORY;
	out->total = total;
	for (guint i = 0; i < most; i++) {
		Lm__PinyinCandidate *one = candidate_view(t, p, in->from + i, in->letters, arena);
		if (!one)
			return ERR_MEMORY;
		out->candidates[out->n_candidates++] = one;
	}
	return OK;
}

int typing_find(struct typing *t, const Lm__PinyinCommand *in, struct arena *arena, Lm__PinyinView *out,
                struct error *e)
{
	Lm__PinyinView view = LM__PINYIN_VIEW__INIT;
	int result = letters_check(in->letters, e);
	if (result)
		return result;
	/* Of its own for each question: what was asked before is nowhere. */
	pinyin_instance_t *p = pinyin_alloc_instance(t->context);
	if (!p)
		return error_set(e, ERR_MEMORY, "no memory for candidates");
	if (pinyin_parse_more_full_pinyins(p, in->letters) > 0)
		result = candidates_view(t, p, in, arena, &view);
	pinyin_free_instance(p);
	if (result)
		return error_set(e, result, "no memory for candidates");
	*out = view;
	return OK;
}
