/*
 * Can a person read a service? Which characters a text is made of, in which language it is, how long its sentences are,
 * and whether a number in it is one that somebody could call. Asked when it is published.
 *
 * Chinese is measured in characters and English in words; punctuation and spaces do not count.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service_check.h"

#define CALLED_DIGITS_LEAST 7 /* as form.c: a telephone number has 7 to 15 digits */

/* What somebody takes in at a glance (UX 12); what they are told before they agree; and what a source may quote. */
struct reading {
	int sentences, characters, words;
};
static const struct reading of_title = { 1, 15, 8 }, of_glance = { 2, 20, 16 }, of_told = { 3, 20, 16 },
                            of_quoted = { 4, 60, 40 }, of_notice = { 6, 45, 30 };
#define TEXT_CHARACTERS_MOST 300 /* whatever its words: also of a single one without end */
#define SOURCE_CHARACTERS_MOST 100

/* Numbers that can be called stand in facts, where their source is; made-up ones reach nobody, as they begin with 000.
 */
enum numbers { NUMBERS_NONE, NUMBERS_SAMPLE, NUMBERS_SOURCED };

/* ---- characters ---- */

/* Of a text that is valid UTF-8. */
static uint32_t character_next(const char **text)
{
	const uint8_t *p = (const uint8_t *)*text;
	int more = *p < 0x80 ? 0 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : 3;
	uint32_t character = more ? *p & (0x3Fu >> more) : *p;
	for (int i = 1; i <= more; i++)
		character = character << 6 | (p[i] & 0x3Fu);
	*text += more + 1;
	return character;
}

struct range {
	uint32_t first, last;
};

static bool is_within(uint32_t character, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}
#define IS_WITHIN(character, ranges) is_within((character), (ranges), sizeof(ranges) / sizeof *(ranges))

static const struct range han[] = {
	{ 0x3007, 0x3007 }, { 0x3400, 0x4DBF }, { 0x4E00, 0x9FFF }, { 0xF900, 0xFAFF }, { 0x20000, 0x323AF },
};
static const struct range latin[] = { { 'A', 'Z' }, { 'a', 'z' }, { 0xC0, 0xD6 }, { 0xD8, 0xF6 }, { 0xF8, 0x17F } };
static const struct range digits[] = { { '0', '9' } };
/* Punctuation of Chinese, and letters as wide as its characters. */
static const struct range wide[] = { { 0x3000, 0x303F }, { 0xFF00, 0xFFEF } };
static const struct range wide_letters[] = { { 0xFF10, 0xFF19 }, { 0xFF21, 0xFF3A }, { 0xFF41, 0xFF5A } };
/* What the pages' fonts have (Noto Sans and Noto Sans CJK SC), without what is invisible or turns the writing round. */
static const struct range shown[] = {
	{ 0x20, 0x7E },     { 0xA1, 0xAC },     { 0xAE, 0x17F },      { 0x2010, 0x2027 }, { 0x2030, 0x205E },
	{ 0x20A0, 0x20BF }, { 0x2100, 0x214F }, { 0x2150, 0x218B },   { 0x2190, 0x21FF }, { 0x2200, 0x22FF },
	{ 0x2460, 0x24FF }, { 0x25A0, 0x25FF }, { 0x3001, 0x303F },   { 0x3400, 0x4DBF }, { 0x4E00, 0x9FFF },
	{ 0xF900, 0xFAFF }, { 0xFF01, 0xFF5E }, { 0x20000, 0x323AF },
};

static bool counts(uint32_t character)
{
	return IS_WITHIN(character, han) || IS_WITHIN(character, latin) || IS_WITHIN(character, digits);
}

/* One fault a text is enough: the first. */
static void characters_check(struct check *c, const char *path, const char *text, bool is_english)
{
	while (*text) {
		uint32_t one = character_next(&text);
		if (one < 0x20 || (one >= 0x7F && one <= 0x9F))
			fault_add(c, "%s: a control character (U+%04X)", path, one);
		else if (IS_WITHIN(one, wide_letters))
			fault_add(c, "%s: U+%04X is full-width: write digits and letters as 0-9, A-Z", path, one);
		else if (!IS_WITHIN(one, shown))
			fault_add(c, "%s: a character that cannot be displayed (U+%04X)", path, one);
		else if (is_english && (IS_WITHIN(one, han) || IS_WITHIN(one, wide)))
			fault_add(c, "%s: a Chinese character in an English text (U+%04X)", path, one);
		else
			continue;
		return;
	}
}

static void spaces_check(struct check *c, const char *path, const char *text)
{
	size_t length = strlen(text);
	if (text[0] == ' ' || text[length - 1] == ' ')
		fault_add(c, "%s: a space at the beginning or at the end", path);
	else if (strstr(text, "  "))
		fault_add(c, "%s: two spaces in a row", path);
}

/* ---- sentences ---- */

