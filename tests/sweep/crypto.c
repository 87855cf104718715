/* Keys and their files, sealing, signing, receipts, passwords. */
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "crypto/crypto.h"
#include "sweep.h"

#define RECIPIENTS 2
#define PLAIN "an answer that nobody else may read"

struct tested {
	struct device_keys keys[RECIPIENTS];
	struct period *period;
	struct period_notice notice;
	struct envelope envelope;
	uint8_t sealed[64];
};

static int keys_at(const struct scene *s, const char *name, struct device_keys *out, struct error *e)
{
	char path[256];
	bool was_made;
	path_in(s, name, path);
	return device_keys_open(path, out, &was_made, e);
}

static void ready(struct scene *s)
{
	struct error e;
	s->own = calloc(1, sizeof(struct tested));
	if (!s->own || crypto_init(&e))
		broken("no memory");
}

static void with_keys(struct scene *s)
{
	struct error e;
	ready(s);
	struct tested *own = s->own;
	if (keys_at(s, "a", &own->keys[0], &e) || keys_at(s, "b", &own->keys[1], &e))
		broken("%s", e.text);
}

static int period_made(struct tested *own, struct error *e)
{
	struct period_recipient to[RECIPIENTS] = { { .id = 1 }, { .id = 2 } };
	for (size_t i = 0; i < RECIPIENTS; i++)
		memcpy(to[i].opening_key, own->keys[i].opening_public, KEY_BYTES);
	return period_begin(SUITE_INTERNATIONAL, to, RECIPIENTS, 1, &own->period, &own->notice, e);
}

static int sealed_make(struct tested *own, struct error *e)
{
	int result = period_made(own, e);
	return result ? result
	              : period_seal(own->period, bytes_from_text("header"), bytes_from_text(PLAIN), own->sealed,
	                            &own->envelope, e);
}

static void with_sealed(struct scene *s)
{
	struct error e;
	with_keys(s);
	if (sealed_make(s->own, &e))
		broken("%s", e.text);
}

static void clean(struct scene *s)
{
	struct tested *own = s->own;
	period_end(own->period);
	free(own);
}

static int keys_opened(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	return keys_at(s, "a", &own->keys[0], e);
}

/* Whatever happened: keys that are used are on the disk. */
static const char *keys_are_kept(const struct scene *s, int result)
{
	struct tested *own = s->own;
	struct device_keys again;
	struct error e;
	if (keys_at(s, "a", &again, &e))
		return "afterwards the keys cannot be opened";
	return result || memcmp(again.store_key, own->keys[0].store_key, KEY_BYTES) == 0
	               ? NULL
	               : "the keys that were given out are not those on the disk";
}

static int secret_opened(struct scene *s, struct error *e)
{
	uint8_t secret[KEY_BYTES];
	char path[256];
	bool was_made;
	path_in(s, "secret", path);
	return secret_file_open(path, secret, &was_made, e);
}

static int sealed(struct scene *s, struct error *e)
{
	return sealed_make(s->own, e);
}

static int opened(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct period_opener opener;
	uint8_t plain[sizeof own->sealed];
	int result = period_opener_init(&opener, &own->notice, 2, own->keys[1].opening_public,
	                                own->keys[1].opening_secret, e);
	if (!result)
		result = period_open(&opener, &own->envelope, bytes_from_text("header"),
		                     BYTES(own->sealed, strlen(PLAIN) + TAG_BYTES), plain, e);
	return result;
}

static int signed_and_checked(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	uint8_t signature[SIGNATURE_BYTES];
	int result = sign_make(SUITE_INTERNATIONAL, own->keys[0].signing_secret, bytes_from_text(PLAIN), signature, e);
	return result ? result
	              : sign_check(SUITE_INTERNATIONAL, own->keys[0].signing_public, bytes_from_text(PLAIN), signature,
	                           e);
}

static int begun(struct scene *s, struct error *e)
{
	(void)s;
	return crypto_init(e);
}

static int receipt_found(struct scene *s, struct error *e)
{
	static const uint8_t salt[DEVICE_SALT_BYTES] = { 1 }, key[RECEIPT_KEY_BYTES] = { 2 }, request[16] = { 3 };
	struct receipt_secret secret;
	uint8_t lock[RECEIPT_LOCK_BYTES], key_again[RECEIPT_KEY_BYTES], request_again[16];
	(void)s;
	int result = receipt_derive("123456789015", salt, &secret, e);
	if (!result)
		result = receipt_lock_make(&secret, key, request, lock, e);
	return result ? result : receipt_lock_open(&secret, lock, key_again, request_again, e);
}

static int password_tried(struct scene *s, struct error *e)
{
	char hash[PASSWORD_HASH_BYTES];
	(void)s;
	int result = password_hash("a long enough password", hash, e);
	return result ? result : password_check("a long enough password", hash, e);
}

static const struct operation list[] = {
	{ "crypto begun", ready, begun, NULL, clean },
	{ "keys made", ready, keys_opened, keys_are_kept, clean },
	{ "keys read", with_keys, keys_opened, keys_are_kept, clean },
	{ "secret made", ready, secret_opened, NULL, clean },
	{ "payload sealed", with_keys, sealed, NULL, clean },
	{ "payload opened", with_sealed, opened, NULL, clean },
	{ "signature", with_keys, signed_and_checked, NULL, clean },
	{ "receipt", ready, receipt_found, NULL, clean },
	{ "password", ready, password_tried, NULL, clean },
};
const struct operations crypto_operations = { list, sizeof list / sizeof *list };
