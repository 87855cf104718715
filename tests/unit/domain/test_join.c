/* Joining: what becomes of a token, who may ask with it, and what a device believes. */
#include "base/prng.h"
#include "fixture.h"

#define ISSUED LM__TOKEN_STATE__TOKEN_STATE_ISSUED
#define USED LM__TOKEN_STATE__TOKEN_STATE_USED
#define WITHDRAWN LM__TOKEN_STATE__TOKEN_STATE_WITHDRAWN
#define ADMITTED LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED
#define MINUTE_MS 60000
#define MUTATIONS 20000

static struct device_keys keys, hub_keys;
static struct hash fingerprint, authority;

static void keys_draw(struct device_keys *k)
{
	k->suite = SUITE_INTERNATIONAL;
	assert_int_equal(agree_keypair(k->suite, k->curve_public, k->curve_secret, NULL), OK);
	assert_int_equal(sign_keypair(k->suite, k->signing_public, k->signing_secret, NULL), OK);
	assert_int_equal(agree_keypair(k->suite, k->opening_public, k->opening_secret, NULL), OK);
}

static int setup(void **state)
{
	(void)state;
	devices_make();
	keys_draw(&keys);
	keys_draw(&hub_keys);
	assert_int_equal(authority_key_hash(authority_public, &authority, NULL), OK);
	return device_fingerprint(keys.suite, keys.curve_public, keys.signing_public, keys.opening_public, &fingerprint,
	                          NULL);
}

/* ---- tokens ---- */

static struct hash hash_of(uint8_t number)
{
	return (struct hash){ { number } };
}

static Lm__TokenPayload token_make(struct hash *hash, Lm__TokenState token_state)
{
	Lm__TokenPayload t = LM__TOKEN_PAYLOAD__INIT;
	t.hash = codec_data(BYTES(hash->byte, HASH_BYTES));
	t.state = token_state;
	t.fingerprint = codec_data(BYTES_OF(fingerprint));
	t.role = TERMINAL;
	t.place = "310114106009-T1";
	t.issued_ms = 1000;
	t.expires_ms = 1000 + 15 * MINUTE_MS;
	t.by = "operator1";
	return t;
}

static int apply_at(struct node *n, size_t origin, const Lm__TokenPayload *t, int64_t taken_ms)
{
	struct bytes plain;
	Lm__Header h = entry_make(origin, OWN, KIND(TOKEN));
	assert_ok(n, CODEC_PACK(t, &n->arena, &plain, &n->e));
	struct domain_item item = item_make(n, &h, plain);
	item.taken_ms = taken_ms;
	domain_effects_clear(&n->fx);
	return node_apply_item(n, &item);
}

#define assert_unchanged(n, expected, call)                          \
	do {                                                         \
		struct hash before = node_hash(n);                   \
		assert_refused(n, expected, call);                   \
		struct hash after = node_hash(n);                    \
		assert_memory_equal(&before, &after, sizeof before); \
		assert_int_equal(store_failure((n)->txn, NULL), OK); \
	} while (0)

static Lm__TokenState state_of(struct node *n, struct hash hash)
{
	Lm__TokenPayload *t;
	assert_ok(n, token_get(n->txn, &hash, &n->arena, &t));
	return t->state;
}

static void test_a_token_is_used_once(void **state)
{
	(void)state;
	struct node n;
	struct hash one = hash_of(1), two = hash_of(2), late = hash_of(3), unknown = hash_of(4);
	Lm__TokenPayload t = token_make(&one, ISSUED);
	node_open(&n, &devices[HUB]);
	assert_ok(&n, apply_at(&n, HUB, &t, 1000));
	assert_unchanged(&n, ERR_EXISTS, apply_at(&n, HUB, &t, 1001));
	t = token_make(&one, USED);
	assert_ok(&n, apply_at(&n, HUB, &t, 1000 + 15 * MINUTE_MS)); /* the last moment */
	assert_int_equal(state_of(&n, one), USED);
	assert_unchanged(&n, ERR_CONFLICT, apply_at(&n, HUB, &t, 2000));
	t = token_make(&one, WITHDRAWN);
	assert_unchanged(&n, ERR_CONFLICT, apply_at(&n, HUB, &t, 2000));

	t = token_make(&two, ISSUED);
	assert_ok(&n, apply_at(&n, HUB, &t, 1000));
	t = token_make(&two, WITHDRAWN);
	t.by = "operator2";
	assert_ok(&n, apply_at(&n, HUB, &t, 99 * MINUTE_MS)); /* it does no harm when it is over already */
	assert_int_equal(state_of(&n, two), WITHDRAWN);
	t = token_make(&two, USED);
	assert_unchanged(&n, ERR_CONFLICT, apply_at(&n, HUB, &t, 2000));

	t = token_make(&late, ISSUED);
	assert_ok(&n, apply_at(&n, HUB, &t, 1000));
	t = token_make(&late, USED);
	assert_unchanged(&n, ERR_DENIED, apply_at(&n, HUB, &t, 1001 + 15 * MINUTE_MS));
	t = token_make(&unknown, USED);
	assert_unchanged(&n, ERR_NOT_FOUND, apply_at(&n, HUB, &t, 2000));
	node_close(&n);
}

