/* Device keys and secrets: made once, read again, and refused when damaged or open to others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "crypto/crypto.h"

static char folder[32], path[64];

static int folder_begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/lm-device-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/keys", folder);
	return 0;
}

static int folder_end(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void keys_are_made_once(void **state)
{
	(void)state;
	struct device_keys made, read;
	struct error e;
	struct stat status;
	bool was_made = false;
	assert_int_equal(device_keys_open(path, &made, &was_made, &e), OK);
	assert_true(was_made);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(device_keys_open(path, &read, &was_made, &e), OK);
	assert_false(was_made);
	assert_memory_equal(&made, &read, sizeof made);
	/* The pairs work. */
	uint8_t signature[SIGNATURE_BYTES];
	assert_int_equal(sign_make(1, read.signing_secret, bytes_from_text("x"), signature, &e), OK);
	assert_int_equal(sign_check(1, read.signing_public, bytes_from_text("x"), signature, &e), OK);
	assert_memory_not_equal(read.curve_secret, read.opening_secret, KEY_BYTES);
}

static void keys_that_others_can_reach_are_refused(void **state)
{
	(void)state;
	struct device_keys keys = { .suite = 99 };
	struct error e;
	bool was_made;
	uint8_t secret[KEY_BYTES];
	assert_int_equal(secret_file_open(path, secret, &was_made, &e), OK);
	const mode_t modes[] = { 0640, 0604, 0620, 0601 };
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		chmod(path, modes[i]);
		assert_int_equal(secret_file_open(path, secret, &was_made, &e), ERR_DAMAGED);
		assert_non_null(strstr(e.text, "0600"));
	}
	chmod(path, 0400);
	assert_int_equal(secret_file_open(path, secret, &was_made, &e), OK);
	assert_int_equal(device_keys_open(path, &keys, &was_made, &e), ERR_DAMAGED); /* a file of the other kind */
	assert_int_equal(keys.suite, 99);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_file_open(path, secret, &was_made, &e), ERR_DAMAGED); /* and does not hang */
}

static void damaged_keys_are_refused(void **state)
{
	(void)state;
	struct device_keys keys;
	struct error e;
	bool was_made;
	struct buffer content = { 0 };
	assert_int_equal(device_keys_open(path, &keys, &was_made, &e), OK);
	assert_int_equal(file_read(path, 4096, &content, &e), OK);
	for (size_t at = 0; at < content.size; at++) {
		content.data[at] ^= 1;
		assert_int_equal(file_replace(path, 0600, buffer_bytes(&content), NULL), OK);
		int code = device_keys_open(path, &keys, &was_made, &e);
		if (code != ERR_DAMAGED)
			fail_msg("byte %zu: %s", at, error_name(code));
		content.data[at] ^= 1;
	}
	for (size_t size = 0; size < content.size; size += 7) {
		assert_int_equal(file_replace(path, 0600, BYTES(content.data, size), NULL), OK);
		assert_int_equal(device_keys_open(path, &keys, &was_made, &e), ERR_DAMAGED);
	}
	assert_int_equal(buffer_append(&content, bytes_from_text("\n")), OK);
	assert_int_equal(file_replace(path, 0600, buffer_bytes(&content), NULL), OK);
	assert_int_equal(device_keys_open(path, &keys, &was_made, &e), ERR_DAMAGED);
	content.size--;
	assert_int_equal(file_replace(path, 0600, buffer_bytes(&content), NULL), OK);
	assert_int_equal(device_keys_open(path, &keys, &was_made, &e), OK);
	buffer_release(&content);
}

/* A second generation keeps who the device is, its store and what its former keys open, and nothing else. */
static void keys_follow_keys(void **state)
{
	(void)state;
	char next_path[80];
	struct device_keys first, now, next, again;
	struct error e;
	bool was_made;
	snprintf(next_path, sizeof next_path, "%s.next", path);
	assert_int_equal(device_keys_open(path, &first, &was_made, &e), OK);
	now = first;
	for (uint32_t i = 1; i <= KEY_CHANGES_MOST; i++) {
		bool keeps_curve = i % 2;
		assert_int_equal(device_keys_next(next_path, &now, keeps_curve, &next, &e), OK);
		assert_int_equal(device_keys_next(next_path, &now, keeps_curve, &again, &e), OK);
		assert_memory_equal(&next, &again, sizeof next); /* made once */
		assert_int_equal(next.generation, i);
		assert_memory_equal(&next.first, &first.first, sizeof next.first);
		assert_memory_equal(next.store_key, first.store_key, KEY_BYTES);
		assert_int_equal(memcmp(next.curve_secret, now.curve_secret, KEY_BYTES) == 0, keeps_curve);
		assert_memory_not_equal(next.signing_secret, now.signing_secret, KEY_BYTES);
		assert_memory_equal(next.former_opening[i - 1].secret_key, now.opening_secret, KEY_BYTES);
		assert_memory_equal(next.former_opening[i - 1].public_key, now.opening_public, KEY_BYTES);
		assert_memory_equal(next.former_opening, now.former_opening, (i - 1) * sizeof next.former_opening[0]);
		assert_int_equal(file_move(next_path, path, &e), OK);
		assert_int_equal(device_keys_open(path, &again, &was_made, &e), OK);
		assert_memory_equal(&next, &again, sizeof next);
		/* Keys that do not follow what the device has now are refused. */
		assert_int_equal(device_keys_next(path, &next, false, &again, &e), ERR_CONFLICT);
		now = next;
	}
	assert_int_equal(device_keys_next(next_path, &now, false, &next, &e), ERR_FULL);
	assert_int_equal(file_find(next_path, NULL), ERR_NOT_FOUND);
}

