/* Backups and restores: what a daemon is asked for, and what needs none. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "ctl.h"
#include "node/backup.h"
#include "node/node.h"

#define PROOF_BYTES_MOST (2u * 1024 * 1024)

int recovery_key_run(struct call *c, struct error *e)
{
	uint8_t key[KEY_BYTES];
	char text[2 * KEY_BYTES + 1];
	int result = recovery_key_create(c->word[0], key, e);
	if (result)
		return result;
	hex_encode(BYTES_OF(key), text);
	print_text("recovery_key = %s\n", text);
	return OK;
}

/* ---- made ---- */

static void files_show(const Lm__BackupView *v)
{
	print_text("backup    %s\ntape      up to position %llu\n", v->backup, (unsigned long long)v->position);
	for (size_t i = 0; i < v->n_files; i++)
		print_text("%s  %llu bytes\n", v->files[i]->path, (unsigned long long)v->files[i]->bytes);
}

/* Of a closed folder. Its `own` learns nothing of it: nothing becomes safe by such a backup. */
static int closed_backup(struct call *c, const char *data, Lm__BackupView *view, struct error *e)
{
	struct closed_node closed;
	uint8_t key[KEY_BYTES];
	Lm__BackupPayload made;
	if (!call_has(c, OPTION_TO) || !call_has(c, OPTION_SEALED_TO))
		return error_set(e, ERR_USAGE,
		                 "no daemon answers at %s/ctl.sock; to back up the closed folder say --to DIR and "
		                 "--sealed-to KEY",
		                 data);
	if (hex_decode(c->option[OPTION_SEALED_TO], key, KEY_BYTES))
		return error_set(e, ERR_USAGE, "--sealed-to: a recovery key has 64 hexadecimal digits");
	int result = closed_node_open(data, true, &closed, e);
	if (result)
		return result;
	struct backup_order order = { .data = data,
		                      .folder = c->option[OPTION_TO],
		                      .recovery_key = key,
		                      .store = closed.store,
		                      .keys = &closed.keys,
		                      .domain = &closed.domain,
		                      .now_ms = clock_wall_ms(),
		                      .is_key_table_only = call_has(c, OPTION_KEY_TABLE) };
	result = closed.domain.place[0]
	                 ? backup_make(&order, &c->arena, view, &made, e)
	                 : error_set(e, ERR_NOT_READY, "%s belongs to a device that is not admitted yet", data);
	closed_node_close(&closed);
	return result;
}

int backup_run(struct call *c, struct error *e)
{
	Lm__BackupCommand command = LM__BACKUP_COMMAND__INIT;
	Lm__BackupView closed_view = LM__BACKUP_VIEW__INIT, *view = &closed_view;
	const char *data = NULL;
	int result = call_data(c, &data, e);
	if (result)
		return result;
	command.is_key_table_only = call_has(c, OPTION_KEY_TABLE);
	result = client_post(c, "/ctl/v1/backups", &command.base, &lm__backup_view__descriptor, &view, e);
	if (result == ERR_UNREACHABLE) {
		view = &closed_view;
		result = closed_backup(c, data, view, e);
		if (!result && call_has(c, OPTION_JSON))
			result = print_json(&view->base, e);
	}
	if (!result && !call_has(c, OPTION_JSON))
		files_show(view);
	return result;
}

/* ---- verified ---- */

static void result_show(struct call *c, const struct restore_result *r)
{
	print_text("backup    %s\nof        %s, device %016llx\nmade      %s\nkeys      %s\n",
	           print_hex(&c->arena, r->head->backup, HASH_BYTES), r->head->place,
	           (unsigned long long)r->head->device, print_time(&c->arena, r->head->time_ms), r->head->fingerprint);
	print_text("tape      up to position %llu: %llu items, %llu signatures\n"
	           "envelopes %llu, and %llu that were destroyed since\n",
	           (unsigned long long)r->head->position, (unsigned long long)r->verified->items,
	           (unsigned long long)r->verified->signatures, (unsigned long long)r->envelopes,
	           (unsigned long long)r->erased);
}