static void test_tokens_that_are_wrong(void **state)
{
	(void)state;
	struct node n;
	struct hash hash = hash_of(1);
	const Lm__TokenPayload good = token_make(&hash, ISSUED);
	Lm__TokenPayload t;
	node_open(&n, &devices[HUB]);
#define assert_wrong(change)                                                    \
	do {                                                                    \
		t = good;                                                       \
		change;                                                         \
		assert_unchanged(&n, ERR_INVALID, apply_at(&n, HUB, &t, 1000)); \
	} while (0)
	assert_wrong(t.hash.len = 31);
	assert_wrong(t.state = LM__TOKEN_STATE__TOKEN_STATE_NONE);
	assert_wrong(t.state = (Lm__TokenState)9);
	assert_wrong(t.fingerprint.len = 8);
	assert_wrong(t.role = DISTRICT);
	assert_wrong(t.role = (Lm__Tier)9);
	assert_wrong(t.role = TOWN);
	assert_wrong(t.place = "310114106");
	assert_wrong(t.place = "310115106009-T1");
	assert_wrong(t.expires_ms = t.issued_ms);
	assert_wrong(t.expires_ms = t.issued_ms + 15 * MINUTE_MS + 1);
	assert_unchanged(&n, ERR_DENIED, apply_at(&n, TOWN_A, &good, 1000)); /* nobody else's */
	Lm__Header h = entry_make(HUB, OWN, KIND(TOKEN));
	assert_unchanged(&n, ERR_INVALID, node_apply(&n, &h, BYTES("\x0a\xff", 2)));
	node_close(&n);
	node_open(&n, &devices[TOWN_A]);
	assert_unchanged(&n, ERR_INVALID, apply_at(&n, TOWN_A, &good, 1000)); /* nor elsewhere */
	node_close(&n);
}

static void test_whom_a_token_admits(void **state)
{
	(void)state;
	struct node n;
	struct hash hash = hash_of(1), other = { { 9 } };
	Lm__TokenPayload t = token_make(&hash, ISSUED);
	Lm__DeviceRecord r = LM__DEVICE_RECORD__INIT;
	r.role = TERMINAL;
	r.place = "310114106009-T1";
	node_open(&n, &devices[HUB]);
	assert_ok(&n, token_check(&t, &fingerprint, &r, t.expires_ms, &n.e));
	assert_refused(&n, ERR_DENIED, token_check(&t, &fingerprint, &r, t.expires_ms + 1, &n.e));
	assert_says(&n, "valid until");
	assert_refused(&n, ERR_DENIED, token_check(&t, &other, &r, 1000, &n.e));
	assert_says(&n, "another device");
	r.place = "310114106008-T1";
	assert_refused(&n, ERR_DENIED, token_check(&t, &fingerprint, &r, 1000, &n.e));
	assert_says(&n, "310114106009-T1");
	r.place = t.place;
	r.role = TOWN;
	assert_refused(&n, ERR_DENIED, token_check(&t, &fingerprint, &r, 1000, &n.e));
	r.role = TERMINAL;
	t.state = WITHDRAWN;
	assert_refused(&n, ERR_DENIED, token_check(&t, &fingerprint, &r, 1000, &n.e));
	assert_says(&n, "withdrawn by operator1");
	t.state = USED; /* long ago, and the answer was lost */
	assert_refused(&n, ERR_EXISTS, token_check(&t, &fingerprint, &r, t.expires_ms + 1, &n.e));
	assert_refused(&n, ERR_DENIED, token_check(&t, &other, &r, 1000, &n.e));
	node_close(&n);
}

