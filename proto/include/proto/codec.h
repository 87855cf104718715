/*
 * The one codec. Bytes from outside are checked before they are unpacked: sizes, counts, depth, UTF-8. Unpacked
 * messages lie in an arena. Nothing else in the product packs or unpacks records.
 */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/errors.h"

#define CODEC_DEPTH_MOST 6 /* messages within messages; our deepest is 5 */
#define CODEC_MESSAGE_BYTES_MOST (1024 * 1024)
#define CODEC_ELEMENTS_MOST 4096 /* fields of one message, repeated ones counted each, unknown ones too */

/* Unpacks into `arena`; unknown fields are kept. ERR_INVALID names the message and field at fault, ERR_TOO_BIG,
 * ERR_MEMORY. Refused too: numbers that do not fit their field, groups, and a field that is not a list or a oneof's
 * second member when it is given twice (protobuf would take the last or merge; our packers never write that). Enums are
 * open. The message lives as long as the arena and is never freed by itself. Byte fields point to copies in the arena.
 */
int codec_unpack(const ProtobufCMessageDescriptor *type, struct bytes packed, struct arena *arena,
                 ProtobufCMessage **out, struct error *e);

/* Packs into `arena`. What codec_unpack would refuse is refused here: ERR_INVALID (a text that is not UTF-8),
 * ERR_TOO_BIG; ERR_MEMORY. */
int codec_pack(const ProtobufCMessage *message, struct arena *arena, struct bytes *packed, struct error *e);
/* The same, appended to a growing buffer. */
int codec_pack_append(const ProtobufCMessage *message, struct buffer *out, struct error *e);

/* CODEC_UNPACK(lm__header, bytes, arena, &header, e): typed. */
#define CODEC_UNPACK(lower, packed, arena, out, e) \
	codec_unpack(&lower##__descriptor, (packed), (arena), (ProtobufCMessage **)(out), (e))
#define CODEC_PACK(message, arena, packed, e) codec_pack(&(message)->base, (arena), (packed), (e))

/* Between our byte ranges and protobuf-c's. */
static inline struct bytes codec_bytes(ProtobufCBinaryData d)
{
	return (struct bytes){ d.data, d.len };
}
static inline ProtobufCBinaryData codec_data(struct bytes b)
{
	return (ProtobufCBinaryData){ b.size, (uint8_t *)(uintptr_t)b.data };
}

#endif
