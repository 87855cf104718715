/*
 * Entries of every kind through apply at each tier, in one transaction that is taken back: a refusal leaves no trace,
 * and what was taken can be read by every query.
 *
 * Input: the tier, then a Batch. Of its entries an origin below 6 is a device of the district, a request id of one byte
 * the request of that number; with an envelope, the payload is absent.
 */
#include "fixture.h" /* of the domain's unit tests */

#include "domain/publication.h"
#include "entries.h"
#include "visit.h"

#define SITES 3
#define INPUT_ARENA_BYTES (32u * 1024 * 1024)
#define REQUESTS 4

static struct node site[SITES];
static const size_t device_of[SITES] = { T1, TOWN_A, HUB };

static void owner_rule_add(Lm__Service *s, struct arena *a)
{
	Lm__OwnerRule *rule = arena_alloc(a, sizeof *rule), **list = arena_alloc(a, sizeof *list);
	lm__owner_rule__init(rule);
	rule->field = "name";
	rule->choice = "town";
	rule->owner = DISTRICT;
	rule->hidden_from = TOWN;
	*list = rule;
	s->owner_rules = list;
	s->n_owner_rules = 1;
}

static void site_publish(struct node *n, const char *id, Lm__Tier owner, bool has_rule)
{
	struct service_parts parts;
	Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
	Lm__Service *s = service_make(&parts, id, 1, owner);
	if (has_rule)
		owner_rule_add(s, &n->arena);
	node_apply_message(n, &h, &s->base);
}

/* Requests 1 and 2 wait, 3 is decided or closed, 4 is not there yet. */
static void site_fill(struct node *n, Lm__Tier tier)
{
	struct id id[REQUESTS];
	node_directory(n);
	node_secret(n, device_of[tier - TERMINAL]);
	site_publish(n, "help", TOWN, false);
	site_publish(n, "plan", DISTRICT, false);
	site_publish(n, "rules", TOWN, true);
	for (size_t i = 0; i + 1 < REQUESTS; i++) {
		id[i] = id_of(i + 1);
		node_request(n, T1, &id[i], i == 1 ? "plan" : "help", 1);
	}
	if (tier == TERMINAL)
		return;
	const struct id *own = tier == TOWN ? &id[2] : &id[1];
	assert_ok(n, node_act(n, own, ACTION(ACCEPT)));
	assert_ok(n, node_act(n, own, tier == TOWN ? ACTION(DECIDE) : ACTION(ASK)));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	devices_make();
	for (size_t i = 0; i < SITES; i++) {
		struct node *n = &site[i];
		node_open(n, &devices[device_of[i]]);
		store_forget(n->folder);
		site_fill(n, TERMINAL + (Lm__Tier)i);
		assert_ok(n, store_commit(n->txn, &n->e));
		node_arena_reset(n);
		arena_release(&n->arena);
		arena_init(&n->arena, INPUT_ARENA_BYTES);
	}
	return 0;
}

/* ---- what can be read afterwards ---- */

static bool each_case(void *context, struct id request, const Lm__CaseRecord *record)
{
	(void)request;
	must(record);
	(*(size_t *)context)++;
	return true;
}

static bool each_code(void *context, struct id request, const struct hash *code_hash)
{
	(void)request;
	(void)code_hash;
	(*(size_t *)context)++;
	return true;
}

static void cases_read(struct node *n, struct arena *a)
{
	char next[40];
	size_t open = 0, all = 0, found = 0;
	struct id from = { { 0 } };
	must(!case_page(n->txn, CASE_VIEW_OPEN, "", 1000, a, each_case, &open, next, &n->e));
	must(open == case_open_count(n->txn) || next[0]);
	must(!case_page(n->txn, CASE_VIEW_CLOSED, "", 1000, a, each_case, &all, next, &n->e));
	must(!case_page(n->txn, CASE_VIEW_ALL, "", 1000, a, each_case, &all, next, &n->e));
	must(all >= open || next[0]);
	must(!case_locks_each(n->txn, a, each_case, &found));
	do
		must(!case_codes_each(n->txn, &from, a, each_code, &found, &n->e));
	while (!id_is_zero(from));
}

