/*
 * The engines: what frames and commits mean to them, and carrying out what they want. Writer thread only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define REFUSED_EVERY_MS 1000

static uint64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

bool line_flows_to(const struct node *n, const struct line *l, const struct peer *p)
{
	switch (l->key.stream) {
	case LM__STREAM__STREAM_UP:
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
		.type = LINK_SENT, .now_ms = now_ms(), .line = a->line, .ordinal = through, .bytes = bytes
	};
}

static void action_do(struct node *n, struct peer *p, const struct link_action *a)
{
	struct out *o;
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
		o = out_new(OUT_RECONNECT);
		outbox_push(n, o);
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
		if (link_step(&p->link, &next, &update))
			log_write(LOG_WARN, "engine", "no memory for an event of the link with %s", p->place);
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

static void event_line(struct node *n, struct peer *p, enum link_event_type type, uint32_t line, uint64_t ordinal)
{
	struct link_event ev = { .type = type, .now_ms = now_ms(), .line = line, .ordinal = ordinal };
	link_event_apply(n, p, &ev);
}

/* ---- marks ---- */

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
static void stored_note(struct node *n, const struct peer *p, uint32_t line, uint64_t ordinal)
{
	mark_raise(n, line, JOURNAL_CUSTODY, ordinal);
	if (p->is_upstream && p->role == LM__TIER__TIER_DISTRICT)
		mark_raise(n, line, JOURNAL_FINAL, ordinal);
}

/* ---- HELLO ---- */

static struct line_key key_of(const Lm__StreamKey *k)
{
	return (struct line_key){ k->origin, k->stream, k->receiver };
}

/* Where the neighbour stands in a line of ours: the newest of the positions it names that we know too. A position past
 * the end of an incarnation that we know (we were rolled back) counts as that end. */
