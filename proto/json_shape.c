/* What reading and writing JSON share: the text of a place, and the shape of fields. */
#include "json_shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLACE_SHOWN_BYTES 192
#define TEXT_SHOWN_BYTES 256
#define EXCERPT_SHOWN_BYTES 40

/* Brackets bound the depth of the recursion, as they bound the chain of places. */
static void place_write(const struct json_place *place, struct writer *w)
{
	char piece[JSON_EXCERPT_BYTES + 24];
	if (!place->name) {
		place_write(place->up, w);
		snprintf(piece, sizeof piece, "[%zu]", place->index);
	} else {
		char name[JSON_EXCERPT_BYTES];
		bool is_nested = place->up && place->up->up;
		if (is_nested)
			place_write(place->up, w);
		snprintf(piece, sizeof piece, "%s%s", is_nested ? "." : "", json_excerpt(place->name, name));
	}
	write_bytes(w, bytes_from_text(piece));
}

int json_refuse(struct error *e, const struct json_place *place, int code, const char *format, ...)
{
	char text[TEXT_SHOWN_BYTES], where[PLACE_SHOWN_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct writer w = writer_over(where, sizeof where);
	place_write(place, &w);
	return error_set(e, code, "%.*s: %s", (int)w.size, where, text);
}

const char *json_excerpt(const char *text, char excerpt[JSON_EXCERPT_BYTES])
{
	size_t size = strnlen(text, EXCERPT_SHOWN_BYTES + 1);
	bool is_cut = size > EXCERPT_SHOWN_BYTES;
	if (is_cut)
		for (size = EXCERPT_SHOWN_BYTES; size && ((uint8_t)text[size] & 0xc0) == 0x80; size--)
			;
	for (size_t i = 0; i < size; i++)
		excerpt[i] = (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	memcpy(excerpt + size, is_cut ? "…" : "", is_cut ? sizeof "…" : 1);
	return excerpt;
}

static bool ends_with(const char *name, const char *tail)
{
	size_t name_size = strlen(name), tail_size = strlen(tail);
	return name_size >= tail_size && !strcmp(name + name_size - tail_size, tail);
}

bool json_bytes_are_hexadecimal(const char *field_name)
{
	static const char *const tails[] = { "request_id", "person_id", "sample_id", "assessor_id",
		                             "lookup",     "_hash",     "_key" };
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
		if (ends_with(field_name, tails[i]))
			return true;
	return !strcmp(field_name, "hash") || !strcmp(field_name, "seed") || !strcmp(field_name, "duplicate_of") ||
	       !strcmp(field_name, "merged_into");
}

size_t json_element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(ProtobufCMessage *);
	default:
		return 4;
	}
}
