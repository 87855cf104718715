/* A terminal whose disk was put back sends what its town has had long since, and the town has more than it knows. */
#include "../../../common/node/links.h"
#include "../journal/rig.h"

#define SESSION UINT64_C(77)

struct put_back {
	struct party terminal, town;
	struct node at_terminal, at_town;
	struct peer above, below;
	uv_loop_t loop;
	struct line_key up;
	uint32_t line;
};

static void woken(uv_async_t *async)
{
	(void)async;
}

static void say(struct party *p, int count)
{
	turn_begin(p);
	for (int i = 0; i < count; i++)
		request(p, "one");
	turn_commit(p);
}

static void step(struct put_back *w, struct link_event ev)
{
	struct link_update update = { 0 };
	ev.line = w->line;
	assert_int_equal(link_step(&w->above.link, &ev, &update), OK);
	link_update_release(&update);
}

/* The terminal has sent all that it has, and its town has answered nothing yet. */
static int put_back(void **state, size_t lives)
{
	struct put_back *w = calloc(1, sizeof *w);
	assert_non_null(w);
	party_begin(&w->terminal);
	party_begin(&w->town);
	recipients_are(&w->terminal, &w->town, &w->town);
	w->up = up_of(&w->terminal);
	say(&w->terminal, 2);
	party_image(&w->terminal);
	/* More processes than a town names of a line. */
	for (size_t i = 0; i < lives; i++) {
		party_restart(&w->terminal);
		recipients_are(&w->terminal, &w->town, &w->town);
		say(&w->terminal, 1);
	}
	carry(&w->terminal, &w->town, &w->terminal, w->up);
	party_restore(&w->terminal);
	const struct line *l = line_of(&w->terminal, w->up);
	w->line = l->number;
	w->at_terminal.journal = w->terminal.journal;
	w->at_terminal.store = w->terminal.store;
	w->at_terminal.domain.device = w->terminal.device;
	w->at_terminal.upstream = &w->above;
	w->above.is_upstream = true;
	w->at_town.journal = w->town.journal;
	w->at_town.store = w->town.store;
	w->at_town.domain.tier = LM__TIER__TIER_TOWN;
	w->at_town.peer[0] = &w->below;
	w->at_town.peer_visible = 1;
	w->below.device = w->terminal.device;
	w->below.link.state = LINK_OPEN;
	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(uv_async_init(&w->loop, &w->at_town.outbox_async, woken), 0);
	assert_int_equal(uv_async_init(&w->loop, &w->at_terminal.outbox_async, woken), 0);
	pthread_mutex_init(&w->at_terminal.directory_lock, NULL);
	pthread_mutex_init(&w->at_terminal.outbox_lock, NULL);
	pthread_mutex_init(&w->at_town.outbox_lock, NULL);
	link_init(&w->above.link, LINK_CLIENT, LINK_BEAT_MS);
	step(w, (struct link_event){ .type = LINK_TRANSPORT_UP });
	step(w, (struct link_event){ .type = LINK_SEND_LINE, .ordinal = l->ordinal });
	step(w, (struct link_event){ .type = LINK_HELLO, .session = SESSION, .version_least = 1, .version_most = 1 });
	step(w, (struct link_event){ .type = LINK_PEER_AT, .ordinal = 0 });
	step(w, (struct link_event){ .type = LINK_SENT, .ordinal = l->ordinal, .bytes = 1000 });
	assert_int_equal(link_waiting(&w->above.link), l->ordinal);
	*state = w;
	return 0;
}

static int set_up(void **state)
{
	return put_back(state, 1);
}

static int set_up_long_ago(void **state)
{
	return put_back(state, 2 * HAVE_PER_LINE);
}

