/*
 * A device with two histories: two machines have its keys. Whoever takes its entries notices (journal/receive.c), stops
 * taking them and says so: at once, and to each machine that greets later. A machine that hears it takes no more
 * business, and remembers that. The district hears it with the town's beats; an operator there names the history that
 * goes on. That is an entry for all:
 *
 *   who takes the device's entries   takes them again (journal/history.c), and what was kept aside meanwhile
 *   the machine whose history it is  goes on
 *   the other one                    stays closed for ever; what it has saved still leaves it, into quarantine
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/log.h"
#include "links.h"
#include "node/control.h"

#define ASIDES_A_TURN_MOST 256
#define ASIDES_BYTES_MOST (32u * 1024 * 1024)
#define DOUBLED_AFTER 2 /* a frame of a process that has ended may come late, but hardly twice */

static bool is_ours(const struct node *n, const struct line *l)
{
	return l->key.origin == n->domain.device && l->key.stream == LM__STREAM__STREAM_UP;
}

static const struct line *own_up(const struct node *n)
{
	struct line_key up = { n->domain.device, LM__STREAM__STREAM_UP, 0 };
	return journal_line_find(n->journal, &up);
}

/* ---- noticed here ---- */

bool histories_of(const struct line *l, Lm__History out[2])
{
	if (!l->is_frozen || !l->fork.seq)
		return false;
	lm__history__init(&out[0]);
	lm__history__init(&out[1]);
	out[0].incarnation = l->incarnation;
	out[0].seq = l->seq;
	out[1].incarnation = l->fork.incarnation;
	out[1].seq = l->fork.seq;
	return true;
}

static void line_tell(struct node *n, struct peer *p, const struct line *l)
{
	link_event_line(n, p, LINK_TAKE_LINE, l->number, l->ordinal);
	link_event_line(n, p, LINK_FROZEN, l->number, 0);
}

/* The machine that has nothing to send would not hear it otherwise. */
void histories_tell(struct node *n, struct peer *p)
{
	for (uint32_t number = 1; number <= journal_line_count(n->journal); number++) {
		const struct line *l = journal_line(n->journal, number);
		if (l->is_frozen && line_comes_from(n, l, p))
			line_tell(n, p, l);
	}
}

void history_run_note(struct peer *p, uint64_t run)
{
	if (run == p->run || !run)
		return;
	if (run != p->run_before)
		p->run_returns = 0;
	else if (++p->run_returns == DOUBLED_AFTER)
		log_write(LOG_ERROR, "doubled",
		          "two machines with the keys of %s take turns at its link: find the second one, and stop it",
		          p->place);
	p->run_before = p->run;
	p->run = run;
}

bool history_is_doubled(const struct peer *p)
{
	return p->run_returns >= DOUBLED_AFTER;
}

/* ---- heard from above ---- */

/* Says which of the two is this machine's, so that people who stand before it can tell. */
static void why_make(struct node *n, const Lm__AckLine *ack, char *out, size_t size)
{
	char name[2][HISTORY_TEXT_BYTES];
	int which = -1;
	for (int i = 0; i < 2; i++) {
		const Lm__History *h = ack->histories[i];
		struct history history = { h->incarnation, h->seq };
		struct store_txn *txn = send_snapshot(n);
		history_to_text(h, name[i]);
		if (txn && !journal_history_is_ours(n->journal, txn, &history))
			which = i;
	}
	snprintf(out, size, "two histories, %s and %s; this machine's is %s", name[0], name[1],
	         which < 0 ? "neither yet" : name[which]);
}

static void freeze(struct node *n, const struct line *l, const struct history *fork, const char *why)
{
	if (journal_freeze(n->journal, l->number, fork, why))
		return;          /* it is said again */
	n->marks_written_us = 0; /* this turn writes it */
	n->must_tell_links = true;
}

void history_ack_came(struct node *n, struct peer *p, const struct line *l, const Lm__AckLine *ack)
{
	if (!p->is_upstream || l->key.stream != LM__STREAM__STREAM_UP)
		return; /* who takes what we compose for it decides nothing about us */
	if (ack->n_histories != 2) {
		if (is_ours(n, l)) {
			snprintf(n->refused_why, sizeof n->refused_why, "%s", ack->why);
			n->is_refused_full = strcmp(ack->code, error_name(ERR_FULL)) == 0;
		}
		return;
	}
	struct history fork = { ack->histories[1]->incarnation, ack->histories[1]->seq };
	char why[sizeof l->frozen_why];
	if (is_ours(n, l))
		why_make(n, ack, why, sizeof why);
	else
		snprintf(why, sizeof why, "%s", ack->why);
	if (l->is_frozen && (!l->is_told || l->is_closed || strcmp(why, l->frozen_why) == 0))
		return;
	freeze(n, l, &fork, why);
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers; i++)
		if (!n->peer[i]->is_upstream && n->peer[i]->device == l->key.origin)
			line_tell(n, n->peer[i], l);
}

