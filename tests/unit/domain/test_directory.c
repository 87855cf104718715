/* The directory: who vouches for whom, that a revoked key stays revoked, and finding a device. */
#include "fixture.h"

#define ADMITTED LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED
#define REVOKED LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED

/* A refusal leaves neither rows nor effects. */
#define assert_no_trace(n, expected, call)                           \
	do {                                                         \
		struct hash before = node_hash(n);                   \
		assert_refused(n, expected, call);                   \
		struct hash after = node_hash(n);                    \
		assert_memory_equal(&before, &after, sizeof before); \
		assert_int_equal((n)->fx.count, 0);                  \
		assert_int_equal(store_failure((n)->txn, NULL), OK); \
	} while (0)

static int apply_record(struct node *n, size_t origin, const Lm__DeviceRecord *r)
{
	Lm__Header h = entry_make(origin, ALL, KIND(DEVICE));
	return node_apply_message(n, &h, &r->base);
}

static int apply_authority_of(struct node *n, size_t origin, struct bytes payload)
{
	Lm__Header h = entry_make(origin, ALL, KIND(AUTHORITY));
	return node_apply(n, &h, payload);
}

/* ---- the authority ---- */

static void test_authority_check(void **state)
{
	(void)state;
	struct node n;
	struct hash hash, other = { { 1 } };
	Lm__DeviceRecord *hub = NULL;
	node_open(&n, &devices[T1]);
	assert_ok(&n, authority_key_hash(authority_public, &hash, &n.e));
	Lm__DeviceRecord record = device_record(&devices[HUB], ADMITTED);
	struct bytes payload = authority_pack(&n, &record);
	assert_ok(&n, authority_check(payload, &hash, &n.arena, &hub, &n.e));
	assert_int_equal(hub->device, devices[HUB].id);
	assert_refused(&n, ERR_DENIED, authority_check(payload, &other, &n.arena, &hub, &n.e));
	assert_says(&n, "another district");
	for (size_t i = 0; i < payload.size; i++) { /* any flipped bit is noticed */
		((uint8_t *)(uintptr_t)payload.data)[i] ^= 1;
		assert_int_not_equal(authority_check(payload, &hash, &n.arena, &hub, NULL), OK);
		((uint8_t *)(uintptr_t)payload.data)[i] ^= 1;
	}
	assert_int_equal(authority_check(BYTES(NULL, 0), &hash, &n.arena, &hub, &n.e), ERR_INVALID);
	record = device_record(&devices[TOWN_A], ADMITTED);
	assert_refused(&n, ERR_INVALID, authority_check(authority_pack(&n, &record), &hash, &n.arena, &hub, &n.e));
	assert_says(&n, "not a hub");
	node_close(&n);
}

static void test_one_authority(void **state)
{
	(void)state;
	struct node n;
	Lm__AuthorityPayload *authority;
	Lm__DeviceRecord *hub, record = device_record(&devices[HUB], ADMITTED);
	node_open(&n, &devices[T1]);
	assert_int_equal(authority_get(n.txn, &n.arena, &authority, &hub), ERR_NOT_FOUND);
	struct bytes good = authority_pack(&n, &record);
	assert_no_trace(&n, ERR_INVALID, apply_authority_of(&n, TOWN_A, good)); /* of another hub than itself */
	assert_ok(&n, apply_authority_of(&n, HUB, good));
	assert_non_null(effect_find(&n, DOMAIN_DIRECTORY));
	assert_ok(&n, authority_get(n.txn, &n.arena, &authority, &hub));
	assert_int_equal(hub->device, devices[HUB].id);
	assert_ok(&n, apply_authority_of(&n, HUB, good)); /* again is fine */

	/* Somebody makes a key of his own, and vouches for a hub of his own with it. */
	static struct device false_hub = { .role = DISTRICT, .place = "310114" };
	uint8_t kept[2][KEY_BYTES];
	struct hash fingerprint;
	memcpy(kept[0], authority_public, KEY_BYTES);
	memcpy(kept[1], authority_secret, KEY_BYTES);
	assert_ok(&n, sign_keypair(SUITE_INTERNATIONAL, authority_public, authority_secret, &n.e));
	assert_ok(&n, device_fingerprint(SUITE_INTERNATIONAL, false_hub.key[0], false_hub.key[1], false_hub.key[2],
	                                 &fingerprint, &n.e));
	false_hub.id = device_id_of(&fingerprint);
	record = device_record(&false_hub, ADMITTED);
	Lm__Header h = entry_make(HUB, ALL, KIND(AUTHORITY));
	h.origin = false_hub.id;
	assert_no_trace(&n, ERR_DENIED, node_apply(&n, &h, authority_pack(&n, &record)));
	assert_says(&n, "another authority");
	memcpy(authority_public, kept[0], KEY_BYTES);
	memcpy(authority_secret, kept[1], KEY_BYTES);
	/* Nor can an entry of the directory make a hub. */
	assert_ok(&n, node_admit(&n, TOWN_A, ADMITTED));
	assert_no_trace(&n, ERR_DENIED, apply_record(&n, HUB, &record));
	node_close(&n);
}

