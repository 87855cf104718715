/* The daemon's side of the worker's socket, against workers that do not keep their word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "speech/voice.h"

static struct voice *voice;

/* A worker that does `play` with its end of the socket, after it has read a request. */
static void worker_begin(void (*play)(int descriptor))
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char head[7 + 3];
		close(pair[0]);
		if (!voice_read(pair[1], head, sizeof head, 0, NULL))
			play(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	assert_int_equal(voice_attach(pair[0], pid, &voice, NULL), OK);
}

static int ask(struct buffer *out, struct error *e)
{
	atomic_bool is_unwanted = false;
	return voice_say(voice, SPEECH_CHINESE, 4, bytes_from_text("好"), &is_unwanted, out, e);
}

static void answers(int descriptor)
{
	voice_write(descriptor, BYTES("\0\0\0\0\5RIFF!", 10));
	char byte;
	voice_read(descriptor, &byte, 1, 0, NULL);
}

static void dies(int descriptor)
{
	voice_write(descriptor, BYTES("\0\0\0\0\5RI", 7));
}

static void boasts(int descriptor)
{
	voice_write(descriptor, BYTES("\0\xff\xff\xff\xff", 5));
	pause();
}

static void refuses(int descriptor)
{
	voice_write(descriptor, BYTES("\xfe\0\0\0\2no", 7)); /* ERR_TOO_BIG */
	pause();
}

static void rambles(int descriptor)
{
	voice_write(descriptor, BYTES("\xfe\0\1\0\0", 5));
	pause();
}

static void stops(int descriptor)
{
	char byte = 0;
	if (!voice_read(descriptor, &byte, 1, 0, NULL) && byte == VOICE_CANCEL)
		voice_write(descriptor, BYTES("\xe0\0\0\0\2ok", 7)); /* ERR_CLOSED */
	pause();
}

static void test_answers(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	worker_begin(answers);
	assert_int_equal(ask(&out, NULL), OK);
	assert_true(bytes_equal(buffer_bytes(&out), BYTES("RIFF!", 5)));
	buffer_release(&out);
	voice_end(voice);
}

static void test_broken_word(void **state)
{
	(void)state;
	void (*const plays[])(int) = { dies, boasts, rambles };
	for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
		struct buffer out = { 0 };
		struct error e = { 0 };
		worker_begin(plays[i]);
		assert_int_equal(ask(&out, &e), ERR_UNREACHABLE);
		assert_true(e.text[0]);
		assert_int_equal(out.size, 0);
		buffer_release(&out);
		voice_end(voice);
	}
}

static void test_refused(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	struct error e;
	worker_begin(refuses);
	assert_int_equal(ask(&out, &e), ERR_TOO_BIG);
	assert_string_equal(e.text, "no");
	buffer_release(&out);
	voice_end(voice);
}

static void test_unwanted(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	atomic_bool is_unwanted = true;
	worker_begin(stops);
	assert_int_equal(voice_say(voice, SPEECH_CHINESE, 4, bytes_from_text("好"), &is_unwanted, &out, NULL),
	                 ERR_CLOSED);
	assert_int_equal(out.size, 0);
	buffer_release(&out);
	voice_end(voice);
}

static void test_bounds(void **state)
{
	(void)state;
	static char text[VOICE_TEXT_BYTES_MOST + 1];
	struct buffer out = { 0 };
	worker_begin(dies);
	assert_int_equal(voice_say(voice, SPEECH_CHINESE, 0, bytes_from_text("好"), NULL, &out, NULL), ERR_INVALID);
	assert_int_equal(voice_say(voice, SPEECH_CHINESE, 8, bytes_from_text("好"), NULL, &out, NULL), ERR_INVALID);
	assert_int_equal(voice_say(voice, SPEECH_CHINESE, 4, BYTES(text, sizeof text), NULL, &out, NULL), ERR_INVALID);
	voice_end(voice);
}

static void test_no_program(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(voice_start("/nowhere/lm-voice", "/nowhere/lexicon", &voice, &e), ERR_UNREACHABLE);
	assert_non_null(strstr(e.text, "/nowhere/lm-voice"));
	assert_int_equal(voice_start("/bin/true", "/nowhere/lexicon", &voice, &e), ERR_UNREACHABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),  cmocka_unit_test(test_broken_word), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unwanted), cmocka_unit_test(test_bounds),      cmocka_unit_test(test_no_program),
	};
	return cmocka_run_group_tests_name("voice", tests, NULL, NULL);
}
