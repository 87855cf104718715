/*
 * Who may connect: the directory's keys in memory, so that a handshake asks no table. Written by the writer when
 * the directory changed, read by the loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

struct refresh {
	struct directory_row *rows;
	size_t count, capacity;
	bool is_out_of_memory;
};

/* Older ones than the last are strangers' keys. */
static void former_from(struct directory_row *row, const Lm__DeviceRecord *record)
{
	const Lm__FormerKeys *former = record->n_former ? record->former[record->n_former - 1] : NULL;
	row->has_former = former && memcmp(former->curve_key.data, row->curve_key, KEY_BYTES) != 0;
	if (!row->has_former)
		return;
	char when[CLOCK_TEXT_BYTES];
	clock_format_shanghai(former->until_ms, when);
	memcpy(row->former_curve_key, former->curve_key.data, KEY_BYTES);
	row->is_passing = record->is_passing;
	snprintf(row->former_why, sizeof row->former_why, "this device replaced it by another on %.10s", when);
}

static void row_from(struct directory_row *row, const Lm__DeviceRecord *record)
{
	memset(row, 0, sizeof *row);
	memcpy(row->curve_key, record->curve_key.data, KEY_BYTES);
	row->device = record->device;
	row->role = record->role;
	snprintf(row->place, sizeof row->place, "%s", record->place);
	row->generation = record->generation;
	former_from(row, record);
	row->is_revoked = record->status == LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED;
	if (row->is_revoked) {
		char when[CLOCK_TEXT_BYTES];
		clock_format_shanghai(record->since_ms, when);
		snprintf(row->why, sizeof row->why, "revoked on %.10s by %.40s: %.120s", when, record->by,
		         record->reason);
	}
}

static bool refresh_visit(void *context, const Lm__DeviceRecord *record)
{
	struct refresh *r = context;
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 64;
		struct directory_row *grown = realloc(r->rows, capacity * sizeof *grown);
		if (!grown) {
			r->is_out_of_memory = true;
			return false;
		}
		r->rows = grown;
		r->capacity = capacity;
	}
	row_from(&r->rows[r->count++], record);
	return true;
}

/* While a device is passing to other keys it may not have them at hand yet: those before it keeps for good. */
static void recipient_from(struct period_recipient *out, const Lm__DeviceRecord *record)
{
	bool is_before = record->is_passing && record->n_former;
	const ProtobufCBinaryData *key =
	        is_before ? &record->former[record->n_former - 1]->opening_key : &record->opening_key;
	out->id = record->device;
	memcpy(out->opening_key, key->data, KEY_BYTES);
}

/* The hub's down stream to one town is sealed to that town and the district. */
static int recipients_of_town(struct node *n, struct store_txn *txn, struct arena *arena, uint64_t device,
                              struct period_recipient to[2])
{
	Lm__DeviceRecord *town;
	struct line_key down = { n->domain.device, LM__STREAM__STREAM_DOWN, device };
	int result = device_get(txn, device, arena, &town);
	if (result)
		return result;
	recipient_from(&to[1], town);
	return journal_set_recipients(n->journal, &down, to, 2, NULL);
}

/* Our stream up is sealed to town and district. */
static int recipients_above(struct node *n, struct store_txn *txn, struct arena *arena, struct period_recipient to[2])
{
	Lm__DeviceRecord *town;
	struct line_key up = { n->domain.device, LM__STREAM__STREAM_UP, 0 };
	uint64_t town_device = device_town_of(txn, n->domain.place, arena);
	int result = store_failure(txn, NULL);
	if (!result)
		result = town_device ? device_get(txn, town_device, arena, &town) : ERR_NOT_FOUND;
	if (result)
		return result;
	recipient_from(&to[1], town);
	result = journal_set_recipients(n->journal, &up, to, 2, NULL);
	if (!result)
		atomic_store(&n->can_seal, true);
	return result;
}

/* Fails by a fault of the machine only: whom we do not know yet we shall hear of. */
static int recipients_refresh(struct node *n, struct store_txn *txn, struct arena *arena, const struct refresh *r)
{
	Lm__AuthorityPayload *authority;
	Lm__DeviceRecord *hub;
	struct period_recipient to[2];
	int result = authority_get(txn, arena, &authority, &hub);
	if (result)
		return error_is_of_machine(result) ? result : OK;
	recipient_from(&to[0], hub);
	if (n->domain.tier != LM__TIER__TIER_DISTRICT)
		result = recipients_above(n, txn, arena, to);
	for (size_t i = 0; i < r->count && n->domain.tier == LM__TIER__TIER_DISTRICT; i++)
		if (r->rows[i].role == LM__TIER__TIER_TOWN && !r->rows[i].is_revoked && !error_is_of_machine(result))
			result = recipients_of_town(n, txn, arena, r->rows[i].device, to);
	return error_is_of_machine(result) ? result : OK;
}

int directory_refresh(struct node *n, struct error *e)
{
	struct store_txn *txn;
	struct arena arena;
	struct refresh r = { 0 };
	int result = store_begin_read(n->store, &txn, e);
	if (result)
		return result;
	arena_init(&arena, 16u * 1024 * 1024);
	result = device_each(txn, &arena, refresh_visit, &r);
	if (result && !store_failure(txn, e))
		error_set(e, result, "the directory cannot be read: %s", error_name(result));
	if (!result && r.is_out_of_memory)
		result = error_set(e, ERR_MEMORY, "no memory for the directory");
	if (!result) {
		result = recipients_refresh(n, txn, &arena, &r);
		if (result)
			error_set(e, result, "nothing can be sealed now: %s", error_name(result));
	}
	if (!result) {
		pthread_mutex_lock(&n->directory_lock);
		struct directory_row *old = n->directory;
		n->directory = r.rows;
		n->directory_count = r.count;
		pthread_mutex_unlock(&n->directory_lock);
		r.rows = old;
	}
	free(r.rows);
	store_abort(txn);
	arena_release(&arena);
	return result;
}

int directory_find(struct node *n, const uint8_t curve_key[KEY_BYTES], struct directory_row *out)
{
	int result = ERR_UNKNOWN_KEY;
	pthread_mutex_lock(&n->directory_lock);
	for (size_t i = 0; i < n->directory_count; i++) {
		const struct directory_row *row = &n->directory[i];
		bool is_now = memcmp(row->curve_key, curve_key, KEY_BYTES) == 0;
		if (!is_now && (!row->has_former || memcmp(row->former_curve_key, curve_key, KEY_BYTES) != 0))
			continue;
		*out = *row;
		if (!is_now && !row->is_passing && !row->is_revoked) {
			out->is_revoked = out->is_replaced = true;
			memcpy(out->why, row->former_why, sizeof row->former_why);
		}
		result = OK;
		break;
	}
	pthread_mutex_unlock(&n->directory_lock);
	return result;
}

bool directory_device(struct node *n, uint64_t device, struct directory_row *out)
{
	bool is_found = false;
	pthread_mutex_lock(&n->directory_lock);
	for (size_t i = 0; i < n->directory_count && !is_found; i++) {
		is_found = n->directory[i].device == device;
		if (is_found)
			*out = n->directory[i];
	}
	pthread_mutex_unlock(&n->directory_lock);
	return is_found;
}
