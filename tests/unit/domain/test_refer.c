/* A case that one town refers to another: who may do what, what the district passes on, and what comes of it there. */
#include "fixture.h"

#include "domain/backup.h"

#define HANDED(name) LM__HANDED_OVER__HANDED_OVER_##name
#define EVENTS_MOST 16

struct three { /* the resident's town, the other one, and the district between them */
	struct node here, there, hub;
	struct id id;
	Lm__Header request;
	Lm__Header event[EVENTS_MOST]; /* as their owners wrote them */
	size_t count;
};

static void three_open(struct three *w)
{
	static const size_t who[] = { TOWN_A, TOWN_B, HUB };
	struct node *const all[] = { &w->here, &w->there, &w->hub };
	memset(w, 0, sizeof *w);
	w->id = id_of(1);
	w->request = request_entry(T1, &w->id, "town", 1);
	for (size_t i = 0; i < 3; i++) {
		node_open(all[i], &devices[who[i]]);
		node_directory(all[i]);
		assert_ok(all[i], node_publish(all[i], "town", 1, TOWN));
		if (all[i] != &w->there)
			assert_ok(all[i], node_apply(all[i], &w->request, request_plain(all[i], CODE, "张三")));
	}
}

static void three_close(struct three *w)
{
	node_close(&w->here);
	node_close(&w->there);
	node_close(&w->hub);
}

static Lm__Header event_of(struct three *w, struct node *n, Lm__CaseAction action)
{
	Lm__Header h = event_entry(n, &w->id, action);
	h.origin = n->domain.device;
	if (action == ACTION(REFER))
		h.town = devices[TOWN_B].place;
	return h;
}

/* Done by its owner, and at the district. */
static const Lm__Header *act(struct three *w, struct node *n, Lm__CaseAction action)
{
	Lm__Header *h = &w->event[w->count++];
	*h = event_of(w, n, action);
	assert_ok(n, node_apply(n, h, BYTES(NULL, 0)));
	assert_ok(&w->hub, node_apply(&w->hub, h, BYTES(NULL, 0)));
	return h;
}

/* As the district composes it anew for `town`. */
static Lm__Header passed(const Lm__Header *was, size_t town)
{
	Lm__Header h = *was;
	struct hash hash = entry_hash_of(was);
	static struct hash kept[64];
	static size_t count;
	kept[count % 64] = hash;
	h.kind = was->kind == KIND(CASE) ? KIND(CASE_COPY) : was->kind;
	h.origin = devices[HUB].id;
	h.stream = DOWN;
	h.receiver = devices[town].id;
	h.seq = next_seq++;
	h.time_ms = was->time_ms + 5000;
	h.passed_ms = was->time_ms;
	h.source = codec_data(BYTES_OF(kept[count++ % 64]));
	return h;
}

static int pass_to(struct node *n, const Lm__Header *was, size_t town)
{
	Lm__Header h = passed(was, town);
	struct bytes plain = was->kind == KIND(REQUEST) ? request_plain(n, CODE, "张三") : BYTES(NULL, 0);
	if (was->kind == KIND(REQUEST)) {
		Lm__RequestPayload *p;
		assert_ok(n, CODEC_UNPACK(lm__request_payload, plain, &n->arena, &p, &n->e));
		p->code = (char *)(uintptr_t) "";
		p->lookup = (ProtobufCBinaryData){ 0 };
		assert_ok(n, CODEC_PACK(p, &n->arena, &plain, &n->e));
	}
	return node_apply(n, &h, plain);
}

static void whole_pass(struct three *w)
{
	assert_ok(&w->there, pass_to(&w->there, &w->request, TOWN_B));
	for (size_t i = 0; i < w->count; i++)
		assert_ok(&w->there, pass_to(&w->there, &w->event[i], TOWN_B));
}

static void refuse(struct node *n, int expected, const Lm__Header *h)
{
	struct hash before = node_hash(n);
	assert_refused(n, expected, node_apply(n, h, BYTES(NULL, 0)));
	struct hash after = node_hash(n);
	assert_memory_equal(&before, &after, sizeof before);
}

static void check(struct three *w, struct node *n, const char *decider, Lm__CaseState state, Lm__HandedOver handed)
{
	Lm__CaseRecord *r = node_case(n, &w->id);
	assert_string_equal(case_decider(r), decider);
	assert_int_equal(r->state, state);
	assert_int_equal(r->handed, handed);
	assert_int_equal(r->version, w->count);
	assert_int_equal(case_is_ours(&n->domain, r), strcmp(n->domain.place, decider) == 0);
	assert_int_equal(r->open_key != 0, case_is_ours(&n->domain, r));
}

static const struct domain_effect *pass_find(struct three *w, size_t town, bool is_whole)
{
	const struct domain_effect *fx = effect_find(&w->hub, DOMAIN_CASE_PASS);
	assert_non_null(fx);
	assert_true(fx->device == devices[town].id);
	assert_int_equal(fx->position == 0, is_whole);
	return fx;
}

