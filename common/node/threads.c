/*
 * The writer's thread: started, woken, waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "inside.h"

static void *writer_run(void *context)
{
	struct node *n = context;
	writer_begin(n);
	while (writer_step(n)) {
	}
	return NULL;
}

int writer_launch(struct node *n, struct error *e)
{
	if (pthread_create(&n->writer, NULL, writer_run, n))
		return error_set(e, ERR_INTERNAL, "the writer thread cannot be started");
	n->has_writer = true;
	return OK;
}

void writer_join(struct node *n)
{
	if (n->has_writer)
		pthread_join(n->writer, NULL);
	n->has_writer = false;
}

void writer_die(struct node *n)
{
	(void)n;
	_Exit(70);
}

void inbox_wake(struct node *n)
{
	pthread_cond_signal(&n->inbox_ready);
}

void inbox_wait(struct node *n, uint64_t wait_us)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	uint64_t ns = (uint64_t)until.tv_nsec + (wait_us % 1000000) * 1000;
	until.tv_sec += (time_t)(wait_us / 1000000 + ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	while (!n->inbox_first && !n->is_inbox_closed)
		if (pthread_cond_timedwait(&n->inbox_ready, &n->inbox_lock, &until) == ETIMEDOUT)
			return;
}
