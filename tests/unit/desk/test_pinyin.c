/* Initials of names, with surnames that are read otherwise than the same character elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../common/desk/pinyin.h"

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *initials;
	} names[] = {
		{ "王小明", "wxm" },    { "单小明", "sxm" },
		{ "曾小明", "zxm" },    { "解小明", "xxm" },
		{ "仇小明", "qxm" },    { "区小明", "oxm" },
		{ "查小明", "zxm" },    { "欧阳娜", "oyn" },
		{ "李单", "ld" },       /* only as a surname */ { "阿依古丽·买买提", "ayglmmt" },
		{ "John Smith", "js" }, { "", "" },
		{ "12", "" },
	};
	struct error e;
	struct pinyin *p;
	char initials[PINYIN_INITIALS_BYTES];
	assert_int_equal(pinyin_open(&p, &e), OK);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		pinyin_initials(p, names[i].name, initials);
		assert_string_equal(initials, names[i].initials);
	}
	pinyin_close(p);
}

/* A name may have 50 characters; what does not fit is cut, and what is no text has no initials. */
static void test_bounds(void **state)
{
	(void)state;
	struct error e;
	struct pinyin *p;
	char initials[PINYIN_INITIALS_BYTES], name[3 * 200 + 1];
	for (size_t i = 0; i < 200; i++)
		memcpy(name + 3 * i, "王", 3);
	name[3 * 200] = '\0';
	assert_int_equal(pinyin_open(&p, &e), OK);
	pinyin_initials(p, name, initials);
	assert_true(strlen(initials) < sizeof initials);
	name[3 * 50] = '\0';
	pinyin_initials(p, name, initials);
	assert_int_equal(strlen(initials), sizeof initials - 1);
	pinyin_initials(p, "\xff\xfe", initials);
	assert_string_equal(initials, "");
	pinyin_initials(NULL, "王", initials);
	assert_string_equal(initials, "");
	pinyin_close(p);
	pinyin_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_bounds) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