static uint64_t peer_stands(struct node *n, const struct peer *p, const struct line *l, const Lm__Hello *hello)
{
	uint64_t ordinal = 0;
	for (size_t i = 0, named = 0; i < hello->n_have && named < HAVE_PER_LINE; i++) {
		const Lm__Position *at = hello->have[i];
		if (!at->key)
			continue;
		struct line_key key = key_of(at->key);
		if (key.origin != l->key.origin || key.stream != l->key.stream || key.receiver != l->key.receiver)
			continue;
		named++;
		if (!line_ordinal(n, l->number, at->incarnation, at->seq, &ordinal))
			break;
		ordinal = 0;
	}
	if (ordinal >= l->trimmed)
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
	if (!directory_device(n, p->device, &row) || row.is_revoked) {
		snprintf(text, sizeof text, "%.20s refuses this key: %.150s", n->domain.place,
		         row.is_revoked ? row.why : "it is not in the directory any more");
		peer_refuse(n, p, row.is_revoked ? ERR_REVOKED : ERR_UNKNOWN_KEY, text);
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

static void upstream_said(struct node *n, const char *code, const char *text)
{
	pthread_mutex_lock(&n->directory_lock);
	snprintf(n->upstream_state.code, sizeof n->upstream_state.code, "%s", code);
	snprintf(n->upstream_state.text, sizeof n->upstream_state.text, "%s", text);
	pthread_mutex_unlock(&n->directory_lock);
	n->must_tell_links = true;
}

static void hello_came(struct node *n, struct peer *p, const Lm__Frame *frame)
{
	const Lm__Hello *hello = frame->hello;
	uint64_t now = now_ms();
	if (!p->is_upstream && p->greeted_ms && now - p->greeted_ms < HELLO_LEAST_MS)
		return;
	p->greeted_ms = now;
	if (!hello_is_ours(n, p, hello))
		return;
	struct link_event ev = { .type = LINK_HELLO,
		                 .now_ms = now_ms(),
		                 .session = frame->session,
		                 .version_least = hello->version_least,
		                 .version_most = hello->version_most };
	if (!p->is_upstream && crypto_random(&ev.fresh_session, sizeof ev.fresh_session, NULL))
		return;
	for (uint32_t number = 1; number <= journal_line_count(n->journal); number++)
		if (line_flows_to(n, journal_line(n->journal, number), p))
			event_line(n, p, LINK_SEND_LINE, number, journal_line(n->journal, number)->ordinal);
	link_event_apply(n, p, &ev);
	if (p->link.state != LINK_OPEN)
		return;
	snprintf(p->join_address, sizeof p->join_address, "%s", hello->join_address);
	if (p->is_upstream) /* what it once refused is over, also when the link goes down again */
		upstream_said(n, "", "");
	for (uint32_t number = 1; number <= journal_line_count(n->journal); number++) {
		const struct line *l = journal_line(n->journal, number);
		if (!line_flows_to(n, l, p))
			continue;
		/* Marks reach the store later than acks come in: what was not written before we died is told anew here.
		 */
		uint64_t at = peer_stands(n, p, l, hello);
		stored_note(n, p, number, at);
		event_line(n, p, LINK_PEER_AT, number, at);
	}
}

/* ---- acks, and marks of the district ---- */

static void quarantine_tell(const struct peer *p, const Lm__AckLine *ack)
{
	for (size_t i = 0; i < ack->n_quarantined; i++)
		log_write(LOG_WARN, "quarantined", "%s put entry %llu of incarnation %016llx into quarantine", p->place,
		          (unsigned long long)ack->quarantined[i], (unsigned long long)ack->at->incarnation);
}

/* Of what we write ourselves: then nothing new that is taken here gets anywhere. */
static void frozen_note(struct node *n, const struct peer *p, const struct line *l, bool is_frozen, const char *why)
{
	struct upstream_state *u = &n->upstream_state;
	bool is_ours = l->key.origin == n->domain.device && l->key.stream == LM__STREAM__STREAM_UP;
	if (!p->is_upstream || !is_ours || u->is_frozen == is_frozen) /* only this thread changes it */
		return;
	pthread_mutex_lock(&n->directory_lock);
	u->is_frozen = is_frozen;
	snprintf(u->frozen_why, sizeof u->frozen_why, "%s", why);
	pthread_mutex_unlock(&n->directory_lock);
	n->must_tell_links = true;
}

static void ack_line_came(struct node *n, struct peer *p, const Lm__AckLine *ack)
{
	if (!ack->at || !ack->at->key)
		return;
	struct line_key key = key_of(ack->at->key);
	const struct line *l = journal_line_find(n->journal, &key);
	if (!l || !line_flows_to(n, l, p))
		return;
	/* Before the position, which may be one of the other history. */
	if (ack->state == LM__ACK_STATE__ACK_STATE_FROZEN) {
		log_write(LOG_ERROR, "frozen", "%s takes no more of our stream %d: %s", p->place, (int)key.stream,
		          ack->why);
		event_line(n, p, LINK_PEER_FROZE, l->number, 0);
		frozen_note(n, p, l, true, ack->why);
		return;
	}
	uint64_t ordinal = 0;
	if (ack->at->seq && line_ordinal(n, l->number, ack->at->incarnation, ack->at->seq, &ordinal))
		return; /* a position that we do not know: HELLO settles it */
	frozen_note(n, p, l, false, "");
	quarantine_tell(p, ack);
	stored_note(n, p, l->number, ordinal);
	struct link_event ev = { .type = ack->state == LM__ACK_STATE__ACK_STATE_EXPECTED ? LINK_PEER_AT : LINK_ACKED,
		                 .now_ms = now_ms(),
		                 .line = l->number,
		                 .ordinal = ordinal > l->trimmed ? ordinal : l->trimmed,
		                 .credit_entries = ack->credit_entries,
		                 .credit_bytes = ack->credit_bytes };
	link_event_apply(n, p, &ev);
}

static void marks_came(struct node *n, const Lm__Marks *marks, enum journal_mark mark)
{
	for (size_t i = 0; i < marks->n_marks; i++) {
		const Lm__Position *at = marks->marks[i]->at;
		uint64_t ordinal;
		if (!at || !at->key || marks->marks[i]->level != LM__MARK_LEVEL__MARK_LEVEL_FINAL)
			continue;
		struct line_key key = key_of(at->key);
		const struct line *l = journal_line_find(n->journal, &key);
		if (!l || key.origin != n->domain.device || key.stream != LM__STREAM__STREAM_UP ||
		    line_ordinal(n, l->number, at->incarnation, at->seq, &ordinal))
			continue;
		mark_raise(n, l->number, JOURNAL_FINAL, ordinal);
		if (mark == JOURNAL_SIGNED_FINAL)
			mark_raise(n, l->number, JOURNAL_SIGNED_FINAL, ordinal);
	}
}

/* A town keeps the newest for each of its terminals and sends it on; each node takes what is its own. */
static void signed_marks_came(struct node *n, const Lm__SignedMarks *body)
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
		if (codec_pack_append(&body->base, &p->signed_marks, NULL))
			buffer_clear(&p->signed_marks);
		else if (p->link.state == LINK_OPEN)
			frame_forward_marks(n, p);
	}
}

