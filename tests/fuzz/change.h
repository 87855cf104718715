/*
 * One change to a message, by reflection. Plain mutation of packed bytes breaks the lengths around what it changes, and
 * gets no deeper than the check of the bytes.
 */
#ifndef TESTS_FUZZ_CHANGE_H
#define TESTS_FUZZ_CHANGE_H

#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "messages.h"
#include "random_message.h"

#define CHANGE_ARENA_BYTES (8u * 1024 * 1024)

/* The message of this name with this ending. */
static inline const ProtobufCMessageDescriptor *message_named(const char *name, const char *ending)
{
	char whole[64];
	snprintf(whole, sizeof whole, "%s%s", name, ending);
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		if (strcmp(messages[i]->short_name, whole) == 0)
			return messages[i];
	return NULL;
}

/* What the payload of an entry is, before it is sealed: KIND_LOCK_RELEASE is a LockReleasePayload, and so on. NULL:
 * bytes, or none that this version knows. A kind whose payload nobody finds ends the target. */
static inline const ProtobufCMessageDescriptor *payload_type(Lm__Kind kind)
{
	static const char *const endings[] = { "Payload", "Notice", "Record", "" };
	const ProtobufCMessageDescriptor *type = NULL;
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&lm__kind__descriptor, (int)kind);
	char name[64] = "";
	if (!value || kind == LM__KIND__KIND_NONE || kind == LM__KIND__KIND_STATUS) /* sealed under the receipt's key */
		return NULL;
	if (kind == LM__KIND__KIND_ERASURE)
		return &lm__erase_payload__descriptor;
	for (const char *p = value->name + strlen("KIND"); *p; p++) /* _LOCK_RELEASE */
		if (*p != '_')
			sprintf(name + strlen(name), "%c", p[-1] == '_' ? *p : *p - 'A' + 'a');
	for (size_t i = 0; i < sizeof endings / sizeof *endings && !type; i++)
		type = message_named(name, endings[i]);
	must(type);
	return type;
}

static inline void message_change(struct prng *p, ProtobufCMessage *message, struct arena *a, unsigned depth);

static inline void element_change(struct prng *p, const ProtobufCFieldDescriptor *field, void *slot, struct arena *a,
                                  unsigned depth)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(void **)slot && prng_below(p, 8))
		message_change(p, *(void **)slot, a, depth + 1);
	else if (field->type != PROTOBUF_C_TYPE_MESSAGE || depth < RANDOM_DEPTH_MOST)
		random_value(p, field, slot, a, depth);
}

/* One more, one less, or another one. */
static inline void list_change(struct prng *p, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message,
                               struct arena *a, unsigned depth)
{
	size_t *count = random_member(message, field->quantifier_offset), size = random_element_size(field->type);
	uint8_t **list = random_member(message, field->offset);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && depth >= RANDOM_DEPTH_MOST)
		return;
	if (*count && prng_below(p, 4)) {
		size_t at = prng_below(p, *count);
		if (prng_below(p, 6))
			element_change(p, field, *list + at * size, a, depth);
		else
			memmove(*list + at * size, *list + (at + 1) * size, (--*count - at) * size);
		return;
	}
	uint8_t *grown = arena_alloc(a, (*count + 1) * size);
	must(grown);
	if (*count)
		memcpy(grown, *list, *count * size);
	if (*count && prng_below(p, 2))
		memcpy(grown + *count * size, grown, size); /* the same once more */
	else
		random_value(p, field, grown + *count * size, a, depth);
	*list = grown;
	++*count;
}

static inline void message_change(struct prng *p, ProtobufCMessage *message, struct arena *a, unsigned depth)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	if (!type->n_fields)
		return;
	const ProtobufCFieldDescriptor *field = &type->fields[prng_below(p, type->n_fields)];
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		list_change(p, field, message, a, depth);
		return;
	}
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t *chosen = random_member(message, field->quantifier_offset);
		if (*chosen && *chosen != field->id && prng_below(p, 8)) { /* rather what is there already */
			for (unsigned i = 0; i < type->n_fields; i++)
				if (type->fields[i].id == *chosen)
					field = &type->fields[i];
		} else if (*chosen != field->id) {
			*chosen = field->id;
			memset(random_member(message, field->offset), 0, sizeof(void *));
		}
	}
	element_change(p, field, random_member(message, field->offset), a, depth);
}

