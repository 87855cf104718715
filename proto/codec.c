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

/*
 * What we pack ourselves can fail the check in two ways only: by a text that is not UTF-8, or by too many elements. A
 * look at texts and counts costs a tenth of the walk over the packed bytes; whoever fails it, or has fields of a newer
 * version with it, is walked over, which finds the words for the fault.
 */
static bool is_surely_good(const ProtobufCMessage *message, unsigned depth);

static bool value_is_good(const ProtobufCFieldDescriptor *field, const void *value, unsigned depth)
{
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		const char *text = *(const char *const *)value;
		return !text || utf8_length(bytes_from_text(text)) >= 0;
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)value;
	return !inner || is_surely_good(inner, depth + 1);
}

static bool list_is_good(const ProtobufCFieldDescriptor *field, const uint8_t *list, size_t count, unsigned depth)
{
	bool is_plain = field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE;
	for (size_t i = 0; i < count && !is_plain; i++)
		if (!value_is_good(field, list + i * sizeof(void *), depth))
			return false;
	return true;
}

static bool is_surely_good(const ProtobufCMessage *message, unsigned depth)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	size_t elements = type->n_fields;
	if (depth > CODEC_DEPTH_MOST || message->n_unknown_fields)
		return false;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const uint8_t *value = (const uint8_t *)message + field->offset,
		              *quantifier = (const uint8_t *)message + field->quantifier_offset;
		bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
		size_t count = is_list ? *(const size_t *)(const void *)quantifier : 1;
		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			count = *(const uint32_t *)(const void *)quantifier == field->id;
		elements += is_list ? count : 0;
		if (!count || elements > CODEC_ELEMENTS_MOST)
			continue;
		if (!(is_list ? list_is_good(field, *(const uint8_t *const *)(const void *)value, count, depth)
		              : value_is_good(field, value, depth)))
			return false;
	}
	return elements <= CODEC_ELEMENTS_MOST;
}

/* `memory` holds the `size` bytes that size_find gave. */
static int pack_into(const ProtobufCMessage *message, uint8_t *memory, size_t size, struct error *e)
{
	if (protobuf_c_message_pack(message, memory) != size)
		return error_set(e, ERR_INTERNAL, "%s: changed while it was packed", message->descriptor->short_name);
	return is_surely_good(message, 0) ? OK : wire_check(message->descriptor, BYTES(memory, size), e);
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
