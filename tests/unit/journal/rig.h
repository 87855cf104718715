/*
 * What the journal's tests share: parties (a device with its keys, a store in a folder of its own, a journal), turns,
 * entries of ours, and bringing them from one party to another as a link would.
 */
#ifndef TESTS_UNIT_JOURNAL_RIG_H
#define TESTS_UNIT_JOURNAL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/journal.h"
#include "proto/codec.h"

#ifndef MAP_BYTES
#define MAP_BYTES (24u * 1024 * 1024)
#endif
#ifndef RIG_FOLDER
#define RIG_FOLDER "/tmp"
#endif
#define NOON_MS INT64_C(1760000000000)
#define TABLES_MOST 16

/* A projection, as domain would keep one: request id → what is known. */
static const struct store_table cases = { .name = "cases", .number = 40, .is_projection = true };

struct party {
	char folder[64];
	struct device_keys keys;
	uint8_t former_signing[4][KEY_BYTES]; /* public, by generation */
	uint64_t device;
	int64_t now_ms;
	struct store *store;
	struct journal *journal;
	struct store_txn *txn; /* of the turn under way */
	struct arena arena;
	struct error e;
};

#define assert_ok(p, call)                                                              \
	do {                                                                            \
		(p)->e.text[0] = 0;                                                     \
		int rig_rc = (call);                                                    \
		if (rig_rc != OK)                                                       \
			fail_msg("%s: %s: %s", #call, error_name(rig_rc), (p)->e.text); \
	} while (0)

#define assert_code(call, want)                                                                        \
	do {                                                                                           \
		int rig_rc = (call);                                                                   \
		if (rig_rc != (want))                                                                  \
			fail_msg("%s: %s instead of %s", #call, error_name(rig_rc), error_name(want)); \
	} while (0)

/* ---- parties ---- */

static inline void party_open(struct party *p)
{
	const struct store_table *tables[TABLES_MOST];
	size_t count = 0;
	for (; count < journal_table_count; count++)
		tables[count] = journal_tables[count];
	tables[count++] = &cases;
	struct store_options options = {
		.folder = p->folder, .map_bytes = MAP_BYTES, .tables = tables, .table_count = count
	};
	memcpy(options.master_key, p->keys.store_key, KEY_BYTES);
	memset(options.key_table_key, 0x22, KEY_BYTES);
	assert_ok(p, store_open(&options, &p->store, &p->e));
	struct journal_options journal = { .store = p->store, .keys = &p->keys, .device = p->device };
	assert_ok(p, journal_open(&journal, &p->journal, &p->e));
}

static inline void party_close(struct party *p)
{
	journal_close(p->journal);
	store_close(p->store);
	p->journal = NULL;
	p->store = NULL;
}

/* A process ends and another one starts: a new incarnation. */
static inline void party_restart(struct party *p)
{
	party_close(p);
	party_open(p);
}

static inline void party_begin(struct party *p)
{
	struct hash fingerprint;
	memset(p, 0, sizeof *p);
	p->now_ms = NOON_MS;
	strcpy(p->folder, RIG_FOLDER "/journal-test-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	assert_ok(p, crypto_init(&p->e));
	p->keys.suite = SUITE_INTERNATIONAL;
	assert_ok(p, agree_keypair(SUITE_INTERNATIONAL, p->keys.curve_public, p->keys.curve_secret, &p->e));
	assert_ok(p, agree_keypair(SUITE_INTERNATIONAL, p->keys.opening_public, p->keys.opening_secret, &p->e));
	assert_ok(p, sign_keypair(SUITE_INTERNATIONAL, p->keys.signing_public, p->keys.signing_secret, &p->e));
	memset(p->keys.store_key, 0x11, KEY_BYTES);
	assert_ok(p, device_fingerprint(SUITE_INTERNATIONAL, p->keys.curve_public, p->keys.signing_public,
	                                p->keys.opening_public, &fingerprint, &p->e));
	p->device = device_id_of(&fingerprint);
	party_open(p);
}

/* It begins anew with other keys, as a daemon does. */
static inline void party_rotate(struct party *p)
{
	struct opening_pair *pair = &p->keys.former_opening[p->keys.generation];
	party_close(p);
	memcpy(pair->public_key, p->keys.opening_public, KEY_BYTES);
	memcpy(pair->secret_key, p->keys.opening_secret, KEY_BYTES);
	memcpy(p->former_signing[p->keys.generation++], p->keys.signing_public, KEY_BYTES);
	assert_ok(p, agree_keypair(SUITE_INTERNATIONAL, p->keys.opening_public, p->keys.opening_secret, &p->e));
	assert_ok(p, sign_keypair(SUITE_INTERNATIONAL, p->keys.signing_public, p->keys.signing_secret, &p->e));
	party_open(p);
}

static inline const uint8_t *signing_of(const struct party *p, uint32_t generation)
{
	return generation < p->keys.generation ? p->former_signing[generation] : p->keys.signing_public;
}

static inline void party_path(const struct party *p, const char *name, char path[128])
{
	assert_true(snprintf(path, 128, "%s/%s", p->folder, name) < 128);
}

static inline void party_end(struct party *p)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "lock", "image" };
	char path[128];
	party_close(p);
	arena_release(&p->arena);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		party_path(p, names[i], path);
		unlink(path);
	}
	assert_int_equal(rmdir(p->folder), 0);
}

