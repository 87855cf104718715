/*
 * The ROUTER for those below.
 *
 * A message has two parts: the routing id and the frame. The routing id only finds the way back; who sent the frame
 * is the key that ZAP admitted. A client can choose its own routing id and gains nothing: with handover off a taken
 * one is not given twice, and its frames still carry its own key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "context.h"

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93 /* hidden in the packaged header, present in the library */
#endif

#define RETRY_MS 20

struct net_server {
	struct net *net;
	struct net_server *next;
	struct net_socket socket;
	uv_timer_t retry;       /* while a queue is full */
	bool has_refused_frame; /* a queue was full, on_writable is owed */
	struct net_server_options options;
	char *zap_domain;
	struct net_door *door; /* NULL: none */
	char address[NET_ADDRESS_BYTES];
	uint64_t refused, dropped;
};

bool net_server_admits(struct net *n, struct bytes domain, const uint8_t key[NET_KEY_BYTES])
{
	for (struct net_server *s = n->servers; s; s = s->next) {
		if (!bytes_equal(domain, bytes_from_text(s->zap_domain)))
			continue;
		if (s->options.admit && s->options.admit(s->options.context, key) == OK)
			return true;
		s->refused++;
		return false;
	}
	return false;
}

static bool sender_find(zmq_msg_t *part, uint8_t key[NET_KEY_BYTES])
{
	const char *user = zmq_msg_gets(part, "User-Id");
	return user && hex_decode(user, key, NET_KEY_BYTES) == OK;
}

/* Why a message is not one frame that can be answered; NULL if it is. */
static const char *frame_fault(const struct net_server *s, zmq_msg_t parts[2], size_t count)
{
	if (count != 2)
		return "it is not one frame";
	if (zmq_msg_size(&parts[0]) > NET_ROUTE_BYTES)
		return "its socket chose a routing id of its own";
	return zmq_msg_size(&parts[1]) > s->options.frame_bytes_most ? "it is larger than a frame may be" : NULL;
}

static void frame_drop(struct net_server *s, const uint8_t key[NET_KEY_BYTES], const char *why)
{
	s->dropped++;
	if (s->options.on_dropped)
		s->options.on_dropped(s->options.context, key, why);
}

static bool server_take(void *owner)
{
	struct net_server *s = owner;
	zmq_msg_t parts[2];
	struct net_route route = { 0 };
	uint8_t key[NET_KEY_BYTES];

	size_t count = net_socket_receive(&s->socket, parts, 2);
	if (count == 0)
		return false;
	const char *fault = frame_fault(s, parts, count);
	if (!sender_find(&parts[count > 1], key)) {
		s->dropped++; /* nobody to name; CURVE and ZAP let no such message in */
	} else if (fault) {
		frame_drop(s, key, fault);
	} else {
		route.size = (uint8_t)zmq_msg_size(&parts[0]);
		memcpy(route.byte, zmq_msg_data(&parts[0]), route.size);
		s->options.on_frame(s->options.context, &route, key,
		                    BYTES(zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1])));
	}
	net_parts_close(parts, count, 2);
	return true;
}

static void tell_writable(struct net_server *s)
{
	s->has_refused_frame = false;
	if (s->options.on_writable)
		s->options.on_writable(s->options.context);
}

static void server_after(void *owner, bool woken)
{
	struct net_server *s = owner;

	if (woken && s->has_refused_frame)
		tell_writable(s);
}

static void on_retry(uv_timer_t *timer)
{
	struct net_server *s = timer->data;

	if (s->has_refused_frame)
		tell_writable(s);
	if (!s->has_refused_frame)
		uv_timer_stop(timer);
}

/*
 * A ROUTER says ZMQ_POLLOUT as soon as any of its queues has room, so that does not tell when the full one has.
 * A wake-up may be that moment; a send to another peer can swallow the wake-up, hence the timer.
 */
static void wait_for_room(struct net_server *s)
{
	s->has_refused_frame = true;
	if (!s->socket.is_closing && !uv_is_active((uv_handle_t *)&s->retry))
		uv_timer_start(&s->retry, on_retry, RETRY_MS, RETRY_MS);
}

static void server_freed(uv_handle_t *timer)
{
	struct net_server *s = timer->data;

	free(s->zap_domain);
	free(s);
}

static void server_closed(void *owner)
{
	struct net_server *s = owner;

	uv_close((uv_handle_t *)&s->retry, server_freed);
}

void net_server_close(struct net_server *s)
{
	if (!s)
		return;
	for (struct net_server **at = &s->net->servers; *at; at = &(*at)->next) {
		if (*at == s) {
			*at = s->next;
			break;
		}
	}
	net_door_close(s->door);
	s->door = NULL;
	net_socket_close(&s->socket);
}

/* Where ZeroMQ listens: at the address itself, or behind the door there. */
static int address_behind(const struct net_server_options *o, char out[NET_ADDRESS_BYTES], struct error *e)
{
	int length = snprintf(out, NET_ADDRESS_BYTES, o->door_socket ? "ipc://%s" : "%s",
	                      o->door_socket ? o->door_socket : o->address);

	if (length < 0 || length >= NET_ADDRESS_BYTES)
		return error_set(e, ERR_INVALID, "the path %.200s… is too long for a socket", out);
	return o->is_behind_door ? OK : net_address_check(o->address, true, e);
}

