/*
 * Erasing: the envelopes of a request go, and nothing else; what was placed in the same turn does not leave from memory
 * with them; and what a node seals for itself can be erased as well.
 */
#include "house.h"

static uint8_t one[16] = "request-of-one", other[16] = "request-of-two";

static struct placed about(struct party *p, uint8_t request[16], Lm__Kind kind, Lm__Stream stream, const char *text)
{
	Lm__Header header = LM__HEADER__INIT;
	struct placed placed;
	header.kind = kind;
	header.request_id = codec_data(BYTES(request, request ? 16 : 0));
	struct draft draft = {
		.stream = stream, .header = &header, .payload = bytes_from_text(text), .is_sealed = true
	};
	assert_ok(p, journal_append(p->journal, &draft, &placed, &p->e));
	return placed;
}

static void requests(struct house *h)
{
	turn_begin(&h->terminal);
	about(&h->terminal, one, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, "my name is Wang");
	about(&h->terminal, other, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, "my name is Li");
	about(&h->terminal, one, LM__KIND__KIND_ANSWER, LM__STREAM__STREAM_UP, "Wang answers");
	turn_commit(&h->terminal);
}

static Lm__Disposition disposition_at(struct party *p, struct line_key key, uint64_t ordinal)
{
	uint64_t position;
	return item_at(p, key, ordinal, &position)->disposition;
}

static void a_request_goes_and_its_neighbour_stays(void **state)
{
	struct house *h = *state;
	struct bytes plain;
	uint64_t count, position;
	Lm__ErasedFacts facts = LM__ERASED_FACTS__INIT;
	struct journal_audit audit;
	requests(h);
	carry(&h->terminal, &h->town, &h->terminal, h->up);
	facts.owner = LM__TIER__TIER_TOWN;
	turn_begin(&h->town);
	assert_ok(&h->town, journal_erase(h->town.journal, BYTES_OF(one), &facts, &count, &h->town.e));
	turn_commit(&h->town);
	assert_int_equal(count, 2);
	assert_code(open_at(&h->town, h->up, 2, &plain), ERR_ABSENT);
	assert_opens(&h->town, h->up, 3, "my name is Li");
	assert_code(open_at(&h->town, h->up, 4, &plain), ERR_ABSENT);
	assert_int_equal(disposition_at(&h->town, h->up, 2), LM__DISPOSITION__DISPOSITION_ERASED);
	assert_int_equal(disposition_at(&h->town, h->up, 3), LM__DISPOSITION__DISPOSITION_APPLIED);
	assert_int_equal(item_at(&h->town, h->up, 2, &position)->facts->owner, LM__TIER__TIER_TOWN);
	assert_ok(&h->town, verify(&h->town, (struct keyring){ { &h->terminal } }, &audit));
	assert_int_equal(audit.items, 4);

	/* Once more, and one that nobody knows: nothing is left to destroy. */
	uint8_t unknown[16] = "nobody's request";
	turn_begin(&h->town);
	assert_ok(&h->town, journal_erase(h->town.journal, BYTES_OF(one), NULL, &count, &h->town.e));
	assert_int_equal(count, 0);
	assert_ok(&h->town, journal_erase(h->town.journal, BYTES_OF(unknown), NULL, &count, &h->town.e));
	assert_int_equal(count, 0);
	assert_code(journal_erase(h->town.journal, BYTES(one, 3), NULL, &count, &h->town.e), ERR_INVALID);
	turn_commit(&h->town);

	/* It still passes on, as what nobody can open. */
	assert_int_equal(carry(&h->town, &h->hub, &h->terminal, h->up).placed, 4);
	assert_code(open_at(&h->hub, h->up, 2, &plain), ERR_ABSENT);
	assert_opens(&h->hub, h->up, 3, "my name is Li");
}

