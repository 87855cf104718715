/* What reading and writing JSON share: places for error texts, and which bytes are hexadecimal. See json_shape.c. */
#ifndef PROTO_JSON_SHAPE_H
#define PROTO_JSON_SHAPE_H

#include "proto/json.h"

/* Where in a message the work is: a chain from the member back to the root, on the stack of the recursion. */
struct json_place {
	const struct json_place *up; /* NULL: the root, whose name is that of the message type */
	const char *name;            /* NULL: an element of the list `up` */
	size_t index;
};

/* Sets "fields[2].name.zh: …" and returns `code`. */
int json_refuse(struct error *e, const struct json_place *place, int code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* A piece of hostile text fit to be shown: at most 40 bytes, whole characters, no control characters. */
#define JSON_EXCERPT_BYTES 48
const char *json_excerpt(const char *text, char excerpt[JSON_EXCERPT_BYTES]);

bool json_bytes_are_hexadecimal(const char *field_name); /* otherwise base64 */
size_t json_element_size(ProtobufCType type);            /* bytes of one value in a message's struct */

static inline bool json_is_oneof_member(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

#endif
