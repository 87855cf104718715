/* The parts of the international suite against published vectors, and against hostile sizes and changed bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/crypto.h"

#define SUITE SUITE_INTERNATIONAL

static void from_hex(const char *text, uint8_t *out, size_t size)
{
	assert_int_equal(hex_decode(text, out, size), OK);
}

static void unknown_suites_are_refused(void **state)
{
	(void)state;
	struct error e;
	struct hash h = { { 7 } };
	uint8_t key[KEY_BYTES] = { 0 }, other[SIGNATURE_BYTES];
	assert_non_null(suite_name(SUITE));
	for (int suite = 0; suite < 256; suite++) {
		if (suite == SUITE)
			continue;
		uint8_t id = (uint8_t)suite;
		assert_null(suite_name(id));
		assert_int_equal(crypto_hash(id, NULL, 0, &h, &e), ERR_VERSION);
		assert_int_equal(sign_make(id, key, (struct bytes){ 0 }, other, &e), ERR_VERSION);
		assert_int_equal(agree_keypair(id, key, other, &e), ERR_VERSION);
		assert_int_equal(aead_seal(id, key, key, (struct bytes){ 0 }, (struct bytes){ 0 }, other, &e),
		                 ERR_VERSION);
	}
	assert_string_equal(e.text, "suite 255 is not known to this version");
	assert_int_equal(h.byte[0], 7);
}

static void hashes_match_fips_180(void **state)
{
	(void)state;
	struct hash h;
	uint8_t expected[HASH_BYTES];
	from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected, HASH_BYTES);
	struct bytes apart[] = { bytes_from_text("a"), { 0 }, bytes_from_text("bc") };
	assert_int_equal(crypto_hash(SUITE, apart, 3, &h, NULL), OK);
	assert_memory_equal(h.byte, expected, HASH_BYTES);
	from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", expected, HASH_BYTES);
	assert_int_equal(crypto_hash(SUITE, NULL, 0, &h, NULL), OK);
	assert_memory_equal(h.byte, expected, HASH_BYTES);
}

static void derivation_matches_rfc_5869(void **state)
{
	(void)state;
	uint8_t secret[22], salt[13], out[42], expected[42];
	memset(secret, 0x0B, sizeof secret);
	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)i;
	/* Test case 1. */
	from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", expected, 42);
	assert_int_equal(crypto_derive(SUITE, BYTES_OF(secret), BYTES_OF(salt),
	                               "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", out, 42, NULL),
	                 OK);
	assert_memory_equal(out, expected, 42);
	/* Test case 3: no salt, no label. */
	from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8", expected, 42);
	assert_int_equal(crypto_derive(SUITE, BYTES_OF(secret), (struct bytes){ 0 }, "", out, 42, NULL), OK);
	assert_memory_equal(out, expected, 42);
	assert_int_equal(crypto_derive(SUITE, BYTES_OF(secret), BYTES_OF(salt), "", out, 65, NULL), ERR_TOO_BIG);
	assert_memory_equal(out, expected, 42);
}

/* RFC 4231, test case 2, has a key of 4 bytes: zeros behind it are what HMAC itself would add. */
static void hmac_matches_rfc_4231(void **state)
{
	(void)state;
	uint8_t key[KEY_BYTES] = "Jefe", expected[HASH_BYTES];
	struct hash h;
	from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected, HASH_BYTES);
	assert_int_equal(crypto_hmac(SUITE, key, bytes_from_text("what do ya want for nothing?"), &h, NULL), OK);
	assert_memory_equal(h.byte, expected, HASH_BYTES);
}

static void a_long_salt_is_hashed_first(void **state)
{
	(void)state;
	uint8_t salt[131], out[32], again[32];
	memset(salt, 0xAA, sizeof salt);
	struct bytes whole = BYTES_OF(salt);
	struct hash hashed;
	assert_int_equal(crypto_hash(SUITE, &whole, 1, &hashed, NULL), OK);
	assert_int_equal(crypto_derive(SUITE, bytes_from_text("s"), whole, "x", out, 32, NULL), OK);
	assert_int_equal(crypto_derive(SUITE, bytes_from_text("s"), BYTES_OF(hashed), "x", again, 32, NULL), OK);
	assert_memory_equal(out, again, 32);
}

