/*
 * A backup made: the store's copy from one snapshot of LMDB (store_copy), the device's keys beside it, sealed as they
 * are read; then the envelopes, row by row in short transactions. Nothing here waits for a turn or holds one up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"
#include "base/files.h"
#include "domain/backup.h"
#include "inside.h"

#define ROWS_A_SNAPSHOT 500 /* a long reader keeps pages from being reused */
#define FRONT_WIPE_BYTES 4096

const char *const backup_files[] = { "device.keys", "device.keys.next", "authority.keys",
	                             "joined",      BACKUP_STORE_FILE,  NULL };

struct backup {
	const struct backup_order *order;
	struct arena *arena;
	char scratch[PATH_MAX]; /* under DATA: on the disk that has the room */
	uint8_t id[BACKUP_ID_BYTES], proof_key[KEY_BYTES];
	Lm__BackupHead head;
	Lm__BackupView *view;
};

int backup_path(char *out, size_t size, struct error *e, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(out, size, format, arguments);
	va_end(arguments);
	return length > 0 && (size_t)length < size ? OK
	                                           : error_set(e, ERR_INVALID, "the path %.100s… is too long", out);
}

/* ---- the head ---- */

static Lm__BackupLine *line_say(struct arena *arena, const struct line *l)
{
	Lm__BackupLine *row = arena_alloc(arena, sizeof *row);
	void *hash = arena_copy(arena, l->hash.byte, HASH_BYTES);
	if (!row || !hash)
		return NULL;
	lm__backup_line__init(row);
	row->origin = l->key.origin;
	row->stream = l->key.stream;
	row->receiver = l->key.receiver;
	row->incarnation = l->incarnation;
	row->seq = l->seq;
	row->hash = codec_data(BYTES(hash, HASH_BYTES));
	return row;
}

static int lines_say(struct backup *b, struct journal *j, struct error *e)
{
	uint32_t count = journal_line_count(j);
	b->head.lines = arena_alloc(b->arena, (count + 1) * sizeof *b->head.lines);
	if (!b->head.lines)
		return error_set(e, ERR_MEMORY, "no memory for %u lines", count);
	for (uint32_t number = 1; number <= count; number++) {
		const struct line *l = journal_line(j, number);
		Lm__BackupLine *row = l->ordinal ? line_say(b->arena, l) : NULL;
		if (l->ordinal && !row)
			return error_set(e, ERR_MEMORY, "no memory for %u lines", count);
		if (row)
			b->head.lines[b->head.n_lines++] = row;
	}
	b->head.position = journal_position(j);
	return OK;
}

/* Where the lines stand is read from the copy: it is what the backup holds. */
static int copy_read(struct backup *b, struct error *e)
{
	struct store *copy;
	struct journal *j;
	int result = closed_store_open(b->scratch, b->order->data, b->order->keys, true, &copy, e);
	if (result)
		return error_wrap(e, result, "the copy of the store");
	struct journal_options options = {
		.store = copy, .keys = b->order->keys, .device = b->order->domain->device, .is_reader = true
	};
	result = journal_open(&options, &j, e);
	if (!result)
		result = lines_say(b, j, e);
	if (!result)
		journal_close(j);
	store_close(copy);
	return result;
}

static int head_begin(struct backup *b, struct error *e)
{
	const struct backup_order *o = b->order;
	struct hash fingerprint;
	char text[FINGERPRINT_TEXT_BYTES];
	int result = device_fingerprint(o->keys->suite, o->keys->curve_public, o->keys->signing_public,
	                                o->keys->opening_public, &fingerprint, e);
	if (!result)
		result = crypto_random(b->id, sizeof b->id, e);
	if (!result)
		result = crypto_random(b->proof_key, sizeof b->proof_key, e);
	if (result)
		return result;
	fingerprint_to_text(&fingerprint, text);
	lm__backup_head__init(&b->head);
	b->head.version = BACKUP_VERSION;
	b->head.backup = codec_data(BYTES_OF(b->id));
	b->head.device = o->domain->device;
	b->head.tier = o->domain->tier;
	b->head.place = (char *)(uintptr_t)o->domain->place;
	b->head.fingerprint = arena_text(b->arena, text);
	b->head.program = (char *)(uintptr_t) "1";
	b->head.time_ms = o->now_ms;
	return b->head.fingerprint ? OK : error_set(e, ERR_MEMORY, "no memory for a backup");
}

