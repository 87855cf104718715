/*
 * A terminal under load: the real terminal in this process, and producers that hand it requests as its pages would.
 * One thing differs from the daemon: receipts are drawn at random instead of being stretched by Argon2id, which the
 * daemon does ahead of time. A request is done when this terminal has learned that the district stored it.
 *
 * Orders come on stdin, one a line; each is answered by one line of JSON on stdout:
 *   load T W MS     T producers, each with W requests under way, for so many milliseconds
 *   count T W N     the same until N requests are done
 *   fill N          N requests, done when they are saved here
 *   wait            until the district has everything saved so far
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

#define PRODUCERS_MOST 256
#define WINDOW_MOST 1024
#define SAMPLES_MOST (1u << 21)

struct slot {
	struct submission submission;
	struct producer *producer;
	uint8_t packed[PACKED_BYTES_MOST];
	uint64_t begun_us;
	atomic_bool is_saved;
};

struct producer {
	struct bench *bench;
	pthread_t thread;
	pthread_cond_t moved;
	struct slot *slot;
	size_t window;
	uint64_t begun, done; /* requests; slot[n % window] */
	uint64_t waits_for;   /* ordinal; 0: for a save, or not at all */
	bool is_waiting;
};

struct bench {
	struct node *node;
	uv_loop_t loop;
	uv_async_t end;
	void (*tier_on_marks)(struct node *n, const struct line *up);
	struct arena arena; /* of the form */
	Lm__SubmitCommand *form;
	struct people people;
	_Atomic size_t drawn; /* of them */
	_Atomic size_t payload_bytes;
	/* of one order */
	struct producer producer[PRODUCERS_MOST];
	size_t producer_count;
	bool must_be_final;
	uint64_t deadline_us, left; /* whichever comes first; left is under the lock */
	pthread_mutex_t lock;
	uint64_t final; /* as on_marks told it */
	uint32_t *sample_us;
	size_t sample_count;
	uint64_t newest; /* ordinal of the newest request saved */
	char trouble[ERROR_TEXT_BYTES];
};

static struct bench bench;

static void trouble_set(struct bench *b, const struct error *e)
{
	pthread_mutex_lock(&b->lock);
	if (!b->trouble[0])
		snprintf(b->trouble, sizeof b->trouble, "%s", e->text[0] ? e->text : "a request was refused");
	pthread_mutex_unlock(&b->lock);
}

/* ---- what the node tells ---- */

static void on_marks(struct node *n, const struct line *up)
{
	struct bench *b = &bench;
	pthread_mutex_lock(&b->lock);
	b->final = up->final;
	for (size_t i = 0; i < b->producer_count; i++) {
		struct producer *p = &b->producer[i];
		if (p->is_waiting && p->waits_for && p->waits_for <= up->final)
			pthread_cond_signal(&p->moved);
	}
	pthread_mutex_unlock(&b->lock);
	if (b->tier_on_marks)
		b->tier_on_marks(n, up);
}

/* On the writer thread, right after the commit. */
static void on_saved(struct node *n, struct command *c)
{
	struct slot *s = c->context;
	struct producer *p = s->producer;
	(void)n;
	if (c->result)
		trouble_set(p->bench, &c->error);
	atomic_store(&s->is_saved, true);
	if (p->bench->must_be_final && !c->result)
		return; /* what it waits for comes with the marks */
	pthread_mutex_lock(&p->bench->lock);
	pthread_cond_signal(&p->moved);
	pthread_mutex_unlock(&p->bench->lock);
}

/* ---- a producer ---- */

static int slot_send(struct bench *b, struct slot *s, struct arena *arena, struct error *e)
{
	struct submission *sub = &s->submission;
	s->begun_us = clock_monotonic_us();
	const struct applicant *who = b->people.count ? &b->people.row[b->drawn++ % b->people.count] : NULL;
	int result = request_make(b->form, who, sub, s->packed, arena, e);
	if (result)
		return result;
	b->payload_bytes = sub->payload.size;
	sub->command.done = on_saved;
	sub->command.is_done_early = true;
	atomic_store(&s->is_saved, false);
	result = submission_send(b->node, sub);
	return result ? error_set(e, result, "the inbox is full") : OK;
}

