/*
 * What somebody opens who has every key file and every raw byte of several data folders: also what was deleted and
 * still lies in free pages, and what fits together only across folders.
 *
 *   searcher [--code CODE] DATA...
 *
 * Every even offset of every data.mdb is looked at as a row, live or left over, and tried under every key that lies in
 * that folder. Then every sealed payload is tried with every envelope that was found anywhere and every folder's
 * opening key, and every status message with every receipt key. What opens goes to stdout as raw bytes, and is named on
 * stderr:
 *
 *   opened KIND_REQUEST 0198…      envelope 0198…      lock      status 0198…
 *
 * With a receipt's code every lock is tried as well, with every folder's salt.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "node/node.h"
#include "proto/codec.h"

#define FOLDERS_MOST 16
#define KEYS_MOST 16
#define OPENINGS_MOST 256
#define FINDS_MOST 200000
#define FILE_BYTES_MOST (512u * 1024 * 1024)
#define NODE_BYTES 8 /* of LMDB: size of the value (2 + 2), flags (2), size of the key (2); key and value follow */
#define IS_BIG 1     /* the flag of a value that lies on pages of its own */
#define PAGE_BYTES 4096
#define PAGE_HEADER_BYTES 16
#define VALUE_BYTES_MOST (1024u * 1024)
#define SALT_BYTES 16
#define SEAL_BYTES (NONCE_BYTES + TAG_BYTES)

enum { TAPE = 1, ENVELOPE = 5, PERIOD = 6, QUARANTINE = 7, BASE = 10, SECRET = 23, RECEIPT = 26, STATUS = 27 };
static const uint8_t tables[] = { TAPE, ENVELOPE, PERIOD, QUARANTINE, BASE, SECRET, RECEIPT, STATUS };

struct folder {
	struct device_keys keys;
	uint64_t device;
	struct buffer file;
	uint8_t root[KEYS_MOST][KEY_BYTES]; /* the master key, then what lies in keytable.key* */
	size_t roots;
	uint8_t salt[OPENINGS_MOST][SALT_BYTES];
	bool has_salt[OPENINGS_MOST];
	uint8_t subkey[OPENINGS_MOST][KEYS_MOST][2][KEY_BYTES];
	bool has_subkeys[OPENINGS_MOST];
};

struct find { /* an opened row */
	uint8_t table;
	struct bytes key, value;
};

static struct folder folder[FOLDERS_MOST];
static size_t folder_count;
static struct find find[FINDS_MOST];
static size_t find_count;
static struct arena arena;

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "searcher: %s\n", what);
	exit(1);
}

static void name_row(const char *what, struct bytes request)
{
	char id[2 * 64 + 1];
	hex_encode(BYTES(request.data, request.size > 16 ? 16 : request.size), id);
	fprintf(stderr, "%s %s\n", what, id);
}

static void take(struct bytes loot)
{
	fwrite(loot.data, 1, loot.size, stdout);
}

/* ---- what lies in a folder ---- */

static void keys_read(struct folder *f, const char *data)
{
	char path[4096];
	struct error e;
	bool was_made;
	snprintf(path, sizeof path, "%s/device.keys", data);
	if (file_find(path, NULL) || device_keys_open(path, &f->keys, &was_made, &e))
		die("device.keys cannot be read");
	f->device = device_id_of(&f->keys.first);
	memcpy(f->root[f->roots++], f->keys.store_key, KEY_BYTES);
	DIR *d = opendir(data);
	for (struct dirent *entry; d && (entry = readdir(d)) && f->roots < KEYS_MOST;) {
		snprintf(path, sizeof path, "%s/%s", data, entry->d_name);
		if (strncmp(entry->d_name, "keytable.key", 12) == 0 && !secret_file_read(path, f->root[f->roots], &e))
			f->roots++;
	}
	closedir(d);
	snprintf(path, sizeof path, "%s/store/data.mdb", data);
	if (file_read(path, FILE_BYTES_MOST, &f->file, &e))
		die(e.text);
}

/* A row may begin here: its key and value, both within the file. */
static bool row_at(const struct folder *f, size_t at, struct bytes *key, struct bytes *value)
{
	const uint8_t *p = f->file.data + at;
	size_t size = (size_t)(p[0] | p[1] << 8) | (size_t)(p[2] | p[3] << 8) << 16;
	size_t flags = (size_t)(p[4] | p[5] << 8), key_size = (size_t)(p[6] | p[7] << 8);
	size_t begin = at + NODE_BYTES + key_size;
	if (flags > IS_BIG || key_size < 4 || key_size > STORE_KEY_BYTES_MOST || size < SEAL_BYTES ||
	    size > VALUE_BYTES_MOST || begin + 8 > f->file.size)
		return false;
	if (flags == IS_BIG) { /* the number of the first of its pages */
		uint64_t page;
		memcpy(&page, f->file.data + begin, sizeof page);
		if (page > f->file.size / PAGE_BYTES)
			return false;
		begin = (size_t)page * PAGE_BYTES + PAGE_HEADER_BYTES;
	}
	if (begin + size > f->file.size)
		return false;
	*key = BYTES(p + NODE_BYTES, key_size);
	*value = BYTES(f->file.data + begin, size);
	return true;
}

