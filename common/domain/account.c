/*
 * Staff accounts, what their roles may do, and the secrets that a node draws once in its life.
 */
#include <stdio.h>
#include <string.h>

#include "inside.h"

#define TOWN (1u << LM__TIER__TIER_TOWN)
#define DISTRICT (1u << LM__TIER__TIER_DISTRICT)
#define STAFF (RIGHT_DESK | RIGHT_STATE)

/* Who may do what: no more than the work needs. */
static const struct role {
	const char *name;
	unsigned tiers; /* where there are accounts of this role */
	unsigned rights;
} roles[] = {
	{ "clerk", TOWN, STAFF | RIGHT_CASES | RIGHT_DRAFT },
	{ "supervisor", TOWN,
	  STAFF | RIGHT_CASES | RIGHT_SUPERVISE | RIGHT_RESETS | RIGHT_AUDIT | RIGHT_DRAFT | RIGHT_PUBLISH },
	{ "assessor", TOWN | DISTRICT, RIGHT_DESK | RIGHT_ASSESS }, /* sees what was drawn for him */
	{ "operator", DISTRICT, STAFF | RIGHT_CASES | RIGHT_SUPERVISE | RIGHT_DRAFT | RIGHT_PUBLISH | RIGHT_DEVICES },
	{ "editor", DISTRICT, STAFF | RIGHT_DRAFT },
	{ "publisher", DISTRICT, STAFF | RIGHT_PUBLISH },
	{ "auditor", DISTRICT, RIGHT_DESK | RIGHT_AUDIT },
	{ "administrator", TOWN | DISTRICT, STAFF | RIGHT_DEVICES | RIGHT_RESETS | RIGHT_ACCOUNTS },
	{ ROLE_LOCAL, 0, RIGHT_ALL },
};
#define ROLE_COUNT (sizeof roles / sizeof *roles)

const char *const right_names[RIGHT_COUNT] = { "cases",  "draft",    "publish", "devices", "desk",     "state",
	                                       "resets", "accounts", "audit",   "assess",  "supervise" };

static const struct role *role_find(const char *name)
{
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	return NULL;
}

bool role_may(const char *role, unsigned rights)
{
	const struct role *r = role_find(role);
	return r && (r->rights & rights);
}

size_t role_list(Lm__Tier tier, const char *names[ROLES_MOST])
{
	size_t count = 0;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		if (tier == LM__TIER__TIER_NONE ? roles[i].tiers != 0 : (roles[i].tiers & (1u << tier)) != 0)
			names[count++] = roles[i].name;
	return count;
}

void role_words(Lm__Tier tier, char *text, size_t size)
{
	const char *names[ROLES_MOST];
	size_t count = role_list(tier, names), at = 0;
	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", names[i],
		                       i + 2 < count    ? ", "
		                       : i + 2 == count ? " and "
		                                        : "");
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
	if (account->second_factor.len && account->second_factor.len != TOTP_SECRET_BYTES)
		return error_set(e, ERR_INVALID, "a second factor has %d bytes", TOTP_SECRET_BYTES);
	const struct role *r = role_find(account->role);
	if (r && (r->tiers & (1u << tier)))
		return OK;
	char known[ROLE_WORDS_BYTES];
	role_words(tier, known, sizeof known);
	return error_set(e, ERR_INVALID, "the roles here are %s, not '%.32s'", known, account->role);
}

int apply_account(struct apply *a)
{
	Lm__AccountPayload *account;
	int result = CODEC_UNPACK(lm__account_payload, a->item->plain, a->arena, &account, a->e);
	if (!result)
		result = account_check(account, a->d->tier, a->e);
	return result ? result : row_put(a, &domain_table_account, bytes_from_text(account->name), &account->base);
}

int apply_account_mark(struct apply *a)
{
	Lm__AccountMarkPayload *mark;
	Lm__AccountPayload *known;
	int result = CODEC_UNPACK(lm__account_mark_payload, a->item->plain, a->arena, &mark, a->e);
	if (!result)
		result = account_get(a->txn, mark->name, a->arena, &known);
	if (result == ERR_NOT_FOUND)
		return error_set(a->e, result, "there is no account '%.32s'", mark->name);
	if (result || mark->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_LOCK ||
	    mark->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK)
		return result; /* what was tried is in the daemon's memory; this tells of it */
	if (mark->act != LM__ACCOUNT_ACT__ACCOUNT_ACT_LOGIN)
		return error_set(a->e, ERR_INVALID, "act: a mark is of a lock, its end, or a login");
	if (mark->second_step <= known->second_step) /* two with the same code: the writer decides who was first */
		return error_set(a->e, ERR_LOGIN, "the code is wrong, or was used before");
	known->second_step = mark->second_step;
	return row_put(a, &domain_table_account, bytes_from_text(known->name), &known->base);
}

int account_each(struct store_txn *txn, struct arena *arena,
                 bool (*visit)(void *context, const Lm__AccountPayload *account), void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_account, &c);
	if (result)
		return store_failure(txn, NULL);
	for (result = store_cursor_first(c, arena, &key, &value); !result;
	     result = store_cursor_next(c, arena, &key, &value)) {
		Lm__AccountPayload *account;
		result = row_unpack(txn, &domain_table_account, &lm__account_payload__descriptor, value, arena,
		                    &account);
		if (result || !visit(context, account))
			break;
	}
	store_cursor_close(c);
	return store_failure(txn, NULL);
}

struct others {
	const char *name;
	bool is_there;
};

static bool other_visit(void *context, const Lm__AccountPayload *account)
{
	struct others *o = context;
	o->is_there = account->password_hash[0] && role_may(account->role, RIGHT_ACCOUNTS) &&
	              strcmp(account->name, o->name) != 0;
	return !o->is_there;
}

int account_last_check(struct store_txn *txn, const Lm__AccountPayload *account, struct arena *arena, struct error *e)
{
	struct others o = { .name = account->name };
	if (!account->password_hash[0] || !role_may(account->role, RIGHT_ACCOUNTS))
		return OK;
	int result = account_each(txn, arena, other_visit, &o);
	if (result)
		return store_failure(txn, e);
	return o.is_there ? OK
	                  : error_set(e, ERR_CONFLICT, "%s is the last administrator: somebody else must be one first",
	                              account->name);
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

_Static_assert(ROLE_COUNT <= ROLES_MOST, "room for a list of all roles");