/* ---- other frames ---- */

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
	if (beat_knows(n, l, beat->final) < l->final)
		mark_due(n, l->number);
	if (beat_knows(n, l, beat->signed_final) < l->final)
		frame_forward_marks(n, p);
}

static void beat_came(struct node *n, struct peer *p, const Lm__Beat *beat)
{
	arena_reset(&n->send_arena);
	marks_heal(n, p, beat);
	p->report_count = 0;
	for (size_t i = 0; i < beat->n_links && i < REPORTS_MOST; i++) {
		Lm__LinkReport *r = &p->reports[p->report_count++];
		*r = *beat->links[i];
		r->base.n_unknown_fields = 0; /* they lie in the frame's memory */
		r->base.unknown_fields = NULL;
		if (n->domain.tier == LM__TIER__TIER_DISTRICT)
			arrival_reported(n, p, r);
	}
}

static void refuse_came(struct node *n, struct peer *p, const Lm__Refuse *refuse)
{
	log_write(LOG_WARN, "link-refused", "%s: %s", p->place, refuse->text);
	if (p->is_upstream) {
		upstream_said(n, refuse->code, refuse->text);
		outbox_push(n, out_new(OUT_RECONNECT));
	}
	event_line(n, p, LINK_REFUSED, 0, 0);
}

void peer_refuse(struct node *n, struct peer *p, int code, const char *text)
{
	uint64_t now = now_ms();
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
	event_line(n, p, LINK_REFUSED, 0, 0);
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
	if (!p->refused_ms || now_ms() - p->refused_ms >= REFUSED_EVERY_MS)
		log_write(w->fault == ERR_BAD_SIGNATURE ? LOG_ERROR : LOG_WARN, "frame-refused", "%s", text);
	p->refused_ms = now_ms();
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
	struct link_event heard = {
		.type = LINK_HEARD, .now_ms = now_ms(), .flag = is_beat, .ordinal = is_beat ? frame->beat->waiting : 0
	};
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
	struct link_event ev = { .type = w->is_up ? LINK_TRANSPORT_UP : LINK_TRANSPORT_DOWN, .now_ms = now_ms() };
	link_event_apply(n, w->peer, &ev);
}

/* ---- after a commit ---- */

void batch_tell(struct node *n, struct work *w, enum link_event_type type, uint32_t line)
{
	const struct line *l = journal_line(n->journal, line);
	struct peer *p = w->peer;
	if (!l)
		return;
	event_line(n, p, LINK_TAKE_LINE, line, 0);
	event_line(n, p, type, line, type == LINK_STORED ? l->ordinal : 0);
}

static void line_moved(struct node *n, const struct line *l, struct peer *p)
{
	if (!line_flows_to(n, l, p))
		return;
	bool is_new = !link_out_find(&p->link, l->number);
	if (is_new) {
		event_line(n, p, LINK_SEND_LINE, l->number, l->ordinal);
		if (p->link.state == LINK_OPEN) /* it was not in the HELLO: the neighbour has nothing of it */
			event_line(n, p, LINK_PEER_AT, l->number, l->trimmed);
	} else {
		event_line(n, p, LINK_LINE_MOVED, l->number, l->ordinal);
	}
}

void links_after_commit(struct node *n)
{
	const uint32_t *numbers;
	size_t count = journal_turn_lines(n->journal, &numbers), peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < peers; k++)
			line_moved(n, journal_line(n->journal, numbers[i]), n->peer[k]);
}

void links_tick(struct node *n)
{
	size_t peers = atomic_load(&n->peer_visible);
	uint64_t now = clock_monotonic_us();
	bool may_sign = n->domain.tier == LM__TIER__TIER_DISTRICT && now - n->marks_signed_us >= MARKS_SIGN_MS * 1000;
	for (size_t i = 0; i < peers; i++) {
		struct peer *p = n->peer[i];
		arena_reset(&n->send_arena);
		event_line(n, p, LINK_TICK, 0, 0);
		if (p->marks_due_count && p->link.state == LINK_OPEN)
			frame_marks(n, p);
		if (may_sign && !p->is_upstream && p->link.state == LINK_OPEN)
			frame_signed_marks(n, p, false);
		struct directory_row row;
		if (!p->is_upstream && p->link.state == LINK_OPEN && directory_device(n, p->device, &row) &&
		    row.is_revoked) {
			char text[260];
			snprintf(text, sizeof text, "%.20s refuses this key: %s", n->domain.place, row.why);
			peer_refuse(n, p, ERR_REVOKED, text);
		}
	}
	if (may_sign)
		n->marks_signed_us = now;
}
