/*
 * What is checked before a handler runs, in this order. A guard that returns false has answered.
 *
 * Host and Origin keep other web pages out: a page of an attacker may send requests to this port, and by DNS rebinding
 * even under a name of its own, but it cannot choose these two headers.
 */
#include <stdlib.h>
#include <string.h>

#include "server.h"

static bool guard_uri(struct http_request *r)
{
	const char *text = NULL;

	if (r->is_uri_too_long) {
		answer_refuse(r, 414, ERR_TOO_BIG, "The address is longer than %d bytes.", URI_BYTES_MOST);
		return false;
	}
	if (uri_split(r, &text))
		return true;
	answer_refuse(r, 400, ERR_INVALID, "%s", text);
	return false;
}

struct header_sum {
	size_t count, bytes;
};

static enum MHD_Result header_measure(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_sum *sum = context;

	(void)kind;
	sum->count++;
	sum->bytes += strlen(name) + 1 + (value == NULL ? 0 : strlen(value)) + 1;
	return MHD_YES;
}

struct header_copy {
	struct http_request *request;
	char *at;
};

static char *text_put(struct header_copy *copy, const char *text)
{
	char *start = copy->at;

	copy->at = stpcpy(start, text) + 1;
	return start;
}

static enum MHD_Result header_put(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_copy *copy = context;
	struct field *field = &copy->request->header[copy->request->header_count++];

	(void)kind;
	field->name = text_put(copy, name);
	field->value = text_put(copy, value == NULL ? "" : value);
	return MHD_YES;
}

static bool is_repeated(const struct http_request *r, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < r->header_count; i++)
		count += strcasecmp(r->header[i].name, name) == 0;
	return count > 1;
}

/* Copies them, because a job on the pool may read them when the connection is gone. */
static bool headers_copy(struct http_request *r)
{
	struct header_sum sum = { 0 };

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, header_measure, &sum);
	if (sum.count > HEADERS_MOST) {
		answer_refuse(r, 431, ERR_TOO_BIG, "The request has more than %d headers.", HEADERS_MOST);
		return false;
	}
	r->header_text = malloc(sum.bytes + 1);
	if (r->header_text == NULL) {
		answer_refuse(r, 500, ERR_MEMORY, "There is no memory for this request.");
		return false;
	}
	struct header_copy copy = { r, r->header_text };
	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, header_put, &copy);
	return true;
}

static bool guard_headers(struct http_request *r)
{
	static const char *const single[] = {
		"Host", "Origin", "Content-Length", "Content-Type", "X-Lm-Csrf", "Cookie"
	};

	if (!headers_copy(r))
		return false;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (is_repeated(r, single[i])) {
			answer_refuse(r, 400, ERR_INVALID, "The header %s stands twice.", single[i]);
			return false;
		}
	}
	const char *length = http_header(r, "Content-Length");
	if (length != NULL && http_header(r, "Transfer-Encoding") != NULL) {
		answer_refuse(r, 400, ERR_INVALID, "Content-Length and Transfer-Encoding exclude each other.");
		return false;
	}
	r->body_declared = length == NULL ? 0 : strtoull(length, NULL, 10);
	return true;
}

static bool is_our_host(const struct http *h, const char *host)
{
	for (size_t i = 0; i < h->host_count; i++) {
		if (strcmp(h->host[i], host) == 0)
			return true;
	}
	return false;
}

static bool guard_host(struct http_request *r)
{
	const char *host = http_header(r, "Host");

	r->is_public = host != NULL && r->http->public_name[0] != '\0' && strcmp(host, r->http->public_name) == 0;
	if (r->is_local || r->is_public || (host != NULL && is_our_host(r->http, host)))
		return true;
	answer_refuse(r, 421, ERR_DENIED, "Wrong Host header: this server answers to localhost:%u only.",
	              r->http->port);
	return false;
}

