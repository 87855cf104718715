/* Cases, one rule at a time: the state machine as a table, who may do what, asks that race, limits. */
#include "fixture.h"

#define HANDED(name) LM__HANDED_OVER__HANDED_OVER_##name

struct pair { /* the two tiers, each with one request of T1 in service "town" (decided there) and "district" */
	struct node town, district;
	struct id id;
};

static void pair_open(struct pair *p, const char *service)
{
	struct node *const both[] = { &p->town, &p->district };
	node_open(&p->town, &devices[TOWN_A]);
	node_open(&p->district, &devices[HUB]);
	p->id = id_of(1);
	Lm__Header h = request_entry(T1, &p->id, service, 1);
	for (size_t i = 0; i < 2; i++) {
		node_directory(both[i]);
		assert_ok(both[i], node_publish(both[i], "town", 1, TOWN));
		assert_ok(both[i], node_publish(both[i], "district", 1, DISTRICT));
		if (service)
			assert_ok(both[i], node_apply(both[i], &h, request_plain(both[i], CODE, "张三")));
	}
}

static void pair_close(struct pair *p)
{
	node_close(&p->town);
	node_close(&p->district);
}

/* The town's event is applied at both; the district's too, as the copy that it sends down. */
static Lm__Header copy_entry(const Lm__Header *event)
{
	Lm__Header h = *event;
	h.kind = KIND(CASE_COPY);
	h.stream = DOWN;
	h.receiver = devices[TOWN_A].id;
	h.seq = next_seq++;
	return h;
}

static int pair_pass(struct pair *p, const Lm__Header *event)
{
	if (event->stream == UP)
		return node_apply(&p->district, event, BYTES(NULL, 0));
	Lm__Header copy = copy_entry(event);
	return node_apply(&p->town, &copy, BYTES(NULL, 0));
}

static Lm__Header pair_act(struct pair *p, struct node *owner, Lm__CaseAction action)
{
	Lm__Header h = event_entry(owner, &p->id, action);
	assert_ok(owner, node_apply(owner, &h, BYTES(NULL, 0)));
	return h;
}

static Lm__Header answer_entry(struct pair *p, struct node *owner, Lm__CaseAction action, ProtobufCBinaryData *ask)
{
	Lm__Header h = event_entry(owner, &p->id, action);
	h.n_asks = 1;
	h.asks = ask;
	return h;
}

/* A refusal is a value: it leaves neither rows nor effects. */
static void refuse(struct node *n, int expected, const Lm__Header *h, struct bytes plain)
{
	struct hash before = node_hash(n);
	assert_refused(n, expected, node_apply(n, h, plain));
	struct hash after = node_hash(n);
	assert_memory_equal(&before, &after, sizeof before);
	assert_int_equal(n->fx.count, 0);
	assert_int_equal(store_failure(n->txn, NULL), OK);
	assert_true(strlen(n->e.text) > 10);
}

/* ---- the table ---- */

/* How a case gets into each state. */
static const Lm__CaseAction ways[][3] = {
	[STATE(RECEIVED)] = { 0 },
	[STATE(ACCEPTED)] = { ACTION(ACCEPT) },
	[STATE(ASKED)] = { ACTION(ACCEPT), ACTION(ASK) },
	[STATE(DECIDED)] = { ACTION(ACCEPT), ACTION(DECIDE) },
	[STATE(WITHDRAWN)] = { ACTION(WITHDRAWN) },
	[STATE(DUPLICATE)] = { ACTION(DUPLICATE) },
};

/* The state after an action, or the error. Columns: ACCEPT ASK DECIDE WITHDRAWN DUPLICATE HAND_OVER ANSWER_TAKEN
 * TOO_LATE CONFIRM_PERSON STEP EVIDENCE; the others: test_deciding.c */
#define REC STATE(RECEIVED)
#define ACC STATE(ACCEPTED)
#define ASK STATE(ASKED)
#define DEC STATE(DECIDED)
#define WIT STATE(WITHDRAWN)
#define DUP STATE(DUPLICATE)
#define NOT ERR_CONFLICT
#define END ERR_CLOSED
static const int expected[][11] = {
	[REC] = { ACC, NOT, NOT, WIT, DUP, REC, REC, NOT, REC, NOT, REC },
	[ACC] = { NOT, ASK, DEC, WIT, DUP, REC, ACC, NOT, ACC, ACC, ACC },
	[ASK] = { NOT, NOT, DEC, WIT, DUP, REC, ACC, NOT, ASK, NOT, ASK },
	[DEC] = { END, END, END, END, END, END, END, DEC, DEC, END, END },
	[WIT] = { END, END, END, END, END, END, END, WIT, WIT, END, END },
	[DUP] = { END, END, END, END, END, END, END, DUP, DUP, END, END },
};

static void check_after(struct node *n, const struct id *id, const Lm__Header *h, Lm__CaseState state)
{
	Lm__CaseRecord *r = node_case(n, id);
	bool is_ours = r->owner == n->domain.tier, is_closed = case_state_is_closed(state);
	assert_int_equal(r->state, state);
	assert_int_equal(r->version, h->version);
	assert_int_equal(r->owner, h->owner);
	assert_int_equal(r->epoch, h->epoch);
	assert_int_equal(r->outcome, state == DEC ? OUTCOME(GRANTED) : OUTCOME(NONE));
	assert_int_equal(r->open_key != 0, is_ours && !is_closed);
	assert_int_equal(r->closed_key != 0, is_closed);
	assert_int_equal(case_open_count(n->txn), is_ours && !is_closed);
	assert_int_equal(store_count(n->txn, &domain_table_closed), is_closed);
	assert_int_equal(store_count(n->txn, &domain_table_lock), is_closed && n->domain.tier == TOWN);
}

