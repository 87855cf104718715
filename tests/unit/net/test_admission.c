/* Who comes in, and as whom: ZAP, keys, chosen routing ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static void an_unknown_key_is_refused_counted_and_tried_again(void **state)
{
	struct rig r;
	struct peer p;

	(void)state;
	rig_open(&r);
	r.known_count = 1;
	peer_open(&r, &p, &r.known[1]);
	run_until(&r, &p.refused, 1);
	assert_int_equal(p.state, NET_REFUSED);
	assert_int_equal(net_server_refused(r.server), 1);
	assert_int_equal(net_client_send(p.client, bytes_from_text("let me in")), ERR_UNREACHABLE);
	run_until(&r, &r.asked, 3); /* retry_ms, each time */
	assert_int_equal(p.connected, 0);
	r.known_count = 2;
	run_until(&r, &p.connected, 1);
	assert_int_equal(r.frames, 0);
	assert_true(net_server_refused(r.server) >= 3);
	net_client_close(p.client);
	rig_close(&r);
}

static void without_admit_nobody_gets_in(void **state)
{
	struct rig r;
	struct peer p;
	struct net_server *closed;

	(void)state;
	rig_open(&r);
	struct net_server_options options = rig_server_options(&r, "tcp://127.0.0.1:*");
	options.zap_domain = "join";
	options.admit = NULL;
	assert_int_equal(net_server_open(r.net, &options, &closed, NULL), OK);
	peer_open_to(&r, &p, &r.known[0], r.server_keys.public_key, net_server_address(closed));
	run_until(&r, &p.refused, 1);
	assert_int_equal(r.asked, 0);
	assert_int_equal(net_server_refused(closed), 1);
	assert_int_equal(net_server_refused(r.server), 0);
	net_client_close(p.client);
	net_server_close(closed);
	rig_close(&r);
}

static void each_domain_asks_its_own_server(void **state)
{
	struct rig r, other;
	struct peer p, stray;
	struct net_server *join;

	(void)state;
	rig_open(&r);
	rig_open(&other); /* only for its keys and counters */
	r.known_count = 0;
	struct net_server_options options = rig_server_options(&other, "tcp://127.0.0.1:*");
	options.zap_domain = "join";
	assert_int_equal(net_server_open(r.net, &options, &join, NULL), OK);
	peer_open_to(&r, &p, &other.known[0], other.server_keys.public_key, net_server_address(join));
	run_until(&r, &p.connected, 1);
	assert_int_equal(other.asked, 1);
	assert_int_equal(r.asked, 0);
	peer_open(&r, &stray, &other.known[0]); /* known to the other server only */
	run_until(&r, &stray.refused, 1);
	assert_int_equal(other.asked, 1);
	net_client_close(stray.client);
	struct net_server *twin = NULL;
	assert_int_equal(net_server_open(r.net, &options, &twin, NULL), ERR_EXISTS);
	assert_null(twin);
	net_client_close(p.client);
	net_server_close(join);
	rig_close(&r);
	rig_close(&other);
}

static void a_wrong_server_key_never_connects(void **state)
{
	struct rig r;
	struct peer p;
	uint64_t end_us = 0;

	(void)state;
	rig_open(&r);
	peer_open_to(&r, &p, &r.known[0], r.known[1].public_key, net_server_address(r.server));
	while (has_time(&end_us) && p.state != NET_WRONG_KEY)
		run_for(&r, 10);
	assert_int_equal(p.state, NET_WRONG_KEY);
	run_for(&r, 1500);
	assert_int_equal(p.state, NET_WRONG_KEY);
	assert_int_equal(p.connected, 0);
	assert_int_equal(r.asked, 0);
	net_client_close(p.client);
	rig_close(&r);
}

static void nobody_listening_is_not_a_wrong_key(void **state)
{
	struct rig r;
	struct peer p;
	char address[256];

	(void)state;
	rig_open(&r);
	strcpy(address, net_server_address(r.server));
	net_server_close(r.server);
	r.server = NULL;
	run_for(&r, 50);
	peer_open_to(&r, &p, &r.known[0], r.server_keys.public_key, address);
	run_for(&r, 1500);
	assert_int_equal(p.state, NET_CONNECTING);
	assert_int_equal(p.connected, 0);
	net_client_close(p.client);
	rig_close(&r);
}

/* The victim is connected; the thief takes its routing id. */
static void a_stolen_routing_id_gains_nothing(void **state)
{
	struct rig r;
	struct peer victim;
	void *context = zmq_ctx_new();
	char byte;

	(void)state;
	rig_open(&r);
	peer_open(&r, &victim, &r.known[0]);
	run_until(&r, &victim.connected, 1);
	assert_int_equal(net_client_send(victim.client, bytes_from_text("me")), OK);
	run_until(&r, &r.frames, 1);
	struct net_route route = r.route;
	void *thief = stranger_connect(context, &r, &r.known[1], (const char *)route.byte, route.size);
	assert_int_equal(zmq_send(thief, "first", 5, 0), 5);
	assert_int_equal(zmq_send(thief, "second", 6, 0), 6);
	assert_int_equal(zmq_send(thief, "third", 5, 0), 5);
	run_until(&r, &r.asked, 2);
	run_for(&r, 500);
	if (r.frames > 1) { /* if anything of it came through, then under its own key and another route */
		assert_memory_equal(r.key, r.known[1].public_key, NET_KEY_BYTES);
		assert_false(r.route.size == route.size && memcmp(r.route.byte, route.byte, route.size) == 0);
	}
	uint32_t zero = 0;
	assert_int_equal(net_server_send(r.server, &route, BYTES_OF(zero)), OK);
	run_until(&r, &victim.frames, 1);
	assert_int_equal(zmq_recv(thief, &byte, 1, ZMQ_DONTWAIT), -1);
	unsigned before = r.frames;
	assert_int_equal(net_client_send(victim.client, bytes_from_text("still me")), OK);
	run_until(&r, &r.frames, before + 1);
	assert_memory_equal(r.key, r.known[0].public_key, NET_KEY_BYTES);
	zmq_close(thief);
	zmq_ctx_term(context);
	net_client_close(victim.client);
	rig_close(&r);
}

static void a_long_routing_id_is_dropped_and_counted(void **state)
{
	struct rig r;
	void *context = zmq_ctx_new();
	uint64_t end_us = 0;

	(void)state;
	rig_open(&r);
	void *odd = stranger_connect(context, &r, &r.known[0], "nine char", 9);
	void *own = stranger_connect(context, &r, &r.known[1], "eight ch", 8);
	assert_int_equal(zmq_send(odd, "x", 1, 0), 1);
	assert_int_equal(zmq_send(own, "x", 1, 0), 1);
	run_until(&r, &r.frames, 1);
	while (has_time(&end_us) && net_server_dropped(r.server) == 0)
		run_for(&r, 10);
	run_for(&r, 100);
	assert_int_equal(r.frames, 1);
	assert_int_equal(net_server_dropped(r.server), 1);
	assert_memory_equal(r.key, r.known[1].public_key, NET_KEY_BYTES);
	zmq_close(odd);
	zmq_close(own);
	zmq_ctx_term(context);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_key_is_refused_counted_and_tried_again),
		cmocka_unit_test(without_admit_nobody_gets_in),
		cmocka_unit_test(each_domain_asks_its_own_server),
		cmocka_unit_test(a_wrong_server_key_never_connects),
		cmocka_unit_test(nobody_listening_is_not_a_wrong_key),
		cmocka_unit_test(a_stolen_routing_id_gains_nothing),
		cmocka_unit_test(a_long_routing_id_is_dropped_and_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
