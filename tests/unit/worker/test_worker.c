/* A process that is asked: it answers, dies, stands still, breaks its word, is not there. The process is this program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/worker.h"

#define PATIENCE_MS 5000
#define SHORT_MS 50
#define ANSWER_BYTES_MOST (300 * 1024) /* more than a socket holds */

static struct worker *worker;

static void begin(const char *manner, int patience_ms)
{
	worker = worker_new(&(struct worker_plan){ "/proc/self/exe", manner, patience_ms, ANSWER_BYTES_MOST });
	assert_non_null(worker);
}

static int ask(const char *question, char answer[32])
{
	struct buffer got = { 0 };
	struct error e = { 0 };
	int result = worker_ask(worker, bytes_from_text(question), NULL, &got, &e);
	if (!result) {
		assert_true(got.size < 32);
		memcpy(answer, got.data, got.size);
		answer[got.size] = '\0';
	} else {
		assert_int_equal(0, got.size);
		assert_int_equal(result, e.code);
		assert_true(e.text[0]);
		strncpy(answer, e.text, 31);
		answer[31] = '\0';
	}
	buffer_release(&got);
	return result;
}

static void test_it_answers_and_stays(void **state)
{
	(void)state;
	char first[32], second[32], answer[32];
	int inherited = fcntl(STDOUT_FILENO, F_DUPFD, 10); /* not to be closed on exec, as a library may open one */
	assert_true(inherited >= 0);
	begin("obeys", PATIENCE_MS);
	assert_int_equal(OK, ask("process", first));
	assert_int_equal(OK, ask("process", second));
	assert_string_equal(first, second);
	assert_int_not_equal(getpid(), atoi(first));
	assert_int_equal(OK, ask("files", answer));
	assert_string_equal("4", answer); /* its socket, and nothing three times */
	assert_int_equal(OK, ask("environment", answer));
	assert_string_equal("0", answer);
	assert_int_equal(ERR_INVALID, ask("no such question", answer));
	assert_string_equal("no", answer);
	assert_int_equal(OK, ask("process", second));
	assert_string_equal(first, second);
	worker_free(worker);
	close(inherited);
}

static void test_one_that_died_is_started_again(void **state)
{
	(void)state;
	char first[32], second[32];
	begin("obeys", PATIENCE_MS);
	assert_int_equal(OK, ask("process", first));
	assert_int_equal(OK, ask("last", second)); /* answers, then ends */
	assert_string_equal(first, second);
	assert_int_equal(OK, ask("process", second));
	assert_string_not_equal(first, second);
	worker_free(worker);
}

static void test_one_that_stands_still_is_started_again(void **state)
{
	(void)state;
	char first[32], second[32];
	begin("obeys", PATIENCE_MS / 10);
	assert_int_equal(OK, ask("process", first));
	assert_int_equal(0, kill(atoi(first), SIGSTOP));
	assert_int_equal(OK, ask("process", second));
	assert_string_not_equal(first, second);
	worker_free(worker);
}

static void test_what_kills_a_new_one_waits_a_second(void **state)
{
	(void)state;
	char answer[32];
	begin("obeys", PATIENCE_MS);
	assert_int_equal(OK, ask("process", answer));
	assert_int_equal(ERR_NOT_READY, ask("die", answer)); /* the one that was there, and the new one */
	assert_int_equal(ERR_NOT_READY, ask("process", answer));
	usleep(1100000);
	assert_int_equal(OK, ask("process", answer));
	worker_free(worker);
}

static void test_a_question_that_stops_it(void **state)
{
	(void)state;
	char answer[32];
	begin("obeys", SHORT_MS);
	assert_int_equal(ERR_TIMEOUT, ask("sleep", answer));
	worker_free(worker);
}

/* What comes before a whole answer is not one, and an error has a sentence of its own. */
static void test_a_broken_word(void **state)
{
	(void)state;
	static const char *const manners[] = { "cut", "boasts", "rambles", "positive", "deaf" };
	char answer[32];
	for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
		begin(manners[i], PATIENCE_MS);
		assert_int_equal(ERR_NOT_READY, ask("x", answer));
		worker_free(worker);
	}
}

