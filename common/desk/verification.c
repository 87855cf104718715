/*
 * Whose record has to be verified: nobody has asked the person for as many days as the procedure's rules say. Counted
 * over all records that a tier holds, a slice at a time, each time that somebody asks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "certificates.h"

#define SLICE_MOST 500
#define LEFT_MOST 200
#define PLACES_MOST 1024
#define TOWN_DIGITS 9
#define DAY_MS (24ll * 3600 * 1000)

struct counted {
	char place[PLACE_TEXT_BYTES];
	uint32_t total, verified;
};

struct counting {
	struct node *node;
	struct arena *arena; /* the answer's */
	const char *town;    /* whose records; NULL: all */
	const char *wanted;  /* the community whose list is shown; "" for none */
	int64_t since_ms;    /* verified before: too long ago */
	struct counted places[PLACES_MOST];
	size_t count, seen;
	Lm__VerificationView *view;
	bool is_short;
};

static struct counted *place_of(struct counting *c, const char *place)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->places[i].place, place) == 0)
			return &c->places[i];
	if (c->count == PLACES_MOST || strlen(place) >= PLACE_TEXT_BYTES)
		return NULL;
	struct counted *fresh = &c->places[c->count++];
	*fresh = (struct counted){ .total = 0 };
	memcpy(fresh->place, place, strlen(place) + 1);
	return fresh;
}

static void left_add(struct counting *c, struct id person, const Lm__PersonRecord *record)
{
	c->view->is_more = c->view->n_left == LEFT_MOST;
	if (c->view->is_more)
		return;
	Lm__PersonRow *row = person_row(c->node, person, record, c->arena);
	c->is_short |= !row;
	if (row)
		c->view->left[c->view->n_left++] = row;
}

static bool count_visit(void *context, struct id person, const Lm__PersonRecord *record)
{
	struct counting *c = context;
	const Lm__PersonFacts *f = record->facts;
	bool is_counted =
	        f && !f->died_on[0] && !f->merged_into.len && (!c->town || strcmp(record->town, c->town) == 0);
	struct counted *place = is_counted ? place_of(c, f->community) : NULL;
	if (place) {
		bool is_verified = f->verified && f->verified->time_ms >= c->since_ms;
		place->total++;
		place->verified += is_verified;
		if (!is_verified && strcmp(f->community, c->wanted) == 0)
			left_add(c, person, record);
	}
	return ++c->seen < SLICE_MOST;
}

static int count_all(struct counting *c, struct error *e)
{
	struct id from = { { 0 } };
	struct arena arena;
	int result;
	arena_init(&arena, 1024 * 1024);
	do {
		struct store_txn *txn;
		c->seen = 0;
		result = store_begin_read(node_store(c->node), &txn, e);
		if (result)
			break;
		result = person_each(txn, &from, &arena, count_visit, c, e);
		store_abort(txn);
	} while (!result && c->seen == SLICE_MOST);
	arena_release(&arena);
	return c->is_short ? ERR_MEMORY : result;
}

/* ---- shown ---- */

static int by_place(const void *a, const void *b)
{
	return strcmp(((const struct counted *)a)->place, ((const struct counted *)b)->place);
}

static Lm__VerificationRow *row_make(struct counting *c, const char *place)
{
	Lm__VerificationRow *row = arena_alloc(c->arena, sizeof *row);
	char *copy = arena_text(c->arena, place);
	if (!row || !copy)
		return NULL;
	lm__verification_row__init(row);
	row->place = copy;
	row->name = node_place_words(c->node, copy, c->arena);
	return row;
}

static int rows_fill(struct counting *c)
{
	Lm__VerificationView *v = c->view;
	Lm__VerificationRow *town = NULL;
	v->communities = arena_alloc(c->arena, (c->count + 1) * sizeof *v->communities);
	v->towns = arena_alloc(c->arena, (c->count + 1) * sizeof *v->towns);
	if (!v->communities || !v->towns)
		return ERR_MEMORY;
	if (c->count)
		qsort(c->places, c->count, sizeof *c->places, by_place);
	for (size_t i = 0; i < c->count; i++) {
		const struct counted *one = &c->places[i];
		char code[PLACE_TEXT_BYTES] = "";
		Lm__VerificationRow *row = row_make(c, one->place);
		strncpy(code, one->place, TOWN_DIGITS);
		if (!town || strcmp(town->place, code) != 0) {
			town = row_make(c, code);
			v->towns[v->n_towns++] = town;
		}
		if (!row || !town)
			return ERR_MEMORY;
		row->total = one->total;
		row->verified = one->verified;
		town->total += one->total;
		town->verified += one->verified;
		v->communities[v->n_communities++] = row;
	}
	return OK;
}

static uint32_t days_get(struct node *n, struct arena *arena)
{
	struct store_txn *txn;
	Lm__Service *service;
	struct error e;
	uint32_t days = 0;
	if (store_begin_read(node_store(n), &txn, &e))
		return 0;
	if (!service_get(txn, CERTIFICATE_SERVICE, 0, arena, &service) && service->certificate)
		days = service->certificate->verify_days;
	store_abort(txn);
	return days;
}

static void verification_pool(struct node *n, void *context)
{
	struct errand *x = context;
	const struct domain *d = node_domain(n);
	struct counting *c = arena_alloc(&x->arena, sizeof *c);
	x->result = c ? OK : ERR_MEMORY;
	if (x->result)
		return;
	memset(c, 0, sizeof *c);
	c->node = n;
	c->arena = &x->arena;
	c->town = d->tier == LM__TIER__TIER_TOWN ? d->place : NULL;
	c->wanted = x->place;
	c->view = arena_alloc(&x->arena, sizeof *c->view);
	if (c->view)
		lm__verification_view__init(c->view);
	if (!c->view || !(c->view->left = arena_alloc(&x->arena, (LEFT_MOST + 1) * sizeof *c->view->left))) {
		x->result = ERR_MEMORY;
		return;
	}
	c->view->days = days_get(n, &x->arena);
	c->since_ms = clock_wall_ms() - c->view->days * DAY_MS;
	x->output = &c->view->base;
	x->result = c->view->days ? count_all(c, &x->error) : OK;
	if (!x->result)
		x->result = rows_fill(c);
}

void verification_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	const char *place = http_query(r, "place");
	if (!x)
		return;
	if (place)
		strncpy(x->place, place, sizeof x->place - 1);
	errand_pool(context, x, verification_pool);
}
