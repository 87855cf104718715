/* Periods: every recipient opens every entry in any order, nobody else opens any, and the sender forgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"

#define SUITE SUITE_INTERNATIONAL
#define ENTRIES 12
#define PLAIN_BYTES 40

enum { TOWN, DISTRICT, STRANGER, DEVICES };

static struct device {
	uint64_t id;
	uint8_t public[KEY_BYTES], secret[KEY_BYTES];
} device[DEVICES];

static struct period *period;
static struct period_notice notice;
static struct entry {
	char plain[PLAIN_BYTES], associated[16];
	uint8_t sealed[PLAIN_BYTES + TAG_BYTES];
	struct envelope envelope;
} entry[ENTRIES];

static int begin(void **state)
{
	(void)state;
	struct period_recipient recipients[2];
	for (int i = 0; i < DEVICES; i++) {
		device[i].id = 1000 + (uint64_t)i;
		if (agree_keypair(SUITE, device[i].public, device[i].secret, NULL))
			return -1;
	}
	for (int i = 0; i < 2; i++) {
		recipients[i].id = device[i].id;
		memcpy(recipients[i].opening_key, device[i].public, KEY_BYTES);
	}
	if (period_begin(SUITE, recipients, 2, 5000, &period, &notice, NULL))
		return -1;
	for (int i = 0; i < ENTRIES; i++) {
		memset(&entry[i], 0, sizeof entry[i]);
		snprintf(entry[i].plain, sizeof entry[i].plain, "request %d", i);
		snprintf(entry[i].associated, sizeof entry[i].associated, "header %d", i);
		if (period_seal(period, BYTES_OF(entry[i].associated), BYTES_OF(entry[i].plain), entry[i].sealed,
		                &entry[i].envelope, NULL))
			return -1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	period_end(period);
	period_end(NULL);
	return 0;
}

static int opener_of(int who, struct period_opener *o)
{
	return period_opener_init(o, &notice, device[who].id, device[who].public, device[who].secret, NULL);
}

static int entry_open(struct period_opener *o, int i)
{
	uint8_t out[PLAIN_BYTES];
	int code =
	        period_open(o, &entry[i].envelope, BYTES_OF(entry[i].associated), BYTES_OF(entry[i].sealed), out, NULL);
	if (!code)
		assert_memory_equal(out, entry[i].plain, PLAIN_BYTES);
	return code;
}

static void recipients_open_in_any_order(void **state)
{
	(void)state;
	const int orders[][ENTRIES] = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 },
		                        { 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 },
		                        { 5, 5, 0, 11, 5, 6, 1, 11, 3, 4, 2, 7 } };
	for (int who = TOWN; who <= DISTRICT; who++)
		for (size_t order = 0; order < 3; order++) {
			struct period_opener o;
			assert_int_equal(opener_of(who, &o), OK);
			for (size_t i = 0; i < ENTRIES; i++)
				assert_int_equal(entry_open(&o, orders[order][i]), OK);
		}
}

static void nobody_else_opens(void **state)
{
	(void)state;
	struct period_opener o = { .next_index = 77 };
	assert_int_equal(opener_of(STRANGER, &o), ERR_ABSENT);
	/* Another's id with the own key, and the right public key with a wrong secret. */
	assert_int_equal(period_opener_init(&o, &notice, device[TOWN].id, device[STRANGER].public,
	                                    device[STRANGER].secret, NULL),
	                 ERR_ABSENT);
	assert_int_equal(
	        period_opener_init(&o, &notice, device[TOWN].id, device[TOWN].public, device[STRANGER].secret, NULL),
	        ERR_DAMAGED);
	assert_int_equal(o.next_index, 77);
}

static void a_changed_notice_does_not_open(void **state)
{
	(void)state;
	struct period_opener o;
	struct period_notice kept = notice;
	uint8_t *const places[] = { &notice.period_id[3], &notice.wrap[TOWN].ephemeral[0], &notice.wrap[TOWN].sealed[0],
		                    &notice.wrap[TOWN].sealed[KEY_BYTES + TAG_BYTES - 1] };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		*places[i] ^= 4;
		assert_int_equal(opener_of(TOWN, &o), ERR_DAMAGED);
		notice = kept;
	}
	memset(notice.wrap[TOWN].ephemeral, 0, KEY_BYTES); /* a point of small order */
	assert_int_equal(opener_of(TOWN, &o), ERR_DAMAGED);
	notice = kept;
	notice.wrap_count = PERIOD_RECIPIENTS_MOST + 1;
	assert_int_equal(opener_of(TOWN, &o), ERR_INVALID);
	notice = kept;
	notice.suite = 9;
	assert_int_equal(opener_of(TOWN, &o), ERR_VERSION);
	notice = kept;
	/* One recipient's wrap under another's name. */
	notice.wrap[DISTRICT].recipient = device[STRANGER].id;
	assert_int_equal(period_opener_init(&o, &notice, device[STRANGER].id, device[DISTRICT].public,
	                                    device[DISTRICT].secret, NULL),
	                 ERR_DAMAGED);
	notice = kept;
	assert_int_equal(opener_of(TOWN, &o), OK);
}

