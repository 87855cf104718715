/*
 * Backups of a running daemon, and the mark `safe`. Files are made on the pool; what was made is an entry of `own`. It
 * is safe when it has been verified elsewhere: whoever opened the backup to its end holds the key of the proof that
 * `lmctl backup confirm` brings back. The district's marks travel down with those that it signs (frames.c).
 */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/clock.h"
#include "base/log.h"
#include "domain/backup.h"
#include "node/backup.h"
#include "node/control.h"

#define LOOK_EVERY_US 60000000u
#define SAY_EVERY_US (UINT64_C(86400) * 1000000)
#define RENEW_AGAIN_US 60000000u
#define DAY_MS INT64_C(86400000)

/* ---- made ---- */

struct making {
	struct act *act; /* NULL: nobody asked; an erasing did */
	bool is_key_table_only;
	struct arena arena;
	Lm__BackupView view;
	Lm__BackupPayload made;
	struct command command;
	int result;
	struct error error;
};

static void making_answer(struct node *n, struct making *m)
{
	n->is_backing_up = false;
	if (m->result)
		log_write(LOG_ERROR, "backup", "no backup was made: %s", m->error.text);
	else
		log_write(LOG_INFO, "backup", "%s %s was made",
		          m->is_key_table_only ? "a copy of the key table for backup" : "backup", m->view.backup);
	if (m->act) {
		m->act->output = &m->view.base;
		act_answer(m->act, m->result, &m->error);
	} else if (m->result) {
		n->renew_us = clock_monotonic_us() + RENEW_AGAIN_US;
		atomic_store(&n->must_renew, true);
	}
	arena_release(&m->arena);
	free(m);
}

static void making_work(struct node *n, void *context)
{
	struct making *m = context;
	uint8_t key[KEY_BYTES];
	struct backup_order order = { .data = n->config.data,
		                      .folder = n->config.backup_folder,
		                      .recovery_key = key,
		                      .store = n->store,
		                      .keys = &n->keys,
		                      .domain = &n->domain,
		                      .now_ms = clock_wall_ms(),
		                      .is_key_table_only = m->is_key_table_only };
	m->result = hex_decode(n->config.recovery_key, key, KEY_BYTES);
	if (!m->result)
		m->result = backup_make(&order, &m->arena, &m->view, &m->made, &m->error);
}

static int backup_append(struct turn *t, const Lm__BackupPayload *payload, struct error *e)
{
	struct bytes packed;
	struct placed placed;
	Lm__Header h = LM__HEADER__INIT;
	h.kind = LM__KIND__KIND_BACKUP;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h };
	int result = CODEC_PACK(payload, t->arena, &packed, e);
	draft.payload = packed;
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int made_run(struct turn *t, struct command *c, struct error *e)
{
	struct making *m = c->context;
	return backup_append(t, &m->made, e);
}

static void made_done(struct node *n, struct command *c)
{
	struct making *m = c->context;
	m->result = c->result;
	m->error = c->error;
	making_answer(n, m);
}

static void making_done(struct node *n, void *context)
{
	struct making *m = context;
	m->command = (struct command){ .run = made_run, .done = made_done, .context = m };
	if (!m->result && !m->is_key_table_only)
		m->result = node_command(n, &m->command);
	else
		m->command.run = NULL;
	if (m->result || !m->command.run)
		making_answer(n, m);
}

static int making_begin(struct node *n, struct act *a, bool is_key_table_only, struct error *e)
{
	if (n->domain.tier == LM__TIER__TIER_TERMINAL)
		return error_set(
		        e, ERR_INVALID,
		        "a terminal needs no backup: its town has what it holds; another one joins with a token");
	if (!n->config.recovery_key || !n->config.backup_folder)
		return error_set(e, ERR_CONFIG, "recovery_key and backup_folder are not set in the configuration");
	if (n->is_backing_up)
		return error_set(e, ERR_BUSY, "a backup is being made");
	struct making *m = calloc(1, sizeof *m);
	if (!m)
		return error_set(e, ERR_MEMORY, "no memory for a backup");
	arena_init(&m->arena, 64u * 1024 * 1024);
	m->act = a;
	m->is_key_table_only = is_key_table_only;
	int result = node_pool(n, making_work, making_done, m);
	if (result) {
		free(m);
		return error_set(e, result, "too much is waiting; try again");
	}
	n->is_backing_up = true;
	return OK;
}

void control_backup(void *context, struct http_request *r)
{
	struct error e;
	struct act *a = act_with_body(r, &lm__backup_command__descriptor);
	if (!a)
		return;
	int result = making_begin(context, a, ((Lm__BackupCommand *)a->input)->is_key_table_only, &e);
	if (result)
		act_answer(a, result, &e);
}

/* ---- verified ---- */

static int safe_raise(struct turn *t, const Lm__BackupHead *head, struct error *e)
{
	bool is_hub = t->node->domain.tier == LM__TIER__TIER_DISTRICT;
	for (size_t i = 0; i < head->n_lines; i++) {
		const Lm__BackupLine *said = head->lines[i];
		struct line_key key = { said->origin, said->stream, said->receiver };
		const struct line *l = journal_line_find(t->journal, &key);
		uint64_t ordinal;
		bool is_exact;
		/* What goes up is safe when the district's backup has it: terminals trim on that. */
		if (!l || (stream_is_up(said->stream) && !is_hub))
			continue;
		int result = journal_locate(t->txn, l->number, said->incarnation, said->seq, &ordinal, &is_exact);
		if (result == ERR_NOT_FOUND)
			continue; /* a history that this node has left behind */
		if (result)
			return store_failure(t->txn, e);
		if (is_exact)
			journal_mark_raise(t->journal, l->number, JOURNAL_SAFE, ordinal);
	}
	return OK;
}

