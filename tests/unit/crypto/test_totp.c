/* Codes of an authenticator: those of RFC 6238, and which of them are taken when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

static const uint8_t secret[TOTP_SECRET_BYTES + 1] = "12345678901234567890"; /* of appendix B */

static void the_codes_of_the_standard(void **state)
{
	static const struct {
		int64_t time_s;
		const char *code; /* the last six digits of appendix B's eight */
	} codes[] = { { 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
		      { 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" } };
	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct error e = { 0 };
		uint64_t step = 0;
		assert_int_equal(totp_check(secret, codes[i].time_s * 1000, 0, codes[i].code, &step, &e), OK);
		assert_int_equal(step, (uint64_t)codes[i].time_s / TOTP_STEP_S);
	}
}

static void a_code_lives_for_its_step_and_one_beside(void **state)
{
	(void)state;
	int64_t own_s = 1111111111 / TOTP_STEP_S * TOTP_STEP_S;
	for (int64_t off_s = -60; off_s <= 60; off_s += 30) {
		uint64_t step = 7;
		int result = totp_check(secret, (own_s + off_s) * 1000, 0, "050471", &step, NULL);
		bool is_near = off_s >= -30 && off_s <= 30;
		assert_int_equal(result, is_near ? OK : ERR_LOGIN);
		assert_int_equal(step, is_near ? (uint64_t)own_s / TOTP_STEP_S : 7);
	}
}

static void none_is_taken_twice(void **state)
{
	(void)state;
	uint64_t step, own = 1111111111 / TOTP_STEP_S;
	assert_int_equal(totp_check(secret, INT64_C(1111111111) * 1000, own - 1, "050471", &step, NULL), OK);
	assert_int_equal(totp_check(secret, INT64_C(1111111111) * 1000, own, "050471", &step, NULL), ERR_LOGIN);
	assert_int_equal(totp_check(secret, INT64_C(1111111111) * 1000, own + 5, "050471", &step, NULL), ERR_LOGIN);
}

static void what_is_no_code_is_wrong(void **state)
{
	static const char *const bad[] = { "", "0", "05047", "0504711", "05047a", "-50471", "      " };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		uint64_t step;
		assert_int_equal(totp_check(secret, INT64_C(1111111111) * 1000, 0, bad[i], &step, NULL), ERR_LOGIN);
	}
	uint64_t step;
	assert_int_equal(totp_check(secret, -5, 0, "050471", &step, NULL), ERR_LOGIN); /* a clock that is wrong */
	assert_int_equal(totp_check(secret, INT64_MAX, 0, "050471", &step, NULL), ERR_LOGIN);
}

static void a_secret_as_text(void **state)
{
	char text[TOTP_SECRET_TEXT_BYTES];
	(void)state;
	assert_int_equal(totp_secret_text(secret, text, NULL), OK);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

static void passwords_that_are_tried_first_are_refused(void **state)
{
	static const char *const bad[] = { "short",       "123456789",         "1234567890",     "QwertyUIOP",
		                           "Password123", "aaaaaaaaaaaaaaaaa", "i am zhang.wei", "ZHANG.WEI-2026" };
	static const char *const good[] = { "four words of my own",
		                            "\xE5\x9B\x9B\xE4\xB8\xAA\xE8\xAF\x8D\xE8\xAF\xAD\xE8\xBF"
		                            "\x9E\xE5\x9C\xA8\xE4\xB8\x80\xE8\xB5\xB7\xE7\x94\xA8!",
		                            "kettle9 of" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(password_choice_check(bad[i], "zhang.wei", NULL), ERR_INVALID);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(password_choice_check(good[i], "of", NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_of_the_standard),
		cmocka_unit_test(a_code_lives_for_its_step_and_one_beside),
		cmocka_unit_test(none_is_taken_twice),
		cmocka_unit_test(what_is_no_code_is_wrong),
		cmocka_unit_test(a_secret_as_text),
		cmocka_unit_test(passwords_that_are_tried_first_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
