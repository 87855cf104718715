/* Frames of the wrong size or form, and addresses that cannot be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static void the_largest_frame_passes_both_ways(void **state)
{
	struct rig r;
	struct peer p;
	uint8_t *frame = calloc(1, NET_FRAME_BYTES_MOST + 1);

	(void)state;
	rig_open(&r);
	r.does_echo = true;
	peer_open(&r, &p, &r.known[0]);
	run_until(&r, &p.connected, 1);
	assert_int_equal(net_client_send(p.client, BYTES(frame, NET_FRAME_BYTES_MOST + 1)), ERR_TOO_BIG);
	assert_int_equal(net_client_send(p.client, BYTES(frame, NET_FRAME_BYTES_MOST)), OK);
	run_until(&r, &p.frames, 1);
	assert_int_equal(net_server_send(r.server, &r.route, BYTES(frame, NET_FRAME_BYTES_MOST + 1)), ERR_TOO_BIG);
	assert_int_equal(p.connected, 1);
	net_client_close(p.client);
	free(frame);
	rig_close(&r);
}

static void an_oversize_frame_ends_that_connection_only(void **state)
{
	struct rig r;
	struct peer good;
	uint8_t *frame = calloc(1, NET_FRAME_BYTES_MOST + 1);
	void *context = zmq_ctx_new();
	uint64_t end_us = 0;
	int rc = OK;

	(void)state;
	rig_open(&r);
	peer_open(&r, &good, &r.known[0]);
	run_until(&r, &good.connected, 1);
	void *bad = stranger_connect(context, &r, &r.known[1], NULL, 0);
	assert_int_equal(zmq_send(bad, "hello", 5, 0), 5);
	run_until(&r, &r.frames, 1);
	struct net_route route = r.route;
	assert_int_equal(net_server_send(r.server, &route, bytes_from_text("welcome")), OK);
	assert_int_equal(zmq_send(bad, frame, NET_FRAME_BYTES_MOST + 1, 0), NET_FRAME_BYTES_MOST + 1);
	while (has_time(&end_us) && rc == OK) {
		run_for(&r, 10);
		rc = net_server_send(r.server, &route, bytes_from_text("still there?"));
	}
	assert_int_equal(rc, ERR_UNREACHABLE);
	assert_int_equal(r.frames, 1);
	assert_int_equal(net_client_send(good.client, bytes_from_text("fine")), OK);
	run_until(&r, &r.frames, 2);
	assert_int_equal(good.connected, 1);
	zmq_close(bad);
	zmq_ctx_term(context);
	net_client_close(good.client);
	free(frame);
	rig_close(&r);
}

static void a_message_of_several_parts_is_dropped_and_counted(void **state)
{
	struct rig r;
	void *context = zmq_ctx_new();

	(void)state;
	rig_open(&r);
	void *odd = stranger_connect(context, &r, &r.known[0], NULL, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(zmq_send(odd, "part", 4, ZMQ_SNDMORE), 4);
	assert_int_equal(zmq_send(odd, "end", 3, 0), 3);
	assert_int_equal(zmq_send(odd, "one", 3, 0), 3);
	run_until(&r, &r.frames, 1);
	assert_int_equal(net_server_dropped(r.server), 1);
	zmq_close(odd);
	zmq_ctx_term(context);
	rig_close(&r);
}

/* The server breaks the protocol; ZeroMQ would give this connection up for ever. */
static void a_client_recovers_from_an_oversize_frame(void **state)
{
	struct rig r;
	struct peer p;
	uint8_t *frame = calloc(1, NET_FRAME_BYTES_MOST + 1);
	void *context = zmq_ctx_new(), *bad = zmq_socket(context, ZMQ_ROUTER);
	int yes = 1, linger = 0;
	char address[64];
	uint8_t route[NET_ROUTE_BYTES];
	size_t size = sizeof(address);

	(void)state;
	rig_open(&r);
	zmq_setsockopt(bad, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(bad, ZMQ_CURVE_SERVER, &yes, sizeof(yes));
	zmq_setsockopt(bad, ZMQ_CURVE_SECRETKEY, r.server_keys.secret_key, NET_KEY_BYTES);
	assert_int_equal(zmq_bind(bad, "tcp://127.0.0.1:*"), 0);
	zmq_getsockopt(bad, ZMQ_LAST_ENDPOINT, address, &size);
	peer_open_to(&r, &p, &r.known[0], r.server_keys.public_key, address);
	run_until(&r, &p.connected, 1);
	assert_int_equal(net_client_send(p.client, bytes_from_text("hello")), OK);
	run_for(&r, 50);
	int route_size = zmq_recv(bad, route, sizeof(route), 0);
	assert_in_range(route_size, 1, sizeof(route));
	assert_int_equal(zmq_recv(bad, frame, 5, 0), 5);
	zmq_send(bad, route, (size_t)route_size, ZMQ_SNDMORE);
	zmq_send(bad, frame, NET_FRAME_BYTES_MOST + 1, 0);
	run_until(&r, &p.connected, 2);
	assert_int_equal(p.frames, 0);
	net_client_close(p.client);
	zmq_close(bad);
	zmq_ctx_term(context);
	free(frame);
	rig_close(&r);
}

static void a_port_in_use_is_named(void **state)
{
	struct rig r, second;
	struct net_server *none = NULL;
	struct error e = { 0 };

	(void)state;
	rig_open(&r);
	rig_open(&second);
	struct net_server_options options = rig_server_options(&second, net_server_address(r.server));
	options.zap_domain = "join";
	assert_int_equal(net_server_open(second.net, &options, &none, &e), ERR_EXISTS);
	assert_null(none);
	assert_non_null(strstr(e.text, net_server_address(r.server)));
	assert_non_null(strstr(e.text, "in use by another process"));
	rig_close(&second);
	rig_close(&r);
}

static void an_address_that_cannot_be_had_is_named(void **state)
{
	static const char *const addresses[] = { "tcp://192.0.2.1:5601",
		                                 "tcp://nonsense",
		                                 "tcp://127.0.0.1:99999",
		                                 "tcp://127.0.0.1:56o1",
		                                 "tcp://127.0.0.1",
		                                 "ipc:///tmp/x",
		                                 "",
		                                 "tcp://[::1" };
	struct rig r;
	struct net_server *none = NULL;

	(void)state;
	rig_open(&r);
	struct net_server_options options = rig_server_options(&r, NULL);
	options.zap_domain = "join";
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct error e = { 0 };

		options.address = addresses[i];
		assert_int_equal(net_server_open(r.net, &options, &none, &e), ERR_INVALID);
		assert_non_null(strstr(e.text, addresses[i]));
	}
	options.address = "tcp://127.0.0.1:*";
	options.zap_domain = "";
	assert_int_equal(net_server_open(r.net, &options, &none, NULL), ERR_INVALID);
	assert_null(none);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_frame_passes_both_ways),
		cmocka_unit_test(an_oversize_frame_ends_that_connection_only),
		cmocka_unit_test(a_message_of_several_parts_is_dropped_and_counted),
		cmocka_unit_test(a_client_recovers_from_an_oversize_frame),
		cmocka_unit_test(a_port_in_use_is_named),
		cmocka_unit_test(an_address_that_cannot_be_had_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