void history_taken(struct node *n, const struct peer *p, const struct line *l)
{
	if (!p->is_upstream || l->key.stream != LM__STREAM__STREAM_UP)
		return;
	if (is_ours(n, l))
		n->refused_why[0] = '\0';
	if (!l->is_frozen || !l->is_told || l->is_closed || journal_unfreeze(n->journal, l->number))
		return;
	n->marks_written_us = 0;
	n->must_tell_links = true;
}

/* What was refused is offered again after a while, and in the next session: a refusal stands no longer than the engine
 * holds the line back. Otherwise who has nothing left to send would never hear that it is taken again. */
static bool is_refused(const struct node *n, const struct line *l)
{
	const struct link_out *out = l && n->upstream ? link_out_find(&n->upstream->link, l->number) : NULL;
	return out && out->is_frozen;
}

/* Only this thread changes it. */
void history_state_tell(struct node *n)
{
	struct upstream_state *u = &n->upstream_state;
	const struct line *l = own_up(n);
	if (n->refused_why[0] && !is_refused(n, l))
		n->refused_why[0] = '\0';
	bool is_closed = l && l->is_closed, is_frozen = (l && l->is_frozen) || n->refused_why[0];
	const char *why = l && l->is_frozen ? l->frozen_why : n->refused_why;
	bool is_full = is_frozen && !(l && l->is_frozen) && n->is_refused_full;
	if (u->is_frozen == is_frozen && u->is_closed == is_closed && u->is_full_above == is_full &&
	    strcmp(u->frozen_why, why) == 0)
		return;
	pthread_mutex_lock(&n->directory_lock);
	u->is_frozen = is_frozen;
	u->is_closed = is_closed;
	u->is_full_above = is_full;
	snprintf(u->frozen_why, sizeof u->frozen_why, "%s", why);
	pthread_mutex_unlock(&n->directory_lock);
	n->must_tell_links = true;
}

/* ---- the district's word ---- */

static int own_history(struct turn *t, const Lm__HistoryPayload *p, struct error *e)
{
	struct history goes_on = { p->goes_on->incarnation, p->goes_on->seq };
	struct history closed = { p->closed->incarnation, p->closed->seq };
	int result = journal_history_is_ours(t->journal, t->txn, &goes_on);
	if (!result)
		return journal_own_release(t->journal, NULL);
	if (result == ERR_NOT_FOUND)
		result = journal_history_is_ours(t->journal, t->txn, &closed);
	const struct line *l = own_up(t->node);
	if (result == ERR_NOT_FOUND && (!l || !l->is_frozen))
		return OK; /* from before they parted: its next entry will be a rollback */
	if (result && result != ERR_NOT_FOUND)
		return store_failure(t->txn, e) ? store_failure(t->txn, NULL) : result;
	const char *why = arena_format(t->arena, "another machine with this device's keys goes on: %.90s", p->reason);
	if (!why)
		return error_set(e, ERR_MEMORY, "no memory to close this device");
	log_write(LOG_ERROR, "closed", "%s (%s)", why, p->by);
	return journal_own_release(t->journal, why);
}

int history_run(struct turn *t, const struct domain_effect *fx, struct error *e)
{
	struct node *n = t->node;
	Lm__HistoryPayload *p;
	struct directory_row row;
	int result = CODEC_UNPACK(lm__history_payload, fx->message, t->arena, &p, e);
	if (result)
		return result;
	n->must_offer = n->must_take_asides = n->must_tell_links = true;
	if (p->device == n->domain.device)
		return own_history(t, p, e);
	struct release r = { .device = p->device,
		             .goes_on = { p->goes_on->incarnation, p->goes_on->seq },
		             .closed = { p->closed->incarnation, p->closed->seq },
		             .closed_from = p->closed_from };
	r.why = arena_format(t->arena, "of the machine that was closed: %s", p->reason);
	r.is_taken_here = n->domain.tier != LM__TIER__TIER_TERMINAL && directory_device(n, p->device, &row) &&
	                  place_contains(n->domain.place, row.place);
	if (!r.why)
		return error_set(e, ERR_MEMORY, "no memory to release a device");
	log_write(LOG_WARN, "released", "history %016llx-%llu of device %016llx goes on, by %s: %s",
	          (unsigned long long)p->goes_on->incarnation, (unsigned long long)p->goes_on->seq,
	          (unsigned long long)p->device, p->by, p->reason);
	return journal_release(t->journal, &r, e);
}