static void nothing_leaves_from_memory_with_what_was_destroyed(void **state)
{
	struct house *h = *state;
	struct party *p = &h->terminal;
	Lm__Batch *batch;
	uint64_t count, through;
	uint32_t bytes;
	turn_begin(p);
	about(p, one, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, "my name is Wang");
	assert_ok(p, journal_erase(p->journal, BYTES_OF(one), NULL, &count, &p->e));
	about(p, other, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, "my name is Li");
	turn_commit(p);
	assert_int_equal(count, 1);
	assert_code(journal_load_recent(p->journal, line_of(p, h->up), 1, 100, 100000, &p->arena, &batch, &through,
	                                &bytes, &p->e),
	            ERR_NOT_FOUND);
	batch = load(p, h->up, 1, &through);
	assert_int_equal(batch->n_entries, 3);
	assert_int_equal(batch->entries[1]->envelope.len, 0);
	assert_true(batch->entries[2]->envelope.len > 0);
	turn_begin(p); /* and the next turn is as ever */
	about(p, other, LM__KIND__KIND_ANSWER, LM__STREAM__STREAM_UP, "Li answers");
	turn_commit(p);
	assert_ok(p, journal_load_recent(p->journal, line_of(p, h->up), 4, 100, 100000, &p->arena, &batch, &through,
	                                 &bytes, &p->e));
	turn_begin(p); /* the erasing may be the last that a turn does */
	about(p, one, LM__KIND__KIND_ANSWER, LM__STREAM__STREAM_UP, "Wang answers");
	assert_ok(p, journal_erase(p->journal, BYTES_OF(one), NULL, &count, &p->e));
	turn_commit(p);
	assert_code(journal_load_recent(p->journal, line_of(p, h->up), line_of(p, h->up)->ordinal, 100, 100000,
	                                &p->arena, &batch, &through, &bytes, &p->e),
	            ERR_NOT_FOUND);
}

static void what_a_node_seals_for_itself(void **state)
{
	struct house *h = *state;
	struct party *p = &h->hub;
	struct line_key own = { p->device, LM__STREAM__STREAM_OWN, 0 };
	struct bytes plain;
	uint64_t position, count;
	struct journal_audit audit;
	turn_begin(p);
	about(p, one, LM__KIND__KIND_CASE, LM__STREAM__STREAM_OWN, "Wang gets a ramp");
	about(p, NULL, LM__KIND__KIND_RECEIPT_LOCK, LM__STREAM__STREAM_OWN, "a lock");
	about(p, NULL, LM__KIND__KIND_RECEIPT_LOCK, LM__STREAM__STREAM_OWN, "another lock");
	turn_commit(p);
	assert_opens(p, own, 1, "Wang gets a ramp");
	assert_opens(p, own, 2, "a lock");
	Lm__TapeItem *item = item_at(p, own, 1, &position);
	assert_null(memmem(item->payload.data, item->payload.len, "Wang", 4));

	struct store_txn *txn = snapshot(p);
	position = 0;
	assert_ok(p, journal_unnamed_next(txn, &position, &p->e)); /* locks name no request */
	assert_int_equal(position, 2);
	store_abort(txn);
	turn_begin(p);
	assert_ok(p, journal_erase(p->journal, BYTES_OF(one), NULL, &count, &p->e));
	assert_ok(p, journal_erase_entry(p->journal, 2, &p->e));
	position = 1;
	assert_ok(p, journal_unnamed_next(p->txn, &position, &p->e));
	assert_int_equal(position, 3);
	position = 4;
	assert_code(journal_unnamed_next(p->txn, &position, &p->e), ERR_NOT_FOUND);
	turn_commit(p);
	assert_int_equal(count, 1);
	assert_code(open_at(p, own, 1, &plain), ERR_ABSENT);
	assert_code(open_at(p, own, 2, &plain), ERR_ABSENT);
	assert_opens(p, own, 3, "another lock");
	assert_ok(p, verify(p, (struct keyring){ { p } }, &audit));
}

int main(void)
{
#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)
	const struct CMUnitTest tests[] = {
		story(a_request_goes_and_its_neighbour_stays),
		story(nothing_leaves_from_memory_with_what_was_destroyed),
		story(what_a_node_seals_for_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
