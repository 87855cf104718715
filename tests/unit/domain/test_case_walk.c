/*
 * A town and the district in a random walk: terminals send requests and asks, both tiers act on what they own and hand
 * cases to and fro, the catalogue comes late, and every origin's entries travel in their order but as slowly as they
 * like. When all is delivered both tiers must agree, every ask must have its one answer, and a replay of what was
 * applied must come to the same tables. A failure names its seed.
 */
#include "fixture.h"

#include "base/prng.h"

#define WALKS 60
#define STEPS 800
#define ENTRIES_MOST 8192
#define REQUESTS_MOST 16 /* few, so that much happens to each */
#define LINES 4

struct entry {
	Lm__Header header;
	struct bytes plain;
	struct hash hash;
	unsigned answers; /* events of the owner that cite it */
};

/* A line from one origin to one tier; `at` runs behind `count`. */
struct line {
	struct entry *list[ENTRIES_MOST];
	size_t count, at;
};

struct taken {
	struct entry *entry;
	uint64_t position;
	int64_t taken_ms;
};

struct held {
	struct entry *entry;
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t cause_size;
};

struct tier {
	struct node node;
	struct line from[LINES]; /* of the terminals, the hub's `all`, the other tier */
	struct taken *tape;
	size_t tape_count;
	struct held held[ENTRIES_MOST];
	size_t held_count, held_ever;
};

enum { FROM_T1, FROM_T2, FROM_HUB, FROM_OTHER };

struct walk {
	struct tier town, district;
	struct prng prng;
	struct arena arena; /* entries */
	struct entry *asks[ENTRIES_MOST];
	size_t ask_count;
	struct id requests[REQUESTS_MOST];
	size_t request_count;
	size_t handovers, refusals;
};

static struct entry *entry_keep(struct walk *w, const Lm__Header *h, struct bytes plain)
{
	struct entry *entry = arena_alloc(&w->arena, sizeof *entry);
	struct bytes packed;
	Lm__Header *copy;
	assert_non_null(entry);
	assert_int_equal(CODEC_PACK(h, &w->arena, &packed, NULL), OK);
	assert_int_equal(CODEC_UNPACK(lm__header, packed, &w->arena, &copy, NULL), OK);
	entry->header = *copy;
	entry->plain = BYTES(arena_copy(&w->arena, plain.data, plain.size), plain.size);
	entry->hash = entry_hash_of(h);
	return entry;
}

static void line_send(struct line *line, struct entry *entry)
{
	assert_true(line->count < ENTRIES_MOST);
	line->list[line->count++] = entry;
}

/* ---- a tier takes an entry and does what follows ---- */

static void tier_take(struct walk *w, struct tier *t, struct entry *entry, int expected);

static bool tier_is_town(const struct tier *t)
{
	return t->node.domain.tier == TOWN;
}

/* The owner's event goes into its own tables at once and on its way to the other tier. */
static void tier_act(struct walk *w, struct tier *t, struct id request, Lm__CaseAction action, struct entry *ask)
{
	Lm__Header h = event_entry(&t->node, &request, action);
	ProtobufCBinaryData cited;
	if (ask) {
		cited = codec_data(BYTES_OF(ask->hash));
		h.n_asks = 1;
		h.asks = &cited;
		ask->answers++;
	}
	w->handovers += action == ACTION(HAND_OVER);
	struct entry *entry = entry_keep(w, &h, BYTES(NULL, 0));
	if (tier_is_town(t)) {
		line_send(&w->district.from[FROM_OTHER], entry);
		tier_take(w, t, entry, OK);
		return;
	}
	h.kind = KIND(CASE_COPY);
	h.stream = DOWN;
	h.receiver = devices[TOWN_A].id;
	h.seq = next_seq++;
	h.source = codec_data(BYTES_OF(entry->hash));
	struct entry *copy = entry_keep(w, &h, BYTES(NULL, 0));
	line_send(&w->town.from[FROM_OTHER], copy);
	tier_take(w, t, entry, OK);
	tier_take(w, t, copy, OK);
}

static struct entry *ask_find(struct walk *w, const struct hash *hash)
{
	for (size_t i = 0; i < w->ask_count; i++)
		if (memcmp(&w->asks[i]->hash, hash, sizeof *hash) == 0)
			return w->asks[i];
	fail_msg("an effect names an ask that nobody sent");
	return NULL;
}

