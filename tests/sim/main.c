/*
 * sim [--seed S] [--seeds N] [--minutes M | --days D | --years Y] [--faults LIST] [--images N] [--jobs J] [--quick]
 * [--every-pair] [--tell]: one district after another, each with a fate of its own. Every seed has a process of its
 * own, so that what happens in it depends on the seed alone.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define LARGE_BYTES (256 * 1024)
#define SEED_BYTES UINT64_C(100000000) /* on its disks */

void machine_random_take(void); /* machine.c */

struct tally { /* lies in memory that all processes share */
	_Atomic uint64_t seeds, simulated_ms, events, promises, acts, deaths, power_cuts, disk_faults, images;
};

static const struct pace load = { .name = "load",
	                          .weather_us = SECONDS,
	                          .people_us = 20 * SECONDS,
	                          .insist_us = 3 * SECONDS,
	                          .outage_us = 20 * MINUTES,
	                          .restart_us = 3 * SECONDS,
	                          .watch_us = MINUTES,
	                          .drain_most_us = 30 * MINUTES,
	                          .beat_s = 2,
	                          .probe_s = 30 };
/* As in a village: a few people a week, a fault now and then. Beats are rare, so that years pass in seconds. */
static const struct pace sparse = { .name = "sparse",
	                            .weather_us = 12 * HOURS,
	                            .people_us = 6 * 24 * HOURS,
	                            .insist_us = 12 * HOURS,
	                            .outage_us = 4 * 24 * HOURS,
	                            .restart_us = 3 * MINUTES,
	                            .watch_us = 30 * 24 * HOURS,
	                            .drain_most_us = 24 * HOURS,
	                            .beat_s = 3600,
	                            .probe_s = 86400 };

static void drain(void)
{
	uint64_t end = world.now_us + world.pace->drain_most_us;
	for (operators_drop(false); !is_quiet(); operators_drop(false)) {
		for (size_t i = 0; world.now_us > end && i < world.site_count; i++)
			waiting_tell(&world.site[i], stderr);
		if (world.now_us > end)
			fail("the faults are over for %llu minutes, and the queues are not empty; %s",
			     (unsigned long long)(world.pace->drain_most_us / MINUTES), who_is_restless());
		twins_settle();
		world_run_until(world.now_us + (uint64_t)world.pace->beat_s * SECONDS / 2);
	}
	operators_drop(true);
}

static void live(uint64_t duration_us)
{
	for (uint64_t end = world.now_us + duration_us; world.now_us < end;) {
		uint64_t next = world.now_us + world.pace->watch_us;
		world_run_until(next < end ? next : end);
		check_on_the_way();
	}
}

static void seed_run(uint64_t seed, uint64_t duration_us, struct tally *tally)
{
	const struct promise *promise;
	const struct deed *act;
	prng_seed(&world.chance, seed);
	world.seed = seed;
	world.now_us = world.trace = world.events = 0;
	world.is_calm = false;
	net_reset();
	people_reset();
	check_begin();
	power_reset();
	images_reset();
	wipes_reset();
	restores_reset();
	twins_reset();
	damage_reset();
	relay_reset();
	poison_reset();
	operators_reset();
	weather_draw();
	/* Relative: texts that name it are part of the trace. */
	snprintf(world.folder, sizeof world.folder, "%llu", (unsigned long long)seed);
	if (mkdir(world.folder, 0700))
		fail("cannot make %s: %s", world.folder, strerror(errno));
	sites_lay_out(2, 2);
	weather_begin();
	people_arrive();
	restores_begin();
	live(duration_us);
	weather_end();
	people_leave();
	drain();
	world.is_calm = true;
	size_t promised = promises(&promise), done = deeds(&act);
	uint64_t trace = world.trace;
	check_all();
	for (size_t i = 0; i < world.site_count; i++)
		tally->deaths += world.site[i].deaths;
	tally->seeds++;
	tally->simulated_ms += world.now_us / MS;
	tally->power_cuts += disk_power_cuts();
	tally->disk_faults += disk_faults_met();
	tally->images += power_images();
	weather_count();
	tally->events += world.events;
	tally->promises += promised;
	tally->acts += done;
	sites_remove();
	printf("seed %llu: %zu requests, %zu acts, %llu events, trace %016llx\n", (unsigned long long)seed, promised,
	       done, (unsigned long long)world.events, (unsigned long long)trace);
}

