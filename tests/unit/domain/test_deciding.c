/* Decided by two, objected to, opened again: at town and district alike. */
#include "fixture.h"

#define DAY_MS (24ll * 3600 * 1000)

struct two { /* the tiers, each with one request of T1 in a town's service */
	struct node town, district;
	struct id id;
};

static void service_put(struct node *n, const Lm__Outcome *needs_second, size_t count, uint32_t days)
{
	struct service_parts parts;
	Lm__Basis *basis[1] = { &parts.basis };
	Lm__Objection objection = LM__OBJECTION__INIT;
	Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
	Lm__Service *s = service_make(&parts, "two", 1, TOWN);
	objection.days = days;
	objection.n_basis = 1;
	objection.basis = basis;
	s->needs_second = (Lm__Outcome *)(uintptr_t)needs_second;
	s->n_needs_second = count;
	s->objection = days ? &objection : NULL;
	assert_ok(n, node_apply_message(n, &h, &s->base));
}

static void two_open(struct two *p, const Lm__Outcome *needs_second, size_t count, uint32_t days)
{
	struct node *const both[] = { &p->town, &p->district };
	node_open(&p->town, &devices[TOWN_A]);
	node_open(&p->district, &devices[HUB]);
	p->id = id_of(1);
	Lm__Header h = request_entry(T1, &p->id, "two", 1);
	for (size_t i = 0; i < 2; i++) {
		node_directory(both[i]);
		service_put(both[i], needs_second, count, days);
		assert_ok(both[i], node_apply(both[i], &h, request_plain(both[i], CODE, "张三")));
	}
}

static void two_close(struct two *p)
{
	node_close(&p->town);
	node_close(&p->district);
}

static Lm__Header event_with(struct two *p, Lm__CaseAction action, Lm__Outcome outcome)
{
	Lm__Header h = event_entry(&p->town, &p->id, action);
	h.outcome = outcome;
	return h;
}

/* At both, to the same state. */
static void both_do(struct two *p, Lm__CaseAction action, Lm__Outcome outcome, Lm__CaseState state)
{
	Lm__Header h = event_with(p, action, outcome);
	assert_ok(&p->town, node_apply(&p->town, &h, BYTES(NULL, 0)));
	assert_ok(&p->district, node_apply(&p->district, &h, BYTES(NULL, 0)));
	assert_int_equal(node_case(&p->town, &p->id)->state, state);
	assert_int_equal(node_case(&p->district, &p->id)->state, state);
}

static void both_refuse(struct two *p, int expected, Lm__CaseAction action, Lm__Outcome outcome)
{
	Lm__Header h = event_with(p, action, outcome);
	assert_refused(&p->town, expected, node_apply(&p->town, &h, BYTES(NULL, 0)));
	assert_refused(&p->district, expected, node_apply(&p->district, &h, BYTES(NULL, 0)));
}

#define NO OUTCOME(NONE)
static const Lm__Outcome refusals[] = { LM__OUTCOME__OUTCOME_REFUSED };

static void test_one_proposes_and_another_approves(void **state)
{
	(void)state;
	struct two p;
	two_open(&p, refusals, 1, 0);
	both_refuse(&p, ERR_CONFLICT, ACTION(PROPOSE), OUTCOME(REFUSED)); /* nobody has accepted it */
	both_do(&p, ACTION(ACCEPT), NO, STATE(ACCEPTED));
	both_refuse(&p, ERR_DENIED, ACTION(DECIDE), OUTCOME(REFUSED));
	both_refuse(&p, ERR_INVALID, ACTION(PROPOSE), OUTCOME(GRANTED)); /* one person's business */
	both_refuse(&p, ERR_CONFLICT, ACTION(RETURN), NO);
	both_do(&p, ACTION(PROPOSE), OUTCOME(REFUSED), STATE(PROPOSED));
	Lm__CaseRecord *r = node_case(&p.district, &p.id);
	assert_int_equal(r->proposed, OUTCOME(REFUSED));
	assert_int_equal(r->outcome, NO); /* nothing is decided */
	static const Lm__CaseAction not_now[] = { ACTION(ACCEPT),    ACTION(ASK),  ACTION(DUPLICATE),
		                                  ACTION(HAND_OVER), ACTION(STEP), ACTION(EVIDENCE) };
	for (size_t i = 0; i < sizeof not_now / sizeof *not_now; i++)
		both_refuse(&p, ERR_CONFLICT, not_now[i], NO);
	both_refuse(&p, ERR_CONFLICT, ACTION(DECIDE), OUTCOME(GRANTED)); /* another outcome */
	both_refuse(&p, ERR_CONFLICT, ACTION(PROPOSE), OUTCOME(REFUSED));
	both_do(&p, ACTION(RETURN), NO, STATE(ACCEPTED));
	assert_int_equal(node_case(&p.town, &p.id)->proposed, NO);
	both_do(&p, ACTION(PROPOSE), OUTCOME(REFUSED), STATE(PROPOSED));
	both_do(&p, ACTION(ANSWER_TAKEN), NO, STATE(PROPOSED)); /* of a resident who was faster */
	assert_int_equal(node_case(&p.town, &p.id)->proposed, OUTCOME(REFUSED));
	both_do(&p, ACTION(DECIDE), OUTCOME(REFUSED), STATE(DECIDED));
	assert_int_equal(node_case(&p.town, &p.id)->outcome, OUTCOME(REFUSED));
	two_close(&p);
}

