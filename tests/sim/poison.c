/*
 * Entries that are signed and chained as they should be, and that nobody above can apply: a request that names no
 * service, and an answer that cites it, both with payloads of noise. They go into quarantine, and wait there; whatever
 * comes behind them does not. When the faults are over an operator at each tier tries some of them once more and drops
 * them all.
 */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "proto/codec.h"
#include "sim.h"
#include "sync/link.h"

#define POISONS_MOST 512
#define ENTRIES 2 /* of each */

struct poison {
	struct site *terminal;
	struct id id;
	char request[33];
	bool is_written, is_retried;
	unsigned dropped[2]; /* at the town, at the hub */
};

static struct poison list[POISONS_MOST];
static size_t count;

void poison_reset(void)
{
	memset(list, 0, sizeof list);
	count = 0;
}

static int entry_append(struct turn *t, const struct poison *p, Lm__Kind kind, struct error *e)
{
	uint8_t noise[40];
	struct placed placed;
	Lm__Header h = LM__HEADER__INIT;
	prng_fill(&world.chance, noise, sizeof noise);
	h.kind = kind;
	h.request_id = codec_data(BYTES(arena_copy(t->arena, p->id.byte, ID_BYTES), ID_BYTES));
	h.place = p->terminal->place;
	struct draft draft = {
		.stream = LM__STREAM__STREAM_UP, .header = &h, .payload = BYTES_OF(noise), .is_sealed = true
	};
	return turn_append(t, &draft, &placed, e);
}

static int poison_run(struct turn *t, struct command *c, struct error *e)
{
	const struct poison *p = c->context;
	int result = entry_append(t, p, LM__KIND__KIND_REQUEST, e);
	return result ? result : entry_append(t, p, LM__KIND__KIND_ANSWER, e);
}

static void poison_done(struct node *n, struct command *c)
{
	struct poison *p = c->context;
	(void)n;
	p->is_written = !c->result && !p->terminal->is_dying;
	if (p->is_written)
		tell("%-24s writes poison, %s", p->terminal->name, p->request);
	free(c);
}

bool strike_poison(struct site *s)
{
	struct command *c = calloc(1, sizeof *c);
	if (!c)
		abort();
	if (s->tier != LM__TIER__TIER_TERMINAL || !s->node || s->is_dying || s->is_stopping || count == POISONS_MOST) {
		free(c);
		return false;
	}
	struct poison *p = &list[count++];
	p->terminal = s;
	prng_fill(&world.chance, p->id.byte, ID_BYTES);
	hex_encode(BYTES_OF(p->id), p->request);
	*c = (struct command){ .run = poison_run, .done = poison_done, .is_business = true, .context = p };
	struct site *before = world.here;
	world.here = s;
	int result = node_command(s->node, c);
	world.here = before;
	if (result)
		free(c);
	return !result;
}

/* ---- operators ---- */

static struct poison *poison_find(const char *request)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].request, request) == 0)
			return &list[i];
	return NULL;
}

static const char *text_of(const json_t *item, const char *key)
{
	const char *text = json_string_value(json_object_get(item, key));
	return text ? text : "";
}

static bool act(struct site *s, const json_t *item, const char *what)
{
	json_t *done = ask_if_alive(s, "POST", "/ctl/v1/quarantine",
	                            json_pack("{s:s,s:s,s:s,s:s}", "item", text_of(item, "item"), "act", what, "reason",
	                                      "示例", "by", "sim"));
	json_decref(done);
	return done != NULL;
}

/* What a history that was closed has said, each once more by hand: the act of its machine is as good as any other, but
 * may come too late. */
static void closed_retry(struct site *s, const json_t *item)
{
	bool is_tried = strcmp(text_of(item, "tried_ms"), "0") != 0;
	if (is_tried && strcmp(text_of(item, "kind"), "KIND_REQUEST") == 0)
		fail("%s cannot apply request %s of a history that was closed: %s", s->name,
		     text_of(item, "request_id"), text_of(item, "reason"));
	act(s, item, is_tried ? "QUARANTINE_ACT_DROP" : "QUARANTINE_ACT_RETRY");
}

