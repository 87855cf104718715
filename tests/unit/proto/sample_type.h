/*
 * A message type that no .proto file of ours has: it contains itself, and has the scalars that ours do not use.
 * Written by hand, because a recursive type must not exist in the product.
 */
#ifndef TEST_SAMPLE_TYPE_H
#define TEST_SAMPLE_TYPE_H

#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"

struct sample {
	ProtobufCMessage base;
	struct sample *child;
	size_t n_children;
	struct sample **children;
	int32_t zigzag;
	int64_t long_zigzag;
	int32_t signed_word;
	int64_t signed_long;
	uint32_t word;
	float real;
	double long_real;
	int32_t number;
	size_t n_flags;
	protobuf_c_boolean *flags;
	size_t n_counts;
	uint32_t *counts;
	size_t n_ids;
	uint64_t *ids;
	size_t n_texts;
	char **texts;
	size_t n_reals;
	float *reals;
	size_t n_blobs;
	ProtobufCBinaryData *blobs;
	uint32_t choice_case;
	union {
		int64_t amount;
		char *name;
		ProtobufCBinaryData key_hash;
		struct sample *other;
	};
};

static ProtobufCMessageDescriptor sample_type;

static void sample_init(ProtobufCMessage *message)
{
	*(struct sample *)message = (struct sample){ .base = PROTOBUF_C_MESSAGE_INIT(&sample_type) };
}

#define SAMPLE_ONE(number, member, scalar)                                                                         \
	{                                                                                                          \
		.name = #member, .id = (number), .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_##scalar, \
		.offset = offsetof(struct sample, member)                                                          \
	}
#define SAMPLE_LIST(number, member, scalar, bits)                                                                      \
	{                                                                                                              \
		.name = #member, .id = (number), .label = PROTOBUF_C_LABEL_REPEATED, .type = PROTOBUF_C_TYPE_##scalar, \
		.quantifier_offset = offsetof(struct sample, n_##member), .offset = offsetof(struct sample, member),   \
		.flags = (bits)                                                                                        \
	}
#define SAMPLE_CHOICE(number, member, scalar)                                                                         \
	{                                                                                                             \
		.name = #member, .id = (number), .label = PROTOBUF_C_LABEL_NONE, .type = PROTOBUF_C_TYPE_##scalar,    \
		.quantifier_offset = offsetof(struct sample, choice_case), .offset = offsetof(struct sample, member), \
		.flags = PROTOBUF_C_FIELD_FLAG_ONEOF                                                                  \
	}

static ProtobufCFieldDescriptor sample_fields[] = {
	SAMPLE_ONE(1, child, MESSAGE),
	SAMPLE_LIST(2, children, MESSAGE, 0),
	SAMPLE_ONE(3, zigzag, SINT32),
	SAMPLE_ONE(4, long_zigzag, SINT64),
	SAMPLE_ONE(5, signed_word, SFIXED32),
	SAMPLE_ONE(6, signed_long, SFIXED64),
	SAMPLE_ONE(7, word, FIXED32),
	SAMPLE_ONE(8, real, FLOAT),
	SAMPLE_ONE(9, long_real, DOUBLE),
	SAMPLE_ONE(10, number, INT32),
	SAMPLE_LIST(11, flags, BOOL, PROTOBUF_C_FIELD_FLAG_PACKED),
	SAMPLE_LIST(12, counts, UINT32, 0),
	SAMPLE_LIST(13, ids, FIXED64, PROTOBUF_C_FIELD_FLAG_PACKED),
	SAMPLE_LIST(14, texts, STRING, 0),
	SAMPLE_LIST(15, reals, FLOAT, 0),
	SAMPLE_LIST(16, blobs, BYTES, 0),
	SAMPLE_CHOICE(100, amount, INT64),
	SAMPLE_CHOICE(101, name, STRING),
	SAMPLE_CHOICE(102, key_hash, BYTES),
	SAMPLE_CHOICE(103, other, MESSAGE),
};
#define SAMPLE_FIELD_COUNT (sizeof sample_fields / sizeof *sample_fields)

static unsigned sample_by_name[SAMPLE_FIELD_COUNT];
static const ProtobufCIntRange sample_ranges[] = { { 1, 0 }, { 100, 16 }, { 0, SAMPLE_FIELD_COUNT } };

static int sample_name_compare(const void *a, const void *b)
{
	return strcmp(sample_fields[*(const unsigned *)a].name, sample_fields[*(const unsigned *)b].name);
}

/* Completes the descriptor; call it before the first use of sample_type. */
static void sample_type_build(void)
{
	for (unsigned i = 0; i < SAMPLE_FIELD_COUNT; i++) {
		sample_by_name[i] = i;
		if (sample_fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			sample_fields[i].descriptor = &sample_type;
	}
	qsort(sample_by_name, SAMPLE_FIELD_COUNT, sizeof *sample_by_name, sample_name_compare);
	sample_type = (ProtobufCMessageDescriptor){
		.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
		.name = "test.Sample",
		.short_name = "Sample",
		.c_name = "Sample",
		.package_name = "test",
		.sizeof_message = sizeof(struct sample),
		.n_fields = SAMPLE_FIELD_COUNT,
		.fields = sample_fields,
		.fields_sorted_by_name = sample_by_name,
		.n_field_ranges = 2,
		.field_ranges = sample_ranges,
		.message_init = sample_init,
	};
}

#endif
