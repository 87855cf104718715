/*
 * What was answered: requests by route and status. Labels are those of the table of routes, never a path that a client
 * sent, so their number is bounded by the program. Loop thread, as everything here.
 */
#include "server.h"

/* Pages, refusals before a route was known, and paths that do not exist count under no route. */
void tally_count(struct http *h, const struct route *route, unsigned status)
{
	struct tally *tally = &h->tally[route == NULL ? h->route_count : (size_t)(route - h->routes)];

	for (size_t i = 0; i < STATUSES_MOST; i++) {
		if (tally->status[i] != status && tally->status[i] != 0 && i + 1 < STATUSES_MOST)
			continue;
		if (tally->status[i] == 0)
			tally->status[i] = i + 1 < STATUSES_MOST ? status : STATUS_OTHER;
		tally->count[i]++;
		return;
	}
}

void http_tally_each(const struct http *h, http_tally_visit *visit, void *context)
{
	for (size_t i = 0; i <= h->route_count; i++) {
		const struct route *route = i < h->route_count ? &h->routes[i] : NULL;
		const char *method = route == NULL ? "any" : route->method == HTTP_GET ? "GET" : "POST";
		for (size_t k = 0; k < STATUSES_MOST && h->tally[i].status[k] != 0; k++)
			visit(context, method, route == NULL ? "other" : route->path, h->tally[i].status[k],
			      h->tally[i].count[k]);
	}
}

void http_load_read(const struct http *h, struct http_load *out)
{
	*out = (struct http_load){ .sessions = h->session_count, .streams = h->stream_count };
	for (const struct http_request *r = h->requests; r != NULL; r = r->next)
		out->requests++;
}