/* Of the page itself: under the public name a page comes over TLS, at loopback it does not. */
static bool is_our_origin(const struct http_request *r, const char *origin)
{
	const char *scheme = r->is_public ? "https://" : "http://";
	const char *host = origin + strlen(scheme);

	if (strncmp(origin, scheme, strlen(scheme)) != 0)
		return false;
	return r->is_public ? strcmp(host, r->http->public_name) == 0 : is_our_host(r->http, host);
}

static bool guard_origin(struct http_request *r)
{
	bool is_reading = r->method == REQUEST_GET || r->method == REQUEST_HEAD;
	const char *origin = http_header(r, "Origin");
	const char *site = http_header(r, "Sec-Fetch-Site");

	if (r->is_local)
		return true;
	if (!is_reading && origin != NULL && !is_our_origin(r, origin)) {
		answer_refuse(r, 403, ERR_DENIED, "Wrong Origin header: the request comes from another site's page.");
		return false;
	}
	if ((!is_reading || r->is_api) && site != NULL && strcmp(site, "cross-site") == 0) {
		answer_refuse(r, 403, ERR_DENIED,
		              "Wrong Sec-Fetch-Site header: the request comes from another site's page.");
		return false;
	}
	return true;
}

static bool guard_route(struct http_request *r)
{
	const char *allow = "";

	r->route = route_find(r, &allow);
	if (r->route != NULL)
		return true;
	if (allow[0] != '\0') {
		r->allow = allow;
		answer_refuse(r, 405, ERR_INVALID, "This path takes %s only.", allow);
	} else if (!file_serve(r)) {
		answer_refuse(r, 404, ERR_NOT_FOUND, "There is nothing at this path.");
	}
	return false;
}

static bool is_json_type(const char *type)
{
	static const char json[] = "application/json";

	if (type == NULL || strncasecmp(type, json, strlen(json)) != 0)
		return false;
	type += strlen(json);
	type += strspn(type, " \t");
	return *type == '\0' || *type == ';';
}

static bool guard_body(struct http_request *r)
{
	if (r->method == REQUEST_POST && !is_json_type(http_header(r, "Content-Type"))) {
		answer_refuse(r, 415, ERR_INVALID, "The Content-Type of a POST must be application/json.");
		return false;
	}
	if (r->body_declared > r->route->body_most) {
		answer_refuse(r, 413, ERR_TOO_BIG, "The body is larger than %zu bytes.", r->route->body_most);
		return false;
	}
	return true;
}

static bool guard_session(struct http_request *r)
{
	const char *csrf = http_header(r, "X-Lm-Csrf");

	int code = session_load(r);
	if (code != OK) {
		answer_refuse(r, (unsigned)error_http_status(code), code,
		              "This machine is short of memory just now; try again.");
		return false;
	}
	if (r->is_local || r->route->guard != HTTP_SESSION)
		return true;
	if (r->is_session_locked) {
		answer_refuse(r, (unsigned)error_http_status(ERR_LOCKED), ERR_LOCKED,
		              "This session is locked: its user's password unlocks it.");
		return false;
	}
	if (!r->has_session) {
		answer_refuse(r, (unsigned)error_http_status(ERR_LOGIN), ERR_LOGIN,
		              "There is no session, or it has ended: log in again.");
		return false;
	}
	if (r->route->right && (!r->http->may || !r->http->may(r->role, r->route->right))) {
		answer_refuse(r, 403, ERR_DENIED, "This account is for other work: somebody else does this.");
		return false;
	}
	if (r->method == REQUEST_GET)
		return true;
	if (csrf != NULL && strlen(csrf) == HTTP_CSRF_TEXT_BYTES - 1 &&
	    crypto_equal(csrf, r->csrf, HTTP_CSRF_TEXT_BYTES - 1))
		return true;
	answer_refuse(r, 403, ERR_DENIED,
	              "The CSRF token in X-Lm-Csrf is missing or not this session's: load the page again.");
	return false;
}

bool guard_pass(struct http_request *r)
{
	static bool (*const guards[])(struct http_request *) = {
		guard_uri, guard_headers, guard_host, guard_origin, guard_route, guard_body, guard_session,
	};

	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		if (!guards[i](r))
			return false;
	}
	return true;
}
