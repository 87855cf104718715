/*
 * link_step: see sync/link.h for the state machine and the order of effects.
 */
#include "sync/link.h"

#include <stdlib.h>
#include <string.h>

#define STEP_ACTIONS_MOST 6 /* of one step, besides an ack for each line that is taken and for one that is new */

void link_init(struct link *l, enum link_side side, uint32_t beat_ms)
{
	memset(l, 0, sizeof *l);
	l->side = side;
	l->beat_ms = beat_ms;
	l->peer_beat_ms = LINK_BEAT_MS;
}

void link_release(struct link *l)
{
	free(l->out);
	free(l->in);
	memset(l, 0, sizeof *l);
}

void link_update_clear(struct link_update *u)
{
	u->count = 0;
}

void link_update_release(struct link_update *u)
{
	free(u->action);
	memset(u, 0, sizeof *u);
}

/* Events of one moment may come with clocks read in another order. */
static uint64_t since(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* Room for all that one step can want, before it begins: it is taken whole or not at all. */
static int update_reserve(struct link_update *u, size_t more)
{
	size_t capacity = u->capacity ? u->capacity : 16;
	while (capacity < u->count + more)
		capacity *= 2;
	if (capacity == u->capacity)
		return OK;
	struct link_action *grown = realloc(u->action, capacity * sizeof *grown);
	if (!grown)
		return ERR_MEMORY;
	u->action = grown;
	u->capacity = capacity;
	return OK;
}

static void update_add(struct link_update *u, struct link_action action)
{
	u->action[u->count++] = action;
}

static void update_tell(struct link_update *u, enum link_action_type type)
{
	update_add(u, (struct link_action){ .type = type });
}

static struct link_out *out_find(struct link *l, uint32_t line)
{
	for (size_t i = 0; i < l->out_count; i++)
		if (l->out[i].line == line)
			return &l->out[i];
	return NULL;
}

const struct link_out *link_out_find(const struct link *l, uint32_t line)
{
	return out_find((struct link *)(uintptr_t)l, line);
}

static struct link_in *in_find(struct link *l, uint32_t line)
{
	for (size_t i = 0; i < l->in_count; i++)
		if (l->in[i].line == line)
			return &l->in[i];
	return NULL;
}

static int out_add(struct link *l, const struct link_event *ev)
{
	struct link_out *out = out_find(l, ev->line);
	if (!out) {
		if (l->out_count == l->out_capacity) {
			size_t capacity = l->out_capacity ? l->out_capacity * 2 : 8;
			struct link_out *grown = realloc(l->out, capacity * sizeof *grown);
			if (!grown)
				return ERR_MEMORY;
			l->out = grown;
			l->out_capacity = capacity;
		}
		out = &l->out[l->out_count++];
		*out = (struct link_out){ .line = ev->line,
			                  .credit_entries = LINK_CREDIT_ENTRIES,
			                  .credit_bytes = LINK_CREDIT_BYTES };
	}
	out->is_last = ev->flag;
	if (ev->ordinal > out->head)
		out->head = ev->ordinal;
	return OK;
}

static void out_remove(struct link *l, uint32_t line)
{
	struct link_out *out = out_find(l, line);
	if (!out)
		return;
	*out = l->out[--l->out_count];
	l->out_turn = 0;
}

static int in_add(struct link *l, const struct link_event *ev)
{
	struct link_in *in = in_find(l, ev->line);
	if (!in) {
		if (l->in_count == l->in_capacity) {
			size_t capacity = l->in_capacity ? l->in_capacity * 2 : 8;
			struct link_in *grown = realloc(l->in, capacity * sizeof *grown);
			if (!grown)
				return ERR_MEMORY;
			l->in = grown;
			l->in_capacity = capacity;
		}
		in = &l->in[l->in_count++];
		*in = (struct link_in){ .line = ev->line, .stored = ev->ordinal, .acked = ev->ordinal };
	}
	if (ev->ordinal > in->stored)
		in->stored = ev->ordinal;
	return OK;
}

/* Nothing that was under way in an earlier session counts any more: positions come anew with HELLO. */
static void session_forget(struct link *l)
{
	for (size_t i = 0; i < l->out_count; i++) {
		l->out[i].is_started = false;
		l->out[i].is_frozen = false;
		l->out[i].restarted_ms = 0;
		l->out[i].sent = l->out[i].acked;
		l->out[i].bytes_under_way = 0;
		l->out[i].credit_entries = LINK_CREDIT_ENTRIES;
		l->out[i].credit_bytes = LINK_CREDIT_BYTES;
	}
	/* A line that stays frozen answers so again; one that an operator released goes on. */
	for (size_t i = 0; i < l->in_count; i++)
		l->in[i].is_frozen = l->in[i].is_expected = l->in[i].must_tell = false;
	l->session = 0;
	l->peer_waiting = l->stuck_ms = 0;
	l->is_send_asked = false;
}

static void link_close(struct link *l, const struct link_event *ev, struct link_update *u)
{
	bool was_open = l->state == LINK_OPEN;
	session_forget(l);
	if (was_open)
		l->since_ms = ev->now_ms;
	l->state = LINK_IDLE;
	if (was_open)
		update_tell(u, LINK_DO_TELL_CLOSED);
}

static void link_greet(struct link *l, const struct link_event *ev, struct link_update *u)
{
	link_close(l, ev, u);
	l->state = LINK_GREETED;
	l->greeted_ms = l->said_ms = ev->now_ms;
	update_tell(u, LINK_DO_HELLO);
}

static void link_open(struct link *l, const struct link_event *ev, struct link_update *u)
{
	if (ev->version_most < LINK_VERSION_LEAST || ev->version_least > LINK_VERSION_MOST) {
		update_tell(u, LINK_DO_REFUSE);
		return;
	}
	if (l->side == LINK_CLIENT && (l->state == LINK_IDLE || l->session == ev->session))
		return; /* an answer to a greeting that was given up, or the same answer again */
	link_close(l, ev, u);
	l->session = l->side == LINK_SERVER ? ev->fresh_session : ev->session;
	l->state = LINK_OPEN;
	l->peer_beat_ms = ev->beat_ms ? ev->beat_ms : LINK_BEAT_MS;
	l->since_ms = l->heard_ms = l->said_ms = ev->now_ms;
	if (l->side == LINK_SERVER) {
		for (size_t i = 0; i < l->in_count; i++)
			l->in[i].acked = l->in[i].stored; /* the HELLO that now leaves carries our positions */
		update_tell(u, LINK_DO_HELLO);
	}
	update_tell(u, LINK_DO_TELL_OPEN);
}

/* Nobody can have more than there is. */
static uint64_t out_claim(const struct link_out *out, uint64_t ordinal)
{
	return ordinal < out->head ? ordinal : out->head;
}

/* The neighbour says where it stands: send on from there. Behind one lost frame every further one that was under way
 * is answered by the same EXPECTED; only the first of them sends us back. True: what was sent is sent again. */
static bool out_start(struct link_out *out, const struct link_event *ev)
{
	uint64_t at = out_claim(out, ev->ordinal);
	bool is_echo = out->is_started && out->restarted_ms && at == out->acked &&
	               since(ev->now_ms, out->restarted_ms) < LINK_RESTART_MS;
	if (out->is_started && ev->credit_entries) { /* an EXPECTED ack grants as any other */
		out->credit_entries = ev->credit_entries;
		out->credit_bytes = ev->credit_bytes;
	}
	if (is_echo)
		return false;
	bool is_again = out->is_started && at < out->sent;
	out->restarted_ms = out->is_started ? ev->now_ms : 0;
	out->acked = out->sent = at;
	out->bytes_under_way = 0;
	out->is_started = true;
	out->progress_ms = ev->now_ms;
	return is_again;
}

static void out_ack(struct link_out *out, const struct link_event *ev)
{
	uint64_t at = out_claim(out, ev->ordinal);
	out->credit_entries = ev->credit_entries;
	out->credit_bytes = ev->credit_bytes;
	if (at <= out->acked || !out->is_started)
		return;
	uint64_t under_way = out->sent > out->acked ? out->sent - out->acked : 0;
	uint64_t newly = at - out->acked;
	/* Sizes of single entries are not kept: what is acked takes its share of the bytes under way. */
	if (newly >= under_way)
		out->bytes_under_way = 0;
	else
		out->bytes_under_way -= (uint32_t)(out->bytes_under_way * newly / under_way);
	out->acked = at;
	if (out->sent < out->acked)
		out->sent = out->acked;
	out->progress_ms = ev->now_ms;
}

static bool out_may_send(const struct link_out *out)
{
	return out->is_started && !out->is_frozen && out->sent < out->head &&
	       out->sent - out->acked < out->credit_entries && out->bytes_under_way < out->credit_bytes;
}

/* One entry of all lines that are sent last is under way at a time: whatever comes meanwhile waits for that one only.
 */
static bool is_last_under_way(const struct link *l)
{
	for (size_t i = 0; i < l->out_count; i++)
		if (l->out[i].is_last && !l->out[i].is_frozen && l->out[i].is_started &&
		    l->out[i].sent > l->out[i].acked)
			return true;
	return false;
}

/* Lines in turn; those that are sent last when no other may send. False: nothing may be sent. */
static bool out_next(const struct link *l, size_t *at)
{
	for (int is_last = 0; is_last < 2; is_last++) {
		if (is_last && is_last_under_way(l))
			return false;
		for (size_t i = 0; i < l->out_count; i++) {
			*at = (l->out_turn + i) % l->out_count;
			if (l->out[*at].is_last == (bool)is_last && out_may_send(&l->out[*at]))
				return true;
		}
	}
	return false;
}

/* One LINK_DO_SEND at most a step: the answer (LINK_SENT) asks for the next. */
static void link_pump(struct link *l, struct link_update *u)
{
	size_t at;
	if (l->state == LINK_OPEN && !l->is_send_asked && out_next(l, &at)) {
		const struct link_out *out = &l->out[at];
		l->out_turn = (at + 1) % l->out_count;
		l->is_send_asked = true;
		uint64_t entries = out->is_last ? 1 : out->credit_entries - (out->sent - out->acked);
		if (entries > LINK_BATCH_ENTRIES_MOST)
			entries = LINK_BATCH_ENTRIES_MOST;
		update_add(u, (struct link_action){ .type = LINK_DO_SEND,
		                                    .line = out->line,
		                                    .ordinal = out->sent + 1,
		                                    .entries = (uint32_t)entries,
		                                    .bytes = LINK_BATCH_BYTES_MOST });
	}
}

static void link_tell_acks(struct link *l, struct link_update *u)
{
	if (l->state != LINK_OPEN)
		return;
	for (size_t i = 0; i < l->in_count; i++) {
		struct link_in *in = &l->in[i];
		if (in->stored == in->acked && !in->must_tell)
			continue;
		struct link_action ack = { .type = LINK_DO_ACK,
			                   .line = in->line,
			                   .ordinal = in->stored,
			                   .entries = l->is_inbox_full ? 0 : LINK_CREDIT_ENTRIES,
			                   .bytes = l->is_inbox_full ? 0 : LINK_CREDIT_BYTES,
			                   .is_expected = in->is_expected,
			                   .is_frozen = in->is_frozen };
		update_add(u, ack);
		in->acked = in->stored;
		in->must_tell = in->is_expected = false;
	}
}

static void link_offer(struct link *l, const struct link_event *ev, uint64_t least_ms)
{
	for (size_t i = 0; i < l->out_count; i++) {
		struct link_out *out = &l->out[i];
		if (!out->is_frozen || since(ev->now_ms, out->frozen_ms) < least_ms)
			continue;
		out->is_frozen = false;
		out->sent = out->acked;
		out->bytes_under_way = 0;
		out->progress_ms = ev->now_ms;
	}
}

static void link_resend(struct link *l, const struct link_event *ev)
{
	link_offer(l, ev, LINK_FROZEN_MS);
	for (size_t i = 0; i < l->out_count; i++) {
		struct link_out *out = &l->out[i];
		if (out->is_started && out->sent > out->acked &&
		    since(ev->now_ms, out->progress_ms) >= LINK_RESEND_MS) {
			l->resends++;
			out->sent = out->acked;
			out->bytes_under_way = 0;
			out->progress_ms = ev->now_ms;
			/* Without a word about credits for so long, try again with a little. */
			if (out->credit_entries == 0 || out->credit_bytes == 0) {
				out->credit_entries = LINK_BATCH_ENTRIES_MOST;
				out->credit_bytes = LINK_BATCH_BYTES_MOST;
			}
		}
	}
}

/* Four beats may be lost. */
static uint64_t silence_ms(const struct link *l)
{
	uint64_t patience = l->state == LINK_OPEN ? (uint64_t)l->peer_beat_ms * LINK_SILENCE_MS / LINK_BEAT_MS : 0;
	return patience > LINK_SILENCE_MS ? patience : LINK_SILENCE_MS;
}

static void link_tick(struct link *l, const struct link_event *ev, struct link_update *u)
{
	l->is_send_asked = false;
	l->stuck_ms = 0;
	if (ev->flag)
		l->heard_ms = ev->now_ms;
	if (l->state != LINK_IDLE && since(ev->now_ms, l->heard_ms) >= silence_ms(l)) {
		link_close(l, ev, u);
		if (l->side == LINK_CLIENT)
			update_tell(u, LINK_DO_RECONNECT);
	} else if (l->state == LINK_GREETED && since(ev->now_ms, l->greeted_ms) >= LINK_HELLO_RETRY_MS) {
		link_greet(l, ev, u);
	} else if (l->state == LINK_OPEN) {
		link_resend(l, ev);
		if (since(ev->now_ms, l->said_ms) >= l->beat_ms) {
			l->said_ms = ev->now_ms;
			update_tell(u, LINK_DO_BEAT);
		}
	}
}

static void in_mark(struct link *l, const struct link_event *ev)
{
	struct link_in *in = in_find(l, ev->line);
	if (!in)
		return;
	if (ev->type == LINK_STORED) {
		if (ev->ordinal <= in->stored)
			return;
		in->stored = ev->ordinal;
		in->is_frozen = false;
		return;
	}
	in->must_tell = true;
	if (ev->type == LINK_GAP)
		in->is_expected = true;
	if (ev->type == LINK_FROZEN)
		in->is_frozen = true;
}

static void out_mark(struct link *l, const struct link_event *ev)
{
	struct link_out *out = out_find(l, ev->line);
	if (!out)
		return;
	switch (ev->type) {
	case LINK_PEER_AT:
		l->resends += out_start(out, ev);
		break;
	case LINK_ACKED:
		out_ack(out, ev);
		break;
	case LINK_PEER_FROZE:
		out->is_frozen = true;
		out->frozen_ms = ev->now_ms;
		break;
	case LINK_LINE_MOVED:
		if (ev->ordinal > out->head)
			out->head = ev->ordinal;
		break;
	case LINK_SENT:
		l->is_send_asked = false;
		if (ev->ordinal > out->sent) {
			if (out->sent == out->acked)
				out->progress_ms = ev->now_ms;
			out->sent = ev->ordinal;
			out->bytes_under_way += ev->bytes;
			l->said_ms = ev->now_ms;
		}
		break;
	default:
		break;
	}
}

static int link_turn(struct link *l, const struct link_event *ev, struct link_update *u)
{
	switch (ev->type) {
	case LINK_TRANSPORT_UP:
		l->heard_ms = ev->now_ms;
		if (l->side == LINK_CLIENT)
			link_greet(l, ev, u);
		return OK;
	case LINK_TRANSPORT_DOWN:
	case LINK_REFUSED:
		link_close(l, ev, u);
		return OK;
	case LINK_HELLO:
		link_open(l, ev, u);
		return OK;
	case LINK_SEND_LINE:
		return out_add(l, ev);
	case LINK_LEAVE_LINE:
		out_remove(l, ev->line);
		return OK;
	case LINK_TAKE_LINE:
		return in_add(l, ev);
	case LINK_PEER_AT:
	case LINK_ACKED:
	case LINK_PEER_FROZE:
	case LINK_LINE_MOVED:
	case LINK_SENT:
		out_mark(l, ev);
		return OK;
	case LINK_STORED:
	case LINK_DUPLICATE:
	case LINK_GAP:
	case LINK_FROZEN:
		in_mark(l, ev);
		return OK;
	case LINK_OFFER:
		link_offer(l, ev, 0);
		return OK;
	case LINK_INBOX:
		if (l->is_inbox_full && !ev->flag)
			for (size_t i = 0; i < l->in_count; i++)
				l->in[i].must_tell = true;
		l->is_inbox_full = ev->flag;
		return OK;
	case LINK_TICK:
		link_tick(l, ev, u);
		return OK;
	case LINK_HEARD:
		if (ev->flag)
			l->peer_waiting = ev->ordinal;
		return OK;
	}
	return ERR_INTERNAL;
}

static bool is_from_neighbour(enum link_event_type type)
{
	return type == LINK_HELLO || type == LINK_PEER_AT || type == LINK_ACKED || type == LINK_PEER_FROZE ||
	       type == LINK_HEARD;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Every wait of link_tick and link_resend stands here, too. */
uint64_t link_due_ms(const struct link *l)
{
	if (l->state == LINK_IDLE)
		return UINT64_MAX;
	uint64_t due = l->heard_ms + silence_ms(l);
	if (l->state == LINK_GREETED)
		return sooner(due, l->greeted_ms + LINK_HELLO_RETRY_MS);
	due = sooner(due, l->said_ms + l->beat_ms);
	if (l->stuck_ms)
		due = sooner(due, l->stuck_ms + LINK_STUCK_MS);
	for (size_t i = 0; i < l->out_count; i++) {
		const struct link_out *out = &l->out[i];
		if (out->is_frozen)
			due = sooner(due, out->frozen_ms + LINK_FROZEN_MS);
		else if (out->is_started && out->sent > out->acked)
			due = sooner(due, out->progress_ms + LINK_RESEND_MS);
	}
	return due;
}

int link_step(struct link *l, const struct link_event *event, struct link_update *u)
{
	if (update_reserve(u, l->in_count + STEP_ACTIONS_MOST))
		return ERR_MEMORY;
	if (is_from_neighbour(event->type))
		l->heard_ms = event->now_ms;
	int result = link_turn(l, event, u);
	/* A send that is refused by the transport waits for the next tick instead of spinning. */
	bool is_stuck = event->type == LINK_SENT && event->bytes == 0;
	if (is_stuck)
		l->stuck_ms = event->now_ms;
	link_tell_acks(l, u);
	if (!is_stuck)
		link_pump(l, u);
	return result;
}

uint64_t link_waiting(const struct link *l)
{
	uint64_t waiting = 0;
	for (size_t i = 0; i < l->out_count; i++)
		if (l->out[i].head > l->out[i].acked)
			waiting += l->out[i].head - l->out[i].acked;
	return waiting;
}