static void test_the_largest_answer(void **state)
{
	(void)state;
	struct buffer got = { 0 };
	char answer[32];
	begin("obeys", PATIENCE_MS);
	assert_int_equal(OK, buffer_append(&got, bytes_from_text("before")));
	assert_int_equal(OK, worker_ask(worker, bytes_from_text("largest"), NULL, &got, NULL));
	assert_int_equal(6 + ANSWER_BYTES_MOST, got.size);
	assert_memory_equal("before", got.data, 6);
	assert_int_equal('z', got.data[got.size - 1]);
	buffer_release(&got);
	assert_int_equal(ERR_NOT_READY, ask("too large", answer));
	worker_free(worker);
}

static void test_what_is_not_wanted_is_stopped(void **state)
{
	(void)state;
	atomic_bool is_unwanted = true;
	struct buffer got = { 0 };
	char first[32], second[32];
	begin("obeys", PATIENCE_MS);
	assert_int_equal(OK, ask("process", first));
	assert_int_equal(ERR_CLOSED, worker_ask(worker, bytes_from_text("until stopped"), &is_unwanted, &got, NULL));
	assert_int_equal(0, got.size);
	assert_int_equal(OK, ask("process", second)); /* its own answer, not the one before */
	assert_string_equal(first, second);
	/* It had answered already, or not: the next answer is the next question's. */
	for (int i = 0; i < 50; i++) {
		assert_int_equal(ERR_CLOSED, worker_ask(worker, bytes_from_text("files"), &is_unwanted, &got, NULL));
		assert_int_equal(OK, ask("process", second));
		assert_string_equal(first, second);
	}
	assert_int_equal(ERR_CLOSED, worker_ask(worker, bytes_from_text("sleep"), &is_unwanted, &got, NULL));
	assert_int_equal(OK, ask("process", second)); /* one that does not stop is ended */
	assert_string_not_equal(first, second);
	buffer_release(&got);
	worker_free(worker);
}

static void test_it_says_why_it_cannot_work(void **state)
{
	(void)state;
	char answer[32];
	struct error e;
	struct buffer got = { 0 };
	begin("cannot", PATIENCE_MS);
	assert_int_equal(ERR_NOT_READY, worker_ask(worker, bytes_from_text("x"), NULL, &got, &e));
	assert_non_null(strstr(e.text, "/proc/self/exe cannot work: no books"));
	worker_free(worker);
	begin("silent", PATIENCE_MS);
	assert_int_equal(ERR_NOT_READY, ask("x", answer));
	worker_free(worker);
}

static void test_no_program(void **state)
{
	(void)state;
	char answer[32];
	worker = worker_new(&(struct worker_plan){ "/nonexistent/program", NULL, PATIENCE_MS, ANSWER_BYTES_MOST });
	assert_int_equal(ERR_NOT_READY, ask("process", answer));
	worker_free(worker);
	worker_free(NULL);
}

static void test_bounds_of_a_question(void **state)
{
	(void)state;
	static char large[WORKER_QUESTION_BYTES_MOST + 1];
	struct buffer got = { 0 };
	begin("obeys", PATIENCE_MS);
	assert_int_equal(ERR_TOO_BIG, worker_ask(worker, BYTES(large, 0), NULL, &got, NULL));
	assert_int_equal(ERR_TOO_BIG, worker_ask(worker, BYTES(large, sizeof large), NULL, &got, NULL));
	assert_int_equal(ERR_INVALID, worker_ask(worker, BYTES(large, sizeof large - 1), NULL, &got, NULL));
	worker_free(worker);
}

static int open_files(void)
{
	int count = -1; /* the folder itself */
	DIR *folder = opendir("/proc/self/fd");
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count - 2; /* . and .. */
}

static int files_before;

static int nothing_is_left(void **state)
{
	(void)state;
	assert_int_equal(-1, waitpid(-1, NULL, WNOHANG)); /* no child, dead or alive */
	assert_int_equal(ECHILD, errno);
	assert_int_equal(files_before, open_files());
	return 0;
}

