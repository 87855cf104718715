/*
 * Two machines with the keys of one device, and an operator who says which of their histories goes on: it goes on in
 * its own order, what the other one says is kept in quarantine, and those above who hear all of it come to the same.
 */
#include "rig.h"

struct house {
	struct party first, second, relay, hub; /* first and second: one device */
	struct line_key up;
	struct history of_first, of_second;
};

/* As tell, in the stream that the others pass on. */
static void say(struct party *p, int count)
{
	struct placed placed;
	turn_begin(p);
	for (int i = 0; i < count; i++)
		assert_ok(p, try_append(p, LM__KIND__KIND_DEVICE, LM__STREAM__STREAM_UP, 0, bytes_from_text("hello"),
		                        false, &placed));
	turn_commit(p);
}

/*
 *   P1 P2 P3 ┬ P4            the first machine, which goes on in its process
 *            └ S1 S2         the second, from an image after P3: a rollback to the relay
 *   then P5 comes: a clone, and the line is frozen
 */
static int house_begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	party_begin(&h->first);
	party_begin(&h->relay);
	party_begin(&h->hub);
	h->up = up_of(&h->first);
	say(&h->first, 3);
	party_image(&h->first);
	party_clone(&h->first, &h->second);
	say(&h->first, 1);
	carry(&h->first, &h->relay, &h->first, h->up);
	say(&h->second, 2);
	assert_int_equal(carry(&h->second, &h->relay, &h->first, h->up).rollbacks, 1);
	say(&h->first, 1);
	assert_int_equal(carry_from(&h->first, &h->relay, &h->first, h->up, 5).fault, ERR_CLONE);
	h->of_first = (struct history){ journal_incarnation(h->first.journal), 5 };
	h->of_second = (struct history){ journal_incarnation(h->second.journal), 2 };
	*state = h;
	return 0;
}

static int house_end(void **state)
{
	struct house *h = *state;
	party_end(&h->first);
	party_end(&h->second);
	party_end(&h->relay);
	party_end(&h->hub);
	free(h);
	return 0;
}

static void release(struct house *h, struct party *at, bool is_first)
{
	struct release r = { .device = h->first.device,
		             .why = "of the machine that was closed",
		             .is_taken_here = true };
	r.goes_on = is_first ? h->of_first : h->of_second;
	r.closed = is_first ? h->of_second : h->of_first;
	r.closed_from = is_first ? 3 : 5;
	turn_begin(at);
	assert_ok(at, journal_release(at->journal, &r, &at->e));
	turn_commit(at);
}

/* What was kept aside goes on. Returns how much of it. */
static size_t asides(struct party *at)
{
	struct aside *list;
	struct checked_entry entry;
	struct placed placed;
	enum reception how;
	size_t count, taken = 0;
	turn_begin(at);
	assert_ok(at, journal_asides(at->journal, at->txn, &at->arena, &list, &count, &at->e));
	for (size_t i = 0; i < count; i++) {
		int result = journal_aside_receive(at->journal, &list[i], &at->arena, &entry, &placed, &how, &at->e);
		taken += !result;
		assert_true(!result || result == ERR_GAP || result == ERR_DUPLICATE);
	}
	turn_commit(at);
	return taken;
}

static struct taken from_first(struct house *h, uint64_t ordinal)
{
	return carry_from(&h->first, &h->relay, &h->first, h->up, ordinal);
}

static struct taken from_second(struct house *h, uint64_t ordinal)
{
	return carry_from(&h->second, &h->relay, &h->first, h->up, ordinal);
}

static Lm__Disposition disposition_at(struct house *h, struct party *p, uint64_t ordinal)
{
	uint64_t position;
	return item_at(p, h->up, ordinal, &position)->disposition;
}

static void verified(struct house *h, struct party *p)
{
	struct journal_audit audit;
	assert_ok(p, verify(p, (struct keyring){ { &h->first } }, &audit));
	assert_true(audit.signatures > 0);
}

/* The hub takes everything in the relay's order, and comes to the same. */
static void passes_on(struct house *h)
{
	struct taken t = carry_from(&h->relay, &h->hub, &h->first, h->up, 1);
	const struct line *here = line_of(&h->relay, h->up), *there = line_of(&h->hub, h->up);
	assert_int_equal(t.fault, OK);
	assert_int_equal(there->ordinal, here->ordinal);
	assert_memory_equal(there->hash.byte, here->hash.byte, HASH_BYTES);
	for (uint64_t ordinal = 1; ordinal <= here->ordinal; ordinal++)
		assert_int_equal(disposition_at(h, &h->hub, ordinal), disposition_at(h, &h->relay, ordinal));
	verified(h, &h->relay);
	verified(h, &h->hub);
}

