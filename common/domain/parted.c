/*
 * Files that are too large to lie in their request. They travel in parts, behind all requests; the request says which
 * file it is, how large, and with which key its parts are sealed. So the district's and the town's way to the file goes
 * through the request, and what erases that erases the file. A part is believed when it opens, a file when it is whole
 * and has the hash that the request names.
 */
#include <string.h>

#include "inside.h"

const struct store_table domain_table_part = { .name = "part", .number = 53, .is_projection = true };

#define PART_KEY_BYTES (ID_BYTES + PARTED_ID_BYTES + 4)

static struct bytes part_key(struct id request, ProtobufCBinaryData file, uint32_t part, uint8_t memory[PART_KEY_BYTES])
{
	struct writer w = writer_over(memory, PART_KEY_BYTES);
	write_bytes(&w, key_id(&request));
	write_bytes(&w, codec_bytes(file));
	write_u32(&w, part);
	return BYTES(memory, w.size);
}

uint32_t parted_count(const Lm__PartedFile *file)
{
	return (file->size + PART_BYTES - 1) / PART_BYTES;
}

bool parted_is_good(const Lm__PartedFile *file)
{
	return file->id.len == PARTED_ID_BYTES && file->key.len == KEY_BYTES && file->hash.len == HASH_BYTES &&
	       file->size && file->size <= REQUEST_FILE_BYTES_MOST;
}

/* ---- sealed and opened ---- */

static struct bytes part_associated(struct id request, const Lm__PartedFile *file, uint32_t part, uint8_t memory[64])
{
	struct writer w = writer_over(memory, 64);
	write_bytes(&w, bytes_from_text("lm part v1"));
	write_bytes(&w, key_id(&request));
	write_bytes(&w, codec_bytes(file->id));
	write_u32(&w, part);
	write_u32(&w, file->size);
	return BYTES(memory, w.size);
}

static void part_nonce(uint32_t part, uint8_t nonce[NONCE_BYTES])
{
	struct writer w = writer_over(nonce, NONCE_BYTES);
	memset(nonce, 0, NONCE_BYTES);
	write_u32(&w, part);
}

static uint32_t part_size(const Lm__PartedFile *file, uint32_t part)
{
	uint32_t left = file->size - part * PART_BYTES;
	return left < PART_BYTES ? left : PART_BYTES;
}

int parted_make(struct bytes content, struct arena *arena, Lm__PartedFile **out, struct error *e)
{
	Lm__PartedFile *file = arena_alloc(arena, sizeof *file);
	uint8_t *drawn = arena_alloc(arena, PARTED_ID_BYTES + KEY_BYTES);
	struct hash *hash = arena_alloc(arena, sizeof *hash);
	if (!file || !drawn || !hash)
		return error_set(e, ERR_MEMORY, "no memory for a file");
	if (!content.size || content.size > REQUEST_FILE_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "a file has at most %d bytes, not %zu", REQUEST_FILE_BYTES_MOST,
		                 content.size);
	lm__parted_file__init(file);
	int result = crypto_random(drawn, PARTED_ID_BYTES + KEY_BYTES, e);
	if (!result)
		result = crypto_hash(SUITE_INTERNATIONAL, &content, 1, hash, e);
	const char *type = file_type_of(content);
	file->id = codec_data(BYTES(drawn, PARTED_ID_BYTES));
	file->key = codec_data(BYTES(drawn + PARTED_ID_BYTES, KEY_BYTES));
	file->hash = codec_data(BYTES(hash->byte, HASH_BYTES));
	file->size = (uint32_t)content.size;
	file->type = (char *)(uintptr_t)(type ? type : "");
	*out = file;
	return result;
}

int part_seal(struct id request, const Lm__PartedFile *file, struct bytes content, uint32_t part, struct arena *arena,
              struct bytes *out, struct error *e)
{
	uint8_t associated[64], nonce[NONCE_BYTES], sealed[PART_BYTES + TAG_BYTES];
	struct bytes plain = BYTES(content.data + (size_t)part * PART_BYTES, part_size(file, part));
	Lm__FilePartPayload payload = LM__FILE_PART_PAYLOAD__INIT;
	part_nonce(part, nonce);
	int result = aead_seal(SUITE_INTERNATIONAL, file->key.data, nonce,
	                       part_associated(request, file, part, associated), plain, sealed, e);
	payload.file = file->id;
	payload.part = part;
	payload.sealed = codec_data(BYTES(sealed, plain.size + TAG_BYTES));
	payload.parts = parted_count(file);
	return result ? result : CODEC_PACK(&payload, arena, out, e);
}

