/*
 * Packed bytes of every message: what is taken packs again, comes back the same, and as JSON comes back the same, too.
 * Input: which message, then its bytes.
 */
#include "change.h"
#include "messages.h"
#include "proto/json.h"

#define ARENA_BYTES (64u * 1024 * 1024)

static bool has_unknown_fields(const ProtobufCMessage *message)
{
	if (message->n_unknown_fields)
		return true;
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const uint8_t *at = (const uint8_t *)message + field->offset;
		const uint8_t *quantifier = (const uint8_t *)message + field->quantifier_offset;
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    *(const uint32_t *)(const void *)quantifier != field->id)
			continue;
		size_t count = is_list ? *(const size_t *)(const void *)quantifier : 1;
		ProtobufCMessage *const *list = is_list ? *(ProtobufCMessage *const *const *)(const void *)at
		                                        : (ProtobufCMessage *const *)(const void *)at;
		for (size_t k = 0; k < count; k++)
			if (list[k] && has_unknown_fields(list[k]))
				return true;
	}
	return false;
}

static void json_brings_back(const ProtobufCMessage *message, struct bytes packed, struct arena *arena)
{
	struct buffer text = { 0 };
	ProtobufCMessage *decoded;
	struct bytes again;
	if (!json_encode(message, &text, NULL) &&
	    !json_decode(message->descriptor, buffer_bytes(&text), arena, &decoded, NULL)) {
		must(!codec_pack(decoded, arena, &again, NULL));
		must(bytes_equal(packed, again));
	}
	buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	const ProtobufCMessageDescriptor *type = messages[read_u8(&r) % MESSAGE_COUNT];
	struct arena arena;
	struct error e;
	ProtobufCMessage *message, *second;
	struct bytes packed, again;
	arena_init(&arena, ARENA_BYTES);
	if (!codec_unpack(type, feed_rest(&r), &arena, &message, &e)) {
		must(texts_are_valid(message));
		must(!codec_pack(message, &arena, &packed, &e));
		must(packed.size <= size);
		must(!codec_unpack(type, packed, &arena, &second, &e));
		must(!codec_pack(second, &arena, &again, &e));
		must(bytes_equal(packed, again));
		if (!has_unknown_fields(message))
			json_brings_back(message, packed, &arena);
	} else {
		must(utf8_length(bytes_from_text(e.text)) > 0);
	}
	arena_release(&arena);
	return 0;
}

#ifdef LM_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return packed_mutate(messages[(size ? data[0] : 0) % MESSAGE_COUNT], 1, data, size, most, seed,
	                     message_change_whole);
}
#endif
