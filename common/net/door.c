/*
 * A door in front of a server: bytes from a TCP port to a Unix socket and back, bounded for whoever is a stranger.
 *
 *   stranger ──tcp──▶ outside │ inside ──unix──▶ ROUTER
 *
 * What crosses it is CURVE from end to end; the door changes nothing. At a door for links it hears from the server whom
 * ZAP has admitted (speech.h): such a visitor is known from then on, leaves its place to the next and may stay.
 *
 * A flood is bounded at each step: so many connections are accepted a second, the others wait in the kernel; the server
 * hears of a stranger only when it says something; who comes from where many come from makes room first. At that rate a
 * stranger has a third of a second before it has to make room: time for a handshake over a slow line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "socket.h"
#include "speech.h"

#define BACKLOG 1024
#define ACCEPTS_A_TURN 8 /* then it rests: 400 a second, so that strangers can cost so much time and no more */
#define REST_MS 20
#define READ_BYTES (64 * 1024)
#define BEHIND_BYTES_MOST (256 * 1024) /* of a known visitor, on their way out: then no more is read */
#define SWEEP_MS 500

enum { OUTSIDE, INSIDE, SIDES };

struct visit { /* one connection */
	struct net_door *door;
	struct visit *next, **at; /* in its list; the newest comes last */
	union {
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
		uv_handle_t handle;
	} side[SIDES];
	uv_connect_t connect;
	unsigned open; /* handles */
	bool is_announced, is_known, is_over;
	bool is_waiting[SIDES]; /* nothing is read from this side until the other has taken what there is */
	uint64_t since_ms;
	size_t passed[SIDES]; /* bytes that came in from this side */
	struct sockaddr_storage from;
	struct speech speech;
};

struct visits { /* a list, the oldest first */
	struct visit *oldest, **end;
	unsigned count;
};

struct pass { /* bytes on their way out */
	uv_write_t write;
	char data[];
};

struct net_door {
	uv_loop_t *loop;
	int port;
	uv_poll_t knocks;
	uv_timer_t sweep, rest;
	struct visits strangers, known;
	unsigned open; /* handles of its own, and visits that are closing */
	bool is_for_links;
	uint64_t ended, stay_ms;
	char address[NET_ADDRESS_BYTES];
	char path[NET_ADDRESS_BYTES];
	char read[READ_BYTES]; /* what is read is passed on at once */
};

static void door_let_go(struct net_door *d)
{
	if (--d->open == 0)
		free(d);
}

/* ---- who is here ---- */

static void visits_add(struct visits *list, struct visit *v)
{
	v->next = NULL;
	v->at = list->end;
	*list->end = v;
	list->end = &v->next;
	list->count++;
}

static void visits_remove(struct visits *list, struct visit *v)
{
	*v->at = v->next;
	if (v->next)
		v->next->at = v->at;
	else
		list->end = v->at;
	list->count--;
}

static struct visits *visits_of(struct visit *v)
{
	return v->is_known ? &v->door->known : &v->door->strangers;
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
	if (v->is_over)
		return;
	v->is_over = true;
	visits_remove(visits_of(v), v);
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
	struct net_door *d = ((struct visit *)handle->data)->door;

