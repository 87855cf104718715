/*
 * A turn that fails leaves nothing behind: not in the store, not in memory. What a turn leaves survives.
 */
#include "house.h"

static void a_failed_turn_leaves_positions_and_lines_as_they_were(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	tell(t, 3);
	uint32_t lines = journal_line_count(t->journal);
	struct line before = *line_of(t, all_of(t));
	turn_begin(t);
	told(t, "forgotten");
	struct placed placed;
	assert_ok(t, try_append(t, LM__KIND__KIND_ACCOUNT, LM__STREAM__STREAM_OWN, 0, bytes_from_text("x"), false,
	                        &placed));
	assert_ok(t, try_append(t, LM__KIND__KIND_STATUS, LM__STREAM__STREAM_DOWN, 77, bytes_from_text("x"), false,
	                        &placed));
	assert_int_equal(journal_position(t->journal), 6);
	assert_ok(t, journal_turn_seal(t->journal, &t->e));
	turn_abort(t);
	assert_int_equal(journal_position(t->journal), 3);
	assert_int_equal(journal_line_count(t->journal), lines);
	assert_null(line_of(t, (struct line_key){ t->device, LM__STREAM__STREAM_DOWN, 77 }));
	assert_memory_equal(line_of(t, all_of(t)), &before, sizeof before);

	tell(t, 1);
	assert_int_equal(line_of(t, all_of(t))->ordinal, 4);
	assert_int_equal(carry(t, &h->town, t, all_of(t)).placed, 4);
}

static void what_is_sealed_after_a_failed_turn_can_be_opened(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	turn_begin(t); /* the notice of a new period goes down with this turn … */
	request(t, "lost");
	turn_abort(t);
	turn_begin(t);
	request(t, "kept"); /* … so this one announces a period of its own */
	turn_commit(t);
	turn_begin(t);
	request(t, "lost, too"); /* uses up an index */
	turn_abort(t);
	turn_begin(t);
	request(t, "kept as well");
	turn_commit(t);
	assert_int_equal(line_of(t, h->up)->ordinal, 3);
	carry(t, &h->town, t, h->up);
	carry(&h->town, &h->hub, t, h->up);
	assert_opens(&h->town, h->up, 2, "kept");
	assert_opens(&h->hub, h->up, 3, "kept as well");
}

static void a_period_that_replaced_another_in_a_failed_turn_is_not_used(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	turn_begin(t);
	request(t, "of the first period");
	turn_commit(t);
	t->now_ms += PERIOD_AGE_MOST_MS;
	turn_begin(t);
	request(t, "of a second that was never announced");
	turn_abort(t);
	turn_begin(t);
	request(t, "of a third");
	turn_commit(t);
	assert_int_equal(line_of(t, h->up)->ordinal, 4);
	carry(t, &h->town, t, h->up);
	assert_opens(&h->town, h->up, 4, "of a third");
}

static void recipients_of_a_failed_turn_are_forgotten(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct period_recipient only = { .id = t->device };
	memcpy(only.opening_key, t->keys.opening_public, KEY_BYTES);
	turn_begin(t);
	assert_ok(t, journal_set_recipients(t->journal, &h->up, &only, 1, &t->e));
	turn_abort(t);
	turn_begin(t);
	request(t, "for town and district");
	turn_commit(t);
	carry(t, &h->town, t, h->up);
	assert_opens(&h->town, h->up, 2, "for town and district");
	struct period_recipient five[PERIOD_RECIPIENTS_MOST + 1] = { only };
	assert_code(journal_set_recipients(t->journal, &h->up, five, PERIOD_RECIPIENTS_MOST + 1, &t->e), ERR_TOO_MANY);
	turn_begin(t);
	request(t, "for the same as before");
	turn_commit(t);
	carry(t, &h->town, t, h->up);
	assert_opens(&h->town, h->up, 3, "for the same as before");
}

static void a_failed_turn_takes_nothing_from_a_neighbour(void **state)
{
	struct house *h = *state;
	uint64_t through;
	tell(&h->hub, 3);
	Lm__Batch *batch = load(&h->hub, all_of(&h->hub), 1, &through);
	turn_begin(&h->town);
	assert_int_equal(take_in_turn(&h->town, &h->hub, batch).placed, 3);
	turn_abort(&h->town);
	assert_null(line_of(&h->town, all_of(&h->hub)));
	assert_int_equal(take(&h->town, &h->hub, batch).placed, 3);
	tell(&h->hub, 2);
	batch = load(&h->hub, all_of(&h->hub), 4, &through);
	turn_begin(&h->town);
	take_in_turn(&h->town, &h->hub, batch);
	turn_abort(&h->town);
	assert_int_equal(line_of(&h->town, all_of(&h->hub))->ordinal, 3);
	assert_int_equal(take(&h->town, &h->hub, batch).placed, 2);
	party_restart(&h->town);
	struct journal_audit audit;
	assert_ok(&h->town, verify(&h->town, (struct keyring){ { &h->hub } }, &audit));
	assert_int_equal(audit.items, 5);
}

