/* lmctl journal tail: the tape, one line an item. */
#include <stdio.h>

#include "base/ids.h"
#include "proto/api.pb-c.h"

#include "ctl.h"

#define COUNT_OTHERWISE 20
#define COUNT_MOST 10000

/* What the item says beside its kind: "accept granted", or why it was not applied. */
static const char *item_text(struct arena *a, const Lm__TapeView *t)
{
	const Lm__Header *h = t->header;
	const char *action = "", *outcome = "";
	if (t->retry_of)
		return arena_format(a, "retry of %llu%s%s", (unsigned long long)t->retry_of, t->reason[0] ? ": " : "",
		                    t->reason);
	if (t->reason[0])
		return t->reason;
	if (h && h->action)
		action = print_enum(a, &lm__case_action__descriptor, (int)h->action);
	if (h && h->outcome)
		outcome = print_enum(a, &lm__outcome__descriptor, (int)h->outcome);
	return arena_format(a, "%s%s%s", action, outcome[0] ? " " : "", outcome);
}

static void item_row(struct print_table *t, const Lm__TapeView *v)
{
	static const Lm__Header none = LM__HEADER__INIT;
	struct arena *a = t->arena;
	const Lm__Header *h = v->header ? v->header : &none;
	/* Eight digits tell one start of a process from another; the whole number is in --json. */
	print_table_row(t, (const char *const[]){
	                           arena_format(a, "%llu%s", (unsigned long long)v->position, v->is_signed ? " s" : ""),
	                           print_time(a, h->time_ms),
	                           h->place[0] ? h->place : arena_format(a, "%016llx", (unsigned long long)h->origin),
	                           print_enum(a, &lm__stream__descriptor, (int)h->stream),
	                           arena_format(a, "%08llx/%llu", (unsigned long long)(h->incarnation >> 32),
	                                        (unsigned long long)h->seq),
	                           print_enum(a, &lm__kind__descriptor, (int)h->kind),
	                           print_enum(a, &lm__disposition__descriptor, (int)v->disposition),
	                           print_hex(a, h->request_id, ID_BYTES),
	                           item_text(a, v),
	                   });
}

int journal_tail_run(struct call *c, struct error *e)
{
	uint64_t from = 0, count = 0;
	Lm__TapesView *tapes = NULL;
	int result = call_number(c, OPTION_FROM, 1, UINT64_MAX, 0, &from, e);
	if (!result)
		result = call_number(c, OPTION_COUNT, 1, COUNT_MOST, COUNT_OTHERWISE, &count, e);
	if (result)
		return result;
	char path[96];
	if (call_has(c, OPTION_FROM))
		snprintf(path, sizeof path, "/ctl/v1/journal?from=%llu&count=%llu", (unsigned long long)from,
		         (unsigned long long)count);
	else
		snprintf(path, sizeof path, "/ctl/v1/journal?count=%llu", (unsigned long long)count);
	result = client_get(c, path, &lm__tapes_view__descriptor, &tapes, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	struct print_table t = print_table_of(&c->arena, 9,
	                                      (const char *const[]){ "pos", "time", "from", "stream", "inc/seq", "kind",
	                                                             "disposition", "request", "" });
	for (size_t i = 0; i < tapes->n_items; i++)
		item_row(&t, tapes->items[i]);
	print_table_show(&t);
	if (call_has(c, OPTION_FROM) && tapes->n_items == count && tapes->next)
		printf("more: --from %llu\n", (unsigned long long)tapes->next);
	return OK;
}
