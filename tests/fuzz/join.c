/*
 * Joining: what a stranger asks, and what a stranger answers a new device.
 *
 * Input: what it is, then a JoinRequest or a JoinReply. Signed means that the stranger has keys of its own and signs
 * whatever it asks with them, or holds the hub's key and vouches for any record.
 */
#include "fixture.h" /* of the domain's unit tests */

#include "change.h"

enum { REQUEST, REQUEST_SIGNED, REPLY, REPLY_SIGNED, WHAT_COUNT };
#define NOW_MS 100000

static struct node hub;
static uint8_t signing_public[KEY_BYTES], signing_secret[KEY_BYTES], hub_secret[KEY_BYTES];
static struct hash authority_hash;
static struct bytes authority_packed;
static struct arena kept;

static void token_put(struct node *n, const char *secret, Lm__TokenState state, const struct hash *fingerprint)
{
	Lm__Header h = entry_make(HUB, OWN, KIND(TOKEN));
	Lm__TokenPayload t = LM__TOKEN_PAYLOAD__INIT;
	struct hash hash;
	assert_ok(n, token_hash(secret, &hash, &n->e));
	t.hash = codec_data(BYTES_OF(hash));
	t.fingerprint = codec_data(BYTES_OF(*fingerprint));
	t.role = TERMINAL;
	t.place = "310114106003-T1";
	t.issued_ms = 1;
	t.expires_ms = 200000;
	t.by = "somebody";
	t.state = LM__TOKEN_STATE__TOKEN_STATE_ISSUED;
	assert_ok(n, node_apply_message(n, &h, &t.base));
	t.state = state;
	if (state != LM__TOKEN_STATE__TOKEN_STATE_ISSUED)
		assert_ok(n, node_apply_message(n, &h, &t.base));
}

static void hub_make(void)
{
	Lm__DeviceRecord record;
	struct bytes packed;
	sign_keypair(SUITE_INTERNATIONAL, devices[HUB].key[1], hub_secret, NULL);
	record = device_record(&devices[HUB], LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED);
	struct hash fingerprint;
	device_fingerprint(SUITE_INTERNATIONAL, devices[HUB].key[0], devices[HUB].key[1], devices[HUB].key[2],
	                   &fingerprint, NULL);
	record.device = device_id_of(&fingerprint);
	packed = authority_pack(&hub, &record);
	authority_packed = BYTES(arena_copy(&kept, packed.data, packed.size), packed.size);
	assert_ok(&hub, authority_key_hash(authority_public, &authority_hash, &hub.e));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	arena_init(&kept, 0);
	devices_make();
	node_open(&hub, &devices[HUB]);
	store_forget(hub.folder);
	node_directory(&hub);
	hub_make();
	assert_ok(&hub, sign_keypair(SUITE_INTERNATIONAL, signing_public, signing_secret, &hub.e));
	struct hash fingerprint;
	assert_ok(&hub, device_fingerprint(SUITE_INTERNATIONAL, devices[T1].key[0], signing_public, devices[T1].key[2],
	                                   &fingerprint, &hub.e));
	token_put(&hub, "0123456789ABCDEFGHJ0", LM__TOKEN_STATE__TOKEN_STATE_ISSUED, &fingerprint);
	return 0;
}

static void request_take(struct bytes packed, bool is_signed, struct arena *arena)
{
	Lm__JoinRequest *request;
	Lm__DeviceRecord record;
	Lm__TokenPayload *token;
	struct hash fingerprint, hash;
	uint8_t signature[SIGNATURE_BYTES];
	struct error e = { 0 };
	if (CODEC_UNPACK(lm__join_request, packed, arena, &request, &e))
		return;
	const uint8_t *connection_key = devices[T1].key[0];
	if (is_signed) {
		request->curve_key = codec_data(BYTES(devices[T1].key[0], KEY_BYTES));
		request->signing_key = codec_data(BYTES_OF(signing_public));
		if (request->opening_key.len != KEY_BYTES)
			request->opening_key = codec_data(BYTES(devices[T1].key[2], KEY_BYTES));
		if (join_request_sign(request, signing_secret, signature, &e))
			return;
	}
	if (join_request_check(request, connection_key, &record, &fingerprint, &e)) {
		must(utf8_length(bytes_from_text(e.text)) > 0);
		return;
	}
	must(is_signed && place_level_of(record.place) != PLACE_NONE);
	must(record.role == TERMINAL || record.role == TOWN || record.role == DISTRICT);
	must(record.device == device_id_of(&fingerprint));
	must(!token_hash(request->secret, &hash, &e));
	if (!token_get(hub.txn, &hash, arena, &token) && !token_check(token, &fingerprint, &record, NOW_MS, &e))
		must(strcmp(record.place, token->place) == 0 && record.role == token->role);
}

static void reply_take(struct bytes packed, bool is_signed, struct arena *arena)
{
	Lm__JoinReply *reply;
	Lm__DeviceRecord *record;
	struct hash digest;
	uint8_t signature[SIGNATURE_BYTES];
	struct error e = { 0 };
	if (CODEC_UNPACK(lm__join_reply, packed, arena, &reply, &e) || !reply->certificate)
		return;
	Lm__JoinCertificate *c = reply->certificate;
	if (is_signed) {
		struct bytes parts[] = { bytes_from_text("lm certificate v1"), codec_bytes(c->record) };
		if (!c->authority.len)
			c->authority = codec_data(authority_packed);
		must(!crypto_hash(SUITE_INTERNATIONAL, parts, 2, &digest, NULL));
		must(!sign_make(SUITE_INTERNATIONAL, hub_secret, BYTES_OF(digest), signature, NULL));
		c->signature = codec_data(BYTES_OF(signature));
	}
	if (join_certificate_check(c, &authority_hash, arena, &record, &e)) {
		must(utf8_length(bytes_from_text(e.text)) > 0);
		return;
	}
	must(is_signed && record->curve_key.len == KEY_BYTES && place_level_of(record->place) != PLACE_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	uint8_t what = read_u8(&r) % WHAT_COUNT;
	struct arena arena;
	arena_init(&arena, 4u * 1024 * 1024);
	if (what == REQUEST || what == REQUEST_SIGNED)
		request_take(feed_rest(&r), what == REQUEST_SIGNED, &arena);
	else
		reply_take(feed_rest(&r), what == REPLY_SIGNED, &arena);
	arena_release(&arena);
	return 0;
}

#ifdef LM_FUZZ
static void reply_change(struct prng *p, ProtobufCMessage *message, struct arena *a)
{
	Lm__JoinReply *reply = (Lm__JoinReply *)message;
	if (reply->certificate && prng_below(p, 4))
		packed_change(p, &lm__device_record__descriptor, &reply->certificate->record, a);
	else
		message_change(p, message, a, 0);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	bool is_reply = size && data[0] % WHAT_COUNT >= REPLY;
	return packed_mutate(is_reply ? &lm__join_reply__descriptor : &lm__join_request__descriptor, 1, data, size,
	                     most, seed, is_reply ? reply_change : message_change_whole);
}
#endif