static int confirm_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__BackupProof *proof = (Lm__BackupProof *)a->input;
	Lm__BackupRecord *record;
	Lm__BackupHead *head;
	Lm__BackupPayload verified = LM__BACKUP_PAYLOAD__INIT;
	const Lm__BackupPayload *made = NULL;
	int result = CODEC_UNPACK(lm__backup_head, codec_bytes(proof->head), t->arena, &head, e);
	if (result)
		return result;
	result = backup_get(t->txn, t->arena, &record);
	if (!result)
		made = backup_waiting(record, codec_bytes(head->backup));
	if (!made)
		return error_set(e, ERR_NOT_FOUND,
		                 "no backup of this name waits here to be verified: it is another "
		                 "node's, or this one or a newer one was confirmed before");
	result = backup_proof_check(proof, made, t->arena, &head, e);
	if (result)
		return result;
	verified.step = LM__BACKUP_STEP__BACKUP_STEP_VERIFIED;
	verified.backup = made->backup;
	verified.position = made->position;
	verified.made_ms = made->made_ms;
	verified.verified_ms = proof->time_ms;
	result = backup_append(t, &verified, e);
	if (!result)
		result = safe_raise(t, head, e);
	Lm__Empty *empty = arena_alloc(&a->arena, sizeof *empty);
	if (!result && !empty)
		result = error_set(e, ERR_MEMORY, "no memory");
	if (empty)
		lm__empty__init(empty);
	a->output = &empty->base;
	return result;
}

void control_backup_confirm(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__backup_proof__descriptor);
	if (a)
		act_command(context, a, confirm_run);
}

/* ---- shown ---- */

/* Since when something could be safe: the newest verified backup was made then; before the first, the district's
 * authority was, or the first backup. */
static int state_read(struct node *n, struct store_txn *txn, struct arena *arena, Lm__BackupsView *out)
{
	Lm__BackupRecord *record;
	Lm__AuthorityPayload *authority;
	Lm__DeviceRecord *hub;
	int result = backup_get(txn, arena, &record);
	out->time_ms = clock_wall_ms();
	if (result == ERR_NOT_FOUND) {
		bool is_hub = n->domain.tier == LM__TIER__TIER_DISTRICT;
		if (is_hub && !authority_get(txn, arena, &authority, &hub))
			out->since_ms = hub->since_ms;
		record = NULL;
		result = OK;
	}
	if (result)
		return result;
	if (record) {
		out->since_ms = record->begun_ms;
		out->verified_ms = record->verified ? record->verified->made_ms : 0;
		out->waiting = arena_alloc(arena, (record->n_made + 1) * sizeof *out->waiting);
		Lm__BackupView *views = arena_alloc(arena, (record->n_made + 1) * sizeof *views);
		for (size_t i = 0; i < record->n_made && out->waiting && views; i++) {
			lm__backup_view__init(&views[i]);
			views[i].backup = arena_alloc(arena, 2 * BACKUP_ID_BYTES + 1);
			if (!views[i].backup)
				return ERR_MEMORY;
			hex_encode(codec_bytes(record->made[i]->backup), views[i].backup);
			views[i].time_ms = record->made[i]->made_ms;
			views[i].position = record->made[i]->position;
			out->waiting[out->n_waiting++] = &views[i];
		}
	}
	out->alarm_days = (uint32_t)n->config.backup_alarm_days;
	int64_t from_ms = out->verified_ms ? out->verified_ms : out->since_ms;
	out->is_stale = from_ms && out->time_ms - from_ms > n->config.backup_alarm_days * DAY_MS;
	return OK;
}

static void list_pool(struct node *n, void *context)
{
	struct act *a = context;
	struct store_txn *txn;
	Lm__BackupsView *view = arena_alloc(&a->arena, sizeof *view);
	a->result = view ? store_begin_read(n->store, &txn, &a->error) : ERR_MEMORY;
	if (a->result)
		return;
	lm__backups_view__init(view);
	a->result = state_read(n, txn, &a->arena, view);
	store_abort(txn);
	a->output = &view->base;
}

void control_backups(void *context, struct http_request *r)
{
	struct act *a = act_new(r);
	if (a)
		act_pool(context, a, list_pool);
}

static void alarm_look(struct node *n, uint64_t now)
{
	struct store_txn *txn;
	struct arena arena;
	Lm__BackupsView view = LM__BACKUPS_VIEW__INIT;
	if (store_begin_read(n->store, &txn, NULL))
		return;
	arena_init(&arena, 1024 * 1024);
	if (!state_read(n, txn, &arena, &view)) {
		n->backup_verified_ms = view.verified_ms;
		n->is_backup_stale = view.is_stale;
	}
	store_abort(txn);
	arena_release(&arena);
	if (!n->is_backup_stale || (n->stale_said_us && now - n->stale_said_us < SAY_EVERY_US))
		return;
	n->stale_said_us = now;
	log_write(LOG_ERROR, "unsafe",
	          "no backup that was made within %lld days has been verified: what was taken since lies here and "
	          "nowhere else",
	          (long long)n->config.backup_alarm_days);
}

void backups_tick(struct node *n)
{
	struct error e;
	uint64_t now = clock_monotonic_us();
	if (n->is_stopping)
		return;
	if (n->config.recovery_key && now >= n->renew_us && !n->is_backing_up &&
	    atomic_exchange(&n->must_renew, false) && making_begin(n, NULL, true, &e)) {
		n->renew_us = now + RENEW_AGAIN_US;
		atomic_store(&n->must_renew, true);
	}
	if (!n->backups_looked_us || now - n->backups_looked_us >= LOOK_EVERY_US) {
		n->backups_looked_us = now;
		alarm_look(n, now);
	}
}
