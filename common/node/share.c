/*
 * What one device below may fill of the store. Entries of a device that has used its share up are not taken any more:
 * it is told why with its acks, and keeps them; what it sent before stands, and all others go on. Known positions are
 * acked as ever. Once the share or the map is larger (a new start), its link offers again what was refused.
 */
#include "base/log.h"
#include "links.h"

#define SHARE_SAID_MS 60000 /* of one device; its link offers again as often */

uint64_t share_bytes(const struct node *n)
{
	return (uint64_t)n->config.map_bytes / 100 * (uint64_t)n->config.origin_share;
}

uint64_t share_used(const struct node *n, uint64_t device)
{
	struct line_key up = { device, LM__STREAM__STREAM_UP, 0 }, parts = { device, LM__STREAM__STREAM_PARTS, 0 };
	const struct line *a = journal_line_find(n->journal, &up), *b = journal_line_find(n->journal, &parts);
	return (a ? a->bytes : 0) + (b ? b->bytes : 0);
}

bool share_is_spent(const struct node *n, const struct line *l)
{
	return stream_is_up(l->key.stream) && l->key.origin != n->domain.device &&
	       share_used(n, l->key.origin) >= share_bytes(n);
}

bool share_refuses(struct turn *t, const struct work *w, size_t i)
{
	const Lm__Header *h = w->entries[i].header;
	struct line_key key = { h->origin, h->stream, h->receiver };
	const struct line *l = journal_line_find(t->journal, &key);
	if (!l || w->peer->is_upstream || !share_is_spent(t->node, l))
		return false;
	bool is_known = h->incarnation == l->incarnation && h->seq <= l->seq;
	return !is_known;
}

void share_why(const struct node *n, const struct line *l, char *out, size_t size)
{
	struct directory_row row;
	if (!directory_device((struct node *)(uintptr_t)n, l->key.origin, &row))
		snprintf(row.place, sizeof row.place, "%016llx", (unsigned long long)l->key.origin);
	snprintf(out, size,
	         "%s has no room for more of %s: its entries fill the %lld %% of the store that one device may",
	         n->domain.place, row.place, (long long)n->config.origin_share);
}

void share_tell(struct node *n, struct peer *p, const struct line *l)
{
	char why[SHARE_WHY_BYTES];
	uint64_t now = link_now_ms();
	n->must_tell_links = true;
	if (p->share_line == l->number && now - p->share_said_ms < SHARE_SAID_MS)
		return;
	p->share_line = l->number;
	p->share_said_ms = now;
	share_why(n, l, why, sizeof why);
	log_write(LOG_ERROR, "share", "%s", why);
}
