/* A process that is asked: it answers, dies, stands still, is not there. The process is this program. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../terminal/worker.h"

#define PATIENCE_MS 5000

static struct arena arena;

static int arena_setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int arena_teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static int ask(struct worker *w, const char *question, char answer[32])
{
	struct bytes got;
	struct error e;
	int result = worker_ask(w, bytes_from_text(question), &arena, &got, &e);
	if (!result) {
		assert_true(got.size < 32);
		memcpy(answer, got.data, got.size);
		answer[got.size] = '\0';
	}
	return result;
}

static void test_it_answers_and_stays(void **state)
{
	(void)state;
	char first[32], second[32], count[32];
	struct worker *w = worker_new("/proc/self/exe", PATIENCE_MS);
	assert_int_equal(OK, ask(w, "process", first));
	assert_int_equal(OK, ask(w, "process", second));
	assert_string_equal(first, second);
	assert_int_not_equal(getpid(), atoi(first));
	assert_int_equal(OK, ask(w, "files", count));
	assert_string_equal("3", count); /* its socket, and the log twice */
	worker_free(w);
}

static void test_one_that_died_is_started_again(void **state)
{
	(void)state;
	char first[32], second[32];
	struct worker *w = worker_new("/proc/self/exe", PATIENCE_MS);
	assert_int_equal(OK, ask(w, "process", first));
	assert_int_equal(OK, ask(w, "last", second)); /* answers, then ends */
	assert_string_equal(first, second);
	assert_int_equal(OK, ask(w, "process", second));
	assert_string_not_equal(first, second);
	worker_free(w);
}

static void test_what_kills_it_twice_waits_a_second(void **state)
{
	(void)state;
	char answer[32];
	struct worker *w = worker_new("/proc/self/exe", PATIENCE_MS);
	assert_int_equal(ERR_NOT_READY, ask(w, "die", answer));
	assert_int_equal(ERR_NOT_READY, ask(w, "process", answer));
	usleep(1100000);
	assert_int_equal(OK, ask(w, "process", answer));
	worker_free(w);
}

static void test_one_that_stands_still_is_ended(void **state)
{
	(void)state;
	char answer[32];
	struct worker *w = worker_new("/proc/self/exe", 50);
	assert_int_equal(ERR_TIMEOUT, ask(w, "sleep", answer));
	worker_free(w);
}

static void test_an_answer_that_is_too_big(void **state)
{
	(void)state;
	char answer[32];
	struct worker *w = worker_new("/proc/self/exe", PATIENCE_MS);
	assert_int_equal(ERR_NOT_READY, ask(w, "big", answer));
	worker_free(w);
}

static void test_no_program(void **state)
{
	(void)state;
	char answer[32];
	struct worker *w = worker_new("/nonexistent/program", PATIENCE_MS);
	assert_int_equal(ERR_NOT_READY, ask(w, "process", answer));
	worker_free(w);
	worker_free(NULL);
}

/* ---- the process ---- */

static int open_files(void)
{
	int count = 0;
	for (int file = 0; file < 256; file++)
		count += lseek(file, 0, SEEK_CUR) >= 0 || errno != EBADF;
	return count;
}

static void serve(void)
{
	static char big[WORKER_ANSWER_BYTES_MOST + 1];
	char question[32], answer[32];
	ssize_t size;
	while ((size = recv(0, question, sizeof question - 1, 0)) > 0) {
		question[size] = '\0';
		if (strcmp(question, "die") == 0)
			return;
		if (strcmp(question, "sleep") == 0)
			pause();
		snprintf(answer, sizeof answer, "%d", strcmp(question, "files") == 0 ? open_files() : (int)getpid());
		bool is_big = strcmp(question, "big") == 0;
		if (send(0, is_big ? big : answer, is_big ? sizeof big : strlen(answer), MSG_NOSIGNAL) < 0 ||
		    strcmp(question, "last") == 0)
			return;
	}
}

int main(void)
{
	if (getenv("LM_TEST_IS_WORKER")) {
		serve();
		return 0;
	}
	setenv("LM_TEST_IS_WORKER", "yes", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_answers_and_stays),
		cmocka_unit_test(test_one_that_died_is_started_again),
		cmocka_unit_test(test_what_kills_it_twice_waits_a_second),
		cmocka_unit_test(test_one_that_stands_still_is_ended),
		cmocka_unit_test(test_an_answer_that_is_too_big),
		cmocka_unit_test(test_no_program),
	};
	return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
