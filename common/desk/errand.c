#include "errand.h"

#include <stdlib.h>
#include <string.h>

struct errand *errand_new(struct http_request *r)
{
	struct errand *x = calloc(1, sizeof *x);
	if (!x) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	x->request = r;
	strncpy(x->user, http_is_local(r) ? ROLE_LOCAL : http_user(r), sizeof x->user - 1);
	arena_init(&x->arena, 32u * 1024 * 1024);
	return x;
}

static void errand_free(struct errand *x)
{
	arena_release(&x->arena);
	free(x);
}

struct errand *errand_with_body(struct http_request *r, const ProtobufCMessageDescriptor *type)
{
	struct errand *x = errand_new(r);
	if (x && node_body(r, type, &x->arena, &x->input)) {
		errand_free(x);
		return NULL;
	}
	return x;
}

struct errand *errand_about(struct http_request *r, const ProtobufCMessageDescriptor *type)
{
	struct errand *x = type ? errand_with_body(r, type) : errand_new(r);
	const char *text = x ? http_parameter(r, "id") : NULL;
	if (!x || (text && !id_from_text(text, &x->person)))
		return x;
	error_set(&x->error, ERR_INVALID, "the record's id is not 32 hexadecimal digits");
	errand_answer(x, ERR_INVALID, &x->error);
	return NULL;
}

void errand_answer(struct errand *x, int result, const struct error *e)
{
	if (result)
		node_answer_error(x->request, result, e);
	else
		node_answer(x->request, x->output);
	errand_free(x);
}

static void pool_done(struct node *n, void *context)
{
	struct errand *x = context;
	(void)n;
	errand_answer(x, x->result, &x->error);
}

void errand_pool(struct node *n, struct errand *x, void (*run)(struct node *n, void *context))
{
	int result = node_pool(n, run, pool_done, x);
	if (result)
		errand_answer(x, result, NULL);
}

void errand_done(struct node *n, struct command *c)
{
	(void)n;
	errand_answer(c->context, c->result, &c->error);
}

void errand_command(struct node *n, struct errand *x, int (*run)(struct turn *t, struct command *c, struct error *e),
                    void (*done)(struct node *n, struct command *c))
{
	x->command = (struct command){ .run = run, .done = done, .is_business = true, .context = x };
	int result = node_command(n, &x->command);
	if (result)
		errand_answer(x, result, NULL);
}