static void signatures_match_rfc_8032(void **state)
{
	(void)state;
	uint8_t secret[KEY_BYTES], public[KEY_BYTES], expected[SIGNATURE_BYTES], made[SIGNATURE_BYTES];
	/* Test 1: the empty message. */
	from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", secret, KEY_BYTES);
	from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", public, KEY_BYTES);
	from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
	         "d25bf5f0595bbe24655141438e7a100b",
	         expected, SIGNATURE_BYTES);
	assert_int_equal(sign_make(SUITE, secret, (struct bytes){ 0 }, made, NULL), OK);
	assert_memory_equal(made, expected, SIGNATURE_BYTES);
	assert_int_equal(sign_check(SUITE, public, (struct bytes){ 0 }, made, NULL), OK);
	/* Test 2: one byte. */
	from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", secret, KEY_BYTES);
	from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", public, KEY_BYTES);
	from_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
	         "387b2eaeb4302aeeb00d291612bb0c00",
	         expected, SIGNATURE_BYTES);
	assert_int_equal(sign_make(SUITE, secret, bytes_from_text("\x72"), made, NULL), OK);
	assert_memory_equal(made, expected, SIGNATURE_BYTES);
	assert_int_equal(sign_check(SUITE, public, bytes_from_text("\x72"), made, NULL), OK);
}

static void any_changed_bit_breaks_a_signature(void **state)
{
	(void)state;
	uint8_t secret[KEY_BYTES], public[KEY_BYTES], signature[SIGNATURE_BYTES];
	char message[] = "custody up 17";
	struct error e;
	assert_int_equal(sign_keypair(SUITE, public, secret, &e), OK);
	assert_int_equal(sign_make(SUITE, secret, bytes_from_text(message), signature, &e), OK);
	for (size_t bit = 0; bit < 8 * SIGNATURE_BYTES; bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(sign_check(SUITE, public, bytes_from_text(message), signature, &e), ERR_BAD_SIGNATURE);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * KEY_BYTES; bit += 5) {
		public[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(sign_check(SUITE, public, bytes_from_text(message), signature, &e), ERR_BAD_SIGNATURE);
		public[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	message[3] ^= 1;
	assert_int_equal(sign_check(SUITE, public, bytes_from_text(message), signature, &e), ERR_BAD_SIGNATURE);
	message[3] ^= 1;
	assert_int_equal(sign_check(SUITE, public, bytes_from_text(message), signature, &e), OK);
}

/* Of the neutral point every signature of that shape would hold, for any message. */
static void a_key_of_small_order_vouches_for_nothing(void **state)
{
	(void)state;
	const uint8_t public[KEY_BYTES] = { 1 };
	const uint8_t signature[SIGNATURE_BYTES] = { 1 };
	assert_int_equal(sign_check(SUITE, public, bytes_from_text("anything"), signature, NULL), ERR_BAD_SIGNATURE);
}

/* More signers than a thread keeps: each must go on signing with its own key. */
static void many_signers_do_not_mix(void **state)
{
	(void)state;
	enum { SIGNERS = 5 };
	uint8_t secret[SIGNERS][KEY_BYTES], public[SIGNERS][KEY_BYTES], signature[SIGNATURE_BYTES];
	for (int i = 0; i < SIGNERS; i++)
		assert_int_equal(sign_keypair(SUITE, public[i], secret[i], NULL), OK);
	const int order[] = { 0, 1, 0, 1, 2, 0, 3, 3, 4, 2, 1, 0, 0, 4, 0, 4 };
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		int signer = order[i], other = (signer + 1) % SIGNERS;
		assert_int_equal(sign_make(SUITE, secret[signer], bytes_from_text("x"), signature, NULL), OK);
		assert_int_equal(sign_check(SUITE, public[signer], bytes_from_text("x"), signature, NULL), OK);
		assert_int_equal(sign_check(SUITE, public[other], bytes_from_text("x"), signature, NULL),
		                 ERR_BAD_SIGNATURE);
	}
}

static void sealing_matches_the_gcm_specification(void **state)
{
	(void)state;
	/* McGrew and Viega, test case 16 (AES-256, with associated data). */
	uint8_t key[KEY_BYTES], nonce[NONCE_BYTES], associated[20], plain[60], expected[76], out[76], back[60];
	from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key, KEY_BYTES);
	from_hex("cafebabefacedbaddecaf888", nonce, NONCE_BYTES);
	from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", associated, 20);
	from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
	         "b16aedf5aa0de657ba637b39",
	         plain, 60);
	from_hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
	         "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
	         expected, 76);
	assert_int_equal(aead_seal(SUITE, key, nonce, BYTES_OF(associated), BYTES_OF(plain), out, NULL), OK);
	assert_memory_equal(out, expected, 76);
	assert_int_equal(aead_open(SUITE, key, nonce, BYTES_OF(associated), BYTES_OF(out), back, NULL), OK);
	assert_memory_equal(back, plain, 60);
	memcpy(out, plain, 60); /* in place */
	assert_int_equal(aead_seal(SUITE, key, nonce, BYTES_OF(associated), BYTES(out, 60), out, NULL), OK);
	assert_memory_equal(out, expected, 76);
}

