/*
 * What differs between two messages of one type, field by field, by reflection. Elements of a list that have an `id`
 * are matched by it; other lists are compared after what is the same at both ends has been set aside, so that one
 * element taken out shows as one removal.
 */
#ifndef PROTO_DIFF_H
#define PROTO_DIFF_H

#include "proto/api.pb-c.h"
#include "proto/codec.h"

#define DIFF_CHANGES_MOST 1000

/* The list and its texts lie in `arena`, or in the messages; values are text as in JSON, bytes are hexadecimal. Either
 * message may be NULL: then everything is added or removed. ERR_TOO_BIG beyond DIFF_CHANGES_MOST, ERR_MEMORY. */
int message_diff(const ProtobufCMessage *before, const ProtobufCMessage *after, struct arena *arena,
                 Lm__Change ***changes, size_t *count, struct error *e);

#endif
