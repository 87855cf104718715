/* A node's own part in changing its keys: rotation.h. */
#include "rotation.h"

#include <stdio.h>
#include <string.h>

#include "act.h"
#include "base/files.h"
#include "base/log.h"

static void next_path(const struct node *n, char out[4096])
{
	node_path(n, FILE_KEYS_NEXT, out, 4096);
}

int rotation_open(struct node *n, struct error *e)
{
	char path[4096];
	next_path(n, path);
	int result = file_find(path, e);
	atomic_store(&n->is_changing_keys, result == OK);
	return result == ERR_NOT_FOUND ? OK : result;
}

static void keys_take_up(struct node *n)
{
	char path[4096], next[4096];
	struct error e = { 0 };
	node_path(n, FILE_KEYS, path, sizeof path);
	next_path(n, next);
	if (file_move(next, path, &e)) {
		log_write(LOG_ERROR, "keys", "the next keys cannot be taken up: %s", e.text);
		return;
	}
	atomic_store(&n->is_changing_keys, false);
	log_write(LOG_INFO, "keys-changed", "this device goes on with the keys of generation %u and starts anew",
	          n->keys.generation + 1);
	n->must_restart = true;
	node_stop(n);
}

void rotation_tick(struct node *n)
{
	struct directory_row row;
	if (!atomic_load(&n->is_changing_keys) || n->is_stopping)
		return;
	if (directory_device(n, n->domain.device, &row) && row.generation == n->keys.generation + 1)
		keys_take_up(n);
}

static int keys_append(struct turn *t, const Lm__KeysPayload *keys, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = CODEC_PACK(keys, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_KEYS;
	struct draft draft = { .stream = LM__STREAM__STREAM_UP, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

/* ---- asking ---- */

/* The devices below know a town, and towns the hub, by it. */
static bool keeps_curve(const struct node *n)
{
	return n->domain.tier != LM__TIER__TIER_TERMINAL;
}

static int own_record(struct turn *t, Lm__DeviceRecord **own, struct error *e)
{
	int result = device_get(t->txn, t->node->domain.device, t->arena, own);
	if (result == ERR_NOT_FOUND)
		return error_set(e, ERR_NOT_READY, "this device is not in the directory yet: its keys are new");
	if (result)
		return error_set(e, result, "the directory cannot be read");
	if ((*own)->status != LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED)
		return error_set(e, ERR_REVOKED, "this device was revoked: its keys are not changed any more");
	if ((*own)->is_passing || (*own)->generation != t->node->keys.generation)
		return error_set(e, ERR_CONFLICT, "the last change of keys is still on its way: try again later");
	return OK;
}

static int next_tell(struct turn *t, const Lm__DeviceRecord *own, const struct device_keys *next, struct error *e)
{
	Lm__KeysPayload ask;
	Lm__DeviceRecord record;
	uint8_t signature[SIGNATURE_BYTES];
	int result = keys_ask_sign(next, &ask, signature, e);
	if (result || t->node->domain.tier != LM__TIER__TIER_DISTRICT)
		return result ? result : keys_append(t, &ask, e);
	result = keys_record(own, &ask, t->now_ms, t->arena, &record, e); /* the authority is here: nobody is asked */
	return result ? result : authority_append(t, &record, e);
}

/* A start between the file and the entry that asks: it is asked (again). */
static int ask_again(struct turn *t, const Lm__DeviceRecord *own, struct error *e)
{
	struct node *n = t->node;
	struct device_keys next;
	struct error why = { 0 };
	char path[4096];
	next_path(n, path);
	if (device_keys_next(path, &n->keys, keeps_curve(n), &next, &why)) {
		log_write(LOG_ERROR, "keys", "the next keys cannot be taken up: %s", why.text);
		atomic_store(&n->is_changing_keys, false);
		return OK;
	}
	int result = next_tell(t, own, &next, e);
	crypto_wipe(&next, sizeof next);
	return result;
}

int rotation_tell(struct turn *t, struct error *e)
{
	const struct node *n = t->node;
	Lm__DeviceRecord *own;
	Lm__KeysPayload keys = LM__KEYS_PAYLOAD__INIT;
	int result = device_get(t->txn, n->domain.device, t->arena, &own);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	if (own->status != LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED || own->generation != n->keys.generation)
		return OK;
	keys.generation = n->keys.generation;
	if (own->is_passing && n->domain.tier != LM__TIER__TIER_DISTRICT)
		return keys_append(t, &keys, e);
	if (own->is_passing) {
		own->is_passing = false;
		return authority_append(t, own, e);
	}
	return atomic_load(&n->is_changing_keys) ? ask_again(t, own, e) : OK;
}

static Lm__KeysView *keys_view(const struct device_keys *next, struct arena *arena, struct error *e)
{
	struct hash fingerprint;
	char *text = arena_alloc(arena, FINGERPRINT_TEXT_BYTES);
	Lm__KeysView *view = arena_alloc(arena, sizeof *view);
	if (!view || !text ||
	    device_fingerprint(next->suite, next->curve_public, next->signing_public, next->opening_public,
	                       &fingerprint, e))
		return NULL;
	fingerprint_to_text(&fingerprint, text);
	lm__keys_view__init(view);
	view->generation = next->generation;
	view->fingerprint = text;
	return view;
}

static int rotate_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	struct node *n = t->node;
	struct device_keys next;
	Lm__DeviceRecord *own;
	char path[4096];
	int result = own_record(t, &own, e);
	if (result)
		return result;
	next_path(n, path);
	result = device_keys_next(path, &n->keys, keeps_curve(n), &next, e);
	if (result)
		return result;
	Lm__KeysView *view = keys_view(&next, &a->arena, e);
	a->output = view ? &view->base : NULL;
	result = view ? next_tell(t, own, &next, e) : error_set(e, ERR_MEMORY, "no memory");
	crypto_wipe(&next, sizeof next);
	if (!result) /* now, for what is certified after this turn must not be signed with keys that end with it */
		atomic_store(&n->is_changing_keys, true);
	return result;
}

void control_rotate(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_command(context, a, rotate_run);
}
