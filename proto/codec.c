/*
 * Packing and unpacking, with all memory from an arena.
 *
 * What is packed here passes the same check as what comes in, so that a node never writes an entry that every
 * other node would have to put in quarantine.
 */
#include "proto/codec.h"

#include "wire_check.h"

/* protobuf-c frees its scratch and, on failure, its partial results one by one; the arena takes back all at once. */
struct lender {
	struct arena *arena;
	bool is_exhausted;
};

static void *lender_alloc(void *lender, size_t size)
{
	struct lender *l = lender;
	void *piece = arena_alloc(l->arena, size);
	l->is_exhausted |= !piece;
	return piece;
}

static void lender_free(void *lender, void *piece)
{
	(void)lender;
	(void)piece;
}

int codec_unpack(const ProtobufCMessageDescriptor *type, struct bytes packed, struct arena *arena,
                 ProtobufCMessage **out, struct error *e)
{
	int code = wire_check(type, packed, e);
	if (code)
		return code;
	struct lender lender = { .arena = arena };
	ProtobufCAllocator allocator = { lender_alloc, lender_free, &lender };
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, packed.size, packed.data);
	if (!message && lender.is_exhausted)
		return error_set(e, ERR_MEMORY, "%s: no memory for a message of %zu bytes", type->short_name,
		                 packed.size);
	if (!message)
		return error_set(e, ERR_INTERNAL, "%s: passed the check and yet does not unpack", type->short_name);
	*out = message;
	return OK;
}

static int size_find(const ProtobufCMessage *message, size_t *size, struct error *e)
{
	size_t need = protobuf_c_message_get_packed_size(message);
	if (need > CODEC_MESSAGE_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%s: %zu packed bytes are more than the %d of one message",
		                 message->descriptor->short_name, need, CODEC_MESSAGE_BYTES_MOST);
	*size = need;
	return OK;
}

/* `memory` holds the `size` bytes that size_find gave. */
static int pack_into(const ProtobufCMessage *message, uint8_t *memory, size_t size, struct error *e)
{
	if (protobuf_c_message_pack(message, memory) != size)
		return error_set(e, ERR_INTERNAL, "%s: changed while it was packed", message->descriptor->short_name);
	return wire_check(message->descriptor, BYTES(memory, size), e);
}

int codec_pack(const ProtobufCMessage *message, struct arena *arena, struct bytes *packed, struct error *e)
{
	size_t size = 0;
	int code = size_find(message, &size, e);
	if (code)
		return code;
	uint8_t *memory = arena_alloc(arena, size);
	if (!memory)
		return error_set(e, ERR_MEMORY, "%s: no memory to pack %zu bytes", message->descriptor->short_name,
		                 size);
	code = pack_into(message, memory, size, e);
	if (!code)
		*packed = BYTES(memory, size);
	return code;
}

int codec_pack_append(const ProtobufCMessage *message, struct buffer *out, struct error *e)
{
	size_t size = 0;
	int code = size_find(message, &size, e);
	if (code || !size)
		return code;
	if (buffer_reserve(out, size))
		return error_set(e, ERR_MEMORY, "%s: no memory to pack %zu bytes", message->descriptor->short_name,
		                 size);
	code = pack_into(message, out->data + out->size, size, e);
	if (!code)
		out->size += size;
	return code;
}
