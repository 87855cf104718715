/* The JSON mapping: how each type is written, what is refused and where, and that no failure leaves half a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "proto/json.h"
#include "sample_type.h"

static struct arena arena;
static struct error fault;
static struct buffer text;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	fault = (struct error){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	buffer_release(&text);
	return 0;
}

static void written_as(const ProtobufCMessage *message, const char *expected)
{
	buffer_clear(&text);
	if (json_encode(message, &text, &fault))
		fail_msg("%s", fault.text);
	assert_int_equal(buffer_append(&text, BYTES("", 1)), OK);
	assert_string_equal((const char *)text.data, expected);
}

/* For types that grow with the product. */
static void contains(const ProtobufCMessage *message, const char *expected)
{
	buffer_clear(&text);
	if (json_encode(message, &text, &fault))
		fail_msg("%s", fault.text);
	assert_int_equal(buffer_append(&text, BYTES("", 1)), OK);
	assert_non_null(strstr((const char *)text.data, expected));
}

static void *read_from(const ProtobufCMessageDescriptor *type, const char *json)
{
	ProtobufCMessage *message = NULL;
	if (json_decode(type, bytes_from_text(json), &arena, &message, &fault))
		fail_msg("%s", fault.text);
	return message;
}

static void refused(const ProtobufCMessageDescriptor *type, struct bytes json, int code, const char *expected)
{
	ProtobufCMessage *untouched = (ProtobufCMessage *)&fault, *out = untouched;
	assert_int_equal(json_decode(type, json, &arena, &out, &fault), code);
	assert_string_equal(fault.text, expected);
	assert_ptr_equal(out, untouched);
}

static void every_kind_of_field_is_written(void **state)
{
	(void)state;
	Lm__Words name = LM__WORDS__INIT;
	Lm__FieldChoice choice = LM__FIELD_CHOICE__INIT, *choices[] = { &choice };
	Lm__Field field = LM__FIELD__INIT;
	name.zh = "轮椅 \"手动\"\n";
	name.en = "a\\b/\x01";
	choice.id = "manual";
	choice.name = &name;
	field.type = LM__FIELD_TYPE__FIELD_TYPE_CHOICE;
	field.is_required = 1;
	field.least = INT64_MIN;
	field.most = INT64_MAX;
	field.n_choices = 1;
	field.choices = choices;
	field.meaning = (Lm__FieldMeaning)77;
	written_as(
	        &field.base,
	        "{\"id\":\"\",\"type\":\"FIELD_TYPE_CHOICE\",\"is_required\":true,\"least\":\"-9223372036854775808\","
	        "\"most\":\"9223372036854775807\",\"choices\":[{\"id\":\"manual\",\"name\":"
	        "{\"zh\":\"轮椅 \\\"手动\\\"\\n\",\"en\":\"a\\\\b/\\u0001\"}}],\"meaning\":77,"
	        "\"is_personal\":false,\"is_health\":false,\"is_birth_date\":false,\"is_told\":false}");
	Lm__Field *back = read_from(&lm__field__descriptor, (const char *)text.data);
	assert_string_equal(back->choices[0]->name->zh, name.zh);
	assert_string_equal(back->choices[0]->name->en, name.en);
	assert_true(back->least == INT64_MIN && back->most == INT64_MAX && (int)back->meaning == 77);
}

static void bytes_are_hexadecimal_by_name_or_base64(void **state)
{
	(void)state;
	Lm__Header *header = read_from(&lm__header__descriptor,
	                               "{\"request_id\":\"00FF10\",\"previous_hash\":\"ab\",\"source\":\"AP8Q\","
	                               "\"asks\":[\"\",\"AA==\",\"AAA=\"],\"origin\":\"00000000000000ff\"}");
	assert_int_equal(header->request_id.len, 3);
	assert_memory_equal(header->request_id.data, "\x00\xff\x10", 3);
	assert_memory_equal(header->source.data, "\x00\xff\x10", 3);
	assert_int_equal(header->asks[0].len, 0);
	assert_int_equal(header->asks[1].len, 1);
	assert_int_equal(header->asks[2].len, 2);
	assert_true(header->origin == 255);
	Lm__CaseRecord record = LM__CASE_RECORD__INIT;
	record.code_hash = codec_data(BYTES("\x01\xab", 2));
	record.lookup = codec_data(BYTES("\xcd", 1));
	record.terminal = 0xa1b2;
	contains(&record.base, "\"code_hash\":\"01ab\",\"lookup\":\"cd\",");
	contains(&record.base, "\"terminal\":\"000000000000a1b2\",\"position\":\"0\",\"state\":\"CASE_STATE_NONE\",");
	contains(&record.base, "\"asks\":[],\"events\":[],\"is_absent\":false");
}