static void a_frozen_line_names_both_histories(void **state)
{
	struct house *h = *state;
	const struct line *l = line_of(&h->relay, h->up);
	assert_true(l->is_frozen);
	assert_true(l->incarnation == h->of_second.incarnation && l->seq == 2);
	assert_true(l->fork.incarnation == h->of_first.incarnation && l->fork.seq == 5);
	party_restart(&h->relay);
	l = line_of(&h->relay, h->up);
	assert_true(l->fork.incarnation == h->of_first.incarnation && l->fork.seq == 5);
	/* What is here already is not kept a second time. */
	assert_int_equal(quarantined(&h->relay), 1);
	assert_int_equal(from_second(h, 1).fault, ERR_FROZEN);
	assert_int_equal(quarantined(&h->relay), 1);
}

static void the_first_goes_on_and_the_second_is_kept_apart(void **state)
{
	struct house *h = *state;
	release(h, &h->relay, true);
	release(h, &h->hub, true); /* before it has heard anything of the line */
	assert_false(line_of(&h->relay, h->up)->is_frozen);
	assert_int_equal(asides(&h->relay), 1);
	assert_int_equal(quarantined(&h->relay), 0);
	assert_int_equal(line_of(&h->relay, h->up)->ordinal, 7); /* P1 … P4 S1 S2 P5 */
	assert_int_equal(disposition_at(h, &h->relay, 7), LM__DISPOSITION__DISPOSITION_APPLIED);

	say(&h->second, 1);
	struct taken t = from_second(h, 6);
	assert_int_equal(t.closed, 1);
	assert_int_equal(disposition_at(h, &h->relay, 8), LM__DISPOSITION__DISPOSITION_QUARANTINED);
	say(&h->first, 2);
	t = from_first(h, 6);
	assert_true(t.placed == 2 && t.closed == 0 && t.rollbacks == 0);
	say(&h->second, 1);
	assert_int_equal(from_second(h, 7).closed, 1);
	passes_on(h);
}

static void the_second_goes_on_and_the_first_is_kept_apart(void **state)
{
	struct house *h = *state;
	release(h, &h->relay, false);
	release(h, &h->hub, false);
	assert_int_equal(asides(&h->relay), 1);
	assert_int_equal(disposition_at(h, &h->relay, 7), LM__DISPOSITION__DISPOSITION_QUARANTINED);
	say(&h->second, 1);
	struct taken t = from_second(h, 6);
	assert_true(t.placed == 1 && t.closed == 0 && t.rollbacks == 0);
	assert_int_equal(disposition_at(h, &h->relay, 8), LM__DISPOSITION__DISPOSITION_APPLIED);
	assert_int_equal(disposition_at(h, &h->relay, 4), LM__DISPOSITION__DISPOSITION_APPLIED); /* it was before */
	passes_on(h);
}

/* What one device fills is bounded by this count: what is kept aside is part of it, and nothing counts twice. */
static void what_a_device_takes_is_counted_once(void **state)
{
	struct house *h = *state;
	uint64_t frozen = line_of(&h->relay, h->up)->bytes;
	assert_true(frozen > 0);
	assert_int_equal(from_first(h, 5).fault, ERR_FROZEN); /* kept already */
	assert_int_equal(line_of(&h->relay, h->up)->bytes, frozen);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 6).fault, ERR_FROZEN);
	uint64_t more = line_of(&h->relay, h->up)->bytes;
	assert_true(more > frozen);
	party_restart(&h->relay);
	assert_int_equal(line_of(&h->relay, h->up)->bytes, more);
	release(h, &h->relay, true);
	turn_begin(&h->relay);
	assert_int_equal(
	        take_in_turn(&h->relay, &h->first, wired(&h->relay, load(&h->first, h->up, 5, &(uint64_t){ 0 })))
	                .placed,
	        2);
	assert_int_equal(line_of(&h->relay, h->up)->bytes, more);
	turn_abort(&h->relay);
	assert_int_equal(line_of(&h->relay, h->up)->bytes, more);
	assert_int_equal(quarantined(&h->relay), 2);
	assert_int_equal(asides(&h->relay), 2);
	assert_int_equal(line_of(&h->relay, h->up)->bytes, more);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 7).placed, 1);
	assert_true(line_of(&h->relay, h->up)->bytes > more);
	release(h, &h->hub, true);
	passes_on(h);
	assert_int_equal(line_of(&h->hub, h->up)->bytes, line_of(&h->relay, h->up)->bytes);
}