static void test_a_revoked_hub(void **state)
{
	(void)state;
	struct node n;
	Lm__DeviceRecord record = device_record(&devices[HUB], ADMITTED);
	node_open(&n, &devices[T1]);
	node_directory(&n);
	assert_ok(&n, node_admit(&n, HUB, REVOKED));
	assert_no_trace(&n, ERR_REVOKED, apply_authority_of(&n, HUB, authority_pack(&n, &record)));
	node_close(&n);
}

/* ---- devices ---- */

static void test_a_revoked_key_stays_revoked(void **state)
{
	(void)state;
	struct node n;
	Lm__DeviceRecord *record;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	assert_ok(&n, node_admit(&n, T1, REVOKED));
	assert_int_equal(effect_find(&n, DOMAIN_DIRECTORY)->device, devices[T1].id);
	assert_ok(&n, device_get(n.txn, devices[T1].id, &n.arena, &record));
	assert_int_equal(record->status, REVOKED);
	assert_no_trace(&n, ERR_REVOKED, node_admit(&n, T1, ADMITTED));
	assert_ok(&n, node_admit(&n, T1, REVOKED)); /* with another reason, say */
	/* Its entries in custody go on: whether they came too late is not for apply to say. */
	assert_ok(&n, node_publish(&n, "town", 1, TOWN));
	struct id id = id_of(1);
	assert_ok(&n, node_request(&n, T1, &id, "town", 1));
	node_close(&n);
}

static void test_records_that_are_wrong(void **state)
{
	(void)state;
	struct node n;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	const Lm__DeviceRecord good = device_record(&devices[T1], ADMITTED);
	Lm__DeviceRecord r;
	assert_ok(&n, device_record_check(&good, &n.e));
	r = good, r.suite = 2;
	assert_no_trace(&n, ERR_VERSION, apply_record(&n, HUB, &r));
	r = good, r.suite = 257; /* 1, if it were cut to a byte */
	assert_no_trace(&n, ERR_VERSION, apply_record(&n, HUB, &r));
	r = good, r.curve_key.len = 31;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.signing_key.len = 0;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.opening_key = r.curve_key; /* not the keys of this id */
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.device++;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.role = LM__TIER__TIER_NONE;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.role = (Lm__Tier)4;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.role = TOWN; /* at a terminal's place */
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.place = "";
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.place = "310114106001-T1/../../x";
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.status = LM__DEVICE_STATUS__DEVICE_STATUS_NONE;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	r = good, r.status = (Lm__DeviceStatus)3;
	assert_no_trace(&n, ERR_INVALID, apply_record(&n, HUB, &r));
	assert_no_trace(&n, ERR_DENIED, apply_record(&n, TOWN_A, &good));
	assert_no_trace(&n, ERR_DENIED, apply_record(&n, T2, &good));
	Lm__Header h = entry_make(HUB, ALL, KIND(DEVICE));
	assert_no_trace(&n, ERR_VERSION, node_apply(&n, &h, BYTES(NULL, 0))); /* an empty record: suite 0 */
	node_close(&n);
}

/* ---- finding ---- */

/* A device of its own keys at the place of another. */
static struct device device_like(const struct device *d, int number)
{
	struct device copy = *d;
	struct hash fingerprint;
	memset(copy.key[0], number, KEY_BYTES);
	assert_int_equal(
	        device_fingerprint(SUITE_INTERNATIONAL, copy.key[0], copy.key[1], copy.key[2], &fingerprint, NULL), OK);
	copy.id = device_id_of(&fingerprint);
	return copy;
}

static void test_finding(void **state)
{
	(void)state;
	struct node n;
	Lm__DeviceRecord *found;
	node_open(&n, &devices[HUB]);
	assert_int_equal(device_find_key(n.txn, devices[T1].key[0], &n.arena, &found), ERR_NOT_FOUND);
	node_directory(&n);
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		assert_ok(&n, device_find_key(n.txn, devices[i].key[0], &n.arena, &found));
		assert_int_equal(found->device, devices[i].id);
		assert_ok(&n, device_find_place(n.txn, devices[i].place, &n.arena, &found));
		assert_int_equal(found->device, devices[i].id);
	}
	assert_int_equal(device_find_key(n.txn, devices[T1].key[1], &n.arena, &found), ERR_NOT_FOUND);
	assert_int_equal(device_find_place(n.txn, "310114106001", &n.arena, &found), ERR_NOT_FOUND);
	assert_int_equal(device_town_of(n.txn, "310114106001-T1", &n.arena), devices[TOWN_A].id);
	assert_int_equal(device_town_of(n.txn, "310114106", &n.arena), devices[TOWN_A].id);
	assert_int_equal(device_town_of(n.txn, "310114107009-T3", &n.arena), devices[TOWN_B].id);
	assert_int_equal(device_town_of(n.txn, "310114199001-T1", &n.arena), 0);
	assert_int_equal(device_town_of(n.txn, "310114", &n.arena), 0);
	assert_int_equal(device_town_of(n.txn, "", &n.arena), 0);
	node_close(&n);
}

