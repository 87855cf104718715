/*
 * Entries and commands into the turn. A refusal is a value and touches nothing else; only a fault of the store ends
 * the turn, which is then run again without whoever caused it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "inside.h"
#include "proto/subject.h"

/* Applies an item that stands on the tape at `tape_position`; what apply refuses becomes its disposition. */
int item_apply(struct turn *t, const struct domain_item *item, uint64_t tape_position, bool *is_refused,
               struct error *e)
{
	struct node *n = t->node;
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t cause_size, effects = n->effects.count;
	struct error why = { 0 };
	int result = domain_apply(&n->domain, t->txn, t->arena, item, &n->effects, cause, &cause_size, &why);
	*is_refused = false;
	if (!result) {
		n->turn_counts.applied++;
		entry_trace(n, item->header, tape_position, "applied");
		return OK;
	}
	n->effects.count = effects;
	int failure = store_failure(t->txn, e);
	if (failure)
		return failure;
	if (error_is_of_machine(result)) /* no fault of the entry's: the turn is run without it, and it comes again */
		return error_set(e, result, "%s", why.text);
	news_add(n, &(struct domain_effect){ .type = DOMAIN_QUARANTINE });
	if (result == ERR_HELD) {
		n->turn_counts.held++;
		entry_trace(n, item->header, tape_position, "held");
		journal_hold(t->journal, BYTES(cause, cause_size), item->position);
		return journal_set_disposition(t->journal, tape_position, LM__DISPOSITION__DISPOSITION_HELD, why.text);
	}
	*is_refused = true;
	n->turn_counts.quarantined++;
	entry_trace(n, item->header, tape_position, "quarantined");
	log_write(LOG_WARN, "quarantined", "tape position %llu: %s", (unsigned long long)tape_position, why.text);
	return journal_set_disposition(t->journal, tape_position, LM__DISPOSITION__DISPOSITION_QUARANTINED, why.text);
}

int turn_append(struct turn *t, struct draft *draft, struct placed *out, struct error *e)
{
	struct node *n = t->node;
	/* Nor does anybody erase: neighbours are not told of what comes back, and would not be told of that. */
	bool is_erasing = draft->header->kind == LM__KIND__KIND_ERASE_ACT;
	if (n->is_returning && (draft->stream != LM__STREAM__STREAM_OWN || is_erasing)) {
		n->must_rerun = true; /* what the command wrote before it goes, too */
		return return_refuse(e);
	}
	draft->is_forgotten = draft->is_sealed && subject_is_erased(t->txn, header_subject(draft->header));
	int result = journal_append(t->journal, draft, out, e);
	if (result)
		return result;
	struct domain_item item = { .position = out->position,
		                    .ordinal = out->ordinal,
		                    .taken_ms = t->now_ms,
		                    .header = draft->header,
		                    .hash = out->hash,
		                    .plain = draft->is_forgotten ? (struct bytes){ 0 } : draft->payload,
		                    .is_absent = draft->is_forgotten };
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t cause_size;
	result = domain_apply(&n->domain, t->txn, t->arena, &item, &n->effects, cause, &cause_size, e);
	n->turn_counts.applied += !result;
	if (!result)
		entry_trace(n, draft->header, out->position, "written and applied");
	if (result) /* the entry is in the transaction already: it goes with the whole turn */
		n->must_rerun = true;
	return result;
}

