/* A question to lm-voice, packed and unpacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "speech/voice.h"

static void test_there_and_back(void **state)
{
	(void)state;
	struct voice_question got;
	struct buffer packed = { 0 };
	const struct voice_question asked = { SPEECH_ENGLISH, VOICE_RATE_MOST, bytes_from_text("好") };
	assert_int_equal(OK, voice_question_pack(&asked, &packed, NULL));
	assert_true(bytes_equal(BYTES("\1\7好", 5), buffer_bytes(&packed)));
	assert_int_equal(OK, voice_question_unpack(buffer_bytes(&packed), &got, NULL));
	assert_int_equal(SPEECH_ENGLISH, got.language);
	assert_int_equal(VOICE_RATE_MOST, got.rate);
	assert_true(bytes_equal(asked.text, got.text));
	buffer_release(&packed);
}

static void test_bounds(void **state)
{
	(void)state;
	static char text[VOICE_HEAD_BYTES + VOICE_TEXT_BYTES_MOST + 1] = "\0\4";
	struct voice_question got;
	struct buffer packed = { 0 };
	const struct bytes largest = BYTES(text, VOICE_TEXT_BYTES_MOST), larger = BYTES(text, largest.size + 1);
	const struct voice_question wrong[] = { { SPEECH_CHINESE, 0, largest },
		                                { SPEECH_CHINESE, VOICE_RATE_MOST + 1, largest },
		                                { SPEECH_CHINESE, 4, larger } };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(ERR_INVALID, voice_question_pack(&wrong[i], &packed, NULL));
	assert_int_equal(0, packed.size);
	static const char *const damaged[] = { "", "\1", "\2\4x", "\1\10x" };
	for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
		assert_int_equal(ERR_INVALID, voice_question_unpack(bytes_from_text(damaged[i]), &got, NULL));
	assert_int_equal(OK, voice_question_unpack(BYTES(text, sizeof text - 1), &got, NULL));
	assert_int_equal(ERR_INVALID, voice_question_unpack(BYTES(text, sizeof text), &got, NULL));
	buffer_release(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_bounds) };
	return cmocka_run_group_tests_name("voice", tests, NULL, NULL);
}