static int server_bind(struct net_server *s, struct error *e)
{
	const struct net_setting settings[] = {
		{ ZMQ_CURVE_SERVER, 1 },    { ZMQ_ZAP_ENFORCE_DOMAIN, 1 }, { ZMQ_ROUTER_MANDATORY, 1 },
		{ ZMQ_ROUTER_HANDOVER, 0 }, { ZMQ_BACKLOG, 4096 },
	};
	const struct net_server_options *o = &s->options;
	char address[NET_ADDRESS_BYTES];
	size_t size = sizeof(s->address);

	int rc = address_behind(o, address, e);
	if (rc == OK)
		rc = net_socket_set_common(&s->socket, address, o->frame_bytes_most, o->public_key, o->secret_key, e);
	if (rc == OK)
		rc = net_socket_set_all(&s->socket, settings, sizeof(settings) / sizeof(settings[0]), e);
	if (rc == OK)
		rc = net_socket_set(&s->socket, ZMQ_ZAP_DOMAIN, s->zap_domain, strlen(s->zap_domain), e);
	if (rc != OK)
		return rc;
	if (zmq_bind(s->socket.zmq, address) != 0) {
		if (errno == EADDRINUSE)
			return error_set(e, ERR_EXISTS, "address %s is in use by another process", address);
		return error_set(e, ERR_INVALID, "address %s cannot be bound: %s", address, zmq_strerror(errno));
	}
	if (zmq_getsockopt(s->socket.zmq, ZMQ_LAST_ENDPOINT, s->address, &size) != 0)
		return error_set(e, ERR_INTERNAL, "ZeroMQ does not tell its address: %s", zmq_strerror(errno));
	return OK;
}

/* A domain names the server that ZAP asks, so it must be one's own; an empty one would not be enforced. */
static int domain_check(struct net *n, const char *domain, struct error *e)
{
	if (!domain || domain[0] == '\0' || strlen(domain) > 255)
		return error_set(e, ERR_INVALID, "a server needs a ZAP domain of 1 to 255 characters");
	for (struct net_server *s = n->servers; s; s = s->next) {
		if (strcmp(s->zap_domain, domain) == 0)
			return error_set(e, ERR_EXISTS, "ZAP domain %s already has a server", domain);
	}
	return OK;
}

int net_server_open(struct net *n, const struct net_server_options *options, struct net_server **out, struct error *e)
{
	int rc = domain_check(n, options->zap_domain, e);
	if (rc != OK)
		return rc;
	struct net_server *s = calloc(1, sizeof(*s));
	char *domain = strdup(options->zap_domain);
	if (!s || !domain) {
		free(s);
		free(domain);
		return error_set(e, ERR_MEMORY, "no memory for a server");
	}
	s->net = n;
	s->options = *options;
	if (!s->options.frame_bytes_most)
		s->options.frame_bytes_most = NET_FRAME_BYTES_MOST;
	s->zap_domain = domain;
	s->socket.owner = s;
	s->socket.take = server_take;
	s->socket.after = server_after;
	s->socket.on_closed = server_closed;
	uv_timer_init(n->loop, &s->retry);
	s->retry.data = s;
	rc = net_socket_open(&s->socket, n, ZMQ_ROUTER, e);
	if (rc == OK)
		rc = server_bind(s, e);
	if (rc == OK)
		rc = net_socket_start(&s->socket, e);
	if (rc == OK && options->door_socket) {
		const struct net_door_options door = { .address = options->address,
			                               .socket_path = options->door_socket,
			                               .is_for_links = true };
		rc = net_door_open(n->loop, &door, &s->door, e);
	}
	if (rc != OK) {
		net_server_close(s);
		return rc;
	}
	s->next = n->servers;
	n->servers = s;
	*out = s;
	return OK;
}

/* The routing id finds the queue or fails; then the frame cannot fail, being in memory already. */
static int send_parts(struct net_server *s, const struct net_route *route, zmq_msg_t *frame)
{
	if (zmq_send(s->socket.zmq, route->byte, route->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : ERR_UNREACHABLE;
	if (zmq_msg_send(frame, s->socket.zmq, ZMQ_DONTWAIT) < 0)
		return ERR_UNREACHABLE;
	return OK;
}

int net_server_send(struct net_server *s, const struct net_route *route, struct bytes frame)
{
	zmq_msg_t message;

	if (frame.size > NET_FRAME_BYTES_MOST)
		return ERR_TOO_BIG;
	if (s->socket.is_closing || route->size == 0 || route->size > NET_ROUTE_BYTES)
		return ERR_UNREACHABLE;
	if (zmq_msg_init_size(&message, frame.size) != 0)
		return ERR_AGAIN;
	if (frame.size > 0)
		memcpy(zmq_msg_data(&message), frame.data, frame.size);
	int rc = send_parts(s, route, &message);
	if (rc == ERR_AGAIN) {
		net_socket_events(&s->socket); /* hears of room that was made meanwhile */
		rc = send_parts(s, route, &message);
	}
	zmq_msg_close(&message);
	if (rc == ERR_AGAIN)
		wait_for_room(s);
	net_socket_stir(&s->socket);
	return rc;
}

const char *net_server_address(const struct net_server *s)
{
	return s->door ? net_door_address(s->door) : s->address;
}

uint64_t net_server_refused(const struct net_server *s)
{
	return s->refused;
}

uint64_t net_server_dropped(const struct net_server *s)
{
	return s->dropped;
}

uint64_t net_server_ended(const struct net_server *s)
{
	return s->door ? net_door_ended(s->door) : 0;
}
