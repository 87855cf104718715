/* What needs no daemon: verify and rebuild of a closed directory, a device's keys, a configuration. */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "node/device_file.h"
#include "node/node.h"

#include "ctl.h"

/* ---- verify ---- */

static int closed_verify(struct call *c, const char *data, Lm__VerifyView *out, struct error *e)
{
	struct closed_node closed;
	int result = closed_node_open(data, true, &closed, e);
	if (result == ERR_BUSY)
		return error_wrap(e, result, "a process has this folder open, but does not answer at %s/ctl.sock",
		                  data);
	if (result)
		return result;
	result = node_verify(closed.store, &closed.keys, closed.domain.device, &c->arena, out, e);
	closed_node_close(&closed);
	return result;
}

static void verify_show(struct arena *a, const Lm__VerifyView *v)
{
	struct print_table t = print_table_of(a, 4, (const char *const[]){ "table", "rows", "hash", "" });
	for (size_t i = 0; i < v->n_tables; i++) {
		const Lm__TableDigest *d = v->tables[i];
		print_table_row(
		        &t, (const char *const[]){ d->table, arena_format(a, "%llu", (unsigned long long)d->rows),
		                                   print_hex(a, d->hash, 8), d->is_projection ? "projection" : "" });
	}
	print_table_show(&t);
	print_text("items       %llu\nsignatures  %llu\nstate       %s\n", (unsigned long long)v->items,
	           (unsigned long long)v->signatures, print_hex(a, v->state_hash, HASH_BYTES));
	print_text("%s\n", v->is_good ? "good: every row, chain and signature is as it was written" : "NOT GOOD");
}

int verify_run(struct call *c, struct error *e)
{
	Lm__VerifyView closed_view = LM__VERIFY_VIEW__INIT, *view = &closed_view;
	const char *data = NULL;
	int result = call_data(c, &data, e);
	if (result)
		return result;
	result = client_get(c, "/ctl/v1/verify", &lm__verify_view__descriptor, &view, e);
	if (result == ERR_UNREACHABLE) { /* no daemon runs: read the folder ourselves */
		result = closed_verify(c, data, &closed_view, e);
		if (!result && call_has(c, OPTION_JSON))
			result = print_json(&closed_view.base, e);
	}
	if (result)
		return result;
	if (!call_has(c, OPTION_JSON))
		verify_show(&c->arena, view);
	if (view->is_good)
		return OK;
	return error_set(e, ERR_DAMAGED, "%s (keep a copy of %s before you mend anything)",
	                 view->text[0] ? view->text : "the stored data is damaged", data);
}

/* ---- rebuild ---- */

static int rebuild_show(struct call *c, struct rebuild_result *r, bool is_equal, struct error *e)
{
	Lm__RebuildView view = LM__REBUILD_VIEW__INIT;
	view.is_equal = is_equal;
	view.replayed = r->replayed;
	view.from_position = r->from_position;
	view.live_hash = (ProtobufCBinaryData){ HASH_BYTES, r->live.byte };
	view.rebuilt_hash = (ProtobufCBinaryData){ HASH_BYTES, r->rebuilt.byte };
	if (call_has(c, OPTION_JSON))
		return print_json(&view.base, e);
	printf("replayed  %llu items from position %llu\nstored    %s\nrebuilt   %s\n%s\n",
	       (unsigned long long)r->replayed, (unsigned long long)r->from_position,
	       print_hex(&c->arena, view.live_hash, HASH_BYTES), print_hex(&c->arena, view.rebuilt_hash, HASH_BYTES),
	       is_equal ? "equal" : "DIFFERENT");
	return OK;
}

int rebuild_run(struct call *c, struct error *e)
{
	struct rebuild_result rebuilt = { 0 };
	const char *data = NULL;
	bool must_replace = call_has(c, OPTION_REPLACE);
	int result = call_data(c, &data, e);
	if (!result)
		result = node_rebuild(data, must_replace, &rebuilt, e);
	if (result == ERR_BUSY)
		return error_wrap(e, result, "stop the daemon first");
	if (result)
		return result;
	bool is_equal = memcmp(rebuilt.live.byte, rebuilt.rebuilt.byte, HASH_BYTES) == 0;
	result = rebuild_show(c, &rebuilt, is_equal, e);
	if (result || is_equal)
		return result;
	return error_set(e, ERR_DAMAGED, "the stored state is not what the tape gives%s",
	                 must_replace ? "; it has been replaced by what the tape gives"
	                              : ": lmctl verify says more, --replace puts the rebuilt one in its place");
}

/* ---- keys and names ---- */

int keys_run(struct call *c, struct error *e)
{
	const char *data = c->word_count ? c->word[0] : NULL;
	struct device_keys keys;
	bool was_made = false;
	int result = data ? OK : call_data(c, &data, e);
	if (!result)
		result = folder_make(data, 0700, e);
	if (result)
		return result;
	const char *keys_path = arena_format(&c->arena, "%s/device.keys", data);
	const char *file_path = arena_format(&c->arena, "%s/device.json", data);
	if (!keys_path || !file_path)
		return error_set(e, ERR_MEMORY, "no memory for a path");
	result = device_keys_open(keys_path, &keys, &was_made, e);
	if (result)
		return result;
	result = device_file_write(data, &keys, e);
	crypto_wipe(&keys, sizeof keys);
	Lm__DeviceFile *file = NULL;
	struct hash fingerprint;
	if (!result)
		result = device_file_read(file_path, &c->arena, &file, &fingerprint, e);
	if (result)
		return result;
	if (call_has(c, OPTION_JSON))
		return print_json(&file->base, e);
	print_text("%s\n", file->fingerprint);
	print_text("keys %s in %s; for the district: %s\n", was_made ? "made" : "found", keys_path, file_path);
	return OK;
}

int trace_run(struct call *c, struct error *e)
{
	struct id request;
	char name[TRACE_TEXT_BYTES];
	if (id_from_text(c->word[0], &request))
		return error_set(e, ERR_INVALID, "a request's id is 32 hexadecimal digits, not '%.40s'", c->word[0]);
	request_trace(request, name);
	print_text("%s\n", name);
	return OK;
}
