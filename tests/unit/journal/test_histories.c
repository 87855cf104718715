/*
 * Incarnations: every process start begins one and cites where the last one ended. What a restored disk, and what two
 * machines with the same keys look like to those who have heard of them before.
 */
#include "rig.h"

struct house {
	struct party origin, relay, hub, clone;
	struct line_key all;
	bool has_clone;
};

static int house_begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	party_begin(&h->origin);
	party_begin(&h->relay);
	party_begin(&h->hub);
	h->all = all_of(&h->origin);
	*state = h;
	return 0;
}

static int house_end(void **state)
{
	struct house *h = *state;
	party_end(&h->origin);
	party_end(&h->relay);
	party_end(&h->hub);
	if (h->has_clone)
		party_end(&h->clone);
	free(h);
	return 0;
}

static struct taken pass_on(struct house *h)
{
	return carry(&h->origin, &h->relay, &h->origin, h->all);
}

/* `clone` wakes from the origin's disk as it is now. */
static void clone_wakes(struct house *h)
{
	party_image(&h->origin);
	party_clone(&h->origin, &h->clone);
	h->has_clone = true;
}

static void verified(struct house *h, struct party *p)
{
	struct journal_audit audit;
	assert_ok(p, verify(p, (struct keyring){ { &h->origin } }, &audit));
	assert_true(audit.signatures > 0);
}

/* An incarnation is signed by one set of keys. Those before are good for what they signed, and for nothing more. */
static void other_keys_begin_an_incarnation(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 3);
	assert_int_equal(pass_on(h).placed, 3);
	tell(&h->origin, 2); /* signed before the change, and passed on after it */
	clone_wakes(h);
	party_rotate(&h->origin);
	tell(&h->origin, 2);
	struct taken t = pass_on(h);
	assert_int_equal(t.fault, OK);
	assert_int_equal(t.placed, 4);
	assert_int_equal(line_of(&h->relay, h->all)->generation, 1);
	party_restart(&h->relay);
	assert_int_equal(line_of(&h->relay, h->all)->generation, 1);
	assert_int_equal(carry(&h->relay, &h->hub, &h->origin, h->all).placed, 7);
	verified(h, &h->hub);
	verified(h, &h->relay);

	/* Who still has the old keys, and knows what was written since, signs an entry that would follow. */
	struct taken old = carry(&h->origin, &h->clone, &h->origin, h->all);
	assert_int_equal(old.fault, OK);
	uint64_t head = line_of(&h->hub, h->all)->ordinal;
	struct taken again = carry_from(&h->origin, &h->hub, &h->origin, h->all, 1);
	assert_int_equal(again.fault, OK); /* what the old keys signed in their time is known, and acked again */
	assert_int_equal(again.duplicates, 7);
	tell(&h->clone, 1);
	struct taken forged = carry(&h->clone, &h->hub, &h->origin, h->all);
	assert_int_equal(forged.fault, ERR_BAD_SIGNATURE);
	assert_int_equal(forged.placed, 0);
	assert_int_equal(line_of(&h->hub, h->all)->ordinal, head);
	assert_false(line_of(&h->hub, h->all)->is_frozen);
	assert_int_equal(quarantined(&h->hub), 0);
	tell(&h->origin, 1); /* and the line goes on for who has the keys */
	assert_int_equal(pass_on(h).placed, 1);
	assert_int_equal(carry(&h->relay, &h->hub, &h->origin, h->all).placed, 1);
}

static void a_restart_goes_on_with_ordinals_in_a_new_incarnation(void **state)
{
	struct house *h = *state;
	uint64_t position, before = journal_incarnation(h->origin.journal);
	tell(&h->origin, 3);
	struct line last = *line_of(&h->origin, h->all);
	party_restart(&h->origin);
	assert_true(journal_incarnation(h->origin.journal) != before);
	assert_int_equal(line_of(&h->origin, h->all)->ordinal, 3);
	tell(&h->origin, 2);
	assert_int_equal(line_of(&h->origin, h->all)->ordinal, 5);
	Lm__Header *first = header_of(&h->origin, item_at(&h->origin, h->all, 4, &position));
	assert_int_equal(first->seq, 1);
	assert_non_null(first->parent);
	assert_int_equal(first->parent->incarnation, before);
	assert_int_equal(first->parent->seq, 3);
	assert_memory_equal(first->parent->hash.data, last.hash.byte, HASH_BYTES);
	assert_null(header_of(&h->origin, item_at(&h->origin, h->all, 5, &position))->parent);

	struct taken t = pass_on(h);
	assert_int_equal(t.placed, 5);
	assert_int_equal(t.rollbacks, 0);
	assert_int_equal(carry(&h->relay, &h->hub, &h->origin, h->all).placed, 5);
	verified(h, &h->hub);
}

