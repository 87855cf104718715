/* Changing keys: who may ask for what, what the hub tells, and that keys follow keys at every tier. */
#include "fixture.h"

#define ADMITTED LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED
#define REVOKED LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED

struct ask {
	struct device_keys next;
	Lm__KeysPayload keys;
	uint8_t signature[SIGNATURE_BYTES];
};

/* The keys after those of a fixture's device; they are real, for they sign. */
static void ask_make(struct node *n, struct ask *a, size_t device, uint32_t generation, const uint8_t *curve)
{
	struct device_keys *k = &a->next;
	memset(a, 0, sizeof *a);
	k->suite = SUITE_INTERNATIONAL;
	k->generation = generation;
	struct writer w = writer_over(k->first.byte, sizeof k->first.byte);
	write_u64(&w, devices[device].id); /* the rest of the fingerprint is not asked for */
	assert_ok(n, agree_keypair(k->suite, k->curve_public, k->curve_secret, &n->e));
	assert_ok(n, agree_keypair(k->suite, k->opening_public, k->opening_secret, &n->e));
	assert_ok(n, sign_keypair(k->suite, k->signing_public, k->signing_secret, &n->e));
	if (curve)
		memcpy(k->curve_public, curve, KEY_BYTES);
	assert_ok(n, keys_ask_sign(k, &a->keys, a->signature, &n->e));
}

static int ask(struct node *n, size_t device, const Lm__KeysPayload *keys)
{
	Lm__Header h = entry_make(device, UP, KIND(KEYS));
	return node_apply_message(n, &h, &keys->base);
}

/* What the hub says of a device next; it is applied, too, as its own entry. NULL: nothing. */
static Lm__DeviceRecord *told(struct node *n)
{
	const struct domain_effect *fx = effect_find(n, DOMAIN_KEYS);
	Lm__DeviceRecord *record;
	if (!fx)
		return NULL;
	assert_int_equal(effect_count(n, DOMAIN_KEYS), 1);
	assert_ok(n, CODEC_UNPACK(lm__device_record, fx->message, &n->arena, &record, &n->e));
	Lm__Header h = entry_make(HUB, ALL, KIND(DEVICE));
	assert_ok(n, node_apply_message(n, &h, &record->base));
	return record;
}

static void test_a_terminal_changes_its_keys(void **state)
{
	(void)state;
	struct node n;
	struct ask first, second;
	Lm__DeviceRecord *record;
	Lm__KeysPayload in_use = LM__KEYS_PAYLOAD__INIT;
	uint8_t key[KEY_BYTES];
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	ask_make(&n, &first, T1, 1, NULL);
	assert_ok(&n, ask(&n, T1, &first.keys));
	record = told(&n);
	assert_non_null(record);
	assert_int_equal(record->device, devices[T1].id);
	assert_int_equal(record->generation, 1);
	assert_true(record->is_passing);
	assert_memory_equal(record->former[0]->curve_key.data, devices[T1].key[0], KEY_BYTES);
	assert_ok(&n, device_signing_key(record, 0, key));
	assert_memory_equal(key, devices[T1].key[1], KEY_BYTES);
	assert_ok(&n, device_signing_key(record, 1, key));
	assert_memory_equal(key, first.next.signing_public, KEY_BYTES);
	assert_int_equal(device_signing_key(record, 2, key), ERR_NOT_READY);
	assert_ok(&n, ask(&n, T1, &first.keys)); /* the ask came twice */
	assert_null(told(&n));
	in_use.generation = 1;
	assert_ok(&n, ask(&n, T1, &in_use));
	record = told(&n);
	assert_non_null(record);
	assert_false(record->is_passing);
	assert_ok(&n, ask(&n, T1, &in_use));
	assert_null(told(&n));
	ask_make(&n, &second, T1, 2, NULL);
	assert_ok(&n, ask(&n, T1, &second.keys));
	record = told(&n);
	assert_int_equal(record->n_former, 2);
	assert_memory_equal(record->former[1]->signing_key.data, first.next.signing_public, KEY_BYTES);
	node_close(&n);
}

