/* Lines of tables: whole whatever stands in them, and never a formula. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/csv.h"

static void expect(const char *a, const char *b, const char *expected)
{
	const char *const cells[] = { a, b };
	struct buffer out = { 0 };
	assert_int_equal(csv_line(&out, cells, 2), OK);
	assert_int_equal(buffer_append(&out, BYTES("", 1)), OK);
	assert_string_equal((const char *)out.data, expected);
	buffer_release(&out);
}

static void test_cells(void **state)
{
	(void)state;
	expect("", "街镇", "\"\",\"街镇\"\r\n");
	expect("a,b\r\nc", "say \"no\"", "\"a,b\r\nc\",\"say \"\"no\"\"\"\r\n");
	expect("=1+1", "+7", "\"'=1+1\",\"'+7\"\r\n");
	expect("-2", "@sum", "\"'-2\",\"'@sum\"\r\n");
	expect("\t=1", "\r=1", "\"'\t=1\",\"'\r=1\"\r\n");
	expect("<5", "a=1", "\"<5\",\"a=1\"\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cells) };
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
