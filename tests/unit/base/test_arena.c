/* An arena gives aligned, zeroed pieces up to its ceiling, and the same memory again after a reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 0);
	uint8_t *before = NULL;
	for (size_t size = 0; size < 3000; size += 7) {
		uint8_t *piece = arena_alloc(&a, size);
		assert_non_null(piece);
		assert_int_equal((uintptr_t)piece % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(piece[i], 0);
		memset(piece, 0xAA, size);
		assert_ptr_not_equal(piece, before);
		before = piece;
	}
	arena_reset(&a);
	assert_int_equal(a.used_bytes, 0);
	uint8_t *again = arena_alloc(&a, 2000);
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(again[i], 0);
	arena_release(&a);
	assert_non_null(arena_alloc(&a, 1));
	arena_release(&a);
}

static void the_ceiling_holds(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 1024);
	assert_null(arena_alloc(&a, 1025));
	assert_non_null(arena_alloc(&a, 1000));
	assert_non_null(arena_alloc(&a, 16));
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 20));
	assert_null(arena_text(&a, "no room"));
	assert_null(arena_format(&a, "%d", 1));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 1024));
	arena_release(&a);
}

static void a_reset_keeps_the_largest_block(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 0);
	arena_alloc(&a, 100);
	uint8_t *large = arena_alloc(&a, 1000000);
	arena_alloc(&a, 500000);
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 1000000), large);
	arena_release(&a);
}

static void texts_are_copied(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 0);
	char text[] = "custody";
	char *copy = arena_text(&a, text);
	text[0] = 'X';
	assert_string_equal(copy, "custody");
	assert_null(arena_text(&a, NULL));
	assert_string_equal(arena_format(&a, "%s-%03d", copy, 7), "custody-007");
	assert_memory_equal(arena_copy(&a, "ab\0c", 4), "ab\0c", 4);
	assert_non_null(arena_copy(&a, NULL, 0));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
		cmocka_unit_test(the_ceiling_holds),
		cmocka_unit_test(a_reset_keeps_the_largest_block),
		cmocka_unit_test(texts_are_copied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