static void any_changed_bit_breaks_a_seal(void **state)
{
	(void)state;
	uint8_t key[KEY_BYTES] = { 1 }, nonce[NONCE_BYTES] = { 2 }, sealed[20 + TAG_BYTES], back[20], zero[20] = { 0 };
	struct bytes associated = bytes_from_text("place"), plain = bytes_from_text("twenty bytes of text");
	struct error e;
	assert_int_equal(aead_seal(SUITE, key, nonce, associated, plain, sealed, &e), OK);
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(back, 0xEE, sizeof back);
		assert_int_equal(aead_open(SUITE, key, nonce, associated, BYTES_OF(sealed), back, &e), ERR_DAMAGED);
		assert_memory_equal(back, zero, sizeof back);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(aead_open(SUITE, key, nonce, bytes_from_text("plac"), BYTES_OF(sealed), back, &e),
	                 ERR_DAMAGED);
	nonce[11] ^= 1;
	assert_int_equal(aead_open(SUITE, key, nonce, associated, BYTES_OF(sealed), back, &e), ERR_DAMAGED);
	nonce[11] ^= 1;
	key[31] ^= 1;
	assert_int_equal(aead_open(SUITE, key, nonce, associated, BYTES_OF(sealed), back, &e), ERR_DAMAGED);
	key[31] ^= 1;
	for (size_t size = 0; size < sizeof sealed; size++)
		assert_int_equal(aead_open(SUITE, key, nonce, associated, BYTES(sealed, size), back, &e), ERR_DAMAGED);
	assert_int_equal(aead_open(SUITE, key, nonce, associated, BYTES_OF(sealed), back, &e), OK);
	assert_memory_equal(back, plain.data, sizeof back);
}

static void nothing_can_be_sealed_too(void **state)
{
	(void)state;
	uint8_t key[KEY_BYTES] = { 1 }, nonce[NONCE_BYTES] = { 2 }, sealed[TAG_BYTES], back[1] = { 5 };
	struct bytes none = { 0 };
	assert_int_equal(aead_seal(SUITE, key, nonce, none, none, sealed, NULL), OK);
	assert_int_equal(aead_open(SUITE, key, nonce, none, BYTES_OF(sealed), back, NULL), OK);
	assert_int_equal(back[0], 5);
	assert_int_equal(aead_seal(SUITE, key, nonce, none, BYTES(sealed, (size_t)1 << 31), sealed, NULL), ERR_TOO_BIG);
	assert_int_equal(crypto_random(sealed, (size_t)1 << 31, NULL), ERR_TOO_BIG);
}

