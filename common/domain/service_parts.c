/*
 * Do the parts of a service agree with each other, and can every person get through its form? Asked when it is
 * published.
 */
#include <stdio.h>
#include <string.h>

#include "service_check.h"

#define CONDITIONS_MOST 8
#define EVIDENCE_MOST 8
#define STEPS_MOST 10
#define BASES_MOST 12
#define WORKING_DAYS_MOST 250                /* a year */
#define SERVICE_BYTES_MOST (32 * 1024)       /* packed: several fit into one message and one commit */
#define NUMBER_MOST INT64_C(999999999999999) /* 15 digits: what an answer may have (form.c) */

#define TYPE(name) LM__FIELD_TYPE__FIELD_TYPE_##name
#define MEANING(name) LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_##name

/* ---- one field ---- */

static bool is_one_of(Lm__FieldType type, const Lm__FieldType *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}
#define IS_ONE_OF(type, types) is_one_of((type), (types), sizeof(types) / sizeof *(types))

/* What people often do not have at hand. A choice has "unknown", and staff help with what is left out. */
static void demand_check(struct check *c, size_t i, const Lm__Field *f)
{
	static const Lm__FieldType hard[] = { TYPE(NUMBER),      TYPE(MONEY),     TYPE(DATE),
		                              TYPE(CERTIFICATE), TYPE(ID_NUMBER), TYPE(PHONE) };
	if (f->is_required && IS_ONE_OF(f->type, hard))
		fault_add(c, "fields[%zu].is_required: who does not know it must be able to go on: leave it out", i);
}

static void bounds_check(struct check *c, const char *list, size_t i, const Lm__Field *f)
{
	static const Lm__FieldType bounded[] = { TYPE(TEXT),   TYPE(LONG_TEXT), TYPE(NUMBER),  TYPE(MONEY),
		                                 TYPE(PERSON), TYPE(SEVERAL),   TYPE(ADDRESS), TYPE(FILE) };
	if (!IS_ONE_OF(f->type, bounded) && (f->least || f->most))
		fault_add(c, "%s[%zu].%s: this type has no limits", list, i, f->least ? "least" : "most");
	if (f->type == TYPE(MONEY) && f->least < 0)
		fault_add(c, "%s[%zu].least: an amount is never below 0", list, i);
	if (f->type == TYPE(MONEY) || f->type == TYPE(NUMBER)) {
		if (f->least < -NUMBER_MOST)
			fault_add(c, "%s[%zu].least: a number has at most 15 digits", list, i);
		if (f->most > NUMBER_MOST)
			fault_add(c, "%s[%zu].most: a number has at most 15 digits", list, i);
	}
	if (f->type == TYPE(SEVERAL) && f->is_required && !f->least)
		fault_add(c, "%s[%zu].least: 1, because an answer is required", list, i);
}

static void meaning_check(struct check *c, size_t i, const Lm__Field *f)
{
	bool fits = true;
	switch (f->meaning) {
	case LM__FIELD_MEANING__FIELD_MEANING_NONE:
		break;
	case MEANING(NAME):
		fits = f->type == TYPE(PERSON) || f->type == TYPE(TEXT);
		break;
	case MEANING(PHONE):
		fits = f->type == TYPE(PHONE);
		break;
	case MEANING(NUMBER):
		fits = f->type == TYPE(CERTIFICATE) || f->type == TYPE(ID_NUMBER);
		break;
	default:
		fault_add(c, "fields[%zu].meaning: not a meaning that this version knows", i);
	}
	if (!fits)
		fault_add(c, "fields[%zu].meaning: does not go with the field's type", i);
}

/* Two choices or questions that read the same cannot be told apart. */
static bool words_are_same(const Lm__Words *a, const Lm__Words *b)
{
	return a && b && (strcmp(a->zh, b->zh) == 0 || strcmp(a->en, b->en) == 0);
}