static void try_action(Lm__CaseState state, Lm__CaseAction action, struct pair *p)
{
	for (size_t i = 0; i < 3 && ways[state][i]; i++)
		assert_ok(&p->town, node_act(&p->town, &p->id, ways[state][i]));
	Lm__Header h = event_entry(&p->town, &p->id, action);
	Lm__CaseRecord *r = node_case(&p->town, &p->id);
	int wanted = expected[state][action - 1];
	assert_int_equal(r->state, state);
	assert_refused(&p->town, wanted < 0 ? wanted : OK, case_action_check(r, action, h.outcome, &p->town.e));
	if (wanted < 0) {
		refuse(&p->town, wanted, &h, BYTES(NULL, 0));
		return;
	}
	assert_ok(&p->town, node_apply(&p->town, &h, BYTES(NULL, 0)));
	assert_non_null(effect_find(&p->town, DOMAIN_CASE));
	check_after(&p->town, &p->id, &h, (Lm__CaseState)wanted);
	assert_int_equal(h.epoch, action == ACTION(HAND_OVER) ? 2 : 1);
	assert_int_equal(h.is_closing, case_state_is_closed((Lm__CaseState)wanted) && !case_state_is_closed(state));
}

static void test_every_state_and_action(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	for (Lm__CaseState s = REC; s <= DUP; s++)
		for (Lm__CaseAction action = ACTION(ACCEPT); action <= ACTION(EVIDENCE); action++) {
			struct store_txn *txn = p.town.txn;
			assert_ok(&p.town, node_request(&p.town, T1, &p.id, "town", 1));
			try_action(s, action, &p);
			store_abort(txn); /* the next one begins without it */
			assert_ok(&p.town, store_begin_write(p.town.store, &p.town.txn, &p.town.e));
			node_directory(&p.town);
			assert_ok(&p.town, node_publish(&p.town, "town", 1, TOWN));
		}
	pair_close(&p);
}

static void act_at(struct pair *p, Lm__CaseAction action, int64_t time_ms)
{
	Lm__Header h = event_entry(&p->town, &p->id, action);
	h.time_ms = time_ms;
	assert_ok(&p->town, node_apply(&p->town, &h, BYTES(NULL, 0)));
	assert_ok(&p->district, pair_pass(p, &h));
}

/* The term of a step begins when the one before is done, and stands still while the resident is asked. */
static void test_steps_and_pauses(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	act_at(&p, ACTION(ACCEPT), 100);
	act_at(&p, ACTION(ASK), 200);
	assert_int_equal(node_case(&p.town, &p.id)->asked_ms, 200);
	act_at(&p, ACTION(ANSWER_TAKEN), 300);
	act_at(&p, ACTION(ASK), 400);
	act_at(&p, ACTION(HAND_OVER), 500);
	struct node *nodes[] = { &p.town, &p.district };
	for (size_t i = 0; i < 2; i++) {
		Lm__CaseRecord *r = node_case(nodes[i], &p.id);
		assert_int_equal(r->n_pauses, 2);
		assert_int_equal(r->pauses[0]->from_ms, 200);
		assert_int_equal(r->pauses[0]->to_ms, 300);
		assert_int_equal(r->pauses[1]->from_ms, 400);
		assert_int_equal(r->pauses[1]->to_ms, 500);
		assert_int_equal(r->asked_ms, 0);
		assert_int_equal(r->step, 0);
	}
	pair_close(&p);
	pair_open(&p, "town");
	act_at(&p, ACTION(ACCEPT), 100);
	act_at(&p, ACTION(ASK), 200);
	act_at(&p, ACTION(ANSWER_TAKEN), 300);
	act_at(&p, ACTION(STEP), 600);
	for (size_t i = 0; i < 2; i++) {
		Lm__CaseRecord *r = node_case(i ? &p.district : &p.town, &p.id);
		assert_int_equal(r->n_pauses, 0);
		assert_int_equal(r->step, 1);
		assert_int_equal(r->step_ms, 600);
	}
	Lm__Header h = event_entry(&p.town, &p.id, ACTION(STEP)); /* the service has one */
	refuse(&p.town, ERR_CONFLICT, &h, BYTES(NULL, 0));
	assert_says(&p.town, "all 1 steps");
	pair_close(&p);
}

static void test_no_such_action_or_outcome(void **state)
{
	(void)state;
	Lm__CaseRecord r = LM__CASE_RECORD__INIT;
	struct error e;
	r.state = ACC;
	assert_int_equal(case_action_check(&r, ACTION(NONE), OUTCOME(NONE), &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, (Lm__CaseAction)99, OUTCOME(NONE), &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, (Lm__CaseAction)-1, OUTCOME(NONE), &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, ACTION(DECIDE), OUTCOME(NONE), &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, ACTION(DECIDE), (Lm__Outcome)4, &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, ACTION(DECIDE), (Lm__Outcome)-1, &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, ACTION(ASK), OUTCOME(REFUSED), &e), ERR_INVALID);
	assert_int_equal(case_action_check(&r, ACTION(DECIDE), OUTCOME(REFUSED), &e), OK);
}

