/* At the terminal: its own requests and asks, what the town says for them, and the locks of receipts. */
#include "fixture.h"

static void terminal_open(struct node *n)
{
	node_open(n, &devices[T1]);
	node_directory(n);
	node_secret(n, T1);
}

static void refuse(struct node *n, int expected, const Lm__Header *h, struct bytes plain)
{
	struct hash before = node_hash(n);
	assert_refused(n, expected, node_apply(n, h, plain));
	struct hash after = node_hash(n);
	assert_memory_equal(&before, &after, sizeof before);
	assert_int_equal(n->fx.count, 0);
}

static Lm__RequestRecord *record_of(struct node *n, struct id id)
{
	Lm__RequestRecord *r;
	assert_ok(n, request_get(n->txn, id, &n->arena, &r));
	return r;
}

static Lm__Header status_entry(const struct id *id, uint32_t version, bool is_closing)
{
	Lm__Header h = entry_make(TOWN_A, DOWN, KIND(STATUS));
	h.receiver = devices[T1].id;
	h.request_id = codec_data(BYTES_OF(*id));
	h.version = version;
	h.is_closing = is_closing;
	return h;
}

static void test_the_same_submit_twice(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(1);
	terminal_open(&n);
	Lm__Header h = request_entry(T1, &id, "town", 3);
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	assert_true(id_equal(effect_find(&n, DOMAIN_REQUEST)->request, id));
	Lm__RequestRecord *r = record_of(&n, id);
	assert_int_equal(r->ordinal, n.position);
	assert_string_equal(r->service, "town");
	assert_int_equal(r->revision, 3);
	assert_int_equal(r->created_ms, h.time_ms);
	Lm__Header again = request_entry(T1, &id, "district", 1);
	refuse(&n, ERR_EXISTS, &again, BYTES(NULL, 0));
	again.request_id.len = 0;
	refuse(&n, ERR_INVALID, &again, BYTES(NULL, 0));
	Lm__Header foreign = request_entry(T2, &(struct id){ { 9 } }, "town", 3);
	refuse(&n, ERR_DENIED, &foreign, BYTES(NULL, 0));
	node_close(&n);
}

/* A rating keeps nobody from objecting. */
static void test_a_double_rating(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(1), elsewhere = id_of(7);
	terminal_open(&n);
	Lm__Header h = request_entry(T1, &id, "town", 3);
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	h = ask_entry(T1, &id, KIND(RATE), 2);
	refuse(&n, ERR_INVALID, &h, BYTES(NULL, 0));
	h.rating = LM__RATING__RATING_BAD;
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	assert_int_equal(record_of(&n, id)->rating, LM__RATING__RATING_BAD);
	assert_int_equal(record_of(&n, id)->rated_version, 3);
	assert_int_equal(record_of(&n, id)->asked_version, 0);
	h.rating = LM__RATING__RATING_GOOD;
	refuse(&n, ERR_DUPLICATE, &h, BYTES(NULL, 0));
	Lm__Header object = ask_entry(T1, &id, KIND(OBJECT), 2);
	assert_ok(&n, node_apply(&n, &object, BYTES(NULL, 0)));
	h.version = 3;
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	assert_int_equal(record_of(&n, id)->rating, LM__RATING__RATING_GOOD);
	h = ask_entry(T1, &elsewhere, KIND(RATE), 1);
	h.rating = LM__RATING__RATING_GOOD;
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	node_close(&n);
}

