/* What the codec refuses, with the words it says, and that it takes what any correct packer writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "messages.h"
#include "sample_type.h"

static struct arena arena;
static struct error fault;

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
	return 0;
}

/* Packed bytes written by hand. */
static void tag_put(struct writer *w, uint32_t number, unsigned wire)
{
	uint64_t tag = (uint64_t)number << 3 | wire;
	for (; tag > 127; tag >>= 7)
		write_u8(w, (uint8_t)(tag | 0x80));
	write_u8(w, (uint8_t)tag);
}

static void block_put(struct writer *w, uint32_t number, struct bytes block)
{
	tag_put(w, number, 2);
	size_t size = block.size;
	for (; size > 127; size >>= 7)
		write_u8(w, (uint8_t)(size | 0x80));
	write_u8(w, (uint8_t)size);
	write_bytes(w, block);
}

static struct bytes written(const struct writer *w)
{
	assert_false(w->failed);
	return BYTES(w->data, w->size);
}

static void refused(const ProtobufCMessageDescriptor *type, struct bytes packed, int code, const char *text)
{
	ProtobufCMessage *untouched = (ProtobufCMessage *)&fault, *out = untouched;
	assert_int_equal(codec_unpack(type, packed, &arena, &out, &fault), code);
	assert_string_equal(fault.text, text);
	assert_int_equal(fault.code, code);
	assert_ptr_equal(out, untouched);
}

static void faults_name_message_and_field(void **state)
{
	(void)state;
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *hex;
		const char *text;
	} cases[] = {
		{ &lm__header__descriptor, "a2018407", "Header.request_id: length 900 runs past the end" },
		{ &lm__header__descriptor,
		  "a2018407"
		  "00",
		  "Header.request_id: length 900 runs past the end" },
		{ &lm__header__descriptor, "a201ffffffff0f", "Header.request_id: length 4294967295 runs past the end" },
		{ &lm__header__descriptor, "a201ffffffffff0f",
		  "Header.request_id: the length is cut off or longer than 5 bytes" },
		{ &lm__header__descriptor, "a20180",
		  "Header.request_id: the length is cut off or longer than 5 bytes" },
		{ &lm__header__descriptor, "a201", "Header.request_id: the length is cut off or longer than 5 bytes" },
		{ &lm__header__descriptor, "1001", "Header.origin: expected 8 bytes, found a varint" },
		{ &lm__header__descriptor, "0a00", "Header.suite: expected a varint, found a length" },
		{ &lm__header__descriptor, "0b", "Header.suite: expected a varint, found the start of a group" },
		{ &lm__header__descriptor, "0d00000000", "Header.suite: expected a varint, found 4 bytes" },
		{ &lm__header__descriptor, "4a", "Header.previous_hash: the length is cut off or longer than 5 bytes" },
		{ &lm__header__descriptor, "4801", "Header.previous_hash: expected a length, found a varint" },
		{ &lm__header__descriptor, "1101020304050607", "Header.origin: a number of 8 bytes runs past the end" },
		{ &lm__header__descriptor, "08", "Header.suite: the number is cut off or longer than 64 bits" },
		{ &lm__header__descriptor, "30ffffffffffffffffff02",
		  "Header.seq: the number is cut off or longer than 64 bits" },
		{ &lm__header__descriptor,
		  "3080808080808080808080"
		  "01",
		  "Header.seq: the number is cut off or longer than 64 bits" },
		{ &lm__header__descriptor, "088080808010", "Header.suite: number 0x100000000 is out of range" },
		{ &lm__header__descriptor, "208080808008", "Header.stream: number 0x80000000 is out of range" },
		{ &lm__header__descriptor, "a80202", "Header.is_closing: number 0x2 is out of range" },
		{ &lm__header__descriptor, "08010801", "Header.suite: given twice" },
		{ &lm__header__descriptor, "62006200", "Header.parent: given twice" },
		{ &lm__header__descriptor, "aa0102c328", "Header.place: the text is not UTF-8" },
		{ &lm__header__descriptor, "aa0103eda080", "Header.place: the text is not UTF-8" },
		{ &lm__header__descriptor, "aa01026100", "Header.place: a NUL character in a text" },
		{ &lm__header__descriptor, "62021080", "Parent.seq: the number is cut off or longer than 64 bits" },
		{ &lm__header__descriptor, "6203100585", "Parent: a field number is cut off or longer than 5 bytes" },
		{ &lm__header__descriptor, "e303", "Header field 60: found the start of a group, which is never used" },
		{ &lm__header__descriptor, "e403", "Header field 60: found the end of a group, which is never used" },
		{ &lm__header__descriptor, "e603", "Header field 60: found wire type 6, which is never used" },
		{ &lm__header__descriptor, "e20305", "Header field 60: length 5 runs past the end" },
		{ &lm__header__descriptor, "e50300", "Header field 60: a number of 4 bytes runs past the end" },
		{ &lm__header__descriptor, "0001", "Header: 0 is not a field number" },
		{ &lm__header__descriptor, "800001", "Header: 0 is not a field number" },
		{ &lm__header__descriptor, "f8ffffff1f01", "Header: 1073741823 is not a field number" },
		{ &lm__header__descriptor, "808080808000", "Header: a field number is cut off or longer than 5 bytes" },
		{ &lm__frame__descriptor, "12002200", "Frame.ack: given beside hello; only one of them may be" },
		{ &lm__frame__descriptor, "12001200", "Frame.hello: given twice" },
		{ &lm__ack_line__descriptor, "1a0180",
		  "AckLine.quarantined: a number in a packed list is cut off or longer than 64 bits" },
		{ &lm__ack_line__descriptor, "1d00000000", "AckLine.quarantined: expected a varint, found 4 bytes" },
		{ &sample_type, "6a0701020304050607", "Sample.ids: a packed list of 7 bytes is cut within a number" },
		{ &sample_type, "7a0301020304", "Sample.reals: a packed list of 3 bytes is cut within a number" },
		{ &sample_type, "62058080808010", "Sample.counts: number 0x100000000 is out of range" },
		{ &sample_type, "5a020103", "Sample.flags: number 0x3 is out of range" },
		{ &sample_type, "188080808010", "Sample.zigzag: number 0x100000000 is out of range" },
		{ &sample_type, "508080808008", "Sample.number: number 0x80000000 is out of range" },
		{ &sample_type, "7001", "Sample.texts: expected a length, found a varint" },
		{ &sample_type,
		  "720161"
		  "7201ff",
		  "Sample.texts: the text is not UTF-8" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t packed[32];
		size_t size = strlen(cases[i].hex) / 2;
		assert_int_equal(hex_decode(cases[i].hex, packed, size), OK);
		refused(cases[i].type, BYTES(packed, size), ERR_INVALID, cases[i].text);
	}
}

