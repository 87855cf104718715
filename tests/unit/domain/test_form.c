/* Answers against a service's fields: every type, its edges, and forms that are wrong as a whole. */
#include <jansson.h>

#include "fixture.h"
#include "proto/json.h"

#define TYPE(name) LM__FIELD_TYPE__FIELD_TYPE_##name

struct form {
	Lm__Service service;
	Lm__Field field[2], *fields[2];
	Lm__FieldChoice choice[2], *choices[2];
	Lm__FieldValue value[3], *values[3];
	char *texts[3][4];
	struct form_fault faults[8];
};

/* Field "f" as given, which is asked first, and an optional text "g". */
static void form_init(struct form *f, Lm__FieldType type, int64_t least, int64_t most)
{
	memset(f, 0, sizeof *f);
	lm__service__init(&f->service);
	for (size_t i = 0; i < 2; i++) {
		lm__field__init(&f->field[i]);
		lm__field_choice__init(&f->choice[i]);
		f->fields[i] = &f->field[i];
		f->choices[i] = &f->choice[i];
	}
	for (size_t i = 0; i < 3; i++) {
		lm__field_value__init(&f->value[i]);
		f->value[i].values = f->texts[i];
		f->values[i] = &f->value[i];
	}
	f->choice[0].id = "a";
	f->choice[1].id = "b";
	f->field[0].id = "f";
	f->field[0].type = type;
	f->field[0].least = least;
	f->field[0].most = most;
	f->field[0].choices = f->choices;
	f->field[0].n_choices = type == TYPE(CHOICE) || type == TYPE(SEVERAL) ? 2 : 0;
	f->field[1].id = "g";
	f->field[1].type = TYPE(TEXT);
	f->field[1].most = 10;
	f->service.fields = f->fields;
	f->service.n_fields = 2;
}

static void form_give(struct form *f, size_t i, const char *field, const char *first, const char *second)
{
	f->value[i].field = (char *)(uintptr_t)field;
	f->texts[i][0] = (char *)(uintptr_t)first;
	f->texts[i][1] = (char *)(uintptr_t)second;
	f->value[i].n_values = !first ? 0 : !second ? 1 : 2;
}

static size_t form_run(struct form *f, size_t count)
{
	memset(f->faults, 0, sizeof f->faults);
	return form_check(&f->service, f->values, count, f->faults, 8);
}

/* ---- the vectors, which rules.ts is held against too (tests/ui/rules.test.mjs) ---- */

static json_t *vectors_load(void)
{
	const char *path = TOP "/tests/unit/domain/form-vectors.json";
	json_error_t fault;
	json_t *list = json_load_file(path, 0, &fault);
	if (!list)
		fail_msg("%s:%d: %s", path, fault.line, fault.text);
	assert_true(json_array_size(list) >= 250);
	return list;
}

static Lm__FieldType type_named(const char *name)
{
	char full[64];
	snprintf(full, sizeof full, "FIELD_TYPE_%s", name);
	const ProtobufCEnumValue *value =
	        protobuf_c_enum_descriptor_get_value_by_name(&lm__field_type__descriptor, full);
	assert_non_null(value);
	return (Lm__FieldType)value->value;
}

static char *text_repeated(struct arena *arena, const char *text, size_t times)
{
	size_t size = strlen(text);
	char *out = arena_alloc(arena, size * times + 1);
	assert_non_null(out);
	for (size_t i = 0; i < times; i++)
		memcpy(out + i * size, text, size);
	out[size * times] = '\0';
	return out;
}

/* As the daemon hears it: base64 and all. */
static Lm__FieldValue *value_of(const json_t *vector, struct arena *arena)
{
	json_t *plain = json_pack("{s:s}", "field", "f");
	const char *const lists[] = { "values", "files" };
	Lm__FieldValue *out;
	struct error e;
	for (size_t i = 0; i < 2; i++)
		if (json_object_get(vector, lists[i]))
			json_object_set(plain, lists[i], json_object_get(vector, lists[i]));
	char *text = json_dumps(plain, 0);
	assert_non_null(text);
	if (JSON_DECODE(lm__field_value, bytes_from_text(text), arena, &out, &e))
		fail_msg("%s", e.text);
	free(text);
	json_decref(plain);
	size_t times = (size_t)json_integer_value(json_object_get(vector, "repeat"));
	if (times)
		out->values[0] = text_repeated(arena, out->values[0], times);
	return out;
}

