/*
 * The engine of a link under any sequence of events: the writer keeps its word (lines grow, what it says was sent was
 * there), the neighbour says whatever it likes.
 *
 * Input: the side, then events of four bytes: what, line, and two numbers.
 */
#include "sync/link.h"
#include "fuzz.h"

#define LINES 4 /* of each direction */

struct world {
	struct link link;
	struct link_update update;
	uint64_t now_ms, session, head[LINES], stored[LINES];
	bool is_sent[LINES], is_taken[LINES], is_told_open;
};

static uint64_t any_ordinal(uint8_t low, uint8_t high)
{
	static const uint64_t extreme[] = { UINT64_MAX, UINT64_MAX - 1, INT64_MAX, UINT32_MAX };
	return high >= 252 ? extreme[high - 252] : low + 256u * high;
}

/* ---- what must hold after each step ---- */

static void lines_hold(const struct world *w)
{
	const struct link *l = &w->link;
	must(l->out_count <= LINES && l->in_count <= LINES);
	for (size_t i = 0; i < l->out_count; i++) {
		const struct link_out *out = &l->out[i];
		must(out->line < LINES && w->is_sent[out->line]);
		must(out->head == w->head[out->line]);
		must(out->acked <= out->sent && out->sent <= out->head);
		must(out->bytes_under_way == 0 || out->sent > out->acked);
	}
	for (size_t i = 0; i < l->in_count; i++) {
		const struct link_in *in = &l->in[i];
		must(in->line < LINES && w->is_taken[in->line]);
		must(in->stored == w->stored[in->line] && in->acked <= in->stored);
	}
	uint64_t waiting = 0;
	for (size_t i = 0; i < l->out_count; i++)
		waiting += l->out[i].head - l->out[i].acked;
	must(link_waiting(l) == waiting);
}

static void send_holds(const struct world *w, const struct link_action *a)
{
	const struct link_out *out = link_out_find(&w->link, a->line);
	must(w->link.state == LINK_OPEN && out && out->is_started && !out->is_frozen);
	must(a->ordinal == out->sent + 1 && a->ordinal <= out->head);
	must(a->entries && a->entries <= LINK_BATCH_ENTRIES_MOST && a->bytes == LINK_BATCH_BYTES_MOST);
	must(out->sent - out->acked + a->entries <= out->credit_entries);
}

/* The last send of an update; at most one. */
static const struct link_action *actions_hold(struct world *w)
{
	const struct link_action *send = NULL;
	for (size_t i = 0; i < w->update.count; i++) {
		const struct link_action *a = &w->update.action[i];
		switch (a->type) {
		case LINK_DO_SEND:
			must(!send);
			send = a;
			send_holds(w, a);
			break;
		case LINK_DO_ACK:
			must(a->line < LINES && a->ordinal == w->stored[a->line]);
			must(w->link.state == LINK_OPEN);
			break;
		case LINK_DO_TELL_OPEN:
			must(!w->is_told_open);
			w->is_told_open = true;
			break;
		case LINK_DO_TELL_CLOSED:
			must(w->is_told_open);
			w->is_told_open = false;
			break;
		case LINK_DO_RECONNECT:
			must(w->link.side == LINK_CLIENT);
			break;
		default:
			break;
		}
	}
	must(w->is_told_open == (w->link.state == LINK_OPEN));
	must(w->link.state == LINK_IDLE || link_due_ms(&w->link) != UINT64_MAX);
	must(w->link.state != LINK_OPEN || w->link.session);
	return send;
}

/* ---- events ---- */

static void step(struct world *w, struct link_event ev, uint8_t choice)
{
	ev.now_ms = w->now_ms;
	for (int left = 3 * LINK_CREDIT_ENTRIES; left; left--) {
		link_update_clear(&w->update);
		must(!link_step(&w->link, &ev, &w->update));
		lines_hold(w);
		const struct link_action *send = actions_hold(w);
		if (!send || choice == 1) /* 1: the writer loses it, and the next tick heals */
			return;
		/* 0: the transport takes nothing. Else some or all of what was asked for. */
		uint64_t through = send->ordinal - 1, most = w->head[send->line] - through;
		uint64_t entries = choice == 0 ? 0 : 1 + choice % send->entries;
		entries = entries < most ? entries : most;
		ev = (struct link_event){ .type = LINK_SENT,
			                  .now_ms = w->now_ms,
			                  .line = send->line,
			                  .ordinal = through + entries,
			                  .bytes = (uint32_t)entries * (700u + choice * 4u) };
	}
	never("an event led to sends without end");
}

static void event_take(struct world *w, struct reader *r)
{
	uint8_t what = read_u8(r), place = read_u8(r), low = read_u8(r), high = read_u8(r);
	struct link_event ev = { .type = what % (LINK_TICK + 1), .line = place % (LINES + 1), .flag = low & 1 };
	uint8_t choice = place / 8;
	bool is_line = ev.line < LINES;
	w->now_ms += what >= 128 ? (uint64_t)low * high : low % 8;
	ev.ordinal = any_ordinal(low, high);
	ev.credit_entries = low < 250 ? low * 16u : UINT32_MAX;
	ev.credit_bytes = high < 250 ? high * 16384u : UINT32_MAX;
	switch (ev.type) {
	case LINK_HELLO:
		ev.session = low % 4; /* 0 is none; the same one again */
		ev.fresh_session = ++w->session + 16;
		ev.version_least = high & 3;
		ev.version_most = high >> 2 & 3;
		if (w->link.side == LINK_CLIENT && !ev.session)
			return; /* frames.c: a server's HELLO names one */
		break;
	case LINK_SEND_LINE:
	case LINK_LINE_MOVED:
		if (!is_line || (ev.type == LINK_LINE_MOVED && !w->is_sent[ev.line]))
			return;
		w->is_sent[ev.line] = true;
		w->head[ev.line] += low;
		ev.ordinal = w->head[ev.line];
		break;
	case LINK_TAKE_LINE:
	case LINK_STORED:
		if (!is_line || (ev.type == LINK_STORED && !w->is_taken[ev.line]))
			return;
		w->is_taken[ev.line] = true;
		w->stored[ev.line] += low;
		ev.ordinal = w->stored[ev.line];
		break;
	case LINK_SENT:
		return; /* only as an answer to LINK_DO_SEND */
	default:
		break;
	}
	step(w, ev, choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	struct world w = { .now_ms = 1000 };
	link_init(&w.link, read_u8(&r) & 1 ? LINK_SERVER : LINK_CLIENT, LINK_BEAT_MS);
	while (r.at < r.size)
		event_take(&w, &r);
	link_release(&w.link);
	link_update_release(&w.update);
	return 0;
}
