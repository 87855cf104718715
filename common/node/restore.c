/*
 * A backup read: what its two files hold becomes a folder, which is verified before it gets its name. All of it is
 * hostile until the last chunk has verified; names and sizes are checked before anything is made of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "base/files.h"
#include "domain/backup.h"
#include "inside.h"

#define ROWS_A_COMMIT 500
#define POSITION_BYTES 8                   /* at the end of an envelope's key */
#define POSITION_ASIDE (UINT64_C(1) << 63) /* of what has no place on the tape */
#define ROOM_BYTES (64u * 1024 * 1024)     /* beyond the copy: the daemon's own map_size decides later */
#define STORE_BYTES_MOST (UINT64_C(1) << 40)
#define PROOF_BYTES_MOST (SEALED_HEAD_BYTES_MOST + 1024)

struct input { /* one file of a backup, open */
	const char *path;
	int fd;
	struct buffer head_packed;
	Lm__BackupHead *head;
	struct sealed_file *sealed;
};

struct restore {
	struct arena *arena;
	struct input store, key_table;
	char folder[PATH_MAX]; /* being made */
	struct closed_node node;
	struct restore_result *out;
	uint64_t store_bytes;
};

/* ---- the files ---- */

static int head_check(const struct input *in, Lm__BackupPart part, struct error *e)
{
	const Lm__BackupHead *h = in->head;
	if (h->version != BACKUP_VERSION)
		return error_set(e, ERR_VERSION, "%s has version %u and this program reads %d", in->path, h->version,
		                 BACKUP_VERSION);
	if (h->part != part)
		return error_set(e, ERR_INVALID, "%s is %s; give the .backup first, then the .keytable", in->path,
		                 h->part == LM__BACKUP_PART__BACKUP_PART_KEY_TABLE ? "a key table" : "not a key table");
	if (h->backup.len != BACKUP_ID_BYTES)
		return error_set(e, ERR_DAMAGED, "%s has no name of a backup in its head", in->path);
	for (size_t i = 0; i < h->n_lines; i++)
		if (h->lines[i]->hash.len != HASH_BYTES)
			return error_set(e, ERR_DAMAGED, "line %zu in the head of %s has no hash", i + 1, in->path);
	return OK;
}

