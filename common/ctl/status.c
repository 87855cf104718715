/* lmctl status: how a daemon is, on one screen. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proto/api.pb-c.h"

#include "ctl.h"

static const char *tier_name(struct arena *a, Lm__Tier tier)
{
	return print_enum(a, &lm__tier__descriptor, (int)tier);
}

static const char *link_state(const Lm__LinkView *l)
{
	if (l->is_revoked)
		return "revoked";
	if (l->is_frozen)
		return "frozen";
	return l->is_up ? "up" : "down";
}

static void link_row(struct print_table *t, const Lm__LinkView *l, const char *direction, int64_t now_ms)
{
	struct arena *a = t->arena;
	bool has_since = l->since_ms > 0, has_heard = l->heard_ms > 0;
	print_table_row(t, (const char *const[]){
	                           l->place[0] ? l->place : l->device,
	                           direction,
	                           link_state(l),
	                           has_since ? print_age(a, now_ms - l->since_ms) : "-",
	                           has_heard ? print_age(a, now_ms - l->heard_ms) : "-",
	                           arena_format(a, "%llu", (unsigned long long)l->waiting_down),
	                           arena_format(a, "%llu", (unsigned long long)l->waiting_up),
	                           arena_format(a, "%llu", (unsigned long long)l->received),
	                           l->text,
	                   });
}

static void links_show(struct arena *a, const Lm__LinksView *links, int64_t now_ms)
{
	struct print_table t = print_table_of(a, 9,
	                                      (const char *const[]){ "place", "which", "state", "for", "heard",
	                                                             "to send", "to come", "received", "says" });
	if (links && links->upstream && (links->upstream->place[0] || links->upstream->device[0]))
		link_row(&t, links->upstream, "above", now_ms);
	for (size_t i = 0; links && i < links->n_links; i++)
		link_row(&t, links->links[i], links->links[i]->is_direct ? "direct" : "beyond", now_ms);
	printf("\nlinks\n");
	print_table_show(&t);
}

static void line_row(struct print_table *t, const Lm__LineView *l)
{
	struct arena *a = t->arena;
	const char *why = l->is_frozen ? arena_format(a, "frozen: %s", l->why) : "";
	print_table_row(t, (const char *const[]){
	                           arena_format(a, "%u", l->line),
	                           l->place[0] ? l->place : l->origin,
	                           print_enum(a, &lm__stream__descriptor, (int)l->stream),
	                           l->stream == LM__STREAM__STREAM_DOWN ? l->receiver : "",
	                           arena_format(a, "%llu", (unsigned long long)l->ordinal),
	                           arena_format(a, "%llu", (unsigned long long)l->custody),
	                           arena_format(a, "%llu", (unsigned long long)l->final),
	                           arena_format(a, "%llu", (unsigned long long)l->safe),
	                           arena_format(a, "%llu", (unsigned long long)l->trimmed),
	                           arena_format(a, "%llu", (unsigned long long)l->rollbacks),
	                           why,
	                   });
}

static void lines_show(struct arena *a, const Lm__NodeStatus *s)
{
	struct print_table t =
	        print_table_of(a, 11,
	                       (const char *const[]){ "line", "origin", "stream", "receiver", "newest", "custody",
	                                              "final", "safe", "trimmed", "rollbacks", "" });
	for (size_t i = 0; i < s->n_lines; i++)
		line_row(&t, s->lines[i]);
	printf("\nlines\n");
	print_table_show(&t);
}

static void node_show(struct arena *a, const Lm__NodeStatus *s, int64_t now_ms)
{
	print_text("%s %s  %s  %s\n", s->program, s->version, tier_name(a, s->tier), s->place);
	print_text("device       %s\nfingerprint  %s\nincarnation  %s\n", s->device, s->fingerprint, s->incarnation);
	print_text("keys         generation %u%s\n", s->generation,
	           s->is_changing_keys ? "; the next ones wait for the directory to name them" : "");
	print_text("up for       %s, since %s\n", print_age(a, now_ms - s->started_ms), print_time(a, s->started_ms));
	print_text("listens      pages %s, links %s\n", s->http_address[0] ? s->http_address : "-",
	           s->link_address[0] ? s->link_address : "-");
	print_text("storage      %u %% of %llu MiB%s\n", s->map_percent, (unsigned long long)(s->map_bytes >> 20),
	           s->is_full ? ": full, new requests are refused" : "");
	print_text("tape         %llu items; %llu entries in %llu commits since the start\n",
	           (unsigned long long)s->tape_position, (unsigned long long)s->entries,
	           (unsigned long long)s->commits);
	if (s->oldest_unsent_ms >= 0)
		print_text("unsent       %llu, the oldest for %s\n", (unsigned long long)s->unsent,
		           print_age(a, s->oldest_unsent_ms));
	else
		print_text("unsent       %llu\n", (unsigned long long)s->unsent);
	print_text("quarantined  %llu\nheld         %llu\n", (unsigned long long)s->quarantined,
	           (unsigned long long)s->held);
}

int status_run(struct call *c, struct error *e)
{
	Lm__NodeStatus *status = NULL;
	int result = client_get(c, "/ctl/v1/status", &lm__node_status__descriptor, &status, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	int64_t now_ms = clock_wall_ms();
	node_show(&c->arena, status, now_ms);
	links_show(&c->arena, status->links, now_ms);
	lines_show(&c->arena, status);
	return OK;
}