static void positions_translate_across_five_incarnations(void **state)
{
	struct house *h = *state;
	uint64_t incarnation[5], ordinal, found, seq, incarnations[8], seqs[8];
	size_t count;
	bool is_exact;
	for (int life = 0; life < 5; life++) {
		if (life)
			party_restart(&h->origin);
		incarnation[life] = journal_incarnation(h->origin.journal);
		tell(&h->origin, life + 1); /* ordinals 1 | 2 3 | 4 5 6 | 7 … 10 | 11 … 15 */
	}
	pass_on(h);
	struct party *both[] = { &h->origin, &h->relay };
	for (size_t i = 0; i < 2; i++) {
		uint32_t line = line_of(both[i], h->all)->number;
		struct store_txn *txn = snapshot(both[i]);
		for (uint64_t life = 0, at = 1; life < 5; life++)
			for (uint64_t k = 1; k <= life + 1; k++, at++) {
				assert_ok(both[i], journal_coordinates(txn, line, at, &found, &seq));
				assert_true(found == incarnation[life] && seq == k);
				assert_ok(both[i],
				          journal_locate(txn, line, incarnation[life], k, &ordinal, &is_exact));
				assert_true(ordinal == at && is_exact);
			}
		assert_ok(both[i], journal_locate(txn, line, incarnation[1], 99, &ordinal, &is_exact));
		assert_true(ordinal == 3 && !is_exact);
		assert_ok(both[i], journal_locate(txn, line, incarnation[4], 99, &ordinal, &is_exact));
		assert_true(ordinal == 15 && !is_exact);
		assert_code(journal_locate(txn, line, 12345, 1, &ordinal, &is_exact), ERR_NOT_FOUND);
		assert_code(journal_coordinates(txn, line, 0, &found, &seq), ERR_NOT_FOUND);
		assert_code(journal_locate(txn, line + 1, incarnation[0], 1, &ordinal, &is_exact), ERR_NOT_FOUND);
		assert_ok(both[i], journal_ends(txn, line, 3, incarnations, seqs, &count));
		assert_int_equal(count, 3);
		assert_true(incarnations[0] == incarnation[4] && seqs[0] == 5);
		assert_true(incarnations[2] == incarnation[2] && seqs[2] == 3);
		assert_ok(both[i], journal_ends(txn, line, 8, incarnations, seqs, &count));
		assert_int_equal(count, 5);
		assert_ok(both[i], journal_ends(txn, line + 1, 8, incarnations, seqs, &count));
		assert_int_equal(count, 0);
		store_abort(txn);
	}
}

static void entries_of_an_old_incarnation_are_duplicates(void **state)
{
	struct house *h = *state;
	uint64_t through;
	tell(&h->origin, 4);
	Lm__Batch *old = load(&h->origin, h->all, 1, &through);
	party_restart(&h->origin);
	tell(&h->origin, 2);
	pass_on(h);
	struct taken t = take(&h->relay, &h->origin, old);
	assert_int_equal(t.duplicates, 4);
	assert_false(line_of(&h->relay, h->all)->is_frozen);
}

static void a_parent_that_has_not_come_is_a_gap(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 4);
	party_restart(&h->origin);
	tell(&h->origin, 1);
	/* The first incarnation in part, then the second. */
	uint64_t through;
	assert_int_equal(carry_from(&h->origin, &h->relay, &h->origin, h->all, 5).fault, ERR_GAP);
	Lm__Batch *first = load(&h->origin, h->all, 1, &through);
	assert_int_equal(through, 4); /* a message does not reach over the end of an incarnation */
	take(&h->relay, &h->origin, first);
	assert_int_equal(carry_from(&h->origin, &h->relay, &h->origin, h->all, 5).placed, 1);
}