static void vector_run(size_t i, const json_t *vector, struct arena *arena)
{
	struct form f;
	int64_t least = json_integer_value(json_object_get(vector, "least"));
	int64_t most = json_integer_value(json_object_get(vector, "most"));
	const char *want = json_string_value(json_object_get(vector, "rule"));
	json_t *limits = json_object_get(vector, "limits");
	form_init(&f, type_named(json_string_value(json_object_get(vector, "type"))), least, most);
	f.field[0].is_required = json_is_true(json_object_get(vector, "required"));
	f.values[0] = value_of(vector, arena);
	size_t count = form_run(&f, 1);
	const char *rule = count ? f.faults[0].rule : "good";
	if (strcmp(rule, want) != 0)
		fail_msg("vector %zu: %s, not %s", i, rule, want);
	if (!count)
		return;
	assert_string_equal(f.faults[0].field, "f");
	assert_int_equal(f.faults[0].least, limits ? json_integer_value(json_array_get(limits, 0)) : least);
	assert_int_equal(f.faults[0].most, limits ? json_integer_value(json_array_get(limits, 1)) : most);
}

static void test_vectors(void **state)
{
	(void)state;
	json_t *list = vectors_load();
	struct arena arena;
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < json_array_size(list); i++) {
		vector_run(i, json_array_get(list, i), &arena);
		arena_reset(&arena);
	}
	arena_release(&arena);
	json_decref(list);
}

/* Every type is in the table, with a right and a wrong value. */
static void test_no_type_is_left_out(void **state)
{
	(void)state;
	size_t right[TYPE(FILE) + 1] = { 0 }, wrong[TYPE(FILE) + 1] = { 0 };
	json_t *list = vectors_load();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *vector = json_array_get(list, i);
		Lm__FieldType type = type_named(json_string_value(json_object_get(vector, "type")));
		bool is_right = strcmp(json_string_value(json_object_get(vector, "rule")), "good") == 0;
		right[type] += is_right;
		wrong[type] += !is_right;
	}
	for (Lm__FieldType type = TYPE(TEXT); type <= TYPE(FILE); type++)
		assert_true(right[type] >= 2 && wrong[type] >= 2);
	assert_null(protobuf_c_enum_descriptor_get_value(&lm__field_type__descriptor, TYPE(FILE) + 1));
	json_decref(list);
}

/* What JSON cannot hold. */
static void test_not_text(void **state)
{
	(void)state;
	static const char *const texts[] = { "\xff", "\xe4\xb8", "\xed\xa0\x80", "\xc0\x80" };
	static const Lm__FieldType types[] = { TYPE(TEXT), TYPE(LONG_TEXT), TYPE(PERSON), TYPE(ADDRESS) };
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++) {
			struct form f;
			form_init(&f, types[i], 0, 300);
			form_give(&f, 0, "f", texts[k], NULL);
			assert_int_equal(form_run(&f, 1), 1);
			assert_string_equal(f.faults[0].rule, "not-text");
		}
	struct form f;
	form_init(&f, (Lm__FieldType)99, 0, 0); /* a type of a newer version */
	form_give(&f, 0, "f", "x", NULL);
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "unknown-field");
}

static void test_required(void **state)
{
	(void)state;
	struct form f;
	form_init(&f, TYPE(TEXT), 0, 5);
	f.field[0].is_required = true;
	assert_int_equal(form_run(&f, 0), 1); /* not there */
	assert_string_equal(f.faults[0].rule, "required");
	assert_string_equal(f.faults[0].field, "f");
}

static void test_unknown_and_double_fields(void **state)
{
	(void)state;
	struct form f;
	form_init(&f, TYPE(TEXT), 0, 5);
	form_give(&f, 0, "f", "one", NULL);
	form_give(&f, 1, "f", "two", NULL);
	form_give(&f, 2, "elsewhere", "x", NULL);
	assert_int_equal(form_run(&f, 3), 2);
	assert_string_equal(f.faults[0].rule, "unknown-field");
	assert_string_equal(f.faults[0].field, "f");
	assert_string_equal(f.faults[1].field, "elsewhere");
	assert_int_equal(form_check(&f.service, f.values, 3, NULL, 0), 2); /* counted without being written */
}

static void test_hostile_sizes(void **state)
{
	(void)state;
	struct form f;
	/* As many values and as many choices as a message holds: counted, and soon. */
	static Lm__FieldValue *many[4096];
	static char *texts[4096];
	form_init(&f, TYPE(SEVERAL), 0, 0);
	form_give(&f, 0, "f", "a", NULL);
	for (size_t i = 0; i < 4096; i++) {
		many[i] = &f.value[0];
		texts[i] = "a";
	}
	assert_int_equal(form_check(&f.service, many, 4096, f.faults, 8), 4095);
	f.value[0].values = texts;
	f.value[0].n_values = 4096;
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "too-many");
}

static void test_value_by_meaning(void **state)
{
	(void)state;
	struct form f;
	Lm__FieldMeaning name = LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME,
	                 phone = LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_PHONE;
	form_init(&f, TYPE(PERSON), 0, 0);
	f.field[0].meaning = name;
	form_give(&f, 0, "g", "other", NULL);
	form_give(&f, 1, "f", "张三", NULL);
	assert_string_equal(form_value(&f.service, f.values, 2, name), "张三");
	assert_null(form_value(&f.service, f.values, 1, name));
	assert_null(form_value(&f.service, f.values, 2, phone));
	form_give(&f, 1, "f", "", NULL);
	assert_null(form_value(&f.service, f.values, 2, name));
}

