/* Slips as dots: how large letters are, what goes where, and limits. That a code is read from one is asked of zbarimg
 * by tests/system/test_slip.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paper/slip.h"

#define DOTS_PER_INCH 203.2

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

static bool row_is_white(const struct slip *s, size_t y)
{
	for (size_t i = 0; i < SLIP_ROW_BYTES; i++)
		if (s->dots[y * SLIP_ROW_BYTES + i])
			return false;
	return true;
}

/* From the first row with ink to the last one, in points. */
static double ink_points(enum slip_kind kind, const char *text)
{
	struct slip_part part = { kind, text };
	struct slip s = { 0 };
	struct error e = { 0 };
	assert_int_equal(slip_draw(&part, 1, &arena, &s, &e), OK);
	size_t first = 0, last = s.height;
	while (first < s.height && row_is_white(&s, first))
		first++;
	while (last > first && row_is_white(&s, last - 1))
		last--;
	return (double)(last - first) * 72 / DOTS_PER_INCH;
}

/* The square of a Chinese letter of 14 pt is 14 pt high, and 国 fills nine tenths of it; a capital H has 73 hundredths.
 */
static void test_letters_have_14_points_and_more(void **state)
{
	(void)state;
	assert_true(ink_points(SLIP_TEXT, "国") >= 14 * 0.85);
	assert_true(ink_points(SLIP_TEXT, "H") >= 14 * 0.7);
	assert_true(ink_points(SLIP_DIGITS, "8888") >= 24 * 0.7);
	assert_true(ink_points(SLIP_TITLE, "国") > ink_points(SLIP_TEXT, "国"));
}

static void test_twelve_digits_fit_on_a_line(void **state)
{
	(void)state;
	assert_true(ink_points(SLIP_DIGITS, "0000 8888 0000") < 26);
}

static void test_what_is_hostile_is_only_text(void **state)
{
	(void)state;
	assert_true(ink_points(SLIP_TEXT, "<b>国</b>\x1b@\x1d") < 20);
	assert_true(ink_points(SLIP_TEXT, "") == 0);
	assert_true(ink_points(SLIP_TEXT, "国\xe2\x80\xae") == ink_points(SLIP_TEXT, "国"));
}

static void refused(const struct slip_part *parts, size_t count, int code, const char *word)
{
	struct slip s = { 0 };
	struct error e = { 0 };
	assert_int_equal(slip_draw(parts, count, &arena, &s, &e), code);
	assert_null(s.dots);
	assert_non_null(strstr(e.text, word));
}

static void test_what_is_too_much_is_refused(void **state)
{
	static char text[SLIP_TEXT_BYTES_MOST + 2];
	static struct slip_part many[SLIP_PARTS_MOST + 1];
	(void)state;
	memset(text, 'W', sizeof text - 1);
	for (size_t i = 0; i < SLIP_PARTS_MOST + 1; i++)
		many[i] = (struct slip_part){ SLIP_TEXT, "1" };
	refused(many, SLIP_PARTS_MOST + 1, ERR_TOO_BIG, "parts");
	refused(&(struct slip_part){ SLIP_TEXT, text }, 1, ERR_TOO_BIG, "bytes");
	text[SLIP_TEXT_BYTES_MOST] = '\0';
	refused(&(struct slip_part){ SLIP_TEXT, text }, 1, ERR_TOO_BIG, "longer");
	refused(&(struct slip_part){ SLIP_QR, text }, 1, ERR_TOO_BIG, "QR");
	refused(&(struct slip_part){ SLIP_TEXT, "\xff\xfe" }, 1, ERR_INVALID, "UTF-8");
	refused(&(struct slip_part){ SLIP_QR, "\xff\xfe" }, 1, ERR_INVALID, "UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters_have_14_points_and_more),
		cmocka_unit_test(test_twelve_digits_fit_on_a_line),
		cmocka_unit_test(test_what_is_hostile_is_only_text),
		cmocka_unit_test(test_what_is_too_much_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