/* In English a point within a number or a name ends nothing. */
static bool ends_sentence(uint32_t character, const char *rest, bool is_english)
{
	if (is_english)
		return (character == '.' || character == '?' || character == '!') &&
		       (*rest == ' ' || *rest == '"' || !*rest);
	return character == 0x3002 || character == 0xFF1F || character == 0xFF01 || character == 0xFF1B; /* 。？！； */
}

struct measure {
	int sentences, longest; /* characters, or words in English */
	bool has_own_letters;   /* of the language */
};

static struct measure text_measure(const char *text, bool is_english)
{
	struct measure m = { 0 };
	int length = 0;
	bool was_word = false;
	while (*text) {
		uint32_t one = character_next(&text);
		bool is_word = counts(one);
		if (is_word && !(is_english && was_word)) {
			if (!length)
				m.sentences++;
			length++;
		}
		if (length > m.longest)
			m.longest = length;
		if (ends_sentence(one, text, is_english))
			length = 0;
		was_word = is_word || (was_word && one != ' '); /* a word goes on to the next space: don't, 12.50 */
		m.has_own_letters |= is_english ? IS_WITHIN(one, latin) : IS_WITHIN(one, han);
	}
	return m;
}

static void reading_check(struct check *c, const char *path, const char *text, bool is_english,
                          const struct reading *most)
{
	struct measure m = text_measure(text, is_english);
	int longest = is_english ? most->words : most->characters;
	if (!m.has_own_letters)
		fault_add(c, "%s: no %s in it", path, is_english ? "English word" : "Chinese character");
	if (m.sentences > most->sentences)
		fault_add(c, "%s: %d sentences; at most %d", path, m.sentences, most->sentences);
	if (m.longest > longest)
		fault_add(c, "%s: a sentence of %d %s; at most %d", path, m.longest,
		          is_english ? "words" : "characters", longest);
}

/* ---- numbers ---- */

/* From a digit on: how many digits there are, hyphens and spaces between them allowed; *text moves behind them. */
static size_t digits_take(const char **text)
{
	size_t count = 0;
	const char *p = *text;
	for (;; p++) {
		if (isdigit((unsigned char)*p))
			count++;
		else if ((*p != '-' && *p != ' ') || !isdigit((unsigned char)p[1]))
			break;
	}
	*text = p;
	return count;
}

static bool is_date_or_years(const char *text, size_t size)
{
	char date[11] = { 0 };
	if (size == 9 && text[4] == '-')
		return (strncmp(text, "19", 2) == 0 || strncmp(text, "20", 2) == 0) && strncmp(text + 5, "20", 2) == 0;
	if (size != sizeof date - 1)
		return false;
	memcpy(date, text, size);
	return clock_date_read(date, NULL);
}

static void numbers_check(struct check *c, const char *path, const char *text, enum numbers allowed)
{
	while (*text) {
		const char *first = text;
		if (!isdigit((unsigned char)*text)) {
			text++;
			continue;
		}
		if (digits_take(&text) < CALLED_DIGITS_LEAST || is_date_or_years(first, (size_t)(text - first)))
			continue;
		if (allowed == NUMBERS_NONE)
			fault_add(c, "%s: a number that can be called stands in facts, with its source", path);
		else if (allowed == NUMBERS_SAMPLE && strncmp(first, "000", 3) != 0)
			fault_add(c, "%s: a made-up number begins with 000, so that it reaches nobody", path);
	}
}

/* ---- the texts of a service ---- */

/* False: there is nothing to read. A missing text is a fault of the shape, where one is needed. */
static bool letters_check(struct check *c, const char *path, const char *text, bool is_english, long most)
{
	long length = utf8_length(bytes_from_text(text));
	if (length < 0)
		fault_add(c, "%s: not UTF-8", path);
	if (length > most)
		fault_add(c, "%s: longer than %ld characters", path, most);
	if (length <= 0 || length > most)
		return false;
	characters_check(c, path, text, is_english);
	spaces_check(c, path, text);
	return true;
}

static void text_check(struct check *c, const char *path, const char *text, bool is_english, const struct reading *most,
                       enum numbers allowed)
{
	if (!letters_check(c, path, text, is_english, TEXT_CHARACTERS_MOST))
		return;
	reading_check(c, path, text, is_english, most);
	numbers_check(c, path, text, allowed);
}

static void words_read(struct check *c, const char *path, const Lm__Words *w, const struct reading *most,
                       enum numbers allowed)
{
	char inner[96];
	if (!w)
		return;
	snprintf(inner, sizeof inner, "%s.zh", path);
	text_check(c, inner, w->zh, false, most, allowed);
	snprintf(inner, sizeof inner, "%s.en", path);
	text_check(c, inner, w->en, true, most, allowed);
}

static void list_read(struct check *c, const char *list, Lm__Words *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char path[40];
		snprintf(path, sizeof path, "%s[%zu]", list, i);
		words_read(c, path, words[i], &of_glance, NUMBERS_NONE);
	}
}