static void what_is_kept_aside_goes_before_it_is_sent_again(void **state)
{
	struct house *h = *state;
	release(h, &h->relay, true);
	struct taken t = from_first(h, 5); /* the machine is faster */
	assert_int_equal(t.placed, 1);
	assert_int_equal(quarantined(&h->relay), 0);
	assert_int_equal(asides(&h->relay), 0);
	assert_int_equal(from_first(h, 5).duplicates, 1);
}

static void both_may_be_started_anew(void **state)
{
	struct house *h = *state;
	release(h, &h->relay, true);
	release(h, &h->hub, true);
	party_restart(&h->second);
	say(&h->second, 2);
	struct taken t = from_second(h, 6); /* cites S2, which is the line's head */
	assert_true(t.placed == 2 && t.closed == 2);
	asides(&h->relay);
	party_restart(&h->first);
	say(&h->first, 1);
	t = from_first(h, 6);
	assert_true(t.placed == 1 && t.closed == 0 && t.rollbacks == 0);
	say(&h->second, 1);
	assert_int_equal(from_second(h, 8).closed, 1);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 7).placed, 1);
	passes_on(h);
}

static void positions_of_a_line_in_parts_translate(void **state)
{
	struct house *h = *state;
	uint64_t ordinal, incarnation, seq;
	bool is_exact;
	static const uint64_t at[] = { 1, 2, 3, 4, 7, 8 }; /* P1 … P4 S1 S2 P5 P6 */
	release(h, &h->relay, true);
	say(&h->first, 1);
	from_first(h, 5);
	struct store_txn *txn = snapshot(&h->relay);
	uint32_t line = line_of(&h->relay, h->up)->number;
	for (uint64_t i = 0; i < 6; i++) {
		assert_ok(&h->relay, journal_locate(txn, line, h->of_first.incarnation, i + 1, &ordinal, &is_exact));
		assert_true(ordinal == at[i] && is_exact);
		assert_ok(&h->relay, journal_coordinates(txn, line, at[i], &incarnation, &seq));
		assert_true(incarnation == h->of_first.incarnation && seq == i + 1);
	}
	assert_ok(&h->relay, journal_locate(txn, line, h->of_first.incarnation, 99, &ordinal, &is_exact));
	assert_true(ordinal == 8 && !is_exact);
	assert_ok(&h->relay, journal_locate(txn, line, h->of_second.incarnation, 99, &ordinal, &is_exact));
	assert_true(ordinal == 6 && !is_exact);
	store_abort(txn);
}

/* P5 goes on behind P4, which the hub has; that S1 and S2 were lost on their way, only the relay can tell. */
static void a_message_lost_between_its_parts_is_a_gap(void **state)
{
	struct house *h = *state;
	uint64_t through;
	release(h, &h->relay, true);
	release(h, &h->hub, true);
	assert_int_equal(asides(&h->relay), 1);
	Lm__Batch *batch = load(&h->relay, h->up, 1, &through);
	assert_int_equal(through, 4);
	assert_int_equal(take(&h->hub, &h->first, batch).placed, 4);
	assert_int_equal(carry_from(&h->relay, &h->hub, &h->first, h->up, 7).fault, ERR_GAP);
	assert_int_equal(line_of(&h->hub, h->up)->ordinal, 4);
	assert_int_equal(carry(&h->relay, &h->hub, &h->first, h->up).placed, 3);
	passes_on(h);
}

static void what_is_missing_in_a_settled_history_is_a_gap(void **state)
{
	struct house *h = *state;
	release(h, &h->relay, true);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 6).fault, ERR_GAP); /* P5 is only kept aside */
	party_restart(&h->first);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 7).fault, ERR_GAP);
	assert_false(line_of(&h->relay, h->up)->is_frozen);
	assert_int_equal(asides(&h->relay), 1);
	assert_int_equal(from_first(h, 6).placed, 2);
}

