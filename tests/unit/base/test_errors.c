/* Errors: texts are bounded, cut at a character, and wrapped without losing the code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/errors.h"

static void a_failure_is_one_line(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(error_set(&e, ERR_NOT_FOUND, "no case %d", 7), ERR_NOT_FOUND);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.text, "no case 7");
	assert_int_equal(error_set(NULL, ERR_HELD, "nobody listens"), ERR_HELD);
}

/* "%.20s" cuts by bytes, and what came in need not be text at all. */
static void what_is_quoted_need_not_be_text(void **state)
{
	struct error e;
	(void)state;
	error_set(&e, ERR_INVALID, "'%.4s' is no place", "\xE6\x9C\x80\xE5\x90\x8E");
	assert_string_equal(e.text, "'\xE6\x9C\x80?' is no place");
	error_set(&e, ERR_INVALID, "\xFF%s\xC0\x80", "a\x80");
	assert_string_equal(e.text, "?a???");
	error_set(&e, ERR_INVALID, "%s", "\xF0\xA0\xAE\xB7 \xC3\xA9");
	assert_string_equal(e.text, "\xF0\xA0\xAE\xB7 \xC3\xA9");
}

static void a_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		char text[3 * ERROR_TEXT_BYTES] = "xxx";
		size_t at = (size_t)shift;
		while (at + 4 < sizeof text) {
			memcpy(text + at, "\xE6\x9C\x80", 4); /* 最 */
			at += 3;
		}
		struct error e;
		error_set(&e, ERR_INVALID, "%s", text);
		assert_true(strlen(e.text) >= ERROR_TEXT_BYTES - 4);
		assert_true(utf8_length(bytes_from_text(e.text)) > 0);
		error_wrap(&e, ERR_INVALID, "%.*s", shift, "abcd");
		assert_true(utf8_length(bytes_from_text(e.text)) > 0);
	}
}

static void wrapping_keeps_the_first_code(void **state)
{
	(void)state;
	struct error e;
	error_set(&e, ERR_FULL, "the map is full");
	assert_int_equal(error_wrap(&e, ERR_INTERNAL, "journal %s", "up"), ERR_FULL);
	assert_string_equal(e.text, "journal up: the map is full");
	assert_int_equal(error_wrap(NULL, ERR_INTERNAL, "journal"), ERR_INTERNAL);
	error_wrap(&e, ERR_FULL, "%s", e.text); /* its own text as an argument */
	assert_string_equal(e.text, "journal up: the map is full: journal up: the map is full");
	struct error nobody = { 0 };
	assert_int_equal(error_wrap(&nobody, ERR_IO, "link"), ERR_IO);
	assert_int_equal(nobody.code, ERR_IO);
}

static void errno_picks_the_code(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(error_set_errno(&e, ENOENT, "open %s", "x"), ERR_IO);
	assert_string_equal(e.text, "open x: No such file or directory");
	assert_int_equal(error_set_errno(&e, ENOSPC, "write"), ERR_FULL);
	assert_int_equal(error_set_errno(&e, EDQUOT, "write"), ERR_FULL);
	assert_int_equal(error_set_errno(NULL, ENOMEM, "read"), ERR_MEMORY);
}

static void codes_have_names_and_answers(void **state)
{
	(void)state;
	assert_string_equal(error_name(OK), "ok");
	assert_string_equal(error_name(ERR_NOT_FOUND), "not-found");
	assert_string_equal(error_name(-9999), "unknown");
	assert_int_equal(error_group_of(ERR_GAP), ERROR_GROUP_CONFLICT);
	assert_int_equal(error_group_of(12345), ERROR_GROUP_INTERNAL);
	assert_int_equal(error_http_status(OK), 200);
	assert_int_equal(error_http_status(ERR_LOGIN), 403);
	assert_int_equal(error_http_status(ERR_FULL), 507);
	assert_int_equal(error_exit_code(OK), 0);
	assert_int_equal(error_exit_code(ERR_DAMAGED), 8);
	assert_int_equal(error_exit_code(ERR_USAGE), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_one_line),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(what_is_quoted_need_not_be_text),
		cmocka_unit_test(wrapping_keeps_the_first_code),
		cmocka_unit_test(errno_picks_the_code),
		cmocka_unit_test(codes_have_names_and_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
