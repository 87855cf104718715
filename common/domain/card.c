/*
 * Cards: issued at the hub, where nobody else hears of it; a revocation goes to everybody.
 *
 *   issued ──▶ revoked
 */
#include <string.h>

#include "domain/card.h"
#include "inside.h"

#define BY_BYTES_MOST 64
#define REASON_BYTES_MOST 200
#define NUMBER_MOST UINT64_C(999999999999) /* twelve digits */
#define ISSUED LM__CARD_STATUS__CARD_STATUS_ISSUED
#define REVOKED LM__CARD_STATUS__CARD_STATUS_REVOKED

const struct store_table domain_table_card = { .name = "card", .number = 58, .is_projection = true };

int card_get(struct store_txn *txn, uint64_t number, struct arena *arena, Lm__CardRecord **out)
{
	uint8_t key[8];
	return row_get(txn, &domain_table_card, key_u64(number, key), &lm__card_record__descriptor, arena, out);
}

int card_newest(struct store_txn *txn, struct arena *arena, uint64_t *out)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_card, &c);
	if (result)
		return result;
	result = store_cursor_last(c, arena, &key, &value);
	store_cursor_close(c);
	struct reader r = reader_over(key);
	if (!result)
		*out = read_u64(&r);
	else if (result == ERR_NOT_FOUND)
		*out = 0;
	return result == ERR_NOT_FOUND ? OK : result;
}

static int record_check(const Lm__CardRecord *r, struct error *e)
{
	if (!r->number || r->number > NUMBER_MOST)
		return error_set(e, ERR_INVALID, "card: a number of at most twelve digits");
	if (!r->by[0] || strlen(r->by) > BY_BYTES_MOST)
		return error_set(e, ERR_INVALID, "by: say who does it, in at most %d bytes", BY_BYTES_MOST);
	return OK;
}

static int issue(struct apply *a, struct bytes key, const Lm__CardRecord *r)
{
	if (store_has(a->txn, &domain_table_card, key))
		return error_set(a->e, ERR_EXISTS, "a card with this number was issued before");
	if (r->public_key.len != P256_KEY_BYTES || (r->person_id.len && r->person_id.len != ID_BYTES))
		return error_set(a->e, ERR_INVALID, "a card has a key, and is for one person or nobody said");
	return row_put(a, &domain_table_card, key, &r->base);
}

static int revoke(struct apply *a, struct bytes key, const Lm__CardRecord *r)
{
	Lm__CardRecord *known, row = *r;
	if (!r->reason[strspn(r->reason, " \t\r\n")] || strlen(r->reason) > REASON_BYTES_MOST)
		return error_set(a->e, ERR_INVALID,
		                 "reason: say why, in at most %d bytes, and nothing about the person",
		                 REASON_BYTES_MOST);
	int result = row_get(a->txn, &domain_table_card, key, &lm__card_record__descriptor, a->arena, &known);
	if (result && result != ERR_NOT_FOUND)
		return result;
	if (!result && known->status == REVOKED)
		return error_set(a->e, ERR_EXISTS, "this card was revoked before");
	if (!result) { /* at the hub: whose it is stays known */
		row.person_id = known->person_id;
		row.public_key = known->public_key;
		row.expires_ms = known->expires_ms;
	}
	return row_put(a, &domain_table_card, key, &row.base);
}

int apply_card(struct apply *a)
{
	Lm__CardRecord *record;
	uint8_t memory[8];
	int result = CODEC_UNPACK(lm__card_record, a->item->plain, a->arena, &record, a->e);
	if (!result)
		result = record_check(record, a->e);
	if (result)
		return result;
	struct bytes key = key_u64(record->number, memory);
	bool is_own = a->item->header->stream == LM__STREAM__STREAM_OWN;
	if (record->status == ISSUED && is_own)
		return issue(a, key, record);
	if (record->status == REVOKED && !is_own)
		return revoke(a, key, record);
	return error_set(a->e, ERR_INVALID, "a card is issued at the hub, or revoked for everybody");
}