static void test_asks_that_are_refused(void **state)
{
	(void)state;
	struct node n;
	struct ask good, a;
	node_open(&n, &devices[HUB]);
	node_directory(&n);
	ask_make(&n, &good, T1, 1, NULL);
	ask_make(&n, &a, T1, 2, NULL);
	assert_refused(&n, ERR_INVALID, ask(&n, T1, &a.keys));          /* skips a generation */
	assert_refused(&n, ERR_BAD_SIGNATURE, ask(&n, T2, &good.keys)); /* made for another device */
	a = good, a.keys.signature = codec_data(BYTES(good.signature, SIGNATURE_BYTES - 1));
	assert_refused(&n, ERR_INVALID, ask(&n, T1, &a.keys));
	a = good, a.keys.opening_key = codec_data(BYTES(devices[T2].key[2], KEY_BYTES)); /* not what was signed */
	assert_refused(&n, ERR_BAD_SIGNATURE, ask(&n, T1, &a.keys));
	ask_make(&n, &a, T1, 1, devices[T2].key[0]);
	assert_refused(&n, ERR_EXISTS, ask(&n, T1, &a.keys));
	ask_make(&n, &a, TOWN_A, 1, NULL); /* its terminals know it by this key */
	assert_refused(&n, ERR_DENIED, ask(&n, TOWN_A, &a.keys));
	ask_make(&n, &a, TOWN_A, 1, devices[TOWN_A].key[0]);
	assert_ok(&n, ask(&n, TOWN_A, &a.keys));
	assert_non_null(told(&n));
	assert_ok(&n, node_admit(&n, T1, REVOKED));
	assert_refused(&n, ERR_REVOKED, ask(&n, T1, &good.keys));
	assert_refused(&n, ERR_DENIED, ask(&n, HUB, &good.keys)); /* the hub asks nobody: its authority speaks */
	node_close(&n);
}

/* The town hears of it from the hub alone, and takes no record that forgets or invents keys. */
static void test_records_that_do_not_follow(void **state)
{
	(void)state;
	struct node hub, town;
	struct ask first, other;
	Lm__DeviceRecord *record, old = device_record(&devices[T1], ADMITTED);
	Lm__Header h = entry_make(HUB, ALL, KIND(DEVICE));
	node_open(&hub, &devices[HUB]);
	node_open(&town, &devices[TOWN_A]);
	node_directory(&hub);
	node_directory(&town);
	ask_make(&hub, &first, T1, 1, NULL);
	ask_make(&hub, &other, T1, 1, NULL);
	assert_ok(&town, ask(&town, T1, &first.keys));
	assert_int_equal(town.fx.count, 0);
	assert_ok(&hub, ask(&hub, T1, &first.keys));
	record = told(&hub);
	assert_ok(&town, node_apply_message(&town, &h, &record->base));
	assert_non_null(effect_find(&town, DOMAIN_DIRECTORY));
	assert_refused(&town, ERR_DENIED, node_apply_message(&town, &h, &old.base));
	Lm__DeviceRecord changed = *record;
	changed.signing_key = other.keys.signing_key; /* the same generation, another key */
	assert_refused(&town, ERR_DENIED, node_apply_message(&town, &h, &changed.base));
	changed = *record;
	changed.n_former = 0;
	assert_refused(&town, ERR_INVALID, node_apply_message(&town, &h, &changed.base));
	changed = *record;
	Lm__FormerKeys invented = *record->former[0], *list[] = { &invented };
	invented.signing_key = other.keys.signing_key;
	changed.former = list;
	assert_refused(&town, ERR_INVALID,
	               node_apply_message(&town, &h, &changed.base)); /* its id does not belong to it */
	node_close(&hub);
	node_close(&town);
}

static void test_the_hubs_own(void **state)
{
	(void)state;
	struct node n;
	struct ask a;
	Lm__DeviceRecord known = device_record(&devices[HUB], ADMITTED), next, *hub;
	Lm__AuthorityPayload *authority;
	Lm__Header h = entry_make(HUB, ALL, KIND(AUTHORITY));
	node_open(&n, &devices[T1]);
	node_directory(&n);
	ask_make(&n, &a, HUB, 1, devices[HUB].key[0]);
	assert_ok(&n, keys_record(&known, &a.keys, 7000, &n.arena, &next, &n.e));
	assert_int_equal(next.former[0]->until_ms, 7000);
	assert_true(next.is_passing);
	assert_ok(&n, node_apply(&n, &h, authority_pack(&n, &next)));
	assert_ok(&n, authority_get(n.txn, &n.arena, &authority, &hub));
	assert_int_equal(hub->generation, 1);
	assert_refused(&n, ERR_DENIED, node_apply(&n, &h, authority_pack(&n, &known)));
	next.generation = KEY_CHANGES_MOST;
	assert_refused(&n, ERR_FULL, keys_record(&next, &a.keys, 7000, &n.arena, &known, &n.e));
	node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_terminal_changes_its_keys),
		cmocka_unit_test(test_asks_that_are_refused),
		cmocka_unit_test(test_records_that_do_not_follow),
		cmocka_unit_test(test_the_hubs_own),
	};
	devices_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