/* RFC 4648, section 10. */
static void base64_follows_the_test_vectors(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	for (size_t size = 0; size < 7; size++) {
		Lm__TapeItem item = LM__TAPE_ITEM__INIT, *back;
		char json[64];
		snprintf(json, sizeof json, "{\"payload\":\"%s\"}", texts[size]);
		back = read_from(&lm__tape_item__descriptor, json);
		assert_int_equal(back->payload.len, size);
		assert_memory_equal(back->payload.data, "foobar", size);
		item.payload = codec_data(BYTES("foobar", size));
		snprintf(json, sizeof json, "\"payload\":\"%s\",", texts[size]);
		contains(&item.base, json);
	}
}

static void wide_integers_come_as_texts_or_numbers(void **state)
{
	(void)state;
	Lm__TapeView *view =
	        read_from(&lm__tape_view__descriptor,
	                  "{\"position\":\"18446744073709551615\",\"retry_of\":9223372036854775807,\"ordinal\":0,"
	                  "\"header\":{\"time_ms\":-9223372036854775808,\"seq\":\"0\"}}");
	assert_true(view->position == UINT64_MAX && view->retry_of == INT64_MAX);
	assert_true(view->header->time_ms == INT64_MIN);
}

static void a_oneof_is_the_member_that_is_set(void **state)
{
	(void)state;
	Lm__Frame frame = LM__FRAME__INIT, *back;
	Lm__Beat beat = LM__BEAT__INIT;
	written_as(&frame.base, "{\"session\":\"0000000000000000\"}");
	frame.body_case = LM__FRAME__BODY_BEAT;
	frame.beat = &beat;
	contains(&frame.base, "{\"session\":\"0000000000000000\",\"beat\":{\"time_ms\":\"0\"");
	back = read_from(&lm__frame__descriptor, (const char *)text.data);
	assert_int_equal(back->body_case, LM__FRAME__BODY_BEAT);
	struct sample sample, *sample_back;
	sample_init(&sample.base);
	sample.choice_case = 101;
	sample.name = "";
	contains(&sample.base, "\"name\":\"\"}");
	assert_null(strstr((const char *)text.data, "amount"));
	sample_back = read_from(&sample_type, (const char *)text.data);
	assert_int_equal(sample_back->choice_case, 101);
}

static void floats_come_back_exactly(void **state)
{
	(void)state;
	struct sample *sample = read_from(&sample_type, "{\"real\":1,\"long_real\":1.5e300,\"reals\":[0.1,-2.5]}");
	assert_true(fabs((double)sample->real - 1) == 0 && fabs(sample->long_real - 1.5e300) == 0);
	sample->real = FLT_MAX;
	sample->long_real = DBL_MIN;
	buffer_clear(&text);
	assert_int_equal(json_encode(&sample->base, &text, &fault), OK);
	assert_int_equal(buffer_append(&text, BYTES("", 1)), OK);
	sample = read_from(&sample_type, (const char *)text.data);
	assert_true(sample->real >= FLT_MAX && sample->long_real <= DBL_MIN && sample->reals[0] == 0.1f);
}

struct refusal {
	const char *json, *text;
};

static void each_refused(const ProtobufCMessageDescriptor *type, const struct refusal *refusals, size_t count)
{
	for (size_t i = 0; i < count; i++)
		refused(type, bytes_from_text(refusals[i].json), ERR_INVALID, refusals[i].text);
}

#define EACH_REFUSED(type, refusals) each_refused(type, refusals, sizeof(refusals) / sizeof *(refusals))

