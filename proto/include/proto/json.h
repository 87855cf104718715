/*
 * The one JSON mapping, by reflection over protobuf-c descriptors, for every API message and data file.
 *
 * Names are the proto names (snake_case). 64-bit integers (int64, uint64, fixed64, sint64) are strings, read from a
 * string or an integer number; device ids (fixed64) are 16 hexadecimal digits. Enums are their names. Bytes are
 * base64, but fields named *request_id, *person_id, *sample_id, *assessor_id, *lookup, hash, seed, *_hash, *_key,
 * duplicate_of and merged_into are hexadecimal, which is how people see them. A oneof is the member that is set.
 * Defaults are written too, empty strings and lists included, unset messages are left out.
 *
 * Bad input is refused with the path of the field: "fields[2].choices[0].name.zh: expected a text, found a number".
 * Unknown names, duplicate names, two members of a oneof, wrong UTF-8, NUL characters in strings, numbers out of range
 * are all refused.
 */
#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include "proto/codec.h"

#define JSON_DEPTH_MOST 10 /* objects and lists within each other; our deepest is 10 (PublishCommand) */
#define JSON_TEXT_BYTES_MOST (9 * 1024 * 1024)
#define JSON_VALUES_MOST (128 * 1024) /* in one text; lists are also bound by CODEC_ELEMENTS_MOST a message */

int json_decode(const ProtobufCMessageDescriptor *type, struct bytes text, struct arena *arena, ProtobufCMessage **out,
                struct error *e);
int json_encode(const ProtobufCMessage *message, struct buffer *out, struct error *e);

#define JSON_DECODE(lower, text, arena, out, e) \
	json_decode(&lower##__descriptor, (text), (arena), (ProtobufCMessage **)(out), (e))

#endif
