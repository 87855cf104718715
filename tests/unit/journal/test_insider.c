/*
 * Somebody with a daemon's own keys and its store, who would like the past to be another: what its own verify finds,
 * and what those find who hold copies. And a relay that does not pass on what it has, or passes on what it has made.
 */
#include "house.h"

#define ENTRIES 5
#define CHANGED 3 /* the entry that the insider changes */

/* Beside the terminal's `up` the town's `all`: a stream of its own that anybody may read. */
static int insider_begin(void **state)
{
	house_begin(state);
	struct house *h = *state;
	for (int i = 0; i < ENTRIES; i++)
		tell(&h->town, 1);
	turn_begin(&h->terminal);
	for (int i = 1; i < ENTRIES; i++) /* behind the notice of their period */
		request(&h->terminal, "a request");
	turn_commit(&h->terminal);
	assert_int_equal(carry(&h->terminal, &h->town, &h->terminal, h->up).placed, ENTRIES);
	return 0;
}

static int verify_all(struct house *h, struct party *p)
{
	struct journal_audit audit;
	return verify(p, (struct keyring){ { &h->terminal, &h->town, &h->hub } }, &audit);
}

/* ---- the insider's tool ---- */

static void row_put(struct party *p, const struct store_table *table, struct bytes key, const ProtobufCMessage *row)
{
	struct bytes packed;
	assert_ok(p, codec_pack(row, &p->arena, &packed, &p->e));
	assert_ok(p, store_put(p->txn, table, key, packed));
}

static ProtobufCBinaryData hash_data(struct party *p, const struct hash *hash)
{
	return codec_data(BYTES(arena_copy(&p->arena, hash, sizeof *hash), sizeof *hash));
}

static void heads_sign(struct party *p, const Lm__Header *header, const struct hash *entry, Lm__SignedHeads *heads)
{
	struct hash head, digest;
	uint8_t *signature = arena_alloc(&p->arena, SIGNATURE_BYTES);
	assert_ok(p, head_hash(header, entry, &head, &p->e));
	heads->hashes = hash_data(p, &head);
	assert_ok(p, heads_digest(heads, &digest, &p->e));
	assert_ok(p, sign_make(SUITE_INTERNATIONAL, p->keys.signing_secret, BYTES_OF(digest), signature, &p->e));
	heads->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
}

/* One item as the insider wants it: its payload, what it cites, and all that follows from them. */
static struct hash item_forge(struct party *p, struct line_key key, uint64_t ordinal, const struct hash *previous)
{
	uint8_t memory[8];
	uint64_t position;
	struct bytes packed;
	struct hash payload, hash;
	Lm__TapeItem *item = item_at(p, key, ordinal, &position);
	Lm__Header *header = header_of(p, item);
	if (ordinal == CHANGED)
		item->payload = codec_data(bytes_from_text("what never was"));
	struct bytes content = codec_bytes(item->payload);
	assert_ok(p, crypto_hash(SUITE_INTERNATIONAL, &content, 1, &payload, &p->e));
	header->payload_hash = hash_data(p, &payload);
	if (previous)
		header->previous_hash = hash_data(p, previous);
	assert_ok(p, CODEC_PACK(header, &p->arena, &packed, &p->e));
	item->header = codec_data(packed);
	assert_ok(p, entry_hash(packed, &hash, &p->e));
	if (item->heads)
		heads_sign(p, header, &hash, item->heads);
	struct writer w = writer_over(memory, sizeof memory);
	write_u64(&w, position);
	turn_begin(p);
	row_put(p, &journal_table_tape, BYTES(memory, sizeof memory), &item->base);
	turn_commit(p);
	return hash;
}

/* The line's row says where it stands, too; then the daemon starts as if nothing had been. */
static void line_forge(struct party *p, struct line_key key, const struct hash *hash)
{
	uint8_t memory[4];
	struct bytes value;
	Lm__LineState *row;
	struct writer w = writer_over(memory, sizeof memory);
	write_u32(&w, line_of(p, key)->number);
	turn_begin(p);
	assert_ok(p, store_get(p->txn, &journal_table_line, BYTES(memory, sizeof memory), &p->arena, &value));
	assert_ok(p, CODEC_UNPACK(lm__line_state, value, &p->arena, &row, &p->e));
	row->hash = hash_data(p, hash);
	row_put(p, &journal_table_line, BYTES(memory, sizeof memory), &row->base);
	turn_commit(p);
	party_restart(p);
}

static void past_forge(struct party *p, struct line_key key)
{
	struct hash hash = item_forge(p, key, CHANGED, NULL);
	for (uint64_t ordinal = CHANGED + 1; ordinal <= ENTRIES; ordinal++)
		hash = item_forge(p, key, ordinal, &hash);
	line_forge(p, key, &hash);
}

