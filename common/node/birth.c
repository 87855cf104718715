/* The first entries of a node's life, and the first of each of its starts. */
#include "inside.h"
#include "rotation.h"

static int secret_append(struct turn *t, struct error *e)
{
	uint8_t key[KEY_BYTES], salt[DEVICE_SALT_BYTES];
	struct bytes packed;
	struct placed placed;
	Lm__NodeSecretPayload secret = LM__NODE_SECRET_PAYLOAD__INIT;
	Lm__Header h = LM__HEADER__INIT;
	int result = crypto_random(key, sizeof key, e);
	if (!result)
		result = crypto_random(salt, sizeof salt, e);
	secret.code_hash_key = codec_data(BYTES_OF(key));
	secret.device_salt = codec_data(BYTES_OF(salt));
	if (!result)
		result = CODEC_PACK(&secret, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_NODE_SECRET;
	crypto_wipe(key, sizeof key);
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static void hub_record(const struct node *n, Lm__DeviceRecord *r, int64_t now_ms)
{
	lm__device_record__init(r);
	r->device = n->domain.device;
	r->role = LM__TIER__TIER_DISTRICT;
	r->place = (char *)(uintptr_t)n->domain.place;
	r->suite = n->keys.suite;
	r->curve_key = codec_data(BYTES_OF(n->keys.curve_public));
	r->signing_key = codec_data(BYTES_OF(n->keys.signing_public));
	r->opening_key = codec_data(BYTES_OF(n->keys.opening_public));
	r->status = LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED;
	r->since_ms = now_ms;
	r->by = (char *)(uintptr_t) "authority";
}

int authority_append(struct turn *t, const Lm__DeviceRecord *record, struct error *e)
{
	struct node *n = t->node;
	Lm__AuthorityPayload authority = LM__AUTHORITY_PAYLOAD__INIT;
	Lm__Header h = LM__HEADER__INIT;
	uint8_t signature[SIGNATURE_BYTES];
	struct bytes hub, packed;
	struct placed placed;
	int result = CODEC_PACK(record, t->arena, &hub, e);
	if (!result)
		result = sign_make(SUITE_INTERNATIONAL, n->authority.signing_secret, hub, signature, e);
	authority.authority_key = codec_data(BYTES_OF(n->authority.signing_public));
	authority.hub = codec_data(hub);
	authority.signature = codec_data(BYTES_OF(signature));
	if (!result)
		result = CODEC_PACK(&authority, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_AUTHORITY;
	struct draft draft = { .stream = LM__STREAM__STREAM_ALL, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

int birth_run(struct turn *t, struct command *c, struct error *e)
{
	(void)c;
	int result = store_has(t->txn, &domain_table_secret, bytes_from_text("secret")) ? OK : secret_append(t, e);
	if (!result && t->node->domain.tier == LM__TIER__TIER_DISTRICT &&
	    !store_has(t->txn, &domain_table_authority, bytes_from_text("authority"))) {
		Lm__DeviceRecord record;
		hub_record(t->node, &record, t->now_ms);
		result = authority_append(t, &record, e);
	}
	if (!result)
		result = return_begin(t, e);
	/* While a restored node is given back what it lacks it writes nothing new: told when that ends. */
	return result || t->node->is_returning ? result : rotation_tell(t, e);
}
