/*
 * What somebody reads who has a whole data folder with all its key files, by the product's own code.
 *
 *   thief DATA [CODE]
 *
 * Everything that could be opened goes to stdout as raw bytes, one after another: rows of all tables as they are under
 * the store's seal, payloads of entries. What was opened and what was not is told on stderr, a line each:
 *
 *   opened KIND_REQUEST 27      sealed KIND_REQUEST 28      lock REQUEST_ID      status VERSION TEXT
 *
 * With a receipt's code also its lock is tried, and what lies under it.
 */
#include <stdio.h>
#include <string.h>

#include "node/node.h"
#include "proto/codec.h"

#define ARENA_BYTES (64u * 1024 * 1024)
#define LOCKS_MOST 8

struct thief {
	struct closed_node node;
	struct store_txn *txn;
	struct arena arena;
};

static void take(struct bytes loot)
{
	fwrite(loot.data, 1, loot.size, stdout);
}

static int rows_take(struct thief *t, const struct store_table *const *tables, size_t count, struct error *e)
{
	for (size_t i = 0; i < count; i++) {
		struct store_cursor *c;
		struct bytes key, value;
		int result = store_cursor_open(t->txn, tables[i], &c);
		if (result)
			return store_failure(t->txn, e);
		for (result = store_cursor_first(c, &t->arena, &key, &value); !result;
		     result = store_cursor_next(c, &t->arena, &key, &value)) {
			take(key);
			take(value);
			arena_reset(&t->arena);
		}
		store_cursor_close(c);
		if (result != ERR_NOT_FOUND)
			return store_failure(t->txn, e);
	}
	return OK;
}

static const char *kind_name(Lm__Kind kind)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&lm__kind__descriptor, (int)kind);
	return value ? value->name : "?";
}

static int entries_take(struct thief *t, struct error *e)
{
	Lm__TapeItem *item;
	Lm__Header *h;
	struct bytes plain;
	for (uint64_t position = 1;; position++) {
		arena_reset(&t->arena);
		int result = journal_read_next(t->txn, &position, &t->arena, &item, e);
		if (result)
			return result == ERR_NOT_FOUND ? OK : result;
		if (!item->header.len)
			continue; /* it applies an earlier one */
		result = CODEC_UNPACK(lm__header, codec_bytes(item->header), &t->arena, &h, e);
		if (result)
			return result;
		bool is_open = !journal_item_open(t->node.journal, t->txn, position, item, &t->arena, &plain, NULL);
		fprintf(stderr, "%s %s %llu\n", is_open ? "opened" : "sealed", kind_name(h->kind),
		        (unsigned long long)position);
		if (is_open)
			take(plain);
	}
}

struct lock {
	struct thief *thief;
	struct id request;
	uint8_t key[RECEIPT_KEY_BYTES];
};

static bool status_take(void *context, uint32_t version, struct bytes sealed)
{
	struct lock *l = context;
	uint8_t associated[24];
	size_t size;
	Lm__StatusMessage *m;
	uint8_t *plain = arena_alloc(&l->thief->arena, sealed.size);
	if (plain &&
	    !receipt_message_open(l->key, status_associated(l->request, version, associated), sealed, plain, &size,
	                          NULL) &&
	    !CODEC_UNPACK(lm__status_message, BYTES(plain, size), &l->thief->arena, &m, NULL))
		fprintf(stderr, "status %u %s\n", version, m->text);
	return true;
}

static int code_try(struct thief *t, const char *text, struct error *e)
{
	char code[RECEIPT_CODE_DIGITS + 1], id[ID_TEXT_BYTES];
	struct receipt_secret secret;
	struct receipt_row rows[LOCKS_MOST];
	size_t count = 0;
	Lm__NodeSecretPayload *node_secret;
	int result = receipt_code_parse(text, code, e);
	if (!result)
		result = secret_get(t->txn, &t->arena, &node_secret);
	if (!result)
		result = receipt_derive(code, node_secret->device_salt.data, &secret, e);
	if (!result)
		result = receipt_find(t->txn, secret.lookup, rows, LOCKS_MOST, &count, e);
	for (size_t i = 0; i < count && !result; i++) {
		struct lock l = { .thief = t };
		if (receipt_lock_open(&secret, rows[i].lock, l.key, l.request.byte, NULL))
			continue;
		id_to_text(l.request, id);
		fprintf(stderr, "lock %s\n", id);
		result = status_each(t->txn, l.request, &t->arena, status_take, &l);
	}
	return result;
}

int main(int argc, char **argv)
{
	struct thief t = { 0 };
	struct error e = { 0 };
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: thief DATA [CODE]\n");
		return 64;
	}
	arena_init(&t.arena, ARENA_BYTES);
	int result = closed_node_open(argv[1], true, &t.node, &e);
	if (!result)
		result = store_begin_read(t.node.store, &t.txn, &e);
	if (!result)
		result = rows_take(&t, journal_tables, journal_table_count, &e);
	if (!result)
		result = rows_take(&t, domain_tables, domain_table_number, &e);
	if (!result)
		result = entries_take(&t, &e);
	if (!result && argc == 3)
		result = code_try(&t, argv[2], &e);
	if (result)
		fprintf(stderr, "thief: %s\n", e.text[0] ? e.text : error_name(result));
	store_abort(t.txn);
	closed_node_close(&t.node);
	arena_release(&t.arena);
	return result ? 1 : 0;
}
