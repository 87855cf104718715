/* What comes in about a request that is erased here already: it was still on its way. */
#include "../../../common/node/inside.h"
#include "../journal/rig.h"
#include "domain/domain.h"

struct late {
	struct party terminal, town;
	struct node node;
	struct peer hub; /* that gives back to the town what it had of its terminal */
};

/* As a daemon opens it: with the tables of what entries are about. */
static void tables_open(struct party *p)
{
	struct store_options options = { .folder = p->folder, .map_bytes = MAP_BYTES };
	const struct store_table *tables[STORE_TABLES_MOST];
	party_close(p);
	options.table_count = node_tables(tables);
	options.tables = tables;
	memcpy(options.master_key, p->keys.store_key, KEY_BYTES);
	memset(options.key_table_key, 0x22, KEY_BYTES);
	assert_ok(p, store_open(&options, &p->store, &p->e));
	struct journal_options journal = { .store = p->store, .keys = &p->keys, .device = p->device };
	assert_ok(p, journal_open(&journal, &p->journal, &p->e));
}

static int set_up(void **state)
{
	struct late *l = calloc(1, sizeof *l);
	assert_non_null(l);
	party_begin(&l->terminal);
	party_begin(&l->town);
	tables_open(&l->town);
	recipients_are(&l->terminal, &l->town, &l->town);
	turn_begin(&l->terminal);
	request(&l->terminal, "one");
	turn_commit(&l->terminal);
	l->node.store = l->town.store;
	l->node.journal = l->town.journal;
	l->node.domain = (struct domain){ .tier = LM__TIER__TIER_TOWN, .device = l->town.device, .place = "310114106" };
	l->hub.is_upstream = true;
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct late *l = *state;
	domain_effects_release(&l->node.effects);
	domain_effects_release(&l->node.news);
	party_end(&l->terminal);
	party_end(&l->town);
	free(l);
	return 0;
}

static void erase(struct late *l, const Lm__Header *h)
{
	Lm__ErasedRecord record = LM__ERASED_RECORD__INIT;
	struct bytes packed;
	record.is_erased = true;
	assert_ok(&l->town, CODEC_PACK(&record, &l->town.arena, &packed, &l->town.e));
	turn_begin(&l->town);
	store_put(l->town.txn, &domain_table_erased, codec_bytes(h->request_id), packed);
	turn_commit(&l->town);
}

/* As the pool does. */
static void message_open(struct late *l, struct work *w)
{
	struct party *town = &l->town;
	struct store_txn *txn = snapshot(town);
	for (size_t i = 0; i < w->entry_count; i++) {
		struct checked_entry *c = &w->entries[i];
		if (c->header->kind == LM__KIND__KIND_PERIOD) {
			assert_ok(town, journal_period_learn(town->journal, c->header, c->payload, &town->e));
			c->plain = c->payload;
		} else
			assert_ok(town, journal_payload_open(town->journal, txn, c->header, c->payload,
			                                     c->envelope_packed, &town->arena, &c->plain, &town->e));
	}
	store_abort(txn);
}

/* The terminal's message comes in; its request, which is the last of it, is erased before or not. What that opens to.
 */
static int message_take(struct late *l, bool is_erased, struct bytes *plain)
{
	struct party *town = &l->town;
	struct line_key up = up_of(&l->terminal);
	struct work w = { .type = WORK_FRAME, .peer = &l->hub };
	uint64_t through;
	const Lm__Batch *batch = wired(town, load(&l->terminal, up, 1, &through));
	assert_ok(town, check(town, &l->terminal, batch, &w.entries, &w.entry_count));
	message_open(l, &w);
	if (is_erased) /* between the pool and the turn */
		erase(l, w.entries[w.entry_count - 1].header);
	turn_begin(town);
	struct turn t = { &l->node, town->txn, town->journal, &town->arena, town->now_ms };
	assert_ok(town, take_batch(&t, &w));
	assert_int_equal(w.fault, OK);
	turn_commit(town);
	return open_at(town, up, through, plain);
}

static void what_is_not_erased_opens(void **state)
{
	struct bytes plain = { 0 };
	assert_code(message_take(*state, false, &plain), OK);
	assert_int_equal(plain.size, strlen("one"));
	assert_memory_equal(plain.data, "one", plain.size);
}

/* Its terminal, or a tier that had not heard of the erasing, still had the key. */
static void what_is_erased_comes_without_its_key(void **state)
{
	struct bytes plain = { 0 };
	assert_code(message_take(*state, true, &plain), ERR_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_erased_opens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_erased_comes_without_its_key, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