static void tables_read(struct node *n)
{
	const struct collection *c = collection_of(LM__COLLECTION__COLLECTION_CATALOGUE);
	struct arena a;
	struct hash state;
	struct id id = id_of(1);
	arena_init(&a, INPUT_ARENA_BYTES);
	must(!device_each(n->txn, &a, each_device, NULL));
	must(!content_each(n->txn, &collection_catalogue, &a, each_content, NULL));
	must(!token_each(n->txn, &a, each_token, NULL));
	must(!count_each(n->txn, &a, each_count, NULL));
	must(!status_each(n->txn, id, &a, each_status, NULL));
	must(!draft_each(n->txn, c, &a, each_draft, NULL));
	must(!publication_each(n->txn, c, NULL, &a, each_publication, NULL));
	arena_reset(&a);
	cases_read(n, &a);
	must(!domain_state_hash(n->txn, &state, &n->e));
	arena_release(&a);
}

/* ---- one entry ---- */

static uint64_t device_named(uint64_t name)
{
	return name < DEVICE_COUNT ? devices[name].id : name;
}

static Lm__Header *header_read(const Lm__Entry *entry, struct arena *a)
{
	Lm__Header *h;
	if (CODEC_UNPACK(lm__header, codec_bytes(entry->header), a, &h, NULL))
		return NULL;
	h->origin = device_named(h->origin);
	if (h->stream == DOWN)
		h->receiver = device_named(h->receiver);
	request_id_fix(&h->request_id, a);
	request_id_fix(&h->person_id, a);
	return h;
}

static void entry_apply(struct node *n, const Lm__Entry *entry, bool must_compare)
{
	Lm__Header *h = header_read(entry, &n->arena);
	struct hash before, after;
	struct domain_waiters waiters;
	if (!h || (h->request_id.len && h->request_id.len != ID_BYTES) ||
	    (h->person_id.len && h->person_id.len != ID_BYTES))
		return; /* entries_check lets no such entry in */
	struct bytes plain = codec_bytes(entry->payload);
	struct domain_item item = item_make(n, h, plain);
	item.is_absent = entry->envelope.len != 0;
	if (item.is_absent)
		item.plain = (struct bytes){ 0 };
	if (must_compare)
		before = node_hash(n);
	size_t effects = n->fx.count;
	int result = node_apply_item(n, &item);
	must(!store_failure(n->txn, &n->e));
	if (result) {
		must(utf8_length(bytes_from_text(n->e.text)) > 0);
		must(n->fx.count == effects);
		must((result == ERR_HELD) == (n->cause_size > 0));
		must(n->cause_size <= DOMAIN_CAUSE_BYTES);
	}
	if (result && must_compare) {
		after = node_hash(n);
		must(memcmp(&before, &after, sizeof after) == 0);
	}
	domain_waiters(h, plain, &n->arena, &waiters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	uint8_t first = read_u8(&r);
	struct node *n = &site[first % SITES];
	Lm__Batch *batch;
	n->position = 1000;
	if (!CODEC_UNPACK(lm__batch, feed_rest(&r), &n->arena, &batch, NULL)) {
		assert_ok(n, store_begin_write(n->store, &n->txn, &n->e));
		domain_memo_clear(&n->memo);
		domain_effects_clear(&n->fx);
		for (size_t i = 0; i < batch->n_entries && i < ENTRIES_MOST; i++)
			entry_apply(n, batch->entries[i], first >= 192);
		tables_read(n);
		store_abort(n->txn);
	}
	node_arena_reset(n);
	return 0;
}

#ifdef LM_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return packed_mutate(&lm__batch__descriptor, 1, data, size, most, seed, batch_change_whole);
}
#endif