static void twins_check(struct check *c, const char *list, Lm__Field *const *fields, size_t i)
{
	const Lm__Field *f = fields[i];
	for (size_t k = 0; k < i; k++)
		if (words_are_same(fields[k]->label, f->label))
			fault_add(c, "%s[%zu].label: the same question as fields[%zu]", list, i, k);
	for (size_t n = 1; n < f->n_choices; n++)
		for (size_t k = 0; k < n; k++)
			if (words_are_same(f->choices[k]->name, f->choices[n]->name))
				fault_add(c, "%s[%zu].choices[%zu].name: the same as choices[%zu]", list, i, n, k);
}

static void step_parts_check(struct check *c, const Lm__Service *s, size_t step)
{
	const Lm__Step *one = s->steps[step];
	char list[STEP_FIELDS_PATH_BYTES];
	step_fields_path(step, list);
	for (size_t i = 0; i < one->n_fields; i++) {
		bounds_check(c, list, i, one->fields[i]);
		twins_check(c, list, one->fields, i);
	}
}

/* ---- the service ---- */

static void counts_check(struct check *c, const Lm__Service *s)
{
	if (!s->n_conditions || s->n_conditions > CONDITIONS_MOST)
		fault_add(c, "conditions: 1 to %d, which say who can have it", CONDITIONS_MOST);
	if (s->n_evidence > EVIDENCE_MOST)
		fault_add(c, "evidence: at most %d", EVIDENCE_MOST);
	if (s->n_steps > STEPS_MOST)
		fault_add(c, "steps: at most %d", STEPS_MOST);
	if (s->n_basis > BASES_MOST)
		fault_add(c, "basis: at most %d", BASES_MOST);
	if (s->n_facts > BASES_MOST)
		fault_add(c, "facts: at most %d", BASES_MOST);
	if (s->hold && s->hold->n_basis > BASES_MOST)
		fault_add(c, "hold.basis: at most %d", BASES_MOST);
	if (s->certificate && s->certificate->n_basis > BASES_MOST)
		fault_add(c, "certificate.basis: at most %d", BASES_MOST);
	if (s->objection && s->objection->n_basis > BASES_MOST)
		fault_add(c, "objection.basis: at most %d", BASES_MOST);
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i]->working_days > WORKING_DAYS_MOST)
			fault_add(c, "steps[%zu].working_days: at most %d", i, WORKING_DAYS_MOST);
}

static void sample_check(struct check *c, const char *list, size_t i, const Lm__Basis *b)
{
	if (b->is_sample && (b->source[0] || b->date[0]))
		fault_add(c, "%s[%zu].is_sample: what has a source is not a sample", list, i);
}

void parts_check(struct check *c, const Lm__Service *s)
{
	counts_check(c, s);
	for (size_t i = 0; i < s->n_fields; i++) {
		demand_check(c, i, s->fields[i]);
		bounds_check(c, "fields", i, s->fields[i]);
		meaning_check(c, i, s->fields[i]);
		twins_check(c, "fields", s->fields, i);
	}
	for (size_t i = 0; i < s->n_steps; i++)
		step_parts_check(c, s, i);
	for (size_t i = 0; i < s->n_basis; i++)
		sample_check(c, "basis", i, s->basis[i]);
	for (size_t i = 0; i < s->n_facts; i++)
		sample_check(c, "facts", i, s->facts[i]);
	for (size_t i = 0; s->hold && i < s->hold->n_basis; i++)
		sample_check(c, "hold.basis", i, s->hold->basis[i]);
	for (size_t i = 0; s->certificate && i < s->certificate->n_basis; i++)
		sample_check(c, "certificate.basis", i, s->certificate->basis[i]);
	for (size_t i = 0; s->objection && i < s->objection->n_basis; i++)
		sample_check(c, "objection.basis", i, s->objection->basis[i]);
	size_t size = protobuf_c_message_get_packed_size(&s->base);
	if (size > SERVICE_BYTES_MOST)
		fault_add(c, "service: %zu bytes; at most %d", size, SERVICE_BYTES_MOST);
}
