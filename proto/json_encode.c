/*
 * A message into compact JSON, by reflection: members in the order of their numbers, defaults included, so that a
 * page finds every field it knows of. The text is written straight into the buffer; a failure takes it back.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "json_shape.h"

#define FLOAT_DIGITS 9 /* decimal digits that bring back the same binary number */
#define DOUBLE_DIGITS 17

struct writing {
	struct buffer *out;
	struct error *e;
};

static int message_write(const struct writing *w, const struct json_place *place, const ProtobufCMessage *message,
                         unsigned depth);

static int raw_write(const struct writing *w, const struct json_place *place, struct bytes text)
{
	if (buffer_append(w->out, text))
		return json_refuse(w->e, place, ERR_MEMORY, "no memory to write JSON");
	return OK;
}

static int plain_write(const struct writing *w, const struct json_place *place, const char *text)
{
	return raw_write(w, place, bytes_from_text(text));
}

/* What stands for a character that JSON does not take as it is; `hex` has room for \u001f. */
static const char *escape_of(char c, char hex[8])
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		snprintf(hex, 8, "\\u%04x", (unsigned)(uint8_t)c);
		return hex;
	}
}

static int text_write(const struct writing *w, const struct json_place *place, const char *text)
{
	struct bytes left = bytes_from_text(text ? text : "");
	if (utf8_length(left) < 0)
		return json_refuse(w->e, place, ERR_INVALID, "the text is not UTF-8");
	int code = plain_write(w, place, "\"");
	while (!code && left.size) {
		size_t size = 0;
		while (size < left.size && left.data[size] >= 0x20 && left.data[size] != '"' && left.data[size] != '\\')
			size++;
		code = raw_write(w, place, BYTES(left.data, size));
		char hex[8];
		if (!code && size < left.size)
			code = plain_write(w, place, escape_of((char)left.data[size++], hex));
		left = BYTES(left.data + size, left.size - size);
	}
	return code ? code : plain_write(w, place, "\"");
}

static int hexadecimal_append(struct buffer *out, struct bytes in)
{
	size_t size;
	if (__builtin_mul_overflow(in.size, (size_t)2, &size) || __builtin_add_overflow(size, (size_t)1, &size) ||
	    buffer_reserve(out, size))
		return ERR_MEMORY;
	hex_encode(in, (char *)out->data + out->size); /* ends with a NUL that is not counted */
	out->size += size - 1;
	return OK;
}

static int bytes_write(const struct writing *w, const struct json_place *place, const char *name,
                       const ProtobufCBinaryData *data)
{
	struct bytes in = codec_bytes(*data);
	int code = plain_write(w, place, "\"");
	if (!code && (json_bytes_are_hexadecimal(name) ? hexadecimal_append(w->out, in) : base64_append(in, w->out)))
		code = json_refuse(w->e, place, ERR_MEMORY, "no memory to write JSON");
	return code ? code : plain_write(w, place, "\"");
}

/* jansson writes numbers with a point whatever the locale says. */
static int real_write(const struct writing *w, const struct json_place *place, double number, unsigned digits)
{
	if (!isfinite(number))
		return json_refuse(w->e, place, ERR_INVALID, "JSON has no infinity and no NaN");
	json_t *real = json_real(number);
	char text[40];
	size_t size = real ? json_dumpb(real, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits)) : 0;
	json_decref(real);
	if (!size || size > sizeof text)
		return json_refuse(w->e, place, ERR_MEMORY, "no memory to write JSON");
	return raw_write(w, place, BYTES(text, size));
}

static int enum_write(const struct writing *w, const struct json_place *place, const ProtobufCEnumDescriptor *type,
                      int32_t number)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, number);
	char text[16];
	if (known)
		return text_write(w, place, known->name);
	snprintf(text, sizeof text, "%" PRId32, number);
	return plain_write(w, place, text);
}

static int integer_write(const struct writing *w, const struct json_place *place, ProtobufCType type, const void *slot)
{
	char text[32];
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		snprintf(text, sizeof text, "%" PRId32, *(const int32_t *)slot);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		snprintf(text, sizeof text, "%" PRIu32, *(const uint32_t *)slot);
		break;
	case PROTOBUF_C_TYPE_UINT64:
		snprintf(text, sizeof text, "\"%" PRIu64 "\"", *(const uint64_t *)slot);
		break;
	case PROTOBUF_C_TYPE_FIXED64:
		snprintf(text, sizeof text, "\"%016" PRIx64 "\"", *(const uint64_t *)slot);
		break;
	default:
		snprintf(text, sizeof text, "\"%" PRId64 "\"", *(const int64_t *)slot);
		break;
	}
	return plain_write(w, place, text);
}

