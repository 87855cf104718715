/*
 * Erasing: two persons, an open case and a hold in the way, who may speak for whom, and a replay that finds the
 * payloads absent and comes to the same rows.
 */
#include "base/clock.h"
#include "fixture.h"

#define PROPOSE LM__ERASE_ACTION__ERASE_ACTION_PROPOSE
#define CONFIRM LM__ERASE_ACTION__ERASE_ACTION_CONFIRM
#define DROP LM__ERASE_ACTION__ERASE_ACTION_DROP

static struct id act = { "an act of two" };

static int step(struct node *n, size_t origin, Lm__EraseAction action, const char *by, struct id *requests,
                size_t count)
{
	Lm__EraseActPayload p = LM__ERASE_ACT_PAYLOAD__INIT;
	ProtobufCBinaryData ids[ERASE_REQUESTS_MOST + 1];
	Lm__Header h = entry_make(origin, OWN, KIND(ERASE_ACT));
	for (size_t i = 0; i < count; i++)
		ids[i] = codec_data(BYTES_OF(requests[i].byte));
	p.action = action;
	p.act = codec_data(BYTES_OF(act.byte));
	p.requests = ids;
	p.n_requests = count;
	p.reason = "they ask for it";
	p.ground = "a law";
	p.by = (char *)(uintptr_t)by;
	return node_apply_message(n, &h, &p.base);
}

static Lm__ErasePayload word(struct id *request, Lm__Tier tier)
{
	static Lm__ErasedRequest one, *requests[] = { &one };
	static uint8_t lookup[RECEIPT_LOOKUP_BYTES] = { 2 };
	Lm__ErasePayload p = LM__ERASE_PAYLOAD__INIT;
	lm__erased_request__init(&one);
	one.request_id = codec_data(BYTES_OF(request->byte));
	one.lookup = codec_data(BYTES_OF(lookup));
	p.act = codec_data(BYTES_OF(act.byte));
	p.requests = requests;
	p.n_requests = 1;
	p.tier = tier;
	p.place = "310114106";
	p.decided_ms = 1;
	p.reason = "they ask for it";
	p.ground = "a law";
	p.proposed_by = "first";
	p.confirmed_by = "second";
	return p;
}

static int carried_out(struct node *n, size_t origin, struct id *request)
{
	Lm__ErasePayload p = word(request, LM__TIER__TIER_TOWN);
	Lm__Header h = entry_make(origin, OWN, KIND(ERASURE));
	return node_apply_message(n, &h, &p.base);
}

static void town_open(struct node *n, struct id *id)
{
	*id = id_of(7);
	node_open(n, &devices[TOWN_A]);
	node_directory(n);
	node_secret(n, TOWN_A);
	assert_ok(n, node_publish(n, "town", 1, LM__TIER__TIER_TOWN));
	assert_ok(n, node_request(n, T1, id, "town", 1));
}

