/*
 * The client's end of each connection, watched by ourselves. libmicrohttpd misses a client that leaves in two cases:
 * while the connection is suspended its socket is not watched; and when the last bytes and the end of the connection
 * come together, it reads the bytes, waits for another edge of epoll and never sees the end. Both would leave a dead
 * connection in one of the 256 places.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "server.h"

static void on_peer_closed(uv_handle_t *handle)
{
	struct peer *p = handle->data;
	struct http *h = p->front->http;

	free(p);
	http_handle_closed(h);
}

/* A client that sent a whole request and closed only its own direction still gets its answer. */
static void on_peer_left(uv_poll_t *watch, int status, int events)
{
	struct peer *p = watch->data;

	(void)status;
	(void)events;
	uv_poll_stop(watch);
	p->has_left = true;
	if (p->request != NULL && p->request->stream != NULL) {
		stream_drop(p->request->stream);
		return;
	}
	front_run(p->front); /* takes what had come before the end */
	if (!uv_is_closing((uv_handle_t *)watch))
		shutdown(p->fd, SHUT_RD); /* one more edge, so that the end is seen */
}

static struct peer *peer_start(struct front *f, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *p = calloc(1, sizeof(*p));

	if (p == NULL || info == NULL || uv_poll_init(f->http->loop, &p->watch, info->connect_fd) != 0) {
		free(p);
		return NULL;
	}
	p->front = f;
	p->fd = info->connect_fd;
	p->watch.data = p;
	f->http->handle_count++;
	uv_poll_start(&p->watch, UV_DISCONNECT, on_peer_left);
	return p;
}

void peer_notify(void *front, struct MHD_Connection *connection, void **peer, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*peer = peer_start(front, connection);
	} else if (*peer != NULL) {
		struct peer *p = *peer;
		*peer = NULL;
		uv_close((uv_handle_t *)&p->watch, on_peer_closed);
	}
}

struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}
