/*
 * Two engines, joined by a pipe in memory that loses what it is told to lose. A side keeps what a journal would keep:
 * how far each of its lines is committed. What is on the wire, and what the engines decided, is looked at from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "sync/link.h"

#define LINES 4
#define FRAMES_MOST 4096
#define DELAY_MS 20
#define ENTRY_BYTES 700

enum frame_type { FRAME_HELLO, FRAME_BATCH, FRAME_ACK, FRAME_BEAT, FRAME_REFUSE };

struct frame {
	enum frame_type type;
	uint64_t due_ms, session;
	uint32_t line;
	uint64_t first, last;    /* batch: ordinals; ack: last */
	uint64_t at[LINES + 1];  /* hello */
	uint32_t entries, bytes; /* ack: credits */
	uint32_t least, most, beat_ms;
	bool is_expected, is_frozen;
};

struct side {
	struct link link;
	struct world *world;
	struct side *peer;
	uint64_t head[LINES + 1];   /* lines that it sends */
	uint64_t stored[LINES + 1]; /* lines that it takes */
	bool freezes[LINES + 1];
	uint32_t version_least, version_most;
	bool is_blocked;  /* its transport takes nothing */
	bool is_dropping; /* its full inbox drops batches */
	/* on the way to it */
	struct frame inbox[FRAMES_MOST];
	size_t first, count;
	/* seen */
	size_t hellos, batches, acks, beats, refuses, opened, closed, reconnects, duplicates, gaps, ticks;
	uint64_t entries_got;
	uint32_t last_line; /* of the batches that it sent */
	uint32_t sent_order[64];
	size_t sent_count;
	uint64_t wake_ms;
};

struct world {
	struct side client, server;
	uint64_t now_ms;
	struct prng prng;
	unsigned loss_percent;
	size_t lose_next; /* batches */
	bool is_cut;
};

static void deliver(struct side *s, struct link_event ev);

static void put(struct side *from, struct frame f)
{
	struct side *to = from->peer;
	struct world *w = from->world;
	if (w->is_cut || (w->loss_percent && prng_below(&w->prng, 100) < w->loss_percent))
		return;
	if (f.type == FRAME_BATCH && w->lose_next) {
		w->lose_next--;
		return;
	}
	assert_true(to->count < FRAMES_MOST);
	f.due_ms = w->now_ms + DELAY_MS;
	to->inbox[(to->first + to->count++) % FRAMES_MOST] = f;
}

static void carry_out(struct side *s, const struct link_action *a)
{
	struct frame f = { .session = s->link.session, .line = a->line, .last = a->ordinal };
	switch (a->type) {
	case LINK_DO_HELLO:
		s->hellos++;
		f.type = FRAME_HELLO;
		f.least = s->version_least;
		f.most = s->version_most;
		f.beat_ms = s->link.beat_ms;
		memcpy(f.at, s->stored, sizeof f.at);
		put(s, f);
		break;
	case LINK_DO_SEND: {
		struct link_event sent = { .type = LINK_SENT, .line = a->line, .ordinal = a->ordinal - 1 };
		f.type = FRAME_BATCH;
		f.first = a->ordinal;
		f.last = a->ordinal + a->entries - 1;
		if (f.last > s->head[a->line])
			f.last = s->head[a->line];
		assert_true(a->entries >= 1 && a->entries <= LINK_BATCH_ENTRIES_MOST && f.first <= f.last);
		if (!s->is_blocked) {
			s->batches++;
			if (s->sent_count < 64)
				s->sent_order[s->sent_count++] = a->line;
			put(s, f);
			sent.ordinal = f.last;
			sent.bytes = (uint32_t)(f.last - f.first + 1) * ENTRY_BYTES;
		}
		deliver(s, sent);
		break;
	}
	case LINK_DO_ACK:
		s->acks++;
		f.type = FRAME_ACK;
		f.entries = a->entries;
		f.bytes = a->bytes;
		f.is_expected = a->is_expected;
		f.is_frozen = a->is_frozen;
		put(s, f);
		break;
	case LINK_DO_BEAT:
		s->beats++;
		f.type = FRAME_BEAT;
		f.last = link_waiting(&s->link);
		put(s, f);
		break;
	case LINK_DO_REFUSE:
		s->refuses++;
		f.type = FRAME_REFUSE;
		put(s, f);
		break;
	case LINK_DO_RECONNECT:
		s->reconnects++;
		deliver(s, (struct link_event){ .type = LINK_TRANSPORT_DOWN });
		deliver(s, (struct link_event){ .type = LINK_TRANSPORT_UP });
		break;
	case LINK_DO_TELL_OPEN:
		s->opened++;
		break;
	case LINK_DO_TELL_CLOSED:
		s->closed++;
		break;
	}
}

static void deliver(struct side *s, struct link_event ev)
{
	struct link_update u = { 0 };
	ev.now_ms = s->world->now_ms;
	assert_int_equal(link_step(&s->link, &ev, &u), OK);
	s->wake_ms = link_due_ms(&s->link);
	for (size_t i = 0; i < u.count; i++)
		carry_out(s, &u.action[i]);
	link_update_release(&u);
}

