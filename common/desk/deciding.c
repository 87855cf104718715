#include "deciding.h"

#include <stdio.h>
#include <string.h>

#define DO(action) LM__CASE_ACTION__CASE_ACTION_##action

/* ---- evidence ---- */

/* Evidence is needed before anything is granted; some of it before a step is done. */
static bool proof_is_due(const Lm__ProofView *p, const Lm__CaseRecord *record, const Lm__CaseCommand *in)
{
	if (in->action == DO(STEP))
		return p->before_step && p->before_step <= record->step + 1;
	return (in->action == DO(DECIDE) || in->action == DO(PROPOSE)) &&
	       (in->outcome == LM__OUTCOME__OUTCOME_GRANTED || in->outcome == LM__OUTCOME__OUTCOME_PARTLY_GRANTED);
}

static int missing_check(const Lm__CaseView *view, const Lm__CaseRecord *record, const Lm__CaseCommand *in,
                         struct error *e)
{
	char list[200] = "";
	for (size_t i = 0, at = 0; i < view->n_proofs; i++) {
		const Lm__ProofView *p = view->proofs[i];
		if (p->source || !proof_is_due(p, record, in))
			continue;
		int written = snprintf(list + at, sizeof list - at, "%s%s", at ? "; " : "", p->text->zh);
		at = written < 0 || (size_t)written >= sizeof list - at ? sizeof list - 1 : at + (size_t)written;
	}
	return list[0] ? error_set(e, ERR_DENIED, "evidence is missing: %s", list) : OK;
}

static bool may_be_paper(const Lm__CaseView *view, uint32_t evidence)
{
	for (size_t i = 0; i < view->n_proofs; i++)
		if (view->proofs[i]->evidence == evidence)
			return view->proofs[i]->can_be_paper;
	return false;
}

static int seen_check(const Lm__CaseView *view, const Lm__CaseCommand *in, struct error *e)
{
	for (size_t i = 0; i < in->n_seen; i++)
		if (!may_be_paper(view, in->seen[i]))
			return error_set(e, ERR_INVALID, "seen: %u is no evidence of which staff see a paper",
			                 in->seen[i]);
	for (size_t i = 0; i < in->n_not_seen; i++)
		if (!may_be_paper(view, in->not_seen[i]))
			return error_set(e, ERR_INVALID, "not_seen: %u is no evidence of which staff see a paper",
			                 in->not_seen[i]);
	if (in->n_seen > view->n_proofs || in->n_not_seen > view->n_proofs)
		return error_set(e, ERR_INVALID, "seen, not_seen: each once");
	return OK;
}

/* ---- what is filled in at a step ---- */

static int values_check(const Lm__Service *service, const Lm__CaseRecord *record, const Lm__CaseCommand *in,
                        struct error *e)
{
	struct form_fault fault;
	const Lm__Step *step = service ? case_step(service, record) : NULL;
	if (in->approves || !case_action_has_values(in->action) ||
	    !step_values_check(step, in->action, in->outcome, in->values, in->n_values, &fault))
		return OK;
	if (strcmp(fault.rule, "unknown-field") == 0) /* whatever its name is made of */
		return error_set(e, ERR_INVALID, "values: the step that is under way does not ask this, or not twice");
	return error_set(e, ERR_INVALID, "values.%s: %s", fault.field, fault.rule);
}

/* ---- two persons ---- */

static const Lm__EventView *last_event(const Lm__CaseView *view, Lm__CaseAction action)
{
	for (size_t i = view->n_events; i; i--)
		if (view->events[i - 1]->action == action)
			return view->events[i - 1];
	return NULL;
}

const char *deciding_stranger_why(const Lm__CaseView *view, const Lm__CaseRecord *record, const char *user)
{
	if (record->state == LM__CASE_STATE__CASE_STATE_PROPOSED) {
		const Lm__EventView *proposal = last_event(view, DO(PROPOSE));
		return proposal && strcmp(proposal->staff, user) == 0
		               ? "you proposed this: another person approves it, or sends it back"
		               : NULL;
	}
	if (!record->is_objected)
		return NULL;
	const Lm__EventView *decision = last_event(view, DO(DECIDE));
	return decision && (strcmp(decision->staff, user) == 0 || strcmp(decision->proposed_by, user) == 0)
	               ? "you took part in the decision that is objected to: another person handles the objection"
	               : NULL;
}

