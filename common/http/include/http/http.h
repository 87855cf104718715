/*
 * The server for the pages and for lmctl: loopback TCP and a Unix socket, nothing else. Static files, JSON in and
 * out, server-sent events, sessions. Everything here runs on the loop thread.
 *
 * Checks made before a handler runs: method and path known; Host is one of ours; for anything but GET, Origin (if
 * sent) is ours and the body is JSON within limits; the route's guard: a session, and its CSRF token in the header
 * X-Lm-Csrf for anything but GET. What fails them is answered here as {"error":{"code","text"}}: 404, 405, 413, 414,
 * 415, 421 (Host), 431, and 403 for Origin, a cross-site fetch, CSRF ("denied") or a missing or locked session
 * ("login", "locked"). That a body is well-formed JSON is for the handler to find. The Unix socket (mode 0600) needs
 * neither Host nor session: its guard is the file's.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/errors.h"

#define HTTP_BODY_BYTES_MOST (64 * 1024)
#define HTTP_LARGE_BODY_BYTES_MOST (768 * 1024)
#define HTTP_FILES_BODY_BYTES_MOST (9 * 1024 * 1024) /* a request with its files, as JSON */
#define HTTP_CONNECTIONS_MOST 256
#define HTTP_PARAMETERS_MOST 3

struct http;
struct http_request; /* owned by the server; lives until it is answered, also across threads of the pool */

enum http_method {
	HTTP_GET,
	HTTP_POST,
	HTTP_POST_LARGE, /* a POST whose body may be HTTP_LARGE_BODY_BYTES_MOST long */
	HTTP_POST_FILES, /* the same, HTTP_FILES_BODY_BYTES_MOST */
};

enum http_guard {
	HTTP_OPEN,    /* anybody who reaches the port: pages, login */
	HTTP_SESSION, /* a session of this server (cookie), CSRF token for POST */
	HTTP_LOCAL,   /* only over the Unix socket */
};

/* A session whose role has one of these rights, as http_options.may knows them. */
#define HTTP_SESSION_OF(rights) ((unsigned)HTTP_SESSION | (unsigned)(rights) << 8)

struct http_route {
	enum http_method method;
	const char *path; /* "/api/v1/cases/:id": up to HTTP_PARAMETERS_MOST parameters, each a whole segment, never
	                   * empty; if several match, the one with the fewest parameters goes first */
	unsigned guard; /* an http_guard, or HTTP_SESSION_OF. HTTP_OPEN and HTTP_SESSION routes are served over the Unix
	                   socket too, without these checks */
	void (*handle)(void *context, struct http_request *request);
};

/* Whether http_open would take them. ERR_INVALID says why not. */
int http_address_check(const char *address, struct error *e);
int http_public_name_check(const char *name, struct error *e);

struct http_options {
	const char *address;     /* "127.0.0.1:8601" (loopback only, ERR_INVALID otherwise); NULL: no TCP */
	const char *public_name; /* "desk.example.org", with a port unless it is 443: Host and (https) Origin of what a
	                            web server in front hands on; its cookies are Secure. NULL: none */
	const char *socket_path; /* Unix socket, mode 0600; NULL: none */
	const char *static_folder;  /* files by path below it, "/" is index.html; NULL: none. No listing, no "..", no
	                               symlink out */
	const char *session_cookie; /* "lm_town"; daemons on one host need different names */
	uint32_t session_idle_s;    /* sessions end, or are locked, after this long without a request */
	uint32_t session_most_s; /* they end this long after they began, and idling locks them; 0: idling ends them */
	bool has_one_window; /* pages open no window, no dialog of the browser and no download, whatever script runs in
	                        them */
	const struct http_route *routes;
	size_t route_count;
	bool (*may)(const char *role, unsigned right); /* needed if a route names a right */
	void *context;
};