/* An image of the disk as it is now, and what happens when it is put back. */
static inline void party_image(struct party *p)
{
	char path[128];
	party_path(p, "image", path);
	unlink(path);
	assert_ok(p, store_copy(p->store, path, &p->e));
}

static inline void party_restore(struct party *p)
{
	char image[128], data[128];
	party_path(p, "image", image);
	party_path(p, "data.mdb", data);
	party_close(p);
	assert_int_equal(rename(image, data), 0);
	party_open(p);
}

/* A second machine that woke from the same image: same keys, its own folder. */
static inline void party_clone(struct party *p, struct party *clone)
{
	char image[128], data[128];
	memset(clone, 0, sizeof *clone);
	clone->now_ms = p->now_ms;
	clone->keys = p->keys;
	clone->device = p->device;
	strcpy(clone->folder, RIG_FOLDER "/journal-test-XXXXXX");
	assert_non_null(mkdtemp(clone->folder));
	party_path(p, "image", image);
	party_path(clone, "data.mdb", data);
	assert_int_equal(rename(image, data), 0);
	party_open(clone);
}

/* ---- turns ---- */

static inline void turn_begin(struct party *p)
{
	assert_ok(p, store_begin_write(p->store, &p->txn, &p->e));
	assert_ok(p, journal_turn_begin(p->journal, p->txn, p->now_ms));
}

static inline void turn_commit(struct party *p)
{
	assert_ok(p, journal_turn_seal(p->journal, &p->e));
	assert_ok(p, store_commit(p->txn, &p->e));
	journal_turn_end(p->journal, true);
	p->txn = NULL;
}

static inline void turn_abort(struct party *p)
{
	store_abort(p->txn);
	journal_turn_end(p->journal, false);
	p->txn = NULL;
}

static inline struct store_txn *snapshot(struct party *p)
{
	struct store_txn *txn;
	assert_ok(p, store_begin_read(p->store, &txn, &p->e));
	return txn;
}

/* ---- entries of ours ---- */

static inline struct line_key up_of(const struct party *p)
{
	return (struct line_key){ p->device, LM__STREAM__STREAM_UP, 0 };
}

static inline void recipients_are(struct party *p, const struct party *a, const struct party *b)
{
	struct period_recipient to[2] = { { .id = a->device }, { .id = b->device } };
	struct line_key up = up_of(p);
	memcpy(to[0].opening_key, a->keys.opening_public, KEY_BYTES);
	memcpy(to[1].opening_key, b->keys.opening_public, KEY_BYTES);
	assert_ok(p, journal_set_recipients(p->journal, &up, to, 2, &p->e));
}

