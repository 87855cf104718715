/*
 * Trimming: what the district has signed for may go once a checkpoint holds its effect; nothing else does.
 */
#include "house.h"

static const struct store_table *const projections[] = { &cases };

static struct line_key own_of(const struct party *p)
{
	return (struct line_key){ p->device, LM__STREAM__STREAM_OWN, 0 };
}

static struct line_key down_of(const struct house *h)
{
	return (struct line_key){ h->town.device, LM__STREAM__STREAM_DOWN, h->terminal.device };
}

/* Ten requests (ordinals 2 … 11 of `up`), three locks in `own`, two messages down from the town, four rows of state. */
static void a_day(struct house *h)
{
	struct party *t = &h->terminal;
	struct placed placed;
	for (int turn = 0; turn < 5; turn++) {
		turn_begin(t);
		request(t, "one");
		request(t, "two");
		if (turn < 3)
			assert_ok(t, try_append(t, LM__KIND__KIND_RECEIPT_LOCK, LM__STREAM__STREAM_OWN, 0,
			                        bytes_from_text("lock"), true, &placed));
		uint8_t key = (uint8_t)turn;
		store_put(t->txn, &cases, BYTES_OF(key), bytes_from_text("a case"));
		turn_commit(t);
	}
	turn_begin(&h->town);
	for (int i = 0; i < 2; i++)
		assert_ok(&h->town, try_append(&h->town, LM__KIND__KIND_STATUS, LM__STREAM__STREAM_DOWN, t->device,
		                               bytes_from_text("accepted"), false, &placed));
	turn_commit(&h->town);
	carry(&h->town, t, &h->town, down_of(h));
	tell(&h->hub, 2);
	carry(&h->hub, t, &h->hub, all_of(&h->hub));
}

static uint64_t trim(struct party *p)
{
	uint64_t removed = 999;
	turn_begin(p);
	assert_ok(p, journal_trim(p->journal, projections, 1, JOURNAL_SIGNED_FINAL, p->now_ms, &removed, &p->e));
	turn_commit(p);
	return removed;
}

static void only_what_the_district_signed_for_goes(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	a_day(h);
	uint32_t up = line_of(t, h->up)->number;
	journal_mark_raise(t->journal, up, JOURNAL_CUSTODY, 11);
	journal_mark_raise(t->journal, up, JOURNAL_FINAL, 9);
	journal_mark_raise(t->journal, up, JOURNAL_SAFE, 9);
	journal_mark_raise(t->journal, up, JOURNAL_SIGNED_FINAL, 6);
	assert_int_equal(trim(t), 6 + 3 + 2);
	assert_int_equal(line_of(t, h->up)->trimmed, 6);
	assert_int_equal(line_of(t, own_of(t))->trimmed, 3);
	assert_int_equal(line_of(t, down_of(h))->trimmed, 2);
	assert_int_equal(line_of(t, all_of(&h->hub))->trimmed, 0);
	assert_int_equal(trim(t), 0);
}

static void what_is_left_verifies_and_is_sent_from_there(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct journal_audit audit;
	uint64_t through, position;
	Lm__Batch *batch;
	Lm__TapeItem *item;
	uint32_t bytes;
	a_day(h);
	carry_from(t, &h->town, t, h->up, 1);
	journal_mark_raise(t->journal, line_of(t, h->up)->number, JOURNAL_SIGNED_FINAL, 6);
	trim(t);
	struct keyring ring = { { t, &h->town, &h->hub } };
	assert_ok(t, verify(t, ring, &audit));
	assert_int_equal(audit.items, 5 + 2);
	party_restart(t);
	assert_ok(t, verify(t, ring, &audit));

	struct store_txn *txn = snapshot(t);
	assert_code(journal_load(txn, line_of(t, h->up), 6, 256, 1 << 20, &t->arena, &batch, &through, &bytes, &t->e),
	            ERR_NOT_FOUND);
	assert_code(journal_read_line(txn, line_of(t, h->up)->number, 6, &t->arena, &position, &item, &t->e),
	            ERR_NOT_FOUND);
	store_abort(txn);
	batch = load(t, h->up, 7, &through);
	assert_int_equal(through, 11);
	assert_int_equal(take(&h->town, t, batch).duplicates, 5);

	/* And it goes on: behind what is gone, the next entry follows. */
	turn_begin(t);
	recipients_are(t, &h->town, &h->hub);
	request(t, "tomorrow");
	turn_commit(t);
	struct taken taken = carry(t, &h->town, t, h->up);
	assert_int_equal(taken.placed, 2);
	assert_int_equal(taken.rollbacks, 0);
	assert_opens(&h->town, h->up, 13, "tomorrow");
	assert_ok(t, verify(t, ring, &audit));
}

