/*
 * Rows that are not what they should be: whoever holds a store's keys can leave them, and a later version, too.
 * Whatever is asked then ends, says what is wrong if it fails, and changes nothing: with the row put right all is as it
 * was. The same where an arena has too little room.
 */
#include "house.h"

#define ROWS_MOST 6 /* of a table: its first ones */
#define DAMAGES 3

struct row {
	const struct store_table *table;
	struct bytes key, value;
};

static struct row rows[64];
static size_t row_count;
static struct arena kept;
static size_t told_of; /* failures that said what is wrong */

/* ---- a town with something in every table ---- */

static void second_history(struct house *h)
{
	struct party *first = &h->terminal, second;
	struct release r = { .device = first->device, .why = "closed", .is_taken_here = true };
	turn_begin(first);
	request(first, "before they part");
	turn_commit(first);
	party_image(first);
	party_clone(first, &second);
	recipients_are(&second, &h->town, &h->hub);
	turn_begin(first);
	request(first, "of the first");
	turn_commit(first);
	carry(first, &h->town, first, h->up);
	turn_begin(&second);
	request(&second, "of the second");
	turn_commit(&second);
	carry(&second, &h->town, first, h->up);
	uint64_t stored = line_of(first, h->up)->ordinal;
	turn_begin(first);
	request(first, "of the first again");
	turn_commit(first);
	assert_int_equal(carry_from(first, &h->town, first, h->up, stored + 1).fault, ERR_CLONE);
	const struct line *l = line_of(&h->town, h->up);
	r.goes_on = l->fork;
	r.closed = (struct history){ l->incarnation, l->seq };
	r.closed_from = l->seq;
	turn_begin(&h->town);
	assert_ok(&h->town, journal_release(h->town.journal, &r, &h->town.e));
	turn_commit(&h->town);
	party_end(&second);
}

static void something_held(struct party *p)
{
	struct placed placed;
	Lm__Header header = LM__HEADER__INIT;
	struct draft lock = { .stream = LM__STREAM__STREAM_OWN,
		              .header = &header,
		              .payload = bytes_from_text("a lock"),
		              .is_sealed = true };
	header.kind = LM__KIND__KIND_RECEIPT_LOCK;
	turn_begin(p);
	placed = told(p, "what nobody knows yet");
	assert_ok(p, journal_set_disposition(p->journal, placed.position, LM__DISPOSITION__DISPOSITION_HELD, "wait"));
	assert_ok(p, journal_hold(p->journal, bytes_from_text("cause"), placed.position));
	placed = told(p, "poison");
	assert_ok(p, journal_set_disposition(p->journal, placed.position, LM__DISPOSITION__DISPOSITION_QUARANTINED,
	                                     "poison"));
	assert_ok(p, journal_retry(p->journal, placed.position, &placed.position));
	assert_ok(p, journal_append(p->journal, &lock, &placed, &p->e));
	assert_ok(p, store_put(p->txn, &cases, bytes_from_text("case"), bytes_from_text("open")));
	turn_commit(p);
}

static int full_begin(void **state)
{
	house_begin(state);
	struct house *h = *state;
	static const struct store_table *const projections[] = { &cases };
	uint64_t removed;
	second_history(h);
	something_held(&h->town);
	turn_begin(&h->town);
	assert_ok(&h->town,
	          journal_trim(h->town.journal, projections, 1, JOURNAL_SAFE, h->town.now_ms, &removed, &h->town.e));
	turn_commit(&h->town);
	something_held(&h->town);
	arena_init(&kept, 0);
	told_of = 0;
	return 0;
}

static int full_end(void **state)
{
	arena_release(&kept);
	return house_end(state);
}

/* ---- all that can be asked ---- */

static void said(struct party *p, int result)
{
	if (result && result != ERR_NOT_FOUND && !p->e.text[0])
		fail_msg("%s without a word", error_name(result));
	told_of += result && result != ERR_NOT_FOUND;
	p->e.text[0] = '\0';
	arena_reset(&p->arena);
}