static void batch_came(struct side *s, const struct frame *f)
{
	struct link_event ev = { .line = f->line };
	uint64_t *stored = &s->stored[f->line];
	if (s->is_dropping)
		return;
	if (s->freezes[f->line]) {
		ev.type = LINK_FROZEN;
	} else if (f->last <= *stored) {
		s->duplicates++;
		ev.type = LINK_DUPLICATE;
	} else if (f->first > *stored + 1) {
		s->gaps++;
		ev.type = LINK_GAP;
	} else {
		s->entries_got += f->last - *stored;
		ev.ordinal = *stored = f->last;
		ev.type = LINK_STORED;
	}
	deliver(s, ev);
}

static void hello_came(struct side *s, const struct frame *f)
{
	struct link_event ev = { .type = LINK_HELLO,
		                 .session = f->session,
		                 .fresh_session = prng_next(&s->world->prng) | 1,
		                 .version_least = f->least,
		                 .version_most = f->most,
		                 .beat_ms = f->beat_ms };
	deliver(s, ev);
	for (uint32_t line = 1; line <= LINES && s->link.state == LINK_OPEN; line++)
		if (link_out_find(&s->link, line))
			deliver(s, (struct link_event){ .type = LINK_PEER_AT, .line = line, .ordinal = f->at[line] });
}

static void came(struct side *s, const struct frame *f)
{
	if (f->type == FRAME_HELLO) {
		hello_came(s, f);
		return;
	}
	if (f->type == FRAME_REFUSE) {
		deliver(s, (struct link_event){ .type = LINK_REFUSED });
		return;
	}
	if (s->link.state != LINK_OPEN || f->session != s->link.session)
		return;
	deliver(s, (struct link_event){ .type = LINK_HEARD, .flag = f->type == FRAME_BEAT, .ordinal = f->last });
	if (f->type == FRAME_BATCH)
		batch_came(s, f);
	if (f->type == FRAME_ACK && f->is_frozen)
		deliver(s, (struct link_event){ .type = LINK_PEER_FROZE, .line = f->line });
	else if (f->type == FRAME_ACK)
		deliver(s, (struct link_event){ .type = f->is_expected ? LINK_PEER_AT : LINK_ACKED,
		                                .line = f->line,
		                                .ordinal = f->last,
		                                .credit_entries = f->entries,
		                                .credit_bytes = f->bytes });
}

static void frames_due(struct side *s)
{
	while (s->count && s->inbox[s->first].due_ms <= s->world->now_ms) {
		struct frame f = s->inbox[s->first];
		s->first = (s->first + 1) % FRAMES_MOST;
		s->count--;
		came(s, &f);
	}
}

static void tick_due(struct side *s)
{
	if (s->wake_ms > s->world->now_ms)
		return;
	s->ticks++;
	deliver(s, (struct link_event){ .type = LINK_TICK });
}

static void run(struct world *w, uint64_t ms)
{
	for (uint64_t end = w->now_ms + ms; w->now_ms < end; w->now_ms += 5) {
		frames_due(&w->client);
		frames_due(&w->server);
		tick_due(&w->client);
		tick_due(&w->server);
	}
}

static void lines_tell(struct side *s)
{
	for (uint32_t line = 1; line <= LINES; line++) {
		deliver(s, (struct link_event){ .type = LINK_SEND_LINE, .line = line, .ordinal = s->head[line] });
		deliver(s, (struct link_event){ .type = LINK_TAKE_LINE, .line = line, .ordinal = s->stored[line] });
	}
}

static void commit(struct side *s, uint32_t line, uint64_t more)
{
	s->head[line] += more;
	deliver(s, (struct link_event){ .type = LINK_LINE_MOVED, .line = line, .ordinal = s->head[line] });
}

static void connect_client(struct world *w)
{
	deliver(&w->client, (struct link_event){ .type = LINK_TRANSPORT_UP });
}

static void process_dies(struct side *s)
{
	enum link_side which = s->link.side;
	link_release(&s->link);
	link_init(&s->link, which, LINK_BEAT_MS);
	s->first = s->count = 0;
	s->wake_ms = UINT64_MAX;
	lines_tell(s);
}

static int world_begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	prng_seed(&w->prng, 20261121);
	w->now_ms = 1000;
	struct side *sides[] = { &w->client, &w->server };
	for (size_t i = 0; i < 2; i++) {
		sides[i]->world = w;
		sides[i]->peer = sides[1 - i];
		sides[i]->version_least = LINK_VERSION_LEAST;
		sides[i]->version_most = LINK_VERSION_MOST;
		link_init(&sides[i]->link, i ? LINK_SERVER : LINK_CLIENT, LINK_BEAT_MS);
		lines_tell(sides[i]);
	}
	*state = w;
	return 0;
}

static int world_end(void **state)
{
	struct world *w = *state;
	link_release(&w->client.link);
	link_release(&w->server.link);
	free(w);
	return 0;
}

