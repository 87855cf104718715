/*
 * A case that was handed over or referred and that nobody here accepts goes back: the owner, this node, hands it over
 * again, by itself. The list in memory names those whose working days are over; the writer looks at each once more, so
 * whoever accepts, sends back or withdraws at the same moment is first, or is told that it went.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "worklist.h"

#define LOOK_FIRST_US UINT64_C(2000000) /* the list is read from the store first */
#define LOOK_EVERY_US UINT64_C(60000000)
#define LOOK_MOST 64 /* cases at a time */

struct going_back {
	struct command command;
	struct id id;
};

static int go_back_run(struct turn *t, struct command *c, struct error *e)
{
	struct going_back *g = c->context;
	Lm__CaseRecord *record;
	Lm__CasePayload content = LM__CASE_PAYLOAD__INIT; /* of nobody: staff is empty */
	struct case_event event = { .action = LM__CASE_ACTION__CASE_ACTION_HAND_OVER, .content = &content };
	struct working_days days;
	int result = turn_may_write(t, e);
	if (!result)
		result = case_get(t->txn, g->id, t->arena, &record);
	if (!result)
		result = working_days_load(t->txn, t->arena, &days);
	if (result)
		return result;
	int64_t by_ms = take_by_ms(record, &days, node_configuration(t->node)->hand_over_days);
	if (!case_is_ours(node_domain(t->node), record) || !by_ms || by_ms > t->now_ms)
		return OK; /* somebody was faster */
	return case_event_write(t, g->id, record, &event, e);
}

static void go_back_done(struct node *n, struct command *c)
{
	(void)n;
	if (c->result && c->result != ERR_NOT_READY && c->result != ERR_FROZEN) /* later */
		log_write(LOG_WARN, "not-taken", "a case that nobody accepted does not go back: %s", c->error.text);
	free(c->context);
}

uint64_t hand_over_tick(struct node *n, uint64_t now_us)
{
	struct hand_overs *h = hand_overs_of(n);
	struct id found[LOOK_MOST];
	if (!h->look_us)
		h->look_us = now_us + LOOK_FIRST_US;
	if (now_us < h->look_us)
		return h->look_us;
	bool is_ready = index_is_ready(&worklist_of(n)->index);
	size_t count = is_ready ? worklist_not_taken(worklist_of(n), clock_wall_ms(), found, LOOK_MOST) : 0;
	for (size_t i = 0; i < count; i++) {
		struct going_back *g = calloc(1, sizeof *g);
		if (!g)
			break;
		g->id = found[i];
		g->command = (struct command){ .run = go_back_run, .done = go_back_done, .context = g };
		if (node_command(n, &g->command))
			free(g);
	}
	h->look_us = now_us + (is_ready && count < LOOK_MOST ? LOOK_EVERY_US : LOOK_FIRST_US);
	return h->look_us;
}