/* The check line made anew over lines of two devices: only the arithmetic of the keys can tell. */
static void mixed_keys_are_refused(void **state)
{
	(void)state;
	struct device_keys keys;
	struct error e;
	bool was_made;
	struct buffer content = { 0 };
	uint8_t public[KEY_BYTES], secret[KEY_BYTES];
	struct hash check;
	assert_int_equal(device_keys_open(path, &keys, &was_made, &e), OK);
	assert_int_equal(file_read(path, 4096, &content, &e), OK);
	char *text = (char *)content.data, *line = strstr(text, "signing_secret = "), *end = strstr(text, "check = ");
	assert_non_null(line);
	assert_int_equal(sign_keypair(1, public, secret, &e), OK);
	char digits[2 * KEY_BYTES + 1];
	hex_encode(BYTES_OF(secret), digits);
	memcpy(line + strlen("signing_secret = "), digits, 2 * KEY_BYTES);
	struct bytes lines = BYTES(text, (size_t)(end - text));
	assert_int_equal(crypto_hash(1, &lines, 1, &check, &e), OK);
	hex_encode(BYTES_OF(check), digits);
	memcpy(end + strlen("check = "), digits, 2 * HASH_BYTES);
	assert_int_equal(file_replace(path, 0600, buffer_bytes(&content), NULL), OK);
	assert_int_equal(device_keys_open(path, &keys, &was_made, &e), ERR_DAMAGED);
	assert_non_null(strstr(e.text, "do not belong"));
	buffer_release(&content);
}

static void a_secret_stays_the_same(void **state)
{
	(void)state;
	uint8_t first[KEY_BYTES], again[KEY_BYTES];
	bool was_made = false;
	assert_int_equal(secret_file_open(path, first, &was_made, NULL), OK);
	assert_true(was_made);
	assert_int_equal(secret_file_open(path, again, &was_made, NULL), OK);
	assert_false(was_made);
	assert_memory_equal(first, again, KEY_BYTES);
	assert_int_equal(secret_file_open("/nowhere/at/all", again, &was_made, NULL), ERR_IO);
	assert_memory_equal(first, again, KEY_BYTES);
}

static void fingerprints_can_be_read_aloud(void **state)
{
	(void)state;
	uint8_t a[KEY_BYTES] = { 1 }, b[KEY_BYTES] = { 2 }, c[KEY_BYTES] = { 3 };
	struct hash f, other, back;
	struct error e;
	char text[FINGERPRINT_TEXT_BYTES];
	assert_int_equal(device_fingerprint(1, a, b, c, &f, &e), OK);
	assert_int_equal(device_fingerprint(1, b, a, c, &other, &e), OK);
	assert_memory_not_equal(&f, &other, sizeof f);
	fingerprint_to_text(&f, text);
	assert_int_equal(strlen(text), 79);
	assert_int_equal(text[4], '-');
	assert_int_equal(fingerprint_from_text(text, &back, &e), OK);
	assert_memory_equal(&f, &back, sizeof f);
	for (char *at = text; *at; at++)
		*at = *at == '-' ? ' ' : (char)(*at >= 'a' ? *at - 32 : *at);
	assert_int_equal(fingerprint_from_text(text, &back, &e), OK);
	text[78] = 'g';
	assert_int_equal(fingerprint_from_text(text, &back, &e), ERR_INVALID);
	text[78] = '\0';
	assert_int_equal(fingerprint_from_text(text, &back, &e), ERR_INVALID);
	assert_memory_equal(&f, &back, sizeof f);
	struct hash known = { { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0xFF } };
	assert_true(device_id_of(&known) == UINT64_C(0x0102030405060708));
}

static int begin(void **state)
{
	(void)state;
	return crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_made_once, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(keys_that_others_can_reach_are_refused, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(damaged_keys_are_refused, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(mixed_keys_are_refused, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(keys_follow_keys, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(a_secret_stays_the_same, folder_begin, folder_end),
		cmocka_unit_test(fingerprints_can_be_read_aloud),
	};
	return cmocka_run_group_tests(tests, begin, NULL);
}
