/* Secrets of tokens: what people do to them when they read and type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "base/ids.h"
#include "base/prng.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void secret_draw(struct prng *p, char secret[TOKEN_SECRET_BYTES])
{
	uint8_t random[TOKEN_SECRET_CHARACTERS - 1];
	for (size_t i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)prng_below(p, 256);
	token_secret_make(random, secret);
}

static void what_is_typed_is_what_was_told(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 1);
	for (int round = 0; round < 200; round++) {
		char secret[TOKEN_SECRET_BYTES], text[TOKEN_TEXT_BYTES], read[TOKEN_SECRET_BYTES];
		struct error e = { 0 };
		secret_draw(&p, secret);
		token_secret_to_text(secret, text);
		assert_int_equal(strlen(text), TOKEN_TEXT_BYTES - 1);
		assert_int_equal(token_secret_from_text(text, read, &e), OK);
		assert_string_equal(read, secret);
		for (char *at = text; *at; at++) { /* small letters, spaces, and the letters that look like digits */
			*at = *at == '-' ? ' ' : *at == '0' ? 'o' : *at == '1' ? "lIi"[round % 3] : (char)tolower(*at);
		}
		assert_int_equal(token_secret_from_text(text, read, &e), OK);
		assert_string_equal(read, secret);
	}
}

static void every_wrong_character_is_noticed(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 2);
	size_t swaps = 0, noticed = 0;
	for (int round = 0; round < 100; round++) {
		char secret[TOKEN_SECRET_BYTES], wrong[TOKEN_SECRET_BYTES], read[TOKEN_SECRET_BYTES] = "untouched";
		secret_draw(&p, secret);
		for (size_t at = 0; at < TOKEN_SECRET_CHARACTERS; at++) {
			for (const char *c = alphabet; *c; c++) {
				memcpy(wrong, secret, sizeof wrong);
				wrong[at] = *c;
				int expected = *c == secret[at] ? OK : ERR_INVALID;
				assert_int_equal(token_secret_from_text(wrong, read, NULL), expected);
			}
			if (at == 0 || secret[at] == secret[at - 1])
				continue;
			memcpy(wrong, secret, sizeof wrong);
			wrong[at] = secret[at - 1];
			wrong[at - 1] = secret[at];
			swaps++;
			noticed += token_secret_from_text(wrong, read, NULL) == ERR_INVALID;
		}
	}
	assert_true(noticed * 100 > swaps * 90);
}

static void other_texts_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = { { "", "has 0 characters" },
		      { "ABCDE", "has 5 characters" },
		      { "ABCDE-ABCDE-ABCDE-ABCDE-A", "more than 20" },
		      { "UBCDE-ABCDE-ABCDE-ABCDE", "without U" },
		      { "ABCDE_ABCDE-ABCDE-ABCDE", "other characters" },
		      { "\xe4\xb8\x80", "other characters" },
		      { "00000-00000-00000-00000", "wrong character" } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error e = { 0 };
		char read[TOKEN_SECRET_BYTES] = "untouched";
		assert_int_equal(token_secret_from_text(cases[i].text, read, &e), ERR_INVALID);
		if (!strstr(e.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", e.text, cases[i].says);
		assert_string_equal(read, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_is_what_was_told),
		cmocka_unit_test(every_wrong_character_is_noticed),
		cmocka_unit_test(other_texts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