static void line_ask(struct party *p, const struct line *l)
{
	struct store_txn *txn = snapshot(p);
	uint64_t incarnation[8] = { 0 }, seq[8] = { 0 }, ordinal, position, through;
	uint32_t bytes;
	size_t count = 0;
	bool is_exact;
	Lm__Batch *batch;
	Lm__TapeItem *item;
	struct bytes plain;
	for (uint64_t from = 1; from <= l->ordinal; from++) {
		said(p, journal_load(txn, l, from, 8, 4096, &p->arena, &batch, &through, &bytes, &p->e));
		store_abort(txn);
		txn = snapshot(p);
		int result = journal_read_line(txn, l->number, from, &p->arena, &position, &item, &p->e);
		if (!result)
			result = journal_item_open(p->journal, txn, position, item, &p->arena, &plain, &p->e);
		said(p, result);
		store_abort(txn);
		txn = snapshot(p);
	}
	journal_ends(txn, l->number, 8, incarnation, seq, &count);
	for (size_t i = 0; i < count; i++) {
		journal_locate(txn, l->number, incarnation[i], seq[i], &ordinal, &is_exact);
		journal_locate(txn, l->number, incarnation[i], 1, &ordinal, &is_exact);
	}
	journal_locate(txn, l->number, 12345, 1, &ordinal, &is_exact);
	journal_coordinates(txn, l->number, 1, incarnation, seq);
	journal_line_is_frozen(txn, l->number);
	store_abort(txn);
}

static void tape_ask(struct party *p)
{
	struct waiting w = { 0 };
	struct aside *asides;
	Lm__Checkpoint *checkpoint;
	Lm__TapeItem *item;
	size_t count;
	struct store_txn *txn = snapshot(p);
	for (uint64_t position = 1; !journal_read_next(txn, &position, &p->arena, &item, &p->e); position++)
		journal_is_final(txn, position);
	store_abort(txn);
	txn = snapshot(p);
	for (struct waiting_name after = { 0 }; !journal_waiting_next(txn, &after, &p->arena, &w, &p->e);)
		after = w.name;
	said(p, journal_asides(p->journal, txn, &p->arena, &asides, &count, &p->e));
	store_abort(txn);
	txn = snapshot(p);
	said(p, journal_checkpoint(txn, &p->arena, &checkpoint, &p->e));
	journal_held_because(txn, bytes_from_text("cause"), 5);
	journal_held_because(txn, bytes_from_text("cause"), 9);
	journal_held_because(txn, (struct bytes){ 0 }, 0);
	store_abort(txn);
}

enum { TRIM, ERASE, ERASE_ONE, TAKE_HELD, RETRY, DROP, APPEND, TURNS };

static int turn_do(struct party *p, int which)
{
	static const struct store_table *const projections[] = { &cases };
	uint8_t id[16] = "request-0000001";
	uint64_t count, position = journal_position(p->journal) - 2;
	struct waiting_name name = waiting_at(position);
	struct placed placed;
	switch (which) {
	case TRIM:
		return journal_trim(p->journal, projections, 1, JOURNAL_SAFE, p->now_ms, &count, &p->e);
	case ERASE:
		return journal_erase(p->journal, BYTES_OF(id), NULL, &count, &p->e);
	case ERASE_ONE:
		return journal_erase_entry(p->journal, position, &p->e);
	case TAKE_HELD:
		return journal_held_take(p->journal, bytes_from_text("cause"), &position);
	case RETRY:
		return journal_retry(p->journal, position, &position);
	case DROP:
		return journal_drop(p->journal, &name, "no", &p->e);
	default:
		return try_append(p, LM__KIND__KIND_DEVICE, LM__STREAM__STREAM_ALL, 0, bytes_from_text("as ever"),
		                  false, &placed);
	}
}

/* Each in a turn of its own, which is rolled back. */
static void turns_ask(struct party *p)
{
	for (int which = 0; which < TURNS; which++) {
		turn_begin(p);
		int result = turn_do(p, which);
		if (!result)
			result = journal_turn_seal(p->journal, &p->e);
		if (result && result != ERR_NOT_FOUND && !p->e.text[0])
			store_failure(p->txn, &p->e);
		said(p, result);
		turn_abort(p);
	}
}

static int all_ask(struct house *h, struct party *p)
{
	struct journal_audit audit;
	int result = verify(p, (struct keyring){ { &h->terminal, &h->town, &h->hub } }, &audit);
	said(p, result);
	for (uint32_t i = 1; i <= journal_line_count(p->journal); i++)
		line_ask(p, journal_line(p->journal, i));
	tape_ask(p);
	turns_ask(p);
	return result;
}

/* ---- rows that are changed, and put right ---- */

static void row_set(struct party *p, const struct row *row, struct bytes value)
{
	struct store_txn *t;
	assert_ok(p, store_begin_write(p->store, &t, &p->e));
	store_put(t, row->table, row->key, value);
	assert_ok(p, store_commit(t, &p->e));
}