static void a_turn_that_fails_between_two_lines_numbers_them_anew(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct placed placed;
	turn_begin(t);
	for (uint64_t receiver = 1; receiver <= 50; receiver++)
		assert_ok(t, try_append(t, LM__KIND__KIND_STATUS, LM__STREAM__STREAM_DOWN, receiver,
		                        bytes_from_text("x"), false, &placed));
	turn_abort(t);
	turn_begin(t);
	for (uint64_t receiver = 100; receiver >= 40; receiver--)
		assert_ok(t, try_append(t, LM__KIND__KIND_STATUS, LM__STREAM__STREAM_DOWN, receiver,
		                        bytes_from_text("x"), false, &placed));
	turn_commit(t);
	party_restart(t);
	for (uint64_t receiver = 1; receiver <= 100; receiver++) {
		const struct line *line = line_of(t, (struct line_key){ t->device, LM__STREAM__STREAM_DOWN, receiver });
		assert_int_equal(line != NULL, receiver >= 40);
		if (line)
			assert_ptr_equal(journal_line(t->journal, line->number), line);
	}
}

/* ---- marks ---- */

static void marks_only_rise_and_survive(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct line_key all = all_of(t);
	tell(t, 5);
	uint32_t number = line_of(t, all)->number;
	assert_true(journal_mark_raise(t->journal, number, JOURNAL_CUSTODY, 4));
	assert_false(journal_mark_raise(t->journal, number, JOURNAL_CUSTODY, 4));
	assert_false(journal_mark_raise(t->journal, number, JOURNAL_CUSTODY, 2));
	assert_true(journal_mark_raise(t->journal, number, JOURNAL_FINAL, 99)); /* nobody has more than was sent */
	assert_int_equal(line_of(t, all)->final, 5);
	assert_true(journal_has_unwritten_marks(t->journal));

	turn_begin(t); /* a turn that fails does not undo what a neighbour has */
	told(t, "lost");
	assert_ok(t, journal_turn_seal(t->journal, &t->e));
	turn_abort(t);
	assert_int_equal(line_of(t, all)->custody, 4);
	assert_true(journal_has_unwritten_marks(t->journal));

	turn_begin(t);
	turn_commit(t);
	assert_false(journal_has_unwritten_marks(t->journal));
	party_restart(t);
	assert_int_equal(line_of(t, all)->custody, 4);
	assert_int_equal(line_of(t, all)->final, 5);
	assert_int_equal(line_of(t, all)->signed_final, 0);
}

static void marks_raised_at_any_moment_of_a_turn_are_written(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct line_key all = all_of(t);
	tell(t, 5);
	turn_begin(t);
	journal_mark_raise(t->journal, line_of(t, all)->number, JOURNAL_CUSTODY,
	                   3); /* a line that the turn does not touch */
	assert_ok(t, journal_turn_seal(t->journal, &t->e));
	journal_mark_raise(t->journal, line_of(t, all)->number, JOURNAL_SAFE, 2); /* too late for this one */
	assert_ok(t, store_commit(t->txn, &t->e));
	journal_turn_end(t->journal, true);
	const uint32_t *moved;
	assert_int_equal(journal_turn_lines(t->journal, &moved), 1);
	assert_true(journal_has_unwritten_marks(t->journal));
	turn_begin(t);
	turn_commit(t);
	party_restart(t);
	assert_int_equal(line_of(t, all)->custody, 3);
	assert_int_equal(line_of(t, all)->safe, 2);
}

static void a_mark_goes_with_the_entries_it_was_for(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	tell(t, 2);
	turn_begin(t);
	struct placed placed = told(t, "final at once, being the district's own");
	assert_true(journal_mark_raise(t->journal, placed.line, JOURNAL_FINAL, placed.ordinal));
	turn_abort(t);
	assert_int_equal(line_of(t, all_of(t))->final, 2);
	turn_begin(t);
	placed = told(t, "again");
	journal_mark_raise(t->journal, placed.line, JOURNAL_FINAL, placed.ordinal);
	turn_commit(t);
	assert_int_equal(line_of(t, all_of(t))->final, 3);
}

/* ---- dispositions ---- */

