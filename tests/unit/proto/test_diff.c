/* Differences: each as a reader would say it, whatever the order and place of what changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "proto/diff.h"
#include "proto/json.h"

static struct arena arena;

static ProtobufCMessage *service(const char *json)
{
	struct error e = { 0 };
	Lm__Service *s;
	if (JSON_DECODE(lm__service, bytes_from_text(json), &arena, &s, &e))
		fail_msg("%s", e.text);
	return &s->base;
}

static void differs(const ProtobufCMessage *before, const ProtobufCMessage *after, const char *expected)
{
	static const char marks[] = "?~+-=";
	char said[4000] = "";
	Lm__Change **changes;
	size_t count, length = 0;
	struct error e = { 0 };
	if (message_diff(before, after, &arena, &changes, &count, &e))
		fail_msg("%s", e.text);
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(said + length, sizeof said - length, "%c%s: %s > %s\n",
		                           marks[changes[i]->kind], changes[i]->path, changes[i]->before,
		                           changes[i]->after);
	assert_string_equal(said, expected);
}

#define BASE                                                                                           \
	"{\"id\":\"a\",\"module\":\"MODULE_LIFE\",\"name\":{\"zh\":\"甲\",\"en\":\"A\"},\"fields\":[" \
	"{\"id\":\"x\",\"type\":\"FIELD_TYPE_TEXT\",\"most\":\"5\",\"is_required\":true},"             \
	"{\"id\":\"y\",\"type\":\"FIELD_TYPE_CHOICE\",\"choices\":[{\"id\":\"p\"},{\"id\":\"q\"}]}],"  \
	"\"steps\":[{\"text\":{\"zh\":\"一\"}},{\"text\":{\"zh\":\"二\"},\"working_days\":3},"       \
	"{\"text\":{\"zh\":\"三\"}}]}"

static void the_same_has_no_difference(void **state)
{
	(void)state;
	differs(service(BASE), service(BASE), "");
	differs(NULL, NULL, "");
	differs(service("{\"name\":{}}"), service("{}"), ""); /* empty and not there are the same to a reader */
}

static void scalars_enums_and_nested_texts(void **state)
{
	(void)state;
	differs(service("{\"name\":{\"zh\":\"甲\"},\"module\":\"MODULE_LIFE\",\"published_ms\":\"-5\"}"),
	        service("{\"name\":{\"zh\":\"乙\"},\"module\":\"MODULE_JOBS\",\"may_concern_children\":true}"),
	        "~module: MODULE_LIFE > MODULE_JOBS\n~name.zh: 甲 > 乙\n~published_ms: -5 > \n"
	        "~may_concern_children:  > true\n");
}

static void elements_are_matched_by_id(void **state)
{
	(void)state;
	differs(service(BASE),
	        service("{\"id\":\"a\",\"module\":\"MODULE_LIFE\",\"name\":{\"zh\":\"甲\",\"en\":\"A\"},\"fields\":["
	                "{\"id\":\"y\",\"type\":\"FIELD_TYPE_CHOICE\",\"choices\":[{\"id\":\"q\"}]},"
	                "{\"id\":\"z\",\"type\":\"FIELD_TYPE_DATE\"},"
	                "{\"id\":\"x\",\"type\":\"FIELD_TYPE_TEXT\",\"most\":\"9\"}],"
	                "\"steps\":[{\"text\":{\"zh\":\"一\"}},{\"text\":{\"zh\":\"二\"},\"working_days\":3},"
	                "{\"text\":{\"zh\":\"三\"}}]}"),
	        "~fields[x].is_required: true > \n~fields[x].most: 5 > 9\n-fields[y].choices[p].id: p > \n"
	        "+fields[z].id:  > z\n+fields[z].type:  > FIELD_TYPE_DATE\n=fields: x, y > y, x\n");
}

