/* Files sealed to a recovery key: what was written is read, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"

#define CHUNK 65536
#define HEAD "a head in clear"

struct place {
	char folder[64], key_path[96], file_path[96];
	uint8_t public_key[KEY_BYTES];
	struct recovery_key key;
	struct error e;
};

static int place_make(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	assert_non_null(p);
	strcpy(p->folder, "/tmp/lm-sealed-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->key_path, sizeof p->key_path, "%s/key", p->folder);
	snprintf(p->file_path, sizeof p->file_path, "%s/file", p->folder);
	assert_int_equal(OK, crypto_init(&p->e));
	assert_int_equal(OK, recovery_key_create(p->key_path, p->public_key, &p->e));
	assert_int_equal(OK, recovery_key_read(p->key_path, &p->key, &p->e));
	*state = p;
	return 0;
}

static int place_end(void **state)
{
	struct place *p = *state;
	unlink(p->key_path);
	unlink(p->file_path);
	rmdir(p->folder);
	free(p);
	return 0;
}

static uint8_t *sample(size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 251);
	return bytes;
}

static void seal(struct place *p, size_t size)
{
	struct sealed_file *f;
	uint8_t *content = sample(size);
	FILE *file = fopen(p->file_path, "w");
	assert_non_null(file);
	assert_int_equal(OK, sealed_create(fileno(file), p->public_key, bytes_from_text(HEAD), &f, &p->e));
	for (size_t at = 0; at < size; at += 1000) /* in pieces that fit no chunk */
		assert_int_equal(OK, sealed_write(f, BYTES(content + at, size - at < 1000 ? size - at : 1000), &p->e));
	assert_int_equal(OK, sealed_finish(f, &p->e));
	sealed_close(f);
	fclose(file);
	free(content);
}

/* All of it, or the first error. Content is compared only if everything went well. */
static int open_all(struct place *p, const struct recovery_key *key, size_t size)
{
	struct sealed_head h;
	struct buffer head = { 0 };
	struct sealed_file *f = NULL;
	uint8_t *content = sample(size), *got = malloc(size + 1);
	FILE *file = fopen(p->file_path, "r");
	assert_non_null(file);
	int result = sealed_head_read(fileno(file), &h, &head, &p->e);
	if (!result)
		result = sealed_open(fileno(file), &h, key, &f, &p->e);
	if (!result)
		result = sealed_read(f, got, size, &p->e);
	if (!result)
		result = sealed_end_check(f, &p->e);
	if (!result) {
		assert_int_equal(sizeof HEAD - 1, head.size);
		assert_memory_equal(HEAD, head.data, head.size);
		assert_memory_equal(content, got, size);
	}
	sealed_close(f);
	buffer_release(&head);
	fclose(file);
	free(content);
	free(got);
	return result;
}

static void test_every_size_comes_back(void **state)
{
	static const size_t sizes[] = { 0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		seal(*state, sizes[i]);
		assert_int_equal(OK, open_all(*state, &((struct place *)*state)->key, sizes[i]));
	}
}

static long file_size(const struct place *p)
{
	FILE *file = fopen(p->file_path, "r");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	long size = ftell(file);
	fclose(file);
	return size;
}

static void byte_flip(const struct place *p, long at)
{
	FILE *file = fopen(p->file_path, "r+");
	assert_non_null(file);
	fseek(file, at, SEEK_SET);
	int byte = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(byte ^ 1, file);
	fclose(file);
}

static void test_any_flipped_byte_is_refused(void **state)
{
	struct place *p = *state;
	const size_t size = CHUNK + 500;
	seal(p, size);
	long end = file_size(p);
	for (long at = 0; at < end; at += at < 200 ? 1 : 997) {
		byte_flip(p, at);
		assert_int_not_equal(OK, open_all(p, &p->key, size));
		assert_true(p->e.text[0] != '\0');
		byte_flip(p, at);
	}
	assert_int_equal(OK, open_all(p, &p->key, size));
}

