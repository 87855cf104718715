/*
 * Opening, closing, and how the loop drives libmicrohttpd: its epoll descriptor wakes the loop when a socket is ready.
 * A timer stands for everything else: at 0 when a connection was resumed, otherwise, set before each sleep of the loop,
 * at libmicrohttpd's own next timeout, which is 0 for work it has left over.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

#define CONNECTION_MEMORY_BYTES (32 * 1024) /* request line and headers must fit */

static void http_end(struct http *h);

static unsigned connections_of(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info == NULL ? 0 : info->num_connections;
}

/* A full daemon stops listening, and takes it up again only in the run after the one that closed a connection. */
void front_run(struct front *f)
{
	struct http *h = f->http;
	unsigned before, after = connections_of(f->daemon);

	h->is_running = true;
	f->has_resumed = false;
	do {
		before = after;
		MHD_run(f->daemon);
		after = connections_of(f->daemon);
	} while (after < before && !h->is_closing);
	h->is_running = false;
	if (h->is_closing)
		http_end(h);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	front_run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
	front_run(timer->data);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct front *f = prepare->data;
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;

	if (f->has_resumed)
		return; /* the timer stands at 0 */
	if (MHD_get_timeout(f->daemon, &timeout_ms) == MHD_YES)
		uv_timer_start(&f->timer, on_timer, timeout_ms, 0);
	else
		uv_timer_stop(&f->timer);
}

/* libmicrohttpd does not wake a loop that is not its own, and its timeout does not tell of resumed connections. */
void front_resume(struct front *f, struct MHD_Connection *connection)
{
	MHD_resume_connection(connection);
	f->has_resumed = true;
	uv_timer_start(&f->timer, on_timer, 0, 0);
}

void http_free_if_done(struct http *h)
{
	if (!h->is_closing || h->is_running || h->handle_count > 0 || h->held_count > 0)
		return;
	arena_release(&h->arena);
	free(h->routes);
	free(h->tally);
	free(h->socket_path);
	free(h->static_folder);
	free(h);
}

void http_handle_closed(struct http *h)
{
	h->handle_count--;
	http_free_if_done(h);
}

static void on_front_closed(uv_handle_t *handle)
{
	struct front *f = handle->data;

	http_handle_closed(f->http);
}

/* Takes over `fd`. On failure libmicrohttpd has closed it or not, by where it failed: closing it again could hit a
 * descriptor that another thread has just opened, so the rare other case leaks it. */
static int front_start(struct http *h, int fd, bool is_local, struct error *e)
{
	struct front *f = &h->front[h->front_count];

	f->http = h;
	f->is_local = is_local;
	f->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, request_serve, f,
	                             MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, request_begin, f,
	                             MHD_OPTION_NOTIFY_COMPLETED, request_completed, f, MHD_OPTION_NOTIFY_CONNECTION,
	                             peer_notify, f, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MOST,
	                             MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_IDLE_S,
	                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
	                             MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (f->daemon == NULL)
		return error_set(e, ERR_INTERNAL, "the HTTP server did not start; are there too many open files?");
	h->front_count++;
	return OK;
}

/* Last of all, because what the loop has seen can only be freed by running it. */
static int front_watch(struct front *f, struct error *e)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(f->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	uv_loop_t *loop = f->http->loop;
	int code = info == NULL ? UV_EBADF : uv_poll_init(loop, &f->poll, info->epoll_fd);

	if (code != 0)
		return error_set(e, ERR_INTERNAL, "the loop cannot watch the HTTP server: %s", uv_strerror(code));
	uv_timer_init(loop, &f->timer);
	uv_prepare_init(loop, &f->prepare);
	f->poll.data = f->timer.data = f->prepare.data = f;
	f->is_watched = true;
	f->http->handle_count += 3;
	uv_poll_start(&f->poll, UV_READABLE, on_poll);
	uv_prepare_start(&f->prepare, on_prepare);
	return OK;
}

/* The names of loopback with our port. (The address itself already stands there: it may be another of 127.0.0.0/8.) */
static void hosts_set(struct http *h)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		snprintf(h->host[h->host_count++], HOST_BYTES_MOST, "%s:%u", names[i], h->port);
}