static void no_error_struct_is_needed(void **state)
{
	(void)state;
	ProtobufCMessage *out;
	assert_int_equal(codec_unpack(&lm__header__descriptor, BYTES("\x08", 1), &arena, &out, NULL), ERR_INVALID);
}

static void nothing_is_a_message_of_defaults(void **state)
{
	(void)state;
	Lm__Header *header;
	assert_int_equal(CODEC_UNPACK(lm__header, ((struct bytes){ 0 }), &arena, &header, &fault), OK);
	assert_string_equal(header->place, "");
	assert_int_equal(header->n_asks, 0);
	Lm__Empty *empty;
	assert_int_equal(CODEC_UNPACK(lm__empty, BYTES("\xf8\x01\x05", 3), &arena, &empty, &fault), OK);
	assert_int_equal(empty->base.n_unknown_fields, 1);
}

static void extremes_are_taken(void **state)
{
	(void)state;
	Lm__Header header = LM__HEADER__INIT, *back;
	struct bytes packed;
	header.time_ms = INT64_MIN;
	header.seq = header.origin = UINT64_MAX;
	header.suite = UINT32_MAX;
	header.stream = (Lm__Stream)INT32_MIN; /* of no version */
	header.kind = (Lm__Kind)INT32_MAX;
	assert_int_equal(CODEC_PACK(&header, &arena, &packed, &fault), OK);
	assert_int_equal(CODEC_UNPACK(lm__header, packed, &arena, &back, &fault), OK);
	assert_true(back->time_ms == INT64_MIN && back->seq == UINT64_MAX && back->origin == UINT64_MAX);
	assert_true(back->suite == UINT32_MAX && (int)back->stream == INT32_MIN && (int)back->kind == INT32_MAX);
}

static void fields_come_in_any_order(void **state)
{
	(void)state;
	uint8_t memory[64];
	struct writer w = writer_over(memory, sizeof memory);
	block_put(&w, 21, bytes_from_text("310114"));
	tag_put(&w, 1, 0);
	write_u8(&w, 7);
	block_put(&w, 35, bytes_from_text("one"));
	tag_put(&w, 6, 0);
	write_bytes(&w, BYTES("\x85\x00", 2)); /* 5 in a longer spelling than necessary */
	block_put(&w, 35, bytes_from_text("two"));
	Lm__Header *header;
	assert_int_equal(CODEC_UNPACK(lm__header, written(&w), &arena, &header, &fault), OK);
	assert_string_equal(header->place, "310114");
	assert_int_equal(header->suite, 7);
	assert_int_equal(header->seq, 5);
	assert_int_equal(header->n_asks, 2);
	assert_memory_equal(header->asks[1].data, "two", 3);
}