static void envelopes_and_payloads_belong_together(void **state)
{
	(void)state;
	struct period_opener o;
	uint8_t out[PLAIN_BYTES], zero[PLAIN_BYTES] = { 0 };
	assert_int_equal(opener_of(TOWN, &o), OK);
	assert_int_equal(period_open(&o, &entry[3].envelope, BYTES_OF(entry[3].associated), BYTES_OF(entry[4].sealed),
	                             out, NULL),
	                 ERR_DAMAGED);
	assert_memory_equal(out, zero, sizeof out);
	assert_int_equal(period_open(&o, &entry[3].envelope, BYTES_OF(entry[4].associated), BYTES_OF(entry[3].sealed),
	                             out, NULL),
	                 ERR_DAMAGED);
	struct envelope moved = entry[3].envelope;
	moved.index = 4;
	assert_int_equal(period_open(&o, &moved, BYTES_OF(entry[3].associated), BYTES_OF(entry[3].sealed), out, NULL),
	                 ERR_DAMAGED);
	moved.index = PERIOD_ENTRIES_MOST;
	assert_int_equal(period_open(&o, &moved, BYTES_OF(entry[3].associated), BYTES_OF(entry[3].sealed), out, NULL),
	                 ERR_INVALID);
	moved.index = UINT32_MAX;
	assert_int_equal(period_open(&o, &moved, BYTES_OF(entry[3].associated), BYTES_OF(entry[3].sealed), out, NULL),
	                 ERR_INVALID);
	moved = entry[3].envelope;
	moved.period_id[0] ^= 1;
	assert_int_equal(period_open(&o, &moved, BYTES_OF(entry[3].associated), BYTES_OF(entry[3].sealed), out, NULL),
	                 ERR_INVALID);
	/* What failed has not moved the ratchet. */
	assert_int_equal(o.next_index, 0);
	assert_int_equal(entry_open(&o, 3), OK);
	assert_int_equal(o.next_index, 4);
	assert_int_equal(entry_open(&o, 0), OK);
	assert_int_equal(o.next_index, 4);
}

/* No key may wrap twice: indices run on, and equal texts differ in every sealed byte range. */
static void equal_texts_never_look_alike(void **state)
{
	(void)state;
	struct entry twice[2];
	for (int i = 0; i < 2; i++) {
		memset(&twice[i], 0, sizeof twice[i]);
		assert_int_equal(period_seal(period, BYTES_OF(twice[i].associated), BYTES_OF(twice[i].plain),
		                             twice[i].sealed, &twice[i].envelope, NULL),
		                 OK);
	}
	assert_int_equal(twice[1].envelope.index, twice[0].envelope.index + 1);
	assert_memory_not_equal(twice[0].sealed, twice[1].sealed, sizeof twice[0].sealed);
	assert_memory_not_equal(twice[0].envelope.wrapped_key, twice[1].envelope.wrapped_key,
	                        sizeof twice[0].envelope.wrapped_key);
}

/* Looks into the opaque struct: of all chain keys the sender may hold the next one only. */
static void the_sender_forgets(void **state)
{
	(void)state;
	enum { STRUCT_PERIOD_BYTES = 72 };
	struct period_opener o;
	assert_int_equal(opener_of(TOWN, &o), OK);
	for (int i = 0; i < ENTRIES; i++) {
		assert_null(memmem(period, STRUCT_PERIOD_BYTES, o.next_key, KEY_BYTES));
		assert_int_equal(entry_open(&o, i), OK);
	}
	assert_non_null(memmem(period, STRUCT_PERIOD_BYTES, o.next_key, KEY_BYTES));
}