static void tier_answer(struct walk *w, struct tier *t, const struct domain_effect *fx)
{
	Lm__CaseRecord *r = node_case(&t->node, &fx->request);
	assert_int_equal(r->owner, t->node.domain.tier);
	Lm__CaseAction action = case_state_is_closed(r->state) ? ACTION(TOO_LATE)
	                        : fx->kind == KIND(WITHDRAW)   ? ACTION(WITHDRAWN)
	                                                       : ACTION(ANSWER_TAKEN);
	tier_act(w, t, fx->request, action, ask_find(w, &fx->ask));
}

static void tier_release(struct walk *w, struct tier *t, const struct domain_effect *fx)
{
	for (size_t i = 0; i < t->held_count;) {
		struct held held = t->held[i];
		if (!bytes_equal(fx->cause, BYTES(held.cause, held.cause_size))) {
			i++;
			continue;
		}
		memmove(&t->held[i], &t->held[i + 1], (--t->held_count - i) * sizeof held);
		tier_take(w, t, held.entry, OK);
		i = 0; /* that may have released others */
	}
}

static void effects_carry_out(struct walk *w, struct tier *t)
{
	struct domain_effects fx = t->node.fx;
	t->node.fx = (struct domain_effects){ 0 };
	for (size_t i = 0; i < fx.count; i++) {
		if (fx.list[i].type == DOMAIN_ANSWER_ASK)
			tier_answer(w, t, &fx.list[i]);
		else if (fx.list[i].type == DOMAIN_RELEASE_HELD)
			tier_release(w, t, &fx.list[i]);
	}
	domain_effects_release(&fx);
}

/* `expected` OK also allows that it is held. */
static void tier_take(struct walk *w, struct tier *t, struct entry *entry, int expected)
{
	struct node *n = &t->node;
	struct domain_item item = item_make(n, &entry->header, entry->plain);
	item.hash = entry->hash;
	domain_effects_clear(&n->fx);
	int result = node_apply_item(n, &item);
	if (result == ERR_HELD && expected == OK) {
		struct held *held = &t->held[t->held_count++];
		held->entry = entry;
		held->cause_size = n->cause_size;
		memcpy(held->cause, n->cause, n->cause_size);
		t->held_ever++;
		return;
	}
	assert_refused(n, expected, result);
	if (result) {
		w->refusals++;
		return; /* what it left in the tables is not on the tape: the replay would tell */
	}
	t->tape[t->tape_count++] = (struct taken){ entry, item.position, item.taken_ms };
	effects_carry_out(w, t);
}

/* ---- steps ---- */

static uint64_t below(struct walk *w, uint64_t bound)
{
	return prng_below(&w->prng, bound);
}

static struct id request_any(struct walk *w)
{
	return w->requests[below(w, w->request_count)];
}

static void send_up(struct walk *w, size_t terminal, struct entry *entry)
{
	size_t line = terminal == T1 ? FROM_T1 : FROM_T2;
	line_send(&w->town.from[line], entry);
	line_send(&w->district.from[line], entry);
}

static void step_request(struct walk *w)
{
	static const char *const services[] = { "town", "district" };
	if (w->request_count == REQUESTS_MOST)
		return;
	struct id id = id_of(w->request_count + 1);
	size_t terminal = below(w, 2) ? T1 : T2;
	/* Revision 2 is published some time; who asks for it earlier waits. */
	Lm__Header h = request_entry(terminal, &id, services[below(w, 2)], 1 + (uint32_t)below(w, 2));
	struct entry *entry = entry_keep(w, &h, request_plain(&w->town.node, CODE, "张三"));
	send_up(w, terminal, entry);
	if (below(w, 8) == 0) { /* the terminal is not sure, and sends it again in an entry of its own */
		h.seq = next_seq++;
		send_up(w, terminal, entry_keep(w, &h, entry->plain));
	}
	w->requests[w->request_count++] = id;
}

