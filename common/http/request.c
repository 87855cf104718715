/*
 * The life of a request, as libmicrohttpd tells it:
 *
 *   request_begin      the request line is read
 *   request_serve      1st call, headers read: every guard; a refusal waits until the body has been thrown away, for
 *                      an answer given before it would be lost in the reset of the connection
 *                      further calls: pieces of the body
 *                      last call: the handler, which answers at once or later; later means suspended, and one more
 *                      call when the answer is there
 *   request_completed  the answer is sent, or the connection has failed
 */
#include <stdlib.h>
#include <string.h>

#include "server.h"

/* A longer refused body is not read to its end: the answer is sent and the connection closed. */
#define DISCARD_BYTES_MOST (1024 * 1024)

void *request_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct front *front = context;
	struct http_request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->http = front->http;
	r->front = front;
	r->is_local = front->is_local;
	r->connection = connection;
	r->peer = peer_of(connection);
	r->is_uri_too_long = uri != NULL && strlen(uri) > URI_BYTES_MOST;
	r->uri = strdup(uri == NULL || r->is_uri_too_long ? "" : uri);
	if (r->uri == NULL) {
		free(r);
		return NULL;
	}
	if (r->peer != NULL)
		r->peer->request = r;
	r->next = r->http->requests;
	if (r->next != NULL)
		r->next->previous = r;
	r->http->requests = r;
	return r;
}

void request_free(struct http_request *r)
{
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	buffer_release(&r->body);
	free(r->header_text);
	free(r->uri);
	crypto_wipe(r->csrf, sizeof(r->csrf));
	crypto_wipe(r->set_cookie, sizeof(r->set_cookie));
	free(r);
}

void request_completed(void *context, struct MHD_Connection *connection, void **request,
                       enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *request;

	(void)context;
	(void)connection;
	(void)why;
	*request = NULL;
	if (r == NULL)
		return;
	if (r->next != NULL)
		r->next->previous = r->previous;
	if (r->previous != NULL)
		r->previous->next = r->next;
	else
		r->http->requests = r->next;
	if (r->stream != NULL)
		stream_end(r->stream);
	r->stream = NULL;
	if (r->peer != NULL)
		r->peer->request = NULL;
	r->peer = NULL;
	r->connection = NULL;
	if (!r->is_held)
		request_free(r);
}

static enum request_method method_of(const char *name)
{
	static const struct {
		const char *name;
		enum request_method method;
	} known[] = { { "GET", REQUEST_GET }, { "HEAD", REQUEST_HEAD }, { "POST", REQUEST_POST } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) == 0)
			return known[i].method;
	}
	return REQUEST_OTHER;
}

static enum MHD_Result answer_queue(struct http_request *r)
{
	struct MHD_Response *response = r->response;

	if (response == NULL)
		return MHD_NO; /* no memory for an answer: the connection ends */
	r->response = NULL;
	enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result body_take(struct http_request *r, struct bytes piece)
{
	r->body_seen += piece.size;
	if (r->is_answered)
		return r->body_seen <= DISCARD_BYTES_MOST ? MHD_YES : MHD_NO;
	if (r->body_seen > r->route->body_most) {
		answer_refuse(r, 413, ERR_TOO_BIG, "The body is larger than %zu bytes.", r->route->body_most);
		return MHD_YES;
	}
	return buffer_append(&r->body, piece) == OK ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle(struct http_request *r)
{
	r->is_handled = true;
	r->is_held = true;
	r->http->held_count++;
	r->route->handle(r->http->context, r);
	if (r->is_answered)
		return answer_queue(r);
	r->is_suspended = true;
	MHD_suspend_connection(r->connection);
	return MHD_YES;
}

enum MHD_Result request_serve(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct http_request *r = *request;

	(void)context;
	(void)connection;
	(void)url;
	(void)version;
	if (r == NULL)
		return MHD_NO;
	if (!r->is_examined) {
		r->is_examined = true;
		r->method = method_of(method);
		if (!guard_pass(r) && r->body_declared > DISCARD_BYTES_MOST)
			return answer_queue(r);
		return MHD_YES;
	}
	if (*upload_size > 0) {
		struct bytes piece = BYTES(upload, *upload_size);
		*upload_size = 0;
		return body_take(r, piece);
	}
	if (r->is_answered)
		return answer_queue(r);
	return r->is_handled ? MHD_NO : handle(r);
}

const char *http_query(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->query_count; i++) {
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value;
	}
	return NULL;
}

const char *http_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (strcasecmp(r->header[i].name, name) == 0)
			return r->header[i].value;
	}
	return NULL;
}

struct bytes http_body(const struct http_request *r)
{
	return buffer_bytes(&r->body);
}

const char *http_user(const struct http_request *r)
{
	return r->user;
}

const char *http_role(const struct http_request *r)
{
	return r->role;
}

bool http_is_local(const struct http_request *r)
{
	return r->is_local;
}