int turn_may_write(struct turn *t, struct error *e)
{
	struct line_key up = { t->node->domain.device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(t->journal, &up);
	if (!l || !l->is_frozen)
		return OK;
	return error_set(e, ERR_FROZEN, "nothing more of this device is taken: %s", l->frozen_why);
}

int take_command(struct turn *t, struct work *w)
{
	struct command *c = w->command;
	struct node *n = t->node;
	c->error = (struct error){ 0 };
	c->result = c->is_business ? turn_may_write(t, &c->error) : OK;
	if (c->result)
		return OK;
	if (c->is_business && turn_is_full(t)) {
		c->result = error_set(&c->error, ERR_FULL,
		                      "the storage of this device is %u %% full, and the rest is kept for what is "
		                      "under way; nothing new is taken until the district has what is waiting",
		                      atomic_load(&n->percent));
		return OK;
	}
	if (c->is_business && n->is_returning) {
		c->result = return_refuse(&c->error);
		return OK;
	}
	n->effects.count = 0;
	uint64_t before = journal_position(t->journal);
	c->result = c->run(t, c, &c->error);
	if (!c->result)
		c->result = effects_run(t, &c->error);
	int failure = store_failure(t->txn, NULL);
	if (failure)
		return failure;
	/* A command is done whole or not at all: what it wrote before it failed goes with the turn. */
	bool has_written = journal_position(t->journal) != before;
	return c->result && (n->must_rerun || has_written) ? ERR_CONFLICT : OK;
}

static void quarantined_note(struct work *w, uint32_t line, uint64_t seq)
{
	struct peer *p = w->peer;
	for (size_t i = 0; i < p->quarantined_count; i++)
		if (p->quarantined[i].line == line && p->quarantined[i].seq == seq)
			return; /* the turn is run again, or the entry came again */
	if (p->quarantined_count < QUARANTINED_TOLD_MOST)
		p->quarantined[p->quarantined_count++] = (struct quarantined){ line, seq };
}

/* The sender was revoked while its entries were on the way: they are kept aside, nothing of them is placed. */
static bool sender_is_revoked(struct node *n, const struct work *w)
{
	struct directory_row row;
	return !w->peer->is_upstream && !directory_find(n, w->peer->curve_key, &row) && row.is_revoked;
}

/* Applies an entry that was placed. */
static int placed_apply(struct turn *t, const struct checked_entry *c, const struct placed *placed, bool *is_refused,
                        struct error *e)
{
	struct domain_item item = { .position = placed->position,
		                    .ordinal = placed->ordinal,
		                    .taken_ms = t->now_ms,
		                    .header = c->header,
		                    .hash = placed->hash,
		                    .plain = c->plain,
		                    .is_absent = c->is_absent };
	t->node->effects.count = 0;
	int result = item_apply(t, &item, placed->position, is_refused, e);
	return result || *is_refused ? result : effects_run(t, e);
}

static void closed_note(struct node *n)
{
	n->turn_counts.quarantined++;
	news_add(n, &(struct domain_effect){ .type = DOMAIN_QUARANTINE });
}

int aside_take(struct turn *t, const struct aside *aside, struct error *e)
{
	struct checked_entry c;
	struct placed placed;
	enum reception how;
	bool is_refused;
	int result = journal_aside_receive(t->journal, aside, t->arena, &c, &placed, &how, e);
	if (result)
		return result;
	if (how == RECEIVED_CLOSED) {
		closed_note(t->node);
		return OK;
	}
	if (c.header->kind == LM__KIND__KIND_PERIOD)
		c.plain = c.payload;
	else
		c.is_absent = journal_payload_open(t->journal, t->txn, c.header, c.payload, c.envelope_packed, t->arena,
		                                   &c.plain, NULL) != OK;
	news_add(t->node, &(struct domain_effect){ .type = DOMAIN_QUARANTINE });
	return placed_apply(t, &c, &placed, &is_refused, e);
}

/* What is about an erased request or record comes in without what would open it, whoever still had that. A copy: if the
 * turn is rolled back, it may not have been erased. */
static struct checked_entry entry_allowed(struct turn *t, const struct work *w, size_t i)
{
	struct checked_entry c = w->entries[i];
	if (c.header->envelope_hash.len && subject_is_erased(t->txn, header_subject(c.header))) {
		c.envelope_packed = c.plain = (struct bytes){ 0 };
		c.is_absent = true;
	}
	return c;
}

static int entry_take(struct turn *t, struct work *w, size_t i, struct error *e)
{
	const struct checked_entry allowed = entry_allowed(t, w, i), *c = &allowed;
	struct placed placed;
	enum reception how;
	bool is_refused = false;
	bool is_offender = w->offenders && w->offenders[i];
	Lm__Disposition disposition =
	        is_offender ? LM__DISPOSITION__DISPOSITION_QUARANTINED : LM__DISPOSITION__DISPOSITION_APPLIED;
	int result = journal_receive(t->journal, c, disposition, is_offender ? "it made a turn fail" : NULL, &placed,
	                             &how, e);
	if (result)
		return result;
	w->was_rollback |= how == RECEIVED_BEHIND;
	if (is_offender || how == RECEIVED_CLOSED) {
		closed_note(t->node);
		quarantined_note(w, placed.line, c->header->seq);
		return OK;
	}
	result = placed_apply(t, c, &placed, &is_refused, e);
	if (is_refused)
		quarantined_note(w, placed.line, c->header->seq);
	return result;
}

/* OK, or a fault of the store; then w->offender says at which entry. What the batch means to the link is told after the
 * commit. */
int take_batch(struct turn *t, struct work *w)
{
	struct node *n = t->node;
	struct error e = { 0 };
	w->offender = 0;
	w->error = (struct error){ 0 };
	w->fault = OK;
	w->was_rollback = false;
	if (atomic_load(&n->percent) >= STOP_PERCENT || return_must_wait(t, w)) {
		w->is_dropped = true; /* not acked: it comes again when there is room, or when it is its turn */
		return OK;
	}
	if (sender_is_revoked(n, w)) {
		w->is_dropped = true;
		for (size_t i = 0; i < w->entry_count; i++) {
			struct checked_entry allowed = entry_allowed(t, w, i);
			journal_set_aside(t->journal, &allowed, LM__DISPOSITION__DISPOSITION_REVOKED,
			                  "its device is revoked");
		}
		news_add(n, &(struct domain_effect){ .type = DOMAIN_QUARANTINE });
		return store_failure(t->txn, NULL);
	}
	bool is_begun = false; /* then it is taken whole: only its last entry is signed for, and without that nobody
	                        * above takes what came before */
	for (size_t i = 0; i < w->entry_count; i++) {
		if (!is_begun && share_refuses(t, w, i)) {
			w->fault = ERR_FULL;
			break;
		}
		int result = entry_take(t, w, i, &e);
		int failure = store_failure(t->txn, NULL);
		is_begun |= !result;
		if (failure || error_is_of_machine(result)) {
			w->offender = i + 1;
			w->error = e;
			return failure ? failure : result;
		}
		if (result == ERR_DUPLICATE) {
			w->fault = w->fault ? w->fault : result;
			continue;
		}
		if (result) {
			if (w->fault != ERR_CLONE) { /* what follows a clone finds its line frozen */
				w->fault = result;
				w->error = e;
			}
			if (result == ERR_GAP || result == ERR_BAD_SIGNATURE)
				break;
			news_add(n, &(struct domain_effect){ .type = DOMAIN_QUARANTINE });
			if (result == ERR_CLONE || result == ERR_FROZEN)
				continue; /* the rest is kept in quarantine too */
			/* An effect that was refused after its cause was applied: the turn cannot stand as it is. */
			w->offender = i + 1;
			return result;
		}
	}
	return OK;
}
