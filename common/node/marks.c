/*
 * How far our lines are: acks, the district's marks, and beats, by which marks that were lost are told again. Writer
 * thread only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "links.h"

static void mark_due(struct node *n, uint32_t line)
{
	const struct line *l = journal_line(n->journal, line);
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers; i++) {
		struct peer *p = n->peer[i];
		if (p->is_upstream || p->device != l->key.origin || p->link.state != LINK_OPEN)
			continue;
		for (size_t k = 0; k < p->marks_due_count; k++)
			if (p->marks_due[k] == line)
				return;
		if (p->marks_due_count == p->marks_due_capacity) {
			size_t capacity = p->marks_due_capacity + 4;
			uint32_t *grown = realloc(p->marks_due, capacity * sizeof *grown);
			if (!grown)
				return;
			p->marks_due = grown;
			p->marks_due_capacity = capacity;
		}
		p->marks_due[p->marks_due_count++] = line;
	}
}

static void own_marks_tell(struct node *n, const struct line *l)
{
	if (l->key.origin != n->domain.device || l->key.stream != LM__STREAM__STREAM_UP)
		return;
	atomic_store(&n->up_custody, l->custody);
	atomic_store(&n->up_final, l->final);
	struct out *o = out_new(OUT_MARKS);
	if (!o)
		return;
	o->line = *l;
	outbox_push(n, o);
}

static void mark_raise(struct node *n, uint32_t line, enum journal_mark mark, uint64_t ordinal)
{
	if (!journal_mark_raise(n->journal, line, mark, ordinal))
		return;
	own_marks_tell(n, journal_line(n->journal, line));
	if (mark == JOURNAL_FINAL)
		mark_due(n, line);
}

/* The neighbour has a line of ours up to here. */
void stored_note(struct node *n, const struct peer *p, uint32_t line, uint64_t ordinal)
{
	mark_raise(n, line, JOURNAL_CUSTODY, ordinal);
	if (p->is_upstream && p->role == LM__TIER__TIER_DISTRICT)
		mark_raise(n, line, JOURNAL_FINAL, ordinal);
}

/* ---- acks, and marks of the district ---- */

static void quarantine_tell(const struct peer *p, const Lm__AckLine *ack)
{
	for (size_t i = 0; i < ack->n_quarantined; i++)
		log_write(LOG_WARN, "quarantined", "%s put entry %llu of incarnation %016llx into quarantine", p->place,
		          (unsigned long long)ack->quarantined[i], (unsigned long long)ack->at->incarnation);
}

void ack_line_came(struct node *n, struct peer *p, const Lm__AckLine *ack)
{
	if (!ack->at || !ack->at->key)
		return;
	struct line_key key = line_key_of(ack->at->key);
	const struct line *l = journal_line_find(n->journal, &key);
	bool flows = l && line_flows_to(n, l, p);
	if (!l || (!flows && !line_returns_to(n, l, p)))
		return;
	/* Before the position, which may be one of the other history. */
	if (ack->state == LM__ACK_STATE__ACK_STATE_FROZEN) {
		log_write(LOG_ERROR, "frozen", "%s takes no more of our stream %d: %s", p->place, (int)key.stream,
		          ack->why);
		link_event_line(n, p, LINK_PEER_FROZE, l->number, 0);
		history_ack_came(n, p, l, ack);
		return;
	}
	uint64_t ordinal = 0;
	if (ack->at->seq && line_ordinal(n, l->number, ack->at->incarnation, ack->at->seq, &ordinal))
		return; /* a position that we do not know: HELLO settles it */
	history_taken(n, p, l);
	quarantine_tell(p, ack);
	if (flows)
		stored_note(n, p, l->number, ordinal);
	struct link_event ev = { .type = ack->state == LM__ACK_STATE__ACK_STATE_EXPECTED ? LINK_PEER_AT : LINK_ACKED,
		                 .now_ms = link_now_ms(),
		                 .line = l->number,
		                 .ordinal = ordinal > l->trimmed ? ordinal : l->trimmed,
		                 .credit_entries = ack->credit_entries,
		                 .credit_bytes = ack->credit_bytes };
	link_event_apply(n, p, &ev);
}

