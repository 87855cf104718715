/* One connection of a client; line.h tells its life. */
#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000

#define EVENTS_HEARD                                                                                              \
	(ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |            \
	 ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | \
	 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)

/* A monitor's message: event (16 bits) and value (32 bits) in the machine's order | the address. */
static bool line_take_event(void *owner)
{
	struct net_line *l = owner;
	zmq_msg_t parts[2];
	uint16_t event = 0;

	size_t count = net_socket_receive(&l->monitor, parts, 2);
	if (count == 0)
		return false;
	if (zmq_msg_size(&parts[0]) >= sizeof(event))
		memcpy(&event, zmq_msg_data(&parts[0]), sizeof(event));
	net_parts_close(parts, count, 2);
	if (l->client)
		net_client_hear(l->client, event);
	return true;
}

static bool line_take(void *owner)
{
	struct net_line *l = owner;
	zmq_msg_t parts[1];

	size_t count = net_socket_receive(&l->data, parts, 1);
	if (count == 0)
		return false;
	/* The two sockets are read in any order, but the event of the handshake was sent before the first frame. */
	while (l->client && !net_client_is_connected(l->client) && line_take_event(l))
		continue;
	if (l->client)
		net_client_take(l->client, parts, count);
	net_parts_close(parts, count, 1);
	return true;
}

static void line_after(void *owner, bool woken)
{
	struct net_line *l = owner;

	(void)woken;
	if (!l->data.wants_to_send || !(net_socket_events(&l->data) & ZMQ_POLLOUT))
		return;
	l->data.wants_to_send = false;
	if (l->client)
		net_client_writable(l->client);
}

static void line_socket_closed(void *owner)
{
	struct net_line *l = owner;

	if (--l->sockets == 0)
		free(l);
}

void net_line_drop(struct net_line *l)
{
	if (!l)
		return;
	l->client = NULL;
	/* First, while its reader exists: the I/O thread would wait for ever to tell an event to nobody. */
	if (l->data.zmq)
		zmq_socket_monitor(l->data.zmq, NULL, 0);
	net_socket_close(&l->data);
	net_socket_close(&l->monitor);
}

static int line_watch(struct net_line *l, struct net *n, struct error *e)
{
	/* No limit: the I/O thread must never wait for the reader. Events come a few a second at most. */
	const struct net_setting unlimited = { ZMQ_RCVHWM, 0 };
	char address[64];

	snprintf(address, sizeof(address), "inproc://net-monitor-%" PRIu64, n->monitors_made++);
	if (zmq_socket_monitor(l->data.zmq, address, EVENTS_HEARD) != 0)
		return error_set(e, ERR_INTERNAL, "a connection cannot be monitored: %s", zmq_strerror(errno));
	int rc = net_socket_open(&l->monitor, n, ZMQ_PAIR, e);
	if (rc == OK)
		rc = net_socket_set_all(&l->monitor, &unlimited, 1, e);
	if (rc == OK && zmq_connect(l->monitor.zmq, address) != 0)
		rc = error_set(e, ERR_INTERNAL, "a connection cannot be monitored: %s", zmq_strerror(errno));
	if (rc == OK)
		rc = net_socket_start(&l->monitor, e);
	return rc;
}

static int line_connect(struct net_line *l, const struct net_client_options *o, struct error *e)
{
	const struct net_setting settings[] = {
		{ ZMQ_IMMEDIATE, 1 }, /* no queue before the handshake, and none that outlives the connection */
		{ ZMQ_RECONNECT_IVL, 1000 },
		{ ZMQ_RECONNECT_IVL_MAX, 8000 },
		{ ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS },
	};

	int rc = net_address_check(o->address, false, e);
	if (rc == OK)
		rc = net_socket_set_common(&l->data, o->address, NET_FRAME_BYTES_MOST, o->public_key, o->secret_key, e);
	if (rc == OK)
		rc = net_socket_set_all(&l->data, settings, sizeof(settings) / sizeof(settings[0]), e);
	if (rc == OK)
		rc = net_socket_set(&l->data, ZMQ_CURVE_SERVERKEY, o->server_key, NET_KEY_BYTES, e);
	if (rc == OK && zmq_connect(l->data.zmq, o->address) != 0)
		rc = error_set(e, ERR_INVALID, "address %s cannot be connected to: %s", o->address,
		               zmq_strerror(errno));
	return rc;
}

int net_line_open(struct net_client *c, struct net *n, const struct net_client_options *options, struct net_line **out,
                  struct error *e)
{
	struct net_line *l = calloc(1, sizeof(*l));

	if (!l)
		return error_set(e, ERR_MEMORY, "no memory for a connection");
	l->client = c;
	l->sockets = 2;
	l->data.owner = l->monitor.owner = l;
	l->data.on_closed = l->monitor.on_closed = line_socket_closed;
	l->data.take = line_take;
	l->data.after = line_after;
	l->monitor.take = line_take_event;
	int rc = net_socket_open(&l->data, n, ZMQ_DEALER, e);
	if (rc == OK)
		rc = line_watch(l, n, e);
	if (rc == OK)
		rc = line_connect(l, options, e);
	if (rc == OK)
		rc = net_socket_start(&l->data, e);
	if (rc != OK) {
		net_line_drop(l);
		return rc;
	}
	*out = l;
	return OK;
}