	(void)suggested;
	*buffer = uv_buf_init(d->read, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

/* `side` is not read while too much of it waits at the other one. */
static void visit_read(struct visit *v, int side)
{
	bool must_wait = uv_stream_get_write_queue_size(&v->side[!side].stream) > BEHIND_BYTES_MOST;

	if (v->is_over || must_wait == v->is_waiting[side])
		return;
	v->is_waiting[side] = must_wait;
	if (must_wait)
		uv_read_stop(&v->side[side].stream);
	else if (uv_read_start(&v->side[side].stream, on_alloc, on_read))
		visit_end(v);
}

static void on_written(uv_write_t *write, int status)
{
	struct visit *v = write->handle->data;
	int from = !side_of(v, (uv_handle_t *)write->handle);

	free(write->data);
	if (status)
		visit_end(v);
	else
		visit_read(v, from);
}

/* Mostly the other side takes it at once, and nothing is kept. */
static int bytes_pass(struct visit *v, int to, const char *data, size_t size)
{
	uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data, (unsigned)size);
	int done = uv_try_write(&v->side[to].stream, &buffer, 1);

	if (done < 0 && done != UV_EAGAIN)
		return done;
	size_t rest = size - (size_t)(done < 0 ? 0 : done);
	if (rest == 0)
		return 0;
	struct pass *p = malloc(sizeof(*p) + rest);
	if (!p)
		return UV_ENOMEM;
	memcpy(p->data, data + size - rest, rest);
	p->write.data = p;
	buffer = uv_buf_init(p->data, (unsigned)rest);
	int rc = uv_write(&p->write, &v->side[to].stream, &buffer, 1, on_written);
	if (rc)
		free(p);
	return rc;
}

static void visit_become_known(struct visit *v)
{
	visits_remove(&v->door->strangers, v);
	v->is_known = true;
	visits_add(&v->door->known, v);
	if (v->door->known.count > NET_DOOR_KNOWN_MOST)
		visit_cut(v);
}

/* False: it has had its bytes. */
static bool stranger_may_pass(struct visit *v, int from, const char *data, size_t size)
{
	v->passed[from] += size;
	if (v->passed[from] > NET_DOOR_BYTES)
		return false;
	if (v->door->is_for_links && from == INSIDE) {
		speech_hear(&v->speech, data, size);
		if (v->speech.is_ready)
			visit_become_known(v);
	}
	return true;
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct visit *v = connect->handle->data;

	if (!v->is_over && (status || uv_read_start(&v->side[INSIDE].stream, on_alloc, on_read)))
		visit_end(v);
}

/* A stranger says its first word. What is written inside waits there until the server takes the connection. */
static void visit_announce(struct visit *v)
{
	v->is_announced = true;
	uv_pipe_connect(&v->connect, &v->side[INSIDE].pipe, v->door->path, on_connected);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct visit *v = stream->data;
	int from = side_of(v, (uv_handle_t *)stream), to = !from;

	if (size == 0 || v->is_over)
		return;
	if (size < 0) {
		visit_end(v);
		return;
	}
	if (!v->is_known && !stranger_may_pass(v, from, buffer->base, (size_t)size))
		visit_cut(v);
	if (v->is_over)
		return;
	if (!v->is_announced)
		visit_announce(v);
	if (bytes_pass(v, to, buffer->base, (size_t)size))
		visit_end(v);
	else
		visit_read(v, from);
}

static struct visit *visit_make(struct net_door *d)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->door = d;
	v->since_ms = uv_now(d->loop);
	speech_begin(&v->speech);
	uv_tcp_init(d->loop, &v->side[OUTSIDE].tcp);
	uv_pipe_init(d->loop, &v->side[INSIDE].pipe, 0);
	v->side[OUTSIDE].handle.data = v->side[INSIDE].handle.data = v;
	v->open = SIDES;
	d->open++;
	visits_add(&d->strangers, v);
	return v;
}

/* Two addresses of one network that somebody may own alone: IPv4 by address, IPv6 by its first 64 bits. */
static bool is_from_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		              &((const struct sockaddr_in6 *)b)->sin6_addr, 8) == 0;
	return memcmp(&((const struct sockaddr_in *)a)->sin_addr, &((const struct sockaddr_in *)b)->sin_addr, 4) == 0;
}

/* Room for one more stranger: the longest there from where this one comes, else the longest there of all. So a flood
 * from one address takes its own places, and not those of others. */
static void room_make(struct net_door *d, const struct sockaddr_storage *from)
{
	struct visit *v = d->strangers.oldest;

	if (!v || d->strangers.count < NET_DOOR_PLACES)
		return;
	while (v && !is_from_same(&v->from, from))
		v = v->next;
	visit_cut(v ? v : d->strangers.oldest);
}

static void visit_begin(struct net_door *d, int fd, const struct sockaddr_storage *from)
{
	room_make(d, from);
	struct visit *v = visit_make(d);
	if (!v || uv_tcp_open(&v->side[OUTSIDE].tcp, fd)) {
		close(fd);
		if (v)
			visit_end(v);
		return;
	}
	v->from = *from;
	uv_tcp_nodelay(&v->side[OUTSIDE].tcp, 1);
	if (uv_read_start(&v->side[OUTSIDE].stream, on_alloc, on_read))
		visit_end(v);
}

static void on_knocks(uv_poll_t *knocks, int status, int events);

static void on_rested(uv_timer_t *timer)
{
	struct net_door *d = timer->data;

	uv_poll_start(&d->knocks, UV_READABLE, on_knocks);
}