static void test_a_double_ask(void **state)
{
	(void)state;
	struct node n;
	struct id id = id_of(1), elsewhere = id_of(2);
	terminal_open(&n);
	assert_ok(&n, node_request(&n, T1, &id, "town", 1));
	Lm__Header h = ask_entry(T1, &id, KIND(WITHDRAW), 0);
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	assert_int_equal(record_of(&n, id)->asked_version, 1);
	assert_int_equal(record_of(&n, id)->ask_ordinal, n.position);
	h = ask_entry(T1, &id, KIND(WITHDRAW), 0);
	refuse(&n, ERR_DUPLICATE, &h, BYTES(NULL, 0));
	h = ask_entry(T1, &id, KIND(ANSWER), 4); /* the town has said something since */
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	assert_int_equal(record_of(&n, id)->asked_version, 5);
	for (uint32_t version = 0; version <= 4; version++) { /* nor those before */
		h = ask_entry(T1, &id, KIND(ANSWER), version);
		refuse(&n, ERR_DUPLICATE, &h, BYTES(NULL, 0));
	}
	h = ask_entry(T1, &id, KIND(ANSWER), UINT32_MAX);
	refuse(&n, ERR_INVALID, &h, BYTES(NULL, 0));
	/* For a request that was made at another terminal there is nothing to note here. */
	struct hash before = node_hash(&n);
	h = ask_entry(T1, &elsewhere, KIND(ANSWER), 1);
	assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
	struct hash after = node_hash(&n);
	assert_memory_equal(&before, &after, sizeof before);
	node_close(&n);
}

/* ---- statuses ---- */

struct seen {
	char text[256];
	size_t most;
};

static bool seen_visit(void *context, uint32_t version, struct bytes sealed)
{
	struct seen *s = context;
	size_t length = strlen(s->text);
	snprintf(s->text + length, sizeof s->text - length, "%u=%.*s ", version, (int)sealed.size,
	         (const char *)sealed.data);
	return --s->most > 0;
}

static const char *statuses(struct node *n, struct id id, struct seen *s, size_t most)
{
	*s = (struct seen){ "", most };
	assert_ok(n, status_each(n->txn, id, &n->arena, seen_visit, s));
	return s->text;
}

static void test_statuses_in_order(void **state)
{
	(void)state;
	struct node n;
	struct seen s;
	struct id id = id_of(1), next = id_of(2), other = id_of(3);
	terminal_open(&n);
	assert_ok(&n, node_request(&n, T1, &id, "town", 1));
	assert_ok(&n, node_request(&n, T1, &next, "town", 1));
	assert_string_equal(statuses(&n, id, &s, 99), "");
	/* They come in any order, and through two streams of numbers: 256 sorts behind 2. */
	static const uint32_t versions[] = { 2, 256, 1, 70000 };
	static const char *const texts[] = { "b", "c", "a", "d" };
	for (size_t i = 0; i < 4; i++) {
		Lm__Header h = status_entry(&id, versions[i], versions[i] == 256);
		assert_ok(&n, node_apply(&n, &h, bytes_from_text(texts[i])));
		assert_non_null(effect_find(&n, DOMAIN_REQUEST));
	}
	Lm__Header h = status_entry(&next, 1, false);
	assert_ok(&n, node_apply(&n, &h, bytes_from_text("x")));
	assert_string_equal(statuses(&n, id, &s, 99), "1=a 2=b 256=c 70000=d ");
	assert_string_equal(statuses(&n, id, &s, 2), "1=a 2=b ");
	assert_string_equal(statuses(&n, next, &s, 99), "1=x ");
	assert_string_equal(statuses(&n, other, &s, 99), "");
	assert_int_equal(record_of(&n, id)->version, 70000);
	assert_true(record_of(&n, id)->is_closed); /* and stays so, whatever comes later */
	assert_int_equal(record_of(&n, next)->version, 1);
	assert_false(record_of(&n, next)->is_closed);
	node_close(&n);
}

static void test_hostile_statuses(void **state)
{
	(void)state;
	struct node n;
	struct seen s;
	struct id id = id_of(1), other = id_of(3);
	terminal_open(&n);
	assert_ok(&n, node_request(&n, T1, &id, "town", 1));
	Lm__Header h = status_entry(&other, 1, false);
	/* A disk from before the request: kept in case that a page hands it in again, and no longer than it is open. */
	assert_ok(&n, node_apply(&n, &h, bytes_from_text("x")));
	assert_string_equal(statuses(&n, other, &s, 99), "1=x ");
	h = status_entry(&other, 2, true);
	assert_ok(&n, node_apply(&n, &h, bytes_from_text("y")));
	assert_string_equal(statuses(&n, other, &s, 99), "");
	h = status_entry(&id, 1, false);
	h.origin = devices[T2].id;
	refuse(&n, ERR_DENIED, &h, bytes_from_text("x"));
	h = status_entry(&id, 1, false);
	h.receiver = devices[T2].id; /* composed for another terminal */
	refuse(&n, ERR_DENIED, &h, bytes_from_text("x"));
	h = status_entry(&id, 1, false);
	h.stream = UP;
	refuse(&n, ERR_INVALID, &h, bytes_from_text("x"));
	/* One that cannot be opened moves the request on and shows nothing. */
	h = status_entry(&id, 4, true);
	struct domain_item item = item_make(&n, &h, BYTES(NULL, 0));
	item.is_absent = true;
	assert_ok(&n, node_apply_item(&n, &item));
	assert_int_equal(record_of(&n, id)->version, 4);
	assert_true(record_of(&n, id)->is_closed);
	assert_string_equal(statuses(&n, id, &s, 99), "");
	node_close(&n);
}