static void test_an_event_that_does_not_fit(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header good = event_entry(&p.town, &p.id, ACTION(ACCEPT)), h;
	h = good, h.version = 0;
	refuse(&p.town, ERR_CONFLICT, &h, BYTES(NULL, 0));
	h = good, h.epoch = 2;
	refuse(&p.town, ERR_INVALID, &h, BYTES(NULL, 0));
	h = good, h.owner = DISTRICT;
	refuse(&p.town, ERR_INVALID, &h, BYTES(NULL, 0));
	h = good, h.is_closing = true;
	refuse(&p.town, ERR_INVALID, &h, BYTES(NULL, 0));
	h = good, h.request_id.len = 15;
	refuse(&p.town, ERR_INVALID, &h, BYTES(NULL, 0)); /* of no request at all */
	h = good, h.origin = devices[TOWN_B].id;
	refuse(&p.town, ERR_DENIED, &h, BYTES(NULL, 0));
	refuse(&p.district, ERR_DENIED, &h, BYTES(NULL, 0));
	assert_says(&p.district, "310114107");
	h.origin = devices[T1].id;
	refuse(&p.district, ERR_DENIED, &h, BYTES(NULL, 0));
	assert_ok(&p.town, node_apply(&p.town, &good, BYTES(NULL, 0)));
	refuse(&p.town, ERR_CONFLICT, &good, BYTES(NULL, 0)); /* again */
	pair_close(&p);
}

/* Who is handed a case accepts it or sends it back; both tiers know which, and how long it has waited here. */
static void both_handed(struct pair *p, struct node *owner, Lm__CaseAction action, Lm__HandedOver handed)
{
	struct node *nodes[] = { &p->town, &p->district };
	Lm__Header h = pair_act(p, owner, action);
	assert_ok(owner == &p->town ? &p->district : &p->town, pair_pass(p, &h));
	for (size_t i = 0; i < 2; i++) {
		Lm__CaseRecord *r = node_case(nodes[i], &p->id);
		assert_int_equal(r->handed, handed);
		assert_int_equal(r->handed_ms != 0, handed == HANDED(WAITS));
	}
}

static void test_handed_over_and_accepted(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	both_handed(&p, &p.town, ACTION(HAND_OVER), HANDED(WAITS));
	int64_t since_ms = node_case(&p.district, &p.id)->handed_ms;
	both_handed(&p, &p.district, ACTION(CONFIRM_PERSON),
	            HANDED(WAITS)); /* work on it, and nobody said it is theirs */
	both_handed(&p, &p.district, ACTION(EVIDENCE), HANDED(WAITS));
	assert_int_equal(node_case(&p.district, &p.id)->handed_ms, since_ms);
	both_handed(&p, &p.district, ACTION(ACCEPT), HANDED(NO));
	/* Accepted, it may be handed over anew, and then sent back: that stays, until somebody hands it over again. */
	both_handed(&p, &p.district, ACTION(HAND_OVER), HANDED(WAITS));
	both_handed(&p, &p.town, ACTION(HAND_OVER), HANDED(CAME_BACK));
	both_handed(&p, &p.district, ACTION(EVIDENCE), HANDED(CAME_BACK));
	both_handed(&p, &p.district, ACTION(HAND_OVER), HANDED(WAITS));
	assert_true(node_case(&p.town, &p.id)->handed_ms > since_ms); /* a new term */
	both_handed(&p, &p.town, ACTION(HAND_OVER), HANDED(CAME_BACK));
	both_handed(&p, &p.district, ACTION(WITHDRAWN), HANDED(NO));
	pair_close(&p);
}

static void test_only_the_owner_acts(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header h = event_entry(&p.district, &p.id, ACTION(ACCEPT));
	refuse(&p.district, ERR_DENIED, &h, BYTES(NULL, 0));
	Lm__Header over = pair_act(&p, &p.town, ACTION(HAND_OVER));
	h = event_entry(&p.town, &p.id, ACTION(ACCEPT));
	refuse(&p.town, ERR_DENIED, &h, BYTES(NULL, 0));
	assert_ok(&p.district, pair_pass(&p, &over));
	check_after(&p.district, &p.id, &over, REC);
	/* And back again. */
	over = pair_act(&p, &p.district, ACTION(HAND_OVER));
	assert_int_equal(over.owner, TOWN);
	assert_int_equal(over.epoch, 3);
	assert_ok(&p.town, pair_pass(&p, &over));
	check_after(&p.town, &p.id, &over, REC);
	pair_act(&p, &p.town, ACTION(ACCEPT));
	pair_close(&p);
}

/* ---- requests ---- */

static void test_a_request_twice(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	struct hash before = node_hash(&p.district);
	assert_ok(&p.district, node_request(&p.district, T1, &p.id, "town", 1)); /* an entry of its own, the same id */
	struct hash after = node_hash(&p.district);
	assert_memory_equal(&before, &after, sizeof before);
	Lm__Header h = request_entry(T2, &p.id, "town", 1); /* taken from another's: nobody may drop it in silence */
	refuse(&p.district, ERR_EXISTS, &h, request_plain(&p.district, CODE, "李四"));
	pair_close(&p);
}

