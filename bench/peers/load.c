#include "load.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

#define WINDOW_MOST 4096
#define SILENCE_S 60 /* without any answer: the peer lost something */
#define PROBE_S 3

struct slot {
	uint64_t id, begun_us;
	bool is_under_way;
};

struct lane {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	void *connection;
	size_t number, window, free_count;
	struct slot *slot;
	uint16_t *free_slot; /* a stack */
	struct request *batch;
	uint32_t *sample_us;
	size_t sample_count, sample_most;
};

static const struct peer *peer;
static struct lane lane[LANES_MOST];
static size_t lane_count;
static uint64_t deadline_us;
static time_t silence_s = SILENCE_S;
static _Atomic int64_t left;
static _Atomic uint32_t generation;
static pthread_mutex_t trouble_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool has_trouble;
static char trouble[300];

bool load_fail(const char *format, ...)
{
	va_list arguments;
	pthread_mutex_lock(&trouble_lock);
	if (!has_trouble) {
		va_start(arguments, format);
		vsnprintf(trouble, sizeof trouble, format, arguments);
		va_end(arguments);
		for (char *c = trouble; *c; c++) /* it goes into JSON */
			*c = *c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? ' ' : *c;
		has_trouble = true;
	}
	pthread_mutex_unlock(&trouble_lock);
	return false;
}

bool load_has_failed(void)
{
	return has_trouble;
}

/* ---- what is done ---- */

/* An id is the lane, the slot, and a number that no other request has. */
static uint64_t id_of(size_t lane_number, size_t slot)
{
	return (uint64_t)lane_number << 48 | (uint64_t)slot << 32 | ++generation;
}

static void sample_add(struct lane *l, uint64_t us)
{
	if (l->sample_count == l->sample_most) {
		size_t most = l->sample_most ? l->sample_most * 2 : 4096;
		uint32_t *more = realloc(l->sample_us, most * sizeof *more);
		if (!more) {
			load_fail("no memory for samples");
			return;
		}
		l->sample_us = more;
		l->sample_most = most;
	}
	l->sample_us[l->sample_count++] = (uint32_t)us;
}

void load_done(uint64_t id)
{
	size_t number = (size_t)(id >> 48), at = (size_t)(id >> 32 & 0xffff);
	if (number >= LANES_MOST)
		return;
	struct lane *l = &lane[number];
	pthread_mutex_lock(&l->lock);
	if (at < l->window && l->slot && l->slot[at].is_under_way && l->slot[at].id == id) {
		l->slot[at].is_under_way = false;
		l->free_slot[l->free_count++] = (uint16_t)at;
		sample_add(l, clock_monotonic_us() - l->slot[at].begun_us);
		pthread_cond_signal(&l->moved);
	}
	pthread_mutex_unlock(&l->lock);
}

void load_done_all(const void *ids, size_t size)
{
	uint64_t id;
	for (size_t at = 0; at + sizeof id <= size; at += sizeof id) {
		memcpy(&id, (const uint8_t *)ids + at, sizeof id);
		load_done(id);
	}
}

/* ---- a lane ---- */

static bool is_over(void)
{
	return has_trouble || left <= 0 || clock_monotonic_us() >= deadline_us;
}

/* Waits until so many slots are free; false when nothing came for too long. */
static bool lane_wait(struct lane *l, size_t count)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += silence_s;
	size_t before = l->free_count;
	while (l->free_count < count && !has_trouble) {
		struct timespec second;
		clock_gettime(CLOCK_REALTIME, &second);
		if (second.tv_sec >= until.tv_sec)
			return load_fail("%zu requests are not answered after %d s", l->window - l->free_count,
			                 (int)silence_s);
		second.tv_sec++;
		pthread_cond_timedwait(&l->moved, &l->lock, &second);
		if (l->free_count != before)
			until.tv_sec = second.tv_sec + silence_s;
		before = l->free_count;
	}
	return !has_trouble;
}

/* Takes free slots for as many requests as may still begin. */
static size_t batch_fill(struct lane *l)
{
	size_t count = 0;
	while (l->free_count && count < peer->batch_most && left-- > 0) {
		size_t at = l->free_slot[--l->free_count];
		struct slot *s = &l->slot[at];
		s->id = id_of(l->number, at);
		s->begun_us = clock_monotonic_us();
		s->is_under_way = true;
		l->batch[count++].id = s->id;
	}
	return count;
}