static bool is_open(const struct world *w)
{
	return w->client.link.state == LINK_OPEN && w->server.link.state == LINK_OPEN &&
	       w->client.link.session == w->server.link.session;
}

static bool is_level(const struct world *w)
{
	return memcmp(w->client.head, w->server.stored, sizeof w->client.head) == 0 &&
	       memcmp(w->server.head, w->client.stored, sizeof w->server.head) == 0 && !link_waiting(&w->client.link) &&
	       !link_waiting(&w->server.link);
}

/* ---- greeting ---- */

static void a_greeting_and_its_answer_open_the_link(void **state)
{
	struct world *w = *state;
	connect_client(w);
	assert_int_equal(w->client.link.state, LINK_GREETED);
	run(w, 100);
	assert_true(is_open(w));
	assert_true(w->client.link.session != 0);
	assert_int_equal(w->client.hellos, 1);
	assert_int_equal(w->server.hellos, 1);
	assert_int_equal(w->client.opened, 1);
	assert_int_equal(w->server.opened, 1);
}

static void a_lost_greeting_is_said_again(void **state)
{
	struct world *w = *state;
	w->is_cut = true;
	connect_client(w);
	run(w, 100);
	w->is_cut = false;
	run(w, LINK_HELLO_RETRY_MS);
	assert_true(is_open(w));
	assert_int_equal(w->client.hellos, 2);
}

static void an_unanswered_client_starts_anew(void **state)
{
	struct world *w = *state;
	w->is_cut = true;
	connect_client(w);
	run(w, LINK_SILENCE_MS + 100);
	assert_int_equal(w->client.reconnects, 1);
	assert_int_equal(w->client.closed, 0); /* it never was open */
}

static void versions_that_do_not_meet_are_refused(void **state)
{
	struct world *w = *state;
	w->client.version_least = w->client.version_most = LINK_VERSION_MOST + 1;
	connect_client(w);
	run(w, 500);
	assert_int_equal(w->server.refuses, 1);
	assert_int_equal(w->server.link.state, LINK_IDLE);
	assert_int_equal(w->client.link.state, LINK_IDLE);
	assert_int_equal(w->server.opened + w->client.opened, 0);
	deliver(&w->server, (struct link_event){ .type = LINK_HELLO, .version_least = 0, .version_most = 0 });
	assert_int_equal(w->server.refuses, 2);
}

static void a_newer_side_that_still_speaks_ours_is_welcome(void **state)
{
	struct world *w = *state;
	w->client.version_most = LINK_VERSION_MOST + 1;
	connect_client(w);
	run(w, 500);
	assert_true(is_open(w));
}

/* The way is so slow that the client greets again before the first answer is there: both must end in one session. */
static void a_late_answer_leaves_no_two_sessions(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 5);
	deliver(&w->client, (struct link_event){ .type = LINK_TRANSPORT_UP }); /* greets a second time */
	run(w, 200);
	assert_int_equal(w->server.opened, 2);
	assert_true(is_open(w));
	commit(&w->client, 1, 3);
	run(w, 200);
	assert_true(is_level(w));
}

/* ---- entries ---- */

static void what_is_committed_is_sent_and_acked(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 3);
	commit(&w->server, 2, 1);
	assert_int_equal(link_waiting(&w->client.link), 3);
	run(w, 200);
	assert_true(is_level(w));
	assert_int_equal(w->client.batches, 1);
	assert_int_equal(w->server.acks, 1);
	assert_int_equal(w->client.sent_order[0], 1);
}

static void what_gathered_while_they_were_apart_is_sent_after_the_greeting(void **state)
{
	struct world *w = *state;
	commit(&w->client, 1, 700);
	commit(&w->client, 3, 20);
	run(w, 50);
	assert_int_equal(w->client.batches, 0);
	connect_client(w);
	run(w, 500);
	assert_true(is_level(w));
	assert_int_equal(w->server.duplicates + w->server.gaps, 0);
}

static void no_more_is_under_way_than_was_granted(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 10000);
	assert_int_equal(link_out_find(&w->client.link, 1)->sent, LINK_CREDIT_ENTRIES);
	assert_int_equal(w->client.batches, LINK_CREDIT_ENTRIES / LINK_BATCH_ENTRIES_MOST);
	uint64_t most = 0;
	for (int i = 0; i < 400; i++) {
		run(w, 5);
		const struct link_out *out = link_out_find(&w->client.link, 1);
		if (out->sent - out->acked > most)
			most = out->sent - out->acked;
	}
	assert_int_equal(most, LINK_CREDIT_ENTRIES);
	assert_true(is_level(w));
	assert_int_equal(w->server.entries_got, 10000);
	assert_int_equal(w->server.duplicates, 0);
}

