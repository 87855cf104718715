/* In which state a fault meets a site, seen from inside: for the table only, no check asks. */
#include "inside.h" /* of the room node */
#include "sim.h"

const char *const state_names[] = { [STATE_DEAD] = "dead",        [STATE_STARTING] = "starting",
	                            [STATE_ALONE] = "alone",      [STATE_GREETING] = "greeting",
	                            [STATE_IDLE] = "idle",        [STATE_BACKLOG] = "backlog",
	                            [STATE_FULL] = "full",        [STATE_COMMITTING] = "committing",
	                            [STATE_TRIMMING] = "trimming" };

static bool is_trimming(const struct site *s, const struct node *n)
{
	return n->trimmed_us && n->trimmed_us == machine_monotonic_us(s);
}

static enum state state_of_links(const struct node *n)
{
	size_t peers = atomic_load(&n->peer_visible), open = 0;
	bool is_behind = n->upstream && atomic_load(&n->waiting_up) > 0;
	for (size_t i = 0; i < peers; i++) {
		open += n->peer[i]->link.state == LINK_OPEN;
		is_behind |= n->peer[i]->link.state == LINK_OPEN && link_waiting(&n->peer[i]->link) > 0;
	}
	if (n->upstream && n->upstream->link.state == LINK_GREETED)
		return STATE_GREETING;
	if (n->upstream ? n->upstream->link.state != LINK_OPEN : !open)
		return STATE_ALONE;
	return is_behind ? STATE_BACKLOG : STATE_IDLE;
}

enum state state_of(const struct site *s)
{
	const struct node *n = s->node;
	if (s->is_starting)
		return STATE_STARTING;
	if (!n)
		return STATE_DEAD;
	if (is_trimming(s, n))
		return STATE_TRIMMING;
	if (s->is_at_disk)
		return STATE_COMMITTING;
	return atomic_load(&n->is_full) ? STATE_FULL : state_of_links(n);
}
