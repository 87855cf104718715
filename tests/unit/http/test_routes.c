/* Routes, answers at once and late, limits, and closing while answers are outstanding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static struct reply reply;

static int setup(void **state)
{
	(void)state;
	rig_open(&rig, 600);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig, false);
	return 0;
}

static void parameters_are_whole_segments_and_decoded(void **state)
{
	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/towns/%E9%95%87/cases/a%2Fb?x=1&q=a+b%26c&q=2", "", NULL),
	                 200);
	assert_string_equal(reply.body, "{\"town\":\"镇\",\"case\":\"a/b\",\"q\":\"a b&c\",\"none\":1}");
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/towns/1/cases/", "", NULL), 404);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/towns/1/cases/2/3", "", NULL), 404);
}

static void literal_goes_before_parameter(void **state)
{
	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/towns/1/cases/search", "User-Agent: Tester\r\n", NULL), 200);
	assert_string_equal(reply.body, "{\"search\":true,\"agent\":\"Tester\"}");
}

static void bad_escapes_are_refused(void **state)
{
	static const char *const paths[] = {
		"/api/towns/%/cases/1", "/api/towns/%4/cases/1",     "/api/towns/%zz/cases/1", "/api/towns/%00/cases/1",
		"/api/hello?q=%0d%0a",  "/api/towns/%c0%af/cases/1", "/api/towns/%ff/cases/1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(fetch(&rig, &reply, "GET", paths[i], "", NULL), 400);
		assert_true(has_text(&reply, "\"code\":\"invalid\""));
	}
}

static void unknown_path_and_method(void **state)
{
	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/nothing", "", NULL), 404);
	assert_string_equal(reply.body,
	                    "{\"error\":{\"code\":\"not-found\",\"text\":\"There is nothing at this path.\"}}");
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/hello", "", "{}"), 405);
	assert_true(has_text(&reply, "\r\nAllow: GET\r\n"));
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/echo", "", NULL), 405);
	assert_true(has_text(&reply, "\r\nAllow: POST\r\n"));
	assert_int_equal(fetch(&rig, &reply, "DELETE", "/api/me", "", NULL), 405);
	assert_true(has_text(&reply, "\r\nAllow: GET, POST\r\n"));
}

static void answers_carry_the_security_headers(void **state)
{
	static const char *const headers[] = {
		"Content-Security-Policy: default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' "
		"data: blob:; "
		"connect-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'\r\n",
		"X-Content-Type-Options: nosniff\r\n",
		"Referrer-Policy: no-referrer\r\n",
		"Cross-Origin-Opener-Policy: same-origin\r\n",
		"Cross-Origin-Resource-Policy: same-origin\r\n",
	};
	static const char *const paths[] = { "/api/hello", "/api/nothing", "/", "/api/towns/%/cases/1" };

	(void)state;
	for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
		assert_int_not_equal(fetch(&rig, &reply, "GET", paths[p], "", NULL), 0);
		for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
			assert_true(has_text(&reply, headers[i]));
		if (strncmp(paths[p], "/api", 4) == 0) {
			assert_true(has_text(&reply, "Cache-Control: no-store\r\n"));
			assert_true(has_text(&reply, "Content-Type: application/json\r\n"));
		}
	}
}

static void body_comes_back_and_errors_have_their_status(void **state)
{
	(void)state;
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/echo", "", "{\"a\":1}"), 201);
	assert_string_equal(reply.body, "{\"a\":1}");
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/fail", "", "{}"), 409);
	assert_string_equal(reply.body,
	                    "{\"error\":{\"code\":\"conflict\",\"text\":\"Somebody \\\"else\\\" was faster.\"}}");
}

/* The answer arrives although the client is still sending; the connection serves the next request. */
static void body_has_a_limit(void **state)
{
	size_t size = HTTP_BODY_BYTES_MOST;
	char *body = malloc(size + 2);
	char headers[128];

	(void)state;
	memset(body, ' ', size + 1);
	body[size] = '\0';
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/echo", "", body), 201);
	assert_int_equal(strlen(reply.body), size);
	body[size] = ' ';
	body[size + 1] = '\0';
	int fd = dial(rig.port);
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\n" JSON_TYPE, rig.port);
	ask(fd, &reply, "POST", "/api/echo", headers, body);
	assert_int_equal(reply.status, 413);
	assert_true(has_text(&reply, "larger than 65536 bytes"));
	ask(fd, &reply, "POST", "/api/echo", headers, "[]");
	assert_int_equal(reply.status, 201);
	close(fd);
	free(body);
}

