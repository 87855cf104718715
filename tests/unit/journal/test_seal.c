/*
 * Sealed payloads: opened by town and district and by nobody else, each under a period that was announced before,
 * and gone for good when the key envelope is destroyed.
 */
#include "house.h"

static struct party stranger; /* no recipient of what the terminal seals */

static int seal_begin(void **state)
{
	party_begin(&stranger);
	return house_begin(state);
}

static int seal_end(void **state)
{
	party_end(&stranger);
	return house_end(state);
}

static void send_requests(struct house *h, int count)
{
	turn_begin(&h->terminal);
	for (int i = 0; i < count; i++)
		request(&h->terminal, "my name is Wang");
	turn_commit(&h->terminal);
}

static void everywhere(struct house *h)
{
	carry(&h->terminal, &h->town, &h->terminal, h->up);
	carry(&h->town, &h->hub, &h->terminal, h->up);
	carry(&h->town, &stranger, &h->terminal, h->up);
}

static void both_recipients_open_it_and_nobody_else(void **state)
{
	struct house *h = *state;
	struct bytes plain;
	send_requests(h, 2);
	everywhere(h);
	assert_opens(&h->town, h->up, 2, "my name is Wang");
	assert_opens(&h->hub, h->up, 3, "my name is Wang");
	assert_code(open_at(&stranger, h->up, 2, &plain), ERR_ABSENT);
	assert_code(open_at(&h->terminal, h->up, 2, &plain), ERR_ABSENT); /* a stolen kiosk tells nothing */
	uint64_t position;
	Lm__TapeItem *item = item_at(&h->terminal, h->up, 2, &position);
	assert_null(memmem(item->payload.data, item->payload.len, "Wang", 4));
	assert_null(memmem(item->header.data, item->header.len, "Wang", 4));
}

static void a_payload_opens_only_at_its_own_place(void **state)
{
	struct house *h = *state;
	uint64_t first, second;
	struct bytes plain, envelope;
	send_requests(h, 2);
	everywhere(h);
	Lm__TapeItem *one = item_at(&h->town, h->up, 2, &first), *other = item_at(&h->town, h->up, 3, &second);
	Lm__Header *header = header_of(&h->town, one);
	struct store_txn *txn = snapshot(&h->town);
	assert_ok(&h->town, journal_envelope(txn, header_of(&h->town, other), second, &h->town.arena, &envelope));
	assert_code(journal_payload_open(h->town.journal, txn, header, codec_bytes(other->payload), envelope,
	                                 &h->town.arena, &plain, &h->town.e),
	            ERR_ABSENT);
	store_abort(txn);
}

static void without_its_envelope_a_payload_is_absent_and_the_chain_stands(void **state)
{
	struct house *h = *state;
	uint64_t position;
	struct bytes plain, envelope;
	uint8_t key[24] = { 0 };
	send_requests(h, 3);
	everywhere(h);
	Lm__Header *header = header_of(&h->town, item_at(&h->town, h->up, 3, &position));
	memcpy(key, header->request_id.data, 16);
	key[23] = (uint8_t)position;
	turn_begin(&h->town);
	assert_true(store_has(h->town.txn, &journal_table_envelope, BYTES_OF(key)));
	assert_ok(&h->town, store_delete(h->town.txn, &journal_table_envelope, BYTES_OF(key)));
	turn_commit(&h->town);

	assert_code(open_at(&h->town, h->up, 3, &plain), ERR_ABSENT);
	assert_opens(&h->town, h->up, 2, "my name is Wang");
	assert_opens(&h->town, h->up, 4, "my name is Wang");
	struct store_txn *txn = snapshot(&h->town);
	assert_ok(&h->town, journal_envelope(txn, header, position, &h->town.arena, &envelope));
	assert_int_equal(envelope.size, 0);
	store_abort(txn);
	struct journal_audit audit;
	assert_ok(&h->town, verify(&h->town, (struct keyring){ { &h->terminal } }, &audit));
	assert_int_equal(audit.items, 4);
	/* It still passes on to one who has nothing yet: absent there, too. */
	struct party late;
	party_begin(&late);
	assert_int_equal(carry(&h->town, &late, &h->terminal, h->up).placed, 4);
	party_end(&late);
}

static void a_period_is_announced_before_its_first_use(void **state)
{
	struct house *h = *state;
	uint64_t position;
	send_requests(h, 1);
	send_requests(h, 1);
	Lm__Header *notice = header_of(&h->terminal, item_at(&h->terminal, h->up, 1, &position));
	assert_int_equal(notice->kind, LM__KIND__KIND_PERIOD);
	assert_int_equal(line_of(&h->terminal, h->up)->ordinal, 3); /* one notice for both */
	h->terminal.now_ms += PERIOD_AGE_MOST_MS;
	send_requests(h, 1);
	assert_int_equal(header_of(&h->terminal, item_at(&h->terminal, h->up, 4, &position))->kind,
	                 LM__KIND__KIND_PERIOD);
	assert_int_equal(header_of(&h->terminal, item_at(&h->terminal, h->up, 5, &position))->kind,
	                 LM__KIND__KIND_REQUEST);
}

static void after_a_thousand_uses_a_new_period_begins(void **state)
{
	struct house *h = *state;
	uint64_t position;
	send_requests(h, 1002);
	for (uint64_t ordinal = 1; ordinal <= 1004; ordinal++) {
		bool is_notice = ordinal == 1 || ordinal == 1002;
		Lm__Header *header = header_of(&h->terminal, item_at(&h->terminal, h->up, ordinal, &position));
		assert_int_equal(header->kind, is_notice ? LM__KIND__KIND_PERIOD : LM__KIND__KIND_REQUEST);
		arena_reset(&h->terminal.arena);
	}
	everywhere(h);
	assert_opens(&h->hub, h->up, 1001, "my name is Wang");
	assert_opens(&h->hub, h->up, 1004, "my name is Wang");
	assert_opens(&h->hub, h->up, 2, "my name is Wang"); /* and backwards */
	assert_opens(&h->hub, h->up, 1003, "my name is Wang");
}