static void numbers_of_a_list_come_packed_or_not(void **state)
{
	(void)state;
	Lm__AckLine *line;
	assert_int_equal(CODEC_UNPACK(lm__ack_line, BYTES("\x18\x05\x1a\x03\x06\xac\x02\x1a\x00\x18\x07", 11), &arena,
	                              &line, &fault),
	                 OK);
	assert_int_equal(line->n_quarantined, 4);
	assert_int_equal(line->quarantined[0], 5);
	assert_int_equal(line->quarantined[2], 300);
	assert_int_equal(line->quarantined[3], 7);
	struct sample *sample;
	assert_int_equal(codec_unpack(&sample_type, BYTES("\x62\x02\x01\x02\x60\x03\x58\x01\x5a\x02\x00\x01", 12),
	                              &arena, (ProtobufCMessage **)&sample, &fault),
	                 OK);
	assert_int_equal(sample->n_counts, 3);
	assert_int_equal(sample->counts[2], 3);
	assert_int_equal(sample->n_flags, 3);
	assert_true(sample->flags[0] && !sample->flags[1] && sample->flags[2]);
}

static void fields_of_a_newer_version_are_kept(void **state)
{
	(void)state;
	struct bytes newer = BYTES("\x08\x07\xe2\x03\x03\xff\x00\x01\xe8\x03\x05", 11), again;
	Lm__Envelope *envelope;
	assert_int_equal(CODEC_UNPACK(lm__envelope, newer, &arena, &envelope, &fault), OK);
	assert_int_equal(envelope->base.n_unknown_fields, 2);
	assert_int_equal(CODEC_PACK(envelope, &arena, &again, &fault), OK);
	assert_true(bytes_equal(newer, again));
}

/* `levels` samples, each the child of the one before. */
static struct bytes nested(size_t levels, uint32_t number)
{
	struct bytes inner = BYTES("", 0);
	for (size_t i = 1; i < levels; i++) {
		struct writer w = writer_over(arena_alloc(&arena, inner.size + 8), inner.size + 8);
		block_put(&w, number, inner);
		inner = written(&w);
	}
	return inner;
}

static void depth_is_bounded(void **state)
{
	(void)state;
	ProtobufCMessage *out;
	assert_int_equal(codec_unpack(&sample_type, nested(CODEC_DEPTH_MOST + 1, 1), &arena, &out, &fault), OK);
	refused(&sample_type, nested(CODEC_DEPTH_MOST + 2, 1), ERR_INVALID,
	        "Sample.child: more than 6 messages within each other");
	refused(&sample_type, nested(10000, 1), ERR_INVALID, "Sample.child: more than 6 messages within each other");
	refused(&sample_type, nested(10000, 2), ERR_INVALID, "Sample.children: more than 6 messages within each other");
	refused(&sample_type, nested(10000, 103), ERR_INVALID, "Sample.other: more than 6 messages within each other");
}

/* `count` fields of two bytes each. */
static struct bytes repeated(size_t count, const char field[2])
{
	uint8_t *packed = arena_alloc(&arena, count * 2);
	for (size_t i = 0; i < count; i++)
		memcpy(packed + 2 * i, field, 2);
	return BYTES(packed, count * 2);
}

static struct bytes packed_list(uint32_t number, size_t count, uint8_t value)
{
	uint8_t *values = arena_alloc(&arena, count);
	memset(values, value, count);
	struct writer w = writer_over(arena_alloc(&arena, count + 8), count + 8);
	block_put(&w, number, BYTES(values, count));
	return written(&w);
}

static void elements_are_counted(void **state)
{
	(void)state;
	ProtobufCMessage *out;
	static const char more[] = "more than 4096 fields and list elements in one message";
	char text[128];
	assert_int_equal(codec_unpack(&lm__batch__descriptor, repeated(4096, "\x12\x00"), &arena, &out, &fault), OK);
	snprintf(text, sizeof text, "Batch.entries: %s", more);
	refused(&lm__batch__descriptor, repeated(4097, "\x12\x00"), ERR_TOO_BIG, text);
	refused(&lm__batch__descriptor, repeated(10000, "\x12\x00"), ERR_TOO_BIG, text);
	assert_int_equal(codec_unpack(&lm__ack_line__descriptor, packed_list(3, 4096, 1), &arena, &out, &fault), OK);
	snprintf(text, sizeof text, "AckLine.quarantined: %s", more);
	refused(&lm__ack_line__descriptor, packed_list(3, 4097, 1), ERR_TOO_BIG, text);
	refused(&lm__ack_line__descriptor, repeated(10000, "\x18\x01"), ERR_TOO_BIG, text);
	refused(&lm__ack_line__descriptor, repeated(10000, "\x1a\x00"), ERR_TOO_BIG, text);
	snprintf(text, sizeof text, "Header field 15: %s", more);
	refused(&lm__header__descriptor, repeated(10000, "\x78\x01"), ERR_TOO_BIG, text);
}