static bool slot_is_done(const struct bench *b, struct slot *s)
{
	return atomic_load(&s->is_saved) && (!b->must_be_final || s->submission.ordinal <= b->final);
}

static bool may_begin(struct bench *b)
{
	bool may = false;
	if (clock_monotonic_us() >= b->deadline_us)
		return false;
	pthread_mutex_lock(&b->lock);
	if (b->left && !b->trouble[0]) {
		b->left--;
		may = true;
	}
	pthread_mutex_unlock(&b->lock);
	return may;
}

/* A save that is not told by on_saved shows within the time of a commit: the wait is bounded, then looks again. */
static void slot_wait(struct producer *p, struct slot *s)
{
	struct bench *b = p->bench;
	struct timespec until;
	pthread_mutex_lock(&b->lock);
	while (!slot_is_done(b, s) && !b->trouble[0]) {
		p->waits_for = atomic_load(&s->is_saved) ? s->submission.ordinal : 1;
		p->is_waiting = true;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		pthread_cond_timedwait(&p->moved, &b->lock, &until);
	}
	p->is_waiting = false;
	pthread_mutex_unlock(&b->lock);
}

static void slot_count(struct bench *b, const struct slot *s)
{
	uint64_t took = clock_monotonic_us() - s->begun_us;
	pthread_mutex_lock(&b->lock);
	if (b->sample_count < SAMPLES_MOST)
		b->sample_us[b->sample_count++] = (uint32_t)took;
	if (s->submission.ordinal > b->newest)
		b->newest = s->submission.ordinal;
	pthread_mutex_unlock(&b->lock);
}

static void *producer_run(void *context)
{
	struct producer *p = context;
	struct bench *b = p->bench;
	struct arena arena;
	struct error e = { 0 };
	bool is_ended = false;
	arena_init(&arena, PACK_BYTES_MOST);
	while (!is_ended || p->done < p->begun) {
		is_ended = is_ended || !may_begin(b);
		if (!is_ended) {
			if (slot_send(b, &p->slot[p->begun % p->window], &arena, &e))
				trouble_set(b, &e);
			else
				p->begun++;
		}
		while (p->done < p->begun && (is_ended || p->begun - p->done == p->window)) {
			struct slot *s = &p->slot[p->done % p->window];
			slot_wait(p, s);
			if (b->trouble[0])
				goto out; /* slots stay: the node may still hold them, and this process ends */
			do {
				slot_count(b, s);
				s = &p->slot[++p->done % p->window];
			} while (p->done < p->begun && slot_is_done(b, s));
		}
	}
out:
	arena_release(&arena);
	return NULL;
}

/* ---- orders ---- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static double part_ms(const struct bench *b, double part)
{
	if (!b->sample_count)
		return 0;
	size_t at = (size_t)(part * (double)(b->sample_count - 1));
	return b->sample_us[at] / 1000.0;
}

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool producers_start(struct bench *b, size_t threads, size_t window)
{
	b->producer_count = 0;
	for (size_t i = 0; i < threads; i++) {
		struct producer *p = &b->producer[i];
		*p = (struct producer){ .bench = b, .window = window, .slot = calloc(window, sizeof *p->slot) };
		pthread_cond_init(&p->moved, NULL);
		for (size_t k = 0; p->slot && k < window; k++)
			p->slot[k].producer = p;
		if (!p->slot)
			return false;
	}
	pthread_mutex_lock(&b->lock);
	b->producer_count = threads;
	pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&b->producer[i].thread, NULL, producer_run, &b->producer[i]))
			return false;
	return true;
}

static void order_load(struct bench *b, size_t threads, size_t window, uint64_t ms, uint64_t count, bool must_be_final)
{
	if (!threads || threads > PRODUCERS_MOST || !window || window > WINDOW_MOST) {
		printf("{\"error\":\"too many producers or too much under way\"}\n");
		return;
	}
	uint64_t from_us = clock_monotonic_us();
	double cpu = cpu_s();
	b->deadline_us = from_us + ms * 1000;
	b->left = count;
	b->must_be_final = must_be_final;
	b->sample_count = 0;
	b->trouble[0] = '\0'; /* of an earlier order: no producer runs now */
	if (!producers_start(b, threads, window)) {
		printf("{\"error\":\"no memory for producers\"}\n");
		return;
	}
	for (size_t i = 0; i < threads; i++)
		pthread_join(b->producer[i].thread, NULL);
	double seconds = (double)(clock_monotonic_us() - from_us) / 1e6;
	cpu = cpu_s() - cpu;
	pthread_mutex_lock(&b->lock);
	b->producer_count = 0;
	pthread_mutex_unlock(&b->lock);
	if (b->trouble[0]) {
		printf("{\"error\":\"%s\"}\n", b->trouble);
		return;
	}
	for (size_t i = 0; i < threads; i++)
		free(b->producer[i].slot);
	qsort(b->sample_us, b->sample_count, sizeof *b->sample_us, compare);
	printf("{\"requests\":%zu,\"seconds\":%.6f,\"cpu_s\":%.6f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"payload_bytes\":%"
	       "zu}\n",
	       b->sample_count, seconds, cpu, part_ms(b, 0.5), part_ms(b, 0.99), b->payload_bytes);
}