static void test_any_cut_is_refused(void **state)
{
	struct place *p = *state;
	const size_t size = 2 * CHUNK + 500;
	seal(p, size);
	long end = file_size(p), front = end - (long)(size + 3 * TAG_BYTES);
	long cuts[] = { 0,
		        1,
		        100,
		        front - 1,
		        front,
		        front + 1,
		        front + CHUNK + TAG_BYTES,
		        front + CHUNK + TAG_BYTES + 1,
		        front + 2 * (CHUNK + TAG_BYTES),
		        end - TAG_BYTES,
		        end - 1 };
	for (size_t i = sizeof cuts / sizeof *cuts; i-- > 0;) {
		assert_int_equal(0, truncate(p->file_path, cuts[i]));
		for (size_t asked = 0; asked <= size; asked += CHUNK) /* also who asks for no more than is there */
			assert_int_equal(ERR_DAMAGED, open_all(p, &p->key, asked));
	}
}

static void test_chunks_do_not_change_places(void **state)
{
	struct place *p = *state;
	const size_t size = 3 * CHUNK, stride = CHUNK + TAG_BYTES;
	seal(p, size);
	size_t whole = (size_t)file_size(p), front = whole - (size + 4 * TAG_BYTES);
	uint8_t *all = malloc(whole), *kept = malloc(stride);
	FILE *file = fopen(p->file_path, "r+");
	assert_true(all && kept && file && fread(all, 1, whole, file) == whole);
	memcpy(kept, all + front, stride);
	memcpy(all + front, all + front + stride, stride);
	memcpy(all + front + stride, kept, stride);
	rewind(file);
	fwrite(all, 1, whole, file);
	fclose(file);
	assert_int_equal(ERR_DAMAGED, open_all(p, &p->key, size));
	free(all);
	free(kept);
}

static void test_what_follows_the_end_is_refused(void **state)
{
	struct place *p = *state;
	seal(p, 100);
	FILE *file = fopen(p->file_path, "a");
	assert_non_null(file);
	fputs("more", file);
	fclose(file);
	assert_int_equal(ERR_DAMAGED, open_all(p, &p->key, 100));
}

static void test_another_key_is_refused_by_name(void **state)
{
	struct place *p = *state;
	struct recovery_key other;
	uint8_t public_key[KEY_BYTES];
	char path[96];
	snprintf(path, sizeof path, "%s/other", p->folder);
	assert_int_equal(OK, recovery_key_create(path, public_key, &p->e));
	assert_int_equal(ERR_EXISTS, recovery_key_create(path, public_key, &p->e));
	assert_int_equal(OK, recovery_key_read(path, &other, &p->e));
	unlink(path);
	seal(p, 10);
	assert_int_equal(ERR_DENIED, open_all(p, &other, 10));
	memcpy(other.public_key, p->key.public_key, KEY_BYTES); /* who only claims to have it */
	assert_int_equal(ERR_DAMAGED, open_all(p, &other, 10));
}

static void test_a_head_has_its_bound(void **state)
{
	struct place *p = *state;
	struct sealed_file *f;
	uint8_t *head = sample(SEALED_HEAD_BYTES_MOST + 1);
	assert_int_equal(ERR_TOO_BIG,
	                 sealed_create(-1, p->public_key, BYTES(head, SEALED_HEAD_BYTES_MOST + 1), &f, &p->e));
	free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_size_comes_back, place_make, place_end),
		cmocka_unit_test_setup_teardown(test_any_flipped_byte_is_refused, place_make, place_end),
		cmocka_unit_test_setup_teardown(test_any_cut_is_refused, place_make, place_end),
		cmocka_unit_test_setup_teardown(test_chunks_do_not_change_places, place_make, place_end),
		cmocka_unit_test_setup_teardown(test_what_follows_the_end_is_refused, place_make, place_end),
		cmocka_unit_test_setup_teardown(test_another_key_is_refused_by_name, place_make, place_end),
		cmocka_unit_test_setup_teardown(test_a_head_has_its_bound, place_make, place_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