/* ---- what staff fill in at a step ---- */

struct step_form {
	struct form form;
	Lm__Step step, *steps[1];
	struct form_fault fault;
};

/* Field "f", a date that is required and told, and "g", which is neither, belong to the only step. */
static void step_form_init(struct step_form *s)
{
	form_init(&s->form, TYPE(DATE), 0, 0);
	lm__step__init(&s->step);
	s->form.field[0].is_required = s->form.field[0].is_told = true;
	s->step.fields = s->form.fields;
	s->step.n_fields = 2;
	s->steps[0] = &s->step;
	s->form.service.steps = s->steps;
	s->form.service.n_steps = 1;
	s->form.service.n_fields = 0;
}

static void step_form_expect(struct step_form *s, Lm__CaseAction action, Lm__Outcome outcome, size_t count,
                             const char *field, const char *rule)
{
	size_t found = step_values_check(&s->step, action, outcome, s->form.values, count, &s->fault);
	assert_int_equal(found, rule ? 1 : 0);
	if (!rule)
		return;
	assert_string_equal(s->fault.field, field);
	assert_string_equal(s->fault.rule, rule);
}

static void test_who_ends_a_step_fills_in_its_form(void **state)
{
	(void)state;
	struct step_form s;
	step_form_init(&s);
	step_form_expect(&s, ACTION(STEP), OUTCOME(NONE), 0, "f", "required");
	step_form_expect(&s, ACTION(DECIDE), OUTCOME(GRANTED), 0, "f", "required");
	step_form_expect(&s, ACTION(PROPOSE), OUTCOME(PARTLY_GRANTED), 0, "f", "required");
	step_form_expect(&s, ACTION(DECIDE), OUTCOME(REFUSED), 0, NULL, NULL); /* nothing was done that could be told */
	form_give(&s.form, 0, "f", "2026-02-30", NULL);
	step_form_expect(&s, ACTION(DECIDE), OUTCOME(REFUSED), 1, "f", "not-a-date");
	form_give(&s.form, 0, "f", "2026-12-01", NULL);
	step_form_expect(&s, ACTION(STEP), OUTCOME(NONE), 1, NULL, NULL);
	form_give(&s.form, 1, "h", "示例", NULL);
	step_form_expect(&s, ACTION(STEP), OUTCOME(NONE), 2, "h", "unknown-field");
	form_give(&s.form, 1, "g", "一二三四五六七八九十一", NULL);
	step_form_expect(&s, ACTION(STEP), OUTCOME(NONE), 2, "g", "too-long");
	assert_int_equal(step_values_check(NULL, ACTION(DECIDE), OUTCOME(GRANTED), s.form.values, 1, &s.fault), 1);
	assert_string_equal(s.fault.rule, "unknown-field"); /* all steps are done: nothing is asked any more */
	assert_int_equal(step_values_check(NULL, ACTION(DECIDE), OUTCOME(GRANTED), NULL, 0, &s.fault), 0);
}

static void test_more_faults_than_are_kept_are_counted(void **state)
{
	(void)state;
	static Lm__FieldValue *many[300];
	struct step_form s;
	step_form_init(&s);
	form_give(&s.form, 0, "h", "示例", NULL);
	for (size_t i = 0; i < 300; i++)
		many[i] = s.form.values[0];
	assert_int_equal(step_values_check(&s.step, ACTION(DECIDE), OUTCOME(GRANTED), many, 300, &s.fault), 301);
	assert_string_equal(s.fault.field, "h");
}

static void test_only_what_is_told_is_told(void **state)
{
	(void)state;
	Lm__StatusMessage message = LM__STATUS_MESSAGE__INIT;
	struct step_form s;
	struct arena arena;
	arena_init(&arena, 0);
	step_form_init(&s);
	form_give(&s.form, 0, "g", "示例", NULL);
	form_give(&s.form, 1, "f", "2026-12-01", NULL);
	form_give(&s.form, 2, "gone", "示例", NULL); /* in no step of the revision */
	assert_int_equal(step_values_told(&s.form.service, s.form.values, 3, &arena, &message), OK);
	assert_int_equal(message.n_values, 1);
	assert_string_equal(message.values[0]->field, "f");
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_no_type_is_left_out),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_unknown_and_double_fields),
		cmocka_unit_test(test_value_by_meaning),
		cmocka_unit_test(test_who_ends_a_step_fills_in_its_form),
		cmocka_unit_test(test_more_faults_than_are_kept_are_counted),
		cmocka_unit_test(test_only_what_is_told_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