static void test_hostile_requests(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	struct node *n = &p.town;
	char long_service[201];
	memset(long_service, 'a', 200);
	long_service[200] = '\0';
	Lm__Header good = request_entry(T1, &p.id, "town", 1), h;
	struct bytes plain = request_plain(n, CODE, "张三");
	h = good, h.request_id.len = 0;
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.service = "";
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.service = long_service;
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.revision = 0;
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.place = "";
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.place = "310114106";
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.place = "310114106002-T1";
	refuse(n, ERR_INVALID, &h, plain);
	h = request_entry(T3, &p.id, "town", 1);
	refuse(n, ERR_DENIED, &h, plain); /* of another town */
	h = good, h.origin = 12345;
	refuse(n, ERR_DENIED, &h, plain);
	h = good, h.stream = OWN;
	refuse(n, ERR_INVALID, &h, plain);
	h = good, h.kind = (Lm__Kind)99;
	refuse(n, ERR_INVALID, &h, plain);
	refuse(n, ERR_INVALID, &good, BYTES(NULL, 0));
	refuse(n, ERR_INVALID, &good, BYTES("\xff\xff\xff", 3));
	refuse(n, ERR_INVALID, &good, request_plain(n, CODE, ""));
	assert_says(n, "required");
	assert_ok(n, node_apply(n, &good, plain));
	pair_close(&p);
}

/* What is refused is told in a sentence that can be stored: UTF-8, wherever it was cut. */
static void test_a_refusal_is_text(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	Lm__RequestPayload r = LM__REQUEST_PAYLOAD__INIT;
	Lm__FieldValue v = LM__FIELD_VALUE__INIT, *values[] = { &v };
	uint8_t key[RECEIPT_KEY_BYTES] = { 0 };
	struct bytes plain;
	v.field = "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十";
	r.receipt_key = codec_data(BYTES_OF(key));
	r.lookup = codec_data(BYTES(key, RECEIPT_LOOKUP_BYTES));
	r.n_values = 1;
	r.values = values;
	assert_ok(&p.town, CODEC_PACK(&r, &p.town.arena, &plain, &p.town.e));
	Lm__Header h = request_entry(T1, &p.id, "town", 1);
	refuse(&p.town, ERR_INVALID, &h, plain);
	assert_true(utf8_length(bytes_from_text(p.town.e.text)) > 0);
	pair_close(&p);
}

static void test_an_absent_payload(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	Lm__Header h = request_entry(T1, &p.id, "district", 1);
	struct node *const both[] = { &p.town, &p.district };
	for (size_t i = 0; i < 2; i++) {
		struct domain_item item = item_make(both[i], &h, BYTES(NULL, 0));
		item.is_absent = true;
		assert_ok(both[i], node_apply_item(both[i], &item));
		assert_true(node_case(both[i], &p.id)->is_absent);
	}
	Lm__Header event = pair_act(&p, &p.district, ACTION(WITHDRAWN));
	assert_ok(&p.town, pair_pass(&p, &event));
	assert_int_equal(store_count(p.town.txn, &domain_table_closed), 1);
	assert_int_equal(store_count(p.town.txn, &domain_table_lock), 0); /* nobody knows which one */
	pair_close(&p);
}

/* ---- typed at the town's counter ---- */

static struct bytes counter_plain(struct node *n, size_t lookup_size)
{
	static uint8_t key[RECEIPT_KEY_BYTES] = { 1 }, lookup[RECEIPT_LOOKUP_BYTES] = { 2 };
	Lm__RequestPayload p = LM__REQUEST_PAYLOAD__INIT;
	Lm__FieldValue v = LM__FIELD_VALUE__INIT, *values[] = { &v };
	char *name[] = { "张三" };
	struct bytes packed;
	v.field = "name";
	v.values = name;
	v.n_values = 1;
	p.code = CODE;
	p.receipt_key = codec_data(BYTES_OF(key));
	p.lookup = codec_data(BYTES(lookup, lookup_size));
	p.values = values;
	p.n_values = 1;
	p.taken_by = "clerk1";
	assert_int_equal(CODEC_PACK(&p, &n->arena, &packed, &n->e), OK);
	return packed;
}

static void test_a_town_is_an_origin(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	struct node *const both[] = { &p.town, &p.district };
	Lm__Header h = request_entry(TOWN_A, &p.id, "district", 1);
	for (size_t i = 0; i < 2; i++) {
		Lm__CaseRecord *record;
		assert_ok(both[i], node_apply(both[i], &h, counter_plain(both[i], 0)));
		record = node_case(both[i], &p.id);
		assert_true(record->terminal == devices[TOWN_A].id);
		assert_string_equal(record->town, devices[TOWN_A].place);
		assert_string_equal(record->place, devices[TOWN_A].place);
	}
	/* The district's word on it goes to nobody's terminal. */
	Lm__Header event = pair_act(&p, &p.district, ACTION(WITHDRAWN)), copy = copy_entry(&event);
	Lm__CaseCopyPayload content = LM__CASE_COPY_PAYLOAD__INIT;
	content.terminal = devices[TOWN_A].id;
	content.receipt_message = codec_data(bytes_from_text("sealed"));
	assert_ok(&p.town, node_apply_message(&p.town, &copy, &content.base));
	for (size_t i = 0; i < p.town.fx.count; i++)
		assert_int_not_equal(p.town.fx.list[i].type, DOMAIN_RELAY_STATUS);
	assert_int_equal(store_count(p.town.txn, &domain_table_lock), 0);
	pair_close(&p);
}

