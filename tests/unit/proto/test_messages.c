/*
 * Every message type, with random content: what is packed comes back, through bytes and through JSON, byte for byte;
 * and damaged bytes or texts are refused or read as something valid, but never crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "messages.h"
#include "proto/json.h"
#include "random_message.h"
#include "sample_type.h"

#define ROUNDS 100
#define BYTE_MUTATIONS 100000
#define TEXT_MUTATIONS 30000
#define DAMAGED_BYTES_MOST 65536

static struct arena arena;
static struct error fault;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static bool is_listed(const char *name)
{
	for (size_t i = 0; i < MESSAGE_COUNT; i++)
		if (!strcmp(messages[i]->short_name, name))
			return true;
	return false;
}

/* Looks for lines "message Name {" and returns how many there are. */
static size_t messages_of_file(const char *path)
{
	struct buffer text = { 0 };
	size_t count = 0;
	assert_int_equal(file_read(path, 1024 * 1024, &text, &fault), OK);
	for (const char *line = (const char *)text.data; line; line = strchr(line, '\n')) {
		char name[64];
		line += *line == '\n';
		if (sscanf(line, "message %63[A-Za-z0-9_]", name) != 1)
			continue;
		count++;
		if (!is_listed(name))
			fail_msg("%s: message %s is missing in tests/unit/proto/messages.h", path, name);
	}
	buffer_release(&text);
	return count;
}

static void every_message_is_in_the_list(void **state)
{
	(void)state;
	const char *folder = TOP "/proto";
	char path[4400];
	DIR *files = opendir(folder);
	assert_non_null(files);
	size_t count = 0;
	for (struct dirent *file; (file = readdir(files));) {
		const char *end = strrchr(file->d_name, '.');
		if (!end || strcmp(end, ".proto") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
		count += messages_of_file(path);
	}
	closedir(files);
	assert_int_equal(count, MESSAGE_COUNT);
}

static void ok(int code)
{
	if (code)
		fail_msg("%s", fault.text);
}

static void bytes_and_json_bring_back(ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	ProtobufCMessage *unpacked, *decoded;
	struct bytes packed, again, from_json;
	struct buffer text = { 0 }, second_text = { 0 };
	ok(codec_pack(message, &arena, &packed, &fault));
	ok(codec_unpack(type, packed, &arena, &unpacked, &fault));
	ok(codec_pack(unpacked, &arena, &again, &fault));
	assert_true(bytes_equal(packed, again));
	assert_true(texts_are_valid(unpacked));
	ok(json_encode(unpacked, &text, &fault));
	ok(json_decode(type, buffer_bytes(&text), &arena, &decoded, &fault));
	ok(codec_pack(decoded, &arena, &from_json, &fault));
	assert_true(bytes_equal(packed, from_json));
	ok(json_encode(decoded, &second_text, &fault));
	assert_true(bytes_equal(buffer_bytes(&text), buffer_bytes(&second_text)));
	buffer_release(&text);
	buffer_release(&second_text);
}

static void every_type_comes_back(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 1);
	for (size_t i = 0; i < MESSAGE_COUNT; i++) {
		for (size_t round = 0; round < ROUNDS; round++) {
			bytes_and_json_bring_back(random_message(&p, messages[i], &arena));
			arena_reset(&arena);
		}
	}
}

static void scalars_that_no_message_uses_come_back(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 2);
	for (size_t round = 0; round < 20 * ROUNDS; round++) {
		struct sample sample;
		sample_init(&sample.base);
		random_fill(&p, &sample.base, &arena, RANDOM_DEPTH_MOST - 2); /* lists take two levels of JSON */
		bytes_and_json_bring_back(&sample.base);
		arena_reset(&arena);
	}
}

/* Unpacks from memory that ends where the bytes end, so that the sanitizer sees a byte too far. */
static int damaged_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	assert_non_null(exact);
	memcpy(exact, data, size);
	ProtobufCMessage *message;
	int code = codec_unpack(type, BYTES(exact, size), &arena, &message, &fault);
	free(exact);
	if (code) {
		assert_true(code == ERR_INVALID || code == ERR_TOO_BIG);
		assert_true(utf8_length(bytes_from_text(fault.text)) > 0);
		return code;
	}
	assert_true(texts_are_valid(message));
	struct bytes again;
	ok(codec_pack(message, &arena, &again, &fault));
	return OK;
}

