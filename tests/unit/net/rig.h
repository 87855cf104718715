/*
 * What the tests of this room share: one loop, one server, any number of clients, all in this process and on
 * loopback, at a port the kernel chooses.
 */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H

#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <zmq.h>

#include "base/clock.h"
#include "net/net.h"

#define LONG_MS 60000 /* for what must happen at some time */
#define RIG_KEYS 8
#define RIG_ECHOES 256
#define RIG_TICK_MS 400 /* rare, so that a missed wake-up still shows */

struct keys {
	uint8_t public_key[NET_KEY_BYTES], secret_key[NET_KEY_BYTES];
};

struct echo { /* that found no room in the queue yet */
	struct net_route route;
	size_t size;
	uint8_t *frame;
};

struct rig {
	uv_loop_t loop;
	struct net *net;
	struct net_server *server;
	struct keys server_keys;
	struct keys known[RIG_KEYS]; /* the first known_count may come in */
	size_t known_count;
	bool does_echo;
	struct echo echo[RIG_ECHOES]; /* the oldest first */
	size_t echo_count;
	/* what the server saw */
	unsigned frames, asked, writable;
	struct net_route route; /* of the last frame */
	uint8_t key[NET_KEY_BYTES];
};

struct peer {
	struct net_client *client;
	enum net_client_state state;
	unsigned connected, refused, frames, writable;
	uint32_t next_expected;
	bool is_out_of_order;
};

static void rig_tick(uv_timer_t *timer)
{
	(void)timer;
}

/* It ticks, because a turn that has met the condition in a timer would still sleep until the next thing happens. */
static bool run_bounded(struct rig *r, const unsigned *value, unsigned least, uint64_t duration_ms, uint64_t tick_ms)
{
	uint64_t end_us = clock_monotonic_us() + duration_ms * 1000;
	uv_timer_t tick;

	uv_timer_init(&r->loop, &tick);
	uv_update_time(&r->loop);
	uv_timer_start(&tick, rig_tick, duration_ms < tick_ms ? duration_ms : tick_ms, tick_ms);
	while (clock_monotonic_us() < end_us && !(value && *value >= least))
		uv_run(&r->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&r->loop, UV_RUN_NOWAIT); /* closes the timer, which lies on this stack */
	return value && *value >= least;
}

/* Runs the loop until *value reaches `least`; fails the test after LONG_MS. */
static inline void run_until(struct rig *r, const unsigned *value, unsigned least)
{
	assert_true(run_bounded(r, value, least, LONG_MS, RIG_TICK_MS));
}

static inline void run_for(struct rig *r, uint64_t duration_ms)
{
	run_bounded(r, NULL, 0, duration_ms, RIG_TICK_MS);
}

/* Whether a loop of run_for may go on; `end_us`, 0 at first, keeps when it must end. */
static inline bool has_time(uint64_t *end_us)
{
	if (*end_us == 0)
		*end_us = clock_monotonic_us() + LONG_MS * UINT64_C(1000);
	return clock_monotonic_us() < *end_us;
}

static int rig_admit(void *context, const uint8_t key[NET_KEY_BYTES])
{
	struct rig *r = context;

	r->asked++;
	for (size_t i = 0; i < r->known_count; i++) {
		if (memcmp(r->known[i].public_key, key, NET_KEY_BYTES) == 0)
			return OK;
	}
	return ERR_UNKNOWN_KEY;
}

static void rig_echo(struct rig *r)
{
	size_t sent = 0;

	for (; sent < r->echo_count; sent++) {
		const struct echo *echo = &r->echo[sent];
		int rc = net_server_send(r->server, &echo->route, BYTES(echo->frame, echo->size));
		if (rc == ERR_AGAIN)
			break;
		assert_true(rc == OK || rc == ERR_UNREACHABLE); /* its sender may have gone */
		free(echo->frame);
	}
	r->echo_count -= sent;
	memmove(r->echo, r->echo + sent, r->echo_count * sizeof(r->echo[0]));
}

static void rig_on_frame(void *context, const struct net_route *route, const uint8_t key[NET_KEY_BYTES],
                         struct bytes frame)
{
	struct rig *r = context;