/* Only where a route says so. */
static void large_body_has_a_limit_of_its_own(void **state)
{
	size_t size = HTTP_LARGE_BODY_BYTES_MOST;
	char *body = malloc(size + 2), want[40];

	(void)state;
	memset(body, ' ', size + 1);
	body[size] = '\0';
	snprintf(want, sizeof(want), "{\"size\":%zu}", size);
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/size", "", body), 200);
	assert_string_equal(reply.body, want);
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/echo", "", body), 413);
	body[size] = ' ';
	body[size + 1] = '\0';
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/size", "", body), 413);
	assert_true(has_text(&reply, "larger than 786432 bytes"));
	free(body);
}

static void body_in_chunks_has_the_same_limit(void **state)
{
	char head[256], chunk[8192 + 16];
	int fd = dial(rig.port);

	(void)state;
	snprintf(head, sizeof(head),
	         "POST /api/echo HTTP/1.1\r\nHost: localhost:%u\r\n" JSON_TYPE "Transfer-Encoding: chunked\r\n\r\n",
	         rig.port);
	assert_true(transmit(fd, head, strlen(head)));
	int at = snprintf(chunk, sizeof(chunk), "2000\r\n");
	memset(chunk + at, 'x', 8192);
	memcpy(chunk + at + 8192, "\r\n", 2);
	for (int i = 0; i < 10; i++)
		assert_true(transmit(fd, chunk, (size_t)at + 8192 + 2));
	assert_true(transmit(fd, "0\r\n\r\n", 5));
	await_reply(fd, &reply, false);
	assert_int_equal(reply.status, 413);
	close(fd);
}

static void endless_body_is_cut(void **state)
{
	char head[256];
	static char piece[65536];
	int fd = dial(rig.port);

	(void)state;
	snprintf(head, sizeof(head),
	         "POST /api/echo HTTP/1.1\r\nHost: localhost:%u\r\n" JSON_TYPE "Content-Length: 99999999999\r\n\r\n",
	         rig.port);
	assert_true(transmit(fd, head, strlen(head)));
	await_reply(fd, &reply, false);
	assert_int_equal(reply.status, 413);
	bool is_open = true;
	for (int i = 0; i < 2000 && is_open; i++)
		is_open = transmit(fd, piece, sizeof(piece));
	assert_false(is_open);
	close(fd);
}

static void endless_chunks_are_cut(void **state)
{
	char text[8192 + 32];
	int fd = dial(rig.port);

	(void)state;
	int size = snprintf(text, sizeof(text),
	                    "POST /api/echo HTTP/1.1\r\nHost: localhost:%u\r\n" JSON_TYPE
	                    "Transfer-Encoding: chunked\r\n\r\n",
	                    rig.port);
	assert_true(transmit(fd, text, (size_t)size));
	size = snprintf(text, sizeof(text), "2000\r\n");
	memset(text + size, 'x', 8192);
	memcpy(text + size + 8192, "\r\n", 2);
	bool is_open = true;
	for (int i = 0; i < 4000 && is_open; i++)
		is_open = transmit(fd, text, (size_t)size + 8192 + 2);
	assert_false(is_open);
	close(fd);
}

static void long_address_is_refused(void **state)
{
	char path[3000];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(fetch(&rig, &reply, "GET", path, "", NULL), 414);
	assert_true(has_text(&reply, "longer than 2048"));
}

static void post_must_be_json(void **state)
{
	char headers[128];
	int fd = dial(rig.port);

	(void)state;
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\nContent-Type: text/plain\r\n", rig.port);
	ask(fd, &reply, "POST", "/api/echo", headers, "{}");
	assert_int_equal(reply.status, 415);
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\n", rig.port);
	ask(fd, &reply, "POST", "/api/echo", headers, "{}");
	assert_int_equal(reply.status, 415);
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\nContent-Type: application/jsonp\r\n", rig.port);
	ask(fd, &reply, "POST", "/api/echo", headers, "{}");
	assert_int_equal(reply.status, 415);
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\nContent-Type: Application/JSON ; charset=utf-8\r\n",
	         rig.port);
	ask(fd, &reply, "POST", "/api/echo", headers, "{}");
	assert_int_equal(reply.status, 201);
	close(fd);
}

