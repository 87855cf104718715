/*
 * A walk over packed bytes before protobuf-c sees them.
 *
 * protobuf-c trusts its input further than we do: it has no limit on depth, takes any bytes for text, cuts numbers
 * that are too large for their field, and merges a message that occurs twice (in quadratic memory). So every field is
 * visited here once, guided by the descriptor, and what a person of another reading could understand differently is
 * refused. Fields of a newer version are skipped by their wire type, and counted.
 *
 *   message := field*        field := tag value        tag := varint (number << 3 | wire type)
 */
#include "wire_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TYPE_FIELDS_MOST 256 /* fields that one message type may declare */
#define FIELD_NUMBER_MOST ((1U << 29) - 1)

/* Bytes of the longest varint: a tag and a length have 32 bits, a value 64. */
#define TAG_BYTES_MOST 5
#define LENGTH_BYTES_MOST 5
#define VALUE_BYTES_MOST 10

struct scan {
	const ProtobufCMessageDescriptor *type;
	const ProtobufCFieldDescriptor *field; /* NULL: this version does not know the number */
	uint32_t number;
	unsigned wire;
	unsigned depth;
	unsigned guess; /* index of the field that most likely comes next */
	const uint8_t *at, *end;
	size_t elements;
	uint64_t seen[TYPE_FIELDS_MOST / 64]; /* by index of the field */
	struct error *e;
};

static int message_check(const ProtobufCMessageDescriptor *type, struct bytes packed, unsigned depth, struct error *e);

__attribute__((format(printf, 3, 4))) static int refuse(const struct scan *s, int code, const char *format, ...)
{
	char text[160];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (s->field)
		return error_set(s->e, code, "%s.%s: %s", s->type->short_name, s->field->name, text);
	if (s->number)
		return error_set(s->e, code, "%s field %" PRIu32 ": %s", s->type->short_name, s->number, text);
	return error_set(s->e, code, "%s: %s", s->type->short_name, text);
}

/* False if the number is cut off, has more than `bytes_most` bytes or more than 64 bits. */
static bool varint_read(const uint8_t **at, const uint8_t *end, unsigned bytes_most, uint64_t *out)
{
	const uint8_t *byte = *at;
	uint64_t value = 0;
	for (unsigned i = 0; i < bytes_most && byte < end; i++, byte++) {
		value |= (uint64_t)(*byte & 0x7f) << (7 * i);
		if (*byte & 0x80)
			continue;
		if (i == 9 && *byte > 1)
			return false;
		*at = byte + 1;
		*out = value;
		return true;
	}
	return false;
}

static unsigned wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return PROTOBUF_C_WIRE_TYPE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return PROTOBUF_C_WIRE_TYPE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	default:
		return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
}

static const char *wire_name(unsigned wire)
{
	static const char *const names[] = { "a varint",           "8 bytes", "a length",    "the start of a group",
		                             "the end of a group", "4 bytes", "wire type 6", "wire type 7" };
	return names[wire & 7];
}