static void test_a_resident_withdraws_what_is_proposed(void **state)
{
	(void)state;
	struct two p;
	two_open(&p, refusals, 1, 0);
	both_do(&p, ACTION(ACCEPT), NO, STATE(ACCEPTED));
	both_do(&p, ACTION(PROPOSE), OUTCOME(REFUSED), STATE(PROPOSED));
	both_do(&p, ACTION(WITHDRAWN), NO, STATE(WITHDRAWN));
	assert_int_equal(node_case(&p.town, &p.id)->proposed, NO);
	both_refuse(&p, ERR_CLOSED, ACTION(DECIDE), OUTCOME(REFUSED));
	two_close(&p);
}

static uint64_t refused_count(struct node *district)
{
	struct bytes key = bytes_from_text("310114106"), value;
	uint8_t memory[16];
	Lm__CountRecord *count;
	memcpy(memory, key.data, key.size);
	memcpy(memory + key.size, "\0two", 4);
	assert_ok(district,
	          store_get(district->txn, &domain_table_count, BYTES(memory, key.size + 4), &district->arena, &value));
	assert_ok(district, CODEC_UNPACK(lm__count_record, value, &district->arena, &count, &district->e));
	assert_int_equal(count->received, 1);
	assert_int_equal(count->open + count->refused + count->granted, 1);
	return count->refused;
}

static void test_an_objection_opens_the_case_once(void **state)
{
	(void)state;
	struct two p;
	two_open(&p, NULL, 0, 30);
	both_do(&p, ACTION(ACCEPT), NO, STATE(ACCEPTED));
	both_refuse(&p, ERR_CONFLICT, ACTION(OBJECT), NO);
	both_do(&p, ACTION(DECIDE), OUTCOME(REFUSED), STATE(DECIDED));
	assert_int_equal(refused_count(&p.district), 1);
	assert_int_equal(case_open_count(p.town.txn), 0);
	Lm__Header h = event_entry(&p.town, &p.id, ACTION(OBJECT));
	assert_true(h.is_reopening);
	h.is_reopening = false; /* a header that hides it */
	assert_refused(&p.town, ERR_INVALID, node_apply(&p.town, &h, BYTES(NULL, 0)));
	both_do(&p, ACTION(OBJECT), NO, STATE(OBJECTED));
	assert_int_equal(refused_count(&p.district), 0);
	Lm__CaseRecord *r = node_case(&p.town, &p.id);
	assert_true(r->is_objected && r->was_objected && r->open_key && !r->closed_key && !r->closed_ms);
	assert_int_equal(r->outcome, OUTCOME(REFUSED)); /* until there is another */
	assert_int_equal(case_open_count(p.town.txn), 1);
	assert_int_equal(store_count(p.town.txn, &domain_table_closed), 0);
	assert_int_equal(store_count(p.town.txn, &domain_table_lock), 0);
	both_do(&p, ACTION(ASK), NO, STATE(ASKED));
	both_do(&p, ACTION(ANSWER_TAKEN), NO, STATE(OBJECTED)); /* it is still known that there is an objection */
	both_do(&p, ACTION(DECIDE), OUTCOME(GRANTED), STATE(DECIDED));
	r = node_case(&p.district, &p.id);
	assert_true(!r->is_objected && r->was_objected && r->closed_key);
	assert_int_equal(r->outcome, OUTCOME(GRANTED));
	assert_int_equal(store_count(p.town.txn, &domain_table_lock), 1);
	both_refuse(&p, ERR_CONFLICT, ACTION(OBJECT), NO);
	two_close(&p);
}

