/* Faults that strike a site at a moment. Each returns false if there was nothing to strike. */
#include <string.h>

#include "sim.h"

#define YEARS_MS (INT64_C(365) * 86400 * 1000)
#define PPM_MOST 500

static uint64_t outage_draw(void)
{
	return draw(10) ? draw(world.pace->outage_us / 40) : draw(world.pace->outage_us);
}

static bool is_running(const struct site *s)
{
	return s->node && !s->is_dying;
}

/* ---- processes ---- */

static void stop_end(void *context, bool is_alive)
{
	if (is_alive)
		site_kill(context, false); /* it has said its last word */
}

bool strike_stop(struct site *s)
{
	struct site *before = world.here;
	if (!is_running(s) || s->is_stopping)
		return false;
	tell("%-24s is told to stop", s->name);
	s->is_stopping = true;
	world.here = s;
	node_stop(s->node);
	world.here = before;
	plan(draw(3 * SECONDS), s, stop_end, s);
	return true;
}

bool strike_kill(struct site *s)
{
	bool is_struck = is_running(s);
	site_kill(s, false);
	return is_struck;
}

bool strike_power(struct site *s)
{
	bool is_struck = is_running(s);
	site_kill(s, true);
	return is_struck;
}

/* They are counted when it dies. */
static bool death_set(struct site *s, bool is_power_cut)
{
	if (!s->is_dying && !s->effects_left && (s->node || s->is_starting)) {
		s->effects_left = draw_between(1, 40);
		s->is_power_cut = is_power_cut;
	}
	return false;
}

bool strike_kill_within(struct site *s)
{
	return death_set(s, false);
}

bool strike_power_within(struct site *s)
{
	return death_set(s, true);
}

bool strike_pause(struct site *s)
{
	if (!is_running(s))
		return false;
	s->paused_until_us = world.now_us + (draw(10) ? draw(3 * SECONDS) : draw(2 * MINUTES));
	return true;
}

static size_t keys_waiting;

size_t strikes_waiting(void)
{
	return keys_waiting;
}

static void keys_asked(void *context, int status, json_t *body)
{
	const struct site *s = context;
	(void)body;
	keys_waiting--;
	tell("%-24s is to change its keys: %d", s->name, status);
}

/* No fault, but everything may be under way when they change. */
bool strike_keys(struct site *s)
{
	if (!is_running(s) || is_twin(s))
		return false;
	keys_waiting++;
	ask_page(s, "POST", "/ctl/v1/keys", json_object(), "local", keys_asked, s);
	return true;
}

bool strike_disk_broken(struct site *s)
{
	s->disk_broken_until_us = world.now_us + outage_draw();
	tell("%-24s has a disk that is broken", s->name);
	return true;
}

/* ---- the network ---- */

bool strike_break(struct site *s)
{
	return net_break(s);
}

bool strike_half_open(struct site *s)
{
	return net_half_open(s);
}

static void cut_end(void *context, bool is_alive)
{
	(void)is_alive;
	net_cut(context, false, false);
}

static bool cut(struct site *s, bool is_up_cut, bool is_down_cut)
{
	if (!s->above)
		return false;
	tell("%-24s is cut off%s%s", s->name, is_up_cut ? " upwards" : "", is_down_cut ? " downwards" : "");
	net_cut(s, is_up_cut, is_down_cut);
	plan(outage_draw(), NULL, cut_end, s);
	return true;
}

bool strike_cut(struct site *s)
{
	return cut(s, true, true);
}

bool strike_cut_one_way(struct site *s)
{
	bool is_up = draw(2);
	return cut(s, is_up, !is_up);
}

bool strike_stranger(struct site *s)
{
	return is_running(s) && net_stranger(s);
}

/* ---- clocks ---- */

bool strike_clock_jump(struct site *s)
{
	s->wall_skew_ms = draw(4) ? (int64_t)draw((uint64_t)(20 * YEARS_MS)) - 10 * YEARS_MS : 0;
	tell("%-24s has its clock set %lld s off", s->name, (long long)(s->wall_skew_ms / 1000));
	return true;
}

static void freeze_end(void *context, bool is_alive)
{
	struct site *s = context;
	(void)is_alive;
	s->wall_frozen_us = 0;
}

bool strike_clock_freeze(struct site *s)
{
	s->wall_frozen_us = world.now_us + 1;
	plan(outage_draw(), NULL, freeze_end, s);
	return true;
}

static void rtc_set(void *context, bool is_alive)
{
	struct site *s = context;
	if (is_alive)
		s->wall_skew_ms = 0;
}

/* ---- at a start ---- */

void strike_at_start(struct site *s)
{
	s->drift_ppm = fault_hits(FAULT_DRIFT, s) ? (int64_t)draw(2 * PPM_MOST + 1) - PPM_MOST : 0;
	s->started_us = world.now_us;
	if (fault_hits(FAULT_NO_RTC, s)) {
		s->wall_skew_ms = -machine_wall_ms();
		plan(outage_draw(), s, rtc_set, s);
	}
	bool may_kill = fault_is_about(FAULT_KILL_WITHIN), may_cut = fault_is_about(FAULT_POWER_WITHIN);
	if (!weather_is_over() && (may_kill || may_cut) && draw(6) == 0)
		death_set(s, may_cut && (!may_kill || draw(2)));
}

void strikes_end(void)
{
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		s->effects_left = s->disk_broken_until_us = s->wall_frozen_us = 0;
		if (s->is_share_small && is_running(s)) { /* an operator gives more, which takes a new start */
			if (is_share_spent(s))
				fault_met(FAULT_SHARE, s);
			site_kill(s, false);
		}
		s->is_share_small = false;
		net_cut(s, false, false);
	}
	weather_start_all();
}
