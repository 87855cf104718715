/*
 * The town's sub-centre: relay for its terminals, owner of the cases that it decides.
 */
#include "subcenter/subcenter.h"

#include "desk/desk.h"

struct tier subcenter_tier(void)
{
	return (struct tier){ .tier = LM__TIER__TIER_TOWN,
		              .program = "lm-subcenter",
		              .routes = desk_routes,
		              .route_count = desk_route_count,
		              .session_cookie = "lm_town",
		              .answer_ask = desk_answer_ask,
		              .find_receipt = desk_find_receipt,
		              .on_news = desk_news,
		              .on_links = desk_links,
		              .on_tick = desk_tick };
}
