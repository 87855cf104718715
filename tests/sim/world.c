/* Moments and events, chance, the trace. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct event {
	uint64_t time_us, number;
	struct site *owner;
	uint32_t life;
	void (*call)(void *context, bool is_alive);
	void *context;
};

struct world world;

/* A binary heap, the earliest first; of the same moment the one that was planned first. */
static struct event *heap;
static size_t heap_count, heap_capacity;
static uint64_t planned;

static bool is_before(const struct event *a, const struct event *b)
{
	return a->time_us != b->time_us ? a->time_us < b->time_us : a->number < b->number;
}

static void heap_swap(size_t a, size_t b)
{
	struct event kept = heap[a];
	heap[a] = heap[b];
	heap[b] = kept;
}

static void heap_rise(size_t at)
{
	for (; at && is_before(&heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap_swap(at, (at - 1) / 2);
}

static void heap_sink(size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1;
		if (left < heap_count && is_before(&heap[left], &heap[least]))
			least = left;
		if (left + 1 < heap_count && is_before(&heap[left + 1], &heap[least]))
			least = left + 1;
		if (least == at)
			return;
		heap_swap(at, least);
		at = least;
	}
}

static struct event heap_take(size_t at)
{
	struct event taken = heap[at];
	heap[at] = heap[--heap_count];
	if (at < heap_count) {
		heap_rise(at);
		heap_sink(at);
	}
	return taken;
}

static void event_put(struct event event)
{
	if (heap_count == heap_capacity) {
		heap_capacity = heap_capacity ? 2 * heap_capacity : 256;
		heap = realloc(heap, heap_capacity * sizeof *heap);
		if (!heap)
			abort();
	}
	heap[heap_count] = event;
	heap_rise(heap_count++);
}

void plan(uint64_t delay_us, struct site *owner, void (*call)(void *context, bool is_alive), void *context)
{
	event_put((struct event){ world.now_us + delay_us, planned++, owner, owner ? owner->life : 0, call, context });
}

bool site_is_paused(const struct site *s)
{
	return s && s->node && !s->is_dying && s->paused_until_us > world.now_us;
}

static void event_run(const struct event *event)
{
	struct site *s = event->owner, *before = world.here;
	bool is_alive = !s || (s->node && s->life == event->life);
	if (s && is_alive) {
		size_t index = (size_t)(s - world.site);
		trace_note("event", &index, sizeof index);
	}
	world.here = s;
	world.events++;
	event->call(event->context, is_alive);
	world.here = before;
}

bool world_step(void)
{
	if (!heap_count)
		return false;
	struct event event = heap_take(0);
	if (event.time_us > world.now_us)
		world.now_us = event.time_us;
	if (site_is_paused(event.owner)) /* in their order, when it goes on */
		event_put((struct event){ event.owner->paused_until_us, event.number, event.owner, event.life,
		                          event.call, event.context });
	else
		event_run(&event);
	for (size_t i = 0; i < world.site_count; i++)
		site_bury_if_dead(&world.site[i]);
	return true;
}

bool world_step_of(const struct site *s)
{
	size_t first = heap_count;
	for (size_t i = 0; i < heap_count; i++)
		if (heap[i].owner == s && (first == heap_count || heap[i].number < heap[first].number))
			first = i;
	if (first == heap_count)
		return false;
	struct event event = heap_take(first);
	event_run(&event);
	return true;
}

void world_run_until(uint64_t moment_us)
{
	while (heap_count && heap[0].time_us <= moment_us)
		world_step();
	world.now_us = moment_us;
}

void world_end(void)
{
	while (heap_count) {
		struct event event = heap_take(heap_count - 1);
		event.call(event.context, false);
	}
}

/* ---- chance ---- */

uint64_t draw(uint64_t bound)
{
	return prng_below(&world.chance, bound);
}

uint64_t draw_between(uint64_t least, uint64_t most)
{
	return least + draw(most - least + 1);
}

bool chance_is(uint32_t in_million)
{
	return in_million && draw(1000000) < in_million;
}

/* ---- the trace, and the story ---- */

void trace_note(const char *what, const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint64_t hash = world.trace ^ world.now_us;
	for (const char *p = what; *p; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	world.trace = hash;
}

static void story(const char *format, va_list arguments)
{
	fprintf(stderr, "%11.6f  ", (double)world.now_us / 1e6);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void tell(const char *format, ...)
{
	if (!world.is_told)
		return;
	va_list arguments;
	va_start(arguments, format);
	story(format, arguments);
	va_end(arguments);
}

void fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	story(format, arguments);
	va_end(arguments);
	fprintf(stderr, "seed %llu fails; the story: sim --seed %llu --tell\n", (unsigned long long)world.seed,
	        (unsigned long long)world.seed);
	exit(1);
}

bool effect_is_seen(struct site *s, enum effect effect)
{
	if (!s)
		return true;
	if (s->is_dying)
		return false;
	trace_note("effect", &effect, sizeof effect);
	if ((effect == EFFECT_SEND || effect == EFFECT_ANSWER) && !disk_is_durable(s))
		fail("%s says something while what it wrote is not durable", s->name);
	if (s->effects_left && --s->effects_left == 0) {
		fault_met(s->is_power_cut ? FAULT_POWER_WITHIN : FAULT_KILL_WITHIN, s);
		site_kill(s, s->is_power_cut);
		return false;
	}
	return true;
}
