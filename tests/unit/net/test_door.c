/* A door: honest clients pass through it, and nobody gets more than a place, a few bytes and a moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define FRAME_MOST 1024
#define PARTS 2000
#define MANY_FRAMES 600 /* more bytes than a stranger has */

struct house {
	struct rig rig;
	struct net_server *behind;
	struct net_door *door;
	char folder[64], path[96], address[128];
	unsigned ended;
};

static void behind_on_frame(void *context, const struct net_route *route, const uint8_t key[NET_KEY_BYTES],
                            struct bytes frame)
{
	struct house *h = context;
	(void)key;
	net_server_send(h->behind, route, frame);
}

static int admit_all(void *context, const uint8_t key[NET_KEY_BYTES])
{
	(void)context;
	(void)key;
	return OK;
}

/* At a door for links only the rig's known keys come in. */
static int admit_known(void *context, const uint8_t key[NET_KEY_BYTES])
{
	return rig_admit(&((struct house *)context)->rig, key);
}

static void house_open_as(struct house *h, uint32_t stay_ms, bool is_for_links)
{
	struct error e = { 0 };

	memset(h, 0, sizeof(*h));
	rig_open(&h->rig);
	strcpy(h->folder, "/tmp/net-door-XXXXXX");
	assert_non_null(mkdtemp(h->folder));
	snprintf(h->path, sizeof(h->path), "%s/s", h->folder);
	snprintf(h->address, sizeof(h->address), "ipc://%s", h->path);
	struct net_server_options options = { .address = h->address,
		                              .is_behind_door = true,
		                              .zap_domain = "join",
		                              .public_key = h->rig.server_keys.public_key,
		                              .secret_key = h->rig.server_keys.secret_key,
		                              .frame_bytes_most = FRAME_MOST,
		                              .context = h,
		                              .admit = is_for_links ? admit_known : admit_all,
		                              .on_frame = behind_on_frame };
	if (net_server_open(h->rig.net, &options, &h->behind, &e))
		fail_msg("%s", e.text);
	const struct net_door_options door = {
		.address = "tcp://127.0.0.1:*", .socket_path = h->path, .stay_ms = stay_ms, .is_for_links = is_for_links
	};
	if (net_door_open(&h->rig.loop, &door, &h->door, &e))
		fail_msg("%s", e.text);
}

static void house_open(struct house *h, uint32_t stay_ms)
{
	house_open_as(h, stay_ms, false);
}

static void house_close(struct house *h)
{
	net_door_close(h->door);
	net_server_close(h->behind);
	rig_close(&h->rig);
	unlink(h->path);
	assert_int_equal(rmdir(h->folder), 0);
}

static void peer_enter(struct house *h, struct peer *p, size_t who)
{
	peer_open_to(&h->rig, p, &h->rig.known[who], h->rig.server_keys.public_key, net_door_address(h->door));
	run_until(&h->rig, &p->connected, 1);
}

static void peer_says(struct house *h, struct peer *p)
{
	unsigned before = p->frames;

	assert_int_equal(net_client_send(p->client, bytes_from_text("knock")), OK);
	run_until(&h->rig, &p->frames, before + 1);
}

/* A bare TCP connection that does not block, from this address of loopback. */
static int knock_from(struct house *h, uint32_t from)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(from) };
	const char *colon = strrchr(net_door_address(h->door), ':');
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int rc = connect(fd, (struct sockaddr *)&to, sizeof(to));
	assert_true(rc == 0 || errno == EINPROGRESS);
	return fd;
}

static int knock(struct house *h)
{
	return knock_from(h, INADDR_LOOPBACK);
}

/* Runs the loop until the other side has ended this connection. */
static bool is_ended(struct house *h, int fd)
{
	char byte[256];
	uint64_t end_us = 0;

	while (has_time(&end_us)) {
		ssize_t size = recv(fd, byte, sizeof(byte), 0);
		if (size == 0 || (size < 0 && errno != EAGAIN))
			return true;
		run_for(&h->rig, 10);
	}
	return false;
}

static void an_honest_client_passes(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open(&h, 0);
	peer_enter(&h, &p, 0);
	peer_says(&h, &p);
	net_client_close(p.client);
	assert_int_equal(net_door_ended(h.door), 0);
	house_close(&h);
}

static void the_longest_there_makes_room(void **state)
{
	struct house h;
	struct peer p;
	int fd[NET_DOOR_PLACES + 8];

	(void)state;
	house_open(&h, 0);
	for (size_t i = 0; i < NET_DOOR_PLACES + 8; i++)
		fd[i] = knock(&h); /* they wait in the backlog, and are let in one after the other */
	for (size_t i = 0; i < 8; i++)
		assert_true(is_ended(&h, fd[i]));
	assert_int_equal(net_door_ended(h.door), 8);
	peer_enter(&h, &p, 0); /* all places are taken by who says nothing */
	peer_says(&h, &p);
	net_client_close(p.client);
	for (size_t i = 0; i < NET_DOOR_PLACES + 8; i++)
		close(fd[i]);
	house_close(&h);
}

static void nobody_stays(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, 300);
	int fd = knock(&h);
	assert_true(is_ended(&h, fd));
	assert_int_equal(net_door_ended(h.door), 1);
	close(fd);
	house_close(&h);
}