static void new_recipients_get_a_new_period(void **state)
{
	struct house *h = *state;
	struct bytes plain;
	send_requests(h, 1);
	recipients_are(&h->terminal, &stranger, &h->hub);
	send_requests(h, 1);
	assert_int_equal(line_of(&h->terminal, h->up)->ordinal, 4);
	everywhere(h);
	assert_opens(&h->town, h->up, 2, "my name is Wang");
	assert_code(open_at(&h->town, h->up, 4, &plain), ERR_ABSENT);
	assert_opens(&stranger, h->up, 4, "my name is Wang");
	recipients_are(&h->terminal, &stranger, &h->hub); /* the same again changes nothing */
	send_requests(h, 1);
	assert_int_equal(line_of(&h->terminal, h->up)->ordinal, 5);
}

static void the_opener_learns_of_a_period_before_it_is_stored(void **state)
{
	struct house *h = *state;
	struct checked_entry *entries;
	size_t count;
	uint64_t through;
	struct bytes plain;
	send_requests(h, 1);
	Lm__Batch *batch = wired(&h->town, load(&h->terminal, h->up, 1, &through));
	assert_ok(&h->town, check(&h->town, &h->terminal, batch, &entries, &count));
	struct checked_entry *sealed = &entries[1];
	assert_code(journal_payload_open(h->town.journal, NULL, sealed->header, sealed->payload,
	                                 sealed->envelope_packed, &h->town.arena, &plain, &h->town.e),
	            ERR_ABSENT);
	assert_code(journal_period_learn(h->town.journal, sealed->header, sealed->payload, &h->town.e), ERR_INVALID);
	assert_ok(&h->town, journal_period_learn(h->town.journal, entries[0].header, entries[0].payload, &h->town.e));
	assert_ok(&h->town, journal_payload_open(h->town.journal, NULL, sealed->header, sealed->payload,
	                                         sealed->envelope_packed, &h->town.arena, &plain, &h->town.e));
	assert_memory_equal(plain.data, "my name is Wang", plain.size);
	assert_code(journal_period_learn(stranger.journal, entries[0].header, entries[0].payload, &stranger.e),
	            ERR_ABSENT);
}

/* Somebody who announces periods under another's ids must not push the other's out of the cache. */
static void a_borrowed_period_id_hides_nothing(void **state)
{
	struct house *h = *state;
	struct checked_entry *entries;
	size_t count;
	uint64_t through;
	struct bytes plain;
	send_requests(h, 1);
	Lm__Batch *batch = wired(&h->town, load(&h->terminal, h->up, 1, &through));
	assert_ok(&h->town, check(&h->town, &h->terminal, batch, &entries, &count));
	Lm__Header other = *entries[0].header;
	for (uint64_t i = 0; i < 8; i++) {
		other.origin = entries[0].header->origin + 1 + i;
		assert_ok(&h->town, journal_period_learn(h->town.journal, &other, entries[0].payload, &h->town.e));
	}
	assert_ok(&h->town, journal_period_learn(h->town.journal, entries[0].header, entries[0].payload, &h->town.e));
	assert_ok(&h->town, journal_payload_open(h->town.journal, NULL, entries[1].header, entries[1].payload,
	                                         entries[1].envelope_packed, &h->town.arena, &plain, &h->town.e));
}

static void damaged_envelopes_and_payloads_are_absent(void **state)
{
	struct house *h = *state;
	struct checked_entry *entries;
	size_t count;
	uint64_t through;
	struct bytes plain;
	send_requests(h, 1);
	Lm__Batch *batch = wired(&h->town, load(&h->terminal, h->up, 1, &through));
	assert_ok(&h->town, check(&h->town, &h->terminal, batch, &entries, &count));
	journal_period_learn(h->town.journal, entries[0].header, entries[0].payload, &h->town.e);
	uint8_t *parts[] = { batch->entries[1]->payload.data, batch->entries[1]->envelope.data };
	size_t sizes[] = { batch->entries[1]->payload.len, batch->entries[1]->envelope.len };
	for (size_t part = 0; part < 2; part++)
		for (size_t at = 0; at < sizes[part]; at++) {
			parts[part][at] ^= 1;
			assert_code(journal_payload_open(h->town.journal, NULL, entries[1].header, entries[1].payload,
			                                 entries[1].envelope_packed, &h->town.arena, &plain,
			                                 &h->town.e),
			            ERR_ABSENT);
			parts[part][at] ^= 1;
		}
	for (size_t size = 0; size < sizes[0]; size++)
		assert_code(journal_payload_open(h->town.journal, NULL, entries[1].header, BYTES(parts[0], size),
		                                 entries[1].envelope_packed, &h->town.arena, &plain, &h->town.e),
		            ERR_ABSENT);
}

#define story(name) cmocka_unit_test_setup_teardown(name, seal_begin, seal_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(both_recipients_open_it_and_nobody_else),
		story(a_payload_opens_only_at_its_own_place),
		story(without_its_envelope_a_payload_is_absent_and_the_chain_stands),
		story(a_period_is_announced_before_its_first_use),
		story(after_a_thousand_uses_a_new_period_begins),
		story(new_recipients_get_a_new_period),
		story(the_opener_learns_of_a_period_before_it_is_stored),
		story(a_borrowed_period_id_hides_nothing),
		story(damaged_envelopes_and_payloads_are_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
