/*
 * A request's way: a terminal appends it, its town takes and keeps it, passes it on unchanged, the district verifies
 * it. And what of a message does not pass.
 */
#include "house.h"

static void a_request_reaches_the_district_as_it_was_packed(void **state)
{
	struct house *h = *state;
	struct line_key up = up_of(&h->terminal);
	turn_begin(&h->terminal);
	struct placed first = request(&h->terminal, "a wheelchair"), second = request(&h->terminal, "a ramp");
	turn_commit(&h->terminal);
	assert_int_equal(first.ordinal, 2); /* behind the notice of the key period */
	assert_int_equal(second.ordinal, 3);

	assert_int_equal(carry(&h->terminal, &h->town, &h->terminal, up).placed, 3);
	assert_int_equal(carry(&h->town, &h->hub, &h->terminal, up).placed, 3);
	for (uint64_t ordinal = 1; ordinal <= 3; ordinal++) {
		uint64_t here, there;
		Lm__TapeItem *sent = item_at(&h->terminal, up, ordinal, &here),
		             *come = item_at(&h->hub, up, ordinal, &there);
		assert_true(bytes_equal(codec_bytes(sent->header), codec_bytes(come->header)));
		assert_true(bytes_equal(codec_bytes(sent->payload), codec_bytes(come->payload)));
	}
	assert_opens(&h->town, up, 2, "a wheelchair");
	assert_opens(&h->hub, up, 3, "a ramp");
	assert_memory_equal(line_of(&h->hub, up)->hash.byte, second.hash.byte, HASH_BYTES);
}

static void entries_are_chained_and_the_commit_signed_once(void **state)
{
	struct house *h = *state;
	tell(&h->hub, 3);
	struct hash before = { 0 };
	struct line_key all = all_of(&h->hub);
	for (uint64_t ordinal = 1; ordinal <= 3; ordinal++) {
		uint64_t position;
		Lm__TapeItem *item = item_at(&h->hub, all, ordinal, &position);
		Lm__Header *header = header_of(&h->hub, item);
		assert_int_equal(header->seq, ordinal);
		assert_int_equal(header->incarnation, journal_incarnation(h->hub.journal));
		if (ordinal > 1)
			assert_memory_equal(header->previous_hash.data, before.byte, HASH_BYTES);
		else
			assert_int_equal(header->previous_hash.len, 0);
		assert_int_equal(item->heads != NULL, ordinal == 3);
		assert_ok(&h->hub, entry_hash(codec_bytes(item->header), &before, &h->hub.e));
	}
	struct journal_audit audit;
	assert_ok(&h->hub, verify(&h->hub, (struct keyring){ { &h->hub } }, &audit));
	assert_int_equal(audit.items, 3);
	assert_int_equal(audit.signatures, 1);
}

static void the_callers_header_tells_what_was_written(void **state)
{
	struct house *h = *state;
	Lm__Header header = LM__HEADER__INIT;
	struct draft draft = { .stream = LM__STREAM__STREAM_ALL, .header = &header, .payload = bytes_from_text("x") };
	struct placed first, second;
	header.kind = LM__KIND__KIND_DEVICE;
	turn_begin(&h->hub);
	assert_ok(&h->hub, journal_append(h->hub.journal, &draft, &first, &h->hub.e));
	assert_ok(&h->hub, journal_append(h->hub.journal, &draft, &second, &h->hub.e));
	/* The line's head has moved on; the header still cites the entry before it. */
	assert_memory_equal(header.previous_hash.data, first.hash.byte, HASH_BYTES);
	turn_commit(&h->hub);
}

static void what_came_is_a_duplicate_within_its_turn_and_after_it(void **state)
{
	struct house *h = *state;
	uint64_t through;
	struct line_key all = all_of(&h->hub);
	tell(&h->hub, 5);
	Lm__Batch *batch = load(&h->hub, all, 1, &through);
	turn_begin(&h->town);
	assert_int_equal(take_in_turn(&h->town, &h->hub, batch).placed, 5);
	struct taken again = take_in_turn(&h->town, &h->hub, batch);
	turn_commit(&h->town);
	assert_int_equal(again.duplicates, 5);
	assert_int_equal(again.fault, OK);
	assert_int_equal(take(&h->town, &h->hub, batch).duplicates, 5);
	assert_false(line_of(&h->town, all)->is_frozen);
	assert_int_equal(line_of(&h->town, all)->ordinal, 5);
}