static void a_wholly_trimmed_line_goes_on(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct journal_audit audit;
	struct placed placed;
	a_day(h);
	journal_mark_raise(t->journal, line_of(t, h->up)->number, JOURNAL_SIGNED_FINAL, 11);
	uint64_t before = journal_position(t->journal);
	trim(t);
	party_restart(t);
	assert_int_equal(journal_position(t->journal), before);
	turn_begin(t);
	assert_ok(t, try_append(t, LM__KIND__KIND_RECEIPT_LOCK, LM__STREAM__STREAM_OWN, 0, bytes_from_text("lock"),
	                        true, &placed));
	turn_commit(t);
	assert_int_equal(placed.ordinal, 4);
	assert_int_equal(placed.position, before + 1);
	assert_ok(t, verify(t, (struct keyring){ { t } }, &audit));
	assert_int_equal(trim(t), 1);
	assert_ok(t, verify(t, (struct keyring){ { t } }, &audit));
	/* What comes from above again is known, though it is gone. */
	assert_int_equal(carry_from(&h->town, t, &h->town, down_of(h), 1).duplicates, 2);
	assert_false(line_of(t, down_of(h))->is_frozen);
}

static void what_we_tell_others_is_not_ours_to_drop(void **state)
{
	struct house *h = *state;
	a_day(h);
	carry_from(&h->terminal, &h->town, &h->terminal, h->up, 1);
	tell(&h->town, 1);
	assert_int_equal(trim(&h->town),
	                 0); /* its down and all wait for their receivers; what came up is the terminal's */
	assert_int_equal(carry_from(&h->town, &h->hub, &h->terminal, h->up, 1).placed, 11);
}

static void the_checkpoint_holds_the_state_as_it_was(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	Lm__Checkpoint *checkpoint;
	struct store_table_digest digest;
	a_day(h);
	struct store_txn *txn = snapshot(t);
	assert_code(journal_checkpoint(txn, &t->arena, &checkpoint, &t->e), ERR_NOT_FOUND);
	store_abort(txn);
	trim(t);

	txn = snapshot(t);
	assert_ok(t, journal_checkpoint(txn, &t->arena, &checkpoint, &t->e));
	assert_int_equal(checkpoint->position, journal_position(t->journal));
	assert_int_equal(checkpoint->n_heads, journal_line_count(t->journal));
	assert_ok(t, store_digest(txn, &cases, &digest, &t->e));
	struct bytes part = BYTES_OF(digest.hash);
	struct hash want;
	assert_ok(t, crypto_hash(SUITE_INTERNATIONAL, &part, 1, &want, &t->e));
	assert_memory_equal(checkpoint->state_hash.data, want.byte, HASH_BYTES);
	for (size_t i = 0; i < checkpoint->n_heads; i++) {
		const struct line *line = journal_line(t->journal, checkpoint->heads[i]->line);
		assert_int_equal(checkpoint->heads[i]->seq, line->seq);
		assert_memory_equal(checkpoint->heads[i]->hash.data, line->hash.byte, HASH_BYTES);
	}
	/* Base rows are the rows of the projections, each under its table's number. */
	assert_int_equal(store_count(txn, &journal_table_base), 5);
	for (uint8_t i = 0; i < 5; i++) {
		uint8_t key[2] = { cases.number, i };
		struct bytes value;
		assert_ok(t, store_get(txn, &journal_table_base, BYTES_OF(key), &t->arena, &value));
		assert_true(bytes_equal(value, bytes_from_text("a case")));
	}
	store_abort(txn);

	turn_begin(t); /* a row that went meanwhile is not in the next base */
	uint8_t key = 0;
	store_delete(t->txn, &cases, BYTES_OF(key));
	turn_commit(t);
	trim(t);
	txn = snapshot(t);
	assert_int_equal(store_count(txn, &journal_table_base), 4);
	store_abort(txn);
}