/* A packed message of this type within bytes, changed; what cannot be read is left. */
static inline void packed_change(struct prng *p, const ProtobufCMessageDescriptor *type, ProtobufCBinaryData *packed,
                                 struct arena *a)
{
	ProtobufCMessage *inner;
	struct bytes again;
	if (!type || codec_unpack(type, codec_bytes(*packed), a, &inner, NULL))
		return;
	message_change(p, inner, a, 0);
	if (!codec_pack(inner, a, &again, NULL))
		*packed = codec_data(again);
}

/* An entry of any kind that the schema has, with a payload that is one of its kind. */
static inline void kind_change(struct prng *p, Lm__Header *header, Lm__Entry *entry, struct arena *a)
{
	struct bytes packed, payload;
	header->kind = (Lm__Kind)lm__kind__descriptor.values[prng_below(p, lm__kind__descriptor.n_values)].value;
	const ProtobufCMessageDescriptor *type = payload_type(header->kind);
	if (!type || codec_pack(random_message(p, type, a), a, &payload, NULL) ||
	    codec_pack(&header->base, a, &packed, NULL))
		return;
	entry->header = codec_data(packed);
	entry->payload = codec_data(payload);
}

/* An entry's header or payload rather than the bytes around them. */
static inline void batch_change(struct prng *p, Lm__Batch *batch, struct arena *a)
{
	Lm__Entry *entry = batch->n_entries ? batch->entries[prng_below(p, batch->n_entries)] : NULL;
	uint64_t what = prng_below(p, 10);
	Lm__Header *header;
	if (!entry || what == 0)
		message_change(p, &batch->base, a, 0);
	else if (what < 6)
		packed_change(p, &lm__header__descriptor, &entry->header, a);
	else if (CODEC_UNPACK(lm__header, codec_bytes(entry->header), a, &header, NULL))
		return;
	else if (what == 6)
		kind_change(p, header, entry, a);
	else
		packed_change(p, payload_type(header->kind), &entry->payload, a);
}

#ifdef LM_FUZZ
/* For targets whose input is `before` bytes, then a packed message: changed as a message, at times as bytes. */
static inline size_t packed_mutate(const ProtobufCMessageDescriptor *type, size_t before, uint8_t *data, size_t size,
                                   size_t most, unsigned seed,
                                   void (*change)(struct prng *p, ProtobufCMessage *message, struct arena *a))
{
	struct arena arena;
	struct prng p;
	ProtobufCMessage *message;
	struct bytes packed;
	prng_seed(&p, seed);
	if (size < before || prng_below(&p, 4) == 0)
		return LLVMFuzzerMutate(data, size, most);
	arena_init(&arena, CHANGE_ARENA_BYTES);
	if (prng_below(&p, 8) == 0 && before)
		data[prng_below(&p, before)] = (uint8_t)prng_next(&p);
	if (codec_unpack(type, BYTES(data + before, size - before), &arena, &message, NULL))
		message = random_message(&p, type, &arena);
	for (uint64_t left = 1 + prng_below(&p, 4); left; left--)
		change(&p, message, &arena);
	if (!codec_pack(message, &arena, &packed, NULL) && before + packed.size <= most) {
		if (packed.size)
			memcpy(data + before, packed.data, packed.size);
		size = before + packed.size;
	} else {
		size = LLVMFuzzerMutate(data, size, most);
	}
	arena_release(&arena);
	return size;
}

static inline void message_change_whole(struct prng *p, ProtobufCMessage *message, struct arena *a)
{
	message_change(p, message, a, 0);
}

static inline void batch_change_whole(struct prng *p, ProtobufCMessage *message, struct arena *a)
{
	batch_change(p, (Lm__Batch *)message, a);
}
#endif

#endif
