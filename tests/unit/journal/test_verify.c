/*
 * journal_verify: whoever can write the store (its seal is no secret on a kiosk) still cannot change the journal
 * without being noticed. Rows are changed beneath the journal, properly sealed by the store.
 */
#include "rig.h"

struct house {
	struct party hub, town;
	struct line_key all;
};

static int house_begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	party_begin(&h->hub);
	party_begin(&h->town);
	h->all = all_of(&h->hub);
	tell(&h->hub, 3);
	tell(&h->hub, 2);
	carry(&h->hub, &h->town, &h->hub, h->all);
	*state = h;
	return 0;
}

static int house_end(void **state)
{
	struct house *h = *state;
	party_end(&h->hub);
	party_end(&h->town);
	free(h);
	return 0;
}

static int verify_town(struct house *h)
{
	struct journal_audit audit;
	return verify(&h->town, (struct keyring){ { &h->hub } }, &audit);
}

static void says(struct party *p, const char *words)
{
	if (!strstr(p->e.text, words))
		fail_msg("\"%s\" does not say \"%s\"", p->e.text, words);
}

static struct bytes position_key(uint64_t position, uint8_t key[8])
{
	struct writer w = writer_over(key, 8);
	write_u64(&w, position);
	return BYTES(key, 8);
}

static void item_put(struct house *h, uint64_t position, const Lm__TapeItem *item)
{
	uint8_t key[8];
	struct bytes packed;
	assert_ok(&h->town, CODEC_PACK(item, &h->town.arena, &packed, &h->town.e));
	turn_begin(&h->town);
	assert_ok(&h->town, store_put(h->town.txn, &journal_table_tape, position_key(position, key), packed));
	turn_commit(&h->town);
}

/* Flips one bit of a field of the third entry, looks, and puts it back. */
static void flipped(struct house *h, ProtobufCBinaryData *(*field)(Lm__TapeItem *item))
{
	uint64_t position;
	uint8_t *at;
	Lm__TapeItem *item = item_at(&h->town, h->all, 5, &position);
	ProtobufCBinaryData *data = field(item);
	assert_true(data->len > 0);
	for (size_t i = 0; i < data->len; i += 7) {
		at = &data->data[i];
		*at ^= 0x10;
		item_put(h, position, item);
		if (verify_town(h) != ERR_DAMAGED)
			fail_msg("byte %zu of %zu: not noticed", i, data->len);
		says(&h->town, "entry 5 at tape position 5");
		*at ^= 0x10;
	}
	item_put(h, position, item);
	assert_ok(&h->town, verify_town(h));
}

static ProtobufCBinaryData *payload(Lm__TapeItem *item)
{
	return &item->payload;
}

static ProtobufCBinaryData *header(Lm__TapeItem *item)
{
	return &item->header;
}

static ProtobufCBinaryData *heads(Lm__TapeItem *item)
{
	return &item->heads->hashes;
}

static ProtobufCBinaryData *signature(Lm__TapeItem *item)
{
	return &item->heads->signature;
}

static void a_flipped_bit_anywhere_is_noticed(void **state)
{
	flipped(*state, payload);
	flipped(*state, header);
	flipped(*state, heads);
	flipped(*state, signature);
}

static void a_missing_entry_is_noticed(void **state)
{
	struct house *h = *state;
	uint8_t key[8];
	turn_begin(&h->town);
	store_delete(h->town.txn, &journal_table_tape, position_key(2, key));
	turn_commit(&h->town);
	assert_code(verify_town(h), ERR_DAMAGED);
	says(&h->town, "missing");
}

static void two_entries_that_changed_places_are_noticed(void **state)
{
	struct house *h = *state;
	uint64_t second, third;
	Lm__TapeItem *a = item_at(&h->town, h->all, 2, &second), *b = item_at(&h->town, h->all, 3, &third);
	a->ordinal = 3; /* with all that is not signed put right */
	b->ordinal = 2;
	Lm__SignedHeads *signed_heads = b->heads;
	b->heads = a->heads;
	a->heads = signed_heads;
	item_put(h, second, b);
	item_put(h, third, a);
	assert_code(verify_town(h), ERR_DAMAGED);
	says(&h->town, "does not continue");
}

static void an_entry_of_another_line_is_noticed(void **state)
{
	struct house *h = *state;
	uint64_t position;
	struct line_key other = all_of(&h->town);
	tell(&h->town, 1);
	Lm__TapeItem *item = item_at(&h->town, other, 1, &position);
	item->line = line_of(&h->town, h->all)->number;
	item_put(h, 1, item);
	assert_code(verify_town(h), ERR_DAMAGED);
}

static void a_cut_tail_is_noticed(void **state)
{
	struct house *h = *state;
	uint64_t position;
	/* The line's row says five: so the head is missed even if only the last entry is another one. */
	Lm__TapeItem *item = item_at(&h->town, h->all, 4, &position);
	item->ordinal = 5;
	item_put(h, 5, item);
	assert_code(verify_town(h), ERR_DAMAGED);
}

static void signatures_of_unknown_origins_are_not_counted(void **state)
{
	struct house *h = *state;
	struct journal_audit audit;
	assert_ok(&h->town, verify(&h->town, (struct keyring){ { NULL } }, &audit));
	assert_int_equal(audit.signatures, 0);
	assert_int_equal(audit.items, 5);
	assert_int_equal(audit.lines, 1);
	assert_ok(&h->town, verify(&h->town, (struct keyring){ { &h->hub } }, &audit));
	assert_true(audit.signatures >= 1);
}

static void a_row_that_bit_rot_changed_is_the_stores_to_name(void **state)
{
	struct house *h = *state;
	char path[128];
	static uint8_t page[MAP_BYTES];
	party_path(&h->town, "data.mdb", path);
	party_close(&h->town);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	size_t size = fread(page, 1, sizeof page, file);
	/* The tape's rows hold ciphertext; the line's number stands in clear only in keys. Change the tape page's tail.
	 */
	size_t changed = 0;
	for (size_t at = 0; at + 4096 <= size; at += 4096)
		if (page[at + 4095] && page[at + 10] & 0x02) { /* a leaf page with something in its last byte */
			page[at + 4095] ^= 1;
			changed++;
		}
	assert_true(changed > 0);
	rewind(file);
	assert_int_equal(fwrite(page, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	const struct store_table *tables[TABLES_MOST];
	size_t count = 0;
	for (; count < journal_table_count; count++)
		tables[count] = journal_tables[count];
	tables[count++] = &cases;
	struct store_options options = {
		.folder = h->town.folder, .map_bytes = MAP_BYTES, .tables = tables, .table_count = count
	};
	memcpy(options.master_key, h->town.keys.store_key, KEY_BYTES);
	memset(options.key_table_key, 0x22, KEY_BYTES);
	int result = store_open(&options, &h->town.store, &h->town.e);
	struct journal_options journal = { .store = h->town.store, .keys = &h->town.keys, .device = h->town.device };
	if (!result)
		result = journal_open(&journal, &h->town.journal, &h->town.e);
	if (!result)
		result = verify_town(h);
	assert_code(result, ERR_DAMAGED);
}

#define story(name) cmocka_unit_test_setup_teardown(name, house_begin, house_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_flipped_bit_anywhere_is_noticed),
		story(a_missing_entry_is_noticed),
		story(two_entries_that_changed_places_are_noticed),
		story(an_entry_of_another_line_is_noticed),
		story(a_cut_tail_is_noticed),
		story(signatures_of_unknown_origins_are_not_counted),
		story(a_row_that_bit_rot_changed_is_the_stores_to_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
