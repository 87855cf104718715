/* Ids sort by time; receipt codes find typing mistakes; state numbers are checked by their standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/prng.h"

static void ids_sort_by_time(void **state)
{
	(void)state;
	uint8_t high[10], low[10] = { 0 };
	memset(high, 0xFF, sizeof high);
	struct id first = id_make(1795000000000, high), second = id_make(1795000000001, low);
	assert_true(memcmp(first.byte, second.byte, ID_BYTES) < 0);
	assert_true(id_time_ms(first) == 1795000000000);
	assert_true(id_time_ms(id_make(-5, low)) == 0);
	assert_true(id_time_ms(id_make(INT64_MAX, low)) == (INT64_C(1) << 48) - 1);
	char text[ID_TEXT_BYTES];
	struct id back;
	id_to_text(first, text);
	assert_int_equal(strlen(text), 32);
	assert_int_equal(id_from_text(text, &back), OK);
	assert_true(id_equal(first, back));
	text[31] = '\0';
	assert_int_equal(id_from_text(text, &back), ERR_INVALID);
	assert_true(id_equal(first, back));
	assert_false(id_is_zero(back));
	assert_true(id_is_zero(id_make(0, low)));
}

static void receipt_codes_match_known_ones(void **state)
{
	(void)state;
	uint8_t random[16] = { 0 };
	char code[RECEIPT_CODE_DIGITS + 1];
	receipt_code_make(random, code);
	assert_string_equal(code, "000000000002");
	memset(random, 0xFF, sizeof random);
	receipt_code_make(random, code);
	assert_string_equal(code, "317682114556");
	for (size_t i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)i;
	receipt_code_make(random, code);
	assert_string_equal(code, "957313612953");
}

/* Chi-square over each of the eleven places; 9 degrees of freedom, 27.9 is passed by chance once in a thousand. */
static void receipt_digits_are_evenly_spread(void **state)
{
	(void)state;
	enum { CODES = 20000 };
	struct prng p;
	int seen[RECEIPT_CODE_DIGITS][10] = { 0 };
	prng_seed(&p, 7);
	for (int i = 0; i < CODES; i++) {
		uint8_t random[16];
		char code[RECEIPT_CODE_DIGITS + 1];
		prng_fill(&p, random, sizeof random);
		receipt_code_make(random, code);
		for (int place = 0; place < RECEIPT_CODE_DIGITS; place++)
			seen[place][code[place] - '0']++;
	}
	for (int place = 0; place < RECEIPT_CODE_DIGITS; place++) {
		double sum = 0, expected = CODES / 10.0;
		for (int digit = 0; digit < 10; digit++)
			sum += (seen[place][digit] - expected) * (seen[place][digit] - expected) / expected;
		assert_true(sum < 27.9);
	}
}

static void every_single_wrong_digit_is_found(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 11);
	for (int i = 0; i < 200; i++) {
		uint8_t random[16];
		char code[RECEIPT_CODE_DIGITS + 1], parsed[RECEIPT_CODE_DIGITS + 1];
		prng_fill(&p, random, sizeof random);
		receipt_code_make(random, code);
		assert_int_equal(receipt_code_parse(code, parsed, NULL), OK);
		assert_string_equal(code, parsed);
		for (int place = 0; place < RECEIPT_CODE_DIGITS; place++)
			for (char digit = '0'; digit <= '9'; digit++) {
				char wrong[RECEIPT_CODE_DIGITS + 1];
				memcpy(wrong, code, sizeof wrong);
				wrong[place] = digit;
				assert_int_equal(receipt_code_parse(wrong, parsed, NULL),
				                 digit == code[place] ? OK : ERR_INVALID);
			}
	}
}

static void receipt_codes_are_read_as_people_write_them(void **state)
{
	(void)state;
	char code[RECEIPT_CODE_DIGITS + 1] = "untouched";
	struct error e;
	assert_int_equal(receipt_code_parse("1234-5678-90", code, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "10 digits"));
	assert_int_equal(receipt_code_parse("1234 5678 9012 3", code, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "more than 12"));
	assert_int_equal(receipt_code_parse("1234 5678 901O", code, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "digits only"));
	assert_int_equal(receipt_code_parse("", code, &e), ERR_INVALID);
	assert_string_equal(code, "untouched");
	char spaced[] = " 9573-1361 - 2953";
	assert_int_equal(receipt_code_parse(spaced, code, &e), OK);
	assert_string_equal(code, "957313612953");
}

