/*
 * What is not applied, by name: items of the tape that are held or in quarantine, and entries that were set aside
 * without a place on it. A row goes when the item is applied after all, or dropped.
 *
 *   key      0 ‖ position u64                 an item of the tape
 *            1 ‖ line u32 ‖ entry hash        an entry in the quarantine table: 1 and that table's key
 *   value    the cause it waits for, after a byte that tells whether there is one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

enum { AT_TAPE, AT_SIDE };

static struct bytes name_key(const struct waiting_name *name)
{
	return BYTES(name->byte, name->size);
}

struct waiting_name waiting_at(uint64_t position)
{
	struct waiting_name name = { 0 };
	struct writer w = writer_over(name.byte, sizeof name.byte);
	write_u8(&w, AT_TAPE);
	write_u64(&w, position);
	name.size = w.size;
	return name;
}

static struct waiting_name waiting_aside(struct bytes quarantine_key)
{
	struct waiting_name name = { 0 };
	struct writer w = writer_over(name.byte, sizeof name.byte);
	write_u8(&w, AT_SIDE);
	write_bytes(&w, quarantine_key);
	name.size = w.failed ? 0 : w.size;
	return name;
}

uint64_t waiting_position(const struct waiting_name *name)
{
	struct reader r = reader_over(name_key(name));
	return read_u8(&r) == AT_TAPE ? read_u64(&r) : 0;
}

void waiting_name_to_text(const struct waiting_name *name, char out[WAITING_TEXT_BYTES])
{
	if (waiting_position(name))
		snprintf(out, WAITING_TEXT_BYTES, "%llu", (unsigned long long)waiting_position(name));
	else
		hex_encode(name_key(name), out);
}

int waiting_name_from_text(const char *text, struct waiting_name *out, struct error *e)
{
	size_t length = strlen(text);
	struct waiting_name name = { .size = WAITING_NAME_BYTES };
	if (length && length < 20 && strspn(text, "0123456789") == length) {
		*out = waiting_at(strtoull(text, NULL, 10));
		return OK;
	}
	if (length == 2 * WAITING_NAME_BYTES && !hex_decode(text, name.byte, WAITING_NAME_BYTES) &&
	    name.byte[0] == AT_SIDE) {
		*out = name;
		return OK;
	}
	return error_set(e, ERR_INVALID, "item: '%.80s' is no name of an item that is held up: the list shows them",
	                 text);
}

/* ---- writing, in a turn ---- */

static int row_put(struct journal *j, const struct waiting_name *name, struct bytes cause)
{
	uint8_t memory[HELD_KEY_BYTES_MOST];
	struct writer w = writer_over(memory, sizeof memory);
	write_u8(&w, cause.size ? 1 : 0);
	write_bytes(&w, cause);
	return w.failed ? ERR_TOO_BIG
	                : store_put(j->txn, &journal_table_waiting, name_key(name), BYTES(memory, w.size));
}

int waiting_put(struct journal *j, uint64_t position, struct bytes cause)
{
	struct waiting_name name = waiting_at(position);
	return row_put(j, &name, cause);
}

int waiting_put_aside(struct journal *j, struct bytes quarantine_key)
{
	struct waiting_name name = waiting_aside(quarantine_key);
	return row_put(j, &name, (struct bytes){ 0 });
}

/* With its row in the table of what is held, if it has one. */
static int row_remove(struct journal *j, const struct waiting_name *name)
{
	uint8_t memory[HELD_KEY_BYTES_MOST];
	struct bytes value;
	int result = store_get(j->txn, &journal_table_waiting, name_key(name), &j->arena, &value);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	if (value.size > 1) {
		struct bytes cause = BYTES(value.data + 1, value.size - 1);
		store_delete(j->txn, &journal_table_held, held_key(cause, waiting_position(name), memory));
	}
	return store_delete(j->txn, &journal_table_waiting, name_key(name));
}

int waiting_remove(struct journal *j, uint64_t position)
{
	struct waiting_name name = waiting_at(position);
	return row_remove(j, &name);
}

int waiting_remove_aside(struct journal *j, struct bytes quarantine_key)
{
	struct waiting_name name = waiting_aside(quarantine_key);
	return row_remove(j, &name);
}