static void salts_find(struct folder *f)
{
	struct bytes key, value;
	for (size_t at = 0; at + NODE_BYTES < f->file.size; at += 2) {
		if (!row_at(f, at, &key, &value) || key.size != 11 || memcmp(key.data, "opening", 7) != 0)
			continue;
		struct reader r = reader_over(BYTES(key.data + 7, 4));
		uint32_t opening = read_u32(&r);
		if (opening >= OPENINGS_MOST || value.size != SALT_BYTES + HASH_BYTES)
			continue;
		memcpy(f->salt[opening], value.data, SALT_BYTES);
		f->has_salt[opening] = true;
	}
}

static void subkeys_make(struct folder *f, uint32_t opening)
{
	static const char *const label[2] = { "last-mile store values", "last-mile store keys" };
	for (size_t i = 0; i < f->roots; i++)
		for (int kind = 0; kind < 2; kind++)
			if (crypto_derive(SUITE_INTERNATIONAL, BYTES(f->root[i], KEY_BYTES),
			                  BYTES(f->salt[opening], SALT_BYTES), label[kind], f->subkey[opening][i][kind],
			                  KEY_BYTES, NULL))
				die("no subkey");
	f->has_subkeys[opening] = true;
}

/* Every table, every key, both kinds of subkey: nothing is taken for granted about what is sealed under what. */
static void row_try(struct folder *f, struct bytes key, struct bytes value)
{
	struct reader r = reader_over(value);
	uint32_t opening = read_u32(&r);
	uint8_t associated[1 + STORE_KEY_BYTES_MOST];
	static uint8_t plain[VALUE_BYTES_MOST];
	if (opening >= OPENINGS_MOST || !f->has_salt[opening])
		return;
	if (!f->has_subkeys[opening])
		subkeys_make(f, opening);
	memcpy(associated + 1, key.data, key.size);
	for (size_t t = 0; t < sizeof tables; t++)
		for (size_t i = 0; i < 2 * f->roots; i++) {
			associated[0] = tables[t];
			if (aead_open(SUITE_INTERNATIONAL, f->subkey[opening][i / 2][i % 2], value.data,
			              BYTES(associated, 1 + key.size),
			              BYTES(value.data + NONCE_BYTES, value.size - NONCE_BYTES), plain, NULL))
				continue;
			size_t size = value.size - SEAL_BYTES;
			if (find_count == FINDS_MOST)
				die("too much is found");
			find[find_count++] =
			        (struct find){ tables[t], BYTES(arena_copy(&arena, key.data, key.size), key.size),
				               BYTES(arena_copy(&arena, plain, size), size) };
			return;
		}
}

static void rows_find(struct folder *f)
{
	struct bytes key, value;
	for (size_t at = 0; at + NODE_BYTES < f->file.size; at += 2)
		if (row_at(f, at, &key, &value))
			row_try(f, key, value);
}

/* Rows of a checkpoint are rows of other tables. */
static void bases_unfold(void)
{
	for (size_t i = 0; i < find_count; i++)
		if (find[i].table == BASE) {
			find[i].table = find[i].key.data[0];
			find[i].key = BYTES(find[i].key.data + 1, find[i].key.size - 1);
		}
}

/* ---- what fits together ---- */

static bool hash_is(ProtobufCBinaryData hash, struct bytes of)
{
	struct hash made;
	return hash.len == HASH_BYTES && !crypto_hash(SUITE_INTERNATIONAL, &of, 1, &made, NULL) &&
	       memcmp(hash.data, made.byte, HASH_BYTES) == 0;
}

static struct bytes associated_of(const Lm__Header *h, uint8_t memory[80])
{
	struct writer w = writer_over(memory, 80);
	write_u64(&w, h->origin);
	write_u64(&w, h->incarnation);
	write_u32(&w, (uint32_t)h->stream);
	write_u64(&w, h->receiver);
	write_u64(&w, h->seq);
	write_u32(&w, (uint32_t)h->kind);
	write_bytes(&w, codec_bytes(h->request_id));
	write_bytes(&w, codec_bytes(h->person_id));
	return BYTES(memory, w.size);
}