/* ---- a request ---- */

static Lm__JoinRequest request_make(uint8_t signature[SIGNATURE_BYTES])
{
	static char secret[TOKEN_SECRET_BYTES];
	static const uint8_t random[TOKEN_SECRET_CHARACTERS - 1] = { 1, 2, 3 };
	Lm__JoinRequest r = LM__JOIN_REQUEST__INIT;
	token_secret_make(random, secret);
	r.version = JOIN_VERSION;
	r.suite = SUITE_INTERNATIONAL;
	r.curve_key = codec_data(BYTES_OF(keys.curve_public));
	r.signing_key = codec_data(BYTES_OF(keys.signing_public));
	r.opening_key = codec_data(BYTES_OF(keys.opening_public));
	r.role = TERMINAL;
	r.place = "310114106009-T1";
	r.secret = secret;
	assert_int_equal(join_request_sign(&r, keys.signing_secret, signature, NULL), OK);
	return r;
}

static void test_a_request(void **state)
{
	(void)state;
	struct error e = { 0 };
	uint8_t signature[SIGNATURE_BYTES], stranger[KEY_BYTES] = { 1 };
	Lm__DeviceRecord record;
	struct hash hash;
	const Lm__JoinRequest good = request_make(signature);
	Lm__JoinRequest r = good;
	assert_int_equal(join_request_check(&r, keys.curve_public, &record, &hash, &e), OK);
	assert_memory_equal(&hash, &fingerprint, sizeof hash);
	assert_int_equal(record.device, device_id_of(&fingerprint));
	assert_int_equal(join_request_check(&r, stranger, &record, &hash, &e), ERR_DENIED);
#define assert_bad(code, change)                                                                         \
	do {                                                                                             \
		r = good;                                                                                \
		change;                                                                                  \
		assert_int_equal(join_request_check(&r, keys.curve_public, &record, &hash, &e), (code)); \
	} while (0)
	assert_bad(ERR_VERSION, r.version = 2);
	assert_bad(ERR_VERSION, r.suite = 2);
	assert_bad(ERR_DENIED, r.curve_key.len = 0);
	assert_bad(ERR_INVALID, r.signing_key.len = 31);
	assert_bad(ERR_INVALID, r.opening_key.len = 0);
	assert_bad(ERR_INVALID, r.signature.len = 63);
	assert_bad(ERR_INVALID, r.secret = "");
	assert_bad(ERR_INVALID, r.secret = "00000000000000000000");
	assert_bad(ERR_INVALID, r.place = "");
	assert_bad(ERR_INVALID, r.role = TOWN);
	assert_bad(ERR_BAD_SIGNATURE, r.place = "310114106008-T1"); /* the device signed for another place */
	assert_bad(ERR_BAD_SIGNATURE, r.opening_key = codec_data(BYTES_OF(keys.curve_public)));
}

/* ---- a certificate ---- */

static Lm__JoinCertificate *certificate_for(struct node *n, Lm__DeviceRecord *record)
{
	static struct device hub = { .role = DISTRICT, .place = "310114" };
	Lm__JoinCertificate *c;
	struct hash hash;
	memcpy(hub.key[0], hub_keys.curve_public, KEY_BYTES);
	memcpy(hub.key[1], hub_keys.signing_public, KEY_BYTES);
	memcpy(hub.key[2], hub_keys.opening_public, KEY_BYTES);
	assert_ok(n, device_fingerprint(SUITE_INTERNATIONAL, hub.key[0], hub.key[1], hub.key[2], &hash, &n->e));
	hub.id = device_id_of(&hash);
	Lm__DeviceRecord of_hub = device_record(&hub, ADMITTED);
	store_put(n->txn, &domain_table_authority, bytes_from_text("authority"), authority_pack(n, &of_hub));
	assert_ok(n, join_certificate_make(n->txn, record, hub_keys.signing_secret, &n->arena, &c, &n->e));
	return c;
}

