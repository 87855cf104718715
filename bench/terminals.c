/*
 * Many terminals in one process: each the terminal's own library with its own loop, writer, store, keys and link.
 * Requests come at an even rate and go round the terminals, so that the work is the same however many there are. A
 * request is done when its terminal has learned that the district stored it.
 *
 *   bench_terminals FORM.json CONFIG...
 *
 * Orders come on stdin, one a line; each is answered by one line of JSON on stdout:
 *   ready           how many terminals take requests
 *   rate R MS       so many requests a second, in all, for so many milliseconds
 *   quit
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "request.h"

#define UNDER_WAY_MOST 256 /* of one terminal */
#define SILENCE_US 60000000

struct slot {
	struct submission submission;
	uint8_t packed[PACKED_BYTES_MOST];
	uint64_t begun_us;
	atomic_bool is_saved;
	bool is_under_way; /* under the lock */
};

struct site {
	uv_loop_t loop;
	uv_async_t end;
	struct node *node;
	pthread_t thread;
	void (*tier_on_marks)(struct node *n, const struct line *up);
	struct slot *slot;
};

static struct site *site;
static size_t site_count;
static struct arena form_arena;
static Lm__SubmitCommand *form;
/* of one order, under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t *sample_us;
static size_t sample_count, sample_most;
static uint64_t moved_us; /* when something was done last */
static char trouble[ERROR_TEXT_BYTES];

static void trouble_set(const char *text)
{
	pthread_mutex_lock(&lock);
	if (!trouble[0])
		snprintf(trouble, sizeof trouble, "%s", text[0] ? text : "a request was refused");
	pthread_mutex_unlock(&lock);
}

/* ---- what the nodes tell ---- */

static void on_saved(struct node *n, struct command *c)
{
	struct slot *s = c->context; /* the submission, which is its first member */
	(void)n;
	if (c->result)
		trouble_set(c->error.text);
	atomic_store(&s->is_saved, true);
}

static void on_marks(struct node *n, const struct line *up)
{
	struct site *at = NULL;
	for (size_t i = 0; i < site_count && !at; i++)
		at = site[i].node == n ? &site[i] : NULL;
	if (!at)
		return; /* it is still being started */
	uint64_t now = clock_monotonic_us();
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < UNDER_WAY_MOST; i++) {
		struct slot *s = &at->slot[i];
		if (!s->is_under_way || !atomic_load(&s->is_saved) || s->submission.ordinal > up->final)
			continue;
		s->is_under_way = false;
		moved_us = now;
		if (sample_count < sample_most)
			sample_us[sample_count++] = (uint32_t)(now - s->begun_us);
	}
	pthread_mutex_unlock(&lock);
	if (at->tier_on_marks)
		at->tier_on_marks(n, up);
}

/* ---- requests ---- */