static bool notice_from(struct bytes packed, struct period_notice *n)
{
	Lm__PeriodNotice *row;
	memset(n, 0, sizeof *n);
	if (CODEC_UNPACK(lm__period_notice, packed, &arena, &row, NULL) || row->period_id.len != PERIOD_ID_BYTES ||
	    row->n_wraps > PERIOD_RECIPIENTS_MOST)
		return false;
	n->suite = (uint8_t)row->suite;
	memcpy(n->period_id, row->period_id.data, PERIOD_ID_BYTES);
	for (size_t i = 0; i < row->n_wraps; i++) {
		const Lm__PeriodWrap *w = row->wraps[i];
		struct period_wrap *to = &n->wrap[n->wrap_count++];
		if (w->opening_key.len != KEY_BYTES || w->ephemeral.len != KEY_BYTES ||
		    w->sealed.len != sizeof to->sealed)
			return false;
		to->recipient = w->recipient;
		memcpy(to->opening_key, w->opening_key.data, KEY_BYTES);
		memcpy(to->ephemeral, w->ephemeral.data, KEY_BYTES);
		memcpy(to->sealed, w->sealed.data, w->sealed.len);
	}
	return true;
}

static bool period_try(const Lm__Envelope *row, struct bytes notice_packed, const struct folder *f, const Lm__Header *h,
                       struct bytes payload, uint8_t *out)
{
	struct envelope env = { .suite = (uint8_t)row->suite, .index = row->index };
	struct period_notice notice;
	struct period_opener opener;
	uint8_t associated[80];
	if (row->period_id.len != PERIOD_ID_BYTES || row->wrapped_key.len != sizeof env.wrapped_key ||
	    !notice_from(notice_packed, &notice) || memcmp(notice.period_id, row->period_id.data, PERIOD_ID_BYTES) != 0)
		return false;
	memcpy(env.period_id, row->period_id.data, PERIOD_ID_BYTES);
	memcpy(env.wrapped_key, row->wrapped_key.data, sizeof env.wrapped_key);
	for (uint32_t i = 0; i <= f->keys.generation; i++) {
		bool is_now = i == f->keys.generation;
		const uint8_t *public_key = is_now ? f->keys.opening_public : f->keys.former_opening[i].public_key;
		const uint8_t *secret_key = is_now ? f->keys.opening_secret : f->keys.former_opening[i].secret_key;
		if (!period_opener_init(&opener, &notice, f->device, public_key, secret_key, NULL))
			return !period_open(&opener, &env, associated_of(h, associated), payload, out, NULL);
	}
	return false;
}

static bool envelope_try(struct bytes packed, const Lm__Header *h, struct bytes payload, uint8_t *out)
{
	static const uint8_t nonce[NONCE_BYTES];
	Lm__Envelope *row;
	uint8_t associated[80];
	if (!hash_is(h->envelope_hash, packed) || CODEC_UNPACK(lm__envelope, packed, &arena, &row, NULL))
		return false;
	if (h->stream == LM__STREAM__STREAM_OWN)
		return row->wrapped_key.len == KEY_BYTES &&
		       !aead_open(SUITE_INTERNATIONAL, row->wrapped_key.data, nonce, associated_of(h, associated),
		                  payload, out, NULL);
	for (size_t i = 0; i < find_count; i++)
		for (size_t k = 0; find[i].table == PERIOD && k < folder_count; k++)
			if (period_try(row, find[i].value, &folder[k], h, payload, out))
				return true;
	return false;
}

struct receipt_keys {
	uint8_t key[4096][RECEIPT_KEY_BYTES];
	size_t count;
};
static struct receipt_keys receipt_keys;

static void receipt_key_note(const uint8_t *key)
{
	if (receipt_keys.count < sizeof receipt_keys.key / sizeof *receipt_keys.key)
		memcpy(receipt_keys.key[receipt_keys.count++], key, RECEIPT_KEY_BYTES);
}

/* What the code gives with each folder's salt: slow, so made once. */
static struct receipt_secret secret[FOLDERS_MOST];
static size_t secret_count;

static void secrets_make(const char *code)
{
	static uint8_t salt[FOLDERS_MOST][DEVICE_SALT_BYTES];
	Lm__NodeSecretPayload *row;
	for (size_t i = 0; i < find_count; i++) {
		size_t k = 0;
		if (find[i].table != SECRET ||
		    CODEC_UNPACK(lm__node_secret_payload, find[i].value, &arena, &row, NULL) ||
		    row->device_salt.len != DEVICE_SALT_BYTES)
			continue;
		while (k < secret_count && memcmp(salt[k], row->device_salt.data, DEVICE_SALT_BYTES) != 0)
			k++;
		if (k < secret_count || k == FOLDERS_MOST)
			continue;
		memcpy(salt[k], row->device_salt.data, DEVICE_SALT_BYTES);
		if (!receipt_derive(code, salt[k], &secret[k], NULL))
			secret_count++;
	}
}

