/*
 * The district: casework for what it owns, the totals, every link.
 */
#include "hub/hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "desk/desk.h"
#include "node/control.h"
#include "ratings.h"

#define TOTALS_MOST 2000
#define ROUTES_MOST 96
#define PAGES_EVERY_US 1000000 /* while a page is open */
#define LOOK_EVERY_US 5000000  /* then links are looked at */

struct totals_job {
	struct http_request *request; /* NULL: for the event stream */
	struct arena arena;
	struct node *node;
	struct store_txn *txn;
	Lm__TotalsView *view;
	struct ratings towns, services;
	int result;
	struct error error;
};

static bool totals_visit(void *context, const char *town, const char *service, const Lm__CountRecord *c)
{
	struct totals_job *j = context;
	Lm__TotalRow *row = j->view->n_totals < TOTALS_MOST ? arena_alloc(&j->arena, sizeof *row) : NULL;
	Lm__Service *s;
	if (!row)
		return false;
	lm__total_row__init(row);
	row->town = (char *)(uintptr_t)town;
	row->town_name = node_place_words(j->node, town, &j->arena);
	row->service = (char *)(uintptr_t)service;
	if (!service_get(j->txn, service, 0, &j->arena, &s))
		row->service_name = s->name;
	row->received = c->received;
	row->open = c->open;
	row->granted = c->granted;
	row->partly_granted = c->partly_granted;
	row->refused = c->refused;
	row->withdrawn = c->withdrawn;
	row->duplicate = c->duplicate;
	j->view->totals[j->view->n_totals++] = row;
	ratings_add(&j->towns, row->town, row->town_name, c);
	ratings_add(&j->services, row->service, row->service_name, c);
	return true;
}

static bool sites_visit(void *context, const Lm__DeviceRecord *record)
{
	struct totals_job *j = context;
	if (record->role == LM__TIER__TIER_TERMINAL && record->status == LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED)
		j->view->sites_total++;
	return true;
}

static void totals_pool(struct node *n, void *context)
{
	struct totals_job *j = context;
	j->view = arena_alloc(&j->arena, sizeof *j->view);
	Lm__TotalRow **list = arena_alloc(&j->arena, TOTALS_MOST * sizeof *list);
	j->result = j->view && list ? store_begin_read(node_store(n), &j->txn, &j->error) : ERR_MEMORY;
	if (j->result)
		return;
	lm__totals_view__init(j->view);
	j->view->totals = list;
	j->result = count_each(j->txn, &j->arena, totals_visit, j);
	if (!j->result)
		j->result = device_each(j->txn, &j->arena, sites_visit, j);
	j->view->ratings_by_town = ratings_rows(&j->towns, &j->arena, &j->view->n_ratings_by_town);
	j->view->ratings_by_service = ratings_rows(&j->services, &j->arena, &j->view->n_ratings_by_service);
	if (!j->view->ratings_by_town || !j->view->ratings_by_service)
		j->result = ERR_MEMORY;
	j->view->time_ms = clock_wall_ms();
	store_abort(j->txn);
}

/* The links tell how many sites have been heard and are there now. */
struct sites {
	uint32_t heard, connected;
};
static struct sites sites_now; /* loop thread */

static void totals_done(struct node *n, void *context)
{
	struct totals_job *j = context;
	if (!j->result) {
		j->view->sites_heard = sites_now.heard;
		j->view->sites_connected = sites_now.connected;
	}
	if (j->request && j->result)
		node_answer_error(j->request, j->result, &j->error);
	else if (j->request)
		node_answer(j->request, &j->view->base);
	else if (!j->result)
		desk_publish(n, RIGHT_CASES, "totals", &j->view->base);
	arena_release(&j->arena);
	free(j);
}

static void totals_begin(struct node *n, struct http_request *r)
{
	struct totals_job *j = calloc(1, sizeof *j);
	if (j) {
		j->request = r;
		j->node = n;
		arena_init(&j->arena, 16u * 1024 * 1024);
		if (!node_pool(n, totals_pool, totals_done, j))
			return;
		free(j);
	}
	if (r)
		http_answer_error(r, ERR_BUSY, "too much is waiting; try again");
}

