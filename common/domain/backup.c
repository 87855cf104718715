/*
 * Backups that were made and verified, and whether this store came from one: two rows, kept by entries of `own`.
 */
#include <string.h>

#include "inside.h"

static const char backup_key[] = "backup", restore_key[] = "restore";

int backup_get(struct store_txn *txn, struct arena *arena, Lm__BackupRecord **out)
{
	return row_get(txn, &domain_table_backup, bytes_from_text(backup_key), &lm__backup_record__descriptor, arena,
	               out);
}

int restore_get(struct store_txn *txn, struct arena *arena, Lm__RestoreRecord **out)
{
	return row_get(txn, &domain_table_backup, bytes_from_text(restore_key), &lm__restore_record__descriptor, arena,
	               out);
}

static size_t waiting_find(const Lm__BackupRecord *record, struct bytes backup)
{
	size_t i = 0;
	while (i < record->n_made && !bytes_equal(codec_bytes(record->made[i]->backup), backup))
		i++;
	return i;
}

const Lm__BackupPayload *backup_waiting(const Lm__BackupRecord *record, struct bytes backup)
{
	size_t i = waiting_find(record, backup);
	return i < record->n_made ? record->made[i] : NULL;
}

static int backup_made(struct apply *a, Lm__BackupRecord *record, Lm__BackupPayload *made)
{
	Lm__BackupPayload **list = arena_alloc(a->arena, (record->n_made + 1) * sizeof *list);
	size_t oldest = record->n_made >= BACKUPS_WAITING_MOST ? 1 : 0;
	if (!list)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a backup's row");
	if (made->proof_key.len != KEY_BYTES)
		return error_set(a->e, ERR_INVALID, "the backup has no key for its proof");
	if (record->n_made > oldest)
		memcpy(list, record->made + oldest, (record->n_made - oldest) * sizeof *list);
	record->n_made -= oldest;
	list[record->n_made++] = made;
	record->made = list;
	return OK;
}

/* What was made before it is no news any more. */
static int backup_verified(struct apply *a, Lm__BackupRecord *record, Lm__BackupPayload *verified)
{
	size_t i = waiting_find(record, codec_bytes(verified->backup));
	if (i == record->n_made)
		return error_set(a->e, ERR_NOT_FOUND, "no backup of this name waits to be verified");
	record->verified = verified;
	record->made += i + 1;
	record->n_made -= i + 1;
	return OK;
}

int apply_backup(struct apply *a)
{
	Lm__BackupPayload *payload;
	Lm__BackupRecord fresh = LM__BACKUP_RECORD__INIT, *record = &fresh;
	int result = CODEC_UNPACK(lm__backup_payload, a->item->plain, a->arena, &payload, a->e);
	if (!result && payload->backup.len != BACKUP_ID_BYTES)
		result = error_set(a->e, ERR_INVALID, "a backup's name has %d bytes", BACKUP_ID_BYTES);
	if (result)
		return result;
	fresh.begun_ms = a->item->header->time_ms;
	result = backup_get(a->txn, a->arena, &record);
	if (result && result != ERR_NOT_FOUND)
		return result;
	switch (payload->step) {
	case LM__BACKUP_STEP__BACKUP_STEP_MADE:
		result = backup_made(a, record, payload);
		break;
	case LM__BACKUP_STEP__BACKUP_STEP_VERIFIED:
		result = backup_verified(a, record, payload);
		break;
	default:
		result = error_set(a->e, ERR_INVALID, "there is no such step of a backup");
	}
	return result ? result : row_put(a, &domain_table_backup, bytes_from_text(backup_key), &record->base);
}

static int left_out_add(struct apply *a, Lm__RestoreRecord *record, uint64_t device)
{
	uint64_t *list = arena_alloc(a->arena, (record->n_left_out + 1) * sizeof *list);
	if (!list)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a restore's row");
	if (record->n_left_out)
		memcpy(list, record->left_out, record->n_left_out * sizeof *list);
	list[record->n_left_out++] = device;
	record->left_out = list;
	return OK;
}