static void test_what_a_status_is_bound_to(void **state)
{
	(void)state;
	uint8_t a[24], b[24];
	struct id id = id_of(1);
	struct bytes one = status_associated(id, 1, a), two = status_associated(id, 2, b);
	assert_int_equal(one.size, 20);
	assert_false(bytes_equal(one, two));
	two = status_associated(id_of(2), 1, b);
	assert_false(bytes_equal(one, two));
	two = status_associated(id, 1, b);
	assert_true(bytes_equal(one, two));
}

/* ---- receipts ---- */

static void lock_put(struct node *n, uint8_t lookup_number, uint8_t lock_number)
{
	uint8_t lookup[RECEIPT_LOOKUP_BYTES] = { lookup_number }, lock[RECEIPT_LOCK_BYTES] = { lock_number };
	Lm__ReceiptLockPayload p = LM__RECEIPT_LOCK_PAYLOAD__INIT;
	Lm__Header h = entry_make(T1, OWN, KIND(RECEIPT_LOCK));
	p.lookup = codec_data(BYTES_OF(lookup));
	p.lock = codec_data(BYTES_OF(lock));
	assert_ok(n, node_apply_message(n, &h, &p.base));
}

static int lock_release(struct node *n, uint8_t lookup_number, size_t size)
{
	uint8_t lookup[RECEIPT_LOOKUP_BYTES] = { lookup_number };
	Lm__LockReleasePayload p = LM__LOCK_RELEASE_PAYLOAD__INIT;
	Lm__Header h = entry_make(TOWN_A, DOWN, KIND(LOCK_RELEASE));
	h.receiver = devices[T1].id;
	p.lookup = codec_data(BYTES(lookup, size));
	return node_apply_message(n, &h, &p.base);
}

static void test_what_a_released_receipt_leaves(void **state)
{
	(void)state;
	struct node n;
	struct seen seen;
	struct id id = id_of(1), other = id_of(2);
	uint8_t lookup[RECEIPT_LOOKUP_BYTES] = { 1 };
	Lm__LockReleasePayload p = LM__LOCK_RELEASE_PAYLOAD__INIT;
	terminal_open(&n);
	assert_int_equal(answers_expected(n.txn), 0);
	for (uint8_t i = 1; i <= 2; i++) {
		const struct id *of = i == 1 ? &id : &other;
		Lm__Header h = request_entry(T1, of, "town", 3);
		assert_ok(&n, node_apply(&n, &h, BYTES(NULL, 0)));
		lock_put(&n, i, i);
		for (uint32_t version = 1; version <= 2; version++) {
			h = status_entry(of, version, version == 2);
			assert_ok(&n, node_apply(&n, &h, bytes_from_text("x")));
		}
	}
	assert_int_equal(answers_expected(n.txn), 2);
	Lm__Header h = entry_make(TOWN_A, DOWN, KIND(LOCK_RELEASE));
	h.receiver = devices[T1].id;
	h.request_id = codec_data(BYTES_OF(id));
	p.lookup = codec_data(BYTES_OF(lookup));
	assert_ok(&n, node_apply_message(&n, &h, &p.base));
	assert_string_equal(statuses(&n, id, &seen, 9), ""); /* nobody could read them any more */
	assert_string_equal(statuses(&n, other, &seen, 9), "1=x 2=x ");
	assert_int_equal(record_of(&n, id)->version, 2);
	assert_int_equal(answers_expected(n.txn), 1);
	node_close(&n);
}

