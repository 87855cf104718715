/*
 * Staff accounts, and the secrets that a node draws once in its life.
 */
#include <string.h>

#include "inside.h"

static const struct role {
	const char *name;
	Lm__Tier tier;
	unsigned rights;
} roles[] = {
	{ "clerk", LM__TIER__TIER_TOWN, RIGHT_CASES },
	{ "operator", LM__TIER__TIER_DISTRICT, RIGHT_CASES | RIGHT_DRAFT | RIGHT_PUBLISH | RIGHT_DEVICES },
	{ "editor", LM__TIER__TIER_DISTRICT, RIGHT_DRAFT },
	{ "publisher", LM__TIER__TIER_DISTRICT, RIGHT_PUBLISH },
	{ "local", LM__TIER__TIER_NONE, RIGHT_CASES | RIGHT_DRAFT | RIGHT_PUBLISH | RIGHT_DEVICES },
};

static const struct role *role_find(const char *name)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	return NULL;
}

bool role_may(const char *role, unsigned rights)
{
	const struct role *r = role_find(role);
	return r && (r->rights & rights);
}

int account_get(struct store_txn *txn, const char *name, struct arena *arena, Lm__AccountPayload **out)
{
	struct bytes key = bytes_from_text(name);
	if (!key.size || key.size > 32)
		return ERR_NOT_FOUND;
	return row_get(txn, &domain_table_account, key, &lm__account_payload__descriptor, arena, out);
}

int account_check(const Lm__AccountPayload *account, Lm__Tier tier, struct error *e)
{
	size_t length = strlen(account->name);
	if (length < 2 || length > 32 || strspn(account->name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != length)
		return error_set(e, ERR_INVALID, "a user name has 2 to 32 characters of a-z 0-9 - _ .");
	const struct role *r = role_find(account->role);
	if (!r || r->tier != tier)
		return error_set(e, ERR_INVALID, "the roles here are %s, not '%.32s'",
		                 tier == LM__TIER__TIER_DISTRICT ? "operator, editor and publisher" : "clerk alone",
		                 account->role);
	return OK;
}

int apply_account(struct apply *a)
{
	Lm__AccountPayload *account;
	int result = CODEC_UNPACK(lm__account_payload, a->item->plain, a->arena, &account, a->e);
	if (!result)
		result = account_check(account, a->d->tier, a->e);
	return result ? result : row_put(a, &domain_table_account, bytes_from_text(account->name), &account->base);
}

int apply_secret(struct apply *a)
{
	Lm__NodeSecretPayload *secret;
	if (store_has(a->txn, &domain_table_secret, bytes_from_text("secret")))
		return error_set(a->e, ERR_EXISTS, "this node has its secret already");
	int result = CODEC_UNPACK(lm__node_secret_payload, a->item->plain, a->arena, &secret, a->e);
	if (!result && (secret->code_hash_key.len != KEY_BYTES || secret->device_salt.len != DEVICE_SALT_BYTES))
		return error_set(a->e, ERR_INVALID, "the node's secret is incomplete");
	if (result)
		return result;
	store_put(a->txn, &domain_table_secret, bytes_from_text("secret"), a->item->plain);
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_SECRET });
}

int secret_get(struct store_txn *txn, struct arena *arena, Lm__NodeSecretPayload **out)
{
	return row_get(txn, &domain_table_secret, bytes_from_text("secret"), &lm__node_secret_payload__descriptor,
	               arena, out);
}
