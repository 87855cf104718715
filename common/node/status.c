/*
 * Status and links, as lmctl and the pages show them. Built on the writer, in the turn, from what it owns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"
#include "node/control.h"

struct view { /* a command that builds a view in its own arena */
	struct command command;
	struct arena arena;
	struct http_request *request;
	void (*done)(struct node *n, const Lm__LinksView *view);
	ProtobufCMessage *message;
};

static char *hex_text(struct arena *arena, uint64_t v)
{
	return arena_format(arena, "%016llx", (unsigned long long)v);
}

static uint64_t received_of(const struct node *n, uint64_t device)
{
	struct line_key up = { device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	return l ? l->ordinal : 0;
}

/* A town that froze a line of its own tells of it. False: no memory. */
static bool histories_show(struct node *n, struct arena *arena, uint64_t device, Lm__LinkView *v)
{
	Lm__History history[2];
	char name[HISTORY_TEXT_BYTES];
	if (!histories_known(n, device, history))
		return true;
	v->histories = arena_alloc(arena, 2 * sizeof *v->histories);
	for (size_t i = 0; i < 2 && v->histories; i++) {
		history_to_text(&history[i], name);
		v->histories[i] = arena_text(arena, name);
	}
	if (!v->histories || !v->histories[0] || !v->histories[1])
		return false;
	v->n_histories = 2;
	if (!v->is_frozen)
		v->text = arena_format(arena, "two histories at its town: %s is stored, %s does not continue it",
		                       v->histories[0], v->histories[1]);
	v->is_frozen = true;
	return true;
}

static bool share_show(const struct node *n, struct arena *arena, const struct line *l, Lm__LinkView *v)
{
	char why[SHARE_WHY_BYTES];
	v->stored_bytes = share_used(n, l->key.origin);
	v->is_share_spent = share_is_spent(n, l);
	if (!v->is_share_spent || v->text[0])
		return true;
	share_why(n, l, why, sizeof why);
	v->text = arena_text(arena, why);
	return v->text != NULL;
}

static Lm__LinkView *link_view(struct node *n, struct arena *arena, uint64_t device, const char *place, Lm__Tier tier)
{
	Lm__LinkView *v = arena_alloc(arena, sizeof *v);
	if (!v)
		return NULL;
	lm__link_view__init(v);
	v->device = hex_text(arena, device);
	v->place = arena_text(arena, place);
	v->place_name = node_place_words(n, v->place, arena);
	v->tier = tier;
	v->received = received_of(n, device);
	v->text = arena_text(arena, "");
	struct line_key up = { device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	if (l && l->is_frozen)
		v->text = arena_text(arena, l->frozen_why);
	v->is_frozen = l && l->is_frozen;
	if (!v->text || !histories_show(n, arena, device, v) || (l && !share_show(n, arena, l, v)))
		return NULL;
	return v->device && v->place && v->place_name && v->text ? v : NULL;
}

static void link_view_direct(Lm__LinkView *v, const struct peer *p)
{
	v->is_direct = true;
	v->is_up = p->link.state == LINK_OPEN;
	v->since_ms = p->since_ms;
	v->heard_ms = p->heard_ms;
	v->waiting_down = link_waiting(&p->link);
	v->waiting_up = p->link.peer_waiting;
	v->clock_ahead_ms = atomic_load(&p->clock_ahead_ms);
	if (history_is_doubled(p) && !v->is_frozen)
		v->text = (char *)(uintptr_t) "two machines with its keys take turns at this link";
}

static struct peer *peer_of(struct node *n, uint64_t device)
{
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers; i++)
		if (!n->peer[i]->is_upstream && n->peer[i]->device == device)
			return n->peer[i];
	return NULL;
}

/* A terminal's link as its town tells it; a town that is out of reach tells nothing, and that is said. */
static void link_view_reported(struct node *n, Lm__LinkView *v, uint64_t device)
{
	size_t at;
	const struct peer *town = reporter_of(n, device, &at);
	if (!town)
		return;
	v->is_up = town->reports[at].is_up;
	v->since_ms = town->reports[at].since_ms;
	v->heard_ms = town->reports[at].heard_ms;
	v->waiting_down = town->reports[at].waiting;
	v->clock_ahead_ms = town->reports[at].clock_ahead_ms;
}

static void clock_show(const struct node *n, struct arena *arena, Lm__LinkView *v)
{
	const char *text = clock_is_off(n, v->clock_ahead_ms) ? clock_text(arena, v->clock_ahead_ms) : NULL;
	if (text && v->text && !v->text[0])
		v->text = (char *)(uintptr_t)text;
}

struct links_build {
	struct node *node;
	struct arena *arena;
	Lm__LinkView **list;
	size_t count, capacity;
	bool is_short;
};

static void links_add(struct links_build *b, const struct directory_row *row)
{
	struct node *n = b->node;
	if (row->role == LM__TIER__TIER_DISTRICT || row->device == n->domain.device ||
	    !place_contains(n->domain.place, row->place))
		return;
	Lm__LinkView *v = link_view(n, b->arena, row->device, row->place, row->role);
	if (!v || b->count == b->capacity) {
		b->is_short = true;
		return;
	}
	struct peer *p = peer_of(n, row->device);
	if (p)
		link_view_direct(v, p);
	else
		link_view_reported(n, v, row->device);
	clock_show(n, b->arena, v);
	v->is_revoked = row->is_revoked;
	if (row->is_revoked)
		v->text = arena_text(b->arena, row->why);
	b->list[b->count++] = v;
}

static int link_compare(const void *a, const void *b)
{
	return strcmp((*(Lm__LinkView *const *)a)->place, (*(Lm__LinkView *const *)b)->place);
}

Lm__LinksView *links_build(struct node *n, struct arena *arena)
{
	Lm__LinksView *view = arena_alloc(arena, sizeof *view);
	struct links_build b = { .node = n, .arena = arena, .capacity = n->directory_count + 1 };
	b.list = arena_alloc(arena, b.capacity * sizeof *b.list);
	if (!view || !b.list)
		return NULL;
	lm__links_view__init(view);
	if (n->upstream) {
		struct upstream_state state;
		node_upstream(n, &state);
		view->upstream = link_view(n, arena, n->upstream->device, n->upstream->place, n->upstream->role);
		if (view->upstream) {
			link_view_direct(view->upstream, n->upstream);
			view->upstream->is_frozen = state.is_frozen;
			view->upstream->text = arena_text(arena, state.is_frozen ? state.frozen_why : state.text);
			clock_show(n, arena, view->upstream);
		}
	}
	for (size_t i = 0; i < n->directory_count; i++)
		links_add(&b, &n->directory[i]); /* only the writer changes it */
	qsort(b.list, b.count, sizeof *b.list, link_compare);
	view->links = b.list;
	view->n_links = b.count;
	view->time_ms = clock_wall_ms();
	return b.is_short ? NULL : view;
}

static int lines_build(struct node *n, struct arena *arena, Lm__NodeStatus *s)
{
	uint32_t count = journal_line_count(n->journal);
	s->lines = arena_alloc(arena, (count + 1) * sizeof *s->lines);
	for (uint32_t number = 1; number <= count && s->lines; number++) {
		const struct line *l = journal_line(n->journal, number);
		struct directory_row row;
		Lm__LineView *v = arena_alloc(arena, sizeof *v);
		if (!v)
			return ERR_MEMORY;
		lm__line_view__init(v);
		v->line = l->number;
		v->origin = hex_text(arena, l->key.origin);
		v->place = arena_text(arena, l->key.origin == n->domain.device          ? n->domain.place
		                             : directory_device(n, l->key.origin, &row) ? row.place
		                                                                        : "");
		v->stream = l->key.stream;
		v->receiver = l->key.receiver ? hex_text(arena, l->key.receiver) : arena_text(arena, "");
		v->ordinal = l->ordinal;
		v->incarnation = hex_text(arena, l->incarnation);
		v->seq = l->seq;
		v->custody = l->custody;
		v->final = l->final;
		v->safe = l->safe;
		v->trimmed = l->trimmed;
		v->is_frozen = l->is_frozen;
		v->why = arena_text(arena, l->frozen_why);
		v->rollbacks = l->rollbacks;
		if (!v->origin || !v->place || !v->receiver || !v->incarnation || !v->why)
			return ERR_MEMORY;
		s->lines[s->n_lines++] = v;
	}
	return s->lines ? OK : ERR_MEMORY;
}

int64_t oldest_unsent_ms(struct turn *t, uint64_t *unsent)
{
	int64_t oldest_ms = -1;
	*unsent = 0;
	for (uint32_t number = 1; number <= journal_line_count(t->journal); number++) {
		const struct line *l = journal_line(t->journal, number);
		uint64_t position, count = line_unsent(t->node, l);
		Lm__TapeItem *item;
		int64_t age_ms = 0;
		if (!count)
			continue;
		*unsent += count;
		if (!journal_read_line(t->txn, number, l->custody + 1, t->arena, &position, &item, NULL) &&
		    t->now_ms > item->taken_ms)
			age_ms = t->now_ms - item->taken_ms;
		oldest_ms = age_ms > oldest_ms ? age_ms : oldest_ms;
	}
	return oldest_ms;
}

static int status_run(struct turn *t, struct command *c, struct error *e)
{
	struct view *view = c->context;
	struct node *n = t->node;
	struct arena *arena = &view->arena;
	arena_reset(arena);
	Lm__NodeStatus *s = arena_alloc(arena, sizeof *s);
	char authority[2 * HASH_BYTES + 1], curve[2 * KEY_BYTES + 1];
	struct store_usage usage;
	if (!s)
		return error_set(e, ERR_MEMORY, "no memory for the status");
	lm__node_status__init(s);
	hex_encode(BYTES_OF(n->authority_hash), authority);
	hex_encode(BYTES_OF(n->keys.curve_public), curve);
	store_usage_read(n->store, &usage);
	s->program = arena_text(arena, n->tier.program);
	s->version = arena_text(arena, NODE_VERSION);
	s->tier = n->domain.tier;
	s->place = arena_text(arena, n->domain.place);
	s->device = hex_text(arena, n->domain.device);
	s->fingerprint = arena_text(arena, n->fingerprint);
	s->incarnation = hex_text(arena, journal_incarnation(n->journal));
	s->started_ms = n->started_ms;
	s->map_bytes = usage.map_bytes;
	s->map_percent = atomic_load(&n->percent);
	s->is_full = atomic_load(&n->is_full);
	s->tape_position = journal_position(n->journal);
	s->held = journal_held_count(t->txn);
	s->quarantined = journal_waiting_count(t->txn) - s->held;
	s->oldest_unsent_ms = oldest_unsent_ms(t, &s->unsent);
	s->links = links_build(n, arena);
	s->authority = arena_text(arena, authority);
	s->http_address = arena_text(arena, n->config.http_address ? n->config.http_address : "");
	s->link_address = arena_text(arena, n->server ? net_server_address(n->server) : "");
	s->commits = atomic_load(&n->counters.commits);
	s->entries = atomic_load(&n->entries);
	s->curve_key = arena_text(arena, curve);
	s->generation = n->keys.generation;
	s->is_changing_keys = atomic_load(&n->is_changing_keys);
	if (lines_build(n, arena, s) || !s->links)
		return error_set(e, ERR_MEMORY, "no memory for the status");
	view->message = &s->base;
	return OK;
}

static int links_run(struct turn *t, struct command *c, struct error *e)
{
	struct view *view = c->context;
	arena_reset(&view->arena);
	Lm__LinksView *links = links_build(t->node, &view->arena);
	if (!links)
		return error_set(e, ERR_MEMORY, "no memory for the list of links");
	view->message = &links->base;
	return OK;
}

static void view_done(struct node *n, struct command *c)
{
	struct view *view = c->context;
	if (view->done && !c->result)
		view->done(n, (const Lm__LinksView *)view->message);
	if (view->request && c->result)
		node_answer_error(view->request, c->result, &c->error);
	else if (view->request)
		node_answer(view->request, view->message);
	arena_release(&view->arena);
	free(view);
}

static int view_begin(struct node *n, int (*run)(struct turn *t, struct command *c, struct error *e),
                      struct http_request *r, void (*done)(struct node *n, const Lm__LinksView *view))
{
	struct view *view = calloc(1, sizeof *view);
	if (!view)
		return ERR_MEMORY;
	arena_init(&view->arena, 16 * 1024 * 1024);
	view->request = r;
	view->done = done;
	view->command = (struct command){ .run = run, .done = view_done, .context = view };
	int result = node_command(n, &view->command);
	if (result)
		free(view);
	return result;
}

static void view_answer(struct node *n, int (*run)(struct turn *t, struct command *c, struct error *e),
                        struct http_request *r)
{
	int result = view_begin(n, run, r, NULL);
	if (result)
		http_answer_error(r, result, "too much is waiting; try again");
}

void control_status(void *context, struct http_request *r)
{
	view_answer(context, status_run, r);
}

void control_links(void *context, struct http_request *r)
{
	view_answer(context, links_run, r);
}

int links_view_get(struct node *n, void (*done)(struct node *n, const Lm__LinksView *view))
{
	return view_begin(n, links_run, NULL, done);
}
