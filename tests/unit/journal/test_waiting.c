/* What is not applied: by which name it waits, in which order, and what ends that. */
#include "house.h"

static uint64_t quarantine(struct party *p, const char *why)
{
	struct placed placed = told(p, "poison");
	assert_ok(p,
	          journal_set_disposition(p->journal, placed.position, LM__DISPOSITION__DISPOSITION_QUARANTINED, why));
	return placed.position;
}

static struct waiting get(struct party *p, uint64_t position)
{
	struct waiting w;
	struct waiting_name name = waiting_at(position);
	struct store_txn *txn = snapshot(p);
	assert_ok(p, journal_waiting_get(txn, &name, &p->arena, &w, &p->e));
	store_abort(txn);
	return w;
}

/* The names in the order of the list; how many there are. */
static size_t list(struct party *p, struct waiting_name names[8])
{
	struct store_txn *txn = snapshot(p);
	struct waiting w = { 0 };
	struct waiting_name after = { 0 };
	size_t count = 0;
	while (count < 8 && !journal_waiting_next(txn, &after, &p->arena, &w, &p->e)) {
		assert_true(w.is_waiting);
		names[count++] = after = w.name;
	}
	assert_int_equal(journal_waiting_count(txn), count);
	store_abort(txn);
	return count;
}

static void a_name_is_read_back_as_it_was_written(void **state)
{
	(void)state;
	char text[WAITING_TEXT_BYTES];
	struct waiting_name name = waiting_at(27), read;
	waiting_name_to_text(&name, text);
	assert_string_equal(text, "27");
	assert_int_equal(waiting_name_from_text(text, &read, NULL), OK);
	assert_int_equal(waiting_position(&read), 27);
	const char *const bad[] = { "",
		                    "x",
		                    "-1",
		                    "27 ",
		                    "18446744073709551616",
		                    "00",
		                    "0g",
		                    "0000000000000000000000000000000000000000000000000000000000000000000000000a" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!waiting_name_from_text(bad[i], &read, NULL) && waiting_position(&read))
			fail_msg("'%s' names an item", bad[i]);
}

static void a_retry_that_fails_stays_with_the_new_reason(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct waiting_name names[8];
	uint64_t retry;
	turn_begin(t);
	uint64_t first = quarantine(t, "the first reason");
	turn_commit(t);
	turn_begin(t);
	assert_ok(t, journal_retry(t->journal, first, &retry));
	assert_ok(t, journal_set_disposition(t->journal, retry, LM__DISPOSITION__DISPOSITION_QUARANTINED, "another"));
	turn_commit(t);
	party_restart(t);
	struct waiting w = get(t, first);
	assert_true(w.is_waiting);
	assert_string_equal(w.reason, "another");
	assert_int_equal(w.disposition, LM__DISPOSITION__DISPOSITION_QUARANTINED);
	assert_int_equal(w.tried_ms, t->now_ms);
	assert_int_equal(list(t, names), 1); /* once, however often it is tried */
	assert_int_equal(waiting_position(&names[0]), first);

	turn_begin(t);
	assert_ok(t, journal_retry(t->journal, first, &retry));
	turn_commit(t);
	w = get(t, first);
	assert_false(w.is_waiting);
	assert_int_equal(w.disposition, LM__DISPOSITION__DISPOSITION_RETRIED);
	assert_int_equal(list(t, names), 0);
}

static void a_retry_that_is_held_waits_for_its_cause_once(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct bytes cause = bytes_from_text("case-1");
	uint64_t position, retry;
	tell(t, 1);
	for (int time = 0; time < 2; time++) {
		turn_begin(t);
		if (time)
			assert_ok(t, journal_retry(t->journal, 1, &retry));
		assert_ok(t, journal_hold(t->journal, cause, 1));
		assert_ok(t, journal_set_disposition(t->journal, time ? retry : 1, LM__DISPOSITION__DISPOSITION_HELD,
		                                     "waits"));
		turn_commit(t);
		struct store_txn *txn = snapshot(t);
		assert_int_equal(journal_held_count(txn), 1);
		assert_int_equal(journal_waiting_count(txn), 1);
		store_abort(txn);
	}
	turn_begin(t);
	assert_ok(t, journal_held_take(t->journal, cause, &position));
	assert_int_equal(position, 1);
	assert_code(journal_held_take(t->journal, cause, &position), ERR_NOT_FOUND);
	turn_commit(t);
	struct store_txn *txn = snapshot(t);
	assert_int_equal(journal_waiting_count(txn), 0);
	store_abort(txn);
}

