/*
 * What the town tells the residents of this community: read from the table when a page asks, so that what its last day
 * has passed, or its town took back, is never shown. Which day it is this terminal's own clock says.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "domain/publication.h"
#include "inside.h"

#define NOTICES_BYTES_MOST (16u * 1024 * 1024)

struct reading {
	struct http_request *request;
	struct arena arena;
	Lm__TownNoticesView view;
	int result;
	struct error error;
};

static bool notice_visit(void *context, Lm__TownNotice *notice)
{
	struct reading *r = context;
	r->view.notices[r->view.n_notices++] = notice;
	return r->view.n_notices < NOTICES_KEPT;
}

static int newest_first(const void *a, const void *b)
{
	const Lm__TownNotice *x = *(Lm__TownNotice *const *)a, *y = *(Lm__TownNotice *const *)b;
	return (x->published_ms < y->published_ms) - (x->published_ms > y->published_ms);
}

static void read_pool(struct node *n, void *context)
{
	struct reading *r = context;
	struct store_txn *txn;
	lm__town_notices_view__init(&r->view);
	r->view.notices = arena_alloc(&r->arena, NOTICES_KEPT * sizeof(void *));
	r->result = r->view.notices ? store_begin_read(node_store(n), &txn, &r->error) : ERR_MEMORY;
	if (r->result)
		return;
	r->result = notices_shown(txn, node_domain(n)->place, clock_shanghai_day(clock_wall_ms()), &r->arena,
	                          notice_visit, r);
	int failure = store_failure(txn, &r->error);
	r->result = failure ? failure : r->result;
	store_abort(txn);
	qsort(r->view.notices, r->view.n_notices, sizeof(void *), newest_first);
}

static void read_done(struct node *n, void *context)
{
	struct reading *r = context;
	(void)n;
	if (r->result)
		node_answer_error(r->request, r->result, &r->error);
	else
		node_answer(r->request, &r->view.base);
	arena_release(&r->arena);
	free(r);
}

void notices_get(void *context, struct http_request *request)
{
	struct reading *r = calloc(1, sizeof *r);
	if (!r) {
		http_answer_error(request, ERR_MEMORY, "no memory for the notices");
		return;
	}
	r->request = request;
	arena_init(&r->arena, NOTICES_BYTES_MOST);
	int result = node_pool(context, read_pool, read_done, r);
	if (!result)
		return;
	r->result = result;
	read_done(context, r);
}

static bool count_visit(void *context, Lm__TownNotice *notice)
{
	(void)notice;
	++*(uint32_t *)context;
	return true;
}

int notices_count(struct terminal *t, struct store_txn *txn, struct arena *arena)
{
	uint32_t count = 0;
	int64_t day = clock_shanghai_day(clock_wall_ms());
	int result = notices_shown(txn, node_domain(t->node)->place, day, arena, count_visit, &count);
	if (result)
		return result;
	t->town_notices = count;
	t->notices_day = day;
	return OK;
}

bool notices_are_of_today(const struct terminal *t)
{
	return t->notices_day == clock_shanghai_day(clock_wall_ms());
}