static void one_element_taken_out_is_one_removal(void **state)
{
	(void)state;
	differs(service("{\"steps\":[{\"text\":{\"zh\":\"一\"}},{\"text\":{\"zh\":\"二\"}},{\"text\":{\"zh\":\"三\"}}]"
	                "}"),
	        service("{\"steps\":[{\"text\":{\"zh\":\"一\"}},{\"text\":{\"zh\":\"三\"}}]}"),
	        "-steps[1].text.zh: 二 > \n");
	differs(service("{\"steps\":[{\"text\":{\"zh\":\"一\"}},{\"text\":{\"zh\":\"三\"}}]}"),
	        service("{\"steps\":[{\"text\":{\"zh\":\"零\"}},{\"text\":{\"zh\":\"一\"}},{\"text\":{\"zh\":\"三\"}}]"
	                "}"),
	        "+steps[0].text.zh:  > 零\n");
	differs(service("{\"drafted_by\":[\"a\",\"b\"]}"), service("{\"drafted_by\":[\"c\",\"b\"]}"),
	        "~drafted_by[0]: a > c\n");
}

/* Two elements with one id, or one without: only a draft with faults has them, and it is shown, too. */
static void ids_that_are_no_names_do_not_count(void **state)
{
	(void)state;
	differs(service("{\"fields\":[{\"id\":\"x\"},{\"id\":\"x\",\"most\":\"1\"}]}"),
	        service("{\"fields\":[{\"id\":\"x\"},{\"id\":\"x\",\"most\":\"2\"}]}"), "~fields[1].most: 1 > 2\n");
	differs(service("{\"fields\":[{\"id\":\"\"}]}"), service("{\"fields\":[{\"id\":\"x\"}]}"),
	        "~fields[0].id:  > x\n");
}

static void everything_is_new_over_nothing(void **state)
{
	(void)state;
	differs(NULL, service("{\"id\":\"a\",\"name\":{\"zh\":\"甲\"},\"steps\":[{\"working_days\":2}]}"),
	        "+id:  > a\n+name.zh:  > 甲\n+steps[0].working_days:  > 2\n");
	differs(service("{\"id\":\"a\"}"), NULL, "-id: a > \n");
}

static void bytes_ids_and_oneofs(void **state)
{
	(void)state;
	uint8_t one[] = { 0xab, 0x01 };
	Lm__Parent a = LM__PARENT__INIT, b = LM__PARENT__INIT;
	a.incarnation = 0x1234;
	b.hash = codec_data(BYTES_OF(one));
	differs(&a.base, &b.base, "~incarnation: 0000000000001234 > \n~hash:  > ab01\n");
}

static void a_difference_without_end_is_refused(void **state)
{
	static char *names[DIFF_CHANGES_MOST + 1];
	Lm__Service s = LM__SERVICE__INIT;
	Lm__Change **changes;
	size_t count;
	struct error e = { 0 };
	(void)state;
	for (size_t i = 0; i <= DIFF_CHANGES_MOST; i++)
		names[i] = "a";
	s.drafted_by = names;
	s.n_drafted_by = DIFF_CHANGES_MOST;
	assert_int_equal(message_diff(NULL, &s.base, &arena, &changes, &count, &e), OK);
	assert_int_equal(count, DIFF_CHANGES_MOST);
	s.n_drafted_by++;
	assert_int_equal(message_diff(NULL, &s.base, &arena, &changes, &count, &e), ERR_TOO_BIG);
}

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_has_no_difference),
		cmocka_unit_test(scalars_enums_and_nested_texts),
		cmocka_unit_test(elements_are_matched_by_id),
		cmocka_unit_test(one_element_taken_out_is_one_removal),
		cmocka_unit_test(ids_that_are_no_names_do_not_count),
		cmocka_unit_test(everything_is_new_over_nothing),
		cmocka_unit_test(bytes_ids_and_oneofs),
		cmocka_unit_test(a_difference_without_end_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