static void test_a_certificate(void **state)
{
	(void)state;
	struct node n;
	struct hash other = { { 1 } };
	Lm__DeviceRecord record = device_record(&devices[T1], ADMITTED), *read;
	Lm__JoinCertificate *again;
	struct bytes one, two;
	node_open(&n, &devices[HUB]);
	Lm__JoinCertificate *c = certificate_for(&n, &record);
	assert_ok(&n, join_certificate_check(c, &authority, &n.arena, &read, &n.e));
	assert_int_equal(read->device, devices[T1].id);
	assert_string_equal(read->place, devices[T1].place);
	assert_refused(&n, ERR_DENIED, join_certificate_check(c, &other, &n.arena, &read, &n.e));
	assert_says(&n, "another district");
	assert_ok(&n, join_certificate_make(n.txn, &record, hub_keys.signing_secret, &n.arena, &again, &n.e));
	assert_ok(&n, CODEC_PACK(c, &n.arena, &one, &n.e));
	assert_ok(&n, CODEC_PACK(again, &n.arena, &two, &n.e));
	assert_true(bytes_equal(one, two)); /* the same device gets the same bytes */
	assert_ok(&n, join_certificate_make(n.txn, &record, keys.signing_secret, &n.arena, &again, &n.e));
	assert_refused(&n, ERR_BAD_SIGNATURE, join_certificate_check(again, &authority, &n.arena, &read, &n.e));
	node_close(&n);
}

/* ---- bytes that are cut or changed ---- */

static int reply_read(struct bytes packed, struct arena *arena)
{
	Lm__JoinReply *reply;
	Lm__DeviceRecord *record;
	int result = CODEC_UNPACK(lm__join_reply, packed, arena, &reply, NULL);
	if (result || !reply->certificate)
		return result ? result : ERR_INVALID;
	return join_certificate_check(reply->certificate, &authority, arena, &record, NULL);
}

static int request_read(struct bytes packed, struct arena *arena)
{
	Lm__JoinRequest *request;
	Lm__DeviceRecord record;
	struct hash hash;
	int result = CODEC_UNPACK(lm__join_request, packed, arena, &request, NULL);
	return result ? result : join_request_check(request, keys.curve_public, &record, &hash, NULL);
}

/* In memory that ends where the bytes end, so that a sanitizer sees a byte too far. */
static int read_exactly(int (*read)(struct bytes, struct arena *), const uint8_t *data, size_t size)
{
	struct arena arena;
	uint8_t *copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, data, size);
	arena_init(&arena, 0);
	int result = read(BYTES(copy, size), &arena);
	arena_release(&arena);
	free(copy);
	return result;
}

static void damage(int (*read)(struct bytes, struct arena *), struct bytes good)
{
	struct prng p;
	size_t accepted = 0;
	prng_seed(&p, 7);
	assert_int_equal(read_exactly(read, good.data, good.size), OK);
	for (size_t size = 0; size < good.size; size++)
		assert_int_not_equal(read_exactly(read, good.data, size), OK);
	uint8_t *changed = malloc(good.size);
	assert_non_null(changed);
	for (int round = 0; round < MUTATIONS; round++) {
		memcpy(changed, good.data, good.size);
		for (uint64_t times = 1 + prng_below(&p, 3); times; times--)
			changed[prng_below(&p, good.size)] ^= (uint8_t)(1 + prng_below(&p, 255));
		accepted += memcmp(changed, good.data, good.size) != 0 && read_exactly(read, changed, good.size) == OK;
	}
	free(changed);
	/* A tag that was changed into one that this version does not know carries nothing: what is left is genuine. */
	assert_true(accepted < MUTATIONS / 100);
}

static void test_damaged_messages(void **state)
{
	(void)state;
	struct node n;
	struct bytes packed;
	uint8_t signature[SIGNATURE_BYTES];
	Lm__DeviceRecord record = device_record(&devices[T1], ADMITTED);
	Lm__JoinRequest request = request_make(signature);
	Lm__JoinReply reply = LM__JOIN_REPLY__INIT;
	node_open(&n, &devices[HUB]);
	assert_ok(&n, CODEC_PACK(&request, &n.arena, &packed, &n.e));
	damage(request_read, packed);
	reply.certificate = certificate_for(&n, &record);
	assert_ok(&n, CODEC_PACK(&reply, &n.arena, &packed, &n.e));
	damage(reply_read, packed);
	node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_token_is_used_once), cmocka_unit_test(test_tokens_that_are_wrong),
		cmocka_unit_test(test_whom_a_token_admits),  cmocka_unit_test(test_a_request),
		cmocka_unit_test(test_a_certificate),        cmocka_unit_test(test_damaged_messages),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
