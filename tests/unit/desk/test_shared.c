/* Texts held once: against a plain list of what was taken and given back, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../common/desk/shared.h"
#include "base/prng.h"
#include "crypto/crypto.h"

#define KEYS 600 /* more than twice the first room */
#define STEPS 60000

static struct shared shared;

static int begin(void **state)
{
	struct error e = { 0 };
	(void)state;
	return crypto_init(&e) || shared_open(&shared, &e) ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	shared_close(&shared);
	return 0;
}

static struct bytes key_of(size_t i, char text[24])
{
	snprintf(text, 24, "%zu", i);
	return BYTES(text, strlen(text));
}

static uint32_t take(const char *key, const char *rest)
{
	return shared_take(&shared, BYTES(key, strlen(key) + 1), BYTES(rest, strlen(rest) + 1));
}

static void a_text_is_held_once(void **state)
{
	(void)state;
	uint32_t first = take("one", "of the first"), second = take("two", "");
	assert_int_not_equal(first, second);
	assert_int_equal(take("one", "is not asked again"), first);
	assert_string_equal(shared_text(&shared, first), "one");
	assert_string_equal(shared_text(&shared, first) + 4, "of the first");
	assert_int_equal(shared_find(&shared, BYTES("one", 4)), first);
	assert_int_equal(shared_find(&shared, BYTES("one", 3)), SHARED_NONE);
	assert_int_equal(shared_find(&shared, BYTES("none", 5)), SHARED_NONE);
}

static void it_goes_with_its_last_user(void **state)
{
	(void)state;
	uint32_t first = take("one", "a"), second = take("two", "b");
	shared_keep(&shared, first);
	shared_drop(&shared, first);
	assert_string_equal(shared_text(&shared, first), "one");
	shared_drop(&shared, first);
	assert_null(shared_text(&shared, first));
	assert_int_equal(shared_find(&shared, BYTES("one", 4)), SHARED_NONE);
	assert_int_equal(take("three", "c"), first); /* its number serves again */
	assert_string_equal(shared_text(&shared, second), "two");
	shared_drop(&shared, SHARED_NONE);
	assert_int_equal(shared.used, 2);
}

/* Takes and drops in any order, so that slots move and numbers serve again. */
static void many_come_and_go(void **state)
{
	static uint32_t users[KEYS], number[KEYS];
	struct prng random;
	char text[24];
	size_t there = 0;
	(void)state;
	prng_seed(&random, 7);
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = prng_below(&random, KEYS);
		bool is_take = step < STEPS / 2 ? prng_below(&random, 3) > 0 : prng_below(&random, 3) == 0;
		if (is_take) {
			uint32_t got = shared_take(&shared, key_of(i, text), BYTES("", 1));
			assert_true(!users[i] || got == number[i]);
			number[i] = got;
			there += users[i]++ == 0;
		} else if (users[i]) {
			shared_drop(&shared, number[i]);
			there -= --users[i] == 0;
		}
		if (step % 1000)
			continue;
		assert_int_equal(shared.used, there);
		for (size_t k = 0; k < KEYS; k++)
			assert_int_equal(shared_find(&shared, key_of(k, text)), users[k] ? number[k] : SHARED_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_text_is_held_once, begin, end),
		cmocka_unit_test_setup_teardown(it_goes_with_its_last_user, begin, end),
		cmocka_unit_test_setup_teardown(many_come_and_go, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
