/* What an operator did with an item that was held up: who may write it, its shape, and reading it back. */
#include "fixture.h"

#define RETRY LM__QUARANTINE_ACT__QUARANTINE_ACT_RETRY
#define DROP LM__QUARANTINE_ACT__QUARANTINE_ACT_DROP

static Lm__QuarantineActPayload act_make(Lm__QuarantineAct what, const char *reason)
{
	static uint8_t hash[HASH_BYTES];
	Lm__QuarantineActPayload act = LM__QUARANTINE_ACT_PAYLOAD__INIT;
	act.act = what;
	act.position = 1;
	act.entry = codec_data(BYTES(hash, sizeof hash));
	act.item = (char *)(uintptr_t) "1";
	act.reason = (char *)(uintptr_t)reason;
	act.by = (char *)(uintptr_t) "clerk";
	return act;
}

static int act_apply(struct node *n, size_t origin, Lm__Stream stream, const Lm__QuarantineActPayload *act)
{
	Lm__Header h = entry_make(origin, stream, KIND(QUARANTINE_ACT));
	return node_apply_message(n, &h, &act->base);
}

static void test_kept_by_whom_and_why(void **state)
{
	(void)state;
	struct node n;
	Lm__QuarantineRecord *record;
	uint64_t position;
	node_open(&n, &devices[TOWN_A]);
	n.position = 10;
	Lm__QuarantineActPayload retry = act_make(RETRY, ""), drop = act_make(DROP, "a broken device");
	assert_ok(&n, act_apply(&n, TOWN_A, OWN, &retry));
	assert_ok(&n, act_apply(&n, TOWN_A, OWN, &drop));
	assert_non_null(effect_find(&n, DOMAIN_QUARANTINE));
	assert_ok(&n, act_before(n.txn, UINT64_MAX, &n.arena, &position, &record, &n.e));
	assert_int_equal(position, 12);
	assert_string_equal(record->act->reason, "a broken device");
	assert_string_equal(record->act->by, "clerk");
	assert_true(record->time_ms > 0);
	assert_ok(&n, act_before(n.txn, position, &n.arena, &position, &record, &n.e));
	assert_int_equal(record->act->act, RETRY);
	assert_int_equal(act_before(n.txn, position, &n.arena, &position, &record, &n.e), ERR_NOT_FOUND);
	node_close(&n);
}

static void refuse(struct node *n, Lm__QuarantineActPayload act, const char *word)
{
	struct hash before = node_hash(n);
	assert_refused(n, ERR_INVALID, act_apply(n, TOWN_A, OWN, &act));
	assert_says(n, word);
	struct hash after = node_hash(n);
	assert_memory_equal(&before, &after, sizeof before);
}

static void test_refusals(void **state)
{
	(void)state;
	struct node n;
	char longest[ACT_REASON_BYTES_MOST + 2];
	node_open(&n, &devices[TOWN_A]);
	n.position = 10;
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	Lm__QuarantineActPayload act = act_make(DROP, "because");
	refuse(&n, act_make(LM__QUARANTINE_ACT__QUARANTINE_ACT_NONE, "because"), "retried or dropped");
	refuse(&n, act_make((Lm__QuarantineAct)9, "because"), "retried or dropped");
	refuse(&n, act_make(DROP, ""), "say why");
	refuse(&n, act_make(DROP, " \t\n"), "say why");
	refuse(&n, act_make(RETRY, longest), "600 bytes");
	act.by = (char *)(uintptr_t) "";
	refuse(&n, act, "say who");
	act = act_make(DROP, "because");
	act.position = 1000;
	refuse(&n, act, "came after it");
	act = act_make(DROP, "because");
	act.entry.len = 3;
	refuse(&n, act, "names none");

	act = act_make(DROP, "because");
	assert_refused(&n, ERR_INVALID, act_apply(&n, TOWN_A, UP, &act)); /* never leaves the node */
	assert_refused(&n, ERR_DENIED, act_apply(&n, HUB, OWN, &act));
	node_close(&n);
}

static void test_what_waits_for_an_entry(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(7);
	struct domain_waiters w;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	Lm__Header request = request_entry(T1, &id, "meals", 1), ask = ask_entry(T1, &id, KIND(ANSWER), 0);
	Lm__Header event = entry_make(HUB, DOWN, KIND(CASE_COPY));
	assert_true(domain_waiters(&request, (struct bytes){ 0 }, &n.arena, &w));
	assert_int_equal(node_apply(&n, &ask, (struct bytes){ 0 }), ERR_HELD); /* the cause that apply itself gives */
	assert_memory_equal(w.cause, n.cause, n.cause_size);
	assert_int_equal(w.size, n.cause_size);
	assert_int_equal(w.shared, w.size);
	assert_false(domain_waiters(&ask, (struct bytes){ 0 }, &n.arena, &w));
	event.request_id = request.request_id;
	event.version = 3;
	assert_true(domain_waiters(&event, (struct bytes){ 0 }, &n.arena, &w));
	assert_int_equal(w.size - w.shared, 4); /* of any later version, too */
	node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_by_whom_and_why),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_what_waits_for_an_entry),
	};
	devices_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