static const char *folder_of(struct call *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return ".";
	return arena_format(&c->arena, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int backup_verify_run(struct call *c, struct error *e)
{
	struct recovery_key key;
	struct restore_result out;
	const char *scratch = call_has(c, OPTION_SCRATCH) ? c->option[OPTION_SCRATCH] : folder_of(c, c->word[0]);
	int result = scratch ? recovery_key_read(c->option[OPTION_RECOVERY_KEY], &key, e)
	                     : error_set(e, ERR_MEMORY, "no memory for a path");
	if (result)
		return result;
	result = backup_verify(c->word[0], c->word[1], &key, scratch, clock_wall_ms(), &c->arena, &out, e);
	crypto_wipe(&key, sizeof key);
	if (result)
		return result;
	if (call_has(c, OPTION_JSON))
		return print_json(&out.verified->base, e);
	result_show(c, &out);
	print_text("good: %s.verified is for lmctl backup confirm\n", c->word[0]);
	return OK;
}

static int confirm_one(struct call *c, const char *path, struct error *e)
{
	struct buffer content = { 0 };
	Lm__BackupProof *proof;
	Lm__Empty *empty = NULL;
	int result = file_read(path, PROOF_BYTES_MOST, &content, e);
	if (result)
		return result;
	result = CODEC_UNPACK(lm__backup_proof, buffer_bytes(&content), &c->arena, &proof, e);
	if (!result)
		result = client_post(c, "/ctl/v1/backups/confirm", &proof->base, &lm__empty__descriptor, &empty, e);
	buffer_release(&content);
	if (result == ERR_NOT_FOUND) {
		print_text("%s: passed over: %s\n", path, e->text);
		return OK;
	}
	if (result)
		return error_wrap(e, result, "%s", path);
	print_text("%s: what it holds is safe\n", path);
	return OK;
}

int backup_confirm_run(struct call *c, struct error *e)
{
	int result = OK;
	for (size_t i = 0; i < c->word_count && !result; i++)
		result = file_exists(c->word[i]) ? confirm_one(c, c->word[i], e)
		                                 : error_set(e, ERR_NOT_FOUND, "%s does not exist", c->word[i]);
	return result;
}

int backup_list_run(struct call *c, struct error *e)
{
	Lm__BackupsView *view = NULL;
	int result = client_get(c, "/ctl/v1/backups", &lm__backups_view__descriptor, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	print_text("verified  %s\n%s", view->verified_ms ? print_time(&c->arena, view->verified_ms) : "none yet",
	           view->is_stale ? "STALE: what was taken since is in no backup that was verified\n" : "");
	struct print_table t = print_table_of(&c->arena, 3, (const char *const[]){ "waits", "made", "tape" });
	for (size_t i = 0; i < view->n_waiting; i++)
		print_table_row(
		        &t, (const char *const[]){
		                    view->waiting[i]->backup, print_time(&c->arena, view->waiting[i]->time_ms),
		                    arena_format(&c->arena, "%llu", (unsigned long long)view->waiting[i]->position) });
	print_table_show(&t);
	return OK;
}

/* ---- restored ---- */

int restore_run(struct call *c, struct error *e)
{
	struct recovery_key key;
	struct restore_result out;
	const char *data = NULL;
	int result = call_data(c, &data, e);
	if (!result)
		result = recovery_key_read(c->option[OPTION_RECOVERY_KEY], &key, e);
	if (result)
		return result;
	result = backup_restore(c->word[0], c->word[1], &key, data, &c->arena, &out, e);
	crypto_wipe(&key, sizeof key);
	if (result)
		return result;
	if (call_has(c, OPTION_JSON))
		return print_json(&out.verified->base, e);
	result_show(c, &out);
	print_text(
	        "%s is made. Give it to the daemon's user and start the daemon; lmctl return list says whom it waits "
	        "for.\nAccounts, drafts and tokens are as they were then: look through them.\n",
	        data);
	return OK;
}

int return_begin_run(struct call *c, struct error *e)
{
	Lm__RestorePayload *begun = NULL;
	const char *data = NULL;
	int result = call_data(c, &data, e);
	if (!result)
		result = node_put_back(data, &c->arena, &begun, e);
	if (!result)
		print_text("%s is an image of %s. The daemon that is started there waits until its neighbours have "
		           "given back "
		           "what it lacks; lmctl return list says whom it waits for.\n",
		           data, print_time(&c->arena, begun->made_ms));
	return result;
}

static void return_show(struct call *c, const Lm__ReturnView *v)
{
	if (!v->is_returning) {
		print_text("%s\n", v->backup_ms ? "nothing is waited for: new business is taken"
		                                : "this node was not restored");
		return;
	}
	print_text("restored from a backup of %s; no new business until each of these has answered or is left out\n",
	           print_time(&c->arena, v->backup_ms));
	struct print_table t =
	        print_table_of(&c->arena, 5, (const char *const[]){ "device", "place", "link", "to come", "answered" });
	for (size_t i = 0; i < v->n_rows; i++) {
		const Lm__ReturnRow *r = v->rows[i];
		const char *answered = r->has_answered ? "yes" : r->is_left_out ? "left out" : "no";
		print_table_row(&t,
		                (const char *const[]){ r->device, r->place, r->is_up ? "up" : "down",
		                                       arena_format(&c->arena, "%llu", (unsigned long long)r->to_come),
		                                       answered });
	}
	print_table_show(&t);
}

int return_run(struct call *c, struct error *e)
{
	Lm__ReturnView *view = NULL;
	int result = client_get(c, "/ctl/v1/return", &lm__return_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		return_show(c, view);
	return result;
}

int return_leave_out_run(struct call *c, struct error *e)
{
	Lm__LeaveOutCommand command = LM__LEAVE_OUT_COMMAND__INIT;
	Lm__ReturnView *view = NULL;
	command.device = c->word[0];
	command.reason = c->option[OPTION_REASON];
	command.by = call_by(c);
	int result = client_post(c, "/ctl/v1/return/leave-out", &command.base, &lm__return_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		return_show(c, view);
	return result;
}