static void test_there_and_back(void **state)
{
	(void)state;
	struct three w;
	three_open(&w);
	act(&w, &w.here, ACTION(ACCEPT));
	assert_null(effect_find(&w.hub, DOMAIN_CASE_PASS));
	int64_t accepted_ms = w.event[0].time_ms;
	act(&w, &w.here, ACTION(REFER));
	pass_find(&w, TOWN_B, true);
	whole_pass(&w);
	struct node *const all[] = { &w.here, &w.there, &w.hub };
	for (size_t i = 0; i < 3; i++)
		check(&w, all[i], devices[TOWN_B].place, STATE(RECEIVED), HANDED(WAITS));
	assert_int_equal(node_case(&w.there, &w.id)->code_hash.len, 0); /* its code is looked up at home */
	assert_int_equal(node_case(&w.there, &w.id)->received_ms, w.request.time_ms);
	act(&w, &w.there, ACTION(ACCEPT));
	assert_int_equal(pass_find(&w, TOWN_A, false)->position, w.hub.position);
	assert_ok(&w.here, pass_to(&w.here, &w.event[2], TOWN_A));
	for (size_t i = 0; i < 3; i++)
		check(&w, all[i], devices[TOWN_B].place, STATE(ACCEPTED), HANDED(NO));
	assert_true(node_case(&w.here, &w.id)->changed_ms > accepted_ms);
	assert_int_equal(node_case(&w.here, &w.id)->changed_ms, w.event[2].time_ms); /* not when it was passed on */
	/* Accepted or not, to the resident's town it comes back and does not wait. */
	act(&w, &w.there, ACTION(HAND_OVER));
	assert_ok(&w.here, pass_to(&w.here, &w.event[3], TOWN_A));
	for (size_t i = 0; i < 3; i++)
		check(&w, all[i], devices[TOWN_A].place, STATE(RECEIVED), HANDED(CAME_BACK));
	assert_int_equal(w.event[3].owner, TOWN);
	assert_int_equal(w.event[3].epoch, 3);
	/* Once more: what the other town knows it passes over. */
	act(&w, &w.here, ACTION(ACCEPT));
	assert_null(effect_find(&w.hub, DOMAIN_CASE_PASS));
	act(&w, &w.here, ACTION(REFER));
	whole_pass(&w);
	check(&w, &w.there, devices[TOWN_B].place, STATE(RECEIVED), HANDED(WAITS));
	assert_int_equal(node_case(&w.there, &w.id)->n_events, w.count);
	assert_int_equal(node_case(&w.hub, &w.id)->n_referred, 1);
	assert_string_equal(case_town_at(node_case(&w.hub, &w.id), 1), devices[TOWN_B].place);
	assert_null(case_town_at(node_case(&w.hub, &w.id), 2));
	three_close(&w);
}

static void test_who_may(void **state)
{
	(void)state;
	struct three w;
	three_open(&w);
	Lm__Header h = event_of(&w, &w.here, ACTION(REFER));
	h.town = devices[TOWN_A].place;
	refuse(&w.here, ERR_INVALID, &h); /* to itself */
	h.town = devices[T3].place;
	refuse(&w.here, ERR_INVALID, &h);
	h = event_of(&w, &w.here, ACTION(ACCEPT));
	h.town = devices[TOWN_B].place;
	refuse(&w.here, ERR_INVALID, &h);
	/* What the other town writes before the district knows of the referral waits for that. */
	Lm__Header early = event_of(&w, &w.here, ACTION(ACCEPT));
	early.origin = devices[TOWN_B].id;
	early.version = 2;
	refuse(&w.hub, ERR_HELD, &early);
	early.version = 1;
	refuse(&w.hub, ERR_DENIED, &early);
	act(&w, &w.here, ACTION(REFER));
	whole_pass(&w);
	h = event_of(&w, &w.here, ACTION(ACCEPT));
	refuse(&w.here, ERR_DENIED, &h);
	refuse(&w.hub, ERR_DENIED, &h);
	h = event_of(&w, &w.hub, ACTION(ACCEPT));
	refuse(&w.hub, ERR_DENIED, &h);
	h = event_of(&w, &w.there, ACTION(REFER)); /* it goes no further, and not round in circles */
	h.town = "310114109";
	refuse(&w.there, ERR_DENIED, &h);
	act(&w, &w.there, ACTION(HAND_OVER));
	h = event_of(&w, &w.there, ACTION(ACCEPT));
	refuse(&w.there, ERR_DENIED, &h);
	refuse(&w.hub, ERR_DENIED, &h);
	assert_ok(&w.here, pass_to(&w.here, &w.event[1], TOWN_A));
	act(&w, &w.here, ACTION(HAND_OVER)); /* to the district, which has no other town */
	h = event_of(&w, &w.hub, ACTION(REFER));
	refuse(&w.hub, ERR_DENIED, &h);
	three_close(&w);
}

