/*
 * The meta table (number 0, named "store"): the format version, a check of the key table's key, and the openings.
 *
 *   key                          value
 *   "format"                     version (4)  ‖ HMAC (32)      this row keeps its form in all versions
 *   "key-table"                  HMAC (32) under a key derived from the key table's key
 *   "key-table-due"              HMAC (32)                     somebody asked for another key (rekey.c)
 *   "key-table-next"             first opening under the next key (4) ‖ check of that key (32) ‖ HMAC (32)
 *   "opening" ‖ number (4)       salt (16) ‖ HMAC (32)         numbers count from 1, big-endian
 *
 *   HMAC-SHA-256 over key ‖ rest of the value, under HKDF(master key, no salt, "last-mile store meta").
 *
 * Each opening for writing adds a row with a fresh random salt. Values written in it are sealed under
 *   HKDF(master key, salt, "last-mile store values")  or  HKDF(key table's key, salt, "last-mile store keys").
 * Even a restored backup that counts the same opening again draws another salt, so no nonce meets its key twice.
 */
#include <string.h>

#include "store_private.h"

#define OPENING_KEY_BYTES 11

static const char format_key[] = "format";
static const char check_key[] = "key-table";
static const char opening_prefix[] = "opening";
static const char *const subkey_label[2] = { "last-mile store values", "last-mile store keys" };