void marks_came(struct node *n, const Lm__Marks *marks, enum journal_mark mark)
{
	for (size_t i = 0; i < marks->n_marks; i++) {
		const Lm__Position *at = marks->marks[i]->at;
		uint64_t ordinal;
		bool is_safe =
		        marks->marks[i]->level == LM__MARK_LEVEL__MARK_LEVEL_SAFE && mark == JOURNAL_SIGNED_FINAL;
		if (!at || !at->key || (!is_safe && marks->marks[i]->level != LM__MARK_LEVEL__MARK_LEVEL_FINAL))
			continue;
		struct line_key key = line_key_of(at->key);
		const struct line *l = journal_line_find(n->journal, &key);
		if (!l || key.origin != n->domain.device || !stream_is_up(key.stream) ||
		    line_ordinal(n, l->number, at->incarnation, at->seq, &ordinal))
			continue;
		if (is_safe) {
			mark_raise(n, l->number, JOURNAL_SAFE, ordinal);
			continue;
		}
		mark_raise(n, l->number, JOURNAL_FINAL, ordinal);
		if (mark == JOURNAL_SIGNED_FINAL)
			mark_raise(n, l->number, JOURNAL_SIGNED_FINAL, ordinal);
	}
}

/* A town keeps the newest for each of its terminals and sends it on; each node takes what is its own. */
void signed_marks_came(struct node *n, const Lm__SignedMarks *body)
{
	Lm__Marks *marks;
	arena_reset(&n->send_arena);
	if (CODEC_UNPACK(lm__marks, codec_bytes(body->marks), &n->send_arena, &marks, NULL))
		return;
	marks_came(n, marks, JOURNAL_SIGNED_FINAL);
	n->signed_ms = marks->time_ms;
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers && n->domain.tier == LM__TIER__TIER_TOWN; i++) {
		struct peer *p = n->peer[i];
		bool is_named = false;
		for (size_t k = 0; k < marks->n_marks && !p->is_upstream; k++)
			is_named |= marks->marks[k]->at && marks->marks[k]->at->key &&
			            marks->marks[k]->at->key->origin == p->device;
		if (!is_named)
			continue;
		buffer_clear(&p->signed_marks);
		p->signed_marks_ms = marks->time_ms;
		if (codec_pack_append(&body->base, &p->signed_marks, NULL))
			buffer_clear(&p->signed_marks);
		else if (p->link.state == LINK_OPEN)
			frame_forward_marks(n, p);
	}
}

/* ---- beats ---- */

/* What a terminal says that it knows of its own entries, as an ordinal here. */
static uint64_t beat_knows(struct node *n, const struct line *l, const Lm__Position *at)
{
	uint64_t ordinal = 0;
	if (!at || !at->key || at->key->origin != l->key.origin || at->key->stream != l->key.stream)
		return 0;
	return line_ordinal(n, l->number, at->incarnation, at->seq, &ordinal) ? 0 : ordinal;
}

/* Marks that were lost on their way are told again. */
static void marks_heal(struct node *n, struct peer *p, const Lm__Beat *beat)
{
	if (p->is_upstream)
		return;
	if (n->domain.tier == LM__TIER__TIER_DISTRICT) {
		bool had_time = clock_monotonic_us() - p->signed_us > 2 * LINK_BEAT_MS * UINT64_C(1000);
		if (p->signed_ms != beat->signed_ms && had_time)
			frame_signed_marks(n, p, true);
		return;
	}
	struct line_key up = { p->device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	if (!l || !l->final)
		return;
	p->is_behind = beat_knows(n, l, beat->final) < l->final;
	if (p->is_behind) {
		p->behind_until = beat_knows(n, l, beat->newest);
		mark_due(n, l->number);
	}
	bool lacks_newest = p->signed_marks.size && beat->signed_ms != p->signed_marks_ms; /* it may be about parts */
	if (lacks_newest || beat_knows(n, l, beat->signed_final) < l->final)
		frame_forward_marks(n, p);
}

static void report_histories_note(struct peer *p, size_t at, const Lm__LinkReport *r)
{
	for (size_t i = 0; i < 2; i++)
		p->report_histories[at][i] =
		        r->n_histories == 2 ? (struct history){ r->histories[i]->incarnation, r->histories[i]->seq }
		                            : (struct history){ 0 };
}

void beat_came(struct node *n, struct peer *p, const Lm__Beat *beat)
{
	arena_reset(&n->send_arena);
	neighbour_clock_heard(n, p, beat->time_ms);
	marks_heal(n, p, beat);
	p->has_returned |= beat->has_returned;
	p->report_count = 0;
	for (size_t i = 0; i < beat->n_links && i < REPORTS_MOST; i++) {
		Lm__LinkReport *r = &p->reports[p->report_count++];
		*r = *beat->links[i];
		report_histories_note(p, p->report_count - 1, r);
		r->base.n_unknown_fields = 0; /* they lie in the frame's memory */
		r->base.unknown_fields = NULL;
		r->histories = NULL;
		r->n_histories = 0;
		if (n->domain.tier == LM__TIER__TIER_DISTRICT)
			arrival_reported(n, p, r);
	}
}
