/* The district's directory: admit, revoke, list. What can be known here is checked before the hub is asked. */
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "domain/domain.h"
#include "node/device_file.h"
#include "proto/api.pb-c.h"

#include "ctl.h"

#define DEVICE_DIGITS 16

static const char *place_form(Lm__Tier role)
{
	return role == LM__TIER__TIER_TOWN ? "310114106" : "310114106001-T1";
}

/* The role and a place of its form, from the options. */
int seat_read(const struct call *c, Lm__Tier *role, struct error *e)
{
	const char *name = c->option[OPTION_ROLE], *place = c->option[OPTION_PLACE];
	if (strcmp(name, "town") == 0)
		*role = LM__TIER__TIER_TOWN;
	else if (strcmp(name, "terminal") == 0)
		*role = LM__TIER__TIER_TERMINAL;
	else
		return error_set(e, ERR_USAGE, "--role: '%.40s' is neither terminal nor town", name);
	enum place_level wanted = *role == LM__TIER__TIER_TOWN ? PLACE_TOWN : PLACE_DEVICE;
	if (place_level_of(place) != wanted)
		return error_set(e, ERR_USAGE, "--place: '%.40s' is not where a %s stands: it looks like %s", place,
		                 name, place_form(*role));
	return OK;
}

/* The person's reading of the device's screen against the keys in the file: the one check against a file that was
 * exchanged on its way. */
static int fingerprint_check(const struct call *c, const struct hash *of_file, struct error *e)
{
	struct hash given;
	char file_text[FINGERPRINT_TEXT_BYTES], given_text[FINGERPRINT_TEXT_BYTES];
	int result = fingerprint_from_text(c->option[OPTION_FINGERPRINT], &given, e);
	if (result)
		return error_wrap(e, result, "--fingerprint");
	if (crypto_equal(&given, of_file, sizeof given))
		return OK;
	fingerprint_to_text(of_file, file_text);
	fingerprint_to_text(&given, given_text);
	return error_set(
	        e, ERR_INVALID,
	        "the keys in this file have the fingerprint\n  %s, you gave\n  %s\nEither it was misread, or this is "
	        "not that device's file: do not admit it before both agree",
	        file_text, given_text);
}

static void device_row(struct print_table *t, const Lm__DeviceView *v)
{
	static const Lm__DeviceRecord none = LM__DEVICE_RECORD__INIT;
	const Lm__DeviceRecord *r = v->record ? v->record : &none;
	struct arena *a = t->arena;
	print_table_row(t, (const char *const[]){
	                           v->device,
	                           r->place,
	                           print_enum(a, &lm__tier__descriptor, (int)r->role),
	                           print_enum(a, &lm__device_status__descriptor, (int)r->status),
	                           print_time(a, r->since_ms),
	                           arena_format(a, "%u", r->generation),
	                           r->by,
	                           r->reason,
	                   });
}

static void devices_show(struct call *c, Lm__DeviceView *const *devices, size_t count)
{
	struct print_table t = print_table_of(
	        &c->arena, 8,
	        (const char *const[]){ "device", "place", "role", "status", "since", "keys", "by", "reason" });
	for (size_t i = 0; i < count; i++)
		device_row(&t, devices[i]);
	print_table_show(&t);
}

int admit_run(struct call *c, struct error *e)
{
	Lm__AdmitCommand command = LM__ADMIT_COMMAND__INIT;
	Lm__DeviceView *view = NULL;
	struct hash of_file;
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	int result = seat_read(c, &command.role, e);
	if (!result)
		result = device_file_read(c->word[0], &c->arena, &command.file, &of_file, e);
	if (!result)
		result = fingerprint_check(c, &of_file, e);
	if (result)
		return result;
	fingerprint_to_text(&of_file, fingerprint);
	command.fingerprint = fingerprint;
	command.place = c->option[OPTION_PLACE];
	command.by = call_by(c);
	result = client_post(c, "/ctl/v1/admit", &command.base, &lm__device_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		devices_show(c, &view, 1);
	return result;
}

static bool is_device_id(const char *text)
{
	return strlen(text) == DEVICE_DIGITS && strspn(text, "0123456789abcdefABCDEF") == DEVICE_DIGITS;
}

/* The device, as the first word names it. */
static int device_word(const struct call *c, struct error *e)
{
	if (is_device_id(c->word[0]) || place_level_of(c->word[0]) != PLACE_NONE)
		return OK;
	return error_set(e, ERR_USAGE,
	                 "'%.40s' is neither a device (16 hexadecimal digits) nor a place like 310114106001-T1: "
	                 "lmctl devices lists both",
	                 c->word[0]);
}

int release_run(struct call *c, struct error *e)
{
	Lm__ReleaseCommand command = LM__RELEASE_COMMAND__INIT;
	Lm__DeviceView *view = NULL;
	int result = device_word(c, e);
	if (result)
		return result;
	command.device = c->word[0];
	command.history = c->word[1];
	command.reason = c->option[OPTION_REASON];
	command.by = call_by(c);
	result = client_post(c, "/ctl/v1/release", &command.base, &lm__device_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		devices_show(c, &view, 1);
	return result;
}

int revoke_run(struct call *c, struct error *e)
{
	Lm__RevokeCommand command = LM__REVOKE_COMMAND__INIT;
	Lm__DeviceView *view = NULL;
	int result = device_word(c, e);
	if (result)
		return result;
	command.device = c->word[0];
	command.reason = c->option[OPTION_REASON];
	command.by = call_by(c);
	result = client_post(c, "/ctl/v1/revoke", &command.base, &lm__device_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		devices_show(c, &view, 1);
	return result;
}

int rotate_run(struct call *c, struct error *e)
{
	Lm__KeysView *view = NULL;
	Lm__Empty empty = LM__EMPTY__INIT;
	int result = client_post(c, "/ctl/v1/keys", &empty.base, &lm__keys_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		printf("generation %u, fingerprint %s: asked for; lmctl status says when it is in use\n",
		       view->generation, view->fingerprint);
	return result;
}

int devices_run(struct call *c, struct error *e)
{
	Lm__DevicesView *view = NULL;
	int result = client_get(c, "/ctl/v1/devices", &lm__devices_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		devices_show(c, view->devices, view->n_devices);
	return result;
}