int part_open(struct id request, const Lm__PartedFile *file, uint32_t part, struct bytes packed, struct arena *arena,
              uint8_t *content, struct error *e)
{
	uint8_t associated[64], nonce[NONCE_BYTES];
	Lm__FilePartPayload *payload;
	int result = CODEC_UNPACK(lm__file_part_payload, packed, arena, &payload, e);
	if (!result && payload->sealed.len != part_size(file, part) + TAG_BYTES)
		result = error_set(e, ERR_DAMAGED, "part %u of the file has another size than it must have", part + 1);
	part_nonce(part, nonce);
	if (!result &&
	    aead_open(SUITE_INTERNATIONAL, file->key.data, nonce, part_associated(request, file, part, associated),
	              codec_bytes(payload->sealed), content + (size_t)part * PART_BYTES, e))
		result = error_set(e, ERR_DAMAGED, "part %u of the file is not what was handed in", part + 1);
	return result;
}

int parted_check(const Lm__PartedFile *file, struct bytes content, struct error *e)
{
	struct hash hash;
	int result = crypto_hash(SUITE_INTERNATIONAL, &content, 1, &hash, e);
	if (!result && !bytes_equal(BYTES_OF(hash), codec_bytes(file->hash)))
		return error_set(e, ERR_DAMAGED, "the file is not the one that was handed in");
	return result;
}

/* ---- where the parts lie ---- */

int part_position(struct store_txn *txn, struct id request, const Lm__PartedFile *file, uint32_t part,
                  struct arena *arena, uint64_t *position)
{
	uint8_t memory[PART_KEY_BYTES];
	struct bytes value;
	int result = store_get(txn, &domain_table_part, part_key(request, file->id, part, memory), arena, &value);
	if (result)
		return result;
	struct reader r = reader_over(value);
	*position = read_u64(&r);
	return r.failed ? store_fail(txn, ERR_DAMAGED, "table part: a row of %zu bytes", value.size) : OK;
}

uint32_t parted_come(struct store_txn *txn, struct id request, const Lm__PartedFile *file)
{
	uint8_t memory[PART_KEY_BYTES];
	uint32_t come = 0;
	for (uint32_t part = 0; part < parted_count(file); part++)
		come += store_has(txn, &domain_table_part, part_key(request, file->id, part, memory));
	return come;
}

void parted_leave_out(struct store_txn *txn, struct id request, Lm__FieldValue *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const Lm__PartedFile *file = values[i]->n_parted ? values[i]->parted[0] : NULL;
		if (file && (!parted_is_good(file) || parted_come(txn, request, file) < parted_count(file)))
			values[i]->n_parted = 0;
	}
}

static int part_check(struct apply *a, Lm__FilePartPayload **out)
{
	int result = CODEC_UNPACK(lm__file_part_payload, a->item->plain, a->arena, out, a->e);
	if (result)
		return result;
	const Lm__FilePartPayload *p = *out;
	bool is_good = p->file.len == PARTED_ID_BYTES && p->part < REQUEST_FILE_BYTES_MOST / PART_BYTES &&
	               p->sealed.len > TAG_BYTES && p->sealed.len <= PART_BYTES + TAG_BYTES;
	if (!is_good || id_is_zero(header_request(a->item->header)))
		return error_set(a->e, ERR_INVALID, "a part of a file without a request, a file or a size that can be");
	return OK;
}

int apply_file_part_here(struct apply *a)
{
	Lm__FilePartPayload *payload;
	return part_check(a, &payload);
}

/* Before or after its request: the two come over streams of their own. The first of each number stays. */
int apply_file_part(struct apply *a)
{
	Lm__FilePartPayload *payload;
	uint8_t memory[PART_KEY_BYTES], value[8];
	struct id request = header_request(a->item->header);
	int result = part_check(a, &payload);
	if (result || subject_is_erased(a->txn, key_id(&request)))
		return result;
	struct bytes key = part_key(request, payload->file, payload->part, memory);
	if (store_has(a->txn, &domain_table_part, key))
		return OK;
	result = store_put(a->txn, &domain_table_part, key, key_u64(a->item->position, value));
	bool is_last = payload->part + 1 == payload->parts;
	if (result || !is_last)
		return result;
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}

int parts_remove(struct apply *a, struct id request)
{
	struct store_cursor *c;
	struct bytes key;
	int result = store_cursor_open(a->txn, &domain_table_part, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, key_id(&request), NULL, &key, NULL);
	while (!result && key.size == PART_KEY_BYTES && memcmp(key.data, request.byte, ID_BYTES) == 0) {
		result = store_cursor_delete(c);
		if (!result)
			result = store_cursor_next(c, NULL, &key, NULL);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}
