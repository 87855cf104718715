/* Moments as text, in UTC and in Shanghai, before 1970 and at the ends of the calendar too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"

static void moments_read_as_expected(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_BYTES];
	clock_format_utc(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	clock_format_utc(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	clock_format_utc(1795248000123, text);
	assert_string_equal(text, "2026-11-21T08:00:00.123Z");
	clock_format_shanghai(1795248000123, text);
	assert_string_equal(text, "2026-11-21 16:00");
	clock_format_shanghai(1795248000123 + 8 * 3600 * 1000 - 124, text);
	assert_string_equal(text, "2026-11-21 23:59");
	clock_format_shanghai(1795248000123 + 8 * 3600 * 1000 - 123, text);
	assert_string_equal(text, "2026-11-22 00:00");
}

static void no_moment_breaks_the_form(void **state)
{
	(void)state;
	const int64_t extremes[] = { INT64_MIN, -30610224000001, 253402300800000, 253402300799999, INT64_MAX };
	for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
		char text[CLOCK_TEXT_BYTES];
		clock_format_utc(extremes[i], text);
		assert_int_equal(strlen(text), 24);
		clock_format_shanghai(extremes[i], text);
		assert_int_equal(strlen(text), 16);
	}
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
	(void)state;
	uint64_t before = clock_monotonic_us();
	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_monotonic_us();
		assert_true(now >= before);
		before = now;
	}
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_read_as_expected),
		cmocka_unit_test(no_moment_breaks_the_form),
		cmocka_unit_test(the_monotonic_clock_does_not_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