static int fronts_start(struct http *h, const struct http_options *options, struct error *e)
{
	int fd = -1;
	int code = OK;

	if (options->address != NULL) {
		code = listen_tcp(options->address, &fd, &h->port, h->host[h->host_count++], e);
		if (code == OK)
			code = front_start(h, fd, false, e);
		hosts_set(h);
	}
	if (code != OK || options->socket_path == NULL)
		return code;
	code = listen_local(options->socket_path, &fd, &h->socket_stat, e);
	if (code != OK)
		return code;
	h->socket_path = strdup(options->socket_path);
	code = front_start(h, fd, true, e);
	if (code == OK && h->socket_path == NULL)
		return error_set(e, ERR_MEMORY, "no memory for the server");
	return code;
}

static int options_take(struct http *h, const struct http_options *options, struct error *e)
{
	h->context = options->context;
	h->session_idle_ms = options->session_idle_s * UINT64_C(1000);
	h->session_most_ms = options->session_most_s * UINT64_C(1000);
	h->has_one_window = options->has_one_window;
	h->may = options->may;
	if (options->session_cookie != NULL) {
		if (strlen(options->session_cookie) > 32 || options->session_cookie[0] == '\0')
			return error_set(e, ERR_INVALID, "the name of the session cookie has 1 to 32 bytes");
		h->session_cookie = arena_text(&h->arena, options->session_cookie);
		if (h->session_cookie == NULL)
			return error_set(e, ERR_MEMORY, "no memory for the server");
	}
	if (options->public_name != NULL) {
		int code = http_public_name_check(options->public_name, e);
		if (code != OK)
			return code;
		snprintf(h->public_name, sizeof(h->public_name), "%s", options->public_name);
	}
	if (options->static_folder != NULL) {
		h->static_folder = realpath(options->static_folder, NULL);
		if (h->static_folder == NULL)
			return error_set(e, ERR_NOT_FOUND, "the folder of the pages, %s, cannot be opened",
			                 options->static_folder);
	}
	return routes_compile(h, options->routes, options->route_count, e);
}

static int http_start(struct http *h, const struct http_options *options, struct error *e)
{
	int code = options_take(h, options, e);

	if (code == OK)
		code = fronts_start(h, options, e);
	for (size_t i = 0; code == OK && i < h->front_count; i++)
		code = front_watch(&h->front[i], e);
	if (code == OK)
		events_start(h);
	return code;
}

int http_open(uv_loop_t *loop, const struct http_options *options, struct http **out, struct error *e)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return error_set(e, ERR_MEMORY, "no memory for the server");
	h->loop = loop;
	arena_init(&h->arena, 0);
	int code = http_start(h, options, e);
	if (code != OK) {
		http_close(h);
		return code;
	}
	*out = h;
	return OK;
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
static void requests_resume(struct http *h)
{
	for (struct http_request *r = h->requests; r != NULL; r = r->next) {
		if (!r->is_suspended)
			continue;
		r->is_suspended = false;
		front_resume(r->front, r->connection);
	}
}

static void socket_remove(struct http *h)
{
	struct stat st;

	if (h->socket_path != NULL && lstat(h->socket_path, &st) == 0 && st.st_ino == h->socket_stat.st_ino &&
	    st.st_dev == h->socket_stat.st_dev)
		unlink(h->socket_path);
}

static void front_stop(struct front *f)
{
	if (f->is_watched) {
		uv_close((uv_handle_t *)&f->poll, on_front_closed);
		uv_close((uv_handle_t *)&f->timer, on_front_closed);
		uv_close((uv_handle_t *)&f->prepare, on_front_closed);
	}
	MHD_stop_daemon(f->daemon);
}

static void http_end(struct http *h)
{
	socket_remove(h);
	events_stop(h);
	requests_resume(h);
	for (size_t i = 0; i < h->front_count; i++)
		front_stop(&h->front[i]);
	h->front_count = 0;
	sessions_release(h);
	http_free_if_done(h);
}

void http_close(struct http *h)
{
	if (h == NULL || h->is_closing)
		return;
	h->is_closing = true;
	if (!h->is_running)
		http_end(h); /* else after MHD_run: a handler has called us */
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}
