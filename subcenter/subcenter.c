/*
 * The town's sub-centre: relay for its terminals, owner of the cases that it decides.
 */
#include "subcenter/subcenter.h"

#include <string.h>

#include "desk/desk.h"
#include "inside.h"

#define ROUTES_MOST 96

static const struct http_route counter_routes[] = {
	{ HTTP_POST, "/api/v1/intake/drafts", HTTP_SESSION_OF(RIGHT_CASES), intake_draft_post },
	{ HTTP_GET, "/api/v1/rings", HTTP_SESSION_OF(RIGHT_CASES), desk_rings_get },
	{ HTTP_GET, "/api/v1/rings/waiting", HTTP_OPEN, desk_rings_waiting }, /* it looks itself for who asks */
	{ HTTP_POST, "/api/v1/rings/:id", HTTP_SESSION_OF(RIGHT_CASES), desk_ring_take },
	{ HTTP_POST_FILES, "/api/v1/intake", HTTP_SESSION_OF(RIGHT_CASES), intake_post },
	{ HTTP_POST, "/api/v1/cases/:id/code", HTTP_SESSION_OF(RIGHT_CASES), desk_new_code },
};
#define COUNTER_ROUTES (sizeof counter_routes / sizeof *counter_routes)

struct tier subcenter_tier(void)
{
	static struct http_route routes[ROUTES_MOST];
	memcpy(routes, desk_routes, desk_route_count * sizeof *routes);
	memcpy(routes + desk_route_count, counter_routes, sizeof counter_routes);
	return (struct tier){ .tier = LM__TIER__TIER_TOWN,
		              .program = "lm-subcenter",
		              .routes = routes,
		              .route_count = desk_route_count + COUNTER_ROUTES,
		              .session_cookie = "lm_town",
		              .on_start = desk_start,
		              .on_free = desk_free,
		              .context = desk_new(),
		              .answer_ask = desk_answer_ask,
		              .tell_again = desk_tell_again,
		              .find_receipt = desk_find_receipt,
		              .hear_ring = desk_hear_ring,
		              .on_ring = desk_ring_news,
		              .on_news = desk_news,
		              .on_links = desk_links,
		              .on_tick = desk_tick };
}