static inline int try_append(struct party *p, Lm__Kind kind, Lm__Stream stream, uint64_t receiver, struct bytes payload,
                             bool is_sealed, struct placed *out)
{
	Lm__Header header = LM__HEADER__INIT;
	uint8_t request[16] = "request-0000001";
	header.kind = kind;
	header.request_id = codec_data(BYTES(request, sizeof request));
	struct draft draft = {
		.stream = stream, .receiver = receiver, .header = &header, .payload = payload, .is_sealed = is_sealed
	};
	return journal_append(p->journal, &draft, out, &p->e);
}

/* Appends a request, sealed to the recipients, within the turn under way. */
static inline struct placed request(struct party *p, const char *text)
{
	struct placed placed;
	assert_ok(p, try_append(p, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, 0, bytes_from_text(text), true,
	                        &placed));
	return placed;
}

/* Something that is not sealed and that anybody may read. */
static inline struct placed told(struct party *p, const char *text)
{
	struct placed placed;
	assert_ok(p, try_append(p, LM__KIND__KIND_DEVICE, LM__STREAM__STREAM_ALL, 0, bytes_from_text(text), false,
	                        &placed));
	return placed;
}

static inline struct line_key all_of(const struct party *p)
{
	return (struct line_key){ p->device, LM__STREAM__STREAM_ALL, 0 };
}

/* One turn with `count` entries in `all`. */
static inline void tell(struct party *p, int count)
{
	turn_begin(p);
	for (int i = 0; i < count; i++)
		told(p, "hello");
	turn_commit(p);
}

static inline const struct line *line_of(const struct party *p, struct line_key key)
{
	return journal_line_find(p->journal, &key);
}

/* ---- from one to the other ---- */

/* What `from` would send of a line from `ordinal` on; lies in from's arena. */
static inline Lm__Batch *load(struct party *from, struct line_key key, uint64_t ordinal, uint64_t *through)
{
	Lm__Batch *batch;
	uint32_t bytes;
	struct store_txn *txn = snapshot(from);
	const struct line *line = line_of(from, key);
	assert_non_null(line);
	assert_ok(from,
	          journal_load(txn, line, ordinal, 256, 256 * 1024, &from->arena, &batch, through, &bytes, &from->e));
	store_abort(txn);
	return batch;
}

/* The same after a way over the wire: packed, unpacked. */
static inline Lm__Batch *wired(struct party *at, const Lm__Batch *batch)
{
	struct bytes packed;
	Lm__Batch *out;
	assert_ok(at, CODEC_PACK(batch, &at->arena, &packed, &at->e));
	assert_ok(at, CODEC_UNPACK(lm__batch, packed, &at->arena, &out, &at->e));
	return out;
}

struct taken {
	size_t placed, duplicates, rollbacks, closed;
	int fault; /* GAP, CLONE, FROZEN: what ended it */
	struct placed last;
};

static inline int check(struct party *to, const struct party *origin, const Lm__Batch *batch,
                        struct checked_entry **out, size_t *count)
{
	uint32_t generation = batch->heads ? batch->heads->generation : 0;
	return entries_check(batch, signing_of(origin, generation), &to->arena, out, count, &to->e);
}

/* Takes a message in the turn under way. */
static inline struct taken take_in_turn(struct party *to, const struct party *origin, const Lm__Batch *batch)
{
	struct taken t = { 0 };
	struct checked_entry *entries;
	size_t count;
	assert_ok(to, check(to, origin, batch, &entries, &count));
	for (size_t i = 0; i < count && !t.fault; i++) {
		enum reception how = RECEIVED;
		int result = journal_receive(to->journal, &entries[i], LM__DISPOSITION__DISPOSITION_APPLIED, NULL,
		                             &t.last, &how, &to->e);
		t.placed += result == OK;
		t.duplicates += result == ERR_DUPLICATE;
		t.rollbacks += how == RECEIVED_BEHIND;
		t.closed += how == RECEIVED_CLOSED;
		if (result && result != ERR_DUPLICATE)
			t.fault = result;
	}
	return t;
}

static inline struct taken take(struct party *to, const struct party *origin, const Lm__Batch *batch)
{
	turn_begin(to);
	struct taken t = take_in_turn(to, origin, wired(to, batch));
	turn_commit(to);
	return t;
}

