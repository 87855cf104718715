/* Messages with random content, by reflection, and checks of what came out of hostile bytes. */
#ifndef TEST_RANDOM_MESSAGE_H
#define TEST_RANDOM_MESSAGE_H

#include <math.h>
#include <string.h>

#include "base/prng.h"
#include "proto/codec.h"

#define RANDOM_DEPTH_MOST 5 /* as deep as our own types go */

static void *random_member(ProtobufCMessage *message, unsigned offset)
{
	return (uint8_t *)message + offset;
}

static size_t random_element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	default:
		return 8;
	}
}

/* Extremes, small numbers and anything between. */
static uint64_t random_number(struct prng *p)
{
	static const uint64_t extremes[] = {
		0, 1, 127, 128, INT32_MAX, (uint64_t)INT32_MIN, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX
	};
	if (prng_below(p, 2))
		return extremes[prng_below(p, sizeof extremes / sizeof *extremes)];
	return prng_next(p) >> prng_below(p, 64);
}

static char *random_text(struct prng *p, struct arena *a)
{
	static const char *const letters[] = { "a",  "Z",    "7",    " ", "\"", "\\", "/",
		                               "\n", "\x01", "\x7f", "é", "里", "𠮷", "\u2028" };
	char text[64] = "";
	for (uint64_t left = prng_below(p, 12); left; left--)
		strcat(text, letters[prng_below(p, sizeof letters / sizeof *letters)]);
	return arena_text(a, text);
}

static void random_bytes(struct prng *p, struct arena *a, ProtobufCBinaryData *out)
{
	out->len = prng_below(p, 40);
	out->data = arena_alloc(a, out->len);
	prng_fill(p, out->data, out->len);
}

static double random_real(struct prng *p)
{
	return ldexp((double)(int64_t)prng_next(p), (int)prng_below(p, 100) - 90);
}

static void random_fill(struct prng *p, ProtobufCMessage *message, struct arena *a, unsigned depth);

static void random_value(struct prng *p, const ProtobufCFieldDescriptor *field, void *slot, struct arena *a,
                         unsigned depth)
{
	const ProtobufCEnumDescriptor *names = field->descriptor;
	const ProtobufCMessageDescriptor *type = field->descriptor;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)slot = random_text(p, a);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		random_bytes(p, a, slot);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)slot = prng_below(p, 2) == 1;
		break;
	case PROTOBUF_C_TYPE_ENUM: /* now and then one of a newer version */
		*(int32_t *)slot = prng_below(p, 8) ? names->values[prng_below(p, names->n_values)].value
		                                    : (int32_t)random_number(p);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)slot = (float)random_real(p);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)slot = random_real(p);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(void **)slot = arena_alloc(a, type->sizeof_message);
		protobuf_c_message_init(type, *(void **)slot);
		random_fill(p, *(void **)slot, a, depth + 1);
		break;
	default: {
		uint64_t number = random_number(p);
		memcpy(slot, &number, random_element_size(field->type));
	}
	}
}

static void random_list(struct prng *p, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message,
                        struct arena *a, unsigned depth)
{
	size_t count = prng_below(p, 4), size = random_element_size(field->type);
	uint8_t *list = arena_alloc(a, count * size);
	for (size_t i = 0; i < count; i++)
		random_value(p, field, list + i * size, a, depth);
	*(size_t *)random_member(message, field->quantifier_offset) = count;
	*(void **)random_member(message, field->offset) = list;
}

/* `message` is initialised; each field is set in two of three messages. */
static void random_fill(struct prng *p, ProtobufCMessage *message, struct arena *a, unsigned depth)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (!prng_below(p, 3) || (field->type == PROTOBUF_C_TYPE_MESSAGE && depth >= RANDOM_DEPTH_MOST))
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			random_list(p, field, message, a, depth);
			continue;
		}
		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			uint32_t *chosen = random_member(message, field->quantifier_offset);
			if (*chosen || prng_below(p, 4))
				continue;
			*chosen = field->id;
		}
		random_value(p, field, random_member(message, field->offset), a, depth);
	}
}

static inline ProtobufCMessage *random_message(struct prng *p, const ProtobufCMessageDescriptor *type, struct arena *a)
{
	ProtobufCMessage *message = arena_alloc(a, type->sizeof_message);
	protobuf_c_message_init(type, message);
	random_fill(p, message, a, 0);
	return message;
}

/* Every text of the message and of those within it is UTF-8. */
static inline bool texts_are_valid(const ProtobufCMessage *message)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const uint8_t *at = (const uint8_t *)message + field->offset;
		bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
		size_t count = is_list ? *(const size_t *)((const uint8_t *)message + field->quantifier_offset) : 1;
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		    *(const uint32_t *)((const uint8_t *)message + field->quantifier_offset) != field->id)
			continue;
		if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		void *const *slots = is_list ? *(void **const *)at : (void *const *)at;
		for (size_t k = 0; k < count; k++) {
			if (field->type == PROTOBUF_C_TYPE_STRING && utf8_length(bytes_from_text(slots[k])) < 0)
				return false;
			if (field->type == PROTOBUF_C_TYPE_MESSAGE && slots[k] && !texts_are_valid(slots[k]))
				return false;
		}
	}
	return true;
}

#endif
