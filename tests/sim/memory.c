/* malloc of the product's own code (the linker's --wrap): it may fail. Libraries have their own. */
#include "inside.h" /* of the room node */
#include "sim.h"

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* The writer ends the process if there is no memory for an answer (out_new): nothing follows that could be checked. */
static bool is_refused(size_t size)
{
	struct site *s = world.here;
	if (!s || s->is_dying || s->is_stopping || size == sizeof(struct out) || !fault_hits(FAULT_NO_MEMORY, s))
		return false;
	tell("%-24s has no memory for %zu bytes", s->name, size);
	return true;
}

void *__wrap_malloc(size_t size)
{
	return is_refused(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_refused(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return is_refused(size) ? NULL : __real_realloc(memory, size);
}