static int tear_down(void **state)
{
	struct put_back *w = *state;
	if (w->at_terminal.send_txn)
		store_abort(w->at_terminal.send_txn);
	if (w->at_town.send_txn)
		store_abort(w->at_town.send_txn);
	arena_release(&w->at_town.send_arena);
	free(w->below.marks_due);
	for (struct out *o = outbox_take(&w->at_terminal), *next; o; o = next) { /* news of its marks */
		next = o->next;
		free(o);
	}
	uv_close((uv_handle_t *)&w->at_town.outbox_async, NULL);
	uv_close((uv_handle_t *)&w->at_terminal.outbox_async, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	link_release(&w->above.link);
	pthread_mutex_destroy(&w->at_terminal.directory_lock);
	pthread_mutex_destroy(&w->at_terminal.outbox_lock);
	pthread_mutex_destroy(&w->at_town.outbox_lock);
	party_end(&w->terminal);
	party_end(&w->town);
	free(w);
	return 0;
}

/* The town's newest position says nothing to this machine. */
static void what_it_does_not_know_is_no_ack(void **state)
{
	struct put_back *w = *state;
	const struct line *there = line_of(&w->town, w->up);
	Lm__StreamKey key = LM__STREAM_KEY__INIT;
	Lm__Position at = LM__POSITION__INIT;
	Lm__AckLine ack = LM__ACK_LINE__INIT;
	key.origin = w->up.origin;
	key.stream = w->up.stream;
	at.key = &key;
	at.incarnation = there->incarnation;
	at.seq = there->seq;
	ack.at = &at;
	ack.state = LM__ACK_STATE__ACK_STATE_STORED;
	ack_line_came(&w->at_terminal, &w->above, &ack);
	assert_true(link_waiting(&w->above.link));
}

static void what_came_again_is_acked_as_it_came(void **state)
{
	struct put_back *w = *state;
	uint64_t through;
	Lm__Batch *batch = load(&w->terminal, w->up, 1, &through);
	Lm__Header *last;
	assert_int_equal(through, line_of(&w->terminal, w->up)->ordinal);
	assert_ok(&w->terminal, CODEC_UNPACK(lm__header, codec_bytes(batch->entries[batch->n_entries - 1]->header),
	                                     &w->terminal.arena, &last, &w->terminal.e));
	frame_ack_again(&w->at_town, &w->below, batch, last);
	struct out *o = outbox_take(&w->at_town);
	Lm__Frame *frame;
	assert_non_null(o);
	assert_ok(&w->terminal, CODEC_UNPACK(lm__frame, BYTES(o->frame->data, o->frame->size), &w->terminal.arena,
	                                     &frame, &w->terminal.e));
	assert_int_equal(frame->body_case, LM__FRAME__BODY_ACK);
	ack_line_came(&w->at_terminal, &w->above, frame->ack->lines[0]);
	assert_int_equal(link_waiting(&w->above.link), 0);
	out_frame_free(o->frame);
	free(o);
}

/* All of it is with the district; of the town's newest positions, and of those before them that it names, this machine
 * knows none. */
static void it_is_told_the_marks_of_what_it_knows(void **state)
{
	struct put_back *w = *state;
	Lm__Beat beat = LM__BEAT__INIT;
	Lm__StreamKey key = LM__STREAM_KEY__INIT;
	Lm__Position newest = LM__POSITION__INIT;
	const struct line *here = line_of(&w->terminal, w->up), *there = line_of(&w->town, w->up);
	assert_true(journal_mark_raise(w->town.journal, there->number, JOURNAL_FINAL, there->ordinal));
	key.origin = w->up.origin;
	key.stream = w->up.stream;
	newest.key = &key;
	newest.incarnation = here->incarnation;
	newest.seq = here->seq;
	beat.newest = &newest;
	beat_came(&w->at_town, &w->below, &beat);
	assert_int_equal(w->below.marks_due_count, 1);
	frame_marks(&w->at_town, &w->below);
	struct out *o = outbox_take(&w->at_town);
	Lm__Frame *frame;
	assert_non_null(o);
	assert_ok(&w->terminal, CODEC_UNPACK(lm__frame, BYTES(o->frame->data, o->frame->size), &w->terminal.arena,
	                                     &frame, &w->terminal.e));
	assert_int_equal(frame->body_case, LM__FRAME__BODY_MARKS);
	marks_came(&w->at_terminal, frame->marks, JOURNAL_FINAL);
	assert_int_equal(here->final, here->ordinal);
	out_frame_free(o->frame);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_it_does_not_know_is_no_ack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_came_again_is_acked_as_it_came, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_told_the_marks_of_what_it_knows, set_up_long_ago, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
