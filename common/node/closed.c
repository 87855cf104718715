/*
 * A directory without its daemon: opening, verifying, rebuilding.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "inside.h"

size_t node_tables(const struct store_table *tables[STORE_TABLES_MOST])
{
	size_t count = 0;
	for (size_t i = 0; i < journal_table_count; i++)
		tables[count++] = journal_tables[i];
	for (size_t i = 0; i < domain_table_number; i++)
		tables[count++] = domain_tables[i];
	return count;
}

/* Nothing is to be made here that is missing. */
static int part_find(const char *data, const char *path, const char *name, struct error *e)
{
	int result = file_find(path, e);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "%s is not the data folder of a daemon: %s is missing", data, name);
	return result;
}

int closed_store_open(const char *around, const char *data, const struct device_keys *keys, bool is_read_only,
                      struct store **out, struct error *e)
{
	const struct store_table *tables[STORE_TABLES_MOST];
	char folder[4096], path[4096];
	snprintf(folder, sizeof folder, "%s/store", around);
	snprintf(path, sizeof path, "%s/keytable.key", data);
	struct store_options options = { .folder = folder,
		                         .map_bytes = 4 * 1024 * 1024,
		                         .tables = tables,
		                         .key_file = path,
		                         .is_read_only = is_read_only };
	options.table_count = node_tables(tables);
	memcpy(options.master_key, keys->store_key, KEY_BYTES);
	int result = part_find(data, path, "keytable.key", e);
	if (!result)
		result = store_open(&options, out, e);
	crypto_wipe(options.master_key, sizeof options.master_key);
	return result;
}

int closed_store_adopt(const char *data, const struct device_keys *keys, uint64_t map_bytes, uint64_t *envelopes,
                       struct store **out, struct error *e)
{
	const struct store_table *tables[STORE_TABLES_MOST];
	char folder[4096], path[4096];
	snprintf(folder, sizeof folder, "%s/store", data);
	snprintf(path, sizeof path, "%s/keytable.key", data);
	struct store_options options = { .folder = folder,
		                         .map_bytes = map_bytes,
		                         .tables = tables,
		                         .key_file = path,
		                         .key_table_lost = envelopes };
	options.table_count = node_tables(tables);
	memcpy(options.master_key, keys->store_key, KEY_BYTES);
	int result = store_open(&options, out, e);
	crypto_wipe(options.master_key, sizeof options.master_key);
	return result;
}

/* Whose directory it is stands in the directory itself; without an entry of its own (not admitted yet) the tier is
 * unknown. */
static int domain_of(struct closed_node *c, struct error *e)
{
	struct store_txn *txn;
	struct arena arena;
	Lm__DeviceRecord *record;
	int result = store_begin_read(c->store, &txn, e);
	if (result)
		return result;
	arena_init(&arena, 1024 * 1024);
	if (!device_get(txn, c->domain.device, &arena, &record)) {
		c->domain.tier = record->role;
		snprintf(c->domain.place, sizeof c->domain.place, "%s", record->place);
	}
	store_abort(txn);
	arena_release(&arena);
	return OK;
}

int closed_node_open(const char *data, bool is_read_only, struct closed_node *out, struct error *e)
{
	char path[4096];
	bool was_made;
	memset(out, 0, sizeof *out);
	snprintf(path, sizeof path, "%s/device.keys", data);
	int result = part_find(data, path, "device.keys", e);
	if (!result)
		result = crypto_init(e);
	if (!result)
		result = device_keys_open(path, &out->keys, &was_made, e);
	if (!result)
		result = closed_store_open(data, data, &out->keys, is_read_only, &out->store, e);
	if (!result) {
		out->domain.device = device_id_of(&out->keys.first);
		struct journal_options options = {
			.store = out->store, .keys = &out->keys, .device = out->domain.device, .is_reader = true
		};
		result = journal_open(&options, &out->journal, e);
	}
	if (!result)
		result = domain_of(out, e);
	if (result)
		closed_node_close(out);
	return result;
}

