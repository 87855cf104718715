/*
 * The engines: what frames and commits mean to them, and carrying out what they want. Writer thread only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "links.h"

#define REFUSED_EVERY_MS 1000

uint64_t link_now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

bool line_flows_to(const struct node *n, const struct line *l, const struct peer *p)
{
	switch (l->key.stream) {
	case LM__STREAM__STREAM_UP:
	case LM__STREAM__STREAM_PARTS:
		return p->is_upstream;
	case LM__STREAM__STREAM_ALL:
		return !p->is_upstream;
	case LM__STREAM__STREAM_DOWN:
		return !p->is_upstream && l->key.receiver == p->device && l->key.origin == n->domain.device;
	default:
		return false;
	}
}

uint64_t line_unsent(const struct node *n, const struct line *l)
{
	return n->upstream && line_flows_to(n, l, n->upstream) ? l->ordinal - l->custody : 0;
}

static void link_told_open(struct node *n, struct peer *p)
{
	p->heard_ms = clock_wall_ms();
	atomic_store(&p->since_ms, p->heard_ms);
	atomic_store(&p->session, p->link.session);
	n->must_tell_links = true;
	log_write(LOG_INFO, "link-up", "link with %s is up", p->place);
	if (p->is_upstream)
		return;
	if (n->domain.tier == LM__TIER__TIER_DISTRICT) {
		frame_signed_marks(n, p, true);
		return;
	}
	struct line_key up = { p->device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	if (l && l->final) {
		p->marks_due_count = 0;
		if (!p->marks_due_capacity && (p->marks_due = malloc(sizeof *p->marks_due)))
			p->marks_due_capacity = 1;
		if (p->marks_due_capacity)
			p->marks_due[p->marks_due_count++] = l->number;
	}
	frame_forward_marks(n, p);
}

static void link_told_closed(struct node *n, struct peer *p)
{
	atomic_store(&p->since_ms, clock_wall_ms());
	atomic_store(&p->session, 0);
	p->report_count = 0;
	neighbour_clock_forget(p);
	if (n->domain.tier == LM__TIER__TIER_DISTRICT)
		arrival_town_lost(n, p);
	n->must_tell_links = true;
	log_write(LOG_INFO, "link-down", "link with %s is down", p->place);
}

static struct link_event action_send(struct node *n, struct peer *p, const struct link_action *a)
{
	uint64_t through = a->ordinal - 1;
	uint32_t bytes = 0;
	frame_batch(n, p, a, &through, &bytes);
	return (struct link_event){
		.type = LINK_SENT, .now_ms = link_now_ms(), .line = a->line, .ordinal = through, .bytes = bytes
	};
}

static void reconnect(struct node *n, struct peer *p)
{
	struct out *o = out_new(OUT_RECONNECT);
	p->must_reconnect = !o;
	outbox_push(n, o);
}

static void action_do(struct node *n, struct peer *p, const struct link_action *a)
{
	switch (a->type) {
	case LINK_DO_HELLO:
		frame_hello(n, p);
		break;
	case LINK_DO_SEND: /* link_event_apply */
		break;
	case LINK_DO_ACK:
		frame_ack(n, p, a);
		break;
	case LINK_DO_BEAT:
		frame_beat(n, p);
		break;
	case LINK_DO_REFUSE:
		peer_refuse(n, p, ERR_VERSION, "the two sides speak no common version of the link");
		break;
	case LINK_DO_RECONNECT:
		reconnect(n, p);
		break;
	case LINK_DO_TELL_OPEN:
		link_told_open(n, p);
		break;
	case LINK_DO_TELL_CLOSED:
		link_told_closed(n, p);
		break;
	}
}

/* One event, then what it leads to. A message that was sent is an event again, which asks for the next message: a loop,
 * for there may be as many messages as credits. */
