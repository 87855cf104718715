/* The inbox: what it refuses, what a turn takes from it, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "../../../common/node/inside.h"

static int set_up(void **state)
{
	struct node *n = calloc(1, sizeof *n);
	pthread_condattr_t attributes;
	assert_non_null(n);
	pthread_mutex_init(&n->inbox_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&n->inbox_ready, &attributes);
	pthread_condattr_destroy(&attributes);
	*state = n;
	return 0;
}

static size_t works_free(struct work *first)
{
	size_t count = 0;
	for (struct work *w = first, *next; w; w = next, count++) {
		next = w->next;
		work_free(w);
	}
	return count;
}

static int tear_down(void **state)
{
	struct node *n = *state;
	works_free(n->inbox_first);
	pthread_mutex_destroy(&n->inbox_lock);
	pthread_cond_destroy(&n->inbox_ready);
	free(n);
	return 0;
}

static int put(struct node *n, enum work_type type, size_t bytes)
{
	struct work *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->type = type;
	w->bytes = bytes;
	int result = inbox_push(n, w);
	if (result)
		work_free(w);
	return result;
}

static void commands_beyond_the_limit_are_told_busy(void **state)
{
	struct node *n = *state;
	struct command c = { 0 };
	for (size_t i = 0; i < INBOX_COMMANDS_MOST; i++)
		assert_int_equal(put(n, WORK_COMMAND, 0), OK);
	assert_int_equal(node_command(n, &c), ERR_BUSY);
	assert_int_equal(put(n, WORK_FRAME, 100), OK); /* frames have a limit of their own */
}

static void frames_of_a_neighbour_that_heeds_no_credits_are_dropped(void **state)
{
	struct node *n = *state;
	struct command c = { 0 };
	size_t frames = 0;
	while (frames < 1000 && put(n, WORK_FRAME, 1024 * 1024) == OK)
		frames++;
	assert_int_equal(frames, INBOX_BYTES_MOST / (1024 * 1024));
	assert_int_equal(put(n, WORK_TRANSPORT, 0), OK); /* that a link went down is never lost */
	assert_int_equal(node_command(n, &c), OK);
}

static void a_turn_takes_no_more_than_a_commit_may_hold(void **state)
{
	struct node *n = *state;
	bool is_over = true;
	for (size_t i = 0; i < TURN_COMMANDS_MOST + 10; i++)
		put(n, WORK_COMMAND, 0);
	for (size_t i = 0; i < TURN_FRAMES_MOST + 1; i++)
		put(n, WORK_FRAME, 1000);
	assert_int_equal(works_free(inbox_take(n, 0, &is_over)), TURN_COMMANDS_MOST);
	assert_false(is_over);
	assert_int_equal(works_free(inbox_take(n, 0, &is_over)), 10 + TURN_FRAMES_MOST);
	assert_int_equal(works_free(inbox_take(n, 0, &is_over)), 1);
	assert_null(inbox_take(n, 0, &is_over));
	assert_int_equal(n->inbox_commands, 0);
	assert_int_equal(n->inbox_bytes, 0);
}

static void what_was_taken_before_the_end_is_worked_off_and_nothing_after_it_gets_in(void **state)
{
	struct node *n = *state;
	struct command c = { 0 };
	bool is_over = false;
	for (size_t i = 0; i < TURN_COMMANDS_MOST + 1; i++)
		put(n, WORK_COMMAND, 0);
	inbox_close(n);
	assert_int_equal(node_command(n, &c), ERR_BUSY);
	assert_int_equal(put(n, WORK_FRAME, 100), ERR_BUSY);
	assert_int_equal(put(n, WORK_TRANSPORT, 0), ERR_BUSY);
	assert_int_equal(works_free(inbox_take(n, 0, &is_over)), TURN_COMMANDS_MOST);
	assert_false(is_over);
	assert_int_equal(works_free(inbox_take(n, 0, &is_over)), 1);
	assert_true(is_over);
}

#define story(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(commands_beyond_the_limit_are_told_busy),
		story(frames_of_a_neighbour_that_heeds_no_credits_are_dropped),
		story(a_turn_takes_no_more_than_a_commit_may_hold),
		story(what_was_taken_before_the_end_is_worked_off_and_nothing_after_it_gets_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