static void *lane_run(void *context)
{
	struct lane *l = context;
	pthread_mutex_lock(&l->lock);
	while (!is_over() && lane_wait(l, 1)) {
		size_t count = is_over() ? 0 : batch_fill(l);
		pthread_mutex_unlock(&l->lock);
		if (count && !peer->lane_send(l->connection, l->batch, count))
			load_fail("a request was not taken");
		pthread_mutex_lock(&l->lock);
	}
	lane_wait(l, l->window);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

static bool lane_prepare(struct lane *l, size_t number, size_t window)
{
	pthread_mutex_lock(&l->lock);
	l->number = number;
	l->slot = calloc(window, sizeof *l->slot);
	l->free_slot = calloc(window, sizeof *l->free_slot);
	l->batch = calloc(peer->batch_most, sizeof *l->batch);
	l->window = l->slot && l->free_slot && l->batch ? window : 0;
	l->sample_count = 0;
	l->free_count = l->window;
	for (size_t i = 0; i < l->window; i++)
		l->free_slot[i] = (uint16_t)(l->window - 1 - i);
	pthread_mutex_unlock(&l->lock);
	if (!l->window)
		return load_fail("no memory for producers");
	for (size_t i = 0; i < peer->batch_most; i++)
		if (getrandom(l->batch[i].rest, sizeof l->batch[i].rest, 0) != sizeof l->batch[i].rest)
			return load_fail("no random bytes");
	l->connection = peer->lane_open(number, window);
	return l->connection || load_fail("a producer has no connection");
}

static void lane_release(struct lane *l)
{
	if (l->connection)
		peer->lane_close(l->connection);
	l->connection = NULL;
	pthread_mutex_lock(&l->lock);
	l->window = 0;
	free(l->slot);
	free(l->free_slot);
	free(l->batch);
	l->slot = NULL;
	l->free_slot = NULL;
	l->batch = NULL;
	pthread_mutex_unlock(&l->lock);
}

/* ---- orders ---- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void result_print(double seconds)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < lane_count; i++)
		count += lane[i].sample_count;
	uint32_t *all = malloc((count + 1) * sizeof *all);
	for (size_t i = 0; all && i < lane_count; i++) {
		for (size_t k = 0; k < lane[i].sample_count; k++)
			all[at++] = lane[i].sample_us[k];
	}
	if (!all || !count) {
		printf("{\"error\":\"%s\"}\n", all ? "no request was done" : "no memory for samples");
	} else {
		qsort(all, count, sizeof *all, compare);
		printf("{\"requests\":%zu,\"seconds\":%.6f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n", count, seconds,
		       all[count / 2] / 1000.0, all[(count - 1) * 99 / 100] / 1000.0);
	}
	free(all);
}

static void order_run(size_t threads, size_t window, uint64_t ms, int64_t count)
{
	size_t started = 0;
	lane_count = peer->lanes_most && peer->lanes_most < threads ? peer->lanes_most : threads;
	size_t lane_window = threads * window / (lane_count ? lane_count : 1);
	if (!lane_count || lane_count > LANES_MOST || !lane_window || lane_window > WINDOW_MOST) {
		printf("{\"error\":\"too many producers or too much under way\"}\n");
		return;
	}
	for (size_t i = 0; i < lane_count && !has_trouble; i++)
		lane_prepare(&lane[i], i, lane_window);
	uint64_t from_us = clock_monotonic_us();
	deadline_us = from_us + ms * 1000;
	left = count;
	while (started < lane_count && !has_trouble) {
		if (pthread_create(&lane[started].thread, NULL, lane_run, &lane[started]))
			load_fail("a producer cannot be started");
		else
			started++;
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(lane[i].thread, NULL);
	double seconds = (double)(clock_monotonic_us() - from_us) / 1e6;
	for (size_t i = 0; i < lane_count; i++)
		lane_release(&lane[i]);
	if (has_trouble)
		printf("{\"error\":\"%s\"}\n", trouble);
	else
		result_print(seconds);
}

int load_main(const struct peer *which, int argc, char **argv)
{
	char line[256];
	size_t threads, window;
	uint64_t number;
	peer = which;
	for (size_t i = 0; i < LANES_MOST; i++) {
		pthread_mutex_init(&lane[i].lock, NULL);
		pthread_cond_init(&lane[i].moved, NULL);
	}
	if (argc != which->argument_count + 1 || !which->open(argv + 1)) {
		fprintf(stderr, "%s: %s\n", argv[0], has_trouble ? trouble : "wrong number of arguments");
		return 1;
	}
	while (fgets(line, sizeof line, stdin)) {
		bool is_probe = strncmp(line, "probe", 5) == 0;
		silence_s = is_probe ? PROBE_S : SILENCE_S;
		if (is_probe)
			order_run(1, 1, 600000, 1);
		else if (sscanf(line, "load %zu %zu %" SCNu64, &threads, &window, &number) == 3)
			order_run(threads, window, number, INT64_MAX);
		else if (sscanf(line, "count %zu %zu %" SCNu64, &threads, &window, &number) == 3)
			order_run(threads, window, 600000, (int64_t)number);
		else
			break;
		fflush(stdout);
	}
	return 0;
}