static void tally_tell(const struct tally *t, double seconds)
{
	double hours = (double)t->simulated_ms / 3.6e6;
	printf("%llu seeds, %.1f h (%.2f years) simulated in %.1f s (%.0f times as fast), %llu events, %llu requests "
	       "promised, %llu acts, %llu deaths, %llu power cuts, %llu images of power cuts, %llu faults of a disk\n",
	       (unsigned long long)t->seeds, hours, hours / 8766, seconds, (double)t->simulated_ms / 1e3 / seconds,
	       (unsigned long long)t->events, (unsigned long long)t->promises, (unsigned long long)t->acts,
	       (unsigned long long)t->deaths, (unsigned long long)t->power_cuts, (unsigned long long)t->images,
	       (unsigned long long)t->disk_faults);
}

/* In memory if there is room: a simulated disk needs no real one. */
static bool base_make(char base[64], uint64_t jobs)
{
	struct statvfs memory;
	bool is_large =
	        statvfs("/dev/shm", &memory) == 0 && (uint64_t)memory.f_bavail * memory.f_frsize > jobs * SEED_BYTES;
	snprintf(base, 64, "%s/lm-sim-XXXXXX", is_large ? "/dev/shm" : "/tmp");
	return mkdtemp(base) && !chdir(base);
}

/* Ends one of the processes that run; true if its seed held. */
static bool child_wait(void)
{
	int status;
	pid_t child = wait(&status);
	if (child > 0 && WIFSIGNALED(status))
		fprintf(stderr, "a seed's process died of %s\n", strsignal(WTERMSIG(status)));
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct wishes {
	uint64_t seed, seeds, minutes, days, jobs;
	bool is_quick;      /* the first failure ends it */
	bool is_every_pair; /* a pair of fault and state that can be and never was is a failure */
};

static bool wishes_read(int argc, char **argv, struct wishes *w)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },    { "seeds", required_argument, NULL, 'n' },
		{ "minutes", required_argument, NULL, 'm' }, { "days", required_argument, NULL, 'd' },
		{ "years", required_argument, NULL, 'y' },   { "faults", required_argument, NULL, 'f' },
		{ "images", required_argument, NULL, 'i' },  { "jobs", required_argument, NULL, 'j' },
		{ "quick", no_argument, NULL, 'q' },         { "every-pair", no_argument, NULL, 'p' },
		{ "tell", no_argument, NULL, 't' },          { NULL, 0, NULL, 0 }
	};
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
		if (option == 's')
			w->seed = number;
		else if (option == 'n')
			w->seeds = number;
		else if (option == 'm')
			w->minutes = number;
		else if (option == 'y')
			w->days = number * 365;
		else if (option == 'd')
			w->days = number;
		else if (option == 'j')
			w->jobs = number;
		else if (option == 'i')
			world.images = (uint32_t)number;
		else if (option == 'q')
			w->is_quick = true;
		else if (option == 'p')
			w->is_every_pair = true;
		else if (option == 't')
			world.is_told = true;
		else if (option != 'f' || !faults_choose(optarg))
			return false;
	}
	return w->jobs && optind == argc;
}

static uint64_t seeds_run(const struct wishes *w, struct tally *tally)
{
	uint64_t failures = 0, running = 0, duration = w->days ? w->days * 24 * HOURS : w->minutes * MINUTES;
	world.pace = w->days ? &sparse : &load;
	for (uint64_t i = 0; i < w->seeds && !(w->is_quick && failures); i++) {
		if (running == w->jobs) {
			failures += !child_wait();
			running--;
		}
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			seed_run(w->seed + i, duration, tally);
			exit(0);
		}
		failures += child < 0;
		running += child > 0;
	}
	for (; running; running--)
		failures += !child_wait();
	return failures;
}

int main(int argc, char **argv)
{
	struct wishes wishes = { .seed = 1, .seeds = 1, .minutes = 10, .jobs = 1 };
	if (!wishes_read(argc, argv, &wishes)) {
		fprintf(stderr, "usage: sim [--seed S] [--seeds N] [--minutes M | --days D | --years Y] [--faults "
		                "LIST] [--images N] "
		                "[--jobs J] [--quick] [--every-pair] [--tell]\nLIST: none, or some of, with commas:\n");
		faults_list(stderr);
		return 2;
	}
	struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char base[64];
	if (tally == MAP_FAILED || !weather_prepare() || !once_prepare() || !base_make(base, wishes.jobs)) {
		fprintf(stderr, "sim: no memory or no folder: %s\n", strerror(errno));
		return 1;
	}
	double begin = seconds_now();
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* LMDB takes megabytes at each opening, and uses little of them */
	machine_random_take();
	uint64_t failures = seeds_run(&wishes, tally);
	folder_remove(base);
	size_t never = weather_tell();
	tally_tell(tally, seconds_now() - begin);
	failures += wishes.is_every_pair && never;
	printf("%llu passed, %llu failed\n", (unsigned long long)tally->seeds, (unsigned long long)failures);
	return failures != 0;
}