static void step_ask(struct walk *w)
{
	if (!w->request_count)
		return;
	struct id id = request_any(w);
	size_t terminal = below(w, 2) ? T1 : T2;
	Lm__Header h = ask_entry(terminal, &id, below(w, 8) ? KIND(ANSWER) : KIND(WITHDRAW), (uint32_t)below(w, 4));
	struct entry *entry = entry_keep(w, &h, BYTES(NULL, 0));
	w->asks[w->ask_count++] = entry;
	send_up(w, terminal, entry);
}

/* An open case that this tier owns, and something that may be done with it. */
static void step_staff(struct walk *w, struct tier *t)
{
	Lm__CaseRecord *r;
	for (size_t tries = 0; tries < 8 && w->request_count; tries++) {
		struct id id = request_any(w);
		if (case_get(t->node.txn, id, &t->node.arena, &r) || r->owner != t->node.domain.tier ||
		    case_state_is_closed(r->state))
			continue;
		Lm__CaseAction action = (Lm__CaseAction)(1 + below(w, 6));
		if (below(w, 8) != 0) /* mostly not its end */
			action = below(w, 2) ? ACTION(HAND_OVER) : below(w, 2) ? ACTION(ACCEPT) : ACTION(ASK);
		if (case_action_check(r, action, action == ACTION(DECIDE) ? OUTCOME(GRANTED) : OUTCOME(NONE), NULL))
			continue;
		tier_act(w, t, id, action, NULL);
		return;
	}
}

static void step_publish(struct walk *w)
{
	struct line *to_town = &w->town.from[FROM_HUB];
	if (to_town->count == 2)
		return;
	struct service_parts parts;
	struct bytes plain;
	Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
	bool is_first = to_town->count == 0;
	const Lm__Service *s = service_make(&parts, is_first ? "town" : "district", 2, is_first ? TOWN : DISTRICT);
	assert_int_equal(CODEC_PACK(s, &w->arena, &plain, NULL), OK);
	struct entry *entry = entry_keep(w, &h, plain);
	line_send(to_town, entry);
	tier_take(w, &w->district, entry, OK);
}

/* Something that must be refused and leave no trace. */
static void step_noise(struct walk *w, struct tier *t)
{
	struct entry *entry;
	Lm__Header h;
	if (!t->tape_count)
		return;
	entry = t->tape[below(w, t->tape_count)].entry;
	if (entry->header.kind == KIND(CASE) || (entry->header.kind == KIND(CASE_COPY) && tier_is_town(t))) {
		tier_take(w, t, entry, ERR_CONFLICT); /* an old event again; or the other tier's, ahead of its owner */
		return;
	}
	if (entry->header.kind != KIND(REQUEST))
		return;
	h = entry->header;
	h.seq = next_seq++;
	h.origin = h.origin == devices[T1].id ? devices[T2].id : devices[T1].id; /* another's id */
	tier_take(w, t, entry_keep(w, &h, entry->plain), ERR_EXISTS);
	h = ask_entry(T3, &(struct id){ { 0 } }, KIND(WITHDRAW), 0);
	h.request_id = entry->header.request_id;
	tier_take(w, t, entry_keep(w, &h, BYTES(NULL, 0)), ERR_DENIED);
}

static bool step_deliver(struct walk *w, struct tier *t, size_t line)
{
	struct line *l = &t->from[line];
	if (l->at == l->count)
		return false;
	tier_take(w, t, l->list[l->at++], OK);
	return true;
}

static void step(struct walk *w)
{
	struct tier *t = below(w, 2) ? &w->town : &w->district;
	switch (below(w, 12)) {
	case 0:
		step_request(w);
		break;
	case 1:
		step_ask(w);
		break;
	case 2:
	case 3:
	case 4:
		step_staff(w, t);
		break;
	case 5:
		if (below(w, 20) == 0)
			step_publish(w);
		break;
	case 6:
		step_noise(w, t);
		break;
	default:
		step_deliver(w, t, below(w, LINES));
	}
	node_arena_reset(&t->node);
}

/* ---- what must hold ---- */

struct sums {
	struct walk *walk;
	struct tier *tier;
	uint64_t open, closed, locks;
	Lm__CountRecord total;
};