static void a_full_inbox_stops_the_sender_until_there_is_room(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	deliver(&w->server, (struct link_event){ .type = LINK_INBOX, .flag = true });
	commit(&w->client, 1, 5000);
	run(w, 500);
	uint64_t got = w->server.entries_got;
	assert_int_equal(got, LINK_CREDIT_ENTRIES); /* what was granted before */
	run(w, 1000);
	assert_int_equal(w->server.entries_got, got);
	deliver(&w->server, (struct link_event){ .type = LINK_INBOX, .flag = false });
	run(w, 500);
	assert_true(is_level(w));
}

/* Rounds: a batch of one line, then one of the other. */
static void a_backlog_on_one_line_delays_no_other(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 10000);
	run(w, 30); /* the first acks are on their way */
	w->client.sent_count = 0;
	commit(&w->client, 2, 1);
	size_t at = 0;
	run(w, 30);
	while (at < w->client.sent_count && w->client.sent_order[at] != 2)
		at++;
	assert_true(at <= 1);
	assert_int_equal(w->server.stored[2], 1);
	assert_true(w->server.stored[1] < 10000);
}

static void three_backlogs_take_turns(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->client.is_blocked = true; /* until all three have something */
	commit(&w->client, 1, 1500);
	commit(&w->client, 2, 1500);
	commit(&w->client, 4, 1500);
	w->client.is_blocked = false;
	run(w, 500);
	assert_true(is_level(w));
	for (size_t i = 0; i + 3 < 18; i++) /* whoever begins: no line comes again before the others */
		assert_int_equal(w->client.sent_order[i], w->client.sent_order[i + 3]);
}

static void one_send_is_asked_for_at_a_time(void **state)
{
	struct world *w = *state;
	struct link_update u = { 0 };
	connect_client(w);
	run(w, 100);
	w->client.head[1] = w->client.head[2] = 500;
	for (uint32_t line = 1; line <= 2; line++) {
		struct link_event ev = { .type = LINK_LINE_MOVED, .now_ms = w->now_ms, .line = line, .ordinal = 500 };
		assert_int_equal(link_step(&w->client.link, &ev, &u), OK);
	}
	assert_int_equal(u.count, 1); /* the same entries are not asked for twice while the node loads them */
	carry_out(&w->client, &u.action[0]);
	link_update_release(&u);
	run(w, 300);
	assert_true(is_level(w));
	assert_int_equal(w->server.duplicates, 0);
}

static void a_blocked_transport_is_tried_again_without_spinning(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->client.is_blocked = true;
	commit(&w->client, 1, 10);
	assert_int_equal(w->client.batches, 0);
	assert_true(w->client.wake_ms - w->now_ms <= LINK_STUCK_MS);
	run(w, 1000);
	w->client.is_blocked = false;
	run(w, LINK_STUCK_MS + 50);
	assert_true(is_level(w));
}

/* ---- losses ---- */

static void without_an_ack_it_is_sent_again(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->lose_next = 1;
	commit(&w->client, 1, 5);
	run(w, LINK_RESEND_MS - 500);
	assert_int_equal(w->server.stored[1], 0);
	run(w, 500 + LINK_BEAT_MS + 100); /* ticks come with the beats */
	assert_true(is_level(w));
	assert_int_equal(w->client.batches, 2);
}

static void behind_a_gap_it_goes_back_once(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->lose_next = 1;
	commit(&w->client, 1, 8 * LINK_BATCH_ENTRIES_MOST); /* eight batches, of which the first is lost */
	run(w, 500);
	assert_true(is_level(w));
	assert_int_equal(w->server.gaps, 7);
	assert_int_equal(w->client.batches, 8 + 8); /* seven answers, one way back */
	assert_int_equal(w->server.duplicates, 0);
}

static void what_comes_again_is_acked_again(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 4);
	run(w, 22);          /* it is there, its ack is not yet back … */
	w->client.count = 0; /* … and gets lost */
	run(w, LINK_RESEND_MS + LINK_BEAT_MS + 200);
	assert_true(is_level(w));
	assert_int_equal(w->server.duplicates, 1);
	assert_int_equal(w->server.entries_got, 4);
}

static void nobody_can_ack_more_than_there_is(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 4);
	run(w, 200);
	deliver(&w->client, (struct link_event){ .type = LINK_ACKED,
	                                         .line = 1,
	                                         .ordinal = 1000,
	                                         .credit_entries = 100,
	                                         .credit_bytes = 100000 });
	deliver(&w->client, (struct link_event){ .type = LINK_PEER_AT, .line = 1, .ordinal = 1000 });
	commit(&w->client, 1, 4);
	run(w, 200);
	assert_true(is_level(w));
	deliver(&w->client,
	        (struct link_event){ .type = LINK_ACKED, .line = 99, .ordinal = 1 }); /* nor of what is not there */
}