static void a_third_machine_is_a_clone_again(void **state)
{
	struct house *h = *state;
	struct party third;
	release(h, &h->relay, true);
	asides(&h->relay);
	party_image(&h->first);
	party_clone(&h->first, &third);
	say(&third, 1); /* goes on behind P5, as the first one's next process would */
	assert_int_equal(carry_from(&third, &h->relay, &h->first, h->up, 6).placed, 1);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 6).fault, ERR_CLONE);
	assert_true(line_of(&h->relay, h->up)->is_frozen);
	party_end(&third);
}

static void without_the_release_those_above_freeze_for_themselves(void **state)
{
	struct house *h = *state;
	release(h, &h->relay, true);
	asides(&h->relay);
	assert_int_equal(carry_from(&h->relay, &h->hub, &h->first, h->up, 1).fault, ERR_CLONE);
	release(h, &h->hub, true);
	assert_int_equal(asides(&h->hub), 1);
	assert_int_equal(line_of(&h->hub, h->up)->ordinal, 7);
}

static void each_machine_knows_which_history_is_its_own(void **state)
{
	struct house *h = *state;
	struct store_txn *txn = snapshot(&h->first);
	struct history of_first = h->of_first, of_second = h->of_second;
	assert_ok(&h->first, journal_history_is_ours(h->first.journal, txn, &of_first));
	assert_code(journal_history_is_ours(h->first.journal, txn, &of_second), ERR_NOT_FOUND);
	of_first.seq = 6; /* further than we ever were */
	assert_code(journal_history_is_ours(h->first.journal, txn, &of_first), ERR_NOT_FOUND);
	store_abort(txn);

	/* Told from above it stays so over a restart, until the district has spoken. */
	assert_ok(&h->first, journal_freeze(h->first.journal, line_of(&h->first, h->up)->number, &of_second, "two"));
	turn_begin(&h->first);
	turn_commit(&h->first);
	party_restart(&h->first);
	assert_true(line_of(&h->first, h->up)->is_frozen && line_of(&h->first, h->up)->is_told);
	turn_begin(&h->first);
	assert_ok(&h->first, journal_own_release(h->first.journal, NULL));
	turn_commit(&h->first);
	assert_false(line_of(&h->first, h->up)->is_frozen || line_of(&h->first, h->up)->is_told);
	turn_begin(&h->first);
	assert_ok(&h->first, journal_own_release(h->first.journal, "the other one goes on"));
	turn_commit(&h->first);
	party_restart(&h->first);
	assert_true(line_of(&h->first, h->up)->is_frozen && line_of(&h->first, h->up)->is_closed);
	assert_string_equal(line_of(&h->first, h->up)->frozen_why, "the other one goes on");
}

static void a_line_that_is_not_there_is_said_to_be_none(void **state)
{
	struct house *h = *state;
	struct party *p = &h->relay;
	struct history none = { 1, 1 };
	static const uint32_t strange[] = { 0, 99 };
	struct store_txn *txn = snapshot(&h->hub);
	assert_code(journal_history_is_ours(h->hub.journal, txn, &none), ERR_NOT_FOUND); /* it has written nothing */
	assert_false(journal_line_is_frozen(txn, 1));
	assert_false(journal_is_final(txn, 1));
	store_abort(txn);
	for (size_t i = 0; i < 2; i++) {
		assert_null(journal_line(p->journal, strange[i]));
		assert_false(journal_mark_raise(p->journal, strange[i], JOURNAL_FINAL, 1));
		assert_code(journal_freeze(p->journal, strange[i], &none, "two"), ERR_NOT_FOUND);
		assert_code(journal_unfreeze(p->journal, strange[i]), ERR_NOT_FOUND);
	}
}