static void faults_of_a_service_have_their_place(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "{\"fields\":[{},{},{\"choices\":[{\"name\":{\"zh\":7}}]}]}",
		  "fields[2].choices[0].name.zh: expected a text, found a number" },
		{ "{\"fields\":[{},{\"kind\":7}]}", "fields[1].kind: Field has no such field" },
		{ "{\"nmae\":1}", "nmae: Service has no such field" },
		{ "{\"na\\nme\":1}", "na?me: Service has no such field" },
		{ "{\"\":1}", ": Service has no such field" },
		{ "{\"一二三四五六七八九十一二三四五六七八九十\":1}",
		  "一二三四五六七八九十一二三…: Service has no such field" },
		{ "[]", "Service: expected an object, found a list" },
		{ "{\"name\":[]}", "name: expected an object, found a list" },
		{ "{\"name\":null}", "name: expected an object, found null" },
		{ "{\"id\":null}", "id: expected a text, found null" },
		{ "{\"id\":\"a\\u0000b\"}", "id: a NUL character in a text" },
		{ "{\"fields\":{}}", "fields: expected a list, found an object" },
		{ "{\"fields\":[{},3]}", "fields[1]: expected an object, found a number" },
		{ "{\"revision\":\"3\"}", "revision: expected a whole number, found a text" },
		{ "{\"revision\":1.0}", "revision: expected a whole number, found one with a fraction" },
		{ "{\"revision\":-1}", "revision: -1 is out of range; it goes from 0 to 4294967295" },
		{ "{\"revision\":4294967296}", "revision: 4294967296 is out of range; it goes from 0 to 4294967295" },
		{ "{\"owner\":\"TIER_CITY\"}",
		  "owner: \"TIER_CITY\" is not a name of Tier: TIER_NONE, TIER_TERMINAL, TIER_TOWN, TIER_DISTRICT" },
		{ "{\"owner\":\"TIER_TOWN\\u0000\"}",
		  "owner: \"TIER_TOWN\" is not a name of Tier: TIER_NONE, TIER_TERMINAL, TIER_TOWN, TIER_DISTRICT" },
		{ "{\"owner\":2}", "owner: expected a name, found the number of TIER_TOWN" },
		{ "{\"owner\":true}", "owner: expected a name, found true" },
		{ "{\"owner\":2147483648}",
		  "owner: 2147483648 is out of range; it goes from -2147483648 to 2147483647" },
	};
	EACH_REFUSED(&lm__service__descriptor, refusals);
}

static void faults_of_wide_integers_have_their_place(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "{\"published_ms\":\"9223372036854775808\"}",
		  "published_ms: 9223372036854775808 is out of range; it goes from -9223372036854775808 to "
		  "9223372036854775807" },
		{ "{\"published_ms\":\"18446744073709551616\"}",
		  "published_ms: \"18446744073709551616\" is not a whole number of 64 bits" },
		{ "{\"published_ms\":\"\"}", "published_ms: \"\" is not a whole number of 64 bits" },
		{ "{\"published_ms\":\"-\"}", "published_ms: \"-\" is not a whole number of 64 bits" },
		{ "{\"published_ms\":\"-0\"}", "published_ms: \"-0\" is not a whole number of 64 bits" },
		{ "{\"published_ms\":\"007\"}", "published_ms: \"007\" is not a whole number of 64 bits" },
		{ "{\"published_ms\":\"1 \"}", "published_ms: \"1 \" is not a whole number of 64 bits" },
		{ "{\"published_ms\":1e3}", "published_ms: expected a whole number, found one with a fraction" },
		{ "{\"published_ms\":{}}", "published_ms: expected a whole number, found an object" },
	};
	EACH_REFUSED(&lm__service__descriptor, refusals);
}

static void faults_of_an_item_of_the_tape_have_their_place(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "{\"position\":-1}", "position: -1 is out of range; it goes from 0 to 18446744073709551615" },
		{ "{\"is_signed\":1}", "is_signed: expected true or false, found a number" },
		{ "{\"header\":{\"origin\":255}}",
		  "header.origin: expected 16 hexadecimal digits as a text, found a number" },
		{ "{\"header\":{\"origin\":\"ff\"}}", "header.origin: \"ff\" is not 16 hexadecimal digits" },
		{ "{\"header\":{\"origin\":\"ff\\u00000000000000000\"}}",
		  "header.origin: \"ff\" is not 16 hexadecimal digits" },
		{ "{\"header\":{\"origin\":\"00000000000000fg\"}}",
		  "header.origin: \"00000000000000fg\" is not 16 hexadecimal digits" },
		{ "{\"hash\":\"abc\"}", "hash: not hexadecimal digits, two for each byte" },
		{ "{\"hash\":\"ab\\u0000\"}", "hash: not hexadecimal digits, two for each byte" },
		{ "{\"hash\":\"zz\"}", "hash: not hexadecimal digits, two for each byte" },
		{ "{\"hash\":[]}", "hash: expected hexadecimal digits as a text, found a list" },
	};
	EACH_REFUSED(&lm__tape_view__descriptor, refusals);
}

