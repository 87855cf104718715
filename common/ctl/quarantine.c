/* lmctl quarantine: what is held up, and what to do with it. */
#include <stdio.h>

#include "base/ids.h"
#include "proto/api.pb-c.h"

#include "ctl.h"

#define COUNT_OTHERWISE 50
#define COUNT_MOST 100

static const char *kind_text(struct arena *a, const Lm__QuarantineItem *v)
{
	const char *kind = print_enum(a, &lm__kind__descriptor, (int)v->kind);
	return v->service[0] ? arena_format(a, "%s %s r%u", kind, v->service, v->revision) : kind;
}

static void open_row(struct print_table *t, const Lm__QuarantineItem *v)
{
	struct arena *a = t->arena;
	print_table_row(t, (const char *const[]){
	                           v->item,
	                           print_time(a, v->since_ms),
	                           v->origin_place[0] ? v->origin_place : v->origin,
	                           kind_text(a, v),
	                           print_enum(a, &lm__disposition__descriptor, (int)v->disposition),
	                           arena_format(a, "%llu", (unsigned long long)v->waiting),
	                           v->tried_ms ? print_time(a, v->tried_ms) : "-",
	                           v->reason,
	                   });
}

static void done_row(struct print_table *t, const Lm__QuarantineItem *v)
{
	struct arena *a = t->arena;
	print_table_row(t, (const char *const[]){
	                           v->item,
	                           print_time(a, v->act_ms),
	                           print_enum(a, &lm__quarantine_act__descriptor, (int)v->act),
	                           v->by,
	                           v->act_reason,
	                           v->origin_place[0] ? v->origin_place : v->origin,
	                           kind_text(a, v),
	                           print_enum(a, &lm__disposition__descriptor, (int)v->disposition),
	                   });
}

static void open_show(struct call *c, Lm__QuarantineItem *const *items, size_t count)
{
	struct print_table t = print_table_of(
	        &c->arena, 8,
	        (const char *const[]){ "item", "since", "from", "what", "is", "waiting", "tried", "why" });
	for (size_t i = 0; i < count; i++)
		open_row(&t, items[i]);
	print_table_show(&t);
}

static void done_show(struct call *c, const Lm__QuarantineView *view)
{
	struct print_table t = print_table_of(
	        &c->arena, 8, (const char *const[]){ "item", "time", "was", "by", "reason", "from", "what", "is now" });
	for (size_t i = 0; i < view->n_items; i++)
		done_row(&t, view->items[i]);
	print_table_show(&t);
}

int quarantine_list_run(struct call *c, struct error *e)
{
	uint64_t count;
	Lm__QuarantineView *view = NULL;
	const char *after = call_has(c, OPTION_AFTER) ? c->option[OPTION_AFTER] : "";
	bool is_done = call_has(c, OPTION_DONE);
	int result = call_number(c, OPTION_COUNT, 1, COUNT_MOST, COUNT_OTHERWISE, &count, e);
	if (result)
		return result;
	for (const char *p = after; *p; p++) /* it becomes a part of an URL */
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f')))
			return error_set(e, ERR_USAGE, "--after: '%.80s' is no name of an item", after);
	const char *path = arena_format(&c->arena, "/ctl/v1/quarantine?view=%s&after=%s&limit=%llu",
	                                is_done ? "done" : "open", after, (unsigned long long)count);
	if (!path)
		return error_set(e, ERR_MEMORY, "no memory for the list");
	result = client_get(c, path, &lm__quarantine_view__descriptor, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	if (is_done)
		done_show(c, view);
	else
		open_show(c, view->items, view->n_items);
	if (view->next[0] && view->n_items == count)
		print_text("more: --after %s\n", view->next);
	return OK;
}

static int act_send(struct call *c, Lm__QuarantineAct act, struct error *e)
{
	Lm__QuarantineCommand command = LM__QUARANTINE_COMMAND__INIT;
	Lm__QuarantineItem *item = NULL;
	command.item = c->word[0];
	command.act = act;
	if (call_has(c, OPTION_REASON))
		command.reason = c->option[OPTION_REASON];
	command.by = call_by(c);
	int result = client_post(c, "/ctl/v1/quarantine", &command.base, &lm__quarantine_item__descriptor, &item, e);
	if (!result && !call_has(c, OPTION_JSON))
		open_show(c, &item, 1);
	return result;
}

int quarantine_retry_run(struct call *c, struct error *e)
{
	return act_send(c, LM__QUARANTINE_ACT__QUARANTINE_ACT_RETRY, e);
}

int quarantine_drop_run(struct call *c, struct error *e)
{
	return act_send(c, LM__QUARANTINE_ACT__QUARANTINE_ACT_DROP, e);
}
