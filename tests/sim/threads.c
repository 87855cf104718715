/* The writer's turns, as events. */
#include <stdlib.h>

#include "inside.h" /* of the room node */
#include "sim.h"

struct site *site_of(const struct node *n)
{
	return n->loop->data;
}

struct tick {
	struct node *node;
	uint64_t turn;
};

static void writer_turn_run(struct site *s, struct node *n);

static void tick_run(void *context, bool is_alive)
{
	struct tick *tick = context;
	struct node *n = tick->node;
	if (is_alive && world.here->has_writer && tick->turn == world.here->writer_turn)
		writer_turn_run(world.here, n);
	free(tick);
}

static void writer_turn_run(struct site *s, struct node *n)
{
	s->is_writer_due = false;
	s->writer_turn++;
	bool goes_on = writer_step(n);
	if (!s->is_dying && journal_position(n->journal) > s->said_position)
		s->said_position = journal_position(n->journal);
	if (!goes_on) {
		s->has_writer = false;
		return;
	}
	struct tick *tick = malloc(sizeof *tick);
	if (!tick)
		abort();
	*tick = (struct tick){ n, s->writer_turn };
	plan(n->inbox_first ? draw_between(5, 50) : writer_wait_us(n), s, tick_run, tick);
}

static void wake_run(void *context, bool is_alive)
{
	if (is_alive && world.here->has_writer)
		writer_turn_run(world.here, context);
}

int writer_launch(struct node *n, struct error *e)
{
	struct site *s = site_of(n);
	(void)e;
	n->has_writer = s->has_writer = true;
	writer_begin(n);
	s->is_writer_due = true;
	plan(draw_between(5, 200), s, wake_run, n);
	return OK;
}

void writer_join(struct node *n)
{
	struct site *s = site_of(n);
	while (s->has_writer)
		writer_turn_run(s, n);
	n->has_writer = false;
}

void writer_die(struct node *n)
{
	site_kill(site_of(n), true); /* what was not synced may be there or not */
}

void inbox_wake(struct node *n)
{
	struct site *s = site_of(n);
	if (s->is_writer_due || !s->has_writer)
		return;
	s->is_writer_due = true;
	plan(draw_between(5, 300), s, wake_run, n);
}

void inbox_wait(struct node *n, uint64_t wait_us)
{
	(void)n;
	(void)wait_us;
}