static void test_two_persons(void **state)
{
	(void)state;
	struct node n;
	struct id id, unknown = id_of(9);
	Lm__ErasureRecord *row;
	town_open(&n, &id);
	assert_refused(&n, ERR_CONFLICT, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
	assert_says(&n, "open");
	assert_ok(&n, node_act(&n, &id, ACTION(WITHDRAWN)));
	assert_refused(&n, ERR_NOT_FOUND, step(&n, TOWN_A, PROPOSE, "first", &unknown, 1));
	assert_refused(&n, ERR_INVALID, step(&n, TOWN_A, PROPOSE, "first", NULL, 0));
	assert_refused(&n, ERR_INVALID, step(&n, TOWN_A, PROPOSE, "first", (struct id[]){ id, id }, 2));
	assert_refused(&n, ERR_INVALID, step(&n, TOWN_A, PROPOSE, "", &id, 1));
	assert_refused(&n, ERR_NOT_FOUND, step(&n, TOWN_A, CONFIRM, "second", NULL, 0));
	assert_ok(&n, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
	assert_false(subject_is_erased(n.txn, BYTES_OF(id.byte)));
	assert_refused(&n, ERR_EXISTS, step(&n, TOWN_A, PROPOSE, "second", &id, 1));
	assert_refused(&n, ERR_DENIED, step(&n, TOWN_A, CONFIRM, "first", NULL, 0));
	assert_says(&n, "a second person");
	assert_ok(&n, step(&n, TOWN_A, DROP, "first", NULL, 0));
	assert_refused(&n, ERR_NOT_FOUND, step(&n, TOWN_A, CONFIRM, "second", NULL, 0));
	assert_ok(&n, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
	assert_ok(&n, step(&n, TOWN_A, CONFIRM, "second", NULL, 0));
	const struct domain_effect *fx = effect_find(&n, DOMAIN_ERASE);
	assert_non_null(fx);
	Lm__ErasePayload *told;
	assert_ok(&n, CODEC_UNPACK(lm__erase_payload, fx->message, &n.arena, &told, &n.e));
	assert_string_equal(told->proposed_by, "first");
	assert_string_equal(told->confirmed_by, "second");
	assert_ok(&n, carried_out(&n, TOWN_A, &id));
	assert_true(subject_is_erased(n.txn, BYTES_OF(id.byte)));
	assert_ok(&n, erasure_get(n.txn, BYTES_OF(act.byte), &n.arena, &row));
	assert_true(row->is_done);
	assert_refused(&n, ERR_CLOSED, step(&n, TOWN_A, CONFIRM, "second", NULL, 0));
	assert_refused(&n, ERR_CLOSED, step(&n, TOWN_A, DROP, "second", NULL, 0));
	act.byte[0]++;
	assert_refused(&n, ERR_EXISTS, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
	act.byte[0]--;
	node_close(&n);
}

/* The newest revision says how long it is kept, from the day on which it was closed. */
static void test_a_hold(void **state)
{
	(void)state;
	struct node n;
	struct id id;
	struct service_parts parts;
	Lm__Hold hold = LM__HOLD__INIT;
	town_open(&n, &id);
	assert_ok(&n, node_act(&n, &id, ACTION(WITHDRAWN)));
	assert_ok(&n, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
	Lm__Service *s = service_make(&parts, "town", 2, LM__TIER__TIER_TOWN);
	hold.keep_months = 60;
	hold.keep_from = LM__KEEP_FROM__KEEP_FROM_CLOSED;
	hold.basis = s->basis;
	hold.n_basis = 1;
	s->hold = &hold;
	Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
	assert_ok(&n, node_apply_message(&n, &h, &s->base));
	assert_refused(&n, ERR_CONFLICT, step(&n, TOWN_A, CONFIRM, "second", NULL, 0)); /* it came in between */
	assert_ok(&n, step(&n, TOWN_A, DROP, "second", NULL, 0));
	assert_refused(&n, ERR_CONFLICT, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
	assert_says(&n, "kept until 1975-01-01");
	int64_t until = erase_kept_until(n.txn, node_case(&n, &id), &n.arena, NULL);
	assert_int_equal(erase_check(&n.domain, n.txn, id, until - 1, &n.arena, &n.e), ERR_CONFLICT);
	assert_ok(&n, erase_check(&n.domain, n.txn, id, until, &n.arena, &n.e));
	node_close(&n);
}

static void test_months(void **state)
{
	(void)state;
	static const struct {
		int64_t from_ms;
		unsigned months;
		const char *day;
	} rows[] = {
		{ 1795302821847, 1, "2026-12-22 07:13" }, /* 2026-11-22 07:13 in Shanghai */
		{ 1769788800000, 1, "2026-02-28 00:00" }, /* the 31st of January */
		{ 1706630400000, 1, "2024-02-29 00:00" }, /* of a leap year: the 31st at midnight in Shanghai */
		{ 1795302821847, 1200, "2126-11-22 07:13" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[CLOCK_TEXT_BYTES];
		clock_format_shanghai(clock_months_later(rows[i].from_ms, rows[i].months), text);
		assert_string_equal(text, rows[i].day);
	}
}

/* Only who has the case may say so; one that has not come is noted, and erased as it comes. */
static void test_who_may_say_so(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(7), late = id_of(8);
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	assert_ok(&n, node_publish(&n, "town", 1, LM__TIER__TIER_TOWN));
	assert_ok(&n, node_publish(&n, "district", 1, LM__TIER__TIER_DISTRICT));
	assert_ok(&n, node_request(&n, T1, &id, "town", 1));
	Lm__ErasePayload p = word(&id, LM__TIER__TIER_TOWN);
	Lm__Header h = entry_make(TOWN_B, UP, KIND(ERASE));
	assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &p.base)); /* another town's */
	h = entry_make(T1, UP, KIND(ERASE));
	assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &p.base));
	h = entry_make(TOWN_A, UP, KIND(ERASE));
	assert_ok(&n, node_apply_message(&n, &h, &p.base));
	assert_non_null(effect_find(&n, DOMAIN_ERASE));
	p = word(&late, LM__TIER__TIER_TOWN);
	assert_ok(&n, node_apply_message(&n, &h, &p.base));
	assert_non_null(effect_find(&n, DOMAIN_ERASE));
	p.n_requests = 0;
	assert_refused(&n, ERR_INVALID, node_apply_message(&n, &h, &p.base));

	struct id of_district = id_of(10);
	assert_ok(&n, node_request(&n, T1, &of_district, "district", 1));
	p = word(&of_district, LM__TIER__TIER_TOWN);
	assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &p.base)); /* the district has it */
	node_close(&n);
}

/* That the district had handed the case back is among what a restored one has not been given back yet. */
static void test_it_waits_for_the_end_of_a_return(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(7);
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	assert_ok(&n, node_publish(&n, "district", 1, LM__TIER__TIER_DISTRICT));
	assert_ok(&n, node_request(&n, T1, &id, "district", 1));
	Lm__ErasePayload p = word(&id, LM__TIER__TIER_TOWN);
	Lm__Header h = entry_make(TOWN_A, UP, KIND(ERASE));
	node_restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_BEGUN);
	assert_refused(&n, ERR_HELD, node_apply_message(&n, &h, &p.base));
	node_restore_step(&n, LM__RESTORE_STEP__RESTORE_STEP_ENDED);
	assert_non_null(effect_find(&n, DOMAIN_RELEASE_HELD));
	assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &p.base));
	node_close(&n);
}