static void item_drop(struct site *s, const json_t *item, bool is_last)
{
	struct poison *p = poison_find(text_of(item, "request_id"));
	bool is_held = strcmp(text_of(item, "disposition"), "DISPOSITION_HELD") == 0;
	bool is_frozen = strcmp(text_of(item, "disposition"), "DISPOSITION_FROZEN") == 0;
	if (is_frozen && is_last) /* it fits nowhere: what comes before it was on the disk that was put back */
		act(s, item, "QUARANTINE_ACT_DROP");
	if (is_frozen || (!p && is_held))
		return; /* until its device is released; or what it waits for is on its way */
	if (!p && is_released(text_of(item, "origin"))) {
		closed_retry(s, item);
		return;
	}
	if (!p && wipes_know(text_of(item, "origin")) && strcmp(text_of(item, "kind"), "KIND_KEYS") == 0) {
		act(s, item, "QUARANTINE_ACT_DROP"); /* it asked for other keys before it was lost */
		return;
	}
	if (!p)
		fail("%s has request %s in quarantine, which is good: %s", s->name, text_of(item, "request_id"),
		     text_of(item, "reason"));
	if (!p->is_retried && !is_held)
		p->is_retried = act(s, item, "QUARANTINE_ACT_RETRY");
	if (act(s, item, "QUARANTINE_ACT_DROP"))
		p->dropped[s == site_hub()]++;
}

void operators_drop(bool is_last)
{
	operators_release();
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		if (s->tier == LM__TIER__TIER_TERMINAL)
			continue;
		json_t *view = ask_if_alive(s, "GET", "/ctl/v1/quarantine?limit=100", NULL), *item;
		size_t at;
		json_array_foreach(json_object_get(view, "items"), at, item)
		{
			item_drop(s, item, is_last);
		}
		json_decref(view);
	}
}

/* ---- what must hold ---- */

/* What a resident hands in right behind it is at the town within one retry of the link. */
static void behind_check(struct site *s, const struct promise *p)
{
	world_run_until(world.now_us + LINK_RESEND_MS * MS);
	json_t *view = ask_now(s, "POST", "/api/v1/receipts/lookup", json_pack("{s:s}", "code", p->code));
	const json_t *receipt = json_array_get(json_object_get(view, "receipts"), 0);
	if (!json_is_true(json_object_get(json_object_get(receipt, "marks"), "town")))
		fail("%s: poison delays request %s", s->name, p->request);
	json_decref(view);
}

static void delay_check(struct site *s)
{
	json_t *state = ask_now(s, "GET", "/api/v1/state", NULL);
	bool can_take = json_is_true(json_object_get(state, "can_take_requests"));
	json_decref(state);
	if (!can_take || !strike_poison(s))
		return;                              /* its map is full */
	const struct promise *p = people_hand_in(s); /* none: the poison has filled it up */
	if (p)
		behind_check(s, p);
	world_run_until(world.now_us + LINK_RESEND_MS * MS);
	operators_drop(false);
}

void poison_check(void)
{
	if (!fault_is_about(FAULT_POISON))
		return;
	struct site *s = &world.site[draw(world.site_count)];
	if (s->tier == LM__TIER__TIER_TERMINAL)
		delay_check(s);
	for (size_t i = 0; i < count; i++) {
		const struct poison *p = &list[i];
		bool may_be_gone = !p->is_written || fault_is_about(FAULT_ROLLBACK) || fault_is_about(FAULT_WIPE) ||
		                   fault_is_about(FAULT_CLONE);
		for (size_t tier = 0; tier < 2; tier++)
			if (p->dropped[tier] != ENTRIES && !(may_be_gone && !p->dropped[tier]))
				fail("%s wrote poison %s, and %u of its %d entries were in quarantine at the %s",
				     p->terminal->name, p->request, p->dropped[tier], ENTRIES, tier ? "hub" : "town");
	}
}
