/*
 * sim [--seed S] [--seeds N] [--minutes M] [--jobs J] [--quick] [--tell]: one district after another, each with a fate
 * of its own. Every seed has a process of its own, so that what happens in it depends on the seed alone.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define DRAIN_MOST (30 * MINUTES)
#define SEED_BYTES UINT64_C(100000000) /* on its disks */

void machine_random_take(void); /* machine.c */

struct tally { /* lies in memory that all processes share */
	_Atomic uint64_t seeds, simulated_ms, events, promises, acts, deaths, power_cuts, disk_faults;
};

static void drain(void)
{
	uint64_t end = world.now_us + DRAIN_MOST;
	while (!is_quiet()) {
		if (world.now_us > end)
			fail("the faults are over for %llu minutes, and the queues are not empty",
			     (unsigned long long)(DRAIN_MOST / MINUTES));
		world_run_until(world.now_us + SECONDS);
	}
}

static void seed_run(const char *base, uint64_t seed, uint64_t minutes, struct tally *tally)
{
	const struct promise *promise;
	const struct deed *act;
	prng_seed(&world.chance, seed);
	world.seed = seed;
	world.now_us = world.trace = world.events = 0;
	world.is_calm = false;
	net_reset();
	people_reset();
	snprintf(world.folder, sizeof world.folder, "%s/%llu", base, (unsigned long long)seed);
	if (mkdir(world.folder, 0700))
		fail("cannot make %s: %s", world.folder, strerror(errno));
	sites_lay_out(2, 2);
	weather_begin();
	people_arrive();
	world_run_until(world.now_us + minutes * MINUTES);
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
	weather_tell();
	printf("%llu seeds, %.1f h simulated in %.1f s (%.0f times as fast), %llu events, %llu requests promised, %llu "
	       "acts, "
	       "%llu deaths, %llu power cuts, %llu faults of a disk\n",
	       (unsigned long long)t->seeds, (double)t->simulated_ms / 3.6e6, seconds,
	       (double)t->simulated_ms / 1e3 / seconds, (unsigned long long)t->events, (unsigned long long)t->promises,
	       (unsigned long long)t->acts, (unsigned long long)t->deaths, (unsigned long long)t->power_cuts,
	       (unsigned long long)t->disk_faults);
}

/* In memory if there is room: a simulated disk needs no real one. */
static bool base_make(char base[64], uint64_t jobs)
{
	struct statvfs memory;
	bool is_large =
	        statvfs("/dev/shm", &memory) == 0 && (uint64_t)memory.f_bavail * memory.f_frsize > jobs * SEED_BYTES;
	snprintf(base, 64, "%s/lm-sim-XXXXXX", is_large ? "/dev/shm" : "/tmp");
	return mkdtemp(base) != NULL;
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

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
		                                 { "seeds", required_argument, NULL, 'n' },
		                                 { "minutes", required_argument, NULL, 'm' },
		                                 { "jobs", required_argument, NULL, 'j' },
		                                 { "quick", no_argument, NULL, 'q' },
		                                 { "tell", no_argument, NULL, 't' },
		                                 { NULL, 0, NULL, 0 } };
	uint64_t seed = 1, seeds = 1, minutes = 10, jobs = 1;
	bool is_quick = false; /* the first failure ends it */
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			seeds = strtoull(optarg, NULL, 10);
		else if (option == 'm')
			minutes = strtoull(optarg, NULL, 10);
		else if (option == 'j')
			jobs = strtoull(optarg, NULL, 10);
		else if (option == 'q')
			is_quick = true;
		else if (option == 't')
			world.is_told = true;
		else
			return 2;
	}
	if (!jobs)
		return 2;
	struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char base[64];
	if (tally == MAP_FAILED || !weather_prepare() || !base_make(base, jobs)) {
		fprintf(stderr, "sim: no memory or no folder: %s\n", strerror(errno));
		return 1;
	}
	double begin = seconds_now();
	uint64_t failures = 0, running = 0;
	machine_random_take();
	for (uint64_t i = 0; i < seeds && !(is_quick && failures); i++) {
		if (running == jobs) {
			failures += !child_wait();
			running--;
		}
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			seed_run(base, seed + i, minutes, tally);
			exit(0);
		}
		failures += child < 0;
		running += child > 0;
	}
	for (; running; running--)
		failures += !child_wait();
	folder_remove(base);
	tally_tell(tally, seconds_now() - begin);
	printf("%llu passed, %llu failed\n", (unsigned long long)tally->seeds, (unsigned long long)failures);
	return failures != 0;
}