static void size_is_bounded_both_ways(void **state)
{
	(void)state;
	uint8_t *large = arena_alloc(&arena, CODEC_MESSAGE_BYTES_MOST + 1);
	refused(&lm__entry__descriptor, BYTES(large, CODEC_MESSAGE_BYTES_MOST + 1), ERR_TOO_BIG,
	        "Entry: 1048577 bytes are more than the 1048576 of one message");
	Lm__Entry entry = LM__ENTRY__INIT;
	struct bytes packed = { 0 };
	entry.payload = codec_data(BYTES(large, CODEC_MESSAGE_BYTES_MOST - 4));
	assert_int_equal(CODEC_PACK(&entry, &arena, &packed, &fault), OK);
	assert_int_equal(packed.size, CODEC_MESSAGE_BYTES_MOST);
	entry.payload.len++;
	struct bytes untouched = packed;
	struct buffer out = { 0 };
	assert_int_equal(CODEC_PACK(&entry, &arena, &packed, &fault), ERR_TOO_BIG);
	assert_string_equal(fault.text, "Entry: 1048577 packed bytes are more than the 1048576 of one message");
	assert_int_equal(codec_pack_append(&entry.base, &out, &fault), ERR_TOO_BIG);
	assert_int_equal(out.size, 0);
	assert_memory_equal(&packed, &untouched, sizeof packed);
	buffer_release(&out);
}

static void what_others_would_refuse_is_not_packed(void **state)
{
	(void)state;
	Lm__Header header = LM__HEADER__INIT;
	header.place = (char[]){ '3', (char)0xff, 0 };
	struct bytes packed;
	struct buffer out = { 0 };
	assert_int_equal(buffer_append(&out, bytes_from_text("before")), OK);
	assert_int_equal(CODEC_PACK(&header, &arena, &packed, &fault), ERR_INVALID);
	assert_string_equal(fault.text, "Header.place: the text is not UTF-8");
	assert_int_equal(codec_pack_append(&header.base, &out, &fault), ERR_INVALID);
	header.place = "310114";
	assert_int_equal(codec_pack_append(&header.base, &out, &fault), OK);
	assert_true(bytes_equal(buffer_bytes(&out), BYTES("before\xaa\x01\x06"
	                                                  "310114",
	                                                  15)));
	buffer_release(&out);
}

static void an_exhausted_arena_is_an_error(void **state)
{
	(void)state;
	Lm__FieldValue *value[3];
	char *texts[] = { "one", "two" };
	Lm__RequestPayload request = LM__REQUEST_PAYLOAD__INIT, *back;
	struct bytes packed;
	for (size_t i = 0; i < 3; i++) {
		value[i] = arena_alloc(&arena, sizeof *value[i]);
		lm__field_value__init(value[i]);
		value[i]->field = "reason";
		value[i]->n_values = 2;
		value[i]->values = texts;
	}
	request.n_values = 3;
	request.values = value;
	request.receipt_key = codec_data(bytes_from_text("key"));
	assert_int_equal(CODEC_PACK(&request, &arena, &packed, &fault), OK);
	size_t ceiling = 16;
	int code = ERR_MEMORY;
	for (; code == ERR_MEMORY && ceiling < 100000; ceiling += 16) {
		struct arena small;
		arena_init(&small, ceiling);
		back = NULL;
		code = CODEC_UNPACK(lm__request_payload, packed, &small, &back, &fault);
		assert_int_equal(!code, back != NULL);
		arena_release(&small);
	}
	assert_int_equal(code, OK);
	assert_true(ceiling > 256);
	struct arena tiny;
	arena_init(&tiny, 16);
	assert_int_equal(CODEC_PACK(&request, &tiny, &packed, &fault), ERR_MEMORY);
	arena_release(&tiny);
}

int main(void)
{
	sample_type_build();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(faults_name_message_and_field),
		TEST(no_error_struct_is_needed),
		TEST(nothing_is_a_message_of_defaults),
		TEST(extremes_are_taken),
		TEST(fields_come_in_any_order),
		TEST(numbers_of_a_list_come_packed_or_not),
		TEST(fields_of_a_newer_version_are_kept),
		TEST(depth_is_bounded),
		TEST(elements_are_counted),
		TEST(size_is_bounded_both_ways),
		TEST(what_others_would_refuse_is_not_packed),
		TEST(an_exhausted_arena_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
