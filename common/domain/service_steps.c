/*
 * Forms of steps: what staff fill in when they end one, or decide while it is under way. The owner alone asks for it
 * before it writes: the answers are sealed, and other tiers may not be able to open them.
 */
#include <stdio.h>
#include <string.h>

#include "service_check.h"

#define STEP_FIELDS_MOST 10
/* Of one step: with what every message says it fits into half of what a terminal reckons for one (ANSWER_ROOM_BYTES of
 * node/inside.h, which counts it twice). */
#define TOLD_BYTES_MOST 512
#define CHARACTER_BYTES_MOST 4
#define SHORT_VALUE_BYTES 32 /* of types without a text of somebody's own: a number, a date, the id of a choice */

void step_fields_path(size_t step, char path[STEP_FIELDS_PATH_BYTES])
{
	snprintf(path, STEP_FIELDS_PATH_BYTES, "steps[%zu].fields", step);
}

static int64_t told_bytes(const Lm__Field *f)
{
	int64_t most = f->most < 0 ? 0 : f->most > TOLD_BYTES_MOST ? TOLD_BYTES_MOST : f->most, value;
	switch (f->type) {
	case LM__FIELD_TYPE__FIELD_TYPE_TEXT:
	case LM__FIELD_TYPE__FIELD_TYPE_LONG_TEXT:
		value = most * CHARACTER_BYTES_MOST;
		break;
	case LM__FIELD_TYPE__FIELD_TYPE_PERSON:
		value = (most ? most : NAME_CHARACTERS_MOST) * CHARACTER_BYTES_MOST;
		break;
	case LM__FIELD_TYPE__FIELD_TYPE_ADDRESS:
		value = (most ? most : ADDRESS_CHARACTERS_MOST) * CHARACTER_BYTES_MOST;
		break;
	case LM__FIELD_TYPE__FIELD_TYPE_SEVERAL:
		value = (int64_t)f->n_choices * SHORT_VALUE_BYTES;
		break;
	default:
		value = SHORT_VALUE_BYTES;
	}
	return (int64_t)strlen(f->id) + value;
}

static bool id_stands_before(const Lm__Service *s, size_t step, const char *id)
{
	bool is_there = field_find(s->fields, s->n_fields, id) != NULL;
	for (size_t i = 0; i < step && !is_there; i++)
		is_there = field_find(s->steps[i]->fields, s->steps[i]->n_fields, id) != NULL;
	return is_there;
}

static void step_field_check(struct check *c, const Lm__Service *s, size_t step, const char *list, size_t i)
{
	const Lm__Field *f = s->steps[step]->fields[i];
	field_check(c, list, s->steps[step]->fields, i, true);
	if (id_stands_before(s, step, f->id))
		fault_add(c, "%s[%zu].id: '%.32s' is the id of another question of this service", list, i, f->id);
	if (f->meaning)
		fault_add(c, "%s[%zu].meaning: only what the applicant is asked has one", list, i);
	if (f->is_birth_date)
		fault_add(c, "%s[%zu].is_birth_date: only what the applicant is asked is one", list, i);
	if (field_is_health(f))
		fault_add(c, "%s[%zu].is_health: nobody agreed to what staff would write about health here", list, i);
	if (f->is_told && f->type == LM__FIELD_TYPE__FIELD_TYPE_FILE)
		fault_add(c, "%s[%zu].is_told: a file is too big for a message", list, i);
}

void step_fields_check(struct check *c, const Lm__Service *s, size_t step)
{
	const Lm__Step *one = s->steps[step];
	char list[STEP_FIELDS_PATH_BYTES];
	int64_t told = 0;
	step_fields_path(step, list);
	if (one->n_fields > STEP_FIELDS_MOST) {
		fault_add(c, "%s: at most %d", list, STEP_FIELDS_MOST);
		return;
	}
	for (size_t i = 0; i < one->n_fields; i++) {
		const Lm__Field *f = one->fields[i];
		step_field_check(c, s, step, list, i);
		if (f->is_told && f->type != LM__FIELD_TYPE__FIELD_TYPE_FILE)
			told += told_bytes(f);
	}
	files_limit_check(c, list, one->fields, one->n_fields, true);
	if (told > TOLD_BYTES_MOST)
		fault_add(c, "%s: what is told has at most %d bytes, this up to %lld", list, TOLD_BYTES_MOST,
		          (long long)told);
}

/* ---- a case's step ---- */

const Lm__Step *case_step(const Lm__Service *s, const Lm__CaseRecord *record)
{
	return record->step < s->n_steps ? s->steps[record->step] : NULL;
}

bool case_action_has_values(Lm__CaseAction action)
{
	return action == LM__CASE_ACTION__CASE_ACTION_STEP || action == LM__CASE_ACTION__CASE_ACTION_DECIDE ||
	       action == LM__CASE_ACTION__CASE_ACTION_PROPOSE;
}

size_t step_values_check(const Lm__Step *step, Lm__CaseAction action, Lm__Outcome outcome,
                         Lm__FieldValue *const *values, size_t count, struct form_fault *first)
{
	struct form_fault faults[2 * STEP_FIELDS_MOST];
	size_t most = sizeof faults / sizeof *faults;
	bool may_be_empty = action != LM__CASE_ACTION__CASE_ACTION_STEP && outcome == LM__OUTCOME__OUTCOME_REFUSED;
	size_t found =
	        fields_check(step ? step->fields : NULL, step ? step->n_fields : 0, values, count, false, faults, most);
	size_t left = 0;
	for (size_t i = 0; i < found && i < most; i++) {
		if (may_be_empty && strcmp(faults[i].rule, "required") == 0)
			continue;
		if (!left++)
			*first = faults[i];
	}
	return left + (found > most ? found - most : 0);
}

const Lm__Field *step_field(const Lm__Service *s, const char *id)
{
	const Lm__Field *f = NULL;
	for (size_t i = 0; i < s->n_steps && !f; i++)
		f = field_find(s->steps[i]->fields, s->steps[i]->n_fields, id);
	return f;
}

int step_values_told(const Lm__Service *s, Lm__FieldValue *const *values, size_t count, struct arena *arena,
                     Lm__StatusMessage *message)
{
	message->values = arena_alloc(arena, (count + 1) * sizeof *message->values);
	for (size_t i = 0; i < count && message->values; i++) {
		const Lm__Field *f = step_field(s, values[i]->field);
		if (f && f->is_told)
			message->values[message->n_values++] = values[i];
	}
	return message->values ? OK : ERR_MEMORY;
}