/* What was seen here is not replaced by what somebody says; what somebody said is, by what is said later. */
static void who_froze_a_line_decides_about_it(void **state)
{
	struct house *h = *state;
	struct party *p = &h->relay;
	struct history other = { 7, 7 };
	struct store_txn *txn = snapshot(p);
	const struct line *l = line_of(p, h->up);
	uint32_t number = l->number;
	assert_true(journal_line_is_frozen(txn, number));
	assert_false(journal_is_final(txn, 1));
	store_abort(txn);
	assert_ok(p, journal_freeze(p->journal, number, &other, "said above"));
	assert_false(l->is_told);
	assert_true(l->fork.incarnation == h->of_first.incarnation);
	turn_begin(p);
	assert_ok(p, journal_unfreeze(p->journal, number));
	assert_ok(p, journal_freeze(p->journal, number, &other, "said above"));
	turn_abort(p);
	assert_false(line_of(p, h->up)->is_told); /* nobody has said anything */
	assert_ok(p, journal_unfreeze(p->journal, number));
	assert_ok(p, journal_freeze(p->journal, number, &other, "said above"));
	assert_ok(p, journal_freeze(p->journal, number, &other, "said again"));
	assert_string_equal(line_of(p, h->up)->frozen_why, "said again");
	for (enum journal_mark mark = JOURNAL_CUSTODY; mark <= JOURNAL_SIGNED_FINAL; mark++) {
		assert_true(journal_mark_raise(p->journal, number, mark, 3));
		assert_false(journal_mark_raise(p->journal, number, mark, 2));
	}
	turn_begin(p);
	turn_commit(p);
	txn = snapshot(p);
	assert_true(journal_is_final(txn, 3));
	assert_false(journal_is_final(txn, 4));
	store_abort(txn);
}

/* An image from before anything was written: its next entry cites nothing. */
static void a_machine_that_forgot_everything_is_followed(void **state)
{
	struct house *h = *state;
	struct party fresh, town;
	struct journal_audit audit;
	party_begin(&fresh);
	party_begin(&town);
	struct line_key up = up_of(&fresh);
	party_image(&fresh);
	say(&fresh, 3);
	assert_int_equal(carry(&fresh, &town, &fresh, up).placed, 3);
	party_restore(&fresh);
	say(&fresh, 2);
	struct taken t = carry_from(&fresh, &town, &fresh, up, 1);
	assert_true(t.placed == 2 && t.rollbacks == 1);
	assert_ok(&town, verify(&town, (struct keyring){ { &fresh } }, &audit));
	assert_int_equal(audit.items, 5);
	assert_int_equal(carry_from(&town, &h->hub, &fresh, up, 1).fault, OK);
	party_end(&fresh);
	party_end(&town);
}

/* Nobody could pass it on: it waits until it is sent again. */
static void what_was_kept_without_its_signature_is_not_placed(void **state)
{
	struct house *h = *state;
	say(&h->first, 2); /* one signature, over the second; only the first is kept */
	assert_int_equal(from_first(h, 6).fault, ERR_FROZEN);
	assert_int_equal(quarantined(&h->relay), 2);
	release(h, &h->relay, true);
	assert_int_equal(asides(&h->relay), 1);
	assert_int_equal(line_of(&h->relay, h->up)->seq, 5);
	assert_int_equal(from_first(h, 6).placed, 2);
	assert_int_equal(quarantined(&h->relay), 0);
}

static void a_release_that_is_rolled_back_is_none(void **state)
{
	struct house *h = *state;
	struct release r = { h->first.device, h->of_first, h->of_second, 3, "no", true };
	turn_begin(&h->relay);
	assert_ok(&h->relay, journal_release(h->relay.journal, &r, &h->relay.e));
	turn_abort(&h->relay);
	assert_true(line_of(&h->relay, h->up)->is_frozen);
	say(&h->first, 1);
	assert_int_equal(from_first(h, 6).fault, ERR_FROZEN);
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_frozen_line_names_both_histories),
		story(the_first_goes_on_and_the_second_is_kept_apart),
		story(the_second_goes_on_and_the_first_is_kept_apart),
		story(what_a_device_takes_is_counted_once),
		story(what_is_kept_aside_goes_before_it_is_sent_again),
		story(both_may_be_started_anew),
		story(positions_of_a_line_in_parts_translate),
		story(a_message_lost_between_its_parts_is_a_gap),
		story(what_is_missing_in_a_settled_history_is_a_gap),
		story(a_third_machine_is_a_clone_again),
		story(without_the_release_those_above_freeze_for_themselves),
		story(each_machine_knows_which_history_is_its_own),
		story(what_was_kept_without_its_signature_is_not_placed),
		story(a_release_that_is_rolled_back_is_none),
		story(a_line_that_is_not_there_is_said_to_be_none),
		story(who_froze_a_line_decides_about_it),
		story(a_machine_that_forgot_everything_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