static void a_period_ends_by_use_age_and_clock(void **state)
{
	(void)state;
	assert_false(period_is_spent(period, 5000));
	assert_false(period_is_spent(period, 5000 + PERIOD_AGE_MOST_MS - 1));
	assert_true(period_is_spent(period, 5000 + PERIOD_AGE_MOST_MS));
	assert_true(period_is_spent(period, 4999));
	assert_true(period_is_spent(period, INT64_MIN));
	assert_true(period_is_spent(period, INT64_MAX));
	uint8_t sealed[TAG_BYTES];
	struct envelope envelope = { 0 };
	for (int i = ENTRIES; i < PERIOD_ENTRIES_MOST; i++) {
		assert_false(period_is_spent(period, 5000));
		assert_int_equal(period_seal(period, (struct bytes){ 0 }, (struct bytes){ 0 }, sealed, &envelope, NULL),
		                 OK);
	}
	assert_true(period_is_spent(period, 5000));
	assert_int_equal(envelope.index, PERIOD_ENTRIES_MOST - 1);
	assert_int_equal(period_seal(period, (struct bytes){ 0 }, (struct bytes){ 0 }, sealed, &envelope, NULL),
	                 ERR_CLOSED);
	struct period_opener o;
	assert_int_equal(opener_of(DISTRICT, &o), OK);
	assert_int_equal(period_open(&o, &envelope, (struct bytes){ 0 }, BYTES_OF(sealed), sealed, NULL), OK);
}

/* Over all marks, forwards and backwards, with an altered one between that makes the opener walk and then refuse. */
static void a_whole_period_opens_in_any_order(void **state)
{
	(void)state;
	static struct {
		uint8_t plain[4], sealed[4 + TAG_BYTES];
		struct envelope envelope;
	} whole[PERIOD_ENTRIES_MOST];
	struct period_opener o;
	struct period_recipient town = { .id = device[TOWN].id };
	struct period *p;
	struct period_notice told;
	memcpy(town.opening_key, device[TOWN].public, KEY_BYTES);
	assert_int_equal(period_begin(SUITE, &town, 1, 5000, &p, &told, NULL), OK);
	for (uint32_t i = 0; i < PERIOD_ENTRIES_MOST; i++) {
		memcpy(whole[i].plain, &i, sizeof i);
		assert_int_equal(period_seal(p, (struct bytes){ 0 }, BYTES_OF(whole[i].plain), whole[i].sealed,
		                             &whole[i].envelope, NULL),
		                 OK);
	}
	period_end(p);
	assert_int_equal(period_opener_init(&o, &told, town.id, device[TOWN].public, device[TOWN].secret, NULL), OK);
	for (uint32_t n = 0; n < 2 * PERIOD_ENTRIES_MOST; n++) {
		uint32_t i = n * 389 % PERIOD_ENTRIES_MOST; /* a prime: each is there */
		uint8_t out[4];
		if (n % 7 == 0)
			assert_int_equal(period_open(&o, &whole[(i + 500) % PERIOD_ENTRIES_MOST].envelope,
			                             (struct bytes){ 0 }, BYTES_OF(whole[i].sealed), out, NULL),
			                 ERR_DAMAGED);
		assert_int_equal(
		        period_open(&o, &whole[i].envelope, (struct bytes){ 0 }, BYTES_OF(whole[i].sealed), out, NULL),
		        OK);
		assert_memory_equal(out, whole[i].plain, sizeof out);
	}
}

static void impossible_recipients_are_refused(void **state)
{
	(void)state;
	struct period_recipient recipients[PERIOD_RECIPIENTS_MOST + 1] = { { .id = 0xABC } };
	struct period *untouched = NULL;
	struct period_notice none = { .wrap_count = 99 };
	struct error e;
	assert_int_equal(period_begin(SUITE, recipients, 0, 0, &untouched, &none, &e), ERR_INVALID);
	assert_int_equal(period_begin(SUITE, recipients, PERIOD_RECIPIENTS_MOST + 1, 0, &untouched, &none, &e),
	                 ERR_INVALID);
	assert_int_equal(period_begin(SUITE, recipients, 1, 0, &untouched, &none, &e),
	                 ERR_INVALID); /* an all-zero key */
	assert_non_null(strstr(e.text, "recipient 0000000000000abc"));
	assert_int_equal(period_begin(3, recipients, 1, 0, &untouched, &none, &e), ERR_VERSION);
	assert_null(untouched);
	assert_int_equal(none.wrap_count, 99);
}

static int crypto_begin(void **state)
{
	(void)state;
	return crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(recipients_open_in_any_order, begin, end),
		cmocka_unit_test_setup_teardown(a_whole_period_opens_in_any_order, begin, end),
		cmocka_unit_test_setup_teardown(nobody_else_opens, begin, end),
		cmocka_unit_test_setup_teardown(a_changed_notice_does_not_open, begin, end),
		cmocka_unit_test_setup_teardown(envelopes_and_payloads_belong_together, begin, end),
		cmocka_unit_test_setup_teardown(equal_texts_never_look_alike, begin, end),
		cmocka_unit_test_setup_teardown(the_sender_forgets, begin, end),
		cmocka_unit_test_setup_teardown(a_period_ends_by_use_age_and_clock, begin, end),
		cmocka_unit_test(impossible_recipients_are_refused),
	};
	return cmocka_run_group_tests(tests, crypto_begin, NULL);
}
