/* The table of routes: compiled once, searched by segments. A literal segment goes before a parameter. */
#include <stdlib.h>
#include <string.h>

#include "server.h"

static int route_compile(struct http *h, const struct http_route *given, struct route *out, struct error *e)
{
	const char *path = given->path;

	if (path == NULL || path[0] != '/' || given->handle == NULL)
		return error_set(e, ERR_INVALID, "route %s: a path from / and a handler are needed",
		                 path ? path : "(none)");
	char *copy = arena_text(&h->arena, path);
	if (copy == NULL)
		return error_set(e, ERR_MEMORY, "no memory for the routes");
	out->path = arena_text(&h->arena, path);
	if (out->path == NULL)
		return error_set(e, ERR_MEMORY, "no memory for the routes");
	out->method = given->method == HTTP_GET ? HTTP_GET : HTTP_POST;
	out->body_most = given->method == HTTP_POST_FILES   ? HTTP_FILES_BODY_BYTES_MOST
	                 : given->method == HTTP_POST_LARGE ? HTTP_LARGE_BODY_BYTES_MOST
	                                                    : HTTP_BODY_BYTES_MOST;
	out->guard = (enum http_guard)(given->guard & 0xff);
	out->right = given->guard >> 8;
	out->handle = given->handle;
	for (char *rest = copy + 1; rest != NULL;) {
		const char *segment = strsep(&rest, "/");
		if (out->segment_count == SEGMENTS_MOST)
			return error_set(e, ERR_INVALID, "route %s has more than %d segments", path, SEGMENTS_MOST);
		out->parameter_count += segment[0] == ':';
		out->segment[out->segment_count++] = segment;
	}
	if (out->parameter_count > HTTP_PARAMETERS_MOST)
		return error_set(e, ERR_INVALID, "route %s has more than %d parameters", path, HTTP_PARAMETERS_MOST);
	return OK;
}

int routes_compile(struct http *h, const struct http_route *routes, size_t count, struct error *e)
{
	h->routes = calloc(count == 0 ? 1 : count, sizeof(*h->routes));
	h->tally = calloc(count + 1, sizeof(*h->tally));
	if (h->routes == NULL || h->tally == NULL)
		return error_set(e, ERR_MEMORY, "no memory for the routes");
	for (size_t i = 0; i < count; i++) {
		int code = route_compile(h, &routes[i], &h->routes[i], e);
		if (code != OK)
			return code;
	}
	h->route_count = count;
	return OK;
}

static bool route_matches(const struct route *route, const struct http_request *r)
{
	if (route->segment_count != r->segment_count || (route->guard == HTTP_LOCAL && !r->is_local))
		return false;
	for (size_t i = 0; i < route->segment_count; i++) {
		if (route->segment[i][0] == ':' ? r->segment[i][0] == '\0'
		                                : strcmp(route->segment[i], r->segment[i]) != 0)
			return false;
	}
	return true;
}

const struct route *route_find(const struct http_request *r, const char **allow)
{
	const struct route *best = NULL;
	bool takes_get = false, takes_post = false;

	for (size_t i = 0; i < r->http->route_count; i++) {
		const struct route *route = &r->http->routes[i];
		if (!route_matches(route, r))
			continue;
		bool is_post = route->method == HTTP_POST;
		takes_get |= !is_post;
		takes_post |= is_post;
		if (r->method != (is_post ? REQUEST_POST : REQUEST_GET))
			continue;
		if (best == NULL || route->parameter_count < best->parameter_count)
			best = route;
	}
	*allow = takes_get ? (takes_post ? "GET, POST" : "GET") : (takes_post ? "POST" : "");
	return best;
}

const char *http_parameter(const struct http_request *r, const char *name)
{
	if (r->route == NULL)
		return NULL;
	for (size_t i = 0; i < r->route->segment_count; i++) {
		const char *segment = r->route->segment[i];
		if (segment[0] == ':' && strcmp(segment + 1, name) == 0)
			return r->segment[i];
	}
	return NULL;
}
