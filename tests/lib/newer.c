/*
 * Makes a closed data folder look as a newer version would leave it: the store's format row says one more than this
 * version knows, sealed with the folder's own key. The row's form is that of all versions (common/store/meta.c).
 */
#include <lmdb.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "store/store.h"

static const char row_key[] = "format";

static int row_make(const char *data, uint8_t row[4 + HASH_BYTES], struct error *e)
{
	char path[4096];
	bool was_made;
	struct device_keys keys;
	struct hash mac;
	uint8_t key[KEY_BYTES], joined[sizeof row_key - 1 + 4];
	struct writer w = writer_over(row, 4);
	write_u32(&w, STORE_FORMAT + 1);
	memcpy(joined, row_key, sizeof row_key - 1);
	memcpy(joined + sizeof row_key - 1, row, 4);
	snprintf(path, sizeof path, "%s/device.keys", data);
	int result = crypto_init(e);
	if (!result)
		result = device_keys_open(path, &keys, &was_made, e);
	if (!result)
		result = crypto_derive(SUITE_INTERNATIONAL, BYTES(keys.store_key, KEY_BYTES), BYTES("", 0),
		                       "last-mile store meta", key, sizeof key, e);
	if (!result)
		result = crypto_hmac(SUITE_INTERNATIONAL, key, BYTES_OF(joined), &mac, e);
	if (!result)
		memcpy(row + 4, mac.byte, HASH_BYTES);
	return result;
}

static int row_put(const char *data, uint8_t *row, size_t size)
{
	char folder[4096];
	MDB_env *env = NULL;
	MDB_txn *txn;
	MDB_dbi table;
	MDB_val key = { sizeof row_key - 1, (void *)(uintptr_t)row_key }, value = { size, row };
	snprintf(folder, sizeof folder, "%s/store", data);
	int rc = mdb_env_create(&env);
	if (!rc)
		rc = mdb_env_set_maxdbs(env, STORE_TABLES_MOST + 1);
	if (!rc)
		rc = mdb_env_open(env, folder, 0, 0600);
	if (!rc)
		rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (!rc)
		rc = mdb_dbi_open(txn, "store", 0, &table);
	if (!rc)
		rc = mdb_put(txn, table, &key, &value, 0);
	if (!rc)
		rc = mdb_txn_commit(txn);
	mdb_env_close(env); /* a failed transaction goes with the process */
	return rc;
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	uint8_t row[4 + HASH_BYTES];
	if (argc != 2) {
		fprintf(stderr, "usage: newer DATA\n");
		return 64;
	}
	if (row_make(argv[1], row, &e)) {
		fprintf(stderr, "newer: %s\n", e.text);
		return 1;
	}
	int rc = row_put(argv[1], row, sizeof row);
	if (rc)
		fprintf(stderr, "newer: %s\n", mdb_strerror(rc));
	return rc ? 1 : 0;
}