static void what_is_dropped_is_never_released(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	struct bytes cause = bytes_from_text("case-1");
	struct waiting_name names[8], held = waiting_at(1), none = waiting_at(99);
	uint64_t position;
	tell(t, 1);
	turn_begin(t);
	assert_ok(t, journal_hold(t->journal, cause, 1));
	assert_ok(t, journal_set_disposition(t->journal, 1, LM__DISPOSITION__DISPOSITION_HELD, "waits"));
	turn_commit(t);
	turn_begin(t);
	assert_ok(t, journal_drop(t->journal, &held, "dropped", &t->e));
	turn_abort(t); /* as if it had not been */
	assert_int_equal(list(t, names), 1);
	turn_begin(t);
	assert_ok(t, journal_drop(t->journal, &held, "dropped by clerk: no use", &t->e));
	assert_code(journal_drop(t->journal, &none, "dropped", &t->e), ERR_NOT_FOUND);
	assert_code(journal_held_take(t->journal, cause, &position), ERR_NOT_FOUND);
	turn_commit(t);
	assert_int_equal(list(t, names), 0);
	struct waiting w = get(t, 1);
	assert_int_equal(w.disposition, LM__DISPOSITION__DISPOSITION_DROPPED);
	assert_string_equal(w.reason, "dropped by clerk: no use");
	struct journal_audit audit;
	assert_ok(t, verify(t, (struct keyring){ { t } }, &audit));
}

static void what_waits_for_one_is_counted_from_its_version_on(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	tell(t, 5);
	turn_begin(t);
	assert_ok(t, journal_hold(t->journal, BYTES("case-1/1", 8), 1));
	assert_ok(t, journal_hold(t->journal, BYTES("case-1/2", 8), 2));
	assert_ok(t, journal_hold(t->journal, BYTES("case-1/2", 8), 3));
	assert_ok(t, journal_hold(t->journal, BYTES("case-2/2", 8), 4));
	assert_ok(t, journal_hold(t->journal, BYTES("case-1/22", 9), 5));
	turn_commit(t);
	struct store_txn *txn = snapshot(t);
	assert_int_equal(journal_held_because(txn, BYTES("case-1/1", 8), 7), 3);
	assert_int_equal(journal_held_because(txn, BYTES("case-1/2", 8), 7), 2);
	assert_int_equal(journal_held_because(txn, BYTES("case-1/2", 8), 8), 2);
	assert_int_equal(journal_held_because(txn, BYTES("case-1/3", 8), 7), 0);
	store_abort(txn);
}

/* By the line and the entry's hash: it has no place on the tape. */
static void what_was_set_aside_has_a_name_too(void **state)
{
	struct house *h = *state;
	struct party *t = &h->town;
	struct checked_entry *entries;
	struct waiting_name names[8], read;
	char text[WAITING_TEXT_BYTES];
	size_t count;
	uint64_t through;
	tell(&h->hub, 2);
	assert_ok(t, check(t, &h->hub, load(&h->hub, all_of(&h->hub), 1, &through), &entries, &count));
	turn_begin(t);
	for (size_t i = 0; i < count; i++)
		assert_ok(t,
		          journal_set_aside(t->journal, &entries[i], LM__DISPOSITION__DISPOSITION_REVOKED, "revoked"));
	uint64_t first = quarantine(t, "poison");
	turn_commit(t);
	assert_int_equal(list(t, names), 3);
	assert_int_equal(waiting_position(&names[0]), first); /* the tape first */
	assert_int_equal(waiting_position(&names[1]), 0);
	waiting_name_to_text(&names[1], text);
	assert_ok(t, waiting_name_from_text(text, &read, &t->e));
	assert_memory_equal(&read, &names[1], sizeof read);

	turn_begin(t);
	assert_ok(t, journal_drop(t->journal, &read, "dropped", &t->e));
	for (size_t i = 0; i < count; i++) /* what comes again is known, and not listed again */
		assert_ok(t,
		          journal_set_aside(t->journal, &entries[i], LM__DISPOSITION__DISPOSITION_REVOKED, "revoked"));
	turn_commit(t);
	assert_int_equal(list(t, names), 2);
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_name_is_read_back_as_it_was_written),
		story(a_retry_that_fails_stays_with_the_new_reason),
		story(a_retry_that_is_held_waits_for_its_cause_once),
		story(what_is_dropped_is_never_released),
		story(what_waits_for_one_is_counted_from_its_version_on),
		story(what_was_set_aside_has_a_name_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
