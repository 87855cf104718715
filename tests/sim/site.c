/* A machine with its daemon: set up, started, killed, cut off from power. */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/hub.h"
#include "sim.h"
#include "subcenter/subcenter.h"
#include "terminal/terminal.h"

#define MAP_BYTES (INT64_C(12) * 1024 * 1024) /* the district keeps every part of every file, and must not be full */
#define SMALL_MAP_BYTES (INT64_C(400) * 1024) /* a terminal trims; who is above it keeps all */
#define SHARE 50
#define SMALL_SHARE 1 /* per cent: some forty entries */
#define SET_UP_MOST (20 * HOURS)

struct site *site_hub(void)
{
	return &world.site[0];
}

static char *copy(const char *text)
{
	char *made = strdup(text);
	if (!made)
		abort();
	return made;
}

static void config_fill(const struct site *s, struct node_config *c)
{
	char address[64];
	memset(c, 0, sizeof *c);
	c->place = copy(s->place);
	c->data = copy(s->folder);
	c->log_level = copy("info");
	c->map_bytes = s->map_bytes;
	c->origin_share = s->is_share_small ? SMALL_SHARE : SHARE;
	c->receipts_ahead = 2;
	c->session_idle_s = 1800;
	c->clock_warn_s = 60;
	c->hand_over_days = 3;
	c->beat_s = world.pace->beat_s;
	c->probe_s = world.pace->probe_s;
	if (s == site_hub())
		restores_configure(c);
	snprintf(address, sizeof address, "sim://%s", s->place);
	if (s->tier != LM__TIER__TIER_TERMINAL)
		c->link_address = copy(address);
	if (!s->above)
		return;
	snprintf(address, sizeof address, "sim://%s", s->above->place);
	c->upstream = copy(address);
	c->upstream_key = copy(s->above->curve_key);
	c->authority = copy(site_hub()->authority);
}

void site_start(struct site *s)
{
	struct error e = { 0 };
	struct site *before = world.here;
	struct node_options options = { .loop = &s->loop };
	options.tier = s->tier == LM__TIER__TIER_DISTRICT ? hub_tier()
	               : s->tier == LM__TIER__TIER_TOWN   ? subcenter_tier()
	                                                  : terminal_tier();
	config_fill(s, &options.config);
	s->life++;
	s->is_dying = s->is_power_cut = s->has_writer = s->is_writer_due = s->is_stopping = false;
	s->effects_left = s->paused_until_us = 0;
	s->monotonic_skew_us = draw(1000 * SECONDS); /* counts from a start of the machine */
	s->loop.data = s;
	s->is_starting = true;
	world.here = s;
	strike_at_start(s);
	if (node_start(&options, &s->node, &e)) {
		if (!s->is_dying && !s->is_damaged && !disk_may_refuse(s) && !fault_is_about(FAULT_NO_MEMORY))
			fail("%s does not start: %s", s->name, e.text);
		site_kill(s, true); /* something was refused just now */
	}
	s->is_starting = false;
	world.here = before;
	tell("%-24s starts, life %u", s->name, s->life);
}

void site_kill(struct site *s, bool is_power_cut)
{
	if (!s->node || s->is_dying)
		return;
	s->is_dying = true;
	s->is_power_cut = is_power_cut;
	s->deaths++;
	tell("%-24s %s", s->name, is_power_cut ? "loses its power" : "is killed");
	disk_site_died(s);
	net_site_died(s);
	http_site_died(s);
}

/* The daemon ends in its own way, so that nothing leaks here; nobody sees what it still does. */
void site_bury_if_dead(struct site *s)
{
	if (s->node && node_must_restart(s->node)) /* with other keys: like a death at that moment, which is worse */
		site_kill(s, false);
	if (!s->node || !s->is_dying)
		return;
	world.here = s;
	node_stop(s->node);
	while (world_step_of(s)) {
	}
	node_free(s->node);
	s->node = NULL;
	world.here = NULL;
	disk_site_restore(s);
	weather_site_died(s);
}

/* ---- setting up ---- */

static struct site *site_add(struct site *above, Lm__Tier tier, const char *place)
{
	static const char *const names[] = { [LM__TIER__TIER_TERMINAL] = "terminal",
		                             [LM__TIER__TIER_TOWN] = "town",
		                             [LM__TIER__TIER_DISTRICT] = "hub" };
	struct site *s = &world.site[world.site_count++];
	memset(s, 0, sizeof *s);
	s->above = above;
	s->tier = tier;
	s->is_map_small = tier == LM__TIER__TIER_TERMINAL && fault_is_about(FAULT_MAP_FULL) && draw(4);
	s->map_bytes = s->is_map_small ? (int64_t)draw_between(SMALL_MAP_BYTES, 2 * SMALL_MAP_BYTES) : MAP_BYTES;
	s->is_share_small = tier != LM__TIER__TIER_TERMINAL && fault_is_about(FAULT_SHARE) && draw(2);
	snprintf(s->place, sizeof s->place, "%s", place);
	snprintf(s->name, sizeof s->name, "%s %s", names[tier], place);
	snprintf(s->folder, sizeof s->folder, "%s/%s", world.folder, place);
	if (mkdir(s->folder, 0700))
		fail("cannot make %s: %s", s->folder, strerror(errno));
	return s;
}

