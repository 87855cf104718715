/* Answers: JSON, errors, and the headers that stand on every one of them. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define OWN_ORIGIN                                                                                                  \
	"default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " \
	"frame-ancestors 'self'; base-uri 'none'; form-action 'self'"

static const struct field security_headers[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

bool answer_headers_add(const struct http *h, struct MHD_Response *response, const char *content_type,
                        const char *cache_control)
{
	const char *policy =
	        h->has_one_window ? OWN_ORIGIN "; sandbox allow-forms allow-same-origin allow-scripts" : OWN_ORIGIN;

	if (MHD_add_response_header(response, "Content-Security-Policy", policy) != MHD_YES)
		return false;
	for (size_t i = 0; i < sizeof(security_headers) / sizeof(security_headers[0]); i++) {
		if (MHD_add_response_header(response, security_headers[i].name, security_headers[i].value) != MHD_YES)
			return false;
	}
	if (content_type != NULL && MHD_add_response_header(response, "Content-Type", content_type) != MHD_YES)
		return false;
	return MHD_add_response_header(response, "Cache-Control", cache_control) == MHD_YES;
}

/* What belongs to this request: its cookie and, with 405, what the path takes. */
static bool own_headers_add(struct http_request *r, struct MHD_Response *response)
{
	if (r->set_cookie[0] != '\0' && MHD_add_response_header(response, "Set-Cookie", r->set_cookie) != MHD_YES)
		return false;
	return r->allow == NULL || MHD_add_response_header(response, "Allow", r->allow) == MHD_YES;
}

void answer_put(struct http_request *r, unsigned status, struct MHD_Response *response)
{
	struct http *h = r->http;

	tally_count(h, r->route, status);
	if (r->is_held) {
		r->is_held = false;
		h->held_count--;
	}
	if (r->connection == NULL) {
		if (response != NULL)
			MHD_destroy_response(response);
		request_free(r);
		http_free_if_done(h);
		return;
	}
	if (response != NULL && !own_headers_add(r, response)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	r->response = response;
	r->status = status;
	r->is_answered = true;
	if (r->is_suspended) {
		r->is_suspended = false;
		front_resume(r->front, r->connection);
	}
}

static struct MHD_Response *typed_response(const struct http *h, const char *content_type, struct bytes body)
{
	struct MHD_Response *response =
	        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);

	if (response == NULL)
		return NULL;
	if (answer_headers_add(h, response, content_type, "no-store"))
		return response;
	MHD_destroy_response(response);
	return NULL;
}

static struct MHD_Response *json_response(const struct http *h, struct bytes json)
{
	return typed_response(h, "application/json", json);
}

void http_answer_json(struct http_request *r, int status, struct bytes json)
{
	answer_put(r, (unsigned)status, json_response(r->http, json));
}

void http_answer_typed(struct http_request *r, int status, const char *content_type, struct bytes body)
{
	answer_put(r, (unsigned)status, typed_response(r->http, content_type, body));
}

static void error_put(struct http_request *r, unsigned status, int code, const char *text)
{
	/* A text that is not UTF-8 gives no object; the code still tells what to do. */
	json_t *error = json_pack("{s:{s:s,s:s}}", "error", "code", error_name(code), "text", text);
	if (error == NULL)
		error = json_pack("{s:{s:s,s:s}}", "error", "code", error_name(code), "text", error_name(code));
	char *json = error == NULL ? NULL : json_dumps(error, JSON_COMPACT);
	json_decref(error);
	answer_put(r, status, json == NULL ? NULL : json_response(r->http, bytes_from_text(json)));
	free(json);
}

void http_answer_error(struct http_request *r, int code, const char *text)
{
	error_put(r, (unsigned)error_http_status(code), code, text);
}

void answer_refuse(struct http_request *r, unsigned status, int code, const char *format, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	error_put(r, status, code, text);
}