static void test_who_is_no_counter(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	struct node *const both[] = { &p.town, &p.district };
	for (size_t i = 0; i < 2; i++) {
		Lm__Header h = request_entry(T1, &p.id, "town", 1); /* a terminal keeps a lock */
		if (both[i] == &p.town)                             /* who decides checks */
			refuse(both[i], ERR_INVALID, &h, counter_plain(both[i], 0));
		h = request_entry(TOWN_A, &p.id, "district", 1);
		refuse(both[i], ERR_INVALID, &h, counter_plain(both[i], 3));
		h.place = devices[T1].place; /* a town speaks for itself, not for a community */
		refuse(both[i], ERR_INVALID, &h, counter_plain(both[i], 0));
		h = request_entry(TOWN_B, &p.id, "town", 1);
		h.place = devices[TOWN_A].place;
		refuse(both[i], i ? ERR_INVALID : ERR_DENIED, &h, counter_plain(both[i], 0));
		h = request_entry(HUB, &p.id, "town", 1);
		refuse(both[i], ERR_DENIED, &h, counter_plain(both[i], 0));
	}
	pair_close(&p);
}

/* ---- who decides may depend on an answer ---- */

struct about { /* a complaint: decided by the district, or, if it is about the district, by the town */
	struct service_parts parts;
	Lm__Field field, *fields[2];
	Lm__FieldChoice choice[3], *choices[3];
	Lm__OwnerRule rule[2], *rules[2];
};

static Lm__Service *about_make(struct about *x)
{
	static char *const ids[] = { "town", "district", "unknown" };
	Lm__Service *s = service_make(&x->parts, "complaint", 1, DISTRICT);
	lm__field__init(&x->field);
	x->field.id = "about";
	x->field.type = LM__FIELD_TYPE__FIELD_TYPE_CHOICE;
	x->field.label = &x->parts.label;
	x->field.choices = x->choices;
	x->field.n_choices = 3;
	for (size_t i = 0; i < 3; i++) {
		lm__field_choice__init(&x->choice[i]);
		x->choice[i].id = ids[i];
		x->choice[i].name = &x->parts.label;
		x->choices[i] = &x->choice[i];
	}
	for (size_t i = 0; i < 2; i++) {
		lm__owner_rule__init(&x->rule[i]);
		x->rule[i].field = "about";
		x->rule[i].choice = ids[i];
		x->rule[i].owner = i ? TOWN : DISTRICT;
		x->rule[i].hidden_from = i ? DISTRICT : TOWN;
		x->rules[i] = &x->rule[i];
	}
	x->fields[0] = &x->parts.field;
	x->fields[1] = &x->field;
	s->fields = x->fields;
	s->n_fields = 2;
	s->owner_rules = x->rules;
	s->n_owner_rules = 2;
	return s;
}

static struct bytes about_plain(struct node *n, const char *about)
{
	static const uint8_t key[RECEIPT_KEY_BYTES] = { 1 }, lookup[RECEIPT_LOOKUP_BYTES] = { 2 };
	Lm__RequestPayload p = LM__REQUEST_PAYLOAD__INIT;
	Lm__FieldValue v[2] = { LM__FIELD_VALUE__INIT, LM__FIELD_VALUE__INIT }, *values[] = { &v[0], &v[1] };
	char *name[] = { "张三" }, *whom[] = { (char *)(uintptr_t)about };
	struct bytes packed;
	v[0].field = "name";
	v[1].field = "about";
	v[0].values = name;
	v[1].values = whom;
	v[0].n_values = 1;
	v[1].n_values = about ? 1 : 0;
	p.code = CODE;
	p.receipt_key = codec_data(BYTES_OF(key));
	p.lookup = codec_data(BYTES_OF(lookup));
	p.values = values;
	p.n_values = 2;
	assert_int_equal(CODEC_PACK(&p, &n->arena, &packed, &n->e), OK);
	return packed;
}

static void test_an_answer_says_who_decides(void **state)
{
	(void)state;
	static const struct {
		const char *about; /* NULL: the payload cannot be opened */
		Lm__Tier told, owner, hidden_from;
	} rows[] = {
		{ "town", DISTRICT, DISTRICT, TOWN },
		{ "district", TOWN, TOWN, DISTRICT },
		{ "unknown", DISTRICT, DISTRICT, LM__TIER__TIER_NONE },
		{ "", DISTRICT, DISTRICT, LM__TIER__TIER_NONE },
		{ "district", LM__TIER__TIER_NONE, TOWN, DISTRICT }, /* of a terminal that knows no rules */
		{ NULL, TOWN, TOWN, DISTRICT },
		{ NULL, DISTRICT, DISTRICT, TOWN },
		{ NULL, LM__TIER__TIER_NONE, DISTRICT, TOWN },
	};
	struct pair p;
	struct about x;
	pair_open(&p, NULL);
	struct node *const both[] = { &p.town, &p.district };
	for (size_t k = 0; k < 2; k++) {
		Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
		assert_ok(both[k], node_apply_message(both[k], &h, &about_make(&x)->base));
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct id id = id_of(100 + i);
		Lm__Header h = request_entry(T1, &id, "complaint", 1);
		h.owner = rows[i].told;
		for (size_t k = 0; k < 2; k++) {
			Lm__CaseRecord *record;
			struct domain_item item = item_make(both[k], &h, BYTES(NULL, 0));
			item.is_absent = !rows[i].about;
			if (rows[i].about)
				item.plain = about_plain(both[k], rows[i].about);
			assert_ok(both[k], node_apply_item(both[k], &item));
			assert_int_equal(case_get(both[k]->txn, id, &both[k]->arena, &record), OK);
			assert_int_equal(record->owner, rows[i].owner);
			assert_int_equal(record->hidden_from, rows[i].hidden_from);
			assert_int_equal(record->open_key != 0, rows[i].owner == both[k]->domain.tier);
			assert_int_equal(case_is_hidden(&both[k]->domain, record),
			                 rows[i].hidden_from == both[k]->domain.tier);
			struct error e;
			int result = case_action_check(record, ACTION(HAND_OVER), OUTCOME(NONE), &e);
			assert_int_equal(result, rows[i].hidden_from ? ERR_DENIED : OK);
		}
	}
	pair_close(&p);
}

