/*
 * Residents' records: what may be done in which state, that the district comes to the same rows as the town, moves from
 * town to town in every order, merges, looks, whose case it is, and erasing with a replay that finds payloads absent.
 */
#include "domain/person.h"
#include "fixture.h"
#include "registry.h"

/* ---- the owner and the district ---- */

static void test_a_life(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	pair_open(&p);
	struct id person = id_of(1);
	facts_make(&f, "王小明", "310114106001");
	assert_ok(&p.town, pair_act(&p, &person, DO(CREATE), &f.facts, HERE));
	assert_refused(&p.town, ERR_EXISTS, pair_act(&p, &person, DO(CREATE), &f.facts, HERE));
	f.facts.name = "王晓明";
	assert_ok(&p.town, pair_act(&p, &person, DO(CHANGE), &f.facts, HERE));
	assert_string_equal(node_person(&p.hub, &person)->facts->name, "王晓明");
	assert_refused(&p.town, ERR_CONFLICT, pair_act(&p, &person, DO(DEATH_MISTAKEN), &f.facts, HERE));
	assert_refused(&p.town, ERR_INVALID, pair_act(&p, &person, DO(DEATH), &f.facts, HERE)); /* no day */
	f.facts.died_on = "2026-11-20";
	assert_refused(&p.town, ERR_INVALID, pair_act(&p, &person, DO(CHANGE), &f.facts, HERE));
	assert_ok(&p.town, pair_act(&p, &person, DO(DEATH), &f.facts, HERE));
	assert_refused(&p.town, ERR_CLOSED, pair_act(&p, &person, DO(CHANGE), &f.facts, HERE));
	assert_says(&p.town, "2026-11-20");
	f.facts.died_on = "";
	assert_ok(&p.town, pair_act(&p, &person, DO(DEATH_MISTAKEN), &f.facts, HERE));
	assert_ok(&p.town, pair_act(&p, &person, DO(CHANGE), &f.facts, HERE));
	assert_int_equal(node_person(&p.hub, &person)->version, 5);
	same_persons(&p.town, &p.hub);
	pair_close(&p);
}

