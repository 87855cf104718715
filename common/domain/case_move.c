/*
 * Which acts are possible on a case in which state, and where they lead.
 *
 *              ACCEPT            ASK
 *   RECEIVED ──────────► ACCEPTED ─────► ASKED          (ANSWER_TAKEN: ASKED → ACCEPTED)
 *      │  ▲                 │   ▲──────────┘
 *      │  └── HAND_OVER ────┴──────────┘                 (the other tier owns it, or with REFER another town, and
 *      │                                                 accepts anew)
 *      └────────── any of the three ──────────► DECIDED (from ACCEPTED and ASKED only) · WITHDRAWN · DUPLICATE
 *
 *   Two decide: ACCEPTED · ASKED · OBJECTED ── PROPOSE ──► PROPOSED ── DECIDE, with that outcome ──► DECIDED
 *                                                              └── RETURN ──► ACCEPTED or OBJECTED
 *   Opened again: DECIDED ── OBJECT, once ──► OBJECTED, which is worked on as ACCEPTED is, and told apart from it until
 *                 the next decision; DECIDED · WITHDRAWN · DUPLICATE ── REOPEN ──► ACCEPTED
 *
 *   TOO_LATE: an ask that came after the end; CONFIRM_PERSON: whose case it is; EVIDENCE: what staff have seen. Nothing
 *   moves but the version. RATE: how the resident says it went; also of an open case, where it counts nothing: it was
 *   closed when it was rated. STEP (ACCEPTED): a step of the service is done; the term of the next one begins.
 */
#include "base/clock.h"
#include "inside.h"

bool case_state_is_closed(Lm__CaseState state)
{
	return state == LM__CASE_STATE__CASE_STATE_DECIDED || state == LM__CASE_STATE__CASE_STATE_WITHDRAWN ||
	       state == LM__CASE_STATE__CASE_STATE_DUPLICATE;
}

#define BIT(state) (1u << LM__CASE_STATE__CASE_STATE_##state)
#define WORKED_STATES (BIT(ACCEPTED) | BIT(ASKED) | BIT(OBJECTED))
#define OPEN_STATES (BIT(RECEIVED) | WORKED_STATES)
#define CLOSED_STATES (BIT(DECIDED) | BIT(WITHDRAWN) | BIT(DUPLICATE))
#define TO(state) LM__CASE_STATE__CASE_STATE_##state
#define DO(action) LM__CASE_ACTION__CASE_ACTION_##action

static const struct move {
	unsigned from;
	Lm__CaseState to; /* CASE_STATE_NONE: stays */
} moves[] = {
	[DO(ACCEPT)] = { BIT(RECEIVED), TO(ACCEPTED) },
	[DO(ASK)] = { BIT(ACCEPTED) | BIT(OBJECTED), TO(ASKED) },
	[DO(DECIDE)] = { WORKED_STATES | BIT(PROPOSED), TO(DECIDED) },
	[DO(WITHDRAWN)] = { OPEN_STATES | BIT(PROPOSED), TO(WITHDRAWN) },
	[DO(DUPLICATE)] = { OPEN_STATES, TO(DUPLICATE) },
	[DO(HAND_OVER)] = { OPEN_STATES, TO(RECEIVED) },
	[DO(REFER)] = { OPEN_STATES, TO(RECEIVED) },
	[DO(ANSWER_TAKEN)] = { OPEN_STATES | BIT(PROPOSED), TO(NONE) },
	[DO(TOO_LATE)] = { CLOSED_STATES, TO(NONE) },
	[DO(CONFIRM_PERSON)] = { OPEN_STATES | BIT(PROPOSED) | CLOSED_STATES, TO(NONE) },
	[DO(STEP)] = { BIT(ACCEPTED), TO(NONE) },
	[DO(EVIDENCE)] = { OPEN_STATES, TO(NONE) },
	[DO(PROPOSE)] = { WORKED_STATES, TO(PROPOSED) },
	[DO(RETURN)] = { BIT(PROPOSED), TO(ACCEPTED) },
	[DO(OBJECT)] = { BIT(DECIDED), TO(OBJECTED) },
	[DO(REOPEN)] = { CLOSED_STATES, TO(ACCEPTED) },
	[DO(RATE)] = { OPEN_STATES | BIT(PROPOSED) | CLOSED_STATES, TO(NONE) },
};
#define MOVE_COUNT (sizeof moves / sizeof *moves)

bool case_action_is_told(Lm__CaseAction action)
{
	return action != DO(CONFIRM_PERSON) && action != DO(EVIDENCE) && action != DO(PROPOSE) && action != DO(RETURN);
}