static void faults_of_base64_have_their_place(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "{\"asks\":[\"AAAA\",\"A\"]}", "asks[1]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"AA\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"A===\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"====\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"AB==\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"AA==AAAA\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"AA A\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[\"AA-_\"]}", "asks[0]: not base64 (with padding, without spaces)" },
		{ "{\"asks\":[1]}", "asks[0]: expected base64 as a text, found a number" },
	};
	EACH_REFUSED(&lm__header__descriptor, refusals);
}

static void faults_of_a_frame_have_their_place(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "{\"beat\":{},\"hello\":{}}", "hello: given beside beat; only one of them may be" },
		{ "{\"ack\":{\"lines\":[{\"at\":{\"key\":{\"stream\":false}}}]}}",
		  "ack.lines[0].at.key.stream: expected a name, found false" },
	};
	EACH_REFUSED(&lm__frame__descriptor, refusals);
}

static void faults_of_lists_and_numbers_have_their_place(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "{\"real\":1e39}", "real: 1e+39 is out of range for a number of 32 bits" },
		{ "{\"reals\":[1,\"2\"]}", "reals[1]: expected a number, found a text" },
		{ "{\"number\":-2147483649}",
		  "number: -2147483649 is out of range; it goes from -2147483648 to 2147483647" },
		{ "{\"children\":[{\"children\":[{\"flags\":[true,0]}]}]}",
		  "children[0].children[0].flags[1]: expected true or false, found a number" },
	};
	EACH_REFUSED(&sample_type, refusals);
}

static void broken_texts_have_a_line_and_a_column(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{ "", "Service: the text is empty" },
		{ " ", "Service: line 1, column 1: '[' or '{' expected near end of file" },
		{ "{\"id\":\"a\",\n\"id\":\"b\"}", "Service: line 2, column 4: duplicate object key near '\"id\"'" },
		{ "{\"id\":\"\xff\"}", "Service: line 1, column 7: unable to decode byte 0xff near '\"'" },
		{ "{\"id\":\"\xed\xa0\x80\"}", "Service: line 1, column 7: unable to decode byte 0xed near '\"'" },
		{ "{\"id\":\"\\ud800\"}", "Service: line 1, column 14: invalid Unicode '\\uD800' near '\"\\ud800\"'" },
		{ "{\"id\":\"a\"} {}", "Service: line 1, column 12: end of file expected near '{'" },
		{ "{\"id\":\"a\",}", "Service: line 1, column 11: string or '}' expected near '}'" },
		{ "{\"revision\":18446744073709551616}",
		  "Service: line 1, column 32: too big integer near '18446744073709551616'" },
		{ "{\"i\\u0000d\":1}",
		  "Service: line 1, column 11: NUL byte in object key not supported near '\"i\\u0000d\"'" },
		{ "{\"revision\":01}", "Service: line 1, column 13: invalid token near '0'" },
		{ "{\"revision\":NaN}", "Service: line 1, column 15: invalid token near 'NaN'" },
	};
	EACH_REFUSED(&lm__service__descriptor, refusals);
}

static struct bytes repeat(const char *head, const char *item, size_t count, const char *tail)
{
	buffer_clear(&text);
	assert_int_equal(buffer_append(&text, bytes_from_text(head)), OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buffer_append(&text, bytes_from_text(item)), OK);
	assert_int_equal(buffer_append(&text, bytes_from_text(tail)), OK);
	return buffer_bytes(&text);
}