/* What one town says about another's record, or out of its turn, counts nowhere. */
static void test_who_may_write(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	pair_open(&p);
	struct id person = id_of(1);
	facts_make(&f, "王小明", "310114106001");
	Lm__Header h = person_entry(TOWN_B, &person, NULL, "310114106"); /* for another town */
	assert_refused(&p.hub, ERR_DENIED, apply_person_entry(&p.hub, &h, DO(CREATE), &f.facts));
	assert_ok(&p.town, pair_act(&p, &person, DO(CREATE), &f.facts, HERE));
	h = person_entry(TOWN_B, &person, node_person(&p.hub, &person), "310114107");
	assert_refused(&p.hub, ERR_DENIED, apply_person_entry(&p.hub, &h, DO(HAND_OVER), &f.facts));
	h = person_entry(TOWN_A, &person, node_person(&p.hub, &person), HERE);
	h.version = 3; /* the second has not come */
	assert_refused(&p.hub, ERR_HELD, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	h.version = 1;
	assert_refused(&p.hub, ERR_CONFLICT, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	h.version = 2;
	h.epoch = 2;
	assert_refused(&p.hub, ERR_INVALID, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	h.epoch = 1;
	h.request_id = codec_data(BYTES_OF(person)); /* would be filed under a request */
	assert_refused(&p.hub, ERR_INVALID, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	h = person_entry(TOWN_A, &person, node_person(&p.hub, &person), HERE);
	h.stream = DOWN;
	h.receiver = devices[T1].id;
	assert_refused(&p.hub, ERR_INVALID, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	assert_int_equal(node_person(&p.hub, &person)->version, 1);
	pair_close(&p);
}

/* A terminal has no rule for any of it. */
static void test_not_at_terminals(void **state)
{
	(void)state;
	struct node n;
	struct facts f;
	struct id person = id_of(1);
	node_open(&n, &devices[T1]);
	node_directory(&n);
	facts_make(&f, "王小明", "310114106001");
	Lm__Header h = person_entry(TOWN_A, &person, NULL, HERE);
	assert_refused(&n, ERR_INVALID, apply_person_entry(&n, &h, DO(CREATE), &f.facts));
	h.stream = DOWN;
	h.receiver = devices[T1].id;
	assert_refused(&n, ERR_INVALID, apply_person_entry(&n, &h, DO(CREATE), &f.facts));
	h.kind = KIND(PERSON_COPY);
	assert_refused(&n, ERR_INVALID, apply_person_entry(&n, &h, DO(CREATE), &f.facts));
	node_close(&n);
}

/* ---- moves ---- */

static void test_a_move_and_back(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	pair_open(&p);
	struct id person = id_of(1);
	facts_make(&f, "王小明", "310114106001");
	assert_ok(&p.town, pair_act(&p, &person, DO(CREATE), &f.facts, HERE));
	assert_refused(&p.town, ERR_NOT_FOUND, pair_act(&p, &person, DO(HAND_OVER), &f.facts, "310114199"));
	assert_refused(&p.town, ERR_INVALID, pair_act(&p, &person, DO(HAND_OVER), &f.facts, HERE));
	assert_ok(&p.town, pair_act(&p, &person, DO(HAND_OVER), &f.facts, "310114107"));
	assert_null(node_person(&p.town, &person)->facts); /* it knows who has it, and no more */
	assert_refused(&p.town, ERR_CLOSED, pair_act(&p, &person, DO(CHANGE), &f.facts, HERE));
	assert_says(&p.town, "310114107");

	struct passed copy = passed_on(&p.hub);
	assert_int_equal(copy.device, devices[TOWN_B].id);
	assert_refused(&p.town, ERR_DENIED, apply_copy(&p.town, &copy, &person, &p.hub)); /* not for it */
	struct node other;
	node_open(&other, &devices[TOWN_B]);
	node_directory(&other);
	assert_ok(&other, apply_copy(&other, &copy, &person, &p.hub));
	same_persons(&other, &p.hub);
	assert_int_equal(node_person(&other, &person)->epoch, 2);
	uint32_t version = node_person(&other, &person)->version;
	assert_ok(&other, apply_copy(&other, &copy, &person, &p.hub)); /* once more, after a restore */
	assert_int_equal(node_person(&other, &person)->version, version);

	f.facts.community = "310114107001";
	Lm__Header h = person_entry(TOWN_B, &person, node_person(&other, &person), "310114107");
	assert_ok(&other, apply_person_entry(&other, &h, DO(CHANGE), &f.facts));
	assert_ok(&p.hub, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	Lm__Header late = person_entry(TOWN_A, &person, node_person(&p.hub, &person), "310114107");
	assert_refused(&p.hub, ERR_DENIED, apply_person_entry(&p.hub, &late, DO(CHANGE), &f.facts));
	h = person_entry(TOWN_B, &person, node_person(&other, &person), HERE);
	assert_ok(&other, apply_person_entry(&other, &h, DO(HAND_OVER), &f.facts));
	assert_ok(&p.hub, apply_person_entry(&p.hub, &h, DO(HAND_OVER), &f.facts));
	copy = passed_on(&p.hub);
	assert_int_equal(copy.device, devices[TOWN_A].id);
	assert_ok(&p.town, apply_copy(&p.town, &copy, &person, &p.hub));
	same_persons(&p.town, &p.hub);
	assert_int_equal(node_person(&p.town, &person)->epoch, 3);
	assert_int_equal(node_person(&p.hub, &person)->n_former, 2);
	assert_int_equal(node_person(&p.town, &person)->created_ms, node_person(&p.hub, &person)->created_ms);
	node_close(&other);
	pair_close(&p);
}

/* A town that was put back hears what the district sent it last before it is given back its own words. */
static void test_own_word_comes_back_late(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct node before;
	pair_open(&p);
	struct id person = id_of(1);
	facts_make(&f, "王小明", "310114106001");
	Lm__Header create = person_entry(TOWN_A, &person, NULL, HERE);
	assert_ok(&p.hub, apply_person_entry(&p.hub, &create, DO(CREATE), &f.facts));
	Lm__Header there = person_entry(TOWN_A, &person, node_person(&p.hub, &person), "310114107");
	assert_ok(&p.hub, apply_person_entry(&p.hub, &there, DO(HAND_OVER), &f.facts));
	Lm__Header back = person_entry(TOWN_B, &person, node_person(&p.hub, &person), HERE);
	assert_ok(&p.hub, apply_person_entry(&p.hub, &back, DO(HAND_OVER), &f.facts));
	struct passed copy = passed_on(&p.hub);
	node_open(&before, &devices[TOWN_A]);
	node_directory(&before);
	node_restore_step(&before, LM__RESTORE_STEP__RESTORE_STEP_BEGUN);
	assert_ok(&before, apply_copy(&before, &copy, &person, &p.hub));
	assert_ok(&before, apply_person_entry(&before, &create, DO(CREATE), &f.facts));
	assert_ok(&before, apply_person_entry(&before, &there, DO(HAND_OVER), &f.facts));
	assert_int_equal(node_person(&before, &person)->version, 3);
	assert_string_equal(node_person(&before, &person)->town, HERE);
	assert_non_null(node_person(&before, &person)->facts);
	node_restore_step(&before, LM__RESTORE_STEP__RESTORE_STEP_ENDED);
	assert_refused(&before, ERR_CONFLICT, apply_person_entry(&before, &there, DO(HAND_OVER), &f.facts));
	node_close(&before);
	pair_close(&p);
}

/* After a restore of the district the new town's event may come before the old town's word. */
static void test_out_of_order(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	struct domain_waiters waiters;
	pair_open(&p);
	struct id person = id_of(1);
	Lm__PersonRecord after = LM__PERSON_RECORD__INIT;
	facts_make(&f, "王小明", "310114106001");
	Lm__Header create = person_entry(TOWN_A, &person, NULL, HERE);
	after.town = HERE;
	after.epoch = after.version = 1;
	Lm__Header hand_over = person_entry(TOWN_A, &person, &after, "310114107");
	after.town = "310114107";
	after.epoch = after.version = 2;
	Lm__Header change = person_entry(TOWN_B, &person, &after, "310114107");
	assert_refused(&p.hub, ERR_HELD, apply_person_entry(&p.hub, &change, DO(CHANGE), &f.facts));
	assert_true(domain_waiters(&hand_over, BYTES(NULL, 0), &p.hub.arena, &waiters));
	assert_int_equal(waiters.size, p.hub.cause_size);
	assert_memory_equal(waiters.cause, p.hub.cause, waiters.size);
	assert_refused(&p.hub, ERR_HELD, apply_person_entry(&p.hub, &hand_over, DO(HAND_OVER), &f.facts));
	assert_ok(&p.hub, apply_person_entry(&p.hub, &create, DO(CREATE), &f.facts));
	assert_non_null(effect_find(&p.hub, DOMAIN_RELEASE_HELD));
	assert_ok(&p.hub, apply_person_entry(&p.hub, &hand_over, DO(HAND_OVER), &f.facts));
	assert_ok(&p.hub, apply_person_entry(&p.hub, &change, DO(CHANGE), &f.facts));
	assert_int_equal(node_person(&p.hub, &person)->version, 3);
	pair_close(&p);
}

/* ---- merges ---- */

static void test_merge_and_split(void **state)
{
	(void)state;
	struct pair p;
	struct facts f, g;
	pair_open(&p);
	struct id one = id_of(1), two = id_of(2), three = id_of(3), family[PERSON_FAMILY_MOST];
	size_t count;
	facts_make(&f, "王小明", "310114106001");
	facts_make(&g, "王小明", "310114106002");
	assert_ok(&p.town, pair_act(&p, &one, DO(CREATE), &f.facts, HERE));
	assert_ok(&p.town, pair_act(&p, &two, DO(CREATE), &g.facts, HERE));
	assert_ok(&p.town, pair_act(&p, &three, DO(CREATE), &g.facts, HERE));
	g.facts.merged_into = codec_data(BYTES_OF(two.byte));
	assert_refused(&p.town, ERR_INVALID, pair_act(&p, &two, DO(MERGE), &g.facts, HERE)); /* into itself */
	g.facts.merged_into = codec_data(BYTES_OF(one.byte));
	assert_refused(&p.town, ERR_INVALID, pair_act(&p, &two, DO(CHANGE), &g.facts, HERE));
	assert_ok(&p.town, pair_act(&p, &two, DO(MERGE), &g.facts, HERE));
	assert_refused(&p.town, ERR_CLOSED, pair_act(&p, &two, DO(CHANGE), &g.facts, HERE));
	assert_refused(&p.town, ERR_CLOSED, pair_act(&p, &two, DO(HAND_OVER), &g.facts, "310114107"));
	f.facts.merged_into = codec_data(BYTES_OF(two.byte));
	assert_refused(&p.town, ERR_CLOSED, pair_act(&p, &one, DO(MERGE), &f.facts, HERE)); /* a ring */
	f.facts.merged_into = (ProtobufCBinaryData){ 0 };
	assert_ok(&p.town, person_family(p.town.txn, one, family, &count));
	assert_int_equal(count, 2);
	assert_true(id_equal(family[1], two));
	f.facts.merged_into = codec_data(BYTES_OF(three.byte));
	assert_ok(&p.town, pair_act(&p, &one, DO(MERGE), &f.facts, HERE));
	assert_ok(&p.hub, person_family(p.hub.txn, three, family, &count));
	assert_int_equal(count, 3);
	g.facts.merged_into = (ProtobufCBinaryData){ 0 };
	assert_ok(&p.town, pair_act(&p, &two, DO(SPLIT), &g.facts, HERE));
	assert_refused(&p.town, ERR_CONFLICT, pair_act(&p, &two, DO(SPLIT), &g.facts, HERE));
	assert_ok(&p.town, person_family(p.town.txn, three, family, &count));
	assert_int_equal(count, 2);
	same_persons(&p.town, &p.hub);
	pair_close(&p);
}

/* After a restore of the district: the other record, or its hand-over, may come later than the merge. */
static void test_merged_too_early(void **state)
{
	(void)state;
	struct pair p;
	struct facts f, g;
	pair_open(&p);
	struct id one = id_of(1), two = id_of(2);
	Lm__PersonRecord after = LM__PERSON_RECORD__INIT;
	after.town = HERE;
	after.epoch = after.version = 1;
	facts_make(&f, "王小明", "310114106001");
	facts_make(&g, "王小明", "310114106002");
	Lm__Header create = person_entry(TOWN_A, &one, NULL, HERE), merge = person_entry(TOWN_A, &one, &after, HERE);
	Lm__Header other = person_entry(TOWN_B, &two, NULL, "310114107");
	after.town = "310114107";
	Lm__Header hand_over = person_entry(TOWN_B, &two, &after, HERE);
	struct domain_waiters waiters;
	assert_ok(&p.hub, apply_person_entry(&p.hub, &create, DO(CREATE), &f.facts));
	f.facts.merged_into = codec_data(BYTES_OF(two.byte));
	assert_refused(&p.hub, ERR_HELD, apply_person_entry(&p.hub, &merge, DO(MERGE), &f.facts));
	assert_true(domain_waiters(&other, BYTES(NULL, 0), &p.hub.arena, &waiters));
	assert_memory_equal(waiters.cause, p.hub.cause, p.hub.cause_size);
	assert_ok(&p.hub, apply_person_entry(&p.hub, &other, DO(CREATE), &g.facts));
	assert_refused(&p.hub, ERR_HELD, apply_person_entry(&p.hub, &merge, DO(MERGE), &f.facts));
	assert_true(domain_waiters(&hand_over, BYTES(NULL, 0), &p.hub.arena, &waiters));
	assert_memory_equal(waiters.cause, p.hub.cause, p.hub.cause_size);
	assert_ok(&p.hub, apply_person_entry(&p.hub, &hand_over, DO(HAND_OVER), &g.facts));
	assert_ok(&p.hub, apply_person_entry(&p.hub, &merge, DO(MERGE), &f.facts));
	pair_close(&p);
}

/* ---- absent ---- */

/* What cannot be opened takes away what is known; the next event brings the whole back. */
static void test_absent(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	pair_open(&p);
	struct id person = id_of(1);
	facts_make(&f, "王小明", "310114106001");
	assert_ok(&p.town, pair_act(&p, &person, DO(CREATE), &f.facts, HERE));
	Lm__Header h = person_entry(TOWN_A, &person, node_person(&p.hub, &person), HERE);
	struct domain_item item = item_make(&p.hub, &h, BYTES(NULL, 0));
	item.is_absent = true;
	assert_ok(&p.hub, node_apply_item(&p.hub, &item));
	assert_true(node_person(&p.hub, &person)->is_absent);
	assert_null(node_person(&p.hub, &person)->facts);
	h = person_entry(TOWN_A, &person, node_person(&p.hub, &person), HERE);
	assert_ok(&p.hub, apply_person_entry(&p.hub, &h, DO(CHANGE), &f.facts));
	assert_false(node_person(&p.hub, &person)->is_absent);
	assert_string_equal(node_person(&p.hub, &person)->facts->name, "王小明");
	pair_close(&p);
}

/* ---- looks, cases ---- */

static void test_looks(void **state)
{
	(void)state;
	struct pair p;
	Lm__LookRecord **looks;
	struct id person = id_of(1), other = id_of(2);
	size_t count;
	bool is_more;
	pair_open(&p);
	assert_ok(&p.town, look(&p.town, TOWN_A, &person, LM__LOOK_PURPOSE__LOOK_PURPOSE_CALL, "first"));
	assert_ok(&p.town, look(&p.town, TOWN_A, &other, LM__LOOK_PURPOSE__LOOK_PURPOSE_CASE, "first"));
	assert_ok(&p.town, look(&p.town, TOWN_A, &person, LM__LOOK_PURPOSE__LOOK_PURPOSE_EXPORT, "second"));
	assert_refused(&p.town, ERR_INVALID, look(&p.town, TOWN_A, &person, 0, "second"));
	assert_refused(&p.town, ERR_INVALID, look(&p.town, TOWN_A, &person, 99, "second"));
	assert_refused(&p.town, ERR_INVALID, look(&p.town, TOWN_A, &person, LM__LOOK_PURPOSE__LOOK_PURPOSE_CALL, ""));
	assert_ok(&p.town, person_looks(p.town.txn, person, &p.town.arena, 10, &looks, &count, &is_more));
	assert_int_equal(count, 2);
	assert_string_equal(looks[0]->by, "second");
	assert_int_equal(looks[1]->purpose, LM__LOOK_PURPOSE__LOOK_PURPOSE_CALL);
	assert_ok(&p.town, person_looks(p.town.txn, person, &p.town.arena, 1, &looks, &count, &is_more));
	assert_true(count == 1 && is_more);
	pair_close(&p);
}

static size_t case_count(struct node *n, struct id person)
{
	struct id *list;
	size_t count;
	bool is_more;
	assert_ok(n, person_cases(n->txn, person, &n->arena, 10, &list, &count, &is_more));
	return count;
}

static void test_whose_case(void **state)
{
	(void)state;
	struct node n;
	struct id person = id_of(1), other = id_of(2), request = id_of(7);
	town_with_case(&n, &request);
	assert_ok(&n, confirm(&n, &request, &person));
	assert_int_equal(case_count(&n, person), 1);
	assert_memory_equal(node_case(&n, &request)->person_id.data, person.byte, ID_BYTES);
	assert_ok(&n, confirm(&n, &request, &other)); /* it was somebody else */
	assert_int_equal(case_count(&n, person), 0);
	assert_int_equal(case_count(&n, other), 1);
	assert_ok(&n, node_act(&n, &request, ACTION(WITHDRAWN)));
	assert_ok(&n, confirm(&n, &request, NULL)); /* also when it is closed */
	assert_int_equal(case_count(&n, other), 0);
	assert_int_equal(node_case(&n, &request)->version, 4);
	assert_int_equal(node_case(&n, &request)->state, STATE(WITHDRAWN));
	node_close(&n);
}

/* ---- erasing ---- */

static void test_erased_with_its_requests(void **state)
{
	(void)state;
	struct node n;
	struct facts f;
	struct id person = id_of(1), twin = id_of(2), request = id_of(7);
	struct id both[] = { person, twin };
	town_with_case(&n, &request);
	facts_make(&f, "王小明", "310114106001");
	assert_ok(&n, node_person_act(&n, &person, DO(CREATE), &f.facts));
	assert_ok(&n, node_person_act(&n, &twin, DO(CREATE), &f.facts));
	f.facts.merged_into = codec_data(BYTES_OF(person.byte));
	assert_ok(&n, node_person_act(&n, &twin, DO(MERGE), &f.facts));
	assert_ok(&n, look(&n, TOWN_A, &person, LM__LOOK_PURPOSE__LOOK_PURPOSE_CALL, "first"));
	assert_ok(&n, confirm(&n, &request, &twin));
	assert_refused(&n, ERR_CONFLICT, propose(&n, NULL, 0, &person, 1)); /* without what was merged into it */
	assert_says(&n, "merged");
	assert_refused(&n, ERR_CONFLICT, propose(&n, NULL, 0, both, 2)); /* without its request */
	assert_says(&n, "a request of this person");
	assert_refused(&n, ERR_CONFLICT, propose(&n, &request, 1, both, 2)); /* which is open */
	assert_ok(&n, node_act(&n, &request, ACTION(WITHDRAWN)));
	assert_ok(&n, propose(&n, &request, 1, both, 2));
	assert_refused(&n, ERR_EXISTS, propose(&n, NULL, 0, both, 2));
	assert_ok(&n, erase_decide(&n, "second"));
	const struct domain_effect *fx = effect_find(&n, DOMAIN_ERASE);
	assert_non_null(fx);
	assert_ok(&n, erase_done(&n, fx->message));
	Lm__PersonRecord *record;
	assert_int_equal(person_get(n.txn, person, &n.arena, &record), ERR_NOT_FOUND);
	assert_int_equal(person_get(n.txn, twin, &n.arena, &record), ERR_NOT_FOUND);
	assert_int_equal(case_count(&n, twin), 0);
	assert_int_equal(node_case(&n, &request)->person_id.len, 0);
	assert_true(person_is_erased(n.txn, person));
	Lm__LookRecord **looks;
	size_t count;
	bool is_more;
	assert_ok(&n, person_looks(n.txn, person, &n.arena, 10, &looks, &count, &is_more));
	assert_int_equal(count, 1); /* who looked stays */
	/* What comes later changes nothing. */
	struct hash before = node_hash(&n);
	Lm__Header h = person_entry(TOWN_A, &person, NULL, HERE);
	struct domain_item item = item_make(&n, &h, BYTES(NULL, 0));
	item.is_absent = true;
	assert_ok(&n, node_apply_item(&n, &item));
	struct hash after = node_hash(&n);
	assert_memory_equal(&before, &after, sizeof after);
	node_close(&n);
}

/* The same entries with their payloads gone lead to the same rows. */
static void test_replay_of_what_was_erased(void **state)
{
	(void)state;
	struct hash hash[2];
	uint64_t seq = next_seq;
	for (int is_absent = 0; is_absent < 2; is_absent++) {
		struct node n;
		struct facts f;
		struct id person = id_of(1), twin = id_of(2), request = id_of(7);
		next_seq = seq;
		town_with_case(&n, &request);
		facts_make(&f, "王小明", "310114106001");
		n_is_absent = is_absent;
		assert_ok(&n, node_person_act(&n, &person, DO(CREATE), &f.facts));
		assert_ok(&n, node_person_act(&n, &twin, DO(CREATE), &f.facts));
		f.facts.died_on = "2026-11-20";
		assert_ok(&n, node_person_act(&n, &person, DO(DEATH), &f.facts));
		f.facts.died_on = "";
		f.facts.merged_into = codec_data(BYTES_OF(person.byte));
		assert_ok(&n, node_person_act(&n, &twin, DO(MERGE), &f.facts));
		n_is_absent = false;
		assert_ok(&n, confirm(&n, &request, &person));
		Lm__ErasePayload word = LM__ERASE_PAYLOAD__INIT;
		ProtobufCBinaryData persons[] = { codec_data(BYTES_OF(person.byte)), codec_data(BYTES_OF(twin.byte)) };
		struct bytes packed;
		word.act = codec_data(BYTES_OF(person.byte));
		word.person_id = persons;
		word.n_person_id = 2;
		assert_ok(&n, CODEC_PACK(&word, &n.arena, &packed, &n.e));
		assert_ok(&n, erase_done(&n, packed));
		hash[is_absent] = node_hash(&n);
		node_close(&n);
	}
	assert_memory_equal(&hash[0], &hash[1], sizeof hash[0]);
}

/* The town that has a record says so to the district, which passes it on to who had it before; nobody else may. */
static void test_who_may_erase(void **state)
{
	(void)state;
	struct pair p;
	struct facts f;
	pair_open(&p);
	struct id person = id_of(1);
	facts_make(&f, "王小明", "310114106001");
	assert_ok(&p.town, pair_act(&p, &person, DO(CREATE), &f.facts, HERE));
	assert_refused(&p.hub, ERR_DENIED, erase_told(&p.hub, TOWN_B, UP, 0, &person));
	assert_ok(&p.hub, erase_told(&p.hub, TOWN_A, UP, 0, &person));
	assert_refused(&p.town, ERR_DENIED, erase_told(&p.town, HUB, DOWN, devices[TOWN_A].id, &person));
	assert_ok(&p.town, pair_act(&p, &person, DO(HAND_OVER), &f.facts, "310114107"));
	assert_ok(&p.town, erase_told(&p.town, HUB, DOWN, devices[TOWN_A].id, &person));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_who_may_write),
		cmocka_unit_test(test_not_at_terminals),
		cmocka_unit_test(test_a_move_and_back),
		cmocka_unit_test(test_own_word_comes_back_late),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_merge_and_split),
		cmocka_unit_test(test_merged_too_early),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_whose_case),
		cmocka_unit_test(test_erased_with_its_requests),
		cmocka_unit_test(test_replay_of_what_was_erased),
		cmocka_unit_test(test_who_may_erase),
	};
	devices_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