static void status_learn(struct site *s)
{
	json_t *status = ask_now(s, "GET", "/ctl/v1/status", NULL);
	snprintf(s->curve_key, sizeof s->curve_key, "%s", json_string_value(json_object_get(status, "curve_key")));
	snprintf(s->authority, sizeof s->authority, "%s", json_string_value(json_object_get(status, "authority")));
	json_decref(status);
}

json_t *admission_of(const struct site *s, json_t *file)
{
	return json_pack("{s:o,s:O,s:s,s:s,s:s}", "file", file, "fingerprint", json_object_get(file, "fingerprint"),
	                 "role", s->tier == LM__TIER__TIER_TOWN ? "TIER_TOWN" : "TIER_TERMINAL", "place", s->place,
	                 "by", "sim");
}

static void admit(struct site *s)
{
	char path[300];
	snprintf(path, sizeof path, "%s/device.json", s->folder);
	json_t *file = json_load_file(path, 0, NULL);
	if (!file)
		fail("%s wrote no device.json", s->name);
	json_decref(ask_now(site_hub(), "POST", "/ctl/v1/admit", admission_of(s, file)));
}

static void publish(const char *collection, const char *path)
{
	json_error_t fault;
	json_t *file = json_load_file(path, 0, &fault);
	if (!file)
		fail("%s: %s", path, fault.text);
	json_decref(ask_now(site_hub(), "POST", "/ctl/v1/catalogue",
	                    json_pack("{s:[o],s:s,s:s}", collection, file, "by", "sim", "second", "sim2")));
}

static bool can_take(struct site *s)
{
	json_t *state = ask_now(s, "GET", "/api/v1/state", NULL);
	bool can = json_is_true(json_object_get(state, "can_take_requests"));
	json_decref(state);
	return can;
}

void sites_lay_out(size_t towns, size_t terminals_each)
{
	static const char *const places[] = { "310114106", "310114103", "310114102", "310114001" };
	struct site *hub = site_add(NULL, LM__TIER__TIER_DISTRICT, "310114");
	site_start(hub);
	status_learn(hub);
	for (size_t t = 0; t < towns; t++) {
		struct site *town = site_add(hub, LM__TIER__TIER_TOWN, places[t]);
		site_start(town);
		admit(town);
		status_learn(town);
		for (size_t i = 0; i < terminals_each; i++) {
			char place[PLACE_TEXT_BYTES];
			snprintf(place, sizeof place, "%.9s%03u-T1", places[t], (unsigned)(i + 1) % 1000);
			struct site *terminal = site_add(town, LM__TIER__TIER_TERMINAL, place);
			site_start(terminal);
			admit(terminal);
		}
	}
	publish("services", SIM_SERVICES "/town.json");
	publish("services", SIM_SERVICES "/district.json");
	publish("services", SIM_SERVICES "/../../../deploy/catalogue/certificate-application.json");
	publish("calendars",
	        SIM_SERVICES "/../../../deploy/calendar/2026.json"); /* its last weeks are when all happens */
	uint64_t end = world.now_us + SET_UP_MOST;
	for (size_t i = 0; i < world.site_count; i++)
		while (world.site[i].tier == LM__TIER__TIER_TERMINAL && !can_take(&world.site[i])) {
			if (world.now_us > end)
				fail("%s is not ready after %llu minutes", world.site[i].name,
				     (unsigned long long)(SET_UP_MOST / MINUTES));
			world_run_until(world.now_us + (uint64_t)world.pace->beat_s * SECONDS / 8);
		}
}

static int entry_remove(const char *path, const struct stat *file, int type, struct FTW *at)
{
	(void)file;
	(void)type;
	(void)at;
	return remove(path);
}

void folder_remove(const char *folder)
{
	nftw(folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void sites_remove(void)
{
	for (size_t i = 0; i < world.site_count; i++) {
		site_kill(&world.site[i], false);
		site_bury_if_dead(&world.site[i]);
	}
	world_end();
	disk_reset();
	folder_remove(world.folder);
	world.site_count = 0;
}