void closed_node_close(struct closed_node *c)
{
	journal_close(c->journal);
	store_close(c->store);
	crypto_wipe(&c->keys, sizeof c->keys);
	memset(c, 0, sizeof *c);
}

/* ---- verify ---- */

struct verify {
	struct store_txn *txn;
	struct arena *arena;
	const struct device_keys *keys;
	uint64_t device;
	Lm__VerifyView *view;
	struct bytes state[STORE_TABLES_MOST];
	size_t state_count;
};

static int verify_key(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES])
{
	struct verify *v = context;
	Lm__DeviceRecord *record;
	struct arena arena;
	if (origin == v->device && generation == v->keys->generation) {
		memcpy(key, v->keys->signing_public, KEY_BYTES);
		return OK;
	}
	arena_init(&arena, 64 * 1024);
	int result = device_get(v->txn, origin, &arena, &record);
	if (!result)
		result = device_signing_key(record, generation, key);
	arena_release(&arena);
	return result;
}

static void verify_table(void *context, const struct store_table_digest *digest)
{
	struct verify *v = context;
	Lm__TableDigest *row = arena_alloc(v->arena, sizeof *row);
	struct hash *hash = arena_copy(v->arena, &digest->hash, sizeof digest->hash);
	if (!row || !hash)
		return;
	lm__table_digest__init(row);
	row->table = arena_text(v->arena, digest->table->name);
	row->rows = digest->rows;
	row->hash = codec_data(BYTES(hash->byte, HASH_BYTES));
	row->is_projection = digest->table->is_projection;
	v->view->tables[v->view->n_tables++] = row;
}

static void verify_fill(struct verify *v, const struct error *e, int result)
{
	v->view->is_good = result == OK;
	v->view->text = arena_text(
	        v->arena, result ? e->text : "every row, every chain and every signature is as it was written");
}

static int verify_state(struct verify *v, struct error *e)
{
	struct hash *hash = arena_alloc(v->arena, sizeof *hash);
	int result = hash ? domain_state_hash(v->txn, hash, e) : error_set(e, ERR_MEMORY, "no memory to verify");
	v->view->state_hash = codec_data(BYTES(hash ? hash->byte : NULL, hash ? HASH_BYTES : 0));
	return result;
}

int node_verify(struct store *store, const struct device_keys *keys, uint64_t device, struct arena *arena,
                Lm__VerifyView *out, struct error *e)
{
	struct verify v = { .arena = arena, .keys = keys, .device = device, .view = out };
	struct journal *reader = NULL;
	struct journal_audit audit = { 0 };
	out->tables = arena_alloc(arena, STORE_TABLES_MOST * sizeof *out->tables);
	out->text = arena_text(arena, "");
	if (!out->tables || !out->text)
		return error_set(e, ERR_MEMORY, "no memory to verify");
	int result = store_verify(store, verify_table, &v, e);
	struct journal_options options = { .store = store, .keys = keys, .device = device, .is_reader = true };
	if (!result)
		result = journal_open(&options, &reader, e);
	if (!result)
		result = store_begin_read(store, &v.txn, e);
	if (!result)
		result = journal_verify(reader, v.txn, verify_key, &v, &audit, e);
	if (!result)
		result = verify_state(&v, e);
	store_abort(v.txn);
	journal_close(reader);
	out->items = audit.items;
	out->signatures = audit.signatures;
	verify_fill(&v, e, result);
	return result == ERR_DAMAGED ? OK : result; /* the view says what is wrong */
}

/* ---- rebuild ---- */

struct rebuild {
	struct closed_node *live;
	struct store *scratch;
	struct store_txn *read, *write;
	struct arena arena;
	struct domain_effects effects;
	struct rebuild_result *out;
	uint64_t written; /* rows or items since the last commit of the scratch store */
};

#define REBUILD_COMMIT_EVERY 2000

