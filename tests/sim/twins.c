/*
 * A machine that runs twice: somebody copies the folder of a terminal that stands still, and both machines go on, with
 * residents before each. They take turns at the link of their town, which freezes the line when both have written. An
 * operator releases one history (operators.c); what the closed machine had saved comes into quarantine, and is tried
 * again there (poison.c); then the closed machine is switched off, and the other one stands in its place. One in a
 * seed, and on that place neither another image, nor a wipe, nor a change of keys, nor a map that fills up: a machine
 * that takes nothing has nothing to say, and nobody would notice that it runs.
 */
#include <errno.h>
#include <string.h>

#include "sim.h"

static struct {
	struct site *first, *second; /* NULL: none yet */
	bool is_wanted;              /* when the first is buried */
	bool is_over;
	bool is_first_kept; /* the operator's choice, in so far as it can be told from their pages */
} twin;

void twins_reset(void)
{
	memset(&twin, 0, sizeof twin);
}

bool is_twin(const struct site *s)
{
	return twin.first && (s == twin.first || s == twin.second);
}

bool twins_waiting(void)
{
	return twin.second && !twin.is_over;
}

struct site *twins_kept(struct site *s)
{
	return twins_waiting() && is_twin(s) ? twin.is_first_kept ? twin.first : twin.second : s;
}

bool strike_clone(struct site *s)
{
	if (twin.first || s->tier != LM__TIER__TIER_TERMINAL || s->is_map_small || !s->node || s->is_dying ||
	    is_changing_keys(s) || wipes_are_about(s) || world.site_count == SITES_MOST)
		return false;
	twin.first = s;
	twin.is_wanted = true;
	site_kill(s, false);
	return true;
}

/* A second machine with the disk of one that stands still. */
static struct site *site_copy(const struct site *of)
{
	struct site *s = &world.site[world.site_count++];
	uint32_t life = s->life;
	*s = (struct site){ .life = life,
		            .above = of->above,
		            .tier = of->tier,
		            .map_bytes = of->map_bytes,
		            .is_map_small = of->is_map_small };
	snprintf(s->place, sizeof s->place, "%s", of->place);
	snprintf(s->name, sizeof s->name, "second %s", of->place);
	snprintf(s->folder, sizeof s->folder, "%.200s-second", of->folder);
	folder_copy(of->folder, s->folder);
	return s;
}

void twins_site_buried(struct site *s)
{
	if (!twin.is_wanted || s != twin.first)
		return;
	twin.is_wanted = false;
	if (weather_is_over() || is_changing_keys(s)) {
		twin.first = NULL;
		return;
	}
	twin.second = site_copy(s);
	twin.is_first_kept = draw(2);
	people_arrive_at(twin.second);
	tell("%-24s has a second machine", s->name);
	weather_start(twin.second);
}

/* ---- the end of one of them ---- */

static bool says(struct site *s, const char *what)
{
	json_t *state = ask_if_alive(s, "GET", "/api/v1/state", NULL);
	const char *why = json_string_value(json_object_get(state, "why_code"));
	bool is_said = why && strcmp(why, what) == 0;
	json_decref(state);
	return is_said;
}

static bool has_sent_all(struct site *s)
{
	json_t *status = ask_if_alive(s, "GET", "/ctl/v1/status", NULL);
	const char *unsent = json_string_value(json_object_get(status, "unsent"));
	bool has = unsent && strcmp(unsent, "0") == 0;
	json_decref(status);
	return has;
}

static void switch_off(struct site *s)
{
	s->is_retired = true;
	site_kill(s, false);
	site_bury_if_dead(s);
}

/* What goes on stands where the first stood; where it was the second, with that one's disk. */
static void settle(struct site *closed)
{
	struct site *first = twin.first, *second = twin.second;
	tell("%-24s is closed for ever, and goes", closed->name);
	switch_off(second);
	if (closed == first) {
		switch_off(first);
		folder_copy(second->folder, first->folder);
		disk_site_changed(first);
		first->said_position = 0;
		check_forget(first);
	}
	disk_site_changed(second);
	folder_remove(second->folder);
	people_hear_of_end(closed, second, first);
	twin.is_over = true;
	world.site_count--;
	if (closed == first) {
		first->is_retired = false;
		weather_start(first);
	}
}

void twins_settle(void)
{
	if (!twins_waiting() || !twin.first->node || !twin.second->node)
		return;
	bool is_first_closed = says(twin.first, "closed"), is_second_closed = says(twin.second, "closed");
	if (is_first_closed && is_second_closed)
		fail("both machines of %s are closed", twin.first->place);
	if (!is_first_closed && !is_second_closed) { /* whoever writes is noticed */
		people_hand_in(twin.first);
		people_hand_in(twin.second);
		return;
	}
	struct site *closed = is_first_closed ? twin.first : twin.second;
	if (has_sent_all(closed))
		settle(closed);
}