static void a_gap_places_nothing(void **state)
{
	struct house *h = *state;
	uint64_t through;
	struct line_key all = all_of(&h->hub);
	tell(&h->hub, 1);
	tell(&h->hub, 1);
	tell(&h->hub, 2);
	assert_int_equal(take(&h->town, &h->hub, load(&h->hub, all, 3, &through)).fault, ERR_GAP);
	assert_null(line_of(&h->town, all)); /* nor is a line made of what cannot be placed */
	take(&h->town, &h->hub,
	     load(&h->hub, all, 1, &through)); /* all four, in messages of a commit each or together */
	assert_int_equal(line_of(&h->town, all)->ordinal, through);
}

static void a_batch_ends_at_a_signed_head_whatever_its_limits(void **state)
{
	struct house *h = *state;
	Lm__Batch *batch;
	uint64_t through;
	uint32_t bytes;
	tell(&h->hub, 7);
	tell(&h->hub, 7);
	struct store_txn *txn = snapshot(&h->hub);
	const struct line *line = line_of(&h->hub, all_of(&h->hub));
	assert_ok(&h->hub, journal_load(txn, line, 1, 3, 1 << 20, &h->hub.arena, &batch, &through, &bytes, &h->hub.e));
	assert_int_equal(through, 7);
	assert_ok(&h->hub, journal_load(txn, line, 1, 9, 1 << 20, &h->hub.arena, &batch, &through, &bytes, &h->hub.e));
	assert_int_equal(through, 7);
	assert_ok(&h->hub, journal_load(txn, line, 8, 256, 1, &h->hub.arena, &batch, &through, &bytes, &h->hub.e));
	assert_int_equal(through, 14);
	assert_ok(&h->hub,
	          journal_load(txn, line, 15, 256, 1 << 20, &h->hub.arena, &batch, &through, &bytes, &h->hub.e));
	assert_int_equal(through, 14);
	store_abort(txn);
}

static void a_turn_of_two_thousand_entries_can_still_be_sent(void **state)
{
	struct house *h = *state;
	tell(&h->hub, 2000);
	assert_int_equal(carry(&h->hub, &h->town, &h->hub, all_of(&h->hub)).placed, 2000);
	struct journal_audit audit;
	assert_ok(&h->town, verify(&h->town, (struct keyring){ { &h->hub } }, &audit));
	assert_int_equal(audit.items, 2000);
}

static void heavy_entries_of_one_turn_can_still_be_sent(void **state)
{
	struct house *h = *state;
	static char heavy[500 * 1024];
	struct placed placed;
	memset(heavy, 'x', sizeof heavy);
	turn_begin(&h->hub);
	for (int i = 0; i < 6; i++)
		assert_ok(&h->hub, try_append(&h->hub, LM__KIND__KIND_DEVICE, LM__STREAM__STREAM_ALL, 0,
		                              BYTES(heavy, sizeof heavy), false, &placed));
	turn_commit(&h->hub);
	assert_int_equal(carry(&h->hub, &h->town, &h->hub, all_of(&h->hub)).placed, 6);
}

static void what_no_receiver_would_take_is_not_appended(void **state)
{
	struct house *h = *state;
	static char huge[600 * 1024];
	struct placed placed;
	struct bytes text = bytes_from_text("in clear");
	turn_begin(&h->terminal);
	assert_code(try_append(&h->terminal, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, 0, text, false, &placed),
	            ERR_INTERNAL);
	assert_code(try_append(&h->terminal, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, 0, BYTES(huge, sizeof huge),
	                       true, &placed),
	            ERR_TOO_BIG);
	assert_code(try_append(&h->hub, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, 0, text, true, &placed),
	            ERR_NOT_READY);
	Lm__Header header = LM__HEADER__INIT;
	header.kind = LM__KIND__KIND_REQUEST;
	header.request_id = codec_data(bytes_from_text("short"));
	struct draft draft = { .stream = LM__STREAM__STREAM_UP, .header = &header, .payload = text, .is_sealed = true };
	assert_code(journal_append(h->terminal.journal, &draft, &placed, &h->terminal.e), ERR_INVALID);
	turn_commit(&h->terminal);
	assert_int_equal(journal_position(h->terminal.journal), 0);
}

