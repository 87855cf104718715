/*
 * What an operator did with an item that was held up. The item's own entry on the tape says how it stands; this is who
 * did it, when and why.
 */
#include <string.h>

#include "inside.h"

#define NAME_BYTES_MOST 64

int act_check(const Lm__QuarantineActPayload *act, struct error *e)
{
	bool is_drop = act->act == LM__QUARANTINE_ACT__QUARANTINE_ACT_DROP;
	if (!is_drop && act->act != LM__QUARANTINE_ACT__QUARANTINE_ACT_RETRY)
		return error_set(e, ERR_INVALID, "act: an item is retried or dropped");
	if (!act->by[0] || strlen(act->by) > NAME_BYTES_MOST)
		return error_set(e, ERR_INVALID, "by: say who does it, in at most %d bytes", NAME_BYTES_MOST);
	if (is_drop && !act->reason[strspn(act->reason, " \t\r\n")])
		return error_set(e, ERR_INVALID, "reason: say why it is dropped; the journal keeps it");
	if (strlen(act->reason) > ACT_REASON_BYTES_MOST)
		return error_set(e, ERR_INVALID, "reason: at most %d bytes", ACT_REASON_BYTES_MOST);
	if (act->entry.len != HASH_BYTES || !act->item[0])
		return error_set(e, ERR_INVALID, "item: the act names none");
	return OK;
}

int apply_quarantine_act(struct apply *a)
{
	Lm__QuarantineRecord record = LM__QUARANTINE_RECORD__INIT;
	uint8_t key[8];
	int result = CODEC_UNPACK(lm__quarantine_act_payload, a->item->plain, a->arena, &record.act, a->e);
	if (!result)
		result = act_check(record.act, a->e);
	if (!result && record.act->position >= a->item->position)
		result = error_set(a->e, ERR_INVALID, "item: the act names one that came after it");
	if (result)
		return result;
	record.time_ms = a->item->header->time_ms;
	result = row_put(a, &domain_table_act, key_u64(a->item->position, key), &record.base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_QUARANTINE });
}

int act_before(struct store_txn *txn, uint64_t before, struct arena *arena, uint64_t *position,
               Lm__QuarantineRecord **out, struct error *e)
{
	uint8_t memory[8];
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_act, &c);
	if (result)
		return store_failure(txn, e);
	result = store_cursor_seek(c, key_u64(before, memory), NULL, &key, NULL);
	if (!result)
		result = store_cursor_prev(c, arena, &key, &value);
	else if (result == ERR_NOT_FOUND)
		result = store_cursor_last(c, arena, &key, &value);
	if (!result) {
		struct reader r = reader_over(key);
		*position = read_u64(&r);
		result = row_unpack(txn, &domain_table_act, &lm__quarantine_record__descriptor, value, arena, out);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? result : store_failure(txn, e);
}