static void rows_list(struct party *p)
{
	struct store_txn *t = snapshot(p);
	row_count = 0;
	for (size_t i = 0; i < journal_table_count; i++) {
		struct store_cursor *c;
		struct row row = { .table = journal_tables[i] };
		assert_ok(p, store_cursor_open(t, row.table, &c));
		int result = store_cursor_first(c, &kept, &row.key, &row.value);
		for (size_t n = 0; !result && n < ROWS_MOST; n++) {
			row.key = BYTES(arena_copy(&kept, row.key.data, row.key.size), row.key.size);
			row.value = BYTES(arena_copy(&kept, row.value.data, row.value.size), row.value.size);
			assert_true(row_count < 64);
			rows[row_count++] = row;
			result = store_cursor_next(c, &kept, &row.key, &row.value);
		}
		store_cursor_close(c);
	}
	store_abort(t);
}

/* Nothing; not a message at all; a message that says nothing of what it should. */
static struct bytes damage(size_t which)
{
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff, 0x07 }, unknown[] = { 0xf8, 0x07, 0x01 };
	return which == 0 ? (struct bytes){ 0 } : which == 1 ? BYTES_OF(garbage) : BYTES_OF(unknown);
}

static void whatever_a_row_says_it_is_asked_and_answered(void **state)
{
	struct house *h = *state;
	struct party *p = &h->town;
	struct journal_audit audit;
	size_t noticed = 0;
	rows_list(p);
	assert_true(row_count > 20);
	assert_ok(p, verify(p, (struct keyring){ { &h->terminal, &h->town, &h->hub } }, &audit));
	for (size_t i = 0; i < row_count; i++)
		for (size_t which = 0; which < DAMAGES; which++) {
			row_set(p, &rows[i], damage(which));
			noticed += all_ask(h, p) == ERR_DAMAGED;
			struct journal_options options = { .store = p->store, .keys = &p->keys, .device = p->device };
			struct journal *another = NULL;
			int result = journal_open(&options, &another, &p->e); /* as after a restart */
			said(p, result);
			journal_close(another);
			row_set(p, &rows[i], rows[i].value);
		}
	assert_true(told_of > 50 && noticed > 10);
	assert_ok(p, verify(p, (struct keyring){ { &h->terminal, &h->town, &h->hub } }, &audit));
	party_restart(p);
	assert_ok(p, verify(p, (struct keyring){ { &h->terminal, &h->town, &h->hub } }, &audit));
}

/* ---- too little room ---- */

static int in_room(struct house *h, size_t bytes, int which)
{
	struct party *p = &h->town;
	const struct line *l = line_of(p, h->up);
	struct store_txn *txn = snapshot(p);
	struct waiting w;
	struct aside *asides;
	struct checked_entry *entries;
	Lm__Batch *batch;
	Lm__Checkpoint *checkpoint;
	Lm__TapeItem *item;
	struct bytes plain;
	struct arena small;
	uint64_t through, position;
	uint32_t size;
	size_t count;
	int result;
	arena_init(&small, bytes);
	switch (which) {
	case 0:
		result = journal_load(txn, l, 1, 8, 4096, &small, &batch, &through, &size, &p->e);
		break;
	case 1:
		result = journal_read_line(txn, l->number, 2, &small, &position, &item, &p->e);
		if (!result)
			result = journal_item_open(p->journal, txn, position, item, &small, &plain, &p->e);
		break;
	case 2:
		result = journal_waiting_next(txn, &(struct waiting_name){ 0 }, &small, &w, &p->e);
		break;
	case 3:
		result = journal_asides(p->journal, txn, &small, &asides, &count, &p->e);
		break;
	case 4:
		result = journal_checkpoint(txn, &small, &checkpoint, &p->e);
		break;
	default:
		batch = load(&h->terminal, h->up, 1, &through);
		result = entries_check(batch, h->terminal.keys.signing_public, &small, &entries, &count, &p->e);
	}
	arena_release(&small);
	store_abort(txn);
	return result;
}

static void too_little_room_is_said_and_nothing_else(void **state)
{
	struct house *h = *state;
	for (int which = 0; which < 6; which++) {
		int result = ERR_MEMORY;
		size_t room = 16;
		for (; result && room < 1024 * 1024; room += room / 8 + 16) {
			result = in_room(h, room, which);
			if (result && error_is_of_machine(result) && h->town.e.text[0])
				h->town.e.text[0] = '\0';
			else if (result)
				fail_msg("%d with %zu bytes: %s (%s)", which, room, error_name(result), h->town.e.text);
		}
		assert_int_equal(result, OK);
		assert_true(room > 32);
	}
}

int main(void)
{
#define story(name) cmocka_unit_test_setup_teardown(name, full_begin, full_end)
	const struct CMUnitTest tests[] = {
		story(whatever_a_row_says_it_is_asked_and_answered),
		story(too_little_room_is_said_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