/* ---- what entries_check refuses ---- */

static int check_code(struct house *h, const Lm__Batch *batch, const struct party *origin)
{
	struct checked_entry *entries;
	size_t count;
	return check(&h->town, origin, batch, &entries, &count);
}

/* A message of four entries, in town's memory, free to be tampered with. */
static Lm__Batch *message(struct house *h)
{
	uint64_t through;
	turn_begin(&h->terminal);
	for (int i = 0; i < 3; i++)
		request(&h->terminal, "a request that somebody would like to be another");
	turn_commit(&h->terminal);
	Lm__Batch *batch = wired(&h->town, load(&h->terminal, up_of(&h->terminal), 1, &through));
	assert_int_equal(batch->n_entries, 4);
	assert_code(check_code(h, batch, &h->terminal), OK);
	return batch;
}

static bool is_refusal(int code)
{
	return code == ERR_INVALID || code == ERR_BAD_SIGNATURE;
}

static void a_message_signed_by_another_key_is_refused(void **state)
{
	struct house *h = *state;
	assert_code(check_code(h, message(h), &h->town), ERR_BAD_SIGNATURE);
}

static void any_flipped_bit_is_refused(void **state)
{
	struct house *h = *state;
	Lm__Batch *batch = message(h);
	for (size_t i = 0; i < batch->n_entries; i++) {
		ProtobufCBinaryData *parts[] = { &batch->entries[i]->header, &batch->entries[i]->payload,
			                         &batch->entries[i]->envelope };
		for (size_t part = 0; part < 3; part++)
			for (size_t at = 0; at < parts[part]->len; at += 3) {
				parts[part]->data[at] ^= 0x04;
				if (!is_refusal(check_code(h, batch, &h->terminal)) &&
				    check_code(h, batch, &h->terminal) != ERR_VERSION) /* the suite's own byte */
					fail_msg("entry %zu, part %zu, byte %zu passed", i, part, at);
				parts[part]->data[at] ^= 0x04;
			}
	}
	ProtobufCBinaryData *signed_parts[] = { &batch->heads->hashes, &batch->heads->signature };
	for (size_t part = 0; part < 2; part++)
		for (size_t at = 0; at < signed_parts[part]->len; at++) {
			signed_parts[part]->data[at] ^= 0x80;
			assert_code(check_code(h, batch, &h->terminal), ERR_BAD_SIGNATURE);
			signed_parts[part]->data[at] ^= 0x80;
		}
	assert_code(check_code(h, batch, &h->terminal), OK);
}

static void truncated_and_reordered_messages_are_refused(void **state)
{
	struct house *h = *state;
	Lm__Batch *batch = message(h);
	batch->n_entries = 3;
	assert_code(check_code(h, batch, &h->terminal), ERR_BAD_SIGNATURE);
	batch->n_entries = 0;
	assert_code(check_code(h, batch, &h->terminal), ERR_INVALID);
	batch->n_entries = 4;
	Lm__Entry *second = batch->entries[1];
	batch->entries[1] = batch->entries[2];
	batch->entries[2] = second;
	assert_code(check_code(h, batch, &h->terminal), ERR_INVALID);
	batch->entries[2] = batch->entries[1]; /* one twice, one left out */
	batch->entries[1] = second;
	batch->entries[2] = second;
	assert_code(check_code(h, batch, &h->terminal), ERR_INVALID);
}

static void a_message_for_another_stream_is_refused(void **state)
{
	struct house *h = *state;
	Lm__Batch *batch = message(h);
	Lm__SignedHeads *heads = batch->heads;
	batch->key->origin ^= 1;
	assert_code(check_code(h, batch, &h->terminal), ERR_INVALID);
	batch->key->origin ^= 1;
	batch->key->stream = LM__STREAM__STREAM_DOWN;
	assert_code(check_code(h, batch, &h->terminal), ERR_INVALID);
	batch->key->stream = LM__STREAM__STREAM_UP;
	batch->heads = NULL;
	assert_code(check_code(h, batch, &h->terminal), ERR_BAD_SIGNATURE);
	batch->heads = heads;
	heads->origin ^= 1;
	assert_code(check_code(h, batch, &h->terminal), ERR_BAD_SIGNATURE);
	heads->origin ^= 1;
	batch->key = NULL;
	assert_code(check_code(h, batch, &h->terminal), ERR_INVALID);
}

