/* One value of JSON into one slot of a message; see json_value.c. */
#ifndef PROTO_JSON_VALUE_H
#define PROTO_JSON_VALUE_H

#include <jansson.h>

#include "json_shape.h"

struct json_reading {
	struct arena *arena;
	struct error *e;
};

/* "found a text" and so on, for errors: "a text", "a number", "null" … */
const char *json_kind_of(const json_t *value);

/* Reads a number, a text, bytes, an enum, true or false into `slot`; messages are the caller's. ERR_INVALID,
 * ERR_MEMORY. */
int json_value_read(const struct json_reading *r, const struct json_place *place, const ProtobufCFieldDescriptor *field,
                    const json_t *value, void *slot);

#endif