	r->frames++;
	r->route = *route;
	memcpy(r->key, key, NET_KEY_BYTES);
	if (!r->does_echo)
		return;
	assert_true(r->echo_count < RIG_ECHOES);
	struct echo *echo = &r->echo[r->echo_count++];
	*echo = (struct echo){ .route = *route, .size = frame.size, .frame = malloc(frame.size + 1) };
	assert_non_null(echo->frame);
	memcpy(echo->frame, frame.data, frame.size);
	rig_echo(r);
}

static void rig_on_writable(void *context)
{
	struct rig *r = context;

	r->writable++;
	rig_echo(r);
}

static struct net_server_options rig_server_options(struct rig *r, const char *address)
{
	return (struct net_server_options){ .address = address,
		                            .zap_domain = "link",
		                            .public_key = r->server_keys.public_key,
		                            .secret_key = r->server_keys.secret_key,
		                            .context = r,
		                            .admit = rig_admit,
		                            .on_frame = rig_on_frame,
		                            .on_writable = rig_on_writable };
}

static inline void rig_open(struct rig *r)
{
	struct error e = { 0 };

	memset(r, 0, sizeof(*r));
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(net_open(&r->loop, &r->net, &e), OK);
	assert_int_equal(net_keypair(r->server_keys.public_key, r->server_keys.secret_key, &e), OK);
	for (size_t i = 0; i < RIG_KEYS; i++)
		assert_int_equal(net_keypair(r->known[i].public_key, r->known[i].secret_key, &e), OK);
	r->known_count = RIG_KEYS;
	struct net_server_options options = rig_server_options(r, "tcp://127.0.0.1:*");
	int rc = net_server_open(r->net, &options, &r->server, &e);
	if (rc != OK)
		fail_msg("%s", e.text);
}

/* Everything of the room must let go of the loop, else this never ends. */
static inline void rig_close(struct rig *r)
{
	net_server_close(r->server);
	net_close(r->net);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

static void peer_on_state(void *context, enum net_client_state state)
{
	struct peer *p = context;

	p->state = state;
	p->connected += state == NET_CONNECTED;
	p->refused += state == NET_REFUSED;
}

/* Frames that begin with a number are expected to come in order. */
static void peer_on_frame(void *context, struct bytes frame)
{
	struct peer *p = context;
	uint32_t number = 0;

	p->frames++;
	if (frame.size >= sizeof(number))
		memcpy(&number, frame.data, sizeof(number));
	p->is_out_of_order |= number != p->next_expected++;
}

static void peer_on_writable(void *context)
{
	((struct peer *)context)->writable++;
}

static inline void peer_open_to(struct rig *r, struct peer *p, const struct keys *keys, const uint8_t *server_key,
                                const char *address)
{
	struct error e = { 0 };
	const struct net_client_options options = { .address = address,
		                                    .server_key = server_key,
		                                    .public_key = keys->public_key,
		                                    .secret_key = keys->secret_key,
		                                    .context = p,
		                                    .on_state = peer_on_state,
		                                    .on_frame = peer_on_frame,
		                                    .on_writable = peer_on_writable,
		                                    .retry_ms = 200 };

	memset(p, 0, sizeof(*p));
	int rc = net_client_open(r->net, &options, &p->client, &e);
	if (rc != OK)
		fail_msg("%s", e.text);
}

static inline void peer_open(struct rig *r, struct peer *p, const struct keys *keys)
{
	peer_open_to(r, p, keys, r->server_keys.public_key, net_server_address(r->server));
}

/* A client made of bare ZeroMQ, for what the room's own would never do. */
static inline void *stranger_connect(void *context, struct rig *r, const struct keys *keys, const char *routing_id,
                                     size_t routing_id_size)
{
	void *socket = zmq_socket(context, ZMQ_DEALER);
	int linger = 0;

	assert_non_null(socket);
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, r->server_keys.public_key, NET_KEY_BYTES);
	zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, NET_KEY_BYTES);
	zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, NET_KEY_BYTES);
	if (routing_id)
		assert_int_equal(zmq_setsockopt(socket, ZMQ_ROUTING_ID, routing_id, routing_id_size), 0);
	assert_int_equal(zmq_connect(socket, net_server_address(r->server)), 0);
	return socket;
}

#endif
