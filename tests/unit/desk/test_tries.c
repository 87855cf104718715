/* Wrong tries: five are free, then the wait doubles, to an hour; one that is right ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../../../common/desk/tries.h"

#define MINUTE_US UINT64_C(60000000)

static struct tries tries;

static int begin(void **state)
{
	(void)state;
	return tries_open(&tries, NULL);
}

static void the_wait_doubles_up_to_an_hour(void **state)
{
	static const unsigned minutes[] = { 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	uint64_t now_us = 5;
	(void)state;
	for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
		assert_int_equal(tries_until_us(&tries, "chen", now_us), 0);
		tries_take(&tries, "chen", now_us);
		uint64_t until_us = tries_until_us(&tries, "chen", now_us);
		assert_int_equal(until_us, minutes[i] ? now_us + minutes[i] * MINUTE_US : 0);
		if (until_us) {
			assert_int_equal(tries_until_us(&tries, "chen", until_us - 1), until_us);
			now_us = until_us;
		}
	}
	tries_forgive(&tries, "chen");
	tries_take(&tries, "chen", now_us);
	assert_int_equal(tries_until_us(&tries, "chen", now_us), 0);
}

static void what_the_machine_did_wrong_does_not_count(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		tries_take(&tries, "chen", 5);
		tries_give_back(&tries, "chen");
	}
	assert_int_equal(tries_until_us(&tries, "chen", 5), 0);
	for (int i = 0; i < 4; i++)
		tries_take(&tries, "chen", 5);
	tries_take(&tries, "chen", 5);
	tries_give_back(&tries, "chen"); /* the fifth was right so far, but not all that is asked for */
	assert_int_equal(tries_until_us(&tries, "chen", 5), 0);
	tries_take(&tries, "chen", 5);
	assert_int_equal(tries_until_us(&tries, "chen", 5), 5 + MINUTE_US);
}

static void a_day_later_it_is_forgotten(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		tries_take(&tries, "chen", 5);
	uint64_t later_us = 5 + TRIES_FORGET_US + 1;
	tries_take(&tries, "chen", later_us);
	assert_int_equal(tries_until_us(&tries, "chen", later_us), 0);
}

/* Some thousand other names: few of them share its place, and none frees it. */
static void names_do_not_push_each_other_out(void **state)
{
	size_t waiting = 0;
	(void)state;
	for (int i = 0; i < 5; i++)
		tries_take(&tries, "chen", 5);
	for (int i = 0; i < 3000; i++) {
		char name[20];
		snprintf(name, sizeof name, "nobody%d", i);
		if (tries_until_us(&tries, name, 5))
			waiting++;
		else
			tries_take(&tries, name, 5);
	}
	assert_int_equal(tries_until_us(&tries, "chen", 5), 5 + MINUTE_US);
	assert_true(waiting < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_wait_doubles_up_to_an_hour, begin),
		cmocka_unit_test_setup(what_the_machine_did_wrong_does_not_count, begin),
		cmocka_unit_test_setup(a_day_later_it_is_forgotten, begin),
		cmocka_unit_test_setup(names_do_not_push_each_other_out, begin),
	};
	if (crypto_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