static void a_restored_disk_is_a_rollback_and_is_counted(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 3);
	party_image(&h->origin);
	tell(&h->origin, 2); /* two that the restored disk will not remember */
	uint64_t lost = journal_incarnation(h->origin.journal);
	pass_on(h);
	party_restore(&h->origin);
	assert_int_equal(line_of(&h->origin, h->all)->ordinal, 3);
	tell(&h->origin, 2);

	struct taken t = pass_on(h);
	assert_int_equal(t.rollbacks, 1);
	assert_int_equal(t.placed, 2);
	const struct line *line = line_of(&h->relay, h->all);
	assert_int_equal(line->ordinal, 7); /* 5, of which two only others remember, and 2 */
	assert_int_equal(line->rollbacks, 1);
	assert_int_equal(line->closed_incarnation, lost);
	assert_int_equal(line->closed_seq, 5);
	assert_false(line->is_frozen);
	verified(h, &h->relay);

	/* The hub hears all of it from the relay, and comes to the same. */
	t = carry(&h->relay, &h->hub, &h->origin, h->all);
	assert_int_equal(t.placed, 7);
	assert_int_equal(t.rollbacks, 1);
	assert_memory_equal(line_of(&h->hub, h->all)->hash.byte, line->hash.byte, HASH_BYTES);
	verified(h, &h->hub);

	party_restart(&h->relay);
	assert_int_equal(line_of(&h->relay, h->all)->rollbacks, 1);
	assert_int_equal(line_of(&h->relay, h->all)->closed_seq, 5);
}

/* The later branch cites an entry that the hub knows, too: that a message before it was lost, only the relay can tell.
 */
static void a_message_lost_before_a_rollback_is_a_gap(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 3);
	party_image(&h->origin);
	pass_on(h);
	carry(&h->relay, &h->hub, &h->origin, h->all);
	tell(&h->origin, 2);
	pass_on(h);
	party_restore(&h->origin);
	tell(&h->origin, 1);
	assert_int_equal(pass_on(h).rollbacks, 1);

	struct taken t = carry_from(&h->relay, &h->hub, &h->origin, h->all, 6);
	assert_int_equal(t.fault, ERR_GAP);
	assert_int_equal(line_of(&h->hub, h->all)->ordinal, 3);
	t = carry(&h->relay, &h->hub, &h->origin, h->all);
	assert_true(t.placed == 3 && t.rollbacks == 1);
	assert_memory_equal(line_of(&h->hub, h->all)->hash.byte, line_of(&h->relay, h->all)->hash.byte, HASH_BYTES);
	verified(h, &h->hub);
}

static void a_disk_from_before_the_first_entry_is_a_rollback(void **state)
{
	struct house *h = *state;
	party_image(&h->origin);
	tell(&h->origin, 2);
	pass_on(h);
	party_restore(&h->origin);
	tell(&h->origin, 2);
	struct taken t = carry_from(&h->origin, &h->relay, &h->origin, h->all, 1);
	assert_true(t.placed == 2 && t.rollbacks == 1);
	assert_false(line_of(&h->relay, h->all)->is_frozen);
	verified(h, &h->relay);
	/* To who has nothing yet the second part looks like the first: but the relay says what comes before it. */
	assert_int_equal(carry_from(&h->relay, &h->hub, &h->origin, h->all, 3).fault, ERR_GAP);
	assert_null(line_of(&h->hub, h->all));
	assert_int_equal(carry(&h->relay, &h->hub, &h->origin, h->all).placed, 4);
	verified(h, &h->hub);
}

static void beyond_the_end_of_a_closed_incarnation_is_a_clone(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 3);
	clone_wakes(h);
	tell(&h->origin, 1);
	pass_on(h);
	tell(&h->clone, 2); /* the clone goes on behind 3: to the relay a rollback */
	assert_int_equal(carry(&h->clone, &h->relay, &h->origin, h->all).rollbacks, 1);
	tell(&h->origin, 1); /* but the first machine lives, too */

	struct taken t = carry_from(&h->origin, &h->relay, &h->origin, h->all, 5);
	assert_int_equal(t.fault, ERR_CLONE);
	assert_true(line_of(&h->relay, h->all)->is_frozen);
	assert_int_equal(line_of(&h->relay, h->all)->ordinal, 6);
	assert_int_equal(quarantined(&h->relay), 1);

	/* Both are frozen: neither history is taken any further, and it stays so. */
	tell(&h->clone, 1);
	assert_int_equal(carry_from(&h->clone, &h->relay, &h->origin, h->all, 6).fault, ERR_FROZEN);
	assert_int_equal(quarantined(&h->relay), 2);
	party_restart(&h->relay);
	assert_true(line_of(&h->relay, h->all)->is_frozen);
	assert_non_null(strstr(line_of(&h->relay, h->all)->frozen_why, "two histories"));
}

