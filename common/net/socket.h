/*
 * A ZeroMQ socket on the libuv loop.
 *
 * The descriptor of a ZeroMQ socket is edge-triggered: it tells that something changed, once, and any call on the
 * socket (a send, too) may swallow that. So it only wakes the loop. The truth is ZMQ_EVENTS, read at two places:
 *
 *   prepare   before the loop sleeps: if there is something to do, an idle handle keeps it from sleeping
 *   check     after it woke: messages are taken, at most NET_MESSAGES_A_TURN, then `after` is called
 *
 * A socket lives inside its owner. net_socket_close accepts a half-built one and calls on_closed once, when the
 * handles are gone and the ZeroMQ socket is closed (in that order: libuv still watches the descriptor until then);
 * only then may the owner be freed. No `take` or `after` is called once net_socket_close has been.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>
#include <zmq.h>

#include "base/errors.h"

#define NET_MESSAGES_A_TURN 256
#define NET_ADDRESS_BYTES 256
#define NET_QUEUE_FRAMES 256 /* each way, for each connection */
/* For a handshake, which takes three and a half round trips: a line of more than a second each way is as good as down.
 */
#define NET_HANDSHAKE_MS 10000
/* What CURVE adds to a frame: "\x07MESSAGE", nonce, authenticator, flags. ZMQ_MAXMSGSIZE counts them. */
#define NET_CURVE_OVERHEAD_BYTES (8 + 8 + 16 + 1)

struct net;

struct net_socket {
	void *zmq;
	struct net *net;
	void *owner;
	bool (*take)(void *owner);              /* takes one message; false: there was none */
	void (*after)(void *owner, bool woken); /* once a turn; woken: something changed. May be NULL */
	void (*on_closed)(void *owner);
	uv_poll_t poll;
	uv_check_t check;
	uv_prepare_t prepare;
	uv_idle_t idle;
	unsigned handles; /* open ones */
	bool is_woken;
	bool is_closing;
	bool wants_to_send; /* ZMQ_POLLOUT is something to do */
};

int net_socket_open(struct net_socket *s, struct net *n, int type, struct error *e); /* not on the loop yet */
int net_socket_start(struct net_socket *s, struct error *e);                         /* on the loop */
void net_socket_close(struct net_socket *s);

/* ERR_INTERNAL naming the option. */
int net_socket_set(struct net_socket *s, int option, const void *value, size_t size, struct error *e);

struct net_setting {
	int option, value;
};
int net_socket_set_all(struct net_socket *s, const struct net_setting *settings, size_t count, struct error *e);

/* What server and client sockets have in common: limits, heartbeat, keys, and IPv6 if the address asks for it. */
int net_socket_set_common(struct net_socket *s, const char *address, uint32_t frame_bytes_most,
                          const uint8_t *public_key, const uint8_t *secret_key, struct error *e);

int net_socket_events(struct net_socket *s); /* ZMQ_POLLIN, ZMQ_POLLOUT */
void net_socket_drain(struct net_socket *s); /* takes what is there, bounded */
void net_socket_stir(struct net_socket *s);  /* after a send: the loop shall look at ZMQ_EVENTS before it sleeps */

/*
 * Receives one message of any number of parts and returns that number, 0 if there is none. The first `most` are
 * kept in `parts`, to be given back by net_parts_close with the same numbers; the rest is discarded.
 */
size_t net_socket_receive(struct net_socket *s, zmq_msg_t *parts, size_t most);
void net_parts_close(zmq_msg_t *parts, size_t count, size_t most);

#endif