static void half_of_all_frames_may_go_and_everything_arrives_once(void **state)
{
	struct world *w = *state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		prng_seed(&w->prng, seed);
		w->loss_percent = (unsigned)(10 + 2 * seed);
		connect_client(w);
		for (int i = 0; i < 40; i++) {
			commit(&w->client, 1 + (uint32_t)prng_below(&w->prng, LINES), 1 + prng_below(&w->prng, 300));
			commit(&w->server, 1 + (uint32_t)prng_below(&w->prng, LINES), 1 + prng_below(&w->prng, 30));
			run(w, prng_below(&w->prng, 3000));
			if (prng_below(&w->prng, 10) == 0)
				process_dies(&w->client), connect_client(w);
			if (prng_below(&w->prng, 10) == 0)
				process_dies(&w->server);
		}
		w->loss_percent = 0;
		run(w, 60000);
		if (!is_open(w) || !is_level(w))
			fail_msg("seed %llu: not level", (unsigned long long)seed);
	}
	uint64_t sent = 0, got = w->server.entries_got + w->client.entries_got;
	for (size_t line = 1; line <= LINES; line++)
		sent += w->client.head[line] + w->server.head[line];
	assert_int_equal(got, sent);
}

/* ---- frozen lines ---- */

static void a_frozen_line_is_offered_again(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->server.freezes[1] = true;
	commit(&w->client, 1, 500);
	run(w, 20000);
	size_t batches = w->client.batches;
	run(w, 2 * LINK_FROZEN_MS);
	assert_true(link_out_find(&w->client.link, 1)->is_frozen);
	assert_in_range(w->client.batches - batches, 1, 8); /* a few, and not all the time */

	/* An operator lets it go on, in the middle of the session. */
	w->server.freezes[1] = false;
	run(w, LINK_FROZEN_MS + 1000);
	assert_true(is_level(w));

	/* And at once when the writer hears of it. */
	w->server.freezes[1] = true;
	commit(&w->client, 1, 5);
	run(w, 1000);
	assert_true(link_out_find(&w->client.link, 1)->is_frozen);
	w->server.freezes[1] = false;
	deliver(&w->client, (struct link_event){ .type = LINK_OFFER });
	run(w, 1000);
	assert_true(is_level(w));
}

static void a_frozen_line_stops_and_the_others_go_on(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->server.freezes[1] = true;
	commit(&w->client, 1, 5000);
	commit(&w->client, 2, 5);
	run(w, 20000);
	assert_int_equal(w->server.stored[1], 0);
	assert_int_equal(w->server.stored[2], 5);
	assert_true(link_out_find(&w->client.link, 1)->is_frozen);
	size_t batches = w->client.batches;
	commit(&w->client, 1, 10);
	run(w, 20000);
	assert_int_equal(w->client.batches, batches);

	/* An operator lets it go on: the next session does not remember. */
	w->server.freezes[1] = false;
	deliver(&w->client, (struct link_event){ .type = LINK_TRANSPORT_DOWN });
	connect_client(w);
	run(w, 1000);
	assert_true(is_level(w));
}

/* ---- silence, new sessions ---- */

static void beats_keep_a_quiet_link_open(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 60000);
	assert_true(is_open(w));
	assert_int_equal(w->client.opened, 1);
	assert_true(w->client.beats >= 28 && w->client.beats <= 31);
	assert_int_equal(w->client.closed, 0);
}

static void a_neighbour_that_beats_rarely_is_not_lost_and_wakes_nobody_between(void **state)
{
	struct world *w = *state;
	w->client.link.beat_ms = w->server.link.beat_ms = 60000;
	connect_client(w);
	run(w, 600000);
	assert_true(is_open(w));
	assert_int_equal(w->client.closed + w->server.closed, 0);
	assert_true(w->client.beats >= 9 && w->client.beats <= 10);
	assert_true(w->client.ticks <= 10);
}

static void one_that_beats_rarely_is_lost_after_four_beats(void **state)
{
	struct world *w = *state;
	w->server.link.beat_ms = 60000; /* only the client has to be patient */
	connect_client(w);
	run(w, 100);
	w->is_cut = true;
	run(w, LINK_SILENCE_MS + LINK_BEAT_MS);
	assert_int_equal(w->server.closed, 1);
	run(w, 4 * 60000);
	assert_int_equal(w->client.closed, 0);
	run(w, 60000);
	assert_int_equal(w->client.closed, 1);
}

static void beats_say_what_still_waits(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->client.is_blocked = true;
	commit(&w->client, 1, 42);
	run(w, LINK_BEAT_MS + 200);
	assert_int_equal(w->server.link.peer_waiting, 42);
}

static void silence_closes_both_ends_and_the_client_comes_back(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 10);
	run(w, 100);
	w->is_cut = true;
	commit(&w->client, 1, 10);
	run(w, LINK_SILENCE_MS + LINK_BEAT_MS + 500);
	assert_int_equal(w->client.closed, 1);
	assert_int_equal(w->server.closed, 1);
	assert_true(w->client.reconnects >= 1);
	w->is_cut = false;
	run(w, 2 * LINK_SILENCE_MS);
	assert_true(is_open(w));
	assert_true(is_level(w));
	assert_int_equal(w->server.entries_got, 20);
}