bool restore_is_returning(struct store_txn *txn, struct arena *arena)
{
	Lm__RestoreRecord *record;
	return !restore_get(txn, arena, &record) && !record->is_over;
}

bool restore_gave_back(struct apply *a)
{
	Lm__RestoreRecord *record;
	return !restore_get(a->txn, a->arena, &record) && a->item->position < record->ended_position;
}

int apply_restore(struct apply *a)
{
	Lm__RestorePayload *payload;
	Lm__RestoreRecord fresh = LM__RESTORE_RECORD__INIT, *record = &fresh;
	int result = CODEC_UNPACK(lm__restore_payload, a->item->plain, a->arena, &payload, a->e);
	if (result)
		return result;
	if (payload->step == LM__RESTORE_STEP__RESTORE_STEP_BEGUN) {
		fresh.backup = payload->backup;
		fresh.made_ms = payload->made_ms;
		fresh.position = payload->position;
		fresh.begun_ms = a->item->header->time_ms;
	} else {
		result = restore_get(a->txn, a->arena, &record);
		if (result == ERR_NOT_FOUND || (!result && record->is_over))
			return error_set(a->e, ERR_CONFLICT, "nothing is being given back to this node");
	}
	if (!result && payload->step == LM__RESTORE_STEP__RESTORE_STEP_LEFT_OUT)
		result = left_out_add(a, record, payload->device);
	record->is_over = payload->step == LM__RESTORE_STEP__RESTORE_STEP_ENDED;
	record->ended_position = record->is_over ? a->item->position : 0;
	if (!result)
		result = row_put(a, &domain_table_backup, bytes_from_text(restore_key), &record->base);
	if (!result && record->is_over)
		result = certificates_follow(a);
	return !result && record->is_over ? release_return(a) : result;
}

/* ---- what waited during the return ---- */

static int asks_add(struct apply *a, struct id request, const Lm__CaseRecord *record)
{
	int result = OK;
	bool is_ours = case_is_ours(a->d, record);
	for (size_t i = 0; i < record->n_asks && !result; i++) {
		const Lm__PendingAsk *ask = record->asks[i];
		struct domain_effect effect = {
			.type = DOMAIN_ANSWER_ASK, .request = request, .kind = ask->kind, .version = ask->version
		};
		if (ask->is_answered || ask->hash.len != HASH_BYTES)
			continue;
		memcpy(effect.ask.byte, ask->hash.data, HASH_BYTES);
		result = is_ours ? effect_add(a, effect) : case_ask_pass(a, request, record, ask->position);
	}
	return result;
}

int case_asks_unanswered(const struct domain *d, struct store_txn *txn, struct arena *arena, struct domain_effects *fx,
                         struct error *e)
{
	struct apply a = { .d = d, .txn = txn, .arena = arena, .fx = fx, .e = e };
	struct arena row;
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_case, &c);
	if (result)
		return store_failure(txn, e);
	arena_init(&row, 1024 * 1024);
	result = store_cursor_first(c, &row, &key, &value);
	while (!result) {
		Lm__CaseRecord *record;
		struct id request;
		memcpy(request.byte, key.data, key.size < ID_BYTES ? key.size : ID_BYTES);
		result = row_unpack(txn, &domain_table_case, &lm__case_record__descriptor, value, &row, &record);
		if (!result)
			result = asks_add(&a, request, record);
		arena_reset(&row);
		if (!result)
			result = store_cursor_next(c, &row, &key, &value);
	}
	store_cursor_close(c);
	arena_release(&row);
	return result == ERR_NOT_FOUND ? OK : store_failure(txn, e);
}

int case_copy_effect(const struct domain *d, struct store_txn *txn, struct arena *arena, const struct domain_item *item,
                     struct domain_effects *fx, struct error *e)
{
	struct apply a = { .d = d, .txn = txn, .arena = arena, .item = item, .fx = fx, .e = e };
	return case_copy_relay(&a);
}
