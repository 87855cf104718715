/*
 * What a desk keeps in memory beside its store, so that people are not kept waiting: what can be
 * found, the texts of letters, and what is reported.
 */
#include <stdlib.h>

#include "codes.h"
#include "letters.h"
#include "reports.h"
#include "rings.h"
#include "worklist.h"

struct memory {
	struct index registry;
	struct worklist worklist;
	struct codes codes;
	bool codes_are_left; /* of the job under way */
	struct letters letters;
	struct reports reports;
	struct rings rings;
	struct hand_overs hand_overs;
	struct sms sms;
	struct publications publications;
};

static struct memory *memory_of(struct node *n)
{
	return node_context(n);
}

struct index *registry_of(struct node *n)
{
	return &memory_of(n)->registry;
}

struct worklist *worklist_of(struct node *n)
{
	return &memory_of(n)->worklist;
}

struct codes *codes_of(struct node *n)
{
	return &memory_of(n)->codes;
}

struct reports *reports_in(struct node *n)
{
	return &memory_of(n)->reports;
}

struct letters *letters_in(struct node *n)
{
	return &memory_of(n)->letters;
}

struct rings *rings_of(struct node *n)
{
	return &memory_of(n)->rings;
}

struct hand_overs *hand_overs_of(struct node *n)
{
	return &memory_of(n)->hand_overs;
}

struct sms *sms_in(struct node *n)
{
	return &memory_of(n)->sms;
}

struct publications *publications_in(struct node *n)
{
	return &memory_of(n)->publications;
}

void *desk_new(void)
{
	struct memory *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	index_init(&m->registry, &registry_kind);
	worklist_init(&m->worklist);
	codes_init(&m->codes);
	rings_init(&m->rings);
	return m;
}

static void codes_pool(struct node *n, void *context)
{
	struct memory *m = context;
	m->codes_are_left = codes_read_on(&m->codes, node_store(n));
}

static void codes_done(struct node *n, void *context)
{
	struct memory *m = context;
	if (m->codes_are_left && !node_is_stopping(n))
		node_pool(n, codes_pool, codes_done, m); /* if not, a search reads the rest */
}

int desk_start(struct node *n, struct error *e)
{
	if (!memory_of(n))
		return error_set(e, ERR_MEMORY, "no memory for what can be found");
	int result = letters_open(&memory_of(n)->letters, node_configuration(n)->letters, e);
	if (!result)
		result = reports_open(&memory_of(n)->reports, node_configuration(n)->reports, e);
	if (!result)
		result = sms_open(n, e);
	if (!result)
		result = index_start(registry_of(n), n, e);
	if (!result)
		result = worklist_start(worklist_of(n), n, e);
	if (!result && node_domain(n)->tier == LM__TIER__TIER_TOWN) /* the district knows no receipt codes */
		node_pool(n, codes_pool, codes_done, memory_of(n));
	return result;
}

void desk_free(void *context)
{
	struct memory *m = context;
	if (!m)
		return;
	index_close(&m->registry);
	worklist_close(&m->worklist);
	codes_release(&m->codes);
	letters_release(&m->letters);
	reports_release(&m->reports);
	rings_release(&m->rings);
	free(m);
}
