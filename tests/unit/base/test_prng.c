/* The generator repeats, follows the published algorithm, and has no bias below a bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/prng.h"

static void it_follows_the_published_algorithm(void **state)
{
	(void)state;
	/* State 1, 2, 3, 4: the outputs that the authors' reference gives. */
	struct prng p = { { 1, 2, 3, 4 } };
	const uint64_t expected[] = { 11520, 0, 1509978240, 1215971899390074240 };
	for (size_t i = 0; i < 4; i++)
		assert_true(prng_next(&p) == expected[i]);
	/* splitmix64 from 0 begins with this well-known number. */
	prng_seed(&p, 0);
	assert_true(p.state[0] == UINT64_C(0xE220A8397B1DCDAF));
}

static void equal_seeds_give_equal_bytes(void **state)
{
	(void)state;
	struct prng a, b;
	uint8_t from_a[37], from_b[37] = { 0 };
	prng_seed(&a, 42);
	prng_seed(&b, 42);
	prng_fill(&a, from_a, sizeof from_a);
	prng_fill(&b, from_b, sizeof from_b);
	assert_memory_equal(from_a, from_b, sizeof from_a);
	prng_seed(&b, 43);
	prng_fill(&b, from_b, sizeof from_b);
	assert_memory_not_equal(from_a, from_b, sizeof from_a);
}

static void below_a_bound_every_number_is_as_likely(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 1);
	int seen[6] = { 0 };
	for (int i = 0; i < 60000; i++)
		seen[prng_below(&p, 6)]++;
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 9600, 10400);
	assert_int_equal(prng_below(&p, 1), 0);
	/* With a bound of 3/4 of the range a bare remainder would give the low third twice as often. */
	uint64_t bound = UINT64_C(3) << 62;
	int low = 0;
	for (int i = 0; i < 30000; i++)
		low += prng_below(&p, bound) < bound / 3;
	assert_in_range(low, 9600, 10400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_follows_the_published_algorithm),
		cmocka_unit_test(equal_seeds_give_equal_bytes),
		cmocka_unit_test(below_a_bound_every_number_is_as_likely),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
