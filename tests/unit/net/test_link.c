/* Frames between a server and its clients: order, back-pressure, connections that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

#define MANY 10000
#define UNDER_WAY 200
#define BIG_BYTES (64 * 1024)

static void ten_thousand_frames_echo_in_order(void **state)
{
	struct rig r;
	struct peer p;
	unsigned refusals = 0;

	(void)state;
	rig_open(&r);
	r.does_echo = true;
	peer_open(&r, &p, &r.known[0]);
	run_until(&r, &p.connected, 1);
	for (uint32_t i = 0; i < MANY;) {
		int rc = i - p.frames < UNDER_WAY ? net_client_send(p.client, BYTES_OF(i)) : ERR_AGAIN;

		if (rc == OK) {
			i++;
			continue;
		}
		assert_int_equal(rc, ERR_AGAIN);
		refusals++;
		run_until(&r, &p.frames, p.frames + 1);
	}
	run_until(&r, &p.frames, MANY);
	assert_true(refusals > 0);
	assert_int_equal(r.frames, MANY);
	assert_false(p.is_out_of_order);
	assert_memory_equal(r.key, r.known[0].public_key, NET_KEY_BYTES);
	net_client_close(p.client);
	rig_close(&r);
}

static void nothing_is_sent_before_the_handshake(void **state)
{
	struct rig r;
	struct peer p;

	(void)state;
	rig_open(&r);
	peer_open(&r, &p, &r.known[0]);
	assert_int_equal(net_client_send(p.client, bytes_from_text("early")), ERR_UNREACHABLE);
	run_until(&r, &p.connected, 1);
	run_for(&r, 100);
	assert_int_equal(r.frames, 0);
	assert_int_equal(net_client_send(p.client, bytes_from_text("now")), OK);
	run_until(&r, &r.frames, 1);
	net_client_close(p.client);
	rig_close(&r);
}

/* Sends outside any callback of the room swallow wake-ups; the answers must come all the same. */
static void an_answer_is_not_missed_after_a_send(void **state)
{
	struct rig r;
	struct peer p;

	(void)state;
	rig_open(&r);
	r.does_echo = true;
	peer_open(&r, &p, &r.known[0]);
	run_until(&r, &p.connected, 1);
	for (uint32_t i = 0; i < 2000; i++) {
		assert_int_equal(net_client_send(p.client, BYTES_OF(i)), OK);
		if (i % 3 == 0)
			uv_run(&r.loop, UV_RUN_NOWAIT);
		if (i % 100 == 99)
			run_until(&r, &p.frames, i + 1);
	}
	assert_false(p.is_out_of_order);
	net_client_close(p.client);
	rig_close(&r);
}

/* More than one turn takes, from one wake-up and with nothing sent that would stir the loop. */
static void a_backlog_is_read_to_its_end(void **state)
{
	enum { STRANGERS = RIG_KEYS, FRAMES = 200 };
	struct rig r;
	void *context = zmq_ctx_new(), *stranger[STRANGERS];

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < STRANGERS; i++) {
		stranger[i] = stranger_connect(context, &r, &r.known[i], NULL, 0);
		assert_int_equal(zmq_send(stranger[i], "hello", 5, 0), 5);
	}
	run_until(&r, &r.frames, STRANGERS);
	for (unsigned i = 0; i < STRANGERS * FRAMES; i++)
		assert_int_equal(zmq_send(stranger[i % STRANGERS], "x", 1, 0), 1);
	uv_sleep(500);
	/* No tick stirs it, either. */
	assert_true(run_bounded(&r, &r.frames, STRANGERS + STRANGERS * FRAMES, LONG_MS, LONG_MS));
	for (unsigned i = 0; i < STRANGERS; i++)
		zmq_close(stranger[i]);
	zmq_ctx_term(context);
	rig_close(&r);
}

