/* Receipts: the code opens its lock on its device and nothing else does; messages hide their length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

static const uint8_t salt[DEVICE_SALT_BYTES] = "this device 0001", other_salt[DEVICE_SALT_BYTES] = "this device 0002";

static void the_code_and_the_device_make_the_secret(void **state)
{
	(void)state;
	struct receipt_secret first, again, other;
	assert_int_equal(receipt_derive("123456789012", salt, &first, NULL), OK);
	assert_int_equal(receipt_derive("123456789012", salt, &again, NULL), OK);
	assert_memory_equal(&first, &again, sizeof first);
	assert_int_equal(receipt_derive("123456789013", salt, &other, NULL), OK);
	assert_memory_not_equal(first.lookup, other.lookup, RECEIPT_LOOKUP_BYTES);
	assert_memory_not_equal(first.lock_key, other.lock_key, KEY_BYTES);
	assert_int_equal(receipt_derive("123456789012", other_salt, &other, NULL), OK);
	assert_memory_not_equal(first.lookup, other.lookup, RECEIPT_LOOKUP_BYTES);
	assert_memory_not_equal(first.lock_key, first.lookup, RECEIPT_LOOKUP_BYTES); /* split by labels */
	const char *refused[] = { "", "12345678901", "1234567890123", "1234 5678901", "12345678901x" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_int_equal(receipt_derive(refused[i], salt, &again, NULL), ERR_INVALID);
	assert_memory_equal(&first, &again, sizeof first);
}

static void a_lock_opens_with_its_secret_only(void **state)
{
	(void)state;
	struct receipt_secret s = { { 1 }, { 2 } }, wrong = { { 1 }, { 3 } };
	uint8_t key[RECEIPT_KEY_BYTES], id[16], lock[RECEIPT_LOCK_BYTES], second[RECEIPT_LOCK_BYTES];
	uint8_t key_back[RECEIPT_KEY_BYTES] = { 9 }, id_back[16] = { 9 };
	memset(key, 0x11, sizeof key);
	memset(id, 0x22, sizeof id);
	assert_int_equal(receipt_lock_make(&s, key, id, lock, NULL), OK);
	assert_int_equal(receipt_lock_make(&s, key, id, second, NULL), OK);
	assert_memory_not_equal(lock, second, sizeof lock); /* the same code twice must not reuse a nonce */
	assert_int_equal(receipt_lock_open(&wrong, lock, key_back, id_back, NULL), ERR_DAMAGED);
	for (size_t i = 0; i < sizeof lock; i++) {
		lock[i] ^= 0x10;
		assert_int_equal(receipt_lock_open(&s, lock, key_back, id_back, NULL), ERR_DAMAGED);
		lock[i] ^= 0x10;
	}
	assert_int_equal(key_back[0], 9);
	assert_int_equal(id_back[0], 9);
	assert_int_equal(receipt_lock_open(&s, lock, key_back, id_back, NULL), OK);
	assert_memory_equal(key, key_back, sizeof key);
	assert_memory_equal(id, id_back, sizeof id);
}

static void messages_come_back_whole(void **state)
{
	(void)state;
	uint8_t key[RECEIPT_KEY_BYTES] = { 4 }, plain[1600], sealed[2200], out[2200];
	struct bytes associated = bytes_from_text("case 7");
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i % 3 ? 0 : 0x80); /* as like padding as can be */
	const size_t sizes[] = { 0, 1, 2, 510, 511, 512, 513, 1023, 1024, 1600 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t size = sizes[i], sealed_size = receipt_message_sealed_bytes(size), got = 0;
		assert_int_equal(sealed_size % RECEIPT_PAD_BYTES, 32);
		assert_true(sealed_size <= sizeof sealed);
		assert_int_equal(receipt_message_seal(key, associated, BYTES(plain, size), sealed, NULL), OK);
		assert_int_equal(receipt_message_open(key, associated, BYTES(sealed, sealed_size), out, &got, NULL),
		                 OK);
		assert_int_equal(got, size);
		if (size)
			assert_memory_equal(out, plain, size);
	}
	assert_int_equal(receipt_message_sealed_bytes(0), receipt_message_sealed_bytes(511));
	assert_int_equal(receipt_message_sealed_bytes(SIZE_MAX), 0);
	assert_int_equal(receipt_message_sealed_bytes(SIZE_MAX - 100), 0);
	assert_int_equal(receipt_message_seal(key, associated, BYTES(plain, SIZE_MAX - 100), sealed, NULL),
	                 ERR_TOO_BIG);
}

static void changed_messages_do_not_open(void **state)
{
	(void)state;
	uint8_t key[RECEIPT_KEY_BYTES] = { 4 }, sealed[544], second[544], out[544];
	struct bytes associated = bytes_from_text("case 7");
	size_t got = 77;
	assert_int_equal(receipt_message_seal(key, associated, bytes_from_text("come"), sealed, NULL), OK);
	assert_int_equal(receipt_message_seal(key, associated, bytes_from_text("come"), second, NULL), OK);
	assert_memory_not_equal(sealed, second, sizeof sealed);
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 1;
		assert_int_equal(receipt_message_open(key, associated, BYTES_OF(sealed), out, &got, NULL), ERR_DAMAGED);
		sealed[i] ^= 1;
	}
	for (size_t size = 0; size < sizeof sealed; size++)
		assert_int_equal(receipt_message_open(key, associated, BYTES(sealed, size), out, &got, NULL),
		                 ERR_DAMAGED);
	assert_int_equal(receipt_message_open(key, bytes_from_text("case 8"), BYTES_OF(sealed), out, &got, NULL),
	                 ERR_DAMAGED);
	assert_int_equal(got, 77);
	assert_int_equal(receipt_message_open(key, associated, BYTES_OF(sealed), out, &got, NULL), OK);
	assert_int_equal(got, 4);
}

/* Sealed by someone who has the key and pads in another way: authentic, and refused all the same. */
static void a_wrong_padding_is_refused(void **state)
{
	(void)state;
	uint8_t key[RECEIPT_KEY_BYTES] = { 4 }, message_key[KEY_BYTES], nonce[NONCE_BYTES] = { 0 };
	const struct {
		size_t at;
		uint8_t byte;
	} cases[] = { { 0, 0 }, { 100, 0x81 }, { 511, 0x01 }, { 511, 0x80 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t sealed[16 + 1024 + 16] = { 0 }, out[sizeof sealed];
		size_t padded = i == 3 ? 1024 : 512, got; /* the last: a whole pad too much */
		assert_int_equal(crypto_derive(1, BYTES_OF(key), BYTES(sealed, 16), "lm receipt message v1",
		                               message_key, KEY_BYTES, NULL),
		                 OK);
		sealed[16 + cases[i].at] = cases[i].byte;
		assert_int_equal(aead_seal(1, message_key, nonce, (struct bytes){ 0 }, BYTES(sealed + 16, padded),
		                           sealed + 16, NULL),
		                 OK);
		assert_int_equal(
		        receipt_message_open(key, (struct bytes){ 0 }, BYTES(sealed, padded + 32), out, &got, NULL),
		        ERR_DAMAGED);
	}
}

static int begin(void **state)
{
	(void)state;
	return crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_and_the_device_make_the_secret),
		cmocka_unit_test(a_lock_opens_with_its_secret_only),
		cmocka_unit_test(messages_come_back_whole),
		cmocka_unit_test(changed_messages_do_not_open),
		cmocka_unit_test(a_wrong_padding_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, NULL);
}