int case_action_check(const Lm__CaseRecord *record, Lm__CaseAction action, Lm__Outcome outcome, struct error *e)
{
	if ((size_t)action >= MOVE_COUNT || !moves[action].from)
		return error_set(e, ERR_INVALID, "there is no such action on a case");
	if ((action == DO(DECIDE) || action == DO(PROPOSE)) != (outcome != LM__OUTCOME__OUTCOME_NONE) ||
	    (unsigned)outcome > LM__OUTCOME__OUTCOME_REFUSED)
		return error_set(e, ERR_INVALID, "a decision, and nothing else, has an outcome");
	if (action == DO(HAND_OVER) && record->hidden_from && !record->referred_to[0])
		return error_set(e, ERR_DENIED, "this request is about the other tier: it is not handed over to it");
	if (action == DO(REFER) && (record->owner != LM__TIER__TIER_TOWN || record->referred_to[0]))
		return error_set(e, ERR_DENIED,
		                 "only the resident's town refers a case, while it has it: send it back");
	if (action == DO(DECIDE) && record->state == TO(PROPOSED) && outcome != record->proposed)
		return error_set(e, ERR_CONFLICT, "another outcome than this one was proposed");
	if (action == DO(OBJECT) && record->was_objected)
		return error_set(e, ERR_CONFLICT, "there was an objection before: what was decided on it stands");
	if (moves[action].from & (1u << record->state))
		return OK;
	if (case_state_is_closed(record->state))
		return error_set(e, ERR_CLOSED, "this case is closed");
	return error_set(e, ERR_CONFLICT, "this is not possible in the state in which the case is now");
}

int case_rating_check(const Lm__CaseRecord *record, Lm__CaseAction action, Lm__Rating rating, struct error *e)
{
	bool should_be = action == DO(RATE) && case_state_is_closed(record->state);
	if (should_be != (rating != LM__RATING__RATING_NONE) || (unsigned)rating > LM__RATING__RATING_VERY_BAD)
		return error_set(e, ERR_INVALID, "a closed case is rated with one of five words, and nothing else is");
	return OK;
}

/* ---- what the service says ---- */

bool case_action_needs_service(Lm__CaseAction action)
{
	return action == DO(STEP) || action == DO(DECIDE) || action == DO(PROPOSE) || action == DO(OBJECT);
}

bool service_needs_second(const Lm__Service *service, Lm__Outcome outcome)
{
	for (size_t i = 0; i < service->n_needs_second; i++)
		if (service->needs_second[i] == outcome)
			return true;
	return false;
}

int case_service_check(const Lm__Service *service, const Lm__CaseRecord *record, Lm__CaseAction action,
                       Lm__Outcome outcome, struct error *e)
{
	bool needs_second = service_needs_second(service, outcome);
	if (action == DO(STEP) && record->step >= service->n_steps)
		return error_set(e, ERR_CONFLICT, "all %zu steps of this service are done", service->n_steps);
	if (action == DO(DECIDE) && needs_second && record->state != TO(PROPOSED))
		return error_set(e, ERR_DENIED, "this service is decided by two: propose it, and another one approves");
	if (action == DO(PROPOSE) && !needs_second)
		return error_set(e, ERR_INVALID, "this needs no second person: decide it");
	if (action == DO(OBJECT) && (!service->objection || record->outcome == LM__OUTCOME__OUTCOME_GRANTED))
		return error_set(e, ERR_DENIED, "this decision cannot be objected to here");
	return OK;
}

#define DAY_MS (24ll * 3600 * 1000)

int64_t case_object_until(const Lm__Service *service, Lm__Outcome outcome, bool was_objected, int64_t decided_ms)
{
	if (!service->objection || was_objected || outcome == LM__OUTCOME__OUTCOME_NONE ||
	    outcome == LM__OUTCOME__OUTCOME_GRANTED)
		return 0;
	return clock_shanghai_day_end_ms(clock_shanghai_day(decided_ms + service->objection->days * DAY_MS));
}

/* ---- where an act leads ---- */

Lm__CaseState case_state_after(const Lm__CaseRecord *record, Lm__CaseAction action)
{
	Lm__CaseState to = (size_t)action < MOVE_COUNT ? moves[action].to : TO(NONE);
	if (action == DO(ANSWER_TAKEN) && record->state == TO(ASKED))
		to = TO(ACCEPTED);
	if (to == TO(ACCEPTED) && record->is_objected)
		return TO(OBJECTED);
	return to == TO(NONE) ? record->state : to;
}

static Lm__Tier owner_after(const Lm__CaseRecord *record, Lm__CaseAction action)
{
	if (action != DO(HAND_OVER) || record->referred_to[0]) /* back to the resident's town */
		return record->owner;
	return record->owner == LM__TIER__TIER_TOWN ? LM__TIER__TIER_DISTRICT : LM__TIER__TIER_TOWN;
}

void case_event_header(const struct domain *d, const Lm__CaseRecord *record, Lm__CaseAction action, Lm__Outcome outcome,
                       Lm__Header *h)
{
	bool was_closed = case_state_is_closed(record->state);
	bool will_be_closed = case_state_is_closed(case_state_after(record, action));
	h->kind = LM__KIND__KIND_CASE;
	h->place = d->place[0] ? (char *)(uintptr_t)d->place : h->place;
	h->service = record->service;
	h->revision = record->revision;
	h->action = action;
	h->outcome = outcome;
	h->owner = owner_after(record, action);
	h->epoch = record->epoch + (action == DO(HAND_OVER) || action == DO(REFER));
	h->version = record->version + 1;
	h->is_closing = !was_closed && will_be_closed;
	h->is_reopening = was_closed && !will_be_closed;
}