void link_event_apply(struct node *n, struct peer *p, const struct link_event *event)
{
	struct link_update update = { 0 };
	struct link_event next = *event;
	for (bool must_step = true; must_step;) {
		must_step = false;
		link_update_clear(&update);
		if (link_step(&p->link, &next, &update)) {
			log_write(LOG_WARN, "engine", "no memory for an event of the link with %s", p->place);
			p->has_lost_event = true;
		}
		for (size_t i = 0; i < update.count; i++) {
			if (update.action[i].type != LINK_DO_SEND) {
				action_do(n, p, &update.action[i]);
				continue;
			}
			next = action_send(n, p, &update.action[i]); /* at most one a step */
			must_step = true;
		}
	}
	link_update_release(&update);
}

void link_event_line(struct node *n, struct peer *p, enum link_event_type type, uint32_t line, uint64_t ordinal)
{
	struct link_event ev = { .type = type, .now_ms = link_now_ms(), .line = line, .ordinal = ordinal };
	link_event_apply(n, p, &ev);
}

void link_send_line(struct node *n, struct peer *p, const struct line *l)
{
	struct link_event ev = { .type = LINK_SEND_LINE,
		                 .now_ms = link_now_ms(),
		                 .line = l->number,
		                 .ordinal = l->ordinal,
		                 .flag = l->key.stream == LM__STREAM__STREAM_PARTS };
	link_event_apply(n, p, &ev);
}

struct line_key line_key_of(const Lm__StreamKey *k)
{
	return (struct line_key){ k->origin, k->stream, k->receiver };
}

void upstream_said(struct node *n, const char *code, const char *text)
{
	pthread_mutex_lock(&n->directory_lock);
	snprintf(n->upstream_state.code, sizeof n->upstream_state.code, "%s", code);
	snprintf(n->upstream_state.text, sizeof n->upstream_state.text, "%s", text);
	pthread_mutex_unlock(&n->directory_lock);
	n->must_tell_links = true;
}

/* ---- frames ---- */

static void refuse_came(struct node *n, struct peer *p, const Lm__Refuse *refuse)
{
	log_write(LOG_WARN, "link-refused", "%s: %s", p->place, refuse->text);
	if (p->is_upstream) {
		upstream_said(n, refuse->code, refuse->text);
		reconnect(n, p);
	}
	link_event_line(n, p, LINK_REFUSED, 0, 0);
}

void peer_refuse(struct node *n, struct peer *p, int code, const char *text)
{
	uint64_t now = link_now_ms();
	if (p->link.state != LINK_OPEN && p->refused_ms && now - p->refused_ms < REFUSED_EVERY_MS)
		return; /* it was told just now; who does not listen fills neither log nor line */
	p->refused_ms = now;
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Refuse refuse = LM__REFUSE__INIT;
	refuse.code = (char *)(uintptr_t)error_name(code);
	refuse.text = (char *)(uintptr_t)text;
	frame.body_case = LM__FRAME__BODY_REFUSE;
	frame.refuse = &refuse;
	frame.session = p->link.session;
	log_write(LOG_WARN, "refused", "%s", text);
	frame_send(n, p, &frame);
	if (p->is_upstream) /* a client begins anew; nobody else would */
		outbox_push(n, out_new(OUT_RECONNECT));
	link_event_line(n, p, LINK_REFUSED, 0, 0);
}

/* A frame that the checks refused. A wrong signature stops that origin until its next session; what cannot be read at
 * all is answered, so that the other side knows why nothing is acked. */
