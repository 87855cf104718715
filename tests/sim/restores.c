/*
 * The hub's disk is lost, and the hub is made from its newest backup, as operators do it: backups are made while it
 * runs, some of them are verified and confirmed, `restore` makes the folder, and the towns give back what it lacks. Not
 * across a change of the hub's own keys (docs/OPERATIONS.md: make a backup then).
 */
#include <string.h>

#include "base/files.h"
#include "node/backup.h"
#include "proto/codec.h"
#include "proto/json.h"
#include "sim.h"

#define ARENA_BYTES_MOST (64u * 1024 * 1024)
#define KEYS_BYTES_MOST 65536

static struct {
	struct recovery_key key;
	char store[400], key_table[400]; /* the newest that the hub called made */
	uint64_t asked_us, made_us;      /* the newest one holds what was there when it was asked for; 0: none */
	struct buffer keys;              /* the hub's own then */
	bool is_wanted;                  /* when the hub is buried */
} newest;

void restores_reset(void)
{
	buffer_release(&newest.keys);
	memset(&newest, 0, sizeof newest);
}

static const char *recovery_key_path(void)
{
	static char path[300];
	snprintf(path, sizeof path, "%s/recovery.key", world.folder);
	return path;
}

void restores_configure(struct node_config *c)
{
	struct error e;
	char text[2 * KEY_BYTES + 1], folder[300];
	uint8_t key[KEY_BYTES];
	if (!fault_is_about(FAULT_RESTORE))
		return;
	if (!file_exists(recovery_key_path()) && recovery_key_create(recovery_key_path(), key, &e))
		fail("no recovery key: %s", e.text);
	if (recovery_key_read(recovery_key_path(), &newest.key, &e))
		fail("no recovery key: %s", e.text);
	hex_encode(BYTES_OF(newest.key.public_key), text);
	snprintf(folder, sizeof folder, "%s/backups", world.folder);
	c->recovery_key = strdup(text);
	c->backup_folder = strdup(folder);
	c->backup_alarm_days = 7;
	if (!c->recovery_key || !c->backup_folder)
		abort();
}

static void keys_read(struct buffer *out)
{
	char path[300];
	snprintf(path, sizeof path, "%s/device.keys", site_hub()->folder);
	buffer_release(out);
	if (file_read(path, KEYS_BYTES_MOST, out, NULL))
		fail("cannot read %s", path);
}

/* ---- backups are made, and some verified ---- */

static void keeper_step(void *context, bool is_alive);

static void keeper_rest(void)
{
	plan(draw_between(SECONDS, world.pace->outage_us / 8), NULL, keeper_step, NULL);
}

static void confirmed(void *context, int status, json_t *body)
{
	(void)context;
	(void)body;
	tell("the newest backup is verified: %d", status);
	keeper_rest();
}

/* As `lmctl backup verify` and `confirm`. */
static void verify(void)
{
	struct restore_result result;
	struct buffer packed = { 0 }, text = { 0 };
	struct arena arena;
	struct error e;
	char path[500];
	Lm__BackupProof *proof;
	arena_init(&arena, ARENA_BYTES_MOST);
	snprintf(path, sizeof path, "%s.verified", newest.store);
	if (backup_verify(newest.store, newest.key_table, &newest.key, world.folder, machine_wall_ms(), &arena, &result,
	                  &e) ||
	    file_read(path, ARENA_BYTES_MOST, &packed, &e) ||
	    CODEC_UNPACK(lm__backup_proof, buffer_bytes(&packed), &arena, &proof, &e) ||
	    json_encode(&proof->base, &text, &e))
		fail("a backup of the hub is not verified: %s", e.text);
	json_t *body = json_loadb((const char *)text.data, text.size, 0, NULL);
	buffer_release(&packed);
	buffer_release(&text);
	arena_release(&arena);
	ask_page(site_hub(), "POST", "/ctl/v1/backups/confirm", body, "local", confirmed, NULL);
}

static void made(void *context, int status, json_t *body)
{
	const json_t *files = json_object_get(body, "files");
	(void)context;
	if (status != 200) {
		keeper_rest();
		return;
	}
	snprintf(newest.store, sizeof newest.store, "%s",
	         json_string_value(json_object_get(json_array_get(files, 0), "path")));
	snprintf(newest.key_table, sizeof newest.key_table, "%s",
	         json_string_value(json_object_get(json_array_get(files, 1), "path")));
	newest.made_us = newest.asked_us;
	keys_read(&newest.keys);
	tell("%-24s has a backup, %s", site_hub()->name, newest.store);
	if (draw(2))
		verify();
	else
		keeper_rest();
}

static void keeper_step(void *context, bool is_alive)
{
	(void)context;
	(void)is_alive;
	if (weather_is_over())
		return;
	newest.asked_us = world.now_us;
	ask_page(site_hub(), "POST", "/ctl/v1/backups", json_object(), "local", made, NULL);
}

void restores_forget(void)
{
	newest.made_us = 0;
}

void restores_begin(void)
{
	if (fault_is_about(FAULT_RESTORE))
		keeper_rest();
}

/* ---- the disk is lost ---- */

static bool has_same_keys(void)
{
	struct buffer now = { 0 };
	keys_read(&now);
	bool is_same = bytes_equal(buffer_bytes(&now), buffer_bytes(&newest.keys));
	buffer_release(&now);
	return is_same;
}

bool strike_restore(struct site *s)
{
	if (s != site_hub() || !s->node || s->is_dying || !newest.made_us || is_changing_keys(s) || !has_same_keys() ||
	    is_giving_back(s))
		return false;
	newest.is_wanted = true;
	site_kill(s, false);
	return true;
}

void restores_site_buried(struct site *s)
{
	struct restore_result result;
	struct arena arena;
	struct error e;
	if (s != site_hub() || !newest.is_wanted)
		return;
	newest.is_wanted = false;
	if (weather_is_over())
		return;
	folder_remove(s->folder);
	disk_site_changed(s);
	arena_init(&arena, ARENA_BYTES_MOST);
	if (backup_restore(newest.store, newest.key_table, &newest.key, s->folder, &arena, &result, &e))
		fail("%s cannot be restored: %s", s->name, e.text);
	arena_release(&arena);
	s->said_position = 0;
	check_forget(s);
	images_forget(s);
	people_hear_of_restore(newest.made_us);
	officers_hear_of_restore(newest.made_us);
	runners_hear_of_put_back(site_hub(), newest.made_us);
	tell("%-24s is restored from its backup of %llu s ago", s->name,
	     (unsigned long long)((world.now_us - newest.made_us) / SECONDS));
}
