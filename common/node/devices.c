/*
 * The directory: list, admit, revoke, and lmctl's routes for it. All but the list at the hub only.
 */
#include <string.h>

#include "act.h"
#include "node/control.h"
#include "rotation.h"

Lm__DeviceView *device_view(const struct node *n, struct arena *arena, const Lm__DeviceRecord *record)
{
	Lm__DeviceView *v = arena_alloc(arena, sizeof *v);
	if (!v)
		return NULL;
	lm__device_view__init(v);
	v->device = arena_format(arena, "%016llx", (unsigned long long)record->device);
	v->record = (Lm__DeviceRecord *)(uintptr_t)record;
	v->place_name = node_place_words(n, record->place, arena);
	return v->device && v->place_name ? v : NULL;
}

struct devices_build {
	const struct node *node;
	struct arena *arena;
	Lm__DeviceView **list;
	size_t count, most;
};

static bool devices_visit(void *context, const Lm__DeviceRecord *record)
{
	struct devices_build *b = context;
	Lm__DeviceView *v = b->count < b->most ? device_view(b->node, b->arena, record) : NULL;
	if (v)
		b->list[b->count++] = v;
	return v != NULL;
}

static void devices_pool(struct node *n, void *context)
{
	struct act *a = context;
	struct store_txn *txn;
	struct devices_build b = { .node = n, .arena = &a->arena, .most = 4096 };
	Lm__DevicesView *view = arena_alloc(&a->arena, sizeof *view);
	b.list = arena_alloc(&a->arena, b.most * sizeof *b.list);
	a->result = view && b.list ? store_begin_read(n->store, &txn, &a->error) : ERR_MEMORY;
	if (a->result)
		return;
	a->result = device_each(txn, &a->arena, devices_visit, &b);
	store_abort(txn);
	lm__devices_view__init(view);
	view->devices = b.list;
	view->n_devices = b.count;
	a->output = &view->base;
}

void control_devices(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_pool(context, a, devices_pool);
}

void control_places(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (!a)
		return;
	Lm__PlacesView *view = places_view(context, &a->arena);
	a->output = view ? &view->base : NULL;
	act_answer(a, view ? OK : ERR_MEMORY, NULL);
}

int only_at_hub(struct node *n, struct error *e)
{
	if (n->domain.tier == LM__TIER__TIER_DISTRICT)
		return OK;
	return error_set(e, ERR_DENIED, "only the district's hub does this; this is %s for %s", n->tier.program,
	                 n->domain.place);
}

int packed_append(struct turn *t, Lm__Kind kind, struct bytes packed, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct placed placed;
	h.kind = kind;
	struct draft draft = { .stream = LM__STREAM__STREAM_ALL, .header = &h, .payload = packed };
	return turn_append(t, &draft, &placed, e);
}

int all_append(struct turn *t, Lm__Kind kind, const ProtobufCMessage *message, struct error *e)
{
	struct bytes packed;
	int result = codec_pack(message, t->arena, &packed, e);
	return result ? result : packed_append(t, kind, packed, e);
}

static int key_from(struct arena *arena, const char *name, const char *hex, ProtobufCBinaryData *out, struct error *e)
{
	uint8_t *key = arena_alloc(arena, KEY_BYTES);
	if (!key || hex_decode(hex, key, KEY_BYTES))
		return error_set(e, ERR_INVALID, "file.%s: 64 hexadecimal digits are needed", name);
	*out = codec_data(BYTES(key, KEY_BYTES));
	return OK;
}

/* The fingerprint that a person read off the device's screen decides, not the one in the file. */
static int record_from(struct arena *arena, const Lm__AdmitCommand *in, Lm__DeviceRecord *r, struct error *e)
{
	struct hash made, given;
	lm__device_record__init(r);
	if (!in->file)
		return error_set(e, ERR_INVALID, "file: the device's public keys are missing");
	int result = key_from(arena, "curve_key", in->file->curve_key, &r->curve_key, e);
	if (!result)
		result = key_from(arena, "signing_key", in->file->signing_key, &r->signing_key, e);
	if (!result)
		result = key_from(arena, "opening_key", in->file->opening_key, &r->opening_key, e);
	if (!result)
		result = fingerprint_from_text(in->fingerprint, &given, e);
	if (!result)
		result = device_fingerprint((uint8_t)in->file->suite, r->curve_key.data, r->signing_key.data,
		                            r->opening_key.data, &made, e);
	if (result)
		return result;
	if (memcmp(&made, &given, sizeof made) != 0)
		return error_set(e, ERR_INVALID,
		                 "the fingerprint does not belong to the keys in the file: compare it again with the "
		                 "device's screen");
	r->device = device_id_of(&made);
	r->suite = in->file->suite;
	r->role = in->role;
	r->place = in->place;
	r->by = in->by;
	r->status = LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED;
	return device_record_check(r, e);
}

