/*
 * Values: how one is sealed and opened.
 *
 *   stored value = opening (4) ‖ count (8) ‖ ciphertext ‖ tag (16)       integers big-endian; the first 12 are the
 * nonce associated data = table number (1) ‖ key
 *
 * The opening says which subkey (meta.c); the count goes up with every seal, also of transactions that are aborted.
 */
#include <string.h>

#include "store_private.h"

bool row_name_make(const struct store_table *table, struct bytes key, struct row_name *out)
{
	if (key.size == 0 || key.size > STORE_KEY_BYTES_MOST)
		return false;
	out->byte[0] = table->number;
	memcpy(out->byte + 1, key.data, key.size);
	out->size = 1 + key.size;
	return true;
}

MDB_val row_name_key(const struct row_name *name)
{
	return (MDB_val){ name->size - 1, (void *)(name->byte + 1) };
}

int value_seal(struct store_txn *t, const struct store_table *table, const struct row_name *name, struct bytes plain,
               uint8_t *out)
{
	struct store *s = t->store;
	const struct subkey *subkey = subkey_now(s, table->is_key_table);
	struct writer nonce = writer_over(out, NONCE_BYTES);
	write_u32(&nonce, subkey->opening);
	write_u64(&nonce, s->nonces_used++);
	return aead_seal(STORE_SUITE, subkey->key, out, BYTES(name->byte, name->size), plain, out + NONCE_BYTES,
	                 &t->failure);
}

static int damaged(struct store_txn *t, const struct store_table *table, const struct row_name *name, const char *why)
{
	char key[2 * STORE_KEY_BYTES_MOST + 1];
	hex_encode(BYTES(name->byte + 1, name->size - 1), key);
	return error_set(&t->failure, ERR_DAMAGED, "table %s, key %s: %s", table->name, key, why);
}

/* Puts the row before what was said about its opening. */
static int unsealable(struct store_txn *t, const struct store_table *table, const struct row_name *name)
{
	char key[2 * STORE_KEY_BYTES_MOST + 1];
	hex_encode(BYTES(name->byte + 1, name->size - 1), key);
	return error_wrap(&t->failure, ERR_DAMAGED, "table %s, key %s: the stored value cannot be opened", table->name,
	                  key);
}

static int open_with(const uint8_t *key, const struct row_name *name, struct bytes sealed, uint8_t *out,
                     struct error *e)
{
	return aead_open(STORE_SUITE, key, sealed.data, BYTES(name->byte, name->size),
	                 BYTES(sealed.data + NONCE_BYTES, sealed.size - NONCE_BYTES), out, e);
}

int value_open(struct store_txn *t, const struct store_table *table, const struct row_name *name, MDB_val sealed,
               struct arena *arena, struct bytes *plain)
{
	struct store *s = t->store;
	struct bytes stored = BYTES(sealed.mv_data, sealed.mv_size);
	/* A damaged page can claim any length; longer than the map is certainly wrong. */
	if (stored.size < SEAL_OVERHEAD_BYTES || stored.size > s->map_bytes)
		return damaged(t, table, name, "the stored value has an impossible length");
	size_t size = stored.size - SEAL_OVERHEAD_BYTES;
	uint8_t *out = arena_alloc(arena, size);
	if (!out)
		return error_set(&t->failure, ERR_MEMORY, "no memory for a value of %zu bytes of table %s", size,
		                 table->name);

	struct reader nonce = reader_over(stored);
	uint32_t opening = read_u32(&nonce);
	int rc;
	const struct subkey *now = subkey_now(s, table->is_key_table);
	if (opening != 0 && opening == now->opening) { /* 0: open for reading only, no subkey */
		rc = open_with(now->key, name, stored, out, &t->failure);
	} else {
		uint8_t key[KEY_BYTES];
		rc = subkey_find(s, t->mdb, opening, table->is_key_table, key, &t->failure);
		if (rc == ERR_DAMAGED) /* the value names a wrong opening, or the row of the right one is damaged */
			return unsealable(t, table, name);
		if (rc == OK)
			rc = open_with(key, name, stored, out, &t->failure);
		crypto_wipe(key, sizeof(key));
	}
	if (rc == ERR_DAMAGED)
		return damaged(t, table, name,
		               "the stored value does not verify; stop, verify the directory and restore it");
	if (rc == OK)
		*plain = BYTES(out, size);
	return rc;
}
