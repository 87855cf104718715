/* What the tier above refuses of our entries, and how long that stands. */
#include "../../../common/node/links.h"
#include "../journal/rig.h"

#define SESSION UINT64_C(77)

struct refused {
	struct party terminal;
	struct node node;
	struct peer above;
	uint32_t line;
	uint64_t now_ms;
};

static void step(struct refused *r, struct link_event ev)
{
	struct link_update update = { 0 };
	ev.now_ms = r->now_ms;
	ev.line = r->line;
	assert_int_equal(link_step(&r->above.link, &ev, &update), OK);
	link_update_release(&update);
}

/* All that was written is stored there. */
static void greet(struct refused *r, uint64_t session)
{
	const struct line *l = journal_line(r->node.journal, r->line);
	step(r, (struct link_event){ .type = LINK_TRANSPORT_UP });
	step(r, (struct link_event){ .type = LINK_SEND_LINE, .ordinal = l->ordinal });
	step(r, (struct link_event){ .type = LINK_HELLO, .session = session, .version_least = 1, .version_most = 1 });
	step(r, (struct link_event){ .type = LINK_PEER_AT, .ordinal = l->ordinal });
}

static void refuse(struct refused *r)
{
	Lm__AckLine ack = LM__ACK_LINE__INIT;
	ack.state = LM__ACK_STATE__ACK_STATE_FROZEN;
	ack.why = (char *)(uintptr_t) "its payload is not the one its header names";
	step(r, (struct link_event){ .type = LINK_PEER_FROZE });
	history_ack_came(&r->node, &r->above, journal_line(r->node.journal, r->line), &ack);
}

static bool is_stopped(struct refused *r)
{
	struct upstream_state up;
	history_state_tell(&r->node);
	node_upstream(&r->node, &up);
	assert_int_equal(up.is_frozen, up.frozen_why[0] != '\0');
	return up.is_frozen;
}

static int set_up(void **state)
{
	struct refused *r = calloc(1, sizeof *r);
	assert_non_null(r);
	party_begin(&r->terminal);
	recipients_are(&r->terminal, &r->terminal, &r->terminal);
	turn_begin(&r->terminal);
	request(&r->terminal, "one");
	turn_commit(&r->terminal);
	struct line_key up = up_of(&r->terminal);
	r->node.journal = r->terminal.journal;
	r->node.domain.device = r->terminal.device;
	r->node.upstream = &r->above;
	r->above.is_upstream = true;
	r->line = journal_line_find(r->node.journal, &up)->number;
	pthread_mutex_init(&r->node.directory_lock, NULL);
	link_init(&r->above.link, LINK_CLIENT, LINK_BEAT_MS);
	greet(r, SESSION);
	assert_false(is_stopped(r));
	refuse(r);
	assert_true(is_stopped(r));
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct refused *r = *state;
	link_release(&r->above.link);
	pthread_mutex_destroy(&r->node.directory_lock);
	party_end(&r->terminal);
	free(r);
	return 0;
}

/* The refusal was of a message that was altered on its way, or came late: the entries had been taken meanwhile. Nothing
 * would be sent any more, and nobody would say so. */
static void a_refusal_ends_with_its_session(void **state)
{
	struct refused *r = *state;
	greet(r, SESSION + 1);
	assert_false(is_stopped(r));
}

static void a_refusal_ends_when_entries_are_offered_again(void **state)
{
	struct refused *r = *state;
	for (uint64_t end = r->now_ms + LINK_FROZEN_MS - 1; r->now_ms < end; r->now_ms += LINK_BEAT_MS) {
		step(r, (struct link_event){ .type = LINK_HEARD });
		step(r, (struct link_event){ .type = LINK_TICK });
		assert_true(is_stopped(r));
	}
	step(r, (struct link_event){ .type = LINK_HEARD });
	step(r, (struct link_event){ .type = LINK_TICK });
	assert_false(is_stopped(r));
}

static void a_refusal_ends_with_an_ack(void **state)
{
	struct refused *r = *state;
	history_taken(&r->node, &r->above, journal_line(r->node.journal, r->line));
	assert_false(is_stopped(r));
}

static void two_histories_outlast_the_session(void **state)
{
	struct refused *r = *state;
	struct history fork = { 0x1234, 3 };
	turn_begin(&r->terminal);
	assert_int_equal(journal_freeze(r->node.journal, r->line, &fork, "two histories"), OK);
	turn_commit(&r->terminal);
	greet(r, SESSION + 1);
	assert_true(is_stopped(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_refusal_ends_with_its_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refusal_ends_when_entries_are_offered_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refusal_ends_with_an_ack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_histories_outlast_the_session, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