/* Everything of a line from `ordinal` on, message by message, each in a turn of its own. */
static inline struct taken carry_from(struct party *from, struct party *to, const struct party *origin,
                                      struct line_key key, uint64_t ordinal)
{
	struct taken all = { 0 };
	uint64_t through;
	while (ordinal <= line_of(from, key)->ordinal && !all.fault) {
		Lm__Batch *batch = load(from, key, ordinal, &through);
		assert_true(through >= ordinal);
		struct taken t = take(to, origin, batch);
		all.placed += t.placed;
		all.duplicates += t.duplicates;
		all.rollbacks += t.rollbacks;
		all.closed += t.closed;
		all.fault = t.fault;
		all.last = t.last;
		ordinal = through + 1;
	}
	return all;
}

/* As a link does: from behind what the receiver says it has. */
static inline struct taken carry(struct party *from, struct party *to, const struct party *origin, struct line_key key)
{
	uint64_t incarnations[4], seqs[4], ordinal = 0;
	size_t count = 0;
	bool is_exact;
	const struct line *there = line_of(to, key);
	struct store_txn *txn = snapshot(to);
	if (there)
		assert_ok(to, journal_ends(txn, there->number, 4, incarnations, seqs, &count));
	store_abort(txn);
	txn = snapshot(from);
	for (size_t i = 0; i < count; i++)
		if (!journal_locate(txn, line_of(from, key)->number, incarnations[i], seqs[i], &ordinal, &is_exact))
			break;
	store_abort(txn);
	return carry_from(from, to, origin, key, ordinal + 1);
}

/* ---- looking ---- */

static inline Lm__TapeItem *item_at(struct party *p, struct line_key key, uint64_t ordinal, uint64_t *position)
{
	Lm__TapeItem *item;
	struct store_txn *txn = snapshot(p);
	assert_ok(p, journal_read_line(txn, line_of(p, key)->number, ordinal, &p->arena, position, &item, &p->e));
	store_abort(txn);
	return item;
}

static inline Lm__Header *header_of(struct party *p, const Lm__TapeItem *item)
{
	Lm__Header *h;
	assert_ok(p, CODEC_UNPACK(lm__header, codec_bytes(item->header), &p->arena, &h, &p->e));
	return h;
}

/* Opens entry `ordinal` of a line as `p` holds it. */
static inline int open_at(struct party *p, struct line_key key, uint64_t ordinal, struct bytes *plain)
{
	uint64_t position;
	Lm__TapeItem *item = item_at(p, key, ordinal, &position);
	struct store_txn *txn = snapshot(p);
	int result = journal_item_open(p->journal, txn, position, item, &p->arena, plain, &p->e);
	store_abort(txn);
	return result;
}

#define assert_opens(p, key, ordinal, want)                                \
	do {                                                               \
		struct bytes rig_plain = { 0 };                            \
		assert_ok(p, open_at(p, key, ordinal, &rig_plain));        \
		assert_int_equal(rig_plain.size, strlen(want));            \
		assert_memory_equal(rig_plain.data, want, rig_plain.size); \
	} while (0)

/* Whose signatures verify looks at. */
struct keyring {
	const struct party *who[4];
};

static inline int keyring_find(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES])
{
	const struct keyring *ring = context;
	for (size_t i = 0; i < 4 && ring->who[i]; i++)
		if (ring->who[i]->device == origin) {
			memcpy(key, signing_of(ring->who[i], generation), KEY_BYTES);
			return OK;
		}
	return ERR_NOT_FOUND;
}

static inline int verify(struct party *p, struct keyring ring, struct journal_audit *audit)
{
	struct store_txn *txn = snapshot(p);
	int result = journal_verify(p->journal, txn, keyring_find, &ring, audit, &p->e);
	store_abort(txn);
	return result;
}

static inline uint64_t quarantined(struct party *p)
{
	struct store_txn *txn = snapshot(p);
	uint64_t count = journal_quarantine_count(txn);
	store_abort(txn);
	return count;
}

#endif
