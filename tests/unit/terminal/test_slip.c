/* What stands on a slip: in both languages, and nothing that is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../terminal/inside.h"

static struct arena arena;
static char text[8192];

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 256 * 1024);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static struct slip_facts facts(void)
{
	static Lm__Words service = LM__WORDS__INIT, place = LM__WORDS__INIT;
	service.zh = "无障碍电影预约";
	service.en = "Book an accessible film";
	place.zh = "马陆镇1号社区";
	place.en = "Malu community 1";
	struct slip_facts f = { .arena = &arena,
		                .service = &service,
		                .place = &place,
		                .code = "497541060694",
		                .name = "",
		                .by_name = "",
		                .saved_ms = 1795302821847 };
	lm__marks3__init(&f.marks);
	f.marks.saved = true;
	return f;
}

static bool says(struct slip_facts *f, const char *words)
{
	size_t used = 0;
	f->count = 0;
	slip_compose(f);
	assert_false(f->is_short);
	for (size_t i = 0; i < f->count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%d %s\n", (int)f->parts[i].kind,
		                         f->parts[i].text);
	return strstr(text, words) != NULL;
}

static void test_both_languages_and_the_code(void **state)
{
	struct slip_facts f = facts();
	(void)state;
	assert_true(says(&f, "事项：无障碍电影预约\nService: Book an accessible film\n"));
	assert_true(says(&f, "地点：马陆镇1号社区\nPlace: Malu community 1\n"));
	assert_true(says(&f, "时间：2026-11-22 07:13\nSaved: 2026-11-22 07:13\n"));
	assert_true(says(&f, "2 4975 4106 0694\n"));
	assert_true(says(&f, "3 497541060694\n"));
	assert_true(says(&f, "key in the code at any terminal"));
	assert_false(says(&f, "演示"));
	assert_false(says(&f, "代办人"));
	assert_false(says(&f, "电话"));
}

static void test_where_it_is_now(void **state)
{
	struct slip_facts f = facts();
	(void)state;
	assert_true(says(&f, "Now: saved at this terminal"));
	f.marks.town = true;
	assert_true(says(&f, "现在：已到街镇\nNow: at the town\n"));
	f.marks.district = true;
	assert_true(says(&f, "现在：已到区\nNow: at the district\n"));
}

static void test_both_names_and_whom_to_call(void **state)
{
	struct slip_facts f = facts();
	Lm__Words name = LM__WORDS__INIT;
	Lm__Contact contact = LM__CONTACT__INIT;
	(void)state;
	f.name = "王小示例";
	f.by_name = "张示例";
	assert_true(says(&f, "申请人：王小示例\n代办人：张示例\nFor: 王小示例\nHanded in by: 张示例\n"));
	name.zh = "马陆镇助残服务点";
	contact.name = &name;
	contact.phone = "000 5910 0106";
	f.contact = &contact;
	assert_true(says(&f, "电话：马陆镇助残服务点 000 5910 0106\nPhone: 000 5910 0106\n"));
	contact.is_sample = true;
	assert_true(says(&f, "000 5910 0106（示例，待核实）"));
}

static void test_made_up_practice_and_a_wrong_clock_are_said(void **state)
{
	struct slip_facts f = facts();
	(void)state;
	f.is_demo = f.is_practice = true;
	f.saved_ms = 0;
	assert_true(says(&f, "演示数据 Demo data"));
	assert_true(says(&f, "练习：这里办的都不算数"));
	assert_true(says(&f, "时间：本机时钟不准\nSaved: the clock here is wrong\n"));
	assert_false(says(&f, "1970"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_languages_and_the_code),
		cmocka_unit_test(test_where_it_is_now),
		cmocka_unit_test(test_both_names_and_whom_to_call),
		cmocka_unit_test(test_made_up_practice_and_a_wrong_clock_are_said),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