static void check_lists(struct sums *s, const struct id *id, const Lm__CaseRecord *r)
{
	struct node *n = &s->tier->node;
	bool is_closed = case_state_is_closed(r->state);
	assert_int_equal(r->open_key != 0, !is_closed && r->owner == n->domain.tier);
	assert_int_equal(r->closed_key != 0, is_closed);
	uint64_t keys[] = { r->open_key, r->closed_key };
	const struct store_table *const tables[] = { &domain_table_open, &domain_table_closed };
	for (size_t i = 0; i < 2; i++) {
		uint8_t key[8];
		struct bytes value;
		struct writer writer = writer_over(key, sizeof key);
		write_u64(&writer, keys[i]);
		if (!keys[i])
			continue;
		assert_int_equal(store_get(n->txn, tables[i], BYTES_OF(key), &n->arena, &value), OK);
		assert_true(bytes_equal(value, BYTES_OF(*id)));
	}
	s->open += r->open_key != 0;
	s->closed += r->closed_key != 0;
	s->locks += r->closed_key && tier_is_town(s->tier);
}

static void sum_case(Lm__CountRecord *total, const Lm__CaseRecord *r)
{
	total->received++;
	total->open += !case_state_is_closed(r->state);
	total->withdrawn += r->state == STATE(WITHDRAWN);
	total->duplicate += r->state == STATE(DUPLICATE);
	total->granted += r->state == STATE(DECIDED) && r->outcome == OUTCOME(GRANTED);
}

static bool count_visit(void *context, const char *town, const char *service, const Lm__CountRecord *r)
{
	Lm__CountRecord *left = context;
	assert_string_equal(town, "310114106");
	assert_true(strcmp(service, "town") == 0 || strcmp(service, "district") == 0);
	left->received -= r->received;
	left->open -= r->open;
	left->withdrawn -= r->withdrawn;
	left->duplicate -= r->duplicate;
	left->granted -= r->granted;
	assert_int_equal(r->partly_granted + r->refused, 0);
	return true;
}

static void check_tier(struct walk *w, struct tier *t)
{
	struct node *n = &t->node;
	struct sums s = { .walk = w, .tier = t, .total = LM__COUNT_RECORD__INIT };
	for (size_t i = 0; i < w->request_count; i++) {
		Lm__CaseRecord *r;
		if (case_get(n->txn, w->requests[i], &n->arena, &r))
			continue;
		check_lists(&s, &w->requests[i], r);
		sum_case(&s.total, r);
	}
	assert_int_equal(store_count(n->txn, &domain_table_open), s.open);
	assert_int_equal(store_count(n->txn, &domain_table_closed), s.closed);
	assert_int_equal(store_count(n->txn, &domain_table_lock), s.locks);
	if (tier_is_town(t)) {
		assert_int_equal(store_count(n->txn, &domain_table_count), 0);
	} else {
		assert_int_equal(count_each(n->txn, &n->arena, count_visit, &s.total), OK);
		assert_int_equal(
		        s.total.received | s.total.open | s.total.withdrawn | s.total.duplicate | s.total.granted, 0);
	}
	node_arena_reset(n);
}

static const Lm__PendingAsk *ask_of(const Lm__CaseRecord *r, struct bytes hash)
{
	for (size_t i = 0; i < r->n_asks; i++)
		if (bytes_equal(codec_bytes(r->asks[i]->hash), hash))
			return r->asks[i];
	return NULL;
}

static void check_agreement(struct walk *w)
{
	for (size_t i = 0; i < w->request_count; i++) {
		Lm__CaseRecord *a = node_case(&w->town.node, &w->requests[i]),
		               *b = node_case(&w->district.node, &w->requests[i]);
		assert_int_equal(a->owner, b->owner);
		assert_int_equal(a->version, b->version);
		assert_int_equal(a->epoch, b->epoch);
		assert_int_equal(a->state, b->state);
		assert_int_equal(a->outcome, b->outcome);
		assert_int_equal(a->n_events, b->n_events);
		assert_int_equal(a->n_events, a->version);
		assert_int_equal(a->n_asks, b->n_asks);
		for (size_t k = 0; k < a->n_asks; k++) {
			const Lm__PendingAsk *other = ask_of(b, codec_bytes(a->asks[k]->hash));
			assert_non_null(other);
			assert_true(a->asks[k]->is_answered && other->is_answered);
			assert_int_equal(a->asks[k]->kind, other->kind);
			assert_int_equal(a->asks[k]->version, other->version);
		}
	}
	for (size_t i = 0; i < w->ask_count; i++)
		assert_int_equal(w->asks[i]->answers, 1);
}

