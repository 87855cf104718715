/*
 * The inside of the server.
 *
 * Two front doors (loopback TCP, Unix socket), each a libmicrohttpd daemon without threads whose epoll descriptor is
 * watched by the loop; one table of routes, sessions and channels behind both.
 *
 * Who owns a request: libmicrohttpd's connection from its first line until request_completed; besides, whoever must
 * still answer it, from the call of the handler until the answer. The one that lets go last frees it. While nobody has
 * answered, the connection is suspended: its socket is not watched, so a client that leaves is noticed at the answer.
 * The server's memory stays until its uv handles are closed and no request is held any more: what a job on the pool
 * reads of its request never goes away under it.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/arena.h"
#include "crypto/crypto.h"
#include "http/http.h"

#define URI_BYTES_MOST 2048
#define SEGMENTS_MOST 16
#define QUERIES_MOST 32
#define HEADERS_MOST 64
#define SESSIONS_MOST 1024
#define USER_BYTES_MOST 128
#define ROLE_BYTES_MOST 32
#define STREAMS_MOST 192 /* so that event streams cannot take every connection */
#define STREAM_BEHIND_BYTES_MOST (64 * 1024)
#define STREAM_KEEPALIVE_MS 15000
#define CONNECTION_IDLE_S 60
#define CHANNEL_BUCKETS 64
#define SESSION_BUCKETS 1024
#define HOSTS_MOST 4
#define HOST_BYTES_MOST 64
#define PUBLIC_NAME_BYTES 260
#define COOKIE_BYTES_MOST 160

#define STATUSES_MOST 20 /* of one route; the last place takes all further ones */
#define STATUS_OTHER 599

struct tally {
	unsigned status[STATUSES_MOST]; /* 0: free */
	uint64_t count[STATUSES_MOST];
};

struct route {
	enum http_method method; /* HTTP_GET or HTTP_POST */
	const char *path;        /* as given, in the server's arena */
	enum http_guard guard;
	unsigned right;
	size_t body_most;
	void (*handle)(void *context, struct http_request *request);
	size_t segment_count, parameter_count;
	const char *segment[SEGMENTS_MOST]; /* ":id" for a parameter; in the server's arena */
};

struct front {
	struct http *http;
	bool is_local, is_watched;
	bool has_resumed; /* a connection was resumed since the last run */
	struct MHD_Daemon *daemon;
	uv_poll_t poll;       /* its epoll descriptor */
	uv_timer_t timer;     /* its next timeout */
	uv_prepare_t prepare; /* sets the timer before the loop sleeps */
};

struct http {
	uv_loop_t *loop;
	struct arena arena; /* routes and names */
	struct front front[2];
	size_t front_count;
	size_t handle_count; /* uv handles that are not closed yet */
	size_t held_count;   /* requests that a handler has not answered yet */
	bool is_running;     /* within MHD_run: closing waits for its end */
	bool is_closing;
	uint16_t port;
	char host[HOSTS_MOST][HOST_BYTES_MOST];
	size_t host_count;
	char public_name[PUBLIC_NAME_BYTES]; /* "": none */
	char *socket_path;
	struct stat socket_stat; /* to unlink only what we made */
	char *static_folder;     /* resolved */
	const char *session_cookie;
	bool has_one_window;
	bool (*may)(const char *role, unsigned right);
	uint64_t session_idle_ms, session_most_ms;
	struct route *routes;
	size_t route_count;
	struct tally *tally; /* one a route, and one for what has none */
	void *context;
	struct http_request *requests; /* all that have a connection */
	struct session *sessions[SESSION_BUCKETS];
	size_t session_count;
	struct channel *channels[CHANNEL_BUCKETS];
	size_t stream_count;
	uv_timer_t keepalive;
};

/* One connection's other end; lives from accept to close, over all its requests. */
struct peer {
	struct front *front;
	struct http_request *request; /* the present one, or NULL */
	uv_poll_t watch;
	int fd;
	bool has_left;
};

struct field {
	const char *name, *value;
};

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

