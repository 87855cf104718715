/*
 * What a service says of deciding: the evidence that is needed, what is decided by two, and objections.
 */
#include <stdio.h>
#include <string.h>

#include "service_check.h"

#define PROOFS_MOST 8
#define PROOF_WAYS_MOST 8
#define OUTCOMES 3 /* granted, partly granted, refused */
#define OBJECTION_DAYS_MOST 365

static void proof_check(struct check *c, const Lm__Service *s, size_t i)
{
	const Lm__Proof *p = s->proofs[i];
	if (!p->evidence || p->evidence > s->n_evidence)
		fault_add(c, "proofs[%zu].evidence: which sentence of evidence, from 1 to %zu", i, s->n_evidence);
	for (size_t k = 0; k < i; k++)
		if (s->proofs[k]->evidence == p->evidence)
			fault_add(c, "proofs[%zu].evidence: %u is there twice", i, p->evidence);
	if (p->before_step > s->n_steps)
		fault_add(c, "proofs[%zu].before_step: a step from 1 to %zu, or 0", i, s->n_steps);
	if (!p->n_fields && !p->n_facts && !p->is_paper)
		fault_add(c, "proofs[%zu]: fields, facts or is_paper: in which way it can be there", i);
	if (p->n_fields > PROOF_WAYS_MOST || p->n_facts > PROOF_WAYS_MOST)
		fault_add(c, "proofs[%zu]: at most %d fields and facts", i, PROOF_WAYS_MOST);
	for (size_t k = 0; k < p->n_fields && k < PROOF_WAYS_MOST; k++)
		if (!field_find(s->fields, s->n_fields, p->fields[k]))
			fault_add(c, "proofs[%zu].fields[%zu]: no field has the id '%.32s'", i, k, p->fields[k]);
	for (size_t k = 0; k < p->n_facts && k < PROOF_WAYS_MOST; k++)
		if (p->facts[k] <= LM__RECORD_FACT__RECORD_FACT_NONE ||
		    p->facts[k] > LM__RECORD_FACT__RECORD_FACT_HOUSEHOLD)
			fault_add(c, "proofs[%zu].facts[%zu]: not a fact of a record that this version knows", i, k);
}

static void second_check(struct check *c, const Lm__Service *s)
{
	if (s->n_needs_second > OUTCOMES) {
		fault_add(c, "needs_second: at most %d outcomes", OUTCOMES);
		return;
	}
	for (size_t i = 0; i < s->n_needs_second; i++) {
		if (s->needs_second[i] <= LM__OUTCOME__OUTCOME_NONE ||
		    s->needs_second[i] > LM__OUTCOME__OUTCOME_REFUSED)
			fault_add(c, "needs_second[%zu]: granted, partly granted or refused", i);
		for (size_t k = 0; k < i; k++)
			if (s->needs_second[k] == s->needs_second[i])
				fault_add(c, "needs_second[%zu]: there twice", i);
	}
}

static void objection_check(struct check *c, const Lm__Objection *o)
{
	char path[40];
	if (!o)
		return;
	if (!o->days || o->days > OBJECTION_DAYS_MOST)
		fault_add(c, "objection.days: from 1 to %d", OBJECTION_DAYS_MOST);
	if (!o->n_basis)
		fault_add(c, "objection.basis: the rule that gives these days, or a sample");
	for (size_t i = 0; i < o->n_basis; i++) {
		snprintf(path, sizeof path, "objection.basis[%zu]", i);
		basis_check(c, path, o->basis[i]);
	}
}

void service_deciding_check(struct check *c, const Lm__Service *s)
{
	if (s->n_proofs > PROOFS_MOST)
		fault_add(c, "proofs: at most %d", PROOFS_MOST);
	for (size_t i = 0; i < s->n_proofs && i < PROOFS_MOST; i++)
		proof_check(c, s, i);
	second_check(c, s);
	objection_check(c, s->objection);
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i]->is_sample && !s->steps[i]->working_days)
			fault_add(c, "steps[%zu].is_sample: it is about working_days, and there are none", i);
}
