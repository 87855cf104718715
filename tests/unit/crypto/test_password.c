/* Passwords: the right one passes, all others fail in the same way, short and broken ones are not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypto/crypto.h"

static void the_right_password_passes(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_BYTES], second[PASSWORD_HASH_BYTES];
	struct error e;
	assert_int_equal(password_hash("correct horse", hash, &e), OK);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
	assert_int_equal(password_check("correct horse", hash, &e), OK);
	assert_int_equal(password_check("correct horsf", hash, &e), ERR_LOGIN);
	assert_int_equal(password_check("", hash, &e), ERR_LOGIN);
	assert_int_equal(password_hash("correct horse", second, &e), OK);
	assert_string_not_equal(hash, second);
}

static void broken_hashes_and_long_passwords_fail(void **state)
{
	(void)state;
	char unended[PASSWORD_HASH_BYTES], longer[300];
	memset(unended, 'a', sizeof unended);
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(password_check("correct horse", unended, NULL), ERR_LOGIN);
	assert_int_equal(password_check("correct horse", "", NULL), ERR_LOGIN);
	assert_int_equal(password_check("correct horse", "$argon2id$v=19$m=65536,t=3,p=1$x", NULL), ERR_LOGIN);
	assert_int_equal(password_check(longer, "", NULL), ERR_LOGIN);
}

static void weak_passwords_are_not_taken(void **state)
{
	(void)state;
	char hash[PASSWORD_HASH_BYTES] = "untouched", longer[258];
	struct error e;
	assert_int_equal(password_hash("ninechars", hash, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "9 characters"));
	/* Nine Chinese characters are 27 bytes and still nine. */
	assert_int_equal(password_hash("\xE6\x9C\x80\xE6\x9C\x80\xE6\x9C\x80\xE6\x9C\x80\xE6\x9C\x80\xE6\x9C\x80"
	                               "\xE6\x9C\x80\xE6\x9C\x80\xE6\x9C\x80",
	                               hash, &e),
	                 ERR_INVALID);
	assert_int_equal(password_hash("a broken \xFF text", hash, &e), ERR_INVALID);
	memset(longer, 'a', 257);
	longer[257] = '\0';
	assert_int_equal(password_hash(longer, hash, &e), ERR_INVALID);
	assert_string_equal(hash, "untouched");
	longer[256] = '\0';
	assert_int_equal(password_hash(longer, hash, &e), OK);
}

static int begin(void **state)
{
	(void)state;
	return crypto_init(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_passes),
		cmocka_unit_test(broken_hashes_and_long_passwords_fail),
		cmocka_unit_test(weak_passwords_are_not_taken),
	};
	return cmocka_run_group_tests(tests, begin, NULL);
}