/* ---- what was kept aside meanwhile ---- */

/* One after another, again and again while that helps: what one incarnation continues may be among another's. */
static int asides_run(struct turn *t, struct command *c, struct error *e)
{
	struct aside *list;
	size_t count, placed = 0;
	bool has_moved = true;
	(void)c;
	int result = journal_asides(t->journal, t->txn, t->arena, &list, &count, e);
	while (!result && has_moved) {
		has_moved = false;
		for (size_t i = 0; i < count && !result; i++) {
			if (!list[i].line || placed >= ASIDES_A_TURN_MOST || t->arena->used_bytes > ASIDES_BYTES_MOST)
				continue;
			result = aside_take(t, &list[i], e);
			bool is_settled = !result || result == ERR_DUPLICATE;
			if (is_settled)
				list[i].line = 0;
			placed += is_settled;
			has_moved |= is_settled;
			if (is_settled || result == ERR_GAP || result == ERR_FROZEN)
				result = OK;
		}
	}
	t->node->must_take_asides = placed > 0; /* there may be more */
	return result;
}

static void asides_done(struct node *n, struct command *c)
{
	(void)n;
	if (c->result)
		log_write(LOG_ERROR, "asides", "what was kept aside cannot go on: %s", c->error.text);
	free(c);
}

struct command *history_command(struct node *n)
{
	struct command *c = n->must_take_asides ? calloc(1, sizeof *c) : NULL;
	if (!c)
		return NULL;
	n->must_take_asides = false;
	*c = (struct command){ .run = asides_run, .done = asides_done };
	return c;
}

/* ---- an operator at the district ---- */

const struct peer *reporter_of(struct node *n, uint64_t device, size_t *report)
{
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers; i++)
		for (*report = 0; *report < n->peer[i]->report_count; ++*report)
			if (n->peer[i]->reports[*report].device == device)
				return n->peer[i];
	return NULL;
}

/* As it is frozen here, else as its town says. */
bool histories_known(struct node *n, uint64_t device, Lm__History out[2])
{
	struct line_key up = { device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	size_t at;
	if (l && histories_of(l, out))
		return true;
	const struct peer *town = reporter_of(n, device, &at);
	for (size_t i = 0; i < 2 && town; i++) {
		lm__history__init(&out[i]);
		out[i].incarnation = town->report_histories[at][i].incarnation;
		out[i].seq = town->report_histories[at][i].seq;
	}
	return town && out[1].seq;
}

static int payload_make(struct turn *t, const Lm__ReleaseCommand *in, uint64_t device, Lm__History history[2],
                        Lm__HistoryPayload *out, struct error *e)
{
	char name[2][HISTORY_TEXT_BYTES];
	if (!histories_known(t->node, device, history))
		return error_set(e, ERR_NOT_FOUND,
		                 "device %016llx has one history only, as far as is known here: nothing is frozen",
		                 (unsigned long long)device);
	for (size_t i = 0; i < 2; i++)
		history_to_text(&history[i], name[i]);
	bool is_stored = strcmp(in->history, name[0]) == 0;
	if (!is_stored && strcmp(in->history, name[1]) != 0)
		return error_set(e, ERR_INVALID, "history: it is %s (stored) or %s (the other), not '%.40s'", name[0],
		                 name[1], in->history);
	out->device = device;
	out->goes_on = &history[is_stored ? 0 : 1];
	out->closed = &history[is_stored ? 1 : 0];
	out->closed_from = out->closed->seq + (is_stored ? 0 : 1); /* the other one is named by what was not taken */
	out->reason = in->reason;
	out->by = in->by;
	return history_check(out, e);
}

static int release_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__ReleaseCommand *in = (Lm__ReleaseCommand *)a->input;
	Lm__HistoryPayload payload = LM__HISTORY_PAYLOAD__INIT;
	Lm__History history[2];
	Lm__DeviceRecord *record;
	int result = only_at_hub(t->node, e);
	if (!result)
		result = device_named(t, in->device, &a->arena, &record, e);
	if (!result)
		result = payload_make(t, in, record->device, history, &payload, e);
	if (!result)
		result = all_append(t, LM__KIND__KIND_HISTORY, &payload.base, e);
	if (result)
		return result;
	Lm__DeviceView *view = device_view(t->node, &a->arena, record);
	a->output = view ? &view->base : NULL;
	return view ? OK : error_set(e, ERR_MEMORY, "no memory");
}

void control_release(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__release_command__descriptor);
	if (!a)
		return;
	act_by(a, &((Lm__ReleaseCommand *)a->input)->by);
	act_command(context, a, release_run);
}