static void test_the_admitted_one_of_a_place(void **state)
{
	(void)state;
	struct node n;
	Lm__DeviceRecord *found;
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	/* One that is broken is revoked, later ones follow it; some sort before it, some behind. */
	assert_ok(&n, node_admit(&n, T1, REVOKED));
	for (int i = 1; i <= 8; i++) {
		struct device next = device_like(&devices[T1], 100 + i);
		Lm__DeviceRecord r = device_record(&next, ADMITTED);
		r.since_ms = 2000 + i;
		assert_ok(&n, apply_record(&n, HUB, &r));
		assert_ok(&n, device_find_place(n.txn, devices[T1].place, &n.arena, &found));
		assert_int_equal(found->device, next.id);
		r.status = REVOKED;
		r.since_ms = 3000 + i;
		assert_ok(&n, apply_record(&n, HUB, &r));
		assert_ok(&n, device_find_place(n.txn, devices[T1].place, &n.arena, &found));
		assert_int_equal(found->device, next.id); /* none is admitted: the newest */
	}
	node_close(&n);
}

static bool visit_some(void *context, const Lm__DeviceRecord *record)
{
	size_t *left = context;
	assert_true(record->device != 0);
	return --*left > 0;
}

static void test_each_device(void **state)
{
	(void)state;
	struct node n;
	size_t left = 100;
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	assert_ok(&n, device_each(n.txn, &n.arena, visit_some, &left));
	assert_int_equal(left, 100 - DEVICE_COUNT);
	left = 2;
	assert_ok(&n, device_each(n.txn, &n.arena, visit_some, &left));
	assert_int_equal(left, 0);
	node_close(&n);
}

/* ---- accounts and secrets ---- */

static int apply_account_of(struct node *n, size_t origin, const char *name, const char *role, const char *hash)
{
	Lm__AccountPayload a = LM__ACCOUNT_PAYLOAD__INIT;
	Lm__Header h = entry_make(origin, OWN, KIND(ACCOUNT));
	a.name = (char *)(uintptr_t)name;
	a.role = (char *)(uintptr_t)role;
	a.password_hash = (char *)(uintptr_t)hash;
	return node_apply_message(n, &h, &a.base);
}

static void test_accounts(void **state)
{
	(void)state;
	struct node n;
	Lm__AccountPayload *a;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	assert_ok(&n, apply_account_of(&n, TOWN_A, "wang.li", "clerk", "hash"));
	assert_ok(&n, account_get(n.txn, "wang.li", &n.arena, &a));
	assert_string_equal(a->password_hash, "hash");
	assert_ok(&n, apply_account_of(&n, TOWN_A, "wang.li", "clerk", "")); /* closed */
	assert_ok(&n, account_get(n.txn, "wang.li", &n.arena, &a));
	assert_string_equal(a->password_hash, "");
	assert_no_trace(&n, ERR_INVALID, apply_account_of(&n, TOWN_A, "wang.li", "operator", "hash"));
	assert_no_trace(&n, ERR_INVALID, apply_account_of(&n, TOWN_A, "w", "clerk", "hash"));
	assert_no_trace(&n, ERR_INVALID, apply_account_of(&n, TOWN_A, "Wang", "clerk", "hash"));
	assert_no_trace(&n, ERR_INVALID,
	                apply_account_of(&n, TOWN_A, "abcdefghijklmnopqrstuvwxyz0123456", "clerk", "hash"));
	assert_no_trace(&n, ERR_DENIED, apply_account_of(&n, HUB, "li.na", "clerk", "hash"));
	assert_int_equal(account_get(n.txn, "li.na", &n.arena, &a), ERR_NOT_FOUND);
	assert_int_equal(account_get(n.txn, "", &n.arena, &a), ERR_NOT_FOUND);
	assert_int_equal(
	        account_get(n.txn, "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012", &n.arena, &a),
	        ERR_NOT_FOUND);
	node_close(&n);
}

static void test_one_secret(void **state)
{
	(void)state;
	struct node n;
	Lm__NodeSecretPayload *secret, empty = LM__NODE_SECRET_PAYLOAD__INIT;
	node_open(&n, &devices[TOWN_A]);
	assert_int_equal(secret_get(n.txn, &n.arena, &secret), ERR_NOT_FOUND);
	Lm__Header h = entry_make(TOWN_A, OWN, KIND(NODE_SECRET));
	assert_no_trace(&n, ERR_INVALID, node_apply_message(&n, &h, &empty.base));
	node_secret(&n, TOWN_A);
	assert_non_null(effect_find(&n, DOMAIN_SECRET));
	assert_ok(&n, secret_get(n.txn, &n.arena, &secret));
	assert_int_equal(secret->code_hash_key.data[0], 7);
	assert_no_trace(&n, ERR_EXISTS, node_apply_message(&n, &h, &empty.base));
	node_close(&n);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authority_check),
		cmocka_unit_test(test_one_authority),
		cmocka_unit_test(test_a_revoked_hub),
		cmocka_unit_test(test_a_revoked_key_stays_revoked),
		cmocka_unit_test(test_records_that_are_wrong),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_the_admitted_one_of_a_place),
		cmocka_unit_test(test_each_device),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_one_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