static int value_write(const struct writing *w, const struct json_place *place, const ProtobufCFieldDescriptor *field,
                       const void *slot, unsigned depth)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_FLOAT:
		return real_write(w, place, (double)*(const float *)slot, FLOAT_DIGITS);
	case PROTOBUF_C_TYPE_DOUBLE:
		return real_write(w, place, *(const double *)slot, DOUBLE_DIGITS);
	case PROTOBUF_C_TYPE_BOOL:
		return plain_write(w, place, *(const protobuf_c_boolean *)slot ? "true" : "false");
	case PROTOBUF_C_TYPE_ENUM:
		return enum_write(w, place, field->descriptor, *(const int32_t *)slot);
	case PROTOBUF_C_TYPE_STRING:
		return text_write(w, place, *(char *const *)slot);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_write(w, place, field->name, slot);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_write(w, place, *(ProtobufCMessage *const *)slot, depth);
	default:
		return integer_write(w, place, field->type, slot);
	}
}

static int list_write(const struct writing *w, const struct json_place *place, const ProtobufCFieldDescriptor *field,
                      const ProtobufCMessage *message, unsigned depth)
{
	const uint8_t *list = *(uint8_t *const *)((const uint8_t *)message + field->offset);
	size_t count = *(const size_t *)((const uint8_t *)message + field->quantifier_offset);
	if (depth == JSON_DEPTH_MOST)
		return json_refuse(w->e, place, ERR_INVALID, "more than %d objects and lists within each other",
		                   JSON_DEPTH_MOST);
	int code = plain_write(w, place, "[");
	for (size_t i = 0; !code && i < count; i++) {
		struct json_place element = { .up = place, .index = i };
		code = i ? plain_write(w, place, ",") : OK;
		if (!code)
			code = value_write(w, &element, field, list + i * json_element_size(field->type), depth + 1);
	}
	return code ? code : plain_write(w, place, "]");
}

/* A message that is not there and a member of a oneof that is not the chosen one are left out. */
static bool is_left_out(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	const uint8_t *base = (const uint8_t *)message;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return false;
	if (json_is_oneof_member(field) && *(const uint32_t *)(base + field->quantifier_offset) != field->id)
		return true;
	return field->type == PROTOBUF_C_TYPE_MESSAGE && !*(ProtobufCMessage *const *)(base + field->offset);
}

static int member_write(const struct writing *w, const struct json_place *place, const ProtobufCFieldDescriptor *field,
                        const ProtobufCMessage *message, bool is_first, unsigned depth)
{
	int code = plain_write(w, place, is_first ? "\"" : ",\"");
	if (!code)
		code = plain_write(w, place, field->name);
	if (!code)
		code = plain_write(w, place, "\":");
	if (code)
		return code;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return list_write(w, place, field, message, depth);
	return value_write(w, place, field, (const uint8_t *)message + field->offset, depth);
}

/* `depth` counts the objects and lists around this one. */
static int message_write(const struct writing *w, const struct json_place *place, const ProtobufCMessage *message,
                         unsigned depth)
{
	if (!message)
		return json_refuse(w->e, place, ERR_INVALID, "a list holds a message that is not there");
	if (depth == JSON_DEPTH_MOST)
		return json_refuse(w->e, place, ERR_INVALID, "more than %d objects and lists within each other",
		                   JSON_DEPTH_MOST);
	int code = plain_write(w, place, "{");
	bool is_first = true;
	for (unsigned i = 0; !code && i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (is_left_out(field, message))
			continue;
		struct json_place member = { .up = place, .name = field->name };
		code = member_write(w, &member, field, message, is_first, depth + 1);
		is_first = false;
	}
	return code ? code : plain_write(w, place, "}");
}

int json_encode(const ProtobufCMessage *message, struct buffer *out, struct error *e)
{
	struct writing w = { .out = out, .e = e };
	struct json_place place = { .name = message->descriptor->short_name };
	size_t size_before = out->size;
	int code = message_write(&w, &place, message, 0);
	if (code)
		out->size = size_before;
	return code;
}
