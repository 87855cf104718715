/*
 * How far each terminal has taken the `all` of the tier that publishes. A terminal acks to its town: of the town's own
 * the town keeps that, of the district's it tells the hub with its beats, and the hub keeps the newest word of each.
 * Nothing of it is stored: after a start they say "not heard yet" until terminals or towns have spoken.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"
#include "node/publication.h"

struct arrival {
	uint64_t device;
	bool is_heard;
	uint64_t ordinal;
	bool is_up;
	int64_t since_ms;
};

static struct arrival *arrival_of(struct node *n, uint64_t device)
{
	for (size_t i = 0; i < n->arrival_count; i++)
		if (n->arrivals[i].device == device)
			return &n->arrivals[i];
	return NULL;
}

static struct arrival *arrival_make(struct node *n, uint64_t device)
{
	if (n->arrival_count == n->arrival_capacity) {
		size_t capacity = n->arrival_capacity ? 2 * n->arrival_capacity : 64;
		struct arrival *grown = realloc(n->arrivals, capacity * sizeof *grown);
		if (!grown)
			return NULL; /* the next beat says it again */
		n->arrivals = grown;
		n->arrival_capacity = capacity;
	}
	struct arrival *a = &n->arrivals[n->arrival_count++];
	*a = (struct arrival){ .device = device };
	return a;
}

static void arrival_put(struct node *n, uint64_t device, const struct arrival *now)
{
	pthread_mutex_lock(&n->directory_lock);
	struct arrival *a = arrival_of(n, device);
	a = a ? a : arrival_make(n, device);
	if (a) {
		bool is_further = now->is_heard && (!a->is_heard || a->ordinal != now->ordinal);
		if (a->is_up != now->is_up || is_further)
			atomic_fetch_add(&n->arrival_moves, 1);
		a->is_up = now->is_up;
		a->since_ms = now->since_ms;
		a->is_heard |= now->is_heard;
		a->ordinal = now->is_heard ? now->ordinal : a->ordinal; /* who has just started has not asked yet */
	}
	pthread_mutex_unlock(&n->directory_lock);
}

static const struct line *own_all(const struct node *n)
{
	struct line_key key = { n->domain.device, LM__STREAM__STREAM_ALL, 0 };
	return journal_line_find(n->journal, &key);
}

/* Which ordinal of ours a report means; false: none, or not one of ours. */
static bool ordinal_of(struct node *n, const Lm__LinkReport *r, uint64_t *ordinal)
{
	const struct line *l = own_all(n);
	return l && r->all_seq && !line_ordinal(n, l->number, r->all_incarnation, r->all_seq, ordinal);
}

void arrival_reported(struct node *n, const struct peer *town, const Lm__LinkReport *r)
{
	struct directory_row row;
	uint64_t ordinal = 0;
	/* A town speaks for its own terminals only. */
	if (!directory_device(n, r->device, &row) || row.is_revoked || row.role != LM__TIER__TIER_TERMINAL ||
	    !place_contains(town->place, row.place))
		return;
	bool is_heard = ordinal_of(n, r, &ordinal);
	arrival_put(n, r->device,
	            &(struct arrival){
	                    .is_heard = is_heard, .ordinal = ordinal, .is_up = r->is_up, .since_ms = r->since_ms });
}

/* At a town, of its own `all`. */
void arrival_acked(struct node *n, const struct peer *p)
{
	const struct line *l = own_all(n);
	const struct link_out *out = l ? link_out_find(&p->link, l->number) : NULL;
	if (n->domain.tier == LM__TIER__TIER_TOWN && !p->is_upstream)
		arrival_put(n, p->device,
		            &(struct arrival){ .is_heard = out && out->is_started,
		                               .ordinal = out ? out->acked : 0,
		                               .is_up = p->link.state == LINK_OPEN,
		                               .since_ms = atomic_load(&p->since_ms) });
}

/* With a town its terminals are out of reach. */
void arrival_town_lost(struct node *n, const struct peer *town)
{
	int64_t now_ms = clock_wall_ms();
	for (size_t i = 0; i < n->arrival_count; i++) {
		struct directory_row row;
		if (!directory_device(n, n->arrivals[i].device, &row) || !place_contains(town->place, row.place))
			continue;
		pthread_mutex_lock(&n->directory_lock);
		if (n->arrivals[i].is_up)
			n->arrivals[i].since_ms = now_ms;
		n->arrivals[i].is_up = false;
		pthread_mutex_unlock(&n->directory_lock);
	}
	atomic_fetch_add(&n->arrival_moves, 1);
}

uint64_t node_sites_moved(const struct node *n)
{
	return atomic_load(&n->arrival_moves);
}

static int site_compare(const void *a, const void *b)
{
	return strcmp(((const struct site *)a)->place, ((const struct site *)b)->place);
}

int node_sites(struct node *n, struct arena *arena, struct site **out, size_t *count)
{
	*count = 0;
	pthread_mutex_lock(&n->directory_lock);
	struct site *list = arena_alloc(arena, (n->directory_count + 1) * sizeof *list);
	for (size_t i = 0; i < n->directory_count && list; i++) {
		const struct directory_row *row = &n->directory[i];
		if (row->role != LM__TIER__TIER_TERMINAL || row->is_revoked)
			continue;
		struct site *s = &list[(*count)++];
		const struct arrival *a = arrival_of(n, row->device);
		*s = (struct site){ .device = row->device };
		memcpy(s->place, row->place, sizeof s->place);
		if (!a)
			continue;
		s->is_heard = a->is_heard;
		s->ordinal = a->ordinal;
		s->is_up = a->is_up;
		s->since_ms = a->since_ms;
	}
	pthread_mutex_unlock(&n->directory_lock);
	if (!list)
		return ERR_MEMORY;
	qsort(list, *count, sizeof *list, site_compare);
	*out = list;
	return OK;
}

void arrival_count(const struct site *sites, size_t count, uint64_t ordinal, Lm__Arrival *out)
{
	lm__arrival__init(out);
	out->sites = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		out->heard += sites[i].is_heard;
		out->arrived += sites[i].is_heard && ordinal && sites[i].ordinal >= ordinal;
	}
}

/* ---- at a town: what it tells of the district's ---- */

void arrival_report(struct node *n, const struct peer *p, Lm__LinkReport *r)
{
	for (uint32_t number = 1; number <= journal_line_count(n->journal); number++) {
		const struct line *l = journal_line(n->journal, number);
		const struct link_out *out = link_out_find(&p->link, number);
		uint64_t incarnation = l->incarnation, seq = l->seq;
		if (l->key.stream != LM__STREAM__STREAM_ALL || l->key.origin == n->domain.device || !out || !out->acked)
			continue;
		if (out->acked != l->ordinal) {
			struct store_txn *txn = send_snapshot(n);
			if (!txn || journal_coordinates(txn, number, out->acked, &incarnation, &seq))
				return;
		}
		r->all_incarnation = incarnation;
		r->all_seq = seq;
		return;
	}
}
