/*
 * How this terminal is: what stops it, what residents should know although it goes on, and whom they can call.
 *
 *   stops      revoked · frozen · closed · not admitted yet · no catalogue · full
 *   notices    no link · no clock that can be believed · no paper · no printer
 *
 * A stop is told before anybody types, and refuses a draft with the same words. Nothing here decides about what is
 * stored: the writer refuses for itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define LINK_PATIENCE_US 5000000                 /* a link that comes back at once is not worth a word */
#define CLOCK_SLACK_MS (INT64_C(10) * 60 * 1000) /* clocks of others may be ahead of ours */
#define PRINTER_EVERY_US 2000000

/* ---- stops ---- */

int terminal_stopped(struct node *n, const struct upstream_state *up, struct error *e)
{
	const struct terminal *t = terminal_of(n);
	const char *code = up->code, *text = up->text;
	if (strcmp(code, error_name(ERR_REVOKED)) == 0)
		return error_set(e, ERR_REVOKED, "%s", text);
	if (up->is_closed)
		return error_set(e, ERR_FROZEN, "the district takes nothing more of this terminal: %s", up->frozen_why);
	if (up->is_full_above)
		return error_set(e, ERR_FULL, "the town takes nothing more of this terminal: %s", up->frozen_why);
	if (up->is_frozen)
		return error_set(e, ERR_FROZEN, "the town takes nothing more of this terminal: %s", up->frozen_why);
	if (!node_can_seal(n) || !t->has_salt)
		return error_set(e, ERR_NOT_READY, "%s",
		                 text[0] ? text : "this terminal waits for the district: its keys have not come yet");
	if (!t->services)
		return error_set(e, ERR_NOT_READY,
		                 "this terminal waits for the district: nothing of the catalogue has come yet");
	if (node_is_full(n))
		return error_set(e, ERR_FULL,
		                 "this terminal's storage is full; it takes requests again when the district has what "
		                 "is waiting");
	return OK;
}

static const char *stop_code(struct node *n, const struct upstream_state *up, int stopped)
{
	if (stopped == ERR_FROZEN && up->is_closed)
		return "closed";
	if (stopped != ERR_NOT_READY)
		return stopped ? error_name(stopped) : "";
	if (node_can_seal(n) && terminal_of(n)->has_salt)
		return "no-catalogue";
	return up->code[0] ? up->code : error_name(ERR_NOT_READY);
}

/* ---- the clock ---- */

/* There may be no clock that runs without power. What has been built, and what the district has signed, lies behind us:
 * an hour before either is not now. That it is too late an hour, only the town's clock can tell. */
static bool clock_can_be_believed(const struct terminal *t, const struct upstream_state *up)
{
	int64_t now_ms = clock_wall_ms();
	return !up->is_clock_off && now_ms >= LM_BUILT_S * INT64_C(1000) && now_ms + CLOCK_SLACK_MS >= t->signed_ms;
}

/* ---- the printer ---- */

struct looking {
	char *path;
	enum printer_state state;
};

static void printer_look(struct node *n, void *context)
{
	struct looking *l = context;
	(void)n;
	l->state = printer_read(l->path);
}

static void printer_looked(struct node *n, void *context)
{
	struct looking *l = context;
	struct terminal *t = terminal_of(n);
	t->printer = l->state;
	t->is_looking = false;
	free(l);
}

/* On the pool: a device that does not answer keeps whoever asks it waiting. */
static void printer_tick(struct terminal *t, uint64_t now_us)
{
	char *path = node_configuration(t->node)->printer;
	if (!path || t->is_looking || now_us - t->looked_us < PRINTER_EVERY_US)
		return;
	t->looked_us = now_us;
	struct looking *l = calloc(1, sizeof *l);
	if (!l)
		return;
	l->path = path;
	if (node_pool(t->node, printer_look, printer_looked, l))
		free(l);
	else
		t->is_looking = true;
}

/* ---- notices ---- */

static const char *const notice_name[] = {
	[NOTICE_LINK] = "no-link",
	[NOTICE_CLOCK] = "no-clock",
	[NOTICE_PAPER] = "no-paper",
	[NOTICE_PRINTER] = "no-printer",
};

static unsigned notices_now(struct terminal *t, uint64_t now_us)
{
	struct upstream_state up;
	node_upstream(t->node, &up);
	if (up.is_up || t->is_linked || !t->linked_us) /* lost just now, or it has not had its time yet */
		t->linked_us = now_us;
	t->is_linked = up.is_up;
	unsigned notices = 0;
	if (now_us - t->linked_us >= LINK_PATIENCE_US)
		notices |= 1u << NOTICE_LINK;
	if (!clock_can_be_believed(t, &up))
		notices |= 1u << NOTICE_CLOCK;
	if (t->printer == PRINTER_NO_PAPER)
		notices |= 1u << NOTICE_PAPER;
	if (t->printer == PRINTER_NO_ANSWER)
		notices |= 1u << NOTICE_PRINTER;
	return notices;
}

bool condition_tick(struct terminal *t, uint64_t now_us)
{
	printer_tick(t, now_us);
	unsigned notices = notices_now(t, now_us);
	struct upstream_state up;
	node_upstream(t->node, &up);
	int stopped = terminal_stopped(t->node, &up, NULL);
	bool has_changed = notices != t->notices || stopped != t->stopped;
	t->notices = notices;
	t->stopped = stopped;
	return has_changed;
}

uint64_t condition_due_us(const struct terminal *t)
{
	bool may_miss_link = !t->is_linked && !(t->notices & (1u << NOTICE_LINK));
	uint64_t link_us = may_miss_link ? t->linked_us + LINK_PATIENCE_US : UINT64_MAX;
	uint64_t printer_us = node_configuration(t->node)->printer ? t->looked_us + PRINTER_EVERY_US : UINT64_MAX;
	return link_us < printer_us ? link_us : printer_us;
}

int condition_show(struct node *n, const struct upstream_state *up, struct arena *arena, Lm__TerminalState *s)
{
	const struct terminal *t = terminal_of(n);
	struct error e = { 0 };
	int stopped = terminal_stopped(n, up, &e);
	s->can_take_requests = !stopped;
	s->why_code = (char *)(uintptr_t)stop_code(n, up, stopped);
	s->why_text = arena_text(arena, stopped ? e.text : "");
	s->contact = node_place_contact(n, node_domain(n)->place);
	s->notices = arena_alloc(arena, NOTICE_COUNT * sizeof *s->notices);
	if (!s->why_text || !s->notices)
		return ERR_MEMORY;
	for (size_t i = 0; i < NOTICE_COUNT; i++)
		if (t->notices & (1u << i))
			s->notices[s->n_notices++] = (char *)(uintptr_t)notice_name[i];
	return OK;
}
