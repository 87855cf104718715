/* Certificates, proofs, numbers, and what goes over the socket. Keys and signatures are OpenSSL's, made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "card/card.h"

/* The example of RFC 6979, A.2.5: P-256, SHA-256, the message "sample". */
static const char *const rfc_key = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                                   "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char *const rfc_signature = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                                         "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

static void a_signature_of_p256_is_checked(void **state)
{
	(void)state;
	uint8_t key[P256_KEY_BYTES], signature[SIGNATURE_BYTES];
	struct bytes text = bytes_from_text("sample");
	assert_int_equal(OK, hex_decode(rfc_key, key, sizeof key));
	assert_int_equal(OK, hex_decode(rfc_signature, signature, sizeof signature));
	assert_int_equal(OK, p256_key_check(key, NULL));
	assert_int_equal(OK, p256_check(key, text, signature, NULL));
	assert_int_equal(ERR_BAD_SIGNATURE, p256_check(key, bytes_from_text("Sample"), signature, NULL));
	for (size_t i = 0; i < sizeof signature; i += 7) {
		signature[i] ^= 1;
		assert_int_equal(ERR_BAD_SIGNATURE, p256_check(key, text, signature, NULL));
		signature[i] ^= 1;
	}
	uint8_t nothing[SIGNATURE_BYTES] = { 0 };
	assert_int_equal(ERR_BAD_SIGNATURE, p256_check(key, text, nothing, NULL));
	key[64] ^= 1; /* no point of the curve */
	assert_int_equal(ERR_INVALID, p256_key_check(key, NULL));
	assert_int_equal(ERR_BAD_SIGNATURE, p256_check(key, text, signature, NULL));
	key[64] ^= 1;
	key[0] = 2;
	assert_int_equal(ERR_INVALID, p256_key_check(key, NULL));
}

static void a_certificate_is_the_districts(void **state)
{
	(void)state;
	uint8_t public_key[KEY_BYTES], secret[KEY_BYTES], other[KEY_BYTES], unused[KEY_BYTES];
	uint8_t packed[CARD_CERTIFICATE_BYTES];
	struct card_certificate c = { .number = 42, .holder = { 1, 2 }, .expires_ms = 99 }, read;
	assert_int_equal(OK, crypto_init(NULL));
	assert_int_equal(OK, sign_keypair(SUITE_INTERNATIONAL, public_key, secret, NULL));
	assert_int_equal(OK, sign_keypair(SUITE_INTERNATIONAL, other, unused, NULL));
	assert_int_equal(ERR_INVALID, card_certificate_make(&c, secret, packed, NULL)); /* no key */
	assert_int_equal(OK, hex_decode(rfc_key, c.key, sizeof c.key));
	assert_int_equal(OK, card_certificate_make(&c, secret, packed, NULL));
	assert_int_equal(OK, card_certificate_check(BYTES_OF(packed), public_key, &read, NULL));
	assert_int_equal(42, read.number);
	assert_int_equal(99, read.expires_ms);
	assert_memory_equal(c.holder, read.holder, sizeof c.holder);
	assert_memory_equal(c.key, read.key, sizeof c.key);
	assert_int_equal(ERR_BAD_SIGNATURE, card_certificate_check(BYTES_OF(packed), other, &read, NULL));
	for (size_t i = 1; i < sizeof packed; i++) {
		packed[i] ^= 1;
		assert_int_equal(ERR_BAD_SIGNATURE, card_certificate_check(BYTES_OF(packed), public_key, &read, NULL));
		packed[i] ^= 1;
	}
	for (size_t size = 0; size < sizeof packed; size++)
		assert_int_equal(ERR_INVALID, card_certificate_check(BYTES(packed, size), public_key, &read, NULL));
	c.number = CARD_NUMBER_MOST + 1;
	assert_int_equal(ERR_INVALID, card_certificate_make(&c, secret, packed, NULL));
}

static void a_number_has_twelve_digits(void **state)
{
	(void)state;
	char text[CARD_NUMBER_TEXT_BYTES];
	uint64_t number;
	card_number_to_text(42, text);
	assert_string_equal("000000000042", text);
	assert_int_equal(OK, card_number_from_text("0000 0000 0042", &number, NULL));
	assert_int_equal(42, number);
	static const char *const wrong[] = { "", "0", "4x", "-1", "0000000000042", "1234567890123", "９" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(ERR_INVALID, card_number_from_text(wrong[i], &number, NULL));
}

static void a_question_is_bounded(void **state)
{
	(void)state;
	static const uint8_t challenge[CARD_CHALLENGE_BYTES] = { 1 };
	struct card_question q = { CARD_PROVE, bytes_from_text("12345678"), BYTES_OF(challenge) }, read;
	struct buffer packed = { 0 };
	assert_int_equal(OK, card_question_pack(&q, &packed, NULL));
	assert_int_equal(CARD_QUESTION_BYTES_MOST, packed.size);
	assert_int_equal(OK, card_question_unpack(buffer_bytes(&packed), &read, NULL));
	assert_true(bytes_equal(q.pin, read.pin) && bytes_equal(q.challenge, read.challenge));
	for (size_t size = 0; size < packed.size; size++)
		assert_int_equal(ERR_INVALID, card_question_unpack(BYTES(packed.data, size), &read, NULL));
	static const char *const wrong[] = { "", "123", "123456789", "12a4", "12 4" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		q.pin = bytes_from_text(wrong[i]);
		assert_int_equal(ERR_INVALID, card_question_pack(&q, &packed, NULL));
	}
	buffer_release(&packed);
}

static void an_answer_brings_what_its_state_says(void **state)
{
	(void)state;
	static const uint8_t certificate[CARD_CERTIFICATE_BYTES] = { 1 }, signature[SIGNATURE_BYTES] = { 2 };
	struct card_answer a = { CARD_ANSWERED, 3, 77, BYTES_OF(certificate), BYTES_OF(signature) }, read;
	struct buffer packed = { 0 };
	assert_int_equal(OK, card_answer_pack(&a, &packed, NULL));
	assert_int_equal(CARD_ANSWER_BYTES_MOST, packed.size);
	assert_int_equal(OK, card_answer_unpack(buffer_bytes(&packed), &read, NULL));
	assert_true(read.presence == 77 && read.tries == 3 && bytes_equal(a.signature, read.signature));
	for (size_t size = 0; size < packed.size; size++)
		assert_int_equal(ERR_INVALID, card_answer_unpack(BYTES(packed.data, size), &read, NULL));
	packed.data[0] = CARD_PRESENT; /* which brings nothing */
	assert_int_equal(ERR_INVALID, card_answer_unpack(buffer_bytes(&packed), &read, NULL));
	packed.data[0] = CARD_STATE_MOST + 1;
	assert_int_equal(ERR_INVALID, card_answer_unpack(buffer_bytes(&packed), &read, NULL));
	buffer_clear(&packed);
	a = (struct card_answer){ .state = CARD_ANSWERED };
	assert_int_equal(ERR_INVALID, card_answer_pack(&a, &packed, NULL));
	buffer_release(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_of_p256_is_checked),
		cmocka_unit_test(a_certificate_is_the_districts),
		cmocka_unit_test(a_number_has_twelve_digits),
		cmocka_unit_test(a_question_is_bounded),
		cmocka_unit_test(an_answer_brings_what_its_state_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
