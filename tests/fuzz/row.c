/*
 * Rows as somebody left them who holds the store's keys: every query ends and answers, or says that the row is damaged.
 *
 * Input: what is asked, then rows: table, size of the key, key, size of the value (16 bits), value.
 */
#include "rig.h" /* of the journal's unit tests */

#include "fuzz.h"

#include "domain/domain.h"
#include "domain/person.h"
#include "domain/publication.h"
#include "visit.h"

#define ROWS_MOST 8
#define SHORT_KEY_MOST 40

enum { ASK_JOURNAL, ASK_DOMAIN, ASK_OPEN, ASK_COUNT };

static struct store *store;
static struct store_txn *txn;
static struct arena arena;
static struct error e;
static struct device_keys keys;
static const struct store_table *tables[STORE_TABLES_MOST];
static size_t table_count;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char folder[] = "/tmp/fuzz-row-XXXXXX";
	(void)argc;
	(void)argv;
	must(!crypto_init(NULL) && mkdtemp(folder));
	for (size_t i = 0; i < journal_table_count; i++)
		tables[table_count++] = journal_tables[i];
	for (size_t i = 0; i < domain_table_number; i++)
		tables[table_count++] = domain_tables[i];
	struct store_options options = {
		.folder = folder, .map_bytes = MAP_BYTES, .tables = tables, .table_count = table_count
	};
	must(!store_open(&options, &store, &e));
	store_forget(folder);
	arena_init(&arena, 32u * 1024 * 1024);
	keys.suite = SUITE_INTERNATIONAL;
	must(!sign_keypair(SUITE_INTERNATIONAL, keys.signing_public, keys.signing_secret, &e));
	must(!agree_keypair(SUITE_INTERNATIONAL, keys.opening_public, keys.opening_secret, &e));
	return 0;
}

static void rows_put(struct reader *r)
{
	for (int left = ROWS_MOST; left && r->at < r->size; left--) {
		const struct store_table *table = tables[read_u8(r) % table_count];
		struct bytes key = read_bytes(r, read_u8(r) % SHORT_KEY_MOST);
		uint16_t size = read_u16(r);
		struct bytes value = read_bytes(r, size <= r->size - r->at ? size : r->size - r->at);
		if (key.size && !r->failed)
			store_put(txn, table, key, value);
	}
}

/* In a write transaction the first damaged row makes it fail for good: each question has one of its own. */
static void answer_is(int result)
{
	must(!result || result == ERR_NOT_FOUND || result == ERR_DAMAGED || result == ERR_ABSENT ||
	     result == ERR_INVALID || result == ERR_TOO_BIG || result == ERR_CONFLICT || result == ERR_VERSION ||
	     result == ERR_MEMORY || result == ERR_BAD_SIGNATURE || result == ERR_DENIED);
}

/* ---- the journal's tables ---- */

static void line_ask(uint32_t number, uint64_t ordinal)
{
	Lm__TapeItem *item;
	Lm__Batch *batch;
	uint64_t position, incarnation, seq, through, incarnations[4], seqs[4];
	uint32_t bytes;
	bool is_exact;
	struct line line = { .number = number, .ordinal = ordinal, .key = { 1, LM__STREAM__STREAM_UP, 0 } };
	answer_is(journal_read_line(txn, number, ordinal, &arena, &position, &item, &e));
	answer_is(journal_coordinates(txn, number, ordinal, &incarnation, &seq));
	size_t count = 0;
	answer_is(journal_ends(txn, number, 4, incarnations, seqs, &count));
	must(count <= 4);
	answer_is(journal_locate(txn, number, 1, 1, &ordinal, &is_exact));
	answer_is(journal_load(txn, &line, 1, 256, 256 * 1024, &arena, &batch, &through, &bytes, &e));
}

static void journal_ask(void)
{
	static const uint8_t cause[1] = { 'R' };
	Lm__TapeItem *item;
	Lm__Checkpoint *checkpoint;
	struct waiting_name name = { .size = 0 };
	struct waiting waiting;
	uint64_t position = 0;
	struct bytes packed;
	for (int left = 16; left && !journal_read_next(txn, &position, &arena, &item, &e); left--) {
		Lm__Header *h;
		if (!CODEC_UNPACK(lm__header, codec_bytes(item->header), &arena, &h, NULL))
			answer_is(journal_envelope(txn, h, position, &arena, &packed));
		if (position++ == UINT64_MAX)
			break;
	}
	for (uint32_t line = 0; line < 3; line++)
		for (uint64_t ordinal = 0; ordinal < 3; ordinal++)
			line_ask(line, ordinal);
	for (int left = 16; left && !journal_waiting_next(txn, &name, &arena, &waiting, &e); left--)
		name = waiting.name;
	answer_is(journal_waiting_get(txn, &name, &arena, &waiting, &e));
	journal_held_because(txn, BYTES_OF(cause), 1);
	answer_is(journal_checkpoint(txn, &arena, &checkpoint, &e));
	answer_is(journal_period(txn, 1, BYTES("0123456789abcdef", 16), &arena, &packed));
}

/* ---- the domain's ---- */