static uint32_t u32_of(const uint8_t b[4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void u32_put(uint8_t b[4], uint32_t v)
{
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

static struct bytes opening_key(uint32_t number, uint8_t key[OPENING_KEY_BYTES])
{
	memcpy(key, opening_prefix, 7);
	u32_put(key + 7, number);
	return BYTES(key, OPENING_KEY_BYTES);
}

static int row_mac(const struct store *s, struct bytes key, struct bytes body, struct hash *out, struct error *e)
{
	uint8_t joined[STORE_KEY_BYTES_MOST + META_BODY_BYTES_MOST];
	memcpy(joined, key.data, key.size);
	memcpy(joined + key.size, body.data, body.size);
	return crypto_hmac(STORE_SUITE, s->meta_key, BYTES(joined, key.size + body.size), out, e);
}

static int row_write(struct store *s, MDB_txn *txn, struct bytes key, struct bytes body, struct error *e)
{
	uint8_t value[META_BODY_BYTES_MOST + HASH_BYTES];
	struct hash mac;
	int rc = row_mac(s, key, body, &mac, e);
	if (rc != OK)
		return rc;
	memcpy(value, body.data, body.size);
	memcpy(value + body.size, mac.byte, HASH_BYTES);
	MDB_val k = { key.size, (void *)key.data }, v = { body.size + HASH_BYTES, value };
	rc = mdb_put(txn, s->dbi[0], &k, &v, 0);
	return rc == 0 ? OK : lmdb_error(s, rc, e, "write to the meta table");
}

/* Checks a row that was read; body_size is what its kind has. */
static int row_check(struct store *s, struct bytes key, MDB_val v, size_t body_size, struct error *e)
{
	struct hash mac;
	if (v.mv_size != body_size + HASH_BYTES)
		return error_set(e, ERR_DAMAGED, "a row of the meta table in %s has a wrong length", s->folder);
	int rc = row_mac(s, key, BYTES(v.mv_data, body_size), &mac, e);
	if (rc != OK)
		return rc;
	if (!crypto_equal(mac.byte, (uint8_t *)v.mv_data + body_size, HASH_BYTES))
		return error_set(e, ERR_DAMAGED, "a row of the meta table in %s does not verify", s->folder);
	return OK;
}

int meta_row_put(struct store *s, MDB_txn *txn, const char *key, struct bytes body, struct error *e)
{
	return row_write(s, txn, bytes_from_text(key), body, e);
}

int meta_row_get(struct store *s, MDB_txn *txn, const char *key, uint8_t *body, size_t size, struct error *e)
{
	struct bytes name = bytes_from_text(key);
	MDB_val k = { name.size, (void *)name.data }, v;
	int rc = mdb_get(txn, s->dbi[0], &k, &v);
	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	if (rc != 0)
		return lmdb_error(s, rc, e, "read the meta table");
	rc = row_check(s, name, v, size, e);
	if (rc == OK && size)
		memcpy(body, v.mv_data, size);
	return rc;
}

int meta_row_remove(struct store *s, MDB_txn *txn, const char *key, struct error *e)
{
	struct bytes name = bytes_from_text(key);
	MDB_val k = { name.size, (void *)name.data };
	int rc = mdb_del(txn, s->dbi[0], &k, NULL);
	return rc == 0 || rc == MDB_NOTFOUND ? OK : lmdb_error(s, rc, e, "write to the meta table");
}

static int row_read(struct store *s, MDB_txn *txn, struct bytes key, MDB_val *v, struct error *e)
{
	MDB_val k = { key.size, (void *)key.data };
	int rc = mdb_get(txn, s->dbi[0], &k, v);
	if (rc == MDB_NOTFOUND)
		return error_set(e, ERR_DAMAGED, "the meta table in %s lacks a row", s->folder);
	return rc == 0 ? OK : lmdb_error(s, rc, e, "read the meta table");
}

/* ---- the key table's key: known by a MAC that only it makes ---- */

int key_check_make(const uint8_t root[KEY_BYTES], struct hash *out, struct error *e)
{
	uint8_t key[KEY_BYTES];
	int rc = crypto_derive(STORE_SUITE, BYTES(root, KEY_BYTES), BYTES("", 0), "last-mile store key check", key,
	                       sizeof(key), e);
	if (rc == OK)
		rc = crypto_hmac(STORE_SUITE, key, bytes_from_text(check_key), out, e);
	crypto_wipe(key, sizeof(key));
	return rc;
}

int key_check_write(struct store *s, MDB_txn *txn, const uint8_t key[KEY_BYTES], struct error *e)
{
	struct hash mac;
	int rc = key_check_make(key, &mac, e);
	if (rc != OK)
		return rc;
	MDB_val k = { sizeof(check_key) - 1, (void *)check_key }, v = { HASH_BYTES, mac.byte };
	rc = mdb_put(txn, s->dbi[0], &k, &v, 0);
	return rc == 0 ? OK : lmdb_error(s, rc, e, "write to the meta table");
}

int key_check_read(struct store *s, MDB_txn *txn, struct hash *out, struct error *e)
{
	MDB_val v;
	int rc = row_read(s, txn, bytes_from_text(check_key), &v, e);
	if (rc != OK)
		return rc;
	if (v.mv_size != HASH_BYTES)
		return error_set(e, ERR_DAMAGED, "the check row of the key table in %s is damaged", s->folder);
	memcpy(out->byte, v.mv_data, HASH_BYTES);
	return OK;
}

/* By the key in use or, while rows are sealed anew, by the old one. */
static int key_check_verify(struct store *s, MDB_txn *txn, struct error *e)
{
	uint8_t key[2][KEY_BYTES];
	struct hash stored, wanted;
	bool is_good = false;
	pthread_mutex_lock(&s->lock);
	memcpy(key[0], s->root_key[1], KEY_BYTES);
	memcpy(key[1], s->rekey.old_key, KEY_BYTES);
	pthread_mutex_unlock(&s->lock);
	int rc = key_check_read(s, txn, &stored, e);
	for (int i = 0; i < 2 && rc == OK && !is_good; i++) {
		rc = key_check_make(key[i], &wanted, e);
		is_good = rc == OK && crypto_equal(stored.byte, wanted.byte, HASH_BYTES);
	}
	crypto_wipe(key, sizeof(key));
	if (rc == OK && !is_good)
		rc = error_set(e, ERR_DAMAGED, "the check row of the key table in %s is damaged", s->folder);
	return rc;
}

/* ---- format ---- */

static int format_write(struct store *s, MDB_txn *txn, struct error *e)
{
	uint8_t version[4];
	u32_put(version, STORE_FORMAT);
	return row_write(s, txn, bytes_from_text(format_key), BYTES(version, 4), e);
}

static int format_read(struct store *s, MDB_txn *txn, struct error *e)
{
	MDB_val v;
	int rc = row_read(s, txn, bytes_from_text(format_key), &v, e);
	if (rc != OK)
		return rc;
	rc = row_check(s, bytes_from_text(format_key), v, 4, e);
	if (rc == ERR_DAMAGED)
		return error_set(
		        e, ERR_DAMAGED,
		        "%s is not sealed under this master key: the key file does not belong to this directory "
		        "(or the format row is damaged)",
		        s->folder);
	if (rc != OK)
		return rc;
	uint32_t version = u32_of(v.mv_data);
	if (version > STORE_FORMAT)
		return error_set(e, ERR_VERSION,
		                 "%s has format %u and this program reads up to %u: use a newer program", s->folder,
		                 version, STORE_FORMAT);
	if (version + 1 < STORE_FORMAT)
		return error_set(e, ERR_VERSION,
		                 "%s has format %u, too old for this program: upgrade one version at a time", s->folder,
		                 version);
	return OK;
}

int meta_probe(struct store *s, MDB_txn *txn, struct error *e)
{
	return format_write(s, txn, e);
}

/* ---- openings ---- */

static int derive(const uint8_t root[KEY_BYTES], bool is_key_table, const uint8_t *salt, uint8_t key[KEY_BYTES],
                  struct error *e)
{
	return crypto_derive(STORE_SUITE, BYTES(root, KEY_BYTES), BYTES(salt, SALT_BYTES), subkey_label[is_key_table],
	                     key, KEY_BYTES, e);
}

/* Opening keys sort last in the table. 0 if there is none yet. */
static int opening_last(struct store *s, MDB_txn *txn, uint32_t *out, struct error *e)
{
	MDB_cursor *c;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, s->dbi[0], &c);
	if (rc != 0)
		return lmdb_error(s, rc, e, "read the meta table");
	rc = mdb_cursor_get(c, &k, &v, MDB_LAST);
	mdb_cursor_close(c);
	if (rc != 0)
		return lmdb_error(s, rc, e, "read the meta table");
	bool is_opening = k.mv_size == OPENING_KEY_BYTES && memcmp(k.mv_data, opening_prefix, 7) == 0;
	*out = is_opening ? u32_of((uint8_t *)k.mv_data + 7) : 0;
	return is_opening ? row_check(s, BYTES(k.mv_data, k.mv_size), v, SALT_BYTES, e) : OK;
}

static int opening_add(struct store *s, MDB_txn *txn, uint32_t *out, uint8_t salt[SALT_BYTES], struct error *e)
{
	uint8_t key[OPENING_KEY_BYTES];
	uint32_t number = 0;
	int rc = opening_last(s, txn, &number, e);
	if (rc == OK && number == UINT32_MAX)
		rc = error_set(e, ERR_FULL, "%s has been opened too often: copy its content into a new one", s->folder);
	if (rc == OK)
		rc = crypto_random(salt, SALT_BYTES, e);
	if (rc == OK)
		rc = row_write(s, txn, opening_key(number + 1, key), BYTES(salt, SALT_BYTES), e);
	if (rc == OK)
		*out = number + 1;
	return rc;
}

int meta_opening_add(struct store *s, MDB_txn *txn, const uint8_t root[KEY_BYTES], struct subkey *key, struct error *e)
{
	uint8_t salt[SALT_BYTES];
	int rc = opening_add(s, txn, &key->opening, salt, e);
	return rc == OK ? derive(root, true, salt, key->key, e) : rc;
}

static int opening_begin(struct store *s, MDB_txn *txn, struct error *e)
{
	uint8_t salt[SALT_BYTES];
	struct subkey *key = &s->key_table_subkey[0];
	int rc = opening_add(s, txn, &s->current.opening, salt, e);
	key->opening = s->current.opening;
	if (rc == OK)
		rc = derive(s->root_key[0], false, salt, s->current.key, e);
	return rc == OK ? derive(s->root_key[1], true, salt, key->key, e) : rc;
}

/* Of a store that is new, or whose key tables were emptied: whatever was under way with an earlier key is over. */
static int key_table_begin(struct store *s, MDB_txn *txn, struct error *e)
{
	int rc = key_check_write(s, txn, s->root_key[1], e);
	if (rc == OK)
		rc = meta_row_remove(s, txn, KEY_NEXT_ROW, e);
	return rc == OK ? meta_row_remove(s, txn, KEY_DUE_ROW, e) : rc;
}

int meta_open(struct store *s, MDB_txn *txn, bool is_new, struct error *e)
{
	int rc = crypto_derive(STORE_SUITE, BYTES(s->root_key[0], KEY_BYTES), BYTES("", 0), "last-mile store meta",
	                       s->meta_key, KEY_BYTES, e);
	if (rc == OK)
		rc = is_new ? format_write(s, txn, e) : format_read(s, txn, e);
	if (rc == OK)
		rc = is_new || s->key_table_lost ? key_table_begin(s, txn, e) : rekey_resolve(s, txn, e);
	if (rc == OK && !s->is_read_only)
		rc = opening_begin(s, txn, e);
	return rc;
}

static int rekey_rows_verify(struct store *s, MDB_txn *txn, size_t *count, struct error *e)
{
	uint8_t body[META_BODY_BYTES_MOST];
	int due = meta_row_get(s, txn, KEY_DUE_ROW, body, 0, e);
	int next = due == OK || due == ERR_NOT_FOUND ? meta_row_get(s, txn, KEY_NEXT_ROW, body, sizeof(body), e) : due;
	*count = (size_t)(due == OK) + (size_t)(next == OK);
	return next == ERR_NOT_FOUND ? OK : next;
}

/* The first two rows were checked when the store was opened, but the disk may have changed since. */
int meta_verify(struct store *s, MDB_txn *txn, struct error *e)
{
	MDB_cursor *c;
	MDB_stat stat;
	MDB_val k, v;
	int rc = format_read(s, txn, e);
	if (rc == OK)
		rc = key_check_verify(s, txn, e);
	if (rc != OK)
		return rc;
	rc = mdb_stat(txn, s->dbi[0], &stat);
	if (rc == 0)
		rc = mdb_cursor_open(txn, s->dbi[0], &c);
	if (rc != 0)
		return lmdb_error(s, rc, e, "read the meta table");
	uint32_t number = 0;
	size_t rekey_rows = 0;
	int found = rekey_rows_verify(s, txn, &rekey_rows, e);
	if (found != OK) {
		mdb_cursor_close(c);
		return found;
	}
	int code = OK;
	k = (MDB_val){ 7, (void *)opening_prefix };
	for (rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE); rc == 0; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
		uint8_t expected[OPENING_KEY_BYTES];
		struct bytes key = opening_key(++number, expected);
		code = bytes_equal(key, BYTES(k.mv_data, k.mv_size)) ? row_check(s, key, v, SALT_BYTES, e)
		                                                     : ERR_DAMAGED;
		if (code != OK)
			break;
	}
	mdb_cursor_close(c);
	if (error_is_of_machine(code))
		return code;
	if (rc != 0 && rc != MDB_NOTFOUND)
		return lmdb_error(s, rc, e, "read the meta table");
	if (rc == 0 || stat.ms_entries != (size_t)number + 2 + rekey_rows)
		return error_set(e, ERR_DAMAGED, "the meta table in %s is damaged at opening %u", s->folder, number);
	return OK;
}

int subkey_find(struct store *s, MDB_txn *txn, uint32_t opening, bool is_key_table, uint8_t key[KEY_BYTES],
                struct error *e)
{
	struct subkey *slot = &s->earlier[is_key_table][opening % SUBKEY_SLOTS];
	pthread_mutex_lock(&s->lock);
	bool is_known = slot->opening == opening && opening != 0;
	if (is_known)
		memcpy(key, slot->key, KEY_BYTES);
	pthread_mutex_unlock(&s->lock);
	if (is_known)
		return OK;

	uint8_t name[OPENING_KEY_BYTES];
	struct bytes row = opening_key(opening, name);
	MDB_val v;
	int rc = row_read(s, txn, row, &v, e);
	if (rc == OK)
		rc = row_check(s, row, v, SALT_BYTES, e);
	if (rc != OK)
		return rc;
	uint8_t root[KEY_BYTES];
	pthread_mutex_lock(&s->lock);
	memcpy(root, is_key_table && opening < s->rekey.from ? s->rekey.old_key : s->root_key[is_key_table], KEY_BYTES);
	pthread_mutex_unlock(&s->lock);
	rc = derive(root, is_key_table, v.mv_data, key, e);
	crypto_wipe(root, sizeof(root));
	if (rc != OK)
		return rc;
	pthread_mutex_lock(&s->lock);
	slot->opening = opening;
	memcpy(slot->key, key, KEY_BYTES);
	pthread_mutex_unlock(&s->lock);
	return OK;
}