/* ---- news: at most one refresh of each kind a second, however much happens ---- */

static bool totals_moved, links_moved; /* loop thread */

static void sites_count(struct node *n, const Lm__LinksView *view)
{
	struct sites sites = { 0, 0 };
	for (size_t i = 0; i < view->n_links; i++) {
		const Lm__LinkView *l = view->links[i];
		if (l->tier != LM__TIER__TIER_TERMINAL || l->is_revoked)
			continue;
		sites.heard += l->received > 0;
		sites.connected += l->is_up ? 1 : 0;
	}
	if (sites.heard != sites_now.heard || sites.connected != sites_now.connected) {
		totals_moved = true;
		node_tick_by(n, clock_monotonic_us());
	}
	sites_now = sites;
	desk_publish(n, RIGHT_STATE, "links", &view->base);
}

static void totals_get(void *context, struct http_request *r)
{
	links_view_get(context, sites_count); /* if the numbers of sites have moved, the page is told */
	totals_begin(context, r);
}

static void hub_news(struct node *n, const struct domain_effect *news, size_t count)
{
	desk_news(n, news, count);
	for (size_t i = 0; i < count; i++)
		totals_moved |= news[i].type == DOMAIN_TOTALS || news[i].type == DOMAIN_DIRECTORY;
}

static void hub_links(struct node *n)
{
	(void)n;
	links_moved = true;
}

static uint64_t hub_tick(struct node *n, uint64_t now_us)
{
	static uint64_t looked_us;
	struct http_load load;
	http_load_read(node_http(n), &load);
	/* Towns report their links with their beats: for who has a page open we look, even if nothing told us to. */
	if (links_moved || (load.streams && now_us - looked_us >= LOOK_EVERY_US)) {
		looked_us = now_us;
		links_view_get(n, sites_count);
	}
	if (totals_moved)
		totals_begin(n, NULL);
	links_moved = totals_moved = false;
	uint64_t cases_us = desk_cases_tick(n, now_us), pages_us = now_us + PAGES_EVERY_US;
	return load.streams && pages_us < cases_us ? pages_us : cases_us;
}

/* The page of devices asks what lmctl asks. */
static const struct http_route device_pages[] = {
	{ HTTP_GET, "/api/v1/devices", HTTP_SESSION_OF(RIGHT_DEVICES), control_devices },
	{ HTTP_POST, "/api/v1/devices/revoke", HTTP_SESSION_OF(RIGHT_DEVICES), control_revoke },
	{ HTTP_POST, "/api/v1/devices/release", HTTP_SESSION_OF(RIGHT_DEVICES), control_release },
	{ HTTP_GET, "/api/v1/tokens", HTTP_SESSION_OF(RIGHT_DEVICES), control_tokens },
	{ HTTP_POST, "/api/v1/tokens", HTTP_SESSION_OF(RIGHT_DEVICES), control_token },
	{ HTTP_POST, "/api/v1/tokens/withdraw", HTTP_SESSION_OF(RIGHT_DEVICES), control_withdraw_token },
};

struct tier hub_tier(void)
{
	static struct http_route routes[ROUTES_MOST];
	memcpy(routes, desk_routes, desk_route_count * sizeof *routes);
	size_t count = desk_route_count;
	routes[count++] = (struct http_route){ HTTP_GET, "/api/v1/totals", HTTP_SESSION_OF(RIGHT_CASES), totals_get };
	memcpy(routes + count, device_pages, sizeof device_pages);
	count += sizeof device_pages / sizeof *device_pages;
	memcpy(routes + count, sample_routes, sample_route_count * sizeof *routes);
	count += sample_route_count;
	memcpy(routes + count, report_routes, report_route_count * sizeof *routes);
	count += report_route_count;
	return (struct tier){ .tier = LM__TIER__TIER_DISTRICT,
		              .program = "lm-hub",
		              .routes = routes,
		              .route_count = count,
		              .session_cookie = "lm_hub",
		              .on_start = desk_start,
		              .on_free = desk_free,
		              .context = desk_new(),
		              .answer_ask = desk_answer_ask,
		              .on_news = hub_news,
		              .on_links = hub_links,
		              .on_tick = hub_tick };
}