/* ---- a sealed file, complete or not at all ---- */

struct part_file {
	int fd;
	char path[PATH_MAX], made[PATH_MAX]; /* made: until it is complete */
	struct sealed_file *sealed;
};

static int part_begin(struct backup *b, Lm__BackupPart part, struct part_file *f, struct error *e)
{
	struct bytes head;
	b->head.part = part;
	int result = backup_path(f->made, sizeof f->made, e, "%s.new", f->path);
	if (!result)
		result = CODEC_PACK(&b->head, b->arena, &head, e);
	if (result)
		return result;
	if (unlink(f->made) != 0 && errno != ENOENT)
		return error_set_errno(e, errno, "cannot remove %s, left over from a backup that was cut off", f->made);
	f->fd = open(f->made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return error_set_errno(e, errno, "cannot make %s", f->made);
	return sealed_create(f->fd, b->order->recovery_key, head, &f->sealed, e);
}

/* What takes the place of an older file makes that one useless: without its front no key opens it. */
static void front_wipe(int fd)
{
	static const uint8_t zeros[FRONT_WIPE_BYTES];
	if (pwrite(fd, zeros, sizeof zeros, 0) > 0)
		fsync(fd);
	close(fd);
}

static int part_end(struct backup *b, struct part_file *f, int result, struct error *e)
{
	struct stat status = { 0 };
	if (!result)
		result = sealed_finish(f->sealed, e);
	sealed_close(f->sealed);
	if (!result && fstat(f->fd, &status) != 0)
		result = error_set_errno(e, errno, "cannot look at %s", f->made);
	if (f->fd >= 0)
		close(f->fd);
	int old = result ? -1 : open(f->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (!result && rename(f->made, f->path) != 0)
		result = error_set_errno(e, errno, "cannot rename %s to %s", f->made, f->path);
	if (!result)
		result = folder_sync_of(f->path, e);
	if (old >= 0 && !result)
		front_wipe(old);
	else if (old >= 0)
		close(old);
	Lm__BackupFile *shown = arena_alloc(b->arena, sizeof *shown);
	if (!result && !shown)
		result = error_set(e, ERR_MEMORY, "no memory for a backup");
	if (result) {
		unlink(f->made);
		return result;
	}
	lm__backup_file__init(shown);
	shown->path = arena_text(b->arena, f->path);
	shown->bytes = (uint64_t)status.st_size;
	b->view->files[b->view->n_files++] = shown;
	return OK;
}

/* ---- the store ---- */

static int file_seal(struct part_file *f, const char *path, const char *name, struct error *e)
{
	uint8_t *block, front[1 + 255 + 8];
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return OK; /* not every node has each of them */
	if (fd < 0 || fstat(fd, &status) != 0) {
		int result = error_set_errno(e, errno, "cannot open %s", path);
		if (fd >= 0)
			close(fd);
		return result;
	}
	struct writer w = writer_over(front, sizeof front);
	write_u8(&w, (uint8_t)strlen(name));
	write_bytes(&w, bytes_from_text(name));
	write_u64(&w, (uint64_t)status.st_size);
	int result = sealed_write(f->sealed, BYTES(front, w.size), e);
	uint64_t left = (uint64_t)status.st_size;
	block = malloc(BACKUP_COPY_BYTES);
	if (!result && !block)
		result = error_set(e, ERR_MEMORY, "no memory to read %s", path);
	while (!result && left) {
		ssize_t got = read(fd, block, left < BACKUP_COPY_BYTES ? (size_t)left : BACKUP_COPY_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			result = error_set_errno(e, got ? errno : EIO, "cannot read %s to its end", path);
		else
			result = sealed_write(f->sealed, BYTES(block, (size_t)got), e);
		left -= got > 0 ? (uint64_t)got : 0;
	}
	if (block)
		crypto_wipe(block, BACKUP_COPY_BYTES);
	free(block);
	close(fd);
	return result;
}

static int store_seal(struct backup *b, struct part_file *f, struct error *e)
{
	static const uint8_t end[1] = { 0 };
	int result = OK;
	for (size_t i = 0; backup_files[i] && !result; i++) {
		char path[PATH_MAX];
		bool is_copy = strcmp(backup_files[i], BACKUP_STORE_FILE) == 0;
		result = backup_path(path, sizeof path, e, "%s/%s", is_copy ? b->scratch : b->order->data,
		                     backup_files[i]);
		if (!result)
			result = file_seal(f, path, backup_files[i], e);
	}
	if (!result)
		result = sealed_write(f->sealed, BYTES_OF(end), e);
	return result ? result : sealed_write(f->sealed, BYTES_OF(b->proof_key), e);
}

static int store_copy_make(struct backup *b, struct error *e)
{
	char path[PATH_MAX];
	int result = backup_path(b->scratch, sizeof b->scratch, e, "%s/backup.XXXXXX", b->order->data);
	if (!result && !mkdtemp(b->scratch)) {
		b->scratch[0] = '\0';
		result = error_set_errno(e, errno, "no scratch folder can be made in %s", b->order->data);
	}
	if (!result)
		result = backup_path(path, sizeof path, e, "%s/store", b->scratch);
	if (!result)
		result = folder_make(path, 0700, e);
	if (!result)
		result = backup_path(path, sizeof path, e, "%s/" BACKUP_STORE_FILE, b->scratch);
	return result ? result : store_copy(b->order->store, path, e);
}

static int store_part(struct backup *b, struct error *e)
{
	struct part_file f = { .fd = -1 };
	char when[24];
	time_t seconds = (time_t)(b->order->now_ms / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
	int result = store_copy_make(b, e);
	if (!result)
		result = copy_read(b, e);
	if (!result)
		result = backup_path(f.path, sizeof f.path, e, "%s/%s-%s.backup", b->order->folder,
		                     b->order->domain->place, when);
	if (!result && file_exists(f.path))
		result = error_set(e, ERR_EXISTS, "%s exists already: a backup never replaces another", f.path);
	if (!result) {
		result = part_begin(b, LM__BACKUP_PART__BACKUP_PART_STORE, &f, e);
		if (!result)
			result = store_seal(b, &f, e);
		result = part_end(b, &f, result, e);
	}
	if (b->scratch[0])
		scratch_remove(b->scratch);
	return result;
}

/* ---- the key table ---- */

struct rows_from { /* the next row to be written lies behind this key */
	uint8_t key[STORE_KEY_BYTES_MOST + 1];
	size_t size;
};

static int row_seal(struct part_file *f, uint8_t table, struct bytes key, struct bytes value, struct error *e)
{
	uint8_t front[1 + 2 + STORE_KEY_BYTES_MOST + 4];
	struct writer w = writer_over(front, sizeof front);
	write_u8(&w, table);
	write_u16(&w, (uint16_t)key.size);
	write_bytes(&w, key);
	write_u32(&w, (uint32_t)value.size);
	if (w.failed || value.size > BACKUP_ENVELOPE_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "an envelope of %zu bytes is larger than any", value.size);
	int result = sealed_write(f->sealed, BYTES(front, w.size), e);
	return result ? result : sealed_write(f->sealed, value, e);
}

/* ERR_NOT_FOUND at the end of the table. */
static int rows_seal(struct backup *b, struct part_file *f, const struct store_table *table, struct rows_from *from,
                     struct arena *arena, struct error *e)
{
	struct store_txn *txn;
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_begin_read(b->order->store, &txn, e);
	if (result)
		return result;
	result = store_cursor_open(txn, table, &c);
	if (!result)
		result = from->size ? store_cursor_seek(c, BYTES(from->key, from->size), arena, &key, &value)
		                    : store_cursor_first(c, arena, &key, &value);
	for (size_t count = 0; !result && count < ROWS_A_SNAPSHOT; count++) {
		result = row_seal(f, table->number, key, value, e);
		if (result)
			break;
		memcpy(from->key, key.data, key.size); /* then a NUL: the next key that there can be */
		from->key[key.size] = 0;
		from->size = key.size + 1;
		arena_reset(arena);
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	int failure = store_failure(txn, e);
	store_abort(txn);
	return failure ? failure : result;
}

/* The other tables under the key table's key follow from the tape: a restore makes them anew, as of the store's copy.
 */
static int key_table_seal(struct backup *b, struct part_file *f, struct error *e)
{
	static const uint8_t end[1] = { 0 };
	struct rows_from from = { .size = 0 };
	struct arena arena;
	int result = OK;
	arena_init(&arena, 1024 * 1024);
	while (!result)
		result = rows_seal(b, f, &journal_table_envelope, &from, &arena, e);
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? sealed_write(f->sealed, BYTES_OF(end), e) : result;
}

static int position_read(struct backup *b, struct error *e)
{
	struct journal *j;
	struct journal_options options = {
		.store = b->order->store, .keys = b->order->keys, .device = b->order->domain->device, .is_reader = true
	};
	int result = journal_open(&options, &j, e);
	if (result)
		return result;
	b->head.position = journal_position(j);
	journal_close(j);
	return OK;
}

static int key_table_part(struct backup *b, struct error *e)
{
	struct part_file f = { .fd = -1 };
	b->head.n_lines = 0;
	int result = position_read(b, e); /* before the rows: they reach at least so far */
	if (!result)
		result = backup_path(f.path, sizeof f.path, e, "%s/%s.keytable", b->order->folder,
		                     b->order->domain->place);
	if (result)
		return result;
	result = part_begin(b, LM__BACKUP_PART__BACKUP_PART_KEY_TABLE, &f, e);
	if (!result)
		result = key_table_seal(b, &f, e);
	return part_end(b, &f, result, e);
}

/* ---- both ---- */

static int view_begin(struct backup *b, struct error *e)
{
	char name[2 * BACKUP_ID_BYTES + 1];
	hex_encode(BYTES_OF(b->id), name);
	b->view->backup = arena_text(b->arena, name);
	b->view->time_ms = b->order->now_ms;
	b->view->files = arena_alloc(b->arena, 2 * sizeof *b->view->files);
	return b->view->backup && b->view->files ? OK : error_set(e, ERR_MEMORY, "no memory for a backup");
}

static int made_fill(const struct backup *b, uint64_t position, Lm__BackupPayload *made, struct error *e)
{
	made->step = LM__BACKUP_STEP__BACKUP_STEP_MADE;
	void *id = arena_copy(b->arena, b->id, sizeof b->id);
	void *key = arena_copy(b->arena, b->proof_key, sizeof b->proof_key);
	if (!id || !key)
		return error_set(e, ERR_MEMORY, "no memory for a backup");
	made->backup = codec_data(BYTES(id, sizeof b->id));
	made->proof_key = codec_data(BYTES(key, sizeof b->proof_key));
	made->position = position;
	made->made_ms = b->order->now_ms;
	return OK;
}

int backup_make(const struct backup_order *order, struct arena *arena, Lm__BackupView *out, Lm__BackupPayload *made,
                struct error *e)
{
	struct backup b = { .order = order, .arena = arena, .view = out };
	lm__backup_view__init(out);
	lm__backup_payload__init(made);
	int result = folder_make(order->folder, 0700, e);
	if (!result)
		result = head_begin(&b, e);
	if (!result)
		result = view_begin(&b, e);
	if (!result && !order->is_key_table_only)
		result = store_part(&b, e);
	out->position = b.head.position;
	if (!result && !order->is_key_table_only)
		result = made_fill(&b, b.head.position, made, e);
	if (!result)
		result = key_table_part(&b, e);
	if (!result && order->is_key_table_only)
		out->position = b.head.position;
	crypto_wipe(b.proof_key, sizeof b.proof_key);
	return result;
}
