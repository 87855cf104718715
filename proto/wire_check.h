/* Check of packed bytes against their type; see wire_check.c. */
#ifndef PROTO_WIRE_CHECK_H
#define PROTO_WIRE_CHECK_H

#include "proto/codec.h"

/* OK if protobuf-c can unpack `packed` as `type` with bounded depth and counts, every value fits its field and every
 * text is UTF-8 without NUL. ERR_INVALID and ERR_TOO_BIG name the message and the field. Takes time in proportion to
 * packed.size; allocates nothing. */
int wire_check(const ProtobufCMessageDescriptor *type, struct bytes packed, struct error *e);

#endif
