/* Which faults happen: rates are drawn once per seed, moments all the time; and the table of what met whom. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim.h"

#define SELDOM_MOST 20000
#define SELDOM_TIMES 8

static const struct {
	const char *name, *text;
	uint32_t most;
	bool (*strike)(struct site *s); /* false: there was nothing to strike */
} faults[] = {
#define FAULT(name, text, most, strike) { #name, text, most, strike },
#include "faults.h"
#undef FAULT
};

static uint32_t rate[FAULT_COUNT];                  /* in a million */
static uint64_t met[FAULT_COUNT][STATE_COUNT];      /* of this seed */
static _Atomic uint64_t (*met_in_all)[STATE_COUNT]; /* shared by the processes of all seeds */
static bool is_chosen[FAULT_COUNT], are_chosen, is_over = true;

/* ---- rates ---- */

static bool is_name(const char *name, const char *given, size_t size)
{
	size_t i = 0;
	while (i < size && name[i] && tolower((unsigned char)name[i]) == (given[i] == '-' ? '_' : given[i]))
		i++;
	return i == size && !name[i];
}

bool faults_choose(const char *list)
{
	are_chosen = true;
	while (*list) {
		size_t size = strcspn(list, ","), fault = 0;
		while (fault < FAULT_COUNT && !is_name(faults[fault].name, list, size))
			fault++;
		if (fault == FAULT_COUNT && strncmp(list, "none", size) != 0)
			return false;
		if (fault < FAULT_COUNT)
			is_chosen[fault] = true;
		list += size + (list[size] == ',');
	}
	return true;
}

void faults_list(FILE *to)
{
	for (size_t fault = 0; fault < FAULT_COUNT; fault++) {
		char name[40] = "";
		for (size_t i = 0; faults[fault].name[i] && i + 1 < sizeof name; i++)
			name[i] = faults[fault].name[i] == '_' ? '-'
			                                       : (char)tolower((unsigned char)faults[fault].name[i]);
		fprintf(to, "  %-16s %s\n", name, faults[fault].text);
	}
}

/* Half of the seeds know a fault at all, so that each is seen alone and with every other; one that was asked for is
 * always there. */
static uint32_t rate_draw(enum fault fault)
{
	uint32_t most = faults[fault].most, drawn = (uint32_t)draw(most) + 1;
	bool is_known = draw(2);
	if (are_chosen)
		return is_chosen[fault] ? drawn : 0;
	return is_known ? drawn : 0;
}

void weather_draw(void)
{
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		rate[fault] = rate_draw(fault);
}

/* ---- what happens ---- */

void fault_met(enum fault fault, const struct site *s)
{
	met[fault][state_of(s)]++;
}

/* Sites are full or trim so seldom that what is rare would hardly meet them then. */
static uint32_t rate_at(enum fault fault, const struct site *s)
{
	if (!rate[fault] || rate[fault] > SELDOM_MOST)
		return rate[fault];
	enum state state = state_of(s);
	return state == STATE_FULL || state == STATE_TRIMMING ? rate[fault] * SELDOM_TIMES : rate[fault];
}

bool fault_hits(enum fault fault, const struct site *s)
{
	if (is_over || !chance_is(rate_at(fault, s)))
		return false;
	fault_met(fault, s);
	return true;
}

bool fault_is_about(enum fault fault)
{
	return rate[fault] != 0;
}

/* Most strikes look for a site in a state that is seldom. */
static struct site *site_draw(void)
{
	static const enum state seldom[] = { STATE_FULL, STATE_FULL, STATE_DRAINING, STATE_DRAINING, STATE_GREETING };
	size_t first = (size_t)draw(world.site_count), looks = (size_t)draw(8);
	for (size_t i = 0; looks < sizeof seldom / sizeof *seldom && i < world.site_count; i++) {
		struct site *s = &world.site[(first + i) % world.site_count];
		if (state_of(s) == seldom[looks])
			return s;
	}
	return &world.site[first];
}

static void weather_step(void *context, bool is_alive)
{
	(void)context;
	(void)is_alive;
	if (is_over)
		return;
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++) {
		if (!faults[fault].strike || !chance_is(rate[fault]))
			continue;
		struct site *s = site_draw();
		enum state before = state_of(s);
		if (faults[fault].strike(s))
			met[fault][before]++;
	}
	plan(world.pace->weather_us, NULL, weather_step, NULL);
}

void weather_begin(void)
{
	is_over = false;
	net_delay_us = draw(4) ? draw_between(100, 50000) : draw_between(100, 3 * SECONDS);
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		if (rate[fault])
			tell("the weather: %s, %u in a million", faults[fault].text, rate[fault]);
	plan(world.pace->weather_us, NULL, weather_step, NULL);
}