/* A header may not send a request to another desk than its answers. */
static void test_a_header_that_names_another_owner(void **state)
{
	(void)state;
	struct pair p;
	struct about x;
	pair_open(&p, NULL);
	struct node *const both[] = { &p.town, &p.district };
	for (size_t k = 0; k < 2; k++) {
		Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
		assert_ok(both[k], node_apply_message(both[k], &h, &about_make(&x)->base));
		struct id id = id_of(1);
		h = request_entry(T1, &id, "complaint", 1);
		h.owner = TOWN;
		refuse(both[k], ERR_INVALID, &h, about_plain(both[k], "town"));
		h.owner = TERMINAL;
		refuse(both[k], ERR_INVALID, &h, about_plain(both[k], "town"));
		h = request_entry(T1, &id, "district", 1); /* no rules: there is one owner */
		h.owner = TOWN;
		refuse(both[k], ERR_INVALID, &h, request_plain(both[k], CODE, "张三"));
	}
	pair_close(&p);
}

static void test_an_unknown_revision_is_waited_for(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	struct node *n = &p.town;
	Lm__Header h = request_entry(T1, &p.id, "town", 2);
	struct bytes plain = request_plain(n, CODE, "张三");
	refuse(n, ERR_HELD, &h, plain);
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t size = n->cause_size;
	memcpy(cause, n->cause, size);
	Lm__Header ask = ask_entry(T1, &p.id, KIND(WITHDRAW), 0);
	refuse(n, ERR_HELD, &ask, BYTES(NULL, 0));
	uint8_t ask_cause[DOMAIN_CAUSE_BYTES];
	size_t ask_size = n->cause_size;
	memcpy(ask_cause, n->cause, ask_size);

	assert_ok(n, node_publish(n, "town", 2, TOWN));
	const struct domain_effect *fx = effect_find(n, DOMAIN_RELEASE_HELD);
	assert_non_null(fx);
	assert_true(bytes_equal(fx->cause, BYTES(cause, size)));
	assert_ok(n, node_apply(n, &h, plain));
	fx = effect_find(n, DOMAIN_RELEASE_HELD);
	assert_non_null(fx);
	assert_true(bytes_equal(fx->cause, BYTES(ask_cause, ask_size)));
	assert_ok(n, node_apply(n, &ask, BYTES(NULL, 0)));
	assert_non_null(effect_find(n, DOMAIN_ANSWER_ASK));
	pair_close(&p);
}

/* An event in quarantine must not send all that follow it there, too: they wait for it. */
static void test_an_event_waits_for_the_one_before(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header first = pair_act(&p, &p.town, ACTION(ACCEPT)), second = pair_act(&p, &p.town, ACTION(HAND_OVER));
	refuse(&p.district, ERR_HELD, &second, BYTES(NULL, 0));
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t size = p.district.cause_size;
	memcpy(cause, p.district.cause, size);
	assert_ok(&p.district, pair_pass(&p, &first));
	const struct domain_effect *fx = effect_find(&p.district, DOMAIN_RELEASE_HELD);
	assert_non_null(fx);
	assert_true(bytes_equal(fx->cause, BYTES(cause, size)));
	assert_ok(&p.district, pair_pass(&p, &second));
	check_after(&p.district, &p.id, &second, REC);
	pair_close(&p);
}

/* ---- asks ---- */

static void check_asks(struct node *n, const struct id *id, size_t count, size_t answered)
{
	Lm__CaseRecord *r = node_case(n, id);
	size_t found = 0;
	for (size_t i = 0; i < r->n_asks; i++)
		found += r->asks[i]->is_answered ? 1 : 0;
	assert_int_equal(r->n_asks, count);
	assert_int_equal(found, answered);
}

static void test_an_ask_before_the_handover_arrives(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header ask = ask_entry(T1, &p.id, KIND(WITHDRAW), 0);
	struct hash hash = entry_hash_of(&ask);
	Lm__Header over = pair_act(&p, &p.town, ACTION(HAND_OVER));
	assert_ok(&p.town, node_apply(&p.town, &ask, BYTES(NULL, 0)));
	assert_int_equal(effect_count(&p.town, DOMAIN_ANSWER_ASK), 0); /* no longer ours */
	assert_ok(&p.district, node_apply(&p.district, &ask, BYTES(NULL, 0)));
	assert_int_equal(effect_count(&p.district, DOMAIN_ANSWER_ASK), 0); /* not yet ours */
	assert_ok(&p.district, pair_pass(&p, &over));
	assert_int_equal(effect_count(&p.district, DOMAIN_ANSWER_ASK), 1);
	const struct domain_effect *fx = effect_find(&p.district, DOMAIN_ANSWER_ASK);
	assert_memory_equal(&fx->ask, &hash, sizeof hash);
	assert_int_equal(fx->kind, KIND(WITHDRAW));
	assert_true(id_equal(fx->request, p.id));

	ProtobufCBinaryData cited = codec_data(BYTES_OF(hash));
	Lm__Header answer = answer_entry(&p, &p.district, ACTION(WITHDRAWN), &cited);
	assert_ok(&p.district, node_apply(&p.district, &answer, BYTES(NULL, 0)));
	assert_ok(&p.town, pair_pass(&p, &answer));
	check_asks(&p.town, &p.id, 1, 1);
	check_asks(&p.district, &p.id, 1, 1);
	Lm__Header again = answer_entry(&p, &p.district, ACTION(TOO_LATE), &cited);
	refuse(&p.district, ERR_CONFLICT, &again, BYTES(NULL, 0));
	pair_close(&p);
}