static void both_rate(struct two *p, Lm__Rating rating, int expected)
{
	Lm__Header h = event_entry(&p->town, &p->id, ACTION(RATE));
	h.rating = rating;
	if (expected) {
		assert_refused(&p->town, expected, node_apply(&p->town, &h, BYTES(NULL, 0)));
		assert_refused(&p->district, expected, node_apply(&p->district, &h, BYTES(NULL, 0)));
		return;
	}
	assert_ok(&p->town, node_apply(&p->town, &h, BYTES(NULL, 0)));
	assert_ok(&p->district, node_apply(&p->district, &h, BYTES(NULL, 0)));
}

static void check_rated(struct two *p, Lm__Rating rating, uint64_t good, uint64_t bad)
{
	Lm__CountRecord *count;
	struct bytes value;
	assert_int_equal(node_case(&p->town, &p->id)->rating, rating);
	assert_int_equal(node_case(&p->district, &p->id)->rating, rating);
	assert_ok(&p->district, store_get(p->district.txn, &domain_table_count, BYTES("310114106\0two", 13),
	                                  &p->district.arena, &value));
	assert_ok(&p->district, CODEC_UNPACK(lm__count_record, value, &p->district.arena, &count, &p->district.e));
	assert_int_equal(count->good, good);
	assert_int_equal(count->bad, bad);
	assert_int_equal(count->very_good + count->fair + count->very_bad, 0);
}

#define RATING(name) LM__RATING__RATING_##name

static void test_what_is_finished_is_rated_and_counted_once(void **state)
{
	(void)state;
	struct two p;
	two_open(&p, NULL, 0, 30);
	both_do(&p, ACTION(ACCEPT), NO, STATE(ACCEPTED));
	both_rate(&p, RATING(GOOD), ERR_INVALID);
	both_do(&p, ACTION(ASK), NO, STATE(ASKED));
	both_rate(&p, RATING(NONE), OK); /* it came when the case was open again: answered, and nothing else */
	assert_int_equal(node_case(&p.town, &p.id)->state, STATE(ASKED));
	both_do(&p, ACTION(DECIDE), OUTCOME(REFUSED), STATE(DECIDED));
	int64_t closed_ms = node_case(&p.town, &p.id)->closed_ms;
	both_rate(&p, RATING(NONE), ERR_INVALID);
	both_rate(&p, (Lm__Rating)6, ERR_INVALID);
	check_rated(&p, RATING(NONE), 0, 0);
	both_rate(&p, RATING(BAD), OK);
	check_rated(&p, RATING(BAD), 0, 1);
	both_rate(&p, RATING(GOOD), OK); /* changed */
	check_rated(&p, RATING(GOOD), 1, 0);
	assert_int_equal(node_case(&p.town, &p.id)->state, STATE(DECIDED));
	assert_int_equal(node_case(&p.town, &p.id)->closed_ms, closed_ms);
	Lm__Header h = event_with(&p, ACTION(OBJECT), NO);
	h.rating = RATING(GOOD); /* nothing else has one */
	assert_refused(&p.town, ERR_INVALID, node_apply(&p.town, &h, BYTES(NULL, 0)));
	both_do(&p, ACTION(OBJECT), NO, STATE(OBJECTED));
	check_rated(&p, RATING(GOOD), 1, 0); /* it stands until there is another */
	two_close(&p);
}

static void test_an_ask_with_a_rating(void **state)
{
	(void)state;
	struct two p;
	two_open(&p, NULL, 0, 30);
	Lm__Header h = ask_entry(T1, &p.id, KIND(RATE), 0);
	assert_refused(&p.town, ERR_INVALID, node_apply(&p.town, &h, BYTES(NULL, 0)));
	h.rating = (Lm__Rating)6;
	assert_refused(&p.town, ERR_INVALID, node_apply(&p.town, &h, BYTES(NULL, 0)));
	h.rating = RATING(FAIR);
	assert_ok(&p.town, node_apply(&p.town, &h, BYTES(NULL, 0)));
	assert_int_equal(node_case(&p.town, &p.id)->asks[0]->rating, RATING(FAIR));
	h = ask_entry(T1, &p.id, KIND(WITHDRAW), 0);
	h.rating = RATING(FAIR);
	assert_refused(&p.town, ERR_INVALID, node_apply(&p.town, &h, BYTES(NULL, 0)));
	two_close(&p);
}