static bool each_case(void *context, struct id request, const Lm__CaseRecord *record)
{
	(void)context;
	(void)request;
	(void)record;
	return true;
}

static void lists_ask(void)
{
	const struct collection *c = collection_of(LM__COLLECTION__COLLECTION_CATALOGUE);
	Lm__Service *service;
	Lm__AccountPayload *account;
	Lm__DraftRecord *draft;
	Lm__PublicationRecord *publication;
	Lm__NodeSecretPayload *secret;
	answer_is(content_each(txn, &collection_catalogue, &arena, each_content, NULL));
	answer_is(service_get(txn, "a", 0, &arena, &service));
	answer_is(token_each(txn, &arena, each_token, NULL));
	answer_is(count_each(txn, &arena, each_count, NULL));
	answer_is(draft_each(txn, c, &arena, each_draft, NULL));
	answer_is(draft_get(txn, c, "a", &arena, &draft));
	answer_is(publication_each(txn, c, NULL, &arena, each_publication, NULL));
	answer_is(publication_get(txn, c, "a", 0, &arena, NULL, &publication));
	answer_is(account_get(txn, "a", &arena, &account));
	answer_is(secret_get(txn, &arena, &secret));
}

/* The record whose id is zero. */
static void person_ask(void)
{
	static const struct id zero = { { 0 } };
	struct id family[PERSON_FAMILY_MOST], *cases;
	struct person_event *events;
	Lm__PersonRecord *record;
	Lm__LookRecord **looks;
	size_t count;
	bool is_more;
	int result = person_family(txn, zero, family, &count);
	answer_is(result == ERR_TOO_MANY ? OK : result);
	answer_is(person_get(txn, zero, &arena, &record));
	answer_is(person_events(txn, zero, &arena, &events, &count));
	answer_is(person_cases(txn, zero, &arena, 4, &cases, &count, &is_more));
	answer_is(person_looks(txn, zero, &arena, 4, &looks, &count, &is_more));
}

static bool each_code(void *context, struct id request, const struct hash *code_hash)
{
	(void)context;
	(void)request;
	(void)code_hash;
	return true;
}

static void domain_ask(void)
{
	static const struct id zero = { { 0 } };
	char next[40];
	uint8_t lookup[RECEIPT_LOOKUP_BYTES] = { 1 };
	struct receipt_row rows[2];
	struct hash hash = { { 0 } }, state;
	struct id from = { { 0 } };
	size_t count = 0;
	uint64_t position;
	Lm__QuarantineRecord *act;
	Lm__AuthorityPayload *authority;
	Lm__DeviceRecord *device;
	Lm__RequestRecord *request;
	for (enum case_view view = CASE_VIEW_OPEN; view <= CASE_VIEW_ALL; view++)
		answer_is(case_page(txn, view, "", 20, &arena, each_case, NULL, next, &e));
	answer_is(case_locks_each(txn, &arena, each_case, NULL));
	answer_is(device_each(txn, &arena, each_device, NULL));
	answer_is(device_find_key(txn, hash.byte, &arena, &device));
	answer_is(device_find_place(txn, "310114", &arena, &device));
	device_town_of(txn, "310114106001", &arena);
	answer_is(authority_get(txn, &arena, &authority, &device));
	answer_is(status_each(txn, zero, &arena, each_status, NULL));
	answer_is(request_get(txn, zero, &arena, &request));
	answer_is(receipt_find(txn, lookup, rows, 2, &count, &e));
	answer_is(act_before(txn, UINT64_MAX, &arena, &position, &act, &e));
	lists_ask();
	person_ask();
	answer_is(domain_state_hash(txn, &state, &e));
	arena_reset(&arena);
	do
		answer_is(case_codes_each(txn, &from, &arena, each_code, NULL, &e));
	while (!id_is_zero(from) && !store_failure(txn, NULL));
}

/* ---- a journal that opens over them ---- */

static int key_find(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES])
{
	(void)context;
	(void)origin;
	(void)generation;
	memcpy(key, keys.signing_public, KEY_BYTES);
	return OK;
}

static void journal_reopen(void)
{
	struct journal *j = NULL;
	struct journal_audit audit;
	must(!store_commit(txn, &e));
	struct journal_options options = { .store = store, .keys = &keys, .device = 1, .is_reader = true };
	answer_is(journal_open(&options, &j, &e));
	if (j) {
		must(!store_begin_read(store, &txn, &e));
		answer_is(journal_verify(j, txn, key_find, NULL, &audit, &e));
		store_abort(txn);
		journal_close(j);
	}
	must(!store_begin_write(store, &txn, &e));
	for (size_t i = 0; i < table_count; i++)
		store_clear(txn, tables[i]);
	must(!store_commit(txn, &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	uint8_t what = read_u8(&r) % ASK_COUNT;
	must(!store_begin_write(store, &txn, &e));
	rows_put(&r);
	if (what == ASK_OPEN) {
		journal_reopen();
	} else {
		if (what == ASK_JOURNAL)
			journal_ask();
		else
			domain_ask();
		store_abort(txn);
	}
	arena_reset(&arena);
	return 0;
}
