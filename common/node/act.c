/* Requests that the writer or the pool answers. */
#include <stdlib.h>

#include "act.h"

struct act *act_new(struct http_request *r)
{
	struct act *a = calloc(1, sizeof *a);
	if (!a) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	arena_init(&a->arena, 32u * 1024 * 1024);
	a->request = r;
	return a;
}

static void act_free(struct act *a)
{
	arena_release(&a->arena);
	free(a);
}

void act_answer(struct act *a, int result, const struct error *e)
{
	if (result)
		node_answer_error(a->request, result, e);
	else
		node_answer(a->request, a->output);
	act_free(a);
}

static void act_done(struct node *n, struct command *c)
{
	(void)n;
	act_answer(c->context, c->result, &c->error);
}

void act_command(struct node *n, struct act *a, int (*run)(struct turn *t, struct command *c, struct error *e))
{
	a->command = (struct command){ .run = run, .done = act_done, .context = a };
	int result = node_command(n, &a->command);
	if (result)
		act_answer(a, result, NULL);
}

static void pool_finished(struct node *n, void *context)
{
	struct act *a = context;
	(void)n;
	act_answer(a, a->result, &a->error);
}

void act_pool(struct node *n, struct act *a, void (*run)(struct node *n, void *context))
{
	int result = node_pool(n, run, pool_finished, a);
	if (result)
		act_answer(a, result, NULL);
}

struct act *act_with_body(struct http_request *r, const ProtobufCMessageDescriptor *type)
{
	struct act *a = act_new(r);
	if (a && node_body(r, type, &a->arena, &a->input)) {
		act_free(a);
		return NULL;
	}
	return a;
}

void act_by(struct act *a, char **by)
{
	char *user = http_is_local(a->request) ? NULL : arena_text(&a->arena, http_user(a->request));
	if (user)
		*by = user;
}