struct http_request {
	struct http *http;
	struct front *front;
	struct MHD_Connection *connection; /* NULL once it is gone */
	struct peer *peer;                 /* valid as long as the connection; NULL: could not be watched */
	struct http_request *next, *previous;
	bool is_local, is_examined, is_handled;
	bool is_public;    /* came under the public name: a browser speaks TLS to the web server in front */
	bool is_held;      /* the handler has it and has not answered */
	bool is_suspended; /* waits for the answer */
	bool is_answered;  /* `response` is what to send; NULL: nothing could be made, the connection ends */
	enum request_method method;
	const struct route *route;

	char *uri; /* a copy, cut into segments and queries, decoded in place */
	bool is_uri_too_long, is_api;
	char *segment[SEGMENTS_MOST];
	size_t segment_count;
	struct field query[QUERIES_MOST];
	size_t query_count;
	char *header_text;
	struct field header[HEADERS_MOST];
	size_t header_count;
	struct buffer body;
	uint64_t body_declared, body_seen; /* bytes, also of a body that is thrown away */

	bool has_session, is_session_locked; /* never both */
	struct hash session;
	char user[USER_BYTES_MOST + 1], role[ROLE_BYTES_MOST + 1], csrf[HTTP_CSRF_TEXT_BYTES];
	char set_cookie[COOKIE_BYTES_MOST];
	const char *allow; /* for 405 */

	struct MHD_Response *response;
	unsigned status;
	struct stream *stream;
};

/* address.c */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* ERR_INVALID for what is not loopback with a port. */
int address_parse(const char *text, union address *out, socklen_t *size, struct error *e);

/* listen.c */
int listen_tcp(const char *address, int *fd, uint16_t *port, char host[HOST_BYTES_MOST], struct error *e);
int listen_local(const char *path, int *fd, struct stat *made, struct error *e);

/* server.c */
void http_handle_closed(struct http *h); /* a uv handle counted in handle_count is gone */
void http_free_if_done(struct http *h);
void front_run(struct front *f);
void front_resume(struct front *f, struct MHD_Connection *connection);

/* peers.c */
void peer_notify(void *front, struct MHD_Connection *connection, void **peer, enum MHD_ConnectionNotificationCode code);
struct peer *peer_of(struct MHD_Connection *connection);

/* request.c: the callbacks of libmicrohttpd */
void *request_begin(void *front, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_serve(void *front, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request);
void request_completed(void *front, struct MHD_Connection *connection, void **request,
                       enum MHD_RequestTerminationCode why);
void request_free(struct http_request *r);

/* uri.c */
/* Cuts and decodes r->uri. On failure *text says why; then the status is 400. */
bool uri_split(struct http_request *r, const char **text);

/* guard.c: everything that is checked before a handler runs. It answers what it refuses. */
bool guard_pass(struct http_request *r);

/* routes.c */
int routes_compile(struct http *h, const struct http_route *routes, size_t count, struct error *e);
/* The route of this method with the fewest parameters; NULL: none. *allow: what else the path takes, "" if unknown. */
const struct route *route_find(const struct http_request *r, const char **allow);

/* tally.c */
void tally_count(struct http *h, const struct route *route, unsigned status);

/* files.c */
bool file_serve(struct http_request *r); /* true: answered (a page, 304 or 405); false: no such file */

/* answer.c */
void answer_refuse(struct http_request *r, unsigned status, int code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
bool answer_headers_add(const struct http *h, struct MHD_Response *response, const char *content_type,
                        const char *cache_control);
/* Gives `response` (may be NULL) to the request, which takes it over, and wakes the connection. May free r. */
void answer_put(struct http_request *r, unsigned status, struct MHD_Response *response);

/* session.c */
/* Fills user, role, csrf from the cookie, if it is good. Fails by a fault of the machine only. */
int session_load(struct http_request *r);
void sessions_expire(struct http *h);
void sessions_release(struct http *h);

/* events.c */
void events_start(struct http *h);
void events_stop(struct http *h);
void stream_end(struct stream *s);  /* the connection is gone */
void stream_drop(struct stream *s); /* ends the connection */
void streams_drop_session(struct http *h, const struct hash *session);

#endif
