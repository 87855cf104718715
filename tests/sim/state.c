/* In which state a fault meets a site, seen from inside: for the table only, no check asks. */
#include "inside.h" /* of the room node */
#include "sim.h"

const char *const state_names[] = {
	[STATE_DEAD] = "dead",         [STATE_STARTING] = "starting", [STATE_ALONE] = "alone",
	[STATE_GREETING] = "greeting", [STATE_IDLE] = "idle",         [STATE_BACKLOG] = "backlog",
	[STATE_DRAINING] = "draining", [STATE_FULL] = "full",         [STATE_COMMITTING] = "committing",
	[STATE_TRIMMING] = "trimming"
};

#define DRAINING_LEAST 10 /* entries: who was away for a while */

static bool is_trimming(const struct site *s, const struct node *n)
{
	return n->trimmed_us && n->trimmed_us == machine_monotonic_us(s);
}

static enum state state_of_links(const struct node *n)
{
	size_t peers = atomic_load(&n->peer_visible), open = 0;
	uint64_t behind = n->upstream ? atomic_load(&n->waiting_up) : 0;
	for (size_t i = 0; i < peers; i++) {
		open += n->peer[i]->link.state == LINK_OPEN;
		uint64_t waiting = n->peer[i]->link.state == LINK_OPEN ? link_waiting(&n->peer[i]->link) : 0;
		behind = waiting > behind ? waiting : behind;
	}
	if (n->upstream && n->upstream->link.state == LINK_GREETED)
		return STATE_GREETING;
	if (n->upstream ? n->upstream->link.state != LINK_OPEN : !open)
		return STATE_ALONE;
	return behind >= DRAINING_LEAST ? STATE_DRAINING : behind ? STATE_BACKLOG : STATE_IDLE;
}

bool is_share_spent(const struct site *s)
{
	const struct node *n = s->node;
	for (uint32_t number = 1; n && number <= journal_line_count(n->journal); number++)
		if (share_is_spent(n, journal_line(n->journal, number)))
			return true;
	return false;
}

bool has_told_all(const struct site *s)
{
	return s->node && !atomic_load(&s->node->waiting_up);
}

bool is_returning(const struct site *s)
{
	return s->node && atomic_load(&s->node->shows_returning);
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

/* What the engines of a site still wait for: the first question when something does not drain. */
void lanes_tell(const struct site *s, FILE *to)
{
	const struct node *n = s->node;
	size_t peers = n ? atomic_load(&n->peer_visible) : 0;
	if (n)
		fprintf(to, "  %s: its map is %u %% full\n", s->name, atomic_load(&n->percent));
	for (size_t i = 0; i < peers; i++) {
		const struct peer *p = n->peer[i];
		for (size_t k = 0; k < p->link.out_count; k++) {
			const struct link_out *out = &p->link.out[k];
			const struct line *l = journal_line(n->journal, out->line);
			if (out->acked >= out->head && l->custody >= l->ordinal)
				continue;
			fprintf(to,
			        "  %s to %s, stream %d of %016llx: head %llu, sent %llu, acked %llu, custody %llu, "
			        "trimmed %llu%s%s\n",
			        s->name, p->place, (int)l->key.stream, (unsigned long long)l->key.origin,
			        (unsigned long long)out->head, (unsigned long long)out->sent,
			        (unsigned long long)out->acked, (unsigned long long)l->custody,
			        (unsigned long long)l->trimmed, out->is_started ? "" : ", not started",
			        out->is_frozen ? ", frozen" : "");
		}
	}
}