static struct bytes packed_at_random(struct prng *p, const ProtobufCMessageDescriptor *type)
{
	struct bytes packed;
	ok(codec_pack(random_message(p, type, &arena), &arena, &packed, &fault));
	return packed;
}

static void no_truncation_crashes(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 3);
	size_t refused = 0;
	for (size_t i = 0; i < MESSAGE_COUNT; i++) {
		struct bytes packed = packed_at_random(&p, messages[i]);
		uint8_t *copy = malloc(packed.size + 1);
		assert_non_null(copy);
		memcpy(copy, packed.data, packed.size);
		for (size_t size = 0; size < packed.size; size++) {
			refused += damaged_unpack(messages[i], copy, size) != OK;
			arena_reset(&arena);
		}
		free(copy);
	}
	assert_true(refused > 1000);
}

static size_t mutate(struct prng *p, uint8_t *data, size_t size)
{
	for (uint64_t times = 1 + prng_below(p, 4); times && size; times--) {
		size_t at = prng_below(p, size), length = 1 + prng_below(p, 8);
		switch (prng_below(p, 5)) {
		case 0:
			data[at] ^= (uint8_t)(1 << prng_below(p, 8));
			break;
		case 1:
			data[at] = (uint8_t)prng_next(p);
			break;
		case 2:
			data[at] = (uint8_t)(data[at] + (prng_below(p, 2) ? 1 : -1));
			break;
		case 3: /* takes out */
			length = length < size - at ? length : size - at;
			memmove(data + at, data + at + length, size - at - length);
			size -= length;
			break;
		default: /* doubles */
			length = length < size - at ? length : size - at;
			if (size + length > DAMAGED_BYTES_MOST)
				break;
			memmove(data + at + length, data + at, size - at);
			size += length;
		}
	}
	return size;
}

static void no_mutation_crashes(void **state)
{
	(void)state;
	static uint8_t damaged[DAMAGED_BYTES_MOST];
	struct prng p;
	prng_seed(&p, 4);
	size_t taken = 0;
	for (size_t i = 0; i < BYTE_MUTATIONS; i++) {
		bool is_sample = i % 16 == 0;
		const ProtobufCMessageDescriptor *type =
		        is_sample ? &sample_type : messages[prng_below(&p, MESSAGE_COUNT)];
		struct bytes packed = packed_at_random(&p, type);
		assert_true(packed.size <= sizeof damaged);
		memcpy(damaged, packed.data, packed.size);
		taken += damaged_unpack(type, damaged, mutate(&p, damaged, packed.size)) == OK;
		arena_reset(&arena);
	}
	assert_true(taken > BYTE_MUTATIONS / 20 && taken < BYTE_MUTATIONS * 19 / 20); /* both ways were taken */
}

static void no_mutation_of_json_crashes(void **state)
{
	(void)state;
	static uint8_t damaged[DAMAGED_BYTES_MOST];
	struct prng p;
	prng_seed(&p, 5);
	size_t taken = 0;
	for (size_t i = 0; i < TEXT_MUTATIONS; i++) {
		struct buffer text = { 0 };
		const ProtobufCMessageDescriptor *type = messages[prng_below(&p, MESSAGE_COUNT)];
		ok(json_encode(random_message(&p, type, &arena), &text, &fault));
		size_t size = text.size < sizeof damaged ? text.size : sizeof damaged;
		memcpy(damaged, text.data, size);
		buffer_release(&text);
		size = mutate(&p, damaged, size);
		ProtobufCMessage *message;
		struct bytes packed;
		int code = json_decode(type, BYTES(damaged, size), &arena, &message, &fault);
		taken += code == OK;
		if (!code)
			ok(codec_pack(message, &arena, &packed, &fault));
		else if (code != ERR_INVALID || utf8_length(bytes_from_text(fault.text)) <= 0)
			fail_msg("%d: %s", code, fault.text);
		arena_reset(&arena);
	}
	assert_true(taken > TEXT_MUTATIONS / 100);
}

int main(void)
{
	sample_type_build();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_message_is_in_the_list),
		TEST(every_type_comes_back),
		TEST(scalars_that_no_message_uses_come_back),
		TEST(no_truncation_crashes),
		TEST(no_mutation_crashes),
		TEST(no_mutation_of_json_crashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