static void a_client_that_does_not_read_is_felt_and_then_writable(void **state)
{
	struct rig r;
	uint8_t *frame = calloc(1, BIG_BYTES);
	void *context = zmq_ctx_new();
	int most = 4, wait_ms = 5000, rc = OK;
	unsigned sent = 0, received = 0;

	(void)state;
	rig_open(&r);
	void *lazy = stranger_connect(context, &r, &r.known[0], NULL, 0);
	zmq_setsockopt(lazy, ZMQ_RCVHWM, &most, sizeof(most));
	zmq_setsockopt(lazy, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
	assert_int_equal(zmq_send(lazy, "hello", 5, 0), 5);
	run_until(&r, &r.frames, 1);
	while (rc == OK && sent < 100000) {
		rc = net_server_send(r.server, &r.route, BYTES(frame, BIG_BYTES));
		sent += rc == OK;
		uv_run(&r.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(rc, ERR_AGAIN);
	r.writable = 0;
	for (rc = ERR_AGAIN; rc == ERR_AGAIN; rc = net_server_send(r.server, &r.route, BYTES(frame, BIG_BYTES))) {
		for (int i = 0; i < 32 && received < sent; i++, received++)
			assert_int_equal(zmq_recv(lazy, frame, BIG_BYTES, 0), BIG_BYTES);
		run_until(&r, &r.writable, r.writable + 1);
	}
	assert_int_equal(rc, OK);
	for (; received < sent + 1; received++)
		assert_int_equal(zmq_recv(lazy, frame, BIG_BYTES, 0), BIG_BYTES);
	zmq_close(lazy);
	zmq_ctx_term(context);
	free(frame);
	rig_close(&r);
}

/* The server is a bare ROUTER here, without ZAP, that never reads until told. */
static void a_server_that_does_not_read_is_felt_and_then_writable(void **state)
{
	struct rig r;
	struct peer p;
	uint8_t *frame = calloc(1, BIG_BYTES);
	void *context = zmq_ctx_new(), *lazy = zmq_socket(context, ZMQ_ROUTER);
	int yes = 1, most = 4, linger = 0, rc;
	unsigned sent = 0;
	char address[64];
	size_t size = sizeof(address);

	(void)state;
	rig_open(&r);
	zmq_setsockopt(lazy, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(lazy, ZMQ_RCVHWM, &most, sizeof(most));
	zmq_setsockopt(lazy, ZMQ_CURVE_SERVER, &yes, sizeof(yes));
	zmq_setsockopt(lazy, ZMQ_CURVE_SECRETKEY, r.server_keys.secret_key, NET_KEY_BYTES);
	assert_int_equal(zmq_bind(lazy, "tcp://127.0.0.1:*"), 0);
	zmq_getsockopt(lazy, ZMQ_LAST_ENDPOINT, address, &size);
	peer_open_to(&r, &p, &r.known[0], r.server_keys.public_key, address);
	run_until(&r, &p.connected, 1);
	do { /* until the kernel's buffers grow no more */
		while ((rc = net_client_send(p.client, BYTES(frame, BIG_BYTES))) == OK)
			assert_true(++sent < 100000);
		assert_int_equal(rc, ERR_AGAIN);
		p.writable = 0;
		run_for(&r, 200);
	} while (p.writable > 0);
	for (unsigned i = 0; i < 2 * sent; i++)
		assert_true(zmq_recv(lazy, frame, BIG_BYTES, 0) > 0);
	run_until(&r, &p.writable, 1);
	assert_int_equal(net_client_send(p.client, BYTES(frame, BIG_BYTES)), OK);
	net_client_close(p.client);
	zmq_close(lazy);
	zmq_ctx_term(context);
	free(frame);
	rig_close(&r);
}

static void a_client_comes_back_after_the_server_restarts(void **state)
{
	struct rig r;
	struct peer p;
	char address[256];
	uint64_t end_us = 0;
	int rc = ERR_EXISTS;

	(void)state;
	rig_open(&r);
	r.does_echo = true;
	peer_open(&r, &p, &r.known[0]);
	run_until(&r, &p.connected, 1);
	strcpy(address, net_server_address(r.server));
	net_server_close(r.server);
	r.server = NULL;
	while (has_time(&end_us) && p.state != NET_CONNECTING)
		run_for(&r, 20);
	assert_int_equal(p.state, NET_CONNECTING);
	assert_int_equal(net_client_send(p.client, bytes_from_text("lost")), ERR_UNREACHABLE);
	struct net_server_options options = rig_server_options(&r, address);
	while (has_time(&end_us) && rc == ERR_EXISTS) {
		rc = net_server_open(r.net, &options, &r.server, NULL);
		run_for(&r, 20);
	}
	assert_int_equal(rc, OK);
	run_until(&r, &p.connected, 2);
	assert_int_equal(net_client_send(p.client, bytes_from_text("back")), OK);
	run_until(&r, &p.frames, 1);
	net_client_close(p.client);
	rig_close(&r);
}

static void reconnecting_forgets_what_was_queued(void **state)
{
	struct rig r;
	struct peer p;
	uint8_t *frame = calloc(1, BIG_BYTES);
	unsigned sent = 0;

	(void)state;
	rig_open(&r);
	peer_open(&r, &p, &r.known[0]);
	run_until(&r, &p.connected, 1);
	while (net_client_send(p.client, BYTES(frame, BIG_BYTES)) == OK)
		sent++;
	net_client_reconnect(p.client);
	assert_int_equal(p.state, NET_CONNECTING);
	run_until(&r, &p.connected, 2);
	run_for(&r, 200);
	assert_true(r.frames < sent);
	unsigned before = r.frames;
	assert_int_equal(net_client_send(p.client, bytes_from_text("new")), OK);
	run_until(&r, &r.frames, before + 1);
	net_client_close(p.client);
	free(frame);
	rig_close(&r);
}

static void a_route_that_is_gone_is_unreachable(void **state)
{
	struct rig r;
	struct peer p;
	uint64_t end_us = 0;
	int rc = OK;

	(void)state;
	rig_open(&r);
	peer_open(&r, &p, &r.known[0]);
	run_until(&r, &p.connected, 1);
	assert_int_equal(net_client_send(p.client, bytes_from_text("hello")), OK);
	run_until(&r, &r.frames, 1);
	net_client_close(p.client);
	while (has_time(&end_us) && rc == OK) {
		run_for(&r, 10);
		rc = net_server_send(r.server, &r.route, bytes_from_text("still there?"));
	}
	assert_int_equal(rc, ERR_UNREACHABLE);
	assert_int_equal(net_server_send(r.server, &(struct net_route){ 0 }, bytes_from_text("x")), ERR_UNREACHABLE);
	rig_close(&r);
}

static void all_may_be_closed_at_any_time(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 40; turns++) {
		struct rig r;
		struct peer p;

		rig_open(&r);
		r.does_echo = true;
		peer_open(&r, &p, &r.known[0]);
		for (unsigned i = 0; i < turns; i++) {
			uv_run(&r.loop, UV_RUN_NOWAIT);
			net_client_send(p.client, bytes_from_text("x"));
			if (i == 20)
				net_client_reconnect(p.client);
			uv_sleep(1);
		}
		net_client_close(p.client);
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_frames_echo_in_order),
		cmocka_unit_test(nothing_is_sent_before_the_handshake),
		cmocka_unit_test(an_answer_is_not_missed_after_a_send),
		cmocka_unit_test(a_backlog_is_read_to_its_end),
		cmocka_unit_test(a_client_that_does_not_read_is_felt_and_then_writable),
		cmocka_unit_test(a_server_that_does_not_read_is_felt_and_then_writable),
		cmocka_unit_test(a_client_comes_back_after_the_server_restarts),
		cmocka_unit_test(reconnecting_forgets_what_was_queued),
		cmocka_unit_test(a_route_that_is_gone_is_unreachable),
		cmocka_unit_test(all_may_be_closed_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