static void bombs_are_refused_before_they_are_parsed(void **state)
{
	(void)state;
	static const char deep[] = "Sample: more than 10 objects and lists within each other at byte";
	char expected[128];
	snprintf(expected, sizeof expected, "%s 11", deep);
	refused(&sample_type, repeat("", "[", 100000, ""), ERR_INVALID, expected);
	snprintf(expected, sizeof expected, "%s 91", deep);
	refused(&sample_type, repeat("", "{\"child\":", 100000, ""), ERR_INVALID, expected);
	refused(&sample_type, repeat("", "{\"child\":", 9, "{\"texts\":[\"[[[[{{{{\\\"[[\"]}}}}}}}}}}"), ERR_INVALID,
	        "Sample: more than 10 objects and lists within each other at byte 91");
	assert_non_null(
	        read_from(&sample_type, "{\"child\":{\"child\":{\"texts\":[\"[[[[[[[[{{{{\\\"[[[[[[\\\\\"]}}}"));
	refused(&sample_type, repeat("[1", ",1", JSON_VALUES_MOST, "]"), ERR_TOO_BIG,
	        "Sample: more than 131072 values in the text");
	refused(&lm__batch__descriptor, repeat("{\"entries\":[{}", ",{}", 9999, "]}"), ERR_TOO_BIG,
	        "entries: more than 4096 list elements in one message");
	refused(&sample_type, repeat("{\"counts\":[0", ",0", 4095, "],\"ids\":[0]}"), ERR_TOO_BIG,
	        "ids: more than 4096 list elements in one message");
	uint8_t *large = calloc(1, JSON_TEXT_BYTES_MOST + 1);
	assert_non_null(large);
	refused(&sample_type, BYTES(large, JSON_TEXT_BYTES_MOST + 1), ERR_TOO_BIG,
	        "Sample: a text of 9437185 bytes is more than 9437184");
	free(large);
}

static void what_cannot_be_read_back_is_not_written(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	struct sample inner, outer, *children[] = { &inner, NULL };
	sample_init(&inner.base);
	sample_init(&outer.base);
	outer.n_children = 1;
	outer.children = children;
	inner.n_texts = 1;
	inner.texts = (char *[]){ (char[]){ (char)0xc3, 0 } };
	assert_int_equal(buffer_append(&out, bytes_from_text("before")), OK);
	assert_int_equal(json_encode(&outer.base, &out, &fault), ERR_INVALID);
	assert_string_equal(fault.text, "children[0].texts[0]: the text is not UTF-8");
	inner.n_texts = 0;
	outer.n_children = 2;
	assert_int_equal(json_encode(&outer.base, &out, &fault), ERR_INVALID);
	assert_string_equal(fault.text, "children[1]: a list holds a message that is not there");
	outer.n_children = 1;
	inner.long_real = NAN;
	assert_int_equal(json_encode(&outer.base, &out, &fault), ERR_INVALID);
	assert_string_equal(fault.text, "children[0].long_real: JSON has no infinity and no NaN");
	inner.long_real = 0;
	inner.child = &inner; /* deeper than any text may be */
	assert_int_equal(json_encode(&outer.base, &out, &fault), ERR_INVALID);
	assert_true(bytes_equal(buffer_bytes(&out), bytes_from_text("before")));
	buffer_release(&out);
}

static const char service_text[] =
        "{\"id\":\"wheelchair\",\"fields\":[{\"choices\":[{\"id\":\"a\",\"name\":{\"zh\":\"手动\"}}]}],"
        "\"evidence\":[{},{}]}";

static void an_exhausted_arena_is_an_error(void **state)
{
	(void)state;
	int code = ERR_MEMORY;
	size_t ceiling = 16;
	for (; code == ERR_MEMORY && ceiling < 100000; ceiling += 16) {
		ProtobufCMessage *message;
		struct arena small;
		arena_init(&small, ceiling);
		code = json_decode(&lm__service__descriptor, bytes_from_text(service_text), &small, &message, &fault);
		arena_release(&small);
	}
	assert_int_equal(code, OK);
	assert_true(ceiling > 400);
}

int main(void)
{
	sample_type_build();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_field_is_written),
		TEST(bytes_are_hexadecimal_by_name_or_base64),
		TEST(base64_follows_the_test_vectors),
		TEST(wide_integers_come_as_texts_or_numbers),
		TEST(a_oneof_is_the_member_that_is_set),
		TEST(floats_come_back_exactly),
		TEST(faults_of_a_service_have_their_place),
		TEST(faults_of_wide_integers_have_their_place),
		TEST(faults_of_an_item_of_the_tape_have_their_place),
		TEST(faults_of_base64_have_their_place),
		TEST(faults_of_a_frame_have_their_place),
		TEST(faults_of_lists_and_numbers_have_their_place),
		TEST(broken_texts_have_a_line_and_a_column),
		TEST(bombs_are_refused_before_they_are_parsed),
		TEST(what_cannot_be_read_back_is_not_written),
		TEST(an_exhausted_arena_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