/* The same entries once with the payload and once without, as a replay after the erasing finds them. */
static void test_a_replay_comes_to_the_same(void **state)
{
	(void)state;
	struct hash hash[2];
	uint64_t first_seq = next_seq;
	for (int is_replay = 0; is_replay < 2; is_replay++) {
		struct node n;
		struct id id = id_of(7);
		Lm__ErasedFacts facts = LM__ERASED_FACTS__INIT;
		next_seq = first_seq;
		node_open(&n, &devices[TOWN_A]);
		node_directory(&n);
		node_secret(&n, TOWN_A);
		assert_ok(&n, node_publish(&n, "town", 1, LM__TIER__TIER_TOWN));
		Lm__Header h = request_entry(T1, &id, "town", 1);
		struct bytes plain = request_plain(&n, CODE, "张三");
		struct domain_item item = item_make(&n, &h, plain);
		if (is_replay) {
			struct hash code;
			Lm__NodeSecretPayload *secret;
			assert_ok(&n, secret_get(n.txn, &n.arena, &secret));
			assert_ok(&n, case_code_hash(secret->code_hash_key.data, CODE, &code, &n.e));
			facts.owner = LM__TIER__TIER_TOWN;
			facts.code_hash = codec_data(BYTES(arena_copy(&n.arena, code.byte, HASH_BYTES), HASH_BYTES));
			item.plain = BYTES(NULL, 0);
			item.is_absent = true;
			item.facts = &facts;
		}
		assert_ok(&n, node_apply_item(&n, &item));
		assert_ok(&n, node_act(&n, &id, ACTION(WITHDRAWN)));
		assert_ok(&n, step(&n, TOWN_A, PROPOSE, "first", &id, 1));
		assert_ok(&n, step(&n, TOWN_A, CONFIRM, "second", NULL, 0));
		assert_ok(&n, carried_out(&n, TOWN_A, &id));
		Lm__CaseRecord *record = node_case(&n, &id);
		assert_true(record->is_absent);
		assert_int_equal(record->lookup.len, 0);
		assert_int_equal(record->code_hash.len, HASH_BYTES); /* the code still says that it was erased */
		assert_int_equal(store_count(n.txn, &domain_table_lock), 0);
		hash[is_replay] = node_hash(&n);
		node_close(&n);
	}
	assert_memory_equal(&hash[0], &hash[1], sizeof *hash);
}

