/*
 * What `lmctl backup verify` and `lmctl restore` read: two files that anybody may have altered, and that anybody who
 * knows the public recovery key can seal rightly.
 *
 * Input: how, then changes to what a real backup holds: where (head or content of either file; above the seal: the
 * files' bytes), what, at (16 bits), size, bytes. The pages of the store are left out, but for being cut off: what lies
 * in them is LMDB's to read, and the seal of its values ours (row.c).
 */
#include <fcntl.h>

#include "base/files.h"
#include "fuzz.h"
#include "inside.h" /* of the room node */
#include "node/backup.h"
#include "proto/codec.h"

#define PLACE "310114106"
#define NOW_MS INT64_C(1700000000000)
#define ENTRIES 5
#define CHANGES_MOST 8
#define PAYLOAD "{ a lock }"

enum { IS_RESTORED = 1, IS_ABOVE = 2 }; /* how: otherwise verified, and changed below the seal */
enum { STORE_HEAD, STORE, TABLE_HEAD, TABLE, PART_COUNT };
enum { PUT, INSERT, DELETE, CUT, WHAT_COUNT };

struct part {
	struct buffer as_made, now;
	size_t hole_at, hole_size; /* the store's pages */
};

static struct part part[PART_COUNT];
static struct part file[2]; /* sealed */
static struct recovery_key recovery;
static struct arena arena;
static struct error e;
static char folder[64], path[2][96], restored[96], restoring[96], scratch[96];

static const char *under(const char *name, char out[96])
{
	must(snprintf(out, 96, "%s/%s", folder, name) < 96);
	return out;
}

/* ---- a real one ---- */

static void entries_write(struct store *store, const struct device_keys *keys, uint64_t device)
{
	struct journal *j;
	struct journal_options options = { .store = store, .keys = keys, .device = device };
	must(!journal_open(&options, &j, &e));
	for (int i = 0; i < ENTRIES; i++) {
		struct store_txn *txn;
		struct placed placed;
		Lm__Header h = LM__HEADER__INIT;
		h.kind = LM__KIND__KIND_RECEIPT_LOCK; /* has an envelope */
		struct draft draft = { .stream = LM__STREAM__STREAM_OWN,
			               .header = &h,
			               .payload = bytes_from_text(PAYLOAD),
			               .is_sealed = true };
		must(!store_begin_write(store, &txn, &e) && !journal_turn_begin(j, txn, NOW_MS));
		must(!journal_append(j, &draft, &placed, &e) && !journal_turn_seal(j, &e));
		must(!store_commit(txn, &e));
		journal_turn_end(j, true);
	}
	journal_close(j);
}

static void part_take(struct part *p, int fd)
{
	struct stat status;
	must(fstat(fd, &status) == 0);
	uint8_t *content = malloc((size_t)status.st_size + 1);
	must(content && pread(fd, content, (size_t)status.st_size, 0) == status.st_size);
	must(!buffer_append(&p->as_made, BYTES(content, (size_t)status.st_size)));
	free(content);
}

/* Head and content of a file that was made. */
static void opened(const char *name, struct part *head, struct part *content, struct part *whole)
{
	struct sealed_head sealed;
	struct sealed_file *in;
	uint8_t byte;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && !sealed_head_read(fd, &sealed, &head->as_made, &e) &&
	     !sealed_open(fd, &sealed, &recovery, &in, &e));
	while (!sealed_read(in, &byte, 1, &e))
		must(!buffer_append(&content->as_made, BYTES(&byte, 1)));
	sealed_close(in);
	part_take(whole, fd);
	close(fd);
	unlink(name);
}

/* The store is the last of the files; behind it stand a 0 and the proof key. */
static void hole_find(struct part *p)
{
	static const char name[] = "store/data.mdb";
	struct bytes all = buffer_bytes(&p->as_made);
	const uint8_t *at = memmem(all.data, all.size, name, sizeof name - 1);
	must(at);
	p->hole_at = (size_t)(at - all.data) + sizeof name - 1 + 8;
	p->hole_size = all.size - p->hole_at - 1 - KEY_BYTES;
}

static void backup_of(struct store *store, const struct device_keys *keys, uint64_t device)
{
	Lm__BackupView view = LM__BACKUP_VIEW__INIT;
	Lm__BackupPayload made = LM__BACKUP_PAYLOAD__INIT;
	struct domain domain = { .tier = LM__TIER__TIER_TOWN, .device = device, .place = PLACE };
	struct backup_order order = { .data = folder,
		                      .folder = folder,
		                      .recovery_key = recovery.public_key,
		                      .store = store,
		                      .keys = keys,
		                      .domain = &domain,
		                      .now_ms = NOW_MS };
	char name[96];
	must(!backup_make(&order, &arena, &view, &made, &e));
	opened(under(PLACE "-20231114T221320Z.backup", name), &part[STORE_HEAD], &part[STORE], &file[0]);
	opened(under(PLACE ".keytable", name), &part[TABLE_HEAD], &part[TABLE], &file[1]);
	hole_find(&part[STORE]);
	arena_reset(&arena);
}