static void test_asks_reach_who_decides(void **state)
{
	(void)state;
	struct three w;
	three_open(&w);
	Lm__Header before = ask_entry(T1, &w.id, KIND(ANSWER), 0), after = ask_entry(T2, &w.id, KIND(WITHDRAW), 1);
	assert_ok(&w.hub, node_apply(&w.hub, &before, BYTES(NULL, 0))); /* the town has not got it yet */
	assert_null(effect_find(&w.hub, DOMAIN_CASE_PASS));
	act(&w, &w.here, ACTION(REFER));
	assert_ok(&w.here, node_apply(&w.here, &before, BYTES(NULL, 0)));
	assert_null(effect_find(&w.here, DOMAIN_ANSWER_ASK)); /* it is not the town's any more */
	whole_pass(&w);
	assert_ok(&w.there, pass_to(&w.there, &before, TOWN_B));
	struct hash hash = entry_hash_of(&before);
	assert_memory_equal(&effect_find(&w.there, DOMAIN_ANSWER_ASK)->ask, &hash, sizeof hash);
	assert_ok(&w.there, pass_to(&w.there, &before, TOWN_B)); /* twice, after a restore */
	assert_null(effect_find(&w.there, DOMAIN_ANSWER_ASK));
	assert_ok(&w.hub, node_apply(&w.hub, &after, BYTES(NULL, 0)));
	pass_find(&w, TOWN_B, false);
	assert_ok(&w.there, pass_to(&w.there, &after, TOWN_B));
	assert_non_null(effect_find(&w.there, DOMAIN_ANSWER_ASK));
	/* Nobody answered, and it went back: then the resident's town does. */
	act(&w, &w.there, ACTION(HAND_OVER));
	assert_ok(&w.here, node_apply(&w.here, &after, BYTES(NULL, 0)));
	assert_ok(&w.here, pass_to(&w.here, &w.event[1], TOWN_A));
	assert_int_equal(effect_count(&w.here, DOMAIN_ANSWER_ASK), 2);
	Lm__Header nameless = passed(&after, TOWN_B);
	nameless.source = (ProtobufCBinaryData){ 0 };
	refuse(&w.there, ERR_INVALID, &nameless);
	three_close(&w);
}

static void test_after_a_restore(void **state)
{
	(void)state;
	struct three w;
	three_open(&w);
	const Lm__Header *refer = act(&w, &w.here, ACTION(REFER));
	struct domain_item item = { .position = w.hub.position, .header = refer };
	domain_effects_clear(&w.hub.fx);
	assert_ok(&w.hub, case_pass_again(&w.hub.domain, w.hub.txn, &w.hub.arena, &item, &w.hub.fx, &w.hub.e));
	pass_find(&w, TOWN_B, true);
	item.position++; /* refused, or held up still */
	domain_effects_clear(&w.hub.fx);
	assert_ok(&w.hub, case_pass_again(&w.hub.domain, w.hub.txn, &w.hub.arena, &item, &w.hub.fx, &w.hub.e));
	assert_null(effect_find(&w.hub, DOMAIN_CASE_PASS));
	Lm__Header ask = ask_entry(T1, &w.id, KIND(WITHDRAW), 0);
	assert_ok(&w.hub, node_apply(&w.hub, &ask, BYTES(NULL, 0)));
	domain_effects_clear(&w.hub.fx);
	assert_ok(&w.hub, case_asks_unanswered(&w.hub.domain, w.hub.txn, &w.hub.arena, &w.hub.fx, &w.hub.e));
	assert_null(effect_find(&w.hub, DOMAIN_ANSWER_ASK));
	pass_find(&w, TOWN_B, false);
	/* What the district passed on comes back: the town gives back the event itself. */
	whole_pass(&w);
	Lm__Header accept = event_of(&w, &w.there, ACTION(ACCEPT)), copy = passed(&accept, TOWN_A);
	refuse(&w.hub, OK, &copy);
	assert_ok(&w.hub, node_apply(&w.hub, &accept, BYTES(NULL, 0)));
	three_close(&w);
}

static void test_a_request_that_cannot_be_opened(void **state)
{
	(void)state;
	struct three w;
	three_open(&w);
	act(&w, &w.here, ACTION(REFER));
	Lm__Header h = passed(&w.request, TOWN_B);
	h.owner = TOWN;
	assert_ok(&w.there, node_apply(&w.there, &h, BYTES(NULL, 0)));
	assert_true(node_case(&w.there, &w.id)->is_absent);
	assert_ok(&w.there, pass_to(&w.there, &w.event[0], TOWN_B));
	check(&w, &w.there, devices[TOWN_B].place, STATE(RECEIVED), HANDED(WAITS));
	h = passed(&w.request, TOWN_B);
	struct id other = id_of(2);
	h.request_id = codec_data(BYTES_OF(other));
	h.place = devices[T3].place; /* of this town: nobody refers it here */
	refuse(&w.there, ERR_INVALID, &h);
	three_close(&w);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_who_may),
		cmocka_unit_test(test_asks_reach_who_decides),
		cmocka_unit_test(test_after_a_restore),
		cmocka_unit_test(test_a_request_that_cannot_be_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