static void lock_put(struct node *n, uint8_t lookup_byte)
{
	static uint8_t lookup[RECEIPT_LOOKUP_BYTES], bytes[RECEIPT_LOCK_BYTES];
	Lm__ReceiptLockPayload lock = LM__RECEIPT_LOCK_PAYLOAD__INIT;
	Lm__Header h = entry_make(T1, OWN, KIND(RECEIPT_LOCK));
	lookup[0] = lookup_byte;
	lock.lookup = codec_data(BYTES_OF(lookup));
	lock.lock = codec_data(BYTES_OF(bytes));
	assert_ok(n, node_apply_message(n, &h, &lock.base));
}

static void test_at_the_terminal(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(7), neighbour = id_of(8);
	node_open(&n, &devices[T1]);
	node_directory(&n);
	assert_ok(&n, node_publish(&n, "town", 1, LM__TIER__TIER_TOWN));
	for (int i = 0; i < 2; i++) {
		struct id *each = i ? &neighbour : &id;
		Lm__Header h = request_entry(T1, each, "town", 1);
		assert_ok(&n, node_apply(&n, &h, BYTES("sealed", 6)));
		lock_put(&n, i ? 3 : 2);
		h = entry_make(TOWN_A, DOWN, KIND(STATUS));
		h.receiver = devices[T1].id;
		h.request_id = codec_data(BYTES_OF(each->byte));
		h.version = 1;
		assert_ok(&n, node_apply(&n, &h, BYTES("a message", 9)));
	}
	Lm__ErasePayload p = word(&id, 0);
	Lm__Header h = entry_make(TOWN_A, DOWN, KIND(ERASE));
	h.receiver = devices[T1].id;
	assert_ok(&n, node_apply_message(&n, &h, &p.base));
	assert_non_null(effect_find(&n, DOMAIN_ERASE));
	assert_ok(&n, carried_out(&n, T1, &id));
	assert_int_equal(store_count(n.txn, &domain_table_status), 1);
	assert_int_equal(store_count(n.txn, &domain_table_receipt), 1);
	h = entry_make(TOWN_A, DOWN, KIND(STATUS)); /* a message that was on its way */
	h.receiver = devices[T1].id;
	h.request_id = codec_data(BYTES_OF(id.byte));
	h.version = 2;
	assert_ok(&n, node_apply(&n, &h, BYTES("a message", 9)));
	assert_int_equal(store_count(n.txn, &domain_table_status), 1);
	struct domain_item absent = item_make(&n, &h, BYTES(NULL, 0)); /* the lock, in a replay */
	Lm__Header lock = entry_make(T1, OWN, KIND(RECEIPT_LOCK));
	absent.header = &lock;
	absent.is_absent = true;
	assert_ok(&n, node_apply_item(&n, &absent));
	assert_int_equal(store_count(n.txn, &domain_table_receipt), 1);
	node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_persons),
		cmocka_unit_test(test_a_hold),
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_who_may_say_so),
		cmocka_unit_test(test_it_waits_for_the_end_of_a_return),
		cmocka_unit_test(test_a_replay_comes_to_the_same),
		cmocka_unit_test(test_at_the_terminal),
	};
	devices_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