static void what_waits_for_an_operator_stays(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	a_day(h);
	uint64_t position, retry;
	item_at(t, down_of(h), 1, &position);
	turn_begin(t);
	assert_ok(t, journal_set_disposition(t->journal, position, LM__DISPOSITION__DISPOSITION_QUARANTINED, "odd"));
	turn_commit(t);
	trim(t);
	assert_int_equal(line_of(t, down_of(h))->trimmed, 0);

	turn_begin(t); /* tried again, refused again: it waits on */
	assert_ok(t, journal_retry(t->journal, position, &retry));
	assert_ok(t, journal_set_disposition(t->journal, retry, LM__DISPOSITION__DISPOSITION_QUARANTINED, "odd"));
	turn_commit(t);
	trim(t);
	assert_int_equal(line_of(t, down_of(h))->trimmed, 0);

	turn_begin(t);
	assert_ok(t, journal_retry(t->journal, position, &retry));
	turn_commit(t);
	assert_int_equal(trim(t), 2);
	struct store_txn *txn = snapshot(t);
	Lm__TapeItem *item;
	assert_code(journal_read(txn, retry, &t->arena, &item, &t->e), ERR_NOT_FOUND); /* both go together */
	store_abort(txn);
}

static void entries_of_the_turn_itself_stay(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct placed placed;
	struct journal_audit audit;
	uint64_t removed;
	a_day(h);
	turn_begin(t);
	assert_ok(t, try_append(t, LM__KIND__KIND_RECEIPT_LOCK, LM__STREAM__STREAM_OWN, 0, bytes_from_text("lock"),
	                        true, &placed));
	assert_ok(t, journal_trim(t->journal, projections, 1, JOURNAL_SIGNED_FINAL, t->now_ms, &removed, &t->e));
	turn_commit(t);
	assert_int_equal(line_of(t, own_of(t))->trimmed, 3);
	assert_int_equal(line_of(t, own_of(t))->ordinal, 4);
	assert_ok(t, verify(t, (struct keyring){ { t } }, &audit));
}

static void a_trim_that_is_rolled_back_removed_nothing(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct journal_audit audit;
	uint64_t removed;
	a_day(h);
	turn_begin(t);
	assert_ok(t, journal_trim(t->journal, projections, 1, JOURNAL_SIGNED_FINAL, t->now_ms, &removed, &t->e));
	assert_ok(t, journal_turn_seal(t->journal, &t->e));
	turn_abort(t);
	assert_int_equal(line_of(t, own_of(t))->trimmed, 0);
	assert_ok(t, verify(t, (struct keyring){ { t } }, &audit));
	assert_int_equal(audit.items, 11 + 3 + 2 + 2);
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(only_what_the_district_signed_for_goes),
		story(what_is_left_verifies_and_is_sent_from_there),
		story(a_wholly_trimmed_line_goes_on),
		story(what_we_tell_others_is_not_ours_to_drop),
		story(the_checkpoint_holds_the_state_as_it_was),
		story(what_waits_for_an_operator_stays),
		story(entries_of_the_turn_itself_stay),
		story(a_trim_that_is_rolled_back_removed_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