bool weather_is_over(void)
{
	return is_over;
}

void weather_end(void)
{
	is_over = true;
	net_delay_us = NET_DELAY_US;
	strikes_end();
}

/* ---- whoever is dead is started again, some at once, some much later ---- */

static void site_start_again(void *context, bool is_alive)
{
	struct site *s = context;
	(void)is_alive;
	if (!s->node && !world.is_calm && !s->is_retired)
		site_start(s);
}

void weather_site_died(struct site *s)
{
	if (world.is_calm || s->is_retired)
		return;
	damage_site_buried(s);
	images_site_buried(s);
	wipes_site_buried(s);
	restores_site_buried(s);
	twins_site_buried(s);
	uint64_t away = is_over || draw(10) ? draw(world.pace->restart_us) : draw(world.pace->outage_us / 4);
	plan(away, NULL, site_start_again, s);
}

void weather_start(struct site *s)
{
	plan(draw(3 * SECONDS), NULL, site_start_again, s);
}

void weather_start_all(void)
{
	for (size_t i = 0; i < world.site_count; i++)
		if (!world.site[i].node)
			weather_start(&world.site[i]);
}

/* ---- the table ---- */

#define BIT(state) (1u << STATE_##state)
#define WITHIN (BIT(STARTING) | BIT(COMMITTING) | BIT(TRIMMING))
#define LIVING (BIT(ALONE) | BIT(GREETING) | BIT(IDLE) | BIT(BACKLOG) | BIT(DRAINING) | BIT(FULL))

/* The states in which a fault can meet a site at all; docs/TESTING.md says why. */
static unsigned states_of(enum fault fault)
{
	switch (fault) {
	case FAULT_KILL_WITHIN:
	case FAULT_POWER_WITHIN:
		return WITHIN | LIVING;
	case FAULT_EIO:
	case FAULT_ENOSPC:
		return WITHIN;
	case FAULT_NO_MEMORY:
		return (WITHIN & ~BIT(COMMITTING)) | LIVING;
	case FAULT_MAP_FULL:
		return BIT(FULL);
	case FAULT_CLONE:
		return LIVING & ~BIT(FULL); /* who writes nothing is not noticed */
	case FAULT_PUT_BACK:                /* who has told all has no backlog; and towns and hub have room */
		return BIT(ALONE) | BIT(IDLE) | BIT(BACKLOG) | BIT(DRAINING);
	case FAULT_RESTORE: /* the hub greets nobody, and has room */
		return LIVING & ~(BIT(GREETING) | BIT(FULL));
	case FAULT_WRONG_KEY: /* strangers knock at towns and the hub, which have room */
		return LIVING & ~BIT(FULL);
	case FAULT_BREAK:
	case FAULT_HALF_OPEN: /* who is connected has greeted */
		return LIVING & ~BIT(ALONE);
	case FAULT_SHARE:
		return BIT(IDLE) | BIT(BACKLOG);
	case FAULT_DRIFT:
	case FAULT_NO_RTC:
		return BIT(STARTING);
	case FAULT_CUT:
	case FAULT_CUT_ONE_WAY:
	case FAULT_CLOCK_JUMP:
	case FAULT_CLOCK_FREEZE:
	case FAULT_EIO_FOREVER:
		return LIVING | BIT(DEAD);
	default:
		return LIVING;
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
		for (size_t state = 0; state < STATE_COUNT; state++)
			met_in_all[fault][state] += met[fault][state];
}

size_t weather_tell(void)
{
	size_t never = 0, rare = 0;
	uint64_t least = UINT64_MAX;
	printf("%-32s", "fault");
	for (enum state state = 0; state < STATE_COUNT; state++)
		printf(" %10s", state_names[state]);
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++) {
		printf("\n%-32s", faults[fault].text);
		for (enum state state = 0; state < STATE_COUNT; state++) {
			uint64_t count = met_in_all[fault][state];
			bool is_possible = states_of(fault) & (1u << state);
			never += is_possible && !count;
			rare += is_possible && count < 100;
			least = is_possible && count < least ? count : least;
			if (is_possible || count)
				printf(" %10llu", (unsigned long long)count);
			else
				printf(" %10s", "-");
		}
	}
	printf("\n%zu pairs of fault and state that can be were never met, %zu fewer than 100 times; the least pair: "
	       "%llu "
	       "times\n",
	       never, rare, (unsigned long long)least);
	return never;
}
