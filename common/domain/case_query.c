/*
 * Reading cases: pages of the queue, and what the finding of cases by their receipt codes needs.
 */
#include <stdio.h>
#include <string.h>

#include "inside.h"

#define CODE_SCAN_MOST 20000 /* cases a call: about 30 ms, so that no snapshot is held for long */

struct page {
	struct store_txn *txn;
	const struct store_table *table;
	struct arena *arena;
	size_t most, count;
	bool (*visit)(void *context, struct id request, const Lm__CaseRecord *record);
	void *context;
	char *next;
	struct error *e;
};

static const struct store_table *view_table(enum case_view view)
{
	return view == CASE_VIEW_OPEN     ? &domain_table_open
	       : view == CASE_VIEW_CLOSED ? &domain_table_closed
	                                  : &domain_table_case;
}

/* A case that a list names. */
static int listed_get(struct store_txn *txn, const struct store_table *table, struct bytes id, struct arena *arena,
                      struct id *request, Lm__CaseRecord **out)
{
	if (id.size != ID_BYTES)
		return store_fail(txn, ERR_DAMAGED, "table %s: a row of %zu bytes is no request's id", table->name,
		                  id.size);
	memcpy(request->byte, id.data, ID_BYTES);
	int result = case_get(txn, *request, arena, out);
	return result == ERR_NOT_FOUND
	               ? store_fail(txn, ERR_DAMAGED, "table %s names a case that is not there", table->name)
	               : result;
}

static int page_row(struct page *p, struct bytes key, struct bytes value, bool *wants_more)
{
	struct id request = { { 0 } };
	Lm__CaseRecord *record = NULL;
	struct bytes id = p->table == &domain_table_case ? key : value;
	int result = listed_get(p->txn, p->table, id, p->arena, &request, &record);
	if (result && (id.size != ID_BYTES || !store_pass_over(p->txn, p->e)))
		return result;
	p->count++;
	hex_encode(key, p->next); /* the next page begins after this row */
	*wants_more = p->visit(p->context, request, record);
	return OK;
}

static int page_step(struct store_cursor *c, enum case_view view, struct arena *arena, struct bytes *key,
                     struct bytes *value)
{
	return view == CASE_VIEW_OPEN ? store_cursor_next(c, arena, key, value)
	                              : store_cursor_prev(c, arena, key, value);
}

static int page_start(struct store_cursor *c, enum case_view view, const char *after, struct arena *arena,
                      struct bytes *key, struct bytes *value)
{
	bool is_forward = view == CASE_VIEW_OPEN;
	if (!after[0])
		return is_forward ? store_cursor_first(c, arena, key, value) : store_cursor_last(c, arena, key, value);
	uint8_t at[ID_BYTES];
	size_t size = strlen(after) / 2;
	if (size > sizeof at || hex_decode(after, at, size))
		return ERR_INVALID;
	int result = store_cursor_seek(c, BYTES(at, size), arena, key, value);
	if (result == ERR_NOT_FOUND)
		return is_forward ? result : store_cursor_last(c, arena, key, value);
	if (result)
		return result;
	if (!is_forward)
		return store_cursor_prev(c, arena, key, value);
	return bytes_equal(*key, BYTES(at, size)) ? store_cursor_next(c, arena, key, value) : OK;
}

int case_page(struct store_txn *txn, enum case_view view, const char *after, size_t most, struct arena *arena,
              bool (*visit)(void *context, struct id request, const Lm__CaseRecord *record), void *context,
              char next[40], struct error *e)
{
	char reached[40] = "";
	struct page p = { txn, view_table(view), arena, most, 0, visit, context, reached, e };
	struct store_cursor *c;
	struct bytes key, value = { 0 };
	/* The key says which case it is: its row is read by page_row, which knows what to do when it is damaged. */
	struct bytes *opened = view == CASE_VIEW_ALL ? NULL : &value;
	bool wants_more = most > 0;
	size_t passed = 0; /* rows of the list that are damaged: of which case they are nobody can tell */
	if (store_cursor_open(txn, p.table, &c))
		return store_failure(txn, e);
	int result = page_start(c, view, after, arena, &key, opened);
	while (wants_more && p.count < most) {
		if (!result)
			result = page_row(&p, key, value, &wants_more);
		else if (result != ERR_DAMAGED || ++passed > most || !store_pass_over(txn, e))
			break;
		else
			result = OK;
		if (!result)
			result = page_step(c, view, arena, &key, opened);
	}
	store_cursor_close(c);
	if (result == ERR_INVALID)
		return error_set(e, result, "'after' is not a place where a page ended");
	if (result && result != ERR_NOT_FOUND)
		return store_failure(txn, e);
	bool is_end = result == ERR_NOT_FOUND || !wants_more;
	snprintf(next, sizeof reached, "%s", is_end ? "" : reached);
	return OK;
}

uint64_t case_open_count(struct store_txn *txn)
{
	return store_count(txn, &domain_table_open);
}

int case_code_hash(const uint8_t key[KEY_BYTES], const char *code, struct hash *out, struct error *e)
{
	return crypto_hmac(SUITE_INTERNATIONAL, key, bytes_from_text(code), out, e);
}

int case_codes_each(struct store_txn *txn, struct id *from, struct arena *arena,
                    bool (*visit)(void *context, struct id request, const struct hash *code_hash), void *context,
                    struct error *e)
{
	struct store_cursor *c;
	struct bytes key, value;
	struct id next = { { 0 } };
	if (store_cursor_open(txn, &domain_table_case, &c))
		return store_failure(txn, e);
	int result = store_cursor_seek(c, key_id(from), arena, &key, &value);
	for (size_t scanned = 0; !result || (scanned < CODE_SCAN_MOST && store_pass_over(txn, e)); scanned++) {
		Lm__CaseRecord *record;
		struct id request;
		struct hash hash;
		if (result) { /* a damaged row is nobody's */
			result = store_cursor_next(c, arena, &key, &value);
			continue;
		}
		memcpy(request.byte, key.data, ID_BYTES);
		if (scanned == CODE_SCAN_MOST) {
			next = request;
			break;
		}
		result = row_unpack(txn, &domain_table_case, &lm__case_record__descriptor, value, arena, &record);
		if (result)
			continue;
		bool goes_on = true;
		for (size_t i = 0; case_code_at(record, i, &hash) && goes_on; i++)
			goes_on = visit(context, request, &hash);
		if (!goes_on)
			break;
		arena_reset(arena);
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	if (result && result != ERR_NOT_FOUND)
		return store_failure(txn, e);
	*from = next;
	return OK;
}

int case_locks_each(struct store_txn *txn, struct arena *arena,
                    bool (*visit)(void *context, struct id request, const Lm__CaseRecord *record), void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_lock, &c);
	if (result)
		return result;
	result = store_cursor_first(c, arena, &key, &value);
	while (!result) {
		struct id request;
		Lm__CaseRecord *record = NULL;
		result = listed_get(txn, &domain_table_lock, value, arena, &request, &record);
		if (result || !visit(context, request, record))
			break;
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}
