/*
 * One value of JSON into one slot of a message.
 *
 * Every value has one spelling: 64-bit integers are decimal without leading zeros, bytes have one text, an enum is
 * its name (a number only when this version has no name for it, so that what was written can be read back).
 */
#include "json_value.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base64.h"

#define ID_DIGITS 16
#define ENUM_NAMES_SHOWN_BYTES 160

const char *json_kind_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return "null";
	}
}

static int kind_refuse(const struct json_reading *r, const struct json_place *place, const char *expected,
                       const json_t *value)
{
	return json_refuse(r->e, place, ERR_INVALID, "expected %s, found %s", expected, json_kind_of(value));
}

static struct bytes text_of(const json_t *value)
{
	return BYTES(json_string_value(value), json_string_length(value));
}

/* An integer that may need 65 bits while it is being read. */
struct integer {
	bool is_negative;
	uint64_t magnitude;
};

static struct integer integer_of(int64_t value)
{
	return (struct integer){ value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value };
}

/* Digits with an optional minus. False for anything else, also "", "-0", "007" and what 64 bits do not hold. */
static bool decimal_parse(struct bytes text, struct integer *out)
{
	struct integer n = { .is_negative = text.size && text.data[0] == '-' };
	size_t first = n.is_negative ? 1 : 0;
	if (text.size == first || (text.data[first] == '0' && text.size > 1))
		return false;
	for (size_t i = first; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (__builtin_mul_overflow(n.magnitude, (uint64_t)10, &n.magnitude) ||
		    __builtin_add_overflow(n.magnitude, (uint64_t)(text.data[i] - '0'), &n.magnitude))
			return false;
	}
	*out = n;
	return true;
}

static int integer_read(const struct json_reading *r, const struct json_place *place, const json_t *value,
                        struct integer *out)
{
	if (json_is_real(value))
		return json_refuse(r->e, place, ERR_INVALID, "expected a whole number, found one with a fraction");
	if (!json_is_integer(value))
		return kind_refuse(r, place, "a whole number", value);
	*out = integer_of(json_integer_value(value));
	return OK;
}

/* Bounds of a signed or unsigned integer of 32 or 64 bits. */
static int integer_fit(const struct json_reading *r, const struct json_place *place, struct integer n, bool is_signed,
                       unsigned bits)
{
	uint64_t most = UINT64_MAX >> (64 - bits + (is_signed ? 1 : 0));
	uint64_t least_magnitude = is_signed ? most + 1 : 0;
	if (n.magnitude <= (n.is_negative ? least_magnitude : most))
		return OK;
	return json_refuse(r->e, place, ERR_INVALID,
	                   "%s%" PRIu64 " is out of range; it goes from %s%" PRIu64 " to %" PRIu64,
	                   n.is_negative ? "-" : "", n.magnitude, is_signed ? "-" : "", least_magnitude, most);
}

static int narrow_read(const struct json_reading *r, const struct json_place *place, const json_t *value,
                       bool is_signed, void *slot)
{
	struct integer n = { 0 };
	int code = integer_read(r, place, value, &n);
	if (!code)
		code = integer_fit(r, place, n, is_signed, 32);
	if (!code)
		*(uint32_t *)slot = n.is_negative ? 0 - (uint32_t)n.magnitude : (uint32_t)n.magnitude;
	return code;
}

static int wide_read(const struct json_reading *r, const struct json_place *place, const json_t *value, bool is_signed,
                     void *slot)
{
	struct integer n = { 0 };
	char shown[JSON_EXCERPT_BYTES];
	if (json_is_string(value) && !decimal_parse(text_of(value), &n))
		return json_refuse(r->e, place, ERR_INVALID, "\"%s\" is not a whole number of 64 bits",
		                   json_excerpt(json_string_value(value), shown));
	int code = json_is_string(value) ? OK : integer_read(r, place, value, &n);
	if (!code)
		code = integer_fit(r, place, n, is_signed, 64);
	if (!code)
		*(uint64_t *)slot = n.is_negative ? 0 - n.magnitude : n.magnitude;
	return code;
}

static int id_read(const struct json_reading *r, const struct json_place *place, const json_t *value, void *slot)
{
	char shown[JSON_EXCERPT_BYTES];
	if (!json_is_string(value))
		return kind_refuse(r, place, "16 hexadecimal digits as a text", value);
	struct bytes text = text_of(value);
	if (text.size != ID_DIGITS || memchr(text.data, 0, text.size) || !hex_decode_u64((const char *)text.data, slot))
		return json_refuse(r->e, place, ERR_INVALID, "\"%s\" is not 16 hexadecimal digits",
		                   json_excerpt(json_string_value(value), shown));
	return OK;
}