static void *work(void *failures)
{
	uint8_t secret[KEY_BYTES], public[KEY_BYTES], signature[SIGNATURE_BYTES], key[KEY_BYTES], sealed[80], back[64];
	uint8_t nonce[NONCE_BYTES] = { 0 }, plain[64] = { 3 };
	int *failed = failures;
	*failed += sign_keypair(SUITE, public, secret, NULL) != OK;
	for (int i = 0; i < 50; i++) {
		*failed += crypto_random(key, sizeof key, NULL) != OK;
		*failed += sign_make(SUITE, secret, BYTES_OF(key), signature, NULL) != OK;
		*failed += sign_check(SUITE, public, BYTES_OF(key), signature, NULL) != OK;
		*failed += aead_seal(SUITE, key, nonce, BYTES_OF(key), BYTES_OF(plain), sealed, NULL) != OK;
		*failed += aead_open(SUITE, key, nonce, BYTES_OF(key), BYTES_OF(sealed), back, NULL) != OK;
		*failed += memcmp(back, plain, sizeof back) != 0;
	}
	return NULL;
}

/* Each thread's contexts are given back at its end: the address sanitizer's leak check is the judge. */
static void threads_have_contexts_of_their_own(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		pthread_t threads[4];
		int failures[4] = { 0 };
		for (int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, work, &failures[i]), 0);
		for (int i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(failures[i], 0);
		}
	}
}

static void secrets_compare_and_vanish(void **state)
{
	(void)state;
	uint8_t a[4] = { 1, 2, 3, 4 }, b[4] = { 1, 2, 3, 5 }, zero[4] = { 0 };
	assert_false(crypto_equal(a, b, 4));
	assert_true(crypto_equal(a, b, 3));
	crypto_wipe(a, 4);
	assert_memory_equal(a, zero, 4);
}

/* What is drawn ahead must not be given out on both sides of a fork, nor twice. */
static void random_bytes_never_repeat(void **state)
{
	(void)state;
	uint8_t drawn[64][20], child[32], parent[32];
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(crypto_random(drawn[i], sizeof drawn[i], NULL), OK);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(drawn[i], drawn[k], sizeof drawn[i]);
	}
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		crypto_random(child, sizeof child, NULL);
		_exit(write(ends[1], child, sizeof child) != (ssize_t)sizeof child);
	}
	assert_int_equal(crypto_random(parent, sizeof parent, NULL), OK);
	assert_int_equal(read(ends[0], child, sizeof child), (ssize_t)sizeof child);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_memory_not_equal(child, parent, sizeof child);
	close(ends[0]);
	close(ends[1]);
}

static int begin(void **state)
{
	(void)state;
	return crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_suites_are_refused),
		cmocka_unit_test(hashes_match_fips_180),
		cmocka_unit_test(derivation_matches_rfc_5869),
		cmocka_unit_test(hmac_matches_rfc_4231),
		cmocka_unit_test(a_long_salt_is_hashed_first),
		cmocka_unit_test(signatures_match_rfc_8032),
		cmocka_unit_test(any_changed_bit_breaks_a_signature),
		cmocka_unit_test(a_key_of_small_order_vouches_for_nothing),
		cmocka_unit_test(many_signers_do_not_mix),
		cmocka_unit_test(sealing_matches_the_gcm_specification),
		cmocka_unit_test(any_changed_bit_breaks_a_seal),
		cmocka_unit_test(nothing_can_be_sealed_too),
		cmocka_unit_test(threads_have_contexts_of_their_own),
		cmocka_unit_test(secrets_compare_and_vanish),
		cmocka_unit_test(random_bytes_never_repeat),
	};
	/* Before crypto_init libsodium does not know the processor: these are sealed by OpenSSL, which must come to the
	 * same. */
	const struct CMUnitTest without_sodium[] = {
		cmocka_unit_test(sealing_matches_the_gcm_specification),
		cmocka_unit_test(any_changed_bit_breaks_a_seal),
		cmocka_unit_test(nothing_can_be_sealed_too),
	};
	int failed = cmocka_run_group_tests(without_sodium, NULL, NULL);
	return failed + cmocka_run_group_tests(tests, begin, NULL);
}
