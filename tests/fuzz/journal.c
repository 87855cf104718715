/*
 * Messages of entries through their check and into the journal, below hash and signature, in a turn that is taken back:
 * nothing that an origin sends breaks a line, and memory returns to what the store holds.
 *
 * Input: flags, then a Batch; entries.h tells what is filled in.
 */
#include "rig.h" /* of the journal's unit tests */

#include "entries.h"

#define FLAG_OWN_HEADS 1 /* the message's heads and hashes stay as they are */
#define FLAG_TWICE 2     /* it comes twice */

static struct party origin, receiver;
static struct signer signer;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	party_begin(&origin);
	party_begin(&receiver);
	recipients_are(&origin, &receiver, &receiver);
	for (int life = 0; life < 2; life++) {
		for (int i = 0; i < 3; i++) {
			turn_begin(&origin);
			request(&origin, "something sealed");
			turn_commit(&origin);
		}
		carry(&origin, &receiver, &origin, up_of(&origin));
		if (!life) {
			party_restart(&origin);
			recipients_are(&origin, &receiver, &receiver);
		}
	}
	store_forget(origin.folder);
	store_forget(receiver.folder);
	const struct line *line = line_of(&receiver, up_of(&origin));
	assert_non_null(line);
	signer = (struct signer){ .device = origin.device,
		                  .signing_secret = origin.keys.signing_secret,
		                  .incarnation = line->incarnation,
		                  .seq = line->seq,
		                  .head = line->hash };
	return 0;
}

static void placed_is_readable(const struct placed *placed, const struct checked_entry *entry)
{
	struct party *p = &receiver;
	Lm__TapeItem *item;
	struct bytes plain;
	must(!journal_read(p->txn, placed->position, &p->arena, &item, &p->e));
	must(item->line == placed->line && item->ordinal == placed->ordinal);
	must(bytes_equal(codec_bytes(item->header), entry->header_packed));
	int result = journal_item_open(p->journal, p->txn, placed->position, item, &p->arena, &plain, &p->e);
	must(!result || result == ERR_ABSENT);
	const struct line *line = journal_line(p->journal, placed->line);
	must(line && line->ordinal >= placed->ordinal);
}

static void entries_take(const struct checked_entry *entries, size_t count)
{
	struct party *p = &receiver;
	for (size_t i = 0; i < count; i++) {
		struct line_key key = { entries[i].header->origin, entries[i].header->stream,
			                entries[i].header->receiver };
		const struct line *line = line_of(p, key);
		uint64_t before = line ? line->ordinal : 0;
		struct placed placed;
		enum reception how = RECEIVED;
		bool was_frozen = line && line->is_frozen;
		int result = journal_receive(p->journal, &entries[i], LM__DISPOSITION__DISPOSITION_APPLIED, NULL,
		                             &placed, &how, &p->e);
		must(!store_failure(p->txn, &p->e));
		line = line_of(p, key);
		if (!result) {
			must(!was_frozen && line->ordinal == before + 1 && placed.ordinal == before + 1);
			must(memcmp(&line->hash, &entries[i].hash, sizeof line->hash) == 0);
			placed_is_readable(&placed, &entries[i]);
		} else {
			must(!line || line->ordinal == before);
			must(result == ERR_DUPLICATE || result == ERR_GAP || result == ERR_CLONE ||
			     result == ERR_FROZEN || result == ERR_TOO_MANY || result == ERR_FULL ||
			     result == ERR_BAD_SIGNATURE);
		}
		if (result == ERR_CLONE)
			must(line->is_frozen);
		if (entries[i].header->kind == LM__KIND__KIND_PERIOD)
			journal_period_learn(p->journal, entries[i].header, entries[i].payload, NULL);
	}
}

static void waiting_read(struct party *p)
{
	struct waiting_name name = { .size = 0 };
	struct waiting waiting;
	for (int left = 64; left && !journal_waiting_next(p->txn, &name, &p->arena, &waiting, &p->e); left--)
		name = waiting.name;
	must(!store_failure(p->txn, &p->e));
}

static void batch_take(const Lm__Batch *batch, unsigned times)
{
	struct party *p = &receiver;
	struct checked_entry *entries;
	size_t count;
	if (entries_check(batch, origin.keys.signing_public, &p->arena, &entries, &count, &p->e)) {
		must(utf8_length(bytes_from_text(p->e.text)) > 0);
		return;
	}
	uint32_t lines = journal_line_count(p->journal);
	uint64_t position = journal_position(p->journal);
	turn_begin(p);
	for (unsigned i = 0; i < times; i++)
		entries_take(entries, count);
	waiting_read(p);
	must(!journal_turn_seal(p->journal, &p->e));
	journal_recent_end(p->journal);
	turn_abort(p);
	const struct line *line = line_of(p, up_of(&origin));
	must(journal_line_count(p->journal) == lines && journal_position(p->journal) == position);
	must(!line->is_frozen && line->seq == signer.seq && memcmp(&line->hash, &signer.head, HASH_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	uint8_t flags = read_u8(&r);
	Lm__Batch *batch;
	if (!CODEC_UNPACK(lm__batch, feed_rest(&r), &receiver.arena, &batch, NULL)) {
		if (!(flags & FLAG_OWN_HEADS)) {
			seqs_fix(batch, &signer, &receiver.arena);
			batch_finish(batch, &signer, &receiver.arena);
		}
		batch_take(batch, flags & FLAG_TWICE ? 2 : 1);
	}
	arena_reset(&receiver.arena);
	return 0;
}

#ifdef LM_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return packed_mutate(&lm__batch__descriptor, 1, data, size, most, seed, batch_change_whole);
}
#endif