static void two_machines_behind_one_parent_are_found_out(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 3);
	clone_wakes(h);
	party_restart(&h->origin);
	tell(&h->origin, 1);
	tell(&h->clone, 1);
	pass_on(h);
	/* Both cite the third entry: the second that comes looks like a rollback … */
	assert_int_equal(carry_from(&h->clone, &h->relay, &h->origin, h->all, 4).rollbacks, 1);
	/* … until the first one goes on. */
	tell(&h->origin, 1);
	assert_int_equal(carry_from(&h->origin, &h->relay, &h->origin, h->all, 5).fault, ERR_CLONE);
}

static void a_parent_beyond_the_end_of_a_left_incarnation_is_a_clone(void **state)
{
	struct house *h = *state;
	tell(&h->origin, 3);
	clone_wakes(h);
	pass_on(h);
	tell(&h->clone, 1);
	carry(&h->clone, &h->relay, &h->origin, h->all); /* a fourth that follows the third */
	tell(&h->origin, 1); /* another fourth, in the incarnation that the relay takes for left */
	party_restart(&h->origin);
	tell(&h->origin, 1);
	assert_int_equal(carry_from(&h->origin, &h->relay, &h->origin, h->all, 5).fault, ERR_CLONE);
}

/* An entry as the origin would sign it at a place of our choice: what a copied memory image would send. */
static Lm__Batch *forge(struct party *origin, struct party *at, uint64_t incarnation, uint64_t seq,
                        const struct hash *previous, const char *text)
{
	Lm__Batch *batch = arena_alloc(&at->arena, sizeof *batch);
	Lm__StreamKey *key = arena_alloc(&at->arena, sizeof *key);
	Lm__Entry *entry = arena_alloc(&at->arena, sizeof *entry), **entries = arena_alloc(&at->arena, sizeof *entries);
	Lm__SignedHeads *heads = arena_alloc(&at->arena, sizeof *heads);
	struct hash *hash = arena_alloc(&at->arena, 3 * sizeof *hash), digest;
	uint8_t *signature = arena_alloc(&at->arena, SIGNATURE_BYTES);
	Lm__Header header = LM__HEADER__INIT;
	struct bytes packed, payload = bytes_from_text(text);
	lm__batch__init(batch);
	lm__stream_key__init(key);
	lm__entry__init(entry);
	lm__signed_heads__init(heads);
	header.suite = SUITE_INTERNATIONAL;
	header.origin = key->origin = heads->origin = origin->device;
	header.stream = key->stream = LM__STREAM__STREAM_ALL;
	header.kind = LM__KIND__KIND_DEVICE;
	header.incarnation = incarnation;
	header.seq = seq;
	header.previous_hash = codec_data(BYTES(previous->byte, HASH_BYTES));
	assert_ok(at, crypto_hash(SUITE_INTERNATIONAL, &payload, 1, &hash[0], &at->e));
	header.payload_hash = codec_data(BYTES_OF(hash[0]));
	assert_ok(at, CODEC_PACK(&header, &at->arena, &packed, &at->e));
	assert_ok(at, entry_hash(packed, &hash[1], &at->e));
	assert_ok(at, head_hash(&header, &hash[1], &hash[2], &at->e));
	entry->header = codec_data(packed);
	entry->payload = codec_data(payload);
	heads->suite = SUITE_INTERNATIONAL;
	heads->hashes = codec_data(BYTES_OF(hash[2]));
	assert_ok(at, heads_digest(heads, &digest, &at->e));
	assert_ok(at, sign_make(SUITE_INTERNATIONAL, origin->keys.signing_secret, BYTES_OF(digest), signature, &at->e));
	heads->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
	entries[0] = entry;
	*batch = (Lm__Batch){ .base = batch->base, .key = key, .n_entries = 1, .entries = entries, .heads = heads };
	return batch;
}