static struct slot *slot_take(struct site *at)
{
	struct slot *found = NULL;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < UNDER_WAY_MOST && !found; i++)
		found = at->slot[i].is_under_way ? NULL : &at->slot[i];
	if (found) {
		atomic_store(&found->is_saved, false);
		found->is_under_way = true;
		found->begun_us = clock_monotonic_us();
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static bool site_send(struct site *at, struct arena *arena)
{
	struct error e = { 0 };
	struct slot *s = slot_take(at);
	int result = s ? request_make(form, NULL, &s->submission, s->packed, arena, &e)
	               : error_set(&e, ERR_BUSY, "a terminal has %d requests under way: the rate is too high",
	                           UNDER_WAY_MOST);
	if (!result) {
		s->submission.command.done = on_saved;
		s->submission.command.is_done_early = true;
		result = submission_send(at->node, &s->submission);
	}
	if (result)
		trouble_set(e.text);
	return !result;
}

static void sleep_until(uint64_t us)
{
	struct timespec until = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		continue;
}

/* All that were sent are done, or nothing came for too long. */
static bool wait_done(size_t sent)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		bool is_done = sample_count >= sent, is_silent = clock_monotonic_us() - moved_us > SILENCE_US;
		pthread_mutex_unlock(&lock);
		if (is_done || trouble[0])
			return is_done;
		if (is_silent)
			trouble_set("requests are not answered");
		sleep_until(clock_monotonic_us() + 1000);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void order_rate(double rate, uint64_t ms)
{
	struct arena arena;
	size_t count = (size_t)(rate * (double)ms / 1000), sent = 0;
	sample_us = calloc(count + 1, sizeof *sample_us);
	sample_most = sample_us ? count : 0;
	sample_count = 0;
	if (!sample_us || !count) {
		printf("{\"error\":\"nothing to send, or no memory\"}\n");
		return;
	}
	arena_init(&arena, PACK_BYTES_MOST);
	uint64_t from_us = moved_us = clock_monotonic_us();
	while (sent < count && !trouble[0]) {
		sleep_until(from_us + (uint64_t)((double)sent * 1e6 / rate));
		sent += site_send(&site[sent % site_count], &arena);
	}
	arena_release(&arena);
	if (wait_done(sent) && !trouble[0]) {
		qsort(sample_us, sample_count, sizeof *sample_us, compare);
		printf("{\"requests\":%zu,\"seconds\":%.6f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n", sample_count,
		       (double)(clock_monotonic_us() - from_us) / 1e6, sample_us[sample_count / 2] / 1000.0,
		       sample_us[(sample_count - 1) * 99 / 100] / 1000.0);
	} else {
		printf("{\"error\":\"%s\"}\n", trouble);
	}
	pthread_mutex_lock(&lock);
	sample_most = 0;
	free(sample_us);
	sample_us = NULL;
	pthread_mutex_unlock(&lock);
}

static void order_ready(void)
{
	size_t ready = 0;
	for (size_t i = 0; i < site_count; i++) {
		struct upstream_state up;
		node_upstream(site[i].node, &up);
		ready += up.is_up && node_can_seal(site[i].node);
	}
	printf("{\"ready\":%zu}\n", ready);
}

/* ---- life ---- */

static void on_end(uv_async_t *async)
{
	struct site *at = async->data;
	uv_close((uv_handle_t *)async, NULL);
	node_stop(at->node);
}

static void *site_run(void *context)
{
	struct site *at = context;
	uv_run(&at->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int site_start(struct site *at, const char *config, struct error *e)
{
	struct node_options options = { .tier = terminal_tier(), .loop = &at->loop };
	at->slot = calloc(UNDER_WAY_MOST, sizeof *at->slot);
	if (!at->slot)
		return error_set(e, ERR_MEMORY, "no memory for a terminal");
	at->tier_on_marks = options.tier.on_marks;
	options.tier.on_marks = on_marks;
	int result = node_config_read(config, LM__TIER__TIER_TERMINAL, &options.config, e);
	if (result)
		return result;
	uv_loop_init(&at->loop);
	at->end.data = at;
	result = node_start(&options, &at->node, e);
	if (!result && (uv_async_init(&at->loop, &at->end, on_end) || pthread_create(&at->thread, NULL, site_run, at)))
		result = error_set(e, ERR_INTERNAL, "a terminal's thread cannot be started");
	return result;
}

static void orders_run(void)
{
	char line[256];
	double rate;
	uint64_t ms;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "rate %lf %" SCNu64, &rate, &ms) == 2)
			order_rate(rate, ms);
		else if (strncmp(line, "ready", 5) == 0)
			order_ready();
		else
			break;
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	if (argc < 3) {
		fprintf(stderr, "usage: bench_terminals FORM.json CONFIG...\n");
		return 64;
	}
	log_open("bench-terminals", LOG_WARN);
	site_count = (size_t)argc - 2;
	site = calloc(site_count, sizeof *site);
	if (!site || form_read(argv[1], &form_arena, &form, &e)) {
		fprintf(stderr, "bench_terminals: %s\n", site ? e.text : "no memory");
		return 1;
	}
	for (size_t i = 0; i < site_count; i++)
		if (site_start(&site[i], argv[i + 2], &e)) {
			fprintf(stderr, "bench_terminals: %s: %s\n", argv[i + 2], e.text);
			return 1;
		}
	orders_run();
	for (size_t i = 0; i < site_count; i++)
		uv_async_send(&site[i].end);
	for (size_t i = 0; i < site_count; i++)
		pthread_join(site[i].thread, NULL);
	for (size_t i = 0; i < site_count; i++) {
		node_free(site[i].node);
		uv_loop_close(&site[i].loop);
		free(site[i].slot);
	}
	arena_release(&form_arena);
	free(site);
	return 0;
}