static void tier_prepare(struct node *n)
{
	node_directory(n);
	if (n->domain.tier == TOWN)
		node_secret(n, TOWN_A);
	assert_ok(n, node_publish(n, "town", 1, TOWN));
	assert_ok(n, node_publish(n, "district", 1, DISTRICT));
}

static void check_replay(struct tier *t, const struct device *device)
{
	struct node fresh;
	node_open(&fresh, device);
	tier_prepare(&fresh);
	for (size_t i = 0; i < t->tape_count; i++) {
		const struct taken *taken = &t->tape[i];
		struct domain_item item = { .position = taken->position,
			                    .ordinal = taken->position,
			                    .taken_ms = taken->taken_ms,
			                    .header = &taken->entry->header,
			                    .hash = taken->entry->hash,
			                    .plain = taken->entry->plain };
		domain_effects_clear(&fresh.fx);
		assert_ok(&fresh, node_apply_item(&fresh, &item));
		node_arena_reset(&fresh);
	}
	struct hash live = node_hash(&t->node), replayed = node_hash(&fresh);
	assert_memory_equal(&live, &replayed, sizeof live);
	node_close(&fresh);
}

/* ---- walks ---- */

static void tier_open(struct tier *t, const struct device *device)
{
	memset(t, 0, sizeof *t);
	node_open(&t->node, device);
	tier_prepare(&t->node);
	t->tape = calloc(ENTRIES_MOST * 4, sizeof *t->tape);
	assert_non_null(t->tape);
}

static void tier_close(struct tier *t)
{
	free(t->tape);
	node_close(&t->node);
}

static void deliver_all(struct walk *w)
{
	while (w->town.from[FROM_HUB].count < 2)
		step_publish(w);
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t line = 0; line < LINES; line++) {
			moved |= step_deliver(w, &w->town, line);
			moved |= step_deliver(w, &w->district, line);
		}
		node_arena_reset(&w->town.node);
		node_arena_reset(&w->district.node);
	}
}

static void walk_run(struct walk *w, uint64_t seed)
{
	tier_open(&w->town, &devices[TOWN_A]);
	tier_open(&w->district, &devices[HUB]);
	arena_init(&w->arena, 0);
	w->ask_count = w->request_count = 0;
	prng_seed(&w->prng, seed);
	for (size_t i = 0; i < STEPS; i++) {
		step(w);
		if (i % 50 == 0) {
			check_tier(w, &w->town);
			check_tier(w, &w->district);
		}
	}
	deliver_all(w);
	assert_int_equal(w->town.held_count + w->district.held_count, 0);
	check_tier(w, &w->town);
	check_tier(w, &w->district);
	check_agreement(w);
	check_replay(&w->town, &devices[TOWN_A]);
	check_replay(&w->district, &devices[HUB]);
}

static void walk_end(struct walk *w)
{
	tier_close(&w->town);
	tier_close(&w->district);
	arena_release(&w->arena);
}

static void test_random_walks(void **state)
{
	(void)state;
	struct walk *w = calloc(1, sizeof *w);
	assert_non_null(w);
	size_t held = 0, asks = 0, requests = 0;
	const char *one = getenv("WALK_SEED");
	for (uint64_t seed = one ? strtoull(one, NULL, 10) : 1; seed <= (one ? strtoull(one, NULL, 10) : WALKS);
	     seed++) {
		fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
		walk_run(w, seed);
		held += w->town.held_ever + w->district.held_ever;
		asks += w->ask_count;
		requests += w->request_count;
		walk_end(w);
	}
	fprintf(stderr, "\r%zu requests, %zu asks, %zu handovers, %zu held, %zu refused\n", requests, asks,
	        w->handovers, held, w->refusals);
	if (!one) /* the walks go where they should */
		assert_true(requests > WALKS * 10 && asks > WALKS * 20 && w->handovers > WALKS * 30 && held > WALKS &&
		            w->refusals > WALKS);
	free(w);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random_walks) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
