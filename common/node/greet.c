/*
 * HELLO: who greets, whether it belongs here, and where both sides stand. Writer thread only.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "links.h"

/* The newest that a neighbour has of a line of ours is unknown here. */
static bool is_behind(struct node *n, const struct line *l, const Lm__Position *newest)
{
	uint64_t ordinal, incarnation = 0, seq = 0;
	struct store_txn *txn = send_snapshot(n);
	int result = line_ordinal(n, l->number, newest->incarnation, newest->seq, &ordinal);
	if (!result && txn)
		result = journal_coordinates(txn, l->number, ordinal, &incarnation, &seq);
	if (error_is_of_machine(result) || !txn)
		return false; /* not knowing is no reason for an alarm */
	return result || incarnation != newest->incarnation || seq != newest->seq;
}

/* A terminal goes on as it is, and nobody below a town is believed such a thing. */
static void behind_tell(struct node *n, const struct peer *p, const struct line *l, const Lm__Position *newest)
{
	bool matters =
	        n->domain.tier == LM__TIER__TIER_DISTRICT || (n->domain.tier == LM__TIER__TIER_TOWN && p->is_upstream);
	if (!matters || n->has_told_behind || n->was_returning || l->key.origin != n->domain.device ||
	    !is_behind(n, l, newest))
		return;
	n->has_told_behind = true;
	log_write(
	        LOG_ERROR, "put-back",
	        "%s has entries of ours that are unknown here: this disk was put back to an earlier image, or a second "
	        "machine has its keys. Stop this daemon before more is decided here; lmctl help return begin says how "
	        "it "
	        "gets them back",
	        p->place);
}

/* Where the neighbour stands in a line of ours: the furthest of the positions it names that we know too, for who has an
 * entry has what it continues. A position past the end of an incarnation that we know (we were rolled back, or another
 * copy of us went on) counts as that end. *is_short: what it needs next is trimmed here. */
static uint64_t peer_stands(struct node *n, struct peer *p, const struct line *l, const Lm__Hello *hello,
                            bool *is_short)
{
	uint64_t ordinal = 0, found;
	int result = OK;
	for (size_t i = 0, named = 0; i < hello->n_have && named < HAVE_PER_LINE; i++) {
		const Lm__Position *at = hello->have[i];
		if (!at->key)
			continue;
		struct line_key key = line_key_of(at->key);
		if (key.origin != l->key.origin || key.stream != l->key.stream || key.receiver != l->key.receiver)
			continue;
		if (!named++)
			behind_tell(n, p, l, at);
		result = line_ordinal(n, l->number, at->incarnation, at->seq, &found);
		if (error_is_of_machine(result))
			break;
		if (!result && found > ordinal)
			ordinal = found;
	}
	*is_short = false;
	if (error_is_of_machine(result)) { /* not knowing is no reason for an alarm: a new session asks again */
		p->has_lost_event = true;
		return l->trimmed;
	}
	*is_short = ordinal < l->trimmed;
	if (!*is_short)
		return ordinal;
	log_write(LOG_ERROR, "trimmed",
	          "%s has entries of this stream up to %llu only, here they are trimmed up to %llu: it must be "
	          "restored from a newer copy before it can take more",
	          p->place, (unsigned long long)ordinal, (unsigned long long)l->trimmed);
	return l->trimmed;
}

static bool hello_is_ours(struct node *n, struct peer *p, const Lm__Hello *hello)
{
	char text[200];
	if (hello->authority_hash.len != HASH_BYTES ||
	    memcmp(hello->authority_hash.data, n->authority_hash.byte, HASH_BYTES) != 0) {
		snprintf(
		        text, sizeof text,
		        "%.20s belongs to another district than %.20s: their configurations name different authorities",
		        n->domain.place, hello->place);
		peer_refuse(n, p, ERR_DENIED, text);
		return false;
	}
	if (p->is_upstream) {
		if (!p->device)
			p->device = hello->device;
		return true;
	}
	struct directory_row row;
	bool is_known = !directory_find(n, p->curve_key, &row);
	if (!is_known || row.is_revoked) {
		snprintf(text, sizeof text, "%.20s refuses this key: %.150s", n->domain.place,
		         is_known ? row.why : "it is not in the directory any more");
		peer_refuse(n, p, is_known ? ERR_REVOKED : ERR_UNKNOWN_KEY, text);
		return false;
	}
	if (hello->device != p->device) {
		snprintf(text, sizeof text, "%.20s: this key belongs to device %016llx, not %016llx", n->domain.place,
		         (unsigned long long)p->device, (unsigned long long)hello->device);
		peer_refuse(n, p, ERR_DENIED, text);
		return false;
	}
	return true;
}

/* Lines that were given back to a restored neighbour in an earlier session do not flow to it any more. */
static void lanes_leave(struct node *n, struct peer *p)
{
	for (uint32_t number = 1; p->wants_return && number <= journal_line_count(n->journal); number++) {
		const struct line *l = journal_line(n->journal, number);
		if (!line_flows_to(n, l, p) && line_returns_to(n, l, p))
			link_event_line(n, p, LINK_LEAVE_LINE, number, 0);
	}
}

static void lines_send(struct node *n, struct peer *p)
{
	for (uint32_t number = 1; number <= journal_line_count(n->journal); number++) {
		const struct line *l = journal_line(n->journal, number);
		if (line_flows_to(n, l, p) || line_returns_to(n, l, p))
			link_send_line(n, p, l);
	}
}

static void line_start(struct node *n, struct peer *p, const struct line *l, const Lm__Hello *hello)
{
	bool flows = line_flows_to(n, l, p), is_short;
	if (!flows && !line_returns_to(n, l, p))
		return;
	/* Marks reach the store later than acks come in: what was not written before we died is told anew here. */
	uint64_t at = peer_stands(n, p, l, hello, &is_short);
	if (flows)
		stored_note(n, p, l->number, at);
	if (!flows && is_short) /* what would come first is gone here: none of it can go back */
		link_event_line(n, p, LINK_LEAVE_LINE, l->number, 0);
	else
		link_event_line(n, p, LINK_PEER_AT, l->number, at);
}

void hello_came(struct node *n, struct peer *p, const Lm__Frame *frame)
{
	const Lm__Hello *hello = frame->hello;
	uint64_t now = link_now_ms();
	if (!p->is_upstream && p->greeted_ms && now - p->greeted_ms < HELLO_LEAST_MS)
		return;
	p->greeted_ms = now;
	if (!hello_is_ours(n, p, hello))
		return;
	struct link_event ev = { .type = LINK_HELLO,
		                 .now_ms = link_now_ms(),
		                 .session = frame->session,
		                 .version_least = hello->version_least,
		                 .version_most = hello->version_most,
		                 .beat_ms = hello->beat_ms < BEAT_MS_MOST ? hello->beat_ms : BEAT_MS_MOST };
	if (!p->is_upstream && crypto_random(&ev.fresh_session, sizeof ev.fresh_session, NULL))
		return;
	lanes_leave(n, p);
	p->wants_return = hello->wants_return;
	lines_send(n, p);
	link_event_apply(n, p, &ev);
	if (p->link.state != LINK_OPEN)
		return;
	history_run_note(p, hello->run);
	snprintf(p->join_address, sizeof p->join_address, "%s", hello->join_address);
	if (p->is_upstream) /* what it once refused is over, also when the link goes down again */
		upstream_said(n, "", "");
	for (uint32_t number = 1; number <= journal_line_count(n->journal); number++)
		line_start(n, p, journal_line(n->journal, number), hello);
	histories_tell(n, p);
}