static int input_open(struct restore *r, struct input *in, Lm__BackupPart part, const struct recovery_key *key,
                      struct error *e)
{
	struct sealed_head sealed;
	in->fd = open(in->path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return errno == ENOENT ? error_set(e, ERR_NOT_FOUND, "%s does not exist", in->path)
		                       : error_set_errno(e, errno, "cannot open %s", in->path);
	int result = sealed_head_read(in->fd, &sealed, &in->head_packed, e);
	if (!result)
		result = sealed_open(in->fd, &sealed, key, &in->sealed, e);
	if (!result) {
		result = CODEC_UNPACK(lm__backup_head, buffer_bytes(&in->head_packed), r->arena, &in->head, e);
		result = result ? ERR_DAMAGED : OK;
	}
	if (result)
		return error_wrap(e, result, "%s", in->path);
	return head_check(in, part, e);
}

static void input_close(struct input *in)
{
	sealed_close(in->sealed);
	if (in->fd >= 0)
		close(in->fd);
	buffer_release(&in->head_packed);
}

static int pair_check(const struct restore *r, struct error *e)
{
	const Lm__BackupHead *a = r->store.head, *b = r->key_table.head;
	if (a->device != b->device)
		return error_set(e, ERR_DENIED, "%s is of device %016llx and %s of %016llx: they are of two machines",
		                 r->store.path, (unsigned long long)a->device, r->key_table.path,
		                 (unsigned long long)b->device);
	/* Not by their times: clocks are set back, too. */
	if (b->position < a->position)
		return error_set(e, ERR_CONFLICT,
		                 "%s is older than %s: the newest key table is needed, or an older backup",
		                 r->key_table.path, r->store.path);
	return OK;
}

/* ---- out of the store's file ---- */

static bool name_is_known(const char *name)
{
	for (size_t i = 0; backup_files[i]; i++)
		if (strcmp(backup_files[i], name) == 0)
			return true;
	return false;
}

static int content_copy(struct sealed_file *sealed, int fd, const char *path, uint64_t size, struct error *e)
{
	int result = OK;
	uint8_t *block = malloc(BACKUP_COPY_BYTES);
	if (!block)
		return error_set(e, ERR_MEMORY, "no memory to write %s", path);
	while (!result && size) {
		size_t part = size < BACKUP_COPY_BYTES ? (size_t)size : BACKUP_COPY_BYTES;
		result = sealed_read(sealed, block, part, e);
		for (size_t at = 0; !result && at < part;) {
			ssize_t put = write(fd, block + at, part - at);
			if (put < 0 && errno != EINTR)
				result = error_set_errno(e, errno, "cannot write %s", path);
			at += put > 0 ? (size_t)put : 0;
		}
		size -= part;
	}
	crypto_wipe(block, BACKUP_COPY_BYTES);
	free(block);
	return result;
}

static int file_take(struct restore *r, const char *name, uint64_t size, struct error *e)
{
	char path[PATH_MAX];
	bool is_store = strcmp(name, BACKUP_STORE_FILE) == 0;
	if (!name_is_known(name) || size > (is_store ? STORE_BYTES_MOST : BACKUP_KEY_FILE_BYTES_MOST))
		return error_set(e, ERR_DAMAGED, "it holds a file that no backup has");
	int result = backup_path(path, sizeof path, e, "%s/%s", r->folder, name);
	if (result)
		return result;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? error_set(e, ERR_DAMAGED, "it holds %s twice", name)
		                       : error_set_errno(e, errno, "cannot make %s", path);
	result = content_copy(r->store.sealed, fd, path, size, e);
	if (!result && fsync(fd) != 0)
		result = error_set_errno(e, errno, "cannot sync %s", path);
	close(fd);
	if (is_store)
		r->store_bytes = size;
	return result;
}

static int store_file_read(struct restore *r, struct error *e)
{
	struct sealed_file *in = r->store.sealed;
	uint8_t name_size = 0, size[8];
	char name[256];
	void *proof_key = arena_alloc(r->arena, KEY_BYTES);
	int result = proof_key ? sealed_read(in, &name_size, 1, e) : error_set(e, ERR_MEMORY, "no memory to restore");
	while (!result && name_size) {
		result = sealed_read(in, name, name_size, e);
		name[name_size] = '\0';
		if (!result)
			result = sealed_read(in, size, sizeof size, e);
		struct reader number = reader_over(BYTES_OF(size));
		if (!result)
			result = file_take(r, name, read_u64(&number), e);
		if (!result)
			result = sealed_read(in, &name_size, 1, e);
	}
	if (!result)
		result = sealed_read(in, proof_key, KEY_BYTES, e);
	if (!result)
		result = sealed_end_check(in, e);
	if (!result && !r->store_bytes)
		result = error_set(e, ERR_DAMAGED, "there is no store in it");
	r->out->proof_key = BYTES(proof_key, KEY_BYTES);
	return result ? error_wrap(e, result, "%s", r->store.path) : OK;
}

/* ---- the store opened, and its envelopes put back ---- */

static int keys_take(struct restore *r, struct error *e)
{
	char path[PATH_MAX];
	bool was_made = false;
	int result = backup_path(path, sizeof path, e, "%s/device.keys", r->folder);
	if (!result && !file_exists(path))
		result = error_set(e, ERR_DAMAGED, "%s holds no keys of a device", r->store.path);
	if (!result)
		result = device_keys_open(path, &r->node.keys, &was_made, e);
	if (!result && device_id_of(&r->node.keys.first) != r->store.head->device)
		result = error_set(e, ERR_DENIED, "%s says that it is of device %016llx, and holds the keys of another",
		                   r->store.path, (unsigned long long)r->store.head->device);
	r->node.domain.device = r->store.head->device;
	return result;
}

/* The envelopes in the store's copy are sealed under a key that is nowhere any more. */
static int store_start(struct restore *r, struct error *e)
{
	struct stat status;
	if (fstat(r->key_table.fd, &status) != 0)
		return error_set_errno(e, errno, "cannot look at %s", r->key_table.path);
	uint64_t map_bytes = r->store_bytes + 2 * (uint64_t)status.st_size + ROOM_BYTES;
	return closed_store_adopt(r->folder, &r->node.keys, map_bytes, &r->out->erased, &r->node.store, e);
}

struct row {
	const struct store_table *table;
	uint8_t key[STORE_KEY_BYTES_MOST], value[BACKUP_ENVELOPE_BYTES_MOST];
	size_t key_size, value_size;
};

/* Of entries that the copy holds; an envelope that was filed later is of no use to it. Rows of other tables, which
 * older backups have, are of a later moment than the copy: what they say would come a second time with what is given
 * back. */
static bool row_is_wanted(const struct restore *r, const struct row *row)
{
	if (row->table != &journal_table_envelope || row->key_size < POSITION_BYTES)
		return false;
	struct reader at = reader_over(BYTES(row->key + row->key_size - POSITION_BYTES, POSITION_BYTES));
	uint64_t position = read_u64(&at);
	return position <= r->store.head->position || (position & POSITION_ASIDE);
}

static const struct store_table *key_table_of(uint8_t number)
{
	const struct store_table *tables[STORE_TABLES_MOST];
	size_t count = node_tables(tables);
	for (size_t i = 0; i < count; i++)
		if (tables[i]->is_key_table && tables[i]->number == number)
			return tables[i];
	return NULL;
}

/* ERR_NOT_FOUND behind the last row. */
static int row_read(struct sealed_file *in, struct row *row, struct error *e)
{
	uint8_t table, size[4] = { 0 };
	struct reader number = reader_over(BYTES_OF(size));
	int result = sealed_read(in, &table, 1, e);
	if (result || !table)
		return result ? result : ERR_NOT_FOUND;
	row->table = key_table_of(table);
	result = row->table ? sealed_read(in, size, 2, e)
	                    : error_set(e, ERR_DAMAGED, "a row of table %u, which is no key table", table);
	row->key_size = read_u16(&number);
	if (!result && (!row->key_size || row->key_size > STORE_KEY_BYTES_MOST))
		result = error_set(e, ERR_DAMAGED, "a row has a key of %zu bytes", row->key_size);
	if (!result)
		result = sealed_read(in, row->key, row->key_size, e);
	if (!result)
		result = sealed_read(in, size, 4, e);
	number = reader_over(BYTES_OF(size));
	row->value_size = read_u32(&number);
	if (!result && row->value_size > BACKUP_ENVELOPE_BYTES_MOST)
		result = error_set(e, ERR_DAMAGED, "a row has a value of %zu bytes", row->value_size);
	return result ? result : sealed_read(in, row->value, row->value_size, e);
}

static int envelopes_some(struct restore *r, struct error *e)
{
	struct store_txn *txn;
	struct row row = { .key_size = 0 };
	int result = store_begin_write(r->node.store, &txn, e);
	if (result)
		return result;
	for (int count = 0; count < ROWS_A_COMMIT && !result; count++) {
		result = row_read(r->key_table.sealed, &row, e);
		if (result || !row_is_wanted(r, &row))
			continue;
		result = store_put(txn, row.table, BYTES(row.key, row.key_size), BYTES(row.value, row.value_size));
		r->out->envelopes++;
	}
	crypto_wipe(&row, sizeof row);
	if (result && result != ERR_NOT_FOUND) {
		store_failure(txn, e);
		store_abort(txn);
		return result;
	}
	int failure = store_commit(txn, e);
	return failure ? failure : result;
}

static int key_table_read(struct restore *r, struct error *e)
{
	int result = OK;
	while (!result)
		result = envelopes_some(r, e);
	if (result == ERR_NOT_FOUND)
		result = sealed_end_check(r->key_table.sealed, e);
	return result ? error_wrap(e, result, "%s", r->key_table.path) : OK;
}

/* ---- what follows from the tape ---- */

static int rows_count(struct store_txn *txn, const struct store_table *table, uint64_t *count)
{
	struct store_cursor *c;
	struct bytes key;
	int result = store_cursor_open(txn, table, &c);
	if (!result)
		result = store_cursor_first(c, NULL, &key, NULL);
	for (; !result; result = store_cursor_next(c, NULL, &key, NULL))
		++*count;
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* Of all rows that the copy had under the lost key, those that are not there again. */
static int erased_count(struct restore *r, struct error *e)
{
	const struct store_table *tables[STORE_TABLES_MOST];
	size_t count = node_tables(tables);
	uint64_t there = 0;
	struct store_txn *txn;
	int result = store_begin_read(r->node.store, &txn, e);
	if (result)
		return result;
	for (size_t i = 0; i < count && !result; i++)
		if (tables[i]->is_key_table)
			result = rows_count(txn, tables[i], &there);
	result = result ? store_failure(txn, e) : OK;
	store_abort(txn);
	r->out->erased = r->out->erased > there ? r->out->erased - there : 0;
	return result;
}

/* The derived tables are made anew: rows under the lost key are gone, and what was erased since is absent in all. A
 * device that nobody had admitted yet when it was backed up has none. */
static int projections_make(struct restore *r, struct error *e)
{
	struct rebuild_result rebuilt;
	store_close(r->node.store);
	r->node.store = NULL;
	int result = node_rebuild(r->folder, true, &rebuilt, e);
	if (result == ERR_NOT_READY) {
		*e = (struct error){ 0 };
		result = OK;
	}
	if (!result)
		result = closed_store_open(r->folder, r->folder, &r->node.keys, false, &r->node.store, e);
	return result ? result : erased_count(r, e);
}

/* ---- what it must be ---- */

static int line_check(const struct restore *r, struct journal *j, const Lm__BackupLine *said, struct error *e)
{
	struct line_key key = { said->origin, said->stream, said->receiver };
	const struct line *l = journal_line_find(j, &key);
	if (l && l->incarnation == said->incarnation && l->seq == said->seq &&
	    memcmp(l->hash.byte, said->hash.data, HASH_BYTES) == 0)
		return OK;
	return error_set(e, ERR_DAMAGED, "%s does not hold what its head says of stream %d of device %016llx",
	                 r->store.path, (int)said->stream, (unsigned long long)said->origin);
}

static int content_check(struct restore *r, struct error *e)
{
	struct journal *j;
	struct journal_options options = {
		.store = r->node.store, .keys = &r->node.keys, .device = r->node.domain.device, .is_reader = true
	};
	int result = journal_open(&options, &j, e);
	if (result)
		return result;
	if (journal_position(j) != r->store.head->position)
		result =
		        error_set(e, ERR_DAMAGED, "%s holds a tape up to %llu, and its head says %llu", r->store.path,
		                  (unsigned long long)journal_position(j), (unsigned long long)r->store.head->position);
	for (size_t i = 0; i < r->store.head->n_lines && !result; i++)
		result = line_check(r, j, r->store.head->lines[i], e);
	journal_close(j);
	r->out->verified = arena_alloc(r->arena, sizeof *r->out->verified);
	if (!result && !r->out->verified)
		result = error_set(e, ERR_MEMORY, "no memory to verify");
	if (result)
		return result;
	lm__verify_view__init(r->out->verified);
	result = node_verify(r->node.store, &r->node.keys, r->node.domain.device, r->arena, r->out->verified, e);
	if (!result && !r->out->verified->is_good)
		result = error_set(e, ERR_DAMAGED, "%s: %s", r->store.path, r->out->verified->text);
	return result;
}

static int restored_mark(const struct restore *r, struct error *e)
{
	Lm__RestorePayload begun = LM__RESTORE_PAYLOAD__INIT;
	begun.step = LM__RESTORE_STEP__RESTORE_STEP_BEGUN;
	begun.backup = r->store.head->backup;
	begun.made_ms = r->store.head->time_ms;
	begun.position = r->store.head->position;
	return restored_write(r->folder, &begun, r->arena, e);
}

/* ---- both ways ---- */

static int folder_begin(struct restore *r, struct error *e)
{
	char path[PATH_MAX];
	if (mkdir(r->folder, 0700) != 0)
		return errno == EEXIST ? error_set(e, ERR_EXISTS,
		                                   "%s is there, from a restore that was cut off: remove it", r->folder)
		                       : error_set_errno(e, errno, "cannot make %s", r->folder);
	int result = backup_path(path, sizeof path, e, "%s/store", r->folder);
	return result ? result : folder_make(path, 0700, e);
}

static int restore_into(struct restore *r, const struct recovery_key *key, struct error *e)
{
	int result = crypto_init(e);
	if (!result)
		result = input_open(r, &r->store, LM__BACKUP_PART__BACKUP_PART_STORE, key, e);
	if (!result)
		result = input_open(r, &r->key_table, LM__BACKUP_PART__BACKUP_PART_KEY_TABLE, key, e);
	if (!result)
		result = pair_check(r, e);
	bool is_begun = !result && !(result = folder_begin(r, e));
	if (!result)
		result = store_file_read(r, e);
	if (!result)
		result = keys_take(r, e);
	if (!result)
		result = store_start(r, e);
	if (!result)
		result = key_table_read(r, e);
	if (!result)
		result = projections_make(r, e);
	if (!result)
		result = content_check(r, e);
	if (!result)
		result = restored_mark(r, e);
	store_close(r->node.store);
	crypto_wipe(&r->node, sizeof r->node);
	r->out->head = r->store.head;
	if (result && is_begun)
		scratch_remove(r->folder);
	return result;
}

static void restore_end(struct restore *r)
{
	input_close(&r->store);
	input_close(&r->key_table);
}

static struct restore restore_of(const char *store_file, const char *key_table_file, struct arena *arena,
                                 struct restore_result *out)
{
	memset(out, 0, sizeof *out);
	return (struct restore){ .arena = arena,
		                 .store = { .path = store_file, .fd = -1 },
		                 .key_table = { .path = key_table_file, .fd = -1 },
		                 .out = out };
}

int backup_restore(const char *store_file, const char *key_table_file, const struct recovery_key *key, const char *data,
                   struct arena *arena, struct restore_result *out, struct error *e)
{
	struct restore r = restore_of(store_file, key_table_file, arena, out);
	int result = backup_path(r.folder, sizeof r.folder, e, "%s.restoring", data);
	if (!result && rmdir(data) != 0 && errno != ENOENT) /* an empty one may be there */
		result = error_set(e, ERR_EXISTS, "%s is there and not empty: a restore makes a new folder", data);
	if (!result)
		result = restore_into(&r, key, e);
	restore_end(&r);
	return result ? result : file_move(r.folder, data, e);
}

static int proof_write(const struct restore *r, int64_t now_ms, struct error *e)
{
	char path[PATH_MAX];
	struct hash mac;
	struct bytes packed;
	Lm__BackupProof proof = LM__BACKUP_PROOF__INIT;
	int result =
	        crypto_hmac(SUITE_INTERNATIONAL, r->out->proof_key.data, buffer_bytes(&r->store.head_packed), &mac, e);
	proof.head = codec_data(buffer_bytes(&r->store.head_packed));
	proof.mac = codec_data(BYTES_OF(mac));
	proof.time_ms = now_ms;
	if (!result)
		result = backup_path(path, sizeof path, e, "%s.verified", r->store.path);
	if (!result)
		result = CODEC_PACK(&proof, r->arena, &packed, e);
	return result ? result : file_replace(path, 0600, packed, e);
}

int backup_verify(const char *store_file, const char *key_table_file, const struct recovery_key *key,
                  const char *scratch, int64_t now_ms, struct arena *arena, struct restore_result *out, struct error *e)
{
	struct restore r = restore_of(store_file, key_table_file, arena, out);
	char outer[PATH_MAX];
	int result = backup_path(outer, sizeof outer, e, "%s/verify.XXXXXX", scratch);
	if (!result && !mkdtemp(outer))
		return error_set_errno(e, errno, "no scratch folder can be made in %s", scratch);
	if (!result)
		result = backup_path(r.folder, sizeof r.folder, e, "%s/data", outer);
	if (!result)
		result = restore_into(&r, key, e);
	scratch_remove(outer);
	if (!result)
		result = proof_write(&r, now_ms, e);
	restore_end(&r);
	return result;
}

int backup_proof_check(const Lm__BackupProof *proof, const Lm__BackupPayload *made, struct arena *arena,
                       Lm__BackupHead **head, struct error *e)
{
	struct hash mac;
	int result = made->proof_key.len == KEY_BYTES && proof->mac.len == HASH_BYTES ? OK : ERR_DENIED;
	if (!result)
		result = crypto_hmac(SUITE_INTERNATIONAL, made->proof_key.data, codec_bytes(proof->head), &mac, e);
	if (!result && !crypto_equal(mac.byte, proof->mac.data, HASH_BYTES))
		result = ERR_DENIED;
	if (result == ERR_DENIED)
		return error_set(e, result, "this proof was not made from the backup that it names");
	return result ? result : CODEC_UNPACK(lm__backup_head, codec_bytes(proof->head), arena, head, e);
}
