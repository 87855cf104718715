/*
 * A door in front of a server that admits strangers: bytes from a TCP port to a Unix socket and back, all of it
 * bounded.
 *
 *   stranger ──tcp──▶ outside │ inside ──unix──▶ ROUTER
 *
 * What crosses it is CURVE from end to end; the door sees nothing and changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "socket.h"

#define BACKLOG 128
#define READ_BYTES 2048
#define SWEEP_MS 500

enum { OUTSIDE, INSIDE, SIDES };

struct visit { /* one connection */
	struct net_door *door;
	struct visit *next; /* the one that came after it */
	union {
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
		uv_handle_t handle;
	} side[SIDES];
	uv_connect_t connect;
	unsigned open; /* handles */
	bool is_over;
	uint64_t since_ms;
	size_t passed[SIDES]; /* bytes that came in from this side */
	char read[SIDES][READ_BYTES];
};

struct pass { /* bytes on their way out */
	uv_write_t write;
	char data[];
};

struct net_door {
	uv_loop_t *loop;
	uv_tcp_t port;
	uv_timer_t sweep;
	struct visit *oldest, *newest;
	unsigned places;  /* taken */
	unsigned open;    /* handles of its own, and visits that are closing */
	bool has_waiting; /* a knock for which there was no memory */
	uint64_t ended, stay_ms;
	char address[NET_ADDRESS_BYTES];
	char path[NET_ADDRESS_BYTES];
};

static void door_let_go(struct net_door *d)
{
	if (--d->open == 0)
		free(d);
}

/* ---- one connection ---- */

static void on_side_closed(uv_handle_t *handle)
{
	struct visit *v = handle->data;
	struct net_door *d = v->door;

	if (--v->open > 0)
		return;
	free(v);
	door_let_go(d);
}

static void visit_end(struct visit *v)
{
	struct net_door *d = v->door;
	struct visit *before = NULL;

	if (v->is_over)
		return;
	v->is_over = true;
	for (struct visit **at = &d->oldest; *at; at = &(*at)->next) {
		if (*at == v) {
			*at = v->next;
			break;
		}
		before = *at;
	}
	if (d->newest == v)
		d->newest = before;
	d->places--;
	for (int side = 0; side < SIDES; side++)
		uv_close(&v->side[side].handle, on_side_closed);
}

static void visit_cut(struct visit *v)
{
	v->door->ended++;
	visit_end(v);
}

static int side_of(const struct visit *v, const uv_handle_t *handle)
{
	return handle == &v->side[OUTSIDE].handle ? OUTSIDE : INSIDE;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct visit *v = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(v->read[side_of(v, handle)], READ_BYTES);
}

static void on_written(uv_write_t *write, int status)
{
	struct visit *v = write->handle->data;

	free(write->data);
	if (status)
		visit_end(v);
}

static int bytes_pass(struct visit *v, int to, const char *data, size_t size)
{
	struct pass *p = malloc(sizeof(*p) + size);

	if (!p)
		return UV_ENOMEM;
	memcpy(p->data, data, size);
	p->write.data = p;
	uv_buf_t buffer = uv_buf_init(p->data, (unsigned)size);
	int rc = uv_write(&p->write, &v->side[to].stream, &buffer, 1, on_written);
	if (rc)
		free(p);
	return rc;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct visit *v = stream->data;
	int from = side_of(v, (uv_handle_t *)stream);

	if (size == 0 || v->is_over)
		return;
	if (size < 0) {
		visit_end(v);
		return;
	}
	v->passed[from] += (size_t)size;
	if (v->passed[from] > NET_DOOR_BYTES)
		visit_cut(v);
	else if (bytes_pass(v, from == OUTSIDE ? INSIDE : OUTSIDE, buffer->base, (size_t)size))
		visit_end(v);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct visit *v = connect->handle->data;

	if (v->is_over)
		return;
	if (status || uv_read_start(&v->side[OUTSIDE].stream, on_alloc, on_read) ||
	    uv_read_start(&v->side[INSIDE].stream, on_alloc, on_read))
		visit_end(v);
}

static struct visit *visit_make(struct net_door *d)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->door = d;
	v->since_ms = uv_now(d->loop);
	uv_tcp_init(d->loop, &v->side[OUTSIDE].tcp);
	uv_pipe_init(d->loop, &v->side[INSIDE].pipe, 0);
	v->side[OUTSIDE].handle.data = v->side[INSIDE].handle.data = v;
	v->open = SIDES;
	d->open++;
	d->places++;
	if (d->newest)
		d->newest->next = v;
	else
		d->oldest = v;
	d->newest = v;
	return v;
}