static int stranger_check(const Lm__CaseView *view, const Lm__CaseRecord *record, const Lm__CaseCommand *in,
                          const struct actor *actor, struct error *e)
{
	bool is_proposed = record->state == LM__CASE_STATE__CASE_STATE_PROPOSED;
	if (in->action != DO(DECIDE) && in->action != DO(PROPOSE))
		return OK;
	if (in->action == DO(DECIDE) && in->approves != is_proposed)
		return error_set(e, ERR_CONFLICT,
		                 is_proposed ? "a decision is proposed: approve it, or send it back"
		                             : "nothing is proposed that could be approved");
	if (is_proposed && !role_may(actor->role, RIGHT_SUPERVISE))
		return error_set(e, ERR_DENIED, "a supervisor approves this");
	const char *why = deciding_stranger_why(view, record, actor->user);
	return why ? error_set(e, ERR_DENIED, "%s", why) : OK;
}

/* Words and form of the newest proposal. */
static int proposal_take(struct turn *t, const Lm__CaseRecord *record, Lm__CasePayload *content, struct error *e)
{
	for (size_t i = record->n_events; i; i--) {
		Lm__Header *h;
		Lm__CasePayload *proposal;
		int result = event_open(t->node, t->txn, record->events[i - 1], t->arena, &h, &proposal);
		if (result)
			return error_set(e, result, "the proposal cannot be read: %s", error_name(result));
		if (h->action != DO(PROPOSE))
			continue;
		if (!proposal)
			break;
		content->text = proposal->text;
		content->ground = proposal->ground;
		content->remedy = proposal->remedy;
		content->values = proposal->values;
		content->n_values = proposal->n_values;
		content->proposed_by = proposal->staff;
		return OK;
	}
	return error_set(e, ERR_ABSENT, "what was proposed cannot be read any more: send it back");
}

static int return_check(const Lm__CaseView *view, const struct actor *actor, struct error *e)
{
	const Lm__EventView *proposal = last_event(view, DO(PROPOSE));
	bool is_own = proposal && strcmp(proposal->staff, actor->user) == 0;
	return is_own || role_may(actor->role, RIGHT_SUPERVISE)
	               ? OK
	               : error_set(e, ERR_DENIED, "a supervisor, or who proposed it, sends it back");
}

/* ---- closed cases ---- */

bool case_may_object(struct store_txn *txn, struct id request, const Lm__CaseRecord *record, int64_t now_ms,
                     struct arena *arena)
{
	Lm__Service *service;
	Lm__ErasedRecord *erased;
	return record->state == LM__CASE_STATE__CASE_STATE_DECIDED &&
	       !service_get(txn, record->service, record->revision, arena, &service) &&
	       erased_get(txn, BYTES_OF(request.byte), arena, &erased) == ERR_NOT_FOUND &&
	       case_object_until(service, record->outcome, record->was_objected, record->closed_ms) > now_ms;
}

static int reopen_check(struct turn *t, struct id request, const Lm__CaseRecord *record, const Lm__CaseCommand *in,
                        const struct actor *actor, struct error *e)
{
	Lm__ErasedRecord *erased;
	if (in->action == DO(REOPEN) && !role_may(actor->role, RIGHT_SUPERVISE))
		return error_set(e, ERR_DENIED, "a supervisor opens a closed case again");
	if (erased_get(t->txn, BYTES_OF(request.byte), t->arena, &erased) != ERR_NOT_FOUND)
		return error_set(e, ERR_CONFLICT, "this request is erased, or that is proposed: it stays closed");
	if (in->action == DO(OBJECT) && record->state == LM__CASE_STATE__CASE_STATE_DECIDED &&
	    !case_may_object(t->txn, request, record, t->now_ms, t->arena))
		return error_set(e, ERR_DENIED, "this decision cannot be objected to here, or not any more");
	return OK;
}

static bool is_of_interest(Lm__CaseAction action)
{
	return action == DO(STEP) || action == DO(DECIDE) || action == DO(PROPOSE) || action == DO(RETURN) ||
	       action == DO(EVIDENCE);
}

int deciding_check(struct turn *t, struct id request, const Lm__CaseRecord *record, const Lm__CaseCommand *in,
                   const struct actor *actor, Lm__CasePayload *content, struct error *e)
{
	Lm__CaseView *view;
	int result = case_action_check(record, in->action, in->outcome, e);
	if (result)
		return result;
	if (in->action == DO(REOPEN) || in->action == DO(OBJECT))
		return reopen_check(t, request, record, in, actor, e);
	if (!is_of_interest(in->action))
		return OK;
	result = case_view(t->node, t->txn, request, actor->user, t->arena, &view, e);
	if (!result && in->action == DO(EVIDENCE))
		return seen_check(view, in, e);
	if (!result && in->action == DO(RETURN))
		return return_check(view, actor, e);
	if (!result)
		result = stranger_check(view, record, in, actor, e);
	if (!result && view->service)
		result = case_service_check(view->service, record, in->action, in->outcome, e);
	if (!result)
		result = missing_check(view, record, in, e);
	if (!result)
		result = values_check(view->service, record, in, e);
	return !result && in->approves ? proposal_take(t, record, content, e) : result;
}
