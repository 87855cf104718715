/*
 * JSON of every message, as pages, lmctl and data files bring it: what is taken is the same after a way through text.
 * Input: which message, then the text.
 */
#include "proto/json.h"
#include "change.h"
#include "messages.h"
#include "proto/diff.h"

#define ARENA_BYTES (64u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	const ProtobufCMessageDescriptor *type = messages[read_u8(&r) % MESSAGE_COUNT];
	struct arena arena;
	struct error e;
	ProtobufCMessage *message, *second;
	struct buffer text = { 0 }, again = { 0 };
	Lm__Change **changes;
	size_t count = 1;
	arena_init(&arena, ARENA_BYTES);
	if (!json_decode(type, feed_rest(&r), &arena, &message, &e)) {
		must(texts_are_valid(message));
		must(!json_encode(message, &text, &e));
		must(!json_decode(type, buffer_bytes(&text), &arena, &second, &e));
		must(!json_encode(second, &again, &e));
		must(bytes_equal(buffer_bytes(&text), buffer_bytes(&again)));
		must(!message_diff(message, second, &arena, &changes, &count, &e));
		must(!count);
		int result = message_diff(NULL, message, &arena, &changes, &count, &e);
		must(!result || result == ERR_TOO_BIG || result == ERR_MEMORY);
	} else {
		must(utf8_length(bytes_from_text(e.text)) > 0);
	}
	buffer_release(&text);
	buffer_release(&again);
	arena_release(&arena);
	return 0;
}
