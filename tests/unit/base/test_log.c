/* A log line is one JSON object whatever is put into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/errors.h"
#include "base/log.h"

#define CAPTURED_MOST_BYTES (1 << 20)

static int stderr_kept;
static FILE *caught;

static void capture_begin(void)
{
	caught = tmpfile();
	assert_non_null(caught);
	fcntl(fileno(caught), F_SETFL, O_APPEND);
	stderr_kept = dup(STDERR_FILENO);
	dup2(fileno(caught), STDERR_FILENO);
}

static char *capture_end(void)
{
	dup2(stderr_kept, STDERR_FILENO);
	close(stderr_kept);
	char *text = calloc(1, CAPTURED_MOST_BYTES);
	rewind(caught);
	size_t size = fread(text, 1, CAPTURED_MOST_BYTES - 1, caught);
	text[size] = '\0';
	fclose(caught);
	return text;
}

static void a_line_is_a_json_object(void **state)
{
	(void)state;
	log_open("lm-test", LOG_INFO);
	capture_begin();
	log_write(LOG_DEBUG, "hidden", "below the level");
	errno = 77;
	log_write(LOG_WARN, "link-up", "say \"%s\"\n\t\\ end", "\xE6\x9C\x80");
	int errno_after = errno;
	unsigned long before = log_lines(LOG_INFO);
	log_write_trace(LOG_INFO, "entry", "00ff\"", "saved");
	assert_int_equal(log_lines(LOG_INFO), before + 1);
	char *text = capture_end();
	assert_int_equal(errno_after, 77);
	assert_non_null(strstr(text, "\"event\":\"entry\",\"trace\":\"00ff\\\"\",\"text\":\"saved\"}\n"));
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, "{\"time\":\"20"));
	assert_non_null(strstr(text, ",\"level\":\"warn\",\"program\":\"lm-test\",\"event\":\"link-up\","
	                             "\"text\":\"say \\\"\xE6\x9C\x80\\\"\\u000a\\u0009\\\\ end\"}\n"));
	free(text);
}

static void bytes_that_are_no_text_do_not_spoil_the_line(void **state)
{
	(void)state;
	capture_begin();
	log_write(LOG_ERROR, "hostile", "%s", "a\xFF\xE6\x9C!\xED\xA0\x80z");
	char *text = capture_end();
	assert_true(utf8_length(bytes_from_text(text)) > 0);
	assert_non_null(strstr(text, "\"text\":\"a\\ufffd\\ufffd!"));
	assert_non_null(strstr(text, "z\"}\n"));
	free(text);
}

static void a_long_text_is_cut_and_the_line_still_closed(void **state)
{
	(void)state;
	char longer[5000];
	memset(longer, 1, sizeof longer - 1); /* each byte takes six in the line */
	longer[sizeof longer - 1] = '\0';
	capture_begin();
	log_write(LOG_ERROR, longer, "%s", longer);
	char *text = capture_end();
	size_t size = strlen(text);
	assert_true(size > 6000 && size < 8000);
	assert_string_equal(text + size - 3, "\"}\n");
	free(text);
}

static void *many_lines(void *name)
{
	for (int i = 0; i < 200; i++)
		log_write(LOG_INFO, "thread", "%s", (const char *)name);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	(void)state;
	pthread_t threads[4];
	static const char *const names[] = { "aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb",
		                             "cccccccccccccccccccccc", "dddddddddddddddddddddd" };
	capture_begin();
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_lines, (void *)(uintptr_t)names[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	char *text = capture_end(), *rest = text;
	int lines = 0;
	for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"), lines++) {
		assert_int_equal(line[0], '{');
		assert_int_equal(line[strlen(line) - 1], '}');
		assert_null(strchr(line + 1, '{'));
	}
	assert_int_equal(lines, 800);
	free(text);
}

static void levels_have_names(void **state)
{
	(void)state;
	enum log_level level = LOG_DEBUG;
	assert_int_equal(log_level_parse("error", &level), OK);
	assert_int_equal(level, LOG_ERROR);
	assert_int_equal(log_level_parse("loud", &level), ERR_INVALID);
	assert_int_equal(level, LOG_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_json_object),
		cmocka_unit_test(bytes_that_are_no_text_do_not_spoil_the_line),
		cmocka_unit_test(a_long_text_is_cut_and_the_line_still_closed),
		cmocka_unit_test(lines_of_threads_do_not_mix),
		cmocka_unit_test(levels_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