static void order_wait(struct bench *b)
{
	uint64_t from_us = clock_monotonic_us();
	bool is_final = false;
	while (!is_final && clock_monotonic_us() - from_us < 120000000) {
		struct timespec pause = { 0, 2000000 };
		uint64_t custody, final;
		node_up_marks(b->node, &custody, &final);
		is_final = final >= b->newest;
		if (!is_final)
			nanosleep(&pause, NULL);
	}
	printf("{\"is_final\":%s,\"seconds\":%.3f}\n", is_final ? "true" : "false",
	       (double)(clock_monotonic_us() - from_us) / 1e6);
}

static void *orders_run(void *context)
{
	struct bench *b = context;
	char line[256];
	size_t threads, window;
	uint64_t number;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "load %zu %zu %" SCNu64, &threads, &window, &number) == 3)
			order_load(b, threads, window, number, UINT64_MAX, true);
		else if (sscanf(line, "count %zu %zu %" SCNu64, &threads, &window, &number) == 3)
			order_load(b, threads, window, 600000, number, true);
		else if (sscanf(line, "fill %" SCNu64, &number) == 1)
			order_load(b, 8, 128, 600000, number, false);
		else if (strncmp(line, "wait", 4) == 0)
			order_wait(b);
		else
			break;
		fflush(stdout);
	}
	uv_async_send(&b->end);
	return NULL;
}

/* ---- life ---- */

static void on_end(uv_async_t *async)
{
	struct bench *b = async->data;
	uv_close((uv_handle_t *)async, NULL);
	node_stop(b->node);
}

static int bench_start(struct bench *b, const char *config, const char *form, const char *people, struct error *e)
{
	struct node_options options = { .tier = terminal_tier(), .loop = &b->loop };
	pthread_mutex_init(&b->lock, NULL);
	b->sample_us = malloc(SAMPLES_MOST * sizeof *b->sample_us);
	b->tier_on_marks = options.tier.on_marks;
	options.tier.on_marks = on_marks;
	int result = b->sample_us ? form_read(form, &b->arena, &b->form, e) : error_set(e, ERR_MEMORY, "no memory");
	if (!result && people)
		result = people_read(people, &b->people, e);
	if (!result)
		result = node_config_read(config, LM__TIER__TIER_TERMINAL, &options.config, e);
	if (result)
		return result;
	uv_loop_init(&b->loop);
	return node_start(&options, &b->node, e);
}

int main(int argc, char **argv)
{
	struct bench *b = &bench;
	struct error e = { 0 };
	pthread_t orders;
	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: bench_terminal CONFIG FORM.json [PEOPLE]\n");
		return 64;
	}
	log_open("bench-terminal", LOG_WARN);
	if (bench_start(b, argv[1], argv[2], argv[3], &e)) {
		fprintf(stderr, "bench_terminal: %s\n", e.text);
		return 1;
	}
	b->end.data = b;
	if (uv_async_init(&b->loop, &b->end, on_end) || pthread_create(&orders, NULL, orders_run, b))
		return 1;
	uv_run(&b->loop, UV_RUN_DEFAULT);
	pthread_join(orders, NULL);
	int code = node_exit_code(b->node);
	node_free(b->node);
	uv_loop_close(&b->loop);
	arena_release(&b->arena);
	buffer_release(&b->people.text);
	free(b->people.row);
	free(b->sample_us);
	return code;
}