static void fault_came(struct node *n, struct work *w)
{
	struct peer *p = w->peer;
	char text[ERROR_TEXT_BYTES + 64];
	enum error_group group = error_group_of(w->fault);
	if (w->frame && w->frame->body_case == LM__FRAME__BODY_BATCH && w->frame->session != p->link.session)
		return; /* of a session that is over */
	if (w->fault == ERR_NOT_READY) {
		log_write(LOG_DEBUG, "not-yet", "from %s: %s", p->place, w->error.text);
		return;
	}
	if (group == ERROR_GROUP_LATER || group == ERROR_GROUP_FULL || group == ERROR_GROUP_INTERNAL) {
		log_write(LOG_ERROR, "frame-lost", "a frame of %s could not be checked: %s", p->place, w->error.text);
		return; /* our fault, not the sender's: it comes again */
	}
	snprintf(text, sizeof text, "%s refuses a frame of %s: %s", n->domain.place, p->place, w->error.text);
	if (!p->refused_ms || link_now_ms() - p->refused_ms >= REFUSED_EVERY_MS)
		log_write(w->fault == ERR_BAD_SIGNATURE ? LOG_ERROR : LOG_WARN, "frame-refused", "%s", text);
	p->refused_ms = link_now_ms();
	bool is_batch = w->frame && w->frame->body_case == LM__FRAME__BODY_BATCH && w->frame->batch->key;
	if (!is_batch) {
		if (p->link.state == LINK_OPEN)
			peer_refuse(n, p, w->fault, text);
		return;
	}
	Lm__AckLine line = LM__ACK_LINE__INIT;
	Lm__Position at = LM__POSITION__INIT;
	at.key = w->frame->batch->key;
	line.at = &at;
	line.state = LM__ACK_STATE__ACK_STATE_FROZEN;
	line.why = text;
	ack_line_send(n, p, &line);
}

void links_frame(struct node *n, struct work *w)
{
	struct peer *p = w->peer;
	work_read(w);
	p->heard_ms = clock_wall_ms();
	if (w->fault) {
		fault_came(n, w);
		return;
	}
	const Lm__Frame *frame = w->frame;
	if (frame->body_case == LM__FRAME__BODY_HELLO) {
		hello_came(n, p, frame);
		return;
	}
	if (frame->body_case == LM__FRAME__BODY_REFUSE) {
		refuse_came(n, p, frame->refuse);
		return;
	}
	if (p->link.state != LINK_OPEN || frame->session != p->link.session) {
		w->is_dropped = true; /* of a session that is over */
		/* A client that still believes in an old session would wait in vain: tell it. */
		if (!p->is_upstream && p->link.state != LINK_OPEN)
			peer_refuse(n, p, ERR_AGAIN, "this session is over; greet again");
		return;
	}
	bool is_beat = frame->body_case == LM__FRAME__BODY_BEAT;
	struct link_event heard = { .type = LINK_HEARD,
		                    .now_ms = link_now_ms(),
		                    .flag = is_beat,
		                    .ordinal = is_beat ? frame->beat->waiting : 0 };
	link_event_apply(n, p, &heard);
	if (frame->body_case == LM__FRAME__BODY_ACK)
		for (size_t i = 0; i < frame->ack->n_lines; i++)
			ack_line_came(n, p, frame->ack->lines[i]);
	else if (frame->body_case == LM__FRAME__BODY_MARKS && p->is_upstream)
		marks_came(n, frame->marks, JOURNAL_FINAL);
	else if (frame->body_case == LM__FRAME__BODY_SIGNED_MARKS)
		signed_marks_came(n, frame->signed_marks);
	else if (is_beat)
		beat_came(n, p, frame->beat);
}

void links_transport(struct node *n, struct work *w)
{
	struct link_event ev = { .type = w->is_up ? LINK_TRANSPORT_UP : LINK_TRANSPORT_DOWN, .now_ms = link_now_ms() };
	link_event_apply(n, w->peer, &ev);
}

/* ---- after a commit ---- */

void batch_tell(struct node *n, struct work *w, enum link_event_type type, uint32_t line)
{
	const struct line *l = journal_line(n->journal, line);
	struct peer *p = w->peer;
	if (!l)
		return;
	link_event_line(n, p, LINK_TAKE_LINE, line, 0);
	link_event_line(n, p, type, line, type == LINK_STORED ? l->ordinal : 0);
}