/* ERR_EXISTS "address … is in use", ERR_INVALID for an address beyond loopback. */
int http_open(uv_loop_t *loop, const struct http_options *options, struct http **out, struct error *e);
void http_close(struct http *h); /* ends all connections; run the loop until its handles are gone */
uint16_t http_port(const struct http *h);

/* ---- within a request ---- */
const char *http_parameter(const struct http_request *r, const char *name); /* of the path; NULL if none */
const char *http_query(const struct http_request *r, const char *name); /* of the query string, decoded; NULL if none */
struct bytes http_body(const struct http_request *r);
const char *
http_user(const struct http_request *r); /* the session's user, "" without one, "local" over the Unix socket */
bool http_is_local(const struct http_request *r);
const char *http_header(const struct http_request *r, const char *name);

/* ---- answers: exactly one a request, on the loop thread, at once or later. The body is copied. ---- */
void http_answer_json(struct http_request *r, int status, struct bytes json);
void http_answer_typed(struct http_request *r, int status, const char *content_type, struct bytes body);
/* {"error":{"code":"conflict","text":"…"}} with the status of the code. */
void http_answer_error(struct http_request *r, int code, const char *text);
/* If the client has gone away meanwhile, answering is still required and frees the request. */

/* ---- what it has done and has to do, for metrics (loop thread) ---- */
struct http_load {
	size_t sessions, streams; /* sessions that ended by idling are gone within 15 s */
	size_t requests;          /* under way, event streams among them */
};
void http_load_read(const struct http *h, struct http_load *out);
/* Answers since the start by route and status. `route` is the route as the table has it ("/api/v1/cases/:id"); "other",
 * method "any", for pages and for what was refused before a route was found. At most 20 statuses a route. */
typedef void http_tally_visit(void *context, const char *method, const char *route, unsigned status, uint64_t count);
void http_tally_each(const struct http *h, http_tally_visit *visit, void *context);

/* ---- sessions ---- */
/* Starts a session and sets its cookie (HttpOnly, SameSite=Strict, Path=/) on the answer to come; csrf is hex text. */
#define HTTP_CSRF_TEXT_BYTES 65
int http_session_begin(struct http_request *r, const char *user, const char *role, char csrf[HTTP_CSRF_TEXT_BYTES],
                       struct error *e);
void http_session_end(struct http_request *r);
void http_sessions_end_user(struct http *h, const char *user);
/* A locked session refuses everything (ERR_LOCKED) until it is unlocked: who asks then has shown to be its user. */
void http_session_lock(struct http_request *r);
const char *http_locked_user(const struct http_request *r); /* of the request's session if it is locked; else NULL */
int http_session_unlock(struct http_request *r, struct error *e); /* ERR_CLOSED: it has ended meanwhile */
/* Its user has shown a second factor just now; and how long ago that was: UINT64_MAX: never, in this session. */
void http_session_prove(struct http_request *r);
uint64_t http_session_proved_ms(const struct http_request *r);
struct http_session_view {
	char name[17];             /* of its hash: opens nothing */
	int64_t begun_ms, used_ms; /* wall clock */
	bool is_locked, is_this;
};
/* Sessions of the request's user. `visit` must not end any. */
void http_sessions_each(const struct http_request *r,
                        void (*visit)(void *context, const struct http_session_view *view), void *context);
bool http_session_end_named(struct http_request *r, const char *name); /* of the same user; false: there is none */
const char *http_role(const struct http_request *r); /* of the session; "local" over the Unix socket */
bool http_session_csrf(const struct http_request *r, char csrf[HTTP_CSRF_TEXT_BYTES]); /* of the request's session */

/* ---- server-sent events ---- */
/* Turns the request into an event stream on `channel` (kept until the client leaves). A comment line keeps it alive
 * every 15 s. */
void http_answer_events(struct http_request *r, const char *channel);
/* Sends `event: name`, `data: json` to every stream of the channel; a client that does not read (64 KiB behind) is
 * dropped. */
void http_publish(struct http *h, const char *channel, const char *name, struct bytes json);

#endif
