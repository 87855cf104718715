/* Buffers and cursors stay inside their memory; hexadecimal and UTF-8 take what is well-formed and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"

static void ranges_compare_like_words(void **state)
{
	(void)state;
	struct bytes empty = { 0 };
	assert_true(bytes_equal(empty, bytes_from_text("")));
	assert_true(bytes_compare(bytes_from_text("ab"), bytes_from_text("abc")) < 0);
	assert_true(bytes_compare(bytes_from_text("b"), bytes_from_text("abc")) > 0);
	assert_int_equal(bytes_compare(empty, empty), 0);
	assert_false(bytes_equal(bytes_from_text("ab"), bytes_from_text("ac")));
	assert_int_equal(bytes_from_text(NULL).size, 0);
}

static void a_buffer_grows_and_is_usable_after_release(void **state)
{
	(void)state;
	struct buffer b = { 0 };
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buffer_append(&b, bytes_from_text("0123456789")), OK);
	assert_int_equal(b.size, 10000);
	assert_memory_equal(b.data + 9990, "0123456789", 10);
	assert_int_equal(buffer_reserve(&b, SIZE_MAX - 5), ERR_MEMORY);
	assert_int_equal(buffer_reserve(&b, SIZE_MAX / 2), ERR_MEMORY);
	assert_int_equal(b.size, 10000);
	buffer_clear(&b);
	assert_int_equal(b.size, 0);
	buffer_release(&b);
	assert_int_equal(buffer_append(&b, (struct bytes){ 0 }), OK);
	assert_int_equal(buffer_append(&b, bytes_from_text("x")), OK);
	assert_int_equal(buffer_bytes(&b).size, 1);
	buffer_release(&b);
}

static void what_a_writer_wrote_a_reader_reads(void **state)
{
	(void)state;
	uint8_t memory[18];
	struct writer w = writer_over(memory, sizeof memory);
	write_u8(&w, 0x12);
	write_u16(&w, 0x3456);
	write_u32(&w, 0x789ABCDE);
	write_u64(&w, UINT64_C(0x0123456789ABCDEF));
	write_bytes(&w, bytes_from_text("end"));
	assert_false(w.failed);
	assert_int_equal(memory[1], 0x34); /* big-endian */
	struct reader r = reader_over(BYTES(memory, w.size));
	assert_int_equal(read_u8(&r), 0x12);
	assert_int_equal(read_u16(&r), 0x3456);
	assert_int_equal(read_u32(&r), 0x789ABCDE);
	assert_true(read_u64(&r) == UINT64_C(0x0123456789ABCDEF));
	assert_true(bytes_equal(read_bytes(&r, 3), bytes_from_text("end")));
	assert_false(r.failed);
	assert_int_equal(r.at, r.size);
}

static void a_failed_cursor_stays_failed(void **state)
{
	(void)state;
	uint8_t memory[4] = { 1, 2, 3, 4 };
	struct writer w = writer_over(memory, 3);
	write_u32(&w, 0xFFFFFFFF);
	assert_true(w.failed);
	write_u8(&w, 0xFF);
	assert_int_equal(w.size, 0);
	assert_int_equal(memory[0], 1);
	struct reader r = reader_over(BYTES(memory, 3));
	assert_int_equal(read_u32(&r), 0);
	assert_true(r.failed);
	assert_int_equal(read_u8(&r), 0);
	r = reader_over(BYTES(memory, 3));
	assert_int_equal(read_u8(&r), 1);
	assert_null(read_bytes(&r, SIZE_MAX).data); /* must not wrap round */
	assert_true(r.failed);
}

static void hexadecimal_is_exact(void **state)
{
	(void)state;
	uint8_t out[3] = { 9, 9, 9 };
	char text[7];
	hex_encode(BYTES("\x00\xA5\xFF", 3), text);
	assert_string_equal(text, "00a5ff");
	assert_int_equal(hex_decode("00A5ff", out, 3), OK);
	assert_memory_equal(out, "\x00\xA5\xFF", 3);
	const char *refused[] = { "", "0", "00a5f", "00a5ff0", "00a5ff00", "00a5fg", "00 5ff", "-0a5ff" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_int_equal(hex_decode(refused[i], out, 3), ERR_INVALID);
	assert_memory_equal(out, "\x00\xA5\xFF", 3);
	uint64_t v = 1;
	assert_true(hex_decode_u64("f", &v) && v == 15);
	assert_true(hex_decode_u64("FFFFFFFFFFFFFFFF", &v) && v == UINT64_MAX);
	assert_false(hex_decode_u64("", &v));
	assert_false(hex_decode_u64("10000000000000000", &v));
	assert_false(hex_decode_u64("0x1", &v));
	assert_true(v == UINT64_MAX);
}

static void utf8_is_checked_as_the_rfc_says(void **state)
{
	(void)state;
	const struct {
		const char *text;
		long length;
	} cases[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "\xE6\x9C\x80\xE5\x90\x8E", 2 },
		{ "\xF4\x8F\xBF\xBF", 1 },  /* U+10FFFF */
		{ "\xF4\x90\x80\x80", -1 }, /* above it */
		{ "\xED\x9F\xBF", 1 },      /* U+D7FF */
		{ "\xED\xA0\x80", -1 },     /* a surrogate */
		{ "\xC0\xAF", -1 },         /* overlong */
		{ "\xC1\xBF", -1 },
		{ "\xE0\x9F\xBF", -1 },
		{ "\xE0\xA0\x80", 1 },
		{ "\xF0\x8F\xBF\xBF", -1 },
		{ "\xF0\x90\x80\x80", 1 },
		{ "\x80", -1 },
		{ "\xE6\x9C", -1 }, /* cut */
		{ "\xE6\x41\x80", -1 },
		{ "\xF5\x80\x80\x80", -1 },
		{ "\xFF", -1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(utf8_length(bytes_from_text(cases[i].text)), cases[i].length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_compare_like_words),
		cmocka_unit_test(a_buffer_grows_and_is_usable_after_release),
		cmocka_unit_test(what_a_writer_wrote_a_reader_reads),
		cmocka_unit_test(a_failed_cursor_stays_failed),
		cmocka_unit_test(hexadecimal_is_exact),
		cmocka_unit_test(utf8_is_checked_as_the_rfc_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
