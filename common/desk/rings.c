#include "rings.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "errand.h"
#include "proto/desk.pb-c.h"

#define SILENT_US UINT64_C(10000000) /* a kiosk that waits says so every two seconds */

void rings_init(struct rings *r)
{
	pthread_mutex_init(&r->lock, NULL);
}

void rings_release(struct rings *r)
{
	pthread_mutex_destroy(&r->lock);
}

/* That of the device, else a free one; NULL: too many. */
static struct ring *ring_of(struct rings *r, uint64_t device)
{
	struct ring *found = NULL;
	for (size_t i = 0; i < RINGS_MOST; i++) {
		if (r->ring[i].ring && r->ring[i].device == device)
			return &r->ring[i];
		if (!r->ring[i].ring && !found)
			found = &r->ring[i];
	}
	return found;
}

static bool place_read(struct node *n, uint64_t device, char place[PLACE_TEXT_BYTES])
{
	struct store_txn *txn;
	struct arena arena;
	Lm__DeviceRecord *record;
	bool is_read = false;
	if (store_begin_read(node_store(n), &txn, NULL))
		return false;
	arena_init(&arena, 256 * 1024);
	if (!device_get(txn, device, &arena, &record) && strlen(record->place) < PLACE_TEXT_BYTES) {
		memcpy(place, record->place, strlen(record->place) + 1);
		is_read = true;
	}
	store_abort(txn);
	arena_release(&arena);
	return is_read;
}

bool desk_hear_ring(struct node *n, uint64_t device, uint64_t ring, bool is_over, Lm__Answer *answer)
{
	struct rings *r = rings_of(n);
	char place[PLACE_TEXT_BYTES];
	bool has_place = place_read(n, device, place), is_news = false;
	pthread_mutex_lock(&r->lock);
	struct ring *one = ring_of(r, device);
	if (one && is_over) {
		is_news = one->ring != 0;
		memset(one, 0, sizeof *one);
	} else if (one && has_place) {
		is_news = one->ring != ring;
		if (is_news) {
			*one = (struct ring){ .device = device, .ring = ring, .since_ms = clock_wall_ms() };
			memcpy(one->place, place, sizeof place);
		}
		one->heard_us = clock_monotonic_us();
		answer->is_ringing = true;
		answer->is_taken = one->taken_by[0] != '\0';
	}
	pthread_mutex_unlock(&r->lock);
	return is_news;
}

void desk_ring_news(struct node *n)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	desk_publish(n, RIGHT_CASES, "rings", &empty.base);
}

uint64_t rings_tick(struct node *n, uint64_t now_us)
{
	struct rings *r = rings_of(n);
	uint64_t due_us = UINT64_MAX;
	bool is_news = false;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < RINGS_MOST; i++) {
		struct ring *one = &r->ring[i];
		if (one->ring && one->heard_us + SILENT_US <= now_us) {
			memset(one, 0, sizeof *one);
			is_news = true;
		} else if (one->ring && one->heard_us + SILENT_US < due_us) {
			due_us = one->heard_us + SILENT_US;
		}
	}
	pthread_mutex_unlock(&r->lock);
	if (is_news)
		desk_ring_news(n);
	return due_us;
}

/* ---- consoles ---- */

static Lm__RingRow *row_of(struct node *n, const struct ring *ring, struct arena *arena)
{
	Lm__RingRow *row = arena_alloc(arena, sizeof *row);
	if (!row)
		return NULL;
	lm__ring_row__init(row);
	row->ring = arena_format(arena, "%016llx", (unsigned long long)ring->ring);
	row->place = arena_text(arena, ring->place);
	row->place_name = node_place_words(n, ring->place, arena);
	row->since_ms = ring->since_ms;
	row->taken_by = arena_text(arena, ring->taken_by);
	return row->ring && row->place && row->taken_by ? row : NULL;
}

static void rings_answer(struct node *n, struct http_request *r)
{
	struct rings *rings = rings_of(n);
	struct errand *x = errand_new(r);
	if (!x)
		return;
	Lm__RingsView *view = arena_alloc(&x->arena, sizeof *view);
	Lm__RingRow **rows = arena_alloc(&x->arena, RINGS_MOST * sizeof *rows);
	bool is_short = !view || !rows;
	if (!is_short)
		lm__rings_view__init(view);
	pthread_mutex_lock(&rings->lock);
	for (size_t i = 0; i < RINGS_MOST && !is_short; i++) {
		if (!rings->ring[i].ring)
			continue;
		rows[view->n_rings] = row_of(n, &rings->ring[i], &x->arena);
		is_short = !rows[view->n_rings++];
	}
	pthread_mutex_unlock(&rings->lock);
	if (!is_short)
		view->rings = rows;
	x->output = is_short ? NULL : &view->base;
	errand_answer(x, is_short ? ERR_MEMORY : OK, NULL);
}

void desk_rings_get(void *context, struct http_request *r)
{
	rings_answer(context, r);
}

/* Nothing of whom or where: a desk that nobody is at rings on, and says no more. */
void desk_rings_waiting(void *context, struct http_request *r)
{
	struct rings *rings = rings_of(context);
	Lm__RingsWaitingView view = LM__RINGS_WAITING_VIEW__INIT;
	if (!role_may(http_role(r), RIGHT_CASES)) {
		http_answer_error(r, http_role(r)[0] ? ERR_DENIED : ERR_LOGIN,
		                  "calls ring at the desk of who does casework");
		return;
	}
	pthread_mutex_lock(&rings->lock);
	for (size_t i = 0; i < RINGS_MOST; i++)
		view.waiting += rings->ring[i].ring && !rings->ring[i].taken_by[0];
	pthread_mutex_unlock(&rings->lock);
	node_answer(r, &view.base);
}

void desk_ring_take(void *context, struct http_request *r)
{
	struct rings *rings = rings_of(context);
	const char *name = http_parameter(r, "id");
	char text[17];
	bool is_there = false, is_late = false;
	pthread_mutex_lock(&rings->lock);
	for (size_t i = 0; i < RINGS_MOST && name && !is_there; i++) {
		struct ring *one = &rings->ring[i];
		snprintf(text, sizeof text, "%016llx", (unsigned long long)one->ring);
		is_there = one->ring && strcmp(text, name) == 0;
		is_late = is_there && one->taken_by[0];
		if (is_there && !is_late)
			snprintf(one->taken_by, sizeof one->taken_by, "%s", http_user(r));
	}
	pthread_mutex_unlock(&rings->lock);
	if (!is_there || is_late) {
		http_answer_error(r, is_late ? ERR_CONFLICT : ERR_NOT_FOUND,
		                  is_late ? "somebody was faster: this call was taken" : "nobody rings there any more");
		return;
	}
	desk_ring_news(context);
	rings_answer(context, r);
}