/* Who is slow has no right to call others silent: the message that it is busy with would be refused when it is done. */
static void what_waits_to_be_looked_at_is_no_silence(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	for (uint64_t busy_ms = 0; busy_ms < 3 * LINK_SILENCE_MS; busy_ms += LINK_BEAT_MS) {
		w->now_ms += LINK_BEAT_MS;
		deliver(&w->server, (struct link_event){ .type = LINK_TICK, .flag = true });
	}
	assert_int_equal(w->server.closed, 0);
	w->now_ms += LINK_SILENCE_MS;
	deliver(&w->server, (struct link_event){ .type = LINK_TICK });
	assert_int_equal(w->server.closed, 1);
}

/* ---- what both sides count ---- */

static void acked(struct side *s, uint64_t ordinal, uint32_t entries, uint32_t bytes)
{
	deliver(s, (struct link_event){ .type = LINK_ACKED,
	                                .line = 1,
	                                .ordinal = ordinal,
	                                .credit_entries = entries,
	                                .credit_bytes = bytes });
}

static void what_is_acked_gives_its_bytes_back(void **state)
{
	struct world *w = *state;
	const struct link_out *out = link_out_find(&w->client.link, 1);
	connect_client(w);
	run(w, 100);
	w->is_cut = true;
	commit(&w->client, 1, 4 * LINK_BATCH_ENTRIES_MOST);
	assert_int_equal(out->bytes_under_way, 4 * LINK_BATCH_ENTRIES_MOST * ENTRY_BYTES);
	acked(&w->client, LINK_BATCH_ENTRIES_MOST, LINK_CREDIT_ENTRIES, LINK_CREDIT_BYTES);
	assert_int_equal(out->bytes_under_way, 3 * LINK_BATCH_ENTRIES_MOST * ENTRY_BYTES);
	acked(&w->client, 4 * LINK_BATCH_ENTRIES_MOST, LINK_CREDIT_ENTRIES, 1);
	assert_int_equal(out->bytes_under_way, 0);

	/* No more bytes than were granted, however few entries they are. */
	size_t batches = w->client.batches;
	commit(&w->client, 1, 1);
	commit(&w->client, 1, 1);
	assert_int_equal(w->client.batches, batches + 1);
}

static void a_neighbour_that_has_more_than_was_sent_is_believed(void **state)
{
	struct world *w = *state;
	const struct link_out *out = link_out_find(&w->client.link, 1);
	connect_client(w);
	run(w, 100);
	w->client.is_blocked = true;
	commit(&w->client, 1, 10);
	acked(&w->client, 7, LINK_CREDIT_ENTRIES, LINK_CREDIT_BYTES); /* it came by another way */
	assert_true(out->acked == 7 && out->sent == 7);
	assert_int_equal(link_waiting(&w->client.link), 3);
}

static void credits_that_were_lost_do_not_stop_a_line_for_ever(void **state)
{
	struct world *w = *state;
	static const uint32_t granted[][2] = { { 0, LINK_CREDIT_BYTES }, { LINK_CREDIT_ENTRIES, 0 } };
	connect_client(w);
	run(w, 100);
	for (size_t i = 0; i < 2; i++) {
		w->is_cut = true;
		commit(&w->client, 1, 10);
		acked(&w->client, 0, granted[i][0], granted[i][1]);
		w->is_cut = false;
		run(w, LINK_RESEND_MS + LINK_BEAT_MS + 200);
		assert_true(is_level(w));
	}
}

static void more_lines_than_were_thought_of(void **state)
{
	struct world *w = *state;
	struct link_update u = { 0 };
	connect_client(w);
	run(w, 100);
	for (uint32_t line = 1; line <= 40; line++) {
		deliver(&w->client, (struct link_event){ .type = LINK_TAKE_LINE, .line = line });
		deliver(&w->client, (struct link_event){ .type = LINK_SEND_LINE, .line = line });
	}
	size_t acks = w->client.acks;
	/* What was stored while nobody listened: the line is told again with its newest ordinal. */
	deliver(&w->client, (struct link_event){ .type = LINK_TAKE_LINE, .line = 40, .ordinal = 5 });
	assert_int_equal(w->client.acks, acks + 1);
	deliver(&w->client, (struct link_event){ .type = LINK_INBOX, .flag = true });
	deliver(&w->client, (struct link_event){ .type = LINK_INBOX, .flag = true });
	assert_int_equal(w->client.acks, acks + 1);
	struct link_event ev = { .type = LINK_INBOX, .now_ms = w->now_ms };
	assert_int_equal(link_step(&w->client.link, &ev, &u), OK); /* there is room again: each line hears it */
	assert_int_equal(u.count, 40);
	assert_int_equal(link_step(&w->client.link, &ev, &u), OK); /* they have heard it */
	assert_int_equal(u.count, 40);
	link_update_release(&u);
}

static uint64_t under_way(struct world *w, uint32_t line)
{
	const struct link_out *out = link_out_find(&w->client.link, line);
	return out->sent - out->acked;
}

