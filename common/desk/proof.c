/*
 * Evidence: what the service needs, and what of it is there, whoever has it: the request's files and answers, the
 * resident's record, or staff who have seen a paper. Nothing is kept of it but the events that say so.
 */
#include <string.h>

#include "deciding.h"

static bool value_is_there(const Lm__RequestPayload *payload, const char *field)
{
	for (size_t i = 0; payload && i < payload->n_values; i++) {
		const Lm__FieldValue *v = payload->values[i];
		if (strcmp(v->field, field) == 0 && (v->n_files || v->n_parted || (v->n_values && v->values[0][0])))
			return true;
	}
	return false;
}

static bool fact_is_there(const Lm__PersonFacts *facts, Lm__RecordFact fact)
{
	switch (fact) {
	case LM__RECORD_FACT__RECORD_FACT_ID_NUMBER:
		return facts->id_number[0] != '\0';
	case LM__RECORD_FACT__RECORD_FACT_CERTIFICATE:
		return facts->certificate[0] != '\0';
	case LM__RECORD_FACT__RECORD_FACT_HOUSEHOLD:
		return facts->household[0] != '\0';
	default:
		return false;
	}
}

static bool is_among(uint32_t number, const uint32_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == number)
			return true;
	return false;
}

/* The last word of staff about it counts. */
static void paper_look(const Lm__CaseView *view, Lm__ProofView *p)
{
	for (size_t i = 0; i < view->n_events; i++) {
		const Lm__EventView *event = view->events[i];
		if (is_among(p->evidence, event->not_seen, event->n_not_seen)) {
			p->source = LM__PROOF_SOURCE__PROOF_SOURCE_NONE;
			p->by = (char *)(uintptr_t) "";
			p->time_ms = 0;
		}
		if (is_among(p->evidence, event->seen, event->n_seen)) {
			p->source = LM__PROOF_SOURCE__PROOF_SOURCE_PAPER;
			p->by = event->staff;
			p->time_ms = event->time_ms;
		}
	}
}

static void proof_look(const Lm__Proof *proof, const Lm__RequestPayload *payload, const Lm__PersonRecord *person,
                       const Lm__CaseView *view, Lm__ProofView *p)
{
	if (proof->is_paper)
		paper_look(view, p);
	for (size_t i = 0; i < proof->n_facts && !p->source && person && person->facts; i++)
		if (fact_is_there(person->facts, proof->facts[i]))
			p->source = LM__PROOF_SOURCE__PROOF_SOURCE_RECORD;
	for (size_t i = 0; i < proof->n_fields && !p->source; i++)
		if (value_is_there(payload, proof->fields[i])) {
			p->source = LM__PROOF_SOURCE__PROOF_SOURCE_REQUEST;
			p->field = proof->fields[i];
		}
}

int proofs_fill(const Lm__RequestPayload *payload, const Lm__PersonRecord *person, struct arena *arena,
                Lm__CaseView *view)
{
	const Lm__Service *s = view->service;
	if (!s || !s->n_proofs)
		return OK;
	view->proofs = arena_alloc(arena, s->n_proofs * sizeof *view->proofs);
	for (size_t i = 0; i < s->n_proofs && view->proofs; i++) {
		const Lm__Proof *proof = s->proofs[i];
		Lm__ProofView *p = arena_alloc(arena, sizeof *p);
		if (!p)
			return ERR_MEMORY;
		lm__proof_view__init(p);
		p->evidence = proof->evidence;
		p->text = s->evidence[proof->evidence - 1]; /* checked when the service was published */
		p->before_step = proof->before_step;
		p->can_be_paper = proof->is_paper;
		proof_look(proof, payload, person, view, p);
		view->proofs[view->n_proofs++] = p;
	}
	return view->proofs ? OK : ERR_MEMORY;
}