static void citizen_ids_follow_gb_11643(void **state)
{
	(void)state;
	assert_true(citizen_id_is_valid("11010519491231002X")); /* both are the examples of the standard */
	assert_true(citizen_id_is_valid("440524188001010014"));
	const char *refused[] = {
		"110105194912310021",
		"11010519491231002x",
		"11010519491331002X",
		"11010519490229002X",
		"1101051949123100X",
		"11010519491231002X ",
		"",
		"A1010519491231002X",
		"X1010519491231002X",
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_false(citizen_id_is_valid(refused[i]));
	assert_false(citizen_id_is_valid(NULL));
	/* 29 February exists in 2000 and not in 1900: exactly one of the eleven check characters fits. */
	int fits_2000 = 0, fits_1900 = 0;
	for (const char *check = "0123456789X"; *check; check++) {
		char id[19];
		snprintf(id, sizeof id, "31011420000229123%c", *check);
		fits_2000 += citizen_id_is_valid(id);
		snprintf(id, sizeof id, "31011419000229123%c", *check);
		fits_1900 += citizen_id_is_valid(id);
	}
	assert_int_equal(fits_2000, 1);
	assert_int_equal(fits_1900, 0);
}

static void certificates_extend_the_citizen_id(void **state)
{
	(void)state;
	const char *good[] = { "11010519491231002X11", "11010519491231002X74", "11010519491231002X43B1",
		               "11010519491231002X43B12" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(certificate_number_is_valid(good[i]));
	const char *refused[] = { "11010519491231002X",    "11010519491231002X1",      "11010519491231002X01",
		                  "11010519491231002X81",  "11010519491231002X15",     "11010519491231002X10",
		                  "11010519491231002X43B", "11010519491231002X43B123", "11010519491231002X43C1",
		                  "11010519491231002X431", "11010519491231002143",     "" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_false(certificate_number_is_valid(refused[i]));
}

static void places_contain_what_lies_below(void **state)
{
	(void)state;
	assert_int_equal(place_level_of("310114"), PLACE_DISTRICT);
	assert_int_equal(place_level_of("310114106"), PLACE_TOWN);
	assert_int_equal(place_level_of("310114106001"), PLACE_COMMUNITY);
	assert_int_equal(place_level_of("310114106001-T1"), PLACE_DEVICE);
	assert_int_equal(place_level_of("310114106001-T123"), PLACE_DEVICE);
	const char *none[] = { "",
		               "31011",
		               "3101141",
		               "31011410600",
		               "310114106001-T",
		               "310114106001-T1234",
		               "310114106-T1",
		               "310114106001-t1",
		               "310114106001 ",
		               "3101141060011",
		               "31o114",
		               "310114-T1" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_int_equal(place_level_of(none[i]), PLACE_NONE);
	assert_int_equal(place_level_of(NULL), PLACE_NONE);
	assert_true(place_contains("310114", "310114106001-T1"));
	assert_true(place_contains("310114106", "310114106"));
	assert_true(place_contains("310114106001", "310114106001-T1"));
	assert_true(place_contains("310114106001-T1", "310114106001-T1"));
	assert_false(place_contains("310114106001-T1", "310114106001-T12"));
	assert_false(place_contains("310114106", "310114"));
	assert_false(place_contains("310114106", "310114107001"));
	assert_false(place_contains("", "310114"));
	assert_false(place_contains("310114", "310114x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_sort_by_time),
		cmocka_unit_test(receipt_codes_match_known_ones),
		cmocka_unit_test(receipt_digits_are_evenly_spread),
		cmocka_unit_test(every_single_wrong_digit_is_found),
		cmocka_unit_test(receipt_codes_are_read_as_people_write_them),
		cmocka_unit_test(citizen_ids_follow_gb_11643),
		cmocka_unit_test(certificates_extend_the_citizen_id),
		cmocka_unit_test(places_contain_what_lies_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
