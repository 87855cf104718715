/* What comes in about a request that is erased here already: it was still on its way. And what a terminal began anew
 * comes in before the district has given back what came before it. */
#include "../../../common/node/inside.h"
#include "../journal/rig.h"
#include "domain/backup.h"
#include "domain/domain.h"
#include "node/backup.h"

struct late {
	struct party terminal, town;
	struct node node;
	struct peer hub; /* that gives back to the town what it had of its terminal */
	struct peer below;
	struct directory_row rows[1];
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
	l->node.config.map_bytes = MAP_BYTES;
	l->node.config.origin_share = 50;
	l->hub.is_upstream = true;
	l->hub.role = LM__TIER__TIER_DISTRICT;
	l->below.device = l->terminal.device;
	l->below.role = LM__TIER__TIER_TERMINAL;
	l->node.peer[0] = &l->hub;
	l->node.peer[1] = &l->below;
	l->node.peer_visible = 2;
	l->rows[0] = (struct directory_row){ .device = 1, .role = LM__TIER__TIER_DISTRICT, .place = "310114" };
	l->node.directory = l->rows;
	l->node.directory_count = 1;
	pthread_mutex_init(&l->node.directory_lock, NULL);
	*state = l;
	return 0;
}

static int tear_down(void **state)
{
	struct late *l = *state;
	domain_effects_release(&l->node.effects);
	domain_effects_release(&l->node.news);
	pthread_mutex_destroy(&l->node.directory_lock);
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

static void return_begins(struct late *l)
{
	Lm__RestoreRecord record = LM__RESTORE_RECORD__INIT;
	struct bytes packed;
	assert_ok(&l->town, CODEC_PACK(&record, &l->town.arena, &packed, &l->town.e));
	turn_begin(&l->town);
	store_put(l->town.txn, &domain_table_backup, bytes_from_text("restore"), packed);
	turn_commit(&l->town);
	l->node.is_returning = true;
}

/* What the terminal has from `ordinal` on comes in from it; where the town's line ends then. */
static uint64_t terminal_sends(struct late *l, uint64_t ordinal)
{
	struct party *town = &l->town;
	struct line_key up = up_of(&l->terminal);
	struct work w = { .type = WORK_FRAME, .peer = &l->below };
	uint64_t through;
	const Lm__Batch *batch = wired(town, load(&l->terminal, up, ordinal, &through));
	assert_ok(town, check(town, &l->terminal, batch, &w.entries, &w.entry_count));
	message_open(l, &w);
	turn_begin(town);
	struct turn t = { &l->node, town->txn, town->journal, &town->arena, town->now_ms };
	assert_ok(town, take_batch(&t, &w));
	turn_commit(town);
	const struct line *there = journal_line_find(town->journal, &up);
	assert_true(w.is_dropped || (there && there->ordinal == through));
	return there ? there->ordinal : 0;
}

/* The town was put back to before it knew the terminal, and the terminal begins anew amid it. */
static void what_began_anew_waits_for_the_district(void **state)
{
	struct late *l = *state;
	uint64_t first = line_of(&l->terminal, up_of(&l->terminal))->ordinal;
	return_begins(l);
	assert_int_equal(terminal_sends(l, 1), 0);
	assert_code(message_take(l, false, &(struct bytes){ 0 }), OK); /* the district gives it back */
	party_restart(&l->terminal);
	recipients_are(&l->terminal, &l->town, &l->town);
	turn_begin(&l->terminal);
	request(&l->terminal, "two");
	turn_commit(&l->terminal);
	assert_int_equal(terminal_sends(l, 1), first); /* what is here is acked again */
	assert_int_equal(terminal_sends(l, first + 1), first);
	l->hub.has_returned = true;
	assert_true(terminal_sends(l, first + 1) > first);
}

/* A restore from a backup that was made at `position`, and the start behind it: from where on it makes up for what
 * waited. */
static uint64_t restored_at(struct late *l, uint64_t position, const char *backup)
{
	struct party *town = &l->town;
	Lm__RestorePayload begun = LM__RESTORE_PAYLOAD__INIT;
	Lm__RestoreRecord *record;
	begun.step = LM__RESTORE_STEP__RESTORE_STEP_BEGUN;
	begun.backup = codec_data(bytes_from_text(backup));
	begun.position = position;
	assert_ok(town, restored_remove(town->folder, &town->e));
	assert_ok(town, restored_write(town->folder, &begun, &town->arena, &town->e));
	turn_begin(town);
	struct turn t = { &l->node, town->txn, town->journal, &town->arena, town->now_ms };
	assert_ok(town, return_begin(&t, &town->e));
	assert_int_equal(restore_get(town->txn, &town->arena, &record), OK);
	position = record->position;
	turn_commit(town);
	return position;
}

/* A backup that is made during a return, and restored, knows that something waited for the end of that one. */
static void what_waited_for_a_return_waits_for_the_next(void **state)
{
	struct late *l = *state;
	struct party *town = &l->town;
	l->node.config.data = town->folder;
	assert_int_equal(restored_at(l, 3, "0123456789abcdef"), 3);
	assert_int_equal(restored_at(l, 9, "0123456789abcdeg"), 3);
	assert_int_equal(restored_at(l, 9, "0123456789abcdeg"), 3); /* a start amid it */
	assert_int_equal(restored_at(l, 1, "0123456789abcdeh"), 1);
	assert_ok(town, restored_remove(town->folder, &town->e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_erased_opens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_erased_comes_without_its_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_began_anew_waits_for_the_district, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_waited_for_a_return_waits_for_the_next, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
