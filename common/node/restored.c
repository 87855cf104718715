/*
 * DATA/restored: what tells a daemon at its start that its store is older than what its neighbours know of it, so that
 * it asks them first (returning.c). A restore leaves it, and an operator who puts an older image of a disk back.
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "backup.h"
#include "base/files.h"
#include "domain/backup.h"
#include "inside.h"

#define RESTORED_BYTES_MOST 4096

static const char restored_name[] = "restored";

int restored_write(const char *data, const Lm__RestorePayload *begun, struct arena *arena, struct error *e)
{
	char path[PATH_MAX];
	struct bytes packed;
	int result = backup_path(path, sizeof path, e, "%s/%s", data, restored_name);
	if (!result)
		result = CODEC_PACK(begun, arena, &packed, e);
	return result ? result : file_create(path, 0600, packed, e);
}

int restored_read(const char *data, struct arena *arena, Lm__RestorePayload **out, struct error *e)
{
	char path[PATH_MAX];
	struct buffer content = { 0 };
	int result = backup_path(path, sizeof path, e, "%s/%s", data, restored_name);
	if (!result)
		result = file_read(path, RESTORED_BYTES_MOST, &content, e);
	if (!result) {
		void *copy = arena_copy(arena, content.data, content.size);
		result = copy ? CODEC_UNPACK(lm__restore_payload, BYTES(copy, content.size), arena, out, e)
		              : error_set(e, ERR_MEMORY, "no memory to read %s", path);
	}
	buffer_release(&content);
	return result;
}

int restored_remove(const char *data, struct error *e)
{
	char path[PATH_MAX];
	int result = backup_path(path, sizeof path, e, "%s/%s", data, restored_name);
	if (result || (unlink(path) != 0 && errno == ENOENT))
		return result;
	return file_exists(path) ? error_set(e, ERR_IO, "cannot remove %s", path) : folder_sync_of(path, e);
}

/* When the newest item of the tape was written: as old as that is the image. */
static int image_time(struct closed_node *c, uint64_t position, struct arena *arena, int64_t *out, struct error *e)
{
	struct store_txn *txn;
	Lm__TapeItem *item;
	int result = position ? store_begin_read(c->store, &txn, e) : ERR_NOT_FOUND;
	*out = 0;
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	result = journal_read(txn, position, arena, &item, e);
	*out = result ? 0 : item->taken_ms;
	store_abort(txn);
	return result == ERR_NOT_FOUND ? OK : result; /* trimmed: how old it is only people read */
}

int node_put_back(const char *data, struct arena *arena, Lm__RestorePayload **out, struct error *e)
{
	struct closed_node node;
	Lm__RestorePayload *begun = arena_alloc(arena, sizeof *begun);
	uint8_t *id = arena_alloc(arena, BACKUP_ID_BYTES);
	if (!begun || !id)
		return error_set(e, ERR_MEMORY, "no memory");
	lm__restore_payload__init(begun);
	int result = closed_node_open(data, false, &node, e);
	if (result)
		return result;
	if (node.domain.tier == LM__TIER__TIER_TERMINAL)
		result = error_set(e, ERR_INVALID,
		                   "a terminal needs none: its town has what it has sent, and takes what comes");
	if (!result)
		result = crypto_random(id, BACKUP_ID_BYTES, e);
	begun->step = LM__RESTORE_STEP__RESTORE_STEP_BEGUN;
	begun->backup = codec_data(BYTES(id, BACKUP_ID_BYTES));
	begun->position = journal_position(node.journal);
	if (!result)
		result = image_time(&node, begun->position, arena, &begun->made_ms, e);
	if (!result)
		result = restored_write(data, begun, arena, e);
	if (result == ERR_EXISTS)
		error_set(e, result, "%s says so already: start the daemon", data);
	closed_node_close(&node);
	*out = result ? NULL : begun;
	return result;
}
