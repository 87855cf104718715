/* Which faults happen, and when: rates are drawn once per seed, moments all the time. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim.h"

enum fault {
	FAULT_KILL,
	FAULT_KILL_WITHIN, /* after so many effects of a turn */
	FAULT_POWER,
	FAULT_POWER_WITHIN,
	FAULT_BREAK,
	FAULT_CUT,
	FAULT_CUT_ONE_WAY,
	FAULT_PAUSE,
	FAULT_CLOCK,
	FAULT_KEYS, /* no fault, but everything may be under way when they change */
	FAULT_COUNT
};
static const char *const fault_names[] = {
	"kill",        "kill within a turn", "power cut",        "power cut within a turn",
	"break",       "cut off, both ways", "cut off, one way", "pause",
	"clock jumps", "keys are changed"
};

static uint32_t rate[FAULT_COUNT];        /* in a million, each second */
static uint64_t met[FAULT_COUNT][4];      /* by the state of the site: dead, alone, linked, busy */
static _Atomic uint64_t (*met_in_all)[4]; /* shared by the processes of all seeds */
static bool is_over;

static void site_start_again(void *context, bool is_alive)
{
	struct site *s = context;
	(void)is_alive;
	if (!s->node)
		site_start(s);
}

static void restarts_watch(void *context, bool is_alive);

/* Whoever is dead is started again, some at once, some after hours. */
static void restarts_watch(void *context, bool is_alive)
{
	static bool is_planned[SITES_MOST];
	(void)context;
	(void)is_alive;
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		if (s->node)
			is_planned[i] = false;
		else if (!is_planned[i] || is_over) {
			is_planned[i] = true;
			uint64_t away = is_over || draw(10) ? draw(3 * SECONDS) : draw(5 * MINUTES);
			plan(away, NULL, site_start_again, s);
		}
	}
	if (!world.is_calm)
		plan(SECONDS / 2, NULL, restarts_watch, NULL);
}

static void cut_end_run(void *context, bool is_alive)
{
	(void)is_alive;
	net_cut(context, false, false);
}

static size_t state_of(const struct site *s)
{
	if (!s->node)
		return 0;
	struct upstream_state up = { 0 };
	if (s->above)
		node_upstream(s->node, &up);
	bool is_linked = !s->above || up.is_up;
	return !is_linked ? 1 : node_waiting_up(s->node) ? 3 : 2;
}

static void keys_asked(void *context, int status, json_t *body)
{
	const struct site *s = context;
	(void)body;
	tell("%-24s is to change its keys: %d", s->name, status);
}

static void fault_do(enum fault fault, struct site *s)
{
	bool is_up = draw(2);
	met[fault][state_of(s)]++;
	switch (fault) {
	case FAULT_KILL:
	case FAULT_POWER:
		site_kill(s, fault == FAULT_POWER);
		break;
	case FAULT_KILL_WITHIN:
	case FAULT_POWER_WITHIN:
		if (s->node && !s->effects_left) {
			s->effects_left = draw_between(1, 40);
			s->is_power_cut = fault == FAULT_POWER_WITHIN;
		}
		break;
	case FAULT_BREAK:
		net_break(s);
		break;
	case FAULT_CUT:
	case FAULT_CUT_ONE_WAY:
		if (!s->above)
			break;
		tell("%-24s is cut off%s", s->name, fault == FAULT_CUT ? "" : is_up ? " upwards" : " downwards");
		net_cut(s, fault == FAULT_CUT || is_up, fault == FAULT_CUT || !is_up);
		plan(draw(10) ? draw(30 * SECONDS) : draw(20 * MINUTES), NULL, cut_end_run, s);
		break;
	case FAULT_PAUSE:
		s->paused_until_us = world.now_us + draw(draw(10) ? 3 * SECONDS : 2 * MINUTES);
		break;
	case FAULT_CLOCK:
		s->wall_skew_ms =
		        draw(4) ? (int64_t)draw(UINT64_C(20) * 365 * 86400 * 1000) - INT64_C(10) * 365 * 86400 * 1000
		                : 0;
		tell("%-24s has its clock set %lld s off", s->name, (long long)(s->wall_skew_ms / 1000));
		break;
	case FAULT_KEYS:
		if (s->node && !s->is_dying)
			ask_page(s, "POST", "/ctl/v1/keys", json_object(), "local", keys_asked, s);
		break;
	case FAULT_COUNT:
		break;
	}
}

static void weather_step(void *context, bool is_alive)
{
	(void)context;
	(void)is_alive;
	if (is_over)
		return;
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		if (chance_is(rate[fault]))
			fault_do(fault, &world.site[draw(world.site_count)]);
	plan(SECONDS, NULL, weather_step, NULL);
}

/* Half of the seeds know a fault at all, so that each is seen alone and with every other. */
static uint32_t rate_draw(uint32_t most)
{
	return draw(2) ? (uint32_t)draw(most) : 0;
}

void weather_begin(void)
{
	is_over = false;
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		rate[fault] = rate_draw(120000);
	rate[FAULT_CLOCK] /= 8;
	rate[FAULT_KEYS] /= 8;
	net_weather.drop = rate_draw(300000);
	net_weather.repeat = rate_draw(500000);
	net_weather.late = rate_draw(200000);
	net_weather.breaks = rate_draw(20000);
	disk_faults = rate_draw(3000);
	net_weather.delay_us = draw(4) ? draw_between(100, 50000) : draw_between(100, 3 * SECONDS);
	tell("the weather: of a million frames %u drop, %u repeat, %u late, %u break the connection, delay %llu us",
	     net_weather.drop, net_weather.repeat, net_weather.late, net_weather.breaks,
	     (unsigned long long)net_weather.delay_us);
	plan(SECONDS, NULL, weather_step, NULL);
	plan(SECONDS, NULL, restarts_watch, NULL);
}

void weather_end(void)
{
	is_over = true;
	memset(&net_weather, 0, sizeof net_weather);
	net_weather.delay_us = 200;
	disk_faults = 0;
	for (size_t i = 0; i < world.site_count; i++) {
		world.site[i].effects_left = 0;
		net_cut(&world.site[i], false, false);
	}
}

bool weather_prepare(void)
{
	met_in_all = mmap(NULL, sizeof met, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return met_in_all != MAP_FAILED;
}

void weather_count(void)
{
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		for (size_t state = 0; state < 4; state++)
			met_in_all[fault][state] += met[fault][state];
}

void weather_tell(void)
{
	printf("%-26s %10s %10s %10s %10s\n", "fault", "dead", "alone", "linked", "busy");
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		printf("%-26s %10llu %10llu %10llu %10llu\n", fault_names[fault],
		       (unsigned long long)met_in_all[fault][0], (unsigned long long)met_in_all[fault][1],
		       (unsigned long long)met_in_all[fault][2], (unsigned long long)met_in_all[fault][3]);
}