static void test_an_event_cites_an_ask_that_has_not_come(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header ask = ask_entry(T1, &p.id, KIND(ANSWER), 0);
	struct hash hash = entry_hash_of(&ask);
	ProtobufCBinaryData cited = codec_data(BYTES_OF(hash));
	assert_ok(&p.town, node_apply(&p.town, &ask, BYTES(NULL, 0)));
	assert_int_equal(effect_count(&p.town, DOMAIN_ANSWER_ASK), 1);
	Lm__Header answer = answer_entry(&p, &p.town, ACTION(ANSWER_TAKEN), &cited);
	assert_ok(&p.town, node_apply(&p.town, &answer, BYTES(NULL, 0)));
	Lm__Header over = pair_act(&p, &p.town, ACTION(HAND_OVER));
	/* The district hears the answer and owns the case before it hears the ask. */
	assert_ok(&p.district, pair_pass(&p, &answer));
	assert_ok(&p.district, pair_pass(&p, &over));
	assert_int_equal(effect_count(&p.district, DOMAIN_ANSWER_ASK), 0);
	check_asks(&p.district, &p.id, 1, 1);
	assert_ok(&p.district, node_apply(&p.district, &ask, BYTES(NULL, 0)));
	assert_int_equal(effect_count(&p.district, DOMAIN_ANSWER_ASK), 0); /* the previous owner has answered it */
	check_asks(&p.district, &p.id, 1, 1);
	assert_int_equal(node_case(&p.district, &p.id)->asks[0]->kind, KIND(ANSWER));
	pair_close(&p);
}

static void test_hostile_asks(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header ask = ask_entry(T3, &p.id, KIND(WITHDRAW), 0);
	refuse(&p.district, ERR_DENIED, &ask, BYTES(NULL, 0)); /* a terminal of another town */
	Lm__Header event = event_entry(&p.town, &p.id, ACTION(ACCEPT));
	uint8_t bytes[HASH_BYTES] = { 9 };
	ProtobufCBinaryData twice[25];
	for (size_t i = 0; i < 25; i++)
		twice[i] = codec_data(BYTES_OF(bytes));
	event.asks = twice;
	event.n_asks = 2;
	refuse(&p.town, ERR_CONFLICT, &event, BYTES(NULL, 0));
	event.n_asks = 25;
	refuse(&p.town, ERR_TOO_MANY, &event, BYTES(NULL, 0));
	twice[0].len = 31;
	event.n_asks = 1;
	refuse(&p.town, ERR_INVALID, &event, BYTES(NULL, 0));
	assert_ok(&p.town, node_request(&p.town, T2, &(struct id){ { 5 } }, "town", 1));
	ask = ask_entry(T2, &p.id, KIND(WITHDRAW), 0); /* another terminal of the town may */
	assert_ok(&p.town, node_apply(&p.town, &ask, BYTES(NULL, 0)));
	pair_close(&p);
}

static void test_limits_refuse_asks_and_leave_a_way_out(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header ask;
	for (size_t i = 0; i < 24; i++) {
		ask = ask_entry(T1, &p.id, KIND(ANSWER), 0);
		assert_ok(&p.district, node_apply(&p.district, &ask, BYTES(NULL, 0)));
	}
	ask = ask_entry(T1, &p.id, KIND(ANSWER), 0);
	refuse(&p.district, ERR_TOO_MANY, &ask, BYTES(NULL, 0));
	/* The owner took that one and answers it: the district must follow. */
	assert_ok(&p.town, node_apply(&p.town, &ask, BYTES(NULL, 0)));
	struct hash hash = entry_hash_of(&ask);
	ProtobufCBinaryData cited = codec_data(BYTES_OF(hash));
	Lm__Header answer = answer_entry(&p, &p.town, ACTION(ANSWER_TAKEN), &cited);
	assert_ok(&p.town, node_apply(&p.town, &answer, BYTES(NULL, 0)));
	assert_ok(&p.district, pair_pass(&p, &answer));
	check_asks(&p.district, &p.id, 25, 1);

	for (size_t i = 1; i < 200; i++)
		pair_act(&p, &p.town, ACTION(ANSWER_TAKEN));
	answer = event_entry(&p.town, &p.id, ACTION(ACCEPT));
	refuse(&p.town, ERR_TOO_MANY, &answer, BYTES(NULL, 0));
	ask = ask_entry(T1, &p.id, KIND(WITHDRAW), 0);
	refuse(&p.town, ERR_TOO_MANY, &ask, BYTES(NULL, 0));
	pair_act(&p, &p.town, ACTION(WITHDRAWN));
	pair_close(&p);
}

/* ---- what the town passes on and drops ---- */

