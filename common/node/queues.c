/*
 * The two queues between the loop and the writer. The inbox is bounded: commands by number, frames by the credits
 * that stop when INBOX_BYTES_HIGH is reached, and for those who heed none by INBOX_BYTES_MOST.
 */
#include <stdlib.h>

#include "inside.h"

void work_read(struct work *w)
{
	if (w->is_unread)
		atomic_fetch_sub(&w->peer->unread, 1);
	w->is_unread = false;
}

void work_free(struct work *w)
{
	if (!w)
		return;
	work_read(w);
	arena_release(&w->arena);
	free(w->offenders);
	free(w->answer);
	free(w);
}

int inbox_push(struct node *n, struct work *w)
{
	pthread_mutex_lock(&n->inbox_lock);
	if (n->is_inbox_closed || (w->type == WORK_COMMAND && n->inbox_commands >= INBOX_COMMANDS_MOST) ||
	    (w->type == WORK_FRAME && n->inbox_bytes >= INBOX_BYTES_MOST)) {
		pthread_mutex_unlock(&n->inbox_lock);
		return ERR_BUSY;
	}
	w->next = NULL;
	if (n->inbox_last)
		n->inbox_last->next = w;
	else
		n->inbox_first = w;
	n->inbox_last = w;
	n->inbox_commands += w->type == WORK_COMMAND;
	n->inbox_bytes += w->bytes;
	inbox_wake(n);
	pthread_mutex_unlock(&n->inbox_lock);
	return OK;
}

int node_command(struct node *n, struct command *c)
{
	struct work *w = calloc(1, sizeof *w);
	if (!w)
		return ERR_MEMORY;
	w->type = WORK_COMMAND;
	w->command = c;
	w->answer = out_new(OUT_COMMAND);
	int result = w->answer ? inbox_push(n, w) : ERR_MEMORY;
	if (result)
		work_free(w);
	return result;
}

/* What a turn may take: so many commands, so many messages; what is beyond waits, in its order. */
struct work *inbox_take(struct node *n, uint64_t wait_us, bool *is_over)
{
	pthread_mutex_lock(&n->inbox_lock);
	inbox_wait(n, wait_us);
	struct work *first = n->inbox_first, *last = NULL;
	size_t commands = 0, frames = 0;
	for (struct work *w = first; w; w = w->next) {
		commands += w->type == WORK_COMMAND;
		frames += w->type == WORK_FRAME;
		if (commands > TURN_COMMANDS_MOST || frames > TURN_FRAMES_MOST)
			break;
		n->inbox_commands -= w->type == WORK_COMMAND;
		n->inbox_bytes -= w->bytes;
		last = w;
	}
	if (last) {
		n->inbox_first = last->next;
		if (!n->inbox_first)
			n->inbox_last = NULL;
		last->next = NULL;
	}
	*is_over = n->is_inbox_closed && !n->inbox_first;
	pthread_mutex_unlock(&n->inbox_lock);
	return last ? first : NULL;
}

void inbox_close(struct node *n)
{
	pthread_mutex_lock(&n->inbox_lock);
	n->is_inbox_closed = true;
	inbox_wake(n);
	pthread_mutex_unlock(&n->inbox_lock);
}

struct out *out_new(enum out_type type)
{
	struct out *o = calloc(1, sizeof *o);
	if (o)
		o->type = type;
	return o;
}

void outbox_push(struct node *n, struct out *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&n->outbox_lock);
	bool was_empty = !n->outbox_first;
	o->next = NULL;
	if (n->outbox_last)
		n->outbox_last->next = o;
	else
		n->outbox_first = o;
	n->outbox_last = o;
	pthread_mutex_unlock(&n->outbox_lock);
	if (was_empty)
		uv_async_send(&n->outbox_async);
}

struct out *outbox_take(struct node *n)
{
	pthread_mutex_lock(&n->outbox_lock);
	struct out *first = n->outbox_first;
	n->outbox_first = n->outbox_last = NULL;
	pthread_mutex_unlock(&n->outbox_lock);
	return first;
}