/* What stands at `name`, whatever became of it. */
static int item_of(struct store_txn *txn, const struct waiting_name *name, struct arena *arena, Lm__TapeItem **item,
                   struct error *e)
{
	struct bytes value;
	if (waiting_position(name))
		return journal_read(txn, waiting_position(name), arena, item, e);
	int result = store_get(txn, &journal_table_quarantine, BYTES(name->byte + 1, name->size - 1), arena, &value);
	if (result == ERR_NOT_FOUND)
		return error_set(e, ERR_NOT_FOUND, "there is no such item");
	if (result) {
		store_failure(txn, e);
		return result;
	}
	return item_unpack(value, arena, item, e);
}

int journal_drop(struct journal *j, const struct waiting_name *name, const char *why, struct error *e)
{
	Lm__TapeItem *item;
	int result = item_of(j->txn, name, &j->arena, &item, e);
	if (result)
		return result;
	item->disposition = LM__DISPOSITION__DISPOSITION_DROPPED;
	item->reason = (char *)(uintptr_t)why;
	if (waiting_position(name))
		item_write(j, waiting_position(name), item, false, NULL);
	else
		row_write(j, &journal_table_quarantine, BYTES(name->byte + 1, name->size - 1), &item->base, false);
	row_remove(j, name);
	return store_failure(j->txn, e);
}

/* ---- reading ---- */

static int entry_fill(struct store_txn *txn, struct arena *arena, struct waiting *out, struct error *e)
{
	Lm__TapeItem *retry;
	int result = item_of(txn, &out->name, arena, &out->item, e);
	if (result)
		return result;
	out->disposition = out->item->disposition;
	out->reason = out->item->reason;
	out->tried_ms = 0;
	if (!out->item->retry_of || out->disposition == LM__DISPOSITION__DISPOSITION_DROPPED)
		return OK;
	result = journal_read(txn, out->item->retry_of, arena, &retry, e); /* the newest says how it stands now */
	if (result)
		return result;
	out->disposition = retry->disposition;
	out->reason = retry->reason;
	out->tried_ms = retry->taken_ms;
	return OK;
}

int journal_waiting_get(struct store_txn *txn, const struct waiting_name *name, struct arena *arena,
                        struct waiting *out, struct error *e)
{
	out->name = *name;
	out->is_waiting = store_has(txn, &journal_table_waiting, name_key(name));
	return entry_fill(txn, arena, out, e);
}

int journal_waiting_next(struct store_txn *txn, const struct waiting_name *after, struct arena *arena,
                         struct waiting *out, struct error *e)
{
	struct store_cursor *c;
	struct bytes key;
	int result = store_cursor_open(txn, &journal_table_waiting, &c);
	if (result)
		return store_failure(txn, e);
	result = after->size ? store_cursor_seek(c, name_key(after), NULL, &key, NULL)
	                     : store_cursor_first(c, NULL, &key, NULL);
	if (!result && bytes_equal(key, name_key(after)))
		result = store_cursor_next(c, NULL, &key, NULL);
	if (!result && key.size > sizeof out->name.byte)
		result = store_fail(txn, ERR_DAMAGED, "table waiting: a key of %zu bytes", key.size);
	if (!result) {
		out->name.size = key.size;
		memcpy(out->name.byte, key.data, key.size);
		out->is_waiting = true;
	}
	store_cursor_close(c);
	if (result)
		return result == ERR_NOT_FOUND ? result : store_failure(txn, e);
	return entry_fill(txn, arena, out, e);
}

uint64_t journal_waiting_count(struct store_txn *txn)
{
	return store_count(txn, &journal_table_waiting);
}

uint64_t journal_held_because(struct store_txn *txn, struct bytes cause, size_t shared)
{
	uint8_t memory[HELD_KEY_BYTES_MOST];
	struct bytes first = held_key(cause, 0, memory), key;
	struct store_cursor *c;
	uint64_t count = 0;
	if (!first.size || shared > cause.size || store_cursor_open(txn, &journal_table_held, &c))
		return 0;
	int result = store_cursor_seek(c, first, NULL, &key, NULL);
	while (!result && key.size == first.size && memcmp(key.data, first.data, 1 + shared) == 0) {
		count++;
		result = store_cursor_next(c, NULL, &key, NULL);
	}
	store_cursor_close(c);
	return count;
}