static void on_knocks(uv_poll_t *knocks, int status, int events)
{
	struct net_door *d = knocks->data;

	(void)status;
	(void)events;
	for (int left = ACCEPTS_A_TURN; left; left--) {
		struct sockaddr_storage from = { 0 };
		socklen_t size = sizeof(from);
		int fd = accept4(d->port, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			visit_begin(d, fd, &from);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			if (errno == EAGAIN)
				return;
			break; /* out of descriptors or memory: perhaps not for long */
		}
	}
	uv_poll_stop(&d->knocks);
	uv_timer_start(&d->rest, on_rested, REST_MS, 0);
}

static void on_sweep(uv_timer_t *timer)
{
	struct net_door *d = timer->data;

	while (d->strangers.oldest && uv_now(d->loop) - d->strangers.oldest->since_ms > d->stay_ms)
		visit_cut(d->strangers.oldest);
}

/* ---- life ---- */

static void on_own_closed(uv_handle_t *handle)
{
	door_let_go(handle->data);
}

static void on_port_closed(uv_handle_t *handle)
{
	struct net_door *d = handle->data;

	close(d->port); /* only when nobody watches it any more */
	door_let_go(d);
}

void net_door_close(struct net_door *d)
{
	if (!d)
		return;
	while (d->strangers.oldest)
		visit_end(d->strangers.oldest);
	while (d->known.oldest)
		visit_end(d->known.oldest);
	if (d->port >= 0)
		uv_close((uv_handle_t *)&d->knocks, on_port_closed);
	uv_close((uv_handle_t *)&d->sweep, on_own_closed);
	uv_close((uv_handle_t *)&d->rest, on_own_closed);
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

static void address_write(struct net_door *d, const struct sockaddr_storage *at)
{
	char host[64];
	bool is_v6 = at->ss_family == AF_INET6;

	if (is_v6)
		uv_ip6_name((const struct sockaddr_in6 *)at, host, sizeof(host));
	else
		uv_ip4_name((const struct sockaddr_in *)at, host, sizeof(host));
	unsigned port = ntohs(is_v6 ? ((const struct sockaddr_in6 *)at)->sin6_port
	                            : ((const struct sockaddr_in *)at)->sin_port);
	snprintf(d->address, sizeof(d->address), is_v6 ? "tcp://[%s]:%u" : "tcp://%s:%u", host, port);
}

static int port_open(const char *address, struct sockaddr_storage *at, int *out, struct error *e)
{
	socklen_t size = sizeof(*at);
	int yes = 1;

	int rc = address_read(address, at, e);
	if (rc != OK)
		return rc;
	int fd = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(e, errno, "address %s: no socket", address);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) || bind(fd, (struct sockaddr *)at, size) ||
	    listen(fd, BACKLOG) || getsockname(fd, (struct sockaddr *)at, &size)) {
		rc = errno == EADDRINUSE ? error_set(e, ERR_EXISTS, "address %s is in use by another process", address)
		     : errno == EADDRNOTAVAIL
		             ? error_set(e, ERR_INVALID, "address %s cannot be bound: this machine does not have it",
		                         address)
		             : error_set_errno(e, errno, "address %s cannot be bound", address);
		close(fd);
		return rc;
	}
	*out = fd;
	return OK;
}

static int door_listen(struct net_door *d, const char *address, struct error *e)
{
	struct sockaddr_storage at = { 0 };
	int fd = -1;

	int rc = port_open(address, &at, &fd, e);
	if (rc != OK)
		return rc;
	rc = uv_poll_init(d->loop, &d->knocks, fd);
	if (rc) {
		close(fd);
		return error_set(e, ERR_IO, "the loop cannot watch address %s: %s", address, uv_strerror(rc));
	}
	d->port = fd;
	d->knocks.data = d;
	d->open++;
	address_write(d, &at);
	uv_poll_start(&d->knocks, UV_READABLE, on_knocks);
	return OK;
}

int net_door_open(uv_loop_t *loop, const struct net_door_options *options, struct net_door **out, struct error *e)
{
	struct net_door *d = calloc(1, sizeof(*d));

	if (!d)
		return error_set(e, ERR_MEMORY, "no memory for a door");
	d->loop = loop;
	d->port = -1;
	d->stay_ms = options->stay_ms ? options->stay_ms : NET_DOOR_MS;
	d->is_for_links = options->is_for_links;
	d->strangers.end = &d->strangers.oldest;
	d->known.end = &d->known.oldest;
	snprintf(d->path, sizeof(d->path), "%s", options->socket_path);
	uv_timer_init(loop, &d->sweep);
	uv_timer_init(loop, &d->rest);
	d->sweep.data = d->rest.data = d;
	d->open = 2;
	uv_timer_start(&d->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	int rc = door_listen(d, options->address, e);
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