/* ---- what is found ---- */

static void the_past_of_others_cannot_be_signed(void **state)
{
	struct house *h = *state;
	assert_ok(&h->town, verify_all(h, &h->town));
	past_forge(&h->town, h->up);
	assert_code(verify_all(h, &h->town), ERR_DAMAGED);
	if (!strstr(h->town.e.text, "signature") && !strstr(h->town.e.text, "signed"))
		fail_msg("verify says \"%s\"", h->town.e.text);
	/* Nor can it be passed on: the district asks for the terminal's signature. */
	uint64_t through;
	struct checked_entry *entries;
	size_t count;
	Lm__Batch *batch = load(&h->town, h->up, 1, &through);
	assert_code(check(&h->hub, &h->terminal, batch, &entries, &count), ERR_BAD_SIGNATURE);
}

/* A node's own past it can sign anew, and its own verify is content: but not with those who have a copy. */
static void its_own_past_is_what_others_have_of_it(void **state)
{
	struct house *h = *state;
	assert_int_equal(carry(&h->town, &h->hub, &h->town, all_of(&h->town)).placed, ENTRIES);
	past_forge(&h->town, all_of(&h->town));
	assert_ok(&h->town, verify_all(h, &h->town));
	tell(&h->town, 1);
	struct taken next = carry(&h->town, &h->hub, &h->town, all_of(&h->town));
	assert_int_equal(next.placed, 0);
	assert_int_equal(next.fault, ERR_CLONE);
	assert_true(line_of(&h->hub, all_of(&h->town))->is_frozen);
	assert_ok(&h->hub, verify_all(h, &h->hub));
	assert_int_equal(quarantined(&h->hub), 1); /* what shows it, for an operator */
}

/* Who compares finds the entry, without waiting for the next. */
static void two_copies_that_differ_tell_where(void **state)
{
	struct house *h = *state;
	assert_int_equal(carry(&h->town, &h->hub, &h->town, all_of(&h->town)).placed, ENTRIES);
	past_forge(&h->town, all_of(&h->town));
	struct taken again = carry_from(&h->town, &h->hub, &h->town, all_of(&h->town), 1);
	assert_int_equal(again.fault, ERR_CLONE);
	assert_int_equal(again.duplicates, CHANGED - 1);
}

/* ---- a relay ---- */

static void what_a_relay_withholds_holds_up_the_rest(void **state)
{
	struct house *h = *state;
	uint64_t through;
	tell(&h->town, 1);
	take(&h->hub, &h->town, load(&h->town, all_of(&h->town), 1, &through));
	assert_int_equal(through, ENTRIES + 1);
	tell(&h->town, 1);
	tell(&h->town, 1);
	Lm__Batch *batch = load(&h->town, all_of(&h->town), through + 2, &through);
	assert_int_equal(take(&h->hub, &h->town, batch).fault, ERR_GAP);
	assert_int_equal(line_of(&h->hub, all_of(&h->town))->ordinal, ENTRIES + 1);
}

/* What comes of a terminal over its town is the terminal's, or nothing: the town's own signature is not enough. */
static void a_relay_cannot_write_for_another(void **state)
{
	struct house *h = *state;
	uint64_t through;
	struct checked_entry *entries;
	size_t count;
	Lm__Batch *batch = wired(&h->hub, load(&h->town, all_of(&h->town), 1, &through));
	batch->key->origin = h->terminal.device;
	batch->heads->origin = h->terminal.device;
	assert_code(check(&h->hub, &h->terminal, batch, &entries, &count), ERR_INVALID);
	for (size_t i = 0; i < batch->n_entries; i++) {
		Lm__Header *header;
		struct bytes packed;
		assert_ok(&h->hub, CODEC_UNPACK(lm__header, codec_bytes(batch->entries[i]->header), &h->hub.arena,
		                                &header, &h->hub.e));
		header->origin = h->terminal.device;
		struct hash hash;
		if (i) {
			assert_ok(&h->hub, entry_hash(codec_bytes(batch->entries[i - 1]->header), &hash, &h->hub.e));
			header->previous_hash = hash_data(&h->hub, &hash);
		}
		assert_ok(&h->hub, CODEC_PACK(header, &h->hub.arena, &packed, &h->hub.e));
		batch->entries[i]->header = codec_data(packed);
	}
	assert_code(check(&h->hub, &h->terminal, batch, &entries, &count), ERR_BAD_SIGNATURE);
}

#define story(name) cmocka_unit_test_setup_teardown(name, insider_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(the_past_of_others_cannot_be_signed), story(its_own_past_is_what_others_have_of_it),
		story(two_copies_that_differ_tell_where),   story(what_a_relay_withholds_holds_up_the_rest),
		story(a_relay_cannot_write_for_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