/* ---- the process ---- */

static void say_raw(const void *data, size_t size)
{
	if (send(WORKER_DESCRIPTOR, data, size, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void answer_to(const char *question)
{
	static char large[ANSWER_BYTES_MOST + 1];
	char answer[32];
	size_t size = strcmp(question, "largest") == 0 ? ANSWER_BYTES_MOST : sizeof large;
	if (strcmp(question, "die") == 0)
		_exit(0);
	if (strcmp(question, "sleep") == 0)
		pause();
	while (strcmp(question, "until stopped") == 0 && !worker_is_interrupted(WORKER_DESCRIPTOR))
		usleep(1000);
	if (strcmp(question, "largest") == 0 || strcmp(question, "too large") == 0) {
		memset(large, 'z', sizeof large);
		worker_say(WORKER_DESCRIPTOR, OK, BYTES(large, size));
		return;
	}
	if (strcmp(question, "files") == 0)
		snprintf(answer, sizeof answer, "%d", open_files());
	else if (strcmp(question, "environment") == 0)
		snprintf(answer, sizeof answer, "%d", environ[0] != NULL);
	else if (strcmp(question, "until stopped") == 0 || strcmp(question, "process") == 0 ||
	         strcmp(question, "last") == 0)
		snprintf(answer, sizeof answer, "%d", (int)getpid());
	else {
		worker_say(WORKER_DESCRIPTOR, ERR_INVALID, BYTES("no", 2));
		return;
	}
	worker_say(WORKER_DESCRIPTOR, OK, bytes_from_text(answer));
	if (strcmp(question, "last") == 0)
		_exit(0);
}

static void serve(const char *manner)
{
	struct buffer question = { 0 };
	if (strcmp(manner, "silent") == 0)
		return;
	if (strcmp(manner, "cannot") == 0) {
		worker_say(WORKER_DESCRIPTOR, ERR_CONFIG, BYTES("no books", 8));
		return;
	}
	worker_say(WORKER_DESCRIPTOR, OK, BYTES(NULL, 0));
	if (strcmp(manner, "deaf") == 0) {
		shutdown(WORKER_DESCRIPTOR, SHUT_RD);
		return;
	}
	while (!worker_hear(WORKER_DESCRIPTOR, WORKER_QUESTION_BYTES_MOST, &question)) {
		if (buffer_append(&question, BYTES("", 1)))
			return;
		if (strcmp(manner, "obeys") == 0) {
			answer_to((const char *)question.data);
			continue;
		}
		if (strcmp(manner, "cut") == 0) {
			say_raw("\0\0\0\0\5RI", 7);
			return;
		}
		if (strcmp(manner, "boasts") == 0)
			say_raw("\0\xff\xff\xff\xff", 5);
		else if (strcmp(manner, "rambles") == 0)
			say_raw("\xfe\0\1\0\0", 5);
		else
			say_raw("\1\0\0\0\2ok", 7);
		pause();
	}
	buffer_release(&question);
}

int main(int argc, char **argv)
{
	if (argc == 2) {
		serve(argv[1]);
		return 0;
	}
	files_before = open_files();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_it_answers_and_stays, nothing_is_left),
		cmocka_unit_test_teardown(test_one_that_died_is_started_again, nothing_is_left),
		cmocka_unit_test_teardown(test_one_that_stands_still_is_started_again, nothing_is_left),
		cmocka_unit_test_teardown(test_what_kills_a_new_one_waits_a_second, nothing_is_left),
		cmocka_unit_test_teardown(test_a_question_that_stops_it, nothing_is_left),
		cmocka_unit_test_teardown(test_a_broken_word, nothing_is_left),
		cmocka_unit_test_teardown(test_the_largest_answer, nothing_is_left),
		cmocka_unit_test_teardown(test_what_is_not_wanted_is_stopped, nothing_is_left),
		cmocka_unit_test_teardown(test_it_says_why_it_cannot_work, nothing_is_left),
		cmocka_unit_test_teardown(test_no_program, nothing_is_left),
		cmocka_unit_test_teardown(test_bounds_of_a_question, nothing_is_left),
	};
	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
