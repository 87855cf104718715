/*
 * What the last turn placed is sent from memory: the same bytes as from the tape, and never what was not committed. And
 * how two streams written in turn lie on the tape.
 */
#include "rig.h"

struct house {
	struct party terminal, town;
};

static int house_begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	party_begin(&h->terminal);
	party_begin(&h->town);
	recipients_are(&h->terminal, &h->town, &h->town);
	*state = h;
	return 0;
}

static int house_end(void **state)
{
	struct house *h = *state;
	party_end(&h->terminal);
	party_end(&h->town);
	free(h);
	return 0;
}

static int recent(struct party *p, struct line_key key, uint64_t from, uint32_t most, Lm__Batch **out,
                  uint64_t *through)
{
	uint32_t bytes;
	return journal_load_recent(p->journal, line_of(p, key), from, most, 256 * 1024, &p->arena, out, through, &bytes,
	                           &p->e);
}

static void assert_same(struct party *p, const Lm__Batch *a, const Lm__Batch *b)
{
	struct bytes packed_a, packed_b;
	assert_ok(p, CODEC_PACK(a, &p->arena, &packed_a, &p->e));
	assert_ok(p, CODEC_PACK(b, &p->arena, &packed_b, &p->e));
	assert_true(bytes_equal(packed_a, packed_b));
}

/* A receipt's lock after each request, as a terminal writes them. */
static void requests(struct party *p, int count)
{
	struct placed placed;
	for (int i = 0; i < count; i++) {
		request(p, "a wheelchair");
		assert_ok(p, try_append(p, LM__KIND__KIND_RECEIPT_LOCK, LM__STREAM__STREAM_OWN, 0,
		                        bytes_from_text("lock"), true, &placed));
	}
}

static void memory_and_tape_say_the_same(void **state)
{
	struct house *h = *state;
	struct line_key up = up_of(&h->terminal);
	Lm__Batch *batch;
	uint64_t through, stored;
	turn_begin(&h->terminal);
	requests(&h->terminal, 9);
	turn_commit(&h->terminal);
	assert_ok(&h->terminal, recent(&h->terminal, up, 1, 256, &batch, &through));
	assert_int_equal(through, 10); /* the notice of the key period is the first */
	assert_same(&h->terminal, batch, load(&h->terminal, up, 1, &stored));
	assert_int_equal(stored, through);

	turn_begin(&h->town); /* and so it is passed on */
	assert_int_equal(take_in_turn(&h->town, &h->terminal, wired(&h->town, batch)).placed, 10);
	turn_commit(&h->town);
	assert_ok(&h->town, recent(&h->town, up, 1, 256, &batch, &through));
	assert_same(&h->town, batch, load(&h->town, up, 1, &stored));
}

static void a_message_from_memory_ends_at_a_signed_head(void **state)
{
	struct house *h = *state;
	struct line_key up = up_of(&h->terminal);
	Lm__Batch *batch;
	uint64_t through, stored;
	turn_begin(&h->terminal);
	requests(&h->terminal, 300); /* a head is signed after 256 entries, and at the end */
	turn_commit(&h->terminal);
	assert_ok(&h->terminal, recent(&h->terminal, up, 1, 256, &batch, &through));
	assert_int_equal(through, 256);
	assert_same(&h->terminal, batch, load(&h->terminal, up, 1, &stored));
	assert_ok(&h->terminal, recent(&h->terminal, up, 257, 256, &batch, &through));
	assert_int_equal(through, 301);
	assert_same(&h->terminal, batch, load(&h->terminal, up, 257, &stored));
	assert_code(recent(&h->terminal, up, 302, 256, &batch, &through), ERR_NOT_FOUND);
}

static void memory_holds_the_last_committed_turn_and_no_other(void **state)
{
	struct house *h = *state;
	struct line_key up = up_of(&h->terminal);
	Lm__Batch *batch;
	uint64_t through;
	turn_begin(&h->terminal);
	requests(&h->terminal, 1);
	assert_code(recent(&h->terminal, up, 1, 256, &batch, &through), ERR_NOT_FOUND); /* not committed yet */
	turn_commit(&h->terminal);
	turn_begin(&h->terminal);
	requests(&h->terminal, 1);
	turn_abort(&h->terminal);
	assert_code(recent(&h->terminal, up, 3, 256, &batch, &through), ERR_NOT_FOUND);
	turn_begin(&h->terminal);
	requests(&h->terminal, 1);
	turn_commit(&h->terminal);
	assert_code(recent(&h->terminal, up, 1, 256, &batch, &through), ERR_NOT_FOUND); /* of the turn before */
	assert_ok(&h->terminal, recent(&h->terminal, up, 3, 256, &batch, &through));
	journal_recent_end(h->terminal.journal);
	assert_code(recent(&h->terminal, up, 3, 256, &batch, &through), ERR_NOT_FOUND);
	load(&h->terminal, up, 1, &through);
	assert_int_equal(through, 3);
}

/* Entries at every second place make one run, and each is found. */
static void streams_written_in_turn_make_long_runs(void **state)
{
	struct house *h = *state;
	struct party *p = &h->terminal;
	struct line_key up = up_of(p), own = { p->device, LM__STREAM__STREAM_OWN, 0 };
	for (int turn = 0; turn < 5; turn++) {
		turn_begin(p);
		requests(p, 20);
		turn_commit(p);
	}
	struct store_txn *txn = snapshot(p);
	assert_true(store_count(txn, &journal_table_run) <= 4);
	for (uint64_t ordinal = 1; ordinal <= 100; ordinal++) {
		Lm__TapeItem *item;
		uint64_t position;
		assert_ok(p,
		          journal_read_line(txn, line_of(p, up)->number, ordinal, &p->arena, &position, &item, &p->e));
		assert_int_equal(item->ordinal, ordinal);
		assert_int_equal(item->line, line_of(p, up)->number);
		assert_ok(p,
		          journal_read_line(txn, line_of(p, own)->number, ordinal, &p->arena, &position, &item, &p->e));
		assert_int_equal(item->ordinal, ordinal);
		assert_int_equal(item->line, line_of(p, own)->number);
	}
	store_abort(txn);
	party_restart(p); /* and goes on in the next life */
	recipients_are(p, &h->town, &h->town);
	turn_begin(p);
	requests(p, 3);
	turn_commit(p);
	assert_true(carry(p, &h->town, p, up).placed > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_and_tape_say_the_same, house_begin, house_end),
		cmocka_unit_test_setup_teardown(a_message_from_memory_ends_at_a_signed_head, house_begin, house_end),
		cmocka_unit_test_setup_teardown(memory_holds_the_last_committed_turn_and_no_other, house_begin,
		                                house_end),
		cmocka_unit_test_setup_teardown(streams_written_in_turn_make_long_runs, house_begin, house_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