static void line_moved(struct node *n, const struct line *l, struct peer *p)
{
	if (!line_flows_to(n, l, p))
		return;
	const struct link_out *out = link_out_find(&p->link, l->number);
	if (!out) {
		link_send_line(n, p, l);
		if (p->link.state == LINK_OPEN) /* it was not in the HELLO: the neighbour has nothing of it */
			link_event_line(n, p, LINK_PEER_AT, l->number, l->trimmed);
	} else {
		/* The district has signed for what is trimmed: that the neighbour took it was never heard. */
		bool is_behind = out->is_started && out->acked < l->trimmed;
		if (l->custody < l->trimmed)
			stored_note(n, p, l->number, l->trimmed);
		link_event_line(n, p, LINK_LINE_MOVED, l->number, l->ordinal);
		if (is_behind)
			link_event_line(n, p, LINK_PEER_AT, l->number, l->trimmed);
	}
}

void links_after_commit(struct node *n)
{
	const uint32_t *numbers;
	size_t count = journal_turn_lines(n->journal, &numbers), peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < peers; k++)
			line_moved(n, journal_line(n->journal, numbers[i]), n->peer[k]);
	n->has_marks_to_sign |= count && n->domain.tier == LM__TIER__TIER_DISTRICT;
}

uint64_t links_due_us(const struct node *n)
{
	size_t peers = atomic_load(&n->peer_visible);
	uint64_t due_us = UINT64_MAX;
	for (size_t i = 0; i < peers; i++) {
		uint64_t due_ms = link_due_ms(&n->peer[i]->link);
		if (due_ms < due_us / 1000)
			due_us = due_ms * 1000;
	}
	uint64_t sign_us = n->marks_signed_us + MARKS_SIGN_MS * 1000;
	return n->has_marks_to_sign && sign_us < due_us ? sign_us : due_us;
}

static void links_offer(struct node *n)
{
	size_t peers = atomic_load(&n->peer_visible);
	n->must_offer = false;
	for (size_t i = 0; i < peers; i++)
		link_event_line(n, n->peer[i], LINK_OFFER, 0, 0);
}

/* What the engine did not hear may never be said again within this session. */
static void lost_event_mend(struct node *n, struct peer *p)
{
	p->has_lost_event = false;
	if (!p->is_upstream) {
		peer_refuse(n, p, ERR_AGAIN, "this session is over; greet again");
		return;
	}
	reconnect(n, p);
	link_event_line(n, p, LINK_REFUSED, 0, 0);
}

void links_tick(struct node *n)
{
	if (n->must_offer)
		links_offer(n);
	size_t peers = atomic_load(&n->peer_visible);
	uint64_t now = clock_monotonic_us();
	bool may_sign = n->has_marks_to_sign && now - n->marks_signed_us >= MARKS_SIGN_MS * 1000;
	for (size_t i = 0; i < peers; i++) {
		struct peer *p = n->peer[i];
		arena_reset(&n->send_arena);
		if (p->has_lost_event)
			lost_event_mend(n, p);
		if (p->must_reconnect)
			reconnect(n, p);
		struct link_event tick = { .type = LINK_TICK,
			                   .now_ms = link_now_ms(),
			                   .flag = atomic_load(&p->unread) > 0 };
		link_event_apply(n, p, &tick);
		arrival_acked(n, p);
		if (p->marks_due_count && p->link.state == LINK_OPEN)
			frame_marks(n, p);
		if (may_sign && !p->is_upstream && p->link.state == LINK_OPEN)
			frame_signed_marks(n, p, false);
		struct directory_row row;
		if (!p->is_upstream && p->link.state == LINK_OPEN && !directory_find(n, p->curve_key, &row) &&
		    row.is_revoked) {
			char text[260];
			snprintf(text, sizeof text, "%.20s refuses this key: %s", n->domain.place, row.why);
			peer_refuse(n, p, ERR_REVOKED, text);
		}
	}
	if (may_sign) {
		n->marks_signed_us = now;
		n->has_marks_to_sign = false;
	}
}