/* Parts of files: one of them at a time, of all lines, and never before what else there is. */
static void what_is_sent_last_holds_nothing_up(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	for (uint32_t line = 3; line <= 4; line++)
		deliver(&w->client,
		        (struct link_event){
		                .type = LINK_SEND_LINE, .line = line, .flag = true, .ordinal = w->client.head[line] });
	commit(&w->client, 4, 20);
	commit(&w->client, 3, 20);
	assert_int_equal(under_way(w, 4), 1);
	assert_int_equal(under_way(w, 3), 0);
	commit(&w->client, 1, 10); /* leaves at once, whole */
	assert_int_equal(under_way(w, 1), 10);
	assert_int_equal(under_way(w, 4) + under_way(w, 3), 1);
	for (int i = 0; i < 300; i++) {
		run(w, 10);
		assert_true(under_way(w, 4) + under_way(w, 3) <= 1);
		if (i == 20)
			commit(&w->client, 2, 5000); /* more than its credits: they wait for it */
		if (i > 20 && w->server.stored[2] < 5000 && under_way(w, 2) < LINK_CREDIT_ENTRIES)
			assert_int_equal(w->client.head[2] - link_out_find(&w->client.link, 2)->sent, 0);
	}
	assert_int_equal(w->server.stored[4], 20);
	assert_int_equal(w->server.stored[3], 20);
	assert_int_equal(w->server.stored[2], 5000);
}

static void a_part_that_is_lost_or_refused_stands_in_no_ones_way(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	for (uint32_t line = 3; line <= 4; line++)
		deliver(&w->client,
		        (struct link_event){
		                .type = LINK_SEND_LINE, .line = line, .flag = true, .ordinal = w->client.head[line] });
	w->lose_next = 1;
	commit(&w->client, 4, 3);
	run(w, LINK_RESEND_MS + 500);
	assert_int_equal(w->server.stored[4], 3);
	deliver(&w->client, (struct link_event){ .type = LINK_PEER_FROZE, .line = 4 });
	commit(&w->client, 4, 3);
	commit(&w->client, 3, 3);
	run(w, 500);
	assert_int_equal(w->server.stored[4], 3); /* until it is offered again */
	assert_int_equal(w->server.stored[3], 3);
}

static void a_new_session_forgets_what_was_under_way(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	deliver(&w->server, (struct link_event){ .type = LINK_INBOX, .flag = true });
	w->server.is_dropping = true;
	commit(&w->client, 1, 3000);
	uint64_t old = w->client.link.session;
	assert_int_equal(link_out_find(&w->client.link, 1)->sent, LINK_CREDIT_ENTRIES);
	deliver(&w->client, (struct link_event){ .type = LINK_TRANSPORT_DOWN });
	assert_int_equal(link_out_find(&w->client.link, 1)->sent, 0);
	assert_int_equal(link_out_find(&w->client.link, 1)->bytes_under_way, 0);
	w->server.is_dropping = false;
	deliver(&w->server, (struct link_event){ .type = LINK_INBOX, .flag = false });
	connect_client(w);
	run(w, 1000);
	assert_true(is_open(w));
	assert_true(w->client.link.session != old);
	assert_true(is_level(w));
}

static void nothing_is_sent_before_the_neighbour_says_where_it_stands(void **state)
{
	struct world *w = *state;
	struct link_event answer = { .type = LINK_HELLO, .session = 77, .version_least = 1, .version_most = 1 };
	connect_client(w);
	run(w, 100);
	commit(&w->client, 1, 5);
	run(w, 200);
	deliver(&w->client, (struct link_event){ .type = LINK_TRANSPORT_DOWN });
	commit(&w->client, 1, 5);
	connect_client(w);
	w->is_cut = true;
	size_t batches = w->client.batches, opened = w->client.opened;
	deliver(&w->client, answer);
	assert_int_equal(w->client.link.state, LINK_OPEN);
	acked(&w->client, 7, LINK_CREDIT_ENTRIES, LINK_CREDIT_BYTES); /* of the session before */
	assert_int_equal(w->client.batches, batches);
	assert_int_equal(link_out_find(&w->client.link, 1)->acked, 5);
	deliver(&w->client, answer); /* the same answer once more */
	assert_int_equal(w->client.opened, opened + 1);
	deliver(&w->client, (struct link_event){ .type = LINK_PEER_AT, .line = 1, .ordinal = 3 });
	assert_int_equal(w->client.batches, batches + 1);
	assert_int_equal(link_out_find(&w->client.link, 1)->sent, 10);
}

static void a_resend_does_not_wait_for_a_rare_beat(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	w->client.link.beat_ms = 60000;
	w->is_cut = true;
	commit(&w->client, 1, 5);
	assert_int_equal(link_due_ms(&w->client.link), w->now_ms + LINK_RESEND_MS);
}

static void who_has_a_server_s_side_waits_to_be_greeted(void **state)
{
	struct world *w = *state;
	struct link_update u = { 0 };
	struct link_event unknown = { .type = (enum link_event_type)99, .now_ms = w->now_ms };
	deliver(&w->server, (struct link_event){ .type = LINK_TRANSPORT_UP });
	assert_int_equal(w->server.hellos, 0);
	assert_int_equal(w->server.link.state, LINK_IDLE);
	assert_int_equal(link_step(&w->server.link, &unknown, &u), ERR_INTERNAL);
	assert_int_equal(u.count, 0);
	link_update_release(&u);
}