static void field_read(struct check *c, const char *list, size_t i, const Lm__Field *f)
{
	char path[96];
	snprintf(path, sizeof path, "%s[%zu].label", list, i);
	words_read(c, path, f->label, &of_glance, NUMBERS_NONE);
	snprintf(path, sizeof path, "%s[%zu].easy", list, i);
	words_read(c, path, f->easy, &of_title, NUMBERS_NONE);
	snprintf(path, sizeof path, "%s[%zu].hint", list, i);
	words_read(c, path, f->hint, &of_glance, NUMBERS_NONE);
	for (size_t k = 0; k < f->n_choices; k++) {
		snprintf(path, sizeof path, "%s[%zu].choices[%zu].name", list, i, k);
		words_read(c, path, f->choices[k]->name, &of_glance, NUMBERS_NONE);
	}
}

static void basis_read(struct check *c, const char *list, size_t i, const Lm__Basis *b)
{
	char path[48];
	snprintf(path, sizeof path, "%s[%zu].text", list, i);
	words_read(c, path, b->text, &of_quoted, b->is_sample ? NUMBERS_SAMPLE : NUMBERS_SOURCED);
	snprintf(path, sizeof path, "%s[%zu].source", list, i);
	letters_check(c, path, b->source, false, SOURCE_CHARACTERS_MOST);
}

static void privacy_read(struct check *c, const Lm__Service *s)
{
	const Lm__Privacy *p = s->privacy;
	if (p) {
		words_read(c, "privacy.who_asks", p->who_asks, &of_told, NUMBERS_NONE);
		words_read(c, "privacy.purpose", p->purpose, &of_told, NUMBERS_NONE);
		words_read(c, "privacy.who_sees", p->who_sees, &of_told, NUMBERS_NONE);
		words_read(c, "privacy.health_why", p->health_why, &of_told, NUMBERS_NONE);
	}
	for (size_t i = 0; i < s->n_sharing; i++) {
		char path[48];
		snprintf(path, sizeof path, "sharing[%zu].with_whom", i);
		words_read(c, path, s->sharing[i]->with_whom, &of_told, NUMBERS_NONE);
		snprintf(path, sizeof path, "sharing[%zu].purpose", i);
		words_read(c, path, s->sharing[i]->purpose, &of_told, NUMBERS_NONE);
	}
}

void texts_check(struct check *c, const Lm__Service *s)
{
	words_read(c, "name", s->name, &of_title, NUMBERS_NONE);
	words_read(c, "easy_name", s->easy_name, &of_title, NUMBERS_NONE);
	words_read(c, "easy", s->easy, &of_glance, NUMBERS_NONE);
	words_read(c, "only_self", s->only_self, &of_glance, NUMBERS_NONE);
	for (size_t i = 0; i < s->n_fields; i++)
		field_read(c, "fields", i, s->fields[i]);
	for (size_t i = 0; i < s->n_steps; i++) {
		char path[40];
		snprintf(path, sizeof path, "steps[%zu].text", i);
		words_read(c, path, s->steps[i]->text, &of_glance, NUMBERS_NONE);
		step_fields_path(i, path);
		for (size_t k = 0; k < s->steps[i]->n_fields; k++)
			field_read(c, path, k, s->steps[i]->fields[k]);
	}
	list_read(c, "conditions", s->conditions, s->n_conditions);
	list_read(c, "evidence", s->evidence, s->n_evidence);
	privacy_read(c, s);
	for (size_t i = 0; i < s->n_basis; i++)
		basis_read(c, "basis", i, s->basis[i]);
	for (size_t i = 0; i < s->n_facts; i++)
		basis_read(c, "facts", i, s->facts[i]);
	for (size_t i = 0; s->hold && i < s->hold->n_basis; i++)
		basis_read(c, "hold.basis", i, s->hold->basis[i]);
	for (size_t i = 0; s->certificate && i < s->certificate->n_basis; i++)
		basis_read(c, "certificate.basis", i, s->certificate->basis[i]);
	for (size_t i = 0; s->objection && i < s->objection->n_basis; i++)
		basis_read(c, "objection.basis", i, s->objection->basis[i]);
}

/* The town tells of its own telephones. */
void notice_texts_check(struct check *c, const Lm__TownNotice *n)
{
	char path[40];
	words_read(c, "name", n->name, &of_title, NUMBERS_SOURCED);
	for (size_t i = 0; i < n->n_text; i++) {
		snprintf(path, sizeof path, "text[%zu]", i);
		words_read(c, path, n->text[i], &of_notice, NUMBERS_SOURCED);
	}
	for (size_t i = 0; i < n->n_easy; i++) {
		snprintf(path, sizeof path, "easy[%zu]", i);
		words_read(c, path, n->easy[i], &of_glance, NUMBERS_SOURCED);
	}
}