static int scratch_commit(struct rebuild *r, bool is_end, struct error *e)
{
	if (!is_end && ++r->written < REBUILD_COMMIT_EVERY)
		return OK;
	r->written = 0;
	int result = store_commit(r->write, e);
	r->write = NULL;
	return result || is_end ? result : store_begin_write(r->scratch, &r->write, e);
}

static const struct store_table *projection_by_number(uint8_t number)
{
	for (size_t i = 0; i < domain_table_number; i++)
		if (domain_tables[i]->number == number)
			return domain_tables[i];
	return NULL;
}

/* Rows of the checkpoint: the state from which the replay starts. */
static int base_load(struct rebuild *r, struct error *e)
{
	struct store_cursor *c;
	struct bytes key, value;
	Lm__Checkpoint *checkpoint;
	int result = journal_checkpoint(r->read, &r->arena, &checkpoint, e);
	if (result == ERR_NOT_FOUND)
		return OK;
	if (result)
		return result;
	r->out->from_position = checkpoint->position;
	result = store_cursor_open(r->read, &journal_table_base, &c);
	if (!result)
		result = store_cursor_first(c, &r->arena, &key, &value);
	while (!result) {
		const struct store_table *table = key.size ? projection_by_number(key.data[0]) : NULL;
		if (!table) {
			result = error_set(e, ERR_DAMAGED,
			                   "the checkpoint holds a row of a table that this version does not know");
			break;
		}
		store_put(r->write, table, BYTES(key.data + 1, key.size - 1), value);
		result = scratch_commit(r, false, e);
		arena_reset(&r->arena);
		if (!result)
			result = store_cursor_next(c, &r->arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int item_replay(struct rebuild *r, uint64_t position, const Lm__TapeItem *item, struct error *e)
{
	Lm__Header *h;
	struct domain_item again = { .position = position, .ordinal = item->ordinal, .taken_ms = item->taken_ms };
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t cause_size;
	int result = CODEC_UNPACK(lm__header, codec_bytes(item->header), &r->arena, &h, e);
	if (!result)
		result = entry_hash(codec_bytes(item->header), &again.hash, e);
	if (result)
		return result;
	again.header = h;
	again.facts = item->facts;
	result = journal_item_open(r->live->journal, r->read, position, item, &r->arena, &again.plain, e);
	again.is_absent = result == ERR_ABSENT;
	if (result && !again.is_absent)
		return result;
	domain_effects_clear(&r->effects);
	result = domain_apply(&r->live->domain, r->write, &r->arena, &again, &r->effects, cause, &cause_size, e);
	if (result)
		return error_wrap(e, result, "replay of tape position %llu", (unsigned long long)position);
	r->out->replayed++;
	return OK;
}

static int tape_step(struct rebuild *r, uint64_t *position, struct error *e)
{
	Lm__TapeItem *item, *first;
	int result = journal_read_next(r->read, position, &r->arena, &item, e);
	if (result)
		return result;
	if (item->disposition == LM__DISPOSITION__DISPOSITION_APPLIED ||
	    item->disposition == LM__DISPOSITION__DISPOSITION_ERASED) {
		result = item_replay(r, *position, item, e);
	} else if (item->disposition == LM__DISPOSITION__DISPOSITION_RETRIED) {
		result = journal_read(r->read, item->retry_of, &r->arena, &first, e);
		if (!result)
			result = item_replay(r, item->retry_of, first, e);
	}
	if (!result)
		result = scratch_commit(r, false, e);
	arena_reset(&r->arena);
	(*position)++;
	return result;
}

static int replay(struct rebuild *r, struct error *e)
{
	int result = store_begin_write(r->scratch, &r->write, e);
	if (!result)
		result = base_load(r, e);
	uint64_t position = r->out->from_position + 1;
	while (!result)
		result = tape_step(r, &position, e);
	if (result == ERR_NOT_FOUND)
		result = scratch_commit(r, true, e);
	return result;
}

static int hash_of(struct store *store, struct hash *out, struct error *e)
{
	struct store_txn *txn;
	int result = store_begin_read(store, &txn, e);
	if (result)
		return result;
	result = domain_state_hash(txn, out, e);
	store_abort(txn);
	return result;
}

/* Rows that do not verify are what a replacement is for: then there is no hash of them. */
static int live_hash(const struct rebuild *r, bool must_replace, struct error *e)
{
	int result = hash_of(r->live->store, &r->out->live, e);
	if (result != ERR_DAMAGED || !must_replace)
		return result;
	memset(&r->out->live, 0, sizeof r->out->live);
	return OK;
}

/* Projections of the directory give way to the rebuilt ones, in one transaction. */
static int projections_replace(struct rebuild *r, struct error *e)
{
	struct store_txn *from, *to;
	int result = store_begin_read(r->scratch, &from, e);
	if (result)
		return result;
	result = store_begin_write(r->live->store, &to, e);
	for (size_t i = 0; i < domain_table_number && !result; i++) {
		struct store_cursor *c;
		struct bytes key, value;
		store_clear(to, domain_tables[i]);
		result = store_cursor_open(from, domain_tables[i], &c);
		if (!result)
			result = store_cursor_first(c, &r->arena, &key, &value);
		while (!result) {
			store_put(to, domain_tables[i], key, value);
			arena_reset(&r->arena);
			result = store_cursor_next(c, &r->arena, &key, &value);
		}
		store_cursor_close(c);
		if (result == ERR_NOT_FOUND)
			result = OK;
	}
	store_abort(from);
	if (result) {
		store_abort(to);
		return error_set(e, result, "the rebuilt tables cannot be read");
	}
	return store_commit(to, e);
}

static int file_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void scratch_remove(const char *folder)
{
	nftw(folder, file_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static int scratch_open(const struct closed_node *live, const char *folder, uint64_t map_bytes, struct store **out,
                        struct error *e)
{
	struct store_options options = {
		.folder = folder, .map_bytes = map_bytes, .tables = domain_tables, .table_count = domain_table_number
	};
	memcpy(options.master_key, live->keys.store_key, KEY_BYTES);
	int result = crypto_random(options.key_table_key, KEY_BYTES, e);
	if (!result)
		result = store_open(&options, out, e);
	crypto_wipe(&options, sizeof options);
	return result;
}

int node_rebuild(const char *data, bool must_replace, struct rebuild_result *out, struct error *e)
{
	struct closed_node live;
	struct rebuild r = { .live = &live, .out = out };
	char folder[4096];
	struct store_usage usage;
	memset(out, 0, sizeof *out);
	int result = closed_node_open(data, !must_replace, &live, e);
	if (result)
		return result;
	if (!live.domain.tier) {
		closed_node_close(&live);
		return error_set(e, ERR_NOT_READY,
		                 "%s: this device is not in its own directory yet; there is nothing to rebuild", data);
	}
	arena_init(&r.arena, 64u * 1024 * 1024);
	snprintf(folder, sizeof folder, "%s/rebuild.XXXXXX", data);
	store_usage_read(live.store, &usage);
	if (!mkdtemp(folder))
		result = error_set(e, ERR_IO, "no scratch folder can be made in %s", data);
	if (!result)
		result = scratch_open(&live, folder, usage.map_bytes, &r.scratch, e);
	if (!result)
		result = store_begin_read(live.store, &r.read, e);
	if (!result)
		result = replay(&r, e);
	store_abort(r.write);
	store_abort(r.read);
	if (!result)
		result = live_hash(&r, must_replace, e);
	if (!result)
		result = hash_of(r.scratch, &out->rebuilt, e);
	if (!result && must_replace)
		result = projections_replace(&r, e);
	store_close(r.scratch);
	scratch_remove(folder);
	domain_effects_release(&r.effects);
	arena_release(&r.arena);
	closed_node_close(&live);
	return result;
}