/* What was given back to a restored neighbour does not flow to it for ever. */
static void a_line_that_is_left_is_sent_no_more(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 1000);
	w->is_cut = true;
	commit(&w->client, 1, 5);
	commit(&w->client, 2, 3);
	assert_int_equal(8, link_waiting(&w->client.link));
	deliver(&w->client, (struct link_event){ .type = LINK_LEAVE_LINE, .line = 1 });
	deliver(&w->client, (struct link_event){ .type = LINK_LEAVE_LINE, .line = 99 });
	assert_int_equal(3, link_waiting(&w->client.link));
	assert_null(link_out_find(&w->client.link, 1));
	w->is_cut = false;
	run(w, 10000);
	assert_int_equal(0, w->server.stored[1]);
	assert_int_equal(3, w->server.stored[2]);
	assert_int_equal(0, link_waiting(&w->client.link));
}

static void a_restarted_server_is_greeted_anew(void **state)
{
	struct world *w = *state;
	connect_client(w);
	run(w, 100);
	commit(&w->server, 3, 900);
	run(w, 200);
	process_dies(&w->server); /* the client's transport does not notice */
	commit(&w->client, 1, 5);
	run(w, 2 * LINK_SILENCE_MS);
	assert_true(is_open(w));
	assert_true(is_level(w));
	assert_int_equal(w->client.duplicates, 0); /* HELLO said where the client stands */
}

static void frames_of_no_session_change_nothing(void **state)
{
	struct world *w = *state;
	deliver(&w->client,
	        (struct link_event){ .type = LINK_HELLO, .session = 7, .version_least = 1, .version_most = 1 });
	assert_int_equal(w->client.link.state, LINK_IDLE); /* an answer to a greeting that was given up */
	deliver(&w->client, (struct link_event){ .type = LINK_STORED, .line = 1, .ordinal = 10 });
	deliver(&w->client, (struct link_event){ .type = LINK_STORED, .line = 1, .ordinal = 3 }); /* never backwards */
	deliver(&w->client, (struct link_event){ .type = LINK_GAP, .line = 1 });
	deliver(&w->client, (struct link_event){ .type = LINK_TICK });
	assert_int_equal(w->client.acks, 0);
	w->client.stored[1] = 10;
	w->server.head[1] = 12;
	connect_client(w);
	lines_tell(&w->server);
	run(w, 300);
	assert_true(is_level(w));
	assert_int_equal(w->client.entries_got, 2);
}

#define story(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_greeting_and_its_answer_open_the_link),
		story(a_lost_greeting_is_said_again),
		story(an_unanswered_client_starts_anew),
		story(versions_that_do_not_meet_are_refused),
		story(a_newer_side_that_still_speaks_ours_is_welcome),
		story(a_late_answer_leaves_no_two_sessions),
		story(what_is_committed_is_sent_and_acked),
		story(what_gathered_while_they_were_apart_is_sent_after_the_greeting),
		story(no_more_is_under_way_than_was_granted),
		story(a_full_inbox_stops_the_sender_until_there_is_room),
		story(a_backlog_on_one_line_delays_no_other),
		story(three_backlogs_take_turns),
		story(one_send_is_asked_for_at_a_time),
		story(a_blocked_transport_is_tried_again_without_spinning),
		story(without_an_ack_it_is_sent_again),
		story(behind_a_gap_it_goes_back_once),
		story(what_comes_again_is_acked_again),
		story(nobody_can_ack_more_than_there_is),
		story(half_of_all_frames_may_go_and_everything_arrives_once),
		story(a_frozen_line_stops_and_the_others_go_on),
		story(a_frozen_line_is_offered_again),
		story(beats_keep_a_quiet_link_open),
		story(a_neighbour_that_beats_rarely_is_not_lost_and_wakes_nobody_between),
		story(one_that_beats_rarely_is_lost_after_four_beats),
		story(beats_say_what_still_waits),
		story(silence_closes_both_ends_and_the_client_comes_back),
		story(what_waits_to_be_looked_at_is_no_silence),
		story(what_is_sent_last_holds_nothing_up),
		story(a_part_that_is_lost_or_refused_stands_in_no_ones_way),
		story(a_new_session_forgets_what_was_under_way),
		story(what_is_acked_gives_its_bytes_back),
		story(a_neighbour_that_has_more_than_was_sent_is_believed),
		story(credits_that_were_lost_do_not_stop_a_line_for_ever),
		story(more_lines_than_were_thought_of),
		story(nothing_is_sent_before_the_neighbour_says_where_it_stands),
		story(a_resend_does_not_wait_for_a_rare_beat),
		story(who_has_a_server_s_side_waits_to_be_greeted),
		story(a_line_that_is_left_is_sent_no_more),
		story(a_restarted_server_is_greeted_anew),
		story(frames_of_no_session_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