static int real_read(const struct json_reading *r, const struct json_place *place, ProtobufCType type,
                     const json_t *value, void *slot)
{
	if (!json_is_number(value))
		return kind_refuse(r, place, "a number", value);
	double number = json_number_value(value);
	if (type == PROTOBUF_C_TYPE_DOUBLE) {
		*(double *)slot = number;
		return OK;
	}
	if (isinf((float)number))
		return json_refuse(r->e, place, ERR_INVALID, "%g is out of range for a number of 32 bits", number);
	*(float *)slot = (float)number;
	return OK;
}

static int text_read(const struct json_reading *r, const struct json_place *place, const json_t *value, char **slot)
{
	if (!json_is_string(value))
		return kind_refuse(r, place, "a text", value);
	struct bytes text = text_of(value);
	if (memchr(text.data, 0, text.size))
		return json_refuse(r->e, place, ERR_INVALID, "a NUL character in a text");
	char *copy = arena_copy(r->arena, text.data, text.size + 1); /* jansson ends its texts with a NUL */
	if (!copy)
		return json_refuse(r->e, place, ERR_MEMORY, "no memory for a text of %zu bytes", text.size);
	*slot = copy;
	return OK;
}

static int bytes_read(const struct json_reading *r, const struct json_place *place,
                      const ProtobufCFieldDescriptor *field, const json_t *value, ProtobufCBinaryData *slot)
{
	bool is_hex = json_bytes_are_hexadecimal(field->name);
	if (!json_is_string(value))
		return kind_refuse(r, place, is_hex ? "hexadecimal digits as a text" : "base64 as a text", value);
	struct bytes text = text_of(value);
	size_t size = is_hex ? text.size / 2 : base64_decoded_size(text);
	uint8_t *data = arena_alloc(r->arena, size);
	if (!data)
		return json_refuse(r->e, place, ERR_MEMORY, "no memory for %zu bytes", size);
	if (is_hex && (memchr(text.data, 0, text.size) || hex_decode((const char *)text.data, data, size)))
		return json_refuse(r->e, place, ERR_INVALID, "not hexadecimal digits, two for each byte");
	if (!is_hex && !base64_decode(text, data))
		return json_refuse(r->e, place, ERR_INVALID, "not base64 (with padding, without spaces)");
	*slot = (ProtobufCBinaryData){ size, data };
	return OK;
}

static int enum_name_refuse(const struct json_reading *r, const struct json_place *place,
                            const ProtobufCEnumDescriptor *type, const char *name)
{
	char names[ENUM_NAMES_SHOWN_BYTES], shown[JSON_EXCERPT_BYTES];
	struct writer w = writer_over(names, sizeof names);
	for (unsigned i = 0; i < type->n_values; i++) {
		if (i)
			write_bytes(&w, bytes_from_text(", "));
		write_bytes(&w, bytes_from_text(type->values[i].name));
	}
	return json_refuse(r->e, place, ERR_INVALID, "\"%s\" is not a name of %s: %.*s%s", json_excerpt(name, shown),
	                   type->short_name, (int)w.size, names, w.failed ? " …" : "");
}

static int enum_read(const struct json_reading *r, const struct json_place *place, const ProtobufCEnumDescriptor *type,
                     const json_t *value, int32_t *slot)
{
	if (json_is_string(value)) {
		const char *name = json_string_value(value);
		bool is_whole = strlen(name) == json_string_length(value);
		const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value_by_name(type, name);
		if (!known || !is_whole)
			return enum_name_refuse(r, place, type, name);
		*slot = known->value;
		return OK;
	}
	if (!json_is_integer(value))
		return kind_refuse(r, place, "a name", value);
	int32_t number;
	int code = narrow_read(r, place, value, true, &number);
	if (code)
		return code;
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, number);
	if (known)
		return json_refuse(r->e, place, ERR_INVALID, "expected a name, found the number of %s", known->name);
	*slot = number;
	return OK;
}

int json_value_read(const struct json_reading *r, const struct json_place *place, const ProtobufCFieldDescriptor *field,
                    const json_t *value, void *slot)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return narrow_read(r, place, value, true, slot);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return narrow_read(r, place, value, false, slot);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return wide_read(r, place, value, true, slot);
	case PROTOBUF_C_TYPE_UINT64:
		return wide_read(r, place, value, false, slot);
	case PROTOBUF_C_TYPE_FIXED64:
		return id_read(r, place, value, slot);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return real_read(r, place, field->type, value, slot);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(value))
			return kind_refuse(r, place, "true or false", value);
		*(protobuf_c_boolean *)slot = json_is_true(value);
		return OK;
	case PROTOBUF_C_TYPE_ENUM:
		return enum_read(r, place, field->descriptor, value, slot);
	case PROTOBUF_C_TYPE_STRING:
		return text_read(r, place, value, slot);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_read(r, place, field, value, slot);
	default:
		return json_refuse(r->e, place, ERR_INTERNAL, "not a value but a message");
	}
}
