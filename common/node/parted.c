/*
 * Files of a request on their way: taken apart before the request is saved, written in its turn, put together again for
 * who may see it. How a part is sealed and where it lies: domain/parted.c.
 */
#include <string.h>

#include "inside.h"

#define LYING_BYTES_MOST (128u * 1024) /* of small files that stay in their request: it is one entry */

static int file_part(struct id request, Lm__FieldValue *v, struct arena *arena, struct parts *parts, struct error *e)
{
	Lm__PartedFile **list = arena_alloc(arena, sizeof *list);
	struct bytes content = codec_bytes(v->files[0]);
	int result = list ? parted_make(content, arena, list, e) : error_set(e, ERR_MEMORY, "no memory for a file");
	for (uint32_t part = 0; !result && part < parted_count(*list); part++) {
		if (parts->count == PARTS_MOST)
			return error_set(e, ERR_TOO_BIG, "the files of a request together have at most %d bytes",
			                 REQUEST_FILES_BYTES_MOST);
		result = part_seal(request, *list, content, part, arena, &parts->payload[parts->count], e);
		parts->count += !result;
	}
	if (result)
		return result;
	v->parted = list;
	v->n_parted = 1;
	v->n_files = 0;
	return OK;
}

int parts_make(struct id request, Lm__FieldValue *const *values, size_t count, struct arena *arena, struct parts *parts,
               struct error *e)
{
	size_t lying = 0;
	int result = OK;
	parts->request = request;
	parts->count = 0;
	for (size_t i = 0; i < count && !result; i++) {
		size_t size = values[i]->n_files ? values[i]->files[0].len : 0;
		if (!size)
			continue;
		if (size <= PART_BYTES && lying + size <= LYING_BYTES_MOST)
			lying += size;
		else
			result = file_part(request, values[i], arena, parts, e);
	}
	return result;
}

int parts_append(struct turn *t, const struct parts *parts, struct error *e)
{
	int result = OK;
	for (size_t i = 0; i < parts->count && !result; i++) {
		struct placed placed;
		Lm__Header *h = arena_alloc(t->arena, sizeof *h);
		if (!h)
			return error_set(e, ERR_MEMORY, "no memory for the parts of a file");
		lm__header__init(h);
		h->kind = LM__KIND__KIND_FILE_PART;
		h->request_id = codec_data(BYTES(parts->request.byte, ID_BYTES));
		h->place = (char *)(uintptr_t)node_domain(t->node)->place;
		struct draft draft = { .stream = LM__STREAM__STREAM_PARTS, .header = h, .payload = parts->payload[i] };
		result = turn_append(t, &draft, &placed, e);
	}
	return result;
}

static int part_read(struct store_txn *txn, struct id request, const Lm__PartedFile *file, uint32_t part,
                     uint8_t *content, struct error *e)
{
	struct arena arena;
	uint64_t position;
	Lm__TapeItem *item;
	arena_init(&arena, 1024 * 1024);
	int result = part_position(txn, request, file, part, &arena, &position);
	if (!result)
		result = journal_read(txn, position, &arena, &item, e);
	if (!result)
		result = part_open(request, file, part, codec_bytes(item->payload), &arena, content, e);
	arena_release(&arena);
	return result;
}

int parted_read(struct store_txn *txn, struct id request, const Lm__PartedFile *file, struct arena *arena,
                struct bytes *out, struct error *e)
{
	if (!parted_is_good(file))
		return error_set(e, ERR_DAMAGED, "the request names a file of no size or key that can be");
	uint32_t come = parted_come(txn, request, file), parts = parted_count(file);
	if (come < parts)
		return error_set(e, ERR_NOT_READY, "%u of %u parts of this file have come", come, parts);
	uint8_t *content = arena_alloc(arena, file->size);
	if (!content)
		return error_set(e, ERR_MEMORY, "no memory for a file of %u bytes", file->size);
	int result = OK;
	for (uint32_t part = 0; part < parts && !result; part++)
		result = part_read(txn, request, file, part, content, e);
	if (!result)
		result = parted_check(file, BYTES(content, file->size), e);
	if (!result)
		*out = BYTES(content, file->size);
	return result;
}