static void what_is_held_waits_for_its_cause(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct bytes cause = bytes_from_text("case-1"), longer = BYTES("case-1\0\0\0\0", 10);
	uint64_t position = 0;
	tell(t, 3);
	turn_begin(t);
	assert_ok(t, journal_hold(t->journal, cause, 2));
	assert_ok(t, journal_hold(t->journal, longer, 3)); /* lies beside it, and is another cause */
	assert_ok(t, journal_hold(t->journal, cause, 1));
	assert_ok(t, journal_set_disposition(t->journal, 2, LM__DISPOSITION__DISPOSITION_HELD, "waits for its case"));
	assert_code(journal_hold(t->journal, BYTES("a cause that is far longer than forty-eight bytes, ever", 56), 1),
	            ERR_TOO_BIG);
	assert_code(journal_held_take(t->journal, bytes_from_text("case-2"), &position), ERR_NOT_FOUND);
	turn_commit(t);
	party_restart(t);

	struct store_txn *txn = snapshot(t);
	Lm__TapeItem *item;
	assert_int_equal(journal_held_count(txn), 3);
	assert_ok(t, journal_read(txn, 2, &t->arena, &item, &t->e));
	assert_int_equal(item->disposition, LM__DISPOSITION__DISPOSITION_HELD);
	assert_string_equal(item->reason, "waits for its case");
	store_abort(txn);

	uint64_t retry = 0;
	turn_begin(t);
	assert_ok(t, journal_held_take(t->journal, cause, &position));
	assert_int_equal(position, 1);
	assert_ok(t, journal_held_take(t->journal, cause, &position));
	assert_int_equal(position, 2);
	assert_code(journal_held_take(t->journal, cause, &position), ERR_NOT_FOUND);
	assert_ok(t, journal_retry(t->journal, position, &retry));
	assert_int_equal(retry, 4);
	assert_code(journal_retry(t->journal, 99, &retry), ERR_NOT_FOUND);
	turn_commit(t);

	txn = snapshot(t);
	assert_int_equal(journal_held_count(txn), 1);
	assert_ok(t, journal_read(txn, 4, &t->arena, &item, &t->e));
	assert_int_equal(item->disposition, LM__DISPOSITION__DISPOSITION_RETRIED);
	assert_int_equal(item->retry_of, 2);
	assert_ok(t,
	          journal_read(txn, 2, &t->arena, &item, &t->e)); /* replay passes it over: it keeps its disposition */
	assert_int_equal(item->disposition, LM__DISPOSITION__DISPOSITION_HELD);
	assert_int_equal(item->retry_of, 4);
	store_abort(txn);
}

static void the_tape_is_read_in_order(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	Lm__TapeItem *item;
	tell(t, 3);
	t->now_ms += 1000;
	tell(t, 1);
	struct store_txn *txn = snapshot(t);
	for (uint64_t position = 1, want = 1; want <= 4; want++, position++) {
		assert_ok(t, journal_read_next(txn, &position, &t->arena, &item, &t->e));
		assert_int_equal(position, want);
		assert_int_equal(item->ordinal, want);
		assert_int_equal(item->taken_ms, want <= 3 ? NOON_MS : NOON_MS + 1000);
	}
	uint64_t end = 5;
	assert_code(journal_read_next(txn, &end, &t->arena, &item, &t->e), ERR_NOT_FOUND);
	assert_code(journal_read(txn, 5, &t->arena, &item, &t->e), ERR_NOT_FOUND);
	store_abort(txn);
}

static void a_disposition_given_in_the_turn_stays_beside_the_signature(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	turn_begin(t);
	struct placed placed = told(t, "refused by apply");
	assert_ok(t,
	          journal_set_disposition(t->journal, placed.position, LM__DISPOSITION__DISPOSITION_QUARANTINED, NULL));
	turn_commit(t);
	uint64_t position;
	Lm__TapeItem *item = item_at(t, all_of(t), 1, &position);
	assert_int_equal(item->disposition, LM__DISPOSITION__DISPOSITION_QUARANTINED);
	assert_non_null(item->heads);
	assert_int_equal(carry(t, &h->town, t, all_of(t)).placed, 1); /* poison delays no other */
}

static void an_entry_set_aside_is_kept_once_and_placed_nowhere(void **state)
{
	struct house *h = *state;
	struct checked_entry *entries;
	size_t count;
	uint64_t through;
	tell(&h->hub, 2);
	assert_ok(&h->town, check(&h->town, &h->hub, load(&h->hub, all_of(&h->hub), 1, &through), &entries, &count));
	for (int time = 0; time < 2; time++) {
		turn_begin(&h->town);
		for (size_t i = 0; i < count; i++)
			assert_ok(&h->town, journal_set_aside(h->town.journal, &entries[i],
			                                      LM__DISPOSITION__DISPOSITION_REVOKED, "revoked"));
		turn_commit(&h->town);
	}
	assert_int_equal(quarantined(&h->town), 2);
	assert_null(line_of(&h->town, all_of(&h->hub)));
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_failed_turn_leaves_positions_and_lines_as_they_were),
		story(what_is_sealed_after_a_failed_turn_can_be_opened),
		story(a_period_that_replaced_another_in_a_failed_turn_is_not_used),
		story(recipients_of_a_failed_turn_are_forgotten),
		story(a_failed_turn_takes_nothing_from_a_neighbour),
		story(a_turn_that_fails_between_two_lines_numbers_them_anew),
		story(marks_only_rise_and_survive),
		story(marks_raised_at_any_moment_of_a_turn_are_written),
		story(a_mark_goes_with_the_entries_it_was_for),
		story(what_is_held_waits_for_its_cause),
		story(the_tape_is_read_in_order),
		story(a_disposition_given_in_the_turn_stays_beside_the_signature),
		story(an_entry_set_aside_is_kept_once_and_placed_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