/* The locks found, as their numbers. */
static const char *locks(struct node *n, uint8_t lookup_number, size_t most)
{
	static char text[64];
	uint8_t lookup[RECEIPT_LOOKUP_BYTES] = { lookup_number };
	struct receipt_row rows[4];
	size_t count = 99;
	memset(rows, 0xee, sizeof rows);
	assert_true(most < 4);
	assert_ok(n, receipt_find(n->txn, lookup, rows, most, &count, &n->e));
	assert_true(count <= most);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(text + 2 * i, sizeof text - 2 * i, "%u ", rows[i].lock[0]);
	assert_int_equal(rows[most].lock[0], 0xee); /* nothing is written beyond */
	return text;
}

static void test_receipts_with_colliding_codes(void **state)
{
	(void)state;
	struct node n;
	terminal_open(&n);
	assert_string_equal(locks(&n, 1, 3), "");
	lock_put(&n, 1, 1);
	lock_put(&n, 2, 2);
	lock_put(&n, 1, 3);
	lock_put(&n, 1, 4);
	lock_put(&n, 3, 5);
	assert_string_equal(locks(&n, 1, 3), "4 3 1 "); /* the newest first */
	assert_string_equal(locks(&n, 1, 2), "4 3 ");
	assert_string_equal(locks(&n, 1, 0), "");
	assert_string_equal(locks(&n, 2, 3), "2 ");
	assert_string_equal(locks(&n, 4, 3), "");
	/* A release takes one, the oldest: the others' cases may still be open. */
	assert_ok(&n, lock_release(&n, 1, RECEIPT_LOOKUP_BYTES));
	assert_string_equal(locks(&n, 1, 3), "4 3 ");
	assert_string_equal(locks(&n, 2, 3), "2 ");
	assert_ok(&n, lock_release(&n, 1, RECEIPT_LOOKUP_BYTES));
	assert_ok(&n, lock_release(&n, 1, RECEIPT_LOOKUP_BYTES));
	assert_ok(&n, lock_release(&n, 1, RECEIPT_LOOKUP_BYTES)); /* of none that is left */
	assert_string_equal(locks(&n, 1, 3), "");
	assert_int_equal(store_count(n.txn, &domain_table_receipt), 2);
	assert_refused(&n, ERR_INVALID, lock_release(&n, 2, 15));
	assert_refused(&n, ERR_INVALID, lock_release(&n, 2, 0));
	assert_string_equal(locks(&n, 2, 3), "2 ");
	node_close(&n);
}

static void test_locks_of_wrong_size(void **state)
{
	(void)state;
	struct node n;
	uint8_t memory[RECEIPT_LOCK_BYTES + 1] = { 0 };
	Lm__ReceiptLockPayload p = LM__RECEIPT_LOCK_PAYLOAD__INIT;
	struct bytes plain;
	terminal_open(&n);
	static const size_t sizes[][2] = { { 0, 0 },
		                           { RECEIPT_LOOKUP_BYTES, RECEIPT_LOCK_BYTES + 1 },
		                           { RECEIPT_LOOKUP_BYTES, RECEIPT_LOCK_BYTES - 1 },
		                           { RECEIPT_LOOKUP_BYTES - 1, RECEIPT_LOCK_BYTES } };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		Lm__Header h = entry_make(T1, OWN, KIND(RECEIPT_LOCK));
		p.lookup = codec_data(BYTES(memory, sizes[i][0]));
		p.lock = codec_data(BYTES(memory, sizes[i][1]));
		assert_ok(&n, CODEC_PACK(&p, &n.arena, &plain, &n.e));
		refuse(&n, ERR_INVALID, &h, plain);
	}
	node_close(&n);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_double_rating),
		cmocka_unit_test(test_the_same_submit_twice),
		cmocka_unit_test(test_a_double_ask),
		cmocka_unit_test(test_statuses_in_order),
		cmocka_unit_test(test_hostile_statuses),
		cmocka_unit_test(test_what_a_status_is_bound_to),
		cmocka_unit_test(test_receipts_with_colliding_codes),
		cmocka_unit_test(test_locks_of_wrong_size),
		cmocka_unit_test(test_what_a_released_receipt_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