static void the_same_position_with_another_hash_is_a_clone(void **state)
{
	struct house *h = *state;
	uint64_t position;
	tell(&h->origin, 4);
	pass_on(h);
	uint64_t incarnation = journal_incarnation(h->origin.journal);
	struct hash second;
	assert_ok(&h->origin,
	          entry_hash(codec_bytes(item_at(&h->origin, h->all, 2, &position)->header), &second, &h->origin.e));
	struct taken t =
	        take(&h->relay, &h->origin, forge(&h->origin, &h->relay, incarnation, 3, &second, "another third"));
	assert_int_equal(t.fault, ERR_CLONE);
	assert_true(line_of(&h->relay, h->all)->is_frozen);
	assert_int_equal(quarantined(&h->relay), 1);
	/* Said again it fills nothing. */
	t = take(&h->relay, &h->origin, forge(&h->origin, &h->relay, incarnation, 3, &second, "another third"));
	assert_int_equal(t.fault, ERR_FROZEN);
	assert_int_equal(quarantined(&h->relay), 1);
}

static void a_next_entry_that_cites_another_head_is_a_clone(void **state)
{
	struct house *h = *state;
	struct hash nowhere = { { 7 } };
	tell(&h->origin, 2);
	pass_on(h);
	struct taken t =
	        take(&h->relay, &h->origin,
	             forge(&h->origin, &h->relay, journal_incarnation(h->origin.journal), 3, &nowhere, "third"));
	assert_int_equal(t.fault, ERR_CLONE);
}

static void an_operator_lets_a_frozen_line_go_on(void **state)
{
	struct house *h = *state;
	struct hash nowhere = { { 7 } };
	tell(&h->origin, 2);
	pass_on(h);
	take(&h->relay, &h->origin,
	     forge(&h->origin, &h->relay, journal_incarnation(h->origin.journal), 3, &nowhere, "third"));
	tell(&h->origin, 1);
	assert_int_equal(pass_on(h).fault, ERR_FROZEN);
	assert_ok(&h->relay, journal_unfreeze(h->relay.journal, line_of(&h->relay, h->all)->number));
	turn_begin(&h->relay);
	turn_commit(&h->relay);
	party_restart(&h->relay);
	assert_int_equal(pass_on(h).placed, 1);
}

static void a_rolled_back_freeze_is_none(void **state)
{
	struct house *h = *state;
	struct hash nowhere = { { 7 } };
	tell(&h->origin, 2);
	pass_on(h);
	turn_begin(&h->relay);
	struct taken t = take_in_turn(
	        &h->relay, &h->origin,
	        forge(&h->origin, &h->relay, journal_incarnation(h->origin.journal), 3, &nowhere, "third"));
	assert_int_equal(t.fault, ERR_CLONE);
	turn_abort(&h->relay);
	assert_false(line_of(&h->relay, h->all)->is_frozen);
	assert_int_equal(quarantined(&h->relay), 0);
}

static void a_beginning_that_cites_something_is_a_clone(void **state)
{
	struct house *h = *state;
	struct hash none = { { 0 } };
	tell(&h->origin, 2);
	pass_on(h);
	Lm__Batch *batch = forge(&h->origin, &h->relay, 4711, 1, &none, "in the beginning");
	assert_int_equal(take(&h->relay, &h->origin, batch).fault, ERR_CLONE);
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(other_keys_begin_an_incarnation),
		story(a_restart_goes_on_with_ordinals_in_a_new_incarnation),
		story(positions_translate_across_five_incarnations),
		story(entries_of_an_old_incarnation_are_duplicates),
		story(a_parent_that_has_not_come_is_a_gap),
		story(a_restored_disk_is_a_rollback_and_is_counted),
		story(beyond_the_end_of_a_closed_incarnation_is_a_clone),
		story(two_machines_behind_one_parent_are_found_out),
		story(a_parent_beyond_the_end_of_a_left_incarnation_is_a_clone),
		story(the_same_position_with_another_hash_is_a_clone),
		story(a_next_entry_that_cites_another_head_is_a_clone),
		story(an_operator_lets_a_frozen_line_go_on),
		story(a_rolled_back_freeze_is_none),
		story(a_beginning_that_cites_something_is_a_clone),
		story(a_message_lost_before_a_rollback_is_a_gap),
		story(a_disk_from_before_the_first_entry_is_a_rollback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