static void test_what_cannot_be_objected_to(void **state)
{
	(void)state;
	struct two p;
	two_open(&p, NULL, 0, 30);
	both_do(&p, ACTION(ACCEPT), NO, STATE(ACCEPTED));
	both_do(&p, ACTION(DECIDE), OUTCOME(GRANTED), STATE(DECIDED));
	both_refuse(&p, ERR_DENIED, ACTION(OBJECT), NO);
	two_close(&p);
	two_open(&p, NULL, 0, 0); /* the service knows no objection */
	both_do(&p, ACTION(ACCEPT), NO, STATE(ACCEPTED));
	both_do(&p, ACTION(DECIDE), OUTCOME(REFUSED), STATE(DECIDED));
	both_refuse(&p, ERR_DENIED, ACTION(OBJECT), NO);
	two_close(&p);
}

/* 24:00 in Shanghai of the last day, the day of the decision not counted. */
static void test_until_when(void **state)
{
	(void)state;
	Lm__Service service = LM__SERVICE__INIT;
	Lm__Objection objection = LM__OBJECTION__INIT;
	const int64_t morning_ms = 1795302821847; /* 2026-11-22, 07:13 in Shanghai */
	assert_int_equal(case_object_until(&service, OUTCOME(REFUSED), false, morning_ms), 0);
	service.objection = &objection;
	objection.days = 1;
	const int64_t end_ms = case_object_until(&service, OUTCOME(REFUSED), false, morning_ms);
	assert_int_equal(end_ms, 1795449600000); /* 2026-11-23T16:00Z */
	assert_int_equal(case_object_until(&service, OUTCOME(PARTLY_GRANTED), false, morning_ms), end_ms);
	assert_int_equal(case_object_until(&service, OUTCOME(REFUSED), true, morning_ms), 0);
	assert_int_equal(case_object_until(&service, OUTCOME(GRANTED), false, morning_ms), 0);
	objection.days = 60;
	assert_int_equal(case_object_until(&service, OUTCOME(REFUSED), false, morning_ms), end_ms + 59 * DAY_MS);
}

static void test_a_supervisor_opens_what_is_closed(void **state)
{
	(void)state;
	static const Lm__CaseAction ends[] = { ACTION(WITHDRAWN), ACTION(DUPLICATE) };
	for (size_t i = 0; i < 2; i++) {
		struct two p;
		two_open(&p, NULL, 0, 30);
		both_refuse(&p, ERR_CONFLICT, ACTION(REOPEN), NO);
		both_do(&p, ends[i], NO, i ? STATE(DUPLICATE) : STATE(WITHDRAWN));
		both_do(&p, ACTION(REOPEN), NO, STATE(ACCEPTED));
		assert_int_equal(case_open_count(p.town.txn), 1);
		assert_int_equal(case_open_count(p.district.txn), 0); /* the town's */
		both_do(&p, ACTION(DECIDE), OUTCOME(REFUSED), STATE(DECIDED));
		both_do(&p, ACTION(REOPEN), NO, STATE(ACCEPTED));
		both_do(&p, ACTION(DECIDE), OUTCOME(REFUSED), STATE(DECIDED));
		both_do(&p, ACTION(OBJECT), NO, STATE(OBJECTED)); /* that was no objection */
		two_close(&p);
	}
}

/* At the terminal: what is open again is not closed any more. */
static void test_the_terminal_learns_of_it(void **state)
{
	(void)state;
	struct node terminal;
	struct id id = id_of(1);
	Lm__RequestRecord *r;
	node_open(&terminal, &devices[T1]);
	node_directory(&terminal);
	Lm__Header h = request_entry(T1, &id, "two", 1);
	assert_ok(&terminal, node_apply(&terminal, &h, BYTES(NULL, 0)));
	for (uint32_t version = 1; version <= 4; version++) {
		h = entry_make(TOWN_A, DOWN, KIND(STATUS));
		h.receiver = devices[T1].id;
		h.request_id = codec_data(BYTES_OF(id));
		h.version = version;
		h.is_closing = version == 1 || version == 4;
		h.is_reopening = version == 2;
		assert_ok(&terminal, node_apply(&terminal, &h, bytes_from_text("sealed")));
		assert_ok(&terminal, request_get(terminal.txn, id, &terminal.arena, &r));
		assert_int_equal(r->is_closed, version == 1 || version == 4);
	}
	node_close(&terminal);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_proposes_and_another_approves),
		cmocka_unit_test(test_a_resident_withdraws_what_is_proposed),
		cmocka_unit_test(test_an_objection_opens_the_case_once),
		cmocka_unit_test(test_what_is_finished_is_rated_and_counted_once),
		cmocka_unit_test(test_an_ask_with_a_rating),
		cmocka_unit_test(test_what_cannot_be_objected_to),
		cmocka_unit_test(test_until_when),
		cmocka_unit_test(test_a_supervisor_opens_what_is_closed),
		cmocka_unit_test(test_the_terminal_learns_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
