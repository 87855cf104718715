/* A ZeroMQ socket on the libuv loop; socket.h tells how and why. */
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"

int net_socket_set(struct net_socket *s, int option, const void *value, size_t size, struct error *e)
{
	if (zmq_setsockopt(s->zmq, option, value, size) == 0)
		return OK;
	return error_set(e, ERR_INTERNAL, "ZeroMQ option %d: %s", option, zmq_strerror(errno));
}

int net_socket_set_all(struct net_socket *s, const struct net_setting *settings, size_t count, struct error *e)
{
	for (size_t i = 0; i < count; i++) {
		int rc = net_socket_set(s, settings[i].option, &settings[i].value, sizeof(settings[i].value), e);
		if (rc != OK)
			return rc;
	}
	return OK;
}

int net_socket_set_common(struct net_socket *s, const char *address, uint32_t frame_bytes_most,
                          const uint8_t *public_key, const uint8_t *secret_key, struct error *e)
{
	const struct net_setting settings[] = {
		{ ZMQ_SNDHWM, NET_QUEUE_FRAMES },        { ZMQ_RCVHWM, NET_QUEUE_FRAMES },
		{ ZMQ_HANDSHAKE_IVL, NET_HANDSHAKE_MS }, { ZMQ_HEARTBEAT_IVL, 5000 },
		{ ZMQ_HEARTBEAT_TIMEOUT, 15000 },        { ZMQ_IPV6, strchr(address, '[') != NULL },
	};
	const int64_t most = (int64_t)frame_bytes_most + NET_CURVE_OVERHEAD_BYTES;

	int rc = net_socket_set_all(s, settings, sizeof(settings) / sizeof(settings[0]), e);
	if (rc == OK)
		rc = net_socket_set(s, ZMQ_MAXMSGSIZE, &most, sizeof(most), e);
	if (rc == OK)
		rc = net_socket_set(s, ZMQ_CURVE_PUBLICKEY, public_key, NET_KEY_BYTES, e);
	if (rc == OK)
		rc = net_socket_set(s, ZMQ_CURVE_SECRETKEY, secret_key, NET_KEY_BYTES, e);
	return rc;
}

int net_socket_events(struct net_socket *s)
{
	int events = 0;
	size_t size = sizeof(events);

	if (zmq_getsockopt(s->zmq, ZMQ_EVENTS, &events, &size) != 0)
		return 0;
	return events;
}

void net_socket_drain(struct net_socket *s)
{
	for (int i = 0; i < NET_MESSAGES_A_TURN && !s->is_closing; i++) {
		if (!s->take(s->owner))
			return;
	}
}

static void on_idle(uv_idle_t *handle)
{
	(void)handle; /* that it is active keeps the loop from sleeping */
}

void net_socket_stir(struct net_socket *s)
{
	if (!s->is_closing)
		uv_idle_start(&s->idle, on_idle);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct net_socket *s = handle->data;

	(void)status;
	(void)events;
	s->is_woken = true;
}

static void on_prepare(uv_prepare_t *handle)
{
	struct net_socket *s = handle->data;
	int events = net_socket_events(s);

	if ((events & ZMQ_POLLIN) || (s->wants_to_send && (events & ZMQ_POLLOUT)))
		uv_idle_start(&s->idle, on_idle);
	else
		uv_idle_stop(&s->idle);
}

static void on_check(uv_check_t *handle)
{
	struct net_socket *s = handle->data;
	bool woken = s->is_woken;

	s->is_woken = false;
	if (net_socket_events(s) & ZMQ_POLLIN)
		net_socket_drain(s);
	if (s->after && !s->is_closing)
		s->after(s->owner, woken);
}

int net_socket_open(struct net_socket *s, struct net *n, int type, struct error *e)
{
	s->zmq = zmq_socket(n->zmq, type);
	if (!s->zmq)
		return error_set(e, errno == ENOMEM ? ERR_MEMORY : ERR_IO, "no ZeroMQ socket: %s", zmq_strerror(errno));
	s->net = n;
	net_hold(n);
	return net_socket_set_all(s, (const struct net_setting[]){ { ZMQ_LINGER, 0 } }, 1, e);
}

int net_socket_start(struct net_socket *s, struct error *e)
{
	int descriptor = -1;
	size_t size = sizeof(descriptor);
	uv_loop_t *loop = s->net->loop;

	if (zmq_getsockopt(s->zmq, ZMQ_FD, &descriptor, &size) != 0)
		return error_set(e, ERR_INTERNAL, "ZeroMQ gives no descriptor: %s", zmq_strerror(errno));
	int rc = uv_poll_init(loop, &s->poll, descriptor);
	if (rc != 0)
		return error_set(e, ERR_IO, "the loop cannot watch a ZeroMQ socket: %s", uv_strerror(rc));
	uv_check_init(loop, &s->check);
	uv_prepare_init(loop, &s->prepare);
	uv_idle_init(loop, &s->idle);
	s->handles = 4;
	s->poll.data = s->check.data = s->prepare.data = s->idle.data = s;
	uv_check_start(&s->check, on_check);
	uv_prepare_start(&s->prepare, on_prepare);
	rc = uv_poll_start(&s->poll, UV_READABLE, on_poll);
	if (rc != 0)
		return error_set(e, ERR_IO, "the loop cannot watch a ZeroMQ socket: %s", uv_strerror(rc));
	return OK;
}

static void finish_close(struct net_socket *s)
{
	struct net *n = s->net;

	if (s->zmq)
		zmq_close(s->zmq);
	s->zmq = NULL;
	s->net = NULL;
	s->on_closed(s->owner); /* may free s */
	if (n)
		net_release(n);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct net_socket *s = handle->data;

	if (--s->handles == 0)
		finish_close(s);
}

void net_socket_close(struct net_socket *s)
{
	if (s->is_closing)
		return;
	s->is_closing = true;
	if (s->handles == 0) {
		finish_close(s);
		return;
	}
	uv_close((uv_handle_t *)&s->poll, on_handle_closed);
	uv_close((uv_handle_t *)&s->check, on_handle_closed);
	uv_close((uv_handle_t *)&s->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&s->idle, on_handle_closed);
}

static int receive_part(struct net_socket *s, zmq_msg_t *part)
{
	int size;

	zmq_msg_init(part);
	do
		size = zmq_msg_recv(part, s->zmq, ZMQ_DONTWAIT);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		zmq_msg_close(part);
	return size;
}

size_t net_socket_receive(struct net_socket *s, zmq_msg_t *parts, size_t most)
{
	size_t count = 0;
	bool has_more = true;

	while (has_more) {
		zmq_msg_t surplus;
		// cppcheck-suppress uninitvar ; receive_part initialises it
		zmq_msg_t *part = count < most ? &parts[count] : &surplus;

		if (receive_part(s, part) < 0)
			break;
		has_more = zmq_msg_more(part);
		if (part == &surplus)
			zmq_msg_close(part);
		count++;
	}
	return count;
}

void net_parts_close(zmq_msg_t *parts, size_t count, size_t most)
{
	for (size_t i = 0; i < count && i < most; i++)
		zmq_msg_close(&parts[i]);
}
