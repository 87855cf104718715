/*
 * The DEALER to the tier above.
 *
 *                     handshake succeeded
 *      CONNECTING ──────────────────────────▶ CONNECTED
 *        ▲  │ ◀──────────────────────────────────┘ disconnected
 *        │  │ handshakes were broken off, in a row      (also from WRONG_KEY:)
 *        │  ├─────────────▶ WRONG_KEY ── succeeded ──▶ CONNECTED
 *        │  │                   └── nobody listens ──▶ CONNECTING
 *        │  └ refused (400) ▶ REFUSED ── retry_ms, a new line; stays REFUSED until that tells otherwise
 *        └── net_client_reconnect, from any
 *
 * ZeroMQ connects again by itself after a lost connection, and says so (CONNECT_RETRIED). After a refusal, and after
 * an error of protocol, it never does: then the timer makes a new line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "line.h"

#define RETRY_MS_DEFAULT 1000
#define FAILURES_LEAST \
	3 /* in a row: a server that is stopped in the middle of a handshake looks like one with another key */
#define BROKEN_OFF_MS (NET_HANDSHAKE_MS / 2) /* later than that nobody broke it off: the line is slow, or dead */

struct net_client {
	struct net *net;
	struct net_line *line; /* NULL between two */
	uv_timer_t retry;
	enum net_client_state state;
	unsigned failures;                 /* handshakes that were broken off in a row */
	uint64_t connected_ms;             /* uv_now, when the newest handshake could begin */
	struct net_client_options options; /* its pointers lead to the copies below */
	char *address;
	uint8_t server_key[NET_KEY_BYTES], public_key[NET_KEY_BYTES], secret_key[NET_KEY_BYTES];
};

static void enter(struct net_client *c, enum net_client_state state)
{
	if (c->state == state)
		return;
	c->state = state;
	if (c->options.on_state)
		c->options.on_state(c->options.context, state);
}

static void drop_line(struct net_client *c)
{
	struct net_line *l = c->line;

	c->line = NULL;
	net_line_drop(l);
}

static void on_retry(uv_timer_t *timer)
{
	struct net_client *c = timer->data;

	drop_line(c);
	if (net_line_open(c, c->net, &c->options, &c->line, NULL) != OK)
		uv_timer_start(timer, on_retry, c->options.retry_ms, 0);
}

static void retry_later(struct net_client *c)
{
	uv_timer_start(&c->retry, on_retry, c->options.retry_ms, 0);
}

static void hear_disconnected(struct net_client *c)
{
	retry_later(c);
	if (c->state != NET_CONNECTED)
		return;
	/* What came before the end is still waiting, perhaps the reason for it. */
	struct net_line *l = c->line;
	net_socket_drain(&l->data);
	if (l->client != c)
		return; /* closed, or a new line, by who read it */
	l->data.wants_to_send = false;
	enter(c, NET_CONNECTING);
}

void net_client_hear(struct net_client *c, int event)
{
	switch (event) {
	case ZMQ_EVENT_CONNECTED:
		c->connected_ms = uv_now(c->net->loop);
		break;
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		uv_timer_stop(&c->retry);
		c->failures = 0;
		enter(c, NET_CONNECTED);
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		drop_line(c);
		retry_later(c);
		enter(c, NET_REFUSED);
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		retry_later(c);
		if (uv_now(c->net->loop) - c->connected_ms < BROKEN_OFF_MS && ++c->failures >= FAILURES_LEAST)
			enter(c, NET_WRONG_KEY);
		break;
	case ZMQ_EVENT_DISCONNECTED:
		hear_disconnected(c);
		break;
	case ZMQ_EVENT_CONNECT_RETRIED:
		uv_timer_stop(&c->retry);
		break;
	case ZMQ_EVENT_CLOSED:
		c->failures = 0;
		if (c->state == NET_WRONG_KEY)
			enter(c, NET_CONNECTING);
		break;
	default:
		break;
	}
}

void net_client_take(struct net_client *c, zmq_msg_t *parts, size_t count)
{
	if (c->state == NET_CONNECTED && count == 1 && zmq_msg_size(&parts[0]) <= NET_FRAME_BYTES_MOST)
		c->options.on_frame(c->options.context, BYTES(zmq_msg_data(&parts[0]), zmq_msg_size(&parts[0])));
}

void net_client_writable(struct net_client *c)
{
	if (c->options.on_writable)
		c->options.on_writable(c->options.context);
}

bool net_client_is_connected(const struct net_client *c)
{
	return c->state == NET_CONNECTED;
}

static void client_freed(uv_handle_t *timer)
{
	struct net_client *c = timer->data;
	struct net *n = c->net;

	free(c->address);
	explicit_bzero(c->secret_key, sizeof(c->secret_key));
	free(c);
	net_release(n);
}

void net_client_close(struct net_client *c)
{
	if (!c)
		return;
	drop_line(c);
	uv_close((uv_handle_t *)&c->retry, client_freed);
}

static void copy_options(struct net_client *c, const struct net_client_options *options, char *address)
{
	c->address = address;
	memcpy(c->server_key, options->server_key, NET_KEY_BYTES);
	memcpy(c->public_key, options->public_key, NET_KEY_BYTES);
	memcpy(c->secret_key, options->secret_key, NET_KEY_BYTES);
	c->options = *options;
	c->options.address = c->address;
	c->options.server_key = c->server_key;
	c->options.public_key = c->public_key;
	c->options.secret_key = c->secret_key;
	if (c->options.retry_ms == 0)
		c->options.retry_ms = RETRY_MS_DEFAULT;
}

int net_client_open(struct net *n, const struct net_client_options *options, struct net_client **out, struct error *e)
{
	struct net_client *c = calloc(1, sizeof(*c));
	char *address = strdup(options->address);

	if (!c || !address) {
		free(c);
		free(address);
		return error_set(e, ERR_MEMORY, "no memory for a client");
	}
	c->net = n;
	net_hold(n);
	copy_options(c, options, address);
	uv_timer_init(n->loop, &c->retry);
	c->retry.data = c;
	int rc = net_line_open(c, n, &c->options, &c->line, e);
	if (rc != OK) {
		net_client_close(c);
		return rc;
	}
	*out = c;
	return OK;
}

void net_client_reconnect(struct net_client *c)
{
	drop_line(c);
	retry_later(c);
	enter(c, NET_CONNECTING);
}

static int send_frame(struct net_line *l, struct bytes frame)
{
	if (zmq_send(l->data.zmq, frame.data, frame.size, ZMQ_DONTWAIT) >= 0)
		return OK;
	return errno == EAGAIN || errno == EINTR || errno == ENOMEM ? ERR_AGAIN : ERR_UNREACHABLE;
}

int net_client_send(struct net_client *c, struct bytes frame)
{
	if (frame.size > NET_FRAME_BYTES_MOST)
		return ERR_TOO_BIG;
	if (c->state != NET_CONNECTED)
		return ERR_UNREACHABLE;
	struct net_line *l = c->line;
	int rc = send_frame(l, frame);
	if (rc == ERR_AGAIN) {
		net_socket_events(&l->data); /* hears of room that was made meanwhile */
		rc = send_frame(l, frame);
	}
	l->data.wants_to_send = rc == ERR_AGAIN;
	net_socket_stir(&l->data);
	return rc;
}