/* One thing at a time that a header may not say; nothing of it is looked at in a store. */
static void each_part_of_a_message_is_looked_at(void **state)
{
	struct house *h = *state;
	struct party *t = &h->terminal;
	uint8_t short_hash[3] = { 0 };
	struct checked_entry *entries;
	size_t count;
	uint64_t through;
	turn_begin(t);
	request(t, "one");
	request(t, "two");
	turn_commit(t);
	for (int which = 0; which < 17; which++) {
		Lm__Batch *batch = wired(t, load(t, h->up, 1, &through));
		Lm__Entry *entry = batch->entries[1];
		Lm__Header *header;
		struct bytes packed;
		int want = which == 0 ? ERR_VERSION : which < 11 ? ERR_INVALID : ERR_BAD_SIGNATURE;
		assert_ok(t, CODEC_UNPACK(lm__header, codec_bytes(entry->header), &t->arena, &header, &t->e));
		switch (which) {
		case 0:
			header->suite = 2;
			break;
		case 1:
			header->origin++;
			break;
		case 2:
			header->stream = LM__STREAM__STREAM_ALL;
			break;
		case 3:
			header->receiver = 7;
			break;
		case 4:
			header->seq = 0;
			break;
		case 5:
			header->incarnation = 0;
			break;
		case 6:
			header->request_id = codec_data(BYTES_OF(short_hash));
			break;
		case 7:
			header->previous_hash = codec_data(BYTES_OF(short_hash));
			break;
		case 8:
			header->previous_hash.len = 0;
			break;
		case 9:
			header->payload_hash = codec_data(BYTES_OF(short_hash));
			break;
		case 10:
			batch->n_entries = 1000000; /* nobody looks further */
			break;
		case 11:
			batch->heads = NULL;
			break;
		case 12:
			batch->heads->origin++;
			break;
		case 13:
			batch->heads->signature.len--;
			break;
		case 14:
			batch->heads->hashes.len--;
			break;
		case 15:
			batch->heads->suite = 256;
			break;
		default:
			batch->heads->hashes.len = 0;
		}
		assert_ok(t, CODEC_PACK(header, &t->arena, &packed, &t->e));
		if (which < 10)
			entry->header = codec_data(packed);
		int result = entries_check(batch, t->keys.signing_public, &t->arena, &entries, &count, &t->e);
		if (result != want)
			fail_msg("change %d: %s instead of %s", which, error_name(result), error_name(want));
	}
}

static void what_never_leaves_a_node_is_not_taken(void **state)
{
	struct house *h = *state;
	struct placed placed;
	uint64_t through;
	turn_begin(&h->terminal);
	assert_ok(&h->terminal, try_append(&h->terminal, LM__KIND__KIND_ACCOUNT, LM__STREAM__STREAM_OWN, 0,
	                                   bytes_from_text("secret"), false, &placed));
	turn_commit(&h->terminal);
	struct line_key own = { h->terminal.device, LM__STREAM__STREAM_OWN, 0 };
	assert_code(check_code(h, load(&h->terminal, own, 1, &through), &h->terminal), ERR_INVALID);
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_request_reaches_the_district_as_it_was_packed),
		story(entries_are_chained_and_the_commit_signed_once),
		story(the_callers_header_tells_what_was_written),
		story(what_came_is_a_duplicate_within_its_turn_and_after_it),
		story(a_gap_places_nothing),
		story(a_batch_ends_at_a_signed_head_whatever_its_limits),
		story(a_turn_of_two_thousand_entries_can_still_be_sent),
		story(heavy_entries_of_one_turn_can_still_be_sent),
		story(what_no_receiver_would_take_is_not_appended),
		story(a_message_signed_by_another_key_is_refused),
		story(any_flipped_bit_is_refused),
		story(truncated_and_reordered_messages_are_refused),
		story(a_message_for_another_stream_is_refused),
		story(each_part_of_a_message_is_looked_at),
		story(what_never_leaves_a_node_is_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