static void test_a_copy_is_relayed(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "district");
	Lm__CaseCopyPayload payload = LM__CASE_COPY_PAYLOAD__INIT;
	payload.receipt_message = codec_data(bytes_from_text("sealed"));
	payload.terminal = devices[T1].id;
	Lm__Header event = pair_act(&p, &p.district, ACTION(ACCEPT)), copy = copy_entry(&event);
	Lm__Header wrong = copy;
	wrong.receiver = devices[TOWN_B].id; /* composed for another town */
	refuse(&p.town, ERR_DENIED, &wrong, BYTES(NULL, 0));
	assert_ok(&p.town, node_apply_message(&p.town, &copy, &payload.base));
	const struct domain_effect *fx = effect_find(&p.town, DOMAIN_RELAY_STATUS);
	assert_non_null(fx);
	assert_int_equal(fx->device, devices[T1].id);
	assert_int_equal(fx->version, 1);
	assert_false(fx->flag);
	assert_true(bytes_equal(fx->message, bytes_from_text("sealed")));
	/* At the district its own copy has no effect. */
	struct hash before = node_hash(&p.district);
	assert_ok(&p.district, node_apply_message(&p.district, &copy, &payload.base));
	struct hash after = node_hash(&p.district);
	assert_memory_equal(&before, &after, sizeof before);
	/* A payload that cannot be read moves the case and passes nothing on. */
	event = pair_act(&p, &p.district, ACTION(DECIDE));
	copy = copy_entry(&event);
	assert_ok(&p.town, node_apply(&p.town, &copy, BYTES("\xff", 1)));
	assert_null(effect_find(&p.town, DOMAIN_RELAY_STATUS));
	assert_int_equal(node_case(&p.town, &p.id)->state, DEC);
	pair_close(&p);
}

static bool lock_visit(void *context, struct id request, const Lm__CaseRecord *record)
{
	(void)record;
	*(struct id *)context = request;
	return true;
}

static void test_locks_of_closed_cases(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	pair_act(&p, &p.town, ACTION(WITHDRAWN));
	struct id found = { { 0 } };
	assert_int_equal(case_locks_each(p.town.txn, &p.town.arena, lock_visit, &found), OK);
	assert_true(id_equal(found, p.id));
	Lm__Header h = entry_make(TOWN_A, DOWN, KIND(LOCK_RELEASE));
	h.receiver = devices[T1].id;
	h.request_id = codec_data(BYTES_OF(p.id));
	assert_ok(&p.town, node_apply(&p.town, &h, BYTES(NULL, 0)));
	assert_int_equal(store_count(p.town.txn, &domain_table_lock), 0);
	assert_int_equal(store_count(p.town.txn, &domain_table_closed), 1);
	/* A town that is given back what it lacks hears of it before the request. */
	struct id other = found;
	other.byte[0] ^= 1;
	h.request_id = codec_data(BYTES_OF(other));
	assert_refused(&p.town, ERR_HELD, node_apply(&p.town, &h, BYTES(NULL, 0)));
	pair_close(&p);
}

/* A row that does not unpack is a fault of the store, and no entry goes to quarantine for it. */
static void test_a_damaged_row_is_a_fault(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, "town");
	Lm__Header h = event_entry(&p.town, &p.id, ACTION(ACCEPT));
	assert_ok(&p.town, store_put(p.town.txn, &domain_table_case, BYTES_OF(p.id), BYTES("\xff", 1)));
	assert_refused(&p.town, ERR_DAMAGED, node_apply(&p.town, &h, BYTES(NULL, 0)));
	assert_int_equal(store_failure(p.town.txn, NULL), ERR_DAMAGED);
	pair_close(&p);
}

/* Memory may run out at any place, also behind the first effects. */
static void test_memory_runs_out(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p, NULL);
	struct node *n = &p.district;
	Lm__Header h = request_entry(T1, &p.id, "district", 1);
	struct bytes plain = request_plain(n, CODE, "张三");
	assert_ok(n, store_commit(n->txn, &n->e));
	size_t failures = 0;
	for (int result = ERR_MEMORY; result; failures += result != OK) {
		assert_ok(n, store_begin_write(n->store, &n->txn, &n->e));
		n->arena.ceiling_bytes = n->arena.used_bytes + 16 * failures + 1;
		result = node_apply(n, &h, plain);
		n->arena.ceiling_bytes = 0;
		assert_true(result == OK || result == ERR_MEMORY);
		assert_int_equal(n->fx.count > 0, result == OK);
		store_abort(n->txn);
	}
	assert_true(failures > 20);
	assert_ok(n, store_begin_write(n->store, &n->txn, &n->e));
	pair_close(&p);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_and_action),
		cmocka_unit_test(test_steps_and_pauses),
		cmocka_unit_test(test_no_such_action_or_outcome),
		cmocka_unit_test(test_an_event_that_does_not_fit),
		cmocka_unit_test(test_only_the_owner_acts),
		cmocka_unit_test(test_handed_over_and_accepted),
		cmocka_unit_test(test_a_request_twice),
		cmocka_unit_test(test_hostile_requests),
		cmocka_unit_test(test_a_refusal_is_text),
		cmocka_unit_test(test_an_absent_payload),
		cmocka_unit_test(test_a_town_is_an_origin),
		cmocka_unit_test(test_who_is_no_counter),
		cmocka_unit_test(test_an_answer_says_who_decides),
		cmocka_unit_test(test_a_header_that_names_another_owner),
		cmocka_unit_test(test_an_unknown_revision_is_waited_for),
		cmocka_unit_test(test_an_event_waits_for_the_one_before),
		cmocka_unit_test(test_an_ask_before_the_handover_arrives),
		cmocka_unit_test(test_an_event_cites_an_ask_that_has_not_come),
		cmocka_unit_test(test_hostile_asks),
		cmocka_unit_test(test_limits_refuse_asks_and_leave_a_way_out),
		cmocka_unit_test(test_a_copy_is_relayed),
		cmocka_unit_test(test_locks_of_closed_cases),
		cmocka_unit_test(test_a_damaged_row_is_a_fault),
		cmocka_unit_test(test_memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