int admit_check(struct turn *t, const Lm__DeviceRecord *r, struct error *e)
{
	Lm__DeviceRecord *known;
	if (r->role != LM__TIER__TIER_TERMINAL && r->role != LM__TIER__TIER_TOWN)
		return error_set(e, ERR_INVALID, "role: a terminal or a town is admitted");
	if (!place_contains(t->node->domain.place, r->place))
		return error_set(e, ERR_INVALID, "place: %.20s is not in district %s", r->place, t->node->domain.place);
	if (!device_find_place(t->txn, r->place, t->arena, &known) &&
	    known->status == LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED && known->device != r->device)
		return error_set(e, ERR_EXISTS, "at %.20s device %016llx is admitted: revoke it first", r->place,
		                 (unsigned long long)known->device);
	if (!device_get(t->txn, r->device, t->arena, &known) &&
	    known->status == LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED)
		return error_set(e, ERR_EXISTS, "this device is admitted already, at %.20s", known->place);
	return OK;
}

static int admit_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	Lm__DeviceRecord *record = arena_alloc(&a->arena, sizeof *record);
	int result = record ? only_at_hub(t->node, e) : error_set(e, ERR_MEMORY, "no memory");
	if (!result)
		result = record_from(&a->arena, (Lm__AdmitCommand *)a->input, record, e);
	if (!result)
		result = admit_check(t, record, e);
	if (result)
		return result;
	record->since_ms = t->now_ms;
	result = all_append(t, LM__KIND__KIND_DEVICE, &record->base, e);
	Lm__DeviceView *view = device_view(t->node, &a->arena, record);
	if (!result && !view)
		result = error_set(e, ERR_MEMORY, "no memory");
	a->output = view ? &view->base : NULL;
	return result;
}

static void admit_post(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__admit_command__descriptor);
	if (a)
		act_command(context, a, admit_run);
}

int device_named(struct turn *t, const char *name, struct arena *arena, Lm__DeviceRecord **out, struct error *e)
{
	uint64_t device;
	int result = ERR_NOT_FOUND;
	if (strlen(name) == 16 && hex_decode_u64(name, &device))
		result = device_get(t->txn, device, arena, out);
	if (result)
		result = device_find_place(t->txn, name, arena, out);
	return result ? error_set(e, result, "no device '%.40s' is in the directory; `lmctl devices` lists them", name)
	              : OK;
}

static int revoke_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__RevokeCommand *in = (Lm__RevokeCommand *)a->input;
	Lm__DeviceRecord *record;
	int result = only_at_hub(t->node, e);
	if (!result && (!in->reason[0] || strlen(in->reason) > 200))
		result = error_set(e, ERR_INVALID, "reason: say why, in at most 200 bytes; the device shows it");
	if (!result)
		result = device_named(t, in->device, &a->arena, &record, e);
	if (!result && record->role == LM__TIER__TIER_DISTRICT)
		result = error_set(e, ERR_INVALID, "the hub cannot revoke itself");
	if (!result && record->status == LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED)
		result = error_set(e, ERR_EXISTS, "device %016llx was revoked before",
		                   (unsigned long long)record->device);
	if (result)
		return result;
	record->status = LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED;
	record->since_ms = t->now_ms;
	record->by = in->by;
	record->reason = in->reason;
	result = all_append(t, LM__KIND__KIND_DEVICE, &record->base, e);
	Lm__DeviceView *view = device_view(t->node, &a->arena, record);
	a->output = view ? &view->base : NULL;
	return !result && !view ? error_set(e, ERR_MEMORY, "no memory") : result;
}

void control_revoke(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__revoke_command__descriptor);
	if (!a)
		return;
	act_by(a, &((Lm__RevokeCommand *)a->input)->by);
	act_command(context, a, revoke_run);
}

const struct http_route device_routes[] = {
	{ HTTP_GET, "/ctl/v1/devices", HTTP_LOCAL, control_devices },
	{ HTTP_POST, "/ctl/v1/admit", HTTP_LOCAL, admit_post },
	{ HTTP_POST, "/ctl/v1/revoke", HTTP_LOCAL, control_revoke },
	{ HTTP_POST, "/ctl/v1/keys", HTTP_LOCAL, control_rotate },
	{ HTTP_POST, "/ctl/v1/release", HTTP_LOCAL, control_release },
	{ HTTP_GET, "/ctl/v1/tokens", HTTP_LOCAL, control_tokens },
	{ HTTP_POST, "/ctl/v1/tokens", HTTP_LOCAL, control_token },
	{ HTTP_POST, "/ctl/v1/tokens/withdraw", HTTP_LOCAL, control_withdraw_token },
	{ HTTP_POST, "/ctl/v1/cards/issue", HTTP_LOCAL, control_card_issue },
	{ HTTP_POST, "/ctl/v1/cards/revoke", HTTP_LOCAL, control_card_revoke },
	{ HTTP_POST, "/ctl/v1/join", HTTP_LOCAL, control_join },
};
const size_t device_route_count = sizeof device_routes / sizeof *device_routes;
