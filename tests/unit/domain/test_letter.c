/* The texts of letters: what is delivered is right, and each mistake is named where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/files.h"
#include "domain/letter.h"
#include "proto/codec.h"
#include "proto/json.h"

static struct arena arena;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 4u * 1024 * 1024);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static Lm__LettersFile *delivered(void)
{
	struct buffer text = { 0 };
	Lm__LettersFile *file;
	struct error e = { 0 };
	assert_int_equal(file_read(TOP "/deploy/letters.json", 256 * 1024, &text, &e), OK);
	assert_int_equal(JSON_DECODE(lm__letters_file, buffer_bytes(&text), &arena, &file, &e), OK);
	buffer_release(&text);
	return file;
}

static void expect(const Lm__LettersFile *file, const char *word)
{
	struct service_fault faults[8];
	size_t count = letter_texts_check(file, faults, 8);
	if (count != (word ? 1 : 0))
		fail_msg("%zu faults instead of %s: %s", count, word ? word : "none", count ? faults[0].text : "");
	if (word && strncmp(faults[0].text, word, strlen(word)) != 0)
		fail_msg("'%s' instead of '%s'", faults[0].text, word);
}

#define TEXT(t) ((char *)(uintptr_t)(t))

static void test_each_mistake_is_named_where_it_is(void **state)
{
	(void)state;
	expect(delivered(), NULL);
	Lm__LettersFile *f = delivered();
	f->letters[1]->parts[3]->text->en = TEXT("on {nmae}");
	expect(f, "letters[1].parts[3].text.en: there is no place '{nmae}'");
	f = delivered();
	f->letters[0]->title->zh = TEXT("{name");
	expect(f, "letters[0].title.zh: there is no place '{name'");
	f = delivered();
	f->letters[2]->parts[0]->text->zh = TEXT("");
	expect(f, "letters[2].parts[0].text.zh: this is needed");
	f = delivered();
	f->letters[2]->parts[0]->only_with = TEXT("nobody");
	expect(f, "letters[2].parts[0].only_with: there is no place");
	f = delivered();
	f->n_letters = 2;
	expect(f, "letters: the kind LETTER_KIND_DECIDED is missing");
	f = delivered();
	f->letters[0]->n_parts--;
	expect(f, "letters[0].parts: a field for the seal is needed");
	f = delivered();
	f->letters[0]->parts[1]->heading = f->letters[0]->title;
	expect(f, "letters[0].parts[1]: one of heading, text and seal");
	f = delivered();
	f->foot->en = TEXT("page");
	expect(f, "foot: both languages");
}

static void test_what_is_filled_in_is_not_looked_at_again(void **state)
{
	const char *values[LETTER_PLACES] = { [LETTER_NAME] = "{ground}{name}", [LETTER_GROUND] = "rule" };
	(void)state;
	assert_string_equal(letter_fill("{name}: {ground}, {due}.", values, &arena), "{ground}{name}: rule, .");
	assert_string_equal(letter_fill("{page} {na me} {{name} {", values, &arena),
	                    "{page} {na me} {{ground}{name} {");
	assert_true(letter_has_place("ground", values));
	assert_false(letter_has_place("due", values));
	assert_false(letter_has_place("nothing", values));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_mistake_is_named_where_it_is, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_filled_in_is_not_looked_at_again, begin, end),
	};
	return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