static void late_answers_come_in_their_own_time(void **state)
{
	char head[256];
	int slow = dial(rig.port), quick = dial(rig.port);

	(void)state;
	snprintf(head, sizeof(head), "GET /api/late/400 HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: S\r\n\r\n",
	         rig.port);
	uint64_t sent_us = clock_monotonic_us();
	transmit(slow, head, strlen(head));
	snprintf(head, sizeof(head), "Host: localhost:%u\r\nUser-Agent: Q\r\n" JSON_TYPE, rig.port);
	ask(quick, &reply, "POST", "/api/late/10", head, "[1,2]");
	assert_string_equal(reply.body, "{\"late\":10,\"agent\":\"Q\",\"body\":5}");
	struct pollfd early = { .fd = slow, .events = POLLIN };
	int has_come = poll(&early, 1, 0);
	if (clock_monotonic_us() < sent_us + 400000) /* a machine that stood still has lost this race, not the server */
		assert_int_equal(has_come, 0);
	await_reply(slow, &reply, false);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "{\"late\":400,\"agent\":\"S\",\"body\":0}");
	ask(slow, &reply, "GET", "/api/hello", head, NULL);
	assert_int_equal(reply.status, 200);
	close(slow);
	close(quick);
}

static void late_count(struct rig *r, void *argument)
{
	*(int *)argument = r->late_answers;
}

static void late_count_begun(struct rig *r, void *argument)
{
	*(int *)argument = r->late_begun;
}

static void client_leaves_before_the_late_answer(void **state)
{
	char head[256];
	int before = 0, count = 0;

	(void)state;
	rig_call(&rig, late_count, &before);
	snprintf(head, sizeof(head), "GET /api/late/150 HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: S\r\n\r\n",
	         rig.port);
	for (int i = 0; i < 8; i++) {
		int fd = dial(rig.port);
		assert_true(transmit(fd, head, strlen(head)));
		usleep(10000);
		close(fd);
	}
	for (int i = 0; i < PATIENCE_MS / 20 && count < before + 8; i++) {
		usleep(20000);
		rig_call(&rig, late_count, &count);
	}
	assert_int_equal(count, before + 8);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/hello", "", NULL), 200);
}

static void close_task(struct rig *r, void *argument)
{
	(void)argument;
	http_close(r->http);
	http_close(r->http);
}

/* Late answers after http_close go into the void; the loop ends clean (rig_close checks it). */
static void closing_with_unanswered_requests_is_safe(void **state)
{
	static struct rig own;
	char head[256];
	int fd[4], begun = 0;

	(void)state;
	rig_open(&own, 600);
	snprintf(head, sizeof(head), "GET /api/late/300 HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: S\r\n\r\n",
	         own.port);
	for (int i = 0; i < 4; i++) {
		fd[i] = dial(own.port);
		assert_true(transmit(fd[i], head, strlen(head)));
	}
	for (int i = 0; i < PATIENCE_MS && begun < 4; i++) {
		usleep(1000);
		rig_call(&own, late_count_begun, &begun);
	}
	rig_call(&own, close_task, NULL);
	for (int i = 0; i < 4; i++) {
		await_reply(fd[i], &reply, false);
		assert_int_equal(reply.status, 0);
		close(fd[i]);
	}
	rig_close(&own, true);
	assert_int_equal(own.late_answers, 4);
}

static void a_handler_may_close_the_server(void **state)
{
	static struct rig own;

	(void)state;
	rig_open(&own, 600);
	int fd = dial_local(own.socket_path);
	ask(fd, &reply, "POST", "/api/stop", "Host: any\r\n" JSON_TYPE, "{}");
	close(fd);
	rig_close(&own, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_whole_segments_and_decoded),
		cmocka_unit_test(literal_goes_before_parameter),
		cmocka_unit_test(bad_escapes_are_refused),
		cmocka_unit_test(unknown_path_and_method),
		cmocka_unit_test(answers_carry_the_security_headers),
		cmocka_unit_test(body_comes_back_and_errors_have_their_status),
		cmocka_unit_test(large_body_has_a_limit_of_its_own),
		cmocka_unit_test(body_has_a_limit),
		cmocka_unit_test(body_in_chunks_has_the_same_limit),
		cmocka_unit_test(endless_body_is_cut),
		cmocka_unit_test(endless_chunks_are_cut),
		cmocka_unit_test(long_address_is_refused),
		cmocka_unit_test(post_must_be_json),
		cmocka_unit_test(late_answers_come_in_their_own_time),
		cmocka_unit_test(client_leaves_before_the_late_answer),
		cmocka_unit_test(closing_with_unanswered_requests_is_safe),
		cmocka_unit_test(a_handler_may_close_the_server),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
