/*
 * Somebody here asks for a person. The page says it again as long as they wait, and so does this: nothing of it is
 * stored, and without a link nobody hears it, which is told.
 */
#include <stdlib.h>

#include "inside.h"
#include "proto/desk.pb-c.h"

struct ringing {
	struct terminal *terminal;
	struct http_request *request;
	bool is_over;
};

static void ring_answer(struct http_request *r, Lm__RingState state)
{
	Lm__RingView view = LM__RING_VIEW__INIT;
	view.state = state;
	node_answer(r, &view.base);
}

static void ring_done(void *context, const Lm__Answer *answer)
{
	struct ringing *x = context;
	Lm__RingState state = x->is_over                       ? LM__RING_STATE__RING_STATE_NONE
	                      : !answer || !answer->is_ringing ? LM__RING_STATE__RING_STATE_UNREACHABLE
	                      : answer->is_taken               ? LM__RING_STATE__RING_STATE_TAKEN
	                                                       : LM__RING_STATE__RING_STATE_RINGS;
	ring_answer(x->request, state);
	free(x);
}

void ring_post(void *context, struct http_request *r)
{
	struct terminal *t = terminal_of(context);
	struct arena arena;
	Lm__RingCommand *in;
	struct error e;
	arena_init(&arena, 64 * 1024);
	int result = node_body(r, &lm__ring_command__descriptor, &arena, &in);
	bool is_over = !result && in->is_over;
	arena_release(&arena);
	if (result)
		return;
	while (!t->ring && !is_over && !result)
		result = crypto_random((uint8_t *)&t->ring, sizeof t->ring, &e);
	struct ringing *x = result ? NULL : calloc(1, sizeof *x);
	if (!x) {
		node_answer_error(r, result ? result : ERR_MEMORY, result ? &e : NULL);
		return;
	}
	*x = (struct ringing){ t, r, is_over };
	uint64_t ring = t->ring;
	if (is_over)
		t->ring = 0;
	if (!ring || node_ring_upstream(context, ring, is_over, ring_done, x))
		ring_done(x, NULL);
}