/* Packers write fields in the order of their numbers, so the next one is nearly always the guess or the one after. */
static const ProtobufCFieldDescriptor *field_find(const struct scan *s, uint32_t number)
{
	const ProtobufCFieldDescriptor *fields = s->type->fields;
	unsigned low = 0, high = s->type->n_fields;
	for (unsigned i = s->guess; i < high && i < s->guess + 2; i++)
		if (fields[i].id == number)
			return &fields[i];
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (fields[middle].id == number)
			return &fields[middle];
		if (fields[middle].id < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_seen(const struct scan *s, unsigned index)
{
	return s->seen[index / 64] >> (index % 64) & 1;
}

/* A field that is not a list occurs once, and of a oneof one member. */
static int once_check(struct scan *s, unsigned index)
{
	if (is_seen(s, index))
		return refuse(s, ERR_INVALID, "given twice");
	if (s->field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		for (unsigned i = 0; i < s->type->n_fields; i++) {
			const ProtobufCFieldDescriptor *other = &s->type->fields[i];
			if (is_seen(s, i) && (other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
			    other->quantifier_offset == s->field->quantifier_offset)
				return refuse(s, ERR_INVALID, "given beside %s; only one of them may be", other->name);
		}
	}
	s->seen[index / 64] |= (uint64_t)1 << (index % 64);
	return OK;
}

static int elements_add(struct scan *s, size_t count)
{
	s->elements += count;
	if (s->elements <= CODEC_ELEMENTS_MOST)
		return OK;
	return refuse(s, ERR_TOO_BIG, "more than %d fields and list elements in one message", CODEC_ELEMENTS_MOST);
}

/* Whether the value of a varint fits its field, so that what is unpacked is what was sent. Enums are open. */
static int varint_check(const struct scan *s, uint64_t value)
{
	bool fits = true;
	switch (s->field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		fits = (int64_t)value >= INT32_MIN && (int64_t)value <= INT32_MAX;
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_SINT32:
		fits = value <= UINT32_MAX;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		fits = value <= 1;
		break;
	default:
		break;
	}
	return fits ? OK : refuse(s, ERR_INVALID, "number 0x%" PRIx64 " is out of range", value);
}

static int list_check(struct scan *s, struct bytes block)
{
	unsigned wire = wire_of(s->field->type);
	size_t count = 0;
	if (wire != PROTOBUF_C_WIRE_TYPE_VARINT) {
		size_t element_bytes = wire == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
		if (block.size % element_bytes)
			return refuse(s, ERR_INVALID, "a packed list of %zu bytes is cut within a number", block.size);
		count = block.size / element_bytes;
	}
	const uint8_t *at = block.data, *end = block.data + block.size;
	while (wire == PROTOBUF_C_WIRE_TYPE_VARINT && at < end) {
		uint64_t value;
		if (!varint_read(&at, end, VALUE_BYTES_MOST, &value))
			return refuse(s, ERR_INVALID, "a number in a packed list is cut off or longer than 64 bits");
		int code = varint_check(s, value);
		if (code)
			return code;
		count++;
	}
	return count ? elements_add(s, count - 1) : OK; /* the field itself was counted as one */
}

static int block_check(struct scan *s)
{
	uint64_t length;
	if (!varint_read(&s->at, s->end, LENGTH_BYTES_MOST, &length))
		return refuse(s, ERR_INVALID, "the length is cut off or longer than 5 bytes");
	if (length > (size_t)(s->end - s->at))
		return refuse(s, ERR_INVALID, "length %" PRIu64 " runs past the end", length);
	struct bytes block = BYTES(s->at, (size_t)length);
	s->at += length;
	if (!s->field)
		return OK;
	switch (s->field->type) {
	case PROTOBUF_C_TYPE_BYTES:
		return OK;
	case PROTOBUF_C_TYPE_STRING:
		if (block.size && memchr(block.data, 0, block.size))
			return refuse(s, ERR_INVALID, "a NUL character in a text");
		return utf8_length(block) < 0 ? refuse(s, ERR_INVALID, "the text is not UTF-8") : OK;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (s->depth == CODEC_DEPTH_MOST)
			return refuse(s, ERR_INVALID, "more than %d messages within each other", CODEC_DEPTH_MOST);
		return message_check(s->field->descriptor, block, s->depth + 1, s->e);
	default:
		return list_check(s, block);
	}
}

static int fixed_check(struct scan *s, size_t size)
{
	if ((size_t)(s->end - s->at) < size)
		return refuse(s, ERR_INVALID, "a number of %zu bytes runs past the end", size);
	s->at += size;
	return OK;
}

static int value_check(struct scan *s)
{
	uint64_t value;
	switch (s->wire) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		if (!varint_read(&s->at, s->end, VALUE_BYTES_MOST, &value))
			return refuse(s, ERR_INVALID, "the number is cut off or longer than 64 bits");
		return s->field ? varint_check(s, value) : OK;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return fixed_check(s, 8);
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return fixed_check(s, 4);
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return block_check(s);
	default:
		return refuse(s, ERR_INVALID, "found %s, which is never used", wire_name(s->wire));
	}
}

/* The wire type must be the field's own; a list of numbers may also come packed, whatever the type declares. */
static int wire_type_check(const struct scan *s)
{
	unsigned expected = wire_of(s->field->type);
	if (s->wire == expected)
		return OK;
	if (s->wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && s->field->label == PROTOBUF_C_LABEL_REPEATED)
		return OK;
	return refuse(s, ERR_INVALID, "expected %s, found %s", wire_name(expected), wire_name(s->wire));
}

static int field_check(struct scan *s)
{
	uint64_t tag;
	s->field = NULL;
	s->number = 0;
	if (!varint_read(&s->at, s->end, TAG_BYTES_MOST, &tag))
		return refuse(s, ERR_INVALID, "a field number is cut off or longer than 5 bytes");
	if (tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MOST)
		return refuse(s, ERR_INVALID, "%" PRIu64 " is not a field number", tag >> 3);
	s->number = (uint32_t)(tag >> 3);
	s->wire = tag & 7;
	s->field = field_find(s, s->number);
	int code = elements_add(s, 1);
	if (!code && s->field) {
		s->guess = (unsigned)(s->field - s->type->fields);
		code = wire_type_check(s);
		if (!code && s->field->label != PROTOBUF_C_LABEL_REPEATED)
			code = once_check(s, s->guess);
	}
	return code ? code : value_check(s);
}

static int message_check(const ProtobufCMessageDescriptor *type, struct bytes packed, unsigned depth, struct error *e)
{
	if (type->n_fields > TYPE_FIELDS_MOST)
		return error_set(e, ERR_INTERNAL, "%s declares more than %d fields", type->short_name,
		                 TYPE_FIELDS_MOST);
	struct scan s = { .type = type, .depth = depth, .at = packed.data, .end = packed.data + packed.size, .e = e };
	while (s.at < s.end) {
		int code = field_check(&s);
		if (code)
			return code;
	}
	return OK;
}

int wire_check(const ProtobufCMessageDescriptor *type, struct bytes packed, struct error *e)
{
	if (packed.size > CODEC_MESSAGE_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%s: %zu bytes are more than the %d of one message", type->short_name,
		                 packed.size, CODEC_MESSAGE_BYTES_MOST);
	if (!packed.size) /* every field has its default; `data` may be NULL */
		return OK;
	return message_check(type, packed, 0, e);
}