/* A message of many parts, none of them too large: libzmq would keep them all. */
static void nobody_sends_much(void **state)
{
	struct house h;
	struct peer p;
	char part[FRAME_MOST / 2] = { 0 };

	(void)state;
	house_open(&h, 60 * LONG_MS);
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
	int none = 0, never = -1;
	zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none));
	zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &never, sizeof(never));
	zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, h.rig.server_keys.public_key, NET_KEY_BYTES);
	zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, h.rig.known[1].public_key, NET_KEY_BYTES);
	zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, h.rig.known[1].secret_key, NET_KEY_BYTES);
	assert_int_equal(zmq_connect(socket, net_door_address(h.door)), 0);
	for (unsigned i = 0; i < PARTS; i++)
		assert_true(zmq_send(socket, part, sizeof(part), i + 1 < PARTS ? ZMQ_SNDMORE : 0) >= 0);
	for (uint64_t end_us = 0; has_time(&end_us) && net_door_ended(h.door) == 0;)
		run_for(&h.rig, 10);
	assert_int_equal(net_door_ended(h.door), 1);
	zmq_close(socket);
	zmq_ctx_term(context);
	peer_enter(&h, &p, 0);
	peer_says(&h, &p);
	net_client_close(p.client);
	house_close(&h);
}

/* ---- a door for links ---- */

static void who_is_admitted_stays_and_says_much(void **state)
{
	struct house h;
	struct peer p;
	int fd[NET_DOOR_PLACES + 8];

	(void)state;
	house_open_as(&h, 300, true);
	peer_enter(&h, &p, 0);
	run_for(&h.rig, 1200); /* longer than any stranger */
	for (size_t i = 0; i < NET_DOOR_PLACES + 8; i++)
		fd[i] = knock(&h); /* from its own address, and they take every place */
	for (size_t i = 0; i < 8; i++)
		assert_true(is_ended(&h, fd[i]));
	for (int i = 0; i < MANY_FRAMES; i++)
		peer_says(&h, &p);
	assert_int_equal(p.connected, 1);
	assert_true(net_door_ended(h.door) >= 8);
	net_client_close(p.client);
	for (size_t i = 0; i < NET_DOOR_PLACES + 8; i++)
		close(fd[i]);
	house_close(&h);
}

static void who_is_not_admitted_does_not_stay(void **state)
{
	struct house h;
	struct peer p;

	(void)state;
	house_open_as(&h, 300, true);
	h.rig.known_count = 0;
	peer_open_to(&h.rig, &p, &h.rig.known[0], h.rig.server_keys.public_key, net_door_address(h.door));
	run_until(&h.rig, &p.refused, 1); /* it learns that it is its key */
	assert_int_equal(p.connected, 0);
	net_client_close(p.client);
	house_close(&h);
}

/* It hears the server's first words, which say nothing about it. */
static void who_only_greets_does_not_stay(void **state)
{
	static const uint8_t greeting[64] = { 0xff, [9] = 0x7f, [10] = 3, [11] = 1, 'C', 'U', 'R', 'V', 'E' };
	struct house h;

	(void)state;
	house_open_as(&h, 300, true);
	int fd = knock(&h);
	run_for(&h.rig, 50);
	assert_int_equal(send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL), sizeof(greeting));
	assert_true(is_ended(&h, fd));
	assert_int_equal(net_door_ended(h.door), 1);
	close(fd);
	house_close(&h);
}

/* They need their address to themselves: the flood of another one takes its own places. */
static void a_flood_leaves_who_comes_from_elsewhere(void **state)
{
	struct house h;
	enum { SECOND_WAVE = NET_DOOR_PLACES + 16 };
	int fd[NET_DOOR_PLACES + SECOND_WAVE];

	(void)state;
	house_open_as(&h, 60 * LONG_MS, true);
	for (size_t i = 0; i < NET_DOOR_PLACES; i++)
		fd[i] = knock_from(&h, INADDR_LOOPBACK + 1);
	run_for(&h.rig, 200);
	int ours = knock(&h);
	run_for(&h.rig, 100);
	for (size_t i = NET_DOOR_PLACES; i < NET_DOOR_PLACES + SECOND_WAVE; i++)
		fd[i] = knock_from(&h, INADDR_LOOPBACK + 1);
	for (size_t i = 0; i < NET_DOOR_PLACES + 8; i++) /* some of the second wave, too: they came after ours */
		assert_true(is_ended(&h, fd[i]));
	char byte;
	assert_true(recv(ours, &byte, 1, 0) < 0 && errno == EAGAIN);
	close(ours);
	for (size_t i = 0; i < NET_DOOR_PLACES + SECOND_WAVE; i++)
		close(fd[i]);
	house_close(&h);
}

static void an_address_that_cannot_be_had_is_named(void **state)
{
	static const char *const addresses[] = { "tcp://192.0.2.1:5601", "tcp://nonsense:5601", "tcp://127.0.0.1:99999",
		                                 "ipc:///tmp/x", "tcp://[::1:5601" };
	struct house h;
	struct net_door *none = NULL;

	(void)state;
	house_open(&h, 0);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct error e = { 0 };
		const struct net_door_options o = { .address = addresses[i], .socket_path = h.path };
		assert_int_equal(net_door_open(&h.rig.loop, &o, &none, &e), ERR_INVALID);
		assert_non_null(strstr(e.text, addresses[i]));
		assert_null(none);
	}
	struct error e = { 0 };
	const struct net_door_options taken = { .address = net_door_address(h.door), .socket_path = h.path };
	assert_int_equal(net_door_open(&h.rig.loop, &taken, &none, &e), ERR_EXISTS);
	house_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_client_passes),
		cmocka_unit_test(the_longest_there_makes_room),
		cmocka_unit_test(nobody_stays),
		cmocka_unit_test(nobody_sends_much),
		cmocka_unit_test(who_is_admitted_stays_and_says_much),
		cmocka_unit_test(who_is_not_admitted_does_not_stay),
		cmocka_unit_test(who_only_greets_does_not_stay),
		cmocka_unit_test(a_flood_leaves_who_comes_from_elsewhere),
		cmocka_unit_test(an_address_that_cannot_be_had_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
