/* Event streams: order, a client that does not read, a client that leaves, a session that ends. */
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

struct publication {
	const char *channel, *name, *json;
};

static void publish_task(struct rig *r, void *argument)
{
	const struct publication *p = argument;

	http_publish(r->http, p->channel, p->name, bytes_from_text(p->json));
}

static void publish(const char *channel, const char *name, const char *json)
{
	struct publication p = { channel, name, json };

	rig_call(&rig, publish_task, &p);
}

/* A stream whose head and first comment have come. */
static int subscribe(struct reply *into, const char *path, const char *headers)
{
	char text[512];
	int fd = dial(rig.port);

	reply_clear(into);
	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost:%u\r\n%s\r\n", path, rig.port, headers);
	assert_true(transmit(fd, text, strlen(text)));
	assert_true(await_text(fd, into, "retry: 2000\n\n", PATIENCE_MS));
	assert_true(has_text(into, "Content-Type: text/event-stream\r\n"));
	assert_true(has_text(into, "Cache-Control: no-store\r\n"));
	assert_true(has_text(into, "X-Content-Type-Options: nosniff\r\n"));
	return fd;
}

static void expect_end(int fd, struct reply *from)
{
	ssize_t n;

	while ((n = receive(fd, from, PATIENCE_MS)) > 0)
		from->size = 0;
	assert_int_equal(n, 0);
}

static void events_come_in_order_to_their_channel(void **state)
{
	static struct reply other;
	char json[64];
	int fd = subscribe(&reply, "/api/events/cases", "");
	int elsewhere = subscribe(&other, "/api/events/notices", "");

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(json, sizeof(json), "{\"n\":%d}", i);
		publish("cases", "changed", json);
	}
	publish("notices", "new", "{}");
	publish("nobody", "new", "{}");
	assert_true(await_text(fd, &reply, "data: {\"n\":99}\n\n", PATIENCE_MS));
	const char *at = reply.text;
	for (int i = 0; i < 100; i++) {
		snprintf(json, sizeof(json), "event: changed\ndata: {\"n\":%d}\n\n", i);
		at = strstr(at, json);
		assert_non_null(at);
	}
	assert_true(await_text(elsewhere, &other, "event: new\ndata: {}\n\n", PATIENCE_MS));
	assert_false(has_text(&other, "changed"));
	close(fd);
	close(elsewhere);
}

static void a_line_end_in_the_data_stays_data(void **state)
{
	int fd = subscribe(&reply, "/api/events/lines", "");

	(void)state;
	publish("lines", "x\nevent: forged", "{\n\"a\":1}");
	assert_true(await_text(fd, &reply, "event: x\ndata: {\ndata: \"a\":1}\n\n", PATIENCE_MS));
	assert_false(has_text(&reply, "forged"));
	close(fd);
}

/* One client reads nothing: it is dropped when it is 64 KiB behind, and the other misses nothing. */
static void a_slow_client_is_dropped_alone(void **state)
{
	static struct reply slow_reply;
	char json[8192];
	int slow = subscribe(&slow_reply, "/api/events/busy", "");
	int quick = subscribe(&reply, "/api/events/busy", "");

	(void)state;
	for (int i = 0; i < 1500; i++) {
		int at = snprintf(json, sizeof(json), "{\"n\":%d,\"pad\":\"", i);
		memset(json + at, 'p', 8000 - (size_t)at);
		strcpy(json + 8000, "\"}");
		publish("busy", "e", json);
		char mark[32];
		snprintf(mark, sizeof(mark), "{\"n\":%d,", i);
		assert_true(await_text(quick, &reply, mark, PATIENCE_MS));
		if (reply.size > REPLY_BYTES_MOST / 2)
			reply_clear(&reply);
	}
	expect_end(slow, &slow_reply);
	reply_clear(&reply);
	publish("busy", "last", "{}");
	assert_true(await_text(quick, &reply, "event: last\ndata: {}\n\n", PATIENCE_MS));
	close(slow);
	close(quick);
}

/* Many more streams come and go than connections are allowed: one that was left is noticed at once. */
static void clients_that_leave_free_their_place(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++)
		close(subscribe(&reply, "/api/events/reload", ""));
	int fd = subscribe(&reply, "/api/events/reload", "");
	publish("reload", "here", "{}");
	assert_true(await_text(fd, &reply, "event: here", PATIENCE_MS));
	close(fd);
}

/* 192 streams at most, so that 64 connections stay for everything else. */
static void streams_leave_room_for_requests(void **state)
{
	static struct reply other;
	int fd[192];

	(void)state;
	usleep(50000);
	for (int i = 0; i < 192; i++)
		fd[i] = subscribe(&reply, "/api/events/many", "");
	assert_int_equal(fetch(&rig, &other, "GET", "/api/events/many", "", NULL), 503);
	assert_true(has_text(&other, "\"code\":\"too-many\""));
	assert_int_equal(fetch(&rig, &other, "GET", "/api/hello", "", NULL), 200);
	publish("many", "all", "{}");
	for (int i = 0; i < 192; i++) {
		reply_clear(&reply);
		assert_true(await_text(fd[i], &reply, "event: all", PATIENCE_MS));
		close(fd[i]);
	}
}

static void end_user_task(struct rig *r, void *argument)
{
	http_sessions_end_user(r->http, argument);
}

static void a_stream_ends_with_its_session(void **state)
{
	char cookie[160], user[] = "wang";
	static struct reply other;

	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/own-events/mine", "", NULL), 403);
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/login", "", "{}"), 200);
	snprintf(cookie, sizeof(cookie), "Cookie: lm_test=%.64s\r\n",
	         strstr(reply.text, "Set-Cookie: lm_test=") + strlen("Set-Cookie: lm_test="));
	int fd = subscribe(&reply, "/api/own-events/mine", cookie);
	int open = subscribe(&other, "/api/events/mine", "");
	publish("mine", "one", "{}");
	assert_true(await_text(fd, &reply, "event: one", PATIENCE_MS));
	rig_call(&rig, end_user_task, user);
	expect_end(fd, &reply);
	publish("mine", "two", "{}");
	assert_true(await_text(open, &other, "event: two", PATIENCE_MS));
	close(fd);
	close(open);
}

static void closing_ends_the_streams(void **state)
{
	static struct rig own;
	char text[256];

	(void)state;
	rig_open(&own, 600);
	int fd = dial(own.port);
	reply_clear(&reply);
	snprintf(text, sizeof(text), "GET /api/events/x HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", own.port);
	assert_true(transmit(fd, text, strlen(text)));
	assert_true(await_text(fd, &reply, "retry:", PATIENCE_MS));
	rig_close(&own, false);
	expect_end(fd, &reply);
	close(fd);
}

/* 16 seconds: only when LM_SLOW_TESTS is set. */
static void a_quiet_stream_gets_a_comment(void **state)
{
	(void)state;
	if (getenv("LM_SLOW_TESTS") == NULL)
		skip();
	int fd = subscribe(&reply, "/api/events/quiet", "");
	assert_true(await_text(fd, &reply, "\n\n\r\n3\r\n:\n\n", 16000));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_in_order_to_their_channel),
		cmocka_unit_test(a_line_end_in_the_data_stays_data),
		cmocka_unit_test(a_slow_client_is_dropped_alone),
		cmocka_unit_test(clients_that_leave_free_their_place),
		cmocka_unit_test(streams_leave_room_for_requests),
		cmocka_unit_test(a_stream_ends_with_its_session),
		cmocka_unit_test(closing_ends_the_streams),
		cmocka_unit_test(a_quiet_stream_gets_a_comment),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
