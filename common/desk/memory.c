/*
 * What a desk keeps in memory beside its store, so that people are not kept waiting: what can be found.
 */
#include <stdlib.h>

#include "codes.h"
#include "registry_parts.h"

struct memory {
	struct registry registry;
	struct codes codes;
};

static struct memory *memory_of(struct node *n)
{
	return node_context(n);
}

struct registry *registry_of(struct node *n)
{
	struct memory *m = memory_of(n);
	return m ? &m->registry : NULL;
}

struct codes *codes_of(struct node *n)
{
	return &memory_of(n)->codes;
}

void *desk_new(void)
{
	struct memory *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	registry_init(&m->registry);
	codes_init(&m->codes);
	return m;
}

int desk_start(struct node *n, struct error *e)
{
	if (!memory_of(n))
		return error_set(e, ERR_MEMORY, "no memory for what can be found");
	return registry_open(registry_of(n), n, e);
}

void desk_free(void *context)
{
	struct memory *m = context;
	if (!m)
		return;
	registry_release(&m->registry);
	codes_release(&m->codes);
	free(m);
}