static void on_knock(uv_stream_t *port, int status)
{
	struct net_door *d = port->data;

	if (status)
		return;
	if (d->places == NET_DOOR_PLACES)
		visit_cut(d->oldest);
	struct visit *v = visit_make(d);
	d->has_waiting = !v;
	if (!v)
		return; /* libuv keeps it and calls no more until it is accepted: on_sweep tries again */
	if (uv_accept(port, &v->side[OUTSIDE].stream))
		visit_end(v);
	else
		uv_pipe_connect(&v->connect, &v->side[INSIDE].pipe, d->path, on_connected);
}

static void on_sweep(uv_timer_t *timer)
{
	struct net_door *d = timer->data;

	while (d->oldest && uv_now(d->loop) - d->oldest->since_ms > d->stay_ms)
		visit_cut(d->oldest);
	if (d->has_waiting)
		on_knock((uv_stream_t *)&d->port, 0);
}

/* ---- life ---- */

static void on_own_closed(uv_handle_t *handle)
{
	door_let_go(handle->data);
}

void net_door_close(struct net_door *d)
{
	if (!d)
		return;
	while (d->oldest)
		visit_end(d->oldest);
	uv_close((uv_handle_t *)&d->port, on_own_closed);
	uv_close((uv_handle_t *)&d->sweep, on_own_closed);
}

static int address_read(const char *address, struct sockaddr_storage *out, struct error *e)
{
	char host[NET_ADDRESS_BYTES];

	int rc = net_address_check(address, true, e);
	if (rc != OK)
		return rc;
	const char *colon = strrchr(address, ':');
	int port = (int)strtol(colon + 1, NULL, 10); /* "*" is 0: any */
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address - 6), address + 6);
	size_t length = strlen(host);
	if (strcmp(host, "*") == 0)
		strcpy(host, "0.0.0.0");
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		rc = uv_ip6_addr(host + 1, port, (struct sockaddr_in6 *)out);
	} else {
		rc = uv_ip4_addr(host, port, (struct sockaddr_in *)out);
	}
	return rc ? error_set(e, ERR_INVALID, "address %s cannot be bound: write an address in figures, or *", address)
	          : OK;
}

static int port_open(struct net_door *d, const char *address, struct error *e)
{
	struct sockaddr_storage at = { 0 };
	char host[64];
	int size = sizeof(at);

	int rc = address_read(address, &at, e);
	if (rc != OK)
		return rc;
	rc = uv_tcp_bind(&d->port, (struct sockaddr *)&at, 0);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&d->port, BACKLOG, on_knock);
	if (rc == UV_EADDRINUSE)
		return error_set(e, ERR_EXISTS, "address %s is in use by another process", address);
	if (!rc)
		rc = uv_tcp_getsockname(&d->port, (struct sockaddr *)&at, &size);
	if (rc)
		return error_set(e, ERR_INVALID, "address %s cannot be bound: %s", address, uv_strerror(rc));
	bool is_v6 = at.ss_family == AF_INET6;
	if (is_v6)
		uv_ip6_name((struct sockaddr_in6 *)&at, host, sizeof(host));
	else
		uv_ip4_name((struct sockaddr_in *)&at, host, sizeof(host));
	unsigned port = ntohs(is_v6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
	snprintf(d->address, sizeof(d->address), is_v6 ? "tcp://[%s]:%u" : "tcp://%s:%u", host, port);
	return OK;
}

int net_door_open(uv_loop_t *loop, const struct net_door_options *options, struct net_door **out, struct error *e)
{
	struct net_door *d = calloc(1, sizeof(*d));

	if (!d)
		return error_set(e, ERR_MEMORY, "no memory for a door");
	d->loop = loop;
	d->stay_ms = options->stay_ms ? options->stay_ms : NET_DOOR_MS;
	snprintf(d->path, sizeof(d->path), "%s", options->socket_path);
	uv_tcp_init(loop, &d->port);
	uv_timer_init(loop, &d->sweep);
	d->port.data = d->sweep.data = d;
	d->open = 2;
	uv_timer_start(&d->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	int rc = port_open(d, options->address, e);
	if (rc != OK) {
		net_door_close(d);
		return rc;
	}
	*out = d;
	return OK;
}

const char *net_door_address(const struct net_door *d)
{
	return d->address;
}

uint64_t net_door_ended(const struct net_door *d)
{
	return d->ended;
}