static void folder_end(void)
{
	scratch_remove(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct store_table *tables[STORE_TABLES_MOST];
	struct device_keys keys;
	struct store *store;
	char name[96], key_file[96];
	bool was_made;
	(void)argc;
	(void)argv;
	must(!crypto_init(NULL));
	snprintf(folder, sizeof folder, "%s/fuzz-backup-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(folder));
	arena_init(&arena, 64u * 1024 * 1024);
	must(!agree_keypair(SUITE_INTERNATIONAL, recovery.public_key, recovery.secret_key, &e));
	must(!device_keys_open(under("device.keys", name), &keys, &was_made, &e) && was_made);
	struct store_options options = { .folder = under("store", name),
		                         .map_bytes = 4 * 1024 * 1024,
		                         .tables = tables,
		                         .key_file = under("keytable.key", key_file) };
	options.table_count = node_tables(tables);
	memcpy(options.master_key, keys.store_key, KEY_BYTES);
	must(mkdir(name, 0700) == 0 && !store_open(&options, &store, &e));
	entries_write(store, &keys, device_id_of(&keys.first));
	backup_of(store, &keys, device_id_of(&keys.first));
	store_close(store);
	scratch_remove(folder);
	must(mkdir(folder, 0700) == 0 && atexit(folder_end) == 0);
	under("store.backup", path[0]);
	under("table.keytable", path[1]);
	under("restored", restored);
	under("restored.restoring", restoring);
	under("store.backup.verified", scratch);
	return 0;
}

/* ---- changed ---- */

static void buffer_replace(struct buffer *b, size_t at, size_t gone, struct bytes with)
{
	struct buffer next = { 0 };
	struct bytes all = buffer_bytes(b);
	must(!buffer_append(&next, BYTES(all.data, at)) && !buffer_append(&next, with));
	must(!buffer_append(&next, BYTES(all.data + at + gone, all.size - at - gone)));
	buffer_release(b);
	*b = next;
}

static void part_change(struct part *p, uint8_t what, uint16_t where, struct bytes with)
{
	size_t size = p->now.size - p->hole_size;
	size_t at = size ? where % size : 0, gone = what % WHAT_COUNT == INSERT ? 0 : with.size;
	if (what % WHAT_COUNT == CUT) { /* anywhere, in the store, too: then there is no hole any more */
		p->now.size = p->now.size * where / UINT16_MAX;
		p->hole_size = 0;
		return;
	}
	if (p->hole_size && at < p->hole_at && at + gone > p->hole_at)
		gone = p->hole_at - at;
	if (p->hole_size && at >= p->hole_at)
		at += p->hole_size;
	if (at + gone > p->now.size)
		gone = p->now.size - at;
	if (what % WHAT_COUNT == DELETE)
		with.size = 0;
	if (p->hole_size && at < p->hole_at)
		p->hole_at += with.size - gone;
	buffer_replace(&p->now, at, gone, with);
}

static void parts_change(struct reader *r, struct part *parts, size_t count)
{
	for (int left = CHANGES_MOST; left && r->at < r->size; left--) {
		struct part *p = &parts[read_u8(r) % count];
		uint8_t what = read_u8(r);
		uint16_t at = read_u16(r);
		uint8_t size = read_u8(r);
		struct bytes with = read_bytes(r, size <= r->size - r->at ? size : r->size - r->at);
		if (!r->failed)
			part_change(p, what, at, with);
	}
}

static void parts_reset(struct part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_release(&parts[i].now);
		parts[i].now = (struct buffer){ 0 };
		must(!buffer_append(&parts[i].now, buffer_bytes(&parts[i].as_made)));
	}
}

static int file_begin(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0);
	return fd;
}

static bool sealed_write_out(const char *name, const struct part *head, const struct part *content)
{
	struct sealed_file *out = NULL;
	int fd = file_begin(name);
	bool is_made = !sealed_create(fd, recovery.public_key, buffer_bytes(&head->now), &out, &e);
	if (is_made)
		must(!sealed_write(out, buffer_bytes(&content->now), &e) && !sealed_finish(out, &e));
	sealed_close(out);
	close(fd);
	return is_made;
}

static bool above_is_as_made(void)
{
	for (size_t i = 0; i < 2; i++) {
		struct bytes a = buffer_bytes(&file[i].as_made), b = buffer_bytes(&file[i].now);
		if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0)
			return false;
	}
	return true;
}

static bool files_write(struct reader *r, bool is_above)
{
	if (!is_above) {
		struct part before = part[STORE];
		parts_reset(part, PART_COUNT);
		parts_change(r, part, PART_COUNT);
		bool are_made = sealed_write_out(path[0], &part[STORE_HEAD], &part[STORE]) &&
		                sealed_write_out(path[1], &part[TABLE_HEAD], &part[TABLE]);
		part[STORE].hole_at = before.hole_at;
		part[STORE].hole_size = before.hole_size;
		return are_made;
	}
	parts_reset(file, 2);
	parts_change(r, file, 2);
	for (size_t i = 0; i < 2; i++) {
		struct bytes all = buffer_bytes(&file[i].now);
		int fd = file_begin(path[i]);
		must(write(fd, all.data, all.size) == (ssize_t)all.size);
		close(fd);
	}
	return true;
}

/* ---- read ---- */

static void result_check(int result, bool is_restored, bool must_fail)
{
	must(!must_fail || result);
	must(!result || utf8_length(bytes_from_text(e.text)) > 0);
	must(!file_exists(restoring));
	must(file_exists(restored) == (is_restored && !result));
	must(file_exists(scratch) == (!is_restored && !result)); /* the proof */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	uint8_t how = read_u8(&r);
	struct restore_result out;
	e = (struct error){ 0 };
	if (files_write(&r, how & IS_ABOVE)) {
		e = (struct error){ 0 };
		int result = how & IS_RESTORED
		                     ? backup_restore(path[0], path[1], &recovery, restored, &arena, &out, &e)
		                     : backup_verify(path[0], path[1], &recovery, folder, NOW_MS, &arena, &out, &e);
		result_check(result, how & IS_RESTORED, (how & IS_ABOVE) && !above_is_as_made());
		must(r.at > 1 || !result); /* nothing was changed */
	}
	scratch_remove(restored);
	unlink(scratch);
	arena_reset(&arena);
	return 0;
}