static void lock_try(struct bytes packed)
{
	Lm__ReceiptLockPayload *lock;
	uint8_t key[RECEIPT_KEY_BYTES], request[16];
	if (CODEC_UNPACK(lm__receipt_lock_payload, packed, &arena, &lock, NULL) || lock->lock.len != RECEIPT_LOCK_BYTES)
		return;
	fprintf(stderr, "lock\n");
	for (size_t i = 0; i < secret_count; i++)
		if (!receipt_lock_open(&secret[i], lock->lock.data, key, request, NULL)) {
			name_row("unlocked", BYTES(request, 16));
			receipt_key_note(key);
			return;
		}
}

static void payload_opened(const Lm__Header *h, struct bytes plain)
{
	Lm__RequestPayload *request;
	const ProtobufCEnumValue *kind = protobuf_c_enum_descriptor_get_value(&lm__kind__descriptor, (int)h->kind);
	char what[80];
	snprintf(what, sizeof what, "opened %s", kind ? kind->name : "?");
	name_row(what, codec_bytes(h->request_id));
	take(plain);
	if (h->kind == LM__KIND__KIND_REQUEST && !CODEC_UNPACK(lm__request_payload, plain, &arena, &request, NULL) &&
	    request->receipt_key.len == RECEIPT_KEY_BYTES)
		receipt_key_note(request->receipt_key.data);
	if (h->kind == LM__KIND__KIND_RECEIPT_LOCK)
		lock_try(plain);
}

static void status_try(struct bytes request, uint32_t version, struct bytes sealed)
{
	struct id id;
	uint8_t associated[24], *plain = arena_alloc(&arena, sealed.size + 1);
	size_t size;
	memcpy(id.byte, request.data, ID_BYTES);
	for (size_t i = 0; plain && i < receipt_keys.count; i++)
		if (!receipt_message_open(receipt_keys.key[i], status_associated(id, version, associated), sealed,
		                          plain, &size, NULL)) {
			name_row("status", request);
			take(BYTES(plain, size));
			return;
		}
}

static void item_try(struct bytes packed, bool is_second_round)
{
	Lm__TapeItem *item;
	Lm__Header *h;
	if (CODEC_UNPACK(lm__tape_item, packed, &arena, &item, NULL) || !item->header.len ||
	    CODEC_UNPACK(lm__header, codec_bytes(item->header), &arena, &h, NULL))
		return;
	struct bytes payload = codec_bytes(item->payload);
	if (is_second_round) {
		if (h->kind == LM__KIND__KIND_STATUS && h->request_id.len == ID_BYTES)
			status_try(codec_bytes(h->request_id), h->version, payload);
		return;
	}
	if (!h->envelope_hash.len) {
		take(payload); /* in clear under the store's seal */
		if (h->kind == LM__KIND__KIND_RECEIPT_LOCK)
			lock_try(payload);
		return;
	}
	uint8_t *out = arena_alloc(&arena, payload.size + 1);
	for (size_t i = 0; out && i < find_count; i++)
		if (find[i].table == ENVELOPE && envelope_try(find[i].value, h, payload, out)) {
			payload_opened(h, BYTES(out, payload.size - TAG_BYTES));
			return;
		}
}

static void all_try(void)
{
	for (size_t i = 0; i < find_count; i++) {
		if (find[i].table == ENVELOPE)
			name_row("envelope", find[i].key);
		else if (find[i].table == TAPE || find[i].table == QUARANTINE)
			item_try(find[i].value, false);
		else if (find[i].table == RECEIPT)
			lock_try(find[i].value);
	}
	for (size_t i = 0; i < find_count; i++) {
		if (find[i].table == TAPE)
			item_try(find[i].value, true);
		else if (find[i].table == STATUS && find[i].key.size == 20) {
			struct reader r = reader_over(BYTES(find[i].key.data + ID_BYTES, 4));
			status_try(BYTES(find[i].key.data, ID_BYTES), read_u32(&r), find[i].value);
		}
	}
}

int main(int argc, char **argv)
{
	struct error e;
	const char *code = NULL;
	char plain_code[RECEIPT_CODE_DIGITS + 1];
	int at = 1;
	if (argc > 3 && strcmp(argv[1], "--code") == 0) {
		if (receipt_code_parse(argv[2], plain_code, &e))
			die(e.text);
		code = plain_code;
		at = 3;
	}
	if (at >= argc || argc - at > FOLDERS_MOST) {
		fprintf(stderr, "usage: searcher [--code CODE] DATA...\n");
		return 64;
	}
	if (crypto_init(&e))
		die(e.text);
	arena_init(&arena, (size_t)2 * 1024 * 1024 * 1024);
	for (; at < argc; at++) {
		struct folder *f = &folder[folder_count++];
		keys_read(f, argv[at]);
		salts_find(f);
		rows_find(f);
	}
	bases_unfold();
	if (code)
		secrets_make(code);
	all_try();
	return 0;
}
